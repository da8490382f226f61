//! The environment's interpreter or scripts may not be executed: lost permission bits, or a `noexec` mount.

use super::{CANNOT_START, examined, faulty, severity, with_replacement};
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind, LaunchKind, Layout, Script};
use crate::facts::interpreter::{Interpreter, LinkEnd};
use crate::path::{Flavour, HostPath};

pub static CHECK: Check = Check {
    id: "interpreter-not-executable",
    category: Category::Interpreter,
    severity: Severity::Error,
    summary: "The environment's interpreter or scripts may not be executed",
    needs: &[Need::Scripts, Need::Installed],
    explains: CANNOT_START,
    explanation: r#"
## What it means
The file is there, and the kernel refuses to start it: "Permission denied". What makes it confusing is that a
search of `PATH` skips such files without a word. In an activated shell `python3` and `pip` then are the
system's, and the message that you see is about something else: `externally-managed-environment`, or
`No module named ...`.

## How it happens
- The execute bits were lost: an archive or CI artifact that does not keep them (`zip`, upload-artifact), a
  copy over a FAT, exFAT or SMB disk, `chmod -R 644`.
- The file system is mounted `noexec`: a hardened `/home` or `/tmp`, a USB stick, an Android SD card. Creating
  an environment there succeeds, using it does not.
- The link leads into a directory that is closed to you: a Python under `/root`, used by another user (common
  in container images).

## How to fix it
Lost bits:

    chmod +x .venv/bin/python* .venv/bin/pip*

A `noexec` mount: keep the environment on another file system (`python3 -m venv ~/.venvs/project`), or, as
root, `mount -o remount,exec DIRECTORY`. A closed directory: make the environment from a Python that everyone
may reach, such as one in `/usr/bin` or `/opt`.

## When it is fine
When this copy of the environment is only stored here, to be unpacked or mounted elsewhere.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in examined(facts) {
        if !environment.is_venv() && environment.kind != EnvironmentKind::Conda {
            continue;
        }
        // no permission bit makes a `python.exe` start here
        if environment.layout == Layout::Windows && facts.platform.flavour() == Flavour::Posix {
            continue;
        }
        let refused = |found: &Interpreter| match found.links.end {
            LinkEnd::File => !found.executable,
            end => end == LinkEnd::Denied,
        };
        let finding = match faulty(facts, environment, refused) {
            Some(_) if facts.answers(environment) => continue,
            Some(interpreter) => interpreter_finding(facts, environment, interpreter),
            None => match script_finding(facts, environment) {
                Some(finding) => finding,
                None => continue,
            },
        };
        // on a noexec mount no environment in the same place can run
        let noexec = environment.mount.is_some_and(|mount| mount.noexec);
        findings.push(if noexec { finding } else { with_replacement(finding, facts, environment) });
    }
}

fn interpreter_finding(facts: &Facts, environment: &Environment, interpreter: &Interpreter) -> Finding {
    let path = &interpreter.path;
    let target = interpreter.links.last().unwrap_or(path);
    let mode = interpreter.mode.map(|mode| format!("{mode:03o}"));
    let finding = |message: String| {
        let finding = Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message)
            .severity(severity(facts, environment));
        if interpreter.links.is_link() {
            finding.evidence("links", interpreter.links_text())
        } else {
            finding
        }
    };
    if interpreter.links.end == LinkEnd::Denied {
        let user = facts.user.name.clone().unwrap_or_else(|| format!("user {}", facts.user.id));
        return finding(format!("{path} leads to {target}, which {user} may not reach"));
    }
    if interpreter.on_noexec_mount {
        return finding(format!(
            "{target} lies on a file system that is mounted noexec, so the kernel does not start it"
        ))
        .evidence("mount", "noexec")
        .remedy(elsewhere(facts, environment));
    }
    let lost = interpreter.mode.is_none_or(|mode| mode & 0o111 == 0);
    let message = if lost {
        format!(
            "{target} has no execute permission, so the shell passes over it and runs the next python on PATH"
        )
    } else {
        format!("{target} may not be executed by this user")
    };
    let scripts = stuck_scripts(environment);
    let mut finding = finding(message);
    if let Some(mode) = mode {
        finding = finding.evidence("permissions", format!("{mode} ({target})"));
    }
    if !scripts.is_empty() {
        finding = finding.evidence("scripts without execute permission", names(&scripts));
    }
    let mut files = vec![target.clone()];
    files.extend(
        facts
            .interpreters_of(environment)
            .filter(|found| found.links.end == LinkEnd::File && !found.executable && !found.links.is_link())
            .map(|found| found.path.clone()),
    );
    files.extend(scripts.iter().map(|script| script.path.clone()));
    finding.remedy(give_back(files))
}

/// The interpreter is a link to a file elsewhere and runs; what pip wrote beside it does not.
fn script_finding(facts: &Facts, environment: &Environment) -> Option<Finding> {
    let generated: Vec<&Script> = environment.scripts.iter().filter(|script| is_generated(script)).collect();
    let stuck = stuck_scripts(environment);
    let noexec = environment.mount.is_some_and(|mount| mount.noexec);
    if generated.is_empty() || (!noexec && stuck.len() < generated.len()) {
        return None;
    }
    let pip = generated.iter().any(|script| script.name.starts_with("pip"));
    let severity = if pip { severity(facts, environment) } else { Severity::Warning };
    let directory = environment.program("");
    let finding = |message: String| {
        Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message).severity(severity)
    };
    Some(if noexec {
        finding(format!("The scripts in {directory} lie on a file system that is mounted noexec"))
            .evidence("mount", "noexec")
            .evidence("scripts", names(&generated))
            .remedy(elsewhere(facts, environment))
    } else {
        finding(format!("No script in {directory} has execute permission"))
            .evidence("scripts", names(&stuck))
            .remedy(give_back(stuck.iter().map(|script| script.path.clone()).collect()))
    })
}

