//! Installed files are not what their installer recorded: somebody edited, damaged or deleted them. Every file has to
//! be read for that, so it is asked for with `--deep`.

use crate::diagnosis::reinstall::reinstall;
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::contents::{Change, Differing};
use crate::facts::distribution::Distribution;

pub static CHECK: Check = Check {
    id: "altered-distribution-files",
    category: Category::Packages,
    severity: Severity::Info,
    summary: "Installed files differ from what was recorded of them (only with --deep)",
    needs: &[Need::Packages, Need::Installed, Need::Contents],
    explains: &[],
    explanation: r#"
## What it means

An installer notes the SHA-256 of every file that it installs, in `RECORD` in `NAME-VERSION.dist-info`. Some files do
not have the recorded contents any more, or are gone. So this environment does not run what the index offers under
that version, and the next install of that distribution silently takes the change away.

Reading every file takes seconds in a large environment, so this is only looked at when you ask:

    venv-doctor --deep

## How it happens

A debugging line was left in `site-packages`; a patch was applied by hand, by a build script or a code formatter; the
disk was full or faulty; a copy was cut short. Git changes the line endings of an environment that was committed, on
machines with `core.autocrlf`: those files are told apart, and Python reads them as before.

## How to fix it

Look at the files first: a change that is wanted belongs into a fork, or into a patch that your build applies. Then
install the same version again:

    python -m pip install --force-reinstall --no-deps NAME==VERSION

uv links files of its cache into environments on many systems: a file that was edited in place is then altered in the
cache, too, and in other environments. `uv pip install --reinstall NAME` fetches it anew; do so in each of them.

## When it is fine

When you know the change and have it written down. Certificate bundles (`certifi/cacert.pem`) to which certificates
were added are not reported, nor are bytecode, scripts whose first line was rewritten, editable installs, and what
conda or the system's package manager installed. Images that were made small by stripping debug symbols or deleting
data files show up here, and are fine as well.
"#,
    examine,
};

/// So many files are shown.
const SHOWN: usize = 10;

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, packages)) = facts.patient_packages() else { return };
    let Some(contents) = packages.contents.known() else { return };
    let mut found: Vec<(&Distribution, &Differing)> = contents
        .differing
        .iter()
        .filter_map(|differing| {
            let is_it = |distribution: &&Distribution| distribution.metadata == differing.metadata;
            Some((packages.own_distributions().find(is_it)?, differing))
        })
        .collect();
    // what changes a program's behaviour leads
    found.sort_by_key(|(_, differing)| match differing.altered_count {
        0 => 1,
        altered if altered == differing.line_endings_count => 2,
        _ => 0,
    });
    let Some((first, differing)) = found.first() else { return };
    let example = files(differing).next().map(|(_, path)| format!(" ({path})")).unwrap_or_default();
    let (subject, message) = match found.len() {
        1 => (
            Subject::Distribution { environment: environment.root.clone(), name: first.name.clone() },
            format!("{} is not as it was installed: {}{example}", first.label(), extent(differing)),
        ),
        count => (
            Subject::Environment(environment.root.clone()),
            format!(
                "{count} distributions are not as they were installed, {} among them: {}{example}",
                first.label(),
                extent(differing)
            ),
        ),
    };
    let mut finding = Finding::new(&CHECK, subject, message);
    let each = (SHOWN / found.len()).max(1);
    for (distribution, differing) in found.iter().take(SHOWN) {
        for (label, path) in files(differing).take(each) {
            finding = finding.evidence(format!("{label} {}", distribution.name), path);
        }
    }
    finding = finding.evidence("recorded in", first.metadata.join("RECORD").to_text());
    let all: Vec<&Distribution> = found.iter().map(|(distribution, _)| *distribution).collect();
    if let Some(remedy) = reinstall(facts, environment, &all) {
        let summary = format!("{}; the changes are lost", remedy.summary);
        finding = finding.remedy(Remedy::review(summary, remedy.actions));
    }
    findings.push(finding);
}

