//! The answer to `why`: what is imported and by which entry of the import path, or where it was looked for in
//! vain, and the cause.

use std::io::{self, Write};

use serde::Serialize;

use super::dialect::Dialect;
use super::human::{self, HumanOptions};
use super::json::{JsonFinding, Report};
use super::json_text;
use super::sanitize;
use super::text::{Margin, Styles, without_workflow_commands};
use crate::diagnosis::cause::Attempt;
use crate::diagnosis::{Diagnosis, Severity};
use crate::facts::Facts;
use crate::imports::{ImportOrigin, ModuleKind, SearchResult};
use crate::parse::error_output::Message;

/// What is told.
pub struct Answer<'a> {
    /// None: the error output speaks of no module.
    pub module: Option<&'a str>,
    /// What was read from standard input.
    pub message: Option<&'a Message>,
    pub attempt: Option<&'a Attempt>,
    /// It is found, and importing it fails all the same.
    pub fails: bool,
    /// Only the findings that have to do with it.
    pub diagnosis: &'a Diagnosis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Found,
    NotFound,
    Fails,
    /// No file has it, but code that runs may provide it.
    CannotTell,
}

impl Answer<'_> {
    /// Nothing was found to be wrong, and something was found to say.
    fn is_undecided(&self) -> bool {
        let findings = &self.diagnosis.findings;
        !findings.is_empty() && findings.iter().all(|finding| finding.severity == Severity::Info)
    }

    pub fn verdict(&self) -> Verdict {
        let found = self.attempt.is_some_and(|attempt| attempt.found().is_some());
        match (found, self.fails) {
            (true, false) => Verdict::Found,
            (true, true) => Verdict::Fails,
            // a message tells of a failure even where no module is looked for
            (false, _) if self.module.is_none() => Verdict::Fails,
            (false, _) if self.message.is_none() && self.is_undecided() => Verdict::CannotTell,
            (false, _) => Verdict::NotFound,
        }
    }
}

#[derive(Serialize)]
struct JsonAnswer {
    schema_version: u32,
    module: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<JsonMessage>,
    python: Option<String>,
    outcome: Verdict,
    kind: Option<ModuleKind>,
    origin: Option<String>,
    locations: Vec<String>,
    entry: Option<usize>,
    searched: Vec<JsonSearched>,
    findings: Vec<JsonFinding>,
}

#[derive(Serialize)]
struct JsonMessage {
    line: usize,
    text: String,
}

#[derive(Serialize)]
struct JsonSearched {
    directory: String,
    result: SearchResult,
}

/// One object and a line end.
pub fn json(out: &mut dyn Write, facts: &Facts, answer: &Answer, dialect: &Dialect) -> io::Result<()> {
    let found = answer.attempt.and_then(Attempt::found);
    let searched = answer.attempt.and_then(|attempt| attempt.resolution.as_ref());
    let object = JsonAnswer {
        schema_version: super::json::SCHEMA_VERSION,
        module: answer.module.map(str::to_owned),
        message: answer
            .message
            .map(|it| JsonMessage { line: it.line, text: sanitize::redact(&it.text).into_owned() }),
        python: answer.attempt.map(|attempt| attempt.interpreter.to_string()),
        outcome: answer.verdict(),
        kind: found.map(|found| found.kind),
        origin: found.and_then(|found| Some(found.origin.as_ref()?.to_text().into_owned())),
        locations: found
            .map(|found| found.locations.iter().map(|place| place.to_text().into_owned()).collect())
            .unwrap_or_default(),
        entry: found.and_then(|found| found.entry),
        searched: searched
            .map(|resolution| {
                let one = |searched: &crate::imports::Searched| JsonSearched {
                    directory: searched.directory.to_text().into_owned(),
                    result: searched.result,
                };
                resolution.searched.iter().map(one).collect()
            })
            .unwrap_or_default(),
        findings: Report::new(facts, answer.diagnosis, dialect).findings,
    };
    json_text::write(out, &object)
}

