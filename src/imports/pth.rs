//! The lines of a `.pth` or `.start` file, split and classified as the `site.py` of one version does it.

use super::build::{Build, Implementation, Version};
use super::predict::HookKind;
use super::spelling::Spelling;
use crate::parse::python_literal::{is_blank, strip};

/// So much of a `.pth` file is read; setuptools' longest are a few KB.
pub(super) const SIZE_LIMIT: usize = 4 << 20;

/// What differs between versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    /// 2.7 handles bytes; a file of any encoding will do.
    pub bytes: bool,
    /// From 3.13 on a byte order mark is dropped, and lines end where `str.splitlines` ends them.
    pub modern_text: bool,
    /// From 3.15 on (PEP 829): blanks around a line do not count, `import` lines run last, `.start` files exist.
    pub deferred: bool,
    /// Before 3.8 a NUL in a path raises, and the rest of the file is left.
    pub nul_ends: bool,
    /// 2.7, and the `site.py` of old virtualenvs, forget to note the site directory itself, so a blank line lists it
    /// once more.
    pub blank_is_directory: bool,
}

impl Rules {
    pub fn of(build: &Build) -> Self {
        let version = build.version;
        let modern = build.implementation == Implementation::CPython && version >= Version::new(3, 13);
        Rules {
            bytes: version < Version::new(3, 0),
            modern_text: modern,
            deferred: version >= Version::new(3, 15),
            nul_ends: version < Version::new(3, 8),
            blank_is_directory: version < Version::new(3, 0),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// What is joined to the site directory.
    Path(Vec<u8>),
    Import(String),
    /// The rest of the file is left.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotUtf8;

/// The lines that do something, with their numbers counted from 1.
pub(super) fn lines(contents: &[u8], rules: Rules) -> Result<Vec<(usize, Line)>, NotUtf8> {
    let contents = if rules.modern_text || rules.deferred {
        contents.strip_prefix(b"\xef\xbb\xbf").unwrap_or(contents)
    } else {
        contents
    };
    if rules.bytes {
        let lines = universal_newlines(contents);
        return Ok(number(lines.into_iter().map(|line| classify(line, line.trim_ascii_end(), rules))));
    }
    let text = std::str::from_utf8(contents).map_err(|_| NotUtf8)?;
    let lines = if rules.modern_text {
        split_lines(text)
    } else {
        // Cut at line ends alone, so the pieces are UTF-8 again.
        universal_newlines(contents).into_iter().filter_map(|line| std::str::from_utf8(line).ok()).collect()
    };
    Ok(number(lines.into_iter().map(|line| {
        let line = if rules.deferred { strip(line) } else { line };
        classify(line.as_bytes(), strip_end(line).as_bytes(), rules)
    })))
}

fn number(lines: impl Iterator<Item = Option<Line>>) -> Vec<(usize, Line)> {
    let mut numbered = Vec::new();
    for (index, line) in lines.enumerate() {
        let Some(line) = line else { continue };
        let last = line == Line::End;
        numbered.push((index + 1, line));
        if last {
            break;
        }
    }
    numbered
}

fn classify(line: &[u8], stripped: &[u8], rules: Rules) -> Option<Line> {
    if line.starts_with(b"#") || (stripped.is_empty() && !rules.blank_is_directory) {
        return None;
    }
    if line.starts_with(b"import ") || line.starts_with(b"import\t") {
        return Some(Line::Import(String::from_utf8_lossy(stripped).into_owned()));
    }
    if stripped.contains(&0) {
        return rules.nul_ends.then_some(Line::End);
    }
    Some(Line::Path(stripped.to_vec()))
}

/// Text mode's: `\n`, `\r`, `\r\n`. A final line end begins no further line.
pub(super) fn universal_newlines(contents: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = contents;
    while !rest.is_empty() {
        let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            lines.push(rest);
            break;
        };
        lines.push(&rest[..end]);
        let width = if rest[end..].starts_with(b"\r\n") { 2 } else { 1 };
        rest = &rest[end + width..];
    }
    lines
}

/// `str.splitlines`.
fn split_lines(text: &str) -> Vec<&str> {
    let is_end = |letter: char| matches!(letter, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some(end) = rest.find(is_end) else {
            lines.push(rest);
            break;
        };
        lines.push(&rest[..end]);
        let width = if rest[end..].starts_with("\r\n") {
            2
        } else {
            rest[end..].chars().next().map_or(1, char::len_utf8)
        };
        rest = &rest[end + width..];
    }
    lines
}

fn strip_end(text: &str) -> &str {
    text.trim_end_matches(is_blank)
}

/// The order in which site reads file names: code points, with bytes that are no UTF-8 where
/// `surrogateescape` puts them.
pub(super) fn sort_key(name: &[u8], bytes: bool) -> Vec<u32> {
    if bytes {
        return name.iter().map(|byte| u32::from(*byte)).collect();
    }
    let mut key = Vec::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        key.extend(chunk.valid().chars().map(u32::from));
        key.extend(chunk.invalid().iter().map(|byte| 0xdc00 + u32::from(*byte)));
    }
    key
}

/// What is known of an `import` line, in the order of its parts, and whether it may add entries in a way that is not.
pub(super) fn recognise(file_name: &[u8], line: &str) -> (Vec<HookKind>, bool) {
    let directories = added_directories(line);
    if directories.is_empty() {
        let (kind, unknown) = recognise_other(file_name, line);
        return (vec![kind], unknown);
    }
    (directories.into_iter().map(|directory| HookKind::SiteDirectory { directory }).collect(), false)
}

fn recognise_other(file_name: &[u8], line: &str) -> (HookKind, bool) {
    if let Some(module) = editable_finder(line) {
        return (HookKind::EditableFinder { module }, false);
    }
    if is_distutils_precedence(line) {
        return (HookKind::DistutilsPrecedence, false);
    }
    if line == "import _virtualenv" {
        return (HookKind::Virtualenv, false);
    }
    // It extends the package's own path, not sys.path.
    if file_name.ends_with(b"-nspkg.pth") && line.starts_with("import sys, types, os;") {
        return (HookKind::Namespace, false);
    }
    (HookKind::ImportLine, true)
}

/// Whether it is the line of setuptools' `distutils-precedence.pth`.
pub fn is_distutils_precedence(line: &str) -> bool {
    line.contains("SETUPTOOLS_USE_DISTUTILS") && line.contains("_distutils_hack")
}

/// Whether that line does anything:
/// `os.environ.get('SETUPTOOLS_USE_DISTUTILS', default) == 'local'`, where the default is `stdlib` up to setuptools 59
/// and
/// `local` since 60. `-E` and `-I` do not keep it from reading the variable.
pub fn replaces_distutils(line: &str, variable: Option<&[u8]>) -> bool {
    variable.map_or_else(|| replaces_distutils_by_default(line), |value| value == b"local")
}

pub fn replaces_distutils_by_default(line: &str) -> bool {
    !line.contains("'stdlib')")
}

/// `import __editable___NAME_finder; __editable___NAME_finder.install()`.
fn editable_finder(line: &str) -> Option<String> {
    let (module, call) = line.strip_prefix("import ")?.split_once(';')?;
    let module = module.trim();
    let known = module.starts_with("__editable__") && call.trim() == format!("{module}.install()");
    known.then(|| module.to_owned())
}

/// Whether an `import` line of the file of this name may change the import path in a way that is not understood.
pub fn adds_unknown(file_name: &[u8], line: &str) -> bool {
    recognise(file_name, line).1
}

/// The directories of `import site; site.addsitedir("...")`, of as many calls as the line has. None of them where it
/// does anything else, too, or where one is no literal.
pub fn added_directories(line: &str) -> Vec<Spelling> {
    line.strip_prefix("import site;").and_then(|calls| site_directories(calls.trim())).unwrap_or_default()
}

fn site_directories(calls: &str) -> Option<Vec<Spelling>> {
    let mut found = Vec::new();
    let mut rest = calls;
    while !rest.is_empty() {
        let argument = rest.strip_prefix("site.addsitedir(")?.trim_start();
        let (directory, after) = match argument.strip_prefix(FSDECODE) {
            Some(bytes) => {
                let (directory, after) = bytes_literal(bytes)?;
                (directory, after.strip_prefix(')')?)
            }
            None => text_literal(argument)?,
        };
        found.push(directory);
        let after = after.trim_start().strip_prefix(')')?.trim_start();
        rest = if after.is_empty() { after } else { after.strip_prefix(';')?.trim_start() };
    }
    Some(found)
}

/// As uv spells a directory: the bytes of a path need not be text.
const FSDECODE: &str = "__import__(\"os\").fsdecode(";

/// A literal without escapes at the beginning, and what follows it.
fn text_literal(text: &str) -> Option<(Spelling, &str)> {
    let literal = text.strip_prefix('r').unwrap_or(text);
    let quote = literal.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    let (value, after) = literal.strip_prefix(quote)?.split_once(quote)?;
    (!value.is_empty() && !value.contains('\\')).then(|| (Spelling::from(value), after))
}

/// `b"..."` at the beginning, with the escapes that `repr` writes, and what follows it.
fn bytes_literal(text: &str) -> Option<(Spelling, &str)> {
    let literal = text.strip_prefix('b')?;
    let quote = literal.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    let mut rest = literal.strip_prefix(quote)?;
    let mut value = Vec::new();
    loop {
        let letter = rest.chars().next().filter(char::is_ascii)?;
        rest = rest.get(1..)?;
        if letter == quote {
            return Some((Spelling::from(value), rest));
        }
        if letter != '\\' {
            value.push(u8::try_from(letter).ok()?);
            continue;
        }
        let escaped = rest.bytes().next()?;
        let width = match escaped {
            b'\\' | b'\'' | b'"' => {
                value.push(escaped);
                1
            }
            b'x' => {
                value.push(u8::from_str_radix(rest.get(1..3)?, 16).ok()?);
                3
            }
            _ => return None,
        };
        rest = rest.get(width..)?;
    }
}

/// The entry that setuptools' finder puts on the path when it serves namespace packages.
pub(super) fn finder_placeholder(source: &str) -> Option<Vec<u8>> {
    let value = |name: &str| {
        let line = source
            .lines()
            .find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', ':', '='])))?;
        Some(line.split_once(" = ")?.1.trim())
    };
    if value("NAMESPACES")? == "{}" {
        return None;
    }
    let placeholder = value("PATH_PLACEHOLDER")?;
    let (literal, suffix) = placeholder.split_once(" + ").unwrap_or((placeholder, "''"));
    let text = |literal: &str| literal.trim_matches(['\'', '"']).to_owned();
    Some((text(literal) + &text(suffix)).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::Flavour;

    fn rules(minor: u8) -> Rules {
        Rules::of(&Build::plain(Implementation::CPython, Version::new(3, minor), Flavour::Posix))
    }

    fn paths(contents: &str, minor: u8) -> Vec<String> {
        let lines = lines(contents.as_bytes(), rules(minor)).unwrap();
        lines
            .into_iter()
            .filter_map(|(_, line)| match line {
                Line::Path(path) => Some(String::from_utf8(path).unwrap()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn line_ends_and_marks_depend_on_the_version() {
        assert_eq!(paths("a\rb\r\nc\x0bd\n", 12), ["a", "b", "c\x0bd"]);
        assert_eq!(paths("a\rb\r\nc\x0bd\u{2028}e", 13), ["a", "b", "c", "d", "e"]);
        assert_eq!(paths("\u{feff}a", 12), ["\u{feff}a"]);
        assert_eq!(paths("\u{feff}a", 13), ["a"]);
        assert_eq!(paths("  a \u{a0}\n # b\n\n", 14), ["  a", " # b"]);
        assert_eq!(paths("  a \n # b\n\n", 15), ["a"]);
    }

    #[test]
    fn import_lines_must_start_the_line_until_3_14() {
        let text = "import a\nimport\tb\n import c\nimports\n";
        let imports = |minor| {
            let lines = lines(text.as_bytes(), rules(minor)).unwrap();
            lines
                .iter()
                .filter(|(_, line)| matches!(line, Line::Import(_)))
                .map(|(at, _)| *at)
                .collect::<Vec<_>>()
        };
        assert_eq!(imports(14), [1, 2]);
        assert_eq!(imports(15), [1, 2, 3]);
    }

    #[test]
    fn undecodable_files_are_told() {
        assert_eq!(lines(b"caf\xe9\n", rules(12)), Err(NotUtf8));
        let python2 = Build::plain(Implementation::CPython, Version::new(2, 7), Flavour::Posix);
        let lines = lines(b"caf\xe9\n\n", Rules::of(&python2)).unwrap();
        assert_eq!(lines, [(1, Line::Path(b"caf\xe9".to_vec())), (2, Line::Path(Vec::new()))]);
    }

    #[test]
    fn names_sort_by_code_point() {
        let mut names: Vec<&[u8]> = vec![b"b.pth", b"\xff.pth", "\u{ffff}.pth".as_bytes(), b"A.pth"];
        names.sort_by_key(|name| sort_key(name, false));
        assert_eq!(names, [&b"A.pth"[..], b"b.pth", b"\xff.pth", "\u{ffff}.pth".as_bytes()]);
    }

    #[test]
    fn known_import_lines_are_understood() {
        let kind = |name: &str, line: &str| {
            let (mut kinds, unknown) = recognise(name.as_bytes(), line);
            assert_eq!(kinds.len(), 1);
            (kinds.remove(0), unknown)
        };
        let line = "import __editable___x_1_finder; __editable___x_1_finder.install()";
        let module = "__editable___x_1_finder".to_owned();
        assert_eq!(kind("__editable__.x-1.pth", line), (HookKind::EditableFinder { module }, false));
        let line = "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; enabled and __import__('_distutils_hack').add_shim();";
        assert_eq!(kind("distutils-precedence.pth", line), (HookKind::DistutilsPrecedence, false));
        let line = "import site; site.addsitedir(\"/a b/site-packages\")";
        let directory = Spelling::from("/a b/site-packages");
        assert_eq!(kind("_uv_ephemeral_overlay.pth", line), (HookKind::SiteDirectory { directory }, false));
        assert_eq!(kind("x.pth", "import x"), (HookKind::ImportLine, true));
    }

    #[test]
    fn directories_of_every_call_are_read() {
        let read = |line: &str| -> Vec<String> {
            added_directories(line).iter().map(|directory| directory.to_text().into_owned()).collect()
        };
        let uv = |path: &str| format!("site.addsitedir(__import__(\"os\").fsdecode(b\"{path}\"))");
        let line = format!("import site; {}; {}", uv("/cache/a b"), uv(r#"/caf\xc3\xa9/\"q\"\\x"#));
        assert_eq!(read(&line), ["/cache/a b", "/caf\u{e9}/\"q\"\\x"]);
        assert_eq!(read("import site; site.addsitedir('/a;b'); site.addsitedir( r'/c' ) ;"), ["/a;b", "/c"]);
        for other in [
            "import site; site.addsitedir(os.path.join('/a', 'b'))",
            "import site; site.addsitedir('/a' + x)",
            "import site; site.addsitedir('/a'); import x",
            "import site; site.addsitedir(__import__(\"os\").fsdecode(b\"/a\\n\"))",
            "import site;",
        ] {
            assert_eq!(added_directories(other), [], "{other}");
        }
    }

    #[test]
    fn the_variable_goes_before_the_default_of_setuptools() {
        let new = "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; enabled and __import__('_distutils_hack').add_shim();";
        let old = new.replace("'local')", "'stdlib')");
        for (line, variable, replaces) in [
            (new, None, true),
            (&old, None, false),
            (new, Some("stdlib"), false),
            (new, Some(""), false),
            (&old, Some("local"), true),
        ] {
            assert_eq!(
                replaces_distutils(line, variable.map(str::as_bytes)),
                replaces,
                "{line} {variable:?}"
            );
        }
    }

    #[test]
    fn a_finder_with_namespaces_has_a_placeholder() {
        let source = "NAME = 'x'\nNAMESPACES: dict[str, list[str]] = {'a': ['/s/a']}\nPATH_PLACEHOLDER = '__editable__.x-1.finder' + \".__path_hook__\"\n";
        assert_eq!(finder_placeholder(source), Some(b"__editable__.x-1.finder.__path_hook__".to_vec()));
        assert_eq!(finder_placeholder(&source.replace("{'a': ['/s/a']}", "{}")), None);
    }
}
