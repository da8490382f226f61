//! What options can be set to.

use clap::ValueEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SortBy {
    /// The worst first
    Health,
    /// The largest first
    Size,
    /// By its place
    Name,
    /// The longest unused first
    Age,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScanFormat {
    /// For people
    Human,
    /// For programs: one object, as `venv-doctor schema scan` describes it
    Json,
    /// One environment a line, as soon as it is examined
    Jsonl,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    Check,
    Path,
    Why,
    Checks,
    Explain,
    Scan,
    /// One line of `scan --format jsonl`
    ScanLine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Human,
    /// For programs: one object, as `venv-doctor schema` describes it
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people
    Human,
    /// For programs: one object, as `venv-doctor schema` describes it
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands: annotations in GitHub Actions
    Github,
    /// For issues, comments and summaries
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    Error,
    Warning,
    Info,
    Never,
}

impl FailOn {
    pub fn label(self) -> &'static str {
        match self {
            FailOn::Error => "error",
            FailOn::Warning => "warning",
            FailOn::Info => "info",
            FailOn::Never => "never",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

/// A number of days, weeks, months (of 30 days) or years (of 365).
pub(super) fn age(text: &str) -> Result<std::time::Duration, String> {
    let (number, unit) = text.split_at(text.len() - text.chars().next_back().map_or(0, char::len_utf8));
    let days = match unit {
        "d" => 1,
        "w" => 7,
        "m" => 30,
        "y" => 365,
        _ => 0,
    };
    match number.parse::<u32>() {
        Ok(number) if days > 0 => Ok(std::time::Duration::from_secs(u64::from(number) * days * 86_400)),
        _ => Err("give a number and d, w, m or y (days, weeks, months, years): 90d".to_owned()),
    }
}

pub fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(seconds),
        _ => Err("give a number of seconds above 0 and up to 3600".to_owned()),
    }
}
