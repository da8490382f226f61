//! One installed distribution, by the files of its metadata.

use super::recorded::{self, OwnNames, Recorded};
use super::{Question, Site, form};
use crate::collect::inventory;
use crate::facts::Gathered;
use crate::facts::distribution::*;
use crate::host::{Contents, FileError, FileKind, Files, Listing};
use crate::parse::names::{InstalledName, normalize_name};
use crate::parse::{editable_finder, entry_points, metadata};
use crate::path::{HostPath, readable};

/// Headers seldom need more; where they do, [`HEADER_LIMIT`] is read.
const FIRST_READ: usize = 4 * 1024;
const HEADER_LIMIT: usize = 1 << 20;
const SMALL_LIMIT: usize = 64 * 1024;
const FINDER_LIMIT: usize = 1 << 20;

/// Bytes to read into, used again for each distribution.
#[derive(Default)]
pub struct Spare {
    record: recorded::Spare,
    headers: Vec<u8>,
}

/// A distribution, and the first names of its modules' paths in its directory of packages.
pub struct Reading {
    pub distribution: Distribution,
    pub roots: Vec<Vec<u8>>,
}

/// What the name of its metadata, at this path, tells alone.
pub fn by_name(name: &InstalledName, metadata: HostPath) -> Distribution {
    Distribution {
        name: name.name.clone(),
        normalized: name.normalized.clone(),
        version: name.version.clone(),
        form: form(name.form),
        metadata,
        has_metadata: false,
        readable: true,
        has_record: false,
        requires: Vec::new(),
        requires_python: None,
        installer: None,
        requested: false,
        editable: None,
        sources: Vec::new(),
        elsewhere: false,
        moved_to: Vec::new(),
        direct_url: None,
        tags: Vec::new(),
        compiled: Vec::new(),
        modules: Vec::new(),
        scripts: Vec::new(),
        record: Gathered::NotAsked,
    }
}

pub fn read(
    files: &dyn Files,
    site: &Site,
    name: &InstalledName,
    question: Question,
    spare: &mut Spare,
) -> Reading {
    let mut distribution = by_name(name, site.directory.join(name.entry.as_bytes()));
    let mut roots = Vec::new();
    match distribution.form {
        DistributionForm::DistInfo => roots = dist_info(files, site, &mut distribution, question, spare),
        DistributionForm::EggInfo => {
            let metadata = distribution.metadata.clone();
            egg_info(files, &metadata, &mut distribution);
        }
        DistributionForm::Egg => {
            let metadata = distribution.metadata.join("EGG-INFO");
            egg_info(files, &metadata, &mut distribution);
        }
        DistributionForm::EggLink => egg_link(files, &mut distribution),
    }
    Reading { distribution, roots }
}

/// What lies in a directory of metadata.
enum OwnFiles {
    /// By its RECORD, which names those of the directory, too: no look at the directory is needed.
    Recorded(OwnNames),
    Listed(Listing),
}

impl OwnFiles {
    /// None: the directory cannot be listed. A RECORD that was not read whole does not name all.
    fn of(files: &dyn Files, directory: &HostPath, recorded: &Recorded) -> Option<OwnFiles> {
        if recorded.whole && recorded.own.has("METADATA") {
            return Some(OwnFiles::Recorded(recorded.own));
        }
        files.list(directory).ok().map(OwnFiles::Listed)
    }

    /// Whether it is worth a try to read a file of that name.
    fn has(&self, name: &str) -> bool {
        match self {
            // what is written when the distribution is installed already is not always recorded
            OwnFiles::Recorded(_) if matches!(name, "INSTALLER" | "direct_url.json") => true,
            OwnFiles::Recorded(names) => names.has(name),
            OwnFiles::Listed(listing) => listing
                .entries
                .binary_search_by(|entry| entry.name.as_slice().cmp(name.as_bytes()))
                .ok()
                .and_then(|index| listing.entries.get(index))
                .is_some_and(|entry| entry.kind != FileKind::Directory),
        }
    }
}

