//! Modules that take part in every start: `sitecustomize` and `usercustomize`, which site imports last and
//! before the first entry is inserted, and another `site`.

use super::build::{Implementation, Version};
use super::getpath::Located;
use super::place::Place;
use super::predict::{HookKind, ImportEntry, ImportOrigin, Prediction, Question, Settings, StartupHook};
use crate::path::HostPath;

/// `known`: pdm's hook, whose effect is in the entries already.
pub(super) fn find(place: &Place, prediction: &mut Prediction, known: Option<HostPath>) {
    if let Some(file) = known {
        let (kind, text) = (HookKind::SiteCustomize, "import sitecustomize".to_owned());
        prediction.hooks.push(StartupHook { kind, file, line: None, text, may_add_entries: false });
    }
    let user = prediction.user_site.enabled == Some(true);
    let modules =
        [("sitecustomize", HookKind::SiteCustomize, true), ("usercustomize", HookKind::UserCustomize, user)];
    for (module, kind, imported) in modules {
        if !imported {
            continue;
        }
        let file = prediction.entries.iter().find_map(|entry| module_in(place, entry, module));
        if let Some(file) = file {
            let text = format!("import {module}");
            prediction.hooks.push(StartupHook { kind, file, line: None, text, may_add_entries: true });
        }
    }
}

/// A `site` module in `PYTHONPATH` takes the place of the real one: CPython until 3.10, which has not
/// frozen it yet, and PyPy.
pub(super) fn other_site(
    place: &Place,
    question: &Question,
    settings: &Settings,
    located: &Located,
) -> Option<StartupHook> {
    let build = question.build;
    let frozen = build.implementation == Implementation::CPython && build.version >= Version::new(3, 11);
    if frozen || settings.no_site {
        return None;
    }
    let before = |entry: &&ImportEntry| matches!(entry.origin, ImportOrigin::PythonPath { .. });
    let file = located
        .entries
        .iter()
        .take_while(before)
        .filter(|entry| !holds_standard_library(place, entry))
        .find_map(|entry| module_in(place, entry, "site"))?;
    let text = "import site".to_owned();
    Some(StartupHook { kind: HookKind::OtherSite, file, line: None, text, may_add_entries: true })
}

/// `PYTHONPATH` may name a standard library, whose `site.py` is no stranger.
fn holds_standard_library(place: &Place, entry: &ImportEntry) -> bool {
    place.is_file(&place.join(entry.directory.as_bytes(), "os.py"))
}

pub(super) fn module_in(place: &Place, entry: &ImportEntry, module: &str) -> Option<HostPath> {
    let names = [format!("{module}/__init__.py"), format!("{module}.py"), format!("{module}.pyc")];
    let path = names
        .iter()
        .map(|name| place.join(entry.directory.as_bytes(), name))
        .find(|path| place.is_file(path))?;
    place.host(&path)
}
