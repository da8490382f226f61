//! Whose directory an entry of `PATH` is, by its place.

use std::collections::HashMap;

use super::key;
use crate::facts::platform::System;
use crate::facts::search_path::DirectoryOwner;
use crate::host::Host;
use crate::path::HostPath;

/// Where tools keep their programs on this machine, by their variables and defaults.
pub struct Places {
    system: System,
    /// Directories by key, and what everything at or below them belongs to.
    below: Vec<(Vec<u8>, DirectoryOwner)>,
    /// Directories by key that are meant themselves.
    exact: HashMap<Vec<u8>, DirectoryOwner>,
    pipx_venvs: Vec<HostPath>,
}

impl Places {
    pub fn new(host: &dyn Host) -> Places {
        use DirectoryOwner as Owner;
        let system = host.platform().system;
        let home = host.home();
        let variable = |name: &str| host.path_variable(name);
        let below_home = |path: &str| home.as_ref().map(|home| home.join(path).normalized());
        let data = |tool: &str| match variable("XDG_DATA_HOME") {
            Some(data) => Some(data.join(tool)),
            None => below_home(&format!(".local/share/{tool}")),
        };

        let mut below: Vec<(HostPath, Owner)> = Vec::new();
        let mut exact: Vec<(HostPath, Owner)> = Vec::new();
        let pyenv_roots = [variable("PYENV_ROOT"), below_home(".pyenv"), below_home(".pyenv/pyenv-win")];
        for root in pyenv_roots.into_iter().flatten() {
            exact.push((root.join("shims"), Owner::PyenvShims));
            below.push((root.join("versions"), Owner::PyenvVersion));
        }
        for root in [variable("ASDF_DATA_DIR"), below_home(".asdf")].into_iter().flatten() {
            exact.push((root.join("shims"), Owner::AsdfShims));
        }
        for root in [variable("MISE_DATA_DIR"), data("mise")].into_iter().flatten() {
            exact.push((root.join("shims"), Owner::MiseShims));
            below.push((root.join("installs").join("python"), Owner::MiseInstall));
        }
        for root in [variable("UV_PYTHON_INSTALL_DIR"), data("uv/python")].into_iter().flatten() {
            below.push((root, Owner::UvPython));
        }
        let pipx = [
            variable("PIPX_HOME"),
            data("pipx"),
            below_home(".local/pipx"),
            Some("/opt/pipx").and_then(|path| HostPath::new(host.platform().flavour(), path)),
        ];
        let pipx_venvs: Vec<HostPath> = pipx.into_iter().flatten().map(|root| root.join("venvs")).collect();
        exact.extend(variable("PIPX_BIN_DIR").map(|path| (path, Owner::Pipx)));
        exact.extend(below_home(".local/bin").map(|path| (path, Owner::UserBase)));
        match system {
            System::MacOs => {
                below.extend(below_home("Library/Python").map(|path| (path, Owner::UserBase)));
                let framework = HostPath::posix("/Library/Frameworks/Python.framework");
                below.push((framework, Owner::PythonOrg));
                let brew = HostPath::posix("/usr/local/Cellar");
                // on an Intel Mac, Homebrew's prefix is the system's local one
                if host.is_directory(&brew) {
                    exact.push((HostPath::posix("/usr/local/bin"), Owner::Homebrew));
                    below.push((brew, Owner::Homebrew));
                    below.push((HostPath::posix("/usr/local/opt"), Owner::Homebrew));
                }
            }
            System::Windows => {
                below.extend(variable("APPDATA").map(|path| (path.join("Python"), Owner::UserBase)));
                let local = variable("LOCALAPPDATA");
                below.extend(local.clone().map(|path| (path.join("Programs\\Python"), Owner::PythonOrg)));
                below.extend(local.map(|path| (path.join("Microsoft\\WindowsApps"), Owner::WindowsApps)));
                below.extend(variable("SystemRoot").map(|path| (path, Owner::System)));
            }
            System::Linux | System::Other => {}
        }
        if system != System::Windows {
            below.extend(variable("HOMEBREW_PREFIX").map(|path| match path.as_bytes() {
                b"/usr/local" => (path.join("Cellar"), Owner::Homebrew),
                _ => (path, Owner::Homebrew),
            }));
            for path in ["/opt/homebrew", "/home/linuxbrew/.linuxbrew"] {
                below.push((HostPath::posix(path), Owner::Homebrew));
            }
            for path in ["/nix", "/run/current-system/sw", "/etc/profiles/per-user"] {
                below.push((HostPath::posix(path), Owner::Nix));
            }
            below.extend(below_home(".nix-profile").map(|path| (path, Owner::Nix)));
            for path in ["/usr/local/bin", "/usr/local/sbin", "/usr/games", "/usr/local/games", "/snap/bin"] {
                exact.push((HostPath::posix(path), Owner::System));
            }
            for path in ["/usr/bin", "/usr/sbin", "/bin", "/sbin"] {
                exact.push((HostPath::posix(path), Owner::System));
            }
        }
        // of two meanings of a place the first counts
        let mut by_key = HashMap::new();
        for (place, owner) in exact {
            by_key.entry(key(&place.normalized())).or_insert(owner);
        }
        let below = below.into_iter().map(|(place, owner)| (key(&place.normalized()), owner)).collect();
        Places { system, below, exact: by_key, pipx_venvs }
    }

