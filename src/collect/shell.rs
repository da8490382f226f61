//! The shell that the doctor was started from: its kind, its variables, and what stands between.
//!
//! A wrapper such as pre-commit or `uvx` runs the doctor in an environment that is there for the doctor alone.
//! What the user's shell exported is then read from the first environment of the wrapper's own process.

use crate::facts::platform::Surroundings;
use crate::facts::shell::{Shell, ShellKind, ShellSource, reported_variable};
use crate::host::{Host, Process};

mod started;
mod surroundings;
mod wrappers;

use started::Started;
pub use surroundings::surroundings;
use wrappers::{is_launcher, private_layer, take_out_private, without_private_arguments, wrappers};

/// The shell, what surrounds it, and notes on what could not be seen.
pub fn shell(host: &dyn Host) -> (Shell, Surroundings, Vec<String>) {
    let mut notes = Vec::new();
    let ancestors = host.ancestors();
    let surroundings = surroundings(host);
    let found = find_shell(&ancestors);
    let interactive = found.as_ref().is_some_and(|found| found.started.interactive);
    let wrappers = wrappers(host, &ancestors, found.as_ref(), surroundings.ci.is_some());

    let mut variables = own_variables(host);
    let mut seen_through = None;
    let below = found.as_ref().map_or(ancestors.len(), |found| found.index);
    if let Some(layer) = private_layer(host, &ancestors[..below], interactive) {
        seen_through = Some(layer.wrapper);
        match layer.outside {
            Some(outside) => variables = outside,
            None => {
                take_out_private(&mut variables, host.platform().flavour());
                notes.push(format!(
                    "the environment outside {} cannot be read: what it added was left out, what it replaced is not known",
                    layer.wrapper.label()
                ));
            }
        }
    }

    let by_variable = || {
        let program = host.text_variable("SHELL")?;
        ShellKind::from_program(&program)
    };
    let (kind, source) = match &found {
        Some(found) => (Some(found.kind), ShellSource::Process),
        None => match by_variable() {
            Some(kind) => (Some(kind), ShellSource::Variable),
            None => (None, ShellSource::Unknown),
        },
    };
    if ancestors.is_empty() {
        notes.push("the parent processes could not be read".to_owned());
    }
    let ancestors = ancestors.into_iter().map(without_private_arguments).collect();
    let shell = Shell {
        kind,
        source,
        login: found.as_ref().is_some_and(|found| found.started.login),
        interactive,
        ancestors,
        wrappers,
        seen_through,
        variables,
        path_lines: Vec::new(),
        aliases: Vec::new(),
        integration: None,
    };
    (shell, surroundings, notes)
}

/// The value of `PATH` that the shell exports, for [`search_path`](super::search_path::search_path): the
/// doctor's own, or the one outside its wrapper.
pub fn path_value(host: &dyn Host, shell: &Shell) -> Option<Vec<u8>> {
    match shell.seen_through {
        Some(_) => shell.variable("PATH").map(|value| value.as_bytes().to_vec()),
        None => host.variable("PATH"),
    }
}

fn own_variables(host: &dyn Host) -> Vec<(String, String)> {
    let flavour = host.platform().flavour();
    let mut variables: Vec<(String, String)> =
        host.variables().iter().filter_map(|(name, value)| reported_variable(flavour, name, value)).collect();
    variables.sort();
    variables.dedup_by(|later, first| later.0 == first.0);
    variables
}

struct FoundShell {
    index: usize,
    kind: ShellKind,
    started: Started,
}

/// The nearest shell that a person could be sitting at. One that a tool started to run a line, or that runs a
/// script for another shell, is passed over as long as there is a better one.
fn find_shell(ancestors: &[Process]) -> Option<FoundShell> {
    let mut second_best = None;
    for (index, process) in ancestors.iter().enumerate() {
        let Some(kind) = shell_kind(process) else { continue };
        let started = Started::read(kind, &process.arguments);
        let parent = ancestors.get(index + 1);
        let by_tool = parent.is_some_and(is_launcher);
        let for_shell = started.script && parent.is_some_and(|parent| shell_kind(parent).is_some());
        let found = FoundShell { index, kind, started };
        if found.started.interactive || !(by_tool || for_shell) {
            return Some(found);
        }
        if !by_tool && second_best.is_none() {
            second_best = Some(found);
        }
    }
    second_best
}

fn shell_kind(process: &Process) -> Option<ShellKind> {
    match process.arguments.first() {
        Some(program) => ShellKind::from_program(program),
        None => ShellKind::from_program(&process.name),
    }
}

#[cfg(test)]
mod tests;
