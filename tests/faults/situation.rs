//! A healthy environment for something to go wrong in.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::support::reliability::ran;
use super::support::{Place, Python, executable, run, text};

pub const DOCTOR: &str = env!("CARGO_BIN_EXE_venv-doctor");

pub struct Situation {
    pub place: Place,
    pub venv: PathBuf,
    pub python: Python,
}

impl Situation {
    /// A healthy venv, active, and a directory for temporary files of its own.
    pub fn new() -> Situation {
        let (mut place, venv, python) = Place::with_sample();
        let temporary = place.root().join("tmp");
        fs::create_dir(&temporary).unwrap();
        place.set("TMPDIR", temporary.display().to_string());
        Situation { place, venv, python }
    }

    pub fn site_packages(&self) -> PathBuf {
        self.python.site_packages(&self.venv)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
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
    pub fn interpreter(&self, script: &str) {
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
    pub fn left_nothing(&self) {
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
pub fn in_order(output: &Output) {
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(matches!(output.status.code(), Some(0..=2)), "{:?}: {said}", output.status);
    assert!(!said.contains("panicked") && !said.is_empty(), "{said}");
}

/// A library that is loaded before the C library, from this C.
pub fn preload(place: &Place, name: &str, source: &str) -> PathBuf {
    let file = place.root().join(format!("{name}.c"));
    let library = place.root().join(format!("{name}.so"));
    fs::write(&file, source).unwrap();
    run(Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&file).arg("-ldl"));
    library
}
