//! Completions as the shells themselves offer them, and the manual page.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Trial};

const DOCTOR: &str = env!("CARGO_BIN_EXE_venv-doctor");

fn main() {
    let arguments = Arguments::from_args();
    let found = |program: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
    };
    let real = |name: &str, program: &str, test: fn()| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
        .with_ignored_flag(!found(program))
    };
    let trials = vec![
        real("bash_offers_checks", "bash", bash),
        real("zsh_offers_checks", "zsh", zsh),
        real("fish_offers_checks", "fish", fish),
        real("every_shell_has_a_script_with_the_checks", "sh", every_shell),
        real("the_manual_page_is_clean", "groff", manual),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

fn printed(arguments: &[&str]) -> String {
    let output = Command::new(DOCTOR).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A directory with the shell's script and the program on its `PATH`.
fn place(shell: &str, name: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join(name);
    fs::write(&script, printed(&["completions", shell])).unwrap();
    (directory, script)
}

fn run(directory: &Path, command: &mut Command) -> String {
    let bin = Path::new(DOCTOR).parent().unwrap().display();
    let output = command
        .env_clear()
        .env("HOME", directory)
        .env("TERM", "xterm")
        .env("PATH", format!("{bin}:/usr/local/bin:/usr/bin:/bin"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// What it offers after `explain mov` and after `--select rel`, `--ignore moved`.
fn offered(ask: impl Fn(&str) -> String) {
    let words = |text: String| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(ask("venv-doctor explain mov")), ["moved-venv"]);
    let selected = words(ask("venv-doctor --select relo"));
    assert_eq!(selected, ["relocation"]);
    assert_eq!(words(ask("venv-doctor check --ignore moved")), ["moved-venv"]);
    assert!(words(ask("venv-doctor expl")).contains(&"explain".to_owned()));
}

fn bash() {
    let (directory, script) = place("bash", "script");
    offered(|line| {
        let asked = "source \"$1\"; COMP_LINE=$2; COMP_WORDS=($2); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); \
            _venv__doctor venv-doctor \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\"; echo \"${COMPREPLY[@]}\"";
        run(directory.path(), Command::new("bash").args(["-c", asked, "bash"]).arg(&script).arg(line))
    });
}

fn fish() {
    let (directory, script) = place("fish", "script");
    offered(|line| {
        let asked = "source $argv[1]; complete -C $argv[2]";
        run(directory.path(), Command::new("fish").args(["-N", "-c", asked]).arg(&script).arg(line))
            .lines()
            .filter_map(|line| line.split('\t').next())
            .collect::<Vec<_>>()
            .join("\n")
    });
}

/// zsh completes in a terminal of its own, to which a Tab is sent: what it has written then is the answer.
fn zsh() {
    const SETUP: &str = "PROMPT=; fpath=($1 $fpath); autoload -Uz compinit; compinit -u -D\n\
        report() { print -r -- \"LINE:$BUFFER:END\"; BUFFER=; zle accept-line }\n\
        zle -N report; bindkey '^I' complete-word; bindkey '^X' report; print RE''ADY\n";
    const OUTER: &str = "zmodload zsh/zpty; zpty shell zsh -f -i; zpty -w shell \"source $1 $2\"\n\
        zpty -r -m shell seen '*READY*'; zpty -w -n shell \"$3\"$'\\t\\x18'\n\
        zpty -r -m shell seen '*LINE:*:END*'; zpty -d shell; print -r -- $seen";
    let (directory, _) = place("zsh", "_venv-doctor");
    let setup = directory.path().join("setup");
    fs::write(&setup, SETUP).unwrap();
    offered(|line| {
        let mut command = Command::new("timeout");
        command.args(["20", "zsh", "-f", "-c", OUTER, "zsh"]).arg(&setup).arg(directory.path()).arg(line);
        let output = run(directory.path(), &mut command);
        let completed =
            output.rsplit("LINE:").next().unwrap().split(":END").next().unwrap().trim().to_owned();
        completed.rsplit(' ').next().unwrap().to_owned()
    });
}

fn every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish", "nushell"] {
        let script = printed(&["completions", shell]);
        for id in ["moved-venv", "forgotten-activation", "execution-policy"] {
            assert!(script.contains(id), "{shell} has no {id}");
        }
        assert_eq!(script.matches('{').count(), script.matches('}').count(), "{shell}: braces");
    }
}

fn manual() {
    let page = printed(&["man"]);
    for name in ["explain", "--select", "--no-exec", "VENV_DOCTOR_SELECT", "Exit status"] {
        assert!(page.replace("\\-", "-").contains(name), "{name}");
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("venv-doctor.1");
    fs::write(&file, page).unwrap();
    let output = Command::new("groff").args(["-man", "-Tutf8", "-ww"]).arg(&file).output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(String::from_utf8_lossy(&output.stdout).lines().count() > 100);
}
