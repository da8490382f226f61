//! What the project's sources import: its top-level scripts and its packages, read by a real parser.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::facts::project::Project;
use crate::facts::requirement::{Certainty, SourceImport, Sources};
use crate::host::{FileKind, Files, Listing};
use crate::parse::names::normalize_name;
use crate::parse::notebook::{self, Notebook};
use crate::parse::python_imports::{Import, Imports, LIMIT, STACK, imports};
use crate::parse::python_source::decoded;
use crate::path::{HostPath, readable};

/// So many files are read, up to [`LIMIT`] of each, and so much of all together.
const FILES: usize = 400;
const TOTAL: usize = 6 << 20;

/// So many directories are listed.
const DIRECTORIES: usize = 400;

/// Imports that are kept.
const IMPORTS: usize = 2000;

/// Directories that hold no code of the project's own, or code that runs elsewhere.
const PASSED_OVER: [&str; 31] = [
    "node_modules",
    "build",
    "dist",
    "__pycache__",
    "__pypackages__",
    "site-packages",
    "tests",
    "test",
    "testing",
    "docs",
    "doc",
    "examples",
    "example",
    "samples",
    "benchmarks",
    "benches",
    "fixtures",
    "testdata",
    "vendor",
    "_vendor",
    "third_party",
    "thirdparty",
    "extern",
    "external",
    "templates",
    "cookiecutter",
    "notebooks",
    "typings",
    "stubs",
    "venv",
    "env",
];

/// Where notebooks lie that are not at the root.
const NOTEBOOKS: &str = "notebooks";

/// So much of a notebook is read; pictures make them large.
const NOTEBOOK_LIMIT: usize = 2 << 20;

/// Files that tools run in environments of their own.
const OF_TOOLS: [&str; 8] = [
    "setup.py",
    "noxfile.py",
    "conftest.py",
    "fabfile.py",
    "tasks.py",
    "dodo.py",
    "conanfile.py",
    "sitecustomize.py",
];

/// Files of a package that something outside starts.
const STARTED: [&str; 8] =
    ["__init__.py", "__main__.py", "main.py", "cli.py", "app.py", "wsgi.py", "asgi.py", "settings.py"];

/// Reads the sources of a project.
pub fn sources(files: &dyn Files, project: &Project) -> Option<Sources> {
    let root = project.root.as_ref()?;
    let mut walk =
        Walk { files, project, found: Vec::new(), result: Sources::default(), own: BTreeSet::new() };
    walk.own.extend(project.name.as_ref().map(|name| normalize_name(name).replace('-', "_")));
    walk.directories(root);
    walk.neighbours(root);
    let Walk { found, mut result, own, .. } = walk;
    result.in_src.retain(|path| found.iter().any(|source| source.path.is_within(path)));
    result.pytest_adds_path = pytest_adds_path(files, root);
    let texts = read(files, &found);
    result.files = texts.len();
    result.left_out |= texts.len() < found.len();
    let parsed = parse(&texts);
    collect(project, &found, &parsed, &own, &mut result);
    result.own = own.into_iter().collect();
    Some(result)
}

/// A Python file, and the name that it is imported by.
struct Source {
    path: HostPath,
    dotted: String,
    is_package: bool,
    /// It is started, not only imported.
    starts: bool,
}

struct Walk<'a> {
    files: &'a dyn Files,
    project: &'a Project,
    found: Vec<Source>,
    result: Sources,
    own: BTreeSet<String>,
}

