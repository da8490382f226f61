//! A venv of the other kind of system: `Scripts\` on Linux or macOS, `bin/` on Windows.

use crate::diagnosis::recreate::recreate;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::environment::{Environment, Layout};
use crate::facts::platform::System;
use crate::path::{Flavour, HostPath};

pub static CHECK: Check = Check {
    id: "foreign-platform-venv",
    category: Category::Relocation,
    severity: Severity::Error,
    summary: "The environment was made on Windows and is used on another system, or the reverse",
    needs: &[Need::Installed, Need::Project],
    explains: &[
        "moved-venv",
        "copied-venv",
        "broken-shebang",
        "crlf-shebang",
        "dangling-interpreter",
        "interpreter-wrong-architecture",
        "interpreter-not-executable",
        "interpreter-fails",
        "base-python-missing",
        "invalid-pyvenv-cfg",
        "incomplete-venv",
        "half-upgraded-venv",
        "environment-without-pip",
        "stale-activation",
        "lost-activation",
        "forgotten-activation",
        "activate-for-another-shell",
        "stale-launcher",
        "missing-requirement",
        "unresolvable-import",
        "missing-distribution-files",
        "extension-for-another-platform",
        "global-install",
        "python-command-missing",
    ],
    explanation: r#"
## What it means
A venv of Windows has `Scripts\python.exe` and `Lib\site-packages`; everywhere else it has `bin/python` and
`lib/python3.12/site-packages`. Neither system can use the other's: the programs do not start, and `home` in
`pyvenv.cfg` names a Python by a path that does not exist here. `. .venv/bin/activate` says "No such file or directory".

## How it happens
The project's directory is shared: a Windows project opened under WSL (`/mnt/c/...`), a network drive, a USB stick, an
archive, or an environment that was committed to Git. Running `python -m venv .venv` on both sides puts both
layouts into one directory, with one `pyvenv.cfg`: whoever ran last wins.

## How to fix it
Use one environment for each system: `python3 -m venv .venv-linux` here, and leave `.venv` to Windows.
uv: `export UV_PROJECT_ENVIRONMENT=.venv-linux`, then `uv sync`.
If nobody uses the other system any more, make `.venv` anew: `python3 -m venv --clear .venv`, then install the requirements.
Under WSL it is best to keep the project in the Linux file system (`~/project`): it is much faster there too.

## When it is fine
When this shell only edits the project and Python runs on the other system, or when the project has an environment for
each. Pythons of MSYS2 and Cygwin use `bin/` on Windows by right.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let own_works = facts.usable_project_environment().is_some()
        || facts.running().is_some_and(|running| running.is_venv() && facts.starts(running));
    for environment in facts.environments.iter().filter(|environment| environment.is_venv()) {
        let Some((system, sign)) = foreign(facts, environment) else { continue };
        // an environment for each system is how it should be
        if own_works || facts.starts(environment) {
            continue;
        }
        let home =
            environment.venv_config().and_then(|config| Some((config.home()?, config.line_of("home"))));
        let mut finding = Finding::new(
            &CHECK,
            Subject::Environment(environment.root.clone()),
            format!("{} was made on {system}, and cannot be used here", environment.root),
        )
        .evidence("layout", sign);
        if let Some((home, Some(line))) = home {
            finding = finding.evidence("home in pyvenv.cfg", format!("{home} (line {line})"));
        }
        for remedy in remedies(facts, environment) {
            finding = finding.remedy(remedy);
        }
        findings.push(finding);
    }
}

/// The system that the environment was made on, where it is not this kind, and what shows it.
fn foreign(facts: &Facts, environment: &Environment) -> Option<(&'static str, String)> {
    let home = environment.venv_config().and_then(|config| config.home()).unwrap_or_default();
    let windows_home = Flavour::Windows.is_absolute(home.as_bytes());
    match (facts.platform.flavour(), environment.layout) {
        (Flavour::Posix, Layout::Windows) => {
            Some(("Windows", format!("{} and no bin", environment.root.join("Scripts"))))
        }
        (Flavour::Posix, Layout::Mixed) if windows_home => Some((
            "Windows",
            format!("both {} and {}", environment.root.join("Scripts"), environment.root.join("bin")),
        )),
        (Flavour::Windows, Layout::Posix)
            if home.starts_with('/') && !has_windows_programs(facts, environment) =>
        {
            Some(("Linux or macOS", format!("{} and no Scripts", environment.root.join("bin"))))
        }
        _ => None,
    }
}

/// The Pythons of MSYS2 and Cygwin.
fn has_windows_programs(facts: &Facts, environment: &Environment) -> bool {
    facts.shell.set("MSYSTEM").is_some()
        || environment.interpreters.iter().any(|path| path.name().to_ascii_lowercase().ends_with(".exe"))
}

fn remedies(facts: &Facts, environment: &Environment) -> Vec<Remedy> {
    let anew = recreate(facts, environment);
    let shared = facts.surroundings.wsl || environment.layout == Layout::Mixed;
    match second(facts, environment) {
        Some(second) if shared => vec![second, anew],
        Some(second) => vec![anew, second],
        None => vec![anew],
    }
}

