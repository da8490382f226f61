//! One directory seen from two systems: the venv was made inside a container and is looked at from outside
//! it, or the reverse.

use crate::diagnosis::recreate::recreate;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::environment::{BakedState, Environment, ForeignRoot, HomeState};
use crate::facts::interpreter::LinkEnd;
use crate::facts::platform::System;
use crate::facts::project::ManagerKind;
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "container-venv",
    category: Category::Relocation,
    severity: Severity::Error,
    summary: "The environment was made inside a container and is used outside it, or the reverse",
    needs: &[Need::Scripts, Need::Project, Need::Installed],
    explains: &[
        "moved-venv",
        "dangling-interpreter",
        "base-python-missing",
        "python-version-switched",
        "interpreter-loader-missing",
        "interpreter-wrong-architecture",
        "libpython-missing",
        "interpreter-fails",
        "broken-shebang",
        "stale-activation",
        "lost-activation",
        "forgotten-activation",
        "broken-editable",
        "foreign-owned-files",
        "extension-for-another-platform",
        "global-install",
        "python-command-missing",
        "editor-interpreter-missing",
    ],
    explanation: r#"
## What it means
A container mounts the project's directory at a place of its own (`/app`, `/workspace`), and both sides share one `.venv`.
A venv holds absolute paths: of itself (in scripts and activate scripts) and of the Python that it was made from
(`home` in `pyvenv.cfg`, the link `bin/python`; in the official images `/usr/local/bin/python3`). On the other
side neither exists: scripts say "bad interpreter", `bin/python` is a dangling link, and an activated shell
runs the system's Python. Compiled packages do not fit either when the two systems differ.

## How it happens
Docker Compose with `volumes: [".:/app"]`, a dev container, or `docker run -v $PWD:/workspace`, and then `uv sync`,
`poetry install` or `python -m venv .venv` on one side.

## How to fix it
Give each side an environment of its own.
Compose: hide the host's with a volume, `volumes: [".:/app", "/app/.venv"]`.
uv: `UV_PROJECT_ENVIRONMENT=/opt/venv` in the image. VS Code: a volume in `"mounts"` of `devcontainer.json`.
Then make the one that is broken here anew: `python3 -m venv --clear .venv` and install the requirements.

## When it is fine
When every user of the environment runs the same image with the project at the same place; then nothing is
missing, and nothing is reported.
"#,
    examine,
};

/// Where images put the project.
const PLACES: &[&str] = &[
    "/app",
    "/apps",
    "/application",
    "/code",
    "/workspace",
    "/workspaces",
    "/src",
    "/usr/src",
    "/srv/app",
    "/opt/app",
    "/project",
    "/work",
    "/vscode",
];

/// Where images keep Python.
const PYTHONS: &[&str] = &["/usr/local/bin", "/opt/venv/bin", "/opt/python", "/opt/conda/bin"];

/// Where people's own systems keep things that no image has.
const HOMES: &[&str] = &["/home", "/Users"];
const HOST_PYTHONS: &[&str] =
    &["/home", "/Users", "/opt/homebrew", "/Library/Frameworks", "/usr/local/Cellar"];

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in facts.environments.iter().filter(|environment| environment.is_venv()) {
        let old = environment.made_elsewhere().filter(is_gone);
        let base = missing_base(facts, environment);
        let place = if was_in_container(facts, environment, old.as_ref(), base.as_ref()) {
            "inside a container"
        } else if was_outside(facts, environment, old.as_ref(), base.as_ref()) {
            "outside this container"
        } else {
            continue;
        };
        findings.push(finding(facts, environment, old.as_ref(), base.as_ref(), place));
    }
}

