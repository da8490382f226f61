//! Real environments for tests: interpreters that are found, creators that are bootstrapped into the build
//! directory, and the doctor run from a real shell.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, OnceLock};

use serde_json::Value;

pub mod reliability;
pub mod schema;
pub mod strace;

/// An interpreter on this machine.
#[derive(Debug, Clone)]
pub struct Python {
    /// `3.11`
    pub minor: String,
    pub path: PathBuf,
}

impl Python {
    pub fn number(&self) -> (u32, u32) {
        let (major, minor) = self.minor.split_once('.').unwrap();
        (major.parse().unwrap(), minor.parse().unwrap())
    }

    /// Where an environment at that root that was made from this Python keeps its packages.
    pub fn site_packages(&self, root: &Path) -> PathBuf {
        root.join("lib").join(format!("python{}", self.minor)).join("site-packages")
    }
}

/// pyenv's versions and the system's, oldest first.
pub fn pythons() -> Vec<Python> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from).or_else(|| Some(home()?.join(".pyenv")));
    let mut found = Vec::new();
    for version in root.into_iter().flat_map(|root| fs::read_dir(root.join("versions")).into_iter().flatten())
    {
        let directory = version.unwrap().path();
        let name = directory.file_name().unwrap().to_string_lossy().into_owned();
        let minor: String = name.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
        let path = directory.join("bin").join(format!("python{minor}"));
        if path.is_file() {
            found.push(Python { minor, path });
        }
    }
    for minor in ["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"] {
        let path = PathBuf::from(format!("/usr/bin/python{minor}"));
        if path.is_file() {
            found.push(Python { minor: minor.to_owned(), path });
        }
    }
    found.sort_by_key(|python| (python.number(), python.path.clone()));
    found
}

fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").map(PathBuf::from)
}

/// Whether everything is to be run, and not the fixed sample.
pub fn full() -> bool {
    std::env::var_os("VENV_DOCTOR_FULL").is_some()
}

/// Programs that make environments, installed once into the build directory.
pub struct Tools {
    pub uv: PathBuf,
    pub virtualenv: PathBuf,
    /// The last virtualenv that makes environments for 2.7 and 3.6.
    pub old_virtualenv: PathBuf,
}

/// None when they cannot be installed here: no network, or no Python to install them with.
pub fn tools() -> Option<&'static Tools> {
    static TOOLS: OnceLock<Option<Tools>> = OnceLock::new();
    TOOLS.get_or_init(install_tools).as_ref()
}

fn install_tools() -> Option<Tools> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools");
    fs::create_dir_all(&directory).ok()?;
    let lock = fs::File::create(directory.join("lock")).ok()?;
    lock.lock().ok()?;
    let ready = directory.join("ready");
    let newest = pythons().into_iter().rfind(|python| python.number() >= (3, 9))?;
    if !ready.exists() {
        for (name, packages) in [("new", &["uv", "virtualenv"][..]), ("old", &["virtualenv<20.22"][..])] {
            let place = directory.join(name);
            let made =
                Command::new(&newest.path).args(["-m", "venv", "--clear"]).arg(&place).status().ok()?;
            let pip = Command::new(place.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(packages)
                .status()
                .ok()?;
            if !made.success() || !pip.success() {
                return None;
            }
        }
        fs::write(&ready, "").ok()?;
    }
    Some(Tools {
        uv: directory.join("new/bin/uv"),
        virtualenv: directory.join("new/bin/virtualenv"),
        old_virtualenv: directory.join("old/bin/virtualenv"),
    })
}

/// A situation of its own: a home, a project, a complete set of variables.
pub struct Place {
    root: PathBuf,
    /// None: it is kept after the test.
    _directory: Option<tempfile::TempDir>,
    pub project: PathBuf,
    pub variables: BTreeMap<String, String>,
}

impl Place {
    /// A project whose healthy venv, active, holds one distribution; its root and its Python.
    pub fn with_sample() -> (Place, PathBuf, Python) {
        let python = pythons().into_iter().rfind(|python| python.number() >= (3, 8)).expect("a Python 3");
        let mut place = Place::new();
        let venv = place.project.join(".venv");
        run(Command::new(&python.path).args(["-m", "venv", "--without-pip"]).arg(&venv));
        install(&venv, &python, "sample");
        entry_script(&venv, "sample", "sample");
        place.activate(&venv);
        place.write("requirements.txt", "sample\n");
        (place, venv, python)
    }

