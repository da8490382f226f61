//! Bad input: each a clear finding or message, never a panic, never a hang, never a lost report.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code
)]

mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use support::reliability::{attempt, ran};
use support::{Place, Python, entry_script, executable, findings, install, pythons, run, text};

/// A venv of the newest Python, active.
fn active() -> (Place, PathBuf, Python) {
    let python = pythons().pop().expect("a Python on this machine");
    let mut place = Place::new();
    let venv = place.project.join(".venv");
    run(Command::new(&python.path).args(["-m", "venv", "--without-pip"]).arg(&venv));
    install(&venv, &python, "sample");
    entry_script(&venv, "sample", "sample");
    place.activate(&venv);
    (place, venv, python)
}

/// The ids of the findings; the report came in time and was whole.
fn examined(place: &Place, arguments: &[&str]) -> Vec<String> {
    let started = Instant::now();
    let report = place.report(arguments);
    assert!(started.elapsed() < Duration::from_secs(15), "took {:?}", started.elapsed());
    assert_eq!(report["checks"]["failed"].as_array().unwrap().len(), 0, "{report:#}");
    findings(&report).into_iter().map(|finding| finding.split(' ').nth(1).unwrap().to_owned()).collect()
}

fn first(place: &Place) -> String {
    examined(place, &[]).first().cloned().unwrap_or_default()
}

#[test]
fn a_configuration_that_is_a_directory() {
    let _tried = attempt("Bad input", "a_configuration_that_is_a_directory");
    let (place, venv, _) = active();
    fs::remove_file(venv.join("pyvenv.cfg")).unwrap();
    fs::create_dir(venv.join("pyvenv.cfg")).unwrap();
    assert_eq!(first(&place), "invalid-pyvenv-cfg");
}

