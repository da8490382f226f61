//! Where the options of a run got their values: typed, from a variable, or neither.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Subcommand};

use super::{CheckArguments, Cli, Command};
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
        let words: Vec<OsString> = std::env::args_os().collect();
        match Cli::without_subcommand(host, &words) {
            Some(cli) => Ok(cli),
            None => Cli::of_any(host, &words),
        }
    }

    /// What nearly all runs are: the definitions of the subcommands take longer than all else before the examination.
    /// None where one is named, and where something is wrong or help is asked for, which the whole definition tells.
    fn without_subcommand(host: &dyn Host, words: &[OsString]) -> Option<Cli> {
        if words.iter().skip(1).filter_map(|word| word.to_str()).any(Command::has_subcommand) {
            return None;
        }
        let command = CheckArguments::augment_args(clap::Command::new("venv-doctor"));
        let matches = without_empty_variables(command, host).try_get_matches_from(words).ok()?;
        let mut check = CheckArguments::from_arg_matches(&matches).ok()?;
        check.given = Given::of(&matches);
        Some(Cli { command: None, check })
    }

    fn of_any(host: &dyn Host, words: &[OsString]) -> Result<Cli, clap::Error> {
        let command = without_empty_variables(Cli::command(), host);
        let matches = command.try_get_matches_from(words).map_err(|error| with_variable(error, host))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::fake::FakeMachine;

    #[test]
    fn without_a_subcommand_the_short_definition_reads_the_same() {
        let read = |line: &str, host: &FakeMachine| {
            let words: Vec<OsString> =
                std::iter::once("venv-doctor").chain(line.split_whitespace()).map(OsString::from).collect();
            let short = Cli::without_subcommand(host, &words).map(|cli| format!("{cli:?}"));
            (short, Cli::of_any(host, &words).map(|cli| format!("{cli:?}")).ok())
        };
        let host = FakeMachine::linux();
        for line in
            ["", "DIR", "--no-exec", "-v --select packages,moved-venv .", "--format json --fail-on info -q"]
        {
            let (short, whole) = read(line, &host);
            assert!(short.is_some(), "{line}");
            assert_eq!(short, whole, "{line}");
        }
        for line in
            ["why yaml", "check", "--no-exec check", "--help", "-V", "--nonsense", "a b", "--timeout x"]
        {
            assert_eq!(read(line, &host).0, None, "{line}");
        }
    }
}
