//! Whole machines, made up at random: the doctor ends with a report of them, whatever lies there and however a
//! directory lists it, and speaks of nothing that isn't there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::collection::vec;
use proptest::prelude::*;
use venv_doctor::collect::gather;
use venv_doctor::diagnosis::Finding;
use venv_doctor::facts::Facts;
use venv_doctor::host::Files;
use venv_doctor::host::fake::FakeMachine;
use venv_doctor::host::real::RealMachine;
use venv_doctor::path::HostPath;

use super::parsers::{diagnosed, request};
use super::reliability::attempt;
use super::{cases, runner, usual};

/// One thing that happened to a machine: what, and what with.
type Step = (u8, u8, u8);

/// Where environments lie, and what leads to them.
const ROOTS: [&str; 8] = [
    "/home/me/project/.venv",
    "/home/me/project/venv",
    "/home/me/project/sub/.venv",
    "/home/me/.virtualenvs/work",
    "/home/me/my project/.venv",
    "/home/me/miniconda3",
    "/usr",
    "/home/me/.pyenv/versions/3.12.1",
];
const DIRECTORIES: [&str; 10] = [
    "/usr/bin",
    "/usr/local/bin",
    "/home/me/project/.venv/bin",
    "/home/me/project/venv/bin",
    "/home/me/.virtualenvs/work/bin",
    "/home/me/.pyenv/shims",
    "/home/me/miniconda3/bin",
    "/gone/bin",
    ".",
    "",
];
const TARGETS: [&str; 9] = [
    "/usr/bin/python3.11",
    "/usr/bin/python3",
    "python3",
    "python",
    "../../../venv/bin/python",
    "/gone/bin/python3.9",
    "/home/me/.pyenv/versions/3.12.1/bin/python3.12",
    "..",
    "/usr/bin/python3.11/x",
];
const MINORS: [&str; 3] = ["3.11", "3.12", "2.7"];
const NAMES: [&str; 8] =
    ["six", "Six", "sample-package", "sample_package", "requests", "pip", "gone", "ünïcode"];
const CONFIGS: [&str; 9] = [
    "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n",
    "home = /usr/bin\ninclude-system-site-packages = true\nversion_info = 3.12.1.final.0\nvirtualenv = 20.24.0\n",
    "home = /gone/bin\nversion = 3.9.1\nuv = 0.5.1\n",
    "home = /home/me/.pyenv/versions/3.12.1/bin\nversion = 3.12.1\ncommand = /usr/bin/python3 -m venv /home/me/elsewhere/.venv\n",
    "home = .\n",
    "home =\n\n[section]\nnonsense\nhome = /usr/bin\n",
    "",
    "\u{feff}home = /usr/bin\nversion = 3.11\n",
    "home = /home/me/project/venv/bin\nrelocatable = true\n",
];
const PTH_LINES: [&str; 8] = [
    "/home/me/project/src\n",
    "/gone\n",
    "import os\n",
    "..\n",
    "import sample_package; sample_package.start()\n",
    "# comment\n\n",
    "/home/me/project/src/../src\n./x\n",
    "import __editable___sample_finder; __editable___sample_finder.install()\n",
];
const FILES: [(&str, &str); 15] = [
    (
        "pyproject.toml",
        "[project]\nname = 'sample'\nversion = '1'\nrequires-python = '>=3.12'\ndependencies = ['six>=2', 'gone']\n",
    ),
    ("pyproject.toml", "[tool.poetry.dependencies]\npython = '^3.8'\nsix = '*'\n[project"),
    ("requirements.txt", "six==1.0\n-r other.txt\nsample-package @ file:///home/me/x\n"),
    ("other.txt", "-r requirements.txt\nrequests<1; python_version < '3'\n"),
    ("setup.py", "from setuptools import setup\nsetup(install_requires=['six'], python_requires='>3.6')\n"),
    ("setup.cfg", "[options]\ninstall_requires =\n  six\n"),
    (".python-version", "3.12.1\nwork\n"),
    ("Pipfile", "[packages]\nsix = '*'\n[requires]\npython_version = '3.9'\n"),
    ("app.py", "import six, requests\nfrom sample_package import x\nimport json\n"),
    ("json.py", "import os\n"),
    ("Makefile", "all:\n\tsource .venv/bin/activate\n\tsudo pip install six\n"),
    ("Dockerfile", "FROM python:3.11\nRUN source venv/bin/activate && pip install six\n"),
    (".vscode/settings.json", "{\"python.defaultInterpreterPath\": \"${workspaceFolder}/gone/bin/python\"}"),
    ("environment.yml", "name: work\ndependencies:\n  - python=3.9\n"),
    (".git/HEAD", "ref: refs/heads/main\n"),
];
const VARIABLES: [(&str, &str); 22] = [
    ("VIRTUAL_ENV", "/home/me/project/.venv"),
    ("VIRTUAL_ENV", "/home/me/.virtualenvs/work"),
    ("VIRTUAL_ENV", "/gone"),
    ("VIRTUAL_ENV", "relative"),
    ("CONDA_PREFIX", "/home/me/miniconda3"),
    ("CONDA_DEFAULT_ENV", "base"),
    ("CONDA_SHLVL", "2"),
    ("PYTHONPATH", "/home/me/project/src::/gone:."),
    ("PYTHONHOME", "/usr:/gone"),
    ("PYTHONSTARTUP", "/gone.py"),
    ("PYTHONUSERBASE", "./base"),
    ("PYTHONNOUSERSITE", "1"),
    ("PYTHONSAFEPATH", "1"),
    ("PIP_USER", "yes"),
    ("PIP_TARGET", "/gone"),
    ("PIP_INDEX_URL", "https://me:hunter2@example.org/simple"),
    ("PYENV_VERSION", "3.9.1"),
    ("PYENV_ROOT", "/home/me/.pyenv"),
    ("UV_PYTHON", "3.13"),
    ("HOME", "/gone"),
    ("SHELL", "/usr/bin/fish"),
    ("LD_LIBRARY_PATH", "/gone/lib"),
];
const SHELLS: [&str; 6] = ["bash", "-zsh", "fish", "tcsh", "pwsh", "make"];

