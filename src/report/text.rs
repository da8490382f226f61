//! Text on a terminal: widths, wrapping, styles, and paths as a person would say them.

use std::borrow::Cow;
use std::fmt::Display;

use owo_colors::{OwoColorize, Style};

use crate::diagnosis::Severity;
use crate::facts::Facts;
use crate::path::HostPath;
use crate::report::sanitize;

/// A space that a line is not broken at; shown as a plain one.
pub const NO_BREAK: char = '\u{a0}';

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    text.chars().map(letter_width).sum()
}

fn letter_width(letter: char) -> usize {
    match u32::from(letter) {
        0x300..=0x36f | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// Lines of at most `columns` (the first of at most `first`), broken at spaces; a longer word has a line of its own.
fn wrap(text: &str, first: usize, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut current = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let limit = if lines.is_empty() { first } else { columns };
        let space = usize::from(!current.is_empty());
        let follows = space > 0 || (lines.is_empty() && first < columns);
        if follows && width(&current) + space + width(word) > limit {
            lines.push(std::mem::take(&mut current));
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    lines.push(current);
    lines.iter().map(|line| line.replace(NO_BREAK, " ")).collect()
}

/// What stands before the first line of a paragraph, and how far its other lines are indented.
pub struct Margin {
    first: String,
    /// Columns of `first`, which may hold escapes for colour.
    width: usize,
    indent: usize,
}

impl Margin {
    pub fn new(first: impl Into<String>, width: usize, indent: usize) -> Margin {
        Margin { first: first.into(), width, indent }
    }

    /// The same for every line.
    pub fn spaces(indent: usize) -> Margin {
        Margin::new(" ".repeat(indent), indent, indent)
    }

    /// A paragraph of at most `columns`, with its last line end.
    pub fn paragraph(&self, text: &str, columns: usize) -> String {
        const LEAST: usize = 20;
        let rest = columns.saturating_sub(self.indent).max(LEAST);
        let first = if self.width <= self.indent { rest } else { columns.saturating_sub(self.width) };
        let lines = wrap(text, first, rest);
        let mut shown = String::new();
        for (index, line) in lines.iter().enumerate() {
            let line = if index == 0 {
                format!("{}{line}", self.first)
            } else {
                format!("{}{line}", " ".repeat(self.indent))
            };
            shown.push_str(line.trim_end());
            shown.push('\n');
        }
        shown
    }
}

/// `1 file`, `2 files`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A page with a bar before what a log of GitHub Actions would take for a command: a line that begins with `::`,
/// whatever space stands before it.
pub fn without_workflow_commands(text: &str) -> Cow<'_, str> {
    if !text.contains("::") {
        return Cow::Borrowed(text);
    }
    let lines = text.split_inclusive('\n').map(|line| {
        let rest = line.trim_start();
        let margin = &line[..line.len() - rest.len()];
        if rest.starts_with("::") { format!("{margin}| {rest}") } else { line.to_owned() }
    });
    Cow::Owned(lines.collect())
}

/// Colours, or none.
#[derive(Clone, Copy)]
pub struct Styles {
    color: bool,
}

impl Styles {
    pub fn new(color: bool) -> Styles {
        Styles { color }
    }

    fn paint(self, style: Style, text: impl Display) -> String {
        if self.color { text.style(style).to_string() } else { text.to_string() }
    }

    pub fn severity(self, severity: Severity, text: impl Display) -> String {
        let style = match severity {
            Severity::Error => Style::new().red().bold(),
            Severity::Warning => Style::new().yellow().bold(),
            Severity::Info => Style::new().cyan(),
        };
        self.paint(style, text)
    }

    pub fn strong(self, text: impl Display) -> String {
        self.paint(Style::new().bold(), text)
    }

    pub fn command(self, text: impl Display) -> String {
        self.paint(Style::new().green(), text)
    }

    pub fn faint(self, text: impl Display) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    pub fn good(self, text: impl Display) -> String {
        self.paint(Style::new().green().bold(), text)
    }
}

/// The places that paths are told from.
pub struct Places {
    home: Option<String>,
    working_directory: Option<String>,
}

impl Places {
    /// Paths are told from the home directory alone.
    pub fn of_home(home: Option<&HostPath>) -> Places {
        let home = home.map(HostPath::normalized).filter(|home| home.parent().is_some());
        Places { home: home.map(|home| home.to_text().into_owned()), working_directory: None }
    }

    pub fn of(facts: &Facts) -> Places {
        let text = |path: &Option<HostPath>| {
            let path = path.as_ref().map(HostPath::normalized)?;
            path.parent()?;
            Some(path.to_text().into_owned())
        };
        Places { home: text(&facts.home), working_directory: text(&facts.working_directory) }
    }

    /// A sentence: paths below the working directory as seen from there, others below the home directory as `~/...`.
    pub fn prose(&self, text: &str) -> String {
        let shorter = match &self.working_directory {
            Some(directory) => replace_prefix(text, directory, ""),
            None => text.to_owned(),
        };
        self.value(&shorter)
    }

    /// An observed value and, in brackets behind it, the place where it stands: that one is prose.
    pub fn evidence(&self, text: &str) -> String {
        match text.rfind(" (").filter(|_| text.ends_with(')')) {
            Some(at) if !text.contains('~') => {
                let (value, place) = text.split_at(at);
                self.value(value) + &self.prose(place)
            }
            _ => self.value(text),
        }
    }

    /// An observed value: what is relative or starts with `~` there must not be mistaken for our shortening.
    pub fn value(&self, text: &str) -> String {
        let shorter = match &self.home {
            Some(home) if !text.contains('~') => replace_prefix(text, home, "~"),
            _ => text.to_owned(),
        };
        sanitize::shown(&shorter)
    }
}

/// Replaces `directory` by `short` where a path starts with it; without `short` only where something follows.
fn replace_prefix(text: &str, directory: &str, short: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(directory) {
        let (before, found) = rest.split_at(at);
        let after = &found[directory.len()..];
        let last = before.chars().next_back().or(shown.chars().next_back());
        let starts = last.is_none_or(|letter| letter.is_whitespace() || "'\"`(=,;:".contains(letter));
        let follows = after.strip_prefix(['/', '\\']).and_then(|name| name.chars().next());
        let named = follows.is_some_and(|letter| !letter.is_whitespace() && !"'\"`),;:/\\".contains(letter));
        let ends = after
            .chars()
            .next()
            .is_none_or(|letter| letter.is_whitespace() || "/\\'\"`),;:".contains(letter));
        shown.push_str(before);
        if starts && short.is_empty() && named {
            rest = &after[1..];
        } else if starts && !short.is_empty() && ends {
            shown.push_str(short);
            rest = after;
        } else {
            shown.push_str(directory);
            rest = after;
        }
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        Places { home: Some("/home/me".into()), working_directory: Some("/home/me/p".into()) }
    }

    #[test]
    fn paths_are_told_from_here_and_from_home() {
        let prose = |text: &str| places().prose(text);
        assert_eq!(prose("/home/me/p/.venv was made in /home/me/old"), ".venv was made in ~/old");
        assert_eq!(prose("/home/me/p and /home/me"), "~/p and ~");
        assert_eq!(
            prose("/home/me/p2/x and /home/merry and /x/home/me/p/a"),
            "~/p2/x and /home/merry and /x/home/me/p/a"
        );
        assert_eq!(prose("home=/home/me/p/bin/:/home/me/p/"), "home=bin/:~/p/");
        assert_eq!(places().evidence("/home/me/p/.venv"), "~/p/.venv");
        assert_eq!(places().evidence("/home/me/p/x (line 1 of /home/me/p/y)"), "~/p/x (line 1 of y)");
        assert_eq!(places().evidence("~/bin, that is /home/me/bin"), "~/bin, that is /home/me/bin");
    }

    #[test]
    fn lines_break_at_spaces_alone() {
        assert_eq!(wrap("one two three", 7, 7), ["one two", "three"]);
        assert_eq!(wrap("/a/very/long/path is", 7, 7), ["/a/very/long/path", "is"]);
        assert_eq!(wrap("a\u{a0}b c", 3, 3), ["a b", "c"]);
        assert_eq!(wrap("漢字 漢字", 5, 5), ["漢字", "漢字"]);
        assert_eq!(wrap("", 5, 5), [""]);
        assert_eq!(wrap("long word", 3, 9), ["", "long word"]);
        assert_eq!(Margin::new("x: ", 3, 3).paragraph("one two", 6), "x: one two\n");
        assert_eq!(
            Margin::new("x: ", 3, 3).paragraph("aaaaaaaaaa bbbbbbbbbb cc", 23),
            "x: aaaaaaaaaa\n   bbbbbbbbbb cc\n"
        );
        assert_eq!(Margin::new("label: ", 7, 2).paragraph("aa bbbbbb", 12), "label: aa\n  bbbbbb\n");
    }
}
