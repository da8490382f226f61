//! The whole examination's facts, gathered once: what is cheap always, the rest as the selected checks
//! need it, and the one interpreter start side by side with everything else.

use std::collections::BTreeSet;
use std::time::Duration;

use super::environment::{Depth, environment};
use super::probe::{Trust, probe};
use super::{
    installations, interpreter, inventory, links, places, project, search_path, shell, startup_files, synced,
    user_scripts,
};
use crate::diagnosis::Need;
use crate::facts::environment::{BakedState, Environment, EnvironmentKind, HomeState};
use crate::facts::interpreter::{Interpreter, Probe};
use crate::facts::platform::Surroundings;
use crate::facts::project::{ActivationSite, Git};
use crate::facts::search_path::{Command, HitState, SearchPath, Spelling, Target};
use crate::facts::shell::Shell;
use crate::facts::{Facts, Origin};
use crate::host::{FileError, FileKind, Files, Host};
use crate::parse::activation_use::{self, TextKind};
use crate::parse::git_index;
use crate::path::HostPath;

/// Names that are looked up on the search path: Python's, installers', and the tools that make environments.
const COMMANDS: [&str; 21] = [
    "python",
    "python3",
    "pip",
    "pip3",
    "uv",
    "poetry",
    "pdm",
    "pipenv",
    "hatch",
    "conda",
    "virtualenv",
    "pytest",
    "mypy",
    "pylint",
    "coverage",
    "sphinx-build",
    "django-admin",
    "flask",
    "celery",
    "alembic",
    "gunicorn",
];
/// So many environments are examined, and no more.
const MOST_ENVIRONMENTS: usize = 40;
const INDEX_LIMIT: usize = 32 << 20;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// The project's directory; the working directory where none is named.
    pub directory: Option<HostPath>,
    /// `--python`: an interpreter, an environment's root, or a name on the search path.
    pub python: Option<Vec<u8>>,
    /// Whether an interpreter may be started.
    pub execute: bool,
    /// How long it may take.
    pub deadline: Duration,
    pub needs: BTreeSet<Need>,
}

/// Why a request cannot be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestError {
    Directory { path: HostPath, error: FileError },
    NotADirectory(HostPath),
    Python { asked: String, why: String },
}

impl std::fmt::Display for RequestError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RequestError::Directory { path, error } => write!(formatter, "cannot examine {path}: {error}"),
            RequestError::NotADirectory(path) => {
                write!(
                    formatter,
                    "cannot examine {path}: it is not a directory (name a project's directory, or use --python for an interpreter)"
                )
            }
            RequestError::Python { asked, why } => write!(formatter, "--python {asked}: {why}"),
        }
    }
}

