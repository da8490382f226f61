//! What was typed, what to do, the exit status.

use std::process::ExitCode;

use venv_doctor::cli::Cli;
use venv_doctor::commands;
use venv_doctor::host::real::RealMachine;

fn main() -> ExitCode {
    let status = match commands::version() {
        Some(status) => status,
        None => match Cli::read(&RealMachine::new()) {
            Ok(cli) => commands::run(cli),
            Err(error) => error.exit(),
        },
    };
    ExitCode::from(status as u8)
}
