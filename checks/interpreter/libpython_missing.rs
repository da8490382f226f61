//! The interpreter is a small program around a `libpython` that the loader does not find.

use super::{CANNOT_START, examined, faulty, severity, with_replacement, with_same_minor};
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::interpreter::{Interpreter, LibraryLookup, LinkEnd};
use crate::facts::platform::System;

pub static CHECK: Check = Check {
    id: "libpython-missing",
    category: Category::Interpreter,
    severity: Severity::Error,
    summary: "The interpreter's own library is in no library path",
    needs: &[Need::Binaries, Need::Installed],
    explains: CANNOT_START,
    explanation: r#"
## What it means
Many Pythons are built in two parts: a small `python` and a library with all the rest, `libpython3.11.so.1.0` (on
macOS `Python` or `libpython3.11.dylib`). The loader looks for it in the directories that are written into the
program (`RUNPATH`), in `LD_LIBRARY_PATH`, and in those of the system. It is in none of them, so nothing starts:
"error while loading shared libraries", "Library not loaded: @executable_path/../.Python".

## How it happens
A cluster's module or a software collection was loaded when the environment was made and is not loaded now; the
base Python was rebuilt, moved or removed while its `python` was copied into the environment; a package manager
replaced the library by that of another minor version.

## How to fix it
On a cluster load the module again (`module load Python/3.11`, `scl enable rh-python38 bash`). If the library lies
in a directory that you know:

    export LD_LIBRARY_PATH=/opt/python/lib

Otherwise point the environment at another Python of the same minor version, or make it again.
`ldd .venv/bin/python` shows what is missing.

## When it is fine
When the environment belongs to a module or a container that is not active in this shell.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in examined(facts) {
        if facts.answers(environment) {
            continue;
        }
        let Some(interpreter) = faulty(facts, environment, |found| missing(found).is_some()) else {
            continue;
        };
        let Some(library) = missing(interpreter) else { continue };
        let mut finding = Finding::new(
            &CHECK,
            Subject::Environment(environment.root.clone()),
            format!("{} needs {}, which is in no library path", interpreter.path, library.name),
        )
        .severity(severity(facts, environment))
        .evidence("needs", format!("{} (not found)", library.name));
        if !library.searched.is_empty() {
            let searched: Vec<_> = library.searched.iter().map(|directory| directory.to_text()).collect();
            finding = finding.evidence("searched", searched.join(", "));
        }
        if interpreter.links.is_link() {
            finding = finding.evidence("links", interpreter.links_text());
        }
        finding = with_same_minor(finding, facts, environment);
        finding = with_replacement(finding, facts, environment);
        let variable = match facts.platform.system {
            System::MacOs => "DYLD_LIBRARY_PATH",
            _ => "LD_LIBRARY_PATH",
        };
        findings.push(finding.remedy(Remedy::manual(
            "Let the loader find the library",
            vec![Action::Advice(format!(
                "load the module that brings {} (module load, scl enable), or add its directory to {variable}",
                library.name
            ))],
        )));
    }
}

fn missing(interpreter: &Interpreter) -> Option<&LibraryLookup> {
    if interpreter.links.end != LinkEnd::File {
        return None;
    }
    interpreter.libpython.iter().find(|library| library.found.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{healthy, interpreters_of, path};
    use crate::facts::interpreter::Probe;

    fn with_library(found: Option<&str>) -> Facts {
        let mut facts = healthy();
        for interpreter in interpreters_of(&mut facts) {
            interpreter.libpython = vec![LibraryLookup {
                name: "libpython3.11.so.1.0".to_owned(),
                found: found.map(path),
                through: found.map(|_| "RUNPATH".to_owned()),
                own: found.map(path),
                found_version: None,
                own_version: None,
                searched: vec![path("/opt/py/lib"), path("/usr/lib/x86_64-linux-gnu")],
            }];
        }
        facts
    }

    #[test]
    fn fires_when_the_library_is_nowhere() {
        let found = CHECK.findings(&with_library(None));
        assert_eq!(found.len(), 1);
        assert!(found[0].message.contains("needs libpython3.11.so.1.0"), "{found:?}");
        assert!(found[0].evidence.iter().any(|line| line.value.contains("/opt/py/lib, /usr/lib")));
    }

    #[test]
    fn quiet_when_it_is_found() {
        assert_eq!(CHECK.findings(&with_library(Some("/opt/py/lib/libpython3.11.so.1.0"))), []);
    }

    #[test]
    fn quiet_when_the_build_is_static() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }

    #[test]
    fn quiet_when_it_answers_all_the_same() {
        let mut facts = with_library(None);
        interpreters_of(&mut facts)
            .for_each(|interpreter| interpreter.probe = Probe::Answered(Box::default()));
        assert_eq!(CHECK.findings(&facts), []);
    }
}
