//! What a version manager's shim would run, read from files alone: nothing is started.

use std::cmp::Ordering;

use super::{Search, state};
use crate::facts::search_path::{Absent, DirectoryOwner, HitState, ShimManager, Target};
use crate::host::{FileKind, Host};
use crate::path::{Flavour, HostPath, readable};

/// A choice of versions, and where it stands.
struct Choice {
    versions: Vec<String>,
    /// `PYENV_VERSION`, or the file.
    source: String,
}

impl Choice {
    /// Why none of these versions runs the command, of which some may be `missing`.
    fn refused(&self, missing: &[&str], name: &str) -> Problem {
        let (noun, has) = if self.versions.len() == 1 { ("version", "has") } else { ("versions", "have") };
        let is = if missing.len() == 1 { "is" } else { "are" };
        let chosen = format!("{noun} {} (set by {})", self.versions.join(", "), self.source);
        if !missing.is_empty() && missing.len() == self.versions.len() {
            let absent = Absent { versions: self.versions.clone(), set_by: self.source.clone() };
            return Problem { text: format!("{chosen} {is} not installed"), absent: Some(absent) };
        }
        let text = match missing {
            [] => format!("{chosen} {has} no {name}"),
            _ => format!("{chosen} {has} no {name}, and {} {is} not installed", missing.join(", ")),
        };
        Problem { text, absent: None }
    }
}

/// Why a shim does not run what it is to run.
struct Problem {
    text: String,
    absent: Option<Absent>,
}

impl Search<'_> {
    /// `root` is the directory that holds `shims` and the installed versions.
    pub fn shim(&self, manager: ShimManager, root: &HostPath, name: &str, depth: usize) -> Target {
        match manager {
            ShimManager::Pyenv => self.pyenv(root, name, depth),
            ShimManager::Asdf | ShimManager::Mise => self.asdf_or_mise(manager, root, name, depth),
        }
    }

    /// By `pyenv-which` and `pyenv-version-name`: `PYENV_VERSION`, else the nearest `.python-version` upwards from
    /// the working directory, else `$PYENV_ROOT/version`, else `system`. Of several versions the first that has the
    /// command runs it; one that is not installed is passed over in silence. Where none has it, pyenv 2.6 takes
    /// what the system has, which older ones refuse.
    fn pyenv(&self, root: &HostPath, name: &str, depth: usize) -> Target {
        let choice = self.pyenv_choice(root);
        let versions = root.join("versions");
        let installed = directories(self.host, &versions);
        let system = || self.runnable(name, Some(DirectoryOwner::PyenvShims)).map(|found| found.path);
        let mut missing: Vec<&str> = Vec::new();
        for written in &choice.versions {
            let found = if written == "system" {
                system().map(|file| (written.clone(), file))
            } else if let Some(version) = self.pyenv_version(&versions, &installed, written) {
                self.program_in(&versions.join(&version), name).map(|file| (version, file))
            } else {
                missing.push(written);
                None
            };
            if let Some((version, program)) = found {
                return self.runs(ShimManager::Pyenv, Some(version), program, None, name, depth);
            }
        }
        let mut problem = choice.refused(&missing, name);
        if self.falls_back_to_system(root)
            && let Some(program) = system()
        {
            problem.text += &format!(", so pyenv takes the system's {name}");
            let problem = Some(problem).filter(|_| !missing.is_empty());
            let version = Some("system".to_owned());
            return self.runs(ShimManager::Pyenv, version, program, problem, name, depth);
        }
        let having: Vec<&str> = installed
            .iter()
            .filter(|version| self.program_in(&versions.join(version), name).is_some())
            .map(String::as_str)
            .collect();
        problem.text += &match having.is_empty() {
            true => format!("; no installed version has {name}"),
            false => format!("; versions that have {name}: {}", having.join(", ")),
        };
        refuses(ShimManager::Pyenv, Some(choice.versions.join(":")), problem)
    }

    /// Whether this pyenv tries `system` last; unless its own text says otherwise, it is taken for a current one.
    fn falls_back_to_system(&self, root: &HostPath) -> bool {
        self.host.text(&root.join("libexec/pyenv-which")).is_none_or(|text| text.contains("\"$system\""))
    }

    /// The installed version for a written one; `3.12.1/envs/name` is one of pyenv-virtualenv's.
    fn pyenv_version(&self, versions: &HostPath, installed: &[String], written: &str) -> Option<String> {
        if written.contains('/') && !written.starts_with('/') && !written.split('/').any(|part| part == "..")
        {
            return self.host.is_directory(&versions.join(written)).then(|| written.to_owned());
        }
        installed_version(installed, written)
            .or_else(|| installed_version(installed, written.strip_prefix("python-")?))
    }

    fn pyenv_choice(&self, root: &HostPath) -> Choice {
        if let Some(value) = self.host.text_variable("PYENV_VERSION") {
            let versions: Vec<String> =
                value.split(':').filter(|word| !word.is_empty()).map(str::to_owned).collect();
            if !versions.is_empty() {
                return Choice { versions, source: "PYENV_VERSION".to_owned() };
            }
        }
        let start = self.host.path_variable("PYENV_DIR");
        let here = self.host.working_directory().ok();
        let local = start
            .iter()
            .chain(&here)
            .flat_map(HostPath::ancestors)
            .map(|directory| directory.join(".python-version"))
            .find(|file| self.host.is_file(file));
        // the first file that exists decides, also when it names nothing
        let file = local.unwrap_or_else(|| root.join("version"));
        let text = self.host.text(&file).unwrap_or_default();
        let versions: Vec<String> = text
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .filter(|word| !word.starts_with('#'))
            .map(str::to_owned)
            .collect();
        match versions.is_empty() {
            true => Choice { versions: vec!["system".to_owned()], source: "pyenv's default".to_owned() },
            false => Choice { versions, source: file.to_text().into_owned() },
        }
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
                (ShimManager::Mise, Some(found)) => self.runs(manager, None, found.path, None, name, depth),
                (ShimManager::Asdf, _) => {
                    let text = format!("no version of Python is set for {name}");
                    refuses(manager, None, Problem { text, absent: None })
                }
                _ => Target::Unknown,
            };
        };
        let installed = directories(self.host, &installs);
        let mut absent = Vec::new();
        for written in &choice.versions {
            if written == "system" {
                if let Some(found) = self.runnable(name, Some(owner)) {
                    return self.runs(manager, Some(written.clone()), found.path, None, name, depth);
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
                return self.runs(manager, Some(prefix.name().into_owned()), file, None, name, depth);
            }
        }
        let problem = choice.refused(&absent, name);
        refuses(manager, Some(choice.versions.join(" ")), problem)
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
        problem: Option<Problem>,
        name: &str,
        depth: usize,
    ) -> Target {
        let next = self.follow(&program, HitState::Runnable, None, name, depth + 1);
        shim(manager, version, Some(program), next.environment().cloned(), problem)
    }
}

