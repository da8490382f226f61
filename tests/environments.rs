//! Every interpreter on this machine, every creator: a healthy environment is silent, and a fault made for
//! real gives exactly its finding. What cannot be built here is reported as ignored.
//!
//! A fixed sample of the faults runs by default; `VENV_DOCTOR_FULL=1` runs all of them.
#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code
)]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use support::{
    Creator, Place, Python, cure, entry_script, executable, findings, install, loud, pythons, run, text,
};

/// A fault: its name, how it is made in an active, healthy environment, which finding must come first, which other
/// warnings it justifies, and a command line that fails before the cure and works after it.
struct Fault {
    name: &'static str,
    make: fn(&mut Situation),
    first: &'static str,
    also: &'static [&'static str],
    works: Option<&'static str>,
    /// Whether it can be made in an environment of this creator.
    suits: fn(Creator, &Python) -> bool,
}

struct Situation {
    place: Place,
    python: Python,
    creator: Creator,
    venv: PathBuf,
}

impl Situation {
    /// An active environment with a package and its script, and a project that needs it.
    fn healthy(python: &Python, creator: Creator) -> Situation {
        let mut place = Place::new();
        let venv = place.project.join(".venv");
        creator.make(python, &venv);
        install(&venv, python, "sample");
        entry_script(&venv, "sample", "sample");
        place.write("requirements.txt", "sample\n");
        place.write("main.py", "import sample\nsample.main()\n");
        place.activate(&venv);
        Situation { place, python: python.clone(), creator, venv }
    }

    fn bin(&self, name: &str) -> PathBuf {
        self.venv.join("bin").join(name)
    }

    /// The interpreter that the environment's links end in outside of it.
    fn relink(&self, target: &Path) {
        for name in ["python", "python3", &format!("python{}", self.python.minor)] {
            let link = self.bin(name);
            if fs::symlink_metadata(&link).is_ok() {
                fs::remove_file(&link).unwrap();
                symlink(target, &link).unwrap();
            }
        }
    }
}

const EVERY: fn(Creator, &Python) -> bool = |_, _| true;
/// The interpreter is a link.
const LINKED: fn(Creator, &Python) -> bool =
    |creator, python| creator != Creator::VenvCopies && python.number() >= (3, 0);
/// Faults that do not depend on what made the environment.
const BY_VENV: fn(Creator, &Python) -> bool =
    |creator, python| creator == Creator::Venv && python.number() >= (3, 6);
/// The files name the environment's place, and Python 3 finds `pyvenv.cfg` by itself.
const MODERN: fn(Creator, &Python) -> bool = |_, python| python.number() >= (3, 3);

