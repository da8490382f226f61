//! What the doctor writes for a shell arrives in it: a word of any bytes, quoted by the dialect, read by the real
//! shell, and unchanged.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use proptest::collection::vec;
use proptest::prelude::*;
use venv_doctor::facts::platform::System;
use venv_doctor::facts::shell::ShellKind;
use venv_doctor::report::Dialect;

use super::reliability::attempt;
use super::{cases, runner, usual};

/// A shell, the options that keep its startup files out, and whether it takes bytes that are no UTF-8 on its command line.
pub struct Shell {
    pub name: &'static str,
    kind: ShellKind,
    options: &'static [&'static str],
}

pub const SHELLS: [Shell; 6] = [
    Shell { name: "bash", kind: ShellKind::Bash, options: &["--norc", "--noprofile"] },
    Shell { name: "zsh", kind: ShellKind::Zsh, options: &["-f"] },
    Shell { name: "fish", kind: ShellKind::Fish, options: &["--no-config"] },
    Shell { name: "tcsh", kind: ShellKind::Csh, options: &["-f"] },
    Shell { name: "sh", kind: ShellKind::Posix, options: &[] },
    Shell { name: "csh", kind: ShellKind::Csh, options: &["-f"] },
];

/// Where the shell is, if it is on this machine.
pub fn found(shell: &Shell) -> Option<PathBuf> {
    ["/usr/local/bin", "/usr/bin", "/bin"].iter().map(|bin| Path::new(bin).join(shell.name)).find(|path| path.is_file())
}

/// Pieces that mean something to some shell, between letters of many scripts.
fn paths() -> impl Strategy<Value = Vec<u8>> {
    let special = prop::sample::select(vec![
        " ", "  ", "'", "''", "\"", "\\", "\\\\", "\\'", "$", "$HOME", "${x}", "$(x)", "`x`", "!", "!!", "!$", "~", "*",
        "?", "[a]", "{a,b}", "#", "&", ";", "|", "<", ">", "(", ")", "=", "^", "%", "-", "@", ",", ":", "\n", "\t", "\r",
        "\x1b[31m", "\x7f", "\u{202e}", "é", "日本", "🐍", "\u{a0}",
    ]);
    let piece = prop_oneof![
        4 => special.prop_map(|text| text.as_bytes().to_vec()),
        2 => "[a-zA-Z0-9._/+-]{1,8}".prop_map(String::into_bytes),
        1 => vec(any::<char>(), 1..4).prop_map(|letters| letters.into_iter().filter(|letter| *letter != '\0').collect::<String>().into_bytes()),
        1 => vec(1..=255_u8, 1..4),
    ];
    vec(piece, 1..8).prop_map(|pieces| pieces.concat()).prop_filter("an argument has letters", |path| !path.is_empty())
}

/// A program that writes its arguments, each with a NUL behind it.
const PRINTER: &str = "#!/bin/sh\nprintf '%s\\0' \"$@\" > \"$OUT\"\n";

/// Every path, in one run of the shell: what it hands to a program.
fn arrives(shell: &Shell, program: &Path, paths: &[Vec<u8>]) {
    let directory = tempfile::Builder::new().prefix("quote").tempdir().unwrap();
    let printer = directory.path().join("printer");
    fs::write(&printer, PRINTER).unwrap();
    let dialect = Dialect::new(Some(shell.kind), System::Linux);
    for path in paths {
        let out = directory.path().join("out");
        let quoted = dialect.quote(path);
        let script = format!("/bin/sh {} {quoted}\n", printer.display());
        let output = Command::new(program)
            .args(shell.options)
            .arg("-c")
            .arg(OsString::from_vec(script.into_bytes()))
            .current_dir(directory.path())
            .env_clear()
            .envs([("HOME", "/nowhere"), ("PATH", "/usr/bin:/bin"), ("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8")])
            .env("OUT", &out)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let arrived = fs::read(&out).unwrap_or_default();
        let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
        let expected = [path.as_slice(), b"\0"].concat();
        assert!(
            arrived == expected,
            "{}: {} was quoted as {quoted:?} and arrived as {}: {}",
            shell.name,
            shown(path),
            shown(&arrived),
            shown(&output.stderr)
        );
        fs::remove_file(out).unwrap();
    }
}

/// Tries one shell with the same paths as every other.
pub fn a_path_arrives(shell: &Shell) {
    let Some(program) = found(shell) else { return };
    let number = cases(60);
    let mut paths_tried = BTreeSet::new();
    runner(number)
        .run(&paths(), |path| {
            arrives(shell, &program, std::slice::from_ref(&path));
            Ok(())
        })
        .unwrap();
    paths_tried.insert(shell.name);
    if usual() {
        attempt("properties", format!("paths quoted for {}", shell.name)).of(number as usize);
    }
}
