//! Who installed a Python, by the place where it lies.

use crate::path::{HostPath, readable};

/// Who installs Pythons at such a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PythonOwner {
    /// With the version: `3.11.5`.
    Pyenv(String),
    /// With the formula, and the version where the path leads into its keg: `python@3.11 3.11.5`.
    Homebrew(String),
    /// With the build: `cpython-3.11.5-linux-x86_64-gnu`.
    Uv(String),
    Asdf(String),
    Mise(String),
    Rye(String),
    /// What GitHub's and Azure's runners bring along.
    HostedToolCache(String),
    /// The installer from python.org.
    PythonOrg(String),
    CommandLineTools,
    Xcode,
    Conda,
    Nix(String),
    MicrosoftStore,
    /// Another environment: its root.
    Venv(HostPath),
    /// Where container images keep theirs, as do Pythons that were built from source.
    Container,
    System,
}

impl PythonOwner {
    /// Judged by the path alone: it need not exist.
    pub fn of(path: &HostPath) -> Option<PythonOwner> {
        let names: Vec<String> = path.components().map(|name| readable(name).into_owned()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        by_marker(&names).or_else(|| match names.as_slice() {
            [.., root, "bin" | "Scripts", _] if matches!(*root, ".venv" | "venv" | "env" | ".env") => {
                path.parent().and_then(|directory| directory.parent()).map(PythonOwner::Venv)
            }
            ["app" | "workspace" | "workspaces" | "code" | "venv", ..]
            | ["usr", "src", ..]
            | ["usr", "local", "bin", _] => Some(PythonOwner::Container),
            ["usr", "bin", _] | ["bin", _] => Some(PythonOwner::System),
            _ => None,
        })
    }

    pub fn label(&self) -> String {
        match self {
            PythonOwner::Pyenv(version) => format!("pyenv's Python {version}"),
            PythonOwner::Homebrew(formula) => format!("Homebrew's {formula}"),
            PythonOwner::Uv(build) => format!("uv's {build}"),
            PythonOwner::Asdf(version) => format!("asdf's Python {version}"),
            PythonOwner::Mise(version) => format!("mise's Python {version}"),
            PythonOwner::Rye(build) => format!("Rye's {build}"),
            PythonOwner::HostedToolCache(version) => format!("the hosted tool cache's Python {version}"),
            PythonOwner::PythonOrg(version) => format!("python.org's Python {version}"),
            PythonOwner::CommandLineTools => "Apple's command line tools".to_owned(),
            PythonOwner::Xcode => "Xcode".to_owned(),
            PythonOwner::Conda => "conda".to_owned(),
            PythonOwner::Nix(package) => format!("Nix's {package}"),
            PythonOwner::MicrosoftStore => "the Microsoft Store".to_owned(),
            PythonOwner::Venv(root) => format!("the environment {root}"),
            PythonOwner::Container => "a container image, or a Python built from source".to_owned(),
            PythonOwner::System => "the system".to_owned(),
        }
    }
}

fn by_marker(names: &[&str]) -> Option<PythonOwner> {
    (0..names.len()).find_map(|at| match &names[at..] {
        ["Cellar", formula, version, ..] => Some(PythonOwner::Homebrew(format!("{formula} {version}"))),
        ["opt", formula, ..] if formula.starts_with("python@") => {
            Some(PythonOwner::Homebrew((*formula).to_owned()))
        }
        [manager, "versions", version, ..] if manager.contains("pyenv") => {
            Some(PythonOwner::Pyenv((*version).to_owned()))
        }
        ["uv", "python", build, ..] => Some(PythonOwner::Uv((*build).to_owned())),
        ["asdf" | ".asdf", "installs", "python", version, ..] => {
            Some(PythonOwner::Asdf((*version).to_owned()))
        }
        ["mise" | "rtx", "installs", "python", version, ..] => Some(PythonOwner::Mise((*version).to_owned())),
        [".rye", "py", build, ..] => Some(PythonOwner::Rye((*build).to_owned())),
        ["hostedtoolcache", _, "Python", version, ..] | ["hostedtoolcache", "Python", version, ..] => {
            Some(PythonOwner::HostedToolCache((*version).to_owned()))
        }
        ["CommandLineTools", ..] => Some(PythonOwner::CommandLineTools),
        ["Xcode.app", ..] => Some(PythonOwner::Xcode),
        ["Python.framework", "Versions", version, ..] | ["Programs", "Python", version, ..] => {
            Some(PythonOwner::PythonOrg((*version).to_owned()))
        }
        ["WindowsApps", ..] => Some(PythonOwner::MicrosoftStore),
        ["nix", "store", package, ..] if at == 0 => Some(PythonOwner::Nix((*package).to_owned())),
        [name, _, ..] if is_conda_root(name) => Some(PythonOwner::Conda),
        _ => None,
    })
}

fn is_conda_root(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["miniconda", "anaconda", "miniforge", "mambaforge", "micromamba"]
        .iter()
        .any(|known| name.trim_start_matches('.').starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_whose_python_a_path_is() {
        let owner = |path: &str| PythonOwner::of(&HostPath::posix(path)).map(|owner| owner.label());
        let expected = |text: &str| Some(text.to_owned());
        assert_eq!(
            owner("/home/me/.pyenv/versions/3.11.5/bin/python3.11"),
            expected("pyenv's Python 3.11.5")
        );
        assert_eq!(
            owner(
                "/opt/homebrew/Cellar/python@3.11/3.11.5/Frameworks/Python.framework/Versions/3.11/bin/python3.11"
            ),
            expected("Homebrew's python@3.11 3.11.5")
        );
        assert_eq!(owner("/usr/local/opt/python@3.12/bin/python3.12"), expected("Homebrew's python@3.12"));
        assert_eq!(
            owner("/home/me/.local/share/uv/python/cpython-3.12.1-linux-x86_64-gnu/bin/python3.12"),
            expected("uv's cpython-3.12.1-linux-x86_64-gnu")
        );
        assert_eq!(
            owner("/opt/hostedtoolcache/Python/3.9.18/x64/bin/python3"),
            expected("the hosted tool cache's Python 3.9.18")
        );
        assert_eq!(
            owner("/Library/Frameworks/Python.framework/Versions/3.11/bin/python3.11"),
            expected("python.org's Python 3.11")
        );
        assert_eq!(
            owner(
                "/Library/Developer/CommandLineTools/Library/Frameworks/Python3.framework/Versions/3.9/bin/python3"
            ),
            expected("Apple's command line tools")
        );
        assert_eq!(owner("/work/a/.venv/bin/python"), expected("the environment /work/a/.venv"));
        assert_eq!(owner("/home/me/miniconda3/envs/x/bin/python"), expected("conda"));
        assert_eq!(owner("/srv/python/bin/python3"), None);
    }
}
