//! Places that packages are installed for one interpreter.

use serde::{Deserialize, Serialize};

use super::interpreter::Version;
use super::{Gathered, Origin};
use crate::host::{FileError, Mount};
use crate::parse::activate::ActivatorKind;
use crate::parse::names::normalize_name;
use crate::parse::pyvenv_cfg::{Creator, PyvenvConfig};
use crate::path::{Flavour, HostPath};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnvironmentKind {
    /// Has a `pyvenv.cfg`.
    Venv,
    /// Looks like a venv (interpreters, activate scripts, packages) and has no `pyvenv.cfg`.
    Remains,
    /// virtualenv before version 20: no `pyvenv.cfg` by design, `orig-prefix.txt` instead.
    LegacyVirtualenv,
    /// Has `conda-meta`.
    Conda,
    /// The prefix of an installed Python.
    Installation,
    /// Something names it, and it is not there.
    Missing,
    /// Something names it, and it is no environment.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// `bin/`, `lib/pythonX.Y/`.
    Posix,
    /// `Scripts\`, `Lib\`.
    Windows,
    /// Both.
    Mixed,
    /// Neither.
    None,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// As it was named first.
    pub root: HostPath,
    /// Every link resolved, where it exists.
    pub real: Option<HostPath>,
    pub origins: Vec<Origin>,
    pub kind: EnvironmentKind,
    pub layout: Layout,
    /// `pyvenv.cfg`, where there is one: its path, and its text or why it cannot be read.
    pub config_path: Option<HostPath>,
    pub config: Gathered<PyvenvConfig>,
    pub config_error: Option<FileError>,
    pub creator: Option<Creator>,
    /// `bin` or `Scripts`.
    pub script_directory: Option<HostPath>,
    /// Why it is there and cannot be listed: then what is said to be in it is not all.
    pub scripts_error: Option<FileError>,
    /// Paths of `python*` files in it, runnable or not; each is in [`Facts::interpreters`](super::Facts).
    pub interpreters: Vec<HostPath>,
    /// Directories in its place of such a name: what a container's mount leaves.
    #[serde(default)]
    pub misplaced: Vec<HostPath>,
    /// `lib/pythonX.Y` directories that are there.
    pub libraries: Vec<Library>,
    pub scripts: Vec<Script>,
    pub activators: Vec<Activator>,
    /// Names and versions from the directory names of the libraries' `site-packages`, sorted by name.
    pub installed: Vec<Installed>,
    /// What the interpreter of an installation imports from outside [`libraries`](Environment::libraries): Debian's
    /// `dist-packages`, the user site.
    pub shared: Gathered<Vec<Installed>>,
    pub mount: Option<Mount>,
    /// Owner of the root, where it exists.
    pub owner: Option<u32>,
    /// What `home` in `pyvenv.cfg` leads to.
    pub home: Option<HomeDirectory>,
    /// Why this place is taken for a cloud-synced folder, with the debris that was found.
    pub synced: Option<SyncedFolder>,
    /// How many of its files the git index holds.
    pub tracked_files: Option<usize>,
    /// The directory that ends `command` in `pyvenv.cfg`: where it was made.
    pub made_at: Option<HostPath>,
    pub made_at_state: Option<BakedState>,
    /// Source directories of editable installs and path lines of `.pth` files that are not there, with the file that
    /// names them.
    pub missing_sources: Vec<(HostPath, HostPath)>,
    /// Where its root, a link, leads in vain.
    #[serde(default)]
    pub lost_target: Option<HostPath>,
}

/// An environment root that files of an environment name, and the files that name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignRoot<'a> {
    pub root: &'a HostPath,
    pub state: BakedState,
    pub scripts: Vec<&'a Script>,
    pub activators: Vec<&'a Activator>,
    pub made_at: bool,
}

impl Environment {
    pub fn is_at(&self, root: &HostPath) -> bool {
        self.root.same_as(root) || self.real.as_ref().is_some_and(|real| real.same_as(root))
    }

    /// Whether a path lies in it, by its name or its real place.
    pub fn contains(&self, path: &HostPath) -> bool {
        path.is_within(&self.root) || self.real.as_ref().is_some_and(|real| path.is_within(real))
    }

    /// It may be there: a directory on the way to it may not be entered.
    pub fn is_out_of_reach(&self) -> bool {
        self.kind == EnvironmentKind::Other && self.config_error == Some(FileError::Denied)
    }

    /// A venv in working order or not: something made it to be one.
    pub fn is_venv(&self) -> bool {
        matches!(
            self.kind,
            EnvironmentKind::Venv | EnvironmentKind::Remains | EnvironmentKind::LegacyVirtualenv
        )
    }

    pub fn exists(&self) -> bool {
        !matches!(self.kind, EnvironmentKind::Missing | EnvironmentKind::Other)
    }

