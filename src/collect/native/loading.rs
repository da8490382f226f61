//! What the loader would say to extension modules, by their headers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::images::Images;
use super::modules::{Compiled, Module};
use super::overrides::same_kind;
use super::owner;
use super::runtimes::Runtimes;
use crate::collect::binary_file;
use crate::collect::dyld::Dyld;
use crate::collect::library::{Loader, THROUGH_VARIABLE};
use crate::facts::environment::Environment;
use crate::facts::interpreter::{Interpreter, Version};
use crate::facts::native::{LibraryOverride, LoadFault, Sought, UnloadableModule};
use crate::facts::platform::System;
use crate::host::{Files, Host};
use crate::parallel::{self, lock};
use crate::parse::binary::{Binary, BinaryFormat, CLibrary};
use crate::parse::binary_pieces::Pieces;
use crate::parse::extension_name::BuiltFor;
use crate::path::{HostPath, readable};

/// So many files of one distribution, and so many in all, are read. What an installer built here comes first: a
/// wheel for machines in general was examined by those who made it.
const MOST_OF_ONE: usize = 6;
const MOST: usize = 192;
/// From so many files on, two threads read them sooner than one.
const WORTH_A_THREAD: usize = 16;

/// What decides whether a binary can be loaded into the interpreter.
pub struct Machine<'a> {
    host: &'a dyn Host,
    loader: Loader<'a>,
    interpreter: &'a Binary,
    interpreter_directory: HostPath,
    /// Libraries that distributions bring along: another module may load them first.
    brought: &'a BTreeSet<String>,
    /// The environment's own directory of libraries: conda's interpreters look there.
    prefix_library: HostPath,
    /// On macOS.
    images: Option<Images<'a>>,
    /// On Windows.
    runtimes: Option<Runtimes<'a>>,
    versions: Mutex<BTreeMap<HostPath, Option<BTreeSet<String>>>>,
    elsewhere: Mutex<BTreeMap<String, bool>>,
}

