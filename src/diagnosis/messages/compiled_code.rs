//! Messages of extension modules that are not loaded.

use super::{Meaning, meaning};
use crate::diagnosis::Category;
use crate::parse::error_output::MessageKind;

pub(super) fn meaning_of(kind: MessageKind) -> &'static Meaning {
    use MessageKind as Kind;
    static C_LIBRARY: Meaning = meaning(
        Category::Native,
        &["c-library-too-old", "library-path-override", "missing-shared-library"],
        "A compiled file needs a newer C or C++ library than the one that is loaded",
        &[
            "unset LD_LIBRARY_PATH and try again",
            "install a wheel for this system: pip install --force-reinstall --only-binary :all: NAME",
        ],
    );
    static SYMBOL: Meaning = meaning(
        Category::Native,
        &[
            "stale-interpreter-copy",
            "libpython-mismatch",
            "extension-for-another-python",
            "extension-abi-mismatch",
            "library-path-override",
        ],
        "A compiled file expects a function that the loaded Python or library does not have: they are of different builds",
        &[
            "in lib-dynload: the interpreter and its standard library are of different releases; make the environment again",
            "in site-packages: install that distribution again for this Python",
        ],
    );
    static ARCHITECTURE: Meaning = meaning(
        Category::Native,
        &["extension-for-another-platform", "interpreter-wrong-architecture"],
        "A compiled file is built for another processor than the running Python",
        &[
            "python -c 'import platform; print(platform.machine())' tells what runs; install the distribution again with that Python",
        ],
    );
    static LIBRARY: Meaning = meaning(
        Category::Native,
        &[
            "missing-shared-library",
            "libpython-missing",
            "extension-for-another-platform",
            "library-path-override",
            "interpreter-loader-missing",
        ],
        "A compiled file needs a shared library that the loader finds nowhere",
        &[
            "install the system package that has the named library (apt-file search, dnf provides)",
            "ldd FILE lists what is not found",
        ],
    );
    static DLL: Meaning = meaning(
        Category::Native,
        &["missing-shared-library", "extension-for-another-python", "extension-for-another-platform"],
        "Windows did not find, or could not load, a DLL that a compiled module needs",
        &[
            "install the Microsoft Visual C++ redistributable",
            "with conda's Python, activate the environment: its DLLs are found through PATH",
            "mixing 32 and 64 bits fails the same way",
        ],
    );
    static NUMPY: Meaning = meaning(
        Category::Native,
        &["extension-abi-mismatch", "library-path-override"],
        "A compiled module was built against another release of NumPy than is installed",
        &[
            "bring the named distribution up to date, or pin NumPy to what it was built for: pip install 'numpy<2'",
        ],
    );
    match kind {
        Kind::CLibraryTooOld => &C_LIBRARY,
        Kind::UndefinedSymbol => &SYMBOL,
        Kind::WrongArchitecture => &ARCHITECTURE,
        Kind::DllLoadFailed => &DLL,
        Kind::NumpyAbi => &NUMPY,
        _ => &LIBRARY,
    }
}
