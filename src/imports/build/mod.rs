//! What is known of an interpreter's build without starting it.

use serde::{Deserialize, Serialize};

use crate::facts::platform::System;
use crate::host::Files;
use crate::path::{Flavour, HostPath};

use super::place::Place;

mod binary;
mod name;
mod stdlib;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Implementation {
    CPython,
    PyPy,
}

/// The language version; it compares by major and minor alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version {
    pub major: u8,
    pub minor: u8,
}

impl Version {
    pub const fn new(major: u8, minor: u8) -> Self {
        Version { major, minor }
    }

    pub(super) fn is(self, major: u8, minor: u8) -> bool {
        self == Version::new(major, minor)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    pub implementation: Implementation,
    pub version: Version,
    /// The third number of the version, where a file tells it.
    pub patch: Option<u8>,
    pub free_threaded: bool,
    /// Its `site.py` looks into `dist-packages`.
    pub debian: bool,
    pub system: System,
    /// The name of a macOS framework build, usually `Python`.
    pub framework: Option<String>,
    /// The compiled-in prefix, where a file tells it.
    pub prefix: Option<HostPath>,
    /// The directory of the standard library that the above was read from.
    pub stdlib: Option<HostPath>,
    pub platlibdir: String,
    /// Its `site.py` leaves out `.pth` files whose name begins with a dot.
    pub skips_hidden_pth: bool,
    /// `.cpython-312-x86_64-linux-gnu.so`: what its own extension modules end in, where a file tells it.
    pub extension_suffix: Option<String>,
    /// The extension modules that were compiled into it, where a file tells them; those that every build of the
    /// version has are left out.
    pub compiled_in: Option<Vec<String>>,
    pub notes: Vec<String>,
}

impl From<&Build> for crate::facts::interpreter::Version {
    fn from(build: &Build) -> Self {
        let Version { major, minor } = build.version;
        let version = Self::new(major.into(), minor.into(), build.patch.map(u32::from));
        Self { free_threaded: build.free_threaded, ..version }
    }
}

impl Build {
    /// A build of which nothing more than its version is known.
    pub fn plain(implementation: Implementation, version: Version, flavour: Flavour) -> Self {
        let windows = flavour == Flavour::Windows;
        Build {
            implementation,
            version,
            patch: None,
            free_threaded: false,
            debian: false,
            system: if windows { System::Windows } else { System::Linux },
            framework: None,
            prefix: None,
            stdlib: None,
            platlibdir: if windows { "DLLs" } else { "lib" }.to_owned(),
            skips_hidden_pth: version >= Version::new(3, 13),
            extension_suffix: None,
            compiled_in: None,
            notes: Vec::new(),
        }
    }

    pub fn thread_suffix(&self) -> &'static str {
        if self.free_threaded { "t" } else { "" }
    }

    /// `python3.12`, `python3.13t`, `pypy3.11`: the directory below `lib`.
    pub fn versioned_name(&self) -> String {
        let stem = match self.implementation {
            Implementation::CPython => "python",
            Implementation::PyPy => "pypy",
        };
        format!("{stem}{}{}", self.version, self.thread_suffix())
    }

    /// Whether getpath prefers a link target with a standard library of its own to `home`: gh-106045, seen
    /// in 3.14.10 and 3.15. Which release of 3.14 was the first is not known, so earlier ones count as without.
    pub(super) fn has_rescue(&self) -> bool {
        self.version >= Version::new(3, 15)
            || (self.version.is(3, 14) && self.patch.is_some_and(|patch| patch >= 10))
    }
}

/// Why nothing can be predicted for an executable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unidentified {
    pub why: String,
}

impl std::fmt::Display for Unidentified {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.why)
    }
}

/// Version and build of `executable`, from names, landmarks and text files; it is never started. One that is
/// gone is told by the environment that it belonged to, with a note.
pub fn identify(files: &dyn Files, executable: &HostPath) -> Result<Build, Unidentified> {
    let place = Place { files, flavour: executable.flavour(), working_directory: None };
    let found = name::find(&place, executable)?;
    let mut build = Build::plain(found.implementation, found.version, place.flavour);
    build.free_threaded = found.free_threaded;
    build.patch = found.patch;
    build.notes.extend(found.dead);
    stdlib::describe(&place, &mut build, &found.starts, &found.binary);
    Ok(build)
}
