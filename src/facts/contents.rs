//! What installed files hold, compared with the hashes that their installer recorded.

use serde::{Deserialize, Serialize};

use crate::path::HostPath;

/// What came of hashing the recorded files of one environment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contents {
    /// How many files were hashed.
    pub files: usize,
    /// Distributions of which something differs, in the order of the import path.
    pub differing: Vec<Differing>,
}

/// A distribution that is not as it was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differing {
    /// Its `.dist-info`.
    pub metadata: HostPath,
    /// Recorded files with other contents; at most a hundred are named.
    pub altered: Vec<AlteredFile>,
    pub altered_count: usize,
    /// How many of them differ in their line endings alone.
    pub line_endings_count: usize,
    /// Recorded files that are no modules and are not there, tests and documentation left out; at most a hundred.
    /// Modules that are gone stand in [`Record::missing`](super::distribution::Record::missing).
    pub missing: Vec<HostPath>,
    pub missing_count: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlteredFile {
    pub path: HostPath,
    pub change: Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    Content,
    /// CR LF stands where LF was recorded, or the reverse; all else is the same.
    LineEndings,
}
