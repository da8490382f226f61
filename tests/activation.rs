//! Activation in the real shells: what each exports is silent when it is right, and named when it is not; the commands
//! that a remedy prints work in the shell that they are printed for. A shell that is not here is reported as ignored.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use support::{Creator, Place, entry_script, findings, install, loud, pythons, text};

struct Shell {
    name: &'static str,
    /// Sources the environment's own activate script.
    activate: &'static str,
    /// What makes it skip the user's start-up files.
    options: &'static [&'static str],
}

const SHELLS: [Shell; 5] = [
    Shell { name: "bash", activate: "source .venv/bin/activate", options: &["--norc", "--noprofile"] },
    Shell { name: "zsh", activate: "source .venv/bin/activate", options: &["-f"] },
    Shell { name: "fish", activate: "source .venv/bin/activate.fish", options: &["--no-config"] },
    Shell { name: "tcsh", activate: "source .venv/bin/activate.csh", options: &["-f"] },
    Shell { name: "dash", activate: ". .venv/bin/activate", options: &[] },
];

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file())
}

struct Situation {
    place: Place,
    shell: PathBuf,
}

impl Situation {
    fn new(shell: &Path) -> Situation {
        let python = pythons().into_iter().rfind(|python| python.number() >= (3, 8)).unwrap();
        let mut place = Place::new();
        let venv = place.project.join(".venv");
        Creator::Venv.make(&python, &venv);
        install(&venv, &python, "sample");
        entry_script(&venv, "sample", "sample");
        place.write("requirements.txt", "sample\n");
        place.write("main.py", "import sample\n");
        // what SHELL names is not the shell that runs
        place.set("SHELL", "/bin/false");
        Situation { place, shell: shell.to_owned() }
    }

    fn run(&self, shell: &Shell, script: &str) -> (String, String) {
        // as in an interactive shell: `activate.csh` reads it, and tcsh may stop at a variable that is not set
        let prompt = if shell.name == "tcsh" { "set prompt = '> '; " } else { "" };
        let output = Command::new(&self.shell)
            .args(shell.options)
            .args(["-c", &format!("{prompt}{script}")])
            .current_dir(&self.place.project)
            .env_clear()
            .envs(&self.place.variables)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (text(&output.stdout), text(&output.stderr))
    }

    fn report(&self, shell: &Shell, before: &str) -> Result<Value, String> {
        // the command behind it keeps the shell alive as the doctor's parent
        let script = format!("{before}{} --format json; true", env!("CARGO_BIN_EXE_venv-doctor"));
        let (stdout, stderr) = self.run(shell, &script);
        serde_json::from_str(&stdout).map_err(|error| format!("{error}: {stdout}{stderr}"))
    }
}

type Body = fn(&Shell, &Situation) -> Result<(), String>;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for shell in &SHELLS {
        let found = program(shell.name);
        let tests: [(&str, Body); 3] = [
            ("activated_is_silent", activated),
            ("forgotten_is_cured_in_its_own_words", forgotten),
            ("lost_path_is_cured_in_its_own_words", lost),
        ];
        for (name, body) in tests {
            let missing = found.is_none();
            let place = found.clone();
            trials.push(
                Trial::test(format!("{}::{name}", shell.name), move || {
                    let situation = Situation::new(place.as_deref().ok_or("the shell is not here")?);
                    body(shell, &situation).map_err(Failed::from)
                })
                .with_ignored_flag(missing),
            );
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn activated(shell: &Shell, situation: &Situation) -> Result<(), String> {
    let report = situation.report(shell, &format!("{}; ", shell.activate))?;
    let kind = if shell.name == "dash" { "sh" } else { shell.name.trim_start_matches('t') };
    let expected = if shell.name == "tcsh" { "csh" } else { kind };
    if report["situation"]["shell"] != expected {
        return Err(format!("took the shell for {}", report["situation"]["shell"]));
    }
    if loud(&report).is_empty() { Ok(()) } else { Err(format!("{report:#}")) }
}

fn forgotten(shell: &Shell, situation: &Situation) -> Result<(), String> {
    cured(shell, situation, "", "forgotten-activation")
}

fn lost(shell: &Shell, situation: &Situation) -> Result<(), String> {
    let reset = match shell.name {
        "fish" => "set -gx PATH /usr/local/bin /usr/bin /bin",
        "tcsh" => "setenv PATH /usr/local/bin:/usr/bin:/bin",
        _ => "PATH=/usr/local/bin:/usr/bin:/bin",
    };
    cured(shell, situation, &format!("{}; {reset}; ", shell.activate), "lost-activation")
}

/// The first finding is `expected`, and its first remedy, run in this shell, lets the import succeed.
fn cured(shell: &Shell, situation: &Situation, before: &str, expected: &str) -> Result<(), String> {
    let report = situation.report(shell, before)?;
    let first = findings(&report).first().cloned().unwrap_or_default();
    if !first.ends_with(expected) {
        return Err(format!("{first:?} came first, not {expected}\n{report:#}"));
    }
    let commands = support::cure(&report);
    let script = format!("{before}{}\npython main.py && echo imported", commands.replace('\n', "; ") + "; ");
    let (stdout, stderr) = situation.run(shell, &script);
    if stdout.contains("imported") { Ok(()) } else { Err(format!("{commands}\n{stdout}{stderr}")) }
}
