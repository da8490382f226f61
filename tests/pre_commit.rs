//! The hooks, run by the real pre-commit in real git repositories, with the command lines of `.pre-commit-hooks.yaml`.
//!
//! There the program is the one that was built, run as `language: system` or inside the environment of a `language:
//! python` hook. `VENV_DOCTOR_FULL=1` has pre-commit build it from a clone as well, as users get it: that takes minutes.
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
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

use libtest_mimic::{Arguments, Failed, Trial};
use support::{Place, full, pythons, run, text};

fn main() {
    let possible = pre_commit().is_some();
    let trial = |name: &str, body: fn(), possible: bool| {
        let body = move || -> Result<(), Failed> {
            body();
            Ok(())
        };
        Trial::test(name.to_owned(), body).with_ignored_flag(!possible)
    };
    let trials = vec![
        trial("commit_without_an_environment", commit_without_an_environment, possible),
        trial("commit_with_the_right_environment", commit_with_the_right_environment, possible),
        trial("commit_with_a_forgotten_environment", commit_with_a_forgotten_environment, possible),
        trial("commit_with_a_broken_environment", commit_with_a_broken_environment, possible),
        trial("commit_of_files_that_install", commit_of_files_that_install, possible),
        trial("commit_of_an_environment", commit_of_an_environment, possible),
        trial("try_repo", try_repo, possible),
        trial("odd_files", odd_files, true),
        trial("odd_repositories", odd_repositories, true),
        trial("built_by_pre_commit", built_by_pre_commit, possible && full()),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// pre-commit, installed once into the build directory; None where it cannot be.
fn pre_commit() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let install = || {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools/pre-commit");
        fs::create_dir_all(directory.parent()?).ok()?;
        let lock = fs::File::create(directory.with_extension("lock")).ok()?;
        lock.lock().ok()?;
        let program = directory.join("bin/pre-commit");
        if !program.exists() {
            let newest = pythons().into_iter().rfind(|python| python.number() >= (3, 10))?;
            let made = Command::new(&newest.path).args(["-m", "venv", "--clear"]).arg(&directory).status();
            let pip = Command::new(directory.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "pre-commit"])
                .status();
            if !made.ok()?.success() || !pip.ok()?.success() {
                return None;
            }
        }
        Some(program)
    };
    PROGRAM.get_or_init(install).as_deref()
}

/// The hooks file, with the program that was built in the place of the one that pre-commit would build.
fn hooks(language: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml");
    let hooks = fs::read_to_string(file).unwrap();
    assert_eq!(hooks.matches("language: rust\n").count(), 2, "{hooks}");
    hooks
        .replace("language: rust", &format!("language: {language}"))
        .replace("entry: venv-doctor", &format!("entry: {}", env!("CARGO_BIN_EXE_venv-doctor")))
}

/// A git repository with these hooks, in a place of its own.
struct Repository {
    place: Place,
}

impl Repository {
    fn new() -> Repository {
        let place = Place::new();
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pre-commit-cache");
        let mut repository = Repository { place };
        for (name, value) in [
            ("PRE_COMMIT_HOME", cache.to_str().unwrap()),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "me"),
            ("GIT_AUTHOR_EMAIL", "me@example.org"),
            ("GIT_COMMITTER_NAME", "me"),
            ("GIT_COMMITTER_EMAIL", "me@example.org"),
        ] {
            repository.place.set(name, value);
        }
        repository.bash("git init -q .");
        repository.place.write("requirements.txt", "six\n");
        repository
    }

    /// With the hooks of `.pre-commit-hooks.yaml` as a `repo: local`.
    fn with_hooks(language: &str) -> Repository {
        let repository = Repository::new();
        let hooks: String = hooks(language).lines().map(|line| format!("      {line}\n")).collect();
        let program = pre_commit().unwrap().display();
        repository
            .place
            .write(".pre-commit-config.yaml", &format!("repos:\n  - repo: local\n    hooks:\n{hooks}"));
        repository.bash(&format!("{program} install"));
        repository
    }

    fn venv(&self) -> PathBuf {
        let venv = self.place.project.join(".venv");
        let python = pythons().into_iter().rfind(|python| python.number() >= (3, 9)).unwrap();
        run(Command::new(python.path).args(["-m", "venv"]).arg(&venv));
        fs::write(venv.join(".gitignore"), "*\n").unwrap();
        venv
    }

    /// A line for bash, which stays the parent of what it runs.
    fn bash(&self, line: &str) -> Output {
        self.place.bash(&format!("{line}; exit $?"))
    }

    /// Whether `git commit` succeeded, and what it said.
    fn commit(&self) -> (bool, String) {
        let output = self.bash("git add -A && git commit -m x");
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    }

    fn doctor(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.place.doctor(arguments);
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    }
}

