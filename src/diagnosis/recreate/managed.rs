//! Environments that a project's manager keeps: made anew by it, or for it at the place where it looks.

use super::{Maker, ShellSteps, install, make, maker};
use crate::diagnosis::manager::Managed;
use crate::diagnosis::{Action, Word};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::facts::interpreter::Installation;
use crate::facts::project::ManagerKind;
use crate::path::HostPath;

impl Managed {
    /// Makes the environment anew, has the manager install what it knows of, then what was written down besides.
    pub fn actions(
        self,
        facts: &Facts,
        environment: &Environment,
        base: Option<&Installation>,
        saved: Option<&HostPath>,
    ) -> Vec<Action> {
        if self.store {
            return self.in_its_store(facts, environment, base, saved);
        }
        let maker = match self.kind {
            ManagerKind::Uv => Maker::Uv,
            _ => maker(facts, environment),
        };
        let mut actions = make(facts, maker, environment, base);
        let steps = ShellSteps::of(facts, environment);
        actions.extend(steps.before);
        // where the environment is active, the manager takes it for its own
        actions.extend(self.synchronize().map(Action::Run));
        actions.extend(saved.map(|file| install(maker, environment, file)));
        actions.extend(steps.after);
        actions
    }

    /// The manager is asked where no environment is active: it would take the active one for its own.
    fn in_its_store(
        self,
        facts: &Facts,
        environment: &Environment,
        base: Option<&Installation>,
        saved: Option<&HostPath>,
    ) -> Vec<Action> {
        let root = &environment.root;
        let mut actions: Vec<Action> =
            facts.shell.path_variable("VIRTUAL_ENV").map(super::taken_out).into_iter().collect();
        actions.push(Action::run(["rm".into(), "-rf".into(), Word::from(root)]));
        let python = base.map(|base| Word::from(&base.interpreter));
        let with = |words: &[&str], python: Word| {
            Action::Run(words.iter().map(|word| Word::from(*word)).chain([python]).collect())
        };
        let name = self.hatch_name(facts, root);
        let run: Vec<Word> = match self.kind {
            ManagerKind::Poetry => {
                actions.extend(python.map(|python| with(&["poetry", "env", "use"], python)));
                actions.extend(self.synchronize().map(Action::Run));
                ["poetry", "run"].map(Word::from).into()
            }
            ManagerKind::Pipenv => {
                let python = python.into_iter().flat_map(|python| ["--python".into(), python]);
                let words = self.synchronize().into_iter().flatten().chain(python);
                actions.push(Action::Run(words.collect()));
                ["pipenv", "run"].map(Word::from).into()
            }
            ManagerKind::Pdm => {
                actions.extend(python.map(|python| with(&["pdm", "use", "-f"], python)));
                actions.extend(self.synchronize().map(Action::Run));
                ["pdm", "run"].map(Word::from).into()
            }
            _ => {
                actions.push(with(&["hatch", "env", "create"], Word::from(&name)));
                let mut run = ["hatch", "-e"].map(Word::from).to_vec();
                run.extend([Word::from(&name), "run".into()]);
                run
            }
        };
        let new = self.new_root(environment, base);
        if let Some(file) = saved {
            actions.push(match environment.has_pip() {
                true => {
                    let pip = ["python", "-m", "pip", "install", "-r"].map(Word::from);
                    Action::Run(run.into_iter().chain(pip).chain([Word::from(file)]).collect())
                }
                false => super::install_at(Maker::Uv, &new, file),
            });
        }
        actions.push(Action::activate_new(&new));
        actions
    }

    /// Hatch's default environment bears the project's name.
    fn hatch_name(self, facts: &Facts, root: &HostPath) -> String {
        let name = root.name().into_owned();
        let project = match &facts.project.name {
            Some(name) => Some(crate::parse::names::normalize_name(name)),
            None => facts.project.root.as_ref().map(|root| root.name().into_owned()),
        };
        if project.is_none_or(|project| project == name) { "default".to_owned() } else { name }
    }

