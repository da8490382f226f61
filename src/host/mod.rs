//! The machine, behind one small trait. Nothing outside this room touches `std::env`, `std::fs` or
//! processes, so every other room runs the same on a real machine, a recorded one and a made-up one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::facts::platform::{Platform, User};
use crate::path::HostPath;

pub mod answers;
pub mod bounded;
pub mod fake;
pub mod real;

/// Why a file could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileError {
    /// It, or a directory above it, does not exist.
    Missing,
    Denied,
    /// Something above it is not a directory.
    NotADirectory,
    /// Its links run in a circle (or are too many).
    Loop,
    /// It was to be read and is a directory, a FIFO, a socket or a device.
    NotAFile,
    Other(String),
}

impl std::fmt::Display for FileError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            FileError::Missing => "it does not exist",
            FileError::Denied => "permission denied",
            FileError::NotADirectory => "a part of its path is not a directory",
            FileError::Loop => "its symbolic links run in a circle",
            FileError::NotAFile => "it is not a regular file",
            FileError::Other(text) => text,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    File,
    Directory,
    Link,
    /// FIFO, socket, device.
    Other,
}

/// What `stat` says. Times are seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    pub kind: FileKind,
    pub size: u64,
    /// Permission bits (`0o7777`); a Windows machine reports `0o777`.
    pub mode: u32,
    pub owner: u32,
    pub group: u32,
    pub modified: u64,
    /// The part of that time below a second, where the file system keeps it.
    pub modified_nanoseconds: u32,
    /// Device and inode, where the system has them.
    pub identity: Option<(u64, u64)>,
    /// The flag of macOS (`UF_HIDDEN`, chflags(2)) or Windows (`FILE_ATTRIBUTE_HIDDEN`); a name with a dot has none.
    pub hidden: bool,
}

/// The beginning of a file: at most as many bytes as were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    pub bytes: Vec<u8>,
    /// The file's whole size.
    pub size: u64,
    /// Its permission bits.
    pub mode: u32,
    /// Seconds since 1970, and the part of that time below a second.
    pub modified: (u64, u32),
}

impl Contents {
    pub fn truncated(&self) -> bool {
        (self.bytes.len() as u64) < self.size
    }

    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: Vec<u8>,
    /// Of the entry itself: a link is a [`FileKind::Link`].
    pub kind: FileKind,
}

/// A directory's entries sorted by name, at most [`LISTING_LIMIT`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    pub entries: Vec<Entry>,
    pub truncated: bool,
}

/// So many entries of one directory are looked at, and no more.
pub const LISTING_LIMIT: usize = 100_000;

/// So much of a text file is read where nothing else is said.
pub const TEXT_LIMIT: usize = 1 << 20;

/// What a file takes of the disk, and when it was last used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    pub kind: FileKind,
    /// Bytes that are set aside for it, which may be more or fewer than its size.
    pub allocated: u64,
    /// Its size.
    pub size: u64,
    /// How many names it has.
    pub names: u64,
    pub identity: Option<(u64, u64)>,
    /// Seconds since 1970, as are the next two.
    pub accessed: u64,
    pub modified: u64,
    /// Where the file system keeps it.
    pub created: Option<u64>,
}

/// A directory that is asked about many files below it: the system walks to it once.
#[derive(Debug, Clone)]
pub struct OpenDirectory {
    pub path: HostPath,
    /// None where it could not be opened: each file is then found by its whole path.
    #[cfg(unix)]
    descriptor: Option<std::sync::Arc<std::os::fd::OwnedFd>>,
}

impl OpenDirectory {
    /// By its path alone.
    pub fn named(path: &HostPath) -> OpenDirectory {
        OpenDirectory {
            path: path.clone(),
            #[cfg(unix)]
            descriptor: None,
        }
    }

    /// A file there, and how much of it is read at most, in bytes.
    pub fn below<'a>(&'a self, path: &'a [u8], limit: usize) -> Below<'a> {
        Below { directory: self, path, limit }
    }
}

/// The first `limit` bytes of a file below an open directory.
#[derive(Debug, Clone, Copy)]
pub struct Below<'a> {
    directory: &'a OpenDirectory,
    path: &'a [u8],
    limit: usize,
}

impl Below<'_> {
    pub fn place(&self) -> HostPath {
        self.directory.path.join(self.path)
    }
}

/// So many bytes are read at once of a file that is told in pieces.
pub const PIECE: usize = 64 << 10;

/// Is told a piece of a file and whether it is the last, and says how many bytes of it it has done with: the others
/// stand at the beginning of the next piece.
pub type TakePiece<'a> = dyn FnMut(&[u8], bool) -> usize + 'a;

