//! A scan for a program: one object, or one line for each environment as soon as it is examined.

use std::io::{self, Write};

use serde::Serialize;

use super::Fleet;
use crate::diagnosis::fleet::{Group, Member};
use crate::diagnosis::{Category, Severity};
use crate::facts::environment::EnvironmentKind;
use crate::facts::fleet::Keeper;
use crate::report::json::{self, Doctor, JsonFinding, JsonRemedy, NotRun, SCHEMA_VERSION};
use crate::report::{Dialect, json_text, sanitize};

/// Writes the whole scan as one indented object and a line end.
pub fn write(out: &mut dyn Write, fleet: &Fleet, dialect: &Dialect) -> io::Result<()> {
    json_text::write(out, &Scan::new(fleet, dialect))
}

/// Writes one environment as one line.
pub fn write_line(out: &mut dyn Write, member: &Member, dialect: &Dialect) -> io::Result<()> {
    let environment = JsonEnvironment::new(member, dialect);
    json_text::write_line(out, &Line { schema_version: SCHEMA_VERSION, environment })
}

#[derive(Serialize)]
struct Scan<'a> {
    schema_version: u32,
    doctor: Doctor,
    roots: Vec<String>,
    /// False: it was ended early.
    complete: bool,
    environments: Vec<JsonEnvironment>,
    groups: Vec<JsonGroup<'a>>,
    seen: Seen,
    summary: Summary,
}

#[derive(Serialize)]
struct Line {
    schema_version: u32,
    #[serde(flatten)]
    environment: JsonEnvironment,
}

#[derive(Serialize)]
struct JsonEnvironment {
    root: String,
    kind: EnvironmentKind,
    creator: Option<String>,
    keeper: Option<Keeper>,
    version: Option<String>,
    base: Option<String>,
    distributions: usize,
    health: Health,
    made: Option<u64>,
    used: Option<u64>,
    size: Option<u64>,
    own_size: Option<u64>,
    files: Option<u64>,
    findings: Vec<JsonFinding>,
    failed: Vec<NotRun>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Health {
    Healthy,
    Info,
    Warning,
    Error,
}

#[derive(Serialize)]
struct JsonGroup<'a> {
    check: &'a str,
    category: Category,
    severity: Severity,
    message: String,
    cause: Option<String>,
    environments: Vec<String>,
    remedies: Vec<JsonRemedy>,
}

#[derive(Serialize)]
struct Seen {
    directories: usize,
    entries: usize,
    unreadable: usize,
    unread: Vec<Unread>,
}

#[derive(Serialize)]
struct Unread {
    path: String,
    reason: String,
}

#[derive(Serialize)]
struct Summary {
    found: usize,
    shown: usize,
    healthy: usize,
    errors: usize,
    warnings: usize,
    infos: usize,
    size: Option<u64>,
    wasted: Option<u64>,
}

impl Scan<'_> {
    fn new<'a>(fleet: &'a Fleet, dialect: &Dialect) -> Scan<'a> {
        Scan {
            schema_version: SCHEMA_VERSION,
            doctor: Doctor { version: env!("CARGO_PKG_VERSION") },
            roots: fleet.roots.iter().map(json::text).collect(),
            complete: fleet.complete,
            environments: fleet.members.iter().map(|member| JsonEnvironment::new(member, dialect)).collect(),
            groups: fleet.groups.iter().map(|found| group(found, fleet, dialect)).collect(),
            seen: Seen {
                directories: fleet.directories,
                entries: fleet.entries,
                unreadable: fleet.unreadable,
                unread: fleet
                    .unread
                    .iter()
                    .map(|(path, error)| Unread { path: json::text(path), reason: error.to_string() })
                    .collect(),
            },
            summary: Summary {
                found: fleet.found,
                shown: fleet.members.len(),
                healthy: fleet.count(None),
                errors: fleet.count(Some(Severity::Error)),
                warnings: fleet.count(Some(Severity::Warning)),
                infos: fleet.count(Some(Severity::Info)),
                size: fleet.space,
                wasted: fleet.waste.map(|waste| waste.bytes),
            },
        }
    }
}

impl JsonEnvironment {
    fn new(member: &Member, dialect: &Dialect) -> JsonEnvironment {
        JsonEnvironment {
            root: json::text(&member.root),
            kind: member.kind,
            creator: member.creator.as_ref().map(|creator| creator.label()),
            keeper: member.keeper,
            version: member.version.clone(),
            base: member.base.as_ref().map(json::text),
            distributions: member.installed,
            health: match member.worst() {
                None => Health::Healthy,
                Some(Severity::Info) => Health::Info,
                Some(Severity::Warning) => Health::Warning,
                Some(Severity::Error) => Health::Error,
            },
            made: member.cost.made,
            used: member.cost.used,
            size: member.cost.space.map(|space| space.total),
            own_size: member.cost.space.map(|space| space.own),
            files: member.cost.space.map(|space| space.files),
            findings: member.findings.iter().map(|found| json::finding(found, dialect)).collect(),
            failed: member.failed.iter().map(json::not_run).collect(),
        }
    }
}

fn group<'a>(group: &'a Group, fleet: &Fleet, dialect: &Dialect) -> JsonGroup<'a> {
    let members = group.members.iter().filter_map(|index| fleet.members.get(*index));
    JsonGroup {
        check: group.check,
        category: group.category,
        severity: group.severity,
        message: sanitize::redact(&group.message).into_owned(),
        cause: group.cause.as_ref().map(json::text),
        environments: members.map(|member| json::text(&member.root)).collect(),
        remedies: group.remedies.iter().map(|found| json::remedy(found, dialect)).collect(),
    }
}
