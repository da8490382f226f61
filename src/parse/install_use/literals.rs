//! Commands that stand in another language: in the settings of tox, the calls of nox, the steps of Jenkins, a dev
//! container's commands, and the literal blocks of reStructuredText.

use super::chunks::{Chunk, Line, split};
use crate::parse::find;

/// `commands` and their like in `tox.ini`: tox runs them in an environment of its own.
pub fn tox(bytes: &[u8]) -> Vec<Chunk> {
    const KEYS: [&[u8]; 4] = [b"commands", b"commands_pre", b"commands_post", b"install_command"];
    let mut chunks = Vec::new();
    let mut inside = false;
    let mut start = None;
    for line in split(bytes) {
        let mut from = line.start;
        if line.indent() == 0 && !line.is_blank() {
            let sign = line.text.iter().position(|byte| *byte == b'=');
            let key = sign.and_then(|sign| line.text.get(..sign)).unwrap_or_default().trim_ascii();
            inside = KEYS.contains(&key);
            from += sign.map_or(0, |sign| sign + 1);
        }
        if !inside {
            continue;
        }
        let from = *start.get_or_insert(from);
        if !line.goes_on() {
            start = None;
            let text = bytes.get(from..line.end()).unwrap_or_default();
            let signs = behind_condition(text);
            chunks.push(Chunk::new(from + signs, text.get(signs..).unwrap_or_default(), true));
        }
    }
    chunks
}

/// Behind `- `, `! ` and conditions such as `py311,lint: `.
fn behind_condition(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += text[at..].iter().take_while(|byte| b"-! \t\r".contains(byte)).count();
        let word = text[at..].iter().position(u8::is_ascii_whitespace).unwrap_or(0);
        if word < 2 || text[at + word - 1] != b':' {
            return at;
        }
        at += word;
    }
}

/// So long the arguments of one call are at most, and a line before it.
const MOST_LISTED: usize = 4096;
const LONG_LINE: usize = 512;

/// `session.run("pip", "install", ...)` in `noxfile.py`: the words that are literal, in the session's environment.
pub fn nox(bytes: &[u8]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    for call in [&b".run("[..], b".run_always(", b".run_install("] {
        let mut from = 0;
        while let Some(found) = bytes.get(from..).and_then(|rest| find(rest, call)) {
            from += found + call.len();
            let rest = bytes.get(from..).unwrap_or_default();
            let words = listed(rest.get(..MOST_LISTED).unwrap_or(rest), b')');
            let before = bytes.get(from.saturating_sub(LONG_LINE)..from).unwrap_or_default();
            let remark = before.rsplit(|byte| *byte == b'\n').next().is_some_and(|line| line.contains(&b'#'));
            let length = words.len();
            if !remark {
                chunks.push(Chunk { text: words, ..Chunk::new(from, b"", true) });
            }
            // on behind it, so that each byte is read once
            from += length;
        }
    }
    chunks.sort_by_key(|chunk| chunk.start);
    chunks
}

/// A list up to its closing bracket as the words of one line, byte for byte: strings as they are, `*` for anything else
/// that is passed, nothing for what is passed by name.
fn listed(text: &[u8], close: u8) -> Vec<u8> {
    let mut words = Vec::new();
    let (mut depth, mut argument, mut named) = (0_usize, 0, false);
    while let Some(byte) = text.get(words.len()).copied() {
        let rest = text.get(words.len()..).unwrap_or_default();
        match byte {
            b'"' | b'\'' => {
                let Some(length) = literal(rest) else { break };
                match named {
                    true => words.resize(words.len() + length, b' '),
                    false => words.extend_from_slice(rest.get(..length).unwrap_or_default()),
                }
                continue;
            }
            b'#' => {
                let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                words.resize(words.len() + length, b' ');
                continue;
            }
            _ if depth == 0 && byte == close => break,
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'=' if depth == 0 => {
                named = true;
                words[argument..].fill(b' ');
            }
            b',' if depth == 0 => {
                named = false;
                argument = words.len() + 1;
            }
            _ => {}
        }
        let blank = named || byte.is_ascii_whitespace() || byte == b',';
        words.push(if blank { b' ' } else { b'*' });
    }
    words
}