    /// The Python that it was made for: its only `lib/pythonX.Y`, else what `pyvenv.cfg` says.
    pub fn python_version(&self) -> Option<Version> {
        match self.libraries.as_slice() {
            [library] if library.version.is_some() => library.version,
            _ => self.config_version(),
        }
    }

    /// The version that `pyvenv.cfg` says.
    pub fn config_version(&self) -> Option<Version> {
        let (major, minor, patch) = self.venv_config()?.version()?;
        Some(Version::new(major, minor, patch))
    }

    /// Distributions in one of its libraries, without those that creators put there.
    pub fn installed_in<'a>(&'a self, library: &'a Library) -> impl Iterator<Item = &'a Installed> {
        self.installed.iter().filter(|installed| {
            installed.metadata.is_within(&library.site_packages)
                && !matches!(installed.name.as_str(), "pip" | "setuptools" | "wheel" | "pkg-resources")
        })
    }

    pub fn venv_config(&self) -> Option<&PyvenvConfig> {
        self.config.known()
    }

    /// The places other than its own that its scripts, activate scripts and `pyvenv.cfg` name, the most named first.
    pub fn foreign_roots(&self) -> Vec<ForeignRoot<'_>> {
        let mut found: Vec<ForeignRoot<'_>> = Vec::new();
        for script in &self.scripts {
            if let (Some(root), Some(state)) = (&script.launch.root, script.launch.root_state)
                && let Some(foreign) = foreign(&mut found, root, state)
            {
                foreign.scripts.push(script);
            }
        }
        for activator in &self.activators {
            if let (Some(root), Some(state)) = (&activator.root, activator.root_state)
                && let Some(foreign) = foreign(&mut found, root, state)
            {
                foreign.activators.push(activator);
            }
        }
        if let (Some(root), Some(state)) = (&self.made_at, self.made_at_state)
            && let Some(foreign) = foreign(&mut found, root, state)
        {
            foreign.made_at = true;
        }
        found.sort_by_key(|foreign| std::cmp::Reverse(foreign.scripts.len() + 2 * foreign.activators.len()));
        found
    }

    /// The other place that the environment as a whole was made at: its activate scripts name it, or most of its
    /// scripts do. A script or two with a foreign interpreter are no such sign, nor is the base interpreter.
    pub fn made_elsewhere(&self) -> Option<ForeignRoot<'_>> {
        let baked = self.scripts.iter().filter(|script| script.launch.root.is_some()).count();
        self.foreign_roots()
            .into_iter()
            .filter(|foreign| foreign.root.flavour() == self.root.flavour())
            .filter(|foreign| !self.is_base(foreign.root))
            .find(|foreign| {
                let most = foreign.scripts.len() * 2 > baked;
                !foreign.activators.is_empty() || (most && (foreign.scripts.len() > 1 || foreign.made_at))
            })
    }

    /// Whether this is the prefix of the interpreter that it was made from.
    pub fn is_base(&self, prefix: &HostPath) -> bool {
        self.home.as_ref().is_some_and(|home| {
            home.path.same_as(prefix) || home.path.parent().is_some_and(|parent| parent.same_as(prefix))
        })
    }

    /// The distribution of this name or, as most are called alike, of this module.
    pub fn distribution(&self, name: &str) -> Option<&Installed> {
        let name = normalize_name(name);
        self.installed.iter().find(|installed| normalize_name(&installed.name) == name)
    }

    /// Installed in it, or where its distributor puts packages for all of its kind.
    pub fn provides(&self, name: &str) -> bool {
        let normalized = normalize_name(name);
        let mut shared = self.shared.known().into_iter().flatten();
        self.distribution(name).is_some() || shared.any(|it| normalize_name(&it.name) == normalized)
    }

    /// What it provides is known, and nothing of this name is among it.
    pub fn lacks(&self, name: &str) -> bool {
        let unread = self.libraries.iter().any(|library| library.site_packages_exists && !library.readable);
        let known = !unread && (self.is_venv() || self.shared.known().is_some());
        known && !self.provides(name)
    }

    /// The distribution that put a generated script there, by the module that the script imports.
    pub fn owner_of(&self, script: &Script) -> Option<&Installed> {
        self.distribution(script.module.as_deref()?.split('.').next()?)
    }

    /// The entry script or interpreter of this name in `bin` or `Scripts`, with or without `.exe`.
    pub fn has_program(&self, name: &str) -> bool {
        let is_it = |file: &str| match file.len().checked_sub(4).and_then(|stem| file.split_at_checked(stem))
        {
            Some((stem, suffix)) if suffix.eq_ignore_ascii_case(".exe") => stem.eq_ignore_ascii_case(name),
            _ => file == name,
        };
        self.scripts.iter().any(|script| is_it(&script.name))
            || self.interpreters.iter().any(|path| is_it(&path.name()))
    }

    pub fn has_pip(&self) -> bool {
        self.libraries.iter().any(|library| library.has_pip)
    }

    /// The path of a program in the script directory, whether or not it exists.
    pub fn program(&self, name: &str) -> HostPath {
        match &self.script_directory {
            Some(directory) => directory.join(name),
            None => scripts_of(&self.root).join(name),
        }
    }
}

