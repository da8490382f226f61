//! A version manager's shim stands for a Python, or a command, that the pinned version does not have.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::search_path::{Command, Hit, ShimManager, Target};
use crate::parse::names::normalize_name;

pub static CHECK: Check = Check {
    id: "pinned-python-missing",
    category: Category::Project,
    severity: Severity::Error,
    summary: "The pinned Python is not installed, or has not the command that its shim stands for",
    needs: &[Need::Project],
    explains: &["python-command-missing", "python-pin-mismatch"],
    explanation: r#"
## What it means

pyenv, asdf and mise put shims on `PATH`: small scripts that start the command of the version that is chosen here (by
`PYENV_VERSION`, `.python-version`, `.tool-versions`, or a global setting). That version is not installed, or has no
such command, so the shim refuses: `version '3.12.9' is not installed`, or `flask: command not found ... exists in these
Python versions`.

## How it happens

A project came with a `.python-version` for a patch release that you do not have; a version was uninstalled; or a tool was
installed into one version and another one is chosen here.

## How to fix it

Install what is pinned, or pin what is installed:

    pyenv install 3.12.9
    pyenv local 3.12.1

For a command, install it into the chosen version (better: into the project's environment, and activate that):

    python -m pip install flask && pyenv rehash

## When it is fine

A shim exists as soon as any version has the command. As long as you do not run it here, nothing is wrong; for commands
that the project does not ask for this is only information.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let mut told: Vec<&str> = Vec::new();
    for command in &facts.commands {
        let Some(hit) = command.chosen() else { continue };
        let Target::Shim { manager, version, program, problem: Some(problem), .. } = &hit.leads_to else {
            continue;
        };
        // one report of a version that is not there stands for all its commands
        let missing = problem.contains("not installed");
        let key = if missing { version.as_deref().unwrap_or_default() } else { problem.as_str() };
        if told.contains(&key) {
            continue;
        }
        told.push(key);
        let mut finding = Finding::new(
            &CHECK,
            Subject::Project(facts.project.root.clone()),
            format!("`{}` is a shim of {}: {problem}", command.name, manager.label()),
        )
        .severity(severity(facts, command, missing, program.is_some()))
        .evidence(&command.name, hit.describe());
        if let Some(program) = program {
            finding = finding.evidence("started instead", program.to_text());
        }
        for pin in facts.project.pins.iter().take(3) {
            let place = pin.line.map_or_else(String::new, |line| format!(" (line {line})"));
            finding = finding.evidence("pinned", format!("{} in {}{place}", pin.text, pin.file));
        }
        findings.push(finding.remedy(remedy(facts, command, hit, *manager, version.as_deref(), missing)));
    }
}

fn severity(facts: &Facts, command: &Command, missing: bool, falls_back: bool) -> Severity {
    let is_python = command.name.starts_with("python") || command.name == "pip" || command.name == "pip3";
    let asked_for = facts.project.tools.iter().any(|tool| tool.text == command.name)
        || facts.project.dependencies.iter().any(|it| it.name == normalize_name(&command.name));
    match (is_python || asked_for, missing, falls_back) {
        (_, true, true) => Severity::Warning,
        (true, _, false) | (_, true, false) => Severity::Error,
        _ => Severity::Info,
    }
}

fn remedy(
    facts: &Facts,
    command: &Command,
    hit: &Hit,
    manager: ShimManager,
    version: Option<&str>,
    missing: bool,
) -> Remedy {
    let single = version.filter(|version| !version.contains([':', ' ']) && *version != "system");
    if missing {
        let pinned = single.or_else(|| facts.project.pins.first().map(|pin| pin.text.as_str()));
        let Some(version) = pinned else {
            let advice = "install the version, or pin one that is installed".to_owned();
            return Remedy::manual("Install or change the pinned version", vec![Action::Advice(advice)]);
        };
        let words: Vec<&str> = match manager {
            ShimManager::Pyenv => vec!["pyenv", "install", version],
            ShimManager::Asdf => vec!["asdf", "install", "python", version],
            ShimManager::Mise => {
                return Remedy::safe(
                    format!("Install Python {version}"),
                    vec![Action::run([
                        "mise".into(),
                        "install".into(),
                        Word::from(format!("python@{version}")),
                    ])],
                );
            }
        };
        return Remedy::safe(
            format!("Install Python {version}"),
            vec![Action::Run(words.into_iter().map(Word::from).collect())],
        );
    }
    let python = facts.shell_python().and_then(Command::chosen).and_then(|found| match &found.leads_to {
        Target::Shim { program: Some(program), .. } => Some(program.clone()),
        _ => None,
    });
    match python {
        Some(python) => Remedy::safe(
            format!("Install {} into the version that is chosen here", command.name),
            vec![
                Action::run([
                    python.into(),
                    "-m".into(),
                    "pip".into(),
                    "install".into(),
                    Word::from(&command.name),
                ]),
                Action::Rehash,
            ],
        ),
        None => Remedy::manual(
            "Choose a version that has the command",
            vec![Action::Advice(format!("{} has none for the version that is chosen here", hit.path))],
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{healthy, not_activated, path};
    use crate::facts::search_path::HitState;

    fn shim(name: &str, problem: Option<&str>) -> Command {
        let leads_to = Target::Shim {
            manager: ShimManager::Pyenv,
            version: Some("3.12.9".into()),
            program: problem.is_none().then(|| path("/home/me/.pyenv/versions/3.12.9/bin/python")),
            environment: None,
            problem: problem.map(str::to_owned),
        };
        let file = path("/home/me/.pyenv/shims").join(name);
        let hit = Hit { entry: 0, path: file, state: HitState::Runnable, leads_to };
        Command { name: name.into(), hits: vec![hit], which_disagrees: None }
    }

    #[test]
    fn fires_once_when_the_version_is_not_installed() {
        let mut facts = not_activated();
        let problem = "version 3.12.9 (set by /home/me/project/.python-version) is not installed";
        facts.commands = ["python", "python3", "pip"].map(|name| shim(name, Some(problem))).to_vec();
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(
            found[0].remedies[0].actions,
            [Action::run(["pyenv".into(), "install".into(), "3.12.9".into()])]
        );
    }

    #[test]
    fn fires_as_information_when_only_a_command_is_elsewhere() {
        let mut facts = not_activated();
        let problem = "version 3.12.9 (set by x) has no flask; versions that have flask: 3.11.7";
        facts.commands = vec![shim("python", None), shim("flask", Some(problem))];
        let found = CHECK.findings(&facts);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Info));
        facts.project.dependencies[0].name = "flask".into();
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Error);
    }

    #[test]
    fn quiet_when_the_shims_work() {
        let mut facts = not_activated();
        facts.commands = vec![shim("python", None)];
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_there_are_no_shims() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }
}