/// Gathers everything that is asked for.
///
/// # Errors
/// When the named directory or interpreter does not exist.
pub fn facts(host: &dyn Host, request: &Request) -> Result<Facts, RequestError> {
    let working_directory = host.working_directory().ok();
    let directory = directory(host, request, working_directory.as_ref())?;
    let (shell, surroundings, mut notes, search_path, commands) = shell_and_commands(host);
    let home = host.home();
    let lookup = |name: &str| shell.variable(name).map(str::to_owned);
    let context = project::ProjectContext {
        places: places::Places { system: host.platform().system, home: home.as_ref(), variable: &lookup },
        user: host.user().name.as_deref(),
        programs: &available(&commands),
    };
    let reading = match &directory {
        Some(directory) => project::project(host, directory, &context),
        None => project::Reading::default(),
    };
    notes.extend(reading.notes);
    let mut project = reading.project;
    if request.needs.contains(&Need::Project)
        && let Some(root) = &project.root
    {
        project.activation_problems = activation_problems(host, root);
    }

    let argument = argument(host, request, &search_path, working_directory.as_ref())?;
    let named =
        named_environments(host, &shell, &search_path, &commands, &reading.environments, argument.as_ref());
    let patient = patient(host, &named, argument.as_ref(), &shell, &commands);
    let asked = match (&patient, request.needs.contains(&Need::Probe)) {
        (Some(root), true) => Some(probe_plan(
            host,
            request,
            root,
            &shell,
            &search_path,
            &commands,
            argument.as_ref(),
            project.root.as_ref(),
        )),
        _ => None,
    };

    let (answer, environments, interpreters, installations) = std::thread::scope(|scope| {
        let asking = match &asked {
            Some(Plan::Start { program, trust }) => {
                Some(scope.spawn(move || probe(host, program, *trust, request.deadline)))
            }
            _ => None,
        };
        let listing = scope.spawn(|| installations::installations(host, &search_path, &context.places));
        let mut environments = environments(host, request, &named, project.git.as_ref());
        let mut interpreters = interpreters(host, request, &environments, &commands, patient.as_ref());
        if request.needs.contains(&Need::Binaries) {
            compare_copies(host, &mut environments, &mut interpreters);
        }
        let installations = listing.join().unwrap_or_default();
        let answer = asking.map(|asking| {
            asking
                .join()
                .unwrap_or_else(|_| Probe::NotRun { why: "the doctor's own thread failed".to_owned() })
        });
        (answer, environments, interpreters, installations)
    });
    let mut interpreters = interpreters;
    if let Some(plan) = asked {
        record(host, &mut interpreters, plan, answer, &mut notes);
    }

    Ok(Facts {
        platform: host.platform().clone(),
        user: host.user().clone(),
        home: home.clone(),
        surroundings,
        working_directory,
        directory,
        user_scripts: user_scripts::user_scripts(host, &shell, &search_path),
        shell,
        search_path,
        commands,
        environments,
        packages: Vec::new(),
        interpreters,
        installations,
        project,
        patient,
        today: Some(date(host.now())),
        notes,
    })
}

/// The shell, read from its processes, side by side with what `PATH` holds. Inside a wrapper whose `PATH` is
/// its own, the search is made again with the shell's.
fn shell_and_commands(host: &dyn Host) -> (Shell, Surroundings, Vec<String>, SearchPath, Vec<Command>) {
    let look = |path: Option<&[u8]>| {
        let search_path = search_path::search_path(host, path);
        let commands = search_path::commands(host, &search_path, &COMMANDS);
        (search_path, commands)
    };
    let own = host.variable("PATH");
    let (read, (search_path, commands)) = std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let (mut shell, surroundings, notes) = shell::shell(host);
            startup_files::read(host, &mut shell);
            (shell, surroundings, notes)
        });
        let found = look(own.as_deref());
        (reading.join(), found)
    });
    let (shell, surroundings, notes) = read.unwrap_or_default();
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

/// What `--python` names.
struct Argument {
    root: Option<HostPath>,
    interpreter: Option<HostPath>,
}

fn argument(
    host: &dyn Host,
    request: &Request,
    search_path: &SearchPath,
    working_directory: Option<&HostPath>,
) -> Result<Option<Argument>, RequestError> {
    let Some(raw) = &request.python else { return Ok(None) };
    let asked = crate::path::readable(raw).into_owned();
    let flavour = host.platform().flavour();
    let is_name = !raw.iter().any(|byte| *byte == b'/' || *byte == b'\\');
    let here = working_directory.map(|directory| directory.join(raw));
    let path = match HostPath::new(flavour, raw.clone()) {
        Some(path) => Some(path),
        None if is_name && !here.as_ref().is_some_and(|path| host.is_directory(path)) => {
            let found = search_path::commands(host, search_path, &[asked.as_str()]);
            found.first().and_then(Command::chosen).map(|hit| hit.path.clone())
        }
        None => here,
    };
    let Some(path) = path.map(|path| path.normalized()) else {
        return Err(RequestError::Python { asked, why: "no program of that name is on PATH".to_owned() });
    };
    match host.link_metadata(&path) {
        Err(error) => Err(RequestError::Python { asked, why: error.to_string() }),
        Ok(_) if host.is_directory(&path) => {
            let bin = if path.name() == "bin" || path.name() == "Scripts" { path.parent() } else { None };
            Ok(Some(Argument { root: Some(bin.unwrap_or(path)), interpreter: None }))
        }
        Ok(_) => {
            let chain = links::chain(host, &path);
            Ok(Some(Argument {
                root: interpreter::environment_of(host, &path, &chain),
                interpreter: Some(path),
            }))
        }
    }
}

