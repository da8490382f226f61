//! The project has no environment: what is installed for it goes to an interpreter that everything shares. Or a
//! file that is about to be committed installs there.

use crate::diagnosis::install::create;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::parse::names::normalize_name;

use super::{pip, single_purpose, some_of};

mod committed;

pub static CHECK: Check = Check {
    id: "global-install",
    category: Category::Isolation,
    severity: Severity::Warning,
    summary: "Installs go to a Python that everything shares: the project has no environment, or a file says so",
    needs: &[Need::Project, Need::Installed, Need::Installers],
    explains: &[
        "pip-requires-virtualenv",
        "missing-requirement",
        "requirement-mismatch",
        "dependency-conflict",
        "unresolvable-import",
        "project-not-installed",
        "python-command-missing",
        "pip-elsewhere",
    ],
    explanation: r#"
## What it means
The project names packages that it needs, there is no environment for it, and `python` is an interpreter that every
project and perhaps the operating system share. An install for this project changes what all others import: two that need
different versions of one package cannot both work. Where the distributor marked its Python as externally managed (PEP 668:
Debian 12, Ubuntu 23.04, Fedora 38, Homebrew), pip refuses with `error: externally-managed-environment`.
`venv-doctor hook` says the same of files in a commit: of scripts, Makefiles, CI files and documents with `sudo pip
install`, `--user`, `--break-system-packages`, or a bare `pip install` while no environment is active.

## How it happens
The project was cloned and its packages were installed at once, or nobody made an environment yet.

## How to fix it
Make an environment, activate it, and install there:

    python3 -m venv .venv
    . .venv/bin/activate
    python -m pip install -r requirements.txt

On Debian and Ubuntu `python3-venv` must be installed. For a program rather than a library: `pipx install NAME` or
`uv tool install NAME`. `--break-system-packages` does what its name says: system tools that are written in Python may stop.
To be reminded in future: `python3 -m pip config set global.require-virtualenv true`.
In a script, name the environment's own Python: `.venv/bin/python -m pip install ...`. A line that is meant as it is gets
a comment with the reason, on the line or above it: `# venv-doctor: ignore[global-install] the image has one purpose`.

## When it is fine
In containers and CI jobs, where the whole machine serves one project; then this is information only, unless pip refuses
or a commit is looked at in a container.
Where `PYTHONPATH` provides all that the project names (Spack, module systems), and in the shells of Nix, Guix and Spack,
nothing is reported.
In a script that makes or activates an environment first, and for programs such as pipx and uv (`pip install --user pipx`).
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    without_environment(facts, findings);
    committed::examine(facts, findings);
}

fn without_environment(facts: &Facts, findings: &mut Findings) {
    let Some(root) = &facts.project.root else { return };
    let needs_packages =
        !facts.project.dependencies.is_empty() || !facts.project.requirement_files.is_empty();
    if !needs_packages
        || facts.project_environments().any(Environment::exists)
        || facts.project_runner().is_some()
        || facts.shell.set("VIRTUAL_ENV").is_some()
        || facts.chosen_conda().is_some()
        || facts.shell.environment_wrapper().is_some()
        || PACKAGE_SHELLS.iter().any(|name| facts.shell.set(name).is_some())
    {
        return;
    }
    let Some(running) = facts.running().filter(|running| !facts.is_chosen(running)) else { return };
    if !matches!(running.kind, EnvironmentKind::Installation | EnvironmentKind::Conda)
        || facts.import_setup.python_path.iter().any(|entry| {
            entry.directory.as_ref().is_some_and(|it| it.is_within(root)) && !entry.distributions.is_empty()
        })
        || is_brought_by_variable(facts)
    {
        return;
    }
    let Some(hit) = facts.shell_python().and_then(|command| command.chosen()) else { return };
    let lacking: Vec<String> = facts
        .project
        .dependencies
        .iter()
        .filter(|dependency| running.lacks(&dependency.name))
        .filter(|dependency| !is_on_python_path(facts, &dependency.name))
        .filter(|dependency| {
            facts.packages(&running.root).is_none_or(|known| known.distribution(&dependency.name).is_none())
        })
        .map(|dependency| dependency.name.clone())
        .collect();
    let refuses = is_externally_managed(facts, running) && !breaks_system(facts);
    let message = if refuses {
        format!("The project has no environment, and {} refuses to install packages for it", hit.path)
    } else {
        format!("The project has no environment: what it needs goes to {}, which everything shares", hit.path)
    };
    let severity = match () {
        () if facts.surroundings.ci.is_some() => Severity::Info,
        // whoever has commits looked at wants to be told in a container, too
        () if single_purpose(facts) && facts.commit.known().is_some() => Severity::Warning,
        // a container's Python is the project's own, unless the project cannot be installed there
        () if single_purpose(facts) && refuses && !lacking.is_empty() => Severity::Warning,
        () if single_purpose(facts) => Severity::Info,
        () if refuses && !lacking.is_empty() => Severity::Error,
        // all that it needs came with the distributor's own packages
        () if refuses && !facts.project.dependencies.is_empty() => Severity::Info,
        () => Severity::Warning,
    };
    let mut finding = Finding::new(&CHECK, Subject::Project(Some(root.clone())), message)
        .severity(severity)
        .about(&running.root)
        .evidence("python", hit.describe())
        .evidence("environments of the project", "none");
    if let Some(file) = facts.project.dependencies.first().map(|dependency| &dependency.file) {
        finding = finding.evidence("packages are named in", file.to_text());
    }
    if refuses {
        finding = finding.evidence("externally managed (PEP 668)", running.root.to_text());
    }
    if !lacking.is_empty() {
        finding = finding.evidence(format!("not in {}", running.root), some_of(&lacking));
    }
    if let Some(why) = facts.surroundings.container.as_ref().or(facts.surroundings.ci.as_ref()) {
        finding = finding.evidence("surroundings", why.clone());
    }
    let best = create(facts, &root.join(".venv")).unwrap_or_else(|| {
        Remedy::manual(
            "Make an environment for the project",
            vec![Action::Advice(
                "no installed Python can make one with pip: install python3-venv, or use `uv venv`"
                    .to_owned(),
            )],
        )
    });
    findings.push(finding.remedy(best));
}