/// The length of the quoted text at the start, on one line.
fn literal(text: &[u8]) -> Option<usize> {
    let quote = *text.first()?;
    let mut at = 1;
    loop {
        match *text.get(at)? {
            b'\\' => at += 2,
            b'\n' => return None,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// `sh 'command'`, `sh "..."`, `sh '''...'''`, `sh(script: "...")` of a Jenkinsfile.
pub fn jenkinsfile(bytes: &[u8]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    for line in split(bytes) {
        let text = line.text;
        let Some(step) = step(text) else { continue };
        let rest = text.get(step..).unwrap_or_default();
        let named = find(rest, b"script:").map(|at| step + at + b"script:".len());
        let quote = text
            .get(named.unwrap_or(step)..)
            .and_then(|rest| rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'(')))
            .map(|blank| named.unwrap_or(step) + blank)
            .filter(|at| matches!(text[*at], b'"' | b'\''));
        let Some(quote) = quote else { continue };
        let start = line.start + quote;
        let triple = [text[quote]; 3];
        let rest = bytes.get(start..).unwrap_or_default();
        let inner = match rest.strip_prefix(&triple) {
            Some(inner) => find(inner, &triple).map(|length| (3, length)),
            None => literal(rest).map(|length| (1, length - 2)),
        };
        if let Some((signs, length)) = inner {
            let text = rest.get(signs..signs + length).unwrap_or_default();
            chunks.push(Chunk::new(start + signs, text, false));
        }
    }
    chunks
}

/// Where the argument of a `sh` step begins on this line.
fn step(text: &[u8]) -> Option<usize> {
    let comment = find(text, b"//").unwrap_or(text.len());
    let mut from = 0;
    while let Some(found) = find(text.get(from..comment)?, b"sh") {
        let at = from + found;
        let begins = at == 0 || matches!(text[at - 1], b' ' | b'\t' | b'{' | b'(' | b'=');
        if begins && matches!(text.get(at + 2), Some(b' ' | b'(' | b'\'' | b'"')) {
            return Some(at + 2);
        }
        from = at + 2;
    }
    None
}

/// `postCreateCommand` and the others that `devcontainer.json` runs in the container: a string, an array that is one
/// command, or an object of those.
pub fn devcontainer(bytes: &[u8]) -> Vec<Chunk> {
    const KEYS: [&[u8]; 5] = [
        b"\"onCreateCommand\"",
        b"\"updateContentCommand\"",
        b"\"postCreateCommand\"",
        b"\"postStartCommand\"",
        b"\"postAttachCommand\"",
    ];
    let mut chunks = Vec::new();
    for key in KEYS {
        let Some(found) = find(bytes, key) else { continue };
        let line = bytes[..found].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if find(&bytes[line..found], b"//").is_none() {
            container_commands(bytes, found + key.len(), &mut chunks);
        }
    }
    chunks.sort_by_key(|chunk| chunk.start);
    chunks
}

/// The commands of the value that begins behind `at`.
fn container_commands(bytes: &[u8], mut at: usize, chunks: &mut Vec<Chunk>) {
    let mut depth = 0_usize;
    while let Some(byte) = bytes.get(at).copied() {
        let rest = bytes.get(at..).unwrap_or_default();
        match byte {
            b'"' => {
                let Some(length) = literal(rest) else { return };
                let behind = rest.get(length..).unwrap_or_default().trim_ascii_start();
                if !behind.starts_with(b":") {
                    chunks.push(Chunk::new(at + 1, &rest[1..length - 1], false));
                }
                at += length;
            }
            b'[' => {
                let text = listed(rest.get(1..).unwrap_or_default(), b']');
                let length = text.len();
                chunks.push(Chunk { text, ..Chunk::new(at + 1, b"", false) });
                at += length + 2;
            }
            b'{' => {
                depth += 1;
                at += 1;
            }
            b'}' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            _ => {
                at += 1;
                continue;
            }
        }
        if depth == 0 {
            return;
        }
    }
}

/// Indented blocks below `.. code-block:: bash` and its like, without the prompts `$ ` and `% `.
pub fn restructured(bytes: &[u8]) -> Vec<Chunk> {
    const DIRECTIVES: [&[u8]; 4] = [b".. code-block::", b".. code::", b".. sourcecode::", b".. prompt::"];
    const LANGUAGES: [&[u8]; 8] =
        [b"sh", b"bash", b"shell", b"console", b"zsh", b"shell-session", b"terminal", b"text"];
    let lines = split(bytes);
    let mut chunks = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let text = line.text.trim_ascii();
        let language = DIRECTIVES.iter().find_map(|directive| text.strip_prefix(*directive));
        let language =
            language.and_then(|rest| rest.split(u8::is_ascii_whitespace).find(|word| !word.is_empty()));
        if !language.is_some_and(|language| LANGUAGES.contains(&language)) {
            continue;
        }
        let behind = lines.get(index + 1..).unwrap_or_default();
        let deeper = |below: &&Line<'_>| below.is_blank() || below.indent() > line.indent();
        let inside: Vec<&Line<'_>> = behind.iter().take_while(deeper).collect();
        if let (Some(first), Some(last)) = (inside.first(), inside.last()) {
            chunks.push(Chunk::with_prompts(
                bytes,
                first.start,
                last.end(),
                inside.iter().copied(),
                index + 1,
            ));
        }
    }
    chunks
}
