//! Files of a commit that install into a Python that everything shares.

use super::CHECK;
use crate::diagnosis::{Action, Finding, Findings, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::commit::{Commit, CommittedInstall, Runs};
use crate::parse::install_use::InstallManner;
use crate::path::HostPath;

pub(super) fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(commit) = facts.commit.known() else { return };
    for install in &commit.installs {
        let Some(severity) = severity(facts, install) else { continue };
        match &install.found.silenced {
            Some(silenced) if silenced.reason.is_some() => {}
            Some(silenced) => findings.push(without_reason(commit, install, silenced.line)),
            None => findings.push(finding(facts, commit, install, severity)),
        }
    }
}

/// None: it is normal where the file's commands run.
fn severity(facts: &Facts, install: &CommittedInstall) -> Option<Severity> {
    let found = &install.found;
    match (install.runs, found.manner) {
        // sudo drops the PATH that leads to the Python that was set up
        (Runs::Container | Runs::ContinuousIntegration, InstallManner::Sudo) if found.prepared => {
            Some(Severity::Warning)
        }
        (
            Runs::Container | Runs::ContinuousIntegration,
            InstallManner::Sudo | InstallManner::BreakSystemPackages,
        ) => Some(Severity::Info),
        (Runs::Container | Runs::ContinuousIntegration, _) => None,
        (Runs::Reader, InstallManner::Sudo | InstallManner::BreakSystemPackages) => Some(Severity::Warning),
        (Runs::Reader, _) => None,
        // in an active environment the option changes nothing
        (_, InstallManner::BreakSystemPackages) if found.prepared => Some(Severity::Info),
        (_, InstallManner::Sudo | InstallManner::BreakSystemPackages) => Some(Severity::Warning),
        (_, _) if found.only_tools => None,
        (_, InstallManner::User | InstallManner::System) => Some(Severity::Warning),
        // what comes first there is not known here
        (Runs::OtherSystem | Runs::TestEnvironment, InstallManner::Bare) => None,
        (Runs::Developer, InstallManner::Bare) => {
            (!found.prepared && shared_python(facts, &found.program).is_some()).then_some(Severity::Warning)
        }
    }
}

/// The program that this name runs in the shell, where it installs into a Python that everything shares.
fn shared_python<'f>(facts: &'f Facts, program: &str) -> Option<&'f HostPath> {
    let chosen = facts.working_environment().is_some_and(|environment| facts.is_chosen(environment));
    // a file is for everybody's machine, whatever this one is
    if chosen || facts.surroundings.ci.is_some() || facts.shell.environment_wrapper().is_some() {
        return None;
    }
    let name = program.split(' ').next().unwrap_or(program);
    let hit = facts.command(name).and_then(|command| command.chosen())?;
    let environment = facts.environment(hit.leads_to.environment()?)?;
    (!facts.is_chosen(environment)).then_some(&hit.path)
}

fn finding(facts: &Facts, commit: &Commit, install: &CommittedInstall, severity: Severity) -> Finding {
    let found = &install.found;
    let place = format!("{}, line {}", install.file, found.line);
    let message = match found.manner {
        InstallManner::Sudo => format!(
            "{place} runs `{}`: under sudo that is root's Python, whatever environment is active",
            found.text
        ),
        InstallManner::BreakSystemPackages => {
            format!("{place} runs `{}`, which may overwrite what the operating system installed", found.text)
        }
        InstallManner::User => format!(
            "{place} runs `{}`, which installs for every project of the user, and fails in an environment",
            found.text
        ),
        InstallManner::System => {
            format!(
                "{place} runs `{}`, which installs into the system's Python, whatever environment is active",
                found.text
            )
        }
        InstallManner::Bare => match shared_python(facts, &found.program) {
            Some(program) => format!(
                "{place} runs `{}`, and no environment is active: that is {program}, which everything shares",
                found.text
            ),
            None => format!("{place} runs `{}`, and no environment is active", found.text),
        },
    };
    let finding = Finding::new(&CHECK, Subject::line(&install.file, found.line), message)
        .severity(severity)
        .about(&commit.top)
        .evidence("command", format!("{} ({place}, column {})", found.text, found.column));
    let finding = match replacement(facts, commit, install) {
        Some(remedy) => finding.remedy(remedy),
        None => finding.remedy(Remedy::manual("Install into an environment instead", vec![hint(install)])),
    };
    finding.remedy(Remedy::manual(
        "Say why it is right as it is",
        vec![Action::Edit {
            file: install.file.clone(),
            line: Some(found.line),
            hint: format!("above it, a comment: venv-doctor: ignore[{}] REASON", CHECK.id),
        }],
    ))
}

/// The project's own environment, where it lies in the work tree, named in the line.
fn replacement(facts: &Facts, commit: &Commit, install: &CommittedInstall) -> Option<Remedy> {
    let found = &install.found;
    if install.runs != Runs::Developer || !found.exact {
        return None;
    }
    let environment = facts.project_environments().find(|environment| environment.is_venv())?;
    let python = environment.program("python").relative_to(&commit.top)?;
    let python = String::from_utf8(python).ok()?.replace('\\', "/");
    if python.contains([' ', '\'', '"', '$']) {
        return None;
    }
    let to = format!("{python} -m pip install {}", found.arguments);
    Some(Remedy::review(
        format!("Install into {} instead, and stage that", environment.root),
        vec![
            Action::Rewrite {
                files: vec![install.file.clone()],
                from: Word::from(&found.text),
                to: to.into(),
            },
            Action::run([
                "git".into(),
                "-C".into(),
                Word::from(&commit.top),
                "add".into(),
                "--".into(),
                Word::from(&install.file),
            ]),
        ],
    ))
}

