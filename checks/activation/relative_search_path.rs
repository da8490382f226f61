//! `PATH` or `VIRTUAL_ENV` holds a relative directory, which means another place after every `cd`.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::facts::search_path::{EntryState, SearchEntry, Spelling};
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "relative-search-path",
    category: Category::Activation,
    severity: Severity::Warning,
    summary: "PATH or VIRTUAL_ENV holds a relative directory",
    needs: &[Need::Project, Need::Scripts],
    explains: &[
        "forgotten-activation",
        "lost-activation",
        "stale-activation",
        "python-command-missing",
        "python-names-disagree",
        "pip-elsewhere",
        "global-install",
        "tool-outside-environment",
    ],
    explanation: r#"
## What it means

A relative directory is looked up from wherever you are. With `.venv/bin` on `PATH`, `python` is the environment's at
the top of the project and another one everywhere else. An empty entry (a colon at the start or the end of
`PATH`, or two in a row) means the working directory itself: a file called `python` in it would be run.

## How it happens

By hand: `export PATH=.venv/bin:$PATH`, `VIRTUAL_ENV=.venv` in an `.env` file, a CI step or a Dockerfile, or
`PATH="$PATH:$EXTRA"` with `EXTRA` unset. A `~` between quotes is not expanded either; bash expands it when it
searches for a program, other programs look for a directory called `~`. The generated `activate` scripts always
write absolute paths.

## How to fix it

Activate the environment, which puts its absolute place on `PATH`:

    . .venv/bin/activate

or write the line with an absolute path: `export PATH="$PWD/.venv/bin:$PATH"`.

## When it is fine

Relative entries without Python programs, like `./node_modules/.bin`, are not reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    relative_variable(facts, findings);
    for entry in &facts.search_path.entries {
        if entry.spelling == Spelling::Absolute || entry.duplicate_of.is_some() {
            continue;
        }
        if !entry.names.is_empty() || entry.environment.is_some() {
            reaches(facts, entry, findings);
        } else if entry.spelling == Spelling::Relative
            && entry.state == EntryState::Missing
            && let Some(own) = facts.own_environment()
            && meant(entry, own)
        {
            misses(facts, entry, own, findings);
        }
    }
}

fn relative_variable(facts: &Facts, findings: &mut Findings) {
    let Some(value) = facts.shell.set("VIRTUAL_ENV") else { return };
    if facts.shell.path_variable("VIRTUAL_ENV").is_some() {
        return;
    }
    let mut finding =
        Finding::new(&CHECK, Subject::Shell, format!("VIRTUAL_ENV is the relative path {value}"))
            .evidence("VIRTUAL_ENV", value);
    let meant = facts.working_directory.as_ref().map(|directory| directory.join(value).normalized());
    let environment = meant
        .as_ref()
        .and_then(|root| facts.environment(root))
        .or_else(|| facts.own_environment())
        .filter(|environment| facts.can_be_activated(environment));
    if let Some(environment) = environment {
        finding = finding
            .about(&environment.root)
            .remedy(Remedy::safe("Activate the environment", vec![Action::activate(environment)]));
    }
    findings.push(finding.remedy(Remedy::safe("Unset it", vec![Action::Unset("VIRTUAL_ENV".to_owned())])));
}

/// It leads to Python from here, and elsewhere from anywhere else.
fn reaches(facts: &Facts, entry: &SearchEntry, findings: &mut Findings) {
    let Some(directory) = &entry.directory else { return };
    let message = match entry.spelling {
        Spelling::Empty => {
            format!("An empty entry of PATH means the working directory, and {directory} has Python programs")
        }
        Spelling::Tilde => format!("PATH names {} with a `~` that only some shells expand", entry.raw),
        _ => format!("PATH names {} by a path that means {directory} in this directory only", entry.raw),
    };
    let mut finding = Finding::new(&CHECK, Subject::Shell, message)
        .evidence("PATH", format!("entry {} is {:?}", entry.index + 1, entry.raw))
        .evidence("holds", entry.names.join(", "));
    let environment = entry.environment.as_ref().and_then(|root| facts.environment(root));
    if let Some(root) = &entry.environment {
        finding = finding.about(root);
    }
    findings.push(finding.remedy(remedy(facts, entry, directory, environment)));
}