impl<'a> Machine<'a> {
    pub fn new(
        host: &'a dyn Host,
        interpreter: &Interpreter,
        binary: &'a Binary,
        brought: &'a BTreeSet<String>,
        environment: &Environment,
        version: Version,
    ) -> Machine<'a> {
        let root = &environment.root;
        let file = interpreter.links.last().unwrap_or(&interpreter.path);
        let directory = file.parent().unwrap_or_else(|| root.clone());
        Machine {
            host,
            loader: Loader::new(host, binary, &directory),
            interpreter: binary,
            interpreter_directory: directory,
            brought,
            prefix_library: root.join("lib"),
            images: images(host, interpreter, binary, brought),
            runtimes: Runtimes::new(host, environment, version, brought),
            versions: Mutex::default(),
            elsewhere: Mutex::default(),
        }
    }

    fn fault(&self, module: &Module) -> Option<LoadFault> {
        let (binary, pieces) = binary_file::read(self.host, &module.path).ok()?;
        if !is_extension(module, &binary, &pieces) {
            return None;
        }
        if let Some(fault) = self.wrong_binary(&binary) {
            return Some(fault);
        }
        if matches!(binary.format, BinaryFormat::MachO | BinaryFormat::MachOFat) {
            let missing = self.images.as_ref()?.missing(&module.path)?;
            let needed_by = Some(missing.needed_by).filter(|path| *path != module.path);
            return Some(LoadFault::MissingLibrary { library: missing.library, needed_by });
        }
        if binary.format == BinaryFormat::Pe {
            let library = self.runtimes.as_ref()?.missing(&module.path, &binary)?;
            return Some(LoadFault::MissingLibrary { library, needed_by: None });
        }
        if binary.format != BinaryFormat::Elf
            || self.interpreter.format != BinaryFormat::Elf
            || binary.partial
        {
            return None;
        }
        self.missing_library(module, &binary).or_else(|| self.missing_version(module, &binary))
    }

    /// The variable as the cause: without it the module gets a library that has the symbol version.
    pub fn replaced(&self, module: &UnloadableModule) -> Option<LibraryOverride> {
        let LoadFault::MissingVersion { library, found, version, .. } = &module.fault else { return None };
        let (binary, _) = binary_file::read(self.host, &module.path).ok()?;
        let origin = module.path.parent()?;
        let (_, through) = self.loader.find(library, &binary, &origin)?;
        let (otherwise, _) = self.loader.without_variable().find(library, &binary, &origin)?;
        let defined = defined_versions(self.host, &otherwise, families(library))?;
        (through == THROUGH_VARIABLE && defined.contains(version)).then(|| LibraryOverride {
            variable: THROUGH_VARIABLE.to_owned(),
            directory: found.parent().unwrap_or_else(|| found.clone()),
            library: library.clone(),
            loaded: found.clone(),
            otherwise,
            needed_by: module.path.clone(),
            lacking: vec![version.clone()],
        })
    }

    /// Where the loaders of macOS and Windows looked for a missing library.
    fn sought(&self, module: &Module, fault: &LoadFault) -> Sought {
        if !matches!(fault, LoadFault::MissingLibrary { .. }) {
            return Sought::default();
        }
        match (&self.images, &self.runtimes) {
            (Some(images), _) => images.sought(&module.path),
            (_, Some(runtimes)) => {
                Sought { directories: runtimes.directories(&module.path), other_version: None }
            }
            _ => Sought::default(),
        }
    }

    fn wrong_binary(&self, binary: &Binary) -> Option<LoadFault> {
        let system = match binary.format {
            BinaryFormat::Elf => System::Linux,
            BinaryFormat::MachO | BinaryFormat::MachOFat => System::MacOs,
            BinaryFormat::Pe => System::Windows,
            _ => return None,
        };
        let here = self.host.platform().system;
        // other systems use ELF, too
        let other_system = system != here && (here != System::Other || system != System::Linux);
        let theirs = &self.interpreter.architectures;
        let other_processor = !theirs.is_empty()
            && !binary.architectures.is_empty()
            && !binary.architectures.iter().any(|machine| theirs.contains(machine));
        (other_system || other_processor).then(|| LoadFault::WrongBinary {
            built_for: format!("{} {}", system.label(), binary.architectures.join(", ")).trim().to_owned(),
        })
    }

    fn missing_library(&self, module: &Module, binary: &Binary) -> Option<LoadFault> {
        let origin = module.path.parent()?;
        let missing = binary.libraries.iter().find(|name| !self.provides(name, binary, &origin))?;
        let foreign = matches!(
            (binary.c_library, self.interpreter.c_library),
            (Some(CLibrary::Musl), Some(CLibrary::Glibc)) | (Some(CLibrary::Glibc), Some(CLibrary::Musl))
        );
        Some(if foreign {
            LoadFault::WrongCLibrary { library: missing.clone() }
        } else {
            LoadFault::MissingLibrary { library: missing.clone(), needed_by: None }
        })
    }

    /// Whether anything could provide a library of that name in this process.
    fn provides(&self, name: &str, binary: &Binary, origin: &HostPath) -> bool {
        if self.interpreter.libraries.iter().any(|loaded| loaded == name) || self.brought.contains(name) {
            return true;
        }
        // musl's own name for itself, in whatever file
        if name.starts_with("libc.musl-") && self.interpreter.c_library == Some(CLibrary::Musl) {
            return true;
        }
        if let Some(known) = lock(&self.elsewhere).get(name)
            && (*known || binary.runpath.is_empty() && binary.rpath.is_empty())
        {
            return *known;
        }
        if self.loader.find(name, binary, origin).is_some() {
            return true;
        }
        let known = self.loader.find(name, self.interpreter, &self.interpreter_directory).is_some()
            || self.host.is_file(&self.prefix_library.join(name))
            || self.loader.is_cached(name);
        lock(&self.elsewhere).insert(name.to_owned(), known);
        known
    }

    /// Only of libraries of the C and C++ runtimes, whose versions say how new a system is needed.
    fn missing_version(&self, module: &Module, binary: &Binary) -> Option<LoadFault> {
        let origin = module.path.parent()?;
        binary.required_versions.iter().find_map(|required| {
            let family = required.version.split_once('_').map(|(family, _)| family)?;
            let families = families(&required.library);
            if !families.contains(&family) {
                return None;
            }
            let (found, through) = self.loader.find(&required.library, binary, &origin)?;
            // the loader passes over a file for another processor
            if through == THROUGH_VARIABLE && !same_kind(self.host, &found, &module.path) {
                return None;
            }
            let mut known = lock(&self.versions);
            let defined =
                known.entry(found.clone()).or_insert_with(|| defined_versions(self.host, &found, families));
            let defined = defined.as_ref()?;
            (!defined.contains(&required.version)).then(|| LoadFault::MissingVersion {
                newest: newest(defined, family),
                library: required.library.clone(),
                version: required.version.clone(),
                found,
            })
        })
    }
}

/// None on other systems, and where the interpreter's processor is not certain.
fn images<'a>(
    host: &'a dyn Host,
    interpreter: &Interpreter,
    binary: &Binary,
    brought: &BTreeSet<String>,
) -> Option<Images<'a>> {
    let platform = host.platform();
    let architecture = match binary.architectures.as_slice() {
        [] => return None,
        [only] => only,
        several => several.iter().find(|own| **own == platform.architecture)?,
    };
    if platform.system != System::MacOs {
        return None;
    }
    let loaded = binary.libraries.iter().filter_map(|name| name.rsplit('/').next());
    let known = brought.iter().cloned().chain(loaded.map(str::to_owned)).collect();
    let dyld = Dyld::new(host, &interpreter.path, &interpreter.links, binary);
    Some(Images::new(host, dyld, architecture.clone(), known))
}

