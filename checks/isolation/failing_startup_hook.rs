//! Something that Python runs at every start (`sitecustomize`, `usercustomize`, a line of a `.pth` file) fails.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::distribution::{Distribution, SiteKind};
use crate::facts::environment::Environment;
use crate::facts::import_setup::{HookPlace, StartupHook, UnmetImport};
use crate::facts::interpreter::Probe;
use crate::path::HostPath;

use super::{keep_python_path, line_to_remove};

pub static CHECK: Check = Check {
    id: "failing-startup-hook",
    category: Category::Isolation,
    severity: Severity::Error,
    summary: "A sitecustomize, a usercustomize or a line of a .pth file fails at every start",
    needs: &[Need::Probe, Need::Packages],
    explains: &["interpreter-fails", "pythonpath-leak", "broken-pip"],
    explanation: r#"
## What it means
Before it runs anything, Python's `site` module executes the lines of `.pth` files that begin with `import`, and imports
`sitecustomize` and `usercustomize` where the import path has such modules. One of them raises an exception. Python then
prints `Error in sitecustomize` or `Error processing line 1 of ....pth`, leaves out the rest of that file, and goes on: every
program starts with that message, and whatever the hook was to set up is missing.
Where Python is not started, or only without its start-up code (`--no-exec`, or an interpreter that this shell does not run),
the files tell: a hook that imports a module which is nowhere on the import path is reported as a warning.

## How it happens
The module that the hook imports was uninstalled or was never installed in this environment (coverage, ddtrace, debugpy,
a company's tracing tool; `distutils-precedence.pth` after setuptools was removed by hand), or the hook is on `PYTHONPATH` and so
runs in environments that it was not made for.

## How to fix it
Install what the hook needs, take its directory out of `PYTHONPATH`, or put the file aside:

    mv .venv/lib/python3.12/site-packages/x.pth .venv/lib/python3.12/site-packages/x.pth.disabled

`PYTHONVERBOSE=1 python -c pass` shows the whole traceback of `sitecustomize`.

## When it is fine
Never, where Python said it; but where nobody needs what the hook does, only the message is in the way. What only the
files foretell is fine where the hook makes up for the missing module in a way that cannot be read from them.
"#,
    examine,
};

/// What an interpreter said of a hook.
#[derive(Debug, PartialEq, Eq)]
enum Complaint {
    /// The module and the exception.
    Customize {
        module: &'static str,
        error: String,
    },
    Line {
        file: String,
        line: usize,
        error: String,
    },
}

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(environment) = facts.patient() else { return };
    let said = facts.interpreters_of(environment).find_map(|interpreter| match &interpreter.probe {
        Probe::Answered(report) => Some(report.startup_messages.as_str()),
        Probe::Failed { stderr, .. } => Some(stderr.as_str()),
        _ => None,
    });
    for unmet in &facts.import_setup.unmet {
        findings.push(foretold(facts, environment, unmet));
    }
    let Some(said) = said.or_else(|| said_by_shell(facts)) else { return };
    let mut told: Vec<Complaint> = Vec::new();
    for complaint in complaints(said) {
        if told.contains(&complaint) {
            continue;
        }
        findings.push(match &complaint {
            Complaint::Customize { module, error } => customize(facts, environment, module, error),
            Complaint::Line { file, line, error } => pth_line(facts, environment, file, *line, error),
        });
        told.push(complaint);
    }
}

/// What the shell's own python said, where the environment has no interpreter of its own.
fn said_by_shell(facts: &Facts) -> Option<&str> {
    let hit = facts.shell_python()?.chosen()?;
    match &facts.interpreter(&hit.path)?.probe {
        Probe::Answered(report) => Some(report.startup_messages.as_str()),
        Probe::Failed { stderr, .. } => Some(stderr.as_str()),
        _ => None,
    }
}

