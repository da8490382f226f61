//! The creation of the environment was interrupted: no pip and no activate script, or no interpreter. Or `python` was
//! deleted from it.

use super::{severity, venvs, with_replacement};
use crate::diagnosis::install::fill;
use crate::diagnosis::recreate::moved_aside;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind, Layout};
use crate::facts::interpreter::{LinkEnd, Version};
use crate::facts::platform::System;

pub static CHECK: Check = Check {
    id: "incomplete-venv",
    category: Category::Interpreter,
    severity: Severity::Error,
    summary: "The environment was never finished: it has no pip and no activate script",
    needs: &[Need::Scripts, Need::Installed],
    explains: super::CANNOT_START,
    explanation: r#"
## What it means
`python -m venv` first writes `pyvenv.cfg` and the links to the interpreter, then installs pip, and writes the activate
scripts last. Here the first step is done and the last ones are not: `source .venv/bin/activate` says "No such file or
directory", and `python -m pip` "No module named pip".

## How it happens
Mostly on Debian and Ubuntu, where `ensurepip` is a package of its own: creation stops with "The virtual environment was
not created successfully because ensurepip is not available", and the half-made directory stays. Also: Ctrl-C, a full
disk, or a directory of which a part was deleted: where only `bin/python` went, `python3` still works there, and `python` is
the next one on `PATH`, outside of the environment.

## How to fix it
Install the missing part, then make the environment again; there is nothing in it to lose:

    sudo apt install python3.11-venv
    python3 -m venv --clear .venv

Without root: `uv venv --clear`, or `virtualenv .venv`, which bring their own pip or need none.

## When it is fine
Environments without pip are common (`uv venv`, `--without-pip`, pipx), but they have activate scripts; and tools
that make bare environments for themselves put packages into them. Neither is reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in venvs(facts) {
        let known = environment.kind == EnvironmentKind::Venv && environment.venv_config().is_some();
        if !known || !facts.in_use(environment) || environment.layout == Layout::Mixed {
            continue;
        }
        // what may not be listed is not missing
        if environment.scripts_error.is_some()
            || environment.libraries.iter().any(|library| !library.readable)
        {
            continue;
        }
        if let Some(finding) = without_python(facts, environment) {
            findings.push(finding);
            continue;
        }
        let no_interpreter = environment.interpreters.is_empty();
        let empty = environment.installed.is_empty()
            && environment.scripts.is_empty()
            && environment.libraries.iter().all(|library| library.entries == 0);
        let unfinished = empty && !environment.has_pip() && environment.activators.is_empty();
        let message = if no_interpreter {
            format!("{} has a pyvenv.cfg and no interpreter", environment.root)
        } else if unfinished {
            format!("{} was never finished: it has no pip and no activate script", environment.root)
        } else {
            continue;
        };
        let directory = environment.program("");
        let mut finding = Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message)
            .severity(severity(facts, environment));
        finding = if no_interpreter {
            finding.evidence("interpreters", format!("none in {directory}"))
        } else {
            finding
                .evidence("activate scripts", format!("none in {directory}"))
                .evidence("packages", "none, not even pip")
        };
        let version = environment.python_version();
        let splits = version.and_then(|version| splits_ensurepip(facts, environment, version));
        if let Some(package) = &splits {
            finding =
                finding.evidence("ensurepip", format!("missing from the base Python ({package} brings it)"));
        }
        findings.push(match finish(facts, environment, version, splits).filter(|_| unfinished) {
            Some(remedy) => finding.remedy(remedy),
            None => with_replacement(finding, facts, environment),
        });
    }
}

/// `python3` works and `python` is not there. A tool whose environments are to be activated makes both, and the
/// activated shell runs the next `python` on `PATH`.
fn without_python(facts: &Facts, environment: &Environment) -> Option<Finding> {
    let python = environment.program("python");
    let named = |name: &str| facts.interpreters_of(environment).find(|it| it.command_name() == name);
    let other = named("python3").filter(|it| it.can_start() && it.links.end == LinkEnd::File)?;
    let has_it = named("python").is_some() || environment.interpreters.iter().any(|it| it.same_as(&python));
    if environment.layout != Layout::Posix || has_it || environment.activators.is_empty() {
        return None;
    }
    let message = format!("{} is there, and no program {python} beside it", other.path);
    let active = facts.active().is_some_and(|active| active.is_at(&environment.root));
    let next = facts.command("python").and_then(|command| command.chosen());
    let mut finding = Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message)
        .severity(if active { Severity::Error } else { Severity::Warning })
        .evidence("interpreters", other.links_text());
    if let Some(next) = next.filter(|_| active) {
        finding = finding.evidence("`python` runs", next.describe());
    }
    let link = Action::run(["ln".into(), "-s".into(), "python3".into(), (&python).into()]);
    let then = if active { Action::Rehash } else { Action::activate(environment) };
    let actions = moved_aside(environment, &python).into_iter().chain([link, then]).collect();
    Some(finding.remedy(Remedy::safe("Put the missing link back", actions)))
}

