use super::*;
use crate::facts::search_path::{Absent, ShimManager, Target};
use crate::host::Mount;
use crate::host::fake::FakeMachine;

const ELF: &str = "\x7fELF";

fn debian() -> FakeMachine {
    FakeMachine::linux()
        .executable("/usr/bin/python3.11", ELF)
        .link("/usr/bin/python3", "python3.11")
        .executable("/usr/bin/pip3", "#!/usr/bin/python3\n")
}

fn with_venv(machine: FakeMachine, root: &str) -> FakeMachine {
    machine
        .file(format!("{root}/pyvenv.cfg"), "home = /usr/bin")
        .link(format!("{root}/bin/python"), "/usr/bin/python3")
        .link(format!("{root}/bin/python3"), "python")
        .executable(format!("{root}/bin/pip"), format!("#!{root}/bin/python\n"))
}

fn read(machine: &FakeMachine) -> SearchPath {
    search_path(machine, machine.variable("PATH").as_deref())
}

fn command(machine: &FakeMachine, name: &str) -> Command {
    commands(machine, &read(machine), &[name]).remove(0)
}

fn chosen(machine: &FakeMachine, name: &str) -> Option<(String, Target)> {
    let command = command(machine, name);
    command.chosen().map(|hit| (hit.path.to_text().into_owned(), hit.leads_to.clone()))
}

fn root(text: &str) -> Option<HostPath> {
    Some(HostPath::posix(text))
}

#[test]
fn unset_is_not_empty() {
    let machine = debian();
    assert_eq!(search_path(&machine, None), SearchPath::default());
    let empty = search_path(&machine, Some(b""));
    assert!(empty.set);
    assert_eq!(empty.entries[0].spelling, Spelling::Empty);
    assert_eq!(empty.entries[0].directory, root("/home/me"));
}

#[test]
fn reads_entries_as_written_and_as_meant() {
    let machine = debian()
        .dir("/home/me/bin")
        .file("/file", "")
        .dir("/shut")
        .deny("/shut")
        .link("/bin", "usr/bin")
        .cwd("/p")
        .dir("/p/tools")
        .variable(
            "PATH",
            b"/usr/bin/:tools:~/bin::/none:/file:/shut:/bin:/usr//bin:/caf\xe9:/usr/../p/tools",
        );
    let found = read(&machine);
    let states: Vec<_> = found.entries.iter().map(|entry| (entry.spelling, entry.state)).collect();
    use EntryState as State;
    assert_eq!(
        states,
        [
            (Spelling::Absolute, State::Directory),
            (Spelling::Relative, State::Directory),
            (Spelling::Tilde, State::Directory),
            (Spelling::Empty, State::Directory),
            (Spelling::Absolute, State::Missing),
            (Spelling::Absolute, State::NotADirectory),
            (Spelling::Absolute, State::Denied),
            (Spelling::Absolute, State::Directory),
            (Spelling::Absolute, State::Directory),
            (Spelling::Absolute, State::Missing),
            (Spelling::Absolute, State::Directory),
        ]
    );
    assert_eq!(found.entries[0].names, ["python3", "pip3", "python3.11"]);
    assert_eq!(found.entries[0].directory, root("/usr/bin"));
    assert_eq!(found.entries[0].owner, Some(DirectoryOwner::System));
    assert_eq!(found.entries[1].directory, root("/p/tools"));
    assert_eq!(found.entries[2].directory, root("/home/me/bin"));
    assert_eq!(found.entries[3].directory, root("/p"));
    let duplicates: Vec<_> = found.entries.iter().map(|entry| entry.duplicate_of).collect();
    assert_eq!(duplicates[7..], [Some(0), Some(0), None, Some(1)]);
    assert_eq!(found.entries[7].real, root("/usr/bin"));
    assert_eq!(found.entries[7].names, found.entries[0].names);
    assert_eq!(found.entries[9].raw, "/caf\\xe9");
    assert_eq!(found.entries[9].directory, Some(HostPath::posix(b"/caf\xe9")));
}

