//! What was predicted beside what the interpreter reported.

use serde::{Deserialize, Serialize};

use super::predict::{ImportEntry, ImportOrigin, Prediction, StartupHook};
use super::spelling::Spelling;

/// More entries than any real path has; beyond them the rest counts as different.
const ENTRY_LIMIT: usize = 2_000;

/// What an interpreter says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    pub prefix: Spelling,
    /// None before 3.3, which has no such attribute.
    pub base_prefix: Option<Spelling>,
    pub exec_prefix: Spelling,
    pub base_exec_prefix: Option<Spelling>,
    pub executable: Option<Spelling>,
    /// `site.USER_SITE`, where site was imported.
    pub user_site: Option<Spelling>,
    /// `site.ENABLE_USER_SITE`; the outer None: site was not imported.
    pub user_site_enabled: Option<Option<bool>>,
    pub path: Vec<Spelling>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    pub agrees: bool,
    /// Prefixes and the user-site flag that differ.
    pub differences: Vec<Difference>,
    /// The reported entries in order, each with the rule that explains it, if one does.
    pub entries: Vec<Explained>,
    /// Entries that were predicted and are not there.
    pub absent: Vec<ImportEntry>,
    /// What may have put the unexplained entries there.
    pub suspects: Vec<StartupHook>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub what: String,
    pub predicted: String,
    pub reported: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    pub directory: Spelling,
    pub origin: ImportOrigin,
}

pub fn compare(prediction: &Prediction, reported: &Reported) -> Comparison {
    let mut differences = Vec::new();
    let mut differ = |what: &str, predicted: String, reported: String| {
        if predicted != reported {
            differences.push(Difference { what: what.to_owned(), predicted, reported });
        }
    };
    let text = |spelling: &Spelling| spelling.to_text().into_owned();
    differ("sys.prefix", text(&prediction.prefix), text(&reported.prefix));
    differ("sys.exec_prefix", text(&prediction.exec_prefix), text(&reported.exec_prefix));
    let optional = [
        ("sys.base_prefix", Some(&prediction.base_prefix), &reported.base_prefix),
        ("sys.base_exec_prefix", Some(&prediction.base_exec_prefix), &reported.base_exec_prefix),
        ("sys.executable", Some(&prediction.executable), &reported.executable),
        ("site.USER_SITE", prediction.user_site.directory.as_ref(), &reported.user_site),
    ];
    for (what, predicted, reported) in optional {
        if let Some(reported) = reported {
            differ(what, predicted.map(text).unwrap_or_default(), text(reported));
        }
    }
    if let Some(enabled) = reported.user_site_enabled {
        differ("site.ENABLE_USER_SITE", flag(prediction.user_site.enabled), flag(enabled));
    }
    if !prediction.starts() {
        differ("outcome", "it does not start".to_owned(), "it starts".to_owned());
    }

    let pairs = align(&prediction.entries, &reported.path);
    let mut matched = vec![false; prediction.entries.len()];
    let mut entries = Vec::with_capacity(reported.path.len());
    for (index, directory) in reported.path.iter().enumerate() {
        let partner = pairs.iter().find(|(_, position)| *position == index).map(|(partner, _)| *partner);
        let origin = match partner {
            Some(partner) => {
                matched[partner] = true;
                prediction.entries[partner].origin.clone()
            }
            None => ImportOrigin::Unexplained,
        };
        entries.push(Explained { directory: directory.clone(), origin });
    }
    let absent: Vec<_> = prediction
        .entries
        .iter()
        .zip(matched)
        .filter(|(_, matched)| !matched)
        .map(|(entry, _)| entry.clone())
        .collect();
    let unexplained = entries.iter().any(|entry| entry.origin == ImportOrigin::Unexplained);
    let suspects = if unexplained || !absent.is_empty() {
        prediction.hooks.iter().filter(|hook| hook.may_add_entries).cloned().collect()
    } else {
        Vec::new()
    };
    let agrees = differences.is_empty() && !unexplained && absent.is_empty();
    Comparison { agrees, differences, entries, absent, suspects }
}

fn flag(enabled: Option<bool>) -> String {
    match enabled {
        Some(true) => "True",
        Some(false) => "False",
        None => "None",
    }
    .to_owned()
}

/// A longest common subsequence: pairs of indices into both, in order.
fn align(predicted: &[ImportEntry], reported: &[Spelling]) -> Vec<(usize, usize)> {
    let rows = predicted.len().min(ENTRY_LIMIT);
    let columns = reported.len().min(ENTRY_LIMIT);
    let mut lengths = vec![vec![0u16; columns + 1]; rows + 1];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            lengths[row][column] = if predicted[row].directory == reported[column] {
                lengths[row + 1][column + 1] + 1
            } else {
                lengths[row + 1][column].max(lengths[row][column + 1])
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut pairs = Vec::new();
    while row < rows && column < columns {
        if predicted[row].directory == reported[column] {
            pairs.push((row, column));
            row += 1;
            column += 1;
        } else if lengths[row + 1][column] >= lengths[row][column + 1] {
            row += 1;
        } else {
            column += 1;
        }
    }
    pairs
}
