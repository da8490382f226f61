//! Where macOS's loader finds a library: `dyld(1)`, and `forEachPathVariant` of dyld's `DyldProcessConfig.cpp`.

use crate::facts::interpreter::{LibraryLookup, LinkChain};
use crate::host::{Files, Host};
use crate::parse::binary::Binary;
use crate::path::{Flavour, HostPath};

pub const THROUGH_VARIABLE: &str = "DYLD_LIBRARY_PATH";
const FALLBACK_VARIABLE: &str = "DYLD_FALLBACK_LIBRARY_PATH";
const FALLBACK: &str = "/usr/local/lib:/usr/lib";

/// What lies below these is in the shared cache, and since macOS 11 in no file.
const SHARED_CACHE: [&str; 2] = ["/usr/lib/", "/System/"];

/// Libraries of `/usr/lib` that the fallback may find in the shared cache, by the beginning of their names.
const CACHED: [&str; 39] = [
    "libarchive",
    "libbsm",
    "libbz2",
    "libc++",
    "libc++abi",
    "libcharset",
    "libcom_err",
    "libcompression",
    "libcups",
    "libcurl",
    "libedit",
    "libexpat",
    "libexslt",
    "libffi",
    "libform",
    "libgssapi_krb5",
    "libiconv",
    "libicucore",
    "libkrb5",
    "liblber",
    "libldap",
    "liblzma",
    "libm",
    "libmenu",
    "libncurses",
    "libobjc",
    "libpam",
    "libpanel",
    "libpcap",
    "libreadline",
    "libresolv",
    "libsasl2",
    "libsqlite3",
    "libstdc++",
    "libSystem",
    "libtidy",
    "libxml2",
    "libxslt",
    "libz",
];

/// Programs of the system lose every `DYLD_` variable (System Integrity Protection), and Apple's developer tools are
/// built so that they ignore them (hardened runtime).
const PROTECTED: [&str; 8] = [
    "/bin/",
    "/sbin/",
    "/usr/bin/",
    "/usr/sbin/",
    "/usr/libexec/",
    "/System/",
    "/Library/Developer/",
    "/Applications/Xcode",
];

/// `LC_RPATH` of one image: as it stands there, and the directory that `@loader_path` means in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPath {
    pub raw: String,
    pub loader: Vec<HostPath>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// The file, and the variable that led there.
    Found(HostPath, Option<&'static str>),
    /// By the shared cache, in which nobody can look.
    Provided,
    /// The files that were tried.
    Missing(Vec<HostPath>),
}

/// The loader of one process.
#[derive(Clone)]
pub struct Dyld<'a> {
    files: &'a dyn Files,
    variable: Vec<HostPath>,
    fallback: Vec<HostPath>,
    /// What `@executable_path` means: a framework's Python starts another program, so that there may be several.
    executables: Vec<HostPath>,
    /// Of the program itself: they hold for whatever is loaded into it.
    run_paths: Vec<RunPath>,
}

impl<'a> Dyld<'a> {
    /// Of the interpreter at `path`, with `links` behind it.
    pub fn new(host: &'a dyn Host, path: &HostPath, links: &LinkChain, binary: &Binary) -> Dyld<'a> {
        let file = links.last().unwrap_or(path);
        let mut executables = directories_of(host, file);
        executables.extend(path.parent().filter(|directory| !executables.contains(directory)));
        if let Some((versions, _)) = file.to_text().rsplit_once("/bin/")
            && versions.contains(".framework/Versions/")
        {
            executables.push(HostPath::posix(format!("{versions}/Resources/Python.app/Contents/MacOS")));
        }
        let obeys = obeys_variables(file) && obeys_variables(path);
        let directories = |name: &str, default: &str| {
            let value = host.variable(name).filter(|_| obeys).unwrap_or_else(|| default.into());
            let entries = value.split(|byte| *byte == b':');
            entries.filter_map(|entry| HostPath::new(Flavour::Posix, entry)).collect()
        };
        let loader = directories_of(host, file);
        Dyld {
            files: host,
            variable: directories(THROUGH_VARIABLE, ""),
            fallback: directories(FALLBACK_VARIABLE, FALLBACK),
            executables,
            run_paths: run_paths(binary, &loader),
        }
    }

    pub fn without_variable(&self) -> Dyld<'a> {
        Dyld { variable: Vec::new(), ..self.clone() }
    }

