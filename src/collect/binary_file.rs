//! Binaries on the disk, of which only the parts are read that tell something.

use crate::host::{FileError, Files};
use crate::parse::binary::Binary;
use crate::parse::binary_pieces::{Part, Pieces};
use crate::path::HostPath;

/// So much is read at first.
const BEGINNING: usize = 16 << 10;
/// After so many parts a file is left as it is.
const MOST_PARTS: usize = 6;

/// What the file needs to be loaded, and the parts of it that tell.
///
/// # Errors
/// Where not even its beginning can be read.
pub fn read(files: &dyn Files, path: &HostPath) -> Result<(Binary, Pieces), FileError> {
    let mut binary = Binary::default();
    let pieces = pieces(files, path, &mut |pieces| {
        let (found, wanted) = pieces.parse();
        binary = found;
        wanted
    })?;
    Ok((binary, pieces))
}

/// The parts of a file that are wanted by what is known of it.
///
/// # Errors
/// Where not even its beginning can be read.
pub fn pieces(
    files: &dyn Files,
    path: &HostPath,
    wanted: &mut dyn FnMut(&Pieces) -> Option<Part>,
) -> Result<Pieces, FileError> {
    let mut pieces: Option<Pieces> = None;
    let mut parts = 0;
    let read = files.read_parts(path, BEGINNING, &mut |offset, part| {
        let empty = part.bytes.is_empty();
        let known = match &mut pieces {
            None => pieces.insert(Pieces::new(part.size, part.bytes)),
            Some(known) => {
                known.add(offset, part.bytes);
                known
            }
        };
        parts += 1;
        wanted(known).filter(|_| !empty && parts <= MOST_PARTS)
    });
    // a part that cannot be read leaves what was read before
    match pieces {
        Some(pieces) => Ok(pieces),
        None => Err(read.err().unwrap_or(FileError::NotAFile)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::real::{RealFiles, from_std};
    use crate::parse::binary;

    #[test]
    fn an_interpreter_is_told_by_its_parts_as_by_the_whole() {
        let own = from_std(&std::env::current_exe().unwrap());
        let system = ["/usr/bin/python3", "/usr/local/bin/python3", "/bin/sh"].map(HostPath::posix);
        let home = std::env::var("HOME").unwrap_or_default();
        let versions = HostPath::posix(home).join(".pyenv/versions");
        let pyenv = RealFiles.list(&versions).map(|found| found.entries).unwrap_or_default();
        let pyenv = pyenv.iter().map(|entry| versions.join(&entry.name).join("bin/python"));
        let mut compared = 0;
        for path in own.into_iter().chain(system).chain(pyenv) {
            let Ok(whole) = RealFiles.read(&path, 64 << 20) else { continue };
            let (found, pieces) = read(&RealFiles, &path).unwrap();
            assert_eq!(found, binary::parse(&whole.bytes), "{path}");
            let read: usize = pieces.parts().map(<[u8]>::len).sum();
            assert!(read <= 1 << 20, "{path}: {read} bytes");
            compared += 1;
        }
        assert!(compared > 0);
    }
}
