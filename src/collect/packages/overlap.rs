//! Files that two distributions of one directory both recorded, with different contents.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::distribution::Reading;
use super::reading::Read;
use super::recorded::{is_module, root_of};
use super::{RECORD_LIMIT, Site};
use crate::facts::distribution::Overlap;
use crate::host::{Contents, Files};
use crate::parse::record;
use crate::path::HostPath;

/// So many files of an overlap are named.
const MOST_NAMED: usize = 5;

/// What RECORD says of a file without contents.
const EMPTY: &[u8] = b"sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

/// Of an `__init__.py` so much is read: a namespace is declared in its first lines.
const INIT_LIMIT: usize = 64 * 1024;

/// Packages that many distributions install by mistake and nobody imports.
const BY_MISTAKE: [&[u8]; 9] =
    [b"tests", b"test", b"testing", b"docs", b"doc", b"examples", b"example", b"benchmarks", b"scripts"];

pub fn overlaps(files: &dyn Files, sites: &[Site], read: &[Read]) -> Vec<Overlap> {
    let mut found = Vec::new();
    for (index, site) in sites.iter().enumerate() {
        let readings: Vec<&Reading> =
            read.iter().filter(|(site, _)| *site == index).map(|(_, reading)| reading.as_ref()).collect();
        let neighbours = neighbours(&readings);
        let records: HashMap<usize, Contents> = neighbours
            .values()
            .flatten()
            .filter_map(|at| {
                let record = readings.get(*at)?.distribution.metadata.join("RECORD");
                Some((*at, files.read(&record, RECORD_LIMIT).ok()?))
            })
            .collect();
        let mut modules = HashMap::new();
        for ((first, second), mut paths) in shared(&neighbours, &records) {
            let (Some(left), Some(right)) = (readings.get(first), readings.get(second)) else { continue };
            if paths.iter().all(|(_, path)| is_init(path)) {
                let mut is_all = |owner: usize, path: &[u8]| {
                    let Some(record) = records.get(&owner) else { return false };
                    let counts = modules.entry(owner).or_insert_with(|| modules_by_root(record));
                    counts.get(root_of(path)) == Some(&1)
                };
                paths.retain(|(_, path)| is_all(first, path) && is_all(second, path));
            }
            if left.distribution.normalized != right.distribution.normalized {
                paths.sort_unstable();
                found.extend(overlap(files, site, left, right, &paths));
            }
        }
    }
    found
}

/// The indexes of the distributions that have modules below the same first name, by that name.
fn neighbours<'a>(readings: &[&'a Reading]) -> BTreeMap<&'a [u8], BTreeSet<usize>> {
    let of_one = |(at, reading): (usize, &&'a Reading)| reading.roots.iter().map(move |root| (&root[..], at));
    let mut roots: Vec<(&[u8], usize)> = readings.iter().enumerate().flat_map(of_one).collect();
    roots.sort_unstable();
    roots.dedup();
    let shared = roots.chunk_by(|one, other| one.0 == other.0).filter(|owners| owners.len() > 1);
    shared
        .filter_map(|owners| Some((owners.first()?.0, owners.iter().map(|owner| owner.1).collect())))
        .collect()
}

/// Paths with their place in the RECORD of the first of two distributions.
type Paths<'a> = Vec<(usize, Cow<'a, [u8]>)>;

/// Who recorded a path last, where in the RECORD, and with what hash.
struct Claim<'a> {
    owner: usize,
    place: usize,
    hash: Cow<'a, [u8]>,
}

/// For each pair of distributions the paths that both recorded with different contents. Of more than two owners
/// of a path each is compared with the one before it.
fn shared<'a>(
    neighbours: &BTreeMap<&[u8], BTreeSet<usize>>,
    records: &'a HashMap<usize, Contents>,
) -> BTreeMap<(usize, usize), Paths<'a>> {
    let mut pairs: BTreeMap<(usize, usize), Paths> = BTreeMap::new();
    let mut claims: HashMap<Cow<[u8]>, Claim> = HashMap::new();
    let all: BTreeSet<usize> = neighbours.values().flatten().copied().collect();
    for at in all {
        let Some(record) = records.get(&at) else { continue };
        for (place, entry) in record::entries(&record.bytes).enumerate() {
            let root = root_of(&entry.path);
            if !neighbours.contains_key(root) || !is_module(&entry.path) {
                continue;
            }
            let hash = entry.hash();
            if hash.is_empty() {
                continue;
            }
            let before = claims.insert(entry.path.clone(), Claim { owner: at, place, hash: hash.clone() });
            if let Some(before) =
                before.filter(|before| before.owner != at && differ(&entry.path, &before.hash, &hash))
            {
                pairs.entry((before.owner, at)).or_default().push((before.place, entry.path));
            }
        }
    }
    pairs
}

fn is_init(path: &[u8]) -> bool {
    path.ends_with(b"/__init__.py")
}

/// How many modules a distribution has below each first name. One that brings more than an `__init__.py` shares the
/// package on purpose.
fn modules_by_root(record: &Contents) -> HashMap<Vec<u8>, usize> {
    let mut counts = HashMap::new();
    for entry in record::entries(&record.bytes).filter(|entry| is_module(&entry.path)) {
        *counts.entry(root_of(&entry.path).to_vec()).or_default() += 1;
    }
    counts
}

