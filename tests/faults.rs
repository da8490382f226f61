//! What goes wrong while the doctor is at work: nothing hangs, nothing is lost, nothing is left behind.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code
)]

mod support;

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use support::reliability::{attempt, ran};
use support::{Place, Python, entry_script, executable, install, pythons, run, text};

const DOCTOR: &str = env!("CARGO_BIN_EXE_venv-doctor");

struct Situation {
    place: Place,
    venv: PathBuf,
    python: Python,
}

impl Situation {
    /// A healthy venv, active, and a directory for temporary files of its own.
    fn new() -> Situation {
        let python = pythons().into_iter().rfind(|python| python.number() >= (3, 8)).expect("a Python 3");
        let mut place = Place::new();
        let venv = place.project.join(".venv");
        run(Command::new(&python.path).args(["-m", "venv", "--without-pip"]).arg(&venv));
        install(&venv, &python, "sample");
        entry_script(&venv, "sample", "sample");
        place.activate(&venv);
        place.write("requirements.txt", "sample\n");
        let temporary = place.root().join("tmp");
        fs::create_dir(&temporary).unwrap();
        place.set("TMPDIR", temporary.display().to_string());
        Situation { place, venv, python }
    }

    fn site_packages(&self) -> PathBuf {
        self.python.site_packages(&self.venv)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        ran(1);
        let mut command = Command::new(DOCTOR);
        command
            .args(arguments)
            .current_dir(&self.place.project)
            .env_clear()
            .envs(&self.place.variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// The environment's interpreters become this shell script.
    fn interpreter(&self, script: &str) {
        for entry in fs::read_dir(self.venv.join("bin")).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_string_lossy().starts_with("python") {
                fs::remove_file(&path).unwrap();
                fs::write(&path, script).unwrap();
                executable(&path, true);
            }
        }
    }

    /// No temporary file, and no process that this situation's directory is part of.
    fn left_nothing(&self) {
        assert_eq!(fs::read_dir(self.place.root().join("tmp")).unwrap().count(), 0, "a temporary file");
        let own = self.place.root().display().to_string();
        let deadline = Instant::now() + Duration::from_secs(2);
        loop {
            let left: Vec<String> = fs::read_dir("/proc")
                .unwrap()
                .filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok())
                .map(|arguments| text(&arguments).replace('\0', " "))
                .filter(|arguments| arguments.contains(&own))
                .collect();
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "still there: {left:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// It ended by itself, with a report or a message.
fn in_order(output: &Output) {
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(matches!(output.status.code(), Some(0..=2)), "{:?}: {said}", output.status);
    assert!(!said.contains("panicked") && !said.is_empty(), "{said}");
}

/// A library that is loaded before the C library, from this C.
fn preload(place: &Place, name: &str, source: &str) -> PathBuf {
    let file = place.root().join(format!("{name}.c"));
    let library = place.root().join(format!("{name}.so"));
    fs::write(&file, source).unwrap();
    run(Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&file).arg("-ldl"));
    library
}

fn files_that_come_and_go() {
    let situation = Situation::new();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            while !stop.load(Ordering::Relaxed) {
                number += 1;
                let name = format!("come{}", number % 20);
                let metadata = situation.site_packages().join(format!("{name}-1.0.dist-info"));
                install(&situation.venv, &situation.python, &name);
                let script = entry_script(&situation.venv, &name, &name);
                let config = situation.venv.join("pyvenv.cfg");
                let text = fs::read(&config).unwrap();
                fs::write(&config, &text[..text.len() / 2]).unwrap();
                fs::write(&config, text).unwrap();
                fs::set_permissions(&metadata, fs::Permissions::from_mode(0o000)).unwrap();
                fs::set_permissions(&metadata, fs::Permissions::from_mode(0o755)).unwrap();
                fs::remove_dir_all(metadata).unwrap();
                fs::remove_file(script).unwrap();
            }
        });
        for round in 0..40 {
            let arguments = if round % 2 == 0 { &["--format", "json"][..] } else { &["--no-exec", "-v"] };
            let output = situation.command(arguments).output().unwrap();
            in_order(&output);
        }
        stop.store(true, Ordering::Relaxed);
    });
    situation.left_nothing();
}

