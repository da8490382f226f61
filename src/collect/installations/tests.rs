use super::*;
use crate::facts::installation::{allows, best_installation};
#[cfg(unix)]
use crate::facts::search_path::{SearchEntry, Spelling};
#[cfg(unix)]
use crate::host::real::{RealFiles, from_std};

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn installation(path: &str, text: &str, has_ensurepip: bool) -> Installation {
    Installation {
        interpreter: HostPath::posix(path),
        version: Version::parse(text),
        implementation: Some("cpython".into()),
        found_by: "the search path".into(),
        has_ensurepip,
        externally_managed: false,
        linked_from: Vec::new(),
    }
}

#[test]
fn versions_stand_in_names() {
    let text = |name: &str| version_in_name(name.as_bytes()).map(|version| version.to_string());
    for (name, expected) in [
        ("python3.11", "3.11"),
        ("python@3.12", "3.12"),
        ("3.10.13", "3.10.13"),
        ("cpython-3.12.1-linux-x86_64-gnu", "3.12.1"),
        ("cpython-3.13.0+freethreaded-linux-x86_64-gnu", "3.13.0t"),
        ("3.13.0t", "3.13.0t"),
        ("pypy3.10-7.3.16", "3.10"),
        ("pypy-3.9.16-linux-x86_64-gnu", "3.9.16"),
        ("Python312", "3.12"),
        ("Python39-32", "3.9"),
    ] {
        assert_eq!(text(name).as_deref(), Some(expected), "{name}");
    }
    for name in ["python3", "miniconda3-4.7.12", "graalpy-22.3.0", "Current", "python", "", "Python"] {
        assert_eq!(text(name), None, "{name}");
    }
}

#[test]
fn requirements_are_read_simply() {
    let yes = [
        (">=3.9", "3.9"),
        (">=3.9,<3.12", "3.11.4"),
        (">=3.9.2", "3.9"),
        ("==3.11.*", "3.11.2"),
        ("~=3.9", "3.12"),
        ("~=3.9.1", "3.9.4"),
        ("^3.10", "3.13"),
        ("3.11", "3.11.2"),
        ("^2.7 || ^3.8", "3.8"),
        ("nonsense", "3.8"),
        ("!=3.0.*,!=3.1.*", "3.8"),
        ("<4", "3.15"),
        ("*", "3.8"),
    ];
    for (requires, python) in yes {
        assert!(allows(requires, version(python)), "{requires} {python}");
    }
    let no = [
        (">=3.12", "3.11.9"),
        ("<3.12", "3.12.0"),
        ("<3.12", "3.12"),
        ("==3.11.*", "3.12"),
        ("~=3.9.1", "3.10"),
        ("~=3.9", "4.0"),
        ("^3.10", "3.9"),
        ("3.11", "3.12"),
        ("!=3.9.*", "3.9.1"),
        (">3.11", "3.11"),
        (">=3.9.2", "3.9.1"),
    ];
    for (requires, python) in no {
        assert!(!allows(requires, version(python)), "{requires} {python}");
    }
}

#[test]
fn the_best_has_the_same_minor_version() {
    let all = [
        installation("/usr/bin/python3.11", "3.11", false),
        installation("/p/3.11.7/bin/python3.11", "3.11.7", true),
        installation("/p/3.13.0/bin/python3.13", "3.13.0", true),
        installation("/p/3.9.18/bin/python3.9", "3.9.18", true),
    ];
    let best = |wanted: Option<&str>, requires: Option<&str>| {
        best_installation(&all, wanted.map(version), requires)
            .map(|found| found.interpreter.to_text().into_owned())
    };
    assert_eq!(best(Some("3.11.2"), None).as_deref(), Some("/p/3.11.7/bin/python3.11"));
    assert_eq!(best(Some("3.12"), Some(">=3.9,<3.13")).as_deref(), Some("/p/3.11.7/bin/python3.11"));
    assert_eq!(best(None, Some("<3.10")).as_deref(), Some("/p/3.9.18/bin/python3.9"));
    assert_eq!(best(None, None).as_deref(), Some("/p/3.13.0/bin/python3.13"));
    assert_eq!(best(Some("3.13t"), Some(">=4")).as_deref(), Some("/p/3.13.0/bin/python3.13"));
    assert!(best_installation(&[], None, None).is_none());
}

