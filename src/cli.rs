//! The command line.

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_STATUS: &str = "\
Exit status:
  0  nothing at or above --fail-on (default: error) was found
  1  something was
  2  the doctor could not do its work: bad usage, or a check that crashed

It writes nothing, has no network, and starts at most one interpreter (none with --no-exec).";

/// Find out what is wrong with the Python environment of this shell, and how to cure it.
#[derive(Debug, Parser)]
#[command(
    name = "venv-doctor",
    version,
    styles = STYLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    after_help = EXIT_STATUS
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    pub check: CheckArguments,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Examine this shell and the project in DIR (the default command)
    #[command(after_help = "Example:\n  venv-doctor check ~/work/app --no-exec --format json")]
    Check(CheckArguments),
    /// Show sys.path, entry by entry, each with what put it there
    #[command(after_help = "Example:\n  venv-doctor path --python .venv -v")]
    Path(PathArguments),
    /// Explain why a module is imported from where it is, or why its import fails
    #[command(
        after_help = "Examples:\n  venv-doctor why yaml\n  python app.py 2>&1 | venv-doctor why -\n\nExit status: 0 found, 1 not found or it fails, 2 the doctor could not do its work."
    )]
    Why(WhyArguments),
    /// Print the handbook's page on a check
    #[command(after_help = "Example:\n  venv-doctor explain moved-venv")]
    Explain(ExplainArguments),
    /// List the checks
    #[command(after_help = "Example:\n  venv-doctor checks --format json")]
    Checks(ChecksArguments),
}

#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The project to examine [default: the working directory]
    #[arg(value_name = "DIR")]
    pub directory: Option<PathBuf>,

    /// Examine this interpreter, environment directory or name on PATH, instead of the project's environment
    #[arg(long, value_name = "PATH|NAME")]
    pub python: Option<PathBuf>,

    /// Start no program at all, not even the interpreter
    #[arg(long)]
    pub no_exec: bool,

    /// Run only these checks or categories (repeat, or separate with commas)
    #[arg(long, value_name = "CHECK|CATEGORY", value_delimiter = ',')]
    pub select: Vec<String>,

    /// Leave these checks or categories out
    #[arg(long, value_name = "CHECK|CATEGORY", value_delimiter = ',')]
    pub ignore: Vec<String>,

    /// The least severity that makes the exit status 1
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = FailOn::Error)]
    pub fail_on: FailOn,

    /// How long an interpreter may take to answer, in seconds; the whole examination may take four times as long
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = seconds)]
    pub timeout: f64,

    #[command(flatten)]
    pub output: OutputArguments,
}

#[derive(Debug, Args)]
pub struct OutputArguments {
    /// How to write the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,

    /// When to colour it
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub color: Color,

    /// Say more: what was asked, which checks ran or were skipped and why, symptoms in full, timing
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// Say less: one line per finding
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub struct WhyArguments {
    /// The module as it is imported (dotted names, too), or - to read a traceback or error output
    #[arg(value_name = "MODULE", allow_hyphen_values = true)]
    pub module: String,

    /// Ask about this interpreter, environment directory or name on PATH
    #[arg(long, value_name = "PATH|NAME")]
    pub python: Option<PathBuf>,

    /// Start no program at all, not even the interpreter
    #[arg(long)]
    pub no_exec: bool,

    /// How long an interpreter may take to answer, in seconds; the whole examination may take four times as long
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = seconds)]
    pub timeout: f64,

    #[command(flatten)]
    pub output: OutputArguments,
}

#[derive(Debug, Args)]
pub struct PathArguments {
    /// Show that of this interpreter, environment directory or name on PATH, instead of the project's environment
    #[arg(long, value_name = "PATH|NAME")]
    pub python: Option<PathBuf>,

    /// Start no program at all: work it out from the files alone
    #[arg(long)]
    pub no_exec: bool,

    /// How long an interpreter may take to answer, in seconds; the whole examination may take four times as long
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = seconds)]
    pub timeout: f64,

    #[command(flatten)]
    pub output: OutputArguments,
}

#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// The check's id, as a report shows it
    pub check: String,

    #[command(flatten)]
    pub output: OutputArguments,
}

#[derive(Debug, Args)]
pub struct ChecksArguments {
    #[command(flatten)]
    pub output: OutputArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Human,
    /// For programs: one object, schema_version 1
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    Error,
    Warning,
    Info,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(seconds),
        _ => Err("give a number of seconds above 0 and up to 3600".to_owned()),
    }
}
