//! Environments: what lies in one, and what its files say of the place that they lie in.

use super::{links, scripts, synced};
use crate::facts::environment::*;
use crate::facts::interpreter::{LinkEnd, Version};
use crate::facts::{Gathered, Origin};
use crate::host::{FileError, FileKind, Files, Host, Listing};
use crate::parse::activate::ActivatorKind;
use crate::parse::shebang::is_python_name;
use crate::parse::{names, pyvenv_cfg};
use crate::path::{Flavour, HostPath, readable};

/// More of a `pyvenv.cfg` is not read: from 32 KiB on Python itself gives up.
const CONFIG_LIMIT: usize = 64 * 1024;
/// So many neighbours of a missing directory are looked into.
const MOST_SIBLINGS: usize = 200;

/// What is to be learnt of an environment besides its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Entry scripts and activate scripts.
    pub scripts: bool,
    /// Names and versions of what is installed.
    pub installed: bool,
}

/// Gathers the environment at `root`.
pub fn environment(host: &dyn Host, root: &HostPath, origins: Vec<Origin>, depth: Depth) -> Environment {
    let (mut environment, programs) = without_scripts(host, root, origins, depth);
    if depth.scripts {
        scripts::Scripts::of(host, &environment, &programs).add(host, &mut environment);
    }
    environment
}

/// The environment but its scripts, with the listing of the directory that they are in.
pub fn without_scripts(
    host: &dyn Host,
    root: &HostPath,
    origins: Vec<Origin>,
    depth: Depth,
) -> (Environment, Listing) {
    let real = host.canonical(root).ok();
    let mut environment = Environment {
        root: root.clone(),
        origins,
        kind: EnvironmentKind::Missing,
        layout: Layout::None,
        config_path: None,
        config: Gathered::NotAsked,
        config_error: None,
        creator: None,
        script_directory: None,
        interpreters: Vec::new(),
        misplaced: Vec::new(),
        libraries: Vec::new(),
        scripts: Vec::new(),
        activators: Vec::new(),
        installed: Vec::new(),
        shared: Gathered::NotAsked,
        mount: None,
        owner: None,
        home: None,
        synced: None,
        tracked_files: None,
        made_at: None,
        made_at_state: None,
        missing_sources: Vec::new(),
        lost_target: None,
        scripts_error: None,
        real,
    };
    let metadata = match host.metadata(root) {
        Ok(metadata) => metadata,
        Err(error) => {
            // whether something is there cannot be told where a directory above may not be entered
            if error == FileError::Denied {
                environment.kind = EnvironmentKind::Other;
                environment.config_error = Some(error);
            }
            let links = links::chain(host, root);
            if links.is_link() && links.end == LinkEnd::Missing {
                environment.lost_target = links.last().cloned();
            }
            return (environment, Listing::default());
        }
    };
    environment.kind = EnvironmentKind::Other;
    if metadata.kind != FileKind::Directory {
        return (environment, Listing::default());
    }
    environment.owner = Some(metadata.owner);
    environment.mount = host.mount(root);
    read_config(host, &mut environment);
    if environment.config_path.is_none() && is_installation(host, &mut environment, depth) {
        return (environment, Listing::default());
    }
    let bin = root.join("bin");
    let scripts_directory = root.join("Scripts");
    let listing = list_programs(host, &mut environment, bin, scripts_directory);
    read_libraries(host, &mut environment, depth);
    environment.kind = kind(host, &environment, &listing);
    if depth.installed && matches!(environment.kind, EnvironmentKind::Installation | EnvironmentKind::Conda) {
        environment.shared = shared(host, &environment);
    }
    (environment, listing)
}

/// Recognises the prefix of an installed Python by the standard libraries that it may hold, without listing `bin` and
/// `lib`: the system's hold thousands of names.
fn is_installation(host: &dyn Host, environment: &mut Environment, depth: Depth) -> bool {
    if host.is_directory(&environment.root.join("conda-meta")) {
        return false;
    }
    let lib = environment.root.join("lib");
    let minors = (6..20).map(|minor| Version::new(3, minor, None)).chain([Version::new(2, 7, None)]);
    let libraries: Vec<Place> = minors
        .map(|version| (version, lib.join(format!("python{}", version.minor_text()))))
        .filter(|(_, directory)| host.is_file(&directory.join("os.py")))
        .map(|(version, directory)| Place {
            site_packages: directory.join("site-packages"),
            version: Some(version),
            implementation: "cpython",
            directory,
        })
        .collect();
    if libraries.is_empty()
        || libraries.iter().any(|place| host.exists(&place.directory.join("orig-prefix.txt")))
    {
        return false;
    }
    let bin = environment.root.join("bin");
    let names = ["python".to_owned(), "python3".to_owned()].into_iter();
    let versioned =
        libraries.iter().filter_map(|place| Some(format!("python{}", place.version?.minor_text())));
    environment.interpreters =
        names.chain(versioned).map(|name| bin.join(name)).filter(|path| host.is_file(path)).collect();
    environment.script_directory = Some(bin);
    environment.layout = Layout::Posix;
    environment.kind = EnvironmentKind::Installation;
    examine_libraries(host, environment, libraries, depth);
    if depth.installed {
        environment.shared = shared(host, environment);
    }
    true
}

