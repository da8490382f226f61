//! The environment that `python` runs in has no pip, so the name `pip` falls through to another environment's.

use crate::diagnosis::reinstall::bring_pip;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind, Installed};
use crate::facts::search_path::{Command, Hit};
use crate::parse::names::normalize_name;
use crate::parse::pyvenv_cfg::Creator;

pub static CHECK: Check = Check {
    id: "environment-without-pip",
    category: Category::Isolation,
    severity: Severity::Error,
    summary: "The active environment has no pip, so `pip` is another environment's",
    needs: &[Need::Project, Need::Scripts, Need::Installed],
    explains: &["pip-elsewhere", "stacked-environments", "python-names-disagree", "global-install"],
    explanation: r#"
## What it means

The environment is active and has no pip of its own. The shell looks for `pip` further along `PATH` and finds
another Python's, so `pip install x` installs there, or is refused there with `externally-managed-environment`.
In the environment `import x` keeps failing, and `python -m pip` says `No module named pip`.

## How it happens

`uv venv` puts no pip into what it makes, because `uv pip` works from outside. `python -m venv --without-pip` puts none
in either, and `uv sync` takes one out that the lock file does not list. A conda environment has pip only when
Python was installed into it.

## How to fix it

With uv, keep using uv:

    uv pip install x
    uv add x                               # in a project with pyproject.toml

or give the environment a pip (the shell must then forget where it found the other one):

    python -m ensurepip --default-pip
    hash -r

`uv venv --seed` makes environments with pip. On Debian and Ubuntu `ensurepip` is in the package `python3-venv`.

## When it is fine

When nobody runs `pip` there: projects of uv, poetry, pdm and their like need none inside the environment.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    if facts.shell.environment_wrapper().is_some()
        || facts.falls_through("python")
        || facts.falls_through("python3")
    {
        return;
    }
    let Some(running) = facts.running().filter(|running| facts.is_chosen(running) && facts.starts(running))
    else {
        return;
    };
    if running.has_pip() || ["pip", "pip3"].iter().any(|name| running.has_program(name)) {
        return;
    }
    let told = running.libraries.iter().any(|library| library.readable && library.site_packages_exists);
    if !told || running.libraries.iter().any(|library| !library.readable) {
        return;
    }
    let other = ["pip", "pip3"].iter().find_map(|name| {
        let command = facts.command(name)?;
        Some((command, command.chosen()?))
    });
    if other.is_some_and(|(_, hit)| leads_into(facts, hit, running)) {
        return;
    }
    let message = match other {
        Some((command, hit)) => {
            format!("The environment {} has no pip, and `{}` is {}", running.root, command.name, hit.path)
        }
        None => format!("The environment {} has no pip", running.root),
    };
    let mut finding = Finding::new(&CHECK, Subject::Environment(running.root.clone()), message)
        .severity(severity(facts, running, other));
    if let Some((command, hit)) = other {
        finding = finding.evidence(&command.name, hit.describe());
        if let Some(root) = hit.leads_to.environment() {
            finding =
                finding.evidence(format!("`{}` installs into", command.name), root.to_text()).about(root);
        }
    }
    if let Some((command, hit)) = facts.shell_python().and_then(|command| Some((command, command.chosen()?)))
    {
        finding = finding.evidence(&command.name, hit.describe());
    }
    for library in &running.libraries {
        finding = finding.evidence("no pip in", library.site_packages.to_text());
    }
    if let Some(creator) = &running.creator {
        finding = finding.evidence("made by", creator.label());
    }
    if let Some(there) = other.and_then(|(_, hit)| gone_astray(facts, running, hit))
        && finding.severity > Severity::Info
    {
        finding = finding.evidence("installed there", there).explaining("missing-requirement");
    }
    findings.push(finding.remedy(give_pip(facts, running)).remedy(Remedy::manual(
        "Install with uv, which needs no pip in the environment",
        vec![Action::Advice(format!("uv pip install --python {} ...", running.root))],
    )));
}

/// What the project needs and its environment lacks, where all of it was installed into the environment that `pip`
/// installs into.
fn gone_astray(facts: &Facts, running: &Environment, pip: &Hit) -> Option<String> {
    let other = facts.environment(pip.leads_to.environment()?)?;
    let missing: Vec<&str> = facts
        .project
        .dependencies
        .iter()
        .map(|dependency| dependency.name.as_str())
        .filter(|name| running.lacks(name))
        .collect();
    // what the system's own packages brought was not meant for this environment
    let brought = |installed: &Installed| installed.metadata.to_text().starts_with("/usr/lib");
    let there = |name: &&str| {
        let shared = other.shared.known().into_iter().flatten();
        let mut installed = other.installed.iter().chain(shared).filter(|installed| !brought(installed));
        installed.any(|installed| normalize_name(&installed.name) == **name)
    };
    (!missing.is_empty() && missing.iter().all(there)).then(|| missing.join(", "))
}

