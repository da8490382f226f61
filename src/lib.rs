//! The doctor for Python environments.
//!
//! ```text
//! Host -> Facts -> Checks -> Diagnosis -> Report
//! ```
//!
//! - [`host`]: the machine behind one small trait; the only room that reads files, variables and processes.
//! - [`facts`]: what is true, as plain values; gathered by `collect`, read from bytes by [`parse`].
//! - [`imports`]: what Python would do, without Python.
//! - [`checks`]: the handbook; one question each, pure over facts.
//! - [`diagnosis`]: the findings, each symptom folded under its cause.
//! - [`report`]: a diagnosis as text, in the words of the reader's shell.

#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_macros))]

#[path = "../checks/mod.rs"]
pub mod checks;
pub mod cli;
pub mod collect;
pub mod commands;
pub mod config;
pub mod diagnosis;
pub mod facts;
pub mod host;
pub mod imports;
pub mod parallel;
pub mod parse;
pub mod path;
pub mod report;