/// Where this system puts the programs of an environment that is made at `root`.
pub fn scripts_of(root: &HostPath) -> HostPath {
    root.join(match root.flavour() {
        Flavour::Posix => "bin",
        Flavour::Windows => "Scripts",
    })
}

/// The entry for `root`, made where there is none; None for the environment's own root.
fn foreign<'a, 'b>(
    found: &'b mut Vec<ForeignRoot<'a>>,
    root: &'a HostPath,
    state: BakedState,
) -> Option<&'b mut ForeignRoot<'a>> {
    if state == BakedState::Own {
        return None;
    }
    let index = found.iter().position(|known| known.root.same_as(root)).unwrap_or_else(|| {
        found.push(ForeignRoot { root, state, scripts: Vec::new(), activators: Vec::new(), made_at: false });
        found.len() - 1
    });
    found.get_mut(index)
}

/// A `lib/pythonX.Y` of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    /// `lib/python3.11`, `Lib`.
    pub directory: HostPath,
    /// From its name; a Windows `Lib` has none.
    pub version: Option<Version>,
    /// `cpython` or `pypy`, from its name.
    pub implementation: String,
    pub site_packages: HostPath,
    pub site_packages_exists: bool,
    /// Whether this user may list it.
    pub readable: bool,
    pub has_pip: bool,
    /// Placeholders or conflicted copies of a cloud service lie in its `site-packages`.
    pub has_debris: bool,
    /// Entries of `site-packages` that are neither bytecode caches nor hidden: 0 means nothing is installed.
    pub entries: usize,
}

/// A distribution, by the name of its metadata directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    pub name: String,
    pub version: String,
    /// The `.dist-info` or `.egg-info`.
    pub metadata: HostPath,
    /// The source directory of an editable install, from `direct_url.json`.
    pub editable: Option<String>,
    /// The URL it was installed from, credentials removed, where it did not come from an index.
    pub direct_url: Option<String>,
    /// Whether it was asked for, not pulled in (a `REQUESTED` file).
    pub requested: bool,
}

/// An executable that an installer put into `bin` or `Scripts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    pub name: String,
    pub path: HostPath,
    pub executable: bool,
    pub launch: Launch,
    /// The module that a generated script imports.
    pub module: Option<String>,
}

/// How a script finds its interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    pub kind: LaunchKind,
    /// The interpreter that its author meant.
    pub interpreter: Option<HostPath>,
    pub interpreter_exists: bool,
    /// The environment that this interpreter belongs to by its place (`ROOT/bin/python`), and what is there today.
    pub root: Option<HostPath>,
    pub root_state: Option<BakedState>,
    /// Bytes of the first line without its end.
    pub line_length: usize,
    pub crlf: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LaunchKind {
    /// `#!/path/python`.
    Shebang,
    /// `#!/path with space/python`: the kernel cuts it at the space.
    ShebangWithSpace,
    /// `#!/usr/bin/env python`.
    Env,
    /// The two-line `/bin/sh` form.
    Trampoline,
    /// Finds the interpreter beside itself.
    Relocatable,
    /// A Windows launcher.
    Launcher,
    /// No Python script that a launch line tells of.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activator {
    pub kind: ActivatorKind,
    pub path: HostPath,
    /// The environment root written into it. None: it works out its own place.
    pub root: Option<HostPath>,
    pub line: Option<usize>,
    /// What that root is today: see [`BakedState`].
    pub root_state: Option<BakedState>,
    pub executable: bool,
    pub crlf: bool,
}

/// What a path that was written into an environment's files leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BakedState {
    /// The environment that the file lies in.
    Own,
    Missing,
    /// Another environment.
    OtherEnvironment,
    /// A directory that is no environment.
    OtherDirectory,
}

/// Where `home` of a `pyvenv.cfg` leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomeDirectory {
    pub path: HostPath,
    pub line: Option<usize>,
    pub state: HomeState,
    /// The interpreter in it that the venv would use, and its version by name or binary.
    pub interpreter: Option<HostPath>,
    /// With the patch release where the interpreter's bytes or its library's tell.
    pub version: Option<Version>,
    /// Where a missing one may have gone: the same place below a sibling of the first name that is missing, with
    /// an interpreter of the same name.
    pub moved_to: Vec<HostPath>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HomeState {
    /// A directory with an interpreter.
    Good,
    /// A directory without one.
    NoInterpreter,
    /// `home = /usr/bin/python3`: fatal for 3.11 to 3.13.
    File,
    Missing,
    Denied,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncedFolder {
    /// `Dropbox`, `OneDrive`, `iCloud Drive`.
    pub service: String,
    /// Placeholders and conflicted copies in the environment.
    pub debris: Vec<HostPath>,
}
