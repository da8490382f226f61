//! `activate` was made executable to be run, or a file activates in a shell that cannot or that ends at once.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::environment::{Activator, Environment};
use crate::facts::platform::System;
use crate::facts::project::ActivationSite;
use crate::parse::activate::ActivatorKind;
use crate::parse::activation_use::ActivationProblem;
use crate::path::{Flavour, HostPath};

pub static CHECK: Check = Check {
    id: "activate-not-sourced",
    category: Category::Activation,
    severity: Severity::Warning,
    summary: "An activate script is run, or sourced where that has no effect",
    needs: &[Need::Scripts, Need::Project],
    explains: &["forgotten-activation", "global-install", "python-command-missing"],
    explanation: r#"
## What it means
`activate` changes variables of the shell that reads it. Run as a program (`.venv/bin/activate`) it changes its own
process, which ends at once: nothing is active afterwards, and nothing says so. It is therefore not executable:
"Permission denied" is no reason for `chmod +x`, but a hint to source it.
In files there are two more traps. `source` is a word of bash and zsh; `sh`, which runs the lines of a Makefile, need not
know it (dash on Debian and Ubuntu does not): "source: not found", and the line goes on with the system's Python. And
each line of a recipe, each `RUN` of a Dockerfile and each step of CI is a shell of its own: what one activates has
ended when the next begins.

## How it happens
`chmod +x .venv/bin/activate` after "Permission denied", or commands that work in a terminal were put into a file.

## How to fix it
In a terminal: `. .venv/bin/activate` (any POSIX shell), or `source .venv/bin/activate` (bash, zsh).
Makefile: `. .venv/bin/activate && python -m pytest` in one line, `SHELL := /bin/bash`, or simply `.venv/bin/python -m pytest`.
Dockerfile: `ENV PATH="/opt/venv/bin:$PATH"`. GitHub: `echo "$PWD/.venv/bin" >> "$GITHUB_PATH"`, or one step. Nothing needs activation that calls `.venv/bin/python` itself.

## When it is fine
A file system that makes every file executable (FAT, Windows drives under WSL) says nothing about how
`activate` is used, and is not reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    executable_activate(facts, findings);
    let mut seen: Vec<(&HostPath, ActivationProblem)> = Vec::new();
    for site in &facts.project.activation_problems {
        if seen.contains(&(&site.file, site.problem)) {
            continue;
        }
        seen.push((&site.file, site.problem));
        let same: Vec<&ActivationSite> = facts
            .project
            .activation_problems
            .iter()
            .filter(|other| other.file == site.file && other.problem == site.problem)
            .collect();
        findings.push(in_file(facts, site, &same));
    }
}

/// Somebody gave `activate` an execute bit, which no creator does, and the environment is not active.
fn executable_activate(facts: &Facts, findings: &mut Findings) {
    if facts.platform.flavour() == Flavour::Windows || facts.working_environment().is_some() {
        return;
    }
    for environment in facts.project_environments().filter(|environment| facts.starts(environment)) {
        let Some(activate) = executed(environment) else { continue };
        let finding = Finding::new(
            &CHECK,
            Subject::Environment(environment.root.clone()),
            format!(
                "{} was made executable, but running it activates nothing: the shell has to source it",
                activate.path
            ),
        )
        .evidence("executable", activate.path.to_text())
        .evidence("VIRTUAL_ENV", facts.shell.set("VIRTUAL_ENV").unwrap_or("not set"));
        let words = ["chmod", "a-x"].map(Word::from).into_iter().chain([Word::from(&activate.path)]);
        findings.push(
            finding
                .remedy(Remedy::safe("Source it", vec![Action::activate(environment)]))
                .remedy(Remedy::safe("Take the execute bit off again", vec![Action::Run(words.collect())])),
        );
    }
}

