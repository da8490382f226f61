//! Each creator, each Python.

use std::path::Path;
use std::process::Command;

use super::scene::Situation;
use super::support::{Python, Tools, give_pip, pythons, run, tools};

/// A program that makes environments, and how it is asked to.
struct Way {
    name: &'static str,
    make: fn(&Tools, &Python, &Path),
    suits: fn(&Python) -> bool,
    /// Infos of every environment that is made so.
    says: &'static [(&'static str, &'static str)],
}

const NO_PIP: (&str, &str) =
    ("environment-without-pip", "in this shell `pip` is the system's, and would install there");
const SEES_BASE: (&str, &str) =
    ("system-site-packages", "was asked for, and is worth knowing where imports differ");

const MODERN: fn(&Python) -> bool = |python| python.number() >= (3, 9);

const WAYS: &[Way] = &[
    Way { name: "venv", make: |_, python, root| venv(python, root, &[]), suits: MODERN, says: &[] },
    Way {
        name: "venv --copies",
        make: |_, python, root| with_pip(python, root, &["--copies"]),
        suits: MODERN,
        says: &[],
    },
    Way {
        name: "venv --symlinks --prompt",
        make: |_, python, root| with_pip(python, root, &["--symlinks", "--prompt", "it's mine"]),
        suits: MODERN,
        says: &[],
    },
    Way {
        name: "venv --system-site-packages",
        make: |_, python, root| with_pip(python, root, &["--system-site-packages"]),
        suits: MODERN,
        says: &[SEES_BASE],
    },
    Way {
        name: "venv --without-pip",
        make: |_, python, root| venv(python, root, &["--without-pip"]),
        suits: MODERN,
        says: &[NO_PIP],
    },
    Way {
        name: "virtualenv",
        make: |tools, python, root| virtualenv(&tools.virtualenv, python, root, &[]),
        suits: MODERN,
        says: &[],
    },
    Way {
        name: "virtualenv --copies",
        make: |tools, python, root| virtualenv(&tools.virtualenv, python, root, &["--copies"]),
        suits: MODERN,
        says: &[],
    },
    Way {
        name: "virtualenv --seeder pip",
        make: |tools, python, root| virtualenv(&tools.virtualenv, python, root, &["--seeder", "pip"]),
        suits: MODERN,
        says: &[],
    },
    Way {
        name: "virtualenv --symlink-app-data",
        make: |tools, python, root| virtualenv(&tools.virtualenv, python, root, &["--symlink-app-data"]),
        suits: MODERN,
        says: &[],
    },
    Way {
        name: "an old virtualenv",
        make: |tools, python, root| virtualenv(&tools.old_virtualenv, python, root, &[]),
        suits: |python| python.number() < (3, 12),
        says: &[],
    },
    Way {
        name: "uv venv",
        make: |tools, python, root| uv(tools, python, root, &[]),
        suits: MODERN,
        says: &[NO_PIP],
    },
    Way {
        name: "uv venv --seed",
        make: |tools, python, root| seeded(tools, python, root),
        suits: MODERN,
        says: &[],
    },
    Way {
        name: "uv venv --relocatable",
        make: |tools, python, root| uv(tools, python, root, &["--relocatable"]),
        suits: MODERN,
        says: &[NO_PIP],
    },
    Way {
        name: "uv venv --system-site-packages",
        make: |tools, python, root| uv(tools, python, root, &["--system-site-packages", "--prompt", "x"]),
        suits: MODERN,
        says: &[NO_PIP, SEES_BASE],
    },
];

fn venv(python: &Python, root: &Path, options: &[&str]) {
    run(Command::new(&python.path).args(["-m", "venv"]).args(options).arg(root));
}

/// The same files as without the option, in a tenth of the time.
fn with_pip(python: &Python, root: &Path, options: &[&str]) {
    venv(python, root, &[&["--without-pip"], options].concat());
    give_pip(python, root);
}

fn virtualenv(program: &Path, python: &Python, root: &Path, options: &[&str]) {
    run(Command::new(program)
        .args(["--quiet", "--no-download", "-p"])
        .arg(&python.path)
        .args(options)
        .arg(root));
}

fn uv(tools: &Tools, python: &Python, root: &Path, options: &[&str]) {
    run(Command::new(&tools.uv)
        .args(["venv", "--quiet", "--no-config", "--python"])
        .arg(&python.path)
        .args(options)
        .arg(root));
}

/// uv takes pip from its cache or from an index.
fn seeded(tools: &Tools, python: &Python, root: &Path) {
    uv(tools, python, root, &["--seed"]);
}

pub fn all() -> Vec<Situation> {
    let mut all = Vec::new();
    for (index, way) in WAYS.iter().enumerate() {
        let able: Vec<Python> =
            pythons().into_iter().filter(|python| python.number() >= (3, 6) && (way.suits)(python)).collect();
        for (turn, python) in able.iter().enumerate() {
            // every way runs with another Python
            all.push(one(way, python).sampled(turn == index % able.len()));
        }
    }
    all
}

fn one(way: &'static Way, python: &Python) -> Situation {
    let source = if python.path.starts_with("/usr") { "system" } else { "pyenv" };
    let python = python.clone();
    let name = format!("creators::{}::{}::{source}", way.name, python.minor);
    let situation = Situation::new(name, move |scene| {
        let venv = scene.project.join(".venv");
        (way.make)(tools().unwrap(), &python, &venv);
        scene.furnish(&venv, &python);
        scene.works("python main.py");
        scene.works("sample");
        scene.activate(&venv);
    });
    let situation = situation.needs("uv and virtualenv", tools().is_some());
    let situation = match way.name.contains("virtualenv") {
        // it puts the newest `wheel` that it has seen there, without what that needs
        true => situation.may_say("dependency-conflict"),
        false => situation,
    };
    way.says.iter().fold(situation, |situation, (check, reason)| situation.says(check, reason))
}