fn refuses(manager: ShimManager, version: Option<String>, problem: Problem) -> Target {
    shim(manager, version, None, None, Some(problem))
}

fn shim(
    manager: ShimManager,
    version: Option<String>,
    program: Option<HostPath>,
    environment: Option<HostPath>,
    problem: Option<Problem>,
) -> Target {
    let (problem, absent) = problem.map(|problem| (Some(problem.text), problem.absent)).unwrap_or_default();
    Target::Shim { manager, version, program, environment, problem, absent }
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
/// prefix; a `t` at the end asks for a free-threaded one (`pyenv-latest`).
fn installed_version(installed: &[String], written: &str) -> Option<String> {
    if installed.iter().any(|version| version == written) {
        return Some(written.to_owned());
    }
    let threaded = |version: &str| {
        version.strip_suffix('t').is_some_and(|rest| rest.ends_with(|c: char| c.is_ascii_digit()))
    };
    let wanted = threaded(written);
    let prefix = if wanted { &written[..written.len() - 1] } else { written };
    let candidates: Vec<String> =
        installed.iter().filter(|version| threaded(version) == wanted).cloned().collect();
    newest(&candidates, prefix, &['.', '-'])
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
    let unreleased = |version: &str| {
        let stem = version.trim_end_matches(|c: char| c.is_ascii_digit());
        ["-dev", "-src", "-latest"].iter().any(|word| version.ends_with(word))
            || (stem.len() < version.len() && ["a", "b", "rc"].iter().any(|mark| stem.ends_with(mark)))
    };
    let begins =
        |version: &str| version.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(separators));
    installed.iter().rfind(|version| begins(version) && !unreleased(version)).cloned()
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
        let installed = all(&[
            "3.12.10",
            "3.12.9",
            "3.9.1",
            "3.12-dev",
            "3.13.0rc1",
            "3.1.5",
            "3.13.0t",
            "pypy3.10-7.3.12",
        ]);
        assert_eq!(installed_version(&installed, "3.12").as_deref(), Some("3.12.10"));
        assert_eq!(installed_version(&installed, "3.1").as_deref(), Some("3.1.5"));
        assert_eq!(installed_version(&installed, "3.12.9").as_deref(), Some("3.12.9"));
        assert_eq!(installed_version(&installed, "3.13"), None);
        assert_eq!(installed_version(&installed, "3.13t").as_deref(), Some("3.13.0t"));
        assert_eq!(installed_version(&installed, "cpython-3.12.10"), None);
        assert_eq!(installed_version(&installed, "pypy3.10").as_deref(), Some("pypy3.10-7.3.12"));
        assert_eq!(tool_version(&installed, "3.12", ShimManager::Asdf), None);
        assert_eq!(tool_version(&installed, "3.12", ShimManager::Mise).as_deref(), Some("3.12.10"));
    }

    #[test]
    fn reads_the_files_of_asdf_and_mise() {
        let text = "# tools\nnodejs 20\npython 3.12.1 system # both\n";
        assert_eq!(tool_versions(text), Some(vec!["3.12.1".to_owned(), "system".to_owned()]));
        assert_eq!(tool_versions("pythonx 3"), None);
        assert_eq!(mise_versions("[tools]\npython = '3.12'"), Some(vec!["3.12".to_owned()]));
        let text = "[tools]\npython = ['3.12', {version = '3.11'}]";
        assert_eq!(mise_versions(text), Some(vec!["3.12".to_owned(), "3.11".to_owned()]));
        assert_eq!(mise_versions("[tools]\nnode = '20'"), None);
        assert_eq!(mise_versions("not toml ="), None);
    }
}
