//! The head of the report: the python and the pip that the shell finds, and the environment that was examined; with `-v`
//! also what was known of the shell and the machine.

use super::Page;
use crate::facts::environment::EnvironmentKind;
use crate::facts::interpreter::{Interpreter, LinkEnd, Probe};
use crate::facts::search_path::{Command, Hit, Target};
use crate::facts::shell::ShellSource;
use crate::path::HostPath;
use crate::report::sanitize;
use crate::report::text::{NO_BREAK, count};
use crate::report::versions::{environment_version, version};

impl Page<'_> {
    pub(super) fn examined(&self) -> String {
        let mut text = String::new();
        let facts = self.facts;
        if facts.directory != facts.working_directory
            && let Some(directory) = &facts.directory
        {
            text.push_str(&self.row("directory", &self.places.value(&directory.to_text())));
        }
        match facts.shell_python().and_then(|command| Some((command, command.chosen()?))) {
            Some((command, hit)) => {
                text.push_str(&self.row(&command.name, &self.python(hit)));
                let other = facts.command("python3").filter(|other| other.name != command.name);
                if let Some(hit) = other.and_then(Command::chosen)
                    && let (Some(one), Some(two)) =
                        (facts.environment_of(command), hit.leads_to.environment())
                    && !one.is_at(two)
                {
                    text.push_str(&self.row("python3", &self.python(hit)));
                }
            }
            None if facts.search_path.set => text.push_str(&self.row("python", "not found on PATH")),
            None => text.push_str(&self.row("python", "not found: PATH is not set")),
        }
        let pip = ["pip", "pip3"]
            .iter()
            .filter_map(|name| facts.command(name))
            .find_map(|command| Some((command.name.as_str(), command.chosen()?)));
        match pip {
            Some((name, hit)) => text.push_str(&self.row(name, &self.pip(hit))),
            None => text.push_str(&self.row("pip", "not found on PATH")),
        }
        text.push_str(&self.row("environment", &self.patient()));
        text
    }

    /// `-v`: the situation that was asked about.
    pub(super) fn asked(&self) -> String {
        let facts = self.facts;
        let mut shell = match facts.shell.kind {
            Some(kind) => kind.label().to_owned(),
            None => "unknown".to_owned(),
        };
        if facts.shell.source == ShellSource::Variable {
            shell.push_str(" (by the variable SHELL alone)");
        }
        if facts.shell.login {
            shell.push_str(", a login shell");
        }
        if let Some(wrapper) = facts.shell.wrappers.first() {
            shell.push_str(&format!(", inside {}", wrapper.label()));
        }
        if facts.shell.kind.is_none() || facts.shell.kind != Some(self.dialect.kind) {
            shell.push_str(&format!(", commands are for {}", self.dialect.kind.label()));
        }
        let mut text = self.row("shell", &shell);
        let mut platform = format!("{} {}", facts.platform.system.label(), facts.platform.architecture);
        for part in [&facts.platform.distribution, &facts.platform.release].into_iter().flatten() {
            platform.push_str(&format!(", {}", sanitize::shown(part)));
        }
        let surroundings = [&facts.surroundings.container, &facts.surroundings.ci];
        for (name, why) in ["a container", "a CI run"].iter().zip(surroundings) {
            if let Some(why) = why {
                platform.push_str(&format!(", in {name} ({})", sanitize::shown(why)));
            }
        }
        if facts.surroundings.wsl {
            platform.push_str(", in the Windows Subsystem for Linux");
        }
        text.push_str(&self.row("platform", &platform));
        let place = |path: &Option<HostPath>| path.as_ref().map(|path| self.places.value(&path.to_text()));
        let directory = place(&facts.working_directory).unwrap_or_else(|| "deleted or unreadable".to_owned());
        text.push_str(&self.row("started in", &directory));
        text.push_str(&self.row("project", &place(&facts.project.root).unwrap_or_else(|| "none".to_owned())));
        text.push_str(&self.row(
            "looked at",
            &format!(
                "{}, {}, {} of PATH",
                count(facts.environments.len(), "environment"),
                count(facts.interpreters.len(), "interpreter"),
                if facts.search_path.entries.len() == 1 {
                    "1 entry".to_owned()
                } else {
                    format!("{} entries", facts.search_path.entries.len())
                }
            ),
        ));
        text
    }

    fn python(&self, hit: &Hit) -> String {
        let facts = self.facts;
        let interpreter = facts.interpreter(&hit.path);
        let mut remarks: Vec<String> = Vec::new();
        let mut shown = match interpreter {
            Some(interpreter) => self.links(interpreter),
            None => self.places.value(&hit.path.to_text()),
        };
        if let Target::Shim { manager, program, .. } = &hit.leads_to {
            remarks.push(format!("a shim of {}", manager.label()));
            if let Some(program) = program {
                shown.push_str(&format!("{}{}", self.arrow(), self.places.value(&program.to_text())));
                remarks.extend(facts.interpreter(program).and_then(version));
            }
        }
        if hit.leads_to == Target::StoreStub {
            remarks.push("opens the Microsoft Store".to_owned());
        }
        if let Some(interpreter) = interpreter {
            remarks.extend(version(interpreter));
            remarks.extend(trouble(interpreter));
        }
        with_remarks(shown, &remarks)
    }

    /// Each hop as the link says it: a name in the same directory, else a path.
    fn links(&self, interpreter: &Interpreter) -> String {
        let mut shown = String::new();
        let mut before: Option<HostPath> = None;
        for hop in &interpreter.links.hops {
            let directory = hop.parent();
            if before.is_some() {
                shown.push_str(&self.arrow());
            }
            if before.is_some() && before == directory {
                shown.push_str(&sanitize::shown(&hop.name()));
            } else {
                shown.push_str(&self.places.value(&hop.to_text()));
            }
            before = directory;
        }
        if shown.is_empty() { self.places.value(&interpreter.path.to_text()) } else { shown }
    }

    fn arrow(&self) -> String {
        format!(" {}{NO_BREAK}", if self.options.unicode { "\u{2192}" } else { "->" })
    }

    fn pip(&self, hit: &Hit) -> String {
        let shown = self.places.value(&hit.path.to_text());
        let mut remarks = Vec::new();
        if let Target::Script { interpreter, runnable: false, .. } = &hit.leads_to {
            remarks
                .push(format!("cannot run: {} cannot be started", self.places.value(&interpreter.to_text())));
        } else if let Some(root) = hit.leads_to.environment() {
            remarks.push(format!("installs into {}", self.places.value(&root.to_text())));
        }
        with_remarks(shown, &remarks)
    }

    fn patient(&self) -> String {
        let Some(root) = &self.facts.patient else { return "none found".to_owned() };
        let shown = self.places.value(&root.to_text());
        let Some(environment) = self.facts.patient() else { return shown };
        let mut remarks = vec![match &environment.creator {
            Some(creator) if environment.kind == EnvironmentKind::Venv => {
                format!("made by {}", sanitize::shown(&creator.label()))
            }
            _ => kind(environment.kind).to_owned(),
        }];
        if let Some(version) = environment_version(self.facts, environment) {
            remarks.push(format!("Python {version}"));
        }
        if let Some(home) = &environment.home {
            let base = home.interpreter.as_ref().unwrap_or(&home.path);
            remarks.push(format!("base {}", self.places.value(&base.to_text())));
        }
        if self.facts.active().is_some_and(|active| active.is_at(root)) {
            remarks.push("active".to_owned());
        }
        with_remarks(shown, &remarks)
    }
}

