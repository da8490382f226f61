//! A machine that is asked for a limited time, that is asked most things once, and that remembers what was cut off.
//!
//! A file system that answers slowly must not keep the doctor for ever: once the time is up every question about a
//! file fails at once, so that whatever is being gathered ends. A question that never returns is the business of
//! [`RealMachine::end_after`](super::real::RealMachine::end_after).

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{
    Below, Contents, FileError, FileKind, Files, Host, Invocation, Listing, Metadata, Mount, NextPart,
    OpenDirectory, Process, Running, TEXT_LIMIT, TakePiece, Told,
};
use crate::facts::platform::{Platform, System, User};
use crate::path::HostPath;

/// So many cut-off files and directories are remembered by name.
const MOST_REMEMBERED: usize = 20;

/// Listings of so many entries are kept: those of packages and programs are asked for more than once.
const LARGE: std::ops::Range<usize> = 64..10_000;

/// So many of them.
const MOST_LISTINGS: usize = 16;

/// A longer path, in bytes, is left to the system: it may be a stranger's, of any depth.
const LONG_PATH: usize = 512;

/// What is said of each of several paths.
type Look<'a> = dyn Fn(&[&[u8]]) -> Vec<Result<Metadata, FileError>> + 'a;

pub struct Bounded<'a> {
    host: &'a dyn Host,
    until: Instant,
    cut: Mutex<Cut>,
    metadata: Answers<Result<Metadata, FileError>>,
    link_metadata: Answers<Result<Metadata, FileError>>,
    targets: Answers<Result<Vec<u8>, FileError>>,
    canonical: Answers<Result<HostPath, FileError>>,
    executable: Answers<bool>,
    listings: super::answers::Answers<Listing, MOST_LISTINGS>,
}

/// A dozen collectors ask for the same interpreter, and must not see two different ones. What this machine itself writes
/// makes it forget; contents and short listings are never kept.
type Answers<T> = super::answers::Answers<T, 4096>;

/// What was not looked at whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cut {
    /// The first file that was asked about when the time was up.
    pub out_of_time_at: Option<HostPath>,
    /// Directories with more than [`super::LISTING_LIMIT`] entries.
    pub directories: Vec<HostPath>,
    /// Files of which only the first megabytes were read: the bytes read, and the file's size.
    pub files: Vec<(HostPath, usize, u64)>,
    /// What is there and could not be read or listed.
    pub unreadable: Vec<(HostPath, FileError)>,
}

impl Cut {
    /// A line on each, for the report.
    pub fn notes(&self) -> Vec<String> {
        let directories = self
            .directories
            .iter()
            .map(|path| format!("only the first {} entries of {path} were looked at", super::LISTING_LIMIT));
        let files = self.files.iter().map(|(path, read, size)| {
            format!("only the first {} KiB of {path} were read ({} KiB)", read / 1024, size / 1024)
        });
        let unreadable =
            self.unreadable.iter().map(|(path, error)| format!("{path} could not be read: {error}"));
        directories.chain(files).chain(unreadable).collect()
    }
}

