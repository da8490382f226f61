//! The table of messages: special ones before general ones.

use super::capture::{between, path_in, quoted_after, word_after};
use super::{Message, MessageKind};

/// One kind of message and how it is known.
pub struct Row {
    pub kind: MessageKind,
    /// Any of these; of each, every part must be in the line.
    signs: &'static [&'static [&'static str]],
    name: Cut,
    path: Cut,
    passing: bool,
}

type Cut = fn(&str) -> Option<&str>;

const NOTHING: Cut = |_| None;

const fn row(kind: MessageKind, signs: &'static [&'static [&'static str]]) -> Row {
    Row { kind, signs, name: NOTHING, path: path_in, passing: false }
}

impl Row {
    const fn name(mut self, cut: Cut) -> Row {
        self.name = cut;
        self
    }

    const fn path(mut self, cut: Cut) -> Row {
        self.path = cut;
        self
    }

    const fn passing(mut self) -> Row {
        self.passing = true;
        self
    }

    fn fits(&self, line: &str) -> bool {
        self.signs.iter().any(|parts| parts.iter().all(|part| line.contains(part)))
    }
}

/// What the line says, if anything is known of it.
pub fn recognise(line: &str, number: usize) -> Option<Message> {
    let row = ROWS.iter().find(|row| row.fits(line))?;
    Some(Message {
        kind: row.kind,
        text: line.trim().to_owned(),
        line: number,
        name: (row.name)(line).map(str::to_owned),
        path: (row.path)(line).map(str::to_owned),
        passing: row.passing,
    })
}

fn missing_module(line: &str) -> Option<&str> {
    let name = word_after(line, "No module named ")?;
    let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c == '_' || c.is_alphanumeric());
    name.split('.').all(plain).then_some(name)
}

/// `libfoo.so.1: cannot open shared object file`
fn shared_library(line: &str) -> Option<&str> {
    if let Some(found) = between(line, "error while loading shared libraries: ", &[':', ' ']) {
        return Some(found);
    }
    if let Some(found) = between(line, "Library not loaded: ", &['\n', '\'', ' ']) {
        return Some(found);
    }
    let before = &line[..line.find(": cannot open shared object file")?];
    before.rsplit([' ', ':', '\'', '"']).next().filter(|name| !name.is_empty())
}

/// The file that asks for it: `Referenced from: ...`, the path at the line's start.
fn asking_file(line: &str) -> Option<&str> {
    between(line, "Referenced from: ", &['\n', '\'']).or_else(|| path_in(line))
}

/// The GLIBC of ``version `GLIBC_2.99' not found``.
fn symbol_version(line: &str) -> Option<&str> {
    quoted_after(line, "version ")
}

/// ``(required by /x/m.so)``
fn required_by(line: &str) -> Option<&str> {
    between(line, "(required by ", &[')']).or_else(|| path_in(line))
}

/// `/x/bin/pip: /gone/python: bad interpreter`: the interpreter; the script comes first.
fn interpreter(line: &str) -> Option<&str> {
    if let Some(before) = line.find(": bad interpreter") {
        return line[..before].rsplit(": ").next().map(|text| text.trim_end_matches("^M"));
    }
    quoted_after(line, "specified the interpreter ")
}

fn command(line: &str) -> Option<&str> {
    let near = |text: &'static str| line.find(text).map(|at| &line[..at]);
    if let Some(name) = between(line, "command not found: ", &[' ', '\n']) {
        return Some(name);
    }
    if let Some(name) = quoted_after(line, "env: ") {
        return Some(name.trim_end_matches("\\r"));
    }
    let before = near(": command not found")
        .or_else(|| near(": not found"))
        .or_else(|| near(": No such file or directory"))
        .or_else(|| near(" is not recognized"))
        .or_else(|| near(": The term"))?;
    let name = before.rsplit([' ', ':']).next()?.trim_matches(['\'', '"', '‘', '’', '`']);
    (!name.is_empty()).then_some(name)
}

/// Of `Ignoring invalid distribution -ip (/x/site-packages)`.
fn invalid_distribution(line: &str) -> Option<&str> {
    between(line, "Ignoring invalid distribution ", &[' ', '('])
}

fn distribution(line: &str) -> Option<&str> {
    between(line, "Cannot uninstall ", &[' ', ',']).or_else(|| between(line, "uninstall ", &[' ', ',']))
}

use MessageKind as Kind;

pub static ROWS: &[Row] = &[
    row(
        Kind::NoStandardLibrary,
        &[
            &["No module named 'encodings'"],
            &["No module named encodings"],
            &["init_fs_encoding"],
            &["Could not find platform independent libraries"],
            &["Unable to get the locale encoding"],
        ],
    ),
    row(
        Kind::NoPip,
        &[
            &["No module named pip"],
            &["No module named 'pip'"],
            &["No module named 'pip."],
            &["cannot import name 'main' from 'pip"],
            &["cannot import name main", "pip"],
        ],
    )
    .name(|_| Some("pip")),
    row(
        Kind::SetuptoolsGone,
        &[
            &["No module named 'distutils"],
            &["No module named 'pkg_resources"],
            &["No module named 'setuptools"],
            &["No module named distutils"],
            &["No module named pkg_resources"],
            &["No module named setuptools"],
        ],
    )
    .name(missing_module),
    row(Kind::PartlyInitialised, &[&["partially initialized module"]])
        .name(|line| quoted_after(line, "partially initialized module "))
        .path(|line| between(line, "circular import) (", &[')']).or_else(|| path_in(line))),
    row(
        Kind::MissingAttribute,
        &[&["module '", "' has no attribute '"], &["'module' object has no attribute"]],
    )
    .name(|line| quoted_after(line, "module ")),
    row(
        Kind::CLibraryTooOld,
        &[
            &["version `GLIBC", "not found"],
            &["version `CXXABI", "not found"],
            &["version `GCC_", "not found"],
            &["version 'GLIBC", "not found"],
        ],
    )
    .name(symbol_version)
    .path(required_by),
    row(
        Kind::LibpythonMissing,
        &[
            &["error while loading shared libraries: libpython"],
            &["Library not loaded", "Python"],
            &["Library not loaded", "libpython"],
        ],
    )
    .name(shared_library)
    .path(asking_file),
    row(
        Kind::UndefinedSymbol,
        &[&["undefined symbol: "], &["symbol not found", "flat namespace"], &["Symbol not found: "]],
    )
    .name(|line| {
        between(line, "ymbol: ", &[' ', ',', '\n'])
            .or_else(|| between(line, "ymbol not found: ", &[' ', ',']))
    }),
    row(
        Kind::WrongArchitecture,
        &[
            &["incompatible architecture"],
            &["mach-o, but wrong architecture"],
            &["wrong ELF class"],
            &["is not a valid Win32 application"],
        ],
    ),
    row(
        Kind::SharedLibraryMissing,
        &[
            &["cannot open shared object file"],
            &["Library not loaded: "],
            &["error while loading shared libraries: "],
            &["Error loading shared library "],
        ],
    )
    .name(shared_library)
    .path(asking_file),
    row(Kind::DllLoadFailed, &[&["DLL load failed"]])
        .name(|line| between(line, "while importing ", &[':']).or_else(|| between(line, "import ", &[':']))),
    row(
        Kind::NumpyAbi,
        &[
            &["numpy.dtype size changed"],
            &["compiled using NumPy 1."],
            &["numpy.core.multiarray failed to import"],
            &["numpy.ufunc size changed"],
            &["module compiled against ABI version"],
            &["module compiled against API version"],
        ],
    )
    .name(|_| Some("numpy")),
    row(Kind::CannotImportName, &[&["cannot import name "]])
        .name(|line| quoted_after(line, " from "))
        .path(|line| between(line, "' (", &[')']).or_else(|| path_in(line))),
    row(Kind::BadMagicNumber, &[&["bad magic number in"], &["Bad magic number in"]])
        .name(|line| word_after(line, "magic number in ")),
    row(Kind::PthLineFails, &[&["Error processing line ", ".pth"]]).path(|line| {
        Some(&line[..line.rfind(".pth")? + 4]).and_then(|cut| cut.split_once(" of ")).map(|(_, path)| path)
    }),
    row(Kind::CustomizeFails, &[&["Error in sitecustomize"], &["Error in usercustomize"]])
        .name(|line| between(line, "Error in ", &[';', ' '])),
    row(
        Kind::PreCommitMissing,
        &[
            &["pre-commit", "Did you forget to activate your virtualenv"],
            &["virtualenv python version did not match created version"],
        ],
    ),
    row(Kind::ModuleMissing, &[&["No module named "]]).name(missing_module),
    row(Kind::NoPyvenvConfig, &[&["No pyvenv.cfg file"], &["failed to locate pyvenv.cfg"]]),
    row(Kind::NoBasePython, &[&["No Python at "], &["did not find executable at "]]),
    row(
        Kind::ExternallyManaged,
        &[&["externally-managed-environment"], &["environment is externally managed"]],
    ),
    row(Kind::UserInstallRefused, &[&["Can not perform a '--user' install"]]),
    row(Kind::VirtualenvRequired, &[&["Could not find an activated virtualenv"]]),
    row(Kind::InvalidDistribution, &[&["Ignoring invalid distribution"]])
        .name(invalid_distribution)
        .passing(),
    row(
        Kind::RecordMissing,
        &[
            &["RECORD file not found"],
            &["no RECORD file was found"],
            &["uninstall-no-record-file"],
            &["installed by debian"],
            &["It is a distutils installed project"],
        ],
    )
    .name(distribution),
    row(
        Kind::PyenvVersionMissing,
        &[&["pyenv: version", "is not installed"], &["No version is set for command"]],
    )
    .name(|line| quoted_after(line, "version "))
    .path(|line| between(line, "set by ", &[')'])),
    row(
        Kind::PyenvOtherVersion,
        &[&["command exists in these Python versions"], &["pyenv: ", ": command not found"]],
    )
    .name(|line| quoted_after(line, "The ").or_else(|| between(line, "pyenv: ", &[':']))),
    row(
        Kind::OtherPythonRequired,
        &[
            &["requires a different Python"],
            &["The currently activated Python version"],
            &["is incompatible with the project's Python requirement"],
            &["Python requirement", "not satisfied"],
            &["is not supported by the project"],
            &["Requires-Python", "Ignored the following versions"],
        ],
    )
    .name(|line| between(line, "Package ", &[' ']).map(|name| name.trim_matches(['\'', '"']))),
    row(Kind::UvOtherEnvironment, &[&["VIRTUAL_ENV=", "does not match the project environment path"]])
        .path(|line| between(line, "VIRTUAL_ENV=", &['`', '\'', ' ']))
        .passing(),
    row(
        Kind::PipxInvalidInterpreter,
        &[&["has invalid interpreter"], &["has missing internal pipx metadata"]],
    )
    .name(|line| between(line, "package ", &[' '])),
    row(Kind::LauncherFails, &[&["Fatal error in launcher"], &["Unable to create process using"]]),
    row(
        Kind::StoreStub,
        &[&["Python was not found", "Microsoft Store"], &["Python was not found; run without arguments"]],
    ),
    row(
        Kind::ScriptsDisabled,
        &[
            &["running scripts is disabled on this system"],
            &["Activate.ps1", "is not digitally signed"],
            &["about_Execution_Policies"],
        ],
    ),
    row(
        Kind::WrongShell,
        &[
            &["builtin not inside of switch block"],
            &["Badly placed ()'s"],
            &["activate", "Unsupported use of '='"],
            &["activate", "Expected a string, but found"],
            &["activate", "if: Expression Syntax"],
            &["activate", "parse error near"],
        ],
    ),
    row(
        Kind::SourceUnknown,
        &[
            &["source: not found"],
            &["source: command not found"],
            &["'source' is not recognized"],
            &["source: inaccessible or not found"],
        ],
    ),
    row(Kind::NotOnSearchPath, &[&["which is not on PATH"], &["is not on your PATH"]])
        .name(|line| {
            between(line, "The script ", &[' ']).or_else(|| between(line, "The scripts ", &[' ', ',']))
        })
        .path(|line| quoted_after(line, "installed in ").or_else(|| path_in(line)))
        .passing(),
    row(Kind::LinkLoop, &[&["Too many levels of symbolic links"]]),
    row(
        Kind::WrongBinaryFormat,
        &[
            &["Exec format error"],
            &["cannot execute binary file"],
            &["Bad CPU type in executable"],
            &["exec user process caused: exec format"],
        ],
    ),
    row(
        Kind::InterpreterWithCarriageReturn,
        &[&["\\r", "No such file or directory"], &["^M: bad interpreter"], &["\\r: bad interpreter"]],
    )
    .name(command),
    row(
        Kind::BadInterpreter,
        &[
            &["bad interpreter"],
            &["cannot execute: required file not found"],
            &["specified the interpreter"],
            &["203/EXEC"],
            &["code=exited, status=203"],
            &["/bin/python", "No such file or directory"],
            &["/Scripts/python", "No such file or directory"],
            &["FileNotFoundError", "/bin/"],
            &["failed to find interpreter for"],
            &["unable to start container process", "/bin/", "no such file or directory"],
        ],
    )
    .name(interpreter),
    row(
        Kind::CommandMissing,
        &[
            &["python", "not found"],
            &["pip", "command not found"],
            &["command not found: "],
            &["pip", ": not found"],
            &["env: ", "No such file or directory"],
            &["is not recognized as", "command"],
            &["is not recognized as the name of"],
        ],
    )
    .name(command)
    .path(NOTHING),
    row(Kind::PermissionDenied, &[&["Permission denied"], &["permission denied"], &["Access is denied"]]),
];
