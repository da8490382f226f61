//! The environments that a walk finds, each examined once, by several threads.

use std::collections::HashSet;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::progress::Found;
use crate::collect::gather::trustworthy;
use crate::collect::probe::{Trust, ask};
use crate::collect::project::root::is_project;
use crate::collect::scan::cost::{self, Ledger};
use crate::collect::scan::facts::Machine;
use crate::collect::scan::keepers::Keepers;
use crate::collect::scan::remembered::Remembered;
use crate::diagnosis::fleet::{Member, Needed};
use crate::diagnosis::{Category, Check, Need, examine};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::fleet::{Keeper, holds_system};
use crate::facts::interpreter::Probe;
use crate::host::Host;
use crate::host::real::Interrupt;
use crate::parallel::lock;
use crate::path::HostPath;
use crate::report::Dialect;
use crate::report::fleet::json;

/// Whether a check asks something of an environment that needs no shell, project or tool around it.
pub fn is_about_one_environment(check: &Check) -> bool {
    const OTHERS: [&str; 5] =
        ["hidden-pth", "unreadable-pth", "foreign-owned-files", "leftover-distribution", "stale-launcher"];
    let asks_more = [Need::ImportPath, Need::Sources, Need::Installers, Need::Tools, Need::Native];
    let category =
        matches!(check.category, Category::Interpreter | Category::Relocation | Category::Packages);
    (category || OTHERS.contains(&check.id)) && !check.needs.iter().any(|need| asks_more.contains(need))
}

/// What interpreters may be started for.
pub struct Execution {
    pub deadline: Duration,
    /// The directories that were named: what lies there may be a stranger's.
    pub roots: Vec<HostPath>,
}

/// Which environments are told of.
pub struct Wanted {
    pub unhealthy: bool,
    /// Those that were last used before this time, in seconds since 1970.
    pub unused_since: Option<u64>,
}

impl Wanted {
    fn wants(&self, member: &Member) -> bool {
        (!self.unhealthy || member.is_unhealthy())
            && self.unused_since.is_none_or(|limit| member.cost.used.is_some_and(|used| used < limit))
    }
}

/// What several threads work at.
pub struct Scan<'a> {
    pub machine: Machine<'a>,
    pub checks: &'a [&'static Check],
    pub keepers: &'a Keepers,
    pub execution: Option<Execution>,
    /// Where what they take of the disk is to be measured.
    pub ledger: Option<Ledger>,
    pub wanted: Wanted,
    /// Whether each is told of as soon as it is examined.
    pub stream: bool,
    pub interrupt: &'a Interrupt,
    pub found: Found,
    /// What must not be offered for deletion.
    pub needed: Mutex<Needed>,
    known: Mutex<HashSet<HostPath>>,
    members: Mutex<Vec<Member>>,
    deaf: AtomicBool,
}

