//! `venv-doctor scan [ROOT...]`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;

use self::examine::{Execution, Scan, Wanted, is_about_one_environment};
use super::check::absolute;
use super::page::by_worst;
use super::{Status, Terminal, Trouble, deliver};
use crate::cli::{ScanArguments, ScanFormat, SortBy};
use crate::collect::gather::date;
use crate::collect::places::Places;
use crate::collect::scan::cost::Ledger;
use crate::collect::scan::facts::Machine;
use crate::collect::scan::keepers::Keepers;
use crate::collect::scan::known;
use crate::collect::scan::walk::{Border, Progress, Rules, Start, Walk};
use crate::config::settings::Settings;
use crate::diagnosis::fleet::{self, Member, Needed};
use crate::host::real::Interrupt;
use crate::host::{FileKind, Host};
use crate::path::HostPath;
use crate::report::Dialect;
use crate::report::fleet::{Fleet, human, json};
use crate::report::human::HumanOptions;

mod examine;
mod progress;

/// More threads than this only wait for the same disk.
const MOST_THREADS: usize = 8;

pub fn run(host: &dyn Host, arguments: &ScanArguments) -> Result<Status, Trouble> {
    let interrupt = Interrupt::watch();
    // a project's file says nothing of other environments
    let settings = Settings::new(arguments, None).map_err(Trouble)?;
    let mut checks = settings.told_checks();
    checks.retain(|check| is_about_one_environment(check));
    let home = host.home();
    let lookup = |name: &str| host.text_variable(name);
    let places = Places { system: host.platform().system, home: home.as_ref(), variable: &lookup };
    let keepers = Keepers::of(host, &places);
    let (starts, listed) = match arguments.roots.as_slice() {
        [] => (known::starts(host, &places, &keepers), known::listed(host, &places)),
        roots => (named(host, roots)?, Vec::new()),
    };
    let roots: Vec<HostPath> = starts.iter().map(|start| start.directory.clone()).collect();
    let strangers = if arguments.roots.is_empty() { Vec::new() } else { roots.clone() };
    let mut scan = Scan::new(Machine::new(host, places, date(host.now())), &checks, &keepers, &interrupt);
    scan.wanted = Wanted {
        unhealthy: arguments.unhealthy,
        unused_since: arguments.older_than.map(|age| host.now().saturating_sub(age.as_secs())),
    };
    scan.needed = Mutex::new(needed(host, home.as_ref()));
    scan.stream = arguments.format == ScanFormat::Jsonl;
    let deadline = settings.asking.deadline();
    scan.execution = arguments.exec.then_some(Execution { deadline, roots: strangers });
    let measured = arguments.sizes || arguments.duplicates || arguments.sort == SortBy::Size;
    scan.ledger = measured.then(|| Ledger::new(arguments.duplicates));

    let rules = Rules { all: arguments.all, border: border(host, arguments) };
    let progress = Progress::default();
    let mut waste = None;
    watched(arguments, &progress, &scan, || {
        let found = |root: HostPath| scan.take(root);
        let stop = || scan.stop();
        let walk = Walk { files: host, rules: &rules, progress: &progress, stop: &stop, found: &found };
        walk.run(&starts, threads());
        listed.into_iter().take_while(|_| !scan.stop()).for_each(found);
        let ledger = scan.ledger.as_ref().filter(|ledger| ledger.compare);
        waste = ledger.map(|ledger| ledger.waste(host, &stop));
    });
    let (machine, ledger, found, members) = scan.into_members();
    let members = sorted(members, arguments.sort);
    let commands = match members.iter().any(|member| member.gone.is_some()) {
        true => machine.repair().commands.as_slice(),
        false => &[],
    };
    let fleet = Fleet {
        roots,
        groups: fleet::groups(&members, commands),
        members,
        found: found.all.load(Ordering::Relaxed),
        directories: progress.directories.load(Ordering::Relaxed),
        entries: progress.entries.load(Ordering::Relaxed),
        unreadable: progress.unreadable.load(Ordering::Relaxed),
        unread: progress.remembered(),
        complete: !interrupt.wanted(),
        now: host.now(),
        space: ledger.map(|ledger| ledger.total()),
        waste,
        // somebody who looks for what is unhealthy wants to mend it
        chosen: arguments.older_than.is_some(),
    };
    tell(host, arguments, &fleet, &machine, home.as_ref())?;
    Ok(status(&fleet, arguments))
}

