//! `venv-doctor [check] [DIR]`.

use std::collections::BTreeSet;
use std::time::Instant;

use super::{Status, Terminal, Trouble, deliver, select};
use crate::cli::{CheckArguments, FailOn, ReportFormat};
use crate::collect::gather::{self, Request};
use crate::diagnosis::{Diagnosis, Need, Severity, examine};
use crate::facts::Facts;
use crate::host::Host;
use crate::host::real::{bytes_of, from_std};
use crate::path::HostPath;
use crate::report::{Dialect, github, human, json, markdown, sarif};

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
    let facts = gather::facts(host, &request).map_err(|error| Trouble(error.to_string()))?;
    let gathered = started.elapsed();
    let diagnosis = examine::examine(&facts, &checks, skipped);
    let run = Run {
        host,
        arguments,
        facts: &facts,
        diagnosis: &diagnosis,
        dialect: Dialect::of(&facts),
        timing: human::Timing { gathered, examined: started.elapsed().saturating_sub(gathered) },
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
