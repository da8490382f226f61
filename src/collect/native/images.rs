//! What macOS's loader would say to an extension module: each library that it needs, and what these need in turn.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::collect::dyld::{Dyld, RunPath, Search, directories_of, run_paths};
use crate::facts::native::Sought;
use crate::host::Files;
use crate::parse::binary::{self, Binary, BinaryFormat};
use crate::path::HostPath;

/// Load commands take some kilobytes.
const COMMANDS: usize = 64 << 10;
/// So many libraries of one module are followed.
const MOST: usize = 64;

/// A library that is nowhere.
pub struct Missing {
    /// As it is asked for.
    pub library: String,
    /// The module, or a library on the way.
    pub needed_by: HostPath,
    pub tried: Vec<HostPath>,
}

/// The loader, and the images that it was asked for.
pub struct Images<'a> {
    files: &'a dyn Files,
    dyld: Dyld<'a>,
    /// Of the interpreter; where it has several, the machine's.
    architecture: String,
    /// Last names of libraries that the interpreter has loaded, or that distributions bring along.
    known: BTreeSet<String>,
    read: Mutex<BTreeMap<HostPath, Option<Binary>>>,
}

impl<'a> Images<'a> {
    pub fn new(
        files: &'a dyn Files,
        dyld: Dyld<'a>,
        architecture: String,
        known: BTreeSet<String>,
    ) -> Images<'a> {
        Images { files, dyld, architecture, known, read: Mutex::default() }
    }

    /// The first library that is missing, breadth first. None also where it cannot be told.
    pub fn missing(&self, module: &HostPath) -> Option<Missing> {
        let mut waiting: Vec<(HostPath, Vec<RunPath>)> = vec![(module.clone(), Vec::new())];
        let mut at = 0;
        while let Some((path, inherited)) = waiting.get(at).cloned().filter(|_| at < MOST) {
            at += 1;
            let Some(binary) = self.image(&path) else { continue };
            let loader = directories_of(self.files, &path);
            let chain: Vec<RunPath> = run_paths(&binary, &loader).into_iter().chain(inherited).collect();
            for name in binary.libraries.iter().filter(|name| !self.is_known(name)) {
                match self.dyld.find(name, &loader, &chain) {
                    Search::Provided => {}
                    Search::Found(found, _) => {
                        if !waiting.iter().any(|(seen, _)| *seen == found) {
                            waiting.push((found, chain.clone()));
                        }
                    }
                    Search::Missing(tried) => {
                        return Some(Missing { library: name.clone(), needed_by: path, tried });
                    }
                }
            }
        }
        None
    }

    /// Where it was looked for, and what is there instead.
    pub fn sought(&self, module: &HostPath) -> Sought {
        let mut sought = Sought::default();
        for path in self.missing(module).into_iter().flat_map(|missing| missing.tried) {
            let Some(directory) = path.parent().map(|directory| directory.normalized()) else { continue };
            if sought.directories.contains(&directory) {
                continue;
            }
            if sought.other_version.is_none() {
                sought.other_version = [Some(directory.clone()), current(&directory)]
                    .into_iter()
                    .flatten()
                    .find_map(|directory| other_version(self.files, &directory, &path.name()));
            }
            sought.directories.push(directory);
        }
        sought
    }

    fn is_known(&self, name: &str) -> bool {
        name.rsplit('/').next().is_some_and(|leaf| self.known.contains(leaf))
    }

    /// The part for the interpreter's processor. None where it is no image, or was not read whole.
    fn image(&self, path: &HostPath) -> Option<Binary> {
        if let Some(known) = self.read.lock().unwrap_or_else(PoisonError::into_inner).get(path) {
            return known.clone();
        }
        let image = read_image(self.files, path, &self.architecture);
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone(), image.clone());
        image
    }
}

fn read_image(files: &dyn Files, path: &HostPath, architecture: &str) -> Option<Binary> {
    let beginning = files.read(path, COMMANDS).ok()?.bytes;
    let mut binary = binary::parse(&beginning);
    if binary.format == BinaryFormat::MachOFat {
        let offset = binary::slice_for(&beginning, architecture)?;
        binary = binary::parse(&files.read_at(path, offset, COMMANDS).ok()?.bytes);
    }
    let whole = binary.format == BinaryFormat::MachO && !binary.partial;
    (whole && binary.architectures.iter().any(|own| own == architecture)).then_some(binary)
}

/// Homebrew's name for whatever version is there: `opt/libpq/lib` of `Cellar/libpq/16.1/lib`.
fn current(directory: &HostPath) -> Option<HostPath> {
    let text = directory.to_text();
    let (prefix, rest) = text.split_once("/Cellar/")?;
    let (formula, rest) = rest.split_once('/')?;
    let (_, below) = rest.split_once('/')?;
    Some(HostPath::posix(format!("{prefix}/opt/{formula}/{below}")))
}

/// `libicuuc.76.dylib` for `libicuuc.74.dylib`; for a directory that is gone the same name, too.
fn other_version(files: &dyn Files, directory: &HostPath, name: &str) -> Option<HostPath> {
    let stem = name.split('.').next()?;
    let listing = files.list(directory).ok()?;
    let mut found = listing.entries.iter().rev().filter(|entry| {
        let rest = entry.name.strip_prefix(stem.as_bytes());
        rest.is_some_and(|rest| matches!(rest, [b'.', b'0'..=b'9', ..]) && rest.ends_with(b".dylib"))
    });
    found.find_map(|entry| {
        let path = directory.join(&entry.name);
        files.is_file(&path).then_some(path)
    })
}
