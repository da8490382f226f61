//! The command that puts a distribution into an environment: by the tool that manages the project, else by what the
//! environment has.

use super::manager::{Managed, managed};
use super::reinstall::{Installer, installer};
use super::requirement::missing;
use super::{Action, Remedy, Word};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::project::ManagerKind;
use crate::facts::requirement::{DeclaredRequirement, Purpose};
use crate::parse::names::normalize_name;
use crate::path::{HostPath, readable};

/// Has the manager that keeps the environment bring in what the project declares.
pub fn synchronize(facts: &Facts, environment: &Environment) -> Option<Remedy> {
    let managed = managed(facts, environment)?;
    let summary = format!("Have {} install what the project declares", managed.kind.label());
    Some(Remedy::safe(summary, vec![Action::Run(managed.synchronize()?)]))
}

/// The same with all extras and groups.
pub fn synchronize_all(facts: &Facts, environment: &Environment) -> Option<Remedy> {
    let managed = managed(facts, environment)?;
    let summary = format!(
        "Have {} install what the project declares, with its extras and groups",
        managed.kind.label()
    );
    Some(Remedy::safe(summary, vec![Action::Run(managed.synchronize_all()?)]))
}

/// The declaration that says of a distribution that it does not come from the package index.
fn from_elsewhere<'f>(facts: &'f Facts, name: &str) -> Option<&'f DeclaredRequirement> {
    let name = normalize_name(name);
    facts.project.requirements.iter().find(|it| it.name == name && it.source.is_some())
}

/// The words that have an installer install a declared requirement from where it comes. None where only the project's
/// tool can.
pub fn arguments(facts: &Facts, requirement: &DeclaredRequirement) -> Option<Vec<Word>> {
    let own = requirement.arguments().map(|words| words.into_iter().map(Word::from).collect());
    own.or_else(|| {
        let file = &requirement.file;
        facts.project.requirement_files.contains(file).then(|| vec!["-r".into(), file.into()])
    })
}

/// What to do about requirements that only the project's tool knows how to get: on the package index their names are
/// nobody's, or somebody else's.
pub fn by_the_tool(facts: &Facts, requirements: &[&DeclaredRequirement]) -> Action {
    let places: Vec<String> = requirements.iter().map(|it| format!("{} ({})", it.name, it.place())).collect();
    let places = places.join(", ");
    let synchronize = facts.project.managers.iter().find_map(|manager| {
        let words = Managed { kind: manager.kind, store: false }.synchronize()?;
        let words: Vec<_> = words.iter().map(|word| readable(word.as_bytes()).into_owned()).collect();
        Some((manager.kind.label(), words.join(" ")))
    });
    Action::Advice(match synchronize {
        Some((tool, command)) => {
            format!("install {tool}, then run `{command}`: it knows where to get {places}")
        }
        None => format!("install from where the project says, not by the name alone: {places}"),
    })
}

/// Installs `requirement`; `declared` says whether the project already names it, so that its tool only has to bring
/// the environment up to date. What the project gets from elsewhere is never asked of the package index.
pub fn install(facts: &Facts, environment: &Environment, requirement: &str, declared: bool) -> Remedy {
    let elsewhere = from_elsewhere(facts, requirement);
    let by_manager = match declared || elsewhere.is_some() {
        true => synchronize(facts, environment),
        false => added(facts, environment, requirement),
    };
    if let Some(remedy) = by_manager {
        return remedy;
    }
    let summary = format!("Install {requirement} in {}", environment.root);
    let words = match elsewhere {
        None => vec![requirement.into()],
        Some(known) => match arguments(facts, known) {
            Some(words) => words,
            None => return Remedy::manual(summary, vec![by_the_tool(facts, &[known])]),
        },
    };
    if environment.kind == EnvironmentKind::Conda && !environment.has_pip() && elsewhere.is_none() {
        let root = Word::from(&environment.root);
        let words = vec!["conda".into(), "install".into(), "--prefix".into(), root, requirement.into()];
        return Remedy::safe(summary, vec![Action::Run(words)]);
    }
    if is_shared(facts, environment) {
        return in_new_environment(facts, environment, requirement, words, declared || elsewhere.is_some());
    }
    match installer(facts, environment, &[], &[]) {
        Some(installer) => Remedy::safe(summary, installer.actions(words)),
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

fn in_new_environment(
    facts: &Facts,
    environment: &Environment,
    requirement: &str,
    arguments: Vec<Word>,
    declared: bool,
) -> Remedy {
    // the project's own environment, where there is one that works
    if let Some(own) = facts.usable_project_environment().filter(|own| !own.is_at(&environment.root)) {
        let mut remedy = install(facts, own, requirement, declared);
        remedy.actions.push(Action::activate(own));
        return remedy;
    }
    let root = facts.project.root.as_ref().or(facts.directory.as_ref()).map(|root| root.join(".venv"));
    let Some(root) = root else {
        let python = Word::from(environment.program("python3"));
        let install = ["-m", "pip", "install", "--user"].map(Word::from);
        let words = std::iter::once(python).chain(install).chain(arguments).collect();
        return Remedy::review(format!("Install {requirement} for this user"), vec![Action::Run(words)]);
    };
    if let Some(remedy) = made_by_uv(facts, &root, requirement, declared) {
        return remedy;
    }
    let python = facts
        .interpreter_of(environment)
        .map_or_else(|| environment.program("python3"), |it| it.path.clone());
    let mut actions = Installer::of_new(&root, &python).actions(arguments);
    actions.push(Action::activate_new(&root));
    Remedy::safe(format!("Make an environment for this project and install {requirement} there"), actions)
}

/// In a project of uv, which makes `.venv` beside its lock file: an environment that somebody else makes is not kept.
fn made_by_uv(facts: &Facts, root: &HostPath, requirement: &str, declared: bool) -> Option<Remedy> {
    let uv = facts.project.managers.iter().find(|it| it.kind == ManagerKind::Uv && it.available)?;
    if uv.evidence.parent() != root.parent() || facts.shell.set("UV_PROJECT_ENVIRONMENT").is_some() {
        return None;
    }
    let uv = Managed { kind: ManagerKind::Uv, store: false };
    let words = if declared { uv.synchronize() } else { uv.add_requirement(requirement) };
    let actions = vec![Action::Run(words?), Action::activate_new(root)];
    Some(Remedy::safe("Have uv make an environment for this project and install what it declares", actions))
}

/// Removes the link that stands at `root` and leads nowhere: `python -m venv`, `uv venv` and `uv sync` make no
/// directory in its place, but fail with "File exists".
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
        words.extend(sources_of_uv(facts)?);
    } else {
        return None;
    }
    Some(Action::Run(words))
}

