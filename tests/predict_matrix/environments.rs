//! Environments of every kind, made by their own tools.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::real::{Interpreter, Tools};

/// An interpreter to be asked, by the path it is started with.
pub struct Subject {
    pub label: String,
    pub executable: PathBuf,
}

/// Every environment that can be made for one interpreter; what cannot goes to `not_run`.
pub fn subjects(
    root: &Path,
    interpreter: &Interpreter,
    tools: &Tools,
    not_run: &mut Vec<String>,
) -> Vec<Subject> {
    let mut subjects = vec![Subject { label: "base".to_owned(), executable: interpreter.path.clone() }];
    let mut add = |label: &str, executable: Option<PathBuf>| match executable {
        Some(executable) => subjects.push(Subject { label: label.to_owned(), executable }),
        None => not_run.push(format!("{label} of {}", interpreter.label)),
    };
    let kinds: [(&str, &[&str]); 4] = [
        ("venv", &[]),
        ("venv --system-site-packages", &["--system-site-packages"]),
        ("venv --copies", &["--copies"]),
        ("venv --copies --system-site-packages", &["--copies", "--system-site-packages"]),
    ];
    if interpreter.version >= (3, 3) {
        for (index, (label, options)) in kinds.iter().enumerate() {
            add(label, venv(interpreter, &root.join(format!("venv {index}")), options));
        }
        add("moved venv", moved(root, interpreter, &[]));
        add("moved venv --copies", moved(root, interpreter, &["--copies"]));
        add("venv behind a link", behind_link(root, interpreter));
        add("link to a venv's python", link_outside(root));
        add("venv without pyvenv.cfg", without_config(root, interpreter));
        add("pyvenv.cfg in bin", config_in_bin(root, interpreter));
    }
    add("link to base", link_to_base(root, interpreter, false));
    add("relative link to base", link_to_base(root, interpreter, true));
    let options: [(&str, &[&str]); 2] = [("", &[]), (" --system-site-packages", &["--system-site-packages"])];
    for (suffix, options) in options {
        if let Some(tool) = &tools.virtualenv {
            let target = root.join(format!("virtualenv{suffix}"));
            let made =
                made_by(tool, &["--without-pip", "--no-vcs-ignore", "-p"], interpreter, options, &target);
            add(&format!("virtualenv{suffix}"), made);
        }
        if let Some(tool) = &tools.uv {
            let target = root.join(format!("uv{suffix}"));
            let made =
                made_by(tool, &["venv", "--offline", "--no-project", "-p"], interpreter, options, &target);
            add(&format!("uv{suffix}"), made);
        }
    }
    subjects
}

fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).output().is_ok_and(|output| output.status.success())
}

pub fn venv(interpreter: &Interpreter, target: &Path, options: &[&str]) -> Option<PathBuf> {
    let mut command = Command::new(&interpreter.path);
    command.args(["-I", "-m", "venv", "--without-pip"]).args(options).arg(target);
    succeeds(&mut command).then(|| target.join("bin/python"))
}

fn made_by(
    tool: &Path,
    arguments: &[&str],
    interpreter: &Interpreter,
    options: &[&str],
    target: &Path,
) -> Option<PathBuf> {
    let mut command = Command::new(tool);
    command.args(arguments).arg(&interpreter.path).args(options).arg(target);
    let python = target.join("bin/python");
    (succeeds(&mut command) && python.exists()).then_some(python)
}

fn moved(root: &Path, interpreter: &Interpreter, options: &[&str]) -> Option<PathBuf> {
    let name = options.join("");
    let (from, to) = (root.join(format!("from{name}")), root.join(format!("moved{name}")));
    venv(interpreter, &from, options)?;
    std::fs::rename(&from, &to).ok()?;
    Some(to.join("bin/python"))
}

fn behind_link(root: &Path, interpreter: &Interpreter) -> Option<PathBuf> {
    let (target, link) = (root.join("linked"), root.join("behind a link"));
    venv(interpreter, &target, &[])?;
    symlink(&target, &link).ok()?;
    Some(link.join("bin/python"))
}

fn link_outside(root: &Path) -> Option<PathBuf> {
    let link = root.join("outside/bin/tool");
    std::fs::create_dir_all(link.parent()?).ok()?;
    symlink(root.join("linked/bin/python"), &link).ok()?;
    Some(link)
}

fn without_config(root: &Path, interpreter: &Interpreter) -> Option<PathBuf> {
    let target = root.join("no config");
    let python = venv(interpreter, &target, &[])?;
    std::fs::remove_file(target.join("pyvenv.cfg")).ok()?;
    Some(python)
}

fn config_in_bin(root: &Path, interpreter: &Interpreter) -> Option<PathBuf> {
    let target = root.join("config in bin");
    let python = venv(interpreter, &target, &[])?;
    std::fs::rename(target.join("pyvenv.cfg"), target.join("bin/pyvenv.cfg")).ok()?;
    Some(python)
}

fn link_to_base(root: &Path, interpreter: &Interpreter, relative: bool) -> Option<PathBuf> {
    let directory = root.join("links");
    std::fs::create_dir_all(&directory).ok()?;
    let link = directory.join(if relative { "relative" } else { "absolute" });
    let target = if relative {
        let up: PathBuf = directory.components().skip(1).map(|_| "..").collect();
        up.join(interpreter.path.strip_prefix("/").ok()?)
    } else {
        interpreter.path.clone()
    };
    symlink(target, &link).ok()?;
    Some(link)
}
