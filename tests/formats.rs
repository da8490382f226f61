//! The formats from outside: real environments, real files, every JSON against the published schema.
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
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use support::{Place, Python, entry_script, install, pythons, run, schema, text};

const SARIF_SCHEMA: &str = include_str!("formats/sarif-schema-2.1.0.json");

fn newest() -> Python {
    pythons().pop().expect("a Python on this machine")
}

fn venv(place: &Place, python: &Python) -> PathBuf {
    let root = place.project.join(".venv");
    run(Command::new(&python.path).args(["-m", "venv", "--without-pip"]).arg(&root));
    install(&root, python, "sample");
    entry_script(&root, "sample", "sample");
    root
}

/// Situations that people bring, each with what it is called.
fn situations() -> Vec<(&'static str, Place)> {
    let python = newest();
    let mut all = Vec::new();
    let mut add = |name, prepare: &dyn Fn(&mut Place)| {
        let mut place = Place::new();
        place.write("requirements.txt", "sample\n");
        place.write("main.py", "import sample\n");
        prepare(&mut place);
        all.push((name, place));
    };
    add("no environment", &|_| {});
    add("healthy", &|place| {
        let root = venv(place, &python);
        place.activate(&root);
    });
    add("forgotten", &|place| drop(venv(place, &python)));
    add("moved", &|place| {
        let root = venv(place, &python);
        place.activate(&root);
        let moved = place.project.with_file_name("moved");
        fs::rename(&place.project, &moved).unwrap();
        place.project = moved;
    });
    add("dead interpreter", &|place| {
        let root = venv(place, &python);
        place.activate(&root);
        for entry in fs::read_dir(root.join("bin")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_symlink() {
                fs::remove_file(&path).unwrap();
                std::os::unix::fs::symlink("/opt/gone/bin/python3", &path).unwrap();
            }
        }
    });
    add("no configuration", &|place| {
        let root = venv(place, &python);
        place.activate(&root);
        fs::remove_file(root.join("pyvenv.cfg")).unwrap();
    });
    add("variables", &|place| {
        let root = venv(place, &python);
        place.activate(&root);
        place.set("PYTHONPATH", format!("/gone::{}", place.project.display()));
        place.set("PIP_INDEX_URL", "https://me:hunter2@index.example/simple");
        place.set("PIP_USER", "1");
    });
    all
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no JSON ({error}): {}{}", text(&output.stdout), text(&output.stderr)))
}

#[test]
fn every_format_of_real_environments() {
    let mut schema: Value = serde_json::from_str(SARIF_SCHEMA).unwrap();
    // a lone bracket in this pattern is no regular expression by the rules of JSON Schema; we write no language
    for object in ["run", "toolComponent"] {
        schema["definitions"][object]["properties"]["language"].as_object_mut().unwrap().remove("pattern");
    }
    let schema = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    for (name, place) in situations() {
        let report = place.report(&[]);
        let expected = place.doctor(&[]).status.code();
        let ids = |list: &Value, key: &str| -> Vec<String> {
            list.as_array().unwrap().iter().map(|it| it[key].as_str().unwrap().to_owned()).collect()
        };
        let findings = ids(&report["findings"], "check");
        for format in ["json", "sarif", "github", "markdown"] {
            let output = place.doctor(&["--format", format]);
            assert_eq!(output.status.code(), expected, "{name} as {format}");
            let never = place.doctor(&["--format", format, "--fail-on", "never"]);
            assert_eq!(never.status.code(), Some(0), "{name} as {format}");
            assert!(!text(&output.stdout).contains("hunter2"), "{name} as {format}");
            assert!(!output.stdout.contains(&0x1b), "{name} as {format}");
        }
        let log = json(&place.doctor(&["--format", "sarif"]));
        let errors: Vec<String> = schema.iter_errors(&log).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
        let run = &log["runs"][0];
        assert_eq!(ids(&run["results"], "ruleId"), findings, "{name}");
        assert_eq!(run["invocations"][0]["exitCode"].as_i64(), expected.map(i64::from), "{name}");
        for rule in run["tool"]["driver"]["rules"].as_array().unwrap() {
            assert!(rule["help"]["markdown"].as_str().unwrap().contains("## How to fix it"), "{name}");
            assert!(rule["helpUri"].is_string() && rule["fullDescription"]["text"].is_string(), "{name}");
        }
        let github = text(&place.doctor(&["--format", "github"]).stdout);
        let annotated = |line: &&str| {
            ["::error ", "::warning ", "::notice "].iter().any(|command| line.starts_with(command))
        };
        assert_eq!(github.lines().filter(annotated).count(), findings.len(), "{name}: {github}");
        let page = text(&place.doctor(&["--format", "markdown"]).stdout);
        assert_eq!(page.lines().filter(|line| line.starts_with("### ")).count(), findings.len(), "{name}");
    }
}

