//! How projects lie: monorepos, layouts, namespaces, odd paths, `.pth` files.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::scene::{Scene, Situation, middle, there};
use super::support::{self, Creator, put};

fn situation(name: &str, build: impl FnOnce(&mut Scene) + Send + 'static) -> Situation {
    Situation::new(format!("projects::{name}"), build).needs("a Python", middle().is_some())
}

fn active(scene: &mut Scene) -> PathBuf {
    let venv = scene.venv(Creator::Venv, &middle().unwrap());
    scene.activate(&venv);
    scene.works("python main.py");
    venv
}

fn packages(venv: &Path) -> PathBuf {
    middle().unwrap().site_packages(venv)
}

pub fn all() -> Vec<Situation> {
    [repositories(), layouts(), paths(), startup()].into_iter().flatten().collect()
}

const MEMBER: &str = "[project]\nname = \"NAME\"\nversion = \"1.0\"\nrequires-python = \">=3.9\"\ndependencies = [\"sample\"]\n";

fn repositories() -> Vec<Situation> {
    vec![
        situation("one venv at the root of a monorepo", |scene| {
            active(scene);
            for name in ["api", "worker"] {
                scene.write(&format!("services/{name}/pyproject.toml"), &MEMBER.replace("NAME", name));
                scene.write(&format!("services/{name}/{name}.py"), "import sample\n");
            }
            fs::create_dir_all(scene.project.join(".git")).unwrap();
            scene.from = scene.project.join("services/api");
            scene.retell(&["python api.py"]);
        }),
        situation("a venv of its own for every service", |scene| {
            fs::create_dir_all(scene.project.join(".git")).unwrap();
            for name in ["api", "worker"] {
                let venv = scene.project.join(name).join(".venv");
                scene.venv_at(&venv, Creator::Venv, &middle().unwrap());
                scene.write(&format!("{name}/pyproject.toml"), &MEMBER.replace("NAME", name));
            }
            let venv = scene.project.join("api/.venv");
            scene.activate(&venv);
            scene.from = scene.project.join("api");
            scene.works("python -c 'import sample'");
        }),
        situation("a workspace of uv's, from a member", |scene| {
            active(scene);
            scene.write(
                "pyproject.toml",
                &format!(
                    "{}\n[tool.uv.workspace]\nmembers = [\"packages/*\"]\n",
                    MEMBER.replace("NAME", "root")
                ),
            );
            scene.write("uv.lock", "version = 1\nrequires-python = \">=3.9\"\n");
            scene.write("packages/core/pyproject.toml", &MEMBER.replace("NAME", "core"));
            scene.write("packages/core/core.py", "import sample\n");
            scene.from = scene.project.join("packages/core");
            scene.retell(&["python core.py"]);
        }),
        situation("a second venv for the documentation", |scene| {
            active(scene);
            let docs = scene.project.join(".venv-docs");
            Creator::Venv.make(&middle().unwrap(), &docs);
        }),
        situation("tox and nox environments beside it", |scene| {
            active(scene);
            for name in [".tox/py311", ".tox/lint", ".nox/tests"] {
                let root = scene.project.join(name);
                fs::create_dir_all(root.parent().unwrap()).unwrap();
                Creator::Virtualenv.make(&middle().unwrap(), &root);
            }
            scene.write("tox.ini", "[tox]\nenvlist = py311, lint\n");
        })
        .needs("virtualenv", support::tools().is_some()),
        situation("__pypackages__ of pdm", |scene| {
            let minor = middle().unwrap().minor;
            let directory = scene.project.join("__pypackages__").join(&minor);
            fs::create_dir_all(directory.join("lib")).unwrap();
            fs::create_dir_all(directory.join("bin")).unwrap();
            fs::write(directory.join("lib/sample.py"), "def main(): print('ok')\n").unwrap();
            let metadata = directory.join("lib/sample-1.0.dist-info");
            fs::create_dir_all(&metadata).unwrap();
            fs::write(metadata.join("METADATA"), "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n")
                .unwrap();
            fs::write(metadata.join("INSTALLER"), "installer\n").unwrap();
            fs::write(
                metadata.join("RECORD"),
                "sample.py,,\nsample-1.0.dist-info/METADATA,,\nsample-1.0.dist-info/RECORD,,\n",
            )
            .unwrap();
            scene.write("pyproject.toml", &MEMBER.replace("NAME", "shop"));
            scene.write("main.py", "import sample\n");
            scene.write("pdm.lock", "[metadata]\n");
            scene.write(".pdm-python", &middle().unwrap().path.display().to_string());
            // `eval "$(pdm --pep582)"`
            let pep582 = scene.root().join("pep582");
            fs::create_dir_all(&pep582).unwrap();
            fs::write(pep582.join("sitecustomize.py"), "import os, sys\nsys.path.insert(1, os.path.join(os.getcwd(), '__pypackages__', '%d.%d' % sys.version_info[:2], 'lib'))\n").unwrap();
            scene.set("PYTHONPATH", pep582.display().to_string());
            let bin = middle().unwrap().path.parent().unwrap().to_path_buf();
            scene.path(&[&bin]);
            scene.works("python3 main.py");
        }),
    ]
}