/// An environment's root and how it was learnt of.
type Named = (HostPath, Vec<Origin>);

/// Every environment that something names; two spellings of one real directory are one.
fn named_environments(
    host: &dyn Host,
    shell: &Shell,
    search_path: &SearchPath,
    commands: &[Command],
    of_project: &[(HostPath, Origin)],
    argument: Option<&Argument>,
) -> Vec<Named> {
    let mut named = Roots { host, known: Vec::new() };
    if let Some(root) = argument.and_then(|argument| argument.root.as_ref()) {
        named.add(root, Origin::Argument);
    }
    for name in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        let value = match shell.seen_through {
            Some(_) => shell.path_variable(name),
            None => host.path_variable(name),
        };
        if let Some(root) = value {
            named.add(&root.normalized(), Origin::Variable(name.to_owned()));
        }
    }
    for entry in &search_path.entries {
        if let Some(root) = &entry.environment {
            named.add(root, Origin::SearchPath(entry.index));
        }
    }
    for (root, origin) in of_project {
        named.add(root, origin.clone());
    }
    for command in commands.iter().filter(|command| is_python_or_pip(&command.name)) {
        for hit in command.hits.iter().filter(|hit| hit.state == HitState::Runnable) {
            let Some(root) = hit.leads_to.environment() else { continue };
            let origin = match &hit.leads_to {
                Target::Script { .. } => Origin::Shebang { script: hit.path.clone() },
                _ => Origin::SearchPath(hit.entry),
            };
            named.add(root, origin);
        }
    }
    named.known.truncate(MOST_ENVIRONMENTS);
    named.known.into_iter().map(|(root, _, origins)| (root, origins)).collect()
}

fn is_python_or_pip(name: &str) -> bool {
    name.starts_with("python") || name.starts_with("pip") && name != "pipenv" && name != "pipx"
}

struct Roots<'a> {
    host: &'a dyn Host,
    known: Vec<(HostPath, HostPath, Vec<Origin>)>,
}

impl Roots<'_> {
    fn add(&mut self, root: &HostPath, origin: Origin) {
        let real = links::resolved(self.host, root);
        match self
            .known
            .iter_mut()
            .find(|(known, known_real, _)| known.same_as(root) || known_real.same_as(&real))
        {
            Some((_, _, origins)) if origins.contains(&origin) => {}
            Some((_, _, origins)) => origins.push(origin),
            None => self.known.push((root.clone(), real, vec![origin])),
        }
    }
}

/// The environment under examination: named, else the project's, else the active one, else that of the shell's
/// python. Something that only claims to be an environment is none.
fn patient(
    host: &dyn Host,
    named: &[Named],
    argument: Option<&Argument>,
    shell: &Shell,
    commands: &[Command],
) -> Option<HostPath> {
    if let Some(root) = argument.and_then(|argument| argument.root.as_ref()) {
        return Some(root.clone());
    }
    let exists = |root: &HostPath| host.is_directory(root);
    let first = |wanted: &dyn Fn(&Origin) -> bool| {
        named
            .iter()
            .find(|(root, origins)| exists(root) && origins.iter().any(wanted))
            .map(|(root, _)| root.clone())
    };
    let of_project = || {
        first(&|origin| {
            matches!(origin, Origin::FoundUpwards { .. } | Origin::Tool(_) | Origin::ConfigKey { .. })
        })
    };
    let active = || first(&|origin| matches!(origin, Origin::Variable(_)));
    // inside tox, `uv run` and the like the active environment is the right one
    let by_wrapper = shell.environment_wrapper().and_then(|_| active());
    let running = || {
        let python = ["python", "python3"].iter().find_map(|name| {
            commands.iter().find(|command| command.name == *name).and_then(Command::chosen)
        })?;
        let root = python.leads_to.environment()?;
        named.iter().find(|(known, _)| known.same_as(root)).map(|(known, _)| known.clone())
    };
    by_wrapper.or_else(of_project).or_else(active).or_else(running)
}

