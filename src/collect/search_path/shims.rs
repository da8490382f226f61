//! What a version manager's shim would run, read from files alone: nothing is started.

use std::cmp::Ordering;

use super::{Search, state};
use crate::facts::search_path::{DirectoryOwner, HitState, ShimManager, Target};
use crate::host::{FileKind, Host};
use crate::path::{Flavour, HostPath, readable};

/// A choice of versions, and where it stands.
struct Choice {
    versions: Vec<String>,
    /// `PYENV_VERSION`, or the file.
    source: String,
}

impl Search<'_> {
    /// `root` is the directory that holds `shims` and the installed versions.
    pub fn shim(&self, manager: ShimManager, root: &HostPath, name: &str, depth: usize) -> Target {
        match manager {
            ShimManager::Pyenv => self.pyenv(root, name, depth),
            ShimManager::Asdf | ShimManager::Mise => self.asdf_or_mise(manager, root, name, depth),
        }
    }

    /// By `pyenv-version-name` and `pyenv-which`: `PYENV_VERSION`, else the nearest `.python-version` upwards
    /// from the working directory, else `$PYENV_ROOT/version`, else `system`. Of several versions the first
    /// that has the command runs it; one that is not installed ends the search with an error.
    fn pyenv(&self, root: &HostPath, name: &str, depth: usize) -> Target {
        let choice = self.pyenv_choice(root);
        let versions = root.join("versions");
        let installed = directories(self.host, &versions);
        let mut missing = Vec::new();
        let mut chosen: Option<(String, HostPath)> = None;
        for written in &choice.versions {
            if written == "system" {
                let found = self.runnable(name, Some(DirectoryOwner::PyenvShims));
                if let (None, Some(found)) = (&chosen, found) {
                    chosen = Some((written.clone(), found.path));
                }
                continue;
            }
            let Some(version) = installed_version(&installed, written) else {
                missing.push(written.clone());
                continue;
            };
            let file = self.program_in(&versions.join(&version), name);
            if let (None, Some(file)) = (&chosen, file) {
                chosen = Some((version, file));
            }
        }
        let having = || -> String {
            let having: Vec<&str> = installed
                .iter()
                .filter(|version| self.program_in(&versions.join(version), name).is_some())
                .map(String::as_str)
                .collect();
            match having.is_empty() {
                true => format!("no installed version has {name}"),
                false => format!("versions that have {name}: {}", having.join(", ")),
            }
        };
        let source = &choice.source;
        let problem = match (missing.as_slice(), &chosen) {
            ([], Some(_)) => None,
            ([], None) => {
                let written = choice.versions.join(":");
                Some(format!("version {written} (set by {source}) has no {name}; {}", having()))
            }
            ([version], _) => {
                Some(format!("version {version} (set by {source}) is not installed; {}", having()))
            }
            (versions, _) => {
                let versions = versions.join(", ");
                Some(format!("versions {versions} (set by {source}) are not installed; {}", having()))
            }
        };
        let written = Some(choice.versions.join(":"));
        match chosen.filter(|_| problem.is_none()) {
            Some((version, program)) => self.runs(ShimManager::Pyenv, Some(version), program, name, depth),
            None => refuses(ShimManager::Pyenv, written, problem),
        }
    }

    fn pyenv_choice(&self, root: &HostPath) -> Choice {
        let words = |text: &str| -> Vec<String> {
            text.split(':').filter(|word| !word.is_empty()).map(without_python_prefix).collect()
        };
        if let Some(value) = self.host.text_variable("PYENV_VERSION") {
            let versions = words(&value);
            if !versions.is_empty() {
                return Choice { versions, source: "PYENV_VERSION".to_owned() };
            }
        }
        let files = self.upwards(".python-version").chain([root.join("version")]);
        for file in files {
            let Some(text) = self.host.text(&file) else { continue };
            let versions: Vec<String> = text
                .lines()
                .filter_map(|line| line.split('#').next()?.split_whitespace().next())
                .map(without_python_prefix)
                .collect();
            if !versions.is_empty() {
                return Choice { versions, source: file.to_text().into_owned() };
            }
        }
        Choice { versions: vec!["system".to_owned()], source: "pyenv's default".to_owned() }
    }

    /// By asdf's and mise's own files as far as they tell. mise runs the next program on the search path where
    /// no version is set; asdf refuses.
    fn asdf_or_mise(&self, manager: ShimManager, root: &HostPath, name: &str, depth: usize) -> Target {
        let installs = root.join("installs").join("python");
        let owner = match manager {
            ShimManager::Asdf => DirectoryOwner::AsdfShims,
            _ => DirectoryOwner::MiseShims,
        };
        let Some(choice) = self.tool_choice(manager) else {
            return match (manager, self.runnable(name, Some(owner))) {
                (ShimManager::Mise, Some(found)) => self.runs(manager, None, found.path, name, depth),
                (ShimManager::Asdf, _) => {
                    refuses(manager, None, Some(format!("no version of Python is set for {name}")))
                }
                _ => Target::Unknown,
            };
        };
        let installed = directories(self.host, &installs);
        let mut absent = Vec::new();
        for written in &choice.versions {
            if written == "system" {
                if let Some(found) = self.runnable(name, Some(owner)) {
                    return self.runs(manager, Some(written.clone()), found.path, name, depth);
                }
                continue;
            }
            let prefix = match written.strip_prefix("path:") {
                Some(path) => HostPath::new(self.host.platform().flavour(), path),
                None => tool_version(&installed, written, manager).map(|version| installs.join(version)),
            };
            let Some(prefix) = prefix else {
                absent.push(written.as_str());
                continue;
            };
            if let Some(file) = self.program_in(&prefix, name) {
                return self.runs(manager, Some(prefix.name().into_owned()), file, name, depth);
            }
        }
        let versions = choice.versions.join(" ");
        let what = if absent.is_empty() { format!("has no {name}") } else { "is not installed".to_owned() };
        let problem = format!("version {versions} (set by {}) {what}", choice.source);
        refuses(manager, Some(versions), Some(problem))
    }

    fn tool_choice(&self, manager: ShimManager) -> Option<Choice> {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let variable = match manager {
            ShimManager::Asdf => "ASDF_PYTHON_VERSION",
            _ => "MISE_PYTHON_VERSION",
        };
        if let Some(value) = self.host.text_variable(variable) {
            return Some(Choice { versions: words(&value), source: variable.to_owned() });
        }
        const MISE: &[&str] = &[
            "mise.local.toml",
            ".mise.local.toml",
            "mise.toml",
            ".mise.toml",
            "mise/config.toml",
            ".mise/config.toml",
            ".config/mise.toml",
            ".config/mise/config.toml",
            ".tool-versions",
        ];
        let names = if manager == ShimManager::Mise { MISE } else { &[".tool-versions"] };
        let here = self.host.working_directory().ok();
        let mut files: Vec<HostPath> = here
            .iter()
            .flat_map(HostPath::ancestors)
            .flat_map(|directory| names.iter().map(move |name| directory.join(name)))
            .collect();
        if let Some(home) = self.host.home() {
            if manager == ShimManager::Mise {
                let config =
                    self.host.path_variable("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
                files.push(config.join("mise/config.toml"));
            }
            files.push(home.join(".tool-versions"));
        }
        files.into_iter().find_map(|file| {
            let text = self.host.text(&file)?;
            let versions =
                if file.name().ends_with(".toml") { mise_versions(&text) } else { tool_versions(&text) }?;
            Some(Choice { versions, source: file.to_text().into_owned() })
        })
    }

    /// A file of this name in the working directory and in each one above it, nearest first.
    fn upwards(&self, name: &'static str) -> impl Iterator<Item = HostPath> + use<> {
        let here: Vec<HostPath> =
            self.host.working_directory().ok().iter().flat_map(HostPath::ancestors).collect();
        here.into_iter().map(move |directory| directory.join(name))
    }

    /// The program of that name in an installation, where it can be run.
    fn program_in(&self, prefix: &HostPath, name: &str) -> Option<HostPath> {
        let directories = match self.host.platform().flavour() {
            Flavour::Posix => vec![prefix.join("bin")],
            Flavour::Windows => vec![prefix.clone(), prefix.join("Scripts")],
        };
        directories
            .iter()
            .flat_map(|directory| {
                super::files_for(&self.endings, name).into_iter().map(|file| directory.join(file))
            })
            .find(|file| state(self.host, file, None) == Some(HitState::Runnable))
    }

    fn runs(
        &self,
        manager: ShimManager,
        version: Option<String>,
        program: HostPath,
        name: &str,
        depth: usize,
    ) -> Target {
        let next = self.follow(&program, HitState::Runnable, None, name, depth + 1);
        let environment = next.environment().cloned();
        Target::Shim { manager, version, program: Some(program), environment, problem: None }
    }
}

