//! `PATH` entry by entry, and what the shell would run for a name.
//!
//! The search is POSIX's (XBD 8.3, `PATH`): from front to back, the first regular file that may be executed;
//! an empty entry is the working directory. On Windows `PATHEXT` supplies the endings. What a search skips in
//! silence (no execute bit, a link to nothing, a directory) is kept as a near miss.

use std::collections::HashMap;

use crate::facts::search_path::{
    Command, DirectoryOwner, EntryState, Hit, HitState, SearchEntry, SearchPath, Spelling,
};
use crate::host::{FileError, FileKind, Host, OpenDirectory};
use crate::path::{Flavour, HostPath, readable};

mod owner;
mod shims;
mod target;

pub use target::interpreter_environment;

/// So many entries are looked at. A longer `PATH` is an accident, and a search of it is slow for everybody.
pub const ENTRY_LIMIT: usize = 4_000;

/// The second opinion is asked only of a `PATH` of ordinary length.
const SECOND_OPINION_LIMIT: usize = 256;

/// Asked for in every directory.
const NAMES: &[&str] = &["python", "python2", "python3", "pip", "pip2", "pip3"];

/// The second opinion is asked about these.
const SECOND_OPINIONS: &[&str] = &["python", "python3", "pip"];

/// Minor versions whose names are looked for: what is still met, and the releases of the next years. Single
/// `lstat`s, because a listing of `/usr/bin`, or of a Windows directory seen from WSL, takes far longer.
const MINORS: std::ops::RangeInclusive<u32> = 6..=19;

/// The first minor version that comes free-threaded too (PEP 703).
const FIRST_FREE_THREADED: u32 = 13;

/// The entries of a `PATH` value. None: `PATH` is not set at all.
pub fn search_path(host: &dyn Host, shell_path_value: Option<&[u8]>) -> SearchPath {
    let Some(value) = shell_path_value else { return SearchPath::default() };
    let flavour = host.platform().flavour();
    let raw: Vec<&[u8]> = split(flavour, value);
    let mut reader = Reader {
        host,
        flavour,
        working_directory: host.working_directory().ok(),
        home: host.home(),
        places: owner::Places::new(host),
        endings: endings(host),
        by_spelling: HashMap::new(),
        by_place: HashMap::new(),
        real_parents: HashMap::new(),
        entries: Vec::new(),
    };
    for entry in raw.iter().take(ENTRY_LIMIT) {
        reader.read(entry);
    }
    SearchPath { set: true, entries: reader.entries, left_out: raw.len().saturating_sub(ENTRY_LIMIT) }
}

/// Windows allows quotes around an entry, which may then hold a semicolon.
fn split(flavour: Flavour, value: &[u8]) -> Vec<&[u8]> {
    if flavour == Flavour::Posix {
        return value.split(|byte| *byte == b':').collect();
    }
    let mut quoted = false;
    value
        .split(|byte| {
            quoted ^= *byte == b'"';
            !quoted && *byte == b';'
        })
        .map(|entry| entry.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(entry))
        .collect()
}

/// What may follow a name: nothing, or on Windows the endings of `PATHEXT`.
fn endings(host: &dyn Host) -> Vec<String> {
    match host.platform().flavour() {
        Flavour::Posix => vec![String::new()],
        Flavour::Windows => host
            .text_variable("PATHEXT")
            .unwrap_or_else(|| ".COM;.EXE;.BAT;.CMD".to_owned())
            .split(';')
            .filter(|ending| ending.starts_with('.'))
            .map(str::to_ascii_lowercase)
            .collect(),
    }
}

/// Names of files that answer to a name: `python`, or `python.exe`, `python.bat`...
fn files_for(endings: &[String], name: &str) -> Vec<String> {
    let lower = name.to_ascii_lowercase();
    if endings.iter().any(|ending| !ending.is_empty() && lower.ends_with(ending.as_str())) {
        return vec![name.to_owned()];
    }
    endings.iter().map(|ending| format!("{name}{ending}")).collect()
}

struct Reader<'a> {
    host: &'a dyn Host,
    flavour: Flavour,
    working_directory: Option<HostPath>,
    home: Option<HostPath>,
    places: owner::Places,
    endings: Vec<String>,
    by_spelling: HashMap<Vec<u8>, usize>,
    by_place: HashMap<Vec<u8>, usize>,
    /// Directories of a long `PATH` lie side by side: the one above them is resolved once.
    real_parents: HashMap<Vec<u8>, Option<HostPath>>,
    entries: Vec<SearchEntry>,
}

