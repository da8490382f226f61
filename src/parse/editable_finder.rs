//! The finders of editable installations: setuptools' `__editable___NAME_VERSION_finder.py`, whose `MAPPING` and
//! `NAMESPACES` say where the modules are (`_FINDER_TEMPLATE` of setuptools/command/editable_wheel.py), and the
//! `F.map_module(NAME, FILE)` lines that the project `editables` writes for pdm-backend, hatchling and others.

/// What one finder serves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditableFinder {
    /// Module to the path without a suffix, or to the package's directory.
    pub mapping: Vec<(String, String)>,
    /// Namespace package to its portions.
    pub namespaces: Vec<(String, Vec<String>)>,
    /// The entry that it puts on `sys.path` when it has namespaces.
    pub placeholder: Option<String>,
}

pub fn parse(text: &str) -> EditableFinder {
    let mut finder = EditableFinder::default();
    if let Some(Value::Map(items)) = value_of(text, "MAPPING") {
        let pairs = items.into_iter().filter_map(|(name, value)| match value {
            Value::Text(path) => Some((name, path)),
            _ => None,
        });
        finder.mapping = pairs.collect();
    }
    if let Some(Value::Map(items)) = value_of(text, "NAMESPACES") {
        let pairs = items.into_iter().filter_map(|(name, value)| match value {
            Value::List(paths) => Some((name, paths)),
            _ => None,
        });
        finder.namespaces = pairs.collect();
    }
    if let Some(Value::Text(placeholder)) = value_of(text, "PATH_PLACEHOLDER") {
        finder.placeholder = Some(placeholder);
    }
    if text.contains("from editables.redirector import RedirectingFinder") {
        finder.mapping.extend(text.lines().filter_map(redirection));
    }
    finder
}

/// `F.map_module('pkg', '/src/pkg/__init__.py')`: the file of a module is named, not the package's directory.
fn redirection(line: &str) -> Option<(String, String)> {
    let (_, rest) = line.split_once(".map_module(")?;
    let mut reader = Reader { rest };
    let name = reader.text()?;
    if !reader.take(',') {
        return None;
    }
    let mut file = reader.text()?;
    let separator = file.rfind(['/', '\\'])?;
    let end = match &file[separator + 1..] {
        "__init__.py" => separator,
        _ => file.strip_suffix(".py")?.len(),
    };
    file.truncate(end);
    Some((name, file))
}

pub(super) enum Value {
    Text(String),
    List(Vec<String>),
    Map(Vec<(String, Value)>),
}

/// `NAME = literal` or `NAME: annotation = literal` at the start of a line.
fn value_of(text: &str, name: &str) -> Option<Value> {
    let line = text
        .lines()
        .find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', ':', '='])))?;
    let (_, literal) = line.split_once('=')?;
    let mut reader = Reader { rest: literal };
    match reader.value()? {
        // the placeholder is written as NAME + '.__path_hook__'
        Value::Text(mut text) => {
            while reader.take('+') {
                text.push_str(&reader.text()?);
            }
            Some(Value::Text(text))
        }
        value => Some(value),
    }
}

/// Reads Python literals of strings, lists of strings and one dictionary over them.
pub(super) struct Reader<'a> {
    pub rest: &'a str,
}

impl Reader<'_> {
    pub fn take(&mut self, wanted: char) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    pub fn value(&mut self) -> Option<Value> {
        if self.take('{') {
            let mut items = Vec::new();
            while !self.take('}') {
                let key = self.text()?;
                if !self.take(':') {
                    return None;
                }
                let value =
                    if self.take('[') { Value::List(self.texts()?) } else { Value::Text(self.text()?) };
                items.push((key, value));
                self.take(',');
            }
            return Some(Value::Map(items));
        }
        if self.take('[') {
            return Some(Value::List(self.texts()?));
        }
        Some(Value::Text(self.text()?))
    }

    /// What stands before the closing bracket of a list.
    fn texts(&mut self) -> Option<Vec<String>> {
        let mut texts = Vec::new();
        while !self.take(']') {
            texts.push(self.text()?);
            self.take(',');
        }
        Some(texts)
    }

    /// A string as `repr` writes it.
    fn text(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        let quote = self.rest.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
        let mut out = String::new();
        let mut letters = self.rest.char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            if letter == quote {
                self.rest = &self.rest[at + 1..];
                return Some(out);
            }
            if letter != '\\' {
                out.push(letter);
                continue;
            }
            match letters.next()?.1 {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                kind @ ('x' | 'u' | 'U') => {
                    let digits = match kind {
                        'x' => 2,
                        'u' => 4,
                        _ => 8,
                    };
                    let code: String = letters.by_ref().take(digits).map(|(_, digit)| digit).collect();
                    out.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
                }
                other => out.push(other),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_setuptools_writes() {
        let finder = parse(
            "from __future__ import annotations\nMAPPING: dict[str, str] = {'a': '/s/a', 'b.c': \"/it's/\\\\c\"}\nNAMESPACES: dict[str, list[str]] = {'b': ['/s/b', '/t/b'], 'n': []}\nPATH_PLACEHOLDER = '__editable__.x-1.finder' + \".__path_hook__\"\n",
        );
        assert_eq!(finder.mapping, [("a".into(), "/s/a".into()), ("b.c".into(), "/it's/\\c".into())]);
        assert_eq!(finder.namespaces[0], ("b".into(), vec!["/s/b".into(), "/t/b".into()]));
        assert_eq!(finder.placeholder.as_deref(), Some("__editable__.x-1.finder.__path_hook__"));
    }

    #[test]
    fn anything_else_says_less() {
        for text in [
            "",
            "MAPPING = {",
            "MAPPING = {'a': 3}",
            "MAPPING = {'a'",
            "MAPPING: x",
            "MAPPING = {'\\x",
            "MAPPING = f()",
        ] {
            assert_eq!(parse(text), EditableFinder::default(), "{text}");
        }
    }
}
