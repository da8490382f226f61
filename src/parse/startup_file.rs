//! Shell start-up files, read as text: aliases and functions for the names of Python's programs, and lines
//! that put a directory on `PATH`. A reading, not an execution: what cannot be told is left out.

mod commands;

use serde::{Deserialize, Serialize};

use commands::{Body, Progress};

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
        /// Its commands, with `; ` between them.
        body: String,
    },
    /// `NAME=VALUE`, `export NAME=VALUE`, `set -gx NAME VALUE`, and nothing decides over it: the value as written,
    /// without quotes.
    Assign {
        name: String,
        value: String,
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
    /// What decides over it: the `if` or `case` line that it stands under, or the part of the line before it; of a
    /// function, the first line of its body that does one thing or another. A question for the file that is
    /// read here, or for a person at the shell, is none.
    pub condition: Option<String>,
    pub statement: Statement,
}

/// What the file's lines do, in order. What stands in a function's body is done when it is called, not here.
pub fn parse(syntax: Syntax, bytes: &[u8]) -> Vec<Located> {
    let mut parser = Parser { syntax, found: Vec::new(), conditions: Vec::new(), function: None };
    for (line, raw) in super::lines(bytes) {
        if raw.len() <= LINE_LIMIT {
            let text = crate::path::readable(raw);
            parser.line(line, text.trim(), raw.first().is_some_and(u8::is_ascii_whitespace));
        }
    }
    parser.found
}

struct Parser {
    syntax: Syntax,
    found: Vec<Located>,
    /// The blocks that are open; None: one that decides nothing.
    conditions: Vec<Option<String>>,
    function: Option<(Located, Body)>,
}

impl Parser {
    fn line(&mut self, line: usize, text: &str, indented: bool) {
        if self.function.is_some() {
            return self.function_goes_on(text, indented);
        }
        if text.is_empty() || text.starts_with('#') {
            return;
        }
        if let Some((name, rest)) = commands::definition(self.syntax, text) {
            let statement = Statement::Function { name: name.to_owned(), body: String::new() };
            let condition = self.condition();
            let located = Located { line, text: text.to_owned(), condition, statement };
            self.function = Some((located, Body::new(self.syntax)));
            return self.function_goes_on(rest, true);
        }
        let outer: Vec<String> = self.conditions.iter().rev().flatten().cloned().collect();
        self.block(text);
        for command in commands::commands(self.syntax, text) {
            for statement in statements(self.syntax, command.text) {
                let decides = |condition: &str| match &statement {
                    Statement::Source { file } => !commands::only_asks_for(condition, file),
                    _ => true,
                };
                let own = command.condition.filter(|own| decides(own)).map(str::to_owned);
                let condition = own.or_else(|| outer.iter().find(|outer| decides(outer)).cloned());
                if condition.is_none() || !matches!(statement, Statement::Assign { .. }) {
                    self.found.push(Located { line, text: text.to_owned(), condition, statement });
                }
            }
        }
    }

    /// Opens and closes the blocks that go over several lines.
    fn block(&mut self, text: &str) {
        let opens = match commands::first_word(text) {
            "if" if self.syntax == Syntax::Csh => text.ends_with("then"),
            "if" | "case" | "for" | "while" | "switch" | "until" => !closes_itself(text),
            "begin" | "foreach" => self.syntax != Syntax::Posix && !closes_itself(text),
            "fi" | "esac" | "done" if self.syntax == Syntax::Posix => {
                self.conditions.pop();
                false
            }
            "end" | "endif" | "endsw" if self.syntax != Syntax::Posix => {
                self.conditions.pop();
                false
            }
            _ => false,
        };
        if opens {
            let decides = !text.starts_with("begin") && !commands::only_asks_for_a_person(text);
            self.conditions.push(decides.then(|| text.to_owned()));
        }
    }

    /// The innermost that decides.
    fn condition(&self) -> Option<String> {
        self.conditions.iter().rev().flatten().next().cloned()
    }

