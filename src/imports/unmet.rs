//! Code that runs at every start and imports what is nowhere, told without the interpreter. Where anything that runs
//! before it may add to the import path, nothing is said.

use super::build::{Build, Implementation};
use super::predict::{HookKind, ImportEntry, ImportOrigin, Prediction, StartupHook};
use super::resolve::{PassedOver, Resolver, SearchResult};
use super::stdlib;
use crate::facts::import_setup::UnmetImport;
use crate::facts::interpreter::Version;
use crate::host::Files;
use crate::parse::python_source;
use crate::path::{Flavour, HostPath};

const HOOK_LIMIT: usize = 64 * 1024;

/// Words of code that may change what can be imported.
const REACHES: [&str; 9] =
    ["path", "addsitedir", "exec", "eval", "__import__", "import_module", "hook", "finder", "sys.modules"];

/// The imports that fail at this start, in the order in which the code runs.
pub fn unmet_imports(
    files: &dyn Files,
    build: &Build,
    prediction: &Prediction,
    working_directory: Option<&HostPath>,
) -> Vec<UnmetImport> {
    if !prediction.starts() || prediction.hooks.is_empty() {
        return Vec::new();
    }
    let Some(judge) = Judge::new(files, build, &prediction.entries, &prediction.hooks, working_directory)
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for hook in &prediction.hooks {
        match judge.effect(hook) {
            Effect::Fails(unmet) => found.push(unmet),
            Effect::None => {}
            Effect::Unknown => break,
        }
    }
    found
}

/// Whether the import line is certain to fail, by the import path of that moment and what has run so far.
pub(super) fn is_unmet(
    files: &dyn Files,
    build: &Build,
    entries: &[ImportEntry],
    hooks: &[StartupHook],
    working_directory: Option<&HostPath>,
    is_line: &dyn Fn(&StartupHook) -> bool,
) -> bool {
    let Some(judge) = Judge::new(files, build, entries, hooks, working_directory) else { return false };
    let effects = || hooks.iter().map(|hook| (is_line(hook), judge.effect(hook)));
    effects().any(|(is_line, effect)| is_line && matches!(effect, Effect::Fails(_)))
        && effects().all(|(_, effect)| !matches!(effect, Effect::Unknown))
}

/// What comes of something that runs at a start, as far as imports are concerned.
enum Effect {
    Fails(UnmetImport),
    None,
    /// It may add to the import path.
    Unknown,
}

struct Judge<'a> {
    files: &'a dyn Files,
    version: Version,
    entries: &'a [ImportEntry],
    resolver: Resolver<'a>,
}

impl<'a> Judge<'a> {
    /// None: too little is known of such a Python.
    fn new(
        files: &'a dyn Files,
        build: &'a Build,
        entries: &'a [ImportEntry],
        hooks: &[StartupHook],
        working_directory: Option<&HostPath>,
    ) -> Option<Self> {
        let posix = hooks.iter().all(|hook| hook.file.flavour() == Flavour::Posix);
        if !posix || build.implementation != Implementation::CPython || build.version.major < 3 {
            return None;
        }
        let resolver = Resolver::for_entries(files, build, entries, hooks, working_directory);
        Some(Judge { files, version: Version::from(build), entries, resolver })
    }

    fn effect(&self, hook: &StartupHook) -> Effect {
        let code = match hook.kind {
            HookKind::ImportLine => hook.text.clone(),
            HookKind::SiteCustomize | HookKind::UserCustomize => {
                match self.files.read(&hook.file, HOOK_LIMIT) {
                    Ok(contents) => contents.text().into_owned(),
                    Err(_) => return Effect::Unknown,
                }
            }
            HookKind::OtherSite | HookKind::EntryPoint => return Effect::Unknown,
            _ => return Effect::None,
        };
        let imports = python_source::imported_modules(&code);
        // what another module does before, it may do for this one, and so may the code before the import
        let first = imports.iter().find(|(_, module)| !self.is_standard(module)).filter(|(line, module)| {
            let before = code.lines().take(line.saturating_sub(1));
            self.is_nowhere(module) && (hook.line.is_some() || !before.into_iter().any(reaches))
        });
        match first {
            Some((line, module)) => Effect::Fails(UnmetImport {
                file: hook.file.clone(),
                line: hook.line.unwrap_or(*line),
                text: code.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim().to_owned(),
                module: module.clone(),
            }),
            None if self.is_harmless(hook, &code) => Effect::None,
            None => Effect::Unknown,
        }
    }

    fn is_standard(&self, module: &str) -> bool {
        stdlib::contains(self.version, module)
    }

    /// Not found in any place, and each of them could be looked into.
    fn is_nowhere(&self, module: &str) -> bool {
        let resolution = self.resolver.resolve(module);
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

    /// Whether what runs leaves the import path alone: plain lines about the standard library, and what a distributor
    /// put beside it.
    fn is_harmless(&self, hook: &StartupHook, code: &str) -> bool {
        let of_the_path = |line: &str| {
            line.contains("sys.path") || line.contains("addsitedir") || line.contains("meta_path")
        };
        match hook.kind {
            HookKind::ImportLine => {
                let modules = python_source::imported_modules(code);
                !reaches(code) && modules.iter().all(|(_, module)| self.is_standard(module))
            }
            _ => {
                let beside = hook.file.parent().is_some_and(|directory| {
                    self.entries.iter().any(|entry| {
                        let is_library = matches!(entry.origin, ImportOrigin::Stdlib);
                        is_library && entry.directory.as_bytes() == directory.as_bytes()
                    })
                });
                beside && !code.lines().any(of_the_path)
            }
        }
    }
}

fn reaches(code: &str) -> bool {
    let code = code.split('#').next().unwrap_or_default();
    REACHES.iter().any(|word| code.contains(word))
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
            &[("x.pth", "import present, gone\n")],
            &[("x.pth", "import gone\n"), ("gone/inner.py", "")],
            &[("x.pth", "import gone\n"), ("Gone.py", "")],
            &[("sitecustomize.py", "import sys\nsys.path.append('/s')\nimport gone\n")],
            &[("sitecustomize.py", "try:\n    import gone\nexcept ImportError:\n    pass\n")],
        ] {
            assert_eq!(unmet(files), [], "{files:?}");
        }
    }
}
