//! The link that the environment follows leads to another minor version now: its packages are not seen.

use super::{PACKAGES_UNSEEN, severity, venvs, with_replacement, with_same_minor};
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, Library};
use crate::facts::interpreter::Version;

pub static CHECK: Check = Check {
    id: "python-version-switched",
    category: Category::Interpreter,
    severity: Severity::Error,
    summary: "The interpreter is of another minor version than the environment's packages",
    needs: &[Need::Installed, Need::Binaries],
    explains: PACKAGES_UNSEEN,
    explanation: r#"
## What it means
Packages are installed per minor version: those for Python 3.10 lie in `lib/python3.10/site-packages`, and no other
version looks there. The environment's `python` follows a link such as `/usr/bin/python3`, which now leads to
another minor version. It starts without complaint and finds nothing: every import fails, even `pip` is gone.

## How it happens
An operating system upgrade, `brew upgrade` or `update-alternatives` gave the unversioned name to a newer Python.
Or the environment was made on one machine and is used on another, or in a container, where the same path is
another Python.

## How to fix it
When the old minor version is still installed, point the environment at it; nothing has to be installed again:

    ln -sfn /usr/bin/python3.10 .venv/bin/python

Otherwise make the environment again. What was in it can be read from the names in
`lib/python3.10/site-packages/*.dist-info`:

    python3 -m venv --clear .venv
    .venv/bin/python -m pip install -r requirements.txt

Made with `python3.10 -m venv`, an environment follows the versioned name and does not change by itself.

## When it is fine
When nothing was installed in it: an empty environment loses nothing. It is not reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in venvs(facts) {
        let Some(interpreter) = facts.interpreter_of(environment).filter(|found| found.can_start()) else {
            continue;
        };
        let Some(version) = interpreter.known_version() else { continue };
        let Some(library) = left_behind(environment, version) else { continue };
        let directory = &library.directory;
        let mut finding = Finding::new(
            &CHECK,
            Subject::Environment(environment.root.clone()),
            format!(
                "{} is Python {} now, and the environment's packages are in {directory}",
                interpreter.path,
                version.minor_text()
            ),
        )
        .severity(severity(facts, environment));
        finding = match (interpreter.probe.report(), &interpreter.version_source) {
            (Some(_), _) => finding.evidence("interpreter", format!("Python {version} (it says so)")),
            (None, Some(source)) => finding.evidence("interpreter", format!("Python {version} ({source})")),
            (None, None) => finding.evidence("interpreter", format!("Python {version}")),
        };
        if interpreter.links.is_link() {
            finding = finding.evidence("links", interpreter.links_text());
        }
        finding = finding.evidence("packages", format!("{directory} ({} entries)", library.entries));
        if let (Some(config), Some(file)) = (environment.venv_config(), &environment.config_path)
            && let Some(text) = config.version_text()
        {
            finding = finding.evidence("made with", format!("Python {text} ({file})"));
        }
        finding = with_same_minor(finding, facts, environment);
        findings.push(with_replacement(finding, facts, environment));
    }
}

/// The library with packages, when the interpreter has none of its own in the environment.
fn left_behind(environment: &Environment, version: Version) -> Option<&Library> {
    let own = |library: &Library| {
        library.version.is_none_or(|found| (found.major, found.minor) == (version.major, version.minor))
    };
    if environment.libraries.iter().any(own) {
        return None;
    }
    environment.libraries.iter().filter(|library| library.entries > 0).max_by_key(|library| library.entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{healthy, interpreters_of, path, venv_of};
    use crate::facts::interpreter::{Probe, ProbeReport};

    fn switched() -> Facts {
        let mut facts = healthy();
        for interpreter in interpreters_of(&mut facts) {
            interpreter.links.hops[1] = path("/usr/bin/python3.13");
            interpreter.version = Some(Version::new(3, 13, None));
        }
        facts
    }

    #[test]
    fn fires_when_the_link_was_given_to_a_newer_python() {
        let found = CHECK.findings(&switched());
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].message,
            "/home/me/project/.venv/bin/python is Python 3.13 now, and the environment's packages are in /home/me/project/.venv/lib/python3.11"
        );
        let label = "other Python 3.11 on this machine";
        assert!(
            found[0]
                .evidence
                .iter()
                .any(|line| line.label == label && line.value.contains("/usr/bin/python3.11"))
        );
    }

    #[test]
    fn fires_when_only_the_interpreter_itself_tells_its_version() {
        let mut facts = healthy();
        for interpreter in interpreters_of(&mut facts) {
            interpreter.version = None;
            let report = ProbeReport { version: vec![3, 12, 1], ..ProbeReport::default() };
            interpreter.probe = Probe::Answered(Box::new(report));
        }
        assert_eq!(CHECK.findings(&facts).len(), 1);
    }

    #[test]
    fn quiet_when_nothing_was_installed() {
        let mut facts = switched();
        venv_of(&mut facts).libraries[0].entries = 0;
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_the_versions_agree() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }

    #[test]
    fn quiet_when_the_library_has_a_name_of_its_own() {
        let mut facts = switched();
        let library = &mut venv_of(&mut facts).libraries[0];
        library.directory = path("/home/me/project/.venv/lib/pypy3.13");
        library.implementation = "pypy".to_owned();
        library.version = Some(Version::new(3, 13, None));
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_the_version_is_not_known() {
        let mut facts = healthy();
        interpreters_of(&mut facts).for_each(|interpreter| interpreter.version = None);
        assert_eq!(CHECK.findings(&facts), []);
    }
}
