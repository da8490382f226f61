//! What a project says about its own examination: `[tool.venv-doctor]` of the nearest `pyproject.toml`, or
//! the nearest `venv-doctor.toml`. Either may be a stranger's: it can leave findings out, whose number every
//! report tells, and it can start nothing.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::checks;
use crate::cli::{FailOn, seconds};
use crate::diagnosis::{Category, Severity};
use crate::host::{Files, TEXT_LIMIT};
use crate::parse::line_of;
use crate::path::HostPath;

pub mod settings;

pub use settings::{Settings, Source};

/// The file that holds nothing but the settings.
const OWN_FILE: &str = "venv-doctor.toml";
const PYPROJECT: &str = "pyproject.toml";
const KEYS: [&str; 8] =
    ["select", "ignore", "severity", "fail-on", "python", "patient", "no-exec", "timeout"];

/// A setting and the line of the file that makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting<T> {
    pub value: T,
    pub line: usize,
}

/// A check or category to leave out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    pub name: String,
    pub reason: Option<String>,
}

/// What one file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    pub file: HostPath,
    pub select: Option<Setting<Vec<String>>>,
    pub ignore: Vec<Setting<Ignored>>,
    pub severity: Vec<Setting<(String, Severity)>>,
    pub fail_on: Option<Setting<FailOn>>,
    /// The environment that belongs to the project: a path, absolute or relative to the file's directory.
    pub python: Option<Setting<HostPath>>,
    pub no_exec: Option<Setting<bool>>,
    /// In seconds.
    pub timeout: Option<Setting<f64>>,
}

/// Why a configuration cannot be used: for a person, with file and line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationError(pub String);

/// The configuration nearest to `directory`, at or above it: of one directory `venv-doctor.toml`, else
/// `pyproject.toml` when it has the table (as ruff looks for its own).
///
/// # Errors
/// When that file cannot be read, is no TOML, or says what is not understood.
pub fn find(
    files: &dyn Files,
    directory: &HostPath,
    home: Option<&HostPath>,
) -> Result<Option<Configuration>, ConfigurationError> {
    for level in directory.ancestors() {
        let own = level.join(OWN_FILE);
        if files.exists(&own) {
            return Reader { file: own, home }.own(files).map(Some);
        }
        let reader = Reader { file: level.join(PYPROJECT), home };
        if let Some(found) = reader.pyproject(files)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// ` (did you mean "x"?)`, or nothing when no name is near.
pub fn did_you_mean<'a>(asked: &str, names: impl Iterator<Item = &'a str>) -> String {
    let near = names
        .map(|name| (strsim::jaro_winkler(asked, name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0));
    near.map_or_else(String::new, |(_, name)| format!(" (did you mean {name:?}?)"))
}

/// Whether a check or a category has that name; else what to tell the reader.
pub fn known_name(name: &str) -> Result<(), String> {
    let labels = || Category::ALL.iter().map(|category| category.label());
    if checks::find(name).is_some() || labels().any(|label| label == name) {
        return Ok(());
    }
    let names = checks::all().map(|check| check.id).chain(labels());
    Err(format!(
        "there is no check or category {name:?}{}; `venv-doctor checks` lists them",
        did_you_mean(name, names)
    ))
}

struct Reader<'a> {
    file: HostPath,
    home: Option<&'a HostPath>,
}

/// A file's text and the table to read.
struct Text<'t> {
    text: &'t str,
    section: &'static str,
}

