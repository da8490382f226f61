//! What leaks in, and where installs go.

use crate::diagnosis::{Action, Check, Finding, Remedy, Word};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::facts::import_setup::PythonPathEntry;
use crate::facts::installers::{PipConfiguration, PipLevel, PipSetting};
use crate::facts::interpreter::Version;
use crate::path::{Flavour, HostPath};

pub mod environment_without_pip;
pub mod failing_startup_hook;
pub mod foreign_owned_files;
pub mod global_install;
pub mod hidden_pth;
pub mod orphan_bytecode;
pub mod pip_redirected;
pub mod pip_requires_virtualenv;
pub mod pythonhome_set;
pub mod pythonpath_empty_entry;
pub mod pythonpath_leak;
pub mod pythonsafepath_set;
pub mod pythonstartup_missing;
pub mod shadowed_package;
pub mod shadowed_stdlib;
pub mod system_site_packages;
pub mod unreadable_pth;
pub mod user_site_disabled;
pub mod user_site_leak;

/// Causes before their symptoms.
pub static ALL: &[&Check] = &[
    &pythonhome_set::CHECK,
    &unreadable_pth::CHECK,
    &failing_startup_hook::CHECK,
    &foreign_owned_files::CHECK,
    &hidden_pth::CHECK,
    &environment_without_pip::CHECK,
    &pip_redirected::CHECK,
    &pip_requires_virtualenv::CHECK,
    &pythonpath_empty_entry::CHECK,
    &pythonpath_leak::CHECK,
    &shadowed_stdlib::CHECK,
    &shadowed_package::CHECK,
    &pythonsafepath_set::CHECK,
    &user_site_disabled::CHECK,
    &user_site_leak::CHECK,
    &system_site_packages::CHECK,
    &orphan_bytecode::CHECK,
    &global_install::CHECK,
    &pythonstartup_missing::CHECK,
];

/// The environment that `python` works in here, else the one under examination.
fn working(facts: &Facts) -> Option<&Environment> {
    facts.running().or_else(|| facts.patient())
}

/// The version of the Python that the shell runs, else of the one under examination.
fn python_version(facts: &Facts) -> Option<Version> {
    let shell = facts.shell_python().and_then(|command| command.chosen());
    shell
        .and_then(|hit| facts.interpreter(&hit.path)?.known_version())
        .or_else(|| facts.running()?.python_version())
        .or_else(|| facts.interpreter_of(facts.patient()?)?.known_version())
        .or_else(|| facts.patient()?.python_version())
}

/// The version of an environment's Python.
fn python_of(facts: &Facts, environment: &Environment) -> Option<Version> {
    facts
        .interpreter_of(environment)
        .and_then(|interpreter| interpreter.known_version())
        .or_else(|| environment.python_version())
}

/// Whether `site` skips hidden `.pth` files (gh-113659): 3.13, and the later patch releases of 3.8 to 3.12.
fn skips_hidden(version: Version) -> bool {
    let since = match (version.major, version.minor) {
        (3, 8 | 9) => 19,
        (3, 10) => 14,
        (3, 11) => 8,
        (3, 12) => 2,
        (3, 13..) => return true,
        _ => return false,
    };
    version.patch.is_some_and(|patch| patch >= since)
}

/// pip's configuration, where it was asked for.
fn pip(facts: &Facts) -> Option<&PipConfiguration> {
    facts.installers.known().map(|installers| &installers.pip)
}

/// A container or a CI run, where the whole machine serves one purpose.
fn single_purpose(facts: &Facts) -> bool {
    facts.surroundings.container.is_some() || facts.surroundings.ci.is_some()
}

/// Adds the line of a start-up file that sets the variable, as evidence.
fn with_line(finding: Finding, facts: &Facts, variable: &str) -> Finding {
    match facts.import_setup.line_of(variable) {
        Some(line) => finding.evidence(format!("{}, line {}", line.file, line.line), line.text.clone()),
        None => finding,
    }
}

