//! A machine that is asked each question once. Hundreds of environments lead to the same few base Pythons, and the
//! facts of one environment follow the same links again and again.

use crate::facts::platform::{Platform, User};
use crate::host::{
    Below, Contents, FileError, FileKind, Files, Host, Invocation, Listing, Metadata, Mount, NextPart,
    OpenDirectory, Process, Running, TakePiece, Told, Usage, answers,
};
use crate::path::HostPath;

/// As many links as Linux follows.
const MOST_LINKS: usize = 40;

type Answers<T> = answers::Answers<T, 20_000>;

/// What was answered so far.
#[derive(Default)]
pub struct Memory {
    metadata: Answers<Result<Metadata, FileError>>,
    link_metadata: Answers<Result<Metadata, FileError>>,
    links: Answers<Result<Vec<u8>, FileError>>,
    real: Answers<Result<HostPath, FileError>>,
    executable: Answers<bool>,
    listings: Answers<Result<Listing, FileError>>,
    mounts: Answers<Option<Mount>>,
}

/// What all environments share.
#[derive(Default)]
pub struct Common {
    memory: Memory,
    /// Longest first. Empty: not known.
    mount_points: Vec<HostPath>,
}

impl Common {
    pub fn new(host: &dyn Host) -> Common {
        let mut mount_points = host.mount_points().unwrap_or_default();
        mount_points.sort_by_key(|point| std::cmp::Reverse(point.as_bytes().len()));
        Common { memory: Memory::default(), mount_points }
    }
}

/// The machine, while the environment at a root is examined.
pub struct Remembered<'a> {
    host: &'a dyn Host,
    common: &'a Common,
    /// By its real path.
    root: &'a HostPath,
    own: Memory,
}

impl<'a> Remembered<'a> {
    pub fn new(host: &'a dyn Host, common: &'a Common, root: &'a HostPath) -> Remembered<'a> {
        Remembered { host, common, root, own: Memory::default() }
    }

    fn is_inside(&self, path: &HostPath) -> bool {
        path.is_within(self.root)
    }

    fn memory(&self, path: &HostPath) -> &Memory {
        if self.is_inside(path) { &self.own } else { &self.common.memory }
    }

    /// What a link leads to, where that can be told without a question: None for a target with `..`, which may leave
    /// by a link.
    fn target(&self, link: &HostPath) -> Option<HostPath> {
        let target = self.read_link(link).ok()?;
        let plain = target.split(|byte| *byte == b'/').all(|part| part != b"..");
        plain.then(|| link.parent()).flatten().map(|directory| directory.join(target))
    }

    /// The end of the links of the last component.
    fn end(&self, path: &HostPath) -> Option<HostPath> {
        let mut here = path.clone();
        for _ in 0..MOST_LINKS {
            match self.link_metadata(&here) {
                Ok(metadata) if metadata.kind == FileKind::Link => here = self.target(&here)?,
                _ => return Some(here),
            }
        }
        None
    }

    /// The real path of something in the environment, from its root on. None: the system is to be asked.
    fn real_inside(&self, path: &HostPath) -> Option<HostPath> {
        self.real_inside_with(path, &mut 0)
    }

    /// The same, when so many links were followed: a few that name each other twice make a path without end.
    fn real_inside_with(&self, path: &HostPath, links: &mut usize) -> Option<HostPath> {
        let rest = path.relative_to(self.root)?;
        let mut here = self.root.clone();
        for name in rest.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            if name == b"." || name == b".." {
                return None;
            }
            let next = here.join(name);
            here = match self.link_metadata(&next).ok()?.kind {
                FileKind::Link => {
                    let target = self.target(&next).filter(|target| self.is_inside(target))?;
                    *links += 1;
                    if *links > MOST_LINKS {
                        return None;
                    }
                    self.real_inside_with(&target, links)?
                }
                _ => next,
            };
        }
        Some(here)
    }
}

