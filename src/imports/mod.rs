//! What Python would do, without Python.

pub mod known_modules;
pub mod stdlib;
