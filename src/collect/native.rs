//! Compiled code of an environment: names first, files only of what a name does not settle.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::distribution::Packages;
use crate::facts::environment::Environment;
use crate::facts::interpreter::{Interpreter, Version};
use crate::facts::native::{Native, Owner, UnfitModule};
use crate::host::{Files, Host};
use crate::parse::binary::{Binary, CLibrary};
use crate::parse::extension_name::{self, Importer};
use crate::path::HostPath;

mod images;
mod loading;
mod modules;
mod numpy;
mod overrides;
mod runtimes;

use modules::{Compiled, Module};

/// The compiled code of the environment under examination.
pub fn native(
    host: &dyn Host,
    environments: &[Environment],
    interpreters: &[Interpreter],
    packages: &[Packages],
    patient: Option<&HostPath>,
) -> Vec<Native> {
    let examined = environments
        .iter()
        .filter(|environment| environment.exists() && patient.is_some_and(|root| environment.is_at(root)));
    examined.filter_map(|environment| of_environment(host, environment, interpreters, packages)).collect()
}

fn of_environment(
    host: &dyn Host,
    environment: &Environment,
    interpreters: &[Interpreter],
    packages: &[Packages],
) -> Option<Native> {
    let interpreter = environment
        .interpreters
        .iter()
        .filter_map(|path| interpreters.iter().find(|known| known.path.same_as(path)))
        .find(|known| known.can_start())?;
    let version = interpreter.version.or_else(|| environment.python_version())?;
    let library = environment.libraries.iter().find(|library| {
        library.site_packages_exists && library.version.is_none_or(|found| found.same_minor(version))
    })?;
    let known = packages
        .iter()
        .flat_map(|packages| &packages.sites)
        .find(|site| site.directory.same_as(&library.site_packages));
    let compiled = modules::compiled(host, &library.site_packages, known);
    let empty = Binary::default();
    let binary = interpreter.binary.known().unwrap_or(&empty);
    let importer = importer(host, interpreter, binary, version);
    let (unfit, fitting) = by_name(host, &compiled, &importer);
    let machine = loading::Machine::new(host, interpreter, binary, &compiled.libraries, environment, version);
    let (numpy, (read, unloadable)) = std::thread::scope(|scope| {
        let numpy = scope.spawn(|| numpy::mismatch(host, &library.site_packages, &compiled, &fitting));
        let unloadable = loading::unloadable(&machine, &compiled, &fitting);
        (numpy.join().ok().flatten(), unloadable)
    });
    let mut overrides = overrides::overrides(host, interpreter, binary, environment, version);
    overrides.extend(unloadable.iter().filter_map(|module| machine.replaced(module)));
    Some(Native {
        environment: environment.root.clone(),
        version,
        seen: compiled.modules.len(),
        read,
        unfit,
        unloadable,
        numpy,
        overrides,
    })
}

fn importer<'a>(
    host: &'a dyn Host,
    interpreter: &'a Interpreter,
    binary: &'a Binary,
    version: Version,
) -> Importer<'a> {
    let platform = host.platform();
    let own = binary.architectures.first().filter(|_| binary.architectures.len() == 1);
    Importer {
        implementation: interpreter.implementation.as_deref().unwrap_or("cpython"),
        version,
        system: platform.system,
        architecture: own.map_or(platform.architecture.as_str(), String::as_str),
        musl: binary.c_library.map(|library| library == CLibrary::Musl),
    }
}

/// Modules of which no file fits by name, and the files that do fit.
fn by_name<'a>(
    files: &dyn Files,
    compiled: &'a Compiled,
    importer: &Importer,
) -> (Vec<UnfitModule>, Vec<&'a Module>) {
    let mut fitting = Vec::new();
    let mut doubtful: BTreeMap<&str, &Module> = BTreeMap::new();
    for module in &compiled.modules {
        match module.built_for.misfit(importer) {
            None => fitting.push(module),
            Some(_) => {
                doubtful.entry(&module.name).or_insert(module);
            }
        }
    }
    let served: BTreeSet<&str> = fitting.iter().map(|module| module.name.as_str()).collect();
    let unfit = doubtful
        .into_values()
        .filter(|module| !served.contains(module.name.as_str()) && files.is_file(&module.path))
        .filter(|module| !has_other_form(files, module, importer))
        .filter_map(|module| {
            Some(UnfitModule {
                misfit: module.built_for.misfit(importer)?,
                module: module.name.clone(),
                path: module.path.clone(),
                owner: owner(compiled, module),
                built_for: module.built_for.clone(),
            })
        })
        .collect();
    (unfit, fitting)
}

fn owner(compiled: &Compiled, module: &Module) -> Option<Owner> {
    compiled.distributions.get(module.owner?).map(|distribution| distribution.owner.clone())
}

/// Whether the directory holds the same module for this interpreter, as a package or as Python source.
fn has_other_form(files: &dyn Files, module: &Module, importer: &Importer) -> bool {
    let stem = module.name.rsplit('.').next().unwrap_or_default();
    let Some(Ok(listing)) = module.path.parent().map(|directory| files.list(&directory)) else {
        return false;
    };
    listing.entries.iter().any(|entry| {
        let name = crate::path::readable(&entry.name);
        let source = name.strip_prefix(stem).is_some_and(|rest| matches!(rest, "" | ".py" | ".pyc"));
        let extension = extension_name::parse(&name)
            .is_some_and(|(other, built_for)| other == stem && built_for.misfit(importer).is_none());
        source || extension
    })
}
