//! Applications that pipx or uv installed cannot start: the Python of their environments is gone.

use super::NAMED;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::interpreter::PythonOwner;
use crate::facts::tools::{Application, ApplicationTool};
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "broken-tool-environment",
    category: Category::Tools,
    severity: Severity::Warning,
    summary: "An application's environment (pipx, uv tool) has lost its Python",
    needs: &[Need::Tools],
    explains: &[],
    explanation: r#"
## What it means
pipx and `uv tool` give each application an environment of its own, and link its commands into `~/.local/bin`. The
interpreter of such an environment is a link to the Python that it was made from. That Python is gone, so the
commands end with "bad interpreter" or "required file not found", and pipx lists the package as one that "has
invalid interpreter".

## How it happens
The Python was upgraded or removed: by Homebrew, pyenv, `uv python uninstall`, or with the operating system. All
applications that were made from it break at once.

## How to fix it
Have them made anew, with a Python that is there. First keep the list: older releases of pipx could lose
applications when this failed.

    pipx list --json > pipx.json
    pipx reinstall-all
    uv tool install --reinstall NAME

Environments of tox and nox, and those that poetry and pipenv keep for other projects, are told of for information:
these tools make them anew the next time (`tox -r` at once). So are hatch's, but hatch does not notice: `hatch run python`
starts the next `python` on `PATH`, without the project's packages. In the project, have it make them anew:

    hatch env prune

## When it is fine
When you no longer use the application: `pipx uninstall NAME` or `uv tool uninstall NAME` removes what is left.
"#,
    examine,
};

const TOOLS: [ApplicationTool; 7] = [
    ApplicationTool::Pipx,
    ApplicationTool::Uv,
    ApplicationTool::Tox,
    ApplicationTool::Nox,
    ApplicationTool::Poetry,
    ApplicationTool::Pipenv,
    ApplicationTool::Hatch,
];

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(tools) = facts.tools.known() else { return };
    for tool in TOOLS {
        let broken: Vec<&Application> =
            tools.broken_applications.iter().filter(|application| application.tool == tool).collect();
        let Some(first) = broken.first() else { continue };
        let Some(gone) = first.links.last() else { continue };
        let mut finding =
            Finding::new(&CHECK, Subject::Environment(first.root.clone()), message(tool, &broken, gone));
        if tool.is_of_other_work() {
            finding = finding.severity(Severity::Info);
        }
        for application in &broken {
            finding = finding.about(&application.root);
        }
        for application in broken.iter().take(NAMED) {
            let hops: Vec<_> = application.links.hops.iter().map(HostPath::to_text).collect();
            finding = finding.evidence(application.name.clone(), format!("{} (missing)", hops.join(" -> ")));
        }
        if let Some(owner) = PythonOwner::of(gone) {
            finding = finding.evidence("belonged to", owner.label());
        }
        findings.push(finding.remedy(remedy(tool, &broken)));
    }
}

fn message(tool: ApplicationTool, broken: &[&Application], gone: &HostPath) -> String {
    let names: Vec<&str> = broken.iter().map(|application| application.name.as_str()).take(NAMED).collect();
    let more = match broken.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let whose = if broken.len() == 1 { "its" } else { "their" };
    let names = names.join(", ");
    let label = tool.label();
    if tool.is_of_other_work() {
        let noun = if broken.len() == 1 { "environment" } else { "environments" };
        let verb = if broken.len() == 1 { "has" } else { "have" };
        return format!("{label}'s {noun} {names}{more} {verb} lost {whose} Python, {gone}");
    }
    format!("{names}{more} of {label} cannot start: {whose} Python, {gone}, is gone")
}

