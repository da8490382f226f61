//! Where the loader would find an interpreter's own library.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::dyld;
use crate::facts::interpreter::{LibraryLookup, LinkChain};
use crate::facts::platform::System;
use crate::host::{Files, Host};
use crate::parse::binary::{self, Binary, BinaryFormat, CLibrary};
use crate::path::{Flavour, HostPath, readable};

/// A libpython is 3 to 30 MB.
const LIBRARY_LIMIT: usize = 64 << 20;
const CACHE_LIMIT: usize = 4 << 20;
/// Directories that glibc and musl search without being told (`ld.so(8)`).
const SYSTEM_DIRECTORIES: [&str; 6] =
    ["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib", "/usr/local/lib64"];

/// For each `libpython` that the binary needs: the file that is loaded, and the one of its own build.
pub fn libpython(host: &dyn Host, path: &HostPath, links: &LinkChain, binary: &Binary) -> Vec<LibraryLookup> {
    match binary.format {
        BinaryFormat::Elf => {}
        BinaryFormat::MachO | BinaryFormat::MachOFat if host.platform().system == System::MacOs => {
            return dyld::libpython(host, path, links, binary);
        }
        _ => return Vec::new(),
    }
    let names = binary.libraries.iter().filter(|name| name.starts_with("libpython"));
    names.map(|name| lookup(host, path, links, binary, name)).collect()
}

/// Where the loader of one kind of binary looks for libraries (`ld.so(8)`).
pub struct Loader<'a> {
    files: &'a dyn Files,
    from_variable: Vec<HostPath>,
    system: Vec<HostPath>,
    /// What the system's directories hold, by name: a hundred modules ask for the same few.
    in_system: Mutex<HashMap<String, Option<HostPath>>>,
}

/// `ld.so(8)`'s name of a place, and its directories.
type Stage<'a> = (&'static str, &'a [HostPath]);

pub const THROUGH_VARIABLE: &str = "LD_LIBRARY_PATH";
const SYSTEM: &str = "the system's library path";

impl<'a> Loader<'a> {
    /// For binaries of the kind of this one. `origin` is the directory of the file that is started.
    pub fn new(host: &'a dyn Host, binary: &Binary, origin: &HostPath) -> Loader<'a> {
        let variable = host.variable(THROUGH_VARIABLE).unwrap_or_default();
        let from_variable = variable
            .split(|byte| *byte == b':' || *byte == b';')
            .filter_map(|entry| expand(&readable(entry), origin))
            .collect();
        Loader {
            files: host,
            from_variable,
            system: system_directories(host, binary),
            in_system: Mutex::default(),
        }
    }

    /// The same without the variable.
    pub fn without_variable(&self) -> Loader<'a> {
        Loader {
            files: self.files,
            from_variable: Vec::new(),
            system: self.system.clone(),
            in_system: Mutex::default(),
        }
    }

    pub fn from_variable(&self) -> &[HostPath] {
        &self.from_variable
    }

    /// `DT_RPATH` precedes the variable, `DT_RUNPATH` follows it.
    fn stages<'b>(&'b self, own: &'b [HostPath], rpath_first: bool) -> Vec<Stage<'b>> {
        let mut stages: Vec<Stage> = vec![(THROUGH_VARIABLE, &self.from_variable)];
        stages.insert(if rpath_first { 0 } else { 1 }, ("RUNPATH", own));
        stages.push((SYSTEM, &self.system));
        stages
    }

    /// The file that a binary with these directories of its own gets for a name, and what leads there.
    pub fn find(&self, name: &str, binary: &Binary, origin: &HostPath) -> Option<(HostPath, &'static str)> {
        if name.contains('/') {
            let path = HostPath::new(Flavour::Posix, name)?;
            return self.files.is_file(&path).then_some((path, "its full path"));
        }
        let own = own_directories(binary, origin);
        self.stages(&own, binary.runpath.is_empty())
            .into_iter()
            .find_map(|(through, directories)| Some((self.first(name, through, directories)?, through)))
    }

    fn in_system(&self) -> std::sync::MutexGuard<'_, HashMap<String, Option<HostPath>>> {
        self.in_system.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn first(&self, name: &str, through: &str, directories: &[HostPath]) -> Option<HostPath> {
        let look =
            || directories.iter().map(|directory| directory.join(name)).find(|path| self.files.is_file(path));
        if through != SYSTEM {
            return look();
        }
        if let Some(known) = self.in_system().get(name) {
            return known.clone();
        }
        let found = look();
        self.in_system().insert(name.to_owned(), found.clone());
        found
    }

