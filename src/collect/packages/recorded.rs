//! What a RECORD says, compared with what is there. Installers write it last: a directory that has not changed
//! since holds what was recorded. The others are listed; a look at each file would cost a system call for each.

use std::collections::HashMap;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::Site;
use super::modules::by_suffix;
use crate::facts::distribution::Record;
use crate::host::{FileError, Files, Listing, Metadata};
use crate::parse::record;
use crate::path::{Flavour, HostPath};

static CACHE: LazyLock<Finder> = LazyLock::new(|| Finder::new(b"__pycache__/"));

/// So many missing files are named.
const MOST_NAMED: usize = 100;

#[derive(Debug, Default)]
pub struct Recorded {
    pub record: Record,
    /// Top-level modules.
    pub modules: Vec<String>,
    /// Names of files in `bin` or `Scripts`, and of `.pth` files and setuptools' finders in the site.
    pub scripts: Vec<String>,
    pub pth_files: Vec<String>,
    pub finders: Vec<String>,
    /// First names of the paths of modules: what may be shared with another distribution.
    pub roots: Vec<Vec<u8>>,
}

pub fn read(files: &dyn Files, site: &Site, metadata: &HostPath, bytes: &[u8], compare: bool) -> Recorded {
    let own = metadata.file_name().unwrap_or_default();
    let mut recorded = Recorded::default();
    let mut directories = Directories::new(site);
    for entry in record::entries(bytes) {
        recorded.record.files += 1;
        let path = entry.path.as_ref();
        if is_unimportant(path, own) {
            continue;
        }
        note_name(&mut recorded, path);
        if is_module(path) {
            recorded.record.modules += 1;
            note_root(&mut recorded.roots, path);
            if compare {
                directories.add(directory_of(path));
            }
        }
    }
    // data and tests are looked for only where modules may be gone: nobody misses a translation at import
    if compare && directories.look(files, &metadata.join("RECORD")) {
        count_missing(files, &mut directories, own, bytes, &mut recorded.record);
    }
    recorded
}

/// Its own metadata, and bytecode, which comes and goes.
fn is_unimportant(path: &[u8], own: &[u8]) -> bool {
    path.strip_prefix(own).is_some_and(|rest| rest.starts_with(b"/")) || is_cache(path)
}

