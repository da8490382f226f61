//! Installing into an environment with what is there to install with, and installing again: the installer of today
//! knows how to name an interpreter that the kernel cannot take from a `#!` line.

use super::{Action, Remedy, Word};
use crate::facts::Facts;
use crate::facts::distribution::Distribution;
use crate::facts::environment::{Environment, Installed, Script, scripts_of};
use crate::facts::interpreter::Installation;
use crate::parse::pyvenv_cfg::Creator;
use crate::path::HostPath;

/// Installs the distributions that own these scripts again, at the versions that are there. For scripts of unknown
/// owners, or of owners that did not come from an index, a note says how to run them. None when that is all of them,
/// or when nothing can install here.
pub fn reinstall_scripts(facts: &Facts, environment: &Environment, scripts: &[&Script]) -> Option<Remedy> {
    let mut owners: Vec<&Installed> = Vec::new();
    let mut rest: Vec<&Script> = Vec::new();
    for script in scripts {
        match owner(facts, environment, script) {
            Some(owner) if owners.iter().any(|known| known.name == owner.name) => {}
            Some(owner) => owners.push(owner),
            None => rest.push(script),
        }
    }
    if owners.is_empty() {
        return None;
    }
    let installer = again(facts, environment)?;
    // pip by itself and last: where its old version cannot be had, the others are mended all the same
    let (pip, others): (Vec<&Installed>, Vec<&Installed>) =
        owners.iter().partition(|owner| owner.name.eq_ignore_ascii_case("pip"));
    let mut actions = installer.first.clone();
    for group in [others, pip].into_iter().filter(|group| !group.is_empty()) {
        let pins = group.iter().map(|owner| Word::from(format!("{}=={}", owner.name, owner.version)));
        actions.push(installer.command(pins));
    }
    actions.push(Action::Rehash);
    for script in rest {
        let python = environment.program("python");
        actions.push(Action::Advice(format!(
            "{} is not written anew by this: run it as \"{python}\" \"{}\"",
            script.name, script.path
        )));
    }
    let names = owners.iter().map(|owner| owner.name.as_str()).collect::<Vec<_>>().join(", ");
    Some(Remedy::safe(format!("Have the scripts of {names} written anew, at the same versions"), actions))
}

/// The distribution whose metadata lists the script, else the one of the module that it imports; None when it did not
/// come from an index.
fn owner<'a>(facts: &Facts, environment: &'a Environment, script: &Script) -> Option<&'a Installed> {
    let packages = facts.packages(&environment.root);
    let mut distributions = packages.into_iter().flat_map(|packages| packages.own_distributions());
    let owner = match distributions.find(|distribution| distribution.scripts.contains(&script.name)) {
        Some(listing) if listing.is_editable() || listing.direct_url.is_some() => return None,
        Some(listing) => environment.distribution(&listing.name),
        None => environment.owner_of(script),
    };
    owner.filter(|owner| owner.editable.is_none() && owner.direct_url.is_none() && !owner.version.is_empty())
}

/// Installs these distributions again, as they are. None when nothing can install here, or where the source of one
/// of them is not known.
pub fn reinstall(
    facts: &Facts,
    environment: &Environment,
    distributions: &[&Distribution],
) -> Option<Remedy> {
    let mut words = Vec::new();
    for distribution in distributions {
        words.extend(distribution.requirement()?.into_iter().map(Word::from));
    }
    let names = distributions.iter().map(|distribution| distribution.label()).collect::<Vec<_>>().join(", ");
    Some(Remedy::safe(format!("Install {names} again"), again(facts, environment)?.actions(words)))
}

/// Installs these requirements (`six==1.16.0`) again, whatever is there. None when nothing can install here.
pub fn pinned(facts: &Facts, environment: &Environment, requirements: Vec<String>) -> Option<Vec<Action>> {
    Some(again(facts, environment)?.actions(requirements.into_iter().map(Word::from)))
}

/// Installs over what is there.
fn again(facts: &Facts, environment: &Environment) -> Option<Installer> {
    installer(facts, environment, &["--force-reinstall", "--no-deps"], &["--reinstall", "--no-deps"])
}

/// A command that installs into an environment or uninstalls from it, and what must be done before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installer {
    /// What brings pip, or makes the environment.
    pub first: Vec<Action>,
    words: Vec<Word>,
}

impl Installer {
    /// `pip install` of an environment that `base` makes at this root first.
    pub fn of_new(root: &HostPath, base: &HostPath) -> Installer {
        let venv = Action::run([base.into(), "-m".into(), "venv".into(), root.into()]);
        let python = Word::from(scripts_of(root).join("python"));
        let words = [python].into_iter().chain(["-m", "pip", "install"].map(Word::from)).collect();
        Installer { first: vec![venv], words }
    }

    /// The command alone, with these words at its end.
    pub fn command(&self, words: impl IntoIterator<Item = Word>) -> Action {
        Action::Run(self.words.iter().cloned().chain(words).collect())
    }