/// For a person.
pub fn human(
    out: &mut dyn Write,
    facts: &Facts,
    answer: &Answer,
    dialect: &Dialect,
    options: &HumanOptions,
) -> io::Result<()> {
    let page = Page { styles: Styles::new(options.color), columns: options.width.clamp(40, 120) };
    let mut text = String::new();
    if let Some(message) = answer.message {
        text.push_str(&page.row("message", &format!("{} (line {})", message.text, message.line)));
    }
    if let (Some(attempt), Some(module)) = (answer.attempt, answer.module) {
        text.push_str(&page.attempt(attempt, module, options.verbose > 0));
    }
    text.push_str(&human::findings(facts, answer.diagnosis, dialect, options));
    out.write_all(without_workflow_commands(&text).as_bytes())
}

struct Page {
    styles: Styles,
    columns: usize,
}

const LABEL: usize = 13;

impl Page {
    fn row(&self, label: &str, value: &str) -> String {
        let padding = " ".repeat(LABEL.saturating_sub(label.len()).max(1));
        let first = format!("{}{padding}", self.styles.strong(label));
        Margin::new(first, LABEL, LABEL).paragraph(&sanitize::shown(value), self.columns)
    }

    fn attempt(&self, attempt: &Attempt, module: &str, verbose: bool) -> String {
        let mut text = self.row("module", module);
        let version = attempt.version.map(|version| format!(" ({version})")).unwrap_or_default();
        text.push_str(&self.row("python", &format!("{}{version}", attempt.interpreter)));
        match (attempt.found(), &attempt.not_searched) {
            (Some(found), _) => {
                let origin = found.origin.as_ref().map(|origin| origin.to_text().into_owned());
                let place = origin.unwrap_or_else(|| {
                    found.locations.iter().map(|place| place.to_text()).collect::<Vec<_>>().join(", ")
                });
                let kind = found.kind.label();
                let shown = if place == kind { place } else { format!("{place} ({kind})") };
                text.push_str(&self.row("imported", &shown));
                if let Some(entry) = found.entry
                    && let Some(at) = attempt.path.get(entry)
                {
                    let directory = at.directory.to_text();
                    let directory =
                        if directory.is_empty() { "the working directory".into() } else { directory };
                    let origin = origin_text(&at.origin);
                    text.push_str(
                        &self.row("by", &format!("entry {entry} of sys.path, {directory}: {origin}")),
                    );
                }
                if let Some(finder) = &found.finder {
                    text.push_str(&self.row("by", &format!("the finder of {finder}")));
                }
            }
            (None, Some(reason)) => text.push_str(&self.row("trouble", reason.text())),
            (None, None) => {
                let made = attempt.resolution.as_ref().is_some_and(|it| it.made_by.is_some());
                text.push_str(&self.row("imported", if made { "no file of that name" } else { "not found" }));
            }
        }
        if verbose || attempt.found().is_none() {
            for (index, searched) in attempt.resolution.iter().flat_map(|it| &it.searched).enumerate() {
                let label = if index == 0 { "looked in" } else { "" };
                let directory = searched.directory.to_text();
                let directory = if directory.is_empty() { "the working directory".into() } else { directory };
                text.push_str(&self.row(label, &format!("{directory}: {}", result_text(searched.result))));
            }
        }
        text
    }
}

fn result_text(result: SearchResult) -> &'static str {
    match result {
        SearchResult::Found => "found",
        SearchResult::Portion => "a directory without __init__.py",
        SearchResult::Nothing => "nothing of that name",
        SearchResult::Missing => "does not exist",
        SearchResult::Unreadable => "may not be listed",
        SearchResult::NotAnArchive => "a file that is no zip archive",
        SearchResult::Finder => "an editable install's finder",
    }
}

fn origin_text(origin: &ImportOrigin) -> String {
    match origin {
        ImportOrigin::ScriptDirectory => "where the program starts".to_owned(),
        ImportOrigin::PythonPath { index } => format!("PYTHONPATH, entry {index}"),
        ImportOrigin::StdlibZip | ImportOrigin::Stdlib | ImportOrigin::LibDynload => {
            "the standard library".to_owned()
        }
        ImportOrigin::UserSite => "the user site".to_owned(),
        ImportOrigin::SitePackages => "the environment's site-packages".to_owned(),
        ImportOrigin::DistPackages => "Debian's dist-packages".to_owned(),
        ImportOrigin::Pth { file, line } => format!("line {line} of {file}"),
        ImportOrigin::PyPackages => {
            "the project's __pypackages__, by pdm's start-up hook (PEP 582)".to_owned()
        }
        ImportOrigin::Unexplained => {
            "the interpreter reports it; code that runs when it starts may have put it there".to_owned()
        }
    }
}
