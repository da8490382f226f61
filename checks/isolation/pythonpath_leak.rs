//! `PYTHONPATH` puts packages of another environment or Python version before the environment's own.

use crate::diagnosis::{Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;
use crate::facts::distribution::SiteKind;
use crate::facts::environment::Environment;
use crate::facts::import_setup::PythonPathEntry;
use crate::facts::interpreter::Version;

use super::{keep_python_path, python_version, some_of, with_line, working};

pub static CHECK: Check = Check {
    id: "pythonpath-leak",
    category: Category::Isolation,
    severity: Severity::Warning,
    summary: "PYTHONPATH puts another environment's or version's packages first",
    needs: &[Need::Installed, Need::Packages],
    explains: &[
        "dependency-conflict",
        "requirement-mismatch",
        "duplicate-distribution",
        "extension-for-another-python",
        "extension-abi-mismatch",
    ],
    explanation: r#"
## What it means
The directories in `PYTHONPATH` come before the standard library and before every `site-packages`, in each Python that is
started from this shell. A venv does not keep them out, and activating it does not clear the variable. Where such a directory
holds a package that the environment has too, `import` takes the one in `PYTHONPATH`, while `pip list` and
`pip install` go on about the other one.

## How it happens
Set-up scripts of ROS, Spack, Maya, Abaqus and other vendors export it, often from a line that they add to `~/.bashrc`. A
directory made for Python 3.8 does harm in 3.11: its compiled modules cannot be loaded, and its backports hide newer modules.

## How to fix it
For this shell `unset PYTHONPATH`, for one command `env -u PYTHONPATH python main.py` or `python -E main.py`. Then remove
the line that sets it, or source the vendor's script only in the shells that need it. A project's own modules are better
installed: `python -m pip install -e .`.

## When it is fine
When the directory is the project's own source, or holds nothing that the environment has, too.
"#,
    examine,
};

struct Leak<'a> {
    entry: &'a PythonPathEntry,
    /// `democore 1.0 instead of 2.0`
    other_versions: Vec<String>,
    modules: Vec<String>,
    foreign: Option<Version>,
}

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(working) = working(facts) else { return };
    let version = python_version(facts);
    let leaks: Vec<Leak> = facts
        .import_setup
        .python_path
        .iter()
        .filter(|entry| !entry.relative && entry.exists && !is_own(facts, working, entry))
        .filter_map(|entry| leak(facts, working, version, entry))
        .collect();
    let Some(first) = leaks.first() else { return };
    let directory = &first.entry.raw;
    let message = match (&first.foreign, first.other_versions.first()) {
        (_, Some(pair)) => {
            format!("PYTHONPATH puts {directory} before {}: Python imports {pair}", working.root)
        }
        (Some(foreign), None) => format!(
            "PYTHONPATH puts {directory}, which is for Python {}, before {}",
            foreign.minor_text(),
            working.root
        ),
        (None, None) => format!(
            "PYTHONPATH puts {directory} before {}: Python imports {} from there",
            working.root,
            some_of(&first.modules)
        ),
    };
    let mut finding = Finding::new(&CHECK, Subject::Shell, message)
        .about(&working.root)
        .evidence("PYTHONPATH", facts.shell.variable("PYTHONPATH").unwrap_or_default());
    for leak in &leaks {
        if !leak.other_versions.is_empty() {
            finding = finding.evidence(format!("from {}", leak.entry.raw), some_of(&leak.other_versions));
        }
        if !leak.modules.is_empty() {
            finding = finding.evidence(format!("from {}", leak.entry.raw), some_of(&leak.modules));
        }
        if let (Some(foreign), Some(own)) = (leak.foreign, version) {
            let versions = format!("made for {}, and this is {}", foreign.minor_text(), own.minor_text());
            finding = finding.evidence(leak.entry.raw.clone(), versions);
        }
    }
    let bad: Vec<usize> = leaks.iter().map(|leak| leak.entry.index).collect();
    let finding = with_line(finding, facts, "PYTHONPATH");
    findings.push(
        finding.remedy(keep_python_path(facts, |entry| !bad.contains(&entry.index) && !entry.is_empty())),
    );
}

