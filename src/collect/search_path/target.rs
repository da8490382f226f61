//! Where a file on the search path leads: to an interpreter, through a script's first line, or to a shim.

use super::{Found, Search, state};
use crate::facts::search_path::{DirectoryOwner, HitState, ShimManager, Target};
use crate::host::Host;
use crate::parse::launcher;
use crate::parse::shebang::{self, Shebang, is_python_name};
use crate::parse::wrapper;
use crate::path::{Flavour, HostPath};

/// The beginning of a script that is read: its first lines.
const HEAD: usize = 4096;

/// A script may lead to a script; a circle of them leads nowhere.
const DEPTH: usize = 4;

impl Search<'_> {
    pub fn leads_to(&self, found: &Found<'_>, name: &str) -> Target {
        self.follow(&found.path, found.state, found.entry.owner, name, 0)
    }

    pub fn follow(
        &self,
        path: &HostPath,
        state: HitState,
        owner: Option<DirectoryOwner>,
        name: &str,
        depth: usize,
    ) -> Target {
        if state == HitState::Directory || depth > DEPTH {
            return Target::Unknown;
        }
        let manager = match owner {
            Some(DirectoryOwner::PyenvShims) => Some(ShimManager::Pyenv),
            Some(DirectoryOwner::AsdfShims) => Some(ShimManager::Asdf),
            Some(DirectoryOwner::MiseShims) => Some(ShimManager::Mise),
            Some(DirectoryOwner::WindowsApps) => return self.store_alias(path),
            _ => None,
        };
        if let (Some(manager), Some(root)) = (manager, path.parent().and_then(|shims| shims.parent())) {
            return self.shim(manager, &root, name, depth);
        }
        let head = self.host.read(path, HEAD).map(|head| head.bytes).unwrap_or_default();
        if head.starts_with(b"#!") {
            if let Some(target) = self.wrapped(path, &head, name, depth) {
                return target;
            }
            return match pyenv_root(self.host, &head) {
                Some(root) => self.shim(ShimManager::Pyenv, &root, name, depth),
                None => self.script(path, program_of(&head), depth),
            };
        }
        if is_python_name(path.name().as_bytes()) {
            return Target::Interpreter { environment: interpreter_environment(self.host, path) };
        }
        if self.host.platform().flavour() == Flavour::Windows && head.starts_with(b"MZ") {
            return self.script(path, self.launched(path), depth);
        }
        Target::Unknown
    }

    fn script(&self, script: &HostPath, program: Option<Program>, depth: usize) -> Target {
        let relative_to = |directory: Option<HostPath>, name: &[u8]| Some(directory?.join(name).normalized());
        let interpreter = match program {
            Some(Program::Path(raw)) => match HostPath::new(script.flavour(), raw.as_slice()) {
                Some(path) => Some(path),
                None if script.flavour() == Flavour::Windows => relative_to(script.parent(), &raw),
                // the kernel takes a relative name from the working directory
                None => relative_to(self.host.working_directory().ok(), &raw),
            },
            Some(Program::BesideTheScript(name)) => {
                relative_to(self.host.canonical(script).ok().and_then(|real| real.parent()), &name)
            }
            Some(Program::Named(name)) => return self.named(&name, depth),
            None => None,
        };
        let Some(interpreter) = interpreter else { return Target::Unknown };
        let environment = is_python_name(interpreter.name().as_bytes())
            .then(|| interpreter_environment(self.host, &interpreter))
            .flatten();
        let runnable = state(self.host, &interpreter, None) == Some(HitState::Runnable);
        Target::Script { interpreter, runnable, environment }
    }

    /// A shell script called `python` that only starts one (`exec /v/bin/python "$@"`) runs in the environment of that.
    /// None where an environment has it in the place of its own program, or gives that its own name: then what it is
    /// for is not so plain.
    fn wrapped(&self, script: &HostPath, head: &[u8], name: &str, depth: usize) -> Option<Target> {
        let wrapper = wrapper::parse(head).filter(|wrapper| !wrapper.is_beside && !wrapper.keeps_name)?;
        let of_python = |(name, _): &(String, Vec<u8>)| name.starts_with("PYTHON");
        let is_python = is_python_name(script.name().as_bytes());
        if !is_python || wrapper.exports.iter().any(of_python) || in_environment(self.host, script) {
            return None;
        }
        let program = HostPath::new(script.flavour(), wrapper.program)?;
        let state = state(self.host, &program, None)?;
        let next = self.follow(&program, state, None, name, depth + 1);
        let interpreter = match next {
            Target::Script { ref interpreter, .. } => interpreter.clone(),
            _ => program,
        };
        let runnable = state == HitState::Runnable;
        Some(Target::Script { interpreter, runnable, environment: Some(next.environment()?.clone()) })
    }

    /// `#!/usr/bin/env NAME`: whatever the search path gives for the name.
    fn named(&self, name: &str, depth: usize) -> Target {
        let Some(found) = self.runnable(name, None) else { return Target::Unknown };
        let next = self.follow(&found.path, found.state, found.entry.owner, name, depth + 1);
        Target::Script { interpreter: found.path, runnable: true, environment: next.environment().cloned() }
    }

    /// The interpreter that a launcher names.
    fn launched(&self, path: &HostPath) -> Option<Program> {
        let size = self.host.metadata(path).ok()?.size;
        let from = size.saturating_sub(launcher::READ_LIMIT as u64);
        let tail = self.host.read_at(path, from, launcher::READ_LIMIT).ok()?.bytes;
        launcher::parse(&tail).map(|launcher| Program::Path(launcher.interpreter.into_bytes()))
    }

    /// An alias in `WindowsApps` is empty. It runs the Store's Python where that is installed, which shows
    /// by a directory of the package beside the alias; else it opens the Store.
    fn store_alias(&self, path: &HostPath) -> Target {
        let size = self.host.link_metadata(path).map(|metadata| metadata.size);
        let Some(directory) = path.parent().filter(|_| size == Ok(0) || size.is_err()) else {
            return Target::Interpreter { environment: interpreter_environment(self.host, path) };
        };
        let installed = self.host.list(&directory).is_ok_and(|listing| {
            listing
                .entries
                .iter()
                .any(|entry| entry.name.to_ascii_lowercase().starts_with(b"pythonsoftwarefoundation.python."))
        });
        if installed { Target::Interpreter { environment: None } } else { Target::StoreStub }
    }
}

