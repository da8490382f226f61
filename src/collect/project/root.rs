//! Where a project begins: its root, the git work tree around it, and how far up its environment may lie.

use super::environments::looks_like_environment;
use crate::facts::project::Git;
use crate::host::{Entry, FileKind, Files, Listing};
use crate::path::HostPath;

/// Names of directories that hold an environment by convention.
pub const ENVIRONMENT_NAMES: [&str; 4] = [".venv", "venv", "env", ".env"];

/// Files that make a directory a Python project.
const MARKERS: [&str; 17] = [
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "Pipfile",
    "Pipfile.lock",
    "poetry.lock",
    "uv.lock",
    "pdm.lock",
    ".pdm-python",
    "environment.yml",
    "environment.yaml",
    "pixi.toml",
    "hatch.toml",
    "tox.ini",
    "noxfile.py",
    "manage.py",
    "requirements.txt",
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where the search began: the directory that was asked about, or the one around the environment
    /// that it lies in.
    pub start: HostPath,
    pub root: Option<HostPath>,
    pub markers: Vec<HostPath>,
    /// The project around it in the same work tree, where files of requirements alone make the root one.
    pub enclosing: Option<HostPath>,
    /// The root's entries.
    pub listing: Listing,
    pub has_python_files: bool,
    pub git: Option<Git>,
    /// The highest directory whose environment may be meant: the git top, else the highest project above.
    pub ceiling: Option<HostPath>,
}

/// Searches upwards from `directory` to the git top, the home directory or the file system's root.
///
/// A marker in the home directory, or in a directory that everyone may write to (`/tmp`), says nothing
/// about what lies below it.
pub fn find(files: &dyn Files, directory: &HostPath, home: Option<&HostPath>) -> Place {
    let directory = directory.normalized();
    let start = directory
        .ancestors()
        .filter(|place| files.is_file(&place.join("pyvenv.cfg")))
        .last()
        .and_then(|environment| environment.parent())
        .unwrap_or(directory);
    let mut place = Place {
        start: start.clone(),
        root: None,
        markers: Vec::new(),
        enclosing: None,
        listing: Listing::default(),
        has_python_files: false,
        git: None,
        ceiling: None,
    };
    // a directory with nothing but .python-version, or with Python files and nothing else
    let mut second_choice: Option<(HostPath, Vec<HostPath>, Listing)> = None;
    for level in start.ancestors() {
        let at_start = level == start;
        let is_home = home.is_some_and(|home| home.same_as(&level));
        if level.parent().is_none() || (!at_start && (is_home || is_shared(files, &level))) {
            break;
        }
        place.git = git(files, &level);
        if place.root.is_none() {
            let listing = files.list(&level).unwrap_or_default();
            let mut markers = file_markers(files, &level, &listing);
            if !is_home {
                markers.extend(environment_markers(files, &level, &listing));
            }
            let python_files = !is_home && has_python_files(&listing);
            place.has_python_files |= at_start && python_files;
            if !markers.is_empty() {
                place.has_python_files = python_files;
                place.root = Some(level.clone());
                place.ceiling = Some(level.clone());
                place.markers = markers;
                place.listing = listing;
            } else if second_choice.is_none() && !is_home {
                let pin = level.join(".python-version");
                let pinned = listing.entries.iter().any(|entry| entry.name == b".python-version");
                if pinned {
                    second_choice = Some((level.clone(), vec![pin], listing));
                } else if python_files && (at_start || place.git.is_some()) {
                    second_choice = Some((level.clone(), Vec::new(), listing));
                }
            }
        } else if MARKERS.iter().any(|name| files.is_file(&level.join(name))) {
            place.ceiling = Some(level.clone());
            place.enclosing.get_or_insert_with(|| level.clone());
        }
        if place.git.is_some() || is_home {
            break;
        }
    }
    if place.root.is_none()
        && let Some((root, markers, listing)) = second_choice
    {
        place.has_python_files = has_python_files(&listing);
        (place.ceiling, place.root) = (Some(root.clone()), Some(root));
        (place.markers, place.listing) = (markers, listing);
    }
    let in_one_tree = place.git.is_some()
        || place.enclosing.as_ref().is_some_and(|root| files.is_file(&root.join("pyproject.toml")));
    if !in_one_tree || !is_for_a_purpose(files, &place) {
        place.enclosing = None;
    }
    if let (Some(_), Some(git)) = (&place.root, &place.git)
        && !home.is_some_and(|home| home.same_as(&git.top))
    {
        place.ceiling = Some(git.top.clone());
    }
    place
}

