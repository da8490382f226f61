//! Where a module would be imported from, found as Python's finders find it, without Python: the built-in and
//! frozen ones, then the import path entry by entry, then what editable installations add
//! (Lib/importlib/_bootstrap_external.py, Lib/zipimport.py).

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::build::{Build, Implementation, Version};
use super::place::Place;
use super::predict::{HookKind, ImportEntry, StartupHook};
use super::spelling::Spelling;
use crate::host::Files;
use crate::path::{Flavour, HostPath};

mod archive;
mod directory;
mod editable;
mod namespaces;
mod offer;
mod redirect;
mod runtime;
mod tables;
#[cfg(test)]
mod tests;

pub use archive::archive_names;
pub use offer::{Offer, Offered};
pub use runtime::registers;
pub use tables::extension_suffixes;

/// Longer names of modules are refused.
const NAME_LIMIT: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModuleKind {
    Source,
    Extension,
    Bytecode,
    /// A directory with an `__init__`.
    Package,
    /// Directories without one, over the whole path.
    Namespace,
    BuiltIn,
    Frozen,
    Zip,
}

impl ModuleKind {
    pub fn label(self) -> &'static str {
        match self {
            ModuleKind::Source => "source",
            ModuleKind::Extension => "extension",
            ModuleKind::Bytecode => "bytecode",
            ModuleKind::Package => "package",
            ModuleKind::Namespace => "namespace",
            ModuleKind::BuiltIn => "built-in",
            ModuleKind::Frozen => "frozen",
            ModuleKind::Zip => "zip",
        }
    }
}

/// What is imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    pub kind: ModuleKind,
    /// As `spec.origin`: the file, `built-in` or `frozen`. None for a namespace package.
    pub origin: Option<Spelling>,
    /// As `spec.submodule_search_locations`: where its submodules are looked for. Empty for what is no package.
    pub locations: Vec<Spelling>,
    /// The index of the entry that it, or its topmost package, was found by.
    pub entry: Option<usize>,
    /// The finder outside the path that led there: an editable installation's, or setuptools' for `distutils`.
    pub finder: Option<HostPath>,
}

/// A directory that was looked into, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Searched {
    pub directory: Spelling,
    pub result: SearchResult,
    /// What bears the name and does not count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<PassedOver>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchResult {
    Found,
    /// A directory without `__init__`: it counts when nothing better is found.
    Portion,
    Nothing,
    /// The entry does not exist.
    Missing,
    Unreadable,
    /// A file that is no zip archive.
    NotAnArchive,
    /// No directory: an editable installation's finder answers for it.
    Finder,
}

/// A file with the wanted name that Python does not import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum PassedOver {
    /// Its suffix is none of those that this interpreter takes.
    ForeignExtension { path: Spelling, suffix: String },
    /// A link that ends in nothing.
    DanglingLink { path: Spelling },
    /// A directory with the name of a file.
    DirectoryNotFile { path: Spelling },
    /// Compiled, in `__pycache__`, and its source is gone (PEP 3147: not imported).
    OrphanBytecode { path: Spelling },
    /// The same but for its case.
    OtherCase { path: Spelling },
    /// An egg-link: pip writes the directory into `easy-install.pth`, which is what counts.
    EggLink { path: Spelling },
}

impl PassedOver {
    pub fn path(&self) -> &Spelling {
        match self {
            PassedOver::ForeignExtension { path, .. }
            | PassedOver::DanglingLink { path }
            | PassedOver::DirectoryNotFile { path }
            | PassedOver::OrphanBytecode { path }
            | PassedOver::OtherCase { path }
            | PassedOver::EggLink { path } => path,
        }
    }
}

