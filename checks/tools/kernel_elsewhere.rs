//! The project's notebooks ask for a kernel that runs another environment than the project's.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;

pub static CHECK: Check = Check {
    id: "kernel-elsewhere",
    category: Category::Tools,
    severity: Severity::Warning,
    summary: "The notebooks' kernel runs another environment than the project's",
    needs: &[Need::Tools, Need::Project],
    explains: &[],
    explanation: r#"
## What it means
A notebook keeps the name of its kernel, and the kernel's `kernel.json` the path of an interpreter. Here that
interpreter belongs to another environment than the project's, whatever is active in the terminal: `import` works in
the terminal and fails in the notebook, and `!pip install` in a cell goes elsewhere than `%pip install`.

## How it happens
The kernel was registered from another environment, under a name that many use (`python3`, `venv`, `.venv`): kernels
of the user are shared by all projects, and the last one registered under a name wins.

## How to fix it
Register one of the project's own environment, under the project's name, and choose it in the notebook:

    .venv/bin/python -m pip install ipykernel
    .venv/bin/python -m ipykernel install --user --name proj

## When it is fine
When the project's notebooks are meant to run in a shared environment for data analysis.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(tools) = facts.tools.known() else { return };
    let Some(environment) = facts.usable_project_environment().filter(|environment| environment.is_venv())
    else {
        return;
    };
    for notebook in &tools.notebooks {
        // a kernel of the project's environment under that name serves whoever starts Jupyter there
        let mut kernels = tools.kernels.iter().filter(|kernel| kernel.name == notebook.kernel).peekable();
        let own = tools.kernels.iter().any(|kernel| {
            kernel.name == notebook.kernel
                && (environment.contains(&kernel.file)
                    || kernel.environment.as_ref().is_some_and(|root| environment.is_at(root)))
        });
        let Some(kernel) = kernels.peek().filter(|kernel| !own && kernel.exists) else { continue };
        let Some(other) = &kernel.environment else { continue };
        let name = facts.project.name.clone().unwrap_or_else(|| "project".to_owned());
        let python = Word::from(environment.program("python"));
        let run = |words: &[&str]| {
            Action::Run([python.clone()].into_iter().chain(words.iter().copied().map(Word::from)).collect())
        };
        findings.push(
            Finding::new(
                &CHECK,
                Subject::file(&notebook.file),
                format!(
                    "{} asks for the kernel {}, which runs {other}, not {}",
                    notebook.file, kernel.name, environment.root
                ),
            )
            .about(&environment.root)
            .evidence("kernel", format!("{} in {}", kernel.interpreter, kernel.file))
            .evidence("project environment", environment.root.to_text())
            .remedy(Remedy::safe(
                "Register a kernel of the project's environment, and choose it in the notebook",
                vec![
                    run(&["-m", "pip", "install", "ipykernel"]),
                    run(&["-m", "ipykernel", "install", "--user", "--name", &name]),
                ],
            )),
        );
        return;
    }
}

#[cfg(test)]
mod tests {
    use super::super::broken_kernel::tests::{kernel, with};
    use super::*;
    use crate::facts::example::{healthy, path};
    use crate::facts::tools::{Kernel, Notebook, Tools};

    fn notebook(of: Kernel) -> Facts {
        let notebook = Notebook { file: path("/home/me/project/a.ipynb"), kernel: "proj".into() };
        with(Tools { kernels: vec![of], notebooks: vec![notebook], ..Tools::default() })
    }

    #[test]
    fn fires_when_the_kernel_is_of_another_environment() {
        let other =
            Kernel { environment: Some(path("/home/me/other")), ..kernel("/home/me/other/bin/python", true) };
        let found = CHECK.findings(&notebook(other));
        assert_eq!(
            found[0].message,
            "/home/me/project/a.ipynb asks for the kernel proj, which runs /home/me/other, not /home/me/project/.venv"
        );
    }

    #[test]
    fn quiet_when_it_is_the_projects_own() {
        assert_eq!(CHECK.findings(&notebook(kernel("/home/me/project/.venv/bin/python", true))), []);
    }

    #[test]
    fn quiet_when_no_notebook_asks_for_it() {
        let other =
            Kernel { environment: Some(path("/home/me/other")), ..kernel("/home/me/other/bin/python", true) };
        assert_eq!(CHECK.findings(&with(Tools { kernels: vec![other], ..Tools::default() })), []);
        assert_eq!(CHECK.findings(&healthy()), []);
    }
}
