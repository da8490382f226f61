//! pip's configuration or a variable sends what it installs to another place than `python` imports from.

use crate::diagnosis::{Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::installers::PipSetting;
use crate::path::HostPath;

use super::{pip, remove_setting, single_purpose, with_line, working};

pub static CHECK: Check = Check {
    id: "pip-redirected",
    category: Category::Isolation,
    severity: Severity::Error,
    summary: "pip's configuration sends installs elsewhere, or lets them break the system's Python",
    needs: &[Need::Installers, Need::Project],
    explains: &["pip-elsewhere", "global-install"],
    explanation: r#"
## What it means
pip takes every option of its command line also from configuration files and from variables named `PIP_*`. `target`,
`prefix` and `root` send each install to that directory, whatever environment is active: pip reports success, and
`import` does not find the package. `user = true` sends it to the user site, which a venv does not see (pip then stops with
`Can not perform a '--user' install`). `break-system-packages = true` switches off the protection of PEP 668.

## How it happens
An application or a recipe wrote `target` into `~/.config/pip/pip.conf`, or `export PIP_TARGET=...` stayed in `~/.bashrc`
after packaging for AWS Lambda. `PIP_BREAK_SYSTEM_PACKAGES=1` is what many answers give against
`externally-managed-environment`.

## How to fix it
`python -m pip config debug` lists every file and variable that pip reads. Take the setting back:

    unset PIP_TARGET
    python -m pip config --user unset global.target

and give the option on the command line of the one install that needs it. What was installed meanwhile lies in that
directory and must be installed again.

## When it is fine
In a container or a CI job that packages something, and where `PYTHONPATH` names the same directory.
"#,
    examine,
};

/// Options that name another place, as `pip install` knows them.
const PLACES: [&str; 3] = ["target", "prefix", "root"];

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(pip) = pip(facts) else { return };
    let Some(working) = working(facts) else { return };
    let place = PLACES
        .iter()
        .find_map(|key| pip.effective("install", key).filter(|setting| !harmless(facts, working, setting)));
    if let Some(setting) = place {
        findings.push(elsewhere(facts, working, setting));
        return;
    }
    let isolated = facts.is_chosen(working);
    if let Some(setting) = pip.effective("install", "user").filter(|it| it.is_on() && isolated) {
        findings.push(to_user_site(facts, working, setting));
    }
    if let Some(setting) = pip.effective("install", "break-system-packages").filter(|it| it.is_on())
        && !isolated
        && !single_purpose(facts)
        && facts.installations.iter().any(|installation| {
            installation.externally_managed
                && working.interpreters.iter().any(|own| own.same_as(&installation.interpreter))
        })
    {
        findings.push(breaks_system(facts, working, setting));
    }
}

/// Whether `python` imports from there all the same.
fn harmless(facts: &Facts, working: &Environment, setting: &PipSetting) -> bool {
    let Some(place) = HostPath::new(facts.platform.flavour(), setting.value.as_str()) else {
        return false;
    };
    let on_import_path = facts.import_setup.python_path_entry(&place).is_some();
    let is_root = setting.key == "root" && place.to_text() == "/";
    on_import_path
        || is_root
        || working.is_at(&place)
        || working.libraries.iter().any(|library| library.site_packages.same_as(&place))
}

fn shown(facts: &Facts, finding: Finding, setting: &PipSetting) -> Finding {
    let finding = finding.evidence(setting.place(), setting.value.clone());
    let finding = match setting.file {
        None => with_line(finding, facts, &setting.variable()),
        Some(_) => finding,
    };
    finding.remedy(remove_setting(facts, setting))
}

fn elsewhere(facts: &Facts, working: &Environment, setting: &PipSetting) -> Finding {
    let message = format!(
        "pip installs into {} and not into {}, because of {}",
        setting.value,
        working.root,
        setting.place()
    );
    let in_use = facts.is_chosen(working) || facts.project.root.is_some();
    let severity = match () {
        () if single_purpose(facts) && !facts.is_chosen(working) => Severity::Info,
        () if facts.surroundings.ci.is_some() => Severity::Warning,
        () if in_use => Severity::Error,
        () => Severity::Warning,
    };
    let finding = Finding::new(&CHECK, Subject::Shell, message).severity(severity).about(&working.root);
    shown(facts, finding, setting).evidence("python imports from", working.root.to_text())
}

