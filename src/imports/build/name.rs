//! Implementation and version: from the names along the link chain, from the binary, from the directories
//! around it, and last from what `pyvenv.cfg` claims.

use super::super::place::Place;
use super::{Implementation, Unidentified, Version, binary};
use crate::host::FileKind;
use crate::parse::python_literal;
use crate::path::{Flavour, HostPath};

pub(super) struct Found {
    pub implementation: Implementation,
    pub version: Version,
    pub patch: Option<u8>,
    pub free_threaded: bool,
    /// Where to look for the standard library, upward, best first.
    pub starts: Vec<Vec<u8>>,
    /// The file at the end of the link chain.
    pub binary: Vec<u8>,
    /// Why there is no such file; the rest is then told by names and by what surrounds it.
    pub dead: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    pub implementation: Implementation,
    pub version: Version,
    pub free_threaded: bool,
}

/// `python3.12`, `python3.13t`, `pypy3.11-c`, `python3.6m`, with or without `.exe`.
pub(super) fn parse(name: &[u8]) -> Option<Name> {
    let name = std::str::from_utf8(name).ok()?;
    let (implementation, rest) = match (name.strip_prefix("python"), name.strip_prefix("pypy")) {
        (Some(rest), _) => (Implementation::CPython, rest),
        (_, Some(rest)) => (Implementation::PyPy, rest),
        _ => return None,
    };
    let (major, rest) = rest.split_once('.')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (minor, suffix) = rest.split_at(digits);
    if !matches!(suffix, "" | "t" | "m" | "d" | "dm" | "td" | "-c" | ".exe" | "t.exe" | "-intel64") {
        return None;
    }
    let version = Version::new(major.parse().ok()?, minor.parse().ok()?);
    Some(Name { implementation, version, free_threaded: suffix.starts_with('t') })
}

/// What the keys of `pyvenv.cfg` claim.
#[derive(Default)]
struct Config {
    home: Option<Vec<u8>>,
    version: Option<(Version, Option<u8>)>,
    implementation: Option<Implementation>,
}

pub(super) fn find(place: &Place, executable: &HostPath) -> Result<Found, Unidentified> {
    let resolved = place.resolved(executable.as_bytes(), true);
    let dead = (!place.is_file(&resolved)).then(|| {
        if resolved == executable.as_bytes() {
            format!("{executable} is not a file")
        } else {
            format!("{executable} leads to {}, which is not a file", crate::path::readable(&resolved))
        }
    });
    if place.read(&resolved, 2).is_ok_and(|contents| contents.bytes == b"#!") {
        return Err(Unidentified { why: format!("{executable} is a script, not an interpreter") });
    }
    let config = read_config(place, executable);
    let directory = place.reduced(&resolved).to_vec();
    let mut starts = vec![directory.clone()];
    // Windows' launcher in a venv has its interpreter in `home`.
    starts.extend(config.home.clone());
    if place.flavour == Flavour::Windows {
        starts.reverse();
    }
    let own = place.dirname(&place.dirname(executable.as_bytes()));
    let name = name_of_chain(place, executable.as_bytes())
        .or_else(|| binary::linked_library(place, &resolved))
        .or_else(|| library_beside(place, &starts))
        .or_else(|| {
            place
                .search_up(&directory, |above| lone_stdlib(place, above).is_some())
                .and_then(|above| lone_stdlib(place, &above))
        })
        .or_else(|| lone_library_directory(place, &own))
        .or_else(|| {
            let (version, _) = config.version?;
            let implementation = config.implementation.unwrap_or(Implementation::CPython);
            Some(Name { implementation, version, free_threaded: false })
        })
        .or_else(|| {
            let home = config.home.as_ref()?;
            ["python3", "python"].iter().find_map(|name| name_of_chain(place, &place.join(home, name)))
        })
        .or_else(|| binary::embedded_version(place, &resolved));
    let Some(name) = name else {
        let unknown = || format!("nothing tells which version of Python {executable} is");
        return Err(Unidentified { why: dead.unwrap_or_else(unknown) });
    };
    let patch = config.version.filter(|(version, _)| *version == name.version).and_then(|(_, patch)| patch);
    Ok(Found {
        implementation: name.implementation,
        version: name.version,
        patch,
        free_threaded: name.free_threaded,
        starts,
        binary: resolved,
        dead,
    })
}

/// The last name of the chain that tells a version, intermediate links included: Debian's `pypy3` ends in
/// a file of that name only after `pypy3.11`.
fn name_of_chain(place: &Place, executable: &[u8]) -> Option<Name> {
    let end = place.resolved(executable, true);
    parse(place.basename(&end)).or_else(|| {
        let canonical = place.files.canonical(&place.host(&end)?).ok()?;
        parse(canonical.file_name()?)
    })
}

