//! The report for a program: one object, of types that change only by growing. What was observed stands as it
//! was, without credentials.

use std::io::{self, Write};

use serde::Serialize;

use super::dialect::Dialect;
use super::json_text;
use super::sanitize;
use super::versions::{environment_version, version};
use crate::diagnosis::{Category, Diagnosis, Finding, Remedy, Safety, Severity, Subject, Unexamined};
use crate::facts::Facts;
use crate::facts::environment::EnvironmentKind;
use crate::facts::search_path::Target;
use crate::path::HostPath;

pub const SCHEMA_VERSION: u32 = 1;

/// Writes the report as one indented object and a line end.
pub fn write(out: &mut dyn Write, facts: &Facts, diagnosis: &Diagnosis, dialect: &Dialect) -> io::Result<()> {
    let report = Report::new(facts, diagnosis, dialect);
    json_text::write(out, &report)
}

#[derive(Debug, Serialize)]
pub struct Report {
    pub schema_version: u32,
    pub doctor: Doctor,
    pub situation: Situation,
    pub python: Option<Python>,
    pub patient: Option<Patient>,
    pub findings: Vec<JsonFinding>,
    pub checks: Checks,
    pub summary: Summary,
    /// What was not started, not read or not read whole, and why.
    pub notes: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Doctor {
    pub version: &'static str,
}

#[derive(Debug, Serialize)]
pub struct Situation {
    pub cwd: Option<String>,
    pub shell: Option<&'static str>,
    /// `linux-x86_64`.
    pub platform: String,
}

/// What the shell runs for `python`, else for `python3`.
#[derive(Debug, Serialize)]
pub struct Python {
    pub command: String,
    pub path: String,
    /// Each place that a link led to.
    pub links: Vec<String>,
    pub version: Option<String>,
    pub environment: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Patient {
    pub root: String,
    pub kind: EnvironmentKind,
    pub creator: Option<String>,
    /// The directory of the base interpreter, as `home` names it.
    pub base: Option<String>,
    pub version: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct JsonFinding {
    pub check: &'static str,
    pub category: Category,
    pub severity: Severity,
    pub message: String,
    pub subject: JsonSubject,
    pub evidence: Vec<JsonEvidence>,
    pub remedies: Vec<JsonRemedy>,
    pub symptoms: Vec<JsonFinding>,
}

#[derive(Debug, Serialize)]
pub struct JsonSubject {
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Of a distribution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct JsonEvidence {
    pub label: String,
    pub value: String,
}

#[derive(Debug, Serialize)]
pub struct JsonRemedy {
    pub summary: String,
    pub safety: Safety,
    pub commands: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Checks {
    pub run: usize,
    pub skipped: Vec<NotRun>,
    pub failed: Vec<NotRun>,
}

#[derive(Debug, Serialize)]
pub struct NotRun {
    pub check: &'static str,
    pub reason: String,
}

#[derive(Debug, Serialize)]
pub struct Summary {
    pub errors: usize,
    pub warnings: usize,
    pub infos: usize,
    /// Findings of ignored checks, which are not among the findings.
    pub ignored: usize,
}

pub(super) fn text(path: &HostPath) -> String {
    path.to_text().into_owned()
}

fn redacted(text: &str) -> String {
    sanitize::redact(text).into_owned()
}

impl Report {
    pub fn new(facts: &Facts, diagnosis: &Diagnosis, dialect: &Dialect) -> Report {
        Report {
            schema_version: SCHEMA_VERSION,
            doctor: Doctor { version: env!("CARGO_PKG_VERSION") },
            situation: Situation {
                cwd: facts.working_directory.as_ref().map(text),
                shell: facts.shell.kind.map(|kind| kind.label()),
                platform: format!("{}-{}", facts.platform.system.label(), facts.platform.architecture),
            },
            python: python(facts),
            patient: patient(facts),
            findings: diagnosis.findings.iter().map(|found| finding(found, dialect)).collect(),
            checks: Checks {
                run: diagnosis.run.len(),
                skipped: diagnosis.skipped.iter().map(not_run).collect(),
                failed: diagnosis.failed.iter().map(not_run).collect(),
            },
            summary: Summary {
                errors: diagnosis.count(Severity::Error),
                warnings: diagnosis.count(Severity::Warning),
                infos: diagnosis.count(Severity::Info),
                ignored: diagnosis.ignored,
            },
            notes: facts.notes.iter().map(|note| redacted(note)).collect(),
        }
    }
}

fn python(facts: &Facts) -> Option<Python> {
    let command = facts.shell_python()?;
    let hit = command.chosen()?;
    let program = match &hit.leads_to {
        Target::Shim { program: Some(program), .. } => program,
        _ => &hit.path,
    };
    let interpreter = facts.interpreter(program);
    Some(Python {
        command: command.name.clone(),
        path: text(&hit.path),
        links: interpreter
            .map(|interpreter| interpreter.links.hops.iter().skip(1).map(text).collect())
            .unwrap_or_default(),
        version: interpreter.and_then(version),
        environment: hit.leads_to.environment().map(text),
    })
}

fn patient(facts: &Facts) -> Option<Patient> {
    let environment = facts.patient()?;
    Some(Patient {
        root: text(&environment.root),
        kind: environment.kind,
        creator: environment.creator.as_ref().map(|creator| creator.label()),
        base: environment.home.as_ref().map(|home| text(&home.path)),
        version: environment_version(facts, environment),
    })
}

pub(super) fn finding(finding: &Finding, dialect: &Dialect) -> JsonFinding {
    JsonFinding {
        check: finding.check,
        category: finding.category,
        severity: finding.severity,
        message: redacted(&finding.message),
        subject: subject(&finding.subject),
        evidence: finding
            .evidence
            .iter()
            .map(|evidence| JsonEvidence {
                label: redacted(&evidence.label),
                value: sanitize::redact_value(&evidence.label, &evidence.value).into_owned(),
            })
            .collect(),
        remedies: finding.remedies.iter().map(|found| remedy(found, dialect)).collect(),
        symptoms: finding.symptoms.iter().map(|symptom| self::finding(symptom, dialect)).collect(),
    }
}

fn subject(subject: &Subject) -> JsonSubject {
    JsonSubject {
        kind: subject.kind(),
        path: subject.path().map(text),
        line: subject.line_number(),
        name: match subject {
            Subject::Distribution { name, .. } => Some(redacted(name)),
            _ => None,
        },
    }
}

pub(super) fn remedy(remedy: &Remedy, dialect: &Dialect) -> JsonRemedy {
    JsonRemedy {
        summary: redacted(&remedy.summary),
        safety: remedy.safety,
        commands: dialect.commands(remedy),
    }
}

pub(super) fn not_run(unexamined: &Unexamined) -> NotRun {
    NotRun { check: unexamined.check, reason: redacted(&unexamined.reason) }
}
