//! `VIRTUAL_ENV` is set, and the environment's programs are not on `PATH`: the prompt says one thing, the shell does
//! another.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::project::ManagerKind;
use crate::facts::shell::Wrapper;

pub static CHECK: Check = Check {
    id: "lost-activation",
    category: Category::Activation,
    severity: Severity::Error,
    summary: "VIRTUAL_ENV is set and the environment's programs are not on PATH",
    needs: &[Need::Project, Need::Scripts, Need::Installed],
    explains: &[
        "forgotten-activation",
        "global-install",
        "pip-elsewhere",
        "python-names-disagree",
        "python-command-missing",
        "tool-outside-environment",
        "missing-requirement",
        "requirement-mismatch",
        "unresolvable-import",
    ],
    explanation: r#"
## What it means

Activation does two things: it sets `VIRTUAL_ENV`, and it puts the environment's `bin` first on `PATH`. Here the
first survived and the second did not. The prompt, editors and `uv pip` go by `VIRTUAL_ENV`; the shell finds
`python` and `pip` by `PATH` alone, so they run another Python. Neither Python nor pip reads `VIRTUAL_ENV`.

## How it happens

Both variables are inherited by new shells, and then something sets `PATH` anew: a login shell (`bash -l`,
`su -`, ssh; Debian's `/etc/profile` sets `PATH` outright), a tmux pane (tmux starts login shells), macOS'
`path_helper`, or a line like `PATH=/usr/bin:/bin` in a start-up file.

## How to fix it

Activate again in this shell:

    . "$VIRTUAL_ENV/bin/activate"

For good: activate after the shell has started, not before starting tmux, and extend `PATH` in start-up files
(`PATH="$HOME/bin:$PATH"`) instead of setting it. In `~/.tmux.conf`, `set -g default-command "${SHELL}"` makes
panes ordinary shells instead of login shells.

## When it is fine

A Dockerfile may set `VIRTUAL_ENV` without `PATH` to tell `uv` alone where to install. `pyenv-virtualenv` sets
`VIRTUAL_ENV` and reaches the environment through its shims; that is not reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((variable, lost)) = claim(facts) else { return };
    if !facts.search_path.set || facts.search_path.left_out > 0 || facts.shell.under_sudo() {
        return;
    }
    if !facts.can_be_activated(lost) || facts.search_entry(lost).is_some() {
        return;
    }
    let running = facts.running();
    if running.is_some_and(|running| running.is_at(&lost.root) || facts.is_chosen(running)) {
        return;
    }
    let command = facts.shell_python();
    let message = match command.and_then(|command| Some((command, command.chosen()?))) {
        Some((command, hit)) => format!(
            "{variable} names {}, whose programs are not on PATH: `{}` runs {}",
            lost.root, command.name, hit.path
        ),
        None => format!("{variable} names {}, whose programs are not on PATH", lost.root),
    };
    let mut finding = Finding::new(&CHECK, Subject::Shell, message)
        .severity(severity(facts, lost))
        .about(&lost.root)
        .evidence(variable, lost.root.to_text())
        .evidence("PATH", facts.shell.variable("PATH").unwrap_or_default());
    if let Some(running) = running {
        finding = finding.about(&running.root);
    }
    if let Some((command, hit)) = command.and_then(|command| Some((command, command.chosen()?))) {
        finding = finding.evidence(&command.name, hit.describe());
    }
    if facts.shell.login {
        finding = finding.evidence("shell", "a login shell, which sets PATH anew");
    }
    if facts.shell.within(Wrapper::Tmux) || facts.shell.set("TMUX").is_some() {
        finding = finding.evidence("TMUX", "set: panes of tmux are login shells by default");
    }
    let wanted = match facts.own_environment() {
        Some(own) if !facts.belongs_to_project(lost) && facts.can_be_activated(own) => own,
        _ => lost,
    };
    findings.push(
        finding
            .remedy(Remedy::safe(format!("Activate {} again", wanted.root), vec![Action::activate(wanted)]))
            .remedy(Remedy::safe(
                "Put its programs on PATH, and leave the rest as it is",
                vec![Action::PutFirst(lost.program("").normalized())],
            )),
    );
}

/// The environment that a variable claims to be active, and the variable.
fn claim(facts: &Facts) -> Option<(&'static str, &Environment)> {
    if facts.shell.set("VIRTUAL_ENV").is_some() {
        let claimed = facts.claimed()?;
        let known = claimed.is_venv() || claimed.kind == EnvironmentKind::Conda;
        return known.then_some(("VIRTUAL_ENV", claimed));
    }
    // programs that only want conda's headers and libraries set CONDA_PREFIX alone
    facts.shell.set("CONDA_DEFAULT_ENV")?;
    Some(("CONDA_PREFIX", facts.chosen_conda()?))
}

fn severity(facts: &Facts, lost: &Environment) -> Severity {
    let for_uv_alone = (facts.surroundings.container.is_some() || facts.surroundings.ci.is_some())
        && facts.project.managers.iter().any(|manager| manager.kind == ManagerKind::Uv);
    if for_uv_alone {
        Severity::Info
    } else if lost.kind == EnvironmentKind::Conda {
        Severity::Warning
    } else {
        Severity::Error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{self, VENV};
    use crate::facts::search_path::{HitState, ShimManager, Target};

    fn lost() -> Facts {
        let mut facts = example::not_activated();
        example::set_variable(&mut facts, "VIRTUAL_ENV", VENV);
        facts
    }

    #[test]
    fn fires_when_path_was_set_anew() {
        let found = CHECK.findings(&lost());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].message.contains("`python3` runs /usr/bin/python3"), "{}", found[0].message);
        assert!(matches!(found[0].remedies[0].actions[..], [Action::Activate { .. }]));
    }

    #[test]
    fn quiet_when_path_holds_it_in_another_spelling() {
        let mut facts = example::healthy();
        assert!(CHECK.findings(&facts).is_empty());
        example::set_search_path(&mut facts, "/home/me//project/.venv/bin/:/usr/bin");
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_project_is_reached_through_a_link() {
        let mut facts = example::healthy();
        example::set_variable(&mut facts, "VIRTUAL_ENV", "/srv/project/.venv");
        let venv = example::venv_of(&mut facts);
        venv.root = example::path("/srv/project/.venv");
        venv.script_directory = Some(example::path("/srv/project/.venv/bin"));
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_a_shim_leads_into_it() {
        let mut facts = lost();
        let hit = &mut facts.commands[1].hits[0];
        assert_eq!(hit.state, HitState::Runnable);
        hit.leads_to = Target::Shim {
            manager: ShimManager::Pyenv,
            version: Some("project".into()),
            program: Some(example::path("/home/me/project/.venv/bin/python3")),
            environment: Some(example::path(VENV)),
            problem: None,
            absent: None,
        };
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_under_sudo_and_when_its_interpreter_is_broken() {
        let mut facts = lost();
        example::set_variable(&mut facts, "SUDO_USER", "me");
        assert!(CHECK.findings(&facts).is_empty());
        let mut facts = lost();
        example::interpreters_of(&mut facts).for_each(|python| python.executable = false);
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_variable_names_an_installation_for_uv() {
        let mut facts = example::not_activated();
        example::set_variable(&mut facts, "VIRTUAL_ENV", "/usr");
        example::set_search_path(&mut facts, "/usr/local/bin");
        assert!(CHECK.findings(&facts).is_empty());
    }
}
