//! An installed distribution needs another that is missing or has a wrong version.

use std::collections::HashMap;

use pep440_rs::VersionSpecifiers;

use crate::diagnosis::examine::WORTH_A_THREAD;
use crate::diagnosis::reinstall::installer;
use crate::diagnosis::requirement::{Applying, Target, fits};
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::distribution::{Distribution, Packages};
use crate::facts::environment::Environment;
use crate::parallel;
use crate::parse::names::normalize_name;
use crate::parse::pyvenv_cfg::Creator;

pub static CHECK: Check = Check {
    id: "dependency-conflict",
    category: Category::Packages,
    severity: Severity::Error,
    summary: "An installed distribution's requirement is missing or at a wrong version",
    needs: &[Need::Packages, Need::Installed, Need::Probe],
    explains: &[],
    explanation: r#"
## What it means

A distribution declares what it needs (`Requires-Dist` in its metadata), and in this environment that is not installed,
or is installed in a version that it excludes. The import may fail, or worse, succeed and misbehave. This is what
`python -m pip check` and `uv pip check` report; markers are evaluated for this environment's interpreter, and what
only an extra needs does not count.

## How it happens

Two projects share one environment and want different versions; `pip install x==1` was run after something that needs
`x>=2` (pip warns that its "dependency resolver does not currently take into account all the packages that are
installed", and goes on); a dependency was uninstalled; something was installed with `--no-deps`.

## How to fix it

Install what is asked for, in one command, so that the resolver sees all of it:

    python -m pip install 'y>=2.0'

Where two distributions want what excludes each other, give each project an environment of its own.

## When it is fine

When the version was overridden on purpose (`override-dependencies` of uv, `--no-deps`) and the combination works.
Information only: what the packages of a distributor (Debian, conda) ask for of each other; what is missing of what
`wheel` asks for, which virtualenv puts into new environments alone; and what is not installed at all, where start-up
code (a `sitecustomize`, a line of a `.pth` file) changes the import path in a way that only running it can tell.
"#,
    examine,
};

/// A requirement that is not met.
struct Unmet<'a> {
    by: &'a Distribution,
    requirement: Applying,
    installed: Option<&'a Distribution>,
}

impl Unmet<'_> {
    fn text(&self) -> String {
        let wanted = format!("{}{}", self.requirement.name, self.requirement.specifiers);
        match self.installed {
            Some(installed) => {
                format!("{} needs {wanted}, and {} is installed", self.by.label(), installed.label())
            }
            None => format!("{} needs {wanted}, which is not installed", self.by.label()),
        }
    }
}

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, packages)) = facts.patient_packages() else { return };
    if packages.sites.iter().any(|site| !site.readable) || packages.own_sites().next().is_none() {
        return;
    }
    let Some(target) = Target::of(facts, environment) else { return };
    let mut unmet = unmet(packages, &target);
    // what was built for another Python or platform cannot be imported at all: that comes first, and this is asked
    // again
    unmet.retain(|one| !facts.is_unfit(&environment.root, &one.by.normalized));
    let Some(first) = unmet.first() else { return };
    let rest = match unmet.len() {
        1 => String::new(),
        2 => " (one more requirement is not met)".to_owned(),
        count => format!(" ({} more requirements are not met)", count - 1),
    };
    let subject =
        Subject::Distribution { environment: environment.root.clone(), name: first.by.name.clone() };
    let mut finding = Finding::new(&CHECK, subject, format!("{}{rest}", first.text()));
    // what start-up code adds to the import path may hold what is missed
    let may_be_there = packages.open_change().is_some() && unmet.iter().all(|one| one.installed.is_none());
    if may_be_there || unmet.iter().all(|one| one.by.is_distributors() || is_seed(environment, one)) {
        finding = finding.severity(Severity::Info);
    }
    for one in unmet.iter().take(10) {
        finding = finding.evidence("not met", one.text());
    }
    finding = finding.evidence("declared in", first.by.metadata.join("METADATA").to_text());
    if let Some(remedy) = remedy(facts, environment, packages, &target, &unmet) {
        finding = finding.remedy(remedy);
    }
    findings.push(finding);
}

/// virtualenv puts a wheel into a new environment, and not what that asks for: nobody installed it, or is to mend it.
fn is_seed(environment: &Environment, unmet: &Unmet) -> bool {
    matches!(environment.creator, Some(Creator::Virtualenv { .. }))
        && unmet.by.normalized == "wheel"
        && unmet.installed.is_none()
}

/// As `pip check`: each distribution once, the first on the import path, and no extras.
fn unmet<'a>(packages: &'a Packages, target: &Target) -> Vec<Unmet<'a>> {
    let first = first_of_each(packages);
    let requirers: Vec<&Distribution> = requirers(packages, &first).collect();
    let threads = if requirers.len() < WORTH_A_THREAD { 1 } else { 2 };
    let found = parallel::each(&requirers, threads, |_: &mut (), by| unmet_of(by, &first, target));
    found.into_iter().flatten().collect()
}

fn unmet_of<'a>(
    by: &'a Distribution,
    first: &HashMap<&str, Vec<&'a Distribution>>,
    target: &Target,
) -> Vec<Unmet<'a>> {
    let fits = |specifiers: &VersionSpecifiers, one: &Distribution| match &one.version {
        Some(version) => fits(specifiers, version).unwrap_or(true),
        // broken-metadata speaks of a distribution without a version
        None => true,
    };
    let applying = by.requires.iter().filter_map(|text| target.applying(text));
    applying
        .filter_map(|requirement| {
            let all = first.get(normalize_name(&requirement.name).as_str()).map(Vec::as_slice);
            let all = all.unwrap_or_default();
            let met = all.iter().any(|one| fits(&requirement.specifiers, one));
            let installed = all.first().copied();
            (!met).then_some(Unmet { by, requirement, installed })
        })
        .collect()
}

