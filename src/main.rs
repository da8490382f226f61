//! What was typed, what to do, the exit status.

use std::process::ExitCode;

use venv_doctor::cli::Cli;
use venv_doctor::commands;
use venv_doctor::host::real::RealMachine;

fn main() -> ExitCode {
    let status = match commands::version() {
        Some(status) => status,
        None => {
            let machine = RealMachine::new();
            match Cli::read(&machine) {
                Ok(cli) => commands::run(&machine, &cli),
                Err(error) => error.exit(),
            }
        }
    };
    ExitCode::from(status as u8)
}
