//! Where to look when no directory is named: what the tools of this machine keep, and where people work.

use super::keepers::Keepers;
use super::walk::Start;
use crate::collect::{places::Places, tools};
use crate::facts::{project::Project, search_path::SearchPath};
use crate::host::{Files, Host};
use crate::path::HostPath;

/// Where people keep their projects, below the home directory.
const PROJECTS: [&str; 24] = [
    "projects",
    "Projects",
    "project",
    "src",
    "code",
    "Code",
    "work",
    "Work",
    "workspace",
    "dev",
    "Dev",
    "Developer",
    "develop",
    "git",
    "repos",
    "github",
    "GitHub",
    "Documents",
    "Desktop",
    "notebooks",
    "venvs",
    "envs",
    ".venvs",
    ".envs",
];

/// So many lines of a list are read.
const MOST_LISTED: usize = 10_000;

/// The starting points of a scan without a directory.
pub fn starts(host: &dyn Host, places: &Places, keepers: &Keepers) -> Vec<Start> {
    let whole = |directory: HostPath| Start { directory, levels: None };
    let mut starts: Vec<Start> = host.working_directory().ok().into_iter().map(whole).collect();
    starts.extend(PROJECTS.iter().filter_map(|name| places.in_home(name)).map(whole));
    starts.extend(keepers.stores().cloned().map(whole));
    // environments and projects directly in the home directory
    starts.extend(places.home.map(|home| Start { directory: home.clone(), levels: Some(2) }));
    real(host, starts)
}

/// By their real paths, each once; what is not there is left out.
pub fn real(files: &dyn Files, starts: Vec<Start>) -> Vec<Start> {
    let mut found: Vec<Start> = Vec::new();
    for start in starts {
        let Ok(directory) = files.canonical(&start.directory) else { continue };
        match found.iter_mut().find(|known| known.directory == directory) {
            // the one that goes deeper counts
            Some(known) if start.levels.is_none() => known.levels = None,
            Some(_) => {}
            None => found.push(Start { directory, levels: start.levels }),
        }
    }
    found
}

/// Environments that lists name: conda's of all environments it ever made, and Jupyter's kernels.
pub fn listed(host: &dyn Host, places: &Places) -> Vec<HostPath> {
    let list = places.in_home(".conda/environments.txt").and_then(|file| host.text(&file));
    let flavour = places.home.map(HostPath::flavour);
    list.unwrap_or_default()
        .lines()
        .take(MOST_LISTED)
        .filter_map(|line| HostPath::new(flavour?, line.trim()))
        .filter_map(|root| host.canonical(&root).ok())
        .filter(|root| host.is_directory(&root.join("conda-meta")))
        .chain(of_kernels(host, places))
        .collect()
}

/// Those that notebooks run in.
fn of_kernels(host: &dyn Host, places: &Places) -> Vec<HostPath> {
    let reader = tools::Reader {
        files: host,
        places: *places,
        search_path: &SearchPath::default(),
        project: &Project::default(),
        directory: None,
        environments: Vec::new(),
    };
    let kernels = reader.kernels().into_iter();
    kernels.filter_map(|kernel| host.canonical(&kernel.environment?).ok()).collect()
}
