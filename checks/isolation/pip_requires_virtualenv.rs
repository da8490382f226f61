//! pip is told to install into virtual environments only, and the one in use is none in its eyes.

use crate::diagnosis::manager::managed;
use crate::diagnosis::requirement::missing;
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind};

use super::{pip, remove_setting, with_line, working};

pub static CHECK: Check = Check {
    id: "pip-requires-virtualenv",
    category: Category::Isolation,
    severity: Severity::Warning,
    summary: "pip is told to require a virtual environment, and does not take this one for one",
    needs: &[Need::Installers, Need::Project, Need::Installed, Need::Packages],
    explains: &[],
    explanation: r#"
## What it means
`PIP_REQUIRE_VIRTUALENV`, or `require-virtualenv = true` in a configuration file of pip, makes pip stop with
`ERROR: Could not find an activated virtualenv (required).` wherever `sys.prefix` and `sys.base_prefix` are the same. A
conda environment is a whole installation of its own: in it the two are always the same, so pip refuses there too.

## How it happens
The setting is a good guard against installing into the system's Python. Then conda, a container's Python or a build
script meets it.

## How to fix it
For one command in a conda environment:

    PIP_REQUIRE_VIRTUALENV= python -m pip install NAME

or take the guard back: `unset PIP_REQUIRE_VIRTUALENV`, `python -m pip config --user unset global.require-virtualenv`.

## When it is fine
When no environment was active: then the guard has done what it is for. Activate or make one.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(setting) = pip(facts)
        .and_then(|pip| pip.effective("install", "require-virtualenv"))
        .filter(|setting| setting.is_on())
    else {
        return;
    };
    let Some(working) = working(facts) else { return };
    if !matches!(working.kind, EnvironmentKind::Conda | EnvironmentKind::Installation) {
        return;
    }
    let chosen = facts.is_chosen(working);
    let message = if chosen {
        format!("pip refuses to install into {}, which is no virtual environment in its eyes", working.root)
    } else {
        format!("pip refuses to install into {}, as it was told to", working.root)
    };
    let meant = chosen || facts.surroundings.container.is_some();
    // the project cannot be installed where it is meant to run
    let lacking = meant && lacks(facts, working);
    let severity = match meant {
        true if lacking => Severity::Error,
        true => Severity::Warning,
        false => Severity::Info,
    };
    let mut finding = Finding::new(&CHECK, Subject::Shell, message)
        .severity(severity)
        .about(&working.root)
        .evidence(setting.place(), setting.value.clone())
        .evidence("environment", working.root.to_text());
    if lacking {
        finding = finding.explaining("missing-requirement").explaining("unresolvable-import");
    }
    findings.push(with_line(finding, facts, &setting.variable()).remedy(remove_setting(facts, setting)));
}

/// Whether something that the project requires of this environment is certainly not there, and it is pip that is to
/// install it.
fn lacks(facts: &Facts, working: &Environment) -> bool {
    let is_asked = facts.project_runner().is_none() && facts.project.enclosing.is_none()
        || facts.belongs_to_project(working);
    let Some(packages) = facts.packages(&working.root) else { return false };
    is_asked
        && managed(facts, working).is_none()
        && packages.open_change().is_none()
        && missing(facts, working, packages).iter().any(|it| !facts.project.in_root.contains(&it.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Gathered;
    use crate::facts::example;
    use crate::facts::installers::{Installers, PipConfiguration, PipLevel, PipSetting};

    fn required(mut facts: Facts) -> Facts {
        let setting = PipSetting {
            level: PipLevel::Variable,
            section: String::new(),
            key: "require-virtualenv".into(),
            value: "1".into(),
            file: None,
            line: None,
            plain: false,
        };
        let pip = PipConfiguration { files: Vec::new(), settings: vec![setting] };
        facts.installers = Gathered::Known(Installers { pip, ..Installers::default() });
        facts
    }

    #[test]
    fn fires_when_a_conda_environment_is_active() {
        let mut facts = required(example::healthy());
        example::venv_of(&mut facts).kind = EnvironmentKind::Conda;
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].severity, Severity::Warning);
    }

    #[test]
    fn fires_as_the_cause_when_the_project_cannot_be_installed() {
        let mut facts = required(example::with_packages());
        example::venv_of(&mut facts).kind = EnvironmentKind::Conda;
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Warning, "nothing is missing");
        facts.project.requirements[0].name = "democore".into();
        let found = CHECK.findings(&facts);
        assert_eq!((found[0].severity, found[0].explains[0]), (Severity::Error, "missing-requirement"));
    }

    #[test]
    fn fires_as_information_when_it_did_its_work() {
        assert_eq!(CHECK.findings(&required(example::not_activated()))[0].severity, Severity::Info);
    }

    #[test]
    fn quiet_when_a_venv_is_active() {
        assert!(CHECK.findings(&required(example::healthy())).is_empty());
    }

    #[test]
    fn quiet_when_it_is_not_set() {
        assert!(CHECK.findings(&example::not_activated()).is_empty());
    }
}
