//! What besides installed packages decides what Python imports here: variables, start-up hooks, the files beside the
//! scripts, and files that this user may not read.

use serde::{Deserialize, Serialize};

use super::distribution::TopLevelKind;
use super::interpreter::Version;
use super::project::ImportedModule;
use crate::path::HostPath;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImportSetup {
    /// The entries of `PYTHONPATH`, empty where it is not set or empty.
    pub python_path: Vec<PythonPathEntry>,
    pub python_home: Option<PythonHome>,
    /// What `PYTHONSTARTUP` names, and whether it is there.
    pub startup_file: Option<StartupFile>,
    /// Files that `site` imports at every start, in the order in which they are found.
    pub hooks: Vec<StartupHook>,
    /// Modules that run-at-start code imports and that are nowhere; looked for where the interpreter was not asked.
    #[serde(default)]
    pub unmet: Vec<UnmetImport>,
    /// Directories that become the first entry of the import path: the working directory, the project's root, and
    /// those of its scripts.
    pub script_directories: Vec<ScriptDirectory>,
    /// Programs in the user's script directory that import from the user site; read where `PYTHONNOUSERSITE` is set.
    pub user_tools: Vec<UserTool>,
    /// Lines of the shell's start-up files that set one of the variables that steer Python or pip, where it is set now.
    pub variable_lines: Vec<VariableLine>,
    /// Files of environments that this user may not read or change; nothing where all is well.
    pub locked: Vec<LockedFiles>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PythonPathEntry {
    pub index: usize,
    /// As written, made readable.
    pub raw: String,
    /// Absolute and normalised, relative ones against the working directory.
    pub directory: Option<HostPath>,
    pub relative: bool,
    /// A directory or an archive is there.
    pub exists: bool,
    /// The Python that the directory's name is for: `.../python3.8/site-packages`.
    pub version: Option<Version>,
    /// Distributions in it, by the names of their metadata directories.
    pub distributions: Vec<(String, String)>,
    /// Top-level names that can be imported from it, sorted.
    pub modules: Vec<String>,
}

impl PythonPathEntry {
    /// An empty entry means the working directory.
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }
}

/// `export PYTHONPATH=...` in a start-up file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariableLine {
    pub variable: String,
    pub file: HostPath,
    pub line: usize,
    /// Without credentials.
    pub text: String,
}

/// What `PYTHONHOME` names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PythonHome {
    pub raw: String,
    /// Its first part; a second one (`PREFIX:EXEC_PREFIX`) is for compiled modules alone, and counts where the first
    /// is empty.
    pub prefix: Option<HostPath>,
    /// Versions whose standard library is there (`lib/pythonX.Y/os.py`; `lib-dynload` where only compiled modules are
    /// taken from there).
    pub standard_libraries: Vec<Version>,
    /// Windows' `Lib\os.py`, which names no version.
    pub unversioned_library: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartupFile {
    pub path: HostPath,
    pub exists: bool,
}

/// A `sitecustomize` or `usercustomize`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartupHook {
    /// `sitecustomize`, `usercustomize`.
    pub module: String,
    pub path: HostPath,
    pub place: HookPlace,
    /// Modules that it imports at its top level, with their lines.
    pub imports: Vec<(usize, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookPlace {
    /// The entry of `PYTHONPATH` with this index.
    PythonPath(usize),
    SitePackages,
    UserSite,
    /// Beside the standard library, as distributors do.
    StandardLibrary,
}

/// An import of code that runs at every start, of a module that is nowhere on the foretold import path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmetImport {
    /// A `.pth` file, a `sitecustomize` or a `usercustomize`.
    pub file: HostPath,
    pub line: usize,
    pub text: String,
    /// Its first part.
    pub module: String,
}

/// A directory that scripts are started from or lie in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptDirectory {
    pub directory: HostPath,
    /// What `import` finds there, sorted by name; namespace packages are left out.
    pub modules: Vec<LocalModule>,
    /// Bytecode files outside `__pycache__` without a source, extension or package of the same name beside them.
    pub bytecode: Vec<OrphanBytecode>,
    /// Normalised names (PEP 503) of the distributions whose metadata lies there: `pip install --target` puts it so.
    #[serde(default)]
    pub distributions: Vec<String>,
    /// Every module that its files import at their top level, local ones too; the first place of each file.
    pub imports: Vec<ImportedModule>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalModule {
    pub name: String,
    pub path: HostPath,
    pub kind: TopLevelKind,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrphanBytecode {
    pub name: String,
    pub path: HostPath,
    /// The first two bytes, which tell the Python that it was compiled for. None: it is too short or unreadable.
    pub magic: Option<u16>,
    /// Whether sources lie in the same directory, so that it is no place that ships bytecode alone.
    pub among_sources: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserTool {
    pub script: HostPath,
    pub interpreter: HostPath,
    /// The Python whose user site it needs.
    pub version: Version,
    pub module: String,
    /// That module in the user site.
    pub found: HostPath,
}

/// Entries directly in an environment's directories that its user may not read or change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedFiles {
    /// Root of the environment.
    pub environment: HostPath,
    /// At most twenty.
    pub unreadable: Vec<LockedFile>,
    pub unreadable_count: usize,
    /// At most twenty.
    pub unwritable: Vec<LockedFile>,
    pub unwritable_count: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedFile {
    pub path: HostPath,
    pub owner: u32,
    pub group: u32,
    /// Permission bits.
    pub mode: u32,
}

impl LockedFile {
    /// `drwx------`, as `ls -l` shows the bits, with the owner's number.
    pub fn describe(&self) -> String {
        let letters = ['r', 'w', 'x'];
        let bits: String = (0..9)
            .map(|index| if self.mode & (0o400 >> index) != 0 { letters[index % 3] } else { '-' })
            .collect();
        format!("{bits}, owner {} (group {}): {}", self.owner, self.group, self.path)
    }
}

impl ImportSetup {
    /// The last line that sets this variable.
    pub fn line_of(&self, variable: &str) -> Option<&VariableLine> {
        self.variable_lines.iter().rfind(|line| line.variable == variable)
    }

    /// The first entry of `PYTHONPATH` that this directory is.
    pub fn python_path_entry(&self, directory: &HostPath) -> Option<&PythonPathEntry> {
        self.python_path
            .iter()
            .find(|entry| entry.directory.as_ref().is_some_and(|own| own.same_as(directory)))
    }
}
