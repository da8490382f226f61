//! Symbolic links, hop by hop.

use crate::facts::interpreter::{LinkChain, LinkEnd};
use crate::host::{FileError, FileKind, Files};
use crate::path::HostPath;

/// As many as Linux follows before it says `ELOOP` (`MAXSYMLINKS`).
const MOST_HOPS: usize = 40;

/// Follows the last component's links; directories above stay as they are spelt, as CPython's getpath
/// leaves them.
pub fn chain(files: &dyn Files, path: &HostPath) -> LinkChain {
    let mut hops = vec![path.clone()];
    let mut here = path.clone();
    loop {
        let metadata = match files.link_metadata(&here) {
            Ok(metadata) => metadata,
            Err(error) => return LinkChain { hops, end: LinkEnd::from(&error) },
        };
        if metadata.kind != FileKind::Link {
            return LinkChain { hops, end: LinkEnd::from(metadata.kind) };
        }
        let target = match files.read_link(&here) {
            Ok(target) => target,
            Err(error) => return LinkChain { hops, end: LinkEnd::from(&error) },
        };
        let Some(directory) = here.parent() else { return LinkChain { hops, end: LinkEnd::Missing } };
        let next = directory.join(&target);
        // `..` is resolved by spelling only where no link stands in between
        here = match next.normalized() {
            short if files.link_metadata(&short).ok() == files.link_metadata(&next).ok() => short,
            _ => next,
        };
        if hops.len() > MOST_HOPS || hops.contains(&here) {
            hops.push(here);
            return LinkChain { hops, end: LinkEnd::Loop };
        }
        hops.push(here.clone());
    }
}

/// Every link resolved, also for a path whose last parts do not exist: what exists of it is resolved.
pub fn resolved(files: &dyn Files, path: &HostPath) -> HostPath {
    for ancestor in path.ancestors() {
        match files.canonical(&ancestor) {
            Ok(real) => {
                let rest = path.relative_to(&ancestor).unwrap_or_default();
                return if rest.is_empty() { real } else { real.join(rest) };
            }
            Err(FileError::Missing | FileError::NotADirectory) => {}
            Err(_) => break,
        }
    }
    path.clone()
}
