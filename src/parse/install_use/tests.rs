use super::*;

/// `line:column manner`, with `+` where an environment is prepared and `t` where only tools are installed.
fn uses(kind: CommandText, text: &str) -> Vec<String> {
    parse(kind, text.as_bytes(), "global-install")
        .into_iter()
        .map(|found| {
            let manner = format!("{:?}", found.manner);
            let prepared = if found.prepared { "+" } else { "" };
            let tools = if found.only_tools { "t" } else { "" };
            format!("{}:{} {manner}{prepared}{tools}", found.line, found.column)
        })
        .collect()
}

fn script(text: &str) -> Vec<String> {
    uses(CommandText::Script, text)
}

#[test]
fn tells_manners_apart() {
    assert_eq!(script("sudo pip install x\n"), ["1:1 Sudo"]);
    assert_eq!(script("set -e\n  sudo -H python3 -m pip install -r a.txt\n"), ["2:3 Sudo"]);
    assert_eq!(script("pip3 install --break-system-packages x"), ["1:1 BreakSystemPackages"]);
    assert_eq!(script("PIP_BREAK_SYSTEM_PACKAGES=1 pip install x"), ["1:29 BreakSystemPackages"]);
    assert_eq!(script("python3.11 -m pip install --user x"), ["1:1 User"]);
    assert_eq!(script("/usr/bin/pip3 install x"), ["1:1 System"]);
    assert_eq!(script("uv pip install --system x"), ["1:1 System"]);
    assert_eq!(script("if ! pip install x; then exit 1; fi"), ["1:6 Bare"]);
    assert_eq!(script("cd a && pip -q --proxy p install -e ."), ["1:9 Bare"]);
    assert_eq!(script("a\npip install \\\n  --user \\\n  x\n"), ["2:1 User"]);
    assert_eq!(script("pip install --user pipx"), ["1:1 Usert"]);
    assert_eq!(script("pip install -U pip wheel 'setuptools>=60'"), ["1:1 Baret"]);
}

#[test]
fn what_goes_elsewhere_is_none() {
    for text in [
        ".venv/bin/pip install x",
        "$VENV/bin/pip install x",
        "${PIP:-pip} install x",
        "sudo .venv/bin/pip install x",
        "sudo -u app pip install x",
        "pip install --target build x",
        "pip install -t build x",
        "pip install --prefix=/x y",
        "PIP_TARGET=x pip install y",
        "pip --python .venv install x",
        "pip install --help",
        "pip install --dry-run x",
        "pip download x",
        "pip list | grep install",
        "poetry run pip install x",
        "docker run python pip install x",
        "ssh host sudo pip install x",
        "uv pip install x",
        "uv pip install --python .venv x",
        "echo pip install x",
        "echo 'run:\n  sudo pip install x\n'",
        "# sudo pip install x",
        "cat <<EOF\nsudo pip install x\nEOF",
        "conda install pip",
        "pipx install x",
        "python setup.py install",
    ] {
        assert_eq!(script(text), [] as [String; 0], "{text}");
    }
}

#[test]
fn an_environment_may_be_prepared() {
    for text in [
        "python3 -m venv .venv\n. .venv/bin/activate\npip install x",
        "source \"$HERE/venv/bin/activate\"\npip install x",
        "uv venv && pip install x",
        "conda activate y; pip install x",
        "export PATH=\"$PWD/.venv/bin:$PATH\"\npip install x",
        "[ -n \"$VIRTUAL_ENV\" ] || exit 1\npip install x",
        "workon y\npip install x",
    ] {
        let found = script(text);
        assert!(found.len() == 1 && found[0].ends_with("Bare+"), "{text}: {found:?}");
    }
    assert_eq!(script("virtualenv v\nsudo pip install x"), ["2:1 Sudo+"]);
}

#[test]
fn recipes_have_a_shell_each() {
    let make = |text: &str| uses(CommandText::Makefile, text);
    assert_eq!(make("a: b\n\t@pip install x\n"), ["2:3 Bare"]);
    assert_eq!(make("a:\n\t. v/bin/activate && \\\n\tpip install x\n"), ["3:2 Bare+"]);
    assert_eq!(make("a:\n\t. v/bin/activate\n\tpip install x\n"), ["3:2 Bare"]);
    assert_eq!(make("export PATH := $(PWD)/.venv/bin:$(PATH)\na:\n\tpip install x\n"), ["3:2 Bare+"]);
    assert_eq!(make(".ONESHELL:\na:\n\t. v/bin/activate\n\tpip install x\n"), ["4:2 Bare+"]);
    assert_eq!(
        make("a:\n\t$(PIP) install x\n\t$(VENV)/bin/pip install x\nPIP = pip install x\n"),
        [] as [String; 0]
    );
    let just = |text: &str| uses(CommandText::Justfile, text);
    assert_eq!(just("a:\n    @sudo pip install x\n    echo\n"), ["2:6 Sudo"]);
    assert_eq!(just("a:\n    #!/usr/bin/env bash\n    . v/bin/activate\n    pip install x\n"), ["4:5 Bare+"]);
    assert_eq!(just("a:\n    #!/usr/bin/env python\n    pip install x\n"), [] as [String; 0]);
}

