//! The commands of one line, what they depend on, and the bodies of functions.

use super::Syntax;

/// A simple command of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command<'text> {
    pub text: &'text str,
    /// What stands before it on the line and decides whether it runs: `[ -f ~/.aliases ] &&`.
    pub condition: Option<&'text str>,
}

/// Words that may stand before a command.
const LEADERS: [&str; 8] = ["then", "do", "else", "and", "or", "builtin", "{", "time"];

/// Splits a line where `;`, `&&` and `||` stand outside quotes, parentheses and `[[ ]]`.
pub(super) fn commands(syntax: Syntax, text: &str) -> Vec<Command<'_>> {
    let mut found: Vec<Command<'_>> = Vec::new();
    let (mut chain, mut blocks) = (0, 0_usize);
    for piece in pieces(text) {
        let whole = &text[piece.start..piece.end];
        let mut start = piece.start + whole.len() - whole.trim_start().len();
        let mut command = whole.trim();
        let mut first = first_word(command);
        if blocks == 0 && piece.after_semicolon && !matches!(first, "and" | "or") {
            chain = start;
        }
        if matches!(first, "fi" | "done" | "esac" | "end") {
            blocks = blocks.saturating_sub(1);
            chain = start;
            continue;
        }
        while LEADERS.contains(&first) {
            let rest = command[first.len()..].trim_start();
            start += command.len() - rest.len();
            command = rest;
            first = first_word(command);
        }
        if matches!(first, "if" | "while" | "until" | "for" | "case" | "switch") {
            if let (Syntax::Csh, Some(end)) = (syntax, command.rfind(") ")) {
                // if (CONDITION) COMMAND
                let (condition, rest) = command.split_at(end + 1);
                if rest.trim() != "then" {
                    found.push(Command { text: rest.trim(), condition: Some(condition) });
                }
            } else {
                blocks += 1;
            }
            continue;
        }
        let before = text[chain.min(start)..start].trim();
        let condition = (!before.is_empty() && !LEADERS.contains(&before)).then_some(before);
        if !command.is_empty() {
            found.push(Command { text: command, condition });
        }
    }
    found
}

struct Piece {
    start: usize,
    end: usize,
    /// Not after `&&` or `||`.
    after_semicolon: bool,
}

impl Piece {
    fn text<'text>(&self, line: &'text str) -> &'text str {
        line[self.start..self.end].trim()
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut piece = Piece { start: 0, end: 0, after_semicolon: true };
    let (mut quote, mut depth, mut tests) = (None, 0_usize, 0_usize);
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let blank_before = at == 0 || matches!(bytes[at - 1], b' ' | b'\t' | b';');
        let mut length = 1;
        match (quote, byte) {
            (Some(b'"') | None, b'\\') => length = 2,
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"' | b'`') => quote = Some(byte),
            (None, b'(') => depth += 1,
            (None, b')') => depth = depth.saturating_sub(1),
            (None, b'[') if blank_before && bytes.get(at + 1) == Some(&b'[') => tests += 1,
            (None, b']') if blank_before && bytes.get(at + 1) == Some(&b']') => {
                tests = tests.saturating_sub(1)
            }
            (None, b'#') if blank_before => break,
            (None, b';' | b'&' | b'|') if depth == 0 && tests == 0 => {
                let double = byte != b';' && bytes.get(at + 1) == Some(&byte);
                let redirects = byte == b'&'
                    && (bytes.get(at + 1) == Some(&b'>') || at > 0 && matches!(bytes[at - 1], b'>' | b'<'));
                length = 1 + usize::from(double);
                // a pipe's second command is not the shell's own
                if double || byte == b';' || byte == b'&' && !redirects {
                    piece.end = at;
                    let next = Piece { start: at + length, end: 0, after_semicolon: !double };
                    found.push(std::mem::replace(&mut piece, next));
                }
            }
            _ => {}
        }
        at += length;
    }
    piece.end = at.min(text.len()).max(piece.start);
    found.push(piece);
    found
}

pub(super) fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

/// Whether a condition only asks for the file that it guards: `[ -f FILE ] &&`, `if [[ -r FILE ]]; then`,
/// `[ ! -e FILE ] ||`.
pub(super) fn only_asks_for(condition: &str, file: &str) -> bool {
    let or = condition.trim_end().ends_with("||");
    condition.split_whitespace().all(|word| {
        let word = word.trim_matches(['(', ')', ';', '"', '\'']);
        let word = if word.starts_with("$") { word.trim_matches(['"', '\'']) } else { word };
        word == file
            || matches!(
                word,
                "" | "if" | "then" | "[" | "]" | "[[" | "]]" | "test" | "&&" | "-a" | "-f" | "-r"
            )
            || matches!(word, "-e" | "-s" | "||" | "and" | "{")
            || (word == "!" && or)
    })
}

