//! The report for a person at a terminal: what was examined, what is wrong and what to do, the totals.

use std::io::{self, Write};
use std::time::Duration;

use super::dialect::Dialect;
use super::sanitize;
use super::text::{Margin, NO_BREAK, Places, Styles, count, width, without_workflow_commands};
use crate::diagnosis::{Diagnosis, Evidence, Finding, Remedy, Severity, Unexamined};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::interpreter::{Interpreter, LinkEnd, Probe};
use crate::facts::search_path::{Command, Hit, Target};
use crate::facts::shell::ShellSource;
use crate::path::HostPath;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HumanOptions {
    /// Columns of the terminal, or of the page where there is none.
    pub width: usize,
    pub color: bool,
    pub verbose: u8,
    pub quiet: bool,
    /// Whether the terminal shows more than ASCII.
    pub unicode: bool,
}

/// How long the run took so far, for `-v`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    pub gathered: Duration,
    pub examined: Duration,
}

/// Writes the report.
pub fn write(
    out: &mut dyn Write,
    facts: &Facts,
    diagnosis: &Diagnosis,
    dialect: &Dialect,
    options: &HumanOptions,
    timing: &Timing,
) -> io::Result<()> {
    let page = Page {
        facts,
        diagnosis,
        dialect,
        options,
        styles: Styles::new(options.color),
        places: Places::of(facts),
        columns: options.width.clamp(40, 120),
    };
    let text = if options.quiet { page.one_liners() } else { page.whole(timing) };
    out.write_all(without_workflow_commands(&text).as_bytes())
}

/// The findings alone, with nothing before or after them.
pub fn findings(facts: &Facts, diagnosis: &Diagnosis, dialect: &Dialect, options: &HumanOptions) -> String {
    let page = Page {
        facts,
        diagnosis,
        dialect,
        options,
        styles: Styles::new(options.color),
        places: Places::of(facts),
        columns: options.width.clamp(40, 120),
    };
    let text = match options.quiet {
        true => page.one_liners(),
        false => diagnosis.findings.iter().map(|finding| format!("\n{}", page.finding(finding))).collect(),
    };
    without_workflow_commands(&text).into_owned()
}

struct Page<'a> {
    facts: &'a Facts,
    diagnosis: &'a Diagnosis,
    dialect: &'a Dialect,
    options: &'a HumanOptions,
    styles: Styles,
    places: Places,
    columns: usize,
}

const LABEL: usize = 13;
/// A remedy that is not the first shows its commands up to this many.
const FEW_COMMANDS: usize = 2;

