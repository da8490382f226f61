//! A machine that is asked for a limited time, and that remembers what was cut off.
//!
//! A file system that answers slowly must not keep the doctor for ever: once the time is up every question about a
//! file fails at once, so that whatever is being gathered ends. A question that never returns is the business of
//! [`RealMachine::end_after`](super::real::RealMachine::end_after).

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{
    Contents, FileError, Files, Host, Invocation, Listing, Metadata, Mount, Outcome, Process, TEXT_LIMIT,
};
use crate::facts::platform::{Platform, User};
use crate::path::HostPath;

/// So many cut-off files and directories are remembered by name.
const MOST_REMEMBERED: usize = 20;

pub struct Bounded<'a> {
    host: &'a dyn Host,
    until: Instant,
    cut: Mutex<Cut>,
}

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
        Bounded { host, until, cut: Mutex::default() }
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
        self.host.metadata(path)
    }

    fn metadata_below(&self, directory: &HostPath, paths: &[&[u8]]) -> Vec<Result<Metadata, FileError>> {
        let ask = |paths: &[&[u8]]| match self.in_time(directory) {
            Ok(()) => self.host.metadata_below(directory, paths),
            Err(error) => vec![Err(error); paths.len()],
        };
        // not so many that the time could be up long before the next look at the clock
        paths.chunks(1024).flat_map(ask).collect()
    }

    fn link_metadata(&self, path: &HostPath) -> Result<Metadata, FileError> {
        self.in_time(path)?;
        self.host.link_metadata(path)
    }

    fn read_link(&self, path: &HostPath) -> Result<Vec<u8>, FileError> {
        self.in_time(path)?;
        self.host.read_link(path)
    }

    fn read_at(&self, path: &HostPath, offset: u64, limit: usize) -> Result<Contents, FileError> {
        self.in_time(path)?;
        let read = self.host.read_at(path, offset, limit);
        let contents = read.inspect_err(|error| self.note_failure(path, error))?;
        // a smaller limit asks for the beginning only
        if offset == 0 && limit >= TEXT_LIMIT && contents.truncated() {
            let mut cut = self.remembered();
            if cut.files.len() < MOST_REMEMBERED && cut.files.iter().all(|(known, ..)| known != path) {
                cut.files.push((path.clone(), contents.bytes.len(), contents.size));
            }
        }
        Ok(contents)
    }

    fn list(&self, path: &HostPath) -> Result<Listing, FileError> {
        self.in_time(path)?;
        let listing = self.host.list(path).inspect_err(|error| self.note_failure(path, error))?;
        if listing.truncated {
            let mut cut = self.remembered();
            if cut.directories.len() < MOST_REMEMBERED && !cut.directories.contains(path) {
                cut.directories.push(path.clone());
            }
        }
        Ok(listing)
    }

    fn canonical(&self, path: &HostPath) -> Result<HostPath, FileError> {
        self.in_time(path)?;
        self.host.canonical(path)
    }

    fn can_execute(&self, path: &HostPath) -> bool {
        self.in_time(path).is_ok() && self.host.can_execute(path)
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

    fn run(&self, invocation: &Invocation) -> Outcome {
        let left = self.until.saturating_duration_since(Instant::now());
        self.host.run(&Invocation { deadline: invocation.deadline.min(left), ..invocation.clone() })
    }

    fn append(&self, path: &HostPath, bytes: &[u8]) -> Result<(), FileError> {
        self.host.append(path, bytes)
    }

    fn create(&self, path: &HostPath, bytes: &[u8]) -> Result<(), FileError> {
        self.host.create(path, bytes)
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
