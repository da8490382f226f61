//! A copied interpreter stayed at its patch release while its base moved on.

use super::{link_to, venvs, with_replacement};
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{HomeState, Layout};
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "stale-interpreter-copy",
    category: Category::Interpreter,
    severity: Severity::Warning,
    summary: "The environment's copied interpreter is of another patch release than its base",
    needs: &[Need::Binaries, Need::Probe, Need::Installed],
    explains: &["interpreter-fails", "environment-without-pip"],
    explanation: r#"
## What it means
Made with `--copies`, an environment holds a copy of the interpreter instead of a link. Everything else, the standard
library with its compiled modules, stays with the base Python. When the base is upgraded from 3.11.2 to 3.11.7, the copy
stays 3.11.2 and loads modules that were built for 3.11.7. Within a minor version Python does not promise that its own
parts fit together: `import ssl` may then say `undefined symbol: _PyModule_Add`.

## How it happens
`python -m venv --copies`, `virtualenv --copies`, a tool that dereferences links when it copies the environment, or a
file system without symbolic links; then an upgrade of the base Python.

## How to fix it
Replace the copies by links, which follow every upgrade:

    ln -sfn /usr/bin/python3.11 .venv/bin/python
    ln -sfn python .venv/bin/python3

`python3.11 -m venv --upgrade --copies .venv` renews only the name that it was called by.

## When it is fine
When copy and base are of the same release. On Windows `python.exe` in a venv is a small launcher and may be of any patch
release. Neither is reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in venvs(facts) {
        if environment.layout != Layout::Posix {
            continue;
        }
        let Some(home) = environment.home.as_ref().filter(|home| home.state == HomeState::Good) else {
            continue;
        };
        let Some(interpreter) = facts
            .interpreter_of(environment)
            .filter(|found| found.can_start() && found.is_copy_in(environment))
        else {
            continue;
        };
        let (Some(base), Some(copy), Some(of_base)) =
            (&home.interpreter, interpreter.known_version(), home.version)
        else {
            continue;
        };
        let (Some(copied), Some(current)) = (copy.patch, of_base.patch) else { continue };
        if !copy.same_minor(of_base) || copied == current || environment.contains(base) {
            continue;
        }
        // it found its standard library somewhere else
        if let Some(report) = interpreter.probe.report()
            && let Some(prefix) = HostPath::new(base.flavour(), report.base_prefix.as_bytes())
            && !home.path.is_within(&prefix)
        {
            continue;
        }
        let mut finding = Finding::new(
            &CHECK,
            Subject::Environment(environment.root.clone()),
            format!(
                "{} is a copy of Python {copy}, and its standard library in {} is of {of_base}",
                interpreter.path, home.path
            ),
        )
        .evidence("copy", format!("{} (Python {copy})", interpreter.path))
        .evidence("base", format!("{base} (Python {of_base})"));
        if let (Some(file), Some(line)) = (&environment.config_path, home.line) {
            finding = finding.evidence("home", format!("{} ({file}, line {line})", home.path));
        }
        finding = finding.remedy(Remedy::review(
            format!("Replace the copies by links to {base}"),
            link_to(facts, environment, base),
        ));
        findings.push(with_replacement(finding, facts, environment));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::Action;
    use crate::facts::example::{healthy, interpreters_of, venv_of};
    use crate::facts::interpreter::{Probe, ProbeReport, Version};

    fn copied(base: Option<u32>) -> Facts {
        let mut facts = healthy();
        interpreters_of(&mut facts).for_each(|interpreter| interpreter.links.hops.truncate(1));
        let home = venv_of(&mut facts).home.as_mut().unwrap();
        home.version = Some(Version::new(3, 11, base));
        facts
    }

    #[test]
    fn fires_when_the_base_was_upgraded() {
        let found = CHECK.findings(&copied(Some(7)));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Warning);
        assert!(found[0].message.contains("is a copy of Python 3.11.2"), "{found:?}");
        let Action::Run(words) = &found[0].remedies[0].actions[0] else { panic!("{found:?}") };
        assert_eq!(words[2], "/usr/bin/python3.11".into());
    }

    #[test]
    fn quiet_when_the_copy_is_of_the_same_release() {
        assert_eq!(CHECK.findings(&copied(Some(2))), []);
    }

    #[test]
    fn quiet_when_a_release_is_not_known() {
        assert_eq!(CHECK.findings(&copied(None)), []);
    }

    #[test]
    fn quiet_when_the_interpreter_is_a_link() {
        let mut facts = healthy();
        venv_of(&mut facts).home.as_mut().unwrap().version = Some(Version::new(3, 11, Some(7)));
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_it_uses_another_standard_library() {
        let mut facts = copied(Some(7));
        for interpreter in interpreters_of(&mut facts) {
            let report =
                ProbeReport { version: vec![3, 11, 2], base_prefix: "/opt/py".into(), ..Default::default() };
            interpreter.probe = Probe::Answered(Box::new(report));
        }
        assert_eq!(CHECK.findings(&facts), []);
    }
}
