//! Messages of a Python or a program that does not start.

use super::{Meaning, meaning};
use crate::diagnosis::Category;
use crate::parse::error_output::MessageKind;

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

pub(super) fn meaning_of(kind: MessageKind) -> &'static Meaning {
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
