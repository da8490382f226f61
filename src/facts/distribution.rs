//! What is installed where an interpreter imports from: distributions with their metadata, `.pth` files and
//! leftovers, by directory of the import path.

use serde::{Deserialize, Serialize};

use super::Gathered;
use super::contents::Contents;
use crate::path::HostPath;

/// The directories that one environment's interpreter imports installed packages from, in the order of its import path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packages {
    /// Root of the environment.
    pub environment: HostPath,
    pub sites: Vec<SitePackages>,
    /// Files that more than one distribution of a site recorded; those of the environment under examination only.
    pub overlaps: Vec<Overlap>,
    /// Names that can be imported from the directories and archives that `.pth` lines add.
    pub added_modules: Vec<String>,
    /// Start-up code whose changes to the import path are not among the sites.
    #[serde(default, alias = "path_hooks")]
    pub path_changes: Vec<PathChange>,
    /// Modules that entry scripts import and that the package of that name does not have.
    #[serde(default)]
    pub lost_targets: Vec<LostTarget>,
    /// Recorded files whose contents are others than were installed.
    pub contents: Gathered<Contents>,
}

/// Code that runs at every start and changes where modules are found, in a way that only a run of it can tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathChange {
    /// A `sitecustomize`, a `usercustomize`, or a `.pth` file.
    pub file: HostPath,
    /// Of the `.pth` file, counted from 1.
    pub line: Option<usize>,
    /// It installs a finder, whose modules lie in no entry of `sys.path`.
    pub finder: bool,
    /// The top-level modules that the finder serves, where it is a build tool's of an editable install. Any where
    /// empty.
    #[serde(default)]
    pub serves: Vec<String>,
}

/// An entry script that starts, and what it imports in vain: `pkg.cli` where `pkg` has no `cli`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostTarget {
    pub script: HostPath,
    /// Dotted; `pip` alone where only its function `main` is missing.
    pub module: String,
}

impl LostTarget {
    /// The package that the script imports from.
    pub fn top(&self) -> &str {
        self.module.split('.').next().unwrap_or(&self.module)
    }
}

/// Files that two distributions of one directory both claim, with different contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlap {
    /// Metadata of the two.
    pub left: HostPath,
    pub right: HostPath,
    /// The first of the files; at most a few are named.
    pub files: Vec<HostPath>,
    pub count: usize,
}

impl Packages {
    /// Every distribution, first on the import path first.
    pub fn distributions(&self) -> impl Iterator<Item = &Distribution> {
        self.sites.iter().flat_map(|site| &site.distributions)
    }

    /// The environment's own directories and the user's: what its user installs into.
    pub fn own_sites(&self) -> impl Iterator<Item = &SitePackages> {
        self.sites.iter().filter(|site| matches!(site.kind, SiteKind::Own | SiteKind::User))
    }

    /// The distributions there.
    pub fn own_distributions(&self) -> impl Iterator<Item = &Distribution> {
        self.own_sites().flat_map(|site| &site.distributions)
    }

    /// Whether something that is installed, or what a `.pth` line adds to the import path, provides this top-level
    /// module.
    pub fn provides_module(&self, name: &str) -> bool {
        self.added_modules.iter().any(|module| module == name)
            || self.path_changes.iter().any(|change| change.serves.iter().any(|module| module == name))
            || self.sites.iter().any(|site| {
                site.modules.iter().any(|module| module.name == name && !module.barren)
                    || site.distributions.iter().any(|distribution| {
                        distribution.is_editable() && distribution.modules.iter().any(|module| module == name)
                    })
            })
    }

    /// The first change of the import path after which any module may be found.
    pub fn open_change(&self) -> Option<&PathChange> {
        self.path_changes.iter().find(|change| change.serves.is_empty())
    }

    /// All of this normalised name in the first directory that has one. Which of several `importlib.metadata` finds is
    /// the file system's affair: it takes the first in the order of `os.listdir` (`FastPath.children`,
    /// `Prepared.search`).
    pub fn registered<'a>(&'a self, normalized: &'a str) -> impl Iterator<Item = &'a Distribution> {
        let of_name = move |site: &'a SitePackages| {
            site.distributions.iter().filter(move |distribution| distribution.normalized == normalized)
        };
        let first = self.sites.iter().find(move |site| of_name(site).next().is_some());
        first.into_iter().flat_map(of_name)
    }

    /// The distribution of this normalised name (PEP 503) that `importlib.metadata` finds.
    pub fn distribution(&self, normalized: &str) -> Option<&Distribution> {
        self.distributions().find(|distribution| distribution.normalized == normalized)
    }
}

/// Whose a directory of packages is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SiteKind {
    /// The environment's own `site-packages`.
    Own,
    /// `~/.local/lib/pythonX.Y/site-packages`.
    User,
    /// The base installation's, seen because of `include-system-site-packages` or because there is no venv.
    Base,
    /// A directory or an archive that `PYTHONPATH` names.
    PythonPath,
    /// One that start-up code adds: a line of a `.pth` file, or whatever else the interpreter reports.
    Added,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SitePackages {
    pub directory: HostPath,
    pub kind: SiteKind,
    /// Whether this user may list it, and change it.
    pub readable: bool,
    pub writable: bool,
    pub owner: Option<u32>,
    /// In the order of the listing.
    pub distributions: Vec<Distribution>,
    pub pth_files: Vec<PthFile>,
    /// Names that start with `~`.
    pub leftovers: Vec<String>,
    /// Top-level names that can be imported from here: `six`, `yaml`, `google`, sorted.
    pub modules: Vec<TopLevel>,
}

