//! Which code that runs at every start may bring a module that the import path does not have.

use std::collections::BTreeSet;

use crate::facts::interpreter::Version;
use crate::host::{Files, TEXT_LIMIT};
use crate::imports::resolve::registers;
use crate::imports::{HookKind, Resolver, StartupHook, stdlib};
use crate::parse::python_source::{changes_path, served_modules};
use crate::path::HostPath;

/// So many modules that a hook imports are read.
const MODULES: usize = 20;

/// Those of `hooks` that may bring `top`. `path_is_known`: the interpreter has reported its path, so that only finders
/// are open.
pub fn undecided(
    files: &dyn Files,
    resolver: &Resolver,
    hooks: &[StartupHook],
    top: &str,
    version: Version,
    path_is_known: bool,
) -> Vec<StartupHook> {
    let open = |hook: &&StartupHook| {
        if !hook.may_add_entries || resolver.follows(hook) {
            return false;
        }
        let texts = texts(files, resolver, hook, version);
        let finds = texts.iter().any(|text| registers(text, top));
        // the finder of a build tool's editable installation lists what it serves
        let names = [format!("'{top}"), format!("\"{top}")];
        let serves = !hook.file.name().contains("editable")
            || texts.iter().any(|text| names.iter().any(|name| text.contains(name)));
        (finds && serves) || (!path_is_known && texts.iter().any(|text| changes_path(text)))
    };
    hooks.iter().filter(open).cloned().collect()
}

/// Those of `hooks` whose finder stands before the path's and names `top`: it answers for the submodules, too, and
/// where the path has a mere directory (meson-python's `_editable_loader.py`: `sys.meta_path.insert(0, finder)`).
pub fn before_the_path(
    files: &dyn Files,
    resolver: &Resolver,
    hooks: &[StartupHook],
    top: &str,
    version: Version,
) -> Vec<StartupHook> {
    let serves = |text: &String| {
        text.contains("meta_path.insert(0") && served_modules(text).iter().any(|served| served == top)
    };
    let open = |hook: &&StartupHook| {
        hook.may_add_entries
            && !resolver.follows(hook)
            && texts(files, resolver, hook, version).iter().any(serves)
    };
    hooks.iter().filter(open).cloned().collect()
}

/// The hook's own code, and that of the modules outside the standard library that it imports.
fn texts(files: &dyn Files, resolver: &Resolver, hook: &StartupHook, version: Version) -> Vec<String> {
    let read = |file: &HostPath| Some(files.read(file, TEXT_LIMIT).ok()?.text().into_owned());
    let own = match hook.line {
        Some(_) => hook.text.clone(),
        None => read(&hook.file).unwrap_or_default(),
    };
    let entry_point = hook.text.split(':').next().filter(|_| hook.kind == HookKind::EntryPoint);
    let names: BTreeSet<&str> = entry_point.into_iter().chain(imported(&own)).collect();
    let foreign = |name: &&&str| !stdlib::contains(version, name.split('.').next().unwrap_or(name));
    let sources = names.iter().filter(foreign).take(MODULES).filter_map(|name| {
        let origin = resolver.resolve(name).found?.origin?;
        let file = HostPath::new(hook.file.flavour(), origin.as_bytes().to_vec())?;
        file.name().ends_with(".py").then(|| read(&file)).flatten()
    });
    let sources: Vec<String> = sources.collect();
    std::iter::once(own).chain(sources).collect()
}

/// Absolute names after `import` and `from`, wherever a statement may begin.
fn imported(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', ';']).map(str::trim_start).flat_map(|statement| {
        let list = match (statement.strip_prefix("import "), statement.strip_prefix("from ")) {
            (Some(list), _) => list,
            (_, Some(from)) => from.split(" import").next().unwrap_or_default(),
            _ => "",
        };
        list.split(',').filter_map(|name| name.split_whitespace().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::fake::FakeMachine;
    use crate::imports::{Build, Implementation, Spelling};
    use crate::path::Flavour;

    const SITE: &str = "/env/lib/python3.12/site-packages";

    fn line(text: &str) -> StartupHook {
        StartupHook {
            kind: HookKind::ImportLine,
            file: HostPath::posix(format!("{SITE}/x.pth")),
            line: Some(1),
            text: text.to_owned(),
            may_add_entries: true,
        }
    }

    /// Whether a line of a `.pth` file may bring `wanted`, beside a module `ours`.
    fn may_bring(line: &str, ours: &str, path_is_known: bool) -> bool {
        let host = FakeMachine::linux().file(format!("{SITE}/ours.py"), ours);
        let build =
            Build::plain(Implementation::CPython, crate::imports::Version::new(3, 12), Flavour::Posix);
        let hooks = [self::line(line)];
        let resolver = Resolver::new(&host, &build, &[Spelling::from(SITE)], &hooks, None);
        !undecided(&host, &resolver, &hooks, "wanted", Version::new(3, 12, None), path_is_known).is_empty()
    }

    #[test]
    fn a_finder_before_the_path_answers_for_what_it_names() {
        let loader = "def init():\n    finder = MesonpyMetaFinder('wanted', {'wanted'}, '/b', ['ninja'])\n    sys.meta_path.insert(0, finder)\n";
        let host = FakeMachine::linux().file(format!("{SITE}/ours.py"), loader);
        let build =
            Build::plain(Implementation::CPython, crate::imports::Version::new(3, 12), Flavour::Posix);
        let hooks = [line("import ours; ours.init()")];
        let resolver = Resolver::new(&host, &build, &[Spelling::from(SITE)], &hooks, None);
        let before = |top| before_the_path(&host, &resolver, &hooks, top, Version::new(3, 12, None)).len();
        assert_eq!((before("wanted"), before("other")), (1, 0));
    }

    #[test]
    fn what_may_bring_a_module_is_told_from_what_does_not() {
        let adds = "import sys; sys.path.append('/proj/dyn')";
        assert!(may_bring(adds, "", false) && !may_bring(adds, "", true));
        let finds = "import sys, ours\nsys.meta_path.append(ours.F())";
        assert!(may_bring("import ours; ours.install()", finds, true));
        assert!(may_bring("import ours", "import site\nsite.addsitedir('/x')", false));
        assert!(!may_bring("import ours", "import atexit\natexit.register(print)", false));
        assert!(!may_bring("import os, sys; exec('import coverage')", "", false));
        assert!(!may_bring(
            "import ours",
            "# This file is created by Homebrew and is executed on each python startup.\nsys.path = [p for p in sys.path]",
            false
        ));
    }
}
