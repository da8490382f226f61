//! What a RECORD says of what a distribution brings.

use self::missing::{Directories, count_missing};
use super::modules::by_suffix;
use super::{RECORD_LIMIT, Site};
use crate::facts::distribution::Record;
use crate::host::{FileError, Files};
use crate::parse::record::{self, Entry};
use crate::path::readable;

mod missing;

/// Where bytecode lies.
const CACHE: &[u8] = b"__pycache__";

#[derive(Debug, Default)]
pub struct Recorded {
    pub record: Record,
    /// Top-level modules.
    pub modules: Vec<String>,
    /// Names of files in `bin` or `Scripts`, and of `.pth` files and setuptools' finders in the site.
    pub scripts: Vec<String>,
    pub pth_files: Vec<String>,
    pub finders: Vec<String>,
    /// First names of the paths of modules: what may be shared with another distribution.
    pub roots: Vec<Vec<u8>>,
    /// Extension modules and libraries.
    pub compiled: Vec<String>,
    pub own: OwnNames,
    /// What its INSTALLER said when it was recorded, where the hash tells.
    pub installer: Option<&'static str>,
    /// Whether all of it was read.
    pub whole: bool,
}

/// Reads the RECORD of the distribution whose metadata lies in the directory `own` of the site.
///
/// # Errors
/// Where it cannot be read.
pub fn read(
    files: &dyn Files,
    site: &Site,
    own: &[u8],
    compare: bool,
    spare: &mut Spare,
) -> Result<Recorded, FileError> {
    let path = [own, b"/RECORD"].concat();
    let Spare { bytes, directories, in_site } = spare;
    directories.clear();
    in_site.clear();
    let mut reading =
        Reading { own, compare, recorded: Recorded::default(), here: Here::default(), directories, in_site };
    reading.here.enter(b"", own);
    let below = site.open.below(&path, RECORD_LIMIT);
    let mut begun = false;
    let told = files.tell_below(below, bytes, &mut |piece, last| {
        let unread = if begun { piece } else { record::without_mark(piece) };
        let mut rows = record::rows(unread, last);
        rows.by_ref().for_each(|entry| reading.row(&entry));
        if rows.rest().len() == unread.len() {
            return 0;
        }
        begun = true;
        piece.len() - rows.rest().len()
    })?;
    let mut recorded = reading.recorded;
    recorded.whole = told.size <= RECORD_LIMIT as u64;
    if compare {
        let mut seen = Directories::new(site, (told.modified.0 > 0).then_some(told.modified));
        // data and tests are looked for only where modules may be gone: nobody misses a translation at import
        if (seen.look(files, directories) || in_site.iter().any(|name| !seen.has_in_site(name)))
            && let Ok(contents) = files.read_below(below, std::mem::take(bytes))
        {
            count_missing(files, &mut seen, own, &contents.bytes, &mut recorded.record);
            *bytes = contents.bytes;
        }
    }
    Ok(recorded)
}

/// Memory for reading, used again for each RECORD.
#[derive(Debug, Default)]
pub struct Spare {
    bytes: Vec<u8>,
    directories: Names,
    in_site: Names,
}

/// Paths one after the other.
#[derive(Debug, Default)]
struct Names {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Names {
    fn push(&mut self, name: &[u8]) {
        self.bytes.extend_from_slice(name);
        self.ends.push(self.bytes.len());
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).filter_map(|(start, end)| self.bytes.get(start..*end))
    }

    /// Each once, in order.
    fn sorted(&self) -> Vec<&[u8]> {
        let mut names: Vec<&[u8]> = self.iter().collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// A RECORD while its rows are told.
struct Reading<'a> {
    own: &'a [u8],
    compare: bool,
    recorded: Recorded,
    here: Here,
    /// Those that hold modules, some more than once.
    directories: &'a mut Names,
    /// Modules that lie in the directory of packages itself.
    in_site: &'a mut Names,
}

impl Reading<'_> {
    fn row(&mut self, entry: &Entry) {
        let Reading { own, compare, recorded, here, directories, in_site } = self;
        recorded.record.files += 1;
        let path = entry.path.as_ref();
        // half of all rows where pip has compiled what it installed
        if is_bytecode(path) {
            return;
        }
        let (directory, name) = split(path);
        if here.directory != directory {
            here.enter(directory, own);
        }
        if here.is_own {
            if here.directory.len() == own.len() {
                recorded.own.note(name);
                if name == b"INSTALLER" {
                    recorded.installer = installer(&entry.hash());
                }
            }
            return;
        }
        if here.is_cache || name.is_empty() || path.starts_with(b"/") {
            return;
        }
        here.is_named = here.is_named || note_name(recorded, path);
        if here.is_outside || !is_code(name) {
            return;
        }
        if !name.ends_with(b".py") {
            recorded.compiled.push(readable(path).into_owned());
        }
        if here.is_aside || name == b"conftest.py" {
            return;
        }
        recorded.record.modules += 1;
        if here.directory.is_empty() || !here.has_modules {
            here.has_modules = true;
            note_root(&mut recorded.roots, path);
            match (*compare, here.directory.is_empty()) {
                (false, _) => {}
                (true, true) => in_site.push(name),
                (true, false) => directories.push(&here.directory),
            }
        }
    }
}

