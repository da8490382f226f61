//! Having entry scripts written anew: the installer of today knows how to name an interpreter that the
//! kernel cannot take from a `#!` line.

use super::{Action, Remedy, Word};
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
    let python = Word::from(environment.program("python"));
    let words: Vec<Word> = if environment.has_pip() {
        let mut words = vec![python];
        words.extend(["-m", "pip", "install", "--force-reinstall", "--no-deps"].map(Word::from));
        words
    } else if matches!(environment.creator, Some(Creator::Uv { .. })) {
        let mut words: Vec<Word> = ["uv", "pip", "install", "--python"].map(Word::from).to_vec();
        words.push(python);
        words.extend(["--reinstall", "--no-deps"].map(Word::from));
        words
    } else {
        return None;
    };
    let names = owners.iter().map(|owner| owner.name.as_str()).collect::<Vec<_>>().join(", ");
    // the installer comes last and by itself: the release that came with Python need not be on any index
    let (installers, others): (Vec<&Installed>, Vec<&Installed>) =
        owners.into_iter().partition(|owner| owner.name == "pip");
    let mut actions = Vec::new();
    if !others.is_empty() {
        let pinned = others.iter().map(|owner| Word::from(format!("{}=={}", owner.name, owner.version)));
        actions.push(Action::Run(words.iter().cloned().chain(pinned).collect()));
    }
    if !installers.is_empty() {
        actions.push(Action::Run(words.into_iter().chain([Word::from("pip")]).collect()));
    }
    actions.push(Action::Rehash);
    Some(Remedy::safe(format!("Have the scripts of {names} written anew"), actions))
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
        let run: Vec<String> = remedy.actions.iter().map(|action| format!("{action:?}")).collect();
        let pip = r#""/home/me/project/.venv/bin/python", "-m", "pip", "install", "--force-reinstall", "--no-deps""#;
        assert_eq!(run, [format!(r#"Run([{pip}, "six==1.16.0"])"#), format!(r#"Run([{pip}, "pip"])"#), "Rehash".into()]);
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
