//! An installed distribution without METADATA or RECORD: it has no version, or cannot be uninstalled.

use crate::diagnosis::reinstall::installer;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::distribution::{Distribution, DistributionForm, SiteKind, SitePackages};
use crate::facts::environment::Environment;

pub static CHECK: Check = Check {
    id: "broken-metadata",
    category: Category::Packages,
    severity: Severity::Warning,
    summary: "The metadata of an installed distribution is incomplete: no METADATA or no RECORD",
    needs: &[Need::Packages, Need::Installed],
    explains: &[],
    explanation: r#"
## What it means

What an installer knows of a distribution stands in `NAME-VERSION.dist-info`. Without its `METADATA` the distribution
has no name and version (`importlib.metadata.version` fails or says None), and its requirements are not known. Without
its `RECORD` nobody knows which files belong to it: `pip install --upgrade` and `pip uninstall` stop with
"uninstall-no-record-file".

## How it happens

An install or uninstall was interrupted, the disk was full, a cleaner or a sync client removed files, or somebody
copied parts of another environment.

## How to fix it

Install the same version once more without uninstalling the old one first; that writes both files anew:

    python -m pip install --ignore-installed --no-deps NAME==VERSION

If the version is not known, delete the `.dist-info` directory and install the distribution again.

## When it is fine

Linux distributions and conda leave `RECORD` out on purpose and say so in `INSTALLER`. An `.egg-info` never had one.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, packages)) = facts.patient_packages() else { return };
    for site in packages.own_sites().filter(|site| site.readable) {
        for distribution in &site.distributions {
            let missing = missing(distribution, site, environment);
            let Some(first) = missing.first() else { continue };
            // two metadata directories of one name: duplicate-distribution knows what to do
            let twice = site.distributions.iter().any(|other| {
                other.normalized == distribution.normalized && other.metadata != distribution.metadata
            });
            if twice {
                continue;
            }
            let consequence = match *first {
                "METADATA" => "so its version and requirements are not known",
                _ => "so no installer can upgrade or uninstall it",
            };
            let subject = Subject::Distribution {
                environment: environment.root.clone(),
                name: distribution.name.clone(),
            };
            let message = format!(
                "The metadata of {} lacks {}, {consequence}",
                distribution.label(),
                missing.join(" and ")
            );
            let mut finding = Finding::new(&CHECK, subject, message);
            for name in &missing {
                finding = finding.evidence("not there", distribution.metadata.join(name).to_text());
            }
            if let Some(installer) = &distribution.installer {
                finding = finding.evidence("installed by", installer);
            }
            if let Some(remedy) = remedy(facts, environment, distribution) {
                finding = finding.remedy(remedy);
            }
            findings.push(finding);
        }
    }
}

fn missing(distribution: &Distribution, site: &SitePackages, environment: &Environment) -> Vec<&'static str> {
    let told = distribution.form == DistributionForm::DistInfo && distribution.readable;
    if !told || distribution.is_distributors() {
        return Vec::new();
    }
    let mut missing = Vec::new();
    if !distribution.has_metadata {
        missing.push("METADATA");
    }
    // outside of venvs a distributor's packages may lie in the same directory
    let kept = environment.is_venv() || site.kind == SiteKind::User || distribution.installer.is_some();
    if !distribution.has_record && kept {
        missing.push("RECORD");
    }
    missing
}

/// Writes over what is there; uv would want to uninstall first, and cannot.
fn remedy(facts: &Facts, environment: &Environment, distribution: &Distribution) -> Option<Remedy> {
    let requirement = distribution.requirement()?;
    let pip = ["--ignore-installed", "--no-deps"];
    let install = installer(facts, environment, &pip, &["--no-deps"])?;
    let install = install.actions(requirement.into_iter().map(Word::from));
    let summary = format!("Write the metadata of {} anew", distribution.label());
    if environment.has_pip() && distribution.version.is_some() {
        return Some(Remedy::safe(summary, install));
    }
    let remove = Action::run([Word::from("rm"), Word::from("-rf"), Word::from(&distribution.metadata)]);
    Some(Remedy::review(
        format!("{summary}, in place of what is left of it"),
        [vec![remove], install].concat(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example;

    fn without(change: impl Fn(&mut Distribution)) -> Facts {
        let mut facts = example::with_packages();
        change(&mut facts.packages[0].sites[0].distributions[1]);
        facts
    }

    #[test]
    fn fires_when_there_is_no_record() {
        let found = CHECK.findings(&without(|six| six.has_record = false));
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].message,
            "The metadata of six 1.16.0 lacks RECORD, so no installer can upgrade or uninstall it"
        );
        assert!(format!("{:?}", found[0].remedies[0].actions).contains("--ignore-installed"));
    }

    #[test]
    fn fires_when_there_is_no_metadata() {
        let found = CHECK.findings(&without(|six| six.has_metadata = false));
        assert!(found[0].message.contains("lacks METADATA"));
    }

    #[test]
    fn quiet_when_a_distributor_installed_it() {
        assert!(CHECK.findings(&example::with_packages()).is_empty());
        let facts = without(|six| {
            six.has_record = false;
            six.installer = Some("debian".into());
        });
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_it_is_an_egg_info_or_cannot_be_read() {
        let facts = without(|six| {
            six.has_record = false;
            six.form = DistributionForm::EggInfo;
        });
        assert!(CHECK.findings(&facts).is_empty());
        let facts = without(|six| {
            six.has_record = false;
            six.readable = false;
        });
        assert!(CHECK.findings(&facts).is_empty());
    }
}
