//! A made-up machine, for tests: what is not built into it does not exist.
//!
//! ```
//! use venv_doctor::host::Files;
//! use venv_doctor::host::fake::FakeMachine;
//!
//! let machine = FakeMachine::linux()
//!     .executable("/usr/bin/python3.11", "\x7fELF")
//!     .link("/usr/bin/python3", "python3.11")
//!     .variable("PATH", "/usr/bin")
//!     .cwd("/home/me/project");
//! assert!(machine.can_execute(&machine.path("/usr/bin/python3")));
//! ```

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{
    Contents, Ending, Entry, FileError, FileKind, Files, Host, Invocation, LISTING_LIMIT, Listing, Metadata,
    Mount, Outcome, Process,
};
use crate::facts::platform::{Platform, System, User};
use crate::path::{Flavour, HostPath};

/// How many links Linux follows in one path before it says `ELOOP` (path_resolution(7)).
const LINK_LIMIT: usize = 40;

#[derive(Debug, Clone)]
struct Node {
    /// The name as it was spelt: Windows finds it in any case.
    name: Vec<u8>,
    content: Content,
    mode: u32,
    owner: u32,
    group: u32,
    modified: u64,
    identity: u64,
    hidden: bool,
    /// Nobody may look into it, not even root.
    denied: bool,
}

#[derive(Debug, Clone)]
enum Content {
    File(Vec<u8>),
    Directory,
    Link(Vec<u8>),
    Other,
}

type Answer = Box<dyn Fn(&Invocation) -> Option<Outcome> + Send + Sync>;

/// An in-memory [`Host`]. Its builders take a path in the spelling of its own system and make the
/// directories above it.
pub struct FakeMachine {
    platform: Platform,
    user: User,
    /// By key: the normalised path, without case on Windows.
    nodes: BTreeMap<Vec<u8>, Node>,
    /// How many inode numbers were given out.
    identities: u64,
    variables: Vec<(Vec<u8>, Vec<u8>)>,
    working_directory: Option<HostPath>,
    ancestors: Vec<Process>,
    mounts: Vec<(HostPath, Mount)>,
    answers: Vec<Answer>,
    asked: Mutex<Vec<Invocation>>,
    which: Vec<(String, Option<HostPath>)>,
    registry: BTreeMap<(String, String), String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Follow {
    Everything,
    /// The last name stands for itself, also when it is a link.
    ButTheLast,
}

impl FakeMachine {
    /// A Linux machine on which the user `me` (1000) sits in `/home/me`.
    pub fn linux() -> FakeMachine {
        FakeMachine::of(System::Linux, "/home/me")
    }

    pub fn macos() -> FakeMachine {
        FakeMachine::of(System::MacOs, "/Users/me")
    }

    pub fn windows() -> FakeMachine {
        FakeMachine::of(System::Windows, "C:\\Users\\me")
    }

    fn of(system: System, home: &str) -> FakeMachine {
        let platform = Platform {
            system,
            architecture: "x86_64".to_owned(),
            release: None,
            distribution: (system == System::Linux).then(|| "debian".to_owned()),
        };
        let home = HostPath::new(platform.flavour(), home);
        let number = if system == System::Windows { 0 } else { 1000 };
        let machine = FakeMachine {
            platform,
            user: User {
                id: number,
                effective_id: number,
                group: number,
                effective_group: number,
                name: Some("me".to_owned()),
                home: home.clone(),
            },
            nodes: BTreeMap::new(),
            identities: 0,
            variables: Vec::new(),
            working_directory: None,
            ancestors: Vec::new(),
            mounts: Vec::new(),
            answers: Vec::new(),
            asked: Mutex::new(Vec::new()),
            which: Vec::new(),
            registry: BTreeMap::new(),
        };
        match home {
            Some(home) => machine.dir(home.as_bytes()).cwd(home.as_bytes()),
            None => machine,
        }
    }

