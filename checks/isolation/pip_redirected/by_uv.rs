//! What uv's settings do to the environment that is active: uv follows them, and neither `python` nor pip does.

use super::super::{single_purpose, unset, with_line, working};
use super::{CHECK, is_imported_from, is_of, named_path};
use crate::diagnosis::reinstall::has_uv;
use crate::diagnosis::{Action, Finding, Findings, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::facts::installers::{Installers, UvKey, UvSetting};
use crate::facts::project::ManagerKind;
use crate::path::HostPath;

pub fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(installers) = facts.installers.known().filter(|it| !it.uv.is_empty()) else { return };
    let Some(working) = working(facts).filter(|it| it.is_venv() && facts.is_chosen(it)) else { return };
    if facts.shell.environment_wrapper().is_some() || !has_uv(facts) {
        return;
    }
    let found = of_pip(facts, installers, working).into_iter().chain(of_project(facts, installers, working));
    found.for_each(|finding| findings.push(finding));
}

/// `uv pip install`: a directory that is named counts before a Python, and that before `system`.
fn of_pip(facts: &Facts, installers: &Installers, working: &Environment) -> Option<Finding> {
    let by_uv = facts.project.managers.iter().any(|manager| manager.kind == ManagerKind::Uv);
    let severity = match () {
        () if single_purpose(facts) || by_uv => Severity::Info,
        // nothing but uv installs into it
        () if !working.installed.is_empty() && working.distribution("pip").is_none() => Severity::Error,
        () => Severity::Warning,
    };
    let place = installers.of_uv(UvKey::Target).or_else(|| installers.of_uv(UvKey::Prefix));
    if let Some(setting) = place {
        let directory = named_path(facts, &setting.value)?;
        let finding = || elsewhere(facts, working, setting, &directory).severity(severity);
        return (!is_imported_from(facts, working, &directory)).then(finding);
    }
    if let Some(setting) = installers.of_uv(UvKey::Python) {
        // a version or a name is looked for, the environment first
        if !setting.value.contains(['/', '\\']) {
            return None;
        }
        let python = named_path(facts, &setting.value)?;
        // `uv sync` makes the project's environment from it
        if by_uv || is_of(working, &python) {
            return None;
        }
        if installers.is_absent(&python) {
            let message =
                format!("uv pip stops at once: {} names {python}, which does not exist", setting.place());
            return Some(shown(facts, working, setting, message).severity(severity));
        }
        return Some(elsewhere(facts, working, setting, &python).severity(severity));
    }
    let setting = installers.of_uv(UvKey::System)?;
    let message = format!(
        "uv pip passes over {} and works in a Python outside of every environment, because of {}",
        working.root,
        setting.place()
    );
    Some(shown(facts, working, setting, message).severity(severity))
}

fn of_project(facts: &Facts, installers: &Installers, working: &Environment) -> Option<Finding> {
    let setting = installers.of_uv(UvKey::ProjectEnvironment)?;
    let manager = facts.project.managers.iter().find(|manager| manager.kind == ManagerKind::Uv)?;
    let root = manager.evidence.parent()?.join(&setting.value).normalized();
    if is_of(working, &root) || !facts.belongs_to_project(working) {
        return None;
    }
    let message = format!(
        "uv sync, uv add and uv run work in {root} and not in {}, because of {}",
        working.root,
        setting.place()
    );
    let severity = if single_purpose(facts) { Severity::Info } else { Severity::Warning };
    let finding = shown(facts, working, setting, message).severity(severity);
    Some(finding.evidence("the project is uv's by", manager.evidence.to_text()))
}

fn elsewhere(facts: &Facts, working: &Environment, setting: &UvSetting, to: &HostPath) -> Finding {
    let message =
        format!("uv pip installs into {to} and not into {}, because of {}", working.root, setting.place());
    shown(facts, working, setting, message)
}

fn shown(facts: &Facts, working: &Environment, setting: &UvSetting, message: String) -> Finding {
    let finding = Finding::new(&CHECK, Subject::Shell, message)
        .about(&working.root)
        .evidence(setting.place(), setting.value.clone());
    let finding = match setting.key.variable().filter(|_| setting.file.is_none()) {
        Some(variable) => with_line(finding, facts, variable).remedy(unset(facts, variable)),
        None => finding.remedy(take_out(setting)),
    };
    finding.evidence("python imports from", working.root.to_text())
}

