use super::*;
use crate::facts::elsewhere::{Keeper, Provider};
use crate::facts::example::{VENV, healthy, not_activated, path, venv_of};
use crate::imports::{PassedOver, SearchResult, Searched, Spelling};

fn missing(module: &str, version: (u32, u32)) -> Attempt {
    Attempt {
        interpreter: path("/home/me/project/.venv/bin/python"),
        root: Some(path(VENV)),
        version: Some(Version::new(version.0, version.1, None)),
        path: Vec::new(),
        resolution: Some(Resolution {
            module: module.to_owned(),
            found: None,
            failing: Some(module.to_owned()),
            parent_is_no_package: false,
            parent: None,
            made_by: None,
            searched: Vec::new(),
            may_alter: Vec::new(),
        }),
        not_searched: None,
        distutils_off: None,
        suffixes: vec![".cpython-311-x86_64-linux-gnu.so".into(), ".abi3.so".into(), ".so".into()],
        hidden: Vec::new(),
        hooks: Vec::new(),
    }
}

fn nothing() -> Diagnosis {
    Diagnosis::default()
}

fn leading(facts: &Facts, attempt: &Attempt, elsewhere: &Elsewhere, near: &[String]) -> Finding {
    let module = attempt.resolution.as_ref().unwrap().module.clone();
    let diagnosis = nothing();
    let case = Case {
        facts,
        module: &module,
        attempt,
        own: None,
        elsewhere,
        diagnosis: &diagnosis,
        near,
        observed: false,
    };
    explain(&case).remove(0)
}

fn lead_of(facts: &Facts, attempt: &Attempt) -> Finding {
    leading(facts, attempt, &Elsewhere::default(), &[])
}

#[test]
fn what_is_declared_for_some_is_said_to_be() {
    let with = |marker: Option<&str>, purpose| {
        let mut facts = healthy();
        let requirement = &mut facts.project.requirements[0];
        requirement.name = "pyyaml".into();
        requirement.marker = marker.map(str::to_owned);
        requirement.purpose = purpose;
        facts.project.dependencies.clear();
        let found = lead_of(&facts, &missing("yaml", (3, 11)));
        let declared = found.evidence.iter().find(|evidence| evidence.label == "declared").unwrap();
        let installs = format!("{:?}", found.remedies).contains("PyYAML");
        (found.check, declared.value.clone(), installs)
    };
    let place = "pyyaml in /home/me/project/requirements.txt (line 1)";
    let (check, declared, installs) = with(Some("python_version > '3'"), Purpose::Run);
    assert_eq!((check, declared.as_str(), installs), ("missing-requirement", place, true));
    let (check, declared, installs) = with(Some("sys_platform == 'win32'"), Purpose::Run);
    assert_eq!((check, installs), ("unresolvable-import", false));
    assert_eq!(declared, format!("{place}, only where sys_platform == 'win32'"));
    let (check, declared, installs) = with(None, Purpose::Optional);
    assert_eq!((check, installs), ("unresolvable-import", true));
    assert!(declared.starts_with(&format!("{place}, in an extra, a group")), "{declared}");
}

#[test]
fn names_the_distribution_that_provides_it() {
    let found = lead_of(&healthy(), &missing("yaml", (3, 11)));
    assert_eq!((found.check, found.severity), ("unresolvable-import", Severity::Error));
    assert!(found.message.contains("PyYAML"), "{}", found.message);
    let words = format!("{:?}", found.remedies[0].actions[0]);
    assert!(words.contains("/home/me/project/.venv/bin/python") && words.contains("PyYAML"), "{words}");
}

#[test]
fn a_removed_module_is_told_with_its_version() {
    let found = lead_of(&healthy(), &missing("distutils", (3, 12)));
    assert!(found.message.contains("removed from the standard library in Python 3.12"), "{}", found.message);
    let early = lead_of(&healthy(), &missing("tomllib", (3, 10)));
    assert!(early.message.contains("since Python 3.11"), "{}", early.message);
    let old = lead_of(&healthy(), &missing("urllib2", (3, 11)));
    assert!(old.message.contains("urllib.request"), "{}", old.message);
}

