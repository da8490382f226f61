//! JSON with comments and trailing commas, as editors write their settings.

use serde_json::Value;

/// None where it is no JSON even so.
pub fn parse(text: &str) -> Option<Value> {
    serde_json::from_str(&plain(text.trim_start_matches('\u{feff}'))).ok()
}

/// The 1-based line where this key stands first.
pub fn line_of(text: &str, key: &str) -> Option<usize> {
    let quoted = format!("\"{key}\"");
    text.lines()
        .position(|line| line.contains(&quoted) && !line.trim_start().starts_with("//"))
        .map(|at| at + 1)
}

/// Comments and trailing commas become blanks; everything else stays in its place.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    // where the last comma stands in `out` when only blanks followed it
    let mut comma: Option<usize> = None;
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                comma = None;
                out.push(letter);
                while let Some(inside) = letters.next() {
                    out.push(inside);
                    match inside {
                        '\\' => out.extend(letters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '/' if letters.peek() == Some(&'/') => {
                while letters.peek().is_some_and(|next| *next != '\n') {
                    letters.next();
                }
            }
            '/' if letters.peek() == Some(&'*') => {
                letters.next();
                let mut last = ' ';
                for inside in letters.by_ref() {
                    if last == '*' && inside == '/' {
                        break;
                    }
                    last = inside;
                }
                out.push(' ');
            }
            ',' => {
                comma = Some(out.len());
                out.push(letter);
            }
            ']' | '}' => {
                if let Some(at) = comma.take() {
                    out.replace_range(at..=at, " ");
                }
                out.push(letter);
            }
            blank if blank.is_whitespace() => out.push(blank),
            other => {
                comma = None;
                out.push(other);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_editors_write() {
        let text = "\u{feff}{\n  // why, \"so\"\n  \"a//b\": \"x, /* no */ y\\\"\", /* a\n comment */\n  \"rulers\": [100, ],\n}\n";
        let value = parse(text).unwrap();
        assert_eq!(value["a//b"], "x, /* no */ y\"");
        assert_eq!(value["rulers"][0], 100);
        assert_eq!(line_of(text, "rulers"), Some(5));
    }

    #[test]
    fn arbitrary_text_ends() {
        for text in ["", "{", "/*", "//", "\"\\", "{\"a\": }", ",}", "[1,,]"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(parse("{}").is_some());
    }
}