fn executed(environment: &Environment) -> Option<&Activator> {
    let everywhere =
        environment.activators.len() > 1 && environment.activators.iter().all(|script| script.executable);
    environment
        .activators
        .iter()
        .find(|script| script.kind == ActivatorKind::Posix && script.executable)
        .filter(|_| !everywhere)
}

fn in_file(facts: &Facts, site: &ActivationSite, same: &[&ActivationSite]) -> Finding {
    let problem = match site.problem {
        ActivationProblem::SourceUnderSh => "activates with `source`, which sh need not know",
        ActivationProblem::OwnShellEnds => {
            "activates an environment in a shell that ends with that line, before the next one runs"
        }
        ActivationProblem::ExecutedNotSourced => "runs an activate script, which changes no other process",
    };
    let severity = match (site.problem, sh_knows_source(facts)) {
        (ActivationProblem::SourceUnderSh, _) if !runs_here(&site.file) => Severity::Warning,
        (ActivationProblem::SourceUnderSh, Some(true)) => Severity::Info,
        (ActivationProblem::SourceUnderSh, Some(false)) => Severity::Error,
        _ => Severity::Warning,
    };
    let problem = match site.problem {
        ActivationProblem::OwnShellEnds if is_step(&site.file) => {
            "activates an environment in a step whose shell ends with it, before the next step runs"
        }
        _ => problem,
    };
    let mut finding = Finding::new(
        &CHECK,
        Subject::line(&site.file, site.line),
        format!("Line {} of {} {problem}", site.line, site.file),
    )
    .severity(severity)
    // a file of the project is no reason why this shell has nothing active
    .about(&site.file);
    for site in same {
        finding =
            finding.evidence("line", format!("{} (line {} of {})", site.text.trim(), site.line, site.file));
    }
    finding.remedy(mended(facts, site, same))
}

/// A configuration of CI.
fn is_step(file: &HostPath) -> bool {
    let name = file.name().to_ascii_lowercase();
    name.ends_with(".yml") || name.ends_with(".yaml")
}

/// A Dockerfile's `RUN` and a CI step run on systems that the facts do not describe.
fn runs_here(file: &HostPath) -> bool {
    let name = file.name().to_ascii_lowercase();
    !(name.contains("dockerfile") || name.contains("containerfile") || is_step(file))
}

/// Whether this system's `sh` has the word: dash does not, bash and busybox do.
fn sh_knows_source(facts: &Facts) -> Option<bool> {
    match (facts.platform.system, facts.platform.distribution.as_deref()?) {
        (System::Linux, "debian" | "ubuntu" | "linuxmint" | "pop" | "raspbian" | "kali") => Some(false),
        (
            System::Linux,
            "fedora" | "rhel" | "centos" | "rocky" | "almalinux" | "amzn" | "arch" | "manjaro" | "alpine",
        ) => Some(true),
        _ => None,
    }
}

fn mended(facts: &Facts, site: &ActivationSite, same: &[&ActivationSite]) -> Remedy {
    if site.problem == ActivationProblem::SourceUnderSh {
        let actions: Vec<Action> = same.iter().filter_map(|site| with_dot(site)).collect();
        if actions.len() == same.len() {
            return Remedy::review(
                format!("Write `.`, which every shell knows, for `source` in {}", site.file),
                actions,
            );
        }
    }
    let python = facts.project_environments().next().map_or_else(
        || ".venv/bin/python".to_owned(),
        |environment| environment.program("python").to_string(),
    );
    let name = site.file.name().to_ascii_lowercase();
    let hint = if name.contains("dockerfile") || name.contains("containerfile") {
        "put the environment on PATH for all later lines: ENV PATH=\"/opt/venv/bin:$PATH\"".to_owned()
    } else if is_step(&site.file) && site.problem == ActivationProblem::OwnShellEnds {
        match site.file.parent().is_some_and(|directory| directory.name() == "workflows") {
            true => "activate in the step that runs the commands, or put the programs on PATH for later steps: echo \"$PWD/.venv/bin\" >> \"$GITHUB_PATH\"".to_owned(),
            false => "activate in the step that runs the commands (`. .venv/bin/activate && ...`)".to_owned(),
        }
    } else if site.problem == ActivationProblem::ExecutedNotSourced {
        format!("source it (`. .venv/bin/activate`), or run {python} without activating")
    } else {
        format!("join the lines (`. .venv/bin/activate && ...`), or run {python} without activating")
    };
    let edits = same
        .iter()
        .map(|site| Action::Edit { file: site.file.clone(), line: Some(site.line), hint: hint.clone() })
        .collect();
    Remedy::manual("Activate in the shell that runs the commands", edits)
}