impl Reader<'_> {
    fn read(&mut self, raw: &[u8]) {
        let index = self.entries.len();
        let spelling = spelling(self.flavour, raw);
        let mut entry = SearchEntry {
            index,
            raw: readable(raw).into_owned(),
            directory: self.directory(spelling, raw),
            real: None,
            state: EntryState::Missing,
            spelling,
            duplicate_of: None,
            owner: None,
            environment: None,
            names: Vec::new(),
        };
        if let Some(directory) = entry.directory.clone() {
            self.look_at(&mut entry, &directory);
        }
        self.entries.push(entry);
    }

    fn directory(&self, spelling: Spelling, raw: &[u8]) -> Option<HostPath> {
        let written = match spelling {
            Spelling::Absolute => HostPath::new(self.flavour, raw),
            // cmd and PowerShell pass over an empty entry
            Spelling::Empty if self.flavour == Flavour::Windows => None,
            Spelling::Empty => self.working_directory.clone(),
            Spelling::Relative => self.working_directory.as_ref().map(|directory| directory.join(raw)),
            Spelling::Tilde => {
                let below = raw.get(2..).unwrap_or_default();
                self.home.as_ref().map(|home| home.join(below))
            }
        }?;
        // behind a link, `..` is not what its spelling says
        if written.components().any(|name| name == b"..")
            && let Ok(real) = self.host.canonical(&written)
        {
            return Some(real);
        }
        Some(written.normalized())
    }

    fn look_at(&mut self, entry: &mut SearchEntry, directory: &HostPath) {
        let key = key(directory);
        if let Some(first) = self.by_spelling.get(&key) {
            let first = &self.entries[*first];
            *entry = SearchEntry {
                duplicate_of: Some(first.duplicate_of.unwrap_or(first.index)),
                index: entry.index,
                raw: std::mem::take(&mut entry.raw),
                spelling: entry.spelling,
                ..first.clone()
            };
            return;
        }
        self.by_spelling.insert(key, entry.index);
        let link = self.host.link_metadata(directory);
        let is_link = link.as_ref().is_ok_and(|metadata| metadata.kind == FileKind::Link);
        let metadata = if is_link { self.host.metadata(directory) } else { link };
        entry.state = match metadata {
            Ok(metadata) if metadata.kind == FileKind::Directory => EntryState::Directory,
            Ok(_) | Err(FileError::NotADirectory) => EntryState::NotADirectory,
            Err(FileError::Denied) => EntryState::Denied,
            Err(_) => EntryState::Missing,
        };
        if entry.state == EntryState::Directory {
            entry.real = if is_link { self.host.canonical(directory).ok() } else { self.real(directory) };
            entry.environment = environment(self.host, directory);
        }
        entry.owner =
            self.places.owner(self.host, directory, entry.real.as_ref(), entry.environment.as_ref());
        let Some(real) = &entry.real else { return };
        match self.by_place.get(real.as_bytes()) {
            Some(first) => {
                entry.duplicate_of = Some(*first);
                entry.state = self.entries[*first].state;
                entry.names = self.entries[*first].names.clone();
            }
            None => {
                self.by_place.insert(real.as_bytes().to_vec(), entry.index);
                self.look_for_names(entry, directory);
            }
        }
    }

    /// The real place of a directory that is no link itself.
    fn real(&mut self, directory: &HostPath) -> Option<HostPath> {
        // on Windows the real place has the case of the disk
        let (Flavour::Posix, Some(parent)) = (self.flavour, directory.parent()) else {
            return self.host.canonical(directory).ok();
        };
        let host = self.host;
        let real = self.real_parents.entry(key(&parent)).or_insert_with(|| host.canonical(&parent).ok());
        Some(real.as_ref()?.join(directory.file_name()?))
    }

    fn look_for_names(&self, entry: &mut SearchEntry, directory: &HostPath) {
        for name in NAMES {
            match self.holds(directory, name) {
                Ok(true) => entry.names.push((*name).to_owned()),
                Ok(false) => {}
                Err(_) => {
                    entry.state = EntryState::Denied;
                    return;
                }
            }
        }
        // a versioned name alone (`make altinstall`) is met in the usual places only
        let usual = matches!(
            entry.owner,
            Some(DirectoryOwner::System | DirectoryOwner::UserBase | DirectoryOwner::Homebrew)
        );
        if entry.names.is_empty() && !usual {
            return;
        }
        let mut versioned = vec!["python2.7".to_owned(), "pip2.7".to_owned()];
        for minor in MINORS {
            versioned.push(format!("python3.{minor}"));
            versioned.push(format!("pip3.{minor}"));
            if minor >= FIRST_FREE_THREADED {
                versioned.push(format!("python3.{minor}t"));
            }
        }
        let open = self.host.open_directory(directory);
        let held = held(self.host, &open, &self.endings, &versioned);
        entry.names.extend(versioned.into_iter().zip(held).filter(|(_, held)| *held).map(|(name, _)| name));
    }

    /// Whether something of that name lies there. An error: the directory may not be searched.
    fn holds(&self, directory: &HostPath, name: &str) -> Result<bool, FileError> {
        for file in files_for(&self.endings, name) {
            match self.host.link_metadata(&directory.join(file)) {
                Ok(_) => return Ok(true),
                Err(FileError::Denied) => return Err(FileError::Denied),
                Err(_) => {}
            }
        }
        Ok(false)
    }
}

