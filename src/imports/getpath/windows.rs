//! Windows: PC/getpathp.c until 3.10, Modules/getpath.py since. The registry is not asked: it matters to
//! embedders only, once the standard library has been found beside the executable.

use super::super::build::Version;
use super::super::place::Place;
use super::super::predict::{Fatal, ImportEntry, ImportOrigin, Question, Settings};
use super::config::{Lines, first_home, read_lines};
use super::frozen::underscore_entries;
use super::{Located, compiled_prefix, python_home, python_path, split_home};

pub(super) fn locate(place: &Place, question: &Question, settings: &Settings) -> Result<Located, Fatal> {
    let version = question.build.version;
    let executable = place.absolute(question.executable.as_bytes());
    let directory = place.reduced(&executable).to_vec();
    let mut notes = Vec::new();
    let launcher = if version >= Version::new(3, 3) { launcher_of(place, &directory)? } else { None };
    // A venv's python.exe is a launcher: the interpreter, its library and its `._pth` lie in `home`.
    let (venv, real) = match launcher {
        Some(launcher) => (Some(launcher.root), launcher.home),
        None => (None, directory),
    };
    if place.is_file(&real) {
        return Err(Fatal::HomeIsFile { home: real.into() });
    }
    let located = |prefix: Vec<u8>, entries, underscore_pth, notes| {
        let venv = venv.clone().filter(|_| version >= Version::new(3, 14));
        Located {
            executable: executable.clone(),
            prefix: venv.clone().unwrap_or_else(|| prefix.clone()),
            exec_prefix: venv.unwrap_or_else(|| prefix.clone()),
            base_prefix: prefix.clone(),
            base_exec_prefix: prefix,
            platlibdir: question.build.platlibdir.clone(),
            entries,
            underscore_pth,
            notes,
        }
    };
    let stem = format!("python{}{}", version.major, version.minor);
    for file in [place.join(&real, format!("{stem}._pth")), place.join(&real, "python._pth")] {
        let Some(path) = place.host(&file).filter(|_| place.is_file(&file)) else { continue };
        if let Lines::Read(lines) = read_lines(place, &file)? {
            let (entries, underscore) = underscore_entries(place, &path, &lines);
            return Ok(located(real, entries, Some(underscore), notes));
        }
    }

    let zip = place.join(&real, format!("{stem}.zip"));
    let has_stdlib = |prefix: &[u8]| place.is_file(&place.below(prefix, &["Lib", "os.py"]));
    let home = python_home(question, settings).map(|home| split_home(place, home).0);
    // getpath.py searches in place of an empty first half
    let prefix = match home.filter(|home| !home.is_empty() || version < Version::new(3, 11)) {
        Some(home) => home,
        None if place.is_file(&zip) => real.clone(),
        None => place.search_up(&real, has_stdlib).unwrap_or_else(|| compiled_prefix(question, &mut notes)),
    };
    let mut entries = python_path(place, question, settings, |entry| match version {
        version if version >= Version::new(3, 11) => place.getpath_absolute(entry),
        _ => entry.to_vec(),
    });
    entries.push(ImportEntry::new(zip, ImportOrigin::StdlibZip));
    add_library(place, version, &mut entries, &prefix, real);
    Ok(located(prefix, entries, None, notes))
}

/// Extensions come before modules, and the interpreter's own directory last.
fn add_library(
    place: &Place,
    version: Version,
    entries: &mut Vec<ImportEntry>,
    prefix: &[u8],
    real: Vec<u8>,
) {
    let library = if version >= Version::new(3, 11) { "Lib" } else { "lib" };
    entries.push(ImportEntry::new(place.join(prefix, "DLLs"), ImportOrigin::LibDynload));
    entries.push(ImportEntry::new(place.join(prefix, library), ImportOrigin::Stdlib));
    let known = entries.iter().any(|entry| place.key(entry.directory.as_bytes()) == place.key(&real));
    if !known {
        entries.push(ImportEntry::new(real, ImportOrigin::Stdlib));
    }
}

struct Launcher {
    root: Vec<u8>,
    home: Vec<u8>,
}

/// The venv that the launcher belongs to: its `pyvenv.cfg` is looked for beside the launcher first.
fn launcher_of(place: &Place, directory: &[u8]) -> Result<Option<Launcher>, Fatal> {
    for candidate in [directory, place.reduced(directory)] {
        if let Lines::Read(lines) = read_lines(place, &place.join(candidate, "pyvenv.cfg"))?
            && let Some(home) = first_home(&lines)
        {
            return Ok(Some(Launcher { root: candidate.to_vec(), home }));
        }
    }
    Ok(None)
}
