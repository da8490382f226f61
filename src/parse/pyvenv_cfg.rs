//! `pyvenv.cfg`: what each of its readers sees in it.
//!
//! Four parsers read this file and they disagree. The typed getters name the one they follow:
//! `Modules/getpath.py` (3.11 and later), `Lib/site.py`, and the C of `Modules/getpath.c` (until 3.10).
//! None of them knows sections, quotes, `~` or `$`.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::path::readable;

use super::is_absolute;
use super::python_literal::{python_string, strip};

/// From this size on, CPython 3.11 and later refuse to start (`Modules/getpath.c`, `getpath_readlines`).
pub const SIZE_LIMIT: usize = 32 * 1024;

/// More of a file than this is not looked at: no creator writes a tenth of [`SIZE_LIMIT`].
const READ_LIMIT: usize = 8 * SIZE_LIMIT;

pub const HOME: &str = "home";
pub const INCLUDE_SYSTEM_SITE_PACKAGES: &str = "include-system-site-packages";

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PyvenvConfig {
    pub lines: Vec<ConfigLine>,
    pub oddities: Vec<ConfigOddity>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigLine {
    /// From 1.
    pub number: usize,
    pub text: String,
    /// What stands before the first `=`, stripped and lower-cased.
    pub key: Option<String>,
    /// What stands behind it, stripped.
    pub value: Option<String>,
}

/// Something that a creator does not write, and that some reader trips over or ignores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum ConfigOddity {
    /// The first line's key begins with U+FEFF: no parser knows it.
    ByteOrderMark,
    /// site.py dies of the byte order mark. What Windows PowerShell's `>` writes.
    Utf16,
    /// site.py opens the file as UTF-8 and dies, even when the byte stands in a comment.
    NotUtf8 {
        line: usize,
    },
    /// getpath (3.11 and later) ignores the rest of the file; site.py reads on.
    NulByte {
        line: usize,
    },
    /// At least [`SIZE_LIMIT`] bytes: 3.11 and later do not start.
    TooLarge,
    /// `[name]`: no parser knows sections.
    Section {
        line: usize,
    },
    /// `line` repeats a key. getpath takes the first, site.py the last.
    DuplicateKey {
        key: String,
        line: usize,
    },
    /// Neither blank nor a comment, and without `=`.
    NotAKeyValueLine {
        line: usize,
    },
    /// `include-system-site-packages` is neither true nor false: site.py takes it as false.
    SenselessBoolean {
        line: usize,
        value: String,
    },
    /// Quotes are part of the value.
    QuotedHome {
        line: usize,
    },
    EmptyHome {
        line: usize,
    },
    /// Taken from the working directory; `~` and `$` are not expanded.
    RelativeHome {
        line: usize,
    },
}

/// The program that made the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "name")]
pub enum Creator {
    /// The standard library's `venv`.
    Venv,
    /// Also poetry, pipenv, pdm, hatch and tox, which use it.
    Virtualenv {
        version: String,
    },
    Uv {
        version: String,
    },
    Unknown,
}

impl Creator {
    pub fn label(&self) -> String {
        match self {
            Creator::Venv => "venv".to_owned(),
            Creator::Virtualenv { version } => format!("virtualenv {version}").trim_end().to_owned(),
            Creator::Uv { version } => format!("uv {version}").trim_end().to_owned(),
            Creator::Unknown => "an unknown creator".to_owned(),
        }
    }
}

/// Lines end at `\n`, `\r` or `\r\n`, as Python's text files do.
fn universal_lines(bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
        let (line, behind) = rest.split_at(end);
        lines.push(line);
        rest = behind.strip_prefix(b"\r\n").or_else(|| behind.get(1..)).unwrap_or_default();
    }
    lines
}

pub fn parse(bytes: &[u8]) -> PyvenvConfig {
    let mut config = PyvenvConfig::default();
    if bytes.len() >= SIZE_LIMIT {
        config.oddities.push(ConfigOddity::TooLarge);
    }
    let bytes = bytes.get(..READ_LIMIT).unwrap_or(bytes);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        config.oddities.push(ConfigOddity::Utf16);
        // no reader gets as far as a key
        config.lines = utf16_lines(bytes);
        return config;
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        config.oddities.push(ConfigOddity::ByteOrderMark);
    }
    let mut seen = HashSet::new();
    for (line, number) in universal_lines(bytes).into_iter().zip(1..) {
        config.add(number, line, &mut seen);
    }
    config
}

fn utf16_lines(bytes: &[u8]) -> Vec<ConfigLine> {
    let little = bytes.starts_with(b"\xff\xfe");
    let units = bytes.get(2..).unwrap_or_default().chunks_exact(2).map(|pair| match pair {
        [first, second] if little => u16::from_le_bytes([*first, *second]),
        [first, second] => u16::from_be_bytes([*first, *second]),
        _ => 0,
    });
    let text: String =
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    text.lines()
        .zip(1..)
        .map(|(text, number)| ConfigLine { number, text: text.to_owned(), key: None, value: None })
        .collect()
}

