//! A file of the project hides a module of the standard library.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::distribution::TopLevelKind;
use crate::facts::import_setup::{LocalModule, ScriptDirectory};
use crate::facts::interpreter::Version;
use crate::imports::stdlib;

use super::{python_version, some_of};

pub static CHECK: Check = Check {
    id: "shadowed-stdlib",
    category: Category::Isolation,
    severity: Severity::Error,
    summary: "A project file hides a standard-library module",
    needs: &[Need::Project],
    explains: &["shadowed-package"],
    explanation: r#"
## What it means
`python main.py` puts the directory of `main.py` first on the import path, `python -c`, `python -m` and the prompt the working
directory. A `random.py` there is what `import random` finds, for your own code and for every library that imports `random`:
`tempfile`, NumPy, and pip. The errors look odd, because the wrong file is half-way through its own import:
`AttributeError: partially initialized module 'random' has no attribute 'randint' (most likely due to a circular import)`.

## How it happens
A first script is called after what it tries out: `random.py`, `socket.py`, `email.py`, `csv.py`, `types.py`, `logging.py`.

## How to fix it
Rename the file, and delete the bytecode that Python kept of it:

    mv random.py random_demo.py
    rm -rf __pycache__

`python -P main.py` (3.11 and later) leaves the directory out, if nothing beside the script is to be imported.

## When it is fine
A module inside of a package (`mypackage/types.py`) hides nothing as long as no script is started from inside of it. Neither do
modules that Python has loaded before it looks there: `os`, `sys`, `io`, `time`, `codecs`.
"#,
    examine,
};

/// Built into the interpreter, frozen, or imported by `site` before the first entry of the import path is set: a file of such a
/// name is never found by a plain `import`. On purpose also `test`, which nobody imports from the standard library.
const OUT_OF_REACH: &[&str] = &[
    "sys",
    "builtins",
    "_thread",
    "_warnings",
    "_weakref",
    "_io",
    "_abc",
    "_codecs",
    "_collections",
    "_functools",
    "_imp",
    "_signal",
    "_sre",
    "_stat",
    "_string",
    "_symtable",
    "_tracemalloc",
    "_locale",
    "_operator",
    "atexit",
    "errno",
    "faulthandler",
    "gc",
    "itertools",
    "marshal",
    "posix",
    "nt",
    "pwd",
    "time",
    "abc",
    "codecs",
    "encodings",
    "io",
    "_collections_abc",
    "_sitebuiltins",
    "genericpath",
    "ntpath",
    "posixpath",
    "os",
    "site",
    "stat",
    "importlib",
    "zipimport",
    "runpy",
    "__future__",
    "__main__",
    "this",
    "antigravity",
    "test",
    "tests",
    "idlelib",
    "lib2to3",
    "turtledemo",
    "venv",
    "ensurepip",
    "setup",
    "sitecustomize",
    "usercustomize",
];

/// Imported by so much of the standard library and of installed packages that a file of the name breaks programs that have
/// nothing to do with it.
const IMPORTED_BY_OTHERS: &[&str] = &[
    "argparse",
    "ast",
    "asyncio",
    "base64",
    "bisect",
    "calendar",
    "collections",
    "concurrent",
    "configparser",
    "contextlib",
    "copy",
    "copyreg",
    "csv",
    "ctypes",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "dis",
    "email",
    "enum",
    "fnmatch",
    "fractions",
    "functools",
    "getpass",
    "gettext",
    "glob",
    "gzip",
    "hashlib",
    "heapq",
    "hmac",
    "html",
    "http",
    "inspect",
    "ipaddress",
    "json",
    "keyword",
    "linecache",
    "locale",
    "logging",
    "math",
    "mimetypes",
    "multiprocessing",
    "numbers",
    "opcode",
    "operator",
    "pathlib",
    "pickle",
    "pkgutil",
    "platform",
    "pprint",
    "queue",
    "random",
    "re",
    "reprlib",
    "select",
    "selectors",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "statistics",
    "string",
    "struct",
    "subprocess",
    "sysconfig",
    "tarfile",
    "tempfile",
    "textwrap",
    "threading",
    "token",
    "tokenize",
    "traceback",
    "types",
    "typing",
    "unicodedata",
    "unittest",
    "urllib",
    "uuid",
    "warnings",
    "weakref",
    "xml",
    "zipfile",
    "zlib",
];

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(version) = python_version(facts) else { return };
    let safe_path = facts.shell.set("PYTHONSAFEPATH").is_some() && (version.major, version.minor) >= (3, 11);
    if safe_path {
        return;
    }
    for place in &facts.import_setup.script_directories {
        for module in place.modules.iter().filter(|module| hides(module, version)) {
            findings.push(finding(facts, place, module, version));
        }
    }
}

