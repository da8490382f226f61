//! Where else on this machine a module is installed.

use serde::{Deserialize, Serialize};

use super::interpreter::Version;
use crate::path::HostPath;

/// What the search of the other environments came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Elsewhere {
    /// The project's first, then the shell's, then those of version managers and tools.
    pub providers: Vec<Provider>,
    /// How many environments were looked into.
    pub searched: usize,
    /// Time ran out before all were.
    pub cut_short: bool,
    /// Files of the project with the module's name that may not be on the import path.
    pub in_project: Vec<HostPath>,
}

/// An environment that has the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// Root of the environment, the installation's prefix, or the user's site directory.
    pub root: HostPath,
    pub keeper: Keeper,
    /// The file or directory that would be imported.
    pub file: HostPath,
    /// Of the Python it is installed for.
    pub version: Option<Version>,
    /// Its interpreter, where there is one.
    pub interpreter: Option<HostPath>,
}

/// Who keeps such an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keeper {
    /// The project, the shell or the search path leads to it.
    Known,
    UserSite,
    Pyenv,
    Poetry,
    Pipenv,
    VirtualenvWrapper,
    Pdm,
    Hatch,
    Pipx,
    UvTool,
    UvPython,
    Conda,
    /// A Python installation.
    Installation,
}

impl Keeper {
    pub fn label(self) -> &'static str {
        match self {
            Keeper::Known => "an environment",
            Keeper::UserSite => "the user site",
            Keeper::Pyenv => "a Python of pyenv",
            Keeper::Poetry => "an environment of poetry",
            Keeper::Pipenv => "an environment of pipenv",
            Keeper::VirtualenvWrapper => "an environment of virtualenvwrapper",
            Keeper::Pdm => "an environment of pdm",
            Keeper::Hatch => "an environment of hatch",
            Keeper::Pipx => "pipx's environment of an application",
            Keeper::UvTool => "uv's environment of a tool",
            Keeper::UvPython => "a Python of uv",
            Keeper::Conda => "an environment of conda",
            Keeper::Installation => "an installed Python",
        }
    }
}
