//! The path of the environment has a blank, and a script names the interpreter in a plain first line: the
//! kernel takes what stands before the blank for the interpreter.

use crate::diagnosis::recreate::recreate;
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{BakedState, Environment, LaunchKind, Script};
use crate::path::Flavour;

pub static CHECK: Check = Check {
    id: "shebang-with-space",
    category: Category::Relocation,
    severity: Severity::Error,
    summary: "The kernel cuts the interpreter in a script's first line at a space",
    needs: &[Need::Scripts, Need::Installed],
    explains: &["broken-shebang", "pip-elsewhere"],
    explanation: r#"
## What it means
The kernel reads the first line of a script up to the first blank: in `#!/home/me/My Project/.venv/bin/python` the
interpreter is `/home/me/My`, and the rest is its argument. There is no way to quote a blank in a `#!` line. The shell
says `/home/me/My: bad interpreter` or "required file not found".

## How it happens
The environment lies in a directory whose name has a blank, and something wrote a plain first line: an old pip or
setuptools, `python setup.py develop`, a build tool of its own, or a search-and-replace after a move.
Today's pip, virtualenv and uv know the problem and write two lines that `/bin/sh` understands instead:
`#!/bin/sh` and `'''exec' "/home/me/My Project/.venv/bin/python" "$0" "$@"`.

## How to fix it
Install the distribution that owns the script again, with a current pip:
`python -m pip install --force-reinstall --no-deps NAME==VERSION`. `python -m NAME` works meanwhile, since it needs no first line.
A directory without blanks in its name avoids the matter for good.

## When it is fine
A blank in the path is no fault by itself: scripts in the `/bin/sh` form work, and are not reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    if facts.platform.flavour() == Flavour::Windows {
        return;
    }
    for environment in facts.environments.iter().filter(|environment| environment.is_venv()) {
        let cut: Vec<&Script> = environment
            .scripts
            .iter()
            .filter(|script| script.executable && script.launch.kind == LaunchKind::ShebangWithSpace)
            .filter(|script| script.launch.root_state == Some(BakedState::Own))
            .collect();
        if !cut.is_empty() {
            findings.push(finding(facts, environment, &cut));
        }
    }
}

fn finding(facts: &Facts, environment: &Environment, cut: &[&Script]) -> Finding {
    let verb = if cut.len() == 1 { "names" } else { "name" };
    let mut finding = Finding::new(
        &CHECK,
        Subject::Environment(environment.root.clone()),
        format!(
            "{} in {} {verb} an interpreter with a space in its path, where the kernel cuts it",
            super::listed(cut),
            environment.program("")
        ),
    );
    for script in cut.iter().take(super::SHOWN) {
        let Some(interpreter) = &script.launch.interpreter else { continue };
        let text = interpreter.to_text();
        let start = text.split(' ').next().unwrap_or_default();
        finding = finding
            .evidence("first line", format!("#!{text} ({})", script.path))
            .evidence("the kernel starts", start);
    }
    finding.remedy(super::written_anew(facts, environment, cut)).remedy(recreate(facts, environment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::Action;
    use crate::facts::example::*;

    const SPACED: &str = "/home/me/My Project/.venv";

    fn with_first_lines(kind: LaunchKind) -> Facts {
        let mut facts = healthy();
        let mut environment = venv(SPACED);
        for script in &mut environment.scripts {
            script.launch.kind = kind;
        }
        facts.environments.push(environment);
        facts
    }

    #[test]
    fn fires_when_a_plain_first_line_has_a_space() {
        let found = CHECK.findings(&with_first_lines(LaunchKind::ShebangWithSpace));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].evidence[1].value, "/home/me/My");
        assert!(found[0].remedies[0].summary.contains("pip"), "{:?}", found[0].remedies);
    }

    #[test]
    fn advises_modules_when_the_owner_is_not_known() {
        let mut facts = with_first_lines(LaunchKind::ShebangWithSpace);
        if let Some(environment) = facts.environments.last_mut() {
            environment.scripts.iter_mut().for_each(|script| script.module = None);
        }
        let found = CHECK.findings(&facts);
        assert!(matches!(found[0].remedies[0].actions[0], Action::Advice(_)));
    }

    #[test]
    fn quiet_when_the_scripts_have_the_shell_form() {
        assert!(CHECK.findings(&with_first_lines(LaunchKind::Trampoline)).is_empty());
    }

    #[test]
    fn quiet_when_the_script_is_not_run() {
        let mut facts = with_first_lines(LaunchKind::ShebangWithSpace);
        if let Some(environment) = facts.environments.last_mut() {
            environment.scripts.iter_mut().for_each(|script| script.executable = false);
        }
        assert!(CHECK.findings(&facts).is_empty());
    }
}
