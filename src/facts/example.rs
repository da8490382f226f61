//! A healthy machine to break in tests: Debian with bash, a project with an active `.venv`.
//!
//! ```text
//! /home/me/project            requirements.txt (six), main.py (import six); the working directory
//! /home/me/project/.venv      made by venv 3.11 from /usr/bin/python3.11; active, first on PATH
//! PATH                        /home/me/project/.venv/bin:/usr/local/bin:/usr/bin:/bin
//! ```

use super::commit::{Commit, CommittedEnvironment, Scope};
use super::distribution::*;
use super::environment::*;
use super::interpreter::*;
use super::platform::*;
use super::project::*;
use super::requirement::{DeclaredRequirement, Purpose};
use super::search_path::*;
use super::shell::*;
use super::{Facts, Gathered, Origin};
use crate::host::Mount;
use crate::parse::activate::ActivatorKind;
use crate::parse::pyvenv_cfg::{self, Creator};
use crate::path::HostPath;

pub const PROJECT: &str = "/home/me/project";
pub const VENV: &str = "/home/me/project/.venv";

pub fn path(text: &str) -> HostPath {
    HostPath::posix(text)
}

/// The healthy machine.
pub fn healthy() -> Facts {
    let mut facts = Facts {
        platform: Platform {
            system: System::Linux,
            architecture: "x86_64".into(),
            release: Some("6.1.0-28-amd64".into()),
            distribution: Some("debian".into()),
        },
        user: User {
            id: 1000,
            effective_id: 1000,
            group: 1000,
            effective_group: 1000,
            name: Some("me".into()),
            home: Some(path("/home/me")),
        },
        home: Some(path("/home/me")),
        surroundings: Surroundings::default(),
        working_directory: Some(path(PROJECT)),
        directory: Some(path(PROJECT)),
        shell: Shell {
            kind: Some(ShellKind::Bash),
            source: ShellSource::Process,
            interactive: true,
            ..Shell::default()
        },
        search_path: SearchPath::default(),
        user_scripts: None,
        commands: Vec::new(),
        environments: vec![venv(VENV), system()],
        packages: Vec::new(),
        native: Vec::new(),
        interpreters: vec![
            interpreter("/home/me/project/.venv/bin/python", Some(VENV)),
            interpreter("/home/me/project/.venv/bin/python3", Some(VENV)),
            interpreter("/home/me/project/.venv/bin/python3.11", Some(VENV)),
            interpreter("/usr/bin/python3", Some("/usr")),
        ],
        installations: vec![Installation {
            interpreter: path("/usr/bin/python3.11"),
            version: Some(Version::new(3, 11, None)),
            implementation: Some("cpython".into()),
            found_by: "the search path".into(),
            has_ensurepip: true,
            externally_managed: true,
            linked_from: vec![path(VENV)],
        }],
        project: Project {
            root: Some(path(PROJECT)),
            markers: vec![path("/home/me/project/requirements.txt")],
            requirement_files: vec![path("/home/me/project/requirements.txt")],
            dependencies: vec![Dependency {
                name: "six".into(),
                file: path("/home/me/project/requirements.txt"),
                line: Some(1),
            }],
            requirements: vec![DeclaredRequirement {
                name: "six".into(),
                specifier: String::new(),
                marker: None,
                extras: Vec::new(),
                purpose: Purpose::Run,
                source: None,
                file: path("/home/me/project/requirements.txt"),
                line: Some(1),
            }],
            environments: vec![path(VENV)],
            imports: vec![ImportedModule {
                name: "six".into(),
                file: path("/home/me/project/main.py"),
                line: 1,
            }],
            has_python_files: true,
            ..Project::default()
        },
        import_setup: super::import_setup::ImportSetup::default(),
        installers: Gathered::NotAsked,
        tools: Gathered::NotAsked,
        commit: Gathered::NotAsked,
        patient: Some(path(VENV)),
        today: None,
        notes: Vec::new(),
    };
    set_variable(&mut facts, "HOME", "/home/me");
    set_variable(&mut facts, "SHELL", "/bin/bash");
    set_variable(&mut facts, "VIRTUAL_ENV", VENV);
    set_search_path(&mut facts, "/home/me/project/.venv/bin:/usr/local/bin:/usr/bin:/bin");
    facts
}

