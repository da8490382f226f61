//! The project imports a module that nothing on the environment's import path provides.

use std::collections::BTreeSet;

use super::{LISTED, few, installing, judged, may_be_added, place};
use crate::diagnosis::requirement::missing;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::distribution::Packages;
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::interpreter::Version;
use crate::facts::platform::System;
use crate::facts::requirement::{Certainty, Purpose, SourceImport, Sources};
use crate::imports::{
    is_distutils_precedence, known_modules, near, replaces_distutils, replaces_distutils_by_default, stdlib,
};
use crate::parse::names::normalize_name;
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "unresolvable-import",
    category: Category::Project,
    severity: Severity::Warning,
    summary: "The project imports a module that nothing in the environment provides",
    needs: &[Need::Project, Need::Sources, Need::Packages, Need::Installed, Need::Probe],
    explains: &[],
    explanation: r#"
## What it means

A file of the project imports a module that is neither in the standard library of this Python, nor in the project, nor
in anything that is installed. Running the file ends in `ModuleNotFoundError`. Only imports that run whenever the file
does are judged: those below `try`, `if`, `if TYPE_CHECKING` or in functions are not.

## How it happens

What is imported and what is installed have different names: `import yaml` comes from PyYAML, `import cv2` from
opencv-python, and `pip install` of the module's name fails or installs something else. Or the module left the
standard library: `distutils` in Python 3.12, `cgi`, `telnetlib` and others in 3.13 (PEP 594); and a venv of Python 3.12 or
later has no setuptools, so no `pkg_resources`. Or nobody installed it.

## How to fix it

Install the distribution that provides the module, into the environment that runs the file, and declare it:

    .venv/bin/python -m pip install PyYAML
    uv add PyYAML

`pkg_resources` comes with setuptools before version 81; new code uses `importlib.metadata` and
`importlib.resources` instead.

## When it is fine

When the file is never run with this environment, or by a program that brings the module along (Blender, a cloud
runtime). A notebook counts only where its environment has ipykernel, for information. An import inside
`try: ... except ImportError:` says so, and is not reported. Where start-up code (a `sitecustomize`, a line of a `.pth`
file) changes the import path in a way that only running it can tell, the module may come from there: then this is
information only.
"#,
    examine,
};

/// Modules that programs with a Python of their own bring along, or that another implementation has.
const EMBEDDED: [&str; 64] = [
    "FreeCAD",
    "FreeCADGui",
    "GPS",
    "Gaffer",
    "JABpy",
    "SCons",
    "adsk",
    "ansible_collections",
    "arcpy",
    "awsglue",
    "bge",
    "binaryninja",
    "bmesh",
    "bpy",
    "burp",
    "c4d",
    "clr",
    "com",
    "com_sun",
    "flame",
    "gdb",
    "ghidra",
    "gimp",
    "gimpfu",
    "google",
    "hexchat",
    "hou",
    "ida_bytes",
    "idaapi",
    "idautils",
    "idc",
    "inkex",
    "java",
    "javax",
    "js",
    "krita",
    "lldb",
    "machine",
    "mathutils",
    "maya",
    "microbit",
    "micropython",
    "mod_wsgi",
    "nuke",
    "obspython",
    "org",
    "pcbnew",
    "pyb",
    "pymel",
    "pyodide",
    "qgis",
    "rhinoscriptsyntax",
    "slicer",
    "sublime",
    "sublime_plugin",
    "supervisor",
    "unreal",
    "utime",
    "uwsgi",
    "vim",
    "weechat",
    "xbmc",
    "xbmcaddon",
    "xbmcgui",
];

/// Those of them that are also names of distributions, or of packages of any kind.
const AMBIGUOUS: [&str; 9] =
    ["GPS", "SCons", "ansible_collections", "clr", "com", "google", "js", "org", "supervisor"];

/// Distributions for one system or machine alone: elsewhere the file is not meant to run.
const ELSEWHERE: [&str; 9] = [
    "pywin32",
    "wmi",
    "comtypes",
    "pyobjc-core",
    "pyobjc-framework-cocoa",
    "pyobjc-framework-quartz",
    "rpi-gpio",
    "adafruit-blinka",
    "adafruit-circuitpython-neopixel",
];

/// An import that fails.
struct Failing<'f> {
    import: &'f SourceImport,
    reason: Reason,
}