impl Page<'_> {
    fn one_liners(&self) -> String {
        let mut text = String::new();
        for finding in &self.diagnosis.findings {
            let head = self.head(finding);
            text.push_str(&format!("{head} {}\n", self.places.prose(&finding.message)));
        }
        text.push_str(&self.crashed());
        if self.diagnosis.ignored > 0 {
            text.push_str(&format!("{}\n", self.ignored()));
        }
        text
    }

    /// How many findings were left out.
    fn ignored(&self) -> String {
        count(self.diagnosis.ignored, "ignored finding")
    }

    fn whole(&self, timing: &Timing) -> String {
        let mut text = self.examined();
        if self.is_verbose() {
            text.push_str(&self.asked());
        }
        let (remarks, problems): (Vec<&Finding>, Vec<&Finding>) =
            self.diagnosis.findings.iter().partition(|finding| finding.severity == Severity::Info);
        for finding in &problems {
            text.push('\n');
            text.push_str(&self.finding(finding));
        }
        if !remarks.is_empty() {
            text.push('\n');
        }
        for finding in remarks {
            text.push_str(&if self.is_verbose() { self.finding(finding) } else { self.remark(finding) });
        }
        text.push('\n');
        if self.is_verbose() {
            text.push_str(&self.course(timing));
        }
        text.push_str(&self.crashed());
        text.push_str(&self.totals(problems.len()));
        text
    }

    fn is_verbose(&self) -> bool {
        self.options.verbose > 0
    }

    fn arrow(&self) -> String {
        format!(" {}{NO_BREAK}", if self.options.unicode { "\u{2192}" } else { "->" })
    }

    /// A label and its value, aligned.
    fn row(&self, label: &str, value: &str) -> String {
        let padding = " ".repeat(LABEL.saturating_sub(width(label)).max(1));
        let first = format!("{}{padding}", self.styles.strong(label));
        Margin::new(first, LABEL, LABEL).paragraph(value, self.columns)
    }

    fn examined(&self) -> String {
        let mut text = String::new();
        let facts = self.facts;
        if facts.directory != facts.working_directory
            && let Some(directory) = &facts.directory
        {
            text.push_str(&self.row("directory", &self.places.value(&directory.to_text())));
        }
        match facts.shell_python().and_then(|command| Some((command, command.chosen()?))) {
            Some((command, hit)) => {
                text.push_str(&self.row(&command.name, &self.python(hit)));
                let other = facts.command("python3").filter(|other| other.name != command.name);
                if let Some(hit) = other.and_then(Command::chosen)
                    && let (Some(one), Some(two)) =
                        (facts.environment_of(command), hit.leads_to.environment())
                    && !one.is_at(two)
                {
                    text.push_str(&self.row("python3", &self.python(hit)));
                }
            }
            None if facts.search_path.set => text.push_str(&self.row("python", "not found on PATH")),
            None => text.push_str(&self.row("python", "not found: PATH is not set")),
        }
        let pip = ["pip", "pip3"]
            .iter()
            .filter_map(|name| facts.command(name))
            .find_map(|command| Some((command.name.as_str(), command.chosen()?)));
        match pip {
            Some((name, hit)) => text.push_str(&self.row(name, &self.pip(hit))),
            None => text.push_str(&self.row("pip", "not found on PATH")),
        }
        text.push_str(&self.row("environment", &self.patient()));
        text
    }

    fn python(&self, hit: &Hit) -> String {
        let facts = self.facts;
        let interpreter = facts.interpreter(&hit.path);
        let mut remarks: Vec<String> = Vec::new();
        let mut shown = match interpreter {
            Some(interpreter) => self.links(interpreter),
            None => self.places.value(&hit.path.to_text()),
        };
        if let Target::Shim { manager, program, .. } = &hit.leads_to {
            remarks.push(format!("a shim of {}", manager.label()));
            if let Some(program) = program {
                shown.push_str(&format!("{}{}", self.arrow(), self.places.value(&program.to_text())));
                remarks.extend(facts.interpreter(program).and_then(version));
            }
        }
        if hit.leads_to == Target::StoreStub {
            remarks.push("opens the Microsoft Store".to_owned());
        }
        if let Some(interpreter) = interpreter {
            remarks.extend(version(interpreter));
            remarks.extend(trouble(interpreter));
        }
        with_remarks(shown, &remarks)
    }

    /// Each hop as the link says it: a name in the same directory, else a path.
    fn links(&self, interpreter: &Interpreter) -> String {
        let mut shown = String::new();
        let mut before: Option<HostPath> = None;
        for hop in &interpreter.links.hops {
            let directory = hop.parent();
            if before.is_some() {
                shown.push_str(&self.arrow());
            }
            if before.is_some() && before == directory {
                shown.push_str(&sanitize::shown(&hop.name()));
            } else {
                shown.push_str(&self.places.value(&hop.to_text()));
            }
            before = directory;
        }
        if shown.is_empty() { self.places.value(&interpreter.path.to_text()) } else { shown }
    }

    fn pip(&self, hit: &Hit) -> String {
        let shown = self.places.value(&hit.path.to_text());
        let mut remarks = Vec::new();
        if let Target::Script { interpreter, runnable: false, .. } = &hit.leads_to {
            remarks
                .push(format!("cannot run: {} cannot be started", self.places.value(&interpreter.to_text())));
        } else if let Some(root) = hit.leads_to.environment() {
            remarks.push(format!("installs into {}", self.places.value(&root.to_text())));
        }
        with_remarks(shown, &remarks)
    }

    fn patient(&self) -> String {
        let Some(root) = &self.facts.patient else { return "none found".to_owned() };
        let shown = self.places.value(&root.to_text());
        let Some(environment) = self.facts.patient() else { return shown };
        let mut remarks = vec![match &environment.creator {
            Some(creator) if environment.kind == EnvironmentKind::Venv => {
                format!("made by {}", sanitize::shown(&creator.label()))
            }
            _ => kind(environment.kind).to_owned(),
        }];
        if let Some(version) = environment_version(self.facts, environment) {
            remarks.push(format!("Python {version}"));
        }
        if let Some(home) = &environment.home {
            let base = home.interpreter.as_ref().unwrap_or(&home.path);
            remarks.push(format!("base {}", self.places.value(&base.to_text())));
        }
        if self.facts.active().is_some_and(|active| active.is_at(root)) {
            remarks.push("active".to_owned());
        }
        with_remarks(shown, &remarks)
    }

    /// `-v`: the situation that was asked about.
    fn asked(&self) -> String {
        let facts = self.facts;
        let mut shell = match facts.shell.kind {
            Some(kind) => kind.label().to_owned(),
            None => "unknown".to_owned(),
        };
        if facts.shell.source == ShellSource::Variable {
            shell.push_str(" (by the variable SHELL alone)");
        }
        if facts.shell.login {
            shell.push_str(", a login shell");
        }
        if let Some(wrapper) = facts.shell.wrappers.first() {
            shell.push_str(&format!(", inside {}", wrapper.label()));
        }
        if facts.shell.kind.is_none() || facts.shell.kind != Some(self.dialect.kind) {
            shell.push_str(&format!(", commands are for {}", self.dialect.kind.label()));
        }
        let mut text = self.row("shell", &shell);
        let mut platform = format!("{} {}", facts.platform.system.label(), facts.platform.architecture);
        for part in [&facts.platform.distribution, &facts.platform.release].into_iter().flatten() {
            platform.push_str(&format!(", {}", sanitize::shown(part)));
        }
        let surroundings = [&facts.surroundings.container, &facts.surroundings.ci];
        for (name, why) in ["a container", "a CI run"].iter().zip(surroundings) {
            if let Some(why) = why {
                platform.push_str(&format!(", in {name} ({})", sanitize::shown(why)));
            }
        }
        if facts.surroundings.wsl {
            platform.push_str(", in the Windows Subsystem for Linux");
        }
        text.push_str(&self.row("platform", &platform));
        let place = |path: &Option<HostPath>| path.as_ref().map(|path| self.places.value(&path.to_text()));
        let directory = place(&facts.working_directory).unwrap_or_else(|| "deleted or unreadable".to_owned());
        text.push_str(&self.row("started in", &directory));
        text.push_str(&self.row("project", &place(&facts.project.root).unwrap_or_else(|| "none".to_owned())));
        text.push_str(&self.row(
            "looked at",
            &format!(
                "{}, {}, {} of PATH",
                count(facts.environments.len(), "environment"),
                count(facts.interpreters.len(), "interpreter"),
                if facts.search_path.entries.len() == 1 {
                    "1 entry".to_owned()
                } else {
                    format!("{} entries", facts.search_path.entries.len())
                }
            ),
        ));
        text
    }

    fn head(&self, finding: &Finding) -> String {
        let severity = self.styles.severity(finding.severity, finding.severity.label());
        format!("{severity}[{}]:", finding.check)
    }

    /// The sentence of a finding, wrapped.
    fn message(&self, finding: &Finding, indent: usize) -> String {
        let columns = indent + format!("{}[{}]: ", finding.severity.label(), finding.check).len();
        let head = format!("{}{} ", " ".repeat(indent), self.head(finding));
        Margin::new(head, columns, indent + 2).paragraph(&self.places.prose(&finding.message), self.columns)
    }

    fn finding(&self, finding: &Finding) -> String {
        let mut text = self.message(finding, 0);
        text.push_str(&self.evidence(&finding.evidence, 2));
        for (index, remedy) in finding.remedies.iter().enumerate() {
            text.push('\n');
            text.push_str(&self.remedy(remedy, index == 0));
        }
        text.push('\n');
        text.push_str(&self.symptoms(finding));
        let more = format!("venv-doctor explain {}", finding.check);
        text.push_str(&format!("  {} {}\n", self.styles.faint("More:"), self.styles.faint(more)));
        text
    }

    /// An `info` finding, shortly.
    fn remark(&self, finding: &Finding) -> String {
        let mut text = self.message(finding, 0);
        if let Some(remedy) = finding.remedies.first() {
            let lines = self.dialect.commands(remedy);
            text.push_str(&Margin::spaces(2).paragraph(&self.places.prose(&remedy.summary), self.columns));
            if lines.len() <= FEW_COMMANDS {
                text.push_str(&self.commands(remedy));
            }
        }
        text
    }

    fn evidence(&self, evidence: &[Evidence], margin: usize) -> String {
        const LONGEST: usize = 22;
        let labels: Vec<String> = evidence.iter().map(|evidence| sanitize::shown(&evidence.label)).collect();
        let column =
            labels.iter().map(|label| width(label)).filter(|width| *width <= LONGEST).max().unwrap_or(0) + 2;
        let mut text = String::new();
        // one value with `~` of its own, and none of them is shortened
        let shorten = !evidence.iter().any(|evidence| evidence.value.contains('~'));
        for (index, evidence) in evidence.iter().enumerate() {
            // a label that says the same as the one above is left out
            let label = &labels[index];
            let label = if index > 0 && labels[index - 1] == *label { "" } else { label.as_str() };
            let value = sanitize::redact_value(&evidence.label, &evidence.value);
            let value = if shorten { self.places.evidence(&value) } else { sanitize::shown(&value) };
            let styled = self.styles.faint(label);
            let margin_text = " ".repeat(margin);
            if width(label) + 2 > column {
                text.push_str(&format!("{margin_text}{styled}\n"));
                text.push_str(&Margin::spaces(margin + column).paragraph(&value, self.columns));
            } else {
                let padding = " ".repeat(column - width(label));
                let first = format!("{margin_text}{styled}{padding}");
                let margin = Margin::new(first, margin + column, margin + column);
                text.push_str(&margin.paragraph(&value, self.columns));
            }
        }
        text
    }

    fn remedy(&self, remedy: &Remedy, is_first: bool) -> String {
        let word = if is_first { "Fix:" } else { "Or:" };
        let caution = remedy.caution().map(|caution| format!("; {caution}")).unwrap_or_default();
        let summary = format!("{}{caution}", self.places.prose(&remedy.summary));
        let first = format!("  {} ", self.styles.strong(word));
        let mut text = Margin::new(first, 2 + word.len() + 1, 4).paragraph(&summary, self.columns);
        let lines = self.dialect.commands(remedy).len();
        if is_first || self.is_verbose() || lines <= FEW_COMMANDS {
            text.push_str(&self.commands(remedy));
        } else {
            text.push_str(&format!(
                "      {}\n",
                self.styles.faint(format!("{lines} commands, shown with -v"))
            ));
        }
        text
    }

    /// Lines to be pasted: never wrapped, nothing before or after them but space. Advice without any command
    /// is prose.
    fn commands(&self, remedy: &Remedy) -> String {
        let prose: Vec<Option<String>> =
            remedy.actions.iter().map(|action| self.dialect.prose(action)).collect();
        let mut text = String::new();
        if prose.iter().all(Option::is_some) {
            for advice in prose.into_iter().flatten() {
                text.push_str(&Margin::spaces(6).paragraph(&self.places.value(&advice), self.columns));
            }
            return text;
        }
        for line in self.dialect.commands(remedy) {
            text.push_str(&format!("      {}\n", self.styles.command(line)));
        }
        text
    }

    fn symptoms(&self, finding: &Finding) -> String {
        if finding.symptoms.is_empty() {
            return String::new();
        }
        if self.is_verbose() {
            let mut text = format!("  {}\n", self.styles.strong("This also explains:"));
            for symptom in &finding.symptoms {
                text.push_str(&self.message(symptom, 4));
                text.push_str(&self.evidence(&symptom.evidence, 6));
                text.push_str(&self.symptoms(symptom));
            }
            return text;
        }
        let mut checks: Vec<(&str, usize)> = Vec::new();
        let mut waiting: Vec<&Finding> = finding.symptoms.iter().rev().collect();
        let mut number = 0;
        while let Some(symptom) = waiting.pop() {
            number += 1;
            match checks.iter_mut().find(|(check, _)| *check == symptom.check) {
                Some((_, times)) => *times += 1,
                None => checks.push((symptom.check, 1)),
            }
            waiting.extend(symptom.symptoms.iter().rev());
        }
        let times = |(check, times): &(&str, usize)| {
            if *times == 1 { (*check).to_owned() } else { format!("{check}{NO_BREAK}({times})") }
        };
        let list: Vec<String> = checks.iter().map(times).collect();
        let text = format!("{} (-v shows them): {}", count(number, "finding"), list.join(", "));
        Margin::new("  This also explains ", 21, 4).paragraph(&text, self.columns)
    }

    /// `-v`: which checks ran, what was left out and why, what took how long.
    fn course(&self, timing: &Timing) -> String {
        let diagnosis = self.diagnosis;
        let mut text =
            self.row("checks run", &format!("{}: {}", diagnosis.run.len(), diagnosis.run.join(", ")));
        text.push_str(&self.reasons("skipped", &diagnosis.skipped));
        for (index, note) in self.facts.notes.iter().enumerate() {
            let label = if index == 0 { "notes" } else { "" };
            text.push_str(&self.row(label, &self.places.value(note)));
        }
        for (index, setting) in diagnosis.settings.iter().enumerate() {
            let label = if index == 0 { "settings" } else { "" };
            text.push_str(&self.row(label, &self.places.value(setting)));
        }
        let milliseconds = |time: Duration| format!("{:.1}{NO_BREAK}ms", time.as_secs_f64() * 1000.0);
        let (gathered, examined) = (milliseconds(timing.gathered), milliseconds(timing.examined));
        text.push_str(
            &self.row("time", &format!("{gathered} to gather the facts, {examined} for the checks")),
        );
        text.push('\n');
        text
    }

    fn reasons(&self, label: &str, unexamined: &[Unexamined]) -> String {
        let mut text = String::new();
        for (index, check) in unexamined.iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            text.push_str(&self.row(label, &format!("{}: {}", check.check, sanitize::shown(&check.reason))));
        }
        text
    }

    fn crashed(&self) -> String {
        let mut text = String::new();
        for check in &self.diagnosis.failed {
            let head = self.styles.severity(Severity::Error, "crashed");
            text.push_str(&format!("{head}[{}]: {}\n", check.check, sanitize::shown(&check.reason)));
        }
        text
    }

    fn totals(&self, problems: usize) -> String {
        let mut counts: Vec<String> =
            [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "info")]
                .iter()
                .map(|(severity, noun)| (self.diagnosis.count(*severity), noun))
                .filter(|(number, _)| *number > 0)
                .map(|(number, noun)| count(number, noun))
                .collect();
        if self.diagnosis.ignored > 0 {
            let shown = if self.is_verbose() { "" } else { " (-v says why)" };
            counts.push(format!("{}{shown}", self.ignored()));
        }
        if problems == 0 {
            let complete = self.diagnosis.failed.is_empty();
            let good = self.styles.good(if complete {
                "No problems found"
            } else {
                "No problems found by the checks that did not crash"
            });
            let remarks = if counts.is_empty() { String::new() } else { format!(", {}", counts.join(", ")) };
            return format!("{good}{remarks}\n");
        }
        let advice = if problems > 1 { "; start with the first, then run venv-doctor again" } else { "" };
        Margin::spaces(0).paragraph(&format!("{}{advice}", counts.join(", ")), self.columns)
    }
}

