use super::{Language, Piece, is_plain, pieces};
use crate::path::HostPath;

/// No creator of environments writes a script for it.
pub struct Elvish;

impl Language for Elvish {
    fn quote(&self, word: &[u8]) -> String {
        if is_plain(word, b"_@%+:,./-") {
            return String::from_utf8_lossy(word).into_owned();
        }
        match pieces(word).as_slice() {
            [Piece::Text(text)] if !text.contains('\n') => format!("'{}'", text.replace('\'', "''")),
            pieces => {
                let mut quoted = String::from("\"");
                for piece in pieces {
                    match piece {
                        Piece::Text(text) => {
                            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
                            quoted.push_str(&text);
                        }
                        Piece::Bytes(bytes) => {
                            bytes.iter().for_each(|byte| quoted.push_str(&format!("\\x{byte:02x}")));
                        }
                    }
                }
                quoted.push('"');
                quoted
            }
        }
    }

    fn comment(&self, text: &str) -> String {
        format!("# {text}")
    }

    /// `printf` is a builtin with a format of its own.
    fn printf(&self) -> &'static str {
        "e:printf"
    }

    fn set(&self, name: &str, value: &[u8]) -> String {
        format!("set-env {name} {}", self.quote(value))
    }

    fn unset(&self, name: &str) -> String {
        format!("unset-env {name}")
    }

    fn put_first(&self, directory: &[u8]) -> String {
        format!("set paths = [{} $@paths]", self.quote(directory))
    }

    fn remove(&self, entry: &[u8]) -> Vec<String> {
        let entry = self.quote(entry);
        vec![format!("set paths = [(each {{|it| if (not-eq $it {entry}) {{ put $it }} }} $paths)]")]
    }

    fn deactivate(&self, directory: &HostPath) -> Vec<String> {
        let mut lines = self.remove(directory.as_bytes());
        lines.extend(["VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT"].map(|name| self.unset(name)));
        lines
    }
}
