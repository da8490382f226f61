//! The Pythons of this machine that an environment could be made from: by directory listings alone.

use super::places::Places;
use crate::facts::environment::{Environment, HomeState};
use crate::facts::interpreter::{Installation, Version};
use crate::facts::platform::System;
use crate::facts::search_path::{DirectoryOwner, EntryState, SearchPath};
use crate::host::{FileKind, Files};
use crate::path::{Flavour, HostPath};

/// So many entries of `PATH`, and so many versions of one tool, are looked at.
const LIMIT: usize = 200;

/// Every installation once, by its real interpreter, in the order of the search path and then by tool.
pub fn installations(files: &dyn Files, search_path: &SearchPath, places: &Places) -> Vec<Installation> {
    let mut found = Found { files, all: Vec::new(), real: Vec::new() };
    let mut searched = Vec::new();
    for entry in search_path.entries.iter().take(LIMIT) {
        let own = entry.state == EntryState::Directory
            && entry.environment.is_none()
            && entry.duplicate_of.is_none()
            && !entry.names.is_empty()
            && !entry.owner.is_some_and(|owner| {
                owner.is_shims()
                    || matches!(
                        owner,
                        DirectoryOwner::Venv | DirectoryOwner::WindowsApps | DirectoryOwner::Pipx
                    )
            });
        if let Some(directory) = entry.directory.as_ref().filter(|_| own) {
            // Windows has no versioned names there: `python.exe` lies in the prefix itself
            if places.system != System::Windows {
                found.programs(directory, "the search path");
            }
            searched.push(directory);
        }
    }
    if places.system == System::Windows {
        found.windows(places, &searched);
        return found.all;
    }
    for directory in ["/usr/bin", "/usr/local/bin"].map(HostPath::posix) {
        if !searched.iter().any(|known| known.same_as(&directory)) {
            found.programs(&directory, "the system");
        }
    }
    let data = places.data_home();
    if let Some(root) = places.pyenv_root() {
        found.prefixes(&root.join("versions"), "pyenv");
    }
    if let Some(store) = places.uv_pythons() {
        found.prefixes(&store, "uv");
    }
    let asdf = places.path("ASDF_DATA_DIR").or_else(|| places.in_home(".asdf"));
    let mise = places.path("MISE_DATA_DIR").or_else(|| data.map(|data| data.join("mise")));
    for (root, tool) in [(asdf, "asdf"), (mise, "mise")] {
        if let Some(root) = root {
            found.prefixes(&root.join("installs").join("python"), tool);
        }
    }
    // the stable links, not the Cellar, whose directories vanish with each upgrade
    for prefix in ["/opt/homebrew/opt", "/usr/local/opt", "/home/linuxbrew/.linuxbrew/opt"] {
        found.homebrew(&HostPath::posix(prefix));
    }
    if places.system == System::MacOs {
        found.prefixes(&HostPath::posix("/Library/Frameworks/Python.framework/Versions"), "python.org");
    }
    for base in places.conda_bases() {
        if files.is_directory(&base.join("conda-meta")) {
            found.prefix(&base, "conda");
        }
    }
    found.all
}

/// Adds the Pythons that the environments were made from, where they are still there: the same one again keeps an
/// environment as it was. Those inside the project or another environment are no installations. Says of each which
/// environments lead to it.
pub fn with_bases(
    files: &dyn Files,
    installations: Vec<Installation>,
    environments: &[Environment],
    project: Option<&HostPath>,
) -> Vec<Installation> {
    let real = installations.iter().filter_map(|known| files.canonical(&known.interpreter).ok()).collect();
    let mut found = Found { files, all: installations, real };
    for environment in environments {
        let Some(home) = environment.home.as_ref().filter(|home| home.state == HomeState::Good) else {
            continue;
        };
        let inside = project.is_some_and(|root| home.path.is_within(root))
            || environments.iter().any(|other| other.is_venv() && home.path.is_within(&other.root));
        if let Some(interpreter) = home.interpreter.as_ref().filter(|_| !inside) {
            found.add(interpreter.clone(), home.version, "the environment's base");
        }
    }
    for environment in environments.iter().filter(|environment| environment.is_venv()) {
        let Some(end) = environment.interpreters.first().and_then(|path| files.canonical(path).ok()) else {
            continue;
        };
        let at = found.real.iter().position(|real| real.same_as(&end));
        if let Some(installation) = at.and_then(|at| found.all.get_mut(at)) {
            installation.linked_from.push(environment.root.clone());
        }
    }
    found.all
}

