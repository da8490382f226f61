//! The shell that the doctor was started from: its kind, its variables, and what stands between.
//!
//! A wrapper such as pre-commit or `uvx` runs the doctor in an environment that is there for the doctor alone.
//! What the user's shell exported is then read from the first environment of the wrapper's own process.

use crate::facts::platform::{Surroundings, System};
use crate::facts::shell::{Shell, ShellKind, ShellSource, Wrapper, reported_variable};
use crate::host::{Host, Process};
use crate::path::{Flavour, HostPath};

/// Programs that start a shell to run a line or a script of theirs. The ones among [`Wrapper`]s are not
/// repeated here.
const LAUNCHERS: &[&str] = &[
    "ant",
    "bazel",
    "bun",
    "cargo",
    "cmake",
    "composer",
    "ctest",
    "deno",
    "entr",
    "go-task",
    "gradle",
    "husky",
    "invoke",
    "just",
    "lefthook",
    "mage",
    "meson",
    "mise",
    "ninja",
    "node",
    "nodemon",
    "npm",
    "npm-cli.js",
    "npx",
    "npx-cli.js",
    "parallel",
    "pnpm",
    "pnpm.cjs",
    "poe",
    "rake",
    "samu",
    "scons",
    "task",
    "turbo",
    "watch",
    "watchexec",
    "xargs",
    "yarn",
    "yarn.js",
];

/// Variables that a wrapper sets for what it runs.
const MARKS: &[(&str, Wrapper)] = &[
    ("PRE_COMMIT", Wrapper::PreCommit),
    ("UV_RUN_RECURSION_DEPTH", Wrapper::UvRun),
    ("TOX_ENV_NAME", Wrapper::Tox),
    ("NOX_CURRENT_SESSION", Wrapper::Nox),
    ("POETRY_ACTIVE", Wrapper::PoetryRun),
    ("PDM_RUN_CWD", Wrapper::PdmRun),
    ("PIPENV_ACTIVE", Wrapper::PipenvRun),
    ("HATCH_ENV_ACTIVE", Wrapper::HatchRun),
    ("SUDO_USER", Wrapper::Sudo),
    ("TMUX", Wrapper::Tmux),
    ("STY", Wrapper::Screen),
    ("MAKELEVEL", Wrapper::Make),
    ("GIT_INDEX_FILE", Wrapper::Git),
    ("GIT_EXEC_PATH", Wrapper::Git),
    ("DIRENV_DIR", Wrapper::Direnv),
];

/// Variables of CI services, most telling first; each documents its own.
const CI: &[&str] = &[
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "TF_BUILD",
    "JENKINS_URL",
    "CIRCLECI",
    "BUILDKITE",
    "TRAVIS",
    "APPVEYOR",
    "TEAMCITY_VERSION",
    "BITBUCKET_BUILD_NUMBER",
    "CODEBUILD_BUILD_ID",
    "DRONE",
    "GITEA_ACTIONS",
    "CONTINUOUS_INTEGRATION",
    "CI",
];

/// The shell, what surrounds it, and notes on what could not be seen.
pub fn shell(host: &dyn Host) -> (Shell, Surroundings, Vec<String>) {
    let mut notes = Vec::new();
    let ancestors = host.ancestors();
    let surroundings = surroundings(host);
    let found = find_shell(&ancestors);
    let interactive = found.as_ref().is_some_and(|found| found.started.interactive);
    let wrappers = wrappers(host, &ancestors, found.as_ref(), surroundings.ci.is_some());

    let mut variables = own_variables(host);
    let mut seen_through = None;
    let below = found.as_ref().map_or(ancestors.len(), |found| found.index);
    if let Some(layer) = private_layer(host, &ancestors[..below], interactive) {
        seen_through = Some(layer.wrapper);
        match layer.outside {
            Some(outside) => variables = outside,
            None => {
                take_out_private(&mut variables, host.platform().flavour());
                notes.push(format!(
                    "the environment outside {} cannot be read: what it added was left out, what it replaced is not known",
                    layer.wrapper.label()
                ));
            }
        }
    }

    let by_variable = || {
        let program = host.text_variable("SHELL")?;
        ShellKind::from_program(&program)
    };
    let (kind, source) = match &found {
        Some(found) => (Some(found.kind), ShellSource::Process),
        None => match by_variable() {
            Some(kind) => (Some(kind), ShellSource::Variable),
            None => (None, ShellSource::Unknown),
        },
    };
    if ancestors.is_empty() {
        notes.push("the parent processes could not be read".to_owned());
    }
    let ancestors = ancestors.into_iter().map(without_private_arguments).collect();
    let shell = Shell {
        kind,
        source,
        login: found.as_ref().is_some_and(|found| found.started.login),
        interactive,
        ancestors,
        wrappers,
        seen_through,
        variables,
        path_lines: Vec::new(),
        aliases: Vec::new(),
        integration: None,
    };
    (shell, surroundings, notes)
}

