//! What one simple command installs, and whether it prepares an environment.

use super::InstallManner;
use super::words::Word;
use crate::parse::names::normalize_name;
use crate::path::readable;

/// A `pip install` among the words of a command.
pub struct Install {
    /// Where the command begins: at `sudo`, else at the program; and where it ends.
    pub start: usize,
    pub end: usize,
    pub program: String,
    /// Words that stand behind `install`, without options that choose the place.
    pub arguments: Vec<(usize, usize)>,
    pub manner: InstallManner,
    pub only_tools: bool,
}

/// Directories whose programs belong to the whole machine.
const SYSTEM_DIRECTORIES: [&str; 5] =
    ["/usr/bin", "/usr/local/bin", "/bin", "/opt/homebrew/bin", "/home/linuxbrew/.linuxbrew/bin"];

/// Programs that are used from outside the environments they care for; their own documents install them for the user.
const TOOLS: [&str; 14] = [
    "conan",
    "hatch",
    "nox",
    "pdm",
    "pip",
    "pipenv",
    "pipx",
    "poetry",
    "pre-commit",
    "setuptools",
    "tox",
    "uv",
    "virtualenv",
    "wheel",
];

/// Options of `pip` itself and of `pip install` that take the next word.
const WITH_VALUE: [&str; 26] = [
    "-c",
    "--constraint",
    "-i",
    "--index-url",
    "--extra-index-url",
    "-f",
    "--find-links",
    "--no-binary",
    "--only-binary",
    "--proxy",
    "--cache-dir",
    "--log",
    "--timeout",
    "--retries",
    "--trusted-host",
    "--cert",
    "--client-cert",
    "--exists-action",
    "--upgrade-strategy",
    "--progress-bar",
    "--config-settings",
    "-C",
    "--global-option",
    "--platform",
    "--abi",
    "--implementation",
];

/// Options that send the install to a place of its own, or make it none.
const ELSEWHERE: [&str; 9] =
    ["-t", "--target", "--prefix", "--root", "--python", "--dry-run", "--require-virtualenv", "--help", "-h"];

/// What stands before the program.
#[derive(Default)]
struct Before {
    sudo: Option<usize>,
    breaks: bool,
    user: bool,
    /// The variables say where it goes, or `sudo -u` for whom.
    elsewhere: bool,
}

/// What `words` install for a Python, where they run `pip install` at all.
pub fn install(words: &[Word]) -> Option<Install> {
    let (before, first) = prefix(words)?;
    if before.elsewhere {
        return None;
    }
    let (program, after) = program(words, first)?;
    let by_uv = program == "uv pip";
    let mut breaks = before.breaks;
    let (mut user, mut system) = (before.user, is_system(&program));
    let mut at = subcommand(words, after)? + 1;
    let mut arguments = Vec::new();
    let (mut packages, mut only_tools) = (0, true);
    while let Some(word) = words.get(at) {
        at += 1;
        let text = readable(&word.bytes);
        let option = text.split('=').next().unwrap_or(&text);
        if ELSEWHERE.contains(&option) {
            return None;
        }
        match option {
            "--break-system-packages" => {
                breaks = true;
                continue;
            }
            "--user" => {
                user = true;
                continue;
            }
            "--system" if by_uv => {
                system = true;
                continue;
            }
            _ => arguments.push((word.start, word.end)),
        }
        let value = WITH_VALUE.contains(&option) && !text.contains('=');
        if value || matches!(option, "-r" | "--requirement" | "-e" | "--editable") {
            only_tools &= value;
            packages += usize::from(!value);
            if let Some(value) = words.get(at).filter(|_| !text.contains('=')) {
                arguments.push((value.start, value.end));
                at += 1;
            }
        } else if !text.starts_with('-') {
            packages += 1;
            only_tools &= is_tool(&text);
        }
    }
    if packages == 0 || (by_uv && !system && !breaks) {
        return None;
    }
    let manner = match () {
        () if before.sudo.is_some() => InstallManner::Sudo,
        () if breaks => InstallManner::BreakSystemPackages,
        () if user => InstallManner::User,
        () if system => InstallManner::System,
        () => InstallManner::Bare,
    };
    // under sudo, only a name that root's PATH resolves, or a place of the system's
    if program.contains('/') && !is_system(&program) {
        return None;
    }
    Some(Install {
        start: words.get(before.sudo.unwrap_or(first))?.start,
        end: words.last()?.end,
        program,
        arguments,
        manner,
        only_tools,
    })
}

