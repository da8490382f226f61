//! The walk: several threads list directories, by names and the kinds that directories themselves keep, until every
//! environment below the starting points is found.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::facts::fleet::holds_system;
use crate::host::{FileError, FileKind, Files};
use crate::parallel::lock;
use crate::path::HostPath;

/// So many directories that could not be read are remembered by name.
const MOST_REMEMBERED: usize = 20;
/// Deeper than this no path can be opened: Linux' `PATH_MAX` in bytes.
const LONGEST_PATH: usize = 4096;

/// A directory to start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    pub directory: HostPath,
    /// How many levels of directories below it are listed. None: all.
    pub levels: Option<usize>,
}

/// What is not walked into.
pub struct Rules {
    /// Walk also into environments, caches and what version control keeps.
    pub all: bool,
    pub border: Border,
}

/// Where a walk ends.
pub enum Border {
    /// Nowhere.
    None,
    /// At these mount points.
    Mounts(HashSet<HostPath>),
    /// At directories on another device than the starting point above them.
    Devices,
}

/// What was seen so far. Told to a person while the walk is under way.
#[derive(Default)]
pub struct Progress {
    pub directories: AtomicUsize,
    /// Directory entries of all kinds.
    pub entries: AtomicUsize,
    pub unreadable: AtomicUsize,
    remembered: Mutex<Vec<(HostPath, FileError)>>,
    place: Mutex<Option<HostPath>>,
}

impl Progress {
    /// The directory that was looked at last.
    pub fn place(&self) -> Option<HostPath> {
        lock(&self.place).clone()
    }

    /// The first directories that could not be read.
    pub fn remembered(&self) -> Vec<(HostPath, FileError)> {
        lock(&self.remembered).clone()
    }

    fn note_failure(&self, path: &HostPath, error: FileError) {
        // gone since its parent was listed, or a link by now
        if matches!(error, FileError::Missing | FileError::NotADirectory | FileError::Loop) {
            return;
        }
        self.unreadable.fetch_add(1, Ordering::Relaxed);
        let mut remembered = lock(&self.remembered);
        if remembered.len() < MOST_REMEMBERED {
            remembered.push((path.clone(), error));
        }
    }
}

/// Directories of one parent that wait to be listed.
struct Task {
    parent: HostPath,
    /// Their names, each behind a NUL, which no name holds.
    names: Vec<u8>,
    levels: Option<usize>,
    device: Option<u64>,
}

impl Task {
    /// The last of them, and whether others are left.
    fn next(&mut self) -> (HostPath, bool) {
        let at = self.names.iter().rposition(|byte| *byte == 0).unwrap_or(0);
        let name = self.names.split_off(at);
        let name = name.strip_prefix(b"\0").unwrap_or(&name);
        let path = if name.is_empty() { self.parent.clone() } else { self.parent.join(name) };
        (path, !self.names.is_empty())
    }
}

#[derive(Default)]
struct Queue {
    tasks: Vec<Task>,
    /// Threads that are at work, and may add tasks.
    busy: usize,
    /// One of them panicked: there will be no report, and the others need not go on.
    failed: bool,
}

/// What the threads share.
#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

/// A thread at work. The others wait for it: where it panics they must be told, or they wait without end.
struct Busy<'a>(&'a Shared);

impl<'a> Busy<'a> {
    fn begin(shared: &'a Shared, mut queue: MutexGuard<'_, Queue>) -> Busy<'a> {
        queue.busy += 1;
        Busy(shared)
    }

    fn end(self) -> MutexGuard<'a, Queue> {
        let mut queue = lock(&self.0.queue);
        queue.busy -= 1;
        // nothing is leaked: it holds but a reference
        std::mem::forget(self);
        queue
    }
}

/// Reached by a panic alone.
impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut queue = lock(&self.0.queue);
        queue.busy -= 1;
        queue.failed = true;
        self.0.changed.notify_all();
    }
}

/// One walk.
pub struct Walk<'a> {
    pub files: &'a dyn Files,
    pub rules: &'a Rules,
    pub progress: &'a Progress,
    /// Whether somebody wants it to end.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Takes the root of an environment, by its real path; called by several threads.
    pub found: &'a (dyn Fn(HostPath) + Sync),
}

