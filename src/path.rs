//! Absolute paths of the machine under examination, which need not be this one.
//!
//! `std::path` follows the rules of the system that the doctor was compiled for. A recorded Windows
//! machine must be examined on Linux, and a file name need not be UTF-8, so a [`HostPath`] carries its
//! own rules and keeps the bytes it was given.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Whose rules a path follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flavour {
    /// `/` separates; every other byte is part of a name.
    Posix,
    /// `\` and `/` separate; drives and shares; names compare without case.
    Windows,
}

impl Flavour {
    fn is_separator(self, byte: u8) -> bool {
        byte == b'/' || (self == Flavour::Windows && byte == b'\\')
    }

    fn separator(self) -> u8 {
        match self {
            Flavour::Posix => b'/',
            Flavour::Windows => b'\\',
        }
    }

    /// What separates the entries of `PATH` and `PYTHONPATH`.
    pub fn list_separator(self) -> u8 {
        match self {
            Flavour::Posix => b':',
            Flavour::Windows => b';',
        }
    }

    /// Length of the part that names no directory: `/`, `C:\`, `\\server\share\`. None: not absolute.
    fn prefix_length(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Flavour::Posix => (bytes.first() == Some(&b'/')).then_some(1),
            Flavour::Windows => windows_prefix_length(bytes),
        }
    }

    pub fn is_absolute(self, bytes: &[u8]) -> bool {
        self.prefix_length(bytes).is_some()
    }
}

fn windows_prefix_length(bytes: &[u8]) -> Option<usize> {
    let separator = |byte: u8| byte == b'/' || byte == b'\\';
    match bytes {
        [drive, b':', third, ..] if drive.is_ascii_alphabetic() && separator(*third) => Some(3),
        [first, second, rest @ ..] if separator(*first) && separator(*second) => {
            let server = rest.iter().position(|byte| separator(*byte))?;
            let share = rest[server + 1..].iter().position(|byte| separator(*byte));
            Some(share.map_or(bytes.len(), |share| 2 + server + 1 + share + 1))
        }
        _ => None,
    }
}

/// An absolute path with the rules of its own system. Bytes are kept as they were spelt; Windows
/// paths are UTF-8 (WTF-8 where a name is no valid UTF-16).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPath {
    flavour: Flavour,
    bytes: Vec<u8>,
}

impl HostPath {
    /// None when `bytes` is not absolute by the rules of `flavour`.
    pub fn new(flavour: Flavour, bytes: impl Into<Vec<u8>>) -> Option<Self> {
        let bytes = bytes.into();
        flavour.is_absolute(&bytes).then_some(HostPath { flavour, bytes })
    }

