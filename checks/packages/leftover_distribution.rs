//! `~ip` and its like: what an interrupted pip left behind in `site-packages`.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;

pub static CHECK: Check = Check {
    id: "leftover-distribution",
    category: Category::Packages,
    severity: Severity::Warning,
    summary: "An interrupted pip left directories whose names start with `~`",
    needs: &[Need::Packages],
    explains: &[],
    explanation: r#"
## What it means

Before pip removes a package it renames it: `pip` becomes `~ip`. After an interruption the renamed directories stay.
Python cannot import them and pip does not use them, but it says "WARNING: Ignoring invalid distribution ~ip" at every
command (always on Python 3.10 and older), and they take up space.

## How it happens

pip was stopped in the middle of an upgrade, or on Windows a file was in use (an editor, a running program, a virus
scanner), so that the old version could not be deleted.

## How to fix it

Delete what starts with `~` once no program of this environment runs:

    rm -rf .venv/lib/python3.*/site-packages/~*

## When it is fine

While a pip is still working in this environment.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, packages)) = facts.patient_packages() else { return };
    for site in packages.own_sites().filter(|site| !site.leftovers.is_empty()) {
        let message = format!(
            "{} holds what an interrupted pip left behind: {}",
            site.directory,
            site.leftovers.iter().take(3).cloned().collect::<Vec<_>>().join(", ")
        );
        let mut finding =
            Finding::new(&CHECK, Subject::file(&site.directory), message).about(&environment.root);
        let mut words = vec![Word::from("rm"), Word::from("-rf")];
        for name in &site.leftovers {
            let path = site.directory.join(name);
            finding = finding.evidence("left behind", path.to_text());
            words.push(Word::from(path));
        }
        let remedy = Remedy::review("Delete what was left behind; nothing uses it", vec![Action::Run(words)]);
        findings.push(finding.remedy(remedy));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::distribution::SiteKind;
    use crate::facts::example;

    #[test]
    fn fires_when_pip_was_interrupted() {
        let mut facts = example::with_packages();
        facts.packages[0].sites[0].leftovers = vec!["~ip".into(), "~ip-23.0.dist-info".into()];
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        let Action::Run(words) = &found[0].remedies[0].actions[0] else { panic!("no command") };
        assert_eq!(words.len(), 4);
    }

    #[test]
    fn quiet_when_there_is_none() {
        assert!(CHECK.findings(&example::with_packages()).is_empty());
    }

    #[test]
    fn quiet_when_it_is_the_systems() {
        let mut facts = example::with_packages();
        facts.packages[0].sites[0].leftovers = vec!["~ip".into()];
        facts.packages[0].sites[0].kind = SiteKind::Base;
        assert!(CHECK.findings(&facts).is_empty());
    }
}
