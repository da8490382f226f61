//! `VIRTUAL_ENV`, `CONDA_PREFIX` or the project's entry in `PATH` names a directory that is gone or is no environment.

use crate::diagnosis::install::create;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::project::ManagerKind;
use crate::facts::search_path::{EntryState, SearchEntry};
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "stale-activation",
    category: Category::Activation,
    severity: Severity::Error,
    summary: "The shell still names an environment that is gone or is none",
    needs: &[Need::Project, Need::Scripts, Need::Installed],
    explains: &[
        "forgotten-activation",
        "lost-activation",
        "global-install",
        "pip-elsewhere",
        "python-names-disagree",
        "python-command-missing",
        "tool-outside-environment",
        "missing-requirement",
        "requirement-mismatch",
        "unresolvable-import",
    ],
    explanation: r#"
## What it means

The shell believes that an environment is active, and there is no environment at that place. Its entry in `PATH`
leads nowhere, so `python3` and `pip` silently are the next ones on `PATH`, often the system's. `uv` goes by
`VIRTUAL_ENV` and warns, fails or installs somewhere else.

## How it happens

The directory was deleted, renamed or unmounted while it was active, perhaps in another terminal. Or its
`activate` script names an old place: the environment was moved, and `activate` (which carries its absolute path)
exits with success all the same. Or a start-up file, tmux server or editor still exports a `VIRTUAL_ENV` of old.

## How to fix it

    deactivate                    # where the function still exists
    unset VIRTUAL_ENV             # where it does not
    conda deactivate              # where CONDA_PREFIX names it

and then activate the environment that is there, or make it again:

    python3 -m venv .venv
    . .venv/bin/activate
    python -m pip install -r requirements.txt

If it comes back in a new shell, look for `VIRTUAL_ENV` in your start-up files, and end tmux servers that were
started with it (`tmux set-environment -gu VIRTUAL_ENV`).

## When it is fine

Never while `VIRTUAL_ENV` is set: what relies on it fails. Other entries of `PATH` that do not exist are harmless.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    if facts.shell.set("VIRTUAL_ENV").is_none() {
        return match gone_conda(facts) {
            Some(gone) => stale_conda(facts, gone, findings),
            None => dead_entry(facts, findings),
        };
    }
    let Some(claimed) = facts.claimed() else { return };
    let what = match claimed.kind {
        EnvironmentKind::Missing => "which does not exist",
        // foreign-owned-files speaks of it
        _ if claimed.is_out_of_reach() => return,
        EnvironmentKind::Other => "which is no environment",
        _ => return,
    };
    let running = facts.running();
    let harmless =
        running.is_some_and(|running| facts.belongs_to_project(running) && facts.is_chosen(running));
    let mut finding =
        Finding::new(&CHECK, Subject::Shell, format!("VIRTUAL_ENV names {}, {what}", claimed.root))
            .severity(if harmless { Severity::Warning } else { Severity::Error })
            .evidence("VIRTUAL_ENV", format!("{} ({})", claimed.root, state(claimed)));
    for root in concerned(facts, claimed) {
        finding = finding.about(root);
    }
    if let Some(entry) = facts.search_entry(claimed) {
        finding = finding.evidence("PATH", format!("entry {} is {}", entry.index + 1, entry.raw));
    }
    if let Some((command, hit)) = facts.shell_python().and_then(|command| Some((command, command.chosen()?)))
    {
        finding = finding.evidence(&command.name, hit.describe());
    }
    for remedy in remedies(facts, claimed) {
        finding = finding.remedy(remedy);
    }
    findings.push(finding);
}

/// The conda environment that was active and is gone. `CONDA_PREFIX` alone may be for a build's headers and libraries.
fn gone_conda(facts: &Facts) -> Option<&Environment> {
    facts.shell.set("CONDA_DEFAULT_ENV").or_else(|| facts.shell.set("CONDA_SHLVL"))?;
    let named = facts.environment(&facts.shell.path_variable("CONDA_PREFIX")?)?;
    (named.kind == EnvironmentKind::Missing && !named.is_out_of_reach()).then_some(named)
}

