//! The project has an environment, nothing is active, and the shell runs another Python: what was installed for the
//! project cannot be imported.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::activation::Needed;
use crate::facts::environment::Environment;
use crate::facts::search_path::{Hit, Target};
use crate::facts::shell::Wrapper;
use crate::facts::{Facts, Origin};
use crate::parse::shebang::is_python_name;

pub static CHECK: Check = Check {
    id: "forgotten-activation",
    category: Category::Activation,
    severity: Severity::Warning,
    summary: "The project has an environment and the shell runs another Python",
    needs: &[Need::Project, Need::Scripts, Need::Installed],
    explains: &[
        "global-install",
        "pip-elsewhere",
        "python-names-disagree",
        "python-command-missing",
        "tool-outside-environment",
    ],
    explanation: r#"
## What it means

This project has an environment of its own, and the shell does not use it: `python` or `python3` starts an
interpreter from somewhere else. That interpreter has other packages, so an import of something that was
installed for the project fails with `ModuleNotFoundError`, and `pip install` goes to the wrong place or stops
with `externally-managed-environment`.

## How it happens

Activation changes one shell: it puts the environment's `bin` (on Windows `Scripts`) at the front of `PATH` and
sets `VIRTUAL_ENV`. A new terminal, a new tab or a new tmux pane starts without it. Running `activate` as a
program instead of sourcing it changes nothing either: a program cannot change the shell that started it.

## How to fix it

    . .venv/bin/activate              # bash, zsh, sh
    source .venv/bin/activate.fish    # fish
    .venv\Scripts\Activate.ps1        # PowerShell

Activation is a convenience. The environment's own interpreter needs none: `.venv/bin/python main.py` finds the
environment's packages because `pyvenv.cfg` lies beside its `bin`. `uv run`, `poetry run`, `pdm run`,
`pipenv run` and `hatch run` start one command in the project's environment.

## When it is fine

When the project's programs are run through such a tool or through tox and nox, nobody activates anything.
In CI and in containers the global Python often holds the project's packages on purpose.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(own) = facts.own_environment() else { return };
    let claimed = facts.shell.set("VIRTUAL_ENV").is_some();
    if claimed || facts.shell.under_sudo() || facts.shell.environment_wrapper().is_some() {
        return;
    }
    if !facts.can_be_activated(own)
        || facts.project_environments().any(|own| facts.search_entry(own).is_some())
    {
        return;
    }
    let command = facts.shell_python();
    let chosen = command.and_then(|command| command.chosen());
    let running = facts.running();
    if chosen.is_some_and(|hit| own.contains(&hit.path))
        || running.is_some_and(|running| facts.belongs_to_project(running) || facts.is_chosen(running))
    {
        return;
    }
    let lacking = running.map(|running| facts.lacking(running, own)).unwrap_or_default();
    let name = command.map_or("python", |command| command.name.as_str());
    let message = match chosen {
        Some(hit) if may_use_it(hit) => {
            format!("The project's environment {} is not active, and `{name}` may not use it", own.root)
        }
        Some(hit) => {
            format!("The project's environment {} is not active: `{name}` runs {}", own.root, hit.path)
        }
        None => format!("The project's environment {} is not active, and no Python is on PATH", own.root),
    };
    let mut finding = Finding::new(&CHECK, Subject::Shell, message)
        .severity(severity(facts, own, chosen, &lacking))
        .about(&own.root)
        .evidence("project environment", own.root.to_text())
        .evidence("VIRTUAL_ENV", "not set");
    if let Some(hit) = chosen {
        finding = finding.evidence(name, hit.describe());
    }
    if let Some(running) = running {
        finding = finding.about(&running.root);
        if let Some(evidence) = told(&lacking) {
            finding = finding.evidence(format!("missing in {}", running.root), evidence);
        }
    }
    finding = finding.remedy(Remedy::safe("Activate the project's environment", vec![Action::activate(own)]));
    findings.push(finding.remedy(without_activating(facts, own)));
}

