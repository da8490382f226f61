//! Where the source of an editable install is, or where a lost one may have gone.

use crate::collect::links::resolved;
use crate::facts::distribution::{Distribution, MovedSource};
use crate::host::{FileKind, Files};
use crate::parse::names::normalize_name;
use crate::parse::requirements;
use crate::path::HostPath;

/// So many neighbours of a missing directory are looked into.
const MOST_NEIGHBOURS: usize = 200;
/// So many places are named.
const MOST_FOUND: usize = 5;

pub fn find(files: &dyn Files, distribution: &mut Distribution, project: Option<&HostPath>) {
    let Some(lost) = distribution.sources.iter().find(|source| !source.exists) else {
        distribution.elsewhere = project.is_some_and(|project| is_elsewhere(files, distribution, project));
        return;
    };
    let old = match &distribution.editable {
        Some(root) if !files.exists(root) => root.clone(),
        _ => lost.path.clone(),
    };
    let mut candidates: Vec<HostPath> = project.cloned().into_iter().collect();
    candidates.extend(neighbours(files, &old));
    let mut found: Vec<MovedSource> = Vec::new();
    for candidate in candidates {
        let known = found.iter().any(|other| other.path.same_as(&candidate));
        if found.len() < MOST_FOUND && !known {
            found.extend(declared(files, candidate, &distribution.normalized));
        }
    }
    distribution.moved_to = found;
}

fn is_elsewhere(files: &dyn Files, distribution: &Distribution, project: &HostPath) -> bool {
    if distribution.sources.is_empty() {
        return false;
    }
    let project = resolved(files, project);
    let source = distribution.editable.iter().chain(distribution.sources.iter().map(|source| &source.path));
    source
        .map(|path| resolved(files, path))
        .all(|path| !path.is_within(&project) && !project.is_within(&path))
}

/// Directories beside the first name of the path that is missing: themselves, and the same place below them.
fn neighbours(files: &dyn Files, old: &HostPath) -> Vec<HostPath> {
    let Some(missing) = old.ancestors().take_while(|path| !files.exists(path)).last() else {
        // the directory is there, its modules are not
        return vec![old.clone()];
    };
    let (Some(parent), Some(rest)) = (missing.parent(), old.relative_to(&missing)) else { return Vec::new() };
    let Ok(listing) = files.list(&parent) else { return Vec::new() };
    let last = old.file_name().unwrap_or_default();
    let mut found = vec![parent.clone()];
    let directories = listing.entries.iter().filter(|entry| entry.kind == FileKind::Directory);
    for entry in directories.take(MOST_NEIGHBOURS) {
        let directory = parent.join(&entry.name);
        if !rest.is_empty() {
            found.push(directory.join(&rest));
        }
        found.push(directory.join(last));
        found.push(directory);
    }
    found
}

/// The project of this normalised name, where one lies there.
fn declared(files: &dyn Files, path: HostPath, normalized: &str) -> Option<MovedSource> {
    let pyproject = files
        .text(&path.join("pyproject.toml"))
        .and_then(|text| toml::from_str::<toml::Table>(&text).ok())
        .unwrap_or_default();
    let table = |name: &str| pyproject.get(name).and_then(toml::Value::as_table);
    let name = table("project")
        .and_then(|project| project.get("name"))
        .or_else(|| table("tool")?.get("poetry")?.get("name"))
        .and_then(toml::Value::as_str);
    let is_it = |name: &str| normalize_name(name) == normalized;
    let declared = match name {
        Some(name) => is_it(name),
        None => ["setup.cfg", "setup.py"].iter().any(|file| {
            files.text(&path.join(file)).is_some_and(|text| text.lines().filter_map(named).any(is_it))
        }),
    };
    let build_requires = table("build-system")
        .and_then(|system| system.get("requires")?.as_array())
        .map(|requires| {
            let texts = requires.iter().filter_map(toml::Value::as_str);
            texts.filter_map(requirements::requirement).map(|found| found.name).collect()
        })
        .unwrap_or_else(|| vec!["setuptools".to_owned()]);
    declared.then_some(MovedSource { path, build_requires })
}

/// `name = demo` of `setup.cfg`; `name="demo",` of `setup.py`.
fn named(line: &str) -> Option<&str> {
    let line = line.split("setup(").last()?.trim();
    let value = line.strip_prefix("name")?.trim_start().strip_prefix('=')?.trim();
    let value = value.split([',', ')']).next()?;
    Some(value.trim_matches(['\'', '"', ' ']))
}
