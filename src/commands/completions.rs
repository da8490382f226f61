//! `venv-doctor completions SHELL`.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Command, CommandFactory};
use clap_complete::aot::{self, Generator};
use clap_complete_nushell::Nushell;

use super::{Status, Trouble, deliver};
use crate::checks;
use crate::cli::{Cli, CompletionShell, CompletionsArguments};
use crate::diagnosis::Category;

const NAME: &str = "venv-doctor";

pub fn run(arguments: &CompletionsArguments) -> Result<Status, Trouble> {
    let script = match arguments.shell {
        CompletionShell::Bash => bash(),
        CompletionShell::Zsh => zsh(),
        CompletionShell::Fish => [script(aot::Shell::Fish), fish_ids()].concat(),
        CompletionShell::PowerShell => with_ids(&script(aot::Shell::PowerShell), POWERSHELL),
        CompletionShell::Elvish => with_ids(&script(aot::Shell::Elvish), ELVISH),
        CompletionShell::Nushell => script(Nushell),
    };
    deliver(&script)?;
    Ok(Status::Clean)
}

fn script(shell: impl Generator) -> Vec<u8> {
    let mut script = Vec::new();
    aot::generate(shell, &mut with_names(Cli::command()), NAME, &mut script);
    script
}

/// Where the script of a shell lists what may follow `explain`, and how it lists one thing: the generators of
/// these two know no values.
struct Listing {
    place: &'static str,
    line: fn(&str, &str) -> String,
}

const POWERSHELL: Listing = Listing {
    place: "'venv-doctor;explain' {\n",
    line: |id, summary| {
        format!(
            "            [CompletionResult]::new('{id}', '{id}', [CompletionResultType]::ParameterValue, '{summary}')\n"
        )
    },
};

const ELVISH: Listing = Listing {
    place: "&'venv-doctor;explain'= {\n",
    line: |id, summary| format!("            cand {id} '{summary}'\n"),
};

fn with_ids(script: &[u8], listing: Listing) -> Vec<u8> {
    // a quote is doubled in both
    let lines: String =
        checks::all().map(|check| (listing.line)(check.id, &check.summary.replace('\'', "''"))).collect();
    let script = String::from_utf8_lossy(script);
    script.replacen(listing.place, &format!("{}{lines}", listing.place), 1).into_bytes()
}

/// The generator spells the hyphen of the program's name in two ways, so that no subcommand is found.
fn bash() -> Vec<u8> {
    let script = script(aot::Shell::Bash);
    String::from_utf8_lossy(&script).replace("venv__subcmd__doctor", "venv__doctor").into_bytes()
}

/// The generator takes the first word for the optional directory, and looks for a subcommand in the second: here
/// the first word is either.
fn zsh() -> Vec<u8> {
    let script = script(aot::Shell::Zsh);
    let script = String::from_utf8_lossy(&script);
    let directory = script.lines().position(|line| line.starts_with("'::directory "));
    let kept: String = script
        .lines()
        .enumerate()
        .filter(|(index, _)| Some(*index) != directory)
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    kept.replace("$line[2]", "$line[1]")
        .replacen("\":: :_venv-doctor_commands\"", "\":: :{_venv-doctor_commands; _files -/}\"", 1)
        .into_bytes()
}

/// What may follow `explain` in fish, whose generator knows no values but options', and the values of options before
/// any subcommand, which its condition for these forgets while one is typed.
fn fish_ids() -> Vec<u8> {
    let listed = |name: &str, summary: &str| format!("{name}\\t'{}'\n", summary.replace('\'', "\\'"));
    let ids: String = checks::all().map(|check| listed(check.id, check.summary)).collect();
    let categories: String =
        Category::ALL.iter().map(|category| listed(category.label(), "category")).collect();
    let mut lines = format!(
        "complete -c venv-doctor -n \"__fish_venv_doctor_using_subcommand explain\" -f -a \"{ids}\"\n"
    );
    for option in ["select", "ignore"] {
        lines.push_str(&format!(
            "complete -c venv-doctor -n \"__fish_seen_argument -l {option}\" -l {option} -r -f -a \"{categories}{ids}\"\n"
        ));
    }
    lines.into_bytes()
}

/// The command line with the checks and categories as possible values. A run takes any text there, to answer a
/// wrong one with the nearest name.
fn with_names(command: Command) -> Command {
    let ids = || checks::all().map(|check| PossibleValue::new(check.id).help(check.summary));
    let categories =
        || Category::ALL.iter().map(|category| PossibleValue::new(category.label()).help("category"));
    command
        .mut_args(|argument| match argument.get_id().as_str() {
            "check" => argument.value_parser(PossibleValuesParser::new(ids())),
            "select" | "ignore" => {
                argument.value_parser(PossibleValuesParser::new(categories().chain(ids())))
            }
            _ => argument,
        })
        .mut_subcommands(with_names)
}
