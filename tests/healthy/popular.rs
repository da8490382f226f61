//! Large environments of what people install from PyPI, on three Pythons: not one warning, and `why` tells of their modules
//! what the interpreter tells.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::scene::{Scene, Situation, python, store};
use super::support::{Creator, run, tools};

/// Distributions with their versions and markers; `uv pip compile --universal` worked out what goes together.
const LIST: &str = include_str!("popular.txt");
/// Fewer would prove little.
const LEAST: usize = 150;

/// Modules that most environments of the list have: packages, single files, compiled ones, namespaces, parts of those.
const MODULES: [&str; 34] = [
    "requests",
    "numpy",
    "numpy.linalg",
    "pandas",
    "scipy.sparse",
    "six",
    "typing_extensions",
    "yaml",
    "PIL.Image",
    "google.protobuf",
    "google.cloud.storage",
    "google.api_core",
    "zope.interface",
    "zope.event",
    "paste.deploy",
    "repoze.lru",
    "jaraco.functools",
    "ruamel.yaml",
    "sphinxcontrib.applehelp",
    "azure.core",
    "azure.identity",
    "opentelemetry.sdk",
    "backports.tarfile",
    "attr",
    "attrs",
    "dateutil.parser",
    "cv2",
    "sklearn",
    "lxml.etree",
    "_cffi_backend",
    "setuptools",
    "pkg_resources",
    "distutils",
    "mypy.build",
];

pub fn all() -> Vec<Situation> {
    ["3.9", "3.11", "3.13"].into_iter().map(one).collect()
}

fn one(minor: &'static str) -> Situation {
    Situation::new(format!("popular::{minor}"), move |scene| {
        let venv = scene.project.join(".venv");
        scene.once(|scene| build(scene, minor, &venv));
        scene.activate(&venv);
        let installed = distributions(&venv, minor);
        assert!(installed >= LEAST, "only {installed} distributions are installed");
        for module in MODULES {
            scene.asks_of_either(module);
        }
        scene.works("python -c 'import requests, numpy, pandas'");
    })
    .needs("uv", tools().is_some())
    .needs("a Python", python(minor).is_some())
    .kept()
}

fn build(scene: &Scene, minor: &str, venv: &Path) {
    Creator::Venv.make(&python(minor).unwrap(), venv);
    let list = store().join("popular.txt");
    fs::write(&list, LIST).unwrap();
    run(Command::new(&tools().unwrap().uv)
        .args(["pip", "install", "--quiet", "--no-config", "--no-deps", "--only-binary", ":all:", "--python"])
        .arg(venv)
        .arg("-r")
        .arg(&list)
        .current_dir(&scene.project));
    let imports = "import requests\nimport numpy as np\nimport pandas\nfrom google.cloud import storage\nfrom zope.interface import Interface\nimport yaml\nfrom PIL import Image\nimport cv2\nimport attr\nimport pytest\n";
    scene.write("app.py", imports);
    scene.write("requirements.txt", "requests\nnumpy\npandas\ngoogle-cloud-storage\nzope.interface\nPyYAML\nPillow\nopencv-python-headless\nattrs\npytest\n");
}

fn distributions(venv: &Path, minor: &str) -> usize {
    let packages = venv.join(format!("lib/python{minor}/site-packages"));
    let listing = fs::read_dir(packages).unwrap().flatten();
    listing.filter(|entry| entry.file_name().to_string_lossy().ends_with(".dist-info")).count()
}
