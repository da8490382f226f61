//! Where a project's environment may lie: beside it, above it, or where its tool keeps it.

use super::root::{ENVIRONMENT_NAMES, Place};
use crate::collect::places::Places;
use crate::facts::Origin;
use crate::facts::interpreter::Version;
use crate::facts::project::{ManagerKind, Project};
use crate::host::{FileError, FileKind, Files};
use crate::parse::digest::{md5, sha256, urlsafe_base64};
use crate::parse::names::normalize_name;
use crate::path::{Flavour, HostPath};

/// Names the environment of a uv project, from its workspace's root.
pub const UV_PROJECT_ENVIRONMENT: &str = "UV_PROJECT_ENVIRONMENT";

/// So many subdirectories of a root, or environments of one tool, are looked at.
const LIMIT: usize = 300;

/// A venv, what is left of one, or a conda environment; by names alone, without reading a file.
pub fn looks_like_environment(files: &dyn Files, directory: &HostPath) -> bool {
    if files.exists(&directory.join("pyvenv.cfg")) || files.is_directory(&directory.join("conda-meta")) {
        return true;
    }
    if files.is_directory(&directory.join("Scripts"))
        && files.is_directory(&directory.join("Lib").join("site-packages"))
    {
        return true;
    }
    let bin = directory.join("bin");
    let activate = files.exists(&bin.join("activate"));
    // a dangling link counts: the environment is there, its interpreter is not
    let python = ["python", "python3"].iter().any(|name| files.link_metadata(&bin.join(name)).is_ok());
    if activate && python {
        return true;
    }
    if !activate && !python {
        return false;
    }
    // nodeenv has an `activate` too, and an installation's `bin` a python; the one has no library of
    // Python's, the other has the standard library in it
    let lib = directory.join("lib");
    let libraries = files.list(&lib).unwrap_or_default();
    libraries
        .entries
        .iter()
        .filter(|entry| entry.name.starts_with(b"python") || entry.name.starts_with(b"pypy"))
        .map(|entry| lib.join(&entry.name))
        .any(|library| {
            files.is_directory(&library.join("site-packages"))
                && (activate || !files.exists(&library.join("os.py")))
        })
}

/// The environments that belong to the project, best first, no place twice: those in the directories
/// from the start to the root, those that its tools keep elsewhere, those above the root.
pub fn project_environments(
    files: &dyn Files,
    place: &Place,
    project: &Project,
    places: &Places,
) -> Vec<(HostPath, Origin)> {
    let Some(root) = &place.root else { return Vec::new() };
    let mut found = Found { files, environments: Vec::new(), real: Vec::new() };
    let manages = |kind| project.managers.iter().any(|manager| manager.kind == kind);

    // uv takes any pyproject.toml for a project of its own, but who works with another tool does not ask it
    let kept = project.managers.iter().any(|manager| manager.kind.installs_by_itself());
    if let Some(value) = places.set(UV_PROJECT_ENVIRONMENT)
        && (manages(ManagerKind::Uv) || !kept && files.is_file(&root.join("pyproject.toml")))
    {
        let workspace = project
            .managers
            .iter()
            .find(|manager| manager.kind == ManagerKind::Uv)
            .and_then(|manager| manager.evidence.parent());
        let path = workspace.as_ref().unwrap_or(root).join(value);
        found.add_existing(path, Origin::Variable(UV_PROJECT_ENVIRONMENT.into()));
    }
    pdm_choice(&mut found, root);
    for level in place.start.ancestors().take_while(|level| level.is_within(root)) {
        conventional(&mut found, &level);
    }
    subdirectories(&mut found, place, root);
    if manages(ManagerKind::Poetry) {
        poetry(&mut found, root, project, places);
    }
    if manages(ManagerKind::Pdm) {
        pdm(&mut found, root, places);
    }
    if manages(ManagerKind::Hatch) {
        hatch(&mut found, root, project, places);
    }
    if manages(ManagerKind::Pixi) {
        let path = root.join(".pixi").join("envs").join("default");
        found.add_existing(path, Origin::Tool("pixi".into()));
    }
    if manages(ManagerKind::Conda) {
        conda(&mut found, project, places);
    }
    pyenv_virtualenv(&mut found, project, places);
    virtualenvwrapper(&mut found, root, manages(ManagerKind::Pipenv), places);
    if let Some(ceiling) = &place.ceiling {
        for level in root.ancestors().skip(1).take_while(|level| level.is_within(ceiling)) {
            conventional(&mut found, &level);
        }
    }
    found.environments
}