#[test]
fn dockerfiles_run_in_stages() {
    let docker = |text: &str| uses(CommandText::Dockerfile, text);
    assert_eq!(docker("FROM x\nRUN --mount=type=cache,target=/c pip install x\n"), ["2:34 Bare"]);
    assert_eq!(docker("RUN apt-get update \\\n  # why\n  && sudo pip install x\n"), ["3:6 Sudo"]);
    assert_eq!(
        docker("ENV PATH=/opt/venv/bin:$PATH\nRUN pip install x\nFROM y\nRUN pip install x"),
        ["2:5 Bare+", "4:5 Bare"]
    );
    assert_eq!(docker("RUN <<EOF\nRUN sudo pip install x\nEOF\nRUN pip install y\n"), ["4:5 Bare"]);
    assert_eq!(docker("COPY a b\nCMD pip install x\n"), [] as [String; 0]);
}

#[test]
fn ci_files_have_steps() {
    let ci = |text: &str| uses(CommandText::ContinuousIntegration, text);
    let workflow = "jobs:\n  a:\n    steps:\n      - uses: actions/setup-python@v5\n      - run: pip install x\n      - name: y\n        run: |\n          echo\n          sudo pip install x\n  b:\n    steps:\n      - run: 'sudo pip install x'\n";
    assert_eq!(ci(workflow), ["5:14 Bare+", "9:11 Sudo+", "12:15 Sudo"]);
    assert_eq!(
        ci("test:\n  script:\n    - pip install x\n    - |\n      pip install y\n  x: pip install z\n"),
        ["3:7 Bare", "5:7 Bare"]
    );
    assert_eq!(ci("script:\n- pip install x\nafter: 1\n"), ["2:3 Bare"]);
}

#[test]
fn documents_have_fenced_blocks() {
    let text = "sudo pip install a\n\n```console\n$ sudo pip install x\noutput\n```\n~~~python\nsudo pip install y\n~~~\n```\npip install z\n";
    assert_eq!(uses(CommandText::Markdown, text), ["4:3 Sudo", "11:1 Bare"]);
}

#[test]
fn documents_have_code_blocks() {
    let text = "x::\n\n  sudo pip install a\n\n.. code-block:: console\n   :linenos:\n\n   $ sudo pip install x\n\ny\n\n.. code-block:: python\n\n   sudo pip install z\n";
    assert_eq!(uses(CommandText::Restructured, text), ["8:6 Sudo"]);
}

#[test]
fn powershell_scripts_are_read() {
    let found = |text: &str| uses(CommandText::PowerShell, text);
    assert_eq!(found("Set-StrictMode\npip install --user `\n  x\n"), ["2:1 User"]);
    assert_eq!(found("if (-not $x) { py -3.11 -m pip install -r a.txt }\n"), ["1:16 System"]);
    assert_eq!(found("python.exe -m pip install x | Out-Null"), ["1:1 Bare"]);
    assert_eq!(found("try {\n  pip install x\n} catch { }"), ["2:3 Bare"]);
    for prepared in [
        "py -m venv .venv\n& .\\.venv\\Scripts\\Activate.ps1\npip install x",
        ".venv\\Scripts\\activate; pip install x",
        ". \"$PSScriptRoot\\venv\\Scripts\\Activate.ps1\"\npip install x",
        "$env:PATH = \"$PWD\\.venv\\Scripts;$env:PATH\"\npip install x",
        "if (-not $env:VIRTUAL_ENV) { exit 1 }\npip install x",
    ] {
        let found = found(prepared);
        assert!(found.len() == 1 && found[0].ends_with("Bare+"), "{prepared}: {found:?}");
    }
    for none in [
        ".\\.venv\\Scripts\\pip.exe install x",
        "& $python -m pip install x",
        "& \"$venv\\Scripts\\python.exe\" -m pip install x",
        "Write-Host \"pip install --user x\"",
        "<#\n pip install --user x\n#>",
        "@'\npip install --user x\n'@",
        "# pip install --user x",
        "$x = 'a\npip install --user x\n'",
    ] {
        assert_eq!(found(none), [] as [String; 0], "{none}");
    }
}

