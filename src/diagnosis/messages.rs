//! What each kind of error message means: which checks explain it, and what to say when nothing on this machine does.

use super::cause::finding;
use super::{Action, Category, Finding, Remedy, Severity, Subject};
use crate::parse::error_output::{Message, MessageKind};

/// One kind of message.
pub struct Meaning {
    /// Checks whose findings explain it, the most likely first.
    pub checks: &'static [&'static str],
    category: Category,
    /// What it says, in a sentence.
    means: &'static str,
    /// What to look at or do.
    advice: &'static [&'static str],
}

const fn meaning(
    category: Category,
    checks: &'static [&'static str],
    means: &'static str,
    advice: &'static [&'static str],
) -> Meaning {
    Meaning { checks, category, means, advice }
}

/// A finding for a message that nothing on this machine explains.
pub fn explain(message: &Message, subject: Subject) -> Finding {
    let meaning = meaning_of(message.kind);
    let id = meaning.checks.first().copied().unwrap_or("unresolvable-import");
    let severity = if message.passing { Severity::Warning } else { Severity::Error };
    let mut found = finding(id, meaning.category, severity, subject, meaning.means)
        .evidence("message", format!("{} (line {})", message.text, message.line));
    if let Some(name) = &message.name {
        found = found.evidence("it names", name.as_str());
    }
    if let Some(path) = message.path.as_ref().filter(|path| Some(*path) != message.name.as_ref()) {
        found = found.evidence("file", path.as_str());
    }
    let advice = meaning.advice.iter().map(|text| Action::Advice((*text).to_owned())).collect();
    found.remedy(Remedy::manual("What to check", advice))
}

const NOT_STARTING: &[&str] = &[
    "moved-venv",
    "dangling-interpreter",
    "broken-shebang",
    "crlf-shebang",
    "shebang-with-space",
    "shebang-too-long",
    "interpreter-loader-missing",
    "container-venv",
    "copied-venv",
    "foreign-platform-venv",
    "broken-tool-environment",
    "broken-pre-commit",
    "broken-kernel",
    "script-bypasses-environment",
];

pub fn meaning_of(kind: MessageKind) -> &'static Meaning {
    use MessageKind as Kind;
    match kind {
        Kind::NoStandardLibrary
        | Kind::NoPyvenvConfig
        | Kind::NoBasePython
        | Kind::LibpythonMissing
        | Kind::LinkLoop
        | Kind::WrongBinaryFormat
        | Kind::InterpreterWithCarriageReturn
        | Kind::BadInterpreter
        | Kind::LauncherFails
        | Kind::PermissionDenied => of_starting(kind),
        Kind::CLibraryTooOld
        | Kind::UndefinedSymbol
        | Kind::WrongArchitecture
        | Kind::SharedLibraryMissing
        | Kind::DllLoadFailed
        | Kind::NumpyAbi => of_compiled_code(kind),
        Kind::PartlyInitialised
        | Kind::MissingAttribute
        | Kind::CannotImportName
        | Kind::BadMagicNumber
        | Kind::PthLineFails
        | Kind::CustomizeFails
        | Kind::ModuleMissing
        | Kind::SetuptoolsGone => of_importing(kind),
        Kind::NoPip
        | Kind::ExternallyManaged
        | Kind::UserInstallRefused
        | Kind::VirtualenvRequired
        | Kind::InvalidDistribution
        | Kind::RecordMissing
        | Kind::OtherPythonRequired => of_installing(kind),
        _ => of_shells_and_tools(kind),
    }
}

