//! A `.pth` file that Python skips because it is hidden.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::distribution::{PthFile, SiteKind};
use crate::facts::platform::System;

use super::{python_of, skips_hidden};

pub static CHECK: Check = Check {
    id: "hidden-pth",
    category: Category::Isolation,
    severity: Severity::Error,
    summary: "A .pth file that Python skips because it is hidden",
    needs: &[Need::Packages],
    explains: &["broken-editable", "project-not-installed", "unresolvable-import", "missing-requirement"],
    explanation: r#"
## What it means
A `.pth` file puts directories on the import path; most editable installs consist of one. Python 3.13, and 3.8.19, 3.9.19,
3.10.14, 3.11.8, 3.12.2 and later, skip those that are hidden: whose name begins with a dot, or that carry the hidden flag of macOS
or Windows. The package is installed, pip lists it, and `import` says `No module named ...`.

## How it happens
macOS marks what lies in a directory like `.venv` below `~/Documents` or `~/Desktop` as hidden while it synchronises
with iCloud. On other systems somebody, or a tool, gave the file a name with a dot.

## How to fix it
On macOS take the flag off, and call the environment `venv`, so that it does not come back:

    chflags -R nohidden .venv

Elsewhere rename the file:

    mv .venv/lib/python3.13/site-packages/.x.pth .venv/lib/python3.13/site-packages/x.pth

`python -v -c pass` prints `Skipping hidden .pth file`.

## When it is fine
A file that begins with `._` is a companion that macOS writes to foreign drives, and no loss; so is a file that was renamed
to switch it off.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for packages in &facts.packages {
        let Some(environment) = facts.environment(&packages.environment) else { continue };
        let Some(version) = python_of(facts, environment).filter(|version| skips_hidden(*version)) else {
            continue;
        };
        let sites = packages.sites.iter().filter(|site| matches!(site.kind, SiteKind::Own | SiteKind::User));
        for pth in sites.flat_map(|site| &site.pth_files).filter(|pth| is_skipped(pth)) {
            let message = format!("{} is hidden, and Python {version} skips it", pth.path);
            let mut finding =
                Finding::new(&CHECK, Subject::file(&pth.path), message).about(&environment.root);
            for line in pth.paths.iter().filter(|line| line.exists).take(3) {
                finding = finding.evidence(
                    format!("line {}", line.line),
                    format!("{} is not on the import path", line.path),
                );
            }
            for line in pth.imports.iter().take(2) {
                finding = finding.evidence(format!("line {} is not run", line.line), line.text.clone());
            }
            findings.push(finding.evidence("Python", version.to_string()).remedy(remedy(facts, pth)));
        }
    }
}

/// It would do something.
fn is_skipped(pth: &PthFile) -> bool {
    pth.hidden
        && !pth.path.name().starts_with("._")
        && (pth.paths.iter().any(|line| line.exists) || !pth.imports.is_empty())
}

fn remedy(facts: &Facts, pth: &PthFile) -> Remedy {
    let name = pth.path.name();
    let plain = name.trim_start_matches('.');
    let plain = if plain == "pth" { "renamed.pth" } else { plain };
    match (plain != name, pth.path.parent()) {
        (true, Some(directory)) => Remedy::safe(
            "Give the file a name without a dot",
            vec![Action::run(["mv".into(), (&pth.path).into(), directory.join(plain).into()])],
        ),
        _ if facts.platform.system == System::MacOs => Remedy::safe(
            "Take the hidden flag off",
            vec![Action::run(["chflags".into(), "nohidden".into(), (&pth.path).into()])],
        ),
        _ => Remedy::safe(
            "Take the hidden attribute off",
            vec![Action::run(["attrib".into(), "-H".into(), (&pth.path).into()])],
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::isolation::tests::with_pth;
    use crate::facts::interpreter::Version;

    fn on(name: &str, version: Version) -> Facts {
        let mut facts = with_pth(name);
        for interpreter in &mut facts.interpreters {
            interpreter.version = Some(version);
        }
        facts
    }

    #[test]
    fn fires_when_python_skips_it() {
        let found = CHECK.findings(&on(".mylib.pth", Version::new(3, 13, Some(0))));
        assert_eq!(found.len(), 1);
        assert!(found[0].remedies[0].summary.starts_with("Give the file"));
        assert_eq!(CHECK.findings(&on(".mylib.pth", Version::new(3, 12, Some(2)))).len(), 1);
    }

    #[test]
    fn quiet_when_python_reads_it() {
        assert!(CHECK.findings(&on(".mylib.pth", Version::new(3, 12, Some(1)))).is_empty());
        assert!(CHECK.findings(&on("mylib.pth", Version::new(3, 13, Some(0)))).is_empty());
    }

    #[test]
    fn quiet_when_it_is_a_companion_of_macos() {
        assert!(CHECK.findings(&on("._mylib.pth", Version::new(3, 13, Some(0)))).is_empty());
    }
}
