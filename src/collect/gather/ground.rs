//! What is known before an environment is looked into: the shell, the project, what they name, and whom to ask.

use super::named::{Named, argument, configured, named_environments, patient};
use super::trust::{Plan, probe_plan};
use super::{COMMANDS, Request, RequestError};
use crate::collect::{places, project, search_path, shell, startup_files};
use crate::diagnosis::Need;
use crate::facts::platform::Surroundings;
use crate::facts::project::{ActivationSite, Project};
use crate::facts::search_path::{Command, SearchPath};
use crate::facts::shell::Shell;
use crate::host::{FileKind, Files, Host};
use crate::parse::activation_use::{self, TextKind};
use crate::path::HostPath;

pub(super) struct Ground {
    pub(super) working_directory: Option<HostPath>,
    pub(super) directory: Option<HostPath>,
    pub(super) home: Option<HostPath>,
    pub(super) shell: Shell,
    pub(super) surroundings: Surroundings,
    pub(super) search_path: SearchPath,
    pub(super) commands: Vec<Command>,
    pub(super) project: Project,
    /// The environments to look into.
    pub(super) named: Vec<Named>,
    /// The root of the one under examination.
    pub(super) patient: Option<HostPath>,
    /// Whether and how its interpreter is asked. None: no check needs it.
    pub(super) plan: Option<Plan>,
    pub(super) notes: Vec<String>,
}

impl Ground {
    /// `side_by_side`: whether a processor is free for a thread more.
    ///
    /// # Errors
    /// When the named directory or interpreter does not exist.
    pub(super) fn of(host: &dyn Host, request: &Request, side_by_side: bool) -> Result<Ground, RequestError> {
        let working_directory = host.working_directory().ok();
        let directory = directory(host, request, working_directory.as_ref())?;
        let (shell, surroundings, mut notes, search_path, commands) = shell_and_commands(host, side_by_side);
        let home = host.home();
        let lookup = |name: &str| shell.variable(name).map(str::to_owned);
        let context = project::ProjectContext {
            places: places::Places { system: host.platform().system, home: home.as_ref(), variable: &lookup },
            user: host.user().name.as_deref(),
            programs: &available(&commands),
        };
        let mut reading = match &directory {
            Some(directory) => project::project(host, directory, &context),
            None => project::Reading::default(),
        };
        let configured = request.configured.as_ref().and_then(|asked| configured(host, asked, &mut notes));
        if let Some((root, origin)) = &configured {
            reading.environments.insert(0, (root.clone(), origin.clone()));
            reading.project.environments.retain(|known| !known.same_as(root));
            reading.project.environments.insert(0, root.clone());
        }
        let configured = configured.map(|(root, _)| root);
        notes.extend(reading.notes);
        let mut project = reading.project;
        if request.needs.contains(&Need::Project)
            && let Some(root) = &project.root
        {
            project.activation_problems = activation_problems(host, root);
        }
        let argument = argument(host, request, &search_path, working_directory.as_ref())?;
        let argument = argument.as_ref();
        let named =
            named_environments(host, &shell, &search_path, &commands, &reading.environments, argument);
        let patient = patient(host, &named, argument, configured.as_ref(), &shell, &commands);
        let plan = |root: &HostPath| {
            probe_plan(host, request, root, &shell, &search_path, &commands, argument, project.root.as_ref())
        };
        let plan = patient.as_ref().filter(|_| request.needs.contains(&Need::Probe)).map(plan);
        Ok(Ground {
            working_directory,
            directory,
            home,
            shell,
            surroundings,
            search_path,
            commands,
            project,
            named,
            patient,
            plan,
            notes,
        })
    }
}

/// The shell, read from its processes, side by side with what `PATH` holds where a processor is free. Inside a wrapper
/// whose `PATH` is its own, the search is made again with the shell's.
fn shell_and_commands(
    host: &dyn Host,
    side_by_side: bool,
) -> (Shell, Surroundings, Vec<String>, SearchPath, Vec<Command>) {
    let look = |path: Option<&[u8]>| {
        let search_path = search_path::search_path(host, path);
        let commands = search_path::commands(host, &search_path, &COMMANDS);
        (search_path, commands)
    };
    let read = || {
        let (mut shell, surroundings, notes) = shell::shell(host);
        startup_files::read(host, &mut shell);
        (shell, surroundings, notes)
    };
    let own = host.variable("PATH");
    let ((shell, surroundings, notes), (search_path, commands)) = match side_by_side {
        true => std::thread::scope(|scope| {
            let reading = scope.spawn(read);
            let found = look(own.as_deref());
            (reading.join().unwrap_or_default(), found)
        }),
        false => (read(), look(own.as_deref())),
    };
    if shell.seen_through.is_none() {
        return (shell, surroundings, notes, search_path, commands);
    }
    let (search_path, commands) = look(shell::path_value(host, &shell).as_deref());
    (shell, surroundings, notes, search_path, commands)
}

fn directory(
    host: &dyn Host,
    request: &Request,
    working_directory: Option<&HostPath>,
) -> Result<Option<HostPath>, RequestError> {
    let Some(path) = &request.directory else { return Ok(working_directory.cloned()) };
    match host.metadata(path) {
        Ok(metadata) if metadata.kind == FileKind::Directory => Ok(Some(path.normalized())),
        Ok(_) => Err(RequestError::NotADirectory(path.clone())),
        Err(error) => Err(RequestError::Directory { path: path.clone(), error }),
    }
}

fn available(commands: &[Command]) -> Vec<String> {
    commands.iter().filter(|command| command.chosen().is_some()).map(|command| command.name.clone()).collect()
}

fn activation_problems(files: &dyn Files, root: &HostPath) -> Vec<ActivationSite> {
    let mut found = Vec::new();
    for (file, text) in project::activation_sites(files, root) {
        let Some(kind) = TextKind::from_file_name(&file.name()) else { continue };
        for site in activation_use::parse(kind, text.as_bytes()) {
            if let Some(problem) = site.problem {
                found.push(ActivationSite { file: file.clone(), line: site.line, text: site.text, problem });
            }
        }
    }
    found
}
