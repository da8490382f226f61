//! The whole examination's facts, gathered once: what is cheap always, the rest as the selected checks
//! need it, and the one interpreter start side by side with everything else.

use std::collections::BTreeSet;
use std::time::Duration;

use self::ahead::Ahead;
use self::examined::environments;
use self::named::{argument, named_environments, patient};
use self::trust::{Plan, probe_plan, record, unmet};
use super::probe::probe;
use super::project::sources::sources;
use super::{
    import_path, import_setup, installations, installers, interpreter, native, packages, places, project,
    search_path, shell, startup_files, tools, user_scripts,
};
use crate::diagnosis::Need;
use crate::facts::distribution::Packages;
use crate::facts::environment::{Environment, EnvironmentKind, HomeState};
use crate::facts::import_setup::ImportSetup;
use crate::facts::interpreter::{Interpreter, Probe};
use crate::facts::platform::Surroundings;
use crate::facts::project::{ActivationSite, Project};
use crate::facts::search_path::{Command, SearchPath, Target};
use crate::facts::shell::Shell;
use crate::facts::tools::Tools;
use crate::facts::{Facts, Gathered, Origin};
use crate::host::bounded::Bounded;
use crate::host::{FileError, FileKind, Files, Host};
use crate::parse::activation_use::{self, TextKind};
use crate::path::HostPath;

mod ahead;
mod examined;
mod named;
mod trust;

pub use trust::trustworthy;

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
    /// What the project's own configuration calls its environment.
    pub configured: Option<Configured>,
    /// Whether an interpreter may be started.
    pub execute: bool,
    /// How long it may take; the whole examination is given [`EXAMINATION`] times as long.
    pub deadline: Duration,
    pub needs: BTreeSet<Need>,
}

/// An environment, or an interpreter in one, that a configuration file names. The file may be a stranger's, so
/// this is trusted no more than what is found in the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    pub path: HostPath,
    pub file: HostPath,
    /// Of the file.
    pub line: usize,
}

/// The time for the whole examination, in times of what an interpreter is given to answer.
pub const EXAMINATION: u32 = 4;

/// Why a request cannot be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestError {
    Directory { path: HostPath, error: FileError },
    NotADirectory(HostPath),
    Python { asked: String, why: String },
    OutOfTime { limit: Duration, at: HostPath },
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
            RequestError::OutOfTime { limit, at } => {
                let seconds = limit.as_secs_f64();
                write!(
                    formatter,
                    "the files could not be read within {seconds} s (--timeout times {EXAMINATION}), the time was up at {at}: nothing is concluded from a part of them; a longer --timeout gives more time"
                )
            }
        }
    }
}

/// Gathers everything that is asked for, within its time; the notes say what was not looked at whole.
///
/// # Errors
/// When the named directory or interpreter does not exist, or the time was up.
pub fn facts(host: &dyn Host, request: &Request) -> Result<Facts, RequestError> {
    let limit = request.deadline.saturating_mul(EXAMINATION);
    let host = Bounded::new(host, limit);
    let gathered = gather(&host, request);
    let cut = host.cut();
    if let Some(at) = cut.out_of_time_at {
        return Err(RequestError::OutOfTime { limit, at });
    }
    let mut facts = gathered?;
    facts.notes.extend(cut.notes());
    Ok(facts)
}

fn gather(host: &dyn Host, request: &Request) -> Result<Facts, RequestError> {
    std::thread::scope(|scope| gather_beside(host, request, Ahead::start(scope, host, request)))
}

