//! Many environments at once: what each is and has, and what several have in common.

use std::collections::HashSet;

use super::{Action, Category, Finding, Remedy, Severity, Unexamined, Word};
use crate::facts::environment::{Environment, EnvironmentKind, HomeState};
use crate::facts::fleet::{Cost, Keeper, holds_system};
use crate::facts::interpreter::{LinkEnd, PythonOwner};
use crate::facts::{Facts, search_path::Command};
use crate::parse::pyvenv_cfg::Creator;
use crate::path::HostPath;

/// One environment of many.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    pub root: HostPath,
    pub kind: EnvironmentKind,
    pub creator: Option<Creator>,
    pub keeper: Option<Keeper>,
    pub version: Option<String>,
    /// The directory of the base interpreter, as `home` names it.
    pub base: Option<HostPath>,
    /// Distributions that are installed in it.
    pub installed: usize,
    /// Most important first.
    pub findings: Vec<Finding>,
    /// The Python that it was made from and that is gone: what is missing topmost.
    pub gone: Option<HostPath>,
    /// Checks that crashed.
    pub failed: Vec<Unexamined>,
    pub cost: Cost,
    /// Why it has to stay, by what else was found.
    pub needed: Option<Spared>,
}

impl Member {
    /// What was found of an environment, from its facts and findings.
    pub fn new(
        facts: &Facts,
        keeper: Option<Keeper>,
        findings: Vec<Finding>,
        failed: Vec<Unexamined>,
    ) -> Member {
        let environment = facts.patient();
        let interpreter = environment.and_then(|environment| facts.interpreter_of(environment));
        let version = interpreter.and_then(|interpreter| interpreter.known_version());
        let version = version.or_else(|| environment?.python_version());
        Member {
            root: facts.patient.clone().unwrap_or_else(|| HostPath::posix("/")),
            kind: environment.map_or(EnvironmentKind::Other, |environment| environment.kind),
            creator: environment.and_then(|environment| environment.creator.clone()),
            keeper,
            version: version.map(|version| version.to_string()),
            base: environment.and_then(|environment| environment.home.as_ref()).map(|home| home.path.clone()),
            installed: environment.map_or(0, |environment| environment.installed.len()),
            gone: environment.and_then(|environment| gone(facts, environment)),
            findings: findings.into_iter().map(|finding| without_shell(finding, keeper, facts)).collect(),
            failed,
            cost: Cost::default(),
            needed: None,
        }
    }

    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// Whether something goes wrong with it, now or by and by.
    pub fn is_unhealthy(&self) -> bool {
        self.worst().is_some_and(|worst| worst >= Severity::Warning)
    }

    /// Why no command is offered that deletes it. None: one is.
    pub fn spared(&self) -> Option<Spared> {
        // these two have a command of their own, which knows what belongs to a Python
        let managed = matches!(self.keeper, Some(Keeper::UvPython | Keeper::Pyenv));
        let installed = self.kind == EnvironmentKind::Installation && !managed;
        let system = holds_system(&self.root).then_some(Spared::HoldsMore);
        self.needed.or(system).or(installed.then_some(Spared::Installed))
    }
}

/// Why an environment is not offered for deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spared {
    /// Other environments are made from it.
    Base,
    /// Another environment lies in it.
    HoldsAnother,
    Active,
    /// A whole system, or somebody's home.
    HoldsMore,
    /// Somebody's work, too (`python -m venv .`).
    Project,
    Installed,
}

impl Spared {
    pub fn reason(self) -> &'static str {
        match self {
            Spared::Base => "other environments are made from it",
            Spared::HoldsAnother => "another environment lies in it",
            Spared::Active => "it is the active environment, or holds it",
            Spared::HoldsMore => "it holds more than a Python",
            Spared::Project => "a project's own files lie in it, too",
            Spared::Installed => "an installed Python",
        }
    }
}

/// What has to stay, whatever else is deleted. Every path is a real one: links are resolved.
#[derive(Debug, Default)]
pub struct Needed {
    /// What is or holds the base of an environment that lies elsewhere.
    bases: HashSet<HostPath>,
    /// What holds an environment.
    holders: HashSet<HostPath>,
    /// What is or holds the active environment.
    active: HashSet<HostPath>,
    /// What is or holds the home directory.
    homes: HashSet<HostPath>,
    /// What a project lies in.
    projects: HashSet<HostPath>,
}

