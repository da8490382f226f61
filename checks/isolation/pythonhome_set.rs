//! `PYTHONHOME` tells every Python to look for its standard library in one place.

use crate::diagnosis::{Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;
use crate::facts::platform::System;

use super::{python_version, unset, with_line};

pub static CHECK: Check = Check {
    id: "pythonhome-set",
    category: Category::Isolation,
    severity: Severity::Error,
    summary: "PYTHONHOME names no matching standard library",
    needs: &[Need::Probe],
    explains: &[
        "interpreter-fails",
        "base-python-missing",
        "unexplained-import-path",
        "broken-pip",
        "global-install",
        "forgotten-activation",
    ],
    explanation: r#"
## What it means
With `PYTHONHOME` set, a Python does not search for its standard library: it takes `$PYTHONHOME/lib/pythonX.Y`, in every
environment and every version. Where this version's library is not there, it stops at once with
`Fatal Python error: init_fs_encoding ... ModuleNotFoundError: No module named 'encodings'`.
Of a value in two halves (`PREFIX:EXEC_PREFIX`) the second is for the compiled modules in `lib-dynload`. In place of an empty
half Python searches from 3.11 on; before, it has none.

## How it happens
Vendors' set-up scripts, guides to embedding Python, and answers that recommend it in place of activating an environment.
A venv is never a right value: it has no standard library. Sourcing `activate` takes the variable away, but a shell that
inherited an activated environment from another program still has it.

## How to fix it
    unset PYTHONHOME

and remove the line that sets it. Nothing else is needed: Python finds its own library from its own place, and a venv from
`pyvenv.cfg`.

## When it is fine
In the start script of an application that brings its own Python and sets the variable for this one program.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(home) = &facts.import_setup.python_home else { return };
    let version = python_version(facts);
    let windows = facts.platform.system == System::Windows && home.unversioned_library;
    let separator = char::from(facts.platform.flavour().list_separator());
    let second_half = home.raw.strip_prefix(separator);
    let is_there =
        version.is_some_and(|version| home.standard_libraries.iter().any(|it| it.same_minor(version)));
    let searches = version.is_some_and(|version| (version.major, version.minor) >= (3, 11));
    let matching = match second_half {
        None => windows || is_there,
        Some(half) => searches && (windows || half.is_empty() || is_there),
    };
    let answers = facts.patient().is_some_and(|patient| facts.answers(patient));
    let dies = facts.patient().is_some_and(|patient| {
        facts.interpreters_of(patient).any(|interpreter| interpreter.probe.lacks_standard_library())
    });
    // a version that nothing tells leaves open whether it matches
    if version.is_none() && !dies && !home.standard_libraries.is_empty() {
        return;
    }
    let severity = match () {
        () if dies || (!matching && !answers) => Severity::Error,
        () if !matching => Severity::Warning,
        () => Severity::Info,
    };
    let name =
        version.map_or_else(|| "Python".to_owned(), |version| format!("Python {}", version.minor_text()));
    let message = match severity {
        Severity::Info if second_half.is_some() => {
            format!("PYTHONHOME is set to {}: Python up to 3.10 will not start", home.raw)
        }
        Severity::Info => {
            format!("PYTHONHOME is set to {}: Python of any other version will not start", home.raw)
        }
        _ if second_half.is_some() && searches => {
            format!("PYTHONHOME is {}, where the compiled modules of {name} are not", home.raw)
        }
        _ if second_half.is_some() => {
            format!(
                "PYTHONHOME is {}, with nothing in front of {separator}: {name} has no standard library",
                home.raw
            )
        }
        _ => format!("PYTHONHOME is {}, where the standard library of {name} is not", home.raw),
    };
    let there: Vec<String> =
        home.standard_libraries.iter().map(|version| format!("Python {}", version.minor_text())).collect();
    let mut finding = Finding::new(&CHECK, Subject::Shell, message)
        .severity(severity)
        .evidence("PYTHONHOME", home.raw.clone())
        .evidence(
            "standard libraries there",
            match there.is_empty() {
                true => "none".to_owned(),
                false => there.join(", "),
            },
        );
    if let Some(hit) = facts.shell_python().and_then(|command| command.chosen()) {
        finding = finding.evidence("python", hit.describe());
    }
    findings.push(with_line(finding, facts, "PYTHONHOME").remedy(unset(facts, "PYTHONHOME")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::Action;
    use crate::facts::example;
    use crate::facts::import_setup::PythonHome;
    use crate::facts::interpreter::Version;

    fn with_home(libraries: &[Version]) -> Facts {
        let mut facts = example::healthy();
        facts.import_setup.python_home = Some(PythonHome {
            raw: "/opt/python".into(),
            prefix: Some(example::path("/opt/python")),
            standard_libraries: libraries.to_vec(),
            unversioned_library: false,
        });
        facts
    }

    #[test]
    fn fires_when_the_library_is_not_there() {
        for libraries in [&[][..], &[Version::new(3, 8, None)][..]] {
            let found = CHECK.findings(&with_home(libraries));
            assert_eq!(found[0].severity, Severity::Error);
            assert_eq!(found[0].remedies[0].actions, [Action::Unset("PYTHONHOME".into())]);
        }
    }

    #[test]
    fn fires_as_information_when_it_matches() {
        assert_eq!(CHECK.findings(&with_home(&[Version::new(3, 11, None)]))[0].severity, Severity::Info);
    }

    #[test]
    fn an_empty_first_half_is_searched_for_from_3_11_on() {
        let severity = |raw: &str, libraries: &[Version], minor| {
            let mut facts = with_home(libraries);
            facts.import_setup.python_home.as_mut().unwrap().raw = raw.into();
            for interpreter in &mut facts.interpreters {
                interpreter.version = Some(Version::new(3, minor, None));
            }
            let found = CHECK.findings(&facts);
            (found[0].severity, found[0].message.clone())
        };
        let there = [Version::new(3, 11, None), Version::new(3, 10, None)];
        let (level, message) = severity(":/opt/python", &there, 11);
        assert_eq!(level, Severity::Info);
        assert!(message.ends_with("Python up to 3.10 will not start"), "{message}");
        assert_eq!(severity(":", &[], 11).0, Severity::Info);
        assert!(severity(":/opt/python", &[], 11).1.contains("compiled modules of Python 3.11"));
    }

    #[test]
    fn quiet_when_it_is_not_set() {
        assert!(CHECK.findings(&example::healthy()).is_empty());
    }

    #[test]
    fn quiet_when_no_version_is_known() {
        let mut facts = with_home(&[Version::new(3, 8, None)]);
        facts.interpreters.clear();
        facts.environments.clear();
        assert!(CHECK.findings(&facts).is_empty());
    }
}
