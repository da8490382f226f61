//! What is wrong, why we say so, and what to do about it.

use serde::Serialize;

use crate::path::HostPath;

pub mod cause;
pub mod check;
pub mod crash;
pub mod editable;
pub mod examine;
pub mod fleet;
pub mod fold;
pub mod install;
pub mod manager;
pub mod messages;
pub mod recreate;
pub mod reinstall;
pub mod remedy;
pub mod requirement;
pub mod stand_in;
pub mod tool;

pub use check::{Category, Check, Findings, Need};
pub use remedy::{Action, Remedy, Safety, Word};

/// How bad a finding is. Later is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Works by luck and will break, or silently mixes environments.
    Warning,
    /// An import, an install or a run goes wrong now, or hits the wrong environment.
    Error,
}

impl Severity {
    pub fn label(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Subject {
    Shell,
    Project(Option<HostPath>),
    Environment(HostPath),
    Interpreter(HostPath),
    Distribution { environment: HostPath, name: String },
    File { path: HostPath, line: Option<usize> },
}

impl Subject {
    pub fn file(path: &HostPath) -> Subject {
        Subject::File { path: path.clone(), line: None }
    }

    pub fn line(path: &HostPath, line: usize) -> Subject {
        Subject::File { path: path.clone(), line: Some(line) }
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Subject::Shell => "shell",
            Subject::Project(_) => "project",
            Subject::Environment(_) => "environment",
            Subject::Interpreter(_) => "interpreter",
            Subject::Distribution { .. } => "distribution",
            Subject::File { .. } => "file",
        }
    }

    pub fn path(&self) -> Option<&HostPath> {
        match self {
            Subject::Shell => None,
            Subject::Project(path) => path.as_ref(),
            Subject::Environment(path) | Subject::Interpreter(path) => Some(path),
            Subject::Distribution { environment, .. } => Some(environment),
            Subject::File { path, .. } => Some(path),
        }
    }

    pub fn line_number(&self) -> Option<usize> {
        match self {
            Subject::File { line, .. } => *line,
            _ => None,
        }
    }
}

/// An observed value that proves the finding: `home` / `/opt/python (line 1 of pyvenv.cfg)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    pub label: String,
    pub value: String,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub check: &'static str,
    pub category: Category,
    pub severity: Severity,
    /// One sentence without a full stop at its end: what is wrong, not what to do.
    pub message: String,
    pub subject: Subject,
    /// The environments it speaks of: a symptom is folded under a cause of the same environment.
    pub environments: Vec<HostPath>,
    pub evidence: Vec<Evidence>,
    /// Best first.
    pub remedies: Vec<Remedy>,
    /// Findings that this one accounts for.
    pub symptoms: Vec<Finding>,
    /// Ids of checks that it accounts for beside those that its check does in any case.
    #[serde(skip)]
    pub explains: Vec<&'static str>,
}

impl Finding {
    /// A finding of `check` with its own severity.
    pub fn new(check: &Check, subject: Subject, message: impl Into<String>) -> Finding {
        let environments = match &subject {
            Subject::Environment(root) | Subject::Distribution { environment: root, .. } => {
                vec![root.clone()]
            }
            _ => Vec::new(),
        };
        Finding {
            check: check.id,
            category: check.category,
            severity: check.severity,
            message: message.into(),
            subject,
            environments,
            evidence: Vec::new(),
            remedies: Vec::new(),
            symptoms: Vec::new(),
            explains: Vec::new(),
        }
    }

    pub fn severity(mut self, severity: Severity) -> Finding {
        self.severity = severity;
        self
    }

    /// Also about this environment.
    pub fn about(mut self, root: &HostPath) -> Finding {
        if !self.environments.contains(root) {
            self.environments.push(root.clone());
        }
        self
    }

    pub fn evidence(mut self, label: impl Into<String>, value: impl Into<String>) -> Finding {
        self.evidence.push(Evidence { label: label.into(), value: value.into() });
        self
    }

    /// Accounts for findings of this check, too, in the same environments.
    pub fn explaining(mut self, check: &'static str) -> Finding {
        self.explains.push(check);
        self
    }

    /// Adds a remedy, unless an earlier one does the same.
    pub fn remedy(mut self, remedy: Remedy) -> Finding {
        if self.remedies.iter().all(|known| known.actions != remedy.actions) {
            self.remedies.push(remedy);
        }
        self
    }
}

/// Everything that a report is made of besides the facts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Most important first.
    pub findings: Vec<Finding>,
    /// Ids of the checks that ran.
    pub run: Vec<&'static str>,
    pub skipped: Vec<Unexamined>,
    /// Checks that crashed.
    pub failed: Vec<Unexamined>,
    /// How many findings were left out because their checks are ignored.
    pub ignored: usize,
    /// What was set for this run and by whom, a line each.
    pub settings: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unexamined {
    pub check: &'static str,
    pub reason: String,
}

impl Diagnosis {
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}
