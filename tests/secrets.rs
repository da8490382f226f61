//! What is secret stays secret: in every subcommand, in every format, also with `-v`.
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

use support::reliability::attempt;
use support::{Place, entry_script, executable, install, pythons, run, text};

const SECRET: &str = "hunter2hunter2";

/// A situation with the secret wherever people put theirs, and faults beside each so that the places are shown.
fn secretive() -> Place {
    let python = pythons().into_iter().rfind(|python| python.number() >= (3, 8)).expect("a Python 3");
    let mut place = Place::new();
    let venv = place.project.join(".venv");
    run(Command::new(&python.path).args(["-m", "venv", "--without-pip"]).arg(&venv));
    install(&venv, &python, "sample");
    entry_script(&venv, "sample", "sample");
    let url = format!("https://me:{SECRET}@example.org/simple");
    let packages = venv.join(format!("lib/python{}/site-packages", python.minor));
    for (name, origin) in [
        ("sample", format!("{{\"url\": {url:?}, \"archive_info\": {{}}}}")),
        (
            "other",
            format!(
                "{{\"url\": \"git+https://{SECRET}@example.org/r.git\", \"vcs_info\": {{\"vcs\": \"git\", \"commit_id\": \"1\"}}}}"
            ),
        ),
    ] {
        install(&venv, &python, name);
        let metadata = packages.join(format!("{name}-1.0.dist-info"));
        fs::write(metadata.join("direct_url.json"), origin).unwrap();
        fs::write(
            metadata.join("METADATA"),
            format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: gone @ {url}\nRequires-Dist: six>=99\n"),
        )
        .unwrap();
    }
    place.write(
        "requirements.txt",
        &format!("--extra-index-url {url}\nsample\nmissing @ git+https://me:{SECRET}@example.org/r.git\n"),
    );
    place.write(
        "pyproject.toml",
        &format!("[project]\nname = 'x'\nversion = '1'\ndependencies = ['gone @ {url}', 'sample']\n[[tool.uv.index]]\nurl = {url:?}\n[tool.poetry.source]\nurl = {url:?}\n"),
    );
    place.write("Pipfile", &format!("[[source]]\nurl = {url:?}\n"));
    place.write(
        "Makefile",
        &format!("install:\n\tAPI_TOKEN={SECRET} source .venv/bin/activate; sudo pip install -i {url} x\n"),
    );
    place.write(
        "Dockerfile",
        &format!(
            "FROM python\nENV API_TOKEN={SECRET}\nRUN source venv/bin/activate && pip install -i {url} x\n"
        ),
    );
    place.write(
        "run.sh",
        &format!("export API_TOKEN={SECRET}\n. .venv/bin/activate && pip install --user -i {url} x\n"),
    );
    let home = place.root().join("home");
    fs::create_dir_all(home.join(".config/pip")).unwrap();
    fs::write(
        home.join(".config/pip/pip.conf"),
        format!("[global]\nindex-url = {url}\ntarget = /elsewhere\nuser = true\nproxy = http://me:{SECRET}@proxy:80\n"),
    )
    .unwrap();
    fs::write(
        home.join(".bashrc"),
        format!("export API_TOKEN={SECRET}\nalias python='API_TOKEN={SECRET} /usr/bin/python3'\nexport PATH=/opt/{url}:$PATH\n"),
    )
    .unwrap();
    for (name, value) in [
        ("PIP_INDEX_URL", url.as_str()),
        ("PIP_EXTRA_INDEX_URL", &url),
        ("PIP_PROXY", &url),
        ("UV_INDEX_URL", &url),
        ("UV_INDEX", &url),
        ("HTTPS_PROXY", &url),
        ("GITHUB_TOKEN", SECRET),
        ("API_KEY", SECRET),
    ] {
        place.set(name, value);
    }
    place.set("PATH", format!("/opt/{url}/bin:/usr/bin:/bin"));
    place.set("VIRTUAL_ENV", venv.display().to_string());
    place
}

