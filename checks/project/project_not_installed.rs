//! A project with its packages in `src` is not installed in its environment, or another copy of it is.

use super::{installing, judged};
use crate::diagnosis::install::synchronize;
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::environment::EnvironmentKind;
use crate::parse::names::normalize_name;
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "project-not-installed",
    category: Category::Project,
    severity: Severity::Warning,
    summary: "A project with its packages in `src` is not installed in its environment, or another copy of it is",
    needs: &[Need::Project, Need::Sources, Need::Packages, Need::Installed, Need::Probe],
    explains: &["unresolvable-import"],
    explanation: r#"
## What it means

The packages lie in `src/`, where no Python looks by itself: not from the project's directory, and not from `tests/`. The
project has a build system, so it is meant to be installed; the environment does not know it. `import` of the
project's own package ends in `ModuleNotFoundError`, in tests as in scripts.

Or the environment knows the project by another directory: a second checkout of it, a git worktree, an old copy. Then the
import succeeds, and what runs is the code there. Changes made here have no effect.

## How it happens

`pip install -r requirements.txt` brings in the dependencies and not the project itself, or the environment was made
again and the last step was forgotten. Another copy is read after `pip install -e` was run there, with this environment.

## How to fix it

Install the project so that the environment reads it from where it is (an editable install):

    .venv/bin/python -m pip install -e .
    uv sync                                    # or poetry install, pdm install

## When it is fine

When something else puts `src` on the import path: `PYTHONPATH`, or `pythonpath = ["src"]` in pytest's settings. Neither
is reported; nor is a project that says it is none (`package = false` of uv, `package-mode = false` of Poetry).
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, packages)) = judged(facts) else { return };
    let (Some(root), Some(name)) = (&facts.project.root, &facts.project.name) else { return };
    let Some(sources) = facts.project.sources.known() else { return };
    let shared = environment.kind == EnvironmentKind::Installation || !facts.belongs_to_project(environment);
    if !facts.project.is_package || shared || sources.pytest_adds_path || sources.in_src.is_empty() {
        return;
    }
    let source = root.join("src");
    let on_path = facts.shell.set("PYTHONPATH").is_some_and(|value| {
        value.split(root.flavour().list_separator() as char).any(|entry| {
            let relative = || Some(facts.working_directory.as_ref()?.join(entry));
            let path = HostPath::new(root.flavour(), entry).or_else(relative);
            path.is_some_and(|path| path.normalized().same_as(&source))
        })
    });
    let module = |path: &HostPath| path.name().trim_end_matches(".py").to_owned();
    let provided = sources.in_src.iter().any(|path| packages.provides_module(&module(path)));
    let registered = packages.distribution(&normalize_name(name));
    let copy = registered.filter(|distribution| distribution.elsewhere && provided);
    if on_path || (copy.is_none() && (provided || registered.is_some())) {
        return;
    }
    let what = match copy.and_then(|copy| Some((copy, &copy.sources.first()?.path))) {
        Some((copy, path)) => format!(
            "{} is installed in {} from another copy of this project: the code in {path} is imported, not that in {source}",
            copy.name, environment.root
        ),
        None => format!(
            "The project {name} is not installed in {}, and its packages are in {source}",
            environment.root
        ),
    };
    let mut finding = Finding::new(&CHECK, Subject::Environment(environment.root.clone()), what);
    for path in sources.in_src.iter().take(5) {
        finding = finding.evidence("not on the import path", path.to_text());
    }
    match copy {
        Some(copy) => {
            for source in copy.sources.iter().take(5) {
                finding = finding.evidence("named in", source.named_in.to_text());
            }
        }
        None => {
            for site in packages.sites.iter().take(5) {
                finding = finding.evidence("searched", site.directory.to_text());
            }
        }
    }
    if let Some(remedy) = synchronize(facts, environment) {
        finding = finding.remedy(remedy);
    } else if let Some(installer) = installing(facts, environment) {
        let actions = installer.actions([Word::from("-e"), Word::from(root)]);
        finding = finding.remedy(Remedy::safe("Install the project, to be read from where it is", actions));
    }
    findings.push(finding);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Gathered;
    use crate::facts::distribution::EditableSource;
    use crate::facts::example::{distribution, path, set_variable, with_packages};
    use crate::facts::requirement::Sources;

    fn in_src() -> Facts {
        let mut facts = with_packages();
        facts.project.name = Some("my-lib".into());
        facts.project.is_package = true;
        let in_src = vec![path("/home/me/project/src/mylib")];
        facts.project.sources = Gathered::Known(Sources { in_src, ..Sources::default() });
        facts
    }

    #[test]
    fn fires_when_nothing_knows_the_project() {
        let found = CHECK.findings(&in_src());
        assert_eq!(found.len(), 1);
        assert!(
            found[0].message.ends_with("its packages are in /home/me/project/src"),
            "{}",
            found[0].message
        );
    }

    #[test]
    fn quiet_when_it_is_installed() {
        let mut facts = in_src();
        facts.packages[0].sites[0].distributions.push(distribution("my-lib", "1"));
        assert_eq!(CHECK.findings(&facts), []);
        let mut facts = in_src();
        facts.packages[0].added_modules.push("mylib".into());
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn fires_when_another_copy_of_the_project_is_imported() {
        let mut facts = in_src();
        let mut copy = distribution("my-lib", "1");
        copy.modules = vec!["mylib".into()];
        copy.sources = vec![EditableSource {
            named_in: path("/home/me/project/.venv/lib/python3.11/site-packages/my_lib.pth"),
            line: Some(1),
            module: None,
            path: path("/home/me/other/src"),
            exists: true,
        }];
        copy.elsewhere = true;
        facts.packages[0].sites[0].distributions.push(copy);
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].message.contains("the code in /home/me/other/src is imported"),
            "{}",
            found[0].message
        );
        // the project that is examined, by another name of its directory
        facts.packages[0].sites[0].distributions.last_mut().unwrap().elsewhere = false;
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_something_else_adds_the_directory() {
        for value in ["/home/me/project/src", "src", "./src/", "/x:src"] {
            let mut facts = in_src();
            facts.working_directory = Some(path("/home/me/project"));
            set_variable(&mut facts, "PYTHONPATH", value);
            assert_eq!(CHECK.findings(&facts), [], "{value}");
            // from elsewhere a relative entry is another directory
            facts.working_directory = Some(path("/home/me"));
            assert_eq!(CHECK.findings(&facts).is_empty(), value.starts_with("/home"), "{value}");
        }
        let mut facts = in_src();
        facts.project.sources = Gathered::Known(Sources {
            in_src: vec![path("/home/me/project/src/mylib")],
            pytest_adds_path: true,
            ..Sources::default()
        });
        assert_eq!(CHECK.findings(&facts), []);
    }
}
