//! The resolver against `importlib`: every module of the standard library and of real distributions, on every
//! interpreter that is found.
//!
//! Distributions are installed once, with pip, below the build directory. A normal run takes four interpreters and
//! the list beside this file; `VENV_DOCTOR_FULL=1` takes all interpreters and the long list. Where pip cannot
//! install, the standard library alone is compared, and it is said so.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use libtest_mimic::{Arguments, Failed, Trial};
use serde::Deserialize;
use venv_doctor::facts::platform::User;
use venv_doctor::host::real::{RealFiles, from_std};
use venv_doctor::imports::{
    Flags, Question, Resolver, Spelling, Start, Variables, identify, predict,
};

const WALK: &str = include_str!("walk.py");
const SAMPLE: &str = include_str!("distributions.txt");
const LONG: &str = include_str!("distributions_full.txt");
const LEAST: usize = 5_000;

#[derive(Default)]
struct Tally {
    interpreters: AtomicUsize,
    modules: AtomicUsize,
    absent: AtomicUsize,
    distributions: AtomicUsize,
}

/// Name, whether it is found, origin, locations.
type Expected = (String, bool, Option<String>, Vec<String>);

#[derive(Deserialize)]
struct Walked {
    path: Vec<String>,
    modules: Vec<Expected>,
}

fn main() {
    let arguments = Arguments::from_args();
    let full = std::env::var_os("VENV_DOCTOR_FULL").is_some();
    let tally = Arc::new(Tally::default());
    let found = interpreters(full);
    let count = found.len();
    let trials = found
        .into_iter()
        .map(|python| {
            let tally = Arc::clone(&tally);
            Trial::test(label(&python), move || compare(&python, full, &tally))
        })
        .collect();
    let filtered = arguments.filter.is_some() || arguments.list;
    let conclusion = libtest_mimic::run(&arguments, trials);
    let modules = tally.modules.load(Ordering::Relaxed);
    println!(
        "compared {modules} modules (and {} names that are none) of {} distributions with {} interpreters",
        tally.absent.load(Ordering::Relaxed),
        tally.distributions.load(Ordering::Relaxed),
        tally.interpreters.load(Ordering::Relaxed)
    );
    if !filtered && count >= 3 && !conclusion.has_failed() && modules < LEAST {
        println!("fewer than {LEAST} modules were compared");
        std::process::exit(101);
    }
    conclusion.exit()
}

/// pyenv's and the system's from 3.6 on; `VENV_DOCTOR_PYTHONS` lists others.
fn interpreters(full: bool) -> Vec<PathBuf> {
    if let Some(list) = std::env::var_os("VENV_DOCTOR_PYTHONS") {
        return std::env::split_paths(&list).collect();
    }
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let root = std::env::var_os("PYENV_ROOT").map_or_else(|| home.join(".pyenv"), PathBuf::from);
    let mut found: Vec<PathBuf> = std::fs::read_dir(root.join("versions"))
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| full || ["3.8", "3.12", "3.13"].iter().any(|version| {
            entry.file_name().to_string_lossy().starts_with(version)
        }))
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with("2."))
        .map(|entry| entry.path().join("bin/python"))
        .collect();
    found.push("/usr/bin/python3".into());
    if full {
        found.push("/usr/bin/pypy3".into());
    }
    found.retain(|path| path.is_file());
    found.sort();
    found
}

fn label(python: &Path) -> String {
    let text = python.display().to_string();
    match text.split_once("/versions/") {
        Some((_, rest)) => rest.trim_end_matches("/bin/python").to_owned(),
        None => text.trim_start_matches('/').replace('/', "-"),
    }
}

fn compare(python: &Path, full: bool, tally: &Tally) -> Result<(), Failed> {
    let environment = environment(python, full)?;
    let interpreter = environment.root.join("bin/python");
    let script = environment.root.join("walk.py");
    std::fs::write(&script, WALK)?;
    let output = Command::new(&interpreter)
        .args(["-c", "import sys; exec(compile(open(sys.argv.pop()).read(), 'walk', 'exec'))"])
        .arg(&script)
        .env_remove("PYTHONPATH")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(&environment.root)
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let walked: Walked = serde_json::from_slice(&output.stdout)?;
    let wrong = disagreements(&interpreter, &environment.root, &walked)?;
    let there = walked.modules.iter().filter(|(_, found, ..)| *found).count();
    tally.modules.fetch_add(there, Ordering::Relaxed);
    tally.absent.fetch_add(walked.modules.len() - there, Ordering::Relaxed);
    tally.distributions.fetch_add(environment.distributions, Ordering::Relaxed);
    tally.interpreters.fetch_add(1, Ordering::Relaxed);
    if wrong.is_empty() {
        return Ok(());
    }
    let shown: Vec<_> = wrong.iter().take(40).cloned().collect();
    Err(format!("{} of {} disagree\n{}", wrong.len(), walked.modules.len(), shown.join("\n")).into())
}

