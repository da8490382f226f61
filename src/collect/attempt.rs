//! What one interpreter would import, without starting it.

use super::hooks::{before_the_path, undecided};
use crate::diagnosis::cause::{Attempt, NotSearched};
use crate::facts::Facts;
use crate::facts::interpreter::{ProbeReport, Version};
use crate::host::{Host, TEXT_LIMIT};
use crate::imports::resolve::extension_suffixes;
use crate::imports::{
    Build, EntryState, Flags, HookKind, ImportEntry, ImportOrigin, ModuleKind, Outcome, Prediction, Question,
    Resolver, Spelling, Start, StartupHook, Variables, identify, predict, replaces_distutils_by_default,
    stdlib,
};
use crate::parse::wrapper;
use crate::path::HostPath;

/// Scripts that start scripts are followed so far.
const WRAPPER_DEPTH: usize = 4;

/// Works out the import path of `interpreter` and looks for `module` on it.
pub fn attempt(
    host: &dyn Host,
    facts: &Facts,
    interpreter: &HostPath,
    module: &str,
    start: Start,
) -> Attempt {
    let known = facts.interpreter(interpreter);
    let mut attempt = Attempt {
        interpreter: interpreter.clone(),
        root: None,
        version: known.and_then(|known| known.known_version()),
        path: Vec::new(),
        resolution: None,
        not_searched: None,
        suffixes: Vec::new(),
        hidden: Vec::new(),
        hooks: Vec::new(),
        distutils_off: None,
    };
    let started = started(host, interpreter);
    attempt.root = facts.environment_at(&started.executable).map(|environment| environment.root.clone());
    let build = match identify(host, &started.program) {
        Ok(build) => build,
        Err(error) => {
            attempt.not_searched = Some(NotSearched::Unknown(error.to_string()));
            return attempt;
        }
    };
    attempt.version = attempt.version.or(Some(Version::from(&build)));
    attempt.suffixes = extension_suffixes(&build);
    let exported = |name: &str| started.exports.iter().rev().find(|(exported, _)| exported == name);
    let variables = Variables::from_lookup(|name| {
        exported(name).map(|(_, value)| value.clone()).or_else(|| host.variable(name))
    });
    let question = Question {
        executable: started.executable.clone(),
        build: &build,
        variables: &variables,
        flags: Flags::default(),
        start,
        working_directory: facts.directory.clone(),
        user: &facts.user,
    };
    let prediction = predict(host, &question);
    if let Outcome::Fatal { reason } = &prediction.outcome {
        attempt.not_searched = Some(NotSearched::Fatal(reason.to_string()));
        return attempt;
    }
    attempt.distutils_off = variables.setuptools_use_distutils.as_deref().and_then(|value| {
        let is_it = |hook: &&StartupHook| {
            hook.kind == HookKind::DistutilsPrecedenceOff && replaces_distutils_by_default(&hook.text)
        };
        let hook = prediction.hooks.iter().find(is_it)?;
        Some((String::from_utf8_lossy(value).into_owned(), hook.file.clone()))
    });
    search(host, facts, &build, prediction, module, &mut attempt);
    attempt
}

/// Looks for `module` on the foretold path, and on what else the interpreter has reported.
fn search(
    host: &dyn Host,
    facts: &Facts,
    build: &Build,
    prediction: Prediction,
    module: &str,
    attempt: &mut Attempt,
) {
    let directory = facts.directory.as_ref();
    let reported = reported(facts, &attempt.interpreter).filter(|_| prediction.may_have_more());
    let mut entries = prediction.entries;
    let more = reported.iter().flat_map(|report| &report.path).map(|entry| Spelling::from(entry.as_str()));
    for directory in more {
        if !entries.iter().any(|entry| entry.directory == directory) {
            let origin = ImportOrigin::Unexplained;
            entries.push(ImportEntry { directory, origin, state: EntryState::Directory });
        }
    }
    let resolver = Resolver::for_entries(host, build, &entries, &prediction.hooks, directory);
    let mut resolution = resolver.resolve(module);
    let top = module.split('.').next().unwrap_or(module);
    let version = attempt.version.unwrap_or_else(|| Version::from(build));
    let is_directory = resolution.found.as_ref().is_some_and(|found| found.kind == ModuleKind::Namespace);
    if resolution.failing.as_deref() == Some(top) {
        attempt.hooks = undecided(host, &resolver, &prediction.hooks, top, version, reported.is_some());
    } else if resolution.failing.is_some() || is_directory {
        attempt.hooks = before_the_path(host, &resolver, &prediction.hooks, top, version);
        if is_directory && !attempt.hooks.is_empty() {
            resolution.found = None;
            resolution.failing = Some(module.to_owned());
        }
    }
    // what later entries offer under that name matters when the first is no part of the standard library
    let compiled_in = |kind| matches!(kind, ModuleKind::BuiltIn | ModuleKind::Frozen);
    let quick =
        resolution.found.as_ref().is_some_and(|found| compiled_in(found.kind) || found.entry.is_none());
    if !quick
        && (resolution.parent_is_no_package || attempt.version.is_some_and(|it| stdlib::contains(it, top)))
    {
        attempt.hidden = resolver
            .offers(top)
            .into_iter()
            .filter_map(|found| Some(found.origin?.to_text().into_owned()))
            .collect();
    }
    attempt.resolution = Some(resolution);
    attempt.path = entries;
}

/// What it has said of itself, or another name for it has, with everything that runs at its start.
fn reported<'f>(facts: &'f Facts, interpreter: &HostPath) -> Option<&'f ProbeReport> {
    let root = |path| facts.environment_at(path).map(|environment| &environment.root);
    let own = root(interpreter);
    facts
        .interpreters
        .iter()
        .filter(|it| it.path.same_as(interpreter) || own.is_some() && root(&it.path) == own)
        .find_map(|it| it.probe.report().filter(|report| !report.isolated))
}

/// What is started in place of a wrapper, else the interpreter itself.
struct Started {
    program: HostPath,
    /// What it takes for its own path.
    executable: HostPath,
    exports: Vec<(String, Vec<u8>)>,
}

fn started(host: &dyn Host, interpreter: &HostPath) -> Started {
    let (program, executable) = (interpreter.clone(), interpreter.clone());
    let mut started = Started { program, executable, exports: Vec::new() };
    for _ in 0..WRAPPER_DEPTH {
        if !host.read(&started.program, 2).is_ok_and(|start| start.bytes == b"#!") {
            break;
        }
        let script = host.read(&started.program, TEXT_LIMIT);
        let Some(found) = script.ok().and_then(|contents| wrapper::parse(&contents.bytes)) else { break };
        let program = if found.is_beside {
            started.program.parent().map(|directory| directory.join(&found.program))
        } else {
            HostPath::new(host.platform().flavour(), found.program)
        };
        let Some(program) = program else { break };
        started.executable = if found.keeps_name { started.program } else { program.clone() };
        started.program = program;
        started.exports.extend(found.exports);
    }
    started
}
