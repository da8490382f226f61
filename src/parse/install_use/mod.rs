//! Where a script, a Makefile, a Dockerfile, the configuration of a CI service or a test runner, or a document runs
//! `pip install`, and for whom.
//!
//! Only commands count: comments, here-documents and quoted text are not looked into, and a program that comes from a
//! variable is not guessed at.

use serde::{Deserialize, Serialize};

use super::{find, line_of, lines};
use crate::path::readable;

mod chunks;
mod command;
mod literals;
mod windows;
mod words;

/// More of a file than this is not looked at.
pub const READ_LIMIT: usize = 1024 * 1024;

/// So many uses of one file are told.
const MOST: usize = 100;

/// So much of a command is shown.
const SHOWN: usize = 200;

/// What kind of text it is, which decides where commands stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommandText {
    /// One shell for the whole file.
    Script,
    /// Recipe lines, each with a shell of its own.
    Makefile,
    /// The same, and recipes that begin with `#!`.
    Justfile,
    /// `RUN` in its shell form.
    Dockerfile,
    /// `run:`, `script:` and their like.
    ContinuousIntegration,
    /// Fenced blocks.
    Markdown,
    /// Blocks below `.. code-block::`.
    Restructured,
    /// One PowerShell for the whole file.
    PowerShell,
    /// One `cmd` for the whole file.
    Batch,
    /// `commands` of `tox.ini`.
    Tox,
    /// `session.run(...)` of `noxfile.py`.
    Nox,
    /// `sh` steps.
    Jenkinsfile,
    /// What `devcontainer.json` runs in the container.
    Devcontainer,
}

impl CommandText {
    /// By the path in the repository (with `/`) and, where no name tells, by the first line.
    pub fn of(path: &str, head: &[u8]) -> Option<CommandText> {
        CommandText::from_path(path).or_else(|| {
            let name = path.rsplit('/').next()?;
            (!name.contains('.') && is_shell(head)).then_some(CommandText::Script)
        })
    }

    /// Whether only Windows runs it, as a rule.
    pub fn is_for_windows(self) -> bool {
        matches!(self, CommandText::PowerShell | CommandText::Batch)
    }

    /// Whether other words can be put in the place of a command as they are.
    fn is_a_shells(self) -> bool {
        !matches!(self, CommandText::Batch | CommandText::Tox | CommandText::Nox | CommandText::Devcontainer)
    }

    /// Whether a command may be a list of quoted words.
    fn lists_words(self) -> bool {
        matches!(self, CommandText::Nox | CommandText::Devcontainer)
    }

    /// What begins a comment.
    fn comment_signs(self) -> &'static [&'static [u8]] {
        match self {
            CommandText::Batch => &[b"::", b"rem ", b"REM "],
            CommandText::Jenkinsfile | CommandText::Devcontainer => &[b"//"],
            CommandText::Restructured => &[b".. ", b"#"],
            CommandText::Markdown => &[b"<!--", b"#"],
            _ => &[b"#"],
        }
    }

    /// By the path in the repository alone.
    pub fn from_path(path: &str) -> Option<CommandText> {
        let lower = path.to_ascii_lowercase();
        let (directory, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let yaml = matches!(extension, "yml" | "yaml");
        Some(match name {
            "makefile" | "gnumakefile" => CommandText::Makefile,
            "justfile" | ".justfile" => CommandText::Justfile,
            "dockerfile" | "containerfile" => CommandText::Dockerfile,
            "tox.ini" => CommandText::Tox,
            "noxfile.py" => CommandText::Nox,
            "jenkinsfile" => CommandText::Jenkinsfile,
            "devcontainer.json" | ".devcontainer.json" => CommandText::Devcontainer,
            _ if name.starts_with("dockerfile.") || name.starts_with("containerfile.") => {
                CommandText::Dockerfile
            }
            _ if yaml && is_ci(directory, name) => CommandText::ContinuousIntegration,
            _ => match extension {
                "mk" => CommandText::Makefile,
                "just" => CommandText::Justfile,
                "dockerfile" | "containerfile" => CommandText::Dockerfile,
                "sh" | "bash" | "zsh" | "ksh" => CommandText::Script,
                "md" | "markdown" => CommandText::Markdown,
                "rst" => CommandText::Restructured,
                "ps1" | "psm1" => CommandText::PowerShell,
                "bat" | "cmd" => CommandText::Batch,
                _ => return None,
            },
        })
    }
}

