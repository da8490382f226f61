//! scikit-build-core's finder of editable installations stands before the path's own (`sys.meta_path.insert(0, ...)`
//! of its `_editable_redirect.py`): what it lists, the path is not asked for.

use super::{Found, Location, ModuleKind, Resolver, SearchResult, Searched};
use crate::parse::redirecting_finder::Redirections;
use crate::path::HostPath;

/// A finder that answers first, and the directory that its relative paths are meant from.
struct Redirector<'a> {
    tables: &'a Redirections,
    directory: HostPath,
}

impl Resolver<'_> {
    /// The outer None: no such finder knows the name.
    pub(super) fn redirected(
        &self,
        name: &str,
        places: &[Location],
        searched: &mut Vec<Searched>,
    ) -> Option<Option<(Found, Vec<Location>)>> {
        // the last that is installed comes first
        for finder in self.finders.iter().rev() {
            let (Some(tables), Some(directory)) = (&finder.redirections, finder.file.parent()) else {
                continue;
            };
            let redirector = Redirector { tables, directory };
            let answer = match self.listed_file(&redirector, name) {
                Some((file, kind, may_be_built)) => {
                    let there = may_be_built || self.place.exists(&file);
                    let result = if there { SearchResult::Found } else { SearchResult::Missing };
                    searched.push(Searched {
                        directory: file.as_slice().into(),
                        result,
                        passed_over: Vec::new(),
                    });
                    there.then(|| self.redirected_file(&redirector, name, file, kind))
                }
                None => match self.redirected_namespace(&redirector, name, places) {
                    Some(found) => Some(found),
                    None => continue,
                },
            };
            return Some(answer.map(|(found, locations)| {
                (Found { finder: Some(finder.file.clone()), ..found }, locations)
            }));
        }
        None
    }

    /// What is listed under the name, as what it is loaded, and whether the finder may build it.
    fn listed_file(&self, redirector: &Redirector, name: &str) -> Option<(Vec<u8>, ModuleKind, bool)> {
        let tables = redirector.tables;
        let listed = |files: &[(String, String)]| {
            files.iter().find(|(module, _)| module == name).map(|(_, file)| file.clone())
        };
        let installed = listed(&tables.installed);
        let may_be_built = installed.is_some() && tables.rebuilds;
        let file = installed.or_else(|| listed(&tables.sources))?;
        let (_, kind) = self.suffixes.iter().find(|(suffix, _)| file.ends_with(suffix.as_str()))?;
        let kind = if is_init(&file) { ModuleKind::Package } else { *kind };
        Some((self.place.join(redirector.directory.as_bytes(), &file), kind, may_be_built))
    }

    fn redirected_file(
        &self,
        redirector: &Redirector,
        name: &str,
        file: Vec<u8>,
        kind: ModuleKind,
    ) -> (Found, Vec<Location>) {
        let paths = match kind {
            ModuleKind::Package if redirector.tables.joins_directories => {
                self.directories_of(redirector, name)
            }
            ModuleKind::Package => vec![self.place.dirname(&file)],
            _ => Vec::new(),
        };
        found(kind, Some(file), paths)
    }

    /// Since 1.0 a directory without an `__init__` that listed packages lie in.
    fn redirected_namespace(
        &self,
        redirector: &Redirector,
        name: &str,
        places: &[Location],
    ) -> Option<(Found, Vec<Location>)> {
        redirector.tables.directories.as_ref()?.iter().find(|(package, _)| package == name)?;
        let mut paths = self.directories_of(redirector, name);
        if redirector.tables.joins_portions
            && let Some((native, portions)) = self.find_in(name, places, &mut Vec::new())
            && native.kind == ModuleKind::Namespace
        {
            for portion in portions {
                if !paths.contains(&portion.path) {
                    paths.push(portion.path);
                }
            }
        }
        Some(found(ModuleKind::Namespace, None, paths))
    }

    /// A package's `__path__`: the installed directories before those of the source.
    fn directories_of(&self, redirector: &Redirector, name: &str) -> Vec<Vec<u8>> {
        let mut ranked: Vec<(bool, Vec<u8>)> = Vec::new();
        let mut add = |is_source: bool, path: Vec<u8>| {
            if !ranked.iter().any(|(_, known)| *known == path) {
                ranked.push((is_source, path));
            }
        };
        let base = redirector.directory.as_bytes();
        for directory in listed_directories(redirector.tables, name) {
            add(self.place.is_absolute(directory.as_bytes()), self.place.join(base, directory));
        }
        // the parts of the package above have this one's below them
        if let Some((parent, tail)) = name.rsplit_once('.')
            && redirector.tables.packages.iter().any(|package| package == name)
        {
            for directory in self.directories_of(redirector, parent) {
                let path = self.place.join(&directory, tail);
                if self.place.is_directory(&path) {
                    add(!path.starts_with(base), path);
                }
            }
        }
        ranked.sort();
        ranked.into_iter().map(|(_, path)| path).collect()
    }
}

/// As the finder has them; before 1.0 they are those of the listed files.
fn listed_directories(tables: &Redirections, name: &str) -> Vec<String> {
    if let Some(listed) = &tables.directories {
        let own = listed.iter().filter(|(package, _)| package == name);
        return own.flat_map(|(_, directories)| directories.clone()).collect();
    }
    let files = tables.sources.iter().chain(&tables.installed);
    let of_package = files.filter(|(module, file)| {
        let is_init = is_init(file);
        is_init && module == name
            || !is_init && module.rsplit_once('.').is_some_and(|(parent, _)| parent == name)
    });
    of_package.filter_map(|(_, file)| Some(file[..file.rfind(['/', '\\'])?].to_owned())).collect()
}

fn is_init(file: &str) -> bool {
    file.ends_with("__init__.py") || file.ends_with("__init__.pyc")
}

fn found(kind: ModuleKind, origin: Option<Vec<u8>>, paths: Vec<Vec<u8>>) -> (Found, Vec<Location>) {
    let locations: Vec<_> = paths.into_iter().map(|path| Location { path, entry: None }).collect();
    let spelt = locations.iter().map(|location| location.path.clone().into()).collect();
    let origin = origin.map(Into::into);
    (Found { kind, origin, locations: spelt, entry: None, finder: None }, locations)
}
