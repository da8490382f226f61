//! An entry script whose distribution or module is gone: it starts and cannot import what it is for.

use crate::diagnosis::reinstall::reinstall_scripts;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::distribution::{LostTarget, Packages};
use crate::facts::environment::{BakedState, Environment, LaunchKind, Script};
use crate::imports::stdlib;

pub static CHECK: Check = Check {
    id: "stale-entry-script",
    category: Category::Packages,
    severity: Severity::Warning,
    summary: "An entry script imports what is not installed any more",
    needs: &[Need::Packages, Need::Scripts, Need::Installed],
    explains: &[],
    explanation: r#"
## What it means

An installer writes a small script for each command of a distribution; the script imports a module and calls a
function in it. The script is still in `bin` (or `Scripts`), the module is nowhere on the import path, and no installed
distribution lists the command. Running it ends with `ModuleNotFoundError`, or an older script with
`DistributionNotFound`.

The same is said of a script whose package is there without the module that the script names.

## How it happens

Somebody deleted packages from `site-packages` by hand, the directory was emptied, or the environment now runs another
Python version, whose `site-packages` lacks them. Or a newer version of the distribution has renamed the module, and the script
of the older one stayed. `pip uninstall` removes scripts together with their packages.

## How to fix it

Install the distribution again if the command is wanted, else delete the script:

    python -m pip install NAME
    rm .venv/bin/COMMAND

## When it is fine

When the module comes from `PYTHONPATH` or the working directory at the time that the script is run. Where start-up code
(a `sitecustomize`, a line of a `.pth` file) changes the import path in a way that only running it can tell, the module may
come from there, and nothing is reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, packages)) = facts.patient_packages() else { return };
    let told = packages.sites.iter().all(|site| site.readable) && packages.own_sites().next().is_some();
    // what start-up code adds to the import path may hold what is missed
    if !environment.is_venv() || !told || packages.open_change().is_some() {
        return;
    }
    let stale: Vec<(&Script, &str)> = environment
        .scripts
        .iter()
        .filter(|script| starts_here(script, environment))
        .filter_map(|script| Some((script, script.module.as_deref()?.split('.').next()?)))
        .filter(|(_, module)| *module != "pip" && !is_standard(environment, module))
        .filter(|(script, module)| is_stale(script, module, packages))
        .collect();
    for lost in packages.lost_targets.iter().filter(|lost| lost.top() != "pip") {
        let script = environment.scripts.iter().find(|script| script.path == lost.script);
        if let Some(script) = script {
            findings.push(without_module(facts, environment, packages, script, lost));
        }
    }
    let Some((first, module)) = stale.first() else { return };
    let rest = match stale.len() {
        1 => String::new(),
        count => format!(", and so do {} more scripts theirs", count - 1),
    };
    let message = format!("{} imports {module}, which is not installed any more{rest}", first.path)
        .replace("so do 1 more scripts theirs", "so does one more script its own");
    let mut finding = Finding::new(&CHECK, Subject::file(&first.path), message).about(&environment.root);
    let mut words = vec![Word::from("rm"), Word::from("--")];
    for (script, module) in &stale {
        finding = finding.evidence(script.name.clone(), format!("imports {module}"));
        words.push(Word::from(&script.path));
    }
    let names: Vec<&str> = stale.iter().map(|(script, _)| script.name.as_str()).collect();
    findings.push(
        finding
            .remedy(Remedy::manual(
                "Install the distribution again, if the command is wanted",
                vec![Action::Advice(format!(
                    "install into {} the distribution that brought {}",
                    environment.root,
                    names.join(", ")
                ))],
            ))
            .remedy(Remedy::review("Delete what cannot run", vec![Action::Run(words)])),
    );
}

