//! Extension modules of a directory of packages, by name alone: its own listing, and the RECORD of each distribution
//! that is for one platform.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::collect::packages::is_code;
use crate::facts;
use crate::facts::distribution::SitePackages;
use crate::facts::native::Owner;
use crate::host::{Files, Listing};
use crate::parallel;
use crate::parse::extension_name::{self, BuiltFor};
use crate::parse::{metadata, record};
use crate::path::{HostPath, readable};

const WHEEL_LIMIT: usize = 16 << 10;
const RECORD_LIMIT: usize = 4 << 20;
const METADATA_LIMIT: usize = 64 << 10;
/// So many modules are kept by name.
const MOST_MODULES: usize = 20_000;

/// One file of an extension module.
#[derive(Debug, Clone)]
pub struct Module {
    /// As it would be imported.
    pub name: String,
    pub path: HostPath,
    pub built_for: BuiltFor,
    pub owner: Option<usize>,
}

/// A distribution that is for one platform.
#[derive(Debug)]
pub struct Distribution {
    pub owner: Owner,
    /// Made for machines in general (`manylinux`, `musllinux`, `macosx`, `win`), not on this one.
    pub portable: bool,
    /// `Requires-Dist`, as written.
    pub requires: Vec<String>,
}

/// The compiled code of one directory.
#[derive(Debug, Default)]
pub struct Compiled {
    pub modules: Vec<Module>,
    pub distributions: Vec<Distribution>,
    /// Names of shared libraries that distributions bring along.
    pub libraries: BTreeSet<String>,
    /// The version of NumPy.
    pub numpy: Option<String>,
}

/// What one metadata directory tells.
struct Told {
    distribution: Distribution,
    files: Vec<String>,
    libraries: Vec<String>,
}

/// `known` is what was already read of the distributions there.
pub fn compiled(files: &dyn Files, site_packages: &HostPath, known: Option<&SitePackages>) -> Compiled {
    let known: HashMap<&[u8], &facts::distribution::Distribution> = known
        .iter()
        .flat_map(|site| &site.distributions)
        .filter_map(|distribution| Some((distribution.metadata.file_name()?, distribution)))
        .collect();
    let Ok(listing) = files.list(site_packages) else { return Compiled::default() };
    let metadata: Vec<&[u8]> = listing
        .entries
        .iter()
        .map(|entry| entry.name.as_slice())
        .filter(|name| name.ends_with(b".dist-info"))
        .collect();
    let numpy = metadata.iter().find_map(|name| Some(owner(name)?).filter(|owner| owner.name == "numpy"));
    // what is known already needs no reading
    let threads = if known.is_empty() { 2 } else { 1 };
    let told = parallel::each(&metadata, threads, |_: &mut (), name| {
        tell(files, site_packages, name, known.get(name).copied())
    });
    let mut compiled = Compiled { numpy: numpy.map(|owner| owner.version), ..Compiled::default() };
    let mut by_path: BTreeMap<String, Option<usize>> = BTreeMap::new();
    for entry in &listing.entries {
        let name = readable(&entry.name);
        if extension_name::is_one(&name) {
            by_path.insert(name.into_owned(), None);
        }
    }
    bundled(files, site_packages, &listing, &mut compiled.libraries);
    for told in told.into_iter().flatten() {
        let index = compiled.distributions.len();
        compiled.distributions.push(told.distribution);
        compiled.libraries.extend(told.libraries);
        by_path.extend(told.files.into_iter().map(|file| (file, Some(index))));
    }
    let modules = by_path.into_iter().take(MOST_MODULES);
    compiled.modules = modules.filter_map(|(file, owner)| module(site_packages, &file, owner)).collect();
    compiled
}

/// `auditwheel` and `delvewheel` put libraries into `NAME.libs` beside the package.
fn bundled(files: &dyn Files, site_packages: &HostPath, listing: &Listing, found: &mut BTreeSet<String>) {
    for entry in listing.entries.iter().filter(|entry| entry.name.ends_with(b".libs")) {
        if let Ok(inside) = files.list(&site_packages.join(&entry.name)) {
            found.extend(inside.entries.iter().map(|entry| readable(&entry.name).into_owned()));
        }
    }
}

fn owner(directory: &[u8]) -> Option<Owner> {
    let text = readable(directory.strip_suffix(b".dist-info")?).into_owned();
    let (name, version) = text.rsplit_once('-')?;
    Some(Owner { name: name.to_owned(), version: version.to_owned() })
}

