//! The directory under examination may be a stranger's: nothing in it runs that the shell would not run anyway,
//! and nothing is written. Every trap here is sprung once by what would spring it, so that a test can fail.
//! What is proved by system calls needs `strace`, and is reported as ignored where it is missing.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use libtest_mimic::{Arguments, Trial};
use support::reliability::{attempt, lacks_a_part, ran};
use support::strace::{self, Call, changes, started};
use support::{Place, Python, executable, pythons, run, text};

/// Every subcommand and every format: first what looks at the machine, then what only prints. `--from` reads what a
/// stranger may have written, too.
const COMMANDS: [&[&str]; 23] = [
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
fn without_starting(arguments: &[&'static str]) -> Option<Vec<&'static str>> {
    let takes_none = |first: &&str| ONLY_PRINT.contains(first) || ["hook", "scan"].contains(first);
    let never_starts = arguments.first().is_some_and(takes_none) || arguments.contains(&"--from");
    (!never_starts).then(|| [arguments, &["--no-exec"]].concat())
}

/// A stranger's repository: what is laid out here leaves a mark when it runs.
struct Trap {
    place: Place,
    python: Python,
    elsewhere: tempfile::TempDir,
}

impl Trap {
    fn new() -> Trap {
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

    fn project(&self) -> &Path {
        &self.place.project
    }

    fn venv(&self) -> PathBuf {
        self.project().join(".venv")
    }

    fn marks(&self) -> PathBuf {
        self.place.root().join("marks")
    }

    /// Python that leaves a mark, also where `open` is not there yet: while the interpreter starts.
    fn code(&self, name: &str) -> String {
        format!(
            "import posix; posix.close(posix.open({:?}, posix.O_CREAT | posix.O_WRONLY))\n",
            self.marks().join(name)
        )
    }

    /// A shell script that leaves a mark.
    fn script(&self, at: impl AsRef<Path>) {
        let path = self.project().join(at);
        let name = path.strip_prefix(self.project()).unwrap().display().to_string().replace('/', "-");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        fs::write(&path, format!("#!/bin/sh\n: > '{}'\n", self.marks().join(name).display())).unwrap();
        executable(&path, true);
    }

    fn module(&self, at: &str) {
        self.place.write(at, &self.code(&at.replace('/', "-")));
    }

    /// A committed environment whose links lead to a real interpreter.
    fn environment(&self, home: &Path) {
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

    fn site_packages(&self) -> PathBuf {
        self.python.site_packages(&self.venv())
    }

    fn home(&self) -> PathBuf {
        self.python.path.canonicalize().unwrap().parent().unwrap().to_owned()
    }

    /// What has run since the last call.
    fn sprung(&self) -> Vec<String> {
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

    fn doctor(&self, arguments: &[&str]) -> Output {
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

    /// Every subcommand, with and without leave to start interpreters: no mark, no change in the repository or
    /// the home directory, no crash.
    fn holds(&self) {
        self.holds_for(|_| true);
    }

    /// The same for every subcommand that looks at the machine, in its usual format: for variations of a situation.
    fn holds_again(&self) {
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
    fn spring(&self, program: &Path, arguments: &[&str]) -> Vec<String> {
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

fn a_python_that_is_a_script() {
    let trap = Trap::new();
    trap.environment(&trap.home());
    for name in ["python", "python3", "pip", "activate"] {
        trap.script(Path::new(".venv/bin").join(name));
    }
    assert_eq!(trap.spring(&trap.venv().join("bin/python"), &[]), [".venv-bin-python"]);
    trap.holds();
    let said = text(&trap.doctor(&["-v"]).stdout);
    assert!(said.contains("was not started"), "{said}");
}

fn hooks_in_the_environments_packages() {
    let trap = Trap::new();
    trap.environment(&trap.home());
    fs::write(trap.site_packages().join("sitecustomize.py"), trap.code("sitecustomize.py")).unwrap();
    fs::write(trap.site_packages().join("bait.pth"), format!("import os; {}", trap.code("bait.pth")))
        .unwrap();
    assert_eq!(
        trap.spring(&trap.venv().join("bin/python"), &["-c", "pass"]),
        ["bait.pth", "sitecustomize.py"]
    );
    trap.holds();
}

fn a_home_inside_the_repository() {
    let trap = Trap::new();
    let base = trap.project().join("base");
    trap.environment(&base.join("bin"));
    let library = format!("base/lib/python{}", trap.python.minor);
    fs::create_dir_all(base.join("bin")).unwrap();
    symlink(&trap.python.path, base.join("bin").join(format!("python{}", trap.python.minor))).unwrap();
    symlink(&trap.python.path, base.join("bin/python3")).unwrap();
    for module in ["os.py", "site.py", "encodings/__init__.py", "encodings/utf_8.py", "codecs.py"] {
        trap.module(&format!("{library}/{module}"));
    }
    fs::create_dir_all(trap.project().join(&library).join("lib-dynload")).unwrap();
    let sprung = trap.spring(&trap.venv().join("bin/python"), &["-I", "-S", "-c", "pass"]);
    assert!(!sprung.is_empty(), "the base of pyvenv.cfg brings the standard library");
    trap.holds();
}

fn a_home_of_somebody_else() {
    let trap = Trap::new();
    // outside the repository, yet not where the interpreter's file lies
    let base = trap.place.root().join("elsewhere");
    trap.environment(&base.join("bin"));
    fs::create_dir_all(base.join("bin")).unwrap();
    let library = base.join("lib").join(format!("python{}", trap.python.minor));
    fs::create_dir_all(library.join("encodings")).unwrap();
    fs::create_dir_all(library.join("lib-dynload")).unwrap();
    fs::write(library.join("os.py"), "").unwrap();
    fs::write(library.join("encodings/__init__.py"), trap.code("encodings")).unwrap();
    let sprung = trap.spring(&trap.venv().join("bin/python"), &["-I", "-S", "-c", "pass"]);
    assert_eq!(sprung, ["encodings"]);
    trap.holds();
}

fn modules_beside_the_project() {
    let mut trap = Trap::new();
    trap.environment(&trap.home());
    for module in [
        "sitecustomize.py",
        "usercustomize.py",
        "json.py",
        "site.py",
        "sys.py",
        "os.py",
        "bait.py",
        "encodings/__init__.py",
        "_sysconfigdata__linux_x86_64-linux-gnu.py",
        "conftest.py",
        "setup.py",
        "noxfile.py",
    ] {
        trap.module(module);
    }
    assert_eq!(trap.spring(&trap.python.path, &["-c", "import json"]), ["json.py"]);
    for value in [None, Some("."), Some(""), Some(":"), Some("src:.:"), Some("./")] {
        match value {
            Some(value) => trap.place.set("PYTHONPATH", value),
            None => {
                trap.place.variables.remove("PYTHONPATH");
            }
        }
        trap.holds_again();
    }
}

/// A python3 on PATH, and a working directory laid out as its standard library and user site.
fn with_library(python: Python) -> Trap {
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

fn a_relative_user_base() {
    let mut trap = with_library(Trap::new().python);
    trap.place.set("PYTHONUSERBASE", ".");
    assert_eq!(trap.spring(&trap.place.root().join("bin/python3"), &["-c", "pass"]), ["user.pth"]);
    trap.holds();
}

fn a_relative_home() {
    // 3.13 no longer imports from there
    let old = pythons().into_iter().rfind(|python| python.number() >= (3, 8) && python.number() < (3, 13));
    if old.is_none() {
        lacks_a_part();
    }
    for python in old.into_iter().chain([Trap::new().python]) {
        let sprung = python.number() < (3, 13);
        let mut trap = with_library(python);
        for value in ["./", ".", "./:./"] {
            trap.place.set("PYTHONHOME", value);
            if sprung && value == "./" {
                let marks = trap.spring(&trap.place.root().join("bin/python3"), &["-c", "pass"]);
                assert!(!marks.is_empty(), "PYTHONHOME={value}");
            }
            trap.holds_again();
        }
    }
}

fn programs_of_the_working_directory() {
    let mut trap = Trap::new();
    for name in [
        "python",
        "python3",
        "pip",
        "git",
        "uv",
        "poetry",
        "which",
        "sh",
        "ldconfig",
        "conda",
        "direnv",
        "env",
        "bin/python",
        "bin/python3",
    ] {
        trap.script(name);
    }
    for path in
        [".", "", ":", ".:/usr/bin:/bin", ":/usr/bin:/bin", "/usr/bin:/bin:", "bin:/usr/bin:/bin", "./bin"]
    {
        trap.place.set("PATH", path);
        trap.holds_again();
    }
    let found = Command::new("/bin/bash")
        .args(["-c", "python3"])
        .current_dir(trap.project())
        .env("PATH", ".:/usr/bin:/bin")
        .output()
        .unwrap();
    assert!(found.status.success());
    assert_eq!(trap.sprung(), ["python3"]);
}

fn settings_that_name_programs() {
    let trap = Trap::new();
    trap.environment(&trap.home());
    for name in
        ["evil/bin/python", "evil/monitor", "hooks/pre-commit", "hooks/post-index-change", ".venv/bin/pytest"]
    {
        trap.script(name);
    }
    let evil = trap.project().join("evil/bin/python").display().to_string();
    run(Command::new("git").args(["init", "-q"]).current_dir(trap.project()));
    for (key, value) in [
        ("core.fsmonitor", trap.project().join("evil/monitor").display().to_string()),
        ("core.hooksPath", "hooks".to_owned()),
        ("core.sshCommand", evil.clone()),
        ("filter.evil.clean", evil.clone()),
        ("filter.evil.process", evil.clone()),
    ] {
        run(Command::new("git").args(["config", key, &value]).current_dir(trap.project()));
    }
    trap.place.write(".gitattributes", "* filter=evil\n");
    trap.place.write(".vscode/settings.json", &format!("{{\"python.defaultInterpreterPath\": {evil:?}}}\n"));
    trap.place.write(".idea/misc.xml", &format!("<project><component jdk=\"{evil}\"/></project>\n"));
    trap.place.write(".python-version", "../../evil\n");
    trap.place.write(".tool-versions", "python path:./evil\n");
    trap.place.write(".envrc", &format!("{evil}\n"));
    trap.place.write(".pdm-python", &evil);
    trap.place.write("environment.yml", "name: ../../evil\n");
    trap.place.write(
        "share/jupyter/kernels/evil/kernel.json",
        &format!("{{\"argv\": [{evil:?}, \"-m\", \"ipykernel_launcher\"], \"language\": \"python\"}}\n"),
    );
    fs::create_dir_all(trap.place.root().join("home/.local/share/jupyter/kernels/evil")).unwrap();
    fs::copy(
        trap.project().join("share/jupyter/kernels/evil/kernel.json"),
        trap.place.root().join("home/.local/share/jupyter/kernels/evil/kernel.json"),
    )
    .unwrap();
    let _ = Command::new("git").args(["status"]).current_dir(trap.project()).output();
    assert!(!trap.sprung().is_empty(), "git runs the monitor");
    trap.holds();
}

fn an_active_environment_writes_nothing() {
    let mut trap = Trap::new();
    trap.environment(&trap.home());
    let venv = trap.venv();
    trap.place.activate(&venv);
    // what the shell would run is asked; compiled files, coverage data and maps for perf are not its due
    fs::write(trap.site_packages().join("hook.py"), "import atexit, os\ndef start():\n    if os.environ.get('COVERAGE_PROCESS_START'):\n        open('.coverage', 'w').close()\n").unwrap();
    fs::write(trap.site_packages().join("hook.pth"), "import hook; hook.start()\n").unwrap();
    trap.place.set("COVERAGE_PROCESS_START", "coveragerc");
    trap.place.set("PYTHONPERFSUPPORT", "1");
    trap.place.set("PYTHONPYCACHEPREFIX", "cache");
    trap.holds();
}

/// What one run asks of the system, but for what it does with the snapshot that it may write.
fn calls(trap: &Trap, arguments: &[&str]) -> Vec<Call> {
    let log = trap.place.root().join("calls");
    ran(1);
    let traced = strace::command(&log)
        .arg(env!("CARGO_BIN_EXE_venv-doctor"))
        .args(trap.filled(arguments))
        .current_dir(trap.project())
        .env_clear()
        .envs(&trap.place.variables)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(traced.status.code().is_some(), "{traced:?}");
    assert!(!text(&traced.stderr).contains(USAGE_ERROR), "{traced:?}");
    let log_text = fs::read_to_string(&log).unwrap();
    fs::remove_file(log).unwrap();
    let snapshot = trap.elsewhere.path().display().to_string();
    strace::calls(log_text.lines().filter(|line| !line.contains(&snapshot) || line.contains("exec")))
}

fn active_and_found() -> [Trap; 2] {
    let mut active = Trap::new();
    active.environment(&active.home());
    let venv = active.venv();
    active.place.activate(&venv);
    let found = Trap::new();
    found.environment(&found.home());
    [active, found]
}

fn no_exec_starts_and_changes_nothing() {
    for trap in active_and_found() {
        for arguments in COMMANDS {
            let all = without_starting(arguments).unwrap_or_else(|| arguments.to_vec());
            let calls = calls(&trap, &all);
            assert_eq!(started(&calls), [env!("CARGO_BIN_EXE_venv-doctor")], "{all:?}");
            assert_eq!(changes(&calls), [""; 0], "{all:?}");
        }
    }
}

fn one_interpreter_is_started_and_nothing_changed() {
    for trap in active_and_found() {
        for arguments in COMMANDS {
            let calls = calls(&trap, arguments);
            let programs = started(&calls);
            let (own, others) = programs.split_first().unwrap();
            assert_eq!(*own, env!("CARGO_BIN_EXE_venv-doctor"));
            assert!(others.len() <= 1, "{arguments:?} started {others:?}");
            assert!(others.iter().all(|other| other.contains("/bin/python")), "{arguments:?}: {others:?}");
            assert_eq!(changes(&calls), [""; 0], "{arguments:?}");
        }
        assert_eq!(started(&calls(&trap, &[])).len(), 2, "the trace sees an interpreter that is started");
    }
}

fn main() {
    let arguments = Arguments::from_args();
    let traps: [(&str, fn()); 10] = [
        ("a_python_that_is_a_script", a_python_that_is_a_script),
        ("hooks_in_the_environments_packages", hooks_in_the_environments_packages),
        ("a_home_inside_the_repository", a_home_inside_the_repository),
        ("a_home_of_somebody_else", a_home_of_somebody_else),
        ("modules_beside_the_project", modules_beside_the_project),
        ("a_relative_user_base", a_relative_user_base),
        ("a_relative_home", a_relative_home),
        ("programs_of_the_working_directory", programs_of_the_working_directory),
        ("settings_that_name_programs", settings_that_name_programs),
        ("an_active_environment_writes_nothing", an_active_environment_writes_nothing),
    ];
    let traced: [(&str, fn()); 2] = [
        ("no_exec_starts_and_changes_nothing", no_exec_starts_and_changes_nothing),
        ("one_interpreter_is_started_and_nothing_changed", one_interpreter_is_started_and_nothing_changed),
    ];
    let tracer = Command::new("strace").arg("-V").output().is_ok();
    let trial = |(name, body): (&'static str, fn())| {
        Trial::test(name, move || {
            let _tried = attempt("Attacks", name);
            body();
            Ok(())
        })
    };
    let mut trials: Vec<Trial> = traps.into_iter().map(trial).collect();
    trials.extend(traced.into_iter().map(|test| trial(test).with_ignored_flag(!tracer)));
    libtest_mimic::run(&arguments, trials).exit();
}
