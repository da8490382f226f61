//! Remedies that mend or replace a whole environment without losing what is in it.

use super::manager::managed;
use super::reinstall::{debian_package, has_uv};
use super::{Action, Remedy, Word};
use crate::facts::Facts;
use crate::facts::environment::{Environment, LaunchKind, Layout, scripts_of};
use crate::facts::installation::{allows, best_installation};
use crate::facts::interpreter::{Installation, Version};
use crate::facts::project::ManagerKind;
use crate::parse::pyvenv_cfg::Creator;
use crate::path::{Flavour, HostPath};

use saved::{library_with_packages, save};

mod managed;
mod relink;
mod saved;

pub use relink::{moved_aside, relink, usable};

/// Writes down what is installed, makes the environment anew with the tool that made it and the Python
/// that fits, installs what was written down, and activates it unless the shell runs it already.
pub fn recreate(facts: &Facts, environment: &Environment) -> Remedy {
    recreate_from(facts, environment, base_for(facts, environment))
}

/// The same, with this Python.
pub fn recreate_from(facts: &Facts, environment: &Environment, base: Option<&Installation>) -> Remedy {
    let mut actions = Vec::new();
    let saved = save(facts, environment, base, &mut actions);
    // pixi's are no venvs
    let how = match managed(facts, environment).filter(|managed| managed.kind != ManagerKind::Pixi) {
        Some(managed) => {
            actions.extend(managed.actions(facts, environment, base, saved.as_ref()));
            managed.kind.label().to_owned()
        }
        None => {
            let maker = maker(facts, environment);
            actions.extend(make(facts, maker, environment, base));
            if let Some(file) = &saved {
                actions.push(install(maker, environment, file));
            }
            actions.extend(back_in_the_shell(facts, environment));
            maker.label().to_owned()
        }
    };
    let kept = match &saved {
        Some(file) => format!(", with what is installed in it (kept in {})", file.name()),
        None => String::new(),
    };
    Remedy::review(format!("Re-create the environment with {how}{kept}"), actions)
}

/// Writes the environment's own root into the scripts and activate scripts that name `old`. None when no
/// file does, or when the new path cannot stand in them as it is.
pub fn rewrite_paths(facts: &Facts, environment: &Environment, old: &HostPath) -> Option<Remedy> {
    let foreign = environment.foreign_roots().into_iter().find(|foreign| foreign.root.same_as(old))?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(byte);
    if !environment.root.as_bytes().iter().all(plain) || environment.layout != Layout::Posix {
        return None;
    }
    // `#!`, `/bin/`, the longest usual name
    if environment.root.as_bytes().len() + 2 + "/bin/python3.99t".len() > facts.platform.shebang_limit() {
        return None;
    }
    let text =
        |kind| matches!(kind, LaunchKind::Shebang | LaunchKind::ShebangWithSpace | LaunchKind::Trampoline);
    let mut files: Vec<HostPath> = foreign
        .scripts
        .iter()
        .filter(|script| text(script.launch.kind))
        .map(|script| script.path.clone())
        .collect();
    files.extend(foreign.activators.iter().map(|activator| activator.path.clone()));
    if foreign.made_at {
        files.extend(environment.config_path.clone());
    }
    if files.is_empty() {
        return None;
    }
    let count = files.len();
    let mut actions =
        vec![Action::Rewrite { files, from: Word::from(foreign.root), to: Word::from(&environment.root) }];
    actions.extend(back_in_the_shell(facts, environment));
    let noun = if count == 1 { "file" } else { "files" };
    Some(Remedy::safe(format!("Write the new place into the {count} {noun} that name the old one"), actions))
}

/// Of these versions the first that the project allows and this machine has, else the best that it allows.
pub fn base_of<'f>(
    facts: &'f Facts,
    environment: &Environment,
    versions: impl IntoIterator<Item = Version>,
) -> Option<&'f Installation> {
    let requires = facts.project.requires_python.as_ref().map(|declared| declared.text.as_str());
    let usable = usable(facts, environment);
    let wanted = versions.into_iter().find(|version| {
        let here = usable.iter().any(|known| known.version.is_some_and(|known| known.same_minor(*version)));
        here && requires.is_none_or(|requires| allows(requires, *version))
    });
    best_installation(usable, wanted, requires)
}

