//! What holds for this run: the command line beats the variables, which beat the file.

use std::fmt;
use std::time::Duration;

use super::{Configuration, ConfigurationError, Setting, find, known_name};
use crate::checks;
use crate::cli::{
    CheckArguments, FailOn, Given, HookArguments, Level, PathArguments, ScanArguments, WhyArguments,
};
use crate::collect::gather::Configured;
use crate::diagnosis::{Check, Need, Severity, Unexamined};
use crate::host::Host;
use crate::path::HostPath;

/// Who made a setting; what comes later beats what comes before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Default,
    File { file: HostPath, line: usize },
    Variable(&'static str),
    CommandLine,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => formatter.write_str("default"),
            Source::File { file, line } => write!(formatter, "line {line} of {file}"),
            Source::Variable(name) => formatter.write_str(name),
            Source::CommandLine => formatter.write_str("command line"),
        }
    }
}

/// A value and who chose it.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen<T> {
    pub value: T,
    pub source: Source,
}

/// A check or category that is left out, with who says so and why.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ignore {
    name: String,
    reason: Option<String>,
    source: Source,
}

/// Which interpreter to examine and how: what every command asks.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The environment that the file names; None where the user names one.
    pub configured: Option<Configured>,
    pub no_exec: Chosen<bool>,
    pub timeout: Chosen<f64>,
    python: Source,
}

/// What was typed of it.
#[derive(Debug, Clone, Copy)]
pub struct Typed<'a> {
    names_python: bool,
    no_exec: bool,
    timeout: f64,
    given: &'a Given,
}

/// What was typed of everything that an examination is told.
#[derive(Debug, Clone, Copy)]
pub struct Choices<'a> {
    asking: Typed<'a>,
    select: &'a [String],
    ignore: &'a [String],
    fail_on: FailOn,
    deep: bool,
}

impl<'a> From<&'a CheckArguments> for Choices<'a> {
    fn from(arguments: &'a CheckArguments) -> Choices<'a> {
        let CheckArguments { select, ignore, fail_on, deep, .. } = arguments;
        Choices { asking: arguments.into(), select, ignore, fail_on: *fail_on, deep: *deep }
    }
}

impl<'a> From<&'a ScanArguments> for Choices<'a> {
    fn from(arguments: &'a ScanArguments) -> Choices<'a> {
        let ScanArguments { select, ignore, fail_on, exec, timeout, given, .. } = arguments;
        let asking = Typed { names_python: false, no_exec: !exec, timeout: *timeout, given };
        Choices { asking, select, ignore, fail_on: *fail_on, deep: false }
    }
}

impl<'a> Choices<'a> {
    /// The hook has a selection of its own where none is typed, and starts nothing.
    pub fn of_hook(arguments: &'a HookArguments, usual: &'a [String]) -> Choices<'a> {
        let HookArguments { select, ignore, fail_on, given, .. } = arguments;
        let select = if select.is_empty() { usual } else { select };
        let asking = Typed { names_python: false, no_exec: true, timeout: 1.0, given };
        Choices { asking, select, ignore, fail_on: *fail_on, deep: false }
    }
}

impl<'a> From<&'a CheckArguments> for Typed<'a> {
    fn from(arguments: &'a CheckArguments) -> Typed<'a> {
        let CheckArguments { python, no_exec, timeout, given, .. } = arguments;
        Typed { names_python: python.is_some(), no_exec: *no_exec, timeout: *timeout, given }
    }
}

impl<'a> From<&'a PathArguments> for Typed<'a> {
    fn from(arguments: &'a PathArguments) -> Typed<'a> {
        let PathArguments { python, no_exec, timeout, given, .. } = arguments;
        Typed { names_python: python.is_some(), no_exec: *no_exec, timeout: *timeout, given }
    }
}

impl<'a> From<&'a WhyArguments> for Typed<'a> {
    fn from(arguments: &'a WhyArguments) -> Typed<'a> {
        let WhyArguments { python, no_exec, timeout, given, .. } = arguments;
        Typed { names_python: python.is_some(), no_exec: *no_exec, timeout: *timeout, given }
    }
}

