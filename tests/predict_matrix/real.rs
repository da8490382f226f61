//! The interpreters and tools of this machine, and asking them.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use venv_doctor::imports::Reported;

pub const PROBE: &str = include_str!("probe.py");

#[derive(Debug)]
pub struct Interpreter {
    pub label: String,
    pub path: PathBuf,
    pub version: (u32, u32),
    pub pypy: bool,
}

/// pyenv's, the system's, or those that `VENV_DOCTOR_PYTHONS` lists.
pub fn interpreters() -> Vec<Interpreter> {
    let mut paths = Vec::new();
    match std::env::var_os("VENV_DOCTOR_PYTHONS") {
        Some(list) => paths.extend(std::env::split_paths(&list)),
        None => {
            let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from).unwrap_or_else(|| {
                PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".pyenv")
            });
            let versions = std::fs::read_dir(root.join("versions"));
            paths.extend(
                versions.into_iter().flatten().flatten().map(|entry| entry.path().join("bin/python")),
            );
            paths.push("/usr/bin/python3".into());
            paths.push("/usr/bin/pypy3".into());
        }
    }
    paths.sort();
    paths.into_iter().filter_map(describe).collect()
}

fn describe(path: PathBuf) -> Option<Interpreter> {
    let code =
        "import sys; print('%d.%d.%d %s' % (sys.version_info[:3] + (hasattr(sys, 'pypy_version_info'),)))";
    let output = Command::new(&path).args(["-c", code]).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (version, pypy) = text.trim().split_once(' ')?;
    let pypy = pypy == "True";
    let numbers: Vec<u32> = version.split('.').filter_map(|number| number.parse().ok()).collect();
    let place = if path.starts_with("/usr") { "system-" } else { "" };
    let label = format!("{place}{}{version}", if pypy { "pypy-" } else { "" });
    Some(Interpreter { label, path, version: (*numbers.first()?, *numbers.get(1)?), pypy })
}

pub struct Tools {
    pub virtualenv: Option<PathBuf>,
    pub uv: Option<PathBuf>,
}

impl Tools {
    pub fn find() -> Self {
        let mut places: Vec<PathBuf> = Vec::new();
        places.extend(std::env::var_os("VENV_DOCTOR_TOOLS").map(PathBuf::from));
        places.push(Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools/bin"));
        places.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
        let find = |name: &str| places.iter().map(|place| place.join(name)).find(|path| path.is_file());
        Tools { virtualenv: find("virtualenv"), uv: find("uv") }
    }
}

/// How one interpreter is started.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    pub executable: &'a Path,
    pub flags: &'a [&'a str],
    pub variables: &'a [(&'a str, OsString)],
    pub directory: &'a Path,
    pub script: Option<&'a Path>,
}

/// What it reported; Err with what it wrote when it did not start.
pub fn ask(run: &Run) -> Result<Reported, String> {
    let mut command = Command::new(run.executable);
    command.env_clear().envs(run.variables.iter().map(|(name, value)| (name, value)));
    command.current_dir(run.directory).stdin(Stdio::null()).args(run.flags);
    match run.script {
        Some(script) => command.arg(script),
        None => command.arg("-c").arg(PROBE),
    };
    let output = command.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let said = || String::from_utf8_lossy(&output.stderr).into_owned();
    let mut lines = text.lines().skip_while(|line| *line != "reported").skip(1);
    let mut reported = Reported::default();
    for line in &mut lines {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        let value = venv_doctor::imports::Spelling(bytes_of(value));
        match name {
            "path" => reported.path.push(value),
            "prefix" => reported.prefix = value,
            "exec_prefix" => reported.exec_prefix = value,
            "base_prefix" => reported.base_prefix = Some(value),
            "base_exec_prefix" => reported.base_exec_prefix = Some(value),
            "executable" => reported.executable = Some(value),
            "user_site_directory" => reported.user_site = Some(value),
            "user_site" => {
                reported.user_site_enabled = Some(match value.as_bytes() {
                    b"True" => Some(true),
                    b"False" => Some(false),
                    _ => None,
                });
            }
            "end" => return Ok(reported),
            _ => {}
        }
    }
    Err(said())
}

fn bytes_of(digits: &str) -> Vec<u8> {
    let value = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(value).collect()
}

/// This user's entry in the password file.
pub fn password_home() -> Option<PathBuf> {
    let user = rustix::process::getuid().as_raw().to_string();
    let text = std::fs::read("/etc/passwd").ok()?;
    text.split(|byte| *byte == b'\n').find_map(|line| {
        let fields: Vec<_> = line.split(|byte| *byte == b':').collect();
        (fields.get(2)? == &user.as_bytes()).then(|| PathBuf::from(OsString::from_vec(fields[5].to_vec())))
    })
}

pub fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}
