//! The handbook on a terminal: one check's page, and the list of all.

use std::io::{self, Write};

use serde::Serialize;

use super::json_text;
use super::text::{self, Margin, NO_BREAK, Styles};
use crate::diagnosis::{Category, Check, Severity};

/// Long lines of prose are hard to read.
fn columns(width: usize) -> usize {
    width.clamp(40, 100)
}

/// `explain CHECK`.
pub fn explain(out: &mut dyn Write, check: &Check, width: usize, color: bool) -> io::Result<()> {
    let styles = Styles::new(color);
    let columns = columns(width);
    let mut page = format!("{}\n", styles.strong(check.id));
    page.push_str(&Margin::spaces(0).paragraph(check.summary, columns));
    let severity = styles.severity(check.severity, check.severity.label());
    page.push_str(&format!("\ncategory  {}\nseverity  {severity}\n", check.category.label()));
    if !check.explains.is_empty() {
        let symptoms = check.explains.join(", ");
        page.push_str(&Margin::new("explains  ", 10, 10).paragraph(&symptoms, columns));
    }
    page.push('\n');
    page.push_str(&prose(check.explanation, styles, columns));
    out.write_all(page.as_bytes())
}

/// Markdown as this handbook uses it: headings, paragraphs, lists, code blocks.
fn prose(markdown: &str, styles: Styles, columns: usize) -> String {
    let mut page = String::new();
    let mut paragraph = Paragraph::default();
    let mut in_code = false;
    for line in markdown.trim().lines() {
        let text = line.trim();
        if text.starts_with("```") {
            paragraph.end(&mut page, columns);
            in_code = !in_code;
        } else if in_code || (paragraph.is_empty() && line.starts_with("    ")) {
            let code = if in_code { line } else { line.get(4..).unwrap_or_default() };
            let code = format!("    {}", styles.command(code));
            page.push_str(code.trim_end());
            page.push('\n');
        } else if text.is_empty() {
            paragraph.end(&mut page, columns);
            page.push('\n');
        } else if text.starts_with('#') {
            paragraph.end(&mut page, columns);
            page.push_str(&format!("{}\n", styles.strong(text.trim_start_matches('#').trim())));
        } else {
            if let Some(indent) = list_indent(text) {
                paragraph.end(&mut page, columns);
                paragraph.indent = indent;
            }
            paragraph.push(text);
        }
    }
    paragraph.end(&mut page, columns);
    page
}

/// Columns of the marker of a list's item: `- `, `1. `.
fn list_indent(text: &str) -> Option<usize> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let marker = if digits > 0 {
        text[digits..].strip_prefix(". ")
    } else {
        text.strip_prefix(['-', '*'])?.strip_prefix(' ')
    };
    Some(text.len() - marker?.len())
}

#[derive(Default)]
struct Paragraph {
    text: String,
    indent: usize,
}

impl Paragraph {
    fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn push(&mut self, line: &str) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        // code is not broken inside
        for (index, part) in line.split('`').enumerate() {
            if index > 0 {
                self.text.push('`');
            }
            let is_code = index % 2 == 1 && text::width(part) < 30;
            self.text.push_str(&if is_code {
                part.replace(' ', &NO_BREAK.to_string())
            } else {
                part.to_owned()
            });
        }
    }

    fn end(&mut self, page: &mut String, columns: usize) {
        if !self.text.is_empty() {
            page.push_str(&Margin::new("", 0, self.indent).paragraph(&self.text, columns));
        }
        *self = Paragraph::default();
    }
}

/// `checks`: every check below its category.
pub fn checks(out: &mut dyn Write, checks: &[&Check], width: usize, color: bool) -> io::Result<()> {
    let styles = Styles::new(color);
    let columns = columns(width);
    let id = checks.iter().map(|check| text::width(check.id)).max().unwrap_or(0) + 2;
    let severity = Severity::Warning.label().len() + 2;
    // beside the id where there is room, else below it
    let beside = columns >= id + severity + 32;
    let mut page = String::new();
    for (category, checks) in grouped(checks) {
        if !page.is_empty() {
            page.push('\n');
        }
        page.push_str(&format!("{}\n", styles.strong(category.label())));
        for check in checks {
            let label = check.severity.label();
            let head = format!(
                "  {}{}{}{}",
                check.id,
                " ".repeat(id - text::width(check.id)),
                styles.severity(check.severity, label),
                " ".repeat(severity - label.len())
            );
            if beside {
                let indent = 2 + id + severity;
                page.push_str(&Margin::new(head, indent, indent).paragraph(check.summary, columns));
            } else {
                page.push_str(&format!("{}\n", head.trim_end()));
                page.push_str(&Margin::spaces(6).paragraph(check.summary, columns));
            }
        }
    }
    out.write_all(page.as_bytes())
}

/// In the order of the categories; within one, of the handbook.
fn grouped<'a>(checks: &'a [&'a Check]) -> impl Iterator<Item = (Category, Vec<&'a Check>)> {
    Category::ALL.into_iter().filter_map(|category| {
        let of: Vec<&Check> = checks.iter().copied().filter(|check| check.category == category).collect();
        (!of.is_empty()).then_some((category, of))
    })
}

#[derive(Debug, Serialize)]
struct JsonCheck<'a> {
    id: &'a str,
    category: Category,
    severity: Severity,
    summary: &'a str,
    explains: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<&'a str>,
}

impl<'a> JsonCheck<'a> {
    fn new(check: &'a Check) -> JsonCheck<'a> {
        JsonCheck {
            id: check.id,
            category: check.category,
            severity: check.severity,
            summary: check.summary,
            explains: check.explains,
            explanation: None,
        }
    }
}

/// `explain CHECK` as one object, with the page as Markdown.
pub fn explain_json(out: &mut dyn Write, check: &Check) -> io::Result<()> {
    let page = JsonCheck { explanation: Some(check.explanation.trim()), ..JsonCheck::new(check) };
    json_text::write(out, &page)
}

/// `checks` as one list.
pub fn checks_json(out: &mut dyn Write, checks: &[&Check]) -> io::Result<()> {
    let list: Vec<JsonCheck> = grouped(checks).flat_map(|(_, checks)| checks).map(JsonCheck::new).collect();
    json_text::write(out, &list)
}
