//! Interpreters: what their files are, and what they say of themselves.

use serde::{Deserialize, Serialize};

use super::environment::{Environment, Layout};
use super::{Gathered, Origin};
use crate::host::{FileError, FileKind};
use crate::imports::{Build, Comparison, Prediction};
use crate::parse::binary::Binary;
use crate::path::{Flavour, HostPath};

mod owner;

pub use owner::PythonOwner;

/// A symbolic link followed hop by hop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkChain {
    /// The path that was asked for, then each place that a link led to.
    pub hops: Vec<HostPath>,
    pub end: LinkEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkEnd {
    File,
    Directory,
    Other,
    Missing,
    Loop,
    Denied,
}

impl LinkChain {
    /// The last place: the file itself, or the path that does not exist.
    pub fn last(&self) -> Option<&HostPath> {
        self.hops.last()
    }

    pub fn is_link(&self) -> bool {
        self.hops.len() > 1
    }
}

impl From<&FileError> for LinkEnd {
    fn from(error: &FileError) -> LinkEnd {
        match error {
            FileError::Loop => LinkEnd::Loop,
            FileError::Denied => LinkEnd::Denied,
            _ => LinkEnd::Missing,
        }
    }
}

impl From<FileKind> for LinkEnd {
    fn from(kind: FileKind) -> LinkEnd {
        match kind {
            FileKind::File => LinkEnd::File,
            FileKind::Directory => LinkEnd::Directory,
            FileKind::Link => LinkEnd::Loop,
            FileKind::Other => LinkEnd::Other,
        }
    }
}

/// One `python`, by its path before links are resolved: two links to one file may be two environments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpreter {
    pub path: HostPath,
    pub origins: Vec<Origin>,
    pub links: LinkChain,
    /// Where the links end in nothing: the first part of the last place that does not exist.
    pub missing_part: Option<HostPath>,
    /// Root of the venv that it belongs to by `pyvenv.cfg`, else the prefix of its installation.
    pub environment: Option<HostPath>,
    /// Permission bits of the file at the end of the links.
    pub mode: Option<u32>,
    /// Whether the kernel would start it: its bits and its mount.
    pub executable: bool,
    pub on_noexec_mount: bool,
    pub size: Option<u64>,
    pub binary: Gathered<Binary>,
    /// Whether the loader that its binary asks for exists. None: it asks for none.
    pub loader_exists: Option<bool>,
    /// For each library of Python's own (`libpython...`) that it needs: where the loader would find it.
    pub libpython: Vec<LibraryLookup>,
    pub version: Option<Version>,
    /// How the version is known: `the file's name`, `its libpython`.
    pub version_source: Option<String>,
    pub implementation: Option<String>,
    /// Whether the prefix that was compiled into it still holds its standard library, so that it starts
    /// whatever `home` in `pyvenv.cfg` says. None: not known.
    pub prefix_usable: Option<bool>,
    pub probe: Probe,
    /// What it was built as, told by its files; of the one to ask alone.
    pub build: Option<Build>,
    /// The import path that its files and the variables foretell, as `python -c` would have it.
    pub predicted: Option<Prediction>,
    /// What was foretold for the start of the probe beside what it reported.
    pub comparison: Option<Comparison>,
}

impl Interpreter {
    /// Exists, may be executed, and its loader is there.
    pub fn can_start(&self) -> bool {
        self.links.end == LinkEnd::File && self.executable && self.loader_exists != Some(false)
    }

    /// What it said of its version, else what its files tell.
    pub fn known_version(&self) -> Option<Version> {
        match self.probe.report().map(|report| report.version.as_slice()) {
            Some([major, minor, rest @ ..]) => Some(Version {
                free_threaded: self.version.is_some_and(|version| version.free_threaded),
                ..Version::new(*major, *minor, rest.first().copied())
            }),
            _ => self.version,
        }
    }

    /// Its file's name as the shell knows it: `python`, `python3`, `python3.11`; without `.exe`.
    pub fn command_name(&self) -> String {
        let name = self.path.name().to_ascii_lowercase();
        name.strip_suffix(".exe").unwrap_or(&name).to_owned()
    }

