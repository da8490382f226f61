//! The real machine: its files here, the rest of it in [`RealMachine`].

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "this is the room that may touch the machine"
)]

use std::ffi::OsStr;
use std::io::ErrorKind;
#[cfg(target_os = "linux")]
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use super::{Below, OpenDirectory, TakePiece, Told, Usage};
use super::{Contents, Entry, FileError, FileKind, Files, LISTING_LIMIT, Listing, Metadata, NextPart};
use crate::path::{Flavour, HostPath};

#[cfg(target_os = "linux")]
mod entries;
mod interrupt;
mod machine;
mod processes;
mod read;
mod run;
mod write;

pub use interrupt::Interrupt;
pub use machine::RealMachine;

/// The flavour of the system that this program was compiled for.
const FLAVOUR: Flavour = if cfg!(windows) { Flavour::Windows } else { Flavour::Posix };

/// The file system of this machine.
#[derive(Debug, Default, Clone, Copy)]
pub struct RealFiles;

pub fn to_std(path: &HostPath) -> PathBuf {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        PathBuf::from(OsStr::from_bytes(path.as_bytes()))
    }
    #[cfg(not(unix))]
    {
        PathBuf::from(path.to_text().into_owned())
    }
}

pub fn bytes_of(text: &OsStr) -> Vec<u8> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        text.as_bytes().to_vec()
    }
    #[cfg(not(unix))]
    {
        text.to_string_lossy().into_owned().into_bytes()
    }
}

/// None for a relative path.
pub fn from_std(path: &Path) -> Option<HostPath> {
    HostPath::new(FLAVOUR, bytes_of(path.as_os_str()))
}

/// Windows resolves a path to its verbatim form, `\\?\C:\x` or `\\?\UNC\server\share`, which nobody writes.
fn without_verbatim_prefix(bytes: Vec<u8>) -> Vec<u8> {
    if FLAVOUR == Flavour::Posix {
        return bytes;
    }
    if let Some(share) = bytes.strip_prefix(br"\\?\UNC\") {
        return [br"\\", share].concat();
    }
    bytes.strip_prefix(br"\\?\").map_or_else(|| bytes.clone(), <[u8]>::to_vec)
}

fn file_error(error: std::io::Error) -> FileError {
    match error.kind() {
        ErrorKind::NotFound => FileError::Missing,
        ErrorKind::PermissionDenied => FileError::Denied,
        ErrorKind::NotADirectory => FileError::NotADirectory,
        ErrorKind::IsADirectory => FileError::NotAFile,
        _ => {
            #[cfg(unix)]
            if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
                return FileError::Loop;
            }
            FileError::Other(error.to_string())
        }
    }
}

fn kind(of: std::fs::FileType) -> FileKind {
    if of.is_symlink() {
        FileKind::Link
    } else if of.is_dir() {
        FileKind::Directory
    } else if of.is_file() {
        FileKind::File
    } else {
        FileKind::Other
    }
}

/// `sys/stat.h`
#[cfg(target_os = "macos")]
const UF_HIDDEN: u32 = 0x8000;

#[cfg(target_os = "macos")]
fn is_hidden(stat: &rustix::fs::Stat) -> bool {
    stat.st_flags & UF_HIDDEN != 0
}

#[cfg(all(unix, not(target_os = "macos")))]
fn is_hidden(_stat: &rustix::fs::Stat) -> bool {
    false
}

#[cfg(windows)]
fn is_hidden(metadata: &std::fs::Metadata) -> bool {
    /// `winnt.h`
    const FILE_ATTRIBUTE_HIDDEN: u32 = 2;
    std::os::windows::fs::MetadataExt::file_attributes(metadata) & FILE_ATTRIBUTE_HIDDEN != 0
}

#[cfg(unix)]
#[allow(clippy::unnecessary_cast, reason = "how wide the fields are differs between systems")]
fn from_stat(stat: &rustix::fs::Stat) -> Metadata {
    use rustix::fs::FileType;
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Link,
        _ => FileKind::Other,
    };
    Metadata {
        kind,
        size: stat.st_size as u64,
        mode: stat.st_mode as u32 & 0o7777,
        owner: stat.st_uid,
        group: stat.st_gid,
        modified: u64::try_from(stat.st_mtime as i64).unwrap_or(0),
        modified_nanoseconds: stat.st_mtime_nsec as u32,
        identity: Some((stat.st_dev as u64, stat.st_ino as u64)),
        hidden: is_hidden(stat),
    }
}

