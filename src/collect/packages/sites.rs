//! The directories that hold an interpreter's packages, in the order of its import path (`Lib/site.py`).

use crate::collect::environment::version_of_file;
use crate::facts::distribution::SiteKind;
use crate::facts::environment::{Environment, EnvironmentKind, Layout, Library};
use crate::facts::interpreter::Version;
use crate::facts::platform::{System, User};
use crate::facts::shell::Shell;
use crate::host::{Files, Host};
use crate::path::{Flavour, HostPath};

/// The variables that decide, as the examined shell has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables {
    pub python_path: Option<String>,
    pub no_user_site: bool,
    pub user_base: Option<HostPath>,
    pub app_data: Option<HostPath>,
}

impl Variables {
    pub fn of(shell: &Shell) -> Variables {
        Variables::told_by(&|name| shell.set(name).map(str::to_owned))
    }

    /// As this process has them: the same as the shell's, where no wrapper stands between.
    pub fn of_process(host: &dyn Host) -> Variables {
        Variables::told_by(&|name| host.text_variable(name))
    }

    fn told_by(told: &dyn Fn(&str) -> Option<String>) -> Variables {
        let path = |name: &str| {
            let value = told(name)?;
            let flavour = if value.starts_with('/') { Flavour::Posix } else { Flavour::Windows };
            HostPath::new(flavour, value)
        };
        Variables {
            python_path: told("PYTHONPATH"),
            no_user_site: told("PYTHONNOUSERSITE").is_some(),
            user_base: path("PYTHONUSERBASE"),
            app_data: path("APPDATA"),
        }
    }
}

/// `PYTHONPATH`, then the venv's own; the user site; the installation's. Only directories that are there.
pub fn sites(host: &dyn Host, environment: &Environment, variables: &Variables) -> Vec<(HostPath, SiteKind)> {
    let mut found = Found { host, real: Vec::new(), sites: Vec::new() };
    if !environment.exists() {
        return found.sites;
    }
    for entry in python_path(host, environment, variables) {
        found.add(entry, SiteKind::PythonPath);
    }
    let library = library(host, environment);
    let version = library.and_then(|library| library.version).or_else(|| environment.config_version());
    let venv = environment.is_venv();
    let with_base = !venv
        || environment.venv_config().is_some_and(|config| config.include_system_site_packages())
        || (environment.kind == EnvironmentKind::LegacyVirtualenv
            && library.is_some_and(|library| {
                !host.is_file(&library.directory.join("no-global-site-packages.txt"))
            }));
    if venv && let Some(library) = library {
        found.add_library(library, environment);
    }
    if with_base && !variables.no_user_site && enabled_for(host.user()) {
        for directory in user_sites(host, environment, version, variables) {
            found.add(directory, SiteKind::User);
        }
    }
    if !venv {
        if let Some(library) = library {
            found.add_library(library, environment);
        }
        add_installation(&mut found, &environment.root, version, SiteKind::Own);
    } else if with_base && let Some(prefix) = base_prefix(environment) {
        add_installation(&mut found, &prefix, version, SiteKind::Base);
    }
    found.sites
}

/// The entries of `PYTHONPATH`; a relative one, and an empty one among others, counts from the working directory
/// (`removeduppaths` of `Lib/site.py`).
fn python_path(host: &dyn Host, environment: &Environment, variables: &Variables) -> Vec<HostPath> {
    let flavour = environment.root.flavour();
    let value = variables.python_path.as_deref().filter(|value| !value.is_empty());
    let here = host.working_directory().ok().filter(|here| here.flavour() == flavour);
    let absolute = |text: &str| match HostPath::new(flavour, text) {
        Some(path) => Some(path),
        // of Windows, `C:name` and `\name` count from elsewhere
        None if text.contains(':') || text.starts_with(['\\', '/']) => None,
        None => Some(here.as_ref()?.join(text)),
    };
    let entries = value.into_iter().flat_map(|value| value.split(char::from(flavour.list_separator())));
    entries.filter_map(|text| Some(absolute(text)?.normalized())).collect()
}

