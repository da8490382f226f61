//! What environments take of the disk, and when they were last used.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hasher};
use std::sync::{Mutex, PoisonError};

use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::fleet::{Cost, Space, Waste};
use crate::host::{FileKind, Files};
use crate::path::HostPath;

/// Smaller files are not compared: there are many, and a block is the least that a file takes.
const LEAST_COMPARED: u64 = 4096;
/// So many files are compared, and so many bytes of them read, and no more.
const MOST_COMPARED: usize = 500_000;
const MOST_READ: u64 = 32 << 30;
/// How much of a file tells most that differ apart, and how much is read at once.
const BEGINNING: usize = 4096;
const PIECE: usize = 1 << 20;

/// A file by device and inode.
type Identity = (u64, u64);

/// When it was made and last used. To be asked before anything of the environment is read.
///
/// Python reads `pyvenv.cfg` at each start, and an installer changes `site-packages`. On most file systems (mounted
/// with `relatime`) a time of reading is exact to a day; with `noatime` there is none, and the last installation counts.
pub fn times(files: &dyn Files, root: &HostPath) -> Cost {
    match files.usage(&root.join("pyvenv.cfg")) {
        Ok(usage) => Cost {
            made: usage.created.or(Some(usage.modified)),
            used: Some(usage.accessed.max(usage.modified)),
            space: None,
        },
        Err(_) => Cost::default(),
    }
}

/// The same, with what only the environment's parts tell.
pub fn complete(files: &dyn Files, environment: &Environment, mut cost: Cost) -> Cost {
    let mut later = |used: Option<u64>| cost.used = cost.used.max(used);
    for library in &environment.libraries {
        later(files.usage(&library.site_packages).ok().map(|usage| usage.modified));
    }
    if environment.config_path.is_none() {
        // no `pyvenv.cfg` is read here, but its own interpreter is
        let interpreter = environment.interpreters.first().and_then(|path| files.canonical(path).ok());
        let usage = interpreter.and_then(|path| files.usage(&path).ok());
        later(usage.map(|usage| usage.accessed));
        cost.made = usage.and_then(|usage| usage.created.or(Some(usage.modified)));
    }
    if environment.kind == EnvironmentKind::Conda {
        let history = files.usage(&environment.root.join("conda-meta").join("history"));
        cost.used = cost.used.max(history.ok().map(|usage| usage.modified));
    }
    cost
}

/// Adds up environments; every file counts once, however many names it has in however many of them.
#[derive(Default)]
pub struct Ledger {
    sum: Mutex<Sum>,
    /// Whether the files are to be compared later.
    pub compare: bool,
}

#[derive(Default)]
struct Sum {
    bytes: u64,
    /// Files with several names that were counted.
    counted: HashSet<Identity>,
    /// By size, those that may have twins.
    candidates: HashMap<u64, Vec<HostPath>>,
    candidate_count: usize,
    complete: bool,
}

impl Ledger {
    pub fn new(compare: bool) -> Ledger {
        Ledger { sum: Mutex::new(Sum { complete: true, ..Sum::default() }), compare }
    }