    /// A path of this machine; a POSIX one is taken from the root, a Windows one from `C:\`.
    pub fn path(&self, path: impl AsRef<[u8]>) -> HostPath {
        let path = path.as_ref();
        match self.flavour() {
            Flavour::Posix => HostPath::posix(path),
            Flavour::Windows => HostPath::new(Flavour::Windows, path).unwrap_or_else(|| {
                let below = path.iter().position(|byte| !matches!(byte, b'/' | b'\\')).unwrap_or(path.len());
                let mut bytes = b"C:\\".to_vec();
                bytes.extend_from_slice(&path[below..]);
                HostPath::new(Flavour::Windows, bytes).unwrap_or_else(|| HostPath::posix("/"))
            }),
        }
    }

    pub fn dir(self, path: impl AsRef<[u8]>) -> Self {
        self.with(path, Content::Directory, 0o755)
    }

    pub fn file(self, path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        self.with(path, Content::File(content.as_ref().to_vec()), 0o644)
    }

    pub fn executable(self, path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        self.with(path, Content::File(content.as_ref().to_vec()), 0o755)
    }

    /// A symbolic link that says `target`, as it says it.
    pub fn link(self, path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        self.with(path, Content::Link(target.as_ref().to_vec()), 0o777)
    }

    /// A FIFO, socket or device.
    pub fn special(self, path: impl AsRef<[u8]>) -> Self {
        self.with(path, Content::Other, 0o644)
    }

    pub fn remove(mut self, path: impl AsRef<[u8]>) -> Self {
        let path = self.path(path).normalized();
        self.nodes.retain(|key, _| !is_or_lies_below(key, &key_of(&path)));
        self
    }

    pub fn mode(mut self, path: impl AsRef<[u8]>, mode: u32) -> Self {
        self.change(path, |node| node.mode = mode);
        self
    }

    pub fn owner(mut self, path: impl AsRef<[u8]>, owner: u32, group: u32) -> Self {
        self.change(path, |node| (node.owner, node.group) = (owner, group));
        self
    }

    pub fn modified(mut self, path: impl AsRef<[u8]>, seconds: u64) -> Self {
        self.change(path, |node| node.modified = seconds);
        self
    }

    /// Carries the hidden flag of macOS or Windows.
    pub fn hidden(mut self, path: impl AsRef<[u8]>) -> Self {
        self.change(path, |node| node.hidden = true);
        self
    }

    /// A second name of the same file: same content, same inode.
    pub fn hard_link(mut self, path: impl AsRef<[u8]>, existing: impl AsRef<[u8]>) -> Self {
        let existing = key_of(&self.path(existing).normalized());
        let Some(node) = self.nodes.get(&existing).cloned() else { return self };
        let path = self.path(path).normalized();
        self.insert(&path, node.content.clone(), node.mode);
        if let Some(new) = self.nodes.get_mut(&key_of(&path)) {
            *new = Node { name: std::mem::take(&mut new.name), ..node };
        }
        self
    }

    /// Nobody may read, change, run or look into it.
    pub fn deny(mut self, path: impl AsRef<[u8]>) -> Self {
        self.change(path, |node| (node.mode, node.denied) = (0, true));
        self
    }

