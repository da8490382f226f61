//! Modules that no file stands for: a package's own code puts them into `sys.modules`, or has a finder for them
//! (`six.moves`, `xml.parsers.expat.model`, `gi.repository.GLib`). Files cannot tell whether it does.

use super::{Found, ModuleKind, Resolver};
use crate::host::TEXT_LIMIT;
use crate::imports::build::Implementation;
use crate::imports::spelling::Spelling;
use crate::imports::stdlib;
use crate::parse::python_source::installs_finder;
use crate::path::Flavour;

/// So long may the key of an item of `sys.modules` be.
const KEY_LIMIT: usize = 500;

/// What modules of the standard library that are no packages put into `sys.modules` when they are imported, by the
/// module that does it, and the minor versions of Python 3 from and to: all that there are in CPython 2.7 and 3.6 to
/// 3.15.
const REGISTERED: [(&str, &str, u8, u8); 7] = [
    ("math.integer", "math", 15, u8::MAX),
    ("pyexpat.errors", "pyexpat", 0, u8::MAX),
    ("pyexpat.model", "pyexpat", 0, u8::MAX),
    ("typing.io", "typing", 6, 12),
    ("typing.re", "typing", 6, 12),
    ("xml.parsers.expat.errors", "pyexpat", 0, u8::MAX),
    ("xml.parsers.expat.model", "pyexpat", 0, u8::MAX),
];

impl Resolver<'_> {
    /// `os.path` is no submodule: `os` puts it into `sys.modules`. What does so is found in its place.
    pub(super) fn put_into_sys_modules(&self, module: &str) -> Option<Found> {
        let windows = self.place.flavour == Flavour::Windows;
        if module == "os.path" {
            let file = if windows { "ntpath" } else { "posixpath" };
            return self.find(file, None, &mut Vec::new()).map(|(found, _)| found);
        }
        let (major, minor) = (self.build.version.major, self.build.version.minor);
        let (_, maker, ..) = REGISTERED.iter().find(|(name, _, since, last)| {
            *name == module && (major < 3 && *since == 0 || major == 3 && (*since..=*last).contains(&minor))
        })?;
        let (found, _) = self.find(maker, None, &mut Vec::new())?;
        self.is_standard(maker, &found).then_some(found)
    }

    /// Whether a top-level module is the standard library's, and no stranger of that name.
    fn is_standard(&self, name: &str, found: &Found) -> bool {
        if !stdlib::contains(self.build.into(), name) {
            return false;
        }
        let directory = found.origin.as_ref().map(|origin| self.place.dirname(origin.as_bytes()));
        let directory = directory.unwrap_or_default();
        match found.kind {
            ModuleKind::BuiltIn | ModuleKind::Frozen => true,
            ModuleKind::Extension => matches!(self.place.basename(&directory), b"lib-dynload" | b"DLLs"),
            _ => self.build.stdlib.as_ref().is_some_and(|stdlib| stdlib.as_bytes() == directory),
        }
    }

    /// Which of the modules above `failing` may make it when it runs: one without a source that could be read, or one
    /// whose source does such things.
    pub(super) fn maker(&self, above: &[(&str, Found)], failing: &str) -> Option<Spelling> {
        above
            .iter()
            .rev()
            .find(|(name, found)| self.may_make(name, found, failing))
            .map(|(name, found)| found.origin.clone().unwrap_or_else(|| Spelling::from(*name)))
    }

    fn may_make(&self, name: &str, found: &Found, failing: &str) -> bool {
        // what these make is known; PyPy's own modules make others
        let known = self.build.implementation == Implementation::CPython && found.locations.is_empty();
        if known && self.is_standard(name, found) {
            return false;
        }
        match found.kind {
            ModuleKind::Namespace => false,
            ModuleKind::Extension | ModuleKind::BuiltIn | ModuleKind::Bytecode | ModuleKind::Zip => true,
            ModuleKind::Source | ModuleKind::Package | ModuleKind::Frozen => {
                self.source_of(name, found).is_none_or(|text| registers(&text, failing))
            }
        }
    }

    /// Frozen modules have theirs in the standard library.
    fn source_of(&self, name: &str, found: &Found) -> Option<String> {
        let read = |path: &[u8]| Some(self.place.read(path, TEXT_LIMIT).ok()?.text().into_owned());
        if found.kind != ModuleKind::Frozen {
            return found
                .origin
                .as_ref()
                .map(Spelling::as_bytes)
                .filter(|it| it.ends_with(b".py"))
                .and_then(read);
        }
        let below = name.replace('.', "/");
        let stdlib = self.build.stdlib.as_ref()?.as_bytes();
        [format!("{below}.py"), format!("{below}/__init__.py")]
            .iter()
            .find_map(|file| read(&self.place.join(stdlib, file)))
    }
}