fn to_user_site(facts: &Facts, working: &Environment, setting: &PipSetting) -> Finding {
    let refuses = working.is_venv()
        && working.venv_config().is_some_and(|config| !config.include_system_site_packages());
    let message = if refuses {
        format!("pip refuses to install into {}, because of {}", working.root, setting.place())
    } else {
        format!(
            "pip installs into the user site and not into {}, because of {}",
            working.root,
            setting.place()
        )
    };
    let severity = if facts.surroundings.ci.is_some() { Severity::Warning } else { Severity::Error };
    let finding = Finding::new(&CHECK, Subject::Shell, message).severity(severity).about(&working.root);
    shown(facts, finding, setting)
}

fn breaks_system(facts: &Facts, working: &Environment, setting: &PipSetting) -> Finding {
    let message = format!(
        "pip changes the system's Python in {} without asking, because of {}",
        working.root,
        setting.place()
    );
    let kind = match working.kind {
        EnvironmentKind::Installation => "externally managed (PEP 668)",
        _ => "shared",
    };
    let finding = Finding::new(&CHECK, Subject::Shell, message)
        .severity(Severity::Warning)
        .about(&working.root)
        .evidence("python's installation", format!("{} is {kind}", working.root));
    shown(facts, finding, setting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::Action;
    use crate::facts::Gathered;
    use crate::facts::example;
    use crate::facts::installers::{Installers, PipConfiguration, PipLevel};

    fn with(mut facts: Facts, key: &str, value: &str, file: Option<&str>) -> Facts {
        let setting = PipSetting {
            level: if file.is_some() { PipLevel::User } else { PipLevel::Variable },
            section: if file.is_some() { "global".into() } else { String::new() },
            key: key.into(),
            value: value.into(),
            file: file.map(example::path),
            line: file.map(|_| 2),
        };
        let pip = PipConfiguration { files: Vec::new(), settings: vec![setting] };
        facts.installers = Gathered::Known(Installers { pip });
        facts
    }

    #[test]
    fn fires_when_a_file_or_variable_names_another_place() {
        let file = Some("/home/me/.config/pip/pip.conf");
        let found = CHECK.findings(&with(example::healthy(), "target", "/home/me/pylib", file));
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].message.contains("target in /home/me/.config/pip/pip.conf, line 2"));
        assert!(matches!(found[0].remedies[0].actions[..], [Action::Run(_)]));
        let found = CHECK.findings(&with(example::healthy(), "prefix", "/opt/x", None));
        assert_eq!(found[0].remedies[0].actions, [Action::Unset("PIP_PREFIX".into())]);
    }

    #[test]
    fn fires_when_the_user_site_is_forced_on_a_venv() {
        let found = CHECK.findings(&with(example::healthy(), "user", "yes", None));
        assert!(found[0].message.starts_with("pip refuses"), "{}", found[0].message);
        assert!(CHECK.findings(&with(example::not_activated(), "user", "yes", None)).is_empty());
    }

    #[test]
    fn fires_when_the_systems_python_may_be_changed() {
        let facts = with(example::not_activated(), "break-system-packages", "1", None);
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Warning);
    }

    #[test]
    fn quiet_when_nothing_is_set_or_it_has_no_effect() {
        assert!(CHECK.findings(&example::healthy()).is_empty());
        assert!(CHECK.findings(&with(example::healthy(), "break-system-packages", "1", None)).is_empty());
        assert!(CHECK.findings(&with(example::healthy(), "user", "no", None)).is_empty());
        assert!(CHECK.findings(&with(example::healthy(), "prefix", example::VENV, None)).is_empty());
    }

    #[test]
    fn quiet_when_a_container_lets_pip_change_its_python() {
        let mut facts = with(example::not_activated(), "break-system-packages", "1", None);
        facts.surroundings.container = Some("/.dockerenv exists".into());
        assert!(CHECK.findings(&facts).is_empty());
    }
}
