use super::{Language, Piece, is_plain, pieces};
use crate::parse::activate::ActivatorKind;
use crate::path::HostPath;

pub struct Xonsh;

/// A Python string; bytes that are not UTF-8 as Python's file names have them.
fn literal(word: &[u8]) -> String {
    let mut quoted = String::from("'");
    for piece in pieces(word) {
        match piece {
            Piece::Text(text) => {
                for letter in text.chars() {
                    match letter {
                        '\'' | '\\' => quoted.extend(['\\', letter]),
                        '\n' => quoted.push_str("\\n"),
                        _ => quoted.push(letter),
                    }
                }
            }
            Piece::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => {
                    text.chars().for_each(|letter| quoted.push_str(&format!("\\U{:08x}", u32::from(letter))));
                }
                Err(_) => bytes.iter().for_each(|byte| quoted.push_str(&format!("\\udc{byte:02x}"))),
            },
        }
    }
    quoted.push('\'');
    quoted
}

impl Language for Xonsh {
    fn quote(&self, word: &[u8]) -> String {
        if is_plain(word, b"_+:,./-=") && word.first() != Some(&b'=') {
            return String::from_utf8_lossy(word).into_owned();
        }
        // variables and `~` are expanded in a string, not in the value of an expression
        if word.iter().any(|byte| b"$~".contains(byte)) {
            return format!("@({})", literal(word));
        }
        literal(word)
    }

    fn comment(&self, text: &str) -> String {
        format!("# {text}")
    }

    fn activator(&self) -> Option<(ActivatorKind, &'static str)> {
        Some((ActivatorKind::Xonsh, "source"))
    }

    fn set(&self, name: &str, value: &[u8]) -> String {
        format!("${name} = {}", literal(value))
    }

    fn unset(&self, name: &str) -> String {
        format!("del ${name}")
    }

    fn put_first(&self, directory: &[u8]) -> String {
        format!("$PATH.insert(0, {})", literal(directory))
    }

    fn remove(&self, entry: &[u8]) -> Vec<String> {
        vec![format!("$PATH = [entry for entry in $PATH if entry != {}]", literal(entry))]
    }

    fn deactivate(&self, directory: &HostPath) -> Vec<String> {
        let mut lines = self.remove(directory.as_bytes());
        lines.extend(
            ["VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT"].map(|name| format!("${{...}}.pop('{name}', None)")),
        );
        lines
    }
}
