//! Missing and conflicting requirements are those of `pip check` and of `uv pip check`, in environments with random
//! removals and versions. A normal run takes the first 16 seeds; `VENV_DOCTOR_FULL=1` takes 240.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, clippy::unwrap_used, clippy::expect_used)]

mod environment;
#[path = "../support/mod.rs"]
#[allow(dead_code)]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial};
use serde::Deserialize;
use serde_json::Value;
use support::{Place, Python, Tools, pythons, text};

const PIP: &str = include_str!("pip_check.py");
const SEEDS: u64 = 16;
const ALL_SEEDS: u64 = 240;

/// Who needs, what is needed (both normalised), and the version that is there instead.
type Unmet = BTreeSet<(String, String, Option<String>)>;

fn main() {
    let arguments = Arguments::from_args();
    let possible = support::tools().is_some();
    let trial = Trial::test("requirements as pip check and uv pip check see them", || {
        compare().map_err(Failed::from)
    });
    libtest_mimic::run(&arguments, vec![trial.with_ignored_flag(!possible)]).exit();
}

/// One environment and what each says of it.
struct Answers {
    seed: u64,
    site: PathBuf,
    doctor: Unmet,
    /// Counted by the doctor, who names ten.
    count: usize,
    doctor_python: BTreeSet<String>,
    uv: Unmet,
    uv_python: BTreeSet<String>,
}

