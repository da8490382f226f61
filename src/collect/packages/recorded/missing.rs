//! What a RECORD names and is not there. Installers write it last: a directory that has not changed since holds what
//! was recorded. The others are listed; a look at each file would cost a system call for each.

use std::collections::HashMap;

use super::super::Site;
use super::{Names, is_cache, is_module, split};
use crate::facts::distribution::Record;
use crate::host::{FileError, Files, Listing, Metadata};
use crate::parse::record;
use crate::path::Flavour;

/// So many missing files are named.
const MOST_NAMED: usize = 100;

/// Its own metadata, and bytecode, which comes and goes.
fn is_unimportant(path: &[u8], own: &[u8]) -> bool {
    path.strip_prefix(own).is_some_and(|rest| rest.starts_with(b"/")) || is_cache(path)
}

pub fn count_missing(
    files: &dyn Files,
    directories: &mut Directories,
    own: &[u8],
    bytes: &[u8],
    record: &mut Record,
) {
    let paths = || record::entries(bytes).map(|entry| entry.path).filter(|path| !is_unimportant(path, own));
    let mut is_gone = |path: &[u8]| {
        is_module(path) && !directories.has(files, path) && !directories.has_with_slashes(files, path)
    };
    if !paths().any(|path| is_gone(&path)) {
        return;
    }
    let mut others = Vec::new();
    for path in paths() {
        if directories.has(files, &path) || directories.has_with_slashes(files, &path) {
            continue;
        }
        let module = is_module(&path);
        record.missing_count += 1;
        record.missing_modules += usize::from(module);
        let named = if module { &mut record.missing } else { &mut others };
        if named.len() < MOST_NAMED {
            named.push(directories.site.directory.join(path).normalized());
        }
    }
    record.missing.extend(others);
    record.missing.truncate(MOST_NAMED);
}

/// The directories that a RECORD leads into, each looked at once.
pub struct Directories<'a> {
    site: &'a Site,
    /// What was seen of those that hold modules, and of others. Empty where nothing has changed.
    known: HashMap<Vec<u8>, Known>,
    /// When the RECORD was written.
    written: Option<(u64, u32)>,
}

enum Known {
    Unseen,
    Unchanged,
    Listed(Result<Listing, FileError>),
}

/// None where the time is not told.
fn changed(metadata: &Metadata) -> Option<(u64, u32)> {
    (metadata.modified > 0).then_some((metadata.modified, metadata.modified_nanoseconds))
}

impl<'a> Directories<'a> {
    pub fn new(site: &'a Site, written: Option<(u64, u32)>) -> Directories<'a> {
        Directories { site, known: HashMap::new(), written }
    }

    /// Whether any of these has changed since the RECORD was written. The directory of packages itself is not asked
    /// about: it is listed already.
    pub fn look(&mut self, files: &dyn Files, names: &Names) -> bool {
        let names = names.sorted();
        let found = files.metadata_below(&self.site.open, &names);
        let unchanged: Vec<bool> =
            found.into_iter().map(|found| is_unchanged(found.ok().as_ref(), self.written)).collect();
        if unchanged.iter().all(|unchanged| *unchanged) {
            return false;
        }
        let seen = names.iter().map(|name| name.to_vec()).zip(unchanged);
        self.known =
            seen.map(|(name, same)| (name, if same { Known::Unchanged } else { Known::Unseen })).collect();
        true
    }

    /// Whether it lies in the directory of packages itself, as far as that can be listed.
    pub fn has_in_site(&self, name: &[u8]) -> bool {
        let flavour = self.site.directory.flavour();
        self.site.listing.as_ref().is_none_or(|listing| holds(listing, name, flavour))
    }

    /// Wheels that were packed wrongly on Windows name files with backslashes. Installers make directories of them all
    /// the same, and write such rows on POSIX beside the right ones.
    fn has_with_slashes(&mut self, files: &dyn Files, path: &[u8]) -> bool {
        if self.site.directory.flavour() == Flavour::Windows || !path.contains(&b'\\') {
            return false;
        }
        let spelt: Vec<u8> = path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect();
        self.has(files, &spelt)
    }

    /// Whether it is there; what cannot be looked at counts as there.
    fn has(&mut self, files: &dyn Files, path: &[u8]) -> bool {
        let directory = split(path).0;
        let name = path.get(directory.len()..).unwrap_or_default();
        let name = name.strip_prefix(b"/").unwrap_or(name);
        let flavour = self.site.directory.flavour();
        if directory.is_empty() {
            return self.has_in_site(name);
        }
        let written = self.written;
        if matches!(self.known.get(directory), None | Some(Known::Unseen)) {
            let place = self.site.directory.join(directory).normalized();
            let known = match is_unchanged(files.metadata(&place).ok().as_ref(), written) {
                true => Known::Unchanged,
                false => Known::Listed(files.list(&place)),
            };
            self.known.insert(directory.to_vec(), known);
        }
        match self.known.get(directory) {
            Some(Known::Listed(Ok(listing))) => holds(listing, name, flavour),
            Some(Known::Listed(Err(FileError::Missing | FileError::NotADirectory))) => false,
            _ => true,
        }
    }
}

fn is_unchanged(directory: Option<&Metadata>, written: Option<(u64, u32)>) -> bool {
    matches!((directory.and_then(changed), written), (Some(changed), Some(written)) if changed <= written)
}

fn holds(listing: &Listing, name: &[u8], flavour: Flavour) -> bool {
    listing.truncated
        || listing.entries.binary_search_by(|entry| entry.name.as_slice().cmp(name)).is_ok()
        || (flavour == Flavour::Windows
            && listing.entries.iter().any(|entry| entry.name.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::distribution::SiteKind;
    use crate::host::fake::FakeMachine;
    use crate::path::HostPath;

    #[test]
    fn rows_with_backslashes_name_what_is_there_by_slashes() {
        let machine =
            FakeMachine::linux().file("/site/winrec/sub.py", "").file("/site/winrec/__init__.py", "");
        let directory = HostPath::posix("/site");
        let open = machine.open_directory(&directory);
        let site = Site { directory, open, kind: SiteKind::Own, listing: None, pth_files: Vec::new() };
        let missing = |rows: &[u8]| {
            let mut record = Record::default();
            let mut directories = Directories::new(&site, None);
            count_missing(&machine, &mut directories, b"winrec-1.dist-info", rows, &mut record);
            (record.missing_modules, record.missing)
        };
        assert_eq!(missing(b"winrec\\sub.py,,\nwinrec/sub.py,,\nwinrec\\__init__.py,,\n"), (0, Vec::new()));
        let gone = HostPath::posix("/site/winrec/gone.py");
        assert_eq!(missing(b"winrec\\sub.py,,\nwinrec/gone.py,,\n"), (1, vec![gone]));
        assert_eq!(missing(b"winrec/x\\gone.py,,\n").0, 1);
    }
}
