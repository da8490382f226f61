//! The reading of regular files, by as few system calls as there can be: open, ask what it is, read, close.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};

use super::{file_error, to_std};
#[cfg(unix)]
use crate::host::{Below, OpenDirectory, PIECE, TakePiece, Told};
use crate::host::{Contents, FileError, FileKind, Metadata, NextPart};
use crate::path::HostPath;

pub(super) fn at(path: &HostPath, offset: u64, limit: usize) -> Result<Contents, FileError> {
    let mut file = open(path).map_err(file_error)?;
    let metadata = regular(&file)?;
    read_open(&mut file, &metadata, offset, limit, Vec::new())
}

pub(super) fn parts(path: &HostPath, first: usize, next: &mut NextPart) -> Result<(), FileError> {
    let mut file = open(path).map_err(file_error)?;
    let metadata = regular(&file)?;
    let mut wanted = Some((0, first));
    while let Some((offset, limit)) = wanted {
        wanted = next(offset, read_open(&mut file, &metadata, offset, limit, Vec::new())?);
    }
    Ok(())
}

#[cfg(unix)]
pub(super) fn below(below: Below, spare: Vec<u8>) -> Result<Contents, FileError> {
    let mut file = open_below(below.directory, below.path)?;
    let metadata = regular(&file)?;
    read_open(&mut file, &metadata, 0, below.limit, spare)
}

/// The same in pieces.
#[cfg(unix)]
pub(super) fn tell_below(below: Below, spare: &mut Vec<u8>, take: &mut TakePiece) -> Result<Told, FileError> {
    let file = open_below(below.directory, below.path)?;
    let metadata = regular(&file)?;
    // no more than it says, so that its end need not be asked for; some file systems do not say
    let limit = match metadata.size {
        0 => below.limit as u64,
        size => size.min(below.limit as u64),
    };
    let told = tell_pieces(&file, limit, spare, take).map_err(file_error)?;
    Ok(Told { size: metadata.size.max(told), modified: (metadata.modified, metadata.modified_nanoseconds) })
}

/// Opens for reading without waiting for the other end of a FIFO. Where the system can, without a trace: the time of
/// the last reading tells when an environment was last used.
pub(super) fn open(path: &HostPath) -> std::io::Result<File> {
    #[cfg(target_os = "linux")]
    match open_with(path, rustix::fs::OFlags::NOATIME.bits()) {
        // only the owner of a file may ask for that
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
        result => return result,
    }
    open_with(path, 0)
}

#[cfg_attr(not(unix), allow(unused_variables))]
fn open_with(path: &HostPath, flags: u32) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags((rustix::fs::OFlags::NONBLOCK.bits() | flags) as i32);
    }
    options.open(to_std(path))
}

#[cfg(unix)]
fn open_below(directory: &OpenDirectory, path: &[u8]) -> Result<File, FileError> {
    use rustix::fs::{Mode, OFlags, openat};
    let Some(base) = &directory.descriptor else {
        return open(&directory.path.join(path)).map_err(file_error);
    };
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let descriptor = openat(base, path, flags, Mode::empty()).map_err(|error| file_error(error.into()))?;
    Ok(File::from(descriptor))
}

/// What an open file is, where it is a regular one.
fn regular(file: &File) -> Result<Metadata, FileError> {
    let metadata = describe_open(file).map_err(file_error)?;
    if metadata.kind == FileKind::File { Ok(metadata) } else { Err(FileError::NotAFile) }
}

/// By fstat(2), which costs half of what statx(2) does on an open file.
#[cfg(unix)]
fn describe_open(file: &File) -> std::io::Result<Metadata> {
    Ok(super::from_stat(&rustix::fs::fstat(file)?))
}

#[cfg(not(unix))]
fn describe_open(file: &File) -> std::io::Result<Metadata> {
    file.metadata().map(|metadata| super::describe(&metadata))
}

fn read_open(
    file: &mut File,
    metadata: &Metadata,
    offset: u64,
    limit: usize,
    spare: Vec<u8>,
) -> Result<Contents, FileError> {
    let rest = usize::try_from(metadata.size.saturating_sub(offset)).unwrap_or(usize::MAX);
    // files of /proc claim to be empty; of any other there is no more than it says
    let bytes = match metadata.size {
        0 => read_unclaimed(file, offset, limit),
        _ => read_claimed(file, offset, rest.min(limit), spare),
    }
    .map_err(file_error)?;
    let size = metadata.size.max(offset + bytes.len() as u64);
    let modified = (metadata.modified, metadata.modified_nanoseconds);
    Ok(Contents { bytes, size, mode: metadata.mode, modified })
}

/// As many bytes as there are, by as few calls as possible, over the spare ones.
fn read_claimed(file: &mut File, offset: u64, wanted: usize, spare: Vec<u8>) -> std::io::Result<Vec<u8>> {
    let mut bytes = spare;
    bytes.clear();
    // all the room there is is read into, so it may not be much more than is wanted
    if bytes.capacity() < wanted || bytes.capacity() > 2 * wanted.max(4096) {
        bytes = Vec::with_capacity(wanted);
    }
    if cfg!(not(unix)) {
        file.seek(SeekFrom::Start(offset))?;
    }
    while bytes.len() < wanted {
        let filled = bytes.len() as u64;
        match read_part(file, &mut bytes, offset + filled) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(wanted);
    Ok(bytes)
}

/// Until nothing comes.
fn read_unclaimed(file: &mut File, offset: u64, limit: usize) -> std::io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::with_capacity(limit.min(4096));
    file.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// At most so many bytes from the beginning, over the spare ones; how many there were.
#[cfg(unix)]
fn tell_pieces(file: &File, limit: u64, spare: &mut Vec<u8>, take: &mut TakePiece) -> std::io::Result<u64> {
    let mut offset = 0;
    spare.clear();
    spare.reserve(PIECE);
    loop {
        if spare.len() == spare.capacity() {
            // a row that is longer than all before it
            spare.reserve(spare.len());
        }
        let count = match read_part(file, spare, offset) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result? as u64,
        };
        let beyond = (offset + count).saturating_sub(limit);
        spare.truncate(spare.len().saturating_sub(usize::try_from(beyond).unwrap_or(usize::MAX)));
        offset += count - beyond;
        let last = count == 0 || offset >= limit;
        let done = take(spare, last).min(spare.len());
        if last {
            return Ok(offset);
        }
        spare.drain(..done);
    }
}

/// More of a file, into the room that there is behind the bytes. That room is not filled with zeros before.
#[cfg(unix)]
fn read_part(file: &File, bytes: &mut Vec<u8>, offset: u64) -> std::io::Result<usize> {
    Ok(rustix::io::pread(file, rustix::buffer::spare_capacity(bytes), offset)?)
}

/// What was read last ends at the offset.
#[cfg(not(unix))]
fn read_part(mut file: &File, bytes: &mut Vec<u8>, _offset: u64) -> std::io::Result<usize> {
    let filled = bytes.len();
    bytes.resize(bytes.capacity(), 0);
    let read = file.read(bytes.get_mut(filled..).unwrap_or_default());
    bytes.truncate(filled + read.as_ref().map_or(0, |count| *count));
    read
}
