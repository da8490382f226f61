//! Single scripts whose interpreter is not there, in an environment that was not moved as a whole; and a
//! `pip` on `PATH` that names a Python which was removed.

use crate::diagnosis::reinstall::reinstall_scripts;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::environment::{BakedState, Environment, EnvironmentKind, LaunchKind, Script};
use crate::facts::search_path::Target;
use crate::path::Flavour;

pub static CHECK: Check = Check {
    id: "broken-shebang",
    category: Category::Relocation,
    severity: Severity::Error,
    summary: "The first line of an entry script names an interpreter that is not there",
    needs: &[Need::Scripts, Need::Installed],
    explains: &["pip-elsewhere"],
    explanation: r#"
## What it means
The first line of a script (`#!/path/to/python`) names the program that the kernel starts for it. When that program is
not there, the kernel answers "No such file or directory" although the script itself exists. bash before 5.2 and zsh say
"bad interpreter", bash 5.2 "cannot execute: required file not found", dash and others just "not found"; Python's
`subprocess` raises FileNotFoundError.

## How it happens
An installer writes the path of the Python that it runs under. That Python was removed or upgraded (`python3.10` is now
`python3.11`), the script was copied in from another environment, or packages of a moved environment were only partly
installed again.

## How to fix it
Name the right interpreter in the first line, or install the distribution that owns the script again:
`python -m pip install --force-reinstall --no-deps NAME==VERSION`. Until then `python -m NAME` does the same as the script
for most tools (`python -m pip`, `python -m pytest`).
A `pip` outside any environment whose Python is gone can be removed; `python3 -m pip` does not need it.

## When it is fine
Never for a script that you run. A leftover of a tool that nobody uses does no harm: delete it.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in facts.environments.iter().filter(|environment| environment.is_venv()) {
        let broken: Vec<&Script> =
            environment.scripts.iter().filter(|script| is_broken(facts, environment, script)).collect();
        if !broken.is_empty() {
            findings.push(in_environment(facts, environment, &broken));
        }
    }
    on_search_path(facts, findings);
}

fn in_environment(facts: &Facts, environment: &Environment, broken: &[&Script]) -> Finding {
    let whose = if broken.len() == 1 { "names an interpreter" } else { "name interpreters" };
    let verb = if broken.len() == 1 { "is" } else { "are" };
    let mut finding = Finding::new(
        &CHECK,
        Subject::Environment(environment.root.clone()),
        format!("{} in {} {whose} that {verb} not there", super::listed(broken), environment.program("")),
    );
    for script in broken.iter().take(super::SHOWN) {
        if let Some(interpreter) = &script.launch.interpreter {
            finding = finding
                .evidence("missing interpreter", format!("{interpreter} (first line of {})", script.path));
        }
    }
    if let Some(remedy) = rewritten(facts, environment, broken) {
        finding = finding.remedy(remedy);
    }
    if let Some(remedy) = reinstall_scripts(facts, environment, broken) {
        finding = finding.remedy(remedy);
    }
    finding.remedy(Remedy::manual(
        "Run the tools as modules meanwhile",
        vec![Action::Advice(format!(
            "{} -m MODULE does what the script does, for tools that can be run as a module",
            environment.program("python")
        ))],
    ))
}

/// A script that would run Python if its interpreter were there. One that names the environment's own
/// interpreter fails with that interpreter, and is no case of its own, unless only this name of it is missing.
fn is_broken(facts: &Facts, environment: &Environment, script: &Script) -> bool {
    let launch = &script.launch;
    let kinds = [LaunchKind::Shebang, LaunchKind::Trampoline];
    let Some(interpreter) = &launch.interpreter else { return false };
    if launch.interpreter_exists || !script.executable || !kinds.contains(&launch.kind) {
        return false;
    }
    if interpreter.flavour() != facts.platform.flavour() {
        return false;
    }
    if launch.root_state == Some(BakedState::Own) {
        return facts.starts(environment)
            && !environment.interpreters.iter().any(|name| name.same_as(interpreter));
    }
    let accounted = environment.made_elsewhere();
    !accounted.is_some_and(|elsewhere| launch.root.as_ref().is_some_and(|root| root.same_as(elsewhere.root)))
}

/// Puts the environment's own interpreter into each script.
fn rewritten(facts: &Facts, environment: &Environment, broken: &[&Script]) -> Option<Remedy> {
    let plain = broken.iter().any(|script| script.launch.kind == LaunchKind::Shebang);
    if !facts.starts(environment) || (plain && !super::fits_shebang(facts, environment)) {
        return None;
    }
    let mut actions: Vec<Action> = Vec::new();
    for script in broken {
        let from = Word::from(script.launch.interpreter.as_ref()?);
        let known = actions.iter_mut().find_map(|action| match action {
            Action::Rewrite { files, from: same, .. } if *same == from => Some(files),
            _ => None,
        });
        match known {
            Some(files) => files.push(script.path.clone()),
            None => actions.push(Action::Rewrite {
                files: vec![script.path.clone()],
                from,
                to: Word::from(environment.program("python")),
            }),
        }
    }
    actions.push(Action::Rehash);
    Some(Remedy::safe(format!("Name {} in the scripts", environment.program("python")), actions))
}