/// What came of looking for one module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    pub module: String,
    /// None: it is not found.
    pub found: Option<Found>,
    /// For a dotted name that is not found: up to the first part of it that is missing.
    pub failing: Option<String>,
    /// The package that would hold the failing part is a plain module.
    pub parent_is_no_package: bool,
    /// What the module is that would hold the failing part. None: the topmost is missing.
    pub parent: Option<ModuleKind>,
    /// The module above that may make the failing part when it runs: files cannot tell whether it is there.
    pub made_by: Option<Spelling>,
    /// Where the last part that was looked for was looked for.
    pub searched: Vec<Searched>,
    /// Packages above whose own code may alter where submodules are looked for.
    pub may_alter: Vec<Spelling>,
}

/// A place that modules are looked for in, and the entry of the path that it goes back to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Location {
    path: Vec<u8>,
    entry: Option<usize>,
}

/// What one place answered.
enum Answer {
    Found { kind: ModuleKind, origin: Vec<u8>, package: Option<Vec<u8>> },
    Portions(Vec<Vec<u8>>),
    Nothing(SearchResult),
}

/// Looks for modules; what it has listed it remembers, so it is made for one question or many at one moment.
pub struct Resolver<'a> {
    place: Place<'a>,
    build: &'a Build,
    entries: Vec<Location>,
    /// Every suffix in the order of FileFinder's loaders.
    suffixes: Vec<(String, ModuleKind)>,
    finders: Vec<editable::Finder>,
    presets: Vec<namespaces::Preset>,
    distutils_hook: Option<HostPath>,
    directories: RefCell<HashMap<Vec<u8>, Rc<directory::Directory>>>,
    archives: RefCell<HashMap<Vec<u8>, Option<Rc<archive::Archive>>>>,
}

