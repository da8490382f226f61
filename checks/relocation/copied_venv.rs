//! A copy of a venv whose original still exists: nothing fails, and what is installed here lands there.

use crate::diagnosis::{Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{BakedState, Environment, EnvironmentKind, ForeignRoot};

pub static CHECK: Check = Check {
    id: "copied-venv",
    category: Category::Relocation,
    severity: Severity::Error,
    summary: "The environment is a copy whose scripts and activate scripts work on the original",
    needs: &[Need::Scripts, Need::Installed],
    explains: &[
        "wrong-environment-active",
        "conflicting-activation",
        "stacked-environments",
        "forgotten-activation",
        "pip-elsewhere",
        "python-names-disagree",
        "stale-launcher",
        "tool-outside-environment",
        "broken-shebang",
    ],
    explanation: r#"
## What it means
A venv holds its own absolute path in the first line of every entry script and in the activate scripts. In a copy they
still name the original, and the original is still there, so nothing fails: `copy/.venv/bin/pip install x` installs into
the original, `source copy/.venv/bin/activate` activates the original, and `copy/.venv/bin/pytest` runs the original's
packages. Only `copy/.venv/bin/python` works on the copy, because it finds `pyvenv.cfg` beside itself.

## How it happens
`cp -r project project2` took `.venv` along; a template directory, a git worktree or a backup did; or a tool
"cloned" an environment by copying it.

## How to fix it
Write the copy's own place into the files that name the original: the first remedy does, needs no network and loses
nothing. Or make the copy anew: `python3 -m venv --clear .venv`, then
`.venv/bin/python -m pip install -r requirements.txt`.
Packages that were installed "here" meanwhile are in the original: compare `pip freeze` of both.
A shell that was activated before has the original active: activate again.

## When it is fine
An environment that is reached by two paths (a symbolic link, a bind mount) is one environment, and is not reported.
Nor is a single script that runs another environment's Python on purpose.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in facts.environments.iter().filter(|environment| environment.is_venv()) {
        let Some(foreign) = environment.made_elsewhere() else { continue };
        if foreign.state != BakedState::OtherEnvironment || is_no_original(facts, environment, &foreign) {
            continue;
        }
        let harm = if foreign.scripts.is_empty() {
            "activating it activates the original"
        } else {
            "what its scripts install lands in the original"
        };
        let mut finding = Finding::new(
            &CHECK,
            Subject::Environment(environment.root.clone()),
            format!("{} is a copy of {}, and {harm}", environment.root, foreign.root),
        );
        finding = super::naming(finding, environment, &foreign);
        for remedy in super::mended_or_anew(facts, environment, foreign.root) {
            finding = finding.remedy(remedy);
        }
        findings.push(finding);
    }
}

/// An installation is nothing that a venv is copied from, and one environment by two names is no copy.
fn is_no_original(facts: &Facts, environment: &Environment, foreign: &ForeignRoot<'_>) -> bool {
    facts.environment(foreign.root).is_some_and(|original| {
        original.kind == EnvironmentKind::Installation
            || original.real.is_some() && original.real == environment.real
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::*;
    use crate::path::HostPath;

    const ORIGINAL: &str = "/home/me/original/.venv";

    fn copied_from(original: &str) -> Facts {
        let mut facts = healthy();
        let environment = venv_of(&mut facts);
        for script in &mut environment.scripts {
            script.launch.root = Some(path(original));
            script.launch.root_state = Some(BakedState::OtherEnvironment);
            script.launch.interpreter = Some(path(original).join("bin/python"));
        }
        for activator in &mut environment.activators {
            activator.root = Some(path(original));
            activator.root_state = Some(BakedState::OtherEnvironment);
        }
        facts
    }

    #[test]
    fn fires_when_the_original_is_alive() {
        let mut facts = copied_from(ORIGINAL);
        facts.environments.push(venv(ORIGINAL));
        let found = CHECK.findings(&facts);
        assert_eq!(
            found[0].message,
            "/home/me/project/.venv is a copy of /home/me/original/.venv, and what its scripts install lands in the original"
        );
        assert!(!found[0].environments.contains(&HostPath::posix(ORIGINAL)));
    }

    #[test]
    fn quiet_when_the_original_is_gone() {
        let mut facts = copied_from(ORIGINAL);
        let environment = venv_of(&mut facts);
        for script in &mut environment.scripts {
            script.launch.root_state = Some(BakedState::Missing);
        }
        for activator in &mut environment.activators {
            activator.root_state = Some(BakedState::Missing);
        }
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_both_names_lead_to_one_environment() {
        let mut facts = copied_from(ORIGINAL);
        facts
            .environments
            .push(crate::facts::environment::Environment { real: Some(path(VENV)), ..venv(ORIGINAL) });
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_scripts_name_the_base_interpreter() {
        let mut facts = healthy();
        for script in &mut venv_of(&mut facts).scripts {
            script.launch.root = Some(path("/usr"));
            script.launch.root_state = Some(BakedState::OtherEnvironment);
            script.launch.interpreter = Some(path("/usr/bin/python3"));
        }
        assert!(CHECK.findings(&facts).is_empty());
    }
}
