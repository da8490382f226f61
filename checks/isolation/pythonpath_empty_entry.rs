//! `PYTHONPATH` has an empty or relative entry: files of whatever directory one stands in are imported.

use crate::diagnosis::{Category, Check, Finding, Findings, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::import_setup::PythonPathEntry;
use crate::path::HostPath;

use super::{keep_python_path, python_path_of, single_purpose, with_line};

pub static CHECK: Check = Check {
    id: "pythonpath-empty-entry",
    category: Category::Isolation,
    severity: Severity::Warning,
    summary: "An empty entry of PYTHONPATH puts the working directory on every program's import path",
    needs: &[],
    explains: &["shadowed-package"],
    explanation: r#"
## What it means
Python splits `PYTHONPATH` at `:` (`;` on Windows) and takes an empty part, at the beginning, at the end or between two
separators, for the working directory. Every Python program that is started from this shell, pip and tools from other
places included, then imports files from the directory that you happen to stand in, before the standard library and all
installed packages. A `json.py`, a `yaml/`, or a file that somebody else put there changes or stops them.

## How it happens
`export PYTHONPATH=$PYTHONPATH:/opt/tools` while `PYTHONPATH` was not set gives `:/opt/tools`. A variable that is
entirely empty adds nothing.

## How to fix it
Write the separator only where there is something to separate:

    export PYTHONPATH="/opt/tools${PYTHONPATH:+:$PYTHONPATH}"

Projects need no `PYTHONPATH`: `python -m pip install -e .` puts a project's modules on the import path of its environment.

## When it is fine
A relative entry such as `PYTHONPATH=src` that is set for one command is a habit of many projects; exported, it means another
directory wherever you go. That is reported as information.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let entries = &facts.import_setup.python_path;
    let empty: Vec<&PythonPathEntry> = entries.iter().filter(|entry| entry.is_empty()).collect();
    let relative: Vec<&PythonPathEntry> =
        entries.iter().filter(|entry| entry.relative && !entry.is_empty()).collect();
    let value = facts.shell.variable("PYTHONPATH").unwrap_or_default();
    let finding = if let [first, ..] = empty.as_slice() {
        let message = format!(
            "Entry {} of PYTHONPATH is empty, so every Python program imports from the directory it is started in",
            first.index + 1
        );
        let severity = if single_purpose(facts) { Severity::Info } else { Severity::Warning };
        let remedy = keep_python_path(facts, |entry| !entry.is_empty());
        Finding::new(&CHECK, Subject::Shell, message).severity(severity).remedy(remedy)
    } else if let [first, ..] = relative.as_slice() {
        let why = match first.raw.starts_with('~') {
            true => "begins with a tilde, which Python takes for a name and not for the home directory",
            false => "is relative: it means another directory wherever a program is started",
        };
        let message = format!("Entry {} of PYTHONPATH, {}, {why}", first.index + 1, first.raw);
        let remedy = made_absolute(facts);
        Finding::new(&CHECK, Subject::Shell, message).severity(Severity::Info).remedy(remedy)
    } else {
        return;
    };
    let mut finding = finding.evidence("PYTHONPATH", format!("`{value}`"));
    if let Some(directory) = &facts.working_directory {
        finding = finding.evidence("which means here", directory.to_text());
    }
    if let Some(patient) = &facts.patient {
        finding = finding.about(patient);
    }
    findings.push(with_line(finding, facts, "PYTHONPATH"));
}

/// What is there stays, by its whole path; so does what a tilde stands for.
fn made_absolute(facts: &Facts) -> Remedy {
    let entries = &facts.import_setup.python_path;
    let whole = |entry: &PythonPathEntry| match entry.relative {
        true => in_full(facts, entry).map(|directory| directory.to_text().into_owned()),
        false => Some(entry.raw.clone()),
    };
    let mut remedy = python_path_of(facts, entries.iter().filter_map(whole).collect());
    if entries.iter().any(|entry| entry.relative && in_full(facts, entry).is_some()) {
        remedy.summary = "Name the directories in full".to_owned();
    }
    remedy
}

/// The directory that a relative entry means, or was meant to.
fn in_full(facts: &Facts, entry: &PythonPathEntry) -> Option<HostPath> {
    match (entry.raw.strip_prefix('~'), &facts.user.home) {
        (Some(""), Some(home)) => Some(home.clone()),
        (Some(rest), Some(home)) if rest.starts_with('/') => Some(home.join(rest.trim_start_matches('/'))),
        _ => entry.directory.clone().filter(|_| entry.exists),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::isolation::tests::with_python_path;
    use crate::diagnosis::Action;
    use crate::facts::example;

    #[test]
    fn fires_when_an_entry_is_empty() {
        let found = CHECK.findings(&with_python_path(":/opt/tools/lib"));
        assert_eq!(found[0].severity, Severity::Warning);
        assert_eq!(
            found[0].remedies[0].actions,
            [Action::Set { name: "PYTHONPATH".into(), value: "/opt/tools/lib".into() }]
        );
        assert_eq!(
            CHECK.findings(&with_python_path(":"))[0].remedies[0].actions,
            [Action::Unset("PYTHONPATH".into())]
        );
    }

    #[test]
    fn fires_as_information_when_an_entry_is_relative() {
        let mut facts = with_python_path("src:/opt/tools");
        for exists in [false, true] {
            facts.import_setup.python_path[0].exists = exists;
            let found = CHECK.findings(&facts);
            assert_eq!(found[0].severity, Severity::Info);
            let value = if exists { "/home/me/project/src:/opt/tools" } else { "/opt/tools" };
            let set = Action::Set { name: "PYTHONPATH".into(), value: value.into() };
            assert_eq!(found[0].remedies[0].actions, [set]);
        }
    }

    #[test]
    fn a_tilde_is_written_out() {
        let mut facts = with_python_path("~/lib:~other/lib:/opt/tools");
        facts.import_setup.python_path[0].exists = false;
        facts.import_setup.python_path[1].exists = false;
        let found = CHECK.findings(&facts);
        let set = Action::Set { name: "PYTHONPATH".into(), value: "/home/me/lib:/opt/tools".into() };
        assert_eq!(found[0].remedies[0].actions, [set]);
        assert_eq!(found[0].remedies[0].summary, "Name the directories in full");
    }

    #[test]
    fn quiet_when_entries_are_absolute() {
        assert!(CHECK.findings(&with_python_path("/opt/a:/opt/b")).is_empty());
    }

    #[test]
    fn quiet_when_the_variable_is_empty_or_not_set() {
        assert!(CHECK.findings(&example::healthy()).is_empty());
        let mut facts = example::healthy();
        example::set_variable(&mut facts, "PYTHONPATH", "");
        assert!(CHECK.findings(&facts).is_empty());
    }
}
