//! A script of the project, a unit or a crontab line names a Python that is not the project environment's,
//! and needs what only that environment has.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::facts::project::{ProjectScript, ScriptInterpreter, ServiceLine};
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "script-bypasses-environment",
    category: Category::Activation,
    severity: Severity::Warning,
    summary: "A project script, unit or crontab line names another Python than the project's environment",
    needs: &[Need::Project, Need::Installed],
    explains: &[],
    explanation: r#"
## What it means
`python manage.py` runs the Python that is first on `PATH`. `./manage.py` runs the one that its first line names, whatever is
active: with `#!/usr/bin/python3` that is the system's, which lacks the project's packages ("No module named ..."). In
the same way `ExecStart=/usr/bin/python3 /srv/app/app.py` of a systemd unit and a crontab line run what they name;
cron and systemd read no rc file, know nothing of activation, and have a short `PATH`.

## How it happens
A first line was copied from an older script, or the service was set up before the project had an environment.

## How to fix it
Scripts: `#!/usr/bin/env python3` takes the Python that is first on `PATH`, hence the active environment's.
Services: name the environment's interpreter, `ExecStart=/srv/app/.venv/bin/python /srv/app/app.py`; then
`systemctl daemon-reload`. In a crontab: `0 3 * * * /srv/app/.venv/bin/python /srv/app/job.py`.
No activation is needed: that interpreter finds the environment's packages by itself.

## When it is fine
Scripts that need only the standard library, and scripts for the system's Python (packaging, `debian/`): what needs
nothing of the environment is not reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(environment) = facts.usable_project_environment().or_else(|| facts.working_environment()) else {
        return;
    };
    for script in &facts.project.scripts {
        if let Some(finding) = in_script(facts, environment, script) {
            findings.push(finding);
        }
    }
    for line in &facts.project.service_lines {
        if let Some(finding) = in_service(facts, environment, line) {
            findings.push(finding);
        }
    }
}

fn in_script(facts: &Facts, environment: &Environment, script: &ProjectScript) -> Option<Finding> {
    let named = match &script.interpreter {
        ScriptInterpreter::Path(path) => path.clone(),
        // a name that the environment does not have, such as python3.9, falls through to another place
        ScriptInterpreter::Env(name) if environment.has_program(name) => return None,
        ScriptInterpreter::Env(name) => facts.command(name)?.chosen()?.path.clone(),
    };
    if is_own(facts, environment, &named) {
        return None;
    }
    let missed = missed(facts, environment, &named, script.imports.iter().map(String::as_str))?;
    let finding = Finding::new(
        &CHECK,
        Subject::line(&script.path, 1),
        format!("{} runs {named} whatever is active, and imports {}", script.path, missed.says(environment)),
    )
    .severity(missed.severity())
    .about(&environment.root)
    .evidence("first line", format!("{} (line 1 of {})", script.line.trim_end(), script.path))
    .evidence("imports", missed.modules.join(", "))
    .evidence("installed in", environment.root.to_text());
    let by_name = Word::from(first_line(script, "/usr/bin/env", "python3"));
    let rewrite = |to: Word| Action::Rewrite {
        files: vec![script.path.clone()],
        from: Word::from(format!("#!{}", script.line.trim_start_matches("#!").trim_end())),
        to,
    };
    let mut take_active = vec![rewrite(by_name)];
    if facts.working_environment().is_none() {
        take_active.push(Action::activate(environment));
    }
    let fixed = first_line(script, "", &environment.program("python").to_text());
    Some(
        finding
            .remedy(Remedy::review("Let the script take the Python that is first on PATH", take_active))
            .remedy(Remedy::review(
                "Name the environment's Python, for use outside an activated shell on this machine",
                vec![rewrite(Word::from(fixed))],
            )),
    )
}

/// The script's `#!` line with another interpreter and the same arguments; `env` needs `-S` to split them.
fn first_line(script: &ProjectScript, env: &str, python: &str) -> String {
    let mut words = script.line.trim_start_matches("#!").split_whitespace();
    if matches!(script.interpreter, ScriptInterpreter::Env(_)) {
        words.find(|word| word.contains("python") || word.contains("pypy"));
    } else {
        words.next();
    }
    let arguments: Vec<&str> = words.collect();
    let start = match (env, arguments.is_empty()) {
        ("", _) => python.to_owned(),
        (env, true) => format!("{env} {python}"),
        (env, false) => format!("{env} -S {python}"),
    };
    format!("#!{start} {}", arguments.join(" ")).trim_end().to_owned()
}

