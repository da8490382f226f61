//! Text from files and variables, made fit to be shown: nothing in it can move the cursor, turn the
//! reading direction or hide, and no password is repeated.

use std::borrow::Cow;

/// A character that a terminal acts upon or does not show.
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// The text on one line, every hidden character as its escape: `\n`, `\x1b`, `\u{202e}`.
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if is_hidden(letter) && u32::from(letter) < 0x100 => {
                shown.push_str(&format!("\\x{:02x}", u32::from(letter)));
            }
            _ if is_hidden(letter) => shown.push_str(&format!("\\u{{{:x}}}", u32::from(letter))),
            _ => shown.push(letter),
        }
    }
    Cow::Owned(shown)
}

const HIDDEN_VALUE: &str = "***";

/// Without the credentials of URLs and the values of `NAME=value` where the name tells of a secret.
pub fn redact(text: &str) -> Cow<'_, str> {
    let text = redact_urls(text);
    match redact_assignments(&text) {
        Some(redacted) => Cow::Owned(redacted),
        None => text,
    }
}

/// The value of `name`, without secrets: all of it when the name tells of one.
pub fn redact_value<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if is_secret_name(name) && !value.is_empty() { Cow::Borrowed(HIDDEN_VALUE) } else { redact(value) }
}

/// One line, without secrets: how every observed value goes to a terminal.
pub fn shown(text: &str) -> String {
    line(&redact(text)).into_owned()
}

/// A variable or option that usually holds a secret.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace('-', "_");
    let telling = [
        "TOKEN",
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "CREDENTIAL",
        "API_KEY",
        "APIKEY",
        "PRIVATE_KEY",
    ];
    !name.contains(' ') && telling.iter().any(|word| name.contains(word))
}

fn redact_urls(text: &str) -> Cow<'_, str> {
    let mut redacted = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        redacted.push_str(before);
        let end = after
            .find(|letter: char| letter.is_whitespace() || "/?#\"'<>`\\".contains(letter))
            .unwrap_or(after.len());
        let authority = &after[..end];
        match authority.rfind('@') {
            Some(at) if !is_plain_user(before, &authority[..at]) => {
                redacted.push_str(HIDDEN_VALUE);
                redacted.push_str(&authority[at..]);
            }
            _ => redacted.push_str(authority),
        }
        rest = &after[end..];
    }
    if redacted == text[..text.len() - rest.len()] {
        return Cow::Borrowed(text);
    }
    redacted.push_str(rest);
    Cow::Owned(redacted)
}

/// `ssh://git@host`: a name to log in with, which is no secret there.
fn is_plain_user(before: &str, user: &str) -> bool {
    before.ends_with("ssh://") && !user.contains(':')
}

fn redact_assignments(text: &str) -> Option<String> {
    let mut redacted = String::new();
    let mut copied = 0;
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    for (at, _) in text.match_indices('=') {
        if at < copied {
            continue;
        }
        let length = text.as_bytes()[..at].iter().rev().take_while(|byte| is_name(byte)).count();
        let value = text[at + 1..].trim_start_matches('=');
        let start = text.len() - value.len();
        let quote = value.chars().next().filter(|letter| matches!(letter, '"' | '\''));
        let length_of_value = match quote {
            Some(quote) => value[1..].find(quote).map_or(value.len(), |end| end + 2),
            None => value
                .find(|letter: char| letter.is_whitespace() || "&;,\"'".contains(letter))
                .unwrap_or(value.len()),
        };
        // `name==1.0` is a requirement, not a setting
        if start == at + 1 && length_of_value > 0 && is_secret_name(&text[at - length..at]) {
            redacted.push_str(&text[copied..start]);
            redacted.push_str(HIDDEN_VALUE);
            copied = start + length_of_value;
        }
    }
    if copied == 0 {
        return None;
    }
    redacted.push_str(&text[copied..]);
    Some(redacted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_made_visible() {
        assert_eq!(line("plain é 漢"), "plain é 漢");
        assert_eq!(line("a\x1b[31mb\nc\td\u{202e}e\u{9b}"), "a\\x1b[31mb\\nc\\td\\u{202e}e\\x9b");
        assert_eq!(line("a\u{200b}\u{feff}\u{e0041}"), "a\\u{200b}\\u{feff}\\u{e0041}");
    }

    #[test]
    fn credentials_in_urls_are_left_out() {
        assert_eq!(redact("https://user:token@host/simple"), "https://***@host/simple");
        assert_eq!(
            redact("x @ git+https://abc@github.com/a/b@main"),
            "x @ git+https://***@github.com/a/b@main"
        );
        assert_eq!(redact("a https://p@ss:w@host b http://u@h"), "a https://***@host b http://***@h");
        assert_eq!(redact("ssh://git@github.com/a"), "ssh://git@github.com/a");
        assert_eq!(redact("ssh://git:pw@github.com/a"), "ssh://***@github.com/a");
        assert_eq!(redact("https://host/a@b"), "https://host/a@b");
        assert_eq!(redact("a://"), "a://");
    }

    #[test]
    fn secret_settings_are_left_out() {
        assert_eq!(redact("UV_INDEX_TOKEN=abc next"), "UV_INDEX_TOKEN=*** next");
        assert_eq!(redact("a?api-key=abc&b=c"), "a?api-key=***&b=c");
        assert_eq!(redact("PASSWORD='a b' c"), "PASSWORD=*** c");
        assert_eq!(redact("token==1.0 PATH=/a"), "token==1.0 PATH=/a");
        assert_eq!(redact("SECRET="), "SECRET=");
        assert_eq!(redact_value("PIP_TOKEN", "abc"), "***");
        assert_eq!(redact_value("PATH", "/a"), "/a");
    }
}
