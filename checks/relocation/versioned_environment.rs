//! The environment is tracked by git: every clone gets the paths and programs of one machine.

use crate::diagnosis::recreate::recreate;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::environment::{BakedState, Environment};
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "versioned-environment",
    category: Category::Relocation,
    severity: Severity::Warning,
    summary: "The environment is tracked by git",
    needs: &[Need::Scripts, Need::Project, Need::Installed],
    explains: &[
        "moved-venv",
        "copied-venv",
        "broken-shebang",
        "dangling-interpreter",
        "base-python-missing",
        "interpreter-not-executable",
        "interpreter-wrong-architecture",
        "extension-for-another-platform",
        "foreign-platform-venv",
    ],
    explanation: r#"
## What it means
The git index holds files of a virtual environment. A venv names absolute paths of the machine that made it: of itself in
scripts and activate scripts, of its Python in `pyvenv.cfg` and the link `bin/python`. In a clone they name places that do
not exist there, so scripts fail with "bad interpreter" and `activate` activates nothing. Compiled packages fit one system
and one Python only, and every upgrade is a commit of thousands of lines.

## How it happens
`git add .` without a line for the environment in `.gitignore`. Environments made by Python 3.13 and later, virtualenv and
uv bring a `.gitignore` of their own; those of older Pythons do not.

## How to fix it
Take it out of the index (the files stay on disk) and keep it out:
`git rm -r -q --cached .venv`, `echo '.venv/' >> .gitignore`, then commit.
Commit `requirements.txt`, `pyproject.toml` or a lock file instead: that is what an environment is made from.
In a clone make it anew: `python3 -m venv --clear .venv`, then install the requirements.
Whoever pulls that commit loses the tracked files, and makes the environment anew likewise.

## When it is fine
Environments that are test data of a tool (below `tests/`, say), and a placeholder such as `.venv/.gitkeep`.
"#,
    examine,
};

/// A `.gitkeep` and its like are no environment.
const PLACEHOLDERS: usize = 2;

fn examine(facts: &Facts, findings: &mut Findings) {
    known(facts, findings);
    committed(facts, findings);
}

/// Environments that something else names.
fn known(facts: &Facts, findings: &mut Findings) {
    let Some(git) = &facts.project.git else { return };
    for environment in facts.environments.iter().filter(|environment| environment.is_venv()) {
        let Some(tracked) = environment.tracked_files.filter(|count| *count > PLACEHOLDERS) else { continue };
        let Some(name) = environment.root.relative_to(&git.top).filter(|name| !name.is_empty()) else {
            continue;
        };
        if is_test_data(&environment.root, &git.top) {
            continue;
        }
        let mut finding = Finding::new(
            &CHECK,
            Subject::Environment(environment.root.clone()),
            format!(
                "{} is tracked by git, so that every clone has the paths of one machine",
                environment.root
            ),
        )
        .evidence("files in the git index", format!("{tracked} below {}", environment.root));
        let mut untrack = untrack(&git.top, &name);
        if let Some(old) = gone_place(environment) {
            finding = finding.evidence("made at", format!("{old}, which is not there"));
        }
        if gone_place(environment).is_some() || !facts.starts(environment) {
            let anew = recreate(facts, environment);
            untrack.extend(anew.actions);
            finding = finding.remedy(Remedy::review("Take it out of git, and make it anew here", untrack));
        } else {
            finding =
                finding.remedy(Remedy::review("Take it out of git; its files stay where they are", untrack));
        }
        findings.push(finding);
    }
}

/// Environments that nothing but the index tells of.
fn committed(facts: &Facts, findings: &mut Findings) {
    let Some(commit) = facts.commit.known() else { return };
    for environment in &commit.environments {
        let root = &environment.root;
        let known = facts.environment(root).is_some_and(|known| known.tracked_files.is_some());
        let Some(name) = root.relative_to(&commit.top).filter(|name| !name.is_empty()) else { continue };
        if known || environment.files <= PLACEHOLDERS || is_test_data(root, &commit.top) {
            continue;
        }
        let message = format!("{root} is tracked by git, so that every clone has the paths of one machine");
        findings.push(
            Finding::new(&CHECK, Subject::Environment(root.clone()), message)
                .evidence("files in the git index", format!("{} below {root}", environment.files))
                .remedy(Remedy::review(
                    "Take it out of git; its files stay where they are",
                    untrack(&commit.top, &name),
                )),
        );
    }
}

