//! Questions about what is active, what runs instead, and whose environment it is.

use super::environment::{BakedState, Environment, EnvironmentKind, Layout};
use super::project::Manager;
use super::search_path::{Command, Hit, HitState, SearchEntry, Target};
use super::{Facts, Origin};
use crate::parse::names::normalize_name;
use crate::parse::shebang::is_python_name;
use crate::path::{Flavour, HostPath};

/// A distribution that the project needs, and where the project says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed<'a> {
    pub name: &'a str,
    pub file: &'a HostPath,
    pub line: Option<usize>,
}

impl Facts {
    /// What `VIRTUAL_ENV` names, whatever is there.
    pub fn claimed(&self) -> Option<&Environment> {
        self.environment(&self.shell.path_variable("VIRTUAL_ENV")?)
    }

    /// The conda environment that `CONDA_PREFIX` names, unless it is the base that every shell starts with.
    pub fn chosen_conda(&self) -> Option<&Environment> {
        self.environment(&self.shell.path_variable("CONDA_PREFIX")?).filter(|environment| {
            environment.kind == EnvironmentKind::Conda && !self.is_conda_base(environment)
        })
    }

    /// Conda's `base`, which `conda init` activates in every new shell.
    pub fn is_conda_base(&self, environment: &Environment) -> bool {
        if environment.kind != EnvironmentKind::Conda {
            return false;
        }
        let named = self.shell.path_variable("CONDA_PREFIX").filter(|prefix| environment.is_at(prefix));
        match (named, self.shell.set("CONDA_DEFAULT_ENV")) {
            (Some(_), Some(name)) => name == "base",
            _ => {
                let name = environment.root.name().to_lowercase();
                ["conda", "mamba", "miniforge"].iter().any(|word| name.contains(word))
                    && environment.root.parent().is_none_or(|parent| parent.name() != "envs")
            }
        }
    }

    /// A venv, or a conda environment that somebody chose.
    pub fn is_chosen(&self, environment: &Environment) -> bool {
        environment.is_venv()
            || (environment.kind == EnvironmentKind::Conda && !self.is_conda_base(environment))
    }

    /// The best of the project's environments.
    pub fn own_environment(&self) -> Option<&Environment> {
        self.project_environments().next()
    }

    /// Whether two roots are the same environment, by spelling or by real path.
    pub fn same_environment(&self, left: &HostPath, right: &HostPath) -> bool {
        left.same_as(right) || self.environment(left).is_some_and(|environment| environment.is_at(right))
    }

    /// The first entry of `PATH` that is this environment's directory of programs.
    pub fn search_entry(&self, environment: &Environment) -> Option<&SearchEntry> {
        let directory = environment.program("");
        let real = environment.real.as_ref().map(|real| real.join(directory.normalized().name().as_bytes()));
        self.search_path.entries.iter().find(|entry| {
            entry.environment.as_ref().is_some_and(|root| environment.is_at(root))
                || [&entry.directory, &entry.real].into_iter().flatten().any(|place| {
                    place.same_as(&directory) || real.as_ref().is_some_and(|real| place.same_as(real))
                })
        })
    }

    /// Whether one of its interpreters can start and finds the packages that were installed for it. A Windows
    /// environment never does elsewhere, even where every file is executable.
    pub fn starts(&self, environment: &Environment) -> bool {
        let windows = self.platform.flavour() == Flavour::Windows;
        let foreign = environment.layout == Layout::Windows && !windows;
        // nothing else is a program there: `bin/python3.12` came from another system
        let is_program = |path: &HostPath| !windows || path.name().to_ascii_lowercase().ends_with(".exe");
        environment.exists()
            && !foreign
            && environment.kind != EnvironmentKind::Remains
            && environment.interpreters.iter().filter_map(|path| self.interpreter(path)).any(|interpreter| {
                interpreter.can_start()
                    && is_program(&interpreter.path)
                    && (environment.libraries.is_empty()
                        || interpreter.version.is_none_or(|version| {
                            environment
                                .libraries
                                .iter()
                                .any(|library| library.version.is_none_or(|built| built.same_minor(version)))
                        }))
            })
    }

    /// Whether the environment that `VIRTUAL_ENV` names is there and cannot do its work.
    pub fn claims_broken_environment(&self) -> bool {
        self.claimed().is_some_and(|claimed| claimed.is_venv() && !self.starts(claimed))
    }

