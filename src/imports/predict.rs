//! `sys.path`, the prefixes and the user site that an interpreter would report, worked out from files
//! and variables alone: first what getpath does before any module is imported, then what `site.py` adds.

use serde::{Deserialize, Serialize};

use super::build::{Build, Implementation, Version};
use super::getpath::{self, Located};
use super::place::Place;
use super::site::Site;
use super::spelling::Spelling;
use super::{customize, pep582, site16, site27};
use crate::facts::platform::User;
use crate::host::Files;
use crate::path::HostPath;

/// One interpreter, one set of variables and flags, one way of starting it.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// As `argv[0]` shows it: absolute, links unresolved.
    pub executable: HostPath,
    pub build: &'a Build,
    pub variables: &'a Variables,
    pub flags: Flags,
    pub start: Start,
    pub working_directory: Option<HostPath>,
    pub user: &'a User,
}

/// The variables that decide, as raw bytes. None: not set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables {
    pub pythonpath: Option<Vec<u8>>,
    pub pythonhome: Option<Vec<u8>>,
    pub pythonnousersite: Option<Vec<u8>>,
    pub pythonsafepath: Option<Vec<u8>>,
    pub pythonplatlibdir: Option<Vec<u8>>,
    pub pythonuserbase: Option<Vec<u8>>,
    pub pythonexecutable: Option<Vec<u8>>,
    /// `__PYVENV_LAUNCHER__`.
    pub pyvenv_launcher: Option<Vec<u8>>,
    pub home: Option<Vec<u8>>,
    /// `APPDATA`, which holds the user site on Windows.
    pub appdata: Option<Vec<u8>>,
    /// `USERPROFILE`, what `~` means on Windows.
    pub userprofile: Option<Vec<u8>>,
    /// What pdm's hook reads: `PEP582_PACKAGES`, the directory that it takes, and `NO_SITE_PACKAGES`.
    pub pep582_packages: Option<Vec<u8>>,
    pub no_site_packages: Option<Vec<u8>>,
    /// What setuptools' `distutils-precedence.pth` reads: `SETUPTOOLS_USE_DISTUTILS`.
    pub setuptools_use_distutils: Option<Vec<u8>>,
}

impl Variables {
    /// Taken from any source of variables by name.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<Vec<u8>>) -> Self {
        Variables {
            pythonpath: lookup("PYTHONPATH"),
            pythonhome: lookup("PYTHONHOME"),
            pythonnousersite: lookup("PYTHONNOUSERSITE"),
            pythonsafepath: lookup("PYTHONSAFEPATH"),
            pythonplatlibdir: lookup("PYTHONPLATLIBDIR"),
            pythonuserbase: lookup("PYTHONUSERBASE"),
            pythonexecutable: lookup("PYTHONEXECUTABLE"),
            pyvenv_launcher: lookup("__PYVENV_LAUNCHER__"),
            home: lookup("HOME"),
            appdata: lookup("APPDATA"),
            userprofile: lookup("USERPROFILE"),
            pep582_packages: lookup("PEP582_PACKAGES"),
            no_site_packages: lookup("NO_SITE_PACKAGES"),
            setuptools_use_distutils: lookup("SETUPTOOLS_USE_DISTUTILS"),
        }
    }
}

/// The options that decide: `-I -E -s -S -P`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flags {
    pub isolated: bool,
    pub ignore_environment: bool,
    pub no_user_site: bool,
    pub no_site: bool,
    pub safe_path: bool,
}

/// How Python is started: it decides the first entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// `-c`, standard input, interactive.
    Command,
    /// A script; the directory that it lies in once its links are resolved.
    Script { directory: HostPath },
    /// `-m`.
    Module,
    /// A directory or zip file with a `__main__`.
    Bundle { path: HostPath },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prediction {
    pub outcome: Outcome,
    pub executable: Spelling,
    pub prefix: Spelling,
    pub base_prefix: Spelling,
    pub exec_prefix: Spelling,
    pub base_exec_prefix: Spelling,
    pub user_site: UserSite,
    pub entries: Vec<ImportEntry>,
    /// What runs at start and may do more than is predicted.
    pub hooks: Vec<StartupHook>,
    /// What is odd or could not be decided, in words.
    pub notes: Vec<String>,
}

