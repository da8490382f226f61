//! Having entry scripts written anew: the installer of today knows how to name an interpreter that the
//! kernel cannot take from a `#!` line.

use super::{Action, Remedy, Word};
use crate::facts::Facts;
use crate::facts::distribution::{Distribution, MovedSource};
use crate::facts::environment::{Environment, Installed, Script};
use crate::parse::pyvenv_cfg::Creator;

/// Installs the distributions that own these scripts again, at the versions that are there. None when the
/// owner of one of them is not known or did not come from an index, or when nothing can install here.
pub fn reinstall_scripts(environment: &Environment, scripts: &[&Script]) -> Option<Remedy> {
    let mut owners: Vec<&Installed> = Vec::new();
    for script in scripts {
        let owner = environment.owner_of(script)?;
        if owner.editable.is_some() || owner.direct_url.is_some() || owner.version.is_empty() {
            return None;
        }
        if !owners.iter().any(|known| known.name == owner.name) {
            owners.push(owner);
        }
    }
    if owners.is_empty() {
        return None;
    }
    let installer =
        installer(environment, &["--force-reinstall", "--no-deps"], &["--reinstall", "--no-deps"])?;
    // pip by itself and last: where its old version cannot be had, the others are mended all the same
    let (pip, others): (Vec<&Installed>, Vec<&Installed>) =
        owners.iter().partition(|owner| owner.name.eq_ignore_ascii_case("pip"));
    let mut actions: Vec<Action> = [others, pip]
        .into_iter()
        .filter(|group| !group.is_empty())
        .map(|group| {
            let pinned = group.iter().map(|owner| Word::from(format!("{}=={}", owner.name, owner.version)));
            Action::Run(installer.iter().cloned().chain(pinned).collect())
        })
        .collect();
    actions.push(Action::Rehash);
    let names = owners.iter().map(|owner| owner.name.as_str()).collect::<Vec<_>>().join(", ");
    Some(Remedy::safe(format!("Have the scripts of {names} written anew, at the same versions"), actions))
}

/// Installs these distributions again, as they are. None when nothing can install here, or where the source of one
/// of them is not known.
pub fn reinstall(environment: &Environment, distributions: &[&Distribution]) -> Option<Remedy> {
    let mut words =
        installer(environment, &["--force-reinstall", "--no-deps"], &["--reinstall", "--no-deps"])?;
    for distribution in distributions {
        words.extend(distribution.requirement()?.into_iter().map(Word::from));
    }
    let names = distributions.iter().map(|distribution| distribution.label()).collect::<Vec<_>>().join(", ");
    Some(Remedy::safe(format!("Install {names} again"), vec![Action::Run(words)]))
}

/// Installs these requirements (`six==1.16.0`) again, whatever is there. None when nothing can install here.
pub fn pinned(environment: &Environment, requirements: Vec<String>) -> Option<Action> {
    let words = installer(environment, &["--force-reinstall", "--no-deps"], &["--reinstall", "--no-deps"])?;
    Some(Action::Run(words.into_iter().chain(requirements.into_iter().map(Word::from)).collect()))
}

/// The words of `pip install` (else `uv pip install`) for this environment, with the options of each.
pub fn installer(environment: &Environment, pip: &[&str], uv: &[&str]) -> Option<Vec<Word>> {
    let python = Word::from(environment.program("python"));
    let mut words = Vec::new();
    if environment.has_pip() {
        words.push(python);
        words.extend(["-m", "pip", "install"].map(Word::from));
        words.extend(pip.iter().copied().map(Word::from));
    } else if matches!(environment.creator, Some(Creator::Uv { .. })) {
        words.extend(["uv", "pip", "install", "--python"].map(Word::from));
        words.push(python);
        words.extend(uv.iter().copied().map(Word::from));
    } else {
        return None;
    }
    Some(words)
}

/// The words of `pip uninstall` (else `uv pip uninstall`) for this environment.
pub fn uninstaller(environment: &Environment) -> Option<Vec<Word>> {
    let python = Word::from(environment.program("python"));
    if environment.has_pip() {
        let mut words = vec![python];
        words.extend(["-m", "pip", "uninstall", "--yes"].map(Word::from));
        return Some(words);
    }
    matches!(environment.creator, Some(Creator::Uv { .. })).then(|| {
        let mut words: Vec<Word> = ["uv", "pip", "uninstall", "--python"].map(Word::from).into();
        words.push(python);
        words
    })
}

/// Where the lost source of an editable install certainly is now: it is this project, or the only one found.
pub fn new_place<'d>(facts: &Facts, distribution: &'d Distribution) -> Option<&'d MovedSource> {
    let is_project =
        |moved: &&MovedSource| facts.project.root.as_ref().is_some_and(|root| root.same_as(&moved.path));
    match distribution.moved_to.as_slice() {
        [only] => Some(only),
        several => several.iter().find(is_project),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{VENV, script, venv};

    #[test]
    fn names_owner_and_version() {
        let mut environment = venv(VENV);
        environment.scripts.push(script(&environment.root, "six", "six"));
        let scripts: Vec<&Script> = environment.scripts.iter().collect();
        let remedy = reinstall_scripts(&environment, &scripts).unwrap();
        let shown: Vec<String> = remedy.actions.iter().map(|action| format!("{action:?}")).collect();
        assert!(
            shown[0].ends_with(r#""install", "--force-reinstall", "--no-deps", "six==1.16.0"])"#),
            "{shown:?}"
        );
        assert!(shown[1].ends_with(r#""--no-deps", "pip==23.0.1"])"#), "{shown:?}");
    }

    #[test]
    fn does_not_guess_an_owner() {
        let mut environment = venv(VENV);
        let stranger = script(&environment.root, "tool", "tool_of_nobody.cli");
        assert!(reinstall_scripts(&environment, &[&stranger]).is_none());
        environment.installed[1].editable = Some("/home/me/six".into());
        let editable = script(&environment.root, "six", "six");
        assert!(reinstall_scripts(&environment, &[&editable]).is_none());
    }
}
