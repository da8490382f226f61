//! Requirements (PEP 508) against one environment: whether a marker holds there, and whether a version fits.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Mutex;

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};
use pep508_rs::{
    MarkerEnvironment, MarkerEnvironmentBuilder, MarkerTree, Requirement, VerbatimUrl, VersionOrUrl,
};

use crate::facts::Facts;
use crate::facts::distribution::{Distribution, Packages};
use crate::facts::environment::Environment;
use crate::facts::interpreter;
use crate::facts::platform::System;
use crate::facts::requirement::{DeclaredRequirement, Purpose, Source};
use crate::imports::known_modules;
use crate::parallel::lock;
use crate::parse::names::normalize_name;

/// The interpreter and machine that markers are evaluated for.
#[derive(Debug)]
pub struct Target {
    /// The lowest and the highest that the interpreter may be: they differ where its patch release is not known.
    versions: [Version; 2],
    markers: [MarkerEnvironment; 2],
    /// Whether a marker holds, as it is written: many distributions write the same ones. None: it cannot be read.
    known: Mutex<HashMap<String, Option<bool>>>,
}

/// A requirement that applies to an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applying {
    /// As it is written.
    pub name: String,
    /// Empty for any version, and for a URL.
    pub specifiers: VersionSpecifiers,
}

impl Target {
    /// None when the version of the environment's Python is not known.
    pub fn of(facts: &Facts, environment: &Environment) -> Option<Target> {
        let interpreter = facts.interpreter_of(environment);
        let known = interpreter.and_then(|interpreter| interpreter.known_version());
        let configured = environment.config_version();
        let version = known.or_else(|| environment.python_version())?;
        let patch = version.patch.or_else(|| {
            configured.filter(|configured| configured.same_minor(version)).and_then(|found| found.patch)
        });
        let implementation = interpreter
            .and_then(|interpreter| interpreter.probe.report())
            .map(|report| report.implementation.to_ascii_lowercase())
            .or_else(|| environment.libraries.first().map(|library| library.implementation.clone()))
            .unwrap_or_else(|| "cpython".to_owned());
        let (low, high) = (patch.unwrap_or(0), patch.unwrap_or(99));
        let low = markers(facts, version, low, &implementation)?;
        let high = markers(facts, version, high, &implementation)?;
        Some(Target { versions: [low.0, high.0], markers: [low.1, high.1], known: Mutex::default() })
    }

    /// The requirement, where its marker holds without any extra, as `pip check` asks. None for what does not apply
    /// or cannot be understood.
    pub fn applying(&self, text: &str) -> Option<Applying> {
        if let Some(plain) = plain(text) {
            return Some(plain);
        }
        let marker = text.split_once(';').map(|(_, marker)| marker);
        if marker.is_some_and(|marker| is_for_an_extra(marker) || marker.contains("platform_version")) {
            return None;
        }
        if let Some((requirement, marker)) = text.split_once(';')
            && let Some(plain) = plain(requirement)
        {
            return self.holds(marker)?.then_some(plain);
        }
        let requirement = parsed(text)?;
        if !self.markers.iter().all(|environment| requirement.evaluate_markers(environment, &[])) {
            return None;
        }
        let specifiers = match requirement.version_or_url {
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => specifiers,
            Some(VersionOrUrl::Url(_)) | None => VersionSpecifiers::empty(),
        };
        let name = text.trim().split(|letter: char| !is_name(letter)).next().unwrap_or(text);
        Some(Applying { name: name.to_owned(), specifiers })
    }

    /// Whether a marker holds without any extra. None where it cannot be read.
    fn holds(&self, marker: &str) -> Option<bool> {
        if let Some(known) = lock(&self.known).get(marker) {
            return *known;
        }
        let holds = (!is_too_deep(marker)).then(|| MarkerTree::from_str(marker).ok()).flatten();
        let holds =
            holds.map(|marker| self.markers.iter().all(|environment| marker.evaluate(environment, &[])));
        lock(&self.known).insert(marker.to_owned(), holds);
        holds
    }

