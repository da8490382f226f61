//! Does the environment fit the project.

use crate::diagnosis::reinstall::{Installer, installer};
use crate::diagnosis::requirement::{Applying, Target, fits};
use crate::diagnosis::{Action, Check, Remedy, Severity, Word};
use crate::facts::Facts;
use crate::facts::distribution::{Distribution, Packages};
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::project::ManagerKind;
use crate::facts::requirement::{DeclaredRequirement, Purpose};
use crate::imports::known_modules;
use crate::path::HostPath;

pub mod missing_requirement;
pub mod pinned_python_missing;
pub mod project_not_installed;
pub mod python_pin_mismatch;
pub mod requirement_mismatch;
pub mod requires_python_mismatch;
pub mod several_environments;
pub mod unresolvable_import;

/// Causes before their symptoms.
pub static ALL: &[&Check] = &[
    &pinned_python_missing::CHECK,
    &requires_python_mismatch::CHECK,
    &python_pin_mismatch::CHECK,
    &several_environments::CHECK,
    &missing_requirement::CHECK,
    &requirement_mismatch::CHECK,
    &project_not_installed::CHECK,
    &unresolvable_import::CHECK,
];

/// The environment that the project is judged in, with what is installed there. None where that is not known, where
/// nothing can be imported anyway, or where a tool is about to make the project an environment of its own.
fn judged(facts: &Facts) -> Option<(&Environment, &Packages)> {
    facts.project.root.as_ref()?;
    let environment = facts.patient().filter(|environment| facts.starts(environment))?;
    if environment.kind == EnvironmentKind::Installation && facts.project_runner().is_some() {
        return None;
    }
    let packages = facts.packages(&environment.root)?;
    let known = !packages.sites.is_empty() && packages.sites.iter().all(|site| site.readable);
    known.then_some((environment, packages))
}

/// What the project needs in order to run, as far as it applies to the environment, with what is installed of it.
fn required<'f>(
    facts: &'f Facts,
    environment: &Environment,
    packages: &'f Packages,
) -> Vec<(&'f DeclaredRequirement, Applying, Option<&'f Distribution>)> {
    let Some(target) = Target::of(facts, environment) else { return Vec::new() };
    let own = facts.project.name.as_deref().map(crate::parse::names::normalize_name);
    let wanted =
        facts.project.requirements.iter().filter(|requirement| {
            requirement.purpose == Purpose::Run && own.as_ref() != Some(&requirement.name)
        });
    wanted
        .filter_map(|requirement| {
            let text = match &requirement.marker {
                Some(marker) => format!("{}{}; {marker}", requirement.name, requirement.specifier),
                None => format!("{}{}", requirement.name, requirement.specifier),
            };
            let applying = target.applying(&text)?;
            Some((requirement, applying, packages.distribution(&requirement.name)))
        })
        .collect()
}

/// Required distributions that are not there, each once. One whose modules come from elsewhere (conda's and Debian's
/// packages have names of their own, and some distributions come in variants) is not missed.
fn missing<'f>(
    facts: &'f Facts,
    environment: &Environment,
    packages: &'f Packages,
) -> Vec<&'f DeclaredRequirement> {
    let provided = |name: &str| {
        packages.provides_module(&name.replace('-', "_"))
            || known_modules::modules_of(name).any(|module| packages.provides_module(module))
    };
    let mut missing: Vec<&DeclaredRequirement> = Vec::new();
    for (requirement, _, installed) in required(facts, environment, packages) {
        let known = missing.iter().any(|known| known.name == requirement.name);
        if installed.is_none() && !known && !provided(&requirement.name) {
            missing.push(requirement);
        }
    }
    missing
}

/// Required distributions whose version is not among those that are asked for.
fn mismatched<'f>(
    facts: &'f Facts,
    environment: &Environment,
    packages: &'f Packages,
) -> Vec<(&'f DeclaredRequirement, &'f Distribution)> {
    let mut found: Vec<(&DeclaredRequirement, &Distribution)> = Vec::new();
    for (requirement, applying, installed) in required(facts, environment, packages) {
        let Some(installed) = installed else { continue };
        let Some(version) = &installed.version else { continue };
        if fits(&applying.specifiers, version) == Some(false)
            && !found.iter().any(|(known, _)| known.name == requirement.name)
        {
            found.push((requirement, installed));
        }
    }
    found
}