/// Takes the old environment out of the shell where it is in the way, and activates this one unless the
/// shell runs it already.
pub fn back_in_the_shell(facts: &Facts, environment: &Environment) -> Vec<Action> {
    let steps = ShellSteps::of(facts, environment);
    steps.before.into_iter().chain(steps.after).collect()
}

/// What leads the shell to an environment: what its tools must find, and what may come last.
struct ShellSteps {
    before: Vec<Action>,
    after: Option<Action>,
}

impl ShellSteps {
    fn of(facts: &Facts, environment: &Environment) -> ShellSteps {
        let claimed = facts.shell.path_variable("VIRTUAL_ENV");
        let claims_this = claimed.as_ref().is_some_and(|root| environment.is_at(root));
        let first = facts.search_path.entries.first().and_then(|entry| entry.directory.as_ref());
        let on_path = first.is_some_and(|directory| {
            environment.script_directory.as_ref().is_some_and(|scripts| scripts.same_as(directory))
        });
        if claims_this && on_path {
            return ShellSteps { before: Vec::new(), after: Some(Action::Rehash) };
        }
        let mut before: Vec<Action> = claimed.filter(|_| !claims_this).map(taken_out).into_iter().collect();
        // made anew it has this system's layout
        let foreign = match environment.layout {
            Layout::Posix => is_windows(environment),
            Layout::Windows => facts.platform.flavour() == Flavour::Posix,
            Layout::Mixed | Layout::None => false,
        };
        before.push(if foreign || environment.activators.is_empty() {
            Action::activate_new(&environment.root)
        } else {
            Action::activate(environment)
        });
        ShellSteps { before, after: None }
    }
}

/// Takes the environment that is active out of the shell.
fn taken_out(root: HostPath) -> Action {
    let script_directory = scripts_of(&root);
    Action::Deactivate { root, script_directory }
}

/// Seen on Windows, whatever system it was made on.
fn is_windows(environment: &Environment) -> bool {
    environment.root.flavour() == Flavour::Windows
}

fn link(target: Word, at: &HostPath) -> Action {
    Action::run([Word::from("ln"), Word::from("-sfn"), target, Word::from(at)])
}

/// The version that the environment was made for: its packages' directory, else its `pyvenv.cfg`.
fn wanted_version(facts: &Facts, environment: &Environment) -> Option<Version> {
    let library = library_with_packages(facts, environment);
    library.and_then(|library| library.version).or_else(|| environment.config_version())
}

fn base_for<'a>(facts: &'a Facts, environment: &Environment) -> Option<&'a Installation> {
    let requires = facts.project.requires_python.as_ref().map(|declared| declared.text.as_str());
    best_installation(usable(facts, environment), wanted_version(facts, environment), requires)
}

/// What makes an environment where no project manager does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maker {
    Venv,
    Virtualenv,
    Uv,
}

impl Maker {
    fn label(self) -> &'static str {
        match self {
            Maker::Venv => "venv",
            Maker::Virtualenv => "virtualenv",
            Maker::Uv => "uv",
        }
    }
}

/// The program that made it, where it is on the search path; else the standard library's.
fn maker(facts: &Facts, environment: &Environment) -> Maker {
    match &environment.creator {
        Some(Creator::Uv { .. }) if has_uv(facts) => Maker::Uv,
        Some(Creator::Virtualenv { .. }) if facts.has_command("virtualenv") => Maker::Virtualenv,
        _ => Maker::Venv,
    }
}

fn make(facts: &Facts, maker: Maker, environment: &Environment, base: Option<&Installation>) -> Vec<Action> {
    let root = Word::from(&environment.root);
    let mut actions = Vec::new();
    let python = base.map(|base| Word::from(&base.interpreter));
    if python.is_none() && is_windows(environment) && maker != Maker::Uv {
        return make_with_launcher(facts, environment);
    }
    let or_any = |python: Option<Word>| python.unwrap_or_else(|| Word::from("python3"));
    let words: Vec<Word> = match maker {
        Maker::Uv => {
            let mut words: Vec<Word> = ["uv", "venv", "--clear"].map(Word::from).into();
            // `uv venv` leaves pip out otherwise
            words.extend(environment.has_pip().then(|| Word::from("--seed")));
            words.extend(python.into_iter().flat_map(|python| ["--python".into(), python]));
            words.push(root);
            words
        }
        Maker::Virtualenv => {
            vec!["virtualenv".into(), "--clear".into(), "--python".into(), or_any(python), root]
        }
        Maker::Venv => {
            actions.extend(base.filter(|base| !base.has_ensurepip).and_then(debian_package));
            vec![or_any(python), "-m".into(), "venv".into(), "--clear".into(), root]
        }
    };
    actions.push(Action::Run(words));
    actions
}

