//! Shell start-up files, read as text: aliases and functions for the names of Python's programs, and lines
//! that put a directory on `PATH`. A reading, not an execution: what cannot be told is left out.

use serde::{Deserialize, Serialize};

/// The names whose aliases and functions matter.
const NAMES: [&str; 8] = ["python", "python3", "pip", "pip3", "activate", "deactivate", "python2", "pytest"];
const LINE_LIMIT: usize = 4_096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// sh, bash, zsh
    Posix,
    Fish,
    Csh,
}

/// Something that a line does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statement {
    Alias {
        name: String,
        value: String,
    },
    Function {
        name: String,
    },
    /// A directory that goes to the front of `PATH`, as written: `$HOME/.pyenv/shims`.
    PutFirst {
        directory: String,
    },
    /// `eval "$(pyenv init -)"` and its like: the tool's name.
    Hook {
        tool: String,
    },
    /// Another file that is read here.
    Source {
        file: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Located {
    pub line: usize,
    pub text: String,
    /// The `if` or `case` line that it stands under.
    pub condition: Option<String>,
    pub statement: Statement,
}

/// What the file's lines do, in order.
pub fn parse(syntax: Syntax, bytes: &[u8]) -> Vec<Located> {
    let mut found = Vec::new();
    let mut conditions: Vec<String> = Vec::new();
    for (line, raw) in super::lines(bytes) {
        if raw.len() > LINE_LIMIT {
            continue;
        }
        let text = crate::path::readable(raw).trim().to_owned();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let first = text.split_whitespace().next().unwrap_or_default();
        match first {
            "if" | "case" | "for" | "while" | "switch" if !closes_itself(&text) => {
                conditions.push(text.clone())
            }
            "fi" | "esac" | "done" => {
                conditions.pop();
            }
            "end" | "endif" | "endsw" if syntax != Syntax::Posix => {
                conditions.pop();
            }
            _ => {}
        }
        for statement in statements(syntax, &text) {
            if syntax == Syntax::Fish && matches!(statement, Statement::Function { .. }) {
                conditions.push(text.clone());
            }
            found.push(Located {
                line,
                text: text.clone(),
                condition: conditions.last().filter(|condition| **condition != text).cloned(),
                statement,
            });
        }
    }
    found
}

/// `if ...; then ...; fi` on one line.
fn closes_itself(text: &str) -> bool {
    let last = text.trim_end_matches(';').split_whitespace().next_back().unwrap_or_default();
    matches!(last, "fi" | "esac" | "done" | "end" | "endif")
}

fn statements(syntax: Syntax, text: &str) -> Vec<Statement> {
    let mut found = Vec::new();
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["alias", ..] => found.extend(alias(syntax, text.trim_start_matches("alias").trim_start())),
        ["function", name, ..] => found.extend(function(name)),
        ["source" | ".", file, ..] => found.push(Statement::Source { file: unquoted(file) }),
        ["fish_add_path", rest @ ..] if syntax == Syntax::Fish => {
            let directories = rest.iter().filter(|word| !word.starts_with('-'));
            found.extend(directories.map(|word| Statement::PutFirst { directory: unquoted(word) }));
        }
        [first, ..] if syntax == Syntax::Posix && first.contains("()") => {
            found.extend(function(first));
        }
        [first, "()" | "(){", ..] if syntax == Syntax::Posix => found.extend(function(first)),
        _ => {}
    }
    found.extend(path_assignment(syntax, text));
    found.extend(hook(text));
    found
}

fn function(word: &str) -> Option<Statement> {
    let name = word.split(['(', '{', ';']).next()?;
    NAMES.contains(&name).then(|| Statement::Function { name: name.to_owned() })
}

/// `name=value`, in fish and csh `name value`.
fn alias(syntax: Syntax, rest: &str) -> Option<Statement> {
    let rest = rest.strip_prefix("-- ").unwrap_or(rest).trim_start();
    let end = rest.find(|letter: char| letter == '=' || letter.is_whitespace())?;
    let (name, behind) = rest.split_at(end);
    if !NAMES.contains(&name) {
        return None;
    }
    let value = match behind.strip_prefix('=') {
        Some(value) => value,
        None if syntax != Syntax::Posix => behind.trim_start(),
        None => return None,
    };
    let value = quoted_word(value, syntax != Syntax::Posix);
    (!value.is_empty()).then(|| Statement::Alias { name: name.to_owned(), value })
}

/// The first word with its quotes removed; without quotes up to the first blank or `;`, or all of the line.
fn quoted_word(text: &str, whole_line: bool) -> String {
    let text = text.trim();
    if let Some(quote @ ('\'' | '"')) = text.chars().next() {
        return text[1..].split(quote).next().unwrap_or_default().to_owned();
    }
    if whole_line {
        return text.trim_end_matches(';').to_owned();
    }
    text.split([' ', '\t', ';', '#']).next().unwrap_or_default().to_owned()
}

fn unquoted(word: &str) -> String {
    word.trim_end_matches(';').trim_matches(['"', '\'']).to_owned()
}

