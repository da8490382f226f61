//! `venv-doctor hook [FILES]`: what pre-commit runs.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Instant;

use super::page::Page;
use super::{Status, Trouble, deliver, diagnosed, gathered};
use crate::cli::{FailOn, HookArguments};
use crate::collect::commit::{self, repository};
use crate::collect::gather::Request;
use crate::config::Configuration;
use crate::config::settings::{self, Choices, Selection, Settings};
use crate::diagnosis::{Category, Need, Unexamined};
use crate::facts::Facts;
use crate::facts::Gathered;
use crate::facts::commit::{Commit, Scope};
use crate::facts::shell::ShellSource;
use crate::host::Host;
use crate::host::real::bytes_of;
use crate::report::human::Timing;
use crate::report::{Dialect, sanitize};

/// Checks on where installs and imports go, and on whether the environment works. None of them starts an interpreter.
const CHECKS: [&str; 42] = [
    "dangling-interpreter",
    "interpreter-link-loop",
    "interpreter-not-executable",
    "interpreter-wrong-architecture",
    "interpreter-loader-missing",
    "libpython-missing",
    "libpython-mismatch",
    "half-upgraded-venv",
    "python-version-switched",
    "incomplete-venv",
    "missing-pyvenv-cfg",
    "invalid-pyvenv-cfg",
    "base-python-missing",
    "foreign-platform-venv",
    "container-venv",
    "versioned-environment",
    "copied-venv",
    "moved-venv",
    "shebang-with-space",
    "shebang-too-long",
    "crlf-shebang",
    "broken-shebang",
    "windows-store-stub",
    "stale-launcher",
    "pythonhome-set",
    "environment-without-pip",
    "pip-redirected",
    "pip-requires-virtualenv",
    "pythonpath-leak",
    "user-site-leak",
    "system-site-packages",
    "global-install",
    "sudo-dropped-environment",
    "activate-for-another-shell",
    "stale-activation",
    "lost-activation",
    "conflicting-activation",
    "shadowed-environment",
    "shadowing-alias",
    "wrong-environment-active",
    "forgotten-activation",
    "pip-elsewhere",
];

/// Comments in files silence commands by the id of this check.
const COMMANDS: &str = "global-install";

pub fn run(host: &dyn Host, arguments: &HookArguments) -> Result<Status, Trouble> {
    let result = examined(host, arguments);
    match result {
        _ if !arguments.warn_only => result,
        Ok(_) => Ok(Status::Clean),
        Err(Trouble(message)) => {
            let _ = writeln!(std::io::stderr(), "venv-doctor: {}", sanitize::shown(&message));
            Ok(Status::Clean)
        }
    }
}

fn examined(host: &dyn Host, arguments: &HookArguments) -> Result<Status, Trouble> {
    let started = Instant::now();
    let file = settings::file(host, None, arguments.no_config)?;
    // which checks a run by hand needs is another matter
    let file = file.map(|file| Configuration { select: None, ..file });
    let usual: Vec<String> = CHECKS.map(str::to_owned).to_vec();
    let settings = Settings::new(Choices::of_hook(arguments, &usual), file).map_err(Trouble)?;
    let mut selection = settings.selection();
    let mut needs: BTreeSet<Need> =
        selection.checks.iter().flat_map(|check| check.needs.iter().copied()).collect();
    // starting Python takes longer than all the rest
    needs.remove(&Need::Probe);
    needs.remove(&Need::ImportPath);
    let here = host
        .working_directory()
        .map_err(|error| Trouble(format!("the working directory cannot be read: {error}")))?;
    let git = repository(host, &here).map_err(|error| Trouble(error.to_string()))?;
    let deadline = settings.asking.deadline();
    let request = Request {
        directory: None,
        python: None,
        configured: settings.asking.configured.clone(),
        execute: false,
        deadline,
        needs,
    };
    let names: Vec<Vec<u8>> = arguments.files.iter().map(|file| bytes_of(file.as_os_str())).collect();
    // pre-commit names no file where none of the commit may hold commands
    let named = !names.is_empty() || host.variable("PRE_COMMIT").is_some();
    let (facts, commit) = std::thread::scope(|scope| {
        let reading =
            scope.spawn(|| commit::commit(host, &git, &here, named.then_some(names.as_slice()), COMMANDS));
        (gathered(host, &request), reading.join())
    });
    let mut facts = facts?;
    let commit = commit.map_err(|_| Trouble("the commit's files could not be read".to_owned()))?;
    facts.notes.extend(commit.notes.iter().cloned());
    let mut heading = vec![format!("examined     {}", whose(&facts))];
    heading.push(format!("commit       {}", what(&commit)));
    facts.commit = Gathered::Known(commit);
    if facts.shell.source != ShellSource::Process {
        leave_out_activation(&mut selection);
    }
    let gathering = started.elapsed();
    let diagnosis = diagnosed(host, &mut facts, &selection, &settings)?;
    let page = Page {
        host,
        format: arguments.format,
        output: &arguments.output,
        heading,
        seen_here: true,
        fail_on: if arguments.warn_only { FailOn::Never } else { settings.fail_on.value },
        facts: &facts,
        diagnosis: &diagnosis,
        dialect: Dialect::of(&facts),
        timing: Timing { gathered: gathering, examined: started.elapsed().saturating_sub(gathering) },
    };
    deliver(&page.report()?)?;
    Ok(page.status())
}

/// An editor or another program made the commit: nobody activates anything for it.
fn leave_out_activation(selection: &mut Selection) {
    let Selection { checks, skipped, .. } = selection;
    checks.retain(|check| {
        let kept = check.category != Category::Activation;
        if !kept {
            skipped.push(Unexamined { check: check.id, reason: "no shell made this commit".to_owned() });
        }
        kept
    });
}

/// Whose environment it is.
fn whose(facts: &Facts) -> String {
    let shell = facts.shell.kind.filter(|_| facts.shell.source == ShellSource::Process);
    let who = match shell {
        Some(kind) => format!("the environment of the {} that made this commit", kind.label()),
        None => "the project's environment: no shell made this commit".to_owned(),
    };
    match facts.shell.seen_through {
        Some(wrapper) => format!("{who}, not that of {}", wrapper.label()),
        None => who,
    }
}

/// What of the commit was looked at.
fn what(commit: &Commit) -> String {
    let files = match (commit.read, commit.scope) {
        (0, Scope::Named) => "no file of it holds commands".to_owned(),
        (0, Scope::Tracked) => "no tracked file holds commands".to_owned(),
        (1, Scope::Named) => "1 file that may hold commands".to_owned(),
        (1, Scope::Tracked) => "1 tracked file that may hold commands".to_owned(),
        (count, Scope::Named) => format!("{count} files that may hold commands"),
        (count, Scope::Tracked) => format!("{count} tracked files that may hold commands"),
    };
    let silenced = commit
        .installs
        .iter()
        .filter(|install| install.found.silenced.as_ref().is_some_and(|silenced| silenced.reason.is_some()));
    match silenced.count() {
        0 => files,
        count => format!("{files}; comments in them silence {count}"),
    }
}