/// `2 of its files were altered and 1 is gone`.
fn extent(differing: &Differing) -> String {
    let were = |count: usize| match count {
        1 => "1 of its files was".to_owned(),
        count => format!("{count} of its files were"),
    };
    let are = |count: usize| if count == 1 { "1 is".to_owned() } else { format!("{count} are") };
    let altered = match differing.altered_count {
        0 => None,
        count if count == differing.line_endings_count => {
            Some(format!("{} altered in the line endings alone", were(count)))
        }
        count => Some(format!("{} altered", were(count))),
    };
    match (altered, differing.missing_count) {
        (Some(altered), 0) => altered,
        (Some(altered), missing) => format!("{altered} and {} gone", are(missing)),
        (None, 1) => "1 of its files is gone".to_owned(),
        (None, missing) => format!("{missing} of its files are gone"),
    }
}

/// What happened to each, and its path; what matters most first.
fn files(differing: &Differing) -> impl Iterator<Item = (&'static str, String)> + '_ {
    let altered = |wanted: Change, label: &'static str| {
        differing
            .altered
            .iter()
            .filter(move |file| file.change == wanted)
            .map(move |file| (label, file.path.to_text().into_owned()))
    };
    let gone = differing.missing.iter().map(|path| ("gone from", path.to_text().into_owned()));
    altered(Change::Content, "altered in").chain(gone).chain(altered(Change::LineEndings, "line endings of"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::contents::{AlteredFile, Contents};
    use crate::facts::{Gathered, example};

    const SITE: &str = "/home/me/project/.venv/lib/python3.11/site-packages";

    fn differing(facts: &Facts, altered: &[(&str, Change)], missing: &[&str]) -> Contents {
        let site = &facts.packages[0].sites[0];
        let path = |name: &&str| site.directory.join(name);
        let file = |(name, change): &(&str, Change)| AlteredFile { path: path(name), change: *change };
        let in_lines = |(_, change): &&(&str, Change)| *change == Change::LineEndings;
        let differing = Differing {
            metadata: site.distributions[1].metadata.clone(),
            altered: altered.iter().map(file).collect(),
            altered_count: altered.len(),
            line_endings_count: altered.iter().filter(in_lines).count(),
            missing: missing.iter().map(path).collect(),
            missing_count: missing.len(),
        };
        Contents { files: 7, differing: vec![differing] }
    }

    fn found(altered: &[(&str, Change)], missing: &[&str]) -> Vec<Finding> {
        let mut facts = example::with_packages();
        facts.packages[0].contents = Gathered::Known(differing(&facts, altered, missing));
        CHECK.findings(&facts)
    }

    #[test]
    fn fires_when_a_file_was_edited_or_deleted() {
        let found = found(&[("six.py", Change::Content)], &["six.json", "six.txt"]);
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].message,
            format!(
                "six 1.16.0 is not as it was installed: 1 of its files was altered and 2 are gone ({SITE}/six.py)"
            )
        );
        assert_eq!(found[0].severity, Severity::Info);
        assert_eq!(found[0].evidence[0].label, "altered in six");
        assert_eq!(found[0].evidence[0].value, format!("{SITE}/six.py"));
        assert!(format!("{:?}", found[0].remedies[0].actions).contains("six==1.16.0"));
    }

    #[test]
    fn fires_in_other_words_when_line_endings_alone_differ() {
        let found = found(&[("six.py", Change::LineEndings)], &[]);
        assert_eq!(
            found[0].message,
            format!(
                "six 1.16.0 is not as it was installed: 1 of its files was altered in the line endings alone ({SITE}/six.py)"
            )
        );
    }

    #[test]
    fn quiet_when_nothing_differs() {
        let mut facts = example::with_packages();
        facts.packages[0].contents = Gathered::Known(Contents { files: 7, differing: Vec::new() });
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_it_was_not_asked_for() {
        assert!(CHECK.findings(&example::with_packages()).is_empty());
    }
}