const FAULTS: &[Fault] = &[
    Fault {
        name: "moved",
        make: |situation| {
            let project = situation.place.root().join("renamed");
            fs::rename(&situation.place.project, &project).unwrap();
            situation.place.project = project;
            situation.venv = situation.place.project.join(".venv");
            situation.place.variables.remove("VIRTUAL_ENV");
            situation.place.set("PATH", "/usr/local/bin:/usr/bin:/bin");
        },
        first: "moved-venv",
        also: &["forgotten-activation"],
        works: Some(".venv/bin/sample"),
        suits: EVERY,
    },
    Fault {
        name: "copied",
        make: |situation| {
            let copy = situation.place.root().join("copy");
            run(std::process::Command::new("cp").arg("-a").arg(&situation.place.project).arg(&copy));
            situation.place.project = copy;
            situation.venv = situation.place.project.join(".venv");
            situation.place.variables.remove("VIRTUAL_ENV");
            situation.place.set("PATH", "/usr/local/bin:/usr/bin:/bin");
        },
        first: "copied-venv",
        also: &["forgotten-activation"],
        works: Some("head -1 .venv/bin/sample | grep -q /copy/"),
        suits: EVERY,
    },
    Fault {
        name: "the base is gone",
        make: |situation| situation.relink(Path::new("/nowhere/python/bin/python3")),
        first: "dangling-interpreter",
        also: &[],
        works: None,
        suits: LINKED,
    },
    Fault {
        name: "links in a circle",
        make: |situation| {
            situation.relink(Path::new("python3"));
            fs::remove_file(situation.bin("python3")).unwrap();
            symlink("python", situation.bin("python3")).unwrap();
        },
        first: "interpreter-link-loop",
        also: &[],
        works: None,
        suits: LINKED,
    },
    Fault {
        name: "no pyvenv.cfg",
        make: |situation| fs::remove_file(situation.venv.join("pyvenv.cfg")).unwrap(),
        first: "missing-pyvenv-cfg",
        also: &[],
        works: Some("python -c 'import sample'"),
        suits: LINKED,
    },
    Fault {
        name: "pyvenv.cfg in UTF-16",
        make: |situation| {
            let path = situation.venv.join("pyvenv.cfg");
            let config = fs::read_to_string(&path).unwrap();
            let wide: Vec<u8> =
                [0xfeff].into_iter().chain(config.encode_utf16()).flat_map(u16::to_le_bytes).collect();
            fs::write(&path, wide).unwrap();
        },
        first: "invalid-pyvenv-cfg",
        also: &[],
        works: None,
        suits: MODERN,
    },
    Fault {
        name: "lost execute bits",
        make: |situation| {
            for entry in fs::read_dir(situation.venv.join("bin")).unwrap() {
                let path = entry.unwrap().path();
                if !path.is_symlink() {
                    executable(&path, false);
                }
            }
        },
        first: "interpreter-not-executable",
        also: &[],
        works: Some("python -c 'import sample'"),
        suits: |creator, _| creator == Creator::VenvCopies,
    },
    Fault {
        name: "another minor version behind the link",
        make: |situation| {
            let other = pythons()
                .into_iter()
                .find(|other| other.number() >= (3, 6) && other.number() != situation.python.number());
            situation.relink(&other.unwrap().path);
        },
        first: "python-version-switched",
        also: &[],
        works: None,
        suits: LINKED,
    },
    Fault {
        name: "not activated",
        make: |situation| {
            situation.place.variables.remove("VIRTUAL_ENV");
            situation.place.set("PATH", "/usr/local/bin:/usr/bin:/bin");
        },
        first: "forgotten-activation",
        also: &["python-command-missing"],
        works: Some("python -c 'import sample'"),
        suits: EVERY,
    },
    Fault {
        name: "PATH lost",
        make: |situation| situation.place.set("PATH", "/usr/local/bin:/usr/bin:/bin"),
        first: "lost-activation",
        also: &["python-command-missing"],
        works: Some("python -c 'import sample'"),
        suits: EVERY,
    },
    Fault {
        name: "deleted while active",
        make: |situation| fs::remove_dir_all(&situation.venv).unwrap(),
        first: "stale-activation",
        also: &["python-command-missing"],
        works: None,
        suits: EVERY,
    },
    Fault {
        name: "another project's environment is active",
        make: |situation| {
            let other = situation.place.root().join("other/.venv");
            fs::create_dir_all(other.parent().unwrap()).unwrap();
            situation.creator.make(&situation.python, &other);
            situation.place.activate(&other);
        },
        first: "wrong-environment-active",
        also: &[],
        works: Some("python -c 'import sample'"),
        suits: EVERY,
    },
    Fault {
        name: "the system comes first on PATH",
        make: |situation| {
            let path = format!("/usr/local/bin:/usr/bin:/bin:{}/bin", situation.venv.display());
            situation.place.set("PATH", path);
        },
        first: "shadowed-environment",
        also: &["python-names-disagree", "pip-elsewhere"],
        works: Some("python3 -c 'import sample'"),
        suits: |_, python| python.number() >= (3, 0),
    },
    Fault {
        name: "a script's interpreter is gone",
        make: |situation| {
            let text = fs::read_to_string(situation.bin("sample")).unwrap();
            let line = text.lines().next().unwrap();
            fs::write(situation.bin("sample"), text.replace(line, "#!/nowhere/bin/python")).unwrap();
        },
        first: "broken-shebang",
        also: &[],
        works: None,
        suits: EVERY,
    },
    Fault {
        name: "a script with CR LF",
        make: |situation| {
            let text = fs::read_to_string(situation.bin("sample")).unwrap();
            fs::write(situation.bin("sample"), text.replace('\n', "\r\n")).unwrap();
        },
        first: "crlf-shebang",
        also: &[],
        works: Some(".venv/bin/sample"),
        suits: EVERY,
    },
    Fault {
        name: "a file of the project hides a package",
        make: |situation| {
            situation.place.write("sample.py", "import sample\nsample.main()\n");
        },
        first: "shadowed-package",
        also: &[],
        works: Some("python main.py"),
        suits: BY_VENV,
    },
    Fault {
        name: "a file of the project hides the standard library",
        make: |situation| {
            situation.place.write("random.py", "import random\nprint(random.choice([1]))\n");
        },
        first: "shadowed-stdlib",
        also: &[],
        works: None,
        suits: BY_VENV,
    },
    Fault {
        name: "made on Windows",
        make: |situation| {
            fs::remove_dir_all(&situation.venv).unwrap();
            fs::create_dir_all(situation.venv.join("Scripts")).unwrap();
            fs::create_dir_all(situation.venv.join("Lib/site-packages")).unwrap();
            fs::write(situation.venv.join("Scripts/activate"), "VIRTUAL_ENV='C:\\p\\.venv'\n").unwrap();
            fs::write(situation.venv.join("Scripts/python.exe"), "MZ").unwrap();
            fs::write(situation.venv.join("pyvenv.cfg"), "home = C:\\Python312\nversion = 3.12.4\n").unwrap();
            situation.place.variables.remove("VIRTUAL_ENV");
            situation.place.set("PATH", "/usr/local/bin:/usr/bin:/bin");
        },
        first: "foreign-platform-venv",
        also: &["forgotten-activation", "python-command-missing"],
        works: Some("test -n \"$VIRTUAL_ENV\" && python -c 1"),
        suits: BY_VENV,
    },
    Fault {
        name: "interrupted before pip came",
        make: |situation| {
            fs::remove_dir_all(&situation.venv).unwrap();
            run(std::process::Command::new(&situation.python.path)
                .args(["-m", "venv", "--without-pip"])
                .arg(&situation.venv));
            for name in ["activate", "activate.csh", "activate.fish", "Activate.ps1"] {
                let _ = fs::remove_file(situation.bin(name));
            }
        },
        first: "incomplete-venv",
        also: &[],
        works: Some("python -m pip --version | grep -q /project/"),
        suits: BY_VENV,
    },
];

