//! `why` and `path` from outside, in real environments: the answer, the contract of the JSON, the exit status.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code
)]

mod support;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use support::{Creator, Place, cure, findings, install, pythons, text};

/// A project whose environment has `sample`, active.
fn active() -> (Place, PathBuf) {
    let python = pythons().pop().expect("a Python on this machine");
    let mut place = Place::new();
    let venv = place.project.join(".venv");
    Creator::Venv.make(&python, &venv);
    install(&venv, &python, "sample");
    place.write("main.py", "import sample\n");
    place.write("requirements.txt", "sample\n");
    place.activate(&venv);
    (place, venv)
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_module_that_is_found_is_said_to_be_where_python_finds_it() {
    let (place, _) = active();
    let report = place.report(&["why", "sample"]);
    let asked = place.bash("python -c 'import sample; print(sample.__file__)'");
    assert_eq!(report["origin"].as_str().unwrap(), text(&asked.stdout).trim());
    assert_eq!((report["outcome"].as_str(), report["kind"].as_str()), (Some("found"), Some("source")));
    assert_eq!(place.doctor(&["why", "sample"]).status.code(), Some(0));
    for key in [
        "schema_version",
        "module",
        "outcome",
        "kind",
        "origin",
        "locations",
        "entry",
        "searched",
        "findings",
    ] {
        assert!(keys(&report).contains(&key), "{key} is missing");
    }
    let entry = usize::try_from(report["entry"].as_u64().unwrap()).unwrap();
    assert_eq!(report["searched"].as_array().unwrap().last().unwrap()["result"], "found");
    let path = place.report(&["path"]);
    assert!(path["predicted"]["entries"][entry]["directory"].as_str().unwrap().ends_with("site-packages"));
}

#[test]
fn a_module_that_the_shells_python_lacks_leads_to_the_environment_that_has_it() {
    let (mut place, _) = active();
    place.variables.remove("VIRTUAL_ENV");
    place.set("PATH", "/usr/local/bin:/usr/bin:/bin");
    let report = place.report(&["why", "sample"]);
    assert!(findings(&report)[0].ends_with("forgotten-activation"), "{report:#}");
    assert_eq!(place.doctor(&["why", "sample"]).status.code(), Some(1));
    let cured = place.bash(&format!("{}\npython main.py", cure(&report)));
    assert!(cured.status.success(), "{}", text(&cured.stderr));
}

#[test]
fn a_traceback_leads_with_what_explains_it() {
    let (mut place, _) = active();
    place.variables.remove("VIRTUAL_ENV");
    place.set("PATH", "/usr/local/bin:/usr/bin:/bin");
    let failed = place.bash("python3 main.py");
    let mut child = Command::new(env!("CARGO_BIN_EXE_venv-doctor"))
        .args(["why", "-", "--format", "json"])
        .current_dir(&place.project)
        .env_clear()
        .envs(&place.variables)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&failed.stderr).unwrap();
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["module"], "sample");
    assert!(findings(&report)[0].ends_with("forgotten-activation"), "{report:#}");
}

#[test]
fn a_module_that_was_never_installed_names_its_distribution() {
    let (place, _) = active();
    let report = place.report(&["why", "yaml"]);
    assert_eq!(report["outcome"], "not-found");
    assert!(cure(&report).contains("PyYAML"), "{report:#}");
}

/// Where an environment's packages lie.
fn site_packages(venv: &std::path::Path) -> PathBuf {
    let library = std::fs::read_dir(venv.join("lib")).unwrap().flatten().next().unwrap();
    library.path().join("site-packages")
}

/// The finding that leads, whether a remedy installs something, and the exit status.
fn answer(place: &Place, module: &str) -> (Option<String>, bool, Option<i32>) {
    let report = place.report(&["why", module]);
    let status = place.doctor(&["why", module]).status.code();
    (findings(&report).into_iter().next(), report["findings"].to_string().contains("install"), status)
}

#[test]
fn parts_that_are_made_at_run_time_are_not_said_to_be_missing() {
    let (place, venv) = active();
    let site = site_packages(&venv);
    let finder = "import sys\nclass F:\n  def find_spec(self, name, path=None, target=None): return None\nsys.meta_path.append(F())\n__path__ = []\n";
    std::fs::write(site.join("sample.py"), finder).unwrap();
    let made = "import sys, types\nsys.modules[__name__ + '.made'] = types.ModuleType('made')\n";
    std::fs::create_dir_all(site.join("maker")).unwrap();
    std::fs::write(site.join("maker/__init__.py"), made).unwrap();
    assert!(place.bash("python -c 'import maker.made, xml.parsers.expat.model, os.path'").status.success());
    for module in ["sample.moves", "maker.made", "xml.parsers.expat.model", "os.path", "__main__"] {
        let (finding, installs, status) = answer(&place, module);
        assert!(!installs && status == Some(0), "{module}: {finding:?}");
        assert!(finding.is_none_or(|finding| finding.starts_with("info")), "{module}");
    }
    assert_eq!(place.report(&["why", "maker.made"])["outcome"], "cannot-tell");
}

