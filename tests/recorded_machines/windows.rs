//! Windows: `Scripts`, launchers, the Store's aliases, drives, PowerShell and cmd.

use venv_doctor::host::fake::FakeMachine;

use crate::{leads, pe, quiet};

const BASE: &str = r"C:\Users\me\AppData\Local\Programs\Python\Python312";
const SYSTEM: &str = r"C:\Windows\system32;C:\Windows;C:\Windows\System32\WindowsPowerShell\v1.0";
const APPS: &str = r"C:\Users\me\AppData\Local\Microsoft\WindowsApps";
const POWERSHELL: &str = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";
const CMD: &str = r"C:\Windows\system32\cmd.exe";

/// Explorer starts a terminal, which starts the shell.
fn machine(shell: &str) -> FakeMachine {
    FakeMachine::windows()
        .variable("PATHEXT", ".COM;.EXE;.BAT;.CMD;.VBS;.JS;.WS;.MSC")
        .variable("USERPROFILE", r"C:\Users\me")
        .variable("LOCALAPPDATA", r"C:\Users\me\AppData\Local")
        .variable("APPDATA", r"C:\Users\me\AppData\Roaming")
        .variable("ProgramFiles", r"C:\Program Files")
        .variable("SystemDrive", "C:")
        .variable("SystemRoot", r"C:\Windows")
        .executable(POWERSHELL, "MZ")
        .executable(CMD, "MZ")
        .process(&[shell], &[])
        .process(&[r"C:\Windows\explorer.exe"], &[])
}

/// python.org's installer, for one user.
fn python(machine: FakeMachine, base: &str, minor: &str) -> FakeMachine {
    machine
        .executable(format!(r"{base}\python.exe"), "MZ")
        .executable(format!(r"{base}\pythonw.exe"), "MZ")
        .file(format!(r"{base}\python3.dll"), "MZ")
        .file(format!(r"{base}\python{minor}.dll"), "MZ")
        .file(format!(r"{base}\Lib\os.py"), "")
        .file(format!(r"{base}\Lib\site.py"), "")
        .file(format!(r"{base}\Lib\ensurepip\__init__.py"), "")
        .file(format!(r"{base}\Lib\venv\__init__.py"), "")
        .dir(format!(r"{base}\DLLs"))
        .file(format!(r"{base}\Lib\site-packages\README.txt"), "")
}

/// distlib's launcher: a program, a line, and a zip whose one file is stored as it is.
fn launcher(interpreter: &str, module: &str) -> Vec<u8> {
    let script = format!(
        "# -*- coding: utf-8 -*-\nimport re\nimport sys\nfrom {module} import main\nsys.exit(main())\n"
    );
    format!("MZ\u{90} launcher #!\"{interpreter}\"\r\nPK\x03\x04 __main__.py{script}").into_bytes()
}

fn distribution(machine: FakeMachine, root: &str, name: &str, version: &str, script: bool) -> FakeMachine {
    let site = format!(r"{root}\Lib\site-packages");
    let info = format!(r"{site}\{name}-{version}.dist-info");
    let mut record = format!(
        "{name}/__init__.py,,\n{name}-{version}.dist-info/METADATA,,\n{name}-{version}.dist-info/RECORD,,\n"
    );
    let mut machine = machine;
    if script {
        record.push_str(&format!("../../Scripts/{name}.exe,,\n"));
        machine = machine
            .file(format!(r"{info}\entry_points.txt"), format!("[console_scripts]\n{name} = {name}:main\n"));
    }
    machine
        .file(format!(r"{site}\{name}\__init__.py"), "def main(): pass\n")
        .file(
            format!(r"{info}\METADATA"),
            format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"),
        )
        .file(format!(r"{info}\INSTALLER"), "pip\n")
        .file(format!(r"{info}\RECORD"), record)
        .file(format!(r"{info}\WHEEL"), "Wheel-Version: 1.0\nTag: py3-none-any\n")
}