impl Asking {
    pub fn new<'a>(typed_in: impl Into<Typed<'a>>, file: Option<&Configuration>) -> Asking {
        let arguments = typed_in.into();
        let given = arguments.given;
        let setting = file.and_then(|file| Some((file, file.python.as_ref()?)));
        let configured = setting.filter(|_| !arguments.names_python).map(|(file, setting)| Configured {
            path: setting.value.clone(),
            file: file.file.clone(),
            line: setting.line,
        });
        let python = match &configured {
            Some(configured) => Source::File { file: configured.file.clone(), line: configured.line },
            None => typed(given.python, "VENV_DOCTOR_PYTHON"),
        };
        Asking {
            configured,
            no_exec: pick(
                (arguments.no_exec, given.no_exec, "VENV_DOCTOR_NO_EXEC"),
                file.and_then(|file| Some((file, file.no_exec.clone()?))),
            ),
            timeout: pick(
                (arguments.timeout, given.timeout, "VENV_DOCTOR_TIMEOUT"),
                file.and_then(|file| Some((file, file.timeout.clone()?))),
            ),
            python,
        }
    }

    pub fn deadline(&self) -> Duration {
        Duration::from_secs_f64(self.timeout.value)
    }
}

/// Everything that an examination is told besides the place.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The file that was read, whatever it says.
    file: Option<HostPath>,
    pub asking: Asking,
    pub fail_on: Chosen<FailOn>,
    select: Chosen<Vec<String>>,
    ignore: Vec<Ignore>,
    severities: Vec<(String, Chosen<Severity>)>,
    /// Whether every installed file is read.
    deep: bool,
}

/// The checks of a run.
#[derive(Default)]
pub struct Selection {
    /// In the order of the table, with those that are ignored.
    pub checks: Vec<&'static Check>,
    /// Not selected.
    pub skipped: Vec<Unexamined>,
    /// Run for the number of their findings alone; with the reason.
    pub ignored: Vec<Unexamined>,
    /// Severities that are not the checks' own.
    pub severities: Vec<(&'static str, Severity)>,
}

/// The file for `directory` (the working directory where none is named), unless it is to be left alone.
///
/// # Errors
/// As of [`find`].
pub fn file(
    host: &dyn Host,
    directory: Option<&HostPath>,
    no_config: bool,
) -> Result<Option<Configuration>, ConfigurationError> {
    if no_config {
        return Ok(None);
    }
    let here = host.working_directory().ok();
    match directory.or(here.as_ref()) {
        Some(directory) => find(host, &directory.normalized(), host.home().as_ref()),
        None => Ok(None),
    }
}

impl Settings {
    /// # Errors
    /// When a check or category that was typed does not exist.
    pub fn new<'a>(choices: impl Into<Choices<'a>>, file: Option<Configuration>) -> Result<Settings, String> {
        let choices = choices.into();
        let given = choices.asking.given;
        let file = file.as_ref();
        let select = pick(
            (choices.select.to_vec(), given.select, SELECT),
            file.and_then(|file| Some((file, file.select.clone()?))),
        );
        let ignore = match file {
            Some(file) if given.ignore == Level::Default => file
                .ignore
                .iter()
                .map(|setting| Ignore {
                    name: setting.value.name.clone(),
                    reason: setting.value.reason.clone(),
                    source: in_file(file, setting),
                })
                .collect(),
            _ => choices
                .ignore
                .iter()
                .map(|name| Ignore { name: name.clone(), reason: None, source: typed(given.ignore, IGNORE) })
                .collect::<Vec<_>>(),
        };
        let known = |name: &str, source: &Source| {
            known_name(name).map_err(|message| match source {
                Source::Variable(variable) => format!("{variable}: {message}"),
                _ => message,
            })
        };
        select.value.iter().try_for_each(|name| known(name, &select.source))?;
        ignore.iter().try_for_each(|ignore| known(&ignore.name, &ignore.source))?;
        Ok(Settings {
            file: file.map(|file| file.file.clone()),
            asking: Asking::new(choices.asking, file),
            fail_on: pick(
                (choices.fail_on, given.fail_on, "VENV_DOCTOR_FAIL_ON"),
                file.and_then(|file| Some((file, file.fail_on.clone()?))),
            ),
            deep: choices.deep,
            select,
            ignore,
            severities: file.map_or_else(Vec::new, |file| {
                let severity = |setting: &Setting<(String, Severity)>| {
                    let source = in_file(file, setting);
                    (setting.value.0.clone(), Chosen { value: setting.value.1, source })
                };
                file.severity.iter().map(severity).collect()
            }),
        })
    }