    /// All that is to be done.
    pub fn actions(self, words: impl IntoIterator<Item = Word>) -> Vec<Action> {
        let command = self.command(words);
        self.first.into_iter().chain([command]).collect()
    }
}

/// `pip install` of this environment, else `uv pip install`, with the options of each; pip is brought first where
/// neither is there. None when nothing can install here.
pub fn installer(facts: &Facts, environment: &Environment, pip: &[&str], uv: &[&str]) -> Option<Installer> {
    prepared(facts, environment, &[&["install"], pip].concat(), &["install"], uv)
}

/// `pip uninstall` of this environment, else `uv pip uninstall`, in the same way.
pub fn uninstaller(facts: &Facts, environment: &Environment) -> Option<Installer> {
    prepared(facts, environment, &["uninstall", "--yes"], &["uninstall"], &[])
}

fn prepared(
    facts: &Facts,
    environment: &Environment,
    pip: &[&str],
    uv: &[&str],
    uv_options: &[&str],
) -> Option<Installer> {
    let python = Word::from(environment.program("python"));
    let words = |words: &[&str]| words.iter().copied().map(Word::from).collect::<Vec<Word>>();
    let with_pip = |first: Vec<Action>| {
        let words = [vec![python.clone()], words(&["-m", "pip"]), words(pip)].concat();
        Some(Installer { first, words })
    };
    let with_uv = |first: Vec<Action>| {
        let words =
            [words(&["uv", "pip"]), words(uv), words(&["--python"]), vec![python.clone()], words(uv_options)];
        Some(Installer { first, words: words.concat() })
    };
    if environment.has_pip() {
        return with_pip(Vec::new());
    }
    let made_by_uv = matches!(environment.creator, Some(Creator::Uv { .. }));
    if !environment.is_venv() && !made_by_uv {
        return None;
    }
    if has_uv(facts) && (made_by_uv || uv_knows(environment)) {
        return with_uv(Vec::new());
    }
    let base = without_ensurepip(facts, environment);
    match base.map(debian_package) {
        Some(None) if made_by_uv => with_uv(vec![get_uv()]),
        Some(None) => None,
        _ => with_pip(bring_pip(facts, environment, false)),
    }
}

/// Whether uv is on the search path.
pub fn has_uv(facts: &Facts) -> bool {
    facts.has_command("uv")
}

/// uv's pip works for Python 3.8 and later.
fn uv_knows(environment: &Environment) -> bool {
    environment.python_version().is_none_or(|version| (version.major, version.minor) >= (3, 8))
}

/// Gives the environment a pip of its own: with `ensurepip`, which every installation has but Debian's without
/// `pythonX.Y-venv`; there with uv where that is on the search path, else after that package. With `uv` uv is asked
/// in any case.
pub fn bring_pip(facts: &Facts, environment: &Environment, uv: bool) -> Vec<Action> {
    let python = Word::from(environment.program("python"));
    let by_uv = ["uv", "pip", "install", "--python"].map(Word::from).into_iter();
    let by_uv = Action::Run(by_uv.chain([python.clone(), "pip".into()]).collect());
    let ensure = Action::run([python, "-m".into(), "ensurepip".into(), "--default-pip".into()]);
    match without_ensurepip(facts, environment) {
        _ if uv => vec![by_uv],
        None => vec![ensure],
        Some(_) if has_uv(facts) => vec![by_uv],
        Some(base) => match debian_package(base) {
            Some(package) => vec![package, ensure],
            None => vec![get_uv(), by_uv],
        },
    }
}

/// What the environment was made from, where that has no `ensurepip`.
fn without_ensurepip<'a>(facts: &'a Facts, environment: &Environment) -> Option<&'a Installation> {
    let base = environment.home.as_ref().and_then(|home| home.interpreter.as_ref())?;
    let mut lacking = facts.installations.iter().filter(|installation| !installation.has_ensurepip);
    lacking.find(|installation| base.same_as(&installation.interpreter))
}

fn get_uv() -> Action {
    Action::Advice("this takes uv: https://docs.astral.sh/uv/".to_owned())
}