fn gather_beside(host: &dyn Host, request: &Request, ahead: Option<Ahead>) -> Result<Facts, RequestError> {
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
    let mut reading = match &directory {
        Some(directory) => project::project(host, directory, &context),
        None => project::Reading::default(),
    };
    let configured = request.configured.as_ref().and_then(|asked| named::configured(host, asked, &mut notes));
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
    let named =
        named_environments(host, &shell, &search_path, &commands, &reading.environments, argument.as_ref());
    let patient = patient(host, &named, argument.as_ref(), configured.as_ref(), &shell, &commands);
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

    let setting_up = import_setup::Context {
        shell: &shell,
        directory: directory.as_ref(),
        project: &project,
        commands: &commands,
        patient: patient.as_ref(),
        needs: &request.needs,
    };
    let mut import_setup = ImportSetup::default();
    let (answer, environments, packages, interpreters, installations, sources, native, tools, foreseen) =
        std::thread::scope(|scope| {
            let own = &project;
            let sources =
                request.needs.contains(&Need::Sources).then(|| scope.spawn(move || sources(host, own)));
            let asking = match &asked {
                Some(Plan::Start { program, trust }) => {
                    Some(scope.spawn(move || probe(host, program, *trust, request.deadline)))
                }
                _ => None,
            };
            let beside = scope.spawn(|| {
                let installations = installations::installations(host, &search_path, &context.places);
                (installations, import_setup::import_setup(host, &setting_up))
            });
            let mut environments = environments(host, request, &named, project.git.as_ref(), ahead.as_ref());
            let mut interpreters = interpreters(host, request, &environments, &commands, patient.as_ref());
            if request.needs.contains(&Need::Binaries) {
                compare_copies(host, &mut environments, &mut interpreters);
            }
            let tools = tools_facts(
                host,
                request,
                &context,
                &search_path,
                &project,
                directory.as_ref(),
                &environments,
            );
            let foreseen = asked.as_ref().filter(|_| request.needs.contains(&Need::ImportPath));
            let foreseen =
                foreseen.and_then(|plan| import_path::foresee(host, plan.program()?, plan.trust()).ok());
            let (installations, setup) = beside.join().unwrap_or_default();
            import_setup = setup;
            let installations =
                installations::with_bases(host, installations, &environments, project.root.as_ref());
            let packages = packages(
                host,
                request,
                &environments,
                &packages::Variables::of(&shell),
                &commands,
                patient.as_ref(),
                project.root.as_ref(),
                ahead,
            );
            let native = match request.needs.contains(&Need::Native) {
                true => native::native(host, &environments, &interpreters, &packages, patient.as_ref()),
                false => Vec::new(),
            };
            let answer = asking.map(|asking| {
                asking
                    .join()
                    .unwrap_or_else(|_| Probe::NotRun { why: "the doctor's own thread failed".to_owned() })
            });
            let sources = sources.and_then(|sources| sources.join().ok()).flatten();
            (answer, environments, packages, interpreters, installations, sources, native, tools, foreseen)
        });
    project.sources = sources.map_or(Gathered::NotAsked, Gathered::Known);
    let mut interpreters = interpreters;
    if let Some(plan) = asked {
        import_setup.unmet = unmet(host, &plan, foreseen.as_ref(), &import_setup, &packages);
        record(host, &mut interpreters, plan, answer, foreseen, &mut notes);
    }

    let mut packages = packages;
    take_report(host, &environments, &shell, patient.as_ref(), &interpreters, &mut packages);

    let pip_runs_in = ["pip", "pip3", "python", "python3"]
        .iter()
        .filter_map(|name| commands.iter().find(|command| command.name == *name)?.chosen())
        .find_map(|hit| hit.leads_to.environment().cloned());
    let installers = match request.needs.contains(&Need::Installers) {
        true => Gathered::Known(installers::installers(host, &shell, pip_runs_in.as_ref())),
        false => Gathered::NotAsked,
    };

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
        packages,
        interpreters,
        installations,
        project,
        import_setup,
        installers,
        native,
        tools,
        commit: Gathered::NotAsked,
        patient,
        today: date(host.now()),
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

fn tools_facts(
    host: &dyn Host,
    request: &Request,
    context: &project::ProjectContext,
    search_path: &SearchPath,
    project: &Project,
    directory: Option<&HostPath>,
    environments: &[Environment],
) -> Gathered<Tools> {
    if !request.needs.contains(&Need::Tools) {
        return Gathered::NotAsked;
    }
    let environments = environments.iter().map(|environment| environment.root.clone()).collect();
    let reader =
        tools::Reader { files: host, places: context.places, search_path, project, directory, environments };
    Gathered::Known(reader.tools())
}

/// What is asked of the packages of the environment under examination.
fn patients_packages<'a>(
    request: &Request,
    environment: &'a Environment,
    variables: &'a packages::Variables,
) -> packages::Question<'a> {
    packages::Question {
        environment,
        variables,
        compare: true,
        contents: request.needs.contains(&Need::Contents),
        tags: request.needs.contains(&Need::Native),
    }
}