/// What the failing hook said; the other, which must have said the same, never fails.
fn refused(repository: &Repository, wanted: &[&str]) -> String {
    let (committed, said) = repository.commit();
    assert!(!committed, "committed: {said}");
    let (failing, warning) =
        said.split_once("venv-doctor (warnings only)").unwrap_or_else(|| panic!("{said}"));
    assert!(failing.contains("Failed") && warning.contains("Passed"), "{said}");
    for part in wanted {
        assert!(failing.contains(part) && warning.contains(part), "{part} is not in\n{said}");
    }
    said
}

fn passed(repository: &Repository) -> String {
    let (committed, said) = repository.commit();
    assert!(committed, "{said}");
    assert!(!said.contains("Failed"), "{said}");
    said
}

fn commit_without_an_environment() {
    for language in ["system", "python"] {
        let repository = Repository::with_hooks(language);
        refused(
            &repository,
            &[
                "global-install",
                "The project has no environment",
                "the environment of the bash that made this commit, not that of pre-commit",
            ],
        );
        let program = pre_commit().unwrap().display();
        let output = repository.bash(&format!("{program} run --all-files"));
        assert!(!output.status.success() && text(&output.stdout).contains("global-install"));
    }
}

fn commit_with_the_right_environment() {
    for language in ["system", "python"] {
        let mut repository = Repository::with_hooks(language);
        let venv = repository.venv();
        repository.place.activate(&venv);
        repository.place.write("install.sh", "pip install six\n");
        let said = passed(&repository);
        assert!(said.contains("not that of pre-commit") && said.contains(".venv/bin/python"), "{said}");
    }
}

fn commit_with_a_forgotten_environment() {
    for language in ["system", "python"] {
        let repository = Repository::with_hooks(language);
        repository.venv();
        refused(&repository, &["forgotten-activation", "is not active"]);
    }
}

fn commit_with_a_broken_environment() {
    for language in ["system", "python"] {
        let mut repository = Repository::with_hooks(language);
        let venv = repository.venv();
        repository.place.activate(&venv);
        for name in ["python", "python3"] {
            fs::remove_file(venv.join("bin").join(name)).unwrap();
            std::os::unix::fs::symlink("/nowhere/python3", venv.join("bin").join(name)).unwrap();
        }
        refused(&repository, &["dangling-interpreter", "/nowhere/python3"]);
    }
}

fn commit_of_files_that_install() {
    let mut repository = Repository::with_hooks("system");
    let venv = repository.venv();
    repository.place.activate(&venv);
    repository.place.write("Dockerfile", "FROM python:3.12\nRUN pip install six\n");
    repository.place.write("README.md", "```sh\npip install shop\n```\n");
    repository
        .place
        .write("setup", "#!/bin/sh\npython3 -m venv .venv\n. .venv/bin/activate\npip install six\n");
    repository.place.write(
        ".github/workflows/ci.yml",
        "jobs:\n  a:\n    steps:\n      - uses: actions/setup-python@v5\n      - run: pip install six\n",
    );
    passed(&repository);
    repository.place.write("Makefile", "all:\n\t@sudo pip install six\n");
    refused(&repository, &["Makefile, line 2", "column 3", "sudo pip install six"]);
    let reason = "# venv-doctor: ignore[global-install] the robot has one Python\n";
    repository.place.write("Makefile", &format!("all:\n{reason}\tsudo pip install six\n"));
    let said = passed(&repository);
    assert!(said.contains("comments in them silence 1"), "{said}");
    repository.place.write("other.sh", "sudo pip install six # venv-doctor: ignore[global-install]\n");
    let said = passed(&repository);
    assert!(said.contains("without a reason"), "{said}");
    repository.place.write("setup.ps1", "py -3.11 -m pip install six\npip install six\n");
    repository.place.write(
        "noxfile.py",
        "def a(session):\n    session.run('sudo', 'pip', 'install', 'six', external=True)\n",
    );
    repository.place.write("tox.ini", "[testenv]\ncommands = pip install six\n");
    repository.place.write("docs/index.rst", ".. code-block:: sh\n\n   sudo pip install six\n");
    repository.place.write("justfile", "a:\n    sudo pip install six\n");
    let said = refused(
        &repository,
        &[
            "setup.ps1, line 1",
            "noxfile.py, line 2 runs `sudo pip install six`",
            "docs/index.rst, line 3",
            "justfile, line 2",
        ],
    );
    assert!(!said.contains("setup.ps1, line 2") && !said.contains("tox.ini, line"), "{said}");
    repository.bash("git reset -q && rm setup.ps1 noxfile.py tox.ini docs/index.rst justfile");
    // what is not part of a commit is not its affair
    repository.place.write("third.sh", "pip install --user six\n");
    let output = repository.bash("git reset -q && git commit --allow-empty -m x");
    assert!(output.status.success(), "{}", text(&output.stderr));
}

