//! Running the checks: each alone, in the order of the table, none able to take the others with it.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use super::{Check, Diagnosis, Finding, Unexamined, fold};
use crate::facts::Facts;

/// Examines the facts with `checks`; `skipped` are those that were left out before, with the reason.
pub fn examine(facts: &Facts, checks: &[&'static Check], skipped: Vec<Unexamined>) -> Diagnosis {
    let mut found: Vec<Finding> = Vec::new();
    let mut run = Vec::new();
    let mut failed = Vec::new();
    for check in checks {
        match guarded(|| check.findings(facts)) {
            Ok(findings) => {
                run.push(check.id);
                found.extend(findings);
            }
            Err(reason) => failed.push(Unexamined { check: check.id, reason }),
        }
    }
    Diagnosis { findings: fold::fold(found, checks, facts), run, skipped, failed }
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
