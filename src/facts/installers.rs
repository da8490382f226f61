//! What steers installers: pip's settings, each with its place, in pip's own precedence.

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

/// The configuration of installers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Installers {
    pub pip: PipConfiguration,
}
