//! The finders of editable installations, setuptools' and those of the project `editables`: one appended to
//! `sys.meta_path`, which is asked when the path has nothing, and one for namespace packages behind a made-up entry of
//! the path.

use super::{Found, Location, ModuleKind, Resolver, SearchResult, Searched, joined};
use crate::host::TEXT_LIMIT;
use crate::imports::place::Place;
use crate::imports::predict::{HookKind, StartupHook};
use crate::parse::editable_finder::{self, EditableFinder};
use crate::parse::redirecting_finder::{self, Redirections};
use crate::path::HostPath;

pub(super) struct Finder {
    pub file: HostPath,
    tables: EditableFinder,
    /// Of one that stands before the path.
    pub redirections: Option<Redirections>,
}

/// Those that the startup hooks install, in order.
pub(super) fn finders(place: &Place, hooks: &[StartupHook]) -> Vec<Finder> {
    let mut finders: Vec<Finder> = Vec::new();
    for file in hooks.iter().filter_map(finder_file) {
        if finders.iter().any(|known| known.file == file) {
            continue;
        }
        let Ok(contents) = place.read(file.as_bytes(), TEXT_LIMIT) else { continue };
        let text = contents.text();
        let tables = editable_finder::parse(&text);
        let redirections = redirecting_finder::parse(&text);
        if tables != EditableFinder::default() || redirections.is_some() {
            finders.push(Finder { file, tables, redirections });
        }
    }
    finders
}

/// Where the finder lies that a hook installs, if it is one of these.
fn finder_file(hook: &StartupHook) -> Option<HostPath> {
    let module = match &hook.kind {
        HookKind::EditableFinder { module } => module,
        // the lines of `editables` and scikit-build-core name their module and nothing else
        HookKind::ImportLine => hook.text.trim().strip_prefix("import ").filter(|module| is_name(module))?,
        HookKind::EntryPoint => hook.text.split(':').next().filter(|module| is_name(module))?,
        _ => return None,
    };
    Some(hook.file.parent()?.join(format!("{module}.py")))
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

impl Finder {
    fn mapped(&self, name: &str) -> Option<&str> {
        self.tables.mapping.iter().find(|(module, _)| module == name).map(|(_, path)| path.as_str())
    }
}

impl Resolver<'_> {
    /// Whether what this hook adds is followed: it installs the finder of an editable installation.
    pub fn follows(&self, hook: &StartupHook) -> bool {
        finder_file(hook).is_some_and(|file| self.finders.iter().any(|finder| finder.file == file))
    }

    /// What the finder behind a made-up entry answers. The outer None: the entry is an ordinary one.
    pub(super) fn placeholder(&self, name: &str, entry: &[u8]) -> Option<Option<Vec<Vec<u8>>>> {
        let is_placeholder = |finder: &&Finder| {
            finder.tables.placeholder.as_ref().is_some_and(|placeholder| placeholder.as_bytes() == entry)
        };
        let finder = self.finders.iter().find(is_placeholder)?;
        let portions = finder.tables.namespaces.iter().find(|(namespace, _)| namespace == name);
        Some(portions.map(|(_, paths)| {
            let mapped = finder.mapped(name).filter(|_| paths.is_empty());
            let paths = paths.iter().map(String::as_str).chain(mapped);
            paths.map(|path| path.as_bytes().to_vec()).chain([entry.to_vec()]).collect()
        }))
    }

    /// `_EditableFinder.find_spec` of each finder in turn.
    pub(super) fn find_editable(
        &self,
        name: &str,
        searched: &mut Vec<Searched>,
    ) -> Option<(Found, Vec<Location>)> {
        for finder in &self.finders {
            let answer = match finder.mapped(name) {
                Some(path) => self.mapped(path.as_bytes(), searched),
                None => {
                    let Some((parent, _)) = name.rsplit_once('.') else { continue };
                    let Some(path) = finder.mapped(parent) else { continue };
                    let places = [Location { path: path.as_bytes().to_vec(), entry: None }];
                    self.find_in(name, &places, searched)
                }
            };
            if let Some((found, locations)) = answer {
                return Some((Found { finder: Some(finder.file.clone()), ..found }, locations));
            }
        }
        None
    }

    /// `_find_spec`: the package's `__init__.py`, else the path with each suffix.
    fn mapped(&self, path: &[u8], searched: &mut Vec<Searched>) -> Option<(Found, Vec<Location>)> {
        let init = joined(&self.place, path, b"__init__.py");
        let is_package = self.place.exists(&init);
        let candidate = if is_package {
            Some((init, ModuleKind::Package))
        } else {
            // all_suffixes: source, bytecode, extensions
            let rank = |kind: &ModuleKind| match kind {
                ModuleKind::Source => 0,
                ModuleKind::Bytecode => 1,
                _ => 2,
            };
            let mut suffixes: Vec<_> = self.suffixes.iter().collect();
            suffixes.sort_by_key(|(_, kind)| rank(kind));
            suffixes
                .into_iter()
                .map(|(suffix, kind)| ([path, suffix.as_bytes()].concat(), *kind))
                .find(|(file, _)| self.place.exists(file))
        };
        let result = match &candidate {
            Some(_) => SearchResult::Found,
            None if self.place.exists(path) => SearchResult::Nothing,
            None => SearchResult::Missing,
        };
        searched.push(Searched { directory: path.into(), result, passed_over: Vec::new() });
        let (origin, kind) = candidate?;
        let locations =
            if is_package { vec![Location { path: path.to_vec(), entry: None }] } else { Vec::new() };
        let spelt = locations.iter().map(|location| location.path.clone().into()).collect();
        Some((
            Found { kind, origin: Some(origin.into()), locations: spelt, entry: None, finder: None },
            locations,
        ))
    }
}
