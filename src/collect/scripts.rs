//! Entry scripts, how each finds its interpreter, and activate scripts.

use super::environment::Own;
use crate::facts::environment::{Activator, Environment, EnvironmentKind, Launch, LaunchKind, Script};
use crate::host::{FileKind, Host, Listing, OpenDirectory};
use crate::parallel::{self, Queue, Share};
use crate::parse::activate::{self, ActivatorKind};
use crate::parse::launcher;
use crate::parse::shebang::{self, Shebang, is_python_name, names_python};
use crate::path::{Flavour, HostPath, readable};

/// So much of a script is read: its first lines and its imports.
const SCRIPT_LIMIT: usize = 1024;
const ACTIVATOR_LIMIT: usize = 64 * 1024;
/// So many names of one `bin` are looked at as entry scripts.
const MOST_SCRIPTS: usize = 5_000;
/// A Windows launcher is a program with a small archive behind it.
const LAUNCHER_LIMIT: usize = 512 * 1024;

/// The scripts of an environment while they are read, by one thread or more.
#[derive(Debug)]
pub struct Scripts {
    own: Own,
    directory: OpenDirectory,
    activators: Vec<(ActivatorKind, HostPath)>,
    /// Of the executables that installers put there.
    names: Vec<Vec<u8>>,
    queue: Queue,
}

/// What one thread has read.
pub type Read = Share<Option<Script>>;

impl Scripts {
    /// By the listing of their directory.
    pub fn of(host: &dyn Host, environment: &Environment, listing: &Listing) -> Scripts {
        let directory = environment.script_directory.clone().unwrap_or_else(|| environment.root.join("bin"));
        let wanted: fn(&[u8]) -> bool = match environment.kind {
            EnvironmentKind::Venv | EnvironmentKind::Remains | EnvironmentKind::LegacyVirtualenv => |_| true,
            // its `bin` holds every program of every package: only the installer's matter
            EnvironmentKind::Conda => |name| name.starts_with(b"pip"),
            EnvironmentKind::Installation | EnvironmentKind::Missing | EnvironmentKind::Other => |_| false,
        };
        let mut scripts = Scripts {
            own: Own::of(environment),
            directory: host.open_directory(&directory),
            activators: Vec::new(),
            names: Vec::new(),
            queue: Queue::default(),
        };
        for entry in listing.entries.iter().filter(|entry| wanted(&entry.name)) {
            if let Some(kind) = ActivatorKind::from_file_name(&entry.name) {
                scripts.activators.push((kind, directory.join(&entry.name)));
            } else if entry.kind == FileKind::File
                && !is_python_name(&entry.name)
                && scripts.names.len() < MOST_SCRIPTS
            {
                scripts.names.push(entry.name.clone());
            }
        }
        scripts
    }

    /// Reads the entry scripts that no other thread has begun to read.
    pub fn read(&self, host: &dyn Host) -> Read {
        self.queue.share(&self.names, |states: &mut States, name| self.entry_script(host, states, name))
    }

    /// Reads what is left, and adds all to the environment.
    pub fn add(&self, host: &dyn Host, environment: &mut Environment) {
        self.add_with(host, environment, Vec::new);
    }

    /// The same where other threads have read a part.
    pub fn add_with(&self, host: &dyn Host, environment: &mut Environment, others: impl FnOnce() -> Read) {
        environment.activators =
            self.activators.iter().map(|(kind, path)| activator(host, &self.own, *kind, path)).collect();
        let mut read = self.read(host);
        read.extend(others());
        environment.scripts = parallel::in_order(read).into_iter().filter_map(|(_, script)| script).collect();
    }

    fn entry_script(&self, host: &dyn Host, states: &mut States, name: &[u8]) -> Option<Script> {
        let path = self.directory.path.join(name);
        let name = path.name().into_owned();
        let windows_program = name.to_ascii_lowercase().ends_with(".exe");
        let limit = if windows_program { LAUNCHER_LIMIT } else { SCRIPT_LIMIT };
        let below = self.directory.below(path.file_name()?, limit);
        let contents = host.read_below(below, std::mem::take(&mut states.spare)).ok()?;
        let launch = if windows_program {
            let launcher = launcher::parse(&contents.bytes)?;
            let interpreter = HostPath::new(Flavour::Windows, launcher.interpreter);
            states.launch(host, &self.own, LaunchKind::Launcher, interpreter, 0, false)
        } else {
            launch(host, &self.own, states, &path, &contents.bytes)
        };
        let module = shebang::imported_module(&contents.text());
        states.spare = contents.bytes;
        Some(Script { executable: contents.mode & 0o111 != 0, module, name, path, launch })
    }
}

