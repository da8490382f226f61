//! `venv-doctor scan [ROOT...]`.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::check::{absolute, by_worst};
use super::{Status, Terminal, Trouble, deliver, select};
use crate::cli::{ScanArguments, ScanFormat, SortBy};
use crate::collect::gather::date;
use crate::collect::places::Places;
use crate::collect::scan::facts::Machine;
use crate::collect::scan::keepers::Keepers;
use crate::collect::scan::walk::{Border, Progress, Rules, Start, Walk};
use crate::collect::scan::known;
use crate::diagnosis::fleet::{self, Member};
use crate::diagnosis::{Category, Check, Need, examine};
use crate::facts::environment::EnvironmentKind;
use crate::host::Host;
use crate::host::real::Interrupt;
use crate::path::HostPath;
use crate::report::fleet::{Fleet, human, json};
use crate::report::human::HumanOptions;
use crate::report::Dialect;

/// More threads than this only wait for the same disk.
const MOST_THREADS: usize = 8;

pub fn run(host: &dyn Host, arguments: &ScanArguments) -> Result<Status, Trouble> {
    let interrupt = Interrupt::watch();
    let (checks, _) = select::select(&arguments.select, &arguments.ignore)?;
    let checks: Vec<&'static Check> =
        checks.into_iter().filter(|check| is_about_one_environment(check)).collect();
    let home = host.home();
    let lookup = |name: &str| host.text_variable(name);
    let places = Places { system: host.platform().system, home: home.as_ref(), variable: &lookup };
    let keepers = Keepers::of(&places);
    let (starts, listed) = match arguments.roots.as_slice() {
        [] => (known::starts(host, &places, &keepers), known::listed(host, &places)),
        roots => (named(host, roots)?, Vec::new()),
    };
    let rules = Rules { all: arguments.all, border: border(host, arguments) };
    let scan = Scan {
        machine: Machine::new(host, places, date(host.now())),
        checks: &checks,
        keepers: &keepers,
        known: Mutex::default(),
        members: Mutex::default(),
    };
    let progress = Progress::default();
    let stop = || interrupt.wanted();
    let found = |root: HostPath| scan.take(root);
    let walk = Walk { files: host, rules: &rules, progress: &progress, stop: &stop, found: &found };
    walk.run(&starts, threads());
    listed.into_iter().take_while(|_| !stop()).for_each(found);
    let members = scan.members.into_inner().unwrap_or_else(PoisonError::into_inner);
    let fleet = fleet_of(host, arguments, &scan.machine, &starts, &progress, members, !interrupt.wanted());
    let dialect = Dialect::new(scan.machine.repair().shell, host.platform().system);
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
            human::write(&mut report, &fleet, &dialect, &options, home.as_ref())?;
        }
        ScanFormat::Json => json::write(&mut report, &fleet, &dialect)?,
        ScanFormat::Jsonl => {
            for member in &fleet.members {
                json::write_line(&mut report, member, &dialect)?;
            }
        }
    }
    deliver(&report)?;
    Ok(status(&fleet, arguments))
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, |threads| threads.get().min(MOST_THREADS))
}

fn named(host: &dyn Host, roots: &[std::path::PathBuf]) -> Result<Vec<Start>, Trouble> {
    let mut starts = Vec::new();
    for root in roots {
        let directory = absolute(host, root)?;
        match host.metadata(&directory) {
            Ok(metadata) if metadata.kind == crate::host::FileKind::Directory => {
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

/// Whether a check asks something of an environment that needs no shell, project or tool around it.
fn is_about_one_environment(check: &Check) -> bool {
    const OTHERS: [&str; 5] =
        ["hidden-pth", "unreadable-pth", "foreign-owned-files", "leftover-distribution", "stale-launcher"];
    let asks_more = [Need::ImportPath, Need::Sources, Need::Installers, Need::Tools, Need::Native];
    let category = matches!(check.category, Category::Interpreter | Category::Relocation | Category::Packages);
    (category || OTHERS.contains(&check.id)) && !check.needs.iter().any(|need| asks_more.contains(need))
}

/// What several threads work at.
struct Scan<'a> {
    machine: Machine<'a>,
    checks: &'a [&'static Check],
    keepers: &'a Keepers,
    known: Mutex<HashSet<HostPath>>,
    members: Mutex<Vec<Member>>,
}

impl Scan<'_> {
    /// Examines the environment at this real path, unless that was done.
    fn take(&self, root: HostPath) {
        if !self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(root.clone()) {
            return;
        }
        let member = self.examine(&root);
        if !matches!(member.kind, EnvironmentKind::Missing | EnvironmentKind::Other) {
            self.members.lock().unwrap_or_else(PoisonError::into_inner).push(member);
        }
    }

    fn examine(&self, root: &HostPath) -> Member {
        let host = self.machine.host;
        let mut facts = self.machine.facts(host, root);
        let mut diagnosis = examine::examine(&facts, self.checks, Vec::new());
        if diagnosis.findings.iter().any(|finding| !finding.remedies.is_empty()) {
            self.machine.complete(host, &mut facts);
            diagnosis = examine::examine(&facts, self.checks, Vec::new());
        }
        Member::new(&facts, self.keepers.keeper(root), diagnosis.findings, diagnosis.failed)
    }
}

fn fleet_of(
    host: &dyn Host,
    arguments: &ScanArguments,
    machine: &Machine,
    starts: &[Start],
    progress: &Progress,
    mut members: Vec<Member>,
    complete: bool,
) -> Fleet {
    use std::sync::atomic::Ordering;
    let now = host.now();
    let found = members.len();
    members.retain(|member| !arguments.unhealthy || member.is_unhealthy());
    if let Some(age) = arguments.older_than {
        let limit = now.saturating_sub(age.as_secs());
        members.retain(|member| member.cost.used.is_some_and(|used| used < limit));
    }
    members.sort_by(|left, right| left.root.as_bytes().cmp(right.root.as_bytes()));
    match arguments.sort {
        SortBy::Name => {}
        SortBy::Health => members.sort_by_key(|member| std::cmp::Reverse(member.worst())),
        SortBy::Size => {
            members.sort_by_key(|member| std::cmp::Reverse(member.cost.space.map(|space| space.total)));
        }
        SortBy::Age => members.sort_by_key(|member| member.cost.used.unwrap_or(u64::MAX)),
    }
    let commands = match members.iter().any(|member| member.gone.is_some()) {
        true => machine.repair().commands.as_slice(),
        false => &[],
    };
    Fleet {
        roots: starts.iter().map(|start| start.directory.clone()).collect(),
        groups: fleet::groups(&members, commands),
        members,
        found,
        directories: progress.directories.load(Ordering::Relaxed),
        entries: progress.entries.load(Ordering::Relaxed),
        unreadable: progress.unreadable.load(Ordering::Relaxed),
        unread: progress.remembered(),
        complete,
        now,
        space: None,
        waste: None,
        chosen: arguments.unhealthy || arguments.older_than.is_some(),
    }
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