#[test]
fn a_deleted_working_directory_is_nowhere() {
    let machine = debian().without_cwd().variable("PATH", ":x:/usr/bin");
    let found = read(&machine);
    assert_eq!((&found.entries[0].directory, &found.entries[1].directory), (&None, &None));
    assert!(chosen(&machine, "python3").is_some());
}

#[test]
fn knows_whose_a_directory_is() {
    let machine = with_venv(debian(), "/p/.venv")
        .dir("/c/env/conda-meta")
        .dir("/c/env/bin")
        .file("/home/me/.local/share/pipx/venvs/black/pyvenv.cfg", "")
        .dir("/home/me/.local/share/pipx/venvs/black/bin")
        .dir("/home/me/.pyenv/versions/3.12.1/bin")
        .dir("/opt/homebrew/opt/python@3.12/libexec/bin");
    let of = |path: &str| {
        let found = search_path(&machine, Some(path.as_bytes()));
        (found.entries[0].owner, found.entries[0].environment.clone())
    };
    use DirectoryOwner as Owner;
    assert_eq!(of("/p/.venv/bin"), (Some(Owner::Venv), root("/p/.venv")));
    assert_eq!(of("/c/env/bin"), (Some(Owner::Conda), root("/c/env")));
    let pipx = "/home/me/.local/share/pipx/venvs/black";
    assert_eq!(of(&format!("{pipx}/bin")), (Some(Owner::Pipx), root(pipx)));
    for (path, owner) in [
        ("/home/me/.local/bin", Owner::UserBase),
        ("/home/me/.pyenv/shims", Owner::PyenvShims),
        ("/home/me/.pyenv/versions/3.12.1/bin", Owner::PyenvVersion),
        ("/home/me/.asdf/shims", Owner::AsdfShims),
        ("/home/me/.local/share/mise/shims", Owner::MiseShims),
        ("/home/me/.local/share/mise/installs/python/3.12/bin", Owner::MiseInstall),
        ("/home/me/.local/share/uv/python/cpython-3.12/bin", Owner::UvPython),
        ("/opt/homebrew/opt/python@3.12/libexec/bin", Owner::Homebrew),
        ("/nix/store/x/bin", Owner::Nix),
        ("/opt/miniconda/condabin", Owner::Conda),
        ("/usr/local/bin", Owner::System),
    ] {
        assert_eq!(of(path), (Some(owner), None), "{path}");
    }
    assert_eq!(of("/somewhere/bin"), (None, None));
}

#[test]
fn keeps_what_a_search_skips() {
    let machine = debian()
        .file("/a/python3", ELF)
        .link("/b/python3", "/gone/python3")
        .link("/c/python3", "python3")
        .dir("/d/python3")
        .executable("/e/python3", ELF)
        .mounted("/e", Mount { noexec: true, read_only: false })
        .executable("/secret/python3", ELF)
        .deny("/secret")
        .link("/f/python3", "/secret/python3")
        .special("/g/python3")
        .variable("PATH", "/a:/b:/c:/d:/e:/f:/g:/usr/bin");
    let command = command(&machine, "python3");
    let states: Vec<HitState> = command.hits.iter().map(|hit| hit.state).collect();
    use HitState::*;
    assert_eq!(
        states,
        [NotExecutable, Dangling, Loop, Directory, NotExecutable, Denied, NotExecutable, Runnable]
    );
    assert_eq!(command.chosen().map(|hit| hit.entry), Some(7));
    assert_eq!(command.near_misses().count(), 7);
    assert_eq!(command.which_disagrees, None);
}

#[test]
fn a_repeated_directory_counts_once() {
    let machine = debian().link("/bin", "usr/bin").variable("PATH", "/usr/bin:/bin:/usr/bin/");
    assert_eq!(command(&machine, "python3").hits.len(), 1);
    assert_eq!(command(&machine, "python3.11").hits.len(), 1);
}

#[test]
fn only_the_second_opinion_expands_a_tilde() {
    let machine = debian().executable("/home/me/bin/python3", ELF).variable("PATH", "~/bin:/usr/bin");
    let found = command(&machine, "python3");
    assert_eq!(found.chosen().map(|hit| hit.path.clone()), root("/usr/bin/python3"));
    assert_eq!(found.which_disagrees, root("/home/me/bin/python3"));
    // the doctor's own PATH is not what the shell has
    let elsewhere = commands(&machine, &search_path(&machine, Some(b"/usr/bin")), &["python3"]);
    assert_eq!(elsewhere[0].which_disagrees, None);
}

