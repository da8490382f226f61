//! What the environment's own entry scripts import, where an installed package no longer has it.

use std::collections::HashMap;

use crate::facts::distribution::{LostTarget, SitePackages, TopLevel, TopLevelKind};
use crate::facts::environment::{BakedState, Environment, Script};
use crate::host::{FileKind, Files};
use crate::path::HostPath;

/// So much of pip's `__init__.py` is read: it has a few lines, and in pip 9 a few hundred.
const INIT_LIMIT: usize = 64 * 1024;

pub fn lost(files: &dyn Files, environment: &Environment, sites: &[SitePackages]) -> Vec<LostTarget> {
    let own = |script: &&Script| {
        script.launch.root_state == Some(BakedState::Own) && script.launch.interpreter_exists
    };
    // a distribution that lists the command knows better what it imports
    let listed = |script: &Script| {
        let distributions = sites.iter().flat_map(|site| &site.distributions);
        distributions.flat_map(|it| &it.scripts).any(|name| *name == script.name)
    };
    // pip has three scripts that do the same
    let mut lacking: HashMap<&str, bool> = HashMap::new();
    environment
        .scripts
        .iter()
        .filter(own)
        .filter_map(|script| {
            let module = script.module.as_deref()?;
            let mut lacks = || *lacking.entry(module).or_insert_with(|| lacks(files, module, sites));
            let lost = match module {
                "pip" => pip_lacks_main(files, top(sites, "pip")?),
                // any pip brings all of its scripts, so that being listed says nothing of their text
                _ if module.starts_with("pip.") => lacks(),
                _ => !listed(script) && lacks(),
            };
            lost.then(|| LostTarget { script: script.path.clone(), module: module.to_owned() })
        })
        .collect()
}

/// The first directory that has the name decides, as for `import`.
fn top<'a>(sites: &'a [SitePackages], name: &str) -> Option<&'a TopLevel> {
    let named = |top: &&TopLevel| top.name == name;
    let top = sites.iter().find_map(|site| site.modules.iter().find(named))?;
    (top.kind == TopLevelKind::Package).then_some(top)
}

/// Whether an ordinary package is there without the submodule. False where a directory on the way is no ordinary
/// package: a namespace has other places, too, and a module may make its submodules itself.
fn lacks(files: &dyn Files, module: &str, sites: &[SitePackages]) -> bool {
    let mut parts = module.split('.');
    let Some(first) = parts.next().and_then(|first| top(sites, first)) else { return false };
    let mut directory = first.path.clone();
    for part in parts {
        let Ok(listing) = files.list(&directory) else { return false };
        let has = |name: &[u8]| listing.entries.iter().any(|entry| entry.name == name);
        if listing.truncated || !has(b"__init__.py") || extends_itself(files, &directory) {
            return false;
        }
        let is = |entry: &crate::host::Entry| {
            let stem = entry.name.split(|byte| *byte == b'.').next().unwrap_or_default();
            stem == part.as_bytes()
        };
        match listing.entries.iter().find(|entry| is(entry)) {
            None => return true,
            Some(entry) if entry.kind == FileKind::File => return false,
            Some(entry) => directory = directory.join(&entry.name),
        }
    }
    false
}

/// A package that changes where its submodules come from, or puts them into `sys.modules`.
fn extends_itself(files: &dyn Files, directory: &HostPath) -> bool {
    const SIGNS: [&str; 4] = ["__path__", "declare_namespace", "sys.modules", "meta_path"];
    files.read(&directory.join("__init__.py"), INIT_LIMIT).map_or(true, |contents| {
        contents.truncated() || SIGNS.iter().any(|sign| contents.text().contains(sign))
    })
}

/// pip 10 moved `main` away (`pip/__init__.py` has it again since 20.0), and scripts of older ones import it.
fn pip_lacks_main(files: &dyn Files, pip: &TopLevel) -> bool {
    files
        .read(&pip.path.join("__init__.py"), INIT_LIMIT)
        .is_ok_and(|contents| !contents.truncated() && !contents.text().contains("main"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::distribution::SiteKind;
    use crate::facts::example;
    use crate::host::fake::FakeMachine;

    const SITE: &str = "/home/dev/project/.venv/lib/python3.12/site-packages";

    fn machine() -> FakeMachine {
        FakeMachine::linux()
            .file(format!("{SITE}/app/__init__.py"), "")
            .file(format!("{SITE}/app/cli/__init__.py"), "")
            .file(format!("{SITE}/app/cli/main.py"), "")
            .file(format!("{SITE}/app/fast.cpython-312-x86_64-linux-gnu.so"), "")
            .file(format!("{SITE}/odd/__init__.py"), "import sys; sys.modules['odd.made'] = sys\n")
            .file(format!("{SITE}/pip/__init__.py"), "__version__ = '10.0.1'\n")
    }

    fn lost_of(module: &str, machine: &FakeMachine) -> usize {
        let root = example::path(example::VENV);
        let mut facts = example::with_packages();
        let environment = example::venv_of(&mut facts);
        environment.scripts = vec![example::script(&root, "app", module)];
        let top = |name: &str, kind| TopLevel {
            name: name.to_owned(),
            path: HostPath::posix(SITE).join(name),
            kind,
            barren: false,
        };
        let site = SitePackages {
            directory: HostPath::posix(SITE),
            kind: SiteKind::Own,
            readable: true,
            writable: true,
            owner: None,
            distributions: Vec::new(),
            pth_files: Vec::new(),
            leftovers: Vec::new(),
            modules: vec![
                top("app", TopLevelKind::Package),
                top("odd", TopLevelKind::Package),
                top("pip", TopLevelKind::Package),
                top("space", TopLevelKind::Namespace),
            ],
        };
        lost(machine, environment, &[site]).len()
    }

    #[test]
    fn a_submodule_that_a_package_lacks_is_lost() {
        for module in ["app.old", "app.cli.old", "app.old.deep"] {
            assert_eq!(lost_of(module, &machine()), 1, "{module}");
        }
    }

    #[test]
    fn what_is_there_or_cannot_be_told_is_not() {
        for module in ["app", "app.cli", "app.cli.main", "app.fast", "odd.made", "space.x", "elsewhere.x"] {
            assert_eq!(lost_of(module, &machine()), 0, "{module}");
        }
    }

    #[test]
    fn pips_main_is_told_by_its_text() {
        assert_eq!(lost_of("pip", &machine()), 1);
        let newer = machine().file(format!("{SITE}/pip/__init__.py"), "def main(args=None): ...\n");
        assert_eq!(lost_of("pip", &newer), 0);
    }
}
