//! `pip` installs into another environment than `python` imports from.

use crate::diagnosis::install::create;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::search_path::{Command, Hit, Target};
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "pip-elsewhere",
    category: Category::Activation,
    severity: Severity::Error,
    summary: "`pip` installs into another environment than `python` imports from",
    needs: &[Need::Project, Need::Scripts],
    explains: &["python-names-disagree", "stacked-environments"],
    explanation: r#"
## What it means

`pip` is a small script, and its first line names one interpreter. It installs for that interpreter, and neither
looks at `VIRTUAL_ENV` nor at what `python` would run. Here the two belong to different environments, so
`pip install x` says `Successfully installed x`, and `import x` says `No module named 'x'`.

## How it happens

A directory that comes first on `PATH` has a `pip` of its own: `~/.local/bin` from an older Python, Homebrew,
conda, a version manager. Or an environment was copied: its `pip` still names the original's interpreter.

## How to fix it

Let the Python that imports do the installing; that can never go elsewhere:

    python -m pip install x

For a project, make an environment and activate it; its `python` and `pip` then both come first:

    python3 -m venv .venv
    . .venv/bin/activate

`pip --version` ends with the place and the version of the Python that it belongs to.

## When it is fine

When pip is not used at all (uv, poetry, conda alone). Where a script called `python` starts another place's Python, somebody
put it there on purpose, and this is information only. `pip3.9` and the like say in their name which Python they
are for, and are never reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(python) = facts.shell_python() else { return };
    let Some(pip) =
        ["pip", "pip3"].iter().filter_map(|name| facts.command(name)).find(|pip| pip.chosen().is_some())
    else {
        return;
    };
    let names = ["python", "python3", pip.name.as_str()];
    if facts.claims_broken_environment() || names.iter().any(|name| facts.falls_through(name)) {
        return;
    }
    let Some((python_hit, pip_hit)) = python.chosen().zip(pip.chosen()) else { return };
    let Some((home, target)) = python.leads_to().zip(pip.leads_to()) else { return };
    if facts.same_environment(home, target)
        || matches!(pip_hit.leads_to, Target::Script { runnable: false, .. })
    {
        return;
    }
    let in_environment = facts.environment(home).is_some_and(|running| facts.is_chosen(running));
    if in_environment && !facts.environment(home).is_some_and(|running| running.has_pip()) {
        return;
    }
    let leads = |name: &str, root: &HostPath| {
        facts
            .command(name)
            .and_then(Command::leads_to)
            .is_some_and(|found| facts.same_environment(found, root))
    };
    // `python` may be another one by the distribution's choice, and `python3` with `pip` the pair that people use
    if !in_environment && leads("python3", target) {
        return;
    }
    let by_itself = facts.project_runner().is_some_and(|manager| manager.kind.installs_by_itself());
    // the name is only missing beside that Python, which goes by `pip3` or is not meant to be installed into
    let only_missing = pip_hit.entry > python_hit.entry && (!in_environment || leads("pip3", home));
    // but nobody means to install into another environment
    let into_environment = facts.environment(target).is_some_and(|target| facts.is_chosen(target));
    let stands_in = python_hit.stands_in() && !into_environment;
    let harmless = only_missing || stands_in || (by_itself && !in_environment);
    let mut finding = Finding::new(
        &CHECK,
        Subject::Shell,
        format!("`{}` installs into {target}, and `{}` imports from {home}", pip.name, python.name),
    )
    .severity(if harmless { Severity::Info } else { Severity::Error })
    .about(home)
    .about(target)
    .evidence(&pip.name, pip_hit.describe())
    .evidence(&python.name, python_hit.describe());
    if let Some(remedy) = remedy(facts, python_hit, in_environment) {
        finding = finding.remedy(remedy);
    }
    findings.push(finding.remedy(Remedy::manual(
        "Install with the Python that imports",
        vec![Action::Advice(format!("{} -m pip install ...", python_hit.path))],
    )));
}

