//! An action in the words of each shell, quoted so that it can be pasted whatever the names hold.

use crate::diagnosis::{Action, Remedy, Word};
use crate::facts::Facts;
use crate::facts::platform::System;
use crate::facts::shell::ShellKind;
use crate::parse::activate::ActivatorKind;
use crate::path::{Flavour, HostPath};
use crate::report::sanitize;

mod cmd;
mod csh;
mod elvish;
mod fish;
mod nushell;
mod posix;
mod powershell;
mod xonsh;

/// The reader's shell on the reader's system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    pub kind: ShellKind,
    pub system: System,
}

/// What each shell says in its own way. An entry of `PATH` is compared exactly as it is written.
trait Language {
    /// One argument of a command; any bytes but NUL.
    fn quote(&self, word: &[u8]) -> String;
    /// One line that does nothing; `text` is one line without hidden characters.
    fn comment(&self, text: &str) -> String;
    /// The kind of activate script that it can run, and the word that runs it here.
    fn activator(&self) -> Option<(ActivatorKind, &'static str)> {
        None
    }

    fn set(&self, name: &str, value: &[u8]) -> String;
    fn unset(&self, name: &str) -> String;
    fn put_first(&self, directory: &[u8]) -> String;
    fn remove(&self, entry: &[u8]) -> Vec<String>;
    /// Undoes an activation that this shell made or inherited.
    fn deactivate(&self, directory: &HostPath) -> Vec<String>;
    /// What makes it forget where it found programs.
    fn rehash(&self) -> Option<&'static str> {
        None
    }

    fn run(&self, words: &[Word]) -> String {
        words.iter().map(|word| self.quote(word.as_bytes())).collect::<Vec<_>>().join(" ")
    }

    /// The program that prints by a format.
    fn printf(&self) -> &'static str {
        "printf"
    }

    fn write_lines(&self, file: &HostPath, lines: &[Word], append: bool) -> Vec<String> {
        let words: Vec<String> = lines.iter().map(|line| self.quote(line.as_bytes())).collect();
        let file = self.quote(file.as_bytes());
        chunks(&words)
            .enumerate()
            .map(|(index, words)| {
                let operator = if append || index > 0 { ">>" } else { ">" };
                format!("{} {} {} {operator} {file}", self.printf(), self.quote(b"%s\\n"), words.join(" "))
            })
            .collect()
    }

    /// Whether `a{b,c}` means `ab ac`.
    fn has_braces(&self) -> bool {
        false
    }

    /// None when it cannot be said.
    fn rewrite(&self, system: System, files: &[HostPath], from: &[u8], to: &[u8]) -> Option<String> {
        sed(self, system, files, from, to)
    }

    /// Files as arguments, those of one directory together where the shell can say so.
    fn file_list(&self, files: &[HostPath]) -> String {
        let mut words: Vec<String> = Vec::new();
        let mut rest = files;
        while let Some(first) = rest.first() {
            let directory = first.parent();
            let together = rest
                .iter()
                .take_while(|file| self.has_braces() && has_plain_name(file) && file.parent() == directory)
                .count();
            match directory {
                Some(directory) if together > 1 => {
                    let names: Vec<_> = rest[..together].iter().map(HostPath::name).collect();
                    let directory =
                        self.quote(directory.join("x").as_bytes().strip_suffix(b"x").unwrap_or(b"/"));
                    words.push(format!("{directory}{{{}}}", names.join(",")));
                    rest = &rest[together..];
                }
                _ => {
                    words.push(self.quote(first.as_bytes()));
                    rest = &rest[1..];
                }
            }
        }
        words.join(" ")
    }
}

fn sed<L: Language + ?Sized>(
    language: &L,
    system: System,
    files: &[HostPath],
    from: &[u8],
    to: &[u8],
) -> Option<String> {
    let script = sed_script(from, to)?;
    // BSD's wants a suffix of its own, and text that is not UTF-8 stops it
    let bsd = matches!(system, System::MacOs | System::Other);
    let locale = if bsd || !script.is_ascii() { "env LC_ALL=C " } else { "" };
    let suffix = if bsd { format!(" {}", language.quote(b"")) } else { String::new() };
    Some(format!("{locale}sed -i{suffix} {} {}", language.quote(&script), language.file_list(files)))
}