    /// Which checks run, and which of them for their number alone. A check that is named in a selection is not
    /// left out by who has less to say.
    pub fn selection(&self) -> Selection {
        let mut selection = Selection::default();
        for check in checks::all() {
            if !self.select.value.is_empty() && !self.select.value.iter().any(|name| stands_for(name, check))
            {
                selection.skipped.push(Unexamined { check: check.id, reason: "not selected".to_owned() });
                continue;
            }
            if !self.deep && check.needs.contains(&Need::Contents) {
                let reason = "it reads every installed file: give --deep to run it".to_owned();
                selection.skipped.push(Unexamined { check: check.id, reason });
                continue;
            }
            selection.checks.push(check);
            let by_id = |name: &String| is_id_of(name, check);
            if let Some(ignore) = self.ignore.iter().find(|ignore| stands_for(&ignore.name, check))
                && !(self.select.value.iter().any(by_id) && self.select.source.outranks(&ignore.source))
            {
                let reason = match &ignore.reason {
                    Some(reason) => format!("ignored: {reason} ({})", ignore.source),
                    None => format!("ignored ({})", ignore.source),
                };
                selection.ignored.push(Unexamined { check: check.id, reason });
            }
            // an id says more than its category
            let named = |exact: bool| {
                self.severities
                    .iter()
                    .find(|(name, _)| stands_for(name, check) && is_id_of(name, check) == exact)
            };
            if let Some((_, severity)) = named(true).or_else(|| named(false)) {
                selection.severities.push((check.id, severity.value));
            }
        }
        selection
    }

    /// The checks whose findings are told.
    pub fn told_checks(&self) -> Vec<&'static Check> {
        let Selection { mut checks, ignored, .. } = self.selection();
        checks.retain(|check| !ignored.iter().any(|ignored| ignored.check == check.id));
        checks
    }

    /// What is set and by whom, a line each: for `-v`.
    pub fn told(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = |what: String, source: &Source| {
            if *source != Source::Default {
                lines.push(format!("{what} ({source})"));
            }
        };
        line(format!("select {}", self.select.value.join(", ")), &self.select.source);
        for ignore in &self.ignore {
            line(format!("ignore {}", ignore.name), &ignore.source);
        }
        for (name, severity) in &self.severities {
            line(format!("severity of {name}: {}", severity.value.label()), &severity.source);
        }
        line(format!("fail-on {}", self.fail_on.value.label()), &self.fail_on.source);
        let python = self.asking.configured.as_ref().map(|configured| format!(" {}", configured.path));
        line(format!("python{}", python.unwrap_or_default()), &self.asking.python);
        line(format!("no-exec {}", self.asking.no_exec.value), &self.asking.no_exec.source);
        line(format!("timeout {} s", self.asking.timeout.value), &self.asking.timeout.source);
        match &self.file {
            Some(file) => lines.push(format!("configuration: {file}")),
            None => lines.push("configuration: no file, at or above the directory".to_owned()),
        }
        lines
    }
}

const SELECT: &str = "VENV_DOCTOR_SELECT";
const IGNORE: &str = "VENV_DOCTOR_IGNORE";

impl Source {
    /// Whether it is of a higher level: two lines of files are of one.
    fn outranks(&self, other: &Source) -> bool {
        let rank = |source: &Source| match source {
            Source::Default => 0,
            Source::File { .. } => 1,
            Source::Variable(_) => 2,
            Source::CommandLine => 3,
        };
        rank(self) > rank(other)
    }
}

fn is_id_of(name: &str, check: &Check) -> bool {
    checks::find(name).is_some_and(|found| found.id == check.id)
}

fn stands_for(name: &str, check: &Check) -> bool {
    name == check.category.label() || is_id_of(name, check)
}

fn typed(level: Level, variable: &'static str) -> Source {
    match level {
        Level::Default => Source::Default,
        Level::Variable => Source::Variable(variable),
        Level::CommandLine => Source::CommandLine,
    }
}

fn in_file<T>(file: &Configuration, setting: &Setting<T>) -> Source {
    Source::File { file: file.file.clone(), line: setting.line }
}

fn pick<T>(
    (value, level, variable): (T, Level, &'static str),
    file: Option<(&Configuration, Setting<T>)>,
) -> Chosen<T> {
    match file {
        Some((file, setting)) if level == Level::Default => {
            let source = in_file(file, &setting);
            Chosen { value: setting.value, source }
        }
        _ => Chosen { value, source: typed(level, variable) },
    }
}
