//! Where tools keep things, by the user's variables and home directory.

use crate::facts::platform::System;
use crate::path::{Flavour, HostPath};

/// The variables and directories that decide where tools keep their environments and Pythons.
#[derive(Clone, Copy)]
pub struct Places<'a> {
    pub system: System,
    pub home: Option<&'a HostPath>,
    /// A variable of the shell.
    pub variable: &'a (dyn Fn(&str) -> Option<String> + Sync),
}

impl Places<'_> {
    /// A variable that is set and not empty. On Windows in any case: its names are kept in capitals.
    pub fn set(&self, name: &str) -> Option<String> {
        let value = match self.system {
            System::Windows => (self.variable)(&name.to_ascii_uppercase()),
            _ => (self.variable)(name),
        };
        value.filter(|value| !value.is_empty())
    }

    /// A variable that holds an absolute path, or one that starts with `~/`.
    pub fn path(&self, name: &str) -> Option<HostPath> {
        let value = self.set(name)?;
        let flavour = match self.system {
            System::Windows => Flavour::Windows,
            _ => Flavour::Posix,
        };
        match value.strip_prefix("~/") {
            Some(rest) => self.in_home(rest),
            None => HostPath::new(flavour, value),
        }
    }

    pub fn in_home(&self, relative: &str) -> Option<HostPath> {
        Some(self.home?.join(relative))
    }

    /// `platformdirs.user_data_dir(tool)`; on Windows the author's name defaults to the tool's.
    pub fn data_directory(&self, tool: &str) -> Option<HostPath> {
        Some(match self.system {
            System::MacOs => self.in_home("Library/Application Support")?.join(tool),
            System::Windows => self.path("LOCALAPPDATA")?.join(tool).join(tool),
            _ => self.path("XDG_DATA_HOME").or_else(|| self.in_home(".local/share"))?.join(tool),
        })
    }

    pub fn pyenv_root(&self) -> Option<HostPath> {
        self.path("PYENV_ROOT").or_else(|| self.in_home(".pyenv"))
    }

    /// The places that conda and its like are installed in by their installers.
    pub fn conda_bases(&self) -> Vec<HostPath> {
        const NAMES: [&str; 7] =
            ["miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba", "miniconda", "anaconda"];
        // CONDA_EXE is BASE/bin/conda
        let own = self.path("CONDA_EXE").and_then(|program| program.parent()?.parent());
        let mut bases: Vec<HostPath> = own.into_iter().chain(self.path("MAMBA_ROOT_PREFIX")).collect();
        bases.extend(NAMES.iter().filter_map(|name| self.in_home(name)));
        // environments may also lie in ~/.conda/envs
        bases.extend(self.in_home(".conda"));
        if self.system != System::Windows {
            bases.extend(
                ["conda", "miniconda3", "anaconda3", "miniforge3"]
                    .map(|name| HostPath::posix("/opt").join(name)),
            );
        }
        bases
    }
}