#[test]
fn a_build_for_another_python_is_told_by_its_suffix() {
    let mut attempt = missing("_speed", (3, 11));
    let suffix = ".cpython-39-x86_64-linux-gnu.so".to_owned();
    let file = Spelling::from("/s/_speed.cpython-39-x86_64-linux-gnu.so");
    attempt.resolution.as_mut().unwrap().searched.push(Searched {
        directory: Spelling::from("/s"),
        result: SearchResult::Nothing,
        passed_over: vec![PassedOver::ForeignExtension { path: file.clone(), suffix }],
    });
    assert_eq!(lead_of(&healthy(), &attempt).check, "extension-for-another-python");
    attempt.resolution.as_mut().unwrap().searched[0].passed_over = vec![PassedOver::ForeignExtension {
        path: file,
        suffix: ".cpython-311-aarch64-linux-gnu.so".to_owned(),
    }];
    assert_eq!(lead_of(&healthy(), &attempt).check, "extension-for-another-platform");
}

#[test]
fn registered_without_files_is_told() {
    let found = lead_of(&healthy(), &missing("six", (3, 11)));
    assert_eq!(found.check, "missing-distribution-files");
    assert!(format!("{:?}", found.remedies[0]).contains("--force-reinstall"));
}

#[test]
fn a_moved_editable_source_is_told() {
    let mut facts = healthy();
    let file = path("/home/me/project/.venv/lib/python3.11/site-packages/__editable__.mylib-1.pth");
    venv_of(&mut facts).missing_sources.push((path("/home/me/mylib/src"), file));
    assert_eq!(lead_of(&facts, &missing("mylib", (3, 11))).check, "broken-editable");
}

#[test]
fn another_environment_that_has_it_is_named() {
    let elsewhere = Elsewhere {
        providers: vec![Provider {
            root: path("/home/me/.pyenv/versions/3.12.1"),
            keeper: Keeper::Pyenv,
            file: path("/home/me/.pyenv/versions/3.12.1/lib/python3.12/site-packages/rich"),
            version: Some(Version::new(3, 12, None)),
            interpreter: Some(path("/home/me/.pyenv/versions/3.12.1/bin/python3.12")),
        }],
        searched: 4,
        ..Elsewhere::default()
    };
    let found = leading(&healthy(), &missing("rich", (3, 11)), &elsewhere, &[]);
    assert!(found.message.contains("pyenv"), "{}", found.message);
    assert_eq!(found.remedies.len(), 2);
}

#[test]
fn a_forgotten_activation_is_told_from_what_the_checks_found() {
    let facts = not_activated();
    let checks: Vec<_> = crate::checks::all().collect();
    let diagnosis = crate::diagnosis::examine::examine(&facts, &checks, Vec::new());
    let mut shells = missing("six", (3, 11));
    shells.interpreter = path("/usr/bin/python3");
    shells.root = Some(path("/usr"));
    let mut own = missing("six", (3, 11));
    own.resolution.as_mut().unwrap().found = Some(crate::imports::Found {
        kind: crate::imports::ModuleKind::Source,
        origin: None,
        locations: Vec::new(),
        entry: None,
        finder: None,
    });
    let elsewhere = Elsewhere::default();
    let case = Case {
        facts: &facts,
        module: "six",
        attempt: &shells,
        own: Some(&own),
        elsewhere: &elsewhere,
        diagnosis: &diagnosis,
        near: &[],
        observed: false,
    };
    assert_eq!(explain(&case)[0].check, "forgotten-activation");
}

#[test]
fn near_names_are_offered() {
    let near = ["requests".to_owned()];
    let found = leading(&healthy(), &missing("request", (3, 11)), &Elsewhere::default(), &near);
    assert!(found.message.contains("requests"), "{}", found.message);
}

