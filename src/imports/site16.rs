//! The `site.py` that virtualenv put into an environment until its version 20 (`virtualenv_embedded/site.py` of
//! virtualenv 16.7.12): it appends the original standard library, and only then comes the environment's own
//! `site-packages`. `orig-prefix.txt` beside it names the original; `no-global-site-packages.txt` shuts out the
//! site directories of that one and of the user.

use super::build::{Build, Implementation, Version};
use super::place::Place;
use super::predict::{Fatal, ImportEntry, ImportOrigin};
use super::site::Site;
use super::sitedirs;
use crate::facts::platform::System;
use crate::host::TEXT_LIMIT;
use crate::path::Flavour;

const MARK: &str = "virtual_install_main_packages";

/// Whether the `site.py` that would be imported is this one. CPython 3.11 has frozen its own.
pub(super) fn takes_over(site: &Site) -> bool {
    let build = site.question.build;
    if build.implementation != Implementation::CPython || build.version >= Version::new(3, 11) {
        return false;
    }
    site.path
        .iter()
        .filter(|entry| entry.origin == ImportOrigin::Stdlib)
        .find_map(|entry| {
            site.place.read(&site.place.join(entry.directory.as_bytes(), "site.py"), TEXT_LIMIT).ok()
        })
        .is_some_and(|contents| contents.text().contains(MARK))
}

pub(super) fn run(site: &mut Site) -> Result<(), Fatal> {
    let place = site.place;
    let here = own_library(site);
    let original = original_prefix(place, &here)?;
    append_standard_library(site, &original);
    site.remove_duplicates();
    let global = !place.exists(&place.join(&here, "no-global-site-packages.txt"));
    site.enable_user_site = if global { site.user_site_allowed() } else { Some(false) };
    // like that of 2.7, which it is taken from, it forgets to note the site directory
    site.rules.blank_is_directory = true;
    let prefix = site.located.prefix.clone();
    for (directory, origin) in site_packages(site, &prefix) {
        site.add_site_directory(&directory, origin)?;
    }
    // From here on it passes on no set of what is known: every directory begins with what exists on the path.
    for directory in user_sites(site) {
        site.add_nested_site_directory(&directory, ImportOrigin::UserSite)?;
    }
    if global {
        for (directory, origin) in site_packages(site, &original) {
            site.add_nested_site_directory(&directory, origin)?;
        }
    }
    Ok(())
}

/// The directory that this `site.py` lies in.
fn own_library(site: &Site) -> Vec<u8> {
    site.path
        .iter()
        .filter(|entry| entry.origin == ImportOrigin::Stdlib)
        .map(|entry| entry.directory.as_bytes())
        .find(|directory| site.place.is_file(&site.place.join(directory, "site.py")))
        .unwrap_or_default()
        .to_vec()
}

fn original_prefix(place: &Place, here: &[u8]) -> Result<Vec<u8>, Fatal> {
    let file = place.join(here, "orig-prefix.txt");
    match place.read(&file, TEXT_LIMIT) {
        Ok(contents) => Ok(contents.bytes.trim_ascii().to_vec()),
        Err(why) => Err(Fatal::ConfigUnreadable { file: file.into(), why: why.to_string() }),
    }
}

/// `virtual_install_main_packages`.
fn append_standard_library(site: &mut Site, original: &[u8]) {
    let (place, build) = (site.place, site.question.build);
    let directories = match place.flavour {
        Flavour::Windows => ["Lib", "DLLs"].map(|name| place.join(original, name)).to_vec(),
        Flavour::Posix => {
            let library = place.below(original, &["lib", &build.versioned_name()]);
            let lib64 = place.below(original, &["lib64", &build.versioned_name()]);
            let mut directories: Vec<_> =
                Some(lib64).filter(|it| place.exists(it)).into_iter().chain([library.clone()]).collect();
            let platform = platform_directories(site).into_iter().map(|name| place.join(&library, name));
            directories.extend(platform.filter(|directory| place.exists(directory)));
            directories
        }
    };
    let tk: Vec<_> = directories.iter().map(|directory| place.join(directory, "lib-tk")).collect();
    let tk = tk.into_iter().filter(|directory| place.exists(directory));
    let all: Vec<_> = directories.iter().cloned().chain(tk).collect();
    site.path.extend(all.into_iter().map(|directory| ImportEntry::new(directory, ImportOrigin::Stdlib)));
}

