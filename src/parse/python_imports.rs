//! The imports of a Python file, by a real parser: which run whenever the file does, and which may not.

use ruff_python_ast::{ExceptHandler, Expr, Stmt};
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};

use crate::facts::requirement::Certainty;

/// Statements deeper in each other than this are not looked at.
const DEPTH: usize = 60;

/// Brackets and blocks deeper than this are no program that somebody wrote: the file is left alone.
const NESTING: usize = 200;

/// So much stack a thread needs that reads whatever a file of [`LIMIT`] bytes may hold: the parser, and the tree that it
/// makes, go as deep as the text does.
pub const STACK: usize = 256 << 20;
pub const LIMIT: usize = 256 << 10;

/// What a file imports.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imports {
    pub found: Vec<Import>,
    /// It changes `sys.path` or the like: from then on modules may come from anywhere.
    pub changes_path: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    pub line: usize,
    /// Dots before the name: 0 is absolute.
    pub level: u32,
    /// Dotted; empty for `from . import x`.
    pub module: String,
    /// What `from` takes out of it; empty for `import`.
    pub names: Vec<String>,
    /// Never [`Certainty::Unreached`]: that is not the file's to tell.
    pub certainty: Certainty,
}

/// Reads a file of Python. What cannot be parsed is passed over.
pub fn imports(text: &str) -> Imports {
    if !text.contains("import") || nests_too_deep(text) {
        return Imports::default();
    }
    let parsed = parse_unchecked(text, ParseOptions::from(Mode::Module)).try_into_module();
    let Some(parsed) = parsed else { return Imports::default() };
    let mut lines = Lines::new(text);
    let mut reader = Reader { found: Vec::new() };
    reader.body(parsed.suite(), Certainty::Certain, 0);
    reader.found.sort_by_key(|(offset, _)| *offset);
    let found = reader.found.into_iter().map(|(offset, import)| Import { line: lines.at(offset), ..import });
    let markers = ["sys.path", "addsitedir", "sys.meta_path", "path_hooks", "sys.modules"];
    Imports { found: found.collect(), changes_path: markers.iter().any(|marker| text.contains(marker)) }
}

/// Line numbers of growing offsets.
pub struct Lines<'t> {
    text: &'t str,
    offset: usize,
    line: usize,
}

impl<'t> Lines<'t> {
    pub fn new(text: &'t str) -> Lines<'t> {
        Lines { text, offset: 0, line: 1 }
    }

    pub fn at(&mut self, offset: usize) -> usize {
        let between = self.text.as_bytes().get(self.offset..offset).unwrap_or_default();
        self.line += between.iter().filter(|byte| **byte == b'\n').count();
        self.offset = self.offset.max(offset);
        self.line
    }
}

/// Whether reading it would go deeper than any program does.
pub fn nests_too_deep(text: &str) -> bool {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    let indented = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    deepest > NESTING
        || text.lines().any(|line| indented(line) > 8 * NESTING && line.trim_end().ends_with(':'))
}

struct Reader {
    found: Vec<(usize, Import)>,
}

impl Reader {
    fn body(&mut self, statements: &[Stmt], certainty: Certainty, depth: usize) {
        if depth > DEPTH {
            return;
        }
        for statement in statements {
            self.statement(statement, certainty, depth + 1);
        }
    }

    fn statement(&mut self, statement: &Stmt, outer: Certainty, depth: usize) {
        // the less certain of the two holds
        let within = |inner: Certainty| outer.max(inner);
        match statement {
            Stmt::Import(import) => {
                for alias in &import.names {
                    let certainty = within(if import.is_lazy { Certainty::Deferred } else { outer });
                    self.push(import.range.start().to_usize(), 0, alias.name.as_str(), Vec::new(), certainty);
                }
            }
            Stmt::ImportFrom(import) => {
                let certainty = within(if import.is_lazy { Certainty::Deferred } else { outer });
                let module = import.module.as_ref().map_or("", |module| module.as_str());
                let names = import.names.iter().map(|alias| alias.name.as_str().to_owned()).collect();
                self.push(import.range.start().to_usize(), import.level, module, names, certainty);
            }
            Stmt::FunctionDef(function) => self.body(&function.body, within(Certainty::Deferred), depth),
            Stmt::ClassDef(class) => self.body(&class.body, outer, depth),
            Stmt::With(with) => {
                let inner = if with.items.iter().any(|item| suppresses(&item.context_expr)) {
                    Certainty::Optional
                } else {
                    outer
                };
                self.body(&with.body, within(inner), depth);
            }
            Stmt::For(each) => {
                self.body(&each.body, within(Certainty::Conditional), depth);
                self.body(&each.orelse, within(Certainty::Conditional), depth);
            }
            Stmt::While(each) => {
                self.body(&each.body, within(Certainty::Conditional), depth);
                self.body(&each.orelse, within(Certainty::Conditional), depth);
            }
            Stmt::If(choice) => {
                let typing = is_type_checking(&choice.test);
                let first = if typing { Certainty::TypeChecking } else { Certainty::Conditional };
                self.body(&choice.body, within(first), depth);
                for clause in &choice.elif_else_clauses {
                    let plain = typing && clause.test.is_none();
                    let inner = if plain { outer } else { Certainty::Conditional };
                    self.body(&clause.body, within(inner), depth);
                }
            }
            Stmt::Match(choice) => {
                for case in &choice.cases {
                    self.body(&case.body, within(Certainty::Conditional), depth);
                }
            }
            Stmt::Try(attempt) => {
                let inner = if attempt.handlers.is_empty() { outer } else { Certainty::Optional };
                self.body(&attempt.body, within(inner), depth);
                self.body(&attempt.orelse, within(inner), depth);
                for ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
                    self.body(&handler.body, within(Certainty::Optional), depth);
                }
                self.body(&attempt.finalbody, outer, depth);
            }
            _ => {}
        }
    }