/// `pip` or a tool that the shell would run, outside the environments above.
fn on_search_path(facts: &Facts, findings: &mut Findings) {
    if facts.platform.flavour() == Flavour::Windows {
        return;
    }
    for command in &facts.commands {
        // nobody types the versioned names without need
        if command.name.contains('.') {
            continue;
        }
        let Some(hit) = command.chosen() else { continue };
        let Target::Script { interpreter, runnable: false, environment } = &hit.leads_to else { continue };
        // broken-tool-environment speaks of it, and knows the command that makes it anew
        let of_application = facts.tools.known().is_some_and(|tools| {
            tools.broken_applications.iter().any(|application| interpreter.is_within(&application.root))
        });
        if of_application {
            continue;
        }
        let examined = |root| facts.environment(root).is_some_and(|it| it.kind != EnvironmentKind::Missing);
        if environment.as_ref().is_some_and(examined)
            || facts.environments.iter().any(|known| known.is_venv() && known.contains(&hit.path))
        {
            continue;
        }
        let severity = if command.name.starts_with("pip") { Severity::Error } else { Severity::Warning };
        let mut finding = Finding::new(
            &CHECK,
            Subject::line(&hit.path, 1),
            format!(
                "{}, which the shell runs for {}, names an interpreter that is not there",
                hit.path, command.name
            ),
        )
        .severity(severity)
        .evidence("missing interpreter", format!("{interpreter} (first line of {})", hit.path));
        if let Some(python) = facts.shell_python().filter(|_| command.name.starts_with("pip")) {
            finding = finding.remedy(Remedy::manual(
                "Use pip as a module of the Python that you mean",
                vec![Action::Advice(format!("{} -m pip does not need this script", python.name))],
            ));
        }
        findings.push(finding.remedy(Remedy::manual(
            "Remove the script, or install its tool again",
            vec![Action::Advice(format!("{} is left over from a Python that was removed", hit.path))],
        )));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::*;
    use crate::facts::search_path::{Command, Hit, HitState};

    fn with_stray(root: &str, state: BakedState) -> Facts {
        let mut facts = healthy();
        let own = path(VENV);
        let mut stray = script(&own, "six", "six.cli");
        stray.launch.interpreter = Some(path(root).join("bin/python3.10"));
        stray.launch.interpreter_exists = false;
        stray.launch.root = Some(path(root));
        stray.launch.root_state = Some(state);
        venv_of(&mut facts).scripts.push(stray);
        facts
    }

    #[test]
    fn fires_when_one_script_has_no_interpreter() {
        let found = CHECK.findings(&with_stray("/opt/gone", BakedState::Missing));
        assert_eq!(
            found[0].message,
            "six in /home/me/project/.venv/bin names an interpreter that is not there"
        );
        assert!(
            matches!(&found[0].remedies[0].actions[0], Action::Rewrite { .. }),
            "{:?}",
            found[0].remedies
        );
        assert!(matches!(&found[0].remedies[1].actions[0], Action::Run(_)), "{:?}", found[0].remedies);
    }

    #[test]
    fn fires_when_only_a_versioned_name_of_its_own_interpreter_is_missing() {
        assert_eq!(CHECK.findings(&with_stray(VENV, BakedState::Own)).len(), 1);
    }

    #[test]
    fn fires_when_the_shells_pip_has_no_interpreter() {
        let mut facts = not_activated();
        facts.commands = vec![Command {
            name: "pip".into(),
            hits: vec![Hit {
                entry: 0,
                path: path("/usr/local/bin/pip"),
                state: HitState::Runnable,
                leads_to: Target::Script {
                    interpreter: path("/usr/local/opt/python/bin/python3.7"),
                    runnable: false,
                    environment: None,
                },
            }],
            which_disagrees: None,
        }];
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(found[0].subject.path(), Some(&path("/usr/local/bin/pip")));
    }

    #[test]
    fn quiet_when_the_command_is_of_an_application_whose_environment_is_broken() {
        use crate::facts::interpreter::{LinkChain, LinkEnd};
        use crate::facts::tools::{Application, ApplicationTool, Tools};
        let root = path("/home/me/.local/share/uv/tools/pytest");
        let mut facts = healthy();
        facts.commands = vec![Command {
            name: "pytest".into(),
            hits: vec![Hit {
                entry: 0,
                path: path("/home/me/.local/bin/pytest"),
                state: HitState::Runnable,
                leads_to: Target::Script {
                    interpreter: root.join("bin/python"),
                    runnable: false,
                    environment: Some(root.clone()),
                },
            }],
            which_disagrees: None,
        }];
        assert_eq!(CHECK.findings(&facts).len(), 1);
        let links = LinkChain { hops: vec![root.join("bin/python")], end: LinkEnd::Missing };
        let broken = Application { tool: ApplicationTool::Uv, name: "pytest".into(), root, links };
        let tools = Tools { broken_applications: vec![broken], ..Tools::default() };
        facts.tools = crate::facts::Gathered::Known(tools);
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_nothing_is_wrong() {
        assert!(CHECK.findings(&healthy()).is_empty());
    }

    #[test]
    fn quiet_when_the_whole_environment_was_moved() {
        let mut facts = healthy();
        for script in &mut venv_of(&mut facts).scripts {
            script.launch.root = Some(path("/gone/.venv"));
            script.launch.root_state = Some(BakedState::Missing);
            script.launch.interpreter = Some(path("/gone/.venv/bin/python"));
            script.launch.interpreter_exists = false;
        }
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_environments_own_interpreter_is_what_is_missing() {
        let mut facts = healthy();
        for script in &mut venv_of(&mut facts).scripts {
            script.launch.interpreter_exists = false;
        }
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_interpreter_is_looked_up_or_the_script_is_not_run() {
        let mut facts = with_stray("/opt/gone", BakedState::Missing);
        if let Some(stray) = venv_of(&mut facts).scripts.last_mut() {
            stray.executable = false;
        }
        assert!(CHECK.findings(&facts).is_empty());
    }
}
