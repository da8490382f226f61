//! The Microsoft runtimes that Windows's loader would not find for an extension module.
//!
//! Of other libraries nobody can tell from outside: a package may name their directory by `os.add_dll_directory`
//! while it is imported.

use std::collections::BTreeSet;

use crate::facts::environment::Environment;
use crate::facts::interpreter::Version;
use crate::facts::platform::System;
use crate::host::{Files, Host};
use crate::parse::binary::Binary;
use crate::path::{Flavour, HostPath};

/// Files of the Visual C++ redistributables of 2015 and later.
const RUNTIMES: [&str; 9] = [
    "vcruntime140.dll",
    "vcruntime140_1.dll",
    "vcruntime140_threads.dll",
    "msvcp140.dll",
    "msvcp140_1.dll",
    "msvcp140_2.dll",
    "msvcp140_codecvt_ids.dll",
    "concrt140.dll",
    "vcomp140.dll",
];

/// Where Python on this machine gets libraries from, beside a module's own directory.
pub struct Runtimes<'a> {
    files: &'a dyn Files,
    /// The interpreter's own, the base's and conda's, and before Python 3.8 those of `PATH`.
    shared: Vec<HostPath>,
    system: HostPath,
    /// `SysWOW64`: the system's directory for programs of 32 bits on a machine of 64.
    system_of_32_bits: HostPath,
    /// In small letters.
    brought: BTreeSet<String>,
}

impl<'a> Runtimes<'a> {
    /// None on other systems, and where the base or the system's directory is not there to look into.
    pub fn new(
        host: &'a dyn Host,
        environment: &Environment,
        version: Version,
        brought: &BTreeSet<String>,
    ) -> Option<Runtimes<'a>> {
        if host.platform().system != System::Windows {
            return None;
        }
        let windows = host.path_variable("SystemRoot")?;
        let system = windows.join("System32");
        if !host.is_file(&system.join("kernel32.dll")) {
            return None;
        }
        let base = environment.home.as_ref().map_or(&environment.root, |home| &home.path);
        // the Store's Python gets them from another package
        if !host.is_file(&base.join("python.exe")) || base.to_text().contains("WindowsApps") {
            return None;
        }
        let mut shared = Vec::new();
        for prefix in [&environment.root, base] {
            let names = ["", "Scripts", "DLLs", r"Library\bin", r"Library\mingw-w64\bin"];
            shared.extend(names.map(|name| if name.is_empty() { prefix.clone() } else { prefix.join(name) }));
        }
        // `LoadLibraryEx` without `PATH`: `Python/dynload_win.c` since 3.8, but not conda's with its variable
        let searches_path = (version.major, version.minor) < (3, 8)
            || host.text_variable("CONDA_DLL_SEARCH_MODIFICATION_ENABLE").is_some();
        if searches_path {
            let path = host.text_variable("PATH").unwrap_or_default();
            shared.extend(path.split(';').filter_map(|entry| HostPath::new(Flavour::Windows, entry)));
        }
        Some(Runtimes {
            files: host,
            shared,
            system,
            system_of_32_bits: windows.join("SysWOW64"),
            brought: brought.iter().map(|name| name.to_ascii_lowercase()).collect(),
        })
    }

    /// The first runtime that the module needs and that lies nowhere.
    pub fn missing(&self, module: &HostPath, binary: &Binary) -> Option<String> {
        if binary.partial {
            return None;
        }
        let directories = self.directories(module);
        let mut needed = binary.libraries.iter().filter(|name| {
            let name = name.to_ascii_lowercase();
            RUNTIMES.contains(&name.as_str()) && !self.brought.contains(&name)
        });
        needed
            .find(|name| !directories.iter().any(|directory| self.files.is_file(&directory.join(name))))
            .cloned()
    }

    pub fn directories(&self, module: &HostPath) -> Vec<HostPath> {
        let mut directories: Vec<HostPath> = Vec::new();
        let system = [&self.system, &self.system_of_32_bits];
        for directory in module.parent().iter().chain(&self.shared).chain(system) {
            if !directories.contains(directory) && self.files.is_directory(directory) {
                directories.push(directory.clone());
            }
        }
        directories
    }
}