/// Whether and how the patient's interpreter is asked.
enum Plan {
    Start { program: HostPath, trust: Trust },
    Refrain { program: Option<HostPath>, why: String },
}

#[expect(clippy::too_many_arguments, reason = "each is one of the facts that decide whom to trust")]
fn probe_plan(
    host: &dyn Host,
    request: &Request,
    root: &HostPath,
    shell: &Shell,
    search_path: &SearchPath,
    commands: &[Command],
    argument: Option<&Argument>,
    project: Option<&HostPath>,
) -> Plan {
    let refrain = |program: Option<&HostPath>, why: &str| Plan::Refrain {
        program: program.cloned(),
        why: why.to_owned(),
    };
    let own = || {
        let names = ["bin/python", "bin/python3", "Scripts/python.exe", "python.exe"];
        names.iter().map(|name| root.join(name)).find(|path| host.link_metadata(path).is_ok())
    };
    let shells = ["python", "python3"]
        .iter()
        .filter_map(|name| commands.iter().find(|command| command.name == *name)?.chosen())
        .find(|hit| {
            hit.leads_to.environment().is_some_and(|environment| same_place(host, environment, root))
        });
    let chosen = match argument {
        Some(argument) => argument.interpreter.clone().or_else(own),
        None => match shells {
            Some(hit) => match &hit.leads_to {
                Target::Shim { program, .. } => program.clone(),
                _ => Some(hit.path.clone()),
            },
            None => own(),
        },
    };
    let Some(program) = chosen else { return refrain(None, "the environment has no interpreter") };
    if !request.execute {
        return refrain(Some(&program), "--no-exec");
    }
    if !host.is_file(&program) || !host.can_execute(&program) {
        return refrain(Some(&program), "it cannot be started");
    }
    if argument.is_some() {
        return Plan::Start { program, trust: Trust::AsIs };
    }
    if let Some(hit) = shells {
        let spelling =
            search_path.entries.iter().find(|entry| entry.index == hit.entry).map(|entry| entry.spelling);
        if spelling == Some(Spelling::Absolute) {
            return Plan::Start { program, trust: Trust::AsIs };
        }
        return refrain(Some(&program), "it is reached through a relative or empty entry of PATH");
    }
    let active = ["VIRTUAL_ENV", "CONDA_PREFIX"]
        .iter()
        .any(|name| shell.path_variable(name).is_some_and(|active| same_place(host, &active, root)));
    if active {
        return Plan::Start { program, trust: Trust::AsIs };
    }
    match trustworthy(host, &program, root, project) {
        Ok(()) => Plan::Start { program, trust: Trust::Isolated },
        Err(why) => refrain(Some(&program), &why),
    }
}

fn same_place(host: &dyn Host, left: &HostPath, right: &HostPath) -> bool {
    left.same_as(right) || links::resolved(host, left).same_as(&links::resolved(host, right))
}

/// A found interpreter is started only when the file behind its links lies outside the project and the
/// environment, and belongs to the user or to root.
fn trustworthy(
    host: &dyn Host,
    program: &HostPath,
    root: &HostPath,
    project: Option<&HostPath>,
) -> Result<(), String> {
    let real = host.canonical(program).map_err(|error| error.to_string())?;
    for place in project.into_iter().chain([root]) {
        if real.is_within(&links::resolved(host, place)) {
            return Err(format!("its file {real} lies inside {place}, and the shell does not run it"));
        }
    }
    let metadata = host.metadata(&real).map_err(|error| error.to_string())?;
    if metadata.owner != 0 && metadata.owner != host.user().id {
        return Err(format!("its file {real} belongs to another user"));
    }
    Ok(())
}