/// Whether the file lies in the directory of a venv's or a conda environment's programs.
fn in_environment(host: &dyn Host, file: &HostPath) -> bool {
    file.parent().and_then(|directory| directory.parent()).is_some_and(|root| {
        host.is_file(&root.join("pyvenv.cfg")) || host.is_directory(&root.join("conda-meta"))
    })
}

/// The environment that an interpreter works in when it is started by this path: the venv whose
/// `pyvenv.cfg` is above or beside its directory, links not resolved (`site.venv`, and `getpath` since 3.11);
/// else the conda environment; else the prefix of the installation that its links end in. A link elsewhere to
/// a venv's interpreter is not in that venv. None where a dangling link leads to neither.
pub fn interpreter_environment(host: &dyn Host, interpreter: &HostPath) -> Option<HostPath> {
    let windows = host.platform().flavour() == Flavour::Windows;
    let directory = interpreter.parent()?;
    let above = directory.parent();
    let holds_programs = |directory: &HostPath| {
        let name = directory.name();
        name == "bin" || (windows && name.eq_ignore_ascii_case("scripts"))
    };
    let has_config = |directory: &HostPath| host.is_file(&directory.join("pyvenv.cfg"));
    if let Some(root) = above.filter(has_config) {
        return Some(root);
    }
    if has_config(&directory) {
        return if holds_programs(&directory) { directory.parent() } else { Some(directory) };
    }
    let prefix_of = |directory: HostPath| {
        if holds_programs(&directory) { directory.parent() } else { Some(directory) }
    };
    let prefix = prefix_of(directory)?;
    if host.is_directory(&prefix.join("conda-meta")) {
        return Some(prefix);
    }
    prefix_of(host.canonical(interpreter).ok()?.parent()?)
}

/// What a script's first lines say is to run it.
#[derive(Debug, PartialEq, Eq)]
enum Program {
    Path(Vec<u8>),
    /// Looked up on the search path by `env`.
    Named(String),
    /// A name in the directory of the script itself, links resolved.
    BesideTheScript(Vec<u8>),
}

