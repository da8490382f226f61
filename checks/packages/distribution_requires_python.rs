//! An installed distribution says that it does not work with this Python.

use pep440_rs::{Operator, VersionSpecifiers};

use crate::diagnosis::reinstall::installer;
use crate::diagnosis::requirement::Target;
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::distribution::Distribution;
use crate::facts::environment::Environment;

pub static CHECK: Check = Check {
    id: "distribution-requires-python",
    category: Category::Packages,
    severity: Severity::Error,
    summary: "An installed distribution's Requires-Python excludes this interpreter",
    needs: &[Need::Packages, Need::Installed, Need::Probe],
    explains: &[],
    explanation: r#"
## What it means

A distribution's `Requires-Python` says which Pythons it works with, and the interpreter of this environment is none of
them. Installers refuse such a distribution, so it came here in another way. Mostly an import fails with a
`SyntaxError` or a missing name, now or on a rarely used path.

## How it happens

The environment's Python was exchanged under it, packages were copied from another environment, or it was installed
with `--ignore-requires-python`, `--target`, or `--python-version` for another machine.

## How to fix it

Let the installer choose a version that fits:

    python -m pip install 'NAME!=VERSION'     # the VERSION that is there; --upgrade would leave it

or make the environment anew with a Python that fits.

## When it is fine

An upper limit (`<3.12`) is often mere caution of the author; where only that is violated, this is a warning.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, packages)) = facts.patient_packages() else { return };
    let Some(target) = Target::of(facts, environment) else { return };
    let Some(version) =
        facts.interpreter_of(environment).and_then(|it| it.known_version()).or(environment.python_version())
    else {
        return;
    };
    let excluded: Vec<(&Distribution, VersionSpecifiers)> = packages
        .own_distributions()
        .filter(|distribution| !distribution.is_distributors())
        .filter_map(|distribution| {
            let excluding = target.excluded_by(distribution.requires_python.as_deref()?)?;
            Some((distribution, excluding))
        })
        .collect();
    let Some((first, specifiers)) = excluded.first() else { return };
    let rest = match excluded.len() {
        1 => String::new(),
        2 => " (and one more distribution excludes it)".to_owned(),
        count => format!(" (and {} more distributions exclude it)", count - 1),
    };
    let message =
        format!("{} needs Python {specifiers}, and {} has {version}{rest}", first.label(), environment.root);
    let subject = Subject::Distribution { environment: environment.root.clone(), name: first.name.clone() };
    let caution = excluded.iter().all(|(_, specifiers)| {
        specifiers.iter().all(|one| {
            matches!(
                one.operator(),
                Operator::LessThan | Operator::LessThanEqual | Operator::NotEqual | Operator::NotEqualStar
            )
        })
    });
    let mut finding = Finding::new(&CHECK, subject, message)
        .severity(if caution { Severity::Warning } else { Severity::Error })
        .evidence("Python of the environment", version.to_string());
    for (distribution, _) in excluded.iter().take(10) {
        let says = distribution.requires_python.as_deref().unwrap_or_default();
        finding = finding.evidence(distribution.label(), format!("Requires-Python: {says}"));
    }
    if let Some(remedy) = remedy(facts, environment, &excluded) {
        finding = finding.remedy(remedy);
    }
    findings.push(finding);
}

/// `NAME!=VERSION` makes the installer choose again: what is installed already would satisfy it otherwise, and
/// `--upgrade` never goes back to an older version.
fn remedy(
    facts: &Facts,
    environment: &Environment,
    excluded: &[(&Distribution, VersionSpecifiers)],
) -> Option<Remedy> {
    let installer = installer(facts, environment, &[], &[])?;
    let words: Vec<Word> = excluded
        .iter()
        .filter(|(distribution, _)| !distribution.is_editable())
        .map(|(distribution, _)| match &distribution.version {
            Some(version) => Word::from(format!("{}!={version}", distribution.name)),
            None => Word::from(&distribution.name),
        })
        .collect();
    if words.is_empty() {
        return None;
    }
    let summary = "Let the installer choose versions that fit this Python";
    Some(Remedy::review(summary, installer.actions(words)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example;

    fn requiring(text: &str) -> Vec<Finding> {
        let mut facts = example::with_packages();
        facts.packages[0].sites[0].distributions[1].requires_python = Some(text.into());
        CHECK.findings(&facts)
    }

    #[test]
    fn fires_when_python_is_too_old() {
        let found = requiring(">=3.12");
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].message.starts_with("six 1.16.0 needs Python >=3.12, and"));
        // `--upgrade` would leave the newer version that is there
        let actions = format!("{:?}", found[0].remedies[0].actions);
        assert!(actions.ends_with(r#""install", "six!=1.16.0"])]"#), "{actions}");
    }

    #[test]
    fn fires_as_a_warning_when_only_an_upper_limit_says_so() {
        assert_eq!(requiring(">=3.8,<3.11")[0].severity, Severity::Warning);
    }

    #[test]
    fn quiet_when_it_fits() {
        assert!(requiring(">=2.7, !=3.0.*, <4").is_empty());
    }

    #[test]
    fn quiet_when_it_cannot_be_read() {
        assert!(requiring("three").is_empty());
    }
}
