//! Extension modules were built for another version or build of Python than the environment runs.

use super::{CANNOT_IMPORT, NAMED, is_optional, owners, patient, unfit, whose, with_reinstall};
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;
use crate::facts::native::UnfitModule;
use crate::parse::extension_name::{BuiltFor, Misfit};

pub static CHECK: Check = Check {
    id: "extension-for-another-python",
    category: Category::Native,
    severity: Severity::Error,
    summary: "Compiled modules are built for another Python version or ABI",
    needs: &[Need::Native, Need::Binaries, Need::Probe],
    explains: CANNOT_IMPORT,
    explanation: r#"
## What it means
The name of a compiled module tells for which Python it was built: `_x.cpython-310-x86_64-linux-gnu.so` is for
CPython 3.10 alone. Python 3.12 looks for `cpython-312-...`, `.abi3.so` and plain `.so` (see
`importlib.machinery.EXTENSION_SUFFIXES`) and passes over every other file as if it were not there. So the import
says `No module named '_x'` although the file lies in plain sight; numpy says "Importing the numpy C-extensions
failed".

## How it happens
`site-packages` was copied from an environment of another version; the base Python was upgraded under the
environment; `pip install --target` or a container layer was made with another Python and put on `PYTHONPATH`; an
archive for a cloud function was built with the wrong version. Free-threaded builds (`3.13t`), debug builds and PyPy
each need builds of their own, too.

## How to fix it
Install the same distributions again with the environment's own Python:

    .venv/bin/python -m pip install --force-reinstall --no-deps cffi==1.17.1

When most of what is installed is for another version, make the environment anew.

## When it is fine
A directory may hold builds for several Pythons; as long as one of them fits, nothing is said. Neither when the same
module is there as Python source. Some distributions (markupsafe, PyYAML...) have a slower half in pure Python that
takes over: that is a warning.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, native)) = patient(facts) else { return };
    let modules = unfit(facts, environment, native, Misfit::Python);
    let Some(first) = modules.first() else { return };
    let owners = owners(modules.iter().map(|module| module.owner.as_ref()));
    let loose: Vec<&str> =
        modules.iter().filter(|module| module.owner.is_none()).map(|module| module.module.as_str()).collect();
    let optional = modules.iter().all(|module| is_optional(&module.module, module.owner.as_ref()));
    let mut finding = Finding::new(
        &CHECK,
        Subject::Environment(environment.root.clone()),
        format!(
            "The compiled modules of {} are built for {}, and {} runs Python {}",
            whose(&owners, &loose),
            target(first),
            environment.root,
            native.version.minor_text()
        ),
    )
    .severity(if optional { Severity::Warning } else { Severity::Error });
    for module in modules.iter().take(NAMED) {
        finding = finding.evidence(module.module.clone(), format!("only {}", module.path));
    }
    if modules.len() > NAMED {
        finding = finding.evidence("more of the same", (modules.len() - NAMED).to_string());
    }
    findings.push(with_reinstall(facts, finding, environment, &owners));
}

fn target(module: &UnfitModule) -> String {
    match &module.built_for {
        BuiltFor::Exactly(tag) if tag.implementation == "cpython" => {
            format!("CPython {}", tag.version.minor_text())
        }
        BuiltFor::Exactly(tag) => format!("{} {}", tag.implementation, tag.version.minor_text()),
        _ => "Pythons with the global interpreter lock".to_owned(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::facts::example::{VENV, healthy, path};
    use crate::facts::interpreter::{Probe, ProbeReport, Version};
    use crate::facts::native::{Native, Owner};
    use crate::parse::extension_name;

    pub fn native() -> Native {
        Native {
            environment: path(VENV),
            version: Version::new(3, 11, None),
            seen: 3,
            read: 3,
            unfit: Vec::new(),
            unloadable: Vec::new(),
            numpy: None,
            overrides: Vec::new(),
        }
    }

    pub fn owner(name: &str, version: &str) -> Owner {
        Owner { name: name.to_owned(), version: version.to_owned() }
    }

    pub fn unfit_module(file: &str, misfit: Misfit, owned: Option<Owner>) -> UnfitModule {
        let (stem, built_for) = extension_name::parse(file).unwrap();
        UnfitModule {
            module: stem.to_owned(),
            path: path(VENV).join("lib/python3.11/site-packages").join(file),
            owner: owned,
            built_for,
            misfit,
        }
    }

    fn with(file: &str, owned: Option<Owner>) -> Facts {
        let mut facts = healthy();
        let unfit = vec![unfit_module(file, Misfit::Python, owned)];
        facts.native = vec![Native { unfit, ..native() }];
        facts
    }

    const FILE: &str = "_cffi_backend.cpython-310-x86_64-linux-gnu.so";

    #[test]
    fn fires_when_only_another_version_is_there() {
        let found = CHECK.findings(&with(FILE, Some(owner("cffi", "1.17.1"))));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(
            found[0].message,
            "The compiled modules of cffi are built for CPython 3.10, and /home/me/project/.venv runs Python 3.11"
        );
        assert!(format!("{:?}", found[0].remedies).contains("cffi==1.17.1"));
    }

    #[test]
    fn fires_lower_when_a_pure_half_takes_over() {
        let found =
            CHECK.findings(&with("_speedups.cpython-310-darwin.so", Some(owner("MarkupSafe", "2.1.5"))));
        assert_eq!(found[0].severity, Severity::Warning);
    }

    #[test]
    fn quiet_when_the_interpreter_itself_takes_that_suffix() {
        let mut facts = with(FILE, None);
        let report =
            ProbeReport { soabi: Some("cpython-310-x86_64-linux-gnu".into()), ..ProbeReport::default() };
        facts.interpreters[0].probe = Probe::Answered(Box::new(report));
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_everything_fits_or_was_not_asked() {
        let mut facts = healthy();
        assert_eq!(CHECK.findings(&facts), []);
        facts.native = vec![native()];
        assert_eq!(CHECK.findings(&facts), []);
    }
}
