//! Pointing an environment at another Python of this machine, and which of them are fit for that.

use super::{back_in_the_shell, is_windows, link};
use crate::diagnosis::{Action, Remedy, Word};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind, HomeState, Layout};
use crate::facts::installation::best_installation;
use crate::facts::interpreter::{Installation, Interpreter, LinkEnd, Probe};
use crate::path::HostPath;

/// Points the environment's interpreter at another installation of the same minor version: nothing is
/// installed anew, nothing is lost. None when this machine has none, when the interpreter is no link, or when several
/// versions have packages in the environment, so that a link to one would hide those of the others.
pub fn relink(facts: &Facts, environment: &Environment) -> Option<Remedy> {
    if environment.kind != EnvironmentKind::Venv
        || environment.layout != Layout::Posix
        || is_windows(environment)
    {
        return None;
    }
    let mut libraries = environment.libraries.iter().filter(|library| library.site_packages_exists);
    let (Some(library), None) = (libraries.next(), libraries.next()) else { return None };
    let version = library.version.filter(|_| library.implementation == "cpython")?;
    // where `home` is at fault, the link may be right as it is
    let home_is_good = environment.home.as_ref().is_none_or(|home| home.state == HomeState::Good);
    let others: Vec<&Installation> = facts
        .installations_of(version)
        .filter(|installation| {
            installation.implementation.as_deref().is_none_or(|name| name == "cpython")
                && !environment.contains(&installation.interpreter)
                && !(home_is_good && leads_to(facts, environment, installation))
        })
        .collect();
    let own = of_home(environment, &others);
    let installation = own.or_else(|| best_installation(others, Some(version), None))?;
    let main = environment.program("python");
    let mut actions: Vec<Action> = moved_aside(environment, &main).into_iter().collect();
    actions.push(link(Word::from(&installation.interpreter), &main));
    // every name that was there; all that its makers give it where none is left
    for name in ["python3".to_owned(), format!("python{}", version.minor_text())] {
        let other = environment.program(&name);
        if environment.interpreters.is_empty() || environment.interpreters.contains(&other) {
            actions.push(link(Word::from("python"), &other));
        }
    }
    if let (Some(config), Some(path), Some(directory)) =
        (environment.venv_config(), &environment.config_path, installation.interpreter.parent())
    {
        let line = config.lines.iter().find(|line| line.key.as_deref() == Some("home"))?;
        let new = format!("home = {directory}");
        if line.text.trim() != new {
            actions.push(Action::Rewrite {
                files: vec![path.clone()],
                from: Word::from(line.text.trim_end()),
                to: Word::from(new),
            });
        }
    }
    actions.extend(back_in_the_shell(facts, environment));
    Some(Remedy::safe(
        format!("Point the environment at {}, the same minor version", installation.interpreter),
        actions,
    ))
}

/// The Python that it was made from, or what came in the place of that.
fn of_home<'f>(environment: &Environment, installations: &[&'f Installation]) -> Option<&'f Installation> {
    let home = environment.home.as_ref()?;
    let mut places = std::iter::once(&home.path).chain(&home.moved_to);
    places.find_map(|place| {
        let is_there =
            |found: &&&Installation| found.interpreter.parent().is_some_and(|it| it.same_as(place));
        installations.iter().find(is_there).copied()
    })
}

/// Renames a directory that lies where a link belongs: `ln` would make the link inside of it.
pub fn moved_aside(environment: &Environment, at: &HostPath) -> Option<Action> {
    let mut aside = at.as_bytes().to_vec();
    aside.extend_from_slice(b".directory");
    environment.misplaced.contains(at).then(|| Action::run(["mv".into(), at.into(), Word(aside)]))
}

/// The installations that an environment can be made from: all but the one that it leads to already, where that is
/// what is broken.
pub fn usable<'f>(facts: &'f Facts, environment: &Environment) -> Vec<&'f Installation> {
    let broken = facts.interpreter_of(environment).is_some_and(|found| is_broken(facts, environment, found));
    facts
        .installations
        .iter()
        .filter(|installation| !(broken && leads_to(facts, environment, installation)))
        .collect()
}

/// Whether this installation is what the environment's interpreter is a link to.
fn leads_to(facts: &Facts, environment: &Environment, installation: &Installation) -> bool {
    let end = facts.interpreter_of(environment).and_then(|interpreter| interpreter.links.last());
    end.is_some_and(|end| end.same_as(&installation.interpreter))
        || installation.linked_from.iter().any(|root| environment.is_at(root))
}