/// `export PATH="DIRECTORY:...:$PATH"`, `set -gx PATH DIRECTORY $PATH`, `path=(DIRECTORY $path)`.
fn path_assignment(syntax: Syntax, text: &str) -> Vec<Statement> {
    let put = |directory: &str| {
        let directory = unquoted(directory);
        (!directory.is_empty()).then_some(Statement::PutFirst { directory })
    };
    if syntax == Syntax::Fish || syntax == Syntax::Csh {
        let names_path = |word: &&str| word.eq_ignore_ascii_case("path");
        let words: Vec<&str> = text.split_whitespace().map(|word| word.trim_matches(['(', ')'])).collect();
        let (Some("set" | "setenv"), Some(at)) = (words.first().copied(), words.iter().position(names_path))
        else {
            return Vec::new();
        };
        let before_old =
            words[at + 1..].iter().take_while(|word| !word.to_ascii_lowercase().contains("$path"));
        return before_old.filter(|word| **word != "=").filter_map(|word| put(word)).collect();
    }
    let assignment = text.strip_prefix("export ").unwrap_or(text).trim_start();
    if let Some(list) = assignment.strip_prefix("path=(") {
        let before_old =
            list.trim_end_matches(')').split_whitespace().take_while(|word| !word.contains("$path"));
        return before_old.filter_map(put).collect();
    }
    let Some(value) = assignment.strip_prefix("PATH=") else { return Vec::new() };
    let value = quoted_word(value, false);
    let before_old = value.split(':').take_while(|part| *part != "$PATH" && *part != "${PATH}");
    if !value.contains("$PATH") && !value.contains("${PATH") {
        return Vec::new();
    }
    before_old.filter(|part| !part.contains("PATH")).filter_map(put).collect()
}

/// `eval "$(pyenv init -)"`, `pyenv init - | source`, `mise activate`, `conda initialize`.
fn hook(text: &str) -> Option<Statement> {
    let tool = [
        ("pyenv", "pyenv init"),
        ("pyenv", "pyenv virtualenv-init"),
        ("mise", "mise activate"),
        ("asdf", "asdf.sh"),
        ("conda", "conda shell."),
        ("conda", "conda.sh"),
        ("rtx", "rtx activate"),
    ]
    .into_iter()
    .find(|(_, words)| text.contains(words))?
    .0;
    Some(Statement::Hook { tool: tool.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(syntax: Syntax, text: &str) -> Vec<Statement> {
        parse(syntax, text.as_bytes()).into_iter().map(|located| located.statement).collect()
    }

    #[test]
    fn aliases_of_each_shell() {
        let alias = |value: &str| Statement::Alias { name: "python".into(), value: value.into() };
        assert_eq!(of(Syntax::Posix, "alias python='/usr/bin/python3'"), [alias("/usr/bin/python3")]);
        assert_eq!(of(Syntax::Posix, "  alias python=python3 # same"), [alias("python3")]);
        assert_eq!(of(Syntax::Fish, "alias python /usr/bin/python3"), [alias("/usr/bin/python3")]);
        assert_eq!(of(Syntax::Fish, "alias python='/usr/bin/python3 -q'"), [alias("/usr/bin/python3 -q")]);
        assert_eq!(of(Syntax::Csh, "alias python /usr/bin/python3"), [alias("/usr/bin/python3")]);
        assert_eq!(of(Syntax::Posix, "# alias python=x\nalias ll='ls -l'\necho alias python=x"), []);
    }

    #[test]
    fn functions_and_conditions() {
        let found = parse(
            Syntax::Posix,
            b"if [ -d ~/work ]; then\n  python() { /usr/bin/python3 \"$@\"; }\nfi\nalias pip=pip3\n",
        );
        assert_eq!(found[0].statement, Statement::Function { name: "python".into() });
        assert_eq!((found[0].line, found[0].condition.as_deref()), (2, Some("if [ -d ~/work ]; then")));
        assert_eq!(found[1].condition, None);
    }

    #[test]
    fn directories_that_go_first() {
        let first = |directory: &str| Statement::PutFirst { directory: directory.into() };
        assert_eq!(
            of(Syntax::Posix, r#"export PATH="$HOME/.pyenv/shims:$HOME/bin:$PATH""#),
            [first("$HOME/.pyenv/shims"), first("$HOME/bin")]
        );
        assert_eq!(of(Syntax::Posix, "PATH=$PATH:/opt/bin"), []);
        assert_eq!(of(Syntax::Posix, "export PATH=/usr/bin:/bin"), []);
        assert_eq!(of(Syntax::Posix, "path=(~/.local/bin $path)"), [first("~/.local/bin")]);
        assert_eq!(of(Syntax::Fish, "set -gx PATH /opt/bin $PATH"), [first("/opt/bin")]);
        assert_eq!(of(Syntax::Fish, "fish_add_path -p ~/.local/bin"), [first("~/.local/bin")]);
        assert_eq!(of(Syntax::Csh, "set path = ( /opt/bin $path )"), [first("/opt/bin")]);
    }

    #[test]
    fn hooks_and_other_files() {
        assert_eq!(
            of(Syntax::Posix, r#"eval "$(pyenv init -)""#),
            [Statement::Hook { tool: "pyenv".into() }]
        );
        assert_eq!(
            of(Syntax::Posix, ". ~/.bash_aliases"),
            [Statement::Source { file: "~/.bash_aliases".into() }]
        );
    }

    #[test]
    fn survives_anything() {
        for seed in 0..200 {
            for syntax in [Syntax::Posix, Syntax::Fish, Syntax::Csh] {
                parse(syntax, &super::super::noise(seed, 300));
            }
        }
        assert_eq!(of(Syntax::Posix, "alias\nalias python\nalias python=\nalias python='"), []);
    }
}