/// A machine that was used: what makes it a machine of its system, and then every step in turn.
fn machine(system: u8, steps: &[Step]) -> FakeMachine {
    let mut machine = match system % 4 {
        0 => FakeMachine::macos(),
        1 => FakeMachine::linux().root(),
        _ => FakeMachine::linux(),
    };
    machine = machine
        .executable("/usr/bin/python3.11", "\x7fELF\x02\x01\x01")
        .link("/usr/bin/python3", "python3.11")
        .file("/usr/lib/python3.11/os.py", "")
        .file("/usr/lib/python3.11/json/__init__.py", "")
        .variable("HOME", "/home/me")
        .variable("PATH", "/usr/bin")
        .cwd("/home/me/project");
    let mut search_path: Vec<&str> = vec!["/usr/bin"];
    for (what, first, second) in steps {
        let (what, first, second) = (usize::from(*what), usize::from(*first), usize::from(*second));
        let root = ROOTS[first % ROOTS.len()];
        let minor = MINORS[second % MINORS.len()];
        let packages = format!("{root}/lib/python{minor}/site-packages");
        let name = NAMES[second % NAMES.len()];
        machine = match what % 16 {
            0 => machine.file(format!("{root}/pyvenv.cfg"), CONFIGS[second % CONFIGS.len()]),
            1 => {
                let link = ["python", "python3", "python3.11", "pip"][second % 4];
                machine.link(format!("{root}/bin/{link}"), TARGETS[(first + second) % TARGETS.len()])
            }
            2 => machine.executable(
                format!("{root}/bin/{}", ["python", "pip", "six"][second % 3]),
                "#!/gone/bin/python\nimport six\n",
            ),
            3 | 4 => {
                let metadata = format!("{packages}/{name}-{}.dist-info", first % 3);
                machine
                    .file(
                        format!("{metadata}/METADATA"),
                        format!(
                            "Metadata-Version: 2.1\nName: {name}\nVersion: {}\nRequires-Dist: {}>=1\n",
                            first % 3,
                            NAMES[first % NAMES.len()]
                        ),
                    )
                    .file(
                        format!("{metadata}/RECORD"),
                        format!("{name}.py,,\n../../../bin/{name},,\ngone.py,,\n"),
                    )
                    .file(format!("{packages}/{name}.py"), "")
            }
            5 => machine.file(format!("{packages}/{name}.pth"), PTH_LINES[first % PTH_LINES.len()]),
            6 | 7 => {
                let (file, content) = FILES[second % FILES.len()];
                machine.file(format!("/home/me/project/{file}"), content)
            }
            8 => {
                let (variable, value) = VARIABLES[second % VARIABLES.len()];
                machine.variable(variable, value)
            }
            9 => {
                search_path.insert(first % (search_path.len() + 1), DIRECTORIES[second % DIRECTORIES.len()]);
                machine.variable("PATH", search_path.join(":"))
            }
            10 => machine.process(&[SHELLS[first % SHELLS.len()]], &[]),
            11 => machine.mode(root, [0o000, 0o555, 0o700, 0o111][second % 4]),
            12 => machine.deny([root, &packages, "/home/me/project", "/usr/lib/python3.11"][second % 4]),
            13 => machine.remove(
                [packages.as_str(), "/usr/bin/python3.11", "/home/me/project/.venv/bin", root][second % 4],
            ),
            14 => machine.special(
                [format!("{root}/pyvenv.cfg"), format!("{packages}/{name}.pth")][second % 2].clone(),
            ),
            _ => machine.file(format!("{root}/conda-meta/history"), ""),
        };
    }
    // where everything was removed, the doctor still stands somewhere
    machine.dir("/home/me/project")
}

