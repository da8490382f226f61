//! Reading directories of packages by several threads, a distribution at a time.

use std::collections::HashSet;

use super::{Question, Site, distribution, modules, overlap};
use crate::facts::distribution::*;
use crate::host::{FileKind, Files, Host};
use crate::parallel;
use crate::parse::names;

/// So many distributions of one directory are read, and no more.
const MOST_DISTRIBUTIONS: usize = 10_000;
/// So many tasks are worth more threads than one.
const WORTH_THREADS: usize = 16;

/// Directories of packages, while they are read.
pub struct Reading {
    sites: Vec<Site>,
    tasks: Vec<Task>,
    queue: parallel::Queue,
}

/// What one or more threads have read.
pub type Share = parallel::Share<Option<Outcome>>;

/// What came of reading one distribution, with the index of its site.
pub type Read = (usize, Box<distribution::Reading>);

impl Reading {
    pub fn of(sites: Vec<Site>) -> Reading {
        Reading { tasks: tasks(&sites), sites, queue: parallel::Queue::default() }
    }

    /// Reads, by so many threads, what no other thread has begun to read.
    pub fn read(&self, files: &dyn Files, question: Question, threads: usize) -> Share {
        let threads = if self.tasks.len() < WORTH_THREADS { 1 } else { threads };
        self.queue.shares(&self.tasks, threads, |spare, task| {
            do_task(files, self.sites.get(task.site)?, task, question, spare)
        })
    }

    /// The sites with what was found in them, and where that is compared with what is recorded, what two distributions
    /// both claim.
    pub fn finished(self, host: &dyn Host, compare: bool, share: Share) -> (Vec<SitePackages>, Vec<Overlap>) {
        let mut modules: Vec<(usize, Vec<TopLevel>)> = Vec::new();
        let mut read: Vec<Read> = Vec::new();
        for (index, outcome) in parallel::in_order(share) {
            let Some(task) = self.tasks.get(index) else { continue };
            match outcome {
                Some(Outcome::Modules(found)) => modules.push((task.site, found)),
                Some(Outcome::Read(reading)) => read.push((task.site, reading)),
                None => {}
            }
        }
        let overlaps = if compare { overlap::overlaps(host, &self.sites, &read) } else { Vec::new() };
        let mut sites: Vec<SitePackages> = self.sites.into_iter().map(|site| described(host, site)).collect();
        for (at, site) in sites.iter_mut().enumerate() {
            site.distributions.reserve_exact(read.iter().filter(|(site, _)| *site == at).count());
        }
        for (at, reading) in read {
            if let Some(site) = sites.get_mut(at) {
                site.distributions.push(reading.distribution);
            }
        }
        for (at, found) in modules {
            if let Some(site) = sites.get_mut(at) {
                site.modules = found;
            }
        }
        (sites, overlaps)
    }
}

/// What is to be found out of the site of this index.
struct Task {
    site: usize,
    /// The distribution of this name; without, what can be imported from the site.
    name: Option<names::InstalledName>,
}

/// In a directory that is added, what another has before it does not count: there an editable install's source keeps
/// metadata of its own.
fn tasks(sites: &[Site]) -> Vec<Task> {
    let mut tasks: Vec<Task> = Vec::new();
    tasks.extend((0..sites.len()).map(|site| Task { site, name: None }));
    for (index, site) in sites.iter().enumerate() {
        let entries = site.listing.iter().flat_map(|listing| &listing.entries);
        let found = entries
            .filter(|entry| !entry.name.starts_with(b"~"))
            .filter(|entry| entry.kind != FileKind::File || !entry.name.ends_with(b".dist-info"))
            .filter_map(|entry| names::parse_name(&entry.name))
            .take(MOST_DISTRIBUTIONS);
        let mut found: Vec<names::InstalledName> = found.collect();
        if site.kind == SiteKind::Added {
            let names = tasks.iter().filter_map(|task| task.name.as_ref());
            let known: HashSet<&str> = names.map(|name| name.normalized.as_str()).collect();
            found.retain(|name| !known.contains(name.normalized.as_str()));
        }
        tasks.extend(found.into_iter().map(|name| Task { site: index, name: Some(name) }));
    }
    tasks
}

/// What came of one task.
pub enum Outcome {
    Modules(Vec<TopLevel>),
    Read(Box<distribution::Reading>),
}

fn do_task(
    files: &dyn Files,
    site: &Site,
    task: &Task,
    question: Question,
    spare: &mut distribution::Spare,
) -> Option<Outcome> {
    if question.is_given_up() {
        return None;
    }
    let Some(name) = &task.name else {
        return Some(Outcome::Modules(modules::top_level(files, &site.open, site.listing.as_ref())));
    };
    let compare = question.compare && matches!(site.kind, SiteKind::Own | SiteKind::User);
    let question = Question { compare, ..question };
    Some(Outcome::Read(Box::new(distribution::read(files, site, name, question, spare))))
}

/// A site without what is in it.
fn described(host: &dyn Host, site: Site) -> SitePackages {
    let names = || site.listing.iter().flat_map(|listing| &listing.entries);
    SitePackages {
        readable: site.listing.is_some(),
        writable: host.can_write(&site.directory),
        owner: host.metadata(&site.directory).ok().map(|metadata| metadata.owner),
        leftovers: names()
            .filter(|entry| entry.name.starts_with(b"~"))
            .map(|entry| crate::path::readable(&entry.name).into_owned())
            .collect(),
        modules: Vec::new(),
        distributions: Vec::new(),
        pth_files: site.pth_files,
        kind: site.kind,
        directory: site.directory,
    }
}
