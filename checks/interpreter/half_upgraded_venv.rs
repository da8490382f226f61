//! The environment was made again over an older one without `--clear`: its parts name different versions.

use super::{PACKAGES_UNSEEN, severity, venvs};
use crate::diagnosis::recreate::{base_of, recreate_from};
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::{Environment, Library};
use crate::facts::interpreter::Version;

pub static CHECK: Check = Check {
    id: "half-upgraded-venv",
    category: Category::Interpreter,
    severity: Severity::Error,
    summary: "The environment's configuration, interpreter and packages name different versions",
    needs: &[Need::Installed, Need::Binaries],
    explains: PACKAGES_UNSEEN,
    explanation: r#"
## What it means
An environment has one Python version, and it shows in three places: the `version` in `pyvenv.cfg`, the
interpreter behind `bin/python`, and the directory `lib/pythonX.Y` with the packages. Here they differ. You asked for a new
version, `python -V` still says the old one or the packages of the old one are not seen, and scripts in `bin`
belong to one or the other.

## How it happens
`python3.12 -m venv .venv` was run over an environment of Python 3.10. `venv` then rewrites `pyvenv.cfg` and adds
`bin/python3.12` and `lib/python3.12`, but leaves existing links such as `bin/python` as they are, and does not
remove `lib/python3.10`.

## How to fix it
Make it again from scratch; `--clear` empties the directory first:

    python3.12 -m venv --clear .venv
    .venv/bin/python -m pip install -r requirements.txt

What was installed can be read before that from the names in `.venv/lib/python3.*/site-packages/*.dist-info`.

## When it is fine
When everything that you need is installed for the version that runs, and the other directory is a leftover. It is
reported only where packages are out of reach or the configuration contradicts the interpreter.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in venvs(facts) {
        let Some(interpreter) = facts.interpreter_of(environment).filter(|found| found.can_start()) else {
            continue;
        };
        let Some(version) = interpreter.known_version() else { continue };
        let Some(own) = library_of(environment, version) else { continue };
        let contradicted = environment
            .config_version()
            .filter(|asked| !is_minor(*asked, version) && library_of(environment, *asked).is_some());
        let unseen = environment.libraries.iter().find(|other| {
            other.version.is_some_and(|found| !is_minor(found, version))
                && environment.installed_in(other).next().is_some()
                && environment.installed_in(own).next().is_none()
        });
        let (message, severity) = match (contradicted, unseen) {
            (Some(asked), _) => (
                format!(
                    "{} was made again for Python {}, and its python still is {}",
                    environment.root,
                    asked.minor_text(),
                    version.minor_text()
                ),
                severity(facts, environment),
            ),
            (None, Some(other)) => (
                format!(
                    "{} runs Python {}, and its packages were left in {}",
                    environment.root,
                    version.minor_text(),
                    other.directory
                ),
                Severity::Warning,
            ),
            (None, None) => continue,
        };
        let mut finding = Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message)
            .severity(severity)
            .evidence("interpreter", format!("{} is Python {version}", interpreter.links_text()));
        if let (Some(config), Some(file)) = (environment.venv_config(), &environment.config_path)
            && let Some(text) = config.version_text()
        {
            finding = finding.evidence("pyvenv.cfg", format!("Python {text} ({file})"));
        }
        for library in &environment.libraries {
            let packages = environment.installed_in(library).count();
            finding = finding.evidence("packages", format!("{packages} in {}", library.site_packages));
        }
        // a link to one of the versions would hide what is installed for the other
        let base = base_of(facts, environment, environment.config_version().into_iter().chain([version]));
        findings.push(finding.remedy(recreate_from(facts, environment, base)));
    }
}

fn library_of(environment: &Environment, version: Version) -> Option<&Library> {
    environment.libraries.iter().find(|library| library.version.is_some_and(|found| is_minor(found, version)))
}

