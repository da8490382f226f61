//! Something of that name is there, and Python does not take it.

use super::{Case, finding};
use crate::diagnosis::reinstall::{pinned, reinstall as again};
use crate::diagnosis::{Action, Category, Finding, Remedy, Severity, Subject};
use crate::facts::distribution::Distribution;
use crate::facts::environment::Installed;
use crate::imports::resolve::{PassedOver, SearchResult};
use crate::imports::stdlib;
use crate::parse::names::normalize_name;

/// The most special cause that the search itself shows.
pub fn explain(case: &Case) -> Option<Finding> {
    foreign_extension(case)
        .or_else(|| distutils_turned_off(case))
        .or_else(|| standard_library(case).filter(|_| case.top_is_missing()))
        .or_else(|| not_a_package(case))
        .or_else(|| editable_source(case))
        .or_else(|| orphan_bytecode(case))
        .or_else(|| unreadable(case))
        .or_else(|| files_missing(case))
        .or_else(|| other_case(case))
}

fn passed_over<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a PassedOver> {
    let searched = case.attempt.resolution.iter().flat_map(|resolution| &resolution.searched);
    searched.flat_map(|searched| &searched.passed_over)
}

/// `x.cpython-39-x86_64-linux-gnu.so`, and the interpreter is a 3.12.
fn foreign_extension(case: &Case) -> Option<Finding> {
    let (path, suffix) = passed_over(case).find_map(|it| match it {
        PassedOver::ForeignExtension { path, suffix } => Some((path, suffix)),
        _ => None,
    })?;
    let wanted = case.attempt.suffixes.first().cloned().unwrap_or_default();
    let platform = |suffix: &str| {
        let tag = suffix.trim_start_matches('.').trim_end_matches(".so").trim_end_matches(".pyd");
        tag.split_once('-').and_then(|(_, rest)| rest.split_once('-')).map(|(_, rest)| rest.to_owned())
    };
    let other_platform =
        matches!((platform(suffix), platform(&wanted)), (Some(left), Some(right)) if left != right);
    let id = if other_platform { "extension-for-another-platform" } else { "extension-for-another-python" };
    let kind = if other_platform { "for another system or processor" } else { "for another Python" };
    let message = format!("{} is installed, and its compiled file is built {kind}", case.module);
    let mut found = finding(id, Category::Native, Severity::Error, case.subject(), message)
        .evidence("is there", path.to_text())
        .evidence("its suffix", suffix.as_str())
        .evidence("this interpreter takes", case.attempt.suffixes.join(", "));
    if let Some(remedy) = reinstall(case) {
        found = found.remedy(remedy);
    }
    Some(found)
}

/// Installs the distribution once more, as a whole.
pub fn reinstall(case: &Case) -> Option<Remedy> {
    let name = owner(case).map(|owner| owner.name.clone()).or_else(|| case.distribution())?;
    reinstall_by_name(case, &name)
}

fn reinstall_by_name(case: &Case, name: &str) -> Option<Remedy> {
    let environment = case.environment()?;
    let known = case
        .facts
        .packages(&environment.root)
        .and_then(|packages| packages.distribution(&normalize_name(name)))
        .filter(|known| known.is_editable() || known.direct_url.is_some());
    if let Some(known) = known {
        return again(case.facts, environment, &[known]);
    }
    // the package index has it not, or another of that name
    if environment.distribution(name).is_some_and(|it| it.editable.is_some() || it.direct_url.is_some()) {
        return None;
    }
    let actions = pinned(case.facts, environment, vec![name.to_owned()])?;
    Some(Remedy::safe(format!("Install {name} again"), actions))
}

/// What is registered in the environment and provides the module.
pub fn owner<'a>(case: &Case<'a>) -> Option<&'a Installed> {
    let environment = case.facts.environment(case.attempt.root.as_ref()?)?;
    let by_module = case.facts.packages(&environment.root).and_then(|packages| {
        packages
            .distributions()
            .find(|distribution| distribution.modules.iter().any(|module| module == case.top()))
            .map(|distribution| distribution.name.clone())
    });
    by_module
        .or_else(|| crate::imports::known_modules::distribution_for(case.module))
        .and_then(|name| environment.distribution(&name))
        .or_else(|| environment.distribution(case.top()))
}

