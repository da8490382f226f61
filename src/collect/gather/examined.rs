//! The named environments, looked into.

use super::ahead::{self, Ahead};
use super::named::Named;
use super::{INDEX_LIMIT, Request};
use crate::collect::environment::environment;
use crate::collect::{inventory, links, synced};
use crate::facts::Origin;
use crate::facts::environment::{BakedState, Environment, EnvironmentKind, HomeState};
use crate::facts::project::Git;
use crate::host::{Files, Host};
use crate::parse::git_index;
use crate::path::HostPath;

pub(super) fn environments(
    host: &dyn Host,
    request: &Request,
    named: &[Named],
    git: Option<&Git>,
    ahead: Option<&Ahead>,
) -> Vec<Environment> {
    let depth = ahead::depth(request);
    let mut index: Option<Option<Vec<u8>>> = None;
    let mut found = Vec::with_capacity(named.len());
    let fresh = |(root, origins): &Named| environment(host, root, origins.clone(), depth);
    let awaited = |root: &HostPath| ahead.filter(|ahead| ahead.reads(root));
    // the others first: nobody need wait meanwhile for the one that another thread reads
    let others: Vec<Option<Environment>> =
        named.iter().map(|named| awaited(&named.0).is_none().then(|| fresh(named))).collect();
    for (named, other) in named.iter().zip(others) {
        let (root, origins) = named;
        let read = || {
            let known = awaited(root)?.environment(host, root)?;
            Some(Environment { origins: origins.clone(), ..known })
        };
        let mut environment = other.or_else(read).unwrap_or_else(|| fresh(named));
        if environment.is_venv() {
            let has_debris = environment.libraries.iter().any(|library| library.has_debris);
            environment.synced = synced::synced_folder(root, host, has_debris);
            if let Some(git) = git {
                environment.tracked_files = tracked(host, git, &environment, &mut index);
            }
            if depth.installed && (troubled(&environment) || foreign_and_active(&environment)) {
                inventory::complete(host, &mut environment);
            }
        }
        found.push(environment);
    }
    found
}

/// Whether it is active and no place of the project told of it: it belongs here all the same when the project is
/// installed in it as an editable.
fn foreign_and_active(environment: &Environment) -> bool {
    let variable = |origin: &Origin| matches!(origin, Origin::Variable(_));
    let elsewhere = |origin: &Origin| matches!(origin, Origin::SearchPath(_) | Origin::Shebang { .. });
    environment.origins.iter().any(variable)
        && environment.origins.iter().all(|origin| variable(origin) || elsewhere(origin))
}

/// How many of the environment's files the git index holds; the index is read once.
fn tracked(
    files: &dyn Files,
    git: &Git,
    environment: &Environment,
    index: &mut Option<Option<Vec<u8>>>,
) -> Option<usize> {
    let below = environment.real.as_ref()?.relative_to(&links::resolved(files, &git.top))?;
    let bytes = index.get_or_insert_with(|| {
        let contents = files.read(&git.directory.join("index"), INDEX_LIMIT).ok()?;
        (!contents.truncated()).then_some(contents.bytes)
    });
    let prefix: Vec<u8> = below.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect();
    match bytes {
        Some(bytes) if !prefix.is_empty() => git_index::tracked_below(bytes, &prefix),
        _ => None,
    }
}

/// Whether something already speaks for mending or re-creating it, which needs to know where its packages came from.
fn troubled(environment: &Environment) -> bool {
    environment.kind != EnvironmentKind::Venv
        || environment.config_error.is_some()
        || !environment.config.known().is_some_and(|config| config.oddities.is_empty())
        || environment.home.as_ref().is_none_or(|home| home.state != HomeState::Good)
        || environment.libraries.len() != 1
        || environment.mount.is_some_and(|mount| mount.noexec)
        || environment.synced.is_some()
        || environment.tracked_files.is_some_and(|count| count > 0)
        || environment
            .activators
            .iter()
            .any(|activator| activator.root_state.is_some_and(|state| state != BakedState::Own))
        || environment.scripts.iter().any(|script| {
            script.launch.interpreter.is_some() && !script.launch.interpreter_exists
                || script.launch.root_state.is_some_and(|state| state != BakedState::Own)
        })
        || version_differs(environment)
}

/// Whether the library's directory and the interpreter behind `home` are of different minor versions.
fn version_differs(environment: &Environment) -> bool {
    let library = environment.libraries.first().and_then(|library| library.version);
    let home = environment.home.as_ref().and_then(|home| home.version);
    matches!((library, home), (Some(library), Some(home)) if !library.same_minor(home))
}
