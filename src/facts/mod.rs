//! What is true of the machine, as plain serialisable values. Gathered once, then frozen: checks read
//! nothing else.

use serde::{Deserialize, Serialize};

use crate::parse::names::normalize_name;
use crate::path::HostPath;

pub mod activation;
pub mod commit;
pub mod contents;
pub mod distribution;
pub mod elsewhere;
pub mod environment;
#[cfg(test)]
pub mod example;
pub mod fleet;
pub mod import_setup;
pub mod installation;
pub mod installers;
pub mod interpreter;
pub mod native;
pub mod platform;
pub mod project;
pub mod requirement;
pub mod search_path;
pub mod shell;
pub mod tools;

use commit::Commit;
use distribution::Packages;
use environment::Environment;
use import_setup::ImportSetup;
use installers::Installers;
use interpreter::{Installation, Interpreter, Version};
use native::Native;
use platform::{Platform, Surroundings, User};
use project::Project;
use search_path::{Command, SearchPath, UserScripts};
use shell::Shell;
use tools::Tools;

/// A fact that may not have been asked for, or could not be learnt. "Not asked" is never "fine".
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gathered<T> {
    #[default]
    NotAsked,
    Known(T),
    Unknown {
        why: String,
    },
}

impl<T> Gathered<T> {
    pub fn known(&self) -> Option<&T> {
        match self {
            Gathered::Known(value) => Some(value),
            _ => None,
        }
    }
}

/// How the doctor learnt of a path. It travels with the path; the wording of a message follows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// `VIRTUAL_ENV`, `CONDA_PREFIX`, `UV_PROJECT_ENVIRONMENT`...
    Variable(String),
    /// The directory with this index in `PATH` is its `bin`.
    SearchPath(usize),
    /// A line of a file names it: `pyvenv.cfg`, `.pdm-python`, `envs.toml`.
    ConfigKey { file: HostPath, line: usize, key: String },
    /// It lies in this directory, at or above the working directory.
    FoundUpwards { from: HostPath },
    /// A tool keeps it for this project in a place of its own.
    Tool(String),
    /// Named on the command line.
    Argument,
    /// The interpreter itself said so.
    Probe,
    /// An entry script's first line names it.
    Shebang { script: HostPath },
}

/// Everything that the checks may know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    pub platform: Platform,
    pub user: User,
    pub home: Option<HostPath>,
    pub surroundings: Surroundings,
    /// None when it was deleted or cannot be read.
    pub working_directory: Option<HostPath>,
    /// The directory that was asked about: the working directory, or the argument.
    pub directory: Option<HostPath>,
    pub shell: Shell,
    pub search_path: SearchPath,
    /// None where the user base has no directory for scripts.
    pub user_scripts: Option<UserScripts>,
    /// `python`, `python3`, `pip`, `pip3`, then the versioned names and tools that were found.
    pub commands: Vec<Command>,
    /// Every environment that anything above leads to. No two have the same real root.
    pub environments: Vec<Environment>,
    /// What is installed for the patient, and for the environment that the shell's python runs in where that is another.
    pub packages: Vec<Packages>,
    /// The compiled code of the patient.
    pub native: Vec<Native>,
    /// Every interpreter that was looked at: the commands' and the environments'.
    pub interpreters: Vec<Interpreter>,
    /// Pythons on this machine that an environment could be made from; looked for where there is something to mend.
    pub installations: Vec<Installation>,
    pub project: Project,
    pub import_setup: ImportSetup,
    pub installers: Gathered<Installers>,
    /// What else names an interpreter: kernels, editors, applications, hooks.
    pub tools: Gathered<Tools>,
    /// What is about to be committed, where that was asked for.
    pub commit: Gathered<Commit>,
    /// The root of the environment under examination: the one named on the command line, else the project
    /// environment, else the active one, else that of the shell's python.
    pub patient: Option<HostPath>,
    /// Year, month and day. None: this machine's clock was not asked.
    pub today: Option<(i32, u32, u32)>,
    /// What could not be looked at or was not run, and why: for `-v`.
    pub notes: Vec<String>,
}

impl Facts {
    pub fn command(&self, name: &str) -> Option<&Command> {
        self.commands.iter().find(|command| command.name == name)
    }

    /// Whether the search path has a program of this name, which is among those that are looked for.
    pub fn has_command(&self, name: &str) -> bool {
        self.command(name).is_some_and(|command| command.chosen().is_some())
    }

    /// What the shell would run for `python`, else for `python3`.
    pub fn shell_python(&self) -> Option<&Command> {
        ["python", "python3"]
            .iter()
            .filter_map(|name| self.command(name))
            .find(|command| command.chosen().is_some())
    }

    /// The environment at this root, by spelling or by real path.
    pub fn environment(&self, root: &HostPath) -> Option<&Environment> {
        self.environments.iter().find(|environment| environment.is_at(root))
    }

    pub fn interpreter(&self, path: &HostPath) -> Option<&Interpreter> {
        self.interpreters.iter().find(|interpreter| interpreter.path.same_as(path))
    }

    pub fn patient(&self) -> Option<&Environment> {
        self.environment(self.patient.as_ref()?)
    }

    /// The environment under examination and what is installed for it, where that was gathered.
    pub fn patient_packages(&self) -> Option<(&Environment, &Packages)> {
        let environment = self.patient()?;
        let packages = self.packages.iter().find(|packages| environment.is_at(&packages.environment))?;
        Some((environment, packages))
    }

