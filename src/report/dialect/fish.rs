use super::{Language, Piece, is_plain, pieces};
use crate::parse::activate::ActivatorKind;
use crate::path::HostPath;

pub struct Fish;

impl Language for Fish {
    fn quote(&self, word: &[u8]) -> String {
        if is_plain(word, b"_@+:,./-=") {
            return String::from_utf8_lossy(word).into_owned();
        }
        if word.is_empty() {
            return "''".to_owned();
        }
        let escape = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\X{byte:02x}")).collect::<String>();
        pieces(word)
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text
                    .split_inclusive('\n')
                    .map(|line| {
                        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\\n"));
                        match line {
                            "" => end.to_owned(),
                            _ => format!("'{}'{end}", line.replace('\\', "\\\\").replace('\'', "\\'")),
                        }
                    })
                    .collect(),
                Piece::Bytes(bytes) => escape(bytes),
            })
            .collect()
    }

    fn comment(&self, text: &str) -> String {
        format!("# {text}")
    }

    fn activator(&self) -> Option<(ActivatorKind, &'static str)> {
        Some((ActivatorKind::Fish, "source"))
    }

    fn set(&self, name: &str, value: &[u8]) -> String {
        format!("set -gx {name} {}", self.quote(value))
    }

    /// A variable may be set in several scopes; erasing one lets the next shine through.
    fn unset(&self, name: &str) -> String {
        format!("while set -q {name}; set -e {name}; end")
    }

    fn put_first(&self, directory: &[u8]) -> String {
        format!("set -gx PATH {} $PATH", self.quote(directory))
    }

    /// fish keeps an empty entry as `.`.
    fn remove(&self, entry: &[u8]) -> Vec<String> {
        let entry = self.quote(if entry.is_empty() { b"." } else { entry });
        vec![format!("while set -l i (contains -i -- {entry} $PATH); set -e PATH[$i]; end")]
    }

    fn deactivate(&self, directory: &HostPath) -> Vec<String> {
        let remove = self.remove(directory.as_bytes()).join("; ");
        vec![format!(
            "functions -q deactivate; and deactivate; {remove}; set -e VIRTUAL_ENV; set -e VIRTUAL_ENV_PROMPT"
        )]
    }

    fn has_braces(&self) -> bool {
        true
    }
}