struct Found<'a> {
    files: &'a dyn Files,
    environments: Vec<(HostPath, Origin)>,
    /// Their real paths.
    real: Vec<HostPath>,
}

impl Found<'_> {
    fn add(&mut self, path: HostPath, origin: Origin) {
        let path = path.normalized();
        let real = self.files.canonical(&path).unwrap_or_else(|_| path.clone());
        if !self.real.iter().any(|known| known.same_as(&real)) {
            self.environments.push((path, origin));
            self.real.push(real);
        }
    }

    fn add_existing(&mut self, path: HostPath, origin: Origin) {
        if looks_like_environment(self.files, &path) {
            self.add(path, origin);
        }
    }
}

/// `.venv`, `venv`, `env` and `.env` of one directory. By PEP 832 `.venv` may be a file whose single
/// line is the path of the environment.
fn conventional(found: &mut Found, directory: &HostPath) {
    for name in ENVIRONMENT_NAMES {
        let path = directory.join(name);
        let Ok(metadata) = found.files.link_metadata(&path) else { continue };
        let origin = Origin::FoundUpwards { from: directory.clone() };
        if metadata.kind == FileKind::Link && name == ".venv" && !found.files.exists(&path) {
            found.add(path, origin);
        } else if found.files.is_directory(&path) {
            // one that may not be looked into is taken at its name
            let denied = found.files.metadata(&path.join("pyvenv.cfg")) == Err(FileError::Denied);
            if denied && matches!(name, ".venv" | "venv") {
                found.add(path, origin);
            } else {
                found.add_existing(path, origin);
            }
        } else if name == ".venv"
            && let Some(target) = single_line(found.files, &path)
        {
            let origin = Origin::ConfigKey { file: path, line: 1, key: ".venv".into() };
            found.add_existing(directory.join(target), origin);
        }
    }
}

/// The one line of a file that holds a path.
fn single_line(files: &dyn Files, path: &HostPath) -> Option<Vec<u8>> {
    const PATH_LIMIT: usize = 4096;
    let contents = files.read(path, PATH_LIMIT).ok()?;
    let line = contents.bytes.trim_ascii();
    let plain =
        !contents.truncated() && !line.is_empty() && !line.iter().any(|byte| matches!(byte, b'\n' | b'\0'));
    plain.then(|| line.to_vec())
}

/// Environments of any other name directly in the root, and direnv's.
fn subdirectories(found: &mut Found, place: &Place, root: &HostPath) {
    let origin = || Origin::FoundUpwards { from: root.clone() };
    let directories = place.listing.entries.iter().filter(|entry| {
        matches!(entry.kind, FileKind::Directory | FileKind::Link)
            && !ENVIRONMENT_NAMES.iter().any(|name| name.as_bytes() == entry.name)
    });
    for entry in directories.take(LIMIT) {
        let path = root.join(&entry.name);
        if entry.name == b".direnv" {
            // `layout python` of direnv-stdlib(1): python-3.11, python-venv-3.11.2, virtualenv
            for inner in found.files.list(&path).unwrap_or_default().entries.iter().rev().take(LIMIT) {
                if inner.name.starts_with(b"python-") || inner.name == b"virtualenv" {
                    found.add_existing(path.join(&inner.name), Origin::Tool("direnv".into()));
                }
            }
        } else if !matches!(entry.name.as_slice(), b".git" | b"node_modules" | b".tox" | b".nox") {
            found.add_existing(path, origin());
        }
    }
}

