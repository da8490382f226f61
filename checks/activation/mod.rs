//! What this shell runs, and what it believes it runs.

use crate::diagnosis::Check;

pub mod activate_for_another_shell;
pub mod activate_not_sourced;
pub mod conflicting_activation;
pub mod forgotten_activation;
pub mod lost_activation;
pub mod pip_elsewhere;
pub mod python_command_missing;
pub mod python_names_disagree;
pub mod relative_search_path;
pub mod script_bypasses_environment;
pub mod shadowed_environment;
pub mod shadowing_alias;
pub mod stacked_environments;
pub mod stale_activation;
pub mod stale_command_hash;
pub mod sudo_dropped_environment;
pub mod tool_outside_environment;
pub mod user_scripts_not_on_path;
pub mod wrong_environment_active;

/// Causes before their symptoms.
pub static ALL: &[&Check] = &[
    &sudo_dropped_environment::CHECK,
    &activate_for_another_shell::CHECK,
    &stale_activation::CHECK,
    &relative_search_path::CHECK,
    &lost_activation::CHECK,
    &conflicting_activation::CHECK,
    &shadowed_environment::CHECK,
    &shadowing_alias::CHECK,
    &stale_command_hash::CHECK,
    &wrong_environment_active::CHECK,
    &activate_not_sourced::CHECK,
    &script_bypasses_environment::CHECK,
    &forgotten_activation::CHECK,
    &pip_elsewhere::CHECK,
    &stacked_environments::CHECK,
    &python_names_disagree::CHECK,
    &python_command_missing::CHECK,
    &tool_outside_environment::CHECK,
    &user_scripts_not_on_path::CHECK,
];

/// `` `python`, `python3` and `pip` ``.
fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::isolation;
    use crate::diagnosis::Severity;
    use crate::diagnosis::examine::examine;
    use crate::facts::Facts;
    use crate::facts::environment::EnvironmentKind;
    use crate::facts::example::{self, VENV};
    use crate::facts::interpreter::LinkEnd;

    /// The checks of the findings, symptoms left out; information in brackets.
    fn leading(facts: &Facts) -> Vec<String> {
        let checks: Vec<&'static Check> = ALL.iter().chain(isolation::ALL).copied().collect();
        let diagnosis = examine(facts, &checks, Vec::new());
        assert!(diagnosis.failed.is_empty());
        let label = |finding: &crate::diagnosis::Finding| match finding.severity {
            Severity::Info => format!("({})", finding.check),
            _ => finding.check.to_owned(),
        };
        diagnosis.findings.iter().map(label).collect()
    }

    #[test]
    fn a_healthy_shell_has_no_findings() {
        assert!(leading(&example::healthy()).is_empty());
    }

    #[test]
    fn one_cause_gives_one_leading_finding() {
        assert_eq!(leading(&example::not_activated()), ["forgotten-activation"]);

        let mut lost = example::not_activated();
        example::set_variable(&mut lost, "VIRTUAL_ENV", VENV);
        assert_eq!(leading(&lost), ["lost-activation"]);

        let mut split = example::healthy();
        example::set_search_path(&mut split, "/usr/bin:/home/me/project/.venv/bin");
        assert_eq!(leading(&split), ["shadowed-environment"]);

        let mut deleted = example::healthy();
        let venv = example::venv_of(&mut deleted);
        venv.kind = EnvironmentKind::Missing;
        venv.interpreters.clear();
        venv.scripts.clear();
        venv.activators.clear();
        example::set_search_path(&mut deleted, "/home/me/project/.venv/bin:/usr/bin");
        assert_eq!(leading(&deleted), ["stale-activation"]);
    }

    #[test]
    fn two_environments_are_one_finding() {
        let outer = "/home/me/outer/.venv";
        let mut stacked = example::healthy();
        stacked.environments.push(example::venv(outer));
        let inner = example::venv_of(&mut stacked);
        inner.scripts.clear();
        inner.installed.clear();
        inner.libraries[0].has_pip = false;
        example::set_search_path(
            &mut stacked,
            "/home/me/project/.venv/bin:/home/me/outer/.venv/bin:/usr/bin",
        );
        assert_eq!(leading(&stacked), ["environment-without-pip"]);

        let mut conflict = example::healthy();
        conflict.environments.push(example::venv(outer));
        example::set_search_path(
            &mut conflict,
            "/home/me/outer/.venv/bin:/home/me/project/.venv/bin:/usr/bin",
        );
        assert_eq!(leading(&conflict), ["conflicting-activation"]);

        let mut wrong = example::not_activated();
        wrong.environments.push(example::venv(outer));
        example::set_variable(&mut wrong, "VIRTUAL_ENV", outer);
        example::set_search_path(&mut wrong, "/home/me/outer/.venv/bin:/usr/bin");
        assert_eq!(leading(&wrong), ["wrong-environment-active"]);
    }

    #[test]
    fn a_broken_interpreter_is_left_to_the_checks_of_interpreters() {
        for path in ["/home/me/project/.venv/bin:/usr/bin", "/usr/bin"] {
            let mut facts = example::healthy();
            example::interpreters_of(&mut facts).for_each(|python| python.links.end = LinkEnd::Missing);
            example::set_search_path(&mut facts, path);
            assert!(leading(&facts).is_empty(), "PATH={path}");
        }
    }

    #[test]
    fn an_environment_of_uv_without_pip_is_information() {
        let mut facts = example::healthy();
        let venv = example::venv_of(&mut facts);
        venv.scripts.clear();
        venv.installed.retain(|distribution| distribution.name == "six");
        venv.libraries[0].has_pip = false;
        venv.creator = Some(crate::parse::pyvenv_cfg::Creator::Uv { version: "0.8.0".into() });
        example::set_search_path(&mut facts, "/home/me/project/.venv/bin:/usr/bin");
        assert_eq!(leading(&facts), ["(environment-without-pip)"]);
    }
}