/// Who wrote an INSTALLER of this recorded hash: "pip\n" and "uv" are the contents of nearly all.
fn installer(hash: &[u8]) -> Option<&'static str> {
    match hash {
        b"sha256=zuuue4knoyJ-UwPPXg8fezS7VCrXJQrAP7zeNuwvFQg" => Some("pip"),
        b"sha256=5hhM4Q4mYTT9z6QB6PGpUAW81PGNFrYrdXMj4oM_6ak" => Some("uv"),
        _ => None,
    }
}

/// Which of the files that are read lie directly in the distribution's own directory of metadata.
#[derive(Debug, Clone, Copy, Default)]
pub struct OwnNames(u8);

impl OwnNames {
    const ALL: [&'static str; 8] = [
        "METADATA",
        "RECORD",
        "INSTALLER",
        "REQUESTED",
        "WHEEL",
        "entry_points.txt",
        "direct_url.json",
        "top_level.txt",
    ];

    fn bit(name: &[u8]) -> Option<u8> {
        OwnNames::ALL.iter().position(|own| own.as_bytes() == name).map(|at| 1 << at)
    }

    fn note(&mut self, name: &[u8]) {
        self.0 |= OwnNames::bit(name).unwrap_or_default();
    }

    pub fn has(self, name: &str) -> bool {
        OwnNames::bit(name.as_bytes()).is_some_and(|bit| self.0 & bit != 0)
    }
}

/// What holds for all files of one directory: they mostly follow one another.
#[derive(Debug, Default)]
struct Here {
    directory: Vec<u8>,
    /// The distribution's metadata.
    is_own: bool,
    is_cache: bool,
    is_aside: bool,
    is_outside: bool,
    /// Whether its files can add nothing to the names of modules.
    is_named: bool,
    has_modules: bool,
}

impl Here {
    fn enter(&mut self, directory: &[u8], own: &[u8]) {
        self.directory.clear();
        self.directory.extend_from_slice(directory);
        self.is_own =
            directory.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"));
        (self.is_cache, self.is_aside) = (false, false);
        // one walk tells both
        for part in directory.split(|byte| *byte == b'/') {
            self.is_cache |= part == CACHE;
            self.is_aside |= is_aside_name(part);
        }
        self.is_outside = directory.starts_with(b"..");
        self.is_named = false;
        self.has_modules = false;
    }
}

/// Directory and name.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    memchr::memrchr(b'/', path).map_or((&[], path), |at| (&path[..at], &path[at + 1..]))
}

/// The first name of a path: what two distributions share when they share a file.
pub fn root_of(path: &[u8]) -> &[u8] {
    memchr::memchr(b'/', path).and_then(|at| path.get(..at)).unwrap_or(path)
}

fn note_root(roots: &mut Vec<Vec<u8>>, path: &[u8]) {
    let root = root_of(path);
    if roots.last().is_none_or(|last| last != root) && !roots.iter().any(|known| known == root) {
        roots.push(root.to_vec());
    }
}

/// Bytecode comes and goes.
pub fn is_cache(path: &[u8]) -> bool {
    is_bytecode(path) || path.ends_with(b"/") || is_in_cache(split(path).0)
}

fn is_bytecode(path: &[u8]) -> bool {
    path.ends_with(b".pyc") || path.ends_with(b".pyo")
}

fn is_in_cache(directory: &[u8]) -> bool {
    directory.split(|byte| *byte == b'/').any(|part| part == CACHE)
}

/// A module, or a library that modules load, outside of tests: what an import may need.
pub fn is_module(path: &[u8]) -> bool {
    !path.starts_with(b"..") && !path.starts_with(b"/") && is_code(split(path).1) && !is_aside(path)
}

/// By a file's name: a source or what is compiled.
pub fn is_code(name: &[u8]) -> bool {
    if name.ends_with(b".py") {
        return true;
    }
    let dot = name.iter().rposition(|byte| *byte == b'.');
    let suffix = dot.and_then(|at| name.get(at + 1..)).unwrap_or_default();
    match suffix {
        b"so" | b"pyd" | b"dylib" | b"dll" => true,
        // `libx.so.3`
        [b'0'..=b'9', ..] => crate::parse::find(name, b".so.").is_some(),
        _ => false,
    }
}

/// Tests and documentation, which are deleted to save space.
pub fn is_aside(path: &[u8]) -> bool {
    path.split(|byte| *byte == b'/').any(is_aside_name)
}

