//! Many environments at once: what a scan finds, what it says of each, and what it leaves alone.
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
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{Creator, Place, Python, entry_script, install, pythons, run, schema, text};

struct Fleet {
    place: Place,
    python: Python,
}

impl Fleet {
    fn new() -> Fleet {
        let python = pythons().into_iter().rfind(|python| python.number() >= (3, 10)).expect("a Python 3.10");
        Fleet { place: Place::new(), python }
    }

    fn at(&self, relative: &str) -> PathBuf {
        self.place.root().join(relative)
    }

    fn venv(&self, relative: &str) -> PathBuf {
        let root = self.at(relative);
        Creator::Venv.make(&self.python, &root);
        root
    }

    /// A venv whose base was a Python of its own, in `bases/NAME`, that is gone.
    fn orphan(&self, relative: &str, base: &str) -> PathBuf {
        let root = self.venv(relative);
        let gone = self.at("bases").join(base).join("bin");
        let link = root.join("bin/python");
        fs::remove_file(&link).unwrap();
        symlink(gone.join(format!("python{}", self.python.minor)), &link).unwrap();
        let config = root.join("pyvenv.cfg");
        let lines = fs::read_to_string(&config).unwrap();
        let lines = lines.lines().map(|line| match line.starts_with("home") {
            true => format!("home = {}\n", gone.display()),
            false => format!("{line}\n"),
        });
        let lines: String = lines.collect();
        fs::write(&config, lines).unwrap();
        root
    }

    /// What looks like an installed Python, in `bases/NAME`.
    fn installation(&self, name: &str) -> PathBuf {
        let (root, python) = (self.at("bases").join(name), format!("python{}", self.python.minor));
        fs::create_dir_all(root.join("bin")).unwrap();
        fs::create_dir_all(root.join("lib").join(&python).join("site-packages")).unwrap();
        fs::write(root.join("lib").join(&python).join("os.py"), "").unwrap();
        fs::write(root.join("bin").join(&python), "").unwrap();
        support::executable(&root.join("bin").join(&python), true);
        root
    }

    /// Makes it look as if nobody had used it since 2020.
    fn abandon(&self, root: &Path) {
        let python = format!("python{}", self.python.minor);
        let traces = [
            root.join("pyvenv.cfg"),
            root.join("bin").join(&python),
            root.join("lib").join(&python).join("site-packages"),
        ];
        for path in traces.iter().filter(|path| path.exists()) {
            run(Command::new("touch").args(["-h", "-t", "202001010000"]).arg(path));
        }
    }

    fn scan(&self, arguments: &[&str]) -> Value {
        let root = self.place.root().display().to_string();
        let mut all = vec!["scan", &root, "--format", "json"];
        all.extend(arguments);
        let output = self.place.doctor(&all);
        assert_eq!(text(&output.stderr), "", "nothing is said in a pipe");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("no JSON ({error}): {}{}", text(&output.stdout), text(&output.stderr))
        });
        schema::validate("scan", &report);
        report
    }

    fn roots(&self, report: &Value) -> Vec<String> {
        let base = format!("{}/", self.place.root().display());
        let mut roots: Vec<String> = environments(report)
            .iter()
            .map(|environment| environment["root"].as_str().unwrap().replace(&base, ""))
            .collect();
        roots.sort();
        roots
    }
}

fn environments(report: &Value) -> &Vec<Value> {
    report["environments"].as_array().unwrap()
}

fn member<'a>(report: &'a Value, root: &Path) -> &'a Value {
    let root = root.display().to_string();
    environments(report).iter().find(|environment| environment["root"] == root.as_str()).expect("not found")
}

