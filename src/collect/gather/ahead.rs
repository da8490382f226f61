//! What the shell has active is nearly always what is asked about: it is read while the search path and the project
//! are searched for other environments, and taken where it proves to be wanted.

use std::sync::mpsc::{Receiver, channel};
use std::thread::{Scope, ScopedJoinHandle};

use super::{Request, packages};
use crate::collect::environment::{Depth, add_scripts, without_scripts};
use crate::diagnosis::Need;
use crate::facts::distribution::Packages;
use crate::facts::environment::Environment;
use crate::host::Host;
use crate::path::HostPath;

/// The environment of `VIRTUAL_ENV`, while it is read.
pub(super) struct Ahead<'scope> {
    root: HostPath,
    environment: Receiver<Environment>,
    packages: ScopedJoinHandle<'scope, Option<(packages::Variables, Packages)>>,
}

/// What checks ask of each environment.
pub(super) fn depth(request: &Request) -> Depth {
    Depth {
        scripts: request.needs.contains(&Need::Scripts),
        installed: request.needs.contains(&Need::Installed),
    }
}

impl<'scope> Ahead<'scope> {
    /// None where another environment is asked about.
    pub(super) fn start(
        scope: &'scope Scope<'scope, '_>,
        host: &'scope dyn Host,
        request: &'scope Request,
    ) -> Option<Ahead<'scope>> {
        if request.python.is_some() || request.configured.is_some() {
            return None;
        }
        let root = host.path_variable("VIRTUAL_ENV")?.normalized();
        let place = root.clone();
        let depth = depth(request);
        let (sender, receiver) = channel();
        let read = move || {
            let (mut environment, programs) = without_scripts(host, &place, Vec::new(), depth);
            let known = request.needs.contains(&Need::Packages).then(|| {
                // packages are not read by the list of their names, which would be long to copy
                let installed = std::mem::take(&mut environment.installed);
                let known = environment.clone();
                environment.installed = installed;
                known
            });
            let rest = move || {
                let mut environment = environment;
                if depth.scripts {
                    add_scripts(host, &mut environment, programs);
                }
                // nobody waits for it where the examination could not begin
                let _ = sender.send(environment);
            };
            let Some(environment) = known else {
                rest();
                return None;
            };
            // packages take longest
            scope.spawn(rest);
            let variables = packages::Variables::of_process(host);
            let question = super::patients_packages(request, &environment, &variables);
            let packages = packages::packages(host, question);
            Some((variables, packages))
        };
        Some(Ahead { root, environment: receiver, packages: scope.spawn(read) })
    }

    /// The environment, where it is at exactly this place.
    pub(super) fn environment(&self, root: &HostPath) -> Option<Environment> {
        (self.root == *root).then(|| self.environment.recv().ok()).flatten()
    }

    /// Its packages, where it is at exactly this place and was read with these variables.
    pub(super) fn packages(self, root: &HostPath, variables: &packages::Variables) -> Option<Packages> {
        if self.root != *root {
            return None;
        }
        let (seen, packages) = self.packages.join().ok()??;
        (seen == *variables).then_some(packages)
    }
}
