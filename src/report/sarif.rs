//! SARIF 2.1.0 (the OASIS standard of 2020 with errata 01), as code scanning reads it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::dialect::Dialect;
use super::json::{JsonFinding, JsonRemedy, Report};
use super::repository::{self, Place};
use super::{json_text, markdown, sanitize};
use crate::checks;
use crate::diagnosis::{Check, Diagnosis, Finding, Severity, Subject, Unexamined};
use crate::facts::Facts;
use crate::parse::digest;
use crate::path::encoded;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The version in the name lets fingerprints of another recipe stand beside these.
const FINGERPRINT: &str = "venvDoctorFinding/v1";
/// What consumers take for the top of the repository.
const TOP: &str = "%SRCROOT%";

/// Writes the log as one indented object and a line end. `exit` is the exit status of this run.
pub fn write(
    out: &mut dyn Write,
    facts: &Facts,
    diagnosis: &Diagnosis,
    dialect: &Dialect,
    exit: u8,
) -> io::Result<()> {
    let report = Report::new(facts, diagnosis, dialect);
    let rules = rules(diagnosis);
    let mut seen = BTreeMap::new();
    let results = diagnosis
        .findings
        .iter()
        .zip(report.findings)
        .map(|(finding, shown)| result(facts, finding, shown, &rules, &mut seen))
        .collect();
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "venv-doctor",
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    short_description: Message::of("The doctor for Python environments"),
                    rules: rules.iter().copied().map(rule).collect(),
                },
            },
            invocations: [Invocation {
                exit_code: exit,
                execution_successful: diagnosis.failed.is_empty(),
                notifications: diagnosis.failed.iter().map(|failed| notification(failed, &rules)).collect(),
            }],
            results,
            column_kind: "unicodeCodePoints",
        }],
    };
    json_text::write(out, &log)
}

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    invocations: [Invocation; 1],
    results: Vec<SarifResult>,
    column_kind: &'static str,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    short_description: Message,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    short_description: Option<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    full_description: Option<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_configuration: Option<Configuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<RuleProperties>,
}