#[test]
fn all_json_is_as_the_schema_says() {
    let (_, place) = situations().into_iter().find(|(name, _)| *name == "variables").unwrap();
    let traceback = "ModuleNotFoundError: No module named 'absent'\n";
    place.write("error.txt", traceback);
    let asked: [(&str, &[&str]); 7] = [
        ("path", &["path"]),
        ("path", &["path", "--no-exec"]),
        ("why", &["why", "sample"]),
        ("why", &["why", "absent"]),
        ("why", &["why", "json"]),
        ("checks", &["checks"]),
        ("explain", &["explain", "moved-venv"]),
    ];
    for (definition, arguments) in asked {
        let output = place.doctor(&[arguments, &["--format", "json"]].concat());
        schema::validate(definition, &json(&output));
    }
    let doctor = env!("CARGO_BIN_EXE_venv-doctor");
    let output = place.bash(&format!("{doctor} why - --format json < error.txt"));
    schema::validate("why", &json(&output));
}

#[test]
fn the_schema_is_printed_for_each_subcommand() {
    let place = Place::new();
    let whole = place.doctor(&["schema"]);
    assert_eq!(text(&whole.stdout), include_str!("../src/report/schema.json"));
    for name in ["path", "why", "checks", "explain"] {
        let printed = json(&place.doctor(&["schema", name]));
        assert_eq!(printed["$ref"], format!("#/$defs/{name}"));
    }
    assert_eq!(json(&place.doctor(&["schema", "check"]))["$ref"], "#/$defs/report");
}

#[test]
fn formats_for_findings_are_refused_where_there_are_none() {
    let place = Place::new();
    for arguments in [["path", "--format"].as_slice(), &["why", "os", "--format"], &["checks", "--format"]] {
        let output = place.doctor(&[arguments, &["sarif"]].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("[possible values: human, json]"), "{}", text(&output.stderr));
    }
}