fn of_starting(kind: MessageKind) -> &'static Meaning {
    use MessageKind as Kind;
    static NO_LIBRARY: Meaning = meaning(
        Category::Interpreter,
        &[
            "pythonhome-set",
            "base-python-missing",
            "invalid-pyvenv-cfg",
            "missing-pyvenv-cfg",
            "moved-venv",
            "interpreter-fails",
        ],
        "Python did not find its standard library: PYTHONHOME, or home in pyvenv.cfg, leads to no Python of this version",
        &[
            "unset PYTHONHOME",
            "look whether the directory of `home =` in pyvenv.cfg still exists",
            "on Windows, look for a ._pth file beside python.exe",
        ],
    );
    static NO_CONFIG: Meaning = meaning(
        Category::Interpreter,
        &["missing-pyvenv-cfg", "incomplete-venv", "interpreter-fails"],
        "The environment has no pyvenv.cfg, so its Python cannot tell what it belongs to",
        &["make the environment again: python -m venv --clear .venv"],
    );
    static NO_BASE: Meaning = meaning(
        Category::Interpreter,
        &["base-python-missing", "stale-launcher", "moved-venv", "dangling-interpreter"],
        "The Python that this environment was made from is gone",
        &["install that Python again, or make the environment anew with one that is there"],
    );
    static LIBPYTHON: Meaning = meaning(
        Category::Interpreter,
        &["libpython-missing", "libpython-mismatch", "base-python-missing", "moved-venv"],
        "The interpreter needs a libpython that the loader finds nowhere",
        &[
            "the Python that the environment was made from was upgraded, moved or removed: make the environment again",
        ],
    );
    static LOOP: Meaning = meaning(
        Category::Interpreter,
        &["interpreter-link-loop"],
        "The interpreter's symbolic links run in a circle",
        &["ls -l on the named path shows the links; make the environment again with a Python outside it"],
    );
    static FORMAT: Meaning = meaning(
        Category::Interpreter,
        &[
            "interpreter-wrong-architecture",
            "foreign-platform-venv",
            "container-venv",
            "interpreter-loader-missing",
        ],
        "The program was built for another processor or operating system",
        &[
            "compare `file -L` of the program with `uname -m`; environments cannot be carried between platforms: make it again here",
        ],
    );
    static CARRIAGE_RETURN: Meaning = meaning(
        Category::Relocation,
        &["crlf-shebang"],
        "The script's first line ends in CR LF, so the kernel looks for an interpreter whose name ends in a carriage return",
        &[
            "take the carriage returns out: sed -i 's/\\r$//' FILE",
            "with git: add `*.py text eol=lf` to .gitattributes",
        ],
    );
    static BAD: Meaning = meaning(
        Category::Relocation,
        NOT_STARTING,
        "The file is there, and the interpreter that its first line names is not",
        &[
            "head -n 1 FILE shows the interpreter; when the environment was moved or its Python removed, make it again",
        ],
    );
    static LAUNCHER: Meaning = meaning(
        Category::Platform,
        &["stale-launcher", "moved-venv", "base-python-missing"],
        "The launcher in Scripts names an interpreter that is not there: the environment or its Python was moved",
        &[
            "run the tool through the interpreter: python -m pip",
            "write the launchers anew: python -m pip install --force-reinstall --no-deps pip",
        ],
    );
    static DENIED: Meaning = meaning(
        Category::Interpreter,
        &[
            "interpreter-not-executable",
            "activate-not-sourced",
            "foreign-owned-files",
            "shebang-too-long",
            "global-install",
        ],
        "This user may not execute, read or change the named file",
        &[
            "an activate script is sourced, not run: . .venv/bin/activate",
            "ls -l shows owner and mode; `mount` shows noexec",
            "do not install into the system's Python: use an environment",
        ],
    );
    match kind {
        Kind::NoStandardLibrary => &NO_LIBRARY,
        Kind::NoPyvenvConfig => &NO_CONFIG,
        Kind::NoBasePython => &NO_BASE,
        Kind::LibpythonMissing => &LIBPYTHON,
        Kind::LinkLoop => &LOOP,
        Kind::WrongBinaryFormat => &FORMAT,
        Kind::InterpreterWithCarriageReturn => &CARRIAGE_RETURN,
        Kind::LauncherFails => &LAUNCHER,
        Kind::PermissionDenied => &DENIED,
        _ => &BAD,
    }
}

