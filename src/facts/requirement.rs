//! What a project asks for, in its files and in its sources.

use serde::{Deserialize, Serialize};

use super::shell::without_credentials;
use crate::path::HostPath;

/// A declared requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredRequirement {
    /// Normalised by PEP 503.
    pub name: String,
    /// As written, blanks around it removed: `>=2,<3`. Empty where any version will do, and for what comes from
    /// elsewhere.
    pub specifier: String,
    /// As written: `python_version < "3.9"`.
    pub marker: Option<String>,
    pub extras: Vec<String>,
    pub purpose: Purpose,
    /// None: from the package index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    pub file: HostPath,
    pub line: Option<usize>,
}

/// Where a requirement comes from, if not from the package index: there its name is nobody's, or somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// What stands behind the `@` (PEP 508).
    Url(String),
    /// A URL whose `#egg=` gives the name, to which pip before 20.3 did not hold it.
    Egg(String),
    /// A file or directory of this machine.
    Path { path: HostPath, editable: bool },
    /// What only the project's tool can tell: another member of its workspace, an index of its own.
    Tool,
}

impl DeclaredRequirement {
    /// `name[extra]>=1` or `name @ URL`, for people to read: what is secret in a URL is left out.
    pub fn as_argument(&self) -> String {
        match &self.source {
            Some(Source::Url(url) | Source::Egg(url)) => {
                format!("{}{} @ {}", self.name, self.bracketed(), without_credentials(url))
            }
            _ => format!("{}{}{}", self.name, self.bracketed(), self.specifier),
        }
    }

    /// The words of an installer's command line. None where they would name something else, or a secret.
    pub fn arguments(&self) -> Option<Vec<String>> {
        match &self.source {
            Some(Source::Tool) => None,
            Some(Source::Url(url) | Source::Egg(url)) if without_credentials(url) != *url => None,
            Some(Source::Path { path, editable }) => {
                let place = format!("{path}{}", self.bracketed());
                Some(Some("-e".to_owned()).filter(|_| *editable).into_iter().chain([place]).collect())
            }
            _ => Some(vec![self.as_argument()]),
        }
    }

    fn bracketed(&self) -> String {
        match self.extras.is_empty() {
            true => String::new(),
            false => format!("[{}]", self.extras.join(",")),
        }
    }

    /// `FILE:LINE`.
    pub fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{} (line {line})", self.file),
            None => self.file.to_text().into_owned(),
        }
    }
}

/// Who needs a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The project itself.
    Run,
    /// An extra, a group, or a file for development: nothing says that it must be installed.
    Optional,
    /// A limit on the version, if something else asks for it (`-c`).
    Constraint,
}

/// What the project's Python files say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sources {
    /// Imports of modules from elsewhere, each module once for each kind, the first place that has it.
    pub imports: Vec<SourceImport>,
    /// Top-level names that the project's own files and directories can be imported by.
    pub own: Vec<String>,
    /// Packages and modules directly in `src`.
    pub in_src: Vec<HostPath>,
    /// One of the files changes `sys.path` or the like: modules may come from places that only a run tells.
    pub changes_path: bool,
    /// Pytest's settings put directories on the import path (`pythonpath = src`).
    pub pytest_adds_path: bool,
    /// How many files were read, and whether more were left out.
    pub files: usize,
    pub left_out: bool,
}

/// One import of a module from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceImport {
    /// Dotted, as written.
    pub module: String,
    pub certainty: Certainty,
    pub file: HostPath,
    pub line: usize,
}

impl SourceImport {
    /// The first part of the dotted name.
    pub fn top(&self) -> &str {
        self.module.split('.').next().unwrap_or_default()
    }

    /// Whether a notebook has it: that runs in the environment of its kernel.
    pub fn is_in_notebook(&self) -> bool {
        self.file.name().ends_with(".ipynb")
    }

    pub fn place(&self) -> String {
        format!("{} (line {})", self.file, self.line)
    }
}

/// Whether a program can do without an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Runs whenever the file does, and the file is sure to run with the project: a script at the top, an entry
    /// point, or something that those import.
    Certain,
    /// Certain in its file, which nothing certain leads to.
    Unreached,
    /// Within a function.
    Deferred,
    /// Below `if` or the like: a platform, a version, a choice.
    Conditional,
    /// Below `try` with a handler for its failure, or the handler itself.
    Optional,
    /// Below `if TYPE_CHECKING`.
    TypeChecking,
}
