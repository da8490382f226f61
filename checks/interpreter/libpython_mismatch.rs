//! The interpreter loads the `libpython` of another build than its own.

use super::{examined, faulty, severity, with_replacement};
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::interpreter::{Interpreter, LibraryLookup, LinkEnd};
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "libpython-mismatch",
    category: Category::Interpreter,
    severity: Severity::Error,
    summary: "The interpreter loads another build's library",
    needs: &[Need::Binaries, Need::Installed],
    explains: &["library-path-override", "interpreter-fails", "stale-interpreter-copy"],
    explanation: r#"
## What it means
This `python` is a small program; the interpreter proper is in `libpython3.11.so.1.0`. The loader takes the first file
of that name, and here that is not the one that came with this Python. Nothing says so: a Python 3.11.7 runs
the library of a 3.11.2 and calls itself 3.11.2. Extension modules of one build then meet the core of
another, and some fail with `undefined symbol: _Py...`.

## How it happens
`LD_LIBRARY_PATH` (macOS: `DYLD_LIBRARY_PATH`) names the `lib` directory of another Python: conda, a vendor's SDK, ROS,
a cluster's module. It comes before the directory that is written into the program. Or the program has no
such directory and falls back on the system's.

## How to fix it
Take the foreign directory out of the variable, and out of the file that sets it (`~/.bashrc`, a module):

    unset LD_LIBRARY_PATH

`ldd .venv/bin/python | grep libpython` shows which file is loaded.

## When it is fine
When both files are the same build, reached by two paths.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in examined(facts) {
        let Some(interpreter) = faulty(facts, environment, |found| mixed(found).is_some()) else { continue };
        let Some(Mixed { library, found, own, certain }) = mixed(interpreter) else { continue };
        let through = library.through.as_deref().unwrap_or("the library path");
        let message = if certain {
            format!("{} loads {found} ({through}) instead of its own {own}", interpreter.path)
        } else {
            format!("{} may load another build's library: {found} comes before {own}", interpreter.path)
        };
        let with_version = |path: &HostPath, version: &Option<String>| match version {
            Some(version) => format!("{path} (Python {version})"),
            None => path.to_string(),
        };
        let finding = Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message)
            .severity(if certain { severity(facts, environment) } else { Severity::Info })
            .evidence("loaded", with_version(found, &library.found_version))
            .evidence("its own", with_version(own, &library.own_version))
            .evidence("found through", through);
        // while the variable leads there, another interpreter of that version loads the same file
        findings.push(match without_directory(facts, through, found) {
            Some(remedy) => finding.remedy(remedy),
            None => with_replacement(finding, facts, environment),
        });
    }
}

struct Mixed<'a> {
    library: &'a LibraryLookup,
    found: &'a HostPath,
    own: &'a HostPath,
    /// The versions are known to differ.
    certain: bool,
}

fn mixed(interpreter: &Interpreter) -> Option<Mixed<'_>> {
    if interpreter.links.end != LinkEnd::File {
        return None;
    }
    interpreter.libpython.iter().find_map(|library| {
        let (found, own) = (library.found.as_ref()?, library.own.as_ref()?);
        let certain = match (&library.found_version, &library.own_version) {
            (Some(found), Some(own)) if found == own => return None,
            (Some(_), Some(_)) => true,
            _ => false,
        };
        (!found.same_as(own)).then_some(Mixed { library, found, own, certain })
    })
}

/// The variable without the directory of the foreign library.
fn without_directory(facts: &Facts, variable: &str, library: &HostPath) -> Option<Remedy> {
    if !variable.ends_with("LIBRARY_PATH") {
        return None;
    }
    let directory = library.parent()?;
    let rest: Option<Vec<&str>> = facts.shell.set(variable).map(|value| {
        value
            .split(':')
            .filter(|entry| {
                HostPath::new(directory.flavour(), *entry).is_none_or(|entry| !entry.same_as(&directory))
            })
            .collect()
    });
    let action = match rest {
        Some(rest) if rest.iter().any(|entry| !entry.is_empty()) => {
            Action::Set { name: variable.to_owned(), value: Word::from(rest.join(":")) }
        }
        _ => Action::Unset(variable.to_owned()),
    };
    Some(Remedy::safe(format!("Take {directory} out of {variable}"), vec![action]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{healthy, interpreters_of, path, set_variable};

    fn loads(found: &str, found_version: Option<&str>) -> Facts {
        let mut facts = healthy();
        for interpreter in interpreters_of(&mut facts) {
            interpreter.libpython = vec![LibraryLookup {
                name: "libpython3.11.so.1.0".to_owned(),
                found: Some(path(found)),
                through: Some("LD_LIBRARY_PATH".to_owned()),
                own: Some(path("/opt/py/lib/libpython3.11.so.1.0")),
                found_version: found_version.map(str::to_owned),
                own_version: Some("3.11.7".to_owned()),
                searched: Vec::new(),
            }];
        }
        set_variable(&mut facts, "LD_LIBRARY_PATH", "/sdk/lib:/usr/lib/x86_64-linux-gnu/");
        facts
    }

    const SYSTEM: &str = "/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0";

    #[test]
    fn fires_when_another_version_comes_first() {
        let found = CHECK.findings(&loads(SYSTEM, Some("3.11.2")));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(
            found[0].remedies[0].actions,
            [Action::Set { name: "LD_LIBRARY_PATH".to_owned(), value: "/sdk/lib".into() }]
        );
    }

    #[test]
    fn fires_when_it_cannot_be_sure_and_says_so() {
        let found = CHECK.findings(&loads(SYSTEM, None));
        assert_eq!(found[0].severity, Severity::Info);
        assert!(found[0].message.contains(" may "));
    }

    #[test]
    fn quiet_when_the_versions_agree() {
        assert_eq!(CHECK.findings(&loads(SYSTEM, Some("3.11.7"))), []);
    }

    #[test]
    fn quiet_when_it_is_the_same_file() {
        assert_eq!(CHECK.findings(&loads("/opt/py/lib/../lib/libpython3.11.so.1.0", None)), []);
    }

    #[test]
    fn quiet_when_the_build_is_static() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }
}