impl Walk<'_> {
    /// Breadth first, so that what lies near the root is read where not all can be.
    fn directories(&mut self, root: &HostPath) {
        let mut waiting: VecDeque<(HostPath, String, usize)> =
            VecDeque::from([(root.clone(), String::new(), 0)]);
        let mut listed = 0;
        while let Some((directory, package, depth)) = waiting.pop_front() {
            if listed == DIRECTORIES || self.found.len() >= FILES {
                self.result.left_out = true;
                break;
            }
            listed += 1;
            let listing = self.files.list(&directory).unwrap_or_default();
            self.own.extend(module_names(&listing));
            if depth > 0 && is_another_project(&listing) {
                continue;
            }
            let in_src = package.is_empty() && depth == 1;
            let has_init = holds(&listing, "__init__.py");
            if package == NOTEBOOKS {
                self.notebooks_in(&directory, &listing);
                continue;
            }
            if depth > 0 && !in_src && !has_init && !self.is_known_package(&directory) {
                continue;
            }
            self.sources_in(&directory, &listing, &package, depth);
            if depth == 0 {
                self.notebooks_in(&directory, &listing);
            }
            for entry in listing.entries.iter().filter(|entry| entry.kind == FileKind::Directory) {
                let name = readable(&entry.name).into_owned();
                if name.starts_with('.')
                    || name.ends_with(".egg-info")
                    || (PASSED_OVER.contains(&name.as_str()) && (depth > 0 || name != NOTEBOOKS))
                {
                    continue;
                }
                let below = directory.join(&entry.name);
                if in_src {
                    self.result.in_src.push(below.clone());
                }
                let inner = match (depth, name.as_str()) {
                    (0, "src") => String::new(),
                    _ if package.is_empty() => name,
                    _ => format!("{package}.{name}"),
                };
                waiting.push_back((below, inner, depth + 1));
            }
        }
    }

    /// Directories without `__init__.py` that hold the project's code all the same.
    fn is_known_package(&self, directory: &HostPath) -> bool {
        let name = directory.name();
        let of_project = self
            .project
            .name
            .as_ref()
            .is_some_and(|project| normalize_name(project) == normalize_name(&name));
        of_project || matches!(name.as_ref(), "app" | "apps")
    }

    fn sources_in(&mut self, directory: &HostPath, listing: &Listing, package: &str, depth: usize) {
        for entry in listing.entries.iter().filter(|entry| entry.kind == FileKind::File) {
            let name = readable(&entry.name);
            let Some(stem) = name.strip_suffix(".py") else { continue };
            let of_tests = stem.starts_with("test_") || stem.ends_with("_test") || stem == "tests";
            if of_tests || OF_TOOLS.contains(&name.as_ref()) {
                continue;
            }
            let is_package = stem == "__init__";
            let dotted = match (package, is_package) {
                (package, true) => package.to_owned(),
                ("", false) => stem.to_owned(),
                (package, false) => format!("{package}.{stem}"),
            };
            let path = directory.join(&entry.name);
            if depth == 1 && package.is_empty() {
                self.result.in_src.push(path.clone());
            }
            let top_package = !package.is_empty() && !package.contains('.');
            let starts = (depth == 0) || (top_package && STARTED.contains(&name.as_ref()));
            self.found.push(Source { path, dotted, is_package, starts });
        }
    }

    fn notebooks_in(&mut self, directory: &HostPath, listing: &Listing) {
        let names = listing.entries.iter().filter(|entry| entry.kind == FileKind::File);
        for entry in names.filter(|entry| entry.name.ends_with(b".ipynb")) {
            self.found.push(Source {
                path: directory.join(&entry.name),
                dotted: String::new(),
                is_package: false,
                starts: true,
            });
        }
    }

    /// Names that other projects of the same repository offer: they may be on the import path together.
    fn neighbours(&mut self, root: &HostPath) {
        let Some(git) = self.project.git.as_ref().filter(|git| !git.top.same_as(root)) else { return };
        let top = self.files.list(&git.top).unwrap_or_default();
        self.own.extend(module_names(&top));
        let around = root.parent().filter(|parent| !parent.same_as(&git.top));
        for directory in [Some(git.top.clone()), around].into_iter().flatten() {
            let listing = self.files.list(&directory).unwrap_or_default();
            let below = listing.entries.iter().filter(|entry| entry.kind == FileKind::Directory);
            for entry in below.take(DIRECTORIES / 4) {
                let below = directory.join(&entry.name);
                let listing = self.files.list(&below).unwrap_or_default();
                self.own.extend(module_names(&listing));
                if listing.entries.iter().any(|entry| entry.name == b"src") {
                    let inner = self.files.list(&below.join("src")).unwrap_or_default();
                    self.own.extend(module_names(&inner));
                }
            }
        }
    }
}

