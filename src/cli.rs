//! The command line.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};

mod given;
mod values;

pub use given::{Given, Level};
use values::age;
pub use values::*;

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

Settings may also stand in [tool.venv-doctor] of pyproject.toml, in venv-doctor.toml, or in the variables
VENV_DOCTOR_SELECT, _IGNORE, _FAIL_ON, _PYTHON, _NO_EXEC, _TIMEOUT, _FORMAT and _COLOR (-v tells which counts).

It writes nothing (but the files of --snapshot and --summary), has no network, and starts at most one interpreter (none
with --no-exec).";

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
        after_help = "Examples:\n  venv-doctor why yaml\n  python app.py 2>&1 | venv-doctor why -\n\nExit status: 0 found, or only running it can tell; 1 not found or it fails; 2 the doctor could not do its work."
    )]
    Why(WhyArguments),
    /// Find and examine every environment below some directories
    #[command(
        after_help = "Examples:\n  venv-doctor scan ~/work --sizes --sort size\n  venv-doctor scan --older-than 90d\n  venv-doctor scan / --format jsonl > environments.jsonl\n\nIt writes and deletes nothing: with --older-than it prints the commands that would delete.\n\nExit status: 0 nothing at or above --fail-on (default: error), 1 findings, 2 the doctor could not do its work, 130 it\nwas interrupted: what was known by then is printed."
    )]
    Scan(ScanArguments),
    /// Look at a commit before it is made: where its installs go, and whether the environment is sound
    #[command(
        after_help = "Example, as a git hook without pre-commit (.git/hooks/pre-commit):\n  #!/bin/sh\n  exec venv-doctor hook\n\nExit status: 0 nothing at or above --fail-on (default: warning), 1 findings, 2 the doctor could not do its work.\nWith --warn-only: always 0, unless the command line is wrong."
    )]
    Hook(HookArguments),
    /// Print the handbook's page on a check
    #[command(after_help = "Example:\n  venv-doctor explain moved-venv")]
    Explain(ExplainArguments),
    /// List the checks
    #[command(after_help = "Example:\n  venv-doctor checks --format json")]
    Checks(ChecksArguments),
    /// Print the JSON schema of what a subcommand writes with --format json
    #[command(after_help = "Example:\n  venv-doctor schema why > why.schema.json")]
    Schema(SchemaArguments),
    /// Print completions for a shell
    #[command(
        after_help = "Examples:\n  venv-doctor completions bash > ~/.local/share/bash-completion/completions/venv-doctor\n  venv-doctor completions zsh > ~/.zfunc/_venv-doctor   (with fpath+=~/.zfunc before compinit)\n  venv-doctor completions fish > ~/.config/fish/completions/venv-doctor.fish\n  venv-doctor completions powershell >> $PROFILE"
    )]
    Completions(CompletionsArguments),
    /// Print the manual page, in roff
    #[command(hide = true)]
    Man,
}

#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell to write them for
    #[arg(value_enum)]
    pub shell: CompletionShell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompletionShell {
    Bash,
    Zsh,
    Fish,
    #[value(name = "powershell", alias = "pwsh")]
    PowerShell,
    Elvish,
    #[value(alias = "nu")]
    Nushell,
}

