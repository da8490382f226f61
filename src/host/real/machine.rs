//! This machine: its user, variables, mounts and the doctor's parent processes.

use std::io::Write;
use std::time::Duration;

use super::{FLAVOUR, RealFiles, bytes_of, file_error, from_std, processes, run, write};
use crate::facts::platform::{Platform, System, User};
use crate::host::{
    Below, Contents, FileError, FileKind, Files, Host, Invocation, Listing, Metadata, Mount, NextPart,
    OpenDirectory, Process, Running, TakePiece, Told, Usage,
};
use crate::path::HostPath;

#[derive(Debug, Clone)]
pub struct RealMachine {
    platform: Platform,
    user: User,
}

impl RealMachine {
    pub fn new() -> RealMachine {
        RealMachine { platform: platform(), user: user() }
    }

    /// Ends the doctor with this message and status, should it still be at work after so long: a file system
    /// that never answers holds the thread that asked it.
    pub fn end_after(time: Duration, message: String, status: i32) {
        std::thread::spawn(move || {
            std::thread::sleep(time);
            // nobody may be listening any more
            let _ = writeln!(std::io::stderr(), "{message}");
            std::process::exit(status);
        });
    }
}

impl Default for RealMachine {
    fn default() -> Self {
        RealMachine::new()
    }
}

fn platform() -> Platform {
    let system = match std::env::consts::OS {
        "linux" => System::Linux,
        "macos" => System::MacOs,
        "windows" => System::Windows,
        _ => System::Other,
    };
    Platform {
        system,
        architecture: std::env::consts::ARCH.to_owned(),
        release: processes::kernel_release(),
        distribution: if system == System::Linux { distribution() } else { None },
    }
}

/// `ID` of os-release(5): the file in `/etc` comes before the one in `/usr/lib`.
fn distribution() -> Option<String> {
    let text = ["/etc/os-release", "/usr/lib/os-release"]
        .iter()
        .find_map(|path| RealFiles.text(&HostPath::posix(path)))?;
    let id = text.lines().find_map(|line| line.trim().strip_prefix("ID="))?;
    Some(id.trim_matches(['"', '\'']).to_owned()).filter(|id| !id.is_empty())
}

#[cfg(unix)]
fn user() -> User {
    use rustix::process::{getegid, geteuid, getgid, getuid};
    let (name, home) = match std::fs::read("/etc/passwd") {
        Ok(text) => password_entry(&text, getuid().as_raw()),
        Err(_) => (None, None),
    };
    User {
        id: getuid().as_raw(),
        effective_id: geteuid().as_raw(),
        group: getgid().as_raw(),
        effective_group: getegid().as_raw(),
        name,
        home,
    }
}

#[cfg(not(unix))]
fn user() -> User {
    User {
        name: std::env::var("USERNAME").ok(),
        home: std::env::var_os("USERPROFILE").and_then(|home| from_std(home.as_ref())),
        ..User::default()
    }
}

/// Name and home of a user id, by passwd(5): `name:password:uid:gid:comment:home:shell`.
#[cfg_attr(not(unix), allow(dead_code))]
fn password_entry(text: &[u8], id: u32) -> (Option<String>, Option<HostPath>) {
    for line in text.split(|byte| *byte == b'\n') {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
        let [name, _, number, _, _, home, ..] = fields.as_slice() else { continue };
        if std::str::from_utf8(number).is_ok_and(|number| number.parse() == Ok(id)) {
            let name = crate::path::readable(name).into_owned();
            return (Some(name), HostPath::new(FLAVOUR, *home));
        }
    }
    (None, None)
}