/// A file without a tag is an extension module when it has the function that Python calls.
fn is_extension(module: &Module, binary: &Binary, pieces: &Pieces) -> bool {
    let stem = module.name.rsplit('.').next().unwrap_or_default();
    match module.built_for {
        BuiltFor::Any if binary.format == BinaryFormat::Pe => module.path.name().ends_with(".pyd"),
        BuiltFor::Any => {
            binary.format == BinaryFormat::Elf && pieces.contain(format!("PyInit_{stem}\0").as_bytes())
        }
        _ => true,
    }
}

/// The families of symbol versions that a library of the C and C++ runtimes defines; none of any other.
fn families(library: &str) -> &'static [&'static str] {
    const FAMILIES: [(&str, &[&str]); 7] = [
        ("libc.so", &["GLIBC"]),
        ("libm.so", &["GLIBC"]),
        ("libpthread.so", &["GLIBC"]),
        ("libdl.so", &["GLIBC"]),
        ("librt.so", &["GLIBC"]),
        ("libstdc++.so", &["GLIBCXX", "CXXABI"]),
        ("libgcc_s.so", &["GCC", "GLIBC"]),
    ];
    FAMILIES.iter().find(|(name, _)| library.starts_with(name)).map_or(&[], |(_, families)| families)
}

/// Every name of a symbol version of these families that stands in the library. None where it cannot be read whole.
fn defined_versions(files: &dyn Files, library: &HostPath, families: &[&str]) -> Option<BTreeSet<String>> {
    let (_, pieces) = binary_file::read(files, library).ok().filter(|(binary, _)| !binary.partial)?;
    let mut found = BTreeSet::new();
    for (family, part) in families.iter().flat_map(|family| pieces.parts().map(move |part| (family, part))) {
        let prefix = format!("{family}_").into_bytes();
        let mut rest = part;
        while let Some(at) = crate::parse::find(rest, &prefix) {
            rest = rest.get(at..).unwrap_or_default();
            let end = rest.iter().take(64).position(|byte| *byte == 0);
            found.extend(end.and_then(|end| rest.get(..end)).map(|name| readable(name).into_owned()));
            rest = rest.get(prefix.len()..).unwrap_or_default();
        }
    }
    // a library that names no version defines none: its symbols are taken as they are
    (!found.is_empty()).then_some(found)
}

fn newest(defined: &BTreeSet<String>, family: &str) -> Option<String> {
    let number = |version: &str| -> Option<Vec<u32>> {
        let (own, numbers) = version.split_once('_')?;
        (own == family).then(|| numbers.split('.').map(str::parse).collect::<Result<_, _>>().ok())?
    };
    defined
        .iter()
        .filter_map(|version| Some((number(version)?, version)))
        .max()
        .map(|(_, version)| version.clone())
}

/// The fault of each, in their order.
fn faults(machine: &Machine, modules: &[&Module]) -> Vec<Option<LoadFault>> {
    let threads = if modules.len() < WORTH_A_THREAD { 1 } else { 2 };
    parallel::each(modules, threads, |_: &mut (), module| machine.fault(module))
}

/// How many files were read, and the modules that cannot be loaded: one for each fault of a distribution.
pub fn unloadable(
    machine: &Machine,
    compiled: &Compiled,
    fitting: &[&Module],
) -> (usize, Vec<UnloadableModule>) {
    let mut chosen: Vec<&Module> = fitting.to_vec();
    let portable = |module: &Module| {
        module.owner.and_then(|index| compiled.distributions.get(index)).is_some_and(|known| known.portable)
    };
    chosen.sort_by_key(|module| portable(module));
    let mut of_owner: BTreeMap<Option<usize>, usize> = BTreeMap::new();
    chosen.retain(|module| {
        let count = of_owner.entry(module.owner).or_default();
        *count += 1;
        *count <= if module.owner.is_some() { MOST_OF_ONE } else { MOST }
    });
    chosen.truncate(MOST);
    let mut read: BTreeMap<Option<usize>, usize> = BTreeMap::new();
    let mut found: BTreeMap<(Option<usize>, LoadFault), Vec<&Module>> = BTreeMap::new();
    for (module, fault) in chosen.iter().zip(faults(machine, &chosen)) {
        *read.entry(module.owner).or_default() += 1;
        if let Some(fault) = fault {
            found.entry((module.owner, fault)).or_default().push(module);
        }
    }
    let faults = found.into_iter().filter_map(|((index, fault), modules)| {
        let first = modules.first()?;
        Some(UnloadableModule {
            module: first.name.clone(),
            path: first.path.clone(),
            owner: owner(compiled, first),
            siblings: if index.is_some() { read.get(&index).copied().unwrap_or(1) } else { modules.len() },
            alike: modules.len(),
            sought: machine.sought(first, &fault),
            fault,
        })
    });
    (chosen.len(), faults.collect())
}