fn holds(listing: &Listing, name: &str) -> bool {
    listing.entries.iter().any(|entry| entry.name == name.as_bytes())
}

/// Has its own dependencies, or is an environment.
fn is_another_project(listing: &Listing) -> bool {
    ["pyproject.toml", "setup.py", "requirements.txt", "pyvenv.cfg", "conda-meta", "Pipfile"]
        .iter()
        .any(|name| holds(listing, name))
}

fn module_names(listing: &Listing) -> impl Iterator<Item = String> {
    let ends = [&b".py"[..], b".pyi", b".pyx", b".so", b".pyd", b".pyc", b".ipynb"];
    let found = listing.entries.iter().filter(move |entry| {
        entry.kind != FileKind::File || ends.iter().any(|end| entry.name.ends_with(end))
    });
    let stem = |name: &[u8]| readable(name).split('.').next().map(str::to_owned);
    found.filter_map(move |entry| stem(&entry.name)).filter(|name| !name.is_empty())
}

/// `pythonpath` among pytest's settings (<https://docs.pytest.org/en/stable/reference/reference.html#confval-pythonpath>).
fn pytest_adds_path(files: &dyn Files, root: &HostPath) -> bool {
    let names = ["pyproject.toml", "pytest.ini", "pytest.toml", "tox.ini", "setup.cfg"];
    let sets = |text: String| {
        text.lines().any(|line| {
            line.strip_prefix("pythonpath").is_some_and(|rest| rest.trim_start().starts_with('='))
        })
    };
    names.iter().filter_map(|name| files.text(&root.join(name))).any(sets)
}

/// The Python of a file.
#[derive(Default)]
struct Text {
    code: String,
    notebook: Option<Notebook>,
}

fn read(files: &dyn Files, found: &[Source]) -> Vec<Text> {
    let mut total = 0;
    let mut texts = Vec::new();
    for source in found.iter().take(FILES) {
        if total > TOTAL {
            break;
        }
        let is_notebook = source.path.name().ends_with(".ipynb");
        let limit = if is_notebook { NOTEBOOK_LIMIT } else { LIMIT };
        // half a file tells nothing sure
        let whole = files.read(&source.path, limit).ok().filter(|contents| !contents.truncated());
        let text =
            whole.and_then(|contents| Some(decoded(&contents.bytes)?.into_owned())).unwrap_or_default();
        total += text.len();
        // a script with requirements of its own (PEP 723) is run in an environment of its own
        let own_environment = text.lines().any(|line| line.trim_end() == "# /// script");
        texts.push(match (is_notebook, own_environment) {
            (false, true) => Text::default(),
            (false, false) => Text { code: text, notebook: None },
            (true, _) => notebook_text(&text),
        });
    }
    texts
}

fn notebook_text(text: &str) -> Text {
    let Some(mut notebook) = notebook::parse(text) else { return Text::default() };
    let code = std::mem::take(&mut notebook.code);
    if code.len() > LIMIT { Text::default() } else { Text { code, notebook: Some(notebook) } }
}

/// A notebook that installs what it needs can do without it before; what it does to `sys.path` concerns itself alone.
fn imports_of(text: &Text) -> Imports {
    let mut found = imports(&text.code);
    let Some(notebook) = &text.notebook else { return found };
    let at_most = match (notebook.installs, found.changes_path) {
        (true, _) => Certainty::Optional,
        (false, true) => Certainty::Conditional,
        (false, false) => Certainty::Certain,
    };
    for import in &mut found.found {
        import.certainty = import.certainty.max(at_most);
        import.line = notebook.lines.get(import.line.saturating_sub(1)).copied().unwrap_or(1);
    }
    found.changes_path = false;
    found
}

