use super::*;

/// The decisive message of a text: its kind, name and path.
fn read(text: &str) -> (MessageKind, Option<String>, Option<String>) {
    let output = ErrorOutput::parse(text.as_bytes());
    let message = output.decisive().unwrap_or_else(|| panic!("nothing recognised in {text}"));
    (message.kind, message.name.clone(), message.path.clone())
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

use MessageKind as Kind;

/// A real text for each row of the table.
const TEXTS: &[(Kind, &str)] = &[
    (
        Kind::NoStandardLibrary,
        "Fatal Python error: init_fs_encoding: failed to get the Python codec of the filesystem encoding\nPython runtime state: core initialized\nModuleNotFoundError: No module named 'encodings'\n\nCurrent thread 0x00007f (most recent call first):\n  <no Python frame>",
    ),
    (Kind::NoPip, "/home/me/p/.venv/bin/python: No module named pip"),
    (
        Kind::NoPip,
        "Traceback (most recent call last):\n  File \"/usr/bin/pip3\", line 9, in <module>\n    from pip import main\nImportError: cannot import name 'main' from 'pip' (/home/me/.local/lib/python3.8/site-packages/pip/__init__.py)",
    ),
    (
        Kind::SetuptoolsGone,
        "  File \"/p/.venv/lib/python3.12/site-packages/x/__init__.py\", line 1, in <module>\n    from distutils.version import LooseVersion\nModuleNotFoundError: No module named 'distutils'",
    ),
    (Kind::SetuptoolsGone, "ModuleNotFoundError: No module named 'pkg_resources'"),
    (
        Kind::PartlyInitialised,
        "AttributeError: partially initialized module 'random' has no attribute 'randint' (most likely due to a circular import)",
    ),
    (Kind::MissingAttribute, "AttributeError: module 'requests' has no attribute 'get'"),
    (
        Kind::CLibraryTooOld,
        "ImportError: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by /p/.venv/lib/python3.9/site-packages/_cffi_backend.cpython-39-x86_64-linux-gnu.so)",
    ),
    (
        Kind::CLibraryTooOld,
        "ImportError: /usr/lib/x86_64-linux-gnu/libstdc++.so.6: version `GLIBCXX_3.4.29' not found (required by /x/y.so)",
    ),
    (
        Kind::LibpythonMissing,
        "/p/.venv/bin/python: error while loading shared libraries: libpython3.11.so.1.0: cannot open shared object file: No such file or directory",
    ),
    (
        Kind::LibpythonMissing,
        "dyld: Library not loaded: @executable_path/../.Python\n  Referenced from: /Users/me/env/bin/python",
    ),
    (
        Kind::UndefinedSymbol,
        "ImportError: /p/.venv/lib/python3.10/lib-dynload/_asyncio.so: undefined symbol: _PyUnicode_Ready",
    ),
    (
        Kind::WrongArchitecture,
        "ImportError: dlopen(/p/x.so, 0x0002): tried: '/p/x.so' (mach-o file, but is an incompatible architecture (have 'x86_64', need 'arm64'))",
    ),
    (
        Kind::SharedLibraryMissing,
        "ImportError: libGL.so.1: cannot open shared object file: No such file or directory",
    ),
    (
        Kind::DllLoadFailed,
        "ImportError: DLL load failed while importing _ssl: The specified module could not be found.",
    ),
    (
        Kind::NumpyAbi,
        "ValueError: numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88 from PyObject",
    ),
    (
        Kind::NumpyAbi,
        "A module that was compiled using NumPy 1.x cannot be run in\nNumPy 2.0.0 as it may crash.",
    ),
    (
        Kind::CannotImportName,
        "ImportError: cannot import name 'Mapping' from 'collections' (/usr/lib/python3.10/collections/__init__.py)",
    ),
    (Kind::BadMagicNumber, "ImportError: bad magic number in 'tool': b'\\x03\\xf3\\r\\n'"),
    (
        Kind::PthLineFails,
        "Error processing line 1 of /p/.venv/lib/python3.11/site-packages/distutils-precedence.pth:\n\n  Traceback (most recent call last):\n    File \"<frozen site>\", line 195, in addpackage\n  AttributeError: x\n\nRemainder of file ignored",
    ),
    (Kind::CustomizeFails, "Error in sitecustomize; set PYTHONVERBOSE for traceback:\nModuleNotFoundX: nope"),
    (Kind::PreCommitMissing, "`pre-commit` not found.  Did you forget to activate your virtualenv?"),
    (
        Kind::ModuleMissing,
        "Traceback (most recent call last):\n  File \"/home/me/p/main.py\", line 1, in <module>\n    import yaml\nModuleNotFoundError: No module named 'yaml'",
    ),
    (Kind::ModuleMissing, "ImportError: No module named yaml"),
    (Kind::NoPyvenvConfig, "No pyvenv.cfg file"),
    (Kind::NoPyvenvConfig, "failed to locate pyvenv.cfg: The system cannot find the file specified."),
    (
        Kind::NoBasePython,
        "No Python at '\"C:\\Users\\me\\AppData\\Local\\Programs\\Python\\Python310\\python.exe'",
    ),
    (
        Kind::ExternallyManaged,
        "error: externally-managed-environment\n\n× This environment is externally managed\n╰─> To install Python packages system-wide, try apt install",
    ),
    (
        Kind::UserInstallRefused,
        "ERROR: Can not perform a '--user' install. User site-packages are not visible in this virtualenv.",
    ),
    (Kind::VirtualenvRequired, "ERROR: Could not find an activated virtualenv (required)."),
    (
        Kind::InvalidDistribution,
        "WARNING: Ignoring invalid distribution -ip (/p/.venv/lib/python3.11/site-packages)",
    ),
    (
        Kind::InvalidDistribution,
        "WARNING: Ignoring invalid distribution ~ip (/p/.venv/lib/python3.11/site-packages)",
    ),
    (
        Kind::RecordMissing,
        "ERROR: Cannot uninstall PyYAML 5.3.1, RECORD file not found. You might be able to recover from this via: 'pip install --force-reinstall --no-deps PyYAML==5.3.1'.",
    ),
    (
        Kind::RecordMissing,
        "error: uninstall-no-record-file\n\n× Cannot uninstall six None\n╰─> The package's contents are unknown: no RECORD file was found for six.",
    ),
    (
        Kind::PyenvVersionMissing,
        "pyenv: version `3.9.9' is not installed (set by /home/me/p/.python-version)",
    ),
    (
        Kind::PyenvOtherVersion,
        "pyenv: black: command not found\n\nThe `black' command exists in these Python versions:\n  3.11.4",
    ),
    (Kind::OtherPythonRequired, "ERROR: Package 'demo' requires a different Python: 3.9.2 not in '>=3.10'"),
    (
        Kind::OtherPythonRequired,
        "The currently activated Python version 3.8.10 is not supported by the project (^3.10).",
    ),
    (
        Kind::UvOtherEnvironment,
        "warning: `VIRTUAL_ENV=/home/me/old/.venv` does not match the project environment path `.venv` and will be ignored; use `--active` to target the active environment instead",
    ),
    (Kind::PipxInvalidInterpreter, "   package black has invalid interpreter /usr/local/bin/python3.9"),
    (
        Kind::LauncherFails,
        "Fatal error in launcher: Unable to create process using '\"c:\\old\\python.exe\"  \"C:\\new\\Scripts\\pip.exe\" install x': The system cannot find the file specified.",
    ),
    (
        Kind::StoreStub,
        "Python was not found; run without arguments to install from the Microsoft Store, or disable this shortcut from Settings > Manage App Execution Aliases.",
    ),
    (
        Kind::ScriptsDisabled,
        ".\\.venv\\Scripts\\Activate.ps1 : File C:\\p\\.venv\\Scripts\\Activate.ps1 cannot be loaded because running scripts is disabled on this system.",
    ),
    (
        Kind::WrongShell,
        ".venv/bin/activate (line 40): 'case' builtin not inside of switch block\ncase \"$(uname)\" in",
    ),
    (Kind::WrongShell, "Badly placed ()'s."),
    (Kind::SourceUnknown, "/bin/sh: 1: source: not found"),
    (
        Kind::NotOnSearchPath,
        "  WARNING: The script black is installed in '/home/me/.local/bin' which is not on PATH.",
    ),
    (Kind::LinkLoop, "bash: /p/.venv/bin/python: Too many levels of symbolic links"),
    (Kind::WrongBinaryFormat, "bash: /p/.venv/bin/python: cannot execute binary file: Exec format error"),
    (Kind::InterpreterWithCarriageReturn, "/usr/bin/env: ‘python3\\r’: No such file or directory"),
    (
        Kind::InterpreterWithCarriageReturn,
        "bash: ./run.py: /usr/bin/python3^M: bad interpreter: No such file or directory",
    ),
    (
        Kind::BadInterpreter,
        "bash: /new/.venv/bin/pip: /old/.venv/bin/python: bad interpreter: No such file or directory",
    ),
    (Kind::BadInterpreter, "bash: /new/.venv/bin/pip: cannot execute: required file not found"),
    (
        Kind::BadInterpreter,
        "fish: The file '/new/.venv/bin/pip' specified the interpreter '/old/.venv/bin/python', which is not an executable command.",
    ),
    (Kind::BadInterpreter, "app.service: Main process exited, code=exited, status=203/EXEC"),
    (Kind::CommandMissing, "bash: python: command not found"),
    (Kind::CommandMissing, "zsh: command not found: pip"),
    (Kind::CommandMissing, "/usr/bin/env: ‘python’: No such file or directory"),
    (Kind::PermissionDenied, "bash: ./bin/activate: Permission denied"),
    (
        Kind::PermissionDenied,
        "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/usr/lib/python3/dist-packages/six.py'",
    ),
];

#[test]
fn each_text_is_recognised() {
    for (kind, text) in TEXTS {
        assert_eq!(read(text).0, *kind, "{text}");
    }
}

#[test]
fn each_row_has_a_text() {
    for row in ROWS {
        assert!(TEXTS.iter().any(|(kind, _)| *kind == row.kind), "{:?}", row.kind);
    }
}

#[test]
fn names_and_paths_are_cut_out() {
    let captured = |text: &str| {
        let (_, name, path) = read(text);
        (name, path)
    };
    assert_eq!(captured("ModuleNotFoundError: No module named 'google.cloud'"), (some("google.cloud"), None));
    assert_eq!(captured("ModuleNotFoundError: No module named 'yaml'; 'x' is not a package").0, some("yaml"));
    assert_eq!(captured("ImportError: libGL.so.1: cannot open shared object file: x").0, some("libGL.so.1"));
    assert_eq!(
        captured("ImportError: /lib/libc.so.6: version `GLIBC_2.34' not found (required by /p/a b.so)"),
        (some("GLIBC_2.34"), some("/p/a b.so"))
    );
    assert_eq!(
        captured("bash: /new/bin/pip: /old/bin/python: bad interpreter: No such file or directory"),
        (some("/old/bin/python"), some("/new/bin/pip"))
    );
    assert_eq!(
        captured("ImportError: cannot import name 'a' from 'b' (/x/b.py)"),
        (some("b"), some("/x/b.py"))
    );
    assert_eq!(
        captured("Error processing line 3 of /a b/site-packages/x.pth:").1,
        some("/a b/site-packages/x.pth")
    );
    assert_eq!(captured("/usr/bin/env: ‘python’: No such file or directory").0, some("python"));
    assert_eq!(captured("zsh: command not found: pip").0, some("pip"));
    assert_eq!(
        captured("pyenv: version `3.9.9' is not installed (set by /p/.python-version)"),
        (some("3.9.9"), some("/p/.python-version"))
    );
}

#[test]
fn the_environment_of_a_traceback_is_found() {
    let text = "Traceback (most recent call last):
  File \"/home/me/app/main.py\", line 1, in <module>
    import flask
  File \"/home/me/app/.venv/lib/python3.11/site-packages/flask/__init__.py\", line 5, in <module>
  File \"/usr/lib/python3.11/json/__init__.py\", line 1, in <module>
ModuleNotFoundError: No module named 'werkzeug'";
    let output = ErrorOutput::parse(text.as_bytes());
    assert_eq!(output.script, some("/home/me/app/main.py"));
    assert_eq!(
        output.places,
        [Place::Environment("/home/me/app/.venv".into()), Place::Prefix("/usr".into())]
    );
    let of = |text: &str| ErrorOutput::parse(text.as_bytes()).places;
    assert_eq!(
        of("/p/.venv/bin/python: No module named pip"),
        [Place::Program("/p/.venv/bin/python".into())]
    );
    assert_eq!(
        of("bash: /new/.venv/bin/pip: /old/.venv/bin/python: bad interpreter: x")[0],
        Place::Program("/new/.venv/bin/pip".into())
    );
    assert_eq!(
        of("  File \"C:\\p\\.venv\\Lib\\site-packages\\x\\__init__.py\", line 1, in <module>"),
        [Place::Environment("C:\\p\\.venv".into())]
    );
    assert!(of("  File \"/home/me/.local/lib/python3.11/site-packages/x.py\", line 1, in y").is_empty());
}

#[test]
fn the_last_fatal_message_decides() {
    let text = "WARNING: Ignoring invalid distribution -ip (/p/lib/python3.11/site-packages)
ModuleNotFoundError: No module named 'one'
During handling of the above exception, another exception occurred:
ModuleNotFoundError: No module named 'two'
WARNING: Ignoring invalid distribution -ip (/p/lib/python3.11/site-packages)";
    assert_eq!(read(text), (Kind::ModuleMissing, some("two"), None));
}

#[test]
fn any_bytes_are_borne() {
    assert!(ErrorOutput::parse(b"").decisive().is_none());
    assert!(ErrorOutput::parse(b"\xff\xfe\x00").decisive().is_none());
    let coloured = b"\x1b[31mModuleNotFoundError\x1b[0m: No module named \x1b[1m'six'\x1b[0m\xff\x00";
    assert_eq!(ErrorOutput::parse(coloured).decisive().and_then(|it| it.name.clone()), some("six"));
    let mut wide = vec![0xff, 0xfe];
    wide.extend("No pyvenv.cfg file\n".encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(ErrorOutput::parse(&wide).decisive().map(|it| it.kind), Some(Kind::NoPyvenvConfig));
    for row in ROWS {
        for (_, text) in TEXTS.iter().filter(|(kind, _)| *kind == row.kind) {
            for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
                let _ = ErrorOutput::parse(&text.as_bytes()[..end]);
                let _ = ErrorOutput::parse(&text.as_bytes()[end..]);
            }
        }
    }
}
