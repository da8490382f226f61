//! Markdown as GitHub and GitLab render it (GFM): for issues, comments and step summaries. Every observed text is
//! code, so that it is no markup, mentions nobody and links nowhere.

use std::io::{self, Write};

use super::dialect::Dialect;
use super::json::{JsonEvidence, JsonFinding, JsonRemedy, Report};
use super::sanitize;
use super::text::count;
use crate::diagnosis::{Diagnosis, Safety};
use crate::facts::Facts;
use crate::facts::shell::ShellKind;

/// Writes the report.
pub fn write(out: &mut dyn Write, facts: &Facts, diagnosis: &Diagnosis, dialect: &Dialect) -> io::Result<()> {
    let report = Report::new(facts, diagnosis, dialect);
    let mut page = format!("## venv-doctor: {}\n\n", totals(&report));
    page.push_str(&situation(&report));
    for finding in &report.findings {
        page.push_str(&format!("\n### {}: `{}`\n\n", finding.severity.label(), finding.check));
        page.push_str(&content(finding, language(dialect)));
    }
    for failed in &report.checks.failed {
        page.push_str(&format!("\n### crashed: `{}`\n\n{}\n", failed.check, prose(&failed.reason)));
    }
    out.write_all(page.as_bytes())
}

/// One finding without its heading.
pub(super) fn body(finding: &JsonFinding) -> String {
    content(finding, "sh")
}

fn content(finding: &JsonFinding, language: &str) -> String {
    let mut page = format!("{}\n", prose(&finding.message));
    page.push_str(&evidence(&finding.evidence));
    for (index, remedy) in finding.remedies.iter().enumerate() {
        page.push_str(&self::remedy(remedy, index == 0, language));
    }
    if !finding.symptoms.is_empty() {
        let number = count(finding.symptoms.len(), "finding");
        page.push_str(&format!("\n<details>\n<summary>This also explains {number}</summary>\n\n"));
        for symptom in &finding.symptoms {
            let severity = symptom.severity.label();
            page.push_str(&format!("- {severity} `{}`: {}\n", symptom.check, prose(&symptom.message)));
        }
        page.push_str("\n</details>\n");
    }
    page
}

fn totals(report: &Report) -> String {
    let summary = &report.summary;
    let counts =
        [(summary.errors, "error"), (summary.warnings, "warning"), (summary.infos, "info")].into_iter();
    let counts: Vec<String> =
        counts.filter(|(number, _)| *number > 0).map(|(number, noun)| count(number, noun)).collect();
    let ignored = (summary.ignored > 0).then(|| count(summary.ignored, "ignored finding"));
    let found = if counts.is_empty() { vec!["no problems found".to_owned()] } else { counts };
    found.into_iter().chain(ignored).collect::<Vec<_>>().join(", ")
}

/// What was examined.
fn situation(report: &Report) -> String {
    let mut rows: Vec<(&str, String)> = Vec::new();
    match &report.python {
        Some(python) => {
            let version = python.version.iter().map(|version| format!(" ({version})"));
            rows.push(("python", format!("{}{}", python.path, version.collect::<String>())));
        }
        None => rows.push(("python", "not found on PATH".to_owned())),
    }
    if let Some(patient) = &report.patient {
        let creator = patient.creator.iter().map(|creator| format!(", made by {creator}"));
        let version = patient.version.iter().map(|version| format!(", Python {version}"));
        let remarks: String = creator.chain(version).collect();
        rows.push(("environment", format!("{}{remarks}", patient.root)));
    }
    let shell = report.situation.shell.unwrap_or("unknown shell");
    rows.push(("system", format!("{}, {shell}", report.situation.platform)));
    rows.push(("doctor", format!("venv-doctor {}", report.doctor.version)));
    table(["examined", ""], rows.iter().map(|(label, value)| ((*label).to_owned(), cell(value))))
}

fn evidence(evidence: &[JsonEvidence]) -> String {
    if evidence.is_empty() {
        return String::new();
    }
    let rows = evidence.iter().map(|evidence| (cell(&evidence.label), cell(&evidence.value)));
    format!("\n{}", table(["evidence", "value"], rows))
}

