//! The active environment belongs to another project, and this project has its own.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind};

pub static CHECK: Check = Check {
    id: "wrong-environment-active",
    category: Category::Activation,
    severity: Severity::Warning,
    summary: "The active environment belongs to another project, and this project has its own",
    needs: &[Need::Project, Need::Scripts, Need::Installed],
    explains: &["tool-outside-environment", "stacked-environments", "environment-without-pip"],
    explanation: r#"
## What it means

An environment is active, and it is not this project's, although this project has one. `python` imports the other
project's packages, perhaps in other versions, and `pip install` changes the other project. `uv` says that
`VIRTUAL_ENV` "does not match the project environment path" and ignores it.

## How it happens

`cd` does not change what is active: the environment of the project that you worked on before stays active until
`deactivate`. New tmux panes and terminals opened from an editor inherit it too.

## How to fix it

    deactivate
    . .venv/bin/activate

Activating the project's environment is enough: the script takes the other one off `PATH` first where it was
activated in the same shell. direnv or an editor's workspace settings do it whenever you enter the directory.

## When it is fine

When the project has no environment of its own nothing is reported: a shared environment, one from
virtualenvwrapper, or one at the top of a monorepo is as good. An environment below the project (tox, nox), one that
bears the project's name, and one in which the project is installed as editable all belong to it.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(own) = facts.own_environment() else { return };
    if facts.shell.environment_wrapper().is_some() || facts.shell.under_sudo() {
        return;
    }
    let Some(active) = facts.running().filter(|running| facts.is_chosen(running)) else { return };
    let conflicting = facts.shell.set("VIRTUAL_ENV").is_some()
        && !facts.claimed().is_some_and(|claimed| claimed.is_at(&active.root));
    if conflicting || facts.belongs_to_project(active) || !facts.can_be_activated(own) {
        return;
    }
    let lacking = facts.lacking(active, own);
    let severity = if serves_here_too(facts, active) {
        Severity::Info
    } else if !lacking.is_empty() {
        Severity::Error
    } else {
        Severity::Warning
    };
    let variable = ["VIRTUAL_ENV", "CONDA_PREFIX"]
        .into_iter()
        .find(|name| facts.shell.path_variable(name).is_some_and(|root| active.is_at(&root)));
    let mut finding = Finding::new(
        &CHECK,
        Subject::Shell,
        format!("{} is active, and this project's environment is {}", active.root, own.root),
    )
    .severity(severity)
    .about(&own.root)
    .about(&active.root)
    .evidence(
        "active environment",
        match variable {
            Some(name) => format!("{} ({name})", active.root),
            None => format!("{} (first on PATH)", active.root),
        },
    )
    .evidence("project environment", own.root.to_text());
    if let Some((command, hit)) = facts.shell_python().and_then(|command| Some((command, command.chosen()?)))
    {
        finding = finding.evidence(&command.name, hit.describe());
    }
    for needed in lacking.iter().take(3) {
        finding = finding.evidence(
            format!("missing in {}", active.root),
            match needed.line {
                Some(line) => format!("{} ({}, line {line})", needed.name, needed.file),
                None => format!("{} ({})", needed.name, needed.file),
            },
        );
    }
    let leave = Action::deactivate(active);
    let actions = match active.kind {
        // conda's own `deactivate` is for the person to run: it goes back to the environment before
        EnvironmentKind::Conda => vec![Action::activate(own)],
        _ => vec![leave, Action::activate(own)],
    };
    findings.push(finding.remedy(Remedy::safe("Activate this project's environment instead", actions)));
}

/// An environment that need not be another project's: one of an enclosing directory, of conda, or of an image.
fn serves_here_too(facts: &Facts, active: &Environment) -> bool {
    let encloses = active.root.parent().zip(facts.project.root.as_ref()).is_some_and(|(place, project)| {
        project.is_within(&place) && !facts.home.as_ref().is_some_and(|home| home.same_as(&place))
    });
    let of_the_image = facts.shell.set("VIRTUAL_ENV").is_none() && facts.surroundings.container.is_some();
    encloses || active.kind == EnvironmentKind::Conda || of_the_image || facts.surroundings.ci.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::environment::Installed;
    use crate::facts::example::{self, PROJECT, VENV, path};
    use crate::facts::shell::Wrapper;

    fn active(root: &str) -> Facts {
        let mut facts = example::not_activated();
        facts.environments.push(example::venv(root));
        example::set_variable(&mut facts, "VIRTUAL_ENV", root);
        example::set_search_path(&mut facts, &format!("{root}/bin:/usr/local/bin:/usr/bin:/bin"));
        facts
    }

    #[test]
    fn fires_when_another_projects_environment_is_active() {
        let found = CHECK.findings(&active("/home/me/other/.venv"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Warning);
        let Some(Action::Activate { root, .. }) = found[0].remedies[0].actions.last() else {
            panic!("no activation")
        };
        assert_eq!(root, &path(VENV));
    }

    #[test]
    fn fires_as_an_error_when_it_lacks_what_the_project_needs() {
        let mut facts = active("/home/me/other/.venv");
        facts.environments[2].installed.retain(|distribution| distribution.name == "pip");
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Error);
    }

    #[test]
    fn quiet_when_the_project_has_no_environment() {
        let mut facts = active("/home/me/.virtualenvs/shared");
        facts.project.environments.clear();
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_active_environment_belongs_to_the_project() {
        assert!(CHECK.findings(&example::healthy()).is_empty());
        assert!(CHECK.findings(&active("/home/me/project/.tox/py311")).is_empty());
        assert!(CHECK.findings(&active("/home/me/.virtualenvs/project")).is_empty());
        let mut facts = active("/home/me/.virtualenvs/shared");
        let metadata = path("/home/me/.virtualenvs/shared/lib/python3.11/site-packages/thing-1.dist-info");
        facts.environments[2].installed.push(Installed {
            name: "thing".into(),
            version: "1".into(),
            metadata,
            editable: Some(PROJECT.into()),
            direct_url: None,
            requested: true,
        });
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_inside_a_tool_that_brings_an_environment() {
        let mut facts = active("/home/me/.cache/uv/environments/tool");
        facts.shell.wrappers.push(Wrapper::UvRun);
        assert!(CHECK.findings(&facts).is_empty());
    }
}
