//! `venv-doctor path`.

use super::{Status, Terminal, Trouble, deliver, gathered};
use crate::cli::{Format, PathArguments};
use crate::collect::gather::Request;
use crate::config::settings::{self, Asking};
use crate::diagnosis::Need;
use crate::facts::Facts;
use crate::facts::interpreter::{Interpreter, Probe};
use crate::host::Host;
use crate::host::real::bytes_of;
use crate::imports::resolve::Offered;
use crate::imports::{ImportOrigin, Prediction, Resolver, Spelling};
use crate::path::HostPath;
use crate::report::import_path::{self, Entry, PathPage, Side};

pub fn run(host: &dyn Host, arguments: &PathArguments) -> Result<Status, Trouble> {
    let file = settings::file(host, None, arguments.no_config)?;
    let asking = Asking::new(arguments, file.as_ref());
    let request = Request {
        directory: None,
        python: arguments.python.as_ref().map(|path| bytes_of(path.as_os_str())),
        configured: asking.configured.clone(),
        execute: !asking.no_exec.value,
        deadline: asking.deadline(),
        needs: [Need::Probe, Need::ImportPath].into(),
    };
    let facts = gathered(host, &request)?;
    let interpreter = examined(&facts).ok_or_else(|| no_interpreter(&facts))?;
    let page = page(host, &facts, interpreter);
    if page.predicted.is_none() && page.reported.is_none() {
        return Err(no_interpreter(&facts));
    }
    let mut text = Vec::new();
    match arguments.format {
        Format::Json => import_path::json(&mut text, &page)?,
        Format::Human => {
            let terminal = Terminal::of(host, &arguments.output);
            let (verbose, quiet) = (arguments.output.verbose > 0, arguments.output.quiet);
            let width = terminal.width;
            let options = import_path::Options { width, color: terminal.color, verbose, quiet };
            import_path::human(&mut text, &facts, &page, &options)?;
        }
    }
    deliver(&text)?;
    Ok(Status::Clean)
}

/// The interpreter that was asked, or would have been.
fn examined(facts: &Facts) -> Option<&Interpreter> {
    facts
        .interpreters
        .iter()
        .find(|interpreter| interpreter.predicted.is_some() || interpreter.probe.report().is_some())
}

fn no_interpreter(facts: &Facts) -> Trouble {
    match &facts.patient {
        Some(root) => {
            let notes = facts.notes.join("; ");
            let because = if notes.is_empty() { String::new() } else { format!(" ({notes})") };
            Trouble(format!("nothing in {root} tells which Python it is for{because}"))
        }
        None => Trouble(
            "there is no interpreter: none is on PATH, and no environment is here (--python names one)"
                .to_owned(),
        ),
    }
}

fn page<'a>(host: &dyn Host, facts: &'a Facts, interpreter: &'a Interpreter) -> PathPage<'a> {
    let sides = Sides { host, facts, interpreter };
    let predicted = interpreter.predicted.as_ref().map(|prediction| sides.predicted(prediction));
    let reported = sides.reported(predicted.as_ref());
    let not_reported = match &interpreter.probe {
        Probe::Answered(_) => None,
        Probe::NotRun { why } => Some(format!("it was not asked: {why}")),
        Probe::Failed { ending, stderr } => {
            let said = stderr.lines().last().unwrap_or_default();
            Some(format!("it was asked and failed: {ending}, {said}"))
        }
        Probe::TimedOut { seconds } => Some(format!("it did not answer within {seconds} s")),
        Probe::Garbled { .. } => Some("its answer cannot be read".to_owned()),
    };
    PathPage {
        interpreter,
        predicted,
        reported,
        agree: interpreter.comparison.as_ref().map(|comparison| comparison.agrees),
        not_reported,
        withheld: withheld(host),
    }
}

/// Entries of `PYTHONPATH` that were kept from the interpreter that was asked.
fn withheld(host: &dyn Host) -> Vec<String> {
    let flavour = host.platform().flavour();
    let value = host.variable("PYTHONPATH").filter(|value| !value.is_empty()).unwrap_or_default();
    if value.is_empty() {
        return Vec::new();
    }
    value
        .split(|byte| *byte == flavour.list_separator())
        .filter(|entry| !flavour.is_absolute(entry))
        .map(|entry| crate::path::readable(entry).into_owned())
        .collect()
}

struct Sides<'a> {
    host: &'a dyn Host,
    facts: &'a Facts,
    interpreter: &'a Interpreter,
}

impl Sides<'_> {
    fn predicted(&self, prediction: &Prediction) -> Side {
        let entries: Vec<_> =
            prediction.entries.iter().map(|entry| (entry.directory.clone(), entry.origin.clone())).collect();
        Side {
            prefix: prediction.prefix.clone(),
            base_prefix: prediction.base_prefix.clone(),
            exec_prefix: prediction.exec_prefix.clone(),
            user_site: prediction.user_site.enabled == Some(true),
            entries: self.entries(entries),
        }
    }

    fn reported(&self, predicted: Option<&Side>) -> Option<Side> {
        let report = self.interpreter.probe.report()?;
        let mut entries: Vec<(Spelling, ImportOrigin)> = match &self.interpreter.comparison {
            Some(comparison) => comparison
                .entries
                .iter()
                .map(|entry| (entry.directory.clone(), entry.origin.clone()))
                .collect(),
            None => {
                let unexplained =
                    |entry: &String| (Spelling::from(entry.as_str()), ImportOrigin::Unexplained);
                report.path.iter().map(unexplained).collect()
            }
        };
        if report.has_first_entry {
            entries.insert(0, (Spelling::default(), ImportOrigin::ScriptDirectory));
        }
        // listing every directory once more is of use only where they differ
        let same = predicted.filter(|side| {
            side.entries.len() == entries.len()
                && side
                    .entries
                    .iter()
                    .zip(&entries)
                    .all(|(entry, (directory, _))| entry.directory == *directory)
        });
        Some(Side {
            prefix: Spelling::from(report.prefix.as_str()),
            base_prefix: Spelling::from(report.base_prefix.as_str()),
            exec_prefix: Spelling::from(report.exec_prefix.as_str()),
            user_site: report.enable_user_site == Some(true),
            entries: same.map_or_else(|| self.entries(entries), |side| side.entries.clone()),
        })
    }

    /// An entry of an interpreter whose build is not known; an empty one is the working directory.
    fn exists(&self, entry: &Spelling) -> bool {
        let absolute = HostPath::new(self.host.platform().flavour(), entry.as_bytes());
        absolute
            .or_else(|| Some(self.host.working_directory().ok()?.join(entry.as_bytes())))
            .is_some_and(|path| self.host.exists(&path))
    }

    fn entries(&self, entries: Vec<(Spelling, ImportOrigin)>) -> Vec<Entry> {
        let Some(build) = &self.interpreter.build else {
            let bare = |(directory, origin): (Spelling, _)| {
                let offered = Offered { exists: self.exists(&directory), ..Offered::default() };
                Entry { directory, origin, offered }
            };
            return entries.into_iter().map(bare).collect();
        };
        let hooks = self.interpreter.predicted.as_ref().map(|prediction| prediction.hooks.as_slice());
        let resolver = Resolver::new(
            self.host,
            build,
            entries.iter().map(|(directory, _)| directory),
            hooks.unwrap_or_default(),
            self.facts.working_directory.as_ref(),
        );
        let offered = resolver.offered();
        let whole = |((directory, origin), offered)| Entry { directory, origin, offered };
        entries.into_iter().zip(offered).map(whole).collect()
    }
}