struct Found<'a> {
    files: &'a dyn Files,
    all: Vec<Installation>,
    /// The real paths of the interpreters, in the same order.
    real: Vec<HostPath>,
}

impl Found<'_> {
    /// The `pythonX.Y` of a directory of programs; `python3` too, where no versioned name leads to the same.
    fn programs(&mut self, directory: &HostPath, found_by: &str) {
        // a listing of /usr/bin costs more than asking for the names that there can be
        let mut names: Vec<String> = (6..=20).rev().map(|minor| format!("python3.{minor}")).collect();
        names.extend(
            ["python3.13t", "python3.14t", "python3.15t", "python3", "python2.7", "pypy3"].map(String::from),
        );
        for name in names {
            let path = directory.join(&name);
            if self.files.is_file(&path) {
                let version = version_in_name(name.as_bytes());
                self.add(path, version, found_by);
            }
        }
    }

    /// Every installation in a store of prefixes: `3.12.1/`, `cpython-3.12.1-linux-x86_64-gnu/`.
    fn prefixes(&mut self, store: &HostPath, found_by: &str) {
        let Ok(listing) = self.files.list(store) else { return };
        // links are aliases (`3.12`, `cpython-3.12-...`, `latest`, `Current`) of directories listed here too
        let prefixes = listing.entries.iter().filter(|entry| entry.kind == FileKind::Directory);
        for entry in prefixes.take(LIMIT) {
            self.prefix(&store.join(&entry.name), found_by);
        }
    }

    fn homebrew(&mut self, opt: &HostPath) {
        let Ok(listing) = self.files.list(opt) else { return };
        let kegs = listing.entries.iter().filter(|entry| entry.name.starts_with(b"python@3."));
        for keg in kegs.take(LIMIT) {
            let version = version_in_name(&keg.name);
            let name = version
                .map_or_else(|| "python3".to_owned(), |version| format!("python{}", version.minor_text()));
            let path = opt.join(&keg.name).join("bin").join(name);
            if self.files.is_file(&path) {
                self.add(path, version, "Homebrew");
            }
        }
    }

    /// The interpreter of one prefix.
    fn prefix(&mut self, prefix: &HostPath, found_by: &str) {
        let version = version_in_name(prefix.file_name().unwrap_or_default());
        // virtual environments are kept beside versions by pyenv-virtualenv
        if self.files.is_file(&prefix.join("pyvenv.cfg")) {
            return;
        }
        let bin = prefix.join("bin");
        let versioned = version.map(|version| format!("python{}", version.minor_text()));
        let names = versioned.into_iter().chain(["python3", "python", "pypy3"].map(String::from));
        if let Some(path) = names.map(|name| bin.join(name)).find(|path| self.files.is_file(path)) {
            self.add(path, version, found_by);
        }
    }

    fn add(&mut self, interpreter: HostPath, version: Option<Version>, found_by: &str) {
        let Ok(real) = self.files.canonical(&interpreter) else { return };
        if self.real.iter().any(|known| known.same_as(&real)) {
            return;
        }
        // `python3` -> `python3.11`; a script (a shim) leads to itself and tells no version
        let real_name = real.file_name().unwrap_or_default();
        let Some(version) = version.or_else(|| version_in_name(real_name)) else { return };
        let implementation = implementation(&interpreter, &real);
        let prefix = real.parent().and_then(|bin| bin.parent());
        // `.../versions/3.12.1/bin/python3.12`: the directory tells the patch level, the file does not
        let version = match prefix.as_ref().and_then(|prefix| version_in_name(prefix.file_name()?)) {
            Some(exact) if version.patch.is_none() && exact.same_minor(version) => exact,
            _ => version,
        };
        // links may lead out of a prefix (`/usr/local/bin/python3` to a framework): the file's own counts
        let prefixes = [prefix, interpreter.parent().and_then(|bin| bin.parent())];
        let library = prefixes
            .iter()
            .flatten()
            .flat_map(|prefix| libraries(prefix, version, &implementation))
            .find(|library| self.files.exists(&library.join("os.py")));
        let in_library =
            |name: &str| library.as_ref().is_some_and(|library| self.files.exists(&library.join(name)));
        // Python 2 has an ensurepip and no venv
        let has_ensurepip = version.major > 2 && in_library("ensurepip/__init__.py");
        let externally_managed = in_library("EXTERNALLY-MANAGED");
        self.all.push(Installation {
            interpreter,
            version: Some(version),
            implementation: Some(implementation),
            found_by: found_by.to_owned(),
            has_ensurepip,
            externally_managed,
            linked_from: Vec::new(),
        });
        self.real.push(real);
    }

    /// Those on the search path, python.org's installer for one user and for all, uv's and pyenv-win's.
    fn windows(&mut self, places: &Places, searched: &[&HostPath]) {
        let store = |name: &str, below: &str| places.path(name).map(|path| path.join(below));
        let stores = [
            (store("LOCALAPPDATA", "Programs\\Python"), "python.org"),
            (store("LOCALAPPDATA", "Python"), "the Python install manager"),
            (store("ProgramFiles", "Python"), "python.org"),
            (places.path("UV_PYTHON_INSTALL_DIR").or_else(|| store("APPDATA", "uv\\python")), "uv"),
            (store("PYENV", "versions").or_else(|| places.in_home(".pyenv\\pyenv-win\\versions")), "pyenv"),
        ];
        let single = ["ProgramFiles", "ProgramFiles(x86)", "SystemDrive"];
        let roots = single.iter().filter_map(|name| match *name {
            "SystemDrive" => HostPath::new(Flavour::Windows, format!("{}\\", places.set(name)?)),
            name => places.path(name),
        });
        let mut prefixes: Vec<(HostPath, &str)> =
            searched.iter().map(|directory| ((*directory).clone(), "the search path")).collect();
        for root in roots {
            let listing = self.files.list(&root).unwrap_or_default();
            let named = listing
                .entries
                .iter()
                .filter(|entry| entry.name.to_ascii_lowercase().starts_with(b"python3"));
            prefixes.extend(named.take(LIMIT).map(|entry| (root.join(&entry.name), "python.org")));
        }
        for (store, tool) in stores {
            let Some(store) = store else { continue };
            let listing = self.files.list(&store).unwrap_or_default();
            prefixes.extend(listing.entries.iter().take(LIMIT).map(|entry| (store.join(&entry.name), tool)));
        }
        prefixes.extend(places.conda_bases().into_iter().map(|base| (base, "conda")));
        for (prefix, tool) in prefixes {
            let interpreter = prefix.join("python.exe");
            let Ok(real) = self.files.canonical(&interpreter) else { continue };
            if self.real.iter().any(|known| known.same_as(&real)) {
                continue;
            }
            let library = prefix.join("Lib");
            self.all.push(Installation {
                interpreter,
                version: version_in_name(prefix.file_name().unwrap_or_default()),
                implementation: Some("cpython".into()),
                found_by: tool.to_owned(),
                has_ensurepip: self.files.exists(&library.join("ensurepip\\__init__.py")),
                externally_managed: self.files.exists(&library.join("EXTERNALLY-MANAGED")),
                linked_from: Vec::new(),
            });
            self.real.push(real);
        }
    }
}

