//! What a project asks for, in its files and in its sources.

use serde::{Deserialize, Serialize};

use crate::path::HostPath;

/// A declared requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredRequirement {
    /// Normalised by PEP 503.
    pub name: String,
    /// As written, blanks around it removed: `>=2,<3`. Empty where any version will do, or one from a URL.
    pub specifier: String,
    /// As written: `python_version < "3.9"`.
    pub marker: Option<String>,
    pub extras: Vec<String>,
    pub purpose: Purpose,
    pub file: HostPath,
    pub line: Option<usize>,
}

impl DeclaredRequirement {
    /// `name[extra]>=1`, as an installer takes it.
    pub fn as_argument(&self) -> String {
        let extras = match self.extras.is_empty() {
            true => String::new(),
            false => format!("[{}]", self.extras.join(",")),
        };
        format!("{}{extras}{}", self.name, self.specifier)
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
