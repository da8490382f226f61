use std::path::PathBuf;

use super::*;
use crate::facts::platform::System;
use crate::facts::project::ManagerKind;
#[cfg(unix)]
use crate::facts::project::ScriptInterpreter;
use crate::facts::requirement::{Certainty, Purpose};
use crate::host::real::{RealFiles, from_std};
use crate::parse::digest::{md5, sha256, urlsafe_base64};

/// A home directory with files in it.
struct Home {
    _directory: tempfile::TempDir,
    top: PathBuf,
    path: HostPath,
    variables: Vec<(&'static str, String)>,
}

impl Home {
    fn new(files: &[(&str, &str)]) -> Home {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        let path = from_std(&top).unwrap();
        let home = Home { _directory: directory, top, path, variables: Vec::new() };
        for (name, text) in files {
            home.write(name, text);
        }
        home
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.top.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn venv(&self, name: &str) {
        self.write(&format!("{name}/pyvenv.cfg"), "home = /usr/bin\n");
    }

    fn at(&self, name: &str) -> HostPath {
        self.path.join(name)
    }

    fn read(&self, directory: &str) -> Reading {
        std::fs::create_dir_all(self.top.join(directory)).unwrap();
        let variable =
            |name: &str| self.variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
        let places = Places { system: System::Linux, home: Some(&self.path), variable: &variable };
        let context = ProjectContext { places, user: None, programs: &["uv".into()] };
        project(&RealFiles, &self.at(directory), &context)
    }

    /// Roots of the environments, relative to the home directory.
    fn environments(&self, directory: &str) -> Vec<String> {
        let found = self.read(directory).environments;
        let relative = |(path, _): &(HostPath, Origin)| {
            String::from_utf8(path.relative_to(&self.path).unwrap()).unwrap()
        };
        found.iter().map(relative).collect()
    }

    fn short(&self, digest: fn(&[u8]) -> Vec<u8>, root: &str) -> String {
        urlsafe_base64(&digest(self.at(root).as_bytes()))[..8].to_owned()
    }
}

#[test]
fn the_root_is_the_nearest_directory_with_a_marker() {
    let home = Home::new(&[("p/pyproject.toml", ""), ("p/a/b/x.txt", ""), ("p/m/pyproject.toml", "")]);
    assert_eq!(home.read("p/a/b").project.root, Some(home.at("p")));
    assert_eq!(home.read("p/m").project.root, Some(home.at("p/m")));
    assert_eq!(home.read("elsewhere").project.root, None);
}

#[test]
fn a_directory_with_requirements_alone_knows_the_project_around_it() {
    let home = Home::new(&[
        ("p/.git/HEAD", ""),
        ("p/pyproject.toml", ""),
        ("p/docs/requirements.txt", "sphinx\n"),
        ("p/docs/conf.py", ""),
        ("p/api/requirements.txt", "flask\n"),
        ("p/api/app.py", ""),
        ("p/own/requirements.txt", ""),
        ("p/app/requirements.txt", ""),
        ("p/app/shop/__init__.py", ""),
        ("q/pyproject.toml", ""),
        ("q/docs/requirements.txt", ""),
        ("r/requirements.txt", ""),
        ("r/docs/requirements.txt", ""),
    ]);
    home.venv("p/own/.venv");
    let enclosing = |directory: &str| home.read(directory).project.enclosing;
    assert_eq!(home.read("p/docs").project.root, Some(home.at("p/docs")));
    assert_eq!(enclosing("p/docs"), Some(home.at("p")));
    assert_eq!(enclosing("q/docs"), Some(home.at("q")));
    for other in ["p", "p/api", "p/app", "p/own", "r/docs"] {
        assert_eq!(enclosing(other), None, "{other}");
    }
}

#[test]
fn a_required_module_may_lie_in_the_root() {
    let home = Home::new(&[
        ("p/requirements.txt", "six\nPyYAML\nflask\nrequests\n"),
        ("p/six.py", ""),
        ("p/yaml/__init__.py", ""),
        ("p/requests/readme", ""),
    ]);
    assert_eq!(home.read("p").project.in_root, ["pyyaml", "six"]);
}

#[test]
fn the_search_ends_at_the_git_top_and_at_home() {
    let home = Home::new(&[
        ("pyproject.toml", ""),
        ("w/pyproject.toml", ""),
        ("w/rust/.git/HEAD", ""),
        ("w/rust/Cargo.toml", ""),
    ]);
    assert_eq!(home.read("w/rust").project.root, None);
    assert_eq!(home.read("w/rust").project.git.map(|git| git.top), Some(home.at("w/rust")));
    assert_eq!(home.read("other").project.root, None);
}

#[cfg(unix)]
#[test]
fn a_directory_for_everyone_says_nothing_about_what_lies_below() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new(&[("tmp/pyproject.toml", ""), ("tmp/mine/notes", "")]);
    std::fs::set_permissions(home.top.join("tmp"), PermissionsExt::from_mode(0o1777)).unwrap();
    assert_eq!(home.read("tmp/mine").project.root, None);
    assert_eq!(home.read("tmp").project.root, Some(home.at("tmp")));
}

#[test]
fn nothing_but_python_files_makes_a_project_where_they_lie() {
    let home = Home::new(&[
        ("p/main.py", ""),
        ("p/data/x.csv", ""),
        ("g/.git/HEAD", ""),
        ("g/run.py", ""),
        ("q/.python-version", "3.9"),
    ]);
    let project = home.read("p").project;
    assert_eq!((project.root, project.has_python_files), (Some(home.at("p")), true));
    assert_eq!(home.read("p/data").project.root, None);
    assert_eq!(home.read("g/docs").project.root, Some(home.at("g")));
    assert_eq!(home.read("q/sub").project.root, Some(home.at("q")));
}

#[test]
fn a_directory_inside_an_environment_belongs_to_the_project_around_it() {
    let home = Home::new(&[("p/setup.py", ""), ("p/.venv/lib/python3.11/site-packages/x/setup.py", "")]);
    home.venv("p/.venv");
    assert_eq!(home.read("p/.venv/lib/python3.11/site-packages/x").project.root, Some(home.at("p")));
}

#[test]
fn look_alikes_are_no_markers() {
    let home = Home::new(&[
        ("p/requirements/spec.md", ""),
        ("p/.env", "A=1"),
        ("p/requirementsfoo.txt", ""),
        ("p/venv/readme", ""),
    ]);
    assert_eq!(home.read("p").project.root, None);
    home.write("p/requirements/base.txt", "six\n");
    assert_eq!(home.read("p").project.dependencies[0].name, "six");
}

#[test]
fn git_directories_may_be_elsewhere() {
    let home = Home::new(&[("p/.git", "gitdir: ../main/.git/worktrees/p\n"), ("p/setup.py", "")]);
    let git = home.read("p").project.git.unwrap();
    assert_eq!((git.top, git.directory), (home.at("p"), home.at("main/.git/worktrees/p")));
}

#[test]
fn declarations_of_pyproject() {
    let text = "[build-system]\nrequires = [\"setuptools\"]\n[project]\nname = \"My.App\"\nrequires-python = \">=3.9\"\n\
                dependencies = [\n  \"Flask[async]>=2\",\n  \"tomli; python_version < '3.11'\",\n]\n[tool.uv]\npackage = false\n";
    let home = Home::new(&[("p/pyproject.toml", text)]);
    let project = home.read("p").project;
    assert_eq!(project.name.as_deref(), Some("My.App"));
    let requires = project.requires_python.unwrap();
    assert_eq!((requires.text.as_str(), requires.line), (">=3.9", Some(5)));
    let found: Vec<_> = project.dependencies.iter().map(|found| (found.name.as_str(), found.line)).collect();
    assert_eq!(found, [("flask", Some(7))]);
    assert!(!project.is_package);
    assert_eq!((project.managers[0].kind, project.managers[0].available), (ManagerKind::Uv, true));
}

#[test]
fn a_broken_pyproject_does_not_lose_the_rest() {
    let home = Home::new(&[
        ("p/pyproject.toml", "[project]\nname = \"x\"\nrequires-python = \">=3.9\"\nbroken = = 1\n"),
        ("p/requirements.txt", "-r more.txt\nsix==1\n"),
        ("p/more.txt", "-r requirements.txt\nAttrs\n"),
    ]);
    let reading = home.read("p");
    assert!(reading.notes[0].contains("pyproject.toml:4"), "{:?}", reading.notes);
    assert_eq!(reading.project.requires_python.map(|found| found.text).as_deref(), Some(">=3.9"));
    let names: Vec<_> = reading.project.dependencies.into_iter().map(|found| found.name).collect();
    assert_eq!(names, ["six", "attrs"]);
}

#[test]
fn declarations_of_poetry_pipenv_and_setuptools() {
    let poetry = "[tool.poetry]\nname = \"x\"\npackage-mode = false\n[tool.poetry.dependencies]\npython = \"^3.10\"\n\
                  requests = \"*\"\nextra = {version = \"1\", optional = true}\nwin = {version = \"1\", markers = \"os_name\"}\n";
    let home = Home::new(&[
        ("a/pyproject.toml", poetry),
        (
            "b/Pipfile",
            "[packages]\nSix = \"*\"\n[dev-packages]\npytest = \"*\"\n[requires]\npython_version = \"3.11\"\n",
        ),
        (
            "c/setup.cfg",
            "[metadata]\nname = c\n[options]\npython_requires = >=3.8\ninstall_requires =\n  attrs>=1\n  win; x\n",
        ),
        ("d/setup.py", "setup(\n    python_requires='>=3.7',\n)\n"),
        (
            "e/setup.py",
            "NEEDS = ['six>=1']\nsetup(\n    install_requires=NEEDS,\n    extras_require={'x': ['yarl']},\n)\n",
        ),
        ("f/setup.py", "setup(install_requires=['six'])\n"),
        ("f/pyproject.toml", "[project]\nname = 'f'\ndependencies = []\n"),
    ]);
    let read = |name: &str| {
        let project = home.read(name).project;
        let names: Vec<String> = project.dependencies.into_iter().map(|found| found.name).collect();
        (project.requires_python.map(|found| (found.text, found.line)), names, project.is_package)
    };
    let (requires, names, package) = read("a");
    assert_eq!((requires, names, package), (Some(("^3.10".into(), Some(5))), vec!["requests".into()], false));
    let (requires, names, _) = read("b");
    assert_eq!((requires, names), (Some(("3.11".into(), Some(6))), vec!["six".into()]));
    let (requires, names, package) = read("c");
    assert_eq!((requires, names, package), (Some((">=3.8".into(), Some(4))), vec!["attrs".into()], true));
    assert_eq!(read("d").0, Some((">=3.7".into(), Some(2))));
    assert_eq!(read("e").1, ["six"]);
    let [needed, extra] = &home.read("e").project.requirements[..] else { panic!("not two") };
    assert_eq!((needed.specifier.as_str(), needed.line, needed.purpose), (">=1", Some(1), Purpose::Run));
    assert_eq!((extra.name.as_str(), extra.line, extra.purpose), ("yarl", Some(4), Purpose::Optional));
    assert!(home.read("f").project.requirements.is_empty());
}

#[test]
fn pins_are_the_nearest() {
    let home = Home::new(&[
        ("p/.python-version", "# mine\n3.11.4 x\n3.12\n"),
        ("p/a/setup.py", ""),
        ("p/a/.tool-versions", "nodejs 20\npython 3.9.1\n"),
        ("p/a/mise.toml", "[tools]\npython = \"3.13\"\n"),
        (".python-version", "2.7"),
    ]);
    let pins = home.read("p/a").project.pins;
    let found: Vec<_> = pins.iter().map(|pin| (pin.text.as_str(), pin.line)).collect();
    assert_eq!(found, [("3.11.4", Some(2)), ("3.12", Some(3)), ("3.9.1", Some(2)), ("3.13", Some(2))]);
}

#[test]
fn a_back_end_is_no_manager() {
    let text = "[tool.hatch.build]\nx = 1\n[tool.pdm.build]\nx = 1\n[tool.uv.build-backend]\nx = 1\n";
    let home =
        Home::new(&[("p/pyproject.toml", text), ("q/pyproject.toml", "[tool.pdm]\n"), ("q/tox.ini", "")]);
    assert_eq!(home.read("p").project.managers, []);
    let kinds: Vec<_> = home.read("q").project.managers.iter().map(|manager| manager.kind).collect();
    assert_eq!(kinds, [ManagerKind::Pdm, ManagerKind::Tox]);
}

#[test]
fn members_of_a_workspace_share_its_lock_and_environment() {
    let home = Home::new(&[("w/.git/HEAD", ""), ("w/uv.lock", ""), ("w/packages/a/pyproject.toml", "")]);
    home.venv("w/.venv");
    let project = home.read("w/packages/a").project;
    assert_eq!(project.managers[0].evidence, home.at("w/uv.lock"));
    assert_eq!(home.environments("w/packages/a"), ["w/.venv"]);
}

#[test]
fn environments_beside_the_project() {
    let home = Home::new(&[
        ("p/setup.py", ""),
        ("p/old/bin/activate", ""),
        ("p/old/bin/python", ""),
        ("p/win/Scripts/python.exe", ""),
        ("p/win/Lib/site-packages/x.py", ""),
        ("p/node/bin/activate", ""),
        ("p/node/bin/node", ""),
        ("p/runtime/bin/python3", ""),
        ("p/runtime/lib/python3.11/os.py", ""),
        ("p/runtime/lib/python3.11/site-packages/x.py", ""),
        ("p/.tox/py/pyvenv.cfg", ""),
    ]);
    for name in ["p/venv", "p/.venv", "p/mine", "p/.direnv/python-3.11"] {
        home.venv(name);
    }
    assert_eq!(
        home.environments("p"),
        ["p/.venv", "p/venv", "p/.direnv/python-3.11", "p/mine", "p/old", "p/win"]
    );
    assert_eq!(home.environments("p/src"), home.environments("p"));
}

#[test]
fn an_environment_may_be_named_by_a_file() {
    let mut home = Home::new(&[
        ("p/pyproject.toml", ""),
        ("p/.venv", "../envs/p\n"),
        ("q/pyproject.toml", "[tool.pdm]\n"),
    ]);
    home.venv("envs/p");
    home.venv("envs/q");
    home.write("envs/q/bin/python", "");
    home.write("q/.pdm-python", home.at("envs/q/bin/python").to_text().as_ref());
    assert_eq!(home.environments("p"), ["envs/p"]);
    assert_eq!(home.environments("q"), ["envs/q"]);
    home.variables.push(("UV_PROJECT_ENVIRONMENT", "../envs/q".into()));
    let reading = home.read("p");
    assert_eq!(
        reading.environments[0],
        (home.at("envs/q"), Origin::Variable("UV_PROJECT_ENVIRONMENT".into()))
    );
    home.variables[0].1 = "../envs/p".into();
    assert_eq!(home.environments("q"), ["envs/q"], "pdm does not ask it");
}

#[test]
fn environments_that_poetry_hatch_and_pdm_keep() {
    let home = Home::new(&[
        ("p/pyproject.toml", "[tool.poetry]\nname = \"My.App\"\n"),
        ("h/pyproject.toml", "[project]\nname = \"H_x\"\n[tool.hatch.envs.test]\n"),
        ("d/pdm.lock", ""),
    ]);
    let base = format!("my-app-{}", home.short(|bytes| sha256(bytes).to_vec(), "p"));
    let store = ".cache/pypoetry/virtualenvs";
    for name in [format!("{base}-py3.9"), format!("{base}-py3.11"), "my-app-AAAAAAAA-py3.12".into()] {
        home.venv(&format!("{store}/{name}"));
    }
    assert_eq!(home.environments("p"), [format!("{store}/{base}-py3.11"), format!("{store}/{base}-py3.9")]);
    home.write(&format!("{store}/envs.toml"), &format!("[{base}]\nminor = \"3.9\"\npatch = \"3.9.1\"\n"));
    assert_eq!(home.environments("p")[0], format!("{store}/{base}-py3.9"));

    let id = home.short(|bytes| sha256(bytes).to_vec(), "h");
    let store = format!(".local/share/hatch/env/virtual/h-x/{id}");
    home.venv(&format!("{store}/a"));
    home.venv(&format!("{store}/h-x"));
    assert_eq!(home.environments("h"), [format!("{store}/h-x"), format!("{store}/a")]);

    let id = home.short(|bytes| md5(bytes).to_vec(), "d");
    let own = format!(".local/share/pdm/venvs/d-{id}-3.11");
    home.venv(&own);
    home.venv(".local/share/pdm/venvs/d-AAAAAAAA-3.11");
    assert_eq!(home.environments("d"), [own]);
}

#[test]
fn environments_of_other_tools() {
    let home = Home::new(&[
        ("p/Pipfile", ""),
        ("c/environment.yml", "name: science  # ours\n"),
        ("miniconda3/envs/science/conda-meta/history", ""),
        ("y/.python-version", "work\n"),
        ("y/setup.py", ""),
        ("w/setup.py", ""),
    ]);
    home.venv(".local/share/virtualenvs/p-x");
    home.venv(".local/share/virtualenvs/other-x");
    home.write(".local/share/virtualenvs/p-x/.project", home.at("p").to_text().as_ref());
    home.write(".local/share/virtualenvs/other-x/.project", home.at("other").to_text().as_ref());
    home.venv(".pyenv/versions/work");
    home.venv(".virtualenvs/w");
    home.venv(".virtualenvs/x");
    assert_eq!(home.environments("p"), [".local/share/virtualenvs/p-x"]);
    assert_eq!(home.environments("c"), ["miniconda3/envs/science"]);
    assert_eq!(home.environments("y"), [".pyenv/versions/work"]);
    assert_eq!(home.environments("w"), [".virtualenvs/w"]);
}

#[cfg(unix)]
#[test]
fn scripts_and_imports() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new(&[
        ("p/setup.py", "import setuptools\n"),
        ("p/app.py", "#!/usr/bin/python3\nimport six, util, mypkg\nimport src_only\n"),
        ("p/util.py", ""),
        ("p/mypkg/__init__.py", ""),
        ("p/src/src_only/__init__.py", ""),
        ("p/bin/run", "#!/usr/bin/env -S python3\r\nimport flask\r\n"),
        ("p/scripts/other", "#!/bin/sh\n"),
        ("p/scripts/plain.py", "#!/usr/bin/python3\n"),
    ]);
    for name in ["p/app.py", "p/bin/run", "p/scripts/other"] {
        std::fs::set_permissions(home.top.join(name), PermissionsExt::from_mode(0o755)).unwrap();
    }
    let project = home.read("p").project;
    let found: Vec<_> = project.imports.iter().map(|found| (found.name.as_str(), found.line)).collect();
    assert_eq!(found, [("six", 2)]);
    assert_eq!(project.scripts.len(), 2);
    let (app, run) = (&project.scripts[0], &project.scripts[1]);
    assert_eq!(app.interpreter, ScriptInterpreter::Path(HostPath::posix("/usr/bin/python3")));
    assert_eq!((app.line.as_str(), app.crlf), ("#!/usr/bin/python3", false));
    assert_eq!(run.interpreter, ScriptInterpreter::Env("python3".into()));
    assert_eq!((run.crlf, run.imports.as_slice()), (true, &["flask".to_owned()][..]));
}

