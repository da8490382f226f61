//! `docs/reliability.md` is whole: every section has rows, the figures above them are their sums, and nothing else
//! stands there. Each row is proved by the test that makes its figure (`tests/support/reliability.rs`).
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, clippy::unwrap_used, dead_code)]

#[path = "support/reliability.rs"]
mod reliability;

use std::collections::BTreeMap;
use std::fs;

use reliability::{RECORD, SECTIONS};

type Rows = BTreeMap<&'static str, Vec<(String, usize)>>;

fn written(rows: &Rows) -> String {
    let mut page = format!(
        "# Reliability\n\n\
         What the test suite tried against venv-doctor, and what happened. Every figure was counted by the test that made \
         the attempts, which fails when its row here is another one; of inputs made at random it is the number that the \
         test asked for. This page is written by\n\n    {RECORD}\n\n\
         on a machine with bash, zsh, fish, tcsh, strace, and leave to change the user and to mount. Where one of them is \
         missing, its tests are reported as ignored. `cc`, which Rust links with, has to be there.\n\n\
         | tried | by | situations | counted | what happened |\n|---|---|---:|---:|---|\n"
    );
    for section in SECTIONS {
        let rows = &rows[section.title];
        let total: usize = rows.iter().map(|row| row.1).sum();
        page.push_str(&format!(
            "| [{0}](#{1}) | `{2}` | {3} | {total} | {4} |\n",
            section.title,
            section.title.to_lowercase().replace(' ', "-"),
            section.tests,
            rows.len(),
            section.happened
        ));
    }
    for section in SECTIONS {
        page.push_str(&format!(
            "\n## {}\n\n{}\n\n| situation | counted |\n|---|---:|\n",
            section.title, section.counted
        ));
        for (name, count) in &rows[section.title] {
            page.push_str(&format!("| {name} | {count} |\n"));
        }
    }
    page
}

fn recorded() -> Rows {
    let mut rows: Rows = SECTIONS.iter().map(|section| (section.title, Vec::new())).collect();
    for entry in fs::read_dir(reliability::book()).into_iter().flatten() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let [section, name, count] = text.trim_end().split('\t').collect::<Vec<_>>()[..] else {
            panic!("no entry: {text}")
        };
        let (_, list) = rows.iter_mut().find(|(title, _)| **title == section).unwrap();
        list.push((name.to_owned(), count.parse().unwrap()));
    }
    rows.values_mut().for_each(|list| list.sort());
    rows
}

#[test]
fn the_page_is_what_its_rows_add_up_to() {
    if reliability::recording() {
        fs::create_dir_all(reliability::page().parent().unwrap()).unwrap();
        fs::write(reliability::page(), written(&recorded())).unwrap();
        fs::remove_dir_all(reliability::book()).unwrap();
    }
    let page = fs::read_to_string(reliability::page()).unwrap_or_default();
    let rows: Rows =
        SECTIONS.iter().map(|section| (section.title, reliability::rows(&page, section.title))).collect();
    for (section, rows) in &rows {
        assert!(!rows.is_empty(), "{section} has no rows. Make the page anew with\n    {RECORD}");
    }
    assert!(page == written(&rows), "docs/reliability.md is out of date. Make it anew with\n    {RECORD}");
}