/// `plat-linux2` and its like, named as getpath names them below the environment's own library.
fn platform_directories(site: &Site) -> Vec<Vec<u8>> {
    let place = site.place;
    let library = own_library(site);
    let below = place.join(&library, "plat-");
    let directories = site.path.iter().map(|entry| entry.directory.as_bytes());
    directories
        .filter(|directory| directory.starts_with(&below))
        .filter_map(|directory| Some(directory.get(library.len() + 1..)?.to_vec()))
        .collect()
}

/// `addsitepackages(sys_prefix=prefix)`: those that are directories.
fn site_packages(site: &Site, prefix: &[u8]) -> Vec<(Vec<u8>, ImportOrigin)> {
    let place = site.place;
    let exec_prefix = &site.located.exec_prefix;
    let mut prefixes = vec![place.join(prefix, "local"), prefix.to_vec()];
    if exec_prefix != prefix {
        prefixes.push(place.join(exec_prefix, "local"));
    }
    let mut directories = Vec::new();
    for below in prefixes {
        directories.extend(match (place.flavour, site.question.build.system) {
            (Flavour::Windows, _) => vec![below.clone(), place.below(&below, &["lib", "site-packages"])],
            (Flavour::Posix, System::MacOs) if below == prefix => macos(site, prefix),
            (Flavour::Posix, _) => posix(place, site.question.build, &below),
        });
    }
    directories
        .into_iter()
        .filter(|directory| place.is_directory(directory))
        .map(|directory| {
            let debian = directory.ends_with(b"dist-packages");
            (directory, if debian { ImportOrigin::DistPackages } else { ImportOrigin::SitePackages })
        })
        .collect()
}

fn posix(place: &Place, build: &Build, prefix: &[u8]) -> Vec<Vec<u8>> {
    let name = build.versioned_name();
    let mut directories = vec![
        place.below(prefix, &["lib", &name, "site-packages"]),
        place.below(prefix, &["lib", "site-python"]),
        place.below(prefix, &[&name, "lib-dynload"]),
    ];
    let real = |path: &Vec<u8>| place.host(path).and_then(|path| place.files.canonical(&path).ok());
    let lib64 = place.below(prefix, &["lib64", &name, "site-packages"]);
    if let Some(target) = real(&lib64)
        && !directories.iter().any(|directory| real(directory).as_ref() == Some(&target))
    {
        directories.insert(0, lib64);
    }
    let debian = if build.version < Version::new(3, 0) { name.as_str() } else { "python3" };
    directories.push(place.below(prefix, &["local/lib", &name, "dist-packages"]));
    directories.push(place.below(prefix, &["lib", debian, "dist-packages"]));
    directories.push(place.below(prefix, &["lib", "dist-python"]));
    directories
}

/// Apple's own Python has its packages elsewhere; a framework build looks at home, too.
fn macos(site: &Site, prefix: &[u8]) -> Vec<Vec<u8>> {
    let (place, build) = (site.place, site.question.build);
    let version = build.version.to_string();
    let mut directories = if prefix.starts_with(b"/System/Library/Frameworks/") {
        vec![
            place.below(b"/Library/Python", &[&version, "site-packages"]),
            place.below(prefix, &["Extras", "lib", "python"]),
        ]
    } else {
        vec![place.below(prefix, &["lib", &build.versioned_name(), "site-packages"])]
    };
    let text = String::from_utf8_lossy(prefix);
    let framework = text.contains("Python.framework") || text.contains("Python3.framework");
    let home = site.question.variables.home.as_deref().filter(|home| framework && !home.is_empty());
    directories.extend(home.map(|home| place.below(home, &["Library", "Python", &version, "site-packages"])));
    directories
}

/// `addusersitepackages`: Debian's directories follow the user's site.
fn user_sites(site: &Site) -> Vec<Vec<u8>> {
    if site.enable_user_site != Some(true) {
        return Vec::new();
    }
    let place = site.place;
    let own = sitedirs::user_site(place, site.question);
    let base = place.dirname(&place.dirname(&place.dirname(&own)));
    let name = site.question.build.versioned_name();
    let debian = ["lib", "local/lib"].map(|library| place.below(&base, &[library, &name, "dist-packages"]));
    let all = std::iter::once(own).chain(debian);
    all.filter(|directory| place.is_directory(directory)).collect()
}