#[cfg(not(unix))]
fn describe(metadata: &std::fs::Metadata) -> Metadata {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    Metadata {
        kind: kind(metadata.file_type()),
        size: metadata.len(),
        mode: 0o777,
        owner: 0,
        group: 0,
        modified: modified.map_or(0, |elapsed| elapsed.as_secs()),
        modified_nanoseconds: modified.map_or(0, |elapsed| elapsed.subsec_nanos()),
        identity: None,
        hidden: is_hidden(metadata),
    }
}

#[cfg(unix)]
fn access(path: &HostPath, access: rustix::fs::Access) -> bool {
    use rustix::fs::{AtFlags, CWD, accessat};
    accessat(CWD, to_std(path), access, AtFlags::EACCESS).is_ok()
}

/// By stat(2), which costs less than what the standard library asks, statx(2).
#[cfg(unix)]
fn stat_below(
    base: impl std::os::fd::AsFd,
    path: &[u8],
    flags: rustix::fs::AtFlags,
) -> Result<Metadata, FileError> {
    let stat = rustix::fs::statat(base, path, flags).map_err(|error| file_error(error.into()))?;
    Ok(from_stat(&stat))
}

impl Files for RealFiles {
    #[cfg(unix)]
    fn metadata(&self, path: &HostPath) -> Result<Metadata, FileError> {
        stat_below(rustix::fs::CWD, path.as_bytes(), rustix::fs::AtFlags::empty())
    }

    #[cfg(not(unix))]
    fn metadata(&self, path: &HostPath) -> Result<Metadata, FileError> {
        std::fs::metadata(to_std(path)).map(|metadata| describe(&metadata)).map_err(file_error)
    }

    #[cfg(unix)]
    fn open_directory(&self, path: &HostPath) -> OpenDirectory {
        use rustix::fs::{Mode, OFlags, open};
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptor = open(path.as_bytes(), flags, Mode::empty()).ok().map(std::sync::Arc::new);
        OpenDirectory { path: path.clone(), descriptor }
    }

    #[cfg(unix)]
    fn metadata_below(&self, directory: &OpenDirectory, paths: &[&[u8]]) -> Vec<Result<Metadata, FileError>> {
        let Some(base) = &directory.descriptor else {
            return paths.iter().map(|path| self.metadata(&directory.path.join(path))).collect();
        };
        paths.iter().map(|path| stat_below(base, path, rustix::fs::AtFlags::empty())).collect()
    }

    #[cfg(unix)]
    fn link_metadata_below(
        &self,
        directory: &OpenDirectory,
        paths: &[&[u8]],
    ) -> Vec<Result<Metadata, FileError>> {
        let Some(base) = &directory.descriptor else {
            return paths.iter().map(|path| self.link_metadata(&directory.path.join(path))).collect();
        };
        paths.iter().map(|path| stat_below(base, path, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)).collect()
    }

    #[cfg(unix)]
    fn link_metadata(&self, path: &HostPath) -> Result<Metadata, FileError> {
        stat_below(rustix::fs::CWD, path.as_bytes(), rustix::fs::AtFlags::SYMLINK_NOFOLLOW)
    }

    #[cfg(not(unix))]
    fn link_metadata(&self, path: &HostPath) -> Result<Metadata, FileError> {
        std::fs::symlink_metadata(to_std(path)).map(|metadata| describe(&metadata)).map_err(file_error)
    }

    fn read_link(&self, path: &HostPath) -> Result<Vec<u8>, FileError> {
        match std::fs::read_link(to_std(path)) {
            Ok(target) => Ok(bytes_of(target.as_os_str())),
            Err(error) if error.kind() == ErrorKind::InvalidInput => Err(FileError::NotAFile),
            Err(error) => Err(file_error(error)),
        }
    }

    fn read_at(&self, path: &HostPath, offset: u64, limit: usize) -> Result<Contents, FileError> {
        read::at(path, offset, limit)
    }

    #[cfg(unix)]
    fn read_below(&self, below: Below, spare: Vec<u8>) -> Result<Contents, FileError> {
        read::below(below, spare)
    }

