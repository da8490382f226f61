//! Zip archives on the path, as `zipimport` sees them.

use std::collections::HashSet;
use std::rc::Rc;

use super::{Answer, ModuleKind, Resolver, SearchResult, joined};
use crate::host::Files;
use crate::imports::build::Version;
use crate::imports::place::Place;
use crate::parse::zip;
use crate::path::HostPath;

/// Its order: packages first, bytecode before source.
const SEARCH_ORDER: [(&str, bool); 4] =
    [("/__init__.pyc", true), ("/__init__.py", true), (".pyc", false), (".py", false)];

#[derive(Debug)]
pub(super) struct Archive {
    path: Vec<u8>,
    names: HashSet<Vec<u8>>,
}

impl Archive {
    pub fn find(&self, tail: &str, inside: &[u8], place: &Place) -> Answer {
        let name = [inside, tail.as_bytes()].concat();
        for (suffix, is_package) in SEARCH_ORDER {
            let file = [name.as_slice(), suffix.as_bytes()].concat();
            if self.names.contains(&file) {
                let origin = joined(place, &self.path, &file);
                let package = is_package.then(|| joined(place, &self.path, &name));
                return Answer::Found { kind: ModuleKind::Zip, origin, package };
            }
        }
        if self.names.contains(&[name.as_slice(), b"/"].concat()) {
            return Answer::Portions(vec![joined(place, &self.path, &name)]);
        }
        Answer::Nothing(SearchResult::Nothing)
    }

    /// Its topmost modules.
    pub fn modules(&self) -> impl Iterator<Item = String> {
        self.names.iter().filter_map(|name| {
            let name = std::str::from_utf8(name).ok()?;
            let top = SEARCH_ORDER.iter().find_map(|(suffix, _)| name.strip_suffix(suffix))?;
            (!top.contains('/')).then(|| top.to_owned())
        })
    }
}

impl Resolver<'_> {
    /// The archive that an entry names, and the directory inside it, ending in `/`.
    pub(super) fn archive_of(&self, entry: &[u8]) -> Option<(Rc<Archive>, Vec<u8>)> {
        let mut path = entry;
        let mut below: Vec<&[u8]> = Vec::new();
        while !self.place.exists(path) {
            let up = self.place.reduced(path);
            if up.is_empty() || up.len() == path.len() {
                return None;
            }
            below.push(self.place.basename(path));
            path = up;
        }
        let mut inside = Vec::new();
        for name in below.iter().rev().filter(|name| !name.is_empty()) {
            inside.extend_from_slice(name);
            inside.push(b'/');
        }
        let known = self.archives.borrow().get(path).cloned();
        let archive = match known {
            Some(archive) => archive,
            None => {
                let archive = self.read_archive(path).map(Rc::new);
                self.archives.borrow_mut().insert(path.to_vec(), archive.clone());
                archive
            }
        };
        archive.map(|archive| (archive, inside))
    }

    fn read_archive(&self, path: &[u8]) -> Option<Archive> {
        let host = self.place.host(path)?;
        let mut names: HashSet<Vec<u8>> = HashSet::new();
        for name in archive_names(self.place.files, &host)? {
            if self.build.version >= Version::new(3, 14) {
                // directories that have no entry of their own count since 3.14
                let ends = name.iter().enumerate().filter(|(_, byte)| **byte == b'/');
                names.extend(ends.map(|(at, _)| name[..=at].to_vec()));
            }
            names.insert(name);
        }
        Some(Archive { path: path.to_vec(), names })
    }
}

/// The names in the zip archive at this path; None where there is none that can be read.
pub fn archive_names(files: &dyn Files, path: &HostPath) -> Option<Vec<Vec<u8>>> {
    let size = files.metadata(path).ok()?.size;
    let tail = files.read_at(path, size.saturating_sub(zip::END_LIMIT as u64), zip::END_LIMIT).ok()?;
    let place = zip::locate(&tail.bytes, size)?;
    let directory = files.read_at(path, place.offset, place.size).ok()?;
    Some(zip::names(&directory.bytes).into_iter().map(<[u8]>::to_vec).collect())
}
