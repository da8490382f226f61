//! The environment's minor version of Python gets no security fixes any more.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::facts::interpreter::{Interpreter, LinkEnd, PythonOwner, Version};

pub static CHECK: Check = Check {
    id: "end-of-life-python",
    category: Category::Interpreter,
    severity: Severity::Info,
    summary: "The environment's Python gets no security fixes any more",
    needs: &[Need::Binaries],
    explains: &[],
    explanation: r#"
## What it means
The Python project maintains each minor version for about five years (PEP 602). After that there are no releases, not
even for security holes. Packages follow: new releases stop supporting it, so pip installs ever older ones, and one
day finds none.

## How it happens
Time. The environment was made with the Python of that day, or the project asks for an old version.

## How to fix it
Nothing is broken now. When you have time, try the project on a newer version in an environment beside this one:

    python3.13 -m venv .venv-3.13
    .venv-3.13/bin/python -m pip install -r requirements.txt

`uv python install 3.13` or `pyenv install 3.13` bring a newer Python without touching the system's. Dates are at
https://devguide.python.org/versions/.

## When it is fine
Distributions keep the Python that they ship alive for longer, with fixes of their own (RHEL, Debian LTS, Ubuntu); those
are not reported, and neither is PyPy, which has its own schedule. A project that must run where only the old version
exists is right to be tested with it.
"#,
    examine,
};

type Date = (i32, u32, u32);

/// The last day of each minor version of CPython: <https://devguide.python.org/versions/>, PEP 602. For those that have
/// only a month, its last day.
const LAST_DAYS: &[((u32, u32), Date)] = &[
    ((2, 6), (2013, 10, 29)),
    ((2, 7), (2020, 1, 1)),
    ((3, 0), (2009, 6, 27)),
    ((3, 1), (2012, 4, 9)),
    ((3, 2), (2016, 2, 20)),
    ((3, 3), (2017, 9, 29)),
    ((3, 4), (2019, 3, 18)),
    ((3, 5), (2020, 9, 30)),
    ((3, 6), (2021, 12, 23)),
    ((3, 7), (2023, 6, 27)),
    ((3, 8), (2024, 10, 7)),
    ((3, 9), (2025, 10, 31)),
    ((3, 10), (2026, 10, 31)),
    ((3, 11), (2027, 10, 31)),
    ((3, 12), (2028, 10, 31)),
    ((3, 13), (2029, 10, 31)),
    ((3, 14), (2030, 10, 31)),
    ((3, 15), (2031, 10, 31)),
];

/// The day to judge by where the machine does not tell its own: that of the table.
const TABLE_READ: Date = (2026, 1, 1);

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(environment) = facts.patient() else { return };
    let Some(interpreter) = facts.interpreter_of(environment) else { return };
    if interpreter.links.end != LinkEnd::File
        || interpreter.implementation.as_deref() != Some("cpython")
        || is_maintained_by_distribution(facts, environment, interpreter)
    {
        return;
    }
    let Some(version) = interpreter.known_version() else { return };
    let today = facts.today.unwrap_or(TABLE_READ);
    let Some(last_day) = last_day(version).filter(|last_day| *last_day < today) else { return };
    let (year, month, day) = last_day;
    let finding = Finding::new(
        &CHECK,
        Subject::Environment(environment.root.clone()),
        format!(
            "Python {} in {} has had no security fixes since {year}-{month:02}-{day:02}",
            version.minor_text(),
            environment.root
        ),
    )
    .evidence("interpreter", format!("{} (Python {version})", interpreter.links_text()))
    .evidence("end of life", format!("{year}-{month:02}-{day:02} (devguide.python.org/versions)"));
    findings.push(finding.remedy(newer(facts, environment, today)));
}

fn last_day(version: Version) -> Option<Date> {
    LAST_DAYS.iter().find(|(minor, _)| *minor == (version.major, version.minor)).map(|(_, day)| *day)
}

/// A Linux distribution backports fixes to the Python that it ships.
fn is_maintained_by_distribution(
    facts: &Facts,
    environment: &Environment,
    interpreter: &Interpreter,
) -> bool {
    let base = match &environment.home {
        Some(home) if interpreter.is_copy_in(environment) => home.interpreter.as_ref(),
        _ => interpreter.links.last(),
    };
    facts.platform.distribution.is_some()
        && base.and_then(PythonOwner::of).is_some_and(|owner| owner == PythonOwner::System)
}

/// Tried beside the environment, which stays as it is.
fn newer(facts: &Facts, environment: &Environment, today: Date) -> Remedy {
    let newest = facts
        .installations
        .iter()
        .filter(|installation| installation.implementation.as_deref() == Some("cpython"))
        .filter_map(|installation| Some((installation.version?, installation)))
        .filter(|(version, _)| last_day(*version).is_some_and(|last_day| last_day >= today))
        .max_by_key(|(version, _)| *version);
    let Some((version, installation)) = newest else {
        return Remedy::manual(
            "Move to a Python that is maintained",
            vec![Action::Advice("install a newer Python (uv python install, pyenv install), and make an environment of it beside this one".to_owned())],
        );
    };
    let mut root = environment.root.as_bytes().to_vec();
    root.extend_from_slice(format!("-{}", version.minor_text()).as_bytes());
    Remedy::manual(
        format!("Try the project on Python {} in an environment beside this one", version.minor_text()),
        vec![Action::run([
            (&installation.interpreter).into(),
            "-m".into(),
            "venv".into(),
            crate::diagnosis::Word(root),
        ])],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{healthy, interpreters_of, path};

    /// A venv of a pyenv version.
    fn made_with(minor: u32) -> Facts {
        let mut facts = healthy();
        for interpreter in interpreters_of(&mut facts) {
            interpreter.version = Some(Version::new(3, minor, Some(1)));
            interpreter.links.hops[1] = path("/home/me/.pyenv/versions/3.x.1/bin/python3");
        }
        facts
    }

    #[test]
    fn fires_when_its_time_is_over() {
        let found = CHECK.findings(&made_with(8));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Info);
        assert!(found[0].message.ends_with("since 2024-10-07"), "{found:?}");
        assert!(found[0].remedies[0].summary.contains("Python 3.11"));
    }

    #[test]
    fn fires_from_the_day_after() {
        let mut facts = made_with(13);
        facts.today = Some((2029, 10, 31));
        assert_eq!(CHECK.findings(&facts), []);
        facts.today = Some((2029, 11, 1));
        assert_eq!(CHECK.findings(&facts).len(), 1);
    }

    #[test]
    fn quiet_when_it_is_maintained() {
        assert_eq!(CHECK.findings(&made_with(14)), []);
    }

    #[test]
    fn quiet_when_the_distribution_maintains_it() {
        let mut facts = healthy();
        facts.today = Some((2035, 1, 1));
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_it_is_pypy() {
        let mut facts = made_with(8);
        for interpreter in interpreters_of(&mut facts) {
            interpreter.implementation = Some("pypy".to_owned());
        }
        assert_eq!(CHECK.findings(&facts), []);
    }
}
