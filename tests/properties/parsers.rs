//! What every parser promises for any bytes: it ends, it doesn't panic, and a line that it names is a line of the text.
//!
//! The fuzz targets (`fuzz/`) and the properties share this file, so that what either finds is a case of both.

use std::collections::BTreeSet;
use std::time::Duration;

use venv_doctor::collect::gather::{self, Request};
use venv_doctor::collect::probe::{self, Trust};
use venv_doctor::diagnosis::{Diagnosis, examine};
use venv_doctor::facts::Facts;
use venv_doctor::host::fake::FakeMachine;
use venv_doctor::parse::activate::{ActivatorKind, baked_root};
use venv_doctor::parse::activation_use::{self, TextKind};
use venv_doctor::parse::binary_pieces::Pieces;
use venv_doctor::parse::error_output::ErrorOutput;
use venv_doctor::parse::install_use::{self, CommandText};
use venv_doctor::parse::pyvenv_cfg::{self, ConfigOddity};
use venv_doctor::parse::startup_file::{self, Syntax};
use venv_doctor::parse::{
    binary, editable_finder, entry_points, extension_name, git_index, jsonc, launcher, metadata, names,
    notebook, os_release, pip_configuration, pth, python_imports, python_source, python_version_file, record,
    requirements, service, setup_py, shebang, shell_word, zip,
};
use venv_doctor::path::HostPath;
use venv_doctor::report::human::{self, HumanOptions, Timing};
use venv_doctor::report::{Dialect, github, json, markdown, sarif, snapshot};
use venv_doctor::{checks, config};

/// A parser under its name, which is that of its fuzz target and of its seeds.
pub struct Parser {
    pub name: &'static str,
    pub run: fn(&[u8]),
}

/// All of them, by name.
pub const PARSERS: &[Parser] = &[
    Parser { name: "activate", run: activate },
    Parser { name: "activation_use", run: activation_calls },
    Parser { name: "binary", run: binary_file },
    Parser { name: "config", run: configuration },
    Parser { name: "error_output", run: error_output },
    Parser { name: "git_index", run: index_of_git },
    Parser { name: "install_use", run: install_calls },
    Parser { name: "jsonc", run: json_with_comments },
    Parser { name: "launcher", run: windows_launcher },
    Parser { name: "machine", run: machine },
    Parser { name: "metadata", run: core_metadata },
    Parser { name: "names", run: names_of_files },
    Parser { name: "pip_configuration", run: configuration_of_pip },
    Parser { name: "probe", run: probe_output },
    Parser { name: "pth", run: path_file },
    Parser { name: "python", run: python_text },
    Parser { name: "pyvenv_cfg", run: configuration_of_venv },
    Parser { name: "record", run: installed_files },
    Parser { name: "requirements", run: requirement_file },
    Parser { name: "service", run: services },
    Parser { name: "shebang", run: first_line },
    Parser { name: "shell_word", run: word_of_a_shell },
    Parser { name: "snapshot", run: recorded_facts },
    Parser { name: "startup_file", run: startup_files },
    Parser { name: "zip", run: archive },
];

/// The parser of that name.
pub fn parser(name: &str) -> Option<&'static Parser> {
    PARSERS.iter().find(|parser| parser.name == name)
}

/// How many lines a text has at most, by any of the line ends that parsers know.
fn lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1
}