/// setuptools would bring it, and a variable keeps it from that.
fn distutils_turned_off(case: &Case) -> Option<Finding> {
    const VARIABLE: &str = "SETUPTOOLS_USE_DISTUTILS";
    let (value, line) = case.attempt.distutils_off.as_ref()?;
    if case.top() != "distutils" || !case.top_is_missing() {
        return None;
    }
    let message =
        format!("{VARIABLE} keeps setuptools from bringing its distutils, and this Python has none");
    let unset = Remedy::safe(format!("Unset {VARIABLE}"), vec![Action::Unset(VARIABLE.to_owned())]);
    Some(
        finding("unresolvable-import", Category::Project, Severity::Error, case.subject(), message)
            .evidence(VARIABLE, value.as_str())
            .evidence("read by", line.to_string())
            .remedy(unset),
    )
}

/// A module of another version's standard library, or one that Debian packages apart.
fn standard_library(case: &Case) -> Option<Finding> {
    let version = case.attempt.version?;
    let top = case.top();
    let text = version.minor_text();
    let make = |message: String| {
        finding("unresolvable-import", Category::Project, Severity::Error, case.subject(), message)
            .evidence("this Python", version.to_string())
    };
    if version.major >= 3
        && let Some(name) = stdlib::renamed_to(top).filter(|_| !stdlib::contains(version, top))
    {
        let advice = Action::Advice(format!("write `import {name}` instead of `import {top}`"));
        return Some(
            make(format!("{top} is a module of Python 2; Python 3 calls it {name}"))
                .remedy(Remedy::manual(format!("Import {name}"), vec![advice])),
        );
    }
    if let Some(since) = stdlib::added_in(version, top) {
        let found = make(format!(
            "{top} is in the standard library since Python {}, and this is {text}",
            since.minor_text()
        ));
        return Some(with_install(case, found, &format!("a backport of {top}")));
    }
    if let Some(removed) = stdlib::removed_in(version, top) {
        let removed = removed.minor_text();
        let found = make(format!(
            "{top} was removed from the standard library in Python {removed}, and this is {text}"
        ));
        return Some(replacement(case, found, top));
    }
    if !stdlib::contains(version, top) || case.module != top {
        return None;
    }
    let debian = matches!(
        case.facts.platform.distribution.as_deref(),
        Some("debian" | "ubuntu" | "linuxmint" | "pop" | "raspbian" | "kali")
    );
    let found =
        make(format!("{top} belongs to the standard library of Python {text}, and this one lacks it"));
    let base =
        case.environment().and_then(|it| it.home.as_ref()).map(|home| home.path.to_text().into_owned());
    let of_system = base.unwrap_or_else(|| case.python()).starts_with("/usr/bin");
    match stdlib::debian_package(version, top).filter(|_| debian && of_system) {
        Some(package) => {
            let install =
                Action::run(["sudo".into(), "apt-get".into(), "install".into(), package.as_str().into()]);
            let found = found.evidence("packaged apart", format!("{package} has it"));
            Some(found.remedy(Remedy::safe(format!("Install {package}"), vec![install])))
        }
        None => {
            let advice = Action::Advice(format!(
                "build or install a Python {text} with it: its headers were absent when this one was built"
            ));
            Some(found.remedy(Remedy::manual("Use a Python that has it", vec![advice])))
        }
    }
}

/// What took the place of a removed module.
fn replacement(case: &Case, found: Finding, top: &str) -> Finding {
    let requirement = match top {
        "distutils" => "setuptools",
        "imp" => {
            let advice = Action::Advice("use importlib in its place".to_owned());
            return found.remedy(Remedy::manual("Use importlib", vec![advice]));
        }
        "asyncore" => "pyasyncore",
        "asynchat" => "pyasynchat",
        "smtpd" => "aiosmtpd",
        "cgi" | "cgitb" => "legacy-cgi",
        "crypt" | "telnetlib" | "pipes" | "audioop" | "imghdr" | "sndhdr" | "nntplib" | "uu" | "xdrlib"
        | "aifc" | "chunk" | "sunau" => {
            let name = match top {
                "audioop" => "audioop-lts".to_owned(),
                _ => format!("standard-{top}"),
            };
            return match case.environment() {
                Some(environment) => {
                    found.remedy(crate::diagnosis::install::install(case.facts, environment, &name, false))
                }
                None => found,
            };
        }
        _ => {
            let advice =
                Action::Advice(format!("use an older Python, or a version of the code without {top}"));
            return found.remedy(Remedy::manual("Do without it", vec![advice]));
        }
    };
    match case.environment() {
        Some(environment) => {
            found.remedy(crate::diagnosis::install::install(case.facts, environment, requirement, false))
        }
        None => found,
    }
}

