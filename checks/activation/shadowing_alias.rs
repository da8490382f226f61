//! An alias or a function takes the name of Python or pip before `PATH` is searched, and leads past the
//! environment.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::shell::{Alias, ShellKind};
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "shadowing-alias",
    category: Category::Activation,
    severity: Severity::Warning,
    summary: "An alias or function for python or pip bypasses PATH",
    needs: &[],
    explains: &[],
    explanation: r#"
## What it means
A shell looks for aliases and functions before it searches `PATH`. With `alias python=/usr/bin/python3` in `~/.bashrc` the word
`python` runs the system's Python, whatever is active. `which python`, itself a program, shows the environment's all the
same; `type -a python` (PowerShell: `Get-Command python -All`) tells what the shell really runs.
Aliases exist in interactive shells only, so scripts and editors behave differently from the terminal.

## How it happens
The line was written to have a short name or another version, often years ago, or came from a setup guide.

## How to fix it
Delete the line from the rc file, and `unalias python` in shells that are open (a function: `unset -f python`; fish:
`functions -e python`; PowerShell: `Remove-Item Alias:python`).
To have `python` where there is only `python3`: `alias python=python3` is harmless, since `python3` is looked up on
`PATH`; Debian has the package `python-is-python3`.

## When it is fine
An alias for a bare name, one that leads into the active environment, and any alias while no environment is active.
"#,
    examine,
};

const NAMES: &[&str] = &["python", "python3", "pip", "pip3"];

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(environment) = facts.working_environment() else { return };
    let bypassing: Vec<(&Alias, HostPath)> = facts
        .shell
        .aliases
        .iter()
        .filter(|alias| NAMES.contains(&alias.name.as_str()) && environment.has_program(&alias.name))
        .filter_map(|alias| Some((alias, program(facts, alias)?)))
        .filter(|(_, program)| !environment.contains(program))
        .collect();
    let (conditional, certain): (Vec<_>, Vec<_>) =
        bypassing.into_iter().partition(|(alias, _)| alias.condition.is_some());
    for (aliases, certain) in [(certain, true), (conditional, false)] {
        let Some((first, program)) = aliases.first() else { continue };
        let verb = if certain { "bypasses" } else { "may bypass" };
        let mut finding = Finding::new(
            &CHECK,
            Subject::Shell,
            format!(
                "{} {} {verb} the environment {}: it runs {program}",
                if first.function { "The function" } else { "The alias" },
                first.name,
                environment.root
            ),
        )
        .severity(severity(&aliases, certain))
        .about(&environment.root);
        for (alias, program) in &aliases {
            finding = finding.evidence(format!("{} runs", alias.name), shown(alias, program));
            if let Some(condition) = &alias.condition {
                finding = finding.evidence("only", condition);
            }
        }
        for remedy in remedies(facts, &aliases) {
            finding = finding.remedy(remedy);
        }
        findings.push(finding);
    }
}

/// The live shell proves it; rc files only say what a new shell would define.
fn severity(aliases: &[(&Alias, HostPath)], certain: bool) -> Severity {
    if !certain {
        Severity::Info
    } else if aliases.iter().any(|(alias, _)| alias.file.is_none()) {
        Severity::Error
    } else {
        Severity::Warning
    }
}

fn shown(alias: &Alias, program: &HostPath) -> String {
    match (&alias.file, alias.line) {
        (Some(file), Some(line)) => format!("{program} (line {line} of {file})"),
        (Some(file), None) => format!("{program} ({file})"),
        (None, _) => format!("{program} (in this shell)"),
    }
}

