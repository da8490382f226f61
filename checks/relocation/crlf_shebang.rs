//! Scripts with Windows line ends: the kernel takes the carriage return for a part of the interpreter's name.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::environment::{Environment, LaunchKind, Layout};
use crate::facts::platform::System;
use crate::parse::activate::ActivatorKind;
use crate::path::{Flavour, HostPath};

pub static CHECK: Check = Check {
    id: "crlf-shebang",
    category: Category::Relocation,
    severity: Severity::Error,
    summary: "A script's first line ends in CR LF, so that its interpreter is not found",
    needs: &[Need::Scripts, Need::Project],
    explains: &["broken-shebang"],
    explanation: r#"
## What it means
Windows ends lines with two characters, CR and LF; everything else with LF alone. On Linux and macOS the CR at the end of
`#!/usr/bin/env python3` belongs to the name: `env` looks for a program called `python3\r` and says
"env: 'python3\r': No such file or directory"; other shells say `^M: bad interpreter`. An activate script with such
line ends breaks with "$'\r': command not found" or a syntax error.

## How it happens
Git on Windows checked the file out with `core.autocrlf`, an editor on Windows saved it, or it was packed on Windows.

## How to fix it
Take the carriage returns out: `sed -i 's/\r$//' FILE` (macOS: `perl -pi -e 's/\r$//' FILE`).
So that they do not come back, put `*.py text eol=lf` (and a line for scripts without a suffix) into `.gitattributes`
and run `git add --renormalize .`.

## When it is fine
Files that only Windows runs (`.bat`, `.ps1`) end their lines in CR LF by right. Python itself reads both kinds, so
`python FILE` works, and a module that is only imported does no harm.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    if facts.platform.flavour() == Flavour::Windows {
        return;
    }
    let environments = facts.environments.iter();
    for environment in environments.filter(|it| it.is_venv() && it.layout != Layout::Windows) {
        let files = affected(environment);
        if files.is_empty() {
            continue;
        }
        let mut finding = Finding::new(
            &CHECK,
            Subject::Environment(environment.root.clone()),
            match files.as_slice() {
                [only] => format!("The lines of {only} end in CR LF, which breaks it here"),
                _ => format!(
                    "The lines of {} scripts in {} end in CR LF, which breaks them here",
                    files.len(),
                    environment.program("")
                ),
            },
        );
        for file in files.iter().take(super::SHOWN) {
            finding = finding.evidence("first line ends in CR LF", file.to_text());
        }
        findings.push(finding.remedy(without_carriage_returns(facts, &files)));
    }
    for script in facts.project.scripts.iter().filter(|script| script.crlf) {
        findings.push(
            Finding::new(
                &CHECK,
                Subject::line(&script.path, 1),
                format!("The first line of {} ends in CR LF, so that it cannot be run here", script.path),
            )
            .evidence("first line", format!("{}\\r", script.line.trim_end()))
            .remedy(without_carriage_returns(facts, std::slice::from_ref(&script.path)))
            .remedy(in_git(facts, &script.path)),
        );
    }
}

fn affected(environment: &Environment) -> Vec<HostPath> {
    let kinds = [LaunchKind::Shebang, LaunchKind::ShebangWithSpace, LaunchKind::Env, LaunchKind::Trampoline];
    let scripts = environment
        .scripts
        .iter()
        .filter(|script| script.executable && script.launch.crlf && kinds.contains(&script.launch.kind))
        .map(|script| script.path.clone());
    let shells = [ActivatorKind::Posix, ActivatorKind::Csh, ActivatorKind::Fish];
    let activators = environment
        .activators
        .iter()
        .filter(|activator| activator.crlf && shells.contains(&activator.kind))
        .map(|activator| activator.path.clone());
    scripts.chain(activators).collect()
}

fn without_carriage_returns(facts: &Facts, files: &[HostPath]) -> Remedy {
    let program: &[&str] = match facts.platform.system {
        System::Linux => &["sed", "-i", r"s/\r$//"],
        _ => &["perl", "-pi", "-e", r"s/\r$//"],
    };
    let words = program.iter().map(|word| Word::from(*word)).chain(files.iter().map(Word::from));
    Remedy::safe("Take the carriage returns out", vec![Action::Run(words.collect())])
}

fn in_git(facts: &Facts, script: &HostPath) -> Remedy {
    let top = facts.project.git.as_ref().map(|git| &git.top).or(facts.project.root.as_ref());
    let name = top
        .and_then(|top| script.relative_to(top))
        .map_or_else(|| script.name().into_owned(), |name| crate::path::readable(&name).into_owned());
    let file = top.map_or_else(|| script.clone(), |top| top.join(".gitattributes"));
    Remedy::manual(
        "Keep Git from putting them back",
        vec![Action::Edit { file, line: None, hint: format!("add the line: {name} text eol=lf") }],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::*;
    use crate::facts::platform::System;
    use crate::facts::project::{ProjectScript, ScriptInterpreter};

    fn project_script() -> ProjectScript {
        ProjectScript {
            path: path("/home/me/project/manage.py"),
            line: "#!/usr/bin/env python3".into(),
            interpreter: ScriptInterpreter::Env("python3".into()),
            crlf: true,
            imports: Vec::new(),
        }
    }

    #[test]
    fn fires_when_an_entry_script_ends_its_first_line_in_crlf() {
        let mut facts = healthy();
        venv_of(&mut facts).scripts[0].launch.crlf = true;
        let found = CHECK.findings(&facts);
        assert_eq!(
            found[0].message,
            "The lines of /home/me/project/.venv/bin/pip end in CR LF, which breaks it here"
        );
    }

    #[test]
    fn fires_when_a_project_script_does() {
        let mut facts = healthy();
        facts.project.scripts.push(project_script());
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].subject.line_number(), Some(1));
        assert!(found[0].remedies[1].summary.contains("Git"));
    }

    #[test]
    fn quiet_when_this_is_windows() {
        let mut facts = healthy();
        facts.platform.system = System::Windows;
        facts.project.scripts.push(project_script());
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_only_scripts_for_windows_have_it() {
        let mut facts = healthy();
        let activator = &mut venv_of(&mut facts).activators[2];
        activator.kind = ActivatorKind::PowerShell;
        activator.crlf = true;
        assert!(CHECK.findings(&facts).is_empty());
    }
}
