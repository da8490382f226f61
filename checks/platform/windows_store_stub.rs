//! `python` on Windows is the Microsoft Store's alias, which runs nothing.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::search_path::{Command, HitState, Target};

pub static CHECK: Check = Check {
    id: "windows-store-stub",
    category: Category::Platform,
    severity: Severity::Error,
    summary: "The first python.exe is the Microsoft Store's alias",
    needs: &[Need::Tools],
    explains: &["python-command-missing", "python-names-disagree", "pip-elsewhere", "forgotten-activation"],
    explanation: r#"
## What it means
Windows comes with a `python.exe` and a `python3.exe` of zero bytes in
`%LOCALAPPDATA%\Microsoft\WindowsApps`. They are aliases: without Python from the Store they open the Store, or say
"Python was not found; run without arguments to install from the Microsoft Store" and end with status 9009. The one
on this `PATH` comes before every real Python.

## How it happens
Python was installed without "Add python.exe to PATH", or its directory was put behind `WindowsApps`; an
environment that should be first is not active.

## How to fix it
Turn the aliases off: Settings, Apps, Advanced app settings, App execution aliases, both "App Installer" lines for
python. Or use the launcher, which does not look at `PATH`:

    py -3.12 -m venv .venv
    .venv\Scripts\activate

## When it is fine
When Python itself comes from the Store: its aliases look alike and run it, so nothing is said. Nor is `python3.exe`
mentioned where `python` runs a Python: on Windows neither an installation nor a venv has a file of that name. Seen from a Linux
shell (WSL), which runs `python.exe` only when you type the ending, it is a note.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    if let Some(alias) = facts.tools.known().and_then(|tools| tools.store_alias.as_ref()) {
        findings.push(
            Finding::new(
                &CHECK,
                Subject::file(&alias.path),
                format!("python.exe on PATH is the Microsoft Store's alias, before {}", alias.behind),
            )
            .severity(Severity::Info)
            .evidence("zero bytes", alias.path.to_text())
            .evidence("behind it", alias.behind.to_text())
            .remedy(turn_off()),
        );
        return;
    }
    // neither the installer nor a venv has a python3.exe: where `python` runs one, the other alias is never met
    let Some(command) = facts.shell_python() else { return };
    let Some(stub) = command.chosen().filter(|hit| hit.leads_to == Target::StoreStub) else { return };
    let real = real_python(command);
    let wanted = real.is_some() || facts.project.has_python_files || !facts.project.environments.is_empty();
    let mut finding = Finding::new(
        &CHECK,
        Subject::Shell,
        format!("{} is {}, the Microsoft Store's alias, which runs no Python", command.name, stub.path),
    )
    .severity(if wanted { Severity::Error } else { Severity::Info })
    .evidence("zero bytes", stub.path.to_text());
    if let Some(real) = real {
        finding = finding.evidence("behind it", real.path.to_text());
    }
    if let Some(environment) = facts.usable_project_environment() {
        finding = finding.about(&environment.root).remedy(Remedy::safe(
            format!("Activate {}", environment.root),
            vec![Action::activate(environment)],
        ));
    } else if let Some(directory) = real.and_then(|real| real.path.parent()) {
        finding = finding.remedy(Remedy::safe(
            format!("Put {directory} first in this shell"),
            vec![Action::PutFirst(directory)],
        ));
    }
    findings.push(finding.remedy(turn_off()));
}

/// The first one behind the alias that runs something.
fn real_python(command: &Command) -> Option<&crate::facts::search_path::Hit> {
    command.hits.iter().find(|hit| hit.state == HitState::Runnable && hit.leads_to != Target::StoreStub)
}

fn turn_off() -> Remedy {
    Remedy::manual(
        "Turn the aliases off for good",
        vec![Action::Advice(
            "Windows Settings > Apps > Advanced app settings > App execution aliases: turn both python lines off"
                .to_owned(),
        )],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Gathered;
    use crate::facts::example::{healthy, path};
    use crate::facts::search_path::Hit;
    use crate::facts::tools::{StoreAlias, Tools};
    use crate::path::{Flavour, HostPath};

    fn windows(first: Target) -> Facts {
        let mut facts = healthy();
        let hit = |entry, text: &str, leads_to| Hit {
            entry,
            path: HostPath::new(Flavour::Windows, text).unwrap(),
            state: HitState::Runnable,
            leads_to,
        };
        facts.project.environments.clear();
        facts.commands = vec![Command {
            name: "python".into(),
            hits: vec![
                hit(0, "C:\\Users\\me\\AppData\\Local\\Microsoft\\WindowsApps\\python.exe", first),
                hit(1, "C:\\Python312\\python.exe", Target::Interpreter { environment: None }),
            ],
            which_disagrees: None,
        }];
        facts
    }

    #[test]
    fn fires_when_the_alias_comes_first() {
        let found = CHECK.findings(&windows(Target::StoreStub));
        assert_eq!(found[0].severity, Severity::Error);
        assert!(
            found[0].message.contains("WindowsApps\\python.exe, the Microsoft Store's alias"),
            "{found:?}"
        );
        assert!(format!("{:?}", found[0].remedies[0]).contains("PutFirst"), "{found:?}");
    }

    #[test]
    fn quiet_when_python_comes_from_the_store() {
        assert_eq!(CHECK.findings(&windows(Target::Interpreter { environment: None })), []);
    }

    #[test]
    fn quiet_when_python_is_real_and_python3_the_alias() {
        let mut facts = windows(Target::Interpreter { environment: None });
        let mut alias = windows(Target::StoreStub).commands;
        alias.iter_mut().for_each(|command| command.name = "python3".into());
        facts.commands.append(&mut alias);
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_but_for_a_note_from_a_posix_shell() {
        let mut facts = healthy();
        let store_alias =
            Some(StoreAlias { path: path("/mnt/c/a/python.exe"), behind: path("/mnt/c/b/python.exe") });
        facts.tools = Gathered::Known(Tools { store_alias, ..Tools::default() });
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Info);
    }

    #[test]
    fn quiet_when_healthy() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }
}
