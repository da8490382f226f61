//! `.python-version` (or its like) and the environment name different Pythons.

use crate::diagnosis::recreate::recreate_from;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::interpreter::Version;
use crate::facts::project::Declared;
use crate::parse::python_version_file;

pub static CHECK: Check = Check {
    id: "python-pin-mismatch",
    category: Category::Project,
    severity: Severity::Warning,
    summary: "The pinned Python and the environment's differ",
    needs: &[Need::Project, Need::Probe, Need::Installed],
    explains: &[],
    explanation: r#"
## What it means

`.python-version`, `.tool-versions` or `mise.toml` says which Python this directory is for, and the environment was made
with another minor version. An active environment wins over the pin, so commands run with a Python that the project does
not mean; `uv sync` will replace the environment when it is run next.

## How it happens

The pin was changed and the environment was not made again, or the environment was made with another `python3`.

## How to fix it

Make the environment with the pinned version; what is installed is written down first:

    .venv/bin/python -m pip freeze > requirements-before.txt
    "$(pyenv prefix 3.12)/bin/python" -m venv --clear .venv
    uv venv --clear                            # uv takes the pinned version by itself

Or change the pin: `uv python pin 3.11`, `pyenv local 3.11`.

## When it is fine

A pin with several versions (for tox), the name of an environment, or `system` asks for no single one: none of these is
reported, nor is another patch release of the same minor version.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    if facts.shell.set("PYENV_VERSION").is_some() {
        return;
    }
    let Some(environment) = facts.patient().filter(|environment| environment.is_venv()) else { return };
    if !facts.starts(environment) || !facts.belongs_to_project(environment) {
        return;
    }
    let interpreter = facts.interpreter_of(environment);
    let Some(version) = interpreter.and_then(|found| found.known_version()).or(environment.python_version())
    else {
        return;
    };
    let Some(first) = facts.project.pins.first().filter(|pin| speaks_of_project(facts, pin)) else { return };
    let same_file = facts.project.pins.iter().filter(|pin| pin.file == first.file);
    // several versions, a name, an implementation: no single version is asked for
    let Some(pins) = same_file.map(|pin| Some((pin, numbers(pin)?))).collect::<Option<Vec<_>>>() else {
        return;
    };
    if pins.iter().any(|(_, (major, minor))| fits(version, *major, *minor)) {
        return;
    }
    let place = first.line.map_or_else(String::new, |line| format!(" (line {line})"));
    let mut finding = Finding::new(
        &CHECK,
        Subject::Environment(environment.root.clone()),
        format!("{} pins Python {}, and {} has Python {version}", first.file, first.text, environment.root),
    )
    .evidence("pinned", format!("{} in {}{place}", first.text, first.file));
    if let Some(interpreter) = interpreter {
        finding = finding.evidence("interpreter", format!("{} (Python {version})", interpreter.links_text()));
    }
    let pinned = pins.first().and_then(|(_, (major, minor))| {
        facts
            .installations
            .iter()
            .find(|found| found.version.is_some_and(|version| fits(version, *major, *minor)))
    });
    findings.push(finding.remedy(match pinned {
        Some(_) => recreate_from(facts, environment, pinned),
        None => Remedy::manual(
            "Install the pinned Python, and make the environment with it",
            vec![Action::Advice(format!(
                "install Python {} (uv python install {0}, pyenv install {0}), then make the environment again",
                first.text
            ))],
        ),
    }));
}

/// A pin in the home directory or above the project's repository is somebody's default.
fn speaks_of_project(facts: &Facts, pin: &Declared) -> bool {
    let Some(directory) = pin.file.parent() else { return false };
    let top = facts.project.git.as_ref().map(|git| &git.top).or(facts.project.root.as_ref());
    top.is_some_and(|top| directory.is_within(top))
        && !facts.home.as_ref().is_some_and(|home| {
            home.same_as(&directory) && !facts.project.root.as_ref().is_some_and(|root| root.same_as(home))
        })
}

fn numbers(pin: &Declared) -> Option<(u32, Option<u32>)> {
    let file = python_version_file::parse(pin.text.as_bytes());
    let (major, minor, _) = file.first()?.version()?;
    Some((major, minor))
}

fn fits(version: Version, major: u32, minor: Option<u32>) -> bool {
    version.major == major && minor.is_none_or(|minor| version.minor == minor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{healthy, path, set_variable};

    fn pinned(texts: &[&str]) -> Facts {
        let mut facts = healthy();
        let file = path("/home/me/project/.python-version");
        facts.project.pins = texts
            .iter()
            .zip(1..)
            .map(|(text, line)| Declared { text: (*text).into(), file: file.clone(), line: Some(line) })
            .collect();
        facts
    }

    #[test]
    fn fires_when_the_minor_versions_differ() {
        let found = CHECK.findings(&pinned(&["3.12"]));
        assert_eq!(found.len(), 1);
        assert!(found[0].message.starts_with("/home/me/project/.python-version pins Python 3.12, and"));
    }

    #[test]
    fn quiet_when_they_agree() {
        for texts in [
            &["3.11"][..],
            &["3.11.9"],
            &["3"],
            &["3.12.1", "3.11.7"],
            &["system"],
            &["myenv"],
            &["pypy3.10"],
        ] {
            assert_eq!(CHECK.findings(&pinned(texts)), [], "{texts:?}");
        }
    }

    #[test]
    fn quiet_when_the_pin_is_a_default_or_overruled() {
        let mut facts = pinned(&["3.12"]);
        facts.project.pins[0].file = path("/home/me/.python-version");
        assert_eq!(CHECK.findings(&facts), []);
        let mut facts = pinned(&["3.12"]);
        set_variable(&mut facts, "PYENV_VERSION", "3.11.7");
        assert_eq!(CHECK.findings(&facts), []);
    }
}