    /// The parts of a `Requires-Python` that exclude this interpreter. None: it fits, or cannot be understood.
    pub fn excluded_by(&self, requires_python: &str) -> Option<VersionSpecifiers> {
        let specifiers = VersionSpecifiers::from_str(requires_python).ok()?;
        if self.versions.iter().any(|version| specifiers.contains(version)) {
            return None;
        }
        let against = |specifier: &&pep440_rs::VersionSpecifier| {
            self.versions.iter().all(|version| !specifier.contains(version))
        };
        let excluding: VersionSpecifiers = specifiers.iter().filter(against).cloned().collect();
        (!excluding.is_empty()).then_some(excluding)
    }
}

/// A name and versions without extras, a marker or an address, as most are: read without the parser of the whole
/// syntax.
fn plain(text: &str) -> Option<Applying> {
    let text = text.trim();
    let (name, versions) = text.split_at(text.find(|letter: char| !is_name(letter)).unwrap_or(text.len()));
    let bounds = [name.bytes().next()?, name.bytes().next_back()?];
    let versions = versions.trim_start();
    let is_more = |byte: u8| !byte.is_ascii() || matches!(byte, b';' | b'[' | b'(' | b')' | b'@' | b'#');
    if !bounds.iter().all(u8::is_ascii_alphanumeric) || versions.bytes().any(is_more) {
        return None;
    }
    let specifiers = match versions {
        "" => VersionSpecifiers::empty(),
        _ => VersionSpecifiers::from_str(versions).ok()?,
    };
    Some(Applying { name: name.to_owned(), specifiers })
}

/// A marker that cannot hold without an extra; looked at before the costlier reading.
fn is_for_an_extra(marker: &str) -> bool {
    is_only_an_extra(marker) || needs_an_extra(marker)
}

/// `extra == 'x'` and no more, as nearly all are.
fn is_only_an_extra(marker: &str) -> bool {
    let value = marker.trim().strip_prefix("extra").and_then(|rest| rest.trim_start().strip_prefix("=="));
    let value = value.map(|value| value.trim_start().as_bytes());
    let Some([quote @ (b'\'' | b'"'), rest @ ..]) = value else { return false };
    memchr::memchr(*quote, rest).is_some_and(|at| at + 1 == rest.len())
}

fn needs_an_extra(marker: &str) -> bool {
    marker.contains("extra")
        && marker.contains("==")
        && !marker.contains("!=")
        && !marker.contains(" or ")
        && marker.split(" and ").any(|part| {
            let part =
                part.trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '(' | ')'));
            part.strip_prefix("extra").is_some_and(|rest| rest.trim_start().starts_with("=="))
        })
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.')
}

/// Whether an installed version is among those that are asked for; pre-releases count, as for `pip check`.
/// None: the version is none by PEP 440.
pub fn fits(specifiers: &VersionSpecifiers, version: &str) -> Option<bool> {
    let version = Version::from_str(version).ok()?;
    let fits = |specifier: &VersionSpecifier| match specifier.operator() {
        // PEP 440 compares the texts: 1.0.0 is not 1.0
        Operator::ExactEqual => specifier.version().to_string() == version.to_string(),
        _ => specifier.contains(&version),
    };
    Some(specifiers.iter().all(fits))
}

