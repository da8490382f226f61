//! `site.main`: duplicates removed, the venv's directory, the user's, the prefixes', and what their `.pth`
//! files add (Lib/site.py; Debian's and PyPy's changes to it).

use std::collections::HashSet;

use super::build::{Build, Implementation, Version};
use super::getpath::Located;
use super::place::Place;
use super::predict::{
    Fatal, HookKind, ImportEntry, ImportOrigin, Prediction, Question, Settings, StartupHook, UserSite,
};
use super::pth::{self, Line, Rules};
use super::{sitedirs, unmet};
use crate::host::FileError;
use crate::parse::python_literal;
use crate::path::HostPath;

/// `site.py` reads `pyvenv.cfg` whole; so much of it is read here.
const CONFIG_LIMIT: usize = 1 << 20;
/// A directory added by an added directory, and so on: nobody nests them deeper.
const NESTING_LIMIT: usize = 16;

pub(super) struct Site<'a> {
    pub place: &'a Place<'a>,
    pub question: &'a Question<'a>,
    pub settings: &'a Settings,
    pub located: Located,
    pub path: Vec<ImportEntry>,
    /// site's `known_paths`.
    pub known: HashSet<Vec<u8>>,
    /// `site.PREFIXES`.
    pub prefixes: Vec<Vec<u8>>,
    pub enable_user_site: Option<bool>,
    pub rules: Rules,
    hooks: Vec<StartupHook>,
    /// Import lines that are proven to have raised when they ran last.
    failed: Vec<StartupHook>,
    notes: Vec<String>,
    /// What 3.15 collects before it extends the path: entries, and the site directories it has read.
    pending: Vec<ImportEntry>,
    processed: HashSet<Vec<u8>>,
    /// The import lines that 3.15 runs once it has extended the path.
    deferred: Vec<ImportLine>,
    nesting: usize,
}

/// An `import` line whose effect is known.
struct ImportLine {
    kind: HookKind,
    directory: Vec<u8>,
    origin: ImportOrigin,
}

impl<'a> Site<'a> {
    pub fn new(
        place: &'a Place<'a>,
        question: &'a Question<'a>,
        settings: &'a Settings,
        located: Located,
    ) -> Self {
        Site {
            place,
            question,
            settings,
            path: located.entries.clone(),
            known: HashSet::new(),
            prefixes: vec![located.prefix.clone(), located.exec_prefix.clone()],
            enable_user_site: None,
            located,
            rules: Rules::of(question.build),
            hooks: Vec::new(),
            failed: Vec::new(),
            notes: Vec::new(),
            pending: Vec::new(),
            processed: HashSet::new(),
            deferred: Vec::new(),
            nesting: 0,
        }
    }