/// The value of `PATH` that the shell exports, for [`search_path`](super::search_path::search_path): the
/// doctor's own, or the one outside its wrapper.
pub fn path_value(host: &dyn Host, shell: &Shell) -> Option<Vec<u8>> {
    match shell.seen_through {
        Some(_) => shell.variable("PATH").map(|value| value.as_bytes().to_vec()),
        None => host.variable("PATH"),
    }
}

fn own_variables(host: &dyn Host) -> Vec<(String, String)> {
    let flavour = host.platform().flavour();
    let mut variables: Vec<(String, String)> =
        host.variables().iter().filter_map(|(name, value)| reported_variable(flavour, name, value)).collect();
    variables.sort();
    variables.dedup_by(|later, first| later.0 == first.0);
    variables
}

struct FoundShell {
    index: usize,
    kind: ShellKind,
    started: Started,
}

/// The nearest shell that a person could be sitting at. One that a tool started to run a line, or that runs a
/// script for another shell, is passed over as long as there is a better one.
fn find_shell(ancestors: &[Process]) -> Option<FoundShell> {
    let mut second_best = None;
    for (index, process) in ancestors.iter().enumerate() {
        let Some(kind) = shell_kind(process) else { continue };
        let started = Started::read(kind, &process.arguments);
        let parent = ancestors.get(index + 1);
        let by_tool = parent.is_some_and(is_launcher);
        let for_shell = started.script && parent.is_some_and(|parent| shell_kind(parent).is_some());
        let found = FoundShell { index, kind, started };
        if found.started.interactive || !(by_tool || for_shell) {
            return Some(found);
        }
        if !by_tool && second_best.is_none() {
            second_best = Some(found);
        }
    }
    second_best
}

fn shell_kind(process: &Process) -> Option<ShellKind> {
    match process.arguments.first() {
        Some(program) => ShellKind::from_program(program),
        None => ShellKind::from_program(&process.name),
    }
}

/// How a shell was started.
#[derive(Debug, Default, PartialEq, Eq)]
struct Started {
    login: bool,
    interactive: bool,
    /// It runs a file.
    script: bool,
}

impl Started {
    /// By the options of each shell's manual: `-i` makes it interactive, `-c` or a script's name does not;
    /// `-l` or a `-` before its name makes it a login shell.
    fn read(kind: ShellKind, arguments: &[String]) -> Started {
        let login = arguments.first().is_some_and(|program| program.starts_with('-'));
        let options = arguments.get(1..).unwrap_or_default();
        match kind {
            ShellKind::PowerShell => Started::powershell(options),
            ShellKind::Cmd => {
                let has = |flag: &str| options.iter().any(|option| option.eq_ignore_ascii_case(flag));
                Started { interactive: !has("/c") || has("/k"), ..Started::default() }
            }
            _ => Started::posix(kind, login, options),
        }
    }

    fn posix(kind: ShellKind, login: bool, options: &[String]) -> Started {
        let mut started = Started { login, ..Started::default() };
        let (mut command, mut asked) = (false, false);
        let mut options = options.iter().map(String::as_str);
        while let Some(option) = options.next() {
            match option {
                "--login" => started.login = true,
                "--interactive" => asked = true,
                "--command" | "--commands" => command = true,
                _ if takes_value(kind, option) => {
                    options.next();
                }
                "--" => {
                    started.script = !command && options.next().is_some();
                    break;
                }
                "-" => {}
                _ if option.starts_with("--") || option.starts_with('+') => {}
                _ if option.starts_with('-') => {
                    let letters = &option[1..];
                    started.login |= letters.contains('l');
                    asked |= letters.contains('i');
                    command |= letters.contains('c');
                    // `bash -eo pipefail`
                    if letters.ends_with(['o', 'O']) && !command {
                        options.next();
                    }
                }
                _ => {
                    started.script = !command;
                    break;
                }
            }
        }
        started.interactive = asked || !(command || started.script);
        started
    }

    /// PowerShell takes any unambiguous beginning of an option.
    fn powershell(options: &[String]) -> Started {
        let is = |option: &str, name: &str| {
            let option = option.trim_start_matches('-').to_ascii_lowercase();
            !option.is_empty() && name.starts_with(&option)
        };
        let mut started = Started { interactive: true, ..Started::default() };
        let mut stays = false;
        for (index, option) in options.iter().enumerate() {
            if !option.starts_with('-') {
                // an argument without an option is a file (pwsh) or a command (Windows PowerShell); the value
                // of an option before it is neither
                if index == 0 {
                    started.interactive = false;
                    started.script = true;
                }
                continue;
            }
            started.login |= is(option, "login");
            stays |= option.len() > 4 && is(option, "noexit");
            started.script |= is(option, "file");
            if is(option, "command")
                || is(option, "file")
                || is(option, "encodedcommand")
                || (option.len() > 4 && is(option, "noninteractive"))
            {
                started.interactive = false;
            }
        }
        started.interactive |= stays;
        started
    }
}