fn commit_of_an_environment() {
    let mut repository = Repository::with_hooks("system");
    let venv = repository.venv();
    repository.place.activate(&venv);
    let python = venv.join("bin/python");
    let other = repository.place.project.join("tools/env");
    run(Command::new(python).args(["-m", "venv", "--without-pip"]).arg(&other));
    let _ = fs::remove_file(other.join(".gitignore"));
    refused(&repository, &["versioned-environment", "tools/env", "/tools/env/", ".gitignore"]);
    repository.bash("git rm -r -q --cached tools/env && echo /tools/env/ >> .gitignore");
    passed(&repository);
}

fn try_repo() {
    let repository = Repository::new();
    let source = Repository::new();
    source.place.write(".pre-commit-hooks.yaml", &hooks("system"));
    source.bash("git add -A && git commit -q -m x");
    let line = format!(
        "git add -A && {} try-repo {} venv-doctor --all-files",
        pre_commit().unwrap().display(),
        source.place.project.display()
    );
    let output = repository.bash(&line);
    let said = text(&output.stdout);
    assert!(!output.status.success() && said.contains("global-install"), "{said}{}", text(&output.stderr));
}

fn odd_files() {
    let mut repository = Repository::new();
    let venv = repository.venv();
    repository.place.activate(&venv);
    let sudo = "sudo pip install six\n";
    let names: [&[u8]; 4] = [b"a\nb.sh", b"a::error::b.sh", b"a%0A.sh", b"caf\xe9.sh"];
    for name in names {
        fs::write(repository.place.project.join(std::ffi::OsStr::from_bytes(name)), sudo).unwrap();
    }
    fs::write(repository.place.project.join("binary.sh"), b"sudo pip install x\0\xff").unwrap();
    fs::write(repository.place.project.join("latin.sh"), b"# caf\xe9\nsudo pip install caf\xe9\n").unwrap();
    fs::File::create(repository.place.project.join("huge.sh")).unwrap().set_len(1 << 30).unwrap();
    run(Command::new("mkfifo").arg(repository.place.project.join("fifo.sh")));
    std::os::unix::fs::symlink("latin.sh", repository.place.project.join("link.sh")).unwrap();
    let output = repository.bash(&format!(
        "git add -A -- ':!huge.sh' ':!fifo.sh'; {} hook --format json",
        env!("CARGO_BIN_EXE_venv-doctor")
    ));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = report["findings"].as_array().unwrap();
    assert_eq!(found.len(), 5, "{report:#}");
    assert_eq!(output.status.code(), Some(1));
    // named, and partly gone or no files at all
    let names = ["hook", "huge.sh", "fifo.sh", "link.sh", "gone.sh", "binary.sh", ".", "../x.sh"];
    let started = Instant::now();
    let (status, said) = repository.doctor(&names);
    assert_eq!(status, Some(0), "{said}");
    assert!(started.elapsed().as_secs() < 5);
    let (status, said) = repository.doctor(&["hook", "-v", "huge.sh"]);
    assert!(status == Some(0) && said.contains("huge.sh was not read"), "{said}");
    let (status, said) = repository.doctor(&["hook", "latin.sh"]);
    assert!(status == Some(1) && said.contains("latin.sh, line 2"), "{said}");
    // deleted and renamed in the commit
    repository.bash("git commit -q -m x; git rm -q latin.sh; git mv binary.sh other.sh");
    let (status, said) = repository.doctor(&["hook", "latin.sh", "binary.sh", "other.sh"]);
    assert_eq!(status, Some(0), "{said}");
    // a reader that has had enough
    let output = repository
        .bash(&format!("{} hook 2>&1 | true; echo ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_venv-doctor")));
    assert_eq!(text(&output.stdout).trim(), "1");
}

