//! The import path of one interpreter: as text, and as one JSON object of schema version 1.

use std::io::{self, Write};

use serde::Serialize;

use super::text::{Margin, Places, Styles, count, without_workflow_commands};
use super::{json_text, sanitize};
use crate::facts::Facts;
use crate::facts::interpreter::Interpreter;
use crate::imports::resolve::Offered;
use crate::imports::{HookKind, ImportOrigin, Outcome, Spelling, StartupHook};

/// What there is to show.
pub struct PathPage<'a> {
    pub interpreter: &'a Interpreter,
    pub predicted: Option<Side>,
    pub reported: Option<Side>,
    pub agree: Option<bool>,
    /// Why there is no report.
    pub not_reported: Option<String>,
    /// Relative entries of `PYTHONPATH`, which the interpreter that was asked did not get.
    pub withheld: Vec<String>,
}

/// The path as predicted, or as reported.
pub struct Side {
    pub prefix: Spelling,
    pub base_prefix: Spelling,
    pub exec_prefix: Spelling,
    pub user_site: bool,
    pub entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
pub struct Entry {
    pub directory: Spelling,
    pub origin: ImportOrigin,
    pub offered: Offered,
}

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub width: usize,
    pub color: bool,
    pub verbose: bool,
    pub quiet: bool,
}

#[derive(Serialize)]
struct JsonPage<'a> {
    schema_version: u32,
    python: JsonPython,
    predicted: Option<JsonSide<'a>>,
    reported: Option<JsonSide<'a>>,
    agree: Option<bool>,
    /// Why it would not start.
    fatal: Option<String>,
    not_reported: Option<&'a str>,
    withheld: &'a [String],
    hooks: &'a [StartupHook],
    notes: &'a [String],
}

#[derive(Serialize)]
struct JsonPython {
    path: String,
    links: Vec<String>,
    version: Option<String>,
    implementation: Option<String>,
    environment: Option<String>,
}

#[derive(Serialize)]
struct JsonSide<'a> {
    prefix: &'a Spelling,
    base_prefix: &'a Spelling,
    exec_prefix: &'a Spelling,
    user_site: bool,
    entries: Vec<JsonEntry<'a>>,
}

#[derive(Serialize)]
struct JsonEntry<'a> {
    directory: &'a Spelling,
    origin: &'a ImportOrigin,
    exists: bool,
    modules: usize,
    distributions: usize,
    hides: &'a [String],
}

/// Writes the object and a newline.
pub fn json(out: &mut dyn Write, page: &PathPage) -> io::Result<()> {
    let interpreter = page.interpreter;
    let prediction = interpreter.predicted.as_ref();
    let object = JsonPage {
        schema_version: 1,
        python: JsonPython {
            path: interpreter.path.to_string(),
            links: interpreter.links.hops.iter().skip(1).map(ToString::to_string).collect(),
            version: version(interpreter),
            implementation: implementation(interpreter),
            environment: interpreter.environment.as_ref().map(ToString::to_string),
        },
        predicted: page.predicted.as_ref().map(json_side),
        reported: page.reported.as_ref().map(json_side),
        agree: page.agree,
        fatal: fatal(interpreter),
        not_reported: page.not_reported.as_deref(),
        withheld: &page.withheld,
        hooks: prediction.map(|prediction| prediction.hooks.as_slice()).unwrap_or_default(),
        notes: prediction.map(|prediction| prediction.notes.as_slice()).unwrap_or_default(),
    };
    json_text::write(out, &object)
}

fn json_side(side: &Side) -> JsonSide<'_> {
    JsonSide {
        prefix: &side.prefix,
        base_prefix: &side.base_prefix,
        exec_prefix: &side.exec_prefix,
        user_site: side.user_site,
        entries: side.entries.iter().map(json_entry).collect(),
    }
}

fn json_entry(entry: &Entry) -> JsonEntry<'_> {
    JsonEntry {
        directory: &entry.directory,
        origin: &entry.origin,
        exists: entry.offered.exists,
        modules: entry.offered.modules,
        distributions: entry.offered.distributions,
        hides: &entry.offered.hides,
    }
}

fn version(interpreter: &Interpreter) -> Option<String> {
    interpreter
        .known_version()
        .map(|version| version.to_string())
        .or_else(|| interpreter.build.as_ref().map(|build| build.version.to_string()))
}

fn implementation(interpreter: &Interpreter) -> Option<String> {
    match interpreter.probe.report() {
        Some(report) => Some(report.implementation.clone()),
        None => interpreter.implementation.clone(),
    }
}

