//! The module that is asked for: its name, and what its file needs.

use std::collections::BTreeSet;

use super::Trouble;
use crate::diagnosis::cause::Attempt;
use crate::host::{Host, TEXT_LIMIT};
use crate::imports::{known_modules, near, stdlib};
use crate::parse::keywords::is_keyword;
use crate::parse::python_source;
use crate::path::HostPath;

/// Whether an import statement could name it.
pub(super) fn check_name(module: &str) -> Result<(), Trouble> {
    let part = |part: &str| {
        part.chars().all(|c| c == '_' || c.is_alphanumeric())
            && !part.starts_with(|c: char| c.is_ascii_digit())
    };
    if !module.is_empty() && module.split('.').all(|name| !name.is_empty() && part(name)) {
        return Ok(());
    }
    let normalized = crate::parse::names::normalize_name(module);
    let hint = match known_modules::modules_of(&normalized).next() {
        Some(known) => format!(": the distribution {module} is imported as {known}"),
        None if module.contains('-') => format!(": try {}", module.replace('-', "_")),
        None => String::new(),
    };
    Err(Trouble(format!("{module:?} is no name that can be imported{hint}")))
}

/// `import class` is a syntax error, whatever is installed.
pub(super) fn check_keywords(module: &str, attempt: Option<&Attempt>) -> Result<(), Trouble> {
    let Some(version) = attempt.and_then(|attempt| attempt.version) else { return Ok(()) };
    match module.split('.').find(|part| is_keyword(version, part)) {
        Some(part) => Err(Trouble(format!(
            "{module:?} is no name that can be imported: {part} is a keyword of Python {}",
            version.minor_text()
        ))),
        None => Ok(()),
    }
}

/// What the file of a topmost module imports before it does anything else, and the standard library has not. In Python
/// 2 such an import may mean a neighbour of the file.
pub(super) fn first_need(
    host: &dyn Host,
    attempt: &Attempt,
    module: &str,
) -> Option<(HostPath, usize, String)> {
    let version = attempt.version.filter(|version| version.major >= 3 && !module.contains('.'))?;
    let origin = attempt.found()?.origin.as_ref()?;
    let file = HostPath::new(attempt.interpreter.flavour(), origin.as_bytes().to_vec())?;
    if !file.name().ends_with(".py") || stdlib::contains(version, module) {
        return None;
    }
    let contents = host.read(&file, TEXT_LIMIT).ok()?;
    let imports = python_source::first_imports(&contents.text());
    let (line, need) = imports.into_iter().find(|(_, name)| !stdlib::contains(version, name))?;
    (need != module).then_some((file, line, need))
}

/// Names on the import path that are nearly the asked one.
pub(super) fn near_names(host: &dyn Host, attempt: &Attempt, top: &str) -> Vec<String> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    if let Some(version) = attempt.version {
        names.extend(stdlib::names(version).map(str::to_owned));
    }
    for entry in &attempt.path {
        let directory = entry.directory.to_text().into_owned();
        let Some(directory) = HostPath::new(host.platform().flavour(), directory) else { continue };
        let Ok(listing) = host.list(&directory) else { continue };
        for entry in &listing.entries {
            let name = String::from_utf8_lossy(&entry.name);
            let (stem, suffix) = name.split_once('.').unwrap_or((&name, "py"));
            let module = suffix.ends_with("py") || suffix.ends_with("so") || suffix.ends_with("pyd");
            if module && !stem.starts_with("__") {
                names.insert(stem.to_owned());
            }
        }
    }
    let mut near = near::near(top, names.into_iter());
    near.truncate(3);
    near
}
