//! Where the lost source of an editable install may have gone.

use crate::facts::distribution::Distribution;
use crate::host::{FileKind, Files};
use crate::parse::names::normalize_name;
use crate::path::HostPath;

/// So many neighbours of a missing directory are looked into.
const MOST_NEIGHBOURS: usize = 200;
/// So many places are named.
const MOST_FOUND: usize = 5;

pub fn find(files: &dyn Files, distribution: &mut Distribution, project: Option<&HostPath>) {
    let Some(lost) = distribution.sources.iter().find(|source| !source.exists) else { return };
    let old = match &distribution.editable {
        Some(root) if !files.exists(root) => root.clone(),
        _ => lost.path.clone(),
    };
    let mut candidates: Vec<HostPath> = project.cloned().into_iter().collect();
    candidates.extend(neighbours(files, &old));
    let mut found: Vec<HostPath> = Vec::new();
    for candidate in candidates {
        let known = found.iter().any(|other| other.same_as(&candidate));
        if found.len() < MOST_FOUND && !known && declares(files, &candidate, &distribution.normalized) {
            found.push(candidate);
        }
    }
    distribution.moved_to = found;
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

/// Whether a project of this normalised name lies there.
fn declares(files: &dyn Files, directory: &HostPath, normalized: &str) -> bool {
    let is_it = |name: &str| normalize_name(name) == normalized;
    let pyproject = files
        .text(&directory.join("pyproject.toml"))
        .and_then(|text| toml::from_str::<toml::Table>(&text).ok());
    let name_in = |path: &[&str]| {
        let mut value = pyproject.as_ref()?.get(*path.first()?)?;
        for key in path.get(1..)? {
            value = value.get(key)?;
        }
        value.as_str().map(is_it)
    };
    if let Some(answer) = name_in(&["project", "name"]).or_else(|| name_in(&["tool", "poetry", "name"])) {
        return answer;
    }
    ["setup.cfg", "setup.py"].iter().any(|file| {
        files.text(&directory.join(file)).is_some_and(|text| text.lines().filter_map(named).any(is_it))
    })
}

/// `name = demo` of `setup.cfg`; `name="demo",` of `setup.py`.
fn named(line: &str) -> Option<&str> {
    let line = line.split("setup(").last()?.trim();
    let value = line.strip_prefix("name")?.trim_start().strip_prefix('=')?.trim();
    let value = value.split([',', ')']).next()?;
    Some(value.trim_matches(['\'', '"', ' ']))
}
