//! The shell that the doctor was started from, and what stands between them.

use serde::{Deserialize, Serialize};

use crate::host::Process;
use crate::path::{Flavour, HostPath};

mod reported;

pub use reported::{reported_argument, reported_variable, without_credentials};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShellKind {
    Bash,
    Zsh,
    Fish,
    /// csh and tcsh.
    Csh,
    /// sh, dash, ash, ksh.
    Sh,
    PowerShell,
    Cmd,
    Nushell,
    Xonsh,
    Elvish,
}

impl ShellKind {
    /// From a program's name: `bash`, `-zsh`, `pwsh.exe`.
    pub fn from_program(name: &str) -> Option<ShellKind> {
        let name = name.trim_start_matches('-');
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name).to_ascii_lowercase();
        Some(match name.strip_suffix(".exe").unwrap_or(&name) {
            "bash" | "rbash" => ShellKind::Bash,
            "zsh" => ShellKind::Zsh,
            "fish" => ShellKind::Fish,
            "csh" | "tcsh" | "bsd-csh" => ShellKind::Csh,
            "sh" | "dash" | "ash" | "ksh" | "ksh93" | "mksh" | "yash" | "busybox" => ShellKind::Sh,
            "pwsh" | "powershell" | "pwsh-preview" => ShellKind::PowerShell,
            "cmd" => ShellKind::Cmd,
            "nu" | "nushell" => ShellKind::Nushell,
            "xonsh" => ShellKind::Xonsh,
            "elvish" => ShellKind::Elvish,
            _ => return None,
        })
    }

    pub fn label(self) -> &'static str {
        match self {
            ShellKind::Bash => "bash",
            ShellKind::Zsh => "zsh",
            ShellKind::Fish => "fish",
            ShellKind::Csh => "csh",
            ShellKind::Sh => "sh",
            ShellKind::PowerShell => "powershell",
            ShellKind::Cmd => "cmd",
            ShellKind::Nushell => "nushell",
            ShellKind::Xonsh => "xonsh",
            ShellKind::Elvish => "elvish",
        }
    }
}

/// How the shell's kind is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShellSource {
    /// A parent process is one.
    Process,
    /// Only the `SHELL` variable (the login shell, not necessarily this one) tells.
    Variable,
    #[default]
    Unknown,
}

/// A program that runs others in an environment of its own making, or that stands for the user's shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wrapper {
    PreCommit,
    UvRun,
    Uvx,
    PipxRun,
    Tox,
    Nox,
    PoetryRun,
    PdmRun,
    PipenvRun,
    HatchRun,
    CondaRun,
    Sudo,
    Tmux,
    Screen,
    Make,
    Git,
    Direnv,
    /// cron, systemd or another service manager.
    Service,
    Ci,
}

impl Wrapper {
    pub fn label(self) -> &'static str {
        match self {
            Wrapper::PreCommit => "pre-commit",
            Wrapper::UvRun => "uv run",
            Wrapper::Uvx => "uvx",
            Wrapper::PipxRun => "pipx run",
            Wrapper::Tox => "tox",
            Wrapper::Nox => "nox",
            Wrapper::PoetryRun => "poetry run",
            Wrapper::PdmRun => "pdm run",
            Wrapper::PipenvRun => "pipenv run",
            Wrapper::HatchRun => "hatch run",
            Wrapper::CondaRun => "conda run",
            Wrapper::Sudo => "sudo",
            Wrapper::Tmux => "tmux",
            Wrapper::Screen => "screen",
            Wrapper::Make => "make",
            Wrapper::Git => "git",
            Wrapper::Direnv => "direnv",
            Wrapper::Service => "a service manager",
            Wrapper::Ci => "CI",
        }
    }

    /// Whether it sets up an environment for the programs that it runs, so that the one that is active
    /// inside it is right there even when it is not the project's.
    pub fn brings_environment(self) -> bool {
        matches!(
            self,
            Wrapper::UvRun
                | Wrapper::Uvx
                | Wrapper::PipxRun
                | Wrapper::Tox
                | Wrapper::Nox
                | Wrapper::PoetryRun
                | Wrapper::PdmRun
                | Wrapper::PipenvRun
                | Wrapper::HatchRun
                | Wrapper::CondaRun
        )
    }
}