fn is_aside_name(name: &[u8]) -> bool {
    // by their lengths first
    match name.len() {
        3 => name == b"doc",
        4 => name == b"test" || name == b"docs",
        5 => name == b"tests",
        8 => name == b"examples",
        10 => name == b"benchmarks",
        11 => name == b"conftest.py",
        _ => false,
    }
}

/// Top-level names, `.pth` files and finders. Whether other files of its directory can add nothing.
fn note_name(recorded: &mut Recorded, path: &[u8]) -> bool {
    let mut parts = path.splitn(2, |byte| *byte == b'/');
    let (Some(first), rest) = (parts.next(), parts.next()) else { return false };
    if first == b".." {
        let mut names = path.rsplit(|byte| *byte == b'/');
        if let (Some(name), Some(b"bin" | b"Scripts")) = (names.next(), names.next()) {
            recorded.scripts.push(String::from_utf8_lossy(name).into_owned());
        }
        return false;
    }
    if rest.is_some() && recorded.modules.last().is_some_and(|last| last.as_bytes() == first) {
        return true;
    }
    let Ok(first) = std::str::from_utf8(first) else { return rest.is_some() };
    let name = match rest {
        Some(_) if first.contains(['.', '-']) => return true,
        Some(rest) => {
            let importable = std::str::from_utf8(split(rest).1).ok().and_then(by_suffix).is_some();
            if !importable {
                return false;
            }
            first
        }
        None if first.ends_with(".pth") => {
            recorded.pth_files.push(first.to_owned());
            return false;
        }
        None if first.starts_with("__editable__") => {
            recorded.finders.push(first.to_owned());
            return false;
        }
        None => match by_suffix(first) {
            Some((stem, _)) => stem,
            None => return false,
        },
    };
    if recorded.modules.last().is_none_or(|last| last != name)
        && !recorded.modules.iter().any(|known| known == name)
    {
        recorded.modules.push(name.to_owned());
    }
    rest.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::distribution::SiteKind;
    use crate::host::fake::FakeMachine;
    use crate::host::real::{RealFiles, from_std};
    use crate::path::HostPath;

    /// What is read of a RECORD in this directory of packages.
    fn recorded(files: &dyn Files, directory: HostPath, compare: bool) -> Recorded {
        let (open, listing) = (files.open_directory(&directory), files.list(&directory).ok());
        let site = Site { directory, open, kind: SiteKind::Own, listing, pth_files: Vec::new() };
        read(files, &site, b"x-1.dist-info", compare, &mut Spare::default()).unwrap()
    }

    #[test]
    fn a_module_that_is_no_package_may_be_missing() {
        let rows = "six.py,,\nhere.py,,\nLICENSE,,\nx-1.dist-info/METADATA,,\nx-1.dist-info/RECORD,,\n";
        let host = FakeMachine::linux().file("/site/x-1.dist-info/RECORD", rows).file("/site/here.py", "");
        let missing = |host: &FakeMachine| {
            let record = recorded(host, HostPath::posix("/site"), true).record;
            (record.missing_modules, record.missing_count, record.missing.first().cloned())
        };
        // what is no module is counted where a module is missing
        assert_eq!(missing(&host), (1, 2, Some(HostPath::posix("/site/six.py"))));
        assert_eq!(missing(&host.file("/site/six.py", "")), (0, 0, None));
    }

    #[test]
    fn a_long_record_is_read_in_pieces_as_it_is_whole() {
        let hash = "A".repeat(43);
        let long = "deep/".repeat(900);
        let rows = (0..4000).map(|number| match number {
            2000 => format!("\"x/{long}with, comma.py\",sha256={hash},7\r\n"),
            _ => format!("x/part{}/module{number}.py,sha256={hash},{number}\n", number / 100),
        });
        let own = "x-1.dist-info/METADATA,,\nx-1.dist-info/RECORD,,\ntools.py,,";
        let text = format!("\u{feff}first.py,,\n{}{own}", rows.collect::<String>());
        assert!(text.len() > 4 * crate::host::PIECE);
        let directory = tempfile::tempdir().unwrap();
        let place = from_std(directory.path()).unwrap();
        let metadata = directory.path().join("x-1.dist-info");
        #[expect(clippy::disallowed_methods, reason = "what is read is a real file")]
        {
            std::fs::create_dir(&metadata).unwrap();
            std::fs::write(metadata.join("RECORD"), &text).unwrap();
        }
        let fake = FakeMachine::linux().file("/site/x-1.dist-info/RECORD", &text);
        for found in [recorded(&RealFiles, place, false), recorded(&fake, HostPath::posix("/site"), false)] {
            assert!(found.whole && found.own.has("METADATA") && !found.own.has("INSTALLER"));
            assert_eq!((found.record.files, found.record.modules), (4004, 4002));
            assert_eq!(found.modules, ["first", "x", "tools"]);
        }
    }
}
