//! A project that is installed editable, by each backend in each of its ways, for real.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::scene::{Scene, Situation, middle};
use super::support::{Creator, run, tools};

struct Backend {
    name: &'static str,
    requires: &'static str,
    backend: &'static str,
    /// Where the package lies.
    source: &'static str,
    /// More of `pyproject.toml`.
    more: &'static str,
    options: &'static [&'static str],
}

const BACKENDS: &[Backend] = &[
    Backend {
        name: "setuptools with src",
        requires: "setuptools",
        backend: "setuptools.build_meta",
        source: "src",
        more: "",
        options: &[],
    },
    Backend {
        name: "setuptools with a finder",
        requires: "setuptools",
        backend: "setuptools.build_meta",
        source: "",
        more: "[tool.setuptools]\npackages = [\"shop\"]\n",
        options: &[],
    },
    Backend {
        name: "setuptools compat",
        requires: "setuptools",
        backend: "setuptools.build_meta",
        source: "",
        more: "[tool.setuptools]\npackages = [\"shop\"]\n",
        options: &["--config-setting", "editable_mode=compat"],
    },
    Backend {
        name: "setuptools strict",
        requires: "setuptools",
        backend: "setuptools.build_meta",
        source: "src",
        more: "",
        options: &["--config-setting", "editable_mode=strict"],
    },
    Backend {
        name: "flit",
        requires: "flit_core",
        backend: "flit_core.buildapi",
        source: "",
        more: "",
        options: &[],
    },
    Backend {
        name: "hatchling",
        requires: "hatchling",
        backend: "hatchling.build",
        source: "src",
        more: "",
        options: &[],
    },
    Backend {
        name: "hatchling with an entry of the package alone",
        requires: "hatchling",
        backend: "hatchling.build",
        source: "",
        more: "[tool.hatch.build]\ndev-mode-exact = true\n[tool.hatch.build.targets.wheel]\npackages = [\"shop\"]\n",
        // uv goes by the project's own list, where the backend adds this one
        options: &["editables"],
    },
    Backend {
        name: "pdm-backend",
        requires: "pdm-backend",
        backend: "pdm.backend",
        source: "src",
        more: "",
        options: &[],
    },
    Backend {
        name: "pdm-backend with editables",
        requires: "pdm-backend",
        backend: "pdm.backend",
        source: "src",
        more: "[tool.pdm.build]\neditable-backend = \"editables\"\n",
        options: &["editables"],
    },
    Backend {
        name: "poetry-core",
        requires: "poetry-core",
        backend: "poetry.core.masonry.api",
        source: "src",
        more: "",
        options: &[],
    },
    Backend {
        name: "uv_build",
        requires: "uv_build",
        backend: "uv_build",
        source: "src",
        more: "",
        options: &[],
    },
    Backend {
        name: "scikit-build-core",
        requires: "scikit-build-core",
        backend: "scikit_build_core.build",
        source: "src",
        more: "[tool.scikit-build]\nwheel.cmake = false\nwheel.packages = [\"src/shop\"]\n",
        options: &[],
    },
    Backend {
        name: "meson-python",
        requires: "meson-python\", \"ninja",
        backend: "mesonpy",
        source: "",
        more: "",
        options: &["--no-build-isolation"],
    },
];

