//! What is installed for one environment: each directory of packages on its import path with its
//! distributions, read by several threads, each file once.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::facts::Gathered;
use crate::facts::distribution::*;
use crate::facts::environment::Environment;
use crate::host::{FileKind, Files, Host, Listing, OpenDirectory};
use crate::parallel;
use crate::parse::names::{self, MetadataForm};
use crate::parse::pth;
use crate::path::HostPath;

mod added;
mod contents;
mod distribution;
mod hooks;
mod modules;
mod moved;
mod overlap;
mod recorded;
mod sites;
mod targets;

pub use added::take_report;
pub(super) use recorded::is_code;
pub use sites::Variables;

/// So much of a `.pth` file is read; the longest ones known have a few KiB.
const PTH_LIMIT: usize = 256 * 1024;
/// So much of a RECORD is read; that of 45,000 files has 5 MiB.
const RECORD_LIMIT: usize = 8 << 20;
/// So many distributions of one directory are read, and no more.
const MOST_DISTRIBUTIONS: usize = 10_000;
const THREADS: usize = 3;
/// So many tasks are worth more threads than one.
const WORTH_THREADS: usize = 16;

/// What is asked of an environment's packages.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub environment: &'a Environment,
    pub variables: &'a Variables,
    /// Whether recorded files are compared with those that are there.
    pub compare: bool,
    /// Set when the answer is not wanted any more: what is left is then not read.
    pub given_up: Option<&'a AtomicBool>,
    /// Whether the tags of wheels are read.
    pub tags: bool,
}

impl Question<'_> {
    fn is_given_up(&self) -> bool {
        self.given_up.is_some_and(|given_up| given_up.load(Ordering::Relaxed))
    }
}

/// One directory of packages while it is read.
struct Site {
    directory: HostPath,
    /// The same, open while it is read.
    open: OpenDirectory,
    kind: SiteKind,
    listing: Option<Listing>,
    pth_files: Vec<PthFile>,
}

/// Gathers what is installed for the environment, but for what [`complete`] and [`read_contents`] add.
pub fn packages(host: &dyn Host, question: Question) -> Packages {
    let own = sites::sites(host, question.environment, question.variables);
    let added::Sites { sites, bare, archives, .. } = added::Sites::of(host, own);
    let library = sites::standard_library(host, question.environment);
    let path_changes = hooks::path_changes(host, question.environment, &sites, library.as_ref());
    let done = read_all(host, &sites, question);
    let overlaps = if question.compare { overlap::overlaps(host, &sites, &done.read) } else { Vec::new() };
    let mut sites = finished(host, sites, done);
    let named = sites::archives(host, question.environment, question.variables);
    sites.extend(named.iter().filter_map(|entry| added::archive(host, entry, SiteKind::PythonPath)));
    sites.extend(archives.iter().filter_map(|entry| added::archive(host, entry, SiteKind::Added)));
    let added_modules = added_modules(host, &sites, &bare);
    let environment = question.environment.root.clone();
    Packages {
        environment,
        sites,
        overlaps,
        added_modules,
        path_changes,
        lost_targets: Vec::new(),
        contents: Gathered::NotAsked,
    }
}

/// Reads and hashes what the RECORDs name.
pub fn read_contents(files: &dyn Files, packages: &mut Packages, environment: &Environment) {
    packages.contents = Gathered::Known(contents::contents(files, environment, &packages.sites));
}

/// Adds what is told by the environment's scripts and the project, too: targets of scripts that are gone, and where the
/// lost sources of editable installs may be.
pub fn complete(
    files: &dyn Files,
    packages: &mut Packages,
    environment: &Environment,
    project: Option<&HostPath>,
) {
    packages.lost_targets = targets::lost(files, environment, &packages.sites);
    for distribution in packages.sites.iter_mut().flat_map(|site| &mut site.distributions) {
        moved::find(files, distribution, project);
    }
}

/// `with_pth`: as `site.addsitedir` does, which reads the `.pth` files there.
fn read_site(files: &dyn Files, directory: HostPath, kind: SiteKind, with_pth: bool) -> Site {
    let listing = files.list(&directory).ok();
    let names = listing.iter().flat_map(|listing| &listing.entries);
    let pth_files = names
        .filter(|entry| entry.name.ends_with(b".pth") && entry.kind != FileKind::Directory)
        .filter(|_| with_pth)
        .filter_map(|entry| pth_file(files, &directory, &entry.name))
        .collect();
    Site { open: files.open_directory(&directory), directory, kind, listing, pth_files }
}

