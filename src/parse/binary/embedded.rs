//! The version of Python that a binary embeds.

use std::ops::Range;

use object::elf;
use object::read::elf::{FileHeader, ProgramHeader};

use super::{BinaryFormat, MANY, parse};
use crate::parse::find;

/// The version of the CPython in this binary, without running it: `3.11.2` where the interpreter itself is
/// in these bytes (a static `python3`, `libpython3.11.so.1.0`), `3.11` where it is in a library that they
/// need (`python3`, an extension module that links it). None where nothing or more than one version is found.
///
/// The full version is the string constant `PY_VERSION` of `Include/patchlevel.h`, which `Python/sysmodule.c`
/// and `Modules/main.c` embed between NUL bytes. Right for every CPython from 2.7 to 3.15 it was tried on; a
/// guess all the same, for a library of the same form may be linked in: never more than evidence. PyPy
/// embeds its strings otherwise and yields None.
pub fn python_version_in(bytes: &[u8]) -> Option<String> {
    let binary = parse(bytes);
    let minor = binary.soname.iter().chain(&binary.libraries).find_map(|name| python_library_version(name));
    let own = binary.soname.as_deref().is_some_and(|name| python_library_version(name).is_some());
    if minor.is_some() && !own {
        return minor;
    }
    full_version(bytes, &constants(bytes, binary.format), minor.as_deref()).or(minor)
}

/// `3.11` of `libpython3.11.so.1.0`, `libpython3.7m.so`, `/.../Python.framework/Versions/3.12/Python`,
/// `python311.dll`.
fn python_library_version(path: &str) -> Option<String> {
    let name = path.rsplit(['/', '\\']).next()?;
    let dotted = |rest: &str| {
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
        let mut parts = rest.get(..end)?.split('.').filter(|part| !part.is_empty());
        Some(format!("{}.{}", parts.next()?, parts.next()?))
    };
    if let Some(rest) = name.strip_prefix("libpython") {
        return dotted(rest);
    }
    if let Some((_, rest)) = path.split_once("Python.framework/Versions/") {
        return dotted(rest);
    }
    let lower = name.to_ascii_lowercase();
    let digits = lower.strip_prefix("python")?.strip_suffix(".dll")?.trim_end_matches(['t', 'd', '_']);
    let (major, minor) = digits.split_at_checked(1)?;
    let numbers = !minor.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    numbers.then(|| format!("{major}.{minor}"))
}

/// The parts of the file that hold constants: an ELF's loaded and read-only segments (debug information,
/// three quarters of a file, is not loaded); else all of it.
fn constants(bytes: &[u8], format: BinaryFormat) -> Vec<Range<usize>> {
    fn read_only<Elf: FileHeader<Endian = object::Endianness>>(bytes: &[u8]) -> Option<Vec<Range<usize>>> {
        let header = Elf::parse(bytes).ok()?;
        let endian = header.endian().ok()?;
        let headers = header.program_headers(endian, bytes).ok()?;
        let loaded = headers.iter().take(MANY).filter(|header| {
            header.p_type(endian) == elf::PT_LOAD && !header.p_flags(endian).contains(elf::PF_W)
        });
        loaded
            .map(|header| {
                let (start, size) = header.file_range(endian);
                let end = usize::try_from(start.checked_add(size)?).ok()?.min(bytes.len());
                Some(usize::try_from(start).ok()?.min(end)..end)
            })
            .collect()
    }
    let ranges = match (format, bytes.get(4)) {
        (BinaryFormat::Elf, Some(1)) => read_only::<elf::FileHeader32<object::Endianness>>(bytes),
        (BinaryFormat::Elf, Some(2)) => read_only::<elf::FileHeader64<object::Endianness>>(bytes),
        _ => None,
    };
    let mut ranges = ranges.unwrap_or_else(|| Vec::from([Range { start: 0, end: bytes.len() }]));
    // segments that overlap would be read again and again
    ranges.sort_by_key(|range| range.start);
    let mut end = 0;
    for range in &mut ranges {
        range.start = range.start.max(end);
        end = end.max(range.end);
    }
    ranges
}

fn full_version(bytes: &[u8], ranges: &[Range<usize>], minor: Option<&str>) -> Option<String> {
    // the linker may merge the version into the end of another string, such as a prefix that ends alike
    let (mut whole, mut merged): (Vec<String>, Vec<String>) = Default::default();
    for range in ranges {
        let part = bytes.get(range.clone()).unwrap_or_default();
        for start in [&b"3."[..], b"2.7."] {
            let mut from = 0;
            while let Some(at) = part.get(from..).and_then(|rest| find(rest, start)).map(|at| from + at) {
                from = at + start.len();
                let before = at.checked_sub(1).and_then(|before| part.get(before));
                if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"._-+".contains(byte)) {
                    continue;
                }
                let Some(version) = part.get(at..).and_then(version_constant) else { continue };
                let list = if before == Some(&0) { &mut whole } else { &mut merged };
                if !list.contains(&version) && list.len() < MANY {
                    list.push(version);
                }
            }
        }
    }
    [whole, merged].into_iter().find_map(|mut list| {
        list.retain(|version| {
            minor.is_none_or(|minor| version.strip_prefix(minor).is_some_and(|patch| patch.starts_with('.')))
        });
        match list.as_slice() {
            [version] => Some(version.clone()),
            _ => None,
        }
    })
}

/// `3.11.2` or `3.15.0b1+` up to a NUL. CPython has had `X.Y.0` only since 3.3, and 3.2.0 is a version of
/// the Unicode database that every CPython contains.
fn version_constant(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.get(..16).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes.get(..bytes.iter().position(|byte| *byte == 0)?)?).ok()?;
    let mut parts = text.split('.');
    let (major, minor, patch) = (parts.next()?, parts.next()?, parts.next()?);
    let minor: u8 = minor.parse().ok()?;
    let known = (major == "3" && (3..100).contains(&minor)) || (major == "2" && minor == 7);
    let digits = patch.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(patch.len());
    let (number, suffix) = patch.split_at(digits);
    let suffix = suffix.trim_end_matches('+');
    let released = ["a", "b", "rc"].iter().any(|stage| {
        let serial = suffix.strip_prefix(stage).unwrap_or_default();
        !serial.is_empty() && serial.bytes().all(|byte| byte.is_ascii_digit())
    });
    let right = parts.next().is_none() && !number.is_empty() && number.len() <= 2;
    (known && right && (suffix.is_empty() || released)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_tell_the_minor_version() {
        for (name, expected) in [
            ("libpython3.11.so.1.0", Some("3.11")),
            ("/opt/lib/libpython3.7m.so.1.0", Some("3.7")),
            ("libpython3.13t.so.1.0", Some("3.13")),
            ("/Library/Frameworks/Python.framework/Versions/3.12/Python", Some("3.12")),
            ("python311.dll", Some("3.11")),
            ("PYTHON313t.DLL", Some("3.13")),
            ("libpython3.so", None),
            ("python3.dll", None),
            ("libc.so.6", None),
            ("", None),
        ] {
            assert_eq!(python_library_version(name).as_deref(), expected, "{name}");
        }
    }
}