fn is_tool(requirement: &str) -> bool {
    let name = requirement.split(['=', '<', '>', '!', '~', '[', ';', '@', ' ']).next().unwrap_or_default();
    TOOLS.contains(&normalize_name(name).as_str())
}

/// `if`, `VAR=1`, `sudo -H`, `env A=1`, `time`: and the index of the program behind them.
fn prefix(words: &[Word]) -> Option<(Before, usize)> {
    let mut before = Before::default();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let text = readable(&word.bytes);
        match text.as_ref() {
            "if" | "then" | "elif" | "else" | "do" | "while" | "until" | "!" | "{" | "time" | "command"
            | "exec" | "nohup" | "builtin" | "env" | "call" => at += 1,
            "nice" | "xargs" | "sudo" | "doas" | "stdbuf" => {
                if matches!(text.as_ref(), "sudo" | "doas") {
                    before.sudo = before.sudo.or(Some(at));
                }
                at = behind_options(words, at + 1, &mut before);
            }
            "timeout" => at = behind_options(words, at + 1, &mut before) + 1,
            _ => match assignment(&text) {
                Some((name, value)) => {
                    before.take(name, value);
                    at += 1;
                }
                None => return Some((before, at)),
            },
        }
    }
    None
}

impl Before {
    fn take(&mut self, name: &str, value: &str) {
        let on = !matches!(value, "" | "0" | "false" | "no" | "off");
        match name {
            "PIP_BREAK_SYSTEM_PACKAGES" => self.breaks = on,
            "PIP_USER" => self.user = on,
            "PATH"
            | "VIRTUAL_ENV"
            | "PIP_TARGET"
            | "PIP_PREFIX"
            | "PIP_ROOT"
            | "PIP_PYTHON"
            | "PIP_REQUIRE_VIRTUALENV" => self.elsewhere = true,
            _ => {}
        }
    }
}

/// Behind the options of `sudo`, `nice`, `xargs` and `timeout`.
fn behind_options(words: &[Word], mut at: usize, before: &mut Before) -> usize {
    while let Some(word) = words.get(at) {
        let text = readable(&word.bytes);
        if !text.starts_with('-') || text == "-" {
            break;
        }
        at += 1;
        if text == "--" {
            break;
        }
        // another user's site, or a root of its own
        before.elsewhere |=
            before.sudo.is_some() && (text.starts_with("-u") || text.starts_with("--user") || text == "-R");
        if matches!(
            text.as_ref(),
            "-u" | "-g"
                | "-p"
                | "-C"
                | "-r"
                | "-t"
                | "-D"
                | "-R"
                | "-n"
                | "-k"
                | "-s"
                | "-I"
                | "-P"
                | "-d"
                | "-a"
        ) && !(before.sudo.is_some() && matches!(text.as_ref(), "-n" | "-k" | "-s" | "-P"))
        {
            at += 1;
        }
    }
    at
}

/// `NAME=value`.
fn assignment(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim_end_matches('+');
    let is_name = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit());
    is_name.then_some((name, value))
}

/// `pip3`, `python3 -m pip`, `uv pip`: as text, and the index behind it.
fn program(words: &[Word], at: usize) -> Option<(String, usize)> {
    let text = readable(&words.get(at)?.bytes).into_owned();
    if text.contains(['$', '`', '%', '{']) {
        return None;
    }
    let name = text.rsplit('/').next()?;
    let name = name.strip_suffix(".exe").unwrap_or(name);
    let versioned = |stem: &str| {
        name.strip_prefix(stem).is_some_and(|rest| {
            rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && rest.len() < 6
        })
    };
    if versioned("pip") {
        return Some((text, at + 1));
    }
    if name == "uv" && words.get(at + 1)?.bytes == b"pip" {
        return Some(("uv pip".to_owned(), at + 2));
    }
    if !(versioned("python") || name == "py") {
        return None;
    }
    let mut index = at + 1;
    let mut version = String::new();
    loop {
        let option = readable(&words.get(index)?.bytes);
        match option.as_ref() {
            "-m" | "-Im" | "-Em" | "-sm" if words.get(index + 1)?.bytes == b"pip" => {
                return Some((format!("{text}{version} -m pip"), index + 2));
            }
            "-W" | "-X" => index += 2,
            // with a version the launcher of Windows passes by the active environment
            option if name == "py" && is_launcher_version(option) => {
                version = format!(" {option}");
                index += 1;
            }
            option if option.starts_with('-') && !matches!(option, "-m" | "-c" | "-") => index += 1,
            _ => return None,
        }
    }
}

