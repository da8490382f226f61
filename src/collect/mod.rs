//! From the host to the facts: one file per noun.

pub mod attempt;
pub mod commit;
pub mod dyld;
pub mod elsewhere;
pub mod environment;
mod execution_policy;
pub mod gather;
pub mod import_path;
pub mod import_setup;
pub mod installations;
pub mod installers;
pub mod interpreter;
pub mod inventory;
pub mod library;
pub mod links;
pub mod native;
pub mod packages;
pub mod places;
pub mod probe;
pub mod project;
pub mod scripts;
pub mod search_path;
pub mod shell;
pub mod startup_files;
pub mod synced;
pub mod tools;
pub mod user_scripts;
