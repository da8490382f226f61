//! What is installed in an environment, written down so that it can be installed again.

use crate::diagnosis::editable::new_place;
use crate::diagnosis::{Action, Word};
use crate::facts::Facts;
use crate::facts::environment::{Environment, Installed, Library};
use crate::facts::interpreter::{Installation, Interpreter, Version};
use crate::parse::names::normalize_name;
use crate::path::{HostPath, encoded};

/// Of several, the one that the environment's Python reads, where anything is installed there; else the fullest.
pub(super) fn library_with_packages<'e>(facts: &Facts, environment: &'e Environment) -> Option<&'e Library> {
    let runs = facts.interpreter_of(environment).and_then(Interpreter::known_version);
    let rank = |library: &&Library| {
        let installed = environment.installed_in(library).count();
        let is_read = matches!((library.version, runs), (Some(own), Some(runs)) if own.same_minor(runs));
        (is_read && installed > 0, installed, library.entries)
    };
    // of equal ones the first
    environment.libraries.iter().rev().filter(|library| library.entries > 0).max_by_key(rank)
}

/// The file that what is installed is written to, beside the environment. None when nothing is.
pub(super) fn save(
    facts: &Facts,
    environment: &Environment,
    base: Option<&Installation>,
    actions: &mut Vec<Action>,
) -> Option<HostPath> {
    let lines = requirements(facts, environment, base.and_then(|base| base.version));
    if lines.is_empty() {
        return None;
    }
    let name = environment.root.name();
    let name = name.trim_start_matches('.');
    let file = environment.root.parent()?.join(format!("{name}-packages.txt"));
    let lines = lines.into_iter().map(Word::from).collect();
    actions.push(Action::WriteLines { file: file.clone(), lines, append: false });
    Some(file)
}

/// One requirement a line: what the environment's Python reads, and what its library for `version` holds already, which
/// comes first.
fn requirements(facts: &Facts, environment: &Environment, version: Option<Version>) -> Vec<String> {
    let fits = |known: Option<Version>| match (known, version) {
        (Some(known), Some(version)) => known.same_minor(version),
        _ => true,
    };
    let main = library_with_packages(facts, environment);
    let ready = environment.libraries.iter().find(|library| {
        let fits = library.version.is_some() && version.is_some() && fits(library.version);
        fits && main.is_some_and(|main| *library != main)
    });
    let mut names: Vec<String> = Vec::new();
    let mut lines = Vec::new();
    for library in ready.into_iter().map(Some).chain([main]) {
        let known = library.and_then(|library| library.version).or_else(|| environment.config_version());
        for (name, line) in requirements_in(facts, environment, library, known, fits(known)) {
            if !names.contains(&name) {
                names.push(name);
                lines.push(line);
            }
        }
    }
    lines
}

/// With normalised names. For another minor version only what was asked for, where that is recorded: what it pulled in
/// may be different there.
fn requirements_in(
    facts: &Facts,
    environment: &Environment,
    library: Option<&Library>,
    version: Option<Version>,
    same_minor: bool,
) -> Vec<(String, String)> {
    // Below 3.12 creators bring setuptools along, and ensurepip marks it as asked for
    let brings_setuptools = version.is_some_and(|version| (version.major, version.minor) < (3, 12));
    let seeds = ["pip", "setuptools", "wheel", "distribute"];
    let elsewhere = |installed: &Installed| {
        let mut others = environment.libraries.iter().filter(|other| library != Some(*other));
        others.any(|other| installed.metadata.is_within(&other.site_packages))
    };
    let all = environment.installed.iter().map(|installed| (normalize_name(&installed.name), installed));
    let wanted: Vec<(String, &Installed)> = all
        .filter(|(name, installed)| {
            name != "pip" && (installed.requested || !seeds.contains(&name.as_str())) && !elsewhere(installed)
        })
        .collect();
    let recorded = wanted.iter().any(|(_, installed)| installed.requested);
    wanted
        .into_iter()
        .filter(|(_, it)| same_minor || !recorded || it.requested || it.editable.is_some())
        .filter_map(|(name, installed)| {
            let line = match brings_setuptools && name == "setuptools" {
                true => installed.name.clone(),
                false => requirement(facts, environment, installed)?,
            };
            Some((name, line))
        })
        .collect()
}

fn requirement(facts: &Facts, environment: &Environment, installed: &Installed) -> Option<String> {
    if let Some(source) = &installed.editable {
        let gone =
            environment.missing_sources.iter().any(|(missing, _)| missing.to_text() == source.as_str());
        let moved = || {
            let packages = facts.packages(&environment.root)?;
            let distribution = packages.distribution(&normalize_name(&installed.name))?;
            Some(new_place(facts, distribution)?.path.to_text().into_owned())
        };
        let source = if gone { moved()? } else { source.clone() };
        return Some(format!("-e {}", editable(&source)));
    }
    Some(match &installed.direct_url {
        Some(url) => format!("{} @ {url}", installed.name),
        None => format!("{}=={}", installed.name, installed.version),
    })
}

/// A directory as installers read it in a file of requirements, where pip splits a line as a POSIX shell would.
fn editable(source: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_@+=:,./-~".contains(byte);
    if source.as_bytes().iter().all(plain) {
        return source.to_owned();
    }
    let path = source.replace('\\', "/");
    match path.split_once(':') {
        Some((drive, rest)) if drive.len() == 1 => format!("file:///{drive}:{}", encoded(rest.as_bytes())),
        _ => format!("file://{}", encoded(source.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_editable_directory_may_have_any_name() {
        assert_eq!(editable("/home/me/shop-1.0"), "/home/me/shop-1.0");
        assert_eq!(editable("/home/me/my shop's"), "file:///home/me/my%20shop%27s");
        assert_eq!(editable("C:\\my shop"), "file:///C:/my%20shop");
    }
}
