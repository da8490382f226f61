//! Healthy machines of other systems, made up in memory: Homebrew, python.org, Xcode, the Windows installer, the Store, conda.

use std::collections::BTreeSet;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use venv_doctor::checks;
use venv_doctor::collect::gather::{Request, facts};
use venv_doctor::diagnosis::examine::examine;
use venv_doctor::diagnosis::{Check, Need};
use venv_doctor::host::fake::FakeMachine;

/// A name, how the machine is made, and the environment that must be the examined one.
type Made = (&'static str, fn() -> FakeMachine, Option<&'static str>);

pub fn trials() -> Vec<Trial> {
    let machines: [Made; 10] = [
        ("macOS: Homebrew's Python and a venv", homebrew_venv, Some("/Users/me/shop/.venv")),
        ("macOS: Homebrew's Python alone", homebrew, Some(FRAMEWORK)),
        ("macOS: python.org's framework and a venv", framework_venv, Some("/Users/me/shop/.venv")),
        ("macOS: Xcode's python3 alone", xcode, Some("/usr")),
        ("macOS: a conda environment", mac_conda, Some("/opt/homebrew/Caskroom/miniconda/base/envs/work")),
        ("Windows: the installer's Python and a venv", installer_venv, Some(r"C:\Users\me\shop\.venv")),
        ("Windows: the installer's Python before the Store's alias", installer, Some(PYTHON312)),
        ("Windows: the Store's Python", store, Some(STORE)),
        ("Windows: a conda environment", windows_conda, Some(r"C:\Users\me\miniconda3\envs\work")),
        ("Windows: a directory without Python", without, None),
    ];
    let trial = |(name, machine, root): Made| {
        Trial::test(format!("foreign::{}", name.replace(' ', "_")), move || {
            silent(&machine(), root).map_err(Failed::from)
        })
    };
    machines.into_iter().map(trial).collect()
}