#[test]
fn batch_files_are_read() {
    let found = |text: &str| uses(CommandText::Batch, text);
    assert_eq!(found("@echo off\r\n@pip install --user ^\r\n  x\r\n"), ["2:2 User"]);
    assert_eq!(found("echo don't\ncall py -3 -m pip install x"), ["2:6 System"]);
    assert_eq!(found("call py -3 -Im pip install x"), ["1:6 System"]);
    assert_eq!(
        found("if not exist venv python -m venv venv\ncall venv\\Scripts\\activate\npip install x"),
        ["3:1 Bare+"]
    );
    for none in [
        "%~dp0venv\\Scripts\\pip install x",
        "venv\\Scripts\\python.exe -m pip install x",
        "rem pip install --user x",
        ":: pip install --user x",
        "echo pip install --user x",
    ] {
        assert_eq!(found(none), [] as [String; 0], "{none}");
    }
    let found = parse(CommandText::Batch, b"pip install --user .\\wheels\\x.whl", "global-install");
    assert_eq!(found[0].text, "pip install --user .\\wheels\\x.whl");
    assert!(!found[0].exact);
}

#[test]
fn test_runners_have_environments_of_their_own() {
    let tox = |text: &str| uses(CommandText::Tox, text);
    assert_eq!(
        tox(
            "[testenv]\ndeps = pip\ncommands =\n  pip install x\n  py311: - sudo pip install \\\n    y\n  {envpython} -m pip install z\n"
        ),
        ["4:3 Bare+", "5:12 Sudo+"]
    );
    assert_eq!(tox("[x]\nother = sudo pip install x\ncommands_pre=pip install --user x"), ["3:14 User+"]);
    let nox = |text: &str| uses(CommandText::Nox, text);
    assert_eq!(
        nox(
            "def a(session):\n    session.run(\"sudo\", 'pip', \"install\",\n        package,  # why\n        external=True)\n    session.run(\"pip\", \"install\", *x, env={\"A\": \"b\"})\n"
        ),
        ["2:17 Sudo+", "5:17 Bare+"]
    );
    let list = b"session.run('sudo', 'pip', 'install', 'six')";
    assert_eq!(parse(CommandText::Nox, list, "global-install")[0].text, "sudo pip install six");
    assert_eq!(
        nox("# session.run('sudo', 'pip', 'install', 'x')\nsession.run('echo', 'pip', 'install', 'x')\n"),
        [] as [String; 0]
    );
}

#[test]
fn jenkins_and_containers_have_commands() {
    let jenkins = |text: &str| uses(CommandText::Jenkinsfile, text);
    assert_eq!(
        jenkins(
            "steps {\n  sh 'pip install x'\n  sh \"\"\"\n    . v/bin/activate\n    pip install y\n  \"\"\"\n  sh(label: 'a', script: \"sudo pip install z\")\n  // sh 'pip install x'\n  echo 'sh pip install x'\n}\n"
        ),
        ["2:7 Bare", "5:5 Bare+", "7:27 Sudo"]
    );
    let container = |text: &str| uses(CommandText::Devcontainer, text);
    assert_eq!(
        container(
            "{\n  \"postCreateCommand\": \"sudo pip install x && pip install y\",\n  \"initializeCommand\": \"sudo pip install z\"\n}"
        ),
        ["2:25 Sudo", "2:47 Bare"]
    );
    assert_eq!(
        container(
            "{\"onCreateCommand\": [\"sudo\", \"pip\", \"install\", \"x\"], \"postStartCommand\": {\"pip install a\": \"pip3 install --user x\"}}"
        ),
        ["1:22 Sudo", "1:93 User"]
    );
}

