//! The only writing that the doctor does: to a file that the user named.

use std::fs::{File, OpenOptions};
use std::io::Write;

use super::{file_error, to_std};
use crate::host::FileError;
use crate::path::HostPath;

/// Neither waits for the other end of a FIFO, nor lets others read what is made.
fn options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is nothing to add"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32).mode(0o600);
    }
    options
}

pub(super) fn append(path: &HostPath, bytes: &[u8]) -> Result<(), FileError> {
    let mut file = options().append(true).create(true).open(to_std(path)).map_err(file_error)?;
    whole(&mut file, bytes)
}

pub(super) fn create(path: &HostPath, bytes: &[u8]) -> Result<(), FileError> {
    let mut file =
        options().write(true).create_new(true).open(to_std(path)).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                FileError::Other("it exists already, and nothing is overwritten".to_owned())
            }
            std::io::ErrorKind::NotFound => FileError::Other("its directory does not exist".to_owned()),
            _ => file_error(error),
        })?;
    whole(&mut file, bytes)
}

fn whole(file: &mut File, bytes: &[u8]) -> Result<(), FileError> {
    file.write_all(bytes).and_then(|()| file.flush()).map_err(file_error)
}
