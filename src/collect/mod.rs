//! From the host to the facts: one file per noun.

pub mod environment;
pub mod interpreter;
pub mod inventory;
pub mod library;
pub mod links;
pub mod probe;
pub mod scripts;
pub mod search_path;
pub mod shell;
