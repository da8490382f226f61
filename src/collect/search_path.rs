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
mod tests {
    use super::*;
    use crate::facts::search_path::{Absent, ShimManager, Target};
    use crate::host::Mount;
    use crate::host::fake::FakeMachine;

    const ELF: &str = "\x7fELF";

    fn debian() -> FakeMachine {
        FakeMachine::linux()
            .executable("/usr/bin/python3.11", ELF)
            .link("/usr/bin/python3", "python3.11")
            .executable("/usr/bin/pip3", "#!/usr/bin/python3\n")
    }

    fn with_venv(machine: FakeMachine, root: &str) -> FakeMachine {
        machine
            .file(format!("{root}/pyvenv.cfg"), "home = /usr/bin")
            .link(format!("{root}/bin/python"), "/usr/bin/python3")
            .link(format!("{root}/bin/python3"), "python")
            .executable(format!("{root}/bin/pip"), format!("#!{root}/bin/python\n"))
    }

    fn read(machine: &FakeMachine) -> SearchPath {
        search_path(machine, machine.variable("PATH").as_deref())
    }

    fn command(machine: &FakeMachine, name: &str) -> Command {
        commands(machine, &read(machine), &[name]).remove(0)
    }

    fn chosen(machine: &FakeMachine, name: &str) -> Option<(String, Target)> {
        let command = command(machine, name);
        command.chosen().map(|hit| (hit.path.to_text().into_owned(), hit.leads_to.clone()))
    }

    fn root(text: &str) -> Option<HostPath> {
        Some(HostPath::posix(text))
    }

    #[test]
    fn unset_is_not_empty() {
        let machine = debian();
        assert_eq!(search_path(&machine, None), SearchPath::default());
        let empty = search_path(&machine, Some(b""));
        assert!(empty.set);
        assert_eq!(empty.entries[0].spelling, Spelling::Empty);
        assert_eq!(empty.entries[0].directory, root("/home/me"));
    }

    #[test]
    fn reads_entries_as_written_and_as_meant() {
        let machine = debian()
            .dir("/home/me/bin")
            .file("/file", "")
            .dir("/shut")
            .deny("/shut")
            .link("/bin", "usr/bin")
            .cwd("/p")
            .dir("/p/tools")
            .variable(
                "PATH",
                b"/usr/bin/:tools:~/bin::/none:/file:/shut:/bin:/usr//bin:/caf\xe9:/usr/../p/tools",
            );
        let found = read(&machine);
        let states: Vec<_> = found.entries.iter().map(|entry| (entry.spelling, entry.state)).collect();
        use EntryState as State;
        assert_eq!(
            states,
            [
                (Spelling::Absolute, State::Directory),
                (Spelling::Relative, State::Directory),
                (Spelling::Tilde, State::Directory),
                (Spelling::Empty, State::Directory),
                (Spelling::Absolute, State::Missing),
                (Spelling::Absolute, State::NotADirectory),
                (Spelling::Absolute, State::Denied),
                (Spelling::Absolute, State::Directory),
                (Spelling::Absolute, State::Directory),
                (Spelling::Absolute, State::Missing),
                (Spelling::Absolute, State::Directory),
            ]
        );
        assert_eq!(found.entries[0].names, ["python3", "pip3", "python3.11"]);
        assert_eq!(found.entries[0].directory, root("/usr/bin"));
        assert_eq!(found.entries[0].owner, Some(DirectoryOwner::System));
        assert_eq!(found.entries[1].directory, root("/p/tools"));
        assert_eq!(found.entries[2].directory, root("/home/me/bin"));
        assert_eq!(found.entries[3].directory, root("/p"));
        let duplicates: Vec<_> = found.entries.iter().map(|entry| entry.duplicate_of).collect();
        assert_eq!(duplicates[7..], [Some(0), Some(0), None, Some(1)]);
        assert_eq!(found.entries[7].real, root("/usr/bin"));
        assert_eq!(found.entries[7].names, found.entries[0].names);
        assert_eq!(found.entries[9].raw, "/caf\\xe9");
        assert_eq!(found.entries[9].directory, Some(HostPath::posix(b"/caf\xe9")));
    }

