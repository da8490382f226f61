//! A venv that was moved or renamed: its scripts and activate scripts name the place where it was made,
//! and that place is gone.

use crate::diagnosis::{Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::BakedState;

pub static CHECK: Check = Check {
    id: "moved-venv",
    category: Category::Relocation,
    severity: Severity::Error,
    summary: "The environment was moved: its scripts and activate scripts name an old place that is gone",
    needs: &[Need::Scripts, Need::Installed],
    explains: &[
        "broken-shebang",
        "stale-activation",
        "lost-activation",
        "forgotten-activation",
        "stale-launcher",
        "broken-editable",
        "broken-kernel",
        "editor-interpreter-missing",
        "pip-elsewhere",
        "python-names-disagree",
        "python-command-missing",
        "global-install",
        "tool-outside-environment",
    ],
    explanation: r#"
## What it means
A venv holds its own absolute path in many files: the first line of every entry script (`#!/old/.venv/bin/python`),
the activate scripts (`VIRTUAL_ENV=/old/.venv`) and `command` in `pyvenv.cfg`. Here they name a place that no longer exists.
The interpreter itself is not affected: `bin/python` finds `pyvenv.cfg` beside itself, so `bin/python -m pip` and imports
work, while `bin/pip` says "bad interpreter", "cannot execute: required file not found" or "not found".
Worse, `source bin/activate` succeeds in silence: it sets `VIRTUAL_ENV` to the old place and puts a directory that is
not there on `PATH`. The prompt shows the environment, and `pip` and `python3` are the system's.

## How it happens
The project's directory was renamed or moved, unpacked from an archive, restored at another path by a CI cache, or cloned
with the environment in it. The `venv` module has never made environments that can be moved.

## How to fix it
Write the new place into the files that name the old one: the first remedy does, needs no network and loses nothing.
Or make the environment anew, which Python's documentation recommends: `python3 -m venv --clear .venv`, then
`.venv/bin/python -m pip install -r requirements.txt`.
`python3 -m venv .venv` over the old one is not enough: it rewrites the activate scripts and leaves `bin/pip` as it is.
A shell that was activated before must be activated again.

## When it is fine
Environments made with `uv venv --relocatable` find their own place, and so do environments that are reached through a
symbolic link: neither is reported. Whoever only ever runs `.venv/bin/python -m ...` will not notice the fault.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in facts.environments.iter().filter(|environment| environment.is_venv()) {
        let Some(foreign) = environment.made_elsewhere() else { continue };
        let what = match foreign.state {
            BakedState::Missing => "is gone",
            BakedState::OtherDirectory => "is no environment any more",
            BakedState::Own | BakedState::OtherEnvironment => continue,
        };
        let mut finding = Finding::new(
            &CHECK,
            Subject::Environment(environment.root.clone()),
            format!(
                "{} was made at {}, which {what}, and its {} still name that place",
                environment.root,
                foreign.root,
                parts(foreign.scripts.is_empty(), foreign.activators.is_empty()),
            ),
        )
        .about(foreign.root);
        finding = super::naming(finding, environment, &foreign);
        for remedy in super::mended_or_anew(facts, environment, foreign.root) {
            finding = finding.remedy(remedy);
        }
        findings.push(finding);
    }
}

fn parts(no_scripts: bool, no_activators: bool) -> &'static str {
    match (no_scripts, no_activators) {
        (true, _) => "activate scripts",
        (_, true) => "entry scripts",
        _ => "entry scripts and activate scripts",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::Action;
    use crate::diagnosis::recreate::tests::words;
    use crate::facts::distribution::{EditableSource, MovedSource};
    use crate::facts::environment::{Environment, LaunchKind, Layout};
    use crate::facts::example::*;
    use crate::path::HostPath;

    fn name_in_scripts(environment: &mut Environment, old: &str, state: BakedState) {
        for script in &mut environment.scripts {
            script.launch.root = Some(path(old));
            script.launch.root_state = Some(state);
            script.launch.interpreter = Some(path(old).join("bin/python"));
            script.launch.interpreter_exists = false;
        }
    }

    fn name_everywhere(environment: &mut Environment, old: &str, state: BakedState) {
        name_in_scripts(environment, old, state);
        for activator in &mut environment.activators {
            activator.root = Some(path(old));
            activator.root_state = Some(state);
        }
        environment.made_at = Some(path(old));
        environment.made_at_state = Some(state);
    }

    /// The environment and the project that is installed in it were moved together.
    fn moved_with_its_project() -> Facts {
        let mut facts = with_packages();
        name_everywhere(venv_of(&mut facts), "/home/me/old/.venv", BakedState::Missing);
        let mut mylib = distribution("mylib", "1.0");
        mylib.editable = Some(path("/home/me/old"));
        mylib.sources = vec![EditableSource {
            named_in: path(VENV).join("lib/python3.11/site-packages/_mylib.pth"),
            line: Some(1),
            module: None,
            path: path("/home/me/old/src"),
            exists: false,
        }];
        let place = |path| MovedSource { path, build_requires: Vec::new() };
        mylib.moved_to = vec![place(path(PROJECT)), place(path("/home/me/copy"))];
        facts.packages[0].sites[0].distributions.push(mylib);
        facts
    }

    #[test]
    fn installs_the_project_again_that_moved_along() {
        let found = CHECK.findings(&moved_with_its_project());
        let remedy = &found[0].remedies[0];
        assert!(remedy.summary.ends_with(", and install mylib again from its new place"), "{remedy:?}");
        assert_eq!(
            words(remedy),
            [
                "/home/me/project/.venv/bin/python -m pip install --no-deps --no-build-isolation -e /home/me/project"
            ]
        );
    }

    #[test]
    fn does_not_guess_between_several_places() {
        let mut facts = moved_with_its_project();
        let mylib = facts.packages[0].sites[0].distributions.last_mut().unwrap();
        mylib.moved_to[0].path = path("/home/me/other");
        let found = CHECK.findings(&facts);
        assert_eq!(words(&found[0].remedies[0]), Vec::<String>::new());
    }

    #[test]
    fn fires_when_everything_names_a_place_that_is_gone() {
        let mut facts = healthy();
        name_everywhere(venv_of(&mut facts), "/home/me/old/.venv", BakedState::Missing);
        let found = CHECK.findings(&facts);
        assert_eq!(
            found[0].message,
            "/home/me/project/.venv was made at /home/me/old/.venv, which is gone, and its entry scripts and activate scripts still name that place"
        );
        assert!(found[0].environments.contains(&path("/home/me/old/.venv")));
        assert_eq!(
            found[0].evidence[0].value,
            "/home/me/old/.venv/bin/python (first line of /home/me/project/.venv/bin/pip)"
        );
        assert!(
            found[0].evidence.iter().any(|evidence| evidence.value
                == "/home/me/old/.venv (line 5 of /home/me/project/.venv/pyvenv.cfg)")
        );
    }

    #[test]
    fn fires_when_only_the_scripts_were_left_behind() {
        let mut facts = healthy();
        name_in_scripts(venv_of(&mut facts), "/home/me/old/.venv", BakedState::OtherDirectory);
        let found = CHECK.findings(&facts);
        assert!(
            found[0].message.contains("is no environment any more, and its entry scripts still"),
            "{found:?}"
        );
    }

    #[test]
    fn reactivates_a_shell_that_has_the_old_place() {
        let mut facts = healthy();
        name_everywhere(venv_of(&mut facts), "/home/me/old/.venv", BakedState::Missing);
        set_variable(&mut facts, "VIRTUAL_ENV", "/home/me/old/.venv");
        set_search_path(&mut facts, "/home/me/old/.venv/bin:/usr/bin");
        let found = CHECK.findings(&facts);
        let actions = &found[0].remedies[0].actions;
        assert!(
            matches!(&actions[actions.len() - 2..], [Action::Deactivate { root, .. }, Action::Activate { .. }] if *root == path("/home/me/old/.venv")),
            "{actions:?}"
        );
    }

    #[test]
    fn quiet_when_nothing_is_wrong() {
        assert!(CHECK.findings(&healthy()).is_empty());
    }

    #[test]
    fn quiet_when_relocatable_or_only_its_command_is_old() {
        let mut facts = healthy();
        let environment = venv_of(&mut facts);
        environment.made_at = Some(path("/build/.venv"));
        environment.made_at_state = Some(BakedState::Missing);
        for script in &mut environment.scripts {
            script.launch.kind = LaunchKind::Relocatable;
            script.launch.root = None;
            script.launch.root_state = None;
        }
        for activator in &mut environment.activators {
            activator.root = None;
            activator.root_state = None;
        }
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_a_single_script_is_foreign() {
        let mut facts = healthy();
        let environment = venv_of(&mut facts);
        let mut stray = script(&path("/home/me/gone"), "tool", "tool");
        stray.launch.root_state = Some(BakedState::Missing);
        environment.scripts.push(stray);
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_old_place_is_another_environment() {
        let mut facts = healthy();
        name_everywhere(venv_of(&mut facts), "/home/me/old/.venv", BakedState::OtherEnvironment);
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_old_place_is_of_another_system() {
        let mut facts = healthy();
        let environment = venv_of(&mut facts);
        name_in_scripts(environment, "/home/me/old/.venv", BakedState::Missing);
        environment.layout = Layout::Windows;
        let windows = HostPath::new(crate::path::Flavour::Windows, r"C:\work\.venv");
        for script in &mut environment.scripts {
            script.launch.root = windows.clone();
        }
        assert!(CHECK.findings(&facts).is_empty());
    }
}