fn record(
    host: &dyn Host,
    interpreters: &mut Vec<Interpreter>,
    plan: Plan,
    answer: Option<Probe>,
    notes: &mut Vec<String>,
) {
    let (program, probe) = match plan {
        Plan::Start { program, .. } => {
            (program, answer.unwrap_or_else(|| Probe::NotRun { why: "it was not asked".to_owned() }))
        }
        Plan::Refrain { program, why } => {
            let what = program.as_ref().map_or_else(|| "no interpreter".to_owned(), ToString::to_string);
            notes.push(format!("{what} was not started: {why}"));
            let Some(program) = program else { return };
            (program, Probe::NotRun { why })
        }
    };
    let index = interpreters.iter().position(|known| known.path.same_as(&program)).unwrap_or_else(|| {
        interpreters.push(interpreter::interpreter(host, &program, vec![Origin::Probe], false));
        interpreters.len() - 1
    });
    if let Some(known) = interpreters.get_mut(index) {
        known.probe = probe;
    }
}

fn environments(host: &dyn Host, request: &Request, named: &[Named], git: Option<&Git>) -> Vec<Environment> {
    let depth = Depth {
        scripts: request.needs.contains(&Need::Scripts),
        installed: request.needs.contains(&Need::Installed),
    };
    let mut index: Option<Option<Vec<u8>>> = None;
    let mut found = Vec::with_capacity(named.len());
    for (root, origins) in named {
        let mut environment = environment(host, root, origins.clone(), depth);
        if environment.is_venv() {
            let has_debris = environment.libraries.iter().any(|library| library.has_debris);
            environment.synced = synced::synced_folder(root, host, has_debris);
            if let Some(git) = git {
                environment.tracked_files = tracked(host, git, &environment, &mut index);
            }
            if depth.installed && (troubled(&environment) || foreign_and_active(&environment)) {
                inventory::complete(host, &mut environment);
            }
        }
        found.push(environment);
    }
    found
}

/// Whether it is active and no place of the project told of it: it belongs here all the same when the project is
/// installed in it as an editable.
fn foreign_and_active(environment: &Environment) -> bool {
    let variable = |origin: &Origin| matches!(origin, Origin::Variable(_));
    let elsewhere = |origin: &Origin| matches!(origin, Origin::SearchPath(_) | Origin::Shebang { .. });
    environment.origins.iter().any(variable)
        && environment.origins.iter().all(|origin| variable(origin) || elsewhere(origin))
}

/// How many of the environment's files the git index holds; the index is read once.
fn tracked(
    files: &dyn Files,
    git: &Git,
    environment: &Environment,
    index: &mut Option<Option<Vec<u8>>>,
) -> Option<usize> {
    let below = environment.real.as_ref()?.relative_to(&links::resolved(files, &git.top))?;
    let bytes = index.get_or_insert_with(|| {
        let contents = files.read(&git.directory.join("index"), INDEX_LIMIT).ok()?;
        (!contents.truncated()).then_some(contents.bytes)
    });
    let prefix: Vec<u8> = below.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect();
    match bytes {
        Some(bytes) if !prefix.is_empty() => git_index::tracked_below(bytes, &prefix),
        _ => None,
    }
}

/// Whether something already speaks for mending or re-creating it, which needs to know where its packages came from.
fn troubled(environment: &Environment) -> bool {
    environment.kind != EnvironmentKind::Venv
        || environment.config_error.is_some()
        || !environment.config.known().is_some_and(|config| config.oddities.is_empty())
        || environment.home.as_ref().is_none_or(|home| home.state != HomeState::Good)
        || environment.libraries.len() != 1
        || environment.mount.is_some_and(|mount| mount.noexec)
        || environment.synced.is_some()
        || environment.tracked_files.is_some_and(|count| count > 0)
        || environment
            .activators
            .iter()
            .any(|activator| activator.root_state.is_some_and(|state| state != BakedState::Own))
        || environment.scripts.iter().any(|script| {
            script.launch.interpreter.is_some() && !script.launch.interpreter_exists
                || script.launch.root_state.is_some_and(|state| state != BakedState::Own)
        })
        || version_differs(environment)
}