/// Reads the messages of `execsitecustomize`, `execusercustomize` and `addpackage` in Lib/site.py.
fn complaints(said: &str) -> Vec<Complaint> {
    let lines: Vec<&str> = said.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let rest = lines.get(index + 1..).unwrap_or_default();
        if let Some(module) = ["sitecustomize", "usercustomize"]
            .into_iter()
            .find(|module| line.starts_with(&format!("Error in {module}")))
        {
            let error = rest.first().map(|text| text.trim().to_owned()).unwrap_or_default();
            found.push(Complaint::Customize { module, error });
        } else if let Some((number, file)) =
            line.strip_prefix("Error processing line ").and_then(|text| text.split_once(" of "))
            && let Ok(number) = number.parse()
        {
            let indented = rest.iter().take_while(|text| text.is_empty() || text.starts_with(' '));
            let error = indented.filter(|text| !text.trim().is_empty()).last();
            found.push(Complaint::Line {
                file: file.trim_end_matches(':').to_owned(),
                line: number,
                error: error.map(|text| text.trim().to_owned()).unwrap_or_default(),
            });
        }
    }
    found
}

/// Nobody heard Python say it: its files do.
fn foretold(facts: &Facts, environment: &Environment, unmet: &UnmetImport) -> Finding {
    let message = format!(
        "Line {} of {} fails at every start of Python: there is no module {}",
        unmet.line, unmet.file, unmet.module
    );
    let finding = Finding::new(&CHECK, Subject::line(&unmet.file, unmet.line), message)
        .severity(Severity::Warning)
        .about(&environment.root)
        .evidence(format!("line {}", unmet.line), unmet.text.clone())
        .evidence("import path", format!("{} is nowhere on it; Python was not asked", unmet.module));
    match facts.import_setup.hooks.iter().find(|hook| hook.path.same_as(&unmet.file)) {
        Some(hook) => with_hook_remedies(finding, facts, hook),
        None => finding.remedy(Remedy::set_aside(&unmet.file)),
    }
}

fn customize(facts: &Facts, environment: &Environment, module: &str, error: &str) -> Finding {
    let hook = facts.import_setup.hooks.iter().find(|hook| hook.module == module);
    let message = match hook {
        Some(hook) => format!("{} fails at every start of Python", hook.path),
        None => format!("{module} fails at every start of Python"),
    };
    let subject = match hook {
        Some(hook) => Subject::file(&hook.path),
        None => Subject::Environment(environment.root.clone()),
    };
    let mut finding =
        Finding::new(&CHECK, subject, message).about(&environment.root).evidence("Python said", error);
    let Some(hook) = hook else { return finding };
    if let Some((line, name)) = hook.imports.iter().find(|(_, name)| error.contains(&format!("'{name}'"))) {
        finding = finding.evidence(format!("line {line} of {}", hook.path), format!("imports {name}"));
    }
    with_hook_remedies(finding, facts, hook)
}

fn with_hook_remedies(finding: Finding, facts: &Facts, hook: &StartupHook) -> Finding {
    match hook.place {
        HookPlace::PythonPath(index) => {
            let finding = finding
                .evidence("PYTHONPATH", facts.shell.variable("PYTHONPATH").unwrap_or_default())
                .remedy(keep_python_path(facts, |entry| entry.index != index));
            match line_to_remove(facts, "PYTHONPATH") {
                Some(Action::Edit { file, line: Some(line), .. }) => {
                    finding.evidence("set in", format!("{file}, line {line}"))
                }
                _ => finding,
            }
        }
        HookPlace::SitePackages | HookPlace::UserSite => finding.remedy(Remedy::set_aside(&hook.path)),
        HookPlace::StandardLibrary => finding.remedy(Remedy::manual(
            "Mend the hook that the distributor installed",
            vec![Action::Edit {
                file: hook.path.clone(),
                line: None,
                hint: "see what it imports".to_owned(),
            }],
        )),
    }
}

