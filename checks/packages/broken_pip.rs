//! The environment's pip is incomplete or gone while its scripts are there.

use crate::diagnosis::reinstall::{bring_pip, has_uv};
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::distribution::{Distribution, LostTarget, Packages, TopLevel};
use crate::facts::environment::{BakedState, Environment};
use crate::parse::pyvenv_cfg::Creator;
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "broken-pip",
    category: Category::Packages,
    severity: Severity::Error,
    summary: "The environment's pip cannot start",
    needs: &[Need::Packages, Need::Scripts, Need::Installed],
    explains: &["stale-entry-script", "environment-without-pip", "pip-elsewhere"],
    explanation: r#"
## What it means

pip is a package like any other: `pip` in `bin` is a small script that imports it from `site-packages`. Parts of that
package are gone, or the script is of another version of pip than the package, so every pip command ends with
`ModuleNotFoundError: No module named 'pip._internal'` or `ImportError: cannot import name 'main' from 'pip'`. Nothing
can be installed, pip itself included.

## How it happens

`pip install --upgrade pip` was interrupted, ran out of disk space, or on Windows could not replace files in use. Or
`site-packages` was emptied by hand. A script of another version stays behind when pip is replaced in one place and its
scripts are in another, or when `bin` was copied.

## How to fix it

Delete what is left of pip, then unpack the one that comes with Python:

    rm -rf .venv/lib/python3.11/site-packages/pip .venv/lib/python3.11/site-packages/pip-*.dist-info
    python -m ensurepip --default-pip

The deletion is needed: `ensurepip` calls a pip satisfied that has metadata. On Debian and Ubuntu `ensurepip` is in the
package `python3-venv`. With uv: `uv pip install --python .venv --reinstall pip`. Where only the script is of another version, the
package still works as a module and can write its script anew:

    python -m pip install --force-reinstall pip

## When it is fine

Environments that uv, poetry or pdm manage need no pip: one without any trace of pip is not reported here. Where start-up code
changes the import path in a way that only running it can tell, a pip that is missing here may come from there.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, packages)) = facts.patient_packages() else { return };
    if !environment.is_venv() || packages.sites.iter().any(|site| !site.readable) {
        return;
    }
    let package = own_pip(packages);
    let registered = packages.own_distributions().find(|distribution| distribution.normalized == "pip");
    let missing = registered
        .and_then(|distribution| distribution.record.known())
        .filter(|record| record.missing_modules > 0);
    let working = package.is_some_and(|module| !module.barren);
    let script = environment.scripts.iter().find(|script| {
        is_pip(&script.name)
            && script.module.as_deref().is_some_and(|module| module.split('.').next() == Some("pip"))
            && script.launch.root_state == Some(BakedState::Own)
            && script.launch.interpreter_exists
    });
    // what start-up code adds to the import path may hold a pip
    let elsewhere = packages.provides_module("pip") || packages.open_change().is_some();
    let mismatched =
        packages.lost_targets.iter().find(|lost| lost.top() == "pip" && is_pip(&lost.script.name()));
    let message = match (registered, missing, script) {
        (Some(pip), Some(record), _) => format!(
            "{} of {} is incomplete: {} of its {} modules are gone",
            pip.label(),
            environment.root,
            record.missing_modules,
            record.modules
        ),
        (Some(pip), None, _) if !working && !elsewhere => {
            format!("{} is registered in {}, and its package is gone", pip.label(), environment.root)
        }
        (None, None, Some(script))
            if !working && !elsewhere && !packages.own_distributions().any(|_| true) =>
        {
            format!("{} cannot start: no pip is installed in {}", script.path, environment.root)
        }
        (Some(pip), None, _) => {
            if let Some(lost) = mismatched {
                findings.push(script_of_another(environment, pip, lost));
            }
            return;
        }
        _ => return,
    };
    let mut finding = Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message);
    for path in missing.iter().flat_map(|record| &record.missing).take(3) {
        finding = finding.evidence("gone", path.to_text());
    }
    if let Some(pip) = registered {
        finding = finding.evidence("registered in", pip.metadata.to_text());
    }
    let remains: Vec<HostPath> = package
        .map(|module| module.path.clone())
        .into_iter()
        .chain(
            packages
                .own_distributions()
                .filter(|one| one.normalized == "pip")
                .map(|one| one.metadata.clone()),
        )
        .collect();
    findings.push(finding.remedy(remedy(facts, environment, &remains)));
}

