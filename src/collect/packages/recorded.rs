//! What a RECORD says, compared with what is there. Installers write it last: a directory that has not changed
//! since holds what was recorded. The others are listed; a look at each file would cost a system call for each.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::Site;
use super::modules::by_suffix;
use crate::facts::distribution::Record;
use crate::host::{FileError, Files, Listing};
use crate::parse::record::{self, Entry};
use crate::path::{Flavour, HostPath};

/// So many missing files are named.
const MOST_NAMED: usize = 100;

/// A module file that a distribution owns: hashes of its path below the site, and of its recorded hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    pub path: u64,
    pub content: u64,
}

#[derive(Debug, Default)]
pub struct Recorded {
    pub record: Record,
    /// Top-level modules.
    pub modules: Vec<String>,
    /// Names of files in `bin` or `Scripts`, and of `.pth` files and setuptools' finders in the site.
    pub scripts: Vec<String>,
    pub pth_files: Vec<String>,
    pub finders: Vec<String>,
    pub claims: Vec<Claim>,
}

pub fn read(files: &dyn Files, site: &Site, metadata: &HostPath, bytes: &[u8], compare: bool) -> Recorded {
    let own = metadata.file_name().unwrap_or_default();
    let mut recorded = Recorded::default();
    let written = if compare { changed(files, &metadata.join("RECORD")) } else { None };
    let mut directories = Directories { files, site, written, known: HashMap::new() };
    let mut others = Vec::new();
    for entry in record::entries(bytes) {
        recorded.record.files += 1;
        let path = entry.path.as_ref();
        let in_own = path.strip_prefix(own).is_some_and(|rest| rest.starts_with(b"/"));
        if in_own || is_cache(path) {
            continue;
        }
        note_name(&mut recorded, path);
        let module = is_module(path);
        if module {
            recorded.record.modules += 1;
            recorded.claims.extend(claim(&entry));
        }
        if compare && !directories.has(path) {
            recorded.record.missing_count += 1;
            recorded.record.missing_modules += usize::from(module);
            let named = if module { &mut recorded.record.missing } else { &mut others };
            if named.len() < MOST_NAMED {
                named.push(site.directory.join(path).normalized());
            }
        }
    }
    recorded.record.missing.extend(others);
    recorded.record.missing.truncate(MOST_NAMED);
    recorded
}

/// Bytecode comes and goes.
pub fn is_cache(path: &[u8]) -> bool {
    path.ends_with(b".pyc")
        || path.ends_with(b".pyo")
        || path.ends_with(b"/")
        || path.starts_with(b"__pycache__/")
        || crate::parse::find(path, b"/__pycache__/").is_some()
}

/// A module, or a library that modules load, outside of tests: what an import may need.
pub fn is_module(path: &[u8]) -> bool {
    if path.starts_with(b"..") || path.starts_with(b"/") {
        return false;
    }
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
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

fn claim(entry: &Entry) -> Option<Claim> {
    (!entry.hash.is_empty()).then(|| Claim { path: hashed(&entry.path), content: hashed(&entry.hash) })
}

pub fn hashed(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// The directories that a RECORD leads into, each listed once.
struct Directories<'a> {
    files: &'a dyn Files,
    site: &'a Site,
    /// When the RECORD was.
    written: Option<(u64, u32)>,
    known: HashMap<Vec<u8>, Known>,
}

enum Known {
    Unchanged,
    Listed(Result<Listing, FileError>),
}

/// None where the time is not told.
fn changed(files: &dyn Files, path: &HostPath) -> Option<(u64, u32)> {
    let metadata = files.metadata(path).ok()?;
    (metadata.modified > 0).then_some((metadata.modified, metadata.modified_nanoseconds))
}

impl Directories<'_> {
    /// Whether it is there; what cannot be looked at counts as there.
    fn has(&mut self, path: &[u8]) -> bool {
        let (directory, name) = match path.iter().rposition(|byte| *byte == b'/') {
            Some(at) => (&path[..at], &path[at + 1..]),
            None => (&b""[..], path),
        };
        let flavour = self.site.directory.flavour();
        if directory.is_empty() {
            return self.site.listing.as_ref().is_none_or(|listing| holds(listing, name, flavour));
        }
        if !self.known.contains_key(directory) {
            let known = self.look(&self.site.directory.join(directory).normalized());
            self.known.insert(directory.to_vec(), known);
        }
        match self.known.get(directory) {
            Some(Known::Listed(Ok(listing))) => holds(listing, name, flavour),
            Some(Known::Listed(Err(FileError::Missing | FileError::NotADirectory))) => false,
            _ => true,
        }
    }

    fn look(&self, directory: &HostPath) -> Known {
        let changed = changed(self.files, directory);
        match (changed, self.written) {
            (Some(changed), Some(written)) if changed <= written => Known::Unchanged,
            _ => Known::Listed(self.files.list(directory)),
        }
    }
}

fn holds(listing: &Listing, name: &[u8], flavour: Flavour) -> bool {
    listing.truncated
        || listing.entries.binary_search_by(|entry| entry.name.as_slice().cmp(name)).is_ok()
        || (flavour == Flavour::Windows
            && listing.entries.iter().any(|entry| entry.name.eq_ignore_ascii_case(name)))
}
