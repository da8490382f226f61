//! Gathering facts from a [`Host`](crate::host::Host): one file per noun.

pub mod search_path;
pub mod shell;