fn compare() -> Result<(), String> {
    let tools = support::tools().ok_or("the peers cannot be installed here")?;
    // the peers' own interpreter, so that pip evaluates markers for the same one
    let python = pythons().into_iter().rfind(|python| python.number() >= (3, 9)).ok_or("no Python")?;
    let place = Place::new();
    let seeds = if support::full() { ALL_SEEDS } else { SEEDS };
    // one root for all: uv asks the interpreter of each new one
    let root = place.root().join("environment");
    environment::build(&root, &python);
    let answers: Vec<Answers> =
        (0..seeds).map(|seed| ask(&place, tools, &root, &python, seed)).collect::<Result<_, _>>()?;
    let pip = ask_pip(tools, &answers)?;

    let mut failures = Vec::new();
    let mut total = 0;
    let mut unusable = 0;
    for (answers, pip) in answers.iter().zip(pip) {
        total += pip.found.len();
        unusable += pip.excluding.len();
        if let Err(why) = agree(answers, &pip) {
            failures.push(format!("seed {}: {why}", answers.seed));
        }
    }
    println!(
        "seeds 0 to {}: {total} requirements not met, {unusable} distributions that exclude Python {}",
        seeds - 1,
        python.minor
    );
    if total == 0 || unusable == 0 {
        return Err("nothing was compared".to_owned());
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

fn agree(answers: &Answers, of_pip: &Pip) -> Result<(), String> {
    let pip: Unmet = of_pip.found.iter().map(Pip::unmet).collect();
    // `===` compares texts (PEP 440): to pip and to us `===1.0` excludes 1.0.0, to uv it does not
    let of_texts: Unmet = of_pip.found.iter().filter(|one| one.3.contains("===")).map(Pip::unmet).collect();
    let unexplained: Vec<_> =
        pip.symmetric_difference(&answers.uv).filter(|one| !of_texts.contains(*one)).collect();
    if !unexplained.is_empty() || !answers.uv.is_subset(&pip) {
        return Err(format!("pip and uv disagree about {unexplained:?}"));
    }
    let all_named = answers.doctor.len() == pip.len() || answers.count > 10;
    if answers.count != of_pip.found.len() || !all_named || !answers.doctor.is_subset(&pip) {
        return Err(format!(
            "the doctor counts {}, the peers {}; only the doctor {:?}, only the peers {:?}",
            answers.count,
            of_pip.found.len(),
            answers.doctor.difference(&pip).collect::<Vec<_>>(),
            pip.difference(&answers.doctor).collect::<Vec<_>>()
        ));
    }
    // `pip check` does not look at Requires-Python, and uv's looks at its lower limit alone: `<3.5` is none to it. We
    // follow what `pip install` refuses, which is what the specifiers say (PEP 440)
    if answers.doctor_python != of_pip.excluding || !answers.uv_python.is_subset(&of_pip.excluding) {
        return Err(format!(
            "Requires-Python excludes {:?} by the doctor, {:?} by pip, {:?} by uv",
            answers.doctor_python, of_pip.excluding, answers.uv_python
        ));
    }
    Ok(())
}

fn normalized(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

/// `name[extra]>=1` by its name.
fn name_of(requirement: &str) -> String {
    let end = |letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.'));
    normalized(requirement.split(end).next().unwrap_or(requirement))
}

fn ask(place: &Place, tools: &Tools, root: &Path, python: &Python, seed: u64) -> Result<Answers, String> {
    let site = python.site_packages(root);
    environment::fill(&site, seed);
    let uv = Command::new(&tools.uv)
        .args(["pip", "check", "--no-config", "--offline", "--color", "never", "--cache-dir"])
        .arg(place.root().join("cache"))
        .arg("--python")
        .arg(root)
        .output()
        .map_err(|error| error.to_string())?;
    let (uv, uv_python) = read_uv(&(text(&uv.stdout) + &text(&uv.stderr)))?;
    let report = place.report(&[
        "--no-exec",
        "--python",
        root.to_str().unwrap(),
        "--select",
        "dependency-conflict,distribution-requires-python",
    ]);
    let (mut doctor, mut count, mut doctor_python) = (Unmet::new(), 0, BTreeSet::new());
    for finding in report["findings"].as_array().unwrap() {
        let evidence = finding["evidence"].as_array().unwrap();
        if finding["check"] == "dependency-conflict" {
            count = counted(finding["message"].as_str().unwrap());
            doctor.extend(evidence.iter().filter(|one| one["label"] == "not met").map(read_evidence));
        } else {
            let says = |one: &&Value| one["value"].as_str().unwrap().starts_with("Requires-Python");
            let labels = evidence.iter().filter(says).map(|one| one["label"].as_str().unwrap());
            doctor_python.extend(labels.map(|label| normalized(label.rsplit_once(' ').unwrap().0)));
        }
    }
    let kept = place.root().join(format!("packages{seed}"));
    fs::rename(&site, &kept).map_err(|error| error.to_string())?;
    fs::create_dir(&site).map_err(|error| error.to_string())?;
    Ok(Answers { seed, site: kept, doctor, count, doctor_python, uv, uv_python })
}

/// The first, and how many more.
fn counted(message: &str) -> usize {
    match message.rsplit_once(" (") {
        Some((_, rest)) if rest.starts_with("one more requirement") => 2,
        Some((_, rest)) if rest.ends_with("more requirements are not met)") => {
            rest.split(' ').next().and_then(|count| count.parse::<usize>().ok()).map_or(0, |count| count + 1)
        }
        _ => 1,
    }
}

/// `a 1.0 needs b>=2, and b 1.0 is installed`, `... needs b, which is not installed`.
fn read_evidence(one: &Value) -> (String, String, Option<String>) {
    let value = one["value"].as_str().unwrap();
    let (by, rest) = value.split_once(" needs ").unwrap();
    let (wanted, version) = match rest.rsplit_once(", and ") {
        Some((wanted, there)) => {
            let label = there.strip_suffix(" is installed").unwrap();
            (wanted, Some(label.rsplit_once(' ').unwrap().1.to_owned()))
        }
        None => (rest.strip_suffix(", which is not installed").unwrap(), None),
    };
    (normalized(by.rsplit_once(' ').unwrap().0), name_of(wanted), version)
}

/// Its lines, each of which must be understood.
fn read_uv(output: &str) -> Result<(Unmet, BTreeSet<String>), String> {
    let (mut unmet, mut excluding) = (Unmet::new(), BTreeSet::new());
    for line in output.lines() {
        let Some(rest) = line.strip_prefix("The package `") else { continue };
        let (by, rest) = rest.split_once('`').ok_or(line)?;
        let by = normalized(by);
        if rest.starts_with(" requires Python ") {
            excluding.insert(by);
            continue;
        }
        let (wanted, rest) =
            rest.strip_prefix(" requires `").and_then(|rest| rest.split_once("`, but ")).ok_or(line)?;
        let version =
            rest.strip_prefix('`').and_then(|rest| rest.split_once('`')).map(|(one, _)| one.to_owned());
        unmet.insert((by, name_of(wanted), version));
    }
    Ok((unmet, excluding))
}

/// What pip says of one environment.
#[derive(Deserialize)]
struct Pip {
    problems: bool,
    /// As in [`Unmet`], and the requirement; one may need the same twice.
    found: Vec<(String, String, Option<String>, String)>,
    excluding: BTreeSet<String>,
}

impl Pip {
    fn unmet(found: &(String, String, Option<String>, String)) -> (String, String, Option<String>) {
        (found.0.clone(), found.1.clone(), found.2.clone())
    }
}

fn ask_pip(tools: &Tools, answers: &[Answers]) -> Result<Vec<Pip>, String> {
    let python = tools.uv.parent().unwrap_or(Path::new("")).join("python");
    let output = Command::new(python)
        .args(["-I", "-c", PIP])
        .args(answers.iter().map(|answers| &answers.site))
        .output()
        .map_err(|error| error.to_string())?;
    let read: Vec<Pip> = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("pip: {error}: {}{}", text(&output.stdout), text(&output.stderr)))?;
    if read.len() != answers.len() || read.iter().any(|answer| answer.problems) {
        return Err(format!("pip cannot read an environment: {}", text(&output.stderr)));
    }
    Ok(read)
}
