//! What machine this is, and who asks.

use serde::{Deserialize, Serialize};

use crate::path::{Flavour, HostPath};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    Linux,
    MacOs,
    Windows,
    Other,
}

impl System {
    pub fn label(self) -> &'static str {
        match self {
            System::Linux => "linux",
            System::MacOs => "macos",
            System::Windows => "windows",
            System::Other => "other",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    pub system: System,
    /// As Rust names it: `x86_64`, `aarch64`.
    pub architecture: String,
    /// As the kernel names its version, where it tells: `6.1.0-28-amd64`.
    pub release: Option<String>,
    /// The distribution, from `/etc/os-release`: `debian`, `alpine`, `fedora`.
    pub distribution: Option<String>,
}

impl Platform {
    pub fn flavour(&self) -> Flavour {
        match self.system {
            System::Windows => Flavour::Windows,
            _ => Flavour::Posix,
        }
    }

    /// How many bytes of a `#!` line the kernel reads: 255 since Linux 5.1, 127 before
    /// (`BINPRM_BUF_SIZE`), 512 on macOS.
    pub fn shebang_limit(&self) -> usize {
        match self.system {
            System::MacOs => 511,
            System::Linux => match self.release_number() {
                Some(release) if release < (5, 1) => 127,
                _ => 255,
            },
            _ => usize::MAX,
        }
    }

    fn release_number(&self) -> Option<(u32, u32)> {
        let release = self.release.as_deref()?;
        let mut numbers =
            release.split(|c: char| !c.is_ascii_digit()).map_while(|part| part.parse::<u32>().ok());
        Some((numbers.next()?, numbers.next()?))
    }
}

/// The user that the doctor runs as.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct User {
    pub id: u32,
    pub effective_id: u32,
    pub group: u32,
    pub effective_group: u32,
    /// From the password file.
    pub name: Option<String>,
    pub home: Option<HostPath>,
}

/// What surrounds the shell: facts that make a global interpreter normal.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Surroundings {
    /// Why this is taken for a container: `/.dockerenv exists`, `container=podman`.
    pub container: Option<String>,
    /// Why this is taken for a CI run: `GITHUB_ACTIONS is set`.
    pub ci: Option<String>,
    /// The Windows Subsystem for Linux.
    pub wsl: bool,
    /// Processors that the kernel runs foreign binaries of through an emulator (`binfmt_misc`, Rosetta), as Rust
    /// names them.
    pub emulated: Vec<String>,
}
