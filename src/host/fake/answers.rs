//! What the machine answers.

use super::*;

impl Files for FakeMachine {
    fn metadata(&self, path: &HostPath) -> Result<Metadata, FileError> {
        self.resolve(path, Follow::Everything).map(|(_, node)| self.describe(node))
    }

    fn link_metadata(&self, path: &HostPath) -> Result<Metadata, FileError> {
        self.resolve(path, Follow::ButTheLast).map(|(_, node)| self.describe(node))
    }

    fn read_link(&self, path: &HostPath) -> Result<Vec<u8>, FileError> {
        match &self.resolve(path, Follow::ButTheLast)?.1.content {
            Content::Link(target) => Ok(target.clone()),
            _ => Err(FileError::NotAFile),
        }
    }

    fn read_at(&self, path: &HostPath, offset: u64, limit: usize) -> Result<Contents, FileError> {
        let (_, node) = self.resolve(path, Follow::Everything)?;
        if !self.allows(node, 0o4) {
            return Err(FileError::Denied);
        }
        let Content::File(bytes) = &node.content else { return Err(FileError::NotAFile) };
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let end = start.saturating_add(limit).min(bytes.len());
        Ok(Contents {
            bytes: bytes[start..end].to_vec(),
            size: bytes.len() as u64,
            mode: self.describe(node).mode,
            modified: (self.describe(node).modified, self.describe(node).modified_nanoseconds),
        })
    }

    fn list(&self, path: &HostPath) -> Result<Listing, FileError> {
        let (place, node) = self.resolve(path, Follow::Everything)?;
        if !matches!(node.content, Content::Directory) {
            return Err(FileError::NotADirectory);
        }
        if !self.allows(node, 0o4) {
            return Err(FileError::Denied);
        }
        let base = key_of(&place.join("x"));
        let base = &base[..base.len() - 1];
        let below = |key: &[u8]| {
            key.strip_prefix(base)
                .is_some_and(|name| !name.is_empty() && !name.iter().any(|byte| matches!(byte, b'/' | b'\\')))
        };
        let mut entries: Vec<Entry> = self
            .nodes
            .range(base.to_vec()..)
            .take_while(|(key, _)| key.starts_with(base))
            .filter(|(key, _)| below(key))
            .map(|(_, node)| Entry { name: node.name.clone(), kind: self.describe(node).kind })
            .collect();
        entries.sort_unstable_by(|left, right| left.name.cmp(&right.name));
        let truncated = entries.len() > LISTING_LIMIT;
        entries.truncate(LISTING_LIMIT);
        Ok(Listing { entries, truncated })
    }

    fn canonical(&self, path: &HostPath) -> Result<HostPath, FileError> {
        self.resolve(path, Follow::Everything).map(|(place, _)| place)
    }

    fn can_execute(&self, path: &HostPath) -> bool {
        self.resolve(path, Follow::Everything).is_ok_and(|(place, node)| {
            let noexec = !matches!(node.content, Content::Directory) && self.mount_of(&place).noexec;
            let directory_on_windows =
                self.flavour() == Flavour::Windows && matches!(node.content, Content::Directory);
            self.allows(node, 0o1) && !noexec && !directory_on_windows
        })
    }

    fn can_read(&self, path: &HostPath) -> bool {
        self.resolve(path, Follow::Everything).is_ok_and(|(_, node)| self.allows(node, 0o4))
    }

    fn can_write(&self, path: &HostPath) -> bool {
        self.resolve(path, Follow::Everything)
            .is_ok_and(|(place, node)| self.allows(node, 0o2) && !self.mount_of(&place).read_only)
    }
}

impl FakeMachine {
    fn outcome(&self, invocation: &Invocation) -> Outcome {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(invocation.clone());
        let not_started = |error: FileError| Outcome {
            ending: Ending::NotStarted(error.to_string()),
            stdout: Vec::new(),
            stderr: Vec::new(),
            elapsed: Duration::ZERO,
        };
        if let Err(error) = self.metadata(&invocation.program) {
            return not_started(error);
        }
        if !self.is_file(&invocation.program) || !self.can_execute(&invocation.program) {
            return not_started(FileError::Denied);
        }
        let mut outcome = match self.answers.iter().find_map(|answer| answer(invocation)) {
            Some(outcome) => outcome,
            None => return not_started(FileError::Other("this machine has no answer for it".to_owned())),
        };
        outcome.stdout.truncate(invocation.output_limit);
        outcome.stderr.truncate(invocation.output_limit);
        outcome
    }
}

impl Host for FakeMachine {
    fn platform(&self) -> &Platform {
        &self.platform
    }

    fn user(&self) -> &User {
        &self.user
    }

    /// The first of January 2026.
    fn now(&self) -> u64 {
        1_767_225_600
    }

    fn variable(&self, name: &str) -> Option<Vec<u8>> {
        let same = |known: &[u8]| match self.flavour() {
            Flavour::Posix => known == name.as_bytes(),
            Flavour::Windows => known.eq_ignore_ascii_case(name.as_bytes()),
        };
        self.variables.iter().find(|(known, _)| same(known)).map(|(_, value)| value.clone())
    }

    fn variables(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.variables.clone()
    }

    fn working_directory(&self) -> Result<HostPath, FileError> {
        self.working_directory.clone().ok_or(FileError::Missing)
    }

    fn ancestors(&self) -> Vec<Process> {
        self.ancestors.clone()
    }

    fn mount(&self, path: &HostPath) -> Option<Mount> {
        self.canonical(path).ok().map(|place| self.mount_of(&place))
    }

    fn append(&self, _: &HostPath, _: &[u8]) -> Result<(), FileError> {
        Err(FileError::Denied)
    }

    fn create(&self, _: &HostPath, _: &[u8]) -> Result<(), FileError> {
        Err(FileError::Denied)
    }

    fn registry(&self, key: &str, name: &str) -> Option<String> {
        self.registry.get(&(key.to_owned(), name.to_owned())).cloned()
    }

    fn start(&self, invocation: &Invocation) -> Running<'_> {
        let outcome = self.outcome(invocation);
        Running::new(move || outcome)
    }

    /// As the `which` crate: `~` at the front of an entry is the home directory, a relative one is below the
    /// working directory, and only what may be run is found.
    fn which(&self, name: &str) -> Option<HostPath> {
        if let Some((_, path)) = self.which.iter().find(|(known, _)| known == name) {
            return path.clone();
        }
        let value = Host::variable(self, "PATH")?;
        let windows = self.flavour() == Flavour::Windows;
        let suffixes: &[&str] = if windows { &["", ".EXE", ".BAT", ".CMD", ".COM"] } else { &[""] };
        for entry in value.split(|byte| *byte == self.flavour().list_separator()) {
            let directory = match entry {
                [b'~'] => self.home(),
                [b'~', b'/' | b'\\', below @ ..] => self.home().map(|home| home.join(below)),
                _ => match HostPath::new(self.flavour(), entry) {
                    Some(directory) => Some(directory),
                    None => self.working_directory.as_ref().map(|directory| directory.join(entry)),
                },
            };
            let Some(directory) = directory else { continue };
            for suffix in suffixes {
                let file = directory.join(format!("{name}{suffix}"));
                if self.is_file(&file) && self.can_execute(&file) {
                    return Some(file);
                }
            }
        }
        None
    }
}
