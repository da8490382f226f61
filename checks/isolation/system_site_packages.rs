//! A venv that also sees its base's packages, and a project that relies on what leaks in.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::distribution::{Distribution, SiteKind};
use crate::facts::environment::Environment;
use crate::facts::requirement::SourceImport;
use crate::imports::known_modules;
use crate::parse::names::normalize_name;
use crate::path::HostPath;

use super::some_of;

pub static CHECK: Check = Check {
    id: "system-site-packages",
    category: Category::Isolation,
    severity: Severity::Warning,
    summary: "The venv also sees its base's packages, and the project relies on what leaks in",
    needs: &[Need::Project, Need::Installed, Need::Packages, Need::Sources],
    explains: &[],
    explanation: r#"
## What it means
`include-system-site-packages = true` in `pyvenv.cfg` appends the user site and the base Python's packages to the import path,
behind the venv's own. pip takes what it finds there for installed (`Requirement already satisfied: six in
/usr/lib/python3/dist-packages`) and installs nothing. The project then works here, with whatever version the system has today,
and fails on the next machine.

## How it happens
The venv was made with `--system-site-packages`, by a tick box of an editor, or by a template. A `pyvenv.cfg` without the key
means `true` as well.

## How to fix it
Set the value to `false` in `pyvenv.cfg` and install what the project needs:

    .venv/bin/python -m pip install -r requirements.txt

## When it is fine
For what pip cannot install well and the distributor ships: PyGObject (`gi`), `apt`, `dbus`, tkinter, ROS, GDAL, vendors' builds of
NumPy or PyTorch. Then this is information only.
"#,
    examine,
};

/// What people make such venvs for.
const FROM_THE_DISTRIBUTOR: &[&str] = &[
    "pygobject",
    "pycairo",
    "python-apt",
    "dbus-python",
    "gdal",
    "rclpy",
    "rospkg",
    "catkin-pkg",
    "pyqt5",
    "pyqt6",
    "pyside2",
    "pyside6",
    "wxpython",
    "torch",
    "tensorflow",
    "opencv",
    "opencv-python",
    "cupshelpers",
    "pycups",
    "libvirt-python",
    "systemd-python",
    "pygame",
    "rpi-gpio",
    "picamera2",
    "libcamera",
    "gpiozero",
    "lgpio",
    "smbus",
    "mpi4py",
    "petsc4py",
    "dolfin",
    "selinux",
    "rpm",
    "dnf",
    "python-debian",
];

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(environment) = facts.patient().filter(|environment| environment.is_venv()) else { return };
    let Some(config) = environment.venv_config() else { return };
    let Some(line) = config.line_of("include-system-site-packages") else { return };
    if !config.include_system_site_packages() || !facts.in_use(environment) {
        return;
    }
    let leaking = leaking(facts, environment);
    let relied_on: Vec<String> = leaking
        .iter()
        .filter(|it| !FROM_THE_DISTRIBUTOR.contains(&it.normalized.as_str()))
        .map(|it| format!("{} {} ({})", it.name, it.version.as_deref().unwrap_or_default(), it.metadata))
        .collect();
    // what pip cannot bring is why it was made so: isolated, it would lose that
    let on_purpose = relied_on.len() < leaking.len() || imports_of_the_distributor(facts);
    let message = match relied_on.is_empty() {
        false => {
            format!(
                "The project relies on packages outside of {}, which also sees its base's",
                environment.root
            )
        }
        true => format!("{} also sees the packages of its base Python", environment.root),
    };
    let severity = match relied_on.is_empty() || on_purpose {
        false => Severity::Warning,
        true => Severity::Info,
    };
    let mut finding = Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message)
        .severity(severity)
        .evidence("include-system-site-packages", format!("true (line {line} of pyvenv.cfg)"));
    if let Some(packages) = facts.packages(&environment.root) {
        let places: Vec<String> = packages
            .sites
            .iter()
            .filter(|site| matches!(site.kind, SiteKind::Base | SiteKind::User))
            .map(|site| site.directory.to_text().into_owned())
            .collect();
        finding = finding.evidence("also imports from", some_of(&places));
    }
    if !relied_on.is_empty() {
        finding = finding.evidence("needed, and only there", some_of(&relied_on));
    }
    if let (Some(file), Severity::Warning) = (&environment.config_path, severity) {
        let text = config.get("include-system-site-packages").unwrap_or("true");
        finding = finding.remedy(isolate(facts, environment, file, text, &leaking));
    }
    findings.push(finding);
}

/// Modules that only a distributor of another kind than Debian ships: Fedora, ROS.
const OF_OTHER_DISTRIBUTORS: [&str; 3] = ["dnf", "rclpy", "rospy"];

/// Whether the project's sources import what only the base can have, and the venv has not.
fn imports_of_the_distributor(facts: &Facts) -> bool {
    let Some(sources) = facts.project.sources.known() else { return false };
    let own = |name: &str| {
        facts.patient().and_then(|environment| facts.packages(&environment.root)).is_some_and(|packages| {
            packages
                .sites
                .iter()
                .any(|site| site.kind == SiteKind::Own && site.modules.iter().any(|it| it.name == name))
        })
    };
    sources.imports.iter().map(SourceImport::top).any(|name| {
        let by_distributor = known_modules::system_package(name).is_some();
        (by_distributor || OF_OTHER_DISTRIBUTORS.contains(&name)) && !own(name)
    })
}

/// What the project declares, the venv has not, and its base or the user site has.
fn leaking<'a>(facts: &'a Facts, environment: &Environment) -> Vec<&'a Distribution> {
    let Some(packages) = facts.packages(&environment.root) else { return Vec::new() };
    let own = |name: &str| {
        let sites = packages.sites.iter().filter(|site| site.kind == SiteKind::Own);
        sites.flat_map(|site| &site.distributions).any(|it| it.normalized == name)
    };
    let mut found: Vec<&Distribution> = Vec::new();
    for dependency in &facts.project.dependencies {
        let name = normalize_name(&dependency.name);
        let outside =
            packages.sites.iter().filter(|site| matches!(site.kind, SiteKind::Base | SiteKind::User));
        let other = outside.flat_map(|site| &site.distributions).find(|it| it.normalized == name);
        if let Some(other) = other.filter(|_| !own(&name))
            && !found.iter().any(|known| known.normalized == name)
        {
            found.push(other);
        }
    }
    found
}

fn isolate(
    facts: &Facts,
    environment: &Environment,
    file: &HostPath,
    value: &str,
    leaking: &[&Distribution],
) -> Remedy {
    let from = format!("include-system-site-packages = {value}");
    let mut actions = vec![Action::Rewrite {
        files: vec![file.clone()],
        from: from.into(),
        to: "include-system-site-packages = false".into(),
    }];
    let mut install: Vec<Word> = vec![environment.program("python").into()];
    install.extend(["-m", "pip", "install"].map(Word::from));
    if facts.project.requirement_files.is_empty() {
        install.extend(leaking.iter().map(|it| Word::from(&it.name)));
    } else {
        for file in &facts.project.requirement_files {
            install.extend(["-r".into(), file.into()]);
        }
    }
    if environment.has_pip() {
        actions.push(Action::Run(install));
    } else {
        actions.push(Action::Advice("install what the project needs into it".to_owned()));
    }
    Remedy::review("Separate it from its base, and install what the project needs", actions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Gathered;
    use crate::facts::example;
    use crate::facts::requirement::{Certainty, Sources};
    use crate::parse::pyvenv_cfg;

    fn open() -> Facts {
        let mut facts = example::healthy();
        let text = "home = /usr/bin\ninclude-system-site-packages = true\nversion = 3.11.2\n";
        example::venv_of(&mut facts).config = Gathered::Known(pyvenv_cfg::parse(text.as_bytes()));
        facts
    }

    #[test]
    fn fires_as_information_when_nothing_is_known_to_leak() {
        let found = CHECK.findings(&open());
        assert_eq!(found[0].severity, Severity::Info);
        assert_eq!(found[0].evidence[0].value, "true (line 2 of pyvenv.cfg)");
    }

    #[test]
    fn fires_when_a_requirement_comes_from_the_base() {
        let mut facts = open();
        let mut packages = crate::checks::isolation::tests::with_distribution("six").packages;
        packages[0].sites[0].kind = SiteKind::Base;
        facts.packages = packages;
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].severity, Severity::Warning);
        assert!(matches!(found[0].remedies[0].actions[..], [Action::Rewrite { .. }, Action::Run(_)]));
    }

    #[test]
    fn isolating_is_not_offered_where_the_distributor_has_what_pip_has_not() {
        let mut facts = open();
        let mut packages = crate::checks::isolation::tests::with_distribution("six").packages;
        packages[0].sites[0].kind = SiteKind::Base;
        facts.packages = packages;
        facts.project.sources = Gathered::Known(Sources {
            imports: vec![SourceImport {
                module: "gi.repository".to_owned(),
                certainty: Certainty::Certain,
                file: example::path("/home/me/project/main.py"),
                line: 1,
            }],
            ..Sources::default()
        });
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].severity, Severity::Info);
        assert!(found[0].remedies.is_empty());
        assert_eq!(found[0].evidence.last().map(|it| it.label.as_str()), Some("needed, and only there"));
    }

    #[test]
    fn quiet_when_the_venv_is_isolated() {
        assert!(CHECK.findings(&example::healthy()).is_empty());
    }

    #[test]
    fn quiet_when_it_is_no_venv() {
        let mut facts = open();
        facts.patient = Some(example::path("/usr"));
        assert!(CHECK.findings(&facts).is_empty());
    }
}
