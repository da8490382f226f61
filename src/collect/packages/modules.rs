//! What can be imported from a directory of packages, by its names (`importlib.machinery`).

use crate::facts::distribution::{TopLevel, TopLevelKind};
use crate::host::{Entry, FileKind, Files, Listing, OpenDirectory};
use crate::path::{HostPath, readable};

/// So many names below a namespace are looked at for something that can be imported.
const MOST_LOOKED_AT: usize = 2_000;

pub fn top_level(files: &dyn Files, open: &OpenDirectory, listing: Option<&Listing>) -> Vec<TopLevel> {
    let directory = &open.path;
    let entries = || listing.iter().flat_map(|listing| &listing.entries);
    let mut found: Vec<TopLevel> = entries().filter_map(|entry| single_file(directory, entry)).collect();
    let names: Vec<&str> = entries().filter_map(|entry| package_name(files, directory, entry)).collect();
    let inits: Vec<Vec<u8>> = names.iter().map(|name| format!("{name}/__init__.py").into_bytes()).collect();
    let inits: Vec<&[u8]> = inits.iter().map(Vec::as_slice).collect();
    for (name, init) in names.into_iter().zip(files.metadata_below(open, &inits)) {
        let path = directory.join(name);
        let whole = init.is_ok_and(|init| init.kind == FileKind::File);
        let kind = if whole { Some((TopLevelKind::Package, false)) } else { without_init(files, &path) };
        found.extend(kind.map(|(kind, barren)| TopLevel { name: name.to_owned(), path, kind, barren }));
    }
    found.sort_by(|left, right| left.name.cmp(&right.name));
    found
}

fn single_file(directory: &HostPath, entry: &Entry) -> Option<TopLevel> {
    let name = std::str::from_utf8(&entry.name).ok()?;
    let (stem, kind) = by_suffix(name).filter(|_| is_file_or_link(entry))?;
    is_identifier(stem).then(|| TopLevel {
        name: stem.to_owned(),
        path: directory.join(name),
        kind,
        barren: false,
    })
}

fn is_file_or_link(entry: &Entry) -> bool {
    entry.kind == FileKind::File || entry.kind == FileKind::Link
}

/// The name of a directory that can be imported.
fn package_name<'a>(files: &dyn Files, directory: &HostPath, entry: &'a Entry) -> Option<&'a str> {
    let name = std::str::from_utf8(&entry.name).ok().filter(|name| *name != "__pycache__")?;
    let may_be = match entry.kind {
        FileKind::Directory => is_identifier(name),
        FileKind::Link => is_identifier(name) && files.is_directory(&directory.join(name)),
        FileKind::File | FileKind::Other => false,
    };
    may_be.then_some(name)
}

/// A directory without `__init__.py`: a package by another suffix, else a namespace, and whether that is barren.
fn without_init(files: &dyn Files, path: &HostPath) -> Option<(TopLevelKind, bool)> {
    let listing = files.list(path).ok()?;
    let package = listing.entries.iter().any(|entry| {
        std::str::from_utf8(&entry.name).ok().and_then(by_suffix).is_some_and(|(stem, _)| stem == "__init__")
    });
    if package {
        return Some((TopLevelKind::Package, false));
    }
    let mut left = MOST_LOOKED_AT;
    Some((TopLevelKind::Namespace, is_barren(files, path, &listing, &mut left) == Some(true)))
}

/// `x.py`, `x.cpython-311-x86_64-linux-gnu.so`, `x.pyd`, `x.pyc`.
pub fn by_suffix(name: &str) -> Option<(&str, TopLevelKind)> {
    let (first, rest) = name.split_once('.')?;
    let kind = match rest.rsplit('.').next()? {
        "py" if rest == "py" => TopLevelKind::Source,
        "pyc" if rest == "pyc" => TopLevelKind::Bytecode,
        "so" | "pyd" => TopLevelKind::Extension,
        _ => return None,
    };
    Some((first, kind))
}

fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
}

/// None: there is too much to look at.
fn is_barren(files: &dyn Files, directory: &HostPath, listing: &Listing, left: &mut usize) -> Option<bool> {
    for entry in &listing.entries {
        *left = left.checked_sub(1)?;
        if entry.name == b"__pycache__" {
            continue;
        }
        match entry.kind {
            FileKind::Directory => {
                let path = directory.join(&entry.name);
                if !is_barren(files, &path, &files.list(&path).ok()?, left)? {
                    return Some(false);
                }
            }
            FileKind::File if by_suffix(&readable(&entry.name)).is_none() => {}
            _ => return Some(false),
        }
    }
    Some(true)
}
