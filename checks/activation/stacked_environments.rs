//! Two environments lie on `PATH`, and a command that the first lacks falls through to the second.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::facts::search_path::Hit;

pub static CHECK: Check = Check {
    id: "stacked-environments",
    category: Category::Activation,
    severity: Severity::Warning,
    summary: "Two environments are on PATH, and a command falls through to the outer one",
    needs: &[Need::Project, Need::Scripts, Need::Installed],
    explains: &["pip-elsewhere", "python-names-disagree"],
    explanation: r#"
## What it means

`PATH` holds the programs of two environments. `python` comes from the first, and a program that the first does not
have (`pip`, say) comes from the second without a word. What it installs or imports is in the second environment.

## How it happens

A shell was started inside an activated one and another environment was activated there: the inner `activate` knows
nothing of the outer, so both stay on `PATH`. (In one and the same shell `activate` takes the former one off first.)

## How to fix it

Leave the outer environment: end the inner shell (`exit`), `deactivate`, and activate again. Or give the inner one the
program that it lacks:

    python -m ensurepip --default-pip
    hash -r

In an environment of uv, `uv pip install x` needs no pip inside; `uv venv --seed` puts one in.

## When it is fine

An environment of tools that is kept last on `PATH` on purpose is fine as long as nothing that matters to the inner
one falls through to it; only `python3`, `pip` and `pip3` count here.
"#,
    examine,
};

const NAMES: [&str; 3] = ["python3", "pip", "pip3"];

fn examine(facts: &Facts, findings: &mut Findings) {
    if facts.shell.environment_wrapper().is_some()
        || ["python", "python3"].iter().any(|name| facts.falls_through(name))
    {
        return;
    }
    let Some(inner) = facts.running().filter(|inner| facts.is_chosen(inner) && facts.starts(inner)) else {
        return;
    };
    let Some(own) = facts.search_entry(inner) else { return };
    let has_pip = ["pip", "pip3"].iter().any(|name| inner.has_program(name));
    let fallen: Vec<(&str, &Hit, &Environment)> = NAMES
        .into_iter()
        .filter(|name| if name.starts_with("pip") { !has_pip } else { !inner.has_program(name) })
        .filter_map(|name| {
            let command = facts.command(name)?;
            let hit = command.chosen().filter(|hit| hit.entry > own.index)?;
            let outer = facts.environment_of(command)?;
            (facts.is_chosen(outer) && !outer.is_at(&inner.root)).then_some((name, hit, outer))
        })
        .collect();
    let Some((_, _, outer)) = fallen.first() else { return };
    let names: Vec<&str> = fallen.iter().map(|(name, ..)| *name).collect();
    let unused = names.iter().all(|name| name.starts_with("pip")) && facts.installs_without_pip(inner);
    let mut finding = Finding::new(
        &CHECK,
        Subject::Shell,
        format!(
            "Two environments are on PATH: `python` runs in {}, and {} in {}",
            inner.root,
            super::listed(&names),
            outer.root
        ),
    )
    .severity(if unused { Severity::Info } else { Severity::Warning })
    .about(&inner.root)
    .about(&outer.root)
    .evidence("inner environment", format!("{} (entry {} of PATH)", inner.root, own.index + 1));
    for (name, hit, _) in &fallen {
        finding = finding.evidence(*name, hit.describe());
    }
    if let Some(level) = facts.shell.set("SHLVL").filter(|level| *level != "1") {
        finding = finding.evidence("SHLVL", format!("{level}: a shell inside a shell"));
    }
    if let Some(entry) = facts.search_entry(outer) {
        finding = finding.remedy(Remedy::safe(
            format!("Take {} off PATH", outer.root),
            vec![Action::RemoveFromPath { raw: entry.raw.as_str().into() }],
        ));
    }
    findings.push(finding);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example;

    /// The project's environment lies on `PATH` before another.
    fn stacked(with_pip: bool) -> Facts {
        let mut facts = example::healthy();
        facts.environments.push(example::venv("/home/me/outer/.venv"));
        if !with_pip {
            let inner = example::venv_of(&mut facts);
            inner.scripts.clear();
            inner.libraries[0].has_pip = false;
            inner.installed.clear();
        }
        example::set_search_path(&mut facts, "/home/me/project/.venv/bin:/home/me/outer/.venv/bin:/usr/bin");
        facts
    }

    #[test]
    fn fires_when_pip_falls_through_to_the_outer_environment() {
        let found = CHECK.findings(&stacked(false));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Warning);
        assert!(
            found[0].message.ends_with("`pip` and `pip3` in /home/me/outer/.venv"),
            "{}",
            found[0].message
        );
    }

    #[test]
    fn fires_as_information_when_packages_come_without_pip() {
        let mut facts = stacked(false);
        facts.environments[0].installed = example::venv("/x").installed.split_off(1);
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Info);
    }

    #[test]
    fn quiet_when_the_inner_environment_has_every_name() {
        assert!(CHECK.findings(&stacked(true)).is_empty());
    }

    #[test]
    fn quiet_when_there_is_one_environment() {
        assert!(CHECK.findings(&example::healthy()).is_empty());
        assert!(CHECK.findings(&example::not_activated()).is_empty());
    }
}
