use super::{Language, is_plain, sed};
use crate::diagnosis::Word;
use crate::facts::platform::System;
use crate::parse::activate::ActivatorKind;
use crate::path::HostPath;
use crate::report::sanitize;

pub struct Nushell;

fn literal(word: &[u8]) -> String {
    let text = String::from_utf8_lossy(word);
    if !text.contains('\'') && !text.chars().any(sanitize::is_hidden) {
        return format!("'{text}'");
    }
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            _ if sanitize::is_hidden(letter) => quoted.push_str(&format!("\\u{{{:x}}}", u32::from(letter))),
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

impl Language for Nushell {
    fn quote(&self, word: &[u8]) -> String {
        let named = word.first().is_some_and(|first| first.is_ascii_alphabetic() || b"/-_".contains(first));
        if named && is_plain(word, b"_./:-") {
            return String::from_utf8_lossy(word).into_owned();
        }
        literal(word)
    }

    fn comment(&self, text: &str) -> String {
        format!("# {text}")
    }

    fn activator(&self) -> Option<(ActivatorKind, &'static str)> {
        Some((ActivatorKind::Nushell, "overlay use"))
    }

    fn set(&self, name: &str, value: &[u8]) -> String {
        format!("$env.{name} = {}", literal(value))
    }

    fn unset(&self, name: &str) -> String {
        format!("hide-env {name}")
    }

    fn put_first(&self, directory: &[u8]) -> String {
        format!("$env.PATH = ($env.PATH | split row (char esep) | prepend {})", literal(directory))
    }

    fn remove(&self, entry: &[u8]) -> Vec<String> {
        let entry = literal(entry);
        vec![format!("$env.PATH = ($env.PATH | split row (char esep) | where {{|it| $it != {entry} }})")]
    }

    /// An overlay's `deactivate` is known only to the line that is read after it was made.
    fn deactivate(&self, directory: &HostPath) -> Vec<String> {
        let mut lines = self.remove(directory.as_bytes());
        lines.push("hide-env --ignore-errors VIRTUAL_ENV VIRTUAL_ENV_PROMPT".to_owned());
        lines
    }

    fn run(&self, words: &[Word]) -> String {
        let words: Vec<String> = words.iter().map(|word| self.quote(word.as_bytes())).collect();
        format!("^{}", words.join(" "))
    }

    fn rewrite(&self, system: System, files: &[HostPath], from: &[u8], to: &[u8]) -> Option<String> {
        if system != System::Windows {
            return sed(self, system, files, from, to);
        }
        let files: Vec<String> = files.iter().map(|file| literal(file.as_bytes())).collect();
        (!from.is_empty()).then(|| {
            format!(
                "for file in [{}] {{ let text = (open --raw $file | decode utf-8 | str replace --all {} {}); $text | save --force $file }}",
                files.join(", "),
                literal(from),
                literal(to)
            )
        })
    }

    fn write_lines(&self, file: &HostPath, lines: &[Word], append: bool) -> Vec<String> {
        let lines: Vec<String> = lines.iter().map(|line| literal(line.as_bytes())).collect();
        let option = if append { "--append" } else { "--force" };
        let file = literal(file.as_bytes());
        vec![format!(
            "[{}] | each {{|it| $it + (char newline) }} | str join | save {option} {file}",
            lines.join(", ")
        )]
    }
}
