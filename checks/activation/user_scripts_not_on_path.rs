//! Scripts were installed for this user, in a directory that is not on `PATH`.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::shell::{ShellKind, Wrapper};
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "user-scripts-not-on-path",
    category: Category::Activation,
    severity: Severity::Info,
    summary: "User-level scripts exist and their directory is not on PATH",
    needs: &[],
    explains: &[],
    explanation: r#"
## What it means
`pip install --user` and `pipx` put programs into the user's own directory: `~/.local/bin` on Linux,
`~/Library/Python/3.12/bin` on macOS for `pip`, `%APPDATA%\Python\Python312\Scripts` on Windows. There are some, and the
shell does not search that directory: "command not found", although the module can be imported. pip said so when it
installed them: "WARNING: The script x is installed in '...' which is not on PATH".

## How it happens
Nobody put the directory on `PATH`. The login profile of Debian and Ubuntu does, but only if it exists at login:
after the first installation it takes a new login. cron, systemd and sudo never have it.

## How to fix it
Put the directory on `PATH` in the shell's rc file: `export PATH="$HOME/.local/bin:$PATH"` in `~/.bashrc` or `~/.zshrc`;
fish: `fish_add_path ~/.local/bin`; or let `pipx ensurepath` do it.
`python3 -m NAME` runs most tools without it.

## When it is fine
When you do not use those programs, or call them by their full path.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(user) = &facts.user_scripts else { return };
    if user.on_search_path || user.scripts.is_empty() {
        return;
    }
    // their short search path is meant to be so
    if [Wrapper::Service, Wrapper::Sudo].iter().any(|wrapper| facts.shell.within(*wrapper)) {
        return;
    }
    let shown: Vec<&str> = user.scripts.iter().take(5).map(String::as_str).collect();
    let more = match user.scripts.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let finding = Finding::new(
        &CHECK,
        Subject::Shell,
        format!("{} is not on PATH, and holds {}{more}", user.directory, shown.join(", ")),
    )
    .about(&user.directory)
    .evidence("scripts", format!("{}{more} in {}", shown.join(", "), user.directory))
    .evidence("PATH", facts.shell.variable("PATH").unwrap_or("not set"));
    let mut now = vec![Action::PutFirst(user.directory.clone())];
    // the active environment stays in front
    if let Some(environment) =
        facts.working_environment().filter(|environment| facts.on_search_path(environment))
    {
        now.push(Action::PutFirst(environment.program("")));
    }
    let finding = finding.remedy(Remedy::safe("Put the directory on PATH in this shell", now));
    findings.push(match for_good(facts, &user.directory) {
        Some(remedy) => finding.remedy(remedy),
        None => finding,
    });
}

/// The same for every shell that will be started.
fn for_good(facts: &Facts, directory: &HostPath) -> Option<Remedy> {
    let home = facts.home.as_ref()?;
    let file = match facts.shell.kind? {
        ShellKind::Bash => ".bashrc",
        ShellKind::Zsh => ".zshrc",
        ShellKind::Sh => ".profile",
        ShellKind::Fish => {
            let words = vec![Word::from("fish_add_path"), Word::from(directory)];
            return Some(Remedy::safe("Put it on PATH for good", vec![Action::Run(words)]));
        }
        _ => return None,
    };
    let below = directory.relative_to(home).filter(|below| !below.is_empty() && is_plain(below))?;
    let line = [&b"export PATH=\"$HOME/"[..], &below, b":$PATH\""].concat();
    Some(Remedy::safe(
        format!("Put it on PATH for good, in ~/{file}"),
        vec![Action::WriteLines { file: home.join(file), lines: vec![Word(line)], append: true }],
    ))
}

/// Needs no quoting between double quotes.
fn is_plain(name: &[u8]) -> bool {
    name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"/._- ".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::*;
    use crate::facts::search_path::UserScripts;

    fn with_scripts(names: &[&str], on_search_path: bool) -> Facts {
        let mut facts = not_activated();
        facts.user_scripts = Some(UserScripts {
            directory: path("/home/me/.local/bin"),
            scripts: names.iter().map(|name| (*name).to_owned()).collect(),
            on_search_path,
        });
        facts
    }

    #[test]
    fn fires_when_scripts_cannot_be_found() {
        let found = CHECK.findings(&with_scripts(&["demoapp"], false));
        assert_eq!(found[0].severity, Severity::Info);
        assert_eq!(found[0].message, "/home/me/.local/bin is not on PATH, and holds demoapp");
        let Action::WriteLines { lines, .. } = &found[0].remedies[1].actions[0] else { panic!("{found:?}") };
        assert_eq!(lines[0].as_bytes(), b"export PATH=\"$HOME/.local/bin:$PATH\"");
    }

    #[test]
    fn quiet_when_the_directory_is_on_path() {
        assert!(CHECK.findings(&with_scripts(&["demoapp"], true)).is_empty());
    }

    #[test]
    fn quiet_when_nothing_of_python_is_in_it() {
        assert!(CHECK.findings(&with_scripts(&[], false)).is_empty());
        assert!(CHECK.findings(&healthy()).is_empty());
    }

    #[test]
    fn quiet_when_a_service_manager_made_the_path() {
        let mut facts = with_scripts(&["demoapp"], false);
        facts.shell.wrappers.push(Wrapper::Service);
        assert!(CHECK.findings(&facts).is_empty());
    }
}
