//! Under sudo: it resets `PATH` and drops `VIRTUAL_ENV`, so the caller's environment is not used.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "sudo-dropped-environment",
    category: Category::Activation,
    severity: Severity::Warning,
    summary: "Under sudo the environment that the caller had is not used",
    needs: &[Need::Project],
    explains: &[
        "forgotten-activation",
        "lost-activation",
        "pip-elsewhere",
        "global-install",
        "python-command-missing",
        "python-names-disagree",
        "tool-outside-environment",
    ],
    explanation: r#"
## What it means
sudo starts programs with a fresh set of variables (`env_reset`) and a `PATH` of its own (`secure_path` in
`/etc/sudoers`). `VIRTUAL_ENV` and the environment's directory are gone, so `sudo python main.py` runs the system's
Python, which does not have the project's packages, and `sudo pip install` changes the system.

## How it happens
The program needs root (a port below 1024, a device) and is started with sudo from an activated shell, or a root
shell was opened with `sudo -s` in the project. `sudo -E` keeps `VIRTUAL_ENV`, but not `PATH`.

## How to fix it
Name the environment's own Python: `sudo "$PWD/.venv/bin/python" main.py`. A venv needs no activation: its interpreter
finds its packages by itself.
Never `sudo pip install` into the environment: its files then belong to root, and the next `pip` without sudo fails.
Where only a port is the trouble, `setcap` or a systemd unit with `User=` is better than root.

## When it is fine
Administration scripts that are meant for the system's Python and need nothing of the project.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    if !facts.shell.under_sudo() {
        return;
    }
    if facts.shell.environment_wrapper().is_some() {
        return;
    }
    let Some((environment, known_from)) = callers(facts) else { return };
    let Some(command) = facts.shell_python() else { return };
    let Some(chosen) = command.chosen() else { return };
    if facts.running().is_some_and(|running| running.is_venv() || running.is_at(&environment.root)) {
        return;
    }
    let python = environment.program("python");
    let mut finding = Finding::new(
        &CHECK,
        Subject::Shell,
        format!("sudo has dropped the environment {}: {} is {}", environment.root, command.name, chosen.path),
    )
    .about(&environment.root)
    .evidence(format!("{} on PATH", command.name), chosen.path.to_text());
    if let Some(user) = facts.shell.set("SUDO_USER") {
        finding = finding.evidence("SUDO_USER", user);
    }
    finding = finding.evidence("environment", known_from);
    let activate =
        Remedy::safe("Activate the environment in this shell", vec![Action::activate(environment)]);
    let name_it = Remedy::manual(
        "Name the environment's own Python behind sudo",
        vec![Action::Advice(format!("sudo {python} PROGRAM needs no activation; never use sudo with pip"))],
    );
    // commands are pasted into the shell outside sudo when sudo has started the doctor itself
    let outside = facts.shell.ancestors.first().is_some_and(|parent| parent.name == "sudo");
    findings.push(if outside {
        finding.remedy(name_it).remedy(activate)
    } else {
        finding.remedy(activate).remedy(name_it)
    });
}

/// The environment that the caller had, as far as can be told: the one that a shell outside sudo was started
/// with, else the project's own.
fn callers(facts: &Facts) -> Option<(&Environment, String)> {
    let inherited = facts.shell.ancestors.iter().find_map(|process| {
        let root = HostPath::new(facts.platform.flavour(), process.variable("VIRTUAL_ENV")?)?;
        let environment = facts.environment(&root).filter(|environment| facts.starts(environment))?;
        Some((environment, format!("VIRTUAL_ENV={root} of {} (process {})", process.name, process.id)))
    });
    inherited.or_else(|| {
        let environment = facts.usable_project_environment()?;
        Some((environment, format!("{}, the project's own", environment.root)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::*;
    use crate::host::Process;

    fn under_sudo() -> Facts {
        let mut facts = not_activated();
        set_variable(&mut facts, "SUDO_USER", "me");
        facts
    }

    #[test]
    fn fires_when_the_project_has_an_environment_that_is_not_used() {
        let found = CHECK.findings(&under_sudo());
        assert_eq!(
            found[0].message,
            "sudo has dropped the environment /home/me/project/.venv: python3 is /usr/bin/python3"
        );
        assert!(matches!(found[0].remedies[0].actions[0], Action::Activate { .. }));
    }

    #[test]
    fn fires_when_the_caller_had_one_elsewhere() {
        let mut facts = under_sudo();
        facts.project.environments.clear();
        facts.shell.ancestors = ["sudo", "bash"]
            .map(|name| Process {
                id: 7,
                name: name.into(),
                executable: None,
                arguments: Vec::new(),
                environment: vec![("VIRTUAL_ENV".into(), VENV.into())],
            })
            .to_vec();
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].evidence[2].value, "VIRTUAL_ENV=/home/me/project/.venv of sudo (process 7)");
        assert!(matches!(found[0].remedies[0].actions[0], Action::Advice(_)));
    }

    #[test]
    fn quiet_when_not_under_sudo() {
        assert!(CHECK.findings(&not_activated()).is_empty());
    }

    #[test]
    fn quiet_when_the_environment_is_used_under_sudo() {
        let mut facts = healthy();
        set_variable(&mut facts, "SUDO_USER", "me");
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_caller_had_none() {
        let mut facts = under_sudo();
        facts.project.environments.clear();
        assert!(CHECK.findings(&facts).is_empty());
    }
}
