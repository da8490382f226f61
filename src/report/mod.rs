//! A diagnosis as text: one file per format. Nothing here reads a file, a variable or the clock; whatever
//! was decided outside is passed in.

pub mod dialect;
pub mod fleet;
pub mod github;
pub mod human;
pub mod hyperlinks;
pub mod import_path;
pub mod json;
mod json_text;
pub mod listing;
pub mod markdown;
mod repository;
pub mod sanitize;
pub mod sarif;
pub mod schema;
pub mod snapshot;
mod text;
mod versions;
pub mod why;

pub use dialect::Dialect;

#[cfg(test)]
mod format_tests;
#[cfg(test)]
mod tests;