fn fatal(interpreter: &Interpreter) -> Option<String> {
    match interpreter.predicted.as_ref().map(|prediction| &prediction.outcome) {
        Some(Outcome::Fatal { reason }) => Some(reason.to_string()),
        _ => None,
    }
}

/// Writes it for a person.
pub fn human(out: &mut dyn Write, facts: &Facts, page: &PathPage, options: &Options) -> io::Result<()> {
    let writer = Human {
        page,
        options,
        styles: Styles::new(options.color),
        places: Places::of(facts),
        columns: options.width.clamp(40, 120),
    };
    out.write_all(without_workflow_commands(&writer.text()).as_bytes())
}

struct Human<'a> {
    page: &'a PathPage<'a>,
    options: &'a Options,
    styles: Styles,
    places: Places,
    columns: usize,
}

impl Human<'_> {
    fn text(&self) -> String {
        let shown = self.page.predicted.as_ref().filter(|side| !side.entries.is_empty());
        let Some(side) = shown.or(self.page.reported.as_ref()).or(self.page.predicted.as_ref()) else {
            return String::new();
        };
        if self.options.quiet {
            return side.entries.iter().map(|entry| self.directory(entry) + "\n").collect();
        }
        let mut text = self.head(side);
        text.push('\n');
        for (index, entry) in side.entries.iter().enumerate() {
            text.push_str(&self.entry(index, entry));
        }
        text.push('\n');
        text.push_str(&self.hooks());
        text.push_str(&self.verdict());
        text
    }

    fn row(&self, label: &str, value: &str) -> String {
        let first = format!(
            "{}{}",
            self.styles.strong(label),
            " ".repeat(13_usize.saturating_sub(label.len()).max(1))
        );
        Margin::new(first, 13, 13).paragraph(value, self.columns)
    }

    fn head(&self, side: &Side) -> String {
        let interpreter = self.page.interpreter;
        let name = match implementation(interpreter).as_deref() {
            Some("pypy") => "PyPy",
            _ => "CPython",
        };
        let version = version(interpreter).unwrap_or_default();
        let path = self.places.value(&interpreter.path.to_text());
        let mut text = self.row("python", &format!("{path}, {name} {version}"));
        let prefix = self.places.value(&side.prefix.to_text());
        let prefix = if side.prefix == side.base_prefix || side.base_prefix.is_empty() {
            prefix
        } else {
            format!("{prefix}, made from {}", self.places.value(&side.base_prefix.to_text()))
        };
        text.push_str(&self.row("prefix", &prefix));
        if side.exec_prefix != side.prefix {
            text.push_str(&self.row("exec prefix", &self.places.value(&side.exec_prefix.to_text())));
        }
        text.push_str(&self.row("user site", if side.user_site { "on" } else { "off" }));
        if let Some(fatal) = fatal(interpreter) {
            text.push_str(&self.row("would fail", &self.places.prose(&fatal)));
        }
        text
    }

    fn directory(&self, entry: &Entry) -> String {
        if entry.directory.is_empty() {
            "''".to_owned()
        } else {
            self.places.value(&entry.directory.to_text())
        }
    }

    fn entry(&self, index: usize, entry: &Entry) -> String {
        let number = format!("{index:>3}  ");
        let mut text = Margin::new(number, 5, 5).paragraph(&self.directory(entry), self.columns);
        let mut said = vec![self.origin(&entry.origin)];
        let offered = &entry.offered;
        if is_placeholder(&entry.directory) {
            said.push("no directory: an editable installation's finder answers for it".to_owned());
        } else if !offered.exists {
            said.push("does not exist".to_owned());
        } else {
            said.push(count(offered.modules, "module"));
            if offered.distributions > 0 {
                said.push(count(offered.distributions, "distribution"));
            }
        }
        text.push_str(&Margin::spaces(5).paragraph(&self.faint(&said.join(", ")), self.columns));
        if !offered.hides.is_empty() {
            let names =
                if self.options.verbose { format!(": {}", offered.hides.join(", ")) } else { String::new() };
            let hides = format!("hides {} of later entries{names}", count(offered.hides.len(), "module"));
            text.push_str(
                &Margin::spaces(5).paragraph(&crate::report::sanitize::shown(&hides), self.columns),
            );
        }
        text
    }

    fn faint(&self, text: &str) -> String {
        // a paragraph is broken at spaces: one style for each word would not be worth it
        if text.len() + 5 < self.columns { self.styles.faint(text) } else { text.to_owned() }
    }

    fn origin(&self, origin: &ImportOrigin) -> String {
        match origin {
            ImportOrigin::ScriptDirectory => {
                "the working directory (a script has its own directory here)".to_owned()
            }
            ImportOrigin::PythonPath { index } => format!("entry {} of PYTHONPATH", index + 1),
            ImportOrigin::StdlibZip => "standard library, as a zip file".to_owned(),
            ImportOrigin::Stdlib => "standard library".to_owned(),
            ImportOrigin::LibDynload => "extension modules of the standard library".to_owned(),
            ImportOrigin::UserSite => "user site".to_owned(),
            ImportOrigin::SitePackages => "site-packages".to_owned(),
            ImportOrigin::DistPackages => "the distribution's dist-packages".to_owned(),
            ImportOrigin::Pth { file, line } => {
                format!("line {line} of {}", self.places.value(&file.to_text()))
            }
            ImportOrigin::PyPackages => "__pypackages__, by pdm's start-up hook (PEP 582)".to_owned(),
            ImportOrigin::Unexplained => "no rule explains it".to_owned(),
        }
    }

    fn hooks(&self) -> String {
        let Some(prediction) = &self.page.interpreter.predicted else { return String::new() };
        let mut text = String::new();
        for hook in prediction.hooks.iter().filter(|hook| self.options.verbose || hook.may_add_entries) {
            let line = hook.line.map(|line| format!(", line {line}")).unwrap_or_default();
            let file = self.places.value(&hook.file.to_text());
            let what = match &hook.kind {
                _ if hook.may_add_entries => "runs at every start and may add entries",
                HookKind::EditableFinder { .. } => "installs the finder of an editable installation",
                HookKind::DistutilsPrecedence => "puts setuptools' distutils first",
                HookKind::DistutilsPrecedenceOff => {
                    "would put setuptools' distutils first, and is turned off"
                }
                HookKind::Virtualenv => "patches distutils for virtualenv",
                HookKind::Namespace => "sets up a namespace package",
                HookKind::SiteDirectory { .. } => "adds a directory",
                _ => "runs at every start",
            };
            text.push_str(&self.row("at start", &format!("{file}{line} {what}")));
        }
        if self.options.verbose {
            for note in &prediction.notes {
                text.push_str(&self.row("note", &self.places.prose(note)));
            }
        }
        text
    }

    fn verdict(&self) -> String {
        let mut text = String::new();
        if !self.page.withheld.is_empty() {
            let entries = self
                .page
                .withheld
                .iter()
                .map(|entry| format!("'{}'", sanitize::shown(entry)))
                .collect::<Vec<_>>()
                .join(", ");
            text.push_str(&self.row(
                "withheld",
                &format!("relative entries of PYTHONPATH, which the interpreter did not get: {entries}"),
            ));
        }
        let verdict = match (self.page.agree, &self.page.not_reported) {
            (Some(true), _) => self.styles.good("the interpreter reports the same"),
            (Some(false), _) => {
                text.push_str(&self.differences());
                return text;
            }
            (None, Some(why)) => format!("worked out from the files; {}", self.places.prose(why)),
            (None, None) => {
                "reported by the interpreter; its files do not tell which Python it is".to_owned()
            }
        };
        text.push_str(&self.row("reported", &verdict));
        text
    }

    fn differences(&self) -> String {
        let Some(comparison) = &self.page.interpreter.comparison else { return String::new() };
        let mut text = self.row("reported", "the interpreter reports something else");
        for difference in &comparison.differences {
            let (predicted, reported) =
                (self.places.value(&difference.predicted), self.places.value(&difference.reported));
            text.push_str(&self.row("", &format!("{} is {reported}, not {predicted}", difference.what)));
        }
        for entry in comparison.entries.iter().filter(|entry| entry.origin == ImportOrigin::Unexplained) {
            let directory = self.places.value(&entry.directory.to_text());
            text.push_str(&self.row("", &format!("{directory} is there, and no rule explains it")));
        }
        for entry in &comparison.absent {
            let directory = self.places.value(&entry.directory.to_text());
            text.push_str(
                &self.row("", &format!("{directory} is not there: {}", self.origin(&entry.origin))),
            );
        }
        for suspect in &comparison.suspects {
            let line = suspect.line.map(|line| format!(", line {line}")).unwrap_or_default();
            let file = self.places.value(&suspect.file.to_text());
            text.push_str(&self.row("", &format!("{file}{line} may have changed it")));
        }
        text
    }
}

/// setuptools' entry that stands for a finder (`PATH_PLACEHOLDER`).
fn is_placeholder(directory: &Spelling) -> bool {
    let bytes = directory.as_bytes();
    bytes.starts_with(b"__editable__.") && bytes.ends_with(b".__path_hook__")
}
