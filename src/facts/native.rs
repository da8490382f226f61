//! Compiled code: extension modules that an environment's interpreter cannot take, what they need, and which
//! libraries of Python's are replaced.

use serde::{Deserialize, Serialize};

use super::interpreter::Version;
use crate::parse::extension_name::{BuiltFor, Misfit};
use crate::path::HostPath;

/// The compiled code of one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Native {
    /// Root of the environment.
    pub environment: HostPath,
    /// Of the interpreter that was judged for.
    pub version: Version,
    /// How many extension modules were seen by name, and of how many of them the file was read.
    pub seen: usize,
    pub read: usize,
    /// Modules of which no file in their directory fits the interpreter by its name.
    pub unfit: Vec<UnfitModule>,
    /// Modules that the loader refuses, by what stands in their files.
    pub unloadable: Vec<UnloadableModule>,
    /// Distributions that were compiled against NumPy 1 beside a NumPy 2.
    pub numpy: Option<NumpyMismatch>,
    /// Libraries of Python's own that `LD_LIBRARY_PATH` replaces.
    pub overrides: Vec<LibraryOverride>,
}

/// A distribution that a module belongs to, by its metadata directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    pub name: String,
    pub version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnfitModule {
    /// As it would be imported: `numpy._core._multiarray_umath`.
    pub module: String,
    pub path: HostPath,
    pub owner: Option<Owner>,
    pub built_for: BuiltFor,
    pub misfit: Misfit,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnloadableModule {
    pub module: String,
    pub path: HostPath,
    pub owner: Option<Owner>,
    /// How many extension modules of the same owner were read, and how many of them have the same fault.
    pub siblings: usize,
    pub alike: usize,
    pub fault: LoadFault,
    #[serde(default)]
    pub sought: Sought,
}

/// Where a missing library was looked for. Empty where the loader's own directories are all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sought {
    pub directories: Vec<HostPath>,
    /// The same library in another version: `libicuuc.76.dylib`, where `libicuuc.74.dylib` is asked for.
    pub other_version: Option<HostPath>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadFault {
    /// Another operating system's format, or another processor's: what it is for.
    WrongBinary { built_for: String },
    /// Linked to musl, and the interpreter to glibc, or the reverse: the library that it asks for.
    WrongCLibrary { library: String },
    /// A needed library is nowhere. `needed_by`: another library that the module needs, where it is not the module
    /// itself.
    MissingLibrary {
        library: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        needed_by: Option<HostPath>,
    },
    /// The library that would be loaded does not define this symbol version; `newest` is its newest of that kind.
    MissingVersion { library: String, found: HostPath, version: String, newest: Option<String> },
}

/// NumPy 2 cannot import what was compiled against NumPy 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumpyMismatch {
    pub numpy_version: String,
    /// With one of its modules as the proof.
    pub compiled_for_1: Vec<(Owner, HostPath)>,
}

/// A library that the variable puts before the one that Python would load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryOverride {
    pub variable: String,
    pub directory: HostPath,
    /// The name that is asked for: `libcrypto.so.3`.
    pub library: String,
    pub loaded: HostPath,
    /// What is loaded without the variable.
    pub otherwise: HostPath,
    /// The module that needs it.
    pub needed_by: HostPath,
    /// Symbol versions or functions that it needs and the loaded file does not define.
    pub lacking: Vec<String>,
}
