//! Tools that the project runs over its code, by the files that are there for them.

use crate::facts::project::Declared;
use crate::facts::requirement::DeclaredRequirement;
use crate::host::{FileKind, Files, Listing};
use crate::path::HostPath;

/// Files that only this tool reads.
const CONFIGURATIONS: &[(&[u8], &str)] = &[
    (b"pytest.ini", "pytest"),
    (b"conftest.py", "pytest"),
    (b"mypy.ini", "mypy"),
    (b".mypy.ini", "mypy"),
    (b".pylintrc", "pylint"),
    (b"pylintrc", "pylint"),
    (b".coveragerc", "coverage"),
    (b"alembic.ini", "alembic"),
];

/// Tables of `pyproject.toml` and sections of `setup.cfg` and `tox.ini`.
const SECTIONS: &[(&str, &str)] = &[
    ("[tool.pytest.ini_options]", "pytest"),
    ("[tool:pytest]", "pytest"),
    ("[pytest]", "pytest"),
    ("[tool.mypy]", "mypy"),
    ("[mypy]", "mypy"),
    ("[tool.coverage.", "coverage"),
    ("[coverage:", "coverage"),
    ("[tool.pylint", "pylint"),
];

/// Directories below the root that hold tests by convention.
const TEST_DIRECTORIES: [&[u8]; 2] = [b"tests", b"test"];

/// So many directories below those are looked into.
const BELOW: usize = 16;

/// So many test files below the root are read until one is pytest's.
const TESTS: usize = 16;

/// The tools, each once, with what shows it. `requirements` are what the project declares, which names a tool for
/// development where there is something to test.
pub fn tools(
    files: &dyn Files,
    root: &HostPath,
    listing: &Listing,
    requirements: &[DeclaredRequirement],
) -> Vec<Declared> {
    let mut found = Found { files, tools: Vec::new(), tests: 0 };
    for entry in listing.entries.iter().filter(|entry| entry.kind != FileKind::Directory) {
        let file = root.join(&entry.name);
        if let Some((_, tool)) = CONFIGURATIONS.iter().find(|(name, _)| *name == entry.name) {
            found.add(tool, file.clone(), None);
        }
        if is_test(&entry.name) {
            found.test(&file);
        }
        if matches!(entry.name.as_slice(), b"pyproject.toml" | b"setup.cfg" | b"tox.ini") {
            let text = files.text(&file).unwrap_or_default();
            for (number, line) in (1..).zip(text.lines()) {
                if let Some((_, tool)) = SECTIONS.iter().find(|(section, _)| line.trim().starts_with(section))
                {
                    found.add(tool, file.clone(), Some(number));
                }
            }
        }
    }
    if !found.has("pytest") {
        found.below(root, listing);
    }
    if !found.has("pytest") && found.tests > 0 {
        found.for_development(root, listing, requirements);
    }
    found.tools
}

struct Found<'a> {
    files: &'a dyn Files,
    tools: Vec<Declared>,
    /// How many test files were seen, whoever runs them.
    tests: usize,
}

impl Found<'_> {
    fn has(&self, tool: &str) -> bool {
        self.tools.iter().any(|known| known.text == tool)
    }

    fn add(&mut self, tool: &str, file: HostPath, line: Option<usize>) {
        if !self.has(tool) {
            self.tools.push(Declared { text: tool.to_owned(), file, line });
        }
    }

    fn test(&mut self, file: &HostPath) {
        self.tests += 1;
        if !self.has("pytest") && !is_unittest(&self.files.text(file).unwrap_or_default()) {
            self.add("pytest", file.clone(), None);
        }
    }

    /// Tests in `tests` and `test`, and in the directories of those.
    fn below(&mut self, root: &HostPath, listing: &Listing) {
        let mut waiting: Vec<HostPath> = directories(listing)
            .filter(|name| TEST_DIRECTORIES.contains(name))
            .map(|name| root.join(name))
            .collect();
        let mut deeper = Vec::new();
        for level in [true, false] {
            for directory in waiting.drain(..) {
                let Ok(listing) = self.files.list(&directory) else { continue };
                for entry in listing.entries.iter().filter(|entry| entry.kind != FileKind::Directory) {
                    if entry.name == b"conftest.py" {
                        self.add("pytest", directory.join(&entry.name), None);
                    }
                    if is_test(&entry.name) && self.tests < TESTS {
                        self.test(&directory.join(&entry.name));
                    }
                }
                if level {
                    deeper.extend(directories(&listing).take(BELOW).map(|name| directory.join(name)));
                }
            }
            if self.has("pytest") {
                return;
            }
            waiting = std::mem::take(&mut deeper);
        }
    }

    /// An extra, a group or a file of requirements for development names pytest, or a recipe of the Makefile runs it.
    fn for_development(&mut self, root: &HostPath, listing: &Listing, requirements: &[DeclaredRequirement]) {
        if let Some(named) = requirements.iter().find(|requirement| requirement.name == "pytest") {
            self.add("pytest", named.file.clone(), named.line);
            return;
        }
        let is_makefile = |name: &[u8]| matches!(name, b"Makefile" | b"makefile" | b"GNUmakefile");
        let Some(entry) = listing.entries.iter().find(|entry| is_makefile(&entry.name)) else { return };
        let file = root.join(&entry.name);
        let text = self.files.text(&file).unwrap_or_default();
        for (number, line) in (1..).zip(text.lines()) {
            let command = line.strip_prefix('\t').map(|recipe| recipe.trim_start_matches(['@', '-', ' ']));
            if command.and_then(|command| command.split_whitespace().next()) == Some("pytest") {
                self.add("pytest", file, Some(number));
                return;
            }
        }
    }
}

