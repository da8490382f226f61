//! What is true of the machine, as plain serialisable values.

pub mod platform;