/// Whether the file at the end of the links is at fault itself: not `home`, a variable, or what is installed.
fn is_broken(facts: &Facts, environment: &Environment, interpreter: &Interpreter) -> bool {
    if interpreter.links.end != LinkEnd::File {
        return false;
    }
    let misled = facts.shell.set("PYTHONHOME").is_some()
        || environment.home.as_ref().is_some_and(|home| home.state != HomeState::Good);
    let refused =
        matches!(&interpreter.probe, Probe::Failed { ending, .. } if ending.starts_with("not started"));
    !interpreter.can_start()
        || refused
        || interpreter.libpython.iter().any(|library| library.found.is_none())
        || (!misled && interpreter.probe.lacks_standard_library())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::recreate::recreate;
    use crate::diagnosis::recreate::tests::words;
    use crate::facts::example::{self, path};
    use crate::facts::interpreter::Version;

    /// The environment leads to `/usr/bin/python3.11`, and there is another 3.11.
    fn with_another() -> Facts {
        let mut facts = example::healthy();
        let mut other = facts.installations[0].clone();
        other.interpreter = path("/opt/py/bin/python3.11");
        other.linked_from = Vec::new();
        facts.installations.push(other);
        facts
    }

    #[test]
    fn relinking_needs_another_of_the_same_minor_version() {
        let mut facts = with_another();
        let remedy = relink(&facts, &facts.environments[0]).unwrap();
        assert_eq!(words(&remedy)[0], "ln -sfn /opt/py/bin/python3.11 /home/me/project/.venv/bin/python");
        facts.installations[1].version = Some(Version::new(3, 12, None));
        assert_eq!(relink(&facts, &facts.environments[0]), None);
    }

    #[test]
    fn the_python_that_it_was_made_from_is_preferred_or_what_came_in_its_place() {
        let mut facts = with_another();
        for number in [7, 9] {
            let mut keg = facts.installations[0].clone();
            keg.interpreter = path(&format!("/opt/kegs/3.11.{number}/bin/python3.11"));
            keg.linked_from = Vec::new();
            facts.installations.push(keg);
        }
        let linked = |facts: &Facts| words(&relink(facts, &facts.environments[0]).unwrap())[0].clone();
        example::venv_of(&mut facts).home.as_mut().unwrap().path = path("/opt/kegs/3.11.7/bin");
        assert!(linked(&facts).starts_with("ln -sfn /opt/kegs/3.11.7/bin/python3.11 "));
        let home = example::venv_of(&mut facts).home.as_mut().unwrap();
        (home.path, home.state) = (path("/opt/kegs/3.11.5/bin"), HomeState::Missing);
        home.moved_to = vec![path("/opt/kegs/3.11.9/bin")];
        assert!(linked(&facts).starts_with("ln -sfn /opt/kegs/3.11.9/bin/python3.11 "));
    }

    #[test]
    fn the_same_link_again_is_offered_where_home_is_wrong() {
        let mut facts = example::healthy();
        assert_eq!(relink(&facts, &facts.environments[0]), None);
        example::venv_of(&mut facts).home.as_mut().unwrap().state = HomeState::Missing;
        let remedy = relink(&facts, &facts.environments[0]).unwrap();
        assert_eq!(words(&remedy)[0], "ln -sfn /usr/bin/python3.11 /home/me/project/.venv/bin/python");
    }

    #[test]
    fn one_link_cannot_serve_two_versions() {
        let mut facts = with_another();
        let venv = example::venv_of(&mut facts);
        let mut library = venv.libraries[0].clone();
        library.version = Some(Version::new(3, 12, None));
        library.site_packages = venv.root.join("lib/python3.12/site-packages");
        venv.libraries.push(library);
        assert_eq!(relink(&facts, &facts.environments[0]), None);
    }

    #[test]
    fn every_name_is_made_where_none_is_left() {
        let mut facts = example::healthy();
        facts.installations[0].linked_from = Vec::new();
        let venv = example::venv_of(&mut facts);
        venv.interpreters.clear();
        let remedy = relink(&facts, &facts.environments[0]).unwrap();
        assert_eq!(
            words(&remedy),
            [
                "ln -sfn /usr/bin/python3.11 /home/me/project/.venv/bin/python",
                "ln -sfn python /home/me/project/.venv/bin/python3",
                "ln -sfn python /home/me/project/.venv/bin/python3.11",
            ]
        );
    }

    #[test]
    fn nothing_is_made_from_a_python_that_does_not_start() {
        let mut facts = with_another();
        example::interpreters_of(&mut facts).for_each(|interpreter| {
            interpreter.probe = Probe::Failed {
                ending: "exit status 1".to_owned(),
                stderr: "ModuleNotFoundError: No module named 'encodings'".to_owned(),
            };
        });
        let remedy = recreate(&facts, &facts.environments[0]);
        assert_eq!(words(&remedy)[1], "/opt/py/bin/python3.11 -m venv --clear /home/me/project/.venv");
        // a variable that leads astray is no fault of the Python's
        example::set_variable(&mut facts, "PYTHONHOME", "/nowhere");
        let remedy = recreate(&facts, &facts.environments[0]);
        assert_eq!(words(&remedy)[1], "/usr/bin/python3.11 -m venv --clear /home/me/project/.venv");
    }
}
