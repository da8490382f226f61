//! Where the doctor has little to stand on: no home, no name, no files but its own, a clock that nobody can trust.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::situation::{DOCTOR, Situation, in_order, preload};
use super::support::reliability::ran;
use super::support::{run, text};

pub fn no_home() {
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

pub fn as_nobody() {
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

pub fn a_container_with_only_the_binary() {
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

pub fn a_read_only_file_system() {
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

pub fn a_clock_that_jumps() {
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
