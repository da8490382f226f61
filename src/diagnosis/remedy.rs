//! What to do, as structured actions: one place turns them into the words of the reader's shell.

use serde::{Serialize, Serializer};

use crate::facts::environment::{Environment, scripts_of};
use crate::parse::activate::ActivatorKind;
use crate::path::{Flavour, HostPath, readable};

/// What a remedy may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// Loses nothing and can be undone.
    Safe,
    /// Deletes or replaces something: read it first.
    Review,
    /// Cannot be done by commands alone.
    Manual,
}

impl Safety {
    pub fn label(self) -> &'static str {
        match self {
            Safety::Safe => "safe",
            Safety::Review => "review",
            Safety::Manual => "manual",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// An imperative sentence without a full stop: `Activate the project's environment`.
    pub summary: String,
    pub actions: Vec<Action>,
    pub safety: Safety,
}

impl Remedy {
    pub fn safe(summary: impl Into<String>, actions: Vec<Action>) -> Remedy {
        Remedy { summary: summary.into(), actions, safety: Safety::Safe }
    }

    pub fn review(summary: impl Into<String>, actions: Vec<Action>) -> Remedy {
        Remedy { summary: summary.into(), actions, safety: Safety::Review }
    }

    pub fn manual(summary: impl Into<String>, actions: Vec<Action>) -> Remedy {
        Remedy { summary: summary.into(), actions, safety: Safety::Manual }
    }

    /// Renames a file, so that Python no longer takes it for what it was.
    pub fn set_aside(path: &HostPath) -> Remedy {
        let mut aside = path.as_bytes().to_vec();
        aside.extend_from_slice(b".disabled");
        let summary = format!("Put {} aside", path.name());
        Remedy::safe(summary, vec![Action::run(["mv".into(), path.into(), Word(aside)])])
    }

    /// What to know before pasting a remedy to be reviewed, as the end of its summary.
    pub fn caution(&self) -> Option<&'static str> {
        (self.safety == Safety::Review).then(|| {
            if self.actions.iter().any(Action::deletes) {
                "this deletes files"
            } else if self.actions.iter().any(Action::changes_files) {
                "this changes files"
            } else {
                "read it before you run it"
            }
        })
    }
}

/// A word of a command, before quoting; any bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Word(pub Vec<u8>);

impl Word {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Word {
    fn from(text: &str) -> Word {
        Word(text.as_bytes().to_vec())
    }
}

impl From<String> for Word {
    fn from(text: String) -> Word {
        Word(text.into_bytes())
    }
}

impl From<&String> for Word {
    fn from(text: &String) -> Word {
        Word(text.as_bytes().to_vec())
    }
}

impl From<&HostPath> for Word {
    fn from(path: &HostPath) -> Word {
        Word(path.as_bytes().to_vec())
    }
}

impl From<HostPath> for Word {
    fn from(path: HostPath) -> Word {
        Word(path.as_bytes().to_vec())
    }
}

impl std::fmt::Debug for Word {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:?}", readable(&self.0))
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&readable(&self.0))
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Activate an environment in this shell. `scripts` are the activate scripts that it has (or will have,
    /// when an earlier action creates it).
    Activate {
        root: HostPath,
        scripts: Vec<(ActivatorKind, HostPath)>,
    },
    /// Take an environment out of this shell: `deactivate`, or by hand where that function is missing.
    Deactivate {
        root: HostPath,
        script_directory: HostPath,
    },
    Unset(String),
    Set {
        name: String,
        value: Word,
    },
    /// Move a directory to the front of `PATH`.
    PutFirst(HostPath),
    /// Take a directory out of `PATH`; `raw` is how the entry is written.
    RemoveFromPath {
        raw: Word,
    },
    Run(Vec<Word>),
    /// Replace every occurrence of `from` (literal, within a line) in these files by `to`, in place.
    Rewrite {
        files: Vec<HostPath>,
        from: Word,
        to: Word,
    },
    /// Write these lines to a new file, or append them.
    WriteLines {
        file: HostPath,
        lines: Vec<Word>,
        append: bool,
    },
    /// Make the shell forget where it found programs.
    Rehash,
    /// Something for an editor, not for a shell: shown as a comment.
    Edit {
        file: HostPath,
        line: Option<usize>,
        hint: String,
    },
    /// Advice that is no command: shown as a comment.
    Advice(String),
}

impl Action {
    pub fn run<const N: usize>(words: [Word; N]) -> Action {
        Action::Run(words.into())
    }

    /// Whether it deletes what it does not write again itself.
    fn deletes(&self) -> bool {
        const WORDS: [&str; 9] =
            ["rm", "rmdir", "--clear", "--rm", "uninstall", "remove", "prune", "clean", "reinstall"];
        match self {
            Action::Run(words) => WORDS.iter().any(|word| words.contains(&Word::from(*word))),
            _ => false,
        }
    }

    fn changes_files(&self) -> bool {
        match self {
            Action::Rewrite { .. } | Action::WriteLines { .. } => true,
            Action::Run(words) => {
                words.first().is_some_and(|program| ["mv", "ln"].map(Word::from).contains(program))
            }
            _ => false,
        }
    }

    /// Activate an environment that exists, with the scripts that it has.
    pub fn activate(environment: &Environment) -> Action {
        Action::Activate {
            root: environment.root.clone(),
            scripts: environment.activators.iter().map(|script| (script.kind, script.path.clone())).collect(),
        }
    }

    /// Activate an environment that earlier actions make at `root` in the POSIX layout.
    pub fn activate_new(root: &HostPath) -> Action {
        let scripts: &[_] = match root.flavour() {
            Flavour::Posix => &[
                (ActivatorKind::Posix, "activate"),
                (ActivatorKind::Csh, "activate.csh"),
                (ActivatorKind::Fish, "activate.fish"),
                (ActivatorKind::PowerShell, "Activate.ps1"),
            ],
            Flavour::Windows => &[
                (ActivatorKind::Posix, "activate"),
                (ActivatorKind::Cmd, "activate.bat"),
                (ActivatorKind::PowerShell, "Activate.ps1"),
            ],
        };
        let directory = scripts_of(root);
        let place = |(kind, name): &(ActivatorKind, &str)| (*kind, directory.join(name));
        Action::Activate { root: root.clone(), scripts: scripts.iter().map(place).collect() }
    }

    pub fn deactivate(environment: &Environment) -> Action {
        Action::Deactivate { root: environment.root.clone(), script_directory: environment.program("") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caution_says_what_the_commands_do() {
        let caution = |words: &[&str]| {
            Remedy::review("", vec![Action::Run(words.iter().map(|word| Word::from(*word)).collect())])
                .caution()
        };
        assert_eq!(caution(&["python3", "-m", "venv", "--clear", ".venv"]), Some("this deletes files"));
        assert_eq!(caution(&["mv", "random.py", "my_random.py"]), Some("this changes files"));
        assert_eq!(caution(&["sudo", "chmod", "-R", "go+rX", ".venv"]), Some("read it before you run it"));
        assert_eq!(Remedy::safe("", vec![Action::Rehash]).caution(), None);
    }
}