#[test]
fn services_with_another_interpreter() {
    let home = Home::new(&[("p/setup.py", ""), ("p/app.py", ""), ("p/.venv/bin/python", "")]);
    home.venv("p/.venv");
    let root = home.at("p");
    let unit = |exec: &str| {
        let text = format!("[Service]\nWorkingDirectory={root}\nExecStart={exec}\n");
        home.write(".config/systemd/user/app.service", &text);
        home.read("p").project.service_lines
    };
    let lines = unit(&format!("/usr/bin/python3 -u {root}/app.py"));
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].line, lines[0].interpreter.as_str()), (3, "/usr/bin/python3"));
    assert_eq!(lines[0].script, root.join("app.py"));
    assert_eq!(unit("/usr/bin/env python3 app.py").len(), 1);
    assert_eq!(unit("/usr/bin/python3 -m app").len(), 1);
    assert_eq!(unit("/usr/bin/python3 %h/p/app.py").len(), 1);
    for quiet in [
        format!("{root}/.venv/bin/python app.py"),
        "/usr/bin/python3 /usr/share/x.py".into(),
        "/usr/bin/uv run app.py".into(),
        format!("{root}/.venv/bin/gunicorn app"),
        "/usr/bin/python3 missing.py".into(),
    ] {
        assert_eq!(unit(&quiet), [], "{quiet}");
    }
    for (place, count) in [("p/deploy/app.service", 1), ("p/docs/app.service", 0)] {
        home.write(place, &format!("[Service]\nExecStart=/usr/bin/python3 {root}/app.py\n"));
        assert_eq!(home.read("p").project.service_lines.len(), count, "{place}");
        std::fs::remove_file(home.top.join(place)).unwrap();
    }
    home.write(
        "p/jobs.cron",
        &format!("0 1 * * * cd {root} && python3 app.py\n1 1 * * * PATH=x .venv/bin/python app.py\n"),
    );
    assert_eq!(home.read("p").project.service_lines.len(), 1);
}

