//! The environment's `python` is a link to an interpreter that was removed, renamed or upgraded away.

use super::{CANNOT_START, examined, faulty, severity, with_replacement, with_same_minor};
use crate::diagnosis::install::in_place_of_link;
use crate::diagnosis::manager::managed;
use crate::diagnosis::stand_in;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind, HomeState};
use crate::facts::interpreter::{LinkEnd, PythonOwner};
use crate::path::HostPath;

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

The environment itself may be such a link, too: `.venv` that leads to a directory which was renamed, removed or is not
mounted. Then there is no environment, and none can be made: `python -m venv .venv` and `uv sync` fail with "File exists"
until the link is removed.

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

Where `.venv` itself is the link: `rm .venv` (the link alone), and make the environment again.

Links to a stable name (Homebrew's `opt/python@3.11`, not `Cellar/python@3.11/3.11.5`) survive upgrades.

## When it is fine
When the target is on a disk or network share that is mounted on demand, or inside the container for which
this environment is meant. Start it there.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in facts.project_environments() {
        if let Some(target) = &environment.lost_target {
            findings.push(lost_directory(facts, environment, target));
        }
    }
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

/// The environment itself is a link, and the directory that it leads to is gone.
fn lost_directory(facts: &Facts, environment: &Environment, target: &HostPath) -> Finding {
    // activated through the link, it is known by its own name
    let claimed = facts
        .claimed()
        .filter(|claimed| claimed.is_at(&environment.root) || !claimed.exists() && claimed.is_at(target));
    // it may be a link into what only another machine or container has
    // its manager fails with the link in its place, unless it was told of another one
    let managed = managed(facts, environment).is_some();
    let needed = managed && facts.shell.set("UV_PROJECT_ENVIRONMENT").is_none();
    let served = claimed.is_none() && !needed && stand_in::working(facts).is_some();
    let severity = match (served, claimed.is_some() || managed) {
        (true, _) => Severity::Info,
        (false, true) => Severity::Error,
        (false, false) => Severity::Warning,
    };
    let message = format!("{} is a link to {target}, which does not exist", environment.root);
    let mut finding = Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message)
        .severity(severity)
        .evidence("link", format!("{} -> {target} (missing)", environment.root));
    if served {
        return finding;
    }
    // what happens instead is its consequence
    if let Some(running) = facts.running() {
        finding = finding.about(&running.root);
    }
    if let Some(claimed) = claimed {
        finding = finding.about(&claimed.root);
    }
    let Some(mut remedy) = in_place_of_link(facts, environment) else { return finding };
    remedy.actions.splice(0..0, claimed.map(Action::deactivate));
    finding.remedy(remedy).remedy(Remedy::manual(
        "Put the directory back, where it was only moved or is not mounted",
        vec![Action::Advice(format!("it is expected at {target}"))],
    ))
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

    fn lost(facts: &mut Facts) {
        use crate::facts::environment::Layout;
        let environment = crate::facts::example::venv_of(facts);
        environment.kind = EnvironmentKind::Missing;
        environment.layout = Layout::None;
        environment.interpreters.clear();
        environment.lost_target = Some(path("/home/me/envs/gone"));
    }

    #[test]
    fn fires_when_the_environment_is_a_link_to_nothing() {
        let mut facts = crate::facts::example::not_activated();
        lost(&mut facts);
        let found = CHECK.findings(&facts);
        assert_eq!(
            found[0].message,
            "/home/me/project/.venv is a link to /home/me/envs/gone, which does not exist"
        );
        assert_eq!(found[0].severity, Severity::Warning);
        let remove = Action::run(["rm".into(), "/home/me/project/.venv".into()]);
        assert_eq!(found[0].remedies[0].actions[0], remove);
        assert!(found[0].remedies[0].actions.len() > 2, "{found:?}");
        let mut claimed = healthy();
        lost(&mut claimed);
        let found = CHECK.findings(&claimed);
        assert_eq!((found[0].severity, &found[0].remedies[0].actions[1]), (Severity::Error, &remove));
    }

    #[test]
    fn fires_as_information_where_the_shell_has_what_the_project_needs() {
        let mut facts = crate::facts::example::with_packages();
        lost(&mut facts);
        let mut running = crate::facts::example::venv("/opt/venv");
        running.origins.clear();
        facts.environments.push(running);
        let interpreter = crate::facts::example::interpreter("/opt/venv/bin/python", Some("/opt/venv"));
        facts.interpreters.push(interpreter);
        facts.packages[0].environment = path("/opt/venv");
        crate::facts::example::set_variable(&mut facts, "VIRTUAL_ENV", "/opt/venv");
        crate::facts::example::set_search_path(&mut facts, "/opt/venv/bin:/usr/bin");
        let found = CHECK.findings(&facts);
        assert_eq!((found[0].severity, found[0].remedies.len()), (Severity::Info, 0), "{found:?}");
        facts.packages.clear();
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Warning);
    }
}
