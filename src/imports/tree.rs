//! A tree of files in memory: what a test needs and no more.

use std::collections::BTreeMap;

use crate::host::{Contents, Entry, FileError, FileKind, Files, Listing, Metadata};
use crate::path::HostPath;

#[derive(Default, Clone)]
pub struct Tree {
    nodes: BTreeMap<Vec<u8>, Node>,
}

#[derive(Clone)]
enum Node {
    File(Vec<u8>),
    Directory,
    Link(Vec<u8>),
}

impl Tree {
    fn insert(&mut self, path: &HostPath, node: Node) {
        let mut above = path.parent();
        while let Some(directory) = above {
            self.nodes.entry(directory.as_bytes().to_vec()).or_insert(Node::Directory);
            above = directory.parent();
        }
        self.nodes.insert(path.as_bytes().to_vec(), node);
    }

    pub fn file(mut self, path: &HostPath, contents: &str) -> Self {
        self.insert(path, Node::File(contents.as_bytes().to_vec()));
        self
    }

    pub fn directory(mut self, path: &HostPath) -> Self {
        self.insert(path, Node::Directory);
        self
    }

    pub fn link(mut self, path: &HostPath, target: &str) -> Self {
        self.insert(path, Node::Link(target.as_bytes().to_vec()));
        self
    }

    /// Follows links of every component.
    fn resolve(&self, path: &HostPath) -> Result<(HostPath, &Node), FileError> {
        let mut at = path.ancestors().last().ok_or(FileError::Missing)?;
        let mut rest: Vec<Vec<u8>> = path.components().map(<[u8]>::to_vec).rev().collect();
        let mut hops = 0;
        while let Some(name) = rest.pop() {
            at = at.join(&name).normalized();
            match self.nodes.get(at.as_bytes()) {
                None => return Err(FileError::Missing),
                Some(Node::Link(target)) => {
                    hops += 1;
                    if hops > 40 {
                        return Err(FileError::Loop);
                    }
                    let target = at.parent().ok_or(FileError::Missing)?.join(target).normalized();
                    rest.extend(target.components().map(<[u8]>::to_vec).rev());
                    at = target.ancestors().last().ok_or(FileError::Missing)?;
                }
                Some(Node::File(_)) if !rest.is_empty() => return Err(FileError::NotADirectory),
                Some(_) => {}
            }
        }
        let node = self.nodes.get(at.as_bytes()).ok_or(FileError::Missing)?;
        Ok((at, node))
    }
}

fn kind(node: &Node) -> FileKind {
    match node {
        Node::File(_) => FileKind::File,
        Node::Directory => FileKind::Directory,
        Node::Link(_) => FileKind::Link,
    }
}

fn describe(node: &Node) -> Metadata {
    let size = if let Node::File(bytes) = node { bytes.len() as u64 } else { 0 };
    Metadata {
        kind: kind(node),
        size,
        mode: 0o755,
        owner: 0,
        group: 0,
        modified: 0,
        modified_nanoseconds: 0,
        identity: None,
        hidden: false,
    }
}

impl Files for Tree {
    fn metadata(&self, path: &HostPath) -> Result<Metadata, FileError> {
        self.resolve(path).map(|(_, node)| describe(node))
    }

    fn link_metadata(&self, path: &HostPath) -> Result<Metadata, FileError> {
        self.nodes.get(path.as_bytes()).map(describe).ok_or(FileError::Missing)
    }

    fn read_link(&self, path: &HostPath) -> Result<Vec<u8>, FileError> {
        let directory = match path.parent() {
            Some(parent) => self.resolve(&parent)?.0,
            None => return Err(FileError::NotAFile),
        };
        match self.nodes.get(directory.join(path.file_name().unwrap_or_default()).as_bytes()) {
            Some(Node::Link(target)) => Ok(target.clone()),
            Some(_) => Err(FileError::NotAFile),
            None => Err(FileError::Missing),
        }
    }

    fn read_at(&self, path: &HostPath, offset: u64, limit: usize) -> Result<Contents, FileError> {
        match self.resolve(path)? {
            (_, Node::File(bytes)) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                let end = start.saturating_add(limit).min(bytes.len());
                Ok(Contents {
                    bytes: bytes[start..end].to_vec(),
                    size: bytes.len() as u64,
                    mode: 0o644,
                    modified: (0, 0),
                })
            }
            _ => Err(FileError::NotAFile),
        }
    }

    fn list(&self, path: &HostPath) -> Result<Listing, FileError> {
        let (directory, node) = self.resolve(path)?;
        if kind(node) != FileKind::Directory {
            return Err(FileError::NotADirectory);
        }
        let entries = self
            .nodes
            .iter()
            .filter_map(|(bytes, node)| {
                let path = HostPath::new(directory.flavour(), bytes.clone())?;
                (path.parent()? == directory)
                    .then(|| Entry { name: path.file_name().unwrap_or_default().to_vec(), kind: kind(node) })
            })
            .collect();
        Ok(Listing { entries, truncated: false })
    }

    fn canonical(&self, path: &HostPath) -> Result<HostPath, FileError> {
        self.resolve(path).map(|(path, _)| path)
    }

    fn can_execute(&self, path: &HostPath) -> bool {
        self.exists(path)
    }

    fn can_read(&self, path: &HostPath) -> bool {
        self.exists(path)
    }

    fn can_write(&self, path: &HostPath) -> bool {
        self.exists(path)
    }
}