#[test]
fn words_are_matched_whole() {
    let found = finding(
        "broken-editable",
        Category::Packages,
        Severity::Error,
        Subject::Shell,
        "mylib-extra and six are gone",
    );
    assert!(names_it(&found, "six") && !names_it(&found, "lib"));
}

/// `module`, whose topmost package is found.
fn part_missing(module: &str) -> Attempt {
    let mut attempt = missing(module, (3, 11));
    attempt.resolution.as_mut().unwrap().parent = Some(crate::imports::ModuleKind::Package);
    attempt
}

#[test]
fn a_missing_part_is_no_lost_distribution() {
    let found = lead_of(&healthy(), &part_missing("six.nope"));
    assert_eq!((found.check, found.severity), ("unresolvable-import", Severity::Error));
    assert!(found.message.starts_with("six of six"), "{}", found.message);
    let standard = lead_of(&healthy(), &part_missing("json.nope"));
    assert!(standard.remedies.is_empty() && standard.message == "json is found, and it has no nope");
}

#[test]
fn a_name_in_a_module_is_taken_out_of_it() {
    let mut attempt = part_missing("time.sleep");
    attempt.resolution.as_mut().unwrap().parent_is_no_package = true;
    let found = lead_of(&healthy(), &attempt);
    assert!(found.message.starts_with("time is a module and no package"), "{}", found.message);
    let advice = format!("{:?}", found.remedies);
    assert!(advice.contains("from time import sleep") && !advice.contains("install"), "{advice}");
}

#[test]
fn distutils_that_a_variable_keeps_out_names_it() {
    let mut attempt = missing("distutils.util", (3, 12));
    attempt.resolution.as_mut().unwrap().failing = Some("distutils".to_owned());
    attempt.distutils_off = Some(("stdlib".to_owned(), path("/s/distutils-precedence.pth")));
    let found = lead_of(&healthy(), &attempt);
    assert!(found.message.starts_with("SETUPTOOLS_USE_DISTUTILS keeps"), "{}", found.message);
    assert!(format!("{:?}", found.remedies[0]).contains("Unset"));
}

#[test]
fn what_may_be_made_at_run_time_is_no_fault() {
    let mut attempt = part_missing("six.moves");
    attempt.resolution.as_mut().unwrap().made_by = Some(Spelling::from("/s/six.py"));
    let found = lead_of(&healthy(), &attempt);
    assert_eq!(found.severity, Severity::Info);
    assert!(format!("{:?}", found.remedies[0]).contains("import six.moves"));
    let (facts, elsewhere, diagnosis) = (healthy(), Elsewhere::default(), nothing());
    let case = Case {
        facts: &facts,
        module: "six.moves",
        attempt: &attempt,
        own: None,
        elsewhere: &elsewhere,
        diagnosis: &diagnosis,
        near: &[],
        observed: true,
    };
    let observed = explain(&case).remove(0);
    assert_eq!(observed.severity, Severity::Error);
    assert!(format!("{:?}", observed.remedies[0]).contains("--upgrade"));
}

#[test]
fn an_interpreter_that_nothing_tells_of_leads_to_no_guess() {
    let mut attempt = missing("json", (3, 11));
    attempt.resolution = None;
    attempt.not_searched = Some(NotSearched::Unknown("a script".to_owned()));
    let found = lead_of_module(&attempt, "json");
    assert_eq!((found.severity, found.remedies.len()), (Severity::Info, 1));
    attempt.not_searched = Some(NotSearched::Fatal("no standard library".to_owned()));
    assert_eq!(lead_of_module(&attempt, "json").check, "interpreter-fails");
}

fn lead_of_module(attempt: &Attempt, module: &str) -> Finding {
    let (facts, elsewhere, diagnosis) = (healthy(), Elsewhere::default(), nothing());
    let (facts, elsewhere, diagnosis) = (&facts, &elsewhere, &diagnosis);
    explain(&Case { facts, module, attempt, own: None, elsewhere, diagnosis, near: &[], observed: false })
        .remove(0)
}
