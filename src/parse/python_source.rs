//! A quick reading of Python files: the modules that a file cannot do without.

use std::borrow::Cow;

/// A file's text as Python decodes it: UTF-8 unless one of the first two lines declares another encoding (PEP 263), of
/// which only the ASCII is told. None: Python cannot read it, and neither runs nor imports it.
pub fn decoded(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Some(Cow::Borrowed(text));
    }
    let mut first = bytes.split(|byte| *byte == b'\n').take(2);
    let declared = first.any(|line| {
        line.trim_ascii_start().starts_with(b"#")
            && crate::parse::find(line, b"coding")
                .is_some_and(|at| matches!(line.get(at + 6), Some(b':' | b'=')))
    });
    declared.then(|| String::from_utf8_lossy(bytes))
}

/// Whether a source adds to `sys.path`. Homebrew's `sitecustomize` brings its entries into another order, and adds
/// none.
pub fn changes_path(text: &str) -> bool {
    const SIGNS: [&str; 11] = [
        "sys.path.append",
        "sys.path.extend",
        "sys.path.insert",
        "sys.path[",
        "sys.path +=",
        "sys.path+=",
        "sys.path =",
        "sys.path=",
        "from sys import path",
        "addsitedir(",
        "addpackage(",
    ];
    const REORDERS: &str = "created by Homebrew and is executed on each python startup";
    SIGNS.iter().any(|sign| text.contains(sign)) && !text.contains(REORDERS)
}

/// Whether a source adds finders, or calls what registers modules (apipkg's `initpkg`).
pub fn installs_finder(text: &str) -> bool {
    const SIGNS: [&str; 9] = [
        "meta_path.append(",
        "meta_path.insert(",
        "meta_path.extend(",
        "meta_path = ",
        "meta_path += ",
        "meta_path[:]",
        "path_hooks.append(",
        "path_hooks.insert(",
        "apipkg.initpkg(",
    ];
    SIGNS.iter().any(|sign| text.contains(sign))
}

/// The top-level modules that a build tool's finder of an editable install serves, by its source: they are quoted where
/// it is made (meson-python's `MesonpyMetaFinder('pkg', {'pkg'}, ...)`, scikit-build-core's `install({'pkg': ...},
/// ...)`).
pub fn served_modules(text: &str) -> Vec<String> {
    let Some(start) = ["Finder(", "install("].iter().filter_map(|call| text.rfind(call)).max() else {
        return Vec::new();
    };
    let mut found: Vec<String> = Vec::new();
    let mut rest = text.get(start..).unwrap_or_default();
    while let Some(open) = rest.find(['\'', '"']) {
        let (quote, behind) = rest.split_at(open + 1);
        let Some(close) = behind.find(quote.chars().next_back().unwrap_or('"')) else { break };
        let (word, next) = behind.split_at(close);
        rest = next.get(1..).unwrap_or_default();
        let top = word.split(['.', '/']).next().unwrap_or_default();
        let is_name = !top.is_empty()
            && !top.starts_with(|letter: char| letter.is_ascii_digit())
            && top.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
        if is_name && !found.iter().any(|known| known == top) {
            found.push(top.to_owned());
        }
    }
    found
}

/// The first parts of the modules named by `import` and `from` at the start of a line, with their line
/// numbers. What is indented may be optional (`try:`, `if TYPE_CHECKING:`) and is left out, as are
/// relative imports and the text of strings.
pub fn imported_modules(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut string: Option<&str> = None;
    for (line, number) in text.lines().zip(1..) {
        if string.is_none() && !line.starts_with([' ', '\t']) {
            let code = line.split('#').next().unwrap_or_default();
            for statement in code.split(';').map(str::trim_start) {
                // behind a `;` only what follows further imports is sure to be a statement of its own
                if !statement.starts_with("import ") && !statement.starts_with("from ") {
                    break;
                }
                found.extend(statement_modules(statement).into_iter().map(|name| (number, name)));
            }
        }
        string = string_after(line, string);
    }
    found
}

/// The same for what a file begins with: the imports before any other statement, which nothing can keep from running.
pub fn first_imports(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut string: Option<&str> = None;
    for (line, number) in text.lines().zip(1..) {
        let was_open = string.is_some();
        string = string_after(line, string);
        let code = line.split('#').next().unwrap_or_default().trim_end();
        if was_open || code.is_empty() {
            continue;
        }
        // the docstring
        if found.is_empty() && code.starts_with(['"', '\'']) {
            continue;
        }
        let plain = !code.contains([';', '\\']);
        let modules = if plain { statement_modules(code) } else { Vec::new() };
        if modules.is_empty() {
            break;
        }
        found.extend(modules.into_iter().map(|name| (number, name)));
    }
    found
}

