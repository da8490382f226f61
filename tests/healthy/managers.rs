//! Projects and applications as the tools that manage environments leave them, made by those tools themselves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use super::scene::{Scene, Situation, middle, store};
use super::support::{self, run, tools};

/// The tools, installed once. Their versions go together.
const TOOLS: [&str; 8] = ["poetry", "pdm", "hatch", "pipenv", "tox", "nox", "pre-commit", "pipx"];

fn bin() -> PathBuf {
    store().join("tools/bin")
}

fn install_tools() {
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _guard = INSTALLING.lock();
    if bin().join("pipx").is_file() {
        return;
    }
    let (uv, root) = (&tools().unwrap().uv, store().join("tools"));
    run(Command::new(uv)
        .args(["venv", "-q", "--no-config", "--clear", "--python"])
        .arg(&middle().unwrap().path)
        .arg(&root));
    run(Command::new(uv).args(["pip", "install", "-q", "--no-config", "--python"]).arg(&root).args(TOOLS));
}

fn situation(name: &str, build: impl FnOnce(&mut Scene) + Send + 'static) -> Situation {
    Situation::new(format!("managers::{name}"), build)
        .needs("uv", tools().is_some())
        .needs("a Python", middle().is_some())
        .kept()
}

/// Runs a tool in the project, with the situation's variables.
fn tool(scene: &Scene, line: &str) -> String {
    install_tools();
    let uv = tools().unwrap().uv.parent().unwrap().to_path_buf();
    let python = middle().unwrap().path.parent().unwrap().to_path_buf();
    let path = format!("{}:{}:{}:/usr/bin:/bin", bin().display(), uv.display(), python.display());
    let mut command = Command::new("/bin/bash");
    command.args(["-c", line]).current_dir(&scene.project);
    // the tester's own way to the index and its certificates stays
    for name in ["VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "CONDA_PREFIX", "POETRY_HOME"] {
        command.env_remove(name);
    }
    for name in
        ["UV_CACHE_DIR", "PIPX_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"]
    {
        command.env_remove(name);
    }
    command.env("HOME", scene.home()).env("PATH", path);
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{line}: {}{}",
        support::text(&output.stdout),
        support::text(&output.stderr)
    );
    support::text(&output.stdout).trim().to_owned()
}

/// A project with a dependency that a module of it imports.
fn project(scene: &Scene, backend: &str, more: &str) {
    let requires = backend.split('.').next().unwrap_or_default().replace('_', "-");
    let requires = match requires.as_str() {
        "poetry" => "poetry-core",
        "pdm" => "pdm-backend",
        other => other,
    };
    scene.write("pyproject.toml", &format!("[project]\nname = \"shop\"\nversion = \"1.0\"\ndescription = \"A shop.\"\nrequires-python = \">=3.9\"\ndependencies = [\"idna\"]\n\n[build-system]\nrequires = [\"{requires}\"]\nbuild-backend = \"{backend}\"\n\n{more}"));
    scene.write("src/shop/__init__.py", "import idna\n");
    scene.write("README.md", "# Shop\n");
}

/// The same without a dependency, for tools that ask an index in a way of their own.
fn alone(scene: &Scene, backend: &str, more: &str) {
    project(scene, backend, more);
    let text = fs::read_to_string(scene.project.join("pyproject.toml")).unwrap();
    scene.write("pyproject.toml", &text.replace("\"idna\"", ""));
    scene.write("src/shop/__init__.py", "import json\n");
}

fn works(scene: &mut Scene) {
    scene.works("python -c 'import shop'");
    scene.asks("shop");
}

fn activated(scene: &mut Scene, venv: &Path) {
    scene.activate(venv);
    works(scene);
}

const NO_PIP: (&str, &str) =
    ("environment-without-pip", "in this shell `pip` is the system's, and would install there");

pub fn all() -> Vec<Situation> {
    [poetry(), others(), runners(), applications()].into_iter().flatten().collect()
}

fn poetry() -> Vec<Situation> {
    const POETRY: &str = "poetry.core.masonry.api";
    const PACKAGES: &str = "[tool.poetry]\npackages = [{ include = \"shop\", from = \"src\" }]\n";
    vec![
        situation("poetry in the project", |scene| {
            scene.once(|scene| {
                alone(scene, POETRY, PACKAGES);
                scene.write("poetry.toml", "[virtualenvs]\nin-project = true\n");
                tool(scene, "poetry install -n");
            });
            let venv = scene.project.join(".venv");
            activated(scene, &venv);
        }),
        situation("poetry in its cache, active", |scene| {
            scene.once(|scene| {
                alone(scene, POETRY, PACKAGES);
                tool(scene, "poetry install -n");
            });
            let venv = only(&scene.home().join(".cache/pypoetry/virtualenvs"));
            activated(scene, &venv);
        }),
        situation("poetry in its cache, not active", |scene| {
            scene.once(|scene| {
                alone(scene, POETRY, PACKAGES);
                tool(scene, "poetry install -n");
            });
            let bin = scene.home().join(".local/bin");
            fs::create_dir_all(&bin).unwrap();
            if !bin.join("poetry").exists() {
                std::os::unix::fs::symlink(self::bin().join("poetry"), bin.join("poetry")).unwrap();
            }
            scene.path(&[&bin]);
        })
        .says(
            "forgotten-activation",
            "the environment exists, and this shell's python is another; `poetry run` finds it",
        ),
    ]
}

