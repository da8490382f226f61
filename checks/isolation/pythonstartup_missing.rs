//! `PYTHONSTARTUP` names a file that is not there.

use crate::diagnosis::{Category, Check, Finding, Findings, Severity, Subject};
use crate::facts::Facts;

use super::{unset, with_line};

pub static CHECK: Check = Check {
    id: "pythonstartup-missing",
    category: Category::Isolation,
    severity: Severity::Info,
    summary: "PYTHONSTARTUP names no file",
    needs: &[],
    explains: &[],
    explanation: r#"
## What it means
Interactive Pythons run the file that `PYTHONSTARTUP` names before the first prompt. It is not there, so each of them says
`Could not open PYTHONSTARTUP` with `FileNotFoundError`. Programs are not affected.

## How it happens
The file was deleted or renamed, the configuration was copied from another machine, or the value starts with a `~` in quotes,
which the shell did not expand and Python does not.

## How to fix it
    unset PYTHONSTARTUP

and remove the line that sets it; or put the file back.

## When it is fine
Always: it costs a message at the start of interactive sessions, nothing else.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(file) = facts.import_setup.startup_file.as_ref().filter(|file| !file.exists) else { return };
    let message = format!("PYTHONSTARTUP names {}, which does not exist", file.path);
    let value = facts.shell.variable("PYTHONSTARTUP").unwrap_or_default();
    let finding = Finding::new(&CHECK, Subject::Shell, message).evidence("PYTHONSTARTUP", value);
    findings.push(with_line(finding, facts, "PYTHONSTARTUP").remedy(unset(facts, "PYTHONSTARTUP")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example;
    use crate::facts::import_setup::StartupFile;

    fn naming(exists: bool) -> Facts {
        let mut facts = example::healthy();
        let path = example::path("/home/me/.pythonrc.py");
        facts.import_setup.startup_file = Some(StartupFile { path, exists });
        facts
    }

    #[test]
    fn fires_when_the_file_is_gone() {
        assert_eq!(CHECK.findings(&naming(false))[0].severity, Severity::Info);
    }

    #[test]
    fn quiet_when_the_file_is_there() {
        assert!(CHECK.findings(&naming(true)).is_empty());
    }

    #[test]
    fn quiet_when_it_is_not_set() {
        assert!(CHECK.findings(&example::healthy()).is_empty());
    }
}
