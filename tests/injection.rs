//! A stranger chooses names, prompts, versions and texts: none of them moves a cursor, forges an annotation, a row or a
//! line of a report, in any format.
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
use std::process::Command;

use serde_json::Value;
use support::reliability::attempt;
use support::{Place, Python, executable, install, pythons, run, text};

/// What does harm where it is shown as it is.
const TEXTS: [(&str, &str); 10] = [
    ("escape sequences", "x\x1b[2J\x1b]0;forged\x07y"),
    ("a carriage return", "x\rerror[forged]: y"),
    ("a line feed", "x\nerror[forged]: y\n::error::forged\n### forged\n"),
    ("bidirectional controls", "x\u{202e}y\u{2066}z\u{200b}"),
    ("control characters of one byte", "x\u{9b}31my\u{85}z\u{7f}"),
    ("a workflow command", "x::error::forged%0A::error::forged"),
    // wherever a line is broken, one begins a line
    (
        "workflow commands",
        "x ::error::forged ::error::forged ::error::forged ::error::forged ::error::forged ::error::forged",
    ),
    ("backticks", "x`forged`y```\nforged"),
    ("cells of a table", "x | forged | y |\n|---|---|\n| forged | z |"),
    ("HTML and links", "x</details><b>forged</b>[forged](http://forged.example)![](x)"),
];

/// Where a stranger's text stands.
#[derive(Debug, Clone, Copy)]
enum Field {
    Home,
    Prompt,
    Version,
    Distribution,
    Requirement,
    Record,
    PathFile,
    Script,
    Project,
    Directory,
    Variable,
    SearchPath,
    ErrorOutput,
}

/// Those that one environment can hold together.
const SITUATIONS: [&[Field]; 6] = [
    &[Field::Prompt, Field::Distribution, Field::PathFile, Field::Script, Field::Project],
    &[Field::Home, Field::Requirement, Field::Record, Field::SearchPath],
    &[Field::Version, Field::ErrorOutput],
    &[Field::Variable],
    &[Field::Directory],
    &[Field::SearchPath],
];

const FORMATS: [&str; 5] = ["human", "json", "sarif", "github", "markdown"];

/// A venv that was moved here, active, with the text in those places.
fn hostile(python: &Python, fields: &[Field], evil: &str) -> Place {
    let mut place = Place::new();
    if fields.iter().any(|field| matches!(field, Field::Directory)) {
        place.project = place.root().join(evil.replace('/', "_"));
        fs::create_dir(&place.project).unwrap();
    }
    let made = place.root().join("made");
    run(Command::new(&python.path).args(["-m", "venv", "--without-pip"]).arg(&made));
    install(&made, python, "sample");
    fs::rename(made, place.project.join(".venv")).unwrap();
    let venv = place.project.join(".venv");
    place.activate(&venv);
    for field in fields {
        fill(&mut place, python, *field, evil);
    }
    place
}

fn fill(place: &mut Place, python: &Python, field: Field, evil: &str) {
    let name = evil.replace('/', "_");
    let venv = place.project.join(".venv");
    let packages = venv.join(format!("lib/python{}/site-packages", python.minor));
    let metadata = packages.join("sample-1.0.dist-info");
    let config = venv.join("pyvenv.cfg");
    let append = |text: String| fs::write(&config, fs::read_to_string(&config).unwrap() + &text).unwrap();
    match field {
        Field::Home => fs::write(&config, format!("home = /gone/{evil}\nversion = 3.1.0\n")).unwrap(),
        Field::Prompt => append(format!("prompt = {evil}\n{evil} = {evil}\n")),
        Field::Version => append(format!("version = {evil}\n")),
        Field::Distribution => {
            let text = format!("Metadata-Version: 2.1\nName: {evil}\nVersion: {evil}\nRequires-Dist: gone\n");
            fs::write(metadata.join("METADATA"), text).unwrap();
        }
        Field::Requirement => {
            let text = format!(
                "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\nRequires-Dist: {evil}\nRequires-Dist: gone; extra == '{evil}'\n"
            );
            fs::write(metadata.join("METADATA"), text).unwrap();
            place.write("requirements.txt", &format!("{evil}\nsample=={evil}\ngone @ file:///{evil}\n"));
        }
        Field::Record => {
            let quoted = evil.replace('"', "\"\"");
            fs::write(metadata.join("RECORD"), format!("\"{quoted}.py\",,\n\"../{quoted}\",,\n")).unwrap();
        }
        Field::PathFile => {
            fs::write(packages.join(format!("{name}.pth")), format!("/gone/{evil}\nimport {evil}\n"))
                .unwrap();
        }
        Field::Script => {
            let script = venv.join("bin").join(&name);
            fs::write(&script, format!("#!/gone/{evil}/python\nfrom x import y\n")).unwrap();
            executable(&script, true);
        }
        Field::Project => {
            let quoted = toml_text(evil);
            let text = format!(
                "[project]\nname = {quoted}\nversion = {quoted}\nrequires-python = {quoted}\ndependencies = [{quoted}]\n"
            );
            place.write("pyproject.toml", &text);
            place.write(".python-version", evil);
        }
        Field::Directory => drop(fs::remove_file(&config)),
        Field::Variable => {
            for variable in ["VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "CONDA_DEFAULT_ENV", "PIP_TARGET"] {
                place.set(variable, format!("/gone/{evil}"));
            }
        }
        Field::SearchPath => {
            let path = format!("/gone/{evil}:{evil}:{}", place.variables["PATH"]);
            place.set("PATH", path);
        }
        Field::ErrorOutput => {
            let script = format!("#!/bin/sh\nprintf '%s\\n' '{}' >&2\nexit 3\n", evil.replace('\'', ""));
            for entry in fs::read_dir(venv.join("bin")).unwrap() {
                let path = entry.unwrap().path();
                if path.file_name().unwrap().to_string_lossy().starts_with("python") {
                    fs::remove_file(&path).unwrap();
                    fs::write(&path, &script).unwrap();
                    executable(&path, true);
                }
            }
        }
    }
}

