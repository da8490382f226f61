//! What is compiled into an interpreter, and what its extension modules are called.

use crate::facts::platform::System;
use crate::imports::build::{Build, Implementation, Version};

/// In every CPython 3, on every system (`PyImport_Inittab` of Modules/config.c.in); `__main__` is made at every start.
const CORE: &str = "__main__ _ast _imp _string _warnings builtins gc marshal sys";
/// In every CPython 3 that was built by Modules/Setup.bootstrap, where no file tells the builder's choice.
const BOOTSTRAP: &str = "_abc _codecs _collections _functools _io _locale _operator _signal _sre _stat _symtable \
    _thread _tracemalloc _weakref atexit errno faulthandler itertools time";
/// What a Windows build has besides (PC/config.c).
const WINDOWS: &str = "_abc _bisect _blake2 _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw \
    _contextvars _csv _datetime _functools _heapq _json _lsprof _md5 _multibytecodec _opcode _operator _pickle \
    _random _sha1 _sha3 _stat _statistics _struct _winapi array binascii cmath math mmap msvcrt nt winreg \
    xxsubtype zlib";
const PYTHON2: &str = "__builtin__ __main__ _ast _codecs _sre _symtable _warnings _weakref errno exceptions gc imp \
    marshal signal sys thread zipimport";
/// In every PyPy 3 (`sys.builtin_module_names` of 7.3).
const PYPY: &str = "__exceptions__ __main__ __pypy__ __pypy__._pypydatetime __pypy__.bufferable __pypy__.builders \
    __pypy__.intop __pypy__.os __pypy__.thread _abc _ast _bz2 _cffi_backend _codecs _collections _continuation _csv \
    _imp _io _jitlog _locale _lsprof _md5 _minimal_curses _multibytecodec _multiprocessing _opcode _operator \
    _pickle _pickle_support _posixsubprocess _pypyjson _random _rawffi _rawffi.alt _signal _socket _sre _string \
    _struct _testing _thread _vmprof _warnings _weakref array atexit binascii builtins cmath cpyext errno \
    faulthandler fcntl gc itertools marshal math mmap posix pwd pyexpat pyexpat.errors pyexpat.model pypyjit select \
    sys termios time token unicodedata zlib";

/// Python/frozen.c since 3.11; before, the import system itself and the `__hello__` family.
const FROZEN: &str = "_frozen_importlib _frozen_importlib_external zipimport abc codecs io _collections_abc \
    _sitebuiltins genericpath ntpath posixpath os site stat importlib.util importlib.machinery runpy __hello__ \
    __hello_alias__ __phello_alias__.spam __phello__.__init__ __phello__.ham.__init__ __phello__.ham.eggs \
    __phello__.spam __hello_only__";
const FROZEN_PACKAGES: [&str; 3] = ["__phello__", "__phello__.ham", "__phello_alias__"];

fn lists(names: &str, name: &str) -> bool {
    names.split_ascii_whitespace().any(|known| known == name)
}

pub(super) fn is_built_in(build: &Build, name: &str) -> bool {
    let version = build.version;
    if build.implementation == Implementation::PyPy {
        return lists(PYPY, name);
    }
    if version < Version::new(3, 0) {
        return lists(PYTHON2, name)
            || (build.system == System::Windows && lists(WINDOWS, name))
            || (build.system != System::Windows && lists("posix pwd xxsubtype", name));
    }
    let since = |names: &str, minor: u8| version >= Version::new(3, minor) && lists(names, name);
    if lists(CORE, name) || since("_tokenize", 11) || since("_contextvars", 14) {
        return true;
    }
    if build.system == System::Windows {
        return lists(BOOTSTRAP, name)
            || lists(WINDOWS, name)
            || (version < Version::new(3, 8) && name == "zipimport")
            || since("_suggestions", 13);
    }
    match &build.compiled_in {
        Some(names) => names.iter().any(|known| known == name),
        None => {
            lists(BOOTSTRAP, name)
                || lists("posix pwd", name)
                || (version < Version::new(3, 8) && name == "zipimport")
                || since("_typing", 11)
                || since("_suggestions", 13)
        }
    }
}

/// Whether a frozen module has that name, and whether it is a package.
pub(super) fn frozen(build: &Build, name: &str) -> Option<bool> {
    let version = build.version;
    let pypy = build.implementation == Implementation::PyPy;
    let modern = !pypy && version >= Version::new(3, 11);
    if version < Version::new(3, 0) {
        return match name {
            "__hello__" | "__phello__.spam" if !pypy => Some(false),
            "__phello__" if !pypy => Some(true),
            _ => None,
        };
    }
    if !modern {
        return match name {
            "_frozen_importlib" | "_frozen_importlib_external" => Some(false),
            "zipimport" if version >= Version::new(3, 8) => Some(false),
            "__hello__" | "__phello__.spam" if !pypy => Some(false),
            "__phello__" if !pypy => Some(true),
            _ => None,
        };
    }
    if FROZEN_PACKAGES.contains(&name) {
        return Some(true);
    }
    let known = lists(FROZEN, name)
        || (name == "os.path" && version < Version::new(3, 14))
        || (name == "linecache" && version >= Version::new(3, 15));
    known.then_some(false)
}

