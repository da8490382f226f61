//! Extension modules were built for another processor, operating system or C library.

use super::{CANNOT_IMPORT, NAMED, is_optional, owners, patient, severity, unfit, whose, with_reinstall};
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;
use crate::facts::native::{LoadFault, Owner};
use crate::parse::extension_name::{BuiltFor, Misfit};
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "extension-for-another-platform",
    category: Category::Native,
    severity: Severity::Error,
    summary: "Compiled modules are built for another processor, system or C library",
    needs: &[Need::Native, Need::Binaries, Need::Probe],
    explains: CANNOT_IMPORT,
    explanation: r#"
## What it means
A compiled module runs on one kind of machine. The name says which (`cpython-311-aarch64-linux-gnu`,
`cpython-311-darwin`, `cp311-win_amd64`): Python does not look at a file with another name and says `No module named
...`. Names such as `x.abi3.so` do not say it; then the loader refuses the file: "wrong ELF class", "invalid ELF
header", "incompatible architecture (have 'x86_64', need 'arm64')", or it misses `libc.musl-x86_64.so.1`.

## How it happens
`site-packages` came from elsewhere: from Alpine (musl) to Debian (glibc) or the reverse, from an ARM Mac or a
Raspberry Pi to an Intel machine, from macOS into a Linux container through a mounted directory, from
`pip download --platform`. On Apple silicon a terminal under Rosetta installs x86_64 builds that a native Python
cannot load later.

## How to fix it
Install the same distributions again here, with the environment's own Python:

    .venv/bin/python -m pip install --force-reinstall --no-deps cffi==1.17.1

If the environment is shared between two machines (a mounted project directory), give each its own.

## When it is fine
In a directory that is only packed here and runs elsewhere, such as a cloud function's `package/`. That is no
environment of this machine; do not point `--python` at it.
"#,
    examine,
};

/// One module, its file, its owner, and what it is for.
type Foreign<'a> = (&'a str, &'a HostPath, Option<&'a Owner>, String);

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, native)) = patient(facts) else { return };
    let mut modules: Vec<Foreign> = unfit(facts, environment, native, Misfit::Platform)
        .into_iter()
        .map(|module| {
            let built_for = match &module.built_for {
                BuiltFor::Exactly(tag) => tag.text.clone(),
                _ => "another platform".to_owned(),
            };
            (module.module.as_str(), &module.path, module.owner.as_ref(), built_for)
        })
        .collect();
    let mut optional = modules.iter().all(|(module, _, owner, _)| is_optional(module, *owner));
    for module in &native.unloadable {
        let built_for = match &module.fault {
            LoadFault::WrongBinary { built_for } => built_for.clone(),
            LoadFault::WrongCLibrary { library } => format!("a system whose C library is {library}"),
            _ => continue,
        };
        optional &= severity(module) != Severity::Error;
        modules.push((&module.module, &module.path, module.owner.as_ref(), built_for));
    }
    let Some((_, _, _, built_for)) = modules.first() else { return };
    let owners = owners(modules.iter().map(|(_, _, owner, _)| *owner));
    let loose: Vec<&str> =
        modules.iter().filter(|(_, _, owner, _)| owner.is_none()).map(|(module, ..)| *module).collect();
    let interpreter = facts.interpreters_of(environment).find_map(|interpreter| interpreter.binary.known());
    let own = interpreter.map(|binary| binary.architectures.join(", ")).filter(|own| !own.is_empty());
    let here = match &own {
        Some(own) => format!("its interpreter for {} {own}", facts.platform.system.label()),
        None => format!("this is {} {}", facts.platform.system.label(), facts.platform.architecture),
    };
    let mut finding = Finding::new(
        &CHECK,
        Subject::Environment(environment.root.clone()),
        format!("The compiled modules of {} are built for {built_for}, and {here}", whose(&owners, &loose)),
    )
    .severity(if optional { Severity::Warning } else { Severity::Error });
    for (module, path, _, built_for) in modules.iter().take(NAMED) {
        finding = finding.evidence(*module, format!("{path}, for {built_for}"));
    }
    if modules.len() > NAMED {
        finding = finding.evidence("more of the same", (modules.len() - NAMED).to_string());
    }
    findings.push(with_reinstall(facts, finding, environment, &owners));
}

#[cfg(test)]
mod tests {
    use super::super::extension_for_another_python::tests::{native, owner, unfit_module};
    use super::*;
    use crate::facts::example::{healthy, path};
    use crate::facts::native::{Native, Sought, UnloadableModule};

    fn unloadable(fault: LoadFault) -> UnloadableModule {
        UnloadableModule {
            module: "_bcrypt".into(),
            path: path("/v/_bcrypt.abi3.so"),
            owner: Some(owner("bcrypt", "4.0.1")),
            siblings: 1,
            alike: 1,
            sought: Sought::default(),
            fault,
        }
    }

    #[test]
    fn fires_when_the_name_tells_another_processor() {
        let mut facts = healthy();
        let file = "_cffi_backend.cpython-311-aarch64-linux-gnu.so";
        let unfit = vec![unfit_module(file, Misfit::Platform, Some(owner("cffi", "1.17.1")))];
        facts.native = vec![Native { unfit, ..native() }];
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].message,
            "The compiled modules of cffi are built for cpython-311-aarch64-linux-gnu, and this is linux x86_64"
        );
    }

    #[test]
    fn fires_when_the_file_is_linked_to_musl() {
        let mut facts = healthy();
        let fault = LoadFault::WrongCLibrary { library: "libc.musl-x86_64.so.1".into() };
        facts.native = vec![Native { unloadable: vec![unloadable(fault)], ..native() }];
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].message.contains("libc.musl-x86_64.so.1"), "{found:?}");
    }

    #[test]
    fn quiet_when_another_fault_or_another_python_is_the_cause() {
        let mut facts = healthy();
        let fault = LoadFault::MissingLibrary { library: "libpq.so.5".into(), needed_by: None };
        let unfit = vec![unfit_module("_x.cpython-310-x86_64-linux-gnu.so", Misfit::Python, None)];
        facts.native = vec![Native { unfit, unloadable: vec![unloadable(fault)], ..native() }];
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_healthy() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }
}