/// An `__init__.py` without contents is no rival: namespaces have such ones, and plugins by mistake.
fn differ(path: &[u8], one: &[u8], other: &[u8]) -> bool {
    let void = is_init(path) && [one, other].contains(&EMPTY);
    one != other && !void
}

/// None when all that they share are the `__init__` files of an old-style namespace.
fn overlap(
    files: &dyn Files,
    site: &Site,
    left: &Reading,
    right: &Reading,
    paths: &Paths,
) -> Option<Overlap> {
    let (inits, mut shared): (Vec<_>, Vec<_>) =
        paths.iter().map(|(_, path)| path).partition(|path| is_init(path));
    if shared.is_empty() {
        shared = inits.into_iter().filter(|path| holds_code(files, &site.directory, path)).collect();
    }
    let named: Vec<HostPath> = shared.iter().take(MOST_NAMED).map(|path| site.directory.join(path)).collect();
    (!named.is_empty()).then(|| Overlap {
        left: left.distribution.metadata.clone(),
        right: right.distribution.metadata.clone(),
        count: shared.len(),
        files: named,
    })
}

/// Whether this is a top package's `__init__.py` that means something by itself: one that declares a namespace
/// (`pkgutil.extend_path`, `pkg_resources.declare_namespace`) or only says what it is may come from anyone.
fn holds_code(files: &dyn Files, directory: &HostPath, path: &[u8]) -> bool {
    let Some(package) = path.strip_suffix(b"/__init__.py") else { return false };
    if package.contains(&b'/') || BY_MISTAKE.contains(&package) {
        return false;
    }
    let Ok(contents) = files.read(&directory.join(path), INIT_LIMIT) else { return false };
    let text = contents.text();
    !text.contains("extend_path") && !text.contains("declare_namespace") && does_something(&text)
}

/// Whether a file has more than comments, a docstring and names such as `__version__`: what several may say alike.
fn does_something(text: &str) -> bool {
    let quiet = |line: &str| line.trim().is_empty() || line.starts_with(['#', ' ', '\t', ')', ']', '}']);
    let start = text.split_inclusive('\n').take_while(|line| quiet(line)).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    let docstring = ["\"\"\"", "'''"].into_iter().find(|quotes| rest.starts_with(quotes));
    let rest = match docstring {
        Some(quotes) => rest[quotes.len()..].split_once(quotes).map_or("", |(_, rest)| rest),
        None => rest,
    };
    rest.lines().any(|line| !quiet(line) && !line.starts_with("__") && !line.starts_with("from __future__"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::fake::FakeMachine;

    #[test]
    fn only_an_init_that_means_something_by_itself_is_contended() {
        let host = FakeMachine::linux()
            .file("/site/cv/__init__.py", "from .cv import *\n")
            .file("/site/tests/__init__.py", "import cv\n")
            .file("/site/cv/deep/__init__.py", "import cv\n")
            .file("/site/comment/__init__.py", "\n# nothing here\n")
            .file(
                "/site/said/__init__.py",
                "# c\n\"\"\"What it is.\n\nimport it\n\"\"\"\n__version__ = '1'\n__all__ = [\n]\n",
            )
            .file(
                "/site/windows/__init__.py",
                "# c\r\n# d\r\n\"\"\"What it is.\r\n\r\nimport it\r\n\"\"\"\r\n__version__ = '1'\r\n",
            )
            .file(
                "/site/old/__init__.py",
                "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n",
            )
            .file("/site/older/__init__.py", "__import__('pkg_resources').declare_namespace(__name__)\n");
        let contended = |path: &str| {
            holds_code(&host, &HostPath::posix("/site"), format!("{path}/__init__.py").as_bytes())
        };
        assert!(contended("cv"));
        for path in ["tests", "cv/deep", "comment", "said", "windows", "old", "older", "gone"] {
            assert!(!contended(path), "{path}");
        }
    }

    #[test]
    fn a_distribution_that_brings_more_shares_its_package() {
        let record = |text: &str| Contents {
            bytes: text.as_bytes().to_vec(),
            size: text.len() as u64,
            mode: 0o644,
            modified: (0, 0),
        };
        let cv = |text: &str| modules_by_root(&record(text)).get(b"cv".as_slice()).copied();
        assert_eq!(cv("cv/__init__.py,sha256=a,1\ncv-1.dist-info/METADATA,,\nother.py,,\n"), Some(1));
        assert_eq!(cv("cv/__init__.py,sha256=a,1\ncv/part.py,sha256=b,1\n"), Some(2));
    }

    #[test]
    fn an_empty_init_is_no_rival_and_an_empty_module_is() {
        assert!(!differ(b"cv/__init__.py", EMPTY, b"sha256=x"));
        assert!(!differ(b"cv/__init__.py", b"sha256=x", EMPTY));
        assert!(differ(b"cv/__init__.py", b"sha256=x", b"sha256=y"));
        assert!(differ(b"cv/core.py", b"sha256=x", EMPTY));
    }
}
