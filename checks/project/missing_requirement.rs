//! The project declares a requirement that is not installed in its environment.

use super::{LISTED, few, install_declared, judged, may_be_added, severity_in};
use crate::diagnosis::requirement::missing;
use crate::diagnosis::tool;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;

pub static CHECK: Check = Check {
    id: "missing-requirement",
    category: Category::Project,
    severity: Severity::Error,
    summary: "A declared requirement is not installed",
    needs: &[Need::Project, Need::Packages, Need::Installed, Need::Probe],
    explains: &[],
    explanation: r#"
## What it means

The project's files name a distribution that the environment does not hold, and whose modules nothing else there
provides. The import that needs it ends in `ModuleNotFoundError`. Requirements behind a marker count only where the
marker holds; extras, groups and files for development (`requirements-dev.txt`) do not count.

## How it happens

A requirement was added (by you, or by `git pull`) and not installed; the install went into another environment; or it
stopped halfway.

## How to fix it

Install what the project declares, into this environment:

    .venv/bin/python -m pip install -r requirements.txt
    .venv/bin/python -m pip install -e .       # for requirements of pyproject.toml
    uv sync                                    # or poetry install, pdm install, pipenv install

`python -m pip check` does not see this: it compares what is installed with itself, not with the project.

## When it is fine

When the requirement is only needed for something that you do not do here. Give it a marker, or move it to an extra or a
group, and it is not reported any more. Where start-up code (a `sitecustomize`, a line of a `.pth` file) changes the import
path in a way that only running it can tell, the requirement may come from there: then this is information only. So it is
where a module of the requirement's name lies in the project's root, and where nothing but a file of requirements makes a
directory a project (`docs/requirements.txt`) and the environment is that of the project around it.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, packages)) = judged(facts) else { return };
    let (in_root, elsewhere): (Vec<_>, Vec<_>) = missing(facts, environment, packages)
        .into_iter()
        .partition(|requirement| facts.project.in_root.contains(&requirement.name));
    let only_there = elsewhere.is_empty();
    let missing = if only_there { in_root } else { elsewhere };
    if missing.is_empty() {
        return;
    }
    let names: Vec<&str> = missing.iter().map(|requirement| requirement.name.as_str()).collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    let mut message =
        format!("The project requires {}, which {verb} not installed in {}", few(&names), environment.root);
    let mut severity = severity_in(facts, environment, CHECK.severity);
    if only_there {
        message +=
            "; the project's own module of that name is imported wherever its root is on the import path";
        severity = Severity::Info;
    }
    if let Some(clause) = may_be_added(packages) {
        message += &clause;
        severity = Severity::Info;
    }
    let mut finding =
        Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message).severity(severity);
    for requirement in missing.iter().take(LISTED) {
        finding =
            finding.evidence("required", format!("{} in {}", requirement.as_argument(), requirement.place()));
    }
    for site in packages.sites.iter().take(LISTED) {
        finding = finding.evidence("searched", site.directory.to_text());
    }
    let tools: Vec<&str> = tool::outside(facts, environment).collect();
    let is_missing = |tool: &&str| missing.iter().any(|requirement| requirement.name == *tool);
    let brings_tool = tools.iter().any(is_missing);
    if brings_tool && tools.iter().all(is_missing) {
        finding = finding.explaining("tool-outside-environment");
    }
    if let Some(mut remedy) = install_declared(facts, environment, &missing) {
        // the shell may remember where it found them so far
        if brings_tool {
            remedy.actions.push(Action::Rehash);
        }
        finding = finding.remedy(remedy);
    }
    findings.push(finding);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::distribution::{TopLevel, TopLevelKind};
    use crate::facts::example::{path, with_packages};
    use crate::facts::project::{Manager, ManagerKind};
    use crate::facts::requirement::{Purpose, Source};

    fn requires(name: &str) -> Facts {
        let mut facts = with_packages();
        let mut requirement = facts.project.requirements[0].clone();
        requirement.name = name.into();
        requirement.line = Some(2);
        facts.project.requirements.push(requirement);
        facts
    }

    #[test]
    fn fires_as_information_when_start_up_code_may_provide_it() {
        let mut facts = requires("democore");
        facts.packages[0].path_changes.push(crate::facts::example::path_change("/apps/sitecustomize.py"));
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].severity, Severity::Info);
        assert!(
            found[0].message.contains("may come from what /apps/sitecustomize.py adds"),
            "{}",
            found[0].message
        );
    }

    #[test]
    fn fires_when_a_requirement_is_not_there() {
        let found = CHECK.findings(&requires("democore"));
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].message,
            "The project requires democore, which is not installed in /home/me/project/.venv"
        );
        assert_eq!(found[0].evidence[0].value, "democore in /home/me/project/requirements.txt (line 2)");
        let Action::Run(words) = &found[0].remedies[0].actions[0] else { panic!() };
        assert_eq!(words.last().map(|word| word.as_bytes()), Some(&b"/home/me/project/requirements.txt"[..]));
    }

    #[test]
    fn quiet_in_what_uv_makes_for_one_run() {
        let found = |root: &str| {
            let mut facts = requires("democore");
            facts.environments[0].root = path(root);
            facts.environments[0].real = None;
            facts.packages[0].environment = path(root);
            facts.patient = Some(path(root));
            CHECK.findings(&facts).len()
        };
        assert_eq!((found("/home/me/.cache/uv/builds-v0/.tmpX"), found("/home/me/.cache/mine/x")), (0, 1));
    }

    #[test]
    fn fires_as_information_when_the_module_lies_in_the_root() {
        let mut facts = requires("democore");
        facts.project.in_root = vec!["democore".into()];
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].severity, Severity::Info);
        assert!(found[0].message.contains("; the project's own module of that name"), "{}", found[0].message);
        let mut other = facts.project.requirements[1].clone();
        other.name = "demoapp".into();
        facts.project.requirements.push(other);
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].message.starts_with("The project requires demoapp, which"), "{}", found[0].message);
    }

    #[test]
    fn fires_as_information_when_the_environment_is_the_enclosing_projects() {
        let mut facts = requires("sphinx");
        facts.project.root = Some(path("/home/me/project/docs"));
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Error);
        facts.project.enclosing = Some(path("/home/me/project"));
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Info);
        facts.project.enclosing = Some(path("/home/me/other"));
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Error);
    }

    #[test]
    fn quiet_when_a_tool_runs_the_project_and_the_environment_is_anothers() {
        let mut facts = requires("democore");
        facts.project.root = Some(path("/home/me/other"));
        facts.project.environments.clear();
        let evidence = path("/home/me/other/tox.ini");
        facts.project.managers = vec![Manager { kind: ManagerKind::Tox, evidence, available: true }];
        assert_eq!(CHECK.findings(&facts).len(), 1, "it was activated for this");
        crate::facts::example::unset_variable(&mut facts, "VIRTUAL_ENV");
        assert_eq!(CHECK.findings(&facts), []);
        facts.project.managers.clear();
        assert_eq!(CHECK.findings(&facts).len(), 1);
    }

    #[test]
    fn fires_with_a_new_look_at_path_when_the_shell_has_the_tool_elsewhere() {
        use crate::facts::search_path::{Command, Hit, HitState, Target};
        let mut facts = requires("pytest");
        let dependency = crate::facts::project::Dependency {
            name: "pytest".into(),
            ..facts.project.dependencies[0].clone()
        };
        facts.project.dependencies.push(dependency);
        let pytest = Hit {
            entry: 1,
            path: path("/usr/bin/pytest"),
            state: HitState::Runnable,
            leads_to: Target::Script {
                interpreter: path("/usr/bin/python3"),
                runnable: true,
                environment: Some(path("/usr")),
            },
        };
        facts.commands.push(Command { name: "pytest".into(), hits: vec![pytest], which_disagrees: None });
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].remedies[0].actions.last(), Some(&Action::Rehash));
        assert_eq!(found[0].explains, ["tool-outside-environment"]);
        let usual = CHECK.findings(&requires("democore"));
        assert!(!usual[0].remedies[0].actions.contains(&Action::Rehash) && usual[0].explains.is_empty());
    }

    #[test]
    fn fires_with_the_managers_own_command() {
        let mut facts = requires("democore");
        let evidence = path("/home/me/project/uv.lock");
        facts.project.managers = vec![Manager { kind: ManagerKind::Uv, evidence, available: true }];
        assert_eq!(
            CHECK.findings(&facts)[0].remedies[0].actions,
            [Action::run(["uv".into(), "sync".into()])]
        );
    }

    #[test]
    fn quiet_when_everything_is_there() {
        assert_eq!(CHECK.findings(&with_packages()), []);
    }

    #[test]
    fn quiet_when_it_does_not_apply_or_may_be_left_out() {
        let mut facts = requires("pywin32");
        facts.project.requirements[1].marker = Some("sys_platform == 'win32'".into());
        assert_eq!(CHECK.findings(&facts), []);
        facts.project.requirements[1].marker = None;
        facts.project.requirements[1].purpose = Purpose::Optional;
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_another_distribution_provides_its_modules() {
        let mut facts = requires("opencv-python");
        facts.packages[0].sites[0].modules.push(TopLevel {
            name: "cv2".into(),
            path: path("/home/me/project/.venv/lib/python3.11/site-packages/cv2"),
            kind: TopLevelKind::Package,
            barren: false,
        });
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn the_name_in_a_url_counts_where_it_is_imported() {
        let mut facts = requires("democore");
        facts.project.requirements[1].source = Some(Source::Egg("git+https://example.org/x".into()));
        assert!(CHECK.findings(&facts).is_empty());
        facts.project.imports[0].name = "democore".into();
        let found = CHECK.findings(&facts);
        assert!(found[0].evidence[0].value.starts_with("democore @ git+https://example.org/x in "));
    }

    #[test]
    fn quiet_when_nothing_is_known_of_the_packages() {
        let mut facts = requires("democore");
        facts.packages[0].sites[0].readable = false;
        assert_eq!(CHECK.findings(&facts), []);
        facts.packages.clear();
        assert_eq!(CHECK.findings(&facts), []);
    }
}