fn refuses(manager: ShimManager, version: Option<String>, problem: Option<String>) -> Target {
    Target::Shim { manager, version, program: None, environment: None, problem }
}

/// pyenv takes `python-3.12` for `3.12`.
fn without_python_prefix(word: &str) -> String {
    word.strip_prefix("python-").unwrap_or(word).to_owned()
}

/// Names of the directories (and links to some) in a directory.
fn directories(host: &dyn Host, path: &HostPath) -> Vec<String> {
    let listing = host.list(path).unwrap_or_default();
    let mut names: Vec<String> = listing
        .entries
        .iter()
        .filter(|entry| matches!(entry.kind, FileKind::Directory | FileKind::Link))
        .map(|entry| readable(&entry.name).into_owned())
        .collect();
    names.sort_by(|left, right| by_version(left, right));
    names
}

/// The installed version that pyenv takes for a written one: itself, else the newest release of which it is a
/// prefix (`pyenv-latest`).
fn installed_version(installed: &[String], written: &str) -> Option<String> {
    if installed.iter().any(|version| version == written) {
        return Some(written.to_owned());
    }
    newest(installed, written, &['.', '-'])
}

/// asdf wants the exact version; mise takes the newest that begins like it.
fn tool_version(installed: &[String], written: &str, manager: ShimManager) -> Option<String> {
    if installed.iter().any(|version| version == written) {
        return Some(written.to_owned());
    }
    match (manager, written) {
        (ShimManager::Mise, "latest") => {
            installed.iter().rfind(|version| version.starts_with(|c: char| c.is_ascii_digit())).cloned()
        }
        (ShimManager::Mise, _) => {
            newest(installed, written.strip_prefix("prefix:").unwrap_or(written), &['.'])
        }
        _ => None,
    }
}