fn take_out(setting: &UvSetting) -> Remedy {
    let name = setting.key.name().unwrap_or_default();
    let edit = setting.file.clone().map(|file| Action::Edit {
        file,
        line: setting.line,
        hint: format!("remove the setting `{name}`"),
    });
    Remedy::manual(format!("Remove {}", setting.place()), edit.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Gathered;
    use crate::facts::example;
    use crate::facts::project::Manager;

    fn with(mut facts: Facts, settings: &[(UvKey, &str)]) -> Facts {
        let uv = example::command(&facts, "uv");
        facts.commands.push(uv);
        let setting = |(key, value): &(UvKey, &str)| UvSetting {
            key: *key,
            value: (*value).to_owned(),
            file: key.variable().is_none().then(|| example::path("/home/me/.config/uv/uv.toml")),
            line: key.variable().is_none().then_some(2),
        };
        let uv = settings.iter().map(setting).collect();
        facts.installers = Gathered::Known(Installers { uv, ..Installers::default() });
        facts
    }

    fn managed(mut facts: Facts) -> Facts {
        let evidence = example::path("/home/me/project/uv.lock");
        facts.project.managers.push(Manager { kind: ManagerKind::Uv, evidence, available: true });
        facts
    }

    fn found(facts: &Facts) -> Vec<(Severity, String)> {
        CHECK.findings(facts).into_iter().map(|finding| (finding.severity, finding.message)).collect()
    }

    #[test]
    fn fires_when_uv_passes_over_the_active_environment() {
        let facts = with(example::healthy(), &[(UvKey::System, "1")]);
        let findings = CHECK.findings(&facts);
        assert_eq!(findings[0].severity, Severity::Warning);
        assert!(findings[0].message.ends_with("because of UV_SYSTEM_PYTHON"), "{findings:?}");
        assert_eq!(findings[0].remedies[0].actions, [Action::Unset("UV_SYSTEM_PYTHON".into())]);
    }

    #[test]
    fn fires_as_an_error_when_only_uv_installs_there() {
        let mut facts = with(example::healthy(), &[(UvKey::Python, "/usr/bin/python3")]);
        example::venv_of(&mut facts).installed.retain(|it| it.name != "pip");
        let [(Severity::Error, message)] = &found(&facts)[..] else { panic!("{:?}", found(&facts)) };
        assert!(message.starts_with("uv pip installs into /usr/bin/python3 and not into"), "{message}");
    }

    #[test]
    fn fires_when_a_file_names_a_directory() {
        let found = found(&with(example::healthy(), &[(UvKey::Target, "/t")]));
        assert!(found[0].1.ends_with("pip.target in /home/me/.config/uv/uv.toml, line 2"), "{found:?}");
    }

    #[test]
    fn fires_when_the_project_is_synced_elsewhere() {
        let setting = [(UvKey::ProjectEnvironment, "../envs/p")];
        let found = found(&managed(with(example::healthy(), &setting)));
        assert!(found[0].1.starts_with("uv sync, uv add and uv run work in /home/me/envs/p"), "{found:?}");
    }

    #[test]
    fn quiet_when_uv_works_in_the_active_environment() {
        for (key, value) in [
            (UvKey::Python, "3.12"),
            (UvKey::Python, "python3"),
            (UvKey::Python, ".venv/bin/python"),
            (UvKey::Python, example::VENV),
            (UvKey::Target, example::VENV),
            (UvKey::ProjectEnvironment, "/elsewhere/of/no/project/of/uvs"),
        ] {
            assert_eq!(found(&with(example::healthy(), &[(key, value)])), [], "{key:?} {value}");
        }
        let project = managed(with(example::healthy(), &[(UvKey::ProjectEnvironment, ".venv")]));
        assert_eq!(found(&project), []);
    }

    #[test]
    fn quiet_when_no_environment_is_active_or_there_is_no_uv() {
        assert_eq!(found(&with(example::not_activated(), &[(UvKey::System, "1")])), []);
        let mut facts = with(example::healthy(), &[(UvKey::System, "1")]);
        facts.commands.retain(|command| command.name != "uv");
        assert_eq!(found(&facts), []);
    }

    #[test]
    fn quiet_but_for_information_in_a_container_and_in_a_project_of_uvs() {
        let mut facts = with(example::healthy(), &[(UvKey::System, "1")]);
        facts.surroundings.container = Some("/.dockerenv exists".into());
        assert_eq!(found(&facts)[0].0, Severity::Info);
        let facts = managed(with(example::healthy(), &[(UvKey::System, "1")]));
        assert_eq!(found(&facts)[0].0, Severity::Info);
        let facts = managed(with(example::healthy(), &[(UvKey::Python, "/usr/bin/python3")]));
        assert_eq!(found(&facts), []);
    }
}