/// Places where CI services look for their configuration; each documents its own.
fn is_ci(directory: &str, name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let in_place = directory == ".github/workflows"
        || directory.starts_with(".github/actions")
        || [".circleci", ".buildkite", ".woodpecker", ".forgejo/workflows", ".gitea/workflows", ".gitlab"]
            .contains(&directory);
    let of_service = stem.ends_with(".gitlab-ci")
        || stem.starts_with("azure-pipelines")
        || [
            "action",
            ".gitlab-ci",
            ".travis",
            "bitbucket-pipelines",
            "appveyor",
            ".appveyor",
            ".drone",
            ".woodpecker",
            ".cirrus",
            "cloudbuild",
            "buildspec",
        ]
        .contains(&stem);
    in_place || of_service
}

/// Whether a `#!` line names a POSIX shell.
fn is_shell(head: &[u8]) -> bool {
    let Some(first) = head.split(|byte| *byte == b'\n').next().and_then(|line| line.strip_prefix(b"#!"))
    else {
        return false;
    };
    first
        .split(|byte| matches!(byte, b'/' | b' ' | b'\t' | b'\r'))
        .any(|name| matches!(name, b"sh" | b"bash" | b"dash" | b"zsh" | b"ksh" | b"ash"))
}

/// Where what such a command installs goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstallManner {
    /// `sudo pip`: past every environment, into the Python of root's `PATH`.
    Sudo,
    /// `--break-system-packages`: into a Python that the distributor protects.
    BreakSystemPackages,
    /// `--user`: into the user site, which every environment-less Python of that version shares.
    User,
    /// `/usr/bin/pip3`, `uv pip install --system`: into the system's Python by name.
    System,
    /// Into whatever Python the caller's `PATH` has first.
    Bare,
}

/// One `pip install`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallUse {
    /// From 1.
    pub line: usize,
    /// In bytes, from 1.
    pub column: usize,
    /// The command, on one line.
    pub text: String,
    /// Whether `text` stands in the file exactly so, and other words of a POSIX shell or PowerShell could.
    pub exact: bool,
    /// What runs: `pip3`, `python3 -m pip`.
    pub program: String,
    /// What stands behind `install`, as it is written, without options that choose the place.
    pub arguments: String,
    pub manner: InstallManner,
    /// The same shell makes or activates an environment, or asks whether one is active.
    pub prepared: bool,
    /// Only programs that make environments, or that are used from outside them: `pipx`, `uv`, `virtualenv`.
    pub only_tools: bool,
    /// A comment that silences it.
    pub silenced: Option<Silenced>,
}

/// `# venv-doctor: ignore[global-install] reason`, on the line or on the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silenced {
    pub line: usize,
    pub reason: Option<String>,
}