fn finding(
    facts: &Facts,
    environment: &Environment,
    old: Option<&ForeignRoot<'_>>,
    base: Option<&HostPath>,
    place: &str,
) -> Finding {
    let lacks = match (old, base) {
        (Some(old), Some(_)) => format!("{} and its Python are not here", old.root),
        (Some(old), None) => format!("{} is not here", old.root),
        (None, Some(base)) => format!("{base} is not here"),
        (None, None) => "its Python is not here".to_owned(),
    };
    let mut finding = Finding::new(
        &CHECK,
        Subject::Environment(environment.root.clone()),
        format!("{} was made {place}: {lacks}", environment.root),
    );
    if let Some(old) = old {
        finding = super::naming(finding.about(old.root), environment, old);
    }
    if let Some(base) = base {
        finding = finding.evidence("missing interpreter", base.to_text());
    }
    if let Some(home) = &environment.home {
        finding = finding
            .evidence("home in pyvenv.cfg", super::at_line(&home.path, home.line, &config(environment)));
    }
    if let Some(why) = &facts.surroundings.container {
        finding = finding.evidence("this shell is in a container", why);
    }
    for file in facts.project.container_files.iter().take(super::SHOWN) {
        finding = finding.evidence("container file", file.to_text());
    }
    for remedy in remedies(facts, environment, old) {
        finding = finding.remedy(remedy);
    }
    finding
}

fn config(environment: &Environment) -> HostPath {
    environment.config_path.clone().unwrap_or_else(|| environment.root.join("pyvenv.cfg"))
}

fn is_gone(foreign: &ForeignRoot<'_>) -> bool {
    matches!(foreign.state, BakedState::Missing | BakedState::OtherDirectory)
}

/// The interpreter that the environment needs, where it is not here.
fn missing_base(facts: &Facts, environment: &Environment) -> Option<HostPath> {
    if facts.starts(environment) {
        return None;
    }
    let dangling = environment
        .interpreters
        .iter()
        .filter_map(|path| facts.interpreter(path))
        .find(|interpreter| interpreter.links.end == LinkEnd::Missing && interpreter.links.is_link())
        .and_then(|interpreter| interpreter.links.last());
    let home = environment
        .home
        .as_ref()
        .filter(|home| matches!(home.state, HomeState::Missing | HomeState::NoInterpreter))
        .map(|home| &home.path);
    dangling.or(home).cloned()
}

/// Its own old place or its Python is where images have theirs, and something else speaks of containers.
fn was_in_container(
    facts: &Facts,
    environment: &Environment,
    old: Option<&ForeignRoot<'_>>,
    base: Option<&HostPath>,
) -> bool {
    let declared = !facts.project.container_files.is_empty();
    let images_python = base.is_some_and(|base| is_below(base, PYTHONS));
    match old {
        Some(old) if is_below(old.root, PLACES) && old.root.file_name() == environment.root.file_name() => {
            declared || images_python || is_below(old.root, &["/workspaces"])
        }
        // macOS keeps the Pythons of two installers in /usr/local/bin
        _ => declared && images_python && facts.platform.system == System::Linux,
    }
}

/// Its own old place or its Python is in a home directory that this container does not have.
fn was_outside(
    facts: &Facts,
    environment: &Environment,
    old: Option<&ForeignRoot<'_>>,
    base: Option<&HostPath>,
) -> bool {
    if facts.surroundings.container.is_none() {
        return false;
    }
    let strange = |path: &HostPath| {
        let same_home = |known: &HostPath| user_directory(known).is_some_and(|home| path.is_within(&home));
        !same_home(&environment.root) && !facts.home.as_ref().is_some_and(same_home)
    };
    let old_home = old.is_some_and(|old| {
        is_below(old.root, HOMES) && strange(old.root) && old.root.file_name() == environment.root.file_name()
    });
    let old_python = base.is_some_and(|base| is_below(base, HOST_PYTHONS) && strange(base));
    old_home || (old_python && !names_this_place(environment))
}

/// Its files say that it was made where it is.
fn names_this_place(environment: &Environment) -> bool {
    environment.made_at_state == Some(BakedState::Own)
        || environment.activators.iter().any(|activator| activator.root_state == Some(BakedState::Own))
}

/// `/home/NAME` of a path in it.
fn user_directory(path: &HostPath) -> Option<HostPath> {
    let mut names = path.components();
    let (top, user) = (names.next()?, names.next()?);
    matches!(top, b"home" | b"Users").then(|| HostPath::posix("/").join(top).join(user))
}

fn is_below(path: &HostPath, places: &[&str]) -> bool {
    places.iter().any(|place| path.is_within(&HostPath::posix(place)))
}

