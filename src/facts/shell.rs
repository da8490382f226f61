//! The shell that the doctor was started from, and what stands between them.

use serde::{Deserialize, Serialize};

use crate::host::Process;
use crate::path::{Flavour, HostPath};

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

/// Variables whose names and values may stand in a report, beside those that [`PREFIXES`] admits. Whatever
/// is missing here may be a secret, and is not looked at.
const REPORTED: &[&str] = &[
    // what runs, and from where
    "PATH",
    "PATHEXT",
    "HOME",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "PWD",
    "SHELL",
    "ZDOTDIR",
    "SHLVL",
    "TERM",
    "TERM_PROGRAM",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "MSYSTEM",
    // Windows' own places; its names come in capitals here
    "PROGRAMFILES",
    "PROGRAMFILES(X86)",
    "SYSTEMDRIVE",
    "PSEXECUTIONPOLICYPREFERENCE",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    // active environments
    "VIRTUAL_ENV",
    "VIRTUAL_ENV_PROMPT",
    "VIRTUAL_ENV_DISABLE_PROMPT",
    "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV",
    "CONDA_SHLVL",
    "CONDA_EXE",
    "CONDA_PYTHON_EXE",
    "CONDA_PROMPT_MODIFIER",
    "MAMBA_ROOT_PREFIX",
    "PIXI_PROJECT_ROOT",
    "WORKON_HOME",
    "DIRENV_DIR",
    "DIRENV_FILE",
    "__PYVENV_LAUNCHER__",
    // version managers
    "ASDF_DATA_DIR",
    "ASDF_PYTHON_VERSION",
    "MISE_DATA_DIR",
    "MISE_SHELL",
    "MISE_PYTHON_VERSION",
    "HOMEBREW_PREFIX",
    "PIPX_HOME",
    "PIPX_BIN_DIR",
    // what steers an install
    "PIP_BREAK_SYSTEM_PACKAGES",
    "PIP_CONFIG_FILE",
    "PIP_CONSTRAINT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_NO_BINARY",
    "PIP_NO_DEPS",
    "PIP_NO_INDEX",
    "PIP_ONLY_BINARY",
    "PIP_PREFIX",
    "PIP_PYTHON",
    "PIP_REQUIREMENT",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_ROOT",
    "PIP_TARGET",
    "PIP_USER",
    "UV",
    "UV_BREAK_SYSTEM_PACKAGES",
    "UV_CACHE_DIR",
    "UV_CONFIG_FILE",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_NO_CONFIG",
    "UV_NO_INDEX",
    "UV_NO_MANAGED_PYTHON",
    "UV_PROJECT",
    "UV_PROJECT_ENVIRONMENT",
    "UV_PYTHON",
    "UV_PYTHON_INSTALL_DIR",
    "UV_PYTHON_PREFERENCE",
    "UV_RUN_RECURSION_DEPTH",
    "UV_SYSTEM_PYTHON",
    "UV_TOOL_BIN_DIR",
    "UV_TOOL_DIR",
    // wrappers
    "PRE_COMMIT",
    "TOX_ENV_NAME",
    "TOX_ENV_DIR",
    "NOX_CURRENT_SESSION",
    "POETRY_ACTIVE",
    "POETRY_CACHE_DIR",
    "POETRY_VIRTUALENVS_CREATE",
    "POETRY_VIRTUALENVS_IN_PROJECT",
    "POETRY_VIRTUALENVS_PATH",
    "PIPENV_ACTIVE",
    "PIPENV_CUSTOM_VENV_NAME",
    "PIPENV_IGNORE_VIRTUALENVS",
    "PIPENV_PIPFILE",
    "PIPENV_VENV_IN_PROJECT",
    "HATCH_DATA_DIR",
    "HATCH_ENV",
    "HATCH_ENV_ACTIVE",
    "PDM_IN_VENV",
    "PDM_PROJECT_ROOT",
    "PDM_PYTHON",
    "PDM_RUN_CWD",
    "PDM_VENV_IN_PROJECT",
    "SUDO_COMMAND",
    "SUDO_GID",
    "SUDO_UID",
    "SUDO_USER",
    "MAKELEVEL",
    "STY",
    "TMUX",
    "GIT_DIR",
    "GIT_EXEC_PATH",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "SSH_CONNECTION",
    // surroundings
    "CI",
    "CONTINUOUS_INTEGRATION",
    "APPVEYOR",
    "BITBUCKET_BUILD_NUMBER",
    "BUILDKITE",
    "CIRCLECI",
    "CODEBUILD_BUILD_ID",
    "DRONE",
    "GITEA_ACTIONS",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "JENKINS_URL",
    "TEAMCITY_VERSION",
    "TF_BUILD",
    "TRAVIS",
    "container",
    "KUBERNETES_SERVICE_HOST",
    "WSL_DISTRO_NAME",
    "IN_NIX_SHELL",
    "GUIX_ENVIRONMENT",
    "SPACK_ENV",
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_PATH",
    "JPY_PARENT_PID",
];

