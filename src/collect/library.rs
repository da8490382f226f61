//! Where the loader would find an interpreter's own library.

use crate::facts::interpreter::{LibraryLookup, LinkChain};
use crate::host::{Files, Host};
use crate::parse::binary::{self, Binary, BinaryFormat};
use crate::path::{Flavour, HostPath, readable};

/// A libpython is 3 to 30 MB.
const LIBRARY_LIMIT: usize = 64 << 20;
/// Directories that glibc and musl search without being told (`ld.so(8)`).
const SYSTEM_DIRECTORIES: [&str; 6] =
    ["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib", "/usr/local/lib64"];

/// For each `libpython` that the binary needs: the file that is loaded, and the one of its own build.
pub fn libpython(host: &dyn Host, path: &HostPath, links: &LinkChain, binary: &Binary) -> Vec<LibraryLookup> {
    if binary.format != BinaryFormat::Elf {
        return Vec::new();
    }
    let names = binary.libraries.iter().filter(|name| name.starts_with("libpython"));
    names.map(|name| lookup(host, path, links, binary, name)).collect()
}

fn lookup(host: &dyn Host, path: &HostPath, links: &LinkChain, binary: &Binary, name: &str) -> LibraryLookup {
    let origin = links.last().and_then(HostPath::parent).unwrap_or_else(|| path.clone());
    let own_paths = if binary.runpath.is_empty() { &binary.rpath } else { &binary.runpath };
    let own_directories: Vec<HostPath> =
        own_paths.iter().filter_map(|raw| expand(raw, &origin)).map(|path| path.normalized()).collect();
    let variable = host.variable("LD_LIBRARY_PATH").unwrap_or_default();
    let from_variable: Vec<HostPath> = variable
        .split(|byte| *byte == b':' || *byte == b';')
        .filter_map(|entry| expand(&readable(entry), &origin))
        .collect();
    // DT_RPATH precedes LD_LIBRARY_PATH, DT_RUNPATH follows it (ld.so(8))
    let rpath_first = binary.runpath.is_empty();
    let mut stages: Vec<(&str, &[HostPath])> = vec![("LD_LIBRARY_PATH", &from_variable)];
    stages.insert(if rpath_first { 0 } else { 1 }, ("RUNPATH", &own_directories));
    let system = system_directories(host, binary);
    stages.push(("the system's library path", &system));

    let mut found = None;
    let mut searched = Vec::new();
    for (through, directories) in &stages {
        for directory in *directories {
            let candidate = directory.join(name);
            if found.is_none() && host.is_file(&candidate) {
                found = Some((candidate, (*through).to_owned()));
            }
            if found.is_none() {
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

fn version(files: &dyn Files, library: &HostPath) -> Option<String> {
    binary::python_version_in(&files.read(library, LIBRARY_LIMIT).ok()?.bytes)
}

/// The loader's built-in directories, the multiarch ones, and those of `/etc/ld.so.conf`.
fn system_directories(files: &dyn Files, binary: &Binary) -> Vec<HostPath> {
    let mut directories: Vec<HostPath> = Vec::new();
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

fn configurations(files: &dyn Files) -> Vec<HostPath> {
    let directory = HostPath::posix("/etc/ld.so.conf.d");
    let mut found = vec![HostPath::posix("/etc/ld.so.conf")];
    if let Ok(listing) = files.list(&directory) {
        let names = listing.entries.into_iter().filter(|entry| entry.name.ends_with(b".conf"));
        found.extend(names.map(|entry| directory.join(entry.name)));
    }
    found
}
