//! `home` in `pyvenv.cfg` leads to no Python any more.

use super::{base_directory, severity, venvs, with_replacement, with_same_minor};
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, HomeDirectory, HomeState};
use crate::facts::interpreter::{HomeFault, Interpreter, LinkEnd, Probe, PythonOwner, WithoutHome};
use crate::parse::pyvenv_cfg::{ConfigOddity, HOME};
use crate::path::{Flavour, HostPath};

pub static CHECK: Check = Check {
    id: "base-python-missing",
    category: Category::Interpreter,
    severity: Severity::Warning,
    summary: "The base Python that pyvenv.cfg names is not there",
    needs: &[Need::Probe, Need::Installed],
    explains: &["interpreter-fails"],
    explanation: r#"
## What it means
The line `home = ...` in `pyvenv.cfg` names the directory of the Python that the environment was made from. Python 3.11
and later start the search for the standard library there; on Windows, and for environments with a copied
interpreter, every version does. What it names is not there. Then either Python dies at its start ("No module named
'encodings'"), or it starts all the same, because it was built for a fixed place that still exists.

## How it happens
The base Python was moved, renamed or replaced: a directory with the patch version in its name, a Python that was
unpacked elsewhere, a removed module of a cluster. Portable builds (those of uv, conda, Homebrew) have no fixed
place to fall back on; Debian's and pyenv's have one.

Some write the interpreter instead of its directory (`home = /usr/bin/python3`): Python 3.11, 3.12 and 3.13 do not
start with that.

## How to fix it
Correct the line by hand; `readlink -f .venv/bin/python` shows the directory that belongs there:

    home = /opt/python-3.11/bin

Or let the base Python do it, with the same minor version: `python3.11 -m venv --upgrade .venv`. Packages stay.

## When it is fine
Up to Python 3.10, and from 3.14.10 on, an interpreter that is a link does not need the line. Then this is only
information.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in venvs(facts) {
        let (Some(home), Some(interpreter)) = (&environment.home, facts.interpreter_of(environment)) else {
            continue;
        };
        if interpreter.links.end != LinkEnd::File
            || fails_otherwise(facts, interpreter)
            || is_senseless(environment)
        {
            continue;
        }
        let fault = match home.state {
            HomeState::Good => continue,
            HomeState::File => HomeFault::File,
            HomeState::NoInterpreter | HomeState::Missing | HomeState::Denied => HomeFault::Nowhere,
        };
        let effect = interpreter.without_home(fault, environment);
        // the prefix serves as well as its bin: the search for the standard library goes upwards
        if matches!(home.state, HomeState::NoInterpreter | HomeState::Denied) && effect != WithoutHome::Dies {
            continue;
        }
        let severity = match effect {
            WithoutHome::Dies => severity(facts, environment),
            WithoutHome::Luck => Severity::Warning,
            WithoutHome::NotNeeded => Severity::Info,
        };
        let what = match home.state {
            HomeState::File => "is a file, not the directory of an interpreter",
            HomeState::NoInterpreter => "has no interpreter",
            HomeState::Denied => "may not be entered by this user",
            HomeState::Missing | HomeState::Good => "does not exist",
        };
        let file = environment.config_path.clone().unwrap_or_else(|| environment.root.join("pyvenv.cfg"));
        let mut finding = Finding::new(
            &CHECK,
            Subject::Environment(environment.root.clone()),
            format!("{} was made from the Python in {}, which {what}", environment.root, home.path),
        )
        .severity(severity)
        .evidence(
            "home",
            match home.line {
                Some(line) => format!("{} ({file}, line {line})", home.path),
                None => format!("{} ({file})", home.path),
            },
        )
        .evidence("interpreter", interpreter.links_text())
        .evidence("without it", consequence(interpreter, effect));
        if let (HomeState::Missing, Some(owner)) = (home.state, PythonOwner::of(&home.path.join("python"))) {
            finding = finding.evidence("belonged to", owner.label());
        }
        finding = match right_directory(facts, environment, home) {
            Some(directory) => {
                let finding = finding.evidence("the right directory", directory.to_text());
                match correct_line(environment, &file, &directory) {
                    Some(remedy) => finding.remedy(remedy),
                    None => finding,
                }
            }
            None => with_same_minor(finding, facts, environment),
        };
        findings.push(with_replacement(finding, facts, environment));
    }
}

/// It fails for a reason that `home` has no part in.
fn fails_otherwise(facts: &Facts, interpreter: &Interpreter) -> bool {
    interpreter.probe.went_wrong()
        && (!interpreter.probe.lacks_standard_library() || facts.shell.set("PYTHONHOME").is_some())
}

/// Not a directory at all: another check's finding.
fn is_senseless(environment: &Environment) -> bool {
    environment.venv_config().is_some_and(|config| {
        config.oddities.iter().any(|oddity| {
            matches!(
                oddity,
                ConfigOddity::QuotedHome { .. }
                    | ConfigOddity::EmptyHome { .. }
                    | ConfigOddity::RelativeHome { .. }
                    | ConfigOddity::Utf16
                    | ConfigOddity::NotUtf8 { .. }
            )
        })
    })
}

fn consequence(interpreter: &Interpreter, effect: WithoutHome) -> String {
    match (effect, &interpreter.probe) {
        (WithoutHome::Dies, Probe::Failed { ending, stderr }) => {
            let telling = |line: &&str| line.contains("Error") || line.contains("rror evaluating");
            let line = stderr.lines().find(telling).or_else(|| stderr.lines().next()).unwrap_or_default();
            format!("{ending}: {}", line.trim())
        }
        (WithoutHome::Dies, _) if interpreter.path.flavour() == Flavour::Windows => {
            "it only starts that one, and says \"No Python at ...\"".to_owned()
        }
        (WithoutHome::Dies, _) => "this build has no other place for its standard library".to_owned(),
        (WithoutHome::Luck, Probe::Answered(report)) => {
            format!("it starts with the standard library of {}, for which it was built", report.base_prefix)
        }
        (WithoutHome::Luck, _) => "it may start, if the place for which it was built still exists".to_owned(),
        (WithoutHome::NotNeeded, _) => "this version finds its standard library by its links".to_owned(),
    }
}

/// Where `home` should lead: the end of the links, else the only place where the base may have gone.
fn right_directory(facts: &Facts, environment: &Environment, home: &HomeDirectory) -> Option<HostPath> {
    if let Some(directory) = base_directory(facts, environment) {
        return Some(directory);
    }
    if home.state == HomeState::File {
        return home.path.parent();
    }
    match home.moved_to.as_slice() {
        [directory] => Some(directory.clone()),
        _ => None,
    }
}

fn correct_line(environment: &Environment, file: &HostPath, directory: &HostPath) -> Option<Remedy> {
    let config = environment.venv_config()?;
    let line = config.lines.iter().find(|line| line.key.as_deref() == Some(HOME))?;
    if !directory.is_utf8() {
        return None;
    }
    Some(Remedy::safe(
        format!("Let home in pyvenv.cfg name {directory}"),
        vec![Action::Rewrite {
            files: vec![file.clone()],
            from: line.text.trim().into(),
            to: format!("home = {directory}").into(),
        }],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Gathered;
    use crate::facts::example::{healthy, interpreters_of, path, set_variable, venv_of};
    use crate::facts::interpreter::{ProbeReport, Version};
    use crate::parse::pyvenv_cfg;

    /// Made from a Python in /opt that was renamed.
    fn base_renamed(copies: bool) -> Facts {
        let mut facts = healthy();
        let venv = venv_of(&mut facts);
        let text = "home = /opt/python-3.11/bin\ninclude-system-site-packages = false\nversion = 3.11.7\n";
        venv.config = Gathered::Known(pyvenv_cfg::parse(text.as_bytes()));
        let home = venv.home.as_mut().unwrap();
        home.path = path("/opt/python-3.11/bin");
        home.state = HomeState::Missing;
        home.interpreter = None;
        home.moved_to = vec![path("/opt/python-3.11-renamed/bin")];
        for interpreter in interpreters_of(&mut facts) {
            interpreter.prefix_usable = None;
            if copies {
                interpreter.links.hops.truncate(1);
            }
        }
        facts
    }

    fn fails(facts: &mut Facts, stderr: &str) {
        for interpreter in interpreters_of(facts) {
            interpreter.probe =
                Probe::Failed { ending: "exit status 1".to_owned(), stderr: stderr.to_owned() };
        }
    }

    fn set_version(facts: &mut Facts, minor: u32, patch: u32) {
        for interpreter in interpreters_of(facts) {
            interpreter.version = Some(Version::new(3, minor, Some(patch)));
        }
    }

    #[test]
    fn fires_when_a_copied_interpreter_cannot_start_without_it() {
        let mut facts = base_renamed(true);
        fails(&mut facts, "ModuleNotFoundError: No module named 'encodings'\n");
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(
            found[0].remedies[0].actions,
            [Action::Rewrite {
                files: vec![path("/home/me/project/.venv/pyvenv.cfg")],
                from: "home = /opt/python-3.11/bin".into(),
                to: "home = /opt/python-3.11-renamed/bin".into(),
            }]
        );
    }

    #[test]
    fn fires_as_a_warning_when_it_starts_by_luck() {
        let mut facts = base_renamed(false);
        for interpreter in interpreters_of(&mut facts) {
            let report =
                ProbeReport { version: vec![3, 11, 7], base_prefix: "/usr".into(), ..Default::default() };
            interpreter.probe = Probe::Answered(Box::new(report));
        }
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].severity, Severity::Warning);
        assert!(
            found[0].remedies[0].summary.ends_with("/usr/bin"),
            "the end of the links comes first: {found:?}"
        );
    }

    #[test]
    fn fires_when_a_rule_tells_that_it_cannot_start() {
        let mut facts = base_renamed(true);
        interpreters_of(&mut facts).for_each(|interpreter| interpreter.prefix_usable = Some(false));
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Error);
        let mut facts = healthy();
        venv_of(&mut facts).home.as_mut().unwrap().state = HomeState::File;
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Error, "3.11 dies of a file");
    }

    #[test]
    fn fires_only_as_information_when_the_version_does_not_read_it() {
        for (minor, patch) in [(10, 13), (14, 10), (15, 2)] {
            let mut facts = base_renamed(false);
            set_version(&mut facts, minor, patch);
            assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Info, "3.{minor}.{patch}");
        }
    }

    #[test]
    fn quiet_when_home_is_good() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }

    #[test]
    fn quiet_when_home_names_the_prefix() {
        let mut facts = healthy();
        let home = venv_of(&mut facts).home.as_mut().unwrap();
        home.path = path("/usr");
        home.state = HomeState::NoInterpreter;
        assert_eq!(CHECK.findings(&facts), [], "as virtualenv 20.0 wrote it");
    }

    #[test]
    fn quiet_when_it_fails_for_another_reason() {
        let mut facts = base_renamed(false);
        fails(&mut facts, "Error in sitecustomize; set PYTHONVERBOSE for traceback:\n");
        assert_eq!(CHECK.findings(&facts), []);
        let mut facts = base_renamed(false);
        set_variable(&mut facts, "PYTHONHOME", "/nowhere");
        fails(&mut facts, "ModuleNotFoundError: No module named 'encodings'\n");
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_the_links_are_dead_anyway() {
        let mut facts = base_renamed(false);
        interpreters_of(&mut facts).for_each(|interpreter| interpreter.links.end = LinkEnd::Missing);
        assert_eq!(CHECK.findings(&facts), []);
    }
}