/// Nothing is active, and `PATH` is the system's.
pub fn not_activated() -> Facts {
    let mut facts = healthy();
    unset_variable(&mut facts, "VIRTUAL_ENV");
    set_search_path(&mut facts, "/usr/local/bin:/usr/bin:/bin");
    facts
}

/// The healthy machine, with what is installed in its environment: pip and six.
pub fn with_packages() -> Facts {
    let mut facts = healthy();
    let directory = path(VENV).join("lib/python3.11/site-packages");
    let module = |name: &str, kind| TopLevel {
        name: name.trim_end_matches(".py").into(),
        path: directory.join(name),
        kind,
        barren: false,
    };
    facts.packages = vec![Packages {
        environment: path(VENV),
        sites: vec![SitePackages {
            kind: SiteKind::Own,
            readable: true,
            writable: true,
            owner: Some(1000),
            distributions: vec![distribution("pip", "23.0.1"), distribution("six", "1.16.0")],
            pth_files: Vec::new(),
            leftovers: Vec::new(),
            modules: vec![module("pip", TopLevelKind::Package), module("six.py", TopLevelKind::Source)],
            directory,
        }],
        overlaps: Vec::new(),
        added_modules: Vec::new(),
        path_changes: Vec::new(),
        lost_targets: Vec::new(),
        contents: Gathered::NotAsked,
    }];
    facts
}

/// A `sitecustomize` that changes the import path.
pub fn path_change(file: &str) -> PathChange {
    PathChange { file: path(file), line: None, finder: false, serves: Vec::new() }
}

/// A distribution that pip installed into the environment at [`VENV`], whole.
pub fn distribution(name: &str, version: &str) -> Distribution {
    let metadata = format!("lib/python3.11/site-packages/{name}-{version}.dist-info");
    Distribution {
        name: name.into(),
        normalized: name.into(),
        version: Some(version.into()),
        metadata: path(VENV).join(metadata),
        form: DistributionForm::DistInfo,
        has_metadata: true,
        readable: true,
        has_record: true,
        requires: Vec::new(),
        requires_python: None,
        installer: Some("pip".into()),
        requested: false,
        editable: None,
        sources: Vec::new(),
        elsewhere: false,
        moved_to: Vec::new(),
        direct_url: None,
        tags: vec!["py3-none-any".into()],
        compiled: Vec::new(),
        modules: vec![name.into()],
        scripts: Vec::new(),
        record: Gathered::Known(Record { files: 5, modules: 2, ..Record::default() }),
    }
}

pub fn set_variable(facts: &mut Facts, name: &str, value: &str) {
    unset_variable(facts, name);
    facts.shell.variables.push((name.to_owned(), value.to_owned()));
    facts.shell.variables.sort();
}

pub fn unset_variable(facts: &mut Facts, name: &str) {
    facts.shell.variables.retain(|(key, _)| key != name);
}

/// Sets `PATH`, its entries, and the commands: every environment of the facts that is a venv in working order
/// offers `python`, `python3` and, when it has one, `pip` and `pip3`; `/usr/bin` offers all but `python`.
pub fn set_search_path(facts: &mut Facts, value: &str) {
    set_variable(facts, "PATH", value);
    let directories: Vec<&str> = value.split(':').collect();
    facts.search_path = SearchPath {
        set: true,
        entries: directories
            .iter()
            .enumerate()
            .map(|(index, raw)| search_entry(facts, index, raw, &directories[..index]))
            .collect(),
        left_out: 0,
    };
    facts.commands = ["python", "python3", "pip", "pip3"].iter().map(|name| command(facts, name)).collect();
}

