//! The ways to get the program: what the package holds, and the wheel, built and installed with pip and uv.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Arguments, Trial};
use support::{full, pythons, run, text, tools};

fn main() {
    let arguments = Arguments::from_args();
    let maturin = maturin();
    let missing = maturin.is_none() || tools().is_none();
    let trials = vec![
        Trial::test("the_package_holds_what_it_needs_and_nothing_else", || {
            package();
            Ok(())
        }),
        Trial::test("the_archives_of_a_release_are_where_binstall_looks", || {
            archives();
            Ok(())
        }),
        Trial::test("the_wheel_runs_after_pip_and_after_uv", move || {
            wheel(&maturin.ok_or("maturin cannot be installed here")?);
            Ok(())
        })
        .with_ignored_flag(missing),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// maturin, installed once into the build directory; None where it cannot be.
fn maturin() -> Option<PathBuf> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("maturin");
    let program = place.join("bin/maturin");
    if !program.exists() {
        let newest = pythons().into_iter().rfind(|python| python.number() >= (3, 9))?;
        let made = Command::new(newest.path).args(["-m", "venv", "--clear"]).arg(&place).status().ok()?;
        let pip = Command::new(place.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "maturin>=1.7,<2"])
            .status()
            .ok()?;
        if !made.success() || !pip.success() {
            return None;
        }
    }
    Some(program)
}

fn package() {
    let output = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--quiet"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let listed = text(&output.stdout);
    let files: Vec<&str> = listed.lines().collect();
    for needed in ["Cargo.toml", "Cargo.lock", "README.md", "LICENSE-MIT", "LICENSE-APACHE", "src/main.rs"] {
        assert!(files.contains(&needed), "{needed} is missing");
    }
    // what is compiled in
    for needed in ["src/collect/probe.py", "checks/relocation/moved_venv.rs"] {
        assert!(files.contains(&needed), "{needed} is missing");
    }
    let expected = |file: &str| {
        let top = [
            "Cargo.toml",
            "Cargo.toml.orig",
            "Cargo.lock",
            "build.rs",
            ".cargo_vcs_info.json",
            "README.md",
            "LICENSE-MIT",
            "LICENSE-APACHE",
        ];
        let source = file.starts_with("src/") || file.starts_with("checks/");
        top.contains(&file) || source && !file.ends_with(".snap")
    };
    let others: Vec<&&str> = files.iter().filter(|file| !expected(file)).collect();
    assert!(others.is_empty(), "{others:?}");
}

/// The names in the workflow and in Cargo.toml are written apart.
fn archives() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let workflow = fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    assert!(manifest.contains("/releases/download/v{ version }/{ name }-{ target }{ archive-suffix }"));
    assert!(manifest.contains("bin-dir = \"{ name }-{ target }/{ bin }{ binary-ext }\""));
    assert!(workflow.contains("name=venv-doctor-$target\n"));
    for target in [
        "x86_64-unknown-linux-gnu",
        "aarch64-unknown-linux-gnu",
        "x86_64-unknown-linux-musl",
        "aarch64-unknown-linux-musl",
        "x86_64-apple-darwin",
        "aarch64-apple-darwin",
        "x86_64-pc-windows-msvc",
    ] {
        assert!(workflow.contains(&format!("target: {target}")), "{target}");
    }
    let action = fs::read_to_string(root().join("action.yml")).unwrap();
    assert!(action.contains("venv-doctor-$target.tar.gz"));
    for line in workflow.lines().filter(|line| line.contains("uses: ")) {
        let pin = line.split('@').nth(1).unwrap().split_whitespace().next().unwrap();
        assert!(pin.len() == 40 && pin.bytes().all(|byte| byte.is_ascii_hexdigit()), "not pinned: {line}");
    }
}

fn wheel(maturin: &Path) {
    let directory = tempfile::tempdir().unwrap();
    let wheels = directory.path().join("wheels");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    // a release is compiled anew for minutes: the development build says the same of the wheel
    let profile = if full() { "release" } else { "dev" };
    run(Command::new(maturin)
        .args(["build", "--quiet", "--locked", "--profile", profile, "--compatibility", "linux", "--out"])
        .arg(&wheels)
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target));
    let built: Vec<PathBuf> = fs::read_dir(&wheels).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [wheel] = built.as_slice() else { panic!("one wheel, not {built:?}") };
    let name = wheel.file_name().unwrap().to_string_lossy();
    assert!(name.contains("-py3-none-"), "any Python: {name}");

    let python = pythons().pop().unwrap();
    let uv = &tools().unwrap().uv;
    let by_pip = directory.path().join("by pip");
    run(Command::new(&python.path).args(["-m", "venv"]).arg(&by_pip));
    run(Command::new(by_pip.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check"])
        .arg(wheel));
    let by_uv = directory.path().join("by uv");
    run(Command::new(uv).args(["venv", "--quiet", "--no-config", "--python"]).arg(&python.path).arg(&by_uv));
    run(Command::new(uv)
        .args(["pip", "install", "--quiet", "--no-config", "--no-index", "--python"])
        .arg(by_uv.join("bin/python"))
        .arg(wheel));
    for venv in [by_pip, by_uv] {
        let program = venv.join("bin/venv-doctor");
        let version = Command::new(&program).arg("--version").output().unwrap();
        assert_eq!(text(&version.stdout), format!("venv-doctor {}\n", env!("CARGO_PKG_VERSION")));
        let examined = Command::new(&program)
            .args(["--format", "json", "--fail-on", "never", "--python"])
            .arg(&venv)
            .current_dir(directory.path())
            .output()
            .unwrap();
        assert!(examined.status.success(), "{}", text(&examined.stderr));
        let report: serde_json::Value = serde_json::from_slice(&examined.stdout).unwrap();
        let patient = report["patient"]["root"].as_str().unwrap();
        assert_eq!(Path::new(patient).file_name(), venv.file_name());
        assert_eq!(report["summary"]["errors"], 0, "{report:#}");
    }
}
