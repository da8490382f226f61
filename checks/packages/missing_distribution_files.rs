//! Files that a distribution's RECORD names are gone: the installer calls it satisfied, the import fails.

use crate::diagnosis::reinstall::reinstall;
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;
use crate::facts::distribution::{Distribution, Record};

pub static CHECK: Check = Check {
    id: "missing-distribution-files",
    category: Category::Packages,
    severity: Severity::Error,
    summary: "Files that an installed distribution recorded are gone",
    needs: &[Need::Packages, Need::Installed],
    explains: &["unresolvable-import", "stale-entry-script"],
    explanation: r#"
## What it means

A distribution's metadata (`NAME-VERSION.dist-info`) is there, so `pip list` shows it and `pip install NAME` says
"Requirement already satisfied". But modules that its `RECORD` names are gone, and imports fail. Installers look at
the metadata alone; `uv sync` does not notice either.

## How it happens

Somebody deleted a package's directory by hand; a cleaner, a sync client or a full disk did; an install was
interrupted. Or two distributions had installed the same files and one of them was uninstalled: that took the files of
the other along (`opencv-python` and `opencv-python-headless` are the best known pair).

## How to fix it

Install the same version again, over what is left:

    python -m pip install --force-reinstall --no-deps NAME==VERSION

With uv: `uv pip install --reinstall-package NAME NAME==VERSION`.

## When it is fine

Bytecode, tests, documentation and data files that were deleted to save space are not reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, packages)) = facts.patient_packages() else { return };
    // broken-pip speaks of that one
    let broken: Vec<(&Distribution, &Record)> = packages
        .own_distributions()
        .filter(|distribution| distribution.normalized != "pip")
        .filter_map(|distribution| Some((distribution, distribution.record.known()?)))
        .filter(|(distribution, record)| {
            record.missing_modules > 0
                && (!distribution.is_distributors() || record.missing_modules == record.modules)
        })
        .collect();
    let Some((first, record)) = broken.first() else { return };
    let extent = if record.missing_modules == record.modules {
        "all of its modules are gone".to_owned()
    } else {
        let verb = if record.missing_modules == 1 { "is" } else { "are" };
        format!("{} of its {} modules {verb} gone", record.missing_modules, record.modules)
    };
    let (subject, message) = match broken.len() {
        1 => (
            Subject::Distribution { environment: environment.root.clone(), name: first.name.clone() },
            format!("{} is installed, and {extent}", first.label()),
        ),
        count => (
            Subject::Environment(environment.root.clone()),
            format!(
                "{count} installed distributions have lost modules, {} among them: {extent}",
                first.label()
            ),
        ),
    };
    let mut finding = Finding::new(&CHECK, subject, message);
    for (distribution, record) in broken.iter().take(10) {
        for path in record.missing.iter().take(if broken.len() == 1 { 5 } else { 1 }) {
            finding = finding.evidence(format!("gone from {}", distribution.name), path.to_text());
        }
    }
    finding = finding.evidence("recorded in", first.metadata.join("RECORD").to_text());
    let all: Vec<&Distribution> = broken.iter().map(|(distribution, _)| *distribution).collect();
    if let Some(remedy) = reinstall(facts, environment, &all) {
        finding = finding.remedy(remedy);
    }
    findings.push(finding);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Gathered, example};

    fn record(missing: usize) -> Gathered<Record> {
        let missing_files =
            (0..missing).map(|_| example::path("/home/me/project/.venv/lib/python3.11/site-packages/six.py"));
        Gathered::Known(Record {
            files: 5,
            missing: missing_files.collect(),
            missing_count: missing,
            missing_modules: missing,
            modules: 2,
        })
    }

    #[test]
    fn fires_when_a_module_is_gone() {
        let mut facts = example::with_packages();
        facts.packages[0].sites[0].distributions[1].record = record(1);
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].message, "six 1.16.0 is installed, and 1 of its 2 modules is gone");
        assert!(format!("{:?}", found[0].remedies[0].actions).contains("six==1.16.0"));
    }

    #[test]
    fn quiet_when_all_is_there_or_not_known() {
        let mut facts = example::with_packages();
        assert!(CHECK.findings(&facts).is_empty());
        facts.packages[0].sites[0].distributions[1].record = record(0);
        assert!(CHECK.findings(&facts).is_empty());
        facts.packages.clear();
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_conda_keeps_its_own_list() {
        let mut facts = example::with_packages();
        let six = &mut facts.packages[0].sites[0].distributions[1];
        six.record = record(1);
        six.installer = Some("conda".into());
        assert!(CHECK.findings(&facts).is_empty());
    }
}
