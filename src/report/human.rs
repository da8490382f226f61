//! The report for a person at a terminal: what was examined, what is wrong and what to do, the totals.

use std::io::{self, Write};
use std::time::Duration;

use super::dialect::Dialect;
use super::sanitize;
use super::text::{Margin, NO_BREAK, Places, Styles, count, width, without_workflow_commands};
use crate::diagnosis::{Diagnosis, Evidence, Finding, Remedy, Severity, Unexamined};
use crate::facts::Facts;

mod examined;

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

    /// A label and its value, aligned.
    fn row(&self, label: &str, value: &str) -> String {
        let padding = " ".repeat(LABEL.saturating_sub(width(label)).max(1));
        let first = format!("{}{padding}", self.styles.strong(label));
        Margin::new(first, LABEL, LABEL).paragraph(value, self.columns)
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
