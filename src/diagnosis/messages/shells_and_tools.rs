//! Messages of shells, version managers and other tools.

use super::{Meaning, meaning};
use crate::diagnosis::Category;
use crate::parse::error_output::MessageKind;

pub(super) fn meaning_of(kind: MessageKind) -> &'static Meaning {
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
