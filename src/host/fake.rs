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
    Mount, Outcome, Process, Running,
};
use crate::facts::platform::{Platform, System, User};
use crate::path::{Flavour, HostPath};

mod answers;
#[cfg(test)]
mod tests;

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