impl Needed {
    /// Notes an environment, whether it is shown or not, with the places that its Python comes from.
    pub fn note(&mut self, root: &HostPath, bases: &[HostPath]) {
        for base in bases {
            let base = base.normalized();
            // what holds both goes by `holders`
            self.bases.extend(base.ancestors().filter(|above| !root.is_within(above)));
        }
        self.holders.extend(root.ancestors().skip(1));
    }

    pub fn note_active(&mut self, root: &HostPath) {
        self.active.extend(root.normalized().ancestors());
    }

    /// The environment's directory is a project's, too: sources, and what git knows of them.
    pub fn note_project(&mut self, root: &HostPath) {
        self.projects.insert(root.clone());
    }

    pub fn note_home(&mut self, home: &HostPath) {
        self.homes.extend(home.normalized().ancestors());
    }

    /// Why this environment has to stay.
    pub fn why(&self, root: &HostPath) -> Option<Spared> {
        let reasons = [
            (&self.bases, Spared::Base),
            (&self.active, Spared::Active),
            (&self.homes, Spared::HoldsMore),
            (&self.projects, Spared::Project),
            (&self.holders, Spared::HoldsAnother),
        ];
        reasons.into_iter().find(|(places, _)| places.contains(root)).map(|(_, why)| why)
    }
}

/// The base Python of an environment whose interpreter leads to nothing.
fn gone(facts: &Facts, environment: &Environment) -> Option<HostPath> {
    let mut dead = facts.interpreters_of(environment).filter(|found| found.links.end == LinkEnd::Missing);
    let missing = dead
        .find(|found| found.links.is_link())
        .and_then(|found| found.missing_part.clone().or_else(|| found.links.last().cloned()));
    missing.or_else(|| {
        let home = environment.home.as_ref().filter(|home| home.state == HomeState::Missing)?;
        let prefix = (home.path.name() == "bin").then(|| home.path.parent()).flatten();
        Some(prefix.unwrap_or_else(|| home.path.clone()))
    })
}

/// The finding as it concerns somebody who works in no environment: nothing is activated, and the tool that keeps an
/// environment mends it.
fn without_shell(mut finding: Finding, keeper: Option<Keeper>, facts: &Facts) -> Finding {
    let kept = facts.patient.as_ref().zip(keeper).and_then(|(root, keeper)| made_anew(keeper, root));
    match kept {
        Some(remedy) if matches!(finding.category, Category::Interpreter | Category::Relocation) => {
            finding.remedies = vec![remedy];
        }
        _ => {
            for remedy in &mut finding.remedies {
                remedy.actions.retain(|action| !concerns_shell(action));
            }
            finding.remedies.retain(|remedy| !remedy.actions.is_empty());
        }
    }
    let symptoms = std::mem::take(&mut finding.symptoms);
    finding.symptoms = symptoms.into_iter().map(|symptom| without_shell(symptom, keeper, facts)).collect();
    finding
}

fn concerns_shell(action: &Action) -> bool {
    matches!(
        action,
        Action::Activate { .. }
            | Action::Deactivate { .. }
            | Action::Unset(_)
            | Action::Set { .. }
            | Action::PutFirst(_)
            | Action::RemoveFromPath { .. }
            | Action::Rehash
    )
}

fn run(words: &[&str], last: Word) -> Action {
    Action::Run(words.iter().map(|word| Word::from(*word)).chain([last]).collect())
}

fn name_of(root: &HostPath) -> Word {
    Word(root.file_name().unwrap_or_default().to_vec())
}

/// How the tool that keeps an environment makes it anew. None: it is a person's own.
fn made_anew(keeper: Keeper, root: &HostPath) -> Option<Remedy> {
    let remove = || run(&["rm", "-rf", "--"], Word::from(root));
    let (how, actions) = match keeper {
        Keeper::Pipx => ("Have pipx make it anew", vec![run(&["pipx", "reinstall"], name_of(root))]),
        Keeper::UvTool => {
            ("Have uv make it anew", vec![run(&["uv", "tool", "install", "--reinstall"], name_of(root))])
        }
        Keeper::PreCommit => ("Remove pre-commit's cached environments: its next run makes them anew", {
            vec![Action::Run(vec![Word::from("pre-commit"), Word::from("clean")])]
        }),
        Keeper::Poetry => (
            "Remove it, and have poetry make it anew",
            vec![remove(), Action::Advice("then, in the project's directory: poetry install".to_owned())],
        ),
        Keeper::Pipenv => (
            "Remove it, and have pipenv make it anew",
            vec![remove(), Action::Advice("then, in the project's directory: pipenv sync --dev".to_owned())],
        ),
        Keeper::Hatch => ("Remove it: hatch makes it anew when it is needed", vec![remove()]),
        Keeper::Pdm => (
            "Remove it, and have PDM make it anew",
            vec![remove(), Action::Advice("then, in the project's directory: pdm install".to_owned())],
        ),
        Keeper::Tox => ("Remove it: tox makes it anew when it is needed", vec![remove()]),
        Keeper::Nox => ("Remove it: nox makes it anew when it is needed", vec![remove()]),
        Keeper::UvPython | Keeper::Virtualenvwrapper | Keeper::Pyenv | Keeper::Conda => return None,
    };
    Some(Remedy::review(how, actions))
}

