//! What start-up code puts on the import path besides the directories of packages that an environment has by itself:
//! `site.addsitedir` and plain lines of `.pth` files, archives, and whatever the interpreter itself reports.

use super::{Question, Site, finished, read_all, read_site, tasks};
use crate::facts::distribution::{Distribution, Packages, SiteKind, SitePackages};
use crate::facts::interpreter::ProbeReport;
use crate::host::{Files, Host, Listing};
use crate::imports;
use crate::parse::names::{self, MetadataForm};
use crate::path::HostPath;

/// So many directories are added to those that an environment has by itself.
const MOST_ADDED: usize = 200;
/// An added directory may add others in turn (Homebrew's do); nobody nests them deeper.
const MOST_NESTED: usize = 16;

/// The sites and what is added to them, in the order of the import path.
pub struct Reading<'a> {
    host: &'a dyn Host,
    /// The real path of each directory that is taken already.
    taken: Vec<HostPath>,
    pub sites: Vec<Site>,
    /// Directories without metadata that plain lines add, and archives, which have no listing.
    pub bare: Vec<(HostPath, Option<Listing>)>,
    added: usize,
}

impl<'a> Reading<'a> {
    pub fn of(host: &'a dyn Host, sites: Vec<(HostPath, SiteKind)>) -> Self {
        let taken = sites.iter().map(|(directory, _)| real(host, directory)).collect();
        let mut reading = Reading { host, taken, sites: Vec::new(), bare: Vec::new(), added: 0 };
        for (directory, kind) in sites {
            let site = read_site(host, directory, kind, kind != SiteKind::PythonPath);
            reading.follow(site, 0);
        }
        reading
    }

    fn follow(&mut self, site: Site, depth: usize) {
        let lines: Vec<(HostPath, bool)> = lines(&site);
        self.sites.push(site);
        for (directory, is_site) in lines {
            if self.added == MOST_ADDED || depth == MOST_NESTED {
                return;
            }
            let real = real(self.host, &directory);
            if self.taken.contains(&real) {
                continue;
            }
            self.taken.push(real);
            self.added += 1;
            if !self.host.is_directory(&directory) {
                self.bare.push((directory, None));
                continue;
            }
            let added = read_site(self.host, directory, SiteKind::Added, is_site);
            if is_site || holds_metadata(&added) {
                self.follow(added, depth + 1);
            } else {
                self.bare.push((added.directory, added.listing));
            }
        }
    }
}

fn real(files: &dyn Files, directory: &HostPath) -> HostPath {
    files.canonical(directory).unwrap_or_else(|_| directory.clone())
}

/// What the site's `.pth` files add, and whether the `.pth` files there count in turn.
fn lines(site: &Site) -> Vec<(HostPath, bool)> {
    let mut found = Vec::new();
    for file in &site.pth_files {
        let mut of_file: Vec<(usize, HostPath, bool)> = Vec::new();
        for line in file.paths.iter().filter(|line| line.exists) {
            of_file.push((line.line, line.path.clone(), false));
        }
        for line in &file.imports {
            let spelt = imports::added_directory(&line.text);
            let directory = spelt.and_then(|it| HostPath::new(site.directory.flavour(), it.as_bytes()));
            of_file.extend(directory.map(|directory| (line.line, directory.normalized(), true)));
        }
        of_file.sort_by_key(|(line, _, _)| *line);
        found.extend(of_file.into_iter().map(|(_, directory, is_site)| (directory, is_site)));
    }
    found
}

fn holds_metadata(site: &Site) -> bool {
    let entries = site.listing.iter().flat_map(|listing| &listing.entries);
    entries
        .filter_map(|entry| names::parse_name(&entry.name))
        .any(|name| matches!(name.form, MetadataForm::DistInfo | MetadataForm::EggInfo))
}

/// Topmost names that can be imported from the archive that an entry of the import path names, or from a directory
/// inside it (`Lib/zipimport.py`).
pub fn archive_modules(files: &dyn Files, entry: &HostPath) -> Vec<String> {
    let Some(archive) = entry.ancestors().find(|path| files.exists(path)) else { return Vec::new() };
    if !files.is_file(&archive) {
        return Vec::new();
    }
    let mut inside = entry.relative_to(&archive).unwrap_or_default();
    if !inside.is_empty() {
        inside.push(b'/');
    }
    let names = imports::archive_names(files, &archive).unwrap_or_default();
    let mut found: Vec<String> = names
        .iter()
        .filter_map(|name| {
            let below = std::str::from_utf8(name.strip_prefix(inside.as_slice())?).ok()?;
            let path = below.strip_suffix(".pyc").or_else(|| below.strip_suffix(".py"))?;
            let top = path.split('/').next()?;
            (!top.contains(['.', '-']) && top != "__pycache__").then(|| top.to_owned())
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Takes in what the interpreter reports beyond what its files tell, and puts the sites in the order of its report.
/// Start-up code has then done what it does, but for the finders that it may have installed.
pub fn take_report(host: &dyn Host, packages: &mut Packages, report: &ProbeReport, question: Question) {
    if report.isolated {
        return;
    }
    packages.path_hooks.retain(|hook| hook.finder);
    let flavour = packages.environment.flavour();
    let reported: Vec<HostPath> =
        report.path.iter().filter_map(|entry| HostPath::new(flavour, entry.as_bytes())).collect();
    let mut taken: Vec<HostPath> = packages.sites.iter().map(|site| real(host, &site.directory)).collect();
    let lines = packages.sites.iter().flat_map(|site| &site.pth_files).flat_map(|file| &file.paths);
    taken.extend(lines.filter(|line| line.exists).map(|line| real(host, &line.path)));
    let mut sites = Vec::new();
    for directory in &reported {
        let real = real(host, directory);
        if taken.contains(&real) || is_standard_library(host, directory) || sites.len() == MOST_ADDED {
            continue;
        }
        taken.push(real);
        if host.is_directory(directory) {
            sites.push(read_site(host, directory.normalized(), SiteKind::Added, false));
        } else {
            packages.added_modules.extend(archive_modules(host, directory));
        }
    }
    if sites.is_empty() {
        return;
    }
    packages.sites.extend(with_distributions(host, sites, question));
    let place = |site: &SitePackages| reported.iter().position(|entry| entry.same_as(&site.directory));
    // those that are not reported, by another spelling perhaps, stay behind the one before them
    let mut last = 0;
    let mut ordered: Vec<(usize, SitePackages)> = Vec::new();
    for site in std::mem::take(&mut packages.sites) {
        last = place(&site).unwrap_or(last);
        ordered.push((last, site));
    }
    ordered.sort_by_key(|(place, _)| *place);
    packages.sites = ordered.into_iter().map(|(_, site)| site).collect();
}

fn with_distributions(host: &dyn Host, sites: Vec<Site>, question: Question) -> Vec<SitePackages> {
    let mut found: Vec<Vec<Distribution>> = sites.iter().map(|_| Vec::new()).collect();
    for (site, reading) in read_all(host, &sites, &tasks(&sites), question) {
        if let Some(distributions) = found.get_mut(site) {
            distributions.push(reading.distribution);
        }
    }
    sites.into_iter().zip(found).map(|(site, distributions)| finished(host, site, distributions)).collect()
}

/// The library's directory, its compiled modules, or its archive, of which Python names one whether or not it is there.
fn is_standard_library(files: &dyn Files, directory: &HostPath) -> bool {
    directory.file_name().is_some_and(|name| {
        matches!(name, b"lib-dynload" | b"DLLs") || name.starts_with(b"python") && name.ends_with(b".zip")
    }) || files.exists(&directory.join("os.py"))
}