/// A file that is no interpreter, script or shim that can be followed. A script that is run by something else than
/// Python starts it in a way of its own.
fn may_use_it(hit: &Hit) -> bool {
    match &hit.leads_to {
        Target::Unknown => true,
        Target::Script { interpreter, runnable: true, environment: None } => {
            !is_python_name(interpreter.name().as_bytes())
        }
        Target::Shim { program, environment, problem, .. } => {
            program.is_none() && environment.is_none() && problem.is_none()
        }
        _ => false,
    }
}

fn severity(facts: &Facts, own: &Environment, chosen: Option<&Hit>, lacking: &[Needed<'_>]) -> Severity {
    let wrapped = |wrappers: &[Wrapper]| wrappers.iter().any(|wrapper| facts.shell.within(*wrapper));
    // whoever has commits looked at asks about the shell outside git
    let by_commit = facts.commit.known().is_some();
    let run_by_a_tool = facts.project_runner().is_some()
        || own.origins.iter().any(|origin| matches!(origin, Origin::Tool(_)))
        || wrapped(&[Wrapper::Service, Wrapper::Ci])
        || (!by_commit && wrapped(&[Wrapper::PreCommit, Wrapper::Git]));
    if run_by_a_tool || facts.surroundings.ci.is_some() || chosen.is_some_and(may_use_it) {
        Severity::Info
    } else if !lacking.is_empty() {
        Severity::Error
    } else if facts.surroundings.container.is_some() && !by_commit {
        Severity::Info
    } else {
        Severity::Warning
    }
}

/// The first few names, each with its place.
fn told(lacking: &[Needed<'_>]) -> Option<String> {
    let shown: Vec<String> = lacking
        .iter()
        .take(3)
        .map(|needed| match needed.line {
            Some(line) => format!("{} ({}, line {line})", needed.name, needed.file.name()),
            None => format!("{} ({})", needed.name, needed.file.name()),
        })
        .collect();
    match lacking.len() {
        0 => None,
        1..=3 => Some(shown.join(", ")),
        all => Some(format!("{} and {} more", shown.join(", "), all - 3)),
    }
}

fn without_activating(facts: &Facts, own: &Environment) -> Remedy {
    let advice = match facts.project_runner() {
        Some(runner) => format!("start single commands with `{} run`", runner.kind.label()),
        None => format!("start programs with {} instead of `python`", own.program("python")),
    };
    Remedy::manual("Run single programs without activating", vec![Action::Advice(advice)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{self, path};
    use crate::facts::interpreter::LinkEnd;
    use crate::facts::project::{Manager, ManagerKind};

    fn found(facts: &Facts) -> Vec<Finding> {
        CHECK.findings(facts)
    }

    #[test]
    fn fires_when_the_projects_packages_are_missing_in_the_python_that_runs() {
        let facts = example::not_activated();
        let found = found(&facts);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Error);
        assert!(matches!(found[0].remedies[0].actions[..], [Action::Activate { .. }]));
        assert!(
            found[0]
                .evidence
                .iter()
                .any(|evidence| evidence.value.contains("six (requirements.txt, line 1)"))
        );
    }

    #[test]
    fn fires_as_a_warning_when_a_commit_is_looked_at() {
        let mut facts = example::not_activated();
        facts.project.dependencies.clear();
        facts.project.imports.clear();
        facts.shell.wrappers = vec![Wrapper::Git, Wrapper::PreCommit];
        assert_eq!(found(&facts)[0].severity, Severity::Info);
        facts.commit = example::commit(&[]);
        assert_eq!(found(&facts)[0].severity, Severity::Warning);
    }

    #[test]
    fn fires_as_a_warning_when_nothing_is_known_to_be_missing() {
        let mut facts = example::not_activated();
        facts.project.dependencies.clear();
        facts.project.imports.clear();
        assert_eq!(found(&facts)[0].severity, Severity::Warning);
        let mut facts = example::not_activated();
        example::set_variable(&mut facts, "PYTHONPATH", "/home/me/packages");
        assert_eq!(found(&facts)[0].severity, Severity::Warning);
        let mut facts = example::not_activated();
        facts.environments[1].shared = crate::facts::Gathered::NotAsked;
        assert_eq!(
            found(&facts)[0].severity,
            Severity::Warning,
            "dist-packages and the user site were not read"
        );
    }

    #[test]
    fn fires_as_information_when_a_tool_runs_the_project() {
        let mut facts = example::not_activated();
        facts.project.managers.push(Manager {
            kind: ManagerKind::Uv,
            evidence: path("/home/me/project/uv.lock"),
            available: false,
        });
        assert_eq!(found(&facts)[0].severity, Severity::Info);
        let mut facts = example::not_activated();
        facts.surroundings.ci = Some("CI is set".into());
        assert_eq!(found(&facts)[0].severity, Severity::Info);
    }

    #[test]
    fn fires_as_information_when_a_shell_script_stands_in_for_python() {
        let mut facts = example::not_activated();
        let stand_in = |facts: &mut Facts, environment: Option<&str>| {
            let python = facts.commands.iter_mut().find(|command| command.chosen().is_some()).unwrap();
            python.hits.iter_mut().find(|hit| hit.is_runnable()).unwrap().leads_to = Target::Script {
                interpreter: path("/bin/bash"),
                runnable: true,
                environment: environment.map(path),
            };
        };
        stand_in(&mut facts, None);
        let told = found(&facts);
        assert_eq!(told[0].severity, Severity::Info);
        assert!(told[0].message.ends_with("`python3` may not use it"), "{}", told[0].message);
        stand_in(&mut facts, Some(example::VENV));
        assert!(found(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_environment_is_active_or_only_first_on_path() {
        let mut facts = example::healthy();
        assert!(found(&facts).is_empty());
        example::unset_variable(&mut facts, "VIRTUAL_ENV");
        assert!(found(&facts).is_empty());
    }

    #[test]
    fn quiet_when_another_environment_of_the_project_runs() {
        let mut facts = example::not_activated();
        facts.environments.push(example::venv("/home/me/project/.tox/py311"));
        example::set_search_path(&mut facts, "/home/me/project/.tox/py311/bin:/usr/bin");
        assert!(found(&facts).is_empty());
    }

    #[test]
    fn quiet_when_another_environment_was_activated() {
        let mut facts = example::not_activated();
        facts.environments.push(example::venv("/home/me/other/.venv"));
        example::set_search_path(&mut facts, "/home/me/other/.venv/bin:/usr/bin");
        example::set_variable(&mut facts, "VIRTUAL_ENV", "/home/me/other/.venv");
        assert!(found(&facts).is_empty());
    }

    #[test]
    fn quiet_when_sudo_or_a_wrapper_chose_the_environment() {
        let mut facts = example::not_activated();
        example::set_variable(&mut facts, "SUDO_USER", "me");
        assert!(found(&facts).is_empty());
        let mut facts = example::not_activated();
        facts.shell.wrappers.push(Wrapper::Tox);
        assert!(found(&facts).is_empty());
    }

    #[test]
    fn quiet_when_activating_would_not_help() {
        let mut facts = example::not_activated();
        example::interpreters_of(&mut facts).for_each(|python| python.links.end = LinkEnd::Missing);
        assert!(found(&facts).is_empty());
        let mut facts = example::not_activated();
        for script in &mut example::venv_of(&mut facts).activators {
            script.root = Some(path("/home/me/old/.venv"));
            script.root_state = Some(crate::facts::environment::BakedState::Missing);
        }
        assert!(found(&facts).is_empty());
    }

    #[test]
    fn quiet_when_there_is_no_environment() {
        let mut facts = example::not_activated();
        facts.project.environments.clear();
        assert!(found(&facts).is_empty());
    }
}