/// Set inside the shells of package managers that give each project its own set of packages: `nix develop`,
/// `guix shell`, `spack env activate`.
const PACKAGE_SHELLS: [&str; 3] = ["IN_NIX_SHELL", "GUIX_ENVIRONMENT", "SPACK_ENV"];

/// Whether `PYTHONPATH` provides every dependency, as `spack load` and module systems arrange it: nothing is left to be
/// installed.
fn is_brought_by_variable(facts: &Facts) -> bool {
    let wanted = &facts.project.dependencies;
    !wanted.is_empty() && wanted.iter().all(|dependency| is_on_python_path(facts, &dependency.name))
}

fn is_on_python_path(facts: &Facts, normalized: &str) -> bool {
    let entries = facts.import_setup.python_path.iter();
    entries.flat_map(|entry| &entry.distributions).any(|(name, _)| normalize_name(name) == normalized)
}

fn is_externally_managed(facts: &Facts, running: &Environment) -> bool {
    let Some(shell) = facts.shell_python().and_then(|command| command.chosen()) else { return false };
    let real = facts.interpreter(&shell.path).and_then(|interpreter| interpreter.links.last());
    facts.installations.iter().any(|installation| {
        installation.externally_managed
            && (installation.interpreter.same_as(&shell.path)
                || real.is_some_and(|real| real.same_as(&installation.interpreter))
                || running.interpreters.iter().any(|own| own.same_as(&installation.interpreter)))
    })
}

fn breaks_system(facts: &Facts) -> bool {
    pip(facts)
        .and_then(|pip| pip.effective("install", "break-system-packages"))
        .is_some_and(|setting| setting.is_on())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example;
    use crate::facts::project::{Manager, ManagerKind};

    /// A project without an environment, on Debian.
    fn bare() -> Facts {
        let mut facts = example::not_activated();
        facts.environments.remove(0);
        facts.project.environments.clear();
        facts.patient = Some(example::path("/usr"));
        facts
    }

    #[test]
    fn fires_when_the_system_refuses() {
        let found = CHECK.findings(&bare());
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].message.contains("refuses"), "{}", found[0].message);
        assert!(matches!(
            found[0].remedies[0].actions[..],
            [Action::Run(_), Action::Activate { .. }, Action::Run(_)]
        ));
    }

    #[test]
    fn fires_as_a_warning_when_it_would_install() {
        let mut facts = bare();
        facts.installations[0].externally_managed = false;
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Warning);
    }

    #[test]
    fn fires_as_information_in_a_container_and_where_the_distributor_has_all() {
        let mut facts = bare();
        facts.surroundings.container = Some("/.dockerenv exists".into());
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Warning, "pip refuses there, too");
        facts.installations[0].externally_managed = false;
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Info);
        facts.commit = example::commit(&[]);
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Warning, "a commit is looked at");
        let mut facts = bare();
        facts.environments[0].installed = example::venv("/x").installed;
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Info);
    }

    #[test]
    fn quiet_when_there_is_an_environment() {
        assert!(CHECK.findings(&example::healthy()).is_empty());
        assert!(CHECK.findings(&example::not_activated()).is_empty());
    }

    #[test]
    fn quiet_when_pythonpath_brings_everything_or_a_package_manager_opened_the_shell() {
        let mut facts = bare();
        let mut entry = crate::facts::import_setup::PythonPathEntry {
            index: 0,
            raw: "/opt/view".into(),
            directory: Some(example::path("/opt/view")),
            relative: false,
            exists: true,
            version: None,
            distributions: vec![("Six".into(), "1.16.0".into())],
            modules: vec!["six".into()],
        };
        facts.import_setup.python_path = vec![entry.clone()];
        assert!(CHECK.findings(&facts).is_empty());
        entry.distributions[0].0 = "other".into();
        facts.import_setup.python_path = vec![entry];
        assert_eq!(CHECK.findings(&facts).len(), 1);
        example::set_variable(&mut facts, "IN_NIX_SHELL", "impure");
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_there_is_no_project_or_a_tool_runs_it() {
        let mut facts = bare();
        facts.project.root = None;
        assert!(CHECK.findings(&facts).is_empty());
        let mut facts = bare();
        facts.project.managers.push(Manager {
            kind: ManagerKind::Uv,
            evidence: example::path("/home/me/project/uv.lock"),
            available: true,
        });
        assert!(CHECK.findings(&facts).is_empty());
    }
}
