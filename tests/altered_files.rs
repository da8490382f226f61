//! `--deep` beside what real installers leave: wheels that pip and uv installed are as they were recorded, and only
//! what is changed afterwards is found.
//!
//! Runs virtualenv on the oldest interpreter and every creator on the middle one; `VENV_DOCTOR_FULL=1` runs all. The wheels are
//! fetched once into the build directory; where that fails, the tests are reported as ignored.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, clippy::unwrap_used, clippy::expect_used)]

#[allow(dead_code)]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use support::{Creator, Place, Python, findings, pythons, run};

const CHECK: &str = "altered-distribution-files";
/// For Python 2.7 and 3 alike: modules, a certificate bundle, scripts with a first line to rewrite, an entry script.
const WHEELS: [&str; 5] =
    ["six==1.16.0", "idna==2.10", "certifi==2021.10.8", "docutils==0.18.1", "pyflakes==2.2.0"];

fn main() {
    let arguments = Arguments::from_args();
    let wheels = wheels();
    let mut trials = Vec::new();
    let all = pythons();
    for (index, python) in all.iter().enumerate() {
        for creator in [Creator::Venv, Creator::Virtualenv, Creator::Uv] {
            let sampled = index == all.len() / 2 || (index == 0 && creator == Creator::Virtualenv);
            if !support::full() && !sampled {
                continue;
            }
            let possible = wheels.is_some() && creator.cannot(python).is_none();
            let (python, wheels) = (python.clone(), wheels.clone().unwrap_or_default());
            let name = format!("{} by {} {}", python.minor, creator.label(), index);
            let trial = Trial::test(name, move || examine(&python, creator, &wheels).map_err(Failed::from));
            trials.push(trial.with_ignored_flag(!possible));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// The directory that holds them. None where they cannot be fetched.
fn wheels() -> Option<PathBuf> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wheels");
    fs::create_dir_all(&directory).ok()?;
    let lock = fs::File::create(directory.join("lock")).ok()?;
    lock.lock().ok()?;
    let ready = directory.join("ready");
    if !ready.exists() {
        let newest = pythons().into_iter().rfind(|python| python.number() >= (3, 9))?;
        let fetched = Command::new(&newest.path)
            .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
            .args(["--only-binary=:all:", "--dest"])
            .arg(&directory)
            .args(WHEELS)
            .status()
            .ok()?;
        if !fetched.success() {
            return None;
        }
        fs::write(&ready, "").ok()?;
    }
    Some(directory)
}

fn examine(python: &Python, creator: Creator, wheels: &Path) -> Result<(), String> {
    let mut place = Place::new();
    let venv = place.project.join(".venv");
    creator.make(python, &venv);
    install(python, creator, &venv, wheels);
    place.activate(&venv);
    let site = python.site_packages(&venv);

    let skipped = place.report(&["--select", CHECK]);
    if !skipped["checks"]["skipped"].to_string().contains("--deep") {
        return Err(format!("without --deep the flag is not named: {skipped:#}"));
    }
    expect(&place, &[])?;

    // what nobody is to be told of
    append(&site.join("certifi/cacert.pem"), "# our own authority\n");
    append(&venv.join("bin/rst2html.py"), "# the first line was rewritten\n");
    append(&venv.join("bin/pyflakes"), "# so was this one's\n");
    fs::create_dir_all(site.join("idna/__pycache__")).unwrap();
    fs::write(site.join("idna/__pycache__/core.cpython-27.pyc"), "").unwrap();
    expect(&place, &[])?;

    // what differs in its line endings alone
    let windows = fs::read_to_string(site.join("idna/core.py")).unwrap().replace('\n', "\r\n");
    fs::write(site.join("idna/core.py"), windows).unwrap();
    expect(&place, &["line endings of idna"])?;

    append(&site.join("six.py"), "print('was here')\n");
    fs::remove_file(site.join("docutils/writers/latex2e/default.tex")).unwrap();
    expect(&place, &["altered in six", "gone from docutils", "line endings of idna"])
}

fn install(python: &Python, creator: Creator, venv: &Path, wheels: &Path) {
    let interpreter = venv.join("bin/python");
    let mut command = match (creator, support::tools()) {
        (Creator::Uv, Some(tools)) => {
            let mut command = Command::new(&tools.uv);
            command.args(["pip", "install", "--quiet", "--no-config", "--offline", "--link-mode", "copy"]);
            command.arg("--python").arg(&interpreter);
            command
        }
        _ => {
            let mut command = Command::new(&interpreter);
            command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
            if python.number() < (3, 0) {
                command.env("PYTHONWARNINGS", "ignore");
            }
            command
        }
    };
    run(command.args(["--no-deps", "--no-index", "--find-links"]).arg(wheels).args(WHEELS));
}

fn append(file: &Path, line: &str) {
    let text = fs::read_to_string(file).unwrap();
    fs::write(file, text + line).unwrap();
}

/// Exactly these labels of evidence, and no warning for any of it.
fn expect(place: &Place, labels: &[&str]) -> Result<(), String> {
    let report = place.report(&["--deep", "--select", CHECK]);
    let found = findings(&report);
    let expected = if labels.is_empty() { Vec::new() } else { vec![format!("info {CHECK}")] };
    let evidence = report["findings"][0]["evidence"].as_array().cloned().unwrap_or_default();
    let mut seen: Vec<&str> = evidence.iter().filter_map(|one: &Value| one["label"].as_str()).collect();
    seen.retain(|label| *label != "recorded in");
    seen.sort_unstable();
    if found != expected || seen != labels {
        return Err(format!("expected {labels:?}, found {seen:?}: {report:#}"));
    }
    Ok(())
}