fn disagreements(interpreter: &Path, root: &Path, walked: &Walked) -> Result<Vec<String>, Failed> {
    let executable = from_std(interpreter).ok_or("a relative path")?;
    let working_directory = from_std(root);
    let build = identify(&RealFiles, &executable).map_err(|error| error.to_string())?;
    let variables = Variables::from_lookup(|name| match name {
        "HOME" => std::env::var_os(name).map(|value| value.to_string_lossy().into_owned().into_bytes()),
        _ => None,
    });
    let prediction = predict(
        &RealFiles,
        &Question {
            executable,
            build: &build,
            variables: &variables,
            flags: Flags::default(),
            start: Start::Command,
            working_directory: working_directory.clone(),
            user: &User::default(),
        },
    );
    let path: Vec<Spelling> = walked.path.iter().map(|entry| Spelling::from(entry.as_str())).collect();
    let predicted: Vec<&Spelling> = prediction.entries.iter().skip(1).map(|entry| &entry.directory).collect();
    if predicted != path.iter().collect::<Vec<_>>() {
        return Err(format!("predicted {predicted:?}\nreported {path:?}").into());
    }
    let resolver =
        Resolver::new(&RealFiles, &build, &path, &prediction.hooks, working_directory.as_ref());
    let mut wrong = Vec::new();
    for (name, found, origin, locations) in &walked.modules {
        let resolution = resolver.resolve(name);
        let ours = (
            resolution.found.is_some(),
            resolution.found.as_ref().and_then(|found| found.origin.as_ref()).map(Spelling::to_string),
            resolution.found.iter().flat_map(|found| &found.locations).map(Spelling::to_string).collect(),
        );
        let theirs: (bool, Option<String>, Vec<String>) = (*found, origin.clone(), locations.clone());
        if ours != theirs {
            wrong.push(format!("{name}:\n  importlib {theirs:?}\n  resolver  {ours:?}"));
        }
    }
    Ok(wrong)
}

struct Environment {
    root: PathBuf,
    distributions: usize,
}

/// A venv with the list's distributions, kept between runs.
fn environment(python: &Path, full: bool) -> Result<Environment, Failed> {
    let list = if full { format!("{SAMPLE}\n{LONG}") } else { SAMPLE.to_owned() };
    let name = format!("{}{}", label(python), if full { "-full" } else { "" });
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("resolve").join(name);
    let stamp = root.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == list) {
        return Ok(Environment { distributions: distributions(&root), root });
    }
    let _ = std::fs::remove_dir_all(&root);
    std::fs::create_dir_all(root.parent().ok_or("no parent")?)?;
    let venv = Command::new(python).args(["-I", "-m", "venv", "--without-pip"]).arg(&root).output()?;
    if !venv.status.success() {
        return Err(String::from_utf8_lossy(&venv.stderr).into_owned().into());
    }
    install(python, &root, &list, full)?;
    let kept = distributions(&root);
    if kept > 0 {
        std::fs::write(stamp, list)?;
    } else {
        println!("not run: distributions for {}: pip installed none", label(python));
    }
    Ok(Environment { distributions: kept, root })
}

fn install(python: &Path, root: &Path, list: &str, full: bool) -> Result<(), Failed> {
    let site_packages = site_packages(root).ok_or("no site-packages")?;
    let requirements: Vec<&str> =
        list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let pip = |arguments: &[&str]| {
        Command::new(python)
            .args(["-m", "pip", "install", "-q", "--no-deps", "--only-binary", ":all:", "--no-compile"])
            .arg("--target")
            .arg(&site_packages)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
    };
    // all at once, else one by one: not every distribution is there for every version
    if !pip(&requirements)?.success() {
        let mut failures = 0;
        for requirement in requirements {
            if !pip(&[requirement])?.success() {
                failures += 1;
                if failures > 8 && !full && distributions(root) == 0 {
                    break;
                }
            }
        }
    }
    editable(&site_packages)
}

/// What setuptools leaves of editable installations, with a mapping, a namespace and a module that moved.
fn editable(site_packages: &Path) -> Result<(), Failed> {
    let source = site_packages.join("../../../source");
    std::fs::create_dir_all(source.join("flat/inner"))?;
    std::fs::create_dir_all(source.join("space/part"))?;
    std::fs::create_dir_all(site_packages.join("space_here/part"))?;
    let source = source.canonicalize()?;
    for file in ["flat/__init__.py", "flat/inner/__init__.py", "flat/inner/leaf.py", "single.py", "space/part/__init__.py"] {
        std::fs::write(source.join(file), "")?;
    }
    let template = include_str!("finder.py").replace("SOURCE", &source.display().to_string());
    std::fs::write(site_packages.join("__editable___demo_1_finder.py"), template)?;
    std::fs::write(
        site_packages.join("__editable__.demo-1.pth"),
        "import __editable___demo_1_finder; __editable___demo_1_finder.install()",
    )?;
    Ok(())
}

fn site_packages(root: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(root.join("lib")).ok()?;
    entries.flatten().map(|entry| entry.path().join("site-packages")).find(|path| path.is_dir())
}

fn distributions(root: &Path) -> usize {
    let listing = site_packages(root).and_then(|path| std::fs::read_dir(path).ok());
    listing
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(".dist-info"))
        .count()
}