/// The entries of `PYTHONPATH` that are no directories, which may be archives or places inside of some.
pub fn archives(host: &dyn Host, environment: &Environment, variables: &Variables) -> Vec<HostPath> {
    let entries = python_path(host, environment, variables).into_iter();
    entries.filter(|entry| !host.is_directory(entry)).collect()
}

/// The directory of the standard library that the environment's Python has.
pub fn standard_library(files: &dyn Files, environment: &Environment) -> Option<HostPath> {
    let library = library(files, environment)?;
    if !environment.is_venv() {
        return Some(library.directory.clone());
    }
    let prefix = base_prefix(environment)?;
    if prefix.flavour() == Flavour::Windows {
        return Some(prefix.join("Lib"));
    }
    let version = library.version.or_else(|| environment.config_version())?;
    Some(prefix.join(format!("lib/python{}", version.minor_text())))
}

struct Found<'a> {
    host: &'a dyn Host,
    real: Vec<HostPath>,
    sites: Vec<(HostPath, SiteKind)>,
}

impl Found<'_> {
    /// Once each, whatever the spelling.
    fn add(&mut self, directory: HostPath, kind: SiteKind) {
        if !self.host.is_directory(&directory) {
            return;
        }
        let real = self.host.canonical(&directory).unwrap_or_else(|_| directory.clone());
        if !self.real.contains(&real) {
            self.real.push(real);
            self.sites.push((directory, kind));
        }
    }

    /// `lib`, and `lib64` where a distributor keeps compiled packages apart.
    fn add_library(&mut self, library: &Library, environment: &Environment) {
        self.add(library.site_packages.clone(), SiteKind::Own);
        if let (Layout::Posix, Some(version)) = (environment.layout, library.version) {
            let name = format!("lib64/python{}/site-packages", version.minor_text());
            self.add(environment.root.join(name), SiteKind::Own);
        }
    }
}

/// Of several, the one that the environment's Python reads. What its `python` leads to decides: `python3.12 -m venv`
/// over an environment of 3.11 writes a new `pyvenv.cfg` and leaves that link as it was.
fn library<'e>(files: &dyn Files, environment: &'e Environment) -> Option<&'e Library> {
    if let [only] = environment.libraries.as_slice() {
        return Some(only);
    }
    let wanted = version_of_file(files, &environment.program("python"))
        .or_else(|| environment.home.as_ref().and_then(|home| home.version))
        .or_else(|| environment.config_version());
    let fits = |library: &&Library| match (library.version, wanted) {
        (Some(version), Some(wanted)) => version.same_minor(wanted),
        _ => false,
    };
    let libraries = &environment.libraries;
    libraries.iter().find(fits).or_else(|| libraries.iter().find(|library| library.site_packages_exists))
}

/// `site` adds no user site for a process with other rights than its user (`check_enableusersite`).
fn enabled_for(user: &User) -> bool {
    user.id == user.effective_id && user.group == user.effective_group
}

fn user_sites(
    host: &dyn Host,
    environment: &Environment,
    version: Option<Version>,
    variables: &Variables,
) -> Vec<HostPath> {
    let Some(version) = version else { return Vec::new() };
    let minor = format!("lib/python{}/site-packages", version.minor_text());
    let base = variables.user_base.clone();
    if environment.root.flavour() == Flavour::Windows {
        let base = base.or_else(|| Some(variables.app_data.as_ref()?.join("Python")));
        let name = format!("Python{}{}\\site-packages", version.major, version.minor);
        return base.into_iter().map(|base| base.join(&name)).collect();
    }
    if let Some(base) = base {
        return vec![base.join(minor)];
    }
    let Some(home) = host.home() else { return Vec::new() };
    let mut found = vec![home.join(".local").join(minor)];
    let framework = || {
        let real = environment.home.as_ref().map_or(&environment.root, |home| &home.path);
        real.to_text().contains(".framework/")
    };
    if host.platform().system == System::MacOs && framework() {
        let name = format!("Library/Python/{}.{}/lib/python/site-packages", version.major, version.minor);
        found = vec![home.join(name)];
    }
    found
}

