//! The command that puts a distribution into an environment: by the tool that manages the project, else by what the
//! environment has.

use super::reinstall::installer;
use super::{Action, Remedy, Word};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::project::ManagerKind;

/// Whether the project's manager keeps this environment.
pub fn manager(facts: &Facts, environment: &Environment) -> Option<ManagerKind> {
    let of_project = facts.project.environments.iter().any(|root| environment.is_at(root));
    let managers = facts.project.managers.iter();
    let mut managers = managers.filter(|manager| manager.available && manager.kind.installs_by_itself());
    let manager = managers.next().map(|manager| manager.kind)?;
    (of_project || environment.kind == EnvironmentKind::Conda && manager == ManagerKind::Conda)
        .then_some(manager)
}

/// Installs `requirement`; `declared` says whether the project already names it, so that its tool only has to bring
/// the environment up to date.
pub fn install(facts: &Facts, environment: &Environment, requirement: &str, declared: bool) -> Remedy {
    if let Some(remedy) = by_manager(facts, environment, requirement, declared) {
        return remedy;
    }
    let summary = format!("Install {requirement} in {}", environment.root);
    if environment.kind == EnvironmentKind::Conda && !environment.has_pip() {
        let root = Word::from(&environment.root);
        let words = vec!["conda".into(), "install".into(), "--prefix".into(), root, requirement.into()];
        return Remedy::safe(summary, vec![Action::Run(words)]);
    }
    if is_shared(facts, environment) {
        return in_new_environment(facts, environment, requirement);
    }
    match installer(facts, environment, &[], &[]) {
        Some(installer) => Remedy::safe(summary, installer.actions([requirement.into()])),
        None => Remedy::manual(
            summary,
            vec![Action::Advice(format!(
                "{} has no pip and no ensurepip: install with uv, https://docs.astral.sh/uv/",
                environment.root
            ))],
        ),
    }
}

fn by_manager(facts: &Facts, environment: &Environment, requirement: &str, declared: bool) -> Option<Remedy> {
    let manager = manager(facts, environment)?;
    let (program, words): (&str, &[&str]) = match (manager, declared) {
        (ManagerKind::Uv, true) => ("uv", &["sync"]),
        (ManagerKind::Uv, false) => ("uv", &["add"]),
        (ManagerKind::Poetry, true) => ("poetry", &["install"]),
        (ManagerKind::Poetry, false) => ("poetry", &["add"]),
        (ManagerKind::Pdm, true) => ("pdm", &["install"]),
        (ManagerKind::Pdm, false) => ("pdm", &["add"]),
        (ManagerKind::Pipenv, true) => ("pipenv", &["sync"]),
        (ManagerKind::Pipenv, false) => ("pipenv", &["install"]),
        (ManagerKind::Pixi, true) => ("pixi", &["install"]),
        (ManagerKind::Pixi, false) => ("pixi", &["add", "--pypi"]),
        (ManagerKind::Conda, _) => return None,
        (ManagerKind::Hatch | ManagerKind::Tox | ManagerKind::Nox | ManagerKind::PipTools, _) => return None,
    };
    let mut command: Vec<Word> = vec![program.into()];
    command.extend(words.iter().copied().map(Word::from));
    let summary = if declared {
        format!("Have {program} install what the project declares")
    } else {
        command.push(requirement.into());
        format!("Have {program} add {requirement} to the project and install it")
    };
    Some(Remedy::safe(summary, vec![Action::Run(command)]))
}

/// Not an environment of one project: the system's Python or a version manager's.
fn is_shared(facts: &Facts, environment: &Environment) -> bool {
    let managed = facts.installations.iter().any(|installation| {
        installation.externally_managed
            && installation
                .interpreter
                .parent()
                .and_then(|bin| bin.parent())
                .is_some_and(|root| environment.is_at(&root))
    });
    environment.kind == EnvironmentKind::Installation && (managed || facts.project.root.is_some())
}

fn in_new_environment(facts: &Facts, environment: &Environment, requirement: &str) -> Remedy {
    // the project's own environment, where there is one that works
    if let Some(own) = facts.usable_project_environment().filter(|own| !own.is_at(&environment.root)) {
        let mut remedy = install(facts, own, requirement, false);
        remedy.actions.push(Action::activate(own));
        return remedy;
    }
    let root = facts.project.root.as_ref().or(facts.directory.as_ref()).map(|root| root.join(".venv"));
    let Some(root) = root else {
        let python = Word::from(environment.program("python3"));
        let words =
            vec![python, "-m".into(), "pip".into(), "install".into(), "--user".into(), requirement.into()];
        return Remedy::review(format!("Install {requirement} for this user"), vec![Action::Run(words)]);
    };
    let python = facts
        .interpreter_of(environment)
        .map_or_else(|| environment.program("python3"), |it| it.path.clone());
    let actions = vec![
        Action::run([python.into(), "-m".into(), "venv".into(), (&root).into()]),
        Action::run([
            root.join("bin/python").into(),
            "-m".into(),
            "pip".into(),
            "install".into(),
            requirement.into(),
        ]),
        Action::activate_new(&root),
    ];
    Remedy::safe(format!("Make an environment for this project and install {requirement} there"), actions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{command, healthy, path, venv_of};
    use crate::facts::project::Manager;
    use crate::parse::pyvenv_cfg::Creator;

    fn first(remedy: &Remedy) -> Vec<String> {
        let Action::Run(words) = &remedy.actions[0] else { panic!("{remedy:?}") };
        words.iter().map(|word| String::from_utf8_lossy(word.as_bytes()).into_owned()).collect()
    }

    #[test]
    fn speaks_the_language_of_the_project() {
        let mut facts = healthy();
        let pip = install(&facts, facts.patient().unwrap(), "rich", false);
        assert_eq!(first(&pip).join(" "), "/home/me/project/.venv/bin/python -m pip install rich");
        for (kind, add, sync) in [
            (ManagerKind::Uv, "uv add rich", "uv sync"),
            (ManagerKind::Poetry, "poetry add rich", "poetry install"),
            (ManagerKind::Pdm, "pdm add rich", "pdm install"),
            (ManagerKind::Pipenv, "pipenv install rich", "pipenv sync"),
        ] {
            let evidence = path("/home/me/project/lock");
            facts.project.managers = vec![Manager { kind, evidence, available: true }];
            let venv = facts.patient().unwrap();
            assert_eq!(first(&install(&facts, venv, "rich", false)).join(" "), add);
            assert_eq!(first(&install(&facts, venv, "rich", true)).join(" "), sync);
        }
    }

    #[test]
    fn uses_what_the_environment_has() {
        let mut facts = healthy();
        let venv = venv_of(&mut facts);
        venv.libraries[0].has_pip = false;
        venv.creator = Some(Creator::Uv { version: String::new() });
        let words = first(&install(&facts, facts.patient().unwrap(), "rich", false));
        assert_eq!(words.join(" "), "/home/me/project/.venv/bin/python -m ensurepip --default-pip");
        let uv = command(&facts, "uv");
        facts.commands.push(uv);
        let words = first(&install(&facts, facts.patient().unwrap(), "rich", false));
        assert_eq!(words.join(" "), "uv pip install --python /home/me/project/.venv/bin/python rich");
    }

    #[test]
    fn leaves_the_systems_python_alone() {
        let facts = healthy();
        let system = facts.environment(&path("/usr")).unwrap();
        let words = first(&install(&facts, system, "rich", false));
        assert_eq!(words.join(" "), "/home/me/project/.venv/bin/python -m pip install rich");
    }
}
