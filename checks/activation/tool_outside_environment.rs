//! A tool that must import the project's packages runs in another environment than the active one.

use crate::diagnosis::reinstall::installer;
use crate::diagnosis::tool::{TOOLS, used};
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::facts::search_path::{Hit, Target};
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "tool-outside-environment",
    category: Category::Activation,
    severity: Severity::Warning,
    summary: "A tool that must import the project's packages runs in another environment",
    needs: &[Need::Project, Need::Installed],
    explains: &[],
    explanation: r#"
## What it means
`pytest`, `mypy`, `pylint`, `coverage` and their like import your code and what it imports. Each runs in the environment that
it is installed in. It is not installed in the active one, so the shell finds another copy further down `PATH`
(pipx, `~/.local/bin`, Homebrew), and that one cannot see the project's packages: `python -c 'import x'` works, `pytest`
says "No module named 'x'".

## How it happens
The tool was installed once for all projects, and the new environment does not have it; or the development
requirements were not installed.

## How to fix it
Install it into the environment: `python -m pip install pytest`, then `hash -r`, since the shell may remember the other.
`python -m pytest` never runs a stranger's: it says so when the environment lacks it.

## When it is fine
Tools that stand alone and read source text only (ruff, black, uv, Poetry, pre-commit, pipx, tox) belong outside, and are
not reported. Neither are tools that the project does not use, nor any while the environment has nothing but pip in it.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(environment) =
        facts.working_environment().filter(|environment| facts.on_search_path(environment))
    else {
        return;
    };
    // nothing is in it that another Python would miss
    if !environment.libraries.iter().any(|library| environment.installed_in(library).next().is_some()) {
        return;
    }
    for (tool, distribution) in TOOLS {
        let Some(hit) = facts.command(tool).and_then(|command| command.chosen()) else { continue };
        let Some(other) = other_environment(facts, environment, hit) else { continue };
        if environment.has_program(tool) || environment.contains(&hit.path) {
            continue;
        }
        let Some(used) = used(facts, tool, distribution) else { continue };
        let finding = Finding::new(
            &CHECK,
            Subject::Shell,
            format!(
                "{tool} is not installed in {}, and {} does not see its packages",
                environment.root, hit.path
            ),
        )
        .about(&environment.root)
        .evidence(format!("{tool} on PATH"), hit.path.to_text())
        .evidence("runs in", other)
        .evidence("used by the project", used);
        findings.push(match install(facts, environment, distribution) {
            Some(remedy) => finding.remedy(remedy),
            None => finding,
        });
    }
}

/// Where the tool runs, when that is neither this environment nor one that sees its packages.
fn other_environment(facts: &Facts, environment: &Environment, hit: &Hit) -> Option<String> {
    let Target::Script { interpreter, runnable: true, environment: other } = &hit.leads_to else {
        return None;
    };
    if environment.contains(interpreter) {
        return None;
    }
    let root = other.as_ref()?;
    if environment.is_at(root) {
        return None;
    }
    if sees_through_pythonpath(facts, environment) {
        return None;
    }
    let known = facts.environment(root);
    let same = known.is_some_and(|other| other.real.is_some() && other.real == environment.real);
    (!same).then(|| format!("{root} ({interpreter})"))
}

/// `PYTHONPATH` gives the environment's packages to every Python.
fn sees_through_pythonpath(facts: &Facts, environment: &Environment) -> bool {
    let separator = char::from(facts.platform.flavour().list_separator());
    let entries = facts.shell.set("PYTHONPATH").unwrap_or_default().split(separator);
    entries
        .filter_map(|entry| HostPath::new(facts.platform.flavour(), entry))
        .any(|entry| environment.libraries.iter().any(|library| library.site_packages.same_as(&entry)))
}

fn install(facts: &Facts, environment: &Environment, distribution: &str) -> Option<Remedy> {
    let mut actions = installer(facts, environment, &[], &[])?.actions([distribution.into()]);
    actions.push(Action::Rehash);
    Some(Remedy::safe(format!("Install {distribution} into the environment"), actions))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::*;
    use crate::facts::project::{Declared, Dependency};
    use crate::facts::search_path::{Command, HitState};

    fn with_tool(name: &str, interpreter: &str, root: &str) -> Facts {
        let mut facts = healthy();
        facts.commands.push(Command {
            name: name.into(),
            hits: vec![Hit {
                entry: 1,
                path: path("/home/me/.local/bin").join(name),
                state: HitState::Runnable,
                leads_to: Target::Script {
                    interpreter: path(interpreter),
                    runnable: true,
                    environment: Some(path(root)),
                },
            }],
            which_disagrees: None,
        });
        facts
    }

    fn with_pytest() -> Facts {
        let mut facts = with_tool(
            "pytest",
            "/home/me/.local/pipx/venvs/pytest/bin/python",
            "/home/me/.local/pipx/venvs/pytest",
        );
        facts.project.tools.push(Declared {
            text: "pytest".into(),
            file: path("/home/me/project/test_it.py"),
            line: None,
        });
        facts
    }

    #[test]
    fn fires_when_pytest_runs_elsewhere() {
        let found = CHECK.findings(&with_pytest());
        assert_eq!(
            found[0].message,
            "pytest is not installed in /home/me/project/.venv, and /home/me/.local/bin/pytest does not see its packages"
        );
        assert_eq!(found[0].evidence[2].value, "/home/me/project/test_it.py");
    }

    #[test]
    fn fires_when_the_project_declares_the_tool() {
        let mut facts = with_tool("mypy", "/usr/bin/python3", "/usr");
        facts.project.dependencies.push(Dependency {
            name: "mypy".into(),
            file: path("/home/me/project/requirements.txt"),
            line: Some(2),
        });
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].evidence[2].value, "line 2 of /home/me/project/requirements.txt");
    }

    #[test]
    fn quiet_when_the_project_does_not_use_the_tool() {
        let mut facts = with_pytest();
        facts.project.tools.clear();
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_environment_has_nothing_to_see() {
        let mut facts = with_pytest();
        venv_of(&mut facts).installed.retain(|installed| installed.name == "pip");
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_tool_stands_alone() {
        let mut facts = with_tool(
            "ruff",
            "/home/me/.local/pipx/venvs/ruff/bin/python",
            "/home/me/.local/pipx/venvs/ruff",
        );
        facts.project.tools.push(Declared { text: "ruff".into(), file: path(PROJECT), line: None });
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_environment_has_it() {
        let mut facts = with_pytest();
        let own = script(&path(VENV), "pytest", "pytest");
        venv_of(&mut facts).scripts.push(own);
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_nothing_is_active() {
        let mut facts = with_pytest();
        unset_variable(&mut facts, "VIRTUAL_ENV");
        facts.search_path.entries.remove(0);
        facts.commands.retain(|command| command.name == "pytest");
        assert!(CHECK.findings(&facts).is_empty());
    }
}