fn directories(listing: &Listing) -> impl Iterator<Item = &[u8]> {
    let directories = listing.entries.iter().filter(|entry| entry.kind == FileKind::Directory);
    directories.map(|entry| entry.name.as_slice())
}

/// pytest's own `python_files`: `test_*.py` and `*_test.py`.
fn is_test(name: &[u8]) -> bool {
    name.strip_suffix(b".py").is_some_and(|stem| stem.starts_with(b"test_") || stem.ends_with(b"_test"))
}

/// unittest's files have the same names; its mocks are pytest's, too.
fn is_unittest(text: &str) -> bool {
    let imports = |line: &str| line.contains("unittest") && !line.contains("mock");
    !text.contains("import pytest") && (text.contains("TestCase") || text.lines().any(imports))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::requirement::Purpose;
    use crate::host::fake::FakeMachine;

    fn tools_of(machine: &FakeMachine) -> Vec<(String, Option<usize>)> {
        let found = tools_with(machine, &[]);
        found.into_iter().map(|tool| (tool.text, tool.line)).collect()
    }

    fn tools_with(machine: &FakeMachine, requirements: &[DeclaredRequirement]) -> Vec<Declared> {
        let root = HostPath::posix("/p");
        let listing = machine.list(&root).unwrap();
        tools(machine, &root, &listing, requirements)
    }

    fn for_development() -> DeclaredRequirement {
        DeclaredRequirement {
            name: "pytest".into(),
            specifier: String::new(),
            marker: None,
            extras: Vec::new(),
            purpose: Purpose::Optional,
            source: None,
            file: HostPath::posix("/p/requirements-dev.txt"),
            line: Some(1),
        }
    }

    #[test]
    fn looks_into_the_directories_of_tests() {
        let places = |machine: FakeMachine| {
            tools_of(&machine).len() + 10 * tools_with(&machine, &[for_development()]).len()
        };
        let python = "import demo\ndef test_it(): pass\n";
        assert_eq!(places(FakeMachine::linux().file("/p/tests/test_a.py", python)), 11);
        assert_eq!(places(FakeMachine::linux().file("/p/test/unit/a_test.py", python)), 11);
        assert_eq!(places(FakeMachine::linux().file("/p/tests/conftest.py", "")), 11);
        assert_eq!(places(FakeMachine::linux().file("/p/docs/test_a.py", python)), 0);
        assert_eq!(places(FakeMachine::linux().file("/p/tests/helpers.py", python)), 0);
        let mocks = "from unittest import mock\ndef test_it(): pass\n";
        assert_eq!(places(FakeMachine::linux().file("/p/tests/test_a.py", mocks)), 11);
    }

    #[test]
    fn a_tool_for_development_counts_where_there_are_tests() {
        let unittest = "from unittest import TestCase\n";
        let machine = FakeMachine::linux().file("/p/tests/test_a.py", unittest);
        assert_eq!(tools_of(&machine), []);
        assert_eq!(tools_with(&machine, &[for_development()])[0].file.name(), "requirements-dev.txt");
        let machine = machine.file("/p/Makefile", "pytest: x\ntest:\n\t@pytest tests\n");
        assert_eq!(tools_of(&machine), [("pytest".into(), Some(3))]);
        let none = FakeMachine::linux().file("/p/Makefile", "test:\n\tpytest\n");
        assert_eq!(tools_with(&none, &[for_development()]), []);
    }

    #[test]
    fn by_files_and_by_sections() {
        let machine = FakeMachine::linux()
            .file("/p/test_it.py", "def test_it(): pass\n")
            .file("/p/setup.cfg", "[metadata]\n[mypy]\n");
        assert_eq!(tools_of(&machine), [("mypy".into(), Some(2)), ("pytest".into(), None)]);
    }

    #[test]
    fn unittest_is_not_pytest() {
        let machine =
            FakeMachine::linux().file("/p/test_it.py", "import unittest\n").file("/p/contest.py", "");
        assert_eq!(tools_of(&machine), []);
    }
}
