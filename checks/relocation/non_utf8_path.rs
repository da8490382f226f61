//! The path of the environment, or of the project that needs one, has bytes that are not UTF-8.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::path::{Flavour, HostPath};

pub static CHECK: Check = Check {
    id: "non-utf8-path",
    category: Category::Relocation,
    severity: Severity::Warning,
    summary: "The environment's path is not valid UTF-8",
    needs: &[Need::Project],
    explains: &[
        "incomplete-venv",
        "invalid-pyvenv-cfg",
        "missing-pyvenv-cfg",
        "base-python-missing",
        "environment-without-pip",
        "broken-pip",
        "interpreter-fails",
        "forgotten-activation",
        "stale-activation",
        "missing-requirement",
        "unresolvable-import",
        "global-install",
        "python-command-missing",
        "half-upgraded-venv",
    ],
    explanation: r#"
## What it means
File names are bytes, and those of this path are no UTF-8: an `é` of Latin-1, for instance, is the single byte E9. Python
keeps such bytes as "surrogates", which cannot be written to a UTF-8 file. `python -m venv` dies while it writes
`pyvenv.cfg` or the activate scripts ("surrogates not allowed") and leaves half an environment; in a finished one,
whatever writes `sys.prefix` somewhere fails in the same way.

## How it happens
The directory comes from an old disk, an archive or a network drive with another encoding.

## How to fix it
Keep the environment at a path of plain ASCII: `python3 -m venv ~/.venvs/project`, then activate that.
Better, rename the directory: `convmv -f latin1 -t utf8 --notest -r DIRECTORY`, and make the environment anew there.

## When it is fine
Letters beyond ASCII are no fault: `café` in UTF-8 works. Only bytes that are not UTF-8 are reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    if facts.platform.flavour() == Flavour::Windows {
        return;
    }
    let mut found = false;
    for environment in facts.environments.iter().filter(|environment| may_be_venv(environment)) {
        if environment.root.is_utf8() {
            continue;
        }
        found = true;
        let harm = if facts.starts(environment) && environment.is_venv() {
            "which breaks tools that write it down"
        } else {
            "so that Python cannot finish an environment there"
        };
        let finding = Finding::new(
            &CHECK,
            Subject::Environment(environment.root.clone()),
            format!("The path {} is not valid UTF-8, {harm}", environment.root),
        );
        findings.push(described(facts, finding, &environment.root));
    }
    let project = facts.project.root.as_ref().filter(|root| !found && !root.is_utf8());
    if let Some(root) = project {
        let finding = Finding::new(
            &CHECK,
            Subject::Project(Some(root.clone())),
            format!("The path {root} is not valid UTF-8, so that Python cannot make an environment in it"),
        )
        .about(root);
        findings.push(described(facts, finding, &root.join(".venv")));
    }
}

/// What `venv` leaves behind when it dies has no `pyvenv.cfg` or an empty one.
fn may_be_venv(environment: &Environment) -> bool {
    environment.is_venv() || environment.kind == EnvironmentKind::Other
}

fn described(facts: &Facts, finding: Finding, environment: &HostPath) -> Finding {
    let bytes: Vec<String> = environment
        .as_bytes()
        .utf8_chunks()
        .flat_map(|chunk| chunk.invalid().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>())
        .collect();
    let finding = finding.evidence("bytes that are not UTF-8", bytes.join(" "));
    let rename = Remedy::manual(
        "Rename the directory",
        vec![Action::Advice(
            "convmv -f latin1 -t utf8 --notest -r DIRECTORY renames names in Latin-1; then make the environment anew"
                .into(),
        )],
    );
    match elsewhere(facts, environment) {
        Some(remedy) => finding.remedy(remedy).remedy(rename),
        None => finding.remedy(rename),
    }
}

/// An environment in the home directory, named after the project.
fn elsewhere(facts: &Facts, environment: &HostPath) -> Option<Remedy> {
    let home = facts.home.as_ref().filter(|home| home.is_utf8())?;
    let project = environment.parent()?;
    let name: String = String::from_utf8_lossy(project.file_name()?)
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '_' })
        .collect();
    let root = home.join(".venvs").join(name);
    let python = facts
        .installations
        .iter()
        .find(|found| found.has_ensurepip)
        .map_or_else(|| Word::from("python3"), |found| Word::from(&found.interpreter));
    let mut actions = vec![Action::Run(vec![python, "-m".into(), "venv".into(), Word::from(&root)])];
    if let [first, ..] = facts.project.requirement_files.as_slice() {
        let mut words = vec![Word::from(root.join("bin/python"))];
        words.extend(["-m", "pip", "install", "-r"].map(Word::from));
        words.push(Word::from(first));
        actions.push(Action::Run(words));
    }
    actions.push(Action::activate_new(&root));
    Some(Remedy::safe(format!("Keep the environment in {root}"), actions))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::*;

    fn in_latin1() -> Facts {
        let mut facts = not_activated();
        let project = HostPath::posix(b"/home/me/caf\xe9");
        let mut environment = venv(VENV);
        environment.root = project.join(".venv");
        environment.real = Some(environment.root.clone());
        facts.project.root = Some(project);
        facts.environments[0] = environment;
        facts
    }

    #[test]
    fn fires_when_the_environments_path_is_latin1() {
        let found = CHECK.findings(&in_latin1());
        assert_eq!(found.len(), 1);
        assert!(found[0].message.starts_with("The path /home/me/caf\\xe9/.venv is not valid UTF-8"));
        assert_eq!(found[0].evidence[0].value, "E9");
        assert_eq!(found[0].remedies[0].summary, "Keep the environment in /home/me/.venvs/caf_");
    }

    #[test]
    fn fires_when_only_the_project_is_there() {
        let mut facts = in_latin1();
        facts.environments.remove(0);
        let found = CHECK.findings(&facts);
        assert!(found[0].message.contains("cannot make an environment in it"), "{found:?}");
    }

    #[test]
    fn quiet_when_letters_are_utf8() {
        let mut facts = in_latin1();
        let project = path("/home/me/café");
        facts.environments[0].root = project.join(".venv");
        facts.project.root = Some(project);
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_path_is_ascii() {
        assert!(CHECK.findings(&healthy()).is_empty());
    }
}
