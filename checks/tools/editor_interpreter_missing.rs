//! The editor's settings name an interpreter that does not exist.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::tools::EditorSetting;

pub static CHECK: Check = Check {
    id: "editor-interpreter-missing",
    category: Category::Tools,
    severity: Severity::Warning,
    summary: "The editor's settings name an interpreter that is gone",
    needs: &[Need::Tools],
    explains: &[],
    explanation: r#"
## What it means
`.vscode/settings.json` (or a `.code-workspace` file) says which interpreter the editor takes for this folder, and
there is no file at that path. The editor then says that the interpreter cannot be resolved, or falls back to
another one without a word: imports are underlined though they work in the terminal, and its terminals activate
another environment or none.

## How it happens
The environment was renamed (`venv` to `.venv`), moved or deleted; or the file is in version control and comes from
a colleague whose environment lies elsewhere.

## How to fix it
Write the environment that is there, relative to the folder:

    "python.defaultInterpreterPath": "${workspaceFolder}/.venv/bin/python"

Then run "Python: Clear Workspace Interpreter Setting" and "Python: Select Interpreter" from the command palette:
what was once selected by hand is kept in the editor's own storage and goes before the settings.

## When it is fine
When the path is that of a dev container, or of another system that shares the folder: then it is only noted.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(tools) = facts.tools.known() else { return };
    for setting in tools.editor_settings.iter().filter(|setting| !setting.exists) {
        let subject = match setting.line {
            Some(line) => Subject::line(&setting.file, line),
            None => Subject::file(&setting.file),
        };
        let mut finding = Finding::new(
            &CHECK,
            subject,
            format!("{} in {} names {}, which does not exist", setting.key, setting.file, setting.path),
        )
        .severity(if elsewhere(facts, setting) { Severity::Info } else { Severity::Warning })
        .evidence(setting.key.clone(), setting.text.clone());
        if let Some(environment) = facts.usable_project_environment() {
            finding = finding.evidence("project environment", environment.root.to_text());
        }
        findings.push(finding.remedy(remedy(facts, setting)));
    }
}

/// Whether the path may be right where the editor runs: in a container, or on another system.
fn elsewhere(facts: &Facts, setting: &EditorSetting) -> bool {
    let in_container = facts.project.container_files.iter().any(|file| {
        file.components().any(|part| part.starts_with(b".devcontainer") || part == b"devcontainer.json")
    });
    let within = facts.project.root.as_ref().is_some_and(|root| setting.path.is_within(root));
    let windows_style = setting.text.contains('\\') || setting.text.contains("/Scripts/");
    (in_container && !within) || windows_style
}

fn remedy(facts: &Facts, setting: &EditorSetting) -> Remedy {
    let Some(environment) = facts.usable_project_environment() else {
        return Remedy::manual(
            format!("Take {} out of the settings, or name an interpreter that is there", setting.key),
            vec![Action::Edit {
                file: setting.file.clone(),
                line: setting.line,
                hint: format!("remove \"{}\"", setting.key),
            }],
        );
    };
    let python = environment.program("python");
    let root = facts.project.root.as_ref();
    let new = match root.and_then(|root| python.relative_to(root)) {
        Some(rest) => Word([b"${workspaceFolder}/", rest.as_slice()].concat()),
        None => Word::from(&python),
    };
    Remedy::safe(
        format!("Name {python} in the settings"),
        vec![Action::Rewrite { files: vec![setting.file.clone()], from: Word::from(&setting.text), to: new }],
    )
}

#[cfg(test)]
mod tests {
    use super::super::broken_kernel::tests::with;
    use super::*;
    use crate::facts::example::{healthy, path};
    use crate::facts::tools::Tools;

    fn setting(text: &str, at: &str, exists: bool) -> Facts {
        let setting = EditorSetting {
            file: path("/home/me/project/.vscode/settings.json"),
            line: Some(3),
            key: "python.defaultInterpreterPath".into(),
            text: text.into(),
            path: path(at),
            exists,
        };
        with(Tools { editor_settings: vec![setting], ..Tools::default() })
    }

    #[test]
    fn fires_when_the_path_is_gone() {
        let facts = setting("${workspaceFolder}/venv/bin/python", "/home/me/project/venv/bin/python", false);
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].severity, Severity::Warning);
        assert_eq!(found[0].subject.line_number(), Some(3));
        assert!(format!("{:?}", found[0].remedies).contains("${workspaceFolder}/.venv/bin/python"));
    }

    #[test]
    fn quiet_when_it_exists() {
        let facts = setting("${workspaceFolder}/.venv/bin/python", "/home/me/project/.venv/bin/python", true);
        assert_eq!(CHECK.findings(&facts), []);
        assert_eq!(CHECK.findings(&healthy()), []);
    }

    #[test]
    fn quiet_but_for_a_note_when_it_is_for_windows() {
        let facts = setting(
            "${workspaceFolder}/.venv/Scripts/python.exe",
            "/home/me/project/.venv/Scripts/python.exe",
            false,
        );
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Info);
    }
}