/// `python312.dll` or `python313t.dll` beside a Windows interpreter.
fn library_beside(place: &Place, directories: &[Vec<u8>]) -> Option<Name> {
    if place.flavour != Flavour::Windows {
        return None;
    }
    directories.iter().find_map(|directory| {
        let listing = place.files.list(&place.host(directory)?).ok()?;
        listing.entries.iter().find_map(|entry| {
            let name = String::from_utf8_lossy(&entry.name).to_ascii_lowercase();
            let digits = name.strip_prefix("python")?.strip_suffix(".dll")?;
            let (digits, free_threaded) = match digits.strip_suffix('t') {
                Some(digits) => (digits, true),
                None => (digits, false),
            };
            let (major, minor) = digits.split_at_checked(1)?;
            let version = Version::new(major.parse().ok()?, minor.parse().ok()?);
            Some(Name { implementation: Implementation::CPython, version, free_threaded })
        })
    })
}

/// The only `lib/pythonX.Y` with an `os.py` below `prefix`.
fn lone_stdlib(place: &Place, prefix: &[u8]) -> Option<Name> {
    lone(place, prefix, |directory| place.is_file(&place.join(directory, "os.py")))
}

/// The only `lib/pythonX.Y` below an environment.
fn lone_library_directory(place: &Place, root: &[u8]) -> Option<Name> {
    lone(place, root, |_| true)
}

fn lone(place: &Place, prefix: &[u8], accept: impl Fn(&[u8]) -> bool) -> Option<Name> {
    let mut found = None;
    for library in ["lib", "lib64"] {
        let library = place.join(prefix, library);
        let Some(listing) = place.host(&library).and_then(|path| place.files.list(&path).ok()) else {
            continue;
        };
        for entry in listing.entries.iter().filter(|entry| entry.kind != FileKind::File) {
            let Some(name) = parse(&entry.name) else { continue };
            if !accept(&place.join(&library, &entry.name)) || found == Some(name) {
                continue;
            }
            if found.is_some() {
                return None;
            }
            found = Some(name);
        }
    }
    found
}

fn read_config(place: &Place, executable: &HostPath) -> Config {
    let directory = place.dirname(executable.as_bytes());
    let mut config = Config::default();
    for directory in [place.dirname(&directory), directory] {
        let Ok(contents) = place.read(&place.join(&directory, "pyvenv.cfg"), 32_768) else { continue };
        for line in contents.text().lines() {
            let Some((key, value)) = line.split_once('=') else { continue };
            let value = python_literal::strip(value);
            match python_literal::strip(key).to_lowercase().as_str() {
                "home" if config.home.is_none() => config.home = Some(value.as_bytes().to_vec()),
                "version" | "version_info" if config.version.is_none() => {
                    config.version = version_number(value);
                }
                "implementation" => {
                    config.implementation = match value {
                        "PyPy" => Some(Implementation::PyPy),
                        _ => Some(Implementation::CPython),
                    }
                }
                _ => {}
            }
        }
        break;
    }
    config
}

fn version_number(text: &str) -> Option<(Version, Option<u8>)> {
    let mut numbers = text.split('.');
    let version = Version::new(numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    let patch = numbers.next().and_then(|patch| {
        let digits = patch.bytes().take_while(u8::is_ascii_digit).count();
        patch[..digits].parse().ok()
    });
    Some((version, patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions_from_names() {
        let name = |text: &str| {
            parse(text.as_bytes()).map(|name| (name.implementation, name.version, name.free_threaded))
        };
        assert_eq!(name("python3.12"), Some((Implementation::CPython, Version::new(3, 12), false)));
        assert_eq!(name("python3.13t"), Some((Implementation::CPython, Version::new(3, 13), true)));
        assert_eq!(name("pypy3.11-c"), Some((Implementation::PyPy, Version::new(3, 11), false)));
        for other in ["python", "python3", "python3.12-config", "ipython3.12", "python3.x", "python3.999"] {
            assert_eq!(name(other), None, "{other}");
        }
        assert_eq!(version_number("3.9.18.final.0"), Some((Version::new(3, 9), Some(18))));
        assert_eq!(version_number("3.14.0rc1"), Some((Version::new(3, 14), Some(0))));
        assert_eq!(version_number("3.12"), Some((Version::new(3, 12), None)));
        assert_eq!(version_number("x"), None);
    }
}
