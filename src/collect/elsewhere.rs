//! Looking for a module in every environment that the shell, the project, and version and project managers know of.

use std::time::{Duration, Instant};

use super::places::Places;
use crate::facts::Facts;
use crate::facts::elsewhere::{Elsewhere, Keeper, Provider};
use crate::facts::interpreter::Version;
use crate::host::{FileKind, Files};
use crate::path::{Flavour, HostPath};

/// So many environments of one place are looked into.
const MOST_OF_A_PLACE: usize = 200;
const MOST_PROVIDERS: usize = 20;
const CONDA_LIST_LIMIT: usize = 64 << 10;

/// Looks for the top-level module `name`, for at most `time`; `without` is where it is known not to be.
pub fn elsewhere(
    files: &dyn Files,
    facts: &Facts,
    name: &str,
    without: Option<&HostPath>,
    time: Duration,
) -> Elsewhere {
    let mut search =
        Search { files, name, end: Instant::now() + time, seen: Vec::new(), found: Elsewhere::default() };
    search.found.in_project = in_project(files, facts, name);
    if let Some(root) = without {
        search.seen.push(real(files, root));
    }
    for environment in &facts.environments {
        if environment.exists() {
            search.environment(&environment.root, Keeper::Known);
        }
    }
    let variable = |name: &str| facts.shell.variable(name).map(str::to_owned);
    let places = Places { system: facts.platform.system, home: facts.home.as_ref(), variable: &variable };
    search.user_site(&places);
    for installation in &facts.installations {
        if let Some(prefix) = installation.interpreter.parent().and_then(|bin| bin.parent()) {
            search.environment(&prefix, Keeper::Installation);
        }
    }
    for (directory, keeper, depth) in shelves(&places) {
        search.shelf(&directory, keeper, depth);
    }
    search.conda(&places);
    search.found
}

/// Directories of environments, by tool, and how far below them the environments lie.
fn shelves(places: &Places) -> Vec<(HostPath, Keeper, usize)> {
    let mut shelves = Vec::new();
    let mut add = |directory: Option<HostPath>, keeper: Keeper, depth: usize| {
        shelves.extend(directory.map(|directory| (directory, keeper, depth)));
    };
    add(places.pyenv_root().map(|root| root.join("versions")), Keeper::Pyenv, 1);
    add(places.path("POETRY_VIRTUALENVS_PATH"), Keeper::Poetry, 1);
    for cache in [".cache/pypoetry/virtualenvs", "Library/Caches/pypoetry/virtualenvs"] {
        add(places.in_home(cache), Keeper::Poetry, 1);
    }
    let local = places.path("LOCALAPPDATA");
    add(local.map(|local| local.join("pypoetry\\Cache\\virtualenvs")), Keeper::Poetry, 1);
    add(places.path("WORKON_HOME"), Keeper::VirtualenvWrapper, 1);
    add(places.in_home(".local/share/virtualenvs"), Keeper::Pipenv, 1);
    add(places.in_home(".virtualenvs"), Keeper::VirtualenvWrapper, 1);
    add(places.data_directory("pdm").map(|data| data.join("venvs")), Keeper::Pdm, 1);
    add(places.data_directory("hatch").map(|data| data.join("env/virtual")), Keeper::Hatch, 3);
    let pipx = places.path("PIPX_HOME").map(|home| home.join("venvs"));
    add(pipx, Keeper::Pipx, 1);
    add(places.data_directory("pipx").map(|data| data.join("venvs")), Keeper::Pipx, 1);
    add(places.in_home(".local/pipx/venvs"), Keeper::Pipx, 1);
    add(places.path("UV_TOOL_DIR"), Keeper::UvTool, 1);
    add(places.data_directory("uv").map(|data| data.join("tools")), Keeper::UvTool, 1);
    add(places.data_directory("uv").map(|data| data.join("python")), Keeper::UvPython, 1);
    shelves
}

struct Search<'a> {
    files: &'a dyn Files,
    name: &'a str,
    end: Instant,
    /// Real roots that were looked into.
    seen: Vec<HostPath>,
    found: Elsewhere,
}

impl Search<'_> {
    fn over(&mut self) -> bool {
        let late = Instant::now() >= self.end;
        self.found.cut_short |= late;
        late || self.found.providers.len() >= MOST_PROVIDERS
    }

    fn environment(&mut self, root: &HostPath, keeper: Keeper) {
        if self.over() {
            return;
        }
        let place = real(self.files, root);
        if self.seen.iter().any(|seen| seen.same_as(&place)) {
            return;
        }
        self.seen.push(place);
        let sites = sites(self.files, root);
        if !sites.is_empty() {
            self.found.searched += 1;
        }
        for (site, version) in sites {
            if let Some(file) = offered(self.files, &site, self.name) {
                let interpreter = interpreter(self.files, root, version);
                self.found.providers.push(Provider {
                    root: root.clone(),
                    keeper,
                    file,
                    version,
                    interpreter,
                });
            }
        }
    }

    fn user_site(&mut self, places: &Places) {
        let base = places.path("PYTHONUSERBASE").or_else(|| places.in_home(".local"));
        let Some(base) = base else { return };
        for (site, version) in sites(self.files, &base) {
            if let Some(file) = offered(self.files, &site, self.name) {
                let keeper = Keeper::UserSite;
                self.found.providers.push(Provider { root: site, keeper, file, version, interpreter: None });
            }
        }
    }

    fn shelf(&mut self, directory: &HostPath, keeper: Keeper, depth: usize) {
        if self.over() {
            return;
        }
        let Ok(listing) = self.files.list(directory) else { return };
        for entry in listing.entries.iter().take(MOST_OF_A_PLACE) {
            if entry.kind == FileKind::File || entry.name.starts_with(b".") {
                continue;
            }
            let below = directory.join(&entry.name);
            match depth {
                0 | 1 => self.environment(&below, keeper),
                _ => self.shelf(&below, keeper, depth - 1),
            }
        }
    }

    fn conda(&mut self, places: &Places) {
        for base in places.conda_bases() {
            self.environment(&base, Keeper::Conda);
            self.shelf(&base.join("envs"), Keeper::Conda, 1);
        }
        // conda writes every environment that it makes into this list
        let Some(list) = places.in_home(".conda/environments.txt") else { return };
        let Ok(contents) = self.files.read(&list, CONDA_LIST_LIMIT) else { return };
        for line in contents.text().lines().take(MOST_OF_A_PLACE) {
            if let Some(root) = HostPath::new(list.flavour(), line.trim()) {
                self.environment(&root, Keeper::Conda);
            }
        }
    }
}