/// Whether a condition only asks whether a person sits at the shell, who alone has aliases.
pub(super) fn only_asks_for_a_person(condition: &str) -> bool {
    let words: Vec<&str> = condition.split_whitespace().map(|word| word.trim_end_matches(';')).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !matches!(*word, "if" | "then")).collect();
    match words.as_slice() {
        ["status", "is-interactive" | "--is-interactive" | "-i"] => true,
        ["[" | "[[", "-n", variable, "]" | "]]"] => {
            matches!(variable.trim_matches('"'), "$PS1" | "${PS1}" | "$BASH_VERSION" | "$ZSH_VERSION")
        }
        ["[[", flags, "==" | "=" | "=~", letter, "]]"] => {
            flags.trim_matches('"') == "$-" && letter.contains('i')
        }
        ["[[", "-o", "interactive", "]]"] => true,
        ["case", flags, "in"] => flags.trim_matches('"') == "$-",
        _ => false,
    }
}

/// The name that a line defines a function of, and what follows the head.
pub(super) fn definition(syntax: Syntax, text: &str) -> Option<(&str, &str)> {
    let keyword = text.strip_prefix("function").filter(|rest| rest.starts_with([' ', '\t']));
    if syntax == Syntax::Fish {
        let rest = keyword?.trim_start();
        let end = rest.find(|letter: char| letter.is_whitespace() || letter == ';').unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        // its options stand between the name and the body
        let body = pieces(rest).get(1).map_or("", |piece| &rest[piece.start..]);
        return Some((name, body));
    }
    if syntax == Syntax::Csh {
        return None;
    }
    let rest = keyword.map_or(text, str::trim_start);
    let is_of_name = |letter: char| letter.is_alphanumeric() || "_-.:+@".contains(letter);
    let end = rest.find(|letter| !is_of_name(letter)).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let rest = rest.trim_start();
    let brackets = rest.strip_prefix('(').and_then(|rest| rest.trim_start().strip_prefix(')'));
    if name.is_empty() || (keyword.is_none() && brackets.is_none()) {
        return None;
    }
    Some((name, brackets.unwrap_or(rest).trim()))
}

/// The body of a function that is being read.
#[derive(Debug)]
pub(super) struct Body {
    syntax: Syntax,
    /// Blocks that are open.
    depth: usize,
    /// It has begun.
    open: bool,
    /// Its lines, without comments.
    pub lines: Vec<String>,
}

/// What a line was to a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Goes,
    Ends,
    /// It is no body after all.
    Abandoned,
}

impl Body {
    pub fn new(syntax: Syntax) -> Body {
        let fish = syntax == Syntax::Fish;
        Body { syntax, depth: usize::from(fish), open: fish, lines: Vec::new() }
    }

    /// What follows the head on its line, then line after line. `indented`: the line begins with a blank.
    pub fn take(&mut self, text: &str, indented: bool) -> Progress {
        if text.is_empty() || text.starts_with('#') {
            return Progress::Goes;
        }
        match self.syntax {
            Syntax::Fish => self.take_fish(text),
            _ => self.take_posix(text, indented),
        }
    }

    fn take_posix(&mut self, text: &str, indented: bool) -> Progress {
        let text = match (self.open, text.strip_prefix('{')) {
            (true, _) => text,
            (false, Some(rest)) => {
                self.open = true;
                self.depth = 1;
                rest
            }
            (false, None) => return Progress::Abandoned,
        };
        if !indented && text.starts_with('}') {
            return Progress::Ends;
        }
        let mut kept: Vec<&str> = Vec::new();
        for word in text.split_whitespace() {
            if word.starts_with('#') {
                break;
            }
            let closes = word.trim_end_matches([';', '&', '|', ')']);
            if word == "{" || word.ends_with("){") {
                self.depth += 1;
            } else if closes == "}" || closes.ends_with(";}") {
                self.depth -= 1;
                if self.depth == 0 {
                    kept.push(closes.trim_end_matches('}'));
                    self.keep(&kept.join(" "));
                    return Progress::Ends;
                }
            }
            kept.push(word);
        }
        self.keep(&kept.join(" "));
        Progress::Goes
    }

    fn take_fish(&mut self, text: &str) -> Progress {
        for piece in pieces(text) {
            match first_word(piece.text(text)) {
                "if" | "for" | "while" | "switch" | "begin" | "function" => self.depth += 1,
                "end" => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        self.keep(&text[..piece.start]);
                        return Progress::Ends;
                    }
                }
                _ => {}
            }
        }
        self.keep(text);
        Progress::Goes
    }

    fn keep(&mut self, text: &str) {
        let text = text.trim().trim_end_matches(';').trim_end();
        if !text.is_empty() {
            self.lines.push(text.to_owned());
        }
    }

    /// The first line that makes it do this or that.
    pub fn branch(&self) -> Option<&str> {
        const BRANCHES: [&str; 9] = ["if", "case", "switch", "while", "for", "and", "or", "[", "[["];
        let decides = |line: &&String| {
            line.contains("&&")
                || line.contains("||")
                || pieces(line).iter().any(|piece| BRANCHES.contains(&first_word(piece.text(line))))
        };
        self.lines.iter().find(decides).map(String::as_str)
    }
}
