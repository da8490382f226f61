//! What else depends on environments: Jupyter kernels, editors' settings, applications in environments of their own,
//! git hooks.

use serde::{Deserialize, Serialize};

use super::interpreter::LinkChain;
use crate::path::HostPath;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tools {
    /// Python kernels, first found first.
    pub kernels: Vec<Kernel>,
    pub notebooks: Vec<Notebook>,
    pub editor_settings: Vec<EditorSetting>,
    /// Environments of applications whose interpreter is gone.
    pub broken_applications: Vec<Application>,
    pub git_hooks: Vec<GitHook>,
    /// Cached environments of pre-commit's hooks whose interpreter is gone.
    pub broken_hook_environments: Vec<HookEnvironment>,
    /// Seen from a POSIX shell with Windows directories on its search path.
    pub store_alias: Option<StoreAlias>,
    /// What PowerShell 6 and later was told of scripts.
    pub execution_policy: Option<ExecutionPolicy>,
    /// The same of Windows PowerShell, `powershell.exe`.
    pub windows_execution_policy: Option<ExecutionPolicy>,
}

/// A `kernel.json` whose language is Python.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kernel {
    /// The name of its directory.
    pub name: String,
    pub file: HostPath,
    /// The first word of what it runs, where that is an absolute path.
    pub interpreter: HostPath,
    pub exists: bool,
    /// Root of the environment that the interpreter belongs to.
    pub environment: Option<HostPath>,
}

/// A notebook of the project, and the kernel that it asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notebook {
    pub file: HostPath,
    pub kernel: String,
}

/// A line of an editor's settings that names an interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditorSetting {
    pub file: HostPath,
    pub line: Option<usize>,
    pub key: String,
    /// As it is written.
    pub text: String,
    /// With the editor's variables replaced.
    pub path: HostPath,
    pub exists: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApplicationTool {
    Pipx,
    Uv,
    /// `.tox` and `.nox` of the project.
    Tox,
    Nox,
    /// The caches of other projects' environments.
    Poetry,
    Pipenv,
    Hatch,
}

impl ApplicationTool {
    pub fn label(self) -> &'static str {
        match self {
            ApplicationTool::Pipx => "pipx",
            ApplicationTool::Uv => "uv",
            ApplicationTool::Tox => "tox",
            ApplicationTool::Nox => "nox",
            ApplicationTool::Poetry => "poetry",
            ApplicationTool::Pipenv => "pipenv",
            ApplicationTool::Hatch => "hatch",
        }
    }

    /// Whether its environments serve single tasks or other projects: one that is broken is told of for information.
    pub fn is_of_other_work(self) -> bool {
        !matches!(self, ApplicationTool::Pipx | ApplicationTool::Uv)
    }
}

/// An application, or a task of a project, in an environment of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    pub tool: ApplicationTool,
    pub name: String,
    pub root: HostPath,
    /// From its interpreter to what is not there.
    pub links: LinkChain,
}

/// A hook that pre-commit wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitHook {
    pub file: HostPath,
    pub line: usize,
    /// `INSTALL_PYTHON`.
    pub interpreter: HostPath,
    pub exists: bool,
    /// `pre-commit` on the search path, which the hook falls back to.
    pub fallback: Option<HostPath>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookEnvironment {
    pub root: HostPath,
    pub links: LinkChain,
}

/// The Microsoft Store's empty `python.exe`, before a real one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreAlias {
    pub path: HostPath,
    /// The real one behind it.
    pub behind: HostPath,
}

/// `Restricted`, `AllSigned`, `RemoteSigned`, `Unrestricted`, `Bypass`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionPolicy {
    pub policy: String,
    /// The variable, file or registry value that says so.
    pub source: String,
    pub scope: PolicyScope,
}

/// Who may change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyScope {
    /// An administrator, for a group of machines or users.
    Group,
    /// It is this process's and its children's.
    Process,
    /// Kept for the user or the machine, or the default: the user's own setting comes first.
    Kept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerShellEdition {
    /// 6 and later: `pwsh.exe`.
    Core,
    /// Up to 5.1, as it comes with Windows: `powershell.exe`.
    Windows,
}