/// Where the standard library of a prefix may lie.
fn libraries(prefix: &HostPath, version: Version, implementation: &str) -> Vec<HostPath> {
    let minor = version.minor_text();
    let name = if implementation == "pypy" { format!("pypy{minor}") } else { format!("python{minor}") };
    ["lib", "lib64"].iter().map(|lib| prefix.join(lib).join(&name)).collect()
}

fn implementation(path: &HostPath, real: &HostPath) -> String {
    let pypy = [path, real].iter().any(|path| {
        let mut names = path.components().rev();
        names.next().is_some_and(|name| name.starts_with(b"pypy"))
            || names.nth(1).is_some_and(|name| name.starts_with(b"pypy"))
    });
    if pypy { "pypy" } else { "cpython" }.to_owned()
}

/// The version in `python3.11`, `python@3.12`, `3.10.13`, `cpython-3.12.1-linux-x86_64-gnu`,
/// `3.13.0t`, `pypy3.10-7.3.16`, `Python312`, `Python313-32`.
fn version_in_name(name: &[u8]) -> Option<Version> {
    let name = std::str::from_utf8(name).ok()?;
    let start = name.find(|c: char| c.is_ascii_digit())?;
    let (lead, rest) = name.split_at(start);
    // `miniconda3-4.7`, `graalpy-22.3` and `activepython-3.8` number other things or other programs
    let known = ["", "python", "python@", "cpython-", "pypy", "pypy-", "cpython@", "Python", "pythoncore-"];
    if !known.contains(&lead) {
        return None;
    }
    if lead == "Python" && !rest.contains('.') {
        let digits: &str = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        let (major, minor) = digits.split_at_checked(1)?;
        return Some(Version::new(major.parse().ok()?, minor.parse().ok()?, None));
    }
    let number = rest.split(['-', '+', '_']).next()?;
    let mut version = Version::parse(number)?;
    version.free_threaded |= rest.contains("+freethreaded");
    Some(version)
}

#[cfg(test)]
mod tests;