fn layouts() -> Vec<Situation> {
    vec![
        situation("a flat layout that is not installed", |scene| {
            active(scene);
            scene.write("shop/__init__.py", "import sample\n");
            scene.write("shop/web.py", "from . import db\nfrom shop import db as same\n");
            scene.write("shop/db.py", "");
            scene.write("tests/test_shop.py", "import shop\nimport sample\n");
            scene.write("tests/__init__.py", "");
            scene.write("manage.py", "import shop.web\n");
            scene.works("python manage.py");
            scene.asks("shop");
        }),
        situation("a src layout, installed by a .pth", |scene| {
            let venv = active(scene);
            scene.write("src/shop/__init__.py", "import sample\n");
            scene.write("pyproject.toml", &MEMBER.replace("NAME", "shop"));
            editable(scene, &venv, "shop", "src");
            scene.works("python -c 'import shop'");
            scene.asks("shop");
        }),
        situation("a package of a namespace that others extend", |scene| {
            let venv = active(scene);
            let packages = packages(&venv);
            fs::create_dir_all(packages.join("zope/one")).unwrap();
            fs::write(packages.join("zope/one/__init__.py"), "").unwrap();
            scene.write("zope/two/__init__.py", "");
            scene.write("app.py", "import zope.one\nimport zope.two\n");
            scene.works("python app.py");
            scene.asks("zope.one");
        }),
        situation("a pkgutil-style namespace in two places", |scene| {
            let venv = active(scene);
            let line = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n";
            let packages = packages(&venv);
            fs::create_dir_all(packages.join("acme/one")).unwrap();
            fs::write(packages.join("acme/__init__.py"), line).unwrap();
            fs::write(packages.join("acme/one/__init__.py"), "").unwrap();
            scene.write("acme/__init__.py", line);
            scene.write("acme/two.py", "");
            scene.write("app.py", "import acme.one\nimport acme.two\n");
            scene.works("python app.py");
        }),
        situation("directories named like distributions", |scene| {
            active(scene);
            for name in ["docs", "build", "dist", "sample_data", "requests-mock", "test"] {
                scene.write(&format!("{name}/readme.txt"), "x");
            }
            scene.write("docs/conf.py", "project = 'x'\n");
        }),
        situation("Jupyter notebooks and data", |scene| {
            active(scene);
            scene.write(
                "explore.ipynb",
                "{\"cells\": [], \"metadata\": {}, \"nbformat\": 4, \"nbformat_minor\": 5}",
            );
            scene.write("data/x.csv", "a,b\n");
        }),
        situation("an editor that names the venv", |scene| {
            active(scene);
            scene.write(".vscode/settings.json", "{\n  // ours\n  \"python.defaultInterpreterPath\": \"${workspaceFolder}/.venv/bin/python\",\n}");
        }),
        situation("optional and conditional imports", |scene| {
            active(scene);
            scene.write("compat.py", "import sys\ntry:\n    import tomllib\nexcept ImportError:\n    import tomli as tomllib\ntry:\n    import ujson as json\nexcept ImportError:\n    import json\nif sys.platform == 'win32':\n    import winreg, win32api\nif sys.version_info < (3, 8):\n    import importlib_metadata\n");
            scene.works(if middle().unwrap().number() >= (3, 11) { "python compat.py" } else { "true" });
        }),
    ]
}

