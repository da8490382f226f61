//! What is about to be committed, as far as it concerns where packages go.

use serde::{Deserialize, Serialize};

use crate::parse::install_use::InstallUse;
use crate::path::HostPath;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The work tree's top.
    pub top: HostPath,
    pub scope: Scope,
    /// How many files were read.
    pub read: usize,
    pub installs: Vec<CommittedInstall>,
    /// Environments that the index holds.
    pub environments: Vec<CommittedEnvironment>,
    /// Why something was left out: for `-v`.
    pub notes: Vec<String>,
}

/// Which files were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Those that were named.
    Named,
    /// Every tracked one.
    Tracked,
}

/// A `pip install` in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommittedInstall {
    pub file: HostPath,
    pub runs: Runs,
    pub found: InstallUse,
}

/// On what machine the commands of a file run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runs {
    /// On that of whoever works on the project.
    Developer,
    /// The same, on another system than this.
    OtherSystem,
    /// In an environment that tox or nox makes.
    TestEnvironment,
    /// In a container that they build.
    Container,
    /// On a machine that a CI service sets up for one run.
    ContinuousIntegration,
    /// Wherever a reader pastes them.
    Reader,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommittedEnvironment {
    pub root: HostPath,
    /// How many files of it the index holds.
    pub files: usize,
}