/// Whether the next argument belongs to this option.
fn takes_value(kind: ShellKind, option: &str) -> bool {
    match kind {
        ShellKind::Fish => matches!(option, "-C" | "--init-command" | "-f" | "--features" | "-d" | "-o"),
        ShellKind::Nushell => matches!(
            option,
            "-e" | "--execute" | "--config" | "--env-config" | "--plugin-config" | "--log-level" | "-I"
        ),
        ShellKind::Xonsh => matches!(option, "--rc" | "--config-path" | "-D"),
        ShellKind::Elvish => matches!(option, "-rc" | "-log" | "-sock" | "-db"),
        _ => matches!(option, "--rcfile" | "--init-file" | "-o" | "+o" | "-O" | "+O"),
    }
}

/// What a process really runs: behind an interpreter's name, the script or module; and its arguments.
fn program(process: &Process) -> (String, &[String]) {
    let base = |text: &str| {
        let name = text.trim_start_matches('-').rsplit(['/', '\\']).next().unwrap_or(text).to_owned();
        let name = name.split_whitespace().next().unwrap_or_default().trim_end_matches(':').to_owned();
        name.strip_suffix(".exe").map(str::to_owned).unwrap_or(name)
    };
    let Some(first) = process.arguments.first() else { return (base(&process.name), &[]) };
    let name = base(first);
    let interprets =
        name.starts_with("python") || name.starts_with("pypy") || name == "node" || name == "ruby";
    if !interprets {
        return (name, &process.arguments[1..]);
    }
    let mut index = 1;
    while let Some(argument) = process.arguments.get(index) {
        match argument.as_str() {
            "-m" => {
                let module = process.arguments.get(index + 1).map(String::as_str).unwrap_or_default();
                let module = module.strip_suffix(".__main__").unwrap_or(module);
                return (module.to_owned(), process.arguments.get(index + 2..).unwrap_or_default());
            }
            "-c" => return (name, &process.arguments[index..]),
            // `-mpre_commit`, as pre-commit's git hook has it
            option if option.starts_with("-m") => {
                return (option[2..].to_owned(), &process.arguments[index + 1..]);
            }
            "-W" | "-X" | "-r" | "--require" => index += 2,
            option if option.starts_with('-') => index += 1,
            script => return (base(script), &process.arguments[index + 1..]),
        }
    }
    (name, &[])
}

/// A process as it may stand in a report. Arguments are the business of whoever gave them (a shell's `-c` holds
/// a whole program): what remains says which program it is, and how a shell was started.
fn without_private_arguments(mut process: Process) -> Process {
    let kept = match shell_kind(&process) {
        Some(_) => {
            let options = process.arguments.iter().skip(1);
            let is_option = |option: &&String| option.starts_with(['-', '+']) && option.len() < 20;
            1 + options.take_while(is_option).count()
        }
        None => {
            let (_, rest) = program(&process);
            let own = process.arguments.len() - rest.len();
            match (wrapper_of(&process), subcommand(rest)) {
                // `uv run`, `poetry run`
                (Some(_), Some((_, behind))) => process.arguments.len() - behind.len(),
                _ => own,
            }
        }
    };
    process.arguments.truncate(kept);
    process
}

/// The first argument that is no option, and the ones behind it.
fn subcommand(arguments: &[String]) -> Option<(&str, &[String])> {
    const WITH_VALUE: &[&str] = &[
        "--directory",
        "--project",
        "-C",
        "-P",
        "-p",
        "--config-file",
        "--cache-dir",
        "--color",
        "-e",
        "--env",
    ];
    let mut index = 0;
    while let Some(argument) = arguments.get(index) {
        if WITH_VALUE.contains(&argument.as_str()) {
            index += 2;
        } else if argument.starts_with('-') {
            index += 1;
        } else {
            return Some((argument, &arguments[index + 1..]));
        }
    }
    None
}

