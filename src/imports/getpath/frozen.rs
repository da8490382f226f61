//! Modules/getpath.py of 3.11 and later, on POSIX.

use super::super::build::Version;
use super::super::place::Place;
use super::super::predict::{Fatal, ImportEntry, ImportOrigin, Question, Settings};
use super::config::{Lines, first_home, read_lines, strip};
use super::{Landmarks, Located, UnderscorePth, compiled_prefix, python_home, python_path, split_home};
use crate::host::FileError;
use crate::path::HostPath;

/// getpath.py's variables of the same names.
struct Getpath<'a> {
    place: &'a Place<'a>,
    question: &'a Question<'a>,
    settings: &'a Settings,
    landmarks: Landmarks,
    notes: Vec<String>,
    executable: Vec<u8>,
    real_executable: Vec<u8>,
    base_executable: Vec<u8>,
    executable_dir: Option<Vec<u8>>,
    real_executable_dir: Option<Vec<u8>>,
    /// Where the link target of a venv's interpreter lies (3.14 with the rescue).
    base_executable_dir: Option<Vec<u8>>,
    venv_prefix: Option<Vec<u8>>,
}

pub(super) fn locate(place: &Place, question: &Question, settings: &Settings) -> Result<Located, Fatal> {
    let mut getpath = Getpath::new(place, question, settings);
    getpath.read_config()?;
    getpath.settle_directories();
    if let Some((file, lines)) = getpath.underscore_pth() {
        return Ok(getpath.bound_to(&file, &lines));
    }
    getpath.check_build_directory()?;
    Ok(getpath.finish())
}

impl<'a> Getpath<'a> {
    /// `PYTHONEXECUTABLE` and `__PYVENV_LAUNCHER__` count on every system, and with `-E` too.
    fn new(place: &'a Place<'a>, question: &'a Question<'a>, settings: &'a Settings) -> Self {
        let mut executable = place.absolute(question.executable.as_bytes());
        let mut getpath = Getpath {
            place,
            question,
            settings,
            landmarks: Landmarks::new(question, settings),
            notes: Vec::new(),
            executable: Vec::new(),
            real_executable: Vec::new(),
            base_executable: Vec::new(),
            executable_dir: None,
            real_executable_dir: None,
            base_executable_dir: None,
            venv_prefix: None,
        };
        let set = |value: &Option<Vec<u8>>| value.clone().filter(|value| !value.is_empty());
        let variables = question.variables;
        if let Some(claimed) = set(&variables.pythonexecutable).or_else(|| set(&variables.pyvenv_launcher)) {
            getpath.base_executable = executable.clone();
            getpath.real_executable = executable;
            getpath.executable_dir = Some(place.reduced(&claimed).to_vec());
            executable = claimed;
        }
        getpath.executable = executable;
        getpath
    }

    fn version(&self) -> Version {
        self.question.build.version
    }

    /// "READ pyvenv.cfg". `PYTHONHOME` switches it off, until 3.13 altogether.
    fn read_config(&mut self) -> Result<(), Fatal> {
        let place = self.place;
        let keeps_prefix = self.version() >= Version::new(3, 14);
        let has_home = python_home(self.question, self.settings).is_some();
        if has_home && !keeps_prefix {
            return Ok(());
        }
        let directory =
            self.executable_dir.clone().unwrap_or_else(|| place.reduced(&self.executable).to_vec());
        let mut lines = Vec::new();
        for candidate in [place.reduced(&directory).to_vec(), directory] {
            let file = place.join(&candidate, "pyvenv.cfg");
            if !keeps_prefix && place.is_directory(&file) {
                // Opened and read as empty: no `home`, so no venv, and the search ends.
                return Ok(());
            }
            if let Lines::Read(read) = read_lines(place, &file)? {
                lines = read;
                self.venv_prefix = Some(candidate);
                break;
            }
        }
        match first_home(&lines) {
            Some(_) if has_home => {}
            Some(home) => self.use_home(home),
            None if !keeps_prefix => self.venv_prefix = None,
            None => {}
        }
        Ok(())
    }