/// The package is there, and the module that the script imports from it is not.
fn without_module(
    facts: &Facts,
    environment: &Environment,
    packages: &Packages,
    script: &Script,
    lost: &LostTarget,
) -> Finding {
    let (module, top) = (&lost.module, lost.top());
    let package = packages.sites.iter().flat_map(|site| &site.modules).find(|one| one.name == top);
    let message = format!("{} imports {module}, which the installed {top} does not have", script.path);
    let mut finding = Finding::new(&CHECK, Subject::file(&script.path), message)
        .about(&environment.root)
        .evidence("imports", module);
    if let Some(package) = package {
        finding = finding.evidence("installed", package.path.to_text());
    }
    if let Some(remedy) = reinstall_scripts(facts, environment, &[script]) {
        finding = finding.remedy(remedy);
    }
    let words = [Word::from("rm"), "--".into(), Word::from(&script.path)];
    finding.remedy(Remedy::review("Delete what cannot run", vec![Action::run(words)]))
}

/// A generated script for this environment's own interpreter.
fn starts_here(script: &Script, environment: &Environment) -> bool {
    match script.launch.kind {
        LaunchKind::Relocatable => true,
        LaunchKind::Other | LaunchKind::Env => false,
        _ => {
            script.launch.root_state == Some(BakedState::Own)
                && script.launch.interpreter_exists
                && environment.contains(&script.path)
        }
    }
}

/// `idle3.12` and `2to3-3.12` import what comes with Python.
fn is_standard(environment: &Environment, module: &str) -> bool {
    match environment.python_version() {
        Some(version) => stdlib::contains(version, module),
        None => stdlib::knows(module),
    }
}

fn is_stale(script: &Script, module: &str, packages: &Packages) -> bool {
    let stem = script.name.strip_suffix(".exe").unwrap_or(&script.name);
    let owned = packages.distributions().any(|distribution| {
        distribution.scripts.iter().any(|name| name == stem || *name == script.name)
            || distribution.modules.iter().any(|name| name == module)
    });
    !owned && !packages.provides_module(module)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example;
    use crate::facts::interpreter::Version;

    fn stale() -> Facts {
        let mut facts = example::with_packages();
        let root = example::path(example::VENV);
        example::venv_of(&mut facts).scripts.push(example::script(&root, "demoapp", "demoapp.cli"));
        facts
    }

    #[test]
    fn fires_when_the_module_is_gone() {
        let found = CHECK.findings(&stale());
        assert_eq!(found.len(), 1);
        assert!(found[0].message.ends_with("imports demoapp, which is not installed any more"));
    }

    #[test]
    fn fires_when_the_package_has_no_such_module() {
        let mut facts = stale();
        facts.packages[0].added_modules.push("demoapp".into());
        let script = example::path(example::VENV).join("bin/demoapp");
        facts.packages[0].lost_targets = vec![LostTarget { script, module: "demoapp.cli".into() }];
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert!(found[0].message.ends_with("imports demoapp.cli, which the installed demoapp does not have"));
    }

    #[test]
    fn quiet_when_the_module_is_there() {
        assert!(CHECK.findings(&example::with_packages()).is_empty());
        let mut facts = stale();
        facts.packages[0].added_modules.push("demoapp".into());
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_the_module_is_of_the_standard_library() {
        let mut facts = stale();
        let root = example::path(example::VENV);
        let scripts = &mut example::venv_of(&mut facts).scripts;
        scripts.retain(|script| script.name != "demoapp");
        scripts.push(example::script(&root, "idle3.11", "idlelib.pyshell"));
        scripts.push(example::script(&root, "2to3-3.11", "lib2to3.main"));
        assert!(CHECK.findings(&facts).is_empty());
        example::venv_of(&mut facts).libraries[0].version = Some(Version::new(3, 13, None));
        let found = CHECK.findings(&facts);
        assert!(found[0].message.ends_with("2to3-3.11 imports lib2to3, which is not installed any more"));
    }

    #[test]
    fn quiet_when_start_up_code_may_provide_the_module() {
        let mut facts = stale();
        facts.packages[0].path_changes.push(example::path_change("/apps/sitecustomize.py"));
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_a_distribution_lists_the_command() {
        let mut facts = stale();
        facts.packages[0].sites[0].distributions[1].scripts.push("demoapp".into());
        assert!(CHECK.findings(&facts).is_empty());
    }
}