/// Whether something of each name lies in a directory.
fn held(
    host: &dyn Host,
    directory: &OpenDirectory,
    endings: &[String],
    names: &[impl AsRef<str>],
) -> Vec<bool> {
    let files: Vec<Vec<String>> = names.iter().map(|name| files_for(endings, name.as_ref())).collect();
    let paths: Vec<&[u8]> = files.iter().flatten().map(String::as_bytes).collect();
    let mut found = host.link_metadata_below(directory, &paths).into_iter();
    files.iter().map(|files| found.by_ref().take(files.len()).filter(Result::is_ok).count() > 0).collect()
}

/// A normalised path for comparing: without case on Windows.
fn key(path: &HostPath) -> Vec<u8> {
    match path.flavour() {
        Flavour::Posix => path.as_bytes().to_vec(),
        Flavour::Windows => path.as_bytes().to_ascii_lowercase(),
    }
}

fn spelling(flavour: Flavour, raw: &[u8]) -> Spelling {
    match raw {
        [] => Spelling::Empty,
        [b'~'] | [b'~', b'/', ..] => Spelling::Tilde,
        [b'~', b'\\', ..] if flavour == Flavour::Windows => Spelling::Tilde,
        _ if flavour.is_absolute(raw) => Spelling::Absolute,
        _ => Spelling::Relative,
    }
}

/// The environment whose directory of programs this is.
fn environment(host: &dyn Host, directory: &HostPath) -> Option<HostPath> {
    let conda = |prefix: &HostPath| host.is_directory(&prefix.join("conda-meta"));
    let name = directory.name().to_ascii_lowercase();
    match host.platform().flavour() {
        Flavour::Posix => {
            let prefix = directory.parent().filter(|_| name == "bin")?;
            (host.is_file(&prefix.join("pyvenv.cfg")) || conda(&prefix)).then_some(prefix)
        }
        Flavour::Windows => {
            let above = directory.parent().filter(|_| name == "scripts" || name == "bin");
            // a conda environment's programs are in its root, in Scripts and in Library\bin
            let venv = above.clone().filter(|prefix| host.is_file(&prefix.join("pyvenv.cfg")));
            let library = above.as_ref().filter(|_| name == "bin").and_then(HostPath::parent);
            let candidates = [Some(directory.clone()), above, library];
            venv.or_else(|| candidates.into_iter().flatten().find(conda))
        }
    }
}

/// What each name would run, and what nearly was run. Hits are in the order of `PATH`; a directory that stands
/// there twice counts once, and an entry `~/...` is passed over: only an interactive bash expands it.
pub fn commands(host: &dyn Host, search_path: &SearchPath, names: &[&str]) -> Vec<Command> {
    let search = Search::new(host, search_path, names);
    let second_opinion = asks_second_opinion(host, search_path);
    let command = |name: &&str| {
        let hits = search.hits(name);
        let chosen = hits.iter().find(|hit| hit.state == HitState::Runnable);
        let asked = second_opinion && SECOND_OPINIONS.contains(name);
        let which_disagrees = asked
            .then(|| host.which(name))
            .flatten()
            .filter(|found| !chosen.is_some_and(|hit| is_same(host, &hit.path, found)));
        Command { name: (*name).to_owned(), hits, which_disagrees }
    };
    names.iter().map(command).collect()
}

/// The second opinion is of the doctor's own `PATH`, which behind a wrapper is not the shell's.
fn asks_second_opinion(host: &dyn Host, search_path: &SearchPath) -> bool {
    let Some(own) = host.variable("PATH") else { return false };
    let own = split(host.platform().flavour(), &own);
    search_path.left_out == 0
        && own.len() <= SECOND_OPINION_LIMIT
        && own.len() == search_path.entries.len()
        && own.iter().zip(&search_path.entries).all(|(own, entry)| readable(own) == entry.raw)
}