    fn push(&mut self, offset: usize, level: u32, module: &str, names: Vec<String>, certainty: Certainty) {
        // what the parser made up to go on after an error has no name
        let named = !module.is_empty() && module.split('.').all(|part| !part.is_empty());
        if named || level > 0 {
            let import = Import { line: 0, level, module: module.to_owned(), names, certainty };
            self.found.push((offset, import));
        }
    }
}

/// `TYPE_CHECKING`, `typing.TYPE_CHECKING`.
fn is_type_checking(test: &Expr) -> bool {
    match test {
        Expr::Name(name) => name.id.as_str() == "TYPE_CHECKING",
        Expr::Attribute(attribute) => attribute.attr.as_str() == "TYPE_CHECKING",
        _ => false,
    }
}

/// `contextlib.suppress(...)`, `pytest.raises(...)`: a failure below is expected.
fn suppresses(context: &Expr) -> bool {
    let Expr::Call(call) = context else { return false };
    let name = match call.func.as_ref() {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    };
    matches!(name, "suppress" | "raises")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, String, Certainty)> {
        imports(text).found.into_iter().map(|it| (it.line, it.module, it.certainty)).collect()
    }

    fn certain(text: &str) -> Vec<String> {
        let all = found(text).into_iter();
        all.filter(|(.., certainty)| *certainty == Certainty::Certain).map(|(_, name, _)| name).collect()
    }

    #[test]
    fn reads_every_form_with_its_line() {
        let text = "\"\"\"import prose\n\"\"\"\nimport os, numpy.linalg as la\nfrom flask.app import (\n  Flask,\n)\n\
                    import a;import b\nclass C:\n    import c\n";
        assert_eq!(certain(text), ["os", "numpy.linalg", "flask.app", "a", "b", "c"]);
        assert_eq!(found(text)[2].0, 4);
        let relative = imports("from . import near\nfrom ..pkg import x, y\n").found;
        assert_eq!((relative[0].level, relative[0].module.as_str()), (1, ""));
        assert_eq!((relative[1].level, relative[1].names.len()), (2, 2));
    }

    #[test]
    fn tells_apart_what_may_be_left_out() {
        use Certainty::{Conditional, Deferred, Optional, TypeChecking};
        for (text, certainty) in [
            ("try:\n    import x\nexcept ImportError:\n    x = None\n", Optional),
            ("try:\n    pass\nexcept ImportError:\n    import x\n", Optional),
            ("with contextlib.suppress(ImportError):\n    import x\n", Optional),
            ("if TYPE_CHECKING:\n    import x\n", TypeChecking),
            ("if typing.TYPE_CHECKING:\n    import x\n", TypeChecking),
            ("if sys.version_info < (3, 11):\n    import x\n", Conditional),
            ("if a:\n    pass\nelse:\n    import x\n", Conditional),
            ("def f():\n    import x\n", Deferred),
            ("def f():\n    try:\n        import x\n    except ImportError:\n        pass\n", Optional),
            ("try:\n    import x\nfinally:\n    pass\n", Certainty::Certain),
            ("if TYPE_CHECKING:\n    pass\nelse:\n    import x\n", Certainty::Certain),
        ] {
            let all = found(text);
            assert_eq!(all.len(), 1, "{text}");
            assert_eq!(all[0].2, certainty, "{text}");
        }
    }

    #[test]
    fn survives_python_2_and_anything_else() {
        assert_eq!(certain("print 'old'\nimport urllib2\n"), ["urllib2"]);
        assert_eq!(found("import\nfrom import x\nimport a..b\n"), []);
        assert!(imports("import sys\nsys.path.insert(0, 'x')\n").changes_path);
        // on a thread with the stack that [`STACK`] asks for
        let work = || {
            for deep in ["(".repeat(100_000), "[".repeat(5000), "-".repeat(100_000), "not ".repeat(50_000)] {
                imports(&format!("import a\nx = {deep}"));
            }
            imports(&format!(
                "import a\n{}",
                (0..3000).map(|n| " ".repeat(n) + "if a:\n").collect::<String>()
            ));
            for seed in 0..100 {
                imports(&format!("import {}", String::from_utf8_lossy(&crate::parse::noise(seed, 300))));
            }
        };
        std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap();
    }
}
