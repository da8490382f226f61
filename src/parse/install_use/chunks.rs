//! Where commands stand in a file: each chunk is the text of one shell.

use super::{CommandText, literals, windows};
use crate::parse::find;

/// The text of one shell, as long as the part of the file that it comes from.
pub struct Chunk {
    /// Where it begins in the file, in bytes.
    pub start: usize,
    pub text: Vec<u8>,
    /// An environment is there before its first command.
    pub prepared: bool,
    /// The line of the fence above it.
    pub heading: Option<usize>,
}

impl Chunk {
    pub fn new(start: usize, text: &[u8], prepared: bool) -> Chunk {
        Chunk { start, text: text.to_vec(), prepared, heading: None }
    }

    /// A block of a document, without the prompts `$ ` and `% ` of its lines; `heading` is the line that opens it.
    pub fn with_prompts<'line, 'text: 'line>(
        bytes: &[u8],
        start: usize,
        end: usize,
        lines: impl IntoIterator<Item = &'line Line<'text>>,
        heading: usize,
    ) -> Chunk {
        let prompted = |line: &&Line<'_>| {
            let text = line.text.trim_ascii_start();
            text.starts_with(b"$ ") || text.starts_with(b"% ")
        };
        let prompts: Vec<(usize, usize)> = lines
            .into_iter()
            .filter(prompted)
            .map(|line| (line.start, line.start + line.indent() + 1))
            .collect();
        Chunk { heading: Some(heading), ..part(bytes, start, end, &prompts, false) }
    }
}

/// A line without its end, and where it begins.
#[derive(Clone, Copy)]
pub struct Line<'text> {
    pub start: usize,
    pub text: &'text [u8],
}

impl Line<'_> {
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub fn indent(&self) -> usize {
        self.text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
    }

    pub fn is_blank(&self) -> bool {
        self.text.trim_ascii().is_empty()
    }

    pub fn goes_on(&self) -> bool {
        self.text.strip_suffix(b"\r").unwrap_or(self.text).ends_with(b"\\")
    }
}

pub fn split(bytes: &[u8]) -> Vec<Line<'_>> {
    let mut start = 0;
    let line = |text: &'_ [u8]| -> usize { text.len() + 1 };
    bytes
        .split(|byte| *byte == b'\n')
        .map(|text| {
            let found = Line { start, text };
            start += line(text);
            found
        })
        .collect()
}

pub fn chunks(kind: CommandText, bytes: &[u8]) -> Vec<Chunk> {
    match kind {
        CommandText::Script => vec![Chunk::new(0, bytes, false)],
        CommandText::Makefile => makefile(bytes),
        CommandText::Justfile => justfile(bytes),
        CommandText::Dockerfile => dockerfile(bytes),
        CommandText::ContinuousIntegration => steps(bytes),
        CommandText::Markdown => fenced(bytes),
        CommandText::Restructured => literals::restructured(bytes),
        CommandText::PowerShell => vec![Chunk::new(0, &windows::powershell(bytes), false)],
        CommandText::Batch => vec![Chunk::new(0, &windows::batch(bytes), false)],
        CommandText::Tox => literals::tox(bytes),
        CommandText::Nox => literals::nox(bytes),
        CommandText::Jenkinsfile => literals::jenkinsfile(bytes),
        CommandText::Devcontainer => literals::devcontainer(bytes),
    }
}

/// The text from `start` to `end`, with these ranges of the file blanked.
fn part(bytes: &[u8], start: usize, end: usize, blank: &[(usize, usize)], prepared: bool) -> Chunk {
    let mut chunk = Chunk::new(start, bytes.get(start..end).unwrap_or_default(), prepared);
    for (from, to) in blank {
        if let Some(part) = chunk.text.get_mut(from.saturating_sub(start)..to.saturating_sub(start)) {
            part.fill(b' ');
        }
    }
    chunk
}

