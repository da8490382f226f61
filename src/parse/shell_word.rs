//! One word of a shell's command line, with its quoting undone.

use serde::{Deserialize, Serialize};

/// What surrounds a word, judged by how it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quoting {
    Bare,
    Single,
    Double,
}

/// Whose quoting rules apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// sh, bash, zsh; csh is alike as far as `shlex.quote` writes.
    Posix,
    /// Between single quotes, fish takes `\'` and `\\` as escapes.
    Fish,
}

/// A word and how much of the input it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Without quotes; expansions (`$x`, `$(...)`) are left as they stand.
    pub bytes: Vec<u8>,
    pub quoting: Quoting,
    pub length: usize,
}

/// The word at the start of `input`: up to an unquoted blank, line end or one of `;&|()<>`. None when a
/// quote is not closed, or where no word stands.
///
/// The rules are those of POSIX, Shell Command Language, section 2.2.
pub fn first_word(input: &[u8], dialect: Dialect) -> Option<Word> {
    let quoting = match input.first()? {
        b'\'' => Quoting::Single,
        b'"' => Quoting::Double,
        _ => Quoting::Bare,
    };
    let mut bytes = Vec::new();
    let mut rest = input.iter().copied().enumerate().peekable();
    let mut length = input.len();
    while let Some((at, byte)) = rest.next() {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' => {
                length = at;
                break;
            }
            b'\'' => loop {
                match rest.next()?.1 {
                    b'\'' => break,
                    b'\\' if dialect == Dialect::Fish => {
                        match rest.next_if(|(_, next)| matches!(next, b'\'' | b'\\')) {
                            Some((_, escaped)) => bytes.push(escaped),
                            None => bytes.push(b'\\'),
                        }
                    }
                    other => bytes.push(other),
                }
            },
            b'"' => loop {
                match rest.next()?.1 {
                    b'"' => break,
                    b'\\' => match rest.next_if(|(_, next)| matches!(next, b'"' | b'\\' | b'$' | b'`')) {
                        Some((_, escaped)) => bytes.push(escaped),
                        None => bytes.push(b'\\'),
                    },
                    other => bytes.push(other),
                }
            },
            b'\\' => bytes.push(rest.next()?.1),
            other => bytes.push(other),
        }
    }
    (length > 0).then_some(Word { bytes, quoting, length })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posix(text: &str) -> Option<(String, usize)> {
        first_word(text.as_bytes(), Dialect::Posix)
            .map(|word| (String::from_utf8(word.bytes).unwrap(), word.length))
    }

    #[test]
    fn undoes_quoting() {
        assert_eq!(posix("/a/b c"), Some(("/a/b".into(), 4)));
        assert_eq!(posix("'/a b' c"), Some(("/a b".into(), 6)));
        assert_eq!(posix(r#"'/a'"'"'b'"#), Some(("/a'b".into(), 10)));
        assert_eq!(posix(r#"'/a'\''b';"#), Some(("/a'b".into(), 9)));
        assert_eq!(posix(r#""/a \"b\" \n$HOME""#), Some((r#"/a "b" \n$HOME"#.into(), 18)));
        assert_eq!(posix("a&&b"), Some(("a".into(), 1)));
        assert_eq!(posix("''"), Some((String::new(), 2)));
    }

    #[test]
    fn fish_escapes_between_single_quotes() {
        let word = first_word(br"'/a\'b\\c\d'", Dialect::Fish).unwrap();
        assert_eq!(word.bytes, br"/a'b\c\d");
        assert_eq!(word.quoting, Quoting::Single);
    }

    #[test]
    fn refuses_what_is_no_word() {
        for text in ["", " a", "'open", "\"open", "\"open\\", "a\\", ";"] {
            assert_eq!(posix(text), None, "{text:?}");
        }
        for seed in 0..200 {
            let bytes = crate::parse::noise(seed, 300);
            for dialect in [Dialect::Posix, Dialect::Fish] {
                if let Some(word) = first_word(&bytes, dialect) {
                    assert!(word.length <= bytes.len());
                }
            }
        }
    }
}
