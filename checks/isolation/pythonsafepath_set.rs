//! `PYTHONSAFEPATH` keeps the script's own directory off the import path.

use crate::diagnosis::{Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;

use super::{python_version, some_of, unset, with_line};

pub static CHECK: Check = Check {
    id: "pythonsafepath-set",
    category: Category::Isolation,
    severity: Severity::Warning,
    summary: "PYTHONSAFEPATH takes the script's directory off the import path",
    needs: &[Need::Project],
    explains: &["unresolvable-import", "missing-requirement"],
    explanation: r#"
## What it means
Since Python 3.11 a value in `PYTHONSAFEPATH` (any but the empty one, `0` included) does what `python -P` does: neither the
directory of the script nor the working directory stands on the import path. `python main.py` does not find `helper.py`
beside it, and `python -m package` not the package in the working directory.

## How it happens
It was exported as a protection: it keeps a stray `random.py` from hiding the standard library's module. Older Pythons
ignore it, so the same shell works for one project and not for another.

## How to fix it
    unset PYTHONSAFEPATH

or install the project (`python -m pip install -e .`), so that its modules are found without the script's directory.

## When it is fine
When all that is started here is installed. Nothing then needs the script's directory, and the variable protects.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(value) = facts.shell.set("PYTHONSAFEPATH") else { return };
    let Some(version) = python_version(facts) else { return };
    if version.major != 3 || version.minor < 11 {
        return;
    }
    let broken: Vec<String> = facts
        .import_setup
        .script_directories
        .iter()
        .filter(|place| facts.import_setup.python_path_entry(&place.directory).is_none())
        .flat_map(|place| {
            place.imports.iter().filter(|import| {
                let local = place.modules.iter().find(|module| module.name == import.name);
                local.is_some_and(|module| !import.file.same_as(&module.path))
                    && !facts.patient().is_some_and(|patient| patient.provides(&import.name))
            })
        })
        .map(|import| format!("{} ({}, line {})", import.name, import.file.name(), import.line))
        .collect();
    let (message, severity) = match broken.is_empty() {
        false => (
            format!(
                "PYTHONSAFEPATH is set, so Python {} does not find the modules beside a script",
                version.minor_text()
            ),
            Severity::Warning,
        ),
        true => {
            ("PYTHONSAFEPATH is set, so modules beside a script are not found".to_owned(), Severity::Info)
        }
    };
    let mut finding = Finding::new(&CHECK, Subject::Shell, message)
        .severity(severity)
        .evidence("PYTHONSAFEPATH", format!("`{value}`"))
        .evidence("Python", version.to_string());
    if !broken.is_empty() {
        finding = finding.evidence("imported from beside the script", some_of(&broken));
    }
    if let Some(patient) = &facts.patient {
        finding = finding.about(patient);
    }
    findings.push(with_line(finding, facts, "PYTHONSAFEPATH").remedy(unset(facts, "PYTHONSAFEPATH")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::isolation::tests::with_script_directory;
    use crate::facts::example;

    fn safe(value: &str) -> Facts {
        let mut facts = with_script_directory(&["main", "helper"], &[("helper", "main")]);
        example::set_variable(&mut facts, "PYTHONSAFEPATH", value);
        facts
    }

    #[test]
    fn fires_when_a_script_imports_its_neighbour() {
        assert_eq!(CHECK.findings(&safe("0"))[0].severity, Severity::Warning);
    }

    #[test]
    fn fires_as_information_when_nothing_is_known_to_need_it() {
        let mut facts = safe("1");
        facts.import_setup.script_directories.clear();
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Info);
    }

    #[test]
    fn quiet_when_it_is_empty_or_python_is_older() {
        assert!(CHECK.findings(&safe("")).is_empty());
        let mut facts = safe("1");
        for interpreter in &mut facts.interpreters {
            interpreter.version = Some(crate::facts::interpreter::Version::new(3, 10, None));
        }
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_it_is_not_set() {
        assert!(
            CHECK.findings(&with_script_directory(&["main", "helper"], &[("helper", "main")])).is_empty()
        );
    }
}