/// Whether such source may bring `failing` about: it writes to `sys.modules`, installs a finder, or extends its
/// `__path__` otherwise than by `extend_path`, which is followed.
pub fn registers(text: &str, failing: &str) -> bool {
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let code = code.join("\n");
    installs_finder(&code)
        || code.match_indices("sys.modules").any(|(at, sign)| {
            let (before, after) = (&code[..at], &code[at + sign.len()..]);
            writes_modules(before, after, failing)
        })
        || code.lines().filter(|line| !line.contains("extend_path(")).any(alters_path)
}

/// What stands around one `sys.modules`: an assignment to an item, a method that changes it, another name for it.
fn writes_modules(before: &str, after: &str, failing: &str) -> bool {
    if after.starts_with(".update(") {
        return true;
    }
    if let Some(rest) = [".setdefault(", ".__setitem__("].iter().find_map(|method| after.strip_prefix(method))
    {
        let key = rest.split(',').next().unwrap_or_default();
        return literal(key.trim()).is_none_or(|name| leads_to(name, failing));
    }
    if let Some(rest) = after.strip_prefix('[') {
        let Some((key, rest)) = bracketed(rest) else { return false };
        return is_assigned(rest) && literal(key.trim()).is_none_or(|name| leads_to(name, failing));
    }
    let before = before.trim_end_matches([' ', '_']);
    after.trim_start_matches(' ').starts_with('\n') && before.ends_with('=') && !before.ends_with("==")
}

/// `a.b` or what lies below it is registered, where `a.b` is missing.
fn leads_to(registered: &str, failing: &str) -> bool {
    registered.strip_prefix(failing).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Up to the bracket that closes what has been opened, and what follows it.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0usize;
    for (at, letter) in text.char_indices().take(KEY_LIMIT) {
        match letter {
            '[' => depth += 1,
            ']' if depth == 0 => return Some((&text[..at], &text[at + 1..])),
            ']' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn is_assigned(rest: &str) -> bool {
    let rest = rest.trim_start_matches(' ');
    rest.starts_with('=') && !rest.starts_with("==")
}

/// The text of a plain string literal.
fn literal(key: &str) -> Option<&str> {
    let quote = key.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    let text = key.strip_prefix(quote)?.strip_suffix(quote)?;
    (!text.contains(quote)).then_some(text)
}

fn alters_path(line: &str) -> bool {
    line.match_indices("__path__").any(|(at, name)| {
        let rest = line[at + name.len()..].trim_start();
        let item = rest.strip_prefix('[').and_then(bracketed).is_some_and(|(_, rest)| is_assigned(rest));
        let call = [".append(", ".insert(", ".extend(", "+="].iter().any(|sign| rest.starts_with(sign));
        item || call || is_assigned(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_registers_modules_is_told_from_what_reads_them() {
        let makes = [
            "sys.modules['p.made'] = made\n",
            "sys.modules[\"p.made.below\"] = made\n",
            "_sys.modules[__name__ + \".made\"] = made",
            "sys.modules[\n    f\"{__name__}.{name[0]}\"\n] = made",
            "sys.modules[io.__name__] = io",
            "modules = sys.modules\nmodules[x] = y",
            "sys.modules.update(made)",
            "sys.modules.setdefault(name, made)",
            "sys.modules.setdefault('p.made', made)",
            "sys.meta_path.append(_importer)",
            "__path__.append(elsewhere)",
            "__path__[:] = []",
            "__path__ = [elsewhere]",
            "apipkg.initpkg(__name__, {})",
        ];
        for text in makes {
            assert!(registers(text, "p.made"), "{text}");
        }
        let not = [
            "",
            "# sys.modules['p.made'] = made",
            "sys.modules['p.other'] = other",
            "sys.modules['p.madeup'] = other",
            "this = sys.modules[__name__]",
            "sys.modules.setdefault('google', types.ModuleType('google'))",
            "if sys.modules[name] == made: pass",
            "if 'p' in sys.modules: del sys.modules['p']",
            "for finder in sys.meta_path: pass",
            "for it in pkgutil.iter_modules(__path__): pass",
            "__path__ = __import__('pkgutil').extend_path(__path__, __name__)",
            "if __path__ == []: pass",
            "sys.modules[",
        ];
        for text in not {
            assert!(!registers(text, "p.made"), "{text}");
        }
    }
}
