//! Every environment of a machine, or below some of its directories.

pub mod cost;
pub mod facts;
pub mod keepers;
pub mod known;
pub mod remembered;
pub mod walk;