impl Reader<'_> {
    fn own(&self, files: &dyn Files) -> Result<Configuration, ConfigurationError> {
        let contents = files
            .read(&self.file, TEXT_LIMIT)
            .map_err(|error| ConfigurationError(format!("cannot read {}: {error}", self.file)))?;
        if contents.truncated() {
            return Err(ConfigurationError(format!("{} is larger than 1 MiB, and is not read", self.file)));
        }
        let text = self.decoded(&contents.bytes)?;
        let table = self.parsed(text)?;
        self.configuration(&table, &Text { text, section: "" })
    }

    /// None when it has no table for the doctor. What else is wrong with it is no trouble here.
    fn pyproject(&self, files: &dyn Files) -> Result<Option<Configuration>, ConfigurationError> {
        let Ok(contents) = files.read(&self.file, TEXT_LIMIT) else { return Ok(None) };
        let named = |name: &[u8]| contents.bytes.windows(name.len()).any(|window| window == name);
        // most have no word of it: they are not parsed
        if !named(b"venv-doctor") {
            return Ok(None);
        }
        let configured = named(b"tool.venv-doctor");
        if contents.truncated() && configured {
            return Err(ConfigurationError(format!("{} is larger than 1 MiB, and is not read", self.file)));
        }
        let parsed = self.decoded(&contents.bytes).and_then(|text| Ok((text, self.parsed(text)?)));
        let (text, document) = match parsed {
            Err(error) if configured => return Err(error),
            Err(_) => return Ok(None),
            Ok(parsed) => parsed,
        };
        let Some(entry) = document.get("tool").and_then(|tool| tool.get_ref().as_table()?.get("venv-doctor"))
        else {
            return Ok(None);
        };
        let source = Text { text, section: " in [tool.venv-doctor]" };
        let Some(table) = entry.get_ref().as_table() else {
            return Err(self.at(&source, entry, "tool.venv-doctor must be a table: [tool.venv-doctor]"));
        };
        self.configuration(table, &source).map(Some)
    }

    fn decoded<'t>(&self, bytes: &'t [u8]) -> Result<&'t str, ConfigurationError> {
        std::str::from_utf8(bytes).map_err(|error| {
            let line = line_of(bytes, error.valid_up_to());
            ConfigurationError(format!("{}, line {line}: it is not UTF-8, which TOML must be", self.file))
        })
    }

    fn parsed<'t>(&self, text: &'t str) -> Result<DeTable<'t>, ConfigurationError> {
        DeTable::parse(text).map(Spanned::into_inner).map_err(|error| {
            let line = line_of(text.as_bytes(), error.span().map_or(0, |span| span.start));
            let message = error.message().replace('\n', ", ");
            ConfigurationError(format!(
                "{}, line {line}: it is not TOML: {message} (correct the line, or use --no-config to do without this file)",
                self.file
            ))
        })
    }

    fn at<T>(
        &self,
        source: &Text,
        place: &Spanned<T>,
        message: impl std::fmt::Display,
    ) -> ConfigurationError {
        ConfigurationError(format!("{}, line {}: {message}", self.file, source.line(place)))
    }

    fn configuration(&self, table: &DeTable, source: &Text) -> Result<Configuration, ConfigurationError> {
        let mut found = Configuration {
            file: self.file.clone(),
            select: None,
            ignore: Vec::new(),
            severity: Vec::new(),
            fail_on: None,
            python: None,
            no_exec: None,
            timeout: None,
        };
        for (key, value) in table {
            let line = source.line(key);
            match key.get_ref().as_ref() {
                "select" => found.select = Some(Setting { value: self.names(source, value)?, line }),
                "ignore" => found.ignore = self.ignored(source, value)?,
                "severity" => found.severity = self.severities(source, value)?,
                "fail-on" => {
                    let names = ["error", "warning", "info", "never"];
                    let value = match self.one_of(source, value, "fail-on", &names)? {
                        "error" => FailOn::Error,
                        "warning" => FailOn::Warning,
                        "info" => FailOn::Info,
                        _ => FailOn::Never,
                    };
                    found.fail_on = Some(Setting { value, line });
                }
                name @ ("python" | "patient") => {
                    if found.python.is_some() {
                        let message = "python and patient are two names of one setting: give one of them";
                        return Err(self.at(source, key, message));
                    }
                    found.python = Some(Setting { value: self.place(source, name, value)?, line });
                }
                "no-exec" => {
                    let value = value
                        .get_ref()
                        .as_bool()
                        .ok_or_else(|| self.at(source, value, "no-exec must be true or false"))?;
                    found.no_exec = Some(Setting { value, line });
                }
                "timeout" => {
                    let number = match value.get_ref() {
                        DeValue::Integer(number) => number.as_str().to_owned(),
                        DeValue::Float(number) => number.as_str().to_owned(),
                        other => other.type_str().to_owned(),
                    };
                    let value = seconds(&number)
                        .map_err(|advice| self.at(source, value, format!("timeout: {advice}")))?;
                    found.timeout = Some(Setting { value, line });
                }
                unknown => return Err(self.unknown_key(source, key, unknown)),
            }
        }
        Ok(found)
    }

    fn unknown_key(&self, source: &Text, key: &Spanned<Cow<str>>, name: &str) -> ConfigurationError {
        let hint = did_you_mean(name, KEYS.into_iter());
        let section = source.section;
        self.at(
            source,
            key,
            format!("there is no setting {name:?}{section}{hint}; the settings are {}", KEYS.join(", ")),
        )
    }

    fn text<'t>(
        &self,
        source: &Text,
        value: &'t Spanned<DeValue>,
        what: &str,
    ) -> Result<&'t str, ConfigurationError> {
        value.get_ref().as_str().ok_or_else(|| {
            self.at(source, value, format!("{what} must be a string, not {}", described(value.get_ref())))
        })
    }

    fn one_of<'t>(
        &self,
        source: &Text,
        value: &'t Spanned<DeValue>,
        what: &str,
        names: &[&str],
    ) -> Result<&'t str, ConfigurationError> {
        let text = self.text(source, value, what)?;
        if names.contains(&text) {
            return Ok(text);
        }
        let hint = did_you_mean(text, names.iter().copied());
        Err(self.at(source, value, format!("{what} must be one of {}, not {text:?}{hint}", names.join(", "))))
    }

    fn name(
        &self,
        source: &Text,
        value: &Spanned<DeValue>,
        what: &str,
    ) -> Result<String, ConfigurationError> {
        let name = self.text(source, value, what)?;
        known_name(name).map_err(|message| self.at(source, value, message))?;
        Ok(name.to_owned())
    }

    fn names(&self, source: &Text, value: &Spanned<DeValue>) -> Result<Vec<String>, ConfigurationError> {
        let Some(list) = value.get_ref().as_array() else {
            return Err(self.at(
                source,
                value,
                "select must be a list of checks or categories: [\"relocation\"]",
            ));
        };
        list.iter().map(|item| self.name(source, item, "an entry of select")).collect()
    }

    /// `["id", { check = "id", reason = "..." }]`, or a table `id = "reason"`.
    fn ignored(
        &self,
        source: &Text,
        value: &Spanned<DeValue>,
    ) -> Result<Vec<Setting<Ignored>>, ConfigurationError> {
        match value.get_ref() {
            DeValue::Array(list) => list
                .iter()
                .map(|item| {
                    let ignored = match item.get_ref() {
                        DeValue::Table(table) => self.ignored_entry(source, item, table)?,
                        _ => Ignored { name: self.name(source, item, "an entry of ignore")?, reason: None },
                    };
                    Ok(Setting { value: ignored, line: source.line(item) })
                })
                .collect(),
            DeValue::Table(table) => table
                .iter()
                .map(|(key, reason)| {
                    known_name(key.get_ref()).map_err(|message| self.at(source, key, message))?;
                    let reason = self.text(source, reason, "the reason for ignoring a check")?;
                    let name = key.get_ref().clone().into_owned();
                    Ok(Setting { value: Ignored { name, reason: Some(reason.to_owned()) }, line: source.line(key) })
                })
                .collect(),
            _ => Err(self.at(
                source,
                value,
                "ignore must be a list of checks or categories, or a table of them with reasons: ignore = [\"end-of-life-python\"]",
            )),
        }
    }

    fn ignored_entry(
        &self,
        source: &Text,
        whole: &Spanned<DeValue>,
        table: &DeTable,
    ) -> Result<Ignored, ConfigurationError> {
        let (mut name, mut reason) = (None, None);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "check" => name = Some(self.name(source, value, "check")?),
                "reason" => reason = Some(self.text(source, value, "reason")?.to_owned()),
                other => {
                    let hint = did_you_mean(other, ["check", "reason"].into_iter());
                    let message = format!("an entry of ignore has check and reason, not {other:?}{hint}");
                    return Err(self.at(source, key, message));
                }
            }
        }
        let name = name.ok_or_else(|| {
            self.at(
                source,
                whole,
                "an entry of ignore must name a check: { check = \"...\", reason = \"...\" }",
            )
        })?;
        Ok(Ignored { name, reason })
    }

    fn severities(
        &self,
        source: &Text,
        value: &Spanned<DeValue>,
    ) -> Result<Vec<Setting<(String, Severity)>>, ConfigurationError> {
        let Some(table) = value.get_ref().as_table() else {
            let message =
                "severity must be a table of checks or categories: { end-of-life-python = \"warning\" }";
            return Err(self.at(source, value, message));
        };
        table
            .iter()
            .map(|(key, value)| {
                known_name(key.get_ref()).map_err(|message| self.at(source, key, message))?;
                let severity =
                    match self.one_of(source, value, "a severity", &["error", "warning", "info"])? {
                        "error" => Severity::Error,
                        "warning" => Severity::Warning,
                        _ => Severity::Info,
                    };
                Ok(Setting { value: (key.get_ref().clone().into_owned(), severity), line: source.line(key) })
            })
            .collect()
    }

    fn place(
        &self,
        source: &Text,
        name: &str,
        value: &Spanned<DeValue>,
    ) -> Result<HostPath, ConfigurationError> {
        let text = self.text(source, value, name)?;
        let separator = |character: char| character == '/' || character == '\\';
        let mut start = text.chars();
        if start.next().is_some_and(separator) && start.next().is_some_and(separator) {
            // looking at \\server\share sends the user's name and password to the server
            return Err(self.at(source, value, format!("{name} must not be on another machine: {text:?}")));
        }
        if text.is_empty() || text.contains('\0') {
            return Err(self.at(
                source,
                value,
                format!("{name} must be the path of an environment: \".venv\""),
            ));
        }
        let base = match text.strip_prefix("~/") {
            Some(rest) => self.home.map(|home| home.join(rest)),
            None => self.file.parent().map(|directory| directory.join(text)),
        };
        let base =
            base.ok_or_else(|| self.at(source, value, format!("{name}: there is no home directory")))?;
        Ok(base.normalized())
    }
}

impl Text<'_> {
    fn line<T>(&self, place: &Spanned<T>) -> usize {
        line_of(self.text.as_bytes(), place.span().start)
    }
}

fn described(value: &DeValue) -> &'static str {
    match value {
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        _ => "a number",
    }
}

#[cfg(test)]
mod tests;
