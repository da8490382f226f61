//! Programs in `Scripts` name an interpreter that is not there.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::environment::{Environment, LaunchKind, Script};

pub static CHECK: Check = Check {
    id: "stale-launcher",
    category: Category::Platform,
    severity: Severity::Error,
    summary: "A Scripts\\*.exe launcher names another interpreter",
    needs: &[Need::Scripts, Need::Installed],
    explains: &["broken-shebang", "broken-pip"],
    explanation: r#"
## What it means
On Windows an installer puts a small program into `Scripts` for each command (`pip.exe`, `pytest.exe`), with the
path of the interpreter inside it. There is no file at that path, so the command ends with "Fatal error in launcher:
Unable to create process using '"C:\old\python.exe" "C:\new\Scripts\pip.exe"'".

## How it happens
The environment was moved or renamed, or the Python that the commands were installed with was removed or
re-installed in another directory. The path is written once, when the command is installed.

## How to fix it
Python itself still works, so run the module, and have the commands written again:

    .venv\Scripts\python.exe -m pip install --force-reinstall --no-deps pip

If most commands are affected, make the environment anew where it is now.

## When it is fine
When you only ever run `python -m pip` and the like: then the launchers are not used.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in facts.own_environments() {
        let stale: Vec<&Script> = environment
            .scripts
            .iter()
            .filter(|script| script.launch.kind == LaunchKind::Launcher && !script.launch.interpreter_exists)
            .filter(|script| script.launch.interpreter.is_some())
            .collect();
        // seen from another system its programs are not run at all
        let at_home = facts.platform.flavour() == environment.root.flavour();
        let windows = facts.platform.flavour() == crate::path::Flavour::Windows;
        let Some(first) = stale.first().filter(|_| at_home && windows) else { continue };
        let Some(interpreter) = &first.launch.interpreter else { continue };
        let mut finding = Finding::new(
            &CHECK,
            Subject::Environment(environment.root.clone()),
            format!("{} starts {interpreter}, which does not exist", first.path),
        );
        for script in stale.iter().take(4) {
            let named = script.launch.interpreter.as_ref().map(ToString::to_string).unwrap_or_default();
            finding = finding.evidence(script.name.clone(), format!("names {named}"));
        }
        if stale.len() > 4 {
            finding = finding.evidence("more of the same", (stale.len() - 4).to_string());
        }
        findings.push(finding.remedy(remedy(facts, environment, &stale)));
    }
}

fn remedy(facts: &Facts, environment: &Environment, stale: &[&Script]) -> Remedy {
    if let Some(remedy) = crate::diagnosis::reinstall::reinstall_scripts(facts, environment, stale) {
        return remedy;
    }
    let words = ["-m", "pip", "install", "--force-reinstall", "--no-deps", "pip"].map(Word::from);
    let python = Word::from(environment.program("python"));
    Remedy::safe(
        "Have pip's programs written again; then install the others again with it",
        vec![Action::Run([python].into_iter().chain(words).collect())],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::environment::Launch;
    use crate::facts::example::{healthy, venv_of};
    use crate::facts::platform::System;
    use crate::path::{Flavour, HostPath};

    fn windows(path: &str) -> HostPath {
        HostPath::new(Flavour::Windows, path).unwrap()
    }

    fn with(exists: bool) -> Facts {
        let mut facts = healthy();
        facts.platform.system = System::Windows;
        let environment = venv_of(&mut facts);
        environment.root = windows("C:\\p\\.venv");
        environment.real = None;
        environment.scripts = vec![Script {
            name: "pip".into(),
            path: windows("C:\\p\\.venv\\Scripts\\pip.exe"),
            executable: true,
            launch: Launch {
                kind: LaunchKind::Launcher,
                interpreter: Some(windows("C:\\old\\.venv\\Scripts\\python.exe")),
                interpreter_exists: exists,
                root: None,
                root_state: None,
                line_length: 0,
                crlf: false,
            },
            module: None,
        }];
        facts.patient = Some(windows("C:\\p\\.venv"));
        facts
    }

    #[test]
    fn fires_when_the_interpreter_inside_is_gone() {
        let found = CHECK.findings(&with(false));
        assert_eq!(
            found[0].message,
            "C:\\p\\.venv\\Scripts\\pip.exe starts C:\\old\\.venv\\Scripts\\python.exe, which does not exist"
        );
    }

    #[test]
    fn quiet_when_it_is_there() {
        assert_eq!(CHECK.findings(&with(true)), []);
    }

    #[test]
    fn quiet_when_seen_from_another_system() {
        let mut facts = with(false);
        facts.platform.system = System::Linux;
        assert_eq!(CHECK.findings(&facts), []);
        assert_eq!(CHECK.findings(&healthy()), []);
    }
}
