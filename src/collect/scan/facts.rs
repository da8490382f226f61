//! The facts of one environment that was found, without a shell around it.

use std::sync::OnceLock;

use super::remembered::Common;
use crate::collect::environment::{Depth, environment};
use crate::collect::{
    installations, interpreter, inventory, packages, places::Places, search_path, shell, synced,
};
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::interpreter::Installation;
use crate::facts::platform::Surroundings;
use crate::facts::project::Project;
use crate::facts::search_path::{Command, SearchPath};
use crate::facts::shell::{Shell, ShellKind};
use crate::facts::{Facts, Gathered, Origin, import_setup::ImportSetup};
use crate::host::Host;
use crate::path::HostPath;

/// So many interpreters of one environment are looked at.
const MOST_INTERPRETERS: usize = 8;
/// Programs that a remedy may call.
const MAKERS: [&str; 8] = ["uv", "virtualenv", "poetry", "pdm", "pipenv", "hatch", "conda", "pyenv"];

/// What all environments of the machine share.
pub struct Machine<'a> {
    pub host: &'a dyn Host,
    pub places: Places<'a>,
    pub today: Option<(i32, u32, u32)>,
    pub common: Common,
    /// Asked for only when there is something to mend.
    repair: OnceLock<Repair>,
}

/// What remedies are made of.
pub struct Repair {
    pub installations: Vec<Installation>,
    pub commands: Vec<Command>,
    pub shell: Option<ShellKind>,
}

impl<'a> Machine<'a> {
    pub fn new(host: &'a dyn Host, places: Places<'a>, today: Option<(i32, u32, u32)>) -> Machine<'a> {
        Machine { host, places, today, common: Common::new(host), repair: OnceLock::new() }
    }

    pub fn repair(&self) -> &Repair {
        self.repair.get_or_init(|| {
            let path = self.host.variable("PATH");
            let search_path = search_path::search_path(self.host, path.as_deref());
            let (shell, ..) = shell::shell(self.host);
            Repair {
                installations: installations::installations(self.host, &search_path, &self.places),
                commands: search_path::commands(self.host, &search_path, &MAKERS),
                shell: shell.kind,
            }
        })
    }

    /// Everything that the checks of one environment ask for.
    pub fn facts(&self, host: &dyn Host, root: &HostPath) -> Facts {
        let depth = Depth { scripts: true, installed: true };
        let mut environment = environment(host, root, vec![Origin::Argument], depth);
        if environment.is_venv() {
            let has_debris = environment.libraries.iter().any(|library| library.has_debris);
            environment.synced = synced::synced_folder(root, host, has_debris);
        }
        let interpreters = environment
            .interpreters
            .iter()
            .take(MOST_INTERPRETERS)
            .map(|path| interpreter::interpreter(host, path, vec![Origin::Argument], None))
            .collect();
        let packages = self.packages(host, &environment).into_iter().collect();
        Facts {
            platform: host.platform().clone(),
            user: host.user().clone(),
            home: self.places.home.cloned(),
            surroundings: Surroundings::default(),
            working_directory: None,
            directory: None,
            shell: Shell::default(),
            search_path: SearchPath::default(),
            user_scripts: None,
            commands: Vec::new(),
            patient: Some(environment.root.clone()),
            environments: vec![environment],
            packages,
            native: Vec::new(),
            interpreters,
            installations: Vec::new(),
            project: Project::default(),
            import_setup: ImportSetup::default(),
            installers: Gathered::NotAsked,
            tools: Gathered::NotAsked,
            today: self.today,
            commit: Gathered::NotAsked,
            notes: Vec::new(),
        }
    }

    /// Adds what only remedies need.
    pub fn complete(&self, host: &dyn Host, facts: &mut Facts) {
        let repair = self.repair();
        facts.installations.clone_from(&repair.installations);
        facts.commands.clone_from(&repair.commands);
        facts.shell.kind = repair.shell;
        for environment in &mut facts.environments {
            inventory::complete(host, environment);
        }
    }

    /// Of an installation only what a person put there himself can be wrong: its distributor's packages are left out.
    fn packages(
        &self,
        host: &dyn Host,
        environment: &Environment,
    ) -> Option<crate::facts::distribution::Packages> {
        if !environment.is_venv() && environment.kind != EnvironmentKind::Conda {
            return None;
        }
        let variables = packages::Variables::default();
        let question = packages::Question {
            environment,
            variables: &variables,
            compare: false,
            given_up: None,
            tags: false,
        };
        let mut packages = packages::packages(host, question);
        packages::complete(host, &mut packages, environment, None);
        Some(packages)
    }
}
