//! Does the environment fit the project.

use crate::diagnosis::install::{arguments, by_the_tool, synchronize};
use crate::diagnosis::reinstall::{Installer, installer};
use crate::diagnosis::requirement::{Applying, fits, required};
use crate::diagnosis::{Check, Remedy, Severity, Word};
use crate::facts::distribution::{Distribution, Packages};
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::project::ManagerKind;
use crate::facts::requirement::DeclaredRequirement;
use crate::facts::{Facts, Origin};
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
    if is_of_one_run(environment) || facts.project_runner().is_some() && is_anothers(facts, environment) {
        return None;
    }
    let packages = facts.packages(&environment.root)?;
    let known = !packages.sites.is_empty() && packages.sites.iter().all(|site| site.readable);
    known.then_some((environment, packages))
}

/// What uv makes in its cache for `uv run --with`, for a tool that is run once and for a script with dependencies of its own:
/// never the environment of a project.
fn is_of_one_run(environment: &Environment) -> bool {
    let buckets: [&[u8]; 2] = [b"builds-v0", b"environments-v2"];
    environment.root.components().any(|name| buckets.contains(&name))
}

/// Neither the project's own by any sign, nor chosen for it: what merely comes first on PATH, as a venv of tools does.
fn is_anothers(facts: &Facts, environment: &Environment) -> bool {
    // a container has one environment for what it runs, but for runners that make theirs for each run
    let for_all = environment.is_venv()
        && facts.surroundings.container.is_some()
        && !facts.project.managers.iter().any(|it| matches!(it.kind, ManagerKind::Tox | ManagerKind::Nox));
    let chosen = || {
        for_all
            || environment.origins.contains(&Origin::Argument)
            || facts.active().is_some_and(|active| active.is_at(&environment.root))
    };
    environment.kind == EnvironmentKind::Installation || !(facts.belongs_to_project(environment) || chosen())
}

/// Required distributions whose version is not among those that are asked for.
fn mismatched<'f>(
    facts: &'f Facts,
    environment: &Environment,
    packages: &'f Packages,
) -> Vec<(&'f DeclaredRequirement, &'f Distribution)> {
    let mut found: Vec<(&DeclaredRequirement, &Distribution)> = Vec::new();
    let unfit = |one: &Distribution, applying: &Applying| {
        one.version.as_ref().is_some_and(|version| fits(&applying.specifiers, version) == Some(false))
    };
    for (requirement, applying, installed) in required(facts, environment, packages) {
        let Some(installed) = installed else { continue };
        // duplicate-distribution speaks of a name that is there twice
        if packages.registered(&installed.normalized).all(|one| unfit(one, &applying))
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
    let change = packages.open_change()?;
    let place = match change.line {
        Some(line) => format!("line {line} of {}", change.file),
        None => change.file.to_string(),
    };
    Some(format!("; it may come from what {place} adds to the import path at every start"))
}

/// In an installation that many programs share, nothing says that the project is to run there; and what a directory of
/// the project requires for a purpose of its own (`docs/requirements.txt`) need not be in the environment of the whole.
fn severity_in(facts: &Facts, environment: &Environment, usual: Severity) -> Severity {
    let of_the_whole = facts.project.enclosing.as_ref().is_some_and(|enclosing| {
        let own = facts.project.root.as_ref().is_some_and(|root| environment.root.is_within(root));
        !own && facts.belongs_to(environment, enclosing)
    });
    match environment.kind {
        _ if of_the_whole => Severity::Info,
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
    if let Some(remedy) = synchronize(facts, environment) {
        return Some(remedy);
    }
    let installer = installing(facts, environment)?;
    let mut words: Vec<Word> = Vec::new();
    let file = wanted.first().map(|requirement| &requirement.file)?;
    let from_file = wanted.iter().all(|requirement| requirement.file == *file)
        && facts.project.requirement_files.contains(file);
    let mut left: Vec<&DeclaredRequirement> = Vec::new();
    if from_file {
        words.extend([Word::from("-r"), Word::from(file)]);
    } else {
        for requirement in wanted {
            match arguments(facts, requirement) {
                Some(arguments) => words.extend(arguments),
                None => left.push(requirement),
            }
        }
    }
    let summary = format!("Install what the project declares into {}", place(facts, environment));
    let mut actions = if words.is_empty() { Vec::new() } else { installer.actions(words) };
    if left.is_empty() {
        return Some(Remedy::safe(summary, actions));
    }
    actions.push(by_the_tool(facts, &left));
    Some(Remedy::manual(summary, actions))
}

/// What installs into the environment. An installation that many programs share gets nothing: the project gets an
/// environment of its own first.
fn installing(facts: &Facts, environment: &Environment) -> Option<Installer> {
    let elsewhere = facts.surroundings.container.is_none() && facts.surroundings.ci.is_none();
    if environment.kind == EnvironmentKind::Installation && elsewhere {
        let root = new_environment(facts)?;
        let python = facts.interpreter_of(environment)?.path.clone();
        return Some(Installer::of_new(&root, &python));
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