/// `importlib.machinery.EXTENSION_SUFFIXES` (`_PyImport_DynLoadFiletab` of Python/dynload_shlib.c and
/// dynload_win.c).
pub fn extension_suffixes(build: &Build) -> Vec<String> {
    let version = build.version;
    let own = build.extension_suffix.clone();
    if build.implementation == Implementation::PyPy {
        return own.into_iter().collect();
    }
    let plain = if build.system == System::Windows { ".pyd" } else { ".so" };
    if version < Version::new(3, 0) {
        return match build.system {
            System::Windows => vec![plain.to_owned()],
            _ => vec![plain.to_owned(), format!("module{plain}")],
        };
    }
    let abi_flag = if version < Version::new(3, 8) { "m" } else { build.thread_suffix() };
    let tag = format!("{}{}{abi_flag}", version.major, version.minor);
    let own = own.unwrap_or_else(|| match build.system {
        System::Windows => {
            format!(".cp{}{}{}-win_amd64.pyd", version.major, version.minor, build.thread_suffix())
        }
        System::MacOs => format!(".cpython-{tag}-darwin.so"),
        _ => format!(".cpython-{tag}-x86_64-linux-gnu.so"),
    });
    if build.system == System::Windows {
        return vec![own, plain.to_owned()];
    }
    let machine = own
        .strip_prefix(&format!(".cpython-{tag}"))
        .and_then(|rest| rest.strip_suffix(".so"))
        .unwrap_or_default()
        .to_owned();
    let mut suffixes = vec![own];
    let with_machine = |stem: &str| format!(".{stem}{machine}.so");
    let stable: Vec<String> = match (version >= Version::new(3, 15), build.free_threaded) {
        (true, false) => {
            vec![with_machine("abi3"), ".abi3.so".into(), with_machine("abi3t"), ".abi3t.so".into()]
        }
        (true, true) => vec![with_machine("abi3t"), ".abi3t.so".into()],
        (false, true) => Vec::new(),
        (false, false) if build.debian && version >= Version::new(3, 13) => {
            vec![".abi3.so".into(), with_machine("abi3")]
        }
        (false, false) => vec![".abi3.so".into()],
    };
    suffixes.extend(stable);
    suffixes.push(plain.to_owned());
    suffixes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::Flavour;

    fn build(minor: u8) -> Build {
        Build::plain(Implementation::CPython, Version::new(3, minor), Flavour::Posix)
    }

    #[test]
    fn suffixes_follow_the_version() {
        assert_eq!(extension_suffixes(&build(12)), [".cpython-312-x86_64-linux-gnu.so", ".abi3.so", ".so"]);
        assert_eq!(extension_suffixes(&build(6))[0], ".cpython-36m-x86_64-linux-gnu.so");
        let free = Build { free_threaded: true, ..build(13) };
        assert_eq!(extension_suffixes(&free), [".cpython-313t-x86_64-linux-gnu.so", ".so"]);
        let debian = Build { debian: true, ..build(14) };
        assert_eq!(extension_suffixes(&debian)[2], ".abi3-x86_64-linux-gnu.so");
        assert_eq!(
            extension_suffixes(&build(15)),
            [
                ".cpython-315-x86_64-linux-gnu.so",
                ".abi3-x86_64-linux-gnu.so",
                ".abi3.so",
                ".abi3t-x86_64-linux-gnu.so",
                ".abi3t.so",
                ".so"
            ]
        );
        let windows = Build::plain(Implementation::CPython, Version::new(3, 12), Flavour::Windows);
        assert_eq!(extension_suffixes(&windows), [".cp312-win_amd64.pyd", ".pyd"]);
    }

    #[test]
    fn frozen_modules_came_with_3_11() {
        assert_eq!(frozen(&build(10), "os"), None);
        assert_eq!(frozen(&build(11), "os"), Some(false));
        assert_eq!(frozen(&build(14), "os.path"), None);
        assert_eq!(frozen(&build(12), "__phello__"), Some(true));
    }

    #[test]
    fn what_the_builder_chose_counts() {
        let mut chosen = build(12);
        assert!(is_built_in(&chosen, "sys") && is_built_in(&chosen, "time") && !is_built_in(&chosen, "math"));
        chosen.compiled_in = Some(vec!["math".into(), "time".into()]);
        assert!(is_built_in(&chosen, "math") && is_built_in(&chosen, "sys"));
    }
}