fn search_entry(facts: &Facts, index: usize, raw: &str, earlier: &[&str]) -> SearchEntry {
    let directory = HostPath::posix(raw.trim_end_matches('/'));
    let environment = facts
        .environments
        .iter()
        .find(|environment| environment.is_venv() && environment.root.join("bin").same_as(&directory));
    SearchEntry {
        index,
        raw: raw.to_owned(),
        real: Some(directory.clone()),
        state: EntryState::Directory,
        spelling: Spelling::Absolute,
        duplicate_of: earlier.iter().position(|other| *other == raw),
        owner: match raw {
            "/usr/bin" | "/bin" | "/usr/local/bin" => Some(DirectoryOwner::System),
            _ if environment.is_some() => Some(DirectoryOwner::Venv),
            _ if raw.ends_with("/shims") => Some(DirectoryOwner::PyenvShims),
            _ if raw.ends_with("/.local/bin") => Some(DirectoryOwner::UserBase),
            _ => None,
        },
        environment: environment.map(|environment| environment.root.clone()),
        names: Vec::new(),
        directory: Some(directory),
    }
}

/// What the search path finds for a name.
pub fn command(facts: &Facts, name: &str) -> Command {
    let mut hits = Vec::new();
    for entry in &facts.search_path.entries {
        let Some(directory) = &entry.directory else { continue };
        let file = directory.join(name);
        if let Some(root) = &entry.environment
            && let Some(environment) = facts.environment(root)
            && (environment.interpreters.contains(&file)
                || environment.scripts.iter().any(|script| script.path == file))
        {
            let startable =
                facts.interpreter(&environment.program("python")).is_none_or(Interpreter::can_start);
            hits.push(Hit {
                entry: entry.index,
                path: file,
                state: if startable || name.starts_with("pip") {
                    HitState::Runnable
                } else {
                    HitState::NotExecutable
                },
                leads_to: Target::Interpreter { environment: Some(root.clone()) },
            });
        } else if directory.to_text() == "/usr/bin" && name != "python" {
            hits.push(Hit {
                entry: entry.index,
                path: file,
                state: HitState::Runnable,
                leads_to: Target::Interpreter { environment: Some(path("/usr")) },
            });
        }
    }
    Command { name: name.to_owned(), hits, which_disagrees: None }
}

/// A healthy venv of 3.11 with pip and six.
pub fn venv(root: &str) -> Environment {
    let root = path(root);
    let bin = root.join("bin");
    let site_packages = root.join("lib/python3.11/site-packages");
    let config = format!(
        "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\nexecutable = /usr/bin/python3.11\ncommand = /usr/bin/python3 -m venv {root}\n"
    );
    Environment {
        real: Some(root.clone()),
        origins: vec![Origin::FoundUpwards { from: path(PROJECT) }],
        kind: EnvironmentKind::Venv,
        layout: Layout::Posix,
        config_path: Some(root.join("pyvenv.cfg")),
        config: Gathered::Known(pyvenv_cfg::parse(config.as_bytes())),
        config_error: None,
        creator: Some(Creator::Venv),
        script_directory: Some(bin.clone()),
        interpreters: ["python", "python3", "python3.11"].map(|name| bin.join(name)).to_vec(),
        misplaced: Vec::new(),
        libraries: vec![Library {
            directory: root.join("lib/python3.11"),
            version: Some(Version::new(3, 11, None)),
            implementation: "cpython".into(),
            site_packages_exists: true,
            readable: true,
            has_pip: true,
            has_debris: false,
            entries: 4,
            site_packages: site_packages.clone(),
        }],
        scripts: ["pip", "pip3", "pip3.11"]
            .map(|name| script(&root, name, "pip._internal.cli.main"))
            .to_vec(),
        activators: [
            (ActivatorKind::Posix, "activate"),
            (ActivatorKind::Csh, "activate.csh"),
            (ActivatorKind::Fish, "activate.fish"),
        ]
        .map(|(kind, name)| Activator {
            kind,
            path: bin.join(name),
            root: Some(root.clone()),
            line: Some(38),
            root_state: Some(BakedState::Own),
            executable: false,
            crlf: false,
        })
        .to_vec(),
        installed: [("pip", "23.0.1"), ("six", "1.16.0")]
            .map(|(name, version)| Installed {
                name: name.into(),
                version: version.into(),
                metadata: site_packages.join(format!("{name}-{version}.dist-info")),
                editable: None,
                direct_url: None,
                requested: name == "six",
            })
            .to_vec(),
        shared: Gathered::NotAsked,
        mount: Some(Mount::default()),
        owner: Some(1000),
        home: Some(HomeDirectory {
            path: path("/usr/bin"),
            line: Some(1),
            state: HomeState::Good,
            interpreter: Some(path("/usr/bin/python3.11")),
            version: Some(Version::new(3, 11, None)),
            moved_to: Vec::new(),
        }),
        synced: None,
        tracked_files: Some(0),
        made_at: Some(root.clone()),
        made_at_state: Some(BakedState::Own),
        missing_sources: Vec::new(),
        lost_target: None,
        scripts_error: None,
        root,
    }
}