/// Files of which reading fails as a failing disk does.
const EIO: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <unistd.h>
static int bad(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    const char *part = getenv("BAD_PART");
    return part && strstr(path, part) != 0;
}
ssize_t read(int fd, void *to, size_t n) {
    if (bad(fd)) { errno = EIO; return -1; }
    return ((ssize_t (*)(int, void *, size_t))dlsym(RTLD_NEXT, "read"))(fd, to, n);
}
ssize_t pread64(int fd, void *to, size_t n, off64_t at) {
    if (bad(fd)) { errno = EIO; return -1; }
    return ((ssize_t (*)(int, void *, size_t, off64_t))dlsym(RTLD_NEXT, "pread64"))(fd, to, n, at);
}
"#;

fn a_disk_that_fails() {
    let situation = Situation::new();
    let library = preload(&situation.place, "eio", EIO);
    let healthy = situation.command(&["--no-exec", "--format", "json"]).output().unwrap();
    assert_eq!(healthy.status.code(), Some(0), "{}", text(&healthy.stdout));
    for part in [
        "pyvenv.cfg",
        "METADATA",
        "RECORD",
        "requirements.txt",
        "site-packages",
        "/bin/sample",
        "/.venv/bin",
        "/etc",
        "/proc",
        "/home",
        "/project",
        "activate",
    ] {
        let output = situation
            .command(&["--no-exec", "-v"])
            .env("LD_PRELOAD", &library)
            .env("BAD_PART", part)
            .output()
            .unwrap();
        in_order(&output);
        // what cannot be read proves nothing; what could not be read is said
        let said = text(&output.stdout);
        assert!(!said.contains("error[") && !said.contains("warning["), "{part}: {said}");
        if ["pyvenv.cfg", "METADATA", "site-packages", "/.venv/bin"].contains(&part) {
            assert!(said.contains("nput/output error"), "{part}: {said}");
        }
    }
}

fn directories_that_cannot_be_listed() {
    let situation = Situation::new();
    let bin = situation.venv.join("bin");
    let trace = situation.place.root().join("trace");
    for directory in [situation.site_packages(), situation.venv.clone(), bin, situation.place.project.clone()]
    {
        ran(1);
        let output = Command::new("strace")
            .args(["-f", "-qq", "-e", "signal=none", "-o"])
            .arg(&trace)
            .args(["-e", "trace=getdents64", "-e", "inject=getdents64:error=EIO", "-P"])
            .arg(&directory)
            .args([DOCTOR, "--no-exec", "-v"])
            .current_dir(&situation.place.project)
            .env_clear()
            .envs(&situation.place.variables)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        in_order(&output);
        let said = text(&output.stdout);
        assert!(!said.contains("error[") && !said.contains("warning["), "{}: {said}", directory.display());
        // not every directory is listed at all
        let failed = fs::read_to_string(&trace).unwrap().contains("(INJECTED)");
        assert_eq!(said.contains("nput/output error"), failed, "{}: {said}", directory.display());
        assert!(failed || directory == situation.venv, "{} was not listed", directory.display());
    }
}

fn a_clock_that_jumps() {
    let situation = Situation::new();
    let library = preload(
        &situation.place,
        "clock",
        "#include <time.h>\n#include <stdlib.h>\nstatic long calls;\nint clock_gettime(clockid_t c, struct timespec *t) {\n\
         long at = atol(getenv(\"CLOCK\")); t->tv_nsec = 0;\n\
         if (c == CLOCK_REALTIME) t->tv_sec = at + (calls++ % 2) * 4000000000L; else t->tv_sec = 1000 + calls++ / 1000;\n\
         return 0; }\n",
    );
    for time in ["0", "-99999999999", "1", "4102444800", "253402300800", "9223372036854775"] {
        let output = situation
            .command(&["--format", "json"])
            .env("LD_PRELOAD", &library)
            .env("CLOCK", time)
            .output()
            .unwrap();
        in_order(&output);
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(said.contains("\"schema_version\": 1"), "{time}: {said}");
    }
}

