//! How an environment comes into a shell, and which variables Python is started with.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::scene::{Scene, Situation, middle, system, there};
use super::support::{Creator, executable};

/// A project with its environment, not active.
fn project(scene: &mut Scene) -> std::path::PathBuf {
    let venv = scene.venv(Creator::Venv, &middle().unwrap());
    scene.works("test -x .venv/bin/python");
    venv
}

/// The same, active.
fn active(scene: &mut Scene) {
    let venv = project(scene);
    scene.activate(&venv);
    scene.works("python main.py");
}

fn situation(name: &str, build: impl FnOnce(&mut Scene) + Send + 'static) -> Situation {
    Situation::new(format!("activation::{name}"), build).needs("a Python", middle().is_some())
}

pub fn all() -> Vec<Situation> {
    [in_shells(), elsewhere(), without(), variables()].into_iter().flatten().collect()
}

fn in_shells() -> Vec<Situation> {
    let sourced = |name: &'static str, program: &'static str, script: &'static str| {
        situation(name, move |scene| {
            project(scene);
            scene.shell(program, format!("source .venv/bin/{script}"));
            scene.works("python main.py");
        })
        .needs(program, there(program))
    };
    vec![
        sourced("activate in bash", "/bin/bash", "activate"),
        sourced("activate in zsh", "/usr/bin/zsh", "activate"),
        sourced("activate in fish", "/usr/bin/fish", "activate.fish"),
        situation("activated twice in bash", |scene| {
            project(scene);
            scene.shell("/bin/bash", "source .venv/bin/activate\nsource .venv/bin/activate");
            scene.works("python main.py");
        }),
        situation("activated and deactivated elsewhere", |scene| {
            project(scene);
            scene.shell("/bin/bash", "source .venv/bin/activate\ndeactivate\ncd \"$HOME\"");
            scene.retell(&["python3 -c 'import sys'"]);
            scene.forget();
        })
        .needs("a system Python", system().is_some()),
        situation("only on PATH", |scene| {
            let venv = project(scene);
            scene.path(&[&venv.join("bin")]);
            scene.works("python main.py");
        }),
        situation("twice on PATH", |scene| {
            let venv = project(scene);
            scene.activate(&venv);
            scene.path(&[&venv.join("bin"), &venv.join("bin")]);
            scene.works("python main.py");
        }),
        situation("a script called python starts the environment's", |scene| {
            let venv = project(scene);
            let python = scene.project.join("bin/python");
            scene.write("bin/python", &format!("#!/bin/sh\nexec {}/bin/python \"$@\"\n", venv.display()));
            executable(&python, true);
            scene.path(&[&scene.project.join("bin")]);
            scene.works("python main.py");
        })
        .may_say("python-names-disagree")
        .may_say("pip-elsewhere"),
        situation("with a trailing slash on PATH", |scene| {
            let venv = project(scene);
            scene.activate(&venv);
            scene.path(&[&venv.join("bin/")]);
            scene.works("python main.py");
        }),
    ]
}