fn leads_into(facts: &Facts, hit: &Hit, running: &Environment) -> bool {
    hit.leads_to.environment().is_some_and(|root| facts.same_environment(&running.root, root))
}

fn severity(facts: &Facts, running: &Environment, other: Option<(&Command, &Hit)>) -> Severity {
    let had_pip = running.creator == Some(Creator::Venv)
        && running
            .venv_config()
            .and_then(|config| config.command())
            .is_some_and(|command| !command.contains("--without-pip"));
    let runner = facts.project_runner().is_some_and(|manager| manager.kind.installs_by_itself());
    let elsewhere = other.is_some_and(|(_, hit)| hit.leads_to.environment().is_some());
    if !elsewhere || runner || running.kind == EnvironmentKind::Conda {
        Severity::Info
    } else if facts.installs_without_pip(running) {
        // packages came from somewhere: without pip, or with one that is gone
        if had_pip { Severity::Warning } else { Severity::Info }
    } else if matches!(running.creator, Some(Creator::Uv { .. })) {
        Severity::Warning
    } else {
        Severity::Error
    }
}

fn give_pip(facts: &Facts, running: &Environment) -> Remedy {
    let mut actions = bring_pip(facts, running, false);
    actions.push(Action::Rehash);
    Remedy::safe("Give the environment a pip of its own", actions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example;
    use crate::facts::project::{Manager, ManagerKind};

    /// An active environment without pip, and nothing installed.
    fn without_pip() -> Facts {
        let mut facts = example::healthy();
        let venv = example::venv_of(&mut facts);
        venv.scripts.clear();
        venv.installed.clear();
        venv.libraries[0].has_pip = false;
        venv.libraries[0].entries = 0;
        example::set_search_path(&mut facts, "/home/me/project/.venv/bin:/usr/local/bin:/usr/bin:/bin");
        facts
    }

    #[test]
    fn fires_when_pip_is_the_systems() {
        let found = CHECK.findings(&without_pip());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].message.ends_with("has no pip, and `pip` is /usr/bin/pip"), "{}", found[0].message);
        assert!(matches!(found[0].remedies[0].actions[..], [Action::Run(_), Action::Rehash]));
    }

    #[test]
    fn fires_as_a_warning_when_uv_made_it_and_nothing_is_installed() {
        let mut facts = without_pip();
        example::venv_of(&mut facts).creator = Some(Creator::Uv { version: "0.8.0".into() });
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Warning);
    }

    #[test]
    fn accounts_for_a_requirement_that_went_to_the_other_environment() {
        let mut facts = without_pip();
        let six = example::venv("/x").installed.remove(1);
        let mut at = |metadata: &str| {
            let metadata = example::path(metadata);
            let usr = example::path("/usr");
            let system = facts.environments.iter_mut().find(|one| one.is_at(&usr)).unwrap();
            system.installed = vec![Installed { metadata, ..six.clone() }];
            CHECK.findings(&facts)[0].explains.clone()
        };
        assert!(at("/usr/lib/python3/dist-packages/six-1.16.0.dist-info").is_empty());
        let explained = at("/usr/local/lib/python3.11/dist-packages/six-1.16.0.dist-info");
        assert_eq!(explained, ["missing-requirement"]);
    }

    #[test]
    fn fires_as_information_when_packages_come_without_pip() {
        let mut facts = without_pip();
        facts.project.managers.push(Manager {
            kind: ManagerKind::Uv,
            evidence: example::path("/home/me/project/uv.lock"),
            available: true,
        });
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Info);
        let mut facts = without_pip();
        let venv = example::venv_of(&mut facts);
        venv.creator = Some(Creator::Uv { version: "0.8.0".into() });
        venv.installed = example::venv("/x").installed.split_off(1);
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Info);
    }

    #[test]
    fn quiet_when_the_environment_has_pip() {
        assert!(CHECK.findings(&example::healthy()).is_empty());
    }

    #[test]
    fn quiet_when_the_environment_is_not_active() {
        let mut facts = without_pip();
        example::unset_variable(&mut facts, "VIRTUAL_ENV");
        example::set_search_path(&mut facts, "/usr/local/bin:/usr/bin:/bin");
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_its_packages_cannot_be_read() {
        let mut facts = without_pip();
        example::venv_of(&mut facts).libraries[0].readable = false;
        assert!(CHECK.findings(&facts).is_empty());
    }
}
