//! From the machine to facts: one file per noun.

pub mod installations;
pub mod places;
pub mod project;
pub mod synced;
