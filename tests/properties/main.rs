//! What holds for any input: parsers, whole machines, snapshots, formats. `PROPTEST_CASES` or `VENV_DOCTOR_FULL=1`
//! tries more than the few that every run has time for.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code
)]

mod machines;
mod parsers;
#[path = "../support/random.rs"]
mod random;
#[path = "../support/reliability.rs"]
mod reliability;
mod texts;

use random::{cases, runner, usual};
