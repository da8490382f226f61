//! What can be imported from a directory of packages, by its names (`importlib.machinery`).

use crate::facts::distribution::{TopLevel, TopLevelKind};
use crate::host::{Entry, FileKind, Files, Listing};
use crate::path::{HostPath, readable};

/// So many names below a namespace are looked at for something that can be imported.
const MOST_LOOKED_AT: usize = 2_000;

pub fn top_level(files: &dyn Files, directory: &HostPath, listing: Option<&Listing>) -> Vec<TopLevel> {
    let mut found: Vec<TopLevel> = listing
        .iter()
        .flat_map(|listing| &listing.entries)
        .filter_map(|entry| module(files, directory, entry))
        .collect();
    found.sort_by(|left, right| left.name.cmp(&right.name));
    found
}

fn module(files: &dyn Files, directory: &HostPath, entry: &Entry) -> Option<TopLevel> {
    let name = std::str::from_utf8(&entry.name).ok()?;
    if name == "__pycache__" {
        return None;
    }
    let path = directory.join(name);
    if let Some((stem, kind)) = by_suffix(name)
        && (entry.kind == FileKind::File || entry.kind == FileKind::Link)
    {
        let name = is_identifier(stem).then(|| stem.to_owned())?;
        return Some(TopLevel { name, path, kind, barren: false });
    }
    let may_be = entry.kind == FileKind::Directory || entry.kind == FileKind::Link;
    if !may_be || !is_identifier(name) || (entry.kind == FileKind::Link && !files.is_directory(&path)) {
        return None;
    }
    let mut kind = TopLevelKind::Package;
    let mut barren = false;
    if !files.is_file(&path.join("__init__.py")) {
        let listing = files.list(&path).ok()?;
        let package = listing.entries.iter().any(|entry| {
            std::str::from_utf8(&entry.name)
                .ok()
                .and_then(by_suffix)
                .is_some_and(|(stem, _)| stem == "__init__")
        });
        if !package {
            kind = TopLevelKind::Namespace;
            let mut left = MOST_LOOKED_AT;
            barren = is_barren(files, &path, &listing, &mut left) == Some(true);
        }
    }
    Some(TopLevel { name: name.to_owned(), path, kind, barren })
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
