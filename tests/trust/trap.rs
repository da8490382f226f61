//! A stranger's repository that is full of traps, and every command of the doctor run in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::support::reliability::ran;
use super::support::strace::{self, Call};
use super::support::{Place, Python, executable, pythons, text};

/// Every subcommand and every format: first what looks at the machine, then what only prints. `--from` reads what a
/// stranger may have written, too.
pub const COMMANDS: [&[&str]; 23] = [
    &[],
    &["check", "-v", "--format", "json"],
    &["check", "--deep", "--format", "human"],
    &["check", "--format", "sarif"],
    &["check", "--format", "github"],
    &["check", "--format", "markdown"],
    &["check", "."],
    &["check", "--from", "facts.json"],
    &["check", "--snapshot", SNAPSHOT],
    &["hook"],
    &["hook", "app.py", "pyproject.toml"],
    &["path"],
    &["path", "--format", "json"],
    &["why", "json"],
    &["why", "bait"],
    &["why", "-"],
    &["scan", "."],
    &["scan", "--format", "jsonl"],
    &["explain", "moved-venv"],
    &["checks"],
    &["schema"],
    &["completions", "bash"],
    &["man"],
];
const USAGE_ERROR: &str = "unexpected argument";
/// In place of a new file outside of the situation, the one thing that may be written.
const SNAPSHOT: &str = "SNAPSHOT";
/// Those that look at nothing, and start nothing by themselves.
const ONLY_PRINT: [&str; 5] = ["explain", "checks", "schema", "completions", "man"];
const TRACEBACK: &str = "Traceback (most recent call last):\n  File \"app.py\", line 1, in <module>\n    import bait\nModuleNotFoundError: No module named 'bait'\n";