fn pth_line(facts: &Facts, environment: &Environment, file: &str, line: usize, error: &str) -> Finding {
    let message = format!("Line {line} of {file} fails at every start of Python");
    let path = HostPath::new(environment.root.flavour(), file);
    let subject = match &path {
        Some(path) => Subject::line(path, line),
        None => Subject::Environment(environment.root.clone()),
    };
    let mut finding = Finding::new(&CHECK, subject, message)
        .about(&environment.root)
        .evidence("Python said", error.to_owned());
    let Some(path) = path else { return finding };
    let text = facts
        .packages(&environment.root)
        .into_iter()
        .flat_map(|packages| &packages.sites)
        .flat_map(|site| &site.pth_files)
        .find(|pth| pth.path.same_as(&path))
        .and_then(|pth| pth.imports.iter().find(|import| import.line == line));
    if let Some(import) = text {
        finding = finding.evidence(format!("line {line}"), import.text.clone());
    }
    if let Some(owner) = owner(facts, environment, &path)
        && environment.has_pip()
    {
        let python = environment.program("python");
        let command = Action::run([
            python.into(),
            "-m".into(),
            "pip".into(),
            "install".into(),
            "--force-reinstall".into(),
            "--no-deps".into(),
            owner.name.clone().into(),
        ]);
        finding = finding.remedy(Remedy::safe(format!("Install {} again", owner.name), vec![command]));
    }
    finding.remedy(Remedy::set_aside(&path))
}

/// The distribution that puts a `.pth` of this well-known name there.
fn owner<'a>(facts: &'a Facts, environment: &Environment, path: &HostPath) -> Option<&'a Distribution> {
    let name = path.name();
    let stem = match name.as_ref() {
        "distutils-precedence.pth" => "setuptools".to_owned(),
        other => other.strip_suffix(".pth")?.to_lowercase().replace(['_', '.'], "-"),
    };
    let packages = facts.packages(&environment.root)?;
    let sites = packages.sites.iter().filter(|site| site.kind == SiteKind::Own);
    sites.flat_map(|site| &site.distributions).find(|it| it.normalized == stem && it.editable.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::isolation::tests::with_python_path;
    use crate::facts::example;
    use crate::facts::interpreter::ProbeReport;

    fn saying(mut facts: Facts, said: &str) -> Facts {
        let report = ProbeReport { startup_messages: said.to_owned(), ..ProbeReport::default() };
        for interpreter in example::interpreters_of(&mut facts).take(1) {
            interpreter.probe = Probe::Answered(Box::new(report.clone()));
        }
        facts
    }

    const CUSTOMIZE: &str = "Error in sitecustomize; set PYTHONVERBOSE for traceback:\nModuleNotFoundError: No module named 'profiler'\n";

    #[test]
    fn fires_when_sitecustomize_on_pythonpath_fails() {
        let mut facts = with_python_path("/opt/hooks");
        facts.import_setup.hooks = vec![StartupHook {
            module: "sitecustomize".into(),
            path: example::path("/opt/hooks/sitecustomize.py"),
            place: HookPlace::PythonPath(0),
            imports: vec![(1, "profiler".into())],
        }];
        let found = CHECK.findings(&saying(facts, CUSTOMIZE));
        assert_eq!(found[0].message, "/opt/hooks/sitecustomize.py fails at every start of Python");
        assert_eq!(found[0].remedies[0].actions, [Action::Unset("PYTHONPATH".into())]);
        assert!(found[0].evidence.iter().any(|it| it.value == "imports profiler"));
    }

    #[test]
    fn fires_when_a_line_of_a_pth_file_fails() {
        let said = "Error processing line 2 of /v/site-packages/x.pth:\n\n  Traceback (most recent call last):\n    File \"<frozen site>\", line 195, in addpackage\n  ModuleNotFoundError: No module named 'x'\n\nRemainder of file ignored\n";
        let found = CHECK.findings(&saying(example::healthy(), &format!("{said}{said}")));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].subject.line_number(), Some(2));
        assert_eq!(found[0].evidence[0].value, "ModuleNotFoundError: No module named 'x'");
    }

    #[test]
    fn warns_of_what_was_foretold() {
        let mut facts = example::healthy();
        facts.import_setup.unmet.push(UnmetImport {
            file: example::path("/v/site-packages/cov.pth"),
            line: 1,
            text: "import coverage; coverage.process_startup()".into(),
            module: "coverage".into(),
        });
        let found = CHECK.findings(&facts);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
        assert!(found[0].message.ends_with("there is no module coverage"));
        assert!(matches!(found[0].remedies[0].actions[0], Action::Run(_)));
    }

    #[test]
    fn quiet_when_hooks_say_something_else() {
        assert!(CHECK.findings(&saying(example::healthy(), "profiler ready\n")).is_empty());
    }

    #[test]
    fn quiet_when_nothing_was_started() {
        assert!(CHECK.findings(&example::healthy()).is_empty());
    }
}