/// `sys_platform`, `platform_system` and the rest as the interpreter of this machine has them.
fn markers(
    facts: &Facts,
    version: interpreter::Version,
    patch: u32,
    implementation: &str,
) -> Option<(Version, MarkerEnvironment)> {
    let full = format!("{}.{}.{patch}", version.major, version.minor);
    let minor = format!("{}.{}", version.major, version.minor);
    let (os_name, sys_platform, platform_system) = match facts.platform.system {
        System::Windows => ("nt", "win32", "Windows"),
        System::MacOs => ("posix", "darwin", "Darwin"),
        System::Linux => ("posix", "linux", "Linux"),
        System::Other => return None,
    };
    let machine = match (facts.platform.system, facts.platform.architecture.as_str()) {
        (System::Windows, "x86_64") => "AMD64",
        (System::Windows, "aarch64") => "ARM64",
        (System::MacOs, "aarch64") => "arm64",
        (_, architecture) => architecture,
    };
    let platform_python = match implementation {
        "cpython" => "CPython",
        "pypy" => "PyPy",
        other => other,
    };
    let environment = MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: implementation,
        implementation_version: &full,
        os_name,
        platform_machine: machine,
        platform_python_implementation: platform_python,
        platform_release: facts.platform.release.as_deref().unwrap_or_default(),
        platform_system,
        platform_version: "",
        python_full_version: &full,
        python_version: &minor,
        sys_platform,
    })
    .ok()?;
    Some((Version::from_str(&full).ok()?, environment))
}

fn parsed(text: &str) -> Option<Requirement<VerbatimUrl>> {
    if is_too_deep(text) { None } else { Requirement::from_str(text).ok() }
}

/// The parser calls itself for every parenthesis of a marker, so what is written to be deep is not given to it.
fn is_too_deep(text: &str) -> bool {
    const LENGTH_LIMIT: usize = 16 << 10;
    const DEPTH_LIMIT: usize = 64;
    text.len() > LENGTH_LIMIT || text.bytes().filter(|byte| *byte == b'(').count() > DEPTH_LIMIT
}

/// What the project needs in order to run, as far as it applies to the environment, with what is installed of it.
pub fn required<'f>(
    facts: &'f Facts,
    environment: &Environment,
    packages: &'f Packages,
) -> Vec<(&'f DeclaredRequirement, Applying, Option<&'f Distribution>)> {
    let Some(target) = Target::of(facts, environment) else { return Vec::new() };
    let own = facts.project.name.as_deref().map(normalize_name);
    let wanted =
        facts.project.requirements.iter().filter(|requirement| {
            requirement.purpose == Purpose::Run && own.as_ref() != Some(&requirement.name)
        });
    wanted
        .filter_map(|requirement| {
            let text = match &requirement.marker {
                Some(marker) => format!("{}{}; {marker}", requirement.name, requirement.specifier),
                None => format!("{}{}", requirement.name, requirement.specifier),
            };
            let applying = target.applying(&text)?;
            Some((requirement, applying, packages.distribution(&requirement.name)))
        })
        .collect()
}