fn with_install(case: &Case, found: Finding, what: &str) -> Finding {
    let backport = match case.top() {
        "tomllib" => Some("tomli"),
        "zoneinfo" => Some("backports.zoneinfo"),
        "graphlib" => Some("graphlib-backport"),
        "dataclasses" => Some("dataclasses"),
        "contextvars" => Some("contextvars"),
        _ => None,
    };
    match (backport, case.environment()) {
        (Some(name), Some(environment)) => {
            let mut remedy = crate::diagnosis::install::install(case.facts, environment, name, false);
            remedy.summary = format!("Install {name}, {what}, or use a newer Python");
            found.remedy(remedy)
        }
        _ => {
            let advice = Action::Advice("use a Python that has it".to_owned());
            found.remedy(Remedy::manual("Use a newer Python", vec![advice]))
        }
    }
}

/// `a.b`, and `a` is a plain module: often a file of the project in front of the real package.
fn not_a_package(case: &Case) -> Option<Finding> {
    let resolution = case.attempt.resolution.as_ref()?;
    if !resolution.parent_is_no_package || resolution.made_by.is_some() {
        return None;
    }
    let hiding = case.attempt.hidden.first()?;
    let also = case.attempt.hidden.get(1);
    let standard = case.attempt.version.is_some_and(|version| stdlib::contains(version, case.top()));
    let (id, what) = if standard {
        ("shadowed-stdlib", "the standard library's")
    } else {
        ("shadowed-package", "the installed")
    };
    also.map(|also| {
        let message = format!("{hiding} hides {what} {}, and {} is no part of it", case.top(), case.module);
        finding(id, Category::Isolation, Severity::Error, case.subject(), message)
            .evidence("imported", hiding.as_str())
            .evidence("hidden", also.as_str())
            .remedy(rename(hiding))
    })
}

/// Gives a file of the project another name.
pub fn rename(file: &str) -> Remedy {
    let (stem, suffix) =
        file.rsplit_once('.').map_or((file, String::new()), |(stem, suffix)| (stem, format!(".{suffix}")));
    let new = format!("{stem}_local{suffix}");
    let rename = Action::run(["mv".into(), "-n".into(), file.into(), new.as_str().into()]);
    Remedy::review("Give the file another name, and change the imports of it", vec![rename])
}

/// An editable installation whose source is not there.
fn editable_source(case: &Case) -> Option<Finding> {
    let environment = case.environment()?;
    let owner = owner(case);
    let name = owner.map(|owner| normalize_name(&owner.name)).unwrap_or_else(|| normalize_name(case.top()));
    let of_module = |file: &crate::path::HostPath| {
        let file = normalize_name(&file.name());
        let parent = file.trim_start_matches("editable-").to_owned();
        file.contains(&name) || parent.contains(&normalize_name(case.top()))
    };
    let in_metadata = |file: &crate::path::HostPath| {
        file.parent().is_some_and(|parent| owner.is_some_and(|owner| owner.metadata.same_as(&parent)))
    };
    let (source, file) =
        environment.missing_sources.iter().find(|(_, file)| of_module(file) || in_metadata(file))?;
    let message = format!("{} is an editable install, and its source {source} is gone", case.top());
    let mut found = finding("broken-editable", Category::Packages, Severity::Error, case.subject(), message)
        .evidence("named by", file.to_string())
        .evidence("missing", source.to_string());
    let python = environment.program("python");
    let moved =
        Action::Advice(format!("cd to where the source is now, then: {python} -m pip install --editable ."));
    found = found.remedy(Remedy::manual("Install it again from where its source is now", vec![moved]));
    Some(found)
}

fn orphan_bytecode(case: &Case) -> Option<Finding> {
    let path = passed_over(case).find_map(|it| match it {
        PassedOver::OrphanBytecode { path } => Some(path),
        _ => None,
    })?;
    // the bytecode of a removed module is usual; it proves only that the source was there
    let owner = owner(case)?;
    let message = format!("{} was there: its bytecode is left, its source is gone", case.module);
    let found =
        finding("missing-distribution-files", Category::Packages, Severity::Error, case.subject(), message)
            .evidence("left", path.to_text())
            .evidence("registered", format!("{} {}", owner.name, owner.version));
    Some(match reinstall(case) {
        Some(remedy) => found.remedy(remedy),
        None => found,
    })
}