#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The project to examine [default: the working directory]
    #[arg(value_name = "DIR")]
    pub directory: Option<PathBuf>,

    /// Examine this interpreter, environment directory or name on PATH, instead of the project's environment
    #[arg(long, value_name = "PATH|NAME", env = "VENV_DOCTOR_PYTHON", hide_env_values = true)]
    pub python: Option<PathBuf>,

    /// Start no program at all, not even the interpreter
    #[arg(long, env = "VENV_DOCTOR_NO_EXEC", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub no_exec: bool,

    /// Also read every installed file and compare it with the hash that its installer recorded (takes seconds)
    #[arg(long)]
    pub deep: bool,

    /// Read no venv-doctor.toml and no pyproject.toml for settings
    #[arg(long)]
    pub no_config: bool,

    /// Run only these checks or categories (repeat, or separate with commas)
    #[arg(
        long,
        value_name = "CHECK|CATEGORY",
        value_delimiter = ',',
        env = "VENV_DOCTOR_SELECT",
        hide_env_values = true
    )]
    pub select: Vec<String>,

    /// Leave the findings of these checks or categories out; their number is told
    #[arg(
        long,
        value_name = "CHECK|CATEGORY",
        value_delimiter = ',',
        env = "VENV_DOCTOR_IGNORE",
        hide_env_values = true
    )]
    pub ignore: Vec<String>,

    /// The least severity that makes the exit status 1
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = FailOn::Error, env = "VENV_DOCTOR_FAIL_ON", hide_env_values = true)]
    pub fail_on: FailOn,

    /// How long an interpreter may take to answer, in seconds; the whole examination may take four times as long
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = seconds, env = "VENV_DOCTOR_TIMEOUT", hide_env_values = true)]
    pub timeout: f64,

    /// How to write the report
    #[arg(long, value_enum, default_value_t = ReportFormat::Human, env = "VENV_DOCTOR_FORMAT", hide_env_values = true)]
    pub format: ReportFormat,

    /// Also write what was seen to a new file that can be shared: without secrets, personal names replaced
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,

    /// Examine what such a file holds, instead of this machine
    #[arg(long, value_name = "FILE", conflicts_with_all = ["directory", "python", "no_exec", "timeout", "snapshot"])]
    pub from: Option<PathBuf>,

    /// Also append the report, as Markdown, to the file that GITHUB_STEP_SUMMARY names
    #[arg(long)]
    pub summary: bool,

    #[arg(skip)]
    pub given: Given,

    #[command(flatten)]
    pub output: OutputArguments,
}

#[derive(Debug, Args)]
pub struct HookArguments {
    /// The files of the commit, as pre-commit names them [default: every file that git tracks]
    #[arg(value_name = "FILES")]
    pub files: Vec<PathBuf>,

    /// Say what there is to say, and never fail
    #[arg(long, conflicts_with = "fail_on")]
    pub warn_only: bool,

    /// Run these checks or categories instead of those about installs and broken environments (repeat, or separate with
    /// commas)
    #[arg(long, value_name = "CHECK|CATEGORY", value_delimiter = ',')]
    pub select: Vec<String>,

    /// Leave the findings of these checks or categories out; their number is told
    #[arg(
        long,
        value_name = "CHECK|CATEGORY",
        value_delimiter = ',',
        env = "VENV_DOCTOR_IGNORE",
        hide_env_values = true
    )]
    pub ignore: Vec<String>,

    /// The least severity that makes the exit status 1
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = FailOn::Warning, env = "VENV_DOCTOR_FAIL_ON", hide_env_values = true)]
    pub fail_on: FailOn,

    /// Read no venv-doctor.toml and no pyproject.toml for settings
    #[arg(long)]
    pub no_config: bool,

    /// How to write the report
    #[arg(long, value_enum, default_value_t = ReportFormat::Human, env = "VENV_DOCTOR_FORMAT", hide_env_values = true)]
    pub format: ReportFormat,

    #[arg(skip)]
    pub given: Given,

    #[command(flatten)]
    pub output: OutputArguments,
}

#[derive(Debug, Args)]
pub struct OutputArguments {
    /// When to colour it
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto, env = "VENV_DOCTOR_COLOR", hide_env_values = true)]
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
    #[arg(long, value_name = "PATH|NAME", env = "VENV_DOCTOR_PYTHON", hide_env_values = true)]
    pub python: Option<PathBuf>,

    /// Start no program at all, not even the interpreter
    #[arg(long, env = "VENV_DOCTOR_NO_EXEC", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub no_exec: bool,

    /// Read no venv-doctor.toml and no pyproject.toml for settings
    #[arg(long)]
    pub no_config: bool,

    /// How long an interpreter may take to answer, in seconds; the whole examination may take four times as long
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = seconds, env = "VENV_DOCTOR_TIMEOUT", hide_env_values = true)]
    pub timeout: f64,

    /// How to write the answer
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,

    #[arg(skip)]
    pub given: Given,

    #[command(flatten)]
    pub output: OutputArguments,
}

