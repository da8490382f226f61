//! The book that the tests keep of what they tried: an entry per attempt, from which `tests/reliability.rs` makes
//! the table of `docs/reliability.md`.

use std::fs;
use std::path::{Path, PathBuf};

/// Something that is being tried. It enters the book when it goes out of scope without a panic.
pub struct Attempt {
    line: &'static str,
    name: String,
    cases: usize,
}

/// One attempt, under a line of the table.
pub fn attempt(line: &'static str, name: impl Into<String>) -> Attempt {
    Attempt { line, name: name.into().replace('_', " "), cases: 1 }
}

impl Attempt {
    /// How many different inputs it was made with: the same number on every machine.
    pub fn of(mut self, cases: usize) -> Attempt {
        self.cases = cases;
        self
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let directory = book();
        fs::create_dir_all(&directory).unwrap();
        let file = format!("{}-{}", self.line, self.name).replace([' ', '/'], "-");
        fs::write(directory.join(file), format!("{}\t{}\t{}\n", self.line, self.name, self.cases)).unwrap();
    }
}

/// Where the entries lie.
pub fn book() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("reliability")
}