/// Returns the first names of the modules in its RECORD.
fn dist_info(
    files: &dyn Files,
    site: &Site,
    distribution: &mut Distribution,
    Question { environment, compare, tags, .. }: Question,
    spare: &mut Spare,
) -> Vec<Vec<u8>> {
    let directory = distribution.metadata.clone();
    let name = directory.file_name().unwrap_or_default();
    let below = |file: &str, limit: usize, spare: Vec<u8>| {
        files.read_below(site.open.below(&[name, b"/", file.as_bytes()].concat(), limit), spare)
    };
    let found = recorded::read(files, site, name, compare, &mut spare.record);
    let has_rows = found.is_ok();
    let recorded = found.unwrap_or_default();
    let Some(own) = OwnFiles::of(files, &directory, &recorded) else {
        distribution.readable = false;
        return Vec::new();
    };
    let read = |name: &str, limit: usize| {
        if own.has(name) { below(name, limit, Vec::new()).ok() } else { None }
    };
    let read_headers = |limit: usize, spare: Vec<u8>| below("METADATA", limit, spare);
    spare.headers = headers(&read_headers, std::mem::take(&mut spare.headers), distribution);
    distribution.requested = own.has("REQUESTED");
    // who builds packages for conda or a distribution has pip install them first, and says who he is without recording
    // it
    let own_site = environment.is_venv() && site.kind == SiteKind::Own;
    let by_hash = recorded.installer.filter(|_| own_site && recorded.whole);
    distribution.installer = by_hash
        .map(str::to_owned)
        .or_else(|| read("INSTALLER", 4096).map(|contents| contents.text().trim().to_owned()))
        .filter(|installer| !installer.is_empty());
    if tags
        && !recorded.compiled.is_empty()
        && let Some(contents) = read("WHEEL", SMALL_LIMIT)
    {
        distribution.tags = metadata::values(&contents.bytes, "Tag");
    }
    // what pip and uv installed has its scripts in its RECORD
    if by_hash.is_none()
        && let Some(contents) = read("entry_points.txt", SMALL_LIMIT * 4)
    {
        distribution.scripts = entry_points::scripts(&contents.text());
    }
    // and this, if it has one
    let direct_url = match by_hash {
        Some(_) if !recorded.own.has("direct_url.json") => None,
        _ => read("direct_url.json", SMALL_LIMIT),
    };
    if let Some(origin) = direct_url.and_then(|contents| inventory::origin(&contents.bytes)) {
        distribution.direct_url = origin.url;
        distribution.editable =
            origin.editable.and_then(|path| HostPath::new(directory.flavour(), local_path(path, &directory)));
    }
    distribution.has_record = has_rows || own.has("RECORD");
    let Recorded { record, modules, scripts, pth_files, finders, roots, compiled, .. } = recorded;
    distribution.compiled = compiled;
    for script in scripts {
        if !distribution.scripts.contains(&script) {
            distribution.scripts.push(script);
        }
    }
    distribution.record = match (compare, has_rows, distribution.has_record) {
        (_, false, true) => Gathered::Unknown { why: "RECORD cannot be read".to_owned() },
        (_, false, false) => Gathered::Unknown { why: "there is no RECORD".to_owned() },
        (false, ..) => Gathered::NotAsked,
        (true, ..) => Gathered::Known(record),
    };
    distribution.modules = modules;
    sources(files, site, distribution, &pth_files, &finders);
    if distribution.modules.is_empty()
        && let Some(contents) = read("top_level.txt", SMALL_LIMIT)
    {
        distribution.modules = names(&contents.text());
    }
    roots
}

/// `file:///C:/x` leaves `/C:/x`.
fn local_path(path: String, beside: &HostPath) -> String {
    match path.strip_prefix('/') {
        Some(rest) if HostPath::new(beside.flavour(), path.as_str()).is_none() => rest.to_owned(),
        Some(rest) if rest.as_bytes().get(1) == Some(&b':') => rest.to_owned(),
        _ => path,
    }
}

/// `read` is given how many bytes are wanted, and those to read into, which are returned.
fn headers(
    read: &dyn Fn(usize, Vec<u8>) -> Result<Contents, FileError>,
    spare: Vec<u8>,
    distribution: &mut Distribution,
) -> Vec<u8> {
    let mut contents = match read(FIRST_READ, spare) {
        Ok(contents) => contents,
        Err(error) => {
            distribution.readable = !matches!(error, FileError::Denied | FileError::Other(_));
            return Vec::new();
        }
    };
    let mut headers = metadata::parse(&contents.bytes, !contents.truncated());
    if !headers.complete
        && let Ok(more) = read(HEADER_LIMIT, std::mem::take(&mut contents.bytes))
    {
        contents = more;
        headers = metadata::parse(&contents.bytes, !contents.truncated());
    }
    // an empty file, or one of NUL bytes, says nothing
    distribution.has_metadata = headers.name.is_some();
    if let Some(name) = headers.name.filter(|name| !name.is_empty()) {
        distribution.normalized = normalize_name(&name);
        distribution.name = name;
    }
    distribution.version = headers.version.or_else(|| distribution.version.take());
    distribution.requires = headers.requires;
    distribution.requires_python = headers.requires_python.filter(|text| !text.is_empty());
    contents.bytes
}