/// A file that was told in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The whole size, of which no more than was asked for was told.
    pub size: u64,
    /// As in [`Contents`].
    pub modified: (u64, u32),
}

/// Tells where to read on in a file (offset and at most so many bytes) by the offset and the bytes of what was read last.
pub type NextPart<'a> = dyn FnMut(u64, Contents) -> Option<(u64, usize)> + 'a;

/// The file system. Every method follows links except where it says otherwise.
pub trait Files: Sync {
    fn metadata(&self, path: &HostPath) -> Result<Metadata, FileError>;
    /// The same for many paths, each absolute or below the directory, in their order.
    fn metadata_below(&self, directory: &OpenDirectory, paths: &[&[u8]]) -> Vec<Result<Metadata, FileError>> {
        paths.iter().map(|path| self.metadata(&directory.path.join(path))).collect()
    }
    /// The same, of links themselves.
    fn link_metadata_below(
        &self,
        directory: &OpenDirectory,
        paths: &[&[u8]],
    ) -> Vec<Result<Metadata, FileError>> {
        paths.iter().map(|path| self.link_metadata(&directory.path.join(path))).collect()
    }
    /// For the questions about what lies below it.
    fn open_directory(&self, path: &HostPath) -> OpenDirectory {
        OpenDirectory::named(path)
    }
    /// Of the link itself.
    fn link_metadata(&self, path: &HostPath) -> Result<Metadata, FileError>;
    /// What a symbolic link says, as it says it. `NotAFile` when it is no link.
    fn read_link(&self, path: &HostPath) -> Result<Vec<u8>, FileError>;
    /// At most `limit` bytes from `offset` of a regular file; never blocks on a FIFO or device.
    fn read_at(&self, path: &HostPath, offset: u64, limit: usize) -> Result<Contents, FileError>;
    /// As [`read`](Files::read), for a file below a directory. The spare bytes may be overwritten for what is read:
    /// memory that has been written to once is cheaper than new.
    fn read_below(&self, below: Below, _spare: Vec<u8>) -> Result<Contents, FileError> {
        self.read(&below.place(), below.limit)
    }
    /// The same in pieces of about [`PIECE`], so that a long file needs no memory for all of it.
    fn tell_below(&self, below: Below, spare: &mut Vec<u8>, take: &mut TakePiece) -> Result<Told, FileError> {
        let contents = self.read_below(below, std::mem::take(spare))?;
        let (mut start, mut end) = (0, 0);
        while end < contents.bytes.len() || start == end {
            end = contents.bytes.len().min(end + PIECE);
            let last = end == contents.bytes.len();
            start += take(contents.bytes.get(start..end).unwrap_or_default(), last);
            if last {
                break;
            }
        }
        Ok(Told { size: contents.size, modified: contents.modified })
    }
    /// Parts of one file, the first at its beginning.
    ///
    /// # Errors
    /// As [`read_at`](Files::read_at), for any of them.
    fn read_parts(&self, path: &HostPath, first: usize, next: &mut NextPart) -> Result<(), FileError> {
        let mut wanted = Some((0, first));
        while let Some((offset, limit)) = wanted {
            wanted = next(offset, self.read_at(path, offset, limit)?);
        }
        Ok(())
    }
    fn list(&self, path: &HostPath) -> Result<Listing, FileError>;
    /// Tells each entry of a directory, in no order and without a bound; one that is a link itself is not entered.
    fn each_entry(&self, path: &HostPath, tell: &mut dyn FnMut(&[u8], FileKind)) -> Result<(), FileError> {
        if self.link_metadata(path)?.kind == FileKind::Link {
            return Err(FileError::NotADirectory);
        }
        self.list(path)?.entries.iter().for_each(|entry| tell(&entry.name, entry.kind));
        Ok(())
    }
    /// Of the file or link itself.
    fn usage(&self, path: &HostPath) -> Result<Usage, FileError> {
        let metadata = self.link_metadata(path)?;
        Ok(Usage {
            kind: metadata.kind,
            allocated: metadata.size,
            size: metadata.size,
            names: 1,
            identity: metadata.identity,
            accessed: metadata.modified,
            modified: metadata.modified,
            created: None,
        })
    }
    /// Every link resolved.
    fn canonical(&self, path: &HostPath) -> Result<HostPath, FileError>;
    /// Whether the kernel would let this user execute, read or change it (`access(2)`); a noexec mount counts.
    fn can_execute(&self, path: &HostPath) -> bool;
    fn can_read(&self, path: &HostPath) -> bool;
    fn can_write(&self, path: &HostPath) -> bool;

    fn read(&self, path: &HostPath, limit: usize) -> Result<Contents, FileError> {
        self.read_at(path, 0, limit)
    }

