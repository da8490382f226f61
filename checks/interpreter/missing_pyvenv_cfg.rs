//! A venv in every respect, without its `pyvenv.cfg`: Python does not know that it is one.

use super::{PACKAGES_UNSEEN, base_directory, severity, venvs, with_replacement};
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::interpreter::{Interpreter, ProbeReport};
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "missing-pyvenv-cfg",
    category: Category::Interpreter,
    severity: Severity::Error,
    summary: "The environment has lost its pyvenv.cfg",
    needs: &[Need::Scripts, Need::Installed],
    explains: PACKAGES_UNSEEN,
    explanation: r#"
## What it means
The file `pyvenv.cfg` is all that makes a directory a venv: at its start, Python looks for it beside its own file and
one directory up. Without it, `.venv/bin/python` starts without complaint as the base Python. It does not see the
packages of the environment, and `pip install` goes to the base installation or is refused with
`externally-managed-environment`. On Windows it does not start at all: "failed to locate pyvenv.cfg".

## How it happens
The file was deleted or not copied: a clean-up script, a partial restore, a `.gitignore` or `.dockerignore` line
for `*.cfg`, part of an environment in version control.

## How to fix it
Write it again. Three lines are enough; `home` is the directory of the base interpreter, which
`readlink -f .venv/bin/python` shows:

    home = /usr/bin
    include-system-site-packages = false
    version = 3.11.2

Or run `python3.11 -m venv .venv` over it with the same minor version: packages stay, and the file is written.

## When it is fine
Environments of virtualenv before version 20 have no such file, nor have conda's, nor relocatable Pythons with a
`bin` directory of their own. They are not reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in venvs(facts) {
        if environment.kind != EnvironmentKind::Remains || environment.config_error.is_some() {
            continue;
        }
        let Some(interpreter) = facts.interpreter_of(environment).filter(|found| found.can_start()) else {
            continue;
        };
        if environment.libraries.iter().all(|library| !library.site_packages_exists)
            || interpreter.probe.report().is_some_and(|report| works_there(report, environment))
        {
            continue;
        }
        let file = environment.config_path.clone().unwrap_or_else(|| environment.root.join("pyvenv.cfg"));
        let mut finding = Finding::new(
            &CHECK,
            Subject::Environment(environment.root.clone()),
            format!(
                "{} has no pyvenv.cfg, so its python is the base Python and does not see the environment's packages",
                environment.root
            ),
        )
        .severity(severity(facts, environment))
        .evidence("missing", file.to_text())
        .evidence("interpreter", interpreter.links_text());
        if let Some(report) = interpreter.probe.report() {
            finding = finding.evidence("sys.prefix", &report.prefix);
        }
        for library in &environment.libraries {
            finding = finding.evidence("unseen packages", library.site_packages.to_text());
        }
        if let Some(remedy) = write_again(facts, environment, interpreter, &file) {
            finding = finding.remedy(remedy);
        }
        findings.push(with_replacement(finding, facts, environment));
    }
}

/// It says itself that it lives in this directory: as a venv by other means, or as an installation.
fn works_there(report: &ProbeReport, environment: &Environment) -> bool {
    HostPath::new(environment.root.flavour(), report.prefix.as_bytes())
        .is_some_and(|prefix| environment.is_at(&prefix))
}

/// The three lines, where the version of the packages and the base are certain.
fn write_again(
    facts: &Facts,
    environment: &Environment,
    interpreter: &Interpreter,
    file: &HostPath,
) -> Option<Remedy> {
    let [library] = environment.libraries.as_slice() else { return None };
    let version = interpreter
        .known_version()
        .filter(|found| library.version.is_none_or(|its| found.same_minor(its)))?;
    let home = base_directory(facts, environment).filter(HostPath::is_utf8)?;
    let lines = [
        format!("home = {home}"),
        "include-system-site-packages = false".to_owned(),
        format!("version = {version}"),
    ];
    Some(Remedy::safe(
        "Write pyvenv.cfg again",
        vec![
            Action::WriteLines {
                file: file.clone(),
                lines: lines.into_iter().map(Into::into).collect(),
                append: false,
            },
            Action::Rehash,
        ],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Gathered;
    use crate::facts::example::{healthy, interpreters_of, path, venv_of};
    use crate::facts::interpreter::{Probe, Version};

    fn without_config() -> Facts {
        let mut facts = healthy();
        let venv = venv_of(&mut facts);
        venv.kind = EnvironmentKind::Remains;
        venv.config_path = None;
        venv.config = Gathered::NotAsked;
        venv.creator = None;
        venv.home = None;
        facts
    }

    fn reports(facts: &mut Facts, prefix: &str) {
        for interpreter in interpreters_of(facts) {
            let report =
                ProbeReport { prefix: prefix.to_owned(), version: vec![3, 11, 2], ..Default::default() };
            interpreter.probe = Probe::Answered(Box::new(report));
        }
    }

    #[test]
    fn fires_when_the_file_was_deleted() {
        let mut facts = without_config();
        reports(&mut facts, "/usr");
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(
            found[0].remedies[0].actions[0],
            Action::WriteLines {
                file: path("/home/me/project/.venv/pyvenv.cfg"),
                lines: vec![
                    "home = /usr/bin".into(),
                    "include-system-site-packages = false".into(),
                    "version = 3.11.2".into()
                ],
                append: false
            }
        );
    }

    #[test]
    fn fires_and_writes_nothing_when_the_packages_are_of_another_version() {
        let mut facts = without_config();
        for interpreter in interpreters_of(&mut facts) {
            interpreter.version = Some(Version::new(3, 12, None));
        }
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert!(found[0].remedies.iter().all(|remedy| remedy.summary != "Write pyvenv.cfg again"));
    }

    #[test]
    fn quiet_when_virtualenv_made_it_long_ago() {
        let mut facts = without_config();
        venv_of(&mut facts).kind = EnvironmentKind::LegacyVirtualenv;
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_it_is_a_relocatable_installation() {
        let mut facts = without_config();
        reports(&mut facts, "/home/me/project/.venv");
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_the_file_is_there() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }
}