    /// Whether activating it would give this shell a Python that starts: it has activate scripts, and they name it.
    pub fn can_be_activated(&self, environment: &Environment) -> bool {
        self.starts(environment)
            && match environment.kind {
                EnvironmentKind::Conda => true,
                _ => {
                    !environment.activators.is_empty()
                        && environment
                            .activators
                            .iter()
                            .all(|script| script.root_state.is_none_or(|state| state == BakedState::Own))
                }
            }
    }

    /// Whether an environment is one of the project's, by place, name or content.
    pub fn belongs_to_project(&self, environment: &Environment) -> bool {
        let Some(project) = &self.project.root else { return false };
        let listed = self.project.environments.iter().any(|root| environment.is_at(root));
        let configured =
            self.shell.path_variable("UV_PROJECT_ENVIRONMENT").is_some_and(|root| environment.is_at(&root));
        let name = normalize_name(&environment.root.name());
        let named = self.project.name.as_ref().is_some_and(|project| normalize_name(project) == name);
        let pinned = self.project.pins.iter().any(|pin| pin.text.trim() == environment.root.name());
        listed || configured || named || pinned || self.belongs_to(environment, project)
    }

    /// Whether an environment is that of the project at `root`: it lies there, is called like it, or has it installed.
    pub fn belongs_to(&self, environment: &Environment, root: &HostPath) -> bool {
        let inside = environment.root.is_within(root)
            || environment.real.as_ref().is_some_and(|real| real.is_within(root));
        let named = normalize_name(&environment.root.name()) == normalize_name(&root.name());
        let installed_in_it = environment.installed.iter().any(|distribution| {
            distribution.editable.as_ref().is_some_and(|source| {
                let source = source.strip_prefix("file://").unwrap_or(source);
                HostPath::new(root.flavour(), source).is_some_and(|source| source.same_as(root))
            })
        });
        inside || named || installed_in_it
    }

    /// What the project declares or imports, `own` has installed, and `other` has not. Empty when that cannot be told.
    pub fn lacking(&self, other: &Environment, own: &Environment) -> Vec<Needed<'_>> {
        let sees_more = self.shell.set("PYTHONPATH").is_some()
            || other.venv_config().is_some_and(|config| config.include_system_site_packages());
        let unknown = other.libraries.iter().any(|library| library.site_packages_exists && !library.readable)
            || (!other.is_venv() && other.shared.known().is_none());
        if sees_more || unknown {
            return Vec::new();
        }
        let has = |environment: &Environment, name: &str| {
            let shared = environment.shared.known().into_iter().flatten();
            environment
                .installed
                .iter()
                .chain(shared)
                .any(|distribution| normalize_name(&distribution.name) == name)
        };
        let local = |name: &str| {
            self.project.name.as_ref().is_some_and(|project| normalize_name(project) == name)
                || own.installed.iter().any(|distribution| {
                    distribution.editable.is_some() && normalize_name(&distribution.name) == name
                })
        };
        let declared = self.project.dependencies.iter().map(|dependency| Needed {
            name: &dependency.name,
            file: &dependency.file,
            line: dependency.line,
        });
        let imported = self.project.imports.iter().map(|module| Needed {
            name: &module.name,
            file: &module.file,
            line: Some(module.line),
        });
        let mut lacking: Vec<Needed<'_>> = Vec::new();
        for needed in declared.chain(imported) {
            let name = normalize_name(needed.name);
            if has(own, &name)
                && !has(other, &name)
                && !local(&name)
                && !lacking.iter().any(|known| normalize_name(known.name) == name)
            {
                lacking.push(needed);
            }
        }
        lacking
    }

    /// Whether a program that comes first by its name cannot start, so that the search falls through to a later one.
    pub fn falls_through(&self, name: &str) -> bool {
        self.command(name)
            .is_some_and(|command| command.first_candidate().is_some_and(|hit| !hit.is_runnable()))
    }

    /// The tool that runs the project's programs in its environment, so that nobody needs to activate it.
    pub fn project_runner(&self) -> Option<&Manager> {
        self.project.managers.iter().find(|manager| manager.kind.runs_for_you())
    }

    /// Whether packages come into this environment without its own pip.
    pub fn installs_without_pip(&self, environment: &Environment) -> bool {
        self.project_runner().is_some_and(|manager| manager.kind.installs_by_itself())
            || environment.kind == EnvironmentKind::Conda
            || environment.origins.iter().any(|origin| matches!(origin, Origin::Tool(_)))
            || !environment.installed.is_empty()
    }
}

