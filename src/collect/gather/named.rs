//! Which environments something names, and which of them is examined.

use super::{Configured, MOST_ENVIRONMENTS, Request, RequestError};
use crate::collect::project::environments::UV_PROJECT_ENVIRONMENT;
use crate::collect::{interpreter, links, search_path};
use crate::facts::Origin;
use crate::facts::search_path::{Command, HitState, SearchPath, Target};
use crate::facts::shell::Shell;
use crate::host::Host;
use crate::path::HostPath;

/// What `--python` names.
pub(super) struct Argument {
    pub(super) root: Option<HostPath>,
    pub(super) interpreter: Option<HostPath>,
}

pub(super) fn argument(
    host: &dyn Host,
    request: &Request,
    search_path: &SearchPath,
    working_directory: Option<&HostPath>,
) -> Result<Option<Argument>, RequestError> {
    let Some(raw) = &request.python else { return Ok(None) };
    let asked = crate::path::readable(raw).into_owned();
    let flavour = host.platform().flavour();
    let is_name = !raw.iter().any(|byte| *byte == b'/' || *byte == b'\\');
    let here = working_directory.map(|directory| directory.join(raw));
    let path = match HostPath::new(flavour, raw.clone()) {
        Some(path) => Some(path),
        None if is_name && !here.as_ref().is_some_and(|path| host.is_directory(path)) => {
            let found = search_path::commands(host, search_path, &[asked.as_str()]);
            found.first().and_then(Command::chosen).map(|hit| hit.path.clone())
        }
        None => here,
    };
    let Some(path) = path.map(|path| path.normalized()) else {
        return Err(RequestError::Python { asked, why: "no program of that name is on PATH".to_owned() });
    };
    match host.link_metadata(&path) {
        Err(error) => Err(RequestError::Python { asked, why: error.to_string() }),
        Ok(_) if host.is_directory(&path) => {
            let bin = if path.name() == "bin" || path.name() == "Scripts" { path.parent() } else { None };
            Ok(Some(Argument { root: Some(bin.unwrap_or(path)), interpreter: None }))
        }
        Ok(_) => {
            let chain = links::chain(host, &path);
            Ok(Some(Argument {
                root: interpreter::environment_of(host, &path, &chain),
                interpreter: Some(path),
            }))
        }
    }
}

/// An environment's root and how it was learnt of.
pub(super) type Named = (HostPath, Vec<Origin>);

/// Every environment that something names; two spellings of one real directory are one.
pub(super) fn named_environments(
    host: &dyn Host,
    shell: &Shell,
    search_path: &SearchPath,
    commands: &[Command],
    of_project: &[(HostPath, Origin)],
    argument: Option<&Argument>,
) -> Vec<Named> {
    let mut named = Roots { host, known: Vec::new() };
    if let Some(root) = argument.and_then(|argument| argument.root.as_ref()) {
        named.add(root, Origin::Argument);
    }
    for name in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        let value = match shell.seen_through {
            Some(_) => shell.path_variable(name),
            None => host.path_variable(name),
        };
        if let Some(root) = value {
            named.add(&root.normalized(), Origin::Variable(name.to_owned()));
        }
    }
    for entry in &search_path.entries {
        if let Some(root) = &entry.environment {
            named.add(root, Origin::SearchPath(entry.index));
        }
    }
    for (root, origin) in of_project {
        named.add(root, origin.clone());
    }
    for command in commands.iter().filter(|command| is_python_or_pip(&command.name)) {
        for hit in command.hits.iter().filter(|hit| hit.state == HitState::Runnable) {
            let Some(root) = hit.leads_to.environment() else { continue };
            let origin = match &hit.leads_to {
                Target::Script { .. } => Origin::Shebang { script: hit.path.clone() },
                _ => Origin::SearchPath(hit.entry),
            };
            named.add(root, origin);
        }
    }
    named.known.truncate(MOST_ENVIRONMENTS);
    named.known.into_iter().map(|(root, _, origins)| (root, origins)).collect()
}

fn is_python_or_pip(name: &str) -> bool {
    name.starts_with("python") || name.starts_with("pip") && name != "pipenv" && name != "pipx"
}

struct Roots<'a> {
    host: &'a dyn Host,
    known: Vec<(HostPath, HostPath, Vec<Origin>)>,
}

impl Roots<'_> {
    fn add(&mut self, root: &HostPath, origin: Origin) {
        let real = links::resolved(self.host, root);
        match self
            .known
            .iter_mut()
            .find(|(known, known_real, _)| known.same_as(root) || known_real.same_as(&real))
        {
            Some((_, _, origins)) if origins.contains(&origin) => {}
            Some((_, _, origins)) => origins.push(origin),
            None => self.known.push((root.clone(), real, vec![origin])),
        }
    }
}

