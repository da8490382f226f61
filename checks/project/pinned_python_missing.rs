//! A version manager's shim stands for a Python, or a command, that the pinned version does not have.

use crate::diagnosis::{
    Action, Category, Check, Evidence, Finding, Findings, Need, Remedy, Severity, Subject, Word,
};
use crate::facts::Facts;
use crate::facts::project::Declared;
use crate::facts::search_path::{Absent, Command, Hit, ShimManager, Target};
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

Where the pin is the name of an environment (`myenv`), nothing can install it: choose no version by the variable
(`unset PYENV_VERSION`), or make the environment: `pyenv virtualenv 3.12.1 myenv`, with the plugin pyenv-virtualenv.

For a command, install it into the chosen version (better: into the project's environment, and activate that):

    python -m pip install flask && pyenv rehash

## When it is fine

A shim exists as soon as any version has the command. As long as you do not run it here, nothing is wrong; for commands
that the project does not ask for this is only information.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    // one report of a version that is not there stands for all its commands
    let mut found: Vec<(Result<&Absent, &str>, Finding)> = Vec::new();
    for command in &facts.commands {
        let Some(hit) = command.chosen() else { continue };
        let Target::Shim { manager, program, problem: Some(problem), absent, .. } = &hit.leads_to else {
            continue;
        };
        let key = absent.as_ref().ok_or(problem.as_str());
        let severity = severity(facts, command, absent.is_some(), program.is_some());
        if let Some((_, known)) = found.iter_mut().find(|(other, _)| *other == key) {
            known.severity = known.severity.max(severity);
            if let Some(program) = program {
                let text = format!("{program} is started instead");
                known.evidence.push(Evidence { label: command.name.clone(), value: text });
            }
            continue;
        }
        let mut finding = Finding::new(
            &CHECK,
            Subject::Project(facts.project.root.clone()),
            format!("`{}` is a shim of {}: {problem}", command.name, manager.label()),
        )
        .severity(severity)
        .evidence(&command.name, hit.describe());
        if let Some(program) = program {
            finding = finding.evidence("started instead", program.to_text());
        }
        // a variable stands above every file
        let by_variable = absent.as_ref().is_some_and(|absent| facts.shell.set(&absent.set_by).is_some());
        for pin in facts.project.pins.iter().filter(|_| !by_variable).take(3) {
            let place = pin.line.map_or_else(String::new, |line| format!(" (line {line})"));
            finding = finding.evidence("pinned", format!("{} in {}{place}", pin.text, pin.file));
        }
        let remedies = match absent {
            Some(absent) => of_missing(facts, *manager, absent),
            None => vec![of_command(facts, command, hit)],
        };
        found.push((key, remedies.into_iter().fold(finding, Finding::remedy)));
    }
    found.into_iter().for_each(|(_, finding)| findings.push(finding));
}

fn severity(facts: &Facts, command: &Command, missing: bool, falls_back: bool) -> Severity {
    let is_python = command.name.starts_with("python") || command.name == "pip" || command.name == "pip3";
    // a test file below the root does not say that pytest runs in the pinned Python
    let configured = |tool: &Declared| tool.file.parent() == facts.project.root;
    let asked_for = facts.project.tools.iter().any(|tool| tool.text == command.name && configured(tool))
        || facts.project.dependencies.iter().any(|it| it.name == normalize_name(&command.name));
    match (is_python || asked_for, missing, falls_back) {
        (_, true, true) => Severity::Warning,
        (true, _, false) | (_, true, false) => Severity::Error,
        _ => Severity::Info,
    }
}

/// Installs what is pinned; the name of an environment is none that could be installed.
fn of_missing(facts: &Facts, manager: ShimManager, absent: &Absent) -> Vec<Remedy> {
    // the first of several is the one that `python` is to be; `prefix:3.12` and `ref:main` are mise's
    let Some(version) = absent.versions.iter().find(|version| !version.contains(':')) else {
        let advice = "install the version, or pin one that is installed".to_owned();
        return vec![Remedy::manual("Install or change the pinned version", vec![Action::Advice(advice)])];
    };
    if !is_build(version) {
        return of_name(facts, manager, version, &absent.set_by);
    }
    let words: Vec<Word> = match manager {
        ShimManager::Pyenv => ["pyenv", "install", version].map(Word::from).into(),
        ShimManager::Asdf => ["asdf", "install", "python", version].map(Word::from).into(),
        ShimManager::Mise => vec!["mise".into(), "install".into(), Word::from(format!("python@{version}"))],
    };
    let install = Remedy::safe(format!("Install Python {version}"), vec![Action::Run(words)]);
    std::iter::once(install).chain(without_variable(facts, manager, version, &absent.set_by)).collect()
}

/// Where a variable of this shell asks for the version in vain, a shell without it.
fn without_variable(facts: &Facts, manager: ShimManager, name: &str, set_by: &str) -> Option<Remedy> {
    facts.shell.set(set_by)?;
    let summary =
        format!("Choose no version by {set_by} in this shell: {} has none called {name}", manager.label());
    Some(Remedy::safe(summary, vec![Action::Unset(set_by.to_owned()), Action::Rehash]))
}

