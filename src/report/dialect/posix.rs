//! bash, zsh and the POSIX `sh`.

use std::borrow::Cow;

use super::{Language, Piece, is_plain, octal, pieces};
use crate::parse::activate::ActivatorKind;
use crate::path::HostPath;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bash,
    Zsh,
    Sh,
}

pub struct Posix {
    pub kind: Kind,
}

impl Posix {
    /// `VAR=value` before a name would be an assignment, and `=name` is a path in zsh.
    fn is_plain(word: &[u8]) -> bool {
        is_plain(word, b"_@%+:,./-=") && word.first() != Some(&b'=')
    }
}

/// `$'...'`, understood by bash and zsh. `!` is escaped for the history.
fn escaped(word: &[u8]) -> String {
    let mut quoted = String::from("$'");
    for piece in pieces(word) {
        match piece {
            Piece::Text(text) => {
                for letter in text.chars() {
                    match letter {
                        '\n' => quoted.push_str("\\n"),
                        '\\' => quoted.push_str("\\\\"),
                        '\'' | '!' => quoted.push_str(&octal(&[letter as u8])),
                        _ => quoted.push(letter),
                    }
                }
            }
            Piece::Bytes(bytes) => quoted.push_str(&octal(bytes)),
        }
    }
    quoted.push('\'');
    quoted
}

fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// As an entry of `PATH` in a POSIX shell on Windows: `C:\a` is `/c/a`.
fn path_entry(directory: &[u8]) -> Cow<'_, [u8]> {
    match directory {
        [drive, b':', b'\\' | b'/', rest @ ..] if drive.is_ascii_alphabetic() => {
            let mut entry = vec![b'/', drive.to_ascii_lowercase(), b'/'];
            entry.extend(rest.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }));
            Cow::Owned(entry)
        }
        _ => Cow::Borrowed(directory),
    }
}

impl Language for Posix {
    fn quote(&self, word: &[u8]) -> String {
        if Posix::is_plain(word) {
            return String::from_utf8_lossy(word).into_owned();
        }
        let pieces = pieces(word);
        match pieces.as_slice() {
            [Piece::Text(text)] if self.kind == Kind::Sh || !text.contains('\n') => single(text),
            [] => "''".to_owned(),
            _ if self.kind != Kind::Sh => escaped(word),
            _ => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => single(text),
                    Piece::Bytes(bytes) => format!("\"$(printf '{}')\"", octal(bytes)),
                })
                .collect(),
        }
    }

    fn comment(&self, text: &str) -> String {
        // zsh knows no comments at its prompt, unless it is told to
        let harmless =
            |letter: char| letter.is_alphanumeric() || letter == ' ' || "_@%+:,./-".contains(letter);
        if self.kind == Kind::Zsh && !text.chars().all(harmless) {
            return format!("# {}", single(&text.replace('\'', "\u{2019}")));
        }
        format!("# {text}")
    }

    fn activator(&self) -> Option<(ActivatorKind, &'static str)> {
        Some((ActivatorKind::Posix, if self.kind == Kind::Sh { "." } else { "source" }))
    }

    fn set(&self, name: &str, value: &[u8]) -> String {
        format!("export {name}={}", self.quote(value))
    }

    fn unset(&self, name: &str) -> String {
        format!("unset {name}")
    }

    fn put_first(&self, directory: &[u8]) -> String {
        let directory = path_entry(directory);
        if Posix::is_plain(&directory) {
            return format!("export PATH=\"{}:$PATH\"", String::from_utf8_lossy(&directory));
        }
        format!("export PATH={}:\"$PATH\"", self.quote(&directory))
    }

    fn remove(&self, entry: &[u8]) -> Vec<String> {
        let entry = path_entry(entry);
        let quoted = self.quote(&entry);
        vec![match self.kind {
            Kind::Zsh => format!("() {{ path=(\"${{(@)path:#$1}}\") }} {quoted}"),
            _ => format!(
                "PATH=$(r=$PATH: p=; while [ \"$r\" ]; do d=${{r%%:*}} r=${{r#*:}}; [ \"$d\" = {quoted} ] || p=$p:$d; done; printf %s \"${{p#:}}\")"
            ),
        }]
    }

    fn deactivate(&self, directory: &HostPath) -> Vec<String> {
        let call = match self.kind {
            Kind::Sh => "[ \"$(command -v deactivate)\" = deactivate ] && deactivate",
            _ => "typeset -f deactivate >/dev/null && deactivate",
        };
        let remove = self.remove(directory.as_bytes()).join("; ");
        vec![format!("{call}; {remove}; unset VIRTUAL_ENV VIRTUAL_ENV_PROMPT; hash -r")]
    }

    fn rehash(&self) -> Option<&'static str> {
        Some(if self.kind == Kind::Zsh { "rehash" } else { "hash -r" })
    }

    fn has_braces(&self) -> bool {
        self.kind != Kind::Sh
    }
}