    /// Bytes of everything that was measured.
    pub fn total(&self) -> u64 {
        self.sum.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    /// Measures one environment; another one that lies in it is not its part. None: it was given up.
    pub fn measure(&self, files: &dyn Files, root: &HostPath, stop: &dyn Fn() -> bool) -> Option<Space> {
        let mut space = Space::default();
        let mut shared: HashMap<Identity, (u64, u64, u64)> = HashMap::new();
        let mut singles = 0;
        let mut candidates: Vec<(u64, HostPath, Identity)> = Vec::new();
        let mut waiting = vec![root.clone()];
        while let Some(directory) = waiting.pop() {
            if stop() {
                return None;
            }
            let Some(inside) = contents(files, &directory, directory == *root) else { continue };
            singles += files.usage(&directory).map_or(0, |usage| usage.allocated);
            for (path, kind) in inside {
                if kind == FileKind::Directory {
                    waiting.push(path);
                    continue;
                }
                let Ok(usage) = files.usage(&path) else { continue };
                space.files += 1;
                match usage.identity.filter(|_| usage.names > 1) {
                    Some(identity) => {
                        let known = shared.entry(identity).or_insert((usage.allocated, usage.names, 0));
                        known.2 += 1;
                    }
                    None => singles += usage.allocated,
                }
                if self.compare && kind == FileKind::File && usage.size >= LEAST_COMPARED {
                    candidates.extend(usage.identity.map(|identity| (usage.size, path, identity)));
                }
            }
        }
        let of_shared = |wanted: &dyn Fn(u64, u64) -> bool| -> u64 {
            shared.values().filter(|(_, names, seen)| wanted(*names, *seen)).map(|(bytes, ..)| bytes).sum()
        };
        space.total = singles + of_shared(&|_, _| true);
        space.own = singles + of_shared(&|names, seen| names == seen);
        let mut sum = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
        sum.add(singles, &shared, candidates);
        Some(space)
    }

    /// Finds what lies on the disk more than once: files of one size are compared by their beginnings, then whole.
    pub fn waste(&self, files: &dyn Files, stop: &dyn Fn() -> bool) -> Waste {
        let sum = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waste = Waste { complete: sum.complete, ..Waste::default() };
        let mut left = MOST_READ;
        for (size, paths) in sum.candidates.iter().filter(|(_, paths)| paths.len() > 1) {
            let mut alike: HashMap<u64, Vec<&HostPath>> = HashMap::new();
            for path in paths {
                if stop() {
                    return Waste { complete: false, ..waste };
                }
                let beginning = usize::try_from(*size).unwrap_or(BEGINNING).min(BEGINNING);
                if let Some(mark) = mark(files, path, beginning as u64, stop) {
                    alike.entry(mark).or_default().push(path);
                }
            }
            for paths in alike.into_values().filter(|paths| paths.len() > 1) {
                let mut whole: HashSet<u64> = HashSet::new();
                for path in paths {
                    let Some(rest) = left.checked_sub(*size) else {
                        waste.complete = false;
                        break;
                    };
                    left = rest;
                    let Some(mark) = mark(files, path, *size, stop) else { continue };
                    if !whole.insert(mark) {
                        waste.bytes += size;
                        waste.files += 1;
                    }
                }
            }
        }
        waste
    }
}

impl Sum {
    fn add(
        &mut self,
        singles: u64,
        shared: &HashMap<Identity, (u64, u64, u64)>,
        candidates: Vec<(u64, HostPath, Identity)>,
    ) {
        self.bytes += singles;
        let mut fresh: HashSet<Identity> = HashSet::new();
        for (identity, (bytes, ..)) in shared {
            if self.counted.insert(*identity) {
                self.bytes += bytes;
                fresh.insert(*identity);
            }
        }
        for (size, path, identity) in candidates {
            // of a file with several names one is enough
            if shared.contains_key(&identity) && !fresh.remove(&identity) {
                continue;
            }
            if self.candidate_count == MOST_COMPARED {
                self.complete = false;
                return;
            }
            self.candidate_count += 1;
            self.candidates.entry(size).or_default().push(path);
        }
    }
}

/// What lies in a directory. None for another environment, which is measured by itself.
fn contents(files: &dyn Files, directory: &HostPath, is_root: bool) -> Option<Vec<(HostPath, FileKind)>> {
    let mut inside = Vec::new();
    let mut another = false;
    // what cannot be read takes nothing that can be told
    let _ = files.each_entry(directory, &mut |name, kind| {
        another |= !is_root && matches!(name, b"pyvenv.cfg" | b"conda-meta");
        inside.push((directory.join(name), kind));
    });
    (!another).then_some(inside)
}

/// A number that tells the first `length` bytes of files apart.
fn mark(files: &dyn Files, path: &HostPath, length: u64, stop: &dyn Fn() -> bool) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    let mut at = 0;
    while at < length {
        if stop() {
            return None;
        }
        let piece = usize::try_from(length - at).unwrap_or(PIECE).min(PIECE);
        let contents = files.read_at(path, at, piece).ok()?;
        if contents.bytes.len() != piece {
            // it is being written
            return None;
        }
        hasher.write(&contents.bytes);
        at += piece as u64;
    }
    Some(hasher.finish())
}