#[cfg(unix)]
#[test]
fn finds_what_tools_installed() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().canonicalize().unwrap();
    let prefix = |relative: &str, minor: &str| {
        let prefix = home.join(relative);
        let library = prefix.join("lib").join(format!("python{minor}"));
        std::fs::create_dir_all(prefix.join("bin")).unwrap();
        std::fs::create_dir_all(library.join("ensurepip")).unwrap();
        std::fs::write(library.join("os.py"), "").unwrap();
        std::fs::write(library.join("ensurepip/__init__.py"), "").unwrap();
        std::fs::write(prefix.join(format!("bin/python{minor}")), "").unwrap();
        std::os::unix::fs::symlink(format!("python{minor}"), prefix.join("bin/python3")).unwrap();
        prefix
    };
    let pyenv = prefix(".pyenv/versions/3.12.4", "3.12");
    prefix(".pyenv/versions/tools", "3.12");
    std::fs::write(home.join(".pyenv/versions/tools/pyvenv.cfg"), "").unwrap();
    let uv = prefix(".local/share/uv/python/cpython-3.10.9-linux-x86_64-gnu", "3.10");
    std::fs::write(uv.join("lib/python3.10/EXTERNALLY-MANAGED"), "").unwrap();
    std::os::unix::fs::symlink(&uv, home.join(".local/share/uv/python/cpython-3.10-linux-x86_64-gnu"))
        .unwrap();
    prefix("miniconda3", "3.9");
    std::fs::create_dir(home.join("miniconda3/conda-meta")).unwrap();

    let home_path = from_std(&home).unwrap();
    let bin = from_std(&pyenv.join("bin")).unwrap();
    let entry = SearchEntry {
        index: 0,
        raw: bin.to_text().into_owned(),
        directory: Some(bin.clone()),
        real: Some(bin.clone()),
        state: EntryState::Directory,
        spelling: Spelling::Absolute,
        duplicate_of: None,
        owner: Some(DirectoryOwner::PyenvVersion),
        environment: None,
        names: vec!["python3".into()],
    };
    let search_path = SearchPath { set: true, entries: vec![entry], left_out: 0 };
    let places = Places { system: System::Linux, home: Some(&home_path), variable: &|_| None };
    let mut found = installations(&RealFiles, &search_path, &places);
    found.retain(|found| found.interpreter.is_within(&home_path));
    let summary: Vec<_> = found
        .iter()
        .map(|found| {
            let version = found.version.map(|version| version.to_string()).unwrap_or_default();
            (version, found.found_by.as_str(), found.has_ensurepip, found.externally_managed)
        })
        .collect();
    assert_eq!(
        summary,
        [
            ("3.12.4".into(), "the search path", true, false),
            ("3.10.9".into(), "uv", true, true),
            ("3.9".into(), "conda", true, false),
        ]
    );
}

#[test]
fn the_base_of_an_environment_counts_and_nothing_in_a_project_does() {
    let machine = crate::host::fake::FakeMachine::linux()
        .executable("/opt/py/3.12.1/bin/python3.12", "")
        .executable("/p/tools/bin/python3.13", "");
    let mut environment = crate::facts::example::venv("/p/.venv");
    let home = environment.home.as_mut().unwrap();
    home.path = HostPath::posix("/opt/py/3.12.1/bin");
    home.interpreter = Some(HostPath::posix("/opt/py/3.12.1/bin/python3.12"));
    home.version = Some(version("3.12.1"));
    let mut planted = environment.clone();
    let home = planted.home.as_mut().unwrap();
    home.path = HostPath::posix("/p/tools/bin");
    home.interpreter = Some(HostPath::posix("/p/tools/bin/python3.13"));
    let project = HostPath::posix("/p");
    let found = with_bases(&machine, Vec::new(), &[environment.clone(), planted], Some(&project));
    let paths: Vec<_> = found.iter().map(|found| found.interpreter.to_text()).collect();
    assert_eq!(paths, ["/opt/py/3.12.1/bin/python3.12"]);
    let again = with_bases(&machine, found, &[environment], Some(&project));
    assert_eq!(again.len(), 1);
}

#[test]
fn an_installation_knows_the_environments_that_lead_to_it() {
    let machine = crate::host::fake::FakeMachine::linux()
        .executable("/opt/py-3.12.1/bin/python3.12", "")
        .link("/opt/py", "py-3.12.1")
        .executable("/usr/bin/python3.12", "")
        .link("/p/.venv/bin/python", "/opt/py/bin/python3.12");
    let all = vec![
        installation("/usr/bin/python3.12", "3.12", true),
        installation("/opt/py-3.12.1/bin/python3.12", "3.12.1", true),
    ];
    let found = with_bases(&machine, all, &[crate::facts::example::venv("/p/.venv")], None);
    let linked: Vec<_> = found.iter().map(|found| found.linked_from.clone()).collect();
    assert_eq!(linked, [Vec::new(), vec![HostPath::posix("/p/.venv")]]);
}
