//! `venv-doctor explain CHECK`.

use super::{Status, Terminal, Trouble, deliver, find_check};
use crate::cli::{ExplainArguments, Format};
use crate::host::Host;
use crate::report::listing;

pub fn run(host: &dyn Host, arguments: &ExplainArguments) -> Result<Status, Trouble> {
    let check = find_check(&arguments.check)?;
    let terminal = Terminal::of(host, &arguments.output);
    let mut page = Vec::new();
    match arguments.format {
        Format::Human => listing::explain(&mut page, check, terminal.width, terminal.color)?,
        Format::Json => listing::explain_json(&mut page, check)?,
    }
    deliver(&page)?;
    Ok(Status::Clean)
}