fn activator(host: &dyn Host, own: &Own, kind: ActivatorKind, path: &HostPath) -> Activator {
    let contents = host.read(path, ACTIVATOR_LIMIT).ok();
    let bytes = contents.as_ref().map_or(&[][..], |contents| &contents.bytes);
    let baked = activate::baked_root(kind, bytes);
    let root = baked.as_ref().and_then(|baked| HostPath::new(path.flavour(), baked.root.as_bytes().to_vec()));
    let first_line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Activator {
        kind,
        root_state: root.as_ref().map(|root| own.state_of(host, root)),
        root,
        line: baked.map(|baked| baked.line),
        executable: contents
            .as_ref()
            .map(|contents| contents.mode)
            .or_else(|| host.metadata(path).ok().map(|metadata| metadata.mode))
            .is_some_and(|mode| mode & 0o111 != 0)
            && path.flavour() == Flavour::Posix,
        crlf: first_line.ends_with(b"\r")
            && matches!(kind, ActivatorKind::Posix | ActivatorKind::Fish | ActivatorKind::Csh),
        path: path.clone(),
    }
}

fn launch(host: &dyn Host, own: &Own, states: &mut States, path: &HostPath, bytes: &[u8]) -> Launch {
    let script = shebang::parse(bytes);
    let absolute = |raw: &[u8]| HostPath::new(path.flavour(), raw.to_vec());
    let (kind, interpreter) = match &script.shebang {
        Shebang::Plain { interpreter, intended: Some(intended), .. } if interpreter != intended => {
            (LaunchKind::ShebangWithSpace, absolute(intended.as_bytes()))
        }
        Shebang::Plain { interpreter, .. } if names_python(interpreter.as_bytes()) => {
            (LaunchKind::Shebang, absolute(interpreter.as_bytes()))
        }
        Shebang::Env { program, .. } if names_python(program.as_bytes()) => (LaunchKind::Env, None),
        Shebang::Trampoline { interpreter, .. } => (LaunchKind::Trampoline, absolute(interpreter.as_bytes())),
        Shebang::RelocatableTrampoline { name } => {
            (LaunchKind::Relocatable, path.parent().map(|directory| directory.join(name.as_bytes())))
        }
        _ => (LaunchKind::Other, None),
    };
    states.launch(host, own, kind, interpreter, script.line_length, script.crlf)
}

/// What the places that scripts name are today. Most scripts of an environment name one interpreter, so
/// each is looked at once.
#[derive(Default)]
struct States {
    known: Vec<(HostPath, Launch)>,
    /// For reading.
    spare: Vec<u8>,
}

impl States {
    fn launch(
        &mut self,
        host: &dyn Host,
        own: &Own,
        kind: LaunchKind,
        interpreter: Option<HostPath>,
        line_length: usize,
        crlf: bool,
    ) -> Launch {
        let Some(interpreter) = interpreter else {
            return Launch {
                kind,
                interpreter: None,
                interpreter_exists: false,
                root: None,
                root_state: None,
                line_length,
                crlf,
            };
        };
        if let Some((_, known)) = self.known.iter().find(|(path, _)| *path == interpreter) {
            return Launch { kind, line_length, crlf, ..known.clone() };
        }
        let root = environment_root(&interpreter);
        let launch = Launch {
            kind,
            interpreter_exists: host.is_file(&interpreter),
            root_state: root.as_ref().map(|root| own.state_of(host, root)),
            root,
            interpreter: Some(interpreter.clone()),
            line_length,
            crlf,
        };
        self.known.push((interpreter, launch.clone()));
        launch
    }
}

/// `ROOT` of `ROOT/bin/python` and `ROOT\Scripts\python.exe`.
fn environment_root(interpreter: &HostPath) -> Option<HostPath> {
    let directory = interpreter.parent()?;
    let name = readable(directory.file_name()?).to_ascii_lowercase();
    matches!(name.as_str(), "bin" | "scripts").then(|| directory.parent()).flatten()
}