impl<'a> Scan<'a> {
    pub fn new(
        machine: Machine<'a>,
        checks: &'a [&'static Check],
        keepers: &'a Keepers,
        interrupt: &'a Interrupt,
    ) -> Scan<'a> {
        Scan {
            machine,
            checks,
            keepers,
            execution: None,
            ledger: None,
            wanted: Wanted { unhealthy: false, unused_since: None },
            stream: false,
            interrupt,
            found: Found::default(),
            needed: Mutex::default(),
            known: Mutex::default(),
            members: Mutex::default(),
            deaf: AtomicBool::new(false),
        }
    }

    /// Whether nobody wants to hear more.
    pub fn stop(&self) -> bool {
        self.interrupt.wanted() || self.deaf.load(Ordering::Relaxed)
    }

    /// Examines the environment at this real path, unless that was done.
    pub fn take(&self, root: HostPath) {
        if !lock(&self.known).insert(root.clone()) {
            return;
        }
        let mut member = self.examine(&root);
        if matches!(member.kind, EnvironmentKind::Missing | EnvironmentKind::Other) {
            return;
        }
        self.found.all.fetch_add(1, Ordering::Relaxed);
        if member.is_unhealthy() {
            self.found.unhealthy.fetch_add(1, Ordering::Relaxed);
        }
        if !self.wanted.wants(&member) {
            return;
        }
        // what a whole system takes says nothing of its Python
        if let Some(ledger) = self.ledger.as_ref().filter(|_| !holds_system(&root)) {
            member.cost.space = ledger.measure(self.machine.host, &root, &|| self.stop());
        }
        if self.stream {
            self.tell(&member);
            // what was told need not be kept but for the exit status
            member.findings.iter_mut().for_each(|finding| {
                finding.evidence = Vec::new();
                finding.remedies = Vec::new();
                finding.symptoms = Vec::new();
            });
        }
        lock(&self.members).push(member);
    }

    pub fn into_members(self) -> (Machine<'a>, Option<Ledger>, Found, Vec<Member>) {
        let mut members = self.members.into_inner().unwrap_or_else(PoisonError::into_inner);
        let needed = self.needed.into_inner().unwrap_or_else(PoisonError::into_inner);
        members.iter_mut().for_each(|member| member.needed = needed.why(&member.root));
        (self.machine, self.ledger, self.found, members)
    }

    fn tell(&self, member: &Member) {
        let shell = if member.findings.is_empty() { None } else { self.machine.repair().shell };
        let dialect = Dialect::new(shell, self.machine.host.platform().system);
        let mut line = Vec::new();
        let mut out = std::io::stdout().lock();
        let told = json::write_line(&mut line, member, &dialect)
            .and_then(|()| out.write_all(&line))
            .and_then(|()| out.flush());
        if told.is_err() {
            // the reader has had enough
            self.deaf.store(true, Ordering::Relaxed);
        }
    }

    fn examine(&self, root: &HostPath) -> Member {
        let host = &Remembered::new(self.machine.host, &self.machine.common, root);
        // asked first: examining leaves a trace where the files are another user's
        let cost = cost::times(host, root);
        let mut facts = self.machine.facts(host, root);
        let keeper = self.keepers.keeper(root);
        if let Some(execution) = &self.execution {
            self.ask(execution, &mut facts, keeper);
        }
        let mut diagnosis = examine::examine(&facts, self.checks, Vec::new());
        if diagnosis.findings.iter().any(|finding| !finding.remedies.is_empty()) {
            self.machine.complete(host, &mut facts);
            diagnosis = examine::examine(&facts, self.checks, Vec::new());
        }
        let mut member = Member::new(&facts, keeper, diagnosis.findings, diagnosis.failed);
        if let Some(environment) = facts.patient() {
            member.cost = cost::complete(host, environment, cost);
            self.note(host, &facts, environment);
        }
        member
    }

    /// Remembers what an environment needs, also of one that is used and therefore not shown.
    fn note(&self, host: &dyn Host, facts: &Facts, environment: &Environment) {
        let is_one = !matches!(environment.kind, EnvironmentKind::Missing | EnvironmentKind::Other);
        if is_one && self.wanted.unused_since.is_some() {
            let bases = bases(host, facts, environment);
            let is_project = is_project(host, &environment.root);
            let mut needed = lock(&self.needed);
            needed.note(&environment.root, &bases);
            if is_project {
                needed.note_project(&environment.root);
            }
        }
    }

    /// Starts the interpreter of an environment, by the rule for those that are merely found. What lies below a
    /// directory that was named may have come with it, but for what a tool of this machine keeps there.
    fn ask(&self, execution: &Execution, facts: &mut Facts, keeper: Option<Keeper>) {
        let host = self.machine.host;
        let Some(environment) = facts.patient() else { return };
        let Some(program) = facts.interpreter_of(environment).map(|interpreter| interpreter.path.clone())
        else {
            return;
        };
        let root = environment.root.clone();
        let mut strangers = vec![root.clone()];
        if keeper.is_none() {
            strangers.extend(root.parent());
        }
        let kept = host.canonical(&program).is_ok_and(|real| self.keepers.keeper(&real).is_some());
        if !kept {
            strangers.extend(execution.roots.iter().cloned());
        }
        let answer = match trustworthy(host, &program, &root, &strangers) {
            Ok(()) => ask(host, &program, Trust::Isolated, execution.deadline).answer(),
            Err(why) => Probe::NotRun { why },
        };
        if let Some(known) = facts.interpreters.iter_mut().find(|known| known.path.same_as(&program)) {
            known.probe = answer;
        }
    }
}

/// Where the Python of an environment comes from: as it is named, and where that leads.
fn bases(host: &dyn Host, facts: &Facts, environment: &Environment) -> Vec<HostPath> {
    let named = environment.home.as_ref().map(|home| &home.path);
    let program = facts.interpreter_of(environment).map(|interpreter| &interpreter.path);
    let real = [named, program].into_iter().flatten().filter_map(|path| host.canonical(path).ok());
    real.chain(named.cloned()).collect()
}
