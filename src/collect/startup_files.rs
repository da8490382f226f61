//! What the shell's start-up files say of Python's names and of `PATH`. They are read, never run, and only
//! suggest what the live shell holds.

use crate::facts::shell::{Alias, PathLine, Shell, ShellKind};
use crate::host::Host;
use crate::parse::startup_file::{self, Located, Statement, Syntax};
use crate::path::{Flavour, HostPath};

const FILE_LIMIT: usize = 256 * 1024;
/// So much is read of a file that another one names: prompts and plugin managers are longer.
const NAMED_FILE_LIMIT: usize = 64 * 1024;
/// So many files are read, those that others name included.
const MOST_FILES: usize = 24;
/// So much longer than its text may a value be with its variables expanded: two lines can double one without end.
const MOST_EXPANDED: usize = 4096;
/// The functions of fish that are read from files of their own.
const FUNCTIONS: [&str; 4] = ["python", "python3", "pip", "pip3"];

/// Adds the aliases, functions and `PATH` lines of the files that this shell reads at its start.
pub fn read(host: &dyn Host, shell: &mut Shell) {
    let (Some(kind), Some(home)) = (shell.kind, host.home()) else { return };
    let (syntax, names): (Syntax, &[&str]) = match kind {
        ShellKind::Bash => {
            (Syntax::Posix, &[".bash_profile", ".bash_login", ".profile", ".bashrc", ".bash_aliases"])
        }
        ShellKind::Zsh => (Syntax::Posix, &[".zshenv", ".zprofile", ".zshrc", ".zlogin"]),
        ShellKind::Sh => (Syntax::Posix, &[".profile"]),
        ShellKind::Fish => (Syntax::Fish, &["config.fish"]),
        ShellKind::Csh => (Syntax::Csh, &[".tcshrc", ".cshrc", ".login"]),
        _ => return,
    };
    let mut reader = Reader {
        host,
        shell,
        home: &home,
        syntax,
        read: Vec::new(),
        most: MOST_FILES,
        assigned: Vec::new(),
        own: Vec::new(),
        condition: None,
    };
    let directory = match kind {
        ShellKind::Zsh => reader.zsh_directory(),
        ShellKind::Fish => reader.fish_directory(),
        _ => home.clone(),
    };
    reader.own = names.iter().map(|name| directory.join(name)).collect();
    if kind == ShellKind::Fish {
        let function = |name| directory.join("functions").join(format!("{name}.fish"));
        reader.own.extend(FUNCTIONS.map(function));
    }
    for file in reader.own.clone() {
        reader.file(&file, FILE_LIMIT);
    }
}

struct Reader<'a> {
    host: &'a dyn Host,
    shell: &'a mut Shell,
    home: &'a HostPath,
    syntax: Syntax,
    read: Vec<HostPath>,
    /// So many files are read, beside the shell's own.
    most: usize,
    /// Variables that the files set to absolute paths, last one last.
    assigned: Vec<(String, String)>,
    /// What the shell reads whatever the files say.
    own: Vec<HostPath>,
    /// What decides over the file that is being read.
    condition: Option<String>,
}