/// `source .venv/bin/activate` -> `. .venv/bin/activate`; without a slash, `.` would search `PATH`.
fn with_dot(site: &ActivationSite) -> Option<Action> {
    let start = site.text.find("source ")?;
    let rest = site.text[start + "source ".len()..].trim_start();
    let word = rest.split([' ', '\t', ';', '&', '|']).next().filter(|word| word.contains('/'))?;
    let end = site.text.len() - rest.len() + word.len();
    let from = &site.text[start..end];
    Some(Action::Rewrite {
        files: vec![site.file.clone()],
        from: Word::from(from),
        to: Word::from(format!(". {word}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::*;

    fn with_site(name: &str, text: &str, problem: ActivationProblem) -> Facts {
        let mut facts = not_activated();
        facts.project.activation_problems.push(ActivationSite {
            file: path(PROJECT).join(name),
            line: 2,
            text: text.into(),
            problem,
        });
        facts
    }

    #[test]
    fn fires_when_activate_was_made_executable() {
        let mut facts = not_activated();
        venv_of(&mut facts).activators[0].executable = true;
        let found = CHECK.findings(&facts);
        assert!(found[0].message.starts_with("/home/me/project/.venv/bin/activate was made executable"));
        assert!(matches!(found[0].remedies[0].actions[0], Action::Activate { .. }));
    }

    #[test]
    fn fires_when_a_makefile_sources_under_dash() {
        let text = "\tsource .venv/bin/activate; pytest";
        let found = CHECK.findings(&with_site("Makefile", text, ActivationProblem::SourceUnderSh));
        assert_eq!(found[0].severity, Severity::Error);
        let Action::Rewrite { from, to, .. } = &found[0].remedies[0].actions[0] else { panic!("{found:?}") };
        assert_eq!(
            (from.as_bytes(), to.as_bytes()),
            (&b"source .venv/bin/activate"[..], &b". .venv/bin/activate"[..])
        );
    }

    #[test]
    fn is_sure_only_of_shells_that_it_knows() {
        let problem = ActivationProblem::SourceUnderSh;
        let docker = with_site("Dockerfile", "RUN source /opt/venv/bin/activate", problem);
        assert_eq!(CHECK.findings(&docker)[0].severity, Severity::Warning);
        let mut fedora = with_site("Makefile", "source venv/bin/activate", problem);
        fedora.platform.distribution = Some("fedora".into());
        assert_eq!(CHECK.findings(&fedora)[0].severity, Severity::Info);
    }

    #[test]
    fn fires_when_the_activated_shell_ends_with_the_line() {
        let found =
            CHECK.findings(&with_site("Makefile", "\t. .venv/bin/activate", ActivationProblem::OwnShellEnds));
        assert!(matches!(&found[0].remedies[0].actions[0], Action::Edit { line: Some(2), .. }));
    }

    #[test]
    fn quiet_when_every_file_is_executable() {
        let mut facts = not_activated();
        venv_of(&mut facts).activators.iter_mut().for_each(|activator| activator.executable = true);
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_environment_is_active_all_the_same() {
        let mut facts = healthy();
        venv_of(&mut facts).activators[0].executable = true;
        assert!(CHECK.findings(&facts).is_empty());
    }
}