    pub fn variable(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let (name, value) = (name.as_ref().to_vec(), value.as_ref().to_vec());
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value));
        self
    }

    /// The working directory, which is made.
    pub fn cwd(self, path: impl AsRef<[u8]>) -> Self {
        let path = self.path(path);
        let mut machine = self.dir(path.as_bytes());
        machine.working_directory = Some(path);
        machine
    }

    /// The working directory was deleted.
    pub fn without_cwd(mut self) -> Self {
        self.working_directory = None;
        self
    }

    /// The next ancestor, nearest first: its arguments, the first of which names the program, and the
    /// variables that it was started with.
    pub fn process(mut self, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let program = arguments.first().copied().unwrap_or_default();
        let name = program.trim_start_matches('-').rsplit(['/', '\\']).next().unwrap_or_default();
        let mut environment: Vec<(String, String)> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        environment.sort();
        self.ancestors.push(Process {
            id: 1000 - u32::try_from(self.ancestors.len()).unwrap_or_default(),
            name: name.to_owned(),
            executable: HostPath::new(self.flavour(), program),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            environment,
        });
        self
    }

    pub fn user(mut self, user: User) -> Self {
        self.user = user;
        self
    }

    /// Runs as root: permissions don't bind, but a file needs an execute bit to run.
    pub fn root(mut self) -> Self {
        let home = Some(self.path("/root"));
        self.user = User { name: Some("root".to_owned()), home, ..User::default() };
        self
    }

    pub fn release(mut self, release: &str) -> Self {
        self.platform.release = Some(release.to_owned());
        self
    }

    pub fn distribution(mut self, id: &str) -> Self {
        self.platform.distribution = Some(id.to_owned());
        self
    }

    pub fn architecture(mut self, architecture: &str) -> Self {
        self.platform.architecture = architecture.to_owned();
        self
    }

    /// A mount point, with what it forbids.
    pub fn mounted(self, path: impl AsRef<[u8]>, mount: Mount) -> Self {
        let path = self.path(path);
        let mut machine = self.dir(path.as_bytes());
        machine.mounts.push((path, mount));
        machine
    }

    /// What running a program gives; the first answer that is not None counts. Without one, nothing starts.
    pub fn answer(mut self, answer: impl Fn(&Invocation) -> Option<Outcome> + Send + Sync + 'static) -> Self {
        self.answers.push(Box::new(answer));
        self
    }

    /// This program ends with status 0 and prints this.
    pub fn prints(self, program: impl AsRef<[u8]>, stdout: impl AsRef<[u8]>) -> Self {
        let (program, stdout) = (self.path(program), stdout.as_ref().to_vec());
        self.answer(move |invocation| {
            invocation.program.same_as(&program).then(|| Outcome {
                ending: Ending::Exit(0),
                stdout: stdout.clone(),
                stderr: Vec::new(),
                elapsed: Duration::from_millis(1),
            })
        })
    }

    /// What the second opinion says, in place of its own search.
    pub fn which_says(mut self, name: &str, path: Option<&str>) -> Self {
        let path = path.map(|path| self.path(path));
        self.which.push((name.to_owned(), path));
        self
    }

    /// A text of the registry.
    pub fn registry(mut self, key: &str, name: &str, text: &str) -> Self {
        self.registry.insert((key.to_owned(), name.to_owned()), text.to_owned());
        self
    }

    /// Every program that was asked to run, in order.
    pub fn asked(&self) -> Vec<Invocation> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn flavour(&self) -> Flavour {
        self.platform.flavour()
    }

    fn with(mut self, path: impl AsRef<[u8]>, content: Content, mode: u32) -> Self {
        let path = self.path(path).normalized();
        self.insert(&path, content, mode);
        self
    }

    fn insert(&mut self, path: &HostPath, content: Content, mode: u32) {
        if let Some(parent) = path.parent()
            && !self.nodes.contains_key(&key_of(&parent))
        {
            self.insert(&parent, Content::Directory, 0o755);
        }
        let key = key_of(path);
        // a directory that exists is left as it is
        if matches!(content, Content::Directory) && self.nodes.contains_key(&key) {
            return;
        }
        self.identities += 1;
        let identity = self.identities;
        let name = path.file_name().unwrap_or_default().to_vec();
        // what lies outside the user's home is root's
        let own = self.user.home.as_ref().is_some_and(|home| path.is_within(home));
        let (owner, group) = if own { (self.user.id, self.user.group) } else { (0, 0) };
        let node =
            Node { name, content, mode, owner, group, modified: 0, identity, hidden: false, denied: false };
        self.nodes.insert(key, node);
    }

    fn change(&mut self, path: impl AsRef<[u8]>, change: impl FnOnce(&mut Node)) {
        let path = self.path(path).normalized();
        if !self.nodes.contains_key(&key_of(&path)) {
            self.insert(&path, Content::Directory, 0o755);
        }
        if let Some(node) = self.nodes.get_mut(&key_of(&path)) {
            change(node);
        }
    }

    /// By path_resolution(7): name by name, every link on the way followed.
    fn resolve(&self, path: &HostPath, follow: Follow) -> Result<(HostPath, &Node), FileError> {
        let root = root_of(path);
        let mut place = root.clone();
        let mut node = self.nodes.get(&key_of(&place)).ok_or(FileError::Missing)?;
        // the names still to be walked, next one last
        let mut names: Vec<Vec<u8>> = path.components().rev().map(<[u8]>::to_vec).collect();
        let wants_directory = path.as_bytes().last().is_some_and(|byte| match self.flavour() {
            Flavour::Posix => *byte == b'/',
            Flavour::Windows => false,
        });
        let mut links = 0;
        while let Some(name) = names.pop() {
            if !matches!(node.content, Content::Directory) {
                return Err(match self.flavour() {
                    Flavour::Posix => FileError::NotADirectory,
                    Flavour::Windows => FileError::Missing,
                });
            }
            if !self.allows(node, 0o1) {
                return Err(FileError::Denied);
            }
            let next = match name.as_slice() {
                b"." => continue,
                b".." => place.parent().unwrap_or_else(|| place.clone()),
                _ => place.join(&name),
            };
            let found = self.nodes.get(&key_of(&next)).ok_or(FileError::Missing)?;
            if let Content::Link(target) = &found.content
                && (!names.is_empty() || follow == Follow::Everything || wants_directory)
            {
                links += 1;
                if links > LINK_LIMIT {
                    return Err(FileError::Loop);
                }
                if target.is_empty() {
                    return Err(FileError::Missing);
                }
                let target = match HostPath::new(self.flavour(), target.as_slice()) {
                    Some(absolute) => {
                        place = root_of(&absolute);
                        absolute
                    }
                    None => root.join(target),
                };
                names.extend(target.components().rev().map(<[u8]>::to_vec));
                node = self.nodes.get(&key_of(&place)).ok_or(FileError::Missing)?;
                continue;
            }
            // the name as it is on the disk
            place = match name.as_slice() {
                b".." => next,
                _ => place.join(&found.name),
            };
            node = found;
        }
        if wants_directory && !matches!(node.content, Content::Directory) {
            return Err(FileError::NotADirectory);
        }
        Ok((place, node))
    }

    /// Whether the user has this permission (4 read, 2 write, 1 execute or search).
    fn allows(&self, node: &Node, bit: u32) -> bool {
        if node.denied {
            return false;
        }
        if self.flavour() == Flavour::Windows {
            return bit != 0o2 || node.mode & 0o222 != 0;
        }
        if self.user.effective_id == 0 {
            let directory = matches!(node.content, Content::Directory);
            return bit != 0o1 || directory || node.mode & 0o111 != 0;
        }
        let shift = match node {
            _ if node.owner == self.user.effective_id => 6,
            _ if node.group == self.user.effective_group => 3,
            _ => 0,
        };
        node.mode >> shift & bit != 0
    }

    fn mount_of(&self, path: &HostPath) -> Mount {
        self.mounts
            .iter()
            .filter(|(place, _)| path.is_within(place))
            .max_by_key(|(place, _)| place.components().count())
            .map(|(_, mount)| *mount)
            .unwrap_or_default()
    }

    fn describe(&self, node: &Node) -> Metadata {
        let (kind, size) = match &node.content {
            Content::File(bytes) => (FileKind::File, bytes.len() as u64),
            Content::Directory => (FileKind::Directory, 4096),
            Content::Link(target) => (FileKind::Link, target.len() as u64),
            Content::Other => (FileKind::Other, 0),
        };
        let windows = self.flavour() == Flavour::Windows;
        Metadata {
            kind,
            size,
            mode: if windows { 0o777 } else { node.mode },
            owner: node.owner,
            group: node.group,
            modified: node.modified,
            modified_nanoseconds: 0,
            identity: (!windows).then_some((1, node.identity)),
            hidden: node.hidden,
        }
    }
}

