//! What else on this machine depends on environments.

use crate::diagnosis::Check;

pub mod broken_kernel;
pub mod broken_pre_commit;
pub mod broken_tool_environment;
pub mod editor_interpreter_missing;
pub mod kernel_elsewhere;

/// Causes before their symptoms.
pub static ALL: &[&Check] = &[
    &broken_tool_environment::CHECK,
    &broken_pre_commit::CHECK,
    &broken_kernel::CHECK,
    &kernel_elsewhere::CHECK,
    &editor_interpreter_missing::CHECK,
];

/// So many are named in the evidence.
const NAMED: usize = 8;