fn with_remarks(shown: String, remarks: &[String]) -> String {
    if remarks.is_empty() { shown } else { format!("{shown} ({})", remarks.join(", ")) }
}

fn kind(kind: EnvironmentKind) -> &'static str {
    match kind {
        EnvironmentKind::Venv => "venv",
        EnvironmentKind::Remains => "remains of a venv, without pyvenv.cfg",
        EnvironmentKind::LegacyVirtualenv => "virtualenv before version 20",
        EnvironmentKind::Conda => "conda environment",
        EnvironmentKind::Installation => "installation",
        EnvironmentKind::Missing => "does not exist",
        EnvironmentKind::Other => "not an environment",
    }
}

/// What the interpreter says of itself, else what its file tells.
pub(super) fn version(interpreter: &Interpreter) -> Option<String> {
    if let Some(report) = interpreter.probe.report().filter(|report| !report.version.is_empty()) {
        let numbers: Vec<String> = report.version.iter().take(3).map(u32::to_string).collect();
        return Some(numbers.join("."));
    }
    interpreter.version.map(|version| version.to_string())
}

/// The version of an environment's interpreter, else the one that its `pyvenv.cfg` or its library tells.
pub(super) fn environment_version(facts: &Facts, environment: &Environment) -> Option<String> {
    let configured = environment.venv_config().and_then(|config| config.version_text()).map(sanitize::shown);
    let found = environment.interpreters.iter().find_map(|path| {
        let interpreter = facts.interpreter(path)?;
        interpreter.can_start().then(|| version(interpreter)).flatten()
    });
    match (found, configured) {
        // a file's name tells less than the configuration
        (Some(found), Some(configured)) if configured.starts_with(&format!("{found}.")) => Some(configured),
        (Some(version), _) | (None, Some(version)) => Some(version),
        (None, None) => environment
            .libraries
            .iter()
            .find_map(|library| library.version)
            .map(|version| version.to_string()),
    }
}

/// Why an interpreter does not work, in a few words.
fn trouble(interpreter: &Interpreter) -> Option<String> {
    Some(match (interpreter.links.end, &interpreter.probe) {
        (LinkEnd::Missing, _) => "does not exist".to_owned(),
        (LinkEnd::Loop, _) => "its links run in a circle".to_owned(),
        (LinkEnd::Directory, _) => "a directory".to_owned(),
        (LinkEnd::Denied, _) => "permission denied".to_owned(),
        (_, Probe::Failed { ending, .. }) => format!("does not start: {}", sanitize::shown(ending)),
        (_, Probe::TimedOut { seconds }) => {
            format!("did not answer in {}", count(*seconds as usize, "second"))
        }
        (_, Probe::Garbled { .. }) => "its answer cannot be read".to_owned(),
        _ => return None,
    })
}