fn newest(installed: &[String], prefix: &str, separators: &[char]) -> Option<String> {
    // development versions and pre-releases are never taken for a release
    let unreleased = |rest: &str| {
        ["dev", "src", "latest"].iter().any(|word| rest.ends_with(word))
            || rest.contains(|c: char| matches!(c, 'a' | 'b'))
            || rest.contains("rc")
    };
    installed
        .iter()
        .rfind(|version| {
            version.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(separators) && !unreleased(rest))
        })
        .cloned()
}

/// Numbers by value, everything else by letter: `3.9` before `3.12`.
fn by_version(left: &str, right: &str) -> Ordering {
    let parts = |text: &str| -> Vec<(u64, String)> {
        text.split(['.', '-'])
            .map(|part| {
                let digits = part.chars().take_while(char::is_ascii_digit).count();
                (part[..digits].parse().unwrap_or(0), part[digits..].to_owned())
            })
            .collect()
    };
    parts(left).cmp(&parts(right))
}

/// The line `python 3.12.1 3.11.0 system` of a `.tool-versions`.
fn tool_versions(text: &str) -> Option<Vec<String>> {
    text.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let versions: Vec<String> =
            words.next().filter(|tool| *tool == "python").map(|_| words.map(str::to_owned).collect())?;
        (!versions.is_empty()).then_some(versions)
    })
}

/// `[tools] python = "3.12"`, a list of versions, or a table with `version`.
fn mise_versions(text: &str) -> Option<Vec<String>> {
    let document: toml::Table = text.parse().ok()?;
    let tools = document.get("tools")?;
    let python = tools.get("python").or_else(|| tools.get("core:python"))?;
    fn version(value: &toml::Value) -> Option<String> {
        let value = value.get("version").unwrap_or(value);
        value.as_str().map(str::to_owned)
    }
    let versions: Vec<String> = match python {
        toml::Value::Array(values) => values.iter().filter_map(version).collect(),
        value => version(value).into_iter().collect(),
    };
    (!versions.is_empty()).then_some(versions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(names: &[&str]) -> Vec<String> {
        let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        names.sort_by(|left, right| by_version(left, right));
        names
    }

    #[test]
    fn prefixes_take_the_newest_release() {
        let installed =
            all(&["3.12.10", "3.12.9", "3.9.1", "3.12-dev", "3.13.0rc1", "3.1.5", "pypy3.10-7.3.12"]);
        assert_eq!(installed_version(&installed, "3.12").as_deref(), Some("3.12.10"));
        assert_eq!(installed_version(&installed, "3.1").as_deref(), Some("3.1.5"));
        assert_eq!(installed_version(&installed, "3.12.9").as_deref(), Some("3.12.9"));
        assert_eq!(installed_version(&installed, "3.13"), None);
        assert_eq!(installed_version(&installed, "cpython-3.12.10"), None);
        assert_eq!(installed_version(&installed, "pypy3.10").as_deref(), Some("pypy3.10-7.3.12"));
        assert_eq!(tool_version(&installed, "3.12", ShimManager::Asdf), None);
        assert_eq!(tool_version(&installed, "3.12", ShimManager::Mise).as_deref(), Some("3.12.10"));
    }

    #[test]
    fn reads_the_files_of_asdf_and_mise() {
        let text = "# tools\nnodejs 20\npython 3.12.1 system # both\n";
        assert_eq!(tool_versions(text), Some(all(&["3.12.1", "system"])));
        assert_eq!(tool_versions("pythonx 3"), None);
        assert_eq!(mise_versions("[tools]\npython = '3.12'"), Some(vec!["3.12".to_owned()]));
        let text = "[tools]\npython = ['3.12', {version = '3.11'}]";
        assert_eq!(mise_versions(text), Some(vec!["3.12".to_owned(), "3.11".to_owned()]));
        assert_eq!(mise_versions("[tools]\nnode = '20'"), None);
        assert_eq!(mise_versions("not toml ="), None);
    }
}
