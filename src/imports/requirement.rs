//! Versions and markers: whether a requirement speaks to an environment, and whether a version satisfies it.

use std::str::FromStr;

use pep440_rs::{Version as PythonVersion, VersionSpecifiers};
use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder, MarkerTree};

use crate::facts::environment::Environment;
use crate::facts::platform::System;
use crate::facts::{Facts, interpreter::Version};

/// Whether a version satisfies a specifier (PEP 440); a pre-release that is installed counts, as for pip. None when one
/// of them cannot be read.
pub fn satisfies(specifier: &str, version: &str) -> Option<bool> {
    let version = PythonVersion::from_str(version.trim()).ok()?;
    let specifiers = VersionSpecifiers::from_str(specifier.trim()).ok()?;
    Some(specifiers.contains(&version))
}

/// Whether a marker holds for the environment. None when that cannot be told.
pub fn applies(facts: &Facts, environment: &Environment, marker: &str) -> Option<bool> {
    let tree = MarkerTree::from_str(marker).ok()?;
    let values = marker_environment(facts, environment)?;
    // an unknown release or version of the system decides nothing
    if marker.contains("platform_release") || marker.contains("platform_version") || marker.contains("extra")
    {
        return None;
    }
    Some(tree.evaluate(&values, &[]))
}

/// The variables of PEP 508 for the environment's interpreter.
fn marker_environment(facts: &Facts, environment: &Environment) -> Option<MarkerEnvironment> {
    let interpreter = facts.interpreter_of(environment);
    let version = interpreter
        .and_then(|interpreter| interpreter.known_version())
        .or_else(|| environment.python_version())?;
    let implementation =
        interpreter.and_then(|interpreter| interpreter.implementation.as_deref()).unwrap_or("cpython");
    let (os_name, sys_platform, system) = match facts.platform.system {
        System::Windows => ("nt", "win32", "Windows"),
        System::MacOs => ("posix", "darwin", "Darwin"),
        System::Linux => ("posix", if version.major == 2 { "linux2" } else { "linux" }, "Linux"),
        _ => return None,
    };
    let machine = match (facts.platform.system, facts.platform.architecture.as_str()) {
        (System::MacOs, "aarch64") => "arm64",
        (System::Windows, "aarch64") => "ARM64",
        (System::Windows, "x86_64") => "AMD64",
        (_, other) => other,
    };
    let full = full_version(version);
    let values = MarkerEnvironmentBuilder {
        implementation_name: implementation,
        implementation_version: &full,
        os_name,
        platform_machine: machine,
        platform_python_implementation: if implementation == "pypy" { "PyPy" } else { "CPython" },
        platform_release: "",
        platform_system: system,
        platform_version: "",
        python_full_version: &full,
        python_version: &version.minor_text(),
        sys_platform,
    };
    MarkerEnvironment::try_from(values).ok()
}

fn full_version(version: Version) -> String {
    format!("{}.{}", version.minor_text(), version.patch.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{VENV, healthy, path};

    #[test]
    fn compares_versions_by_pep_440() {
        assert_eq!(satisfies(">=2.0", "2.0"), Some(true));
        assert_eq!(satisfies(">=2.0,<3", "1.9"), Some(false));
        assert_eq!(satisfies("==1.*", "1.5.post1"), Some(true));
        assert_eq!(satisfies(">=1.0", "2.0rc1"), Some(true));
        assert_eq!(satisfies("", "2.0"), Some(true));
        assert_eq!(satisfies(">=1.0", "unknown"), None);
        assert_eq!(satisfies("lots", "1"), None);
    }

    #[test]
    fn judges_markers_for_the_environment() {
        let facts = healthy();
        let environment = facts.environment(&path(VENV)).unwrap();
        let holds = |marker: &str| applies(&facts, environment, marker);
        assert_eq!(holds("python_version < '3.9'"), Some(false));
        assert_eq!(holds("python_version >= '3.9' and sys_platform == 'linux'"), Some(true));
        assert_eq!(holds("sys_platform == 'win32'"), Some(false));
        assert_eq!(holds("extra == 'test'"), None);
        assert_eq!(holds("nonsense"), None);
    }
}