/// Does the work while a person is told how far it is.
fn watched(arguments: &ScanArguments, progress: &Progress, scan: &Scan, work: impl FnOnce()) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let teller = (!arguments.output.quiet && !scan.stream)
            .then(|| scope.spawn(|| progress::tell(progress, &scan.found, &done)));
        let _end = End { done: &done, teller: teller.map(|teller| teller.thread().clone()) };
        work();
    });
}

/// Ends the telling, also when the work panics: its thread would be waited for without end.
struct End<'a> {
    done: &'a AtomicBool,
    teller: Option<Thread>,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(teller) = &self.teller {
            teller.unpark();
        }
    }
}

/// What the person who asks is using.
fn needed(host: &dyn Host, home: Option<&HostPath>) -> Needed {
    let real = |path: &HostPath| host.canonical(path).unwrap_or_else(|_| path.clone());
    let mut needed = Needed::default();
    let active = ["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().filter_map(|name| host.path_variable(name));
    active.for_each(|root| needed.note_active(&real(&root)));
    if let Some(home) = home {
        needed.note_home(&real(home));
    }
    needed
}

fn tell(
    host: &dyn Host,
    arguments: &ScanArguments,
    fleet: &Fleet,
    machine: &Machine,
    home: Option<&HostPath>,
) -> Result<(), Trouble> {
    let healthy = fleet.members.iter().all(|member| member.findings.is_empty());
    let shell = if healthy && !fleet.chosen { None } else { machine.repair().shell };
    let dialect = Dialect::new(shell, host.platform().system);
    let mut report = Vec::new();
    match arguments.format {
        ScanFormat::Human => {
            let terminal = Terminal::of(host, &arguments.output);
            let options = HumanOptions {
                width: terminal.width,
                color: terminal.color,
                unicode: terminal.unicode,
                verbose: arguments.output.verbose,
                quiet: arguments.output.quiet,
            };
            human::write(&mut report, fleet, &dialect, &options, home)?;
        }
        ScanFormat::Json => json::write(&mut report, fleet, &dialect)?,
        // told already, one by one
        ScanFormat::Jsonl => {}
    }
    deliver(&report)
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, |threads| threads.get().min(MOST_THREADS))
}

fn named(host: &dyn Host, roots: &[std::path::PathBuf]) -> Result<Vec<Start>, Trouble> {
    let mut starts = Vec::new();
    for root in roots {
        let directory = absolute(host, root)?;
        match host.metadata(&directory) {
            Ok(metadata) if metadata.kind == FileKind::Directory => {
                starts.push(Start { directory, levels: None });
            }
            Ok(_) => return Err(Trouble(format!("cannot scan {directory}: it is not a directory"))),
            Err(error) => return Err(Trouble(format!("cannot scan {directory}: {error}"))),
        }
    }
    Ok(known::real(host, starts))
}

fn border(host: &dyn Host, arguments: &ScanArguments) -> Border {
    match (arguments.cross_file_systems, host.mount_points()) {
        (true, _) => Border::None,
        (false, Some(mounts)) => Border::Mounts(mounts.into_iter().collect()),
        (false, None) => Border::Devices,
    }
}

fn sorted(mut members: Vec<Member>, by: SortBy) -> Vec<Member> {
    members.sort_by(|left, right| left.root.as_bytes().cmp(right.root.as_bytes()));
    match by {
        SortBy::Name => {}
        SortBy::Health => members.sort_by_key(|member| std::cmp::Reverse(member.worst())),
        SortBy::Size => {
            members.sort_by_key(|member| std::cmp::Reverse(member.cost.space.map(|space| space.total)));
        }
        SortBy::Age => members.sort_by_key(|member| member.cost.used.unwrap_or(u64::MAX)),
    }
    members
}

fn status(fleet: &Fleet, arguments: &ScanArguments) -> Status {
    if !fleet.complete {
        return Status::Interrupted;
    }
    if fleet.members.iter().any(|member| !member.failed.is_empty()) {
        return Status::Trouble;
    }
    by_worst(fleet.members.iter().filter_map(Member::worst).max(), arguments.fail_on)
}
