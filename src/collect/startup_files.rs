//! What the shell's start-up files say of Python's names and of `PATH`. They are read, never run, and only
//! suggest what the live shell holds.

use crate::facts::shell::{Alias, PathLine, Shell, ShellKind};
use crate::host::Host;
use crate::parse::startup_file::{self, Located, Statement, Syntax};
use crate::path::{Flavour, HostPath};

const FILE_LIMIT: usize = 256 * 1024;
/// So many files are read, those that others name included.
const MOST_FILES: usize = 12;

/// Adds the aliases, functions and `PATH` lines of the files that this shell reads at its start.
pub fn read(host: &dyn Host, shell: &mut Shell) {
    let (Some(kind), Some(home)) = (shell.kind, host.home()) else { return };
    let (syntax, names): (Syntax, &[&str]) = match kind {
        ShellKind::Bash => {
            (Syntax::Posix, &[".bash_profile", ".bash_login", ".profile", ".bashrc", ".bash_aliases"])
        }
        ShellKind::Zsh => (Syntax::Posix, &[".zshenv", ".zprofile", ".zshrc", ".zlogin"]),
        ShellKind::Sh => (Syntax::Posix, &[".profile"]),
        ShellKind::Fish => (Syntax::Fish, &[".config/fish/config.fish"]),
        ShellKind::Csh => (Syntax::Csh, &[".tcshrc", ".cshrc", ".login"]),
        _ => return,
    };
    let directory = match kind {
        ShellKind::Zsh => shell.path_variable("ZDOTDIR").unwrap_or_else(|| home.clone()),
        _ => home.clone(),
    };
    let mut reader = Reader { host, shell, home: &home, syntax, read: Vec::new() };
    for name in names {
        reader.file(&directory.join(name));
    }
}

struct Reader<'a> {
    host: &'a dyn Host,
    shell: &'a mut Shell,
    home: &'a HostPath,
    syntax: Syntax,
    read: Vec<HostPath>,
}

impl Reader<'_> {
    fn file(&mut self, file: &HostPath) {
        if self.read.len() >= MOST_FILES || self.read.iter().any(|known| known.same_as(file)) {
            return;
        }
        let Ok(contents) = self.host.read(file, FILE_LIMIT) else { return };
        self.read.push(file.clone());
        for located in startup_file::parse(self.syntax, &contents.bytes) {
            self.statement(file, located);
        }
    }

    fn statement(&mut self, file: &HostPath, located: Located) {
        let alias = |name: String, value: String, function: bool, located: &Located| Alias {
            name,
            value,
            function,
            file: Some(file.clone()),
            line: Some(located.line),
            text: Some(located.text.clone()),
            condition: located.condition.clone(),
        };
        match located.statement.clone() {
            Statement::Alias { name, value } => {
                let value = self.expanded(&value);
                let entry = alias(name, value, false, &located);
                self.shell.aliases.push(entry);
            }
            Statement::Function { name } => {
                let body =
                    located.text.split_once('{').map_or(String::new(), |(_, body)| body.trim().to_owned());
                let entry = alias(name, body, true, &located);
                self.shell.aliases.push(entry);
            }
            Statement::PutFirst { directory } => self.path_line(file, &located, &directory),
            Statement::Hook { tool } => {
                let root = match tool.as_str() {
                    "pyenv" => {
                        self.shell.path_variable("PYENV_ROOT").unwrap_or_else(|| self.home.join(".pyenv"))
                    }
                    "asdf" => {
                        self.shell.path_variable("ASDF_DATA_DIR").unwrap_or_else(|| self.home.join(".asdf"))
                    }
                    "conda" => match self.shell.path_variable("CONDA_EXE").and_then(|path| path.parent()) {
                        Some(bin) => bin,
                        None => return,
                    },
                    _ => self.home.join(".local/share/mise"),
                };
                let directory = if tool == "conda" { root } else { root.join("shims") };
                self.path_line(file, &located, &directory.to_text());
            }
            Statement::Source { file: named } => {
                let named = self.expanded(&named);
                if let Some(path) = HostPath::new(Flavour::Posix, named) {
                    self.file(&path);
                }
            }
        }
    }

    fn path_line(&mut self, file: &HostPath, located: &Located, directory: &str) {
        let Some(directory) = HostPath::new(Flavour::Posix, self.expanded(directory)) else { return };
        self.shell.path_lines.push(PathLine {
            file: file.clone(),
            line: located.line,
            text: located.text.clone(),
            directory,
        });
    }

    /// `~/`, `$HOME` and the few variables that such lines use.
    fn expanded(&self, text: &str) -> String {
        let home = self.home.to_text();
        let mut text = match text.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{home}{rest}"),
            _ => text.to_owned(),
        };
        for (name, default) in [
            ("HOME", Some("")),
            ("PYENV_ROOT", Some("/.pyenv")),
            ("XDG_DATA_HOME", None),
            ("VIRTUAL_ENV", None),
        ] {
            let value = match (self.shell.set(name), default) {
                (Some(value), _) => value.to_owned(),
                (None, Some(below)) => format!("{home}{below}"),
                (None, None) => continue,
            };
            text = text.replace(&format!("${{{name}}}"), &value).replace(&format!("${name}"), &value);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::fake::FakeMachine;

    #[test]
    fn reads_what_the_shell_reads_and_what_that_names() {
        let machine = FakeMachine::linux()
            .variable("HOME", "/home/me")
            .file(
                "/home/me/.bashrc",
                "alias python='/usr/bin/python3'\n. ~/.more\neval \"$(pyenv init -)\"\n",
            )
            .file("/home/me/.more", "export PATH=\"$HOME/bin:$PATH\"\n. ~/.bashrc\n")
            .file("/home/me/.zshrc", "alias pip=pip3\n");
        let mut shell = Shell { kind: Some(ShellKind::Bash), ..Shell::default() };
        read(&machine, &mut shell);
        let names: Vec<_> = shell.aliases.iter().map(|alias| (alias.name.as_str(), alias.line)).collect();
        assert_eq!(names, [("python", Some(1))]);
        let directories: Vec<_> = shell.path_lines.iter().map(|line| line.directory.to_string()).collect();
        assert_eq!(directories, ["/home/me/bin", "/home/me/.pyenv/shims"]);
    }
}