pub fn all() -> Vec<Situation> {
    let mut all: Vec<Situation> = BACKENDS.iter().map(of_backend).collect();
    all.push(
        situation("setup.py develop", |scene| {
            let venv = scene.project.join(".venv");
            scene.once(|scene| {
                project(scene, "", "");
                Creator::Venv.make(&middle().unwrap(), &venv);
                let setup = "from setuptools import setup\nsetup(name='shop', version='1.0', packages=['shop'], entry_points={'console_scripts': ['shop = shop:main']})\n";
                scene.write("setup.py", setup);
                uv_install(scene, &venv, &["setuptools<64"]);
                run(Command::new(venv.join("bin/python"))
                    .args(["setup.py", "-q", "develop"])
                    .current_dir(&scene.project));
            });
            works(scene, &venv);
        }),
    );
    all.push(situation("flit install --symlink", |scene| {
        let venv = scene.project.join(".venv");
        scene.once(|scene| {
            let backend =
                "[build-system]\nrequires = [\"flit_core\"]\nbuild-backend = \"flit_core.buildapi\"\n";
            project(scene, "", backend);
            Creator::Venv.make(&middle().unwrap(), &venv);
            uv_install(scene, &venv, &["flit"]);
            run(Command::new(venv.join("bin/python"))
                .args(["-m", "flit", "install", "--symlink"])
                .current_dir(&scene.project)
                .env("FLIT_ROOT_INSTALL", "1"));
        });
        works(scene, &venv);
    }));
    all.push(situation("uv, in a directory whose name needs quotes", |scene| {
        scene.project = scene.root().join("it's $5 & \"x\"");
        scene.from = scene.project.clone();
        let venv = scene.project.join(".venv");
        scene.once(|scene| {
            let backend = "[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n";
            project(scene, "src", backend);
            Creator::Venv.make(&middle().unwrap(), &venv);
            uv_install(scene, &venv, &["pip", "--reinstall", "-e", "."]);
        });
        works(scene, &venv);
    }));
    all
}

fn situation(name: &str, build: impl FnOnce(&mut Scene) + Send + 'static) -> Situation {
    Situation::new(format!("editables::{name}"), build)
        .needs("uv", tools().is_some())
        .needs("a Python", middle().is_some())
        .kept()
}

fn of_backend(backend: &'static Backend) -> Situation {
    situation(backend.name, move |scene| {
        let venv = scene.project.join(".venv");
        scene.once(|scene| {
            let table = format!(
                "[build-system]\nrequires = [\"{}\"]\nbuild-backend = \"{}\"\n{}",
                backend.requires, backend.backend, backend.more
            );
            project(scene, backend.source, &table);
            scene.write("meson.build", "project('shop', version: '1.0')\npy = import('python').find_installation(pure: true)\npy.install_sources('shop/__init__.py', 'shop/web.py', subdir: 'shop')\n");
            Creator::Venv.make(&middle().unwrap(), &venv);
            if backend.options.contains(&"--no-build-isolation") {
                uv_install(scene, &venv, &["meson-python", "meson", "ninja"]);
            }
            uv_install(scene, &venv, &[backend.options, &["-e", "."]].concat());
        });
        works(scene, &venv);
    })
}

fn project(scene: &Scene, source: &str, table: &str) {
    fs::create_dir_all(&scene.project).unwrap();
    let package = Path::new(source).join("shop").display().to_string();
    scene.write(
        &format!("{package}/__init__.py"),
        "\"\"\"A shop.\"\"\"\n__version__ = '1.0'\n\n\ndef main():\n    pass\n",
    );
    scene.write(&format!("{package}/web.py"), "import shop\n");
    if !table.is_empty() {
        let project = "[project]\nname = \"shop\"\nversion = \"1.0\"\ndescription = \"A shop.\"\nrequires-python = \">=3.9\"\n\n[project.scripts]\nshop = \"shop:main\"\n\n";
        scene.write("pyproject.toml", &format!("{project}{table}"));
    }
}

fn uv_install(scene: &Scene, venv: &Path, arguments: &[&str]) {
    let path = format!("{}/bin:/usr/local/bin:/usr/bin:/bin", venv.display());
    run(Command::new(&tools().unwrap().uv)
        .args(["pip", "install", "--quiet", "--no-config", "--python"])
        .arg(venv)
        .args(arguments)
        .env("PATH", path)
        .current_dir(&scene.project));
}

fn works(scene: &mut Scene, venv: &Path) {
    scene.activate(venv);
    scene.works("cd / && python -c 'import shop.web'");
    scene.works("shop");
    scene.asks("shop");
    scene.asks("shop.web");
}