/// Takes a variable out of this shell, and says which line would set it again.
fn unset(facts: &Facts, variable: &str) -> Remedy {
    let mut actions = vec![Action::Unset(variable.to_owned())];
    actions.extend(line_to_remove(facts, variable));
    Remedy::safe(format!("Take {variable} out of this shell"), actions)
}

fn line_to_remove(facts: &Facts, variable: &str) -> Option<Action> {
    facts.import_setup.line_of(variable).map(|line| Action::Edit {
        file: line.file.clone(),
        line: Some(line.line),
        hint: format!("remove what sets {variable}, or new shells will have it again"),
    })
}

/// Sets `PYTHONPATH` to the entries that are to stay, or unsets it where none is.
fn keep_python_path(facts: &Facts, stays: impl Fn(&PythonPathEntry) -> bool) -> Remedy {
    let kept = facts.import_setup.python_path.iter().filter(|entry| stays(entry));
    python_path_of(facts, kept.map(|entry| entry.raw.clone()).collect())
}

/// Sets `PYTHONPATH` to these entries, or takes it out.
fn python_path_of(facts: &Facts, kept: Vec<String>) -> Remedy {
    let separator = match facts.platform.flavour() {
        Flavour::Windows => ";",
        Flavour::Posix => ":",
    };
    let mut actions = vec![match kept.is_empty() {
        true => Action::Unset("PYTHONPATH".to_owned()),
        false => Action::Set { name: "PYTHONPATH".to_owned(), value: kept.join(separator).into() },
    }];
    actions.extend(line_to_remove(facts, "PYTHONPATH"));
    let summary = match kept.is_empty() {
        true => "Take PYTHONPATH out of this shell",
        false => "Leave only the other entries in PYTHONPATH",
    };
    Remedy::safe(summary, actions)
}

/// Takes a setting of pip back: the variable, or the line of its file.
fn remove_setting(facts: &Facts, setting: &PipSetting) -> Remedy {
    let Some(file) = &setting.file else { return unset(facts, &setting.variable()) };
    let key = format!("{}.{}", setting.section, setting.key);
    let level = match setting.level {
        PipLevel::User if file.parent().is_some_and(|directory| directory.name() == "pip") => Some("--user"),
        PipLevel::Site => Some("--site"),
        _ => None,
    };
    let python = facts.shell_python().and_then(|command| command.chosen()).map(|hit| &hit.path);
    match (level, python) {
        (Some(level), Some(python)) => {
            let words = ["-m", "pip", "config", level, "unset"].map(Word::from);
            let command = std::iter::once(Word::from(python)).chain(words).chain([key.as_str().into()]);
            Remedy::review(format!("Remove {key} from {file}"), vec![Action::Run(command.collect())])
        }
        _ => remove_line(facts, setting, file, &key),
    }
}

/// `pip config` does not reach every file: the line is deleted where it holds the whole setting and may be
/// changed without asking an administrator.
fn remove_line(facts: &Facts, setting: &PipSetting, file: &HostPath, key: &str) -> Remedy {
    let summary = format!("Remove {key} from {file}");
    let changeable = setting.level != PipLevel::Global || facts.user.id == 0;
    let by_sed = changeable && setting.plain && facts.platform.flavour() == Flavour::Posix;
    match setting.line.filter(|_| by_sed) {
        Some(line) => {
            // the name, too: pasted a second time it must not take the line that came after
            let name = setting.key.replace('-', "[-_]");
            let script = format!("{line}{{/^[[:space:]]*{name}/d;}}");
            let words = ["sed".into(), "-i.bak".into(), script.as_str().into(), file.into()];
            Remedy::review(
                format!("{summary} (what was there stays in {}.bak)", file.name()),
                vec![Action::run(words)],
            )
        }
        None => {
            let hint = format!("remove the setting `{}`", setting.key);
            let edit = Action::Edit { file: file.clone(), line: setting.line, hint };
            Remedy::manual(summary, vec![edit])
        }
    }
}

/// The first few of many, and how many more there are.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 4;
    match names.len() {
        0..=SHOWN => names.join(", "),
        all => format!("{} and {} more", names[..SHOWN].join(", "), all - SHOWN),
    }
}

