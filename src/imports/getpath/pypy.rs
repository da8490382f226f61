//! pypy/module/sys/initpath.py of PyPy 3.

use super::super::place::Place;
use super::super::predict::{Fatal, ImportEntry, ImportOrigin, Question, Settings};
use super::{Located, python_path};

/// PyPy reads so much of `pyvenv.cfg`.
const CONFIG_LIMIT: usize = 16_384;

pub(super) fn locate(place: &Place, question: &Question, settings: &Settings) -> Result<Located, Fatal> {
    let executable = place.absolute(question.executable.as_bytes());
    let mut notes = Vec::new();
    let (prefix, stdlib) = find_stdlib(place, question, &executable)
        .or_else(|| {
            // A shared build asks the loader where its library lies, which is the compiled-in place.
            let prefix = question.build.prefix.as_ref()?.as_bytes();
            Some((prefix.to_vec(), stdlib_of(place, question, prefix)?))
        })
        .unwrap_or_else(|| {
            notes.push("no PyPy standard library was found above the executable".to_owned());
            (b"/".to_vec(), Vec::new())
        });
    // PYTHONPATH entries stay as they are; site makes them absolute.
    let mut entries = python_path(place, question, settings, <[u8]>::to_vec);
    entries.extend(stdlib.into_iter().map(|path| ImportEntry::new(path, ImportOrigin::Stdlib)));
    Ok(Located {
        executable,
        prefix: prefix.clone(),
        exec_prefix: prefix.clone(),
        base_prefix: prefix.clone(),
        base_exec_prefix: prefix,
        platlibdir: question.build.platlibdir.clone(),
        entries,
        underscore_pth: None,
        notes,
    })
}

/// Upward from the executable, links resolved at every step; the first two directories may name another
/// start in a `pyvenv.cfg`.
fn find_stdlib(place: &Place, question: &Question, executable: &[u8]) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    let mut search = executable.to_vec();
    let mut configs = 2;
    loop {
        let mut directory = resolved_directory(place, &search);
        if directory == search {
            return None;
        }
        if configs > 0 {
            configs -= 1;
            if let Some(home) = config_home(place, &directory) {
                directory = home;
                configs = 0;
            }
        }
        if let Some(stdlib) = stdlib_of(place, question, &directory) {
            return Some((directory, stdlib));
        }
        search = directory;
    }
}

fn resolved_directory(place: &Place, path: &[u8]) -> Vec<u8> {
    place.dirname(&place.absolute(&place.resolved(&place.absolute(path), true)))
}

/// `find_pyvenv_cfg`: `home`, blanks, `=`; an empty value counts as none.
fn config_home(place: &Place, directory: &[u8]) -> Option<Vec<u8>> {
    let contents = place.read(&place.join(directory, "pyvenv.cfg"), CONFIG_LIMIT).ok()?;
    let spaces = |text: &[u8]| text.iter().take_while(|byte| **byte == b' ').count();
    let value = contents.bytes.split(|byte| *byte == b'\n' || *byte == b'\r').find_map(|line| {
        let rest = line[spaces(line)..].strip_prefix(b"home")?;
        rest[spaces(rest)..].strip_prefix(b"=")
    })?;
    let value = value.split(|byte| *byte == 0).next().unwrap_or_default().trim_ascii();
    (!value.is_empty()).then(|| value.to_vec())
}

fn stdlib_of(place: &Place, question: &Question, prefix: &[u8]) -> Option<Vec<Vec<u8>>> {
    let build = question.build;
    let version = build.version;
    let zip = place.join(prefix, format!("python{}{}.zip", version.major, version.minor));
    if place.is_file(&zip) {
        return Some(vec![zip]);
    }
    let packaged = match place.flavour {
        crate::path::Flavour::Posix => place.below(prefix, &[&build.platlibdir, &build.versioned_name()]),
        crate::path::Flavour::Windows => place.join(prefix, "Lib"),
    };
    if place.is_file(&place.join(&packaged, "site.py")) {
        return Some(vec![packaged]);
    }
    // The layout of a source tree, and of releases before 7.3.8.
    let own = place.join(prefix, "lib_pypy");
    let python = [version.major.to_string(), format!("{}.{}", version.major, version.minor)]
        .iter()
        .map(|name| place.below(prefix, &["lib-python", name]))
        .find(|directory| place.is_directory(directory))?;
    place.is_directory(&own).then(|| vec![own, python])
}
