//! What the files of the standard library tell of the build.

use super::super::place::Place;
use super::{Build, Implementation, Version, binary};
use crate::facts::platform::System;
use crate::host::TEXT_LIMIT;
use crate::path::Flavour;

/// python-build-standalone's compiled-in prefix, whatever uv writes into `_sysconfigdata` later.
const STANDALONE_PREFIX: &str = "/install";

/// Completes `build` from the standard library found above one of `starts`, else from the binary's strings.
pub(super) fn describe(place: &Place, build: &mut Build, starts: &[Vec<u8>], file: &[u8]) {
    let Some((prefix, stdlib)) = find(place, build, starts, file) else {
        build.skips_hidden_pth = skips_by_version(build);
        build.notes.push("no standard library was found for this interpreter".to_owned());
        return;
    };
    build.stdlib = place.host(&stdlib);
    read_sysconfig(place, build, &prefix, &stdlib);
    let headers = patch_level(place, build, &prefix);
    let from_headers = headers.is_some();
    build.patch = headers.or(build.patch);
    build.skips_hidden_pth = skips_by_version(build);
    if let Ok(contents) = place.read(&place.join(&stdlib, "site.py"), TEXT_LIMIT) {
        let text = contents.text();
        build.debian = text.contains("\"dist-packages\"");
        build.skips_hidden_pth = text.contains("not name.startswith(\".\")");
    }
    // The one version whose rules depend on it.
    if build.version.is(3, 14) && !from_headers {
        let library = place.below(&prefix, &["lib", &format!("lib{}.so.1.0", build.versioned_name())]);
        let found =
            [file, &library].into_iter().find_map(|file| binary::patch_level(place, file, build.version));
        build.patch = found.or(build.patch);
    }
}

fn find(place: &Place, build: &Build, starts: &[Vec<u8>], file: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let stdlib = |prefix: &[u8]| stdlib_below(place, build, prefix);
    let is_prefix = |prefix: &[u8]| stdlib(prefix).is_some();
    let prefix = starts
        .iter()
        .find_map(|start| place.search_up(start, is_prefix))
        .or_else(|| binary::compiled_in(place, file, is_prefix))?;
    let stdlib = stdlib(&prefix)?;
    // virtualenv's environments for 2.7 hold links to a few of the base's files: theirs is the library.
    match place.files.canonical(&place.host(&place.join(&stdlib, "os.py"))?) {
        Ok(real) if !place.is_file(&place.join(&stdlib, "types.py")) => {
            let stdlib = real.parent()?;
            Some((stdlib.parent()?.parent()?.as_bytes().to_vec(), stdlib.as_bytes().to_vec()))
        }
        _ => Some((prefix, stdlib)),
    }
}

fn stdlib_below(place: &Place, build: &Build, prefix: &[u8]) -> Option<Vec<u8>> {
    let candidates = match (place.flavour, build.implementation) {
        (Flavour::Windows, _) => vec![place.join(prefix, "Lib")],
        (_, implementation) => {
            let mut below: Vec<_> = ["lib", "lib64"]
                .iter()
                .map(|library| place.below(prefix, &[library, &build.versioned_name()]))
                .collect();
            below.retain(|directory| !is_lib64(place, directory) || is_of_build(place, directory));
            if implementation == Implementation::PyPy {
                let version = build.version;
                below.push(place.below(prefix, &["lib-python", &version.major.to_string()]));
                below.push(place.below(prefix, &["lib-python", &version.to_string()]));
            }
            below
        }
    };
    candidates
        .into_iter()
        .find(|directory| ["os.py", "os.pyc"].iter().any(|name| place.is_file(&place.join(directory, name))))
}

fn is_lib64(place: &Place, stdlib: &[u8]) -> bool {
    place.flavour == Flavour::Posix && place.basename(place.reduced(stdlib)) == b"lib64"
}

/// Whether a `lib64` can be what the interpreter was built for: `PLATLIBDIR` is compiled in, and a directory with no
/// more than Python files says nothing of it.
fn is_of_build(place: &Place, stdlib: &[u8]) -> bool {
    let has_sysconfig = || {
        let listing = place.host(stdlib).and_then(|directory| place.files.list(&directory).ok());
        listing.is_some_and(|listing| listing.entries.iter().any(|it| it.name.starts_with(b"_sysconfigdata")))
    };
    place.is_directory(&place.join(stdlib, "lib-dynload")) || has_sysconfig()
}

