//! The files of the machine, asked for by paths as Python spells them: relative ones are meant from the
//! working directory. The string functions are those of `os.path` and of getpath's C helpers.

use crate::host::{Contents, FileError, Files};
use crate::path::{Flavour, HostPath};

/// So much of a link chain is followed (`MAXSYMLINKS` of getpath).
const LINK_LIMIT: usize = 40;

pub(super) struct Place<'a> {
    pub files: &'a dyn Files,
    pub flavour: Flavour,
    /// None when the working directory has been deleted.
    pub working_directory: Option<Vec<u8>>,
}

impl Place<'_> {
    fn is_separator(&self, byte: u8) -> bool {
        byte == b'/' || (self.flavour == Flavour::Windows && byte == b'\\')
    }

    fn separator(&self) -> u8 {
        if self.flavour == Flavour::Windows { b'\\' } else { b'/' }
    }

    pub fn is_absolute(&self, path: &[u8]) -> bool {
        self.flavour.is_absolute(path)
    }

    /// `os.path.join` of two.
    pub fn join(&self, left: &[u8], right: impl AsRef<[u8]>) -> Vec<u8> {
        let right = right.as_ref();
        if self.is_absolute(right) || left.is_empty() {
            return right.to_vec();
        }
        let mut joined = left.to_vec();
        if !self.is_separator(joined[joined.len() - 1]) {
            joined.push(self.separator());
        }
        joined.extend_from_slice(right);
        joined
    }

    /// `join` of several names, each below the one before.
    pub fn below(&self, base: &[u8], names: &[&str]) -> Vec<u8> {
        names.iter().fold(base.to_vec(), |path, name| self.join(&path, name))
    }

    /// `os.path.normpath`.
    pub fn normalized(&self, path: &[u8]) -> Vec<u8> {
        if self.flavour == Flavour::Windows {
            return HostPath::new(Flavour::Windows, path)
                .map_or_else(|| path.to_vec(), |path| path.normalized().as_bytes().to_vec());
        }
        // POSIX lets exactly two leading slashes mean something of their own.
        let slashes = match path.iter().take_while(|byte| **byte == b'/').count() {
            0 => 0,
            2 => 2,
            _ => 1,
        };
        let mut names: Vec<&[u8]> = Vec::new();
        for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".") {
            if name == b".." && (names.last().is_some_and(|last| *last != b"..")) {
                names.pop();
            } else if name != b".." || slashes == 0 {
                names.push(name);
            }
        }
        let mut normal = vec![b'/'; slashes];
        normal.extend_from_slice(&names.join(&b'/'));
        if normal.is_empty() { b".".to_vec() } else { normal }
    }

    /// `path` behind the working directory, nothing normalised.
    pub fn anchored(&self, path: &[u8]) -> Vec<u8> {
        match &self.working_directory {
            Some(directory) if !self.is_absolute(path) => {
                if path.is_empty() {
                    directory.clone()
                } else {
                    self.join(directory, path)
                }
            }
            _ => path.to_vec(),
        }
    }

    /// `os.path.abspath`; as it was when there is no working directory (`site.makepath`).
    pub fn absolute(&self, path: &[u8]) -> Vec<u8> {
        let anchored = self.anchored(path);
        if self.is_absolute(&anchored) { self.normalized(&anchored) } else { anchored }
    }

    /// `abspath` of getpath.py: normalised first, then put behind the working directory.
    pub fn getpath_absolute(&self, path: &[u8]) -> Vec<u8> {
        match self.normalized(path) {
            normal if normal == b"." => self.anchored(b""),
            normal => self.anchored(&normal),
        }
    }

    /// getpath's `dirname` and `reduce`: what stands before the last separator, empty for a root.
    pub fn reduced<'b>(&self, path: &'b [u8]) -> &'b [u8] {
        path.iter().rposition(|byte| self.is_separator(*byte)).map_or(&path[..0], |at| &path[..at])
    }

    /// `os.path.dirname`.
    pub fn dirname(&self, path: &[u8]) -> Vec<u8> {
        match HostPath::new(self.flavour, path) {
            Some(host) => host.parent().unwrap_or(host).as_bytes().to_vec(),
            None => self.reduced(path).to_vec(),
        }
    }

    pub fn basename<'b>(&self, path: &'b [u8]) -> &'b [u8] {
        path.iter().rposition(|byte| self.is_separator(*byte)).map_or(path, |at| &path[at + 1..])
    }

    /// `os.path.normcase`: what makes two entries the same.
    pub fn key(&self, path: &[u8]) -> Vec<u8> {
        match self.flavour {
            Flavour::Posix => path.to_vec(),
            Flavour::Windows => String::from_utf8_lossy(path).replace('/', "\\").to_lowercase().into_bytes(),
        }
    }

    /// Where to look; None for a relative path without a working directory, and for a NUL.
    pub fn host(&self, path: &[u8]) -> Option<HostPath> {
        if path.contains(&0) {
            return None;
        }
        HostPath::new(self.flavour, self.anchored(path))
    }

    pub fn is_file(&self, path: &[u8]) -> bool {
        self.host(path).is_some_and(|path| self.files.is_file(&path))
    }

    pub fn is_directory(&self, path: &[u8]) -> bool {
        self.host(path).is_some_and(|path| self.files.is_directory(&path))
    }

    pub fn exists(&self, path: &[u8]) -> bool {
        self.host(path).is_some_and(|path| self.files.exists(&path))
    }

    pub fn read(&self, path: &[u8], limit: usize) -> Result<Contents, FileError> {
        self.files.read(&self.host(path).ok_or(FileError::Missing)?, limit)
    }

    fn read_link(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.files.read_link(&self.host(path)?).ok()
    }

    /// The end of the link chain of the last component alone: links among the directories stay as they
    /// are spelt. `normalize` as getpath.py (3.11+) does where a link is relative; its C forerunner does not.
    pub fn resolved(&self, path: &[u8], normalize: bool) -> Vec<u8> {
        let mut path = path.to_vec();
        for _ in 0..LINK_LIMIT {
            let Some(target) = self.read_link(&path) else { break };
            path = if self.is_absolute(&target) {
                target
            } else {
                let joined = self.join(self.reduced(&path), &target);
                if normalize { self.normalized(&joined) } else { joined }
            };
        }
        path
    }

    /// getpath's `search_up`: the start directory, then each above it; the root is not looked at on the way.
    pub fn search_up(&self, start: &[u8], found: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
        let mut directory = start;
        while !directory.is_empty() {
            if found(directory) {
                return Some(directory.to_vec());
            }
            directory = self.reduced(directory);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::tree::Tree;

    #[test]
    fn spells_paths_as_os_path_does() {
        let tree = Tree::default();
        let place =
            Place { files: &tree, flavour: Flavour::Posix, working_directory: Some(b"/here".to_vec()) };
        for (path, expected) in
            [("", "/here"), ("..", "/"), ("a/../b/./c//", "/here/b/c"), ("//x/../y", "//y"), ("///x", "/x")]
        {
            assert_eq!(String::from_utf8(place.absolute(path.as_bytes())).unwrap(), expected, "{path}");
        }
        assert_eq!(place.normalized(b"../../a/../b"), b"../../b");
        assert_eq!(place.reduced(b"/python"), b"");
        assert_eq!(place.dirname(b"/python"), b"/");
        assert_eq!(place.basename(b"/bin/python"), b"python");
    }
}
