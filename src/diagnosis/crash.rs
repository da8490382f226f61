//! A panic as a message: it says what went wrong and where, and takes nothing else down.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};

/// Where a fault of the doctor is to be told.
pub const REPORT_TO: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/issues");

thread_local! {
    /// Where a guarded panic happened.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
    static GUARDED: RefCell<bool> = const { RefCell::new(false) };
}

/// Whether every thread of this process is the doctor's.
static WHOLE_PROGRAM: AtomicBool = AtomicBool::new(false);
/// The first panic of a thread that the guarded one had started.
static ELSEWHERE: Mutex<Option<String>> = Mutex::new(None);

/// Runs `work`; a panic becomes its message and place instead of a crash.
///
/// # Errors
/// The message and place of a panic, on one line.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let message = || panic.to_string().replace('\n', " ");
            if GUARDED.with(|guarded| *guarded.borrow()) {
                PANIC.with(|place| *place.borrow_mut() = Some(message()));
            } else if WHOLE_PROGRAM.load(Ordering::Relaxed) {
                let mut first = ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert_with(message);
            } else {
                usual(panic);
            }
        }));
    });
    let outer = GUARDED.with(|guarded| guarded.replace(true));
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.with(|guarded| guarded.replace(outer));
    result.map_err(|payload| {
        let own = PANIC.with(|place| place.borrow_mut().take());
        own.or_else(|| ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner).take())
            .or_else(|| words(payload.as_ref()))
            .unwrap_or_else(|| "it crashed without a message".to_owned())
    })
}

/// What a panic of another thread says that the guarded one passed on: the hook has seen it there.
fn words(payload: &(dyn Any + Send)) -> Option<String> {
    let text = payload.downcast_ref::<String>().cloned();
    let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    text.map(|text| text.replace('\n', " "))
}

/// [`guarded`], for all that this process does: also what its other threads say of their panics is kept from
/// standard error.
///
/// # Errors
/// What a person is told who has to do with the crash.
pub fn guarded_program<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    WHOLE_PROGRAM.store(true, Ordering::Relaxed);
    guarded(work).map_err(|panic| match panic.split_once(NO_THREAD) {
        Some((_, why)) => format!(
            "there is no report: this machine did not let the doctor start another thread ({}). Too many processes of this user run, or a limit is low: `ulimit -u` shows it in a shell, `pids.max` in a container. End some or raise the limit, and ask again",
            system_message(why)
        ),
        None => format!(
            "the doctor crashed, and there is no report: {panic}. This is a fault of venv-doctor. Please report it at {REPORT_TO} with these lines, what was typed and, where it can be made, the file that `venv-doctor check --snapshot FILE` writes"
        ),
    })
}

/// What `std::thread` says when the system refuses a thread.
const NO_THREAD: &str = "failed to spawn thread: ";

/// The system's words in `Os { code: 11, kind: WouldBlock, message: "Resource temporarily unavailable" }`.
fn system_message(error: &str) -> &str {
    error
        .split_once("message: \"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or(error, |(message, _)| message)
}

/// What a thread of this process crashed of that nobody was waiting for, or whose part is missing in the report.
pub fn of_other_threads() -> Option<String> {
    let panic = ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    Some(format!(
        "a part of this machine was not read, because the doctor crashed there: findings may be missing or wrong: {panic}. This is a fault of venv-doctor. Please report it at {REPORT_TO} with these lines and the file that `venv-doctor check --snapshot FILE` writes"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message_and_place() {
        let reason = guarded(|| -> u8 { panic!("three eyes") }).unwrap_err();
        assert!(reason.contains("three eyes") && reason.contains("crash.rs"), "{reason}");
        assert_eq!(guarded(|| 7), Ok(7));
        let outer = guarded(|| -> u8 {
            assert!(guarded(|| -> u8 { panic!("inner") }).is_err());
            panic!("outer")
        });
        assert!(outer.unwrap_err().contains("outer"));
    }

    #[test]
    fn a_panic_that_another_thread_passed_on_keeps_its_words() {
        for number in [None, Some(7)] {
            let reason = guarded(|| {
                let other = std::thread::spawn(move || -> u8 {
                    match number {
                        None => panic!("no eye"),
                        Some(number) => panic!("{number} eyes"),
                    }
                });
                if let Err(panic) = other.join() {
                    std::panic::resume_unwind(panic);
                }
            });
            let expected = if number.is_some() { "7 eyes" } else { "no eye" };
            assert!(reason.is_err_and(|reason| reason.contains(expected)), "{expected}");
        }
    }
}