impl<'a> Resolver<'a> {
    /// For the import path of one start; `hooks` are what runs at that start.
    pub fn new<'e>(
        files: &'a dyn Files,
        build: &'a Build,
        entries: impl IntoIterator<Item = &'e Spelling>,
        hooks: &[StartupHook],
        working_directory: Option<&HostPath>,
    ) -> Self {
        let flavour = working_directory.map_or_else(
            || build.stdlib.as_ref().map_or(Flavour::Posix, HostPath::flavour),
            HostPath::flavour,
        );
        let working_directory = working_directory.map(|path| path.as_bytes().to_vec());
        let place = Place { files, flavour, working_directory };
        let entries = entries.into_iter().enumerate();
        let entries =
            entries.map(|(index, entry)| Location { path: entry.as_bytes().to_vec(), entry: Some(index) });
        let extensions = tables::extension_suffixes(build);
        let mut suffixes: Vec<(String, ModuleKind)> =
            extensions.into_iter().map(|suffix| (suffix, ModuleKind::Extension)).collect();
        suffixes.push((".py".to_owned(), ModuleKind::Source));
        if flavour == Flavour::Windows {
            suffixes.push((".pyw".to_owned(), ModuleKind::Source));
        }
        suffixes.push((".pyc".to_owned(), ModuleKind::Bytecode));
        let distutils = hooks.iter().find(|hook| hook.kind == HookKind::DistutilsPrecedence);
        Resolver {
            entries: entries.collect(),
            suffixes,
            finders: editable::finders(&place, hooks),
            presets: namespaces::presets(&place, hooks),
            distutils_hook: distutils.map(|hook| hook.file.clone()),
            directories: RefCell::default(),
            archives: RefCell::default(),
            place,
            build,
        }
    }

    /// For a predicted path.
    pub fn for_entries(
        files: &'a dyn Files,
        build: &'a Build,
        entries: &[ImportEntry],
        hooks: &[StartupHook],
        working_directory: Option<&HostPath>,
    ) -> Self {
        let directories = entries.iter().map(|entry| &entry.directory);
        Resolver::new(files, build, directories, hooks, working_directory)
    }

    /// Finds `module`, each package above it first.
    pub fn resolve(&self, module: &str) -> Resolution {
        let mut resolution = Resolution {
            module: module.to_owned(),
            found: None,
            failing: None,
            parent_is_no_package: false,
            parent: None,
            made_by: None,
            searched: Vec::new(),
            may_alter: Vec::new(),
        };
        if module.len() > NAME_LIMIT || module.split('.').any(str::is_empty) || module.contains(['/', '\0']) {
            resolution.failing = Some(module.to_owned());
            return resolution;
        }
        let ends = module.match_indices('.').map(|(at, _)| at).chain([module.len()]);
        let mut places: Option<Vec<Location>> = None;
        let mut above: Vec<(&str, Found)> = Vec::new();
        for end in ends {
            let name = &module[..end];
            resolution.searched.clear();
            if resolution.parent_is_no_package {
                match self.put_into_sys_modules(name) {
                    // `os.path` is there, and has nothing below it
                    Some(found) if end < module.len() => {
                        above.push((name, found));
                        continue;
                    }
                    found => resolution.found = found,
                }
                resolution.parent_is_no_package = resolution.found.is_none();
                return self.failed(resolution, &above, name);
            }
            let Some((found, locations)) = self.find(name, places.as_deref(), &mut resolution.searched)
            else {
                return self.failed(resolution, &above, name);
            };
            if end == module.len() {
                resolution.found = Some(found);
                return resolution;
            }
            if locations.is_empty() && found.kind != ModuleKind::Namespace {
                resolution.parent_is_no_package = true;
            } else {
                places =
                    Some(self.altered(name, &found, locations, places.as_deref(), &mut resolution.may_alter));
            }
            above.push((name, found));
        }
        resolution
    }

    /// `name` is the first part that is not found, unless the whole is found all the same.
    fn failed(&self, mut resolution: Resolution, above: &[(&str, Found)], name: &str) -> Resolution {
        if resolution.found.is_none() {
            resolution.failing = Some(name.to_owned());
            resolution.parent = above.last().map(|(_, parent)| parent.kind);
            resolution.made_by = self.maker(above, name);
        }
        resolution
    }

    /// Every entry's own answer to a top-level name, as if it stood alone: what the first of them hides.
    pub fn offers(&self, module: &str) -> Vec<Found> {
        let alone = |location: &Location| {
            let mut searched = Vec::new();
            self.find_in(module, std::slice::from_ref(location), &mut searched).map(|(found, _)| found)
        };
        self.entries.iter().filter_map(alone).collect()
    }

    /// `sys.meta_path`, one after the other.
    fn find(
        &self,
        name: &str,
        places: Option<&[Location]>,
        searched: &mut Vec<Searched>,
    ) -> Option<(Found, Vec<Location>)> {
        if places.is_none()
            && name == "distutils"
            && let Some(found) = self.setuptools_distutils()
        {
            return Some(found);
        }
        let places = places.unwrap_or(&self.entries);
        if let Some(answer) = self.redirected(name, places, searched) {
            return answer;
        }
        let found = self
            .compiled_in(name)
            .or_else(|| self.find_in(name, places, searched))
            .or_else(|| self.find_editable(name, searched));
        self.preset(name, found)
    }

    /// `BuiltinImporter` and `FrozenImporter`.
    fn compiled_in(&self, name: &str) -> Option<(Found, Vec<Location>)> {
        let found = |kind: ModuleKind, locations: Vec<Spelling>| Found {
            kind,
            origin: Some(kind.label().into()),
            locations,
            entry: None,
            finder: None,
        };
        if tables::is_built_in(self.build, name) {
            return Some((found(ModuleKind::BuiltIn, Vec::new()), Vec::new()));
        }
        let is_package = tables::frozen(self.build, name)?;
        let mut locations = Vec::new();
        if is_package
            && self.build.version >= Version::new(3, 11)
            && !name.contains("alias")
            && let Some(stdlib) = &self.build.stdlib
        {
            let path =
                name.split('.').fold(stdlib.as_bytes().to_vec(), |path, part| self.place.join(&path, part));
            locations.push(Location { path, entry: None });
        }
        let spelt = locations.iter().map(|location| location.path.clone().into()).collect();
        Some((found(ModuleKind::Frozen, spelt), locations))
    }

    /// setuptools' `DistutilsMetaFinder` stands first and answers with its own copy.
    fn setuptools_distutils(&self) -> Option<(Found, Vec<Location>)> {
        let hook = self.distutils_hook.as_ref()?;
        let own = self.resolve("setuptools._distutils").found?;
        let place = |path: &Spelling| Location { path: path.as_bytes().to_vec(), entry: own.entry };
        let locations = own.locations.iter().map(place).collect();
        Some((Found { finder: Some(hook.clone()), ..own }, locations))
    }

    /// `PathFinder.find_spec` over the given places.
    fn find_in(
        &self,
        name: &str,
        places: &[Location],
        searched: &mut Vec<Searched>,
    ) -> Option<(Found, Vec<Location>)> {
        let tail = name.rsplit('.').next().unwrap_or(name);
        let mut portions: Vec<Location> = Vec::new();
        for location in places {
            let answer = self.ask(name, tail, &location.path);
            let (result, passed_over) = match &answer {
                Answer::Found { .. } => (SearchResult::Found, Vec::new()),
                Answer::Portions(_) => (SearchResult::Portion, self.passed_over(tail, &location.path)),
                Answer::Nothing(result) => (*result, self.passed_over(tail, &location.path)),
            };
            searched.push(Searched { directory: location.path.clone().into(), result, passed_over });
            let entry = location.entry;
            match answer {
                Answer::Found { kind, origin, package } => {
                    let locations: Vec<_> =
                        package.into_iter().map(|path| Location { path, entry }).collect();
                    let spelt = locations.iter().map(|location| location.path.clone().into()).collect();
                    let origin = Some(origin.into());
                    return Some((Found { kind, origin, locations: spelt, entry, finder: None }, locations));
                }
                Answer::Portions(paths) => {
                    portions.extend(paths.into_iter().map(|path| Location { path, entry }));
                }
                Answer::Nothing(_) => {}
            }
        }
        if portions.is_empty() || self.build.version < Version::new(3, 3) {
            return None;
        }
        let locations = portions.iter().map(|portion| portion.path.clone().into()).collect();
        let entry = portions[0].entry;
        Some((Found { kind: ModuleKind::Namespace, origin: None, locations, entry, finder: None }, portions))
    }

    /// The finder that the entry's path hook gives: of a zip archive, of a directory, or of an editable.
    fn ask(&self, name: &str, tail: &str, entry: &[u8]) -> Answer {
        if let Some(portions) = self.placeholder(name, entry) {
            return match portions {
                Some(portions) => Answer::Portions(portions),
                None => Answer::Nothing(SearchResult::Finder),
            };
        }
        let entry = self.finder_path(entry);
        if self.place.is_directory(&entry) {
            return self.ask_directory(tail, &entry);
        }
        if let Some((archive, inside)) = self.archive_of(&entry) {
            return archive.find(tail, &inside, &self.place);
        }
        Answer::Nothing(if self.place.exists(&entry) {
            SearchResult::NotAnArchive
        } else {
            SearchResult::Missing
        })
    }

    /// What FileFinder makes of an entry: since 3.10 absolute; the empty one is the working directory.
    fn finder_path(&self, entry: &[u8]) -> Vec<u8> {
        if entry.is_empty() {
            return self.place.anchored(b"");
        }
        let absolute =
            self.build.implementation == Implementation::CPython && self.build.version >= Version::new(3, 10);
        if !absolute {
            return entry.to_vec();
        }
        if entry == b"." { self.place.anchored(b"") } else { self.place.anchored(entry) }
    }
}

/// `_path_join` of importlib: separators at the end of the directory do not count.
fn joined(place: &Place, directory: &[u8], name: &[u8]) -> Vec<u8> {
    let separator = if place.flavour == Flavour::Windows { b'\\' } else { b'/' };
    let end = directory.iter().rposition(|byte| *byte != b'/' && *byte != separator).map_or(0, |at| at + 1);
    let mut path = directory[..end].to_vec();
    path.push(separator);
    path.extend_from_slice(name);
    path
}