/// By normalised name, the distribution that counts; all of them where one directory has several, for the order of its
/// listing decides among them, and duplicate-distribution speaks of them.
fn first_of_each(packages: &Packages) -> HashMap<&str, Vec<&Distribution>> {
    let mut first: HashMap<&str, (usize, Vec<&Distribution>)> = HashMap::new();
    for (index, site) in packages.sites.iter().enumerate() {
        for distribution in &site.distributions {
            let (place, all) = first.entry(&distribution.normalized).or_insert((index, Vec::new()));
            if *place == index {
                all.push(distribution);
            }
        }
    }
    first.into_iter().map(|(name, (_, all))| (name, all)).collect()
}

/// What the user installed; an installation's own packages are its distributor's affair.
fn requirers<'a>(
    packages: &'a Packages,
    first: &HashMap<&str, Vec<&Distribution>>,
) -> impl Iterator<Item = &'a Distribution> {
    packages.own_distributions().filter(|one| {
        // which of several versions is there cannot be told, nor what it asks for
        let all = first.get(one.normalized.as_str()).map(Vec::as_slice).unwrap_or_default();
        all.first().is_some_and(|first| first.metadata == one.metadata)
            && all.iter().all(|other| other.version == one.version)
    })
}

/// Each missing or wrong one with all that is asked of it, so that mending one does not break another.
fn remedy(
    facts: &Facts,
    environment: &Environment,
    packages: &Packages,
    target: &Target,
    unmet: &[Unmet],
) -> Option<Remedy> {
    let installer = installer(facts, environment, &[], &[])?;
    let mut words: Vec<Word> = Vec::new();
    let mut wanted: Vec<(String, String)> = Vec::new();
    for one in unmet {
        let normalized = normalize_name(&one.requirement.name);
        if !wanted.iter().any(|(known, _)| *known == normalized) {
            wanted.push((normalized, one.requirement.name.clone()));
        }
    }
    for (normalized, name) in wanted {
        let mut asked: Vec<String> = Vec::new();
        for text in requirers(packages, &first_of_each(packages)).flat_map(|by| &by.requires) {
            let Some(applying) = target.applying(text) else { continue };
            if normalize_name(&applying.name) != normalized {
                continue;
            }
            for specifier in applying.specifiers.iter().map(ToString::to_string) {
                if !asked.contains(&specifier) {
                    asked.push(specifier);
                }
            }
        }
        words.push(Word::from(format!("{name}{}", asked.join(","))));
    }
    Some(Remedy::safe("Install what is asked for", installer.actions(words)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example;

    fn requiring(requires: &[&str]) -> Vec<Finding> {
        let mut facts = example::with_packages();
        let mut app = example::distribution("demoapp", "1.0");
        app.requires = requires.iter().map(|text| (*text).to_owned()).collect();
        facts.packages[0].sites[0].distributions.push(app);
        CHECK.findings(&facts)
    }

    #[test]
    fn fires_when_the_version_is_excluded() {
        let found = requiring(&["six>=2.0", "SIX!=3"]);
        assert_eq!(found[0].message, "demoapp 1.0 needs six>=2.0, and six 1.16.0 is installed");
        assert!(format!("{:?}", found[0].remedies[0].actions).contains("\"six>=2.0,!=3\""));
    }

    #[test]
    fn fires_when_it_is_missing() {
        let found = requiring(&["requests (>=2)", "urllib3"]);
        assert_eq!(
            found[0].message,
            "demoapp 1.0 needs requests>=2, which is not installed (one more requirement is not met)"
        );
    }

    #[test]
    fn information_when_an_environments_creator_put_it_there_alone() {
        let mut facts = example::with_packages();
        let mut wheel = example::distribution("wheel", "0.48.0");
        wheel.requires = vec!["packaging>=24.0".to_owned()];
        facts.packages[0].sites[0].distributions.push(wheel);
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Error);
        example::venv_of(&mut facts).creator = Some(Creator::Virtualenv { version: "20.21.1".into() });
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Info);
        facts.packages[0].sites[0].distributions.push(example::distribution("packaging", "20.0"));
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Error);
    }

    #[test]
    fn quiet_when_one_of_two_registered_versions_meets_it() {
        let mut facts = example::with_packages();
        let mut app = example::distribution("demoapp", "1.0");
        app.requires = vec!["six>=2".to_owned()];
        let site = &mut facts.packages[0].sites[0];
        site.distributions.push(app);
        assert_eq!(CHECK.findings(&facts).len(), 1);
        let mut other = example::distribution("six", "2.0");
        other.requires = vec!["nowhere".to_owned()];
        facts.packages[0].sites[0].distributions.push(other);
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_all_is_met() {
        assert!(requiring(&["six>=1.9", "Six", "pip"]).is_empty());
        assert!(CHECK.findings(&example::with_packages()).is_empty());
    }

    #[test]
    fn quiet_when_it_does_not_apply_here() {
        assert!(
            requiring(&[
                "colorama; sys_platform == 'win32'",
                "pytest; extra == 'dev'",
                "a; python_version < '3'"
            ])
            .is_empty()
        );
    }

    #[test]
    fn quiet_when_the_base_installation_requires_it() {
        let mut facts = example::with_packages();
        let mut base = facts.packages[0].sites[0].clone();
        base.kind = crate::facts::distribution::SiteKind::Base;
        base.distributions = vec![example::distribution("demoapp", "1.0")];
        base.distributions[0].requires = vec!["nothing-of-this-name".into()];
        facts.packages[0].sites.push(base);
        assert!(CHECK.findings(&facts).is_empty());
    }
}
