//! What this shell runs, and what it believes it runs.

use crate::diagnosis::{Action, Check, Remedy, Word};
use crate::facts::Facts;
use crate::path::HostPath;

pub mod activate_for_another_shell;
pub mod activate_not_sourced;
pub mod conflicting_activation;
pub mod forgotten_activation;
pub mod lost_activation;
pub mod pip_elsewhere;
pub mod python_command_missing;
pub mod python_names_disagree;
pub mod relative_search_path;
pub mod script_bypasses_environment;
pub mod shadowed_environment;
pub mod shadowing_alias;
pub mod stacked_environments;
pub mod stale_activation;
pub mod stale_command_hash;
pub mod sudo_dropped_environment;
pub mod tool_outside_environment;
pub mod user_scripts_not_on_path;
pub mod wrong_environment_active;

/// Causes before their symptoms.
pub static ALL: &[&Check] = &[
    &sudo_dropped_environment::CHECK,
    &activate_for_another_shell::CHECK,
    &stale_activation::CHECK,
    &relative_search_path::CHECK,
    &lost_activation::CHECK,
    &conflicting_activation::CHECK,
    &shadowed_environment::CHECK,
    &shadowing_alias::CHECK,
    &stale_command_hash::CHECK,
    &wrong_environment_active::CHECK,
    &activate_not_sourced::CHECK,
    &forgotten_activation::CHECK,
    &pip_elsewhere::CHECK,
    &stacked_environments::CHECK,
    &python_names_disagree::CHECK,
    &python_command_missing::CHECK,
    &tool_outside_environment::CHECK,
    &script_bypasses_environment::CHECK,
    &user_scripts_not_on_path::CHECK,
];

/// Makes a venv at `root`, activates it, and installs what the project's requirement files list. None without an
/// installed Python that can make one.
fn create(facts: &Facts, root: &HostPath) -> Option<Remedy> {
    let shell = facts.shell_python().and_then(|command| command.chosen()).map(|hit| &hit.path);
    let leads_to = |interpreter: &HostPath| {
        shell.is_some_and(|path| {
            path.same_as(interpreter)
                || facts
                    .interpreter(path)
                    .is_some_and(|known| known.links.last().is_some_and(|last| last.same_as(interpreter)))
        })
    };
    let capable = || facts.installations.iter().filter(|installation| installation.has_ensurepip);
    let base =
        capable().find(|installation| leads_to(&installation.interpreter)).or_else(|| capable().next())?;
    let mut actions = vec![
        Action::run([Word::from(&base.interpreter), "-m".into(), "venv".into(), root.into()]),
        Action::activate_new(root),
    ];
    if !facts.project.requirement_files.is_empty() {
        let mut install: Vec<Word> = ["python", "-m", "pip", "install"].map(Word::from).to_vec();
        for file in &facts.project.requirement_files {
            install.extend(["-r".into(), file.into()]);
        }
        actions.push(Action::Run(install));
    }
    Some(Remedy::safe(format!("Make an environment at {root} and activate it"), actions))
}

/// `` `python`, `python3` and `pip` ``.
fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
