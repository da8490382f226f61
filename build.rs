//! Links the program so that Linux starts it sooner: at a fixed address, and with the unwinder in it.
//!
//! A position-independent program of this size has 15,000 pointers in its tables, which the loader has to write at
//! every start: a tenth of a millisecond, and 70 pages of memory that no other process shares. The price is that the
//! program's own code lies where an attacker expects it; stack, heap and libraries do not. There is no unsafe code
//! here that could be led there, `RELRO` stays, and nothing runs with anybody else's rights.
//!
//! `libgcc_s.so` is loaded for nothing but the unwinding of panics, and finding, mapping and relocating it takes another
//! tenth. The C compiler brings the same code as `libgcc_eh.a`; where it does not, the library is loaded as ever.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a build script speaks by variables and lines"
)]

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let dynamic = !target("FEATURE").split(',').any(|feature| feature == "crt-static");
    if target("OS") == "linux" && target("ENV") == "gnu" && dynamic {
        println!("cargo:rustc-link-arg-bins=-no-pie");
        if has_static_unwinder() {
            println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
        }
    }
}

/// Whether the linker has `libgcc_eh.a` for this target.
fn has_static_unwinder() -> bool {
    let variable = |name: &str| std::env::var_os(name);
    let linker = variable("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let asked = std::process::Command::new(linker).arg("-print-file-name=libgcc_eh.a").output();
    let found = asked.ok().filter(|output| output.status.success());
    let path = found.and_then(|output| String::from_utf8(output.stdout).ok());
    variable("HOST") == variable("TARGET") && path.is_some_and(|path| Path::new(path.trim()).is_absolute())
}
