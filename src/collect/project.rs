//! The project around a directory: its root, what it declares, its environments, and what runs its files.

use crate::collect::places::Places;
use crate::facts::Origin;
use crate::facts::project::Project;
use crate::host::{FileKind, Files, Listing};
use crate::path::HostPath;

mod declared;
pub mod environments;
pub mod root;
mod scripts;
mod services;
pub mod sources;
pub(super) mod tool_tables;
mod tools;

/// What a reading of the project needs to know of the shell and the user.
pub struct ProjectContext<'a> {
    pub places: Places<'a>,
    /// The user's name, for their crontab.
    pub user: Option<&'a str>,
    /// Names of the programs on the search path, as far as tools that manage environments are concerned.
    pub programs: &'a [String],
}

/// A project, and how its environments were found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    pub project: Project,
    /// The environments of the project with their origins, in the same order.
    pub environments: Vec<(HostPath, Origin)>,
    /// What could not be read, and why.
    pub notes: Vec<String>,
}

/// Everything about the project around `directory` but [`Project::activation_problems`], whose texts
/// [`activation_sites`] finds.
pub fn project(files: &dyn Files, directory: &HostPath, context: &ProjectContext) -> Reading {
    let place = root::find(files, directory, context.places.home);
    let mut reading = Reading::default();
    let Reading { project, environments, notes } = &mut reading;
    project.root = place.root.clone();
    project.markers = place.markers.clone();
    project.has_python_files = place.has_python_files;
    project.git = place.git.clone();
    project.enclosing = place.enclosing.clone();
    let Some(root) = &place.root else { return reading };

    declared::read(files, &place, context.programs, project, notes);
    project.in_root = scripts::in_root(files, root, &place.listing, &project.requirements);
    *environments = environments::project_environments(files, &place, project, &context.places);
    project.environments = environments.iter().map(|(path, _)| path.clone()).collect();
    let local = scripts::local_modules(files, root, &place.listing, project);
    project.imports = scripts::imports(files, root, &place.listing, &local);
    project.scripts = scripts::scripts(files, root, &place.listing, &local);
    project.tools = tools::tools(files, root, &place.listing, &project.requirements);
    project.container_files = container_files(root, &place.listing);
    project.service_lines =
        services::service_lines(files, root, &place.listing, &project.environments, &local, context);
    reading
}

fn container_files(root: &HostPath, listing: &Listing) -> Vec<HostPath> {
    let found = listing.entries.iter().filter(|entry| {
        let name = entry.name.as_slice();
        match entry.kind {
            FileKind::Directory => name == b".devcontainer",
            _ => is_container_file(name) || is_compose_file(name) || name == b".devcontainer.json",
        }
    });
    found.map(|entry| root.join(&entry.name)).collect()
}

/// `Dockerfile`, `Dockerfile.dev`, `web.Dockerfile`, `Containerfile`.
fn is_container_file(name: &[u8]) -> bool {
    [&b"Dockerfile"[..], b"Containerfile"].iter().any(|stem| {
        name == *stem
            || name.strip_prefix(*stem).is_some_and(|rest| rest.starts_with(b"."))
            || name.strip_suffix(*stem).is_some_and(|rest| rest.ends_with(b"."))
    })
}

/// `compose.yaml`, `docker-compose.override.yml`.
fn is_compose_file(name: &[u8]) -> bool {
    let stem = name.strip_suffix(b".yaml").or_else(|| name.strip_suffix(b".yml"));
    stem.is_some_and(|stem| {
        let stem = stem.strip_prefix(b"docker-").unwrap_or(stem);
        stem.strip_prefix(b"compose").is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
    })
}

/// Files that may activate an environment, with their texts: Makefiles, container files, CI files and shell
/// scripts of the root, `bin` and `scripts`.
pub fn activation_sites(files: &dyn Files, root: &HostPath) -> Vec<(HostPath, String)> {
    const FILES: usize = 100;
    const SIZE: usize = 256 << 10;
    let plain = |listing: &Listing, directory: &HostPath, wanted: &dyn Fn(&[u8]) -> bool| -> Vec<HostPath> {
        let entries =
            listing.entries.iter().filter(|entry| entry.kind != FileKind::Directory && wanted(&entry.name));
        entries.map(|entry| directory.join(&entry.name)).collect()
    };
    let Ok(listing) = files.list(root) else { return Vec::new() };
    let is_shell = |name: &[u8]| name.ends_with(b".sh") || name.ends_with(b".bash");
    let mut paths = plain(&listing, root, &|name| {
        matches!(name, b"Makefile" | b"makefile" | b"GNUmakefile" | b".gitlab-ci.yml")
            || name.ends_with(b".mk")
            || is_container_file(name)
            || is_shell(name)
    });
    for name in ["scripts", "bin"] {
        if listing.entries.iter().any(|entry| entry.name == name.as_bytes()) {
            let directory = root.join(name);
            paths.extend(plain(&files.list(&directory).unwrap_or_default(), &directory, &is_shell));
        }
    }
    if listing.entries.iter().any(|entry| entry.name == b".github") {
        let workflows = root.join(".github").join("workflows");
        let is_yaml = |name: &[u8]| name.ends_with(b".yml") || name.ends_with(b".yaml");
        paths.extend(plain(&files.list(&workflows).unwrap_or_default(), &workflows, &is_yaml));
    }
    let texts = paths.into_iter().take(FILES).filter_map(|path| {
        let text = files.read(&path, SIZE).ok()?.text().into_owned();
        text.contains("activate").then_some((path, text))
    });
    texts.collect()
}

#[cfg(test)]
mod tests;