    pub fn new() -> Place {
        let directory = tempfile::Builder::new().prefix("doctor").tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        Place { _directory: Some(directory), ..Place::at(&root) }
    }

    /// One that is kept, and may have been built before.
    pub fn at(root: &Path) -> Place {
        let root = root.to_path_buf();
        let project = root.join("project");
        fs::create_dir_all(&project).unwrap();
        fs::create_dir_all(root.join("home")).unwrap();
        let variables = [
            ("HOME", root.join("home").display().to_string()),
            ("USER", "me".to_owned()),
            ("SHELL", "/bin/bash".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("TERM", "xterm".to_owned()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
        ];
        Place {
            root,
            _directory: None,
            project,
            variables: variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }

    pub fn root(&self) -> PathBuf {
        self.root.clone()
    }

    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    /// What an activate script leaves in the environment.
    pub fn activate(&mut self, venv: &Path) {
        self.set("VIRTUAL_ENV", venv.display().to_string());
        self.set("PATH", format!("{}/bin:/usr/local/bin:/usr/bin:/bin", venv.display()));
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.project.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs the doctor as bash's child, as an interactive shell would be its parent.
    pub fn doctor(&self, arguments: &[&str]) -> Output {
        self.doctor_in(&self.project, arguments)
    }

    pub fn doctor_in(&self, directory: &Path, arguments: &[&str]) -> Output {
        self.doctor_reading(Stdio::null(), directory, arguments)
    }

    /// With that as its standard input.
    pub fn doctor_reading(&self, input: Stdio, directory: &Path, arguments: &[&str]) -> Output {
        reliability::ran(1);
        Command::new("/bin/bash")
            .args(["-c", "\"$0\" \"$@\"; exit $?", env!("CARGO_BIN_EXE_venv-doctor")])
            .args(arguments)
            .current_dir(directory)
            .env_clear()
            .envs(&self.variables)
            .stdin(input)
            .output()
            .unwrap()
    }

    pub fn report(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.extend(["--format", "json"]);
        let output = self.doctor(&all);
        let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("no JSON ({error}): {}{}", text(&output.stdout), text(&output.stderr))
        });
        let command = arguments.first().copied().unwrap_or_default();
        schema::validate(if ["path", "why"].contains(&command) { command } else { "report" }, &report);
        report
    }

    /// Runs a command line in this situation's bash.
    pub fn bash(&self, script: &str) -> Output {
        reliability::ran(script.matches(env!("CARGO_BIN_EXE_venv-doctor")).count());
        Command::new("/bin/bash")
            .args(["-c", script])
            .current_dir(&self.project)
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `severity check` of every finding that is no mere info.
pub fn loud(report: &Value) -> Vec<String> {
    findings(report).into_iter().filter(|finding| !finding.starts_with("info ")).collect()
}

pub fn findings(report: &Value) -> Vec<String> {
    let name = |finding: &Value| {
        format!("{} {}", finding["severity"].as_str().unwrap(), finding["check"].as_str().unwrap())
    };
    report["findings"].as_array().unwrap().iter().map(name).collect()
}

/// The commands of the first finding's first remedy.
pub fn cure(report: &Value) -> String {
    let commands = report["findings"][0]["remedies"][0]["commands"].as_array().cloned().unwrap_or_default();
    commands.iter().map(|command| command.as_str().unwrap().to_owned()).collect::<Vec<_>>().join("\n")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creator {
    Venv,
    VenvCopies,
    Virtualenv,
    Uv,
}

impl Creator {
    pub fn label(self) -> &'static str {
        match self {
            Creator::Venv => "venv",
            Creator::VenvCopies => "venv --copies",
            Creator::Virtualenv => "virtualenv",
            Creator::Uv => "uv",
        }
    }

    /// Why it cannot make an environment of this Python here.
    pub fn cannot(self, python: &Python) -> Option<&'static str> {
        match self {
            Creator::Venv | Creator::VenvCopies if python.number() < (3, 3) => {
                Some("there is no venv before 3.3")
            }
            Creator::Uv if python.number() < (3, 8) => Some("uv supports 3.8 and later"),
            Creator::Virtualenv | Creator::Uv if tools().is_none() => {
                Some("the tools cannot be installed here")
            }
            _ => None,
        }
    }

    /// Makes an environment with pip at `root`.
    pub fn make(self, python: &Python, root: &Path) {
        match self {
            Creator::Venv => venv(python, root, &[]),
            Creator::VenvCopies => venv(python, root, &["--copies"]),
            Creator::Virtualenv => {
                let tools = tools().unwrap();
                let program =
                    if python.number() < (3, 9) { &tools.old_virtualenv } else { &tools.virtualenv };
                run(Command::new(program)
                    .args(["--quiet", "--no-download", "-p"])
                    .arg(&python.path)
                    .arg(root));
            }
            Creator::Uv => {
                let uv = &tools().unwrap().uv;
                run(Command::new(uv)
                    .args(["venv", "--quiet", "--no-config", "--python"])
                    .arg(&python.path)
                    .arg(root));
            }
        }
    }
}

fn venv(python: &Python, root: &Path, options: &[&str]) {
    run(Command::new(&python.path).args(["-m", "venv", "--without-pip"]).args(options).arg(root));
    give_pip(python, root);
}

/// Gives it the pip that the interpreter brings along: what `ensurepip` does, in a tenth of the time.
pub fn give_pip(python: &Python, root: &Path) {
    let packages = python.site_packages(root);
    link_tree(&bundled_pip(python), &packages);
    // where `main` has been since pip 20
    let today = packages.join("pip/_internal/cli/main.py").exists();
    let module = if today { "pip._internal.cli.main" } else { "pip._internal" };
    for name in ["pip", "pip3"] {
        entry_script(root, name, module);
    }
}

/// It, unpacked once.
fn bundled_pip(python: &Python) -> PathBuf {
    static UNPACKING: Mutex<()> = Mutex::new(());
    let _guard = UNPACKING.lock();
    let name = python.path.display().to_string().replace('/', "_");
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pip").join(name);
    fs::create_dir_all(&directory).unwrap();
    let lock = fs::File::create(directory.join("lock")).unwrap();
    lock.lock().unwrap();
    let unpacked = directory.join("unpacked");
    let program = "import ensurepip, os, sys, zipfile\n\
        d = os.path.join(os.path.dirname(ensurepip.__file__), '_bundled')\n\
        d = d if os.path.isdir(d) else '/usr/share/python-wheels'\n\
        w = [f for f in os.listdir(d) if f.startswith('pip-')][0]\n\
        zipfile.ZipFile(os.path.join(d, w)).extractall(sys.argv[1])";
    if !directory.join("ready").is_file() {
        run(Command::new(&python.path).args(["-c", program]).arg(&unpacked));
        fs::write(directory.join("ready"), "").unwrap();
    }
    unpacked
}

/// The same files under other names, or copies where that cannot be.
fn link_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            link_tree(&source, &target);
        } else if fs::hard_link(&source, &target).is_err() {
            fs::copy(&source, &target).unwrap();
        }
    }
}

