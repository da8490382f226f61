//! Environments that were moved, copied or shared.

use crate::diagnosis::editable::installed_again;
use crate::diagnosis::recreate::{recreate, rewrite_paths};
use crate::diagnosis::reinstall::reinstall_scripts;
use crate::diagnosis::{Action, Check, Finding, Remedy};
use crate::facts::Facts;
use crate::facts::environment::{BakedState, Environment, ForeignRoot, LaunchKind, Script};
use crate::path::HostPath;

pub mod broken_shebang;
pub mod container_venv;
pub mod copied_venv;
pub mod crlf_shebang;
pub mod foreign_platform_venv;
pub mod moved_venv;
pub mod non_utf8_path;
pub mod shebang_too_long;
pub mod shebang_with_space;
pub mod synced_environment;
pub mod versioned_environment;

/// Causes before their symptoms.
pub static ALL: &[&Check] = &[
    &non_utf8_path::CHECK,
    &foreign_platform_venv::CHECK,
    &container_venv::CHECK,
    &versioned_environment::CHECK,
    &synced_environment::CHECK,
    &copied_venv::CHECK,
    &moved_venv::CHECK,
    &shebang_with_space::CHECK,
    &shebang_too_long::CHECK,
    &crlf_shebang::CHECK,
    &broken_shebang::CHECK,
];

/// So many scripts are named one by one; the rest are counted.
const SHOWN: usize = 3;

/// The files that name another place, with the line that does.
fn naming(mut finding: Finding, environment: &Environment, foreign: &ForeignRoot<'_>) -> Finding {
    for script in foreign.scripts.iter().take(SHOWN) {
        let interpreter = script.launch.interpreter.as_ref().unwrap_or(foreign.root);
        finding = finding.evidence("entry script", format!("{interpreter} (first line of {})", script.path));
    }
    if foreign.scripts.len() > SHOWN {
        finding = finding.evidence("entry scripts", format!("{} name that place", foreign.scripts.len()));
    }
    for activator in foreign.activators.iter().take(SHOWN) {
        finding = finding.evidence("activate script", at_line(foreign.root, activator.line, &activator.path));
    }
    if let (true, Some(config)) = (foreign.made_at, &environment.config_path) {
        let line = environment.venv_config().and_then(|config| config.line_of("command"));
        finding = finding.evidence("command in pyvenv.cfg", at_line(foreign.root, line, config));
    }
    finding
}

/// Has the scripts written anew by their installer, else says how to do without them.
fn written_anew(facts: &Facts, environment: &Environment, scripts: &[&Script]) -> Remedy {
    reinstall_scripts(facts, environment, scripts).unwrap_or_else(|| {
        Remedy::manual(
            "Run the tools as modules",
            vec![Action::Advice(format!(
                "{} -m MODULE needs no first line; a current pip writes one that works when it installs the tool again",
                environment.program("python")
            ))],
        )
    })
}

fn at_line(value: &HostPath, line: Option<usize>, file: &HostPath) -> String {
    match line {
        Some(line) => format!("{value} (line {line} of {file})"),
        None => format!("{value} ({file})"),
    }
}

/// The scripts, by name: the first few and a count.
fn listed(scripts: &[&Script]) -> String {
    let names: Vec<&str> = scripts.iter().take(SHOWN).map(|script| script.name.as_str()).collect();
    match scripts.len() - names.len() {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// Writes the environment's own root into every file that names `old` or another place that is gone. None where
/// text alone does not mend it: launchers are programs, and an interpreter that does not start stays dead.
fn mended_in_place(facts: &Facts, environment: &Environment, old: &HostPath) -> Option<Remedy> {
    let launchers = environment.scripts.iter().any(|script| script.launch.kind == LaunchKind::Launcher);
    if launchers || !facts.starts(environment) {
        return None;
    }
    let mut remedy = rewrite_paths(facts, environment, old)?;
    // a project that moved together with its environment is installed there from the old place
    let (names, again) = installed_again(facts, environment);
    if !again.is_empty() {
        remedy.summary.push_str(&format!(", and install {} again from its new place", names.join(", ")));
        remedy.actions.extend(again);
    }
    for other in environment.foreign_roots() {
        let gone = matches!(other.state, BakedState::Missing | BakedState::OtherDirectory);
        if gone && !other.root.same_as(old) && !environment.is_base(other.root) {
            let more = rewrite_paths(facts, environment, other.root).map(|more| more.actions);
            let rewrites = |action: &Action| matches!(action, Action::Rewrite { .. });
            remedy.actions.splice(0..0, more.into_iter().flatten().filter(rewrites));
        }
    }
    Some(remedy)
}

/// Best first: mended where it is, else made anew.
fn mended_or_anew(facts: &Facts, environment: &Environment, old: &HostPath) -> Vec<Remedy> {
    mended_in_place(facts, environment, old).into_iter().chain([recreate(facts, environment)]).collect()
}

/// Whether a plain `#!` line can name the environment's interpreter: the kernel reads a limited length and
/// stops at a blank.
fn fits_shebang(facts: &Facts, environment: &Environment) -> bool {
    let longest = environment.program("python3.99");
    let bytes = longest.as_bytes();
    bytes.len() + 2 <= facts.platform.shebang_limit() && !bytes.iter().any(u8::is_ascii_whitespace)
}
