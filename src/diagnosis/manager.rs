//! The tool that manages the project, where it keeps an environment, and what it is told.

use super::Word;
use crate::facts::environment::Environment;
use crate::facts::project::ManagerKind;
use crate::facts::{Facts, Origin};

/// What keeps an environment, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Managed {
    pub kind: ManagerKind,
    /// In a place that only the manager knows how to name, outside the project.
    pub store: bool,
}

/// Those that keep an environment for a project; the first that does and whose program is there counts.
const KEEPERS: [ManagerKind; 6] = [
    ManagerKind::Uv,
    ManagerKind::Poetry,
    ManagerKind::Pdm,
    ManagerKind::Pipenv,
    ManagerKind::Hatch,
    ManagerKind::Pixi,
];

/// The project's manager, where it keeps this environment and its program is there. An environment of the project that
/// somebody made beside it under another name is not the manager's, unless it takes the active one for its own.
pub fn managed(facts: &Facts, environment: &Environment) -> Option<Managed> {
    if !facts.project.environments.iter().any(|root| environment.is_at(root)) {
        return None;
    }
    let by_origin = |kind: ManagerKind| {
        environment.origins.iter().any(|origin| match origin {
            Origin::Tool(tool) => tool == kind.label(),
            Origin::ConfigKey { key, .. } => kind == ManagerKind::Pdm && key == ".pdm-python",
            Origin::Variable(name) => kind == ManagerKind::Uv && name == "UV_PROJECT_ENVIRONMENT",
            _ => false,
        })
    };
    let in_project = environment.root.name() == ".venv";
    let active = facts.claimed().is_some_and(|claimed| environment.is_at(&claimed.root));
    let keeps = |kind: ManagerKind| match kind {
        ManagerKind::Poetry | ManagerKind::Pipenv => by_origin(kind) || in_project || active,
        ManagerKind::Uv | ManagerKind::Pdm => by_origin(kind) || in_project,
        _ => by_origin(kind),
    };
    let available = facts.project.managers.iter().filter(|manager| manager.available);
    let kind = available.map(|manager| manager.kind).find(|kind| KEEPERS.contains(kind) && keeps(*kind))?;
    // pdm may point to an environment that somebody else made
    let store = environment.origins.iter().any(|it| matches!(it, Origin::Tool(tool) if tool == kind.label()));
    Some(Managed { kind, store: store && !in_project && kind != ManagerKind::Uv })
}

impl Managed {
    /// The command that brings in what the project declares. None for a manager that does so by itself whenever it is
    /// used.
    pub fn synchronize(self) -> Option<Vec<Word>> {
        let words: &[&str] = match self.kind {
            ManagerKind::Uv => &["uv", "sync"],
            ManagerKind::Poetry => &["poetry", "install"],
            ManagerKind::Pdm => &["pdm", "install"],
            // `sync` refuses where there is no lock; a lock that is up to date stays as it is
            ManagerKind::Pipenv => &["pipenv", "install", "--dev"],
            ManagerKind::Pixi => &["pixi", "install"],
            _ => return None,
        };
        Some(words.iter().copied().map(Word::from).collect())
    }

    /// The command that brings in the extras and groups, too.
    pub fn synchronize_all(self) -> Option<Vec<Word>> {
        let words: &[&str] = match self.kind {
            ManagerKind::Uv => &["uv", "sync", "--all-extras", "--all-groups"],
            ManagerKind::Poetry => &["poetry", "install", "--all-extras"],
            ManagerKind::Pdm => &["pdm", "install", "--group", ":all"],
            _ => return self.synchronize(),
        };
        Some(words.iter().copied().map(Word::from).collect())
    }

    /// The command that adds a requirement to the project and installs it. None for a manager that has none.
    pub fn add_requirement(self, requirement: &str) -> Option<Vec<Word>> {
        let words: &[&str] = match self.kind {
            ManagerKind::Uv => &["uv", "add"],
            ManagerKind::Poetry => &["poetry", "add"],
            ManagerKind::Pdm => &["pdm", "add"],
            ManagerKind::Pipenv => &["pipenv", "install"],
            ManagerKind::Pixi => &["pixi", "add", "--pypi"],
            _ => return None,
        };
        Some(words.iter().copied().chain([requirement]).map(Word::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{self, path};
    use crate::facts::project::Manager;

    /// A project of these managers, with one environment that was found by its name.
    fn beside(kinds: &[ManagerKind], root: &str, active: bool) -> Option<ManagerKind> {
        let mut facts = if active { example::healthy() } else { example::not_activated() };
        let manager = |kind: &ManagerKind| Manager {
            kind: *kind,
            evidence: path("/home/me/project/x"),
            available: true,
        };
        facts.project.managers = kinds.iter().map(manager).collect();
        let environment = example::venv_of(&mut facts);
        environment.root = path(root);
        environment.real = None;
        environment.origins = vec![Origin::FoundUpwards { from: path(example::PROJECT) }];
        facts.project.environments = vec![path(root)];
        if active {
            example::set_variable(&mut facts, "VIRTUAL_ENV", root);
        }
        managed(&facts, &facts.environments[0]).map(|managed| managed.kind)
    }

    #[test]
    fn an_environment_of_another_name_is_none_of_the_managers() {
        let env = "/home/me/project/env";
        for kind in KEEPERS {
            assert_eq!(beside(&[kind], env, false), None, "{kind:?}");
        }
        // uv passes over it, poetry works in it
        assert_eq!(beside(&[ManagerKind::Uv], env, true), None);
        assert_eq!(beside(&[ManagerKind::Poetry], env, true), Some(ManagerKind::Poetry));
    }

    #[test]
    fn the_first_that_keeps_environments_counts() {
        let kinds = [ManagerKind::Tox, ManagerKind::Hatch, ManagerKind::Pdm, ManagerKind::Uv];
        assert_eq!(beside(&kinds, example::VENV, false), Some(ManagerKind::Pdm));
        assert_eq!(beside(&kinds[..2], example::VENV, true), None);
    }
}