    /// Poetry's names end in the minor version, as in `shop-Ox6NoeEH-py3.12`; PDM's in `-3.12`.
    fn new_root(self, environment: &Environment, base: Option<&Installation>) -> HostPath {
        let root = &environment.root;
        let ending = match self.kind {
            ManagerKind::Poetry => "-py",
            ManagerKind::Pdm => "-",
            _ => return root.clone(),
        };
        let name = root.name();
        let renamed = name.rsplit_once(ending).and_then(|(stem, minor)| {
            let is_minor = minor.split_once('.').is_some_and(|(major, minor)| {
                let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                number(major) && number(minor)
            });
            let version = base?.version.filter(|_| is_minor)?;
            Some(root.parent()?.join(format!("{stem}{ending}{}", version.minor_text())))
        });
        renamed.unwrap_or_else(|| root.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::recreate::recreate;
    use crate::diagnosis::recreate::tests::words as run;
    use crate::facts::Origin;
    use crate::facts::example::{self, path};
    use crate::facts::interpreter::Version;
    use crate::facts::project::Manager;

    /// A broken machine whose project is managed, its environment at `root`, found by the manager's own rule.
    fn managed_at(kind: ManagerKind, root: &str, active: bool) -> Facts {
        let mut facts = example::healthy();
        let evidence = path("/home/me/project/pyproject.toml");
        facts.project.managers = vec![Manager { kind, evidence, available: true }];
        let environment = example::venv_of(&mut facts);
        environment.root = path(root);
        environment.origins = vec![Origin::Tool(kind.label().to_owned())];
        environment.script_directory = Some(path(root).join("bin"));
        facts.project.environments = vec![path(root)];
        facts.shell.variables.retain(|(name, _)| name != "VIRTUAL_ENV");
        if active {
            facts.shell.variables.push(("VIRTUAL_ENV".to_owned(), root.into()));
        }
        facts
    }

    #[test]
    fn what_the_lock_does_not_know_is_installed_besides() {
        let facts = managed_at(ManagerKind::Uv, example::VENV, true);
        assert_eq!(
            run(&recreate(&facts, &facts.environments[0])),
            [
                r#"["six==1.16.0"]"#,
                "uv venv --clear --seed --python /usr/bin/python3.11 /home/me/project/.venv",
                "uv sync",
                "uv pip install --python /home/me/project/.venv/bin/python -r /home/me/project/venv-packages.txt",
            ]
        );
    }

    #[test]
    fn poetry_makes_its_own_under_the_name_of_the_new_version() {
        let root = "/home/me/.cache/pypoetry/virtualenvs/shop-Ox6NoeEH-py3.11";
        let mut facts = managed_at(ManagerKind::Poetry, root, true);
        facts.installations[0].version = Some(Version::new(3, 13, None));
        let remedy = recreate(&facts, &facts.environments[0]);
        assert_eq!(
            run(&remedy)[1..],
            [
                format!("rm -rf {root}"),
                "poetry env use /usr/bin/python3.11".to_owned(),
                "poetry install".to_owned(),
                format!("poetry run python -m pip install -r {root}-packages.txt"),
            ]
        );
        assert!(matches!(&remedy.actions[1], Action::Deactivate { .. }), "{remedy:?}");
        let Some(Action::Activate { root, .. }) = remedy.actions.last() else { panic!("{remedy:?}") };
        assert_eq!(root.name(), "shop-Ox6NoeEH-py3.13");
    }

    #[test]
    fn pipenv_is_given_the_python_and_hatch_the_environment() {
        let facts = managed_at(ManagerKind::Pipenv, "/home/me/.local/share/virtualenvs/project-F", false);
        let commands = run(&recreate(&facts, &facts.environments[0]));
        assert_eq!(commands[2], "pipenv install --dev --python /usr/bin/python3.11");
        let facts = managed_at(ManagerKind::Hatch, "/home/me/.local/share/hatch/env/virtual/p/x/docs", false);
        let mut commands = run(&recreate(&facts, &facts.environments[0]));
        assert_eq!(commands.remove(2), "hatch env create docs");
        assert!(commands[2].starts_with("hatch -e docs run python -m pip install -r "), "{commands:?}");
    }

    #[test]
    fn one_in_the_project_is_made_by_its_maker_and_filled_by_the_manager() {
        let mut facts = managed_at(ManagerKind::Poetry, example::VENV, true);
        facts.environments[0].origins = vec![Origin::FoundUpwards { from: path("/home/me/project") }];
        let commands = run(&recreate(&facts, &facts.environments[0]));
        assert_eq!(commands[1], "/usr/bin/python3.11 -m venv --clear /home/me/project/.venv");
        assert_eq!(commands[2], "poetry install");
    }
}