/// Every `pip install`, in the order of the text. `id` is the name by which a comment silences it.
pub fn parse(kind: CommandText, bytes: &[u8], id: &str) -> Vec<InstallUse> {
    let bytes = bytes.get(..READ_LIMIT).unwrap_or(bytes);
    if find(bytes, b"install").is_none() || bytes.contains(&0) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for chunk in chunks::chunks(kind, bytes) {
        let commands = words::commands(&chunk.text);
        let prepares = |words: &Vec<words::Word>| {
            command::prepares(words) || (kind.is_for_windows() && command::prepares_on_windows(words))
        };
        let prepared = chunk.prepared || commands.iter().any(prepares);
        for words in &commands {
            if found.len() == MOST {
                return found;
            }
            let Some(install) = command::install(words) else { continue };
            let (first, last) = (install.start, install.end);
            let at = chunk.start + first;
            let written = bytes.get(at..chunk.start + last).unwrap_or_default();
            let raw = match written.contains(&b'\n') {
                true => chunk.text.get(first..last).unwrap_or_default(),
                false => written,
            };
            let line_start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let line = line_of(bytes, at);
            found.push(InstallUse {
                line,
                column: at - line_start + 1,
                text: match kind.lists_words() {
                    true => listed(words, first),
                    false => one_line(raw),
                },
                exact: kind.is_a_shells()
                    && !raw.contains(&b'\n')
                    && raw.len() <= SHOWN
                    && std::str::from_utf8(raw).is_ok(),
                program: install.program,
                arguments: arguments(bytes.get(chunk.start..).unwrap_or_default(), &install.arguments),
                manner: install.manner,
                prepared,
                only_tools: install.only_tools,
                silenced: silenced(kind, bytes, line, chunk.heading, id),
            });
        }
    }
    found
}

/// The words that stand behind `start`, where quotes and commas are another language's.
fn listed(words: &[words::Word], start: usize) -> String {
    let words = words.iter().filter(|word| word.start >= start);
    one_line(words.map(|word| readable(&word.bytes)).collect::<Vec<_>>().join(" ").as_bytes())
}

/// The words as they are written.
fn arguments(text: &[u8], places: &[(usize, usize)]) -> String {
    let words = places.iter().filter_map(|(start, end)| text.get(*start..*end));
    words.map(|word| readable(word)).collect::<Vec<_>>().join(" ")
}

fn one_line(raw: &[u8]) -> String {
    let text = readable(raw);
    let words = text.split(['\n', '\r', ' ', '\t']).filter(|word| !word.is_empty() && *word != "\\");
    let mut joined = words.collect::<Vec<_>>().join(" ");
    if joined.len() > SHOWN {
        let end = (0..=SHOWN).rev().find(|at| joined.is_char_boundary(*at)).unwrap_or(0);
        joined.truncate(end);
        joined.push_str("...");
    }
    joined
}

/// The comment on the line itself, alone on the line before, or before the fenced block (`heading`: its first line).
fn silenced(
    kind: CommandText,
    bytes: &[u8],
    line: usize,
    heading: Option<usize>,
    id: &str,
) -> Option<Silenced> {
    let wanted = [Some(line), line.checked_sub(1), heading.and_then(|heading| heading.checked_sub(1))];
    let mut own = None;
    for (number, text) in lines(bytes).take(line) {
        if !wanted.contains(&Some(number)) {
            continue;
        }
        let Some((sign, reason)) = comment(kind, text, id) else { continue };
        let alone = text.get(..sign).is_some_and(|before| before.trim_ascii().is_empty());
        if number == line || alone {
            own = Some(Silenced { line: number, reason });
        }
    }
    own
}

/// Where the comment begins, and the reason that it gives.
fn comment(kind: CommandText, line: &[u8], id: &str) -> Option<(usize, Option<String>)> {
    let at = find(line, b"venv-doctor: ignore[")?;
    let signs = kind.comment_signs().iter();
    let sign = signs.filter_map(|sign| find(line.get(..at)?, sign)).min()?;
    let rest = line.get(at + b"venv-doctor: ignore[".len()..)?;
    let end = rest.iter().position(|byte| *byte == b']')?;
    let named = readable(rest.get(..end)?).split(',').any(|name| name.trim() == id);
    let reason = readable(rest.get(end + 1..)?).trim().trim_end_matches("-->").trim().to_owned();
    let reason = reason.trim_start_matches([':', '-']).trim().to_owned();
    named.then_some((sign, (!reason.is_empty()).then_some(reason)))
}

#[cfg(test)]
mod tests;