/// Whether the library's directory and the interpreter behind `home` are of different minor versions.
fn version_differs(environment: &Environment) -> bool {
    let library = environment.libraries.first().and_then(|library| library.version);
    let home = environment.home.as_ref().and_then(|home| home.version);
    matches!((library, home), (Some(library), Some(home)) if !library.same_minor(home))
}

fn interpreters(
    host: &dyn Host,
    request: &Request,
    environments: &[Environment],
    commands: &[Command],
    patient: Option<&HostPath>,
) -> Vec<Interpreter> {
    let with_binaries = request.needs.contains(&Need::Binaries);
    let mut found: Vec<Interpreter> = Vec::new();
    let mut add = |path: &HostPath, origin: Origin, with_binary: bool| match found
        .iter_mut()
        .find(|known| known.path.same_as(path))
    {
        Some(known) => {
            if !known.origins.contains(&origin) {
                known.origins.push(origin);
            }
        }
        None => found.push(interpreter::interpreter(host, path, vec![origin], with_binary)),
    };
    let has_own =
        |environment: &&Environment| environment.is_venv() || environment.kind == EnvironmentKind::Conda;
    for environment in environments.iter().filter(has_own) {
        let examined = patient.is_some_and(|root| environment.is_at(root))
            || environment
                .origins
                .iter()
                .any(|origin| matches!(origin, Origin::Variable(_) | Origin::SearchPath(_)));
        for path in &environment.interpreters {
            let origin = environment.origins.first().cloned().unwrap_or(Origin::Probe);
            add(path, origin, with_binaries && examined);
        }
    }
    for command in commands.iter().filter(|command| command.name.starts_with("python")) {
        if let Some(hit) = command.chosen() {
            add(&hit.path, Origin::SearchPath(hit.entry), with_binaries);
            if let Target::Shim { program: Some(program), .. } = &hit.leads_to {
                add(program, Origin::SearchPath(hit.entry), with_binaries);
            }
        }
    }
    found
}

/// A copied interpreter may be of another patch release than its base: only then is it worth reading both whole.
fn compare_copies(host: &dyn Host, environments: &mut [Environment], interpreters: &mut [Interpreter]) {
    for environment in environments.iter_mut().filter(|environment| environment.kind == EnvironmentKind::Venv)
    {
        let copies: Vec<usize> = (0..interpreters.len())
            .filter(|index| {
                environment.interpreters.contains(&interpreters[*index].path)
                    && interpreters[*index].is_copy_in(environment)
                    && interpreters[*index].binary.known().is_some()
            })
            .collect();
        let Some(home) = environment.home.as_mut().filter(|home| home.state == HomeState::Good) else {
            continue;
        };
        let (Some(_), Some(base)) = (copies.first(), &home.interpreter) else { continue };
        if home.version.is_none_or(|version| version.patch.is_none()) {
            home.version = interpreter::exact_version(host, base).or(home.version);
        }
        for index in copies {
            let copy = &mut interpreters[index];
            if copy.version.is_none_or(|version| version.patch.is_none())
                && let Some(version) = interpreter::exact_version(host, &copy.path)
            {
                copy.version = Some(version);
                copy.version_source = Some("its bytes".to_owned());
            }
        }
    }
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

/// Year, month and day of a time in seconds since 1970 (UTC), by the Gregorian calendar.
fn date(seconds: u64) -> (i32, u32, u32) {
    let mut days = seconds / 86_400;
    let mut year = 1970;
    let leap = |year: i32| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, u32::try_from(days).unwrap_or(0) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_calendar() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(951_782_400), (2000, 2, 29));
        assert_eq!(date(1_798_761_599), (2026, 12, 31));
        assert_eq!(date(4_107_542_400), (2100, 3, 1));
    }
}