fn is_same(host: &dyn Host, left: &HostPath, right: &HostPath) -> bool {
    left.same_as(right) || {
        // two spellings of one directory, the same name in it
        let place = |path: &HostPath| path.parent().and_then(|directory| host.canonical(&directory).ok());
        left.file_name() == right.file_name() && place(left).is_some() && place(left) == place(right)
    }
}

/// A search of `PATH`.
struct Search<'a> {
    host: &'a dyn Host,
    entries: &'a [SearchEntry],
    endings: Vec<String>,
    /// The indexes of the entries that hold something of a name, for names that every entry was asked for.
    holding: HashMap<String, Vec<usize>>,
}

/// A file that a search came by.
struct Found<'a> {
    entry: &'a SearchEntry,
    path: HostPath,
    state: HitState,
}

impl<'a> Search<'a> {
    fn new(host: &'a dyn Host, search_path: &'a SearchPath, names: &[&str]) -> Search<'a> {
        let endings = endings(host);
        let mut holding: HashMap<String, Vec<usize>> =
            NAMES.iter().chain(names).map(|name| ((*name).to_owned(), Vec::new())).collect();
        let others: Vec<&str> = names.iter().copied().filter(|name| !NAMES.contains(name)).collect();
        for entry in search_path.entries.iter().filter(|entry| is_searched(entry)) {
            let mut found: Vec<&str> = entry.names.iter().map(String::as_str).collect();
            if let Some(directory) = &entry.directory {
                let held = held(host, &host.open_directory(directory), &endings, &others);
                found.extend(others.iter().zip(held).filter(|(_, held)| *held).map(|(name, _)| *name));
            }
            for name in found {
                holding.entry(name.to_owned()).and_modify(|entries| entries.push(entry.index));
            }
        }
        Search { host, entries: &search_path.entries, endings, holding }
    }

    fn hits(&self, name: &str) -> Vec<Hit> {
        self.files(name)
            .map(|found| Hit {
                entry: found.entry.index,
                leads_to: self.leads_to(&found, name),
                path: found.path,
                state: found.state,
            })
            .collect()
    }

    fn files<'s>(&'s self, name: &str) -> impl Iterator<Item = Found<'a>> + use<'a, 's> {
        let files = files_for(&self.endings, name);
        let host = self.host;
        let holding = self.holding.get(name);
        self.entries
            .iter()
            .filter(|entry| is_searched(entry))
            .filter(move |entry| holding.is_none_or(|entries| entries.contains(&entry.index)))
            .flat_map(move |entry| {
                let directory = entry.directory.clone();
                let found: Vec<Found<'a>> = directory
                    .into_iter()
                    .flat_map(|directory| files.iter().map(move |file| directory.join(file)))
                    .filter_map(|path| {
                        let state = state(host, &path, entry.owner)?;
                        Some(Found { entry, path, state })
                    })
                    .collect();
                found
            })
    }

    /// What would be run for the name, outside directories of this owner.
    fn runnable(&self, name: &str, except: Option<DirectoryOwner>) -> Option<Found<'a>> {
        self.files(name).find(|found| {
            found.state == HitState::Runnable && (except.is_none() || found.entry.owner != except)
        })
    }
}

fn is_searched(entry: &SearchEntry) -> bool {
    entry.state == EntryState::Directory && entry.duplicate_of.is_none() && entry.spelling != Spelling::Tilde
}

/// How a search sees a file. None: there is nothing of that name.
fn state(host: &dyn Host, path: &HostPath, owner: Option<DirectoryOwner>) -> Option<HitState> {
    host.link_metadata(path).ok()?;
    Some(match host.metadata(path) {
        Ok(metadata) => match metadata.kind {
            FileKind::Directory => HitState::Directory,
            FileKind::File if host.can_execute(path) => HitState::Runnable,
            FileKind::File | FileKind::Link | FileKind::Other => HitState::NotExecutable,
        },
        // an app execution alias runs, though nothing can follow it
        Err(_) if owner == Some(DirectoryOwner::WindowsApps) => HitState::Runnable,
        Err(FileError::Loop) => HitState::Loop,
        Err(FileError::Denied) => HitState::Denied,
        Err(_) => HitState::Dangling,
    })
}

#[cfg(test)]
mod tests;
