//! Workflow commands of GitHub Actions: an annotation for each finding, and the whole report in a group of the log.

use std::io::{self, Write};

use super::dialect::Dialect;
use super::json::{JsonFinding, Report};
use super::repository::{self, Place};
use super::sanitize;
use super::text::count;
use crate::diagnosis::{Diagnosis, Finding, Severity};
use crate::facts::Facts;
use crate::parse::digest;

/// Writes the annotations; `details` is the report for people, without colour.
pub fn write(
    out: &mut dyn Write,
    facts: &Facts,
    diagnosis: &Diagnosis,
    dialect: &Dialect,
    details: &str,
) -> io::Result<()> {
    let report = Report::new(facts, diagnosis, dialect);
    for (finding, shown) in diagnosis.findings.iter().zip(&report.findings) {
        writeln!(out, "{}", annotation(facts, finding, shown))?;
    }
    for failed in &diagnosis.failed {
        let title = property(&format!("venv-doctor: {} crashed", failed.check));
        writeln!(out, "::error title={title}::{}", data(&sanitize::shown(&failed.reason)))?;
    }
    out.write_all(group(details).as_bytes())?;
    writeln!(out, "venv-doctor: {}", totals(diagnosis))
}

/// `1 error, 2 warnings`, or that there is nothing.
fn totals(diagnosis: &Diagnosis) -> String {
    let counts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Info]
        .iter()
        .map(|severity| (diagnosis.count(*severity), severity.label()))
        .filter(|(number, _)| *number > 0)
        .map(|(number, noun)| count(number, noun))
        .collect();
    let ignored = (diagnosis.ignored > 0).then(|| count(diagnosis.ignored, "ignored finding"));
    let found = if counts.is_empty() { vec!["no problems found".to_owned()] } else { counts };
    found.into_iter().chain(ignored).collect::<Vec<_>>().join(", ")
}

fn annotation(facts: &Facts, finding: &Finding, shown: &JsonFinding) -> String {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let mut properties = Vec::new();
    if let Some((file, line)) = repository::place(facts, finding).and_then(file) {
        properties.push(format!("file={}", property(&file)));
        properties.extend(line.map(|line| format!("line={line}")));
    }
    properties.push(format!("title={}", property(&format!("venv-doctor: {}", finding.check))));
    format!("::{command} {}::{}", properties.join(","), data(&message(shown)))
}

/// The exact name, where it can stand in a log: GitHub looks for just this file.
fn file(place: Place) -> Option<(String, Option<usize>)> {
    let file = String::from_utf8(place.relative).ok()?;
    let fit = |letter: char| !sanitize::is_hidden(letter) || matches!(letter, '\r' | '\n');
    file.chars().all(fit).then_some((file, place.line.filter(|line| *line > 0)))
}

/// What is wrong, the proof, and the first remedy.
fn message(shown: &JsonFinding) -> String {
    let mut text = sanitize::shown(&shown.message);
    for evidence in &shown.evidence {
        let (label, value) = (sanitize::shown(&evidence.label), sanitize::shown(&evidence.value));
        text.push_str(&format!("\n  {label}: {value}"));
    }
    if let Some(remedy) = shown.remedies.first() {
        text.push_str(&format!("\nFix: {}", sanitize::shown(&remedy.summary)));
        for command in &remedy.commands {
            text.push_str(&format!("\n  {command}"));
        }
    }
    text.push_str(&format!("\nMore: venv-doctor explain {}", shown.check));
    text
}

/// The runner's escapes of a message.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The runner's escapes of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A group whose lines are no commands, whatever they begin with: the runner takes none until it meets the token,
/// which is made of the text itself, so that the text cannot hold it.
fn group(details: &str) -> String {
    let digest = digest::sha256(details.as_bytes());
    let token: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "::group::venv-doctor: the whole report\n::stop-commands::{token}\n{}\n::{token}::\n::endgroup::\n",
        details.trim_end()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_the_runner() {
        assert_eq!(data("100%\r\n::error::x"), "100%25%0D%0A::error::x");
        assert_eq!(property("a%0A::error::b,c"), "a%250A%3A%3Aerror%3A%3Ab%2Cc");
    }
}