/// `\040` for a space.
#[cfg(target_os = "linux")]
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, behind @ ..] = rest {
        let octal = (*first == b'\\').then(|| behind.get(..3)).flatten();
        let octal = octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match octal {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[3..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    bytes
}

impl Files for RealMachine {
    fn metadata(&self, path: &HostPath) -> Result<Metadata, FileError> {
        RealFiles.metadata(path)
    }
    fn open_directory(&self, path: &HostPath) -> OpenDirectory {
        RealFiles.open_directory(path)
    }
    fn metadata_below(&self, directory: &OpenDirectory, paths: &[&[u8]]) -> Vec<Result<Metadata, FileError>> {
        RealFiles.metadata_below(directory, paths)
    }
    fn link_metadata_below(
        &self,
        directory: &OpenDirectory,
        paths: &[&[u8]],
    ) -> Vec<Result<Metadata, FileError>> {
        RealFiles.link_metadata_below(directory, paths)
    }
    fn link_metadata(&self, path: &HostPath) -> Result<Metadata, FileError> {
        RealFiles.link_metadata(path)
    }
    fn read_link(&self, path: &HostPath) -> Result<Vec<u8>, FileError> {
        RealFiles.read_link(path)
    }
    fn read_at(&self, path: &HostPath, offset: u64, limit: usize) -> Result<Contents, FileError> {
        RealFiles.read_at(path, offset, limit)
    }
    fn read_below(&self, below: Below, spare: Vec<u8>) -> Result<Contents, FileError> {
        RealFiles.read_below(below, spare)
    }
    fn tell_below(&self, below: Below, spare: &mut Vec<u8>, take: &mut TakePiece) -> Result<Told, FileError> {
        RealFiles.tell_below(below, spare, take)
    }
    fn read_parts(&self, path: &HostPath, first: usize, next: &mut NextPart) -> Result<(), FileError> {
        RealFiles.read_parts(path, first, next)
    }
    fn list(&self, path: &HostPath) -> Result<Listing, FileError> {
        RealFiles.list(path)
    }
    fn each_entry(&self, path: &HostPath, tell: &mut dyn FnMut(&[u8], FileKind)) -> Result<(), FileError> {
        RealFiles.each_entry(path, tell)
    }
    fn usage(&self, path: &HostPath) -> Result<Usage, FileError> {
        RealFiles.usage(path)
    }
    fn canonical(&self, path: &HostPath) -> Result<HostPath, FileError> {
        RealFiles.canonical(path)
    }
    fn can_execute(&self, path: &HostPath) -> bool {
        RealFiles.can_execute(path)
    }
    fn can_read(&self, path: &HostPath) -> bool {
        RealFiles.can_read(path)
    }
    fn can_write(&self, path: &HostPath) -> bool {
        RealFiles.can_write(path)
    }
}

impl Host for RealMachine {
    fn platform(&self) -> &Platform {
        &self.platform
    }

    fn user(&self) -> &User {
        &self.user
    }

    fn now(&self) -> u64 {
        let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        elapsed.map_or(0, |elapsed| elapsed.as_secs())
    }

    fn variable(&self, name: &str) -> Option<Vec<u8>> {
        std::env::var_os(name).map(|value| bytes_of(&value))
    }

    fn variables(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        std::env::vars_os().map(|(name, value)| (bytes_of(&name), bytes_of(&value))).collect()
    }

    /// By the kernel's own word, not by `PWD`; a directory that was deleted has none.
    fn working_directory(&self) -> Result<HostPath, FileError> {
        let directory = std::env::current_dir().map_err(file_error)?;
        from_std(&directory).ok_or(FileError::Missing)
    }

    fn ancestors(&self) -> Vec<Process> {
        processes::ancestors()
    }

    #[cfg(unix)]
    fn mount(&self, path: &HostPath) -> Option<Mount> {
        use rustix::fs::StatVfsMountFlags;
        let flags = rustix::fs::statvfs(super::to_std(path)).ok()?.f_flag;
        #[cfg(target_os = "linux")]
        let noexec = flags.contains(StatVfsMountFlags::NOEXEC);
        #[cfg(not(target_os = "linux"))]
        let noexec = false;
        Some(Mount { noexec, read_only: flags.contains(StatVfsMountFlags::RDONLY) })
    }

    #[cfg(not(unix))]
    fn mount(&self, _path: &HostPath) -> Option<Mount> {
        None
    }

    #[cfg(target_os = "linux")]
    fn mount_points(&self) -> Option<Vec<HostPath>> {
        let table = std::fs::read("/proc/self/mountinfo").ok()?;
        let lines = table.split(|byte| *byte == b'\n');
        // proc_pid_mountinfo(5): the fifth field, with spaces and the like as octal escapes
        let fields = lines.filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
        Some(fields.map(|field| HostPath::posix(unescaped(field))).collect())
    }

    #[cfg(windows)]
    fn registry(&self, key: &str, name: &str) -> Option<String> {
        let (root, path) = key.split_once('\\')?;
        let root = match root {
            "HKEY_CURRENT_USER" => windows_registry::CURRENT_USER,
            "HKEY_LOCAL_MACHINE" => windows_registry::LOCAL_MACHINE,
            _ => return None,
        };
        root.open(path).ok()?.get_string(name).ok()
    }

    #[cfg(not(windows))]
    fn registry(&self, _key: &str, _name: &str) -> Option<String> {
        None
    }

    fn start(&self, invocation: &Invocation) -> Running<'_> {
        run::start(invocation)
    }

    fn append(&self, path: &HostPath, bytes: &[u8]) -> Result<(), FileError> {
        write::append(path, bytes)
    }

    fn create(&self, path: &HostPath, bytes: &[u8]) -> Result<(), FileError> {
        write::create(path, bytes)
    }

    fn which(&self, name: &str) -> Option<HostPath> {
        let found = which::which(name).ok()?;
        from_std(&found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_password_file() {
        let text = b"root:x:0:0:root:/root:/bin/bash\nbroken line\nme:x:1000:1000:Me,,,:/home/me:/bin/zsh\n";
        assert_eq!(password_entry(text, 1000), (Some("me".to_owned()), Some(HostPath::posix("/home/me"))));
        assert_eq!(password_entry(text, 7), (None, None));
        assert_eq!(password_entry(b"\xff:x:5:5::relative:\n", 5), (Some("\\xff".to_owned()), None));
    }

    #[test]
    fn knows_this_machine() {
        let machine = RealMachine::new();
        assert_eq!(machine.platform().flavour(), FLAVOUR);
        assert!(machine.platform().release.is_some());
        assert_eq!(machine.working_directory().ok(), std::env::current_dir().ok().and_then(|d| from_std(&d)));
        assert!(machine.variable("PATH").is_some());
        assert_eq!(machine.variable("VENV_DOCTOR_IS_NOT_SET"), None);
    }

    #[test]
    fn climbs_the_parents() {
        let ancestors = RealMachine::new().ancestors();
        let parent = ancestors.first().expect("a test has a parent");
        assert!(!parent.name.is_empty());
        assert!(!parent.arguments.is_empty());
        #[cfg(unix)]
        assert_eq!(Some(parent.id), rustix::process::getppid().map(|id| id.as_raw_pid() as u32));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn knows_mounts() {
        let machine = RealMachine::new();
        let table = std::fs::read_to_string("/proc/self/mounts").unwrap();
        let mounts: std::collections::BTreeMap<&str, Vec<&str>> = table
            .lines()
            .filter_map(|line| {
                let mut fields = line.split(' ').skip(1);
                Some((fields.next()?, fields.nth(1)?.split(',').collect()))
            })
            .collect();
        for (place, options) in mounts {
            let Some(mount) = machine.mount(&HostPath::posix(place)) else { continue };
            assert_eq!(mount.noexec, options.contains(&"noexec"), "{place}");
            assert_eq!(mount.read_only, options.contains(&"ro"), "{place}");
        }
        assert_eq!(machine.mount(&HostPath::posix("/no/such/place")), None);
    }

    #[cfg(unix)]
    #[test]
    fn asks_which() {
        let machine = RealMachine::new();
        assert!(machine.which("sh").is_some_and(|path| machine.can_execute(&path)));
        assert_eq!(machine.which("no-such-program-anywhere"), None);
    }
}