/// Something directly below a directory of packages that `import` may find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopLevel {
    pub name: String,
    /// The file or directory.
    pub path: HostPath,
    pub kind: TopLevelKind,
    /// A namespace in which, at any depth, no file lies that could be imported.
    pub barren: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TopLevelKind {
    /// A directory with `__init__`.
    Package,
    /// A directory without it.
    Namespace,
    /// `x.py`
    Source,
    /// `x.*.so`, `x.*.pyd`; the whole suffix is in the file's name.
    Extension,
    /// `x.pyc` without its source.
    Bytecode,
}

/// An installed distribution with its metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// As its metadata spells it, else as its directory does.
    pub name: String,
    /// By PEP 503.
    pub normalized: String,
    /// From the metadata, else from the directory's name.
    pub version: Option<String>,
    /// The `.dist-info`, `.egg-info` (file or directory) or `.egg-link`.
    pub metadata: HostPath,
    pub form: DistributionForm,
    /// Whether METADATA (or PKG-INFO) is there and readable.
    pub has_metadata: bool,
    /// Whether its metadata could be read, as far as there is any.
    pub readable: bool,
    /// Whether its directory holds a RECORD.
    pub has_record: bool,
    /// `Requires-Dist`, as written.
    pub requires: Vec<String>,
    pub requires_python: Option<String>,
    /// `pip`, `uv`, `conda`, `debian`...
    pub installer: Option<String>,
    pub requested: bool,
    /// The source directory of an editable install.
    pub editable: Option<HostPath>,
    /// Each place that an editable install takes its modules from, with the file that names it.
    pub sources: Vec<EditableSource>,
    /// Whether all of these places are there and none is in the project's directory, links followed.
    #[serde(default)]
    pub elsewhere: bool,
    /// Where the source of an editable install may have gone: projects near the old place, or around the
    /// working directory, that declare the same name. Looked for only when a source is missing.
    pub moved_to: Vec<MovedSource>,
    /// Without credentials.
    pub direct_url: Option<String>,
    /// `Tag` lines of WHEEL, where it is asked for and there is compiled code.
    pub tags: Vec<String>,
    /// Extension modules and libraries that its RECORD names, below the directory of packages.
    #[serde(default)]
    pub compiled: Vec<String>,
    /// Top-level modules that it provides, from RECORD, else `top_level.txt`.
    pub modules: Vec<String>,
    /// Commands that it brings: the names of `[console_scripts]` and `[gui_scripts]`, and of what its RECORD puts into
    /// `bin` or `Scripts`.
    pub scripts: Vec<String>,
    pub record: Gathered<Record>,
}

/// A place outside the directory of packages that holds an editable install's modules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditableSource {
    /// The `.pth`, finder, `.egg-link` or `direct_url.json`.
    pub named_in: HostPath,
    pub line: Option<usize>,
    /// The module that a finder maps to it.
    pub module: Option<String>,
    pub path: HostPath,
    pub exists: bool,
}

impl Distribution {
    pub fn is_editable(&self) -> bool {
        self.editable.is_some() || !self.sources.is_empty()
    }

    /// Name and version, as `pip list` shows them.
    pub fn label(&self) -> String {
        match &self.version {
            Some(version) => format!("{} {version}", self.name),
            None => self.name.clone(),
        }
    }

    /// Put there by a package manager that keeps its own list of files, so that a RECORD may be missing or untrue.
    pub fn is_distributors(&self) -> bool {
        self.installer.as_deref().is_some_and(|installer| {
            matches!(
                installer.to_ascii_lowercase().as_str(),
                "conda" | "debian" | "rpm" | "apk" | "portage" | "pacman" | "nix"
            )
        })
    }

    /// Words that an installer takes to install the same again: `six==1.16.0`, a URL, `-e` and a directory.
    pub fn requirement(&self) -> Option<Vec<String>> {
        if self.is_editable() {
            let source =
                self.editable.as_ref().or_else(|| self.sources.first().map(|source| &source.path))?;
            return Some(vec!["-e".to_owned(), source.to_text().into_owned()]);
        }
        match (&self.direct_url, &self.version) {
            (Some(url), _) => Some(vec![format!("{} @ {url}", self.name)]),
            (None, Some(version)) => Some(vec![format!("{}=={version}", self.name)]),
            (None, None) => Some(vec![self.name.clone()]),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DistributionForm {
    DistInfo,
    EggInfo,
    EggLink,
    Egg,
}

/// A project that declares the name of an editable install whose source is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedSource {
    pub path: HostPath,
    /// Normalised names of what building it needs, from `[build-system]`.
    pub build_requires: Vec<String>,
}

/// What a RECORD (or `installed-files.txt`) says, compared with what is there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Record {
    /// How many files it names.
    pub files: usize,
    /// Recorded files that are not there, bytecode and caches left out; at most a hundred are named. Data and tests
    /// are looked for only where a module is gone.
    pub missing: Vec<HostPath>,
    pub missing_count: usize,
    /// How many of the missing ones are modules that are imported, tests left out; they lead
    /// [`missing`](Record::missing).
    pub missing_modules: usize,
    /// How many such modules it names.
    pub modules: usize,
}

/// A `.pth` file of a directory of packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PthFile {
    pub path: HostPath,
    /// Its name starts with a dot, or the file has the hidden flag: newer Pythons skip it.
    pub hidden: bool,
    pub decodable: bool,
    /// Directories that its lines name: line, path, whether it exists.
    pub paths: Vec<PthLine>,
    /// Lines that Python executes.
    pub imports: Vec<PthImport>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PthLine {
    pub line: usize,
    pub path: HostPath,
    pub exists: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PthImport {
    pub line: usize,
    pub text: String,
}
