//! Libraries of Python's own modules that `LD_LIBRARY_PATH` replaces.

use std::collections::BTreeSet;

use crate::collect::binary_file;
use crate::collect::library::{Loader, THROUGH_VARIABLE};
use crate::facts::environment::Environment;
use crate::facts::interpreter::{Interpreter, Version};
use crate::facts::native::LibraryOverride;
use crate::host::{Files, Host};
use crate::parse::binary::{Binary, BinaryFormat};
use crate::parse::find;
use crate::path::{HostPath, readable};

/// Standard-library modules that need a shared library, and the beginning of its name.
const MODULES: [(&str, &str); 8] = [
    ("_ssl", "libssl"),
    ("_hashlib", "libcrypto"),
    ("_sqlite3", "libsqlite3"),
    ("zlib", "libz"),
    ("_ctypes", "libffi"),
    ("_bz2", "libbz2"),
    ("_lzma", "liblzma"),
    ("pyexpat", "libexpat"),
];
const LIBRARY_LIMIT: usize = 64 << 20;
const HEADER_LIMIT: usize = 64;

pub fn overrides(
    host: &dyn Host,
    interpreter: &Interpreter,
    binary: &Binary,
    environment: &Environment,
    version: Version,
) -> Vec<LibraryOverride> {
    let file = interpreter.links.last().unwrap_or(&interpreter.path);
    let Some(bin) = file.parent() else { return Vec::new() };
    let loader = Loader::new(host, binary, &bin);
    if binary.format != BinaryFormat::Elf || !replaces_something(host, &loader) {
        return Vec::new();
    }
    let Some(prefix) = bin.parent() else { return Vec::new() };
    let prefixes = [Some(prefix), environment.home.as_ref().and_then(|home| home.path.parent())];
    let Some(dynload) = prefixes
        .into_iter()
        .flatten()
        .map(|prefix| prefix.join(format!("lib/python{}/lib-dynload", version.minor_text())))
        .find(|directory| host.is_directory(directory))
    else {
        return Vec::new();
    };
    let Ok(listing) = host.list(&dynload) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in &listing.entries {
        let name = readable(&entry.name);
        if MODULES.iter().any(|(module, _)| name.split('.').next() == Some(*module)) {
            replaced(host, &loader, &dynload.join(&entry.name), &mut found);
        }
    }
    found
}

/// Whether a directory of the variable holds any library of these names: else nothing has to be read.
fn replaces_something(files: &dyn Files, loader: &Loader) -> bool {
    loader.from_variable().iter().any(|directory| {
        files.list(directory).is_ok_and(|listing| {
            listing.entries.iter().any(|entry| {
                let name = readable(&entry.name);
                MODULES.iter().any(|(_, library)| is_library(&name, library))
            })
        })
    })
}

fn is_library(name: &str, library: &str) -> bool {
    name.strip_prefix(library).is_some_and(|rest| rest.starts_with(".so"))
}

/// The libraries of one module, and of those that it needs directly: `_ssl` needs `libssl`, both need `libcrypto`.
fn replaced(host: &dyn Host, loader: &Loader, module: &HostPath, found: &mut Vec<LibraryOverride>) {
    let Ok((binary, _)) = binary_file::read(host, module) else { return };
    let (Some(origin), unset) = (module.parent(), loader.without_variable()) else { return };
    for library in &binary.libraries {
        let known = found.iter().any(|known| known.library == *library);
        if known || !MODULES.iter().any(|(_, name)| is_library(library, name)) {
            continue;
        }
        let Some((loaded, through)) = loader.find(library, &binary, &origin) else { continue };
        let Some((otherwise, _)) = unset.find(library, &binary, &origin) else { continue };
        if through != THROUGH_VARIABLE || host.canonical(&loaded).ok() == host.canonical(&otherwise).ok() {
            continue;
        }
        let Some(directory) = loaded.parent().filter(|_| same_kind(host, &loaded, &otherwise)) else {
            continue;
        };
        let lacking = lacking(host, &loaded, &binary, library);
        let mut replaced = LibraryOverride {
            variable: THROUGH_VARIABLE.to_owned(),
            directory,
            library: library.clone(),
            loaded,
            otherwise,
            needed_by: module.clone(),
            lacking,
        };
        if replaced.lacking.is_empty() {
            replaced.lacking = lacking_functions(host, &replaced);
        }
        found.push(replaced);
    }
}

/// The loader passes over libraries of another class or machine: the first 20 bytes tell both.
pub fn same_kind(files: &dyn Files, left: &HostPath, right: &HostPath) -> bool {
    let header = |path: &HostPath| {
        let bytes = files.read(path, HEADER_LIMIT).ok()?.bytes;
        Some((bytes.get(..6)?.to_vec(), bytes.get(18..20)?.to_vec()))
    };
    header(left).is_some_and(|header_of_left| Some(header_of_left) == header(right))
}

/// Libraries without symbol versions, and how their functions begin.
const UNVERSIONED: [(&str, &str); 3] = [("libsqlite3", "sqlite3_"), ("libexpat", "XML_"), ("libbz2", "BZ2_")];

/// Functions whose names stand in the module and in its usual library, and not in the one that is loaded: "undefined
/// symbol: XML_SetReparseDeferralEnabled".
fn lacking_functions(files: &dyn Files, found: &LibraryOverride) -> Vec<String> {
    let prefix =
        UNVERSIONED.iter().find(|(name, _)| is_library(&found.library, name)).map(|(_, prefix)| *prefix);
    let whole = |path: &HostPath| {
        let contents = files.read(path, LIBRARY_LIMIT).ok().filter(|contents| !contents.truncated())?;
        Some(contents.bytes)
    };
    let (Some(prefix), Some(module), Some(loaded), Some(otherwise)) =
        (prefix, whole(&found.needed_by), whole(&found.loaded), whole(&found.otherwise))
    else {
        return Vec::new();
    };
    let names = |bytes: &[u8]| -> BTreeSet<String> {
        let strings = bytes.split(|byte| *byte == 0).filter(|string| string.starts_with(prefix.as_bytes()));
        strings.map(|string| readable(string).into_owned()).collect()
    };
    let (asked, usual, there) = (names(&module), names(&otherwise), names(&loaded));
    asked.into_iter().filter(|name| usual.contains(name) && !there.contains(name)).collect()
}

/// Symbol versions that the module asks this library for and that do not stand in it.
fn lacking(files: &dyn Files, loaded: &HostPath, binary: &Binary, library: &str) -> Vec<String> {
    let required: Vec<&String> = binary
        .required_versions
        .iter()
        .filter(|required| required.library == library)
        .map(|required| &required.version)
        .collect();
    if required.is_empty() {
        return Vec::new();
    }
    match files.read(loaded, LIBRARY_LIMIT) {
        Ok(contents) if !contents.truncated() => required
            .into_iter()
            .filter(|version| find(&contents.bytes, &[version.as_bytes(), b"\0"].concat()).is_none())
            .cloned()
            .collect(),
        _ => Vec::new(),
    }
}
