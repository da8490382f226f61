//! Files that change while they are read, and disks that fail.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use super::situation::{DOCTOR, Situation, in_order};
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

/// What is said where these calls fail on these places as on a failing disk, and whether any was tried. The calls are
/// traced and not replaced in the C library, which not all of them go through.
fn failing(situation: &Situation, calls: &str, places: &[PathBuf]) -> (String, bool) {
    let trace = situation.place.root().join("trace");
    ran(1);
    let output = Command::new("strace")
        .args(["-f", "-qq", "-e", "signal=none", "-o"])
        .arg(&trace)
        .args(["-e", &format!("trace={calls}"), "-e", &format!("inject={calls}:error=EIO")])
        .args(places.iter().flat_map(|place| [OsStr::new("-P"), place.as_os_str()]))
        .args([DOCTOR, "--no-exec", "-v"])
        .current_dir(&situation.place.project)
        .env_clear()
        .envs(&situation.place.variables)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    in_order(&output);
    let said = text(&output.stdout);
    // what cannot be read proves nothing
    assert!(!said.contains("error[") && !said.contains("warning["), "{places:?}: {said}");
    (said, fs::read_to_string(&trace).unwrap().contains("(INJECTED)"))
}

fn add_files(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => add_files(&entry.path(), files),
            false => files.push(entry.path()),
        }
    }
}

pub fn a_disk_that_fails() {
    let situation = Situation::new();
    let healthy = situation.command(&["--no-exec", "--format", "json"]).output().unwrap();
    assert_eq!(healthy.status.code(), Some(0), "{}", text(&healthy.stdout));
    let mut files: Vec<PathBuf> =
        ["/etc/os-release", "/etc/passwd", "/etc/environment"].map(PathBuf::from).into();
    let own = Path::new("/proc").join(std::process::id().to_string());
    files.extend(["stat", "cmdline", "environ"].map(|name| own.join(name)));
    add_files(&situation.place.root(), &mut files);
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
        "dist-info",
        "/project",
        "activate",
    ] {
        let holds = |file: &&PathBuf| file.to_str().is_some_and(|file| file.contains(part));
        let places: Vec<PathBuf> = files.iter().filter(holds).cloned().collect();
        let (said, failed) = failing(&situation, "read,pread64", &places);
        assert!(failed, "nothing of {part} was read");
        // what could not be read is said
        if ["pyvenv.cfg", "METADATA", "site-packages", "/.venv/bin"].contains(&part) {
            assert!(said.contains("nput/output error"), "{part}: {said}");
        }
    }
}

pub fn directories_that_cannot_be_listed() {
    let situation = Situation::new();
    let bin = situation.venv.join("bin");
    for directory in [situation.site_packages(), situation.venv.clone(), bin, situation.place.project.clone()]
    {
        let (said, failed) = failing(&situation, "getdents64", std::slice::from_ref(&directory));
        // not every directory is listed at all
        assert_eq!(said.contains("nput/output error"), failed, "{}: {said}", directory.display());
        assert!(failed || directory == situation.venv, "{} was not listed", directory.display());
    }
}