    /// Answers to `python` or `python3`: the names that entry scripts and people use.
    pub fn is_unversioned(&self) -> bool {
        matches!(self.command_name().as_str(), "python" | "python3" | "pypy" | "pypy3")
    }

    /// A file of the environment itself, not a link that leaves it.
    pub fn is_copy_in(&self, environment: &Environment) -> bool {
        self.links.end == LinkEnd::File && self.links.last().is_some_and(|last| environment.contains(last))
    }

    /// What becomes of it when `home` in its environment's `pyvenv.cfg` is of no use.
    ///
    /// `Modules/getpath.c` (until 3.10) reads `home` for a copied binary alone; `Modules/getpath.py` (since 3.11)
    /// starts the search for the standard library there, and since 3.14.10 at the end of the links first. What is
    /// found nowhere is taken from the prefix that was compiled in.
    pub fn without_home(&self, fault: HomeFault, environment: &Environment) -> WithoutHome {
        if let Probe::Failed { .. } = self.probe
            && self.probe.lacks_standard_library()
        {
            return WithoutHome::Dies;
        }
        // a venv's `Scripts\python.exe` only starts the one in `home` (`PC/launcher2.c`, `PC/venvlauncher.c`)
        if environment.layout == Layout::Windows && self.path.flavour() == Flavour::Windows {
            return WithoutHome::Dies;
        }
        let Some(version) = self.known_version() else { return WithoutHome::Luck };
        let copied = self.is_copy_in(environment);
        let c_getpath = (version.major, version.minor) <= (3, 10);
        let links_first =
            version.minor >= 15 || (version.minor == 14 && version.patch.is_some_and(|patch| patch >= 10));
        if self.implementation.as_deref().is_some_and(|name| name != "cpython")
            || (!copied && (c_getpath || links_first || fault == HomeFault::Absent))
            || (copied && c_getpath && fault == HomeFault::File)
        {
            return WithoutHome::NotNeeded;
        }
        let answered = self.probe.report().is_some();
        let error_in_getpath = fault == HomeFault::File && (11..=13).contains(&version.minor);
        if !answered && (error_in_getpath || self.prefix_usable == Some(false)) {
            return WithoutHome::Dies;
        }
        WithoutHome::Luck
    }

    /// Each place that a link leads to, in a line: `a -> b -> c`.
    pub fn links_text(&self) -> String {
        self.links.hops.iter().map(HostPath::to_text).collect::<Vec<_>>().join(" -> ")
    }
}

/// What is wrong with `home` in a `pyvenv.cfg`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HomeFault {
    /// There is no such key, or it is empty.
    Absent,
    /// It leads to no directory, or to one without a Python.
    Nowhere,
    /// It names a file: the interpreter instead of its directory.
    File,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithoutHome {
    /// It does not look there.
    NotNeeded,
    /// It starts, as long as the prefix that was compiled into it is there; or this is not known.
    Luck,
    Dies,
}

/// Where a needed library would come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryLookup {
    /// As the binary asks for it: `libpython3.11.so.1.0`.
    pub name: String,
    /// The file that the loader takes first. None: it is nowhere.
    pub found: Option<HostPath>,
    /// What led there: `RUNPATH`, `LD_LIBRARY_PATH`, `the system's library path`.
    pub through: Option<String>,
    /// The same name, first in `RUNPATH` or beside the interpreter's prefix, where another file came first.
    pub own: Option<HostPath>,
    /// Full versions of the two files, where their bytes tell.
    pub found_version: Option<String>,
    pub own_version: Option<String>,
    /// Directories that were searched.
    pub searched: Vec<HostPath>,
}

/// A Python version; the patch level is not always known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
    pub patch: Option<u32>,
    pub free_threaded: bool,
}

impl Version {
    pub fn new(major: u32, minor: u32, patch: Option<u32>) -> Version {
        Version { major, minor, patch, free_threaded: false }
    }