const CREATORS: [Creator; 4] = [Creator::Venv, Creator::VenvCopies, Creator::Virtualenv, Creator::Uv];

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    let all = pythons();
    for python in &all {
        for creator in CREATORS {
            let label = format!("{} by {} {}", python.minor, creator.label(), source(python));
            let possible = creator.cannot(python).is_none();
            trials.push(trial(format!("healthy::{label}"), possible, python, creator, healthy));
            for fault in FAULTS.iter().filter(|fault| (fault.suits)(creator, python)) {
                if support::full() || sampled(&all, python, creator) {
                    let name = format!("{}::{label}", fault.name.replace(' ', "_"));
                    trials.push(trial(name, possible, python, creator, |python, creator| {
                        broken(fault, python, creator)
                    }));
                }
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// venv on the oldest interpreter that it makes environments for, a middle one and the newest; the other creators on
/// the middle one.
fn sampled(all: &[Python], python: &Python, creator: Creator) -> bool {
    let able: Vec<&Python> = all.iter().filter(|python| creator.cannot(python).is_none()).collect();
    let middle = able.get(able.len() / 2);
    let chosen = match creator {
        Creator::Venv => [able.first(), middle, able.last()],
        _ => [middle, None, None],
    };
    chosen.into_iter().flatten().any(|chosen| chosen.path == python.path)
}

fn source(python: &Python) -> &'static str {
    if python.path.starts_with("/usr") { "(the system's)" } else { "(pyenv's)" }
}

fn trial(
    name: String,
    possible: bool,
    python: &Python,
    creator: Creator,
    body: impl Fn(&Python, Creator) -> Result<(), String> + Send + 'static,
) -> Trial {
    let python = python.clone();
    Trial::test(name, move || body(&python, creator).map_err(Failed::from)).with_ignored_flag(!possible)
}

fn healthy(python: &Python, creator: Creator) -> Result<(), String> {
    let mut situation = Situation::healthy(python, creator);
    let works = situation.place.bash("python main.py");
    if !works.status.success() {
        return Err(format!("the test's own environment does not work: {}", text(&works.stderr)));
    }
    for what in ["activated", "only on PATH"] {
        let report = situation.place.report(&[]);
        if !loud(&report).is_empty() {
            return Err(format!("{what}: {report:#}"));
        }
        situation.place.variables.remove("VIRTUAL_ENV");
    }
    Ok(())
}

fn broken(fault: &Fault, python: &Python, creator: Creator) -> Result<(), String> {
    let mut situation = Situation::healthy(python, creator);
    (fault.make)(&mut situation);
    let report = situation.place.report(&[]);
    let found = findings(&report);
    let first = found.first().and_then(|finding| finding.split(' ').nth(1)).unwrap_or("nothing");
    if first != fault.first {
        return Err(format!("{} was expected first, found {found:?}\n{report:#}", fault.first));
    }
    let noise: Vec<String> = loud(&report)
        .into_iter()
        .skip(1)
        .filter(|finding| !fault.also.contains(&finding.split(' ').nth(1).unwrap_or_default()))
        .collect();
    if !noise.is_empty() {
        return Err(format!("nothing justifies {noise:?}\n{report:#}"));
    }
    let Some(works) = fault.works else { return Ok(()) };
    if situation.place.bash(works).status.success() {
        return Err(format!("the fault does no harm: {works} works"));
    }
    let commands = cure(&report);
    let cured = situation.place.bash(&format!("{commands}\n{works}"));
    if !cured.status.success() {
        return Err(format!("not cured by\n{commands}\n{}{}", text(&cured.stdout), text(&cured.stderr)));
    }
    Ok(())
}
