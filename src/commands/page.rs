//! The report of a run in the format that was asked for, and the exit status.

use std::io::Write;

use super::{Status, Terminal, Trouble};
use crate::cli::{FailOn, OutputArguments, ReportFormat};
use crate::diagnosis::{Diagnosis, Severity};
use crate::facts::Facts;
use crate::host::Host;
use crate::report::human::Timing;
use crate::report::{Dialect, github, human, hyperlinks, json, markdown, sanitize, sarif};

/// What there is to tell, and how.
pub(super) struct Page<'a> {
    pub host: &'a dyn Host,
    pub format: ReportFormat,
    pub output: &'a OutputArguments,
    /// Lines that stand before the report for a person.
    pub heading: Vec<String>,
    /// Whether the facts are this machine's, so that a terminal may open the files.
    pub seen_here: bool,
    pub fail_on: FailOn,
    pub facts: &'a Facts,
    pub diagnosis: &'a Diagnosis,
    pub dialect: Dialect,
    pub timing: Timing,
}

impl Page<'_> {
    pub(super) fn report(&self) -> Result<Vec<u8>, Trouble> {
        let Page { facts, diagnosis, dialect, .. } = self;
        let mut report = Vec::new();
        match self.format {
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
            ReportFormat::Human => report = self.human(Terminal::of(self.host, self.output))?,
        }
        Ok(report)
    }

    fn human(&self, terminal: Terminal) -> Result<Vec<u8>, Trouble> {
        let options = human::HumanOptions {
            width: terminal.width,
            color: terminal.color,
            unicode: terminal.unicode,
            verbose: self.output.verbose,
            quiet: self.output.quiet,
        };
        let mut report = Vec::new();
        for line in self.heading.iter().filter(|_| !self.output.quiet) {
            writeln!(report, "{}", sanitize::shown(line))?;
        }
        human::write(&mut report, self.facts, self.diagnosis, &self.dialect, &options, &self.timing)?;
        if terminal.links && self.seen_here {
            let text = String::from_utf8_lossy(&report);
            return Ok(hyperlinks::linked(&text, self.facts, self.diagnosis).into_bytes());
        }
        Ok(report)
    }

    /// The job's page on GitHub, and whatever else reads that variable.
    pub(super) fn append_summary(&self) -> Result<(), Trouble> {
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

    pub(super) fn status(&self) -> Status {
        status(self.diagnosis, self.fail_on)
    }
}

/// The file that GitHub Actions shows as the summary of a step.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

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