/// `-3`, `-3.11`, `-3.11-64`.
fn is_launcher_version(option: &str) -> bool {
    option.strip_prefix('-').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

fn is_system(program: &str) -> bool {
    let mut words = program.split(' ');
    let path = words.next().unwrap_or(program);
    path.rsplit_once('/').is_some_and(|(directory, _)| SYSTEM_DIRECTORIES.contains(&directory))
        || (path == "py" && words.next().is_some_and(is_launcher_version))
}

/// The index of `install`, where that is what pip is told to do.
fn subcommand(words: &[Word], mut at: usize) -> Option<usize> {
    loop {
        let text = readable(&words.get(at)?.bytes);
        match text.as_ref() {
            "install" => return Some(at),
            option if ELSEWHERE.contains(&option.split('=').next().unwrap_or(option)) => return None,
            option if WITH_VALUE.contains(&option) => at += 2,
            option if option.starts_with('-') => at += 1,
            _ => return None,
        }
    }
}

/// Whether the command makes or activates an environment, puts one on `PATH`, or asks whether one is active.
pub fn prepares(words: &[Word]) -> bool {
    let texts: Vec<_> = words.iter().map(|word| readable(&word.bytes)).collect();
    let asks = |text: &str| {
        ["VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "base_prefix"]
            .iter()
            .any(|name| text.contains(name))
    };
    if texts.iter().any(|text| asks(text)) {
        return true;
    }
    let sets_path = texts.iter().filter_map(|text| assignment(text)).any(|(name, value)| {
        name == "PATH" && value.to_ascii_lowercase().contains("env") || name == "PIP_REQUIRE_VIRTUALENV"
    });
    let skipped = texts
        .iter()
        .take_while(|text| {
            matches!(text.as_ref(), "if" | "then" | "else" | "do" | "!" | "{" | "export" | "sudo" | "eval")
                || assignment(text).is_some()
        })
        .count();
    let mut rest = texts.iter().skip(skipped).map(|text| text.as_ref());
    let Some(program) = rest.next() else { return sets_path };
    let name = program.rsplit('/').next().unwrap_or(program);
    let next = rest.next().unwrap_or_default();
    sets_path
        || match name {
            "source" | "." => next.rsplit('/').next().is_some_and(|file| file.starts_with("activate")),
            "conda" | "mamba" | "micromamba" | "pyenv" => {
                next == "activate" || next == "create" || next == "shell" || next == "virtualenv"
            }
            "virtualenv" => !next.is_empty() && next != "--version",
            "mkvirtualenv" | "workon" => true,
            "uv" | "pdm" => next == "venv",
            "poetry" | "pipenv" => next == "shell",
            _ => {
                let module = texts.windows(2).find(|pair| pair[0] == "-m").map(|pair| pair[1].as_ref());
                (name.starts_with("python") || name == "py" || program.starts_with('$'))
                    && matches!(module, Some("venv" | "virtualenv"))
            }
        }
}

/// The same in PowerShell and `cmd`, where an activate script is simply run, and commands stand behind `if exist ...`.
pub fn prepares_on_windows(words: &[Word]) -> bool {
    let texts: Vec<String> = words.iter().map(|word| readable(&word.bytes).to_ascii_lowercase()).collect();
    let activates = |text: &String| text.rsplit('/').next().is_some_and(|name| name.starts_with("activate"));
    let makes = |pair: &[String]| {
        (pair[0] == "-m" && matches!(pair[1].as_str(), "venv" | "virtualenv"))
            || (pair[0] == "uv" && pair[1] == "venv")
    };
    let sets_path = |text: &String| text.starts_with("$env:path") || text.starts_with("path=");
    texts.iter().any(activates)
        || texts.windows(2).any(makes)
        || (texts.iter().any(sets_path) && texts.iter().any(|text| text.contains("venv")))
}
