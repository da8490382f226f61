//! A project's environment that does not start, where the shell works in another that has all that the project
//! requires: the usual state of a container whose project directory is its host's. Nothing fails, and the broken one
//! may be whole for whoever made it, so it is for information, and no command that changes it is offered.

use super::requirement::{missing, required};
use super::{Action, Category, Finding, Remedy, Severity, Subject};
use crate::facts::environment::Environment;
use crate::facts::{Facts, Origin};

/// The environments that do not start and need not.
pub fn bystanders(facts: &Facts) -> Vec<&Environment> {
    let Some(working) = working(facts) else { return Vec::new() };
    let claimed = facts.claimed();
    facts
        .project_environments()
        .filter(|environment| {
            environment.is_venv()
                && !facts.starts(environment)
                && !facts.on_search_path(environment)
                && !claimed.is_some_and(|claimed| claimed.is_at(&environment.root))
                && !environment.is_at(&working.root)
        })
        .collect()
}

/// The environment that uv is told to use, else that of the shell's python where it is known to do for the project,
/// because it has everything that is declared. A bare installation may have it by luck, except in a container.
pub fn working(facts: &Facts) -> Option<&Environment> {
    let by_uv = |environment: &&Environment| {
        let named =
            |origin: &Origin| matches!(origin, Origin::Variable(name) if name == "UV_PROJECT_ENVIRONMENT");
        environment.origins.iter().any(named)
    };
    if let Some(used) = facts.environments.iter().find(by_uv).filter(|used| facts.starts(used)) {
        return Some(used);
    }
    let working = facts.running()?;
    let chosen = facts.is_chosen(working) || facts.surroundings.container.is_some();
    if !chosen || !facts.starts(working) {
        return None;
    }
    let whole = || {
        let packages = facts.packages(&working.root)?;
        let required = required(facts, working, packages);
        Some(!required.is_empty() && missing(facts, working, packages).is_empty())
    };
    (whole() == Some(true)).then_some(working)
}

/// Makes information of a finding that says why one of them does not start. That one is kept in git or in a
/// synchronised folder is so for everyone.
pub fn soften(finding: &mut Finding, facts: &Facts, bystanders: &[&Environment]) {
    let of_its_state = matches!(finding.category, Category::Interpreter | Category::Relocation);
    if !of_its_state || ["versioned-environment", "synced-environment"].contains(&finding.check) {
        return;
    }
    let (Subject::Environment(root) | Subject::Distribution { environment: root, .. }) = &finding.subject
    else {
        return;
    };
    let Some(environment) = bystanders.iter().find(|environment| environment.is_at(root)) else { return };
    finding.severity = finding.severity.min(Severity::Info);
    finding.remedies = vec![Remedy::manual(
        format!("Leave {} to the machine that it was made on", environment.root.name()),
        vec![Action::Advice(format!(
            "where it is nobody's any more, remove {}; this shell does not use it",
            environment.root
        ))],
    )];
    if let Some(working) = working(facts) {
        finding
            .evidence
            .push(super::Evidence { label: "used instead".to_owned(), value: working.root.to_string() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::interpreter::dangling_interpreter;
    use crate::checks::project::missing_requirement;
    use crate::checks::relocation::versioned_environment;
    use crate::diagnosis::examine::examine;
    use crate::facts::example::{self, VENV, path};
    use crate::facts::interpreter::LinkEnd;

    const OTHER: &str = "/opt/venv";

    /// The example's venv with its packages as another one, which the shell works in; beside the project lies one that
    /// is broken.
    fn beside_a_broken_one() -> Facts {
        let mut facts = example::with_packages();
        let mut broken = example::venv(VENV);
        broken.interpreters = vec![path(VENV).join("bin/python")];
        let mut dangling = example::interpreter(&format!("{VENV}/bin/python"), Some(VENV));
        dangling.links.hops = vec![path(VENV).join("bin/python"), path("/nope/python3.11")];
        dangling.links.end = LinkEnd::Missing;
        facts.interpreters.retain(|known| !known.path.is_within(&path(VENV)));
        facts.interpreters.push(dangling);
        facts.interpreters.push(example::interpreter(&format!("{OTHER}/bin/python"), Some(OTHER)));
        facts.environments.retain(|known| !known.is_at(&path(VENV)));
        facts.environments.extend([broken, example::venv(OTHER)]);
        facts.packages[0].environment = path(OTHER);
        example::set_variable(&mut facts, "VIRTUAL_ENV", OTHER);
        example::set_search_path(&mut facts, "/opt/venv/bin:/usr/bin");
        facts
    }

    fn found(facts: &Facts) -> Vec<Finding> {
        examine(facts, &[&dangling_interpreter::CHECK, &missing_requirement::CHECK], Vec::new()).findings
    }

    #[test]
    fn a_broken_environment_is_information_where_the_shell_works_in_a_whole_one() {
        let found = found(&beside_a_broken_one());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].severity, Severity::Info);
        assert!(
            matches!(&found[0].remedies[..], [Remedy { actions, .. }] if matches!(actions[..], [Action::Advice(_)]))
        );
    }

    #[test]
    fn it_is_an_error_where_the_shells_own_lacks_something_or_nothing_tells() {
        let mut facts = beside_a_broken_one();
        facts.packages[0].sites.iter_mut().for_each(|site| {
            site.distributions.clear();
            site.modules.clear();
        });
        assert_eq!(found(&facts)[0].severity, Severity::Error);
        let mut facts = beside_a_broken_one();
        facts.project.requirements.clear();
        assert_eq!(found(&facts)[0].severity, Severity::Error);
    }

    #[test]
    fn one_that_git_keeps_is_broken_for_everyone() {
        let mut facts = beside_a_broken_one();
        let (top, directory) = (path(example::PROJECT), path(example::PROJECT).join(".git"));
        facts.project.git = Some(crate::facts::project::Git { top, directory });
        example::venv_of(&mut facts).tracked_files = Some(12);
        let checks = [&dangling_interpreter::CHECK, &versioned_environment::CHECK];
        let found = examine(&facts, &checks, Vec::new()).findings;
        assert_eq!((found[0].check, found[0].severity), ("versioned-environment", Severity::Warning));
    }

    #[test]
    fn the_base_of_conda_has_it_by_luck() {
        let mut facts = beside_a_broken_one();
        for known in facts.environments.iter_mut().filter(|known| known.is_at(&path(OTHER))) {
            known.kind = crate::facts::environment::EnvironmentKind::Conda;
        }
        example::set_variable(&mut facts, "CONDA_PREFIX", OTHER);
        example::set_variable(&mut facts, "CONDA_DEFAULT_ENV", "base");
        assert!(facts.is_conda_base(facts.environment(&path(OTHER)).unwrap()));
        assert!(working(&facts).is_none());
    }

    #[test]
    fn what_uv_is_told_to_use_needs_no_list() {
        let mut facts = beside_a_broken_one();
        facts.project.requirements.clear();
        for environment in facts.environments.iter_mut().filter(|known| known.is_at(&path(OTHER))) {
            environment.origins.push(Origin::Variable("UV_PROJECT_ENVIRONMENT".into()));
        }
        assert_eq!(found(&facts)[0].severity, Severity::Info);
    }

    #[test]
    fn one_that_is_active_is_no_bystander() {
        let mut facts = beside_a_broken_one();
        example::set_variable(&mut facts, "VIRTUAL_ENV", VENV);
        assert_eq!(found(&facts)[0].severity, Severity::Error);
    }
}
