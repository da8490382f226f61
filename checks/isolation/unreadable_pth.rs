//! A `.pth` file whose bytes Python cannot decode.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::distribution::{PthFile, SiteKind};
use crate::facts::interpreter::Version;

use super::{python_of, skips_hidden};

pub static CHECK: Check = Check {
    id: "unreadable-pth",
    category: Category::Isolation,
    severity: Severity::Warning,
    summary: "A .pth file that Python cannot decode",
    needs: &[Need::Packages, Need::Probe],
    explains: &["failing-startup-hook", "interpreter-fails", "broken-pip", "missing-distribution-files"],
    explanation: r#"
## What it means
At every start Python reads each file in `site-packages` whose name ends in `.pth`, as text. One of them holds bytes that
are no text (UTF-8, or that of the locale). Most versions then stop at once with `UnicodeDecodeError` in `site.py`, before any
program runs; where the locale can decode any byte, the nonsense is taken for paths.

## How it happens
macOS writes a companion file `._NAME` beside each file that it copies to an exFAT or network drive (AppleDouble), and
`._distutils-precedence.pth` ends in `.pth`, too. Or a `.pth` with a path that is not ASCII was written by an old tool in the
encoding of its own locale, or in UTF-16 by an editor or by PowerShell's `>`.

## How to fix it
Delete the companions:

    find .venv -name '._*' -delete

Any other file: write it again in UTF-8, or move it out of the way and install its owner again. On macOS `dot_clean DIR` merges
companions away, and `COPYFILE_DISABLE=1 tar ...` makes archives without them.

## When it is fine
Pythons since 3.13, and the later patch releases of 3.8 to 3.12, skip names that begin with a dot.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for packages in &facts.packages {
        let Some(environment) = facts.environment(&packages.environment) else { continue };
        let version = python_of(facts, environment);
        let dies = facts.interpreters_of(environment).any(|interpreter| interpreter.probe.went_wrong());
        let sites = packages.sites.iter().filter(|site| site.kind != SiteKind::PythonPath);
        for pth in sites.flat_map(|site| &site.pth_files).filter(|pth| !pth.decodable) {
            // without the patch level it is open whether it is read at all
            let skipped = version.is_none_or(|it| skips_hidden(it) || (it.patch.is_none() && !dies));
            if pth.hidden && skipped {
                continue;
            }
            let severity = if dies { Severity::Error } else { Severity::Warning };
            let message = match dies {
                true => format!("{} is no text, and Python stops at it", pth.path),
                false => format!("{} is no text that Python can decode", pth.path),
            };
            let mut finding = Finding::new(&CHECK, Subject::file(&pth.path), message)
                .severity(severity)
                .about(&environment.root)
                .evidence("file", pth.path.to_text());
            if is_companion(pth) {
                finding = finding.evidence("name", "begins with `._`, as the companions that macOS writes");
            }
            if let Some(version) = version {
                finding = finding.evidence("Python", describe(version));
            }
            findings.push(finding.remedy(remedy(pth)));
        }
    }
}

fn is_companion(pth: &PthFile) -> bool {
    pth.path.name().starts_with("._")
}

fn describe(version: Version) -> String {
    match version.minor {
        _ if skips_hidden(version) => format!("{version}"),
        _ => format!("{version}, which reads hidden files, too"),
    }
}

fn remedy(pth: &PthFile) -> Remedy {
    if is_companion(pth) {
        let delete = Action::run(["rm".into(), "-f".into(), (&pth.path).into()]);
        return Remedy::safe("Delete the companion file, which nothing needs", vec![delete]);
    }
    Remedy::set_aside(&pth.path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::isolation::tests::with_pth;
    use crate::facts::example;

    fn undecodable(name: &str) -> Facts {
        let mut facts = with_pth(name);
        facts.packages[0].sites[0].pth_files[0].decodable = false;
        facts
    }

    #[test]
    fn fires_when_it_cannot_be_decoded() {
        let found = CHECK.findings(&undecodable("x.pth"));
        assert_eq!(found[0].severity, Severity::Warning);
    }

    #[test]
    fn fires_when_a_companion_is_read() {
        let found = CHECK.findings(&undecodable("._x.pth"));
        assert!(found[0].remedies[0].summary.starts_with("Delete"));
    }

    #[test]
    fn quiet_when_python_skips_it() {
        let mut facts = undecodable("._x.pth");
        for interpreter in &mut facts.interpreters {
            interpreter.version = Some(Version::new(3, 13, Some(0)));
        }
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_it_is_text() {
        assert!(CHECK.findings(&with_pth("x.pth")).is_empty());
        assert!(CHECK.findings(&example::healthy()).is_empty());
    }
}
