//! The words of each shell, run by that shell: quoting, `PATH`, activation, rewriting. A shell that is not
//! here is reported as ignored; `VENV_DOCTOR_SHELLS` may name further directories to look in, joined by `:`.
//!
//! This file brings its own `main`, because the standard harness cannot ignore a test while it runs.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, clippy::unwrap_used, clippy::expect_used)]

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    on_unix::main()
}

#[cfg(unix)]
mod on_unix {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::path::{Path, PathBuf};
    use std::process::{Command, ExitCode, Stdio};

    use venv_doctor::diagnosis::{Action, Remedy, Word};
    use venv_doctor::facts::platform::System;
    use venv_doctor::facts::shell::ShellKind;
    use venv_doctor::parse::activate::ActivatorKind;
    use venv_doctor::path::HostPath;
    use venv_doctor::report::Dialect;

    struct Shell {
        name: &'static str,
        kind: ShellKind,
        program: &'static str,
        /// Before the script's path: no start-up files.
        options: &'static [&'static str],
    }

    const SHELLS: &[Shell] = &[
        Shell { name: "bash", kind: ShellKind::Bash, program: "bash", options: &["--norc", "--noprofile"] },
        Shell { name: "zsh", kind: ShellKind::Zsh, program: "zsh", options: &["-f"] },
        Shell { name: "sh", kind: ShellKind::Sh, program: "sh", options: &[] },
        Shell { name: "dash", kind: ShellKind::Sh, program: "dash", options: &[] },
        Shell { name: "fish", kind: ShellKind::Fish, program: "fish", options: &["--no-config"] },
        Shell { name: "tcsh", kind: ShellKind::Csh, program: "tcsh", options: &["-f"] },
        Shell {
            name: "pwsh",
            kind: ShellKind::PowerShell,
            program: "pwsh",
            options: &["-NoProfile", "-File"],
        },
        Shell { name: "nu", kind: ShellKind::Nushell, program: "nu", options: &["--no-config-file"] },
        Shell { name: "xonsh", kind: ShellKind::Xonsh, program: "xonsh", options: &["--no-rc"] },
        Shell { name: "elvish", kind: ShellKind::Elvish, program: "elvish", options: &["-norc"] },
    ];

    type Test = fn(&Machine);
    const TESTS: &[(&str, Test)] = &[
        ("quoting_survives", quoting_survives),
        ("comments_do_nothing", comments_do_nothing),
        ("variables_are_set_and_unset", variables_are_set_and_unset),
        ("path_entries_come_and_go", path_entries_come_and_go),
        ("a_venv_is_activated_and_left", a_venv_is_activated_and_left),
        ("an_inherited_venv_is_left", an_inherited_venv_is_left),
        ("a_venv_without_scripts_is_activated", a_venv_without_scripts_is_activated),
        ("rewriting_is_literal", rewriting_is_literal),
        ("lines_are_written", lines_are_written),
    ];

    pub fn main() -> ExitCode {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
        let exact = arguments.iter().any(|argument| argument == "--exact");
        let wanted = |name: &str| {
            filters.is_empty()
                || filters.iter().any(|filter| if exact { name == *filter } else { name.contains(*filter) })
        };
        let all = SHELLS.iter().flat_map(|shell| TESTS.iter().map(move |(name, test)| (shell, name, test)));
        let chosen: Vec<_> = all
            .map(|(shell, name, test)| (shell, format!("{}::{name}", shell.name), test))
            .filter(|(_, name, _)| wanted(name))
            .collect();
        if arguments.iter().any(|argument| argument == "--list") {
            chosen.iter().for_each(|(_, name, _)| println!("{name}: test"));
            return ExitCode::SUCCESS;
        }
        println!("\nrunning {} tests", chosen.len());
        let (mut passed, mut failed, mut ignored) = (0, 0, 0);
        for (shell, name, test) in &chosen {
            let Some(program) = find(shell.program) else {
                ignored += 1;
                println!("test {name} ... ignored, {} is not here", shell.program);
                continue;
            };
            let machine = Machine::new(shell, program);
            if catch_unwind(AssertUnwindSafe(|| test(&machine))).is_ok() {
                passed += 1;
                println!("test {name} ... ok");
            } else {
                failed += 1;
                println!("test {name} ... FAILED");
            }
        }
        let result = if failed == 0 { "ok" } else { "FAILED" };
        println!("\ntest result: {result}. {passed} passed; {failed} failed; {ignored} ignored\n");
        if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn find(program: &str) -> Option<PathBuf> {
        let variables = ["PATH", "VENV_DOCTOR_SHELLS"].map(|name| std::env::var_os(name).unwrap_or_default());
        variables
            .iter()
            .flat_map(std::env::split_paths)
            .map(|directory| directory.join(program))
            .find(|file| file.is_file())
    }

    /// A shell with a directory of its own.
    struct Machine {
        shell: &'static Shell,
        program: PathBuf,
        dialect: Dialect,
        directory: tempfile::TempDir,
    }

    impl Machine {
        fn new(shell: &'static Shell, program: PathBuf) -> Machine {
            let dialect = Dialect::new(Some(shell.kind), System::Linux);
            Machine { shell, program, dialect, directory: tempfile::tempdir().unwrap() }
        }

        fn is(&self, kinds: &[ShellKind]) -> bool {
            kinds.contains(&self.shell.kind)
        }

        fn path(&self, name: impl AsRef<[u8]>) -> PathBuf {
            self.directory.path().join(OsString::from_vec(name.as_ref().to_vec()))
        }

        /// Runs these lines as a script; what it printed.
        fn run(&self, lines: &[String], variables: &[(&str, OsString)]) -> Vec<u8> {
            let script = self.path(if self.is(&[ShellKind::PowerShell]) { "script.ps1" } else { "script" });
            std::fs::write(&script, lines.join("\n") + "\n").unwrap();
            let output = Command::new(&self.program)
                .args(self.shell.options)
                .arg(&script)
                .current_dir(self.directory.path())
                .env_remove("VIRTUAL_ENV")
                .env_remove("VIRTUAL_ENV_PROMPT")
                .env("HOME", self.directory.path())
                .env("LC_ALL", "C.UTF-8")
                .env("PATH", "/usr/local/bin:/usr/bin:/bin")
                .envs(variables.iter().map(|(name, value)| (name, value)))
                .stdin(Stdio::null())
                .output()
                .unwrap();
            if !output.stderr.is_empty() {
                println!("{} says: {}", self.shell.name, String::from_utf8_lossy(&output.stderr));
            }
            output.stdout
        }

        /// Runs the actions, then tells the value of a variable as a child process sees it. None: it is unset.
        fn variable_after(
            &self,
            actions: &[Action],
            name: &str,
            variables: &[(&str, OsString)],
        ) -> Option<Vec<u8>> {
            let mut lines = self.lines(actions);
            let print = [Word::from("/usr/bin/env"), Word::from("-0")];
            lines.extend(self.lines(&[Action::Run(print.into())]));
            let output = self.run(&lines, variables);
            let start = [name.as_bytes(), b"="].concat();
            output
                .split(|byte| *byte == 0)
                .find_map(|line| line.strip_prefix(start.as_slice()))
                .map(<[u8]>::to_vec)
        }

        fn lines(&self, actions: &[Action]) -> Vec<String> {
            self.dialect.commands(&Remedy::safe("Try", actions.to_vec()))
        }

        /// Shells of Unicode strings cannot name other bytes.
        fn takes_only_text(&self) -> bool {
            self.is(&[ShellKind::PowerShell, ShellKind::Nushell])
        }

        /// A venv by this machine's own Python, below a name that needs quoting.
        fn venv(&self) -> (PathBuf, Action, Action) {
            let root = self.path("it's a $venv!");
            let made = Command::new("/usr/bin/python3")
                .args(["-m", "venv", "--without-pip"])
                .arg(&root)
                .status()
                .is_ok_and(|status| status.success());
            assert!(made, "no venv could be made");
            let here = host_path(&root);
            let script = |kind, name: &str| (kind, here.join("bin").join(name));
            let scripts = [
                script(ActivatorKind::Posix, "activate"),
                script(ActivatorKind::Csh, "activate.csh"),
                script(ActivatorKind::Fish, "activate.fish"),
                script(ActivatorKind::PowerShell, "Activate.ps1"),
            ];
            let deactivate = Action::Deactivate { root: here.clone(), script_directory: here.join("bin") };
            (root, Action::Activate { root: here, scripts: scripts.into() }, deactivate)
        }
    }

    fn host_path(path: &Path) -> HostPath {
        HostPath::posix(path.as_os_str().as_bytes())
    }

    /// A small generator with a seed of its own (xorshift).
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 % limit as u64) as usize
        }

        /// Bytes without NUL, rich in what shells care about.
        fn word(&mut self, text: bool) -> Vec<u8> {
            let special: Vec<char> =
                "'\"\\`$!~=-#%^&*()[]{}|;:<>?, \t\n@+é\u{2019}\u{201c}\u{202e}x0n".chars().collect();
            let mut word = Vec::new();
            for _ in 0..self.below(12) {
                if text || self.below(4) > 0 {
                    let letter = special[self.below(special.len())];
                    word.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                } else {
                    word.push(1 + self.below(255) as u8);
                }
            }
            word
        }
    }

    fn quoting_survives(machine: &Machine) {
        let text = machine.takes_only_text();
        let mut words: Vec<Vec<u8>> = [
            "", "~", "~root", "=ls", "-n", "--", "%1", "!!", "a=b", "$HOME", "${HOME}", "`id`", "$(id)", "#",
            "a\n", "\n", "*", "{a,b}",
        ]
        .map(|word| word.as_bytes().to_vec())
        .into();
        let mut random = Random(0x5eed);
        while words.len() < 300 {
            words.push(random.word(text));
        }
        let mut lines = Vec::new();
        for chunk in words.chunks(20) {
            let mut argv = vec![Word::from("/usr/bin/printf"), Word::from("%s\\0")];
            argv.extend(chunk.iter().map(|word| Word(word.clone())));
            lines.extend(machine.lines(&[Action::Run(argv)]));
        }
        let output = machine.run(&lines, &[]);
        let mut found = output.split(|byte| *byte == 0);
        for word in &words {
            let quoted = machine.dialect.quote(word);
            let found = found.next().unwrap_or(b"(nothing)");
            assert_eq!(
                found.escape_ascii().to_string(),
                word.escape_ascii().to_string(),
                "written as {quoted}"
            );
        }
    }

    fn comments_do_nothing(machine: &Machine) {
        let advice = "don't `touch made` $(touch made); touch made & \"touch made\" !touch | (touch made) > made\ntouch made";
        let lines = machine.lines(&[
            Action::Advice(advice.to_owned()),
            Action::Edit {
                file: HostPath::posix(b"/a\ntouch made"),
                line: Some(3),
                hint: "remove it".into(),
            },
            Action::Advice("[a-z] {a,b} ~ * ?".to_owned()),
        ]);
        assert_eq!(lines.len(), 3);
        machine.run(&lines, &[]);
        assert!(!machine.path("made").exists());
        // as at the prompt of a shell that knows no comments there
        if machine.is(&[ShellKind::Zsh, ShellKind::Csh]) {
            for line in lines {
                let script = format!("x{}", line.strip_prefix('#').unwrap_or(&line));
                machine.run(&[script, "echo".to_owned()], &[]);
            }
            assert!(!machine.path("made").exists());
        }
    }

    fn variables_are_set_and_unset(machine: &Machine) {
        let value = "a 'b' $c \\ \"d\"";
        let set = Action::Set { name: "TRIED".into(), value: value.into() };
        assert_eq!(machine.variable_after(&[set], "TRIED", &[]).as_deref(), Some(value.as_bytes()));
        let unset = Action::Unset("TRIED".into());
        assert_eq!(machine.variable_after(&[unset], "TRIED", &[("TRIED", "x".into())]), None);
    }

    fn path_entries_come_and_go(machine: &Machine) {
        let path = |value: &str| [("PATH", OsString::from(value))];
        let after = |actions: &[Action], value: &str| {
            let value = machine.variable_after(actions, "PATH", &path(value)).unwrap();
            String::from_utf8_lossy(&value).into_owned()
        };
        let remove = |raw: &str| Action::RemoveFromPath { raw: raw.into() };
        let entry = "/it's/a $x*";
        let full = format!("{entry}:{entry}:/usr/bin:/x:{entry}/:/bin:{entry}");
        assert_eq!(after(&[remove(entry)], &full), format!("/usr/bin:/x:{entry}/:/bin"));
        assert_eq!(after(&[remove("/absent")], "/usr/bin:/bin"), "/usr/bin:/bin");
        assert_eq!(after(&[remove("/bin")], "/usr/bin:/bin:/bin/"), "/usr/bin:/bin/");
        assert_eq!(after(&[remove("rel")], "rel:rel:/usr/bin:/bin:rel"), "/usr/bin:/bin");
        for value in [":/usr/bin:/bin", "/usr/bin:/bin:", "/usr/bin::/bin", "::/usr/bin:::/bin::"] {
            assert_eq!(after(&[remove("")], value), "/usr/bin:/bin", "{value}");
        }
        let first = Action::PutFirst(HostPath::posix(entry));
        assert_eq!(after(&[first], "/usr/bin:/bin"), format!("{entry}:/usr/bin:/bin"));
        let first = Action::PutFirst(HostPath::posix("/plain/bin"));
        assert_eq!(after(&[first], "/usr/bin:/bin"), "/plain/bin:/usr/bin:/bin");
    }

    fn starts_with_bin(path: &[u8], root: &Path) -> bool {
        path.starts_with(root.join("bin").as_os_str().as_bytes())
    }

    fn a_venv_is_activated_and_left(machine: &Machine) {
        let (root, activate, deactivate) = machine.venv();
        let active = machine.variable_after(std::slice::from_ref(&activate), "VIRTUAL_ENV", &[]);
        assert_eq!(active.as_deref(), Some(root.as_os_str().as_bytes()));
        let path = machine.variable_after(std::slice::from_ref(&activate), "PATH", &[]).unwrap();
        assert!(starts_with_bin(&path, &root), "{path:?}");
        let both = [activate, deactivate];
        assert_eq!(machine.variable_after(&both, "VIRTUAL_ENV", &[]), None);
        let path = machine.variable_after(&both, "PATH", &[]).unwrap();
        assert_eq!(String::from_utf8_lossy(&path), "/usr/local/bin:/usr/bin:/bin");
    }

    fn an_inherited_venv_is_left(machine: &Machine) {
        let (root, _, deactivate) = machine.venv();
        let bin = root.join("bin").into_os_string().into_string().unwrap();
        let inherited = [
            ("VIRTUAL_ENV", root.clone().into_os_string()),
            ("VIRTUAL_ENV_PROMPT", "(x) ".into()),
            ("PATH", format!("{bin}:{bin}:/usr/bin:/bin").into()),
        ];
        let left = std::slice::from_ref(&deactivate);
        assert_eq!(machine.variable_after(left, "VIRTUAL_ENV", &inherited), None);
        assert_eq!(machine.variable_after(left, "VIRTUAL_ENV_PROMPT", &inherited), None);
        let path = machine.variable_after(left, "PATH", &inherited).unwrap();
        assert_eq!(String::from_utf8_lossy(&path), "/usr/bin:/bin");
    }

    fn a_venv_without_scripts_is_activated(machine: &Machine) {
        let root = host_path(&machine.path("a b"));
        let activate = [Action::Activate { root: root.clone(), scripts: Vec::new() }];
        let active = machine.variable_after(&activate, "VIRTUAL_ENV", &[]);
        assert_eq!(active.as_deref(), Some(root.as_bytes()));
        let path = machine.variable_after(&activate, "PATH", &[]).unwrap();
        assert!(path.starts_with(root.join("bin:").as_bytes()), "{path:?}");
    }

    fn rewriting_is_literal(machine: &Machine) {
        let from = "/old [a-z].*^$\\(x)|#,@%&'\"!";
        let to = "/new & \\1 |#,@%'\"$!";
        let names = ["one", "two", "with space", "it's"];
        let mut text = format!("#!{from}/bin/python\nx{from}{from}\n/old a.*\n").into_bytes();
        let mut expected = format!("#!{to}/bin/python\nx{to}{to}\n/old a.*\n").into_bytes();
        if !machine.takes_only_text() {
            text.extend(b"\xff\xe9");
            expected.extend(b"\xff\xe9");
        }
        let files: Vec<PathBuf> = names.iter().map(|name| machine.path(name)).collect();
        files.iter().for_each(|file| std::fs::write(file, &text).unwrap());
        let action = Action::Rewrite {
            files: files.iter().map(|file| host_path(file)).collect(),
            from: from.into(),
            to: to.into(),
        };
        let lines = machine.lines(&[action]);
        assert_eq!(lines.len(), 1);
        machine.run(&lines, &[]);
        for file in files {
            assert_eq!(
                std::fs::read(&file).unwrap().escape_ascii().to_string(),
                expected.escape_ascii().to_string()
            );
        }
    }

    fn lines_are_written(machine: &Machine) {
        let file = machine.path("what was installed.txt");
        let wanted: Vec<String> =
            (0..200).map(|number| format!("distribution-{number} @ https://host/'$x' % \\n")).collect();
        let write = |lines: &[String], append| Action::WriteLines {
            file: host_path(&file),
            lines: lines.iter().map(Word::from).collect(),
            append,
        };
        machine.run(&machine.lines(&[write(&wanted[..150], false), write(&wanted[150..], true)]), &[]);
        let written = std::fs::read_to_string(&file).unwrap();
        assert_eq!(written.lines().collect::<Vec<_>>(), wanted);
    }
}
