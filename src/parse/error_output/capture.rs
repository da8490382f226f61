//! Cutting names and paths out of a message.

/// A line without terminal sequences and control characters, at most `limit` characters long.
pub fn clean(line: &str, limit: usize) -> String {
    let mut cleaned = String::with_capacity(line.len().min(limit));
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        if cleaned.len() >= limit {
            break;
        }
        if character == '\u{1b}' {
            // CSI: up to the final byte; others are one character long
            if characters.peek() == Some(&'[') {
                characters.next();
                while characters.next().is_some_and(|part| !('@'..='~').contains(&part)) {}
            } else {
                characters.next();
            }
        } else if !character.is_control() || character == '\t' {
            cleaned.push(character);
        }
    }
    cleaned
}

/// What stands between `before` and the first of `after` that follows.
pub fn between<'a>(text: &'a str, before: &str, after: &[char]) -> Option<&'a str> {
    let rest = &text[text.find(before)? + before.len()..];
    let end = rest.find(after).unwrap_or(rest.len());
    let found = rest[..end].trim();
    (!found.is_empty()).then_some(found)
}

/// The quoted word that follows `before` at once.
pub fn quoted_after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let rest = text[text.find(before)? + before.len()..].trim_start();
    let mut characters = rest.chars();
    let open = characters.next()?;
    let close: &[char] = match open {
        '\'' | '`' | '‘' => &['\'', '`', '’'],
        '"' | '“' => &['"', '”'],
        _ => return None,
    };
    let rest = characters.as_str();
    let found = &rest[..rest.find(close)?];
    (!found.is_empty()).then_some(found)
}

/// A quoted word, or a bare one, after `before`.
pub fn word_after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    quoted_after(text, before)
        .or_else(|| between(text, before, &[' ', ';', ',', ':']))
        .map(|word| word.trim_end_matches('.'))
}

/// The first thing that looks like an absolute path, or one below `./`.
pub fn path_in(text: &str) -> Option<&str> {
    let ends: &[char] = &['"', '\'', '`', '’', '”', ':', ' ', '\t', ')', ',', ';'];
    let starts =
        |at: usize| at == 0 || text[..at].ends_with([' ', '"', '\'', '`', '‘', '“', '(', ':', '\t', '=']);
    for (at, character) in text.char_indices() {
        let rest = &text[at..];
        let posix = character == '/' || rest.starts_with("./") || rest.starts_with("~/");
        let bytes = rest.as_bytes();
        let windows = character.is_ascii_alphabetic()
            && bytes.get(1) == Some(&b':')
            && matches!(bytes.get(2), Some(b'\\' | b'/'));
        if !(posix || windows) || !starts(at) {
            continue;
        }
        // a path inside quotes may hold spaces
        let quote = text[..at].chars().next_back().and_then(|open| match open {
            '"' => Some('"'),
            '\'' | '`' => Some('\''),
            '‘' => Some('’'),
            '“' => Some('”'),
            _ => None,
        });
        let skip = if windows { 2 } else { 0 };
        let end = match quote {
            Some(quote) => rest.find(quote),
            None => rest[skip..].find(ends).map(|end| end + skip),
        };
        let found = rest[..end.unwrap_or(rest.len())].trim_end_matches(['.', ',']);
        if found.len() > 1 {
            return Some(found);
        }
    }
    None
}
