//! What is measured in: environments of real distributions, and synthetic ones of any size; and the peers' own.
//! Everything is kept below `target/peers` and made once.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Pins with markers, for `uv pip install`.
const PINS: &str = include_str!("distributions.txt");
const TOOLS: [&str; 4] = ["uv", "pip", "pipdeptree", "pyfirstaid"];

/// A project with its own environment.
pub struct Project {
    pub name: String,
    pub directory: PathBuf,
}

impl Project {
    pub fn python(&self) -> String {
        self.directory.join(".venv/bin/python").display().to_string()
    }
}

pub struct Cache {
    root: PathBuf,
}

impl Cache {
    pub fn new() -> Cache {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("peers");
        fs::create_dir_all(&root).unwrap();
        Cache { root }
    }

    /// An empty home directory, so that no configuration of this machine's user is measured.
    pub fn home(&self) -> PathBuf {
        let home = self.root.join("home");
        fs::create_dir_all(&home).unwrap();
        home
    }

    /// Where `uv` keeps what it knows of interpreters and wheels: warm after the first round.
    pub fn uv_cache(&self) -> PathBuf {
        self.root.join("uv-cache")
    }

    /// The peers that could be installed, in one environment of their own. None: there is no Python or no network.
    pub fn tools(&self) -> Option<PathBuf> {
        let venv = self.root.join("tools");
        let bin = venv.join("bin");
        once(&venv, &TOOLS.join(" "), || {
            let made = run(Command::new("python3").args(["-m", "venv"]).arg(&venv));
            made && run(Command::new(bin.join("pip")).args(["install", "--quiet", "--upgrade"]).args(TOOLS))
        })
        .then_some(bin)
    }

    /// The pinned distributions on that Python (`3.11`). None where the Python is missing or something is not to be
    /// had.
    pub fn real(&self, version: &str, tools: &Path) -> Option<Project> {
        let python = interpreter(version)?;
        let directory = self.root.join(format!("project-{version}"));
        let pins = self.root.join("distributions.txt");
        fs::write(&pins, PINS).unwrap();
        once(&directory, PINS, || {
            let venv = directory.join(".venv");
            write_project(&directory, "dependencies = [\"django\", \"numpy\", \"pandas\", \"celery\"]");
            let uv = || {
                let mut command = Command::new(tools.join("uv"));
                command.env("UV_CACHE_DIR", self.uv_cache()).env_remove("VIRTUAL_ENV");
                command
            };
            run(uv().args(["venv", "--quiet", "--python"]).arg(&python).arg(&venv))
                && run(uv()
                    .args(["pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--python"])
                    .arg(venv.join("bin/python"))
                    .arg("--requirement")
                    .arg(&pins))
        })
        .then(|| Project { name: format!("300 distributions, Python {version}"), directory })
    }

    /// So many small distributions, each with a module, its metadata and (every third) an entry script.
    pub fn synthetic(&self, count: usize) -> Option<Project> {
        let directory = self.root.join(format!("synthetic-{count}"));
        once(&directory, "1", || {
            let venv = directory.join(".venv");
            write_project(&directory, "dependencies = [\"package0\"]");
            run(Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(&venv))
                && fill(&venv, count).is_some()
        })
        .then(|| Project { name: format!("{count} distributions"), directory })
    }
}

/// Makes a directory anew unless it was made from the same plan.
fn once(directory: &Path, plan: &str, make: impl FnOnce() -> bool) -> bool {
    let stamp = directory.join(".made-from");
    if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == plan) {
        return true;
    }
    if directory.exists() {
        fs::remove_dir_all(directory).unwrap();
    }
    fs::create_dir_all(directory).unwrap();
    let made = make();
    if made {
        fs::write(stamp, plan).unwrap();
    }
    made
}

fn run(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// `python3.11` of `PATH`, else pyenv's newest of that minor version.
fn interpreter(version: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let name = format!("python{version}");
    let on_path = std::env::split_paths(&path).map(|directory| directory.join(&name));
    let pyenv = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv")));
    let mut versions: Vec<PathBuf> = pyenv
        .and_then(|root| fs::read_dir(root.join("versions")).ok())
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{version}.")))
        })
        .map(|path| path.join("bin").join(&name))
        .collect();
    versions.sort();
    // a shim is a script that starts another program first
    on_path.filter(|path| !path.to_string_lossy().contains("/shims/")).chain(versions.into_iter().rev()).find(
        |path| {
            Command::new(path)
                .args(["-c", "import venv"])
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        },
    )
}

fn write_project(directory: &Path, dependencies: &str) {
    let package = directory.join("src/shop");
    fs::create_dir_all(&package).unwrap();
    let text = format!("[project]\nname = \"shop\"\nversion = \"1.0\"\n{dependencies}\n");
    fs::write(directory.join("pyproject.toml"), text).unwrap();
    fs::write(package.join("__init__.py"), "").unwrap();
    for number in 0..30 {
        let text = format!("import os\nimport sys\n\n\ndef function{number}(value):\n    return value\n");
        fs::write(package.join(format!("module{number}.py")), text).unwrap();
    }
}

fn fill(venv: &Path, count: usize) -> Option<()> {
    let library = fs::read_dir(venv.join("lib")).ok()?.next()?.ok()?.path();
    let site_packages = library.join("site-packages");
    for number in 0..count {
        let name = format!("package{number}");
        let metadata = site_packages.join(format!("{name}-1.{number}.dist-info"));
        fs::create_dir_all(&metadata).unwrap();
        fs::create_dir_all(site_packages.join(&name)).unwrap();
        fs::write(site_packages.join(&name).join("__init__.py"), "").unwrap();
        let headers = format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.{number}\n");
        fs::write(metadata.join("METADATA"), headers).unwrap();
        fs::write(metadata.join("INSTALLER"), "pip\n").unwrap();
        fs::write(metadata.join("WHEEL"), "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            .unwrap();
        fs::write(metadata.join("RECORD"), format!("{name}/__init__.py,,\n")).unwrap();
        if number % 3 == 0 {
            let script = venv.join("bin").join(&name);
            let text = format!(
                "#!{}/bin/python\nimport sys\nfrom {name} import main\nsys.exit(main())\n",
                venv.display()
            );
            fs::write(&script, text).unwrap();
            fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    Some(())
}