/// An `.egg-info`, which may be a file (distutils) or a directory, or an egg's `EGG-INFO`.
fn egg_info(files: &dyn Files, path: &HostPath, distribution: &mut Distribution) {
    if files.is_file(path) {
        headers(&|limit, _| files.read(path, limit), Vec::new(), distribution);
        return;
    }
    let own = path.join("PKG-INFO");
    headers(&|limit, _| files.read(&own, limit), Vec::new(), distribution);
    let text = |name: &str| {
        files.read(&path.join(name), SMALL_LIMIT * 4).ok().map(|contents| contents.text().into_owned())
    };
    if distribution.requires.is_empty()
        && let Some(text) = text("requires.txt")
    {
        distribution.requires = metadata::egg_requires(&text);
    }
    distribution.modules = text("top_level.txt").map(|text| names(&text)).unwrap_or_default();
    distribution.scripts =
        text("entry_points.txt").map(|text| entry_points::scripts(&text)).unwrap_or_default();
}

/// `setup.py develop`: the first line names the directory that holds modules and `.egg-info`.
fn egg_link(files: &dyn Files, distribution: &mut Distribution) {
    let link = distribution.metadata.clone();
    let Ok(contents) = files.read(&link, SMALL_LIMIT) else { return };
    let text = contents.text();
    let Some(first) = text.lines().next().map(str::trim).filter(|line| !line.is_empty()) else { return };
    let Some(source) = HostPath::new(link.flavour(), first) else { return };
    let listing = files.list(&source);
    distribution.sources.push(EditableSource {
        named_in: link,
        line: Some(1),
        module: None,
        exists: listing.is_ok(),
        path: source.clone(),
    });
    distribution.editable = Some(source.clone());
    let entries = listing.map(|listing| listing.entries).unwrap_or_default();
    let own = entries.iter().find(|entry| {
        let name = readable(&entry.name);
        name.strip_suffix(".egg-info").is_some_and(|stem| normalize_name(stem) == distribution.normalized)
    });
    if let Some(own) = own {
        egg_info(files, &source.join(&own.name), distribution);
    }
}

/// The lines of a `top_level.txt`.
fn names(text: &str) -> Vec<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.contains('/'))
        .map(str::to_owned)
        .collect()
}

/// Where an editable install takes its modules from: the `.pth` files and finders that its RECORD names.
fn sources(
    files: &dyn Files,
    site: &Site,
    distribution: &mut Distribution,
    pth_files: &[String],
    finders: &[String],
) {
    let own_pth = |file: &&PthFile| pth_files.iter().any(|name| *name == file.path.name());
    for file in site.pth_files.iter().filter(own_pth) {
        for line in &file.paths {
            let outside = !line.path.is_within(&site.directory);
            if outside && (distribution.editable.is_some() || file.path.name().contains("__editable__")) {
                distribution.sources.push(EditableSource {
                    named_in: file.path.clone(),
                    line: Some(line.line),
                    module: None,
                    path: line.path.clone(),
                    exists: line.exists,
                });
            }
        }
    }
    for name in finders {
        let path = site.directory.join(name);
        let Ok(contents) = files.read(&path, FINDER_LIMIT) else { continue };
        let finder = editable_finder::parse(&contents.text());
        let namespaces = finder
            .namespaces
            .into_iter()
            .flat_map(|(module, paths)| paths.into_iter().map(move |path| (module.clone(), path)));
        for (module, place) in finder.mapping.into_iter().chain(namespaces) {
            let Some(place) = HostPath::new(path.flavour(), place) else { continue };
            distribution.sources.push(EditableSource {
                named_in: path.clone(),
                line: None,
                exists: module_exists(files, &place),
                module: Some(module),
                path: place,
            });
        }
    }
    let mapped = distribution.sources.iter().filter_map(|source| source.module.as_ref());
    for module in mapped.map(|module| module.split('.').next().unwrap_or(module).to_owned()) {
        if !distribution.modules.contains(&module) {
            distribution.modules.push(module);
        }
    }
    if distribution.sources.is_empty()
        && let Some(source) = &distribution.editable
    {
        distribution.sources.push(EditableSource {
            named_in: distribution.metadata.join("direct_url.json"),
            line: None,
            module: None,
            exists: files.exists(source),
            path: source.clone(),
        });
    }
}

/// A package's directory, or a module's path without its suffix.
fn module_exists(files: &dyn Files, place: &HostPath) -> bool {
    if files.exists(place) {
        return true;
    }
    let (Some(parent), Some(name)) = (place.parent(), place.file_name()) else { return false };
    files.list(&parent).is_ok_and(|listing| {
        let is_it = |entry: &[u8]| entry.strip_prefix(name).is_some_and(|rest| rest.starts_with(b"."));
        listing.entries.iter().any(|entry| is_it(&entry.name))
    })
}