fn wrapper_of(process: &Process) -> Option<Wrapper> {
    let (name, arguments) = program(process);
    let first = subcommand(arguments);
    let runs = |names: &[&str]| first.is_some_and(|(sub, _)| names.contains(&sub));
    Some(match name.as_str() {
        "pre-commit" | "pre_commit" | "prek" => Wrapper::PreCommit,
        "uv" => match first {
            Some(("run", _)) => Wrapper::UvRun,
            Some(("tool", rest)) if subcommand(rest).is_some_and(|(sub, _)| matches!(sub, "run" | "uvx")) => {
                Wrapper::Uvx
            }
            _ => return None,
        },
        "uvx" => Wrapper::Uvx,
        "pipx" if runs(&["run"]) => Wrapper::PipxRun,
        "tox" => Wrapper::Tox,
        "nox" => Wrapper::Nox,
        "poetry" if runs(&["run", "shell"]) => Wrapper::PoetryRun,
        "pdm" if runs(&["run"]) => Wrapper::PdmRun,
        "pipenv" if runs(&["run", "shell"]) => Wrapper::PipenvRun,
        "hatch" if runs(&["run", "shell", "test", "env"]) => Wrapper::HatchRun,
        "conda" | "mamba" | "micromamba" if runs(&["run"]) => Wrapper::CondaRun,
        "sudo" | "doas" => Wrapper::Sudo,
        "tmux" => Wrapper::Tmux,
        "screen" | "SCREEN" => Wrapper::Screen,
        "make" | "gmake" => Wrapper::Make,
        "git" => Wrapper::Git,
        "direnv" => Wrapper::Direnv,
        "cron" | "crond" | "CRON" | "anacron" | "atd" | "fcron" => Wrapper::Service,
        "Runner.Worker" | "gitlab-runner" | "buildkite-agent" => Wrapper::Ci,
        _ => return None,
    })
}

/// Whether a shell below this process runs what the process told it to.
fn is_launcher(process: &Process) -> bool {
    match wrapper_of(process) {
        Some(Wrapper::Sudo | Wrapper::Tmux | Wrapper::Screen) => false,
        Some(_) => true,
        None => LAUNCHERS.contains(&program(process).0.as_str()),
    }
}

fn wrappers(host: &dyn Host, ancestors: &[Process], shell: Option<&FoundShell>, ci: bool) -> Vec<Wrapper> {
    let mut wrappers = Vec::new();
    let mut add = |wrapper: Wrapper| {
        if !wrappers.contains(&wrapper) {
            wrappers.push(wrapper);
        }
    };
    // `poetry shell` is the parent of the user's shell; what lies further out no longer wraps the doctor
    let nearest = shell.map_or(ancestors.len(), |shell| shell.index + 2);
    for (index, process) in ancestors.iter().enumerate() {
        let Some(wrapper) = wrapper_of(process) else { continue };
        let lasting = matches!(
            wrapper,
            Wrapper::Sudo | Wrapper::Tmux | Wrapper::Screen | Wrapper::Service | Wrapper::Ci
        );
        if index < nearest || lasting {
            add(wrapper);
        }
    }
    for (name, wrapper) in MARKS {
        if host.text_variable(name).is_some_and(|value| value != "0") {
            add(*wrapper);
        }
    }
    // a desktop's terminals inherit these from systemd, but they have a TERM
    let by_manager = ["INVOCATION_ID", "JOURNAL_STREAM"].iter().any(|name| host.variable(name).is_some());
    let interactive = shell.is_some_and(|shell| shell.started.interactive);
    if by_manager && !interactive && host.variable("TERM").is_none() {
        add(Wrapper::Service);
    }
    if ci {
        add(Wrapper::Ci);
    }
    wrappers
}

/// A wrapper whose environment is there for the doctor alone.
struct PrivateLayer {
    wrapper: Wrapper,
    /// The allow-listed variables outside it, where they can be read.
    outside: Option<Vec<(String, String)>>,
}

/// `below`: the processes between the doctor and the user's shell.
fn private_layer(host: &dyn Host, below: &[Process], interactive: bool) -> Option<PrivateLayer> {
    let is_private =
        |process: &Process| wrapper_of(process).filter(|wrapper| is_for_doctor(*wrapper, process));
    let outermost = below
        .iter()
        .enumerate()
        .rev()
        .find_map(|(index, process)| is_private(process).map(|wrapper| (index, wrapper)));
    if let Some((mut index, wrapper)) = outermost {
        // git puts its own programs first on the PATH of a hook
        while let Some(next) = below.get(index + 1)
            && (wrapper_of(next) == Some(Wrapper::Git)
                || (shell_kind(next).is_some()
                    && below.get(index + 2).is_some_and(|above| wrapper_of(above) == Some(Wrapper::Git))))
        {
            index += 1;
        }
        let environment = &below[index].environment;
        let outside = (!environment.is_empty()).then(|| {
            let mut variables = environment.clone();
            variables.sort();
            variables
        });
        return Some(PrivateLayer { wrapper, outside });
    }
    // pipx replaces its own process by the program, and a hook may run in a container: only variables tell
    if host.variable("PRE_COMMIT").is_some() && !interactive {
        return Some(PrivateLayer { wrapper: Wrapper::PreCommit, outside: None });
    }
    // an interactive shell that a person opened inside is that person's business
    let active = host.path_variable("VIRTUAL_ENV").filter(|_| below.is_empty() || !interactive)?;
    let wrapper = private_place(&active).filter(|wrapper| *wrapper != Wrapper::Uvx)?;
    Some(PrivateLayer { wrapper, outside: None })
}

