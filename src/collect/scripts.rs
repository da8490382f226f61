//! Entry scripts: how each finds its interpreter.

use super::environment::Own;
use crate::facts::environment::{Launch, LaunchKind, Script};
use crate::host::{FileKind, Host, Listing, OpenDirectory};
use crate::parse::activate::ActivatorKind;
use crate::parse::launcher;
use crate::parse::shebang::{self, Shebang, is_python_name, names_python};
use crate::path::{Flavour, HostPath, readable};

/// So much of a script is read: its first lines and its imports.
const SCRIPT_LIMIT: usize = 1024;
/// A Windows launcher is a program with a small archive behind it.
const LAUNCHER_LIMIT: usize = 512 * 1024;

/// The executables in `directory` that installers put there, with what they run.
pub fn entry_scripts(
    host: &dyn Host,
    own: &Own,
    directory: &HostPath,
    listing: &Listing,
    most: usize,
) -> Vec<Script> {
    let names: Vec<&[u8]> = listing
        .entries
        .iter()
        .filter(|entry| entry.kind == FileKind::File && !is_python_name(&entry.name))
        .filter(|entry| ActivatorKind::from_file_name(&entry.name).is_none())
        .map(|entry| entry.name.as_slice())
        .take(most)
        .collect();
    let open = host.open_directory(directory);
    let mut states = States { own, known: Vec::new(), spare: Vec::new() };
    names.iter().filter_map(|name| entry_script(host, &mut states, &open, name)).collect()
}

fn entry_script(
    host: &dyn Host,
    states: &mut States<'_>,
    directory: &OpenDirectory,
    name: &[u8],
) -> Option<Script> {
    let path = directory.path.join(name);
    let name = path.name().into_owned();
    let windows_program = name.to_ascii_lowercase().ends_with(".exe");
    let limit = if windows_program { LAUNCHER_LIMIT } else { SCRIPT_LIMIT };
    let below = directory.below(path.file_name()?, limit);
    let contents = host.read_below(below, std::mem::take(&mut states.spare)).ok()?;
    let launch = if windows_program {
        let launcher = launcher::parse(&contents.bytes)?;
        let interpreter = HostPath::new(Flavour::Windows, launcher.interpreter);
        states.launch(host, LaunchKind::Launcher, interpreter, 0, false)
    } else {
        launch(host, states, &path, &contents.bytes)
    };
    let module = shebang::imported_module(&contents.text());
    states.spare = contents.bytes;
    Some(Script { executable: contents.mode & 0o111 != 0, module, name, path, launch })
}

fn launch(host: &dyn Host, states: &mut States<'_>, path: &HostPath, bytes: &[u8]) -> Launch {
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
    states.launch(host, kind, interpreter, script.line_length, script.crlf)
}

/// What the places that scripts name are today. Most scripts of an environment name one interpreter, so
/// each is looked at once.
struct States<'a> {
    own: &'a Own,
    known: Vec<(HostPath, Launch)>,
    /// For reading.
    spare: Vec<u8>,
}

impl States<'_> {
    fn launch(
        &mut self,
        host: &dyn Host,
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
            root_state: root.as_ref().map(|root| self.own.state_of(host, root)),
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
