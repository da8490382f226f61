//! An editable install names a source directory that is gone: the distribution is listed, its import fails.

use crate::diagnosis::editable::{from_source, lost_sources, source_installer};
use crate::diagnosis::reinstall::uninstaller;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::distribution::{Distribution, Packages};
use crate::facts::environment::Environment;

pub static CHECK: Check = Check {
    id: "broken-editable",
    category: Category::Packages,
    severity: Severity::Error,
    summary: "The source of an editable install is gone",
    needs: &[Need::Packages, Need::Installed, Need::Project],
    explains: &["unresolvable-import", "missing-requirement", "project-not-installed", "stale-entry-script"],
    explanation: r#"
## What it means

`pip install -e` copies no code. It leaves a note in `site-packages` that says where the source is: a `.pth` file, a
finder module (`__editable___NAME_finder.py`) or an `.egg-link`. That place is gone. `pip list` still shows the
distribution, because its metadata is in `site-packages`; `import` fails with `ModuleNotFoundError`, because Python
passes over `.pth` lines that name no directory without a word.

## How it happens

The project was moved or renamed, a git worktree or a temporary checkout was deleted, a drive is not mounted, or the
environment was made on another machine or in a container where the source lay elsewhere.

## How to fix it

Install the project again from where it is now:

    python -m pip install --no-deps -e /path/to/the/project

`--no-build-isolation` does the same without network, when the build backend is installed in the environment. With uv:
`uv pip install --no-deps -e /path`, or `uv sync` in a project. If the project is not needed any more:
`python -m pip uninstall NAME`.

## When it is fine

When the source is on a drive that is mounted only at times.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, packages)) = facts.patient_packages() else { return };
    for distribution in packages.own_distributions() {
        let gone = lost_sources(packages, distribution);
        let Some(first) = gone.first() else { continue };
        let subject =
            Subject::Distribution { environment: environment.root.clone(), name: distribution.name.clone() };
        let whole = gone.len() == distribution.sources.len();
        let message = match &first.module {
            Some(module) if !whole => format!(
                "The editable install of {} takes the module {module} from {}, which is gone",
                distribution.name, first.path
            ),
            _ => format!(
                "{} is installed as an editable from {}, which is gone",
                distribution.name, first.path
            ),
        };
        let severity = if whole { Severity::Error } else { Severity::Info };
        let mut finding = Finding::new(&CHECK, subject, message)
            .severity(severity)
            .evidence("listed as", distribution.label());
        for source in gone.iter().take(5) {
            let line = source.line.map(|line| format!(" (line {line})")).unwrap_or_default();
            finding =
                finding.evidence("gone", format!("{}, named in {}{line}", source.path, source.named_in));
        }
        for moved in &distribution.moved_to {
            finding = finding.evidence("declares the same name", moved.path.to_text());
        }
        for remedy in remedies(facts, environment, packages, distribution) {
            finding = finding.remedy(remedy);
        }
        findings.push(finding);
    }
}

fn remedies(
    facts: &Facts,
    environment: &Environment,
    packages: &Packages,
    distribution: &Distribution,
) -> Vec<Remedy> {
    let mut found = Vec::new();
    for moved in &distribution.moved_to {
        let Some(installer) = source_installer(facts, environment, packages, moved) else { continue };
        let summary = format!("Install {} again from {}", distribution.name, moved.path);
        found.push(Remedy::safe(summary, installer.actions(from_source(moved))));
    }
    if let Some(uninstaller) = uninstaller(facts, environment) {
        let summary = format!("Uninstall {}, if it is not needed any more", distribution.name);
        found.push(Remedy::review(summary, uninstaller.actions([Word::from(&distribution.name)])));
    }
    if distribution.moved_to.is_empty() {
        let advice = format!("Install {} again with `pip install -e` and its new place", distribution.name);
        found.insert(
            0,
            Remedy::manual("Install it from where its source is now", vec![Action::Advice(advice)]),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::distribution::{EditableSource, MovedSource, TopLevel, TopLevelKind};
    use crate::facts::example;

    fn moved() -> Facts {
        let mut facts = example::with_packages();
        let source = EditableSource {
            named_in: example::path("/home/me/project/.venv/lib/python3.11/site-packages/_mylib.pth"),
            line: Some(1),
            module: None,
            path: example::path("/home/me/old/src"),
            exists: false,
        };
        let mut distribution = example::distribution("mylib", "1.0");
        distribution.editable = Some(example::path("/home/me/old"));
        distribution.sources = vec![source];
        distribution.moved_to = vec![MovedSource {
            path: example::path("/home/me/new"),
            build_requires: vec!["setuptools".into()],
        }];
        facts.packages[0].sites[0].distributions.push(distribution);
        facts
    }

    #[test]
    fn fires_when_the_source_is_gone() {
        let found = CHECK.findings(&moved());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(
            format!("{:?}", found[0].remedies[0].actions),
            r#"[Run(["/home/me/project/.venv/bin/python", "-m", "pip", "install", "--no-deps", "-e", "/home/me/new"])]"#
        );
    }

    #[test]
    fn builds_without_isolation_when_the_backend_is_here() {
        let mut facts = moved();
        facts.packages[0].sites[0].distributions.push(example::distribution("setuptools", "75.0"));
        let found = CHECK.findings(&facts);
        assert!(format!("{:?}", found[0].remedies[0].actions).contains("--no-build-isolation"));
    }

    #[test]
    fn quiet_when_the_source_is_there() {
        let mut facts = moved();
        if let Some(last) = facts.packages[0].sites[0].distributions.last_mut() {
            last.sources[0].exists = true;
        }
        assert!(CHECK.findings(&facts).is_empty());
        assert!(CHECK.findings(&example::with_packages()).is_empty());
    }

    #[test]
    fn quiet_when_the_module_is_there_otherwise() {
        let mut facts = moved();
        let site = &mut facts.packages[0].sites[0];
        site.distributions.last_mut().unwrap().modules = vec!["mylib".into()];
        site.modules.push(TopLevel {
            name: "mylib".into(),
            path: site.directory.join("mylib"),
            kind: TopLevelKind::Package,
            barren: false,
        });
        assert!(CHECK.findings(&facts).is_empty());
    }
}
