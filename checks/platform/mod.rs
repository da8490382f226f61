//! What only one operating system does.

use crate::diagnosis::Check;

pub mod execution_policy;
pub mod stale_launcher;
pub mod windows_store_stub;

/// Causes before their symptoms.
pub static ALL: &[&Check] = &[&windows_store_stub::CHECK, &stale_launcher::CHECK, &execution_policy::CHECK];