impl Prediction {
    pub fn starts(&self) -> bool {
        self.outcome == Outcome::Starts
    }

    /// The entries as `sys.path` would list them.
    pub fn path(&self) -> Vec<&[u8]> {
        self.entries.iter().map(|entry| entry.directory.as_bytes()).collect()
    }

    /// Whether something runs at start whose effect on `sys.path` is not known.
    pub fn may_have_more(&self) -> bool {
        self.hooks.iter().any(|hook| hook.may_add_entries)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Outcome {
    Starts,
    /// The interpreter would end before it runs anything.
    Fatal {
        reason: Fatal,
    },
}

/// Why an interpreter would not start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Fatal {
    /// Neither a zip file nor a directory on the path holds `encodings`: `No module named 'encodings'`.
    NoStandardLibrary {
        looked_in: Vec<Spelling>,
    },
    /// `NotADirectoryError` while getpath evaluates the path (3.11 to 3.13).
    HomeIsFile {
        home: Spelling,
    },
    /// getpath reads at most 32 KB of `pyvenv.cfg` (3.11+).
    ConfigTooLarge {
        file: Spelling,
    },
    ConfigUnreadable {
        file: Spelling,
        why: String,
    },
    /// `site.py` decodes it strictly.
    ConfigNotUtf8 {
        file: Spelling,
    },
    /// virtualenv's `site.py` for 2.7 needs this key.
    ConfigKeyMissing {
        file: Spelling,
        key: String,
    },
    PthNotUtf8 {
        file: Spelling,
    },
    UnknownOption {
        option: char,
    },
}

impl std::fmt::Display for Fatal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fatal::NoStandardLibrary { looked_in } => {
                let places: Vec<_> = looked_in.iter().map(Spelling::to_text).collect();
                write!(formatter, "no standard library in {}", places.join(", "))
            }
            Fatal::HomeIsFile { home } => write!(formatter, "home = {home} is a file, not a directory"),
            Fatal::ConfigTooLarge { file } => write!(formatter, "{file} has 32 KB or more"),
            Fatal::ConfigUnreadable { file, why } => write!(formatter, "{file} cannot be read: {why}"),
            Fatal::ConfigNotUtf8 { file } => write!(formatter, "{file} is not UTF-8"),
            Fatal::ConfigKeyMissing { file, key } => write!(formatter, "{file} has no key {key}"),
            Fatal::PthNotUtf8 { file } => write!(formatter, "{file} is not UTF-8"),
            Fatal::UnknownOption { option } => {
                write!(formatter, "this version does not know the option -{option}")
            }
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserSite {
    /// `site.ENABLE_USER_SITE`: None when refused for a set-user-id process, and without site.
    pub enabled: Option<bool>,
    /// `site.USER_SITE`. None without site.
    pub directory: Option<Spelling>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportEntry {
    /// Spelt exactly as `sys.path` has it.
    pub directory: Spelling,
    pub origin: ImportOrigin,
    pub state: EntryState,
}

impl ImportEntry {
    pub(super) fn new(directory: impl Into<Spelling>, origin: ImportOrigin) -> Self {
        ImportEntry { directory: directory.into(), origin, state: EntryState::Missing }
    }
}

/// Which rule put an entry there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ImportOrigin {
    ScriptDirectory,
    /// The entry of that index, counted from 0.
    #[serde(rename = "pythonpath")]
    PythonPath {
        index: usize,
    },
    StdlibZip,
    Stdlib,
    LibDynload,
    UserSite,
    SitePackages,
    DistPackages,
    /// A line of a `.pth` file, or of the `._pth` file that replaces the whole path; counted from 1.
    Pth {
        file: HostPath,
        line: usize,
    },
    /// `__pypackages__/3.11/lib`, by pdm's hook (PEP 582).
    #[serde(rename = "pypackages")]
    PyPackages,
    Unexplained,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryState {
    Directory,
    /// A zip file, or what Python takes for one.
    File,
    Missing,
}

/// Code that runs at every start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartupHook {
    pub kind: HookKind,
    pub file: HostPath,
    /// Counted from 1; None for a whole module.
    pub line: Option<usize>,
    pub text: String,
    /// Whether its effect on `sys.path` is unknown.
    pub may_add_entries: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookKind {
    /// An `import` line that nothing more is known of.
    ImportLine,
    /// setuptools' finder for an editable installation.
    EditableFinder {
        module: String,
    },
    /// setuptools' replacement of `distutils`.
    DistutilsPrecedence,
    /// The same line where the variable `SETUPTOOLS_USE_DISTUTILS` or its own default turns it off.
    DistutilsPrecedenceOff,
    /// virtualenv's patches of `distutils` and `setuptools`.
    Virtualenv,
    /// A namespace package of setuptools' old kind.
    Namespace,
    /// `site.addsitedir` with a literal directory, as uv writes it for `uv run --with`.
    SiteDirectory {
        directory: Spelling,
    },
    /// A line of a `.start` file (PEP 829).
    EntryPoint,
    /// Skipped, because a `.start` file of the same name exists (PEP 829).
    Suppressed,
    SiteCustomize,
    UserCustomize,
    /// A `site.py` found before the standard library's: none of the usual site directories is added.
    OtherSite,
}

/// Which options and variables are in force once each other's effects are counted.
pub(super) struct Settings {
    pub use_environment: bool,
    pub no_user_site: bool,
    pub no_site: bool,
    pub safe_path: bool,
}

impl Settings {
    fn new(question: &Question) -> Result<Self, Fatal> {
        let (flags, variables) = (&question.flags, question.variables);
        let version = question.build.version;
        let pypy = question.build.implementation == Implementation::PyPy;
        if flags.isolated && version < Version::new(3, 4) {
            return Err(Fatal::UnknownOption { option: 'I' });
        }
        if flags.safe_path && version < Version::new(3, 11) {
            return Err(Fatal::UnknownOption { option: 'P' });
        }
        let use_environment = !(flags.isolated || flags.ignore_environment);
        let variable = |value: &Option<Vec<u8>>| {
            value.clone().filter(|value| use_environment && !value.is_empty()).unwrap_or_default()
        };
        let no_user_site = variable(&variables.pythonnousersite);
        let says_no_user_site = !no_user_site.is_empty()
            && (pypy || version < Version::new(3, 7) || !counts_as_zero(&no_user_site));
        let safe_path_set = version >= Version::new(3, 11) && !variable(&variables.pythonsafepath).is_empty();
        Ok(Settings {
            use_environment,
            no_user_site: flags.isolated || flags.no_user_site || says_no_user_site,
            no_site: flags.no_site,
            safe_path: flags.isolated || flags.safe_path || safe_path_set,
        })
    }
}

/// `strtol` reads the whole of it as nought (`_Py_get_env_flag`, Python/preconfig.c).
fn counts_as_zero(value: &[u8]) -> bool {
    let blanks = value.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    let value = &value[blanks..];
    let digits = value.strip_prefix(b"+").or_else(|| value.strip_prefix(b"-")).unwrap_or(value);
    !digits.is_empty() && digits.iter().all(|byte| *byte == b'0')
}

/// What Python would report.
pub fn predict(files: &dyn Files, question: &Question) -> Prediction {
    let place = Place {
        files,
        flavour: question.executable.flavour(),
        working_directory: question.working_directory.as_ref().map(|path| path.as_bytes().to_vec()),
    };
    let mut settings = match Settings::new(question) {
        Ok(settings) => settings,
        Err(reason) => return stillborn(question, reason),
    };
    let located = match getpath::locate(&place, question, &settings) {
        Ok(located) => located,
        Err(reason) => return stillborn(question, reason),
    };
    if let Some(underscore) = &located.underscore_pth {
        settings.no_site = !underscore.imports_site;
        settings.use_environment = false;
        settings.safe_path = true;
        // Modules/getpath.py (3.11+) and PC/getpathp.c set `isolated` too, but the user site was settled
        // before, by `-I`, `-s` and PYTHONNOUSERSITE.
    }
    let mut prediction = from_located(question, &located);
    let fatal = located.cannot_start(&place, &settings, question.build);
    if let Some(hook) = customize::other_site(&place, question, &settings, &located) {
        prediction.hooks.push(hook);
    } else if !settings.no_site {
        let mut site = Site::new(&place, question, &settings, located);
        let result = if site27::takes_over(&site) {
            site27::run(&mut site)
        } else if site16::takes_over(&site) {
            site16::run(&mut site)
        } else {
            site.main()
        };
        let result = result.and_then(|()| pep582::run(&mut site));
        site.into_prediction(&mut prediction);
        match result {
            Ok(known) => customize::find(&place, &mut prediction, known),
            // PyPy says that site failed, and goes on without the rest of it.
            Err(reason) if question.build.implementation == Implementation::PyPy => {
                prediction.notes.push(format!("site fails, and Python goes on without it: {reason}"));
                prediction.user_site = UserSite::default();
            }
            Err(reason) => prediction.outcome = Outcome::Fatal { reason },
        }
    }
    // what site would add is told all the same
    if let Some(reason) = fatal {
        prediction.outcome = Outcome::Fatal { reason };
    }
    insert_first_entry(&place, question, &settings, &mut prediction);
    for entry in &mut prediction.entries {
        entry.state = state_of(&place, entry.directory.as_bytes());
    }
    prediction
}

fn stillborn(question: &Question, reason: Fatal) -> Prediction {
    let executable = Spelling::from(question.executable.as_bytes());
    Prediction {
        outcome: Outcome::Fatal { reason },
        executable,
        prefix: Spelling::default(),
        base_prefix: Spelling::default(),
        exec_prefix: Spelling::default(),
        base_exec_prefix: Spelling::default(),
        user_site: UserSite::default(),
        entries: Vec::new(),
        hooks: Vec::new(),
        notes: Vec::new(),
    }
}

fn from_located(question: &Question, located: &Located) -> Prediction {
    let mut notes = located.notes.clone();
    notes.extend(question.build.notes.iter().cloned());
    Prediction {
        outcome: Outcome::Starts,
        executable: located.executable.clone().into(),
        prefix: located.prefix.clone().into(),
        base_prefix: located.base_prefix.clone().into(),
        exec_prefix: located.exec_prefix.clone().into(),
        base_exec_prefix: located.base_exec_prefix.clone().into(),
        user_site: UserSite::default(),
        entries: located.entries.clone(),
        hooks: Vec::new(),
        notes,
    }
}

/// What the start puts first, after site has run (`pymain_run_python`, Modules/main.c).
fn insert_first_entry(place: &Place, question: &Question, settings: &Settings, prediction: &mut Prediction) {
    let version = question.build.version;
    let directory: Vec<u8> = match &question.start {
        // A bundle is what was asked to run, so neither -P nor -I leaves it out.
        Start::Bundle { path } => path.as_bytes().to_vec(),
        _ if settings.safe_path => return,
        Start::Script { directory } => directory.as_bytes().to_vec(),
        Start::Command => Vec::new(),
        Start::Module if version < Version::new(3, 7) => Vec::new(),
        Start::Module => match &place.working_directory {
            Some(directory) => directory.clone(),
            None => return,
        },
    };
    prediction.entries.insert(0, ImportEntry::new(directory, ImportOrigin::ScriptDirectory));
}

fn state_of(place: &Place, directory: &[u8]) -> EntryState {
    if place.is_directory(directory) {
        EntryState::Directory
    } else if place.exists(directory) {
        EntryState::File
    } else {
        EntryState::Missing
    }
}

#[cfg(test)]
#[path = "predict_tests.rs"]
mod tests;
