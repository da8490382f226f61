//! Directories that scripts are started from: what `import` finds there before anything else.

use std::collections::BTreeSet;

use super::is_identifier;
use crate::facts::distribution::TopLevelKind;
use crate::facts::import_setup::{LocalModule, OrphanBytecode, ScriptDirectory};
use crate::facts::project::{ImportedModule, Project};
use crate::host::{Entry, FileKind, Files};
use crate::parse::{names, python_source};
use crate::path::HostPath;

/// So many directories are looked into, so many files of one are read, and so much of each.
const MOST_DIRECTORIES: usize = 6;
const MOST_FILES: usize = 40;
const FILE_LIMIT: usize = 32 * 1024;
const MOST_IMPORTS: usize = 400;

/// The working directory, the project's root, and the directories of its scripts. One that is itself a package, a
/// standard library or a place of installed packages is none that scripts are started from.
pub fn script_directories(
    files: &dyn Files,
    directory: Option<&HostPath>,
    project: &Project,
) -> Vec<ScriptDirectory> {
    let mut wanted: Vec<HostPath> = Vec::new();
    let scripts = project.scripts.iter().filter_map(|script| script.path.parent());
    for place in directory.cloned().into_iter().chain(project.root.clone()).chain(scripts) {
        if !wanted.iter().any(|known| known.same_as(&place)) {
            wanted.push(place);
        }
    }
    wanted.into_iter().take(MOST_DIRECTORIES).filter_map(|it| script_directory(files, it)).collect()
}

fn script_directory(files: &dyn Files, directory: HostPath) -> Option<ScriptDirectory> {
    let installed = directory.components().any(|name| {
        matches!(name, b"site-packages" | b"dist-packages" | b"__pycache__" | b"bin" | b"Scripts")
    });
    if installed && directory.ancestors().any(|above| is_environment(files, &above)) {
        return None;
    }
    let listing = files.list(&directory).ok()?;
    let has = |name: &[u8]| listing.entries.iter().any(|entry| entry.name == name);
    if has(b"__init__.py") || (has(b"os.py") && has(b"site.py")) {
        return None;
    }
    let modules = modules(files, &directory, &listing.entries);
    Some(ScriptDirectory {
        bytecode: bytecode(files, &directory, &listing.entries, &modules),
        imports: imports(files, &modules),
        distributions: listing
            .entries
            .iter()
            .filter_map(|entry| names::parse_name(&entry.name))
            .map(|found| found.normalized)
            .collect(),
        modules,
        directory,
    })
}

fn is_environment(files: &dyn Files, directory: &HostPath) -> bool {
    files.exists(&directory.join("pyvenv.cfg")) || files.is_directory(&directory.join("conda-meta"))
}

fn modules(files: &dyn Files, directory: &HostPath, entries: &[Entry]) -> Vec<LocalModule> {
    let mut found = Vec::new();
    for entry in entries {
        let Ok(name) = std::str::from_utf8(&entry.name) else { continue };
        let path = directory.join(&entry.name);
        let (stem, kind) = match name.split_once('.') {
            None => {
                let is_package = is_identifier(name) && files.is_file(&path.join("__init__.py"));
                if !is_package {
                    continue;
                }
                (name, TopLevelKind::Package)
            }
            Some((stem, "py")) => (stem, TopLevelKind::Source),
            Some((stem, rest)) if rest.ends_with("so") || rest.ends_with("pyd") => {
                (stem, TopLevelKind::Extension)
            }
            Some(_) => continue,
        };
        let a_file = kind == TopLevelKind::Package || entry.kind != FileKind::Directory;
        if is_identifier(stem) && a_file {
            found.push(LocalModule { name: stem.to_owned(), path, kind });
        }
    }
    found
}

/// Bytecode that `import` would take: nothing of the same name comes before it.
fn bytecode(
    files: &dyn Files,
    directory: &HostPath,
    entries: &[Entry],
    modules: &[LocalModule],
) -> Vec<OrphanBytecode> {
    let among_sources = modules.iter().any(|module| module.kind == TopLevelKind::Source);
    let mut found = Vec::new();
    for entry in entries.iter().filter(|entry| entry.kind != FileKind::Directory) {
        let Some(name) = entry.name.strip_suffix(b".pyc").and_then(|name| std::str::from_utf8(name).ok())
        else {
            continue;
        };
        if !is_identifier(name) || modules.iter().any(|module| module.name == name) {
            continue;
        }
        let path = directory.join(&entry.name);
        let magic = files
            .read(&path, 4)
            .ok()
            .and_then(|contents| Some(u16::from_le_bytes(contents.bytes.get(..2)?.try_into().ok()?)));
        found.push(OrphanBytecode { name: name.to_owned(), path, magic, among_sources });
    }
    found
}

/// What the directory's files import, each module once per file.
fn imports(files: &dyn Files, modules: &[LocalModule]) -> Vec<ImportedModule> {
    let mut found = Vec::new();
    let sources = modules.iter().filter(|module| module.kind == TopLevelKind::Source);
    for source in sources.take(MOST_FILES) {
        let Ok(contents) = files.read(&source.path, FILE_LIMIT) else { continue };
        let mut seen = BTreeSet::new();
        let Some(text) = python_source::decoded(&contents.bytes) else { continue };
        for (line, name) in python_source::imported_modules(&text) {
            if seen.insert(name.clone()) && found.len() < MOST_IMPORTS {
                found.push(ImportedModule { name, file: source.path.clone(), line });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::fake::FakeMachine;

    fn here(machine: &FakeMachine, directory: &str) -> Vec<ScriptDirectory> {
        script_directories(machine, Some(&HostPath::posix(directory)), &Project::default())
    }

    #[test]
    fn finds_what_import_finds_first() {
        let machine = FakeMachine::linux()
            .file("/p/random.py", "import random\n")
            .file("/p/pkg/__init__.py", "")
            .file("/p/space/x.py", "")
            .file("/p/fast.cpython-311-x86_64-linux-gnu.so", "")
            .file("/p/utils.pyc", [3, 243, 13, 10])
            .file("/p/random.pyc", [3, 243, 13, 10]);
        let found = here(&machine, "/p");
        let names: Vec<&str> = found[0].modules.iter().map(|module| module.name.as_str()).collect();
        assert_eq!(names, ["fast", "pkg", "random"]);
        assert_eq!(found[0].imports[0].name, "random");
        let [orphan] = &found[0].bytecode[..] else { panic!("{:?}", found[0].bytecode) };
        assert_eq!((orphan.name.as_str(), orphan.magic), ("utils", Some(62211)));
        assert!(orphan.among_sources);
    }

    #[test]
    fn packages_and_libraries_are_no_script_directories() {
        let machine = FakeMachine::linux()
            .file("/p/pkg/__init__.py", "")
            .file("/usr/lib/python3.11/os.py", "")
            .file("/usr/lib/python3.11/site.py", "")
            .file("/v/pyvenv.cfg", "")
            .file("/v/lib/python3.11/site-packages/six.py", "");
        for directory in ["/p/pkg", "/usr/lib/python3.11", "/v/lib/python3.11/site-packages"] {
            assert!(here(&machine, directory).is_empty(), "{directory}");
        }
    }
}
