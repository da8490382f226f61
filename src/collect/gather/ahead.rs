//! What the shell has active is nearly always what is asked about: it is read while the search path and the project
//! are searched for other environments. Where another is asked about, the reading of its packages is given up as soon
//! as that is known.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use super::Request;
use super::inside::patients_packages;
use crate::collect::environment::{Depth, without_scripts};
use crate::collect::packages;
use crate::collect::scripts::{self, Scripts};
use crate::diagnosis::Need;
use crate::facts::distribution::Packages;
use crate::facts::environment::Environment;
use crate::host::Host;
use crate::parallel;
use crate::path::HostPath;

/// What becomes of what is read ahead.
#[derive(Debug, Default)]
pub(super) struct Fate {
    given_up: AtomicBool,
    environment_taken: AtomicBool,
    all_taken: AtomicBool,
}

impl Fate {
    /// Whether what was not read in time is missing in the facts.
    pub(super) fn environment_taken(&self) -> bool {
        self.environment_taken.load(Ordering::Relaxed)
    }

    /// Whether what was not read whole is missing in the facts.
    pub(super) fn all_taken(&self) -> bool {
        self.all_taken.load(Ordering::Relaxed)
    }
}

/// The environment of `VIRTUAL_ENV`, while it is read.
pub(super) struct Ahead<'scope> {
    root: HostPath,
    /// Without its scripts, with those that are to be read.
    environment: Receiver<(Environment, Option<Arc<Scripts>>)>,
    /// What its own thread has read of them.
    scripts: Receiver<scripts::Read>,
    /// Comes as soon as it is known what is to be read.
    begun: Receiver<Arc<Begun>>,
    /// What its own threads have read of the packages.
    read: ScopedJoinHandle<'scope, packages::Share>,
    host: &'scope dyn Host,
    request: &'scope Request,
    fate: &'scope Fate,
}

/// The reading of its packages.
struct Begun {
    environment: Environment,
    variables: packages::Variables,
    survey: packages::Survey,
}

/// What checks ask of each environment.
pub(super) fn depth(request: &Request) -> Depth {
    Depth {
        scripts: request.needs.contains(&Need::Scripts),
        installed: request.needs.contains(&Need::Installed),
    }
}

impl<'scope> Ahead<'scope> {
    /// None where the command line or the configuration names an environment, or no thread can be had.
    pub(super) fn start(
        scope: &'scope Scope<'scope, '_>,
        host: &'scope dyn Host,
        request: &'scope Request,
        fate: &'scope Fate,
    ) -> Option<Ahead<'scope>> {
        if request.python.is_some() || request.configured.is_some() {
            return None;
        }
        let root = host.path_variable("VIRTUAL_ENV")?.normalized();
        let place = root.clone();
        let depth = depth(request);
        let with_packages = request.needs.contains(&Need::Packages);
        let (sender, receiver) = channel();
        let (scripts_sender, scripts) = channel();
        let (beginning, begun) = channel();
        let read = move || {
            let (mut environment, programs) = without_scripts(host, &place, Vec::new(), depth);
            let scripts = depth.scripts.then(|| Arc::new(Scripts::of(host, &environment, &programs)));
            if !with_packages {
                // nobody waits for it where the examination could not begin
                let _ = sender.send((environment, scripts.clone()));
                let _ = scripts_sender.send(scripts.map_or_else(Vec::new, |scripts| scripts.read(host)));
                return packages::Share::new();
            }
            // packages are not read by the list of their names, which would be long to copy
            let installed = std::mem::take(&mut environment.installed);
            let known = Environment { installed, ..environment.clone() };
            // they take longest: whoever waits for the environment reads its scripts meanwhile
            let _ = sender.send((known, scripts));
            let _ = scripts_sender.send(scripts::Read::new());
            let variables = packages::Variables::of_process(host);
            let survey = packages::Survey::of(host, question(request, &environment, &variables, fate));
            let begun = Arc::new(Begun { environment, variables, survey });
            // nobody takes part where another environment is examined
            let _ = beginning.send(Arc::clone(&begun));
            let question = question(request, &begun.environment, &begun.variables, fate);
            begun.survey.read(host, question, parallel::threads(packages::MOST_THREADS) - 1)
        };
        let read = Builder::new().spawn_scoped(scope, read).ok()?;
        Some(Ahead { root, environment: receiver, scripts, begun, read, host, request, fate })
    }

    /// Whether it is the environment at exactly this place.
    pub(super) fn reads(&self, root: &HostPath) -> bool {
        self.root == *root
    }

    /// The environment, where it is at exactly this place; it is told once.
    pub(super) fn environment(&self, host: &dyn Host, root: &HostPath) -> Option<Environment> {
        if !self.reads(root) {
            return None;
        }
        let (mut environment, scripts) = self.environment.recv().ok()?;
        self.fate.environment_taken.store(true, Ordering::Relaxed);
        let with_packages = self.request.needs.contains(&Need::Packages);
        self.fate.all_taken.store(!with_packages, Ordering::Relaxed);
        if let Some(scripts) = scripts {
            // where its thread crashes, so does the examination
            scripts.add_with(host, &mut environment, || self.scripts.recv().unwrap_or_default());
        }
        Some(environment)
    }

    /// Says which environment is examined.
    pub(super) fn settle(&self, patient: Option<&HostPath>) {
        if patient != Some(&self.root) {
            self.fate.given_up.store(true, Ordering::Relaxed);
        }
    }

    /// Its packages, where it is at exactly this place and was read with these variables: who waits for them reads what
    /// is left with the others.
    pub(super) fn packages(self, root: &HostPath, variables: &packages::Variables) -> Option<Packages> {
        if !self.reads(root) {
            return None;
        }
        let Ahead { host, request, fate, .. } = self;
        let begun = self.begun.recv().ok()?;
        if begun.variables != *variables {
            fate.given_up.store(true, Ordering::Relaxed);
            return None;
        }
        let mut read =
            begun.survey.read(host, question(request, &begun.environment, &begun.variables, fate), 1);
        read.extend(self.read.join().ok()?);
        if fate.given_up.load(Ordering::Relaxed) {
            return None;
        }
        let Begun { environment, variables, survey } = Arc::into_inner(begun)?;
        fate.all_taken.store(true, Ordering::Relaxed);
        Some(survey.packages(host, question(request, &environment, &variables, fate), read))
    }
}

