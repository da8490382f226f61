//! Machines that cannot be had here, Windows and macOS, recorded as in-memory hosts and examined end to end: the
//! facts, every check, the report in the words of the machine's own shell. For each fault: what is found first and
//! the lines that cure it. For each look-alike: not one warning.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use venv_doctor::checks;
use venv_doctor::collect::gather::{self, Request};
use venv_doctor::diagnosis::{Check, Need, examine};
use venv_doctor::host::fake::FakeMachine;
use venv_doctor::report::{Dialect, json};

mod mach_o;
mod macos;
mod pe;
mod windows;

/// Report of the whole examination, without starting an interpreter.
fn report(machine: &FakeMachine) -> Value {
    let checks: Vec<&'static Check> = checks::all().collect();
    let mut needs: BTreeSet<Need> = checks.iter().flat_map(|check| check.needs.iter().copied()).collect();
    needs.remove(&Need::ImportPath);
    let request = Request {
        directory: None,
        python: None,
        configured: None,
        execute: false,
        deadline: Duration::from_secs(1),
        needs,
    };
    let mut facts = gather::facts(machine, &request).unwrap();
    gather::complete(machine, &mut facts, request.deadline).unwrap();
    let diagnosis = examine::examine(&facts, &checks, Vec::new());
    let mut written = Vec::new();
    json::write(&mut written, &facts, &diagnosis, &Dialect::of(&facts)).unwrap();
    serde_json::from_slice(&written).unwrap()
}

fn findings(report: &Value) -> &[Value] {
    report["findings"].as_array().unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn lines(finding: &Value) -> Vec<&str> {
    let commands = finding["remedies"][0]["commands"].as_array();
    commands.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The first finding is this one, and its first remedy is these lines.
#[track_caller]
fn leads(machine: &FakeMachine, id: &str, cure: &[&str]) {
    let report = report(machine);
    let found = findings(&report).first().unwrap_or_else(|| panic!("nothing was found: {report:#}"));
    assert_eq!(text(found, "check"), id, "{report:#}");
    assert_eq!(lines(found), cure, "{report:#}");
}

/// Nothing that calls for action; notes are allowed.
#[track_caller]
fn quiet(machine: &FakeMachine) {
    let report = report(machine);
    let loud: Vec<&Value> =
        findings(&report).iter().filter(|finding| text(finding, "severity") != "info").collect();
    assert!(loud.is_empty(), "{report:#}");
}
