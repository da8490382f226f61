//! Many environments at once, for people and for programs.

pub mod human;
pub mod json;

use crate::diagnosis::Severity;
use crate::diagnosis::fleet::{Group, Member};
use crate::facts::fleet::Waste;
use crate::host::FileError;
use crate::path::HostPath;

/// Everything that there is to tell of a scan.
pub struct Fleet {
    /// The directories that were walked.
    pub roots: Vec<HostPath>,
    /// In the order that was asked for.
    pub members: Vec<Member>,
    pub groups: Vec<Group>,
    /// How many environments were found; more than `members` where some were left out by what was asked for.
    pub found: usize,
    pub directories: usize,
    pub entries: usize,
    /// How many directories could not be read, and the first of them.
    pub unreadable: usize,
    pub unread: Vec<(HostPath, FileError)>,
    /// False: somebody ended it early.
    pub complete: bool,
    /// Seconds since 1970.
    pub now: u64,
    /// Bytes on the disk of all members together, every file counted once, where it was measured.
    pub space: Option<u64>,
    /// What files with the same contents take more than once, where that was asked for.
    pub waste: Option<Waste>,
    /// Whether the members are a choice to delete.
    pub chosen: bool,
}

impl Fleet {
    fn count(&self, severity: Option<Severity>) -> usize {
        self.members.iter().filter(|member| member.worst() == severity).count()
    }
}