#[test]
fn files_of_containers_and_activation() {
    let home = Home::new(&[
        ("p/Dockerfile.dev", "RUN . .venv/bin/activate\n"),
        ("p/docker-compose.override.yml", ""),
        ("p/compositions.yml", ""),
        ("p/.devcontainer/devcontainer.json", ""),
        ("p/Makefile", "test:\n\tsource .venv/bin/activate\n"),
        ("p/GNUmakefile", "all:\n"),
        ("p/.github/workflows/ci.yml", "- run: source venv/bin/activate\n"),
        ("p/scripts/x.sh", ". activate\n"),
        ("p/setup.py", ""),
    ]);
    let names = |paths: &mut dyn Iterator<Item = HostPath>| {
        paths.map(|path| path.name().into_owned()).collect::<Vec<_>>()
    };
    let containers = home.read("p").project.container_files;
    let found = names(&mut containers.into_iter());
    assert_eq!(found, [".devcontainer", "Dockerfile.dev", "docker-compose.override.yml"]);
    let sites = activation_sites(&RealFiles, &home.at("p"));
    let found = names(&mut sites.into_iter().map(|(path, _)| path));
    assert_eq!(found, ["Dockerfile.dev", "Makefile", "x.sh", "ci.yml"]);
}

#[test]
fn any_bytes_are_survived() {
    let home = Home::new(&[]);
    std::fs::create_dir_all(home.top.join("p/.git")).unwrap();
    let noise: Vec<u8> = (0..4096u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for name in [
        "pyproject.toml",
        "setup.cfg",
        "setup.py",
        "Pipfile",
        "requirements.txt",
        ".python-version",
        ".tool-versions",
        "mise.toml",
        "environment.yml",
        ".pdm-python",
        ".venv",
        "a.py",
        "x.cron",
        "x.service",
        "uv.lock",
    ] {
        std::fs::write(home.top.join("p").join(name), &noise).unwrap();
    }
    assert_eq!(home.read("p").project.root, Some(home.at("p")));
}

#[test]
fn notebooks_import_too() {
    let cell = |code: &str| format!(r#"{{"cells": [{{"cell_type": "code", "source": "{code}"}}]}}"#);
    let home = Home::new(&[
        ("p/setup.py", ""),
        ("p/a.ipynb", &cell("%matplotlib inline\\nimport numpy\\nimport helper")),
        ("p/helper.py", ""),
        ("p/notebooks/b.ipynb", &cell("!pip install torch\\nimport torch")),
        ("p/notebooks/c.ipynb", &cell("import sys\\nsys.path.append('..')\\nimport mine")),
        ("p/examples/d.ipynb", &cell("import other")),
    ]);
    let sources = sources::sources(&RealFiles, &home.read("p").project).unwrap();
    let found: Vec<(&str, Certainty)> =
        sources.imports.iter().map(|import| (import.module.as_str(), import.certainty)).collect();
    assert_eq!(
        found,
        [
            ("numpy", Certainty::Certain),
            ("torch", Certainty::Optional),
            ("sys", Certainty::Conditional),
            ("mine", Certainty::Conditional)
        ]
    );
    assert!(!sources.changes_path);
}