/// What `python -m venv` makes, at `root`; its files name `made_at`.
fn venv(machine: FakeMachine, root: &str, made_at: &str, base: &str) -> FakeMachine {
    let scripts = format!(r"{root}\Scripts");
    let python = format!(r"{made_at}\Scripts\python.exe");
    let config = format!(
        "home = {base}\r\ninclude-system-site-packages = false\r\nversion = 3.12.4\r\nexecutable = {base}\\python.exe\r\ncommand = {base}\\python.exe -m venv {made_at}\r\n"
    );
    let machine = machine
        .file(format!(r"{root}\pyvenv.cfg"), config)
        .executable(format!(r"{scripts}\python.exe"), "MZ venvlauncher")
        .executable(format!(r"{scripts}\pythonw.exe"), "MZ venvwlauncher")
        .executable(format!(r"{scripts}\pip.exe"), launcher(&python, "pip"))
        .executable(format!(r"{scripts}\pip3.exe"), launcher(&python, "pip"))
        .file(format!(r"{scripts}\activate"), format!("VIRTUAL_ENV=$(cygpath \"{made_at}\")\nexport VIRTUAL_ENV\nPATH=\"$VIRTUAL_ENV/Scripts:$PATH\"\n"))
        .file(format!(r"{scripts}\activate.bat"), format!("@echo off\r\nset VIRTUAL_ENV={made_at}\r\nset PATH=%VIRTUAL_ENV%\\Scripts;%PATH%\r\n"))
        .file(format!(r"{scripts}\Activate.ps1"), "$VenvDir = Split-Path -Parent $PSScriptRoot\r\n")
        .file(format!(r"{scripts}\deactivate.bat"), "@echo off\r\n");
    distribution(machine, root, "pip", "24.0", true)
}

fn project(machine: FakeMachine) -> FakeMachine {
    machine
        .file(r"C:\work\shop\main.py", "import json\n")
        .file(r"C:\work\shop\requirements.txt", "")
        .cwd(r"C:\work\shop")
}

const ACTIVATE: &str = r"& C:\work\shop\.venv\Scripts\Activate.ps1";
const VENV: &str = r"C:\work\shop\.venv";

fn active(machine: FakeMachine) -> FakeMachine {
    machine
        .variable("VIRTUAL_ENV", VENV)
        .variable("Path", format!(r"{VENV}\Scripts;{BASE};{BASE}\Scripts;{SYSTEM};{APPS}"))
}

/// Two empty files, and nothing of the Store's Python.
fn aliases(machine: FakeMachine) -> FakeMachine {
    machine.executable(format!(r"{APPS}\python.exe"), "").executable(format!(r"{APPS}\python3.exe"), "")
}

fn healthy(shell: &str) -> FakeMachine {
    active(venv(project(aliases(python(machine(shell), BASE, "312"))), VENV, VENV, BASE))
}

#[test]
fn a_healthy_environment_is_quiet_in_both_shells() {
    quiet(&healthy(POWERSHELL));
    quiet(&healthy(CMD));
    quiet(&healthy(r"C:\Program Files\PowerShell\7\pwsh.exe"));
}

#[test]
fn a_moved_environment_is_made_anew_where_it_is() {
    let made = |shell| {
        let machine = project(aliases(python(machine(shell), BASE, "312")));
        active(venv(machine, VENV, r"C:\work\old\.venv", BASE))
    };
    let anew = format!(r"{BASE}\python.exe -m venv --clear {VENV}");
    leads(&made(POWERSHELL), "moved-venv", &[&anew]);
    leads(&made(CMD), "moved-venv", &[&anew]);
}

#[test]
fn the_stores_alias_is_named_and_the_environment_activated() {
    let machine = venv(project(aliases(python(machine(POWERSHELL), BASE, "312"))), VENV, VENV, BASE)
        .variable("Path", format!(r"{SYSTEM};{APPS};{BASE}"));
    leads(&machine, "windows-store-stub", &[ACTIVATE]);
}

#[test]
fn the_stores_own_python_is_quiet() {
    let machine = aliases(healthy(POWERSHELL))
        .dir(format!(r"{APPS}\PythonSoftwareFoundation.Python.3.12_qbz5n2kfra8p0"));
    quiet(&machine);
}

#[test]
fn a_removed_base_is_named() {
    let machine = active(venv(project(aliases(machine(POWERSHELL))), VENV, VENV, BASE));
    let cure =
        ["winget install --exact --id Python.Python.3.12", r"py '-3.12' -m venv --clear C:\work\shop\.venv"];
    leads(&machine, "base-python-missing", &cure);
}

#[test]
fn an_environment_copied_from_linux_is_foreign() {
    let machine = project(aliases(python(machine(POWERSHELL), BASE, "312")))
        .file(
            format!(r"{VENV}\pyvenv.cfg"),
            "home = /usr/bin\nversion = 3.12.3\nexecutable = /usr/bin/python3.12\n",
        )
        .file(format!(r"{VENV}\bin\activate"), "VIRTUAL_ENV=/home/me/shop/.venv\n")
        .file(format!(r"{VENV}\bin\python3.12"), "\x7fELF")
        .file(format!(r"{VENV}\bin\pip"), "#!/home/me/shop/.venv/bin/python3\n")
        .dir(format!(r"{VENV}\lib\python3.12\site-packages"))
        .variable("Path", format!(r"{BASE};{SYSTEM};{APPS}"));
    leads(
        &machine,
        "foreign-platform-venv",
        &[&format!(r"{BASE}\python.exe -m venv --clear {VENV}"), ACTIVATE],
    );
}

