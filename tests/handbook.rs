//! The handbook is whole: folder, lists, explanations and the README's table say the same.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use venv_doctor::checks;
use venv_doctor::diagnosis::{Category, Check, Need};

const HEADINGS: [&str; 4] =
    ["## What it means", "## How it happens", "## How to fix it", "## When it is fine"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `category/id` of every file in the folder.
fn files() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for category in fs::read_dir(root().join("checks")).unwrap() {
        let category = category.unwrap().path();
        if !category.is_dir() {
            continue;
        }
        let name = category.file_name().unwrap().to_string_lossy().into_owned();
        for file in fs::read_dir(&category).unwrap() {
            let file = file.unwrap().path();
            let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
            let text = if file.is_file() { fs::read_to_string(&file).unwrap() } else { String::new() };
            if text.contains("pub static CHECK: Check") {
                found.insert(format!("{name}/{}", stem.replace('_', "-")));
            }
        }
    }
    found
}

#[test]
fn every_file_is_in_its_list_and_every_check_has_its_file() {
    let listed: BTreeSet<String> =
        checks::all().map(|check| format!("{}/{}", check.category.label(), check.id)).collect();
    let files = files();
    if let Some(missing) = files.difference(&listed).next() {
        let (category, id) = missing.split_once('/').unwrap();
        panic!("checks/{category}/mod.rs lacks the line `&{}::CHECK,`", id.replace('-', "_"));
    }
    assert_eq!(listed, files, "a check whose file has another name or folder");
}

#[test]
fn ids_are_unique_and_kebab_case() {
    let mut seen = BTreeSet::new();
    for check in checks::all() {
        assert!(seen.insert(check.id), "{} is listed twice", check.id);
        assert!(
            check.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
            "{}",
            check.id
        );
        assert!(
            Category::ALL.iter().all(|category| category.label() != check.id),
            "{} is a category",
            check.id
        );
    }
}

#[test]
fn explanations_have_their_four_headings_in_order() {
    for check in checks::all() {
        let headings: Vec<&str> = check.explanation.lines().filter(|line| line.starts_with('#')).collect();
        assert_eq!(headings, HEADINGS, "{}", check.id);
        for section in check.explanation.split("## ").skip(1) {
            let words = section.split_whitespace().count();
            assert!(words > 8, "{}: {section:?} says nothing", check.id);
        }
    }
}

#[test]
fn summaries_are_one_line_without_a_full_stop() {
    for check in checks::all() {
        assert!(!check.summary.contains('\n') && !check.summary.ends_with('.'), "{}", check.id);
        // the names of programs keep their spelling
        let named = ["pip", "pre-commit"].iter().any(|name| check.summary.starts_with(name));
        let starts_well = check.summary.starts_with(|first: char| first.is_uppercase() || first == '`');
        assert!(starts_well || named, "{}: {}", check.id, check.summary);
        assert!(check.summary.chars().count() <= 100, "{} is too long: {}", check.id, check.summary);
    }
}

#[test]
fn what_a_check_explains_exists() {
    for check in checks::all() {
        for symptom in check.explains {
            assert!(checks::find(symptom).is_some(), "{} explains {symptom}, which is no check", check.id);
            assert_ne!(*symptom, check.id, "{} explains itself", check.id);
        }
    }
}

/// The source of a check, that of its folder included, without its tests.
fn source(check: &Check) -> String {
    let path = root().join("checks").join(check.category.label()).join(check.id.replace('-', "_"));
    let parts = fs::read_dir(&path).into_iter().flatten().map(|part| part.unwrap().path());
    let mut text = String::new();
    for file in [path.with_extension("rs")].into_iter().chain(parts) {
        let whole = fs::read_to_string(file).unwrap();
        text += whole.split("#[cfg(test)]").next().unwrap();
    }
    text
}

#[test]
fn a_check_that_asks_what_is_installed_says_so() {
    // with `--select` nothing else would have it read; what `Need::Packages` gathers is another list
    const ASKING: [&str; 11] = [
        "recreate(",
        "recreate_from(",
        "with_replacement(",
        "mended_or_anew(",
        "written_anew(",
        "reinstall_scripts(",
        "environment.distribution(",
        "installed_in(",
        "installs_without_pip(",
        "belongs_to_project(",
        "facts.lacking(",
    ];
    let mut asked = BTreeSet::new();
    for check in checks::all() {
        let text = source(check);
        for call in ASKING.iter().filter(|call| text.contains(*call)) {
            asked.insert(*call);
            assert!(check.needs.contains(&Need::Installed), "{} calls `{call}`", check.id);
        }
    }
    assert_eq!(asked.len(), ASKING.len(), "only these are called anywhere: {asked:?}");
}

#[test]
fn no_check_calls_into_another_category() {
    for check in checks::all() {
        let text = source(check);
        let calls = |category: &Category| {
            *category != check.category && text.contains(&format!("checks::{}::", category.label()))
        };
        assert!(!Category::ALL.iter().any(calls), "{}: what is shared belongs into src/diagnosis", check.id);
    }
}

#[test]
fn the_table_in_the_readme_is_true() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut expected = String::from("| check | severity | what it finds |\n| --- | --- | --- |\n");
    let mut all: Vec<_> = checks::all().collect();
    all.sort_by_key(|check| check.category);
    for check in all {
        expected.push_str(&format!("| {} | {} | {} |\n", check.id, check.severity.label(), check.summary));
    }
    assert!(readme.contains(&expected), "put this table into README.md:\n{expected}");
}