#[test]
fn a_summary_is_appended_where_it_is_asked_for() {
    let (_, mut place) = situations().into_iter().find(|(name, _)| *name == "moved").unwrap();
    let file = place.root().join("summary.md");
    let refused = place.doctor(&["--summary"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("GITHUB_STEP_SUMMARY"), "{}", text(&refused.stderr));
    place.set("GITHUB_STEP_SUMMARY", file.display().to_string());
    place.doctor(&["--format", "github"]);
    assert!(!file.exists(), "nothing is written unasked");
    fs::write(&file, "# Before\n").unwrap();
    let output = place.doctor(&["--format", "github", "--summary"]);
    assert_eq!(output.status.code(), Some(1));
    let page = fs::read_to_string(&file).unwrap();
    assert!(page.starts_with("# Before\n## venv-doctor: 1 error"), "{page}");
    assert!(page.contains("### error: `moved-venv`"), "{page}");
    place.set("GITHUB_STEP_SUMMARY", place.root().display().to_string());
    assert_eq!(place.doctor(&["--summary"]).status.code(), Some(2));
}

/// What a maintainer sees is what the user sees, with other names.
#[test]
fn a_snapshot_has_the_findings_of_its_machine() {
    for (name, mut place) in situations() {
        // so that the project lies below it
        place.set("HOME", place.root().display().to_string());
        let file = place.root().join("facts.json");
        let file = file.display().to_string();
        let live = place.report(&["--snapshot", &file]);
        let shared = fs::read_to_string(&file).unwrap();
        let home = place.variables["HOME"].clone();
        for secret in ["hunter2", &home] {
            assert!(!shared.contains(secret), "{name}: {secret}");
        }
        let elsewhere = Place::new();
        let recorded = elsewhere.report(&["--from", &file]);
        let stand_in = recorded["findings"].to_string();
        // the home directory's place is of the same length, and nothing else differs
        let facts: Value = serde_json::from_str(&shared).unwrap();
        let replaced = facts["facts"]["home"].as_str().unwrap();
        assert_eq!(live["findings"].to_string().replace(&home, replaced), stand_in, "{name}");
        assert_eq!(live["summary"], recorded["summary"], "{name}");
        let status = |place: &Place, arguments: &[&str]| place.doctor(arguments).status.code();
        assert_eq!(status(&place, &[]), status(&elsewhere, &["--from", &file]), "{name}");
        let again = place.doctor(&["--snapshot", &file]);
        assert_eq!(again.status.code(), Some(2), "{name}");
        assert!(text(&again.stderr).contains("exists already"), "{}", text(&again.stderr));
        assert_eq!(fs::read_to_string(&file).unwrap(), shared, "{name}");
    }
}

#[test]
fn what_is_no_snapshot_is_refused() {
    let place = Place::new();
    let garbage = [
        ("empty", ""),
        ("text", "hello"),
        ("deep", &"[".repeat(100_000)),
        ("other", "{\"a\": 1}"),
        ("newer", "{\"snapshot_version\": 99, \"doctor\": {\"version\": \"9.9.9\"}, \"facts\": {}}"),
        ("hollow", "{\"snapshot_version\": 1, \"doctor\": {\"version\": \"0.1.0\"}, \"facts\": {}}"),
    ];
    for (name, content) in garbage {
        let file = place.write(name, content);
        let output = place.doctor(&["--from", &file.display().to_string()]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        let message = text(&output.stderr);
        assert!(message.starts_with("venv-doctor: --from ") && message.lines().count() == 1, "{message}");
        assert!(output.stdout.is_empty(), "{name}");
    }
    for path in ["gone.json", "/dev/zero", "."] {
        let output = place.doctor(&["--from", path]);
        assert_eq!(output.status.code(), Some(2), "{path}");
    }
}

#[test]
fn links_and_colours_are_for_terminals() {
    let (_, mut place) = situations().into_iter().find(|(name, _)| *name == "moved").unwrap();
    place.set("TERM", "xterm-256color");
    place.set("VTE_VERSION", "7200");
    assert!(!place.doctor(&[]).stdout.contains(&0x1b), "a pipe");
    assert!(place.doctor(&["--color", "always"]).stdout.contains(&0x1b));
    let on_terminal = |place: &Place, options: &str| {
        let doctor = env!("CARGO_BIN_EXE_venv-doctor");
        let script = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
        let python = newest().path;
        let output = place.bash(&format!("{} -I -c '{script}' {doctor} {options}", python.display()));
        text(&output.stdout)
    };
    let shown = on_terminal(&place, "");
    assert!(shown.contains("\x1b]8;;file:///") && shown.contains("\x1b["), "{shown}");
    assert!(!on_terminal(&place, "--color never").contains('\x1b'));
    place.set("NO_COLOR", "1");
    assert!(!on_terminal(&place, "").contains('\x1b'));
    place.variables.remove("NO_COLOR");
    place.set("CI", "true");
    assert!(!on_terminal(&place, "").contains('\x1b'), "this CI is not known to show colours");
    place.set("GITLAB_CI", "true");
    let shown = on_terminal(&place, "");
    assert!(shown.contains("\x1b[") && !shown.contains("\x1b]8"), "{shown}");
    place.variables.remove("CI");
    place.variables.remove("GITLAB_CI");
    place.set("TERM", "dumb");
    assert!(!on_terminal(&place, "").contains("\x1b]8"));
}
