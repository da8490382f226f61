//! Kernels, editors' settings, applications' environments, git hooks: what names an interpreter.

use serde_json::Value;

use super::{execution_policy, interpreter, links, places::Places};
use crate::facts::interpreter::{LinkChain, LinkEnd};
use crate::facts::platform::System;
use crate::facts::project::Project;
use crate::facts::search_path::SearchPath;
use crate::facts::tools::*;
use crate::host::Host;
use crate::parse::jsonc;
use crate::path::{Flavour, HostPath, readable};

/// So many entries of one directory are followed.
const MOST: usize = 300;
const MOST_NOTEBOOKS: usize = 10;
const NOTEBOOK_LIMIT: usize = 8 << 20;
const HOOK_LIMIT: usize = 64 << 10;
const EDITOR_KEYS: [&str; 2] = ["python.defaultInterpreterPath", "python.pythonPath"];

pub struct Reader<'a> {
    pub files: &'a dyn Host,
    pub places: Places<'a>,
    pub search_path: &'a SearchPath,
    pub project: &'a Project,
    /// The directory that was asked about.
    pub directory: Option<&'a HostPath>,
    /// Roots of the environments: kernels lie in `share/jupyter` of each.
    pub environments: Vec<HostPath>,
}

impl Reader<'_> {
    pub fn tools(&self) -> Tools {
        Tools {
            kernels: self.kernels(),
            notebooks: self.notebooks(),
            editor_settings: self.editor_settings(),
            broken_applications: self.broken_applications(),
            git_hooks: self.git_hooks(),
            broken_hook_environments: self.broken_hook_environments(),
            store_alias: self.store_alias(),
            execution_policy: self.execution_policy(PowerShellEdition::Core),
            windows_execution_policy: self.execution_policy(PowerShellEdition::Windows),
        }
    }

    fn flavour(&self) -> Flavour {
        match self.places.system {
            System::Windows => Flavour::Windows,
            _ => Flavour::Posix,
        }
    }

    fn names(&self, directory: &HostPath) -> Vec<HostPath> {
        let listing = self.files.list(directory).unwrap_or_default();
        listing.entries.into_iter().take(MOST).map(|entry| directory.join(entry.name)).collect()
    }

    /// `jupyter_core.paths.jupyter_path()`.
    fn kernel_directories(&self) -> Vec<HostPath> {
        let flavour = self.flavour();
        let separator = char::from(flavour.list_separator());
        let listed = self.places.set("JUPYTER_PATH").unwrap_or_default();
        let mut roots: Vec<HostPath> =
            listed.split(separator).filter_map(|entry| HostPath::new(flavour, entry)).collect();
        roots.extend(self.places.path("JUPYTER_DATA_DIR").or_else(|| match self.places.system {
            System::MacOs => self.places.in_home("Library/Jupyter"),
            System::Windows => self.places.path("APPDATA").map(|path| path.join("jupyter")),
            _ => self.places.data_home().map(|data| data.join("jupyter")),
        }));
        roots.extend(self.environments.iter().map(|root| root.join("share").join("jupyter")));
        match self.places.system {
            System::Windows => roots.extend(self.places.path("PROGRAMDATA").map(|path| path.join("jupyter"))),
            _ => roots.extend(["/usr/local/share/jupyter", "/usr/share/jupyter"].map(HostPath::posix)),
        }
        roots.into_iter().map(|root| root.join("kernels")).collect()
    }

    /// Jupyter's kernels that run Python.
    pub fn kernels(&self) -> Vec<Kernel> {
        let mut found: Vec<Kernel> = Vec::new();
        for directory in self.kernel_directories() {
            for place in self.names(&directory) {
                let file = place.join("kernel.json");
                if !found.iter().any(|known| known.file.same_as(&file)) {
                    found.extend(self.kernel(&place, file));
                }
            }
        }
        found
    }

    fn kernel(&self, place: &HostPath, file: HostPath) -> Option<Kernel> {
        let value: Value = serde_json::from_str(&self.files.text(&file)?).ok()?;
        let first = value.get("argv")?.get(0)?.as_str()?;
        let language = value.get("language").and_then(Value::as_str);
        if !language.is_none_or(|language| language.eq_ignore_ascii_case("python")) {
            return None;
        }
        // "python" is the server's own interpreter
        let interpreter = HostPath::new(self.flavour(), first)?;
        let chain = links::chain(self.files, &interpreter);
        Some(Kernel {
            name: place.name().into_owned(),
            file,
            exists: !matches!(chain.end, LinkEnd::Missing | LinkEnd::Loop),
            environment: interpreter::environment_of(self.files, &interpreter, &chain),
            interpreter,
        })
    }

    fn notebooks(&self) -> Vec<Notebook> {
        let Some(root) = self.project.root.as_ref() else { return Vec::new() };
        self.names(root)
            .into_iter()
            .filter(|path| path.name().ends_with(".ipynb"))
            .take(MOST_NOTEBOOKS)
            .filter_map(|file| {
                let contents = self.files.read(&file, NOTEBOOK_LIMIT).ok()?;
                let value: Value = serde_json::from_slice(&contents.bytes).ok()?;
                let kernel = value.get("metadata")?.get("kernelspec")?.get("name")?.as_str()?.to_owned();
                Some(Notebook { file, kernel })
            })
            .collect()
    }

    fn editor_settings(&self) -> Vec<EditorSetting> {
        let Some(root) = self.project.root.as_ref().or(self.directory) else { return Vec::new() };
        let mut found = self.settings_of(root, root.join(".vscode/settings.json"), false);
        for file in self.names(root).into_iter().filter(|path| path.name().ends_with(".code-workspace")) {
            found.extend(self.settings_of(root, file, true));
        }
        found
    }

    fn settings_of(&self, workspace: &HostPath, file: HostPath, nested: bool) -> Vec<EditorSetting> {
        let Some(text) = self.files.text(&file) else { return Vec::new() };
        let Some(value) = jsonc::parse(&text) else { return Vec::new() };
        let settings = if nested { value.get("settings") } else { Some(&value) };
        let keys = EDITOR_KEYS.iter().filter_map(|key| Some((*key, settings?.get(*key)?.as_str()?)));
        keys.filter_map(|(key, raw)| {
            let path = self.expand(workspace, raw)?;
            Some(EditorSetting {
                line: jsonc::line_of(&text, key),
                key: key.to_owned(),
                text: raw.to_owned(),
                exists: self.files.exists(&path),
                file: file.clone(),
                path,
            })
        })
        .collect()
    }

    /// The editor's own variables; None where another one stands there, or a bare name.
    fn expand(&self, workspace: &HostPath, raw: &str) -> Option<HostPath> {
        let folder = workspace.to_text();
        let mut text = raw.replace("${workspaceFolder}", &folder).replace("${workspaceRoot}", &folder);
        if let Some(home) = self.places.home {
            text = text.replace("${userHome}", &home.to_text());
            if let Some(rest) = text.strip_prefix("~/") {
                text = home.join(rest).to_text().into_owned();
            }
        }
        while let Some((before, rest)) = text.split_once("${env:") {
            let (name, after) = rest.split_once('}')?;
            text = format!("{before}{}{after}", self.places.set(name)?);
        }
        if text.contains("${") || text.is_empty() {
            return None;
        }
        let has_directory = text.contains('/') || self.flavour() == Flavour::Windows && text.contains('\\');
        let path = HostPath::new(self.flavour(), text.as_str());
        path.or_else(|| has_directory.then(|| workspace.join(&text))).map(|path| path.normalized())
    }

    fn broken_applications(&self) -> Vec<Application> {
        let pipx = self.places.pipx_environments().into_iter();
        let directories = pipx
            .map(|directory| (ApplicationTool::Pipx, directory))
            .chain(self.places.uv_tools().map(|directory| (ApplicationTool::Uv, directory)))
            .chain(self.tasks_and_caches());
        let mut found: Vec<Application> = Vec::new();
        for (tool, directory) in directories {
            for root in self.names(&directory) {
                // the project's own environments are examined as such
                if !found.iter().any(|known| known.root.same_as(&root))
                    && !self.environments.iter().any(|known| known.same_as(&root))
                    && let Some(links) = self.broken_interpreter(&root)
                {
                    found.push(Application { tool, name: root.name().into_owned(), root, links });
                }
            }
        }
        found
    }

    /// Where tox and nox keep their environments in the project, and poetry and pipenv those of all projects.
    fn tasks_and_caches(&self) -> Vec<(ApplicationTool, HostPath)> {
        let mut found = Vec::new();
        if let Some(root) = &self.project.root {
            found.push((ApplicationTool::Tox, root.join(".tox")));
            found.push((ApplicationTool::Nox, root.join(".nox")));
        }
        let poetry = self.places.poetry_environments();
        found.extend(poetry.map(|directory| (ApplicationTool::Poetry, directory)));
        // not `WORKON_HOME`, which virtualenvwrapper fills, too
        let pipenv = self.places.pipenv_environments();
        found.extend(pipenv.map(|directory| (ApplicationTool::Pipenv, directory)));
        found.extend(self.hatch().into_iter().map(|directory| (ApplicationTool::Hatch, directory)));
        found
    }

    /// `hatch/env/virtual/PROJECT/ID`, each of which holds environments.
    fn hatch(&self) -> Vec<HostPath> {
        let projects =
            self.places.hatch_environments().map(|directory| self.names(&directory)).unwrap_or_default();
        projects.iter().flat_map(|project| self.names(project)).take(MOST).collect()
    }

    /// The links of a venv's interpreter, where they lead to nothing.
    fn broken_interpreter(&self, root: &HostPath) -> Option<LinkChain> {
        let program = match self.flavour() {
            Flavour::Posix => root.join("bin/python"),
            Flavour::Windows => return None,
        };
        let chain = links::chain(self.files, &program);
        let gone = chain.end == LinkEnd::Missing && chain.is_link();
        (gone && self.files.is_file(&root.join("pyvenv.cfg"))).then_some(chain)
    }

    fn git_hooks(&self) -> Vec<GitHook> {
        let Some(git) = &self.project.git else { return Vec::new() };
        let common = self.files.text(&git.directory.join("commondir"));
        let shared =
            common.map_or_else(|| git.directory.clone(), |text| git.directory.join(text.trim()).normalized());
        let config = self.files.text(&shared.join("config")).unwrap_or_default();
        let configured = config.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            key.trim().eq_ignore_ascii_case("hooksPath").then(|| value.trim().trim_matches('"').to_owned())
        });
        let directory = match configured {
            Some(path) if path.starts_with("~/") => self.places.in_home(&path[2..]),
            Some(path) => Some(git.top.join(path)),
            None => Some(shared.join("hooks")),
        };
        let Some(directory) = directory else { return Vec::new() };
        let fallback = self.on_search_path("pre-commit");
        let hooks = self.names(&directory).into_iter().filter(|path| !path.name().ends_with(".sample"));
        hooks.filter_map(|file| self.git_hook(file, fallback.as_ref())).collect()
    }

    /// `pre_commit/resources/hook-tmpl` of pre-commit, and its predecessor in Python.
    fn git_hook(&self, file: HostPath, fallback: Option<&HostPath>) -> Option<GitHook> {
        let contents = self.files.read(&file, HOOK_LIMIT).ok()?;
        let text = contents.text();
        if !text.contains("File generated by pre-commit") {
            return None;
        }
        let (line, value) = text.lines().enumerate().find_map(|(index, line)| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == "INSTALL_PYTHON").then(|| (index + 1, value.trim().trim_matches(['\'', '"'])))
        })?;
        let interpreter = HostPath::new(self.flavour(), value)?;
        let exists = self.files.exists(&interpreter);
        Some(GitHook { file, line, interpreter, exists, fallback: fallback.cloned() })
    }

    fn on_search_path(&self, name: &str) -> Option<HostPath> {
        let directories = self.search_path.entries.iter().filter_map(|entry| entry.directory.as_ref());
        directories.map(|directory| directory.join(name)).find(|path| self.files.can_execute(path))
    }

    fn store_alias(&self) -> Option<StoreAlias> {
        if self.flavour() == Flavour::Windows {
            return None;
        }
        let directories = self.search_path.entries.iter().filter_map(|entry| entry.directory.as_ref());
        let mut alias = None;
        for directory in directories {
            let path = directory.join("python.exe");
            let is_apps = directory.name().eq_ignore_ascii_case("WindowsApps");
            // most directories have no such file: one look each is enough
            let size = match (is_apps, &alias) {
                (false, None) => continue,
                _ => self.files.link_metadata(&path).ok().map(|metadata| metadata.size),
            };
            match (size, alias.take()) {
                (Some(0), None) if is_apps => alias = Some(path),
                (Some(1..), Some(stub)) => return Some(StoreAlias { path: stub, behind: path }),
                (_, known) => alias = known,
            }
        }
        None
    }

    fn execution_policy(&self, edition: PowerShellEdition) -> Option<ExecutionPolicy> {
        execution_policy::execution_policy(self.files, &self.places, edition)
    }

    fn broken_hook_environments(&self) -> Vec<HookEnvironment> {
        let Some(cache) = self.places.pre_commit_cache() else { return Vec::new() };
        let repositories = self.names(&cache).into_iter().filter(|path| path.name().starts_with("repo"));
        repositories
            .flat_map(|repository| self.names(&repository))
            .filter(|root| readable(root.file_name().unwrap_or_default()).starts_with("py_env-"))
            .filter_map(|root| Some(HookEnvironment { links: self.broken_interpreter(&root)?, root }))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::project::Git;
    use crate::host::Host;
    use crate::host::fake::FakeMachine;

    fn read(machine: &FakeMachine, project: Project) -> Tools {
        let home = machine.home();
        let lookup = |name: &str| machine.text_variable(name);
        let places = Places { system: System::Linux, home: home.as_ref(), variable: &lookup };
        let search_path = crate::collect::search_path::search_path(machine, Some(b"/usr/bin"));
        Reader {
            files: machine,
            places,
            search_path: &search_path,
            project: &project,
            directory: None,
            environments: vec![machine.path("/p/.venv")],
        }
        .tools()
    }

    #[test]
    fn reads_kernels_of_python_with_a_path() {
        let machine = FakeMachine::linux()
            .file(
                "/home/me/.local/share/jupyter/kernels/old/kernel.json",
                r#"{"argv": ["/gone/bin/python", "-m", "ipykernel_launcher"], "language": "python"}"#,
            )
            .file("/p/.venv/share/jupyter/kernels/python3/kernel.json", r#"{"argv": ["python"]}"#)
            .file("/usr/share/jupyter/kernels/ir/kernel.json", r#"{"argv": ["/gone/R"], "language": "R"}"#);
        let found = read(&machine, Project::default());
        assert_eq!(found.kernels.len(), 1);
        assert!(!found.kernels[0].exists);
        assert_eq!(found.kernels[0].name, "old");
    }

    #[test]
    fn reads_editors_variables() {
        let machine = FakeMachine::linux().executable("/p/.venv/bin/python", "").variable("OTHER", "/o").file(
            "/p/.vscode/settings.json",
            "{ // why\n \"python.defaultInterpreterPath\": \"${workspaceFolder}/.venv/bin/python\",\n \"python.pythonPath\": \"${env:OTHER}/python\", }",
        );
        let project = Project { root: Some(machine.path("/p")), ..Project::default() };
        let found = read(&machine, project).editor_settings;
        let told: Vec<_> =
            found.iter().map(|line| (line.path.to_text().into_owned(), line.exists, line.line)).collect();
        assert_eq!(
            told,
            [("/p/.venv/bin/python".into(), true, Some(2)), ("/o/python".into(), false, Some(3))]
        );
    }

    #[test]
    fn finds_broken_environments_of_applications_and_hooks() {
        let machine = FakeMachine::linux()
            .file("/home/me/.local/share/pipx/venvs/black/pyvenv.cfg", "home = /gone\n")
            .link("/home/me/.local/share/pipx/venvs/black/bin/python", "/gone/python3.11")
            .file("/p/.tox/py310/pyvenv.cfg", "home = /gone\n")
            .link("/p/.tox/py310/bin/python", "/gone/python3.10")
            .file("/home/me/.cache/pypoetry/virtualenvs/other-py3.9/pyvenv.cfg", "home = /gone\n")
            .link("/home/me/.cache/pypoetry/virtualenvs/other-py3.9/bin/python", "/gone/python3.9")
            .file("/home/me/.local/share/virtualenvs/whole/pyvenv.cfg", "home = /usr/bin\n")
            .link("/home/me/.local/share/virtualenvs/whole/bin/python", "/usr/bin/python3")
            .file("/home/me/.local/share/uv/tools/ruff/pyvenv.cfg", "home = /usr/bin\n")
            .link("/home/me/.local/share/uv/tools/ruff/bin/python", "/usr/bin/python3")
            .file("/home/me/.local/share/hatch/env/virtual/shop/yUInGJQX/lint/pyvenv.cfg", "home = /gone\n")
            .link("/home/me/.local/share/hatch/env/virtual/shop/yUInGJQX/lint/bin/python", "/gone/python3.9")
            .executable("/usr/bin/python3", "")
            .file("/home/me/.cache/pre-commit/repoab/py_env-python3.10/pyvenv.cfg", "home = /gone\n")
            .link("/home/me/.cache/pre-commit/repoab/py_env-python3.10/bin/python", "/gone/python3.10")
            .file(
                "/p/.git/hooks/pre-commit",
                "#!/usr/bin/env bash\n# File generated by pre-commit: https://pre-commit.com\nINSTALL_PYTHON=/gone/bin/python\n",
            );
        let git = Git { top: machine.path("/p"), directory: machine.path("/p/.git") };
        let root = Some(machine.path("/p"));
        let found = read(&machine, Project { git: Some(git), root, ..Project::default() });
        let names: Vec<_> =
            found.broken_applications.iter().map(|known| (known.tool.label(), known.name.as_str())).collect();
        assert_eq!(
            names,
            [("pipx", "black"), ("tox", "py310"), ("poetry", "other-py3.9"), ("hatch", "lint")]
        );
        assert_eq!(found.broken_hook_environments.len(), 1);
        assert_eq!((found.git_hooks[0].line, found.git_hooks[0].exists), (3, false));
    }
}
