//! However large, deep or strange what lies there is: the doctor answers in bounded time and memory, and says what it
//! did not look at whole. `VENV_DOCTOR_FULL=1` runs the full sizes.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code
)]

mod support;

use std::fs;
use std::io::{BufWriter, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use support::reliability::{attempt, ran};
use support::{Place, Python, full, run, text};

const MEMORY_LIMIT_KIB: u64 = 64 * 1024;
const TIME_LIMIT: Duration = Duration::from_secs(30);

struct Sick {
    place: Place,
    venv: PathBuf,
    python: Python,
}

/// How a run went.
struct Run {
    status: i32,
    said: String,
    peak_kib: u64,
}

impl Sick {
    /// A healthy venv, active, with one distribution.
    fn new() -> Sick {
        let (place, venv, python) = Place::with_sample();
        Sick { place, venv, python }
    }

    fn site_packages(&self) -> PathBuf {
        self.python.site_packages(&self.venv)
    }

    fn metadata(&self) -> PathBuf {
        self.site_packages().join("sample-1.0.dist-info")
    }

    /// Runs the doctor below a Python that reports its peak memory.
    fn run(&self, arguments: &[&str]) -> Run {
        ran(1);
        let started = Instant::now();
        let measure = "import resource, subprocess, sys\n\
            status = subprocess.call(sys.argv[1:])\n\
            print('\\npeak %d' % resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n\
            sys.exit(status)";
        let output = Command::new(&self.python.path)
            .args(["-I", "-S", "-c", measure, env!("CARGO_BIN_EXE_venv-doctor")])
            .args(arguments)
            .current_dir(&self.place.project)
            .env_clear()
            .envs(&self.place.variables)
            .output()
            .unwrap();
        assert!(started.elapsed() < TIME_LIMIT, "{arguments:?} took {:?}", started.elapsed());
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        let peak = said.lines().find_map(|line| line.strip_prefix("peak ")?.parse().ok());
        Run { status: output.status.code().unwrap_or(-1), peak_kib: peak.unwrap(), said }
    }

    /// Every subcommand stays within its bounds; what the default run says.
    fn bounded(&self) -> String {
        let mut said = String::new();
        for arguments in
            [&["-v", "--no-exec"][..], &["--timeout", "2"], &["path", "--timeout", "2"], &["why", "sample"]]
        {
            let run = self.run(arguments);
            assert!((0..=2).contains(&run.status), "{arguments:?}: {}", run.said);
            assert!(!run.said.contains("panicked"), "{arguments:?}: {}", run.said);
            assert!(run.peak_kib <= MEMORY_LIMIT_KIB, "{arguments:?} took {} KiB", run.peak_kib);
            said.push_str(&run.said);
        }
        // the lines of a page may break anywhere
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// A file of this size without a block on the disk.
fn sparse(path: &Path, size: u64) {
    let _ = fs::remove_file(path);
    fs::File::create(path).unwrap().set_len(size).unwrap();
}

fn fill(path: &Path, lines: usize, line: impl Fn(usize) -> String) {
    let mut file = BufWriter::new(fs::File::create(path).unwrap());
    for number in 0..lines {
        file.write_all(line(number).as_bytes()).unwrap();
    }
    file.flush().unwrap();
}

const TEN_GIB: u64 = 10 << 30;

/// Every file that is read, by its place in the project or the environment.
fn read_files(sick: &Sick) -> Vec<PathBuf> {
    let project = &sick.place.project;
    let home = sick.place.root().join("home");
    [
        sick.metadata().join("METADATA"),
        sick.metadata().join("RECORD"),
        sick.metadata().join("INSTALLER"),
        sick.metadata().join("direct_url.json"),
        sick.metadata().join("entry_points.txt"),
        sick.metadata().join("WHEEL"),
        sick.metadata().join("top_level.txt"),
        sick.site_packages().join("some.pth"),
        sick.site_packages().join("some.egg-link"),
        sick.site_packages().join("extension.so"),
        sick.venv.join("pyvenv.cfg"),
        sick.venv.join("bin/activate"),
        sick.venv.join("bin/sample"),
        project.join("requirements.txt"),
        project.join("pyproject.toml"),
        project.join("setup.cfg"),
        project.join("setup.py"),
        project.join("Pipfile"),
        project.join("uv.lock"),
        project.join(".python-version"),
        project.join("app.py"),
        project.join("Makefile"),
        project.join("Dockerfile"),
        project.join(".vscode/settings.json"),
        project.join(".git/index"),
        project.join(".git/HEAD"),
        project.join(".git/config"),
        home.join(".bashrc"),
        home.join(".config/pip/pip.conf"),
        home.join(".local/share/jupyter/kernels/python3/kernel.json"),
    ]
    .into_iter()
    .inspect(|path| fs::create_dir_all(path.parent().unwrap()).unwrap())
    .collect()
}

fn each_file(replace: impl Fn(&Path)) {
    let sick = Sick::new();
    for path in read_files(&sick) {
        let before = fs::read(&path).ok();
        let _ = fs::remove_file(&path);
        replace(&path);
        let run = sick.run(&["--no-exec"]);
        assert!((0..=2).contains(&run.status) && !run.said.contains("panicked"), "{path:?}: {}", run.said);
        assert!(run.peak_kib <= MEMORY_LIMIT_KIB, "{path:?} took {} KiB", run.peak_kib);
        fs::remove_file(&path).unwrap();
        if let Some(content) = before {
            fs::write(&path, content).unwrap();
        }
    }
}

#[test]
fn every_file_of_ten_gibibytes() {
    let _tried = attempt("Bounds", "every_file_of_ten_gibibytes");
    each_file(|path| sparse(path, TEN_GIB));
}

#[test]
fn every_file_a_link_to_zeros_without_end() {
    let _tried = attempt("Bounds", "every_file_a_link_to_zeros_without_end");
    each_file(|path| symlink("/dev/zero", path).unwrap());
}

#[test]
fn every_file_a_fifo() {
    let _tried = attempt("Bounds", "every_file_a_fifo");
    each_file(|path| run(Command::new("mkfifo").arg(path)));
}

#[test]
fn every_file_a_socket() {
    let _tried = attempt("Bounds", "every_file_a_socket");
    // a socket's name may be 107 bytes long
    let near = tempfile::Builder::new().prefix("s").tempdir().unwrap();
    let socket = near.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    each_file(|path| symlink(&socket, path).unwrap());
}

#[test]
fn every_file_a_loop() {
    let _tried = attempt("Bounds", "every_file_a_loop");
    each_file(|path| symlink(path.file_name().unwrap(), path).unwrap());
}

#[test]
fn every_file_one_line_of_text_without_end() {
    let _tried = attempt("Bounds", "every_file_one_line_of_text_without_end");
    let long = tempfile::NamedTempFile::new().unwrap();
    fill(long.path(), 40, |_| "x = ".repeat(1 << 18));
    each_file(|path| symlink(long.path(), path).unwrap());
}

#[test]
fn metadata_of_ten_gibibytes_after_its_headers() {
    let _tried = attempt("Bounds", "metadata_of_ten_gibibytes_after_its_headers");
    let sick = Sick::new();
    let metadata = sick.metadata().join("METADATA");
    fs::OpenOptions::new().append(true).open(&metadata).unwrap().set_len(TEN_GIB).unwrap();
    sick.bounded();
}

#[test]
fn a_record_of_five_million_lines() {
    let _tried = attempt("Bounds", "a_record_of_five_million_lines");
    let sick = Sick::new();
    let lines = if full() { 5_000_000 } else { 1_000_000 };
    fill(&sick.metadata().join("RECORD"), lines, |number| {
        format!("sample/file{number}.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n")
    });
    let said = sick.bounded();
    assert!(said.contains("RECORD"), "what was cut off is said: {said}");
}

#[test]
fn a_directory_of_very_many_entries() {
    let _tried = attempt("Bounds", "a_directory_of_very_many_entries");
    let sick = Sick::new();
    let entries = if full() { 1_000_000 } else { 120_000 };
    for number in 0..entries {
        fs::File::create(sick.venv.join("bin").join(format!("entry{number}"))).unwrap();
    }
    let said = sick.bounded();
    assert!(said.contains("only the first 100000 entries of"), "{said}");
}

#[test]
fn very_many_distributions() {
    let _tried = attempt("Bounds", "very_many_distributions");
    let sick = Sick::new();
    let distributions = if full() { 100_000 } else { 3_000 };
    for number in 0..distributions {
        let metadata = sick.site_packages().join(format!("d{number}-1.0.dist-info"));
        fs::create_dir(&metadata).unwrap();
        let needs = number / 2;
        fs::write(
            metadata.join("METADATA"),
            format!("Metadata-Version: 2.1\nName: d{number}\nVersion: 1.0\nRequires-Dist: d{needs}\n"),
        )
        .unwrap();
    }
    sick.bounded();
}

#[test]
fn a_farm_of_links_that_loop() {
    let _tried = attempt("Bounds", "a_farm_of_links_that_loop");
    let sick = Sick::new();
    for number in 0..200 {
        let directory = sick.site_packages().join(format!("farm{number}"));
        fs::create_dir(&directory).unwrap();
        for other in 0..20 {
            symlink(format!("../farm{}", (number + other) % 200), directory.join(format!("to{other}")))
                .unwrap();
            symlink("..", directory.join(format!("up{other}"))).unwrap();
        }
    }
    for number in 0..50 {
        symlink(format!("chain{}", number + 1), sick.venv.join("bin").join(format!("chain{number}")))
            .unwrap();
        symlink("..", sick.place.project.join(format!("up{number}"))).unwrap();
    }
    sick.bounded();
}

#[test]
fn a_deep_tree() {
    let _tried = attempt("Bounds", "a_deep_tree");
    let sick = Sick::new();
    let mut deep = sick.place.project.clone();
    for _ in 0..900 {
        deep.push("d");
    }
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("app.py"), "import sample\n").unwrap();
    sick.bounded();
}

#[test]
fn deeply_nested_text() {
    let _tried = attempt("Bounds", "deeply_nested_text");
    let sick = Sick::new();
    let nested = |open: &str, close: &str| format!("{}{}", open.repeat(200_000), close.repeat(200_000));
    sick.place.write("app.py", &format!("x = {}\n", nested("(", ")")));
    sick.place.write("deep.py", &format!("x = {}1\n", "-".repeat(200_000)));
    sick.place.write("pyproject.toml", &format!("x = {}\n", nested("[", "]")));
    sick.place.write(".vscode/settings.json", &nested("{\"a\":", "}"));
    sick.place.write("requirements.txt", &format!("sample; {}\n", nested("(", ")")));
    fs::write(sick.metadata().join("direct_url.json"), nested("[", "]")).unwrap();
    fs::write(
        sick.metadata().join("METADATA"),
        format!(
            "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\nRequires-Dist: a; {} python_version > '3' {}\n",
            "(".repeat(100_000),
            ")".repeat(100_000)
        ),
    )
    .unwrap();
    sick.bounded();
}

#[test]
fn requirements_that_include_each_other() {
    let _tried = attempt("Bounds", "requirements_that_include_each_other");
    let sick = Sick::new();
    for number in 0..100 {
        let text: String = (0..100).map(|other| format!("-r r{other}.txt\n-c r{other}.txt\n")).collect();
        sick.place.write(&format!("r{number}.txt"), &text);
    }
    sick.place.write("requirements.txt", "-r r0.txt\n-r requirements.txt\n");
    sick.bounded();
}

#[test]
fn a_traceback_without_end() {
    let _tried = attempt("Bounds", "a_traceback_without_end");
    let sick = Sick::new();
    let output = sick.place.bash(&format!(
        "yes 'Traceback (most recent call last):' | head -c 200000000 | '{}' why -; echo \"status $?\"",
        env!("CARGO_BIN_EXE_venv-doctor")
    ));
    assert!(text(&output.stdout).contains("status 2"), "{}{}", text(&output.stdout), text(&output.stderr));
}

/// A library that makes every look at a name with `hangs-here` in it wait for ever, as a dead mount does.
fn preload(place: &Place) -> PathBuf {
    let source = place.root().join("hang.c");
    let library = place.root().join("hang.so");
    fs::write(
        &source,
        "#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <string.h>\n#include <unistd.h>\n#include <sys/stat.h>\n\
         static void look(const char *p) { if (p && strstr(p, \"hangs-here\")) for (;;) pause(); }\n\
         int statx(int d, const char *p, int f, unsigned m, struct statx *b) {\n\
         look(p); return ((int (*)(int, const char *, int, unsigned, struct statx *))dlsym(RTLD_NEXT, \"statx\"))(d, p, f, m, b); }\n",
    )
    .unwrap();
    run(Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl"));
    library
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "a release has the C library in it: nothing can be put before it")]
fn a_mount_that_never_answers() {
    let _tried = attempt("Bounds", "a_mount_that_never_answers");
    let mut sick = Sick::new();
    let library = preload(&sick.place);
    let path = format!("/hangs-here/bin:{}", sick.place.variables["PATH"]);
    sick.place.set("PATH", path);
    let started = Instant::now();
    let output = sick.place.bash(&format!(
        "LD_PRELOAD='{}' '{}' --timeout 0.1; echo \"status $?\"",
        library.display(),
        env!("CARGO_BIN_EXE_venv-doctor")
    ));
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    assert!(text(&output.stdout).contains("status 2"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("did not answer"), "{}", text(&output.stderr));
}