/// The project's own source, or the environment's own directory.
fn is_own(facts: &Facts, working: &Environment, entry: &PythonPathEntry) -> bool {
    let Some(directory) = &entry.directory else { return true };
    working.contains(directory) && working.is_venv()
        || working.libraries.iter().any(|library| library.site_packages.same_as(directory))
        || facts.project.root.as_ref().is_some_and(|root| {
            directory.is_within(root)
                && !facts.environments.iter().any(|other| other.is_venv() && other.contains(directory))
        })
}

fn leak<'a>(
    facts: &Facts,
    working: &Environment,
    version: Option<Version>,
    entry: &'a PythonPathEntry,
) -> Option<Leak<'a>> {
    let filled = !entry.modules.is_empty() || !entry.distributions.is_empty();
    let foreign = entry.version.filter(|other| filled && version.is_some_and(|own| !own.same_minor(*other)));
    let other_versions: Vec<String> = entry
        .distributions
        .iter()
        .filter_map(|(name, theirs)| {
            let own = working.distribution(name).filter(|own| own.version != *theirs)?;
            Some(format!("{name} {theirs} instead of {}", own.version))
        })
        .collect();
    let modules = match entry.distributions.is_empty() {
        true => hidden_modules(facts, working, entry),
        false => Vec::new(),
    };
    (foreign.is_some() || !other_versions.is_empty() || !modules.is_empty()).then_some(Leak {
        entry,
        other_versions,
        modules,
        foreign,
    })
}

/// Modules that the environment's own packages have, too.
fn hidden_modules(facts: &Facts, working: &Environment, entry: &PythonPathEntry) -> Vec<String> {
    let Some(packages) = facts.packages(&working.root) else { return Vec::new() };
    let own = packages.sites.iter().filter(|site| site.kind == SiteKind::Own);
    own.flat_map(|site| &site.modules)
        .filter(|module| module.kind != crate::facts::distribution::TopLevelKind::Namespace)
        .filter(|module| entry.modules.contains(&module.name))
        .map(|module| module.name.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::isolation::tests::with_python_path;
    use crate::diagnosis::Action;

    fn holding(value: &str, distribution: (&str, &str)) -> Facts {
        let mut facts = with_python_path(value);
        facts.import_setup.python_path[0].distributions =
            vec![(distribution.0.to_owned(), distribution.1.to_owned())];
        facts
    }

    #[test]
    fn fires_when_another_version_comes_first() {
        let found = CHECK.findings(&holding("/opt/ros/lib/python3.11/site-packages", ("six", "1.10.0")));
        assert_eq!(found.len(), 1);
        assert!(found[0].message.ends_with("six 1.10.0 instead of 1.16.0"), "{}", found[0].message);
        assert_eq!(found[0].remedies[0].actions, [Action::Unset("PYTHONPATH".into())]);
    }

    #[test]
    fn fires_when_the_directory_is_for_another_python() {
        let mut facts = holding("/opt/ros/lib/python3.8/site-packages", ("rclpy", "1.0"));
        facts.import_setup.python_path[0].version = Some(Version::new(3, 8, None));
        assert!(CHECK.findings(&facts)[0].message.contains("for Python 3.8"));
    }

    #[test]
    fn quiet_when_nothing_is_hidden() {
        assert!(CHECK.findings(&holding("/opt/tools/lib", ("tool", "1.0"))).is_empty());
        assert!(CHECK.findings(&holding("/opt/tools/lib", ("six", "1.16.0"))).is_empty());
    }

    #[test]
    fn quiet_when_it_is_the_projects_own_source() {
        assert!(CHECK.findings(&holding("/home/me/project/src", ("six", "1.0"))).is_empty());
    }
}