#[test]
fn interpreters_belong_to_the_place_they_are_started_from() {
    let machine = with_venv(debian(), "/p/.venv")
        .link("/elsewhere/python", "/p/.venv/bin/python")
        .link("/broken/.venv/bin/python", "/gone/python3.9")
        .file("/broken/.venv/pyvenv.cfg", "home = /gone")
        .dir("/c/conda-meta")
        .executable("/c/bin/python3.12", ELF)
        .link("/c/bin/python", "python3.12")
        .link("/links/python", "/c/bin/python")
        .link("/venv-link", "/p/.venv");
    let of = |path: &str| interpreter_environment(&machine, &HostPath::posix(path));
    assert_eq!(of("/p/.venv/bin/python3"), root("/p/.venv"));
    assert_eq!(of("/venv-link/bin/python"), root("/venv-link"));
    assert_eq!(of("/elsewhere/python"), root("/usr"));
    assert_eq!(of("/broken/.venv/bin/python"), root("/broken/.venv"));
    assert_eq!(of("/c/bin/python"), root("/c"));
    assert_eq!(of("/links/python"), root("/c"));
    assert_eq!(of("/usr/bin/python3"), root("/usr"));
    assert_eq!(of("/nowhere/python"), None);
}

#[test]
fn scripts_lead_to_their_interpreter() {
    let machine = with_venv(debian(), "/p/.venv")
        .executable("/s/pip", "#!/usr/bin/env python3\n")
        .executable("/moved/bin/pip", "#!/old/.venv/bin/python\n")
        .executable("/long/bin/pip", "#!/bin/sh\n'''exec' \"/p/.venv/bin/python\" \"$0\" \"$@\"\n' '''\n")
        .executable("/lost/pip", "#!/usr/bin/env python9\n")
        .executable("/bin/sh", ELF)
        .executable("/native/pip", ELF);
    let pip = |path: &str| chosen_on(&machine, path, "pip");
    let script = |interpreter: &str, runnable: bool, environment: Option<HostPath>| Target::Script {
        interpreter: HostPath::posix(interpreter),
        runnable,
        environment,
    };
    assert_eq!(pip("/p/.venv/bin"), Some(script("/p/.venv/bin/python", true, root("/p/.venv"))));
    assert_eq!(pip("/s:/usr/bin"), Some(script("/usr/bin/python3", true, root("/usr"))));
    assert_eq!(pip("/s:/p/.venv/bin"), Some(script("/p/.venv/bin/python3", true, root("/p/.venv"))));
    assert_eq!(pip("/moved/bin"), Some(script("/old/.venv/bin/python", false, None)));
    assert_eq!(pip("/long/bin"), Some(script("/p/.venv/bin/python", true, root("/p/.venv"))));
    assert_eq!(pip("/lost"), Some(Target::Unknown));
    assert_eq!(pip("/native"), Some(Target::Unknown));
}

#[test]
fn a_script_that_only_starts_python_leads_where_that_does() {
    let starts = |program: &str| format!("#!/usr/bin/env bash\nset -e\nexec {program} \"$@\"\n");
    let machine = with_venv(debian(), "/p/.venv")
        .executable("/bin/bash", ELF)
        .executable("/w/python", starts("/p/.venv/bin/python"))
        .executable("/twice/python", starts("/w/python"))
        .executable("/round/python", starts("/round/python"))
        .executable("/more/python", starts("\"$HOME/python\""))
        .executable("/named/python", starts("-a \"$0\" /p/.venv/bin/python"))
        .executable("/home/python", "#!/bin/sh\nexport PYTHONHOME=/x\nexec /usr/bin/python3 \"$@\"\n")
        .file("/own/pyvenv.cfg", "home = /usr/bin\n")
        .executable("/own/bin/python", starts("/usr/bin/python3"));
    for place in ["/w", "/twice"] {
        let target = Target::Script {
            interpreter: HostPath::posix("/p/.venv/bin/python"),
            runnable: true,
            environment: root("/p/.venv"),
        };
        assert_eq!(chosen_on(&machine, place, "python"), Some(target), "{place}");
    }
    for other in ["/round", "/more", "/named", "/home", "/own/bin"] {
        let target = chosen_on(&machine, &format!("{other}:/bin"), "python").unwrap();
        assert_eq!(target.environment(), None, "{other}");
    }
}