fn unreadable(case: &Case) -> Option<Finding> {
    let searched = &case.attempt.resolution.as_ref()?.searched;
    let place = searched.iter().find(|searched| searched.result == SearchResult::Unreadable)?;
    let directory = place.directory.to_text().into_owned();
    let message = format!("{directory} is on the import path, and this user may not list it");
    let name = case.facts.user.name.clone().unwrap_or_else(|| case.facts.user.id.to_string());
    let own =
        Action::run(["sudo".into(), "chown".into(), "-R".into(), name.into(), directory.as_str().into()]);
    let read = Action::run(["chmod".into(), "-R".into(), "u+rwX".into(), directory.as_str().into()]);
    Some(
        finding("foreign-owned-files", Category::Isolation, Severity::Error, case.subject(), message)
            .evidence("not readable", directory)
            .remedy(Remedy::review("Make it yours and readable", vec![own, read])),
    )
}

/// The distribution is registered, and its files are not there.
fn files_missing(case: &Case) -> Option<Finding> {
    let owner = if case.top_is_missing() { registered(case) } else { recorded(case) }?;
    if owner.editable.is_some() {
        return None;
    }
    let environment = case.attempt.root.clone()?;
    let subject = Subject::Distribution { environment, name: owner.name.clone() };
    let message =
        format!("{} {} is registered as installed, and its files are not there", owner.name, owner.version);
    let found = finding("missing-distribution-files", Category::Packages, Severity::Error, subject, message)
        .evidence("registered", owner.metadata.to_string())
        .evidence("not found", case.module);
    Some(match reinstall_by_name(case, &owner.name) {
        Some(remedy) => found.remedy(remedy),
        None => found,
    })
}

/// What is registered under a name that nothing can be imported by.
fn registered<'a>(case: &Case<'a>) -> Option<&'a Installed> {
    let owner = owner(case)?;
    // a distribution of another name may well not have this submodule
    let sure = case.facts.packages(case.attempt.root.as_ref()?).and_then(|packages| {
        let it = packages.distribution(&normalize_name(&owner.name))?;
        let record = it.record.known();
        Some(
            it.modules.iter().any(|module| module == case.top())
                || record.is_some_and(|record| record.missing_count > 0),
        )
    });
    (sure != Some(false)).then_some(owner)
}

/// What recorded the very file of a part of a package, where the part is missing.
fn recorded<'a>(case: &Case<'a>) -> Option<&'a Installed> {
    let failing = case.attempt.resolution.as_ref()?.failing.as_ref()?.replace('.', "/");
    let environment = case.facts.environment(case.attempt.root.as_ref()?)?;
    let names_it = |distribution: &&Distribution| {
        let (Some(record), Some(site)) = (distribution.record.known(), distribution.metadata.parent()) else {
            return false;
        };
        record.missing.iter().filter_map(|file| file.relative_to(&site)).any(|file| {
            let file = String::from_utf8_lossy(&file).replace('\\', "/");
            file.strip_prefix(failing.as_str()).is_some_and(|rest| rest.starts_with(['/', '.']))
        })
    };
    let packages = case.facts.packages(&environment.root)?;
    environment.distribution(&packages.distributions().find(names_it)?.name)
}

/// `import yaml` is not `import YAML`.
fn other_case(case: &Case) -> Option<Finding> {
    let path = passed_over(case).find_map(|it| match it {
        PassedOver::OtherCase { path } => Some(path.to_text().into_owned()),
        _ => None,
    })?;
    let name = path.rsplit(['/', '\\']).next().unwrap_or(&path);
    let name = name.split('.').next().unwrap_or(name).to_owned();
    let message = format!("There is no {}; there is {name}, which differs in case", case.module);
    let advice = Action::Advice(format!("write `import {name}`"));
    Some(
        finding("unresolvable-import", Category::Project, Severity::Error, case.subject(), message)
            .evidence("is there", path)
            .remedy(Remedy::manual(format!("Import {name}"), vec![advice])),
    )
}
