//! One JSON object, schema version 1. The types here are frozen copies of the contract: what is inside may
//! change, what stands here is only ever extended.

use std::io::Write;

use serde::Serialize;

use super::{Dialect, sanitize};
use crate::diagnosis::{Diagnosis, Finding, Remedy, Severity, Subject, Unexamined};
use crate::facts::Facts;
use crate::facts::environment::EnvironmentKind;
use crate::facts::search_path::Target;

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    doctor: Doctor,
    situation: Situation,
    python: Option<Python>,
    patient: Option<Patient>,
    findings: Vec<JsonFinding<'a>>,
    checks: Checks<'a>,
    summary: Summary,
}

#[derive(Serialize)]
struct Doctor {
    version: &'static str,
}

#[derive(Serialize)]
struct Situation {
    cwd: Option<String>,
    shell: Option<&'static str>,
    platform: String,
}

#[derive(Serialize)]
struct Python {
    command: String,
    path: String,
    links: Vec<String>,
    version: Option<String>,
    environment: Option<String>,
}

#[derive(Serialize)]
struct Patient {
    root: String,
    kind: EnvironmentKind,
    creator: Option<String>,
    base: Option<String>,
    version: Option<String>,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    check: &'a str,
    category: &'static str,
    severity: &'static str,
    message: String,
    subject: JsonSubject<'a>,
    evidence: Vec<JsonEvidence<'a>>,
    remedies: Vec<JsonRemedy<'a>>,
    symptoms: Vec<JsonFinding<'a>>,
}

#[derive(Serialize)]
struct JsonSubject<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonEvidence<'a> {
    label: &'a str,
    value: String,
}

#[derive(Serialize)]
struct JsonRemedy<'a> {
    summary: &'a str,
    safety: &'static str,
    commands: Vec<String>,
}

#[derive(Serialize)]
struct Checks<'a> {
    run: usize,
    skipped: &'a [Unexamined],
    failed: &'a [Unexamined],
}

#[derive(Serialize)]
struct Summary {
    errors: usize,
    warnings: usize,
    infos: usize,
}

/// Writes the report and a newline.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(
    out: &mut dyn Write,
    facts: &Facts,
    diagnosis: &Diagnosis,
    dialect: &Dialect,
) -> std::io::Result<()> {
    let report = Report {
        schema_version: 1,
        doctor: Doctor { version: env!("CARGO_PKG_VERSION") },
        situation: Situation {
            cwd: facts.working_directory.as_ref().map(ToString::to_string),
            shell: facts.shell.kind.map(|kind| kind.label()),
            platform: format!("{}-{}", facts.platform.system.label(), facts.platform.architecture),
        },
        python: python(facts),
        patient: patient(facts),
        findings: diagnosis.findings.iter().map(|finding| json_finding(finding, dialect)).collect(),
        checks: Checks { run: diagnosis.run.len(), skipped: &diagnosis.skipped, failed: &diagnosis.failed },
        summary: Summary {
            errors: diagnosis.count(Severity::Error),
            warnings: diagnosis.count(Severity::Warning),
            infos: diagnosis.count(Severity::Info),
        },
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    out.write_all(b"\n")
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
        path: hit.path.to_string(),
        links: interpreter
            .map(|interpreter| interpreter.links.hops.iter().skip(1).map(ToString::to_string).collect())
            .unwrap_or_default(),
        version: interpreter.and_then(|interpreter| interpreter.version).map(|version| version.to_string()),
        environment: hit.leads_to.environment().map(ToString::to_string),
    })
}

fn patient(facts: &Facts) -> Option<Patient> {
    let environment = facts.patient()?;
    let version = environment.venv_config().and_then(|config| config.version_text()).map(str::to_owned);
    let of_library = || {
        environment.libraries.iter().find_map(|library| library.version).map(|version| version.to_string())
    };
    Some(Patient {
        root: environment.root.to_string(),
        kind: environment.kind,
        creator: environment.creator.as_ref().map(|creator| creator.label()),
        base: environment.home.as_ref().map(|home| home.path.to_string()),
        version: version.or_else(of_library),
    })
}

fn json_finding<'a>(finding: &'a Finding, dialect: &Dialect) -> JsonFinding<'a> {
    JsonFinding {
        check: finding.check,
        category: finding.category.label(),
        severity: finding.severity.label(),
        message: sanitize::redact(&finding.message).into_owned(),
        subject: JsonSubject {
            kind: finding.subject.kind(),
            path: finding.subject.path().map(ToString::to_string),
            line: finding.subject.line_number(),
            name: match &finding.subject {
                Subject::Distribution { name, .. } => Some(name),
                _ => None,
            },
        },
        evidence: finding
            .evidence
            .iter()
            .map(|evidence| JsonEvidence {
                label: &evidence.label,
                value: sanitize::redact(&evidence.value).into_owned(),
            })
            .collect(),
        remedies: finding.remedies.iter().map(|remedy| json_remedy(remedy, dialect)).collect(),
        symptoms: finding.symptoms.iter().map(|symptom| json_finding(symptom, dialect)).collect(),
    }
}

fn json_remedy<'a>(remedy: &'a Remedy, dialect: &Dialect) -> JsonRemedy<'a> {
    JsonRemedy { summary: &remedy.summary, safety: remedy.safety.label(), commands: dialect.commands(remedy) }
}