fn count_missing(
    files: &dyn Files,
    directories: &mut Directories,
    own: &[u8],
    bytes: &[u8],
    record: &mut Record,
) {
    let paths = || record::entries(bytes).map(|entry| entry.path).filter(|path| !is_unimportant(path, own));
    if !paths().any(|path| is_module(&path) && !directories.has(files, &path)) {
        return;
    }
    let mut others = Vec::new();
    for path in paths() {
        if directories.has(files, &path) {
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

fn directory_of(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).and_then(|at| path.get(..at)).unwrap_or_default()
}

/// The first name of a path: what two distributions share when they share a file.
pub fn root_of(path: &[u8]) -> &[u8] {
    memchr::memchr(b'/', path).and_then(|at| path.get(..at)).unwrap_or(path)
}

fn note_root(roots: &mut Vec<Vec<u8>>, path: &[u8]) {
    let root = root_of(path);
    if roots.last().is_none_or(|last| last != root) && !roots.iter().any(|known| known == root) {
        roots.push(root.to_vec());
    }
}

/// Bytecode comes and goes.
pub fn is_cache(path: &[u8]) -> bool {
    path.ends_with(b".pyc")
        || path.ends_with(b".pyo")
        || path.ends_with(b"/")
        || CACHE.find_iter(path).any(|at| at == 0 || path.get(at - 1) == Some(&b'/'))
}

/// A module, or a library that modules load, outside of tests: what an import may need.
pub fn is_module(path: &[u8]) -> bool {
    if path.starts_with(b"..") || path.starts_with(b"/") {
        return false;
    }
    let name = memchr::memrchr(b'/', path).and_then(|at| path.get(at + 1..)).unwrap_or(path);
    let code = name.ends_with(b".py")
        || name.ends_with(b".so")
        || name.ends_with(b".pyd")
        || name.ends_with(b".dylib")
        || name.ends_with(b".dll")
        || crate::parse::find(name, b".so.").is_some();
    code && !is_aside(path)
}

/// Tests and documentation, which are deleted to save space.
pub fn is_aside(path: &[u8]) -> bool {
    path.split(|byte| *byte == b'/').any(|part| {
        matches!(part, b"tests" | b"test" | b"docs" | b"doc" | b"examples" | b"benchmarks" | b"conftest.py")
    })
}

/// Top-level names, `.pth` files and finders.
fn note_name(recorded: &mut Recorded, path: &[u8]) {
    let mut parts = path.splitn(2, |byte| *byte == b'/');
    let (Some(first), rest) = (parts.next(), parts.next()) else { return };
    if first == b".." {
        let mut names = path.rsplit(|byte| *byte == b'/');
        if let (Some(name), Some(b"bin" | b"Scripts")) = (names.next(), names.next()) {
            recorded.scripts.push(String::from_utf8_lossy(name).into_owned());
        }
        return;
    }
    if rest.is_some() && recorded.modules.last().is_some_and(|last| last.as_bytes() == first) {
        return;
    }
    let Ok(first) = std::str::from_utf8(first) else { return };
    let name = match rest {
        Some(rest) => {
            let name = rest.rsplit(|byte| *byte == b'/').next().unwrap_or(rest);
            let importable = std::str::from_utf8(name).ok().and_then(by_suffix).is_some();
            if !importable || first.contains('.') || first.contains('-') {
                return;
            }
            first
        }
        None if first.ends_with(".pth") => {
            recorded.pth_files.push(first.to_owned());
            return;
        }
        None if first.starts_with("__editable__") => {
            recorded.finders.push(first.to_owned());
            return;
        }
        None => match by_suffix(first) {
            Some((stem, _)) => stem,
            None => return,
        },
    };
    if recorded.modules.last().is_none_or(|last| last != name)
        && !recorded.modules.iter().any(|known| known == name)
    {
        recorded.modules.push(name.to_owned());
    }
}

/// The directories that a RECORD leads into, each looked at once.
struct Directories<'a> {
    site: &'a Site,
    /// Those that hold modules, in the order of their first file.
    names: Vec<Vec<u8>>,
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
    fn new(site: &'a Site) -> Directories<'a> {
        Directories { site, names: Vec::new(), known: HashMap::new(), written: None }
    }

    fn add(&mut self, directory: &[u8]) {
        // files of one directory mostly follow one another
        if self.names.last().is_some_and(|last| last == directory) || self.known.contains_key(directory) {
            return;
        }
        self.names.push(directory.to_vec());
        self.known.insert(directory.to_vec(), Known::Unseen);
    }

    /// Whether any of them has changed since the RECORD was written.
    fn look(&mut self, files: &dyn Files, record: &HostPath) -> bool {
        let mut paths: Vec<&[u8]> = vec![record.as_bytes()];
        paths.extend(self.names.iter().filter(|name| !name.is_empty()).map(Vec::as_slice));
        let mut found = files.metadata_below(&self.site.directory, &paths).into_iter();
        self.written = found.next().and_then(|record| changed(&record.ok()?));
        let mut any = false;
        for name in &self.names {
            let unchanged = !name.is_empty()
                && found.next().is_some_and(|found| is_unchanged(found.ok().as_ref(), self.written));
            any |= !unchanged;
            if let Some(known) = self.known.get_mut(name).filter(|_| unchanged) {
                *known = Known::Unchanged;
            }
        }
        any
    }

    /// Whether it is there; what cannot be looked at counts as there.
    fn has(&mut self, files: &dyn Files, path: &[u8]) -> bool {
        let directory = directory_of(path);
        let name = path.get(directory.len()..).unwrap_or_default();
        let name = name.strip_prefix(b"/").unwrap_or(name);
        let flavour = self.site.directory.flavour();
        if directory.is_empty() {
            return self.site.listing.as_ref().is_none_or(|listing| holds(listing, name, flavour));
        }
        let written = self.written;
        let known = self.known.entry(directory.to_vec()).or_insert(Known::Unseen);
        if let Known::Unseen = known {
            let place = self.site.directory.join(directory).normalized();
            *known = match is_unchanged(files.metadata(&place).ok().as_ref(), written) {
                true => Known::Unchanged,
                false => Known::Listed(files.list(&place)),
            };
        }
        match known {
            Known::Listed(Ok(listing)) => holds(listing, name, flavour),
            Known::Listed(Err(FileError::Missing | FileError::NotADirectory)) => false,
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
