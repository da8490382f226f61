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

#[path = "../support/mod.rs"]
mod support;
mod trap;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use libtest_mimic::{Arguments, Trial};
use support::reliability::{attempt, lacks_a_part};
use support::strace::{changes, started};
use support::{pythons, run, text};
use trap::{COMMANDS, Trap, without_starting};

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

fn a_relative_user_base() {
    let mut trap = Trap::with_library(Trap::new().python);
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
        let mut trap = Trap::with_library(python);
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
            let calls = trap.calls(&all);
            assert_eq!(started(&calls), [env!("CARGO_BIN_EXE_venv-doctor")], "{all:?}");
            assert_eq!(changes(&calls), [""; 0], "{all:?}");
        }
    }
}

fn one_interpreter_is_started_and_nothing_changed() {
    for trap in active_and_found() {
        for arguments in COMMANDS {
            let calls = trap.calls(arguments);
            let programs = started(&calls);
            let (own, others) = programs.split_first().unwrap();
            assert_eq!(*own, env!("CARGO_BIN_EXE_venv-doctor"));
            assert!(others.len() <= 1, "{arguments:?} started {others:?}");
            assert!(others.iter().all(|other| other.contains("/bin/python")), "{arguments:?}: {others:?}");
            assert_eq!(changes(&calls), [""; 0], "{arguments:?}");
        }
        assert_eq!(started(&trap.calls(&[])).len(), 2, "the trace sees an interpreter that is started");
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