    fn function_goes_on(&mut self, text: &str, indented: bool) {
        let Some((_, body)) = &mut self.function else { return };
        match body.take(text, indented) {
            Progress::Goes => {}
            Progress::Abandoned => self.function = None,
            Progress::Ends => {
                let Some((mut located, read)) = self.function.take() else { return };
                if let Statement::Function { name, body } = &mut located.statement
                    && NAMES.contains(&name.as_str())
                {
                    *body = read.lines.join("; ");
                    located.condition = located.condition.or_else(|| read.branch().map(str::to_owned));
                    self.found.push(located);
                }
            }
        }
    }
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
        ["source" | ".", file, ..] => found.push(Statement::Source { file: unquoted(file) }),
        ["fish_add_path", rest @ ..] if syntax == Syntax::Fish => {
            let directories = rest.iter().filter(|word| !word.starts_with('-'));
            found.extend(directories.map(|word| Statement::PutFirst { directory: unquoted(word) }));
        }
        _ => {}
    }
    found.extend(path_assignment(syntax, text));
    found.extend(assignment(syntax, text));
    found.extend(hook(text));
    found
}

/// A variable other than `PATH`; other variables may name the places of files.
fn assignment(syntax: Syntax, text: &str) -> Option<Statement> {
    let mut words = text.split_whitespace();
    let (name, value) = match syntax {
        Syntax::Posix => {
            let exports = ["export", "typeset", "declare"].contains(&commands::first_word(text));
            let text = if exports {
                text.split_once(char::is_whitespace)?.1.trim_start().trim_start_matches("-x ").trim_start()
            } else {
                text
            };
            let (name, value) = text.split_once('=')?;
            // `NAME=VALUE COMMAND` is for that command alone
            let plain = value.starts_with(['"', '\'']) || !value.trim().contains([' ', '\t']);
            (name, plain.then(|| quoted_word(value, false))?)
        }
        Syntax::Fish => {
            let mut rest = words.by_ref().skip_while(|word| *word == "set" || word.starts_with('-'));
            (rest.next().filter(|_| text.starts_with("set "))?, unquoted(rest.next()?))
        }
        Syntax::Csh => match (words.next()?, words.next()?, words.next()?) {
            ("setenv", name, value) => (name, unquoted(value)),
            _ => return None,
        },
    };
    let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (named && !name.eq_ignore_ascii_case("path") && !value.is_empty())
        .then(|| Statement::Assign { name: name.to_owned(), value })
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

    fn function(name: &str, body: &str) -> Statement {
        Statement::Function { name: name.into(), body: body.into() }
    }

    /// The statements with what decides over them.
    fn conditional(syntax: Syntax, text: &str) -> Vec<(Statement, Option<String>)> {
        parse(syntax, text.as_bytes()).into_iter().map(|it| (it.statement, it.condition)).collect()
    }

    #[test]
    fn functions_and_conditions() {
        let found = parse(
            Syntax::Posix,
            b"if [ -d ~/work ]; then\n  python() { /usr/bin/python3 \"$@\"; }\nfi\nalias pip=pip3\n",
        );
        assert_eq!(found[0].statement, function("python", "/usr/bin/python3 \"$@\""));
        assert_eq!((found[0].line, found[0].condition.as_deref()), (2, Some("if [ -d ~/work ]; then")));
        assert_eq!(found[1].condition, None);
    }

    #[test]
    fn functions_over_several_lines() {
        for text in [
            "python3() {\n  /usr/bin/python3 \"$@\"\n}\nalias pip=x",
            "function python3 {\n  # the system's\n\n  /usr/bin/python3 \"$@\"; }\nalias pip=x",
            "python3 ()\n{\n    /usr/bin/python3 \"$@\"\n}; export X\nalias pip=x",
            "function python3() { /usr/bin/python3 \"$@\";}\nalias pip=x",
        ] {
            let found = parse(Syntax::Posix, text.as_bytes());
            assert_eq!(found[0].statement, function("python3", "/usr/bin/python3 \"$@\""), "{text}");
            assert_eq!((found[0].line, &found[0].condition), (1, &None));
            assert_eq!(found[1].statement, Statement::Alias { name: "pip".into(), value: "x".into() });
        }
        for text in [
            "function python --wraps=x --description 'alias python x'\n  /usr/bin/python3 $argv\nend",
            "function python; /usr/bin/python3 $argv; end",
        ] {
            assert_eq!(of(Syntax::Fish, text), [function("python", "/usr/bin/python3 $argv")], "{text}");
        }
    }

    #[test]
    fn what_a_function_would_do_is_not_done() {
        assert_eq!(
            of(Syntax::Posix, "work() {\n  alias python=/usr/bin/python3\n  if x; then\n    y\n  fi\n}"),
            []
        );
        assert_eq!(of(Syntax::Posix, "mk() { python -m venv v; source v/bin/activate; }"), []);
        assert_eq!(
            of(Syntax::Fish, "function work\n  if x\n    y\n  end\n  alias python /usr/bin/python3\nend"),
            []
        );
    }

    #[test]
    fn a_body_that_branches_is_a_condition() {
        let text = "pip() {\n  if [ \"$1\" = install ]; then\n    /usr/bin/pip3 \"$@\"\n  fi\n}\n";
        let found = parse(Syntax::Posix, text.as_bytes());
        assert_eq!(found[0].condition.as_deref(), Some("if [ \"$1\" = install ]; then"));
    }

    #[test]
    fn files_that_are_read_when_they_are_there() {
        let source = Statement::Source { file: "~/.aliases".into() };
        for text in [
            "[ -f ~/.aliases ] && . ~/.aliases",
            "[[ -f ~/.aliases && -r ~/.aliases ]] && source ~/.aliases || true",
            "test -r ~/.aliases && . ~/.aliases  # mine",
            "[ -r \"~/.aliases\" ] && { . \"~/.aliases\"; }",
            "if [ -f ~/.aliases ]; then . ~/.aliases; fi",
            "[ ! -e ~/.aliases ] || . ~/.aliases",
            "if [ -n \"$BASH_VERSION\" ]; then\n  if [ -f ~/.aliases ]; then\n    . ~/.aliases\n  fi\nfi",
        ] {
            assert_eq!(conditional(Syntax::Posix, text), [(source.clone(), None)], "{text}");
        }
        for text in
            ["test -f ~/.aliases; and source ~/.aliases", "if test -f ~/.aliases; source ~/.aliases; end"]
        {
            assert_eq!(conditional(Syntax::Fish, text), [(source.clone(), None)], "{text}");
        }
        let text = "if ( -f ~/.aliases ) source ~/.aliases";
        assert_eq!(conditional(Syntax::Csh, text), [(source.clone(), None)]);
        for (text, condition) in [
            ("[ \"$HOST\" = work ] && . ~/.aliases", "[ \"$HOST\" = work ] &&"),
            ("[ ! -f ~/.aliases ] && . ~/.aliases", "[ ! -f ~/.aliases ] &&"),
            ("[ -f ~/.other ] && . ~/.aliases", "[ -f ~/.other ] &&"),
        ] {
            assert_eq!(
                conditional(Syntax::Posix, text),
                [(source.clone(), Some(condition.to_owned()))],
                "{text}"
            );
        }
    }

    #[test]
    fn several_commands_on_a_line() {
        let alias = |name: &str| Statement::Alias { name: name.into(), value: "x".into() };
        assert_eq!(of(Syntax::Posix, "alias python=x; alias pip=x"), [alias("python"), alias("pip")]);
        assert_eq!(
            conditional(Syntax::Posix, "[ -x /opt/x ] && alias pip=x; alias python=x"),
            [(alias("pip"), Some("[ -x /opt/x ] &&".to_owned())), (alias("python"), None)]
        );
        assert_eq!(of(Syntax::Posix, "echo 'a; alias pip=x' | grep alias; (alias pip=x)"), []);
        assert_eq!(
            conditional(Syntax::Fish, "if status is-interactive\n  alias pip x\nend"),
            [(alias("pip"), None)]
        );
    }

    #[test]
    fn variables() {
        let assign = |name: &str, value: &str| Statement::Assign { name: name.into(), value: value.into() };
        assert_eq!(of(Syntax::Posix, "export ZDOTDIR=~/.config/zsh"), [assign("ZDOTDIR", "~/.config/zsh")]);
        assert_eq!(
            of(Syntax::Posix, "A=\"$HOME/a b\"; B=c # d"),
            [assign("A", "$HOME/a b"), assign("B", "c")]
        );
        assert_eq!(of(Syntax::Fish, "set -gx DOTS ~/dots"), [assign("DOTS", "~/dots")]);
        assert_eq!(of(Syntax::Csh, "setenv DOTS ~/dots"), [assign("DOTS", "~/dots")]);
        assert_eq!(of(Syntax::Posix, "A=b make\n[ -d x ] && A=b\nif x; then\n  A=b\nfi"), []);
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