#[test]
fn a_comment_silences_with_a_reason() {
    let reason = |text: &str| {
        let found = parse(CommandText::Script, text.as_bytes(), "global-install");
        found[0].silenced.as_ref().map(|silenced| (silenced.line, silenced.reason.clone()))
    };
    let because = |line: usize| Some((line, Some("because".to_owned())));
    assert_eq!(reason("sudo pip install x # venv-doctor: ignore[global-install] because"), because(1));
    assert_eq!(reason("# venv-doctor: ignore[a, global-install]: because\nsudo pip install x"), because(1));
    assert_eq!(reason("# venv-doctor: ignore[global-install]\nsudo pip install x"), Some((1, None)));
    assert_eq!(reason("# venv-doctor: ignore[moved-venv] because\nsudo pip install x"), None);
    assert_eq!(reason("a # venv-doctor: ignore[global-install] because\nsudo pip install x"), None);
    let silenced = |kind: CommandText, text: &str| {
        let found = parse(kind, text.as_bytes(), "global-install");
        found[0].silenced.as_ref().and_then(|silenced| silenced.reason.clone()).unwrap_or_default()
    };
    let remark = "rem venv-doctor: ignore[global-install] why\npip install x";
    assert_eq!(silenced(CommandText::Batch, remark), "why");
    let comment = "// venv-doctor: ignore[global-install] why\nsh 'pip install x'";
    assert_eq!(silenced(CommandText::Jenkinsfile, comment), "why");
    let text = "<!-- venv-doctor: ignore[global-install] because -->\n```sh\nls\nsudo pip install x\n```\n";
    let found = parse(CommandText::Markdown, text.as_bytes(), "global-install");
    assert_eq!(found[0].silenced, Some(Silenced { line: 1, reason: Some("because".to_owned()) }));
}

#[test]
fn tells_what_can_be_replaced() {
    let found = parse(CommandText::Script, b"sudo  pip install --user 'x>1' -r y\n", "global-install");
    assert_eq!(found[0].text, "sudo pip install --user 'x>1' -r y");
    assert_eq!(found[0].program, "pip");
    assert_eq!(found[0].arguments, "'x>1' -r y");
    assert!(found[0].exact);
}

#[test]
fn knows_files_by_name_and_first_line() {
    let of = |path: &str| CommandText::of(path, b"#!/usr/bin/env bash\n");
    assert_eq!(of("scripts/a.sh"), Some(CommandText::Script));
    assert_eq!(of("bin/setup"), Some(CommandText::Script));
    assert_eq!(CommandText::of("bin/setup", b"#!/usr/bin/env python3\n"), None);
    assert_eq!(of("GNUmakefile"), Some(CommandText::Makefile));
    assert_eq!(of("docker/Dockerfile.dev"), Some(CommandText::Dockerfile));
    assert_eq!(of(".github/workflows/ci.yml"), Some(CommandText::ContinuousIntegration));
    assert_eq!(of("ansible/play.yml"), None);
    assert_eq!(of("docs/README.md"), Some(CommandText::Markdown));
    assert_eq!(of("tools/Setup.PS1"), Some(CommandText::PowerShell));
    assert_eq!(of("make.bat"), Some(CommandText::Batch));
    assert_eq!(of(".devcontainer/devcontainer.json"), Some(CommandText::Devcontainer));
    assert_eq!(of("a.py"), None);
}

#[test]
fn survives_anything() {
    let kinds = [
        CommandText::Script,
        CommandText::Makefile,
        CommandText::Justfile,
        CommandText::Dockerfile,
        CommandText::ContinuousIntegration,
        CommandText::Markdown,
        CommandText::Restructured,
        CommandText::PowerShell,
        CommandText::Batch,
        CommandText::Tox,
        CommandText::Nox,
        CommandText::Jenkinsfile,
        CommandText::Devcontainer,
    ];
    let starts: [&[u8]; 11] = [
        b"commands = ",
        b".run('",
        b"sh '''",
        b"\"postCreateCommand\": [",
        b"",
        b"a:\n\t",
        b"RUN ",
        b"ENV ",
        b"run: |\n  ",
        b"```\n",
        b"- script:\n  - ",
    ];
    for kind in kinds {
        for start in starts {
            for seed in 0..20 {
                let mut noise = crate::parse::noise(seed, 300);
                noise.retain(|byte| *byte != 0);
                parse(kind, &[start, &noise, b"\ninstall ", &noise].concat(), "x");
                parse(kind, &[start, b"sudo pip install ", &noise].concat(), "x");
            }
        }
        parse(kind, "pip install x\n".repeat(80_000).as_bytes(), "x");
        parse(kind, "\tpip install \\\n".repeat(80_000).as_bytes(), "x");
        assert_eq!(parse(kind, b"sudo pip install x\0", "x"), []);
    }
}

#[test]
fn calls_that_never_end_are_read_once() {
    let text = b"a.run(".repeat(50_000);
    let read: usize = super::literals::nox(&text).iter().map(|chunk| chunk.text.len()).sum();
    assert!(read <= text.len(), "{read}");
}