fn with_remarks(shown: String, remarks: &[String]) -> String {
    if remarks.is_empty() { shown } else { format!("{shown} ({})", remarks.join(", ")) }
}

fn kind(kind: EnvironmentKind) -> &'static str {
    match kind {
        EnvironmentKind::Venv => "venv",
        EnvironmentKind::Remains => "remains of a venv, without pyvenv.cfg",
        EnvironmentKind::LegacyVirtualenv => "virtualenv before version 20",
        EnvironmentKind::Conda => "conda environment",
        EnvironmentKind::Installation => "installation",
        EnvironmentKind::Missing => "does not exist",
        EnvironmentKind::Other => "not an environment",
    }
}

/// Why an interpreter does not work, in a few words.
fn trouble(interpreter: &Interpreter) -> Option<String> {
    Some(match (interpreter.links.end, &interpreter.probe) {
        (LinkEnd::Missing, _) => "does not exist".to_owned(),
        (LinkEnd::Loop, _) => "its links run in a circle".to_owned(),
        (LinkEnd::Directory, _) => "a directory".to_owned(),
        (LinkEnd::Denied, _) => "permission denied".to_owned(),
        (_, Probe::Failed { ending, .. }) => format!("does not start: {}", sanitize::shown(ending)),
        (_, Probe::TimedOut { seconds }) => {
            format!("did not answer in {}", count(*seconds as usize, "second"))
        }
        (_, Probe::Garbled { .. }) => "its answer cannot be read".to_owned(),
        _ => return None,
    })
}
