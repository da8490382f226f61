//! Files that two distributions of one directory both recorded, with different contents.

use std::collections::BTreeMap;

use super::recorded::hashed;
use super::{Read, Site};
use crate::facts::distribution::Overlap;
use crate::host::Files;
use crate::parse::record;

const RECORD_LIMIT: usize = 8 << 20;
/// So many files of an overlap are named.
const MOST_NAMED: usize = 5;

pub fn overlaps(files: &dyn Files, sites: &[Site], read: &[Read]) -> Vec<Overlap> {
    let mut found = Vec::new();
    for (index, site) in sites.iter().enumerate() {
        let mut claims: Vec<(u64, u64, usize)> = Vec::new();
        for (at, (_, reading)) in read.iter().enumerate().filter(|(_, (site, _))| *site == index) {
            claims.extend(reading.claims.iter().map(|claim| (claim.path, claim.content, at)));
        }
        claims.sort_unstable();
        let mut pairs: BTreeMap<(usize, usize), Vec<u64>> = BTreeMap::new();
        for pair in claims.windows(2) {
            let [(path, content, left), (other_path, other_content, right)] = pair else { continue };
            if path == other_path && content != other_content && left != right {
                pairs.entry((*left.min(right), *left.max(right))).or_default().push(*path);
            }
        }
        for ((left, right), paths) in pairs {
            let (Some((_, left)), Some((_, right))) = (read.get(left), read.get(right)) else { continue };
            if left.distribution.normalized != right.distribution.normalized {
                found.extend(overlap(files, site, left, right, &paths));
            }
        }
    }
    found
}

/// None when all that they share are `__init__` files, as distributions of one old-style namespace do.
fn overlap(
    files: &dyn Files,
    site: &Site,
    left: &super::distribution::Reading,
    right: &super::distribution::Reading,
    paths: &[u64],
) -> Option<Overlap> {
    let contents = files.read(&left.distribution.metadata.join("RECORD"), RECORD_LIMIT).ok()?;
    let mut overlap = Overlap {
        left: left.distribution.metadata.clone(),
        right: right.distribution.metadata.clone(),
        files: Vec::new(),
        count: 0,
    };
    for entry in record::entries(&contents.bytes) {
        let shared = !entry.path.ends_with(b"/__init__.py") && paths.contains(&hashed(&entry.path));
        if shared {
            overlap.count += 1;
            if overlap.files.len() < MOST_NAMED {
                overlap.files.push(site.directory.join(entry.path));
            }
        }
    }
    (overlap.count > 0).then_some(overlap)
}
