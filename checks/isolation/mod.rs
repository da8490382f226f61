//! What leaks in, and where installs go.

use crate::diagnosis::Check;

pub mod environment_without_pip;

/// Causes before their symptoms.
pub static ALL: &[&Check] = &[&environment_without_pip::CHECK];