fn is_generated(script: &Script) -> bool {
    script.module.is_some() && !matches!(script.launch.kind, LaunchKind::Other | LaunchKind::Launcher)
}

fn stuck_scripts(environment: &Environment) -> Vec<&Script> {
    environment.scripts.iter().filter(|script| is_generated(script) && !script.executable).collect()
}

fn names(scripts: &[&Script]) -> String {
    const SHOWN: usize = 8;
    let mut text =
        scripts.iter().take(SHOWN).map(|script| script.name.as_str()).collect::<Vec<_>>().join(", ");
    if scripts.len() > SHOWN {
        text.push_str(&format!(" and {} more", scripts.len() - SHOWN));
    }
    text
}

fn give_back(mut files: Vec<HostPath>) -> Remedy {
    files.sort();
    files.dedup();
    let mut words: Vec<Word> = vec!["chmod".into(), "+x".into()];
    words.extend(files.iter().map(Word::from));
    Remedy::safe("Give the execute permission back", vec![Action::Run(words), Action::Rehash])
}

/// A new environment in the home directory, where programs normally may be executed.
fn elsewhere(facts: &Facts, environment: &Environment) -> Remedy {
    let name = facts.project.root.as_ref().unwrap_or(&environment.root).name().into_owned();
    let base = environment
        .python_version()
        .and_then(|version| facts.installations_of(version).find(|installation| installation.has_ensurepip));
    let (Some(home), Some(base)) = (&facts.home, base) else {
        return Remedy::manual(
            "Keep the environment on another file system",
            vec![Action::Advice(format!(
                "make it anew in a directory that is not mounted noexec, or, as root, remount: mount -o remount,exec (the file system of {})",
                environment.root
            ))],
        );
    };
    let root = home.join(".venvs").join(name.as_bytes());
    if root.is_within(&environment.root) || home.is_within(&environment.root) {
        return Remedy::manual(
            "Keep the environment on another file system",
            vec![Action::Advice("make it anew in a directory that is not mounted noexec".to_owned())],
        );
    }
    let python = root.join("bin/python");
    let mut actions =
        vec![Action::run([(&base.interpreter).into(), "-m".into(), "venv".into(), (&root).into()])];
    actions.extend(facts.project.requirement_files.iter().map(|file| {
        Action::run([(&python).into(), "-m".into(), "pip".into(), "install".into(), "-r".into(), file.into()])
    }));
    actions.push(Action::activate_new(&root));
    Remedy::safe("Make an environment in the home directory, and use that one", actions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{healthy, interpreters_of, venv_of};
    use crate::host::Mount;

    fn copies_without_bits(facts: &mut Facts) {
        for interpreter in interpreters_of(facts) {
            interpreter.links.hops.truncate(1);
            interpreter.mode = Some(0o644);
            interpreter.executable = false;
        }
    }

    #[test]
    fn fires_when_the_bits_were_lost() {
        let mut facts = healthy();
        copies_without_bits(&mut facts);
        venv_of(&mut facts).scripts.iter_mut().for_each(|script| script.executable = false);
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert!(found[0].message.contains("/.venv/bin/python has no execute permission"), "{found:?}");
        let Action::Run(words) = &found[0].remedies[0].actions[0] else { panic!("{found:?}") };
        assert_eq!(words.len(), 2 + 3 + 3, "each file once: {words:?}");
    }

    #[test]
    fn fires_when_the_mount_is_noexec() {
        let mut facts = healthy();
        copies_without_bits(&mut facts);
        for interpreter in interpreters_of(&mut facts) {
            interpreter.mode = Some(0o755);
            interpreter.on_noexec_mount = true;
        }
        let found = CHECK.findings(&facts);
        assert!(found[0].message.contains("mounted noexec"), "{found:?}");
        assert!(!found[0].remedies[0].actions.is_empty());
    }

    #[test]
    fn fires_when_scripts_lie_on_a_noexec_mount_and_the_interpreter_does_not() {
        let mut facts = healthy();
        venv_of(&mut facts).mount = Some(Mount { noexec: true, read_only: false });
        let found = CHECK.findings(&facts);
        assert!(found[0].message.starts_with("The scripts in "), "{found:?}");
        assert_eq!(found[0].severity, Severity::Error);
    }

    #[test]
    fn fires_when_the_base_is_closed_to_this_user() {
        let mut facts = healthy();
        for interpreter in interpreters_of(&mut facts) {
            interpreter.links.hops[1] =
                crate::facts::example::path("/root/.local/share/uv/python/x/bin/python3.11");
            interpreter.links.end = LinkEnd::Denied;
            interpreter.executable = false;
        }
        let found = CHECK.findings(&facts);
        assert!(found[0].message.ends_with("which me may not reach"), "{found:?}");
    }

    #[test]
    fn quiet_when_it_was_made_for_windows() {
        let mut facts = healthy();
        copies_without_bits(&mut facts);
        venv_of(&mut facts).layout = Layout::Windows;
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_everything_may_be_executed() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }

    #[test]
    fn quiet_when_a_package_ships_one_data_file_in_bin() {
        let mut facts = healthy();
        venv_of(&mut facts).scripts[0].executable = false;
        assert_eq!(CHECK.findings(&facts), []);
    }
}