/// The environment that the project's configuration names, where there is one.
pub(super) fn configured(
    host: &dyn Host,
    asked: &Configured,
    notes: &mut Vec<String>,
) -> Option<(HostPath, Origin)> {
    let Configured { path, file, line } = asked;
    let root = match host.link_metadata(path) {
        Ok(_) if host.is_directory(path) => Some(path.clone()),
        Ok(_) => interpreter::environment_of(host, path, &links::chain(host, path)),
        Err(error) => {
            notes.push(format!("{path}, which line {line} of {file} names as the environment: {error}"));
            None
        }
    }?;
    Some((root, Origin::ConfigKey { file: file.clone(), line: *line, key: "python".to_owned() }))
}

/// The environment under examination: named on the command line, else the active one inside of tox and the like, else
/// named by the configuration, else by `UV_PROJECT_ENVIRONMENT`, else the project's, else the active one, else that of
/// the shell's python. Something that only claims to be an environment is none.
pub(super) fn patient(
    host: &dyn Host,
    named: &[Named],
    argument: Option<&Argument>,
    configured: Option<&HostPath>,
    shell: &Shell,
    commands: &[Command],
) -> Option<HostPath> {
    if let Some(root) = argument.and_then(|argument| argument.root.as_ref()) {
        return Some(root.clone());
    }
    let exists = |root: &HostPath| host.is_directory(root);
    let first = |wanted: &dyn Fn(&Origin) -> bool| {
        named
            .iter()
            .find(|(root, origins)| exists(root) && origins.iter().any(wanted))
            .map(|(root, _)| root.clone())
    };
    // `uv sync` and `uv run` use the environment that it names, and `.venv` only where it is unset
    let chosen_for_uv = || first(&|origin| *origin == Origin::Variable(UV_PROJECT_ENVIRONMENT.to_owned()));
    let of_project = || {
        first(&|origin| {
            matches!(origin, Origin::FoundUpwards { .. } | Origin::Tool(_) | Origin::ConfigKey { .. })
        })
    };
    let active = || first(&|origin| matches!(origin, Origin::Variable(_)));
    // inside tox, `uv run` and the like the active environment is the right one
    let by_wrapper = shell.environment_wrapper().and_then(|_| active());
    let running = || {
        let python = ["python", "python3"].iter().find_map(|name| {
            commands.iter().find(|command| command.name == *name).and_then(Command::chosen)
        })?;
        let root = python.leads_to.environment()?;
        named.iter().find(|(known, _)| known.same_as(root)).map(|(known, _)| known.clone())
    };
    let configured = || {
        let real = links::resolved(host, configured?);
        named
            .iter()
            .map(|(root, _)| root)
            .find(|root| links::resolved(host, root).same_as(&real) && exists(root))
            .cloned()
    };
    by_wrapper.or_else(configured).or_else(chosen_for_uv).or_else(of_project).or_else(active).or_else(running)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::collect::gather;
    use crate::host::fake::FakeMachine;

    const OWN: &str = "/home/me/project/.venv";
    const CHOSEN: &str = "/opt/venv";

    fn patient(manager: &str) -> Option<HostPath> {
        let venv = |host: FakeMachine, root: &str| {
            host.file(format!("{root}/pyvenv.cfg"), "home = /usr/bin\nversion = 3.11.2\n")
                .link(format!("{root}/bin/python"), "/usr/bin/python3.11")
        };
        let host = FakeMachine::linux()
            .executable("/usr/bin/python3.11", "\x7fELF")
            .file("/home/me/project/pyproject.toml", format!("[project]\nname = 'shop'\n{manager}"))
            .cwd("/home/me/project")
            .variable("VIRTUAL_ENV", CHOSEN)
            .variable("UV_PROJECT_ENVIRONMENT", CHOSEN)
            .variable("PATH", format!("{CHOSEN}/bin:/usr/bin"));
        let request = Request {
            directory: None,
            python: None,
            configured: None,
            execute: false,
            deadline: Duration::from_secs(10),
            needs: Default::default(),
        };
        gather::facts(&venv(venv(host, OWN), CHOSEN), &request).unwrap().patient
    }

    #[test]
    fn the_environment_that_uv_is_told_to_use_comes_before_the_one_beside_the_project() {
        assert_eq!(patient("[tool.uv]\n"), Some(HostPath::posix(CHOSEN)));
        assert_eq!(patient(""), Some(HostPath::posix(CHOSEN)));
        assert_eq!(patient("[tool.pdm]\n"), Some(HostPath::posix(OWN)), "pdm does not ask it");
    }
}