fn has_plain_name(file: &HostPath) -> bool {
    file.file_name()
        .is_some_and(|name| name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte)))
}

/// Words in groups that a terminal takes as one pasted line.
fn chunks(words: &[String]) -> impl Iterator<Item = &[String]> {
    const LINE: usize = 2000;
    let mut rest = words;
    std::iter::from_fn(move || {
        let mut length = 0;
        let fitting = rest
            .iter()
            .take_while(|word| {
                length += word.len() + 1;
                length <= LINE
            })
            .count();
        let (chunk, behind) = rest.split_at(fitting.max(1).min(rest.len()));
        rest = behind;
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// `s|from|to|g` for literal texts. None for what `sed` cannot match: nothing, or several lines.
fn sed_script(from: &[u8], to: &[u8]) -> Option<Vec<u8>> {
    if from.is_empty() || from.contains(&b'\n') || to.contains(&b'\n') {
        return None;
    }
    let free = |byte: &u8| !from.contains(byte) && !to.contains(byte);
    let candidates = b"|#,@%:;!~=_\"'<>/";
    let letters = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let delimiter = *candidates.iter().chain(letters).find(|byte| free(byte))?;
    let mut script = vec![b's', delimiter];
    for byte in from {
        if b"\\.*[^$".contains(byte) {
            script.push(b'\\');
        }
        script.push(*byte);
    }
    script.push(delimiter);
    for byte in to {
        if b"\\&".contains(byte) {
            script.push(b'\\');
        }
        script.push(*byte);
    }
    script.extend([delimiter, b'g']);
    Some(script)
}

/// A run of a word's bytes, by how it can be written.
enum Piece<'a> {
    /// Characters that can be shown, and newlines.
    Text(&'a str),
    /// Hidden characters, and bytes that are not UTF-8.
    Bytes(&'a [u8]),
}

fn pieces(word: &[u8]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    for chunk in word.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(first) = rest.chars().next() {
            let odd = |letter: char| sanitize::is_hidden(letter) && letter != '\n';
            let end = rest.find(|letter| odd(letter) != odd(first)).unwrap_or(rest.len());
            let (run, behind) = rest.split_at(end);
            pieces.push(if odd(first) { Piece::Bytes(run.as_bytes()) } else { Piece::Text(run) });
            rest = behind;
        }
        if !chunk.invalid().is_empty() {
            pieces.push(Piece::Bytes(chunk.invalid()));
        }
    }
    pieces
}

/// Letters and digits of ASCII, and the bytes in `others`.
fn is_plain(word: &[u8], others: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(|byte| byte.is_ascii_alphanumeric() || others.contains(byte))
}

fn octal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:03o}")).collect()
}

/// A name that a shell takes for a variable.
fn is_variable(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Dialect {
    /// Where the shell is unknown: bash, on Windows PowerShell.
    pub fn new(kind: Option<ShellKind>, system: System) -> Dialect {
        let usual = if system == System::Windows { ShellKind::PowerShell } else { ShellKind::Bash };
        Dialect { kind: kind.unwrap_or(usual), system }
    }

    /// The shell that the doctor was started from.
    pub fn of(facts: &Facts) -> Dialect {
        Dialect::new(facts.shell.kind, facts.platform.system)
    }

    fn language(&self) -> Box<dyn Language> {
        let system = self.system;
        match self.kind {
            ShellKind::Bash => Box::new(posix::Posix { kind: posix::Kind::Bash }),
            ShellKind::Zsh => Box::new(posix::Posix { kind: posix::Kind::Zsh }),
            ShellKind::Sh => Box::new(posix::Posix { kind: posix::Kind::Sh }),
            ShellKind::Fish => Box::new(fish::Fish),
            ShellKind::Csh => Box::new(csh::Csh),
            ShellKind::PowerShell => Box::new(powershell::PowerShell { system }),
            ShellKind::Cmd => Box::new(cmd::Cmd),
            ShellKind::Nushell => Box::new(nushell::Nushell),
            ShellKind::Xonsh => Box::new(xonsh::Xonsh),
            ShellKind::Elvish => Box::new(elvish::Elvish),
        }
    }

    /// One argument of a command, exactly these bytes (a shell of Unicode strings gets U+FFFD for what is not UTF-8).
    pub fn quote(&self, word: &[u8]) -> String {
        self.language().quote(word)
    }

    /// A remedy as lines to be run one after the other.
    pub fn commands(&self, remedy: &Remedy) -> Vec<String> {
        let lines = remedy.actions.iter().flat_map(|action| self.action(action));
        lines.map(|line| self.without_secret(line)).collect()
    }

    /// A line that holds a secret is described, not shown: what is shown must not be half a command.
    fn without_secret(&self, line: String) -> String {
        match sanitize::redact(&line) {
            redacted if redacted == line => line,
            redacted => {
                let text = format!("by hand, since it holds a secret that is not shown here: {redacted}");
                self.language().comment(&sanitize::shown(&text))
            }
        }
    }

    /// One action; none where the shell needs nothing for it.
    pub fn action(&self, action: &Action) -> Vec<String> {
        let language = self.language();
        let comment = |text: &str| vec![language.comment(&sanitize::shown(text))];
        let named = |name: &str, line: String| {
            if is_variable(name) { vec![line] } else { comment(&format!("change the variable {name}")) }
        };
        match action {
            Action::Activate { root, scripts } => {
                let script = language.activator().and_then(|(kind, word)| {
                    let (_, script) = scripts.iter().find(|(other, _)| *other == kind)?;
                    Some(format!("{word} {}", language.quote(script.as_bytes())))
                });
                match script {
                    Some(line) => vec![line],
                    None => {
                        let directory = script_directory(root, scripts);
                        vec![
                            language.set("VIRTUAL_ENV", root.as_bytes()),
                            language.put_first(directory.as_bytes()),
                        ]
                    }
                }
            }
            Action::Deactivate { script_directory, .. } => language.deactivate(script_directory),
            Action::Unset(name) => named(name, language.unset(name)),
            Action::Set { name, value } => named(name, language.set(name, value.as_bytes())),
            Action::PutFirst(directory) => vec![language.put_first(directory.as_bytes())],
            Action::RemoveFromPath { raw } => language.remove(raw.as_bytes()),
            Action::Run(words) => vec![language.run(words)],
            Action::Rewrite { files, from, to } => {
                match language.rewrite(self.system, files, from.as_bytes(), to.as_bytes()) {
                    Some(line) => vec![line],
                    None => files
                        .iter()
                        .flat_map(|file| comment(&format!("in {file}, replace {from:?} by {to:?}")))
                        .collect(),
                }
            }
            Action::WriteLines { file, lines, append } => language.write_lines(file, lines, *append),
            Action::Rehash => language.rehash().map(str::to_owned).into_iter().collect(),
            Action::Edit { .. } | Action::Advice(_) => {
                self.prose(action).map(|text| comment(&text)).unwrap_or_default()
            }
        }
    }

    /// What an action says to a person, where it is no command.
    pub fn prose(&self, action: &Action) -> Option<String> {
        match action {
            Action::Edit { file, line: Some(line), hint } => {
                Some(format!("edit {file}, line {line}: {hint}"))
            }
            Action::Edit { file, line: None, hint } => Some(format!("edit {file}: {hint}")),
            Action::Advice(text) => Some(text.clone()),
            _ => None,
        }
    }
}

/// `bin` or `Scripts`: where the activate scripts lie, else by the system's custom.
fn script_directory(root: &HostPath, scripts: &[(ActivatorKind, HostPath)]) -> HostPath {
    scripts
        .iter()
        .find_map(|(_, script)| script.parent())
        .unwrap_or_else(|| root.join(if root.flavour() == Flavour::Windows { "Scripts" } else { "bin" }))
}
