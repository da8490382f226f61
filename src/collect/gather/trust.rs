//! Whether the interpreter under examination may be started, and how.

use super::Request;
use super::named::Argument;
use crate::collect::probe::Trust;
use crate::collect::{import_path, interpreter, links, unmet_imports};
use crate::facts::Origin;
use crate::facts::distribution::Packages;
use crate::facts::import_setup::{ImportSetup, UnmetImport};
use crate::facts::interpreter::{Interpreter, Probe};
use crate::facts::search_path::{Command, SearchPath, Spelling, Target};
use crate::facts::shell::Shell;
use crate::host::{FileError, Host, TEXT_LIMIT};
use crate::parse::pyvenv_cfg;
use crate::path::{HostPath, readable};

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

    /// Whether what runs at every start is run, and what it complains of is heard.
    pub(super) fn hears_hooks(&self) -> bool {
        matches!(self, Plan::Start { trust: Trust::AsIs, .. })
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
            // a script in its place leads to no environment, and is what the shell starts all the same
            let beside = hit.path.parent().filter(|directory| directory.name() == "bin");
            let lies_in = beside.and_then(|directory| directory.parent());
            let environment = hit.leads_to.environment().or(lies_in.as_ref());
            environment.is_some_and(|environment| same_place(host, environment, root))
        });
    let chosen = match argument {
        Some(argument) => argument.interpreter.clone().or_else(own),
        None => match shells {
            Some(hit) => match &hit.leads_to {
                Target::Shim { program, .. } => program.clone(),
                Target::Script { interpreter, environment: Some(_), .. } => Some(interpreter.clone()),
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
    let as_it_is = |program: HostPath| match working_directory_variable(host) {
        None => Plan::Start { program, trust: Trust::AsIs },
        Some(name) => refrain(
            Some(&program),
            &format!("{name} is relative, so files of the working directory would run in it"),
        ),
    };
    if argument.is_some() {
        return as_it_is(program);
    }
    if let Some(hit) = shells {
        let spelling =
            search_path.entries.iter().find(|entry| entry.index == hit.entry).map(|entry| entry.spelling);
        if spelling == Some(Spelling::Absolute) {
            return as_it_is(program);
        }
        return refrain(Some(&program), "it is reached through a relative or empty entry of PATH");
    }
    let active = ["VIRTUAL_ENV", "CONDA_PREFIX"]
        .iter()
        .any(|name| shell.path_variable(name).is_some_and(|active| same_place(host, &active, root)));
    if active {
        return as_it_is(program);
    }
    let strangers: Vec<HostPath> = project.cloned().into_iter().chain([root.clone()]).collect();
    match trustworthy(host, &program, root, &strangers) {
        Ok(()) => Plan::Start { program, trust: Trust::Isolated },
        Err(why) => refrain(Some(&program), &why),
    }
}

fn same_place(host: &dyn Host, left: &HostPath, right: &HostPath) -> bool {
    left.same_as(right) || links::resolved(host, left).same_as(&links::resolved(host, right))
}

/// A variable whose relative value makes Python take code from the working directory; `-I` ignores it.
/// (Relative entries of `PYTHONPATH` are withheld, since the rest of it still counts.)
fn working_directory_variable(host: &dyn Host) -> Option<&'static str> {
    let flavour = host.platform().flavour();
    let leads_here = |name: &&str| {
        let value = host.variable(name).unwrap_or_default();
        // PYTHONHOME may be `prefix:exec_prefix`
        value
            .split(|byte| *byte == flavour.list_separator())
            .any(|part| !part.is_empty() && !flavour.is_absolute(part))
    };
    ["PYTHONHOME", "PYTHONUSERBASE"].into_iter().find(leads_here)
}

/// A found interpreter is started only when the file behind its links, and the directory that its `pyvenv.cfg`
/// calls `home` (the standard library is looked for from there, even with `-I -S`: `Modules/getpath.py`), lie
/// outside the project and the environment (`strangers`), and belong to the user or to root. The error says why not.
pub fn trustworthy(
    host: &dyn Host,
    program: &HostPath,
    root: &HostPath,
    strangers: &[HostPath],
) -> Result<(), String> {
    let real = own_and_outside(host, program, strangers)
        .map_err(|(real, why)| format!("its file {real} {why}, and the shell does not run it"))?;
    for file in
        [program.parent().unwrap_or_else(|| root.clone()), root.clone()].map(|at| at.join("pyvenv.cfg"))
    {
        let bytes = match host.read(&file, TEXT_LIMIT) {
            Ok(contents) if contents.truncated() => return Err(format!("{file} is too large")),
            Ok(contents) => contents.bytes,
            Err(FileError::Missing | FileError::NotADirectory) => continue,
            Err(error) => return Err(format!("{file}: {error}")),
        };
        for home in homes(&bytes) {
            let claimed = HostPath::new(host.platform().flavour(), home.clone());
            let home = claimed.ok_or_else(|| format!("{file} names {} as its base", readable(&home)))?;
            let lies = own_and_outside(host, &home, strangers)
                .map_err(|(home, why)| format!("{file} names a base, {home}, that {why}"))?;
            if !holds(host, &lies, &real) {
                return Err(format!("{file} names a base, {home}, that does not hold {real}"));
            }
        }
    }
    Ok(())
}

/// Every directory that some version of Python would take for `home`: versions read the file differently.
fn homes(bytes: &[u8]) -> Vec<Vec<u8>> {
    let config = pyvenv_cfg::parse(bytes);
    let lines = config.lines.iter().filter(|line| line.key.as_deref() == Some("home"));
    let values = lines.filter_map(|line| line.value.as_deref()).chain(config.home());
    let mut homes: Vec<Vec<u8>> = values.map(|value| value.as_bytes().to_vec()).collect();
    homes.extend(pyvenv_cfg::c_getpath_home(bytes));
    homes.dedup();
    homes
}

/// Where the path really leads, when that is the user's or root's and in none of these places.
fn own_and_outside(
    host: &dyn Host,
    path: &HostPath,
    strangers: &[HostPath],
) -> Result<HostPath, (HostPath, String)> {
    let real =
        host.canonical(path).map_err(|error| (path.clone(), format!("cannot be followed: {error}")))?;
    if let Some(place) = strangers.iter().find(|place| real.is_within(&links::resolved(host, place))) {
        return Err((real, format!("lies inside {place}")));
    }
    match host.metadata(&real) {
        Ok(metadata) if metadata.owner == 0 || metadata.owner == host.user().id => Ok(real),
        Ok(_) => Err((real, "belongs to another user".to_owned())),
        Err(error) => Err((real, format!("cannot be looked at: {error}"))),
    }
}

/// Whether `directory` holds the interpreter `real`, itself or by a link with an interpreter's name.
fn holds(host: &dyn Host, directory: &HostPath, real: &HostPath) -> bool {
    if real.parent().is_some_and(|parent| parent.same_as(directory)) {
        return true;
    }
    let interpreter = |name: &[u8]| name.starts_with(b"python") || name.starts_with(b"pypy");
    host.list(directory).is_ok_and(|listing| {
        let mut names = listing.entries.iter().filter(|entry| interpreter(&entry.name));
        names.any(|entry| host.canonical(&directory.join(&entry.name)).is_ok_and(|leads| leads.same_as(real)))
    })
}

/// The start-up imports that fail, where the interpreter does not tell of them itself and there are any.
pub(super) fn unmet(
    host: &dyn Host,
    plan: &Plan,
    foreseen: Option<&import_path::Foreseen>,
    import_setup: &ImportSetup,
    packages: &[Packages],
) -> Vec<UnmetImport> {
    let Some(program) = plan.program().filter(|_| !plan.hears_hooks()) else { return Vec::new() };
    if !unmet_imports::asks_for_packages(import_setup, packages) {
        return Vec::new();
    }
    match foreseen {
        Some(foreseen) => foreseen.unmet(host),
        None => import_path::foresee(host, program, plan.trust())
            .map_or(Vec::new(), |foreseen| foreseen.unmet(host)),
    }
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
            let Some(program) = program else {
                notes.push(format!("no interpreter was started: {why}"));
                return;
            };
            notes.push(format!("{program} was not started: {why}"));
            (program, Probe::NotRun { why })
        }
    };
    let index = interpreters.iter().position(|known| known.path.same_as(&program)).unwrap_or_else(|| {
        interpreters.push(interpreter::interpreter(host, &program, vec![Origin::Probe], None));
        interpreters.len() - 1
    });
    if let Some(known) = interpreters.get_mut(index) {
        known.probe = probe;
        if let Some(foreseen) = foreseen {
            foreseen.tell(known);
        }
    }
}