/// What the kernel starts for these first lines, or what the two lines of a trampoline lead to.
fn program_of(head: &[u8]) -> Option<Program> {
    let script = shebang::parse(head);
    match &script.shebang {
        Shebang::None => None,
        Shebang::Plain { .. } => script.executed().map(Program::Path),
        Shebang::Trampoline { interpreter, .. } => Some(Program::Path(interpreter.as_bytes().to_vec())),
        // without -S env gets the rest of the line in one piece, and looks for a program of that name
        Shebang::Env { program, arguments, split: false, .. } if !arguments.is_empty() => {
            let rest = arguments.iter().map(|argument| argument.to_text());
            Some(Program::Named(std::iter::once(program.to_text()).chain(rest).collect::<Vec<_>>().join(" ")))
        }
        Shebang::Env { program, .. } if program.as_bytes().contains(&b'/') => {
            Some(Program::Path(program.as_bytes().to_vec()))
        }
        Shebang::Env { program, .. } => Some(Program::Named(program.to_text().into_owned())),
        Shebang::RelocatableTrampoline { name } => Some(Program::BesideTheScript(name.as_bytes().to_vec())),
    }
}

/// The root that a pyenv shim names, wherever the shim lies.
fn pyenv_root(host: &dyn Host, head: &[u8]) -> Option<HostPath> {
    let text = String::from_utf8_lossy(head);
    let line = text.lines().find(|line| line.contains("libexec/pyenv") || line.contains("bin/pyenv"))?;
    if !line.contains(" exec ") {
        return None;
    }
    let root = text.lines().find_map(|line| line.trim().strip_prefix("export PYENV_ROOT="))?;
    HostPath::new(host.platform().flavour(), root.trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Option<Program> {
        Some(Program::Path(text.as_bytes().to_vec()))
    }

    fn named(text: &str) -> Option<Program> {
        Some(Program::Named(text.to_owned()))
    }

    #[test]
    fn reads_first_lines() {
        assert_eq!(program_of(b"#!/v/bin/python\nimport x"), path("/v/bin/python"));
        assert_eq!(program_of(b"#! /v/bin/python -E -s\n"), path("/v/bin/python"));
        assert_eq!(program_of(b"#!/v/bin/python\r\n"), path("/v/bin/python\r"));
        assert_eq!(program_of(b"#!/usr/bin/env python3\n"), named("python3"));
        assert_eq!(program_of(b"#!/usr/bin/env -S python3 -u\n"), named("python3"));
        assert_eq!(program_of(b"#!/usr/bin/env -S A=1 -i python3 -u\n"), named("python3"));
        assert_eq!(program_of(b"#!/usr/bin/env python3 -u\n"), named("python3 -u"));
        assert_eq!(program_of(b"#!/bin/sh\necho\n"), path("/bin/sh"));
        assert_eq!(program_of(b"#!\n"), None);
        assert_eq!(program_of(b"#!/caf\xe9/python\n"), Some(Program::Path(b"/caf\xe9/python".to_vec())));
    }

    #[test]
    fn reads_trampolines() {
        let sh = |line: &str| program_of(format!("#!/bin/sh\n'''exec' {line}\n' '''\nimport x\n").as_bytes());
        assert_eq!(sh("/long/bin/python \"$0\" \"$@\""), path("/long/bin/python"));
        assert_eq!(sh("\"/a b/bin/python\" \"$0\" \"$@\""), path("/a b/bin/python"));
        assert_eq!(sh("'/a b/it'\"'\"'s/bin/python' \"$0\" \"$@\""), path("/a b/it's/bin/python"));
        let beside = Some(Program::BesideTheScript(b"python3".to_vec()));
        let line = "\"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python3' \"$0\" \"$@\"";
        assert_eq!(sh(line), beside);
    }

    #[test]
    fn knows_interpreters_by_name() {
        for name in [
            "python",
            "python3",
            "python3.13t",
            "python2.7",
            "pypy3.10",
            "Python.exe",
            "pythonw.exe",
            "python3d",
        ] {
            assert!(is_python_name(name.as_bytes()), "{name}");
        }
        for name in ["python-config", "python3-config", "pip", "pythonize", "ipython"] {
            assert!(!is_python_name(name.as_bytes()), "{name}");
        }
    }
}