/// Installs Debian's package that has `ensurepip` for this Python; None for another's Python.
pub fn debian_package(base: &Installation) -> Option<Action> {
    let directory = base.interpreter.parent()?;
    let version = base.version.filter(|_| directory.to_text() == "/usr/bin")?;
    let package = Word::from(format!("python{}-venv", version.minor_text()));
    Some(Action::run(["sudo".into(), "apt".into(), "install".into(), package]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{VENV, command, distribution, healthy, script, venv_of, with_packages};
    use crate::path::Flavour;

    fn shown(actions: &[Action]) -> Vec<String> {
        actions
            .iter()
            .map(|action| match action {
                Action::Run(words) => {
                    let words = words.iter().map(|word| String::from_utf8_lossy(word.as_bytes()));
                    words.collect::<Vec<_>>().join(" ").replace(VENV, "")
                }
                other => format!("{other:?}"),
            })
            .collect()
    }

    fn scripts_again(facts: &Facts) -> Option<Remedy> {
        let environment = facts.patient().unwrap();
        let scripts: Vec<&Script> = environment.scripts.iter().collect();
        reinstall_scripts(facts, environment, &scripts)
    }

    #[test]
    fn names_owner_and_version() {
        let mut facts = healthy();
        let venv = venv_of(&mut facts);
        venv.scripts.push(script(&venv.root, "six", "six"));
        let shown = shown(&scripts_again(&facts).unwrap().actions);
        assert_eq!(shown[0], "/bin/python -m pip install --force-reinstall --no-deps six==1.16.0");
        assert!(shown[1].ends_with("--no-deps pip==23.0.1"), "{shown:?}");
    }

    #[test]
    fn does_not_guess_an_owner() {
        let mut facts = healthy();
        let venv = venv_of(&mut facts);
        venv.scripts = vec![script(&venv.root, "tool", "tool_of_nobody.cli")];
        assert_eq!(scripts_again(&facts), None);
        let venv = venv_of(&mut facts);
        venv.scripts = vec![script(&venv.root, "six", "six")];
        venv.installed[1].editable = Some("/home/me/six".into());
        assert_eq!(scripts_again(&facts), None);
    }

    #[test]
    fn keeps_the_known_ones_and_tells_of_the_rest() {
        let mut facts = healthy();
        let venv = venv_of(&mut facts);
        venv.scripts = ["tool_of_nobody", "six"].map(|name| script(&venv.root, name, name)).into();
        let shown = shown(&scripts_again(&facts).unwrap().actions);
        assert_eq!(shown.len(), 3, "{shown:?}");
        assert!(shown[0].ends_with(" six==1.16.0"), "{shown:?}");
        assert!(shown[2].contains("tool_of_nobody is not written anew by this: run it as"), "{shown:?}");
    }

    #[test]
    fn takes_the_owner_from_what_lists_the_script() {
        let mut facts = with_packages();
        let mut six = distribution("six", "1.16.0");
        six.scripts.push("sixtool".into());
        facts.packages[0].sites[0].distributions[1] = six;
        let venv = venv_of(&mut facts);
        let mut unread = script(&venv.root, "sixtool", "");
        unread.module = None;
        venv.scripts = vec![unread];
        assert!(shown(&scripts_again(&facts).unwrap().actions)[0].ends_with(" six==1.16.0"));
        facts.packages[0].sites[0].distributions[1].direct_url = Some("file:///six".into());
        assert_eq!(scripts_again(&facts), None);
    }

    #[test]
    fn installs_with_what_is_there() {
        let mut facts = healthy();
        let install = |facts: &Facts| {
            let installer = installer(facts, facts.patient().unwrap(), &[], &[]);
            installer.map(|installer| shown(&installer.actions(["six".into()])))
        };
        let venv = venv_of(&mut facts);
        venv.libraries[0].has_pip = false;
        let ensured = ["/bin/python -m ensurepip --default-pip", "/bin/python -m pip install six"];
        assert_eq!(install(&facts).unwrap(), ensured);
        venv_of(&mut facts).creator = Some(Creator::Uv { version: "0.8.0".into() });
        assert_eq!(install(&facts).unwrap(), ensured);
        let uv = command(&facts, "uv");
        facts.commands.push(uv);
        assert_eq!(install(&facts).unwrap(), ["uv pip install --python /bin/python six"]);
        venv_of(&mut facts).creator = Some(Creator::Venv);
        assert_eq!(install(&facts).unwrap(), ["uv pip install --python /bin/python six"]);
    }

    #[test]
    fn a_new_environment_has_this_systems_layout() {
        let windows = |text| HostPath::new(Flavour::Windows, text).unwrap();
        let installer = Installer::of_new(&windows(r"C:\p\.venv"), &windows(r"C:\Py\python.exe"));
        assert_eq!(
            shown(&installer.actions(["six".into()])),
            [r"C:\Py\python.exe -m venv C:\p\.venv", r"C:\p\.venv\Scripts\python -m pip install six"]
        );
    }

    #[test]
    fn brings_debians_package_first() {
        let mut facts = healthy();
        venv_of(&mut facts).libraries[0].has_pip = false;
        facts.installations[0].has_ensurepip = false;
        let base = facts.patient().unwrap().home.as_ref().unwrap().interpreter.clone().unwrap();
        facts.installations[0].interpreter = base;
        let installer = installer(&facts, facts.patient().unwrap(), &[], &[]).unwrap();
        assert_eq!(shown(&installer.first)[0], "sudo apt install python3.11-venv");
        facts.installations[0].version = None;
        assert_eq!(super::installer(&facts, facts.patient().unwrap(), &[], &[]), None);
    }
}