fn of_compiled_code(kind: MessageKind) -> &'static Meaning {
    use MessageKind as Kind;
    static C_LIBRARY: Meaning = meaning(
        Category::Native,
        &["c-library-too-old", "library-path-override", "missing-shared-library"],
        "A compiled file needs a newer C or C++ library than the one that is loaded",
        &[
            "unset LD_LIBRARY_PATH and try again",
            "install a wheel for this system: pip install --force-reinstall --only-binary :all: NAME",
        ],
    );
    static SYMBOL: Meaning = meaning(
        Category::Native,
        &[
            "stale-interpreter-copy",
            "libpython-mismatch",
            "extension-for-another-python",
            "extension-abi-mismatch",
            "library-path-override",
        ],
        "A compiled file expects a function that the loaded Python or library does not have: they are of different builds",
        &[
            "in lib-dynload: the interpreter and its standard library are of different releases; make the environment again",
            "in site-packages: install that distribution again for this Python",
        ],
    );
    static ARCHITECTURE: Meaning = meaning(
        Category::Native,
        &["extension-for-another-platform", "interpreter-wrong-architecture"],
        "A compiled file is built for another processor than the running Python",
        &[
            "python -c 'import platform; print(platform.machine())' tells what runs; install the distribution again with that Python",
        ],
    );
    static LIBRARY: Meaning = meaning(
        Category::Native,
        &[
            "missing-shared-library",
            "libpython-missing",
            "extension-for-another-platform",
            "library-path-override",
            "interpreter-loader-missing",
        ],
        "A compiled file needs a shared library that the loader finds nowhere",
        &[
            "install the system package that has the named library (apt-file search, dnf provides)",
            "ldd FILE lists what is not found",
        ],
    );
    static DLL: Meaning = meaning(
        Category::Native,
        &["missing-shared-library", "extension-for-another-python", "extension-for-another-platform"],
        "Windows did not find, or could not load, a DLL that a compiled module needs",
        &[
            "install the Microsoft Visual C++ redistributable",
            "with conda's Python, activate the environment: its DLLs are found through PATH",
            "mixing 32 and 64 bits fails the same way",
        ],
    );
    static NUMPY: Meaning = meaning(
        Category::Native,
        &["extension-abi-mismatch", "library-path-override"],
        "A compiled module was built against another release of NumPy than is installed",
        &[
            "bring the named distribution up to date, or pin NumPy to what it was built for: pip install 'numpy<2'",
        ],
    );
    match kind {
        Kind::CLibraryTooOld => &C_LIBRARY,
        Kind::UndefinedSymbol => &SYMBOL,
        Kind::WrongArchitecture => &ARCHITECTURE,
        Kind::DllLoadFailed => &DLL,
        Kind::NumpyAbi => &NUMPY,
        _ => &LIBRARY,
    }
}

fn of_importing(kind: MessageKind) -> &'static Meaning {
    use MessageKind as Kind;
    static SHADOWED: Meaning = meaning(
        Category::Isolation,
        &[
            "shadowed-stdlib",
            "shadowed-package",
            "leftover-shadows-editable",
            "overlapping-distributions",
            "leftover-distribution",
        ],
        "The module that was imported is not the one that was meant: often a file of the project with the same name is in front of it",
        &[
            "python -c 'import NAME; print(NAME.__file__)' shows what is imported",
            "give a file of the project with that name another one",
        ],
    );
    static NAME: Meaning = meaning(
        Category::Isolation,
        &[
            "shadowed-stdlib",
            "shadowed-package",
            "requirement-mismatch",
            "dependency-conflict",
            "duplicate-distribution",
            "leftover-distribution",
            "overlapping-distributions",
            "user-site-leak",
            "pythonpath-leak",
        ],
        "The module is there, and it has no such name: it is another release than the code was written for, or another module",
        &[
            "the path in parentheses is the file that was imported: is it the one that was meant?",
            "compare its version with what the caller requires: python -m pip check",
        ],
    );
    static MAGIC: Meaning = meaning(
        Category::Isolation,
        &["orphan-bytecode"],
        "A bytecode file of another Python version is imported, because its source is not there",
        &["delete the .pyc file, and put its source back or install its distribution again"],
    );
    static PTH: Meaning = meaning(
        Category::Isolation,
        &["failing-startup-hook", "unreadable-pth", "broken-editable", "hidden-pth"],
        "A line of a .pth file fails at every start of this Python; the rest of that file is left out",
        &["install again, or uninstall, the distribution that the .pth file belongs to"],
    );
    static CUSTOMIZE: Meaning = meaning(
        Category::Isolation,
        &["failing-startup-hook", "pythonpath-leak"],
        "sitecustomize or usercustomize fails at every start of this Python",
        &["python -c 'import sitecustomize; print(sitecustomize.__file__)' shows the file; mind PYTHONPATH"],
    );
    static MISSING: Meaning = meaning(
        Category::Project,
        &[
            "forgotten-activation",
            "missing-requirement",
            "wrong-environment-active",
            "python-version-switched",
            "pip-elsewhere",
            "unresolvable-import",
            "broken-editable",
            "missing-distribution-files",
        ],
        "Nothing on the import path of the Python that ran has that module",
        &["venv-doctor why MODULE looks for it on this machine"],
    );
    static SETUPTOOLS: Meaning = meaning(
        Category::Project,
        &["unresolvable-import", "missing-requirement", "forgotten-activation"],
        "distutils left the standard library in Python 3.12, and environments have no setuptools (with pkg_resources) of themselves any more",
        &[
            "install it: python -m pip install setuptools (pkg_resources: 'setuptools<81')",
            "better: a release of the importing distribution that does without",
        ],
    );
    match kind {
        Kind::PartlyInitialised | Kind::MissingAttribute => &SHADOWED,
        Kind::CannotImportName => &NAME,
        Kind::BadMagicNumber => &MAGIC,
        Kind::PthLineFails => &PTH,
        Kind::CustomizeFails => &CUSTOMIZE,
        Kind::SetuptoolsGone => &SETUPTOOLS,
        _ => &MISSING,
    }
}