impl<'a> Bounded<'a> {
    pub fn new(host: &'a dyn Host, time: Duration) -> Bounded<'a> {
        let now = Instant::now();
        let until = now.checked_add(time).unwrap_or(now + Duration::from_secs(1 << 30));
        Bounded {
            host,
            until,
            cut: Mutex::default(),
            metadata: Answers::default(),
            link_metadata: Answers::default(),
            targets: Answers::default(),
            canonical: Answers::default(),
            executable: Answers::default(),
            listings: super::answers::Answers::default(),
        }
    }

    pub fn cut(&self) -> Cut {
        self.remembered().clone()
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, Cut> {
        // a thread that panicked while it held the lock had at most one name to add
        self.cut.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn note_failure(&self, path: &HostPath, error: &FileError) {
        if !matches!(error, FileError::Denied | FileError::Other(_)) {
            return;
        }
        let mut cut = self.remembered();
        if cut.unreadable.len() < MOST_REMEMBERED && cut.unreadable.iter().all(|(known, _)| known != path) {
            cut.unreadable.push((path.clone(), error.clone()));
        }
    }

    /// Given how many bytes were read, and of how many. A limit below [`TEXT_LIMIT`] asks for the beginning only.
    fn note_cut(&self, (read, size): (usize, u64), limit: usize, path: impl FnOnce() -> HostPath) {
        if limit < TEXT_LIMIT || read as u64 >= size {
            return;
        }
        let path = path();
        let mut cut = self.remembered();
        if cut.files.len() < MOST_REMEMBERED && cut.files.iter().all(|(known, ..)| *known != path) {
            cut.files.push((path, read, size));
        }
    }

    /// What was answered may hold no more.
    fn forget(&self) {
        self.metadata.forget();
        self.link_metadata.forget();
        self.targets.forget();
        self.canonical.forget();
        self.executable.forget();
        self.listings.forget();
    }

    /// The path with its links resolved where its last name is none: by what is known of its parent, so that the
    /// directories above are walked once for all that lies below them. Systems that ignore case answer with the
    /// case that is on the disk, so that only they can tell.
    fn below_parent(&self, path: &HostPath) -> Option<HostPath> {
        let long = path.as_bytes().len() > LONG_PATH;
        if long || self.platform().system != System::Linux || *path != path.normalized() {
            return None;
        }
        let Some(parent) = path.parent() else { return Some(path.clone()) };
        let place = self.canonical(&parent).ok()?.join(path.file_name()?);
        matches!(self.read_link(&place), Err(FileError::NotAFile)).then_some(place)
    }

    /// Not so many at once that the time could be up long before the next look at the clock.
    fn parts_in_time(
        &self,
        directory: &OpenDirectory,
        paths: &[&[u8]],
        ask: &Look,
    ) -> Vec<Result<Metadata, FileError>> {
        let in_time = |part: &[&[u8]]| match self.in_time(&directory.path) {
            Ok(()) => ask(part),
            Err(error) => vec![Err(error); part.len()],
        };
        paths.chunks(1024).flat_map(in_time).collect()
    }

    fn in_time(&self, path: &HostPath) -> Result<(), FileError> {
        if Instant::now() < self.until {
            return Ok(());
        }
        self.remembered().out_of_time_at.get_or_insert_with(|| path.clone());
        Err(FileError::Other("the time for the examination was up".to_owned()))
    }
}

impl Files for Bounded<'_> {
    fn metadata(&self, path: &HostPath) -> Result<Metadata, FileError> {
        self.in_time(path)?;
        self.metadata.get(path, || self.host.metadata(path))
    }

    fn open_directory(&self, path: &HostPath) -> OpenDirectory {
        match self.in_time(path) {
            Ok(()) => self.host.open_directory(path),
            Err(_) => OpenDirectory::named(path),
        }
    }

    fn metadata_below(&self, directory: &OpenDirectory, paths: &[&[u8]]) -> Vec<Result<Metadata, FileError>> {
        self.parts_in_time(directory, paths, &|paths| self.host.metadata_below(directory, paths))
    }

    fn link_metadata_below(
        &self,
        directory: &OpenDirectory,
        paths: &[&[u8]],
    ) -> Vec<Result<Metadata, FileError>> {
        self.parts_in_time(directory, paths, &|paths| self.host.link_metadata_below(directory, paths))
    }

    fn link_metadata(&self, path: &HostPath) -> Result<Metadata, FileError> {
        self.in_time(path)?;
        self.link_metadata.get(path, || {
            let found = self.host.link_metadata(path);
            // of what is no link both ask the same
            if found.as_ref().is_ok_and(|found| found.kind != FileKind::Link) {
                let _known = self.metadata.get(path, || found.clone());
            }
            found
        })
    }

    fn read_link(&self, path: &HostPath) -> Result<Vec<u8>, FileError> {
        self.in_time(path)?;
        self.targets.get(path, || self.host.read_link(path))
    }

    fn read_at(&self, path: &HostPath, offset: u64, limit: usize) -> Result<Contents, FileError> {
        self.in_time(path)?;
        let read = self.host.read_at(path, offset, limit);
        let contents = read.inspect_err(|error| self.note_failure(path, error))?;
        if offset == 0 {
            self.note_cut((contents.bytes.len(), contents.size), limit, || path.clone());
        }
        Ok(contents)
    }

    fn read_below(&self, below: Below, spare: Vec<u8>) -> Result<Contents, FileError> {
        self.in_time(&below.directory.path)?;
        let read = self.host.read_below(below, spare);
        let contents = read.inspect_err(|error| self.note_failure(&below.place(), error))?;
        self.note_cut((contents.bytes.len(), contents.size), below.limit, || below.place());
        Ok(contents)
    }

    fn tell_below(&self, below: Below, spare: &mut Vec<u8>, take: &mut TakePiece) -> Result<Told, FileError> {
        self.in_time(&below.directory.path)?;
        let told = self.host.tell_below(below, spare, take);
        let told = told.inspect_err(|error| self.note_failure(&below.place(), error))?;
        self.note_cut((below.limit, told.size), below.limit, || below.place());
        Ok(told)
    }

    fn read_parts(&self, path: &HostPath, first: usize, next: &mut NextPart) -> Result<(), FileError> {
        self.in_time(path)?;
        let read = self.host.read_parts(path, first, &mut |offset, part| {
            if offset == 0 {
                self.note_cut((part.bytes.len(), part.size), first, || path.clone());
            }
            next(offset, part).filter(|_| self.in_time(path).is_ok())
        });
        read.inspect_err(|error| self.note_failure(path, error))
    }

    fn list(&self, path: &HostPath) -> Result<Listing, FileError> {
        self.in_time(path)?;
        if let Some(known) = self.listings.known(path) {
            return Ok(known);
        }
        let listing = self.host.list(path).inspect_err(|error| self.note_failure(path, error))?;
        if listing.truncated {
            let mut cut = self.remembered();
            if cut.directories.len() < MOST_REMEMBERED && !cut.directories.contains(path) {
                cut.directories.push(path.clone());
            }
        }
        if LARGE.contains(&listing.entries.len()) {
            return Ok(self.listings.get(path, || listing));
        }
        Ok(listing)
    }

    fn canonical(&self, path: &HostPath) -> Result<HostPath, FileError> {
        self.in_time(path)?;
        self.canonical.get(path, || self.below_parent(path).map_or_else(|| self.host.canonical(path), Ok))
    }

    fn can_execute(&self, path: &HostPath) -> bool {
        self.in_time(path).is_ok() && self.executable.get(path, || self.host.can_execute(path))
    }

    fn can_read(&self, path: &HostPath) -> bool {
        self.in_time(path).is_ok() && self.host.can_read(path)
    }

    fn can_write(&self, path: &HostPath) -> bool {
        self.in_time(path).is_ok() && self.host.can_write(path)
    }
}

impl Host for Bounded<'_> {
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

    fn mount(&self, path: &HostPath) -> Option<Mount> {
        self.in_time(path).ok()?;
        self.host.mount(path)
    }

    fn start(&self, invocation: &Invocation) -> Running<'_> {
        let left = self.until.saturating_duration_since(Instant::now());
        self.host.start(&Invocation { deadline: invocation.deadline.min(left), ..invocation.clone() })
    }