/// What is installed for the patient and, where it is another, for the environment of the shell's python.
#[expect(clippy::too_many_arguments)]
fn packages(
    host: &dyn Host,
    request: &Request,
    environments: &[Environment],
    variables: &packages::Variables,
    commands: &[Command],
    patient: Option<&HostPath>,
    project: Option<&HostPath>,
    ahead: Option<Ahead>,
) -> Vec<Packages> {
    if !request.needs.contains(&Need::Packages) {
        return Vec::new();
    }
    let running = ["python", "python3"]
        .iter()
        .find_map(|name| commands.iter().find(|command| command.name == *name)?.chosen())
        .and_then(|hit| hit.leads_to.environment());
    let at = |root: &HostPath| environments.iter().find(|environment| environment.is_at(root));
    let patient = patient.and_then(at);
    let running =
        running.and_then(at).filter(|running| patient.is_none_or(|patient| !patient.is_at(&running.root)));
    let of_patient = patient.map(|environment| {
        let known = ahead.and_then(|ahead| ahead.packages(&environment.root, variables));
        let question = patients_packages(request, environment, variables);
        known.unwrap_or_else(|| packages::packages(host, question))
    });
    let of_running = running.map(|environment| {
        let question = patients_packages(request, environment, variables);
        packages::packages(host, packages::Question { compare: false, contents: false, ..question })
    });
    let mut found: Vec<Packages> = of_patient.into_iter().chain(of_running).collect();
    found.iter_mut().for_each(|packages| packages::find_moved(host, packages, project));
    found
}

/// What the patient's interpreter reports, and no file tells, is installed for it, too.
fn take_report(
    host: &dyn Host,
    environments: &[Environment],
    shell: &Shell,
    patient: Option<&HostPath>,
    interpreters: &[Interpreter],
    packages: &mut [Packages],
) {
    let at = |root: &HostPath| environments.iter().find(|environment| environment.is_at(root));
    let Some(environment) = patient.and_then(at) else { return };
    let known = packages.iter_mut().find(|packages| packages.environment.same_as(&environment.root));
    let report = interpreters.iter().find_map(|interpreter| interpreter.probe.report());
    let (Some(packages), Some(report)) = (known, report) else { return };
    let question = packages::Question {
        environment,
        variables: &packages::Variables::of(shell),
        compare: false,
        contents: false,
        tags: false,
    };
    packages::take_report(host, packages, report, question);
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

/// Year, month and day of a time in seconds since 1970 (UTC), by the Gregorian calendar. None: no calendar
/// of people goes so far, so the clock is wrong.
pub fn date(seconds: u64) -> Option<(i32, u32, u32)> {
    let mut days = i64::try_from(seconds / 86_400).ok().filter(|days| *days < 3_000_000)?;
    let mut year = 1970;
    let leap = |year: i32| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    while days >= 365 + i64::from(leap(year)) {
        days -= 365 + i64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + i64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    Some((year, month, u32::try_from(days).unwrap_or(0) + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_calendar() {
        assert_eq!(date(0), Some((1970, 1, 1)));
        assert_eq!(date(951_782_400), Some((2000, 2, 29)));
        assert_eq!(date(1_798_761_599), Some((2026, 12, 31)));
        assert_eq!(date(u64::MAX), None);
        assert_eq!(date(4_107_542_400), Some((2100, 3, 1)));
    }
}