/// `.pdm-python` holds the interpreter that PDM was told to use; in a venv of its own or not.
fn pdm_choice(found: &mut Found, root: &HostPath) {
    let file = root.join(".pdm-python");
    let Some(interpreter) = single_line(found.files, &file) else { return };
    let Some(interpreter) = HostPath::new(root.flavour(), interpreter) else { return };
    if let Some(environment) = interpreter.parent().and_then(|bin| bin.parent())
        && found.files.is_file(&environment.join("pyvenv.cfg"))
    {
        found.add(environment, Origin::ConfigKey { file, line: 1, key: ".pdm-python".into() });
    }
}

/// A directory's real path as Python's `os.path.normcase(os.path.realpath(...))` spells it.
fn real_spelling(files: &dyn Files, path: &HostPath) -> Vec<u8> {
    let real = files.canonical(path).unwrap_or_else(|_| path.clone());
    match real.flavour() {
        Flavour::Posix => real.as_bytes().to_vec(),
        Flavour::Windows => real.normalized().as_bytes().to_ascii_lowercase(),
    }
}

/// The first eight characters of a digest, as poetry, hatch and PDM use them.
fn short(digest: &[u8]) -> String {
    urlsafe_base64(digest).chars().take(8).collect()
}

/// `{cache}/virtualenvs/NAME-HASH-pyX.Y` (`poetry.utils.env.EnvManager.generate_env_name`); the one that
/// `envs.toml` calls active comes first.
fn poetry(found: &mut Found, root: &HostPath, project: &Project, places: &Places) {
    let Some(store) = places.poetry_environments() else { return };
    // a project that is no package needs no name, and gets this one
    let name = project.name.as_ref().map_or("non-package-mode".into(), |name| normalize_name(name));
    let sanitized: String =
        name.chars().map(|c| if " $`!*@\"\\\r\n\t".contains(c) { '_' } else { c }).take(42).collect();
    let base = format!("{sanitized}-{}", short(&sha256(&real_spelling(found.files, root))));
    let active = found.files.text(&store.join("envs.toml")).and_then(|text| {
        let table: toml::Table = toml::from_str(&text).ok()?;
        Some(table.get(&base)?.get("minor")?.as_str()?.to_owned())
    });
    let prefix = format!("{base}-py");
    let mut names: Vec<Vec<u8>> = names_in(found.files, &store, prefix.as_bytes());
    // a stable sort: the active one, then the newest
    let version = |name: &[u8]| Version::parse(&String::from_utf8_lossy(&name[prefix.len()..]));
    names.sort_by_key(|name| std::cmp::Reverse(version(name)));
    names.sort_by_key(|name| active.as_ref().is_none_or(|minor| name[prefix.len()..] != *minor.as_bytes()));
    for name in names {
        found.add_existing(store.join(name), Origin::Tool("poetry".into()));
    }
}

fn names_in(files: &dyn Files, directory: &HostPath, prefix: &[u8]) -> Vec<Vec<u8>> {
    let listing = files.list(directory).unwrap_or_default();
    listing
        .entries
        .into_iter()
        .map(|entry| entry.name)
        .filter(|name| name.starts_with(prefix))
        .take(LIMIT)
        .collect()
}

/// `{data}/venvs/NAME-HASH-ID` (`pdm.cli.commands.venv.utils.get_venv_prefix`).
fn pdm(found: &mut Found, root: &HostPath, places: &Places) {
    let Some(store) = places.pdm_environments() else { return };
    let mut spelling = root.normalized().as_bytes().to_vec();
    // `Path.as_posix()`
    spelling
        .iter_mut()
        .filter(|byte| **byte == b'\\' && root.flavour() == Flavour::Windows)
        .for_each(|byte| *byte = b'/');
    let prefix =
        [root.file_name().unwrap_or_default(), b"-", short(&md5(&spelling)).as_bytes(), b"-"].concat();
    for name in names_in(found.files, &store, &prefix) {
        found.add_existing(store.join(name), Origin::Tool("pdm".into()));
    }
}

