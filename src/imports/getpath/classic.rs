//! Modules/getpath.c of 2.7 and 3.0 to 3.10, on POSIX.

use super::super::build::Version;
use super::super::place::Place;
use super::super::predict::{Fatal, ImportEntry, ImportOrigin, Question, Settings};
use super::{Landmarks, Located, compiled_prefix, config, python_home, python_path, split_home};
use crate::facts::platform::System;
use crate::host::FileKind;

pub(super) fn locate(place: &Place, question: &Question, settings: &Settings) -> Result<Located, Fatal> {
    let version = question.build.version;
    let landmarks = Landmarks::new(question, settings);
    let executable = question.executable.as_bytes().to_vec();
    let mut notes = Vec::new();
    let start = search_start(place, &executable, version);

    let (found, exec_found) = match python_home(question, settings) {
        Some(home) => {
            let (prefix, exec_prefix) = split_home(place, home);
            (Some(prefix), Some(exec_prefix))
        }
        None => (
            place.search_up(&start, |directory| landmarks.is_prefix(place, directory)),
            place.search_up(&start, |directory| landmarks.is_exec_prefix(place, directory)),
        ),
    };
    let compiled = match (&found, &exec_found) {
        (Some(_), Some(_)) => Vec::new(),
        _ => compiled_prefix(question, &mut notes),
    };
    let installed = || Some(compiled.clone()).filter(|prefix| !prefix.is_empty());
    let found = found.or_else(|| installed().filter(|prefix| landmarks.is_prefix(place, prefix)));
    let exec_found =
        exec_found.or_else(|| installed().filter(|prefix| landmarks.is_exec_prefix(place, prefix)));
    let (stdlib, prefix) = match found {
        Some(found) => above(place, landmarks.stdlib(place, &found), 2),
        None => (landmarks.stdlib(place, &compiled), compiled.clone()),
    };
    let (dynload, exec_prefix) = match exec_found {
        Some(found) => above(place, landmarks.dynload(place, &found), 3),
        // without the version
        None => (place.below(&compiled, &[&landmarks.platlibdir, "lib-dynload"]), compiled),
    };

    let mut entries = python_path(place, question, settings, <[u8]>::to_vec);
    entries.push(ImportEntry::new(landmarks.zip(place, &prefix), ImportOrigin::StdlibZip));
    entries.push(ImportEntry::new(stdlib.clone(), ImportOrigin::Stdlib));
    // The compiled-in PYTHONPATH of 3.6 has two empty entries.
    if version.is(3, 6) {
        entries.push(ImportEntry::new(stdlib.clone(), ImportOrigin::Stdlib));
    }
    if version < Version::new(3, 0) {
        for name in platform_directories(place, question, &stdlib) {
            entries.push(ImportEntry::new(place.join(&stdlib, name), ImportOrigin::Stdlib));
        }
    }
    entries.push(ImportEntry::new(dynload, ImportOrigin::LibDynload));
    let or_root = |prefix: Vec<u8>| if prefix.is_empty() { b"/".to_vec() } else { prefix };
    let (prefix, exec_prefix) = (or_root(prefix), or_root(exec_prefix));
    Ok(Located {
        executable,
        base_prefix: prefix.clone(),
        base_exec_prefix: exec_prefix.clone(),
        prefix,
        exec_prefix,
        platlibdir: landmarks.platlibdir,
        entries,
        underscore_pth: None,
        notes,
    })
}

/// The prefix that getpath.c makes of a library that it has found: its path with so many names cut off, whatever
/// `PYTHONHOME` and `PYTHONPLATLIBDIR` were joined to it (`calculate_set_prefix`; a slash at the end is gone with
/// them).
fn above(place: &Place, library: Vec<u8>, names: usize) -> (Vec<u8>, Vec<u8>) {
    let prefix = (0..names).fold(library.as_slice(), |path, _| place.reduced(path)).to_vec();
    (library, prefix)
}

/// Where the upward search begins: the resolved binary's directory, else what the `home` of a
/// `pyvenv.cfg` beside or above it says (3.3+).
fn search_start(place: &Place, executable: &[u8], version: Version) -> Vec<u8> {
    let mut start = place.reduced(&place.resolved(executable, false)).to_vec();
    if version >= Version::new(3, 3) {
        for directory in [start.clone(), place.reduced(&start).to_vec()] {
            if let Ok(home) = config::scan_home(place, &place.join(&directory, "pyvenv.cfg")) {
                start = home.unwrap_or(start);
                break;
            }
        }
    }
    place.anchored(&start)
}

/// 2.7 lists these below the standard library, present or not (`PYTHONPATH` of its Makefile); Debian's
/// has one named after the architecture in place of `plat-linux2`.
fn platform_directories(place: &Place, question: &Question, stdlib: &[u8]) -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    if question.build.system == System::MacOs {
        for name in ["plat-darwin", "plat-mac", "plat-mac/lib-scriptpackages"] {
            names.push(name.into());
        }
    } else {
        let vendor = place
            .host(stdlib)
            .filter(|_| question.build.debian)
            .and_then(|directory| place.files.list(&directory).ok())
            .and_then(|listing| {
                listing.entries.into_iter().find(|entry| {
                    entry.kind == FileKind::Directory
                        && entry.name.starts_with(b"plat-")
                        && entry.name != b"plat-linux2"
                })
            });
        names.push(vendor.map_or_else(|| b"plat-linux2".to_vec(), |entry| entry.name));
    }
    names.extend([b"lib-tk".to_vec(), b"lib-old".to_vec()]);
    names
}
