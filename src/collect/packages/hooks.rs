//! Start-up code that changes the import path in a way that its text does not tell: whether it is there at all, and
//! whether it touches the path, is read from its source.

use super::Site;
use crate::facts::distribution::{PathHook, SiteKind};
use crate::facts::environment::Environment;
use crate::host::Files;
use crate::imports;
use crate::parse::python_source;
use crate::path::HostPath;

const SOURCE_LIMIT: usize = 64 * 1024;

/// In the order in which they run. `library` is the standard library's directory.
pub fn path_hooks(
    files: &dyn Files,
    environment: &Environment,
    sites: &[Site],
    library: Option<&HostPath>,
) -> Vec<PathHook> {
    let mut found: Vec<PathHook> = sites.iter().flat_map(|site| of_pth_files(files, site)).collect();
    found.extend(customize(files, "sitecustomize", sites, library));
    let user_site = !environment.is_venv() || sites.iter().any(|site| site.kind == SiteKind::User);
    if user_site {
        found.extend(customize(files, "usercustomize", sites, library));
    }
    found
}

fn of_pth_files(files: &dyn Files, site: &Site) -> Vec<PathHook> {
    let mut found = Vec::new();
    for file in &site.pth_files {
        let name = file.path.file_name().unwrap_or_default();
        for line in file.imports.iter().filter(|line| imports::adds_unknown(name, &line.text)) {
            // setuptools' lines of easy-install.pth only move what the plain lines between them add
            let moves = line.text.contains("sys.__plen");
            let of_module = || {
                let (_, module) = python_source::imported_modules(&line.text).into_iter().next()?;
                source(files, site, &module)
            };
            if !moves && (extends(&line.text) || of_module().is_some_and(|(_, text)| extends(&text))) {
                found.push(PathHook { file: file.path.clone(), line: Some(line.line), finder: false });
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
) -> Option<PathHook> {
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
    let finder = ["meta_path", "path_hooks"].iter().any(|sign| text.contains(sign));
    let runs_more = ["exec(", "execfile(", "runpy"].iter().any(|sign| text.contains(sign));
    (finder || runs_more || extends(&text)).then_some(PathHook { file, line: None, finder })
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

/// Whether a source changes `sys.path`.
fn extends(text: &str) -> bool {
    const SIGNS: [&str; 10] = [
        "sys.path.append",
        "sys.path.extend",
        "sys.path.insert",
        "sys.path[",
        "sys.path +=",
        "sys.path+=",
        "sys.path =",
        "from sys import path",
        "addsitedir(",
        "addpackage(",
    ];
    SIGNS.iter().any(|sign| text.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_changes_the_path() {
        for text in
            ["import sys; sys.path.append('/x')", "import site; site.addsitedir(x)", "sys.path[:0] = more"]
        {
            assert!(extends(text), "{text}");
        }
        for text in
            ["print(sys.path)", "sys.path_hooks.append(x)", "import coverage; coverage.process_startup()"]
        {
            assert!(!extends(text), "{text}");
        }
    }
}