impl Reader<'_> {
    /// Where zsh looks for its files: `ZDOTDIR` as it was exported, else as `~/.zshenv` sets it. With `ZDOTDIR` set
    /// before it starts, zsh leaves `~/.zshenv` alone; one that sets it was read by the first of the shells.
    fn zsh_directory(&mut self) -> HostPath {
        let exported = self.shell.path_variable("ZDOTDIR");
        let first = self.home.join(".zshenv");
        if let Ok(contents) = self.host.read(&first, FILE_LIMIT)
            && (exported.is_none() || crate::parse::find(&contents.bytes, b"ZDOTDIR=").is_some())
        {
            self.text(&first, &contents.bytes);
        }
        let assigned = || HostPath::new(Flavour::Posix, self.assigned("ZDOTDIR")?);
        exported.or_else(assigned).unwrap_or_else(|| self.home.clone())
    }

    /// Reads the files of `conf.d`, which come first and take nothing of what the others may name.
    fn fish_directory(&mut self) -> HostPath {
        let configuration = self.shell.path_variable("XDG_CONFIG_HOME");
        let directory = configuration.unwrap_or_else(|| self.home.join(".config")).join("fish");
        self.assigned.push(("__fish_config_dir".to_owned(), directory.to_string()));
        let snippets = directory.join("conf.d");
        for entry in self.host.list(&snippets).unwrap_or_default().entries {
            if entry.name.ends_with(b".fish") && self.read.len() < MOST_FILES {
                self.file(&snippets.join(&entry.name), NAMED_FILE_LIMIT);
            }
        }
        self.most += self.read.len();
        directory
    }

    fn file(&mut self, file: &HostPath, limit: usize) {
        let has = |files: &[HostPath]| files.iter().any(|known| known.same_as(file));
        if (self.read.len() >= self.most && !has(&self.own)) || has(&self.read) {
            return;
        }
        let Ok(contents) = self.host.read(file, limit) else { return };
        self.text(file, &contents.bytes);
    }

    fn text(&mut self, file: &HostPath, bytes: &[u8]) {
        self.read.push(file.clone());
        for located in startup_file::parse(self.syntax, bytes) {
            self.statement(file, located);
        }
    }

    fn statement(&mut self, file: &HostPath, located: Located) {
        let condition = located.condition.clone().or_else(|| self.condition.clone());
        let alias = |name: String, value: String, function: bool, located: &Located| Alias {
            name,
            value,
            function,
            file: Some(file.clone()),
            line: Some(located.line),
            text: Some(located.text.clone()),
            condition: condition.clone(),
        };
        match located.statement.clone() {
            Statement::Alias { name, value } => {
                let value = self.expanded(&value);
                let entry = alias(name, value, false, &located);
                self.shell.aliases.push(entry);
            }
            Statement::Function { name, body } => {
                let body = self.expanded(&body);
                let entry = alias(name, body, true, &located);
                self.shell.aliases.push(entry);
            }
            Statement::Assign { name, value } => {
                let value = self.expanded(&value);
                if value.starts_with('/') {
                    self.assigned.push((name, value));
                }
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
                let Some(path) = HostPath::new(Flavour::Posix, named) else { return };
                let own = self.own.iter().any(|own| own.same_as(&path));
                let outer = std::mem::replace(&mut self.condition, condition.filter(|_| !own));
                self.file(&path, NAMED_FILE_LIMIT);
                self.condition = outer;
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

    fn assigned(&self, name: &str) -> Option<&str> {
        self.assigned.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn value(&self, name: &str) -> Option<String> {
        match (self.assigned(name).or_else(|| self.shell.set(name)), name) {
            (Some(value), _) => Some(value.to_owned()),
            (None, "HOME") => Some(self.home.to_string()),
            (None, "PYENV_ROOT") => Some(self.home.join(".pyenv").to_string()),
            (None, _) => None,
        }
    }

    /// With `~/` and the variables that are known: `$NAME`, `${NAME}`, `${NAME:-WORDS}`. What grows too long stays as
    /// it is.
    fn expanded(&self, text: &str) -> String {
        let mut rest = text;
        let mut result = String::with_capacity(text.len());
        if let Some(below) = text.strip_prefix('~').filter(|below| below.is_empty() || below.starts_with('/'))
        {
            result.push_str(&self.home.to_text());
            rest = below;
        }
        while let Some(at) = rest.find('$') {
            result.push_str(&rest[..at]);
            let (length, value) = self.variable_at(&rest[at..]);
            result.push_str(value.as_deref().unwrap_or(&rest[at..at + length]));
            rest = &rest[at + length..];
            if result.len() > text.len() + MOST_EXPANDED {
                return text.to_owned();
            }
        }
        result.push_str(rest);
        result
    }

    /// How long the variable at the start of the text is, its `$` and braces included, and what it stands for.
    fn variable_at(&self, text: &str) -> (usize, Option<String>) {
        let braces = text.starts_with("${");
        let start = 1 + usize::from(braces);
        let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let end = start + text[start..].find(|letter| !is_of_name(letter)).unwrap_or(text.len() - start);
        let name = &text[start..end];
        if !braces {
            return (end, self.value(name));
        }
        let behind = &text[end..];
        let Some(close) = behind.find('}') else { return (end, None) };
        let default = behind[..close].strip_prefix(":-").or_else(|| behind[..close].strip_prefix('-'));
        let value = match (self.value(name), default) {
            (Some(value), Some(_)) => Some(value),
            (Some(value), None) if close == 0 => Some(value),
            // one that stands in another's braces is left alone
            (None, Some(default)) if !default.contains("${") => Some(self.expanded(default)),
            _ => None,
        };
        (end + close + 1, value)
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

    /// The names of the aliases and functions that a shell of this kind has, with what they stand for.
    fn aliases(machine: &FakeMachine, kind: ShellKind, variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut shell = Shell { kind: Some(kind), variables: variables.collect(), ..Shell::default() };
        read(machine, &mut shell);
        shell.aliases.into_iter().map(|alias| (alias.name, alias.value)).collect()
    }

    #[test]
    fn zsh_has_its_files_where_zdotdir_says() {
        let python = [("python".to_owned(), "/usr/bin/python3".to_owned())];
        let machine = || {
            FakeMachine::linux()
                .variable("HOME", "/home/me")
                .file("/home/me/.config/zsh/.zshrc", "alias python=/usr/bin/python3\n")
        };
        let exported = [("ZDOTDIR", "/home/me/.config/zsh")];
        assert_eq!(aliases(&machine(), ShellKind::Zsh, &exported), python);
        assert_eq!(aliases(&machine(), ShellKind::Zsh, &[]), []);
        for line in [
            "export ZDOTDIR=~/.config/zsh",
            "ZDOTDIR=\"${XDG_CONFIG_HOME:-$HOME/.config}/zsh\"",
            "export XDG_CONFIG_HOME=\"$HOME/.config\"\nexport ZDOTDIR=\"$XDG_CONFIG_HOME/zsh\"",
        ] {
            let machine = machine().file("/home/me/.zshenv", line);
            assert_eq!(aliases(&machine, ShellKind::Zsh, &[]), python, "{line}");
            assert_eq!(aliases(&machine, ShellKind::Zsh, &exported), python, "{line}");
        }
        // it is not read where ZDOTDIR came from elsewhere
        let machine = machine().file("/home/me/.zshenv", "alias pip=/usr/bin/pip3\n");
        assert_eq!(aliases(&machine, ShellKind::Zsh, &exported), python);
    }

    #[test]
    fn fish_has_functions_in_files_of_their_own() {
        let directory = "/home/me/.config/fish";
        let machine = FakeMachine::linux()
            .variable("HOME", "/home/me")
            .file(
                format!("{directory}/functions/python.fish"),
                "function python\n    /usr/bin/python3 $argv\nend\n",
            )
            .file(format!("{directory}/conf.d/work.fish"), "alias pip /usr/bin/pip3\n")
            .file(format!("{directory}/conf.d/work.txt"), "alias pip3 /usr/bin/pip3\n");
        let found = aliases(&machine, ShellKind::Fish, &[]);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["pip", "python"]);
        assert_eq!(found[1].1, "/usr/bin/python3 $argv");
    }

    #[test]
    fn many_snippets_leave_room_for_the_files_of_the_user() {
        let directory = "/home/me/.config/fish";
        let config = "alias python /usr/bin/python3\nsource ~/more.fish\n";
        let mut machine = FakeMachine::linux()
            .variable("HOME", "/home/me")
            .file(format!("{directory}/config.fish"), config)
            .file("/home/me/more.fish", "alias pip3 /usr/bin/pip3\n")
            .file(format!("{directory}/functions/pip.fish"), "function pip\n    /usr/bin/pip $argv\nend\n");
        for number in 0..2 * MOST_FILES {
            let text =
                if number == MOST_FILES - 1 { "alias python3 /usr/bin/python3\n" } else { "set -g x y\n" };
            machine = machine.file(format!("{directory}/conf.d/{number:02}.fish"), text);
        }
        let found = aliases(&machine, ShellKind::Fish, &[]);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["python3", "python", "pip3", "pip"]);
    }

    #[test]
    fn a_value_that_doubles_itself_is_given_up() {
        let doubled = format!("A=/x\n{}alias python=$A\n", "A=$A$A\n".repeat(60));
        let machine =
            FakeMachine::linux().variable("HOME", "/home/me").file("/home/me/.bashrc", doubled.as_str());
        let found = aliases(&machine, ShellKind::Bash, &[]);
        assert!(found[0].1.len() <= MOST_EXPANDED + 4, "{}", found[0].1.len());
    }

    #[test]
    fn what_decides_over_a_file_decides_over_its_lines() {
        let machine = FakeMachine::linux()
            .variable("HOME", "/home/me")
            .file("/home/me/.profile", "if [ -d /work ]; then\n. ~/.bashrc\nfi\n")
            .file("/home/me/.bashrc", "[ -f ~/.a ] && . ~/.a\n[ -d /work ] && . ~/.b\n")
            .file("/home/me/.a", "alias python=x\n")
            .file("/home/me/.b", "alias pip=x\n");
        let mut shell = Shell { kind: Some(ShellKind::Bash), ..Shell::default() };
        read(&machine, &mut shell);
        let conditions: Vec<Option<&str>> =
            shell.aliases.iter().map(|alias| alias.condition.as_deref()).collect();
        assert_eq!(conditions, [None, Some("[ -d /work ] &&")]);
    }
}