enum Reason {
    /// Provided by this distribution, which is not installed.
    Distribution(&'static str, bool),
    /// Taken out of the standard library in this version.
    Removed(Version, Option<&'static str>),
    /// setuptools would provide it in its place, and this variable forbids it.
    SwitchedOff(&'static str),
    /// Part of the standard library since this later version.
    TooNew(Version),
    /// A module of Python 2.
    Renamed(&'static str),
    Unknown,
}

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, packages)) = judged(facts) else { return };
    let Some(sources) = facts.project.sources.known() else { return };
    if path_is_open(facts, packages) {
        return;
    }
    let failing = failing(facts, environment, packages, sources);
    if failing.is_empty() {
        return;
    }
    let names: Vec<&str> = failing.iter().map(|failing| failing.import.top()).collect();
    let told = match failing.as_slice() {
        [one] => format!("{}, which nothing in {} provides: {}", names[0], environment.root, describe(one)),
        _ => format!("{}, which nothing in {} provides", few(&names), environment.root),
    };
    let mut message = format!("The project imports {told}");
    let mut severity = severity(facts, environment, &failing);
    if let Some(clause) = may_be_added(packages) {
        message += &clause;
        severity = Severity::Info;
    }
    let mut finding =
        Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message).severity(severity);
    for one in failing.iter().take(LISTED) {
        finding = finding
            .evidence(format!("import {}", one.import.module), one.import.place())
            .evidence("it is", describe(one));
        if let Some(near) = near(packages, one.import.top()) {
            finding = finding.evidence("a similar name that is installed", near);
        }
    }
    for site in packages.sites.iter().take(LISTED) {
        finding = finding.evidence("searched", site.directory.to_text());
    }
    for remedy in remedies(facts, environment, &failing) {
        finding = finding.remedy(remedy);
    }
    findings.push(finding);
}

/// `PYTHONPATH` names a directory whose modules are not known.
fn path_is_open(facts: &Facts, packages: &Packages) -> bool {
    let Some(value) = facts.shell.set("PYTHONPATH") else { return false };
    let separator = if facts.platform.system == System::Windows { ';' } else { ':' };
    value.split(separator).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.trim_end_matches('/');
        let known = packages.sites.iter().any(|site| site.directory.to_text() == entry);
        let own =
            facts.project.root.as_ref().is_some_and(|root| {
                HostPath::new(root.flavour(), entry).is_none_or(|path| path.is_within(root))
            });
        !known && !own
    })
}

fn failing<'f>(
    facts: &'f Facts,
    environment: &Environment,
    packages: &Packages,
    sources: &'f Sources,
) -> Vec<Failing<'f>> {
    let version = facts
        .interpreter_of(environment)
        .and_then(|found| found.known_version())
        .or(environment.python_version());
    let Some(version) = version else { return Vec::new() };
    let declared = missing(facts, environment, packages);
    let spoken_of = |name: &str| {
        // the finding about the requirement says it, or it may be left out
        let optional = facts.project.requirements.iter().filter(|it| it.purpose == Purpose::Optional);
        declared.iter().copied().chain(optional).any(|requirement| {
            requirement.name == normalize_name(name)
                || known_modules::modules_of(&requirement.name).any(|module| module == name)
        })
    };
    let mut found: Vec<Failing> = Vec::new();
    let shim = distutils_shim(facts, packages);
    // a notebook runs here where its kernel can
    let has_kernel = packages.distribution("ipykernel").is_some();
    // a file for such a program may name other modules of it, too
    let embedded: BTreeSet<&HostPath> = sources
        .imports
        .iter()
        .filter(|import| EMBEDDED.contains(&import.top()) && !AMBIGUOUS.contains(&import.top()))
        .map(|import| &import.file)
        .collect();
    let certain = sources.imports.iter().filter(|import| import.certainty == Certainty::Certain);
    for import in certain.filter(|import| has_kernel || !import.is_in_notebook()) {
        let top = import.top();
        let resolved = stdlib::contains(version, top)
            || packages.provides_module(top)
            || sources.own.iter().any(|own| own == top)
            || EMBEDDED.contains(&top)
            || top == "__main__"
            || top == "distutils" && shim == Some(Shim::On);
        if resolved || spoken_of(top) || found.iter().any(|known| known.import.top() == top) {
            continue;
        }
        let reason = match shim {
            Some(Shim::Off) if top == "distutils" => Reason::SwitchedOff(USE_DISTUTILS),
            _ => reason(version, import),
        };
        if let Reason::Distribution(distribution, _) = reason
            && ELSEWHERE.contains(&normalize_name(distribution).as_str())
        {
            continue;
        }
        // what only a run can tell is not claimed of names that nobody knows
        if matches!(reason, Reason::Unknown) && (sources.changes_path || embedded.contains(&import.file)) {
            continue;
        }
        found.push(Failing { import, reason });
    }
    found
}

