//! `venv-doctor [check] [DIR]`.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use super::page::Page;
use super::{Status, Trouble, completed, deliver, diagnosed, gathered};
use crate::checks;
use crate::cli::CheckArguments;
use crate::collect::gather::Request;
use crate::config::settings::{self, Selection, Settings};
use crate::diagnosis::{Check, Need, examine};
use crate::facts::Facts;
use crate::host::Host;
use crate::host::real::{bytes_of, from_std};
use crate::path::HostPath;
use crate::report::human::Timing;
use crate::report::{Dialect, sanitize, snapshot};

pub fn run(host: &dyn Host, arguments: &CheckArguments) -> Result<Status, Trouble> {
    let started = Instant::now();
    let directory = arguments.directory.as_deref().map(|path| absolute(host, path)).transpose()?;
    // what was seen elsewhere has nothing to do with the settings here
    let no_file = arguments.no_config || arguments.from.is_some();
    let file = settings::file(host, directory.as_ref(), no_file)?;
    let settings = Settings::new(arguments, file).map_err(Trouble)?;
    let selection = settings.selection();
    let mut facts = match &arguments.from {
        Some(file) => recorded(host, file)?,
        None => observed(host, arguments, directory, &settings, &selection)?,
    };
    if let Some(file) = &arguments.snapshot {
        completed(host, &mut facts, settings.asking.deadline())?;
        save(host, &facts, file)?;
    }
    let gathering = started.elapsed();
    let diagnosis = match arguments.from.is_some() || arguments.snapshot.is_some() {
        true => examine::examine_selection(&facts, &selection, settings.told()),
        false => diagnosed(host, &mut facts, &selection, &settings)?,
    };
    let page = Page {
        host,
        format: arguments.format,
        output: &arguments.output,
        heading: Vec::new(),
        seen_here: arguments.from.is_none(),
        fail_on: settings.fail_on.value,
        facts: &facts,
        diagnosis: &diagnosis,
        dialect: Dialect::of(&facts),
        timing: Timing { gathered: gathering, examined: started.elapsed().saturating_sub(gathering) },
    };
    deliver(&page.report()?)?;
    if arguments.summary {
        page.append_summary()?;
    }
    let status = page.status();
    // the program ends: taking thousands of small values apart would be time for nothing
    std::mem::forget(facts);
    Ok(status)
}

/// The facts of this machine that the checks need; all of them where they are to be kept.
fn observed(
    host: &dyn Host,
    arguments: &CheckArguments,
    directory: Option<HostPath>,
    settings: &Settings,
    selection: &Selection,
) -> Result<Facts, Trouble> {
    let needs_of = |check: &Check| check.needs.iter().copied();
    let mut needs: BTreeSet<Need> = match arguments.snapshot {
        Some(_) => checks::all().flat_map(needs_of).collect(),
        None => selection.checks.iter().flat_map(|check| needs_of(check)).collect(),
    };
    if !arguments.deep {
        needs.remove(&Need::Contents);
    }
    let execute = !settings.asking.no_exec.value;
    if !execute {
        // what is foreseen is only compared with what an interpreter says
        needs.remove(&Need::ImportPath);
    }
    let request = Request {
        directory,
        python: arguments.python.as_ref().map(|path| bytes_of(path.as_os_str())),
        configured: settings.asking.configured.clone(),
        execute,
        deadline: settings.asking.deadline(),
        needs,
    };
    gathered(host, &request)
}

/// More than any machine's facts take.
const SNAPSHOT_LIMIT: usize = 256 << 20;

/// The facts that a file holds.
fn recorded(host: &dyn Host, file: &Path) -> Result<Facts, Trouble> {
    let file = absolute(host, file)?;
    let trouble =
        |why: &dyn std::fmt::Display| Trouble(format!("--from {}: {why}", sanitize::shown(&file.to_text())));
    let contents = host.read(&file, SNAPSHOT_LIMIT).map_err(|error| trouble(&error))?;
    if contents.truncated() {
        return Err(trouble(&format!("it is larger than {} MiB", SNAPSHOT_LIMIT >> 20)));
    }
    snapshot::read(&contents.bytes).map_err(|why| trouble(&why))
}

fn save(host: &dyn Host, facts: &Facts, file: &Path) -> Result<(), Trouble> {
    let file = absolute(host, file)?;
    let text = snapshot::write(facts, host_name(host).as_deref())?;
    host.create(&file, &text)
        .map_err(|error| Trouble(format!("--snapshot {}: {error}", sanitize::shown(&file.to_text()))))
}

/// hostname(5); Windows has it as a variable.
fn host_name(host: &dyn Host) -> Option<String> {
    let file = ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .iter()
        .find_map(|path| host.text(&HostPath::posix(path)))
        .or_else(|| host.text_variable("COMPUTERNAME"))
        .or_else(|| host.text_variable("HOSTNAME"))?;
    Some(file.trim().to_owned()).filter(|name| !name.is_empty())
}

pub(super) fn absolute(host: &dyn Host, path: &Path) -> Result<HostPath, Trouble> {
    if let Some(absolute) = from_std(path) {
        return Ok(absolute);
    }
    let here = host.working_directory().map_err(|error| {
        Trouble(format!("cannot find {}: the working directory cannot be read: {error}", path.display()))
    })?;
    Ok(here.join(bytes_of(path.as_os_str())).normalized())
}
