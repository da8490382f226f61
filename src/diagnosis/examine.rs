//! Running the checks: each alone, in the order of the table, none able to take the others with it.

use super::crash::{REPORT_TO, guarded};
use super::{Check, Diagnosis, Finding, Unexamined, fold, stand_in};
use crate::config::settings::Selection;
use crate::facts::Facts;
use crate::parallel;

/// Examines the facts with `checks`; `skipped` are those that were left out before, with the reason.
pub fn examine(facts: &Facts, checks: &[&'static Check], skipped: Vec<Unexamined>) -> Diagnosis {
    let selection = Selection { checks: checks.to_vec(), skipped, ..Selection::default() };
    examine_selection(facts, &selection, Vec::new())
}

/// Examines the facts as it is set: a check that is ignored runs, and only the number of its findings is told.
pub fn examine_selection(facts: &Facts, selection: &Selection, settings: Vec<String>) -> Diagnosis {
    let Selection { checks, skipped, ignored, severities } = selection;
    let mut skipped = skipped.clone();
    let mut found: Vec<Finding> = Vec::new();
    let mut run = Vec::new();
    let mut left_out = 0;
    let mut failed = Vec::new();
    for (check, outcome) in checks.iter().zip(outcomes(checks, facts)) {
        if let Some(ignored) = ignored.iter().find(|ignored| ignored.check == check.id) {
            let number = outcome.map_or(0, |findings| findings.len());
            left_out += number;
            skipped.push(Unexamined { check: check.id, reason: counted(&ignored.reason, number) });
            continue;
        }
        match outcome {
            Ok(findings) => {
                run.push(check.id);
                found.extend(findings);
            }
            Err(reason) => failed.push(Unexamined { check: check.id, reason: explained(&reason) }),
        }
    }
    let bystanders = stand_in::bystanders(facts);
    found.iter_mut().for_each(|finding| stand_in::soften(finding, facts, &bystanders));
    let set = |finding: &mut Finding| {
        if let Some((_, severity)) = severities.iter().find(|(check, _)| *check == finding.check) {
            finding.severity = *severity;
        }
    };
    found.iter_mut().for_each(set);
    let mut findings = fold::fold(found, checks, facts);
    // a cause is as bad as the worst that it explains, except where it is set
    findings.iter_mut().for_each(set);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Diagnosis { findings, run, skipped, failed, ignored: left_out, settings }
}

/// What a check found, or the message of its crash.
type Outcome = Result<Vec<Finding>, String>;

/// With so many distributions two threads say it sooner than one.
pub const WORTH_A_THREAD: usize = 50;

/// What each check says, in their order. Checks share nothing but the facts: where much is installed, two of them run
/// at a time.
fn outcomes(checks: &[&'static Check], facts: &Facts) -> Vec<Outcome> {
    let outcome = |check: &Check| guarded(|| check.findings(facts));
    let installed = facts.packages.iter().flat_map(|packages| &packages.sites);
    let threads =
        if installed.map(|site| site.distributions.len()).sum::<usize>() < WORTH_A_THREAD { 1 } else { 2 };
    parallel::each(checks, threads, |_: &mut (), check| outcome(check))
}

/// A crash for the reader: what it was, and what helps to have it mended.
fn explained(panic: &str) -> String {
    format!(
        "{panic}. This is a fault of venv-doctor. Please report it at {REPORT_TO} and attach the file that `venv-doctor check --snapshot FILE` writes: it holds what was seen on this machine, without names of users, hosts and secrets. The other checks ran"
    )
}

/// The reason for leaving a check out, with the number of what it would have said.
fn counted(reason: &str, findings: usize) -> String {
    match findings {
        0 => reason.to_owned(),
        1 => format!("{reason}, 1 finding"),
        _ => format!("{reason}, {findings} findings"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Category, Severity, Subject};
    use crate::facts::example;

    static CRASHES: Check = Check {
        id: "crashes",
        category: Category::Project,
        severity: Severity::Error,
        summary: "A check that crashes",
        needs: &[],
        explains: &[],
        explanation: "",
        examine: |_, _| panic!("three eyes"),
    };
    static FINDS: Check = Check {
        id: "finds",
        examine: |_, findings| findings.push(Finding::new(&FINDS, Subject::Project(None), "Something")),
        ..CRASHES
    };

    #[test]
    fn a_check_that_crashes_is_told_and_takes_no_other_with_it() {
        let diagnosis = examine(&example::healthy(), &[&CRASHES, &FINDS], Vec::new());
        assert_eq!(diagnosis.run, ["finds"]);
        assert_eq!(diagnosis.findings.len(), 1);
        let failed = &diagnosis.failed[0];
        assert_eq!(failed.check, "crashes");
        for part in ["three eyes", "examine.rs", "--snapshot FILE", REPORT_TO] {
            assert!(failed.reason.contains(part), "{}", failed.reason);
        }
    }
}
