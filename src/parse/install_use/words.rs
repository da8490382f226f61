//! A shell's text as simple commands, roughly: enough to know which words are a command.

use crate::parse::shell_word::{Dialect, first_word};

/// A word without its quotes, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub bytes: Vec<u8>,
    pub start: usize,
    pub end: usize,
}

/// Simple commands, in order. What follows a quote that is never closed is not looked at.
pub fn commands(text: &[u8]) -> Vec<Vec<Word>> {
    let mut reader = Reader { text, at: 0, documents: Vec::new() };
    let mut commands = Vec::new();
    let mut words = Vec::new();
    loop {
        match reader.next() {
            Token::Word(word) => words.push(word),
            Token::Separator if words.is_empty() => {}
            Token::Separator => commands.push(std::mem::take(&mut words)),
            Token::End => {
                if !words.is_empty() {
                    commands.push(words);
                }
                return commands;
            }
        }
    }
}

enum Token {
    Word(Word),
    Separator,
    End,
}

struct Reader<'text> {
    text: &'text [u8],
    at: usize,
    /// Ends of the here-documents that begin on the next line.
    documents: Vec<Vec<u8>>,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn next(&mut self) -> Token {
        loop {
            let rest = self.rest();
            match rest {
                [] => return Token::End,
                [b' ' | b'\t' | b'\r', ..] => self.at += 1,
                [b'\\', b'\n', ..] => self.at += 2,
                [b'\\', b'\r', b'\n', ..] => self.at += 3,
                [b'\n', ..] => {
                    self.at += 1;
                    self.skip_documents();
                    return Token::Separator;
                }
                [b'#', ..] => self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
                [b';' | b'|' | b'(' | b')', ..] => {
                    self.at += 1;
                    return Token::Separator;
                }
                [b'&', b'>', ..] => self.skip_redirection(),
                [b'&', ..] => {
                    self.at += 1;
                    return Token::Separator;
                }
                [b'<' | b'>', ..] => self.skip_redirection(),
                _ if is_numbered_redirection(rest) => self.skip_redirection(),
                _ => {
                    return match self.word() {
                        Some(word) => Token::Word(word),
                        None => {
                            self.at = self.text.len();
                            Token::End
                        }
                    };
                }
            }
        }
    }

    /// A word with the `$(...)` and backquotes in it.
    fn word(&mut self) -> Option<Word> {
        let start = self.at;
        let mut bytes = Vec::new();
        loop {
            let before = self.at;
            if self.rest().starts_with(b"`") {
                let inside = self.rest().get(1..)?.iter().position(|byte| *byte == b'`')? + 2;
                bytes.extend_from_slice(self.rest().get(..inside)?);
                self.at += inside;
            } else if let Some(part) = first_word(until_backquote(self.rest()), Dialect::Posix) {
                self.at += part.length;
                bytes.extend(part.bytes);
            }
            if bytes.ends_with(b"$") && self.rest().starts_with(b"(") {
                let end = closing(self.rest())?;
                bytes.extend_from_slice(self.rest().get(..end)?);
                self.at += end;
            }
            match self.rest().first() {
                Some(byte) if b" \t\r\n;&|()<>".contains(byte) => break,
                None => break,
                _ if self.at == before => return None,
                _ => {}
            }
        }
        // a line that goes on in the middle of a word
        bytes.retain(|byte| *byte != b'\n');
        Some(Word { bytes, start, end: self.at })
    }

    /// `> file`, `2>&1`, `<<EOF`, `<(...)`: what they name is no command of this shell's.
    fn skip_redirection(&mut self) {
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        let signs = self.rest().iter().take_while(|byte| matches!(byte, b'<' | b'>' | b'&' | b'|')).count();
        let document = self.rest().get(..signs) == Some(b"<<");
        self.at += signs.max(1);
        if document && self.rest().starts_with(b"-") {
            self.at += 1;
        }
        if self.rest().starts_with(b"(") {
            self.at += closing(self.rest()).unwrap_or(1);
            return;
        }
        self.at += self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if let Some(word) = first_word(self.rest(), Dialect::Posix) {
            self.at += word.length;
            if document {
                self.documents.push(word.bytes);
            }
        }
    }

    fn skip_documents(&mut self) {
        for end in std::mem::take(&mut self.documents) {
            loop {
                let rest = self.rest();
                if rest.is_empty() {
                    return;
                }
                let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
                let line = rest.get(..length).unwrap_or_default();
                let ends = line.trim_ascii() == end.as_slice();
                self.at += length;
                if ends {
                    break;
                }
            }
        }
    }
}

fn is_numbered_redirection(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && matches!(text.get(digits), Some(b'<' | b'>'))
}

/// Up to a backquote that is not within single or double quotes.
fn until_backquote(text: &[u8]) -> &[u8] {
    let mut quote = None;
    for (at, byte) in text.iter().enumerate() {
        match (quote, byte) {
            (None, b'\'' | b'"') => quote = Some(*byte),
            (Some(open), byte) if open == *byte => quote = None,
            (None, b'`') => return &text[..at],
            (None, byte) if byte.is_ascii_whitespace() => return text,
            _ => {}
        }
    }
    text
}

/// The length up to the bracket that closes the first one.
fn closing(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<Vec<String>> {
        let word = |word: &Word| String::from_utf8_lossy(&word.bytes).into_owned();
        commands(text.as_bytes()).iter().map(|words| words.iter().map(word).collect()).collect()
    }

    #[test]
    fn splits_commands() {
        assert_eq!(
            split("a b && c;d|e\nf # g\n"),
            [vec!["a", "b"], vec!["c"], vec!["d"], vec!["e"], vec!["f"]]
        );
        assert_eq!(split("pip \\\n  install x >log 2>&1 &>y z"), [vec!["pip", "install", "x", "z"]]);
        assert_eq!(split("a $(b c; d) `e f`g"), [vec!["a", "$(b c; d)", "`e f`g"]]);
        assert_eq!(split("cat <<EOF >x\npip install y\nEOF\nz"), [vec!["cat"], vec!["z"]]);
        assert_eq!(split("cat <<-'E F'\n\ta\n\tE F\nz"), [vec!["cat"], vec!["z"]]);
        assert_eq!(
            split("echo 'usage:\n  pip install x\n' done\nz"),
            [vec!["echo", "usage:  pip install x", "done"], vec!["z"]]
        );
        assert_eq!(split("a 'open\npip install x\n"), [vec!["a"]]);
    }

    #[test]
    fn survives_anything() {
        for seed in 0..300 {
            commands(&crate::parse::noise(seed, 300));
        }
        for text in ["$(", "`", "a`", "<<", "<<\n", "2>", "&>", "<(", "\\", "a\\", "$($(", "'", "\x0c'"] {
            commands(text.as_bytes());
        }
        commands(&vec![b'`'; 100_000]);
        commands(&vec![b'<'; 100_000]);
    }
}
