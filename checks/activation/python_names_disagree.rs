//! `python`, `python3`, `pip` and `pip3` do not all lead to the same environment.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::facts::interpreter::Version;
use crate::facts::search_path::{Command, Hit};
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "python-names-disagree",
    category: Category::Activation,
    severity: Severity::Warning,
    summary: "`python`, `python3`, `pip` and `pip3` do not all lead to the same environment",
    needs: &[Need::Project, Need::Scripts],
    explains: &[],
    explanation: r#"
## What it means

The shell looks every name up by itself, and here the names end in different environments: `python x.py` works and
`python3 x.py` does not, or what `pip3` installs is not what `python` imports.

## How it happens

A directory before the environment on `PATH` has some of the names only. Debian's `/usr/bin` has `python3` and
`pip3` and no `python`; Homebrew and python.org install versioned names and `python3`. Scripts that start with
`#!/usr/bin/env python3` are looked up the same way, so they too run in the other environment.

## How to fix it

Put the environment's programs first, which activating it does:

    . .venv/bin/activate

and see what each name is:

    type -a python python3 pip pip3       # bash, zsh
    Get-Command python, pip -All          # PowerShell

`python -m pip` always installs where `python` imports from.

## When it is fine

Outside any environment `python` may be Python 2 by the distribution's choice. An environment of Python 2.7 has no
`python3`, and a venv on Windows has none either. Two global Pythons under two names are only worth knowing, and so
is a script called `python` that starts the environment's: somebody put it there on purpose.
"#,
    examine,
};

const NAMES: [&str; 4] = ["python", "python3", "pip", "pip3"];

/// A name, what the shell runs for it, and the environment that this leads to.
type Lead<'a> = (&'a str, &'a Hit, &'a HostPath);

fn examine(facts: &Facts, findings: &mut Findings) {
    let found: Vec<Lead<'_>> = NAMES
        .into_iter()
        .filter(|name| !facts.falls_through(name))
        .filter_map(|name| {
            let hit = facts.command(name).and_then(Command::chosen)?;
            Some((name, hit, hit.leads_to.environment()?))
        })
        .collect();
    let chosen = found
        .iter()
        .find_map(|(_, _, root)| facts.environment(root).filter(|environment| facts.is_chosen(environment)));
    match chosen {
        Some(environment) => in_environment(facts, environment, &found, findings),
        None => among_global(facts, &found, findings),
    }
}

/// Names that the environment has, and that lead elsewhere.
fn in_environment(facts: &Facts, environment: &Environment, found: &[Lead<'_>], findings: &mut Findings) {
    if !facts.starts(environment) {
        return;
    }
    let (same, other): (Vec<Lead<'_>>, Vec<Lead<'_>>) = found
        .iter()
        .copied()
        .filter(|(name, ..)| environment.has_program(name))
        .partition(|(_, _, root)| facts.same_environment(&environment.root, root));
    let names: Vec<&str> = other.iter().map(|(name, ..)| *name).collect();
    let right: Vec<&str> = same.iter().map(|(name, ..)| *name).collect();
    let Some((_, _, elsewhere)) = other.first() else { return };
    if right.is_empty() {
        return;
    }
    let message = format!("{} to {}, and {} to {elsewhere}", leads(&right), environment.root, leads(&names),);
    let severity =
        if same.iter().all(|(_, hit, _)| hit.stands_in()) { Severity::Info } else { CHECK.severity };
    findings.push(
        tell(
            found,
            Finding::new(&CHECK, Subject::Shell, message).severity(severity).about(&environment.root),
        )
        .remedy(Remedy::safe(
            "Put the environment's programs first",
            vec![Action::PutFirst(environment.program("").normalized())],
        )),
    );
}

/// `python` and `python3` of two installations of Python 3.
fn among_global(facts: &Facts, found: &[Lead<'_>], findings: &mut Findings) {
    let named = |name: &str| found.iter().find(|(known, ..)| *known == name);
    let Some(((_, python, one), (_, python3, two))) = named("python").zip(named("python3")) else { return };
    let modern = |hit: &Hit| version(facts, hit).is_some_and(|version| version.major >= 3);
    if facts.same_environment(one, two) || !modern(python) || !modern(python3) {
        return;
    }
    let message = format!("`python` leads to {one}, and `python3` to {two}");
    findings.push(
        tell(found, Finding::new(&CHECK, Subject::Shell, message).severity(Severity::Info)).remedy(
            Remedy::manual(
                "Use an environment, where the names agree",
                vec![Action::Advice("python3 -m venv .venv, and activate it".to_owned())],
            ),
        ),
    );
}

fn version(facts: &Facts, hit: &Hit) -> Option<Version> {
    facts.interpreter(&hit.path)?.version
}

fn leads(names: &[&str]) -> String {
    format!("{} {}", super::listed(names), if names.len() == 1 { "leads" } else { "lead" })
}

fn tell(found: &[Lead<'_>], mut finding: Finding) -> Finding {
    for (name, hit, root) in found {
        finding = finding.evidence(*name, hit.describe()).about(root);
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{self, VENV, path};
    use crate::facts::search_path::Target;

    /// `/usr/bin` comes before an environment that nothing claims and that is not the project's.
    fn split() -> Facts {
        let mut facts = example::healthy();
        facts.project.environments.clear();
        example::unset_variable(&mut facts, "VIRTUAL_ENV");
        example::set_search_path(&mut facts, "/usr/bin:/home/me/project/.venv/bin");
        facts
    }

    #[test]
    fn fires_when_names_are_split_between_the_system_and_an_environment() {
        let found = CHECK.findings(&split());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Warning);
        assert_eq!(
            found[0].message,
            format!("`python` leads to {VENV}, and `python3`, `pip` and `pip3` lead to /usr")
        );
    }

    #[test]
    fn fires_as_information_when_a_script_stands_in_for_python() {
        let mut facts = split();
        for hit in facts.commands.iter_mut().flat_map(|command| &mut command.hits) {
            if hit.path.name() == "python" {
                hit.leads_to = Target::Script {
                    interpreter: path(VENV).join("bin/python"),
                    runnable: true,
                    environment: Some(path(VENV)),
                };
            }
        }
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Info);
    }

    #[test]
    fn quiet_when_every_name_leads_to_one_environment() {
        assert!(CHECK.findings(&example::healthy()).is_empty());
        assert!(CHECK.findings(&example::not_activated()).is_empty());
    }

    #[test]
    fn quiet_when_the_environment_lacks_the_names() {
        let mut facts = split();
        let venv = example::venv_of(&mut facts);
        venv.scripts.clear();
        venv.interpreters.retain(|python| python.name() == "python");
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_an_interpreter_is_broken() {
        let mut facts = example::healthy();
        example::interpreters_of(&mut facts).for_each(|python| python.executable = false);
        example::set_search_path(&mut facts, "/home/me/project/.venv/bin:/usr/bin");
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn fires_as_information_when_two_installations_share_the_names() {
        let mut facts = example::not_activated();
        facts.interpreters.push(example::interpreter("/usr/local/bin/python", Some("/usr/local")));
        let hit = Hit {
            entry: 0,
            path: path("/usr/local/bin/python"),
            state: crate::facts::search_path::HitState::Runnable,
            leads_to: crate::facts::search_path::Target::Interpreter {
                environment: Some(path("/usr/local")),
            },
        };
        facts.commands[0].hits.push(hit);
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Info);
        facts.interpreters.last_mut().unwrap().version = Some(Version::new(2, 7, None));
        assert!(CHECK.findings(&facts).is_empty());
    }
}