#[cfg(test)]
pub(in crate::checks::isolation) mod tests {
    use super::*;
    use crate::facts::Gathered;
    use crate::facts::distribution::*;
    use crate::facts::example;
    use crate::facts::import_setup::{LocalModule, ScriptDirectory};
    use crate::facts::project::ImportedModule;

    /// A healthy machine with this `PYTHONPATH`; the directories exist and are empty.
    pub fn with_python_path(value: &str) -> Facts {
        let mut facts = example::healthy();
        example::set_variable(&mut facts, "PYTHONPATH", value);
        facts.import_setup.python_path = value
            .split(':')
            .enumerate()
            .map(|(index, raw)| PythonPathEntry {
                index,
                raw: raw.to_owned(),
                directory: Some(example::path(example::PROJECT).join(raw).normalized()),
                relative: !raw.starts_with('/'),
                exists: true,
                version: None,
                distributions: Vec::new(),
                modules: Vec::new(),
            })
            .collect();
        facts
    }

    /// A file of this name in the environment's `site-packages`, with one path that exists.
    pub fn with_pth(name: &str) -> Facts {
        let mut facts = example::healthy();
        let directory = example::path(example::VENV).join("lib/python3.11/site-packages");
        let path = example::path("/home/me/src");
        facts.packages = vec![Packages {
            added_modules: Vec::new(),
            path_changes: Vec::new(),
            lost_targets: Vec::new(),
            contents: Gathered::NotAsked,
            environment: example::path(example::VENV),
            overlaps: Vec::new(),
            sites: vec![SitePackages {
                kind: SiteKind::Own,
                readable: true,
                writable: true,
                owner: Some(1000),
                distributions: Vec::new(),
                pth_files: vec![PthFile {
                    path: directory.join(name),
                    hidden: name.starts_with('.'),
                    decodable: true,
                    paths: vec![PthLine { line: 1, path, exists: true }],
                    imports: Vec::new(),
                }],
                leftovers: Vec::new(),
                modules: Vec::new(),
                directory,
            }],
        }];
        facts
    }

    /// A distribution of version 2.0 in the environment's `site-packages`, with a module of its name.
    pub fn with_distribution(name: &str) -> Facts {
        let mut facts = with_pth("x.pth");
        let site = &mut facts.packages[0].sites[0];
        site.pth_files.clear();
        site.distributions = vec![Distribution {
            name: name.into(),
            normalized: name.into(),
            version: Some("2.0".into()),
            metadata: site.directory.join(format!("{name}-2.0.dist-info")),
            form: DistributionForm::DistInfo,
            has_metadata: true,
            readable: true,
            has_record: true,
            requires: Vec::new(),
            requires_python: None,
            installer: None,
            requested: true,
            editable: None,
            direct_url: None,
            tags: Vec::new(),
            compiled: Vec::new(),
            modules: vec![name.into()],
            scripts: Vec::new(),
            record: Gathered::NotAsked,
            sources: Vec::new(),
            elsewhere: false,
            moved_to: Vec::new(),
        }];
        facts
    }

    /// The project's root with these files `NAME.py`, and who imports what: `(module, file)`.
    pub fn with_script_directory(modules: &[&str], imports: &[(&str, &str)]) -> Facts {
        let mut facts = example::healthy();
        let directory = example::path(example::PROJECT);
        let file = |name: &str| directory.join(format!("{name}.py"));
        facts.import_setup.script_directories = vec![ScriptDirectory {
            distributions: Vec::new(),
            modules: modules
                .iter()
                .map(|name| LocalModule {
                    name: (*name).to_owned(),
                    path: file(name),
                    kind: TopLevelKind::Source,
                })
                .collect(),
            bytecode: Vec::new(),
            imports: imports
                .iter()
                .map(|(module, importer)| ImportedModule {
                    name: (*module).to_owned(),
                    file: file(importer),
                    line: 1,
                })
                .collect(),
            directory,
        }];
        facts
    }
}
