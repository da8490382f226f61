//! A git hook of pre-commit, or one of its cached environments, names a Python that is gone.

use super::NAMED;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::tools::{GitHook, Tools};
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "broken-pre-commit",
    category: Category::Tools,
    severity: Severity::Warning,
    summary: "pre-commit's git hook or a cached hook environment names a Python that is gone",
    needs: &[Need::Tools, Need::Project],
    explains: &[],
    explanation: r#"
## What it means
`pre-commit install` writes the interpreter that it runs with into the hook (`INSTALL_PYTHON=` in
`.git/hooks/pre-commit`), and keeps an environment for each Python hook in `~/.cache/pre-commit/repo*/py_env-*`. One
of these leads to a Python that is no longer there: `git commit` ends with "`pre-commit` not found. Did you forget
to activate your virtualenv?", or a hook with "bad interpreter".

## How it happens
The environment that pre-commit was installed in was deleted, moved or made anew without it, or the Python that it
was made from was upgraded or removed.

## How to fix it
Write the hook again from an environment that has pre-commit, and have broken hook environments built again:

    pre-commit install                            # for another hook: --hook-type pre-push
    pre-commit clean

`pre-commit clean` deletes its cache only; the next run fills it again, for which it needs the network.

## When it is fine
A hook whose interpreter is gone takes `pre-commit` from `PATH`, where there is one: then nothing is said.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(tools) = facts.tools.known() else { return };
    let broken: Vec<&GitHook> =
        tools.git_hooks.iter().filter(|hook| !hook.exists && hook.fallback.is_none()).collect();
    if let Some(first) = broken.first() {
        findings.push(of_hooks(facts, first, &broken));
    }
    findings_of_cache(tools, findings);
}

fn of_hooks(facts: &Facts, hook: &GitHook, all: &[&GitHook]) -> Finding {
    let own = facts.project_environments().find(|environment| environment.has_program("pre-commit"));
    let program =
        own.map_or(Word::from("pre-commit"), |environment| Word::from(environment.program("pre-commit")));
    let mut words = vec![program, Word::from("install")];
    // what it writes unasked
    if all.iter().any(|hook| hook.file.name() != "pre-commit") {
        words.extend(all.iter().flat_map(|hook| ["--hook-type".into(), Word::from(&*hook.file.name())]));
    }
    let install = Action::Run(words);
    let it = if all.len() == 1 { "the hook" } else { "the hooks" };
    let remedy = match own {
        Some(environment) => {
            Remedy::safe(format!("Write {it} again from {}", environment.root), vec![install])
        }
        None => Remedy::manual(
            format!("Install pre-commit and write {it} again"),
            vec![
                Action::Advice("install pre-commit, with pipx or in the project's environment".to_owned()),
                install,
            ],
        ),
    };
    let message = format!("{} runs {}, which does not exist", hook.file, hook.interpreter);
    let mut finding = Finding::new(&CHECK, Subject::line(&hook.file, hook.line), message);
    for hook in all.iter().take(NAMED) {
        let place = format!("{} ({}, line {})", hook.interpreter, hook.file, hook.line);
        finding = finding.evidence("INSTALL_PYTHON", place);
    }
    finding.evidence("pre-commit on PATH", "none").remedy(remedy)
}

fn findings_of_cache(tools: &Tools, findings: &mut Findings) {
    let broken = &tools.broken_hook_environments;
    let Some(first) = broken.first() else { return };
    let Some(gone) = first.links.last() else { return };
    let message = match broken.len() {
        1 => format!("{} of pre-commit's cache leads to {gone}, which does not exist", first.root),
        count => format!(
            "{count} environments of pre-commit's cache lead to a Python that does not exist, such as {gone}"
        ),
    };
    let mut finding = Finding::new(&CHECK, Subject::Environment(first.root.clone()), message);
    for environment in broken.iter().take(NAMED) {
        let hops: Vec<_> = environment.links.hops.iter().map(HostPath::to_text).collect();
        finding =
            finding.about(&environment.root).evidence("links", format!("{} (missing)", hops.join(" -> ")));
    }
    findings.push(finding.remedy(Remedy::review(
        "Empty pre-commit's cache; the next run builds the environments again",
        vec![Action::run(["pre-commit".into(), "clean".into()])],
    )));
}

#[cfg(test)]
mod tests {
    use super::super::broken_kernel::tests::with;
    use super::*;
    use crate::facts::Gathered;
    use crate::facts::example::{healthy, path};
    use crate::facts::interpreter::{LinkChain, LinkEnd};
    use crate::facts::tools::HookEnvironment;

    fn hook(exists: bool, fallback: Option<&str>) -> Facts {
        let hook = GitHook {
            file: path("/home/me/project/.git/hooks/pre-commit"),
            line: 5,
            interpreter: path("/home/me/old/bin/python"),
            exists,
            fallback: fallback.map(path),
        };
        with(Tools { git_hooks: vec![hook], ..Tools::default() })
    }

    #[test]
    fn fires_when_the_hooks_python_is_gone() {
        let found = CHECK.findings(&hook(false, None));
        assert_eq!(
            found[0].message,
            "/home/me/project/.git/hooks/pre-commit runs /home/me/old/bin/python, which does not exist"
        );
    }

    #[test]
    fn names_the_kind_of_another_hook() {
        let mut facts = hook(false, None);
        let shown = |facts: &Facts| {
            format!("{:?}", CHECK.findings(facts)[0].remedies[0].actions).replace(['"', '[', ']'], "")
        };
        assert!(shown(&facts).ends_with("Run(pre-commit, install)"), "{}", shown(&facts));
        let Gathered::Known(tools) = &mut facts.tools else { panic!() };
        let mut push = tools.git_hooks[0].clone();
        push.file = path("/home/me/project/.git/hooks/pre-push");
        tools.git_hooks.push(push);
        assert!(
            shown(&facts).contains("install, --hook-type, pre-commit, --hook-type, pre-push"),
            "{}",
            shown(&facts)
        );
    }

    #[test]
    fn fires_when_cached_environments_are_broken() {
        let root = path("/home/me/.cache/pre-commit/repoab/py_env-python3.10");
        let hops = vec![root.join("bin/python"), path("/opt/python/3.10.1/bin/python3.10")];
        let environment = HookEnvironment { links: LinkChain { hops, end: LinkEnd::Missing }, root };
        let tools =
            Tools { broken_hook_environments: vec![environment.clone(), environment], ..Tools::default() };
        let found = CHECK.findings(&with(tools));
        assert_eq!(found.len(), 1);
        assert!(found[0].message.starts_with("2 environments"), "{found:?}");
    }

    #[test]
    fn quiet_when_the_hook_finds_another_pre_commit() {
        assert_eq!(CHECK.findings(&hook(false, Some("/home/me/.local/bin/pre-commit"))), []);
    }

    #[test]
    fn quiet_when_the_interpreter_is_there() {
        assert_eq!(CHECK.findings(&hook(true, None)), []);
        assert_eq!(CHECK.findings(&healthy()), []);
    }
}