    #[test]
    fn a_deleted_working_directory_is_nowhere() {
        let machine = debian().without_cwd().variable("PATH", ":x:/usr/bin");
        let found = read(&machine);
        assert_eq!((&found.entries[0].directory, &found.entries[1].directory), (&None, &None));
        assert!(chosen(&machine, "python3").is_some());
    }

    #[test]
    fn knows_whose_a_directory_is() {
        let machine = with_venv(debian(), "/p/.venv")
            .dir("/c/env/conda-meta")
            .dir("/c/env/bin")
            .file("/home/me/.local/share/pipx/venvs/black/pyvenv.cfg", "")
            .dir("/home/me/.local/share/pipx/venvs/black/bin")
            .dir("/home/me/.pyenv/versions/3.12.1/bin")
            .dir("/opt/homebrew/opt/python@3.12/libexec/bin");
        let of = |path: &str| {
            let found = search_path(&machine, Some(path.as_bytes()));
            (found.entries[0].owner, found.entries[0].environment.clone())
        };
        use DirectoryOwner as Owner;
        assert_eq!(of("/p/.venv/bin"), (Some(Owner::Venv), root("/p/.venv")));
        assert_eq!(of("/c/env/bin"), (Some(Owner::Conda), root("/c/env")));
        let pipx = "/home/me/.local/share/pipx/venvs/black";
        assert_eq!(of(&format!("{pipx}/bin")), (Some(Owner::Pipx), root(pipx)));
        for (path, owner) in [
            ("/home/me/.local/bin", Owner::UserBase),
            ("/home/me/.pyenv/shims", Owner::PyenvShims),
            ("/home/me/.pyenv/versions/3.12.1/bin", Owner::PyenvVersion),
            ("/home/me/.asdf/shims", Owner::AsdfShims),
            ("/home/me/.local/share/mise/shims", Owner::MiseShims),
            ("/home/me/.local/share/mise/installs/python/3.12/bin", Owner::MiseInstall),
            ("/home/me/.local/share/uv/python/cpython-3.12/bin", Owner::UvPython),
            ("/opt/homebrew/opt/python@3.12/libexec/bin", Owner::Homebrew),
            ("/nix/store/x/bin", Owner::Nix),
            ("/opt/miniconda/condabin", Owner::Conda),
            ("/usr/local/bin", Owner::System),
        ] {
            assert_eq!(of(path), (Some(owner), None), "{path}");
        }
        assert_eq!(of("/somewhere/bin"), (None, None));
    }

    #[test]
    fn keeps_what_a_search_skips() {
        let machine = debian()
            .file("/a/python3", ELF)
            .link("/b/python3", "/gone/python3")
            .link("/c/python3", "python3")
            .dir("/d/python3")
            .executable("/e/python3", ELF)
            .mounted("/e", Mount { noexec: true, read_only: false })
            .executable("/secret/python3", ELF)
            .deny("/secret")
            .link("/f/python3", "/secret/python3")
            .special("/g/python3")
            .variable("PATH", "/a:/b:/c:/d:/e:/f:/g:/usr/bin");
        let command = command(&machine, "python3");
        let states: Vec<HitState> = command.hits.iter().map(|hit| hit.state).collect();
        use HitState::*;
        assert_eq!(
            states,
            [NotExecutable, Dangling, Loop, Directory, NotExecutable, Denied, NotExecutable, Runnable]
        );
        assert_eq!(command.chosen().map(|hit| hit.entry), Some(7));
        assert_eq!(command.near_misses().count(), 7);
        assert_eq!(command.which_disagrees, None);
    }

    #[test]
    fn a_repeated_directory_counts_once() {
        let machine = debian().link("/bin", "usr/bin").variable("PATH", "/usr/bin:/bin:/usr/bin/");
        assert_eq!(command(&machine, "python3").hits.len(), 1);
        assert_eq!(command(&machine, "python3.11").hits.len(), 1);
    }