fn stale_conda(facts: &Facts, gone: &Environment, findings: &mut Findings) {
    let dead = dead_entry_of(facts, gone);
    let served = facts.running().is_some_and(|running| facts.is_chosen(running));
    let mut finding = Finding::new(
        &CHECK,
        Subject::Shell,
        format!("CONDA_PREFIX names {}, which does not exist", gone.root),
    )
    .severity(if served || dead.is_none() { Severity::Warning } else { Severity::Error })
    .about(&gone.root)
    .evidence("CONDA_PREFIX", format!("{} (does not exist)", gone.root));
    if let Some(name) = facts.shell.set("CONDA_DEFAULT_ENV") {
        finding = finding.evidence("CONDA_DEFAULT_ENV", name);
    }
    if let Some(entry) = dead {
        finding = finding.evidence("PATH", format!("entry {} is {}", entry.index + 1, entry.raw));
    }
    if let Some(running) = facts.running() {
        finding = finding.about(&running.root);
    }
    if let Some((command, hit)) = facts.shell_python().and_then(|command| Some((command, command.chosen()?)))
    {
        finding = finding.evidence(&command.name, hit.describe());
    }
    for remedy in conda_remedies(facts, dead) {
        finding = finding.remedy(remedy);
    }
    findings.push(finding);
}

/// The entry of `PATH` with the programs of an environment that is gone.
fn dead_entry_of<'a>(facts: &'a Facts, gone: &Environment) -> Option<&'a SearchEntry> {
    facts.search_path.entries.iter().find(|entry| {
        let directory = entry.directory.as_ref().map(HostPath::normalized);
        entry.state == EntryState::Missing
            && directory.is_some_and(|directory| directory.is_within(&gone.root.normalized()))
    })
}

fn conda_remedies(facts: &Facts, dead: Option<&SearchEntry>) -> Vec<Remedy> {
    // what `conda activate` sets, which its `deactivate` would take back
    let variables = ["CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_PROMPT_MODIFIER", "CONDA_SHLVL"];
    let set = variables.into_iter().filter(|name| facts.shell.variable(name).is_some());
    let mut leave: Vec<Action> = set.map(|name| Action::Unset(name.to_owned())).collect();
    leave.extend(dead.map(|entry| Action::RemoveFromPath { raw: entry.raw.as_str().into() }));
    leave.push(Action::Rehash);
    let mut remedies = Vec::new();
    let by_conda = facts.shell.set("CONDA_EXE").is_some();
    let managed = facts.project.managers.iter().any(|manager| manager.kind == ManagerKind::Conda);
    if let Some(own) = facts.own_environment().filter(|own| facts.can_be_activated(own)) {
        let actions = leave.iter().cloned().chain([Action::activate(own)]).collect();
        remedies.push(Remedy::safe(format!("Leave it, and activate {}", own.root), actions));
    } else if let Some(project) = &facts.project.root
        && !(by_conda || managed || facts.project.requirement_files.is_empty())
        && facts.own_environment().is_none()
        && let Some(mut create) = create(facts, &project.join(".venv"))
    {
        create.actions.splice(0..0, leave.iter().cloned());
        remedies.push(create);
    }
    remedies.push(Remedy::safe("Take it out of this shell", leave));
    if by_conda {
        let deactivate = Action::run(["conda".into(), "deactivate".into()]);
        remedies.push(Remedy::safe("Let conda go back to the environment before", vec![deactivate]));
    }
    remedies
}