fn hint(install: &CommittedInstall) -> Action {
    let arguments = &install.found.arguments;
    let hint = match install.runs {
        Runs::Developer | Runs::Reader => format!(
            "python3 -m venv .venv && .venv/bin/python -m pip install {arguments} (for a program rather than a library: pipx install)"
        ),
        Runs::OtherSystem => format!(
            "py -m venv .venv, then .venv\\Scripts\\python -m pip install {arguments} (for a program rather than a library: pipx install)"
        ),
        Runs::TestEnvironment if install.file.name() == "tox.ini" => format!("deps = {arguments}"),
        Runs::TestEnvironment => format!("session.install({arguments})"),
        Runs::Container => {
            format!("python3 -m venv /opt/venv && /opt/venv/bin/python -m pip install {arguments}")
        }
        Runs::ContinuousIntegration => {
            format!("python -m pip install {arguments}, in the Python that the job sets up")
        }
    };
    Action::Edit { file: install.file.clone(), line: Some(install.found.line), hint }
}

fn without_reason(commit: &Commit, install: &CommittedInstall, line: usize) -> Finding {
    Finding::new(
        &CHECK,
        Subject::line(&install.file, line),
        format!("{}, line {line} silences `{}` without a reason", install.file, install.found.text),
    )
    .severity(Severity::Info)
    .about(&commit.top)
    .evidence("command", format!("{} (line {})", install.found.text, install.found.line))
    .remedy(Remedy::manual(
        "Say why it is right as it is",
        vec![Action::Edit {
            file: install.file.clone(),
            line: Some(line),
            hint: format!("venv-doctor: ignore[{}] REASON", CHECK.id),
        }],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Gathered;
    use crate::facts::example::{self, path};
    use crate::parse::install_use::{self, CommandText};

    fn with(mut facts: Facts, runs: Runs, kind: CommandText, text: &str) -> Facts {
        facts.commit = example::commit(&[]);
        if let Gathered::Known(commit) = &mut facts.commit {
            let found = install_use::parse(kind, text.as_bytes(), CHECK.id).into_iter();
            let file = path("/home/me/project/setup.sh");
            commit.installs =
                found.map(|found| CommittedInstall { file: file.clone(), runs, found }).collect();
        }
        facts
    }

    fn script(facts: Facts, text: &str) -> Vec<Finding> {
        CHECK.findings(&with(facts, Runs::Developer, CommandText::Script, text))
    }

    #[test]
    fn fires_when_a_script_installs_past_every_environment() {
        for text in [
            "sudo pip install x",
            "pip install --break-system-packages x",
            "pip install --user x",
            "/usr/bin/pip install x",
        ] {
            let found = script(example::healthy(), text);
            assert_eq!(found[0].severity, Severity::Warning, "{text}");
            assert_eq!(found[0].subject, Subject::line(&path("/home/me/project/setup.sh"), 1));
        }
    }

    #[test]
    fn fires_when_a_bare_pip_runs_without_an_environment() {
        let found = script(example::not_activated(), "cd x\npip3 install y\n");
        assert!(found[0].message.contains("no environment is active"), "{}", found[0].message);
        let Action::Rewrite { to, .. } = &found[0].remedies[0].actions[0] else { panic!("{found:?}") };
        assert_eq!(to, &Word::from(".venv/bin/python -m pip install y"));
    }

    #[test]
    fn fires_when_a_document_tells_readers_to_use_sudo() {
        let facts = with(
            example::healthy(),
            Runs::Reader,
            CommandText::Markdown,
            "```\nsudo pip install x\npip install y\n```",
        );
        assert_eq!(CHECK.findings(&facts).len(), 1);
    }

    #[test]
    fn fires_as_information_when_the_reason_is_missing() {
        let found = script(example::healthy(), "sudo pip install x # venv-doctor: ignore[global-install]");
        assert_eq!(found[0].severity, Severity::Info);
        assert!(found[0].message.ends_with("without a reason"), "{}", found[0].message);
    }

    #[test]
    fn quiet_when_an_environment_is_active_or_prepared() {
        assert!(script(example::healthy(), "pip install x").is_empty());
        assert!(script(example::not_activated(), ". .venv/bin/activate; pip3 install x").is_empty());
        assert!(script(example::not_activated(), "pip3 install --user pipx").is_empty());
    }

    #[test]
    fn quiet_when_the_machine_has_one_purpose() {
        for runs in [Runs::Container, Runs::ContinuousIntegration] {
            let facts = with(
                example::not_activated(),
                runs,
                CommandText::Script,
                "pip3 install x; pip3 install --user y",
            );
            assert!(CHECK.findings(&facts).is_empty());
        }
        let mut facts = example::not_activated();
        facts.surroundings.ci = Some("CI is set".into());
        assert!(script(facts, "pip3 install x").is_empty());
    }

    #[test]
    fn fires_when_a_script_for_windows_names_a_version() {
        let facts = with(
            example::not_activated(),
            Runs::OtherSystem,
            CommandText::PowerShell,
            "py -3 -m pip install y\npip install x\n",
        );
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].message.contains("py -3"), "{}", found[0].message);
    }

    #[test]
    fn quiet_when_tox_makes_the_environment() {
        let text = "commands =\n  pip install x\n";
        let facts = with(example::not_activated(), Runs::TestEnvironment, CommandText::Tox, text);
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_a_comment_gives_a_reason() {
        let text = "# venv-doctor: ignore[global-install] the image has one purpose\nsudo pip install x";
        assert!(script(example::healthy(), text).is_empty());
    }
}