/// As a string of TOML, whose escapes are those of JSON but for two.
fn toml_text(evil: &str) -> String {
    serde_json::to_string(evil).unwrap().replace('\u{7f}', "\\u007f")
}

/// Characters that a terminal acts upon, or that hide others.
fn is_harmful(letter: char) -> bool {
    letter != '\n'
        && (letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
}

fn is_harmless(format: &str, said: &str, findings: usize, what: &str) {
    if let Some(letter) = said.chars().find(|letter| is_harmful(*letter)) {
        panic!("{what}: {letter:?} in {said}");
    }
    let lines = |start: &str| said.lines().filter(|line| line.trim_start().starts_with(start)).count();
    // a job's log takes a line for a command whatever space stands before it
    if format != "markdown" {
        assert_eq!(lines("::error::forged"), 0, "{what}: {said}");
    }
    // what belongs to a finding stands indented below it
    let alone = |start: &str| said.lines().any(|line| line.starts_with(start));
    for forged in ["error[forged]", "### forged", "| forged |", "|---|---|"] {
        assert!(!alone(forged), "{what}: {said}");
    }
    match format {
        "json" | "sarif" => drop(serde_json::from_str::<Value>(said).unwrap()),
        "github" => {
            let commands = lines("::error") + lines("::warning") + lines("::notice");
            assert_eq!(commands, findings, "{what}: {said}");
        }
        "markdown" => {
            assert_eq!(
                said.lines().filter(|line| line.starts_with("### ")).count(),
                findings,
                "{what}: {said}"
            );
            // outside of code, no tag and no link
            let prose = said.split("\n```").step_by(2).flat_map(str::lines);
            for line in prose {
                let outside: String = line.split('`').step_by(2).collect();
                for forged in ["<b>", "</details><", "](http"] {
                    assert!(!outside.contains(forged), "{what}: {line}");
                }
            }
        }
        _ => {}
    }
}

fn every_field_holds(name: &str, evil: &str) {
    let _tried = attempt("Injection", name);
    let python = pythons().into_iter().rfind(|python| python.number() >= (3, 8)).expect("a Python 3");
    for fields in SITUATIONS {
        let place = hostile(&python, fields, evil);
        let findings = place.report(&[])["findings"].as_array().unwrap().len();
        for format in FORMATS {
            let output = place.doctor(&["-v", "--format", format]);
            let what = format!("{name} as {fields:?}, {format}");
            assert!(matches!(output.status.code(), Some(0 | 1)), "{what}: {}", text(&output.stderr));
            is_harmless(format, &text(&output.stdout), findings, &what);
        }
        let message = place.root().join("message");
        fs::write(&message, format!("Traceback (most recent call last):\n  File \"{evil}\", line 1, in <module>\n    import gone\nModuleNotFoundError: No module named '{evil}'\n")).unwrap();
        let others: [&[&str]; 5] =
            [&["path", "-v"], &["why", "sample"], &["why", "-v", "-"], &["scan", "-v", "."], &["hook"]];
        for arguments in others {
            let input = fs::File::open(&message).unwrap().into();
            let output = place.doctor_reading(input, &place.project, arguments);
            let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
            is_harmless("human", &said, 0, &format!("{name} as {fields:?}, {arguments:?}"));
        }
    }
}

#[test]
fn escape_sequences_and_returns() {
    for (name, evil) in &TEXTS[..3] {
        every_field_holds(name, evil);
    }
}

#[test]
fn characters_that_hide() {
    for (name, evil) in &TEXTS[3..5] {
        every_field_holds(name, evil);
    }
}

#[test]
fn marks_of_a_format() {
    for (name, evil) in &TEXTS[5..] {
        every_field_holds(name, evil);
    }
}