#[derive(Debug, Args)]
pub struct PathArguments {
    /// Show that of this interpreter, environment directory or name on PATH, instead of the project's environment
    #[arg(long, value_name = "PATH|NAME", env = "VENV_DOCTOR_PYTHON", hide_env_values = true)]
    pub python: Option<PathBuf>,

    /// Start no program at all: work it out from the files alone
    #[arg(long, env = "VENV_DOCTOR_NO_EXEC", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub no_exec: bool,

    /// Read no venv-doctor.toml and no pyproject.toml for settings
    #[arg(long)]
    pub no_config: bool,

    /// How long an interpreter may take to answer, in seconds; the whole examination may take four times as long
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = seconds, env = "VENV_DOCTOR_TIMEOUT", hide_env_values = true)]
    pub timeout: f64,

    /// How to write the answer
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,

    #[arg(skip)]
    pub given: Given,

    #[command(flatten)]
    pub output: OutputArguments,
}

#[derive(Debug, Args)]
#[command(mut_arg("verbose", |argument| argument.help("Name every environment: in the table, and of each finding")))]
pub struct ScanArguments {
    /// Where to look [default: the working directory, where projects usually lie in the home directory, and what tools
    /// such as poetry, pipx and uv keep]
    #[arg(value_name = "ROOT")]
    pub roots: Vec<PathBuf>,

    /// Look also into environments, caches, node_modules and .git
    #[arg(long)]
    pub all: bool,

    /// Look also into other file systems that are mounted below the roots
    #[arg(long)]
    pub cross_file_systems: bool,

    /// Start one interpreter of each environment, where it is the user's or root's and lies outside of it, with -I -S -B
    #[arg(long)]
    pub exec: bool,

    /// Measure what each takes of the disk; clones that share their blocks (reflinks) count in full
    #[arg(long)]
    pub sizes: bool,

    /// Find also files with the same contents (reads all that have the size of another); clones that share their blocks
    /// (reflinks) count, too
    #[arg(long)]
    pub duplicates: bool,

    /// What comes first
    #[arg(long, value_enum, value_name = "BY", default_value_t = SortBy::Health)]
    pub sort: SortBy,

    /// Show only those that were not used for so long (90d, 12w, 6m, 1y), and the commands that delete them
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub older_than: Option<std::time::Duration>,

    /// Show only those with errors or warnings
    #[arg(long)]
    pub unhealthy: bool,

    /// Run only these checks or categories (repeat, or separate with commas)
    #[arg(
        long,
        value_name = "CHECK|CATEGORY",
        value_delimiter = ',',
        env = "VENV_DOCTOR_SELECT",
        hide_env_values = true
    )]
    pub select: Vec<String>,

    /// Leave these checks or categories out
    #[arg(
        long,
        value_name = "CHECK|CATEGORY",
        value_delimiter = ',',
        env = "VENV_DOCTOR_IGNORE",
        hide_env_values = true
    )]
    pub ignore: Vec<String>,

    /// The least severity that makes the exit status 1
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = FailOn::Error, env = "VENV_DOCTOR_FAIL_ON", hide_env_values = true)]
    pub fail_on: FailOn,

    /// How long an interpreter may take to answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = seconds, env = "VENV_DOCTOR_TIMEOUT", hide_env_values = true)]
    pub timeout: f64,

    /// How to write the report
    #[arg(long, value_enum, default_value_t = ScanFormat::Human)]
    pub format: ScanFormat,

    #[arg(skip)]
    pub given: Given,

    #[command(flatten)]
    pub output: OutputArguments,
}

#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// The check's id, as a report shows it
    pub check: String,

    /// How to write the answer
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,

    #[command(flatten)]
    pub output: OutputArguments,
}

#[derive(Debug, Args)]
pub struct ChecksArguments {
    /// How to write the answer
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,

    #[command(flatten)]
    pub output: OutputArguments,
}

#[derive(Debug, Args)]
pub struct SchemaArguments {
    /// The subcommand
    #[arg(value_enum, value_name = "SUBCOMMAND", default_value_t = SchemaOf::Check)]
    pub of: SchemaOf,
}