#[test]
fn parts_that_do_not_exist_are_told_without_a_stranger_to_install() {
    let (place, venv) = active();
    assert_eq!(answer(&place, "json.nope"), (Some("error unresolvable-import".to_owned()), false, Some(1)));
    assert_eq!(
        answer(&place, "sample.nope").0.as_deref(),
        Some("error unresolvable-import"),
        "its files are there"
    );
    let site = site_packages(&venv);
    let record = std::fs::read_to_string(site.join("sample-1.0.dist-info/RECORD")).unwrap();
    let record = record.replace("sample.py,,", "sample/__init__.py,,\nsample/part.py,,");
    std::fs::remove_file(site.join("sample.py")).unwrap();
    std::fs::create_dir_all(site.join("sample")).unwrap();
    for name in ["__init__.py", "part.py"] {
        std::fs::write(site.join("sample").join(name), "").unwrap();
    }
    std::fs::write(site.join("sample-1.0.dist-info/RECORD"), record).unwrap();
    // installers write it last: what has not changed since is as it was recorded
    let installed = std::time::SystemTime::now() - std::time::Duration::from_mins(1);
    let record = std::fs::File::options().write(true).open(site.join("sample-1.0.dist-info/RECORD")).unwrap();
    record.set_modified(installed).unwrap();
    std::fs::remove_file(site.join("sample/part.py")).unwrap();
    assert_eq!(answer(&place, "sample.part").0.as_deref(), Some("error missing-distribution-files"));
}

#[test]
fn a_wrapper_script_is_followed_or_said_to_be_undecided() {
    let (place, venv) = active();
    let python = venv.join("bin/python");
    let real = std::fs::canonicalize(&python).unwrap();
    let real = real.display();
    let beside = format!("python{}", real.to_string().rsplit("python").next().unwrap());
    if !venv.join("bin").join(&beside).exists() {
        std::os::unix::fs::symlink(real.to_string(), venv.join("bin").join(&beside)).unwrap();
    }
    let scripts = [
        (format!("exec -a \"$0\" '{real}' \"$@\""), "found"),
        (format!("export PYTHONNOUSERSITE=1\nexec \"$(dirname \"$0\")/{beside}\" \"$@\""), "found"),
        (format!("if true; then exec \"$(dirname \"$0\")/{beside}\" \"$@\"; fi"), "cannot-tell"),
    ];
    for (script, outcome) in scripts {
        std::fs::remove_file(&python).unwrap();
        std::fs::write(&python, format!("#!/bin/bash\n{script}\n")).unwrap();
        support::executable(&python, true);
        let asked = place.bash("python -c 'import sample'");
        assert!(asked.status.success(), "{script}: {}", text(&asked.stderr));
        let report = place.report(&["why", "sample"]);
        assert_eq!(report["outcome"], outcome, "{script}: {report:#}");
        assert!(support::loud(&report).is_empty(), "{script}: {report:#}");
        assert_eq!(place.doctor(&["why", "sample"]).status.code(), Some(0), "{script}");
    }
}

#[test]
fn what_start_up_code_may_bring_is_not_said_to_be_missing() {
    let (place, venv) = active();
    let elsewhere = place.root().join("elsewhere");
    std::fs::create_dir_all(&elsewhere).unwrap();
    std::fs::write(elsewhere.join("dynm.py"), "").unwrap();
    let site = site_packages(&venv);
    let hook = site.join("dyn.pth");
    std::fs::write(&hook, format!("import sys; sys.path.append('{}')\n", elsewhere.display())).unwrap();
    let asked = place.report(&["why", "dynm"]);
    assert_eq!(asked["outcome"], "found", "{asked:#}");
    assert_eq!(asked["origin"].as_str().map(std::path::Path::new), Some(elsewhere.join("dynm.py").as_path()));
    // the path is reported, so what is not there is nowhere
    assert_eq!(place.report(&["why", "absentia"])["outcome"], "not-found");
    let unasked = place.report(&["why", "--no-exec", "dynm"]);
    assert_eq!(unasked["outcome"], "cannot-tell", "{unasked:#}");
    assert!(unasked.to_string().contains("dyn.pth:1") && !unasked.to_string().contains("pip"), "{unasked:#}");
    let finder = "import sys\nclass F:\n  def find_spec(*_): return None\nsys.meta_path.append(F)\n";
    std::fs::write(site.join("ours.py"), finder).unwrap();
    std::fs::write(&hook, "import ours\n").unwrap();
    assert_eq!(place.report(&["why", "dynm"])["outcome"], "cannot-tell");
    // nothing that a start-up line does brings modules here
    std::fs::write(&hook, "import os, sys; sys.stdout.flush()\n").unwrap();
    assert_eq!(place.report(&["why", "dynm"])["outcome"], "not-found");
}

