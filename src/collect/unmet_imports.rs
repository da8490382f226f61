//! Code that runs at every start and imports what is nowhere, told without the interpreter. Where anything that runs
//! before it may add to the import path, nothing is said.

use crate::facts::distribution::Packages;
use crate::facts::import_setup::{ImportSetup, UnmetImport};
use crate::facts::interpreter::Version;
use crate::host::Files;
use crate::imports::resolve::{PassedOver, SearchResult};
use crate::imports::{Build, HookKind, Implementation, Prediction, Resolver, StartupHook, stdlib};
use crate::parse::python_source;
use crate::path::{Flavour, HostPath};

const HOOK_LIMIT: usize = 64 * 1024;

/// Words of code that may change what can be imported.
const REACHES: [&str; 9] =
    ["path", "addsitedir", "exec", "eval", "__import__", "import_module", "hook", "finder", "sys.modules"];

/// Whether anything that runs at a start imports more than the standard library and what its creator put there.
pub fn asks_for_packages(import_setup: &ImportSetup, packages: &[Packages]) -> bool {
    let usual =
        |module: &str| stdlib::knows(module) || module.starts_with("__editable__") || module == "_virtualenv";
    let of_hooks = import_setup.hooks.iter().flat_map(|hook| &hook.imports).any(|(_, module)| !usual(module));
    of_hooks
        || packages
            .iter()
            .flat_map(|packages| &packages.sites)
            .flat_map(|site| &site.pth_files)
            .flat_map(|file| &file.imports)
            .flat_map(|line| python_source::imported_modules(&line.text))
            .any(|(_, module)| !usual(&module))
}

/// The imports that fail at this start, in the order in which the code runs.
pub fn unmet_imports(
    files: &dyn Files,
    build: &Build,
    prediction: &Prediction,
    working_directory: Option<&HostPath>,
) -> Vec<UnmetImport> {
    let posix = prediction.hooks.iter().all(|hook| hook.file.flavour() == Flavour::Posix);
    let known = build.implementation == Implementation::CPython && posix;
    if !known || build.version.major < 3 || !prediction.starts() || prediction.hooks.is_empty() {
        return Vec::new();
    }
    let resolver =
        Resolver::for_entries(files, build, &prediction.entries, &prediction.hooks, working_directory);
    let standard = |module: &str| stdlib::contains(Version::from(build), module);
    let missing = |module: &str| !standard(module) && is_nowhere(&resolver, module);
    let mut found = Vec::new();
    for hook in &prediction.hooks {
        let code = match hook.kind {
            HookKind::ImportLine => hook.text.clone(),
            HookKind::SiteCustomize | HookKind::UserCustomize => {
                let Ok(contents) = files.read(&hook.file, HOOK_LIMIT) else { return found };
                contents.text().into_owned()
            }
            HookKind::OtherSite | HookKind::EntryPoint => return found,
            _ => continue,
        };
        let imports = python_source::imported_modules(&code);
        // what code does before its import, it may do for it
        let first = imports.iter().find(|(_, module)| missing(module)).filter(|(line, _)| {
            hook.line.is_some() || !code.lines().take(line.saturating_sub(1)).any(reaches)
        });
        if let Some((line, module)) = first {
            found.push(UnmetImport {
                file: hook.file.clone(),
                line: hook.line.unwrap_or(*line),
                text: code.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim().to_owned(),
                module: module.clone(),
            });
        } else if !is_harmless(hook, &code, prediction, |module| standard(module)) {
            return found;
        }
    }
    found
}

/// Not found in any place, and each of them could be looked into.
fn is_nowhere(resolver: &Resolver, module: &str) -> bool {
    let resolution = resolver.resolve(module);
    resolution.found.is_none()
        && resolution.searched.iter().all(|searched| {
            let looked_into = matches!(
                searched.result,
                SearchResult::Nothing | SearchResult::Missing | SearchResult::NotAnArchive
            );
            let alike =
                searched.passed_over.iter().any(|passed| matches!(passed, PassedOver::OtherCase { .. }));
            looked_into && !alike
        })
}

fn reaches(code: &str) -> bool {
    let code = code.split('#').next().unwrap_or_default();
    REACHES.iter().any(|word| code.contains(word))
}