/// What flit, hatchling, poetry, pdm and maturin leave of an editable installation.
fn editable(scene: &Scene, venv: &Path, name: &str, source: &str) {
    let packages = packages(venv);
    let metadata = packages.join(format!("{name}-1.0.dist-info"));
    fs::create_dir_all(&metadata).unwrap();
    let directory = scene.project.join(source);
    fs::write(packages.join(format!("_{name}.pth")), format!("{}\n", directory.display())).unwrap();
    fs::write(metadata.join("METADATA"), format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"))
        .unwrap();
    fs::write(metadata.join("INSTALLER"), "pip\n").unwrap();
    let url =
        format!("{{\"dir_info\": {{\"editable\": true}}, \"url\": \"file://{}\"}}", scene.project.display());
    fs::write(metadata.join("direct_url.json"), url).unwrap();
    let lines = ["METADATA", "INSTALLER", "RECORD", "direct_url.json"]
        .map(|file| format!("{name}-1.0.dist-info/{file},,\n"));
    fs::write(metadata.join("RECORD"), format!("_{name}.pth,,\n{}", lines.concat())).unwrap();
}

fn paths() -> Vec<Situation> {
    let named = |name: &'static str| {
        situation(&format!("a directory named {name:?}"), move |scene| {
            scene.project = scene.root().join(name);
            fs::create_dir_all(&scene.project).unwrap();
            scene.from = scene.project.clone();
            let venv = scene.venv(Creator::Venv, &middle().unwrap());
            // installers write what a kernel can run
            let script = fs::read_to_string(venv.join("bin/pip")).unwrap();
            let body = script.split_once('\n').unwrap().1;
            for name in ["pip", "pip3", "sample"] {
                let own = if name == "sample" {
                    body.replace("pip._internal.cli.main", "sample")
                } else {
                    body.to_owned()
                };
                let trampoline = format!(
                    "#!/bin/sh\n'''exec' \"{}/bin/python\" \"$0\" \"$@\"\n' '''\n{own}",
                    venv.display()
                );
                fs::write(venv.join("bin").join(name), trampoline).unwrap();
            }
            scene.activate(&venv);
            scene.works("python main.py");
            scene.works("sample");
        })
    };
    vec![
        named("My Projects"),
        named("Büro – Überblick"),
        named("it's mine"),
        situation("a home behind a link", |scene| {
            active(scene);
            let link = scene.root().join("link");
            symlink(scene.root(), &link).unwrap();
            let seen = link.join("project");
            scene.from = seen.clone();
            scene.activate(&seen.join(".venv"));
            scene.set("HOME", link.join("home").display().to_string());
            scene.set("PWD", seen.display().to_string());
            scene.retell(&["python main.py"]);
            scene.forget();
        }),
        situation("a venv behind a link", |scene| {
            let venv = scene.root().join("fast-disk/venvs/shop");
            scene.venv_at(&venv, Creator::Venv, &middle().unwrap());
            let link = scene.project.join(".venv");
            symlink(&venv, &link).unwrap();
            scene.activate(&link);
            scene.works("python main.py");
        }),
        situation("a venv on another file system", |scene| {
            let directory = tempfile::Builder::new().prefix("doctor").tempdir_in("/dev/shm").unwrap();
            let venv = directory.path().join("venv");
            scene.venv_at(&venv, Creator::VenvCopies, &middle().unwrap());
            scene.activate(&venv);
            scene.works("python main.py");
            scene.keep(directory);
        })
        .needs("/dev/shm", there("/dev/shm")),
    ]
}

/// A `.pth` file of the environment, and modules that it needs.
fn with_pth(
    name: &'static str,
    pth: &'static str,
    text: &'static str,
    modules: &'static [&'static str],
) -> Situation {
    situation(name, move |scene| {
        let venv = active(scene);
        fs::write(packages(&venv).join(pth), text).unwrap();
        for module in modules {
            let file = packages(&venv).join(module);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "def process_startup(): pass\ndef add_shim(): pass\ndef main(): pass\n").unwrap();
        }
    })
}

/// The project declares these besides, and imports them.
fn requiring(scene: &Scene, names: &[&str]) {
    scene.write("requirements.txt", &format!("sample\n{}\n", names.join("\n")));
    scene.write("main.py", &format!("import sample, {}\n", names.join(", ")));
}