/// A directory that says what it needs and is no program: `docs` with its `requirements.txt` and Sphinx's `conf.py`.
fn is_for_a_purpose(files: &dyn Files, place: &Place) -> bool {
    let is_package = |name: &[u8]| {
        let root = place.root.as_ref();
        name == b"src" || root.is_some_and(|root| files.is_file(&root.join(name).join("__init__.py")))
    };
    let is_source = |entry: &Entry| match entry.kind {
        FileKind::Directory => is_package(&entry.name),
        _ => entry.name.ends_with(b".py") && entry.name != b"conf.py",
    };
    let names_requirements = |marker: &HostPath| {
        let name = marker.file_name().unwrap_or_default();
        name == b"requirements" || is_requirements_file(name)
    };
    place.markers.iter().all(names_requirements) && !place.listing.entries.iter().any(is_source)
}

/// Everyone may create files there.
fn is_shared(files: &dyn Files, directory: &HostPath) -> bool {
    const STICKY_AND_WRITABLE: u32 = 0o1002;
    files.metadata(directory).is_ok_and(|metadata| metadata.mode & STICKY_AND_WRITABLE == STICKY_AND_WRITABLE)
}

fn file_markers(files: &dyn Files, directory: &HostPath, listing: &Listing) -> Vec<HostPath> {
    let is_marker = |name: &[u8], kind: FileKind| {
        if kind == FileKind::Directory {
            return name == b"requirements" && holds_requirements(files, &directory.join(name));
        }
        MARKERS.iter().any(|marker| marker.as_bytes() == name) || is_requirements_file(name)
    };
    let found = listing.entries.iter().filter(|entry| is_marker(&entry.name, entry.kind));
    found.map(|entry| directory.join(&entry.name)).collect()
}

/// Whether somebody works in this very directory, be it an environment, too (`python -m venv .`): it has a project's
/// files, sources of Python, or what version control keeps.
pub fn is_project(files: &dyn Files, directory: &HostPath) -> bool {
    const OTHERS: [&[u8]; 3] = [b".git", b".hg", b".python-version"];
    let listing = files.list(directory).unwrap_or_default();
    listing.entries.iter().any(|entry| OTHERS.contains(&entry.name.as_slice()))
        || has_python_files(&listing)
        || !file_markers(files, directory, &listing).is_empty()
}

/// `requirements.txt`, `requirements-dev.txt`, `requirements_test.in`.
pub fn is_requirements_file(name: &[u8]) -> bool {
    name.strip_prefix(b"requirements")
        .and_then(|rest| rest.strip_suffix(b".txt").or_else(|| rest.strip_suffix(b".in")))
        .is_some_and(|middle| middle.first().is_none_or(|byte| !byte.is_ascii_alphanumeric()))
}

/// A directory named `requirements` may also hold documents.
fn holds_requirements(files: &dyn Files, directory: &HostPath) -> bool {
    files.list(directory).is_ok_and(|listing| {
        listing.entries.iter().any(|entry| entry.name.ends_with(b".txt") || entry.name.ends_with(b".in"))
    })
}

fn environment_markers(files: &dyn Files, directory: &HostPath, listing: &Listing) -> Vec<HostPath> {
    let listed = |name: &str| listing.entries.iter().any(|entry| entry.name == name.as_bytes());
    ENVIRONMENT_NAMES
        .iter()
        .filter(|name| listed(name))
        .map(|name| directory.join(name))
        .filter(|path| looks_like_environment(files, path))
        .collect()
}

fn has_python_files(listing: &Listing) -> bool {
    listing.entries.iter().any(|entry| entry.kind != FileKind::Directory && entry.name.ends_with(b".py"))
}

/// The work tree with its top at `directory`. The `.git` of a linked work tree or submodule is a file
/// that names the directory (gitrepository-layout(5)).
pub fn git(files: &dyn Files, directory: &HostPath) -> Option<Git> {
    let path = directory.join(".git");
    let metadata = files.metadata(&path).ok()?;
    let store = match metadata.kind {
        FileKind::Directory => path,
        FileKind::File => {
            let contents = files.read(&path, 4096).ok()?;
            let line = contents.bytes.split(|byte| matches!(byte, b'\n' | b'\r')).next()?;
            directory.join(line.strip_prefix(b"gitdir:")?.trim_ascii()).normalized()
        }
        _ => return None,
    };
    Some(Git { top: directory.clone(), directory: store })
}
