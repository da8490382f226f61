//! One directory, as `FileFinder` sees it.

use std::rc::Rc;

use super::{Answer, ModuleKind, PassedOver, Resolver, SearchResult, joined};
use crate::host::{Entry, FileKind};
use crate::imports::build::Version;

/// So much of what is passed over is told for one directory.
const TOLD_LIMIT: usize = 20;

/// Its names, sorted.
#[derive(Debug, Default)]
pub(super) struct Directory {
    pub entries: Vec<Entry>,
    pub readable: bool,
}

impl Directory {
    fn kind(&self, name: &[u8]) -> Option<FileKind> {
        let at = self.entries.binary_search_by(|entry| entry.name.as_slice().cmp(name)).ok()?;
        Some(self.entries[at].kind)
    }

    /// The names that begin like that.
    fn beginning<'a>(&'a self, prefix: &'a [u8]) -> impl Iterator<Item = &'a Entry> {
        let from = self.entries.partition_point(|entry| entry.name.as_slice() < prefix);
        self.entries[from..].iter().take_while(move |entry| entry.name.starts_with(prefix))
    }
}

impl Resolver<'_> {
    pub(super) fn directory(&self, path: &[u8]) -> Rc<Directory> {
        if let Some(known) = self.directories.borrow().get(path) {
            return Rc::clone(known);
        }
        let listing = self.place.host(path).and_then(|path| self.place.files.list(&path).ok());
        let directory = Rc::new(match listing {
            Some(listing) => Directory { entries: listing.entries, readable: true },
            None => Directory::default(),
        });
        self.directories.borrow_mut().insert(path.to_vec(), Rc::clone(&directory));
        directory
    }

    /// Whether a listed name is a regular file once its links are followed.
    fn is_file(&self, kind: Option<FileKind>, path: &[u8]) -> bool {
        match kind {
            Some(FileKind::File) => true,
            Some(FileKind::Link | FileKind::Other) => self.place.is_file(path),
            Some(FileKind::Directory) | None => false,
        }
    }

    /// `FileFinder.find_spec`; the empty and dotted names never reach it.
    pub(super) fn ask_directory(&self, tail: &str, path: &[u8]) -> Answer {
        let directory = self.directory(path);
        if !directory.readable {
            return Answer::Nothing(SearchResult::Unreadable);
        }
        let base = joined(&self.place, path, tail.as_bytes());
        let listed = directory.kind(tail.as_bytes());
        let is_directory = match listed {
            Some(FileKind::Directory) => true,
            Some(FileKind::Link) => self.place.is_directory(&base),
            _ => false,
        };
        if is_directory {
            let inside = self.directory(&base);
            for (suffix, _) in &self.suffixes {
                let name = format!("__init__{suffix}");
                let origin = joined(&self.place, &base, name.as_bytes());
                let is_file = if inside.readable {
                    self.is_file(inside.kind(name.as_bytes()), &origin)
                } else {
                    self.place.is_file(&origin)
                };
                if is_file {
                    return Answer::Found { kind: ModuleKind::Package, origin, package: Some(base) };
                }
            }
        }
        for (suffix, kind) in &self.suffixes {
            let name = format!("{tail}{suffix}");
            let listed = directory.kind(name.as_bytes());
            let origin = joined(&self.place, path, name.as_bytes());
            if self.is_file(listed, &origin) {
                return Answer::Found { kind: *kind, origin, package: None };
            }
        }
        if is_directory { Answer::Portions(vec![base]) } else { Answer::Nothing(SearchResult::Nothing) }
    }

    /// What lies there under that name and is not imported.
    pub(super) fn passed_over(&self, tail: &str, entry: &[u8]) -> Vec<PassedOver> {
        let path = self.finder_path(entry);
        let directory = match self.directories.borrow().get(&path) {
            Some(directory) => Rc::clone(directory),
            None => return Vec::new(),
        };
        let mut told = Vec::new();
        let dotted = format!("{tail}.");
        for entry in directory.beginning(dotted.as_bytes()) {
            let Ok(name) = std::str::from_utf8(&entry.name) else { continue };
            let suffix = &name[tail.len()..];
            let at = joined(&self.place, &path, &entry.name);
            let taken = self.suffixes.iter().any(|(known, _)| known == suffix);
            let library = suffix.ends_with(".so") || suffix.ends_with(".pyd");
            if taken && entry.kind == FileKind::Directory {
                told.push(PassedOver::DirectoryNotFile { path: at.into() });
            } else if taken && entry.kind == FileKind::Link && !self.place.exists(&at) {
                told.push(PassedOver::DanglingLink { path: at.into() });
            } else if library && !taken {
                told.push(PassedOver::ForeignExtension { path: at.into(), suffix: suffix.to_owned() });
            }
        }
        let base = joined(&self.place, &path, tail.as_bytes());
        match directory.kind(tail.as_bytes()) {
            Some(FileKind::Link) if !self.place.exists(&base) => {
                told.push(PassedOver::DanglingLink { path: base.into() });
            }
            Some(FileKind::Directory) => self.passed_over_in_package(&base, &mut told),
            _ => {}
        }
        self.orphans(tail, &path, &directory, &mut told);
        self.other_case(tail, &path, &directory, &mut told);
        let egg_link = format!("{tail}.egg-link");
        if directory.kind(egg_link.as_bytes()).is_some() {
            told.push(PassedOver::EggLink { path: joined(&self.place, &path, egg_link.as_bytes()).into() });
        }
        told.truncate(TOLD_LIMIT);
        told
    }

    /// A directory is a mere portion because its `__init__` is for another Python, or dangles.
    fn passed_over_in_package(&self, base: &[u8], told: &mut Vec<PassedOver>) {
        let inside = self.directory(base);
        for entry in inside.beginning(b"__init__.") {
            let Ok(name) = std::str::from_utf8(&entry.name) else { continue };
            let suffix = &name["__init__".len()..];
            let at = joined(&self.place, base, &entry.name);
            if entry.kind == FileKind::Link && !self.place.exists(&at) {
                told.push(PassedOver::DanglingLink { path: at.into() });
            } else if suffix.ends_with(".so") || suffix.ends_with(".pyd") {
                told.push(PassedOver::ForeignExtension { path: at.into(), suffix: suffix.to_owned() });
            }
        }
    }

    /// Bytecode in `__pycache__` without its source.
    fn orphans(
        &self,
        tail: &str,
        path: &[u8],
        directory: &Directory,
        told: &mut Vec<PassedOver>,
    ) {
        if self.build.version < Version::new(3, 2) || directory.kind(b"__pycache__").is_none() {
            return;
        }
        let cache = joined(&self.place, path, b"__pycache__");
        let prefix = format!("{tail}.");
        let cached = self.directory(&cache);
        for entry in cached.beginning(prefix.as_bytes()).filter(|entry| entry.name.ends_with(b".pyc")) {
            told.push(PassedOver::OrphanBytecode { path: joined(&self.place, &cache, &entry.name).into() });
        }
    }

    /// `Yaml` for `yaml`: the file system tells them apart, or Python does.
    fn other_case(&self, tail: &str, path: &[u8], directory: &Directory, told: &mut Vec<PassedOver>) {
        for entry in &directory.entries {
            let Some(first) = entry.name.get(..tail.len()) else { continue };
            if !first.eq_ignore_ascii_case(tail.as_bytes()) || first == tail.as_bytes() {
                continue;
            }
            let Ok(rest) = std::str::from_utf8(&entry.name[tail.len()..]) else { continue };
            let module = rest.is_empty() && entry.kind != FileKind::File
                || self.suffixes.iter().any(|(suffix, _)| suffix == rest);
            if module {
                told.push(PassedOver::OtherCase { path: joined(&self.place, path, &entry.name).into() });
            }
        }
    }
}