fn statement_modules(statement: &str) -> Vec<String> {
    let first_part = |dotted: &str| {
        let name = dotted.split('.').next().unwrap_or_default();
        let valid = !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c == '_' || c.is_alphanumeric());
        valid.then(|| name.to_owned())
    };
    if let Some(rest) = statement.strip_prefix("from ") {
        let mut words = rest.split_whitespace();
        let module = words.next().filter(|_| words.next().is_some_and(|word| word.starts_with("import")));
        return module.and_then(first_part).into_iter().collect();
    }
    let Some(rest) = statement.strip_prefix("import ") else { return Vec::new() };
    let mut modules = Vec::new();
    for item in rest.split(',') {
        let words: Vec<&str> = item.split_whitespace().collect();
        match words.as_slice() {
            [module] | [module, "as", _] => modules.extend(first_part(module)),
            // prose, not an import
            _ => return Vec::new(),
        }
    }
    modules
}

/// Which triple quote is open after this line, given what was open before it.
fn string_after<'quote>(line: &str, mut open: Option<&'quote str>) -> Option<&'quote str> {
    let mut at = 0;
    while let Some(rest) = line.get(at..) {
        match open {
            Some(quote) => match rest.find(quote) {
                Some(end) => {
                    at += end + quote.len();
                    open = None;
                }
                None => return open,
            },
            None => {
                let next = rest.find(['"', '\'', '#'])?;
                let rest = &rest[next..];
                at += next;
                if rest.starts_with('#') {
                    return None;
                } else if rest.starts_with("\"\"\"") {
                    open = Some("\"\"\"");
                    at += 3;
                } else if rest.starts_with("'''") {
                    open = Some("'''");
                    at += 3;
                } else {
                    // a string of one line: to its other quote, past escaped ones
                    let quote = rest.as_bytes()[0];
                    let mut end = 1;
                    while let Some(byte) = rest.as_bytes().get(end).filter(|byte| **byte != quote) {
                        end += if *byte == b'\\' { 2 } else { 1 };
                    }
                    at += end + 1;
                    while !line.is_char_boundary(at.min(line.len())) {
                        at += 1;
                    }
                }
            }
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        imported_modules(text).into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn tells_what_changes_the_path() {
        for text in
            ["import sys; sys.path.append('/x')", "import site; site.addsitedir(x)", "sys.path[:0] = more"]
        {
            assert!(changes_path(text), "{text}");
        }
        for text in [
            "print(sys.path)",
            "sys.path_hooks.append(x)",
            "import coverage; coverage.process_startup()",
            "# This file is created by Homebrew and is executed on each python startup.\nsys.path = [p for p in sys.path]",
        ] {
            assert!(!changes_path(text), "{text}");
        }
        assert!(installs_finder("sys.path_hooks.append(x)") && !installs_finder("for it in sys.meta_path:"));
    }

    #[test]
    fn what_python_cannot_decode_has_no_text() {
        assert_eq!(decoded(b"\xef\xbb\xbfimport a").as_deref(), Some("import a"));
        assert_eq!(decoded(b"\xff\xfeimport a"), None);
        assert_eq!(decoded(b"import a  # caf\xe9"), None);
        assert_eq!(
            decoded(b"#!/usr/bin/python\n# -*- coding: latin-1 -*-\n# \xe9\nimport a").as_deref(),
            Some("#!/usr/bin/python\n# -*- coding: latin-1 -*-\n# \u{fffd}\nimport a")
        );
        assert_eq!(decoded(b"x\ny\n# coding: latin-1\n# \xe9"), None);
    }

    #[test]
    fn reads_imports_at_the_start_of_a_line() {
        let text = "import os, numpy.linalg as la\nfrom flask.app import Flask\nimport a;import b ; import c  # d\nfrom x import(y)\n";
        assert_eq!(names(text), ["os", "numpy", "flask", "a", "b", "c", "x"]);
        assert_eq!(imported_modules("\n\nimport six\r\n"), [(3, "six".to_owned())]);
    }

    #[test]
    fn first_imports_end_at_any_other_statement() {
        let first = |text: &str| first_imports(text).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(
            first("\"\"\"Doc\nimport prose\n\"\"\"\n# c\nimport os\nfrom six import x  # y\n"),
            ["os", "six"]
        );
        assert_eq!(first("import os\nset_up()\nimport six\n"), ["os"]);
        assert_eq!(first("import os\nfrom . import x\nimport six\n"), ["os"]);
        assert_eq!(first("from six import (\n    x,\n)\nimport os\n"), ["six"]);
        for text in
            ["try:\n    import six\n", "if x:\n import six", "x = 1; import six", "import six; set_up()", ""]
        {
            assert!(first(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn leaves_out_what_may_be_optional() {
        let text = "try:\n    import ujson\nexcept ImportError:\n    ujson = None\nif TYPE_CHECKING:\n import mypy\n\
                    from . import near\nfrom .pkg import near\n";
        assert_eq!(names(text), Vec::<String>::new());
    }

    #[test]
    fn leaves_out_the_text_of_strings() {
        let text = "\"\"\"Title\nimport prose\nfrom x import y\n\"\"\"\nimport six\nT = '''\nimport no\n''' + \"it's\"\n\
                    import yes\nX = '\\'\"\"\"'\nimport also\nimport the data\n# \"\"\"\nimport last\nS = \"é\\é\"\n";
        assert_eq!(names(text), ["six", "yes", "also", "last"]);
    }
}
