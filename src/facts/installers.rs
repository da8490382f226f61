//! What steers installers: pip's settings in pip's own precedence, and uv's in its, each with its place.

use serde::{Deserialize, Serialize};

use crate::path::HostPath;

/// Where a setting of pip comes from, weakest first (`OVERRIDE_ORDER` in pip's `_internal/configuration.py`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PipLevel {
    /// `/etc/pip.conf` and its like.
    Global,
    User,
    /// `pip.conf` in the environment.
    Site,
    /// The file that `PIP_CONFIG_FILE` names.
    Named,
    /// A `PIP_*` variable.
    Variable,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipSetting {
    pub level: PipLevel,
    /// `global`, `install`; empty for a variable.
    pub section: String,
    /// In lower case with `-`, as the command line spells it: `require-virtualenv`.
    pub key: String,
    /// Without credentials.
    pub value: String,
    /// The file and line, or None for a variable.
    pub file: Option<HostPath>,
    pub line: Option<usize>,
    /// It ends on that line, and `key` stands there as it is here, but for `_` in place of `-`.
    #[serde(default)]
    pub plain: bool,
}

impl PipSetting {
    /// `PIP_TARGET`, or `target in /etc/pip.conf, line 2`.
    pub fn place(&self) -> String {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => format!("{} in {file}, line {line}", self.key),
            (Some(file), None) => format!("{} in {file}", self.key),
            _ => self.variable(),
        }
    }

    /// The variable that stands for this key.
    pub fn variable(&self) -> String {
        format!("PIP_{}", self.key.replace('-', "_").to_uppercase())
    }

    /// As pip reads a flag (`strtobool`).
    pub fn is_on(&self) -> bool {
        matches!(self.value.trim().to_ascii_lowercase().as_str(), "y" | "yes" | "t" | "true" | "on" | "1")
    }
}

/// Every file that pip would read here, and what they and the variables say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PipConfiguration {
    /// Files that are there and readable, in the order that pip reads them.
    pub files: Vec<HostPath>,
    /// In the order that pip reads them: later ones of the same kind win.
    pub settings: Vec<PipSetting>,
}

impl PipConfiguration {
    /// The setting that decides for `pip COMMAND`: a variable, else the command's own section, else `[global]`,
    /// whatever the files' order (`_get_ordered_configuration_items` in pip's `_internal/cli/parser.py`).
    /// Empty values count as not set.
    pub fn effective(&self, command: &str, key: &str) -> Option<&PipSetting> {
        let of = |section: &str| {
            self.settings
                .iter()
                .rfind(|it| it.key == key && it.section == section && !it.value.trim().is_empty())
        };
        of("").or_else(|| of(command)).or_else(|| of("global"))
    }
}

/// What of uv's configuration decides where it installs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UvKey {
    /// `uv pip` passes over virtual environments on the search path.
    System,
    /// The interpreter, environment or version that `uv pip` works with.
    Python,
    Target,
    Prefix,
    /// Where `uv sync`, `uv add` and `uv run` keep a project's environment.
    ProjectEnvironment,
}

impl UvKey {
    /// The key below `[pip]` in `uv.toml`, or `[tool.uv.pip]` in `pyproject.toml`.
    pub fn name(self) -> Option<&'static str> {
        match self {
            UvKey::System => Some("system"),
            UvKey::Python => Some("python"),
            UvKey::Target => Some("target"),
            UvKey::Prefix => Some("prefix"),
            UvKey::ProjectEnvironment => None,
        }
    }

    pub fn variable(self) -> Option<&'static str> {
        match self {
            UvKey::System => Some("UV_SYSTEM_PYTHON"),
            UvKey::Python => Some("UV_PYTHON"),
            UvKey::ProjectEnvironment => Some("UV_PROJECT_ENVIRONMENT"),
            UvKey::Target | UvKey::Prefix => None,
        }
    }
}

/// One setting of uv.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UvSetting {
    pub key: UvKey,
    /// A flag that is on says `true`; those that are off are not kept, since uv adds them up.
    pub value: String,
    /// The file and line, or None for a variable.
    pub file: Option<HostPath>,
    pub line: Option<usize>,
}

impl UvSetting {
    /// `UV_PYTHON`, or `pip.python in /home/me/.config/uv/uv.toml, line 2`.
    pub fn place(&self) -> String {
        let name = self.key.name().unwrap_or_default();
        match (&self.file, self.line) {
            (Some(file), Some(line)) => format!("pip.{name} in {file}, line {line}"),
            (Some(file), None) => format!("pip.{name} in {file}"),
            _ => self.key.variable().unwrap_or_default().to_owned(),
        }
    }
}

/// The configuration of installers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Installers {
    pub pip: PipConfiguration,
    /// Strongest first: variables, the project's file, the user's, the machine's.
    #[serde(default)]
    pub uv: Vec<UvSetting>,
    /// Interpreters and directories that a `python` setting names and that are not there.
    #[serde(default)]
    pub absent: Vec<HostPath>,
}

impl Installers {
    pub fn of_uv(&self, key: UvKey) -> Option<&UvSetting> {
        self.uv.iter().find(|setting| setting.key == key)
    }

    /// Whether this path, which a `python` setting names, is known not to be there.
    pub fn is_absent(&self, path: &HostPath) -> bool {
        self.absent.iter().any(|absent| absent.same_as(path))
    }
}