impl Walk<'_> {
    /// Walks from the starting points with so many threads; returns when all is seen.
    ///
    /// # Panics
    /// Where one of the threads panics, once all have ended.
    pub fn run(&self, starts: &[Start], threads: usize) {
        let starting: HashSet<&HostPath> = starts.iter().map(|start| &start.directory).collect();
        let tasks = starts.iter().rev().map(|start| Task {
            parent: start.directory.clone(),
            names: vec![0],
            levels: start.levels,
            device: self.device(&start.directory),
        });
        let queue = Queue { tasks: tasks.collect(), ..Queue::default() };
        let shared = Shared { queue: Mutex::new(queue), changed: Condvar::new() };
        std::thread::scope(|scope| {
            let others: Vec<_> =
                (1..threads.max(1)).map(|_| scope.spawn(|| self.work(&shared, &starting))).collect();
            self.work(&shared, &starting);
            for other in others {
                if let Err(panic) = other.join() {
                    // the panic itself goes on: the scope's own would say only that there was one
                    std::panic::resume_unwind(panic);
                }
            }
        });
    }

    fn work(&self, shared: &Shared, starting: &HashSet<&HostPath>) {
        let Shared { queue, changed } = shared;
        let mut waiting = lock(queue);
        loop {
            if waiting.failed || (self.stop)() {
                waiting.tasks.clear();
            }
            let Some(mut task) = waiting.tasks.pop() else {
                if waiting.busy == 0 {
                    changed.notify_all();
                    return;
                }
                waiting = changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let (directory, others) = task.next();
            let (levels, device) = (task.levels, task.device);
            if others {
                waiting.tasks.push(task);
            }
            let busy = Busy::begin(shared, waiting);
            let below = self.look(directory, levels, device, starting);
            waiting = busy.end();
            if let Some(task) = below.found {
                waiting.tasks.push(task);
                changed.notify_all();
            }
            if let Some(root) = below.environment {
                // it takes longer than a listing: the others go on meanwhile
                let busy = Busy::begin(shared, waiting);
                (self.found)(root);
                waiting = busy.end();
            }
            if waiting.busy == 0 && waiting.tasks.is_empty() {
                changed.notify_all();
            }
        }
    }

    fn device(&self, directory: &HostPath) -> Option<u64> {
        match self.rules.border {
            Border::Devices => Some(self.files.link_metadata(directory).ok()?.identity?.0),
            Border::None | Border::Mounts(_) => None,
        }
    }

    /// Lists one directory.
    fn look(
        &self,
        directory: HostPath,
        levels: Option<usize>,
        device: Option<u64>,
        starting: &HashSet<&HostPath>,
    ) -> Below {
        if device.is_some() && self.device(&directory) != device {
            return Below::default();
        }
        let mut seen = Seen::default();
        let listed = self.files.each_entry(&directory, &mut |name, kind| seen.take(name, kind));
        let count = self.progress.directories.fetch_add(1, Ordering::Relaxed);
        self.progress.entries.fetch_add(seen.entries, Ordering::Relaxed);
        if count.is_multiple_of(64) {
            *lock(&self.progress.place) = Some(directory.clone());
        }
        if let Err(error) = listed {
            self.progress.note_failure(&directory, error);
        }
        for name in &seen.links {
            self.follow(&directory.join(name));
        }
        let environment = seen.environment(self.files, &directory);
        let levels = match levels {
            Some(0) => return Below { environment: environment.map(|_| directory), found: None },
            levels => levels.map(|levels| levels - 1),
        };
        let mut names = Vec::new();
        if self.rules.all || environment.is_some() || !seen.is_cache(&directory) {
            for name in seen.directories.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
                if self.enters(&directory, name, environment, starting) {
                    names.push(0);
                    names.extend_from_slice(name);
                }
            }
        }
        let found = (!names.is_empty()).then(|| Task { parent: directory.clone(), names, levels, device });
        Below { environment: environment.map(|_| directory), found }
    }

    /// A link with the name that environments have by custom leads to one that may lie elsewhere. No other link is
    /// followed: it may lead in a circle, or to a network that does not answer.
    fn follow(&self, link: &HostPath) {
        let Ok(real) = self.files.canonical(link) else { return };
        let crosses = match &self.rules.border {
            Border::Mounts(mounts) => {
                let point = |path: &HostPath| path.ancestors().find(|above| mounts.contains(above));
                point(&real) != point(link)
            }
            Border::Devices | Border::None => false,
        };
        if !crosses && self.files.exists(&real.join("pyvenv.cfg")) {
            (self.found)(real);
        }
    }

    fn enters(
        &self,
        directory: &HostPath,
        name: &[u8],
        environment: Option<Shape>,
        starting: &HashSet<&HostPath>,
    ) -> bool {
        let part = match environment {
            None => false,
            Some(Shape::Prefix) if !holds_system(directory) => name != b"envs",
            Some(Shape::Conda) => name != b"envs",
            Some(Shape::Venv | Shape::Prefix) => PARTS.contains(&name),
        };
        if !self.rules.all && (part || is_skipped(directory, name)) {
            return false;
        }
        let path = directory.join(name);
        let border = matches!(&self.rules.border, Border::Mounts(mounts) if mounts.contains(&path));
        !border && !starting.contains(&path) && path.as_bytes().len() < LONGEST_PATH
    }
}

#[derive(Default)]
struct Below {
    environment: Option<HostPath>,
    found: Option<Task>,
}

