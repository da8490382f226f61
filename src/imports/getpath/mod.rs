//! What the interpreter settles before any module is imported: the prefixes, and the path without site.
//! Three families of CPython, PyPy's own, and Windows.

mod classic;
mod config;
mod frozen;
mod pypy;
mod windows;

use super::build::{Build, Implementation, Version};
use super::place::Place;
use super::predict::{Fatal, ImportEntry, ImportOrigin, Question, Settings};
use crate::path::Flavour;

/// getpath's results.
pub(super) struct Located {
    pub executable: Vec<u8>,
    pub prefix: Vec<u8>,
    pub exec_prefix: Vec<u8>,
    pub base_prefix: Vec<u8>,
    pub base_exec_prefix: Vec<u8>,
    pub platlibdir: String,
    pub entries: Vec<ImportEntry>,
    pub underscore_pth: Option<UnderscorePth>,
    pub notes: Vec<String>,
}

pub(super) struct UnderscorePth {
    pub imports_site: bool,
}

impl Located {
    /// Python imports `encodings` before anything else. Before 3.0 only site is missed, so `-S` starts.
    pub fn cannot_start(&self, place: &Place, settings: &Settings, build: &Build) -> Option<Fatal> {
        let needed = match build.version {
            version if version >= Version::new(3, 0) => "encodings",
            _ if settings.no_site => return None,
            _ => "site.py",
        };
        let holds = |entry: &ImportEntry| {
            let directory = entry.directory.as_bytes();
            place.exists(&place.join(directory, needed)) || is_zip(place, directory)
        };
        if self.entries.iter().any(holds) {
            return None;
        }
        let looked_in = self
            .entries
            .iter()
            .filter(|entry| matches!(entry.origin, ImportOrigin::Stdlib | ImportOrigin::Pth { .. }))
            .map(|entry| entry.directory.clone())
            .collect();
        Some(Fatal::NoStandardLibrary { looked_in })
    }
}

fn is_zip(place: &Place, path: &[u8]) -> bool {
    place.read(path, 2).is_ok_and(|contents| contents.bytes == b"PK")
}

pub(super) fn locate(place: &Place, question: &Question, settings: &Settings) -> Result<Located, Fatal> {
    let version = question.build.version;
    match (question.build.implementation, place.flavour) {
        (Implementation::PyPy, _) => pypy::locate(place, question, settings),
        (Implementation::CPython, Flavour::Windows) => windows::locate(place, question, settings),
        (Implementation::CPython, Flavour::Posix) if version >= Version::new(3, 11) => {
            frozen::locate(place, question, settings)
        }
        (Implementation::CPython, Flavour::Posix) => classic::locate(place, question, settings),
    }
}

/// The names that getpath looks for below a prefix.
struct Landmarks {
    platlibdir: String,
    /// `pythonX.Y`, with the `t` of a free-threaded build.
    versioned: String,
    zip: String,
}

impl Landmarks {
    fn new(question: &Question, settings: &Settings) -> Self {
        let build = question.build;
        let version = build.version;
        // PYTHONPLATLIBDIR came with 3.9, as sys.platlibdir did.
        let platlibdir = question
            .variables
            .pythonplatlibdir
            .as_ref()
            .filter(|value| settings.use_environment && !value.is_empty() && version >= Version::new(3, 9))
            .map_or_else(|| build.platlibdir.clone(), |value| String::from_utf8_lossy(value).into_owned());
        let zip = format!("python{}{}{}.zip", version.major, version.minor, build.thread_suffix());
        Landmarks { platlibdir, versioned: build.versioned_name(), zip }
    }

    fn stdlib(&self, place: &Place, prefix: &[u8]) -> Vec<u8> {
        place.below(prefix, &[&self.platlibdir, &self.versioned])
    }

    fn dynload(&self, place: &Place, prefix: &[u8]) -> Vec<u8> {
        place.join(&self.stdlib(place, prefix), "lib-dynload")
    }

    fn zip(&self, place: &Place, prefix: &[u8]) -> Vec<u8> {
        place.below(prefix, &[&self.platlibdir, &self.zip])
    }

    fn is_prefix(&self, place: &Place, directory: &[u8]) -> bool {
        let stdlib = self.stdlib(place, directory);
        ["os.py", "os.pyc"].iter().any(|name| place.is_file(&place.join(&stdlib, name)))
    }

    fn is_exec_prefix(&self, place: &Place, directory: &[u8]) -> bool {
        place.is_directory(&self.dynload(place, directory))
    }
}

/// `PYTHONHOME`: one prefix, or two with the list separator between them.
fn split_home(place: &Place, home: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let separator = place.flavour.list_separator();
    match home.iter().position(|byte| *byte == separator) {
        Some(at) => (home[..at].to_vec(), home[at + 1..].to_vec()),
        None => (home.to_vec(), home.to_vec()),
    }
}

fn python_home<'a>(question: &'a Question, settings: &Settings) -> Option<&'a [u8]> {
    let home = question.variables.pythonhome.as_deref().filter(|_| settings.use_environment)?;
    // Until 3.6 an empty value counted as set.
    (!home.is_empty() || question.build.version < Version::new(3, 7)).then_some(home)
}

/// The entries of `PYTHONPATH`, each put through `spell`.
fn python_path(
    place: &Place,
    question: &Question,
    settings: &Settings,
    spell: impl Fn(&[u8]) -> Vec<u8>,
) -> Vec<ImportEntry> {
    let Some(value) = question.variables.pythonpath.as_deref().filter(|_| settings.use_environment) else {
        return Vec::new();
    };
    // 2.7 takes an empty variable for one empty entry.
    if value.is_empty() && question.build.version >= Version::new(3, 0) {
        return Vec::new();
    }
    let separator = place.flavour.list_separator();
    value
        .split(|byte| *byte == separator)
        .enumerate()
        .map(|(index, entry)| ImportEntry::new(spell(entry), ImportOrigin::PythonPath { index }))
        .collect()
}

fn compiled_prefix(question: &Question, notes: &mut Vec<String>) -> Vec<u8> {
    match &question.build.prefix {
        Some(prefix) => prefix.as_bytes().to_vec(),
        None => {
            notes.push("the compiled-in prefix is not known; it is taken not to help".to_owned());
            Vec::new()
        }
    }
}
