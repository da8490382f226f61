//! Where the options of a run got their values: typed, from a variable, or neither.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches};

use super::{Cli, Command};
use crate::host::Host;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    #[default]
    Default,
    Variable,
    CommandLine,
}

/// The options that a configuration file has, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Given {
    pub python: Level,
    pub no_exec: Level,
    pub select: Level,
    pub ignore: Level,
    pub fail_on: Level,
    pub timeout: Level,
}

impl Given {
    fn of(matches: &ArgMatches) -> Given {
        let level = |id: &str| match matches.try_contains_id(id).ok().and_then(|_| matches.value_source(id)) {
            Some(ValueSource::CommandLine) => Level::CommandLine,
            Some(ValueSource::EnvVariable) => Level::Variable,
            _ => Level::Default,
        };
        Given {
            python: level("python"),
            no_exec: level("no_exec"),
            select: level("select"),
            ignore: level("ignore"),
            fail_on: level("fail_on"),
            timeout: level("timeout"),
        }
    }
}

impl Cli {
    /// The command line, completed from the variables. A variable that is set and empty is none.
    ///
    /// # Errors
    /// What clap has to say; a bad value of a variable is told from one that was typed.
    pub fn read(host: &dyn Host) -> Result<Cli, clap::Error> {
        let command = without_empty_variables(Cli::command(), host);
        let matches = command.try_get_matches().map_err(|error| with_variable(error, host))?;
        let mut cli = Cli::from_arg_matches(&matches)?;
        let given = Given::of(matches.subcommand().map_or(&matches, |(_, own)| own));
        match &mut cli.command {
            None => cli.check.given = given,
            Some(Command::Check(arguments)) => arguments.given = given,
            Some(Command::Path(arguments)) => arguments.given = given,
            Some(Command::Why(arguments)) => arguments.given = given,
            Some(Command::Hook(arguments)) => arguments.given = given,
            Some(Command::Scan(arguments)) => arguments.given = given,
            Some(_) => {}
        }
        Ok(cli)
    }
}

fn without_empty_variables(command: clap::Command, host: &dyn Host) -> clap::Command {
    command
        .mut_args(|argument| match argument.get_env().and_then(|name| name.to_str()) {
            Some(name) if host.text_variable(name).is_none() => {
                argument.env(clap::builder::Resettable::Reset)
            }
            _ => argument,
        })
        .mut_subcommands(|command| without_empty_variables(command, host))
}

/// Says which variable a bad value comes from.
fn with_variable(mut error: clap::Error, host: &dyn Host) -> clap::Error {
    if !matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) {
        return error;
    }
    let (Some(ContextValue::String(option)), Some(ContextValue::String(value))) =
        (error.get(ContextKind::InvalidArg), error.get(ContextKind::InvalidValue))
    else {
        return error;
    };
    let option = option.split_whitespace().next().unwrap_or_default().trim_start_matches('-');
    let variable = format!("VENV_DOCTOR_{}", option.replace('-', "_").to_ascii_uppercase());
    if host.text_variable(&variable).as_deref() == Some(value) {
        let said = ContextValue::String(format!("{option} (from the variable {variable})"));
        error.insert(ContextKind::InvalidArg, said);
    }
    error
}