fn of_installing(kind: MessageKind) -> &'static Meaning {
    use MessageKind as Kind;
    static PIP: Meaning = meaning(
        Category::Isolation,
        &[
            "environment-without-pip",
            "broken-pip",
            "incomplete-venv",
            "python-version-switched",
            "half-upgraded-venv",
            "pip-elsewhere",
        ],
        "This Python has no pip, or half of one",
        &[
            "python -m ensurepip --upgrade brings it",
            "uv pip install --python ENVIRONMENT works without",
            "Debian: sudo apt-get install python3-venv, then make the environment again",
        ],
    );
    static MANAGED: Meaning = meaning(
        Category::Isolation,
        &[
            "moved-venv",
            "dangling-interpreter",
            "container-venv",
            "lost-activation",
            "stale-activation",
            "shadowing-alias",
            "environment-without-pip",
            "pip-elsewhere",
            "shadowed-environment",
            "forgotten-activation",
            "interpreter-not-executable",
            "global-install",
        ],
        "pip was about to install into the system's Python, which its distributor manages (PEP 668)",
        &[
            "install into an environment: python3 -m venv .venv && . .venv/bin/activate && pip install NAME",
            "an application: pipx install NAME, or uv tool install NAME",
            "with an environment active, this says that its pip is not the one that ran",
        ],
    );
    static USER: Meaning = meaning(
        Category::Isolation,
        &["pip-redirected"],
        "pip is told to install for the user, which makes no sense inside an environment",
        &["pip config debug shows who sets `user`; take it out, or unset PIP_USER"],
    );
    static REQUIRE: Meaning = meaning(
        Category::Isolation,
        &["pip-requires-virtualenv", "forgotten-activation", "lost-activation"],
        "pip is told to work in an environment alone, and this Python is in none",
        &[
            "activate the project's environment",
            "for once without: PIP_REQUIRE_VIRTUALENV=0 pip install NAME",
        ],
    );
    static LEFTOVER: Meaning = meaning(
        Category::Packages,
        &["leftover-distribution"],
        "An interrupted install or removal left a directory whose name begins with ~; pip only warns of it",
        &["delete the directories that begin with ~ in the named site-packages"],
    );
    static RECORD: Meaning = meaning(
        Category::Packages,
        &["broken-metadata", "global-install", "duplicate-distribution"],
        "pip does not know which files belong to that distribution, so it does not remove it",
        &[
            "pip install --force-reinstall --no-deps NAME==VERSION writes the list anew",
            "installed by the system's packages: leave it to them, and install into an environment",
        ],
    );
    static OTHER: Meaning = meaning(
        Category::Project,
        &[
            "requires-python-mismatch",
            "distribution-requires-python",
            "python-pin-mismatch",
            "pinned-python-missing",
        ],
        "The project, or a distribution, does not support this version of Python",
        &[
            "make the environment with a version that fits: uv venv --python 3.12, or python3.12 -m venv .venv",
        ],
    );
    match kind {
        Kind::NoPip => &PIP,
        Kind::ExternallyManaged => &MANAGED,
        Kind::UserInstallRefused => &USER,
        Kind::VirtualenvRequired => &REQUIRE,
        Kind::InvalidDistribution => &LEFTOVER,
        Kind::RecordMissing => &RECORD,
        _ => &OTHER,
    }
}