fn shows_nothing(place: &Place, arguments: &[&str]) {
    let output = place.doctor(arguments);
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(!said.is_empty(), "{arguments:?}");
    // however the lines of a page break
    let joined: String = said.split_whitespace().collect();
    for shown in [&said, &joined] {
        if let Some(at) = shown.find(SECRET) {
            panic!("{arguments:?}: {}", &shown[at.saturating_sub(300)..(at + 50).min(shown.len())]);
        }
    }
}

const COMMANDS: [&[&str]; 22] = [
    &[],
    &["-v"],
    &["-vv", "--no-exec"],
    &["-q"],
    &["--deep", "-v"],
    &["--format", "json"],
    &["--format", "sarif"],
    &["--format", "github"],
    &["--format", "markdown"],
    &["hook", "-v"],
    &["hook", "--format", "json"],
    &["hook", "Makefile", "Dockerfile", "run.sh"],
    &["path", "-v"],
    &["path", "--format", "json"],
    &["why", "missing", "-v"],
    &["why", "missing", "--format", "json"],
    &["why", "sample"],
    &["why", "sample", "--format", "json"],
    &["scan", "."],
    &["scan", "--format", "json"],
    &["schema"],
    &["completions", "bash"],
];

#[test]
fn wherever_people_put_theirs() {
    let _tried = attempt("Secrets", "wherever_people_put_theirs");
    let place = secretive();
    for arguments in COMMANDS {
        shows_nothing(&place, arguments);
    }
    // the places themselves are shown: the test sees what would show a secret
    let said = text(&place.doctor(&["--format", "json"]).stdout);
    for shown in ["pip.conf", "example.org"] {
        assert!(said.contains(shown), "{shown} in {said}");
    }
}

#[test]
fn what_a_failing_interpreter_says() {
    let _tried = attempt("Secrets", "what_a_failing_interpreter_says");
    let mut place = secretive();
    let venv = place.project.join(".venv");
    let script = format!(
        "#!/bin/sh\necho \"cannot reach https://me:{SECRET}@example.org API_TOKEN=$GITHUB_TOKEN\" >&2\nexit 3\n"
    );
    for entry in fs::read_dir(venv.join("bin")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("python") {
            fs::remove_file(&path).unwrap();
            fs::write(&path, &script).unwrap();
            executable(&path, true);
        }
    }
    place.activate(&venv);
    for arguments in COMMANDS {
        shows_nothing(&place, arguments);
    }
    let said = text(&place.doctor(&["--format", "json"]).stdout);
    assert!(said.contains("cannot reach"), "{said}");
}

#[test]
fn what_a_traceback_holds() {
    let _tried = attempt("Secrets", "what_a_traceback_holds");
    let place = secretive();
    let script = format!(
        "printf '%s\\n' 'ERROR: Could not find a version that satisfies the requirement gone from https://me:{SECRET}@example.org/simple' 'ModuleNotFoundError: No module named \"https://me:{SECRET}@example.org\"' | '{}' why - -v",
        env!("CARGO_BIN_EXE_venv-doctor")
    );
    let output = place.bash(&script);
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(!said.contains(SECRET), "{said}");
}

#[test]
fn what_is_typed() {
    let _tried = attempt("Secrets", "what_is_typed");
    let place = secretive();
    let url = format!("https://me:{SECRET}@example.org");
    for arguments in [&["--python", url.as_str()][..], &["why", &url], &["explain", &url]] {
        shows_nothing(&place, arguments);
    }
}

/// What is handed on to others, and what is said of it elsewhere.
#[test]
fn what_a_snapshot_holds() {
    let _tried = attempt("Secrets", "what_a_snapshot_holds");
    let place = secretive();
    let file = place.root().join("facts.json");
    let name = file.display().to_string();
    shows_nothing(&place, &["-v", "--snapshot", &name]);
    let shared = fs::read_to_string(&file).unwrap();
    assert!(shared.contains("example.org") && !shared.contains(SECRET), "{shared}");
    for format in ["human", "json", "sarif", "github", "markdown"] {
        shows_nothing(&place, &["-v", "--from", &name, "--format", format]);
    }
}