/// pip does not read `[tool.uv.sources]`: what is named there is named to it, too, or it would ask the package index.
/// None where that cannot be done.
fn sources_of_uv(facts: &Facts) -> Option<Vec<Word>> {
    if !facts.project.managers.iter().any(|manager| manager.kind == ManagerKind::Uv) {
        return Some(Vec::new());
    }
    let needed = facts.project.requirements.iter().filter(|it| it.purpose == Purpose::Run);
    let mut elsewhere = needed.filter(|it| it.source.is_some());
    // a marker is for whoever installs by it
    let words: Option<Vec<Vec<Word>>> = elsewhere.try_fold(Vec::new(), |mut words: Vec<Vec<Word>>, it| {
        words.push(arguments(facts, it).filter(|_| it.marker.is_none())?);
        Some(words)
    });
    words.map(|words| words.concat())
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
        let arguments: Option<Vec<_>> = needed.iter().map(|it| arguments(facts, it)).collect();
        words.extend(arguments?.concat());
        (!needed.is_empty()).then_some(Action::Run(words))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{command, healthy, path, venv_of};
    use crate::facts::project::Manager;
    use crate::facts::requirement::Source;
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
    fn what_comes_from_elsewhere_is_not_asked_of_the_index() {
        let mut facts = healthy();
        facts.project.requirements[0].file = path("/home/me/project/pyproject.toml");
        let mut six = |source: Source, managers: Vec<Manager>| {
            facts.project.requirements[0].source = Some(source);
            facts.project.managers = managers;
            install(&facts, facts.patient().unwrap(), "Six", true)
        };
        let pip = "/home/me/project/.venv/bin/python -m pip install";
        let url = six(Source::Url("git+https://example.org/six".into()), Vec::new());
        assert_eq!(first(&url).join(" "), format!("{pip} six @ git+https://example.org/six"));
        assert_eq!(first(&url).last().map(String::as_str), Some("six @ git+https://example.org/six"));
        let here = six(Source::Path { path: path("/home/me/six"), editable: true }, Vec::new());
        assert_eq!(first(&here).join(" "), format!("{pip} -e /home/me/six"));
        let evidence = path("/home/me/project/uv.lock");
        let uv = Manager { kind: ManagerKind::Uv, evidence, available: false };
        let secret = Source::Url("git+https://me:secret@example.org/six".into());
        for source in [Source::Tool, secret] {
            let remedy = six(source, vec![uv.clone()]);
            let [Action::Advice(advice)] = &remedy.actions[..] else { panic!("{remedy:?}") };
            assert!(advice.contains("`uv sync`") && !advice.contains("secret"), "{advice}");
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
    fn a_project_of_uv_gets_its_environment_from_uv() {
        let mut facts = healthy();
        facts.environments.retain(|environment| !environment.is_venv());
        facts.project.environments.clear();
        let evidence = path("/home/me/project/uv.lock");
        facts.project.managers = vec![Manager { kind: ManagerKind::Uv, evidence, available: true }];
        let system = facts.environment(&path("/usr")).unwrap();
        assert_eq!(first(&install(&facts, system, "rich", true)).join(" "), "uv sync");
        let remedy = install(&facts, system, "rich", false);
        assert_eq!(first(&remedy).join(" "), "uv add rich");
        assert_eq!(remedy.actions[1], Action::activate_new(&path("/home/me/project/.venv")));
        // in a member of a workspace the environment lies elsewhere
        let mut member = facts.clone();
        member.project.managers[0].evidence = path("/home/me/uv.lock");
        assert_ne!(first(&install(&member, system, "rich", true)).join(" "), "uv sync");
    }

    #[test]
    fn leaves_the_systems_python_alone() {
        let facts = healthy();
        let system = facts.environment(&path("/usr")).unwrap();
        let words = first(&install(&facts, system, "rich", false));
        assert_eq!(words.join(" "), "/home/me/project/.venv/bin/python -m pip install rich");
    }
}
