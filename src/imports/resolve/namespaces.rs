//! Packages whose parts lie in several places otherwise than by PEP 420: their own code extends `__path__`
//! (Lib/pkgutil.py, `pkg_resources.declare_namespace`), or a `-nspkg.pth` file makes them at start.

use super::{Answer, Found, Location, ModuleKind, Resolver, joined};
use crate::host::TEXT_LIMIT;
use crate::imports::build::Version;
use crate::imports::place::Place;
use crate::imports::predict::{HookKind, StartupHook};
use crate::imports::spelling::Spelling;

/// A package that a `-nspkg.pth` file puts into `sys.modules`, and where its parts lie.
pub(super) struct Preset {
    name: String,
    site: Vec<u8>,
    path: Vec<u8>,
}

/// Those of the startup hooks (`_nspkg_tmpl` of setuptools/namespaces.py). A line whose directory is gone ends in an
/// error, and makes nothing.
pub(super) fn presets(place: &Place, hooks: &[StartupHook]) -> Vec<Preset> {
    let namespaces = hooks.iter().filter(|hook| hook.kind == HookKind::Namespace);
    let preset = |hook: &StartupHook| {
        // os.path.join(sitedir, *('goog', 'cloud'))
        let (_, rest) = hook.text.split_once("*(")?;
        let (tuple, _) = rest.split_once(')')?;
        let parts: Vec<&str> = tuple
            .split(',')
            .map(|part| part.trim().trim_matches(['\'', '"']))
            .filter(|part| !part.is_empty())
            .collect();
        let site = hook.file.parent()?.as_bytes().to_vec();
        let path = parts.iter().fold(site.clone(), |path, part| joined(place, &path, part.as_bytes()));
        place.is_directory(&path).then(|| Preset { name: parts.join("."), site, path })
    };
    namespaces.filter_map(preset).collect()
}

impl Resolver<'_> {
    /// What is made at start is in `sys.modules`, and no package that the path has is looked for.
    pub(super) fn preset(
        &self,
        name: &str,
        found: Option<(Found, Vec<Location>)>,
    ) -> Option<(Found, Vec<Location>)> {
        let parts = || self.presets.iter().filter(|preset| preset.name == name);
        let is_same = |(found, locations): &(Found, Vec<Location>)| {
            // the portions of a namespace package are looked for again when the path has changed
            found.kind == ModuleKind::Namespace
                || locations.iter().any(|location| parts().any(|part| part.path == location.path))
        };
        let Some(first) = parts().next().filter(|_| !found.as_ref().is_some_and(is_same)) else {
            return found;
        };
        let entry = self.entries.iter().position(|entry| entry.path == first.site);
        let locations: Vec<Location> =
            parts().map(|part| Location { path: part.path.clone(), entry }).collect();
        let spelt = locations.iter().map(|location| location.path.clone().into()).collect();
        Some((
            Found { kind: ModuleKind::Namespace, origin: None, locations: spelt, entry, finder: None },
            locations,
        ))
    }

    /// A package's own code may extend its `__path__`: the two usual ways are followed, others are told. `above`: where
    /// the package itself was looked for, if it lies in another.
    pub(super) fn altered(
        &self,
        name: &str,
        found: &Found,
        mut locations: Vec<Location>,
        above: Option<&[Location]>,
        may_alter: &mut Vec<Spelling>,
    ) -> Vec<Location> {
        let Some(origin) = found.origin.as_ref().filter(|origin| origin.as_bytes().ends_with(b".py")) else {
            return locations;
        };
        let Ok(contents) = self.place.read(origin.as_bytes(), TEXT_LIMIT) else { return locations };
        let text = contents.text();
        if !text.contains("__path__") && !text.contains("declare_namespace") && !text.contains("sys.modules")
        {
            return locations;
        }
        may_alter.push(origin.clone());
        if !text.contains("extend_path(") && !text.contains("declare_namespace(") {
            return locations;
        }
        let tail = name.rsplit('.').next().unwrap_or(name);
        for place in self.extended_over(name, above) {
            let portion = match self.ask(name, tail, &place.path) {
                Answer::Found { package, .. } => package.into_iter().collect(),
                Answer::Portions(portions) => portions,
                Answer::Nothing(_) => Vec::new(),
            };
            for path in portion {
                if !locations.iter().any(|known| known.path == path) {
                    locations.push(Location { path, entry: place.entry });
                }
            }
        }
        locations
    }

    /// Where `extend_path` looks for further parts: of a package in another, along that one's `__path__`; in Python 2
    /// below each entry of `sys.path`.
    fn extended_over(&self, name: &str, above: Option<&[Location]>) -> Vec<Location> {
        if self.build.version >= Version::new(3, 3) {
            return above.unwrap_or(&self.entries).to_vec();
        }
        let parents = name.rsplit_once('.').map_or("", |(parents, _)| parents);
        let parents: Vec<&str> = parents.split('.').filter(|parent| !parent.is_empty()).collect();
        let below = |entry: &Location| {
            let path = parents
                .iter()
                .fold(entry.path.clone(), |path, parent| joined(&self.place, &path, parent.as_bytes()));
            Location { path, entry: entry.entry }
        };
        self.entries.iter().map(below).collect()
    }
}
