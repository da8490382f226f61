//! What was typed, what to do, the exit status.

use std::process::ExitCode;

use clap::Parser;
use venv_doctor::cli::Cli;
use venv_doctor::commands;

fn main() -> ExitCode {
    let status = match commands::version() {
        Some(status) => status,
        None => commands::run(Cli::parse()),
    };
    ExitCode::from(status as u8)
}