/// How an environment is deleted, by the tool that keeps it. None: [`Member::spared`] tells why it is not offered.
pub fn delete(member: &Member) -> Option<Action> {
    if member.spared().is_some() {
        return None;
    }
    let root = &member.root;
    Some(match member.keeper {
        Some(Keeper::Pipx) => run(&["pipx", "uninstall"], name_of(root)),
        Some(Keeper::UvTool) => run(&["uv", "tool", "uninstall"], name_of(root)),
        Some(Keeper::UvPython) => run(&["uv", "python", "uninstall"], name_of(root)),
        Some(Keeper::Pyenv) => run(&["pyenv", "uninstall"], name_of(root)),
        _ if member.kind == EnvironmentKind::Conda => {
            run(&["conda", "env", "remove", "--prefix"], root.into())
        }
        _ => run(&["rm", "-rf", "--"], root.into()),
    })
}

/// What several environments have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub check: &'static str,
    pub category: Category,
    pub severity: Severity,
    /// What is gone, where that is what they share.
    pub cause: Option<HostPath>,
    pub message: String,
    /// Indices of the members, in their order.
    pub members: Vec<usize>,
    /// What mends all of them at once.
    pub remedies: Vec<Remedy>,
}

/// The findings of all, those of one cause together; the worst and most frequent first. `commands` are the programs
/// that a remedy may call.
pub fn groups(members: &[Member], commands: &[Command]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut known: std::collections::HashMap<(&str, Option<&HostPath>), usize> = Default::default();
    for (index, member) in members.iter().enumerate() {
        for finding in &member.findings {
            let cause = member.gone.as_ref().filter(|_| BASE_IS_GONE.contains(&finding.check));
            let at = *known.entry((finding.check, cause)).or_insert_with(|| {
                groups.push(Group {
                    check: finding.check,
                    category: finding.category,
                    severity: finding.severity,
                    cause: cause.cloned(),
                    message: String::new(),
                    members: Vec::new(),
                    remedies: Vec::new(),
                });
                groups.len() - 1
            });
            let Some(group) = groups.get_mut(at) else { continue };
            group.severity = group.severity.max(finding.severity);
            if group.members.last() != Some(&index) {
                group.members.push(index);
            }
        }
    }
    for group in &mut groups {
        group.message = message(group, members);
        group.remedies.extend(group.cause.as_ref().and_then(|gone| install_again(gone, commands)));
    }
    groups.sort_by_key(|group| {
        (std::cmp::Reverse(group.severity), std::cmp::Reverse(group.members.len()), group.check)
    });
    groups
}

/// Checks that speak of a base Python which is not there.
const BASE_IS_GONE: [&str; 2] = ["dangling-interpreter", "base-python-missing"];

fn message(group: &Group, members: &[Member]) -> String {
    let count = group.members.len();
    let only = group.members.first().filter(|_| count == 1).and_then(|index| members.get(*index));
    if let Some(finding) =
        only.and_then(|member| member.findings.iter().find(|finding| finding.check == group.check))
    {
        return finding.message.clone();
    }
    match &group.cause {
        Some(gone) => {
            let owner = PythonOwner::of(&gone.join("bin").join("python")).map(|owner| owner.label());
            let owner = owner.map_or_else(String::new, |owner| format!(" ({owner})"));
            format!("base Python {gone}{owner} is gone: {count} environments")
        }
        None => {
            let summary = crate::checks::find(group.check).map_or(group.check, |check| check.summary);
            format!("{summary}: {count} environments")
        }
    }
}