fn is_for_doctor(wrapper: Wrapper, process: &Process) -> bool {
    match wrapper {
        Wrapper::PreCommit | Wrapper::PipxRun | Wrapper::Uvx => true,
        // `uv run --with venv-doctor`: a layer over the project's environment
        Wrapper::UvRun => {
            let names_doctor = |value: &str| value.starts_with("venv-doctor");
            process.arguments.windows(2).any(|pair| {
                (pair[0] == "--with" && names_doctor(&pair[1]))
                    || pair.iter().any(|word| word.strip_prefix("--with=").is_some_and(names_doctor))
            })
        }
        _ => false,
    }
}

/// Which wrapper keeps environments of its own in this place: pre-commit in `pre-commit/repo*`, pipx in
/// `~/.cache/pipx` (`pipx/.cache` before 1.5), uv in `archive-v*`, `builds-v*` and `environments-v*` of its cache.
fn private_place(path: &HostPath) -> Option<Wrapper> {
    let names: Vec<String> =
        path.components().map(|name| crate::path::readable(name).to_ascii_lowercase()).collect();
    names.windows(2).find_map(|pair| match (pair[0].as_str(), pair[1].as_str()) {
        ("pre-commit", next) if next.starts_with("repo") => Some(Wrapper::PreCommit),
        ("prek", "hooks" | "repos") => Some(Wrapper::PreCommit),
        ("pipx", ".cache") | (".cache" | "caches", "pipx") => Some(Wrapper::PipxRun),
        ("uv" | ".uv" | "cache", next)
            if ["archive-v", "builds-v", "environments-v"].iter().any(|name| next.starts_with(name)) =>
        {
            Some(Wrapper::Uvx)
        }
        _ => None,
    })
}

/// Leaves out the wrapper's environment where the one outside is not known.
fn take_out_private(variables: &mut Vec<(String, String)>, flavour: Flavour) {
    let is_private =
        |value: &str| HostPath::new(flavour, value).is_some_and(|path| private_place(&path).is_some());
    let private_active = variables.iter().any(|(name, value)| name == "VIRTUAL_ENV" && is_private(value));
    variables.retain(|(name, _)| {
        !(private_active && (name == "VIRTUAL_ENV" || name == "VIRTUAL_ENV_PROMPT")) && name != "PRE_COMMIT"
    });
    let separator = char::from(flavour.list_separator());
    if let Some((_, path)) = variables.iter_mut().find(|(name, _)| name == "PATH") {
        let kept: Vec<&str> = path.split(separator).filter(|entry| !is_private(entry)).collect();
        *path = kept.join(&separator.to_string());
    }
}

/// A container, a CI run, the Windows Subsystem for Linux.
pub fn surroundings(host: &dyn Host) -> Surroundings {
    let set = |name: &str| host.text_variable(name);
    let ci = CI.iter().find_map(|name| {
        let value = set(name)?;
        // `CI=false` is how a user says that it is none
        (!matches!(value.to_ascii_lowercase().as_str(), "false" | "0" | "no"))
            .then(|| format!("{name} is set"))
    });
    let linux = host.platform().system == System::Linux;
    let release = host.platform().release.as_deref().unwrap_or_default().to_ascii_lowercase();
    let wsl = linux && (set("WSL_DISTRO_NAME").is_some() || release.contains("microsoft"));
    Surroundings { container: container(host), ci, wsl, emulated: emulated(host) }
}

/// Processors for which qemu is registered with the kernel: `/proc/sys/fs/binfmt_misc/qemu-aarch64`.
fn emulated(host: &dyn Host) -> Vec<String> {
    if host.platform().system != System::Linux {
        return Vec::new();
    }
    let listing = host.list(&HostPath::posix("/proc/sys/fs/binfmt_misc")).unwrap_or_default();
    let names = listing.entries.iter().filter_map(|entry| std::str::from_utf8(&entry.name).ok());
    names
        .filter_map(|name| name.strip_prefix("qemu-"))
        .map(|processor| match processor {
            "i386" => "x86",
            "ppc64le" | "ppc64" => "powerpc64",
            other => other,
        })
        .map(str::to_owned)
        .collect()
}

