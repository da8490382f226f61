//! The links of the environment's `python` run in a circle.

use super::{CANNOT_START, examined, faulty, link_to, severity, with_replacement};
use crate::diagnosis::recreate;
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, HomeState};
use crate::facts::interpreter::LinkEnd;
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "interpreter-link-loop",
    category: Category::Interpreter,
    severity: Severity::Error,
    summary: "The links of the environment's interpreter run in a circle",
    needs: &[Need::Installed],
    explains: CANNOT_START,
    explanation: r#"
## What it means
`bin/python` is a symbolic link to a link that leads back to it. There is no interpreter at the end, so
nothing in the environment starts: "Too many levels of symbolic links". A search of `PATH` skips such a
file in silence and takes the next `python`.

## How it happens
`ln -s` with its arguments swapped, a copy that turned absolute links into relative ones, or an environment
that was made over itself by its own `python`.

## How to fix it
Point one name at the base interpreter, which is the Python in the directory behind `home =` in
`pyvenv.cfg`, and the others at that name:

    ln -sfn /usr/bin/python3.11 .venv/bin/python
    ln -sfn python .venv/bin/python3

The packages stay as they are.

## When it is fine
Never. A chain of links, such as `python3` to `python` to `/usr/bin/python3.11`, is normal as long as it ends
in a file.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in examined(facts) {
        let Some(interpreter) = faulty(facts, environment, |found| found.links.end == LinkEnd::Loop) else {
            continue;
        };
        let mut finding = Finding::new(
            &CHECK,
            Subject::Environment(environment.root.clone()),
            format!("The links of {} run in a circle", interpreter.path),
        )
        .severity(severity(facts, environment))
        .evidence("links", interpreter.links_text());
        finding = match base_interpreter(environment) {
            Some(base) => finding
                .evidence("base interpreter", base.to_text())
                .remedy(Remedy::safe(
                    format!("Point the environment's python at {base}"),
                    link_to(facts, environment, base),
                ))
                .remedy(recreate::recreate(facts, environment)),
            None => with_replacement(finding, facts, environment),
        };
        findings.push(finding);
    }
}

/// The Python that `home` leads to, when it is of the environment's minor version.
fn base_interpreter(environment: &Environment) -> Option<&HostPath> {
    let home = environment.home.as_ref().filter(|home| home.state == HomeState::Good)?;
    let base = home.interpreter.as_ref()?;
    let fits = home.version?.same_minor(environment.python_version()?);
    (fits && environment.is_venv() && !environment.contains(base)).then_some(base)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Action, Safety};
    use crate::facts::example::{healthy, interpreters_of, path};

    #[test]
    fn fires_when_two_names_link_to_each_other() {
        let mut facts = healthy();
        for interpreter in interpreters_of(&mut facts) {
            interpreter.links.hops = ["python", "python3", "python"]
                .map(|name| path("/home/me/project/.venv/bin").join(name))
                .to_vec();
            interpreter.links.end = LinkEnd::Loop;
        }
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].message, "The links of /home/me/project/.venv/bin/python run in a circle");
        let remedy = &found[0].remedies[0];
        assert_eq!(remedy.safety, Safety::Safe);
        assert_eq!(
            remedy.actions[0],
            Action::run([
                "ln".into(),
                "-sfn".into(),
                "/usr/bin/python3.11".into(),
                "/home/me/project/.venv/bin/python".into()
            ])
        );
        assert_eq!(remedy.actions.len(), 4, "python, python3, python3.11, and the shell's memory");
    }

    #[test]
    fn quiet_when_links_end_in_a_file() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }

    #[test]
    fn quiet_when_a_leftover_versioned_name_loops() {
        let mut facts = healthy();
        for interpreter in interpreters_of(&mut facts).filter(|found| found.path.name() == "python3.11") {
            interpreter.links.end = LinkEnd::Loop;
        }
        assert_eq!(CHECK.findings(&facts), []);
    }
}