fn odd_repositories() {
    let mut repository = Repository::new();
    let venv = repository.venv();
    repository.place.activate(&venv);
    let (status, said) = repository.doctor(&["hook"]);
    assert_eq!(status, Some(0), "without commits and index: {said}");
    repository.place.write("a.sh", "sudo pip install six\n");
    repository.bash("git add -A && git commit -q -m x && git worktree add -q ../tree && git clone -q --bare . ../bare.git");
    let root = repository.place.root();
    let doctor = |directory: &Path, arguments: &[&str]| {
        let output = repository.place.doctor_in(directory, arguments);
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let (status, said) = doctor(&root.join("tree"), &["hook"]);
    assert!(status == Some(1) && said.contains("a.sh, line 1"), "{said}");
    repository.bash("git -c protocol.file.allow=always submodule --quiet add ../bare.git sub");
    let (status, said) = doctor(&repository.place.project.join("sub"), &["hook"]);
    assert!(status == Some(1) && said.contains("a.sh, line 1"), "{said}");
    let (status, said) = doctor(&root.join("bare.git"), &["hook"]);
    assert!(status == Some(2) && said.contains("without a work tree"), "{said}");
    let (status, said) = doctor(&root.join("home"), &["hook"]);
    assert!(status == Some(2) && said.contains("no git repository"), "{said}");
    let (status, said) = doctor(&root.join("home"), &["hook", "--warn-only"]);
    assert!(status == Some(0) && said.contains("no git repository"), "{said}");
    fs::write(repository.place.project.join(".git/index"), "DIRC broken").unwrap();
    let (status, said) = repository.doctor(&["hook", "-v", "a.sh"]);
    assert!(status == Some(1) && said.contains("damaged"), "{said}");
}

/// As users get it: from a clone, compiled by pre-commit. Prints how long each step takes.
fn built_by_pre_commit() {
    let mut repository = Repository::new();
    let cache = repository.place.root().join("cache");
    repository.place.set("PRE_COMMIT_HOME", cache.to_str().unwrap());
    let cargo = PathBuf::from(env!("CARGO")).parent().unwrap().display().to_string();
    repository.place.set("PATH", format!("{cargo}:/usr/local/bin:/usr/bin:/bin"));
    let root = env!("CARGO_MANIFEST_DIR");
    repository.bash(&format!("git clone -q {root} ../clone"));
    let revision = text(&repository.bash("git -C ../clone rev-parse HEAD").stdout);
    repository.place.write(
        ".pre-commit-config.yaml",
        &format!(
            "repos:\n  - repo: ../clone\n    rev: {}\n    hooks:\n      - id: venv-doctor\n",
            revision.trim()
        ),
    );
    let program = pre_commit().unwrap().display();
    let started = Instant::now();
    let output = repository.bash(&format!("git add -A && {program} install --install-hooks"));
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    println!("pre-commit built the hook in {:.0} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    let (committed, said) = repository.commit();
    println!("git commit, hook and all: {:.0} ms", started.elapsed().as_secs_f64() * 1000.0);
    assert!(!committed && said.contains("global-install"), "{said}");
    let venv = repository.venv();
    repository.place.activate(&venv);
    let path = format!("{}/bin:{cargo}:/usr/local/bin:/usr/bin:/bin", venv.display());
    repository.place.set("PATH", path);
    let (committed, said) = repository.commit();
    assert!(committed, "{said}");
    let doctor = find(&cache, "venv-doctor").expect("the built program");
    let mut times: Vec<f64> = (0..20)
        .map(|_| {
            let started = Instant::now();
            let mut command = Command::new(&doctor);
            command.arg("hook").arg("requirements.txt").current_dir(&repository.place.project);
            command.env_clear().envs(&repository.place.variables).stdout(Stdio::null()).status().unwrap();
            started.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("venv-doctor hook: {:.1} ms (median of 20), {:.1} ms (best)", times[10], times[0]);
}

fn find(directory: &Path, name: &str) -> Option<PathBuf> {
    for entry in fs::read_dir(directory).ok()?.flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            if let Some(found) = find(&path, name) {
                return Some(found);
            }
        } else if entry.file_name() == name && path.parent().is_some_and(|parent| parent.ends_with("bin")) {
            return Some(path);
        }
    }
    None
}