#[track_caller]
fn within(line: usize, bytes: &[u8]) {
    assert!((1..=lines(bytes)).contains(&line), "line {line} of a text of {} lines", lines(bytes));
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn activate(bytes: &[u8]) {
    use ActivatorKind::{Cmd, Csh, Fish, Nushell, Posix, PowerShell, Python, Xonsh};
    for kind in [Posix, Csh, Fish, PowerShell, Cmd, Nushell, Xonsh, Python] {
        if let Some(baked) = baked_root(kind, bytes) {
            within(baked.line, bytes);
            assert!(!baked.root.is_empty());
        }
    }
}

fn activation_calls(bytes: &[u8]) {
    use TextKind::{ContinuousIntegration, Dockerfile, Makefile, ShellScript};
    for kind in [Makefile, Dockerfile, ContinuousIntegration, ShellScript] {
        for call in activation_use::parse(kind, bytes) {
            within(call.line, bytes);
        }
    }
}

fn binary_file(bytes: &[u8]) {
    binary::parse(bytes);
    binary::python_version_in(bytes);
    // the same file, of which only a beginning was read at first
    let size = bytes.len() as u64;
    let mut pieces = Pieces::new(size, bytes.get(..bytes.len().min(4096)).unwrap_or_default().to_vec());
    for _ in 0..16 {
        let (_, wanted) = pieces.parse();
        let Some((offset, length)) = wanted else { break };
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let end = start.saturating_add(length).min(bytes.len());
        assert!(offset < size && length > 0, "{length} bytes from {offset} of {size} are asked for");
        pieces.add(offset, bytes[start..end].to_vec());
    }
}

fn configuration(bytes: &[u8]) {
    for name in ["venv-doctor.toml", "pyproject.toml"] {
        let machine = FakeMachine::linux().file(format!("/home/me/project/{name}"), bytes);
        let directory = HostPath::posix("/home/me/project");
        let Ok(Some(found)) = config::find(&machine, &directory, Some(&HostPath::posix("/home/me"))) else {
            continue;
        };
        let set = [
            found.select.map(|setting| setting.line),
            found.fail_on.map(|setting| setting.line),
            found.python.map(|setting| setting.line),
            found.no_exec.map(|setting| setting.line),
            found.timeout.map(|setting| setting.line),
        ];
        let listed = found.ignore.iter().map(|it| it.line).chain(found.severity.iter().map(|it| it.line));
        for line in set.into_iter().flatten().chain(listed) {
            within(line, bytes);
        }
    }
}

fn error_output(bytes: &[u8]) {
    let output = ErrorOutput::parse(bytes);
    for message in &output.messages {
        // UTF-16 and the line ends of Unicode give lines that bytes do not show
        assert!(message.line >= 1 && message.line <= bytes.len().max(1));
    }
    output.decisive();
}

fn index_of_git(bytes: &[u8]) {
    let all = git_index::tracked_below(bytes, b"");
    for prefix in [&b".venv"[..], b".venv/", b"a/b"] {
        let below = git_index::tracked_below(bytes, prefix);
        assert!(below <= all, "{below:?} of {all:?}");
    }
}

fn install_calls(bytes: &[u8]) {
    use CommandText::{ContinuousIntegration, Dockerfile, Justfile, Makefile, Markdown, Script};
    for kind in [Script, Makefile, Justfile, Dockerfile, ContinuousIntegration, Markdown] {
        for found in install_use::parse(kind, bytes, "global-install") {
            within(found.line, bytes);
            let line = bytes.split(|byte| *byte == b'\n').nth(found.line - 1).unwrap_or_default();
            assert!((1..=line.len()).contains(&found.column), "column {} of {line:?}", found.column);
            if let Some(silenced) = found.silenced {
                within(silenced.line, bytes);
            }
        }
    }
}

fn json_with_comments(bytes: &[u8]) {
    let text = text(bytes);
    jsonc::parse(&text);
    if let Some(line) = jsonc::line_of(&text, "python.defaultInterpreterPath") {
        within(line, bytes);
    }
    if let Some(read) = notebook::parse(&text) {
        assert!(read.lines.iter().all(|line| *line <= lines(bytes)));
    }
}

fn windows_launcher(bytes: &[u8]) {
    launcher::parse(bytes);
}

fn core_metadata(bytes: &[u8]) {
    for whole in [true, false] {
        metadata::parse(bytes, whole);
    }
    metadata::values(bytes, "Requires-Dist");
    metadata::egg_requires(&text(bytes));
    entry_points::scripts(&text(bytes));
}

fn names_of_files(bytes: &[u8]) {
    let entries: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    names::installed(&entries);
    for entry in &entries {
        let name = text(entry);
        let normalized = names::normalize_name(&name);
        assert_eq!(names::normalize_name(&normalized), normalized, "normalized twice");
        extension_name::parse(&name);
        extension_name::parse_tag(&name);
        shebang::names_python(entry);
        CommandText::of(&name, bytes);
    }
}

fn configuration_of_pip(bytes: &[u8]) {
    for setting in pip_configuration::parse(bytes) {
        within(setting.line, text(bytes).as_bytes());
    }
    os_release::parse(bytes);
    for request in python_version_file::parse(bytes).requests {
        within(request.line, bytes);
        request.version();
        request.is_for_pyenv();
    }
}

fn probe_output(bytes: &[u8]) {
    for printed in [bytes.to_vec(), [b"venv-doctor-probe:", bytes].concat()] {
        let machine =
            FakeMachine::linux().executable("/usr/bin/python3", "").prints("/usr/bin/python3", printed);
        probe::ask(&machine, &HostPath::posix("/usr/bin/python3"), Trust::AsIs, Duration::from_secs(1))
            .answer();
    }
}

fn path_file(bytes: &[u8]) {
    for (line, _) in pth::lines(bytes).unwrap_or_default() {
        within(line, bytes);
    }
    editable_finder::parse(&text(bytes));
}

fn python_text(bytes: &[u8]) {
    let text = text(bytes.get(..python_imports::LIMIT).unwrap_or(bytes));
    for (line, _) in python_source::imported_modules(&text) {
        within(line, text.as_bytes());
    }
    shebang::imported_module(&text);
    shebang::is_entry_script(&text);
    // as the doctor reads it: with room for a deep tree
    std::thread::scope(|scope| {
        let read = || {
            for import in python_imports::imports(&text).found {
                within(import.line, text.as_bytes());
            }
            let call = setup_py::parse(&text);
            let required = call.install_requires.iter().map(|(line, _)| *line);
            let extras = call.extras_require.iter().map(|(line, ..)| *line);
            for line in call.python_requires.iter().map(|(line, _)| *line).chain(required).chain(extras) {
                within(line, text.as_bytes());
            }
        };
        let reading = std::thread::Builder::new().stack_size(python_imports::STACK).spawn_scoped(scope, read);
        if let Ok(reading) = reading
            && let Err(panic) = reading.join()
        {
            std::panic::resume_unwind(panic);
        }
    });
}

fn configuration_of_venv(bytes: &[u8]) {
    let config = pyvenv_cfg::parse(bytes);
    // UTF-16 has its line ends at other bytes
    let most = lines(bytes).max(bytes.len() / 2 + 1);
    let read = config.lines.iter().map(|line| line.number);
    let odd = config.oddities.iter().filter_map(|oddity| match oddity {
        ConfigOddity::NotUtf8 { line }
        | ConfigOddity::NulByte { line }
        | ConfigOddity::Section { line }
        | ConfigOddity::NotAKeyValueLine { line }
        | ConfigOddity::DuplicateKey { line, .. } => Some(*line),
        _ => None,
    });
    for line in read.chain(odd).chain(config.line_of("home")) {
        assert!((1..=most).contains(&line), "line {line} of at most {most}");
    }
    config.home();
    config.site_home();
    config.include_system_site_packages();
    config.version_text();
    config.version();
    config.command();
    config.command_directory();
    config.prompt();
    config.creator().label();
    config.relocatable();
    pyvenv_cfg::c_getpath_home(bytes);
}

fn installed_files(bytes: &[u8]) {
    let read = record::entries(bytes).inspect(|entry| assert!(!entry.path.is_empty())).count();
    assert!(read <= lines(bytes));
}

fn requirement_file(bytes: &[u8]) {
    let text = text(bytes);
    requirements::requirement(&text);
    for (line, _) in requirements::file(&text) {
        within(line, text.as_bytes());
    }
}

fn services(bytes: &[u8]) {
    let text = text(bytes);
    let crontabs = [true, false].into_iter().flat_map(|names_user| service::crontab(&text, names_user));
    for command in service::unit(&text).into_iter().chain(crontabs) {
        within(command.line, text.as_bytes());
    }
}

fn first_line(bytes: &[u8]) {
    let script = shebang::parse(bytes);
    script.executed();
    script.interpreter();
}

fn word_of_a_shell(bytes: &[u8]) {
    for dialect in [shell_word::Dialect::Posix, shell_word::Dialect::Fish] {
        if let Some(word) = shell_word::first_word(bytes, dialect) {
            assert!((1..=bytes.len()).contains(&word.length));
        }
    }
}

fn startup_files(bytes: &[u8]) {
    for syntax in [Syntax::Posix, Syntax::Fish, Syntax::Csh] {
        for located in startup_file::parse(syntax, bytes) {
            within(located.line, bytes);
        }
    }
}

fn archive(bytes: &[u8]) {
    if let Some(place) = zip::locate(bytes, bytes.len() as u64) {
        assert!(place.offset + place.size as u64 <= bytes.len() as u64);
    }
    assert!(zip::names(bytes).len() <= bytes.len() / 46 + 1);
}

fn recorded_facts(bytes: &[u8]) {
    if let Ok(facts) = snapshot::read(bytes) {
        diagnosed(&facts);
    }
}

/// Every check and every format, none of which may crash.
pub fn diagnosed(facts: &Facts) -> Diagnosis {
    let all: Vec<_> = checks::all().collect();
    let diagnosis = examine::examine(facts, &all, Vec::new());
    assert_eq!(diagnosis.failed, [], "a check crashed");
    let dialect = Dialect::of(facts);
    let options = HumanOptions { width: 80, color: false, verbose: 2, quiet: false, unicode: true };
    let timing = Timing { gathered: Duration::ZERO, examined: Duration::ZERO };
    let mut out = Vec::new();
    human::write(&mut out, facts, &diagnosis, &dialect, &options, &timing).expect("memory can be written to");
    json::write(&mut out, facts, &diagnosis, &dialect).expect("memory can be written to");
    sarif::write(&mut out, facts, &diagnosis, &dialect, 1).expect("memory can be written to");
    github::write(&mut out, facts, &diagnosis, &dialect, "").expect("memory can be written to");
    markdown::write(&mut out, facts, &diagnosis, &dialect).expect("memory can be written to");
    diagnosis
}

/// Everything that may be asked, of a machine that starts nothing but what it was told.
pub fn request() -> Request {
    Request {
        directory: None,
        python: None,
        configured: None,
        execute: true,
        deadline: Duration::from_secs(5),
        needs: checks::all().flat_map(|check| check.needs.iter().copied()).collect::<BTreeSet<_>>(),
    }
}

/// The files whose content a stranger chooses, on a machine with a venv that is active; the pieces between lines
/// `%%%%` fill them in turn.
const STRANGERS_FILES: [&str; 14] = [
    "/home/me/project/.venv/pyvenv.cfg",
    "/home/me/project/.venv/bin/activate",
    "/home/me/project/.venv/bin/tool",
    "/home/me/project/.venv/lib/python3.11/site-packages/a.pth",
    "/home/me/project/.venv/lib/python3.11/site-packages/sample-1.0.dist-info/METADATA",
    "/home/me/project/.venv/lib/python3.11/site-packages/sample-1.0.dist-info/RECORD",
    "/home/me/project/.venv/lib/python3.11/site-packages/sample-1.0.dist-info/direct_url.json",
    "/home/me/project/pyproject.toml",
    "/home/me/project/requirements.txt",
    "/home/me/project/setup.cfg",
    "/home/me/project/.python-version",
    "/home/me/project/Makefile",
    "/home/me/project/.vscode/settings.json",
    "/home/me/.bashrc",
];

fn machine(bytes: &[u8]) {
    let mut machine = FakeMachine::linux()
        .executable("/usr/bin/python3.11", "\x7fELF")
        .link("/usr/bin/python3", "python3.11")
        .file("/usr/lib/python3.11/os.py", "")
        .link("/home/me/project/.venv/bin/python", "/usr/bin/python3.11")
        .process(&["bash"], &[])
        .variable("HOME", "/home/me")
        .variable("VIRTUAL_ENV", "/home/me/project/.venv")
        .variable("PATH", "/home/me/project/.venv/bin:/usr/bin")
        .dir("/home/me/project/.git")
        .cwd("/home/me/project");
    let mut rest = bytes;
    for file in STRANGERS_FILES {
        let (piece, more) = match rest.windows(5).position(|window| window == b"%%%%\n") {
            Some(at) => (&rest[..at], &rest[at + 5..]),
            None => (rest, &b""[..]),
        };
        machine = machine.executable(file, piece);
        rest = more;
    }
    if let Ok(mut facts) = gather::facts(&machine, &request()) {
        let _complete = gather::complete(&machine, &mut facts, request().deadline);
        diagnosed(&facts);
    }
}