/// In an environment its own pip goes first; elsewhere the project's environment is activated or made. None: the
/// Python that imports has to be asked for pip by name.
fn remedy(facts: &Facts, python: &Hit, in_environment: bool) -> Option<Remedy> {
    let running = facts.running().filter(|_| in_environment);
    if let Some(running) = running {
        return Some(if running.has_program("pip") {
            Remedy::safe(
                "Put the environment's programs first",
                vec![Action::PutFirst(running.program("").normalized())],
            )
        } else {
            let words: [Word; 6] = [
                (&python.path).into(),
                "-m".into(),
                "pip".into(),
                "install".into(),
                "--force-reinstall".into(),
                "pip".into(),
            ];
            Remedy::safe(
                "Give the environment its own `pip` script again",
                vec![Action::run(words), Action::Rehash],
            )
        });
    }
    if let Some(own) = facts.own_environment() {
        return facts
            .can_be_activated(own)
            .then(|| Remedy::safe("Activate the project's environment", vec![Action::activate(own)]));
    }
    let root = facts.project.root.as_ref().or(facts.directory.as_ref())?;
    let at_home = facts.home.as_ref().is_some_and(|home| home.same_as(root));
    if at_home { None } else { create(facts, &root.join(".venv")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{self, path};
    use crate::facts::project::{Manager, ManagerKind};
    use crate::facts::search_path::HitState;

    /// `~/.local/bin/pip` comes first and runs `interpreter` of `environment`.
    fn user_pip(mut facts: Facts, interpreter: &str, environment: &str) -> Facts {
        for command in facts.commands.iter_mut().filter(|command| command.name == "pip") {
            command.hits.insert(
                0,
                Hit {
                    entry: 0,
                    path: path("/home/me/.local/bin/pip"),
                    state: HitState::Runnable,
                    leads_to: Target::Script {
                        interpreter: path(interpreter),
                        runnable: true,
                        environment: Some(path(environment)),
                    },
                },
            );
        }
        facts
    }

    fn elsewhere(facts: Facts) -> Facts {
        user_pip(facts, "/opt/python3.9/bin/python3.9", "/opt/python3.9")
    }

    #[test]
    fn fires_as_information_when_a_script_stands_in_for_python() {
        let mut facts = elsewhere(example::healthy());
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Error);
        let python = facts.commands.iter_mut().find(|command| command.name == "python").unwrap();
        python.hits[0].leads_to = Target::Script {
            interpreter: path(example::VENV).join("bin/python"),
            runnable: true,
            environment: Some(path(example::VENV)),
        };
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Info);
        facts.environments.push(example::venv("/opt/python3.9"));
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Error);
    }

    #[test]
    fn fires_when_pip_runs_another_python() {
        let mut facts = elsewhere(example::not_activated());
        facts.project.environments.clear();
        facts.environments.remove(0);
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(found[0].message, "`pip` installs into /opt/python3.9, and `python3` imports from /usr");
        assert!(matches!(
            found[0].remedies[0].actions[..],
            [Action::Run(_), Action::Activate { .. }, Action::Run(_)]
        ));
    }

    #[test]
    fn fires_when_the_active_environment_has_a_pip_that_is_not_reached() {
        let found = CHECK.findings(&elsewhere(example::healthy()));
        assert!(matches!(found[0].remedies[0].actions[..], [Action::PutFirst(_)]));
    }

    #[test]
    fn quiet_when_both_belong_to_one_environment() {
        assert!(CHECK.findings(&example::healthy()).is_empty());
        assert!(CHECK.findings(&example::not_activated()).is_empty());
        let facts = user_pip(example::not_activated(), "/usr/bin/python3", "/usr");
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_environment_has_no_pip() {
        let mut facts = elsewhere(example::healthy());
        example::venv_of(&mut facts).libraries[0].has_pip = false;
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_environments_interpreter_is_broken() {
        let mut facts = example::healthy();
        example::interpreters_of(&mut facts).for_each(|python| python.executable = false);
        example::set_search_path(&mut facts, "/home/me/project/.venv/bin:/usr/bin");
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn fires_as_information_when_the_name_is_only_missing_beside_a_global_python() {
        let mut facts = example::not_activated();
        facts.commands[2].hits[0].entry = 2;
        facts.commands[2].hits[0].leads_to =
            Target::Interpreter { environment: Some(path("/opt/python3.9")) };
        assert_eq!(facts.commands[2].name, "pip");
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].severity, Severity::Info);
    }

    #[test]
    fn quiet_when_pip_cannot_start() {
        let mut facts = elsewhere(example::not_activated());
        for command in &mut facts.commands {
            if let Some(Hit { leads_to: Target::Script { runnable, .. }, .. }) = command.hits.first_mut() {
                *runnable = false;
            }
        }
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn fires_as_information_when_a_tool_installs() {
        let mut facts = elsewhere(example::not_activated());
        facts.project.managers.push(Manager {
            kind: ManagerKind::Uv,
            evidence: path("/home/me/project/uv.lock"),
            available: true,
        });
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Info);
    }
}
