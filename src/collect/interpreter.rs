//! Interpreters: what their files are, without starting them.

use std::collections::HashMap;

use super::{binary_file, library, links};
use crate::collect::environment::version_in_name;
use crate::facts::interpreter::*;
use crate::facts::{Gathered, Origin};
use crate::host::{FileKind, Files, Host};
use crate::parse::binary::{self, Binary, BinaryFormat};
use crate::parse::shebang::is_python_name;
use crate::path::HostPath;

/// A whole interpreter or libpython, which is 3 to 30 MB.
const EXACT_LIMIT: usize = 64 << 20;

/// What was read of binaries, by their identities: the names of an environment's interpreter mostly lead to one file.
pub type Binaries = HashMap<(u64, u64), Binary>;

/// Examines the file at `path`. With binaries: also what it is built for and which libraries it would load.
pub fn interpreter(
    host: &dyn Host,
    path: &HostPath,
    origins: Vec<Origin>,
    binaries: Option<&mut Binaries>,
) -> Interpreter {
    let chain = links::chain(host, path);
    let metadata = host.metadata(path).ok().filter(|metadata| metadata.kind == FileKind::File);
    let executable = metadata.is_some() && host.can_execute(path);
    let mut interpreter = Interpreter {
        path: path.clone(),
        origins,
        environment: environment_of(host, path, &chain),
        mode: metadata.map(|metadata| metadata.mode),
        on_noexec_mount: metadata.is_some() && host.mount(path).is_some_and(|mount| mount.noexec),
        executable,
        size: metadata.map(|metadata| metadata.size),
        binary: Gathered::NotAsked,
        loader_exists: None,
        libpython: Vec::new(),
        version: None,
        version_source: None,
        implementation: None,
        prefix_usable: None,
        missing_part: missing_part(host, &chain),
        probe: Probe::NotRun { why: "it was not the one to ask".to_owned() },
        build: None,
        predicted: None,
        comparison: None,
        links: chain,
    };
    if let (Some(binaries), Some(metadata)) = (binaries, metadata) {
        read_binary(host, &mut interpreter, metadata.identity, binaries);
    }
    identify(&mut interpreter);
    interpreter
}

/// The topmost directory, or the file itself, that the links ask for in vain.
fn missing_part(files: &dyn Files, chain: &LinkChain) -> Option<HostPath> {
    if chain.end != LinkEnd::Missing {
        return None;
    }
    chain.last()?.ancestors().take_while(|path| !files.exists(path)).last()
}

/// The version with its patch release, from the bytes of the interpreter or of the library that it loads.
pub fn exact_version(host: &dyn Host, path: &HostPath) -> Option<Version> {
    let bytes = host.read(path, EXACT_LIMIT).ok()?.bytes;
    let chain = links::chain(host, path);
    let libraries = library::libpython(host, path, &chain, &binary::parse(&bytes));
    let text = match libraries.first() {
        Some(library) => {
            binary::python_version_in(&host.read(library.found.as_ref()?, EXACT_LIMIT).ok()?.bytes)
        }
        None => binary::python_version_in(&bytes),
    };
    Version::parse(&text?).filter(|version| version.patch.is_some())
}

/// The venv whose `pyvenv.cfg` Python finds beside or above the unresolved file (Lib/site.py, venv()),
/// else the prefix of the installation at the end of the links.
pub fn environment_of(files: &dyn Files, path: &HostPath, chain: &LinkChain) -> Option<HostPath> {
    let directory = path.parent()?;
    let above = directory.parent();
    if files.is_file(&directory.join("pyvenv.cfg")) {
        return above;
    }
    if let Some(above) = &above
        && (files.is_file(&above.join("pyvenv.cfg")) || files.is_directory(&above.join("conda-meta")))
    {
        return Some(above.clone());
    }
    if chain.end != LinkEnd::File {
        return above;
    }
    chain.last()?.parent()?.parent()
}

fn read_binary(
    host: &dyn Host,
    interpreter: &mut Interpreter,
    identity: Option<(u64, u64)>,
    binaries: &mut Binaries,
) {
    let path = &interpreter.path;
    let known = identity.and_then(|identity| binaries.get(&identity)).cloned();
    let binary = match known.map_or_else(|| binary_file::read(host, path).map(|(binary, _)| binary), Ok) {
        Ok(binary) => binary,
        Err(error) => {
            interpreter.binary = Gathered::Unknown { why: error.to_string() };
            return;
        }
    };
    if let Some(identity) = identity {
        binaries.entry(identity).or_insert_with(|| binary.clone());
    }
    interpreter.loader_exists = binary
        .loader
        .as_ref()
        .and_then(|loader| HostPath::new(path.flavour(), loader.as_bytes().to_vec()))
        .map(|loader| host.exists(&loader));
    interpreter.libpython = library::libpython(host, path, &interpreter.links, &binary);
    interpreter.binary = Gathered::Known(binary);
}

/// Version and implementation from the names along the links, else from the library it needs.
fn identify(interpreter: &mut Interpreter) {
    let named = interpreter.links.hops.iter().rev().find_map(|hop| {
        let name = hop.name();
        is_python_name(name.as_bytes())
            .then(|| version_in_name(&name).map(|version| (version, name.into_owned())))
            .flatten()
    });
    let pypy = interpreter.links.hops.iter().any(|hop| hop.name().starts_with("pypy"));
    interpreter.implementation = Some(if pypy { "pypy" } else { "cpython" }.to_owned());
    if interpreter.links.end != LinkEnd::File {
        interpreter.version = None;
        return;
    }
    if let Some(version) = interpreter.binary.known().and_then(libpython_version) {
        interpreter.version = Some(version);
        interpreter.version_source = Some("the libpython that it needs".to_owned());
    } else if let Some((version, name)) = named {
        interpreter.version = Some(version);
        interpreter.version_source = Some(format!("the file name {name}"));
    }
    // a pyenv version's directory tells the patch level
    if let Some(known) = interpreter.version
        && known.patch.is_none()
        && let Some(patch) = interpreter.links.last().and_then(patch_in_directories)
        && patch.same_minor(known)
    {
        interpreter.version = Some(patch);
    }
}

/// `libpython3.11.so.1.0` among the needed libraries.
fn libpython_version(binary: &Binary) -> Option<Version> {
    if binary.format != BinaryFormat::Elf {
        return None;
    }
    binary.libraries.iter().find_map(|name| {
        let rest = name.strip_prefix("libpython")?;
        let (digits, _) = rest.split_once(".so")?;
        Version::parse(digits).filter(|version| version.major == 3 || version.minor == 7)
    })
}

/// `.../versions/3.11.7/bin/python3.11`, `.../cpython-3.12.1-linux-x86_64-gnu/bin/python3.12`,
/// `Cellar/python@3.12/3.12.4/...`.
fn patch_in_directories(path: &HostPath) -> Option<Version> {
    path.components().rev().skip(1).take(6).find_map(|name| {
        let name = std::str::from_utf8(name).ok()?;
        let name = name.strip_prefix("cpython-").unwrap_or(name);
        Version::parse(name.split('-').next()?).filter(|version| version.patch.is_some())
    })
}
