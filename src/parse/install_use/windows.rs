//! PowerShell scripts and batch files in the words of a POSIX shell, byte for byte: every command stays where it is.

use crate::parse::find;

/// Block comments and here-strings are blanked; `` ` `` becomes `\`, `\` becomes `/`, and the braces of blocks end commands.
pub fn powershell(bytes: &[u8]) -> Vec<u8> {
    let mut text = bytes.to_vec();
    let mut quote = None;
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let rest = &bytes[at..];
        let before = at.checked_sub(1).and_then(|before| bytes.get(before)).copied().unwrap_or(b'\n');
        let length = match (quote, byte) {
            (None, b'<') if rest.starts_with(b"<#") => blank(&mut text, at, rest, b"#>"),
            (None, b'@') => match here_string(rest) {
                Some(end) => blank(&mut text, at, rest, end),
                None => 1,
            },
            (None, b'#') if before.is_ascii_whitespace() || b";(){}|&".contains(&before) => line_length(rest),
            (None, b'\'' | b'"') => {
                quote = Some(byte);
                1
            }
            (Some(open), _) if open == byte => {
                quote = None;
                1
            }
            (Some(b'\''), b'`') => 1,
            (_, b'`') => {
                text[at] = b'\\';
                2
            }
            (_, b'\\') => {
                text[at] = b'/';
                1
            }
            (None, b'{') if before.is_ascii_whitespace() || before == b')' => {
                text[at] = b';';
                1
            }
            (None, b'}') if before.is_ascii_whitespace() => {
                text[at] = b';';
                1
            }
            _ => 1,
        };
        at += length;
    }
    text
}

/// What ends the here-string at the start of `rest`: its opening quote is the last of its line.
fn here_string(rest: &[u8]) -> Option<&'static [u8]> {
    let end = match rest.get(1)? {
        b'"' => b"\n\"@",
        b'\'' => b"\n'@",
        _ => return None,
    };
    let line = rest.get(2..line_length(rest))?;
    line.trim_ascii().is_empty().then_some(end)
}

/// Up to the end of the line.
fn line_length(rest: &[u8]) -> usize {
    rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
}

/// Blanks what stands between `at` and the end of `end`, but for the ends of lines; gives its length.
fn blank(text: &mut [u8], at: usize, rest: &[u8], end: &[u8]) -> usize {
    let length = find(rest, end).map_or(rest.len(), |found| found + end.len());
    let part = text.get_mut(at..at + length).unwrap_or_default();
    part.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    length
}

/// `rem` and `::` become `#`; what only a POSIX shell has a meaning for becomes `_`.
pub fn batch(bytes: &[u8]) -> Vec<u8> {
    let mut text = bytes.to_vec();
    for line in text.split_mut(|byte| *byte == b'\n') {
        let first = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'@')).count();
        line[..first].fill(b' ');
        let rest = &mut line[first..];
        let is_word = |rest: &[u8]| rest.get(3).is_none_or(u8::is_ascii_whitespace);
        let remark = rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case(b"rem")) && is_word(rest);
        if remark || rest.starts_with(b"::") {
            rest[0] = b'#';
            continue;
        }
        for index in 0..rest.len() {
            rest[index] = match rest[index] {
                b'^' => b'\\',
                b'\\' => b'/',
                b'\'' | b'`' | b'$' | b'#' => b'_',
                other => other,
            };
        }
        // a quote lasts to the end of its line
        let quotes = rest.iter().filter(|byte| **byte == b'"').count();
        if quotes % 2 == 1
            && let Some(last) = rest.iter().rposition(|byte| *byte == b'"')
        {
            rest[last] = b' ';
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves() {
        for seed in 0..200 {
            let noise = crate::parse::noise(seed, 300);
            for text in [noise.as_slice(), b"@'\n", b"<#", b"`", b"@\"\n\"@", b"^", b"\""] {
                for told in [powershell(text), batch(text)] {
                    let lines = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
                    assert_eq!((told.len(), lines(&told)), (text.len(), lines(text)));
                }
            }
        }
    }

    #[test]
    fn commands_are_a_shells() {
        let told = |text: &str| String::from_utf8(powershell(text.as_bytes())).unwrap();
        assert_eq!(told("& .\\v\\x.exe `\n  a"), "& ./v/x.exe \\\n  a");
        assert_eq!(told("if (x) { a 'b\\c' }"), "if (x) ; a 'b/c' ;");
        assert_eq!(told("${env:A} @{ x }"), "${env:A} @{ x ;");
        assert_eq!(told("<# a\nb #>c"), "    \n    c");
        assert_eq!(told("x = @\"\nit's\n\"@\ny"), "x =   \n    \n  \ny");
        assert_eq!(told("a # it's `x\nb"), "a # it's `x\nb");
        let told = |text: &str| String::from_utf8(batch(text.as_bytes())).unwrap();
        assert_eq!(told("@REM it's\r\n:: x\r\na ^\r\n b\\c"), " #EM it's\r\n#: x\r\na \\\r\n b/c");
        assert_eq!(told("echo \"a\nremove it's"), "echo  a\nremove it_s");
    }
}