    fn append(&self, path: &HostPath, bytes: &[u8]) -> Result<(), FileError> {
        let written = self.host.append(path, bytes);
        self.forget();
        written
    }

    fn create(&self, path: &HostPath, bytes: &[u8]) -> Result<(), FileError> {
        let written = self.host.create(path, bytes);
        self.forget();
        written
    }

    fn registry(&self, key: &str, name: &str) -> Option<String> {
        self.host.registry(key, name)
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
    fn answers_as_the_machine_does_while_there_is_time() {
        let machine = FakeMachine::linux().file("/a/b", "text");
        let bounded = Bounded::new(&machine, Duration::from_secs(60));
        assert_eq!(bounded.text(&HostPath::posix("/a/b")).as_deref(), Some("text"));
        assert_eq!(bounded.cut(), Cut::default());
    }

    #[test]
    fn asks_once_for_what_it_keeps() {
        let directory = tempfile::tempdir().unwrap();
        let machine = crate::host::real::RealMachine::new();
        let root = crate::host::real::from_std(directory.path()).unwrap();
        let bounded = Bounded::new(&machine, Duration::from_secs(60));
        let (early, late) = (root.join("early"), root.join("late"));
        assert!(!bounded.exists(&early));
        for name in ["early", "late"] {
            std::fs::write(directory.path().join(name), "text").unwrap();
        }
        assert!(!bounded.exists(&early) && bounded.exists(&late), "as it was first asked");
        assert!(bounded.link_metadata(&early).is_ok(), "of the link itself it was not asked before");
        assert!(!bounded.exists(&early));
        std::fs::remove_file(directory.path().join("late")).unwrap();
        assert!(bounded.exists(&late) && bounded.text(&late).is_none(), "what is read is read now");
        bounded.create(&late, b"text").unwrap();
        assert!(bounded.exists(&early) && bounded.exists(&late), "it wrote itself, so what it knew is void");
    }

    #[test]
    fn resolves_links_as_the_machine_does() {
        let directory = tempfile::tempdir().unwrap();
        let machine = crate::host::real::RealMachine::new();
        let root = crate::host::real::from_std(directory.path()).unwrap();
        let bounded = Bounded::new(&machine, Duration::from_secs(60));
        std::fs::create_dir_all(directory.path().join("a/b")).unwrap();
        std::fs::write(directory.path().join("a/b/file"), "text").unwrap();
        #[cfg(unix)]
        for (target, link) in
            [("a", "directory"), ("a/b/file", "link"), ("gone", "dangling"), ("loop", "loop")]
        {
            std::os::unix::fs::symlink(target, directory.path().join(link)).unwrap();
        }
        let deep = "a/".repeat(300);
        for name in [
            "a/b/file",
            "directory/b/file",
            "directory/b",
            "link",
            "dangling",
            "loop",
            "loop/x",
            "a/b/file/x",
            "a/gone",
            "gone/x",
            "a/../a/b",
            ".",
            &deep,
        ] {
            let path = root.join(name);
            assert_eq!(bounded.canonical(&path), machine.canonical(&path), "{name}");
        }
    }

    #[test]
    fn nothing_is_known_when_the_time_is_up() {
        let machine = FakeMachine::linux().file("/a/b", "text");
        let bounded = Bounded::new(&machine, Duration::ZERO);
        let path = HostPath::posix("/a/b");
        assert!(matches!(bounded.metadata(&path), Err(FileError::Other(_))));
        assert!(bounded.list(&HostPath::posix("/a")).is_err() && !bounded.can_read(&path));
        assert_eq!(bounded.cut().out_of_time_at, Some(path));
    }

    #[test]
    fn what_cannot_be_read_is_remembered_and_what_is_missing_is_not() {
        let machine = FakeMachine::linux().file("/a/b", "text").deny("/a/b");
        let bounded = Bounded::new(&machine, Duration::from_secs(60));
        for path in ["/a/b", "/a/c", "/a/b"] {
            assert!(bounded.text(&HostPath::posix(path)).is_none());
        }
        assert_eq!(bounded.cut().notes(), ["/a/b could not be read: permission denied"]);
    }

    #[test]
    fn a_file_that_was_not_read_whole_is_remembered() {
        let machine = FakeMachine::linux().file("/big", "x".repeat(TEXT_LIMIT + 1));
        let bounded = Bounded::new(&machine, Duration::from_secs(60));
        let path = HostPath::posix("/big");
        assert!(bounded.read(&path, 100).is_ok());
        assert_eq!(bounded.cut(), Cut::default(), "only the beginning was asked for");
        assert!(bounded.text(&path).is_some());
        assert_eq!(bounded.cut().notes(), ["only the first 1024 KiB of /big were read (1024 KiB)"]);
    }
}
