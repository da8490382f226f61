//! `requires-python` excludes the environment's Python.

use super::severity_in;
use crate::diagnosis::recreate::recreate_from;
use crate::diagnosis::requirement::Target;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::installation::{allows, best_installation};
use crate::facts::project::Declared;

pub static CHECK: Check = Check {
    id: "requires-python-mismatch",
    category: Category::Project,
    severity: Severity::Error,
    summary: "The project's `requires-python` excludes the environment's Python",
    needs: &[Need::Project, Need::Probe, Need::Installed],
    explains: &["python-pin-mismatch"],
    explanation: r#"
## What it means

The project says which versions of Python it runs with (`requires-python` in `pyproject.toml`, `python` of Poetry,
`python_requires` of setuptools, `[requires]` of a Pipfile), and the environment has another one. Installing the project
ends in `requires a different Python`; running it may end in a `SyntaxError` or a missing module of the standard library.

## How it happens

The environment was made with whatever `python3` was, or before the project raised its demand.

## How to fix it

Make the environment again with a Python that fits; what is installed is written down first:

    .venv/bin/python -m pip freeze > requirements-before.txt
    python3.12 -m venv --clear .venv
    uv venv --clear --python 3.12              # or poetry env use 3.12

## When it is fine

When the demand is higher than the truth. Then lower it: installers refuse otherwise.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(declared) = &facts.project.requires_python else { return };
    let Some(environment) = facts.patient().filter(|environment| facts.starts(environment)) else { return };
    if environment.kind == EnvironmentKind::Installation && facts.project_runner().is_some() {
        return;
    }
    let interpreter = facts.interpreter_of(environment);
    let Some(version) = interpreter.and_then(|found| found.known_version()).or(environment.python_version())
    else {
        return;
    };
    if !excluded(facts, environment, declared) {
        return;
    }
    let place = declared.line.map_or_else(String::new, |line| format!(" (line {line})"));
    let mut finding = Finding::new(
        &CHECK,
        Subject::Environment(environment.root.clone()),
        format!(
            "The project requires Python {}, and {} has Python {version}",
            declared.text, environment.root
        ),
    )
    .severity(severity_in(facts, environment, CHECK.severity))
    .evidence("required", format!("{} in {}{place}", declared.text, declared.file));
    if let Some(interpreter) = interpreter {
        finding = finding.evidence("interpreter", format!("{} (Python {version})", interpreter.links_text()));
    }
    findings.push(finding.remedy(remedy(facts, environment, declared)));
}

fn excluded(facts: &Facts, environment: &Environment, declared: &Declared) -> bool {
    let text = declared.text.trim();
    let of_a_tool = text.contains(['^', '|'])
        || text.starts_with(|c: char| c.is_ascii_digit())
        || (text.starts_with('~') && !text.starts_with("~="));
    if of_a_tool {
        let interpreter = facts.interpreter_of(environment);
        let version = interpreter.and_then(|found| found.known_version()).or(environment.python_version());
        return version.is_some_and(|version| !allows(text, version));
    }
    Target::of(facts, environment).is_some_and(|target| target.excluded_by(text).is_some())
}

fn remedy(facts: &Facts, environment: &Environment, declared: &Declared) -> Remedy {
    let fitting = best_installation(&facts.installations, None, Some(&declared.text))
        .filter(|found| found.version.is_some_and(|version| allows(&declared.text, version)));
    match fitting {
        Some(_) if environment.is_venv() => recreate_from(facts, environment, fitting),
        _ => Remedy::manual(
            "Make an environment with a Python that fits",
            vec![Action::Advice(format!(
                "install a Python that satisfies {} (uv python install, pyenv install), and make the project's environment with it",
                declared.text
            ))],
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{healthy, path};

    fn requires(text: &str) -> Facts {
        let mut facts = healthy();
        let file = path("/home/me/project/pyproject.toml");
        facts.project.requires_python = Some(Declared { text: text.into(), file, line: Some(4) });
        facts
    }

    #[test]
    fn fires_when_the_python_is_too_old() {
        for text in [">=3.12", "^3.12", "3.12", ">=3.8,<3.11", "~3.9"] {
            let found = CHECK.findings(&requires(text));
            assert_eq!(found.len(), 1, "{text}");
            assert!(found[0].message.contains("has Python 3.11"), "{}", found[0].message);
        }
    }

    #[test]
    fn quiet_when_it_fits() {
        for text in [">=3.8,<4", "^3.9", "3.11", "==3.11.*", "~=3.9", "*", "nonsense", ""] {
            assert_eq!(CHECK.findings(&requires(text)), [], "{text}");
        }
    }

    #[test]
    fn quiet_when_nothing_is_required_or_no_environment_is_there() {
        assert_eq!(CHECK.findings(&healthy()), []);
        let mut facts = requires(">=3.12");
        facts.patient = None;
        assert_eq!(CHECK.findings(&facts), []);
    }
}