/// The same with `--no-exec`, where the command takes it. `scan` and `hook` start nothing by themselves.
pub fn without_starting(arguments: &[&'static str]) -> Option<Vec<&'static str>> {
    let takes_none = |first: &&str| ONLY_PRINT.contains(first) || ["hook", "scan"].contains(first);
    let never_starts = arguments.first().is_some_and(takes_none) || arguments.contains(&"--from");
    (!never_starts).then(|| [arguments, &["--no-exec"]].concat())
}

/// A stranger's repository: what is laid out here leaves a mark when it runs.
pub struct Trap {
    pub place: Place,
    pub python: Python,
    elsewhere: tempfile::TempDir,
}

impl Trap {
    pub fn new() -> Trap {
        let python = pythons().into_iter().rfind(|python| python.number() >= (3, 8)).expect("a Python 3");
        let elsewhere = tempfile::Builder::new().prefix("elsewhere").tempdir().unwrap();
        let trap = Trap { place: Place::new(), python, elsewhere };
        fs::create_dir(trap.marks()).unwrap();
        trap.place
            .write("pyproject.toml", "[project]\nname = 'bait'\nversion = '1'\ndependencies = ['six']\n");
        let recorded = Command::new(env!("CARGO_BIN_EXE_venv-doctor"))
            .args(["--no-exec", "--snapshot"])
            .arg(trap.project().join("facts.json"))
            .current_dir(trap.project())
            .env_clear()
            .envs(&trap.place.variables)
            .output();
        assert!(trap.project().join("facts.json").is_file(), "{recorded:?}");
        trap
    }

    /// A python3 on PATH, and a working directory laid out as its standard library and user site.
    pub fn with_library(python: Python) -> Trap {
        let mut trap = Trap { python, ..Trap::new() };
        let library = format!("lib/python{}", trap.python.minor);
        for module in ["encodings/__init__.py", "os.py", "site.py"] {
            trap.module(&format!("{library}/{module}"));
        }
        for directory in ["lib-dynload", "site-packages"] {
            fs::create_dir_all(trap.project().join(&library).join(directory)).unwrap();
        }
        let hook = format!("import os; {}", trap.code("user.pth"));
        trap.place.write(&format!("{library}/site-packages/user.pth"), &hook);
        let bin = trap.place.root().join("bin");
        fs::create_dir(&bin).unwrap();
        symlink(&trap.python.path, bin.join("python3")).unwrap();
        trap.place.set("PATH", format!("{}:/usr/bin:/bin", bin.display()));
        trap
    }

    pub fn project(&self) -> &Path {
        &self.place.project
    }

    pub fn venv(&self) -> PathBuf {
        self.project().join(".venv")
    }

    fn marks(&self) -> PathBuf {
        self.place.root().join("marks")
    }

    /// Python that leaves a mark, also where `open` is not there yet: while the interpreter starts.
    pub fn code(&self, name: &str) -> String {
        format!(
            "import posix; posix.close(posix.open({:?}, posix.O_CREAT | posix.O_WRONLY))\n",
            self.marks().join(name)
        )
    }

    /// A shell script that leaves a mark.
    pub fn script(&self, at: impl AsRef<Path>) {
        let path = self.project().join(at);
        let name = path.strip_prefix(self.project()).unwrap().display().to_string().replace('/', "-");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        fs::write(&path, format!("#!/bin/sh\n: > '{}'\n", self.marks().join(name).display())).unwrap();
        executable(&path, true);
    }

    pub fn module(&self, at: &str) {
        self.place.write(at, &self.code(&at.replace('/', "-")));
    }

    /// A committed environment whose links lead to a real interpreter.
    pub fn environment(&self, home: &Path) {
        let bin = self.venv().join("bin");
        fs::create_dir_all(&bin).unwrap();
        for name in ["python", "python3"] {
            symlink(&self.python.path, bin.join(name)).unwrap();
        }
        fs::write(
            self.venv().join("pyvenv.cfg"),
            format!(
                "home = {}\ninclude-system-site-packages = false\nversion = {}.0\n",
                home.display(),
                self.python.minor
            ),
        )
        .unwrap();
        fs::create_dir_all(self.site_packages()).unwrap();
    }

    pub fn site_packages(&self) -> PathBuf {
        self.python.site_packages(&self.venv())
    }

    pub fn home(&self) -> PathBuf {
        self.python.path.canonicalize().unwrap().parent().unwrap().to_owned()
    }

    /// What has run since the last call.
    pub fn sprung(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.marks())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        for name in &names {
            fs::remove_file(self.marks().join(name)).unwrap();
        }
        names
    }

    /// Where a snapshot may be written, empty.
    fn snapshot(&self) -> PathBuf {
        let file = self.elsewhere.path().join("facts.json");
        let _ = fs::remove_file(&file);
        file
    }

    fn filled(&self, arguments: &[&str]) -> Vec<PathBuf> {
        let fill = |argument: &&str| if *argument == SNAPSHOT { self.snapshot() } else { argument.into() };
        arguments.iter().map(fill).collect()
    }

    pub fn doctor(&self, arguments: &[&str]) -> Output {
        ran(1);
        let mut child = Command::new("/bin/bash")
            .args(["-c", "\"$0\" \"$@\"; exit $?", env!("CARGO_BIN_EXE_venv-doctor")])
            .args(self.filled(arguments))
            .current_dir(self.project())
            .env_clear()
            .envs(&self.place.variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // a command that reads nothing may be gone already
        let _ = child.stdin.take().unwrap().write_all(TRACEBACK.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// What one run asks of the system, but for what it does with the snapshot that it may write.
    pub fn calls(&self, arguments: &[&str]) -> Vec<Call> {
        let log = self.place.root().join("calls");
        ran(1);
        let traced = strace::command(&log)
            .arg(env!("CARGO_BIN_EXE_venv-doctor"))
            .args(self.filled(arguments))
            .current_dir(self.project())
            .env_clear()
            .envs(&self.place.variables)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(traced.status.code().is_some(), "{traced:?}");
        assert!(!text(&traced.stderr).contains(USAGE_ERROR), "{traced:?}");
        let log_text = fs::read_to_string(&log).unwrap();
        fs::remove_file(log).unwrap();
        let snapshot = self.elsewhere.path().display().to_string();
        strace::calls(log_text.lines().filter(|line| !line.contains(&snapshot) || line.contains("exec")))
    }

    /// Every subcommand, with and without leave to start interpreters: no mark, no change in the repository or
    /// the home directory, no crash.
    pub fn holds(&self) {
        self.holds_for(|_| true);
    }

    /// The same for every subcommand that looks at the machine, in its usual format: for variations of a situation.
    pub fn holds_again(&self) {
        let only_prints = |first: &&str| ONLY_PRINT.contains(first);
        self.holds_for(|arguments| {
            !arguments.contains(&"--format") && !arguments.first().is_some_and(only_prints)
        });
    }

    fn holds_for(&self, chosen: impl Fn(&[&'static str]) -> bool) {
        let before = self.state();
        for arguments in COMMANDS.into_iter().filter(|arguments| chosen(arguments)) {
            for no_exec in [false, true] {
                let mut all = arguments.to_vec();
                if no_exec {
                    let Some(quiet) = without_starting(arguments) else { continue };
                    all = quiet;
                }
                let output = self.doctor(&all);
                let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
                assert_eq!(self.sprung(), [""; 0], "{all:?} ran what is not the shell's: {said}");
                assert!(matches!(output.status.code(), Some(0..=2)), "{all:?}: {:?} {said}", output.status);
                for sign in ["panicked", USAGE_ERROR] {
                    assert!(!said.contains(sign), "{all:?}: {said}");
                }
            }
        }
        assert_eq!(self.state(), before, "something was written");
    }

    /// Every file below the situation with its size and time.
    fn state(&self) -> BTreeMap<PathBuf, (u64, i64, i64)> {
        let mut found = BTreeMap::new();
        let mut open = vec![self.place.root()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let metadata = path.symlink_metadata().unwrap();
                if metadata.is_dir() {
                    open.push(path.clone());
                }
                let size = if metadata.is_dir() { 0 } else { metadata.size() };
                if path != self.marks() {
                    found.insert(path, (size, metadata.mtime(), metadata.mtime_nsec()));
                }
            }
        }
        found
    }

    /// What the stranger hoped for.
    pub fn spring(&self, program: &Path, arguments: &[&str]) -> Vec<String> {
        let _ = Command::new(program)
            .args(arguments)
            .current_dir(self.project())
            .env_clear()
            .envs(&self.place.variables)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output();
        self.sprung()
    }
}