/// `{data}/env/virtual/PROJECT/ID/ENV` (`hatch.env.virtual.VirtualEnvironment`): the default environment
/// bears the project's name.
fn hatch(found: &mut Found, root: &HostPath, project: &Project, places: &Places) {
    let Some(store) = places.hatch_environments() else { return };
    let name = project.name.as_ref().map_or_else(|| root.name().into_owned(), |name| normalize_name(name));
    let id = short(&sha256(&real_spelling(found.files, root)));
    let store = store.join(&name).join(id);
    let mut names = names_in(found.files, &store, b"");
    names.sort_by_key(|entry| *entry != *name.as_bytes());
    for name in names {
        found.add_existing(store.join(name), Origin::Tool("hatch".into()));
    }
}

/// The environment that `environment.yml` names, where one of the usual conda installations has it.
fn conda(found: &mut Found, project: &Project, places: &Places) {
    let Some(manager) = project.managers.iter().find(|manager| manager.kind == ManagerKind::Conda) else {
        return;
    };
    let Some(text) = found.files.text(&manager.evidence) else { return };
    let named = text.lines().zip(1..).find_map(|(line, number)| {
        let name = line.strip_prefix("name:")?.split('#').next()?.trim().trim_matches(['"', '\'']);
        (!name.is_empty() && !name.contains(['/', '\\'])).then_some((name, number))
    });
    let Some((name, line)) = named else { return };
    for base in places.conda_bases() {
        let path = base.join("envs").join(name);
        if found.files.is_directory(&path.join("conda-meta")) {
            let origin = Origin::ConfigKey { file: manager.evidence.clone(), line, key: "name".into() };
            return found.add(path, origin);
        }
    }
}

/// pyenv-virtualenv: `.python-version` names an environment in pyenv's versions.
fn pyenv_virtualenv(found: &mut Found, project: &Project, places: &Places) {
    let Some(versions) = places.pyenv_root().map(|root| root.join("versions")) else { return };
    for pin in project.pins.iter().filter(|pin| pin.file.name() == ".python-version") {
        let plain = !pin.text.contains(['/', '\\']) && pin.text != "." && pin.text != "..";
        let path = versions.join(&pin.text);
        if plain && found.files.is_file(&path.join("pyvenv.cfg")) {
            let line = pin.line.unwrap_or(1);
            found
                .add(path, Origin::ConfigKey { file: pin.file.clone(), line, key: ".python-version".into() });
        }
    }
}

/// `$WORKON_HOME`, where virtualenvwrapper and pipenv keep environments. A file `.project` in one holds the
/// project's path; without it, an environment of the root's own name is taken.
fn virtualenvwrapper(found: &mut Found, root: &HostPath, pipenv: bool, places: &Places) {
    let mut stores: Vec<HostPath> = places.path("WORKON_HOME").into_iter().collect();
    if stores.is_empty() {
        stores.extend(places.in_home(".virtualenvs"));
        if pipenv {
            stores.extend(places.pipenv_environments());
        }
    }
    let tool = if pipenv { "pipenv" } else { "virtualenvwrapper" };
    let real = found.files.canonical(root).unwrap_or_else(|_| root.clone());
    for store in stores {
        for name in names_in(found.files, &store, b"") {
            let path = store.join(&name);
            let belongs = match single_line(found.files, &path.join(".project")) {
                Some(project) => HostPath::new(root.flavour(), project)
                    .is_some_and(|project| project.same_as(root) || project.same_as(&real)),
                None => !pipenv && root.file_name() == Some(name.as_slice()),
            };
            if belongs {
                found.add_existing(path, Origin::Tool(tool.into()));
            }
        }
    }
}