/// An environment of this system's own beside the other one.
fn second(facts: &Facts, environment: &Environment) -> Option<Remedy> {
    let suffix = match facts.platform.system {
        System::Linux => "linux",
        System::MacOs => "macos",
        System::Windows | System::Other => return None,
    };
    let name = format!("{}-{suffix}", environment.root.name());
    let root = environment.root.parent()?.join(&name);
    let version = environment.venv_config().and_then(|config| config.version());
    let fits = |candidate: &&crate::facts::interpreter::Installation| {
        candidate.has_ensurepip
            && version
                .zip(candidate.version)
                .is_some_and(|((major, minor, _), found)| (major, minor) == (found.major, found.minor))
    };
    let python = facts
        .installations
        .iter()
        .find(fits)
        .or_else(|| facts.installations.iter().find(|candidate| candidate.has_ensurepip))
        .map_or_else(|| Word::from("python3"), |found| Word::from(&found.interpreter));
    let mut actions = vec![Action::Run(vec![python, "-m".into(), "venv".into(), Word::from(&root)])];
    if let Some(install) = install(facts, environment, &root) {
        actions.push(install);
    }
    actions.push(Action::activate_new(&root));
    Some(Remedy::safe(format!("Make an environment for this system beside it, in {root}"), actions))
}

/// What the project asks for, else what the other environment holds.
fn install(facts: &Facts, environment: &Environment, root: &HostPath) -> Option<Action> {
    let mut words = vec![Word::from(root.join("bin/python"))];
    words.extend(["-m", "pip", "install"].map(Word::from));
    let before = words.len();
    for file in &facts.project.requirement_files {
        words.extend([Word::from("-r"), Word::from(file)]);
    }
    if words.len() == before {
        let seeds = ["pip", "setuptools", "wheel"];
        words.extend(
            environment
                .installed
                .iter()
                .filter(|installed| installed.editable.is_none() && !seeds.contains(&installed.name.as_str()))
                .map(|installed| Word::from(format!("{}=={}", installed.name, installed.version))),
        );
    }
    (words.len() > before).then_some(Action::Run(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Gathered;
    use crate::facts::example::*;
    use crate::parse::pyvenv_cfg;

    fn windows_venv() -> Environment {
        let root = path(VENV);
        Environment {
            layout: Layout::Windows,
            config: Gathered::Known(pyvenv_cfg::parse(b"home = C:\\Python312\r\nversion = 3.12.4\r\n")),
            script_directory: Some(root.join("Scripts")),
            interpreters: vec![root.join("Scripts/python.exe")],
            scripts: Vec::new(),
            activators: Vec::new(),
            home: None,
            ..venv(VENV)
        }
    }

    fn with_windows_venv() -> Facts {
        let mut facts = not_activated();
        facts.environments[0] = windows_venv();
        facts.interpreters.retain(|interpreter| interpreter.environment != Some(path(VENV)));
        facts
    }

    #[test]
    fn fires_when_a_windows_venv_is_used_on_linux() {
        let found = CHECK.findings(&with_windows_venv());
        assert_eq!(found[0].message, "/home/me/project/.venv was made on Windows, and cannot be used here");
        assert_eq!(found[0].evidence[1].value, "C:\\Python312 (line 1)");
    }

    #[test]
    fn keeps_the_windows_environment_under_wsl() {
        let mut facts = with_windows_venv();
        facts.surroundings.wsl = true;
        let found = CHECK.findings(&facts);
        assert_eq!(
            found[0].remedies[0].summary,
            "Make an environment for this system beside it, in /home/me/project/.venv-linux"
        );
        assert_eq!(found[0].remedies[0].actions.len(), 3);
    }

    #[test]
    fn fires_when_a_linux_venv_is_used_on_windows() {
        let mut facts = with_windows_venv();
        facts.platform.system = System::Windows;
        facts.environments[0] = Environment { interpreters: Vec::new(), ..venv(VENV) };
        assert!(CHECK.findings(&facts)[0].message.contains("Linux or macOS"));
    }

    #[test]
    fn quiet_when_the_layout_is_this_systems() {
        assert!(CHECK.findings(&healthy()).is_empty());
    }

    #[test]
    fn quiet_when_each_system_has_its_own() {
        let mut facts = healthy();
        facts.environments.push(Environment {
            root: path("/home/me/project/.venv-windows"),
            real: None,
            ..windows_venv()
        });
        assert!(CHECK.findings(&facts).is_empty());
    }

    #[test]
    fn quiet_when_msys_uses_bin_on_windows() {
        let mut facts = with_windows_venv();
        facts.platform.system = System::Windows;
        facts.environments[0] =
            Environment { interpreters: vec![path("/home/me/project/.venv/bin/python.exe")], ..venv(VENV) };
        assert!(CHECK.findings(&facts).is_empty());
    }
}