    #[test]
    fn only_the_second_opinion_expands_a_tilde() {
        let machine = debian().executable("/home/me/bin/python3", ELF).variable("PATH", "~/bin:/usr/bin");
        let found = command(&machine, "python3");
        assert_eq!(found.chosen().map(|hit| hit.path.clone()), root("/usr/bin/python3"));
        assert_eq!(found.which_disagrees, root("/home/me/bin/python3"));
        // the doctor's own PATH is not what the shell has
        let elsewhere = commands(&machine, &search_path(&machine, Some(b"/usr/bin")), &["python3"]);
        assert_eq!(elsewhere[0].which_disagrees, None);
    }

    #[test]
    fn interpreters_belong_to_the_place_they_are_started_from() {
        let machine = with_venv(debian(), "/p/.venv")
            .link("/elsewhere/python", "/p/.venv/bin/python")
            .link("/broken/.venv/bin/python", "/gone/python3.9")
            .file("/broken/.venv/pyvenv.cfg", "home = /gone")
            .dir("/c/conda-meta")
            .executable("/c/bin/python3.12", ELF)
            .link("/c/bin/python", "python3.12")
            .link("/links/python", "/c/bin/python")
            .link("/venv-link", "/p/.venv");
        let of = |path: &str| interpreter_environment(&machine, &HostPath::posix(path));
        assert_eq!(of("/p/.venv/bin/python3"), root("/p/.venv"));
        assert_eq!(of("/venv-link/bin/python"), root("/venv-link"));
        assert_eq!(of("/elsewhere/python"), root("/usr"));
        assert_eq!(of("/broken/.venv/bin/python"), root("/broken/.venv"));
        assert_eq!(of("/c/bin/python"), root("/c"));
        assert_eq!(of("/links/python"), root("/c"));
        assert_eq!(of("/usr/bin/python3"), root("/usr"));
        assert_eq!(of("/nowhere/python"), None);
    }

    #[test]
    fn scripts_lead_to_their_interpreter() {
        let machine = with_venv(debian(), "/p/.venv")
            .executable("/s/pip", "#!/usr/bin/env python3\n")
            .executable("/moved/bin/pip", "#!/old/.venv/bin/python\n")
            .executable("/long/bin/pip", "#!/bin/sh\n'''exec' \"/p/.venv/bin/python\" \"$0\" \"$@\"\n' '''\n")
            .executable("/lost/pip", "#!/usr/bin/env python9\n")
            .executable("/bin/sh", ELF)
            .executable("/native/pip", ELF);
        let pip = |path: &str| chosen_on(&machine, path, "pip");
        let script = |interpreter: &str, runnable: bool, environment: Option<HostPath>| Target::Script {
            interpreter: HostPath::posix(interpreter),
            runnable,
            environment,
        };
        assert_eq!(pip("/p/.venv/bin"), Some(script("/p/.venv/bin/python", true, root("/p/.venv"))));
        assert_eq!(pip("/s:/usr/bin"), Some(script("/usr/bin/python3", true, root("/usr"))));
        assert_eq!(pip("/s:/p/.venv/bin"), Some(script("/p/.venv/bin/python3", true, root("/p/.venv"))));
        assert_eq!(pip("/moved/bin"), Some(script("/old/.venv/bin/python", false, None)));
        assert_eq!(pip("/long/bin"), Some(script("/p/.venv/bin/python", true, root("/p/.venv"))));
        assert_eq!(pip("/lost"), Some(Target::Unknown));
        assert_eq!(pip("/native"), Some(Target::Unknown));
    }

    fn chosen_on(machine: &FakeMachine, path: &str, name: &str) -> Option<Target> {
        let found = search_path(machine, Some(path.as_bytes()));
        commands(machine, &found, &[name])[0].chosen().map(|hit| hit.leads_to.clone())
    }

