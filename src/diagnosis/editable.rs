//! Editable installs whose source is gone, installed again from where it is now.

use super::install::synchronize;
use super::reinstall::{Installer, installer};
use super::{Action, Word};
use crate::facts::Facts;
use crate::facts::distribution::{Distribution, EditableSource, MovedSource, Packages};
use crate::facts::environment::Environment;
use crate::parse::names::normalize_name;

/// The source directories that are gone, where nothing makes up for them.
pub fn lost_sources<'d>(packages: &Packages, distribution: &'d Distribution) -> Vec<&'d EditableSource> {
    let gone: Vec<&EditableSource> = distribution.sources.iter().filter(|source| !source.exists).collect();
    if provided_otherwise(packages, distribution) { Vec::new() } else { gone }
}

/// What installs the lost ones of the environment under examination again whose new place is certain: their names,
/// and the commands.
pub fn installed_again<'f>(facts: &'f Facts, environment: &Environment) -> (Vec<&'f str>, Vec<Action>) {
    let patient = facts.patient_packages().filter(|(patient, _)| environment.is_at(&patient.root));
    let Some((_, packages)) = patient else { return Default::default() };
    let lost = packages.own_distributions().filter(|distribution| {
        let gone = lost_sources(packages, distribution).len();
        gone > 0 && gone == distribution.sources.len()
    });
    let again = lost.filter_map(|distribution| {
        let moved = new_place(facts, distribution)?;
        // a manager's environment mostly has no pip, and needs none
        let actions = match synchronize(facts, environment).filter(|_| !environment.has_pip()) {
            Some(remedy) => remedy.actions,
            None => source_installer(facts, environment, packages, moved)?.actions(from_source(moved)),
        };
        Some((distribution.name.as_str(), actions))
    });
    let (names, actions): (Vec<_>, Vec<_>) = again.unzip();
    (names, actions.concat())
}

pub fn from_source(moved: &MovedSource) -> [Word; 2] {
    ["-e".into(), (&moved.path).into()]
}

/// Another install of the same modules makes up for the lost one.
fn provided_otherwise(packages: &Packages, distribution: &Distribution) -> bool {
    !distribution.modules.is_empty()
        && distribution.modules.iter().all(|name| {
            packages
                .sites
                .iter()
                .any(|site| site.modules.iter().any(|module| module.name == *name && !module.barren))
                || packages.added_modules.contains(name)
        })
}

/// Without network where that is possible: what builds it is installed already.
pub fn source_installer(
    facts: &Facts,
    environment: &Environment,
    packages: &Packages,
    moved: &MovedSource,
) -> Option<Installer> {
    let here = |name: &str| packages.distribution(&normalize_name(name)).is_some();
    // setuptools builds wheels by itself since version 70.1
    let wheel = !moved.build_requires.iter().any(|name| name == "setuptools")
        || here("wheel")
        || packages
            .distribution("setuptools")
            .and_then(|setuptools| setuptools.version.as_ref()?.split('.').next()?.parse::<u32>().ok())
            .is_some_and(|major| major > 70);
    if wheel && moved.build_requires.iter().all(|name| here(name)) {
        let options = ["--no-deps", "--no-build-isolation"];
        return installer(facts, environment, &options, &options);
    }
    installer(facts, environment, &["--no-deps"], &["--no-deps"])
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
