//! Unit files and crontabs that run one of the project's files with an interpreter from elsewhere.

use std::collections::BTreeSet;

use super::ProjectContext;
use super::scripts::{imported_by, shebang};
use crate::facts::platform::System;
use crate::facts::project::{ScriptInterpreter, ServiceLine};
use crate::host::{FileKind, Files, Listing};
use crate::parse::service::{self, ServiceCommand};
use crate::parse::shebang::is_python_name;
use crate::path::{Flavour, HostPath};

/// So many files of a directory are read, and so much of each.
const FILES: usize = 200;
const SIZE: usize = 64 << 10;

/// Directories of a project that keep what is installed elsewhere.
const DEPLOYMENT: [&[u8]; 11] = [
    b"conf",
    b"config",
    b"contrib",
    b"deploy",
    b"deployment",
    b"etc",
    b"init",
    b"scripts",
    b"service",
    b"services",
    b"systemd",
];

/// What cron and systemd search when a file sets no `PATH` (crontab(5), systemd.exec(5)).
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Without an environment of its own a project cannot be run by the wrong one: then nothing is read.
pub fn service_lines(
    files: &dyn Files,
    root: &HostPath,
    listing: &Listing,
    environments: &[HostPath],
    local: &BTreeSet<String>,
    context: &ProjectContext,
) -> Vec<ServiceLine> {
    if environments.is_empty() || context.places.system == System::Windows {
        return Vec::new();
    }
    let project = Target { files, root, environments, local, home: context.places.home };
    let mut lines = Vec::new();
    let config = context.places.path("XDG_CONFIG_HOME").or_else(|| context.places.in_home(".config"));
    let user_units = config.map(|config| config.join("systemd").join("user"));
    let below = listing.entries.iter().filter(|entry| {
        entry.kind == FileKind::Directory && DEPLOYMENT.contains(&entry.name.to_ascii_lowercase().as_slice())
    });
    let below = below.map(|entry| root.join(&entry.name));
    let installed = user_units.into_iter().chain([HostPath::posix("/etc/systemd/system")]);
    for directory in installed.chain([root.clone()]).chain(below) {
        let listing = if directory == *root { listing } else { &files.list(&directory).unwrap_or_default() };
        let units = listing.entries.iter().filter(|entry| {
            entry.name.ends_with(b".service") && matches!(entry.kind, FileKind::File | FileKind::Link)
        });
        for unit in units.take(FILES) {
            lines.extend(project.lines(&directory.join(&unit.name), service::unit));
        }
    }

    let own = |text: &str| service::crontab(text, false);
    let systems = |text: &str| service::crontab(text, true);
    if let Some(user) = context.user.filter(|user| !user.contains('/')) {
        for spool in ["/var/spool/cron/crontabs", "/var/spool/cron"] {
            lines.extend(project.lines(&HostPath::posix(spool).join(user), own));
        }
    }
    lines.extend(project.lines(&HostPath::posix("/etc/crontab"), systems));
    let directory = HostPath::posix("/etc/cron.d");
    for entry in files.list(&directory).unwrap_or_default().entries.iter().take(FILES) {
        lines.extend(project.lines(&directory.join(&entry.name), systems));
    }
    let of_project = listing.entries.iter().filter(|entry| {
        entry.kind == FileKind::File && (entry.name == b"crontab" || entry.name.ends_with(b".cron"))
    });
    for entry in of_project.take(FILES) {
        lines.extend(project.lines(&root.join(&entry.name), own));
    }
    lines
}

struct Target<'a> {
    files: &'a dyn Files,
    root: &'a HostPath,
    environments: &'a [HostPath],
    local: &'a BTreeSet<String>,
    home: Option<&'a HostPath>,
}