/// The place of an environment, by its name and its real path.
#[derive(Debug, Clone)]
pub struct Own {
    pub root: HostPath,
    pub real: Option<HostPath>,
}

impl Own {
    pub fn of(environment: &Environment) -> Own {
        Own { root: environment.root.clone(), real: environment.real.clone() }
    }

    /// What a root that was written into one of its files leads to today.
    pub fn state_of(&self, files: &dyn Files, baked: &HostPath) -> BakedState {
        if baked.same_as(&self.root) || self.real.as_ref().is_some_and(|real| baked.same_as(real)) {
            return BakedState::Own;
        }
        let Ok(real) = files.canonical(baked) else { return BakedState::Missing };
        if self.real.as_ref() == Some(&real) {
            return BakedState::Own;
        }
        // a bind mount shows one directory in two places
        let identity = |path: &HostPath| files.metadata(path).ok().and_then(|metadata| metadata.identity);
        if identity(&real).is_some_and(|theirs| identity(&self.root) == Some(theirs)) {
            return BakedState::Own;
        }
        if files.is_file(&real.join("pyvenv.cfg")) || files.is_directory(&real.join("conda-meta")) {
            return BakedState::OtherEnvironment;
        }
        if files.is_directory(&real) { BakedState::OtherDirectory } else { BakedState::Missing }
    }
}

fn read_config(host: &dyn Host, environment: &mut Environment) {
    // the file that counts lies in the root; one in bin/ is only site's second choice (Lib/site.py, venv())
    let path = environment.root.join("pyvenv.cfg");
    match host.read(&path, CONFIG_LIMIT) {
        Ok(contents) => {
            let config = pyvenv_cfg::parse(&contents.bytes);
            environment.creator = Some(config.creator());
            environment.home = home(host, &config);
            if let Some(made_at) =
                config.command_directory().and_then(|text| HostPath::new(path.flavour(), text))
            {
                environment.made_at_state = Some(Own::of(environment).state_of(host, &made_at));
                environment.made_at = Some(made_at);
            }
            environment.config = Gathered::Known(config);
            environment.config_path = Some(path);
        }
        Err(FileError::Missing) => {}
        Err(error) => {
            environment.config = Gathered::Unknown { why: error.to_string() };
            environment.config_error = Some(error);
            environment.config_path = Some(path);
        }
    }
}

/// Where `home` leads.
fn home(host: &dyn Host, config: &pyvenv_cfg::PyvenvConfig) -> Option<HomeDirectory> {
    let text = config.home()?;
    let path = HostPath::new(host.platform().flavour(), text)?;
    let mut home = HomeDirectory {
        line: config.line_of("home"),
        state: HomeState::Missing,
        interpreter: None,
        version: None,
        moved_to: Vec::new(),
        path,
    };
    match host.metadata(&home.path) {
        Err(FileError::Denied) => home.state = HomeState::Denied,
        Err(_) => home.moved_to = moved_to(host, &home.path, config),
        Ok(metadata) if metadata.kind != FileKind::Directory => home.state = HomeState::File,
        Ok(_) => {
            home.state = HomeState::NoInterpreter;
            let minor = config.version().map(|(major, minor, _)| format!("python{major}.{minor}"));
            let names = match host.platform().flavour() {
                Flavour::Posix => {
                    minor.into_iter().chain(["python3".to_owned(), "python".to_owned()]).collect()
                }
                Flavour::Windows => vec!["python.exe".to_owned()],
            };
            // virtualenv 20.0 wrote the prefix, and the search for the standard library still succeeds
            let places = [home.path.clone(), home.path.join("bin")];
            let candidates = places.iter().flat_map(|place| names.iter().map(|name| place.join(name)));
            if let Some(interpreter) = candidates.into_iter().find(|path| host.is_file(path)) {
                home.state = HomeState::Good;
                home.version = version_of_file(host, &interpreter);
                home.interpreter = Some(interpreter);
            }
        }
    }
    Some(home)
}