fn others() -> Vec<Situation> {
    vec![
        situation("pdm with a venv", |scene| {
            scene.once(|scene| {
                alone(scene, "pdm.backend", "[tool.pdm]\ndistribution = true\n");
                tool(scene, "pdm venv create -q python3 && pdm use -q .venv && uv pip install -q --python .venv -e .");
            });
            let venv = scene.project.join(".venv");
            activated(scene, &venv);
        })
        .says(NO_PIP.0, NO_PIP.1),
        situation("pdm with __pypackages__", |scene| {
            let python = middle().unwrap();
            let version = python.minor.clone();
            let program = python.path.display().to_string();
            scene.once(move |scene| {
                alone(scene, "pdm.backend", "[tool.pdm]\ndistribution = true\n");
                fs::create_dir_all(scene.project.join("__pypackages__").join(&version)).unwrap();
                tool(scene, &format!("pdm config --local python.use_venv false; pdm use -q {program}; uv pip install -q --python {program} --target __pypackages__/{version}/lib ."));
            });
            let pep582 = store().join("tools/lib").join(format!("python{}", python.minor)).join("site-packages/pdm/pep582");
            scene.set("PYTHONPATH", pep582.display().to_string());
            scene.path(&[python.path.parent().unwrap()]);
            works(scene);
            // a startup hook adds the directory, which `why` does not foresee
            scene.forget();
        }),
        situation("pipenv", |scene| {
            scene.once(|scene| {
                scene.write("Pipfile", "[packages]\nidna = \"*\"\n");
                scene.write("shop.py", "import idna\n");
                tool(scene, "pipenv --quiet install --python python3");
            });
            let venv = only(&scene.home().join(".local/share/virtualenvs"));
            scene.set("PIPENV_ACTIVE", "1");
            activated(scene, &venv);
        }),
        situation("hatch", |scene| {
            scene.once(|scene| {
                project(scene, "hatchling.build", "");
                tool(scene, "hatch env create");
            });
            let line = "hatch env find";
            let venv = PathBuf::from(tool(scene, line));
            scene.set("HATCH_ENV_ACTIVE", "default");
            activated(scene, &venv);
        }),
        situation("uv sync", |scene| {
            scene.once(|scene| {
                project(scene, "hatchling.build", "");
                tool(scene, "uv sync -q --python python3");
            });
            let venv = scene.project.join(".venv");
            activated(scene, &venv);
        })
        .says(NO_PIP.0, NO_PIP.1),
        situation("a workspace of uv's", |scene| {
            scene.once(|scene| {
                let member = "[tool.uv.workspace]\nmembers = [\"libs/*\"]\n[tool.uv.sources]\ncore = { workspace = true }\n";
                project(scene, "hatchling.build", member);
                let text = fs::read_to_string(scene.project.join("pyproject.toml")).unwrap();
                scene.write("pyproject.toml", &text.replace("[\"idna\"]", "[\"idna\", \"core\"]"));
                scene.write("libs/core/pyproject.toml", "[project]\nname = \"core\"\nversion = \"1.0\"\nrequires-python = \">=3.9\"\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n");
                scene.write("libs/core/src/core/__init__.py", "");
                tool(scene, "uv sync -q --python python3");
            });
            scene.from = scene.project.join("libs/core");
            let venv = scene.project.join(".venv");
            activated(scene, &venv);
            scene.asks("core");
        })
        .says(NO_PIP.0, NO_PIP.1),
    ]
}

/// The one directory of a directory that is an environment.
fn only(directory: &Path) -> PathBuf {
    let entries = fs::read_dir(directory).unwrap().flatten().map(|entry| entry.path());
    entries.into_iter().find(|path| path.join("pyvenv.cfg").is_file()).unwrap()
}

fn runners() -> Vec<Situation> {
    vec![
        situation("inside an environment of tox", |scene| {
            scene.once(|scene| {
                project(scene, "hatchling.build", "");
                scene.write("tox.ini", "[tox]\nenv_list = py\n[testenv]\ncommands = python -c 'import shop'\n");
                tool(scene, "tox -q");
            });
            let venv = scene.project.join(".tox/py");
            scene.set("TOX_ENV_NAME", "py");
            scene.set("TOX_ENV_DIR", venv.display().to_string());
            scene.set("TOX_WORK_DIR", venv.parent().unwrap().display().to_string());
            activated(scene, &venv);
        }),
        situation("inside a session of nox", |scene| {
            scene.once(|scene| {
                project(scene, "hatchling.build", "");
                scene.write("noxfile.py", "import nox\n\n\n@nox.session\ndef tests(session):\n    session.install('.')\n    session.run('python', '-c', 'import shop')\n");
                tool(scene, "nox");
            });
            let venv = scene.project.join(".nox/tests");
            scene.set("NOX_CURRENT_SESSION", "tests");
            activated(scene, &venv);
        }),
        situation("hooks of pre-commit", |scene| {
            scene.once(|scene| {
                project(scene, "hatchling.build", "");
                scene.write(".pre-commit-config.yaml", "repos:\n- repo: local\n  hooks:\n  - id: compile\n    name: compile\n    entry: python -m compileall -q\n    language: python\n    additional_dependencies: [idna]\n    types: [python]\n");
                tool(scene, "git init -q . && pre-commit install -f --install-hooks && uv sync -q --python python3");
            });
            let venv = scene.project.join(".venv");
            activated(scene, &venv);
        })
        .says(NO_PIP.0, NO_PIP.1)
        .needs("git", super::scene::there("/usr/bin/git")),
    ]
}

fn applications() -> Vec<Situation> {
    let installed = |name: &'static str, line: &'static str| {
        situation(name, move |scene| {
            scene.once(|scene| drop(tool(scene, line)));
            let bin = scene.home().join(".local/bin");
            scene.path(&[&bin]);
            scene.works("cowsay --version");
        })
    };
    vec![
        installed("an application of pipx", "pipx install -q cowsay"),
        installed("an application of uv's", "uv tool install -q --python python3 cowsay"),
    ]
}
