//! Settings from files, variables and the command line, and what a stranger's file cannot do.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code
)]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use support::{Place, executable, findings, pythons, run, text};

/// A project with a healthy venv that is not active: one finding, `forgotten-activation`.
fn forgotten() -> Place {
    let python = pythons().pop().expect("a Python on this machine");
    let place = Place::new();
    let venv = place.project.join(".venv");
    run(Command::new(&python.path).args(["-m", "venv", "--without-pip"]).arg(&venv));
    let mut place = place;
    let bin = python.path.parent().unwrap().display().to_string();
    place.set("PATH", format!("{bin}:/usr/bin:/bin"));
    assert_eq!(findings(&place.report(&["--select", "forgotten-activation"])), ["info forgotten-activation"]);
    place
}

const ONE: &str = "forgotten-activation";

fn verbose(place: &Place, arguments: &[&str]) -> String {
    let mut all = vec!["-v"];
    all.extend(arguments);
    text(&place.doctor(&all).stdout)
}

#[test]
fn what_is_ignored_is_counted_with_its_reason() {
    let place = forgotten();
    place.write("pyproject.toml", "[tool.venv-doctor]\nselect = [\"activation\"]\nignore = [{ check = \"forgotten-activation\", reason = \"uv run does it\" }]\n");
    let report = place.report(&[]);
    assert_eq!(findings(&report), [""; 0]);
    assert_eq!(report["summary"]["ignored"], 1);
    let skipped = report["checks"]["skipped"].as_array().unwrap();
    let own = skipped.iter().find(|skipped| skipped["check"] == ONE).unwrap();
    let reason = own["reason"].as_str().unwrap();
    assert!(reason.contains("uv run does it") && reason.ends_with("1 finding"), "{reason}");
    let human = text(&place.doctor(&[]).stdout);
    assert!(human.ends_with("No problems found, 1 ignored finding (-v says why)\n"), "{human}");
    assert_eq!(text(&place.doctor(&["-q"]).stdout), "1 ignored finding\n");
    let told = verbose(&place, &[]);
    assert!(told.contains("uv run does it") && told.contains("line 3 of"), "{told}");
    // whose files count is the user's choice
    let all = place.report(&["--no-config", "--select", ONE]);
    assert_eq!(findings(&all), ["info forgotten-activation"]);
    assert_eq!(all["summary"]["ignored"], 0);
}

#[test]
fn the_command_line_beats_the_variable_and_the_variable_the_file() {
    let mut place = forgotten();
    place.write("venv-doctor.toml", "select = ['forgotten-activation']\nfail-on = 'info'\n");
    place.write("pyproject.toml", "[tool.venv-doctor]\nfail-on = 'never'\n");
    assert_eq!(place.doctor(&[]).status.code(), Some(1), "the file: its own before pyproject.toml");
    assert!(verbose(&place, &[]).contains("fail-on info (line 2 of"));
    place.set("VENV_DOCTOR_FAIL_ON", "");
    assert_eq!(place.doctor(&[]).status.code(), Some(1), "an empty variable is none");
    place.set("VENV_DOCTOR_FAIL_ON", "never");
    assert_eq!(place.doctor(&[]).status.code(), Some(0), "the variable");
    assert!(verbose(&place, &[]).contains("fail-on never (VENV_DOCTOR_FAIL_ON)"));
    assert_eq!(place.doctor(&["--fail-on", "info"]).status.code(), Some(1), "the command line");
    assert!(verbose(&place, &["--fail-on", "info"]).contains("fail-on info (command line)"));
    assert_eq!(
        place.doctor(&["explain", ONE]).status.code(),
        Some(0),
        "variables trouble no other subcommand"
    );
    place.set("VENV_DOCTOR_FAIL_ON", "sometimes");
    let output = place.doctor(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("VENV_DOCTOR_FAIL_ON"), "{}", text(&output.stderr));
}

#[test]
fn a_selection_by_name_beats_who_ignores_with_less_to_say() {
    let mut place = forgotten();
    place.write("venv-doctor.toml", "ignore = ['activation']\n");
    assert_eq!(findings(&place.report(&["--select", ONE])), ["info forgotten-activation"]);
    assert_eq!(findings(&place.report(&["--select", "activation"])), [""; 0]);
    place.set("VENV_DOCTOR_IGNORE", ONE);
    place.write("venv-doctor.toml", "select = ['forgotten-activation']\n");
    assert_eq!(findings(&place.report(&[])), [""; 0]);
}