/// What setuptools' `distutils-precedence.pth` does at a start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shim {
    On,
    Off,
}

const USE_DISTUTILS: &str = "SETUPTOOLS_USE_DISTUTILS";

/// Whether `import distutils` finds setuptools' copy: `distutils-precedence.pth` installs a finder unless the variable
/// says otherwise (setuptools `_distutils_hack/__init__.py`, `DistutilsMetaFinder`).
fn distutils_shim(facts: &Facts, packages: &Packages) -> Option<Shim> {
    let line = packages
        .sites
        .iter()
        .flat_map(|site| &site.pth_files)
        .filter(|file| !file.hidden && file.decodable)
        .flat_map(|file| &file.imports)
        .find(|line| is_distutils_precedence(&line.text))?;
    if !["setuptools", "_distutils_hack"].iter().all(|module| packages.provides_module(module)) {
        return None;
    }
    let variable = facts.shell.variable(USE_DISTUTILS).map(str::as_bytes);
    match (replaces_distutils(&line.text, variable), replaces_distutils_by_default(&line.text)) {
        (true, _) => Some(Shim::On),
        (false, true) => Some(Shim::Off),
        // it is not the variable that keeps it out
        (false, false) => None,
    }
}

fn reason(version: Version, import: &SourceImport) -> Reason {
    let row = known_modules::known_module(&import.module);
    if let Some(removed) = stdlib::removed_in(version, import.top()) {
        return Reason::Removed(removed, row.map(|row| row.distribution()));
    }
    if let Some(added) = stdlib::added_in(version, import.top()) {
        return Reason::TooNew(added);
    }
    if let Some(new) = stdlib::renamed_to(import.top()).filter(|_| version.major == 3) {
        return Reason::Renamed(new);
    }
    row.map_or(Reason::Unknown, |row| Reason::Distribution(row.distribution(), row.decoy))
}

fn describe(failing: &Failing) -> String {
    let top = failing.import.top();
    match &failing.reason {
        Reason::Distribution(name, true) => {
            format!("a module of {name} (the distribution called {top} is something else)")
        }
        Reason::Distribution(name, false) => format!("a module of {name}"),
        Reason::Removed(version, Some(name)) => {
            format!("no part of Python since {}; {name} provides it", version.minor_text())
        }
        Reason::Removed(version, None) => format!("no part of Python since {}", version.minor_text()),
        Reason::SwitchedOff(variable) => format!("setuptools would provide it, and {variable} forbids that"),
        Reason::TooNew(version) => format!("part of Python {} and later", version.minor_text()),
        Reason::Renamed(new) => format!("Python 2's name for {new}"),
        Reason::Unknown => "in no list of modules that have another name than their distribution".to_owned(),
    }
}

fn severity(facts: &Facts, environment: &Environment, failing: &[Failing]) -> Severity {
    // a notebook may be one that nobody runs any more
    let noted = failing.iter().all(|one| one.import.is_in_notebook());
    // files that lie together are no project that somebody means to run with this Python
    let loose = facts.project.markers.is_empty() && environment.kind == EnvironmentKind::Installation;
    if loose || noted { Severity::Info } else { CHECK.severity }
}

/// The installed module whose name is nearest.
fn near(packages: &Packages, name: &str) -> Option<String> {
    let modules = || packages.sites.iter().flat_map(|site| &site.modules);
    let nearest = near::near(name, modules().map(|module| module.name.clone())).into_iter().next()?;
    let module = modules().find(|module| module.name == nearest)?;
    Some(module.path.to_text().into_owned())
}