fn checks_of(environment: &Value) -> Vec<&str> {
    let findings = environment["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["severity"] != "info")
        .map(|finding| finding["check"].as_str().unwrap())
        .collect()
}

#[test]
fn finds_environments_at_any_depth_and_leaves_the_rest_alone() {
    let fleet = Fleet::new();
    let healthy = fleet.venv("project/.venv");
    let deep = "a/b/c/d/e/f/g/h/any name";
    fleet.venv(deep);
    for inside in ["project/.venv/lib/nested", "x/node_modules/env", "x/.git/env", "cache/env"] {
        fs::create_dir_all(fleet.at(inside)).unwrap();
        fs::write(fleet.at(inside).join("pyvenv.cfg"), "home = /usr/bin\n").unwrap();
    }
    fs::write(fleet.at("cache/CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55\n").unwrap();
    // links in a circle, a link to a directory with environments, a second name of an environment
    symlink(fleet.at("a"), fleet.at("a/b/round")).unwrap();
    symlink(".", fleet.at("a/here")).unwrap();
    fs::create_dir_all(fleet.at("other")).unwrap();
    symlink(&healthy, fleet.at("other/.venv")).unwrap();
    // conda's mark
    fs::create_dir_all(fleet.at("conda/envs/work/conda-meta")).unwrap();
    fs::create_dir_all(fleet.at("conda/conda-meta")).unwrap();
    let report = fleet.scan(&[]);
    assert_eq!(fleet.roots(&report), [deep, "conda", "conda/envs/work", "project/.venv"]);
    assert_eq!(member(&report, &healthy)["health"], "healthy", "{report:#}");
    assert_eq!(report["complete"], true);
    let all = fleet.scan(&["--all"]);
    assert_eq!(fleet.roots(&all).len(), 8, "{:?}", fleet.roots(&all));
}

#[test]
fn names_one_cause_for_all_that_lost_one_python() {
    let mut fleet = Fleet::new();
    fs::create_dir_all(fleet.at("bases/another")).unwrap();
    if let Some(home) = std::env::var_os("HOME") {
        fleet.place.set("PYENV_ROOT", Path::new(&home).join(".pyenv").display().to_string());
    }
    let lost: Vec<PathBuf> =
        (0..3).map(|number| fleet.orphan(&format!("lost{number}/.venv"), "3.11.4")).collect();
    fleet.orphan("alone/.venv", "3.12.1");
    fleet.venv("fine/.venv");
    let report = fleet.scan(&[]);
    let groups = report["groups"].as_array().unwrap();
    let first = &groups[0];
    assert_eq!(first["check"], "dangling-interpreter", "{groups:#?}");
    assert_eq!(first["environments"].as_array().unwrap().len(), 3);
    assert_eq!(first["cause"], fleet.at("bases/3.11.4").display().to_string().as_str());
    assert!(first["message"].as_str().unwrap().ends_with("is gone: 3 environments"), "{first:#}");
    for root in &lost {
        let finding = &member(&report, root)["findings"][0];
        let commands = finding["remedies"][0]["commands"].as_array().unwrap();
        let commands: Vec<&str> = commands.iter().map(|line| line.as_str().unwrap()).collect();
        assert!(
            !commands.is_empty() && !commands.iter().any(|line| line.contains("activate")),
            "{commands:?}"
        );
    }
    // the remedy cures
    let commands = member(&report, &lost[0])["findings"][0]["remedies"][0]["commands"].as_array().unwrap();
    let script: Vec<&str> = commands.iter().map(|line| line.as_str().unwrap()).collect();
    let cured = fleet.place.bash(&script.join("\n"));
    assert!(cured.status.success(), "{}", text(&cured.stderr));
    assert_eq!(checks_of(member(&fleet.scan(&[]), &lost[0])), Vec::<&str>::new());
    let output = fleet.place.doctor(&["scan", &fleet.place.root().display().to_string()]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("5 environments, 3 with errors, 2 healthy"), "{said}");
}

#[test]
fn sees_that_an_environment_was_moved_and_what_is_left_of_one() {
    let fleet = Fleet::new();
    let made = fleet.venv("first/.venv");
    entry_script(&made, "tool", "tool");
    fs::rename(fleet.at("first"), fleet.at("second")).unwrap();
    let remains = fleet.venv("remains/env");
    fs::remove_file(remains.join("pyvenv.cfg")).unwrap();
    let report = fleet.scan(&[]);
    assert!(checks_of(member(&report, &fleet.at("second/.venv"))).contains(&"moved-venv"), "{report:#}");
    let remains = member(&report, &remains);
    assert_eq!(remains["kind"], "remains");
    assert!(checks_of(remains).contains(&"missing-pyvenv-cfg"), "{remains:#}");
}

#[test]
fn counts_files_with_several_names_once() {
    let fleet = Fleet::new();
    let (one, two) = (fleet.venv("one/.venv"), fleet.venv("two/.venv"));
    let number = |value: &Value| value.as_u64().unwrap();
    let shared = |report: &Value| {
        let sizes = [&one, &two].map(|root| number(&member(report, root)["size"]));
        let own = number(&member(report, &one)["own_size"]);
        (sizes[0] - own, sizes[0] + sizes[1] - number(&report["summary"]["size"]))
    };
    // the files of pip may have several names already
    let before = shared(&fleet.scan(&["--sizes"]));
    let big = one.join("lib/big.bin");
    fs::write(&big, vec![7; 1 << 20]).unwrap();
    fs::hard_link(&big, one.join("lib/same.bin")).unwrap();
    fs::hard_link(&big, two.join("lib/big.bin")).unwrap();
    fs::write(two.join("lib/copy.bin"), vec![7; 1 << 20]).unwrap();
    let report = fleet.scan(&["--duplicates"]);
    let after = shared(&report);
    assert_eq!(after.0 - before.0, 1 << 20, "what has a name elsewhere would not be freed");
    assert_eq!(after.1 - before.1, 1 << 20, "shared counts once");
    assert!(number(&report["summary"]["wasted"]) >= 1 << 20, "the copy is a twin");
    let without = fleet.scan(&[]);
    assert!(without["summary"]["size"].is_null() && member(&without, &one)["size"].is_null());
}

#[test]
fn streams_a_line_for_each() {
    let fleet = Fleet::new();
    fleet.orphan("lost/.venv", "3.11.4");
    install(&fleet.venv("fine/.venv"), &fleet.python, "sample");
    let root = fleet.place.root().display().to_string();
    let output = fleet.place.doctor(&["scan", &root, "--format", "jsonl"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    lines.iter().for_each(|line| schema::validate("scan_line", line));
    let unhealthy = fleet.place.doctor(&["scan", &root, "--format", "jsonl", "--unhealthy"]);
    assert_eq!(text(&unhealthy.stdout).lines().count(), 1);
}

#[test]
fn survives_what_it_cannot_read_and_says_so() {
    let fleet = Fleet::new();
    fleet.venv("fine/.venv");
    let closed = fleet.at("closed");
    fs::create_dir_all(&closed).unwrap();
    support::executable(&closed, false);
    fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    let readable_all_the_same = fs::read_dir(&closed).is_ok();
    let report = fleet.scan(&[]);
    fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(fleet.roots(&report), ["fine/.venv"]);
    // root reads everything
    let expected = if readable_all_the_same { 0 } else { 1 };
    assert_eq!(report["seen"]["unreadable"], expected);
    let missing = fleet.place.doctor(&["scan", "/nowhere/at/all"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("does not exist"));
}

#[test]
fn shows_no_control_characters() {
    let fleet = Fleet::new();
    fleet.orphan("evil\u{1b}[31m\n\u{202e}name/.venv", "3.11.4");
    let root = fleet.place.root().display().to_string();
    for format in ["human", "json", "jsonl"] {
        let said = text(&fleet.place.doctor(&["scan", &root, "--format", format]).stdout);
        assert!(!said.contains('\u{1b}') && !said.contains('\u{202e}'), "{said:?}");
    }
}

#[test]
fn looks_where_tools_keep_environments_when_no_directory_is_named() {
    let fleet = Fleet::new();
    let pipx = fleet.orphan("home/.local/share/pipx/venvs/black", "3.11.4");
    let uv = fleet.venv("home/.local/share/uv/tools/ruff");
    let poetry = fleet.venv("home/.cache/pypoetry/virtualenvs/app-x-py3.11");
    fleet.venv("home/.cache/uv/archive/env");
    let kernel = fleet.venv("elsewhere/notebooks");
    let kernels = fleet.at("home/.local/share/jupyter/kernels/analysis");
    fs::create_dir_all(&kernels).unwrap();
    let argv = format!(
        r#"{{"argv": ["{}/bin/python", "-m", "ipykernel"], "language": "python"}}"#,
        kernel.display()
    );
    fs::write(kernels.join("kernel.json"), argv).unwrap();
    let output = fleet.place.doctor(&["scan", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    schema::validate("scan", &report);
    assert_eq!(member(&report, &pipx)["keeper"], "pipx");
    let remedy = &member(&report, &pipx)["findings"][0]["remedies"][0]["commands"][0];
    assert_eq!(remedy, "pipx reinstall black");
    assert_eq!(member(&report, &uv)["keeper"], "uv-tool");
    assert_eq!(member(&report, &poetry)["keeper"], "poetry");
    assert_eq!(member(&report, &kernel)["health"], "healthy");
    assert!(!fleet.roots(&report).iter().any(|root| root.contains("archive")));
}

#[test]
fn starts_nothing_unless_told_and_never_a_strangers_program() {
    let fleet = Fleet::new();
    let (own, mark) = (fleet.venv("own/.venv"), fleet.at("started"));
    let evil = fleet.venv("evil/.venv");
    let program = evil.join("bin/python");
    fs::remove_file(&program).unwrap();
    fs::write(&program, format!("#!/bin/sh\ntouch '{}'\n", mark.display())).unwrap();
    support::executable(&program, true);
    for arguments in [&[][..], &["--exec"]] {
        fleet.scan(arguments);
        assert!(!mark.exists(), "{arguments:?}");
    }
    let site = fleet.python.site_packages(&own);
    fs::write(site.join("evil.pth"), format!("import os; os.system(\"touch '{}'\")\n", mark.display()))
        .unwrap();
    fleet.scan(&["--exec"]);
    assert!(!mark.exists(), "-I -S");
}

#[test]
fn tells_what_would_delete_and_deletes_nothing() {
    let fleet = Fleet::new();
    let old = fleet.venv("old/.venv");
    fleet.venv("new/.venv");
    fleet.abandon(&old);
    let root = fleet.place.root().display().to_string();
    let output = fleet.place.doctor(&["scan", &root, "--older-than", "90d"]);
    let said = text(&output.stdout);
    assert!(said.contains(&format!("rm -rf -- {}", old.display())), "{said}");
    assert!(said.contains("1 of 2 environments") && !said.contains("new/.venv"), "{said}");
    let caveat = said.find("noatime").expect("what the time of use cannot tell");
    assert!(caveat < said.find("rm -rf").unwrap(), "{said}");
    assert!(old.exists());
}

#[test]
fn offers_no_command_for_what_others_need_or_somebody_uses() {
    let mut fleet = Fleet::new();
    let (base, alone) = (fleet.installation("base"), fleet.installation("alone"));
    // used today: not shown, and needs its base all the same
    fleet.orphan("new/.venv", "base");
    let (active, old) = (fleet.venv("active/.venv"), fleet.venv("old/.venv"));
    // `python -m venv .`: what made them projects is the user's work
    let projects = ["poetry.lock", "uv.lock", "tox.ini", "manage.py", "requirements-dev.txt", "train.py"]
        .map(|file| (fleet.venv(&format!("in-{file}")), file));
    for (root, file) in &projects {
        fs::write(root.join(file), "").unwrap();
    }
    let roots = projects.iter().map(|(root, _)| root).chain([&base, &alone, &active, &old]);
    roots.for_each(|root| fleet.abandon(root));
    fleet.place.set("VIRTUAL_ENV", active.display().to_string());
    let root = fleet.place.root().display().to_string();
    let said = text(&fleet.place.doctor(&["scan", &root, "--older-than", "90d"]).stdout);
    assert!(said.contains("10 of 11 environments") && said.contains("To delete this environment"), "{said}");
    let (_, offered) = said.split_once("To delete").unwrap();
    let deleted: Vec<&str> = offered.lines().map(str::trim).filter(|line| line.starts_with("rm ")).collect();
    assert_eq!(deleted, [format!("rm -rf -- {}", old.display())], "{said}");
    for (root, why) in [
        (&base, "other environments are made from it"),
        (&alone, "an installed Python"),
        (&active, "it is the active environment, or holds it"),
        (&projects[0].0, "a project's own files lie in it, too"),
    ] {
        assert!(said.contains(&format!("{}: not offered: {why}", root.display())), "{said}");
    }
}

#[test]
fn what_is_unhealthy_is_to_be_mended_and_not_deleted() {
    let fleet = Fleet::new();
    fleet.orphan("lost/.venv", "3.11.4");
    let root = fleet.place.root().display().to_string();
    let said = text(&fleet.place.doctor(&["scan", &root, "--unhealthy"]).stdout);
    assert!(said.contains("lost/.venv") && said.contains("dangling-interpreter"), "{said}");
    assert!(!said.contains("To delete") && !said.contains("noatime"), "{said}");
}

#[test]
fn the_help_tells_what_the_options_do_here() {
    let fleet = Fleet::new();
    let help = |command: &str| {
        let said = text(&fleet.place.doctor(&[command, "--help"]).stdout);
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let said = help("scan");
    assert!(said.contains("Name every environment") && !said.contains("which checks ran"), "{said}");
    let check = help("check");
    assert!(check.contains("which checks ran"), "{check}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupted_scan_tells_what_is_known() {
    let fleet = Fleet::new();
    for group in 0..20 {
        for number in 0..250 {
            fs::create_dir_all(fleet.at(&format!("wide/{group}/{number}/x"))).unwrap();
        }
    }
    fleet.venv("zzz/.venv");
    let mut scan = Command::new(env!("CARGO_BIN_EXE_venv-doctor"))
        .args(["scan", "--format", "json", "--all"])
        .arg(fleet.place.root())
        .env_clear()
        .envs(&fleet.place.variables)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let caught = || {
        let status = fs::read_to_string(format!("/proc/{}/status", scan.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        line.and_then(|line| u64::from_str_radix(line.trim(), 16).ok())
            .is_some_and(|caught| caught & 0b10 != 0)
    };
    for _ in 0..1000 {
        if caught() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    run(Command::new("/bin/kill").args(["-INT", &scan.id().to_string()]));
    let mut said = String::new();
    std::io::Read::read_to_string(&mut scan.stdout.take().unwrap(), &mut said).unwrap();
    let status = scan.wait().unwrap();
    // a machine that is fast enough was done by then
    let report: Value = serde_json::from_str(&said).expect("whole JSON");
    schema::validate("scan", &report);
    match report["complete"].as_bool().unwrap() {
        false => assert_eq!(status.code(), Some(130)),
        true => assert_eq!(status.code(), Some(0)),
    }
}
