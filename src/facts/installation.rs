//! Choosing the Python that an environment is made from.

use super::interpreter::{Installation, Version};

/// The installation to make an environment from: of the wanted minor version, best with the same patch
/// level; else the newest that `requires-python` allows; else the newest.
pub fn best_installation<'i>(
    installations: impl IntoIterator<Item = &'i Installation>,
    wanted: Option<Version>,
    requires: Option<&str>,
) -> Option<&'i Installation> {
    let installations: Vec<&'i Installation> = installations.into_iter().collect();
    // what can give the environment pip comes first, then CPython
    let rank = |installation: &Installation| {
        (installation.has_ensurepip, installation.implementation.as_deref() != Some("pypy"))
    };
    if let Some(wanted) = wanted {
        let same = installations
            .iter()
            .copied()
            .rev()
            .filter(|found| found.version.is_some_and(|found| found.same_minor(wanted)));
        let exact = |found: &Installation| {
            wanted.patch.is_some() && found.version.and_then(|version| version.patch) == wanted.patch
        };
        if let Some(best) = same.max_by_key(|found| (exact(found), rank(found))) {
            return Some(best);
        }
    }
    // of equal ones the first, which is the one that the shell would run
    let newest = |found: &&Installation| {
        let version = found.version.map(|version| (version.major, version.minor, !version.free_threaded));
        (version, rank(found))
    };
    let allowed = requires.filter(|text| !text.trim().is_empty()).map(|requires| {
        installations
            .iter()
            .copied()
            .rev()
            .filter(move |found| found.version.is_some_and(|version| allows(requires, version)))
    });
    allowed
        .and_then(|allowed| allowed.max_by_key(newest))
        .or_else(|| installations.iter().copied().rev().max_by_key(newest))
}

/// Whether a version satisfies a `requires-python` (PEP 440), or a constraint as poetry (`^3.9`) and pipenv
/// (`3.11`) write it. What cannot be read forbids nothing; an unknown patch level is taken as fitting.
pub fn allows(requires: &str, version: Version) -> bool {
    requires.split("||").any(|alternative| alternative.split(',').all(|clause| satisfies(clause, version)))
}

/// One clause: an operator and a version.
fn satisfies(clause: &str, version: Version) -> bool {
    let clause = clause.trim();
    let split = clause.find(|c: char| c.is_ascii_digit()).unwrap_or(clause.len());
    let (operator, number) = (clause[..split].trim(), &clause[split..]);
    let parts: Vec<u32> = number.split('.').map_while(leading_number).collect();
    let Some(&major) = parts.first() else { return true };
    let wildcard = number.contains('*');
    // the patch level counts only where both sides name one
    let known = version.patch.map_or(2, |_| 3);
    let mine = [version.major, version.minor, version.patch.unwrap_or(0)];
    let length = parts.len().min(3);
    let compare = |length: usize| mine[..length.min(known)].cmp(&parts[..length.min(known)]);
    let full = |part: usize| parts.get(part).copied().unwrap_or(0);
    let theirs = [full(0), full(1), full(2)];
    let ordering = mine[..known].cmp(&theirs[..known]);
    let patch_unknown = known == 2 && length == 3 && compare(2).is_eq();
    match operator {
        ">=" => ordering.is_ge(),
        ">" => ordering.is_gt() || patch_unknown,
        "<=" => ordering.is_le(),
        "<" => ordering.is_lt() || (patch_unknown && full(2) > 0),
        "!=" if wildcard || length == 3 => compare(length).is_ne() || patch_unknown,
        "!=" => ordering.is_ne(),
        "==" | "===" | "" => compare(length).is_eq(),
        "~=" if length < 3 => mine[0] == major && ordering.is_ge(),
        "~=" | "~" => compare(2.min(length)).is_eq() && ordering.is_ge(),
        "^" => mine[0] == major && ordering.is_ge(),
        _ => true,
    }
}

fn leading_number(part: &str) -> Option<u32> {
    let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
    part[..end].parse().ok()
}
