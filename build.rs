//! Links the program at a fixed address on Linux.
//!
//! A position-independent program of this size has 15,000 pointers in its tables, which the loader has to write at
//! every start: a tenth of a millisecond, and 70 pages of memory that no other process shares. The price is that the
//! program's own code lies where an attacker expects it; stack, heap and libraries do not. There is no unsafe code
//! here that could be led there, `RELRO` stays, and nothing runs with anybody else's rights.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a build script speaks by variables and lines"
)]

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let dynamic = !target("FEATURE").split(',').any(|feature| feature == "crt-static");
    if target("OS") == "linux" && target("ENV") == "gnu" && dynamic {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
