//! What stands between the doctor and the shell: programs that run others, and whose environment is for those alone.

use super::{FoundShell, shell_kind};
use crate::facts::shell::Wrapper;
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
pub(super) fn without_private_arguments(mut process: Process) -> Process {
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
pub(super) fn is_launcher(process: &Process) -> bool {
    match wrapper_of(process) {
        Some(Wrapper::Sudo | Wrapper::Tmux | Wrapper::Screen) => false,
        Some(_) => true,
        None => LAUNCHERS.contains(&program(process).0.as_str()),
    }
}

pub(super) fn wrappers(
    host: &dyn Host,
    ancestors: &[Process],
    shell: Option<&FoundShell>,
    ci: bool,
) -> Vec<Wrapper> {
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
pub(super) struct PrivateLayer {
    pub(super) wrapper: Wrapper,
    /// The allow-listed variables outside it, where they can be read.
    pub(super) outside: Option<Vec<(String, String)>>,
}

/// `below`: the processes between the doctor and the user's shell.
pub(super) fn private_layer(host: &dyn Host, below: &[Process], interactive: bool) -> Option<PrivateLayer> {
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
pub(super) fn take_out_private(variables: &mut Vec<(String, String)>, flavour: Flavour) {
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