/// Beginnings of names that belong to a documented family without secrets.
const PREFIXES: &[&str] = &[
    "PYTHON",
    "CONDA_PREFIX_",
    "_OLD_VIRTUAL_",
    "_OLD_FISH_",
    "PYENV_",
    "VIRTUALENVWRAPPER_",
    "XDG_",
    "DYLD_",
];

/// Of these only that they are set may be told.
const ONLY_WHETHER_SET: &[&str] =
    &["SSH_CONNECTION", "JENKINS_URL", "KUBERNETES_SERVICE_HOST", "INVOCATION_ID", "JOURNAL_STREAM"];

/// Parts of a name that tell of a secret, whatever its family.
const SECRETS: &[&str] = &["PASSWORD", "PASSWD", "TOKEN", "SECRET", "CREDENTIAL", "AUTH", "_KEY", "COOKIE"];

/// A variable as it may stand in a report, or None: its name is on the allow-list, and credentials in its
/// value are gone. Windows does not tell names apart by case; there they come in capitals.
pub fn reported_variable(flavour: Flavour, name: &[u8], value: &[u8]) -> Option<(String, String)> {
    let name = std::str::from_utf8(name).ok()?;
    let name = match flavour {
        Flavour::Posix => name.to_owned(),
        Flavour::Windows => name.to_ascii_uppercase(),
    };
    let known = REPORTED.contains(&name.as_str());
    let of_a_family = || {
        PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            && !SECRETS.iter().any(|part| name.to_ascii_uppercase().contains(part))
    };
    if !known && !of_a_family() {
        return None;
    }
    let value = match ONLY_WHETHER_SET.contains(&name.as_str()) {
        true if value.is_empty() => String::new(),
        true => "set".to_owned(),
        false => without_credentials(&crate::path::readable(value)),
    };
    Some((name, value))
}

/// So much of one argument of a process is kept.
const ARGUMENT_LENGTH: usize = 400;

/// An argument of a process as it may stand in a report: without credentials, and cut where it is a program
/// of its own (`sh -c ...`).
pub fn reported_argument(argument: &str) -> String {
    let mut text = without_credentials(argument);
    if text.len() > ARGUMENT_LENGTH {
        let end = (0..=ARGUMENT_LENGTH).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push_str("...");
    }
    text
}

/// `https://user:password@host/` with `***` for what stands before the `@`.
pub fn without_credentials(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        let end = after.find(['/', ' ', '\t', '\n', '"', '\'', '?', '#', ',', ';']).unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(sign) => {
                clean.push_str("***");
                &after[sign..]
            }
            None => after,
        };
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(name: &str, value: &str) -> Option<String> {
        reported_variable(Flavour::Posix, name.as_bytes(), value.as_bytes()).map(|(_, value)| value)
    }

    #[test]
    fn reports_what_is_allowed_and_nothing_else() {
        assert_eq!(reported("VIRTUAL_ENV", "/x").as_deref(), Some("/x"));
        assert_eq!(reported("CONDA_PREFIX_2", "/x").as_deref(), Some("/x"));
        assert_eq!(reported("PYTHONPATH", "").as_deref(), Some(""));
        assert_eq!(reported("SSH_CONNECTION", "10.0.0.1 22").as_deref(), Some("set"));
        assert_eq!(reported("UV_PUBLISH_TOKEN", "x"), None);
        assert_eq!(reported("AWS_SECRET_ACCESS_KEY", "x"), None);
        assert_eq!(reported("PYTHON_API_TOKEN", "x"), None);
        let windows = reported_variable(Flavour::Windows, b"Path", b"C:\\x");
        assert_eq!(windows, Some(("PATH".to_owned(), "C:\\x".to_owned())));
    }

    #[test]
    fn nothing_is_asked_of_the_shell_that_is_never_kept() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut directories = vec![root.join("src"), root.join("checks")];
        let mut asked = 0;
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(&directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                for call in ["shell.set(\"", "shell.variable(\"", "shell.path_variable(\""] {
                    for name in text.split(call).skip(1).filter_map(|rest| rest.split('"').next()) {
                        assert!(reported(name, "x").is_some(), "{} asks for {name}", path.display());
                        asked += 1;
                    }
                }
            }
        }
        assert!(asked > 20, "{asked}");
    }

    #[test]
    fn credentials_never_show() {
        let value = "https://me:se/cret@host/simple https://token@b/ https://plain/ ssh://git@c";
        assert!(!reported("PIP_INDEX_URL", value).unwrap_or_default().contains("token"));
        assert_eq!(without_credentials("https://me:pw@host/x"), "https://***@host/x");
        assert_eq!(without_credentials("a https://h/p@q http://u:p@w@h"), "a https://h/p@q http://***@h");
        assert_eq!(reported_argument("--index=https://u:p@h/"), "--index=https://***@h/");
    }

    #[test]
    fn long_arguments_are_cut_between_characters() {
        assert_eq!(reported_argument(&"é".repeat(300)).chars().count(), 203);
    }
}
