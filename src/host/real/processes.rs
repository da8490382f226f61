//! The doctor's parent processes. The process table is never read as a whole: only the chain itself.

use super::FLAVOUR;
#[cfg(not(target_os = "linux"))]
use super::{bytes_of, from_std};
use crate::facts::shell::{reported_argument, reported_variable};
use crate::host::Process;
use crate::path::{HostPath, readable};

/// A chain of parents longer than this is no chain that a person built.
const ANCESTOR_LIMIT: usize = 64;

/// So many arguments of a parent process are kept: its program and options stand at the front.
const ARGUMENT_LIMIT: usize = 64;

/// The parent, its parent and so on, nearest first.
pub fn ancestors() -> Vec<Process> {
    let own = std::process::id();
    let mut reader = system::Reader::new();
    let mut next = reader.parent_of(own);
    let mut chain: Vec<Process> = Vec::new();
    while let Some(id) = next {
        let known = id == own || chain.iter().any(|process| process.id == id);
        if known || chain.len() == ANCESTOR_LIMIT {
            break;
        }
        let Some((process, parent)) = reader.read(id) else { break };
        chain.push(process);
        next = parent;
    }
    chain
}

pub use system::kernel_release;

/// What stands in a process, without what must not reach a report.
fn describe<'a>(
    id: u32,
    name: &[u8],
    executable: Option<HostPath>,
    arguments: impl Iterator<Item = &'a [u8]>,
    environment: impl Iterator<Item = &'a [u8]>,
) -> Process {
    let environment = environment.filter_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=').filter(|at| *at > 0)?;
        reported_variable(FLAVOUR, &pair[..equals], &pair[equals + 1..])
    });
    let mut environment: Vec<(String, String)> = environment.collect();
    environment.sort();
    Process {
        id,
        name: readable(name).into_owned(),
        executable,
        arguments: arguments
            .take(ARGUMENT_LIMIT)
            .map(|argument| reported_argument(&readable(argument)))
            .collect(),
        environment,
    }
}

/// Straight from proc(5): five files of each parent.
#[cfg(target_os = "linux")]
mod system {
    use super::{HostPath, Process, describe};
    use crate::host::Files;
    use crate::host::real::RealFiles;

    /// The kernel allows 128 KiB for one argument; shells' environments have a few.
    const LIMIT: usize = 1 << 20;

    pub struct Reader;

    impl Reader {
        pub fn new() -> Reader {
            Reader
        }

        pub fn parent_of(&mut self, id: u32) -> Option<u32> {
            stat(&file(id, "stat")?).map(|(_, parent)| parent).filter(|parent| *parent > 0)
        }

        /// The process and its parent's number. None when it is gone, or hidden by `hidepid`.
        pub fn read(&mut self, id: u32) -> Option<(Process, Option<u32>)> {
            let bytes = file(id, "stat")?;
            let (name, parent) = stat(&bytes)?;
            let executable = RealFiles.read_link(&path(id, "exe")).ok().and_then(|target| {
                // so says the kernel of a program whose file was replaced
                let target = target.strip_suffix(b" (deleted)").unwrap_or(&target);
                HostPath::new(super::FLAVOUR, target)
            });
            let arguments = file(id, "cmdline").unwrap_or_default();
            let environment = file(id, "environ").unwrap_or_default();
            let process = describe(id, name, executable, parts(&arguments), parts(&environment));
            Some((process, Some(parent).filter(|parent| *parent > 0)))
        }
    }

    fn path(id: u32, name: &str) -> HostPath {
        HostPath::posix(format!("/proc/{id}/{name}"))
    }

    fn file(id: u32, name: &str) -> Option<Vec<u8>> {
        RealFiles.read(&path(id, name), LIMIT).ok().map(|contents| contents.bytes)
    }

    fn parts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
        bytes.split(|byte| *byte == 0).filter(|part| !part.is_empty())
    }

    /// Name and parent of `17 (a) b) S 16 ...`: the name may hold anything.
    fn stat(bytes: &[u8]) -> Option<(&[u8], u32)> {
        let (open, close) = (memchr::memchr(b'(', bytes)?, memchr::memrchr(b')', bytes)?);
        let rest = std::str::from_utf8(bytes.get(close + 1..)?).ok()?;
        let parent = rest.split_ascii_whitespace().nth(1)?.parse().ok()?;
        Some((bytes.get(open + 1..close)?, parent))
    }

    pub fn kernel_release() -> Option<String> {
        let release = rustix::system::uname();
        release.release().to_str().ok().map(str::to_owned)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn reads_any_name() {
            assert_eq!(stat(b"17 (a) (b)) S 16 17 17 0"), Some((&b"a) (b)"[..], 16)));
            assert_eq!(stat(b"17 (bash S 16"), None);
            assert_eq!(stat(b"17 )bash( S 16"), None);
            assert_eq!(stat(b""), None);
            let process = Reader.read(std::process::id()).unwrap().0;
            assert_eq!(
                process.executable,
                std::env::current_exe().ok().and_then(|path| crate::host::real::from_std(&path))
            );
            assert_eq!(
                Reader.parent_of(std::process::id()),
                rustix::process::getppid().map(|id| id.as_raw_pid() as u32)
            );
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, UpdateKind};

    use super::{Process, bytes_of, describe, from_std};

    pub struct Reader(Option<sysinfo::System>);

    impl Reader {
        pub fn new() -> Reader {
            Reader(sysinfo::System::new().ok())
        }

        fn process(&mut self, id: u32, kind: ProcessRefreshKind) -> Option<&sysinfo::Process> {
            let (system, id) = (self.0.as_mut()?, Pid::from_u32(id));
            system.refresh_processes_specifics(ProcessesToUpdate::Some(&[id]), false, kind);
            system.process(id)
        }

        pub fn parent_of(&mut self, id: u32) -> Option<u32> {
            let kind = ProcessRefreshKind::nothing().without_tasks();
            self.process(id, kind)?.parent().map(Pid::as_u32)
        }

        pub fn read(&mut self, id: u32) -> Option<(Process, Option<u32>)> {
            let kind = ProcessRefreshKind::nothing()
                .without_tasks()
                .with_exe(UpdateKind::Always)
                .with_cmd(UpdateKind::Always)
                .with_environ(UpdateKind::Always);
            let process = self.process(id, kind)?;
            let texts = |words: &[std::ffi::OsString]| -> Vec<Vec<u8>> {
                words.iter().map(|word| bytes_of(word)).collect()
            };
            let (arguments, environment) = (texts(process.cmd()), texts(process.environ()));
            let described = describe(
                id,
                &bytes_of(process.name()),
                process.exe().and_then(from_std),
                arguments.iter().map(Vec::as_slice),
                environment.iter().map(Vec::as_slice),
            );
            Some((described, process.parent().map(Pid::as_u32)))
        }
    }

    pub fn kernel_release() -> Option<String> {
        sysinfo::System::kernel_version().ok()
    }
}