fn remedies(facts: &Facts, environment: &Environment, old: Option<&ForeignRoot<'_>>) -> Vec<Remedy> {
    let mut here = recreate(facts, environment);
    if let Some(file) = facts.project.container_files.first() {
        here.actions.push(Action::Edit {
            file: file.clone(),
            line: None,
            hint: format!(
                "keep the container's own environment out of the shared directory: a volume at {}, or UV_PROJECT_ENVIRONMENT=/opt/venv",
                old.map_or_else(|| environment.root.to_text(), |old| old.root.to_text())
            ),
        });
    }
    let mut remedies = vec![here];
    let uv = facts.project.managers.iter().any(|manager| manager.kind == ManagerKind::Uv);
    if uv && facts.platform.system != System::Windows {
        let own = format!("{}-here", environment.root.name());
        remedies.push(Remedy::safe(
            format!("Leave it to the other side, and keep one of this side's own in {own}"),
            vec![
                Action::Set { name: "UV_PROJECT_ENVIRONMENT".into(), value: Word::from(own) },
                Action::run([Word::from("uv"), Word::from("sync")]),
            ],
        ));
    }
    remedies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::*;

    fn made_at(facts: &mut Facts, old: &str) {
        let environment = venv_of(facts);
        for script in &mut environment.scripts {
            script.launch.root = Some(path(old));
            script.launch.root_state = Some(BakedState::Missing);
            script.launch.interpreter = Some(path(old).join("bin/python"));
            script.launch.interpreter_exists = false;
        }
        for activator in &mut environment.activators {
            activator.root = Some(path(old));
            activator.root_state = Some(BakedState::Missing);
        }
    }

    fn python_gone(facts: &mut Facts, python: &str) {
        for interpreter in interpreters_of(facts) {
            interpreter.links.hops = vec![interpreter.path.clone(), path(python)];
            interpreter.links.end = LinkEnd::Missing;
        }
        let home = path(python).parent();
        if let (Some(fact), Some(path)) = (venv_of(facts).home.as_mut(), home) {
            fact.path = path;
            fact.state = HomeState::NoInterpreter;
        }
    }

    fn with_dockerfile() -> Facts {
        let mut facts = healthy();
        facts.project.container_files.push(path("/home/me/project/Dockerfile"));
        facts
    }

    #[test]
    fn fires_when_it_was_made_at_the_images_place() {
        let mut facts = with_dockerfile();
        made_at(&mut facts, "/app/.venv");
        let found = CHECK.findings(&facts);
        assert_eq!(
            found[0].message,
            "/home/me/project/.venv was made inside a container: /app/.venv is not here"
        );
    }

    #[test]
    fn fires_when_place_and_python_are_an_images() {
        let mut facts = healthy();
        made_at(&mut facts, "/workspace/.venv");
        python_gone(&mut facts, "/usr/local/bin/python3.12");
        assert_eq!(
            CHECK.findings(&facts)[0].message,
            "/home/me/project/.venv was made inside a container: /workspace/.venv and its Python are not here"
        );
    }

    #[test]
    fn fires_in_a_container_when_it_was_made_on_the_host() {
        let mut facts = healthy();
        facts.surroundings.container = Some("/.dockerenv exists".into());
        facts.home = Some(path("/root"));
        let mut environment = venv("/app/.venv");
        for activator in &mut environment.activators {
            activator.root = Some(path(VENV));
            activator.root_state = Some(BakedState::Missing);
        }
        facts.environments = vec![environment, system()];
        let found = CHECK.findings(&facts);
        assert!(found[0].message.contains("outside this container"), "{found:?}");
    }

    #[test]
    fn quiet_when_both_sides_run_the_same_image() {
        let mut facts = with_dockerfile();
        facts.surroundings.container = Some("/.dockerenv exists".into());
        facts.environments.push(venv("/app/.venv"));
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_it_was_moved_by_hand() {
        let mut facts = with_dockerfile();
        made_at(&mut facts, "/home/me/old-name/.venv");
        assert!(CHECK.findings(&facts).is_empty());
        facts.surroundings.container = Some("container=podman".into());
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_it_was_made_here_whatever_its_python_was() {
        let mut facts = healthy();
        facts.surroundings.container = Some("/.dockerenv exists".into());
        python_gone(&mut facts, "/Library/Frameworks/Python.framework/Versions/3.11/bin/python3.11");
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_its_python_was_removed_and_nothing_speaks_of_containers() {
        let mut facts = healthy();
        python_gone(&mut facts, "/usr/local/bin/python3.12");
        assert!(CHECK.findings(&facts).is_empty());
    }
}
