//! The environment has no activate script for this shell, or the one that was used belongs to another
//! system's shell.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::facts::shell::{ShellKind, ShellSource};
use crate::parse::activate::ActivatorKind;
use crate::path::Flavour;

pub static CHECK: Check = Check {
    id: "activate-for-another-shell",
    category: Category::Activation,
    severity: Severity::Warning,
    summary: "This shell needs another activate script than the one that is there or was used",
    needs: &[Need::Scripts, Need::Project],
    explains: &[
        "stale-activation",
        "lost-activation",
        "conflicting-activation",
        "relative-search-path",
        "forgotten-activation",
        "python-command-missing",
    ],
    explanation: r#"
## What it means
Each shell needs an activate script in its own language: `activate` for bash, zsh and other POSIX shells, `activate.fish`,
`activate.csh`, `activate.nu` (Nushell), `activate.xsh` (xonsh), `Activate.ps1` (PowerShell), `activate.bat` (cmd). The wrong
one fails: fish says "'case' builtin not inside of switch block", csh "Badly placed ()'s". Python's `venv` writes those for
POSIX shells, fish, csh and PowerShell; virtualenv and uv write one for Nushell as well.
A Windows environment has a POSIX `activate` too, for Git Bash. Under WSL it can be sourced, and does harm: it sets
`VIRTUAL_ENV` to `C:\...`, and the colon splits its `PATH` entry in two that mean nothing.

## How it happens
A command was copied from instructions for another shell; or the project's `.venv` was made by Windows and is used in WSL.

## How to fix it
Source the script of your shell: `source .venv/bin/activate.fish`, `source .venv/bin/activate.csh`,
`overlay use .venv/bin/activate.nu`. If it is not there, make the environment with virtualenv or uv (`uv venv`), or put
its directory on `PATH` by hand: nothing else is needed to use it.
Under WSL make an environment of Linux's own: `python3 -m venv .venv-linux`.

## When it is fine
Activation is a convenience: `.venv/bin/python` works in every shell without it.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    windows_environment_in_posix_shell(facts, findings);
    no_script_for_this_shell(facts, findings);
}

fn windows_environment_in_posix_shell(facts: &Facts, findings: &mut Findings) {
    if facts.platform.flavour() == Flavour::Windows {
        return;
    }
    let Some(claimed) = facts.shell.path_variable("VIRTUAL_ENV") else { return };
    if claimed.flavour() != Flavour::Windows || !Flavour::Windows.is_absolute(claimed.as_bytes()) {
        return;
    }
    let halves = halves_of_windows_entry(facts);
    let sourced = !halves.is_empty();
    let how = if sourced {
        "a Windows environment's activate script was sourced in it"
    } else {
        "nothing here can use it"
    };
    let mut finding = Finding::new(
        &CHECK,
        Subject::Shell,
        format!("VIRTUAL_ENV names {claimed} in a shell that is not Windows': {how}"),
    )
    .severity(if sourced { Severity::Error } else { Severity::Warning })
    .about(&claimed)
    .evidence("VIRTUAL_ENV", claimed.to_text());
    for half in &halves {
        finding = finding.evidence("entry of PATH", half.as_str());
    }
    let mut actions = vec![Action::Unset("VIRTUAL_ENV".into()), Action::Unset("VIRTUAL_ENV_PROMPT".into())];
    actions.extend(halves.iter().map(|raw| Action::RemoveFromPath { raw: Word::from(raw) }));
    findings.push(match facts.usable_project_environment() {
        Some(environment) => {
            actions.push(Action::activate(environment));
            finding
                .about(&environment.root)
                .remedy(Remedy::safe("Undo it, and activate this system's own environment", actions))
        }
        None => finding.remedy(Remedy::safe("Undo it in this shell", actions)),
    });
}

/// `C:\x\Scripts` in a `PATH` that is split at colons.
fn halves_of_windows_entry(facts: &Facts) -> Vec<String> {
    let drive = |raw: &str| matches!(raw.as_bytes(), [letter] if letter.is_ascii_alphabetic());
    facts
        .search_path
        .entries
        .windows(2)
        .find(|pair| drive(&pair[0].raw) && pair[1].raw.starts_with('\\'))
        .map(|pair| pair.iter().map(|entry| entry.raw.clone()).collect())
        .unwrap_or_default()
}