/// Whether what runs leaves the import path alone: plain lines about the standard library, and what a distributor put
/// beside it.
fn is_harmless(
    hook: &StartupHook,
    code: &str,
    prediction: &Prediction,
    standard: impl Fn(&str) -> bool,
) -> bool {
    let of_the_path =
        |line: &str| line.contains("sys.path") || line.contains("addsitedir") || line.contains("meta_path");
    match hook.kind {
        HookKind::ImportLine => {
            let modules = python_source::imported_modules(code);
            !reaches(code) && modules.iter().all(|(_, module)| standard(module))
        }
        _ => {
            let beside = hook.file.parent().is_some_and(|directory| {
                prediction.entries.iter().any(|entry| {
                    let is_library = matches!(entry.origin, crate::imports::ImportOrigin::Stdlib);
                    is_library && entry.directory.as_bytes() == directory.as_bytes()
                })
            });
            beside && !code.lines().any(of_the_path)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host;
    use crate::host::fake::FakeMachine;
    use crate::imports::{Flags, Question, Start, Variables, identify, predict};

    const SITE: &str = "/v/lib/python3.12/site-packages";

    fn unmet(files: &[(&str, &str)]) -> Vec<(String, usize, String)> {
        let base = "/opt/python/lib/python3.12";
        let mut machine = FakeMachine::linux()
            .executable("/opt/python/bin/python3.12", "")
            .file(format!("{base}/os.py"), "")
            .file(format!("{base}/encodings/__init__.py"), "")
            .file(format!("{base}/lib-dynload/math.cpython-312-x86_64-linux-gnu.so"), "")
            .link("/v/bin/python", "/opt/python/bin/python3.12")
            .file("/v/pyvenv.cfg", "home = /opt/python/bin\nversion = 3.12.1\n")
            .file(format!("{SITE}/present.py"), "");
        for (name, text) in files {
            machine = machine.file(format!("{SITE}/{name}"), *text);
        }
        let program = HostPath::posix("/v/bin/python");
        let build = identify(&machine, &program).unwrap();
        let variables = Variables::default();
        let prediction = predict(
            &machine,
            &Question {
                executable: program,
                build: &build,
                variables: &variables,
                flags: Flags::default(),
                start: Start::Command,
                working_directory: None,
                user: Host::user(&machine),
            },
        );
        assert!(prediction.starts(), "{prediction:?}");
        let found = unmet_imports(&machine, &build, &prediction, None);
        found.into_iter().map(|it| (it.file.name().into_owned(), it.line, it.module)).collect()
    }

    #[test]
    fn an_import_line_of_what_is_gone_is_told() {
        let gone = "# coverage\nimport coverage_gone; coverage_gone.process_startup()\n";
        let told = [("cov.pth".to_owned(), 2, "coverage_gone".to_owned())];
        assert_eq!(unmet(&[("cov.pth", gone)]), told);
        assert_eq!(unmet(&[("a.pth", "import os; os.environ.get('X')\n"), ("cov.pth", gone)]), told);
        assert_eq!(
            unmet(&[("usercustomize.py", ""), ("sitecustomize.py", "import sys\nimport tracing_gone\n")]),
            [("sitecustomize.py".to_owned(), 2, "tracing_gone".to_owned())]
        );
    }

    #[test]
    fn quiet_where_it_cannot_be_certain() {
        for files in [
            &[("x.pth", "import present; present.start()\n")][..],
            &[("x.pth", "import os, sys; exec('import gone')\n")],
            &[("x.pth", "import sys; sys.path.append('/s')\n"), ("y.pth", "import gone\n")],
            &[("x.pth", "import present\n"), ("y.pth", "import gone\n")],
            &[("x.pth", "import gone\n"), ("gone/inner.py", "")],
            &[("x.pth", "import gone\n"), ("Gone.py", "")],
            &[("sitecustomize.py", "import sys\nsys.path.append('/s')\nimport gone\n")],
            &[("sitecustomize.py", "try:\n    import gone\nexcept ImportError:\n    pass\n")],
        ] {
            assert_eq!(unmet(files), [], "{files:?}");
        }
    }
}
