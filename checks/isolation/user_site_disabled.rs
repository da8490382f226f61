//! `PYTHONNOUSERSITE` hides the user site from programs that were installed there.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::import_setup::UserTool;

use super::{some_of, unset, with_line};

pub static CHECK: Check = Check {
    id: "user-site-disabled",
    category: Category::Isolation,
    severity: Severity::Warning,
    summary: "PYTHONNOUSERSITE hides what a user-level tool needs",
    needs: &[],
    explains: &[],
    explanation: r#"
## What it means
`pip install --user` puts packages into the user site (`~/.local/lib/pythonX.Y/site-packages`) and their programs into
`~/.local/bin`. `PYTHONNOUSERSITE` takes the user site off every Python's import path, so such a program stops with
`ModuleNotFoundError` for its own package. Since 3.7 the value `0` leaves the user site on; 3.6 and PyPy take any value.

## How it happens
The variable is exported in a start-up file to protect conda environments from the user site, and programs that were installed for
the user before stop working.

## How to fix it
    unset PYTHONNOUSERSITE

or set it only where it is wanted, `conda env config vars set PYTHONNOUSERSITE=1`, and install tools with pipx or
`uv tool install`, which give each an environment of its own.

## When it is fine
When no program of the user site is used. Scripts of pipx and uv in `~/.local/bin` run in environments and do not mind.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(value) = facts.shell.set("PYTHONNOUSERSITE") else { return };
    let hidden: Vec<&UserTool> = facts
        .import_setup
        .user_tools
        .iter()
        // Py_GetEnvFlag: from 3.7 on a number counts as such
        .filter(|tool| value != "0" || (tool.version.major, tool.version.minor) < (3, 7))
        .collect();
    let Some(first) = hidden.first() else { return };
    let message = format!(
        "PYTHONNOUSERSITE is set, so {} does not find its own package `{}`",
        first.script, first.module
    );
    let names: Vec<String> = hidden.iter().map(|tool| tool.script.name().into_owned()).collect();
    let finding = Finding::new(&CHECK, Subject::Shell, message)
        .evidence("PYTHONNOUSERSITE", value)
        .evidence("run by", first.interpreter.to_text())
        .evidence(format!("`{}` is in the user site", first.module), first.found.to_text())
        .evidence("programs concerned", some_of(&names));
    let without = Action::Advice(format!("env -u PYTHONNOUSERSITE {}", first.script));
    findings.push(
        with_line(finding, facts, "PYTHONNOUSERSITE")
            .remedy(unset(facts, "PYTHONNOUSERSITE"))
            .remedy(Remedy::manual("Run the one program without it", vec![without])),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example;
    use crate::facts::interpreter::Version;

    fn with_tool(value: &str) -> Facts {
        let mut facts = example::healthy();
        example::set_variable(&mut facts, "PYTHONNOUSERSITE", value);
        facts.import_setup.user_tools = vec![UserTool {
            script: example::path("/home/me/.local/bin/tool"),
            interpreter: example::path("/usr/bin/python3"),
            version: Version::new(3, 11, None),
            module: "tool".into(),
            found: example::path("/home/me/.local/lib/python3.11/site-packages/tool"),
        }];
        facts
    }

    #[test]
    fn fires_when_a_tool_needs_the_user_site() {
        let found = CHECK.findings(&with_tool("1"));
        assert_eq!(found[0].remedies[0].actions, [Action::Unset("PYTHONNOUSERSITE".into())]);
    }

    #[test]
    fn quiet_when_the_value_is_zero() {
        assert!(CHECK.findings(&with_tool("0")).is_empty());
        assert!(CHECK.findings(&with_tool("")).is_empty());
    }

    #[test]
    fn quiet_when_no_tool_needs_it() {
        let mut facts = with_tool("1");
        facts.import_setup.user_tools.clear();
        assert!(CHECK.findings(&facts).is_empty());
    }
}
