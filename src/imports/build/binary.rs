//! What stands in the binary itself: the library it loads, and absolute paths compiled into it.

use std::collections::BTreeSet;

use super::super::place::Place;
use super::name::{self, Name};
use super::{Implementation, Version};
use crate::parse::binary::python_version_in;
use crate::parse::find;

/// A dynamically linked interpreter is small, and its strings stand early.
const LINKED_LIMIT: usize = 1 << 20;
/// A statically linked interpreter is larger.
const BINARY_LIMIT: usize = 64 << 20;
const LONGEST_PATH: usize = 1024;

/// The version in the name of the `libpythonX.Y` that the binary loads.
pub(super) fn linked_library(place: &Place, file: &[u8]) -> Option<Name> {
    let bytes = place.read(file, LINKED_LIMIT).ok()?.bytes;
    let needle = b"libpython";
    let at = bytes.windows(needle.len()).position(|window| window == needle)?;
    let rest = &bytes[at + 3..];
    let end = rest.windows(3).take(32).position(|window| window == b".so" || window == b".dy")?;
    name::parse(&rest[..end])
}

/// The version that a statically linked CPython embeds. The whole file is read for it, so only where nothing else
/// tells.
pub(super) fn embedded_version(place: &Place, file: &[u8]) -> Option<Name> {
    let bytes = place.read(file, BINARY_LIMIT).ok()?.bytes;
    let text = python_version_in(&bytes)?;
    let mut numbers = text.split('.');
    let version = Version::new(numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    // Python/getversion.c of 3.13 and later
    let free_threaded = find(&bytes, b"free-threading build (%.80s)").is_some();
    Some(Name { implementation: Implementation::CPython, version, free_threaded })
}

/// The first absolute path among the binary's strings, or the directory above one, that `is_prefix`.
pub(super) fn compiled_in(place: &Place, file: &[u8], is_prefix: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let bytes = place.read(file, BINARY_LIMIT).ok()?.bytes;
    let mut seen = BTreeSet::new();
    let plausible = |text: &&[u8]| {
        text.starts_with(b"/")
            && (2..LONGEST_PATH).contains(&text.len())
            && text.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ' || *byte >= 0x80)
    };
    // Colons separate the entries of a run path.
    for text in bytes.split(|byte| *byte == 0 || *byte == b':').filter(plausible) {
        for candidate in [text, place.reduced(text)] {
            if !candidate.is_empty() && seen.insert(candidate.to_vec()) && is_prefix(candidate) {
                return Some(candidate.to_vec());
            }
        }
    }
    None
}

/// The third number of `PY_VERSION`, a string of its own in the interpreter or its library.
pub(super) fn patch_level(place: &Place, file: &[u8], version: Version) -> Option<u8> {
    let bytes = place.read(file, BINARY_LIMIT).ok()?.bytes;
    let start = format!("{version}.");
    bytes.split(|byte| *byte == 0).find_map(|text| {
        let rest = std::str::from_utf8(text.strip_prefix(start.as_bytes())?).ok()?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (patch, suffix) = rest.split_at(digits);
        let release = matches!(suffix.bytes().next(), None | Some(b'+' | b'a' | b'b' | b'r'));
        if release { patch.parse().ok() } else { None }
    })
}
