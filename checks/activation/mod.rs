//! What this shell runs, and what it believes it runs.

use crate::diagnosis::Check;

pub mod activate_for_another_shell;
pub mod activate_not_sourced;
pub mod script_bypasses_environment;
pub mod shadowing_alias;
pub mod stale_command_hash;
pub mod sudo_dropped_environment;
pub mod tool_outside_environment;
pub mod user_scripts_not_on_path;

/// Causes before their symptoms.
pub static ALL: &[&Check] = &[
    &sudo_dropped_environment::CHECK,
    &activate_for_another_shell::CHECK,
    &activate_not_sourced::CHECK,
    &shadowing_alias::CHECK,
    &stale_command_hash::CHECK,
    &tool_outside_environment::CHECK,
    &script_bypasses_environment::CHECK,
    &user_scripts_not_on_path::CHECK,
];