    /// Whether `ldconfig` knows a file of that name, in whatever directory it was told of.
    pub fn is_cached(&self, name: &str) -> bool {
        let cache = self.files.read(&HostPath::posix("/etc/ld.so.cache"), CACHE_LIMIT);
        cache.is_ok_and(|cache| {
            let needle: Vec<u8> = [b"/", name.as_bytes(), b"\0"].concat();
            crate::parse::find(&cache.bytes, &needle).is_some()
        })
    }
}

/// The directories that the binary itself names.
fn own_directories(binary: &Binary, origin: &HostPath) -> Vec<HostPath> {
    let raw = if binary.runpath.is_empty() { &binary.rpath } else { &binary.runpath };
    raw.iter().filter_map(|raw| expand(raw, origin)).map(|path| path.normalized()).collect()
}

fn lookup(host: &dyn Host, path: &HostPath, links: &LinkChain, binary: &Binary, name: &str) -> LibraryLookup {
    let origin = links.last().and_then(HostPath::parent).unwrap_or_else(|| path.clone());
    let own_directories = own_directories(binary, &origin);
    let loader = Loader::new(host, binary, &origin);
    let stages = loader.stages(&own_directories, binary.runpath.is_empty());

    let mut found = None;
    let mut searched = Vec::new();
    for (through, directories) in &stages {
        for directory in *directories {
            let candidate = directory.join(name);
            if found.is_none() && host.is_file(&candidate) {
                found = Some((candidate, (*through).to_owned()));
            }
            if found.is_none() && !searched.contains(directory) {
                searched.push(directory.clone());
            }
        }
    }
    let prefix_library = origin.parent().map(|prefix| prefix.join("lib"));
    let own = own_directories
        .iter()
        .chain(prefix_library.iter())
        .map(|directory| directory.join(name))
        .find(|candidate| host.is_file(candidate));
    let differ = match (&found, &own) {
        (Some((found, _)), Some(own)) => host.canonical(found).ok() != host.canonical(own).ok(),
        _ => false,
    };
    LibraryLookup {
        name: name.to_owned(),
        found_version: found.as_ref().filter(|_| differ).and_then(|(path, _)| version(host, path)),
        own_version: own.as_ref().filter(|_| differ).and_then(|path| version(host, path)),
        through: found.as_ref().map(|(_, through)| through.clone()),
        found: found.map(|(path, _)| path),
        own: own.filter(|_| differ),
        searched,
    }
}

/// `$ORIGIN` is the directory of the file behind the links.
fn expand(raw: &str, origin: &HostPath) -> Option<HostPath> {
    let origin = origin.to_text();
    let text = raw.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin);
    HostPath::new(Flavour::Posix, text)
}

pub fn version(files: &dyn Files, library: &HostPath) -> Option<String> {
    binary::python_version_in(&files.read(library, LIBRARY_LIMIT).ok()?.bytes)
}

/// The loader's built-in directories, the multiarch ones, and those of `/etc/ld.so.conf`.
fn system_directories(files: &dyn Files, binary: &Binary) -> Vec<HostPath> {
    let mut directories: Vec<HostPath> = Vec::new();
    if binary.c_library == Some(CLibrary::Musl) {
        return musl_directories(files, binary);
    }
    for configuration in configurations(files) {
        let Some(text) = files.text(&configuration) else { continue };
        directories.extend(
            text.lines()
                .map(str::trim)
                .filter_map(|line| HostPath::new(Flavour::Posix, line.split_whitespace().next()?)),
        );
    }
    if let Some(architecture) = binary.architectures.first() {
        for root in ["/lib", "/usr/lib"] {
            directories.push(HostPath::posix(format!("{root}/{architecture}-linux-gnu")));
        }
    }
    directories.extend(SYSTEM_DIRECTORIES.iter().map(HostPath::posix));
    directories
}

/// `ldso/dynlink.c` of musl: one file of directories, else three built in.
fn musl_directories(files: &dyn Files, binary: &Binary) -> Vec<HostPath> {
    let architecture = binary.architectures.first().map_or("x86_64", String::as_str);
    let configuration = HostPath::posix(format!("/etc/ld-musl-{architecture}.path"));
    let text = files.text(&configuration).unwrap_or_else(|| "/lib:/usr/local/lib:/usr/lib".to_owned());
    text.split([':', '\n']).filter_map(|line| HostPath::new(Flavour::Posix, line.trim())).collect()
}

fn configurations(files: &dyn Files) -> Vec<HostPath> {
    let directory = HostPath::posix("/etc/ld.so.conf.d");
    let mut found = vec![HostPath::posix("/etc/ld.so.conf")];
    if let Ok(listing) = files.list(&directory) {
        let names = listing.entries.into_iter().filter(|entry| entry.name.ends_with(b".conf"));
        found.extend(names.map(|entry| directory.join(entry.name)));
    }
    found
}
