//! What the doctor writes for a shell arrives in it: a word of any bytes, quoted by the dialect, read by the real
//! shell, and unchanged. A shell that is missing here is reported as ignored.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code
)]

#[path = "support/random.rs"]
mod random;
#[path = "support/reliability.rs"]
mod reliability;

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Trial};
use proptest::collection::vec;
use proptest::prelude::*;
use random::{cases, runner, usual};
use reliability::attempt;
use venv_doctor::facts::platform::System;
use venv_doctor::facts::shell::ShellKind;
use venv_doctor::report::Dialect;

/// A shell, and the options that keep its startup files out.
struct Shell {
    name: &'static str,
    kind: ShellKind,
    options: &'static [&'static str],
}

const SHELLS: [Shell; 6] = [
    Shell { name: "bash", kind: ShellKind::Bash, options: &["--norc", "--noprofile"] },
    Shell { name: "zsh", kind: ShellKind::Zsh, options: &["-f"] },
    Shell { name: "fish", kind: ShellKind::Fish, options: &["--no-config"] },
    Shell { name: "tcsh", kind: ShellKind::Csh, options: &["-f"] },
    Shell { name: "csh", kind: ShellKind::Csh, options: &["-f"] },
    Shell { name: "sh", kind: ShellKind::Sh, options: &[] },
];

fn program(shell: &Shell) -> Option<PathBuf> {
    let places = ["/usr/local/bin", "/usr/bin", "/bin"];
    places.iter().map(|bin| Path::new(bin).join(shell.name)).find(|path| path.is_file())
}

/// What means something to some shell.
const SPECIAL: [&str; 44] = [
    " ", "  ", "'", "''", "\"", "\\", "\\\\", "\\'", "$", "$HOME", "${x}", "$(x)", "`x`", "!", "!!", "!$",
    "~", "*", "?", "[a]", "{a,b}", "#", "&", ";", "|", "<", ">", "(", ")", "=", "^", "%", "-", "@", "\n",
    "\t", "\r", "\x1b[31m", "\x7f", "\u{202e}", "é", "日本", "🐍", "\u{a0}",
];

fn words() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(SPECIAL.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        2 => "[a-zA-Z0-9._/+-]{1,8}".prop_map(String::into_bytes),
        1 => "[^\\x00]{1,4}".prop_map(String::into_bytes),
        1 => vec(1..=255_u8, 1..4),
    ];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Hands the word to a program through the shell, and reads what arrived.
fn arrives(shell: &Shell, program: &Path, directory: &Path, word: &[u8]) -> Result<(), TestCaseError> {
    let out = directory.join("out");
    let _ = fs::remove_file(&out);
    let quoted = Dialect::new(Some(shell.kind), System::Linux).quote(word);
    let output = Command::new(program)
        .args(shell.options)
        .arg("-c")
        .arg(OsString::from_vec(format!("/bin/sh ./printer {quoted}\n").into_bytes()))
        .current_dir(directory)
        .env_clear()
        .envs([("PATH", "/usr/bin:/bin"), ("LC_ALL", "C.UTF-8")])
        .env("HOME", directory)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let arrived = fs::read(&out).unwrap_or_default();
    prop_assert!(
        arrived == [word, b"\0"].concat(),
        "{}: \"{}\" was quoted as {quoted:?} and arrived as \"{}\": {}",
        shell.name,
        word.escape_ascii(),
        arrived.escape_ascii(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

fn words_arrive(shell: &Shell) {
    let program = program(shell).unwrap();
    let directory = tempfile::Builder::new().prefix("quoting").tempdir().unwrap();
    fs::write(directory.path().join("printer"), "printf '%s\\0' \"$@\" > out\n").unwrap();
    let number = cases(80);
    runner(number).run(&words(), |word| arrives(shell, &program, directory.path(), &word)).unwrap();
    if usual() {
        attempt("Quoting", shell.name).of(number as usize);
    }
}

fn main() {
    let arguments = Arguments::from_args();
    let trials = SHELLS.iter().map(|shell| {
        Trial::test(format!("words_arrive_in_{}", shell.name), move || {
            words_arrive(shell);
            Ok(())
        })
        .with_ignored_flag(program(shell).is_none())
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}