fn root_of(path: &HostPath) -> HostPath {
    let root = path.ancestors().last().map_or_else(|| path.clone(), |root| root.normalized());
    match root.flavour() {
        Flavour::Posix => root,
        Flavour::Windows => {
            HostPath::new(Flavour::Windows, root.as_bytes().to_ascii_uppercase()).unwrap_or(root)
        }
    }
}

fn key_of(path: &HostPath) -> Vec<u8> {
    let mut key = path.as_bytes().to_vec();
    if path.flavour() == Flavour::Windows {
        key.make_ascii_lowercase();
    }
    key
}

fn is_or_lies_below(key: &[u8], of: &[u8]) -> bool {
    key.strip_prefix(of).is_some_and(|rest| rest.is_empty() || matches!(rest[0], b'/' | b'\\'))
}

impl Files for FakeMachine {
    fn metadata(&self, path: &HostPath) -> Result<Metadata, FileError> {
        self.resolve(path, Follow::Everything).map(|(_, node)| self.describe(node))
    }

    fn link_metadata(&self, path: &HostPath) -> Result<Metadata, FileError> {
        self.resolve(path, Follow::ButTheLast).map(|(_, node)| self.describe(node))
    }

    fn read_link(&self, path: &HostPath) -> Result<Vec<u8>, FileError> {
        match &self.resolve(path, Follow::ButTheLast)?.1.content {
            Content::Link(target) => Ok(target.clone()),
            _ => Err(FileError::NotAFile),
        }
    }

