//! What the name of an extension module says of the Python and the platform that it was built for.
//!
//! The suffixes that an interpreter looks for are `_PyImport_DynLoadFiletab` (`Python/dynload_shlib.c`,
//! `Python/dynload_win.c`); tags are those of PEP 3149.

use serde::{Deserialize, Serialize};

use crate::facts::interpreter::Version;
use crate::facts::platform::System;

/// Whom a file of an extension module is for, by its name alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BuiltFor {
    /// `x.so`, `x.pyd`: any CPython takes it.
    Any,
    /// `x.abi3.so`: any CPython 3 with the GIL.
    StableAbi,
    Exactly(ExtensionTag),
    /// A tag of a form that is not known.
    Unknown,
}

/// `cpython-311-x86_64-linux-gnu`, `cp311-win_amd64`, `pypy39-pp73-x86_64-linux-gnu`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionTag {
    /// As it stands in the name.
    pub text: String,
    pub implementation: String,
    pub version: Version,
    /// None where the name has none: `cpython-34m.so`.
    pub system: Option<System>,
    /// As Rust names it; None where the name has none or another spelling.
    pub architecture: Option<String>,
    /// The name ends in `-linux-musl`. Before 3.11 names say `-linux-gnu` with musl, too.
    pub musl: bool,
}

/// The module's own name, and whom the file is for. None: no extension module's name.
pub fn parse(file_name: &str) -> Option<(&str, BuiltFor)> {
    let (stem, tag) = parts(file_name)?;
    let built_for = match tag {
        None => BuiltFor::Any,
        Some("abi3" | "abi3t") => BuiltFor::StableAbi,
        Some(tag) if tag.starts_with("abi3-") || tag.starts_with("abi3t-") => BuiltFor::StableAbi,
        Some(tag) => parse_tag(tag).map_or(BuiltFor::Unknown, BuiltFor::Exactly),
    };
    Some((stem, built_for))
}

/// Whether it is an extension module's name, for whomever.
pub fn is_one(file_name: &str) -> bool {
    parts(file_name).is_some()
}

/// The module's own name, and the tag between it and the suffix.
fn parts(file_name: &str) -> Option<(&str, Option<&str>)> {
    let (stem, rest) = file_name.split_once('.').filter(|(stem, _)| !stem.is_empty())?;
    if matches!(rest, "so" | "pyd") {
        return Some((stem, None));
    }
    let tag = rest.strip_suffix(".so").or_else(|| rest.strip_suffix(".pyd"))?;
    Some((stem, Some(tag)))
}

/// A tag without the dots around it, such as an interpreter's `SOABI`.
pub fn parse_tag(text: &str) -> Option<ExtensionTag> {
    let (first, rest) = text.split_once('-').unwrap_or((text, ""));
    let (implementation, version, platform) = if first == "cpython" {
        let (version, platform) = rest.split_once('-').unwrap_or((rest, ""));
        ("cpython", version, platform)
    } else if let Some(version) = first.strip_prefix("cp") {
        ("cpython", version, rest)
    } else {
        // pypy39-pp73-x86_64-linux-gnu
        let version = first.strip_prefix("pypy")?;
        ("pypy", version, rest.split_once('-').map_or("", |(_, platform)| platform))
    };
    let (system, architecture) = platform_of(platform);
    Some(ExtensionTag {
        text: text.to_owned(),
        implementation: implementation.to_owned(),
        version: compact_version(version)?,
        system,
        architecture: architecture.map(str::to_owned),
        musl: platform.ends_with("-linux-musl"),
    })
}

/// `311`, `37m`, `313t`, `311d`.
fn compact_version(text: &str) -> Option<Version> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, flags) = text.split_at_checked(digits)?;
    let (major, minor) = number.split_at_checked(1)?;
    if !flags.bytes().all(|flag| b"tdmu".contains(&flag)) {
        return None;
    }
    let mut version = Version::new(major.parse().ok()?, minor.parse().ok()?, None);
    version.free_threaded = flags.contains('t');
    Some(version)
}

fn platform_of(platform: &str) -> (Option<System>, Option<&str>) {
    match platform {
        "darwin" => return (Some(System::MacOs), None),
        "win_amd64" => return (Some(System::Windows), Some("x86_64")),
        "win_arm64" => return (Some(System::Windows), Some("aarch64")),
        "win32" => return (Some(System::Windows), Some("x86")),
        _ => {}
    }
    let Some((machine, _)) = platform.split_once("-linux-") else { return (None, None) };
    // the triplets of Debian's multiarch, which CPython's configure uses
    let architecture = match machine {
        "x86_64" | "aarch64" | "s390x" | "riscv64" | "loongarch64" => Some(machine),
        "i386" | "i686" => Some("x86"),
        "arm" => Some("arm"),
        "powerpc64le" | "powerpc64" => Some("powerpc64"),
        "mips64el" | "mips64" => Some("mips64"),
        _ => None,
    };
    // x32 shares the machine's name with another ABI
    (Some(System::Linux), architecture.filter(|_| !platform.ends_with("-gnux32")))
}