fn elsewhere() -> Vec<Situation> {
    vec![
        situation("from a directory below the project", |scene| {
            active(scene);
            scene.from = scene.project.join("src/deep");
            fs::create_dir_all(&scene.from).unwrap();
            scene.retell(&["python ../../main.py"]);
        }),
        situation("active in a directory without a project", |scene| {
            active(scene);
            scene.from = scene.home();
            scene.retell(&["python -c 'import sample'"]);
        }),
        situation("virtualenvwrapper", |scene| {
            let venv = scene.home().join(".virtualenvs/project");
            scene.venv_at(&venv, Creator::Virtualenv, &middle().unwrap());
            fs::write(venv.join(".project"), format!("{}\n", scene.project.display())).unwrap();
            let home = scene.home().join(".virtualenvs");
            scene.set("WORKON_HOME", home.display().to_string());
            scene.set("VIRTUALENVWRAPPER_SCRIPT", "/usr/share/virtualenvwrapper/virtualenvwrapper.sh");
            scene.set("VIRTUALENVWRAPPER_HOOK_DIR", home.display().to_string());
            scene.activate(&venv);
            scene.works("python main.py");
        })
        .needs("virtualenv", super::support::tools().is_some()),
        situation("direnv", |scene| {
            let venv = scene.project.join(".direnv/python-3.11");
            scene.venv_at(&venv, Creator::Venv, &middle().unwrap());
            scene.write(".envrc", "layout python\n");
            scene.activate(&venv);
            let project = scene.project.display().to_string();
            scene.set("DIRENV_DIR", format!("-{project}"));
            scene.set("DIRENV_FILE", format!("{project}/.envrc"));
            scene.set("DIRENV_DIFF", "eJyqVspLzE1VslIKcHX");
            scene.works("python main.py");
        }),
        situation("pyenv-virtualenv", |scene| {
            let versions = scene.home().join(".pyenv/versions");
            let venv = versions.join("3.11.7/envs/shop");
            scene.venv_at(&venv, Creator::Venv, &middle().unwrap());
            symlink(&venv, versions.join("shop")).unwrap();
            let shims = shims(scene, &["python", "python3", "pip", "pip3", "sample"]);
            scene.write(".python-version", "shop\n");
            let link = versions.join("shop");
            scene.set("PYENV_VERSION", "shop");
            scene.set("PYENV_VIRTUAL_ENV", link.display().to_string());
            scene.set("PYENV_ACTIVATE_SHELL", "1");
            scene.set("VIRTUAL_ENV", link.display().to_string());
            scene.set("PYENV_SHELL", "bash");
            let plugin = scene.home().join(".pyenv/plugins/pyenv-virtualenv/shims");
            fs::create_dir_all(&plugin).unwrap();
            scene.path(&[&plugin, &shims]);
            scene.works("python main.py");
        })
        .needs("pyenv", pyenv().is_some()),
        situation("pyenv global", |scene| pyenv_version(scene, "version")).needs("pyenv", pyenv().is_some()),
        situation("pyenv local", |scene| pyenv_version(scene, "local")).needs("pyenv", pyenv().is_some()),
        situation("a venv with pyenv's shims behind it", |scene| {
            let venv = project(scene);
            pyenv_root(scene);
            let shims = shims(scene, &["python", "python3", "pip", "pip3"]);
            scene.activate(&venv);
            scene.path(&[&venv.join("bin"), &shims]);
            scene.works("python main.py");
        })
        .needs("pyenv", pyenv().is_some()),
    ]
}

/// pyenv's own program.
fn pyenv() -> Option<std::path::PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(std::path::PathBuf::from);
    let root = root.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".pyenv")))?;
    root.join("libexec/pyenv").is_file().then_some(root)
}

/// The user's `.pyenv` with this machine's pyenv and versions behind it.
fn pyenv_root(scene: &mut Scene) {
    let (real, own) = (pyenv().unwrap(), scene.home().join(".pyenv"));
    fs::create_dir_all(own.join("versions")).unwrap();
    for name in ["bin", "libexec", "pyenv.d"] {
        if !own.join(name).exists() && real.join(name).exists() {
            symlink(real.join(name), own.join(name)).unwrap();
        }
    }
    let python = middle().unwrap();
    let version = python.path.parent().unwrap().parent().unwrap();
    let link = own.join("versions").join(version.file_name().unwrap());
    if version.starts_with(&real) && !link.exists() {
        symlink(version, link).unwrap();
    }
    scene.set("PYENV_ROOT", own.display().to_string());
}

/// Shims as `pyenv rehash` writes them.
fn shims(scene: &mut Scene, names: &[&str]) -> std::path::PathBuf {
    pyenv_root(scene);
    let root = scene.home().join(".pyenv");
    let shims = root.join("shims");
    fs::create_dir_all(&shims).unwrap();
    for name in names {
        let text = format!(
            "#!/usr/bin/env bash\nset -e\n[ -n \"$PYENV_DEBUG\" ] && set -x\n\nprogram=\"${{0##*/}}\"\n\nexport PYENV_ROOT=\"{0}\"\nexec \"{0}/libexec/pyenv\" exec \"$program\" \"$@\"\n",
            root.display()
        );
        fs::write(shims.join(name), text).unwrap();
        executable(&shims.join(name), true);
    }
    shims
}

fn pyenv_version(scene: &mut Scene, how: &str) {
    let shims = shims(scene, &["python", "python3", "pip", "pip3"]);
    let python = middle().unwrap();
    let version = python.path.parent().unwrap().parent().unwrap().file_name().unwrap();
    let line = format!("{}\n", version.to_string_lossy());
    if how == "local" {
        scene.write(".python-version", &line);
    } else {
        fs::write(scene.home().join(".pyenv/version"), line).unwrap();
    }
    scene.set("PYENV_SHELL", "bash");
    scene.path(&[&shims]);
    scene.works("python -c 'import sys'");
}

