//! What the shell has active is nearly always what is asked about: it is read while the search path and the project
//! are searched for other environments, and taken where it proves to be wanted.

use std::sync::mpsc::{Receiver, channel};
use std::thread::{Scope, ScopedJoinHandle};

use super::{Request, packages};
use crate::collect::environment::{Depth, environment};
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
        let (sender, receiver) = channel();
        let read = move || {
            let mut environment = environment(host, &place, Vec::new(), depth(request));
            // its packages are not read by the list of their names, and a copy of that is long
            let names = std::mem::take(&mut environment.installed);
            let sent = Environment { installed: names, ..environment.clone() };
            // nobody waits for it where the examination could not begin
            let _ = sender.send(sent);
            if !request.needs.contains(&Need::Packages) {
                return None;
            }
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
