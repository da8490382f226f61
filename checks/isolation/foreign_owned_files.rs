//! Files of the environment that this user may not read or change.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::facts::import_setup::{LockedFile, LockedFiles};

pub static CHECK: Check = Check {
    id: "foreign-owned-files",
    category: Category::Isolation,
    severity: Severity::Warning,
    summary: "Files in the environment that this user may not read or change",
    needs: &[Need::Packages],
    explains: &[
        "missing-requirement",
        "missing-distribution-files",
        "broken-metadata",
        "unresolvable-import",
        "broken-pip",
        "dependency-conflict",
        "environment-without-pip",
    ],
    explanation: r#"
## What it means
A part of the environment belongs to another user, mostly root, with permissions that shut you out. What may not be read is
not imported: a package directory with mode 0700 gives a plain `ModuleNotFoundError`, not `Permission denied`. What may not be
changed stops pip half-way: `[Errno 13] Permission denied: '.../site-packages/...'`.

## How it happens
`sudo pip install` in an activated environment, a container that ran as root on a mounted project directory, or an install
by root with `umask 077`.

## How to fix it
Take the environment back:

    sudo chown -R "$(id -un):" .venv

Where another user is to keep it and you only use it, its owner makes it readable: `sudo chmod -R go+rX .venv`. Never use
sudo with pip in an environment: its own pip needs none.

## When it is fine
An environment that as a whole belongs to somebody else, is readable, and is only used by you: a shared one in `/opt`, a
read-only store, an image's.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    if let Some(environment) = facts.claimed().filter(|environment| environment.is_out_of_reach()) {
        findings.push(out_of_reach(facts, environment));
    }
    for locked in &facts.import_setup.locked {
        let Some(environment) = facts.environment(&locked.environment) else { continue };
        if !environment.is_venv() {
            continue;
        }
        if locked.unreadable_count > 0 {
            findings.push(unreadable(facts, environment, locked));
        } else if locked.unwritable_count > 0 && is_mine(facts, environment) {
            findings.push(unwritable(facts, environment, locked));
        }
    }
}

/// Not even whether the active environment is there can be told.
fn out_of_reach(facts: &Facts, environment: &Environment) -> Finding {
    let message = format!(
        "{} may not look into the active environment {}: a directory on the way to it is closed",
        user(facts),
        environment.root
    );
    Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message)
        .evidence("VIRTUAL_ENV", format!("{} (permission denied)", environment.root))
        .remedy(Remedy::manual(
            "Have its owner open the directories above it",
            vec![Action::Advice(format!(
                "as the owner of the closed directory: chmod a+x each directory above {}",
                environment.root
            ))],
        ))
}

/// A shared or read-only environment is another's as a whole.
fn is_mine(facts: &Facts, environment: &Environment) -> bool {
    environment.owner == Some(facts.user.effective_id)
        && !environment.mount.is_some_and(|mount| mount.read_only)
}

fn unreadable(facts: &Facts, environment: &Environment, locked: &LockedFiles) -> Finding {
    let message = format!(
        "{} of {} may not be read by {}",
        counted(locked.unreadable_count, &locked.unreadable),
        environment.root,
        user(facts)
    );
    let mine = environment.owner == Some(facts.user.effective_id);
    let finding = with_files(
        Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message),
        &locked.unreadable,
    );
    if locked.unreadable.iter().all(|file| file.owner == facts.user.effective_id) {
        let command = ["chmod", "-R", "u+rwX"].map(Word::from);
        return finding.remedy(Remedy::safe(
            "Give yourself the permissions back",
            vec![Action::Run(command.into_iter().chain([(&environment.root).into()]).collect())],
        ));
    }
    let make_readable = Remedy::review(
        "Make what is there readable for all",
        vec![Action::Run(
            ["sudo", "chmod", "-R", "go+rX"]
                .map(Word::from)
                .into_iter()
                .chain([(&environment.root).into()])
                .collect(),
        )],
    );
    match mine {
        true => finding.remedy(take_back(facts, environment)).remedy(make_readable),
        false => finding.remedy(make_readable).remedy(take_back(facts, environment)),
    }
}

fn unwritable(facts: &Facts, environment: &Environment, locked: &LockedFiles) -> Finding {
    let message = format!(
        "{} of {} may not be changed by {}, so pip cannot",
        counted(locked.unwritable_count, &locked.unwritable),
        environment.root,
        user(facts)
    );
    let finding = Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message);
    with_files(finding, &locked.unwritable).remedy(take_back(facts, environment))
}

fn take_back(facts: &Facts, environment: &Environment) -> Remedy {
    let owner = format!("{}:{}", facts.user.effective_id, facts.user.effective_group);
    Remedy::review(
        "Take the environment's files back",
        vec![Action::run([
            "sudo".into(),
            "chown".into(),
            "-R".into(),
            owner.into(),
            (&environment.root).into(),
        ])],
    )
}

fn with_files(finding: Finding, files: &[LockedFile]) -> Finding {
    files.iter().take(4).fold(finding, |finding, file| finding.evidence("permissions", file.describe()))
}

fn counted(count: usize, files: &[LockedFile]) -> String {
    match (count, files) {
        (1, [file]) => format!("`{}`", file.path.name()),
        _ => format!("{count} files and directories"),
    }
}

fn user(facts: &Facts) -> String {
    let name = facts.user.name.as_ref().map(|name| format!("the user {name}"));
    name.unwrap_or_else(|| format!("the user {}", facts.user.effective_id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::environment::EnvironmentKind;
    use crate::host::FileError;

    #[test]
    fn fires_when_the_active_environment_is_out_of_reach() {
        let mut facts = crate::facts::example::healthy();
        let environment = crate::facts::example::venv_of(&mut facts);
        environment.kind = EnvironmentKind::Other;
        environment.config_error = Some(FileError::Denied);
        let findings = CHECK.findings(&facts);
        assert!(findings[0].message.contains("may not look into"), "{findings:?}");
    }
    use crate::facts::example::{self, VENV};

    fn locked(unreadable: usize, unwritable: usize) -> Facts {
        let mut facts = example::healthy();
        let file = LockedFile {
            path: example::path("/home/me/project/.venv/lib/python3.11/site-packages/six.py"),
            owner: 0,
            group: 0,
            mode: 0o600,
        };
        facts.import_setup.locked = vec![LockedFiles {
            environment: example::path(VENV),
            unreadable: vec![file.clone(); unreadable],
            unreadable_count: unreadable,
            unwritable: vec![file; unwritable],
            unwritable_count: unwritable,
        }];
        facts
    }

    #[test]
    fn fires_when_something_may_not_be_read() {
        let found = CHECK.findings(&locked(2, 0));
        assert!(found[0].message.contains("may not be read by the user me"), "{}", found[0].message);
        assert!(found[0].evidence[0].value.starts_with("rw-------, owner 0"));
    }

    #[test]
    fn fires_when_something_of_mine_may_not_be_changed() {
        assert!(CHECK.findings(&locked(0, 1))[0].message.starts_with("`six.py`"));
    }

    #[test]
    fn quiet_when_the_environment_is_anothers_and_readable() {
        let mut facts = locked(0, 3);
        example::venv_of(&mut facts).owner = Some(0);
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_nothing_is_locked() {
        assert!(CHECK.findings(&example::healthy()).is_empty());
    }
}
