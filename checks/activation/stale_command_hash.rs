//! The shell remembers where it found a program, and a search of `PATH` today would find another.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::search_path::Hit;
use crate::facts::shell::Remembered;

pub static CHECK: Check = Check {
    id: "stale-command-hash",
    category: Category::Activation,
    severity: Severity::Warning,
    summary: "The shell remembers an old place of a program and does not search PATH for it",
    needs: &[],
    explains: &[],
    explanation: r#"
## What it means
bash, zsh, dash and csh remember where they found a program, so as not to search `PATH` each time. When a new program of
that name appears earlier on `PATH`, or the old one is removed, the shell still runs the remembered one: `which pip` shows
the new place, `pip` runs the old one, or says "/usr/bin/pip: No such file or directory".
No other program can see this table; the doctor knows of it only through its shell integration.

## How it happens
A program was installed, upgraded or removed in this very shell: `pip install --upgrade pip`, `pip install pytest` into an
environment that lacked it, or an environment put on `PATH` by hand instead of with `activate`, which clears the table.

## How to fix it
`hash -r` (bash, zsh, dash), `rehash` (zsh, csh); or open a new shell. `type -a pip` shows what the shell would run.

## When it is fine
fish and PowerShell remember nothing. A remembered place that a search would find again is right, and is not reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(integration) = &facts.shell.integration else { return };
    let stale: Vec<(&Remembered, &Hit)> = integration
        .remembered
        .iter()
        .filter_map(|remembered| {
            let chosen = facts.command(&remembered.name)?.chosen()?;
            (!chosen.path.same_as(&remembered.path)).then_some((remembered, chosen))
        })
        .collect();
    let Some((first, chosen)) = stale.first() else { return };
    let gone = if first.exists { "" } else { ", which is gone" };
    let mut finding = Finding::new(
        &CHECK,
        Subject::Shell,
        format!(
            "This shell remembers {}{gone} for {}, where PATH leads to {}",
            first.path, first.name, chosen.path
        ),
    )
    .severity(if stale.iter().any(|(remembered, _)| !remembered.exists) {
        Severity::Error
    } else {
        Severity::Warning
    });
    for (remembered, chosen) in &stale {
        finding = finding
            .evidence(format!("remembered for {}", remembered.name), remembered.path.to_text())
            .evidence(format!("{} on PATH", remembered.name), chosen.path.to_text());
    }
    if let Some(environment) = facts.working_environment() {
        finding = finding.about(&environment.root);
    }
    findings.push(finding.remedy(Remedy::safe("Have the shell search again", vec![Action::Rehash])));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::*;
    use crate::facts::shell::Integration;

    fn remembering(place: &str, exists: bool) -> Facts {
        let mut facts = healthy();
        facts.shell.integration = Some(Integration {
            remembered: vec![Remembered { name: "pip".into(), path: path(place), exists }],
        });
        facts
    }

    #[test]
    fn fires_when_another_place_is_remembered() {
        let found = CHECK.findings(&remembering("/usr/bin/pip", true));
        assert_eq!(
            found[0].message,
            "This shell remembers /usr/bin/pip for pip, where PATH leads to /home/me/project/.venv/bin/pip"
        );
        assert_eq!(found[0].severity, Severity::Warning);
        assert_eq!(CHECK.findings(&remembering("/gone/pip", false))[0].severity, Severity::Error);
    }

    #[test]
    fn quiet_when_a_search_would_find_the_same() {
        assert!(CHECK.findings(&remembering("/home/me/project/.venv/bin/pip", true)).is_empty());
    }

    #[test]
    fn quiet_when_the_shell_does_not_tell() {
        assert!(CHECK.findings(&healthy()).is_empty());
    }
}