/// The end of a message where start-up code has an effect on the import path that is not known: what is missed may come
/// from what it adds.
fn may_be_added(packages: &Packages) -> Option<String> {
    let hook = packages.path_hooks.first()?;
    let hook = match hook.line {
        Some(line) => format!("line {line} of {}", hook.file),
        None => hook.file.to_string(),
    };
    Some(format!("; it may come from what {hook} adds to the import path at every start"))
}

/// In an installation that many programs share, nothing says that the project is to run there.
fn severity_in(environment: &Environment, usual: Severity) -> Severity {
    match environment.kind {
        EnvironmentKind::Installation => usual.min(Severity::Warning),
        _ => usual,
    }
}

/// Brings in what the project declares: with the tool that manages it, else with the environment's installer from the
/// files that declare it.
fn install_declared(
    facts: &Facts,
    environment: &Environment,
    wanted: &[&DeclaredRequirement],
) -> Option<Remedy> {
    if let Some(words) = manager_command(facts, environment) {
        let summary = format!("Install what the project declares, with {}", words.first()?);
        return Some(Remedy::safe(summary, vec![Action::Run(words.into_iter().map(Word::from).collect())]));
    }
    let installer = installing(facts, environment)?;
    let mut words: Vec<Word> = Vec::new();
    let file = wanted.first().map(|requirement| &requirement.file)?;
    let from_file = wanted.iter().all(|requirement| requirement.file == *file)
        && facts.project.requirement_files.contains(file);
    if from_file {
        words.extend([Word::from("-r"), Word::from(file)]);
    } else {
        words.extend(wanted.iter().map(|requirement| Word::from(requirement.as_argument())));
    }
    Some(Remedy::safe(
        format!("Install what the project declares into {}", place(facts, environment)),
        installer.actions(words),
    ))
}

/// The active, empty environment's `pip`, told to install what the project's requirement files list; a project without
/// such files is installed itself.
pub(in crate::checks) fn install_project(facts: &Facts) -> Option<Action> {
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
pub(in crate::checks) fn fill(facts: &Facts, environment: &Environment) -> Option<Action> {
    if !facts.project.environments.iter().any(|root| environment.is_at(root)) {
        return None;
    }
    if let Some(words) = manager_command(facts, environment) {
        return Some(Action::Run(words.into_iter().map(Word::from).collect()));
    }
    install_project(facts).or_else(|| {
        let needed = missing(facts, environment, facts.packages(&environment.root)?);
        let mut words: Vec<Word> = ["python", "-m", "pip", "install"].map(Word::from).to_vec();
        words.extend(needed.iter().map(|requirement| Word::from(requirement.as_argument())));
        (!needed.is_empty()).then_some(Action::Run(words))
    })
}

/// The tool that manages the project's environment, told to fill it.
fn manager_command(facts: &Facts, environment: &Environment) -> Option<Vec<&'static str>> {
    let manager = facts.project_runner().filter(|manager| manager.available)?;
    let own = facts.project.environments.iter().any(|root| environment.is_at(root));
    let words = match manager.kind {
        _ if !own => return None,
        ManagerKind::Uv => vec!["uv", "sync"],
        ManagerKind::Poetry => vec!["poetry", "install"],
        ManagerKind::Pdm => vec!["pdm", "install"],
        ManagerKind::Pipenv => vec!["pipenv", "install"],
        _ => return None,
    };
    Some(words)
}

/// What installs into the environment. An installation that many programs share gets nothing: the project gets an
/// environment of its own first.
fn installing(facts: &Facts, environment: &Environment) -> Option<Installer> {
    let elsewhere = facts.surroundings.container.is_none() && facts.surroundings.ci.is_none();
    if environment.kind == EnvironmentKind::Installation && elsewhere {
        let root = new_environment(facts)?;
        let python = facts.interpreter_of(environment)?.path.clone();
        let made = Action::run([Word::from(python), "-m".into(), "venv".into(), Word::from(&root)]);
        return Some(Installer::of_new(&root, made));
    }
    installer(facts, environment, &[], &[])
}

fn new_environment(facts: &Facts) -> Option<HostPath> {
    Some(facts.project.root.as_ref()?.join(".venv"))
}

fn place(facts: &Facts, environment: &Environment) -> HostPath {
    let elsewhere = facts.surroundings.container.is_none() && facts.surroundings.ci.is_none();
    match new_environment(facts) {
        Some(root) if environment.kind == EnvironmentKind::Installation && elsewhere => root,
        _ => environment.root.clone(),
    }
}

/// At most this many of a kind are listed as evidence.
const LISTED: usize = 12;

/// `a`, `a and b`, `a, b and 3 more`.
fn few(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, two, three] => format!("{one}, {two} and {three}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}
