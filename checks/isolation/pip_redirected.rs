//! pip's or uv's configuration, or a variable, sends what they install to another place than `python` imports from.

use crate::diagnosis::{Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::installers::PipSetting;
use crate::facts::interpreter::Version;
use crate::path::HostPath;

use super::{pip, remove_setting, single_purpose, with_line, working};

mod by_uv;

pub static CHECK: Check = Check {
    id: "pip-redirected",
    category: Category::Isolation,
    severity: Severity::Error,
    summary: "pip's or uv's configuration sends installs elsewhere, or lets them break the system's Python",
    needs: &[Need::Installers, Need::Project, Need::Installed],
    explains: &["pip-elsewhere", "global-install"],
    explanation: r#"
## What it means
pip takes every option of its command line also from configuration files and from variables named `PIP_*`. `target`,
`prefix` and `root` send each install to that directory, whatever environment is active: pip reports success, and
`import` does not find the package. `user = true` sends it to the user site, which a venv does not see (pip then stops with
`Can not perform a '--user' install`). `python` has pip work for the Python that it names.
`break-system-packages = true` switches off the protection of PEP 668.
uv reads no setting of pip. Its own are `target`, `prefix`, `python` and `system` below `[pip]` in `uv.toml` or `[tool.uv.pip]` in
`pyproject.toml`, and the variables `UV_PYTHON` and `UV_SYSTEM_PYTHON`, which makes `uv pip` pass over every virtual
environment. `UV_PROJECT_ENVIRONMENT` names the environment for `uv sync`, `uv add` and `uv run`.

## How it happens
An application or a recipe wrote `target` into `~/.config/pip/pip.conf`, or `export PIP_TARGET=...` stayed in `~/.bashrc`
after packaging for AWS Lambda. `UV_SYSTEM_PYTHON=1` was copied from a Dockerfile. `PIP_BREAK_SYSTEM_PACKAGES=1` is what many answers give against
`externally-managed-environment`.

## How to fix it
`python -m pip config debug` lists every file and variable that pip reads. Take the setting back:

    unset PIP_TARGET
    python -m pip config --user unset global.target

and give the option on the command line of the one install that needs it. What was installed meanwhile lies in that
directory and must be installed again.

## When it is fine
In a container or a CI job that packages something or has no environment, and where `PYTHONPATH` names the same directory.
"#,
    examine,
};

/// Options that name another place, as `pip install` knows them.
const PLACES: [&str; 3] = ["target", "prefix", "root"];

fn examine(facts: &Facts, findings: &mut Findings) {
    by_uv::examine(facts, findings);
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
    if let Some(setting) = pip.effective("", "python").filter(|_| follows_python(working)) {
        match named_path(facts, &setting.value) {
            Some(python) if facts.installers.known().is_some_and(|it| it.is_absent(&python)) => {
                return findings.push(stops(facts, working, setting, &python));
            }
            // what else is set counts as without it
            Some(python) if is_of(working, &python) => {}
            Some(_) if isolated && working.is_venv() => {
                return findings.push(elsewhere(facts, working, setting));
            }
            _ => return,
        }
    }
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
    let is_root = setting.key == "root" && place.to_text() == "/";
    is_root || is_imported_from(facts, working, &place)
}

/// Whether `python` finds what is installed in this directory.
fn is_imported_from(facts: &Facts, working: &Environment, place: &HostPath) -> bool {
    facts.import_setup.python_path_entry(place).is_some()
        || working.is_at(place)
        || working.libraries.iter().any(|library| library.site_packages.same_as(place))
}

/// pip and uv take a path from the working directory.
fn named_path(facts: &Facts, value: &str) -> Option<HostPath> {
    Some(facts.working_directory.as_ref()?.join(value).normalized())
}

/// Whether a path is this environment, or an interpreter of it.
fn is_of(environment: &Environment, path: &HostPath) -> bool {
    let root = path.parent().and_then(|directory| directory.parent());
    environment.is_at(path)
        || root.is_some_and(|root| environment.is_at(&root))
        || environment.interpreters.iter().any(|own| own.same_as(path))
}

/// Whether the environment's pip knows `python` as an option: 22.3 was the first that did.
fn follows_python(environment: &Environment) -> bool {
    let version = environment.distribution("pip").and_then(|pip| Version::parse(&pip.version));
    version.is_none_or(|version| (version.major, version.minor) >= (22, 3))
}

fn stops(facts: &Facts, working: &Environment, setting: &PipSetting, python: &HostPath) -> Finding {
    let message = format!("pip stops at once: {} names {python}, which does not exist", setting.place());
    let finding = Finding::new(&CHECK, Subject::Shell, message).about(&working.root);
    shown(facts, finding, setting)
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
            plain: file.is_some(),
        };
        let pip = PipConfiguration { files: Vec::new(), settings: vec![setting] };
        facts.installers = Gathered::Known(Installers { pip, ..Installers::default() });
        facts
    }

    fn installers(facts: &mut Facts) -> &mut Installers {
        let Gathered::Known(installers) = &mut facts.installers else { panic!("installers") };
        installers
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
    fn fires_when_another_python_is_named() {
        let found = CHECK.findings(&with(example::healthy(), "python", "/home/me/other/.venv", None));
        assert!(found[0].message.starts_with("pip installs into /home/me/other/.venv and not"), "{found:?}");
        assert_eq!(found[0].remedies[0].actions, [Action::Unset("PIP_PYTHON".into())]);
        let mut facts = with(example::not_activated(), "python", "/usr/bin/python3.99", None);
        // as it is written
        installers(&mut facts).absent.push(example::path("/usr/bin/../bin//python3.99"));
        let found = CHECK.findings(&facts);
        assert_eq!(
            found[0].message,
            "pip stops at once: PIP_PYTHON names /usr/bin/python3.99, which does not exist"
        );
    }

    #[test]
    fn quiet_when_the_environments_own_python_is_named_or_pip_does_not_read_it() {
        for value in [example::VENV, "/home/me/project/.venv/bin/python", ".venv"] {
            assert!(CHECK.findings(&with(example::healthy(), "python", value, None)).is_empty(), "{value}");
        }
        assert!(CHECK.findings(&with(example::not_activated(), "python", "/x/.venv", None)).is_empty());
        let mut facts = with(example::healthy(), "python", "/home/me/other/.venv", None);
        let venv = example::venv_of(&mut facts);
        venv.installed.retain(|it| it.name != "pip");
        venv.installed.push(crate::facts::environment::Installed {
            name: "pip".into(),
            version: "21.2.4".into(),
            metadata: example::path(
                "/home/me/project/.venv/lib/python3.11/site-packages/pip-21.2.4.dist-info",
            ),
            editable: None,
            direct_url: None,
            requested: false,
        });
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn fires_when_the_user_site_is_forced_on_a_venv() {
        let found = CHECK.findings(&with(example::healthy(), "user", "yes", None));
        assert!(found[0].message.starts_with("pip refuses"), "{}", found[0].message);
        assert!(CHECK.findings(&with(example::not_activated(), "user", "yes", None)).is_empty());
    }

    #[test]
    fn the_environments_own_python_hides_no_other_setting() {
        let mut facts = with(example::healthy(), "user", "yes", None);
        let settings = &mut installers(&mut facts).pip.settings;
        let user = settings[0].clone();
        settings.push(PipSetting { key: "python".into(), value: ".venv".into(), ..user });
        let found = CHECK.findings(&facts);
        assert!(found[0].message.starts_with("pip refuses"), "{found:?}");
        // installs go elsewhere, and nothing is known of that place
        let mut facts = with(example::not_activated(), "break-system-packages", "1", None);
        let settings = &mut installers(&mut facts).pip.settings;
        let breaks = settings[0].clone();
        settings.push(PipSetting { key: "python".into(), value: "/x/.venv".into(), ..breaks });
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn a_line_is_deleted_where_it_is_the_whole_setting() {
        // `pip config --user` writes to today's file alone
        let mut facts = with(example::healthy(), "target", "/home/me/pylib", Some("/home/me/.pip/pip.conf"));
        installers(&mut facts).pip.settings[0].level = PipLevel::Named;
        let found = CHECK.findings(&facts);
        let [Action::Run(words)] = &found[0].remedies[0].actions[..] else { panic!("{found:?}") };
        assert_eq!(words[0].as_bytes(), b"sed");
        installers(&mut facts).pip.settings[0].plain = false;
        let found = CHECK.findings(&facts);
        assert!(
            matches!(found[0].remedies[0].actions[..], [Action::Edit { line: Some(2), .. }]),
            "{found:?}"
        );
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