/// Whether a line outside recipes puts an environment first for all of them.
fn exports_environment(lines: &[Line<'_>]) -> bool {
    lines.iter().filter(|line| line.indent() == 0).any(|line| {
        let sets = |name: &[u8]| find(line.text, name).is_some();
        (sets(b"PATH") || sets(b"VIRTUAL_ENV"))
            && line.text.contains(&b'=')
            && find(&line.text.to_ascii_lowercase(), b"env").is_some()
    })
}

/// A recipe that is being read: what it covers, what make takes out of it, and whether its last line goes on.
#[derive(Default)]
struct Recipe {
    start: usize,
    end: usize,
    blanks: Vec<(usize, usize)>,
    goes_on: bool,
}

/// Recipe lines begin with a tab; one that ends in a backslash goes on.
fn makefile(bytes: &[u8]) -> Vec<Chunk> {
    let lines = split(bytes);
    let prepared = exports_environment(&lines);
    if lines.iter().any(|line| line.text.starts_with(b".RECIPEPREFIX")) {
        return Vec::new();
    }
    let one_shell = lines.iter().any(|line| line.text.starts_with(b".ONESHELL"));
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut open: Option<Recipe> = None;
    let mut close = |open: &mut Option<Recipe>| {
        if let Some(recipe) = open.take() {
            chunks.push(part(bytes, recipe.start, recipe.end, &recipe.blanks, prepared));
        }
    };
    for line in &lines {
        let goes_on = open.as_ref().is_some_and(|recipe| recipe.goes_on);
        if !line.text.starts_with(b"\t") && !goes_on {
            close(&mut open);
            continue;
        }
        let signs = line.text.iter().take_while(|byte| b"\t @-+".contains(byte)).count();
        let blank = (line.start, line.start + signs);
        if !goes_on && !one_shell {
            close(&mut open);
        }
        let recipe = open.get_or_insert_with(|| Recipe { start: line.start, ..Recipe::default() });
        if !goes_on {
            recipe.blanks.push(blank);
        }
        (recipe.end, recipe.goes_on) = (line.end(), line.goes_on());
    }
    close(&mut open);
    chunks
}

/// Indented lines below a recipe's name; a recipe that begins with `#!` is one script.
fn justfile(bytes: &[u8]) -> Vec<Chunk> {
    let lines = split(bytes);
    let prepared = exports_environment(&lines);
    let mut chunks = Vec::new();
    let mut index = 0;
    while index < lines.len() {
        if lines[index].indent() == 0 || lines[index].is_blank() {
            index += 1;
            continue;
        }
        let first = index;
        while lines.get(index).is_some_and(|line| line.indent() > 0 || line.is_blank()) {
            index += 1;
        }
        let recipe = &lines[first..index];
        if recipe[0].text.trim_ascii().starts_with(b"#!") {
            if super::is_shell(recipe[0].text.trim_ascii()) {
                chunks.push(part(bytes, recipe[0].start, recipe[recipe.len() - 1].end(), &[], prepared));
            }
            continue;
        }
        let mut start = None;
        for line in recipe {
            let from = *start.get_or_insert(line.start);
            if !line.goes_on() {
                let signs = bytes[from..].iter().take_while(|byte| b"\t @-".contains(byte)).count();
                chunks.push(part(bytes, from, line.end(), &[(from, from + signs)], prepared));
                start = None;
            }
        }
    }
    chunks
}

/// `RUN` in its shell form. `ENV` lasts until the next `FROM`; here-documents and the exec form are left alone.
fn dockerfile(bytes: &[u8]) -> Vec<Chunk> {
    let lines = split(bytes);
    let mut chunks = Vec::new();
    let mut prepared = false;
    let mut index = 0;
    while let Some(line) = lines.get(index) {
        let first = index;
        let mut blank = Vec::new();
        while let Some(line) = lines.get(index) {
            let comment = index > first && line.text.trim_ascii_start().starts_with(b"#");
            if comment {
                blank.push((line.start, line.end() + 1));
            }
            index += 1;
            if !comment && !line.goes_on() {
                break;
            }
        }
        let end = lines[index - 1].end();
        let text = line.text.trim_ascii_start();
        let word = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
        let (instruction, rest) = text.split_at(word);
        if instruction.eq_ignore_ascii_case(b"FROM") {
            prepared = false;
        } else if instruction.eq_ignore_ascii_case(b"ENV") {
            let lower = bytes[line.start..end].to_ascii_lowercase();
            prepared |= find(&lower, b"virtual_env").is_some()
                || (find(&lower, b"path").is_some() && find(&lower[3..], b"env").is_some());
        } else if instruction.eq_ignore_ascii_case(b"RUN") {
            let mut start = line.end() - rest.len();
            let mut rest = rest.trim_ascii_start();
            while rest.starts_with(b"--") {
                let word = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
                rest = rest[word..].trim_ascii_start();
            }
            start = start.max(line.end() - rest.len());
            let document = find(&bytes[start..end], b"<<").is_some();
            if document {
                index = behind_document(&lines, index, &bytes[start..end]);
            } else if !rest.starts_with(b"[") {
                chunks.push(part(bytes, start, end, &blank, prepared));
            }
        }
    }
    chunks
}

/// The index of the line behind a here-document.
fn behind_document(lines: &[Line<'_>], from: usize, opening: &[u8]) -> usize {
    let name = opening.split(|byte| *byte == b'<').next_back().unwrap_or_default();
    let name: Vec<u8> = name
        .iter()
        .copied()
        .skip_while(|byte| matches!(byte, b'-' | b'"' | b'\''))
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        .collect();
    let end = lines.iter().skip(from).position(|line| line.text.trim_ascii() == name.as_slice());
    end.map_or(lines.len(), |end| from + end + 1)
}

/// Keys of CI services whose value is a command, a block of commands or a list of them.
const KEYS: [&[u8]; 14] = [
    b"run",
    b"script",
    b"before_script",
    b"after_script",
    b"before_install",
    b"install",
    b"after_success",
    b"command",
    b"commands",
    b"bash",
    b"pip_install_script",
    b"install_script",
    b"test_script",
    b"build_script",
];

/// What puts a Python of the job's own on `PATH`.
const SETUPS: [&[u8]; 4] = [b"setup-python", b"setup-uv", b"setup-miniconda", b"setup-micromamba"];

fn steps(bytes: &[u8]) -> Vec<Chunk> {
    let lines = split(bytes);
    let mut chunks = Vec::new();
    let mut prepared = false;
    let mut index = 0;
    while let Some(line) = lines.get(index) {
        index += 1;
        let (indent, key, value) = entry(line);
        if key == b"steps" || key == b"jobs" {
            prepared = false;
        } else if key == b"uses" {
            prepared |= SETUPS.iter().any(|setup| find(value, setup).is_some());
        }
        if !KEYS.contains(&key) {
            continue;
        }
        let value_start = line.end() - value.len();
        if matches!(value.first(), Some(b'|' | b'>')) {
            index = block(bytes, &lines, index, indent, prepared, &mut chunks);
        } else if !value.is_empty() && !value.starts_with(b"#") {
            chunks.push(scalar(bytes, value_start, line.end(), prepared));
        } else {
            while let Some(item) = lines.get(index) {
                let dash = item.text.get(item.indent()..).and_then(|text| text.strip_prefix(b"- "));
                let Some(text) = dash.filter(|_| item.indent() >= indent) else {
                    if item.is_blank() || item.text.trim_ascii().starts_with(b"#") {
                        index += 1;
                        continue;
                    }
                    break;
                };
                // a step of its own (`- run: ...`), not a command of a list
                if KEYS.contains(&entry(item).1) || entry(item).1 == b"uses" || entry(item).1 == b"name" {
                    break;
                }
                index += 1;
                let text = text.trim_ascii_start();
                if matches!(text.first(), Some(b'|' | b'>')) {
                    index = block(bytes, &lines, index, item.indent(), prepared, &mut chunks);
                } else {
                    chunks.push(scalar(bytes, item.end() - text.len(), item.end(), prepared));
                }
            }
        }
    }
    chunks
}

/// The lines that are indented deeper than `indent`, as one shell's; and the index behind them.
fn block(
    bytes: &[u8],
    lines: &[Line<'_>],
    from: usize,
    indent: usize,
    prepared: bool,
    chunks: &mut Vec<Chunk>,
) -> usize {
    let length = lines.iter().skip(from).take_while(|line| line.is_blank() || line.indent() > indent).count();
    if let (Some(first), Some(last)) = (lines.get(from), lines.get(from + length.saturating_sub(1)))
        && length > 0
    {
        chunks.push(part(bytes, first.start, last.end(), &[], prepared));
    }
    from + length
}

/// A plain or quoted value.
fn scalar(bytes: &[u8], start: usize, end: usize, prepared: bool) -> Chunk {
    let text = bytes.get(start..end).unwrap_or_default().trim_ascii_end();
    match text {
        [open @ (b'"' | b'\''), inner @ .., close] if open == close => Chunk::new(start + 1, inner, prepared),
        _ => Chunk::new(start, text, prepared),
    }
}

/// Indentation (behind `- `), key and value of a line of YAML.
fn entry<'text>(line: &Line<'text>) -> (usize, &'text [u8], &'text [u8]) {
    let mut indent = line.indent();
    let mut text = line.text.get(indent..).unwrap_or_default();
    while let Some(rest) = text.strip_prefix(b"- ") {
        let inner = rest.trim_ascii_start();
        indent += text.len() - inner.len();
        text = inner;
    }
    match text.iter().position(|byte| *byte == b':') {
        Some(colon) if matches!(text.get(colon + 1), None | Some(b' ' | b'\t' | b'\r')) => {
            (indent, &text[..colon], text[colon + 1..].trim_ascii_start())
        }
        _ => (indent, b"", b""),
    }
}

/// Languages of fenced blocks that are a shell's; one without a language may be.
const LANGUAGES: [&[u8]; 10] = [
    b"",
    b"sh",
    b"bash",
    b"shell",
    b"console",
    b"zsh",
    b"shell-session",
    b"shellsession",
    b"terminal",
    b"text",
];

/// Fenced code blocks (CommonMark 4.5) of a shell, without the prompts `$ ` and `% `.
fn fenced(bytes: &[u8]) -> Vec<Chunk> {
    let lines = split(bytes);
    let mut chunks = Vec::new();
    let mut index = 0;
    while let Some(line) = lines.get(index) {
        index += 1;
        let text = line.text.trim_ascii_start();
        let Some(sign) = text.first().copied().filter(|sign| matches!(sign, b'`' | b'~')) else { continue };
        let fence = text.iter().take_while(|byte| **byte == sign).count();
        if fence < 3 {
            continue;
        }
        let language: Vec<u8> = text[fence..]
            .trim_ascii()
            .iter()
            .copied()
            .skip_while(|byte| matches!(byte, b'{' | b'.'))
            .take_while(|byte| !byte.is_ascii_whitespace() && !b",{}".contains(byte))
            .collect();
        let heading = index;
        let first = index;
        while lines.get(index).is_some_and(|line| {
            let text = line.text.trim_ascii();
            !(text.len() >= fence && text.iter().all(|byte| *byte == sign))
        }) {
            index += 1;
        }
        let inside = lines.get(first..index).unwrap_or_default();
        index += 1;
        let Some(end) = inside.last().map(Line::end) else { continue };
        if !LANGUAGES.contains(&language.to_ascii_lowercase().as_slice()) {
            continue;
        }
        chunks.push(Chunk::with_prompts(bytes, inside[0].start, end, inside, heading));
    }
    chunks
}
