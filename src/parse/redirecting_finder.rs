//! scikit-build-core's finder of an editable installation, `_editable_skbc_NAME.py`: a copy of its
//! `resources/_editable_redirect.py` (0.3 to 1.1) behind which `install(...)` is called with literals that say where
//! each module is.

use super::editable_finder::{Reader, Value};

/// What one finder serves, by the arguments of that call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redirections {
    /// `known_source_files`: module to file.
    pub sources: Vec<(String, String)>,
    /// `known_wheel_files`: module to file, relative to the finder's directory. They go before the others.
    pub installed: Vec<(String, String)>,
    /// `known_directories`, since 1.0: where each package's modules lie.
    pub directories: Option<Vec<(String, Vec<String>)>>,
    /// `known_packages`, since 1.0: those with an `__init__`.
    pub packages: Vec<String>,
    /// Since 0.8 a package's `__path__` has the directory of every module of it that is listed.
    pub joins_directories: bool,
    /// Its later releases give a namespace package the portions of the import path, too.
    pub joins_portions: bool,
    /// What is installed is built once more before its import.
    pub rebuilds: bool,
}

/// None: the text is no such finder, or its call cannot be read.
pub fn parse(text: &str) -> Option<Redirections> {
    if !text.contains("class ScikitBuildRedirectingFinder") {
        return None;
    }
    let call = text.lines().rev().map(str::trim_start).find_map(|line| {
        let (name, arguments) = line.split_once('(')?;
        matches!(name, "install" | "install_inplace").then_some((name, arguments))
    });
    let (name, arguments) = call?;
    let mut arguments = Arguments { reader: Reader { rest: arguments }, is_first: true };
    if name == "install_inplace" {
        // it finds what the path has, and nothing else
        arguments.list()?;
        arguments.list()?;
        return arguments.rebuilds().filter(|rebuilds| !rebuilds).map(|_| Redirections::default());
    }
    let mut found = Redirections {
        sources: arguments.files()?,
        installed: arguments.files()?,
        joins_directories: text.contains("submodule_search_locations"),
        joins_portions: text.contains("native.submodule_search_locations"),
        ..Redirections::default()
    };
    if arguments.is_dictionary_next() {
        found.directories = Some(arguments.directories()?);
        found.packages = arguments.list()?;
    }
    found.rebuilds = arguments.rebuilds()?;
    Some(found)
}

/// What stands between the brackets of the call.
struct Arguments<'a> {
    reader: Reader<'a>,
    is_first: bool,
}

impl Arguments<'_> {
    fn next(&mut self) -> Option<()> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        (is_first || self.reader.take(',')).then_some(())
    }

    fn value(&mut self) -> Option<Value> {
        self.next()?;
        self.reader.value()
    }

    fn is_dictionary_next(&self) -> bool {
        self.reader.rest.trim_start().strip_prefix(',').is_some_and(|rest| rest.trim_start().starts_with('{'))
    }

    fn files(&mut self) -> Option<Vec<(String, String)>> {
        let Value::Map(items) = self.value()? else { return None };
        let file = |(module, value)| match value {
            Value::Text(file) => Some((module, file)),
            _ => None,
        };
        items.into_iter().map(file).collect()
    }

    fn directories(&mut self) -> Option<Vec<(String, Vec<String>)>> {
        let Value::Map(items) = self.value()? else { return None };
        let directories = |(package, value)| match value {
            Value::List(directories) => Some((package, directories)),
            _ => None,
        };
        items.into_iter().map(directories).collect()
    }

    fn list(&mut self) -> Option<Vec<String>> {
        match self.value()? {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The build directory, or None, and whether to build.
    fn rebuilds(&mut self) -> Option<bool> {
        if !self.word("None")? {
            self.reader.value()?;
        }
        self.word("True")
    }

    fn word(&mut self, word: &str) -> Option<bool> {
        self.next()?;
        let rest = self.reader.rest.trim_start();
        match rest.strip_prefix(word) {
            Some(rest) => {
                self.reader.rest = rest;
                Some(true)
            }
            None => Some(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finder(call: &str) -> Option<Redirections> {
        parse(&format!(
            "class ScikitBuildRedirectingFinder:\n    pass\n\ndef install(\n    known_source_files,\n):\n    pass\n\n{call}\n"
        ))
    }

    fn pair(left: &str, right: &str) -> (String, String) {
        (left.to_owned(), right.to_owned())
    }

    #[test]
    fn the_calls_of_every_release_are_read() {
        let old =
            finder("install({'p': '/s/p/__init__.py'}, {'p.x': 'p/x.so'}, None, False, True, [], [], '')");
        let old = old.unwrap();
        assert_eq!(old.sources, [pair("p", "/s/p/__init__.py")]);
        assert_eq!(old.installed, [pair("p.x", "p/x.so")]);
        assert_eq!((old.directories, old.rebuilds), (None, false));
        assert!(finder("install({}, {}, '/b', True, False)").unwrap().rebuilds);
        let new = finder(
            "def entrypoint() -> None:\n    install({}, {'p.x': 'p/x.so'}, {'p': ['/s/p', 'p']}, ['p'], None, False, False, [], [], None)",
        );
        let new = new.unwrap();
        assert_eq!(new.directories, Some(vec![("p".to_owned(), vec!["/s/p".to_owned(), "p".to_owned()])]));
        assert_eq!(new.packages, ["p"]);
    }

    #[test]
    fn a_finder_in_place_brings_nothing_unless_it_builds() {
        let call = |rebuild| finder(&format!("install_inplace(['p'], ['/s'], '/s', {rebuild}, False, [])"));
        assert_eq!(call("False"), Some(Redirections::default()));
        assert_eq!(call("True"), None);
    }

    #[test]
    fn what_cannot_be_read_is_no_finder() {
        for call in
            ["", "install(", "install({'p': 1}, {})", "install({}, {}", "install(**tables)", "install({'p"]
        {
            assert_eq!(finder(call), None, "{call}");
        }
        assert_eq!(parse("install({}, {}, None, False)"), None);
    }
}
