//! The interpreter can be started and gives no answer, for a reason that no other check knows.

use super::{examined, severity, with_replacement};
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::distribution::{PthFile, PthImport};
use crate::facts::environment::Environment;
use crate::facts::import_setup::HookPlace;
use crate::facts::interpreter::{Interpreter, Probe};
use crate::facts::{Facts, Origin};

pub static CHECK: Check = Check {
    id: "interpreter-fails",
    category: Category::Interpreter,
    severity: Severity::Error,
    summary: "The interpreter starts, and dies, hangs or answers nonsense",
    // the `.pth` files are named where packages are read anyway: for this alone that would cost every run too much
    needs: &[Need::Probe, Need::Installed],
    explains: &[],
    explanation: r#"
## What it means
The interpreter's file is there and may be executed. The doctor started it with a small program that asks for its
version and import path, and got no answer: it ended with an error, took too long, or wrote something else. The
evidence shows what it said.

## How it happens
Many causes have a check of their own (a missing library, a wrong `home`, `PYTHONHOME`, a failing startup hook), and
this finding then stands below theirs. What remains: a damaged or incomplete standard library, a full disk or an exhausted
memory limit, security software that kills it, a shell script in place of the interpreter that does not pass its
arguments on, a network drive that does not answer, a crash in a library that is loaded at start.

## How to fix it
Start it by hand without everything that can be left out, and then with it:

    .venv/bin/python -I -S -c 'print(1)'
    .venv/bin/python -I -c 'print(1)'
    .venv/bin/python -v -c 'print(1)'

When the first one fails, the Python itself is broken: install it again, then make the environment again. When only the
second one fails, something in `site-packages` runs at start: look for `sitecustomize.py` and `.pth` files. When both work,
an environment variable is to blame: `env | grep ^PYTHON`.

## When it is fine
On a slow machine or network drive the first start may take longer than the deadline: try again with `--timeout 60`.
"#,
    examine,
};

/// So many lines of a kind are shown.
const SHOWN: usize = 4;

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in examined(facts) {
        let Some(interpreter) =
            facts.interpreters_of(environment).find(|found| found.can_start() && found.probe.went_wrong())
        else {
            continue;
        };
        if facts.answers(environment) {
            continue;
        }
        let Some((message, said)) = outcome(interpreter) else { continue };
        let severity = match interpreter.probe {
            // a slow machine looks the same
            Probe::TimedOut { .. } => Severity::Warning,
            _ => severity(facts, environment),
        };
        let mut finding =
            Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message).severity(severity);
        for line in said {
            finding = finding.evidence("it said", line);
        }
        if interpreter.links.is_link() {
            finding = finding.evidence("links", interpreter.links_text());
        }
        finding = match interpreter.probe {
            Probe::TimedOut { .. } => finding.remedy(Remedy::manual(
                "Give it more time, and see where it stays",
                vec![
                    Action::run([
                        (&interpreter.path).into(),
                        "-X".into(),
                        "importtime".into(),
                        "-c".into(),
                        "pass".into(),
                    ]),
                    Action::Advice("run venv-doctor with --timeout 60".to_owned()),
                ],
            )),
            _ => {
                let library = library_directory(facts, environment, interpreter);
                let encoding = unknown_encoding(facts, environment, interpreter);
                for (name, value) in [(LIBRARY_DIRECTORY, library), (ENCODING, encoding)] {
                    let Some(value) = value else { continue };
                    finding = finding.evidence(name, value).remedy(Remedy::safe(
                        format!("Take {name} out of this shell"),
                        vec![Action::Unset(name.to_owned())],
                    ));
                }
                let lines = lines_at_start(facts, environment, interpreter);
                for (file, import) in lines.iter().take(SHOWN) {
                    let place = format!("line {} of {}", import.line, file.path);
                    finding = finding.evidence("runs at every start", format!("{} ({place})", import.text));
                }
                if let [(file, _), rest @ ..] = lines.as_slice()
                    && rest.iter().all(|(other, _)| other.path == file.path)
                {
                    finding = finding.remedy(Remedy::set_aside(&file.path));
                }
                with_replacement(finding, facts, environment)
            }
        };
        findings.push(finding);
    }
}

/// Since 3.9 it takes the place of `lib` in `PREFIX/lib/python3.11`, where the standard library is searched for
/// (`Modules/getpath.py`, `PLATLIBDIR`).
const LIBRARY_DIRECTORY: &str = "PYTHONPLATLIBDIR";

/// The value of that variable, where the interpreter heeded it and did not find its library.
fn library_directory<'f>(
    facts: &'f Facts,
    environment: &Environment,
    interpreter: &Interpreter,
) -> Option<&'f str> {
    let heeded = started_as_it_is(facts, environment) && facts.shell.set("PYTHONHOME").is_none();
    let value = facts.shell.set(LIBRARY_DIRECTORY)?;
    let reads_it = interpreter.version.is_none_or(|version| (version.major, version.minor) >= (3, 9));
    (reads_it && heeded && interpreter.probe.lacks_standard_library()).then_some(value)
}

