//! The real machine: its files here, the rest of it in [`RealMachine`].

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "this is the room that may touch the machine"
)]

use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::{Contents, Entry, FileError, FileKind, Files, LISTING_LIMIT, Listing, Metadata};
use crate::path::{Flavour, HostPath};

mod machine;
mod processes;
mod run;
mod write;

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

#[cfg(unix)]
fn describe(metadata: &std::fs::Metadata) -> Metadata {
    use std::os::unix::fs::MetadataExt;
    Metadata {
        kind: kind(metadata.file_type()),
        size: metadata.size(),
        mode: metadata.mode() & 0o7777,
        owner: metadata.uid(),
        group: metadata.gid(),
        modified: u64::try_from(metadata.mtime()).unwrap_or(0),
        modified_nanoseconds: u32::try_from(metadata.mtime_nsec()).unwrap_or(0),
        identity: Some((metadata.dev(), metadata.ino())),
        hidden: is_hidden(metadata),
    }
}

/// `sys/stat.h`
#[cfg(target_os = "macos")]
const UF_HIDDEN: u32 = 0x8000;

#[cfg(target_os = "macos")]
fn is_hidden(metadata: &std::fs::Metadata) -> bool {
    std::os::macos::fs::MetadataExt::st_flags(metadata) & UF_HIDDEN != 0
}

#[cfg(target_os = "macos")]
fn is_hidden_stat(stat: &rustix::fs::Stat) -> bool {
    stat.st_flags & UF_HIDDEN != 0
}

#[cfg(all(unix, not(target_os = "macos")))]
fn is_hidden_stat(_stat: &rustix::fs::Stat) -> bool {
    false
}

#[cfg(windows)]
fn is_hidden(metadata: &std::fs::Metadata) -> bool {
    /// `winnt.h`
    const FILE_ATTRIBUTE_HIDDEN: u32 = 2;
    std::os::windows::fs::MetadataExt::file_attributes(metadata) & FILE_ATTRIBUTE_HIDDEN != 0
}

#[cfg(not(any(target_os = "macos", windows)))]
fn is_hidden(_metadata: &std::fs::Metadata) -> bool {
    false
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
        hidden: is_hidden_stat(stat),
    }
}

/// By fstat(2), which costs half of what statx(2) does on an open file.
#[cfg(unix)]
fn describe_open(file: &std::fs::File) -> std::io::Result<Metadata> {
    Ok(from_stat(&rustix::fs::fstat(file)?))
}

#[cfg(not(unix))]
fn describe_open(file: &std::fs::File) -> std::io::Result<Metadata> {
    file.metadata().map(|metadata| describe(&metadata))
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

/// Opens for reading without waiting for the other end of a FIFO.
fn open(path: &HostPath) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32);
    }
    options.open(to_std(path))
}

impl Files for RealFiles {
    fn metadata(&self, path: &HostPath) -> Result<Metadata, FileError> {
        std::fs::metadata(to_std(path)).map(|metadata| describe(&metadata)).map_err(file_error)
    }

    /// By one descriptor: the kernel walks to the directory once.
    #[cfg(unix)]
    fn metadata_below(&self, directory: &HostPath, paths: &[&[u8]]) -> Vec<Result<Metadata, FileError>> {
        use rustix::fs::{AtFlags, Mode, OFlags, open, statat};
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(base) = open(directory.as_bytes(), flags, Mode::empty()) else {
            return paths.iter().map(|path| self.metadata(&directory.join(path))).collect();
        };
        let look = |path: &&[u8]| statat(&base, *path, AtFlags::empty());
        paths
            .iter()
            .map(|path| look(path).map(|stat| from_stat(&stat)).map_err(|error| file_error(error.into())))
            .collect()
    }

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
        let mut file = open(path).map_err(file_error)?;
        let metadata = describe_open(&file).map_err(file_error)?;
        if metadata.kind != FileKind::File {
            return Err(FileError::NotAFile);
        }
        if offset > 0 {
            file.seek(SeekFrom::Start(offset)).map_err(file_error)?;
        }
        let rest = usize::try_from(metadata.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        // files of /proc claim to be empty; of any other there is no more than it says
        let claimed = metadata.size > 0;
        let wanted = if claimed { rest.min(limit) } else { limit };
        let mut bytes = Vec::with_capacity(if claimed { wanted } else { limit.min(4096) });
        file.take(wanted as u64).read_to_end(&mut bytes).map_err(file_error)?;
        let size = metadata.size.max(offset + bytes.len() as u64);
        Ok(Contents { bytes, size, mode: metadata.mode })
    }

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
        open(path).is_ok() || self.is_directory(path)
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
