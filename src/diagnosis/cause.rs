//! Why an import fails: what was found where Python looks, weighed with what the checks found and with what other
//! environments have. Pure over facts.

use super::requirement::Target;
use super::{Category, Diagnosis, Finding, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::elsewhere::Elsewhere;
use crate::facts::environment::Environment;
use crate::facts::interpreter::Version;
use crate::facts::requirement::{DeclaredRequirement, Purpose};
use crate::imports::resolve::{Resolution, SearchResult, Searched};
use crate::imports::{ImportEntry, ImportOrigin, StartupHook, known_modules};
use crate::parse::names::normalize_name;
use crate::path::HostPath;

mod absent;
mod choose;
mod present;

pub use choose::{lead, names_it};
pub use present::rename;

/// Why an interpreter's import path is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSearched {
    /// Nothing tells which Python it is: a script, for one.
    Unknown(String),
    /// It would end before it imports anything.
    Fatal(String),
}

impl NotSearched {
    pub fn text(&self) -> &str {
        match self {
            NotSearched::Unknown(why) | NotSearched::Fatal(why) => why,
        }
    }
}

/// One interpreter that was asked, and what it would import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub interpreter: HostPath,
    /// Root of the environment that it works in.
    pub root: Option<HostPath>,
    pub version: Option<Version>,
    pub path: Vec<ImportEntry>,
    /// None: its import path cannot be worked out, or it does not start.
    pub resolution: Option<Resolution>,
    /// Why there is none.
    pub not_searched: Option<NotSearched>,
    /// The extension suffixes that it takes, in order.
    pub suffixes: Vec<String>,
    /// What later entries have under the same name: hidden by the first.
    pub hidden: Vec<String>,
    /// Code of its start that may bring the module, where the search has not found it.
    pub hooks: Vec<StartupHook>,
    /// The value of `SETUPTOOLS_USE_DISTUTILS` that keeps setuptools' `distutils` out, and the line that reads it.
    pub distutils_off: Option<(String, HostPath)>,
}

impl Attempt {
    pub fn found(&self) -> Option<&crate::imports::resolve::Found> {
        self.resolution.as_ref()?.found.as_ref()
    }

    /// No place of the path has anything of that name, each could be looked into, and no code that runs at start may
    /// bring it.
    pub fn is_nowhere(&self, top: &str) -> bool {
        let empty = |searched: &Searched| {
            matches!(
                searched.result,
                SearchResult::Nothing | SearchResult::Missing | SearchResult::NotAnArchive
            ) && searched.passed_over.is_empty()
        };
        self.hooks.is_empty()
            && self.resolution.as_ref().is_some_and(|resolution| {
                resolution.failing.as_deref() == Some(top) && resolution.searched.iter().all(empty)
            })
    }

    pub fn origin_of(&self, entry: usize) -> Option<&ImportOrigin> {
        self.path.get(entry).map(|entry| &entry.origin)
    }
}

/// Everything that is known of one failing import.
pub struct Case<'a> {
    pub facts: &'a Facts,
    /// As it was asked for, dotted or not.
    pub module: &'a str,
    pub attempt: &'a Attempt,
    /// The project's environment, where that is another: what it would import.
    pub own: Option<&'a Attempt>,
    pub elsewhere: &'a Elsewhere,
    /// What the checks found.
    pub diagnosis: &'a Diagnosis,
    /// Modules of the import path whose names are near, nearest first.
    pub near: &'a [String],
    /// An error message tells that the import failed.
    pub observed: bool,
}

