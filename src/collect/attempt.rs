//! What one interpreter would import, without starting it.

use crate::diagnosis::cause::Attempt;
use crate::facts::Facts;
use crate::facts::interpreter::Version;
use crate::host::Host;
use crate::imports::resolve::extension_suffixes;
use crate::imports::{
    Build, Flags, ModuleKind, Outcome, Question, Resolver, Start, Variables, identify, predict, stdlib,
};
use crate::path::HostPath;

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
        root: facts.environment_at(interpreter).map(|environment| environment.root.clone()),
        version: known.and_then(|known| known.known_version()),
        path: Vec::new(),
        resolution: None,
        trouble: None,
        suffixes: Vec::new(),
        hidden: Vec::new(),
    };
    let build = match identify(host, interpreter) {
        Ok(build) => build,
        Err(error) => {
            attempt.trouble = Some(error.to_string());
            return attempt;
        }
    };
    attempt.version = attempt.version.or(Some(version(&build)));
    attempt.suffixes = extension_suffixes(&build);
    let variables = Variables::from_lookup(|name| host.variable(name));
    let question = Question {
        executable: interpreter.clone(),
        build: &build,
        variables: &variables,
        flags: Flags::default(),
        start,
        working_directory: facts.directory.clone(),
        user: &facts.user,
    };
    let prediction = predict(host, &question);
    if let Outcome::Fatal { reason } = &prediction.outcome {
        attempt.trouble = Some(reason.to_string());
        return attempt;
    }
    let directory = facts.directory.as_ref();
    let resolver = Resolver::for_entries(host, &build, &prediction.entries, &prediction.hooks, directory);
    let resolution = resolver.resolve(module);
    let top = module.split('.').next().unwrap_or(module);
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
    attempt.path = prediction.entries;
    attempt
}

pub(super) fn version(build: &Build) -> Version {
    Version {
        free_threaded: build.free_threaded,
        ..Version::new(build.version.major.into(), build.version.minor.into(), build.patch.map(u32::from))
    }
}