fn container(host: &dyn Host) -> Option<String> {
    if host.platform().system != System::Linux {
        return None;
    }
    for file in ["/.dockerenv", "/run/.containerenv"] {
        if host.exists(&HostPath::posix(file)) {
            return Some(format!("{file} exists"));
        }
    }
    // systemd(1): set by podman, LXC and systemd-nspawn
    if let Some(value) = host.text_variable("container") {
        return Some(format!("container={value}"));
    }
    if host.text_variable("KUBERNETES_SERVICE_HOST").is_some() {
        return Some("KUBERNETES_SERVICE_HOST is set".to_owned());
    }
    let groups = host.read(&HostPath::posix("/proc/1/cgroup"), 16 * 1024).ok()?;
    let text = groups.text();
    ["docker", "kubepods", "containerd", "libpod", "lxc"]
        .iter()
        .find(|name| text.contains(*name))
        .map(|name| format!("/proc/1/cgroup names {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::fake::FakeMachine;

    fn started(line: &str) -> (bool, bool, bool) {
        let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let kind = ShellKind::from_program(&arguments[0]).unwrap();
        let started = Started::read(kind, &arguments);
        (started.login, started.interactive, started.script)
    }

    #[test]
    fn reads_how_a_shell_was_started() {
        for (line, expected) in [
            ("bash", (false, true, false)),
            ("-zsh", (true, true, false)),
            ("bash -l", (true, true, false)),
            ("bash -lc x", (true, false, false)),
            ("bash -c x arg", (false, false, false)),
            ("bash -ic x", (false, true, false)),
            ("bash --rcfile f -i", (false, true, false)),
            ("bash --init-file f", (false, true, false)),
            ("bash --noprofile --norc -eo pipefail s.sh", (false, false, true)),
            ("bash -e s.sh", (false, false, true)),
            ("sh s.sh -i", (false, false, true)),
            ("fish -C x", (false, true, false)),
            ("fish -c x", (false, false, false)),
            ("nu -e x", (false, true, false)),
            ("nu s.nu", (false, false, true)),
            ("pwsh", (false, true, false)),
            ("pwsh -NoLogo -NoExit -Command x", (false, true, false)),
            ("pwsh -NoProfile -c x", (false, false, false)),
            ("pwsh -File s.ps1", (false, false, true)),
            ("powershell.exe -ExecutionPolicy Bypass", (false, true, false)),
            ("cmd.exe /c x", (false, false, false)),
            ("cmd.exe /k x", (false, true, false)),
        ] {
            assert_eq!(started(line), expected, "{line}");
        }
    }

    fn kind_of(machine: FakeMachine) -> (Option<ShellKind>, ShellSource) {
        let (shell, ..) = shell(&machine);
        (shell.kind, shell.source)
    }

    #[test]
    fn the_nearest_shell_counts_before_the_variable() {
        let machine = FakeMachine::linux().variable("SHELL", "/bin/zsh").process(&["fish"], &[]);
        assert_eq!(kind_of(machine), (Some(ShellKind::Fish), ShellSource::Process));
        let machine = FakeMachine::linux().variable("SHELL", "/bin/zsh").process(&["/usr/bin/foo"], &[]);
        assert_eq!(kind_of(machine), (Some(ShellKind::Zsh), ShellSource::Variable));
        assert_eq!(kind_of(FakeMachine::linux()), (None, ShellSource::Unknown));
    }

    #[test]
    fn climbs_over_what_only_runs_a_line() {
        let machine = FakeMachine::linux()
            .process(&["/bin/sh", "-c", "venv-doctor"], &[])
            .process(&["make", "check"], &[])
            .process(&["/usr/bin/fish"], &[]);
        assert_eq!(kind_of(machine), (Some(ShellKind::Fish), ShellSource::Process));
        let machine = FakeMachine::linux()
            .process(&["sh", "-c", "venv-doctor"], &[])
            .process(&["node", "/usr/lib/node_modules/npm/bin/npm-cli.js", "run", "x"], &[])
            .process(&["-zsh"], &[]);
        let (found, ..) = shell(&machine);
        assert_eq!((found.kind, found.login), (Some(ShellKind::Zsh), true));
        let machine = FakeMachine::linux()
            .process(&["/bin/sh", "/home/me/bin/doctor"], &[])
            .process(&["tcsh"], &[])
            .process(&["bash"], &[]);
        assert_eq!(kind_of(machine), (Some(ShellKind::Csh), ShellSource::Process));
    }

    #[test]
    fn a_line_that_nobody_started_for_a_tool_is_the_shell() {
        let machine = FakeMachine::linux()
            .process(&["fish", "-c", "venv-doctor"], &[])
            .process(&["python3", "harness.py"], &[])
            .process(&["bash"], &[]);
        let (found, ..) = shell(&machine);
        assert_eq!((found.kind, found.interactive), (Some(ShellKind::Fish), false));
        let machine = FakeMachine::linux()
            .variable("SHELL", "/bin/bash")
            .process(&["sh", "-c", "x"], &[])
            .process(&["make"], &[]);
        assert_eq!(kind_of(machine), (Some(ShellKind::Bash), ShellSource::Variable));
    }

    fn within_pre_commit() -> FakeMachine {
        FakeMachine::linux()
            .variable(
                "PATH",
                "/home/me/.cache/pre-commit/repo1/py_env-python3/bin:/usr/lib/git-core:/usr/bin",
            )
            .variable("VIRTUAL_ENV", "/home/me/.cache/pre-commit/repo1/py_env-python3")
            .variable("PRE_COMMIT", "1")
    }

    #[test]
    fn looks_through_pre_commit_to_what_the_shell_exported() {
        let outside = [("VIRTUAL_ENV", "/p/.venv"), ("PATH", "/p/.venv/bin:/usr/bin")];
        let machine = within_pre_commit()
            .process(
                &["/usr/bin/python3", "/usr/bin/pre-commit", "hook-impl"],
                &[("PATH", "/usr/lib/git-core:/usr/bin"), ("GIT_INDEX_FILE", "x")],
            )
            .process(&["/bin/sh", ".git/hooks/pre-commit"], &[("PATH", "/usr/lib/git-core:/usr/bin")])
            .process(&["git", "commit"], &outside)
            .process(&["zsh"], &[("PATH", "/bin")]);
        let (found, ..) = shell(&machine);
        assert_eq!(found.kind, Some(ShellKind::Zsh));
        assert_eq!(found.seen_through, Some(Wrapper::PreCommit));
        assert_eq!(found.wrappers, [Wrapper::PreCommit, Wrapper::Git]);
        assert_eq!(found.variable("VIRTUAL_ENV"), Some("/p/.venv"));
        assert_eq!(path_value(&machine, &found), Some(b"/p/.venv/bin:/usr/bin".to_vec()));
    }

    #[test]
    fn looks_through_the_git_hook_that_pre_commit_installs() {
        let machine = within_pre_commit()
            .process(
                &["/opt/tools/bin/python", "-mpre_commit", "hook-impl", "--hook-type=pre-commit"],
                &[("PATH", "/usr/lib/git-core:/usr/bin")],
            )
            .process(&["git", "commit"], &[("PATH", "/usr/bin")])
            .process(&["bash"], &[]);
        let (shell, _, _) = shell(&machine);
        assert_eq!(shell.seen_through, Some(Wrapper::PreCommit));
        assert_eq!(shell.variable("PATH"), Some("/usr/bin"));
        assert_eq!(shell.variable("VIRTUAL_ENV"), None);
    }

    #[test]
    fn leaves_out_what_the_wrapper_added_where_nothing_can_be_read() {
        let machine = within_pre_commit().process(&["/usr/bin/python3", "-m", "pre_commit"], &[]);
        let (found, _, notes) = shell(&machine);
        assert_eq!(found.seen_through, Some(Wrapper::PreCommit));
        assert_eq!(found.variable("VIRTUAL_ENV"), None);
        assert_eq!(path_value(&machine, &found), Some(b"/usr/lib/git-core:/usr/bin".to_vec()));
        assert_eq!(notes.len(), 1);

        let machine = FakeMachine::linux()
            .variable("VIRTUAL_ENV", "/home/me/.cache/pipx/0123abc")
            .variable("PATH", "/home/me/.cache/pipx/0123abc/bin:/usr/bin")
            .process(&["bash"], &[("PATH", "/stale")]);
        let (found, ..) = shell(&machine);
        assert_eq!(found.seen_through, Some(Wrapper::PipxRun));
        assert_eq!(path_value(&machine, &found), Some(b"/usr/bin".to_vec()));
    }

    #[test]
    fn uv_is_seen_through_only_when_its_environment_is_the_doctors() {
        let run = |arguments: &[&str]| {
            let machine = FakeMachine::linux()
                .variable("UV_RUN_RECURSION_DEPTH", "1")
                .variable("VIRTUAL_ENV", "/inner")
                .process(arguments, &[("VIRTUAL_ENV", "/outer"), ("PATH", "/bin")])
                .process(&["bash"], &[]);
            let (found, ..) = shell(&machine);
            (found.seen_through, found.variable("VIRTUAL_ENV").unwrap_or_default().to_owned())
        };
        assert_eq!(run(&["uv", "run", "venv-doctor"]), (None, "/inner".to_owned()));
        let outer = "/outer".to_owned();
        assert_eq!(run(&["uv", "run", "--with", "venv-doctor", "venv-doctor"]).1, outer);
        assert_eq!(run(&["uv", "tool", "uvx", "venv-doctor"]), (Some(Wrapper::Uvx), outer.clone()));
        assert_eq!(run(&["/usr/bin/python3", "/usr/bin/pipx", "run", "x"]), (Some(Wrapper::PipxRun), outer));
    }

    #[test]
    fn keeps_the_environment_of_tools_that_run_the_project() {
        let machine = FakeMachine::linux()
            .variable("TOX_ENV_NAME", "py312")
            .variable("VIRTUAL_ENV", "/p/.tox/py312")
            .process(&["/p/.venv/bin/python", "/p/.venv/bin/tox"], &[("VIRTUAL_ENV", "/p/.venv")])
            .process(&["bash"], &[]);
        let (found, ..) = shell(&machine);
        assert_eq!(found.seen_through, None);
        assert_eq!(found.variable("VIRTUAL_ENV"), Some("/p/.tox/py312"));
        assert_eq!(found.environment_wrapper(), Some(Wrapper::Tox));
    }

    #[test]
    fn what_stands_outside_an_interactive_shell_wraps_nothing() {
        let machine = FakeMachine::linux()
            .variable("VIRTUAL_ENV", "/p/.venv")
            .process(&["bash"], &[])
            .process(&["/usr/share/code/code"], &[])
            .process(&["python3", "/usr/bin/pre-commit", "run"], &[("PATH", "/x")])
            .process(&["tmux: server"], &[]);
        let (found, ..) = shell(&machine);
        assert_eq!(found.wrappers, [Wrapper::Tmux]);
        assert_eq!(found.seen_through, None);
    }

    #[test]
    fn arguments_are_kept_private() {
        let machine = FakeMachine::linux()
            .process(&["bash", "-ec", "mysql -psecret"], &[])
            .process(&["/usr/bin/agent", "--token", "secret"], &[])
            .process(&["python3", "-X", "dev", "tool.py", "secret"], &[])
            .process(&["uv", "run", "tool", "--key=secret"], &[])
            .process(&["python3", "-c", "secret"], &[]);
        let arguments: Vec<String> =
            shell(&machine).0.ancestors.iter().map(|process| process.arguments.join(" ")).collect();
        let expected = ["bash -ec", "/usr/bin/agent", "python3 -X dev tool.py", "uv run", "python3"];
        assert_eq!(arguments, expected);
    }

    #[test]
    fn variables_are_allow_listed_and_sorted() {
        let machine = FakeMachine::linux()
            .variable("VIRTUAL_ENV", "/p/.venv")
            .variable("AWS_SECRET_ACCESS_KEY", "x")
            .variable("PIP_INDEX_URL", "https://u:p@h/simple")
            .variable("PATH", b"/caf\xe9:/bin");
        let (found, ..) = shell(&machine);
        let names: Vec<&str> = found.variables.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["PATH", "PIP_INDEX_URL", "VIRTUAL_ENV"]);
        assert_eq!(found.variable("PIP_INDEX_URL"), Some("https://***@h/simple"));
        assert_eq!(path_value(&machine, &found), Some(b"/caf\xe9:/bin".to_vec()));
    }

    #[test]
    fn knows_the_surroundings() {
        assert_eq!(surroundings(&FakeMachine::linux()), Surroundings::default());
        let machine = FakeMachine::linux().file("/.dockerenv", "").variable("CI", "true");
        let found = surroundings(&machine);
        assert_eq!(found.container.as_deref(), Some("/.dockerenv exists"));
        assert_eq!(found.ci.as_deref(), Some("CI is set"));
        assert_eq!(surroundings(&FakeMachine::linux().variable("CI", "false")).ci, None);
        assert!(surroundings(&FakeMachine::linux().release("5.15.0-microsoft-standard-WSL2")).wsl);
        let groups = FakeMachine::linux().file("/proc/1/cgroup", "1:name=systemd:/docker/0123\n");
        assert!(surroundings(&groups).container.is_some());
        assert_eq!(surroundings(&FakeMachine::macos().file("/.dockerenv", "")).container, None);
    }

    #[test]
    fn cron_has_no_terminal() {
        let machine = FakeMachine::linux().variable("INVOCATION_ID", "0").process(&["/usr/bin/x"], &[]);
        assert!(shell(&machine).0.within(Wrapper::Service));
        let terminal = FakeMachine::linux()
            .variable("INVOCATION_ID", "0")
            .variable("TERM", "xterm")
            .process(&["bash"], &[]);
        assert!(!shell(&terminal).0.within(Wrapper::Service));
    }
}