impl Command {
    /// The environment that the name leads to.
    pub fn leads_to(&self) -> Option<&HostPath> {
        self.chosen()?.leads_to.environment()
    }

    /// The first file of this name, runnable or not; directories of this name do not count.
    pub fn first_candidate(&self) -> Option<&Hit> {
        self.hits.iter().find(|hit| hit.state != HitState::Directory)
    }
}

impl Hit {
    /// A script in the place of an interpreter, which somebody put there on purpose.
    pub fn stands_in(&self) -> bool {
        matches!(self.leads_to, Target::Script { .. }) && is_python_name(self.path.name().as_bytes())
    }

    pub fn is_runnable(&self) -> bool {
        self.state == HitState::Runnable
    }

    /// The file, its place on `PATH`, and what it runs where that is another file.
    pub fn describe(&self) -> String {
        let place = format!("{} (entry {} of PATH)", self.path, self.entry + 1);
        match &self.leads_to {
            Target::Script { interpreter, .. } => format!("{place}, run by {interpreter}"),
            Target::Shim { program: Some(program), .. } => format!("{place}, which starts {program}"),
            Target::Shim { manager, version: Some(version), .. } => {
                format!("{place}, a shim of {} for {version}", manager.label())
            }
            Target::Shim { manager, .. } => format!("{place}, a shim of {}", manager.label()),
            Target::StoreStub => format!("{place}, which opens the Microsoft Store"),
            Target::Interpreter { .. } | Target::Unknown => place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{self, VENV, path};

    fn conda(root: &str) -> Environment {
        Environment { kind: EnvironmentKind::Conda, ..example::venv(root) }
    }

    #[test]
    fn names_are_compared_by_pep_503() {
        assert_eq!(normalize_name("Ruamel.Yaml__clib"), "ruamel-yaml-clib");
    }

    #[test]
    fn the_base_of_conda_is_not_chosen() {
        let mut facts = example::not_activated();
        for (root, base) in [
            ("/home/me/miniconda3", true),
            ("/opt/miniforge3", true),
            ("/home/me/miniconda3/envs/work", false),
            ("/srv/project/env", false),
        ] {
            assert_eq!(facts.is_conda_base(&conda(root)), base, "{root}");
        }
        example::set_variable(&mut facts, "CONDA_PREFIX", "/opt/tools");
        example::set_variable(&mut facts, "CONDA_DEFAULT_ENV", "base");
        assert!(facts.is_conda_base(&conda("/opt/tools")));
    }

    #[test]
    fn an_entry_is_found_by_any_spelling() {
        let mut facts = example::healthy();
        example::set_search_path(&mut facts, "/usr/bin:/home/me//project/./.venv/bin/");
        let index =
            facts.environment(&path(VENV)).and_then(|venv| facts.search_entry(venv)).map(|entry| entry.index);
        assert_eq!(index, Some(1));
    }

    #[test]
    fn what_is_lacking_is_told_once_and_only_when_it_is_known() {
        let facts = example::not_activated();
        let (own, system) = (&facts.environments[0], &facts.environments[1]);
        let names: Vec<&str> = facts.lacking(system, own).iter().map(|needed| needed.name).collect();
        assert_eq!(names, ["six"]);
        let mut shared = system.clone();
        shared.shared = crate::facts::Gathered::Known(own.installed.clone());
        assert!(facts.lacking(&shared, own).is_empty());
        shared.shared = crate::facts::Gathered::NotAsked;
        assert!(facts.lacking(&shared, own).is_empty());
    }

    #[test]
    fn an_environment_belongs_to_the_project_by_place_name_or_pin() {
        let mut facts = example::healthy();
        facts.project.environments.clear();
        for (root, belongs) in [
            (VENV, true),
            ("/home/me/.virtualenvs/Project", true),
            ("/home/me/.pyenv/versions/work", true),
            ("/home/me/other/.venv", false),
        ] {
            facts.project.pins = vec![crate::facts::project::Declared {
                text: "work".into(),
                file: path("/home/me/project/.python-version"),
                line: Some(1),
            }];
            assert_eq!(facts.belongs_to_project(&example::venv(root)), belongs, "{root}");
        }
    }
}