    fn read_at(&self, path: &HostPath, offset: u64, limit: usize) -> Result<Contents, FileError> {
        let (_, node) = self.resolve(path, Follow::Everything)?;
        if !self.allows(node, 0o4) {
            return Err(FileError::Denied);
        }
        let Content::File(bytes) = &node.content else { return Err(FileError::NotAFile) };
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let end = start.saturating_add(limit).min(bytes.len());
        Ok(Contents {
            bytes: bytes[start..end].to_vec(),
            size: bytes.len() as u64,
            mode: self.describe(node).mode,
            modified: (self.describe(node).modified, self.describe(node).modified_nanoseconds),
        })
    }

    fn list(&self, path: &HostPath) -> Result<Listing, FileError> {
        let (place, node) = self.resolve(path, Follow::Everything)?;
        if !matches!(node.content, Content::Directory) {
            return Err(FileError::NotADirectory);
        }
        if !self.allows(node, 0o4) {
            return Err(FileError::Denied);
        }
        let base = key_of(&place.join("x"));
        let base = &base[..base.len() - 1];
        let below = |key: &[u8]| {
            key.strip_prefix(base)
                .is_some_and(|name| !name.is_empty() && !name.iter().any(|byte| matches!(byte, b'/' | b'\\')))
        };
        let mut entries: Vec<Entry> = self
            .nodes
            .range(base.to_vec()..)
            .take_while(|(key, _)| key.starts_with(base))
            .filter(|(key, _)| below(key))
            .map(|(_, node)| Entry { name: node.name.clone(), kind: self.describe(node).kind })
            .collect();
        entries.sort_unstable_by(|left, right| left.name.cmp(&right.name));
        let truncated = entries.len() > LISTING_LIMIT;
        entries.truncate(LISTING_LIMIT);
        Ok(Listing { entries, truncated })
    }

    fn canonical(&self, path: &HostPath) -> Result<HostPath, FileError> {
        self.resolve(path, Follow::Everything).map(|(place, _)| place)
    }

    fn can_execute(&self, path: &HostPath) -> bool {
        self.resolve(path, Follow::Everything).is_ok_and(|(place, node)| {
            let noexec = !matches!(node.content, Content::Directory) && self.mount_of(&place).noexec;
            let directory_on_windows =
                self.flavour() == Flavour::Windows && matches!(node.content, Content::Directory);
            self.allows(node, 0o1) && !noexec && !directory_on_windows
        })
    }

