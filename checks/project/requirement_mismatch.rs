//! A declared requirement is installed at a version that does not satisfy it.

use super::{LISTED, few, install_declared, judged, mismatched, severity_in};
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;

pub static CHECK: Check = Check {
    id: "requirement-mismatch",
    category: Category::Project,
    severity: Severity::Error,
    summary: "A declared requirement is installed at a version that does not satisfy it",
    needs: &[Need::Project, Need::Packages, Need::Installed, Need::Probe],
    explains: &[],
    explanation: r#"
## What it means

The project asks for certain versions of a distribution, and the environment holds another one. It imports, and then
something is missing, behaves differently, or was removed. Versions are compared by PEP 440; a pre-release that
is installed counts as pip counts it.

## How it happens

The requirement was changed and nobody installed again; another install (`pip install x`) moved the version to suit
itself; or two projects share one environment and ask for different versions.

## How to fix it

Install what the project declares again:

    .venv/bin/python -m pip install -r requirements.txt
    uv sync                                    # or poetry install, pdm install, pipenv install

If the installer refuses because something else needs the other version, the two cannot share an environment:
change the requirement, or give each project its own.

## When it is fine

While you try another version on purpose. Extras, groups, constraints and files for development are not judged.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, packages)) = judged(facts) else { return };
    let found = mismatched(facts, environment, packages);
    if found.is_empty() {
        return;
    }
    let names: Vec<String> = found
        .iter()
        .map(|(requirement, installed)| {
            let version = installed.version.as_deref().unwrap_or("?");
            format!("{}{} (installed is {version})", requirement.name, requirement.specifier)
        })
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let message = format!("{} does not have what the project requires: {}", environment.root, few(&names));
    let mut finding = Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message)
        .severity(severity_in(facts, environment, CHECK.severity));
    for (requirement, installed) in found.iter().take(LISTED) {
        finding = finding
            .evidence("required", format!("{} in {}", requirement.as_argument(), requirement.place()))
            .evidence("installed", installed.metadata.to_text());
    }
    let wanted: Vec<_> = found.iter().map(|(requirement, _)| *requirement).collect();
    if let Some(remedy) = install_declared(facts, environment, &wanted) {
        finding = finding.remedy(remedy);
    }
    findings.push(finding);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::with_packages;

    fn requires(specifier: &str) -> Facts {
        let mut facts = with_packages();
        facts.project.requirements[0].specifier = specifier.into();
        facts
    }

    #[test]
    fn fires_when_the_installed_version_is_too_old() {
        let found = CHECK.findings(&requires(">=1.17"));
        assert_eq!(found.len(), 1);
        assert!(found[0].message.ends_with("six>=1.17 (installed is 1.16.0)"), "{}", found[0].message);
    }

    #[test]
    fn quiet_when_it_satisfies_or_cannot_be_compared() {
        for specifier in ["", ">=1.16", "==1.*", "~=1.10", "lots"] {
            assert_eq!(CHECK.findings(&requires(specifier)), [], "{specifier}");
        }
    }

    #[test]
    fn quiet_when_the_marker_does_not_hold() {
        let mut facts = requires(">=2");
        facts.project.requirements[0].marker = Some("python_version < '3.8'".into());
        assert_eq!(CHECK.findings(&facts), []);
    }
}
