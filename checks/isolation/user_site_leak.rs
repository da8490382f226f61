//! Packages of the user site come before the environment's own, or stand in for what it lacks.

use crate::diagnosis::reinstall::installer;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::distribution::{Distribution, Packages, SiteKind};
use crate::facts::environment::{Environment, EnvironmentKind, Installed};
use crate::parse::names::normalize_name;
use crate::path::HostPath;

use super::some_of;

pub static CHECK: Check = Check {
    id: "user-site-leak",
    category: Category::Isolation,
    severity: Severity::Warning,
    summary: "A module comes from the user site, before or instead of the environment's own",
    needs: &[Need::Project, Need::Installed, Need::Packages],
    explains: &[
        "dependency-conflict",
        "requirement-mismatch",
        "duplicate-distribution",
        "missing-requirement",
    ],
    explanation: r#"
## What it means
Packages that were installed with `pip install --user` lie in the user site, `~/.local/lib/pythonX.Y/site-packages`, which
every Python X.Y of this user shares. A venv does not look there. A conda environment, pyenv's Pythons and the system's do, and
before their own `site-packages`: an old NumPy in the user site is imported in each conda environment of that version. The other way
round, a project works without its environment because the user site has what it needs, and fails in it.

## How it happens
`pip install` of a system Python without write permission falls back to the user site and says so in one line
(`Defaulting to user installation`). Years later the packages are still there.

## How to fix it
Keep the user site out of a conda environment:

    conda env config vars set PYTHONNOUSERSITE=1

Install into the project's environment what it needs. And clear the user site: `python3 -m pip freeze --user` lists it.

## When it is fine
Tools for the command line that nobody imports, and packages of the user site that no environment has in another version.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    // 0 leaves it on from 3.7; no conda environment that is left is older
    if facts.shell.set("PYTHONNOUSERSITE").is_some_and(|value| value != "0") {
        return;
    }
    if let Some(running) = facts.running()
        && running.kind == EnvironmentKind::Conda
        && let Some(packages) = facts.packages(&running.root)
    {
        before_its_own(facts, running, packages, findings);
    }
    instead_of_it(facts, findings);
}

fn before_its_own(facts: &Facts, running: &Environment, packages: &Packages, findings: &mut Findings) {
    let disabled = facts
        .interpreters_of(running)
        .filter_map(|interpreter| interpreter.probe.report())
        .any(|report| report.enable_user_site == Some(false));
    let of = |kind: SiteKind| {
        packages.sites.iter().filter(move |site| site.kind == kind).flat_map(|site| &site.distributions)
    };
    let hidden: Vec<(&Distribution, &Distribution)> = of(SiteKind::User)
        .filter_map(|user| {
            let own = of(SiteKind::Own).find(|own| own.normalized == user.normalized)?;
            (own.version != user.version).then_some((user, own))
        })
        .collect();
    let Some((user, own)) = hidden.first().filter(|_| !disabled) else { return };
    let version = |it: &Distribution| it.version.clone().unwrap_or_default();
    let message = format!(
        "{} imports {} {} from the user site, not its own {}",
        running.root,
        user.name,
        version(user),
        version(own)
    );
    let mut finding = Finding::new(&CHECK, Subject::Environment(running.root.clone()), message);
    for (user, own) in hidden.iter().take(4) {
        finding = finding
            .evidence(
                format!("{} of the user site", user.name),
                format!("{} ({})", version(user), user.metadata),
            )
            .evidence(
                format!("{} of the environment", own.name),
                format!("{} ({})", version(own), own.metadata),
            );
    }
    let lasting: Vec<Word> =
        ["conda", "env", "config", "vars", "set", "PYTHONNOUSERSITE=1"].map(Word::from).to_vec();
    findings.push(
        finding
            .remedy(Remedy::safe(
                "Keep the user site out of this shell",
                vec![Action::Set { name: "PYTHONNOUSERSITE".into(), value: "1".into() }],
            ))
            .remedy(Remedy::safe("Keep it out of the environment for good", vec![Action::Run(lasting)])),
    );
}