/// An entry script with a plain `#!` line for the environment's own interpreter.
pub fn script(root: &HostPath, name: &str, module: &str) -> Script {
    let interpreter = root.join("bin/python");
    Script {
        name: name.to_owned(),
        path: root.join("bin").join(name),
        executable: true,
        launch: Launch {
            kind: LaunchKind::Shebang,
            line_length: interpreter.as_bytes().len() + 2,
            interpreter: Some(interpreter),
            interpreter_exists: true,
            root: Some(root.clone()),
            root_state: Some(BakedState::Own),
            crlf: false,
        },
        module: Some(module.to_owned()),
    }
}

/// Debian's own Python.
pub fn system() -> Environment {
    Environment {
        root: path("/usr"),
        real: Some(path("/usr")),
        origins: vec![Origin::SearchPath(2)],
        kind: EnvironmentKind::Installation,
        config_path: None,
        config: Gathered::NotAsked,
        creator: None,
        script_directory: Some(path("/usr/bin")),
        interpreters: vec![path("/usr/bin/python3"), path("/usr/bin/python3.11")],
        scripts: Vec::new(),
        activators: Vec::new(),
        installed: Vec::new(),
        shared: Gathered::Known(Vec::new()),
        owner: Some(0),
        home: None,
        made_at: None,
        made_at_state: None,
        ..venv("/usr")
    }
}

/// A working interpreter that is a link to Debian's 3.11, not probed.
pub fn interpreter(at: &str, environment: Option<&str>) -> Interpreter {
    Interpreter {
        path: path(at),
        origins: vec![Origin::SearchPath(0)],
        links: LinkChain { hops: vec![path(at), path("/usr/bin/python3.11")], end: LinkEnd::File },
        missing_part: None,
        environment: environment.map(path),
        mode: Some(0o755),
        executable: true,
        on_noexec_mount: false,
        size: Some(6_800_000),
        binary: Gathered::NotAsked,
        loader_exists: Some(true),
        libpython: Vec::new(),
        version: Some(Version::new(3, 11, Some(2))),
        version_source: Some("the file's name".into()),
        implementation: Some("cpython".into()),
        prefix_usable: Some(true),
        probe: Probe::NotRun { why: "not asked".into() },
        build: None,
        predicted: None,
        comparison: None,
    }
}

/// The environment at [`VENV`].
pub fn venv_of(facts: &mut Facts) -> &mut Environment {
    let index = facts.environments.iter().position(|environment| environment.root == path(VENV));
    &mut facts.environments[index.unwrap_or(0)]
}

/// Every interpreter of the environment at [`VENV`].
pub fn interpreters_of(facts: &mut Facts) -> impl Iterator<Item = &mut Interpreter> {
    facts.interpreters.iter_mut().filter(|interpreter| interpreter.environment == Some(path(VENV)))
}

/// A commit with these environments in the index, their files counted.
pub fn commit(environments: &[(&str, usize)]) -> Gathered<Commit> {
    let tracked = |(root, files): &(&str, usize)| CommittedEnvironment { root: path(root), files: *files };
    Gathered::Known(Commit {
        top: path(PROJECT),
        scope: Scope::Named,
        read: 1,
        installs: Vec::new(),
        environments: environments.iter().map(tracked).collect(),
        notes: Vec::new(),
    })
}
