//! Bytes and text to types, with line numbers. Nothing here reads a file.
//!
//! Every input may be hostile: each function takes any bytes, fails by saying less, and does work in
//! proportion to what it was given.

pub mod activate;
pub mod activation_use;
pub mod binary;
pub mod binary_pieces;
pub mod digest;
pub mod editable_finder;
pub mod entry_points;
pub mod error_output;
pub mod extension_name;
pub mod git_index;
pub mod install_use;
pub mod jsonc;
pub mod keywords;
pub mod launcher;
pub mod metadata;
pub mod names;
pub mod notebook;
pub mod os_release;
pub mod pip_configuration;
pub mod pth;
pub mod python_imports;
pub(crate) mod python_literal;
pub mod python_source;
pub mod python_version_file;
pub mod pyvenv_cfg;
pub mod raw;
pub mod record;
pub mod redirecting_finder;
pub mod requirements;
pub mod service;
pub mod setup_py;
pub mod shebang;
pub mod shell_word;
pub mod startup_file;
pub mod wrapper;
pub mod zip;

/// Lines with their number from 1, without `\n` or `\r\n`.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .zip(1..)
        .map(|(line, number)| (number, line))
}

/// The line, from 1, that the byte at `offset` stands in.
pub(crate) fn line_of(bytes: &[u8], offset: usize) -> usize {
    bytes.iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

/// Where `needle` first stands in `haystack`.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() { None } else { memchr::memmem::find(haystack, needle) }
}

/// Where `needle` last stands in `haystack`.
pub(crate) fn find_last(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() { None } else { memchr::memmem::rfind(haystack, needle) }
}

/// An absolute path by the rules of POSIX or of Windows.
pub(crate) fn is_absolute(bytes: &[u8]) -> bool {
    match bytes {
        [b'/', ..] | [b'\\', b'\\', ..] => true,
        [drive, b':', b'/' | b'\\', ..] => drive.is_ascii_alphabetic(),
        _ => false,
    }
}

/// Bytes for tests that want any input: the same on every run.
#[cfg(test)]
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 24) as u8
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one() {
        let all: Vec<_> = lines(b"a\r\nb\n\nc").collect();
        assert_eq!(all, [(1, &b"a"[..]), (2, b"b"), (3, b""), (4, b"c")]);
        assert_eq!(lines(b"").collect::<Vec<_>>(), [(1, &b""[..])]);
        assert_eq!(lines(b"a\n").count(), 1);
    }

    #[test]
    fn finds_first_and_last() {
        assert_eq!(find(b"aabab", b"ab"), Some(1));
        assert_eq!(find_last(b"aabab", b"ab"), Some(3));
        assert_eq!(find(b"aab", b"abc"), None);
        assert_eq!(find(b"", b"a"), None);
        assert_eq!(find(b"a", b""), None);
        assert_eq!(find_last(b"a", b""), None);
    }
}
