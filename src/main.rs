//! What was typed, what to do, the exit status.

use std::process::ExitCode;

use venv_doctor::cli::Cli;
use venv_doctor::commands;
use venv_doctor::host::real::RealMachine;

fn main() -> ExitCode {
    match Cli::read(&RealMachine::new()) {
        Ok(cli) => ExitCode::from(commands::run(cli) as u8),
        Err(error) => error.exit(),
    }
}
