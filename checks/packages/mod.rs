//! Is what is installed whole?

use crate::diagnosis::Check;

pub mod altered_distribution_files;
pub mod broken_editable;
pub mod broken_metadata;
pub mod broken_pip;
pub mod dependency_conflict;
pub mod distribution_requires_python;
pub mod duplicate_distribution;
pub mod leftover_distribution;
pub mod leftover_shadows_editable;
pub mod missing_distribution_files;
pub mod overlapping_distributions;
pub mod stale_entry_script;

/// Causes before their symptoms.
pub static ALL: &[&Check] = &[
    &broken_pip::CHECK,
    &broken_editable::CHECK,
    &leftover_shadows_editable::CHECK,
    &missing_distribution_files::CHECK,
    &distribution_requires_python::CHECK,
    &dependency_conflict::CHECK,
    &duplicate_distribution::CHECK,
    &broken_metadata::CHECK,
    &overlapping_distributions::CHECK,
    &stale_entry_script::CHECK,
    &leftover_distribution::CHECK,
    &altered_distribution_files::CHECK,
];