/// `PREFIX`, `PLATLIBDIR` and the system from `_sysconfigdata*.py`.
fn read_sysconfig(place: &Place, build: &mut Build, prefix: &[u8], stdlib: &[u8]) {
    if is_lib64(place, stdlib) {
        build.platlibdir = "lib64".to_owned();
    }
    let texts = place
        .host(stdlib)
        .and_then(|directory| place.files.list(&directory).ok())
        .map(|listing| listing.entries)
        .unwrap_or_default();
    let texts = texts
        .iter()
        .filter(|entry| entry.name.starts_with(b"_sysconfigdata") && entry.name.ends_with(b".py"))
        .filter_map(|entry| place.read(&place.join(stdlib, &entry.name), TEXT_LIMIT).ok());
    for contents in texts {
        let text = contents.text();
        if let Some(value) = string_value(&text, "PLATLIBDIR").filter(|value| !value.is_empty()) {
            build.platlibdir = value;
        }
        if string_value(&text, "MACHDEP").as_deref() == Some("darwin") {
            build.system = System::MacOs;
        }
        build.framework = string_value(&text, "PYTHONFRAMEWORK").filter(|name| !name.is_empty());
        read_modules(build, &text);
        if let Some(value) = string_value(&text, "prefix") {
            build.prefix = place.host(value.as_bytes());
            break;
        }
    }
    if is_standalone(place, prefix) {
        build.prefix = place.host(STANDALONE_PREFIX.as_bytes());
    }
}

/// What extension modules end in, and which are compiled in: `MODNAMES` until 3.7, then `MODBUILT_NAMES`, which
/// lists the shared ones as well since 3.11.
fn read_modules(build: &mut Build, text: &str) {
    let names = |key: &str| string_value(text, key).unwrap_or_default();
    let shared = names("MODSHARED_NAMES");
    let shared: Vec<&str> = shared.split_whitespace().collect();
    let built = string_value(text, "MODBUILT_NAMES").or_else(|| string_value(text, "MODNAMES"));
    build.compiled_in = built.map(|built| {
        built.split_whitespace().filter(|name| !shared.contains(name)).map(str::to_owned).collect()
    });
    build.extension_suffix = string_value(text, "EXT_SUFFIX")
        .or_else(|| string_value(text, "SO"))
        .filter(|suffix| !suffix.is_empty());
}

/// uv's name for a python-build-standalone installation: `cpython-3.12.1-linux-x86_64-gnu`.
fn is_standalone(place: &Place, prefix: &[u8]) -> bool {
    let name = place.basename(prefix);
    name.starts_with(b"cpython-")
        && ["-linux-", "-macos-", "-windows-"]
            .iter()
            .any(|system| name.windows(system.len()).any(|window| window == system.as_bytes()))
}

/// The string behind `'key':`, several adjacent literals joined, as `pprint` writes a long one.
fn string_value(text: &str, key: &str) -> Option<String> {
    let key = format!("'{key}':");
    let mut rest = text[text.find(&key)? + key.len()..].trim_start();
    let mut value = String::new();
    let mut found = false;
    while let Some(quote) = rest.chars().next().filter(|first| matches!(first, '\'' | '"')) {
        let (literal, behind) = rest[1..].split_once(quote)?;
        value.push_str(literal);
        rest = behind.trim_start();
        found = true;
    }
    found.then_some(value)
}

/// `PY_MICRO_VERSION` of the headers.
fn patch_level(place: &Place, build: &Build, prefix: &[u8]) -> Option<u8> {
    let name = build.versioned_name();
    let headers = ["", "m"].map(|flag| format!("{name}{flag}"));
    headers.iter().find_map(|directory| {
        let file = place.below(prefix, &["include", directory, "patchlevel.h"]);
        let contents = place.read(&file, TEXT_LIMIT).ok()?;
        let text = contents.text();
        let line = text.lines().find(|line| line.starts_with("#define PY_MICRO_VERSION"))?;
        line.split_whitespace().nth(2)?.parse().ok()
    })
}

/// Hidden files have been left out since 3.13, and since these maintenance releases (gh-113659).
fn skips_by_version(build: &Build) -> bool {
    let since = match (build.version.major, build.version.minor) {
        (3, 8 | 9) => 19,
        (3, 10) => 14,
        (3, 11) => 8,
        (3, 12) => 2,
        _ => return build.version >= Version::new(3, 13),
    };
    build.patch.is_some_and(|patch| patch >= since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sysconfig_strings() {
        let text =
            "build_time_vars = {'ABIFLAGS': '',\n 'exec_prefix': '/e',\n 'prefix': '/a '\n  'b',\n 'x': 1}";
        assert_eq!(string_value(text, "prefix").as_deref(), Some("/a b"));
        assert_eq!(string_value(text, "ABIFLAGS").as_deref(), Some(""));
        assert_eq!(string_value(text, "x"), None);
        assert_eq!(string_value(text, "none"), None);
    }
}