    fn build(&self) -> &'a Build {
        self.question.build
    }

    pub fn into_prediction(self, prediction: &mut Prediction) {
        prediction.prefix = self.located.prefix.into();
        prediction.exec_prefix = self.located.exec_prefix.into();
        prediction.base_prefix = self.located.base_prefix.into();
        prediction.base_exec_prefix = self.located.base_exec_prefix.into();
        prediction.entries = self.path;
        prediction.hooks = self.hooks;
        prediction.notes.extend(self.notes);
        prediction.user_site = UserSite {
            enabled: self.enable_user_site,
            directory: Some(sitedirs::user_site(self.place, self.question).into()),
        };
    }

    pub fn hook_count(&self) -> usize {
        self.hooks.len()
    }

    /// Forgets all but the first hooks: they run once more, and were told the first time.
    pub fn keep_hooks(&mut self, count: usize) {
        self.hooks.truncate(count);
    }

    /// As if no directory had been added yet.
    pub fn forget(&mut self) {
        self.known.clear();
        self.processed.clear();
    }

    pub fn main(&mut self) -> Result<(), Fatal> {
        self.remove_duplicates();
        if self.build().version >= Version::new(3, 3) {
            if self.rules.deferred {
                // 3.15 starts from an empty set and compares with sys.path at the end.
                self.known.clear();
            }
            self.add_venv()?;
        }
        if self.enable_user_site.is_none() {
            self.enable_user_site = self.user_site_allowed();
        }
        self.add_user_site()?;
        self.add_site_packages(&self.prefixes.clone())?;
        self.process()
    }

    /// `removeduppaths`: entries become absolute, the first of equals stays.
    pub fn remove_duplicates(&mut self) {
        self.known.clear();
        for mut entry in std::mem::take(&mut self.path) {
            let absolute = self.place.absolute(entry.directory.as_bytes());
            if self.known.insert(self.place.key(&absolute)) {
                entry.directory = absolute.into();
                self.path.push(entry);
            }
        }
    }

    /// `site.venv`: `pyvenv.cfg` beside the executable, else above it.
    fn add_venv(&mut self) -> Result<(), Fatal> {
        let place = self.place;
        let directory = place.dirname(&place.absolute(&self.located.executable));
        let site_prefix = place.dirname(&directory);
        let candidates = [&directory, &site_prefix].map(|above| place.join(above, "pyvenv.cfg"));
        let Some(file) = candidates.into_iter().find(|file| place.is_file(file)) else { return Ok(()) };
        let includes_system = self.reads_include_system(&file)?;
        let getpath_sets_prefix = self.getpath_sets_prefix();
        if !getpath_sets_prefix {
            self.located.prefix = site_prefix.clone();
            self.located.exec_prefix = site_prefix;
        }
        let prefix = self.located.prefix.clone();
        self.add_site_packages(std::slice::from_ref(&prefix))?;
        match (includes_system, getpath_sets_prefix) {
            (true, false) => self.prefixes.insert(0, prefix),
            (true, true) => {
                self.prefixes.push(self.located.base_prefix.clone());
                self.prefixes.push(self.located.base_exec_prefix.clone());
            }
            (false, sets_prefix) => {
                if !sets_prefix {
                    self.prefixes = vec![prefix];
                }
                self.enable_user_site = Some(false);
            }
        }
        Ok(())
    }

    fn getpath_sets_prefix(&self) -> bool {
        self.build().implementation == Implementation::CPython && self.build().version >= Version::new(3, 14)
    }

    /// The last `include-system-site-packages`; true where there is none.
    fn reads_include_system(&self, file: &[u8]) -> Result<bool, Fatal> {
        let contents = self
            .place
            .read(file, CONFIG_LIMIT)
            .map_err(|why| Fatal::ConfigUnreadable { file: file.into(), why: why.to_string() })?;
        if std::str::from_utf8(&contents.bytes).is_err() {
            return Err(Fatal::ConfigNotUtf8 { file: file.into() });
        }
        let mut includes = true;
        for line in pth::universal_newlines(&contents.bytes) {
            let line = String::from_utf8_lossy(line);
            let Some((key, value)) = line.split_once('=') else { continue };
            if python_literal::strip(key).to_lowercase() == "include-system-site-packages" {
                includes = python_literal::strip(value).to_lowercase() == "true";
            }
        }
        Ok(includes)
    }

    /// `site.check_enableusersite`.
    pub fn user_site_allowed(&self) -> Option<bool> {
        let user = self.question.user;
        if self.settings.no_user_site {
            Some(false)
        } else if user.id != user.effective_id || user.group != user.effective_group {
            None
        } else {
            Some(true)
        }
    }

    pub fn add_user_site(&mut self) -> Result<(), Fatal> {
        let directory = sitedirs::user_site(self.place, self.question);
        if self.enable_user_site == Some(true) && self.place.is_directory(&directory) {
            self.add_site_directory(&directory, ImportOrigin::UserSite)?;
        }
        Ok(())
    }

    pub fn add_site_packages(&mut self, prefixes: &[Vec<u8>]) -> Result<(), Fatal> {
        let is_venv = self.located.prefix != self.located.base_prefix;
        let platlibdir = self.located.platlibdir.clone();
        let directories = sitedirs::site_packages(self.place, self.build(), &platlibdir, prefixes, is_venv);
        for (directory, origin) in directories {
            if self.place.is_directory(&directory) {
                self.add_site_directory(&directory, origin)?;
            }
        }
        Ok(())
    }

    /// `site.addsitedir`.
    pub fn add_site_directory(&mut self, directory: &[u8], origin: ImportOrigin) -> Result<(), Fatal> {
        let directory = self.place.absolute(directory);
        let key = self.place.key(&directory);
        if self.rules.deferred && !self.processed.insert(key.clone()) {
            return Ok(());
        }
        if !self.known.contains(&key) {
            self.append(ImportEntry::new(directory.clone(), origin));
            // 2.7 does not note what it has added.
            if !self.rules.blank_is_directory {
                self.known.insert(key);
            }
        }
        let Some(names) = self.startup_files(&directory) else { return Ok(()) };
        let starts: Vec<_> = names.iter().filter(|name| name.ends_with(b".start")).cloned().collect();
        for name in names.iter().filter(|name| name.ends_with(b".pth")) {
            self.add_pth(&directory, name, &starts)?;
        }
        for name in &starts {
            self.note_entry_points(&directory, name);
        }
        Ok(())
    }

    /// 3.15 extends the path only at the end.
    fn append(&mut self, entry: ImportEntry) {
        if self.rules.deferred { self.pending.push(entry) } else { self.path.push(entry) }
    }

    /// The `.pth` files of a site directory in site's order; from 3.15 on the `.start` files too.
    fn startup_files(&mut self, directory: &[u8]) -> Option<Vec<Vec<u8>>> {
        let host = self.place.host(directory)?;
        let listing = self.place.files.list(&host).ok()?;
        if listing.truncated {
            self.notes.push(format!("{host} has too many entries; not all of its .pth files were read"));
        }
        let skips_hidden = self.build().skips_hidden_pth;
        let mut names: Vec<Vec<u8>> = listing
            .entries
            .into_iter()
            .map(|entry| entry.name)
            .filter(|name| name.ends_with(b".pth") || (self.rules.deferred && name.ends_with(b".start")))
            .filter(|name| !(skips_hidden && (name.starts_with(b".") || self.has_hidden_flag(&host, name))))
            .collect();
        names.sort_by_cached_key(|name| pth::sort_key(name, self.rules.bytes));
        Some(names)
    }

    /// As `Lib/site.py` looks: at the file itself, not where a link leads.
    fn has_hidden_flag(&self, directory: &HostPath, name: &[u8]) -> bool {
        self.place.files.link_metadata(&directory.join(name)).is_ok_and(|metadata| metadata.hidden)
    }

    fn read(&mut self, file: &HostPath) -> Option<Vec<u8>> {
        match self.place.files.read(file, pth::SIZE_LIMIT) {
            Ok(contents) => {
                if contents.truncated() {
                    self.notes.push(format!("only the beginning of {file} was read"));
                }
                Some(contents.bytes)
            }
            Err(FileError::Missing | FileError::NotAFile) => None,
            Err(why) => {
                self.notes.push(format!("{file} is left out: {why}"));
                None
            }
        }
    }

    /// `site.addpackage`: one `.pth` file.
    fn add_pth(&mut self, directory: &[u8], name: &[u8], starts: &[Vec<u8>]) -> Result<(), Fatal> {
        let path = self.place.join(directory, name);
        let Some(file) = self.place.host(&path) else { return Ok(()) };
        let Some(contents) = self.read(&file) else { return Ok(()) };
        let Ok(lines) = pth::lines(&contents, self.rules) else {
            return Err(Fatal::PthNotUtf8 { file: path.into() });
        };
        let stem = &name[..name.len() - b".pth".len()];
        let suppressed = starts.iter().any(|start| start.strip_suffix(b".start") == Some(stem));
        let last = lines.len();
        for (done, (number, line)) in (1..).zip(lines) {
            match line {
                Line::End => break,
                Line::Path(path) => self.add_line(directory, &path, &file, number),
                Line::Import(text) if suppressed => {
                    self.note_hook(HookKind::Suppressed, &file, number, text, false);
                }
                Line::Import(text) => {
                    self.run_import(directory, name, &file, number, text)?;
                    if done < last && self.ends_file(&file, number) {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// `addpackage` leaves the rest of a file whose import line raises (all versions until 3.14; 3.15 runs the lines
    /// when every path is known, each for itself).
    fn ends_file(&mut self, file: &HostPath, number: usize) -> bool {
        if self.rules.deferred {
            return false;
        }
        let is_line = |hook: &StartupHook| hook.file == *file && hook.line == Some(number);
        self.failed.retain(|hook| !is_line(hook));
        let ran = self.hooks.iter().filter(|hook| !self.failed.contains(hook)).cloned().collect::<Vec<_>>();
        let directory = self.question.working_directory.as_ref();
        if !unmet::is_unmet(self.place.files, self.build(), &self.path, &ran, directory, &is_line) {
            return false;
        }
        self.failed.extend(ran.into_iter().filter(is_line));
        let note = format!("{file}, line {number}: the import fails, and Python leaves the rest of the file");
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
        true
    }

    fn add_line(&mut self, directory: &[u8], line: &[u8], file: &HostPath, number: usize) {
        let place = self.place;
        let path = place.absolute(&place.join(directory, line));
        let key = place.key(&path);
        // 3.15 looks whether it exists only when it extends the path.
        if self.known.contains(&key) || !(self.rules.deferred || place.exists(&path)) {
            return;
        }
        self.known.insert(key);
        let origin = ImportOrigin::Pth { file: file.clone(), line: number };
        self.append(ImportEntry::new(path, origin));
    }

    fn run_import(
        &mut self,
        directory: &[u8],
        name: &[u8],
        file: &HostPath,
        number: usize,
        text: String,
    ) -> Result<(), Fatal> {
        let (kinds, unknown) = pth::recognise(name, &text);
        let variable = self.question.variables.setuptools_use_distutils.as_deref();
        for kind in kinds {
            let kind = match kind {
                HookKind::DistutilsPrecedence if !pth::replaces_distutils(&text, variable) => {
                    HookKind::DistutilsPrecedenceOff
                }
                kind => kind,
            };
            self.note_hook(kind.clone(), file, number, text.clone(), unknown);
            let origin = ImportOrigin::Pth { file: file.clone(), line: number };
            let line = ImportLine { kind, directory: directory.to_vec(), origin };
            if self.rules.deferred {
                self.deferred.push(line);
            } else {
                self.apply(line)?;
            }
        }
        Ok(())
    }

    fn apply(&mut self, line: ImportLine) -> Result<(), Fatal> {
        match line.kind {
            HookKind::SiteDirectory { directory } if self.nesting < NESTING_LIMIT => {
                self.nesting += 1;
                let result = self.add_nested_site_directory(directory.as_bytes(), line.origin);
                self.nesting -= 1;
                result
            }
            HookKind::EditableFinder { module } => {
                self.add_placeholder(&line.directory, &module, line.origin);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// `addsitedir` called with nothing known: what exists on the path counts as known.
    pub fn add_nested_site_directory(&mut self, directory: &[u8], origin: ImportOrigin) -> Result<(), Fatal> {
        let existing = self.existing();
        let known = std::mem::replace(&mut self.known, existing);
        let processed = std::mem::take(&mut self.processed);
        let deferred = std::mem::take(&mut self.deferred);
        let result = self.add_site_directory(directory, origin).and_then(|()| self.process());
        (self.known, self.processed, self.deferred) = (known, processed, deferred);
        result
    }

    /// 3.15's `StartupState.process`: the path first, then the import lines. Before, nothing is left to do.
    pub fn process(&mut self) -> Result<(), Fatal> {
        self.extend_path();
        for line in std::mem::take(&mut self.deferred) {
            self.apply(line)?;
        }
        Ok(())
    }

    /// `site._init_pathinfo`: what exists of the path; directories alone until 3.6.
    pub fn existing(&self) -> HashSet<Vec<u8>> {
        let place = self.place;
        self.path
            .iter()
            .map(|entry| entry.directory.as_bytes())
            .filter(|path| if self.rules.bytes { place.is_directory(path) } else { place.exists(path) })
            .map(|path| place.key(&place.absolute(path)))
            .collect()
    }

    fn add_placeholder(&mut self, directory: &[u8], module: &str, origin: ImportOrigin) {
        let path = self.place.join(directory, format!("{module}.py"));
        let Ok(contents) = self.place.read(&path, pth::SIZE_LIMIT) else { return };
        let Some(placeholder) = pth::finder_placeholder(&contents.text()) else { return };
        if !self.path.iter().any(|entry| entry.directory.as_bytes() == placeholder) {
            self.path.push(ImportEntry::new(placeholder, origin));
        }
    }

    /// Once each: in a venv every line runs twice until 3.14.
    fn note_hook(
        &mut self,
        kind: HookKind,
        file: &HostPath,
        number: usize,
        text: String,
        may_add_entries: bool,
    ) {
        let hook = StartupHook { kind, file: file.clone(), line: Some(number), text, may_add_entries };
        if !self.hooks.contains(&hook) {
            self.hooks.push(hook);
        }
    }

    /// A `.start` file: every line an entry point to call. One that is no UTF-8 is left out.
    fn note_entry_points(&mut self, directory: &[u8], name: &[u8]) {
        let Some(file) = self.place.host(&self.place.join(directory, name)) else { return };
        let Some(contents) = self.read(&file) else { return };
        for (number, line) in pth::lines(&contents, self.rules).unwrap_or_default() {
            let text = match line {
                Line::Path(line) => String::from_utf8_lossy(&line).into_owned(),
                Line::Import(line) => line,
                Line::End => continue,
            };
            self.note_hook(HookKind::EntryPoint, &file, number, text, true);
        }
    }

    /// 3.15's `_extend_syspath`.
    fn extend_path(&mut self) {
        for entry in std::mem::take(&mut self.pending) {
            let listed = self.path.iter().any(|known| known.directory == entry.directory);
            let from_file = matches!(entry.origin, ImportOrigin::Pth { .. });
            if listed {
                continue;
            }
            if !from_file || self.place.exists(entry.directory.as_bytes()) {
                self.path.push(entry);
            } else if let ImportOrigin::Pth { file, line } = &entry.origin {
                self.notes.push(format!("{file}, line {line}: {} does not exist", entry.directory));
            }
        }
    }
}