/// The prefix of the installation that a venv was made from.
fn base_prefix(environment: &Environment) -> Option<HostPath> {
    let home = environment.home.as_ref()?;
    match home.path.flavour() {
        Flavour::Posix if home.path.name() == "bin" => home.path.parent(),
        _ => Some(home.path.clone()),
    }
}

/// What `getsitepackages` gives for a prefix, with the places that Debian and Fedora add to it.
fn add_installation(found: &mut Found, prefix: &HostPath, version: Option<Version>, own: SiteKind) {
    if prefix.flavour() == Flavour::Windows {
        found.add(prefix.join("Lib").join("site-packages"), own);
        return;
    }
    let Some(version) = version else { return };
    let minor = version.minor_text();
    if prefix.to_text() == "/usr" {
        found.add(prefix.join(format!("local/lib/python{minor}/dist-packages")), own);
        found.add(prefix.join(format!("lib/python{}/dist-packages", version.major)), SiteKind::Base);
        found.add(prefix.join(format!("local/lib64/python{minor}/site-packages")), own);
        found.add(prefix.join(format!("local/lib/python{minor}/site-packages")), own);
    }
    found.add(prefix.join(format!("lib64/python{minor}/site-packages")), own);
    found.add(prefix.join(format!("lib/python{minor}/site-packages")), own);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{VENV, venv};
    use crate::host::fake::FakeMachine;

    #[test]
    fn relative_entries_count_from_the_working_directory() {
        let machine = FakeMachine::linux()
            .cwd("/home/me/project")
            .dir("/home/me/project/vendor")
            .dir("/home/me/common/src")
            .file("/home/me/project/more.zip", "");
        let read = |value: &str| -> Vec<String> {
            let variables = Variables { python_path: Some(value.to_owned()), ..Variables::default() };
            let found = sites(&machine, &venv(VENV), &variables).into_iter().map(|(directory, _)| directory);
            let found = found.chain(archives(&machine, &venv(VENV), &variables));
            found.map(|entry| entry.to_text().into_owned()).collect()
        };
        assert_eq!(read("vendor"), ["/home/me/project/vendor"]);
        assert_eq!(read("./vendor:../common/src"), ["/home/me/project/vendor", "/home/me/common/src"]);
        assert_eq!(read("vendor:"), ["/home/me/project/vendor", "/home/me/project"]);
        assert_eq!(read("."), ["/home/me/project"]);
        assert_eq!(read("more.zip"), ["/home/me/project/more.zip"]);
        assert!(read("").is_empty());
    }

    #[test]
    fn of_two_versions_the_linked_one_is_read() {
        let machine = FakeMachine::linux()
            .executable("/usr/bin/python3.11", "")
            .link(format!("{VENV}/bin/python"), "python3.11")
            .link(format!("{VENV}/bin/python3.11"), "/usr/bin/python3.11")
            .dir(format!("{VENV}/lib/python3.11/site-packages"))
            .dir(format!("{VENV}/lib/python3.12/site-packages"));
        let mut environment = venv(VENV);
        let mut newer = environment.libraries[0].clone();
        newer.version = Some(Version::new(3, 12, None));
        newer.site_packages = environment.root.join("lib/python3.12/site-packages");
        environment.libraries.push(newer);
        environment.home.as_mut().unwrap().version = Some(Version::new(3, 12, None));
        let read = |machine: &FakeMachine| -> Vec<String> {
            let found = sites(machine, &environment, &Variables::default());
            found.iter().map(|(directory, _)| directory.to_text().into_owned()).collect()
        };
        assert_eq!(read(&machine), [format!("{VENV}/lib/python3.11/site-packages")]);
        let unlinked = machine.remove(format!("{VENV}/bin/python"));
        assert_eq!(read(&unlinked), [format!("{VENV}/lib/python3.12/site-packages")]);
    }
}