fn question<'a>(
    request: &Request,
    environment: &'a Environment,
    variables: &'a packages::Variables,
    fate: &'a Fate,
) -> packages::Question<'a> {
    packages::Question {
        given_up: Some(&fate.given_up),
        ..patients_packages(request, environment, variables)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::collect::gather;
    use crate::facts::Facts;
    use crate::host::fake::FakeMachine;

    const PROJECT: &str = "/home/me/project/.venv";
    const OTHER: &str = "/home/me/other/.venv";

    fn with_venv(host: FakeMachine, root: &str, distribution: &str) -> FakeMachine {
        let site = format!("{root}/lib/python3.11/site-packages");
        host.file(format!("{root}/pyvenv.cfg"), "home = /usr/bin\nversion = 3.11.2\n")
            .link(format!("{root}/bin/python"), "/usr/bin/python3.11")
            .executable(format!("{root}/bin/{distribution}"), format!("#!{root}/bin/python\n"))
            .file(
                format!("{site}/{distribution}-1.dist-info/METADATA"),
                format!("Name: {distribution}\nVersion: 1\n\n"),
            )
            .file(format!("{site}/{distribution}-1.dist-info/RECORD"), format!("{distribution}.py,,\n"))
            .file(format!("{site}/{distribution}.py"), "")
    }

    fn machine() -> FakeMachine {
        let host = FakeMachine::linux()
            .executable("/usr/bin/python3.11", "\x7fELF")
            .file("/home/me/project/pyproject.toml", "[project]\nname = 'shop'\n")
            .cwd("/home/me/project")
            .variable("PATH", format!("{PROJECT}/bin:/usr/bin"));
        with_venv(with_venv(host, PROJECT, "six"), OTHER, "attrs")
    }

    fn facts(host: &FakeMachine, python: Option<&str>) -> Facts {
        let request = Request {
            directory: None,
            python: python.map(|python| python.as_bytes().to_vec()),
            configured: None,
            execute: false,
            deadline: Duration::from_secs(10),
            needs: [Need::Scripts, Need::Installed, Need::Packages].into(),
        };
        gather::facts(host, &request).unwrap()
    }

    #[test]
    fn what_is_read_ahead_is_what_is_read_later() {
        let host = machine().variable("VIRTUAL_ENV", PROJECT);
        // with --python nothing is read ahead
        let (ahead, later) = (facts(&host, None), facts(&host, Some(PROJECT)));
        assert_eq!(ahead.packages, later.packages);
        assert!(ahead.packages[0].distribution("six").is_some());
        let of = |facts: &Facts| facts.environment(&HostPath::posix(PROJECT)).cloned().unwrap();
        let (ahead, later) = (of(&ahead), of(&later));
        assert!(!ahead.scripts.is_empty() && !ahead.installed.is_empty() && !ahead.origins.is_empty());
        assert_eq!(
            Environment { origins: Vec::new(), ..ahead },
            Environment { origins: Vec::new(), ..later }
        );
    }

    #[test]
    fn another_environment_is_active_than_is_examined() {
        let host = machine().variable("VIRTUAL_ENV", OTHER);
        let facts = facts(&host, None);
        assert_eq!(facts.patient, Some(HostPath::posix(PROJECT)));
        assert_eq!(facts.packages.len(), 1);
        assert!(facts.packages[0].environment.same_as(&HostPath::posix(PROJECT)));
        assert!(facts.packages[0].distribution("attrs").is_none());
        assert!(facts.environment(&HostPath::posix(OTHER)).is_some_and(|other| !other.scripts.is_empty()));
    }

    #[test]
    fn it_is_read_with_the_variables_of_the_shell() {
        let host = machine()
            .variable("VIRTUAL_ENV", PROJECT)
            .variable("PYTHONPATH", "/home/me/added")
            .file("/home/me/added/extra-2.dist-info/METADATA", "Name: extra\nVersion: 2\n\n");
        let facts = facts(&host, None);
        assert!(facts.packages[0].distribution("extra").is_some());
        assert_eq!(packages::Variables::of(&facts.shell), packages::Variables::of_process(&host));
    }
}
