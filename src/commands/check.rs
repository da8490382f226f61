//! `venv-doctor [check] [DIR]`.

use std::collections::BTreeSet;
use std::time::Instant;

use super::{Status, Terminal, Trouble, deliver, gathered, select};
use crate::cli::{CheckArguments, FailOn, Format};
use crate::collect::gather::Request;
use crate::diagnosis::{Diagnosis, Need, Severity, examine};
use crate::host::Host;
use crate::host::real::{bytes_of, from_std};
use crate::path::HostPath;
use crate::report::{Dialect, human, json};

pub fn run(host: &dyn Host, arguments: &CheckArguments) -> Result<Status, Trouble> {
    let started = Instant::now();
    let (checks, skipped) = select::select(&arguments.select, &arguments.ignore)?;
    let mut needs: BTreeSet<Need> = checks.iter().flat_map(|check| check.needs.iter().copied()).collect();
    if arguments.no_exec {
        // what is foreseen is only compared with what an interpreter says
        needs.remove(&Need::ImportPath);
    }
    let request = Request {
        directory: directory(host, arguments)?,
        python: arguments.python.as_ref().map(|path| bytes_of(path.as_os_str())),
        execute: !arguments.no_exec,
        deadline: arguments.deadline(),
        needs,
    };
    let facts = gathered(host, &request)?;
    let gathering = started.elapsed();
    let diagnosis = examine::examine(&facts, &checks, skipped);
    let dialect = Dialect::of(&facts);
    let mut report = Vec::new();
    match arguments.output.format {
        Format::Json => json::write(&mut report, &facts, &diagnosis, &dialect)?,
        Format::Human => {
            let terminal = Terminal::of(host, &arguments.output);
            let options = human::HumanOptions {
                width: terminal.width,
                color: terminal.color,
                unicode: terminal.unicode,
                verbose: arguments.output.verbose,
                quiet: arguments.output.quiet,
            };
            let timing =
                human::Timing { gathered: gathering, examined: started.elapsed().saturating_sub(gathering) };
            human::write(&mut report, &facts, &diagnosis, &dialect, &options, &timing)?;
        }
    }
    deliver(&report)?;
    // the program ends: taking thousands of small values apart would be time for nothing
    std::mem::forget(facts);
    Ok(status(&diagnosis, arguments.fail_on))
}

fn directory(host: &dyn Host, arguments: &CheckArguments) -> Result<Option<HostPath>, Trouble> {
    let Some(path) = &arguments.directory else { return Ok(None) };
    if let Some(absolute) = from_std(path) {
        return Ok(Some(absolute));
    }
    let here = host.working_directory().map_err(|error| {
        Trouble(format!("cannot examine {}: the working directory cannot be read: {error}", path.display()))
    })?;
    Ok(Some(here.join(bytes_of(path.as_os_str())).normalized()))
}

fn status(diagnosis: &Diagnosis, fail_on: FailOn) -> Status {
    if !diagnosis.failed.is_empty() {
        return Status::Trouble;
    }
    let limit = match fail_on {
        FailOn::Error => Severity::Error,
        FailOn::Warning => Severity::Warning,
        FailOn::Info => Severity::Info,
        FailOn::Never => return Status::Clean,
    };
    if diagnosis.worst().is_some_and(|worst| worst >= limit) { Status::Findings } else { Status::Clean }
}