/// A script as installers write it.
pub fn entry_script(root: &Path, name: &str, module: &str) -> PathBuf {
    let path = root.join("bin").join(name);
    let text = format!(
        "#!{}/bin/python\n# -*- coding: utf-8 -*-\nimport re\nimport sys\nfrom {module} import main\nif __name__ == '__main__':\n    sys.exit(main())\n",
        root.display()
    );
    fs::write(&path, text).unwrap();
    executable(&path, true);
    path
}

pub fn executable(path: &Path, on: bool) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(if on { 0o755 } else { 0o644 })).unwrap();
}

/// A distribution with one module of the same name, as pip leaves it.
pub fn install(root: &Path, python: &Python, name: &str) {
    put(&python.site_packages(root), name);
}

/// The same in any directory.
pub fn put(packages: &Path, name: &str) {
    let metadata = packages.join(format!("{name}-1.0.dist-info"));
    fs::create_dir_all(&metadata).unwrap();
    fs::write(packages.join(format!("{name}.py")), "def main(): print('ok')\n").unwrap();
    fs::write(metadata.join("METADATA"), format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"))
        .unwrap();
    fs::write(metadata.join("INSTALLER"), "pip\n").unwrap();
    fs::write(metadata.join("RECORD"), format!("{name}.py,,\n{name}-1.0.dist-info/METADATA,,\n{name}-1.0.dist-info/INSTALLER,,\n{name}-1.0.dist-info/RECORD,,\n")).unwrap();
}

pub fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
}
