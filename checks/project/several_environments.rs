//! The project has more than one environment, and the one at work is not the one with the dependencies.

use super::{LISTED, few};
use crate::diagnosis::recreate::back_in_the_shell;
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::Environment;

pub static CHECK: Check = Check {
    id: "several-environments",
    category: Category::Project,
    severity: Severity::Warning,
    summary: "The project has several environments, and the active one is not the one with the dependencies",
    needs: &[Need::Project, Need::Installed],
    explains: &[
        "missing-requirement",
        "requirement-mismatch",
        "unresolvable-import",
        "project-not-installed",
    ],
    explanation: r#"
## What it means

The project has, for example, `venv` and `.venv`. The dependencies are installed in one, and this shell works in the
other, which lacks them: imports fail although everything "is installed".

## How it happens

Two guides, two names: one says `python -m venv venv`, the other `.venv`; `uv` and editors make `.venv` by themselves.

## How to fix it

Activate the one with the dependencies, and remove the other when you are sure that nothing uses it:

    deactivate
    source venv/bin/activate

## When it is fine

Environments for different purposes (documentation, several Pythons, tox) beside each other are normal. Only an active
one that lacks what the project declares, and another has, is reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let own = || facts.project_environments().filter(|environment| environment.is_venv());
    let is_own = |environment: &Environment| own().any(|other| other.is_at(&environment.root));
    let Some(working) = facts.working_environment().filter(|environment| is_own(environment)) else { return };
    if facts.shell.environment_wrapper().is_some() {
        return;
    }
    let others = own().filter(|other| !other.is_at(&working.root) && facts.starts(other));
    let better = others
        .filter(|other| facts.lacking(other, working).is_empty())
        .map(|other| (facts.lacking(working, other), other))
        .max_by_key(|(lacking, _)| lacking.len())
        .filter(|(lacking, _)| !lacking.is_empty());
    let Some((lacking, better)) = better else { return };
    let mut names: Vec<&str> = lacking.iter().map(|needed| needed.name).collect();
    names.dedup();
    let mut finding = Finding::new(
        &CHECK,
        Subject::Environment(working.root.clone()),
        format!("This shell works in {}, and {} is installed in {}", working.root, few(&names), better.root),
    )
    .about(&better.root);
    for needed in lacking.iter().take(LISTED) {
        let line = needed.line.map_or_else(String::new, |line| format!(" (line {line})"));
        finding = finding.evidence("needed", format!("{} in {}{line}", needed.name, needed.file));
    }
    let remedy = Remedy::safe(
        format!("Activate {}, which has the dependencies", better.root),
        back_in_the_shell(facts, better),
    );
    findings.push(finding.evidence("lacking in", working.root.to_text()).remedy(remedy));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{healthy, path, venv, venv_of};

    const SECOND: &str = "/home/me/project/venv";

    /// The active `.venv` is empty; `venv` has six.
    fn two() -> Facts {
        let mut facts = healthy();
        facts.environments.push(venv(SECOND));
        facts.project.environments.push(path(SECOND));
        facts
            .interpreters
            .push(crate::facts::example::interpreter("/home/me/project/venv/bin/python", Some(SECOND)));
        venv_of(&mut facts).installed.truncate(1);
        facts
    }

    #[test]
    fn fires_when_the_other_has_the_dependencies() {
        let found = CHECK.findings(&two());
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].message,
            "This shell works in /home/me/project/.venv, and six is installed in /home/me/project/venv"
        );
    }

    #[test]
    fn quiet_when_the_active_one_has_them_too() {
        let mut facts = two();
        venv_of(&mut facts).installed = venv(SECOND).installed;
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_there_is_one_environment() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }
}