    /// The spelling counts before the real place: a link in `~/.local/bin` makes nobody else its owner.
    pub fn owner(
        &self,
        host: &dyn Host,
        directory: &HostPath,
        real: Option<&HostPath>,
        environment: Option<&HostPath>,
    ) -> Option<DirectoryOwner> {
        if let Some(root) = environment {
            let pipx = self.pipx_venvs.iter().any(|venvs| root.is_within(venvs));
            return Some(match host.is_file(&root.join("pyvenv.cfg")) {
                true if pipx => DirectoryOwner::Pipx,
                true => DirectoryOwner::Venv,
                false => DirectoryOwner::Conda,
            });
        }
        [Some(directory), real].into_iter().flatten().find_map(|place| self.by_place(place))
    }

    fn by_place(&self, directory: &HostPath) -> Option<DirectoryOwner> {
        let key = key(directory);
        let lies_below = |place: &[u8]| {
            key.strip_prefix(place).is_some_and(|rest| {
                rest.is_empty() || place.ends_with(b"/") || matches!(rest[0], b'/' | b'\\')
            })
        };
        let below = || self.below.iter().find(|(place, _)| lies_below(place)).map(|(_, owner)| *owner);
        if let Some(owner) = self.exact.get(&key).copied().or_else(below) {
            return Some(owner);
        }
        let last = directory.file_name()?;
        if self.system != System::Windows && !matches!(last, b"bin" | b"shims" | b"condabin") {
            return None;
        }
        let names: Vec<String> = directory.components().map(readable_lower).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        if self.system == System::Windows {
            return match names.as_slice() {
                [.., "microsoft", "windowsapps"] => Some(DirectoryOwner::WindowsApps),
                [.., "programs", "python", _] | [.., "programs", "python", _, "scripts"] => {
                    Some(DirectoryOwner::PythonOrg)
                }
                ["windows", ..] => Some(DirectoryOwner::System),
                _ => None,
            };
        }
        if names.last() == Some(&"condabin") {
            return Some(DirectoryOwner::Conda);
        }
        // a root that no variable names any more
        match names.as_slice() {
            [.., ".pyenv", "shims"] => Some(DirectoryOwner::PyenvShims),
            [.., ".pyenv", "versions", _, "bin"] => Some(DirectoryOwner::PyenvVersion),
            [.., ".asdf", "shims"] => Some(DirectoryOwner::AsdfShims),
            [.., "mise", "shims"] => Some(DirectoryOwner::MiseShims),
            [.., "mise", "installs", "python", _, "bin"] => Some(DirectoryOwner::MiseInstall),
            [.., "uv", "python", _, "bin"] => Some(DirectoryOwner::UvPython),
            _ => None,
        }
    }
}

fn readable_lower(name: &[u8]) -> String {
    crate::path::readable(name).to_ascii_lowercase()
}
