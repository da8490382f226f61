//! Scripts of packages that were installed for the user (PEP 370), and whether the shell finds them.

use crate::facts::platform::System;
use crate::facts::search_path::{SearchPath, UserScripts};
use crate::facts::shell::Shell;
use crate::host::{FileKind, Host};
use crate::parse::shebang::{self, Shebang, names_python};
use crate::path::HostPath;

/// So many files are looked at.
const MOST: usize = 500;
const FIRST_LINES: usize = 512;

/// `$PYTHONUSERBASE/bin`, `~/.local/bin`, `~/Library/Python/X.Y/bin` (Lib/site.py, `getuserbase`). None
/// where it is not there.
pub fn user_scripts(host: &dyn Host, shell: &Shell, search_path: &SearchPath) -> Option<UserScripts> {
    let directory = directories(host, shell).into_iter().find(|directory| host.is_directory(directory))?;
    let real = host.canonical(&directory).ok();
    let on_search_path = search_path.entries.iter().any(|entry| {
        entry.directory.as_ref().is_some_and(|other| other.same_as(&directory))
            || (real.is_some() && entry.real == real)
    });
    let listing = host.list(&directory).ok()?;
    let scripts = listing
        .entries
        .iter()
        .filter(|entry| matches!(entry.kind, FileKind::File | FileKind::Link))
        .take(MOST)
        .filter(|entry| runs_python(host, &directory.join(&entry.name)))
        .map(|entry| crate::path::readable(&entry.name).into_owned())
        .collect();
    Some(UserScripts { directory, scripts, on_search_path })
}

fn directories(host: &dyn Host, shell: &Shell) -> Vec<HostPath> {
    if let Some(base) = shell.path_variable("PYTHONUSERBASE") {
        return vec![base.join("bin")];
    }
    let Some(home) = host.home() else { return Vec::new() };
    match host.platform().system {
        System::Windows => Vec::new(),
        System::MacOs => {
            let versions = home.join("Library/Python");
            let newest_first = host.list(&versions).map(|listing| listing.entries).unwrap_or_default();
            newest_first.iter().rev().map(|entry| versions.join(&entry.name).join("bin")).collect()
        }
        _ => vec![home.join(".local/bin")],
    }
}

fn runs_python(host: &dyn Host, path: &HostPath) -> bool {
    if !host.can_execute(path) {
        return false;
    }
    let Ok(contents) = host.read(path, FIRST_LINES) else { return false };
    match shebang::parse(&contents.bytes).shebang {
        Shebang::Plain { interpreter, .. } => names_python(interpreter.as_bytes()),
        Shebang::Env { program, .. } => names_python(program.as_bytes()),
        Shebang::Trampoline { .. } | Shebang::RelocatableTrampoline { .. } => true,
        Shebang::None => false,
    }
}
