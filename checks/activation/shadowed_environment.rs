//! The active environment is on `PATH`, behind another directory that also has python or pip.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::search_path::{DirectoryOwner, Hit, SearchEntry, Target};

pub static CHECK: Check = Check {
    id: "shadowed-environment",
    category: Category::Activation,
    severity: Severity::Error,
    summary: "Another directory with python or pip comes before the active environment on PATH",
    needs: &[Need::Project, Need::Scripts, Need::Installed],
    explains: &[
        "pip-elsewhere",
        "python-names-disagree",
        "global-install",
        "tool-outside-environment",
        "stacked-environments",
    ],
    explanation: r#"
## What it means

The environment is active and its programs are on `PATH`, but a directory before them has programs of the same
names. The shell takes the first it finds, so `python` or `pip` is not the environment's, whatever the prompt says.
A directory may hold some of the names only: Debian's `/usr/bin` has `python3` and `pip3` and no `python`, so in
front of an environment it splits the names between the two.

## How it happens

A start-up file puts its directory first again after the activation: `eval "$(pyenv init -)"`, `mise activate`,
`conda init`, Homebrew's `shellenv`, or a plain `export PATH="$HOME/.local/bin:$PATH"`. This happens when a shell is
started from an activated one, or when an editor activates before the start-up files run. Or the environment was
appended (`PATH="$PATH:/venv/bin"`) where it should have been put first.

## How to fix it

Now, in this shell:

    export PATH="$VIRTUAL_ENV/bin:$PATH"

For good: let the line in the start-up file run before activation, or append its directory instead of putting it
first. For conda: `conda config --set auto_activate_base false`. `type -a python` lists every match in order.

## When it is fine

When the program in front leads into the same environment: pyenv-virtualenv keeps its shims first on purpose, and
they start the environment's Python. A directory in front without python and pip does no harm.
"#,
    examine,
};

const NAMES: [&str; 4] = ["python", "python3", "pip", "pip3"];

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(wanted) = wanted(facts) else { return };
    if !facts.starts(wanted) || another_was_chosen(facts, wanted) {
        return;
    }
    let Some(own) = facts.search_entry(wanted) else { return };
    let mut hiding: Vec<(&str, &Hit)> = Vec::new();
    for name in NAMES.into_iter().filter(|name| wanted.has_program(name)) {
        if let Some(hit) = facts.command(name).and_then(|command| command.chosen())
            && hit.entry < own.index
            && !leads_into(facts, hit, wanted)
        {
            hiding.push((name, hit));
        }
    }
    let Some((_, first)) = hiding.first() else { return };
    let sure = hiding.iter().any(|(_, hit)| is_known(hit));
    let names: Vec<&str> = hiding.iter().map(|(name, _)| *name).collect();
    let Some(front) = facts.search_path.entries.iter().find(|entry| entry.index == first.entry) else {
        return;
    };
    let message = format!(
        "{}{} comes before the environment {} on PATH, and {} {} run from there",
        front.raw,
        owner(front),
        wanted.root,
        super::listed(&names),
        if sure { "are" } else { "may be" },
    );
    let message = match names.len() {
        1 => message.replace(" are run from there", " is run from there"),
        _ => message,
    };
    let mut finding = Finding::new(&CHECK, Subject::Shell, message)
        .severity(if sure { Severity::Error } else { Severity::Info })
        .about(&wanted.root);
    for (name, hit) in &hiding {
        finding = finding.evidence(*name, hit.describe());
        if let Some(root) = hit.leads_to.environment() {
            finding = finding.about(root);
        }
    }
    finding = finding.evidence("environment", format!("{} (entry {} of PATH)", own.raw, own.index + 1));
    let line =
        facts.shell.path_lines.iter().find(|line| {
            front.directory.as_ref().is_some_and(|directory| directory.same_as(&line.directory))
        });
    if let Some(line) = line {
        finding =
            finding.evidence("put there by", format!("{} ({}, line {})", line.text, line.file, line.line));
    }
    finding = finding.remedy(Remedy::safe(
        "Put the environment's programs first",
        vec![Action::PutFirst(wanted.program("").normalized())],
    ));
    if front.owner == Some(DirectoryOwner::Conda) {
        finding = finding.remedy(Remedy::safe(
            "Keep conda from activating its base in new shells",
            vec![Action::run(["conda", "config", "--set", "auto_activate_base", "false"].map(Into::into))],
        ));
    } else if let Some(line) = line {
        finding = finding.remedy(Remedy::manual(
            "Keep it from coming first in new shells",
            vec![Action::Edit {
                file: line.file.clone(),
                line: Some(line.line),
                hint: "append this directory to PATH, or let the line run before the activation".to_owned(),
            }],
        ));
    }
    findings.push(finding);
}