    fn can_read(&self, path: &HostPath) -> bool {
        self.resolve(path, Follow::Everything).is_ok_and(|(_, node)| self.allows(node, 0o4))
    }

    fn can_write(&self, path: &HostPath) -> bool {
        self.resolve(path, Follow::Everything)
            .is_ok_and(|(place, node)| self.allows(node, 0o2) && !self.mount_of(&place).read_only)
    }
}

impl Host for FakeMachine {
    fn platform(&self) -> &Platform {
        &self.platform
    }

    fn user(&self) -> &User {
        &self.user
    }

    /// The first of January 2026.
    fn now(&self) -> u64 {
        1_767_225_600
    }

    fn variable(&self, name: &str) -> Option<Vec<u8>> {
        let same = |known: &[u8]| match self.flavour() {
            Flavour::Posix => known == name.as_bytes(),
            Flavour::Windows => known.eq_ignore_ascii_case(name.as_bytes()),
        };
        self.variables.iter().find(|(known, _)| same(known)).map(|(_, value)| value.clone())
    }

    fn variables(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.variables.clone()
    }

    fn working_directory(&self) -> Result<HostPath, FileError> {
        self.working_directory.clone().ok_or(FileError::Missing)
    }

    fn ancestors(&self) -> Vec<Process> {
        self.ancestors.clone()
    }

    fn mount(&self, path: &HostPath) -> Option<Mount> {
        self.canonical(path).ok().map(|place| self.mount_of(&place))
    }

    fn append(&self, _: &HostPath, _: &[u8]) -> Result<(), FileError> {
        Err(FileError::Denied)
    }

    fn create(&self, _: &HostPath, _: &[u8]) -> Result<(), FileError> {
        Err(FileError::Denied)
    }

    fn registry(&self, key: &str, name: &str) -> Option<String> {
        self.registry.get(&(key.to_owned(), name.to_owned())).cloned()
    }

    fn run(&self, invocation: &Invocation) -> Outcome {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(invocation.clone());
        let not_started = |error: FileError| Outcome {
            ending: Ending::NotStarted(error.to_string()),
            stdout: Vec::new(),
            stderr: Vec::new(),
            elapsed: Duration::ZERO,
        };
        if let Err(error) = self.metadata(&invocation.program) {
            return not_started(error);
        }
        if !self.is_file(&invocation.program) || !self.can_execute(&invocation.program) {
            return not_started(FileError::Denied);
        }
        let mut outcome = match self.answers.iter().find_map(|answer| answer(invocation)) {
            Some(outcome) => outcome,
            None => return not_started(FileError::Other("this machine has no answer for it".to_owned())),
        };
        outcome.stdout.truncate(invocation.output_limit);
        outcome.stderr.truncate(invocation.output_limit);
        outcome
    }