#[test]
fn an_environment_that_was_copied_from_wsl_beside_one_of_windows_is_quiet() {
    let linux = r"C:\work\shop\.venv-linux";
    let machine = healthy(POWERSHELL)
        .file(format!(r"{linux}\pyvenv.cfg"), "home = /usr/bin\nversion = 3.12.3\n")
        .file(format!(r"{linux}\bin\python3.12"), "\x7fELF")
        .dir(format!(r"{linux}\lib\python3.12\site-packages"));
    quiet(&machine);
}

const WINDOWS_VERSION: &str = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion";
const USERS_POLICY: &str = r"HKEY_CURRENT_USER\SOFTWARE\Microsoft\PowerShell\1\ShellIds\Microsoft.PowerShell";
const GROUP_POLICY: &str = r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows\PowerShell";

/// The default of a desktop, before anybody set a policy.
fn desktop(shell: &str) -> FakeMachine {
    venv(project(python(machine(shell), BASE, "312")), VENV, VENV, BASE)
        .variable("Path", format!(r"{BASE};{SYSTEM}"))
        .registry(WINDOWS_VERSION, "InstallationType", "Client")
}

#[test]
fn a_policy_that_refuses_scripts_is_named_before_the_activation() {
    let allow = |scope: &str| format!("Set-ExecutionPolicy -Scope {scope} -Force RemoteSigned");
    leads(&desktop(POWERSHELL), "execution-policy", &[&allow("CurrentUser"), ACTIVATE]);
    let machine = desktop(POWERSHELL).variable("PSExecutionPolicyPreference", "Restricted");
    leads(&machine, "execution-policy", &[&allow("Process"), ACTIVATE]);
    let machine = desktop(POWERSHELL).registry(GROUP_POLICY, "ExecutionPolicy", "AllSigned");
    let by_hand = [
        r"$env:VIRTUAL_ENV = 'C:\work\shop\.venv'",
        r"$env:PATH = 'C:\work\shop\.venv\Scripts;' + $env:PATH",
    ];
    leads(&machine, "execution-policy", &by_hand);
}

#[test]
fn a_policy_that_lets_scripts_run_is_not_mentioned() {
    let machine = desktop(POWERSHELL).registry(USERS_POLICY, "ExecutionPolicy", "RemoteSigned");
    leads(&machine, "forgotten-activation", &[ACTIVATE]);
    let machine = desktop(POWERSHELL).registry(WINDOWS_VERSION, "InstallationType", "Server");
    leads(&machine, "forgotten-activation", &[ACTIVATE]);
    // PowerShell 7 has a policy of its own, and another default
    leads(&desktop(r"C:\Program Files\PowerShell\7\pwsh.exe"), "forgotten-activation", &[ACTIVATE]);
    quiet(&active(desktop(POWERSHELL)));
}

#[test]
fn an_environment_that_was_forgotten_is_activated_in_the_shells_words() {
    let made = |shell| {
        venv(project(python(machine(shell), BASE, "312")), VENV, VENV, BASE)
            .variable("Path", format!(r"{BASE};{SYSTEM}"))
    };
    leads(&made(POWERSHELL), "forgotten-activation", &[ACTIVATE]);
    leads(&made(CMD), "forgotten-activation", &[r"call C:\work\shop\.venv\Scripts\activate.bat"]);
}

#[test]
fn single_launchers_that_name_a_removed_python() {
    let machine = healthy(POWERSHELL)
        .executable(format!(r"{VENV}\Scripts\black.exe"), launcher(r"C:\Python39\python.exe", "black"));
    leads(
        &distribution(machine, VENV, "black", "24.1", true),
        "stale-launcher",
        &[r"C:\work\shop\.venv\Scripts\python -m pip install --force-reinstall --no-deps black==24.1"],
    );
}

#[test]
fn the_case_of_a_drive_and_of_variables_means_nothing() {
    quiet(
        &healthy(POWERSHELL)
            .variable("VIRTUAL_ENV", r"c:\WORK\shop\.VENV")
            .variable("Path", format!(r"c:\work\SHOP\.venv\scripts\;{BASE};{SYSTEM}")),
    );
}

#[test]
fn an_environment_of_uv_with_its_own_python_is_quiet() {
    let base = r"C:\Users\me\AppData\Roaming\uv\python\cpython-3.12.4-windows-x86_64-none";
    let machine = python(machine(POWERSHELL), base, "312");
    quiet(&active(venv(project(machine), VENV, VENV, base)));
}

#[test]
fn after_an_upgrade_the_other_minor_version_is_no_substitute_without_a_word() {
    let newer = BASE.replace("312", "313");
    let machine =
        active(venv(project(aliases(python(machine(POWERSHELL), &newer, "313"))), VENV, VENV, BASE));
    leads(&machine, "base-python-missing", &[&format!(r"{newer}\python.exe -m venv --clear {VENV}")]);
}