/// What a directory looks like by the names in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A venv, or what is left of one.
    Venv,
    Conda,
    /// Of an installed Python.
    Prefix,
}

/// Names of a directory that matter.
#[derive(Default)]
struct Seen {
    /// Names of directories, each behind a NUL.
    directories: Vec<u8>,
    links: Vec<Vec<u8>>,
    entries: usize,
    config: bool,
    conda: bool,
    bin: bool,
    lib: bool,
    scripts: bool,
    windows_lib: bool,
    tag: bool,
}

/// Names that environments have by custom.
const ENVIRONMENT_NAMES: [&[u8]; 4] = [b".venv", b"venv", b"env", b".env"];

impl Seen {
    fn take(&mut self, name: &[u8], kind: FileKind) {
        self.entries += 1;
        match kind {
            FileKind::Directory => {
                self.directories.push(0);
                self.directories.extend_from_slice(name);
                self.conda |= name == b"conda-meta";
            }
            FileKind::Link if ENVIRONMENT_NAMES.contains(&name) => self.links.push(name.to_vec()),
            FileKind::File | FileKind::Link | FileKind::Other => {
                self.config |= name == b"pyvenv.cfg";
                self.tag |= name == b"CACHEDIR.TAG";
            }
        }
        if kind != FileKind::File {
            self.bin |= name == b"bin";
            self.lib |= name == b"lib";
            self.scripts |= name == b"Scripts";
            self.windows_lib |= name == b"Lib";
        }
    }

    fn environment(&self, files: &dyn Files, directory: &HostPath) -> Option<Shape> {
        if self.config {
            return Some(Shape::Venv);
        }
        if self.conda {
            return Some(Shape::Conda);
        }
        if self.bin && self.lib {
            return posix_shape(files, directory);
        }
        if self.scripts && self.windows_lib {
            return windows_shape(files, directory);
        }
        None
    }

    /// A directory that says of itself that it is a cache (bford.info/cachedir). tox and nox call the
    /// directory of their environments one.
    fn is_cache(&self, directory: &HostPath) -> bool {
        self.tag && !matches!(directory.file_name(), Some(b".tox" | b".nox"))
    }
}

/// A venv without its `pyvenv.cfg` has an activate script and an interpreter, be it a dangling link; an installation
/// has the standard library. nodeenv has an activate script, too, and `~/.local` may have packages and interpreters.
fn posix_shape(files: &dyn Files, directory: &HostPath) -> Option<Shape> {
    let bin = directory.join("bin");
    let has_python = ["python", "python3"].iter().any(|name| files.link_metadata(&bin.join(name)).is_ok());
    if has_python && files.exists(&bin.join("activate")) {
        return Some(Shape::Venv);
    }
    let lib = directory.join("lib");
    let mut libraries: Vec<HostPath> = Vec::new();
    let _ = files.each_entry(&lib, &mut |name, kind| {
        if kind == FileKind::Directory && (name.starts_with(b"python") || name.starts_with(b"pypy")) {
            libraries.push(lib.join(name));
        }
    });
    let runs = |library: &HostPath| {
        files.is_file(&library.join("os.py"))
            && (has_python || files.link_metadata(&bin.join(library.name().as_ref())).is_ok())
    };
    libraries.iter().any(runs).then_some(Shape::Prefix)
}

fn windows_shape(files: &dyn Files, directory: &HostPath) -> Option<Shape> {
    if files.is_file(&directory.join("Scripts").join("activate.bat")) {
        return Some(Shape::Venv);
    }
    let prefix =
        files.is_file(&directory.join("python.exe")) && files.is_file(&directory.join("Lib").join("os.py"));
    prefix.then_some(Shape::Prefix)
}

/// What an environment is made of. Somebody made an environment of a whole project or home: the rest of it is walked.
const PARTS: [&[u8]; 14] = [
    b"bin",
    b"include",
    b"lib",
    b"lib32",
    b"lib64",
    b"share",
    b"etc",
    b"src",
    b"man",
    b"Scripts",
    b"Lib",
    b"Include",
    b"DLLs",
    b"site-packages",
];

/// Caches, and what version control and other languages' tools keep: no environment of a person lies there.
const SKIPPED: [&[u8]; 13] = [
    b".git",
    b".hg",
    b".svn",
    b"node_modules",
    b"bower_components",
    b"__pycache__",
    b".mypy_cache",
    b".pytest_cache",
    b".ruff_cache",
    b"site-packages",
    b"dist-packages",
    b".npm",
    b".rustup",
];

/// What of `~/.cache` holds environments that a tool keeps.
const KEPT_IN_CACHE: [&[u8]; 3] = [b"pre-commit", b"pypoetry", b"pipx"];

fn is_skipped(directory: &HostPath, name: &[u8]) -> bool {
    SKIPPED.contains(&name) || directory.file_name() == Some(b".cache") && !KEPT_IN_CACHE.contains(&name)
}

#[cfg(test)]
mod tests;
