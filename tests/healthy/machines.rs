//! Machines without a venv on purpose: conda, containers, continuous integration, Debian.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::scene::{Scene, Situation, middle, system};
use super::support::{self, Creator, Python, run, tools};

fn situation(name: &str, build: impl FnOnce(&mut Scene) + Send + 'static) -> Situation {
    Situation::new(format!("machines::{name}"), build).needs("a Python of pyenv's", installed().is_some())
}

/// A Python with a prefix of its own, which a test can link together anew.
fn installed() -> Option<Python> {
    middle().filter(|python| !python.path.starts_with("/usr"))
}

/// An installation of its own at `root`: the interpreter's file, its library and a standard library of links.
fn installation(root: &Path) -> Python {
    let python = installed().unwrap();
    let source = python.path.parent().unwrap().parent().unwrap();
    let library = format!("lib/python{}", python.minor);
    fs::create_dir_all(root.join(&library).join("site-packages")).unwrap();
    fs::create_dir_all(root.join("bin")).unwrap();
    let program = root.join("bin").join(format!("python{}", python.minor));
    fs::copy(&python.path, &program).unwrap();
    for name in ["python3", "python"] {
        symlink(program.file_name().unwrap(), root.join("bin").join(name)).unwrap();
    }
    for entry in fs::read_dir(source.join("lib")).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("libpython") {
            symlink(entry.path(), root.join("lib").join(entry.file_name())).unwrap();
        }
    }
    for entry in fs::read_dir(source.join(&library)).unwrap().flatten() {
        let target = root.join(&library).join(entry.file_name());
        if entry.file_name() != "site-packages" {
            symlink(entry.path(), target).unwrap();
        }
    }
    let python = Python { minor: python.minor, path: program };
    support::give_pip(&python, root);
    python
}

fn furnished(scene: &mut Scene, root: &Path) -> Python {
    let python = installation(root);
    scene.furnish(root, &python);
    scene.works("python main.py");
    scene.works("sample");
    scene.works("pip --version");
    python
}

pub fn all() -> Vec<Situation> {
    [conda(), containers(), systems()].into_iter().flatten().collect()
}

fn conda_environment(scene: &mut Scene, name: Option<&str>) -> PathBuf {
    let base = scene.home().join("miniconda3");
    let root = name.map_or_else(|| base.clone(), |name| base.join("envs").join(name));
    furnished(scene, &root);
    fs::create_dir_all(root.join("conda-meta")).unwrap();
    fs::write(root.join("conda-meta/history"), "==> 2026-01-05 10:00:00 <==\n# cmd: conda create\n").unwrap();
    let minor = installed().unwrap().minor;
    let record = format!(
        "{{\"name\": \"python\", \"version\": \"{minor}.7\", \"build\": \"h955ad1f_0\", \"files\": []}}"
    );
    fs::write(root.join(format!("conda-meta/python-{minor}.7-h955ad1f_0.json")), record).unwrap();
    fs::create_dir_all(base.join("condabin")).unwrap();
    fs::write(base.join("condabin/conda"), "#!/bin/sh\n").unwrap();
    support::executable(&base.join("condabin/conda"), true);
    scene.set("CONDA_PREFIX", root.display().to_string());
    scene.set("CONDA_DEFAULT_ENV", name.unwrap_or("base"));
    scene.set("CONDA_PROMPT_MODIFIER", format!("({}) ", name.unwrap_or("base")));
    scene.set("CONDA_SHLVL", if name.is_some() { "2" } else { "1" });
    scene.set("CONDA_EXE", base.join("bin/conda").display().to_string());
    scene.set("CONDA_PYTHON_EXE", base.join("bin/python").display().to_string());
    if name.is_some() {
        scene.set("CONDA_PREFIX_1", base.display().to_string());
    }
    scene.path(&[&root.join("bin"), &base.join("condabin")]);
    root
}

fn conda() -> Vec<Situation> {
    vec![
        situation("conda base, no project's own environment", |scene| {
            conda_environment(scene, None);
            fs::remove_file(scene.project.join("requirements.txt")).unwrap();
        }),
        situation("a named conda environment", |scene| {
            conda_environment(scene, Some("work"));
            scene.write("environment.yml", "name: work\ndependencies:\n  - python\n  - pip\n");
        }),
        situation("a venv made by and active inside conda", |scene| {
            let root = conda_environment(scene, Some("work"));
            let venv = scene.project.join(".venv");
            let python = Python { minor: installed().unwrap().minor, path: root.join("bin/python") };
            scene.venv_at(&venv, Creator::Venv, &python);
            scene.set("VIRTUAL_ENV", venv.display().to_string());
            let condabin = scene.home().join("miniconda3/condabin");
            scene.path(&[&venv.join("bin"), &root.join("bin"), &condabin]);
        }),
    ]
}

/// What the doctor mentions there.
const GLOBAL: &str = "whoever works on the image by hand shares this Python with everything else in it";

/// An image as python:3 is: everything global, root, nothing set but PATH.
fn image(scene: &mut Scene) {
    let root = scene.root().join("usr/local");
    furnished(scene, &root);
    scene.variables.remove("USER");
    scene.variables.remove("SHELL");
    scene.variables.remove("TERM");
    scene.set("PYTHON_VERSION", "3.11.7");
    scene.set("HOSTNAME", "0a1b2c3d4e5f");
    scene.path(&[&root.join("bin")]);
}