/// Windows without any Python: it is installed first. The launcher that comes with it needs no search path.
fn make_with_launcher(facts: &Facts, environment: &Environment) -> Vec<Action> {
    let minor = wanted_version(facts, environment).unwrap_or(Version::new(3, 13, None)).minor_text();
    let (package, chosen) = (format!("Python.Python.{minor}"), format!("-{minor}"));
    let install = ["winget", "install", "--exact", "--id"].map(Word::from);
    let venv = ["py", &chosen, "-m", "venv", "--clear"].map(Word::from);
    vec![
        Action::Run(install.into_iter().chain([Word::from(package)]).collect()),
        Action::Run(venv.into_iter().chain([Word::from(&environment.root)]).collect()),
    ]
}

fn install(maker: Maker, environment: &Environment, file: &HostPath) -> Action {
    install_at(maker, &environment.root, file)
}

fn install_at(maker: Maker, root: &HostPath, file: &HostPath) -> Action {
    let python = Word::from(scripts_of(root).join("python"));
    let file = Word::from(file);
    match maker {
        Maker::Uv => Action::Run(vec![
            "uv".into(),
            "pip".into(),
            "install".into(),
            "--python".into(),
            python,
            "-r".into(),
            file,
        ]),
        _ => Action::Run(vec![python, "-m".into(), "pip".into(), "install".into(), "-r".into(), file]),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::facts::environment::Installed;
    use crate::facts::example;

    pub fn words(remedy: &Remedy) -> Vec<String> {
        let run = |action: &Action| match action {
            Action::Run(words) => Some(
                words
                    .iter()
                    .map(|word| String::from_utf8_lossy(word.as_bytes()).into_owned())
                    .collect::<Vec<_>>()
                    .join(" "),
            ),
            Action::WriteLines { lines, .. } => Some(format!("{lines:?}")),
            _ => None,
        };
        remedy.actions.iter().filter_map(run).collect()
    }

    #[test]
    fn what_is_installed_is_written_down_before_anything_is_cleared() {
        let facts = example::healthy();
        let remedy = recreate(&facts, &facts.environments[0]);
        assert_eq!(
            words(&remedy),
            [
                r#"["six==1.16.0"]"#,
                "/usr/bin/python3.11 -m venv --clear /home/me/project/.venv",
                "/home/me/project/.venv/bin/python -m pip install -r /home/me/project/venv-packages.txt",
            ]
        );
    }

    #[test]
    fn another_minor_version_gets_only_what_was_asked_for() {
        let mut facts = example::healthy();
        facts.installations[0].version = Some(Version::new(3, 12, None));
        let environment = example::venv_of(&mut facts);
        environment.installed.push(Installed {
            name: "backport".into(),
            requested: false,
            ..environment.installed[1].clone()
        });
        let remedy = recreate(&facts, &facts.environments[0]);
        assert_eq!(words(&remedy)[0], r#"["six==1.16.0"]"#);
    }

    #[test]
    fn what_replaces_an_environment_of_windows_is_activated_in_this_systems_layout() {
        let mut facts = example::healthy();
        facts.shell.variables.retain(|(name, _)| name != "VIRTUAL_ENV");
        let environment = example::venv_of(&mut facts);
        environment.layout = Layout::Windows;
        environment.activators[0].path = environment.root.join("Scripts/activate");
        let remedy = recreate(&facts, &facts.environments[0]);
        let Some(Action::Activate { scripts, .. }) = remedy.actions.last() else { panic!("{remedy:?}") };
        assert_eq!(scripts[0].1.to_text(), "/home/me/project/.venv/bin/activate");
    }

    #[test]
    fn the_creators_own_setuptools_need_not_be_the_same() {
        let mut facts = example::healthy();
        let environment = example::venv_of(&mut facts);
        let six = environment.installed.iter().find(|known| known.name == "six").unwrap().clone();
        environment.installed.push(Installed {
            name: "setuptools".into(),
            version: "65.5.0".into(),
            requested: true,
            ..six
        });
        let remedy = recreate(&facts, &facts.environments[0]);
        assert_eq!(words(&remedy)[0], r#"["six==1.16.0", "setuptools"]"#);
    }
}