/// In parallel where there are many; on threads of their own, for their stacks.
fn parse(texts: &[Text]) -> Vec<Imports> {
    const FEW: usize = 16;
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get().min(8));
    let size = texts.len().div_ceil(threads).max(FEW);
    std::thread::scope(|scope| {
        let parts: Vec<_> = texts
            .chunks(size)
            .map(|part| {
                let work = move || part.iter().map(imports_of).collect::<Vec<_>>();
                (part.len(), std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).ok())
            })
            .collect();
        let results = parts.into_iter().flat_map(|(length, part)| {
            let read = part.and_then(|part| part.join().ok());
            read.unwrap_or_else(|| vec![Imports::default(); length])
        });
        results.collect()
    })
}

/// Keeps what comes from elsewhere, with how sure it is to run.
fn collect(
    project: &Project,
    found: &[Source],
    parsed: &[Imports],
    own: &BTreeSet<String>,
    result: &mut Sources,
) {
    let reached = reached(project, found, parsed);
    for ((source, imports), reached) in found.iter().zip(parsed).zip(reached) {
        result.changes_path |= imports.changes_path;
        for import in imports.found.iter().filter(|import| import.level == 0) {
            let top = import.module.split('.').next().unwrap_or_default();
            let certainty = match import.certainty {
                Certainty::Certain if imports.changes_path => Certainty::Conditional,
                Certainty::Certain if !reached => Certainty::Unreached,
                other => other,
            };
            let known = |known: &SourceImport| known.module == import.module && known.certainty == certainty;
            if own.contains(top) || result.imports.len() >= IMPORTS || result.imports.iter().any(known) {
                continue;
            }
            result.imports.push(SourceImport {
                module: import.module.clone(),
                certainty,
                file: source.path.clone(),
                line: import.line,
            });
        }
    }
}

/// Whether each file is sure to run with the project. A distribution may hold modules for those who have more installed;
/// a plain program runs what it has.
fn reached(project: &Project, found: &[Source], parsed: &[Imports]) -> Vec<bool> {
    if !project.is_package {
        return vec![true; found.len()];
    }
    let by_name: BTreeMap<&str, usize> =
        found.iter().enumerate().map(|(index, source)| (source.dotted.as_str(), index)).collect();
    let mut reached: Vec<bool> = found.iter().map(|source| source.starts).collect();
    let mut waiting: Vec<usize> = (0..found.len()).filter(|index| reached[*index]).collect();
    while let Some(index) = waiting.pop() {
        let Some(imports) = parsed.get(index) else { continue };
        let certain = imports.found.iter().filter(|import| import.certainty == Certainty::Certain);
        for name in certain.flat_map(|import| targets(&found[index], import)) {
            if let Some(target) = by_name.get(name.as_str())
                && !reached[*target]
            {
                reached[*target] = true;
                waiting.push(*target);
            }
        }
    }
    reached
}

/// Dotted names of the modules that an import may load: each package on the way, the module, and what it takes out.
fn targets(source: &Source, import: &Import) -> Vec<String> {
    let mut base: Vec<&str> = Vec::new();
    if import.level > 0 {
        base.extend(source.dotted.split('.').filter(|part| !part.is_empty()));
        let up = import.level as usize - usize::from(source.is_package);
        base.truncate(base.len().saturating_sub(up));
    }
    base.extend(import.module.split('.').filter(|part| !part.is_empty()));
    let mut names: Vec<String> = (1..=base.len()).map(|length| base[..length].join(".")).collect();
    let whole = base.join(".");
    names.extend(import.names.iter().map(|name| match whole.is_empty() {
        true => name.clone(),
        false => format!("{whole}.{name}"),
    }));
    names
}