/// The command that brings a Python back to where it was.
fn install_again(gone: &HostPath, commands: &[Command]) -> Option<Remedy> {
    let available =
        |name: &str| commands.iter().any(|command| command.name == name && command.chosen().is_some());
    let (words, version) = match PythonOwner::of(&gone.join("bin").join("python"))? {
        PythonOwner::Pyenv(version) if available("pyenv") => (["pyenv", "install"].to_vec(), version),
        PythonOwner::Uv(build) if available("uv") => {
            (["uv", "python", "install"].to_vec(), build.split('-').nth(1)?.to_owned())
        }
        _ => return None,
    };
    let summary = format!("Install Python {version} again: that mends all of them");
    Some(Remedy::safe(summary, vec![run(&words, Word::from(version))]))
}

#[cfg(test)]
pub mod example {
    use super::*;

    /// Nothing is wrong with it.
    pub fn member(root: &str, kind: EnvironmentKind, keeper: Option<Keeper>) -> Member {
        Member {
            root: HostPath::posix(root),
            kind,
            creator: None,
            keeper,
            version: None,
            base: None,
            installed: 0,
            findings: Vec::new(),
            gone: None,
            failed: Vec::new(),
            cost: Cost::default(),
            needed: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::example::member;
    use super::*;

    fn words(member: &Member) -> Option<Vec<String>> {
        match delete(member)? {
            Action::Run(words) => {
                Some(words.iter().map(|word| String::from_utf8_lossy(&word.0).into_owned()).collect())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_installed_python_is_deleted_by_the_tool_that_keeps_it_or_not_at_all() {
        use EnvironmentKind::{Installation, Venv};
        for (root, why) in [
            ("/usr", Spared::HoldsMore),
            ("/usr/local", Spared::HoldsMore),
            ("/", Spared::HoldsMore),
            ("/opt/python3.11", Spared::Installed),
        ] {
            let member = member(root, Installation, None);
            assert_eq!((words(&member), member.spared()), (None, Some(why)), "{root}");
        }
        // whatever it looks like, and whoever is said to keep it
        assert_eq!(words(&member("/usr/local", Venv, Some(Keeper::Pyenv))), None);
        assert_eq!(words(&member("/opt/python", Installation, Some(Keeper::Pipx))), None);
        let pyenv = member("/home/u/.pyenv/versions/3.11.4", Installation, Some(Keeper::Pyenv));
        assert_eq!(words(&pyenv).unwrap(), ["pyenv", "uninstall", "3.11.4"]);
        let uv = member("/home/u/.local/share/uv/python/cpython-3.12", Installation, Some(Keeper::UvPython));
        assert_eq!(words(&uv).unwrap(), ["uv", "python", "uninstall", "cpython-3.12"]);
        assert_eq!(words(&member("/w/.venv", Venv, None)).unwrap(), ["rm", "-rf", "--", "/w/.venv"]);
    }

    #[test]
    fn what_others_need_is_not_deleted() {
        let path = |path: &str| HostPath::posix(path);
        let mut needed = Needed::default();
        needed.note(
            &path("/w/.venv"),
            &[path("/p/versions/3.11/bin"), path("/p/versions/3.11/bin/python3.11")],
        );
        // its own interpreter is no reason to keep it
        needed.note(&path("/p/versions/3.11"), &[path("/p/versions/3.11/bin/python3.11")]);
        needed.note(&path("/p/versions/3.12"), &[path("/p/versions/3.12/bin/python3.12")]);
        needed.note(&path("/conda/envs/work"), &[]);
        needed.note_active(&path("/w/active/"));
        needed.note_home(&path("/home/u"));
        for (root, why) in [
            ("/p/versions/3.11", Some(Spared::Base)),
            ("/p/versions/3.12", None),
            ("/w/.venv", None),
            ("/conda", Some(Spared::HoldsAnother)),
            ("/conda/envs/work", None),
            ("/w/active", Some(Spared::Active)),
            ("/home/u", Some(Spared::HoldsMore)),
            ("/p/versions/3.1", None),
        ] {
            assert_eq!(needed.why(&path(root)), why, "{root}");
        }
        let mut base = member("/p/versions/3.11", EnvironmentKind::Installation, Some(Keeper::Pyenv));
        base.needed = needed.why(&base.root);
        assert_eq!((words(&base), base.spared()), (None, Some(Spared::Base)));
    }
}