    /// A regular file's text, where it can be read; at most [`TEXT_LIMIT`] bytes.
    fn text(&self, path: &HostPath) -> Option<String> {
        self.read(path, TEXT_LIMIT).ok().map(|contents| contents.text().into_owned())
    }

    fn is_file(&self, path: &HostPath) -> bool {
        self.metadata(path).is_ok_and(|metadata| metadata.kind == FileKind::File)
    }

    fn is_directory(&self, path: &HostPath) -> bool {
        self.metadata(path).is_ok_and(|metadata| metadata.kind == FileKind::Directory)
    }

    fn exists(&self, path: &HostPath) -> bool {
        self.metadata(path).is_ok()
    }
}

/// A running process, as its parent chain shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pub id: u32,
    /// The short name that the system keeps.
    pub name: String,
    pub executable: Option<HostPath>,
    pub arguments: Vec<String>,
    /// The environment it was started with, where it may be read: allow-listed variables only.
    pub environment: Vec<(String, String)>,
}

impl Process {
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A program to run. Nothing is inherited but what stands here.
#[derive(Debug, Clone)]
pub struct Invocation {
    pub program: HostPath,
    pub arguments: Vec<Vec<u8>>,
    pub environment: Vec<(Vec<u8>, Vec<u8>)>,
    pub directory: Option<HostPath>,
    pub deadline: Duration,
    /// Of standard output and of standard error each; more is read and thrown away.
    pub output_limit: usize,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub ending: Ending,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub elapsed: Duration,
}

/// A program that was started: whoever started it waits for its end.
#[must_use]
pub struct Running<'a>(Box<dyn FnOnce() -> Outcome + Send + 'a>);

impl<'a> Running<'a> {
    pub fn new(wait: impl FnOnce() -> Outcome + Send + 'a) -> Running<'a> {
        Running(Box::new(wait))
    }

    /// Reads what it prints until it ends or its time is over.
    pub fn outcome(self) -> Outcome {
        (self.0)()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    Exit(i32),
    Signal(i32),
    TimedOut,
    NotStarted(String),
}

/// What a mount forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mount {
    pub noexec: bool,
    pub read_only: bool,
}

pub trait Host: Files {
    fn platform(&self) -> &Platform;
    fn user(&self) -> &User;
    /// Seconds since 1970.
    fn now(&self) -> u64;
    /// One environment variable, as bytes.
    fn variable(&self, name: &str) -> Option<Vec<u8>>;
    /// Every environment variable, for handing to a program that is run. Never for reports.
    fn variables(&self) -> Vec<(Vec<u8>, Vec<u8>)>;
    fn working_directory(&self) -> Result<HostPath, FileError>;
    /// The parent, its parent and so on, nearest first.
    fn ancestors(&self) -> Vec<Process>;
    fn mount(&self, path: &HostPath) -> Option<Mount>;
    /// The directories that other file systems are mounted at. None: the system does not tell.
    fn mount_points(&self) -> Option<Vec<HostPath>> {
        None
    }
    /// Starts a program. Where it cannot be started, its outcome says so.
    fn start(&self, invocation: &Invocation) -> Running<'_>;
    /// Writes at the end of a file that the user named, and makes it where it is missing.
    fn append(&self, path: &HostPath, bytes: &[u8]) -> Result<(), FileError>;
    /// Writes a file that the user named; one that exists is left as it is.
    fn create(&self, path: &HostPath, bytes: &[u8]) -> Result<(), FileError>;
    /// The first runnable file of that name by the `which` crate: the second opinion.
    fn which(&self, name: &str) -> Option<HostPath>;

    /// A text of the Windows registry, by its key (`HKEY_CURRENT_USER\SOFTWARE\...`) and name. None elsewhere.
    fn registry(&self, key: &str, name: &str) -> Option<String>;

    /// A variable as text, where it is set and not empty.
    fn text_variable(&self, name: &str) -> Option<String> {
        self.variable(name)
            .filter(|value| !value.is_empty())
            .map(|value| crate::path::readable(&value).into_owned())
    }

    /// A variable that holds an absolute path.
    fn path_variable(&self, name: &str) -> Option<HostPath> {
        HostPath::new(self.platform().flavour(), self.variable(name)?)
    }

    /// The home directory: `HOME` (`USERPROFILE` on Windows), else the user's entry in the password file.
    fn home(&self) -> Option<HostPath> {
        let name = match self.platform().flavour() {
            crate::path::Flavour::Posix => "HOME",
            crate::path::Flavour::Windows => "USERPROFILE",
        };
        self.path_variable(name).or_else(|| self.user().home.clone())
    }
}
