//! One file per subcommand: wiring only.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use crate::checks;
use crate::cli::{Cli, Color, Command, OutputArguments};
use crate::collect::gather::{self, EXAMINATION, Request};
use crate::collect::shell;
use crate::config;
use crate::config::settings::{Selection, Settings};
use crate::diagnosis::{Diagnosis, crash, examine};
use crate::facts::Facts;
use crate::host::Host;
use crate::host::real::RealMachine;
use crate::report::{hyperlinks, sanitize};

mod check;
mod checks_list;
mod completions;
mod explain;
mod hook;
mod man;
mod page;
mod path;
mod scan;
mod schema;
mod why;

/// How a run ends: the exit statuses are a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nothing at or above `--fail-on`.
    Clean = 0,
    /// Findings at or above it.
    Findings = 1,
    /// The doctor could not do its work.
    Trouble = 2,
    /// Somebody ended it: what was known by then was told.
    Interrupted = 130,
}

/// Something that keeps the doctor from its work, for a person to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble(pub String);

impl From<config::ConfigurationError> for Trouble {
    fn from(error: config::ConfigurationError) -> Trouble {
        Trouble(error.0)
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Trouble {
        Trouble(format!("cannot write the report: {error}"))
    }
}

/// Answers `--version` where nothing else was typed: programs ask for it often, and the definition of the whole
/// command line need not be built for it.
pub fn version() -> Option<Status> {
    let mut arguments = std::env::args_os().skip(1);
    let asked = matches!(arguments.next()?.to_str(), Some("--version" | "-V")) && arguments.next().is_none();
    let line = concat!("venv-doctor ", env!("CARGO_PKG_VERSION"), "\n");
    asked.then(|| deliver(line.as_bytes()).map_or(Status::Trouble, |()| Status::Clean))
}

/// Does what was typed.
pub fn run(host: &dyn Host, cli: &Cli) -> Status {
    let result = crash::guarded_program(|| dispatch(host, cli)).unwrap_or_else(|crash| Err(Trouble(crash)));
    let result = match crash::of_other_threads() {
        Some(crash) if result.is_ok() => Err(Trouble(crash)),
        _ => result,
    };
    match result {
        Ok(status) => status,
        Err(Trouble(message)) => {
            // one line, whatever names it holds; standard error may be closed, too: then there is nobody to tell
            let _ = writeln!(std::io::stderr(), "venv-doctor: {}", sanitize::shown(&message));
            Status::Trouble
        }
    }
}

fn dispatch(host: &dyn Host, cli: &Cli) -> Result<Status, Trouble> {
    match &cli.command {
        None => check::run(host, &cli.check),
        Some(Command::Check(arguments)) => check::run(host, arguments),
        Some(Command::Hook(arguments)) => hook::run(host, arguments),
        Some(Command::Path(arguments)) => path::run(host, arguments),
        Some(Command::Why(arguments)) => why::run(host, arguments),
        Some(Command::Scan(arguments)) => scan::run(host, arguments),
        Some(Command::Explain(arguments)) => explain::run(host, arguments),
        Some(Command::Checks(arguments)) => checks_list::run(host, arguments),
        Some(Command::Schema(arguments)) => schema::run(arguments),
        Some(Command::Completions(arguments)) => completions::run(arguments),
        Some(Command::Man) => man::run(),
    }
}

/// Gathers the facts. A file system that never answers must not keep the caller for ever: what is merely slow has
/// ended by itself when the doctor gives up.
fn gathered(host: &dyn Host, request: &Request) -> Result<Facts, Trouble> {
    const GRACE: Duration = Duration::from_secs(2);
    let limit = request.deadline.saturating_mul(EXAMINATION).saturating_add(GRACE);
    let message = format!(
        "venv-doctor: gave up after {} s: a file or directory did not answer (a network mount that is gone?)",
        limit.as_secs_f64()
    );
    RealMachine::end_after(limit, message, Status::Trouble as i32);
    gather::facts(host, request).map_err(|error| Trouble(error.to_string()))
}

/// What the checks find, with remedies that know the machine's other Pythons.
fn diagnosed(
    host: &dyn Host,
    facts: &mut Facts,
    selection: &Selection,
    settings: &Settings,
) -> Result<Diagnosis, Trouble> {
    let diagnosis = examine::examine_selection(facts, selection, settings.told());
    if diagnosis.findings.is_empty() {
        return Ok(diagnosis);
    }
    completed(host, facts, settings.asking.deadline())?;
    Ok(examine::examine_selection(facts, selection, settings.told()))
}

fn completed(host: &dyn Host, facts: &mut Facts, deadline: Duration) -> Result<(), Trouble> {
    gather::complete(host, facts, deadline).map_err(|error| Trouble(error.to_string()))
}

/// Columns where no terminal says how many it has.
const PAGE_WIDTH: usize = 100;

/// How to write to standard output: decided once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    pub width: usize,
    pub color: bool,
    pub unicode: bool,
    /// Whether paths may be links.
    pub links: bool,
}

impl Terminal {
    /// Where there is none: a log, a file.
    const PAGE: Terminal = Terminal { width: PAGE_WIDTH, color: false, unicode: true, links: false };

    pub fn of(host: &dyn Host, output: &OutputArguments) -> Terminal {
        let stdout = std::io::stdout();
        let on_terminal = stdout.is_terminal();
        let ci = shell::surroundings(host).ci.is_some();
        let color = match output.color {
            Color::Always => true,
            Color::Never => false,
            // a service that gives its jobs a terminal need not show its colours
            Color::Auto
                if ci && on_terminal && !CI_WITH_COLOR.iter().any(|name| host.variable(name).is_some()) =>
            {
                false
            }
            Color::Auto => anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never,
        };
        let columns = host.text_variable("COLUMNS").and_then(|columns| columns.parse().ok());
        let width = match ci {
            true => PAGE_WIDTH,
            false => columns
                .or_else(|| on_terminal.then(|| terminal_width(&stdout)).flatten())
                .unwrap_or(PAGE_WIDTH),
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| host.text_variable(name));
        let unicode = locale.is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        let links = on_terminal && color && !ci && hyperlinks::shows(&|name| host.text_variable(name));
        Terminal { width, color, unicode, links }
    }
}

/// Services whose logs show colours, by the variable that each sets.
const CI_WITH_COLOR: [&str; 2] = ["GITHUB_ACTIONS", "GITLAB_CI"];

#[cfg(unix)]
fn terminal_width(terminal: impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

#[cfg(not(unix))]
fn terminal_width<T>(_terminal: T) -> Option<usize> {
    None
}

/// Writes the whole report at once. A reader that closed the pipe has had enough: that is no trouble.
fn deliver(report: &[u8]) -> Result<(), Trouble> {
    let mut out = std::io::stdout().lock();
    match out.write_all(report).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(Trouble::from),
    }
}

/// The check of that id, else an error with the nearest ids.
fn find_check(id: &str) -> Result<&'static crate::diagnosis::Check, Trouble> {
    checks::find(id).ok_or_else(|| {
        let names = checks::all().map(|check| check.id);
        Trouble(format!(
            "there is no check {id:?}{}; `venv-doctor checks` lists them",
            config::did_you_mean(id, names)
        ))
    })
}