    /// Whether a compiled module of this distribution (normalised name) was built for another Python or platform.
    pub fn is_unfit(&self, root: &HostPath, distribution: &str) -> bool {
        self.native.iter().filter(|native| native.environment.same_as(root)).any(|native| {
            native.unfit.iter().any(|module| {
                module.owner.as_ref().is_some_and(|owner| normalize_name(&owner.name) == distribution)
            })
        })
    }

    /// What is installed for the environment at this root.
    pub fn packages(&self, root: &HostPath) -> Option<&Packages> {
        self.packages.iter().find(|packages| packages.environment.same_as(root))
    }

    /// What `VIRTUAL_ENV` claims, else `CONDA_PREFIX`, whether or not `PATH` agrees.
    pub fn active(&self) -> Option<&Environment> {
        ["VIRTUAL_ENV", "CONDA_PREFIX"].iter().find_map(|name| {
            let value = self.shell.path_variable(name)?;
            self.environment(&value)
        })
    }

    /// The environment's own interpreters, those that answer to `python` first.
    pub fn interpreters_of<'a>(
        &'a self,
        environment: &'a Environment,
    ) -> impl Iterator<Item = &'a Interpreter> {
        let of = |unversioned: bool| {
            environment
                .interpreters
                .iter()
                .filter_map(|path| self.interpreter(path))
                .filter(move |interpreter| interpreter.is_unversioned() == unversioned)
        };
        of(true).chain(of(false))
    }

    /// The interpreter that stands for the environment: `python`, else `python3`, else any.
    pub fn interpreter_of<'a>(&'a self, environment: &'a Environment) -> Option<&'a Interpreter> {
        self.interpreters_of(environment)
            .find(|interpreter| interpreter.command_name() == "python")
            .or_else(|| self.interpreters_of(environment).next())
    }

    /// Whether one of the environment's interpreters was started and answered.
    pub fn answers(&self, environment: &Environment) -> bool {
        self.interpreters_of(environment).any(|interpreter| interpreter.probe.report().is_some())
    }

    /// Pythons of this machine that have the same directory of packages as `version`.
    pub fn installations_of(&self, version: Version) -> impl Iterator<Item = &Installation> {
        self.installations
            .iter()
            .filter(move |installation| installation.version.is_some_and(|found| found.same_minor(version)))
    }

    /// Whether work here depends on it now: it is under examination, active, on the search path, or the project's
    /// first.
    pub fn in_use(&self, environment: &Environment) -> bool {
        let is = |root: Option<&HostPath>| root.is_some_and(|root| environment.is_at(root));
        let same = |other: Option<&Environment>| is(other.map(|other| &other.root));
        is(self.patient.as_ref())
            || same(self.active())
            || same(self.running())
            || is(self.project.environments.first())
            || environment.origins.contains(&Origin::Argument)
            || self.search_path.entries.iter().any(|entry| is(entry.environment.as_ref()))
    }

    /// Environments of this shell, this project, or that were asked about. Those that only a tool or an entry script
    /// leads to are not among them.
    pub fn own_environments(&self) -> impl Iterator<Item = &Environment> {
        self.environments.iter().filter(|environment| {
            environment.exists()
                && (self.in_use(environment)
                    || environment.origins.iter().any(|origin| {
                        matches!(
                            origin,
                            Origin::Variable(_) | Origin::SearchPath(_) | Origin::FoundUpwards { .. }
                        )
                    }))
        })
    }

    /// The environment that belongs to the project around the working directory, best first.
    pub fn project_environments(&self) -> impl Iterator<Item = &Environment> {
        self.project.environments.iter().filter_map(|root| self.environment(root))
    }

    /// The environment that the shell's `python` (else `python3`) runs in.
    pub fn running(&self) -> Option<&Environment> {
        self.environment_of(self.shell_python()?)
    }

    /// The project's own environment that can be used here, best first.
    pub fn usable_project_environment(&self) -> Option<&Environment> {
        self.project_environments().find(|environment| self.starts(environment))
    }

    /// Whether `PATH` holds the environment's script directory.
    pub fn on_search_path(&self, environment: &Environment) -> bool {
        self.search_path.entries.iter().any(|entry| {
            entry.environment.as_ref().is_some_and(|root| environment.is_at(root))
                || entry
                    .directory
                    .as_ref()
                    .zip(environment.script_directory.as_ref())
                    .is_some_and(|(directory, scripts)| directory.same_as(scripts))
        })
    }

    /// The environment that this shell works in: the active one, else a venv that its python runs in.
    pub fn working_environment(&self) -> Option<&Environment> {
        self.active()
            .filter(|environment| environment.exists())
            .or_else(|| self.running().filter(|environment| environment.is_venv()))
    }

    /// The environment that an interpreter at this path works in.
    pub fn environment_at(&self, interpreter: &HostPath) -> Option<&Environment> {
        let known = self.interpreter(interpreter).and_then(|interpreter| interpreter.environment.clone());
        let root = known.or_else(|| interpreter.parent()?.parent())?;
        self.environment(&root)
    }

    /// The environment that a command leads to.
    pub fn environment_of(&self, command: &Command) -> Option<&Environment> {
        self.environment(command.chosen()?.leads_to.environment()?)
    }
}
