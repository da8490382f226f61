//! A directory without modules, left in `site-packages`, is imported instead of an editable install's package.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;

pub static CHECK: Check = Check {
    id: "leftover-shadows-editable",
    category: Category::Packages,
    severity: Severity::Error,
    summary: "A leftover directory without modules is imported instead of an editable install",
    needs: &[Need::Packages],
    explains: &["unresolvable-import"],
    explanation: r#"
## What it means

`site-packages` holds a directory with the name of a package, and no module is in it. Python takes such a directory
for a namespace package, and finds it before the package of the same name that is installed as an editable: the
finder of setuptools is asked only when the import path has nothing of that name. So `import x` succeeds, gives
`<module 'x' (namespace)>`, and every attribute is missing.

## How it happens

`pip uninstall` removes the files that it recorded. A `__pycache__`, a `py.typed` or a file that the program wrote
itself stays, and with it the directory. Then the project is installed again with `pip install -e`.

## How to fix it

Look at the directory, and delete it:

    rm -r .venv/lib/python3.11/site-packages/x

## When it is fine

Never with this name. A namespace package that holds modules, or a package found through a plain `.pth` line, is not
reported: regular packages win over such directories there.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, packages)) = facts.patient_packages() else { return };
    for site in packages.own_sites() {
        for module in site.modules.iter().filter(|module| module.barren) {
            // a finder on sys.meta_path is asked after the import path; a package on the path wins anyway
            let mapped = packages.own_distributions().find_map(|distribution| {
                let is_it = |name: &Option<String>| name.as_deref() == Some(module.name.as_str());
                let source =
                    distribution.sources.iter().find(|source| source.exists && is_it(&source.module))?;
                Some((distribution, source))
            });
            let Some((distribution, source)) = mapped else { continue };
            let elsewhere = packages.added_modules.contains(&module.name)
                || packages
                    .sites
                    .iter()
                    .any(|site| site.modules.iter().any(|other| other.name == module.name && !other.barren));
            if elsewhere {
                continue;
            }
            let message = format!(
                "`import {}` finds the leftover directory {} instead of the editable install of {}",
                module.name, module.path, distribution.name
            );
            let remove = Action::run([Word::from("rm"), Word::from("-rf"), Word::from(&module.path)]);
            findings.push(
                Finding::new(&CHECK, Subject::file(&module.path), message)
                    .about(&environment.root)
                    .evidence("holds no module", module.path.to_text())
                    .evidence(
                        "the editable's source",
                        format!("{}, named in {}", source.path, source.named_in),
                    )
                    .remedy(Remedy::review(
                        "Delete the leftover directory, which holds no module",
                        vec![remove],
                    )),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::distribution::{EditableSource, TopLevel, TopLevelKind};
    use crate::facts::example;

    fn shadowed() -> Facts {
        let mut facts = example::with_packages();
        let site = &mut facts.packages[0].sites[0];
        let mut distribution = example::distribution("mylib", "1.0");
        distribution.sources = vec![EditableSource {
            named_in: site.directory.join("__editable___mylib_1_0_finder.py"),
            line: None,
            module: Some("mylib".into()),
            path: example::path("/home/me/mylib/mylib"),
            exists: true,
        }];
        site.distributions.push(distribution);
        site.modules.push(TopLevel {
            name: "mylib".into(),
            path: site.directory.join("mylib"),
            kind: TopLevelKind::Namespace,
            barren: true,
        });
        facts
    }

    #[test]
    fn fires_when_an_empty_directory_has_the_name() {
        let found = CHECK.findings(&shadowed());
        assert_eq!(found.len(), 1);
        assert!(matches!(found[0].remedies[0].actions[..], [Action::Run(_)]));
    }

    #[test]
    fn quiet_when_the_directory_holds_modules() {
        let mut facts = shadowed();
        facts.packages[0].sites[0].modules.last_mut().unwrap().barren = false;
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_a_pth_line_leads_to_the_package() {
        let mut facts = shadowed();
        facts.packages[0].sites[0].distributions.last_mut().unwrap().sources[0].module = None;
        assert!(CHECK.findings(&facts).is_empty());
    }
}