/// What a version manager can install: a version, or another implementation's.
fn is_build(name: &str) -> bool {
    const OTHERS: &[&str] = &[
        "activepython",
        "anaconda",
        "cinder",
        "graalpy",
        "ironpython",
        "jython",
        "latest",
        "mambaforge",
        "micropython",
        "miniconda",
        "miniforge",
        "nogil",
        "pypy",
        "pyston",
        "stackless",
    ];
    !name.contains('/')
        && (name.starts_with(|c: char| c.is_ascii_digit())
            || OTHERS.iter().any(|other| name.starts_with(other)))
}

/// The name of an environment, which is not there.
fn of_name(facts: &Facts, manager: ShimManager, name: &str, set_by: &str) -> Vec<Remedy> {
    let mut remedies: Vec<Remedy> = without_variable(facts, manager, name, set_by).into_iter().collect();
    let advice = match manager {
        ShimManager::Pyenv => format!(
            "`pyenv virtualenv VERSION {name}` makes it, with the plugin pyenv-virtualenv and a VERSION that `pyenv versions` lists; or choose one of those"
        ),
        _ => {
            format!("{name} is no version of Python: choose one that `{} list python` shows", manager.label())
        }
    };
    let summary = format!("Make an environment {name}, or choose a version that is installed");
    remedies.push(Remedy::manual(summary, vec![Action::Advice(advice)]));
    remedies
}

fn of_command(facts: &Facts, command: &Command, hit: &Hit) -> Remedy {
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
    use crate::diagnosis::Safety;
    use crate::facts::example::{healthy, not_activated, path, set_variable};
    use crate::facts::search_path::HitState;

    fn shim(name: &str, problem: Option<&str>) -> Command {
        let leads_to = Target::Shim {
            manager: ShimManager::Pyenv,
            version: Some("3.12.9".into()),
            program: problem.is_none().then(|| path("/home/me/.pyenv/versions/3.12.9/bin/python")),
            environment: None,
            problem: problem.map(str::to_owned),
            absent: None,
        };
        let file = path("/home/me/.pyenv/shims").join(name);
        let hit = Hit { entry: 0, path: file, state: HitState::Runnable, leads_to };
        Command { name: name.into(), hits: vec![hit], which_disagrees: None }
    }

    /// A shim of versions that are not installed, and what it says after that.
    fn lost(name: &str, versions: &[&str], by: &str, rest: &str) -> Command {
        let text = format!("version {} (set by {by}) is not installed{rest}", versions.join(":"));
        let mut command = shim(name, Some(&text));
        let Target::Shim { absent, .. } = &mut command.hits[0].leads_to else { panic!() };
        let versions = versions.iter().map(|version| (*version).to_owned()).collect();
        *absent = Some(Absent { versions, set_by: by.to_owned() });
        command
    }

    #[test]
    fn fires_once_when_the_version_is_not_installed() {
        let mut facts = not_activated();
        let by = "/home/me/project/.python-version";
        facts.commands =
            ["python", "python3", "pip"].map(|name| lost(name, &["3.12.9", "web"], by, "")).into();
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(
            found[0].remedies[0].actions,
            [Action::run(["pyenv".into(), "install".into(), "3.12.9".into()])]
        );
    }

    #[test]
    fn one_finding_where_another_name_falls_back() {
        let mut facts = not_activated();
        let of = |name, rest| lost(name, &["3.12.9"], "/p (x)/.python-version", rest);
        let mut fallen_back = of("python3", ", so pyenv takes the system's python3");
        let Target::Shim { program, .. } = &mut fallen_back.hits[0].leads_to else { panic!() };
        *program = Some(path("/usr/bin/python3"));
        let refused = of("python", "; no installed version has python");
        for commands in [vec![refused.clone(), fallen_back.clone()], vec![fallen_back, refused]] {
            facts.commands = commands;
            let found = CHECK.findings(&facts);
            assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
            assert!(found[0].evidence.iter().any(|one| one.value.contains("/usr/bin/python3")), "{found:?}");
        }
    }

    #[test]
    fn a_variable_that_asks_for_it_can_be_unset() {
        let mut facts = not_activated();
        facts.commands = vec![lost("python", &["3.12.9"], "PYENV_VERSION", "")];
        set_variable(&mut facts, "PYENV_VERSION", "3.12.9");
        let found = CHECK.findings(&facts);
        let first = |index: usize| &found[0].remedies[index].actions[0];
        assert_eq!(*first(0), Action::run(["pyenv".into(), "install".into(), "3.12.9".into()]));
        assert_eq!(*first(1), Action::Unset("PYENV_VERSION".into()));
        assert!(!found[0].evidence.iter().any(|one| one.label == "pinned"), "{found:?}");
    }

    #[test]
    fn does_not_install_the_name_of_an_environment() {
        let mut facts = not_activated();
        facts.commands = vec![lost("python", &["myenv"], "PYENV_VERSION", "; x")];
        set_variable(&mut facts, "PYENV_VERSION", "myenv");
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].remedies[0].actions[0], Action::Unset("PYENV_VERSION".into()));
        assert_eq!(found[0].remedies.len(), 2);
        facts.commands = vec![lost("python", &["myenv"], "/home/me/project/.python-version", "; x")];
        let found = CHECK.findings(&facts);
        assert_eq!((found[0].remedies.len(), found[0].remedies[0].safety), (1, Safety::Manual));
        for (name, build) in
            [("3.12", true), ("pypy3.10-7.3.15", true), ("3.10.1/envs/x", false), ("web", false)]
        {
            assert_eq!(is_build(name), build, "{name}");
        }
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
