//! Signals: for the interpreter that was started, and for the doctor itself.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::situation::{DOCTOR, Situation, in_order};
use super::support::reliability::ran;
use super::support::{run, text};

pub fn an_interpreter_that_is_killed() {
    for signal in ["KILL", "TERM", "SEGV", "STOP"] {
        let situation = Situation::new();
        situation.interpreter(&format!("#!/bin/sh\nkill -{signal} $$\nsleep 1\n"));
        let started = Instant::now();
        let output = situation.command(&["--timeout", "1"]).output().unwrap();
        in_order(&output);
        assert!(text(&output.stdout).contains("interpreter-fails"), "{signal}: {}", text(&output.stdout));
        assert!(started.elapsed() < Duration::from_secs(10), "{signal}: {:?}", started.elapsed());
        situation.left_nothing();
    }
}

/// Starts the doctor on an interpreter that hangs with a child, and waits until both run.
fn hanging() -> (Situation, Child) {
    let situation = Situation::new();
    let marker = situation.place.root().join("runs");
    situation.interpreter(&format!(
        "#!/bin/sh\ntrap '' INT TERM HUP\nsh -c 'sleep 300; : {0}' &\n: > '{0}'\nsleep 300\n",
        marker.display()
    ));
    let child = situation.command(&["--timeout", "200"]).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !marker.exists() {
        assert!(Instant::now() < deadline, "the interpreter was not started");
        std::thread::sleep(Duration::from_millis(5));
    }
    (situation, child)
}

pub fn ended_by_a_signal() {
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1), ("QUIT", 3)] {
        let (situation, mut child) = hanging();
        run(Command::new("kill").args([format!("-{name}"), child.id().to_string()]));
        let started = Instant::now();
        let status = child.wait().unwrap();
        assert!(started.elapsed() < Duration::from_secs(5), "{name}: {:?}", started.elapsed());
        assert_eq!(status.signal(), Some(number), "{name}: {status:?}");
        situation.left_nothing();
    }
}

pub fn a_terminal_that_is_closed() {
    let situation = Situation::new();
    situation.interpreter("#!/bin/sh\nsleep 300\n");
    let program = "import os, pty, sys, time\n\
        pid, terminal = pty.fork()\n\
        if pid == 0:\n    os.execv(sys.argv[1], sys.argv[1:])\n\
        time.sleep(0.5)\n\
        os.close(terminal)\n\
        print(os.waitpid(pid, 0)[1] & 0x7f)\n";
    ran(1);
    let output = Command::new(&situation.python.path)
        .args(["-c", program, DOCTOR, "--timeout", "200"])
        .current_dir(&situation.place.project)
        .env_clear()
        .envs(&situation.place.variables)
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout).trim(), "1", "ended by SIGHUP: {}", text(&output.stderr));
    situation.left_nothing();
}