/// The shell as the doctor's caller sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Shell {
    pub kind: Option<ShellKind>,
    pub source: ShellSource,
    /// A login shell, as its `argv[0]` or options tell.
    pub login: bool,
    pub interactive: bool,
    /// The doctor's parents, nearest first.
    pub ancestors: Vec<Process>,
    /// Nearest first.
    pub wrappers: Vec<Wrapper>,
    /// The variables below were taken from this ancestor (the shell outside a wrapper), not from the doctor's own.
    pub seen_through: Option<Wrapper>,
    /// Allow-listed variables that are set, sorted by name. Values are as the shell exports them.
    pub variables: Vec<(String, String)>,
    /// Lines of the shell's start-up files that put a directory on `PATH`.
    pub path_lines: Vec<PathLine>,
    /// Aliases and functions for the names of Python's programs: the live shell's own where the shell
    /// integration tells them, else those of the rc files that this shell reads.
    pub aliases: Vec<Alias>,
    /// What the live shell itself reports. None: its integration is not installed.
    pub integration: Option<Integration>,
}

/// A line of a start-up file that puts a directory on `PATH`: `export PATH="$HOME/.pyenv/shims:$PATH"`,
/// `eval "$(pyenv init -)"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathLine {
    pub file: HostPath,
    pub line: usize,
    pub text: String,
    pub directory: HostPath,
}

/// A name that the shell takes for something else before it searches `PATH`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    pub name: String,
    /// What it stands for, without the quotes around it: `/usr/bin/python3`, or a function's body.
    pub value: String,
    pub function: bool,
    /// The file and line that define it. None: the live shell has it, and no rc file is known to define it.
    pub file: Option<HostPath>,
    pub line: Option<usize>,
    /// That line, without the white space around it.
    pub text: Option<String>,
    /// What it depends on (`if [ -d ~/work ]`), where it is not defined at every start.
    pub condition: Option<String>,
}

/// What the live shell reports through its integration (`venv-doctor init`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Integration {
    /// Programs whose place the shell has remembered, so that it does not search `PATH` for them.
    pub remembered: Vec<Remembered>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    pub name: String,
    pub path: HostPath,
    pub exists: bool,
}

impl Shell {
    /// An allow-listed variable, also when it is empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .binary_search_by(|(key, _)| key.as_str().cmp(name))
            .ok()
            .map(|index| self.variables[index].1.as_str())
    }

    /// A variable that is set and not empty.
    pub fn set(&self, name: &str) -> Option<&str> {
        self.variable(name).filter(|value| !value.is_empty())
    }

    /// A variable that holds an absolute path; its value may have been made readable, so a name that is
    /// not UTF-8 does not come back here (see [`Facts::notes`](super::Facts)).
    pub fn path_variable(&self, name: &str) -> Option<HostPath> {
        let value = self.set(name)?;
        let flavour = if value.starts_with('/') { Flavour::Posix } else { Flavour::Windows };
        HostPath::new(flavour, value)
    }

    pub fn within(&self, wrapper: Wrapper) -> bool {
        self.wrappers.contains(&wrapper)
    }

    /// Started by sudo, which leaves out most variables and sets a `PATH` of its own.
    pub fn under_sudo(&self) -> bool {
        self.within(Wrapper::Sudo) || self.set("SUDO_USER").is_some()
    }

    /// The nearest wrapper that brings an environment of its own.
    pub fn environment_wrapper(&self) -> Option<Wrapper> {
        self.wrappers.iter().copied().find(|wrapper| wrapper.brings_environment())
    }
}
