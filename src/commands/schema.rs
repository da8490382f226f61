//! `venv-doctor schema`.

use super::{Status, Trouble, deliver};
use crate::cli::{SchemaArguments, SchemaOf};
use crate::report::schema;

pub fn run(arguments: &SchemaArguments) -> Result<Status, Trouble> {
    let definition = match arguments.of {
        SchemaOf::Check => "report",
        SchemaOf::Path => "path",
        SchemaOf::Why => "why",
        SchemaOf::Checks => "checks",
        SchemaOf::Explain => "explain",
        SchemaOf::Scan => "scan",
        SchemaOf::ScanLine => "scan_line",
    };
    deliver(schema::schema_of(definition).as_bytes())?;
    Ok(Status::Clean)
}
