//! Little room: for the report, for file descriptors, for processes, and among two hundred others.

use std::fs;
use std::io::Read;
use std::process::{Child, Command, Stdio};

use super::situation::{DOCTOR, Situation, in_order};
use super::support::reliability::ran;
use super::support::{run, text};

pub fn no_room_for_the_report() {
    let situation = Situation::new();
    let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    for arguments in [
        &[][..],
        &["--format", "json"],
        &["path"],
        &["why", "sample"],
        &["checks"],
        &["explain", "moved-venv"],
    ] {
        let output = situation.command(arguments).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(
            said.contains("cannot write the report") && !said.contains("panicked"),
            "{arguments:?}: {said}"
        );
        let output = situation.command(arguments).stdout(full()).stderr(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    situation.left_nothing();
}

pub fn hardly_any_file_descriptors() {
    let situation = Situation::new();
    for limit in [4, 5, 6, 8, 12, 20] {
        let output = situation
            .place
            .bash(&format!("ulimit -n {limit}; '{DOCTOR}' --format json; echo \"status $?\" >&2"));
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        let ended = ["status 0", "status 1", "status 2"].iter().any(|status| said.contains(status));
        assert!(ended, "{limit}: {said}");
        assert!(!said.contains("panicked"), "{limit}: {said}");
    }
}

pub fn hardly_any_processes() {
    let situation = Situation::new();
    // a limit of processes counts threads, and does not bind root: all of this user's processes are this one's
    run(Command::new("chmod").args(["-R", "a+rX"]).arg(situation.place.root()));
    let mut refused = 0;
    for limit in [1, 2, 3, 4, 6, 8, 12, 40] {
        for arguments in ["--format json", "-v", "path", "why sample", "hook"] {
            ran(1);
            let output = Command::new("setpriv")
                .args(["--reuid", "4242425", "--regid", "4242425", "--clear-groups", "/bin/bash", "-c"])
                .arg(format!("ulimit -u {limit}; exec '{DOCTOR}' {arguments}"))
                .current_dir(&situation.place.project)
                .env_clear()
                .envs(&situation.place.variables)
                .output()
                .unwrap();
            in_order(&output);
            let said = text(&output.stderr);
            assert!(!said.contains("backtrace") && !said.contains("src/"), "{limit} {arguments}: {said}");
            if said.contains("another thread") {
                refused += 1;
                assert_eq!(output.status.code(), Some(2), "{limit} {arguments}: {said}");
                assert!(
                    said.contains("ulimit -u") && output.stdout.is_empty(),
                    "{limit} {arguments}: {said}"
                );
            }
        }
    }
    assert!(refused > 0, "the limit binds nobody here");
}

pub fn two_hundred_at_once() {
    let situation = Situation::new();
    let arguments = ["--no-exec", "--format", "json", "--select", "interpreter,relocation,activation"];
    let alone = situation.command(&arguments).output().unwrap();
    let mut children: Vec<Child> = (0..200).map(|_| situation.command(&arguments).spawn().unwrap()).collect();
    for child in &mut children {
        let mut report = Vec::new();
        child.stdout.take().unwrap().read_to_end(&mut report).unwrap();
        assert_eq!(text(&report), text(&alone.stdout));
        assert_eq!(child.wait().unwrap().code(), alone.status.code());
    }
    situation.left_nothing();
}