impl Case<'_> {
    pub fn top(&self) -> &str {
        self.module.split('.').next().unwrap_or(self.module)
    }

    /// Nothing is found under the topmost name.
    pub fn top_is_missing(&self) -> bool {
        let resolution = self.attempt.resolution.as_ref();
        resolution.is_some_and(|resolution| resolution.failing.as_deref() == Some(self.top()))
    }

    pub fn environment(&self) -> Option<&Environment> {
        self.facts.environment(self.attempt.root.as_ref()?)
    }

    /// What to call the Python that was asked.
    pub fn python(&self) -> String {
        self.attempt.interpreter.to_string()
    }

    pub fn subject(&self) -> Subject {
        match &self.attempt.root {
            Some(root) => Subject::Environment(root.clone()),
            None => Subject::Interpreter(self.attempt.interpreter.clone()),
        }
    }

    /// What is to be installed for the module: by the metadata of this machine, then by the tables.
    pub fn distribution(&self) -> Option<String> {
        let top = self.top();
        // Python gives such names their meaning; no distribution brings one
        if top.starts_with("__") && top.ends_with("__") {
            return None;
        }
        let installed = self
            .facts
            .packages
            .iter()
            .flat_map(|packages| packages.distributions())
            .find(|distribution| distribution.modules.iter().any(|module| module == top));
        match installed {
            // names that many distributions share tell nothing
            Some(distribution) if self.module == top => Some(distribution.name.clone()),
            _ => known_modules::distribution_for(self.module),
        }
    }

    /// Where the project declares it, if it does: the declaration that binds most.
    pub fn declared(&self) -> Option<Declared<'_>> {
        let wanted = normalize_name(&self.distribution()?);
        let top = normalize_name(self.top());
        let target = self.environment().and_then(|environment| Target::of(self.facts, environment));
        let requirements = &self.facts.project.requirements;
        let of = |name: &str| {
            requirements
                .iter()
                .filter(|it| it.name == name && it.purpose != Purpose::Constraint)
                .map(|requirement| Declared { requirement, standing: standing(requirement, target.as_ref()) })
                .min_by_key(|declared| declared.standing)
        };
        of(&wanted).or_else(|| of(&top))
    }

    /// None, too, where the project does not want it on this machine.
    pub fn install(&self) -> Option<Remedy> {
        let distribution = self.distribution()?;
        let environment = self.environment()?;
        let standing = self.declared().map(|declared| declared.standing);
        if standing == Some(Standing::Excluded) {
            return None;
        }
        let requirement = known_modules::requirement_for(self.module, &distribution);
        if requirement == distribution && standing == Some(Standing::Optional) {
            let everything = super::install::synchronize_all(self.facts, environment);
            return Some(
                everything
                    .unwrap_or_else(|| super::install::install(self.facts, environment, requirement, false)),
            );
        }
        // what the project declares does not bring it where only some versions have it
        let needed = requirement == distribution && standing == Some(Standing::Needed);
        Some(super::install::install(self.facts, environment, requirement, needed))
    }
}

/// A declaration of the project, and what it means here.
#[derive(Debug, Clone, Copy)]
pub struct Declared<'a> {
    pub requirement: &'a DeclaredRequirement,
    pub standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    Needed,
    /// In an extra, a group or a file for development, or behind a marker that cannot be evaluated.
    Optional,
    /// Its marker does not hold for this Python.
    Excluded,
}

fn standing(requirement: &DeclaredRequirement, target: Option<&Target>) -> Standing {
    let holds = requirement.marker.as_ref().map(|marker| {
        target.map(|target| target.applying(&format!("{}; {marker}", requirement.name)).is_some())
    });
    match (requirement.purpose, holds) {
        (_, Some(Some(false))) => Standing::Excluded,
        (Purpose::Run, None | Some(Some(true))) => Standing::Needed,
        _ => Standing::Optional,
    }
}

impl Declared<'_> {
    /// What is declared, where, and for whom.
    pub fn describe(&self) -> String {
        let place = format!("{} in {}", self.requirement.as_argument(), self.requirement.place());
        match (self.standing, &self.requirement.marker) {
            (Standing::Needed, _) | (Standing::Excluded, None) => place,
            (Standing::Optional, _) => {
                format!("{place}, in an extra, a group, a file for development or under a condition")
            }
            (Standing::Excluded, Some(marker)) => format!("{place}, only where {marker}"),
        }
    }
}

/// A finding under the id of a check that speaks of such things.
pub fn finding(
    check: &'static str,
    category: Category,
    severity: Severity,
    subject: Subject,
    message: impl Into<String>,
) -> Finding {
    let environments = match &subject {
        Subject::Environment(root) | Subject::Distribution { environment: root, .. } => vec![root.clone()],
        _ => Vec::new(),
    };
    Finding {
        check,
        category,
        severity,
        message: message.into(),
        subject,
        environments,
        evidence: Vec::new(),
        remedies: Vec::new(),
        symptoms: Vec::new(),
        explains: Vec::new(),
    }
}

/// The findings that explain why the import fails, the cause first.
pub fn explain(case: &Case) -> Vec<Finding> {
    if let (None, Some(reason)) = (&case.attempt.resolution, &case.attempt.not_searched) {
        return choose::without_search(case, || absent::not_searched(case, reason));
    }
    let specific = present::explain(case);
    let undecided = absent::made_at_run_time(case)
        .or_else(|| absent::brought_by_a_hook(case))
        .filter(|_| specific.is_none());
    choose::order(case, specific, undecided)
}

#[cfg(test)]
mod tests;
