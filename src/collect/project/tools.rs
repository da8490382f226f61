//! Tools that the project runs over its code, by the files that are there for them.

use crate::facts::project::Declared;
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

/// The tools, each once, with what shows it.
pub fn tools(files: &dyn Files, root: &HostPath, listing: &Listing) -> Vec<Declared> {
    let mut found: Vec<Declared> = Vec::new();
    let mut add = |tool: &str, file: HostPath, line: Option<usize>| {
        if !found.iter().any(|known| known.text == tool) {
            found.push(Declared { text: tool.to_owned(), file, line });
        }
    };
    for entry in listing.entries.iter().filter(|entry| entry.kind != FileKind::Directory) {
        let file = root.join(&entry.name);
        if let Some((_, tool)) = CONFIGURATIONS.iter().find(|(name, _)| *name == entry.name) {
            add(tool, file.clone(), None);
        }
        if is_test(&entry.name) {
            let text = files.text(&file).unwrap_or_default();
            // unittest's files have the same names
            if !text.contains("unittest") {
                add("pytest", file.clone(), None);
            }
        }
        if matches!(entry.name.as_slice(), b"pyproject.toml" | b"setup.cfg" | b"tox.ini") {
            let text = files.text(&file).unwrap_or_default();
            for (number, line) in (1..).zip(text.lines()) {
                if let Some((_, tool)) = SECTIONS.iter().find(|(section, _)| line.trim().starts_with(section))
                {
                    add(tool, file.clone(), Some(number));
                }
            }
        }
    }
    found
}

/// pytest's own `python_files`: `test_*.py` and `*_test.py`.
fn is_test(name: &[u8]) -> bool {
    name.strip_suffix(b".py").is_some_and(|stem| stem.starts_with(b"test_") || stem.ends_with(b"_test"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::fake::FakeMachine;

    fn tools_of(machine: &FakeMachine) -> Vec<(String, Option<usize>)> {
        let root = HostPath::posix("/p");
        let listing = machine.list(&root).unwrap();
        tools(machine, &root, &listing).into_iter().map(|tool| (tool.text, tool.line)).collect()
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
