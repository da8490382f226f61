//! What besides installed packages decides what Python imports here.

use std::collections::BTreeSet;

use super::environment::version_in_name;
use crate::collect::user_scripts;
use crate::diagnosis::Need;
use crate::facts::import_setup::*;
use crate::facts::interpreter::Version;
use crate::facts::platform::System;
use crate::facts::project::Project;
use crate::facts::search_path::Command;
use crate::facts::shell::{Shell, without_credentials};
use crate::host::{Entry, FileKind, Files, Host};
use crate::parse::python_source;
use crate::parse::{names, shebang};
use crate::path::{HostPath, readable};

mod local;
mod locked;

/// So many entries of `PYTHONPATH` are looked into.
const MOST_ENTRIES: usize = 50;
const HOOK_LIMIT: usize = 64 * 1024;
const SCRIPT_LIMIT: usize = 2048;
const START_UP_LIMIT: usize = 256 * 1024;

/// What is known before.
pub struct Context<'a> {
    pub shell: &'a Shell,
    pub directory: Option<&'a HostPath>,
    pub project: &'a Project,
    pub commands: &'a [Command],
    pub patient: Option<&'a HostPath>,
    pub needs: &'a BTreeSet<Need>,
}

/// Everything that the selected checks need to know of it.
pub fn import_setup(host: &dyn Host, context: &Context) -> ImportSetup {
    let shell = context.shell;
    let python_path = python_path(host, shell);
    let libraries = libraries(host, context);
    ImportSetup {
        python_home: python_home(host, shell),
        startup_file: startup_file(host, shell),
        hooks: hooks(host, &python_path, &libraries),
        // for who works out the import path
        unmet: Vec::new(),
        script_directories: match context.needs.contains(&Need::Project) {
            true => local::script_directories(host, context.directory, context.project),
            false => Vec::new(),
        },
        user_tools: match shell.set("PYTHONNOUSERSITE") {
            Some(_) => user_tools(host, shell),
            None => Vec::new(),
        },
        variable_lines: variable_lines(host, shell),
        locked: match context.needs.contains(&Need::Packages) {
            true => locked::locked(host, context.patient),
            false => Vec::new(),
        },
        python_path,
    }
}

/// The entries as Python splits them; an entirely empty variable has none.
fn python_path(host: &dyn Host, shell: &Shell) -> Vec<PythonPathEntry> {
    let Some(value) = shell.set("PYTHONPATH") else { return Vec::new() };
    let flavour = host.platform().flavour();
    let separator = char::from(flavour.list_separator());
    let here = host.working_directory().ok();
    let entries = value.split(separator).take(MOST_ENTRIES).enumerate();
    entries
        .map(|(index, raw)| {
            let absolute = HostPath::new(flavour, raw);
            let relative = absolute.is_none();
            let directory =
                absolute.or_else(|| Some(here.as_ref()?.join(raw))).map(|directory| directory.normalized());
            let mut entry = PythonPathEntry {
                index,
                raw: raw.to_owned(),
                relative,
                exists: directory.as_ref().is_some_and(|directory| host.exists(directory)),
                version: directory.as_ref().and_then(version_in_path),
                distributions: Vec::new(),
                modules: Vec::new(),
                directory,
            };
            if let Some(listing) = entry.directory.as_ref().and_then(|it| host.list(it).ok()) {
                entry.modules = top_level_names(&listing.entries);
                entry.distributions = listing
                    .entries
                    .iter()
                    .filter_map(|found| names::parse_name(&found.name))
                    .filter_map(|found| Some((found.name, found.version?)))
                    .collect();
            }
            entry
        })
        .collect()
}

/// `.../lib/python3.8/site-packages`.
fn version_in_path(directory: &HostPath) -> Option<Version> {
    let names: Vec<_> = directory.components().map(|name| readable(name).into_owned()).collect();
    names.iter().rev().find_map(|name| version_in_name(name).filter(|_| name.contains('.')))
}

/// Names that `import` finds among these entries, namespace packages included, metadata and caches left out.
fn top_level_names(entries: &[Entry]) -> Vec<String> {
    let found: BTreeSet<String> = entries
        .iter()
        .filter_map(|entry| {
            let name = std::str::from_utf8(&entry.name).ok()?;
            let stem = match (entry.kind, name.rsplit_once('.')) {
                (FileKind::Directory, None) => name,
                (FileKind::Directory, Some(_)) => return None,
                (_, Some((stem, "py"))) => stem,
                (_, Some((stem, "so" | "pyd"))) => stem.split('.').next()?,
                (FileKind::Link, None) => name,
                _ => return None,
            };
            (is_identifier(stem) && !stem.starts_with("__")).then(|| stem.to_owned())
        })
        .collect();
    found.into_iter().collect()
}