fn of_shells_and_tools(kind: MessageKind) -> &'static Meaning {
    use MessageKind as Kind;
    static PYENV_MISSING: Meaning = meaning(
        Category::Project,
        &["pinned-python-missing", "python-pin-mismatch"],
        "pyenv is told to use a version that it does not have",
        &["pyenv install VERSION, or change .python-version (pyenv local) or unset PYENV_VERSION"],
    );
    static PYENV_OTHER: Meaning = meaning(
        Category::Project,
        &["pinned-python-missing", "python-pin-mismatch"],
        "The command is installed in another version of pyenv's than the selected one",
        &["install it for the selected version, or select one that has it: pyenv local VERSION"],
    );
    static UV: Meaning = meaning(
        Category::Activation,
        &["wrong-environment-active", "stale-activation", "conflicting-activation", "stacked-environments"],
        "Another environment than the project's is active; uv works on the project's own all the same",
        &["deactivate, or activate the project's .venv", "uv run --active uses the active one on purpose"],
    );
    static PRE_COMMIT: Meaning = meaning(
        Category::Tools,
        &["broken-pre-commit", "forgotten-activation", "dangling-interpreter"],
        "The git hook names the Python that pre-commit was installed with, and it is gone",
        &[
            "install pre-commit again, then write the hook anew: pre-commit install",
            "its own environments: pre-commit clean",
        ],
    );
    static PIPX: Meaning = meaning(
        Category::Tools,
        &["broken-tool-environment"],
        "The Python that pipx made this application's environment from is gone",
        &["pipx reinstall-all makes them again with the Python that pipx has now"],
    );
    static STORE: Meaning = meaning(
        Category::Platform,
        &["windows-store-stub", "python-command-missing"],
        "The first python.exe on PATH is the Microsoft Store's alias, not a Python",
        &[
            "turn the aliases off: Settings, Apps, Advanced app settings, App execution aliases",
            "use the launcher: py",
            "put the directory of a real Python before WindowsApps on PATH",
        ],
    );
    static POLICY: Meaning = meaning(
        Category::Platform,
        &["execution-policy"],
        "PowerShell's execution policy keeps Activate.ps1 from running",
        &[
            "Set-ExecutionPolicy -Scope CurrentUser RemoteSigned",
            "or, in cmd: .venv\\Scripts\\activate.bat",
            "or without activation: .venv\\Scripts\\python.exe",
        ],
    );
    static SHELL: Meaning = meaning(
        Category::Activation,
        &["activate-for-another-shell"],
        "The activate script is for another shell than the one that read it",
        &[
            "fish: source .venv/bin/activate.fish",
            "csh, tcsh: source .venv/bin/activate.csh",
            "PowerShell: .venv/bin/Activate.ps1; nushell: overlay use .venv/bin/activate.nu",
        ],
    );
    static SOURCE: Meaning = meaning(
        Category::Activation,
        &["activate-not-sourced", "activate-for-another-shell"],
        "This shell does not know `source`: it is sh, or Windows' cmd",
        &[
            "sh: . .venv/bin/activate",
            "cmd: .venv\\Scripts\\activate.bat",
            "in a Makefile or Dockerfile: call .venv/bin/python itself, or set SHELL to bash",
        ],
    );
    static NOT_ON_PATH: Meaning = meaning(
        Category::Activation,
        &["user-scripts-not-on-path", "global-install", "pip-redirected"],
        "The scripts were installed where this shell does not look for programs",
        &[
            "add the named directory to PATH in the shell's start-up file",
            "or run the module: python -m NAME",
            "better: install applications with pipx or uv tool",
        ],
    );
    static COMMAND: Meaning = meaning(
        Category::Activation,
        &[
            "lost-activation",
            "stale-activation",
            "python-command-missing",
            "forgotten-activation",
            "environment-without-pip",
            "user-scripts-not-on-path",
            "tool-outside-environment",
            "stale-command-hash",
        ],
        "No directory on PATH has a program of that name",
        &[
            "activate the project's environment",
            "the system may call it python3; Debian: sudo apt-get install python-is-python3",
            "python3 -m pip does without a pip on PATH",
        ],
    );
    match kind {
        Kind::PyenvVersionMissing => &PYENV_MISSING,
        Kind::PyenvOtherVersion => &PYENV_OTHER,
        Kind::UvOtherEnvironment => &UV,
        Kind::PreCommitMissing => &PRE_COMMIT,
        Kind::PipxInvalidInterpreter => &PIPX,
        Kind::StoreStub => &STORE,
        Kind::ScriptsDisabled => &POLICY,
        Kind::WrongShell => &SHELL,
        Kind::SourceUnknown => &SOURCE,
        Kind::NotOnSearchPath => &NOT_ON_PATH,
        _ => &COMMAND,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::error_output::ROWS;

    #[test]
    fn every_kind_has_checks_and_advice() {
        for row in ROWS {
            let meaning = meaning_of(row.kind);
            assert!(!meaning.checks.is_empty() && !meaning.advice.is_empty(), "{:?}", row.kind);
            assert!(!meaning.means.ends_with('.'), "{}", meaning.means);
        }
    }

    #[test]
    fn an_unexplained_message_is_explained() {
        let message = Message {
            kind: MessageKind::StoreStub,
            text: "Python was not found".into(),
            line: 3,
            name: None,
            path: None,
            passing: false,
        };
        let found = explain(&message, Subject::Shell);
        assert_eq!(found.check, "windows-store-stub");
        assert_eq!(found.evidence[0].value, "Python was not found (line 3)");
        assert_eq!(found.remedies[0].actions.len(), 3);
    }
}