fn containers() -> Vec<Situation> {
    vec![
        situation("an image with everything global", |scene| {
            image(scene);
            scene.set("container", "docker");
            scene.write("Dockerfile", "FROM python:3\nRUN pip install -r requirements.txt\n");
            scene.set("PIP_ROOT_USER_ACTION", "ignore");
            scene.set("PYTHONUNBUFFERED", "1");
        })
        .says("global-install", GLOBAL),
        situation("a pod with everything global", |scene| {
            image(scene);
            scene.set("KUBERNETES_SERVICE_HOST", "10.0.0.1");
        })
        .says("global-install", GLOBAL),
        situation("an image with a venv on PATH", |scene| {
            let venv = scene.root().join("opt/venv");
            scene.venv_at(&venv, Creator::Venv, &installed().unwrap());
            scene.set("container", "podman");
            scene.path(&[&venv.join("bin")]);
            scene.works("python main.py");
        }),
        situation("GitHub Actions with setup-python", |scene| {
            let root = scene.root().join("opt/hostedtoolcache/Python/3.11.7/x64");
            furnished(scene, &root);
            for (name, value) in [("CI", "true"), ("GITHUB_ACTIONS", "true"), ("RUNNER_OS", "Linux")] {
                scene.set(name, value);
            }
            for name in ["pythonLocation", "Python_ROOT_DIR", "Python2_ROOT_DIR", "Python3_ROOT_DIR"] {
                scene.set(name, root.display().to_string());
            }
            scene.set("PKG_CONFIG_PATH", root.join("lib/pkgconfig").display().to_string());
            scene.set("LD_LIBRARY_PATH", root.join("lib").display().to_string());
            scene.path(&[&root.join("bin"), &root]);
        })
        .says("global-install", GLOBAL),
        situation("GitLab with a cached venv", |scene| {
            let venv = scene.venv(Creator::Venv, &installed().unwrap());
            scene.set("CI", "true");
            scene.set("GITLAB_CI", "true");
            let cache = scene.project.join(".cache/pip").display().to_string();
            scene.set("PIP_CACHE_DIR", cache);
            scene.activate(&venv);
            scene.works("python main.py");
        }),
        situation("CI with everything global through links", |scene| {
            let root = scene.root().join("opt/python/3.11");
            furnished(scene, &root);
            let bin = scene.root().join("links");
            fs::create_dir_all(&bin).unwrap();
            for name in ["python", "python3", "pip", "pip3", "sample"] {
                symlink(root.join("bin").join(name), bin.join(name)).unwrap();
            }
            scene.set("CI", "true");
            scene.path(&[&bin]);
        })
        .says("global-install", GLOBAL),
    ]
}

/// Debian's own Python.
fn debian(name: &str, build: impl FnOnce(&mut Scene) + Send + 'static) -> Situation {
    Situation::new(format!("machines::{name}"), build)
        .needs("Debian's Python", system().is_some() && Path::new("/usr/lib/python3/dist-packages").is_dir())
}

fn systems() -> Vec<Situation> {
    vec![
        debian("Debian's Python and a script that uses a package of apt's", |scene| {
            scene.write("list.py", "import json\nprint(json.dumps({}))\n");
            scene.works("python3 list.py");
        }),
        debian("Debian's Python with packages in the user site", |scene| {
            let minor = system().unwrap().minor;
            let user = scene.home().join(".local");
            let own = Python { minor, path: system().unwrap().path };
            support::install(&user, &own, "sample");
            scene.works("python3 -c 'import sample'");
            scene.asks("sample");
        }),
        debian("a venv of Debian's Python that sees apt's packages", |scene| {
            let venv = scene.project.join(".venv");
            run(Command::new(system().unwrap().path)
                .args(["-m", "venv", "--system-site-packages", "--without-pip"])
                .arg(&venv));
            support::give_pip(&system().unwrap(), &venv);
            scene.furnish(&venv, &system().unwrap());
            scene.activate(&venv);
            scene.works("python main.py");
        })
        .says("system-site-packages", "apt's packages are imported too"),
        debian("an application of uv's in ~/.local/bin", |scene| {
            let root = scene.home().join(".local/share/uv/tools/sample");
            scene.venv_at(&root, Creator::Uv, &system().unwrap());
            fs::remove_file(scene.project.join("requirements.txt")).unwrap();
            fs::remove_file(scene.project.join("main.py")).unwrap();
            fs::write(
                root.join("uv-receipt.toml"),
                "[tool]\nrequirements = [{ name = \"sample\" }]\nentrypoints = [{ name = \"sample\" }]\n",
            )
            .unwrap();
            application(scene, &root);
        })
        .needs("uv", tools().is_some()),
        debian("an application of pipx in ~/.local/bin", |scene| {
            let root = scene.home().join(".local/share/pipx/venvs/sample");
            scene.venv_at(&root, Creator::Venv, &system().unwrap());
            fs::remove_file(scene.project.join("requirements.txt")).unwrap();
            fs::remove_file(scene.project.join("main.py")).unwrap();
            application(scene, &root);
        }),
    ]
}

/// Its script, linked into `~/.local/bin`, which is on `PATH`.
fn application(scene: &mut Scene, root: &Path) {
    let bin = scene.home().join(".local/bin");
    fs::create_dir_all(&bin).unwrap();
    symlink(root.join("bin/sample"), bin.join("sample")).unwrap();
    scene.path(&[&bin]);
    scene.works("sample");
    scene.forget();
}
