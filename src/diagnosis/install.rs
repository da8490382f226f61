//! The command that puts a distribution into an environment: by the tool that manages the project, else by what the
//! environment has.

use super::manager::{Managed, managed};
use super::reinstall::{Installer, installer};
use super::requirement::missing;
use super::{Action, Remedy, Word};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::project::ManagerKind;
use crate::path::HostPath;

/// Has the manager that keeps the environment bring in what the project declares.
pub fn synchronize(facts: &Facts, environment: &Environment) -> Option<Remedy> {
    let managed = managed(facts, environment)?;
    let summary = format!("Have {} install what the project declares", managed.kind.label());
    Some(Remedy::safe(summary, vec![Action::Run(managed.synchronize()?)]))
}

/// Installs `requirement`; `declared` says whether the project already names it, so that its tool only has to bring
/// the environment up to date.
pub fn install(facts: &Facts, environment: &Environment, requirement: &str, declared: bool) -> Remedy {
    let by_manager = match declared {
        true => synchronize(facts, environment),
        false => added(facts, environment, requirement),
    };
    if let Some(remedy) = by_manager {
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

fn added(facts: &Facts, environment: &Environment, requirement: &str) -> Option<Remedy> {
    let managed = managed(facts, environment)?;
    let summary = format!("Have {} add {requirement} to the project and install it", managed.kind.label());
    Some(Remedy::safe(summary, vec![Action::Run(managed.add_requirement(requirement)?)]))
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
    let mut actions = Installer::of_new(&root, &python).actions([requirement.into()]);
    actions.push(Action::activate_new(&root));
    Remedy::safe(format!("Make an environment for this project and install {requirement} there"), actions)
}

/// Removes the link that stands at `root` and leads nowhere: `python -m venv`, `uv venv` and `uv sync` make no directory in its
/// place, but fail with "File exists".
fn without_link(facts: &Facts, root: &HostPath) -> Option<Action> {
    facts.environment(root)?.lost_target.as_ref()?;
    Some(Action::run(["rm".into(), root.into()]))
}

/// Makes the project's environment where a link leads nowhere.
pub fn in_place_of_link(facts: &Facts, environment: &Environment) -> Option<Remedy> {
    let by_uv = managed(facts, environment).filter(|managed| managed.kind == ManagerKind::Uv);
    let Some(words) = by_uv.and_then(Managed::synchronize) else { return create(facts, &environment.root) };
    let mut actions: Vec<Action> = without_link(facts, &environment.root).into_iter().collect();
    actions.extend([Action::Run(words), Action::activate_new(&environment.root)]);
    Some(Remedy::review("Have uv make an environment in the place of the link", actions))
}

/// Makes a venv at `root`, activates it, and installs what the project's requirement files list. None when one is
/// there, and without an installed Python that can make one. A project without such files is installed itself.
pub fn create(facts: &Facts, root: &HostPath) -> Option<Remedy> {
    if facts.environment(root).is_some_and(|environment| environment.exists()) {
        return None;
    }
    let shell = facts.shell_python().and_then(|command| command.chosen()).map(|hit| &hit.path);
    let leads_to = |interpreter: &HostPath| {
        shell.is_some_and(|path| {
            path.same_as(interpreter)
                || facts
                    .interpreter(path)
                    .is_some_and(|known| known.links.last().is_some_and(|last| last.same_as(interpreter)))
        })
    };
    let capable = || facts.installations.iter().filter(|installation| installation.has_ensurepip);
    let base =
        capable().find(|installation| leads_to(&installation.interpreter)).or_else(|| capable().next())?;
    let link = without_link(facts, root);
    let replaces = link.is_some();
    let mut actions: Vec<Action> = link.into_iter().collect();
    actions.extend([
        Action::run([Word::from(&base.interpreter), "-m".into(), "venv".into(), root.into()]),
        Action::activate_new(root),
    ]);
    actions.extend(install_project(facts));
    Some(match replaces {
        true => Remedy::review("Make an environment in the place of the link, and activate it", actions),
        false => Remedy::safe(format!("Make an environment at {root} and activate it"), actions),
    })
}

/// The active, empty environment's `pip`, told to install what the project's requirement files list; a project without
/// such files is installed itself.
fn install_project(facts: &Facts) -> Option<Action> {
    let mut words: Vec<Word> = ["python", "-m", "pip", "install"].map(Word::from).to_vec();
    if !facts.project.requirement_files.is_empty() {
        words.extend(facts.project.requirement_files.iter().flat_map(|file| ["-r".into(), file.into()]));
    } else if let (true, Some(project)) = (facts.project.is_package, &facts.project.root) {
        words.extend(["-e".into(), project.into()]);
    } else {
        return None;
    }
    Some(Action::Run(words))
}

/// Brings what the project needs into its environment, which is active and has nothing but `pip`.
pub fn fill(facts: &Facts, environment: &Environment) -> Option<Action> {
    if !facts.project.environments.iter().any(|root| environment.is_at(root)) {
        return None;
    }
    if let Some(words) = managed(facts, environment).and_then(Managed::synchronize) {
        return Some(Action::Run(words));
    }
    install_project(facts).or_else(|| {
        let needed = missing(facts, environment, facts.packages(&environment.root)?);
        let mut words: Vec<Word> = ["python", "-m", "pip", "install"].map(Word::from).to_vec();
        words.extend(needed.iter().map(|requirement| Word::from(requirement.as_argument())));
        (!needed.is_empty()).then_some(Action::Run(words))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{command, healthy, path, venv_of};
    use crate::facts::project::{Manager, ManagerKind};
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
            (ManagerKind::Pipenv, "pipenv install rich", "pipenv install --dev"),
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