#[test]
fn a_module_that_begins_with_the_import_of_nothing_fails() {
    let (place, venv) = active();
    std::fs::create_dir(place.project.join("pkg")).unwrap();
    let told = |text: &str| {
        place.write("pkg/__init__.py", text);
        place.report(&["why", "pkg"])
    };
    let fails = told("import os\nimport nosuch_dep\n");
    assert_eq!(fails["outcome"], "fails", "{fails:#}");
    assert!(fails["findings"].to_string().contains("nosuch_dep") && fails["origin"].is_string(), "{fails:#}");
    assert_eq!(place.doctor(&["why", "pkg"]).status.code(), Some(1));
    for works in ["import sample\n", "try:\n    import nosuch_dep\nexcept ImportError:\n    pass\n"] {
        assert_eq!(told(works)["outcome"], "found", "{works}");
    }
    // what runs before may bring it
    assert_eq!(told("import sample\nimport nosuch_dep\n")["outcome"], "found");
    assert_eq!(told("print()\nimport nosuch_dep\n")["outcome"], "found");
    let hook = "import sys\nclass F:\n  def find_spec(*_): return None\nsys.meta_path.append(F)\n";
    std::fs::write(site_packages(&venv).join("ours.py"), hook).unwrap();
    std::fs::write(site_packages(&venv).join("ours.pth"), "import ours\n").unwrap();
    assert_eq!(told("import nosuch_dep\n")["outcome"], "found");
}

#[test]
fn what_no_import_can_name_is_refused() {
    let (place, _) = active();
    for module in ["class", "import.x", "None", "a-b"] {
        let refused = place.doctor(&["why", module]);
        assert_eq!(refused.status.code(), Some(2), "{module}");
        assert!(text(&refused.stderr).contains("is no name that can be imported"), "{module}");
    }
    assert!(text(&place.doctor(&["why", "class"]).stderr).contains("class is a keyword of Python 3."));
    let special = place.report(&["why", "__init__"]);
    assert_eq!(special["outcome"], "not-found");
    assert!(!special.to_string().contains("install\""), "{special:#}");
}

#[test]
fn what_a_check_has_found_is_told_once() {
    let (place, _) = active();
    place.write("requirements.txt", "sample\nabsentia\n");
    place.write("main.py", "import sample\nimport absentia\nimport unheard\n");
    for module in ["absentia", "unheard"] {
        let report = place.report(&["why", module]);
        let told: Vec<(&Value, &Value)> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| (&finding["check"], &finding["message"]))
            .collect();
        let again = |(at, finding): (usize, _)| told[..at].contains(finding);
        assert!(!told.is_empty() && !told.iter().enumerate().any(again), "{report:#}");
    }
}

#[test]
fn the_path_is_the_interpreters_own_also_when_nothing_may_be_started() {
    let (place, venv) = active();
    let report = place.report(&["path"]);
    assert_eq!(report["agree"], true, "{report:#}");
    let spelt = |side: &Value| -> Vec<String> {
        let entries = side["entries"].as_array().unwrap();
        entries.iter().map(|entry| entry["directory"].as_str().unwrap().to_owned()).collect()
    };
    let asked = place.bash("python -c 'import sys; print(\"\\n\".join(sys.path))'");
    let real: Vec<String> = text(&asked.stdout).lines().map(str::to_owned).collect();
    assert_eq!(spelt(&report["predicted"]), real);
    let foreseen = place.report(&["path", "--no-exec"]);
    assert_eq!(spelt(&foreseen["predicted"]), real);
    assert_eq!((&foreseen["reported"], &foreseen["agree"]), (&Value::Null, &Value::Null));
    // and with an interpreter that cannot start
    std::fs::remove_file(venv.join("bin/python")).unwrap();
    std::os::unix::fs::symlink("/nowhere/python3", venv.join("bin/python")).unwrap();
    assert!(place.doctor(&["path"]).status.code() != Some(2));
}