#[test]
fn a_python_on_another_drive_is_found_by_the_search_path() {
    let machine = python(machine(POWERSHELL), r"D:\Tools\Python312", "312");
    let machine = venv(project(machine), VENV, r"C:\work\old\.venv", r"D:\Tools\Python312")
        .variable("Path", format!(r"D:\Tools\Python312;{SYSTEM}"));
    let anew = format!(r"D:\Tools\Python312\python.exe -m venv --clear {VENV}");
    leads(&machine, "moved-venv", &[&anew, ACTIVATE]);
}

#[test]
fn a_long_path_and_a_share_are_quiet() {
    let root = format!(r"\\server\share\{}\.venv", "a-rather-long-name\\".repeat(14).trim_end_matches('\\'));
    let parent = root.trim_end_matches(r"\.venv").to_owned();
    let machine = venv(python(machine(CMD), BASE, "312"), &root, &root, BASE)
        .file(format!(r"{parent}\main.py"), "import json\n")
        .cwd(&parent)
        .variable("VIRTUAL_ENV", &root)
        .variable("Path", format!(r"{root}\Scripts;{BASE};{SYSTEM}"));
    quiet(&machine);
}

#[test]
fn cmd_asks_no_policy() {
    leads(&desktop(CMD), "forgotten-activation", &[r"call C:\work\shop\.venv\Scripts\activate.bat"]);
}

/// A module that was built with Visual C++, in a distribution.
fn extension(machine: FakeMachine, libraries: &[&str]) -> FakeMachine {
    let site = format!(r"{VENV}\Lib\site-packages");
    let info = format!(r"{site}\fastmath-1.0.dist-info");
    let core = "fastmath/_core.cp312-win_amd64.pyd";
    machine
        .file(r"C:\Windows\System32\kernel32.dll", "MZ")
        .file(format!(r"{BASE}\vcruntime140.dll"), "MZ")
        .file(format!(r"{BASE}\vcruntime140_1.dll"), "MZ")
        .file(format!(r"{site}\fastmath\__init__.py"), "from . import _core\n")
        .file(format!(r"{site}\fastmath\_core.cp312-win_amd64.pyd"), pe::library(libraries))
        .file(format!(r"{info}\METADATA"), "Metadata-Version: 2.1\nName: fastmath\nVersion: 1.0\n")
        .file(format!(r"{info}\WHEEL"), "Wheel-Version: 1.0\nTag: cp312-cp312-win_amd64\n")
        .file(format!(r"{info}\INSTALLER"), "pip\n")
        .file(format!(r"{info}\RECORD"), format!("fastmath/__init__.py,,\n{core},,\nfastmath-1.0.dist-info/METADATA,,\nfastmath-1.0.dist-info/WHEEL,,\nfastmath-1.0.dist-info/RECORD,,\n"))
}

const USUAL: [&str; 4] =
    ["python312.dll", "KERNEL32.dll", "VCRUNTIME140.dll", "api-ms-win-crt-runtime-l1-1-0.dll"];

#[test]
fn the_visual_cpp_runtime_is_missing() {
    let cure = "winget install --exact --id Microsoft.VCRedist.2015+.x64";
    let libraries = [&USUAL[..], &["MSVCP140.dll", "VCRUNTIME140_1.dll"]].concat();
    let machine = extension(healthy(POWERSHELL), &libraries);
    leads(&machine, "missing-shared-library", &[cure]);
    // the search path is no place for a module's libraries
    let elsewhere = machine.file(format!(r"{APPS}\msvcp140.dll"), "MZ");
    leads(&elsewhere, "missing-shared-library", &[cure]);
    quiet(&elsewhere.file(r"C:\Windows\System32\msvcp140.dll", "MZ"));
}

#[test]
fn a_module_whose_runtime_is_there_is_quiet() {
    quiet(&extension(healthy(POWERSHELL), &USUAL));
    // another library: its package may add the directory while it is imported
    quiet(&extension(healthy(POWERSHELL), &["python312.dll", "cudart64_12.dll"]));
}

/// What `delvewheel` makes: libraries in `NAME.libs`, which the package adds when it is imported.
#[test]
fn a_wheel_with_its_own_libraries_is_quiet() {
    let site = format!(r"{VENV}\Lib\site-packages");
    let libraries = ["python312.dll", "MSVCP140.dll", "msvcp140-d64049c6e3865410a7dda6a7e9f0c575.dll"];
    let machine = extension(healthy(POWERSHELL), &libraries)
        .file(format!(r"{site}\fastmath.libs\msvcp140-d64049c6e3865410a7dda6a7e9f0c575.dll"), "MZ")
        .file(format!(r"{site}\fastmath.libs\msvcp140.dll"), "MZ");
    quiet(&machine);
}