fn chosen_on(machine: &FakeMachine, path: &str, name: &str) -> Option<Target> {
    let found = search_path(machine, Some(path.as_bytes()));
    commands(machine, &found, &[name])[0].chosen().map(|hit| hit.leads_to.clone())
}

fn pyenv() -> FakeMachine {
    let shim = "#!/usr/bin/env bash\nset -e\n\nprogram=\"${0##*/}\"\n\nexport PYENV_ROOT=\"/home/me/.pyenv\"\n\
                    exec \"/home/me/.pyenv/libexec/pyenv\" exec \"$program\" \"$@\"\n";
    let root = "/home/me/.pyenv";
    let mut machine = debian();
    for version in ["3.11.7", "3.12.1", "3.12.10"] {
        machine = machine
            .executable(format!("{root}/versions/{version}/bin/python3"), ELF)
            .link(format!("{root}/versions/{version}/bin/python"), "python3");
    }
    machine
        .executable(
            format!("{root}/versions/3.11.7/bin/pip"),
            format!("#!{root}/versions/3.11.7/bin/python\n"),
        )
        .executable(format!("{root}/shims/python"), shim)
        .executable(format!("{root}/shims/python3"), shim)
        .executable(format!("{root}/shims/pip"), shim)
        .executable("/elsewhere/shims/python", shim)
        .cwd("/home/me/p/src")
}

