//! Two distributions installed the same files: the one that came last is imported, and uninstalling one takes
//! files from the other.

use crate::diagnosis::reinstall::{installer, uninstaller};
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::distribution::Distribution;
use crate::facts::environment::Environment;
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "overlapping-distributions",
    category: Category::Packages,
    severity: Severity::Warning,
    summary: "Two distributions installed the same files with different contents",
    needs: &[Need::Packages, Need::Installed],
    explains: &[],
    explanation: r#"
## What it means

Two installed distributions both recorded the same files, with different contents. The one that was installed last
has overwritten the other's: what `import` gives is a mixture of the two. Uninstalling either one deletes the shared
files, and the other is broken from then on although it is still listed.

## How it happens

Some projects are published under several names for the same module: `opencv-python`, `opencv-python-headless` and
`opencv-contrib-python` (`cv2`), `psycopg2` and `psycopg2-binary`, `tensorflow` and its variants, `pycrypto` and
`pycryptodome` (`Crypto`). One comes as a dependency of one package, the other of another.

## How to fix it

Uninstall all of them, then install the one that is wanted:

    python -m pip uninstall opencv-python opencv-python-headless
    python -m pip install opencv-python-headless

## When it is fine

When the contents are the same, or when only `__init__.py` files are shared: by distributions that each bring more of the
package, or files that are empty, only say a version, declare an old-style namespace or belong to a `tests` package that
was installed by mistake. Those are not reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, packages)) = facts.patient_packages() else { return };
    for overlap in &packages.overlaps {
        let find = |metadata: &HostPath| packages.own_distributions().find(|one| one.metadata == *metadata);
        let (Some(left), Some(right)) = (find(&overlap.left), find(&overlap.right)) else { continue };
        if left.is_distributors() || right.is_distributors() {
            continue;
        }
        let Some(example) = overlap.files.first() else { continue };
        let rest = match overlap.count {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let message = format!("{} and {} both installed {example}{rest}", left.label(), right.label());
        let mut finding = Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message);
        for file in &overlap.files {
            finding = finding.evidence("recorded by both, with different contents", file.to_text());
        }
        if let Some(remedy) = remedy(facts, environment, left, right) {
            finding = finding.remedy(remedy);
        }
        findings.push(finding);
    }
}

/// Keeps the one that was asked for.
fn remedy(
    facts: &Facts,
    environment: &Environment,
    left: &Distribution,
    right: &Distribution,
) -> Option<Remedy> {
    let kept = if right.requested && !left.requested { right } else { left };
    let remove = uninstaller(facts, environment)?;
    let install = installer(facts, environment, &["--no-deps"], &["--no-deps"])?;
    let mut actions = remove.actions([Word::from(&left.name), Word::from(&right.name)]);
    actions.push(install.command(kept.requirement()?.into_iter().map(Word::from)));
    let summary = format!("Uninstall both, and install {} (or the other one) again", kept.name);
    Some(Remedy::review(summary, actions))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::distribution::Overlap;
    use crate::facts::example;

    fn overlapping() -> Facts {
        let mut facts = example::with_packages();
        let site = &mut facts.packages[0].sites[0];
        let (left, right) =
            (example::distribution("demo-cv", "1"), example::distribution("demo-cv-headless", "1"));
        let overlap = Overlap {
            left: left.metadata.clone(),
            right: right.metadata.clone(),
            files: vec![site.directory.join("democv/core.py")],
            count: 3,
        };
        site.distributions.extend([left, right]);
        facts.packages[0].overlaps.push(overlap);
        facts
    }

    #[test]
    fn fires_when_two_own_one_file() {
        let found = CHECK.findings(&overlapping());
        assert_eq!(found.len(), 1);
        assert!(found[0].message.ends_with("democv/core.py and 2 more"), "{}", found[0].message);
        assert_eq!(found[0].remedies[0].actions.len(), 2);
    }

    #[test]
    fn quiet_when_nothing_is_shared() {
        assert!(CHECK.findings(&example::with_packages()).is_empty());
    }

    #[test]
    fn quiet_when_conda_installed_one() {
        let mut facts = overlapping();
        facts.packages[0].sites[0].distributions.last_mut().unwrap().installer = Some("conda".into());
        assert!(CHECK.findings(&facts).is_empty());
    }
}
