//! What goes wrong while the doctor is at work: nothing hangs, nothing is lost, nothing is left behind.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code
)]

mod disks;
mod limits;
mod signals;
mod situation;
#[path = "../support/mod.rs"]
mod support;
mod surroundings;

use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Trial};
use support::reliability::attempt;

fn answers(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|output| output.status.success())
}

fn main() {
    let arguments = Arguments::from_args();
    let tests: [(&str, fn()); 8] = [
        ("files_that_come_and_go", disks::files_that_come_and_go),
        ("no_room_for_the_report", limits::no_room_for_the_report),
        ("hardly_any_file_descriptors", limits::hardly_any_file_descriptors),
        ("an_interpreter_that_is_killed", signals::an_interpreter_that_is_killed),
        ("ended_by_a_signal", signals::ended_by_a_signal),
        ("a_terminal_that_is_closed", signals::a_terminal_that_is_closed),
        ("two_hundred_at_once", limits::two_hundred_at_once),
        ("no_home", surroundings::no_home),
    ];
    let trial = |name: &'static str, body: fn(), here: bool| {
        Trial::test(name, move || {
            let _tried = attempt("Faults", name);
            body();
            Ok(())
        })
        .with_ignored_flag(!here)
    };
    let mut trials: Vec<Trial> = tests.into_iter().map(|(name, body)| trial(name, body, true)).collect();
    // a release has the C library in it: nothing can be put before it
    let preloads = cfg!(debug_assertions);
    trials.push(trial("a_clock_that_jumps", surroundings::a_clock_that_jumps, preloads));
    let other_users = answers("setpriv", &["--reuid", "65534", "--clear-groups", "true"]);
    let mounts = answers("unshare", &["--mount", "true"]);
    let tracer = answers("strace", &["-qq", "-o", "/dev/null", "true"]);
    trials.push(trial("a_disk_that_fails", disks::a_disk_that_fails, tracer));
    trials.push(trial("directories_that_cannot_be_listed", disks::directories_that_cannot_be_listed, tracer));
    trials.push(trial("as_nobody", surroundings::as_nobody, other_users));
    trials.push(trial("hardly_any_processes", limits::hardly_any_processes, other_users));
    trials.push(trial(
        "a_container_with_only_the_binary",
        surroundings::a_container_with_only_the_binary,
        mounts,
    ));
    trials.push(trial("a_read_only_file_system", surroundings::a_read_only_file_system, mounts));
    libtest_mimic::run(&arguments, trials).exit();
}
