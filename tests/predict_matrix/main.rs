//! The predictor against real interpreters: every one that is found, in environments built for the purpose.
//!
//! A normal run compares a fixed sample. `VENV_DOCTOR_FULL=1` compares everything, `VENV_DOCTOR_TOOLS`
//! names a directory with `virtualenv` and `uv` where they are not on `PATH`, and `VENV_DOCTOR_PYTHONS`
//! lists interpreters (separated by colons) to use instead of those that are found.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, clippy::unwrap_used, clippy::expect_used)]
#![cfg(unix)]

mod environments;
mod pth;
mod real;
mod scenarios;

use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use real::{Interpreter, Tools};
use scenarios::{Scenarios, Tally};

#[test]
fn predictions_agree_with_every_interpreter() {
    let interpreters = real::interpreters();
    let tools = Tools::find();
    let full = std::env::var_os("VENV_DOCTOR_FULL").is_some();
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().canonicalize().unwrap();
    let tally = compare_all(&root, &interpreters, &tools, full);

    for (name, tool) in [("virtualenv", &tools.virtualenv), ("uv", &tools.uv)] {
        if tool.is_none() {
            println!("not run: environments made by {name}, which was not found");
        }
    }
    for name in &tally.not_run {
        println!("not run: {name}");
    }
    for disagreement in tally.disagreements.iter().take(40) {
        println!("{disagreement}\n");
    }
    // past the harness, which keeps what a passing test prints to itself
    let _ = writeln!(
        std::io::stderr(),
        "compared {} combinations with {} interpreters: {} disagree; {} did not start, as predicted",
        tally.compared,
        interpreters.len(),
        tally.disagreements.len(),
        tally.fatal
    );
    assert!(tally.disagreements.is_empty(), "{} predictions are wrong", tally.disagreements.len());
    if interpreters.len() >= 5 {
        assert!(tally.compared >= 500, "only {} combinations were compared", tally.compared);
    }
}

/// Two interpreters at a time: each has directories of its own.
fn compare_all(root: &Path, interpreters: &[Interpreter], tools: &Tools, full: bool) -> Tally {
    let next = AtomicUsize::new(0);
    let total = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(interpreter) = interpreters.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let directory = root.join(&interpreter.label);
                    let mut scenarios = Scenarios::new(directory, interpreter, tools, full);
                    scenarios.run();
                    total.lock().unwrap().add(scenarios.tally);
                }
            });
        }
    });
    total.into_inner().unwrap()
}