    /// The same directory of packages: major, minor and the free-threaded build agree.
    pub fn same_minor(self, other: Version) -> bool {
        (self.major, self.minor, self.free_threaded) == (other.major, other.minor, other.free_threaded)
    }

    /// `3.11`, `3.13t`.
    pub fn minor_text(self) -> String {
        format!("{}.{}{}", self.major, self.minor, if self.free_threaded { "t" } else { "" })
    }

    /// `3.11`, `3.11.2`, `3.11.2rc1`, `3.13t`; what follows the numbers is dropped.
    pub fn parse(text: &str) -> Option<Version> {
        let text = text.trim();
        let mut parts = text.splitn(3, '.');
        let major = parts.next()?.parse().ok()?;
        let leading = |part: &str| -> (Option<u32>, bool) {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            (digits.parse().ok(), part[digits.len()..].starts_with('t'))
        };
        let (minor, mut free_threaded) = leading(parts.next()?);
        let patch = parts.next().and_then(|part| {
            let (patch, thread_suffix) = leading(part);
            free_threaded |= thread_suffix;
            patch
        });
        Some(Version { major, minor: minor?, patch, free_threaded })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)?;
        if let Some(patch) = self.patch {
            write!(formatter, ".{patch}")?;
        }
        if self.free_threaded {
            formatter.write_str("t")?;
        }
        Ok(())
    }
}

/// What came of asking an interpreter about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    NotRun {
        why: String,
    },
    Answered(Box<ProbeReport>),
    /// It ended without an answer: exit status or signal, and what it wrote to standard error.
    Failed {
        ending: String,
        stderr: String,
    },
    TimedOut {
        seconds: u64,
    },
    /// It wrote no answer that can be read.
    Garbled {
        stdout: String,
    },
}

impl Probe {
    pub fn report(&self) -> Option<&ProbeReport> {
        match self {
            Probe::Answered(report) => Some(report),
            _ => None,
        }
    }

    /// It was started, and what came of it is no answer.
    pub fn went_wrong(&self) -> bool {
        matches!(self, Probe::Failed { .. } | Probe::TimedOut { .. } | Probe::Garbled { .. })
    }

    /// It ended because Python did not find its standard library.
    pub fn lacks_standard_library(&self) -> bool {
        let Probe::Failed { stderr, .. } = self else { return false };
        [
            "No module named 'encodings'",
            "Could not find platform independent libraries",
            "Failed to import encodings",
            "error evaluating path",
            "Unable to get the locale encoding",
            "No Python at",
            "did not find executable at",
        ]
        .iter()
        .any(|sign| stderr.contains(sign))
    }
}

/// What an interpreter says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProbeReport {
    pub implementation: String,
    pub version: Vec<u32>,
    pub executable: Option<String>,
    pub prefix: String,
    pub base_prefix: String,
    pub exec_prefix: String,
    pub base_exec_prefix: String,
    /// `sys.path` as spelt, without the entry for the program's own directory.
    pub path: Vec<String>,
    /// Whether `sys.path` begins with that entry, which is empty for `-c`.
    pub has_first_entry: bool,
    pub enable_user_site: Option<bool>,
    pub user_site: Option<String>,
    pub soabi: Option<String>,
    pub platform: String,
    /// Whether it was started with `-I -S`, so that site directories are missing.
    pub isolated: bool,
    /// What startup hooks wrote to standard error.
    pub startup_messages: String,
}

/// A Python on this machine that an environment could be made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// The interpreter: `/usr/bin/python3.11`.
    pub interpreter: HostPath,
    pub version: Option<Version>,
    pub implementation: Option<String>,
    /// `the search path`, `pyenv`, `uv`, `Homebrew`.
    pub found_by: String,
    /// Whether `python -m venv` can give pip there (Debian splits `ensurepip` off).
    pub has_ensurepip: bool,
    pub externally_managed: bool,
    /// Roots of the environments whose interpreter is a link to it, whatever the spelling.
    #[serde(default)]
    pub linked_from: Vec<HostPath>,
}
