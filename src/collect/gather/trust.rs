//! Whether the interpreter under examination may be started, and how.

use super::Request;
use super::named::Argument;
use crate::collect::probe::Trust;
use crate::collect::{import_path, interpreter, links};
use crate::facts::Origin;
use crate::facts::interpreter::{Interpreter, Probe};
use crate::facts::search_path::{Command, SearchPath, Spelling, Target};
use crate::facts::shell::Shell;
use crate::host::Host;
use crate::path::HostPath;

/// Whether and how the patient's interpreter is asked.
pub(super) enum Plan {
    Start { program: HostPath, trust: Trust },
    Refrain { program: Option<HostPath>, why: String },
}

impl Plan {
    pub(super) fn program(&self) -> Option<&HostPath> {
        match self {
            Plan::Start { program, .. } => Some(program),
            Plan::Refrain { program, .. } => program.as_ref(),
        }
    }

    pub(super) fn trust(&self) -> Trust {
        match self {
            Plan::Start { trust, .. } => *trust,
            Plan::Refrain { .. } => Trust::AsIs,
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "each is one of the facts that decide whom to trust")]
pub(super) fn probe_plan(
    host: &dyn Host,
    request: &Request,
    root: &HostPath,
    shell: &Shell,
    search_path: &SearchPath,
    commands: &[Command],
    argument: Option<&Argument>,
    project: Option<&HostPath>,
) -> Plan {
    let refrain = |program: Option<&HostPath>, why: &str| Plan::Refrain {
        program: program.cloned(),
        why: why.to_owned(),
    };
    let own = || {
        let names = ["bin/python", "bin/python3", "Scripts/python.exe", "python.exe"];
        names.iter().map(|name| root.join(name)).find(|path| host.link_metadata(path).is_ok())
    };
    let shells = ["python", "python3"]
        .iter()
        .filter_map(|name| commands.iter().find(|command| command.name == *name)?.chosen())
        .find(|hit| {
            hit.leads_to.environment().is_some_and(|environment| same_place(host, environment, root))
        });
    let chosen = match argument {
        Some(argument) => argument.interpreter.clone().or_else(own),
        None => match shells {
            Some(hit) => match &hit.leads_to {
                Target::Shim { program, .. } => program.clone(),
                _ => Some(hit.path.clone()),
            },
            None => own(),
        },
    };
    let Some(program) = chosen else { return refrain(None, "the environment has no interpreter") };
    if !request.execute {
        return refrain(Some(&program), "--no-exec");
    }
    if !host.is_file(&program) || !host.can_execute(&program) {
        return refrain(Some(&program), "it cannot be started");
    }
    if argument.is_some() {
        return Plan::Start { program, trust: Trust::AsIs };
    }
    if let Some(hit) = shells {
        let spelling =
            search_path.entries.iter().find(|entry| entry.index == hit.entry).map(|entry| entry.spelling);
        if spelling == Some(Spelling::Absolute) {
            return Plan::Start { program, trust: Trust::AsIs };
        }
        return refrain(Some(&program), "it is reached through a relative or empty entry of PATH");
    }
    let active = ["VIRTUAL_ENV", "CONDA_PREFIX"]
        .iter()
        .any(|name| shell.path_variable(name).is_some_and(|active| same_place(host, &active, root)));
    if active {
        return Plan::Start { program, trust: Trust::AsIs };
    }
    match trustworthy(host, &program, root, project) {
        Ok(()) => Plan::Start { program, trust: Trust::Isolated },
        Err(why) => refrain(Some(&program), &why),
    }
}

fn same_place(host: &dyn Host, left: &HostPath, right: &HostPath) -> bool {
    left.same_as(right) || links::resolved(host, left).same_as(&links::resolved(host, right))
}

/// A found interpreter is started only when the file behind its links lies outside the project and the
/// environment, and belongs to the user or to root.
fn trustworthy(
    host: &dyn Host,
    program: &HostPath,
    root: &HostPath,
    project: Option<&HostPath>,
) -> Result<(), String> {
    let real = host.canonical(program).map_err(|error| error.to_string())?;
    for place in project.into_iter().chain([root]) {
        if real.is_within(&links::resolved(host, place)) {
            return Err(format!("its file {real} lies inside {place}, and the shell does not run it"));
        }
    }
    let metadata = host.metadata(&real).map_err(|error| error.to_string())?;
    if metadata.owner != 0 && metadata.owner != host.user().id {
        return Err(format!("its file {real} belongs to another user"));
    }
    Ok(())
}

pub(super) fn record(
    host: &dyn Host,
    interpreters: &mut Vec<Interpreter>,
    plan: Plan,
    answer: Option<Probe>,
    foreseen: Option<import_path::Foreseen>,
    notes: &mut Vec<String>,
) {
    let (program, probe) = match plan {
        Plan::Start { program, .. } => {
            (program, answer.unwrap_or_else(|| Probe::NotRun { why: "it was not asked".to_owned() }))
        }
        Plan::Refrain { program, why } => {
            let what = program.as_ref().map_or_else(|| "no interpreter".to_owned(), ToString::to_string);
            notes.push(format!("{what} was not started: {why}"));
            let Some(program) = program else { return };
            (program, Probe::NotRun { why })
        }
    };
    let index = interpreters.iter().position(|known| known.path.same_as(&program)).unwrap_or_else(|| {
        interpreters.push(interpreter::interpreter(host, &program, vec![Origin::Probe], false));
        interpreters.len() - 1
    });
    if let Some(known) = interpreters.get_mut(index) {
        known.probe = probe;
        if let Some(foreseen) = foreseen {
            foreseen.tell(known);
        }
    }
}