impl Files for Remembered<'_> {
    fn metadata(&self, path: &HostPath) -> Result<Metadata, FileError> {
        self.memory(path).metadata.get(path, || match self.link_metadata(path) {
            Ok(metadata) if metadata.kind != FileKind::Link => Ok(metadata),
            Ok(_) => match self.end(path) {
                Some(end) if end != *path => self.metadata(&end),
                _ => self.host.metadata(path),
            },
            Err(error) => Err(error),
        })
    }

    fn link_metadata(&self, path: &HostPath) -> Result<Metadata, FileError> {
        self.memory(path).link_metadata.get(path, || self.host.link_metadata(path))
    }

    fn read_link(&self, path: &HostPath) -> Result<Vec<u8>, FileError> {
        self.memory(path).links.get(path, || self.host.read_link(path))
    }

    fn read_at(&self, path: &HostPath, offset: u64, limit: usize) -> Result<Contents, FileError> {
        self.host.read_at(path, offset, limit)
    }

    fn open_directory(&self, path: &HostPath) -> OpenDirectory {
        self.host.open_directory(path)
    }

    fn read_below(&self, below: Below, spare: Vec<u8>) -> Result<Contents, FileError> {
        self.host.read_below(below, spare)
    }

    fn tell_below(&self, below: Below, spare: &mut Vec<u8>, take: &mut TakePiece) -> Result<Told, FileError> {
        self.host.tell_below(below, spare, take)
    }

    fn read_parts(&self, path: &HostPath, first: usize, next: &mut NextPart) -> Result<(), FileError> {
        self.host.read_parts(path, first, next)
    }

    fn list(&self, path: &HostPath) -> Result<Listing, FileError> {
        match self.is_inside(path) {
            true => self.own.listings.get(path, || self.host.list(path)),
            // a directory such as /usr/bin is large, and asked about seldom
            false => self.host.list(path),
        }
    }

    fn each_entry(&self, path: &HostPath, tell: &mut dyn FnMut(&[u8], FileKind)) -> Result<(), FileError> {
        self.host.each_entry(path, tell)
    }

    fn usage(&self, path: &HostPath) -> Result<Usage, FileError> {
        self.host.usage(path)
    }

    fn canonical(&self, path: &HostPath) -> Result<HostPath, FileError> {
        self.memory(path).real.get(path, || {
            let inside = if self.is_inside(path) { self.real_inside(path) } else { None };
            inside.map_or_else(|| self.host.canonical(path), Ok)
        })
    }

    fn can_execute(&self, path: &HostPath) -> bool {
        self.memory(path).executable.get(path, || match self.end(path) {
            Some(end) if end != *path => self.can_execute(&end),
            _ => self.host.can_execute(path),
        })
    }

    fn can_read(&self, path: &HostPath) -> bool {
        self.host.can_read(path)
    }

    fn can_write(&self, path: &HostPath) -> bool {
        self.host.can_write(path)
    }
}

impl Host for Remembered<'_> {
    fn platform(&self) -> &Platform {
        self.host.platform()
    }

    fn user(&self) -> &User {
        self.host.user()
    }

    fn now(&self) -> u64 {
        self.host.now()
    }

    fn variable(&self, name: &str) -> Option<Vec<u8>> {
        self.host.variable(name)
    }

    fn variables(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.host.variables()
    }

    fn working_directory(&self) -> Result<HostPath, FileError> {
        self.host.working_directory()
    }

    fn ancestors(&self) -> Vec<Process> {
        self.host.ancestors()
    }

    /// By the mount point above, where the end of the links is known.
    fn mount(&self, path: &HostPath) -> Option<Mount> {
        let point = self.end(path).and_then(|end| {
            let real =
                if self.is_inside(&end) { self.real_inside(&end)? } else { self.canonical(&end).ok()? };
            self.common.mount_points.iter().find(|point| real.is_within(point))
        });
        match point {
            Some(point) => self.common.memory.mounts.get(point, || self.host.mount(point)),
            None => self.host.mount(path),
        }
    }

    fn mount_points(&self) -> Option<Vec<HostPath>> {
        self.host.mount_points()
    }

    fn registry(&self, key: &str, name: &str) -> Option<String> {
        self.host.registry(key, name)
    }

    fn start(&self, invocation: &Invocation) -> Running<'_> {
        self.host.start(invocation)
    }

    fn append(&self, path: &HostPath, bytes: &[u8]) -> Result<(), FileError> {
        self.host.append(path, bytes)
    }

    fn create(&self, path: &HostPath, bytes: &[u8]) -> Result<(), FileError> {
        self.host.create(path, bytes)
    }

    fn which(&self, name: &str) -> Option<HostPath> {
        self.host.which(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::fake::FakeMachine;

    #[test]
    fn answers_as_the_machine_does() {
        let machine = FakeMachine::linux()
            .file("/v/pyvenv.cfg", "home = /opt/p/bin\n")
            .link("/v/bin/python", "/opt/p/bin/python3")
            .link("/v/bin/python3", "python")
            .link("/v/lib64", "lib")
            .link("/v/gone", "/opt/q/python")
            .link("/v/up", "../opt/p/bin/python3")
            .link("/v/round", "round")
            .file("/v/lib/python3.11/site-packages/six.py", "")
            .link("/opt/p/bin/python3", "python3.11")
            .executable("/opt/p/bin/python3.11", "");
        let common = Common::new(&machine);
        let root = HostPath::posix("/v");
        let remembered = Remembered::new(&machine, &common, &root);
        let asked = [
            "/v",
            "/v/pyvenv.cfg",
            "/v/bin/python",
            "/v/bin/python3",
            "/v/lib64",
            "/v/lib64/python3.11/site-packages",
            "/v/lib64/python3.11/site-packages/six.py",
            "/v/gone",
            "/v/up",
            "/v/round",
            "/v/nothing",
            "/opt/p/bin/python3",
            "/opt/p/bin/python3.11",
            "/opt",
            "/nowhere/at/all",
        ];
        for _ in 0..2 {
            for path in asked.map(HostPath::posix) {
                assert_eq!(remembered.metadata(&path), machine.metadata(&path), "{path}");
                assert_eq!(remembered.link_metadata(&path), machine.link_metadata(&path), "{path}");
                assert_eq!(remembered.read_link(&path), machine.read_link(&path), "{path}");
                assert_eq!(remembered.canonical(&path), machine.canonical(&path), "{path}");
                assert_eq!(remembered.can_execute(&path), machine.can_execute(&path), "{path}");
                assert_eq!(remembered.list(&path).ok(), machine.list(&path).ok(), "{path}");
                assert_eq!(remembered.mount(&path), machine.mount(&path), "{path}");
            }
        }
    }
}
