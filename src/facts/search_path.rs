//! `PATH`, and what the shell would run for the names that matter here.

use serde::{Deserialize, Serialize};

use crate::path::HostPath;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SearchPath {
    /// False when `PATH` is not set at all.
    pub set: bool,
    pub entries: Vec<SearchEntry>,
    /// How many entries were left out after the first few thousand.
    pub left_out: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchEntry {
    pub index: usize,
    /// As written, made readable.
    pub raw: String,
    /// Absolute and normalised; relative ones against the working directory. None without one.
    pub directory: Option<HostPath>,
    /// Every link resolved, where it exists.
    pub real: Option<HostPath>,
    pub state: EntryState,
    /// How it is written: absolute, relative, empty, `~`.
    pub spelling: Spelling,
    /// The first entry that means the same directory.
    pub duplicate_of: Option<usize>,
    pub owner: Option<DirectoryOwner>,
    /// The environment whose `bin` this is.
    pub environment: Option<HostPath>,
    /// Which of the python and pip names it holds, runnable or not.
    pub names: Vec<String>,
}

/// Where `pip install --user` puts entry scripts: `~/.local/bin`, or as `PYTHONUSERBASE` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserScripts {
    pub directory: HostPath,
    /// Names of the entry scripts in it that run Python.
    pub scripts: Vec<String>,
    /// Whether `PATH` holds the directory, by its spelling or its real place.
    pub on_search_path: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryState {
    Directory,
    Missing,
    NotADirectory,
    Denied,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spelling {
    Absolute,
    Relative,
    /// An empty entry means the working directory.
    Empty,
    /// `~/bin` written literally: bash expands it when it searches, nothing else does.
    Tilde,
}

/// Whose directory an entry of `PATH` is, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DirectoryOwner {
    System,
    /// `~/.local/bin`.
    UserBase,
    Homebrew,
    PyenvShims,
    PyenvVersion,
    AsdfShims,
    MiseShims,
    MiseInstall,
    Conda,
    UvPython,
    Pipx,
    Venv,
    PythonOrg,
    WindowsApps,
    Nix,
}

impl DirectoryOwner {
    pub fn label(self) -> &'static str {
        match self {
            DirectoryOwner::System => "the system's",
            DirectoryOwner::UserBase => "the user's own programs",
            DirectoryOwner::Homebrew => "Homebrew's",
            DirectoryOwner::PyenvShims => "pyenv's shims",
            DirectoryOwner::PyenvVersion => "a pyenv version's",
            DirectoryOwner::AsdfShims => "asdf's shims",
            DirectoryOwner::MiseShims => "mise's shims",
            DirectoryOwner::MiseInstall => "a Python of mise",
            DirectoryOwner::Conda => "conda's",
            DirectoryOwner::UvPython => "a Python of uv",
            DirectoryOwner::Pipx => "pipx's",
            DirectoryOwner::Venv => "a venv's",
            DirectoryOwner::PythonOrg => "python.org's installer's",
            DirectoryOwner::WindowsApps => "the Microsoft Store's",
            DirectoryOwner::Nix => "Nix's",
        }
    }

    pub fn is_shims(self) -> bool {
        matches!(self, DirectoryOwner::PyenvShims | DirectoryOwner::AsdfShims | DirectoryOwner::MiseShims)
    }
}

/// A name, and every file on the search path that answers or should have answered to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    pub name: String,
    /// In the order of `PATH`.
    pub hits: Vec<Hit>,
    /// What the `which` crate finds, where it is not what our own scan chose.
    pub which_disagrees: Option<HostPath>,
}

impl Command {
    /// What the shell would run: the first runnable hit.
    pub fn chosen(&self) -> Option<&Hit> {
        self.hits.iter().find(|hit| hit.state == HitState::Runnable)
    }

    /// Files before the chosen one that a search skips in silence.
    pub fn near_misses(&self) -> impl Iterator<Item = &Hit> {
        self.hits.iter().take_while(|hit| hit.state != HitState::Runnable)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Index of the entry of `PATH`.
    pub entry: usize,
    pub path: HostPath,
    pub state: HitState,
    pub leads_to: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HitState {
    Runnable,
    /// A file without a usable execute bit, or on a noexec mount.
    NotExecutable,
    /// A symbolic link to nothing.
    Dangling,
    Loop,
    Directory,
    Denied,
}

/// What a file on the search path runs in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Target {
    /// The file is an interpreter of this environment (a venv's root, or the prefix of an installation).
    Interpreter { environment: Option<HostPath> },
    /// A script whose first line names an interpreter, which exists or not.
    Script { interpreter: HostPath, runnable: bool, environment: Option<HostPath> },
    /// A version manager's shim.
    Shim {
        manager: ShimManager,
        version: Option<String>,
        program: Option<HostPath>,
        environment: Option<HostPath>,
        problem: Option<String>,
        /// Where the problem is that no chosen version is there.
        #[serde(default)]
        absent: Option<Absent>,
    },
    /// The Microsoft Store's alias, which opens the Store.
    StoreStub,
    /// Not followed or not understood.
    Unknown,
}

impl Target {
    /// Root of the environment that the program works in.
    pub fn environment(&self) -> Option<&HostPath> {
        match self {
            Target::Interpreter { environment } => environment.as_ref(),
            Target::Script { environment, .. } | Target::Shim { environment, .. } => environment.as_ref(),
            Target::StoreStub | Target::Unknown => None,
        }
    }
}

/// The versions that a shim is to run, none of which is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    /// As they are written, at least one.
    pub versions: Vec<String>,
    /// The variable or the file that chooses them.
    pub set_by: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShimManager {
    Pyenv,
    Asdf,
    Mise,
}

impl ShimManager {
    pub fn label(self) -> &'static str {
        match self {
            ShimManager::Pyenv => "pyenv",
            ShimManager::Asdf => "asdf",
            ShimManager::Mise => "mise",
        }
    }
}
