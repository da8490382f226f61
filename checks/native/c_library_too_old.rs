//! An extension module was built on a newer system than this one.

use super::{patient, severity, whose};
use crate::diagnosis::{
    Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, reinstall,
};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::facts::native::{LoadFault, UnloadableModule};

pub static CHECK: Check = Check {
    id: "c-library-too-old",
    category: Category::Native,
    severity: Severity::Error,
    summary: "A compiled module needs a newer C or C++ library than this system has",
    needs: &[Need::Native, Need::Binaries],
    explains: &["unresolvable-import", "broken-pip", "missing-shared-library"],
    explanation: r#"
## What it means
The C library (glibc) and the C++ library (libstdc++) give a version to each function they have. A module that was
linked on a newer system asks for versions that this system's library does not define, and the loader refuses it:
``/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found``, or the same with `GLIBCXX_3.4.32` or
`CXXABI_1.3.15`.

## How it happens
It was compiled on a newer distribution and copied here: an environment made on the build machine, a wheel tagged
`linux_x86_64` from a colleague, a container layer built `FROM` a newer image. Or the library that is found is not
the system's: an older `libstdc++.so.6` in `LD_LIBRARY_PATH` or in a conda environment comes first.

## How to fix it
Install it here, so that a build that fits is chosen or made:

    .venv/bin/python -m pip install --force-reinstall --no-deps NAME==VERSION

If it was built from source elsewhere, build it on the oldest system that it has to run on. The C library itself
cannot be upgraded by hand: it comes with the distribution. In conda environments `conda install -c conda-forge
libstdcxx-ng` brings a newer C++ library.

## When it is fine
When the module is a plugin that you never use.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, native)) = patient(facts) else { return };
    for module in &native.unloadable {
        let LoadFault::MissingVersion { library, found, version, newest } = &module.fault else { continue };
        let severity = severity(module);
        let verb = if severity == Severity::Error { "cannot be imported" } else { "may not be importable" };
        let mut finding = Finding::new(
            &CHECK,
            Subject::Environment(environment.root.clone()),
            format!("{} {verb}: it needs {version} of {library}, which {found} does not have", name(module)),
        )
        .severity(severity)
        .evidence("needed by", module.path.to_text());
        if let Some(newest) = newest {
            finding = finding.evidence(format!("newest in {found}"), newest.clone());
        }
        findings.push(with_remedy(facts, finding, environment, module));
    }
}

fn name(module: &UnloadableModule) -> String {
    match &module.owner {
        Some(owner) => format!("{} ({} {})", module.module, owner.name, owner.version),
        None => module.module.clone(),
    }
}

fn with_remedy(
    facts: &Facts,
    finding: Finding,
    environment: &Environment,
    module: &UnloadableModule,
) -> Finding {
    let Some(owner) = &module.owner else {
        return finding.remedy(Remedy::manual(
            "Build the module on this system",
            vec![Action::Advice(format!(
                "{} belongs to no installed distribution: compile it here, or on the oldest system that it has to run on",
                module.path
            ))],
        ));
    };
    match reinstall::pinned(facts, environment, vec![format!("{}=={}", owner.name, owner.version)]) {
        Some(actions) => finding.remedy(Remedy::safe(
            format!("Install {} again, in a build for this system", whose(&[owner], &[])),
            actions,
        )),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::super::extension_for_another_python::tests::{native, owner};
    use super::*;
    use crate::facts::example::{healthy, path};
    use crate::facts::native::{Native, Owner, Sought};

    fn with(owned: Option<Owner>, fault: LoadFault) -> Facts {
        let mut facts = healthy();
        let unloadable = vec![UnloadableModule {
            module: "_demo".into(),
            path: path("/v/_demo.so"),
            owner: owned,
            siblings: 1,
            alike: 1,
            sought: Sought::default(),
            fault,
        }];
        facts.native = vec![Native { unloadable, ..native() }];
        facts
    }

    fn too_old() -> LoadFault {
        LoadFault::MissingVersion {
            library: "libc.so.6".into(),
            found: path("/lib/x86_64-linux-gnu/libc.so.6"),
            version: "GLIBC_2.99".into(),
            newest: Some("GLIBC_2.36".into()),
        }
    }

    #[test]
    fn fires_when_a_version_is_not_defined() {
        let found = CHECK.findings(&with(None, too_old()));
        assert_eq!(
            found[0].message,
            "_demo cannot be imported: it needs GLIBC_2.99 of libc.so.6, which /lib/x86_64-linux-gnu/libc.so.6 does not have"
        );
        assert_eq!(found[0].evidence[1].value, "GLIBC_2.36");
    }

    #[test]
    fn fires_with_a_reinstall_where_the_owner_is_known() {
        let found = CHECK.findings(&with(Some(owner("demo", "1.0")), too_old()));
        assert!(format!("{:?}", found[0].remedies).contains("demo==1.0"), "{found:?}");
    }

    #[test]
    fn quiet_when_a_library_is_missing_altogether() {
        assert_eq!(
            CHECK.findings(&with(
                None,
                LoadFault::MissingLibrary { library: "libpq.so.5".into(), needed_by: None }
            )),
            []
        );
    }

    #[test]
    fn quiet_when_healthy() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }
}