    /// As the `which` crate: `~` at the front of an entry is the home directory, a relative one is below the
    /// working directory, and only what may be run is found.
    fn which(&self, name: &str) -> Option<HostPath> {
        if let Some((_, path)) = self.which.iter().find(|(known, _)| known == name) {
            return path.clone();
        }
        let value = Host::variable(self, "PATH")?;
        let windows = self.flavour() == Flavour::Windows;
        let suffixes: &[&str] = if windows { &["", ".EXE", ".BAT", ".CMD", ".COM"] } else { &[""] };
        for entry in value.split(|byte| *byte == self.flavour().list_separator()) {
            let directory = match entry {
                [b'~'] => self.home(),
                [b'~', b'/' | b'\\', below @ ..] => self.home().map(|home| home.join(below)),
                _ => match HostPath::new(self.flavour(), entry) {
                    Some(directory) => Some(directory),
                    None => self.working_directory.as_ref().map(|directory| directory.join(entry)),
                },
            };
            let Some(directory) = directory else { continue };
            for suffix in suffixes {
                let file = directory.join(format!("{name}{suffix}"));
                if self.is_file(&file) && self.can_execute(&file) {
                    return Some(file);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posix(path: &str) -> HostPath {
        HostPath::posix(path)
    }

    #[test]
    fn follows_links_everywhere_and_names_loops() {
        let machine = FakeMachine::linux()
            .file("/real/dir/file", "x")
            .link("/short", "real/dir")
            .link("/real/up", "../short/file")
            .link("/a", "b")
            .link("/b", "/a")
            .link("/gone", "/nowhere/x");
        assert_eq!(machine.canonical(&posix("/real/up")), Ok(posix("/real/dir/file")));
        assert_eq!(machine.canonical(&posix("/short/../up")), Ok(posix("/real/dir/file")));
        assert_eq!(machine.metadata(&posix("/a")), Err(FileError::Loop));
        assert_eq!(machine.metadata(&posix("/gone")), Err(FileError::Missing));
        assert_eq!(machine.link_metadata(&posix("/gone")).map(|link| link.kind), Ok(FileKind::Link));
        assert_eq!(machine.read_link(&posix("/real/up")), Ok(b"../short/file".to_vec()));
        assert_eq!(machine.metadata(&posix("/real/dir/file/x")), Err(FileError::NotADirectory));
        assert_eq!(machine.metadata(&posix("/real/dir/file/")), Err(FileError::NotADirectory));
    }

    #[test]
    fn permissions_bind_the_user() {
        let machine = FakeMachine::linux()
            .file("/secret/file", "x")
            .mode("/secret", 0o700)
            .executable("/tool", "x")
            .executable("/noexec/tool", "x")
            .mounted("/noexec", Mount { noexec: true, read_only: false })
            .file("/home/me/locked", "x")
            .deny("/home/me/locked");
        assert_eq!(machine.metadata(&posix("/secret/file")), Err(FileError::Denied));
        assert!(machine.can_execute(&posix("/tool")) && !machine.can_write(&posix("/tool")));
        assert!(!machine.can_execute(&posix("/noexec/tool")));
        assert_eq!(machine.read(&posix("/home/me/locked"), 9), Err(FileError::Denied));
        let machine = machine.root();
        assert!(machine.is_file(&posix("/secret/file")));
        assert!(!machine.can_execute(&posix("/secret/file")));
        assert_eq!(machine.read(&posix("/home/me/locked"), 9), Err(FileError::Denied));
    }

    #[test]
    fn windows_names_have_no_case() {
        let machine = FakeMachine::windows()
            .file("C:\\Work\\.venv\\pyvenv.cfg", "home = C:\\Python")
            .executable("D:/Tools/python.exe", "MZ")
            .variable("Path", "d:\\tools");
        let path = machine.path("c:/work/.VENV/PYVENV.CFG");
        assert!(machine.is_file(&path));
        assert_eq!(machine.canonical(&path), Ok(machine.path("C:\\Work\\.venv\\pyvenv.cfg")));
        assert_eq!(Host::variable(&machine, "PATH"), Some(b"d:\\tools".to_vec()));
        assert!(machine.which("PYTHON").is_some_and(|p| p.same_as(&machine.path("D:\\Tools\\python.exe"))));
        let listing = machine.list(&machine.path("C:\\work")).unwrap();
        assert_eq!(listing.entries, [Entry { name: b".venv".to_vec(), kind: FileKind::Directory }]);
    }

    #[test]
    fn runs_what_it_was_told() {
        let machine = FakeMachine::linux().executable("/bin/python", "x").prints("/bin/python", "hello");
        let mut invocation = Invocation {
            program: posix("/bin/python"),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: None,
            deadline: Duration::from_secs(1),
            output_limit: 4,
        };
        assert_eq!(machine.run(&invocation).stdout, b"hell");
        invocation.program = posix("/bin/other");
        assert!(matches!(machine.run(&invocation).ending, Ending::NotStarted(_)));
        assert_eq!(machine.asked().len(), 2);
    }

    /// The same questions of a real directory and of one that was made up alike.
    #[cfg(unix)]
    #[test]
    fn answers_as_the_real_machine_does() {
        use crate::host::real::{RealMachine, from_std};
        use std::os::unix::fs::{PermissionsExt, symlink};

        let scratch = tempfile::tempdir().unwrap();
        let base = from_std(&scratch.path().canonicalize().unwrap()).unwrap();
        let at = |name: &str| scratch.path().canonicalize().unwrap().join(name);
        std::fs::create_dir_all(at("bin/sub")).unwrap();
        for (name, mode) in [("bin/run", 0o755), ("bin/data", 0o644), ("bin/shut", 0o000)] {
            std::fs::write(at(name), b"#!/bin/sh\n").unwrap();
            std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let links =
            [("l1", "bin/run"), ("l2", "l1"), ("o1", "o2"), ("o2", "o1"), ("gone", "nowhere"), ("d", "bin")];
        for (name, target) in links {
            symlink(target, at(name)).unwrap();
        }

        let within = |name: &str| base.join(name).as_bytes().to_vec();
        let mut fake = FakeMachine::linux().user(RealMachine::new().user().clone());
        fake = fake.dir(within("bin/sub")).executable(within("bin/run"), "#!/bin/sh\n");
        fake = fake.file(within("bin/data"), "#!/bin/sh\n").file(within("bin/shut"), "#!/bin/sh\n");
        fake = fake.mode(within("bin/shut"), 0);
        for (name, target) in links {
            fake = fake.link(within(name), target);
        }
        for name in ["bin", "bin/sub", "bin/run", "bin/data", "bin/shut"] {
            let user = fake.user.clone();
            fake = fake.owner(within(name), user.effective_id, user.effective_group);
        }

        let real = RealMachine::new();
        let names = [
            "",
            "bin",
            "bin/",
            "bin/sub",
            "bin/run",
            "bin/run/",
            "bin/run/x",
            "bin/data",
            "bin/shut",
            "l1",
            "l2",
            "o1",
            "o1/x",
            "gone",
            "gone/x",
            "d",
            "d/",
            "d/run",
            "d/../bin/run",
            "bin/missing",
            "./bin//run",
        ];
        let (real, fake): (&dyn Host, &dyn Host) = (&real, &fake);
        for name in names {
            let path = base.join(name);
            let ask = |host: &dyn Host| {
                let short = |metadata: Metadata| {
                    (
                        metadata.kind,
                        metadata.mode & 0o777,
                        metadata.kind == FileKind::File && metadata.size == 10,
                    )
                };
                (
                    host.metadata(&path).map(short),
                    host.link_metadata(&path).map(short),
                    host.read_link(&path),
                    host.read(&path, 5).map(|contents| (contents.bytes, contents.size, contents.mode)),
                    host.canonical(&path),
                    (host.can_execute(&path), host.can_read(&path)),
                    host.list(&path),
                )
            };
            let (mut expected, mut answer) = (ask(real), ask(fake));
            if name.is_empty() {
                // the scratch directory is private, the made-up one is not
                (expected.0, expected.1) = (answer.0.clone(), answer.1.clone());
                (expected.5, answer.5) = ((true, true), (true, true));
            }
            assert_eq!(expected, answer, "{name:?}");
            if !name.is_empty() {
                let open = real.open_directory(&base);
                let below = real.read_below(&open, name.as_bytes(), 5, b"something else".to_vec());
                assert_eq!(below, real.read(&path, 5), "{name:?} below its directory");
                let kind = |found: Result<Metadata, FileError>| found.map(|found| found.kind);
                let below = real.metadata_below(&open, &[name.as_bytes()]).pop().map(kind);
                assert_eq!(below, Some(kind(real.metadata(&path))), "{name:?} below its directory");
            }
        }
    }
}