fn startup() -> Vec<Situation> {
    vec![
        with_pth(
            "the .pth of coverage",
            "a1_coverage.pth",
            "import sys; exec('try: import coverage; coverage.process_startup()\\nexcept: pass')\n",
            &["coverage.py"],
        ),
        with_pth(
            "the .pth of setuptools",
            "distutils-precedence.pth",
            "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; enabled and __import__('_distutils_hack').add_shim(); ",
            &["_distutils_hack/__init__.py"],
        ),
        with_pth(
            "the .pth of pywin32",
            "pywin32.pth",
            "# .pth file for the PyWin32 extensions\nwin32\nwin32\\lib\nPythonwin\n# And some hackery to deal with environments where the post_install script\n# isn't run.\nimport pywin32_bootstrap\n",
            &["pywin32_bootstrap.py"],
        ),
        with_pth(
            "a .pth with comments, blank lines and a directory that is not there",
            "a.pth",
            "# ours\n\n   \n/nowhere/shared/python\n",
            &[],
        ),
        with_pth(
            "a .pth of a namespace as setuptools wrote them",
            "zope.one-1.0-py3.11-nspkg.pth",
            "import sys, types, os;has_mfs = sys.version_info > (3, 5);p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('zope',));importlib = has_mfs and __import__('importlib.util');has_mfs and __import__('importlib.machinery');m = has_mfs and sys.modules.setdefault('zope', importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec('zope', [os.path.dirname(p)])));m = m or sys.modules.setdefault('zope', types.ModuleType('zope'));mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)\n",
            &["zope/one/__init__.py"],
        ),
        with_pth(
            "the .pth of pdb++, which names the directory that it adds",
            "pdbpp_hijack_pdb.pth",
            "import os; _pdbpp_path = f\"{os.path.sep}_pdbpp_path_hack\"; import sys; sys.path.insert(0, makepath(sitedir, \"_pdbpp_path_hack\")[0]) if int(os.environ.get('PDBPP_HIJACK_PDB', 1)) and not sys.path[0].endswith(_pdbpp_path) else None\n",
            &["_pdbpp_path_hack/pdb_of_ours.py"],
        ),
        situation("directories of dependencies, as Homebrew's lines of .pth files add them", |scene| {
            let packages = packages(&active(scene));
            let (deps, more) = (scene.root().join("opt/deps"), scene.root().join("opt/more"));
            let line = format!("import site; site.addsitedir('{}')\n", deps.display());
            fs::write(packages.join("homebrew_deps.pth"), line).unwrap();
            put(&deps, "brewed");
            fs::write(deps.join("more.pth"), format!("{}\n", more.display())).unwrap();
            put(&more, "further");
            requiring(scene, &["brewed", "further"]);
        }),
        situation("archives of a .pth line and of PYTHONPATH", |scene| {
            let packages = packages(&active(scene));
            let archive = |directory: &Path, file: &str, modules: &[&str]| {
                fs::create_dir_all(directory.join("EGG-INFO")).unwrap();
                fs::write(directory.join("EGG-INFO/PKG-INFO"), "Metadata-Version: 1.0\nName: egged\n").unwrap();
                for module in modules {
                    fs::write(directory.join(format!("{module}.py")), "").unwrap();
                }
                let mut zip = Command::new(&middle().unwrap().path);
                zip.args(["-m", "zipfile", "-c", file, "EGG-INFO"]);
                zip.args(modules.iter().map(|module| format!("{module}.py"))).current_dir(directory);
                assert!(zip.status().unwrap().success());
                directory.join(file)
            };
            let egg = archive(&scene.root().join("opt/eggs"), "egged-1.0-py3.egg", &["egg_module"]);
            fs::write(packages.join("easy-install.pth"), format!("{}\n", egg.display())).unwrap();
            let zip = archive(&scene.project.join("lib"), "lib.zip", &["zipped"]);
            fs::remove_file(scene.project.join("lib/zipped.py")).unwrap();
            scene.set("PYTHONPATH", zip.display().to_string());
            scene.write("requirements.txt", "sample\negged\n");
            scene.write("main.py", "import sample, egg_module, zipped\n");
        }),
        situation("a .pth line that appends a directory", |scene| {
            let packages = packages(&active(scene));
            let directory = scene.root().join("shared");
            let line = format!("import sys; sys.path.append('{}')\n", directory.display());
            fs::write(packages.join("shared.pth"), line).unwrap();
            put(&directory, "appended");
            requiring(scene, &["appended"]);
        })
        .may_say("missing-requirement"),
        situation("the sitecustomize of EasyBuild, which PYTHONPATH names", |scene| {
            active(scene);
            let apps = scene.root().join("apps");
            put(&apps.join("bundle/packages"), "built");
            let hook = apps.join("python");
            fs::create_dir_all(&hook).unwrap();
            let text = "import os, site\nfor prefix in os.environ.get('EBPYTHONPREFIXES', '').split(':'):\n    site.addsitedir(os.path.join(prefix, 'packages'))\n";
            fs::write(hook.join("sitecustomize.py"), text).unwrap();
            scene.set("PYTHONPATH", hook.display().to_string());
            scene.set("EBPYTHONPREFIXES", apps.join("bundle").display().to_string());
            requiring(scene, &["built"]);
        })
        .says("unexplained-import-path", "the hook adds what no file of the environment tells of")
        .may_say("missing-requirement"),
        situation("a bundle that pip install --target made, from inside", |scene| {
            active(scene);
            put(&scene.project.join("package"), "sample");
            scene.write("package/handler.py", "import sample\n");
            scene.from = scene.project.join("package");
            scene.retell(&["python handler.py"]);
            scene.forget();
        }),
        situation("a sitecustomize of the environment", |scene| {
            let venv = active(scene);
            fs::write(
                packages(&venv).join("sitecustomize.py"),
                "import sys\nsys.dont_write_bytecode = True\n",
            )
            .unwrap();
        }),
        situation("a usercustomize that a venv does not load", |scene| {
            active(scene);
            let user = scene
                .home()
                .join(".local/lib")
                .join(format!("python{}", middle().unwrap().minor))
                .join("site-packages");
            fs::create_dir_all(&user).unwrap();
            fs::write(user.join("usercustomize.py"), "import nothing_of_that_name\n").unwrap();
        }),
    ]
}