/// What can stand in an `import` line.
fn is_identifier(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|letter: char| letter.is_ascii_digit())
        && name.chars().all(|letter| letter == '_' || letter.is_alphanumeric())
}

fn python_home(host: &dyn Host, shell: &Shell) -> Option<PythonHome> {
    let raw = shell.set("PYTHONHOME")?.to_owned();
    let flavour = host.platform().flavour();
    // in place of an empty first half Python searches (3.11+), and takes compiled modules from the second
    let (first, second) = raw.split_once(char::from(flavour.list_separator())).unwrap_or((&raw, ""));
    let prefix = HostPath::new(flavour, if first.is_empty() { second } else { first });
    let landmarks: &[&str] = if first.is_empty() { &["lib-dynload"] } else { &["os.py", "os.pyc"] };
    let mut home = PythonHome { prefix, standard_libraries: Vec::new(), unversioned_library: false, raw };
    let Some(prefix) = home.prefix.clone() else { return Some(home) };
    home.unversioned_library = host.is_file(&prefix.join("Lib").join("os.py"));
    for library in ["lib", "lib64"].map(|name| prefix.join(name)) {
        let Ok(listing) = host.list(&library) else { continue };
        let versions = listing.entries.iter().filter_map(|entry| {
            let name = readable(&entry.name);
            let version = version_in_name(&name)?;
            let directory = library.join(&entry.name);
            landmarks.iter().any(|name| host.exists(&directory.join(name))).then_some(version)
        });
        home.standard_libraries.extend(versions);
    }
    Some(home)
}

fn startup_file(host: &dyn Host, shell: &Shell) -> Option<StartupFile> {
    let raw = shell.set("PYTHONSTARTUP")?;
    let path = HostPath::new(host.platform().flavour(), raw)
        .or_else(|| Some(host.working_directory().ok()?.join(raw)))?
        .normalized();
    Some(StartupFile { exists: host.exists(&path), path })
}

/// The patient's `lib/pythonX.Y` directories, and those of its base.
struct Libraries {
    site_packages: Vec<HostPath>,
    user_sites: Vec<HostPath>,
}

fn libraries(host: &dyn Host, context: &Context) -> Libraries {
    let mut found = Libraries { site_packages: Vec::new(), user_sites: Vec::new() };
    let Some(root) = context.patient else { return found };
    if host.platform().system == System::Windows {
        found.site_packages.push(root.join("Lib").join("site-packages"));
        return found;
    }
    let library = root.join("lib");
    for entry in host.list(&library).map(|listing| listing.entries).unwrap_or_default() {
        let name = readable(&entry.name);
        if version_in_name(&name).is_none() {
            continue;
        }
        found.site_packages.push(library.join(&entry.name).join("site-packages"));
        if let Some(user) = user_base(host, context.shell) {
            found.user_sites.push(user.join("lib").join(&entry.name).join("site-packages"));
        }
    }
    found
}

fn user_base(host: &dyn Host, shell: &Shell) -> Option<HostPath> {
    shell.path_variable("PYTHONUSERBASE").or_else(|| Some(host.home()?.join(".local")))
}

/// `sitecustomize` and `usercustomize` where the import path leads, the first of each place.
fn hooks(files: &dyn Files, python_path: &[PythonPathEntry], libraries: &Libraries) -> Vec<StartupHook> {
    let mut places: Vec<(HostPath, HookPlace)> = Vec::new();
    for entry in python_path.iter().filter(|entry| entry.exists && !entry.relative) {
        places.extend(entry.directory.clone().map(|it| (it, HookPlace::PythonPath(entry.index))));
    }
    for site_packages in &libraries.site_packages {
        places.extend(site_packages.parent().map(|library| (library, HookPlace::StandardLibrary)));
        places.push((site_packages.clone(), HookPlace::SitePackages));
    }
    places.extend(libraries.user_sites.iter().map(|site| (site.clone(), HookPlace::UserSite)));
    let mut found = Vec::new();
    for (directory, place) in places {
        for module in ["sitecustomize", "usercustomize"] {
            let candidates =
                [directory.join(module).join("__init__.py"), directory.join(format!("{module}.py"))];
            let Some(path) = candidates.into_iter().find(|path| files.is_file(path)) else { continue };
            let text = files.read(&path, HOOK_LIMIT).map(|it| it.text().into_owned()).unwrap_or_default();
            let imports = python_source::imported_modules(&text);
            found.push(StartupHook { module: module.to_owned(), path, place, imports });
        }
    }
    found
}

