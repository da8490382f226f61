//! Can an environment's Python start, and is it the one that the environment was made for?

use crate::diagnosis::recreate;
use crate::diagnosis::{Action, Check, Finding, Remedy, Severity};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind, Layout};
use crate::facts::interpreter::{Interpreter, LinkEnd};
use crate::facts::platform::System;
use crate::path::HostPath;

pub mod base_python_missing;
pub mod dangling_interpreter;
pub mod end_of_life_python;
pub mod half_upgraded_venv;
pub mod incomplete_venv;
pub mod interpreter_fails;
pub mod interpreter_link_loop;
pub mod interpreter_loader_missing;
pub mod interpreter_not_executable;
pub mod interpreter_wrong_architecture;
pub mod invalid_pyvenv_cfg;
pub mod libpython_mismatch;
pub mod libpython_missing;
pub mod missing_pyvenv_cfg;
pub mod python_version_switched;
pub mod stale_interpreter_copy;
pub mod unexplained_import_path;

/// Causes before their symptoms.
pub static ALL: &[&Check] = &[
    &dangling_interpreter::CHECK,
    &interpreter_link_loop::CHECK,
    &interpreter_not_executable::CHECK,
    &interpreter_wrong_architecture::CHECK,
    &interpreter_loader_missing::CHECK,
    &libpython_missing::CHECK,
    &libpython_mismatch::CHECK,
    &half_upgraded_venv::CHECK,
    &python_version_switched::CHECK,
    &incomplete_venv::CHECK,
    &missing_pyvenv_cfg::CHECK,
    &invalid_pyvenv_cfg::CHECK,
    &base_python_missing::CHECK,
    &stale_interpreter_copy::CHECK,
    &interpreter_fails::CHECK,
    &unexplained_import_path::CHECK,
    &end_of_life_python::CHECK,
];

/// What other checks find when an environment's `python` cannot be run: its scripts fail, and the names fall through
/// to the next directory of `PATH`.
const CANNOT_START: &[&str] = &[
    "base-python-missing",
    "interpreter-fails",
    "forgotten-activation",
    "lost-activation",
    "stale-activation",
    "shadowed-environment",
    "conflicting-activation",
    "stacked-environments",
    "pip-elsewhere",
    "python-names-disagree",
    "python-command-missing",
    "tool-outside-environment",
    "broken-shebang",
    "environment-without-pip",
    "broken-pip",
    "global-install",
    "missing-requirement",
    "unresolvable-import",
];

/// What other checks find when an environment's `python` starts and does not see the environment's packages.
const PACKAGES_UNSEEN: &[&str] = &[
    "interpreter-fails",
    "forgotten-activation",
    "lost-activation",
    "stale-activation",
    "shadowed-environment",
    "conflicting-activation",
    "stacked-environments",
    "pip-elsewhere",
    "python-names-disagree",
    "python-command-missing",
    "tool-outside-environment",
    "broken-shebang",
    "stale-entry-script",
    "environment-without-pip",
    "broken-pip",
    "broken-editable",
    "global-install",
    "missing-requirement",
    "requirement-mismatch",
    "unresolvable-import",
    "project-not-installed",
    "extension-for-another-python",
    "distribution-requires-python",
    "python-pin-mismatch",
    "requires-python-mismatch",
];

/// Environments whose interpreter matters here. An installation is one of them only when the shell runs it or it is
/// the one under examination.
fn examined(facts: &Facts) -> impl Iterator<Item = &Environment> {
    facts.own_environments().filter(|environment| {
        environment.is_venv()
            || environment.kind == EnvironmentKind::Conda
            || [facts.patient(), facts.running()]
                .into_iter()
                .flatten()
                .any(|other| environment.is_at(&other.root))
    })
}

/// Those that a `pyvenv.cfg` should make one, in the layout of this system.
fn venvs(facts: &Facts) -> impl Iterator<Item = &Environment> {
    examined(facts).filter(|environment| {
        let foreign = (environment.layout == Layout::Windows) != (facts.platform.system == System::Windows);
        environment.is_venv() && (!foreign || environment.layout == Layout::None)
    })
}

/// The first of the environment's interpreters with that fault. Versioned names count only where there is no
/// `python` or `python3`: a leftover `python3.9` hurts nobody.
fn faulty<'a>(
    facts: &'a Facts,
    environment: &'a Environment,
    fault: impl Fn(&Interpreter) -> bool,
) -> Option<&'a Interpreter> {
    let mut named = facts.interpreters_of(environment).filter(|found| found.is_unversioned()).peekable();
    match named.peek() {
        Some(_) => named.find(|interpreter| fault(interpreter)),
        None => facts.interpreters_of(environment).find(|interpreter| fault(interpreter)),
    }
}

/// An error where work depends on the environment now.
fn severity(facts: &Facts, environment: &Environment) -> Severity {
    if facts.in_use(environment) { Severity::Error } else { Severity::Warning }
}

