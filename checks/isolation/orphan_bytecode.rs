//! A bytecode file without its source: imported although the module was deleted, or refused as another Python's.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::import_setup::OrphanBytecode;
use crate::facts::interpreter::Version;

use super::{python_version, some_of};

pub static CHECK: Check = Check {
    id: "orphan-bytecode",
    category: Category::Isolation,
    severity: Severity::Warning,
    summary: "A bytecode file without its source is imported, or breaks the import",
    needs: &[Need::Project],
    explains: &["unresolvable-import"],
    explanation: r#"
## What it means
Python imports `x.pyc` that lies outside `__pycache__` where there is no `x.py` beside it. Made by another version, it stops the
import: `ImportError: bad magic number in 'x'`. Made by the same version, it is imported, and a module that was deleted or
renamed goes on working on this machine alone.

## How it happens
Python 2 wrote its bytecode beside the sources, `python -m compileall -b` still does. The source was then deleted, renamed or
left behind by `git checkout`, and the `.pyc`, which git ignores, stayed.

## How to fix it
Delete them; Python writes bytecode anew wherever it needs it:

    find . -name '*.pyc' -not -path '*/__pycache__/*' -not -path './.venv/*' -delete

If the module is still needed, bring its source back: `git log --all -- x.py`.

## When it is fine
Where programs are shipped as bytecode alone on purpose, for the Python that runs them.
"#,
    examine,
};

/// The magic number of each version, from `_RAW_MAGIC_NUMBER` in CPython's importlib: first and last value, minor.
const MAGIC: [(u16, u16, u32); 11] = [
    (3310, 3351, 5),
    (3360, 3379, 6),
    (3390, 3394, 7),
    (3400, 3413, 8),
    (3420, 3425, 9),
    (3430, 3439, 10),
    (3450, 3495, 11),
    (3500, 3531, 12),
    (3550, 3571, 13),
    (3600, 3627, 14),
    (3650, 3699, 15),
];

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(version) = python_version(facts) else { return };
    let pypy = facts
        .shell_python()
        .and_then(|command| facts.interpreter(&command.chosen()?.path))
        .is_some_and(|interpreter| interpreter.implementation.as_deref() != Some("cpython"));
    if pypy {
        return;
    }
    for place in &facts.import_setup.script_directories {
        let found: Vec<(&OrphanBytecode, Version)> =
            place.bytecode.iter().filter_map(|file| Some((file, made_for(file.magic?)?))).collect();
        let refused: Vec<&(&OrphanBytecode, Version)> =
            found.iter().filter(|(_, made)| !same(*made, version)).collect();
        let taken: Vec<&(&OrphanBytecode, Version)> =
            found.iter().filter(|(file, made)| same(*made, version) && file.among_sources).collect();
        let (files, message) = match (refused.as_slice(), taken.as_slice()) {
            ([(first, made), ..], _) => (
                &refused,
                format!(
                    "{} is bytecode of Python {} without a source, and `import {}` stops at it",
                    first.path,
                    made.minor_text(),
                    first.name
                ),
            ),
            ([], [(first, _), ..]) => {
                (&taken, format!("{} is imported as `{}`, and its source is gone", first.path, first.name))
            }
            _ => continue,
        };
        findings.push(finding(facts, version, files, message));
    }
}

fn finding(
    facts: &Facts,
    version: Version,
    files: &[&(&OrphanBytecode, Version)],
    message: String,
) -> Finding {
    let first = files.first().map(|(file, _)| &file.path);
    let subject = first.map_or(Subject::Project(None), Subject::file);
    let mut finding = Finding::new(&CHECK, subject, message).evidence("Python", version.to_string());
    for (file, made) in files.iter().take(3) {
        let magic = file.magic.unwrap_or_default();
        finding = finding.evidence(
            file.path.name(),
            format!(
                "magic number {magic}, which is Python {}'s; no {}.py beside it",
                made.minor_text(),
                file.name
            ),
        );
    }
    let importers: Vec<String> = facts
        .import_setup
        .script_directories
        .iter()
        .flat_map(|place| &place.imports)
        .filter(|import| files.iter().any(|(file, _)| file.name == import.name))
        .map(|import| format!("{}, line {}", import.file.name(), import.line))
        .collect();
    if !importers.is_empty() {
        finding = finding.evidence("imported by", some_of(&importers));
    }
    if files.iter().all(|(_, made)| !same(*made, version)) {
        finding = finding.remedy(begin_anew(files));
    }
    let mut words: Vec<Word> = vec!["rm".into(), "-f".into()];
    words.extend(files.iter().map(|(file, _)| Word::from(&file.path)));
    let delete = vec![Action::Run(words)];
    finding.remedy(Remedy::review("Delete the bytecode, and bring back or do without its source", delete))
}

/// Keeps the bytecode, from which the source may be won back, and gives the module a file to write it into.
fn begin_anew(files: &[&(&OrphanBytecode, Version)]) -> Remedy {
    let mut actions = Vec::new();
    for (file, made) in files {
        let mut aside = file.path.as_bytes().to_vec();
        aside.extend_from_slice(b".disabled");
        let note = format!(
            "# The source of this module is lost. {}.disabled is what Python {} made of it.",
            file.path.name(),
            made.minor_text()
        );
        actions.push(Action::run(["mv".into(), (&file.path).into(), Word(aside)]));
        if let Some(directory) = file.path.parent() {
            actions.push(Action::WriteLines {
                file: directory.join(format!("{}.py", file.name)),
                lines: vec![note.into()],
                append: true,
            });
        }
    }
    Remedy::review("Put the bytecode aside, and begin a new source in its place", actions)
}

fn made_for(magic: u16) -> Option<Version> {
    if (62_041..=62_211).contains(&magic) {
        return Some(Version::new(2, 7, None));
    }
    let (_, _, minor) = MAGIC.iter().find(|(first, last, _)| (*first..=*last).contains(&magic))?;
    Some(Version::new(3, *minor, None))
}

fn same(left: Version, right: Version) -> bool {
    (left.major, left.minor) == (right.major, right.minor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::isolation::tests::with_script_directory;
    use crate::facts::example;

    fn orphan(magic: u16, among_sources: bool) -> Facts {
        let mut facts = with_script_directory(&["main"], &[("utils", "main")]);
        facts.import_setup.script_directories[0].bytecode = vec![OrphanBytecode {
            name: "utils".into(),
            path: example::path("/home/me/project/utils.pyc"),
            magic: Some(magic),
            among_sources,
        }];
        facts
    }

    #[test]
    fn fires_when_another_python_made_it() {
        let found = CHECK.findings(&orphan(62_211, false));
        assert!(found[0].message.contains("bytecode of Python 2.7"), "{}", found[0].message);
        assert!(found[0].evidence.iter().any(|it| it.value == "main.py, line 1"));
    }

    #[test]
    fn fires_when_a_deleted_module_is_still_imported() {
        assert!(CHECK.findings(&orphan(3495, true))[0].message.contains("its source is gone"));
    }

    #[test]
    fn quiet_when_bytecode_alone_is_shipped_for_this_python() {
        assert!(CHECK.findings(&orphan(3495, false)).is_empty());
    }

    #[test]
    fn quiet_when_the_number_is_no_versions() {
        assert!(CHECK.findings(&orphan(7, true)).is_empty());
        assert!(CHECK.findings(&with_script_directory(&["main"], &[])).is_empty());
    }
}
