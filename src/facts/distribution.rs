//! What is installed where an interpreter imports from: distributions with their metadata, `.pth` files and
//! leftovers, by directory of the import path.

use serde::{Deserialize, Serialize};

use super::Gathered;
use crate::path::HostPath;

/// The directories that one environment's interpreter imports installed packages from, in the order of its import path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packages {
    /// Root of the environment.
    pub environment: HostPath,
    pub sites: Vec<SitePackages>,
}

impl Packages {
    /// Every distribution, first on the import path first.
    pub fn distributions(&self) -> impl Iterator<Item = &Distribution> {
        self.sites.iter().flat_map(|site| &site.distributions)
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
    /// A directory that `PYTHONPATH` names.
    PythonPath,
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
    /// `Requires-Dist`, as written.
    pub requires: Vec<String>,
    pub requires_python: Option<String>,
    /// `pip`, `uv`, `conda`, `debian`...
    pub installer: Option<String>,
    pub requested: bool,
    /// The source directory of an editable install.
    pub editable: Option<HostPath>,
    /// Without credentials.
    pub direct_url: Option<String>,
    /// `Tag` lines of WHEEL.
    pub tags: Vec<String>,
    /// Top-level modules that it provides, from RECORD, else `top_level.txt`.
    pub modules: Vec<String>,
    /// `name = module:function` of `[console_scripts]` and `[gui_scripts]`: the names.
    pub scripts: Vec<String>,
    pub record: Gathered<Record>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DistributionForm {
    DistInfo,
    EggInfo,
    EggLink,
    Egg,
}

/// What a RECORD (or `installed-files.txt`) says, compared with what is there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Record {
    /// How many files it names.
    pub files: usize,
    /// Recorded files that are not there, bytecode and caches left out; at most a hundred are named.
    pub missing: Vec<HostPath>,
    pub missing_count: usize,
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