/// Another Python of the same minor version keeps every package; else the environment is made anew.
fn with_replacement(finding: Finding, facts: &Facts, environment: &Environment) -> Finding {
    if environment.kind == EnvironmentKind::Conda {
        return finding.remedy(Remedy::review(
            "Install the environment's Python again",
            vec![Action::run([
                "conda".into(),
                "install".into(),
                "--force-reinstall".into(),
                "--prefix".into(),
                (&environment.root).into(),
                "python".into(),
            ])],
        ));
    }
    if !environment.is_venv() {
        return finding.remedy(Remedy::manual(
            "Install this Python again",
            vec![Action::Advice(format!(
                "reinstall the Python in {} with the tool that installed it",
                environment.root
            ))],
        ));
    }
    let finding = match recreate::relink(facts, environment) {
        Some(remedy) => finding.remedy(remedy),
        None => finding,
    };
    finding.remedy(recreate::recreate(facts, environment))
}

/// Says which other Pythons of the environment's minor version this machine has.
fn with_same_minor(finding: Finding, facts: &Facts, environment: &Environment) -> Finding {
    let Some(version) = environment.python_version() else { return finding };
    let found: Vec<String> = recreate::usable(facts, environment)
        .into_iter()
        .filter(|installation| installation.version.is_some_and(|found| found.same_minor(version)))
        .map(|installation| format!("{} ({})", installation.interpreter, installation.found_by))
        .collect();
    let minor = version.minor_text();
    let found = if found.is_empty() { "none was found".to_owned() } else { found.join(", ") };
    finding.evidence(format!("other Python {minor} on this machine"), found)
}

/// Makes the environment's interpreters links to `base`.
fn link_to(facts: &Facts, environment: &Environment, base: &HostPath) -> Vec<Action> {
    let link = |target: crate::diagnosis::Word, at: &HostPath| {
        Action::run(["ln".into(), "-sfn".into(), target, at.into()])
    };
    let python = environment.program("python");
    let mut actions = vec![link(base.into(), &python)];
    let names = facts
        .interpreters_of(environment)
        .filter(|interpreter| {
            let name = interpreter.command_name();
            let version = name.trim_start_matches("python");
            name != "python"
                && name.starts_with("python")
                && version.chars().all(|letter| letter.is_ascii_digit() || letter == '.')
        })
        .map(|interpreter| link("python".into(), &interpreter.path));
    actions.extend(names);
    actions.push(Action::Rehash);
    actions
}

/// The directory that belongs behind `home =`, where it is certain: the one that the interpreter's links lead to.
fn base_directory(facts: &Facts, environment: &Environment) -> Option<HostPath> {
    facts
        .interpreters_of(environment)
        .filter(|interpreter| interpreter.links.end == LinkEnd::File && !interpreter.is_copy_in(environment))
        .find_map(|interpreter| interpreter.links.last()?.parent())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::examine::examine;
    use crate::facts::environment::HomeState;
    use crate::facts::example::{healthy, interpreters_of, path, venv_of};
    use crate::facts::interpreter::Probe;

    fn leading(facts: &Facts) -> Vec<(&'static str, Vec<&'static str>)> {
        let diagnosis = examine(facts, ALL, Vec::new());
        assert!(diagnosis.failed.is_empty(), "{:?}", diagnosis.failed);
        let symptoms = |finding: &Finding| finding.symptoms.iter().map(|symptom| symptom.check).collect();
        diagnosis.findings.iter().map(|finding| (finding.check, symptoms(finding))).collect()
    }

    #[test]
    fn a_healthy_machine_has_no_finding() {
        assert_eq!(leading(&healthy()), []);
    }

    #[test]
    fn a_base_that_was_removed_is_one_finding() {
        let mut facts = healthy();
        venv_of(&mut facts).home.as_mut().unwrap().state = HomeState::Missing;
        for interpreter in interpreters_of(&mut facts) {
            interpreter.links.hops[1] = path("/opt/homebrew/Cellar/python@3.11/3.11.5/bin/python3.11");
            interpreter.links.end = LinkEnd::Missing;
            interpreter.executable = false;
            interpreter.loader_exists = None;
        }
        assert_eq!(leading(&facts), [("dangling-interpreter", vec![])]);
    }

    #[test]
    fn a_failing_start_stands_below_its_cause() {
        let mut facts = healthy();
        venv_of(&mut facts).home.as_mut().unwrap().state = HomeState::Missing;
        for interpreter in interpreters_of(&mut facts) {
            interpreter.links.hops.truncate(1);
            interpreter.probe = Probe::Failed {
                ending: "exit status 1".to_owned(),
                stderr: "ModuleNotFoundError: No module named 'encodings'".to_owned(),
            };
        }
        assert_eq!(leading(&facts), [("base-python-missing", vec!["interpreter-fails"])]);
    }

    #[test]
    fn a_failing_start_leads_where_nothing_accounts_for_it() {
        let mut facts = healthy();
        venv_of(&mut facts).home.as_mut().unwrap().state = HomeState::Missing;
        for interpreter in interpreters_of(&mut facts) {
            interpreter.probe = Probe::Failed { ending: "signal 9".to_owned(), stderr: "Killed".to_owned() };
        }
        assert_eq!(leading(&facts), [("interpreter-fails", vec![])]);
    }
}
