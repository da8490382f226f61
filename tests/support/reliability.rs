//! The figures of `docs/reliability.md`, each proved by the test that makes it.
//!
//! A test says what it tries ([`attempt`]), counts the runs of the program that it makes ([`ran`]), and compares
//! the count with its row of the page when it ends: a figure that is out of date fails there, in whatever order and
//! company the tests run. Where `VENV_DOCTOR_RECORD` is set, the counts are kept instead, and `tests/reliability.rs`
//! writes the page from them.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

/// How to make the page anew.
pub const RECORD: &str = "VENV_DOCTOR_RECORD=1 cargo test --test trust --test injection --test secrets --test bad_input --test bounds --test faults --test properties --test quoting && VENV_DOCTOR_RECORD=1 cargo test --test reliability";

/// What the page is made of: a heading and what stands below it.
pub const SECTIONS: [Section; 8] = [
    Section {
        title: "Attacks",
        tests: "tests/trust",
        counted: "Runs of the program, each in a stranger's repository that leaves a mark when anything of it runs: every command of the list `COMMANDS`, with and without `--no-exec`; where one situation has several values of a variable, those commands that look at the machine. The last two rows are traced system call by system call.",
        happened: "Nothing of the repository ran, and no file was written or changed.",
    },
    Section {
        title: "Injection",
        tests: "tests/injection.rs",
        counted: "Runs of the program: every hostile text, in every field that a file, a name or a variable gives, in every format.",
        happened: "No control or bidirectional character reached the output, and no text made an annotation, a row or a key of its own.",
    },
    Section {
        title: "Secrets",
        tests: "tests/secrets.rs",
        counted: "Runs of the program in a project that holds a secret in every place where people put theirs: every command of the list `COMMANDS`.",
        happened: "The secret was never shown.",
    },
    Section {
        title: "Bad input",
        tests: "tests/bad_input.rs",
        counted: "Runs of the program on files, directories, interpreters and arguments that are broken in one way each.",
        happened: "Each run ended with a report or a message, and with the exit status of the contract.",
    },
    Section {
        title: "Bounds",
        tests: "tests/bounds.rs",
        counted: "Runs of the program on what is too large, too deep or without end. Without `VENV_DOCTOR_FULL=1` a RECORD has 1,000,000 lines, a directory 120,000 entries and an environment 3,000 distributions; with it, 5,000,000, 1,000,000 and 100,000.",
        happened: "Each run ended by itself within 30 seconds and 64 MiB of memory.",
    },
    Section {
        title: "Faults",
        tests: "tests/faults",
        counted: "Runs of the program while something fails below it: disks, clocks, limits, signals, homes, permissions.",
        happened: "Each run ended with a report or a message, or by the signal that it was sent; no process and no temporary file was left behind.",
    },
    Section {
        title: "Properties",
        tests: "tests/properties",
        counted: "Inputs made at random, the same ones on every run: no runs of the program, but calls of its parts, except in the row on the order of files.",
        happened: "No panic; lines that exist; what was written is read back; findings that cite what is there.",
    },
    Section {
        title: "Quoting",
        tests: "tests/quoting.rs",
        counted: "Words of any bytes but NUL, quoted for a shell and read by the real shell.",
        happened: "Every word arrived unchanged.",
    },
];

pub struct Section {
    pub title: &'static str,
    /// Where its tests lie.
    pub tests: &'static str,
    pub counted: &'static str,
    pub happened: &'static str,
}

thread_local! {
    static RUNS: Cell<usize> = const { Cell::new(0) };
    static LACKING: Cell<bool> = const { Cell::new(false) };
}

/// So many runs of the program were made by this test.
pub fn ran(times: usize) {
    RUNS.with(|runs| runs.set(runs.get() + times));
}

/// This machine lacks a part of what this test tries: its figure is neither compared nor kept.
pub fn lacks_a_part() {
    LACKING.with(|lacking| lacking.set(true));
}

/// Something that is being tried; it counts when it goes out of scope without a panic.
pub struct Attempt {
    section: &'static str,
    name: String,
    cases: Option<usize>,
}

/// One attempt, and its row under a heading of [`SECTIONS`]. What ran before on this thread doesn't count.
pub fn attempt(section: &'static str, name: impl Into<String>) -> Attempt {
    assert!(SECTIONS.iter().any(|known| known.title == section), "there is no section {section}");
    RUNS.with(|runs| runs.set(0));
    LACKING.with(|lacking| lacking.set(false));
    Attempt { section, name: name.into().replace('_', " "), cases: None }
}

impl Attempt {
    /// It was made with so many inputs, and the runs of the program don't count.
    pub fn of(mut self, cases: usize) -> Attempt {
        self.cases = Some(cases);
        self
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if std::thread::panicking() || LACKING.with(Cell::get) {
            return;
        }
        let (section, name) = (self.section, &self.name);
        let count = self.cases.unwrap_or_else(|| RUNS.with(Cell::get));
        assert!(count > 0, "{section}: {name} counts nothing");
        if recording() {
            fs::create_dir_all(book()).unwrap();
            let file = book().join(format!("{section}-{name}").replace([' ', '/'], "-"));
            fs::write(file, format!("{section}\t{name}\t{count}\n")).unwrap();
            return;
        }
        let page = fs::read_to_string(page()).unwrap_or_default();
        let documented = rows(&page, section).into_iter().find(|row| row.0 == *name).map(|row| row.1);
        assert_eq!(
            documented,
            Some(count),
            "docs/reliability.md is out of date under {section:?}: {name:?} counts {count}. Make it anew with\n    {RECORD}"
        );
    }
}

pub fn recording() -> bool {
    std::env::var_os("VENV_DOCTOR_RECORD").is_some()
}

pub fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reliability.md")
}

/// Where the counts are kept until the page is written.
pub fn book() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("reliability")
}

/// The rows of one section of the page: what was tried, and how often.
pub fn rows(page: &str, section: &str) -> Vec<(String, usize)> {
    let heading = format!("## {section}");
    page.lines()
        .skip_while(|line| **line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| {
            let (name, count) = line.strip_prefix("| ")?.strip_suffix(" |")?.rsplit_once(" | ")?;
            Some((name.to_owned(), count.parse().ok()?))
        })
        .collect()
}
