//! Which directories `site.getsitepackages` and `site.getusersitepackages` name.

use super::build::{Build, Implementation, Version};
use super::place::Place;
use super::predict::{ImportOrigin, Question};
use crate::facts::platform::System;
use crate::path::{Flavour, HostPath};

/// `site.getsitepackages(prefixes)`, with what each is called.
pub(super) fn site_packages(
    place: &Place,
    build: &Build,
    platlibdir: &str,
    prefixes: &[Vec<u8>],
    is_venv: bool,
) -> Vec<(Vec<u8>, ImportOrigin)> {
    let mut seen: Vec<&[u8]> = Vec::new();
    let mut directories = Vec::new();
    for prefix in prefixes.iter().filter(|prefix| !prefix.is_empty()) {
        if seen.contains(&prefix.as_slice()) {
            continue;
        }
        seen.push(prefix);
        let below = match (place.flavour, build.debian) {
            (Flavour::Windows, _) => windows(place, build, prefix),
            (Flavour::Posix, true) => debian(place, build, platlibdir, prefix, is_venv),
            (Flavour::Posix, false) => posix(place, build, platlibdir, prefix),
        };
        directories.extend(below.into_iter().map(|directory| {
            let debian = directory.ends_with(b"dist-packages");
            (directory, if debian { ImportOrigin::DistPackages } else { ImportOrigin::SitePackages })
        }));
    }
    directories
}

fn posix(place: &Place, build: &Build, platlibdir: &str, prefix: &[u8]) -> Vec<Vec<u8>> {
    let name = build.versioned_name();
    if build.implementation == Implementation::PyPy && has_own_layout(place, build) {
        return vec![place.join(prefix, "site-packages")];
    }
    let mut directories: Vec<_> = libraries(platlibdir)
        .into_iter()
        .map(|library| place.below(prefix, &[library, &name, "site-packages"]))
        .collect();
    if build.version < Version::new(3, 0) {
        directories.push(place.below(prefix, &["lib", "site-python"]));
    }
    // Apple's place for framework builds, until 3.6.
    if let Some(framework) = build.framework.as_deref().filter(|_| build.version < Version::new(3, 7)) {
        let version = build.version.to_string();
        directories.push(place.below(b"/Library", &[framework, &version, "site-packages"]));
    }
    directories
}

/// `sys.platlibdir`, and `lib` where that differs.
fn libraries(platlibdir: &str) -> Vec<&str> {
    if platlibdir == "lib" { vec!["lib"] } else { vec![platlibdir, "lib"] }
}

/// Before 7.3.8 PyPy kept the layout of its source tree.
fn has_own_layout(place: &Place, build: &Build) -> bool {
    build
        .stdlib
        .as_ref()
        .is_some_and(|stdlib| place.basename(place.reduced(stdlib.as_bytes())) == b"lib-python")
}

/// Debian's patch of `getsitepackages` (distutils-install-layout.diff).
fn debian(place: &Place, build: &Build, platlibdir: &str, prefix: &[u8], is_venv: bool) -> Vec<Vec<u8>> {
    let name = build.versioned_name();
    // The patch spells the version without the `t` of a free-threaded build here.
    let plain = name.trim_end_matches('t');
    let mut directories = Vec::new();
    if is_venv {
        directories.push(place.below(prefix, &["lib", plain, "site-packages"]));
    }
    directories.push(place.below(prefix, &["local/lib", plain, "dist-packages"]));
    if build.version >= Version::new(3, 0) {
        directories.push(place.below(prefix, &["lib", "python3", "dist-packages"]));
    }
    if build.implementation == Implementation::CPython {
        for library in libraries(platlibdir) {
            directories.push(place.below(prefix, &[library, &name, "dist-packages"]));
        }
    }
    directories
}

/// The prefix itself counts; `lib` is spelt `Lib` since 3.11.
fn windows(place: &Place, build: &Build, prefix: &[u8]) -> Vec<Vec<u8>> {
    let library = if build.version >= Version::new(3, 11) { "Lib" } else { "lib" };
    vec![prefix.to_vec(), place.below(prefix, &[library, "site-packages"])]
}

/// `site.USER_SITE`.
pub(super) fn user_site(place: &Place, question: &Question) -> Vec<u8> {
    let (build, variables) = (question.build, question.variables);
    let framework = build.framework.as_deref().filter(|_| build.system == System::MacOs);
    let version = build.version.to_string();
    // site reads it from os.environ, so -E and -I do not hide it.
    let base = match variables.pythonuserbase.as_deref().filter(|value| !value.is_empty()) {
        Some(base) => base.to_vec(),
        None => match (place.flavour, framework) {
            (Flavour::Windows, _) => {
                let data = variables.appdata.as_deref().filter(|value| !value.is_empty());
                let data = data.or(variables.userprofile.as_deref()).unwrap_or(b"~");
                place.join(data, implementation_name(build))
            }
            (_, Some(framework)) => place.below(&home(question), &["Library", framework, &version]),
            (_, None) => place.join(&home(question), ".local"),
        },
    };
    // Joined by hand in site.py: a trailing separator of the base stays.
    let rest = match (place.flavour, framework) {
        (Flavour::Windows, _) => {
            let version = version.replace('.', "") + build.thread_suffix();
            format!("\\{}{version}\\site-packages", implementation_name(build))
        }
        (_, Some(_)) => "/lib/python/site-packages".to_owned(),
        (_, None) => format!("/lib/{}/site-packages", build.versioned_name()),
    };
    let directory = [base.as_slice(), rest.as_bytes()].concat();
    // Until 3.6 sysconfig is asked, which normalises.
    if build.version < Version::new(3, 7) { place.normalized(&directory) } else { directory }
}

fn implementation_name(build: &Build) -> &'static str {
    match build.implementation {
        Implementation::CPython => "Python",
        Implementation::PyPy => "PyPy",
    }
}

/// `os.path.expanduser("~")`: `HOME`, set but empty included, else the password file, else `~` itself. The
/// empty string stands for the root.
fn home(question: &Question) -> Vec<u8> {
    let from_password_file = question.user.home.as_ref().map(HostPath::as_bytes);
    let home = question.variables.home.as_deref().or(from_password_file).unwrap_or(b"~");
    let end = home.iter().rposition(|byte| *byte != b'/').map_or(0, |at| at + 1);
    if end == 0 { b"/".to_vec() } else { home[..end].to_vec() }
}