/// Nothing is started: a made-up interpreter has nothing to say.
fn silent(machine: &FakeMachine, root: Option<&str>) -> Result<(), String> {
    let all: Vec<&'static Check> = checks::all().collect();
    let mut needs: BTreeSet<Need> = all.iter().flat_map(|check| check.needs.iter().copied()).collect();
    needs.remove(&Need::ImportPath);
    let request = Request {
        directory: None,
        python: None,
        configured: None,
        execute: false,
        deadline: Duration::from_secs(5),
        needs,
    };
    let facts = facts(machine, &request).map_err(|error| error.to_string())?;
    let diagnosis = examine(&facts, &all, Vec::new());
    let unjustified: Vec<String> = diagnosis
        .findings
        .iter()
        .map(|finding| {
            format!(
                "{} {}: {} {:?}",
                finding.severity.label(),
                finding.check,
                finding.message,
                finding.evidence
            )
        })
        .collect();
    let failed = diagnosis.failed.iter().map(|failed| format!("{}: {}", failed.check, failed.reason));
    let wrong: Vec<String> = unjustified.into_iter().chain(failed).collect();
    let examined = facts.patient().map(|patient| patient.root.to_string());
    if examined.as_deref() != root {
        return Err(format!("{examined:?} is examined, and not {root:?}"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// The first bytes of a 64-bit program for Apple's processors, as `lipo` thins it.
const MACH_O: &[u8] = b"\xcf\xfa\xed\xfe\x0c\x00\x00\x01\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";

fn mac() -> FakeMachine {
    FakeMachine::macos()
        .architecture("aarch64")
        .variable("HOME", "/Users/me")
        .variable("USER", "me")
        .variable("SHELL", "/bin/zsh")
        .variable("TERM_PROGRAM", "Apple_Terminal")
        .process(&["-zsh"], &[("SHELL", "/bin/zsh")])
        .executable("/usr/bin/python3", MACH_O)
        .executable("/usr/bin/pip3", "#!/usr/bin/python3\n")
        .executable("/bin/zsh", MACH_O)
        .cwd("/Users/me/shop")
}

fn stdlib(machine: FakeMachine, directory: &str) -> FakeMachine {
    ["os.py", "site.py", "encodings/__init__.py", "lib-dynload/README"]
        .iter()
        .fold(machine, |machine, file| machine.file(format!("{directory}/{file}"), "\n"))
        .dir(format!("{directory}/site-packages"))
}

const CELLAR: &str = "/opt/homebrew/Cellar/python@3.12/3.12.7_1";
const FRAMEWORK: &str = "/opt/homebrew/Cellar/python@3.12/3.12.7_1/Frameworks/Python.framework/Versions/3.12";

fn homebrew() -> FakeMachine {
    let machine = mac()
        .executable(format!("{FRAMEWORK}/bin/python3.12"), MACH_O)
        .link(format!("{FRAMEWORK}/bin/python3"), "python3.12")
        .link(
            format!("{CELLAR}/bin/python3.12"),
            "../Frameworks/Python.framework/Versions/3.12/bin/python3.12",
        )
        .link(format!("{CELLAR}/bin/python3"), "../Frameworks/Python.framework/Versions/3.12/bin/python3")
        .link("/opt/homebrew/opt/python@3.12", "../Cellar/python@3.12/3.12.7_1")
        .link("/opt/homebrew/bin/python3", "../Cellar/python@3.12/3.12.7_1/bin/python3")
        .link("/opt/homebrew/bin/python3.12", "../Cellar/python@3.12/3.12.7_1/bin/python3.12")
        .executable(format!("{CELLAR}/bin/pip3"), "#!/opt/homebrew/opt/python@3.12/bin/python3.12\n")
        .link("/opt/homebrew/bin/pip3", "../Cellar/python@3.12/3.12.7_1/bin/pip3")
        .file(format!("{FRAMEWORK}/lib/python3.12/EXTERNALLY-MANAGED"), "[externally-managed]\nError=brew\n")
        .variable("HOMEBREW_PREFIX", "/opt/homebrew")
        .variable(
            "PATH",
            "/opt/homebrew/bin:/opt/homebrew/sbin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        );
    stdlib(machine, &format!("{FRAMEWORK}/lib/python3.12"))
}

/// A venv of this base in the project, active, with a distribution that the project needs.
fn mac_venv(machine: FakeMachine, base: &str, path: &str) -> FakeMachine {
    let venv = "/Users/me/shop/.venv";
    let packages = format!("{venv}/lib/python3.12/site-packages");
    let activate =
        format!("VIRTUAL_ENV=\"{venv}\"\nexport VIRTUAL_ENV\nPATH=\"$VIRTUAL_ENV/bin:$PATH\"\nexport PATH\n");
    pip_and_sample(machine, &packages)
        .file(format!("{venv}/pyvenv.cfg"), format!("home = {base}\ninclude-system-site-packages = false\nversion = 3.12.7\nexecutable = {base}/python3.12\ncommand = {base}/python3.12 -m venv {venv}\n"))
        .link(format!("{venv}/bin/python3.12"), format!("{base}/python3.12"))
        .link(format!("{venv}/bin/python3"), "python3.12")
        .link(format!("{venv}/bin/python"), "python3.12")
        .executable(format!("{venv}/bin/pip"), format!("#!{venv}/bin/python3.12\n"))
        .executable(format!("{venv}/bin/pip3"), format!("#!{venv}/bin/python3.12\n"))
        .file(format!("{venv}/bin/activate"), activate)
        .file("/Users/me/shop/requirements.txt", "sample\n")
        .file("/Users/me/shop/main.py", "import sample\n")
        .variable("VIRTUAL_ENV", venv)
        .variable("PATH", format!("{venv}/bin:{path}"))
}

fn pip_and_sample(machine: FakeMachine, packages: &str) -> FakeMachine {
    let separator = if packages.contains('\\') { "\\" } else { "/" };
    let below = |names: &[&str]| format!("{packages}{separator}{}", names.join(separator));
    ["pip", "sample"].iter().fold(machine, |machine, name| {
        let metadata = format!("{name}-24.0.dist-info");
        machine
            .file(below(&[name, "__init__.py"]), "")
            .file(below(&[name, "__main__.py"]), "")
            .file(below(&[&metadata, "METADATA"]), format!("Metadata-Version: 2.1\nName: {name}\nVersion: 24.0\n"))
            .file(below(&[&metadata, "INSTALLER"]), "pip\n")
            .file(below(&[&metadata, "RECORD"]), format!("{name}/__init__.py,,\n{name}/__main__.py,,\n{metadata}/METADATA,,\n{metadata}/INSTALLER,,\n{metadata}/RECORD,,\n"))
    })
}

fn homebrew_venv() -> FakeMachine {
    mac_venv(
        homebrew(),
        "/opt/homebrew/opt/python@3.12/bin",
        "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin",
    )
}

fn framework_venv() -> FakeMachine {
    let version = "/Library/Frameworks/Python.framework/Versions/3.12";
    let machine = mac()
        .executable(format!("{version}/bin/python3.12"), MACH_O)
        .link(format!("{version}/bin/python3"), "python3.12")
        .executable(format!("{version}/bin/pip3"), format!("#!{version}/bin/python3.12\n"))
        .file(format!("{version}/Python"), MACH_O)
        .link("/Library/Frameworks/Python.framework/Versions/Current", "3.12")
        .link(
            "/usr/local/bin/python3",
            "../../../Library/Frameworks/Python.framework/Versions/3.12/bin/python3",
        );
    let machine = stdlib(machine, &format!("{version}/lib/python3.12"));
    mac_venv(machine, &format!("{version}/bin"), &format!("{version}/bin:/usr/local/bin:/usr/bin:/bin"))
}

fn xcode() -> FakeMachine {
    mac()
        .variable("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
        .file("/Users/me/shop/count.py", "import os\n")
}

fn mac_conda() -> FakeMachine {
    let root = "/opt/homebrew/Caskroom/miniconda/base/envs/work";
    let machine = mac()
        .executable(format!("{root}/bin/python3.12"), MACH_O)
        .link(format!("{root}/bin/python3"), "python3.12")
        .link(format!("{root}/bin/python"), "python3.12")
        .executable(format!("{root}/bin/pip"), format!("#!{root}/bin/python\n"))
        .executable(format!("{root}/bin/pip3"), format!("#!{root}/bin/python\n"))
        .file(format!("{root}/conda-meta/history"), "==> 2026 <==\n")
        .file(
            format!("{root}/conda-meta/python-3.12.7-0.json"),
            "{\"name\": \"python\", \"version\": \"3.12.7\"}",
        )
        .variable("CONDA_PREFIX", root)
        .variable("CONDA_DEFAULT_ENV", "work")
        .variable("CONDA_SHLVL", "1")
        .variable("PATH", format!("{root}/bin:/usr/bin:/bin"))
        .file("/Users/me/shop/main.py", "import sample\n");
    let library = format!("{root}/lib/python3.12");
    pip_and_sample(stdlib(machine, &library), &format!("{library}/site-packages"))
}

const PYTHON312: &str = r"C:\Users\me\AppData\Local\Programs\Python\Python312";
const STORE: &str =
    r"C:\Program Files\WindowsApps\PythonSoftwareFoundation.Python.3.12_3.12.2032.0_x64__qbz5n2kfra8p0";
const APPS: &str = r"C:\Users\me\AppData\Local\Microsoft\WindowsApps";
const SYSTEM32: &str = r"C:\Windows\system32;C:\Windows";

fn windows() -> FakeMachine {
    FakeMachine::windows()
        .variable("USERPROFILE", r"C:\Users\me")
        .variable("USERNAME", "me")
        .variable("SystemRoot", r"C:\Windows")
        .variable("LOCALAPPDATA", r"C:\Users\me\AppData\Local")
        .variable("APPDATA", r"C:\Users\me\AppData\Roaming")
        .variable("PATHEXT", ".COM;.EXE;.BAT;.CMD")
        .variable("PSModulePath", r"C:\Program Files\WindowsPowerShell\Modules")
        .process(&[r"C:\Program Files\PowerShell\7\pwsh.exe"], &[])
        .executable(r"C:\Windows\py.exe", "MZ")
        .cwd(r"C:\Users\me\shop")
}

/// What the installer of python.org leaves; the Store's aliases lie behind it.
fn installer() -> FakeMachine {
    let machine = ["os.py", "site.py", "encodings\\__init__.py"]
        .iter()
        .fold(windows(), |machine, file| machine.file(format!("{PYTHON312}\\Lib\\{file}"), "\n"));
    machine
        .executable(format!("{PYTHON312}\\python.exe"), "MZ")
        .file(format!("{PYTHON312}\\python312.dll"), "MZ")
        .file(format!("{PYTHON312}\\python3.dll"), "MZ")
        .executable(format!("{PYTHON312}\\Scripts\\pip.exe"), format!("MZ#!{PYTHON312}\\python.exe\n"))
        .dir(format!("{PYTHON312}\\Lib\\site-packages"))
        .dir(format!("{PYTHON312}\\DLLs"))
        .executable(format!("{APPS}\\python.exe"), "")
        .executable(format!("{APPS}\\python3.exe"), "")
        .variable("PATH", format!("{PYTHON312}\\Scripts;{PYTHON312};{SYSTEM32};{APPS}"))
}

fn installer_venv() -> FakeMachine {
    let venv = r"C:\Users\me\shop\.venv";
    let path = format!("{venv}\\Scripts;{PYTHON312}\\Scripts;{PYTHON312};{SYSTEM32};{APPS}");
    pip_and_sample(installer(), &format!("{venv}\\Lib\\site-packages"))
        .file(format!("{venv}\\pyvenv.cfg"), format!("home = {PYTHON312}\r\ninclude-system-site-packages = false\r\nversion = 3.12.7\r\nexecutable = {PYTHON312}\\python.exe\r\ncommand = {PYTHON312}\\python.exe -m venv {venv}\r\n"))
        .executable(format!("{venv}\\Scripts\\python.exe"), "MZ")
        .executable(format!("{venv}\\Scripts\\pythonw.exe"), "MZ")
        .executable(format!("{venv}\\Scripts\\pip.exe"), format!("MZ#!{venv}\\Scripts\\python.exe\n"))
        .executable(format!("{venv}\\Scripts\\pip3.exe"), format!("MZ#!{venv}\\Scripts\\python.exe\n"))
        .file(format!("{venv}\\Scripts\\activate.bat"), format!("@echo off\r\nset \"VIRTUAL_ENV={venv}\"\r\n"))
        .file(format!("{venv}\\Scripts\\Activate.ps1"), "$env:VIRTUAL_ENV = $VenvDir\n")
        .file(r"C:\Users\me\shop\requirements.txt", "sample\r\n")
        .file(r"C:\Users\me\shop\main.py", "import sample\r\n")
        .variable("VIRTUAL_ENV", venv)
        .variable("PATH", path)
}

fn store() -> FakeMachine {
    windows()
        .executable(format!("{STORE}\\python.exe"), "MZ")
        .dir(format!("{STORE}\\Lib\\site-packages"))
        .link(format!("{APPS}\\python.exe"), format!("{STORE}\\python.exe"))
        .link(format!("{APPS}\\python3.exe"), format!("{STORE}\\python.exe"))
        .variable("PATH", format!("{SYSTEM32};{APPS}"))
}

fn windows_conda() -> FakeMachine {
    let root = r"C:\Users\me\miniconda3\envs\work";
    pip_and_sample(windows(), &format!("{root}\\Lib\\site-packages"))
        .executable(format!("{root}\\python.exe"), "MZ")
        .executable(format!("{root}\\Scripts\\pip.exe"), format!("MZ#!{root}\\python.exe\n"))
        .file(format!("{root}\\Lib\\os.py"), "\n")
        .file(format!("{root}\\conda-meta\\history"), "==> 2026 <==\n")
        .variable("CONDA_PREFIX", root)
        .variable("CONDA_DEFAULT_ENV", "work")
        .variable("CONDA_SHLVL", "1")
        .variable("PATH", format!("{root};{root}\\Library\\bin;{root}\\Scripts;{SYSTEM32}"))
        .file(r"C:\Users\me\shop\main.py", "import sample\r\n")
}

fn without() -> FakeMachine {
    windows().file(r"C:\Users\me\shop\Cargo.toml", "[package]\r\n").variable("PATH", SYSTEM32)
}