#[derive(Serialize)]
struct RuleProperties {
    tags: [&'static str; 2],
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Message {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    markdown: Option<String>,
}

impl Message {
    fn of(text: impl Into<String>) -> Message {
        Message { text: text.into(), markdown: None }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    partial_fingerprints: BTreeMap<&'static str, String>,
    properties: ResultProperties,
}

#[derive(Serialize)]
struct ResultProperties {
    category: &'static str,
    remedies: Vec<JsonRemedy>,
    /// Ids of the checks whose findings this one accounts for.
    symptoms: Vec<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_location: Option<PhysicalLocation>,
    logical_locations: [LogicalLocation; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    name: String,
    fully_qualified_name: String,
    kind: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    exit_code: u8,
    execution_successful: bool,
    #[serde(rename = "toolExecutionNotifications", skip_serializing_if = "Vec::is_empty")]
    notifications: Vec<Notification>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    level: &'static str,
    message: Message,
    associated_rule: RuleReference,
}

#[derive(Serialize)]
struct RuleReference {
    id: &'static str,
    index: usize,
}

/// Ids of the checks that the results and notifications speak of, each once.
fn rules(diagnosis: &Diagnosis) -> Vec<&'static str> {
    let mut ids: Vec<&'static str> = Vec::new();
    let found = diagnosis.findings.iter().map(|finding| finding.check);
    for id in found.chain(diagnosis.failed.iter().map(|failed| failed.check)) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

fn index(rules: &[&'static str], id: &str) -> usize {
    rules.iter().position(|rule| *rule == id).unwrap_or_default()
}

fn rule(id: &str) -> Rule {
    let Some(check) = checks::find(id) else {
        return Rule {
            id: id.to_owned(),
            short_description: None,
            full_description: None,
            help: None,
            help_uri: None,
            default_configuration: None,
            properties: None,
        };
    };
    let page = check.explanation.trim();
    Rule {
        id: id.to_owned(),
        short_description: Some(Message::of(check.summary)),
        full_description: Some(Message::of(what_it_means(check))),
        help: Some(Message { text: page.to_owned(), markdown: Some(page.to_owned()) }),
        help_uri: Some(help_uri(check)),
        default_configuration: Some(Configuration { level: level(check.severity) }),
        properties: Some(RuleProperties { tags: ["python-environment", check.category.label()] }),
    }
}

/// The first section of the handbook's page, as one paragraph.
fn what_it_means(check: &Check) -> String {
    let page = check.explanation.trim();
    let section = page.strip_prefix("## What it means").unwrap_or(page);
    let section = section.split("\n## ").next().unwrap_or_default();
    section.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The page of this version's handbook, in the published sources.
fn help_uri(check: &Check) -> String {
    format!(
        "https://docs.rs/crate/venv-doctor/{}/source/checks/{}/{}.rs",
        env!("CARGO_PKG_VERSION"),
        check.category.label(),
        check.id.replace('-', "_")
    )
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn result(
    facts: &Facts,
    finding: &Finding,
    shown: JsonFinding,
    rules: &[&'static str],
    seen: &mut BTreeMap<String, usize>,
) -> SarifResult {
    let mut text = sanitize::shown(&shown.message);
    for evidence in &shown.evidence {
        let (label, value) = (sanitize::shown(&evidence.label), sanitize::shown(&evidence.value));
        text.push_str(&format!("\n{label}: {value}"));
    }
    SarifResult {
        rule_id: finding.check,
        rule_index: index(rules, finding.check),
        level: level(finding.severity),
        message: Message {
            text: without_placeholders(&without_links(&text)),
            markdown: Some(without_placeholders(&markdown::body(&shown))),
        },
        locations: [location(facts, finding)],
        partial_fingerprints: [(FINGERPRINT, fingerprint(facts, finding, seen))].into(),
        properties: ResultProperties {
            category: finding.category.label(),
            symptoms: finding.symptoms.iter().map(|symptom| symptom.check).collect(),
            remedies: shown.remedies,
        },
    }
}

/// Section 3.11.5: braces stand for arguments unless they are doubled.
fn without_placeholders(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

/// Section 3.11.6: `[text](target)` is a link, in plain text, too.
fn without_links(text: &str) -> String {
    text.replace("](", "\\](")
}

fn location(facts: &Facts, finding: &Finding) -> Location {
    let subject = &finding.subject;
    let name = match subject {
        Subject::Shell => "shell".to_owned(),
        Subject::Distribution { name, .. } => sanitize::shown(name),
        _ => subject.path().map_or_else(|| subject.kind().to_owned(), |path| sanitize::shown(&path.name())),
    };
    let portable = subject.path().map(|path| sanitize::shown(&repository::portable(facts, path)));
    let qualified = match (subject, portable) {
        (Subject::Distribution { .. }, Some(place)) => format!("{place}/{name}"),
        (_, Some(place)) => place,
        (_, None) => name.clone(),
    };
    Location {
        physical_location: repository::place(facts, finding).map(physical),
        logical_locations: [LogicalLocation { name, fully_qualified_name: qualified, kind: subject.kind() }],
    }
}

fn physical(place: Place) -> PhysicalLocation {
    PhysicalLocation {
        artifact_location: ArtifactLocation { uri: encoded(&place.relative), uri_base_id: TOP },
        region: place.line.filter(|line| *line > 0).map(|start_line| Region { start_line }),
    }
}

/// The same in every run and on every machine: the check, what it is about as seen from the repository or the home
/// directory, and which one of those it is. Lines move and messages are reworded: neither counts.
fn fingerprint(facts: &Facts, finding: &Finding, seen: &mut BTreeMap<String, usize>) -> String {
    let subject = &finding.subject;
    let place = subject.path().map(|path| repository::portable(facts, path)).unwrap_or_default();
    let name = match subject {
        Subject::Distribution { name, .. } => name.as_str(),
        _ => "",
    };
    let key = [finding.check, subject.kind(), &place, name].join("\0");
    let number = seen.entry(key.clone()).or_default();
    *number += 1;
    let digest = digest::sha256(format!("{key}\0{number}").as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn notification(failed: &Unexamined, rules: &[&'static str]) -> Notification {
    let reason = sanitize::shown(&failed.reason);
    let text = format!("The check {} crashed, and the others still ran: {reason}", failed.check);
    Notification {
        level: "error",
        message: Message::of(without_placeholders(&without_links(&text))),
        associated_rule: RuleReference { id: failed.check, index: index(rules, failed.check) },
    }
}