    fn pyenv() -> FakeMachine {
        let shim = "#!/usr/bin/env bash\nset -e\n\nprogram=\"${0##*/}\"\n\nexport PYENV_ROOT=\"/home/me/.pyenv\"\n\
                    exec \"/home/me/.pyenv/libexec/pyenv\" exec \"$program\" \"$@\"\n";
        let root = "/home/me/.pyenv";
        let mut machine = debian();
        for version in ["3.11.7", "3.12.1", "3.12.10"] {
            machine = machine
                .executable(format!("{root}/versions/{version}/bin/python3"), ELF)
                .link(format!("{root}/versions/{version}/bin/python"), "python3");
        }
        machine
            .executable(
                format!("{root}/versions/3.11.7/bin/pip"),
                format!("#!{root}/versions/3.11.7/bin/python\n"),
            )
            .executable(format!("{root}/shims/python"), shim)
            .executable(format!("{root}/shims/python3"), shim)
            .executable(format!("{root}/shims/pip"), shim)
            .executable("/elsewhere/shims/python", shim)
            .cwd("/home/me/p/src")
    }

    fn shim(machine: &FakeMachine, name: &str) -> (Option<String>, Option<HostPath>, Option<String>) {
        match chosen_on(machine, "/home/me/.pyenv/shims:/usr/bin", name) {
            Some(Target::Shim { manager: ShimManager::Pyenv, version, environment, problem, .. }) => {
                (version, environment, problem)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn pyenv_shims_run_the_version_that_is_set() {
        let version = |text: &str| Some(text.to_owned());
        let prefix = |text: &str| root(&format!("/home/me/.pyenv/versions/{text}"));
        let machine = pyenv().file("/home/me/.pyenv/version", "3.11.7\n");
        assert_eq!(shim(&machine, "python"), (version("3.11.7"), prefix("3.11.7"), None));
        assert_eq!(shim(&machine, "pip"), (version("3.11.7"), prefix("3.11.7"), None));
        let machine = machine.file("/home/me/p/.python-version", "# ours\n3.12  # newest\n3.11.7\n");
        assert_eq!(shim(&machine, "python"), (version("3.12.10"), prefix("3.12.10"), None));
        assert_eq!(shim(&machine, "pip"), (version("3.11.7"), prefix("3.11.7"), None));
        let machine = machine.variable("PYENV_VERSION", "system:3.11.7");
        assert_eq!(shim(&machine, "python3"), (version("system"), root("/usr"), None));
        let machine = machine.variable("PYENV_VERSION", "python-3.12.1");
        assert_eq!(shim(&machine, "python"), (version("3.12.1"), prefix("3.12.1"), None));
        assert_eq!(shim(&pyenv(), "python3").0, version("system"));
    }

    #[test]
    fn pyenv_shims_say_why_nothing_runs() {
        let machine = pyenv().file("/home/me/p/.python-version", "3.10\n");
        let (version, environment, problem) = shim(&machine, "python");
        assert_eq!((version.as_deref(), environment), (Some("3.10"), None));
        assert_eq!(
            problem.as_deref(),
            Some(
                "version 3.10 (set by /home/me/p/.python-version) is not installed; \
                 versions that have python: 3.11.7, 3.12.1, 3.12.10"
            )
        );
        let machine = pyenv().variable("PYENV_VERSION", "3.12.1");
        let problem = shim(&machine, "pip").2.unwrap();
        assert_eq!(
            problem,
            "version 3.12.1 (set by PYENV_VERSION) has no pip; versions that have pip: 3.11.7"
        );
        let problem = shim(&pyenv().variable("PYENV_VERSION", "8.8:9.9"), "python").2.unwrap();
        assert!(
            problem.starts_with("versions 8.8, 9.9 (set by PYENV_VERSION) are not installed"),
            "{problem}"
        );
        let problem = shim(&pyenv(), "python").2.unwrap();
        assert!(problem.starts_with("version system (set by pyenv's default) has no python"), "{problem}");
    }

    /// As pyenv 2.6.30 does.
    #[test]
    fn pyenv_passes_over_what_is_missing() {
        let machine = pyenv().variable("PYENV_VERSION", "9.9:3.12.1");
        let (version, _, problem) = shim(&machine, "python3");
        assert_eq!((version.as_deref(), problem), (Some("3.12.1"), None));
        let machine = pyenv().variable("PYENV_VERSION", "9.9");
        let (version, environment, problem) = shim(&machine, "python3");
        assert_eq!((version.as_deref(), environment), (Some("system"), root("/usr")));
        assert_eq!(
            problem.as_deref(),
            Some("version 9.9 (set by PYENV_VERSION) is not installed, so pyenv takes the system's python3")
        );
        let older =
            machine.file("/home/me/.pyenv/libexec/pyenv-which", "for version in \"${versions[@]}\"; do");
        assert_eq!(shim(&older, "python3").1, None);
        // an empty file is a choice of nothing
        let machine = pyenv()
            .file("/home/me/.pyenv/version", "3.11.7\n")
            .file("/home/me/p/.python-version", "# nothing\n");
        assert_eq!(shim(&machine, "python3").0.as_deref(), Some("system"));
    }

    #[test]
    fn a_shim_in_another_place_is_known_by_its_text() {
        let machine = pyenv().variable("PYENV_VERSION", "3.12.1");
        let target = chosen_on(&machine, "/elsewhere/shims", "python");
        assert!(matches!(target, Some(Target::Shim { version: Some(version), .. }) if version == "3.12.1"));
    }

    #[test]
    fn follows_asdf_and_mise() {
        let mise = "/home/me/.local/share/mise";
        let machine = debian()
            .executable("/home/me/.asdf/shims/python3", "#!/usr/bin/env bash\nexec asdf exec\n")
            .executable("/home/me/.asdf/installs/python/3.12.1/bin/python3", ELF)
            .link(format!("{mise}/shims/python3"), "/usr/bin/mise")
            .executable("/usr/bin/mise", ELF)
            .executable(format!("{mise}/installs/python/3.12.10/bin/python3"), ELF)
            .executable(format!("{mise}/installs/python/3.12.9/bin/python3"), ELF)
            .cwd("/home/me/p");
        let asdf = |machine: &FakeMachine| chosen_on(machine, "/home/me/.asdf/shims:/usr/bin", "python3");
        let mised = |machine: &FakeMachine| {
            chosen_on(machine, "/home/me/.local/share/mise/shims:/usr/bin", "python3")
        };
        let problem = "no version of Python is set for python3".to_owned();
        assert!(matches!(asdf(&machine), Some(Target::Shim { problem: Some(p), .. }) if p == problem));
        assert_eq!(mised(&machine).and_then(|t| t.environment().cloned()), root("/usr"));
        let machine = machine.file("/home/me/.tool-versions", "python 3.12.1\n");
        let target = asdf(&machine);
        assert_eq!(
            target.and_then(|t| t.environment().cloned()),
            root("/home/me/.asdf/installs/python/3.12.1")
        );
        let machine = machine.file("/home/me/p/mise.toml", "[tools]\npython = '3.12'\n");
        let target = mised(&machine);
        assert_eq!(
            target.and_then(|t| t.environment().cloned()),
            root(&format!("{mise}/installs/python/3.12.10"))
        );
        let machine = machine.file("/home/me/p/mise.toml", "[tools]\npython = '3.8'\n");
        let file = "/home/me/p/mise.toml";
        let absent = |target| match target {
            Some(Target::Shim { problem: Some(problem), absent, .. }) => (problem, absent),
            other => panic!("{other:?}"),
        };
        let (problem, none) = absent(mised(&machine));
        assert_eq!(problem, format!("version 3.8 (set by {file}) is not installed"));
        assert_eq!(none, Some(Absent { versions: vec!["3.8".into()], set_by: file.into() }));
        // one that is there speaks against a missing Python, whatever else it lacks
        let machine = machine.file(file, "[tools]\npython = ['3.8', '3.12', '3.7']\n");
        let machine = machine.link(format!("{mise}/shims/flask"), "/usr/bin/mise");
        let flask = chosen_on(&machine, "/home/me/.local/share/mise/shims:/usr/bin", "flask");
        let (problem, none) = absent(flask);
        assert_eq!(
            problem,
            format!("versions 3.8, 3.12, 3.7 (set by {file}) have no flask, and 3.8, 3.7 are not installed")
        );
        assert_eq!(none, None);
    }

    #[test]
    fn windows_looks_for_endings_and_knows_the_store() {
        let apps = "C:\\Users\\me\\AppData\\Local\\Microsoft\\WindowsApps";
        let launcher = "MZ launcher #!\"C:\\p\\.venv\\Scripts\\python.exe\"\r\nPK\x03\x04 archive";
        let machine = FakeMachine::windows()
            .variable("PATHEXT", ".COM;.EXE;.BAT")
            .variable("LOCALAPPDATA", "C:\\Users\\me\\AppData\\Local")
            .executable(format!("{apps}\\python.exe"), "")
            .executable("C:\\p\\.venv\\Scripts\\python.exe", "MZ")
            .executable("C:\\p\\.venv\\Scripts\\pip.exe", launcher)
            .file("C:\\p\\.venv\\pyvenv.cfg", "home = C:\\Python312")
            .executable("C:\\Python312\\python.exe", "MZ")
            .cwd("C:\\p");
        let path = format!("{apps};;\"C:\\p\\.VENV\\Scripts\\\";C:\\Python312;.venv\\scripts");
        let machine = machine.variable("Path", &path);
        let found = read(&machine);
        assert_eq!(found.entries.len(), 5);
        assert_eq!(found.entries[0].owner, Some(DirectoryOwner::WindowsApps));
        assert_eq!(found.entries[1].directory, None);
        assert_eq!(found.entries[2].names, ["python", "pip"]);
        assert_eq!(found.entries[2].owner, Some(DirectoryOwner::Venv));
        assert_eq!(found.entries[4].duplicate_of, Some(2));
        let venv = machine.path("C:\\p\\.venv");
        let python = commands(&machine, &found, &["python", "pip"]);
        assert_eq!(python[0].chosen().map(|hit| &hit.leads_to), Some(&Target::StoreStub));
        assert!(python[0].hits[1].leads_to.environment().is_some_and(|root| root.same_as(&venv)));
        let base = python[0].hits[2].leads_to.environment();
        assert!(base.is_some_and(|root| root.same_as(&machine.path("C:\\Python312"))));
        assert!(matches!(
            python[1].chosen().map(|hit| &hit.leads_to),
            Some(Target::Script { runnable: true, environment: Some(root), .. }) if root.same_as(&venv)
        ));
        let machine = machine.dir(format!("{apps}\\PythonSoftwareFoundation.Python.3.12_qbz5n2kfra8p0"));
        let target = chosen(&machine, "python").map(|(_, target)| target);
        assert_eq!(target, Some(Target::Interpreter { environment: None }));
    }

    #[test]
    fn a_very_long_path_is_cut_and_the_rest_counted() {
        let value = vec!["/none"; 10_000].join(":");
        let found = search_path(&debian(), Some(value.as_bytes()));
        assert_eq!((found.entries.len(), found.left_out), (ENTRY_LIMIT, 10_000 - ENTRY_LIMIT));
    }

    #[cfg(unix)]
    mod real {
        use super::*;
        use crate::host::real::{RealMachine, bytes_of, from_std};
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::fs::{PermissionsExt, symlink};
        use std::path::Path;
        use std::time::{Duration, Instant};

        fn program(path: &Path, text: &str) {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }

        #[test]
        fn names_that_are_not_utf8_survive() {
            let scratch = tempfile::tempdir().unwrap();
            let base = scratch.path().canonicalize().unwrap().join(OsStr::from_bytes(b"caf\xe9"));
            program(&base.join("venv/bin/python3.12"), "\x7fELF");
            std::fs::write(base.join("venv/pyvenv.cfg"), "home = /usr/bin\n").unwrap();
            symlink("python3.12", base.join("venv/bin/python")).unwrap();
            let machine = RealMachine::new();
            let value = bytes_of(base.join("venv/bin").as_os_str());
            let found = search_path(&machine, Some(&value));
            assert_eq!(found.entries[0].names, ["python", "python3.12"]);
            let python = commands(&machine, &found, &["python"]).remove(0);
            let hit = python.chosen().unwrap();
            assert_eq!(hit.path, from_std(&base.join("venv/bin/python")).unwrap());
            assert_eq!(hit.leads_to.environment(), from_std(&base.join("venv")).as_ref());
        }

        /// The shell is the oracle: `command -v` in every state that a file can be in.
        #[test]
        fn agrees_with_the_shell() {
            let scratch = tempfile::tempdir().unwrap();
            let base = scratch.path().canonicalize().unwrap();
            program(&base.join("good/python"), "#!/bin/sh\n");
            program(&base.join("flat/python"), "#!/bin/sh\n");
            std::fs::set_permissions(base.join("flat/python"), std::fs::Permissions::from_mode(0o644))
                .unwrap();
            std::fs::create_dir_all(base.join("directory/python")).unwrap();
            for name in ["dangling", "loop", "linked"] {
                std::fs::create_dir(base.join(name)).unwrap();
            }
            symlink("/no/such/python", base.join("dangling/python")).unwrap();
            symlink("python", base.join("loop/python")).unwrap();
            symlink("../good/python", base.join("linked/python")).unwrap();
            let machine = RealMachine::new();
            for order in [
                &["flat", "good"][..],
                &["directory", "good"],
                &["dangling", "loop", "linked", "good"],
                &["none", "good/../linked", "good"],
                &["dangling", "directory", "loop"],
            ] {
                let entries: Vec<String> =
                    order.iter().map(|name| base.join(name).display().to_string()).collect();
                let value = entries.join(":");
                let found = search_path(&machine, Some(value.as_bytes()));
                let chosen = commands(&machine, &found, &["python"]).remove(0);
                let chosen = chosen.chosen().map(|hit| hit.path.clone());
                let outcome = machine.run(&crate::host::Invocation {
                    program: HostPath::posix("/bin/bash"),
                    arguments: vec![b"-c".to_vec(), b"type -P python".to_vec()],
                    environment: vec![(b"PATH".to_vec(), value.into_bytes())],
                    directory: None,
                    deadline: Duration::from_secs(20),
                    output_limit: 4096,
                });
                if matches!(outcome.ending, crate::host::Ending::NotStarted(_)) {
                    eprintln!("no bash here");
                    return;
                }
                let expected = outcome.stdout.trim_ascii_end();
                let expected = (!expected.is_empty()).then(|| HostPath::posix(expected));
                let same = |left: &HostPath, right: &HostPath| is_same(&machine, left, right);
                assert!(
                    match (&chosen, &expected) {
                        (Some(left), Some(right)) => same(left, right),
                        (left, right) => left.is_none() && right.is_none(),
                    },
                    "{order:?}: {chosen:?} is not {expected:?}"
                );
            }
        }

        #[test]
        fn ten_thousand_entries_take_no_time() {
            let scratch = tempfile::tempdir().unwrap();
            let base = scratch.path().canonicalize().unwrap();
            let mut entries = Vec::new();
            for number in 0..1_000 {
                let directory = base.join(format!("d{number}"));
                std::fs::create_dir(&directory).unwrap();
                entries.push(directory.display().to_string());
            }
            entries.extend((0..9_000).map(|number| format!("/no/such/{number}")));
            let value = entries.join(":");
            let machine = RealMachine::new();
            let started = Instant::now();
            let found = search_path(&machine, Some(value.as_bytes()));
            let commands = commands(&machine, &found, &["python", "python3", "pip", "pip3", "python3.12"]);
            let elapsed = started.elapsed();
            eprintln!("10,000 entries: {elapsed:?}");
            assert_eq!(found.left_out, 6_000);
            assert!(commands.iter().all(|command| command.hits.is_empty()));
            let bound = if cfg!(debug_assertions) { 2_000 } else { 250 };
            assert!(elapsed < Duration::from_millis(bound), "{elapsed:?}");
        }
    }
}
