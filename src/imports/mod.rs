//! What Python would do, without Python: where it looks for modules, and why.

pub mod build;
pub mod compare;
mod customize;
mod getpath;
pub mod known_modules;
pub mod near;
mod pep582;
mod place;
pub mod predict;
mod pth;
pub mod resolve;
mod site;
mod site16;
mod site27;
mod sitedirs;
pub mod spelling;
pub mod stdlib;
#[cfg(test)]
mod tree;
mod unmet;

pub use build::{Build, Implementation, Unidentified, Version, identify};
pub use compare::{Comparison, Reported, compare};
pub use predict::{
    EntryState, Fatal, Flags, HookKind, ImportEntry, ImportOrigin, Outcome, Prediction, Question, Start,
    StartupHook, UserSite, Variables, predict,
};
pub use pth::{
    added_directories, adds_unknown, is_distutils_precedence, replaces_distutils,
    replaces_distutils_by_default,
};
pub use resolve::{
    Found, ModuleKind, PassedOver, Resolution, Resolver, SearchResult, Searched, archive_names,
};
pub use spelling::Spelling;
pub use unmet::unmet_imports;
