//! Healthy machines at large: environments that people really have, built with the tools that they have them from. Not one
//! warning, and every info is one that the situation names and gives a reason for.
//!
//! What cannot be built here is reported as ignored. A fixed sample runs by default; `VENV_DOCTOR_FULL=1` runs all, and
//! first builds what is kept below `target/tmp/healthy`.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code
)]

#[path = "../support/mod.rs"]
mod support;

mod activation;
mod creators;
mod editables;
mod foreign;
mod machines;
mod managers;
mod popular;
mod projects;
mod scene;

use libtest_mimic::{Arguments, Trial};
use scene::Situation;

fn main() {
    let mut arguments = Arguments::from_args();
    // three examinations wait for their interpreters and their files, and not for the processor
    arguments.test_threads = arguments.test_threads.or(Some(4));
    let situations: Vec<Situation> = [
        creators::all(),
        activation::all(),
        machines::all(),
        projects::all(),
        editables::all(),
        popular::all(),
        managers::all(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let trials: Vec<Trial> =
        situations.into_iter().filter(Situation::is_chosen).map(Situation::trial).collect();
    let trials = trials.into_iter().chain(foreign::trials()).collect();
    libtest_mimic::run(&arguments, trials).exit();
}
