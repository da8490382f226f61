//! What is installed for one environment: each directory of packages on its import path with its
//! distributions, read by several threads, each file once.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::facts::Gathered;
use crate::facts::distribution::*;
use crate::facts::environment::Environment;
use crate::host::{FileKind, Files, Host, Listing, OpenDirectory};
use crate::parallel;
use crate::parse::names::MetadataForm;
use crate::parse::pth;
use crate::path::HostPath;

mod added;
mod contents;
mod distribution;
mod hooks;
mod modules;
mod moved;
mod overlap;
mod reading;
mod recorded;
mod sites;
mod targets;

pub use added::take_report;
use reading::Reading;
pub use reading::Share;
pub(super) use recorded::is_code;
pub use sites::Variables;

/// So much of a `.pth` file is read; the longest ones known have a few KiB.
const PTH_LIMIT: usize = 256 * 1024;
/// So much of a RECORD is read; that of 45,000 files has 5 MiB.
const RECORD_LIMIT: usize = 8 << 20;
/// More threads than that wait for one another.
pub const MOST_THREADS: usize = 4;

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
    let survey = Survey::of(host, question);
    let read = survey.read(host, question, parallel::threads(MOST_THREADS));
    survey.packages(host, question, read)
}

/// What is installed for an environment, while it is read.
pub struct Survey {
    reading: Reading,
    /// Directories that are added and hold no distributions, and archives.
    bare: Vec<(HostPath, Option<Listing>)>,
    archives: Vec<HostPath>,
    path_changes: Vec<PathChange>,
}

impl Survey {
    /// Lists the directories; the distributions in them are still to be read.
    pub fn of(host: &dyn Host, question: Question) -> Survey {
        let own = sites::sites(host, question.environment, question.variables);
        let added::Sites { sites, bare, archives, .. } = added::Sites::of(host, own);
        let library = sites::standard_library(host, question.environment);
        let path_changes = hooks::path_changes(host, question.environment, &sites, library.as_ref());
        Survey { reading: Reading::of(sites), bare, archives, path_changes }
    }

    /// Reads, by so many threads, what no other thread has begun to read.
    pub fn read(&self, files: &dyn Files, question: Question, threads: usize) -> Share {
        self.reading.read(files, question, threads)
    }

    /// `read` is what all threads have read.
    pub fn packages(self, host: &dyn Host, question: Question, read: Share) -> Packages {
        let Survey { reading, bare, archives, path_changes } = self;
        let (mut sites, overlaps) = reading.finished(host, question.compare, read);
        let named = sites::archives(host, question.environment, question.variables);
        sites.extend(named.iter().filter_map(|entry| added::archive(host, entry, SiteKind::PythonPath)));
        sites.extend(archives.iter().filter_map(|entry| added::archive(host, entry, SiteKind::Added)));
        let added_modules = added_modules(host, &sites, &bare);
        Packages {
            environment: question.environment.root.clone(),
            sites,
            overlaps,
            added_modules,
            path_changes,
            lost_targets: Vec::new(),
            contents: Gathered::NotAsked,
        }
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

fn form(form: MetadataForm) -> DistributionForm {
    match form {
        MetadataForm::DistInfo => DistributionForm::DistInfo,
        MetadataForm::EggInfo => DistributionForm::EggInfo,
        MetadataForm::EggLink => DistributionForm::EggLink,
        MetadataForm::Egg => DistributionForm::Egg,
    }
}