/// The distribution's package with `ensurepip`, when the environment's base is the system's Python and lacks it.
fn splits_ensurepip(facts: &Facts, environment: &Environment, version: Version) -> Option<String> {
    let family = facts.platform.distribution.as_deref()?;
    let base = environment.home.as_ref()?.interpreter.as_ref()?;
    let lacks = facts.installations_of(version).any(|installation| {
        !installation.has_ensurepip && installation.interpreter.parent() == base.parent()
    });
    let debian = matches!(family, "debian" | "ubuntu" | "linuxmint" | "pop" | "raspbian" | "kali");
    (lacks && debian && base.to_text().starts_with("/usr/bin/"))
        .then(|| format!("python{}-venv", version.minor_text()))
}

/// The environment made again over itself: nothing is in it.
fn finish(
    facts: &Facts,
    environment: &Environment,
    version: Option<Version>,
    package: Option<String>,
) -> Option<Remedy> {
    if facts.platform.system == System::Windows {
        return None;
    }
    let complete = facts
        .installations_of(version?)
        .filter(|installation| installation.implementation.as_deref() == Some("cpython"))
        .find(|installation| installation.has_ensurepip);
    let root = &environment.root;
    let mut actions = Vec::new();
    let python = match (complete, package) {
        (Some(installation), _) => installation.interpreter.clone(),
        (None, Some(package)) => {
            actions.push(Action::run(["sudo".into(), "apt-get".into(), "install".into(), package.into()]));
            environment.home.as_ref()?.interpreter.clone()?
        }
        (None, None) => return None,
    };
    actions.push(Action::run([python.into(), "-m".into(), "venv".into(), "--clear".into(), root.into()]));
    actions.push(Action::activate_new(root));
    actions.extend(fill(facts, environment));
    Some(Remedy::review("Make the environment again: nothing is installed in it", actions))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::recreate::tests::words;
    use crate::facts::example::{healthy, venv_of, with_packages};

    fn interrupted(facts: &mut Facts) -> &mut Environment {
        let venv = venv_of(facts);
        venv.activators.clear();
        venv.scripts.clear();
        venv.installed.clear();
        venv.libraries[0].has_pip = false;
        venv.libraries[0].entries = 0;
        venv
    }

    #[test]
    fn what_the_project_declares_is_installed_too() {
        let mut facts = with_packages();
        interrupted(&mut facts);
        let commands = words(&CHECK.findings(&facts)[0].remedies[0]);
        assert_eq!(commands[1], "python -m pip install -r /home/me/project/requirements.txt");
        // what only a `pyproject.toml` lists is named
        facts.project.requirement_files.clear();
        facts.packages[0].sites[0].distributions.clear();
        facts.packages[0].sites[0].modules.clear();
        let commands = words(&CHECK.findings(&facts)[0].remedies[0]);
        assert_eq!(commands[1], "python -m pip install six");
        facts.project.requirements.clear();
        assert_eq!(words(&CHECK.findings(&facts)[0].remedies[0]).len(), 1);
    }

    #[test]
    fn fires_when_only_python_is_missing() {
        let mut facts = healthy();
        let python = venv_of(&mut facts).program("python");
        venv_of(&mut facts).interpreters.retain(|it| *it != python);
        facts.interpreters.retain(|it| it.path != python);
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].message.contains("no program /home/me/project/.venv/bin/python"), "{found:?}");
        let link = "ln -s python3 /home/me/project/.venv/bin/python";
        assert_eq!(words(&found[0].remedies[0]), [link]);
        // a link to a directory's path would be made inside of it
        venv_of(&mut facts).misplaced.push(python.clone());
        let aside = format!("mv {python} {python}.directory");
        assert_eq!(words(&CHECK.findings(&facts)[0].remedies[0]), [aside.as_str(), link]);
    }

    #[test]
    fn fires_when_ensurepip_failed() {
        let mut facts = healthy();
        interrupted(&mut facts);
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert!(found[0].message.ends_with("no pip and no activate script"));
        let Action::Run(words) = &found[0].remedies[0].actions[0] else { panic!("{found:?}") };
        assert_eq!(words[0], "/usr/bin/python3.11".into());
    }

    #[test]
    fn fires_when_debian_keeps_ensurepip_apart() {
        let mut facts = healthy();
        interrupted(&mut facts);
        facts.installations[0].has_ensurepip = false;
        let found = CHECK.findings(&facts);
        assert_eq!(
            found[0].remedies[0].actions[0],
            Action::run(["sudo".into(), "apt-get".into(), "install".into(), "python3.11-venv".into()])
        );
    }

    #[test]
    fn fires_when_the_interpreters_were_deleted() {
        let mut facts = healthy();
        venv_of(&mut facts).interpreters.clear();
        assert!(CHECK.findings(&facts)[0].message.ends_with("no interpreter"));
    }

    #[test]
    fn quiet_when_uv_made_it_without_pip() {
        let mut facts = healthy();
        let activators = venv_of(&mut facts).activators.clone();
        interrupted(&mut facts).activators = activators;
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_a_tool_fills_a_bare_environment() {
        let mut facts = healthy();
        let venv = interrupted(&mut facts);
        venv.libraries[0].entries = 7;
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_it_is_whole() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }
}