impl PyvenvConfig {
    fn add(&mut self, number: usize, bytes: &[u8], seen: &mut HashSet<String>) {
        let text = readable(bytes).into_owned();
        if std::str::from_utf8(bytes).is_err() {
            self.oddities.push(ConfigOddity::NotUtf8 { line: number });
        }
        if bytes.contains(&0) {
            self.oddities.push(ConfigOddity::NulByte { line: number });
        }
        let stripped = strip(&text);
        let comment = stripped.starts_with('#');
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (Some(strip(key).to_lowercase()), Some(strip(value).to_owned())),
            None => (None, None),
        };
        if stripped.starts_with('[') && stripped.ends_with(']') {
            self.oddities.push(ConfigOddity::Section { line: number });
        } else if key.is_none() && !stripped.is_empty() && !comment {
            self.oddities.push(ConfigOddity::NotAKeyValueLine { line: number });
        }
        if let (Some(key), Some(value), false) = (&key, &value, comment) {
            if !seen.insert(key.clone()) {
                self.oddities.push(ConfigOddity::DuplicateKey { key: key.clone(), line: number });
            }
            self.judge_value(number, key, value);
        }
        self.lines.push(ConfigLine { number, text, key, value });
    }

    fn judge_value(&mut self, line: usize, key: &str, value: &str) {
        match key {
            INCLUDE_SYSTEM_SITE_PACKAGES if !["true", "false"].contains(&value.to_lowercase().as_str()) => {
                let value = value.to_owned();
                self.oddities.push(ConfigOddity::SenselessBoolean { line, value });
            }
            HOME if value.is_empty() => self.oddities.push(ConfigOddity::EmptyHome { line }),
            HOME if value.starts_with(['"', '\'']) => {
                self.oddities.push(ConfigOddity::QuotedHome { line });
            }
            HOME if !is_absolute(value.as_bytes()) => {
                self.oddities.push(ConfigOddity::RelativeHome { line });
            }
            _ => {}
        }
    }

    fn first(&self, key: &str) -> Option<&ConfigLine> {
        self.lines.iter().find(|line| line.key.as_deref() == Some(key))
    }

    fn last(&self, key: &str) -> Option<&ConfigLine> {
        self.lines.iter().rfind(|line| line.key.as_deref() == Some(key))
    }

    /// The value of the first line with this (lower-case) key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.first(key)?.value.as_deref()
    }

    /// The number of the first line with this (lower-case) key.
    pub fn line_of(&self, key: &str) -> Option<usize> {
        self.first(key).map(|line| line.number)
    }

    /// As `Modules/getpath.py` (3.11 and later) reads it: the first line with the key, and nothing behind
    /// a NUL byte.
    pub fn home(&self) -> Option<&str> {
        let line = self.first(HOME)?;
        let nul = self.lines.iter().find(|line| line.text.contains('\0'));
        match nul.filter(|nul| nul.number <= line.number) {
            None => line.value.as_deref(),
            Some(nul) if nul.number == line.number => {
                let seen = line.text.split('\0').next().unwrap_or_default();
                let (key, value) = seen.split_once('=')?;
                (strip(key).to_lowercase() == HOME).then(|| strip(value))
            }
            Some(_) => None,
        }
    }

    /// As `Lib/site.py` reads it (it only sets `sys._home`): the last line with the key.
    pub fn site_home(&self) -> Option<&str> {
        self.last(HOME)?.value.as_deref()
    }

    /// As `Lib/site.py` reads it: the last line counts and only `true` enables; without the key, enabled.
    pub fn include_system_site_packages(&self) -> bool {
        match self.last(INCLUDE_SYSTEM_SITE_PACKAGES) {
            Some(line) => line.value.as_deref().is_some_and(|value| value.to_lowercase() == "true"),
            None => true,
        }
    }

    /// The Python version, as its creator wrote it.
    pub fn version_text(&self) -> Option<&str> {
        ["version", "version_info", "python-version"].into_iter().find_map(|key| self.get(key))
    }

    /// Of [`Self::version_text`]: major, minor, patch. `3.9.18.final.0` and `3.12` are understood.
    pub fn version(&self) -> Option<(u32, u32, Option<u32>)> {
        let mut parts = self.version_text()?.split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = leading_number(parts.next()?)?;
        Some((major, minor, parts.next().and_then(leading_number)))
    }

    /// The resolved base executable (venv 3.11 and later, virtualenv 21).
    pub fn executable(&self) -> Option<&str> {
        self.get("executable")
    }

    /// The command line that made the environment (venv 3.11 and later, virtualenv 21).
    pub fn command(&self) -> Option<&str> {
        self.get("command")
    }

    /// The directory that ends [`Self::command`]: where the environment was made. It is not quoted there and
    /// may contain blanks. None when it cannot be told from an option or is not absolute.
    ///
    /// `EnvBuilder.create_configuration` of `Lib/venv/__init__.py` writes the options it knows, in its own
    /// order; virtualenv's `create/creator.py` writes none.
    pub fn command_directory(&self) -> Option<String> {
        let command = self.command()?;
        let rest = match (split_after(command, " -m venv "), split_after(command, " -m virtualenv ")) {
            (Some(rest), _) => skip_venv_options(rest)?,
            (None, Some(rest)) => rest,
            (None, None) => return None,
        };
        let rest = strip(rest);
        is_absolute(rest.as_bytes()).then(|| rest.to_owned())
    }

    /// The prompt without the quotes that its creator adds: `venv` writes Python's `repr`, virtualenv double
    /// quotes, uv nothing.
    pub fn prompt(&self) -> Option<String> {
        let value = self.get("prompt")?;
        match self.creator() {
            Creator::Uv { .. } => Some(value.to_owned()),
            Creator::Virtualenv { .. } => {
                let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                Some(bare.unwrap_or(value).to_owned())
            }
            Creator::Venv | Creator::Unknown => {
                Some(python_string(value).unwrap_or_else(|| value.to_owned()))
            }
        }
    }

    /// Judged by the keys alone.
    pub fn creator(&self) -> Creator {
        if let Some(version) = self.get("uv") {
            return Creator::Uv { version: version.to_owned() };
        }
        if let Some(version) = self.get("virtualenv") {
            return Creator::Virtualenv { version: version.to_owned() };
        }
        let wrote = |key| self.get(key).is_some();
        if wrote(HOME) && wrote(INCLUDE_SYSTEM_SITE_PACKAGES) && wrote("version") && !wrote("implementation")
        {
            return Creator::Venv;
        }
        Creator::Unknown
    }

    /// Made by `uv venv --relocatable`.
    pub fn relocatable(&self) -> bool {
        self.get("relocatable").is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

fn split_after<'text>(text: &'text str, middle: &str) -> Option<&'text str> {
    text.split_once(middle).map(|(_, rest)| rest)
}