/// It led to the project's environment from somewhere, and leads nowhere from here.
fn misses(facts: &Facts, entry: &SearchEntry, own: &Environment, findings: &mut Findings) {
    let mut finding = Finding::new(
        &CHECK,
        Subject::Shell,
        format!("PATH names {} by a relative path, which leads nowhere from this directory", entry.raw),
    )
    .severity(Severity::Error)
    .about(&own.root)
    .evidence("PATH", format!("entry {} is {:?}", entry.index + 1, entry.raw))
    .evidence("project environment", own.root.to_text());
    if let Some((command, hit)) = facts.shell_python().and_then(|command| Some((command, command.chosen()?)))
    {
        finding = finding.evidence(&command.name, hit.describe());
    }
    if facts.can_be_activated(own) {
        finding = finding.remedy(Remedy::safe(
            "Activate the project's environment instead",
            vec![Action::RemoveFromPath { raw: entry.raw.as_str().into() }, Action::activate(own)],
        ));
    }
    findings.push(finding);
}

/// Whether a relative entry ends as the environment's directory of programs does: `.venv/bin`.
fn meant(entry: &SearchEntry, own: &Environment) -> bool {
    let directory = own.program("").normalized();
    let mut names = directory.components().rev();
    let raw = entry.raw.trim_start_matches("./").trim_end_matches('/');
    let mut parts = raw.split(['/', '\\']).rev().peekable();
    parts.peek().is_some()
        && raw.contains(['/', '\\'])
        && parts.all(|part| names.next().is_some_and(|name| name == part.as_bytes()))
}

fn remedy(
    facts: &Facts,
    entry: &SearchEntry,
    directory: &HostPath,
    environment: Option<&Environment>,
) -> Remedy {
    let remove = Action::RemoveFromPath { raw: entry.raw.as_str().into() };
    let first =
        facts.shell_python().and_then(|command| command.chosen()).is_some_and(|hit| hit.entry == entry.index);
    match environment.filter(|environment| facts.can_be_activated(environment)) {
        Some(environment) if first => {
            Remedy::safe("Activate the environment instead", vec![remove, Action::activate(environment)])
        }
        _ if first && entry.spelling != Spelling::Empty => Remedy::safe(
            "Name the directory by its absolute path",
            vec![remove, Action::PutFirst(directory.clone())],
        ),
        _ => Remedy::safe("Take the entry off PATH", vec![remove]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{self, VENV, path};

    /// `PATH=.venv/bin:...`
    fn relative() -> Facts {
        let mut facts = example::healthy();
        let entry = &mut facts.search_path.entries[0];
        entry.raw = ".venv/bin".into();
        entry.spelling = Spelling::Relative;
        entry.names = vec!["python".into(), "pip".into()];
        facts
    }

    #[test]
    fn fires_when_path_holds_the_environment_by_a_relative_name() {
        let found = CHECK.findings(&relative());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Warning);
        assert_eq!(found[0].environments, [path(VENV)]);
        assert!(matches!(
            found[0].remedies[0].actions[..],
            [Action::RemoveFromPath { .. }, Action::Activate { .. }]
        ));
    }

    #[test]
    fn fires_as_an_error_when_it_leads_nowhere_from_here() {
        let mut facts = relative();
        let entry = &mut facts.search_path.entries[0];
        entry.names.clear();
        entry.environment = None;
        entry.state = EntryState::Missing;
        entry.directory = Some(path("/home/me/project/src/.venv/bin"));
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Error);
    }

    #[test]
    fn fires_when_the_variable_is_relative() {
        let mut facts = example::healthy();
        example::set_variable(&mut facts, "VIRTUAL_ENV", ".venv");
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].message, "VIRTUAL_ENV is the relative path .venv");
        assert!(matches!(found[0].remedies[0].actions[..], [Action::Activate { .. }]));
    }

    #[test]
    fn quiet_when_every_entry_is_absolute() {
        assert!(CHECK.findings(&example::healthy()).is_empty());
        assert!(CHECK.findings(&example::not_activated()).is_empty());
    }

    #[test]
    fn quiet_when_a_relative_entry_has_no_python() {
        for (raw, spelling) in [("./node_modules/.bin", Spelling::Relative), ("", Spelling::Empty)] {
            for state in [EntryState::Directory, EntryState::Missing] {
                let mut facts = example::not_activated();
                let entry = &mut facts.search_path.entries[0];
                entry.raw = raw.into();
                entry.spelling = spelling;
                entry.state = state;
                assert!(CHECK.findings(&facts).is_empty());
            }
        }
    }
}