/// Why an interpreter does not take a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Misfit {
    /// Another version, build or implementation of Python.
    Python,
    /// Another operating system, processor or C library.
    Platform,
}

/// The interpreter that is to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Importer<'a> {
    pub implementation: &'a str,
    pub version: Version,
    pub system: System,
    pub architecture: &'a str,
    /// None: not known.
    pub musl: Option<bool>,
}

impl BuiltFor {
    /// None: the interpreter takes it, or nobody can tell.
    pub fn misfit(&self, importer: &Importer) -> Option<Misfit> {
        match self {
            BuiltFor::Any | BuiltFor::Unknown => None,
            // free-threaded 3.13 and 3.14 have no stable ABI; 3.15 has one of its own
            BuiltFor::StableAbi => {
                (importer.version.free_threaded && importer.version.minor < 15).then_some(Misfit::Python)
            }
            BuiltFor::Exactly(tag) => tag.misfit(importer),
        }
    }
}

impl ExtensionTag {
    fn misfit(&self, importer: &Importer) -> Option<Misfit> {
        let other_system = self.system.is_some_and(|system| system != importer.system);
        let other_processor =
            self.architecture.as_deref().is_some_and(|machine| machine != importer.architecture);
        // bpo-43112: musl has a name of its own since 3.11
        let musl_named = importer.version.minor >= 11 && self.system == Some(System::Linux);
        let other_library = match importer.musl {
            Some(musl) if musl_named => musl != self.musl,
            _ => false,
        };
        if self.implementation != importer.implementation || !self.version.same_minor(importer.version) {
            // a copy from another machine is for another Python by chance alone
            return Some(if other_system || other_processor { Misfit::Platform } else { Misfit::Python });
        }
        (other_system || other_processor || other_library).then_some(Misfit::Platform)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn importer(minor: u32) -> Importer<'static> {
        Importer {
            implementation: "cpython",
            version: Version::new(3, minor, None),
            system: System::Linux,
            architecture: "x86_64",
            musl: Some(false),
        }
    }

    fn misfit(name: &str, importer: &Importer) -> Option<Misfit> {
        parse(name).unwrap().1.misfit(importer)
    }

    #[test]
    fn takes_what_the_interpreter_takes() {
        for name in [
            "_x.cpython-311-x86_64-linux-gnu.so",
            "_x.cpython-311d-x86_64-linux-gnu.so",
            "_x.abi3.so",
            "_x.abi3-x86_64-linux-gnu.so",
            "_x.so",
            "_x.something-else.so",
        ] {
            assert_eq!(misfit(name, &importer(11)), None, "{name}");
        }
    }

    #[test]
    fn tells_another_python_from_another_platform() {
        let cases = [
            ("_x.cpython-310-x86_64-linux-gnu.so", Misfit::Python),
            ("_x.cpython-37m-x86_64-linux-gnu.so", Misfit::Python),
            ("_x.cpython-311t-x86_64-linux-gnu.so", Misfit::Python),
            ("_x.pypy39-pp73-x86_64-linux-gnu.so", Misfit::Python),
            ("_x.cpython-311-aarch64-linux-gnu.so", Misfit::Platform),
            ("_x.cpython-311-x86_64-linux-musl.so", Misfit::Platform),
            ("_x.cpython-311-darwin.so", Misfit::Platform),
            ("_x.cp311-win_amd64.pyd", Misfit::Platform),
            ("_x.cp39-win_amd64.pyd", Misfit::Platform),
        ];
        for (name, expected) in cases {
            assert_eq!(misfit(name, &importer(11)), Some(expected), "{name}");
        }
    }

    #[test]
    fn old_names_do_not_tell_musl() {
        let musl = |minor| Importer { musl: Some(true), ..importer(minor) };
        assert_eq!(misfit("_x.cpython-310-x86_64-linux-gnu.so", &musl(10)), None);
        assert_eq!(misfit("_x.cpython-311-x86_64-linux-musl.so", &musl(11)), None);
        assert_eq!(misfit("_x.cpython-311-x86_64-linux-gnu.so", &musl(11)), Some(Misfit::Platform));
    }

    #[test]
    fn the_stable_abi_needs_the_lock() {
        let mut free_threaded = importer(13);
        free_threaded.version.free_threaded = true;
        assert_eq!(misfit("_x.abi3.so", &free_threaded), Some(Misfit::Python));
        free_threaded.version.minor = 15;
        assert_eq!(misfit("_x.abi3t.so", &free_threaded), None);
    }

    #[test]
    fn other_names_are_no_extension_modules() {
        for name in ["libfoo.so.1", "x.py", ".so", "README", "x.cpython-311-x86_64-linux-gnu.so.bak"] {
            assert_eq!(parse(name), None, "{name}");
        }
    }
}
