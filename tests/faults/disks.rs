//! Files that change while they are read, and disks that fail.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use super::situation::{DOCTOR, Situation, in_order, preload};
use super::support::reliability::ran;
use super::support::{entry_script, install, text};

pub fn files_that_come_and_go() {
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

pub fn a_disk_that_fails() {
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

pub fn directories_that_cannot_be_listed() {
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
