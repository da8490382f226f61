//! Start-up code that changes the import path in a way that its text does not tell: whether it is there at all, and
//! whether it touches the path, is read from its source.

use super::Site;
use crate::facts::distribution::{PathChange, SiteKind};
use crate::facts::environment::Environment;
use crate::host::Files;
use crate::imports;
use crate::parse::python_source::{self, changes_path, installs_finder};
use crate::path::{HostPath, readable};

const SOURCE_LIMIT: usize = 64 * 1024;

/// In the order in which they run. `library` is the standard library's directory.
pub fn path_changes(
    files: &dyn Files,
    environment: &Environment,
    sites: &[Site],
    library: Option<&HostPath>,
) -> Vec<PathChange> {
    let mut found: Vec<PathChange> = sites.iter().flat_map(|site| of_pth_files(files, site)).collect();
    found.extend(customize(files, "sitecustomize", sites, library));
    let user_site = !environment.is_venv() || sites.iter().any(|site| site.kind == SiteKind::User);
    if user_site {
        found.extend(customize(files, "usercustomize", sites, library));
    }
    found
}

fn of_pth_files(files: &dyn Files, site: &Site) -> Vec<PathChange> {
    let mut found = Vec::new();
    for file in &site.pth_files {
        let name = file.path.file_name().unwrap_or_default();
        // setuptools' lines of easy-install.pth only move what the plain lines between them add
        let unknown = |text: &str| imports::adds_unknown(name, text) && !text.contains("sys.__plen");
        for line in file.imports.iter().filter(|line| unknown(&line.text)) {
            let modules = python_source::imported_modules(&line.text);
            let sources = modules.iter().filter_map(|(_, module)| Some(source(files, site, module)?.1));
            let texts: Vec<String> = std::iter::once(line.text.clone()).chain(sources).collect();
            // what else installs a finder, such as a tracer, seldom brings modules
            let serves = match readable(name).contains("editable") {
                true => texts.iter().flat_map(|text| python_source::served_modules(text)).collect(),
                false => Vec::new(),
            };
            let finder = !serves.is_empty();
            if finder || texts.iter().any(|text| changes_path(text)) {
                found.push(PathChange { file: file.path.clone(), line: Some(line.line), finder, serves });
            }
        }
    }
    found
}

/// The first on the import path; one beside the standard library is the distributor's, and what it adds is known.
fn customize(
    files: &dyn Files,
    module: &str,
    sites: &[Site],
    library: Option<&HostPath>,
) -> Option<PathChange> {
    let in_variable = |site: &&Site| site.kind == SiteKind::PythonPath;
    let (file, text) = match sites.iter().filter(in_variable).find_map(|site| source(files, site, module)) {
        Some(found) => found,
        None => {
            let found = sites
                .iter()
                .filter(|site| !in_variable(site))
                .find_map(|site| source(files, site, module))?;
            if library.is_some_and(|library| files.is_file(&library.join(format!("{module}.py")))) {
                return None;
            }
            found
        }
    };
    let finder = installs_finder(&text);
    let runs_more = ["exec(", "execfile(", "runpy"].iter().any(|sign| text.contains(sign));
    (finder || runs_more || changes_path(&text)).then_some(PathChange {
        file,
        line: None,
        finder,
        serves: Vec::new(),
    })
}

/// The module's file in this site, with its text.
fn source(files: &dyn Files, site: &Site, module: &str) -> Option<(HostPath, String)> {
    let entries = &site.listing.as_ref()?.entries;
    let has =
        |name: &str| entries.binary_search_by(|entry| entry.name.as_slice().cmp(name.as_bytes())).is_ok();
    let top = module.split('.').next().unwrap_or(module);
    let file = format!("{top}.py");
    let path = if has(top) && files.is_file(&site.directory.join(top).join("__init__.py")) {
        site.directory.join(top).join("__init__.py")
    } else if has(&file) {
        site.directory.join(file)
    } else {
        return None;
    };
    let text = files.read(&path, SOURCE_LIMIT).ok()?.text().into_owned();
    Some((path, text))
}