fn remedies(facts: &Facts, environment: &Environment, failing: &[Failing]) -> Vec<Remedy> {
    let mut wanted: Vec<&str> = Vec::new();
    let mut unset: Vec<&str> = Vec::new();
    let mut advice: Vec<Action> = Vec::new();
    for one in failing {
        let top = one.import.top();
        match one.reason {
            Reason::Distribution(name, _) | Reason::Removed(_, Some(name)) => {
                wanted.push(known_modules::requirement_for(top, name));
            }
            Reason::Removed(_, None) => {
                advice.push(Action::Advice(format!("change {}: {top} was taken out of Python", one.import.place())));
            }
            Reason::SwitchedOff(variable) => unset.push(variable),
            Reason::TooNew(version) => advice.push(Action::Advice(format!(
                "{top} needs Python {} or later: make the environment with a newer one",
                version.minor_text()
            ))),
            Reason::Renamed(new) => {
                advice.push(Action::Advice(format!("in {}, import {new} instead of {top}", one.import.place())));
            }
            Reason::Unknown => advice.push(Action::Advice(format!(
                "find out which distribution provides {top}; it is often called alike, but look before you install it"
            ))),
        }
    }
    wanted.dedup();
    let mut remedies = Vec::new();
    if let (false, Some(installer)) = (wanted.is_empty(), installing(facts, environment)) {
        let actions = installer.actions(wanted.iter().map(|name| Word::from(*name)));
        let summary = format!("Install {} into {}", wanted.join(", "), place(facts, environment));
        remedies.push(Remedy::safe(summary, actions));
    }
    if !unset.is_empty() {
        let actions = unset.iter().map(|name| Action::Unset((*name).to_owned())).collect();
        remedies.push(Remedy::safe("Let setuptools provide distutils", actions));
    }
    if !advice.is_empty() {
        remedies.push(Remedy::manual("Mend the imports that no known distribution provides", advice));
    }
    remedies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Gathered;
    use crate::facts::example::{interpreters_of, path, with_packages};

    fn importing(modules: &[(&str, Certainty)]) -> Facts {
        let mut facts = with_packages();
        let imports = modules.iter().map(|(module, certainty)| SourceImport {
            module: (*module).into(),
            certainty: *certainty,
            file: path("/home/me/project/main.py"),
            line: 1,
        });
        facts.project.sources = Gathered::Known(Sources {
            imports: imports.collect(),
            own: vec!["main".into()],
            ..Sources::default()
        });
        facts
    }

    fn words(finding: &Finding) -> String {
        let Action::Run(words) = &finding.remedies[0].actions[0] else { return String::new() };
        words
            .iter()
            .map(|word| String::from_utf8_lossy(word.as_bytes()).into_owned())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn quiet_of_unknown_names_in_a_file_for_another_program() {
        assert!(
            CHECK
                .findings(&importing(&[("machine", Certainty::Certain), ("network", Certainty::Certain)]))
                .is_empty()
        );
        let found = CHECK
            .findings(&importing(&[("google.cloud", Certainty::Certain), ("network", Certainty::Certain)]));
        assert_eq!(found.len(), 1);
        let found =
            CHECK.findings(&importing(&[("machine", Certainty::Certain), ("yaml", Certainty::Certain)]));
        assert_eq!(found.len(), 1);
    }

    fn with_notebook() -> Facts {
        let mut facts = importing(&[("yaml", Certainty::Certain)]);
        if let Gathered::Known(sources) = &mut facts.project.sources {
            sources.imports[0].file = path("/home/me/project/analysis.ipynb");
        }
        facts
    }

    #[test]
    fn fires_as_information_when_a_notebook_imports_it() {
        let mut facts = with_notebook();
        facts.packages[0].sites[0].distributions.push(crate::facts::example::distribution("ipykernel", "6"));
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Info);
    }

    #[test]
    fn fires_as_information_when_start_up_code_may_provide_it() {
        let mut facts = importing(&[("yaml", Certainty::Certain)]);
        facts.packages[0].path_changes.push(crate::facts::example::path_change("/apps/sitecustomize.py"));
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].severity, Severity::Info);
        assert!(
            found[0].message.contains("may come from what /apps/sitecustomize.py adds"),
            "{}",
            found[0].message
        );
    }

    #[test]
    fn quiet_when_the_notebook_runs_elsewhere() {
        assert!(CHECK.findings(&with_notebook()).is_empty());
    }

    #[test]
    fn fires_when_the_distribution_has_another_name() {
        let found = CHECK.findings(&importing(&[("yaml", Certainty::Certain)]));
        assert_eq!(found.len(), 1);
        assert!(found[0].message.ends_with("provides: a module of PyYAML"), "{}", found[0].message);
        assert_eq!(words(&found[0]), "/home/me/project/.venv/bin/python -m pip install PyYAML");
    }

    #[test]
    fn fires_when_the_module_left_the_standard_library() {
        let mut facts = importing(&[("distutils.util", Certainty::Certain)]);
        assert_eq!(CHECK.findings(&facts), []);
        interpreters_of(&mut facts)
            .for_each(|interpreter| interpreter.version = Some(Version::new(3, 12, None)));
        crate::facts::example::venv_of(&mut facts).libraries[0].version = Some(Version::new(3, 12, None));
        let found = CHECK.findings(&facts);
        assert!(
            found[0].message.ends_with("no part of Python since 3.12; setuptools provides it"),
            "{found:?}"
        );
        assert!(words(&found[0]).ends_with("install setuptools"));
    }

    fn with_shim(value: Option<&str>) -> Facts {
        use crate::facts::distribution::{PthFile, PthImport, TopLevel, TopLevelKind};
        let mut facts = importing(&[("distutils.util", Certainty::Certain)]);
        interpreters_of(&mut facts)
            .for_each(|interpreter| interpreter.version = Some(Version::new(3, 12, None)));
        crate::facts::example::venv_of(&mut facts).libraries[0].version = Some(Version::new(3, 12, None));
        let site = &mut facts.packages[0].sites[0];
        for name in ["setuptools", "_distutils_hack"] {
            site.modules.push(TopLevel {
                name: name.into(),
                path: site.directory.join(name),
                kind: TopLevelKind::Package,
                barren: false,
            });
        }
        let text = "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; enabled and __import__('_distutils_hack').add_shim();";
        site.pth_files.push(PthFile {
            path: site.directory.join("distutils-precedence.pth"),
            hidden: false,
            decodable: true,
            paths: Vec::new(),
            imports: vec![PthImport { line: 1, text: text.into() }],
        });
        if let Some(value) = value {
            crate::facts::example::set_variable(&mut facts, USE_DISTUTILS, value);
        }
        facts
    }

    #[test]
    fn quiet_when_setuptools_puts_its_distutils_in_the_place_of_pythons() {
        assert_eq!(CHECK.findings(&with_shim(None)), []);
        assert_eq!(CHECK.findings(&with_shim(Some("local"))), []);
    }

    #[test]
    fn fires_when_setuptools_is_told_to_keep_its_distutils_to_itself() {
        for value in ["stdlib", ""] {
            let found = CHECK.findings(&with_shim(Some(value)));
            assert_eq!(found[0].remedies[0].actions, [Action::Unset(USE_DISTUTILS.into())], "{found:?}");
        }
        let mut hidden = with_shim(None);
        hidden.packages[0].sites[0].pth_files.iter_mut().for_each(|file| file.hidden = true);
        assert_eq!(CHECK.findings(&hidden).len(), 1);
    }

    #[test]
    fn fires_with_a_setuptools_that_still_has_pkg_resources() {
        let found = CHECK.findings(&importing(&[("pkg_resources", Certainty::Certain)]));
        assert!(words(&found[0]).ends_with("install setuptools<81"), "{found:?}");
    }

    #[test]
    fn fires_without_a_command_when_the_distribution_is_not_known() {
        let found = CHECK.findings(&importing(&[("unheardof", Certainty::Certain)]));
        assert!(matches!(found[0].remedies[0].actions[..], [Action::Advice(_)]));
        let found = CHECK.findings(&importing(&[("urllib2", Certainty::Certain)]));
        assert!(found[0].message.ends_with("Python 2's name for urllib.request"));
    }

    #[test]
    fn quiet_when_it_is_there_or_the_projects_own() {
        let modules = ["six", "os.path", "main", "bpy", "win32api"].map(|name| (name, Certainty::Certain));
        assert_eq!(CHECK.findings(&importing(&modules)), []);
    }

    #[test]
    fn quiet_when_it_may_be_left_out() {
        use Certainty::{Conditional, Deferred, Optional, TypeChecking, Unreached};
        let modules = [Conditional, Deferred, Optional, TypeChecking, Unreached].map(|it| ("yaml", it));
        assert_eq!(CHECK.findings(&importing(&modules)), []);
    }

    #[test]
    fn quiet_when_the_import_path_has_more() {
        let mut facts = importing(&[("yaml", Certainty::Certain)]);
        crate::facts::example::set_variable(&mut facts, "PYTHONPATH", "/opt/modules");
        assert_eq!(CHECK.findings(&facts), []);
    }
}
