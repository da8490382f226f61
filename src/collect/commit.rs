//! What is about to be committed: the files that git would take, read from the work tree, and git's index.

use std::collections::BTreeMap;

use super::project;
use crate::facts::commit::{Commit, CommittedEnvironment, CommittedInstall, Runs, Scope};
use crate::facts::project::Git;
use crate::host::{Contents, FileError, FileKind, Host};
use crate::parse::git_index;
use crate::parse::install_use::{self, CommandText};
use crate::path::{Flavour, HostPath, readable};

/// So many files are read, and no more.
const MOST_FILES: usize = 2000;

/// A larger index is left alone.
const INDEX_LIMIT: usize = 64 << 20;

/// A larger file is no script that a person wrote.
const FILE_LIMIT: u64 = install_use::READ_LIMIT as u64;

/// Enough for a `#!` line.
const HEAD: usize = 256;

/// Why there is nothing to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitError {
    NoRepository(HostPath),
    Bare(HostPath),
}

impl std::fmt::Display for CommitError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CommitError::NoRepository(from) => write!(
                formatter,
                "there is no git repository at or above {from}: run it in one, or `venv-doctor check` for the environment alone"
            ),
            CommitError::Bare(path) => write!(
                formatter,
                "{path} is git's own store without a work tree, so that nothing can be committed from there: run it in a clone or work tree"
            ),
        }
    }
}

/// The repository around `directory`, by git's rules: `GIT_DIR` and `GIT_WORK_TREE`, else the nearest `.git` upwards.
///
/// # Errors
/// When there is none, or one without a work tree.
pub fn repository(host: &dyn Host, directory: &HostPath) -> Result<Git, CommitError> {
    let variable = |name: &str| host.variable(name).filter(|value| !value.is_empty());
    if let Some(store) = variable("GIT_DIR") {
        let store = directory.join(store).normalized();
        let top = variable("GIT_WORK_TREE").map_or(directory.clone(), |top| directory.join(top).normalized());
        return match host.is_file(&store.join("HEAD")) {
            true => Ok(Git { top, directory: store }),
            false => Err(CommitError::NoRepository(store)),
        };
    }
    for level in directory.ancestors() {
        if let Some(git) = project::root::git(host, &level) {
            return Ok(git);
        }
        let is_store = host.is_file(&level.join("HEAD"))
            && host.is_directory(&level.join("objects"))
            && host.is_directory(&level.join("refs"));
        if is_store {
            return Err(CommitError::Bare(level));
        }
    }
    Err(CommitError::NoRepository(directory.clone()))
}

/// Reads the files that were named (relative to `directory`), else all that git tracks, as far as they may hold commands;
/// `id` is the name by which a comment silences a command.
pub fn commit(
    host: &dyn Host,
    git: &Git,
    directory: &HostPath,
    named: Option<&[Vec<u8>]>,
    id: &str,
) -> Commit {
    let mut notes = Vec::new();
    let index = index(host, git, &mut notes);
    let tracked = index.map(|index| tracked(&index, named.is_none())).unwrap_or_default();
    let tracked = tracked.unwrap_or_else(|| {
        notes.push(format!("the index of {} is damaged or of an unknown version", git.directory));
        Tracked::default()
    });
    let files: Vec<HostPath> = match named {
        Some(names) => names.iter().map(|name| directory.join(name).normalized()).collect(),
        None => tracked.candidates.iter().map(|path| git.top.join(path)).collect(),
    };
    let mut reader = Reader { host, git, id, read: 0, installs: Vec::new(), notes };
    for file in &files {
        reader.file(file);
    }
    Commit {
        top: git.top.clone(),
        scope: if named.is_some() { Scope::Named } else { Scope::Tracked },
        read: reader.read,
        installs: reader.installs,
        environments: tracked.environments(&git.top),
        notes: reader.notes,
    }
}

/// The index that the commit is made from: git tells its hooks, since `git commit FILE` makes one of its own.
fn index(host: &dyn Host, git: &Git, notes: &mut Vec<String>) -> Option<Vec<u8>> {
    let path = match host.variable("GIT_INDEX_FILE").filter(|value| !value.is_empty()) {
        Some(named) => git.top.join(named).normalized(),
        None => git.directory.join("index"),
    };
    match host.read(&path, INDEX_LIMIT) {
        Ok(contents) if contents.truncated() => {
            notes.push(format!("{path} is larger than {} MiB and was not read", INDEX_LIMIT >> 20));
            None
        }
        Ok(contents) => Some(contents.bytes),
        // nothing was ever added
        Err(FileError::Missing) => None,
        Err(error) => {
            notes.push(format!("{path}: {error}"));
            None
        }
    }
}

/// What the index tells.
#[derive(Debug, Default)]
struct Tracked {
    /// Paths whose names tell that they may hold commands.
    candidates: Vec<Vec<u8>>,
    /// Signs of an environment, by its root.
    signs: BTreeMap<Vec<u8>, Signs>,
}

#[derive(Debug, Default)]
struct Signs {
    config: bool,
    activate: bool,
    packages: bool,
    files: usize,
}

fn tracked(index: &[u8], with_candidates: bool) -> Option<Tracked> {
    let mut tracked: Tracked = git_index::fold(index, |tracked: &mut Tracked, path| {
        if with_candidates
            && tracked.candidates.len() < MOST_FILES
            && CommandText::from_path(&readable(path)).is_some()
        {
            tracked.candidates.push(path.to_vec());
        }
        tracked.note_sign(path);
    })?;
    tracked.signs.retain(|_, signs| signs.config || (signs.activate && signs.packages));
    if !tracked.signs.is_empty() {
        let mut signs = std::mem::take(&mut tracked.signs);
        git_index::fold(index, |(): &mut (), path| {
            for (at, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
                if let Some(signs) = signs.get_mut(&path[..at]) {
                    signs.files += 1;
                }
            }
        })?;
        tracked.candidates.retain(|path| !is_below_any(path, &signs));
        tracked.signs = signs;
    }
    Some(tracked)
}

