//! A check: one question to the facts.

use serde::Serialize;

use super::{Finding, Severity};
use crate::facts::Facts;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    Interpreter,
    Relocation,
    Activation,
    Isolation,
    Packages,
    Native,
    Project,
    Tools,
    Platform,
}

impl Category {
    pub const ALL: [Category; 9] = [
        Category::Interpreter,
        Category::Relocation,
        Category::Activation,
        Category::Isolation,
        Category::Packages,
        Category::Native,
        Category::Project,
        Category::Tools,
        Category::Platform,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Category::Interpreter => "interpreter",
            Category::Relocation => "relocation",
            Category::Activation => "activation",
            Category::Isolation => "isolation",
            Category::Packages => "packages",
            Category::Native => "native",
            Category::Project => "project",
            Category::Tools => "tools",
            Category::Platform => "platform",
        }
    }
}

/// Facts that cost something to gather; the rest is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// Entry scripts' first lines and the activate scripts.
    Scripts,
    /// What interpreters' files are built for and need.
    Binaries,
    /// One interpreter start.
    Probe,
    /// The import path as its files foretell it, beside what the interpreter reports.
    ImportPath,
    /// What the project's files say.
    Project,
    /// Names and versions of installed distributions.
    Installed,
    /// Imports of the project's sources.
    Sources,
    /// Metadata of what is installed: [`Facts::packages`].
    Packages,
    /// The contents of every recorded file, read and hashed: only where the user asks for it.
    Contents,
    /// Extension modules and the libraries that they need.
    Native,
    /// Start-up and configuration files of installers.
    Installers,
    /// Kernels, editors, tools' environments, hooks.
    Tools,
}

/// One entry of the handbook.
pub struct Check {
    /// Kebab-case, states the problem; never renamed without an alias.
    pub id: &'static str,
    pub category: Category,
    /// The usual one; a finding may have another where the facts say so.
    pub severity: Severity,
    /// One line: what it finds.
    pub summary: &'static str,
    pub needs: &'static [Need],
    /// Ids of checks whose findings this one's account for, in the same environment.
    pub explains: &'static [&'static str],
    /// Markdown under four headings: What it means, How it happens, How to fix it, When it is fine.
    pub explanation: &'static str,
    /// Guard clauses first; then findings with evidence and remedies.
    pub examine: fn(&Facts, &mut Findings),
}

/// Where a check puts what it finds.
#[derive(Debug, Default)]
pub struct Findings {
    found: Vec<Finding>,
}

impl Findings {
    pub fn push(&mut self, finding: Finding) {
        self.found.push(finding);
    }

    pub fn into_vec(self) -> Vec<Finding> {
        self.found
    }
}

impl Check {
    /// Runs this check alone.
    pub fn findings(&self, facts: &Facts) -> Vec<Finding> {
        let mut findings = Findings::default();
        (self.examine)(facts, &mut findings);
        findings.into_vec()
    }
}
