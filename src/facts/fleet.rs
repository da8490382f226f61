//! Environments in numbers: whose they are, and what they cost.

use serde::{Deserialize, Serialize};

use crate::path::{Flavour, HostPath};

/// Whether this prefix holds a whole system besides a Python.
pub fn holds_system(root: &HostPath) -> bool {
    root.flavour() == Flavour::Posix && matches!(root.as_bytes(), b"/" | b"/usr" | b"/usr/local")
}

/// The tool that keeps an environment or an installation in a place of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keeper {
    Poetry,
    Pipenv,
    Hatch,
    Pdm,
    UvTool,
    UvPython,
    Pipx,
    PreCommit,
    Virtualenvwrapper,
    Pyenv,
    Conda,
    Tox,
    Nox,
}

impl Keeper {
    pub fn label(self) -> &'static str {
        match self {
            Keeper::Poetry => "poetry",
            Keeper::Pipenv => "pipenv",
            Keeper::Hatch => "hatch",
            Keeper::Pdm => "pdm",
            Keeper::UvTool => "uv tool",
            Keeper::UvPython => "uv",
            Keeper::Pipx => "pipx",
            Keeper::PreCommit => "pre-commit",
            Keeper::Virtualenvwrapper => "virtualenvwrapper",
            Keeper::Pyenv => "pyenv",
            Keeper::Conda => "conda",
            Keeper::Tox => "tox",
            Keeper::Nox => "nox",
        }
    }
}

/// What an environment takes, and since when. Times are seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cost {
    /// When it was made.
    pub made: Option<u64>,
    /// When it was last used: its `pyvenv.cfg` was read, which every start of its interpreter does, or something
    /// was installed.
    pub used: Option<u64>,
    /// Where it was measured.
    pub space: Option<Space>,
}

/// Bytes on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Space {
    /// Of every file in it, a file with several names in it counted once.
    pub total: u64,
    /// Of those whose names are all in it: deleting it frees so much.
    pub own: u64,
    pub files: u64,
}

/// What files with the same contents take more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Waste {
    /// Bytes that would be free if each of them lay on the disk once.
    pub bytes: u64,
    /// Files that have a twin elsewhere on the disk, without the first of each.
    pub files: u64,
    /// Whether everything was compared.
    pub complete: bool,
}