    #[cfg(unix)]
    fn tell_below(&self, below: Below, spare: &mut Vec<u8>, take: &mut TakePiece) -> Result<Told, FileError> {
        read::tell_below(below, spare, take)
    }

    fn read_parts(&self, path: &HostPath, first: usize, next: &mut NextPart) -> Result<(), FileError> {
        read::parts(path, first, next)
    }

    #[cfg(target_os = "linux")]
    fn list(&self, path: &HostPath) -> Result<Listing, FileError> {
        let mut listing = Listing::default();
        entries::each(path, entries::Links::Follow, &mut |name, kind| {
            listing.truncated = listing.entries.len() == LISTING_LIMIT;
            if listing.truncated {
                return ControlFlow::Break(());
            }
            listing.entries.push(Entry { name: name.to_vec(), kind });
            ControlFlow::Continue(())
        })?;
        listing.entries.sort_unstable_by(|left: &Entry, right: &Entry| left.name.cmp(&right.name));
        Ok(listing)
    }

    #[cfg(not(target_os = "linux"))]
    fn list(&self, path: &HostPath) -> Result<Listing, FileError> {
        let mut entries = Vec::new();
        let mut truncated = false;
        for entry in std::fs::read_dir(to_std(path)).map_err(file_error)? {
            // a part of the names must not pass for all of them
            let entry = entry.map_err(file_error)?;
            if entries.len() == LISTING_LIMIT {
                truncated = true;
                break;
            }
            let kind = entry.file_type().map_or(FileKind::Other, kind);
            entries.push(Entry { name: bytes_of(&entry.file_name()), kind });
        }
        entries.sort_unstable_by(|left: &Entry, right: &Entry| left.name.cmp(&right.name));
        Ok(Listing { entries, truncated })
    }

    #[cfg(target_os = "linux")]
    fn each_entry(&self, path: &HostPath, tell: &mut dyn FnMut(&[u8], FileKind)) -> Result<(), FileError> {
        entries::each(path, entries::Links::Refuse, &mut |name, kind| {
            tell(name, kind);
            ControlFlow::Continue(())
        })
    }

    #[cfg(unix)]
    fn usage(&self, path: &HostPath) -> Result<Usage, FileError> {
        use std::os::unix::fs::MetadataExt;
        let metadata = std::fs::symlink_metadata(to_std(path)).map_err(file_error)?;
        let seconds = |seconds: i64| u64::try_from(seconds).unwrap_or(0);
        let created =
            metadata.created().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        Ok(Usage {
            kind: kind(metadata.file_type()),
            // stat(2): the blocks are of 512 bytes, whatever the file system's are
            allocated: metadata.blocks().saturating_mul(512),
            size: metadata.size(),
            names: metadata.nlink(),
            identity: Some((metadata.dev(), metadata.ino())),
            accessed: seconds(metadata.atime()),
            modified: seconds(metadata.mtime()),
            created: created.map(|elapsed| elapsed.as_secs()),
        })
    }

    fn canonical(&self, path: &HostPath) -> Result<HostPath, FileError> {
        let resolved = std::fs::canonicalize(to_std(path)).map_err(file_error)?;
        HostPath::new(FLAVOUR, without_verbatim_prefix(bytes_of(resolved.as_os_str())))
            .ok_or(FileError::Missing)
    }

    #[cfg(unix)]
    fn can_execute(&self, path: &HostPath) -> bool {
        access(path, rustix::fs::Access::EXEC_OK)
    }

    #[cfg(not(unix))]
    fn can_execute(&self, path: &HostPath) -> bool {
        self.is_file(path)
    }

    #[cfg(unix)]
    fn can_read(&self, path: &HostPath) -> bool {
        access(path, rustix::fs::Access::READ_OK)
    }

    #[cfg(not(unix))]
    fn can_read(&self, path: &HostPath) -> bool {
        read::open(path).is_ok() || self.is_directory(path)
    }

    #[cfg(unix)]
    fn can_write(&self, path: &HostPath) -> bool {
        access(path, rustix::fs::Access::WRITE_OK)
    }

    #[cfg(not(unix))]
    fn can_write(&self, path: &HostPath) -> bool {
        std::fs::metadata(to_std(path)).is_ok_and(|metadata| !metadata.permissions().readonly())
    }
}
