use super::*;
use crate::facts::shell::Wrapper;
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
        .variable("PATH", "/home/me/.cache/pre-commit/repo1/py_env-python3/bin:/usr/lib/git-core:/usr/bin")
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
    let terminal =
        FakeMachine::linux().variable("INVOCATION_ID", "0").variable("TERM", "xterm").process(&["bash"], &[]);
    assert!(!shell(&terminal).0.within(Wrapper::Service));
}