const VENV_OPTIONS: [&str; 8] = [
    "--symlinks ",
    "--copies ",
    "--without-pip ",
    "--system-site-packages ",
    "--clear ",
    "--upgrade ",
    "--upgrade-deps ",
    "--without-scm-ignore-files ",
];

fn skip_venv_options(mut rest: &str) -> Option<&str> {
    loop {
        rest = rest.trim_start_matches(' ');
        if let Some(behind) = rest.strip_prefix("--prompt=\"") {
            // the prompt's own quotes are not escaped: it ends where an option or a path follows
            let end = behind.match_indices("\" ").map(|(at, _)| at).find(|at| {
                let next = behind.get(at + 2..).unwrap_or_default();
                next.starts_with("--") || is_absolute(next.as_bytes())
            })?;
            rest = behind.get(end + 2..)?;
        } else if let Some(behind) = VENV_OPTIONS.iter().find_map(|option| rest.strip_prefix(option)) {
            rest = behind;
        } else {
            return Some(rest);
        }
    }
}

/// `home` as CPython 3.6 to 3.10 reads it on POSIX (`_Py_find_env_config_value`, `Python/pathconfig.c`;
/// `find_env_config_value` before 3.8), for which only an environment with a copied binary asks.
///
/// Each line is cut as `wcstok` would: `home`, a `=` that stands alone, the rest of the line.
pub fn c_getpath_home(bytes: &[u8]) -> Option<Vec<u8>> {
    // fgets with a buffer of MAXPATHLEN * 2
    const LINE_LIMIT: usize = 8191;
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let ending = |byte: &u8| matches!(byte, b'\r' | b'\n');
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        // a last line without an end, an overlong one and a NUL all end the scan
        if !line.ends_with(b"\n") || line.len() > LINE_LIMIT || line.contains(&0) {
            return None;
        }
        if line.starts_with(b"#") {
            continue;
        }
        let Some((key, rest)) = token(line, |byte| blank(byte) || ending(byte)) else { continue };
        if key != HOME.as_bytes() {
            continue;
        }
        let Some((b"=", rest)) = token(rest, blank) else { continue };
        if let Some((value, _)) = token(rest, ending) {
            return Some(value.to_vec());
        }
    }
    None
}

/// `wcstok`: skips delimiters, then takes up to the next one, which is swallowed.
fn token(bytes: &[u8], delimiter: impl Fn(&u8) -> bool) -> Option<(&[u8], &[u8])> {
    let start = bytes.iter().position(|byte| !delimiter(byte))?;
    let rest = bytes.get(start..)?;
    let end = rest.iter().position(delimiter).unwrap_or(rest.len());
    Some((rest.get(..end)?, rest.get(end + 1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests;
