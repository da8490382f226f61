//! What a `setup.py` says in so many words: the literal arguments of its call of `setup`. It is read, never run, and
//! what a program computes is not guessed.

use ruff_python_ast::{Expr, ExprCall, Stmt};
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};

use super::python_imports::{Lines, nests_too_deep};

/// Literal arguments of `setup()`, each text with its line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetupCall {
    pub python_requires: Option<(usize, String)>,
    pub install_requires: Vec<(usize, String)>,
    /// With what stands before them: the name of the extra, a marker behind a colon (`:python_version < "3.8"`), both.
    pub extras_require: Vec<(usize, String, String)>,
}

/// Reads the file. It wants a thread with [`STACK`](super::python_imports::STACK).
pub fn parse(text: &str) -> SetupCall {
    let mut found = SetupCall::default();
    if !text.contains("_require") || nests_too_deep(text) {
        return found;
    }
    let parsed = parse_unchecked(text, ParseOptions::from(Mode::Module)).try_into_module();
    let Some(parsed) = parsed else { return found };
    let reader = Reader { text, top: parsed.suite() };
    let Some(call) = parsed.suite().iter().find_map(setup_call) else { return found };
    for keyword in &call.arguments.keywords {
        match keyword.arg.as_ref().map(|name| name.as_str()) {
            Some("python_requires") => found.python_requires = reader.string(&keyword.value),
            Some("install_requires") => found.install_requires = reader.strings(&keyword.value),
            Some("extras_require") => found.extras_require = reader.extras(&keyword.value),
            _ => {}
        }
    }
    found
}

/// `setup(...)` or `setuptools.setup(...)`, at the top or below `if __name__ == "__main__":`.
fn setup_call(statement: &Stmt) -> Option<&ExprCall> {
    match statement {
        Stmt::Expr(statement) => {
            let Expr::Call(call) = statement.value.as_ref() else { return None };
            let name = match call.func.as_ref() {
                Expr::Name(name) => name.id.as_str(),
                Expr::Attribute(attribute) => attribute.attr.as_str(),
                _ => return None,
            };
            (name == "setup").then_some(call)
        }
        Stmt::If(choice) => {
            let Expr::Compare(test) = choice.test.as_ref() else { return None };
            let Expr::Name(name) = test.left.as_ref() else { return None };
            let main = name.id.as_str() == "__name__";
            main.then(|| choice.body.iter().find_map(setup_call)).flatten()
        }
        _ => None,
    }
}

struct Reader<'t> {
    text: &'t str,
    top: &'t [Stmt],
}

impl<'t> Reader<'t> {
    /// The expression itself, or what stands for it: a name that is bound once, at the top, and used nowhere else.
    fn literal<'e>(&self, value: &'e Expr) -> &'e Expr
    where
        't: 'e,
    {
        let Expr::Name(name) = value else { return value };
        let name = name.id.as_str();
        let is_letter = |letter: char| letter == '_' || letter.is_alphanumeric();
        let mentions = self.text.split(|letter| !is_letter(letter)).filter(|word| *word == name).count();
        let bound = self.top.iter().find_map(|statement| {
            let Stmt::Assign(assign) = statement else { return None };
            let [Expr::Name(target)] = assign.targets.as_slice() else { return None };
            (target.id.as_str() == name).then_some(assign.value.as_ref())
        });
        bound.filter(|_| mentions == 2 || (mentions == 3 && self.is_keyword(name))).unwrap_or(value)
    }

    /// `install_requires=install_requires` mentions the name once more.
    fn is_keyword(&self, name: &str) -> bool {
        matches!(name, "install_requires" | "extras_require" | "python_requires")
    }

    fn string(&self, value: &Expr) -> Option<(usize, String)> {
        match self.literal(value) {
            Expr::StringLiteral(literal) => {
                let line = Lines::new(self.text).at(literal.range.start().to_usize());
                Some((line, literal.value.to_str().to_owned()))
            }
            _ => None,
        }
    }

    /// The literal members of a list; a text of several lines is a list as well.
    fn strings(&self, value: &Expr) -> Vec<(usize, String)> {
        let members = match self.literal(value) {
            Expr::List(list) => &list.elts,
            Expr::Tuple(tuple) => &tuple.elts,
            literal => {
                let text = self.string(literal);
                let lines =
                    text.iter().flat_map(|(line, text)| text.lines().map(|one| (*line, one.to_owned())));
                return lines.collect();
            }
        };
        members.iter().filter_map(|member| self.string(member)).collect()
    }

    fn extras(&self, value: &Expr) -> Vec<(usize, String, String)> {
        let Expr::Dict(dict) = self.literal(value) else { return Vec::new() };
        let mut found = Vec::new();
        for item in &dict.items {
            let Some((_, name)) = item.key.as_ref().and_then(|key| self.string(key)) else { continue };
            let texts = self.strings(&item.value).into_iter();
            found.extend(texts.map(|(line, text)| (line, name.clone(), text)));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_literal_arguments_with_their_lines() {
        let call = parse(
            "from setuptools import setup\nREQUIRES = [\n    'requests>=2',\n]\nsetup(\n    name='x',\n    python_requires='>=3.8',\n    install_requires=REQUIRES,\n    extras_require={\n        'dev': ['pytest'],\n        ':python_version < \"3.8\"': ['tomli'],\n    },\n)\n",
        );
        assert_eq!(call.python_requires, Some((7, ">=3.8".to_owned())));
        assert_eq!(call.install_requires, [(3, "requests>=2".to_owned())]);
        assert_eq!(call.extras_require[0], (10, "dev".to_owned(), "pytest".to_owned()));
        assert_eq!(call.extras_require[1].1, ":python_version < \"3.8\"");
        let main = "import setuptools\nif __name__ == '__main__':\n    setuptools.setup(install_requires=('a', 'b' 'c'))\n";
        assert_eq!(parse(main).install_requires, [(3, "a".to_owned()), (3, "bc".to_owned())]);
        let same = "install_requires = ['a']\nsetup(install_requires=install_requires)\n";
        assert_eq!(parse(same).install_requires.len(), 1);
    }

    #[test]
    fn what_is_computed_is_not_guessed() {
        for text in [
            "setup(install_requires=read('requirements.txt'))",
            "REQUIRES = ['a']\nif old:\n    REQUIRES = ['b']\nsetup(install_requires=REQUIRES)",
            "REQUIRES = ['a']\nREQUIRES.append('b')\nsetup(install_requires=REQUIRES)",
            "setup(install_requires=['a'] + more)",
            "setup(**install_requires)",
            "install_requires = ['a']",
            "other(install_requires=['a'])",
        ] {
            assert_eq!(parse(text), SetupCall::default(), "{text}");
        }
    }

    #[test]
    fn survives_anything() {
        for seed in 0..100 {
            let noise = crate::parse::noise(seed, 300);
            parse(&format!("setup(install_requires=[{}", String::from_utf8_lossy(&noise)));
        }
    }
}
