//! Whether modules were compiled against NumPy 1 that now meet NumPy 2.
//!
//! `import_array()` of NumPy's headers is compiled into every module that uses its C API. It looks for
//! `numpy._core._multiarray_umath` since 2.0 and for `numpy.core._multiarray_umath` before, and refuses with
//! "module compiled against ABI version" when the numbers differ (`numpy/_core/code_generators/generate_numpy_api.py`).

use super::modules::{Compiled, Module};
use crate::collect::binary_file;
use crate::facts::native::NumpyMismatch;
use crate::host::Files;
use crate::parse::find;
use crate::path::HostPath;

const MODULE_LIMIT: usize = 4 << 20;
/// One module with the C API settles a distribution; the smallest are looked at.
const MOST_MODULES: usize = 4;

pub fn mismatch(
    files: &dyn Files,
    site_packages: &HostPath,
    compiled: &Compiled,
    fitting: &[&Module],
) -> Option<NumpyMismatch> {
    let numpy_version = compiled.numpy.clone()?;
    let major: u32 = numpy_version.split('.').next()?.parse().ok()?;
    if major < 2 {
        return None;
    }
    let directory = files.open_directory(site_packages);
    let mut compiled_for_1 = Vec::new();
    for (index, distribution) in compiled.distributions.iter().enumerate() {
        if distribution.owner.name == "numpy" || !requires_numpy(distribution) {
            continue;
        }
        let own: Vec<&Module> =
            fitting.iter().copied().filter(|module| module.owner == Some(index)).collect();
        let paths: Vec<&[u8]> = own.iter().map(|module| below(site_packages, &module.path)).collect();
        let sizes = files.metadata_below(&directory, &paths).into_iter();
        let mut own: Vec<(u64, &Module)> =
            sizes.zip(own).filter_map(|(found, module)| Some((found.ok()?.size, module))).collect();
        own.sort_by_key(|(size, _)| *size);
        let generation = own.iter().take(MOST_MODULES).find_map(|(_, module)| {
            let generation = generation(&constants(files, &module.path)?);
            generation.map(|generation| (generation, module.path.clone()))
        });
        if let Some((Generation::One, path)) = generation {
            compiled_for_1.push((distribution.owner.clone(), path));
        }
    }
    (!compiled_for_1.is_empty()).then_some(NumpyMismatch { numpy_version, compiled_for_1 })
}

/// A path relative to the directory, where it lies below it.
fn below<'a>(directory: &HostPath, path: &'a HostPath) -> &'a [u8] {
    let rest = path.as_bytes().strip_prefix(directory.as_bytes());
    rest.and_then(|rest| rest.strip_prefix(b"/")).unwrap_or(path.as_bytes())
}

/// What a compiler puts its strings into; the whole module where its sections do not tell.
fn constants(files: &dyn Files, module: &HostPath) -> Option<Vec<u8>> {
    let mut sections = None;
    let pieces = binary_file::pieces(files, module, &mut |pieces| {
        let (found, wanted) = pieces.constants();
        sections = found;
        wanted
    })
    .ok()?;
    let Some(sections) = sections else {
        return files.read(module, MODULE_LIMIT).ok().map(|contents| contents.bytes);
    };
    let mut bytes = Vec::new();
    for (offset, length) in sections {
        let length = length.min(MODULE_LIMIT.saturating_sub(bytes.len()));
        if length == 0 {
            continue;
        }
        match pieces.known(offset, length) {
            Some(known) => bytes.extend_from_slice(known),
            None => bytes.extend(files.read_at(module, offset, length).ok()?.bytes),
        }
    }
    Some(bytes)
}

fn requires_numpy(distribution: &super::modules::Distribution) -> bool {
    distribution.requires.iter().map(|requirement| requirement.trim().as_bytes()).any(|rest| {
        rest.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"numpy"))
            && !rest.get(5).is_some_and(|next| next.is_ascii_alphanumeric() || b"-_.".contains(next))
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Generation {
    One,
    Two,
}

/// The NumPy whose headers stand in these bytes. None: not those headers' code.
fn generation(bytes: &[u8]) -> Option<Generation> {
    find(bytes, b"module compiled against ABI version")?;
    if find(bytes, b"numpy._core").is_some() {
        return Some(Generation::Two);
    }
    find(bytes, b"numpy.core.").is_some().then_some(Generation::One)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_headers_apart() {
        let with = |module: &str| {
            let text = format!("\0{module}\0module compiled against ABI version 0x%x but this version\0");
            generation(text.as_bytes())
        };
        assert_eq!(with("numpy.core._multiarray_umath"), Some(Generation::One));
        assert_eq!(
            with("numpy._core._multiarray_umath\0numpy.core._multiarray_umath"),
            Some(Generation::Two)
        );
        assert_eq!(generation(b"numpy.core.multiarray"), None, "pybind11 looks it up by itself");
    }
}
