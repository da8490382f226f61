//! A file of the project hides a module of an installed distribution.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::distribution::{Distribution, TopLevelKind};
use crate::facts::import_setup::{LocalModule, ScriptDirectory};
use crate::imports::stdlib;
use crate::parse::names::normalize_name;
use crate::path::HostPath;

use super::{python_version, some_of, working};

pub static CHECK: Check = Check {
    id: "shadowed-package",
    category: Category::Isolation,
    severity: Severity::Warning,
    summary: "A project file hides an installed distribution's module",
    needs: &[Need::Project, Need::Packages],
    explains: &["unresolvable-import"],
    explanation: r#"
## What it means
The directory of the script, or the working directory, comes before `site-packages` on the import path. A `requests.py` there is
what `import requests` finds, in your own code and in libraries that use requests; the installed distribution is never reached.
Typical errors: `AttributeError: partially initialized module 'requests' has no attribute 'get'`, `ImportError: cannot import
name ...`, `'flask' is not a package`.

## How it happens
A script is called after the library that it tries out: `requests.py`, `flask.py`, `numpy.py`.

## How to fix it
Rename the file and delete what Python kept of it:

    mv requests.py requests_demo.py
    rm -rf __pycache__

## When it is fine
A directory that `pip install --target` filled, metadata included, is a bundle and not reported.
When the directory holds the distribution's own source: then the copy that is installed is the one that is not used, which an
editable install (`python -m pip install -e .`) makes plain.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let (Some(working), Some(version)) = (working(facts), python_version(facts)) else { return };
    let Some(packages) = facts.packages(&working.root) else { return };
    if facts.shell.set("PYTHONSAFEPATH").is_some() && (version.major, version.minor) >= (3, 11) {
        return;
    }
    for place in &facts.import_setup.script_directories {
        for module in &place.modules {
            let owner = packages
                .distributions()
                .find(|distribution| distribution.modules.contains(&module.name))
                .filter(|owner| !is_own_source(facts, owner, place));
            let Some(owner) = owner.filter(|_| !stdlib::contains(version, &module.name)) else { continue };
            if hides(facts, place, module, owner) {
                findings.push(finding(place, module, owner).about(&working.root));
            }
        }
    }
}

/// The distribution was built from these files, or is installed here, too (`pip install --target`, for a bundle).
fn is_own_source(facts: &Facts, owner: &Distribution, place: &ScriptDirectory) -> bool {
    let is = |name: &str| normalize_name(name) == owner.normalized;
    let inside = |path: &HostPath| path.is_within(&place.directory) || place.directory.is_within(path);
    let local_url = owner
        .direct_url
        .as_deref()
        .and_then(|url| HostPath::new(place.directory.flavour(), url.strip_prefix("file://")?))
        .is_some_and(|source| inside(&source));
    facts.project.name.as_deref().is_some_and(is)
        || is(&place.directory.name())
        || facts.project.root.as_ref().is_some_and(|root| is(&root.name()))
        || owner.editable.as_ref().is_some_and(inside)
        || place.distributions.contains(&owner.normalized)
        || local_url
}

/// A script that is called like a library; or a package of the project that also imports, or is imported as, the installed one.
/// Helpers that many distributions leave at the top level by mistake (`tests`, `examples`) are missed by nobody.
fn hides(facts: &Facts, place: &ScriptDirectory, module: &LocalModule, owner: &Distribution) -> bool {
    const LITTER: [&str; 10] =
        ["test", "tests", "examples", "example", "docs", "doc", "scripts", "benchmarks", "setup", "conftest"];
    if LITTER.contains(&module.name.as_str()) || module.kind == TopLevelKind::Extension {
        return false;
    }
    let by_itself =
        place.imports.iter().any(|import| import.name == module.name && import.file.same_as(&module.path));
    let needed = facts.project.dependencies.iter().any(|it| normalize_name(&it.name) == owner.normalized);
    let required = facts
        .packages
        .iter()
        .flat_map(|packages| packages.distributions())
        .flat_map(|distribution| &distribution.requires)
        .any(|requirement| {
            let end = requirement
                .find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.')))
                .unwrap_or(requirement.len());
            normalize_name(&requirement[..end]) == owner.normalized
        });
    by_itself || needed || required
}

fn finding(place: &ScriptDirectory, module: &LocalModule, owner: &Distribution) -> Finding {
    let name = &module.name;
    let version = owner.version.as_deref().unwrap_or_default();
    let message = format!("{} hides the module `{name}` of {}", module.path, owner.name);
    let importers: Vec<String> = place
        .imports
        .iter()
        .filter(|import| import.name == *name)
        .map(|import| format!("{}, line {}", import.file.name(), import.line))
        .collect();
    let mut finding = Finding::new(&CHECK, Subject::file(&module.path), message)
        .evidence("file", module.path.to_text())
        .evidence("installed", format!("{} {version}, {}", owner.name, owner.metadata));
    if !importers.is_empty() {
        finding = finding.evidence("imported by", some_of(&importers));
    }
    let suffix = if module.kind == TopLevelKind::Package { "" } else { ".py" };
    let target = place.directory.join(format!("my_{name}{suffix}"));
    finding.remedy(Remedy::review(
        format!("Give it another name (and change the imports of it), for example {}", target.name()),
        vec![Action::run(["mv".into(), (&module.path).into(), target.into()])],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::isolation::tests::{with_distribution, with_script_directory};
    use crate::facts::example;

    fn installed(local: &str) -> Facts {
        let mut facts = with_distribution("requests");
        facts.import_setup = with_script_directory(&[local], &[(local, local)]).import_setup;
        facts
    }

    #[test]
    fn fires_when_a_script_is_called_like_a_library() {
        let found = CHECK.findings(&installed("requests"));
        assert!(
            found[0].message.ends_with("hides the module `requests` of requests"),
            "{}",
            found[0].message
        );
    }

    #[test]
    fn quiet_when_it_is_the_distributions_own_source() {
        let mut facts = installed("requests");
        facts.project.name = Some("Requests".into());
        assert!(CHECK.findings(&facts).is_empty());
        let mut facts = installed("requests");
        facts.packages[0].sites[0].distributions[0].editable = Some(example::path(example::PROJECT));
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_distribution_is_installed_there_too() {
        let mut facts = installed("requests");
        facts.import_setup.script_directories[0].distributions.push("other".into());
        assert_eq!(CHECK.findings(&facts).len(), 1);
        facts.import_setup.script_directories[0].distributions.push("requests".into());
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_nothing_of_the_name_is_installed() {
        assert!(CHECK.findings(&installed("helpers")).is_empty());
    }
}