/// A script of one version of pip beside the package of another.
fn script_of_another(environment: &Environment, pip: &Distribution, lost: &LostTarget) -> Finding {
    let what = match lost.module.as_str() {
        "pip" => "main from pip".to_owned(),
        module => module.to_owned(),
    };
    let message = format!("{} imports {what}, which {} does not have", lost.script, pip.label());
    let words = [
        Word::from(environment.program("python")),
        "-m".into(),
        "pip".into(),
        "install".into(),
        "--force-reinstall".into(),
        "pip".into(),
    ];
    Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message)
        .evidence("script", lost.script.to_text())
        .evidence("installed", pip.metadata.to_text())
        .remedy(Remedy::review(
            "Install the newest pip for this Python, and its scripts with it",
            vec![Action::run(words), Action::Rehash],
        ))
}

/// What is typed; `pip-3.9` and the like are nobody's habit, and a new installation does not write them.
fn is_pip(name: &str) -> bool {
    matches!(name, "pip" | "pip3" | "pip.exe" | "pip3.exe")
}

fn own_pip(packages: &Packages) -> Option<&TopLevel> {
    packages.own_sites().flat_map(|site| &site.modules).find(|module| module.name == "pip")
}

/// `ensurepip` calls a pip satisfied that has metadata, so what is left goes first.
fn remedy(facts: &Facts, environment: &Environment, remains: &[HostPath]) -> Remedy {
    let mut actions = Vec::new();
    if !remains.is_empty() {
        let words = ["rm", "-rf"].map(Word::from).into_iter().chain(remains.iter().map(Word::from));
        actions.push(Action::Run(words.collect()));
    }
    let by_uv = matches!(environment.creator, Some(Creator::Uv { .. })) && has_uv(facts);
    actions.extend(bring_pip(facts, environment, by_uv));
    actions.push(Action::Rehash);
    Remedy::review("Replace what is left of pip by the one that comes with Python", actions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::distribution::Record;
    use crate::facts::{Gathered, example};

    #[test]
    fn fires_when_modules_of_pip_are_gone() {
        let mut facts = example::with_packages();
        facts.packages[0].sites[0].distributions[0].record = Gathered::Known(Record {
            files: 900,
            missing: vec![example::path("/x/pip/_internal/__init__.py")],
            missing_count: 300,
            missing_modules: 300,
            modules: 400,
        });
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert!(found[0].message.ends_with("300 of its 400 modules are gone"));
        assert_eq!(found[0].remedies[0].actions.len(), 3);
    }

    #[test]
    fn fires_when_the_package_is_gone() {
        let mut facts = example::with_packages();
        facts.packages[0].sites[0].modules.retain(|module| module.name != "pip");
        assert_eq!(CHECK.findings(&facts).len(), 1);
    }

    #[test]
    fn fires_when_the_script_is_of_another_version() {
        let mut facts = example::with_packages();
        let script = example::path(example::VENV).join("bin/pip");
        facts.packages[0].lost_targets = vec![LostTarget { script, module: "pip._internal.cli.main".into() }];
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert!(found[0].message.contains("bin/pip imports pip._internal.cli.main, which pip "));
        facts.packages[0].lost_targets[0].module = "sample.cli".into();
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_pip_is_whole() {
        assert!(CHECK.findings(&example::with_packages()).is_empty());
    }

    #[test]
    fn quiet_when_start_up_code_may_provide_pip() {
        let mut facts = example::with_packages();
        let site = &mut facts.packages[0].sites[0];
        site.modules.clear();
        site.distributions.clear();
        assert_eq!(CHECK.findings(&facts).len(), 1);
        facts.packages[0].path_changes.push(example::path_change("/apps/sitecustomize.py"));
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_there_is_no_pip_at_all() {
        let mut facts = example::with_packages();
        let site = &mut facts.packages[0].sites[0];
        site.modules.retain(|module| module.name != "pip");
        site.distributions.retain(|distribution| distribution.name != "pip");
        example::venv_of(&mut facts).scripts.clear();
        assert!(CHECK.findings(&facts).is_empty());
    }
}
