//! From `git commit` to the verdict of `venv-doctor hook`: a usual commit of a small project, which is refused, so that
//! it can be made again. `cargo bench --bench peers -- hook` measures this alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::environments::Cache;

const DOCTOR: &str = env!("CARGO_BIN_EXE_venv-doctor");
/// Milliseconds that a commit may wait for the hook.
const GOAL: f64 = 50.0;
/// Files that git tracks besides the commit's.
const TRACKED: usize = 500;

/// What the commit holds; `setup.sh` is what it is refused for.
const STAGED: [(&str, &str); 8] = [
    ("setup.sh", "#!/bin/sh\nset -e\nsudo pip install six\n"),
    ("Makefile", "test:\n\t.venv/bin/python -m pytest\ninstall:\n\t.venv/bin/python -m pip install -e .\n"),
    ("Dockerfile", "FROM python:3.12\nCOPY . /app\nRUN pip install /app\n"),
    (
        ".github/workflows/ci.yml",
        "jobs:\n  a:\n    steps:\n      - uses: actions/setup-python@v5\n      - run: pip install -e .\n",
    ),
    ("README.md", "# Shop\n\n```sh\npip install shop\n```\n"),
    ("requirements.txt", "six\n"),
    ("shop/cart.py", "import six\n"),
    ("shop/prices.py", "import decimal\n"),
];

/// A row of the table: how the commit is made.
struct Row {
    label: &'static str,
    words: Vec<String>,
    times: Vec<Duration>,
}

pub fn table(cache: &Cache, rounds: usize) {
    let home = cache.home();
    let directory = home.with_file_name("commit");
    println!("== from git commit to the verdict");
    let Some(hooks) = repository(&directory, &home) else {
        println!("  not measured: git or python3 -m venv is not here");
        return;
    };
    let commit = |hooks: &Path| {
        let hooks = format!("core.hooksPath={}", hooks.display());
        ["git", "-c", &hooks, "commit", "-qm", "x"].map(str::to_owned).to_vec()
    };
    let names = STAGED.map(|(name, _)| name.to_owned());
    let alone: Vec<String> = [DOCTOR.to_owned(), "hook".to_owned()].into_iter().chain(names).collect();
    let mut rows = [
        ("git commit, with a hook that only refuses", commit(&hooks.join("refuses"))),
        ("git commit, with venv-doctor hook", commit(&hooks.join("doctor"))),
        ("venv-doctor hook, with the commit's files", alone),
    ]
    .map(|(label, words)| Row { label, words, times: Vec::new() });
    // the first round fills caches
    for round in 0..=rounds {
        for row in &mut rows {
            let started = Instant::now();
            let status = command(&directory, &home, &row.words).status().unwrap();
            assert_eq!(status.code(), Some(1), "{}", row.label);
            if round > 0 {
                row.times.push(started.elapsed());
            }
        }
    }
    let medians = rows.each_mut().map(|row| {
        row.times.sort_unstable();
        row.times[row.times.len() / 2].as_secs_f64() * 1e3
    });
    for (row, median) in rows.iter().zip(medians) {
        println!("  {:64} {median:9.2} ms", row.label);
    }
    println!("  {:64} {:9.2} ms  (at most {GOAL})", "what the hook adds", medians[1] - medians[0]);
}

/// A command in the repository, as from bash with the environment active.
fn command(directory: &Path, home: &Path, words: &[String]) -> Command {
    let venv = directory.join(".venv");
    let mut command = Command::new("bash");
    command
        .args(["-c", "\"$@\"; exit $?", "bash"])
        .args(words)
        .current_dir(directory)
        .env_clear()
        .env("HOME", home)
        .env("VIRTUAL_ENV", &venv)
        .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", venv.join("bin").display()))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "me").env(format!("GIT_{role}_EMAIL"), "me@example.org");
    }
    command
}

/// The repository with the commit staged, made anew; gives the directory of its hooks.
fn repository(directory: &Path, home: &Path) -> Option<PathBuf> {
    let _ = fs::remove_dir_all(directory);
    let write = |name: &str, text: &str| {
        let path = directory.join(name);
        fs::create_dir_all(path.parent()?).ok()?;
        fs::write(path, text).ok()
    };
    for number in 0..TRACKED {
        write(&format!("shop/part{}/module{number}.py", number % 20), "import decimal\n")?;
    }
    write(".gitignore", "/.venv/\n/.hooks/\n")?;
    let run = |line: &str| {
        let words = ["bash", "-c", line].map(str::to_owned);
        command(directory, home, &words).status().ok()?.success().then_some(())
    };
    run("git init -q . && /usr/bin/env python3 -m venv .venv && git add -A && git commit -qm x")?;
    for (name, text) in STAGED {
        write(name, text)?;
    }
    run("git add -A")?;
    let hooks = directory.join(".hooks");
    for (name, line) in [("refuses", "exit 1".to_owned()), ("doctor", format!("exec '{DOCTOR}' hook"))] {
        write(&format!(".hooks/{name}/pre-commit"), &format!("#!/bin/sh\n{line}\n"))?;
    }
    run("chmod +x .hooks/*/pre-commit")?;
    Some(hooks)
}