    fn use_home(&mut self, home: Vec<u8>) {
        let place = self.place;
        if self.base_executable.is_empty() {
            let resolved = place.resolved(&self.executable, true);
            self.base_executable =
                if resolved == self.executable { self.base_in_home(&home) } else { resolved };
        }
        // An empty value counts as no directory known.
        let directory = if home.is_empty() {
            place.reduced(&place.resolved(&self.base_executable, true)).to_vec()
        } else {
            home
        };
        self.executable_dir = Some(directory.clone());
        self.real_executable_dir = Some(directory);
        if self.version() >= Version::new(3, 14) && place.is_file(&self.base_executable) {
            self.rescue();
        }
    }

    /// `base_executable` where the interpreter is no link: the name it was started by, or a usual one.
    fn base_in_home(&self, home: &[u8]) -> Vec<u8> {
        let place = self.place;
        let same_name = place.join(home, place.basename(&self.executable));
        if place.is_file(&same_name) {
            return same_name;
        }
        let version = self.version();
        [format!("python{}", version.major), format!("python{}.{}", version.major, version.minor)]
            .iter()
            .map(|name| place.join(home, name))
            .find(|candidate| place.is_file(candidate))
            .unwrap_or(same_name)
    }

    /// gh-106045 (3.14): where the link target has a standard library of its own, `home` is not used.
    fn rescue(&mut self) {
        let directory = self.place.reduced(&self.base_executable).to_vec();
        let rescues = self.place.is_file(&self.place.join(&directory, "pybuilddir.txt"))
            || self.leads_to_library(&directory);
        if !self.question.build.has_rescue() {
            if rescues && !self.leads_to_library(&self.executable_dir()) {
                let note = "home leads to no standard library; later releases of 3.14 use the link target's";
                self.notes.push(note.to_owned());
            }
            return;
        }
        if rescues {
            self.executable_dir = Some(directory.clone());
            self.real_executable_dir = Some(directory.clone());
        }
        self.base_executable_dir = Some(directory);
    }

    fn leads_to_library(&self, start: &[u8]) -> bool {
        let (place, landmarks) = (self.place, &self.landmarks);
        let has_landmark =
            |above: &[u8]| place.is_file(&landmarks.zip(place, above)) || landmarks.is_prefix(place, above);
        place.search_up(start, has_landmark).is_some()
    }

    /// "CALCULATE base_executable, real_executable AND executable_dir".
    fn settle_directories(&mut self) {
        if self.base_executable.is_empty() {
            self.base_executable = self.executable.clone();
        }
        if self.real_executable.is_empty() {
            self.real_executable = self.base_executable.clone();
        }
        self.real_executable = self.place.resolved(&self.real_executable, true);
        let directory = self.place.reduced(&self.real_executable).to_vec();
        if self.executable_dir.is_none() {
            self.executable_dir = Some(directory.clone());
            self.real_executable_dir = Some(directory);
        } else if self.real_executable_dir.is_none() {
            self.real_executable_dir = Some(directory);
        }
    }

    fn executable_dir(&self) -> Vec<u8> {
        self.place.anchored(self.executable_dir.as_deref().unwrap_or_default())
    }

    /// A `._pth` beside the executable, then beside what it resolves to.
    fn underscore_pth(&self) -> Option<(HostPath, Vec<Vec<u8>>)> {
        [&self.executable, &self.real_executable].into_iter().find_map(|executable| {
            let file = [executable.as_slice(), b"._pth"].concat();
            match read_lines(self.place, &file) {
                Ok(Lines::Read(lines)) if self.place.is_file(&file) => Some((self.place.host(&file)?, lines)),
                _ => None,
            }
        })
    }

    fn bound_to(mut self, file: &HostPath, lines: &[Vec<u8>]) -> Located {
        let directory = self.place.reduced(file.as_bytes()).to_vec();
        let (entries, underscore) = underscore_entries(self.place, file, lines);
        let prefix = match self.venv_prefix.take() {
            Some(venv) if self.version() >= Version::new(3, 14) => venv,
            _ => directory.clone(),
        };
        Located {
            executable: self.executable,
            prefix: prefix.clone(),
            exec_prefix: prefix,
            base_prefix: directory.clone(),
            base_exec_prefix: directory,
            platlibdir: self.landmarks.platlibdir,
            entries,
            underscore_pth: Some(underscore),
            notes: self.notes,
        }
    }