fn steps() -> impl Strategy<Value = (u8, Vec<Step>)> {
    (any::<u8>(), vec(any::<Step>(), 0..40))
}

/// Every path that the facts hold, and every directory above one.
fn known_paths(facts: &Facts) -> BTreeSet<String> {
    fn collect(value: &serde_json::Value, found: &mut BTreeSet<String>) {
        match value {
            serde_json::Value::String(text) => {
                let mut rest = text.trim_end_matches('/');
                while rest.contains('/') && found.insert(rest.to_owned()) {
                    rest = rest.rsplit_once('/').map_or("", |(above, _)| above);
                }
            }
            serde_json::Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
            serde_json::Value::Object(values) => values.values().for_each(|value| collect(value, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::from(["/".to_owned()]);
    collect(&serde_json::to_value(facts).unwrap(), &mut found);
    found
}

/// What a finding speaks of is among the facts, and a line that it names is a line of that file.
fn cites_what_exists(
    machine: &FakeMachine,
    known: &BTreeSet<String>,
    finding: &Finding,
) -> Result<(), TestCaseError> {
    prop_assert!(!finding.evidence.is_empty(), "no evidence: {:?}", finding);
    if let Some(path) = finding.subject.path() {
        let shown = path.to_string();
        let is_known = known.contains(shown.trim_end_matches('/')) || machine.link_metadata(path).is_ok();
        prop_assert!(is_known, "{} is no fact: {:?}", shown, finding);
        if let Some(line) = finding.subject.line_number() {
            let text = machine.read(path, 1 << 20).map(|contents| contents.text().into_owned());
            let lines = text.unwrap_or_default().lines().count();
            prop_assert!((1..=lines.max(1)).contains(&line), "line {} of {}: {:?}", line, lines, finding);
        }
    }
    for evidence in &finding.evidence {
        // a value that is a path and nothing else; of what is gone, the place is a fact
        let value = evidence.value.trim_end_matches('/');
        if value.starts_with('/') && !value.contains([' ', ':', ',', '*']) {
            let above = value.rsplit_once('/').map_or("", |(above, _)| above);
            let there = [value, above].iter().any(|path| {
                known.contains(*path) || machine.link_metadata(&HostPath::posix(path.as_bytes())).is_ok()
            });
            prop_assert!(there, "{} is no fact: {:?}", value, finding);
        }
    }
    finding.symptoms.iter().try_for_each(|symptom| cites_what_exists(machine, known, symptom))
}

#[test]
fn any_machine_has_a_report_that_cites_what_exists() {
    let number = cases(250);
    runner(number)
        .run(&steps(), |(system, steps)| {
            let machine = machine(system, &steps);
            let failed = |error: gather::RequestError| TestCaseError::fail(error.to_string());
            let mut facts = gather::facts(&machine, &request()).map_err(failed)?;
            gather::complete(&machine, &mut facts, request().deadline).map_err(failed)?;
            let known = known_paths(&facts);
            let diagnosis = diagnosed(&facts);
            diagnosis.findings.iter().try_for_each(|finding| cites_what_exists(&machine, &known, finding))
        })
        .unwrap();
    if usual() {
        attempt("Properties", "machines made up at random").of(number as usize);
    }
}

/// The files of a project with an environment that has faults of many kinds, by their places in it.
fn project_files() -> Vec<(String, String)> {
    let packages = ".venv/lib/python3.11/site-packages";
    let mut files = vec![
        (".venv/pyvenv.cfg".to_owned(), CONFIGS[2].to_owned()),
        (".venv/bin/activate".to_owned(), "VIRTUAL_ENV='/gone/.venv'\nexport VIRTUAL_ENV\n".to_owned()),
    ];
    for name in NAMES {
        let metadata = format!("{packages}/{name}-1.dist-info");
        files.push((
            format!("{metadata}/METADATA"),
            format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1\nRequires-Dist: lost>=2\n"),
        ));
        files.push((format!("{metadata}/RECORD"), format!("{name}.py,,\ngone.py,,\n")));
        files.push((format!(".venv/bin/{name}"), format!("#!/gone/bin/python\nfrom {name} import main\n")));
    }
    for (number, line) in PTH_LINES.iter().enumerate() {
        files.push((format!("{packages}/p{number}.pth"), (*line).to_owned()));
    }
    files.extend(FILES.map(|(name, text)| (name.to_owned(), text.to_owned())));
    files
}

/// What the program says of these files, laid out in this order in a directory that was empty.
fn report_of(root: &Path, files: &[(String, String)]) -> String {
    let _ = fs::remove_dir_all(root);
    for (name, text) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_venv-doctor"))
        .args(["--no-exec", "--format", "json"])
        .current_dir(root)
        .env_clear()
        .envs([("HOME", root.to_str().unwrap()), ("PATH", "/usr/bin:/bin")])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_order_in_which_files_came_changes_no_finding() {
    let directory = tempfile::Builder::new().prefix("order").tempdir().unwrap();
    let root = directory.path().canonicalize().unwrap().join("project");
    let mut files = project_files();
    // two of these files have a place twice: only the first one is laid out, so that the order decides nothing
    let mut seen = BTreeSet::new();
    files.retain(|(name, _)| seen.insert(name.clone()));
    let expected = report_of(&root, &files);
    assert!(
        expected.contains("missing-distribution-files") || expected.contains("broken-entry-script"),
        "{expected}"
    );
    let number = cases(12);
    runner(number)
        .run(&Just(files).prop_shuffle(), |files| {
            prop_assert_eq!(&report_of(&root, &files), &expected);
            Ok(())
        })
        .unwrap();
    if usual() {
        attempt("Properties", "the same files, laid out in another order").of(number as usize);
    }
}

/// Whatever order the file system keeps, a listing is sorted and whole.
#[cfg(unix)]
#[test]
fn a_listing_has_one_order() {
    use std::os::unix::ffi::OsStrExt;
    let names = proptest::collection::btree_set("[^/\0]{1,40}", 0..30);
    let number = cases(40);
    runner(number)
        .run(
            &names.prop_flat_map(|names| {
                (Just(names.clone()), Just(names.into_iter().collect::<Vec<_>>()).prop_shuffle())
            }),
            |(names, shuffled)| {
                let directory = tempfile::Builder::new().prefix("list").tempdir().unwrap();
                let written = |name: &String| name != "." && name != "..";
                for name in shuffled.iter().filter(|name| written(name)) {
                    fs::write(directory.path().join(name), "").unwrap();
                }
                let listing = RealMachine::new()
                    .list(&HostPath::posix(directory.path().as_os_str().as_bytes()))
                    .unwrap();
                let listed: Vec<Vec<u8>> = listing.entries.into_iter().map(|entry| entry.name).collect();
                let expected: Vec<Vec<u8>> =
                    names.into_iter().filter(written).map(String::into_bytes).collect();
                prop_assert_eq!(listed, expected);
                Ok(())
            },
        )
        .unwrap();
    if usual() {
        attempt("Properties", "directories of any names, created in any order").of(number as usize);
    }
}

/// An installation of which the standard library may not be looked into was taken for the remains of a venv, and its
/// remedy was to make a venv anew in /usr.
#[test]
fn a_library_that_may_not_be_read_makes_no_installation_a_venv() {
    let machine = machine(2, &[(12, 0, 3)]);
    let diagnosis = diagnosed(&gather::facts(&machine, &request()).unwrap());
    let found: Vec<&str> = diagnosis.findings.iter().map(|finding| finding.check).collect();
    assert!(!found.contains(&"missing-pyvenv-cfg"), "{found:?}");
    attempt("Properties", "a library that may not be read").of(1);
}