#[test]
fn severities_are_the_projects_to_set() {
    let place = forgotten();
    place.write("venv-doctor.toml", "select = ['forgotten-activation']\n[severity]\nactivation = 'info'\nforgotten-activation = 'error'\n");
    assert_eq!(findings(&place.report(&[])), ["error forgotten-activation"]);
    assert_eq!(place.doctor(&[]).status.code(), Some(1));
}

#[test]
fn a_file_that_is_not_understood_ends_the_run_and_says_where() {
    let place = forgotten();
    for (written, parts) in [
        ("[tool.venv-doctor]\nselct = []\n", &["pyproject.toml, line 2", "did you mean \"select\"?"][..]),
        ("[tool.venv-doctor]\nignore = ['moved-vnv']\n", &["line 2", "did you mean \"moved-venv\"?"]),
        ("[tool.venv-doctor]\nselect = [\n", &["line", "not TOML", "--no-config"]),
    ] {
        place.write("pyproject.toml", written);
        let deeper = place.project.join("src/app");
        fs::create_dir_all(&deeper).unwrap();
        for arguments in [&["--format", "json"][..], &["path"], &["why", "os"]] {
            let output = place.doctor_in(&deeper, arguments);
            let message = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
            for part in parts {
                assert!(message.contains(part), "{message}");
            }
        }
        assert_ne!(place.doctor(&["--no-config"]).status.code(), Some(2));
    }
}

#[test]
fn the_environment_that_the_file_names_is_examined() {
    let place = forgotten();
    let python = pythons().pop().unwrap();
    let other = place.root().join("elsewhere");
    run(Command::new(&python.path).args(["-m", "venv", "--without-pip"]).arg(&other));
    place.write("venv-doctor.toml", "python = '../elsewhere'\n");
    let root = other.display().to_string();
    assert_eq!(place.report(&[])["patient"]["root"], root);
    place.write("venv-doctor.toml", "patient = '../elsewhere/bin/python'\n");
    assert_eq!(place.report(&[])["patient"]["root"], root);
    let own = place.project.join(".venv").display().to_string();
    assert_eq!(place.report(&["--python", ".venv"])["patient"]["root"], own);
    // a fresh clone has none yet
    place.write("venv-doctor.toml", "python = 'not-made'\n");
    assert_eq!(place.report(&[])["patient"]["root"], own);
    assert!(verbose(&place, &[]).contains("not-made"));
}

/// A program that leaves a trace when it is started, in a directory that looks like an environment.
fn trap(place: &Place, directory: &str) -> std::path::PathBuf {
    let root = place.project.join(directory);
    fs::create_dir_all(root.join("bin")).unwrap();
    fs::create_dir_all(root.join("lib/python3.12/site-packages")).unwrap();
    fs::write(root.join("pyvenv.cfg"), "home = /usr/bin\nversion = 3.12.1\n").unwrap();
    let program = root.join("bin/python");
    fs::write(&program, format!("#!/bin/sh\necho started >> {}\n", place.root().join("trace").display()))
        .unwrap();
    executable(&program, true);
    program
}

#[test]
fn a_strangers_file_starts_nothing() {
    let place = forgotten();
    let trace = place.root().join("trace");
    let program = trap(&place, "trap");
    let link = place.project.join("link");
    symlink(&program, &link).unwrap();
    for named in ["trap", "trap/bin/python", "link", &program.display().to_string()] {
        let written = format!("python = '{named}'\nno-exec = false\ntimeout = 60\n");
        place.write("venv-doctor.toml", &written);
        for arguments in [&["check"][..], &["path"], &["why", "os"]] {
            place.doctor(arguments);
            assert!(!trace.exists(), "{named} was started by {arguments:?}");
        }
    }
    // and the trap works: the user may name it
    place.doctor(&["--python", "trap"]);
    assert!(trace.exists(), "the trap leaves no trace");
}

#[test]
fn a_file_cannot_take_back_what_the_user_forbids() {
    let mut place = forgotten();
    place.write("venv-doctor.toml", "no-exec = false\n");
    place.set("VENV_DOCTOR_NO_EXEC", "1");
    let told = verbose(&place, &[]);
    assert!(told.contains("was not started: --no-exec"), "{told}");
    assert!(told.contains("no-exec true (VENV_DOCTOR_NO_EXEC)"), "{told}");
    place.set("VENV_DOCTOR_NO_EXEC", "0");
    place.write("venv-doctor.toml", "no-exec = true\n");
    assert!(!verbose(&place, &[]).contains("was not started: --no-exec"));
}