/// With `VIRTUAL_ENV` unset: `PATH` holds an environment of this project that is gone.
fn dead_entry(facts: &Facts, findings: &mut Findings) {
    let Some(project) = &facts.project.root else { return };
    if facts.own_environment().is_some() || facts.running().is_some_and(|running| facts.is_chosen(running)) {
        return;
    }
    let dead = facts.search_path.entries.iter().find(|entry| {
        entry.state == EntryState::Missing
            && entry.directory.as_ref().is_some_and(|directory| is_script_directory_in(directory, project))
    });
    let Some((entry, directory)) = dead.and_then(|entry| Some((entry, entry.directory.as_ref()?))) else {
        return;
    };
    let Some(root) = directory.normalized().parent() else { return };
    let mut finding = Finding::new(
        &CHECK,
        Subject::Shell,
        format!("PATH names the programs of the environment {root}, which does not exist"),
    )
    .severity(Severity::Warning)
    .about(&root)
    .evidence("PATH", format!("entry {} is {} (does not exist)", entry.index + 1, entry.raw));
    if let Some((command, hit)) = facts.shell_python().and_then(|command| Some((command, command.chosen()?)))
    {
        finding = finding.evidence(&command.name, hit.describe());
    }
    if let Some(running) = facts.running() {
        finding = finding.about(&running.root);
    }
    if let Some(remedy) = create(facts, &root) {
        finding = finding.remedy(remedy);
    }
    findings.push(finding.remedy(Remedy::safe(
        "Take it off PATH",
        vec![Action::RemoveFromPath { raw: entry.raw.as_str().into() }],
    )));
}

/// `.venv/bin` and the like, directly in `project`.
fn is_script_directory_in(directory: &HostPath, project: &HostPath) -> bool {
    let directory = directory.normalized();
    let Some(root) = directory.parent() else { return false };
    ["bin", "Scripts"].contains(&&*directory.name())
        && [".venv", "venv", "env", ".env", "virtualenv"].contains(&&*root.name())
        && root.parent().is_some_and(|parent| parent.same_as(project))
}

fn state(claimed: &Environment) -> &'static str {
    match claimed.kind {
        EnvironmentKind::Missing => "does not exist",
        _ => "a directory without pyvenv.cfg and without Python",
    }
}

/// The place itself, the environments whose files still name it, and what runs instead.
fn concerned<'a>(facts: &'a Facts, claimed: &'a Environment) -> Vec<&'a HostPath> {
    let moved = facts
        .environments
        .iter()
        .filter(|environment| {
            environment.foreign_roots().iter().any(|foreign| foreign.root.same_as(&claimed.root))
        })
        .map(|environment| &environment.root);
    std::iter::once(&claimed.root).chain(moved).chain(facts.running().map(|running| &running.root)).collect()
}

