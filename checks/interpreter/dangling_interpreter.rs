//! The environment's `python` is a link to an interpreter that was removed, renamed or upgraded away.

use super::{CANNOT_START, examined, faulty, severity, with_replacement, with_same_minor};
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{EnvironmentKind, HomeState};
use crate::facts::interpreter::{LinkEnd, PythonOwner};

pub static CHECK: Check = Check {
    id: "dangling-interpreter",
    category: Category::Interpreter,
    severity: Severity::Error,
    summary: "The environment's interpreter is a link to nothing",
    needs: &[Need::Installed],
    explains: CANNOT_START,
    explanation: r#"
## What it means
`bin/python` of an environment is normally a symbolic link, through one or more steps, to the Python that
the environment was made from. Here one step leads to a file that does not exist. The link itself is still
listed by `ls`, yet nothing in the environment starts: the shell skips it without a word and takes the next
`python` on `PATH`, and scripts such as `bin/pip` say "bad interpreter" or "required file not found".

## How it happens
The Python was removed or replaced: `brew upgrade` deletes the old keg, `pyenv uninstall` and
`uv python uninstall` a version, an operating system upgrade its old minor version, a new CI image its tool
cache. Or the environment was made elsewhere: inside a container, on another computer, from a Python on a
disk that is not mounted now.

## How to fix it
The packages are still there. If another Python of the same minor version is installed, point the link at it:

    ln -sfn /usr/bin/python3.11 .venv/bin/python

and write its directory behind `home =` in `pyvenv.cfg`. Packages are kept per minor version
(`lib/python3.11`), so with another one the environment has to be made again:

    python3 -m venv --clear .venv
    .venv/bin/python -m pip install -r requirements.txt

Links to a stable name (Homebrew's `opt/python@3.11`, not `Cellar/python@3.11/3.11.5`) survive upgrades.

## When it is fine
When the target is on a disk or network share that is mounted on demand, or inside the container for which
this environment is meant. Start it there.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in examined(facts) {
        if !environment.is_venv() && environment.kind != EnvironmentKind::Conda {
            continue;
        }
        let Some(interpreter) =
            faulty(facts, environment, |found| found.links.end == LinkEnd::Missing && found.links.is_link())
        else {
            continue;
        };
        let Some(target) = interpreter.links.last() else { continue };
        let owner = PythonOwner::of(target);
        let mut finding = Finding::new(
            &CHECK,
            Subject::Environment(environment.root.clone()),
            format!("{} leads to {target}, which does not exist", interpreter.path),
        )
        .severity(severity(facts, environment))
        .evidence("links", format!("{} (missing)", interpreter.links_text()));
        if let Some(missing) = interpreter.missing_part.as_ref().filter(|missing| !missing.same_as(target)) {
            finding = finding.evidence("first missing part", missing.to_text());
        }
        if let Some(owner) = &owner {
            finding = finding.evidence("belonged to", owner.label());
        }
        if let Some(home) = environment.home.as_ref().filter(|home| home.state == HomeState::Missing)
            && let (Some(file), Some(line)) = (&environment.config_path, home.line)
        {
            finding = finding.evidence("home", format!("{} is missing too ({file}, line {line})", home.path));
        }
        if !environment.installed.is_empty() {
            finding = finding.evidence("installed packages", environment.installed.len().to_string());
        }
        finding = with_same_minor(finding, facts, environment);
        if owner == Some(PythonOwner::CommandLineTools) {
            finding = finding.remedy(Remedy::review(
                "Install Apple's command line tools again (a window asks first), and their Python with them",
                vec![Action::run(["xcode-select".into(), "--install".into()])],
            ));
        }
        findings.push(with_replacement(finding, facts, environment));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{healthy, interpreters_of, path};

    fn dangle(facts: &mut Facts, only: impl Fn(&str) -> bool) {
        for interpreter in interpreters_of(facts).filter(|found| only(&found.path.name())) {
            interpreter.links.hops =
                vec![interpreter.path.clone(), path("/home/me/.pyenv/versions/3.11.5/bin/python3.11")];
            interpreter.links.end = LinkEnd::Missing;
            interpreter.missing_part = Some(path("/home/me/.pyenv/versions/3.11.5"));
        }
    }

    #[test]
    fn fires_when_the_base_was_uninstalled() {
        let mut facts = healthy();
        dangle(&mut facts, |_| true);
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1, "three names, one finding: {found:?}");
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].message.ends_with("3.11.5/bin/python3.11, which does not exist"), "{found:?}");
        let value =
            |label: &str| found[0].evidence.iter().find(|line| line.label == label).map(|line| &*line.value);
        assert_eq!(value("first missing part"), Some("/home/me/.pyenv/versions/3.11.5"));
        assert_eq!(value("belonged to"), Some("pyenv's Python 3.11.5"));
        assert_eq!(value("other Python 3.11 on this machine"), Some("/usr/bin/python3.11 (the search path)"));
        assert!(!found[0].remedies.is_empty());
    }

    #[test]
    fn quiet_when_only_a_leftover_versioned_name_dangles() {
        let mut facts = healthy();
        dangle(&mut facts, |name| name == "python3.11");
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_a_long_chain_is_intact() {
        let mut facts = healthy();
        for interpreter in interpreters_of(&mut facts) {
            interpreter.links.hops.insert(1, path("/home/me/.pyenv/versions/3.11/bin/python3"));
        }
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_only_a_tool_leads_to_the_environment() {
        let mut facts = crate::facts::example::not_activated();
        dangle(&mut facts, |_| true);
        let script = path("/home/me/.local/bin/tool");
        let venv = crate::facts::example::venv_of(&mut facts);
        venv.origins = vec![crate::facts::Origin::Shebang { script }];
        facts.patient = None;
        facts.project.environments.clear();
        assert_eq!(CHECK.findings(&facts), []);
    }
}
