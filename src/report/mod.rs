//! A diagnosis as text: one file per format. Nothing here reads a file, a variable or the clock; whatever
//! was decided outside is passed in.

pub mod dialect;
pub mod human;
pub mod import_path;
pub mod json;
pub mod listing;
pub mod sanitize;
mod text;
pub mod why;

pub use dialect::Dialect;

#[cfg(test)]
mod tests;