    /// A POSIX path from a literal; a missing leading `/` is supplied.
    pub fn posix(bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        let mut all = Vec::with_capacity(bytes.len() + 1);
        if bytes.first() != Some(&b'/') {
            all.push(b'/');
        }
        all.extend_from_slice(bytes);
        HostPath { flavour: Flavour::Posix, bytes: all }
    }

    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The path as text; bytes that are not UTF-8 become `\xNN`.
    pub fn to_text(&self) -> Cow<'_, str> {
        readable(&self.bytes)
    }

    pub fn is_utf8(&self) -> bool {
        std::str::from_utf8(&self.bytes).is_ok()
    }

    /// `self/raw`; an absolute `raw` replaces everything, an empty one changes nothing.
    pub fn join(&self, raw: impl AsRef<[u8]>) -> HostPath {
        let raw = raw.as_ref();
        if self.flavour.is_absolute(raw) {
            return HostPath { flavour: self.flavour, bytes: raw.to_vec() };
        }
        let mut bytes = Vec::with_capacity(self.bytes.len() + 1 + raw.len());
        bytes.extend_from_slice(&self.bytes);
        if !raw.is_empty() {
            if !bytes.last().is_some_and(|byte| self.flavour.is_separator(*byte)) {
                bytes.push(self.flavour.separator());
            }
            bytes.extend_from_slice(raw);
        }
        HostPath { flavour: self.flavour, bytes }
    }

    /// The names below the root, without empty ones.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        let start = self.flavour.prefix_length(&self.bytes).unwrap_or(0);
        let flavour = self.flavour;
        self.bytes[start..].split(move |byte| flavour.is_separator(*byte)).filter(|name| !name.is_empty())
    }

    pub fn file_name(&self) -> Option<&[u8]> {
        self.components().next_back()
    }

    /// The last name as text, empty for a root.
    pub fn name(&self) -> Cow<'_, str> {
        readable(self.file_name().unwrap_or_default())
    }

    /// The directory above, by spelling alone. None for a root.
    pub fn parent(&self) -> Option<HostPath> {
        let start = self.flavour.prefix_length(&self.bytes).unwrap_or(0);
        let mut end = self.bytes.len();
        while end > start && self.flavour.is_separator(self.bytes[end - 1]) {
            end -= 1;
        }
        if end == start {
            return None;
        }
        while end > start && !self.flavour.is_separator(self.bytes[end - 1]) {
            end -= 1;
        }
        while end > start && self.flavour.is_separator(self.bytes[end - 1]) {
            end -= 1;
        }
        Some(HostPath { flavour: self.flavour, bytes: self.bytes[..end].to_vec() })
    }

    /// The path itself, then every directory above it.
    pub fn ancestors(&self) -> impl Iterator<Item = HostPath> {
        std::iter::successors(Some(self.clone()), HostPath::parent)
    }

    /// Without `.`, `..`, doubled and trailing separators, by spelling alone: links are not followed.
    pub fn normalized(&self) -> HostPath {
        let start = self.flavour.prefix_length(&self.bytes).unwrap_or(0);
        let mut names: Vec<&[u8]> = Vec::new();
        for name in self.components() {
            match name {
                b"." => {}
                b".." => {
                    names.pop();
                }
                _ => names.push(name),
            }
        }
        let separator = self.flavour.separator();
        let mut bytes: Vec<u8> = self.bytes[..start].to_vec();
        if self.flavour == Flavour::Windows {
            bytes.iter_mut().filter(|byte| **byte == b'/').for_each(|byte| *byte = b'\\');
        }
        bytes.extend_from_slice(&names.join(&separator));
        HostPath { flavour: self.flavour, bytes }
    }

    /// Whether [`HostPath::normalized`] would change nothing.
    fn is_normal(&self) -> bool {
        if self.flavour == Flavour::Windows || (self.bytes.len() > 1 && self.bytes.ends_with(b"/")) {
            return false;
        }
        let mut rest = self.bytes.as_slice();
        while let Some(at) = rest.iter().position(|byte| *byte == b'/') {
            rest = &rest[at + 1..];
            let special = match rest {
                [b'/', ..] | [b'.'] | [b'.', b'/', ..] | [b'.', b'.'] | [b'.', b'.', b'/', ..] => true,
                [] => self.bytes.len() > 1,
                _ => false,
            };
            if special {
                return false;
            }
        }
        true
    }

    /// The same place by spelling: normalised, without case on Windows.
    pub fn same_as(&self, other: &HostPath) -> bool {
        if self == other {
            return true;
        }
        if self.is_normal() && other.is_normal() {
            return false;
        }
        self.flavour == other.flavour && {
            let (left, right) = (self.normalized(), other.normalized());
            match self.flavour {
                Flavour::Posix => left.bytes == right.bytes,
                Flavour::Windows => left.bytes.eq_ignore_ascii_case(&right.bytes),
            }
        }
    }

    /// Whether this is `base` or lies below it, by normalised spelling.
    pub fn is_within(&self, base: &HostPath) -> bool {
        if self.is_plain() && base.is_plain() {
            let rest = self.bytes.strip_prefix(base.bytes.as_slice());
            return rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'/')));
        }
        self.relative_to(base).is_some()
    }

    /// Whether it is a POSIX path that is normal by its spelling, as nearly all are; not the root itself.
    fn is_plain(&self) -> bool {
        let names = self.bytes.strip_prefix(b"/").filter(|_| self.flavour == Flavour::Posix);
        names.is_some_and(|names| {
            names.split(|byte| *byte == b'/').all(|name| !matches!(name, b"" | b"." | b".."))
        })
    }

    /// What remains below `base`, empty for `base` itself, joined by this flavour's separator.
    pub fn relative_to(&self, base: &HostPath) -> Option<Vec<u8>> {
        if self.flavour != base.flavour {
            return None;
        }
        let (this, base) = (self.normalized(), base.normalized());
        let same = |left: &[u8], right: &[u8]| match self.flavour {
            Flavour::Posix => left == right,
            Flavour::Windows => left.eq_ignore_ascii_case(right),
        };
        let root =
            |path: &HostPath| path.bytes[..path.flavour.prefix_length(&path.bytes).unwrap_or(0)].to_vec();
        if !same(&root(&this), &root(&base)) {
            return None;
        }
        let mut names = this.components();
        for expected in base.components() {
            if !names.next().is_some_and(|name| same(name, expected)) {
                return None;
            }
        }
        Some(names.collect::<Vec<_>>().join(&self.flavour.separator()))
    }
}

/// Bytes as text that can be read back by eye: what is not UTF-8 becomes `\xNN`.
pub fn readable(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let mut text = String::with_capacity(bytes.len() + 8);
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                for byte in chunk.invalid() {
                    text.push_str(&format!("\\x{byte:02x}"));
                }
            }
            Cow::Owned(text)
        }
    }
}