#[test]
fn a_configuration_that_is_a_fifo() {
    let _tried = attempt("Bad input", "a_configuration_that_is_a_fifo");
    let (place, venv, _) = active();
    fs::remove_file(venv.join("pyvenv.cfg")).unwrap();
    run(Command::new("mkfifo").arg(venv.join("pyvenv.cfg")));
    // the interpreter itself waits at a FIFO for ever
    assert_eq!(examined(&place, &["--no-exec"]).first().map(String::as_str), Some("invalid-pyvenv-cfg"));
    let started = Instant::now();
    examined(&place, &["--timeout", "1"]);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn a_configuration_of_one_gibibyte() {
    let _tried = attempt("Bad input", "a_configuration_of_one_gibibyte");
    let (place, venv, _) = active();
    let file = fs::OpenOptions::new().append(true).open(venv.join("pyvenv.cfg")).unwrap();
    file.set_len(1 << 30).unwrap();
    assert_eq!(examined(&place, &["--no-exec"]).first().map(String::as_str), Some("invalid-pyvenv-cfg"));
}

#[test]
fn a_configuration_in_utf_16() {
    let _tried = attempt("Bad input", "a_configuration_in_utf_16");
    let (place, venv, _) = active();
    let config = fs::read_to_string(venv.join("pyvenv.cfg")).unwrap();
    let wide: Vec<u8> =
        [0xfeff].into_iter().chain(config.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    fs::write(venv.join("pyvenv.cfg"), wide).unwrap();
    assert_eq!(first(&place), "invalid-pyvenv-cfg");
}

#[test]
fn a_configuration_without_home() {
    let _tried = attempt("Bad input", "a_configuration_without_home");
    let (place, venv, _) = active();
    fs::write(venv.join("pyvenv.cfg"), "include-system-site-packages = false\n").unwrap();
    assert_eq!(first(&place), "invalid-pyvenv-cfg");
}

#[test]
fn links_that_run_in_circles() {
    let _tried = attempt("Bad input", "links_that_run_in_circles");
    let (mut place, venv, _) = active();
    for name in ["loop-a", "loop-b"] {
        let other = if name == "loop-a" { "loop-b" } else { "loop-a" };
        symlink(other, place.project.join(name)).unwrap();
    }
    let before = examined(&place, &[]);
    let path =
        format!("{}/loop-a:{}/bin:/usr/local/bin:/usr/bin:/bin", place.project.display(), venv.display());
    place.set("PATH", path);
    assert_eq!(examined(&place, &[]), before);
    place.set("VIRTUAL_ENV", place.project.join("loop-a").display().to_string());
    assert!(!examined(&place, &[]).is_empty());
}

#[test]
fn directories_that_may_not_be_read() {
    let _tried = attempt("Bad input", "directories_that_may_not_be_read");
    let (mut place, venv, _) = active();
    let locked = place.root().join("locked");
    fs::create_dir_all(locked.join("bin")).unwrap();
    run(Command::new("chmod").arg("000").arg(&locked));
    place.set("PATH", format!("{}/bin:{}/bin:/usr/bin:/bin", locked.display(), venv.display()));
    examined(&place, &[]);
    examined(&place, &[locked.to_str().unwrap()]);
    run(Command::new("chmod").arg("755").arg(&locked));
}

#[test]
fn search_paths_of_every_kind() {
    let _tried = attempt("Bad input", "search_paths_of_every_kind");
    let (mut place, venv, _) = active();
    let before = examined(&place, &["--no-exec"]);
    let many: Vec<String> = (0..10_000).map(|number| format!("/no/{number}")).collect();
    place.set("PATH", format!("{}/bin:{}:/usr/local/bin:/usr/bin:/bin", venv.display(), many.join(":")));
    let started = Instant::now();
    assert_eq!(examined(&place, &["--no-exec"]), before);
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    place.set("PATH", "");
    examined(&place, &[]);
    place.variables.remove("PATH");
    examined(&place, &[]);
}

#[test]
fn names_that_are_not_utf_8() {
    let _tried = attempt("Bad input", "names_that_are_not_utf_8");
    let python = pythons().pop().unwrap();
    let place = Place::new();
    let odd = place.root().join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir_all(odd.join("bin")).unwrap();
    symlink(&python.path, odd.join("bin/python3")).unwrap();
    fs::write(odd.join(OsStr::from_bytes(b"\xff.py")), "import six\n").unwrap();
    let mut search_path = odd.join("bin").into_os_string();
    search_path.push(":/usr/bin:/bin");
    ran(1);
    let output = Command::new(env!("CARGO_BIN_EXE_venv-doctor"))
        .args(["--format", "json"])
        .current_dir(&odd)
        .env_clear()
        .env("PATH", search_path)
        .env("VIRTUAL_ENV", &odd)
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["situation"]["cwd"].as_str().unwrap().contains("caf\\xe9"), "{report:#}");
}

#[test]
fn a_working_directory_that_was_deleted() {
    let _tried = attempt("Bad input", "a_working_directory_that_was_deleted");
    let place = Place::new();
    let script = format!(
        "mkdir gone && cd gone && rmdir ../gone && '{}' --format json; echo \"status $?\"",
        env!("CARGO_BIN_EXE_venv-doctor")
    );
    let output = place.bash(&script);
    let said = text(&output.stdout);
    assert!(
        said.contains("\"schema_version\": 1") && !said.contains("status 101"),
        "{said}{}",
        text(&output.stderr)
    );
    let output = place.bash(&format!(
        "mkdir gone && cd gone && rmdir ../gone && '{}' some/where; echo \"status $?\"",
        env!("CARGO_BIN_EXE_venv-doctor")
    ));
    assert!(text(&output.stdout).contains("status 2"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("working directory"), "{}", text(&output.stderr));
}

/// An active venv whose `python` is this shell script.
fn with_interpreter(script: &str) -> (Place, PathBuf) {
    let (place, venv, python) = active();
    for name in ["python", "python3", &format!("python{}", python.minor)] {
        let path = venv.join("bin").join(name);
        let _ = fs::remove_file(&path);
        fs::write(&path, script).unwrap();
        executable(&path, true);
    }
    (place, venv)
}

#[test]
fn an_interpreter_that_hangs() {
    let _tried = attempt("Bad input", "an_interpreter_that_hangs");
    let (place, _) = with_interpreter("#!/bin/sh\nsleep 600\n");
    let started = Instant::now();
    let found = examined(&place, &["--timeout", "1"]);
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
    assert_eq!(found, ["interpreter-fails"]);
}

#[test]
fn an_interpreter_that_prints_garbage() {
    let _tried = attempt("Bad input", "an_interpreter_that_prints_garbage");
    let (place, _) = with_interpreter("#!/bin/sh\nhead -c 3000000 /dev/urandom\n");
    assert_eq!(first(&place), "interpreter-fails");
}

#[test]
fn an_interpreter_that_leaves_children_behind() {
    let _tried = attempt("Bad input", "an_interpreter_that_leaves_children_behind");
    let (place, _) = with_interpreter("#!/bin/sh\n(sleep 61 &) \nsleep 61 &\nexit 3\n");
    let started = Instant::now();
    assert_eq!(first(&place), "interpreter-fails");
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}

#[test]
fn an_interpreter_that_dies_by_a_signal() {
    let _tried = attempt("Bad input", "an_interpreter_that_dies_by_a_signal");
    let (place, _) = with_interpreter("#!/bin/sh\nkill -SEGV $$\n");
    assert_eq!(first(&place), "interpreter-fails");
}

#[test]
fn an_interpreter_that_is_a_script_and_works() {
    let _tried = attempt("Bad input", "an_interpreter_that_is_a_script_and_works");
    let python = pythons().pop().unwrap();
    let mut place = Place::new();
    let bin = place.root().join("wrappers");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join("python"), format!("#!/bin/sh\nexec '{}' \"$@\"\n", python.path.display())).unwrap();
    executable(&bin.join("python"), true);
    place.set("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    examined(&place, &[]);
}

#[test]
fn an_interpreter_that_is_no_program() {
    let _tried = attempt("Bad input", "an_interpreter_that_is_no_program");
    for content in ["", "\x7fELF", "MZ", "not a program"] {
        let (place, _) = with_interpreter(content);
        assert!(!examined(&place, &[]).is_empty(), "{content:?}");
    }
}

fn doctor(place: &Place) -> Command {
    ran(1);
    let mut command = Command::new(env!("CARGO_BIN_EXE_venv-doctor"));
    command.current_dir(&place.project).env_clear().envs(&place.variables).stdin(Stdio::null());
    command
}

#[test]
fn a_closed_standard_output() {
    let _tried = attempt("Bad input", "a_closed_standard_output");
    let (place, _, _) = active();
    let output: Output =
        place.bash(&format!("'{}' >&-; echo \"status $?\" >&2", env!("CARGO_BIN_EXE_venv-doctor")));
    assert!(!text(&output.stderr).contains("panicked"), "{}", text(&output.stderr));
    // a reader that has seen enough
    let output = place.bash(&format!(
        "'{}' -v | head -c 10; echo \"${{PIPESTATUS[0]}}\"",
        env!("CARGO_BIN_EXE_venv-doctor")
    ));
    assert!(text(&output.stdout).ends_with("0\n"), "{}", text(&output.stdout));
    let full = doctor(&place)
        .stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    assert_eq!(full.status.code(), Some(2));
    assert!(text(&full.stderr).contains("cannot write the report"), "{}", text(&full.stderr));
}

#[test]
fn usage_errors_say_what_to_do() {
    let _tried = attempt("Bad input", "usage_errors_say_what_to_do");
    let (place, _, _) = active();
    let cases: [(&[&str], &str); 7] = [
        (&["/nowhere"], "cannot examine /nowhere: it does not exist"),
        (&["/etc/passwd"], "not a directory"),
        (&["--python", "nowhere-python"], "no program of that name"),
        (&["--select", "moved-env"], "did you mean \"moved-venv\""),
        (&["explain", "moved"], "venv-doctor checks"),
        (&["--timeout", "soon"], "number of seconds"),
        (&["--format", "xml"], "possible values"),
    ];
    for (arguments, expected) in cases {
        let output = place.doctor(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(expected), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn exit_statuses_are_those_of_the_contract() {
    let _tried = attempt("Bad input", "exit_statuses_are_those_of_the_contract");
    let (mut place, venv, _) = active();
    place.write("requirements.txt", "sample\n");
    assert_eq!(place.doctor(&[]).status.code(), Some(0));
    place.set("PATH", "/usr/bin:/bin");
    assert_eq!(place.doctor(&[]).status.code(), Some(1));
    assert_eq!(place.doctor(&["--fail-on", "never"]).status.code(), Some(0));
    assert_eq!(place.doctor(&["--ignore", "activation"]).status.code(), Some(0));
    assert_eq!(place.doctor(&["--format", "json"]).status.code(), Some(1));
    assert!(venv.exists());
}

#[test]
fn no_exec_starts_nothing() {
    let _tried = attempt("Bad input", "no_exec_starts_nothing");
    let (place, venv) = with_interpreter("#!/bin/sh\ntouch \"$0.was-run\"\n");
    for arguments in [&["--no-exec"][..], &["--no-exec", "-v"], &["checks"], &["explain", "moved-venv"]] {
        place.doctor(arguments);
    }
    let marks: Vec<_> = fs::read_dir(venv.join("bin"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| Path::new(name).extension() == Some(OsStr::new("was-run")))
        .collect();
    assert!(marks.is_empty(), "{marks:?}");
    // and what was not started is said
    assert!(text(&place.doctor(&["--no-exec", "-v"]).stdout).contains("was not started"));
}

#[test]
fn what_is_merely_found_in_a_project_does_not_run() {
    let _tried = attempt("Bad input", "what_is_merely_found_in_a_project_does_not_run");
    let (mut place, venv) = with_interpreter("#!/bin/sh\ntouch \"$0.was-run\"\n");
    place.variables.remove("VIRTUAL_ENV");
    place.set("PATH", ".:/usr/bin:/bin");
    fs::copy(venv.join("bin/python"), place.project.join("python")).unwrap();
    executable(&place.project.join("python"), true);
    examined(&place, &[]);
    assert!(!venv.join("bin/python.was-run").exists() && !place.project.join("python.was-run").exists());
}