fn no_room_for_the_report() {
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

fn hardly_any_file_descriptors() {
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

fn hardly_any_processes() {
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

fn an_interpreter_that_is_killed() {
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

fn ended_by_a_signal() {
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

fn a_terminal_that_is_closed() {
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

fn two_hundred_at_once() {
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

// where the doctor has little to stand on

fn no_home() {
    let mut situation = Situation::new();
    for home in [None, Some(""), Some("relative"), Some("/nowhere"), Some("/dev/null")] {
        match home {
            Some(home) => situation.place.set("HOME", home),
            None => {
                situation.place.variables.remove("HOME");
            }
        }
        for arguments in [&[][..], &["path"], &["why", "sample"]] {
            in_order(&situation.command(arguments).output().unwrap());
        }
    }
    ran(1);
    let bare = Command::new(DOCTOR).env_clear().current_dir("/").output().unwrap();
    in_order(&bare);
}

fn as_nobody() {
    let situation = Situation::new();
    run(Command::new("chmod").args(["-R", "a+rX"]).arg(situation.place.root()));
    for user in ["65534", "4242424"] {
        ran(1);
        let output = Command::new("setpriv")
            .args([
                "--reuid",
                user,
                "--regid",
                user,
                "--clear-groups",
                DOCTOR,
                "--no-exec",
                "--format",
                "json",
            ])
            .current_dir(&situation.place.project)
            .env_clear()
            .envs(&situation.place.variables)
            .output()
            .unwrap();
        in_order(&output);
    }
}

/// A root directory with the doctor, its libraries and nothing else: no /proc, no /etc, no home.
fn in_a_bare_root(arguments: &[&str]) -> Output {
    let root = tempfile::Builder::new().prefix("bare").tempdir().unwrap();
    // by another process: a file that this one has open for writing when another thread forks cannot be started
    let copy = |from: &Path, to: &Path| {
        let to = root.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        assert!(Command::new("cp").args([from, &to]).status().unwrap().success());
    };
    let libraries = Command::new("ldd").arg(DOCTOR).output().unwrap();
    for word in text(&libraries.stdout).split_whitespace().filter(|word| word.starts_with('/')) {
        copy(Path::new(word), Path::new(&word[1..]));
    }
    copy(Path::new(DOCTOR), Path::new("venv-doctor"));
    ran(1);
    Command::new("/usr/sbin/chroot")
        .arg(root.path())
        .arg("/venv-doctor")
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap()
}

fn a_container_with_only_the_binary() {
    for arguments in [&[][..], &["--format", "json"], &["--no-exec", "-v"]] {
        let output = in_a_bare_root(arguments);
        in_order(&output);
        assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    }
    for arguments in [&["path"][..], &["why", "json"]] {
        let output = in_a_bare_root(arguments);
        assert_ne!(output.status.code(), Some(0));
        in_order(&output);
    }
}

fn a_read_only_file_system() {
    let situation = Situation::new();
    let script = format!(
        "mount --bind '{0}' '{0}' && mount -o remount,ro,bind '{0}' && cd '{1}' && ! touch x 2>/dev/null && '{DOCTOR}' --format json",
        situation.place.root().display(),
        situation.place.project.display()
    );
    ran(1);
    let output = Command::new("unshare")
        .args(["--mount", "/bin/bash", "-c", &script])
        .env_clear()
        .envs(&situation.place.variables)
        .output()
        .unwrap();
    in_order(&output);
    assert!(text(&output.stdout).contains("\"schema_version\": 1"), "{}", text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
}

fn answers(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|output| output.status.success())
}

fn main() {
    let arguments = Arguments::from_args();
    let tests: [(&str, fn()); 10] = [
        ("files_that_come_and_go", files_that_come_and_go),
        ("a_disk_that_fails", a_disk_that_fails),
        ("a_clock_that_jumps", a_clock_that_jumps),
        ("no_room_for_the_report", no_room_for_the_report),
        ("hardly_any_file_descriptors", hardly_any_file_descriptors),
        ("an_interpreter_that_is_killed", an_interpreter_that_is_killed),
        ("ended_by_a_signal", ended_by_a_signal),
        ("a_terminal_that_is_closed", a_terminal_that_is_closed),
        ("two_hundred_at_once", two_hundred_at_once),
        ("no_home", no_home),
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
    let other_users = answers("setpriv", &["--reuid", "65534", "--clear-groups", "true"]);
    let mounts = answers("unshare", &["--mount", "true"]);
    let tracer = answers("strace", &["-qq", "-o", "/dev/null", "true"]);
    trials.push(trial("directories_that_cannot_be_listed", directories_that_cannot_be_listed, tracer));
    trials.push(trial("as_nobody", as_nobody, other_users));
    trials.push(trial("hardly_any_processes", hardly_any_processes, other_users));
    trials.push(trial("a_container_with_only_the_binary", a_container_with_only_the_binary, mounts));
    trials.push(trial("a_read_only_file_system", a_read_only_file_system, mounts));
    libtest_mimic::run(&arguments, trials).exit();
}
