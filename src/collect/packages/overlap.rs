//! Files that two distributions of one directory both recorded, with different contents.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::distribution::Reading;
use super::recorded::{is_module, root_of};
use super::{RECORD_LIMIT, Read, Site};
use crate::facts::distribution::Overlap;
use crate::host::{Contents, Files};
use crate::parse::record;
use crate::path::HostPath;

/// So many files of an overlap are named.
const MOST_NAMED: usize = 5;

pub fn overlaps(files: &dyn Files, sites: &[Site], read: &[Read]) -> Vec<Overlap> {
    let mut found = Vec::new();
    for (index, site) in sites.iter().enumerate() {
        let readings: Vec<&Reading> =
            read.iter().filter(|(site, _)| *site == index).map(|(_, reading)| reading).collect();
        let neighbours = neighbours(&readings);
        let records: HashMap<usize, Contents> = neighbours
            .values()
            .flatten()
            .filter_map(|at| {
                let record = readings.get(*at)?.distribution.metadata.join("RECORD");
                Some((*at, files.read(&record, RECORD_LIMIT).ok()?))
            })
            .collect();
        for ((left, right), mut paths) in shared(&neighbours, &records) {
            let (Some(left), Some(right)) = (readings.get(left), readings.get(right)) else { continue };
            if left.distribution.normalized != right.distribution.normalized {
                paths.sort_unstable();
                found.extend(overlap(site, left, right, &paths));
            }
        }
    }
    found
}

/// The indexes of the distributions that have modules below the same first name, by that name.
fn neighbours<'a>(readings: &[&'a Reading]) -> BTreeMap<&'a [u8], BTreeSet<usize>> {
    let mut by_root: BTreeMap<&[u8], BTreeSet<usize>> = BTreeMap::new();
    for (at, reading) in readings.iter().enumerate() {
        for root in &reading.roots {
            by_root.entry(root).or_default().insert(at);
        }
    }
    by_root.retain(|_, owners| owners.len() > 1);
    by_root
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
            if entry.hash.is_empty() || !is_module(&entry.path) || !neighbours.contains_key(root) {
                continue;
            }
            let before =
                claims.insert(entry.path.clone(), Claim { owner: at, place, hash: entry.hash.clone() });
            if let Some(before) = before.filter(|before| before.owner != at && before.hash != entry.hash) {
                pairs.entry((before.owner, at)).or_default().push((before.place, entry.path));
            }
        }
    }
    pairs
}

/// None when all that they share are `__init__` files, as distributions of one old-style namespace do.
fn overlap(site: &Site, left: &Reading, right: &Reading, paths: &Paths) -> Option<Overlap> {
    let mut shared = paths.iter().map(|(_, path)| path).filter(|path| !path.ends_with(b"/__init__.py"));
    let files: Vec<HostPath> =
        shared.by_ref().take(MOST_NAMED).map(|path| site.directory.join(path)).collect();
    (!files.is_empty()).then(|| Overlap {
        left: left.distribution.metadata.clone(),
        right: right.distribution.metadata.clone(),
        count: files.len() + shared.count(),
        files,
    })
}
