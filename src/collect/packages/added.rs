//! What start-up code puts on the import path besides the directories of packages that an environment has by itself:
//! directories and archives of `site.addsitedir` and plain lines of `.pth` files, archives of `PYTHONPATH`, and
//! whatever the interpreter itself reports.

use std::collections::BTreeSet;

use super::reading::Reading;
use super::{Question, Site, distribution, read_site};
use crate::facts::distribution::{Packages, SiteKind, SitePackages, TopLevel, TopLevelKind};
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
pub struct Sites<'a> {
    host: &'a dyn Host,
    /// The real path of each directory that is taken already.
    taken: Vec<HostPath>,
    pub sites: Vec<Site>,
    /// Directories without metadata that plain lines add.
    pub bare: Vec<(HostPath, Option<Listing>)>,
    /// What plain lines add and is no directory.
    pub archives: Vec<HostPath>,
    added: usize,
}

impl<'a> Sites<'a> {
    pub fn of(host: &'a dyn Host, sites: Vec<(HostPath, SiteKind)>) -> Self {
        let taken = sites.iter().map(|(directory, _)| real(host, directory)).collect();
        let mut found =
            Sites { host, taken, sites: Vec::new(), bare: Vec::new(), archives: Vec::new(), added: 0 };
        for (directory, kind) in sites {
            let site = read_site(host, directory, kind, kind != SiteKind::PythonPath);
            found.follow(site, 0);
        }
        found
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
                self.archives.push(directory);
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
            let spelt = imports::added_directories(&line.text);
            let directories =
                spelt.iter().filter_map(|it| HostPath::new(site.directory.flavour(), it.as_bytes()));
            of_file.extend(directories.map(|directory| (line.line, directory.normalized(), true)));
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

/// The archive that an entry of the import path names, or a directory inside it, by the names that it holds
/// (`Lib/zipimport.py`; the metadata of an egg is named after its file). None where there is none.
pub fn archive(files: &dyn Files, entry: &HostPath, kind: SiteKind) -> Option<SitePackages> {
    let file = entry.ancestors().find(|path| files.exists(path)).filter(|path| files.is_file(path))?;
    let mut inside = entry.relative_to(&file).unwrap_or_default();
    if !inside.is_empty() {
        inside.push(b'/');
    }
    let names = imports::archive_names(files, &file)?;
    let below: Vec<&str> = names
        .iter()
        .filter_map(|name| std::str::from_utf8(name.strip_prefix(inside.as_slice())?).ok())
        .collect();
    let mut modules: Vec<TopLevel> = below.iter().filter_map(|name| module(entry, name)).collect();
    modules.sort_by(|left, right| left.name.cmp(&right.name));
    modules.dedup_by(|left, right| left.name == right.name);
    let tops: BTreeSet<&str> = below.iter().filter_map(|name| Some(name.split_once('/')?.0)).collect();
    let egg = tops.contains("EGG-INFO").then(|| names::parse_name(entry.file_name()?)).flatten();
    let egg = egg.map(|name| distribution::by_name(&name, entry.join("EGG-INFO")));
    let wheels = tops.iter().filter_map(|top| names::parse_name(top.as_bytes()));
    let wheels = wheels.map(|name| distribution::by_name(&name, entry.join(name.entry.as_bytes())));
    Some(SitePackages {
        directory: entry.clone(),
        kind,
        readable: true,
        writable: false,
        owner: None,
        distributions: egg.into_iter().chain(wheels).collect(),
        pth_files: Vec::new(),
        leftovers: Vec::new(),
        modules,
    })
}

/// The topmost module that a source or its bytecode belongs to.
fn module(entry: &HostPath, name: &str) -> Option<TopLevel> {
    let path = name.strip_suffix(".pyc").or_else(|| name.strip_suffix(".py"))?;
    let (top, kind) = match path.split_once('/') {
        Some((top, _)) => (top, TopLevelKind::Package),
        None if name.ends_with('c') => (path, TopLevelKind::Bytecode),
        None => (path, TopLevelKind::Source),
    };
    let is_name = !top.is_empty() && !top.contains(['.', '-']) && top != "__pycache__";
    let first = if kind == TopLevelKind::Package { top } else { name };
    is_name.then(|| TopLevel { name: top.to_owned(), path: entry.join(first), kind, barren: false })
}

/// Takes in what the interpreter reports beyond what its files tell, and puts the sites in the order of its report.
/// Start-up code has then done what it does, but for the finders that it may have installed.
pub fn take_report(host: &dyn Host, packages: &mut Packages, report: &ProbeReport, question: Question) {
    if report.isolated {
        return;
    }
    packages.path_changes.retain(|change| change.finder);
    let flavour = packages.environment.flavour();
    let reported: Vec<HostPath> =
        report.path.iter().filter_map(|entry| HostPath::new(flavour, entry.as_bytes())).collect();
    let mut taken: Vec<HostPath> = packages.sites.iter().map(|site| real(host, &site.directory)).collect();
    let lines = packages.sites.iter().flat_map(|site| &site.pth_files).flat_map(|file| &file.paths);
    taken.extend(lines.filter(|line| line.exists).map(|line| real(host, &line.path)));
    let (mut sites, mut archives) = (Vec::new(), Vec::new());
    for directory in &reported {
        let real = real(host, directory);
        if taken.contains(&real) || is_standard_library(host, directory) || sites.len() == MOST_ADDED {
            continue;
        }
        taken.push(real);
        if host.is_directory(directory) {
            sites.push(read_site(host, directory.normalized(), SiteKind::Added, false));
        } else {
            archives.extend(archive(host, directory, SiteKind::Added));
        }
    }
    let reading = Reading::of(sites);
    let read = reading.read(host, question, 1);
    packages.sites.extend(reading.finished(host, question.compare, read).0);
    packages.sites.extend(archives);
    if !packages.sites.iter().any(|site| site.kind == SiteKind::Added) {
        return;
    }
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

/// The library's directory, its compiled modules, or its archive, of which Python names one whether or not it is there.
fn is_standard_library(files: &dyn Files, directory: &HostPath) -> bool {
    directory.file_name().is_some_and(|name| {
        matches!(name, b"lib-dynload" | b"DLLs") || name.starts_with(b"python") && name.ends_with(b".zip")
    }) || files.exists(&directory.join("os.py"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::packages::{Variables, packages};
    use crate::facts::example;
    use crate::host::fake::FakeMachine;
    use crate::parse::zip;

    const SITE: &str = "/home/me/project/.venv/lib/python3.11/site-packages";

    fn distribution(machine: FakeMachine, directory: &str, name: &str) -> FakeMachine {
        machine
            .file(format!("{directory}/{name}-1.dist-info/METADATA"), format!("Name: {name}\nVersion: 1\n\n"))
            .file(format!("{directory}/{name}.py"), "")
    }

    fn installed(machine: &FakeMachine, python_path: Option<&str>, report: Option<&[&str]>) -> Packages {
        let environment = example::venv(example::VENV);
        let variables = Variables { python_path: python_path.map(str::to_owned), ..Variables::default() };
        let question = Question {
            environment: &environment,
            variables: &variables,
            compare: true,
            given_up: None,
            tags: false,
        };
        let mut packages = packages(machine, question);
        if let Some(path) = report {
            let path = path.iter().map(|entry| (*entry).to_owned()).collect();
            let report = ProbeReport { path, ..ProbeReport::default() };
            take_report(machine, &mut packages, &report, question);
        }
        packages
    }

    fn machine() -> FakeMachine {
        distribution(FakeMachine::linux(), SITE, "six")
    }

    #[test]
    fn directories_that_lines_of_pth_files_add_are_read() {
        let machine =
            machine().file(format!("{SITE}/deps.pth"), "import site; site.addsitedir('/opt/deps')\n");
        let machine =
            distribution(machine, "/opt/deps", "deps").file("/opt/deps/more.pth", "/opt/more\n/opt/bare\n");
        let machine = distribution(machine, "/opt/more", "more").file("/opt/bare/bare.py", "");
        // a plain line's directory is no site: its own `.pth` files do not count
        let machine = distribution(machine.file("/opt/more/no.pth", "/opt/no\n"), "/opt/no", "no");
        let packages = installed(&machine, None, None);
        let found: Vec<&str> = packages.distributions().map(|one| one.name.as_str()).collect();
        assert_eq!(found, ["six", "deps", "more"]);
        for module in ["deps", "more", "bare"] {
            assert!(packages.provides_module(module), "{module}");
        }
        assert!(!packages.provides_module("no"));
        assert_eq!(packages.own_distributions().count(), 1);
    }

    #[test]
    fn metadata_that_comes_later_on_the_path_does_not_count() {
        let machine = machine().file(format!("{SITE}/src.pth"), "/src\n");
        let machine = machine.file("/src/six.egg-info/PKG-INFO", "Name: six\nVersion: 0.1\n\n");
        let packages = installed(&machine, None, None);
        assert_eq!(packages.distributions().count(), 1);
        assert_eq!(packages.distribution("six").unwrap().version.as_deref(), Some("1"));
    }

    #[test]
    fn archives_are_read_by_their_names() {
        let names =
            ["EGG-INFO/PKG-INFO", "zmod.py", "zpkg/", "zpkg/__init__.pyc", "lib/inner.py", "a-b.py", "x.txt"];
        let machine = machine()
            .file(format!("{SITE}/z.pth"), "/opt/z_egg-1.0-py3.11.egg\n/opt/none.zip\n/opt/text\n")
            .file("/opt/z_egg-1.0-py3.11.egg", zip::archive(&names))
            .file("/opt/text", "no archive");
        let packages = installed(&machine, None, None);
        let archive = &packages.sites[1];
        let found: Vec<&str> = archive.modules.iter().map(|module| module.name.as_str()).collect();
        assert_eq!(found, ["lib", "zmod", "zpkg"]);
        assert_eq!(packages.distribution("z-egg").unwrap().version.as_deref(), Some("1.0"));
        assert!(packages.provides_module("zmod") && !packages.provides_module("inner"));
        assert_eq!(packages.sites.len(), 2);
        let within = installed(&machine, Some("/opt/z_egg-1.0-py3.11.egg/lib:/opt/text"), None);
        assert!(within.provides_module("inner"));
    }

    #[test]
    fn what_the_interpreter_reports_is_read_in_its_order() {
        let machine =
            machine().file(format!("{SITE}/sitecustomize.py"), "import sys\nsys.path.insert(0, make())\n");
        let machine = distribution(machine, "/opt/made", "made").file("/usr/lib/python3.11/os.py", "");
        assert_eq!(installed(&machine, None, None).path_changes.len(), 1);
        let report = [
            "/opt/made",
            "/usr/lib/python311.zip",
            "/usr/lib/python3.11",
            SITE,
            "__editable__.x",
            "/opt/gone",
        ];
        let packages = installed(&machine, None, Some(&report));
        let found: Vec<String> = packages.sites.iter().map(|site| site.directory.to_string()).collect();
        assert_eq!(found, ["/opt/made", SITE]);
        assert!(packages.provides_module("made") && packages.distribution("made").is_some());
        assert_eq!(packages.path_changes, []);
    }

    #[test]
    fn start_up_code_that_changes_the_path_is_told() {
        let hooks = |name: &str, text: &str| {
            installed(&machine().file(format!("{SITE}/{name}"), text), None, None).path_changes
        };
        assert_eq!(hooks("x.pth", "# why\nimport sys; sys.path.append(make())\n")[0].line, Some(2));
        assert_eq!(hooks("sitecustomize.py", "import site\nsite.addsitedir(make())\n")[0].line, None);
        assert!(hooks("sitecustomize.py", "import sys\nsys.meta_path.append(Finder())\n")[0].finder);
        let served = |pth: &str| {
            let loader = "class MesonpyMetaFinder:\n    def __init__(self, name):\n        pass\n\ndef init():\n    finder = MesonpyMetaFinder(\n        'num-lib',\n        {'numlib'},\n        '/home/me/lib/build/cp311',\n        ['/usr/bin/ninja'],\n    )\n    sys.meta_path.insert(0, finder)\n";
            let host = machine().file(format!("{SITE}/_loader.py"), loader);
            installed(
                &host.file(format!("{SITE}/{pth}"), "import sys, _loader; _loader.init()\n"),
                None,
                None,
            )
        };
        let editable = served("numlib-editable.pth");
        assert!(editable.path_changes[0].finder && editable.path_changes[0].serves == ["numlib"]);
        // it brings these modules and leaves all others as they are
        assert!(editable.provides_module("numlib") && !editable.provides_module("yaml"));
        assert_eq!(editable.open_change(), None);
        assert_eq!(served("tracer.pth").path_changes, []);
        // a venv has no user site
        assert_eq!(hooks("usercustomize.py", "import site\nsite.addsitedir(make())\n"), []);
        for (name, text) in [
            ("cov.pth", "import coverage; coverage.process_startup()\n"),
            ("_virtualenv.pth", "import _virtualenv\n"),
            ("__editable__.x-1.pth", "import __editable___x_1_finder; __editable___x_1_finder.install()\n"),
            ("easy-install.pth", "import sys; new=sys.path[sys.__plen:]; del sys.path[sys.__plen:]\n"),
            ("sitecustomize.py", "import coverage\ncoverage.process_startup()\n"),
        ] {
            assert_eq!(hooks(name, text), [], "{name}");
        }
        let distributors = machine()
            .file(format!("{SITE}/sitecustomize.py"), "import site\nsite.addsitedir(make())\n")
            .file("/usr/lib/python3.11/sitecustomize.py", "");
        assert_eq!(installed(&distributors, None, None).path_changes, []);
    }

    #[test]
    fn who_installed_is_told_by_the_hash_where_pip_and_uv_have_the_last_word() {
        let metadata = "Name: x\nVersion: 1\n\n";
        let record = "x.py,,\nx-1.dist-info/METADATA,,\nx-1.dist-info/entry_points.txt,,\nx-1.dist-info/INSTALLER,sha256=zuuue4knoyJ-UwPPXg8fezS7VCrXJQrAP7zeNuwvFQg,4\n";
        let host = [SITE, "/opt/conda"].into_iter().fold(machine(), |host, site| {
            host.file(format!("{site}/x-1.dist-info/METADATA"), metadata)
                .file(format!("{site}/x-1.dist-info/RECORD"), record)
                // as it stands there, and another than was recorded
                .file(format!("{site}/x-1.dist-info/INSTALLER"), "conda\n")
                .file(format!("{site}/x-1.dist-info/entry_points.txt"), "[console_scripts]\nx = x:main\n")
        });
        let packages = installed(&host, Some("/opt/conda"), None);
        let told: Vec<(SiteKind, Option<&str>, usize)> = packages
            .sites
            .iter()
            .flat_map(|site| site.distributions.iter().map(|one| (site.kind, one)))
            .filter(|(_, one)| one.name == "x")
            .map(|(kind, one)| (kind, one.installer.as_deref(), one.scripts.len()))
            .collect();
        assert_eq!(told, [(SiteKind::PythonPath, Some("conda"), 1), (SiteKind::Own, Some("pip"), 0)]);
    }

    #[test]
    fn what_is_given_up_is_not_read() {
        let environment = example::venv(example::VENV);
        let given_up = std::sync::atomic::AtomicBool::new(true);
        let question = Question {
            environment: &environment,
            variables: &Variables::default(),
            compare: true,
            given_up: Some(&given_up),
            tags: false,
        };
        assert_eq!(packages(&machine(), question).distributions().count(), 0);
    }
}
