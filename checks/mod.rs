//! The handbook: one file per check, a folder per category. A check uses `facts`, `imports` and
//! `diagnosis` alone; it reads no file, variable, process or clock.

use crate::diagnosis::Check;

pub mod activation;
pub mod interpreter;
pub mod isolation;
pub mod native;
pub mod packages;
pub mod platform;
pub mod project;
pub mod relocation;
pub mod tools;

/// The lists of the categories, causes before their symptoms: at equal severity this is the order of a report.
static CATEGORIES: &[&[&Check]] = &[
    interpreter::ALL,
    relocation::ALL,
    platform::ALL,
    isolation::ALL,
    native::ALL,
    activation::ALL,
    packages::ALL,
    project::ALL,
    tools::ALL,
];

/// Every check, in that order.
pub fn all() -> impl Iterator<Item = &'static Check> + Clone {
    CATEGORIES.iter().flat_map(|category| category.iter().copied())
}

/// The check with this id.
pub fn find(id: &str) -> Option<&'static Check> {
    all().find(|check| check.id == id)
}
