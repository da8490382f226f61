//! How a shell was started, by its arguments.

use crate::facts::shell::ShellKind;

/// How a shell was started.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Started {
    pub(super) login: bool,
    pub(super) interactive: bool,
    /// It runs a file.
    pub(super) script: bool,
}

impl Started {
    /// By the options of each shell's manual: `-i` makes it interactive, `-c` or a script's name does not;
    /// `-l` or a `-` before its name makes it a login shell.
    pub(super) fn read(kind: ShellKind, arguments: &[String]) -> Started {
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
