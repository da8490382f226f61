//! The `site.py` that virtualenv 20 puts into an environment for 2.7: it maps the standard library's
//! entries to the base installation and then runs that one's `site.py`.

use super::build::Version;
use super::place::Place;
use super::predict::{Fatal, ImportOrigin};
use super::site::Site;
use crate::host::TEXT_LIMIT;

const MARK: &str = "rewrite_standard_library_sys_path";

/// Whether the `site.py` that would be imported is virtualenv's.
pub(super) fn takes_over(site: &Site) -> bool {
    if site.question.build.version >= Version::new(3, 0) {
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

struct Config {
    base_prefix: Vec<u8>,
    base_exec_prefix: Vec<u8>,
    base_executable: Vec<u8>,
    includes_system: bool,
}

pub(super) fn run(site: &mut Site) -> Result<(), Fatal> {
    let config = read_config(site)?;
    let here = site
        .path
        .iter()
        .find(|entry| entry.origin == ImportOrigin::Stdlib)
        .map(|entry| entry.directory.as_bytes().to_vec())
        .unwrap_or_default();
    rewrite_standard_library(site, &config);
    site.located.base_prefix = config.base_prefix.clone();
    site.located.base_exec_prefix = config.base_exec_prefix.clone();

    // The base's site.py, with the user site switched off.
    site.remove_duplicates();
    site.enable_user_site = Some(false);
    site.add_site_packages(&site.prefixes.clone())?;
    let own = site.place.join(&here, "site-packages");
    site.known = site.existing();
    site.add_site_directory(&own, ImportOrigin::SitePackages)?;

    if config.includes_system {
        site.remove_duplicates();
        site.enable_user_site = site.user_site_allowed();
        site.add_user_site()?;
        site.add_site_packages(&[config.base_prefix, config.base_exec_prefix])?;
    }
    Ok(())
}

fn read_config(site: &Site) -> Result<Config, Fatal> {
    let file = site.place.join(&site.located.prefix, "pyvenv.cfg");
    let contents = site
        .place
        .read(&file, TEXT_LIMIT)
        .map_err(|why| Fatal::ConfigUnreadable { file: file.clone().into(), why: why.to_string() })?;
    let value = |key: &str| {
        contents
            .bytes
            .split(|byte| *byte == b'\n')
            .filter_map(|line| {
                let at = line.iter().position(|byte| *byte == b'=')?;
                (line[..at].trim_ascii() == key.as_bytes()).then(|| line[at + 1..].trim_ascii().to_vec())
            })
            .next_back()
    };
    let needed = |key: &str| {
        value(key).ok_or_else(|| Fatal::ConfigKeyMissing { file: file.clone().into(), key: key.to_owned() })
    };
    Ok(Config {
        base_prefix: needed("base-prefix")?,
        base_exec_prefix: needed("base-exec-prefix")?,
        base_executable: needed("base-executable")?,
        includes_system: value("include-system-site-packages").as_deref() == Some(b"true"),
    })
}

fn rewrite_standard_library(site: &mut Site, config: &Config) {
    let place = site.place;
    let executable = site.located.executable.clone();
    let executable_dir = place.reduced(&executable).to_vec();
    let mappings = [
        (executable_dir.clone(), place.reduced(&config.base_executable).to_vec()),
        (site.located.prefix.clone(), config.base_prefix.clone()),
        (site.located.exec_prefix.clone(), config.base_exec_prefix.clone()),
    ];
    for entry in &mut site.path {
        let path = entry.directory.as_bytes();
        if path != executable_dir {
            entry.directory = map_path(place, path, &mappings).into();
        }
    }
    // PYTHONPATH's entries come back unmapped, without duplicates, over the first entries.
    let value = site.question.variables.pythonpath.as_ref().filter(|_| site.settings.use_environment);
    let mut restored: Vec<&[u8]> = Vec::new();
    for entry in value
        .filter(|value| !value.is_empty())
        .into_iter()
        .flat_map(|value| value.split(|byte| *byte == b':'))
    {
        if !restored.contains(&entry) {
            restored.push(entry);
        }
    }
    for (entry, path) in site.path.iter_mut().zip(restored) {
        entry.directory = path.into();
    }
}

fn map_path(place: &Place, path: &[u8], mappings: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    for (from, to) in mappings {
        if path.strip_prefix(place.join(from, "").as_slice()).is_some() {
            return [to.as_slice(), &path[from.len()..]].concat();
        }
    }
    path.to_vec()
}
