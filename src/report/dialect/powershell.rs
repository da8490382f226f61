use super::{Language, is_plain};
use crate::diagnosis::Word;
use crate::facts::platform::System;
use crate::parse::activate::ActivatorKind;
use crate::path::HostPath;
use crate::report::sanitize;

pub struct PowerShell {
    pub system: System,
}

impl PowerShell {
    /// An expression. Typographic quotes end a string like plain ones.
    fn literal(&self, word: &[u8]) -> String {
        let text = String::from_utf8_lossy(word);
        if !text.chars().any(sanitize::is_hidden) {
            let mut quoted = String::from("'");
            for letter in text.chars() {
                quoted.push(letter);
                if matches!(letter, '\'' | '\u{2018}'..='\u{201b}') {
                    quoted.push(letter);
                }
            }
            quoted.push('\'');
            return quoted;
        }
        let mut quoted = String::from("\"");
        for letter in text.chars() {
            match letter {
                '"' | '`' | '$' | '\u{201c}'..='\u{201e}' => quoted.extend(['`', letter]),
                '\n' => quoted.push_str("`n"),
                _ if !sanitize::is_hidden(letter) => quoted.push(letter),
                _ if u32::from(letter) < 0x1_0000 => {
                    quoted.push_str(&format!("$([char]0x{:02x})", u32::from(letter)));
                }
                _ => quoted.push_str(&format!("$([char]::ConvertFromUtf32(0x{:x}))", u32::from(letter))),
            }
        }
        quoted.push('"');
        quoted
    }

    fn separator(&self) -> char {
        if self.system == System::Windows { ';' } else { ':' }
    }

    /// Windows PowerShell writes the system's code page unless it is told otherwise.
    fn encoding(lines: &[Word]) -> &'static str {
        if lines.iter().all(|line| line.as_bytes().is_ascii()) { "" } else { " -Encoding utf8" }
    }
}

impl Language for PowerShell {
    fn quote(&self, word: &[u8]) -> String {
        // `-a.b` would be cut at the full stop, and `,` makes a list
        let option = word.first() == Some(&b'-') && word.iter().any(|byte| b".:".contains(byte));
        if is_plain(word, b"_./\\:+-=") && !option && word.first() != Some(&b'=') {
            return String::from_utf8_lossy(word).into_owned();
        }
        self.literal(word)
    }

    fn comment(&self, text: &str) -> String {
        format!("# {text}")
    }

    fn activator(&self) -> Option<(ActivatorKind, &'static str)> {
        Some((ActivatorKind::PowerShell, if self.system == System::Windows { "&" } else { "." }))
    }

    fn set(&self, name: &str, value: &[u8]) -> String {
        format!("$env:{name} = {}", self.literal(value))
    }

    fn unset(&self, name: &str) -> String {
        format!("Remove-Item Env:{name}")
    }

    fn put_first(&self, directory: &[u8]) -> String {
        let mut first = directory.to_vec();
        first.push(self.separator() as u8);
        format!("$env:PATH = {} + $env:PATH", self.literal(&first))
    }

    fn remove(&self, entry: &[u8]) -> Vec<String> {
        let separator = self.separator();
        let entry = self.literal(entry);
        let differs = if self.system == System::Windows { "-ne" } else { "-cne" };
        vec![format!(
            "$env:PATH = ($env:PATH -split '{separator}' | Where-Object {{ $_ {differs} {entry} }}) -join '{separator}'"
        )]
    }

    fn deactivate(&self, directory: &HostPath) -> Vec<String> {
        let remove = self.remove(directory.as_bytes()).join("; ");
        vec![format!(
            "if (Test-Path Function:deactivate) {{ deactivate }}; {remove}; Remove-Item Env:VIRTUAL_ENV, Env:VIRTUAL_ENV_PROMPT -ErrorAction SilentlyContinue"
        )]
    }

    fn run(&self, words: &[Word]) -> String {
        let quoted: Vec<String> = words.iter().map(|word| self.quote(word.as_bytes())).collect();
        let line = quoted.join(" ");
        let named = line.starts_with(|first: char| first.is_ascii_alphabetic() || "/\\.".contains(first));
        if named { line } else { format!("& {line}") }
    }

    fn rewrite(&self, _: System, files: &[HostPath], from: &[u8], to: &[u8]) -> Option<String> {
        let files: Vec<String> = files.iter().map(|file| self.literal(file.as_bytes())).collect();
        (!from.is_empty()).then(|| {
            format!(
                "foreach ($file in {}) {{ [IO.File]::WriteAllText($file, [IO.File]::ReadAllText($file).Replace({}, {})) }}",
                files.join(", "),
                self.literal(from),
                self.literal(to)
            )
        })
    }

    fn write_lines(&self, file: &HostPath, lines: &[Word], append: bool) -> Vec<String> {
        let command = if append { "Add-Content" } else { "Set-Content" };
        let encoding = PowerShell::encoding(lines);
        let values: Vec<String> = lines.iter().map(|line| self.literal(line.as_bytes())).collect();
        let file = self.literal(file.as_bytes());
        vec![format!("{command}{encoding} -LiteralPath {file} -Value {}", values.join(", "))]
    }
}