/// Python 3 does not start where it names an encoding that there is not (`Python/pylifecycle.c`, `create_stdio`).
const ENCODING: &str = "PYTHONIOENCODING";

/// The value of that variable, where the interpreter heeded it and says so.
fn unknown_encoding<'f>(
    facts: &'f Facts,
    environment: &Environment,
    interpreter: &Interpreter,
) -> Option<&'f str> {
    let value = facts.shell.set(ENCODING).filter(|_| started_as_it_is(facts, environment))?;
    let Probe::Failed { stderr, .. } = &interpreter.probe else { return None };
    stderr.contains("unknown encoding").then_some(value)
}

/// Whether it is one that is started without `-I` and `-S`, with all variables of the shell.
fn started_as_it_is(facts: &Facts, environment: &Environment) -> bool {
    let is_this = |other: Option<&Environment>| other.is_some_and(|other| environment.is_at(&other.root));
    is_this(facts.active()) || is_this(facts.running()) || environment.origins.contains(&Origin::Argument)
}

/// The lines of `.pth` files that ran before it ended with a status of its own, those left out that creators,
/// setuptools and editable installs put there. None where something else may have ended it: a broken standard library,
/// a signal, a variable, a customization module; or where it was started without `site`.
fn lines_at_start<'f>(
    facts: &'f Facts,
    environment: &Environment,
    interpreter: &Interpreter,
) -> Vec<(&'f PthFile, &'f PthImport)> {
    let Probe::Failed { ending, stderr } = &interpreter.probe else { return Vec::new() };
    let in_core = stderr.contains("Fatal Python error") && !stderr.contains("init_import_site");
    if !ending.starts_with("exit status") || in_core || interpreter.probe.lacks_standard_library() {
        return Vec::new();
    }
    let with_site = started_as_it_is(facts, environment);
    let steered =
        ["PYTHONHOME", "PYTHONPATH", LIBRARY_DIRECTORY].iter().any(|name| facts.shell.set(name).is_some());
    let customized = facts.import_setup.hooks.iter().any(|hook| hook.place != HookPlace::StandardLibrary);
    if !with_site || steered || customized {
        return Vec::new();
    }
    let usual = |file: &&PthFile| {
        let name = file.path.name();
        matches!(&*name, "_virtualenv.pth" | "distutils-precedence.pth")
            || name.starts_with("__editable__")
            || name.ends_with("-nspkg.pth")
    };
    let sites = facts.packages(&environment.root).into_iter().flat_map(|packages| &packages.sites);
    sites
        .flat_map(|site| &site.pth_files)
        .filter(|file| !file.hidden && !usual(file))
        .flat_map(|file| file.imports.iter().map(move |import| (file, import)))
        .collect()
}