fn in_service(facts: &Facts, environment: &Environment, line: &ServiceLine) -> Option<Finding> {
    if !line.script.is_within(facts.project.root.as_ref().unwrap_or(&environment.root.parent()?)) {
        return None;
    }
    let named = match HostPath::new(facts.platform.flavour(), line.interpreter.as_str()) {
        Some(path) => path,
        // cron and systemd look a bare name up in the system's directories
        None => HostPath::posix("/usr/bin").join(&line.interpreter),
    };
    if is_own(facts, environment, &named) {
        return None;
    }
    let missed = missed(facts, environment, &named, line.imports.iter().map(String::as_str))?;
    let python = environment.program("python");
    let finding = Finding::new(
        &CHECK,
        Subject::line(&line.file, line.line),
        format!(
            "Line {} of {} runs {} with {}, and it imports {}",
            line.line,
            line.file,
            line.script,
            line.interpreter,
            missed.says(environment)
        ),
    )
    .severity(missed.severity())
    .about(&environment.root)
    .evidence("line", format!("{} (line {} of {})", line.text.trim(), line.line, line.file))
    .evidence("imports", missed.modules.join(", "))
    .evidence("installed in", environment.root.to_text());
    Some(finding.remedy(named_in_service(facts, line, &python)))
}

/// In the user's own files by a command, in the system's (which need root, or `crontab -e`) by hand.
fn named_in_service(facts: &Facts, line: &ServiceLine, python: &HostPath) -> Remedy {
    let own = facts.home.as_ref().is_some_and(|home| line.file.is_within(home));
    let text = line.text.trim();
    let mut actions = match replaced(text, &line.interpreter, &python.to_text()) {
        Some(to) if own => {
            vec![Action::Rewrite {
                files: vec![line.file.clone()],
                from: Word::from(text),
                to: Word::from(to),
            }]
        }
        _ => vec![Action::Edit {
            file: line.file.clone(),
            line: Some(line.line),
            hint: format!("write {python} for {}", line.interpreter),
        }],
    };
    if line.file.name().ends_with(".service") {
        let user = if own { "--user " } else { "" };
        actions.push(Action::Advice(format!("then: systemctl {user}daemon-reload")));
    }
    Remedy::review("Name the environment's own Python there", actions)
}

/// `text` with the first whole word `from` replaced.
fn replaced(text: &str, from: &str, to: &str) -> Option<String> {
    let before =
        |at: usize| text[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || "=-@:!+".contains(c));
    let after = |end: usize| text[end..].chars().next().is_none_or(char::is_whitespace);
    let (at, _) = text.match_indices(from).find(|(at, _)| before(*at) && after(at + from.len()))?;
    Some(format!("{}{to}{}", &text[..at], &text[at + from.len()..]))
}

/// The environment's own interpreter, or that of another environment of the project.
fn is_own(facts: &Facts, environment: &Environment, interpreter: &HostPath) -> bool {
    environment.contains(interpreter) || facts.project_environments().any(|own| own.contains(interpreter))
}

/// Modules that a script imports, that the environment has, and that the named interpreter may not have.
struct Missed<'a> {
    modules: Vec<&'a str>,
    /// The interpreter's own environment is known, and lacks one of them.
    proven: bool,
}

impl Missed<'_> {
    fn severity(&self) -> Severity {
        if self.proven { Severity::Error } else { Severity::Warning }
    }

    fn says(&self, environment: &Environment) -> String {
        let only = if self.proven { "which is only installed in" } else { "which is installed in" };
        format!("{}, {only} {}", self.modules.join(", "), environment.root)
    }
}