fn without() -> Vec<Situation> {
    vec![
        situation("a directory without Python", |scene| {
            scene.write("Cargo.toml", "[package]\nname = \"x\"\n");
            scene.write("src/main.rs", "fn main() {}\n");
        }),
        situation("an empty directory and no Python on PATH", |scene| scene.set("PATH", "/nonexistent")),
        situation("a script of the standard library, the system's Python", |scene| {
            scene.write("count.py", "import os, sys\nprint(len(os.listdir('.')))\n");
            scene.works("python3 count.py");
        })
        .needs("a system Python", system().is_some()),
        situation("uv run, not activated", |scene| {
            let venv = project(scene);
            scene.write(
                "pyproject.toml",
                "[project]\nname = \"shop\"\nversion = \"1\"\nrequires-python = \">=3.9\"\ndependencies = [\"sample\"]\n",
            );
            scene.write("uv.lock", "version = 1\nrequires-python = \">=3.9\"\n");
            // what `uv run venv-doctor` sets
            scene.activate(&venv);
            scene.set("UV", "/usr/local/bin/uv");
            scene.set("UV_RUN_RECURSION_DEPTH", "1");
            scene.works("python main.py");
        }),
    ]
}

fn variables() -> Vec<Situation> {
    let with = |name: &'static str, value: &'static str| {
        situation(&format!("with {name}={value}"), move |scene| {
            let venv = scene.venv_once(Creator::Venv, &middle().unwrap());
            scene.activate(&venv);
            scene.works("python main.py");
            scene.set(name, value);
        })
        .sharing("a venv in use")
    };
    vec![
        with("PYTHONDONTWRITEBYTECODE", "1"),
        with("PYTHONUNBUFFERED", "1"),
        with("PYTHONNOUSERSITE", "1"),
        with("PYTHONUTF8", "1"),
        with("PYTHONFAULTHANDLER", "1"),
        with("PYTHONHASHSEED", "0"),
        with("PYTHONIOENCODING", "utf-8"),
        with("PYTHONWARNINGS", "error::DeprecationWarning"),
        with("PYTHONBREAKPOINT", "0"),
        with("PIP_INDEX_URL", "https://mirror.example/simple"),
        with("PIP_REQUIRE_VIRTUALENV", "true"),
        with("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
        with("PIP_ROOT_USER_ACTION", "ignore"),
        situation("PYTHONSAFEPATH, with nothing beside the script", |scene| {
            active(scene);
            scene.set("PYTHONSAFEPATH", "1");
        })
        .says("pythonsafepath-set", "modules beside a script are not found, which surprises the next reader"),
        situation("PYTHONIOENCODING=utf-16", |scene| {
            active(scene);
            // what is asked here of Python itself would come in that encoding, too
            scene.forget();
            scene.set("PYTHONIOENCODING", "utf-16");
        }),
        situation("PYTHONPYCACHEPREFIX", |scene| {
            active(scene);
            let cache = scene.home().join(".cache/pyc").display().to_string();
            scene.set("PYTHONPYCACHEPREFIX", cache);
        }),
        situation("PYTHONSTARTUP", |scene| {
            active(scene);
            let file = scene.home().join(".pythonrc.py");
            fs::write(&file, "import rlcompleter\n").unwrap();
            scene.set("PYTHONSTARTUP", file.display().to_string());
        }),
        situation("PYTHONPATH into the project's src", |scene| {
            active(scene);
            scene.write("src/shop/__init__.py", "");
            scene.write("app.py", "import shop\nimport sample\n");
            let source = scene.project.join("src").display().to_string();
            scene.set("PYTHONPATH", source);
            scene.works("python app.py");
            scene.asks("shop");
        }),
        situation("PYTHONPATH into a relative directory of requirements", |scene| {
            active(scene);
            scene.write("vendor/parts.py", "");
            scene.write(
                "vendor/parts-1.dist-info/METADATA",
                "Metadata-Version: 2.1\nName: parts\nVersion: 1\n",
            );
            scene.write("requirements.txt", "parts\n");
            scene.set("PYTHONPATH", "vendor");
            scene.works("python -c 'import parts'");
        })
        .says("pythonpath-empty-entry", "another directory is meant wherever a program is started"),
        situation("a sitecustomize of the company on PYTHONPATH", |scene| {
            active(scene);
            let hooks = scene.root().join("opt/company/python");
            fs::create_dir_all(&hooks).unwrap();
            fs::write(hooks.join("sitecustomize.py"), "import sys\nsys.company = True\n").unwrap();
            scene.set("PYTHONPATH", hooks.display().to_string());
            scene.works("python -c 'import sys; sys.company'");
        }),
    ]
}