/// The same place below a sibling of the first name that is missing: `/opt/python-3.11.8/bin` for
/// `/opt/python-3.11.7/bin`.
fn moved_to(files: &dyn Files, home: &HostPath, config: &pyvenv_cfg::PyvenvConfig) -> Vec<HostPath> {
    let Some((major, minor, _)) = config.version() else { return Vec::new() };
    let Some(missing) = home.ancestors().take_while(|path| !files.exists(path)).last() else {
        return Vec::new();
    };
    let (Some(parent), Some(rest)) = (missing.parent(), home.relative_to(&missing)) else {
        return Vec::new();
    };
    let Ok(listing) = files.list(&parent) else { return Vec::new() };
    let name = format!("python{major}.{minor}");
    let mut found: Vec<HostPath> = Vec::new();
    for entry in listing.entries.iter().take(MOST_SIBLINGS) {
        let directory = parent.join(&entry.name).join(&rest);
        // an alias such as `cpython-3.12-linux` is no second place
        let known = |other: &HostPath| files.canonical(other).ok() == files.canonical(&directory).ok();
        if files.is_file(&directory.join(&name)) && !found.iter().any(known) {
            found.push(directory);
        }
    }
    found
}

/// The version that the name at the end of the links tells: `python3.11`.
pub fn version_of_file(files: &dyn Files, path: &HostPath) -> Option<Version> {
    let chain = links::chain(files, path);
    chain.hops.iter().rev().find_map(|hop| version_in_name(&hop.name()))
}

/// `python3.11`, `python3.13t`, `pypy3.11`, `python3.11.exe`.
pub fn version_in_name(name: &str) -> Option<Version> {
    let digits = name.strip_prefix("python").or_else(|| name.strip_prefix("pypy"))?;
    let digits = digits.strip_suffix(".exe").unwrap_or(digits);
    Version::parse(digits)
}

/// The listing of the script directory, `bin` or `Scripts`.
fn list_programs(
    host: &dyn Host,
    environment: &mut Environment,
    bin: HostPath,
    scripts_directory: HostPath,
) -> Listing {
    let mut list = |directory: &HostPath| match host.list(directory) {
        Ok(listing) => Some(listing),
        Err(FileError::Missing | FileError::NotADirectory) => None,
        Err(error) => {
            environment.scripts_error = Some(error);
            None
        }
    };
    let posix = list(&bin);
    let windows = list(&scripts_directory);
    environment.layout = match (posix.is_some(), windows.is_some()) {
        (true, true) => Layout::Mixed,
        (true, false) => Layout::Posix,
        (false, true) => Layout::Windows,
        (false, false) => Layout::None,
    };
    let native = host.platform().flavour();
    let (directory, listing) = match (native, posix, windows) {
        (Flavour::Windows, _, Some(listing)) => (scripts_directory, listing),
        (_, Some(listing), _) => (bin, listing),
        (_, None, Some(listing)) => (scripts_directory, listing),
        (_, None, None) => return Listing::default(),
    };
    let named = listing.entries.iter().filter(|entry| is_python_name(&entry.name));
    let (directories, programs): (Vec<_>, Vec<_>) = named
        .map(|entry| (entry.kind == FileKind::Directory, directory.join(&entry.name)))
        .partition(|(is_directory, _)| *is_directory);
    environment.misplaced = directories.into_iter().map(|(_, path)| path).collect();
    environment.interpreters = programs.into_iter().map(|(_, path)| path).collect();
    // python, then python3, then python3.11
    environment.interpreters.sort_by_key(|path| path.as_bytes().len());
    environment.script_directory = Some(directory);
    listing
}

/// A directory of libraries, before it is looked into.
struct Place {
    directory: HostPath,
    version: Option<Version>,
    implementation: &'static str,
    site_packages: HostPath,
}

fn read_libraries(host: &dyn Host, environment: &mut Environment, depth: Depth) {
    let mut places: Vec<Place> = Vec::new();
    let lib = environment.root.join("lib");
    if environment.layout != Layout::Windows
        && let Ok(listing) = host.list(&lib)
    {
        for entry in listing.entries {
            let name = readable(&entry.name).into_owned();
            let Some(version) = version_in_name(&name) else { continue };
            let implementation = if name.starts_with("pypy") { "pypy" } else { "cpython" };
            let directory = lib.join(&entry.name);
            let site_packages = directory.join("site-packages");
            places.push(Place { directory, version: Some(version), implementation, site_packages });
        }
    }
    if matches!(environment.layout, Layout::Windows | Layout::Mixed) {
        let directory = environment.root.join("Lib");
        let site_packages = directory.join("site-packages");
        places.push(Place { directory, version: None, implementation: "cpython", site_packages });
    }
    examine_libraries(host, environment, places, depth);
}