/// Programs whose interpreter is in no venv and whose module lies in that Python's user site.
fn user_tools(host: &dyn Host, shell: &Shell) -> Vec<UserTool> {
    let Some(base) = user_base(host, shell) else { return Vec::new() };
    let mut found = Vec::new();
    for script in user_scripts::scripts_in(host, &base.join("bin")) {
        let Ok(contents) = host.read(&script, SCRIPT_LIMIT) else { continue };
        let shebang = shebang::parse(&contents.bytes);
        let Some(interpreter) =
            shebang.interpreter().and_then(|raw| HostPath::new(script.flavour(), raw.as_bytes().to_vec()))
        else {
            continue;
        };
        let above = interpreter.parent().and_then(|directory| directory.parent());
        if above.is_some_and(|root| host.exists(&root.join("pyvenv.cfg"))) {
            continue;
        }
        let chain = super::links::chain(host, &interpreter);
        let version = chain
            .hops
            .iter()
            .find_map(|hop| version_in_name(&hop.name()).filter(|_| hop.name().contains('.')));
        let text = contents.text();
        let module = shebang::imported_module(&text).or_else(|| {
            let mut modules = python_source::imported_modules(&text).into_iter().map(|(_, name)| name);
            modules.find(|name| !matches!(name.as_str(), "sys" | "re" | "os"))
        });
        let (Some(version), Some(module)) = (version, module) else { continue };
        let top = module.split('.').next().unwrap_or(&module).to_owned();
        let site = base.join(format!("lib/python{}/site-packages", version.minor_text()));
        let places = [site.join(&top), site.join(format!("{top}.py"))];
        if let Some(place) = places.into_iter().find(|place| host.exists(place)) {
            found.push(UserTool { script, interpreter, version, module: top, found: place });
        }
    }
    found
}

/// `export NAME=...` and its like, for each `PYTHON*`, `PIP_*` and `UV_*` that is set.
fn variable_lines(host: &dyn Host, shell: &Shell) -> Vec<VariableLine> {
    let names: Vec<&str> = shell
        .variables
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| ["PYTHON", "PIP_", "UV_"].iter().any(|prefix| name.starts_with(prefix)))
        .collect();
    let (false, Some(home)) = (names.is_empty(), host.home()) else { return Vec::new() };
    let files = [
        ".profile",
        ".bash_profile",
        ".bash_login",
        ".bashrc",
        ".zshenv",
        ".zprofile",
        ".zshrc",
        ".config/fish/config.fish",
        ".tcshrc",
        ".cshrc",
    ];
    let mut found = Vec::new();
    for file in files.map(|name| home.join(name)).into_iter().chain([HostPath::posix("/etc/environment")]) {
        let Ok(contents) = host.read(&file, START_UP_LIMIT) else { continue };
        for (text, line) in contents.text().lines().zip(1..) {
            let Some(variable) = names.iter().find(|name| sets(text, name)) else { continue };
            found.push(VariableLine {
                variable: (*variable).to_owned(),
                file: file.clone(),
                line,
                text: without_credentials(text.trim()),
            });
        }
    }
    found
}

/// Whether a line of any shell's start-up file sets the variable.
fn sets(line: &str, name: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let assigns = |word: &&str| word.strip_prefix(name).is_some_and(|rest| rest.starts_with('='));
    match words.as_slice() {
        [] => false,
        [first, ..] if first.starts_with('#') => false,
        ["export" | "declare" | "typeset" | "readonly", rest @ ..] => rest.iter().any(assigns),
        ["set" | "setenv", rest @ ..] => rest.contains(&name),
        [first, ..] => assigns(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_set_a_variable() {
        for (line, expected) in [
            ("export PYTHONPATH=/x:$PYTHONPATH", true),
            ("  PYTHONPATH=/x", true),
            ("set -gx PYTHONPATH /x", true),
            ("setenv PYTHONPATH /x", true),
            ("# export PYTHONPATH=/x", false),
            ("export PYTHONPATHS=/x", false),
            ("echo $PYTHONPATH", false),
            ("export A=1 PYTHONPATH=/x", true),
        ] {
            assert_eq!(sets(line, "PYTHONPATH"), expected, "{line}");
        }
    }

    #[test]
    fn a_directory_of_packages_names_its_python() {
        let version = |path: &str| version_in_path(&HostPath::posix(path)).map(Version::minor_text);
        assert_eq!(version("/opt/ros/lib/python3.8/site-packages").as_deref(), Some("3.8"));
        assert_eq!(version("/usr/lib/python3/dist-packages"), None);
        assert_eq!(version("/home/me/src"), None);
    }
}
