//! The project around the working directory, and what it declares.

use serde::{Deserialize, Serialize};

use super::Gathered;
use super::requirement::{DeclaredRequirement, Sources};
use crate::parse::activation_use::ActivationProblem;
use crate::path::HostPath;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Project {
    /// None: nothing here looks like a Python project.
    pub root: Option<HostPath>,
    /// Files that make it one: `pyproject.toml`, `requirements.txt`...
    pub markers: Vec<HostPath>,
    pub name: Option<String>,
    /// The project around this one in the same git work tree, where nothing but files of requirements makes this one.
    #[serde(default)]
    pub enclosing: Option<HostPath>,
    /// The tools that manage its environment, by lock file or configuration.
    pub managers: Vec<Manager>,
    pub requirement_files: Vec<HostPath>,
    /// Names of its declared dependencies, normalised; those that may be left out (markers, extras) are not here.
    pub dependencies: Vec<Dependency>,
    /// Every declared requirement with all that it says, those that may be left out among them.
    pub requirements: Vec<DeclaredRequirement>,
    /// Names of required distributions, normalised, whose module lies in the root itself: a `six.py` there.
    #[serde(default)]
    pub in_root: Vec<String>,
    /// What its sources import from elsewhere, where it was asked for.
    pub sources: Gathered<Sources>,
    pub requires_python: Option<Declared>,
    /// `.python-version` and its like, nearest first.
    pub pins: Vec<Declared>,
    /// A build system or package table says that it is to be installed itself.
    pub is_package: bool,
    /// Roots of the environments that belong to it, best first.
    pub environments: Vec<HostPath>,
    /// Executable files with a `#!` line for Python in the root, `bin` or `scripts`.
    pub scripts: Vec<ProjectScript>,
    /// Tools that the project is worked on with (`pytest`, `mypy`), each with a place that shows it: a test file,
    /// a table of `pyproject.toml`, a line of a Makefile.
    pub tools: Vec<Declared>,
    /// Lines of Makefiles, Dockerfiles, CI files and shell scripts that activate wrongly.
    pub activation_problems: Vec<ActivationSite>,
    /// Lines of unit files and crontabs that run one of the project's files with another Python.
    pub service_lines: Vec<ServiceLine>,
    /// Modules that the project's top-level files import, with a place each: a quick reading of lines that start with
    /// `import` or `from`.
    pub imports: Vec<ImportedModule>,
    /// Other Python files exist (a project without any marker).
    pub has_python_files: bool,
    pub git: Option<Git>,
    /// `Dockerfile`, `compose.yaml`, `.devcontainer` at its root.
    pub container_files: Vec<HostPath>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manager {
    pub kind: ManagerKind,
    pub evidence: HostPath,
    /// Whether its program is on the search path.
    pub available: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ManagerKind {
    Uv,
    Poetry,
    Pdm,
    Pipenv,
    Hatch,
    Conda,
    Pixi,
    Tox,
    Nox,
    PipTools,
}

impl ManagerKind {
    pub fn label(self) -> &'static str {
        match self {
            ManagerKind::Uv => "uv",
            ManagerKind::Poetry => "poetry",
            ManagerKind::Pdm => "pdm",
            ManagerKind::Pipenv => "pipenv",
            ManagerKind::Hatch => "hatch",
            ManagerKind::Conda => "conda",
            ManagerKind::Pixi => "pixi",
            ManagerKind::Tox => "tox",
            ManagerKind::Nox => "nox",
            ManagerKind::PipTools => "pip-tools",
        }
    }

    /// `X run` makes activation unnecessary.
    pub fn runs_for_you(self) -> bool {
        !matches!(self, ManagerKind::Conda | ManagerKind::PipTools)
    }

    /// Packages come into its environments without their own pip.
    pub fn installs_by_itself(self) -> bool {
        !matches!(self, ManagerKind::PipTools | ManagerKind::Tox | ManagerKind::Nox)
    }
}

/// Something that a file says, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    pub text: String,
    pub file: HostPath,
    pub line: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// Normalised by PEP 503.
    pub name: String,
    pub file: HostPath,
    pub line: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedModule {
    /// The first part of the dotted name.
    pub name: String,
    pub file: HostPath,
    pub line: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectScript {
    pub path: HostPath,
    /// The `#!` line.
    pub line: String,
    /// The interpreter named by an absolute path, else the name that `env` looks for.
    pub interpreter: ScriptInterpreter,
    pub crlf: bool,
    /// Modules that it imports, as [`Project::imports`].
    pub imports: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScriptInterpreter {
    Path(HostPath),
    /// `#!/usr/bin/env NAME`.
    Env(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationSite {
    pub file: HostPath,
    pub line: usize,
    pub text: String,
    pub problem: ActivationProblem,
}

/// A line that a service manager or cron runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceLine {
    pub file: HostPath,
    pub line: usize,
    pub text: String,
    /// The interpreter it names: a path, or a bare name looked up on the service's own `PATH`.
    pub interpreter: String,
    /// The project's file that it runs.
    pub script: HostPath,
    /// Modules that this file imports, as [`Project::imports`].
    pub imports: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Git {
    /// The work tree's top.
    pub top: HostPath,
    /// The directory that holds `index`.
    pub directory: HostPath,
}
