//! The entries of a directory, with as few system calls as there can be: open, read, close.

use std::cell::RefCell;
use std::ops::ControlFlow;

use rustix::fs::{CWD, FileType, Mode, OFlags, RawDir, openat};
use rustix::io::Errno;

use super::{FileError, FileKind, file_error};
use crate::path::HostPath;

/// Several thousand names.
const BUFFER: usize = 64 << 10;

thread_local! {
    static NAMES: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(BUFFER));
}

/// Whether a link to a directory is as good as one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Links {
    Follow,
    Refuse,
}

/// Tells each entry but `.` and `..`, with the kind that the directory itself keeps, until whoever is told has enough.
pub fn each(
    path: &HostPath,
    links: Links,
    tell: &mut dyn FnMut(&[u8], FileKind) -> ControlFlow<()>,
) -> Result<(), FileError> {
    let mut flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    flags.set(OFlags::NOFOLLOW, links == Links::Refuse);
    let error = |error: Errno| file_error(error.into());
    let directory = openat(CWD, path.as_bytes(), flags, Mode::empty()).map_err(error)?;
    // taken, not borrowed: whoever is told may list another directory
    let mut buffer = NAMES.take();
    buffer.reserve(BUFFER);
    let mut entries = RawDir::new(&directory, buffer.spare_capacity_mut());
    let mut ending = Ok(());
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(errno) => {
                ending = Err(error(errno));
                break;
            }
        };
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Directory => FileKind::Directory,
            FileType::RegularFile => FileKind::File,
            FileType::Symlink => FileKind::Link,
            // some file systems do not keep it
            FileType::Unknown => kind_by_stat(&path.join(name)),
            _ => FileKind::Other,
        };
        if tell(name, kind).is_break() {
            break;
        }
    }
    NAMES.replace(buffer);
    ending
}

fn kind_by_stat(path: &HostPath) -> FileKind {
    use crate::host::Files;
    super::RealFiles.link_metadata(path).map_or(FileKind::Other, |metadata| metadata.kind)
}
