//! The names in a zip file, from its central directory (PKWARE's APPNOTE 4.3.12 and 4.3.16); no content is read.

use super::find_last;

/// The end record with the longest comment that the format allows.
pub const END_LIMIT: usize = 22 + 0xffff;
/// Larger central directories are left alone.
pub const DIRECTORY_LIMIT: usize = 32 << 20;

const END_MARK: &[u8] = b"PK\x05\x06";
const ENTRY_MARK: &[u8] = b"PK\x01\x02";

/// Where the central directory stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectoryPlace {
    pub offset: u64,
    pub size: usize,
}

/// Finds the directory from the last bytes of a file of `file_size` bytes. As zipimport does, it is looked for
/// right before the end record, so that bytes put before the archive do no harm.
pub fn locate(tail: &[u8], file_size: u64) -> Option<DirectoryPlace> {
    let at = find_last(tail, END_MARK)?;
    let record = tail.get(at..at + 22)?;
    let size = number32(record, 12)?;
    let end = file_size.checked_sub((tail.len() - at) as u64)?;
    let offset = end.checked_sub(u64::from(size))?;
    let size = usize::try_from(size).ok().filter(|size| *size <= DIRECTORY_LIMIT)?;
    Some(DirectoryPlace { offset, size })
}

/// The names in a central directory, with `/` between their parts; what is cut off is left out.
pub fn names(directory: &[u8]) -> Vec<&[u8]> {
    let mut names = Vec::new();
    let mut rest = directory;
    while rest.starts_with(ENTRY_MARK) {
        let lengths = [28, 30, 32].map(|at| number16(rest, at));
        let [Some(name), Some(extra), Some(comment)] = lengths else { break };
        let Some(bytes) = rest.get(46..46 + name) else { break };
        names.push(bytes);
        match rest.get(46 + name + extra + comment..) {
            Some(next) => rest = next,
            None => break,
        }
    }
    names
}

fn number16(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
    Some(usize::from(u16::from_le_bytes(bytes)))
}

fn number32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

/// A zip file of empty files: its central directory and end record alone.
#[cfg(test)]
pub(crate) fn archive(names: &[&str]) -> Vec<u8> {
    let mut bytes = b"#!/usr/bin/env python\n".to_vec();
    let mut directory = Vec::new();
    for name in names {
        directory.extend_from_slice(ENTRY_MARK);
        directory.extend_from_slice(&[0; 24]);
        directory.extend_from_slice(&(name.len() as u16).to_le_bytes());
        directory.extend_from_slice(&[0; 16]);
        directory.extend_from_slice(name.as_bytes());
    }
    bytes.extend_from_slice(&directory);
    bytes.extend_from_slice(END_MARK);
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&[0; 6]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::noise;

    #[test]
    fn lists_an_archive_behind_other_bytes() {
        let bytes = archive(&["a.py", "p/", "p/__init__.py"]);
        let place = locate(&bytes, bytes.len() as u64).unwrap();
        let directory = &bytes[place.offset as usize..][..place.size];
        assert_eq!(names(directory), [&b"a.py"[..], b"p/", b"p/__init__.py"]);
    }

    #[test]
    fn any_bytes_will_do() {
        let bytes = archive(&["a.py", "b.py"]);
        for cut in 0..bytes.len() {
            let _ = locate(&bytes[..cut], cut as u64);
            let _ = names(&bytes[cut..]);
        }
        for seed in 0..200 {
            let mut bytes = noise(seed, 300);
            bytes.splice(100..104, END_MARK.iter().copied());
            bytes.splice(0..4, ENTRY_MARK.iter().copied());
            let _ = locate(&bytes, bytes.len() as u64);
            let _ = names(&bytes);
        }
    }
}