/// The program that an alias names by an absolute path; none where `PATH` is searched after all.
fn program(facts: &Facts, alias: &Alias) -> Option<HostPath> {
    // such a function looks for the environment itself
    if alias.function && alias.value.contains("VIRTUAL_ENV") {
        return None;
    }
    let unquoted = |word: &str| word.trim_matches(['"', '\'', ';', '{', '}', '(', ')']).to_owned();
    let words = |command: &str| -> Vec<String> {
        command.split_whitespace().map(unquoted).filter(|word| !word.is_empty()).collect()
    };
    let word = if alias.function {
        let commands = alias.value.split([';', '&', '|', '\n']).map(words);
        let running = commands.filter(|words| !only_speak(words));
        running.flatten().find(|word| is_python(word))?
    } else {
        words(&alias.value).into_iter().find(|word| !is_prefix(word))?
    };
    let word = match ["~/", "$HOME/", "${HOME}/"].iter().find_map(|home| word.strip_prefix(home)) {
        Some(below) => return Some(facts.home.as_ref()?.join(below)).filter(|path| is_python(&path.name())),
        None => word,
    };
    HostPath::new(facts.platform.flavour(), word.as_str()).filter(|_| is_python(&word))
}

/// Words that stand before the program in a command.
fn is_prefix(word: &str) -> bool {
    ["command", "exec", "env", "noglob", "nocorrect", "winpty", "nice", "&"].contains(&word)
        || word
            .split_once('=')
            .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// Whether a command may name a program without running it.
fn only_speak(words: &[String]) -> bool {
    const SPEAKING: [&str; 13] = [
        "echo", "printf", "print", "[", "[[", "test", "if", "elif", "local", "export", "set", "return",
        "unset",
    ];
    match words {
        [] => true,
        [only] => only.contains('='),
        [first, ..] => SPEAKING.contains(&first.as_str()),
    }
}

/// The name of an interpreter or of pip, with or without a directory before it.
fn is_python(word: &str) -> bool {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    let name = name.strip_suffix(".exe").unwrap_or(name);
    ["python", "pip", "pypy"]
        .iter()
        .find_map(|stem| name.strip_prefix(stem))
        .is_some_and(|version| version.chars().all(|letter| letter.is_ascii_digit() || letter == '.'))
}

fn remedies(facts: &Facts, aliases: &[(&Alias, HostPath)]) -> Vec<Remedy> {
    let for_good: Vec<Action> = aliases.iter().filter_map(|(alias, _)| commented_out(alias)).collect();
    let now: Vec<Action> = aliases.iter().filter_map(|(alias, _)| removed(facts, alias)).collect();
    let together = for_good.into_iter().chain(now.clone()).collect();
    let mut remedies =
        vec![Remedy::review("Take the definition out of the rc file and of this shell", together)];
    if !now.is_empty() && aliases.iter().any(|(alias, _)| alias.file.is_some()) {
        remedies.push(Remedy::safe("Take it out of this shell only", now));
    }
    remedies
}

/// The whole line, where it does nothing else.
fn commented_out(alias: &Alias) -> Option<Action> {
    let file = alias.file.as_ref()?;
    let text = alias.text.as_deref().map(str::trim).unwrap_or_default();
    let alone = if alias.function {
        text.ends_with('}') && text.matches('{').count() == 1
    } else {
        text.starts_with("alias ") && !text.contains([';', '&', '|', '\\'])
    };
    Some(if alone && alias.condition.is_none() {
        Action::Rewrite {
            files: vec![file.clone()],
            from: Word::from(text),
            to: Word::from(format!("# {text}")),
        }
    } else {
        Action::Edit {
            file: file.clone(),
            line: alias.line,
            hint: format!("delete the definition of {}", alias.name),
        }
    })
}

fn removed(facts: &Facts, alias: &Alias) -> Option<Action> {
    let name = alias.name.as_str();
    let words: Vec<String> = match (facts.shell.kind.unwrap_or(ShellKind::Bash), alias.function) {
        // its aliases are functions
        (ShellKind::Fish, _) => vec!["functions".into(), "-e".into(), name.into()],
        (ShellKind::PowerShell, false) => vec!["Remove-Item".into(), format!("Alias:{name}")],
        (ShellKind::PowerShell, true) => vec!["Remove-Item".into(), format!("Function:{name}")],
        (ShellKind::Bash | ShellKind::Zsh | ShellKind::Sh, true) => {
            vec!["unset".into(), "-f".into(), name.into()]
        }
        (ShellKind::Bash | ShellKind::Zsh | ShellKind::Sh | ShellKind::Csh, _) => {
            vec!["unalias".into(), name.into()]
        }
        _ => return None,
    };
    Some(Action::Run(words.into_iter().map(Word::from).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::*;

    fn alias(name: &str, value: &str) -> Alias {
        Alias {
            name: name.into(),
            value: value.into(),
            function: false,
            file: Some(path("/home/me/.bashrc")),
            line: Some(1),
            text: Some(format!("alias {name}='{value}'")),
            condition: None,
        }
    }

    fn with(aliases: &[Alias]) -> Facts {
        let mut facts = healthy();
        facts.shell.aliases = aliases.to_vec();
        facts
    }

    #[test]
    fn fires_when_an_alias_names_the_systems_python() {
        let found =
            CHECK.findings(&with(&[alias("python", "/usr/bin/python3"), alias("pip", "/usr/bin/pip3")]));
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].message,
            "The alias python bypasses the environment /home/me/project/.venv: it runs /usr/bin/python3"
        );
        assert_eq!(found[0].evidence[1].value, "/usr/bin/pip3 (line 1 of /home/me/.bashrc)");
        let Action::Rewrite { to, .. } = &found[0].remedies[0].actions[0] else { panic!("{found:?}") };
        assert_eq!(to.as_bytes(), b"# alias python='/usr/bin/python3'");
        assert_eq!(format!("{:?}", found[0].remedies[1].actions[0]), r#"Run(["unalias", "python"])"#);
    }

    #[test]
    fn fires_when_it_stands_behind_other_words_or_in_a_function() {
        let function = Alias {
            function: true,
            text: Some("python() { /opt/python/bin/python3.12 \"$@\"; }".into()),
            ..alias("python", "{ /opt/python/bin/python3.12 \"$@\"; }")
        };
        for alias in [alias("python", "PYTHONUTF8=1 ~/py/bin/python -q"), function] {
            assert_eq!(CHECK.findings(&with(std::slice::from_ref(&alias))).len(), 1, "{alias:?}");
        }
    }

    #[test]
    fn only_informs_when_it_depends_on_something() {
        let conditional =
            Alias { condition: Some("if [ -d ~/work ]".into()), ..alias("python", "/usr/bin/python3") };
        let found = CHECK.findings(&with(&[conditional]));
        assert_eq!(found[0].severity, Severity::Info);
        assert!(found[0].message.contains("may bypass"));
        assert!(matches!(found[0].remedies[0].actions[0], Action::Edit { .. }));
    }

    #[test]
    fn is_sure_when_the_live_shell_says_so() {
        let live = Alias { file: None, line: None, text: None, ..alias("python", "/usr/bin/python3") };
        assert_eq!(CHECK.findings(&with(&[live]))[0].severity, Severity::Error);
    }

    #[test]
    fn quiet_when_path_is_searched_after_all() {
        let function = Alias { function: true, ..alias("python", "{ command python \"$@\"; }") };
        let speaking =
            Alias { function: true, ..alias("pip", "echo \"not /usr/bin/pip3, but\"; uv pip \"$@\"") };
        for alias in [
            speaking,
            alias("python", "python3"),
            alias("python", "command python3 -q"),
            alias("python", "/home/me/project/.venv/bin/python"),
            alias("python", "$(pyenv which python)"),
            alias("ll", "/bin/ls -l"),
            function,
        ] {
            assert!(CHECK.findings(&with(std::slice::from_ref(&alias))).is_empty(), "{alias:?}");
        }
    }

    #[test]
    fn quiet_when_nothing_is_active() {
        let mut facts = not_activated();
        facts.shell.aliases.push(alias("python", "/usr/bin/python3"));
        assert!(CHECK.findings(&facts).is_empty());
    }
}
