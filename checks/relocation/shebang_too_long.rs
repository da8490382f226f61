//! The first line of a script is longer than the kernel reads.

use crate::diagnosis::recreate::recreate;
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, LaunchKind, Script};

pub static CHECK: Check = Check {
    id: "shebang-too-long",
    category: Category::Relocation,
    severity: Severity::Error,
    summary: "A script's first line is longer than the kernel reads",
    needs: &[Need::Scripts, Need::Installed],
    explains: &["broken-shebang", "pip-elsewhere"],
    explanation: r#"
## What it means
The kernel reads a limited number of bytes of a script's first line: 255 since Linux 5.1, 127 before, 511 on macOS.
A longer line is no valid first line. Linux since 5.1 refuses the script with "Exec format error", and most shells then
run the Python file as a shell script: "syntax error near unexpected token", "import: command not found", or ImageMagick's
`import` starts and waits for a mouse click. Older kernels cut the line and say "bad interpreter".

## How it happens
The environment lies deep in the file system, as CI workspaces do, and something wrote a plain first line: an old pip
or setuptools, a build tool of its own, or a search-and-replace after a move. Today's pip, virtualenv and uv write a
two-line `/bin/sh` form from 127 bytes on.

## How to fix it
Install the distribution that owns the script again, with a current pip:
`python -m pip install --force-reinstall --no-deps NAME==VERSION`. `python -m NAME` works meanwhile, since it needs no first line.
Or put the environment at a shorter path, `/tmp/venv` in CI for instance.

## When it is fine
A long path is no fault by itself: scripts in the `/bin/sh` form work, and are not reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let limit = facts.platform.shebang_limit();
    for environment in facts.environments.iter().filter(|environment| environment.is_venv()) {
        let long: Vec<&Script> = environment
            .scripts
            .iter()
            .filter(|script| script.executable && script.launch.kind == LaunchKind::Shebang)
            .filter(|script| script.launch.line_length > limit)
            .collect();
        if !long.is_empty() {
            findings.push(finding(facts, environment, &long, limit));
        }
    }
}

fn finding(facts: &Facts, environment: &Environment, long: &[&Script], limit: usize) -> Finding {
    let whose = if long.len() == 1 { "has a first line" } else { "have first lines" };
    let mut finding = Finding::new(
        &CHECK,
        Subject::Environment(environment.root.clone()),
        format!(
            "{} in {} {whose} longer than the kernel reads",
            super::listed(long),
            environment.program("")
        ),
    )
    .evidence("the kernel reads", format!("{limit} bytes"));
    for script in long.iter().take(super::SHOWN) {
        finding = finding.evidence(
            "length of the first line",
            format!("{} bytes ({})", script.launch.line_length, script.path),
        );
    }
    finding.remedy(super::written_anew(facts, environment, long)).remedy(recreate(facts, environment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::*;

    fn with_length(length: usize, kind: LaunchKind) -> Facts {
        let mut facts = healthy();
        for script in &mut venv_of(&mut facts).scripts {
            script.launch.line_length = length;
            script.launch.kind = kind;
        }
        facts
    }

    #[test]
    fn fires_when_the_line_is_longer_than_the_limit() {
        let found = CHECK.findings(&with_length(256, LaunchKind::Shebang));
        assert_eq!(
            found[0].message,
            "pip, pip3, pip3.11 in /home/me/project/.venv/bin have first lines longer than the kernel reads"
        );
    }

    #[test]
    fn fires_earlier_when_the_kernel_is_old() {
        let mut facts = with_length(128, LaunchKind::Shebang);
        facts.platform.release = Some("4.18.0-553.el8".into());
        assert_eq!(CHECK.findings(&facts).len(), 1);
    }

    #[test]
    fn quiet_when_the_line_just_fits() {
        assert!(CHECK.findings(&with_length(255, LaunchKind::Shebang)).is_empty());
    }

    #[test]
    fn quiet_when_the_scripts_have_the_shell_form() {
        assert!(CHECK.findings(&with_length(900, LaunchKind::Trampoline)).is_empty());
    }
}