fn is_minor(left: Version, right: Version) -> bool {
    (left.major, left.minor) == (right.major, right.minor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::recreate::tests::words;
    use crate::facts::Gathered;
    use crate::facts::environment::Installed;
    use crate::facts::example::{healthy, path, venv_of};
    use crate::facts::interpreter::Installation;
    use crate::facts::project::Declared;
    use crate::parse::pyvenv_cfg;

    /// Python 3.12 made over the example's 3.11.
    fn made_over(facts: &mut Facts) -> &mut Environment {
        let venv = venv_of(facts);
        let root = venv.root.clone();
        let mut library = venv.libraries[0].clone();
        library.directory = root.join("lib/python3.12");
        library.site_packages = root.join("lib/python3.12/site-packages");
        library.version = Some(Version::new(3, 12, None));
        library.entries = 2;
        venv.libraries.push(library);
        venv
    }

    fn configured(venv: &mut Environment, version: &str) {
        let text = format!("home = /usr/bin\ninclude-system-site-packages = false\nversion = {version}\n");
        venv.config = Gathered::Known(pyvenv_cfg::parse(text.as_bytes()));
    }

    /// The example's environment made over, with another Python 3.11 and a 3.12 on the machine.
    fn made_over_with_both(facts: &mut Facts) {
        for (interpreter, version) in
            [("/opt/py/bin/python3.11", (3, 11)), ("/opt/py/bin/python3.12", (3, 12))]
        {
            facts.installations.push(Installation {
                interpreter: path(interpreter),
                version: Some(Version::new(version.0, version.1, None)),
                linked_from: Vec::new(),
                ..facts.installations[0].clone()
            });
        }
        configured(made_over(facts), "3.12.1");
    }

    #[test]
    fn it_is_made_anew_for_the_version_that_was_asked_for_with_what_is_installed_for_either() {
        let mut facts = healthy();
        made_over_with_both(&mut facts);
        let venv = venv_of(&mut facts);
        let other = Installed {
            name: "six".into(),
            version: "1.15.0".into(),
            metadata: venv.libraries[1].site_packages.join("six-1.15.0.dist-info"),
            ..venv.installed[1].clone()
        };
        let new = Installed {
            name: "new".into(),
            version: "1.0".into(),
            metadata: venv.libraries[1].site_packages.join("new-1.0.dist-info"),
            requested: false,
            ..other.clone()
        };
        venv.installed.extend([other, new]);
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].remedies.len(), 1, "no link: {found:?}");
        assert_eq!(
            words(&found[0].remedies[0])[..2],
            [
                r#"["six==1.15.0", "new==1.0"]"#,
                "/opt/py/bin/python3.12 -m venv --clear /home/me/project/.venv"
            ]
        );
    }

    #[test]
    fn a_version_that_the_project_forbids_is_not_chosen() {
        let mut facts = healthy();
        made_over_with_both(&mut facts);
        facts.project.requires_python = Some(Declared {
            text: "<3.12".into(),
            file: path("/home/me/project/pyproject.toml"),
            line: None,
        });
        let found = CHECK.findings(&facts);
        assert!(words(&found[0].remedies[0])[1].contains("python3.11 -m venv --clear"), "{found:?}");
    }

    #[test]
    fn fires_when_the_configuration_names_the_new_version_and_python_is_the_old_one() {
        let mut facts = healthy();
        configured(made_over(&mut facts), "3.12.1");
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(
            found[0].message,
            "/home/me/project/.venv was made again for Python 3.12, and its python still is 3.11"
        );
    }

    #[test]
    fn fires_when_the_packages_stayed_with_the_old_version() {
        let mut facts = healthy();
        let venv = made_over(&mut facts);
        let new = venv.libraries[1].site_packages.clone();
        for installed in &mut venv.installed {
            installed.metadata = new.join(installed.metadata.name().as_bytes());
        }
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].severity, Severity::Warning);
        assert!(
            found[0].message.ends_with("its packages were left in /home/me/project/.venv/lib/python3.12")
        );
    }

    #[test]
    fn quiet_when_the_other_library_is_a_leftover() {
        let mut facts = healthy();
        made_over(&mut facts);
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_all_agree() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }

    #[test]
    fn quiet_when_only_the_configuration_names_another_version() {
        let mut facts = healthy();
        configured(venv_of(&mut facts), "3.12.1");
        assert_eq!(CHECK.findings(&facts), [], "no reader of the key decides anything by it");
    }
}
