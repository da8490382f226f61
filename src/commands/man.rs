//! `venv-doctor man`: the manual page of the program and its subcommands.

use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::Roff;

use super::{Status, Trouble, deliver};
use crate::cli::Cli;

pub fn run() -> Result<Status, Trouble> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    let man = Man::new(command.clone()).manual("User Commands");
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    for subcommand in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        let mut heading = Roff::new();
        let name = format!("COMMAND {}", subcommand.get_name());
        heading.control("SH", [name.to_uppercase().as_str()]);
        heading.text([clap_mangen::roff::roman(
            subcommand.get_about().map(ToString::to_string).unwrap_or_default(),
        )]);
        heading.to_writer(&mut page)?;
        let own = Man::new(subcommand.clone());
        own.render_synopsis_section(&mut page)?;
        own.render_options_section(&mut page)?;
        own.render_extra_section(&mut page)?;
    }
    man.render_extra_section(&mut page)?;
    man.render_version_section(&mut page)?;
    deliver(&page)?;
    Ok(Status::Clean)
}