fn remedies(facts: &Facts, claimed: &Environment) -> Vec<Remedy> {
    let leave = Action::deactivate(claimed);
    if let Some(own) = facts.own_environment()
        && facts.can_be_activated(own)
    {
        return vec![Remedy::safe(
            format!("Leave it, and activate {}", own.root),
            vec![leave, Action::activate(own)],
        )];
    }
    let in_project = facts.project.root.as_ref().is_some_and(|project| claimed.root.is_within(project));
    let mut remedies = Vec::new();
    if in_project
        && claimed.kind == EnvironmentKind::Missing
        && let Some(mut create) = create(facts, &claimed.root)
    {
        create.actions.insert(0, leave.clone());
        remedies.push(create);
    }
    remedies.push(Remedy::safe("Take it out of this shell", vec![leave]));
    remedies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::environment::{BakedState, Layout};
    use crate::facts::example::{self, PROJECT, VENV, path};

    /// The environment at `root` was deleted.
    fn gone(root: &str) -> Environment {
        Environment {
            real: None,
            kind: EnvironmentKind::Missing,
            layout: Layout::None,
            script_directory: None,
            interpreters: Vec::new(),
            libraries: Vec::new(),
            scripts: Vec::new(),
            activators: Vec::new(),
            installed: Vec::new(),
            ..example::venv(root)
        }
    }

    fn deleted() -> Facts {
        let mut facts = example::healthy();
        *example::venv_of(&mut facts) = gone(VENV);
        facts.project.environments.clear();
        facts.patient = None;
        example::set_search_path(&mut facts, "/home/me/project/.venv/bin:/usr/local/bin:/usr/bin:/bin");
        facts
    }

    #[test]
    fn fires_when_the_active_environment_was_deleted() {
        let found = CHECK.findings(&deleted());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].message.contains("does not exist"));
        let first = &found[0].remedies[0].actions;
        assert!(
            matches!(first[..], [Action::Deactivate { .. }, Action::Run(_), Action::Activate { .. }, _]),
            "{first:?}"
        );
    }

    #[test]
    fn fires_about_the_moved_environment_whose_script_named_the_old_place() {
        let mut facts = example::not_activated();
        facts.environments.push(gone("/home/me/old/.venv"));
        example::set_variable(&mut facts, "VIRTUAL_ENV", "/home/me/old/.venv");
        for script in &mut example::venv_of(&mut facts).activators {
            script.root = Some(path("/home/me/old/.venv"));
            script.root_state = Some(BakedState::Missing);
        }
        let found = CHECK.findings(&facts);
        assert!(found[0].environments.contains(&path(VENV)));
        assert!(matches!(found[0].remedies[0].actions[..], [Action::Deactivate { .. }]));
    }

    #[test]
    fn fires_as_a_warning_when_only_path_names_it() {
        let mut facts = deleted();
        example::unset_variable(&mut facts, "VIRTUAL_ENV");
        facts.search_path.entries[0].state = EntryState::Missing;
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].severity, Severity::Warning);
        assert!(found[0].environments.contains(&path(&format!("{PROJECT}/.venv"))));
    }

    const CONDA: &str = "/home/me/miniconda3/envs/work";

    /// `conda env remove` in another terminal.
    fn deleted_conda() -> Facts {
        let mut facts = example::not_activated();
        facts.environments.push(gone(CONDA));
        example::set_variable(&mut facts, "CONDA_PREFIX", CONDA);
        example::set_variable(&mut facts, "CONDA_DEFAULT_ENV", "work");
        example::set_search_path(&mut facts, &format!("{CONDA}/bin:/usr/bin"));
        facts.search_path.entries[0].state = EntryState::Missing;
        facts
    }

    #[test]
    fn fires_when_the_active_conda_environment_was_deleted() {
        let found = CHECK.findings(&deleted_conda());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(found[0].message, format!("CONDA_PREFIX names {CONDA}, which does not exist"));
        let actions = &found[0].remedies[0].actions;
        assert_eq!(actions[0], Action::Unset("CONDA_PREFIX".into()));
        assert_eq!(actions[2], Action::RemoveFromPath { raw: format!("{CONDA}/bin").as_str().into() });
        assert!(matches!(actions[4], Action::Activate { .. }), "{actions:?}");
        assert!(!found[0].remedies.iter().any(|remedy| remedy.summary.contains("conda")));
        let mut with_conda = deleted_conda();
        example::set_variable(&mut with_conda, "CONDA_EXE", "/home/me/miniconda3/bin/conda");
        assert!(
            CHECK.findings(&with_conda)[0].remedies.iter().any(|remedy| remedy.summary.contains("conda"))
        );
    }

    #[test]
    fn quiet_when_conda_prefix_is_there_or_only_for_a_build() {
        let mut there = deleted_conda();
        there.environments.last_mut().unwrap().kind = EnvironmentKind::Conda;
        assert!(CHECK.findings(&there).is_empty());
        let mut build = deleted_conda();
        example::unset_variable(&mut build, "CONDA_DEFAULT_ENV");
        assert!(CHECK.findings(&build).is_empty());
    }

    #[test]
    fn quiet_when_the_environment_is_there() {
        assert!(CHECK.findings(&example::healthy()).is_empty());
    }

    #[test]
    fn quiet_when_the_variable_names_a_conda_environment_or_an_installation() {
        for kind in [EnvironmentKind::Conda, EnvironmentKind::Installation, EnvironmentKind::Remains] {
            let mut facts = example::healthy();
            example::venv_of(&mut facts).kind = kind;
            assert!(CHECK.findings(&facts).is_empty());
        }
    }

    #[test]
    fn quiet_when_some_other_entry_of_path_is_missing() {
        let mut facts = example::not_activated();
        example::set_search_path(&mut facts, "/home/me/go/bin:/home/me/old/.venv/bin:/usr/bin");
        for entry in &mut facts.search_path.entries[..2] {
            entry.state = EntryState::Missing;
        }
        assert!(CHECK.findings(&facts).is_empty());
    }
}
