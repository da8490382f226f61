//! There is `python3`, no `python`, and a script of the project needs the name.

use crate::diagnosis::install::create;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::platform::System;
use crate::facts::project::{ProjectScript, ScriptInterpreter};

pub static CHECK: Check = Check {
    id: "python-command-missing",
    category: Category::Activation,
    severity: Severity::Warning,
    summary: "There is python3, no python, and something here needs the name",
    needs: &[Need::Project],
    explains: &[],
    explanation: r#"
## What it means

No directory on `PATH` has a program called `python`; there is only `python3`. Typing `python` says
`python: command not found`, and a script that starts with `#!/usr/bin/env python` says
`env: 'python': No such file or directory`.

## How it happens

Debian, Ubuntu and Fedora install `python3` and leave the name `python` free (PEP 394 allows both), and macOS ships no
`python` at all. Environments always have both names, so scripts written in an activated one work there alone.

## How to fix it

Activate an environment, which has the name:

    python3 -m venv .venv
    . .venv/bin/activate

Or let the script ask for the name that is there: `#!/usr/bin/env python3`. On Debian and Ubuntu
`sudo apt install python-is-python3` makes `python` a link to `python3` for the whole system.

## When it is fine

When nothing needs the name: then nothing is reported. An alias (`alias python=python3`) helps at the prompt, but not
in scripts, because `env` knows no aliases.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    if facts.platform.system == System::Windows {
        return;
    }
    let there = |name: &str| facts.command(name).and_then(|command| command.chosen());
    let Some(python3) = there("python3") else { return };
    if there("python").is_some() || facts.falls_through("python") || facts.falls_through("python3") {
        return;
    }
    let wanting: Vec<&ProjectScript> = facts
        .project
        .scripts
        .iter()
        .filter(|script| script.interpreter == ScriptInterpreter::Env("python".to_owned()) && !script.crlf)
        .collect();
    let Some(first) = wanting.first() else { return };
    let message = match wanting.len() {
        1 => format!("{} is run by `python`, and PATH has only `python3`", first.path),
        more => format!("{more} scripts of the project are run by `python`, and PATH has only `python3`"),
    };
    let mut finding = Finding::new(&CHECK, Subject::file(&first.path), message)
        .evidence("python", "not on PATH")
        .evidence("python3", python3.describe());
    for script in wanting.iter().take(3) {
        finding = finding.evidence("first line", format!("{} ({})", script.line, script.path));
    }
    if let Some(own) = facts.own_environment() {
        finding = finding.about(&own.root);
        if facts.can_be_activated(own) {
            finding = finding
                .remedy(Remedy::safe("Activate the project's environment", vec![Action::activate(own)]));
        }
    } else if let Some(remedy) =
        facts.project.root.as_ref().and_then(|root| create(facts, &root.join(".venv")))
    {
        finding = finding.remedy(remedy);
    }
    let edits = wanting
        .iter()
        .map(|script| Action::Edit {
            file: script.path.clone(),
            line: Some(1),
            hint: "write #!/usr/bin/env python3".to_owned(),
        })
        .collect();
    finding = finding.remedy(Remedy::manual("Let the scripts ask for python3", edits));
    if matches!(facts.platform.distribution.as_deref(), Some("debian" | "ubuntu" | "linuxmint" | "raspbian"))
    {
        let install = ["sudo", "apt", "install", "python-is-python3"].map(Into::into);
        finding = finding
            .remedy(Remedy::review("Make `python` a link for the whole system", vec![Action::run(install)]));
    }
    findings.push(finding);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{self, path};

    fn script(interpreter: ScriptInterpreter) -> ProjectScript {
        ProjectScript {
            path: path("/home/me/project/run.py"),
            line: "#!/usr/bin/env python".into(),
            interpreter,
            crlf: false,
            imports: Vec::new(),
        }
    }

    /// Debian without an environment, and a script that needs the name.
    fn wanting() -> Facts {
        let mut facts = example::not_activated();
        facts.project.environments.clear();
        facts.project.scripts.push(script(ScriptInterpreter::Env("python".into())));
        facts
    }

    #[test]
    fn fires_when_a_script_needs_the_name() {
        let mut facts = wanting();
        facts.environments.remove(0);
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert!(matches!(found[0].remedies[0].actions[..], [Action::Run(_), Action::Activate { .. }, _]));
    }

    #[test]
    fn quiet_when_nothing_needs_the_name() {
        assert!(CHECK.findings(&example::not_activated()).is_empty());
        let mut facts = example::not_activated();
        facts.project.scripts.push(script(ScriptInterpreter::Env("python3".into())));
        facts.project.scripts.push(script(ScriptInterpreter::Path(path("/usr/bin/python"))));
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_name_is_there() {
        let mut facts = wanting();
        example::set_search_path(&mut facts, "/home/me/project/.venv/bin:/usr/bin");
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_environments_interpreter_is_broken() {
        let mut facts = wanting();
        example::interpreters_of(&mut facts).for_each(|python| python.executable = false);
        example::set_search_path(&mut facts, "/home/me/project/.venv/bin:/usr/bin");
        assert!(CHECK.findings(&facts).is_empty());
    }
}
