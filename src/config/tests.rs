use super::*;
use crate::host::fake::FakeMachine;

fn found(machine: &FakeMachine, directory: &str) -> Result<Option<Configuration>, ConfigurationError> {
    find(machine, &machine.path(directory), Some(&machine.path("/home/me")))
}

fn written(text: &str) -> Result<Configuration, String> {
    let machine = FakeMachine::linux().file("/p/venv-doctor.toml", text);
    found(&machine, "/p").map(Option::unwrap).map_err(|error| error.0)
}

fn refused(text: &str) -> String {
    written(text).unwrap_err()
}

#[test]
fn every_setting_with_its_line() {
    let found = written(
        "select = ['relocation']\nignore = ['copied-venv', { check = 'moved-venv', reason = 'an image' }]\n\
         fail-on = 'warning'\npython = '../.venv'\nno-exec = true\ntimeout = 3\n[severity]\nend-of-life-python = 'error'\n",
    )
    .unwrap();
    assert_eq!(found.select, Some(Setting { value: vec!["relocation".to_owned()], line: 1 }));
    assert_eq!(found.ignore[1].value.reason.as_deref(), Some("an image"));
    assert_eq!(found.ignore[1].line, 2);
    assert_eq!(found.fail_on, Some(Setting { value: FailOn::Warning, line: 3 }));
    assert_eq!(found.python, Some(Setting { value: HostPath::posix("/.venv"), line: 4 }));
    assert_eq!(found.no_exec, Some(Setting { value: true, line: 5 }));
    assert_eq!(found.timeout, Some(Setting { value: 3.0, line: 6 }));
    assert_eq!(found.severity[0].value, ("end-of-life-python".to_owned(), Severity::Error));
    assert_eq!(found.severity[0].line, 8);
}

#[test]
fn reasons_may_stand_in_a_table() {
    let found = written("[ignore]\nmoved-venv = 'an image'\n").unwrap();
    assert_eq!(found.ignore[0].value.name, "moved-venv");
    assert_eq!((found.ignore[0].line, found.ignore[0].value.reason.as_deref()), (2, Some("an image")));
    let listed = written("[[ignore]]\ncheck = 'moved-venv'\n\n[[ignore]]\ncheck = 'tools'\n").unwrap();
    assert_eq!(listed.ignore.len(), 2);
}

#[test]
fn what_is_not_understood_is_told_with_file_line_and_what_was_meant() {
    for (text, parts) in [
        ("\nignroe = []", &["/p/venv-doctor.toml, line 2", "\"ignroe\"", "did you mean \"ignore\"?"][..]),
        ("select = [\n 'moved-env']", &["line 2", "did you mean \"moved-venv\"?", "venv-doctor checks"]),
        ("ignore = [{ chekc = 'moved-venv' }]", &["line 1", "\"chekc\"", "did you mean \"check\"?"]),
        ("ignore = [{ reason = 'x' }]", &["line 1", "must name a check"]),
        ("ignore = 'moved-venv'", &["line 1", "list of checks"]),
        ("severity = { moved-venv = 'warn' }", &["a severity", "did you mean \"warning\"?"]),
        ("severity = { moved-vnv = 'warning' }", &["did you mean \"moved-venv\"?"]),
        ("fail-on = 'errors'", &["fail-on", "did you mean \"error\"?"]),
        ("fail-on = 3", &["fail-on must be a string, not a number"]),
        ("timeout = -1", &["timeout", "seconds"]),
        ("timeout = 'x'", &["timeout", "seconds"]),
        ("no-exec = 'yes'", &["true or false"]),
        ("python = '.venv'\npatient = '.venv'", &["two names"]),
        ("python = ''", &["path of an environment"]),
        ("a = [\n", &["/p/venv-doctor.toml, line", "not TOML", "--no-config"]),
        ("python = '//server/share'", &["another machine"]),
        ("python = '\\\\server\\share'", &["another machine"]),
    ] {
        let message = refused(text);
        for part in parts {
            assert!(message.contains(part), "{text:?}: {message}");
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_told_with_their_line() {
    let machine = FakeMachine::linux().file("/p/venv-doctor.toml", b"select = []\n\xff");
    let message = found(&machine, "/p").unwrap_err().0;
    assert!(message.contains("line 2") && message.contains("UTF-8"), "{message}");
}

#[test]
fn the_nearest_counts_and_its_own_file_before_the_projects() {
    let machine = FakeMachine::linux()
        .file("/p/pyproject.toml", "[tool.venv-doctor]\nfail-on = 'never'\n")
        .file("/p/sub/pyproject.toml", "[project]\nname = 'x'\n")
        .dir("/p/sub/deep");
    assert_eq!(found(&machine, "/p/sub/deep").unwrap().unwrap().file, HostPath::posix("/p/pyproject.toml"));
    let machine = machine.file("/p/venv-doctor.toml", "");
    let nearest = found(&machine, "/p/sub/deep").unwrap().unwrap();
    assert_eq!((nearest.file, nearest.fail_on), (HostPath::posix("/p/venv-doctor.toml"), None));
    assert_eq!(found(&FakeMachine::linux().dir("/q"), "/q").unwrap(), None);
}

#[test]
fn a_pyproject_that_is_broken_and_says_nothing_to_the_doctor_is_no_trouble_here() {
    let machine = FakeMachine::linux().file("/p/pyproject.toml", "[project\ndependencies = ['venv-doctor']");
    assert_eq!(found(&machine, "/p").unwrap(), None);
    let machine = FakeMachine::linux().file("/p/pyproject.toml", "[tool.venv-doctor]\nselect = [\n");
    assert!(found(&machine, "/p").unwrap_err().0.contains("pyproject.toml, line"));
    let machine = FakeMachine::linux().file("/p/pyproject.toml", "[tool]\nvenv-doctor = 3\n");
    assert!(found(&machine, "/p").unwrap_err().0.contains("must be a table"));
}

#[test]
fn home_and_an_unreadable_file() {
    assert_eq!(
        written("patient = '~/envs/app'").unwrap().python.unwrap().value,
        HostPath::posix("/home/me/envs/app")
    );
    let machine = FakeMachine::linux().dir("/p/venv-doctor.toml");
    assert!(found(&machine, "/p").unwrap_err().0.starts_with("cannot read /p/venv-doctor.toml"));
}
