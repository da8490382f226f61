//! `sitecustomize` and `usercustomize`: site imports them last, before the first entry is inserted.

use super::place::Place;
use super::predict::{HookKind, Prediction, StartupHook};

pub(super) fn find(place: &Place, prediction: &mut Prediction) {
    let user = prediction.user_site.enabled == Some(true);
    let modules =
        [("sitecustomize", HookKind::SiteCustomize, true), ("usercustomize", HookKind::UserCustomize, user)];
    for (module, kind, imported) in modules {
        if !imported {
            continue;
        }
        let file = prediction.entries.iter().find_map(|entry| {
            let names = [format!("{module}/__init__.py"), format!("{module}.py"), format!("{module}.pyc")];
            let path = names
                .iter()
                .map(|name| place.join(entry.directory.as_bytes(), name))
                .find(|path| place.is_file(path))?;
            place.host(&path)
        });
        if let Some(file) = file {
            let text = format!("import {module}");
            prediction.hooks.push(StartupHook { kind, file, line: None, text, may_add_entries: true });
        }
    }
}
