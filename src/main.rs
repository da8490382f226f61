//! What was typed, what to do, the exit status.

use std::process::ExitCode;

use clap::Parser;
use venv_doctor::cli::Cli;
use venv_doctor::commands;

fn main() -> ExitCode {
    ExitCode::from(commands::run(Cli::parse()) as u8)
}