fn no_script_for_this_shell(facts: &Facts, findings: &mut Findings) {
    if facts.shell.source != ShellSource::Process || facts.working_environment().is_some() {
        return;
    }
    let Some(shell) = facts.shell.kind else { return };
    let runs_for_you = facts.project.managers.iter().any(|manager| manager.kind.runs_for_you());
    if runs_for_you || facts.shell.environment_wrapper().is_some() {
        return;
    }
    let Some(environment) = facts.usable_project_environment() else { return };
    let there: Vec<ActivatorKind> = environment.activators.iter().map(|script| script.kind).collect();
    let wanted = scripts_for(shell);
    // without any script its creation was interrupted, or nobody is meant to activate it
    if there.is_empty() || wanted.is_empty() || wanted.iter().any(|kind| there.contains(kind)) {
        return;
    }
    findings.push(missing(environment, shell));
}

fn missing(environment: &Environment, shell: ShellKind) -> Finding {
    let names: Vec<String> =
        environment.activators.iter().map(|script| script.path.name().into_owned()).collect();
    Finding::new(
        &CHECK,
        Subject::Environment(environment.root.clone()),
        format!("{} has no activate script for {}", environment.root, shell.label()),
    )
    .evidence("shell", shell.label())
    .evidence("activate scripts", names.join(", "))
    .remedy(Remedy::safe(
        "Use it in this shell without an activate script",
        vec![
            Action::Set { name: "VIRTUAL_ENV".into(), value: Word::from(&environment.root) },
            Action::PutFirst(environment.program("")),
        ],
    ))
}

/// The activate scripts that a shell can read.
fn scripts_for(shell: ShellKind) -> &'static [ActivatorKind] {
    match shell {
        ShellKind::Bash | ShellKind::Zsh | ShellKind::Sh => &[ActivatorKind::Posix],
        ShellKind::Fish => &[ActivatorKind::Fish],
        ShellKind::Csh => &[ActivatorKind::Csh],
        ShellKind::PowerShell => &[ActivatorKind::PowerShell],
        ShellKind::Cmd => &[ActivatorKind::Cmd],
        ShellKind::Nushell => &[ActivatorKind::Nushell],
        // it sources POSIX scripts with `source-bash`
        ShellKind::Xonsh => &[ActivatorKind::Xonsh, ActivatorKind::Posix],
        // nobody writes one
        ShellKind::Elvish => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::*;

    #[test]
    fn fires_when_the_venv_has_none_for_nushell() {
        let mut facts = not_activated();
        facts.shell.kind = Some(ShellKind::Nushell);
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].message, "/home/me/project/.venv has no activate script for nushell");
        assert_eq!(found[0].evidence[1].value, "activate, activate.csh, activate.fish");
    }

    #[test]
    fn fires_when_a_windows_activate_was_sourced_under_wsl() {
        let mut facts = not_activated();
        set_variable(&mut facts, "VIRTUAL_ENV", r"C:\work\.venv");
        set_search_path(&mut facts, r"C:\work\.venv\Scripts:/usr/bin");
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(found[0].evidence[2].value, r"\work\.venv\Scripts");
        assert_eq!(found[0].remedies[0].actions.len(), 5);
    }

    #[test]
    fn quiet_when_there_is_one_for_this_shell() {
        for shell in [ShellKind::Bash, ShellKind::Fish, ShellKind::Csh, ShellKind::Xonsh] {
            let mut facts = not_activated();
            facts.shell.kind = Some(shell);
            assert!(CHECK.findings(&facts).is_empty(), "{shell:?}");
        }
    }

    #[test]
    fn quiet_when_it_is_active_in_whatever_shell() {
        let mut facts = healthy();
        facts.shell.kind = Some(ShellKind::Nushell);
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_shell_is_only_the_login_shell_by_name() {
        let mut facts = not_activated();
        facts.shell.kind = Some(ShellKind::Nushell);
        facts.shell.source = ShellSource::Variable;
        assert!(CHECK.findings(&facts).is_empty());
    }
}