fn pth_file(files: &dyn Files, directory: &HostPath, name: &[u8]) -> Option<PthFile> {
    let path = directory.join(name);
    let contents = files.read(&path, PTH_LIMIT).ok()?;
    let lines = pth::lines(&contents.bytes);
    let mut file = PthFile {
        hidden: name.starts_with(b".") || files.link_metadata(&path).is_ok_and(|metadata| metadata.hidden),
        decodable: lines.is_some(),
        paths: Vec::new(),
        imports: Vec::new(),
        path,
    };
    for (line, content) in lines.unwrap_or_default() {
        match content {
            pth::Line::Path(text) => {
                let path = directory.join(text).normalized();
                file.paths.push(PthLine { line, exists: files.exists(&path), path });
            }
            pth::Line::Import(text) => file.imports.push(PthImport { line, text: text.to_owned() }),
        }
    }
    Some(file)
}

fn added_modules(
    files: &dyn Files,
    sites: &[SitePackages],
    bare: &[(HostPath, Option<Listing>)],
) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (place, listing) in bare {
        let modules = modules::top_level(files, &files.open_directory(place), listing.as_ref());
        found.extend(modules.into_iter().map(|module| module.name));
    }
    let added = sites.iter().filter(|site| site.kind == SiteKind::Added);
    found.extend(added.flat_map(|site| &site.modules).map(|module| module.name.clone()));
    found.sort();
    found.dedup();
    found
}

/// What is to be found out of a site.
struct Task<'a> {
    site: &'a Site,
    index: usize,
    /// The distribution of this name; without, what can be imported from the site.
    name: Option<names::InstalledName>,
}

/// In a directory that is added, what another has before it does not count: there an editable install's source keeps
/// metadata of its own.
fn tasks(sites: &[Site]) -> Vec<Task<'_>> {
    let mut tasks: Vec<Task> = Vec::new();
    tasks.extend(sites.iter().enumerate().map(|(index, site)| Task { site, index, name: None }));
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
        tasks.extend(found.into_iter().map(|name| Task { site, index, name: Some(name) }));
    }
    tasks
}

/// What came of reading one distribution, with the index of its site.
type Read = (usize, Box<distribution::Reading>);

/// What came of the tasks: each with the index of its site.
#[derive(Default)]
struct Done {
    /// In the order of the tasks.
    read: Vec<Read>,
    modules: Vec<(usize, Vec<TopLevel>)>,
}

/// What came of one task.
enum Outcome {
    Modules(Vec<TopLevel>),
    Read(Box<distribution::Reading>),
}

fn do_task(
    files: &dyn Files,
    task: &Task,
    question: Question,
    spare: &mut distribution::Spare,
) -> Option<Outcome> {
    if question.is_given_up() {
        return None;
    }
    let site = task.site;
    let Some(name) = &task.name else {
        return Some(Outcome::Modules(modules::top_level(files, &site.open, site.listing.as_ref())));
    };
    let compare = question.compare && matches!(site.kind, SiteKind::Own | SiteKind::User);
    let question = Question { compare, ..question };
    Some(Outcome::Read(Box::new(distribution::read(files, site, name, question, spare))))
}

fn read_all(files: &dyn Files, sites: &[Site], question: Question) -> Done {
    let tasks = tasks(sites);
    let threads = if tasks.len() < WORTH_THREADS { 1 } else { THREADS };
    let outcomes = parallel::each(&tasks, threads, |spare, task| do_task(files, task, question, spare));
    let mut done = Done::default();
    for (task, outcome) in tasks.iter().zip(outcomes) {
        match outcome.flatten() {
            Some(Outcome::Modules(modules)) => done.modules.push((task.index, modules)),
            Some(Outcome::Read(reading)) => done.read.push((task.index, reading)),
            None => {}
        }
    }
    done
}

/// The sites with what was found in them.
fn finished(host: &dyn Host, sites: Vec<Site>, done: Done) -> Vec<SitePackages> {
    let mut finished: Vec<SitePackages> = sites.into_iter().map(|site| described(host, site)).collect();
    for (at, site) in finished.iter_mut().enumerate() {
        site.distributions.reserve_exact(done.read.iter().filter(|(site, _)| *site == at).count());
    }
    for (at, reading) in done.read {
        if let Some(site) = finished.get_mut(at) {
            site.distributions.push(reading.distribution);
        }
    }
    for (at, modules) in done.modules {
        if let Some(site) = finished.get_mut(at) {
            site.modules = modules;
        }
    }
    finished
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

fn form(form: MetadataForm) -> DistributionForm {
    match form {
        MetadataForm::DistInfo => DistributionForm::DistInfo,
        MetadataForm::EggInfo => DistributionForm::EggInfo,
        MetadataForm::EggLink => DistributionForm::EggLink,
        MetadataForm::Egg => DistributionForm::Egg,
    }
}
