//! The project's own files that run or import: what interpreter they name and what they need.

use std::collections::BTreeSet;

use crate::facts::project::{ImportedModule, Project, ProjectScript, ScriptInterpreter};
use crate::facts::requirement::DeclaredRequirement;
use crate::host::{FileKind, Files, Listing};
use crate::imports::known_modules;
use crate::parse::names::normalize_name;
use crate::parse::python_source::imported_modules;
use crate::parse::shebang::is_python_name;
use crate::path::{HostPath, readable};

/// So many files are read for their imports, and so much of each.
const SOURCE_FILES: usize = 50;
const SOURCE_SIZE: usize = 256 << 10;

/// So many imported modules are kept, of the project and of a script.
const IMPORTS: usize = 1000;

/// So many files of a directory are asked for a `#!` line.
const SCRIPTS: usize = 200;

/// Enough for any `#!` line that a kernel takes.
const SHEBANG_SIZE: usize = 512;

/// Names that `import` finds in the project itself: files and directories beside its files and in `src`.
pub fn local_modules(
    files: &dyn Files,
    root: &HostPath,
    listing: &Listing,
    project: &Project,
) -> BTreeSet<String> {
    let mut names = module_names(listing);
    if names.contains("src") {
        names.extend(module_names(&files.list(&root.join("src")).unwrap_or_default()));
    }
    // wherever a package's sources lie, its import finds the project
    names.extend(project.name.as_ref().map(|name| normalize_name(name).replace('-', "_")));
    names
}

/// The requirements whose module is a file or a package directly in the root.
pub fn in_root(
    files: &dyn Files,
    root: &HostPath,
    listing: &Listing,
    requirements: &[DeclaredRequirement],
) -> Vec<String> {
    let has = |name: &str| listing.entries.iter().any(|entry| entry.name == name.as_bytes());
    let lies_there = |module: &str| {
        has(&format!("{module}.py")) || has(module) && files.is_file(&root.join(module).join("__init__.py"))
    };
    let names: BTreeSet<&String> = requirements.iter().map(|requirement| &requirement.name).collect();
    let found = names.into_iter().filter(|name| {
        lies_there(&name.replace('-', "_")) || known_modules::modules_of(name).any(lies_there)
    });
    found.cloned().collect()
}

fn module_names(listing: &Listing) -> BTreeSet<String> {
    let name = |name: &[u8]| readable(name).split('.').next().map(str::to_owned);
    let is_module =
        |name: &[u8]| [&b".py"[..], b".pyi", b".pyx", b".so", b".pyd"].iter().any(|end| name.ends_with(end));
    let found =
        listing.entries.iter().filter(|entry| entry.kind == FileKind::Directory || is_module(&entry.name));
    found.filter_map(|entry| name(&entry.name)).filter(|name| !name.is_empty()).collect()
}

/// What the Python files directly in the root import from elsewhere, each module once.
pub fn imports(
    files: &dyn Files,
    root: &HostPath,
    listing: &Listing,
    local: &BTreeSet<String>,
) -> Vec<ImportedModule> {
    let mut imports: Vec<ImportedModule> = Vec::new();
    // these run in environments that their tools make
    let of_tools = |name: &[u8]| matches!(name, b"setup.py" | b"noxfile.py" | b"conftest.py");
    let sources = listing.entries.iter().filter(|entry| {
        entry.kind != FileKind::Directory && entry.name.ends_with(b".py") && !of_tools(&entry.name)
    });
    for entry in sources.take(SOURCE_FILES) {
        let file = root.join(&entry.name);
        let Ok(contents) = files.read(&file, SOURCE_SIZE) else { continue };
        for (line, name) in imported_modules(&contents.text()) {
            if imports.len() < IMPORTS
                && !local.contains(&name)
                && !imports.iter().any(|known| known.name == name)
            {
                imports.push(ImportedModule { name, file: file.clone(), line });
            }
        }
    }
    imports
}

/// Executable files with a `#!` line for Python in the root, `bin` and `scripts`.
pub fn scripts(
    files: &dyn Files,
    root: &HostPath,
    listing: &Listing,
    local: &BTreeSet<String>,
) -> Vec<ProjectScript> {
    let mut scripts = scripts_in(files, root, listing, local);
    for name in ["bin", "scripts"] {
        if listing.entries.iter().any(|entry| entry.name == name.as_bytes()) {
            let directory = root.join(name);
            let Ok(listing) = files.list(&directory) else { continue };
            let mut local = local.clone();
            local.extend(module_names(&listing));
            scripts.extend(scripts_in(files, &directory, &listing, &local));
        }
    }
    scripts
}

fn scripts_in(
    files: &dyn Files,
    directory: &HostPath,
    listing: &Listing,
    local: &BTreeSet<String>,
) -> Vec<ProjectScript> {
    let mut scripts = Vec::new();
    let plain = listing.entries.iter().filter(|entry| matches!(entry.kind, FileKind::File | FileKind::Link));
    for entry in plain.take(SCRIPTS) {
        let path = directory.join(&entry.name);
        if !files.metadata(&path).is_ok_and(|metadata| metadata.mode & 0o111 != 0) {
            continue;
        }
        let Some(shebang) = shebang(files, &path) else { continue };
        let imports = imported_by(files, &path, local);
        let Shebang { line, interpreter, crlf } = shebang;
        scripts.push(ProjectScript { path, line, interpreter, crlf, imports });
    }
    scripts
}

/// What one file imports from elsewhere, each module once.
pub fn imported_by(files: &dyn Files, path: &HostPath, local: &BTreeSet<String>) -> Vec<String> {
    let text = files.read(path, SOURCE_SIZE).map(|contents| contents.text().into_owned()).unwrap_or_default();
    let mut imports: Vec<String> = Vec::new();
    for (_, name) in imported_modules(&text) {
        if imports.len() < IMPORTS && !local.contains(&name) && !imports.contains(&name) {
            imports.push(name);
        }
    }
    imports
}

pub struct Shebang {
    pub line: String,
    pub interpreter: ScriptInterpreter,
    pub crlf: bool,
}

/// The `#!` line of a file, where it names Python.
pub fn shebang(files: &dyn Files, path: &HostPath) -> Option<Shebang> {
    let contents = files.read(path, SHEBANG_SIZE).ok()?;
    let first = contents.bytes.split(|byte| *byte == b'\n').next()?;
    let command = first.strip_prefix(b"#!")?;
    let crlf = command.ends_with(b"\r");
    let line = readable(first.trim_ascii_end()).into_owned();
    let mut words =
        command.trim_ascii().split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    let mut program = words.next()?;
    if base_name(program) == b"env" {
        // `env -S NAME`, `env -i A=1 NAME`
        program = words.find(|word| !word.starts_with(b"-") && !word.contains(&b'='))?;
    }
    if !is_python_name(base_name(program)) {
        return None;
    }
    let interpreter = match HostPath::new(path.flavour(), program) {
        Some(interpreter) => ScriptInterpreter::Path(interpreter),
        // relative to whatever directory it is started in: no statement about an interpreter
        None if program.contains(&b'/') => return None,
        None => ScriptInterpreter::Env(readable(program).into_owned()),
    };
    Some(Shebang { line, interpreter, crlf })
}

fn base_name(program: &[u8]) -> &[u8] {
    program.rsplit(|byte| *byte == b'/').next().unwrap_or(program)
}
