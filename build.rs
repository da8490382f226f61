//! Links the program so that Linux starts it sooner: at a fixed address, and in a release with the C library in it.
//!
//! A position-independent program of this size has 15,000 pointers in its tables, which the loader has to write at
//! every start: a tenth of a millisecond, and 70 pages of memory that no other process shares. To find, map and relocate
//! the C library and the unwinder takes three tenths more, a third of what the shortest run takes; and a program that
//! has them in it runs on systems with an older C library, or with another one. The price is that the program's own code
//! lies where an attacker expects it; stack and heap do not. There is no unsafe code here that could be led there,
//! `RELRO` stays, and nothing runs with anybody else's rights.
//!
//! Where the C compiler has no `libc.a`, the C library is loaded as ever; so it is in other profiles, where tests put
//! libraries of their own before it. `libgcc_s.so` is loaded for nothing but the unwinding of panics: the C compiler
//! brings the same code as `libgcc_eh.a`; where it does not, that is loaded, too.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a build script speaks by variables and lines"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let dynamic = !target("FEATURE").split(',').any(|feature| feature == "crt-static");
    if target("OS") != "linux" || target("ENV") != "gnu" || !dynamic {
        return;
    }
    println!("cargo:rustc-link-arg-bins=-no-pie");
    if std::env::var_os("HOST") != std::env::var_os("TARGET") {
        return;
    }
    let Some(unwinder) = library("libgcc_eh.a") else { return };
    println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release")
        && let Some(directory) = static_libraries(&unwinder)
    {
        println!("cargo:rustc-link-arg-bins=-static");
        println!("cargo:rustc-link-arg-bins=-L{}", directory.display());
        // each needs something of the others
        println!("cargo:rustc-link-arg-bins=-Wl,--start-group,-lgcc,-lgcc_eh,-lc,--end-group");
    }
}

fn compiler() -> Command {
    Command::new(std::env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into()))
}

/// Where the C compiler has a library.
fn library(name: &str) -> Option<PathBuf> {
    let asked = compiler().arg(format!("-print-file-name={name}")).output().ok()?;
    let path = String::from_utf8(asked.stdout).ok().filter(|_| asked.status.success())?;
    // one that it does not have it calls by the name alone
    Some(PathBuf::from(path.trim())).filter(|path| path.is_absolute())
}

/// A directory with the static libraries alone: `rustc` asks for shared ones, and the linker takes the first of the name.
/// None where one is missing, or a program that needs no more cannot be linked.
#[cfg(unix)]
fn static_libraries(unwinder: &Path) -> Option<PathBuf> {
    let directory = PathBuf::from(std::env::var_os("OUT_DIR")?).join("static");
    // left by a build before
    let _gone = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).ok()?;
    let link = |found: &Path, name: &str| std::os::unix::fs::symlink(found, directory.join(name)).ok();
    link(unwinder, "libgcc_s.a")?;
    for name in ["libc.a", "libm.a", "libdl.a", "libpthread.a", "librt.a", "libutil.a"] {
        link(&library(name)?, name)?;
    }
    let source = directory.join("empty.c");
    std::fs::write(&source, "int main(void) { return 0; }\n").ok()?;
    let program = directory.join("empty");
    let built = compiler().args(["-static", "-no-pie", "-o"]).arg(&program).arg(&source).output().ok()?;
    let runs = built.status.success() && Command::new(&program).status().is_ok_and(|status| status.success());
    runs.then_some(directory)
}

#[cfg(not(unix))]
fn static_libraries(_unwinder: &Path) -> Option<PathBuf> {
    None
}
