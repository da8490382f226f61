//! `LD_LIBRARY_PATH` puts another library before one that Python's own modules need.

use super::patient;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::native::LibraryOverride;

pub static CHECK: Check = Check {
    id: "library-path-override",
    category: Category::Native,
    severity: Severity::Warning,
    summary: "LD_LIBRARY_PATH replaces a library that Python needs",
    needs: &[Need::Native, Need::Binaries],
    explains: &["libpython-mismatch", "c-library-too-old", "missing-shared-library", "interpreter-fails"],
    explanation: r#"
## What it means
The loader searches the directories of `LD_LIBRARY_PATH` before the system's (`ld.so(8)`), for every program that
this shell starts. One of them holds a file with the name of a library that Python's standard library needs
(OpenSSL, SQLite, zlib, libffi...), so Python loads that one instead of the one it was built with. When it lacks
what is asked for, `import ssl` or `import sqlite3` fails: "version `OPENSSL_3.0.0' not found", "undefined symbol";
pip then says that the ssl module is not available. The same befalls modules of distributions: an old `libstdc++.so.6`
comes before the system's, and "version `GLIBCXX_3.4.29' not found" ends the import.

## How it happens
Software kits and their setup scripts set the variable for all programs instead of their own: MATLAB, Oracle's and
CUDA's kits, ROS, an `activate.d` script of conda, an old line in `~/.bashrc`.

## How to fix it
Take it out of this shell, and give it to the one program that needs it:

    unset LD_LIBRARY_PATH
    LD_LIBRARY_PATH=/opt/kit/lib /opt/kit/bin/program

## When it is fine
When the variable names the directory of this Python's own libraries, as `setup-python` on CI runners does, or when
the directory only has libraries that Python does not use: neither is reported. A library of the same name that has
all that is needed is worth a note, no more.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, native)) = patient(facts) else { return };
    let harmful = native.overrides.iter().find(|found| !found.lacking.is_empty());
    let Some(first) = harmful.or(native.overrides.first()) else { return };
    let message = match harmful {
        Some(found) => {
            format!("{} makes Python load {}, which lacks {}", found.variable, found.loaded, lacking(found))
        }
        None => {
            format!("{} makes Python load {} instead of {}", first.variable, first.loaded, first.otherwise)
        }
    };
    let mut finding = Finding::new(&CHECK, Subject::Shell, message)
        .about(&environment.root)
        .severity(match harmful {
            // a distribution's own module: how bad that is, is told with the module
            Some(found) if native.unloadable.iter().any(|module| module.path == found.needed_by) => {
                Severity::Warning
            }
            Some(_) => Severity::Error,
            None => Severity::Info,
        })
        .evidence(first.variable.clone(), format!("puts {} first", first.directory))
        .evidence("needed by", format!("{} asks for {}", first.needed_by, first.library))
        .evidence("without the variable", first.otherwise.to_text());
    for other in native.overrides.iter().filter(|other| other.library != first.library) {
        finding = finding.evidence("also replaced", format!("{} by {}", other.library, other.loaded));
    }
    findings.push(finding.remedy(Remedy::safe(
        format!("Unset {} in this shell", first.variable),
        vec![Action::Unset(first.variable.clone())],
    )));
}

/// `OPENSSL_3.0.0`, `XML_SetEncoding and 3 more`.
fn lacking(found: &LibraryOverride) -> String {
    match found.lacking.as_slice() {
        [first, second, _, ..] => format!("{first}, {second} and {} more", found.lacking.len() - 2),
        few => few.join(" and "),
    }
}

#[cfg(test)]
mod tests {
    use super::super::extension_for_another_python::tests::native;
    use super::*;
    use crate::facts::example::{healthy, path};
    use crate::facts::native::{LoadFault, Native, Sought, UnloadableModule};

    fn with(lacking: &[&str]) -> Facts {
        let mut facts = healthy();
        let overrides = vec![LibraryOverride {
            variable: "LD_LIBRARY_PATH".into(),
            directory: path("/opt/sdk/lib"),
            library: "libcrypto.so.3".into(),
            loaded: path("/opt/sdk/lib/libcrypto.so.3"),
            otherwise: path("/usr/lib/x86_64-linux-gnu/libcrypto.so.3"),
            needed_by: path("/usr/lib/python3.11/lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so"),
            lacking: lacking.iter().map(|version| (*version).to_owned()).collect(),
        }];
        facts.native = vec![Native { overrides, ..native() }];
        facts
    }

    #[test]
    fn fires_when_the_other_library_lacks_what_is_needed() {
        let found = CHECK.findings(&with(&["OPENSSL_3.0.0"]));
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(
            found[0].message,
            "LD_LIBRARY_PATH makes Python load /opt/sdk/lib/libcrypto.so.3, which lacks OPENSSL_3.0.0"
        );
        assert_eq!(found[0].remedies[0].actions, [Action::Unset("LD_LIBRARY_PATH".into())]);
    }

    #[test]
    fn fires_as_a_warning_when_only_a_distributions_module_is_hit() {
        let mut facts = with(&["GLIBCXX_3.4.29"]);
        let needed_by = facts.native[0].overrides[0].needed_by.clone();
        facts.native[0].unloadable = vec![UnloadableModule {
            module: "_core".into(),
            path: needed_by,
            owner: None,
            siblings: 1,
            alike: 1,
            sought: Sought::default(),
            fault: LoadFault::MissingVersion {
                library: "libstdc++.so.6".into(),
                found: path("/opt/sdk/lib/libstdc++.so.6"),
                version: "GLIBCXX_3.4.29".into(),
                newest: None,
            },
        }];
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Warning);
    }

    #[test]
    fn quiet_but_for_a_note_when_the_other_library_has_all() {
        let found = CHECK.findings(&with(&[]));
        assert_eq!(found[0].severity, Severity::Info);
    }

    #[test]
    fn quiet_when_nothing_is_replaced() {
        let mut facts = healthy();
        facts.native = vec![native()];
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_not_asked() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }
}