fn shim(machine: &FakeMachine, name: &str) -> (Option<String>, Option<HostPath>, Option<String>) {
    match chosen_on(machine, "/home/me/.pyenv/shims:/usr/bin", name) {
        Some(Target::Shim { manager: ShimManager::Pyenv, version, environment, problem, .. }) => {
            (version, environment, problem)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn pyenv_shims_run_the_version_that_is_set() {
    let version = |text: &str| Some(text.to_owned());
    let prefix = |text: &str| root(&format!("/home/me/.pyenv/versions/{text}"));
    let machine = pyenv().file("/home/me/.pyenv/version", "3.11.7\n");
    assert_eq!(shim(&machine, "python"), (version("3.11.7"), prefix("3.11.7"), None));
    assert_eq!(shim(&machine, "pip"), (version("3.11.7"), prefix("3.11.7"), None));
    let machine = machine.file("/home/me/p/.python-version", "# ours\n3.12  # newest\n3.11.7\n");
    assert_eq!(shim(&machine, "python"), (version("3.12.10"), prefix("3.12.10"), None));
    assert_eq!(shim(&machine, "pip"), (version("3.11.7"), prefix("3.11.7"), None));
    let machine = machine.variable("PYENV_VERSION", "system:3.11.7");
    assert_eq!(shim(&machine, "python3"), (version("system"), root("/usr"), None));
    let machine = machine.variable("PYENV_VERSION", "python-3.12.1");
    assert_eq!(shim(&machine, "python"), (version("3.12.1"), prefix("3.12.1"), None));
    assert_eq!(shim(&pyenv(), "python3").0, version("system"));
}

#[test]
fn pyenv_shims_say_why_nothing_runs() {
    let machine = pyenv().file("/home/me/p/.python-version", "3.10\n");
    let (version, environment, problem) = shim(&machine, "python");
    assert_eq!((version.as_deref(), environment), (Some("3.10"), None));
    assert_eq!(
        problem.as_deref(),
        Some(
            "version 3.10 (set by /home/me/p/.python-version) is not installed; \
                 versions that have python: 3.11.7, 3.12.1, 3.12.10"
        )
    );
    let machine = pyenv().variable("PYENV_VERSION", "3.12.1");
    let problem = shim(&machine, "pip").2.unwrap();
    assert_eq!(problem, "version 3.12.1 (set by PYENV_VERSION) has no pip; versions that have pip: 3.11.7");
    let problem = shim(&pyenv().variable("PYENV_VERSION", "8.8:9.9"), "python").2.unwrap();
    assert!(problem.starts_with("versions 8.8, 9.9 (set by PYENV_VERSION) are not installed"), "{problem}");
    let problem = shim(&pyenv(), "python").2.unwrap();
    assert!(problem.starts_with("version system (set by pyenv's default) has no python"), "{problem}");
}

/// As pyenv 2.6.30 does.
#[test]
fn pyenv_passes_over_what_is_missing() {
    let machine = pyenv().variable("PYENV_VERSION", "9.9:3.12.1");
    let (version, _, problem) = shim(&machine, "python3");
    assert_eq!((version.as_deref(), problem), (Some("3.12.1"), None));
    let machine = pyenv().variable("PYENV_VERSION", "9.9");
    let (version, environment, problem) = shim(&machine, "python3");
    assert_eq!((version.as_deref(), environment), (Some("system"), root("/usr")));
    assert_eq!(
        problem.as_deref(),
        Some("version 9.9 (set by PYENV_VERSION) is not installed, so pyenv takes the system's python3")
    );
    let older = machine.file("/home/me/.pyenv/libexec/pyenv-which", "for version in \"${versions[@]}\"; do");
    assert_eq!(shim(&older, "python3").1, None);
    // an empty file is a choice of nothing
    let machine =
        pyenv().file("/home/me/.pyenv/version", "3.11.7\n").file("/home/me/p/.python-version", "# nothing\n");
    assert_eq!(shim(&machine, "python3").0.as_deref(), Some("system"));
}

#[test]
fn a_shim_in_another_place_is_known_by_its_text() {
    let machine = pyenv().variable("PYENV_VERSION", "3.12.1");
    let target = chosen_on(&machine, "/elsewhere/shims", "python");
    assert!(matches!(target, Some(Target::Shim { version: Some(version), .. }) if version == "3.12.1"));
}

#[test]
fn follows_asdf_and_mise() {
    let mise = "/home/me/.local/share/mise";
    let machine = debian()
        .executable("/home/me/.asdf/shims/python3", "#!/usr/bin/env bash\nexec asdf exec\n")
        .executable("/home/me/.asdf/installs/python/3.12.1/bin/python3", ELF)
        .link(format!("{mise}/shims/python3"), "/usr/bin/mise")
        .executable("/usr/bin/mise", ELF)
        .executable(format!("{mise}/installs/python/3.12.10/bin/python3"), ELF)
        .executable(format!("{mise}/installs/python/3.12.9/bin/python3"), ELF)
        .cwd("/home/me/p");
    let asdf = |machine: &FakeMachine| chosen_on(machine, "/home/me/.asdf/shims:/usr/bin", "python3");
    let mised =
        |machine: &FakeMachine| chosen_on(machine, "/home/me/.local/share/mise/shims:/usr/bin", "python3");
    let problem = "no version of Python is set for python3".to_owned();
    assert!(matches!(asdf(&machine), Some(Target::Shim { problem: Some(p), .. }) if p == problem));
    assert_eq!(mised(&machine).and_then(|t| t.environment().cloned()), root("/usr"));
    let machine = machine.file("/home/me/.tool-versions", "python 3.12.1\n");
    let target = asdf(&machine);
    assert_eq!(target.and_then(|t| t.environment().cloned()), root("/home/me/.asdf/installs/python/3.12.1"));
    let machine = machine.file("/home/me/p/mise.toml", "[tools]\npython = '3.12'\n");
    let target = mised(&machine);
    assert_eq!(
        target.and_then(|t| t.environment().cloned()),
        root(&format!("{mise}/installs/python/3.12.10"))
    );
    let machine = machine.file("/home/me/p/mise.toml", "[tools]\npython = '3.8'\n");
    let file = "/home/me/p/mise.toml";
    let absent = |target| match target {
        Some(Target::Shim { problem: Some(problem), absent, .. }) => (problem, absent),
        other => panic!("{other:?}"),
    };
    let (problem, none) = absent(mised(&machine));
    assert_eq!(problem, format!("version 3.8 (set by {file}) is not installed"));
    assert_eq!(none, Some(Absent { versions: vec!["3.8".into()], set_by: file.into() }));
    // one that is there speaks against a missing Python, whatever else it lacks
    let machine = machine.file(file, "[tools]\npython = ['3.8', '3.12', '3.7']\n");
    let machine = machine.link(format!("{mise}/shims/flask"), "/usr/bin/mise");
    let flask = chosen_on(&machine, "/home/me/.local/share/mise/shims:/usr/bin", "flask");
    let (problem, none) = absent(flask);
    assert_eq!(
        problem,
        format!("versions 3.8, 3.12, 3.7 (set by {file}) have no flask, and 3.8, 3.7 are not installed")
    );
    assert_eq!(none, None);
}

#[test]
fn windows_looks_for_endings_and_knows_the_store() {
    let apps = "C:\\Users\\me\\AppData\\Local\\Microsoft\\WindowsApps";
    let launcher = "MZ launcher #!\"C:\\p\\.venv\\Scripts\\python.exe\"\r\nPK\x03\x04 archive";
    let machine = FakeMachine::windows()
        .variable("PATHEXT", ".COM;.EXE;.BAT")
        .variable("LOCALAPPDATA", "C:\\Users\\me\\AppData\\Local")
        .executable(format!("{apps}\\python.exe"), "")
        .executable("C:\\p\\.venv\\Scripts\\python.exe", "MZ")
        .executable("C:\\p\\.venv\\Scripts\\pip.exe", launcher)
        .file("C:\\p\\.venv\\pyvenv.cfg", "home = C:\\Python312")
        .executable("C:\\Python312\\python.exe", "MZ")
        .cwd("C:\\p");
    let path = format!("{apps};;\"C:\\p\\.VENV\\Scripts\\\";C:\\Python312;.venv\\scripts");
    let machine = machine.variable("Path", &path);
    let found = read(&machine);
    assert_eq!(found.entries.len(), 5);
    assert_eq!(found.entries[0].owner, Some(DirectoryOwner::WindowsApps));
    assert_eq!(found.entries[1].directory, None);
    assert_eq!(found.entries[2].names, ["python", "pip"]);
    assert_eq!(found.entries[2].owner, Some(DirectoryOwner::Venv));
    assert_eq!(found.entries[4].duplicate_of, Some(2));
    let venv = machine.path("C:\\p\\.venv");
    let python = commands(&machine, &found, &["python", "pip"]);
    assert_eq!(python[0].chosen().map(|hit| &hit.leads_to), Some(&Target::StoreStub));
    assert!(python[0].hits[1].leads_to.environment().is_some_and(|root| root.same_as(&venv)));
    let base = python[0].hits[2].leads_to.environment();
    assert!(base.is_some_and(|root| root.same_as(&machine.path("C:\\Python312"))));
    assert!(matches!(
        python[1].chosen().map(|hit| &hit.leads_to),
        Some(Target::Script { runnable: true, environment: Some(root), .. }) if root.same_as(&venv)
    ));
    let machine = machine.dir(format!("{apps}\\PythonSoftwareFoundation.Python.3.12_qbz5n2kfra8p0"));
    let target = chosen(&machine, "python").map(|(_, target)| target);
    assert_eq!(target, Some(Target::Interpreter { environment: None }));
}

#[test]
fn a_very_long_path_is_cut_and_the_rest_counted() {
    let value = vec!["/none"; 10_000].join(":");
    let found = search_path(&debian(), Some(value.as_bytes()));
    assert_eq!((found.entries.len(), found.left_out), (ENTRY_LIMIT, 10_000 - ENTRY_LIMIT));
}

#[cfg(unix)]
mod real {
    use super::*;
    use crate::host::real::{RealMachine, bytes_of, from_std};
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;
    use std::time::{Duration, Instant};

    fn program(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn names_that_are_not_utf8_survive() {
        let scratch = tempfile::tempdir().unwrap();
        let base = scratch.path().canonicalize().unwrap().join(OsStr::from_bytes(b"caf\xe9"));
        program(&base.join("venv/bin/python3.12"), "\x7fELF");
        std::fs::write(base.join("venv/pyvenv.cfg"), "home = /usr/bin\n").unwrap();
        symlink("python3.12", base.join("venv/bin/python")).unwrap();
        let machine = RealMachine::new();
        let value = bytes_of(base.join("venv/bin").as_os_str());
        let found = search_path(&machine, Some(&value));
        assert_eq!(found.entries[0].names, ["python", "python3.12"]);
        let python = commands(&machine, &found, &["python"]).remove(0);
        let hit = python.chosen().unwrap();
        assert_eq!(hit.path, from_std(&base.join("venv/bin/python")).unwrap());
        assert_eq!(hit.leads_to.environment(), from_std(&base.join("venv")).as_ref());
    }

    /// The shell is the oracle: `command -v` in every state that a file can be in.
    #[test]
    fn agrees_with_the_shell() {
        let scratch = tempfile::tempdir().unwrap();
        let base = scratch.path().canonicalize().unwrap();
        program(&base.join("good/python"), "#!/bin/sh\n");
        program(&base.join("flat/python"), "#!/bin/sh\n");
        std::fs::set_permissions(base.join("flat/python"), std::fs::Permissions::from_mode(0o644)).unwrap();
        std::fs::create_dir_all(base.join("directory/python")).unwrap();
        for name in ["dangling", "loop", "linked"] {
            std::fs::create_dir(base.join(name)).unwrap();
        }
        symlink("/no/such/python", base.join("dangling/python")).unwrap();
        symlink("python", base.join("loop/python")).unwrap();
        symlink("../good/python", base.join("linked/python")).unwrap();
        let machine = RealMachine::new();
        for order in [
            &["flat", "good"][..],
            &["directory", "good"],
            &["dangling", "loop", "linked", "good"],
            &["none", "good/../linked", "good"],
            &["dangling", "directory", "loop"],
        ] {
            let entries: Vec<String> =
                order.iter().map(|name| base.join(name).display().to_string()).collect();
            let value = entries.join(":");
            let found = search_path(&machine, Some(value.as_bytes()));
            let chosen = commands(&machine, &found, &["python"]).remove(0);
            let chosen = chosen.chosen().map(|hit| hit.path.clone());
            let running = machine.start(&crate::host::Invocation {
                program: HostPath::posix("/bin/bash"),
                arguments: vec![b"-c".to_vec(), b"type -P python".to_vec()],
                environment: vec![(b"PATH".to_vec(), value.into_bytes())],
                directory: None,
                deadline: Duration::from_secs(20),
                output_limit: 4096,
            });
            let outcome = running.outcome();
            if matches!(outcome.ending, crate::host::Ending::NotStarted(_)) {
                eprintln!("no bash here");
                return;
            }
            let expected = outcome.stdout.trim_ascii_end();
            let expected = (!expected.is_empty()).then(|| HostPath::posix(expected));
            let same = |left: &HostPath, right: &HostPath| is_same(&machine, left, right);
            assert!(
                match (&chosen, &expected) {
                    (Some(left), Some(right)) => same(left, right),
                    (left, right) => left.is_none() && right.is_none(),
                },
                "{order:?}: {chosen:?} is not {expected:?}"
            );
        }
    }

    #[test]
    fn ten_thousand_entries_take_no_time() {
        let scratch = tempfile::tempdir().unwrap();
        let base = scratch.path().canonicalize().unwrap();
        let mut entries = Vec::new();
        for number in 0..1_000 {
            let directory = base.join(format!("d{number}"));
            std::fs::create_dir(&directory).unwrap();
            entries.push(directory.display().to_string());
        }
        entries.extend((0..9_000).map(|number| format!("/no/such/{number}")));
        let value = entries.join(":");
        let machine = RealMachine::new();
        let started = Instant::now();
        let found = search_path(&machine, Some(value.as_bytes()));
        let commands = commands(&machine, &found, &["python", "python3", "pip", "pip3", "python3.12"]);
        let elapsed = started.elapsed();
        eprintln!("10,000 entries: {elapsed:?}");
        assert_eq!(found.left_out, 6_000);
        assert!(commands.iter().all(|command| command.hits.is_empty()));
        let bound = if cfg!(debug_assertions) { 2_000 } else { 250 };
        assert!(elapsed < Duration::from_millis(bound), "{elapsed:?}");
    }
}
