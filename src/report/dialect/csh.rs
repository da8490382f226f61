//! csh and tcsh. The history works inside every quote, also in scripts: `!` needs its backslash.

use super::{Language, Piece, is_plain, octal, pieces};
use crate::parse::activate::ActivatorKind;
use crate::path::HostPath;

pub struct Csh;

impl Language for Csh {
    fn quote(&self, word: &[u8]) -> String {
        if is_plain(word, b"_+:,./-=") && word.first() != Some(&b'=') {
            return String::from_utf8_lossy(word).into_owned();
        }
        if word.is_empty() {
            return "''".to_owned();
        }
        pieces(word)
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => {
                    let text = text.replace('\'', "'\\''").replace('!', "\\!").replace('\n', "\\\n");
                    format!("'{text}'")
                }
                Piece::Bytes(bytes) => format!("\"`printf '{}'`\"", octal(bytes)),
            })
            .collect()
    }

    /// There are no comments at its prompt.
    fn comment(&self, text: &str) -> String {
        format!(": {}", self.quote(text.as_bytes()))
    }

    fn activator(&self) -> Option<(ActivatorKind, &'static str)> {
        Some((ActivatorKind::Csh, "source"))
    }

    fn set(&self, name: &str, value: &[u8]) -> String {
        format!("setenv {name} {}", self.quote(value))
    }

    fn unset(&self, name: &str) -> String {
        format!("unsetenv {name}")
    }

    fn put_first(&self, directory: &[u8]) -> String {
        format!("setenv PATH {}:\"$PATH\"", self.quote(directory))
    }

    /// Variables are expanded even within the quotes of a command substitution, so an entry that needs quoting
    /// goes through the environment.
    fn remove(&self, entry: &[u8]) -> Vec<String> {
        let quoted = self.quote(entry);
        let entries = "printenv PATH | tr ':' '\\n'";
        if is_plain(entry, b"_+:,./-") {
            return vec![format!("setenv PATH \"`{entries} | grep -vxF -e {quoted} | paste -sd: -`\"")];
        }
        let others = "awk 'BEGIN { getline gone; while ((getline entry) > 0) if (entry == gone) continue; else print entry }'";
        vec![format!(
            "setenv GONE {quoted}; setenv PATH \"`( printenv GONE; {entries} ) | {others} | paste -sd: -`\"; unsetenv GONE"
        )]
    }

    fn deactivate(&self, directory: &HostPath) -> Vec<String> {
        let remove = self.remove(directory.as_bytes()).join("; ");
        vec![
            "if ( \"`alias deactivate`\" != \"\" ) eval deactivate".to_owned(),
            format!("{remove}; unsetenv VIRTUAL_ENV; unsetenv VIRTUAL_ENV_PROMPT; rehash"),
        ]
    }

    fn rehash(&self) -> Option<&'static str> {
        Some("rehash")
    }

    fn has_braces(&self) -> bool {
        true
    }
}
