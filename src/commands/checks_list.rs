//! `venv-doctor checks`.

use super::{Status, Terminal, Trouble, deliver};
use crate::checks;
use crate::cli::{ChecksArguments, Format};
use crate::diagnosis::Check;
use crate::host::Host;
use crate::report::listing;

pub fn run(host: &dyn Host, arguments: &ChecksArguments) -> Result<Status, Trouble> {
    let all: Vec<&Check> = checks::all().collect();
    let terminal = Terminal::of(host, &arguments.output);
    let mut page = Vec::new();
    match arguments.format {
        Format::Human => listing::checks(&mut page, &all, terminal.width, terminal.color)?,
        Format::Json => listing::checks_json(&mut page, &all)?,
    }
    deliver(&page)?;
    Ok(Status::Clean)
}