/// None for what is pure Python, and for what has no RECORD.
fn tell(
    files: &dyn Files,
    site_packages: &HostPath,
    directory: &[u8],
    known: Option<&facts::distribution::Distribution>,
) -> Option<Told> {
    let metadata = site_packages.join(directory);
    if known.is_some_and(|known| known.compiled.is_empty()) {
        return None;
    }
    let tags = known.map_or_else(|| wheel_tags(files, &metadata), |known| known.tags.clone());
    if !tags.is_empty() && tags.iter().all(|tag| tag.ends_with("-any")) {
        return None;
    }
    let portable = tags.iter().any(|tag| {
        ["manylinux", "musllinux", "macosx", "win"]
            .iter()
            .any(|system| tag.rsplit('-').next().is_some_and(|platform| platform.starts_with(system)))
    });
    let compiled = known.map_or_else(|| recorded(files, &metadata), |known| Some(known.compiled.clone()))?;
    let requires = known.map_or_else(|| requirements(files, &metadata), |known| known.requires.clone());
    let mut told = Told {
        distribution: Distribution { owner: owner(directory)?, portable, requires },
        files: Vec::new(),
        libraries: Vec::new(),
    };
    for file in compiled {
        let name = file.rsplit(['/', '\\']).next().unwrap_or(&file);
        told.libraries.push(name.to_owned());
        if extension_name::is_one(name) {
            told.files.push(file);
        }
    }
    Some(told)
}

/// The compiled files in a RECORD. None where it cannot be read.
fn recorded(files: &dyn Files, metadata: &HostPath) -> Option<Vec<String>> {
    let record = files.read(&metadata.join("RECORD"), RECORD_LIMIT).ok()?;
    let paths = record::entries(&record.bytes).map(|entry| entry.path);
    let inside = paths.filter(|path| !path.starts_with(b"../") && !path.starts_with(b"/"));
    Some(inside.filter(|path| is_compiled(path)).map(|path| readable(&path).into_owned()).collect())
}

/// `Requires-Dist`, as written.
fn requirements(files: &dyn Files, metadata: &HostPath) -> Vec<String> {
    let contents = files.read(&metadata.join("METADATA"), METADATA_LIMIT);
    contents.map_or_else(|_| Vec::new(), |contents| metadata::values(&contents.bytes, "Requires-Dist"))
}

fn wheel_tags(files: &dyn Files, metadata: &HostPath) -> Vec<String> {
    let wheel = files.read(&metadata.join("WHEEL"), WHEEL_LIMIT);
    wheel.map_or_else(|_| Vec::new(), |wheel| metadata::values(&wheel.bytes, "Tag"))
}

/// `x.so`, `libx.so.3`, `x.pyd`, `x.dll`, `x.dylib`.
fn is_compiled(path: &[u8]) -> bool {
    let name = memchr::memrchr2(b'/', b'\\', path).and_then(|at| path.get(at + 1..)).unwrap_or(path);
    is_code(name) && !name.ends_with(b".py")
}

/// The import name of a file below the directory. None where no import leads there.
fn module(site_packages: &HostPath, file: &str, owner: Option<usize>) -> Option<Module> {
    let file = file.replace('\\', "/");
    let (package, name) = file.rsplit_once('/').unwrap_or(("", &file));
    let (stem, built_for) = extension_name::parse(name)?;
    // a library that ctypes loads
    if built_for == BuiltFor::Any && stem.starts_with("lib") {
        return None;
    }
    let parts: Vec<&str> = package.split('/').filter(|part| !part.is_empty()).chain([stem]).collect();
    let importable = |part: &&str| {
        part.starts_with(|letter: char| letter == '_' || letter.is_alphabetic())
            && part.chars().all(|letter| letter == '_' || letter.is_alphanumeric())
    };
    parts.iter().all(importable).then(|| Module {
        name: parts.join("."),
        path: site_packages.join(&file),
        built_for,
        owner,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::fake::FakeMachine;

    #[test]
    fn knows_modules_by_record_and_by_listing() {
        let site = "/v/lib/python3.11/site-packages";
        let machine = FakeMachine::linux()
            .file(format!("{site}/_loose.cpython-311-x86_64-linux-gnu.so"), "")
            .file(format!("{site}/numpy-2.1.3.dist-info/WHEEL"), "Root-Is-Purelib: false\nTag: cp311-cp311-manylinux_2_17_x86_64\n")
            .file(
                format!("{site}/numpy-2.1.3.dist-info/RECORD"),
                "../../../bin/f2py,,\nnumpy/__init__.py,,\nnumpy/_core/_umath.cpython-311-x86_64-linux-gnu.so,sha256=x,9\nnumpy.libs/libgfortran-1.so.5,,\nnumpy/lib/libhelper.so,,\n",
            )
            .file(format!("{site}/six-1.0.dist-info/WHEEL"), "Tag: py2-none-any\nTag: py3-none-any\n")
            .file(format!("{site}/six-1.0.dist-info/RECORD"), "six.so,,\n");
        let found = compiled(&machine, &machine.path(site), None);
        let names: Vec<&str> = found.modules.iter().map(|module| module.name.as_str()).collect();
        assert_eq!(names, ["_loose", "numpy._core._umath"]);
        assert_eq!(found.modules.iter().map(|module| module.owner).collect::<Vec<_>>(), [None, Some(0)]);
        assert_eq!(found.numpy.as_deref(), Some("2.1.3"));
        assert!(found.libraries.contains("libgfortran-1.so.5"));
        assert!(found.distributions[0].portable);
    }
}
