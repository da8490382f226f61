//! Modules that were compiled against NumPy 1 meet NumPy 2.

use super::{NAMED, patient, whose};
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;

pub static CHECK: Check = Check {
    id: "extension-abi-mismatch",
    category: Category::Native,
    severity: Severity::Error,
    summary: "Compiled modules were built against another NumPy ABI",
    needs: &[Need::Native, Need::Binaries],
    explains: &["dependency-conflict"],
    explanation: r#"
## What it means
Modules that use NumPy from C are compiled against its headers, and NumPy 2 changed the layout of what those
describe. A module that was compiled with the headers of NumPy 1 is refused by NumPy 2: "A module that was compiled
using NumPy 1.x cannot be run in NumPy 2", "numpy.core.multiarray failed to import", or "numpy.dtype size changed,
may indicate binary incompatibility". The headers leave their mark in the module's file: NumPy 1's look for
`numpy.core._multiarray_umath` alone, NumPy 2's for `numpy._core._multiarray_umath`.

## How it happens
A requirement such as `numpy>=1.20` without an upper bound let NumPy 2 in, beside a distribution whose release is
older (June 2024), or an old wheel was kept in a cache or a lock file.

## How to fix it
Take a release of the distribution that was built for NumPy 2:

    .venv/bin/python -m pip install --upgrade bottleneck

If there is none, stay with NumPy 1:

    .venv/bin/python -m pip install 'numpy<2'

## When it is fine
Modules that were compiled with NumPy 2 also work with NumPy 1.19 and later; nothing is said of those. Modules made
with pybind11 find NumPy by themselves and are not judged.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, native)) = patient(facts) else { return };
    let Some(mismatch) = &native.numpy else { return };
    let owners: Vec<_> = mismatch.compiled_for_1.iter().map(|(owner, _)| owner).collect();
    if owners.is_empty() {
        return;
    }
    let mut finding = Finding::new(
        &CHECK,
        Subject::Environment(environment.root.clone()),
        format!(
            "{} cannot be imported: compiled against NumPy 1, with NumPy {} installed",
            whose(&owners, &[]),
            mismatch.numpy_version
        ),
    )
    .evidence("NumPy", mismatch.numpy_version.clone());
    for (owner, path) in mismatch.compiled_for_1.iter().take(NAMED) {
        finding = finding.evidence(
            format!("{} {}", owner.name, owner.version),
            format!("{path} has the headers of NumPy 1"),
        );
    }
    let python = Word::from(environment.program("python"));
    let install = |rest: Vec<Word>| {
        let words = [python.clone()].into_iter().chain(["-m", "pip", "install"].map(Word::from)).chain(rest);
        Action::Run(words.collect())
    };
    let upgrade = [Word::from("--upgrade")]
        .into_iter()
        .chain(owners.iter().map(|owner| Word::from(&owner.name)))
        .collect();
    findings.push(
        finding
            .remedy(Remedy::safe(
                format!("Upgrade {} to a release built for NumPy 2", whose(&owners, &[])),
                vec![install(upgrade)],
            ))
            .remedy(Remedy::review(
                "Go back to NumPy 1, if nothing needs NumPy 2",
                vec![install(vec![Word::from("numpy<2")])],
            )),
    );
}

#[cfg(test)]
mod tests {
    use super::super::extension_for_another_python::tests::{native, owner};
    use super::*;
    use crate::facts::example::{healthy, path};
    use crate::facts::native::{Native, NumpyMismatch};

    #[test]
    fn fires_when_the_headers_are_older() {
        let mut facts = healthy();
        let numpy = NumpyMismatch {
            numpy_version: "2.1.3".into(),
            compiled_for_1: vec![(owner("bottleneck", "1.3.8"), path("/v/bottleneck/move.so"))],
        };
        facts.native = vec![Native { numpy: Some(numpy), ..native() }];
        let found = CHECK.findings(&facts);
        assert_eq!(
            found[0].message,
            "bottleneck cannot be imported: compiled against NumPy 1, with NumPy 2.1.3 installed"
        );
        assert_eq!(found[0].remedies.len(), 2);
    }

    #[test]
    fn quiet_when_all_were_built_for_it() {
        let mut facts = healthy();
        facts.native = vec![native()];
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_not_asked() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }
}