    /// Looking for `pybuilddir.txt` is what fails when `home` names a file.
    fn check_build_directory(&self) -> Result<(), Fatal> {
        let directory = self.place.anchored(self.real_executable_dir.as_deref().unwrap_or_default());
        match self.place.read(&self.place.join(&directory, "pybuilddir.txt"), 1) {
            Err(FileError::NotADirectory) => Err(Fatal::HomeIsFile { home: directory.into() }),
            _ => Ok(()),
        }
    }

    /// "CALCULATE prefix AND exec_prefix", then the path.
    fn finish(mut self) -> Located {
        let place = self.place;
        let (prefix, exec_prefix) = self.prefixes();
        let mut entries =
            python_path(place, self.question, self.settings, |entry| place.getpath_absolute(entry));
        let landmarks = self.landmarks;
        // getpath.py's joinpath normalizes; the prefixes stay as they are spelt
        let mut push =
            |path: Vec<u8>, origin| entries.push(ImportEntry::new(place.normalized(&path), origin));
        push(landmarks.zip(place, &prefix), ImportOrigin::StdlibZip);
        push(landmarks.stdlib(place, &prefix), ImportOrigin::Stdlib);
        push(landmarks.dynload(place, &exec_prefix), ImportOrigin::LibDynload);
        // From 3.14 on getpath sets the venv's prefix itself; before, site.py does.
        let venv = self.venv_prefix.filter(|_| self.question.build.version >= Version::new(3, 14));
        Located {
            executable: self.executable,
            prefix: venv.clone().unwrap_or_else(|| prefix.clone()),
            exec_prefix: venv.unwrap_or_else(|| exec_prefix.clone()),
            base_prefix: prefix,
            base_exec_prefix: exec_prefix,
            platlibdir: landmarks.platlibdir,
            entries,
            underscore_pth: None,
            notes: self.notes,
        }
    }

    /// Either half of `PYTHONHOME` that is empty is searched for as if the variable were not set.
    fn prefixes(&mut self) -> (Vec<u8>, Vec<u8>) {
        let (prefix, exec_prefix) = python_home(self.question, self.settings)
            .map(|home| split_home(self.place, home))
            .unwrap_or_default();
        let prefix = if prefix.is_empty() { self.search_prefix() } else { prefix };
        let exec_prefix = if exec_prefix.is_empty() { self.search_exec_prefix(&prefix) } else { exec_prefix };
        (prefix, exec_prefix)
    }

    fn search_prefix(&mut self) -> Vec<u8> {
        let (place, start, landmarks) = (self.place, self.executable_dir(), &self.landmarks);
        place
            .search_up(&start, |directory| place.is_file(&landmarks.zip(place, directory)))
            .or_else(|| place.search_up(&start, |directory| landmarks.is_prefix(place, directory)))
            .unwrap_or_else(|| compiled_prefix(self.question, &mut self.notes))
    }

    fn search_exec_prefix(&mut self, prefix: &[u8]) -> Vec<u8> {
        let (place, start, landmarks) = (self.place, self.executable_dir(), &self.landmarks);
        let is_exec_prefix = |directory: &[u8]| landmarks.is_exec_prefix(place, directory);
        if self.question.build.version >= Version::new(3, 14) && is_exec_prefix(prefix) {
            return prefix.to_vec();
        }
        let found = self
            .base_executable_dir
            .as_ref()
            .and_then(|directory| place.search_up(directory, is_exec_prefix))
            .or_else(|| place.search_up(&start, is_exec_prefix))
            .unwrap_or_else(|| compiled_prefix(self.question, &mut self.notes));
        if found.is_empty() { prefix.to_vec() } else { found }
    }
}

/// "SET pythonpath FROM _PTH FILE".
pub(super) fn underscore_entries(
    place: &Place,
    file: &HostPath,
    lines: &[Vec<u8>],
) -> (Vec<ImportEntry>, UnderscorePth) {
    let directory = place.reduced(file.as_bytes());
    let mut entries = Vec::new();
    let mut imports_site = false;
    for (index, line) in lines.iter().enumerate() {
        let line = strip(line.split(|byte| *byte == b'#').next().unwrap_or_default());
        if line == b"import site" {
            imports_site = true;
        } else if !line.is_empty() && !line.starts_with(b"import ") {
            let origin = ImportOrigin::Pth { file: file.clone(), line: index + 1 };
            entries.push(ImportEntry::new(place.normalized(&place.join(directory, line)), origin));
        }
    }
    (entries, UnderscorePth { imports_site })
}