impl Target<'_> {
    fn lines(&self, file: &HostPath, parse: impl Fn(&str) -> Vec<ServiceCommand>) -> Vec<ServiceLine> {
        let Ok(contents) = self.files.read(file, SIZE) else { return Vec::new() };
        let text = contents.text();
        // most files have nothing to do with the project: its root's name does not stand in them
        if !self.root.file_name().is_some_and(|name| text.contains(&*crate::path::readable(name))) {
            return Vec::new();
        }
        parse(&text).into_iter().filter_map(|command| self.line(file, &command)).collect()
    }

    /// The command, when it runs a file of the project with an interpreter that is not the project's.
    fn line(&self, file: &HostPath, command: &ServiceCommand) -> Option<ServiceLine> {
        let directory = command.directory.as_ref().and_then(|text| self.path(text, self.home));
        let mut words = command.words.iter();
        let mut program = words.next()?;
        if program.rsplit('/').next() == Some("env") {
            program = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
        }
        let (interpreter, script) = if is_python_name(program.rsplit('/').next()?.as_bytes()) {
            (program.clone(), self.script(words, directory.as_ref())?)
        } else {
            let script = self.path(program, directory.as_ref())?;
            let interpreter = match self.own_file(&script).then(|| shebang(self.files, &script))??.interpreter
            {
                ScriptInterpreter::Path(path) => path.to_text().into_owned(),
                ScriptInterpreter::Env(name) => name,
            };
            (interpreter, script)
        };
        if self.is_own_interpreter(&interpreter, directory.as_ref(), command.search_path.as_deref()) {
            return None;
        }
        Some(ServiceLine {
            file: file.clone(),
            line: command.line,
            text: command.text.clone(),
            interpreter,
            imports: imported_by(self.files, &script, self.local),
            script,
        })
    }

    /// The file that `python [options] FILE` or `python -m MODULE` runs, where it is one of the project's.
    fn script<'w>(
        &self,
        mut words: impl Iterator<Item = &'w String>,
        directory: Option<&HostPath>,
    ) -> Option<HostPath> {
        while let Some(word) = words.next() {
            match word.as_str() {
                "-c" => return None,
                "-m" => {
                    let module = self.path(&words.next()?.replace('.', "/"), directory)?;
                    let source = module.parent()?.join([module.file_name()?, b".py"].concat());
                    let package = module.join("__main__.py");
                    return [source, package].into_iter().find(|path| self.own_file(path));
                }
                "-W" | "-X" => {
                    words.next();
                }
                option if option.starts_with('-') => {}
                script => return self.path(script, directory).filter(|path| self.own_file(path)),
            }
        }
        None
    }

    /// A path as a unit or crontab writes it: `%h` and `~` are the home directory (systemd.unit(5)).
    fn path(&self, text: &str, directory: Option<&HostPath>) -> Option<HostPath> {
        let in_home = ["%h/", "~/", "$HOME/"].iter().find_map(|prefix| text.strip_prefix(prefix));
        if let Some(rest) = in_home {
            return Some(self.home?.join(rest).normalized());
        }
        let path = match HostPath::new(Flavour::Posix, text) {
            Some(path) => path,
            None => directory?.join(text),
        };
        Some(path.normalized())
    }

    /// A file of the project itself, not one in its environment.
    fn own_file(&self, path: &HostPath) -> bool {
        path.is_within(self.root)
            && !self.environments.iter().any(|environment| path.is_within(environment))
            && self.files.is_file(path)
    }

    /// Whether an interpreter, by path or by a name on the service's `PATH`, is in a project environment.
    /// The directory decides: the file itself is a link to the base interpreter.
    fn is_own_interpreter(
        &self,
        interpreter: &str,
        directory: Option<&HostPath>,
        search_path: Option<&str>,
    ) -> bool {
        let found = if interpreter.contains('/') {
            self.path(interpreter, directory)
        } else {
            search_path
                .unwrap_or(DEFAULT_PATH)
                .split(':')
                .filter_map(|entry| self.path(entry, None))
                .map(|entry| entry.join(interpreter))
                .find(|path| self.files.exists(path))
        };
        let Some(bin) = found.and_then(|path| path.parent()) else { return false };
        let real = |path: &HostPath| self.files.canonical(path).unwrap_or_else(|_| path.clone());
        self.environments
            .iter()
            .any(|environment| bin.is_within(environment) || real(&bin).is_within(&real(environment)))
    }
}