/// The environment that should come first: the one that variables name, else the project's.
fn wanted(facts: &Facts) -> Option<&Environment> {
    if facts.shell.set("VIRTUAL_ENV").is_some() {
        return facts.claimed().filter(|claimed| claimed.is_venv() || claimed.kind == EnvironmentKind::Conda);
    }
    facts.chosen_conda().or_else(|| facts.own_environment())
}

/// Another environment comes first, and not through a shim: it was activated over this one, or conflicts with it.
fn another_was_chosen(facts: &Facts, wanted: &Environment) -> bool {
    let through_shim = facts
        .shell_python()
        .and_then(|command| command.chosen())
        .is_some_and(|hit| matches!(hit.leads_to, Target::Shim { .. }));
    facts.running().is_some_and(|running| {
        !running.is_at(&wanted.root)
            && facts.is_chosen(running)
            && (!through_shim || (facts.claimed().is_none() && facts.belongs_to_project(running)))
    })
}

fn leads_into(facts: &Facts, hit: &Hit, wanted: &Environment) -> bool {
    hit.leads_to.environment().is_some_and(|root| facts.same_environment(&wanted.root, root))
        || wanted.contains(&hit.path)
        || matches!(&hit.leads_to, Target::Shim { program: Some(program), .. } if wanted.contains(program))
}

/// Whether it is known what the file runs.
fn is_known(hit: &Hit) -> bool {
    match &hit.leads_to {
        Target::Unknown => false,
        Target::Shim { program, environment, problem, .. } => {
            program.is_some() || environment.is_some() || problem.is_some()
        }
        _ => true,
    }
}

fn owner(entry: &SearchEntry) -> String {
    entry.owner.map(|owner| format!(" ({})", owner.label())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{self, VENV, path};
    use crate::facts::search_path::{Command, HitState, ShimManager};
    use crate::facts::shell::PathLine;

    /// pyenv's shims come first; they run `environment`.
    fn shims(environment: Option<&str>) -> Facts {
        let mut facts = example::healthy();
        example::set_search_path(&mut facts, "/home/me/.pyenv/shims:/home/me/project/.venv/bin:/usr/bin");
        for command in &mut facts.commands {
            let hit = shim(command, environment);
            command.hits.insert(0, hit);
        }
        facts
    }

    fn shim(command: &Command, environment: Option<&str>) -> Hit {
        Hit {
            entry: 0,
            path: path("/home/me/.pyenv/shims").join(&command.name),
            state: HitState::Runnable,
            leads_to: Target::Shim {
                manager: ShimManager::Pyenv,
                version: environment.map(|_| "3.12.1".into()),
                program: None,
                environment: environment.map(path),
                problem: None,
                absent: None,
            },
        }
    }

    #[test]
    fn fires_when_shims_come_first() {
        let mut facts = shims(Some("/home/me/.pyenv/versions/3.12.1"));
        facts.shell.path_lines.push(PathLine {
            file: path("/home/me/.bashrc"),
            line: 2,
            text: "export PATH=\"$PYENV_ROOT/shims:$PATH\"".into(),
            directory: path("/home/me/.pyenv/shims"),
        });
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].message.contains("pyenv's shims"), "{}", found[0].message);
        assert!(found[0].evidence.iter().any(|evidence| evidence.value.contains(".bashrc, line 2")));
        assert_eq!(found[0].remedies[0].actions, [Action::PutFirst(path("/home/me/project/.venv/bin"))]);
    }

    #[test]
    fn fires_when_the_system_has_some_of_the_names() {
        let mut facts = example::healthy();
        example::set_search_path(&mut facts, "/usr/local/bin:/usr/bin:/home/me/project/.venv/bin:/bin");
        let found = CHECK.findings(&facts);
        assert!(found[0].message.contains("`python3`, `pip` and `pip3` are run"), "{}", found[0].message);
        example::unset_variable(&mut facts, "VIRTUAL_ENV");
        assert_eq!(CHECK.findings(&facts).len(), 1, "appended to PATH, and nothing claims to be active");
    }

    #[test]
    fn fires_as_information_when_it_is_unknown_what_runs() {
        assert_eq!(CHECK.findings(&shims(None))[0].severity, Severity::Info);
    }

    #[test]
    fn quiet_when_the_environment_comes_first() {
        assert!(CHECK.findings(&example::healthy()).is_empty());
    }

    #[test]
    fn quiet_when_the_shim_leads_into_the_environment() {
        assert!(CHECK.findings(&shims(Some(VENV))).is_empty());
    }

    #[test]
    fn quiet_when_its_own_interpreter_is_broken() {
        let mut facts = example::healthy();
        example::interpreters_of(&mut facts).for_each(|python| python.executable = false);
        example::set_search_path(&mut facts, "/home/me/project/.venv/bin:/usr/bin");
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_a_directory_in_front_has_neither_python_nor_pip() {
        let mut facts = example::healthy();
        example::set_search_path(&mut facts, "/home/me/bin:/home/me/project/.venv/bin:/usr/bin");
        assert!(CHECK.findings(&facts).is_empty());
    }
}