    /// For an image that lies in `loader`. `run_paths`: its own, then those of the images that led to it.
    pub fn find(&self, name: &str, loader: &[HostPath], run_paths: &[RunPath]) -> Search {
        let leaf = name.rsplit('/').next().unwrap_or(name);
        let through_variable = self.variable.iter().map(|directory| directory.join(leaf));
        if let Some(path) = through_variable.into_iter().find(|path| self.files.is_file(path)) {
            return Search::Found(path, Some(THROUGH_VARIABLE));
        }
        if SHARED_CACHE.iter().any(|root| name.starts_with(root)) {
            return Search::Provided;
        }
        let mut tried = match name.strip_prefix("@rpath/") {
            Some(rest) => run_paths
                .iter()
                .chain(&self.run_paths)
                .flat_map(|path| self.expand(&path.raw, &path.loader))
                .map(|directory| directory.join(rest))
                .collect(),
            None => self.expand(name, loader),
        };
        // a name of the current directory, or of a kind that is not known: whoever starts it knows
        if tried.is_empty() && !name.starts_with("@rpath/") {
            return Search::Provided;
        }
        tried.extend(self.fallback.iter().map(|directory| directory.join(leaf)));
        if let Some(found) = tried.iter().find(|path| self.files.is_file(path)) {
            return Search::Found(found.clone(), None);
        }
        // a run path of the system's leads into the shared cache, as the fallback does
        let in_cache = |path: &HostPath| {
            let text = path.normalized().to_text().into_owned();
            SHARED_CACHE.iter().any(|root| text.starts_with(root)) && is_cached(leaf, &text)
        };
        if tried.iter().any(in_cache) {
            return Search::Provided;
        }
        Search::Missing(tried)
    }

    /// What `@loader_path` and `@executable_path` stand for; nothing of a relative path.
    fn expand(&self, raw: &str, loader: &[HostPath]) -> Vec<HostPath> {
        let below = |rest: &str, directories: &[HostPath]| {
            let rest = rest.trim_start_matches('/');
            directories.iter().map(|directory| directory.join(rest)).collect()
        };
        if let Some(rest) = raw.strip_prefix("@loader_path") {
            below(rest, loader)
        } else if let Some(rest) = raw.strip_prefix("@executable_path") {
            below(rest, &self.executables)
        } else {
            HostPath::new(Flavour::Posix, raw).into_iter().collect()
        }
    }
}

/// Below `/usr/lib` by name; all of `/usr/lib/swift` and `/System`.
fn is_cached(leaf: &str, path: &str) -> bool {
    let directly = path.strip_prefix("/usr/lib/").is_some_and(|rest| !rest.contains('/'));
    !directly || leaf.split('.').next().is_some_and(|stem| CACHED.contains(&stem))
}

fn obeys_variables(program: &HostPath) -> bool {
    let text = program.to_text();
    !PROTECTED.iter().any(|root| text.starts_with(root))
}

/// The directory of a file, and that of the file behind its links.
pub fn directories_of(files: &dyn Files, path: &HostPath) -> Vec<HostPath> {
    let real = files.canonical(path).ok().and_then(|real| real.parent());
    let mut found: Vec<HostPath> = real.into_iter().collect();
    found.extend(path.parent().filter(|directory| !found.contains(directory)));
    found
}

pub fn run_paths(binary: &Binary, loader: &[HostPath]) -> Vec<RunPath> {
    binary.rpath.iter().map(|raw| RunPath { raw: raw.clone(), loader: loader.to_vec() }).collect()
}

/// For each library with the interpreter proper that the program needs: the file that is loaded, and the one that
/// would be without the variable.
pub fn libpython(host: &dyn Host, path: &HostPath, links: &LinkChain, binary: &Binary) -> Vec<LibraryLookup> {
    let dyld = Dyld::new(host, path, links, binary);
    let loader = directories_of(host, links.last().unwrap_or(path));
    let names = binary.libraries.iter().filter(|name| {
        let leaf = name.rsplit('/').next().unwrap_or_default();
        leaf.starts_with("libpython") || ["Python", "PythonT", "Python3", ".Python"].contains(&leaf)
    });
    names.filter_map(|name| lookup(host, &dyld, name, &loader)).collect()
}

fn lookup(host: &dyn Host, dyld: &Dyld, name: &str, loader: &[HostPath]) -> Option<LibraryLookup> {
    let mut lookup = LibraryLookup {
        name: name.to_owned(),
        found: None,
        through: None,
        own: None,
        found_version: None,
        own_version: None,
        searched: Vec::new(),
    };
    match dyld.find(name, loader, &[]) {
        Search::Provided => return None,
        Search::Missing(tried) => {
            for directory in tried.iter().filter_map(HostPath::parent) {
                if !lookup.searched.contains(&directory) {
                    lookup.searched.push(directory);
                }
            }
        }
        Search::Found(found, through) => {
            lookup.through = Some(through.unwrap_or("the path that it names").to_owned());
            if let Search::Found(own, _) = dyld.without_variable().find(name, loader, &[])
                && host.canonical(&own).ok() != host.canonical(&found).ok()
            {
                lookup.found_version = super::library::version(host, &found);
                lookup.own_version = super::library::version(host, &own);
                lookup.own = Some(own);
            }
            lookup.found = Some(found);
        }
    }
    Some(lookup)
}