/// What the project needs, its environment lacks, and the user site of the Python that runs here has.
fn instead_of_it(facts: &Facts, findings: &mut Findings) {
    let Some(own) = facts.own_environment().filter(|own| facts.starts(own)) else { return };
    let isolated = own.venv_config().is_some_and(|config| !config.include_system_site_packages());
    let Some(running) = facts.running().filter(|running| isolated && !running.is_at(&own.root)) else {
        return;
    };
    let in_user_site = |installed: &&Installed| {
        facts.home.as_ref().is_some_and(|home| installed.metadata.is_within(home))
            && !running.contains(&installed.metadata)
    };
    let mut found: Vec<&Installed> = Vec::new();
    for dependency in &facts.project.dependencies {
        let name = normalize_name(&dependency.name);
        let user = running
            .shared
            .known()
            .into_iter()
            .flatten()
            .filter(in_user_site)
            .find(|it| normalize_name(&it.name) == name);
        if let Some(user) = user.filter(|_| own.lacks(&dependency.name)) {
            found.push(user);
        }
    }
    let Some(first) = found.first() else { return };
    let site: Option<HostPath> = first.metadata.parent();
    let names: Vec<String> = found.iter().map(|it| format!("{} {}", it.name, it.version)).collect();
    let message = format!(
        "The project needs {}, which only the user site has: its environment {} lacks it",
        some_of(&names),
        own.root
    );
    let mut finding = Finding::new(&CHECK, Subject::Environment(own.root.clone()), message)
        .evidence("needed", some_of(&names));
    if let Some(site) = site {
        finding = finding.evidence("user site", site.to_text());
    }
    findings.push(match install(facts, own, &found) {
        Some(remedy) => finding.remedy(remedy),
        None => finding,
    });
}

fn install(facts: &Facts, own: &Environment, missing: &[&Installed]) -> Option<Remedy> {
    let installer = installer(facts, own, &[], &[])?;
    let mut words: Vec<Word> = Vec::new();
    if facts.project.requirement_files.is_empty() {
        words.extend(missing.iter().map(|it| Word::from(&it.name)));
    }
    for file in &facts.project.requirement_files {
        words.extend(["-r".into(), file.into()]);
    }
    let summary = "Install what the project needs into its environment";
    Some(Remedy::safe(summary, installer.actions(words)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::isolation::tests::with_distribution;
    use crate::facts::Gathered;
    use crate::facts::example;

    fn conda() -> Facts {
        let mut facts = with_distribution("numpy");
        example::venv_of(&mut facts).kind = EnvironmentKind::Conda;
        let mut user = facts.packages[0].sites[0].clone();
        user.kind = SiteKind::User;
        user.distributions[0].version = Some("1.0".into());
        facts.packages[0].sites.insert(0, user);
        facts
    }

    #[test]
    fn fires_when_a_conda_environment_imports_another_version() {
        let found = CHECK.findings(&conda());
        assert!(
            found[0].message.ends_with("numpy 1.0 from the user site, not its own 2.0"),
            "{}",
            found[0].message
        );
    }

    #[test]
    fn fires_when_only_the_user_site_has_what_the_project_needs() {
        let mut facts = example::not_activated();
        let mut six = facts.environments[0].installed.remove(1);
        six.metadata = example::path("/home/me/.local/lib/python3.11/site-packages/six-1.16.0.dist-info");
        facts.environments[1].shared = Gathered::Known(vec![six]);
        let found = CHECK.findings(&facts);
        assert!(found[0].message.contains("six 1.16.0"), "{}", found[0].message);
    }

    #[test]
    fn quiet_when_the_user_site_is_off() {
        let mut facts = conda();
        example::set_variable(&mut facts, "PYTHONNOUSERSITE", "1");
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_versions_agree_or_it_is_a_venv() {
        let mut facts = conda();
        facts.packages[0].sites[0].distributions[0].version = Some("2.0".into());
        assert!(CHECK.findings(&facts).is_empty());
        assert!(CHECK.findings(&example::not_activated()).is_empty());
    }
}
