//! `venv-doctor [check] [DIR]`.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use super::{Status, Terminal, Trouble, deliver, gathered, select};
use crate::checks;
use crate::cli::{CheckArguments, FailOn, ReportFormat};
use crate::collect::gather::Request;
use crate::diagnosis::{Check, Diagnosis, Need, Severity, examine};
use crate::facts::Facts;
use crate::host::Host;
use crate::host::real::{bytes_of, from_std};
use crate::path::HostPath;
use crate::report::{Dialect, github, human, hyperlinks, json, markdown, sanitize, sarif, snapshot};

pub fn run(host: &dyn Host, arguments: &CheckArguments) -> Result<Status, Trouble> {
    let started = Instant::now();
    let (checks, skipped) = select::select(&arguments.select, &arguments.ignore)?;
    let facts = match &arguments.from {
        Some(file) => recorded(host, file)?,
        None => observed(host, arguments, &checks)?,
    };
    if let Some(file) = &arguments.snapshot {
        save(host, &facts, file)?;
    }
    let gathering = started.elapsed();
    let diagnosis = examine::examine(&facts, &checks, skipped);
    let run = Run {
        host,
        arguments,
        facts: &facts,
        diagnosis: &diagnosis,
        dialect: Dialect::of(&facts),
        timing: human::Timing { gathered: gathering, examined: started.elapsed().saturating_sub(gathering) },
    };
    deliver(&run.report()?)?;
    if arguments.summary {
        run.append_summary()?;
    }
    Ok(run.status())
}

/// What there is to tell, and how.
struct Run<'a> {
    host: &'a dyn Host,
    arguments: &'a CheckArguments,
    facts: &'a Facts,
    diagnosis: &'a Diagnosis,
    dialect: Dialect,
    timing: human::Timing,
}

impl Run<'_> {
    fn report(&self) -> Result<Vec<u8>, Trouble> {
        let Run { facts, diagnosis, dialect, .. } = self;
        let mut report = Vec::new();
        match self.arguments.format {
            ReportFormat::Json => json::write(&mut report, facts, diagnosis, dialect)?,
            ReportFormat::Sarif => {
                sarif::write(&mut report, facts, diagnosis, dialect, self.status() as u8)?;
            }
            ReportFormat::Markdown => markdown::write(&mut report, facts, diagnosis, dialect)?,
            ReportFormat::Github => {
                let details = self.human(Terminal::PAGE)?;
                let details = String::from_utf8_lossy(&details);
                github::write(&mut report, facts, diagnosis, dialect, &details)?;
            }
            ReportFormat::Human => report = self.human(Terminal::of(self.host, &self.arguments.output))?,
        }
        Ok(report)
    }

    fn human(&self, terminal: Terminal) -> Result<Vec<u8>, Trouble> {
        let options = human::HumanOptions {
            width: terminal.width,
            color: terminal.color,
            unicode: terminal.unicode,
            verbose: self.arguments.output.verbose,
            quiet: self.arguments.output.quiet,
        };
        let mut report = Vec::new();
        human::write(&mut report, self.facts, self.diagnosis, &self.dialect, &options, &self.timing)?;
        if terminal.links && self.arguments.from.is_none() {
            let text = String::from_utf8_lossy(&report);
            return Ok(hyperlinks::linked(&text, self.facts, self.diagnosis).into_bytes());
        }
        Ok(report)
    }

    /// The job's page on GitHub, and whatever else reads that variable.
    fn append_summary(&self) -> Result<(), Trouble> {
        let Some(file) = self.host.path_variable(SUMMARY) else {
            return Err(Trouble(format!(
                "--summary: {SUMMARY} names no file, as it does in a step of GitHub Actions (--format markdown prints the same)"
            )));
        };
        let mut page = Vec::new();
        markdown::write(&mut page, self.facts, self.diagnosis, &self.dialect)?;
        self.host
            .append(&file, &page)
            .map_err(|error| Trouble(format!("--summary: cannot write to {file}: {error}")))
    }

    fn status(&self) -> Status {
        status(self.diagnosis, self.arguments.fail_on)
    }
}

/// The file that GitHub Actions shows as the summary of a step.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// The facts of this machine that the checks need; all of them where they are to be kept.
fn observed(host: &dyn Host, arguments: &CheckArguments, checks: &[&Check]) -> Result<Facts, Trouble> {
    let needs_of = |check: &&Check| check.needs.iter().copied();
    let mut needs: BTreeSet<Need> = match arguments.snapshot {
        Some(_) => checks::all().flat_map(|check| needs_of(&check)).collect(),
        None => checks.iter().flat_map(needs_of).collect(),
    };
    if arguments.no_exec {
        // what is foreseen is only compared with what an interpreter says
        needs.remove(&Need::ImportPath);
    }
    let directory = match &arguments.directory {
        Some(directory) => Some(absolute(host, directory)?),
        None => None,
    };
    let request = Request {
        directory,
        python: arguments.python.as_ref().map(|path| bytes_of(path.as_os_str())),
        execute: !arguments.no_exec,
        deadline: arguments.deadline(),
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

fn status(diagnosis: &Diagnosis, fail_on: FailOn) -> Status {
    if !diagnosis.failed.is_empty() {
        return Status::Trouble;
    }
    by_worst(diagnosis.worst(), fail_on)
}

/// The exit status for what is worst of all that was found.
pub(super) fn by_worst(worst: Option<Severity>, fail_on: FailOn) -> Status {
    let limit = match fail_on {
        FailOn::Error => Severity::Error,
        FailOn::Warning => Severity::Warning,
        FailOn::Info => Severity::Info,
        FailOn::Never => return Status::Clean,
    };
    if worst.is_some_and(|worst| worst >= limit) { Status::Findings } else { Status::Clean }
}