impl fmt::Display for HostPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_text())
    }
}

impl fmt::Debug for HostPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.to_text())
    }
}

/// Plain text where the path is UTF-8, else its bytes in hexadecimal behind `bytes:`. Absolute paths
/// start with `/` exactly when they are POSIX, so the flavour needs no place of its own.
impl Serialize for HostPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => {
                let digits: String = self.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                serializer.serialize_str(&format!("bytes:{digits}"))
            }
        }
    }
}

impl<'de> Deserialize<'de> for HostPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = match text.strip_prefix("bytes:") {
            Some(digits) => {
                from_hexadecimal(digits).ok_or_else(|| serde::de::Error::custom("bad hexadecimal path"))?
            }
            None => text.into_bytes(),
        };
        let flavour = if bytes.first() == Some(&b'/') { Flavour::Posix } else { Flavour::Windows };
        HostPath::new(flavour, bytes).ok_or_else(|| serde::de::Error::custom("the path is not absolute"))
    }
}

/// Bytes from pairs of digits.
pub(crate) fn from_hexadecimal(digits: &str) -> Option<Vec<u8>> {
    if !digits.is_ascii() || !digits.len().is_multiple_of(2) {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
}

/// RFC 3986: everything but unreserved characters and `/` as `%XX`.
pub fn encoded(path: &[u8]) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(*byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(text: &str) -> HostPath {
        HostPath::new(Flavour::Windows, text).unwrap()
    }

    #[test]
    fn relative_paths_are_refused() {
        assert!(HostPath::new(Flavour::Posix, "a/b").is_none());
        assert!(HostPath::new(Flavour::Posix, "").is_none());
        assert!(HostPath::new(Flavour::Windows, "C:a").is_none());
        assert!(HostPath::new(Flavour::Windows, "\\a").is_none());
    }

    #[test]
    fn joins_and_climbs() {
        let root = HostPath::posix("/");
        assert_eq!(root.parent(), None);
        assert_eq!(root.join("a").join("b/").to_text(), "/a/b/");
        assert_eq!(HostPath::posix("/a//b/").parent(), Some(HostPath::posix("/a")));
        assert_eq!(HostPath::posix("/a").join("/b"), HostPath::posix("/b"));
        assert_eq!(windows("C:\\a\\b").parent(), Some(windows("C:\\a")));
        assert_eq!(windows("C:\\a").parent(), Some(windows("C:\\")));
        assert_eq!(windows("\\\\server\\share\\a").parent(), Some(windows("\\\\server\\share\\")));
        assert_eq!(windows("C:\\a").join("b/c").normalized(), windows("C:\\a\\b\\c"));
    }

    #[test]
    fn normalizes_by_spelling() {
        assert_eq!(HostPath::posix("//a/./b/../c//").normalized(), HostPath::posix("/a/c"));
        assert_eq!(HostPath::posix("/../..").normalized(), HostPath::posix("/"));
        assert_eq!(windows("C:/a//b\\").normalized(), windows("C:\\a\\b"));
    }

    #[test]
    fn the_same_place_in_other_words() {
        let place = HostPath::posix("/a/.venv");
        for spelling in ["/a/.venv", "/a/.venv/", "//a/.venv", "/a/./.venv", "/a/b/../.venv", "/a/.venv/."] {
            assert!(HostPath::posix(spelling).same_as(&place), "{spelling}");
        }
        for other in ["/a/.venv2", "/a", "/a/..venv", "/"] {
            assert!(!HostPath::posix(other).same_as(&place), "{other}");
        }
        assert!(HostPath::posix("/").same_as(&HostPath::posix("//")));
    }

    #[test]
    fn knows_what_lies_below() {
        let base = HostPath::posix("/home/me/.venv");
        assert_eq!(HostPath::posix("/home/me/.venv/bin/pip").relative_to(&base), Some(b"bin/pip".to_vec()));
        assert_eq!(base.relative_to(&base), Some(Vec::new()));
        assert!(!HostPath::posix("/home/me/.venv2/bin").is_within(&base));
        assert!(windows("c:\\Work\\VENV\\x").is_within(&windows("C:\\work\\venv")));
        assert!(!windows("D:\\work").is_within(&windows("C:\\work")));
    }

    #[test]
    fn survives_names_that_are_not_utf8() {
        let path = HostPath::posix(b"/tmp/caf\xe9");
        assert_eq!(path.to_text(), "/tmp/caf\\xe9");
        let json = serde_json::to_string(&path).unwrap();
        assert_eq!(serde_json::from_str::<HostPath>(&json).unwrap(), path);
        let json = serde_json::to_string(&windows("C:\\é")).unwrap();
        assert_eq!(serde_json::from_str::<HostPath>(&json).unwrap(), windows("C:\\é"));
    }
}
