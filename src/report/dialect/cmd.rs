//! cmd.exe. It has no escape for `%` or a control character at its prompt; Windows forbids the latter in names.

use super::{Language, is_plain};
use crate::diagnosis::Word;
use crate::facts::platform::System;
use crate::parse::activate::ActivatorKind;
use crate::path::HostPath;
use crate::report::dialect::powershell::PowerShell;
use crate::report::sanitize;

pub struct Cmd;

/// As text without anything that ends or splits a line.
fn text(word: &[u8]) -> String {
    let text = String::from_utf8_lossy(word);
    text.chars().map(|letter| if sanitize::is_hidden(letter) { ' ' } else { letter }).collect()
}

fn is_operator(letter: char) -> bool {
    "&|<>^%!()\"".contains(letter)
}

impl Language for Cmd {
    fn quote(&self, word: &[u8]) -> String {
        if is_plain(word, b"_./\\:+-") {
            return String::from_utf8_lossy(word).into_owned();
        }
        let text = text(word);
        // backslashes before a quote would escape it
        let tail = text.len() - text.trim_end_matches('\\').len();
        format!("\"{}{}\"", text.replace('"', "\"\""), "\\".repeat(tail))
    }

    fn comment(&self, text: &str) -> String {
        let harmless: String =
            text.chars().map(|letter| if is_operator(letter) { '_' } else { letter }).collect();
        format!("rem {harmless}")
    }

    fn activator(&self) -> Option<(ActivatorKind, &'static str)> {
        Some((ActivatorKind::Cmd, "call"))
    }

    fn set(&self, name: &str, value: &[u8]) -> String {
        format!("set \"{name}={}\"", text(value))
    }

    fn unset(&self, name: &str) -> String {
        format!("set \"{name}=\"")
    }

    fn put_first(&self, directory: &[u8]) -> String {
        format!("set \"PATH={};%PATH%\"", text(directory))
    }

    /// Every entry between two `;` of its own, so that equal neighbours go too.
    fn remove(&self, entry: &[u8]) -> Vec<String> {
        if entry.is_empty() {
            return vec!["set \"PATH=%PATH:;;=;%\"".to_owned()];
        }
        vec![
            "set \"PATH=;%PATH:;=;;%;\"".to_owned(),
            format!("set \"PATH=%PATH:;{};=%\"", text(entry)),
            "set \"PATH=%PATH:~1,-1%\"".to_owned(),
            "set \"PATH=%PATH:;;=;%\"".to_owned(),
        ]
    }

    fn deactivate(&self, directory: &HostPath) -> Vec<String> {
        let script = self.quote(directory.join("deactivate.bat").as_bytes());
        let mut lines = vec![format!("if exist {script} call {script}")];
        lines.extend(self.remove(directory.as_bytes()));
        lines.extend(["VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT"].map(|name| self.unset(name)));
        lines
    }

    fn rewrite(&self, system: System, files: &[HostPath], from: &[u8], to: &[u8]) -> Option<String> {
        let line = PowerShell { system }.rewrite(system, files, from, to)?;
        (!line.contains('"')).then(|| format!("powershell -NoProfile -Command \"{line}\""))
    }

    fn write_lines(&self, file: &HostPath, lines: &[Word], append: bool) -> Vec<String> {
        let file = self.quote(file.as_bytes());
        lines
            .iter()
            .enumerate()
            .map(|(index, line)| {
                let operator = if append || index > 0 { ">>" } else { ">" };
                let mut escaped = String::new();
                for letter in text(line.as_bytes()).chars() {
                    if is_operator(letter) {
                        escaped.push('^');
                    }
                    escaped.push(letter);
                }
                format!("{operator} {file} echo({escaped}")
            })
            .collect()
    }
}
