//! Where a Makefile, a Dockerfile, a CI configuration or a shell script activates an environment, and whether
//! that can work.
//!
//! Activation changes the shell that it happens in. In a shell of its own that ends with the line, it changes
//! nothing; `source` is no command of dash, which is `/bin/sh` on Debian and Ubuntu (POSIX has only `.`).

use serde::{Deserialize, Serialize};

use super::lines;
use super::shell_word::{Dialect, first_word};
use crate::path::readable;

/// More of a file than this is not looked at.
const READ_LIMIT: usize = 1024 * 1024;

/// A longer line is a generated one.
const LINE_LIMIT: usize = 16 * 1024;

/// What kind of text it is, which decides the shell and how long it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextKind {
    /// Each recipe line has a shell of its own: `SHELL`, else `/bin/sh`.
    Makefile,
    /// Each `RUN` has a shell of its own: `SHELL`, else `/bin/sh`.
    Dockerfile,
    /// The lines of a step share a shell, which is not told here. One of GitHub and CircleCI (`run:`) ends with its
    /// step; where a file hands variables to later steps, nothing is said of that.
    ContinuousIntegration,
    /// The whole file shares one: that of its `#!`.
    ShellScript,
}

impl TextKind {
    /// By a file's name alone.
    pub fn from_file_name(name: &str) -> Option<TextKind> {
        let lower = name.to_ascii_lowercase();
        Some(match lower.as_str() {
            "makefile" | "gnumakefile" => TextKind::Makefile,
            "dockerfile" | "containerfile" => TextKind::Dockerfile,
            _ if lower.ends_with(".mk") => TextKind::Makefile,
            _ if lower.starts_with("dockerfile.") || lower.ends_with(".dockerfile") => TextKind::Dockerfile,
            _ if lower.ends_with(".yml") || lower.ends_with(".yaml") => TextKind::ContinuousIntegration,
            _ if lower.ends_with(".sh") || lower.ends_with(".bash") => TextKind::ShellScript,
            _ => return None,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationUse {
    /// From 1.
    pub line: usize,
    /// The line, without blanks around it.
    pub text: String,
    pub how: ActivationCall,
    /// The script, as it is written there.
    pub path: String,
    /// The shell that runs the line, where the text tells.
    pub shell: Option<String>,
    /// None: it works, or one cannot be sure.
    pub problem: Option<ActivationProblem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActivationCall {
    /// `source x`
    SourceBuiltin,
    /// `. x`
    Dot,
    /// `x`, `bash x`: a process of its own.
    Executed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActivationProblem {
    /// dash has no `source`: "source: not found".
    SourceUnderSh,
    /// The shell ends with the line, and with it what was activated.
    OwnShellEnds,
    /// The process that activates ends at once.
    ExecutedNotSourced,
}

/// A command's text with all that it continues over, and where it starts.
struct Command {
    line: usize,
    text: Vec<u8>,
    shell: Option<String>,
    /// The shell ends with this command.
    own_shell: bool,
    /// It is a command, and not merely text that looks like one.
    certain: bool,
}

/// Every use, in the order of the text.
pub fn parse(kind: TextKind, bytes: &[u8]) -> Vec<ActivationUse> {
    let bytes = bytes.get(..READ_LIMIT).unwrap_or(bytes);
    let commands = match kind {
        TextKind::Makefile => makefile(bytes),
        TextKind::Dockerfile => dockerfile(bytes),
        TextKind::ContinuousIntegration => steps(bytes),
        TextKind::ShellScript => script(bytes),
    };
    commands.iter().filter(|command| command.text.len() <= LINE_LIMIT).filter_map(examine).collect()
}

/// Lines joined where a backslash ends them.
fn joined(bytes: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let mut all: Vec<(usize, Vec<u8>)> = Vec::new();
    let mut continued = false;
    for (number, line) in lines(bytes) {
        let (part, more) = match line.strip_suffix(b"\\") {
            Some(part) => (part, true),
            None => (line, false),
        };
        match all.last_mut().filter(|_| continued) {
            Some((_, text)) => {
                text.push(b' ');
                text.extend_from_slice(part.trim_ascii());
            }
            None => all.push((number, part.to_vec())),
        }
        continued = more;
    }
    all
}

/// GNU make: a recipe line begins with a tab; `SHELL` and `.ONESHELL` count for the whole file. Where the prefix is
/// changed, or the shell is computed, nothing is said.
fn makefile(bytes: &[u8]) -> Vec<Command> {
    let all = joined(bytes);
    let mut shell = Some("/bin/sh".to_owned());
    let mut one_shell = false;
    for (_, text) in &all {
        if text.starts_with(b"\t") {
            continue;
        }
        let text = text.trim_ascii();
        if text.starts_with(b".RECIPEPREFIX") {
            return Vec::new();
        }
        one_shell |= text.starts_with(b".ONESHELL");
        let text = text.strip_prefix(b"export ").unwrap_or(text);
        // also `target: SHELL := x`
        if let Some(at) = super::find(text, b"SHELL") {
            let value = text.get(at + 5..).unwrap_or_default().trim_ascii_start();
            let value = [&b":="[..], b"::=", b"?=", b"="].iter().find_map(|sign| value.strip_prefix(*sign));
            if let Some(value) = value {
                let plain = at == 0 && !value.contains(&b'$');
                shell = plain.then(|| readable(value.trim_ascii()).into_owned());
            }
        }
    }
    all.into_iter()
        .filter_map(|(line, text)| {
            let recipe = text.strip_prefix(b"\t")?.trim_ascii();
            let start = recipe.iter().position(|byte| !matches!(byte, b'@' | b'-' | b'+'))?;
            let text = recipe.get(start..)?.to_vec();
            Some(Command { line, text, shell: shell.clone(), own_shell: !one_shell, certain: true })
        })
        .collect()
}

/// `RUN` in its shell form. Here-documents and the exec form are left alone.
fn dockerfile(bytes: &[u8]) -> Vec<Command> {
    let mut shell = Some("/bin/sh".to_owned());
    let mut commands = Vec::new();
    for (line, text) in joined(bytes) {
        let text = text.trim_ascii();
        let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
        let (instruction, rest) = text.split_at(end);
        let rest = rest.trim_ascii();
        if instruction.eq_ignore_ascii_case(b"FROM") {
            // the base may bring its own SHELL, but seldom does
            shell = Some("/bin/sh".to_owned());
        } else if instruction.eq_ignore_ascii_case(b"SHELL") {
            let first = rest.split(|byte| *byte == b'"').nth(1);
            shell = first.map(|first| readable(first).into_owned());
        } else if instruction.eq_ignore_ascii_case(b"RUN") && !rest.starts_with(b"[") {
            let mut rest = rest;
            while rest.starts_with(b"--") {
                let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
                rest = rest.get(end..).unwrap_or_default().trim_ascii();
            }
            if super::find(rest, b"<<").is_none() {
                commands.push(Command {
                    line,
                    text: rest.to_vec(),
                    shell: shell.clone(),
                    own_shell: true,
                    certain: true,
                });
            }
        }
    }
    commands
}

/// GitHub's `run:` uses bash unless told otherwise, GitLab's `script:` lines share a shell, others differ: the
/// shell is unknown here. What `run:` starts is a shell of its own, on GitHub and on CircleCI.
fn steps(bytes: &[u8]) -> Vec<Command> {
    let all = joined(bytes);
    let handed_on = [&b"GITHUB_PATH"[..], b"GITHUB_ENV", b"BASH_ENV"];
    let handed_on = handed_on.iter().any(|name| super::find(bytes, name).is_some());
    let mut commands: Vec<Command> = Vec::new();
    // how far the key of the block is indented that the line may belong to, and its last command
    let mut block: Option<(usize, Option<usize>)> = None;
    // the ones that end a step, as far as another step follows
    let (mut ends, mut another): (Vec<usize>, usize) = (Vec::new(), 0);
    for (line, text) in all {
        let indent = text.iter().take_while(|byte| **byte == b' ').count();
        let trimmed = text.trim_ascii();
        if let Some((key, last)) = &mut block {
            if trimmed.is_empty() || indent > *key {
                if !trimmed.is_empty() && !trimmed.starts_with(b"#") {
                    *last = Some(commands.len());
                }
            } else {
                ends.extend(*last);
                block = None;
            }
        }
        let item = trimmed.strip_prefix(b"- ").unwrap_or(trimmed).trim_ascii();
        let run = item.strip_prefix(b"run:").map(<[u8]>::trim_ascii).filter(|_| block.is_none());
        match run {
            Some([b'|' | b'>', ..]) => block = Some((indent + trimmed.len() - item.len(), None)),
            Some(_) => ends.push(commands.len()),
            None => {}
        }
        if run.is_some() {
            another = commands.len();
        }
        // a list may as well hold the paths of a cache
        let text = run.unwrap_or(item).to_vec();
        commands.push(Command { line, text, shell: None, own_shell: false, certain: run.is_some() });
    }
    for index in ends.into_iter().filter(|index| *index < another && !handed_on) {
        commands[index].own_shell = true;
    }
    commands
}

fn script(bytes: &[u8]) -> Vec<Command> {
    let script = super::shebang::parse(bytes);
    let shell = script.interpreter().map(|interpreter| interpreter.to_text().into_owned());
    joined(bytes)
        .into_iter()
        .map(|(line, text)| Command {
            line,
            text: text.trim_ascii().to_vec(),
            shell: shell.clone(),
            own_shell: false,
            certain: true,
        })
        .collect()
}

/// The command at the start of the line, or behind `&&`, `;`, `then`, `do` or `(`.
fn examine(command: &Command) -> Option<ActivationUse> {
    if command.text.starts_with(b"#") {
        return None;
    }
    let mut words = Words { rest: &command.text };
    let mut first = true;
    while let Some(word) = words.next() {
        let starts_command = std::mem::replace(&mut first, false);
        match word {
            // what follows a comment or a here-document is no command
            Token::Comment => return None,
            Token::Separator => first = true,
            Token::Word(word) if starts_command => {
                if matches!(word.as_slice(), b"then" | b"do" | b"else" | b"if" | b"!" | b"{" | b"time") {
                    first = true;
                    continue;
                }
                let how = match word.as_slice() {
                    b"source" => ActivationCall::SourceBuiltin,
                    b"." => ActivationCall::Dot,
                    b"sh" | b"bash" | b"zsh" | b"dash" | b"/bin/sh" | b"/bin/bash" => {
                        ActivationCall::Executed
                    }
                    _ => {
                        if command.certain && is_activator(&word) {
                            return Some(found(command, ActivationCall::Executed, &word, &words));
                        }
                        continue;
                    }
                };
                let before = words.rest;
                match words.next() {
                    Some(Token::Word(path)) if is_activator(&path) => {
                        return Some(found(command, how, &path, &words));
                    }
                    _ => words.rest = before,
                }
            }
            Token::Word(_) => {}
        }
    }
    None
}

fn found(command: &Command, how: ActivationCall, path: &[u8], rest: &Words<'_>) -> ActivationUse {
    let nothing_follows = !Words { rest: rest.rest }.any(|token| matches!(token, Token::Word(_)));
    let plain_sh = command.shell.as_deref().is_some_and(|shell| {
        let program = shell.split_ascii_whitespace().next().unwrap_or_default();
        ["sh", "dash", "ash"].contains(&program.rsplit('/').next().unwrap_or_default())
    });
    let problem = match how {
        // what PowerShell and cmd do with it is right
        ActivationCall::Executed if super::find(path, b"Scripts").is_some() => None,
        ActivationCall::Executed => Some(ActivationProblem::ExecutedNotSourced),
        ActivationCall::SourceBuiltin if plain_sh => Some(ActivationProblem::SourceUnderSh),
        _ if command.own_shell && nothing_follows => Some(ActivationProblem::OwnShellEnds),
        _ => None,
    };
    ActivationUse {
        line: command.line,
        text: readable(command.text.trim_ascii()).into_owned(),
        how,
        path: readable(path).into_owned(),
        shell: command.shell.clone(),
        problem,
    }
}

/// `bin/activate` and its like, by the end of the path.
fn is_activator(path: &[u8]) -> bool {
    let mut names = path.rsplit(|byte| matches!(byte, b'/' | b'\\'));
    let file = names.next().unwrap_or_default();
    let directory = names.next().unwrap_or_default();
    let known = matches!(file, b"activate" | b"activate.fish" | b"activate.csh");
    known && (directory == b"bin" || directory.eq_ignore_ascii_case(b"Scripts"))
}

enum Token {
    Word(Vec<u8>),
    Separator,
    Comment,
}

/// A shell's words and what separates commands, roughly: enough to find a command's beginning.
struct Words<'text> {
    rest: &'text [u8],
}

impl Iterator for Words<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_redirections();
        match self.rest.first()? {
            b'#' => {
                self.rest = &[];
                Some(Token::Comment)
            }
            b';' | b'&' | b'|' | b'(' | b')' => {
                self.rest = self.rest.get(1..).unwrap_or_default();
                Some(Token::Separator)
            }
            _ => self.word().map(Token::Word),
        }
    }
}

impl Words<'_> {
    /// A word, with the `$(...)` in it: make's variables and a shell's commands are no separators.
    fn word(&mut self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(part) = first_word(self.rest, Dialect::Posix) {
            self.rest = self.rest.get(part.length..).unwrap_or_default();
            bytes.extend(part.bytes);
            if !(bytes.ends_with(b"$") && self.rest.starts_with(b"(")) {
                return Some(bytes);
            }
            let mut depth = 0_usize;
            let end = self.rest.iter().position(|byte| {
                match byte {
                    b'(' => depth += 1,
                    b')' => depth -= 1,
                    _ => {}
                }
                depth == 0
            });
            let Some((inside, behind)) = end.and_then(|end| self.rest.split_at_checked(end + 1)) else {
                break;
            };
            bytes.extend_from_slice(inside);
            self.rest = behind;
            if !behind.first().is_some_and(|byte| !byte.is_ascii_whitespace() && !b";&|()<>".contains(byte)) {
                return Some(bytes);
            }
        }
        // a quote or bracket that ends on another line
        self.rest = &[];
        None
    }

    /// `> file`, `2>&1`: what they name is no command.
    fn skip_redirections(&mut self) {
        loop {
            self.rest = self.rest.trim_ascii_start();
            let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let sign = self.rest.get(digits..).unwrap_or_default();
            let target = behind_redirection(sign);
            if target.len() == sign.len() {
                return;
            }
            let target = target.trim_ascii_start();
            let length = first_word(target, Dialect::Posix).map_or(0, |word| word.length);
            self.rest = target.get(length..).unwrap_or_default();
        }
    }
}

/// Without the `>`, `>>`, `<`, `>&` or `&>` that it begins with.
fn behind_redirection(bytes: &[u8]) -> &[u8] {
    let signs = match bytes {
        [b'&', b'>', ..] => bytes.iter().take_while(|byte| matches!(byte, b'&' | b'>')).count(),
        [b'<' | b'>', ..] => bytes.iter().take_while(|byte| matches!(byte, b'<' | b'>' | b'&')).count(),
        _ => 0,
    };
    bytes.get(signs..).unwrap_or_default()
}

#[cfg(test)]
mod tests;
