//! Compiled code: extension modules that cannot be loaded, and libraries that get in their way.

use crate::diagnosis::{Action, Check, Finding, Remedy, Severity, reinstall};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::facts::native::{Native, Owner, UnfitModule, UnloadableModule};
use crate::parse::extension_name::Misfit;
use crate::parse::names::normalize_name;

pub mod c_library_too_old;
pub mod extension_abi_mismatch;
pub mod extension_for_another_platform;
pub mod extension_for_another_python;
pub mod library_path_override;
pub mod missing_shared_library;

/// Causes before their symptoms.
pub static ALL: &[&Check] = &[
    &library_path_override::CHECK,
    &extension_for_another_python::CHECK,
    &extension_for_another_platform::CHECK,
    &c_library_too_old::CHECK,
    &missing_shared_library::CHECK,
    &extension_abi_mismatch::CHECK,
];

/// What other checks find when a distribution's compiled half cannot be imported.
const CANNOT_IMPORT: &[&str] = &["unresolvable-import", "broken-pip"];

/// So many modules are named in the evidence.
const NAMED: usize = 4;

/// Distributions whose compiled half is an optional faster one: they import without it.
const WITH_FALLBACK: [&str; 24] = [
    "aiohttp",
    "cbor2",
    "charset-normalizer",
    "coverage",
    "cython",
    "frozenlist",
    "immutables",
    "markupsafe",
    "msgpack",
    "multidict",
    "propcache",
    "protobuf",
    "pyrsistent",
    "pyyaml",
    "rapidfuzz",
    "ruamel-yaml-clib",
    "simplejson",
    "sqlalchemy",
    "tornado",
    "websockets",
    "wrapt",
    "yarl",
    "zope-interface",
    "zope-proxy",
];

/// The patient with its compiled code.
fn patient(facts: &Facts) -> Option<(&Environment, &Native)> {
    let environment = facts.patient()?;
    let native = facts.native.iter().find(|native| environment.is_at(&native.environment))?;
    Some((environment, native))
}

/// The modules that the patient's interpreter does not even look at, for this reason. What the interpreter itself
/// says of its suffix overrules what its files tell.
fn unfit<'a>(
    facts: &'a Facts,
    environment: &Environment,
    native: &'a Native,
    misfit: Misfit,
) -> Vec<&'a UnfitModule> {
    let report = facts.interpreters_of(environment).find_map(|interpreter| interpreter.probe.report());
    let soabi = report.and_then(|report| report.soabi.as_deref());
    native
        .unfit
        .iter()
        .filter(|module| module.misfit == misfit)
        .filter(|module| {
            let suffix = soabi.map(|soabi| format!(".{soabi}."));
            !suffix.is_some_and(|suffix| module.path.name().contains(&suffix))
        })
        .collect()
}

/// Whether the distribution can be imported without its compiled half.
fn is_optional(module: &str, owner: Option<&Owner>) -> bool {
    let known = owner.map(|owner| normalize_name(&owner.name));
    known.is_some_and(|name| WITH_FALLBACK.contains(&name.as_str()))
        || module.rsplit('.').next().is_some_and(|last| last.contains("speedups"))
}

/// The distributions, each once, in the order of the modules.
fn owners<'a>(modules: impl Iterator<Item = Option<&'a Owner>>) -> Vec<&'a Owner> {
    let mut found: Vec<&Owner> = Vec::new();
    for owner in modules.flatten() {
        if !found.contains(&owner) {
            found.push(owner);
        }
    }
    found
}

/// `cffi`, `numpy and pandas`, `numpy, pandas and 3 more`; of loose modules their own names.
fn whose(owners: &[&Owner], loose: &[&str]) -> String {
    let names: Vec<&str> =
        owners.iter().map(|owner| owner.name.as_str()).chain(loose.iter().copied()).collect();
    match names.as_slice() {
        [] => "the environment".to_owned(),
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}

/// Install these distributions again, at the versions that are there.
fn with_reinstall(facts: &Facts, finding: Finding, environment: &Environment, owners: &[&Owner]) -> Finding {
    let pins: Vec<String> = owners.iter().map(|owner| format!("{}=={}", owner.name, owner.version)).collect();
    let python = environment.program("python");
    let advice = match pins.as_slice() {
        [] => format!("build or install it again with {python}"),
        pins => format!("install {} again with an installer for {python}", pins.join(" ")),
    };
    match reinstall::pinned(facts, environment, pins) {
        Some(actions) if !owners.is_empty() => finding.remedy(Remedy::safe(
            format!("Install {} again, built for this environment", whose(owners, &[])),
            actions,
        )),
        _ => finding.remedy(Remedy::manual(
            "Build or install it again for this environment's Python",
            vec![Action::Advice(advice)],
        )),
    }
}

/// How bad a module's fault is: an error when it is all that the distribution has, or when it belongs to none; a mere
/// note when other modules of the same distribution load, for those may be all that is used.
fn severity(module: &UnloadableModule) -> Severity {
    if is_optional(&module.module, module.owner.as_ref()) || module.alike < module.siblings {
        Severity::Info
    } else {
        Severity::Error
    }
}
