//! The whole examination's facts, gathered once: what is cheap always, the rest as the selected checks
//! need it, and the one interpreter start side by side with everything else.

use std::collections::BTreeSet;
use std::time::Duration;

use self::ahead::{Ahead, Fate};
use self::ground::Ground;
use self::inside::Inside;
use self::trust::{record, unmet};
use super::places::Places;
use super::{installations, installers, user_scripts};
use crate::diagnosis::Need;
use crate::facts::{Facts, Gathered};
use crate::host::bounded::Bounded;
use crate::host::{FileError, Host};
use crate::parallel;
use crate::path::HostPath;

mod ahead;
mod examined;
mod ground;
mod inside;
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
    let ahead = Bounded::new(host, limit);
    let host = Bounded::new(host, limit);
    let fate = Fate::default();
    let gathered = gather(&host, &ahead, &fate, request);
    let (mut cut, ahead) = (host.cut(), ahead.cut());
    if fate.environment_taken() {
        cut.out_of_time_at = cut.out_of_time_at.or(ahead.out_of_time_at.clone());
    }
    if let Some(at) = cut.out_of_time_at {
        return Err(RequestError::OutOfTime { limit, at });
    }
    let mut facts = gathered?;
    facts.notes.extend(cut.notes());
    if fate.all_taken() {
        let more: Vec<String> =
            ahead.notes().into_iter().filter(|note| !facts.notes.contains(note)).collect();
        facts.notes.extend(more);
    }
    Ok(facts)
}

/// Adds what only remedies are made of, and a search for modules elsewhere: where nothing is to be mended nobody needs
/// to know of the other Pythons of this machine.
///
/// # Errors
/// When the time was up.
pub fn complete(host: &dyn Host, facts: &mut Facts, deadline: Duration) -> Result<(), RequestError> {
    let limit = deadline.saturating_mul(EXAMINATION);
    let host = Bounded::new(host, limit);
    let variable = |name: &str| facts.shell.variable(name).map(str::to_owned);
    let places = Places { system: facts.platform.system, home: facts.home.as_ref(), variable: &variable };
    let found = installations::installations(&host, &facts.search_path, &places);
    let project = facts.project.root.as_ref();
    facts.installations = installations::with_bases(&host, found, &facts.environments, project);
    let cut = host.cut();
    if let Some(at) = cut.out_of_time_at {
        return Err(RequestError::OutOfTime { limit, at });
    }
    facts.notes.extend(cut.notes());
    Ok(())
}

/// `ahead` is the same machine, for what may not be wanted.
fn gather(host: &dyn Host, ahead: &dyn Host, fate: &Fate, request: &Request) -> Result<Facts, RequestError> {
    std::thread::scope(|scope| {
        let ahead = Ahead::start(scope, ahead, request, fate);
        // a thread that has to wait for a processor costs more than it brings
        let busy = 1 + usize::from(ahead.is_some());
        let ground = Ground::of(host, request, parallel::threads(busy + 1) > busy);
        if let Some(ahead) = &ahead {
            ahead.settle(ground.as_ref().ok().and_then(|ground| ground.patient.as_ref()));
        }
        let ground = ground?;
        let inside = Inside::of(host, request, &ground, ahead);
        Ok(together(host, request, ground, inside))
    })
}

fn together(host: &dyn Host, request: &Request, ground: Ground, inside: Inside) -> Facts {
    let Ground { shell, search_path, commands, mut project, mut notes, patient, plan, .. } = ground;
    let Inside { environments, mut packages, mut interpreters, mut import_setup, foreseen, answer, .. } =
        inside;
    project.sources = inside.sources.map_or(Gathered::NotAsked, Gathered::Known);
    if let Some(plan) = plan {
        import_setup.unmet = unmet(host, &plan, foreseen.as_ref(), &import_setup, &packages);
        record(host, &mut interpreters, plan, answer, foreseen, &mut notes);
    }
    inside::take_report(host, &environments, &shell, patient.as_ref(), &interpreters, &mut packages);
    let pip_runs_in = ["pip", "pip3", "python", "python3"]
        .iter()
        .filter_map(|name| commands.iter().find(|command| command.name == *name)?.chosen())
        .find_map(|hit| hit.leads_to.environment());
    let installers = match request.needs.contains(&Need::Installers) {
        true => Gathered::Known(installers::installers(host, &shell, pip_runs_in)),
        false => Gathered::NotAsked,
    };
    Facts {
        platform: host.platform().clone(),
        user: host.user().clone(),
        home: ground.home,
        surroundings: ground.surroundings,
        working_directory: ground.working_directory,
        directory: ground.directory,
        user_scripts: user_scripts::user_scripts(host, &shell, &search_path),
        shell,
        search_path,
        commands,
        environments,
        packages,
        interpreters,
        installations: Vec::new(),
        project,
        import_setup,
        installers,
        native: inside.native,
        tools: inside.tools,
        commit: Gathered::NotAsked,
        patient,
        today: date(host.now()),
        notes,
    }
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