fn is_below_any(path: &[u8], roots: &BTreeMap<Vec<u8>, Signs>) -> bool {
    path.iter().enumerate().any(|(at, byte)| *byte == b'/' && roots.contains_key(&path[..at]))
}

impl Tracked {
    fn note_sign(&mut self, path: &[u8]) {
        let root_of = |ending: &[u8]| path.strip_suffix(ending).filter(|root| !root.is_empty());
        if let Some(root) = root_of(b"/pyvenv.cfg") {
            self.signs.entry(root.to_vec()).or_default().config = true;
            return;
        }
        for ending in [&b"/bin/activate"[..], b"/Scripts/activate", b"/Scripts/activate.bat"] {
            if let Some(root) = root_of(ending) {
                self.signs.entry(root.to_vec()).or_default().activate = true;
                return;
            }
        }
        // `lib/python3.11/site-packages/...`, `Lib/site-packages/...`
        let Some(at) = crate::parse::find(path, b"/site-packages/") else { return };
        let above = &path[..at];
        let root = match above.strip_suffix(b"/Lib") {
            Some(root) => Some(root),
            None => above.iter().rposition(|byte| *byte == b'/').and_then(|slash| {
                let name = &above[slash + 1..];
                let library = above[..slash].strip_suffix(b"/lib").or(above[..slash].strip_suffix(b"/lib64"));
                library.filter(|_| name.starts_with(b"python") || name.starts_with(b"pypy"))
            }),
        };
        if let Some(root) = root.filter(|root| !root.is_empty()) {
            match self.signs.get_mut(root) {
                Some(signs) => signs.packages = true,
                None => {
                    self.signs.insert(root.to_vec(), Signs { packages: true, ..Signs::default() });
                }
            }
        }
    }

    fn environments(&self, top: &HostPath) -> Vec<CommittedEnvironment> {
        let found = self.signs.iter();
        found.map(|(root, signs)| CommittedEnvironment { root: top.join(root), files: signs.files }).collect()
    }
}

struct Reader<'a> {
    host: &'a dyn Host,
    git: &'a Git,
    id: &'a str,
    read: usize,
    installs: Vec<CommittedInstall>,
    notes: Vec<String>,
}

impl Reader<'_> {
    fn file(&mut self, file: &HostPath) {
        let relative = file.relative_to(&self.git.top).unwrap_or_else(|| file.as_bytes().to_vec());
        let path = readable(&relative).replace('\\', "/");
        let name = path.rsplit('/').next().unwrap_or(&path);
        let by_name = CommandText::from_path(&path);
        if by_name.is_none() && name.contains('.') {
            return;
        }
        let metadata = match self.host.link_metadata(file) {
            Ok(metadata) => metadata,
            // a commit may delete or rename it
            Err(FileError::Missing) => return,
            Err(error) => return self.notes.push(format!("{file} was not read: {error}")),
        };
        // a link's target is a file of its own; a directory is a submodule
        if metadata.kind != FileKind::File {
            return;
        }
        if self.read == MOST_FILES {
            return self.notes.push(format!("{file} was not read: {MOST_FILES} files were"));
        }
        if metadata.size > FILE_LIMIT {
            return self
                .notes
                .push(format!("{file} was not read: it is larger than {} KiB", FILE_LIMIT >> 10));
        }
        let head = || self.host.read(file, HEAD).map(|head| head.bytes).unwrap_or_default();
        let Some(kind) = by_name.or_else(|| CommandText::of(&path, &head())) else { return };
        match self.host.read(file, install_use::READ_LIMIT) {
            Ok(Contents { bytes, .. }) => {
                self.read += 1;
                let runs = runs(kind, &path, self.git.top.flavour());
                let found = install_use::parse(kind, &bytes, self.id);
                let uses =
                    found.into_iter().map(|found| CommittedInstall { file: file.clone(), runs, found });
                self.installs.extend(uses);
            }
            Err(error) => self.notes.push(format!("{file} was not read: {error}")),
        }
    }
}

/// On what machine a file's commands run, by its kind and by the names of its directories and itself.
fn runs(kind: CommandText, path: &str, here: Flavour) -> Runs {
    let lower = path.to_ascii_lowercase();
    let words = |wanted: &[&str]| lower.split(['/', '.', '-', '_']).any(|word| wanted.contains(&word));
    match kind {
        CommandText::Markdown | CommandText::Restructured => Runs::Reader,
        CommandText::Dockerfile | CommandText::Devcontainer => Runs::Container,
        CommandText::ContinuousIntegration | CommandText::Jenkinsfile => Runs::ContinuousIntegration,
        CommandText::Tox | CommandText::Nox => Runs::TestEnvironment,
        _ if words(&[
            "docker",
            "dockerfile",
            "container",
            "containers",
            "devcontainer",
            "entrypoint",
            "podman",
        ]) =>
        {
            Runs::Container
        }
        _ if words(&[
            "ci",
            "circleci",
            "travis",
            "gitlab",
            "github",
            "jenkins",
            "buildkite",
            "azure",
            "appveyor",
        ]) =>
        {
            Runs::ContinuousIntegration
        }
        _ if kind.is_for_windows() && here == Flavour::Posix => Runs::OtherSystem,
        _ => Runs::Developer,
    }
}