fn hides(module: &LocalModule, version: Version) -> bool {
    stdlib::contains(version, &module.name)
        && !module.name.starts_with('_')
        && !OUT_OF_REACH.contains(&module.name.as_str())
}

fn finding(facts: &Facts, place: &ScriptDirectory, module: &LocalModule, version: Version) -> Finding {
    let name = &module.name;
    let message = format!("{} hides the standard library's module `{name}`", module.path);
    let importers: Vec<String> = place
        .imports
        .iter()
        .filter(|import| import.name == *name)
        .map(|import| format!("{}, line {}", import.file.name(), import.line))
        .collect();
    let by_itself =
        place.imports.iter().any(|import| import.name == *name && import.file.same_as(&module.path));
    let widely = IMPORTED_BY_OTHERS.contains(&name.as_str());
    let severity = if by_itself || widely { Severity::Error } else { Severity::Warning };
    let mut finding = Finding::new(&CHECK, Subject::file(&module.path), message)
        .severity(severity)
        .evidence("file", module.path.to_text())
        .evidence(format!("standard library of {}", version.minor_text()), format!("has `{name}`"));
    if !importers.is_empty() {
        finding = finding.evidence("imported by", some_of(&importers));
    }
    if by_itself {
        finding = finding.evidence(
            "meant was the standard library's",
            format!("{} imports `{name}` itself", module.path.name()),
        );
    }
    if let Some(patient) = &facts.patient {
        finding = finding.about(patient);
    }
    finding.remedy(rename(place, module))
}

/// Another name for it, that nothing has yet.
fn rename(place: &ScriptDirectory, module: &LocalModule) -> Remedy {
    let suffix = match module.kind {
        TopLevelKind::Package => "",
        _ => ".py",
    };
    let taken = |name: &str| place.modules.iter().any(|other| other.name == name);
    let new = ["my_", "own_", "local_"]
        .iter()
        .map(|prefix| format!("{prefix}{}", module.name))
        .find(|name| !taken(name))
        .unwrap_or_else(|| format!("renamed_{}", module.name));
    let target = place.directory.join(format!("{new}{suffix}"));
    let summary =
        format!("Give it another name (and change the imports of it), for example {}", target.name());
    Remedy::review(summary, vec![Action::run(["mv".into(), (&module.path).into(), target.into()])])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::isolation::tests::with_script_directory;
    use crate::facts::example;

    #[test]
    fn fires_when_a_file_has_the_name_of_a_module() {
        let found = CHECK.findings(&with_script_directory(&["random", "main"], &[("random", "random")]));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert!(found[0].message.ends_with("hides the standard library's module `random`"));
    }

    #[test]
    fn fires_as_a_warning_when_few_import_it() {
        assert_eq!(CHECK.findings(&with_script_directory(&["cmd"], &[]))[0].severity, Severity::Warning);
    }

    #[test]
    fn quiet_when_the_module_cannot_be_hidden() {
        assert!(CHECK.findings(&with_script_directory(&["os", "time", "test", "__main__"], &[])).is_empty());
    }

    #[test]
    fn quiet_when_the_version_has_no_such_module() {
        assert!(CHECK.findings(&with_script_directory(&["tomllib_demo", "utils"], &[])).is_empty());
        let mut facts = with_script_directory(&["tomllib"], &[]);
        assert_eq!(CHECK.findings(&facts).len(), 1);
        for interpreter in &mut facts.interpreters {
            interpreter.version = Some(Version::new(3, 10, None));
        }
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_directory_is_not_on_the_import_path() {
        let mut facts = with_script_directory(&["random"], &[]);
        example::set_variable(&mut facts, "PYTHONSAFEPATH", "1");
        assert!(CHECK.findings(&facts).is_empty());
    }
}