fn missed<'a>(
    facts: &Facts,
    environment: &Environment,
    interpreter: &HostPath,
    imports: impl Iterator<Item = &'a str>,
) -> Option<Missed<'a>> {
    let other = facts.environment_at(interpreter);
    let modules: Vec<&str> = imports
        .filter(|module| environment.distribution(module).is_some())
        .filter(|module| other.is_none_or(|other| !other.provides(module)))
        .collect();
    let proven = other.is_some_and(|other| modules.iter().any(|module| other.lacks(module)));
    (!modules.is_empty()).then_some(Missed { modules, proven })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Gathered;
    use crate::facts::example::*;

    fn with_script(line: &str, interpreter: ScriptInterpreter, imports: &[&str]) -> Facts {
        let mut facts = healthy();
        facts.project.scripts.push(ProjectScript {
            path: path("/home/me/project/manage.py"),
            line: line.into(),
            interpreter,
            crlf: false,
            imports: imports.iter().map(|name| (*name).to_owned()).collect(),
        });
        facts
    }

    fn system_python() -> ScriptInterpreter {
        ScriptInterpreter::Path(path("/usr/bin/python3"))
    }

    fn with_service(imports: &[&str]) -> Facts {
        let mut facts = healthy();
        facts.project.service_lines.push(ServiceLine {
            file: path("/home/me/.config/systemd/user/app.service"),
            line: 3,
            text: "ExecStart=/usr/bin/python3 /home/me/project/main.py".into(),
            interpreter: "/usr/bin/python3".into(),
            script: path("/home/me/project/main.py"),
            imports: imports.iter().map(|name| (*name).to_owned()).collect(),
        });
        facts
    }

    #[test]
    fn fires_when_a_script_names_the_systems_python() {
        let facts = with_script("#!/usr/bin/python3 -u", system_python(), &["os", "six"]);
        let found = CHECK.findings(&facts);
        assert_eq!(
            found[0].message,
            "/home/me/project/manage.py runs /usr/bin/python3 whatever is active, and imports six, which is only installed in /home/me/project/.venv"
        );
        assert_eq!(found[0].severity, Severity::Error);
        let Action::Rewrite { from, to, .. } = &found[0].remedies[0].actions[0] else { panic!("{found:?}") };
        assert_eq!(from.as_bytes(), b"#!/usr/bin/python3 -u");
        assert_eq!(to.as_bytes(), b"#!/usr/bin/env -S python3 -u");
    }

    #[test]
    fn fires_when_a_unit_does() {
        let found = CHECK.findings(&with_service(&["six"]));
        assert_eq!(found[0].subject.line_number(), Some(3));
        let Action::Rewrite { to, .. } = &found[0].remedies[0].actions[0] else { panic!("{found:?}") };
        assert_eq!(to.as_bytes(), b"ExecStart=/home/me/project/.venv/bin/python /home/me/project/main.py");
    }

    #[test]
    fn warns_only_when_what_the_other_python_has_is_not_known() {
        let mut facts = with_script("#!/usr/bin/python3", system_python(), &["six"]);
        facts.environments[1].shared = Gathered::NotAsked;
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].severity, Severity::Warning);
    }

    #[test]
    fn quiet_when_only_the_standard_library_is_needed() {
        assert!(CHECK.findings(&with_script("#!/usr/bin/python3", system_python(), &["os"])).is_empty());
        assert!(CHECK.findings(&with_service(&["os"])).is_empty());
        assert!(CHECK.findings(&with_service(&[])).is_empty());
    }

    #[test]
    fn quiet_when_the_script_takes_the_first_on_path_or_the_environments_own() {
        let by_name = ScriptInterpreter::Env("python3".into());
        assert!(CHECK.findings(&with_script("#!/usr/bin/env python3", by_name, &["six"])).is_empty());
        let own = ScriptInterpreter::Path(path("/home/me/project/.venv/bin/python"));
        assert!(
            CHECK.findings(&with_script("#!/home/me/project/.venv/bin/python", own, &["six"])).is_empty()
        );
    }

    #[test]
    fn quiet_when_the_other_python_has_it_too() {
        let mut facts = with_script("#!/usr/bin/python3", system_python(), &["six"]);
        facts.environments[1].installed = venv(VENV).installed;
        assert!(CHECK.findings(&facts).is_empty());
    }
}