fn examine_libraries(host: &dyn Host, environment: &mut Environment, places: Vec<Place>, depth: Depth) {
    for Place { directory, version, implementation, site_packages } in places {
        let listing = host.list(&site_packages);
        if let (Ok(listing), true) = (&listing, depth.installed) {
            environment.installed.extend(installed(&site_packages, listing));
        }
        let entries = listing.as_ref().map_or(0, |listing| {
            listing
                .entries
                .iter()
                .filter(|entry| entry.name != b"__pycache__" && !entry.name.starts_with(b"."))
                .count()
        });
        environment.libraries.push(Library {
            site_packages_exists: !matches!(listing, Err(FileError::Missing | FileError::NotADirectory)),
            readable: listing.is_ok(),
            has_pip: listing
                .as_ref()
                .is_ok_and(|listing| listing.entries.iter().any(|entry| entry.name == b"pip")),
            has_debris: listing
                .as_ref()
                .is_ok_and(|listing| listing.entries.iter().any(|entry| synced::is_debris(&entry.name))),
            entries,
            directory,
            version,
            implementation: implementation.to_owned(),
            site_packages,
        });
    }
    environment.installed.sort_by(|left, right| left.name.cmp(&right.name));
}

/// Distributions by the names of their metadata directories alone.
fn installed(site_packages: &HostPath, listing: &Listing) -> Vec<Installed> {
    listing
        .entries
        .iter()
        .filter_map(|entry| names::parse_name(&entry.name))
        .filter_map(|found| {
            Some(Installed {
                metadata: site_packages.join(&found.entry),
                version: found.version?,
                name: found.name,
                editable: None,
                direct_url: None,
                requested: false,
            })
        })
        .collect()
}

/// What an interpreter of an installation imports from outside its `site-packages`: the user site, and Debian's
/// `dist-packages` (Lib/site.py, `getusersitepackages`, and Debian's patch of `getsitepackages`).
fn shared(host: &dyn Host, environment: &Environment) -> Gathered<Vec<Installed>> {
    let Some(version) = environment.libraries.iter().find_map(|library| library.version) else {
        return Gathered::NotAsked;
    };
    let minor = format!("lib/python{}", version.minor_text());
    let user_base = host.path_variable("PYTHONUSERBASE").or_else(|| Some(host.home()?.join(".local")));
    let mut directories: Vec<HostPath> =
        user_base.into_iter().map(|base| base.join(&minor).join("site-packages")).collect();
    if environment.root.to_text() == "/usr" {
        directories.push(environment.root.join("local").join(&minor).join("dist-packages"));
        directories.push(environment.root.join(format!("lib/python{}/dist-packages", version.major)));
    }
    let mut found = Vec::new();
    for directory in directories {
        match host.list(&directory) {
            Ok(listing) => found.extend(installed(&directory, &listing)),
            Err(FileError::Missing | FileError::NotADirectory) => {}
            Err(error) => return Gathered::Unknown { why: format!("{directory}: {error}") },
        }
    }
    Gathered::Known(found)
}

fn kind(files: &dyn Files, environment: &Environment, listing: &Listing) -> EnvironmentKind {
    if environment.config_path.is_some() {
        return EnvironmentKind::Venv;
    }
    if files.is_directory(&environment.root.join("conda-meta")) {
        return EnvironmentKind::Conda;
    }
    let has_library = environment.libraries.iter().any(|library| library.site_packages_exists);
    let legacy = environment.libraries.iter().any(|library| {
        files.is_file(&library.directory.join("orig-prefix.txt"))
            || files.is_file(&library.directory.join("no-global-site-packages.txt"))
    });
    if legacy {
        return EnvironmentKind::LegacyVirtualenv;
    }
    // an installation has the standard library beside its site-packages; a venv never has
    let own = environment.libraries.iter().map(|library| library.directory.clone());
    let mut unseen = false;
    for directory in own.chain([environment.root.join("Lib")]) {
        match files.metadata(&directory.join("os.py")) {
            Ok(metadata) if metadata.kind == FileKind::File => return EnvironmentKind::Installation,
            Ok(_) | Err(FileError::Missing | FileError::NotADirectory) => {}
            Err(_) => unseen = true,
        }
    }
    // what may not be looked into proves nothing
    if unseen {
        return EnvironmentKind::Other;
    }
    let has_activate =
        listing.entries.iter().any(|entry| ActivatorKind::from_file_name(&entry.name).is_some());
    match (has_activate, has_library, environment.interpreters.is_empty()) {
        (true, true, _) | (true, _, false) => EnvironmentKind::Remains,
        (false, true, false) => EnvironmentKind::Remains,
        _ => EnvironmentKind::Other,
    }
}
