//! Running the checks: each alone, in the order of the table, none able to take the others with it.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use super::{Check, Diagnosis, Finding, Unexamined, fold};
use crate::config::settings::Selection;
use crate::facts::Facts;

/// Examines the facts with `checks`; `skipped` are those that were left out before, with the reason.
pub fn examine(facts: &Facts, checks: &[&'static Check], skipped: Vec<Unexamined>) -> Diagnosis {
    let selection = Selection { checks: checks.to_vec(), skipped, ..Selection::default() };
    examine_selection(facts, selection, Vec::new())
}

/// Examines the facts as it is set: a check that is ignored runs, and only the number of its findings is told.
pub fn examine_selection(facts: &Facts, selection: Selection, settings: Vec<String>) -> Diagnosis {
    let Selection { checks, mut skipped, ignored, severities } = selection;
    let mut found: Vec<Finding> = Vec::new();
    let mut run = Vec::new();
    let mut left_out = 0;
    let mut failed = Vec::new();
    for check in &checks {
        let outcome = guarded(|| check.findings(facts));
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
            Err(reason) => failed.push(Unexamined { check: check.id, reason }),
        }
    }
    let set = |finding: &mut Finding| {
        if let Some((_, severity)) = severities.iter().find(|(check, _)| *check == finding.check) {
            finding.severity = *severity;
        }
    };
    found.iter_mut().for_each(set);
    let mut findings = fold::fold(found, &checks, facts);
    // a cause is as bad as the worst that it explains, except where it is set
    findings.iter_mut().for_each(set);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Diagnosis { findings, run, skipped, failed, ignored: left_out, settings }
}

/// The reason for leaving a check out, with the number of what it would have said.
fn counted(reason: &str, findings: usize) -> String {
    match findings {
        0 => reason.to_owned(),
        1 => format!("{reason}, 1 finding"),
        _ => format!("{reason}, {findings} findings"),
    }
}

thread_local! {
    /// Where a guarded panic happened, for the report.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
    static GUARDED: RefCell<bool> = const { RefCell::new(false) };
}

/// Runs `work`; a panic becomes its message and place instead of a crash.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if GUARDED.with(|guarded| *guarded.borrow()) {
                PANIC.with(|place| *place.borrow_mut() = Some(panic.to_string().replace('\n', " ")));
            } else {
                usual(panic);
            }
        }));
    });
    GUARDED.with(|guarded| *guarded.borrow_mut() = true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.with(|guarded| *guarded.borrow_mut() = false);
    result.map_err(|_| {
        PANIC
            .with(|place| place.borrow_mut().take())
            .unwrap_or_else(|| "it crashed without a message".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message_and_place() {
        let reason = guarded(|| -> u8 { panic!("three eyes") }).unwrap_err();
        assert!(reason.contains("three eyes") && reason.contains("examine.rs"), "{reason}");
        assert_eq!(guarded(|| 7), Ok(7));
    }
}