fn remedy(tool: ApplicationTool, broken: &[&Application]) -> Remedy {
    let run = |words: &[&str]| Action::Run(words.iter().copied().map(Word::from).collect());
    let actions = match (tool, broken) {
        (ApplicationTool::Tox, _) => {
            let names: Vec<&str> = broken.iter().map(|application| application.name.as_str()).collect();
            vec![run(&["tox", "-r", "-e", &names.join(",")])]
        }
        (ApplicationTool::Nox, _) => vec![run(&["nox"])],
        (ApplicationTool::Poetry | ApplicationTool::Pipenv, _) => {
            return Remedy::manual(
                "Have each made anew, where its project is still worked on",
                vec![Action::Advice(format!(
                    "{} install, in the directory of the project; the rest may be deleted",
                    tool.label()
                ))],
            );
        }
        (ApplicationTool::Hatch, _) => {
            return Remedy::manual(
                "Have them made anew, where their project is still worked on",
                vec![Action::Advice("hatch env prune, in the directory of the project".to_owned())],
            );
        }
        (ApplicationTool::Pipx, [one]) => vec![run(&["pipx", "reinstall", &one.name])],
        (ApplicationTool::Pipx, _) => vec![run(&["pipx", "reinstall-all"])],
        (ApplicationTool::Uv, _) => broken
            .iter()
            .map(|application| run(&["uv", "tool", "install", "--reinstall", &application.name]))
            .collect(),
    };
    Remedy::review(
        format!("Have {} make them anew, with the Python that it now finds", tool.label()),
        actions,
    )
}

#[cfg(test)]
mod tests {
    use super::super::broken_kernel::tests::with;
    use super::*;
    use crate::facts::example::{healthy, path};
    use crate::facts::interpreter::{LinkChain, LinkEnd};
    use crate::facts::tools::Tools;

    fn application(tool: ApplicationTool, name: &str) -> Application {
        let root = path("/home/me/.local/share/pipx/venvs").join(name);
        let hops = vec![root.join("bin/python"), path("/home/me/.pyenv/versions/3.11.5/bin/python3.11")];
        Application { tool, name: name.into(), links: LinkChain { hops, end: LinkEnd::Missing }, root }
    }

    #[test]
    fn fires_once_for_several() {
        let broken_applications =
            vec![application(ApplicationTool::Pipx, "black"), application(ApplicationTool::Pipx, "ruff")];
        let found = CHECK.findings(&with(Tools { broken_applications, ..Tools::default() }));
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].message,
            "black, ruff of pipx cannot start: their Python, /home/me/.pyenv/versions/3.11.5/bin/python3.11, is gone"
        );
        assert!(format!("{:?}", found[0].remedies).contains("reinstall-all"));
    }

    #[test]
    fn fires_for_each_tool() {
        let broken_applications =
            vec![application(ApplicationTool::Pipx, "black"), application(ApplicationTool::Uv, "ruff")];
        assert_eq!(CHECK.findings(&with(Tools { broken_applications, ..Tools::default() })).len(), 2);
    }

    #[test]
    fn fires_as_information_when_the_tool_mends_it_itself() {
        let broken_applications =
            vec![application(ApplicationTool::Tox, "py310"), application(ApplicationTool::Tox, "lint")];
        let found = CHECK.findings(&with(Tools { broken_applications, ..Tools::default() }));
        assert_eq!(found[0].severity, Severity::Info);
        assert!(found[0].message.starts_with("tox's environments py310, lint have lost their Python"));
        assert!(format!("{:?}", found[0].remedies).contains("py310,lint"));
    }

    #[test]
    fn fires_as_information_for_hatch_which_never_notices() {
        let broken_applications = vec![application(ApplicationTool::Hatch, "shop")];
        let found = CHECK.findings(&with(Tools { broken_applications, ..Tools::default() }));
        assert_eq!(found[0].severity, Severity::Info);
        assert!(found[0].message.starts_with("hatch's environment shop has lost its Python"), "{found:?}");
        assert!(format!("{:?}", found[0].remedies).contains("hatch env prune"));
    }

    #[test]
    fn quiet_when_all_of_them_start() {
        assert_eq!(CHECK.findings(&with(Tools::default())), []);
    }

    #[test]
    fn quiet_when_not_asked() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }
}
