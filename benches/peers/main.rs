//! The doctor beside its peers, measured side by side in one run: `cargo bench --bench peers`. The first run installs
//! them and 300 distributions below `target/peers`.
//!
//! Each case has a reference; what is printed are medians, and ratios to the median of the reference. All commands of
//! a case take turns, so that whatever else the machine does meets all of them.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, clippy::unwrap_used, clippy::expect_used)]

#[cfg(unix)]
mod environments;

#[cfg(unix)]
mod hook;

#[cfg(unix)]
mod measure;

#[cfg(unix)]
fn main() {
    measure::all();
}

#[cfg(not(unix))]
fn main() {
    println!("not measured: the environments are made for POSIX systems");
}
