//! One directory of packages holds metadata of two versions of one distribution.

use std::collections::HashMap;

use crate::diagnosis::reinstall::reinstall;
use crate::diagnosis::requirement::{fits, required};
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::distribution::{Distribution, DistributionForm, SitePackages};
use crate::facts::environment::Environment;

pub static CHECK: Check = Check {
    id: "duplicate-distribution",
    category: Category::Packages,
    severity: Severity::Warning,
    summary: "One distribution is registered twice in one directory",
    needs: &[Need::Packages, Need::Installed, Need::Project],
    explains: &["overlapping-distributions"],
    explanation: r#"
## What it means

`site-packages` holds two metadata directories of one distribution, mostly of two versions. Only one version's code can
be there. Which version `pip list`, `importlib.metadata` and a requirement see depends on the order in which the file
system lists the two, so it differs between machines and programs.

## How it happens

An upgrade was interrupted between installing the new version and removing the old one; `pip install --target` was run
twice into one directory; parts of another environment were copied over; conda and pip both installed it.

## How to fix it

Delete the stale metadata directory, and install the wanted version again so that code and metadata agree:

    rm -r .venv/lib/python3.11/site-packages/NAME-OLD.dist-info
    python -m pip install --force-reinstall --no-deps NAME==WANTED

## When it is fine

Two versions in two directories (the user site and the environment, for example): the first on the import path counts.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, packages)) = facts.patient_packages() else { return };
    for site in packages.own_sites() {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for distribution in &site.distributions {
            *counts.entry(&distribution.normalized).or_default() += 1;
        }
        for (index, distribution) in site.distributions.iter().enumerate() {
            let same = |other: &&Distribution| other.normalized == distribution.normalized;
            if counts.get(distribution.normalized.as_str()) == Some(&1)
                || site.distributions.iter().take(index).any(|other| same(&other))
            {
                continue;
            }
            let all: Vec<&Distribution> = site.distributions.iter().filter(same).collect();
            if all.len() > 1 && !all.iter().any(|one| is_aside(one)) {
                findings.push(finding(facts, environment, site, &all));
            }
        }
    }
}

/// An editable install by `setup.py develop` has metadata beside its source, too; eggs may lie side by side.
fn is_aside(distribution: &Distribution) -> bool {
    distribution.form == DistributionForm::Egg || distribution.is_distributors()
}

fn finding(facts: &Facts, environment: &Environment, site: &SitePackages, all: &[&Distribution]) -> Finding {
    let labels: Vec<String> = all.iter().map(|one| one.metadata.name().into_owned()).collect();
    let name = all.first().map(|one| one.name.clone()).unwrap_or_default();
    let message =
        format!("{name} is registered {} times in {}: {}", all.len(), site.directory, labels.join(", "));
    let subject = Subject::Distribution { environment: environment.root.clone(), name };
    let mut finding = Finding::new(&CHECK, subject, message);
    for one in all {
        let state = match one.record.known() {
            Some(record) if record.missing_count > 0 => {
                format!("{} of {} recorded files are gone", record.missing_count, record.files)
            }
            Some(record) => format!("all of its {} recorded modules are there", record.modules),
            None => "its files are not known".to_owned(),
        };
        finding = finding.evidence(one.metadata.name().into_owned(), state);
    }
    match keep(facts, environment, all) {
        Some(kept) => {
            let mut actions: Vec<Action> = all
                .iter()
                .filter(|one| one.metadata != kept.metadata)
                .map(|one| Action::run([Word::from("rm"), Word::from("-rf"), Word::from(&one.metadata)]))
                .collect();
            actions
                .extend(reinstall(facts, environment, &[kept]).into_iter().flat_map(|remedy| remedy.actions));
            finding.remedy(Remedy::review(format!("Keep {} and install it again", kept.label()), actions))
        }
        None => finding,
    }
}

/// The one that is whole, that the project allows, with the most recent version.
fn keep<'a>(facts: &Facts, environment: &Environment, all: &[&'a Distribution]) -> Option<&'a Distribution> {
    let packages = facts.packages(&environment.root)?;
    let required = required(facts, environment, packages);
    let allowed = |one: &Distribution| {
        let version = one.version.as_deref().unwrap_or_default();
        required
            .iter()
            .filter(|(requirement, _, _)| requirement.name == one.normalized)
            .all(|(_, applying, _)| fits(&applying.specifiers, version) != Some(false))
    };
    let order = |one: &Distribution| {
        let whole = one.has_metadata && one.record.known().is_some_and(|record| record.missing_modules == 0);
        let version = one.version.as_ref().and_then(|text| text.parse::<pep440_rs::Version>().ok());
        (whole, allowed(one), version)
    };
    all.iter().max_by(|left, right| order(left).cmp(&order(right))).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::distribution::SiteKind;
    use crate::facts::example;

    #[test]
    fn fires_when_two_versions_are_registered() {
        let mut facts = example::with_packages();
        facts.packages[0].sites[0].distributions.push(example::distribution("six", "1.9.0"));
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        let actions = format!("{:?}", found[0].remedies[0].actions);
        assert!(actions.contains("six-1.9.0.dist-info") && actions.contains("six==1.16.0"), "{actions}");
    }

    #[test]
    fn keeps_what_is_asked_for() {
        let mut facts = example::with_packages();
        facts.packages[0].sites[0].distributions.push(example::distribution("six", "2.0"));
        let kept = |facts: &Facts| CHECK.findings(facts)[0].remedies[0].summary.clone();
        assert!(kept(&facts).contains("six 2.0"), "{}", kept(&facts));
        facts.project.requirements[0].specifier = "<2".into();
        assert!(kept(&facts).contains("six 1.16.0"), "{}", kept(&facts));
    }

    #[test]
    fn quiet_when_each_is_registered_once() {
        assert!(CHECK.findings(&example::with_packages()).is_empty());
    }

    #[test]
    fn quiet_when_the_other_lies_in_another_directory() {
        let mut facts = example::with_packages();
        let mut other = facts.packages[0].sites[0].clone();
        other.kind = SiteKind::Base;
        facts.packages[0].sites.push(other);
        assert!(CHECK.findings(&facts).is_empty());
    }
}