fn real(files: &dyn Files, path: &HostPath) -> HostPath {
    files.canonical(path).unwrap_or_else(|_| path.clone())
}

/// The directories below a root that packages are installed in, with the version that their names tell.
fn sites(files: &dyn Files, root: &HostPath) -> Vec<(HostPath, Option<Version>)> {
    let mut sites = Vec::new();
    if root.flavour() == Flavour::Windows {
        let site = root.join("Lib\\site-packages");
        if files.is_directory(&site) {
            sites.push((site, None));
        }
        return sites;
    }
    let library = root.join("lib");
    let Ok(listing) = files.list(&library) else { return sites };
    for entry in &listing.entries {
        let name = String::from_utf8_lossy(&entry.name);
        let Some(version) = name.strip_prefix("python").or_else(|| name.strip_prefix("pypy")) else {
            continue;
        };
        let directory = library.join(&entry.name);
        for kind in ["site-packages", "dist-packages"] {
            let site = directory.join(kind);
            if files.is_directory(&site) {
                sites.push((site, Version::parse(version)));
            }
        }
    }
    sites
}

/// What a directory offers under that name: a package, a source file, an extension.
pub fn offered(files: &dyn Files, directory: &HostPath, name: &str) -> Option<HostPath> {
    let package = directory.join(name);
    if files.is_file(&package.join("__init__.py")) {
        return Some(package);
    }
    let source = directory.join(format!("{name}.py"));
    if files.is_file(&source) {
        return Some(source);
    }
    let prefix = format!("{name}.");
    let listing = files.list(directory).ok()?;
    let extension = listing.entries.iter().find(|entry| {
        entry.name.starts_with(prefix.as_bytes())
            && (entry.name.ends_with(b".so") || entry.name.ends_with(b".pyd"))
    });
    match extension {
        Some(entry) => Some(directory.join(&entry.name)),
        // a namespace package, where it holds anything
        None => {
            files.list(&package).ok().filter(|inside| inside.entries.iter().any(is_module)).map(|_| package)
        }
    }
}

fn is_module(entry: &crate::host::Entry) -> bool {
    entry.kind == FileKind::Directory && entry.name != b"__pycache__" || entry.name.ends_with(b".py")
}

fn interpreter(files: &dyn Files, root: &HostPath, version: Option<Version>) -> Option<HostPath> {
    let versioned = version.map(|version| format!("bin/python{}", version.minor_text()));
    let names = versioned.as_deref().into_iter().chain([
        "bin/python",
        "bin/python3",
        "Scripts\\python.exe",
        "python.exe",
    ]);
    names.map(|name| root.join(name)).find(|path| files.is_file(path))
}

/// Files of the project that have the module's name: beside its root, below `src`, and where work is done.
fn in_project(files: &dyn Files, facts: &Facts, name: &str) -> Vec<HostPath> {
    let mut found: Vec<HostPath> = Vec::new();
    let root = facts.project.root.iter();
    let places = facts.directory.iter().chain(root.clone()).cloned();
    for place in places.chain(root.map(|root| root.join("src"))) {
        let Some(file) = [place.join(name).join("__init__.py"), place.join(format!("{name}.py"))]
            .into_iter()
            .find(|file| files.is_file(file))
        else {
            continue;
        };
        if !found.contains(&file) {
            found.push(file);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::healthy;
    use crate::host::fake::FakeMachine;

    #[test]
    fn finds_it_where_tools_keep_environments() {
        let machine = FakeMachine::linux()
            .file("/home/me/.pyenv/versions/3.12.1/lib/python3.12/site-packages/rich/__init__.py", "")
            .file("/home/me/.pyenv/versions/3.12.1/bin/python3.12", "")
            .file("/home/me/.cache/pypoetry/virtualenvs/p-x-py3.11/lib/python3.11/site-packages/rich.py", "")
            .file("/home/me/project/src/rich/__init__.py", "");
        let found = elsewhere(&machine, &healthy(), "rich", None, Duration::from_secs(5));
        let roots: Vec<String> = found.providers.iter().map(|found| found.root.to_string()).collect();
        assert_eq!(
            roots,
            ["/home/me/.pyenv/versions/3.12.1", "/home/me/.cache/pypoetry/virtualenvs/p-x-py3.11"]
        );
        assert_eq!(found.providers[0].keeper, Keeper::Pyenv);
        assert!(!found.cut_short && found.in_project.len() == 1);
        assert!(elsewhere(&machine, &healthy(), "six", None, Duration::from_secs(5)).providers.is_empty());
        assert!(elsewhere(&machine, &healthy(), "rich", None, Duration::ZERO).cut_short);
    }
}
