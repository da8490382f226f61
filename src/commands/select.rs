//! Which checks run.

use crate::checks;
use crate::diagnosis::{Category, Check, Need, Unexamined};

use super::Trouble;

/// The checks to run, in the order of the table, and those that were left out. What must read every installed file
/// runs only when `deep`.
pub fn select(
    selected: &[String],
    ignored: &[String],
    deep: bool,
) -> Result<(Vec<&'static Check>, Vec<Unexamined>), Trouble> {
    for name in selected.iter().chain(ignored) {
        let known =
            checks::find(name).is_some() || Category::ALL.iter().any(|category| category.label() == name);
        if !known {
            let names = checks::all()
                .map(|check| check.id)
                .chain(Category::ALL.iter().map(|category| category.label()));
            return Err(Trouble(format!(
                "there is no check or category {name:?}{}; `venv-doctor checks` lists them",
                did_you_mean(name, names)
            )));
        }
    }
    let names = |check: &Check, names: &[String]| {
        names.iter().any(|name| {
            name == check.category.label() || checks::find(name).is_some_and(|found| found.id == check.id)
        })
    };
    let mut chosen = Vec::new();
    let mut skipped = Vec::new();
    for check in checks::all() {
        if !selected.is_empty() && !names(check, selected) {
            skipped.push(Unexamined { check: check.id, reason: "not selected".to_owned() });
        } else if names(check, ignored) {
            skipped.push(Unexamined { check: check.id, reason: "ignored".to_owned() });
        } else if !deep && check.needs.contains(&Need::Contents) {
            let reason = "it reads every installed file: give --deep to run it".to_owned();
            skipped.push(Unexamined { check: check.id, reason });
        } else {
            chosen.push(check);
        }
    }
    Ok((chosen, skipped))
}

/// ` (did you mean "x"?)`, or nothing when no name is near.
pub fn did_you_mean<'a>(asked: &str, names: impl Iterator<Item = &'a str>) -> String {
    let near = names
        .map(|name| (strsim::jaro_winkler(asked, name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0));
    near.map_or_else(String::new, |(_, name)| format!(" (did you mean {name:?}?)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_category_stands_for_its_checks() {
        let (chosen, skipped) = select(&names(&["relocation"]), &names(&["moved-venv"]), false).unwrap();
        assert!(
            chosen.iter().all(|check| check.category == Category::Relocation && check.id != "moved-venv")
        );
        assert!(!chosen.is_empty());
        assert!(skipped.iter().any(|skipped| skipped.check == "moved-venv" && skipped.reason == "ignored"));
    }

    #[test]
    fn what_reads_every_file_waits_for_its_flag() {
        let id = "altered-distribution-files";
        let (chosen, skipped) = select(&names(&["packages"]), &[], false).unwrap();
        assert!(chosen.iter().all(|check| check.id != id));
        assert!(skipped.iter().any(|skipped| skipped.check == id && skipped.reason.contains("--deep")));
        let (chosen, _) = select(&names(&["packages"]), &[], true).unwrap();
        assert!(chosen.iter().any(|check| check.id == id));
    }

    #[test]
    fn unknown_names_are_refused_with_the_nearest() {
        let Err(Trouble(message)) = select(&names(&["moved-env"]), &[], false) else { panic!("accepted") };
        assert!(message.contains("moved-venv"), "{message}");
    }
}