fn table(head: [&str; 2], rows: impl Iterator<Item = (String, String)>) -> String {
    let mut table = format!("| {} | {} |\n| --- | --- |\n", head[0], head[1]);
    for (label, value) in rows {
        table.push_str(&format!("| {label} | {value} |\n"));
    }
    table
}

fn remedy(remedy: &JsonRemedy, is_first: bool, language: &str) -> String {
    let word = if is_first { "Fix" } else { "Or" };
    let caution = if remedy.safety == Safety::Review { " (this replaces or deletes files)" } else { "" };
    let mut page = format!("\n**{word}:** {}{caution}\n", prose(&remedy.summary));
    if !remedy.commands.is_empty() {
        page.push_str(&format!("\n{}", fenced(&remedy.commands.join("\n"), language)));
    }
    page
}

/// The name by which highlighters know the reader's shell.
fn language(dialect: &Dialect) -> &'static str {
    match dialect.kind {
        ShellKind::Cmd => "bat",
        ShellKind::Csh => "tcsh",
        kind => kind.label(),
    }
}

/// The longest run of backticks.
fn backticks(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}

fn fenced(text: &str, language: &str) -> String {
    let fence = "`".repeat(backticks(text).max(2) + 1);
    format!("{fence}{language}\n{text}\n{fence}\n")
}

/// Words of a sentence as they are where they are plain, else as code.
fn prose(text: &str) -> String {
    let text = sanitize::shown(text);
    let words: Vec<String> = text
        .split(' ')
        .filter(|word| !word.is_empty())
        .enumerate()
        .map(|(index, word)| spoken(word, index == 0))
        .collect();
    words.join(" ")
}

/// A word, or the code between its brackets and commas.
fn spoken(word: &str, is_first: bool) -> String {
    if is_plain(word, is_first) {
        return word.to_owned();
    }
    let rest = word.trim_start_matches('(');
    let core = rest.trim_end_matches([',', ';', ':', ')']);
    if core.is_empty() {
        return code(word);
    }
    let (before, after) = (&word[..word.len() - rest.len()], &rest[core.len()..]);
    format!("{before}{}{after}", code(core))
}

/// Whether a word can stand in a paragraph as it is: no markup, no list, no mention, no reference, no address.
fn is_plain(word: &str, is_first: bool) -> bool {
    let fit = |letter: char| letter.is_alphanumeric() || "'\"(),.;:?-".contains(letter);
    let starts = !is_first || word.starts_with(|letter: char| letter.is_alphabetic());
    let lower = word.to_ascii_lowercase();
    let address = lower.contains("www.") || lower.contains("://") || lower.contains("gh-");
    word.chars().all(fit) && starts && !address && !word.contains("--")
}

/// A code span, whatever the text holds.
fn code(text: &str) -> String {
    let fence = "`".repeat(backticks(text) + 1);
    let edge = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    let space = if edge { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Code in a table, where a pipe ends the cell in a code span, too: entities are safe there.
fn cell(text: &str) -> String {
    let text = sanitize::shown(text);
    if text.is_empty() {
        return String::new();
    }
    if !text.contains(['|', '\\']) {
        return code(&text);
    }
    let mut cell = String::from("<code>");
    for letter in text.chars() {
        if letter.is_alphanumeric() || matches!(letter, ' ' | '/' | '.' | '-') {
            cell.push(letter);
        } else {
            cell.push_str(&format!("&#{};", u32::from(letter)));
        }
    }
    cell + "</code>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_code() {
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`a`"), "`` `a` ``");
        assert_eq!(cell("a|b\\"), "<code>a&#124;b&#92;</code>");
        assert_eq!(cell("a\n| b"), "<code>a&#92;n&#124; b</code>");
        assert_eq!(fenced("a\n````\n", "sh"), "`````sh\na\n````\n\n`````\n");
    }

    #[test]
    fn odd_words_of_a_sentence_are_code() {
        assert_eq!(prose("The file (/a/b.py), line 1"), "The file (`/a/b.py`), line 1");
        assert_eq!(prose("hi @me and #1 in www.x.org a_b_c"), "hi `@me` and `#1` in `www.x.org` `a_b_c`");
        assert_eq!(prose("- <b> & 1."), "`-` `<b>` `&` 1.");
        assert_eq!(prose("1. x"), "`1.` x");
    }
}
