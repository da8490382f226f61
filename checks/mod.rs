//! The handbook: one file per check, a folder per category. A check uses `facts`, `imports` and
//! `diagnosis` alone; it reads no file, variable, process or clock.

use crate::diagnosis::Check;

pub mod interpreter;

/// Every check, causes before their symptoms: at equal severity this is the order of a report.
pub static ALL: &[&Check] = &[];

/// The check with this id.
pub fn find(id: &str) -> Option<&'static Check> {
    ALL.iter().copied().find(|check| check.id == id)
}
