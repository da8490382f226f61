//! `VIRTUAL_ENV` names one environment, `PATH` runs another: uv and editors follow the first, python and pip the second.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::search_path::Target;

pub static CHECK: Check = Check {
    id: "conflicting-activation",
    category: Category::Activation,
    severity: Severity::Error,
    summary: "VIRTUAL_ENV names one environment and PATH runs another",
    needs: &[Need::Project, Need::Scripts, Need::Installed],
    explains: &[
        "wrong-environment-active",
        "lost-activation",
        "shadowed-environment",
        "stacked-environments",
        "pip-elsewhere",
        "python-names-disagree",
        "tool-outside-environment",
    ],
    explanation: r#"
## What it means

Two environments are half active. `python` and `pip` are found by `PATH` and belong to one; `VIRTUAL_ENV` names the
other. The prompt, editors and `uv pip` go by `VIRTUAL_ENV`, Python and pip never read it. So `uv pip install x`
succeeds in one environment, and `import x` fails in the other.

## How it happens

A shell was started inside an activated one and changed only one of the two variables: a start-up file or an editor
puts a fixed environment first on `PATH`, `VIRTUAL_ENV` was exported by hand, or a conda environment was activated
over a venv (conda leaves `VIRTUAL_ENV` as it is).

## How to fix it

Activate the environment that you want in this shell; its script sets both:

    . .venv/bin/activate

If it comes back in a new shell, look in your start-up files for a line that sets `VIRTUAL_ENV` or puts an
environment's `bin` on `PATH`, and take it out.

## When it is fine

A venv on `PATH` with `VIRTUAL_ENV` unset is fine (Dockerfiles do that), and so are two spellings of one place.
Inside `conda run`, `tox` and the like the tool decides, and nothing is reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    if facts.shell.environment_wrapper().is_some() || facts.shell.under_sudo() {
        return;
    }
    let Some(claimed) =
        facts.claimed().filter(|claimed| claimed.is_venv() || claimed.kind == EnvironmentKind::Conda)
    else {
        return;
    };
    let Some(command) = facts.shell_python() else { return };
    let Some((hit, running)) = command.chosen().zip(facts.running()) else { return };
    let shim = matches!(hit.leads_to, Target::Shim { .. });
    if shim || running.is_at(&claimed.root) || !facts.is_chosen(running) || !facts.starts(claimed) {
        return;
    }
    let wanted = wanted(facts, claimed, running);
    let other = if wanted.is_at(&claimed.root) { running } else { claimed };
    let mut finding = Finding::new(
        &CHECK,
        Subject::Shell,
        format!("VIRTUAL_ENV names {}, and `{}` runs in {}", claimed.root, command.name, running.root),
    )
    .about(&claimed.root)
    .about(&running.root)
    .evidence("VIRTUAL_ENV", claimed.root.to_text())
    .evidence(&command.name, hit.describe());
    if let Some(pip) = facts.command("pip").and_then(|pip| pip.chosen()) {
        finding = finding.evidence("pip", pip.describe());
    }
    let activate = |environment: &Environment| {
        Remedy::safe(
            format!("Activate {}: both variables then name it", environment.root),
            vec![Action::activate(environment)],
        )
    };
    finding = finding.remedy(activate(wanted));
    if facts.can_be_activated(other) {
        finding = finding.remedy(activate(other));
    }
    findings.push(finding);
}

/// The project's of the two, else the project's own, else the one that was activated.
fn wanted<'a>(facts: &'a Facts, claimed: &'a Environment, running: &'a Environment) -> &'a Environment {
    let good = |environment: &&Environment| {
        facts.belongs_to_project(environment) && facts.can_be_activated(environment)
    };
    [claimed, running]
        .into_iter()
        .find(good)
        .or_else(|| facts.own_environment().filter(good))
        .unwrap_or(claimed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{self, VENV, path};
    use crate::facts::shell::Wrapper;

    const OTHER: &str = "/home/me/other/.venv";

    /// `VIRTUAL_ENV` names the project's environment, another comes first on `PATH`.
    fn conflict() -> Facts {
        let mut facts = example::healthy();
        facts.environments.push(example::venv(OTHER));
        example::set_search_path(&mut facts, "/home/me/other/.venv/bin:/home/me/project/.venv/bin:/usr/bin");
        facts
    }

    #[test]
    fn fires_when_path_runs_another_environment() {
        let found = CHECK.findings(&conflict());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].environments, [path(VENV), path(OTHER)]);
        let Action::Activate { root, .. } = &found[0].remedies[0].actions[0] else { panic!("no activation") };
        assert_eq!(root, &path(VENV));
    }

    #[test]
    fn fires_and_activates_the_projects_when_path_has_it() {
        let mut facts = example::healthy();
        let mut other = example::venv(OTHER);
        for name in ["python", "python3"] {
            facts.interpreters.push(example::interpreter(&format!("{OTHER}/bin/{name}"), Some(OTHER)));
        }
        other.installed.clear();
        facts.environments.push(other);
        example::set_variable(&mut facts, "VIRTUAL_ENV", OTHER);
        let found = CHECK.findings(&facts);
        let Action::Activate { root, .. } = &found[0].remedies[0].actions[0] else { panic!("no activation") };
        assert_eq!(root, &path(VENV));
    }

    #[test]
    fn quiet_when_nothing_claims_to_be_active() {
        let mut facts = conflict();
        example::unset_variable(&mut facts, "VIRTUAL_ENV");
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_both_name_one_place() {
        let mut facts = example::healthy();
        assert!(CHECK.findings(&facts).is_empty());
        example::set_variable(&mut facts, "VIRTUAL_ENV", "/home/me/project/./.venv/");
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_inside_a_tool_that_brings_an_environment() {
        let mut facts = conflict();
        facts.shell.wrappers.push(Wrapper::CondaRun);
        assert!(CHECK.findings(&facts).is_empty());
    }
}
