//! The environment lies in a folder that a cloud service keeps in step: files become placeholders, and two
//! machines overwrite each other's.

use crate::diagnosis::recreate::recreate;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::environment::{Environment, SyncedFolder};
use crate::facts::platform::System;
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "synced-environment",
    category: Category::Relocation,
    severity: Severity::Warning,
    summary: "The environment lies in a cloud-synced folder",
    needs: &[Need::Installed],
    explains: &[
        "missing-distribution-files",
        "unresolvable-import",
        "missing-requirement",
        "broken-metadata",
        "broken-pip",
        "leftover-distribution",
        "duplicate-distribution",
        "hidden-pth",
        "interpreter-not-executable",
        "moved-venv",
        "dangling-interpreter",
    ],
    explanation: r#"
## What it means
A cloud service (iCloud Drive, OneDrive, Dropbox, Google Drive, Syncthing) keeps the folder in step with other machines.
It replaces files that were not used for a while by placeholders (`.six.py.icloud`), which Python cannot import; it
keeps both versions when two machines change a file ("conflicted copy"); it follows or drops symbolic links and
execute bits; and it holds files open while pip replaces them ("Access is denied").
An environment has thousands of small files and fits one machine only: there is nothing to gain from syncing it.

## How it happens
The project lies in `~/Dropbox`, in `~/Documents` with iCloud or OneDrive backup turned on, or the like.

## How to fix it
Make the environment anew, outside the synced folder: `python3 -m venv ~/.venvs/project`; uv: `UV_PROJECT_ENVIRONMENT`;
Poetry: `poetry config virtualenvs.in-project false`.
Or tell the service to leave it out. Dropbox on Linux: `attr -s com.dropbox.ignored -V 1 .venv`;
on macOS: `xattr -w com.dropbox.ignored 1 .venv`. iCloud leaves out names that end in `.nosync`.

## When it is fine
When the service is told to leave the environment out, or the folder merely has such a name. Without debris in the
environment this is information, no warning.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in facts.environments.iter().filter(|environment| environment.is_venv()) {
        let Some(synced) = &environment.synced else { continue };
        findings.push(if synced.debris.is_empty() {
            possible(facts, environment, synced)
        } else {
            damaged(facts, environment, synced)
        });
    }
}

fn damaged(facts: &Facts, environment: &Environment, synced: &SyncedFolder) -> Finding {
    let placeholders = synced.debris.iter().filter(|path| is_placeholder(path)).count();
    let (severity, what) = match placeholders {
        0 => (Severity::Warning, "has left conflicted copies in it"),
        1 => (Severity::Error, "has replaced a file of it by a placeholder"),
        _ => (Severity::Error, "has replaced files of it by placeholders"),
    };
    let mut finding = Finding::new(
        &CHECK,
        Subject::Environment(environment.root.clone()),
        format!("{} is kept in step by {}, which {what}", environment.root, synced.service),
    )
    .severity(severity);
    for path in synced.debris.iter().take(super::SHOWN) {
        let label = if is_placeholder(path) { "placeholder" } else { "conflicted copy" };
        finding = finding.evidence(label, path.to_text());
    }
    if synced.debris.len() > super::SHOWN {
        finding = finding.evidence("debris", format!("{} such files", synced.debris.len()));
    }
    let mut anew = recreate(facts, environment);
    anew.actions.extend(left_out(facts, environment, synced));
    finding.remedy(anew)
}

fn possible(facts: &Facts, environment: &Environment, synced: &SyncedFolder) -> Finding {
    let mut finding = Finding::new(
        &CHECK,
        Subject::file(&environment.root),
        format!("{} lies in a folder of {}, which may damage it", environment.root, synced.service),
    )
    .severity(Severity::Info)
    .evidence("folder of", &synced.service);
    // without debris it accounts for nothing that is missing in the environment
    if let Some(folder) = environment.root.parent() {
        finding = finding.about(&folder);
    }
    finding.remedy(Remedy::safe("Keep the environment out of it", left_out(facts, environment, synced)))
}

fn is_placeholder(path: &HostPath) -> bool {
    path.name().ends_with(".icloud")
}

/// How this service is told to leave a directory alone.
fn left_out(facts: &Facts, environment: &Environment, synced: &SyncedFolder) -> Vec<Action> {
    let root = Word::from(&environment.root);
    if !synced.service.eq_ignore_ascii_case("dropbox") {
        return vec![Action::Advice(format!(
            "exclude {} in the settings of {}, or keep environments elsewhere, such as ~/.venvs",
            environment.root, synced.service
        ))];
    }
    let words: Vec<Word> = match facts.platform.system {
        System::MacOs => ["xattr", "-w", "com.dropbox.ignored", "1"].map(Word::from).to_vec(),
        System::Linux => ["attr", "-s", "com.dropbox.ignored", "-V", "1"].map(Word::from).to_vec(),
        System::Windows | System::Other => {
            return vec![Action::Advice(format!(
                "Set-Content -Path '{}' -Stream com.dropbox.ignored -Value 1 tells Dropbox to leave it out",
                environment.root
            ))];
        }
    };
    vec![Action::Run(words.into_iter().chain([root]).collect())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::*;

    fn synced(debris: &[&str]) -> Facts {
        let mut facts = healthy();
        venv_of(&mut facts).synced = Some(SyncedFolder {
            service: "Dropbox".into(),
            debris: debris.iter().map(|name| path(VENV).join(name)).collect(),
        });
        facts
    }

    #[test]
    fn fires_when_a_file_became_a_placeholder() {
        let found = CHECK.findings(&synced(&["lib/python3.11/site-packages/.six.py.icloud"]));
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(found[0].evidence[0].label, "placeholder");
    }

    #[test]
    fn fires_when_copies_conflict() {
        let found = CHECK.findings(&synced(&["six (dev's conflicted copy 2025-01-01).py"]));
        assert_eq!(found[0].severity, Severity::Warning);
    }

    #[test]
    fn only_informs_when_there_is_no_debris() {
        let found = CHECK.findings(&synced(&[]));
        assert_eq!(found[0].severity, Severity::Info);
        assert!(!found[0].environments.contains(&path(VENV)));
    }

    #[test]
    fn quiet_when_the_folder_is_not_synced() {
        assert!(CHECK.findings(&healthy()).is_empty());
    }

    #[test]
    fn quiet_when_only_an_installation_lies_there() {
        let mut facts = healthy();
        facts.environments[1].synced = Some(SyncedFolder { service: "Dropbox".into(), debris: Vec::new() });
        assert!(CHECK.findings(&facts).is_empty());
    }
}