/// Required distributions that are not there, each once. One whose modules come from elsewhere (conda's and Debian's
/// packages have names of their own, and some distributions come in variants) is not missed.
pub fn missing<'f>(
    facts: &'f Facts,
    environment: &Environment,
    packages: &'f Packages,
) -> Vec<&'f DeclaredRequirement> {
    let provided = |name: &str| {
        packages.provides_module(&name.replace('-', "_"))
            || known_modules::modules_of(name).any(|module| packages.provides_module(module))
    };
    // the name in a URL need not be that of the distribution: an import shows that it is
    let imported =
        |name: &str| facts.project.imports.iter().any(|import| normalize_name(&import.name) == name);
    let mut missing: Vec<&DeclaredRequirement> = Vec::new();
    for (requirement, _, installed) in required(facts, environment, packages) {
        let known = missing.iter().any(|known| known.name == requirement.name);
        if matches!(requirement.source, Some(Source::Egg(_))) && !imported(&requirement.name) {
            continue;
        }
        if installed.is_none() && !known && !provided(&requirement.name) {
            missing.push(requirement);
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example;

    fn target() -> Target {
        let facts = example::healthy();
        let environment = facts.environment(&example::path(example::VENV)).unwrap();
        Target::of(&facts, environment).unwrap()
    }

    fn applies(text: &str) -> bool {
        target().applying(text).is_some()
    }

    #[test]
    fn markers_hold_for_the_environments_python() {
        assert!(applies("six"));
        assert!(applies("six (>=1.9) ; python_version >= '3.8' and sys_platform == 'linux'"));
        assert!(applies("tomli; python_full_version <= '3.11.2'"));
        assert!(!applies("tomli>=1; python_version < '3.11'"));
        assert!(!applies("colorama; os_name == 'nt'"));
        assert!(!applies("pytest ; extra == 'dev'"));
        assert!(!applies("pytest ; (python_version > '3') and extra == \"dev\""));
        assert!(applies("x ; extra == 'dev' or python_version > '3'"));
        assert!(!applies("nonsense >>> 1"));
        assert_eq!(target().applying("Foo.Bar[x] >= 2").map(|found| found.name).as_deref(), Some("Foo.Bar"));
    }

    #[test]
    fn a_plain_requirement_is_read_as_by_the_parser_of_all() {
        let texts = [
            "six",
            " six ",
            "a>=1,<2",
            "a ==1.*",
            "a~= 1.4.2",
            "a !=1.0 , >0.9",
            "A.b-c_d===1.0+local",
            "a>=1.0rc1",
            "a<=2!1.0",
        ];
        for text in texts {
            let plain = plain(text).unwrap_or_else(|| panic!("{text}"));
            let whole = parsed(text).unwrap_or_else(|| panic!("{text}"));
            let specifiers = match whole.version_or_url {
                Some(VersionOrUrl::VersionSpecifier(specifiers)) => specifiers,
                Some(VersionOrUrl::Url(_)) => panic!("{text}"),
                None => VersionSpecifiers::empty(),
            };
            assert_eq!(plain.specifiers.to_string(), specifiers.to_string(), "{text}");
            assert_eq!(normalize_name(&plain.name), whole.name.to_string(), "{text}");
        }
        for text in ["", "-a", "a-", "a b", "a>=", "a>=1; x", "a[b]", "a @ b", "a (>=1)", "nonsense >>> 1"] {
            assert!(plain(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_plain_requirement_with_a_marker_is_read_as_by_the_parser_of_all() {
        let target = target();
        for requirement in ["six", "a >=1,<2 ", "a b", "a @ https://x/y", "a[b]>=1", "a (>=1)", ""] {
            for marker in [
                "python_version>'3'",
                " python_version < '3' or os_name=='posix' ",
                "nonsense",
                "",
                "os_name == 'nt' ; x",
                "python_version > '3') ",
            ] {
                let text = format!("{requirement};{marker}");
                let whole = parsed(&text).filter(|whole| {
                    target.markers.iter().all(|environment| whole.evaluate_markers(environment, &[]))
                });
                for _ in 0..2 {
                    assert_eq!(target.applying(&text).is_some(), whole.is_some(), "{text}");
                }
            }
        }
    }

    #[test]
    fn versions_are_compared_as_pip_does() {
        let fits = |specifiers: &str, version: &str| {
            super::fits(&VersionSpecifiers::from_str(specifiers).unwrap(), version)
        };
        assert_eq!(fits(">=2.0", "1.0"), Some(false));
        assert_eq!(fits(">=2.0", "2.1rc1"), Some(true));
        assert_eq!(fits("==2.0", "2.0+cpu"), Some(true));
        assert_eq!(fits("===1.0", "1.0"), Some(true));
        assert_eq!(fits("===1.0", "1.0.0"), Some(false));
        assert_eq!(fits("<3", "nonsense"), None);
    }

    #[test]
    fn requires_python_excludes() {
        assert!(target().excluded_by(">=3.8,<4").is_none());
        assert!(target().excluded_by("rubbish").is_none());
        assert_eq!(
            target().excluded_by(">=3.8,<3.11").map(|found| found.to_string()).as_deref(),
            Some("<3.11")
        );
    }
}