fn untrack(top: &HostPath, name: &[u8]) -> Vec<Action> {
    let name: Vec<u8> = name.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect();
    let mut words = vec![Word::from("git"), Word::from("-C"), Word::from(top)];
    words.extend(["rm", "-r", "-q", "--cached", "--"].map(Word::from));
    words.push(Word(name.clone()));
    let line: Vec<u8> = [b"/", name.as_slice(), b"/"].concat();
    vec![
        Action::Run(words),
        Action::WriteLines { file: top.join(".gitignore"), lines: vec![Word(line)], append: true },
    ]
}

fn gone_place(environment: &Environment) -> Option<&HostPath> {
    environment
        .made_elsewhere()
        .filter(|foreign| matches!(foreign.state, BakedState::Missing | BakedState::OtherDirectory))
        .map(|foreign| foreign.root)
}

fn is_test_data(root: &HostPath, top: &HostPath) -> bool {
    let below = root.relative_to(top).unwrap_or_default();
    below.split(|byte| matches!(byte, b'/' | b'\\')).any(|name| {
        matches!(name, b"test" | b"tests" | b"testing" | b"testdata" | b"fixtures" | b"examples" | b"corpus")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::*;
    use crate::facts::project::Git;

    fn tracked(count: usize) -> Facts {
        let mut facts = healthy();
        facts.project.git = Some(Git { top: path(PROJECT), directory: path("/home/me/project/.git") });
        venv_of(&mut facts).tracked_files = Some(count);
        facts
    }

    #[test]
    fn fires_when_the_index_holds_it() {
        let found = CHECK.findings(&tracked(870));
        assert_eq!(found[0].evidence[0].value, "870 below /home/me/project/.venv");
        assert_eq!(found[0].remedies[0].actions.len(), 2);
        assert_eq!(found[0].remedies[0].safety, crate::diagnosis::Safety::Review);
    }

    fn committed(root: &str, files: usize) -> Facts {
        let mut facts = healthy();
        facts.commit = commit(&[(root, files)]);
        facts
    }

    #[test]
    fn fires_when_the_commit_holds_one_that_nothing_else_names() {
        let found = CHECK.findings(&committed("/home/me/project/tools/env", 800));
        assert_eq!(found[0].evidence[0].value, "800 below /home/me/project/tools/env");
        let Action::WriteLines { lines, .. } = &found[0].remedies[0].actions[1] else { panic!("{found:?}") };
        assert_eq!(lines, &[Word::from("/tools/env/")]);
        assert!(CHECK.findings(&committed("/home/me/project/tests/env", 800)).is_empty());
        assert!(CHECK.findings(&committed("/home/me/project/tools/env", 1)).is_empty());
    }

    #[test]
    fn makes_it_anew_when_it_is_broken_here() {
        let mut facts = tracked(870);
        for activator in &mut venv_of(&mut facts).activators {
            activator.root = Some(path("/home/author/project/.venv"));
            activator.root_state = Some(BakedState::Missing);
        }
        let found = CHECK.findings(&facts);
        assert!(found[0].remedies[0].actions.len() > 2);
        assert_eq!(found[0].evidence[1].value, "/home/author/project/.venv, which is not there");
    }

    #[test]
    fn quiet_when_nothing_or_a_placeholder_is_tracked() {
        assert!(CHECK.findings(&tracked(0)).is_empty());
        assert!(CHECK.findings(&tracked(1)).is_empty());
    }

    #[test]
    fn quiet_when_nobody_looked() {
        let mut facts = tracked(870);
        venv_of(&mut facts).tracked_files = None;
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_it_is_test_data() {
        let mut facts = tracked(0);
        let mut data = venv("/home/me/project/tests/data/venv");
        data.tracked_files = Some(12);
        facts.environments.push(data);
        assert!(CHECK.findings(&facts).is_empty());
    }
}
