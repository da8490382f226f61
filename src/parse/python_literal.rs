//! String literals of Python, and what it takes for blank.

/// `str.isspace` of one character: Unicode's white space and four control characters.
pub(crate) fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{1c}'..='\u{1f}')
}

/// `str.strip`.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// The value of a Python string literal on one line: `'x'`, `"x"`, `r"x"`. None when it is none.
///
/// Of the escapes, those that `repr` writes are undone; another keeps its backslash, as in Python.
pub(crate) fn python_string(literal: &str) -> Option<String> {
    let (raw, quoted) = match literal.strip_prefix(['r', 'R']) {
        Some(rest) => (true, rest),
        None => (false, literal),
    };
    let quote = quoted.chars().next().filter(|first| ['\'', '"'].contains(first))?;
    let mut letters = quoted.get(1..)?.chars();
    let mut value = String::new();
    loop {
        match letters.next()? {
            letter if letter == quote => break,
            '\\' if raw => {
                value.push('\\');
                value.push(letters.next()?);
            }
            '\\' => match letters.next()? {
                escaped @ ('\\' | '\'' | '"') => value.push(escaped),
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                'x' => value.push(escaped_letter(&mut letters, 2)?),
                'u' => value.push(escaped_letter(&mut letters, 4)?),
                'U' => value.push(escaped_letter(&mut letters, 8)?),
                other => value.extend(['\\', other]),
            },
            letter => value.push(letter),
        }
    }
    strip(letters.as_str()).is_empty().then_some(value)
}

fn escaped_letter(letters: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let mut code = 0;
    for _ in 0..digits {
        code = code * 16 + letters.next()?.to_digit(16)?;
    }
    char::from_u32(code)
}