/// What happened, and the last lines that it wrote.
fn outcome(interpreter: &Interpreter) -> Option<(String, Vec<String>)> {
    let path = &interpreter.path;
    let last = |text: &str| -> Vec<String> {
        let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        lines[lines.len().saturating_sub(SHOWN)..].iter().map(|line| (*line).to_owned()).collect()
    };
    Some(match &interpreter.probe {
        Probe::Failed { ending, stderr } => {
            (format!("{path} does not get through its start ({ending})"), last(stderr))
        }
        Probe::TimedOut { seconds } => {
            (format!("{path} did not answer within {seconds} seconds"), Vec::new())
        }
        Probe::Garbled { stdout } => {
            (format!("{path} was started and does not answer as a Python does"), last(stdout))
        }
        Probe::NotRun { .. } | Probe::Answered(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::recreate::tests::words;
    use crate::facts::example::{
        healthy, interpreters_of, path, set_search_path, unset_variable, with_packages,
    };

    fn probed(probe: Probe) -> Facts {
        let mut facts = healthy();
        interpreters_of(&mut facts).take(1).for_each(|interpreter| interpreter.probe = probe.clone());
        facts
    }

    /// It ends with status 3 and says nothing, and such a file is in its site-packages.
    fn killed_by(name: &str) -> Facts {
        let mut facts = with_packages();
        let probe = Probe::Failed { ending: "exit status 3".to_owned(), stderr: String::new() };
        interpreters_of(&mut facts).take(1).for_each(|interpreter| interpreter.probe = probe.clone());
        let site = &mut facts.packages[0].sites[0];
        let import = PthImport { line: 1, text: "import os; os._exit(3)".to_owned() };
        site.pth_files.push(PthFile {
            path: site.directory.join(name),
            hidden: false,
            decodable: true,
            paths: Vec::new(),
            imports: vec![import],
        });
        facts
    }

    #[test]
    fn the_only_line_that_runs_at_start_is_put_aside() {
        let found = CHECK.findings(&killed_by("zz.pth"));
        let line = found[0].evidence.iter().find(|line| line.label == "runs at every start").unwrap();
        assert!(line.value.starts_with("import os; os._exit(3) (line 1 of /home/me"), "{line:?}");
        assert!(words(&found[0].remedies[0])[0].ends_with("/zz.pth.disabled"), "{found:?}");
    }

    #[test]
    fn no_file_is_accused_where_something_else_may_be_at_fault() {
        let accused = |facts: &Facts| {
            let found = CHECK.findings(facts);
            found[0].remedies.iter().any(|remedy| words(remedy)[0].starts_with("mv "))
        };
        assert!(!accused(&killed_by("_virtualenv.pth")));
        let mut two = killed_by("zz.pth");
        let mut second = two.packages[0].sites[0].pth_files[0].clone();
        second.path = path("/home/me/project/.venv/lib/python3.11/site-packages/aa.pth");
        two.packages[0].sites[0].pth_files.push(second);
        assert!(!accused(&two));
        let mut isolated = killed_by("zz.pth");
        set_search_path(&mut isolated, "/usr/bin");
        unset_variable(&mut isolated, "VIRTUAL_ENV");
        assert!(!accused(&isolated), "started with -S, it reads no .pth file");
        for (ending, stderr) in [
            ("signal 9", ""),
            ("exit status 1", "Fatal Python error: init_fs_encoding: failed"),
            ("exit status 1", "ModuleNotFoundError: No module named 'encodings'"),
        ] {
            let mut facts = killed_by("zz.pth");
            let probe = Probe::Failed { ending: ending.to_owned(), stderr: stderr.to_owned() };
            interpreters_of(&mut facts).take(1).for_each(|interpreter| interpreter.probe = probe.clone());
            assert!(!accused(&facts), "{ending} {stderr}");
        }
    }

    #[test]
    fn fires_when_it_dies() {
        let stderr = "a\nb\nc\nd\nImportError: no module named os\n\n".to_owned();
        let found = CHECK.findings(&probed(Probe::Failed { ending: "exit status 1".to_owned(), stderr }));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].message.ends_with("(exit status 1)"));
        assert_eq!(found[0].evidence[3].value, "ImportError: no module named os");
    }

    #[test]
    fn fires_with_the_variable_that_names_another_library_directory() {
        let stderr = "ModuleNotFoundError: No module named 'encodings'".to_owned();
        let mut facts = probed(Probe::Failed { ending: "exit status 1".to_owned(), stderr });
        let first = |facts: &Facts| CHECK.findings(facts)[0].remedies[0].actions[0].clone();
        let unset = Action::Unset(LIBRARY_DIRECTORY.to_owned());
        assert_ne!(first(&facts), unset);
        crate::facts::example::set_variable(&mut facts, LIBRARY_DIRECTORY, "lib64");
        assert_eq!(first(&facts), unset);
        crate::facts::example::set_variable(&mut facts, "PYTHONHOME", "/opt/python");
        assert_ne!(first(&facts), unset);
    }

    #[test]
    fn fires_with_the_variable_that_names_no_encoding() {
        let stderr = "LookupError: unknown encoding: nope".to_owned();
        let mut facts = probed(Probe::Failed { ending: "exit status 1".to_owned(), stderr });
        let first = |facts: &Facts| CHECK.findings(facts)[0].remedies[0].actions[0].clone();
        assert_ne!(first(&facts), Action::Unset(ENCODING.to_owned()));
        crate::facts::example::set_variable(&mut facts, ENCODING, "nope");
        assert_eq!(first(&facts), Action::Unset(ENCODING.to_owned()));
    }

    #[test]
    fn fires_when_it_hangs_and_stays_careful() {
        let found = CHECK.findings(&probed(Probe::TimedOut { seconds: 5 }));
        assert_eq!(found[0].severity, Severity::Warning);
    }

    #[test]
    fn fires_when_it_babbles() {
        let found = CHECK.findings(&probed(Probe::Garbled { stdout: "welcome!\n".to_owned() }));
        assert_eq!(found[0].evidence[0].value, "welcome!");
    }

    #[test]
    fn quiet_when_it_was_not_started() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }

    #[test]
    fn quiet_when_it_answers() {
        assert_eq!(CHECK.findings(&probed(Probe::Answered(Box::default()))), []);
    }

    #[test]
    fn quiet_when_it_cannot_even_be_started() {
        let mut facts = probed(Probe::Failed { ending: "not started".to_owned(), stderr: String::new() });
        interpreters_of(&mut facts).for_each(|interpreter| interpreter.executable = false);
        assert_eq!(CHECK.findings(&facts), []);
    }
}
