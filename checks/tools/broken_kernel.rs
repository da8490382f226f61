//! A Jupyter kernel names an interpreter that is gone.

use super::NAMED;
use crate::diagnosis::reinstall::installer;
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::environment::{Environment, EnvironmentKind};
use crate::facts::tools::Kernel;

pub static CHECK: Check = Check {
    id: "broken-kernel",
    category: Category::Tools,
    severity: Severity::Warning,
    summary: "A Jupyter kernel's interpreter is gone",
    needs: &[Need::Tools],
    explains: &["kernel-elsewhere"],
    explanation: r#"
## What it means
A kernel of Jupyter is a directory with a `kernel.json`, and the first word of its `argv` is the interpreter that
runs the notebook's cells. Here that is a path to a file that does not exist: the kernel is still offered, and
starting it ends with `FileNotFoundError: [Errno 2] No such file or directory: '/.../bin/python'`, or the notebook
says "Kernel error" or waits for ever.

## How it happens
`python -m ipykernel install --user --name proj` writes the environment's path into
`~/.local/share/jupyter/kernels/proj/kernel.json`. Deleting, renaming or moving the environment leaves that file
behind; so does an upgrade of the Python that it was made from.

## How to fix it
Register the kernel again from the environment that it is meant for. The same name replaces the old one, so that
notebooks which ask for it keep working:

    .venv/bin/python -m pip install ipykernel
    .venv/bin/python -m ipykernel install --user --name proj

A kernel that lies in an environment (`.venv/share/jupyter/kernels`) comes before the user's of the same name there:
`--sys-prefix` in place of `--user` replaces that one. Or remove it: `jupyter kernelspec remove proj`.

## When it is fine
When the interpreter is on a disk that is mounted on demand, or in a container that shares your home directory.
Kernels that name a bare `python`, and those of other languages, are not judged.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some(tools) = facts.tools.known() else { return };
    let broken: Vec<&Kernel> = tools.kernels.iter().filter(|kernel| !kernel.exists).collect();
    let Some(first) = broken.first() else { return };
    let message = match broken.len() {
        1 => format!("The Jupyter kernel {} runs {}, which does not exist", first.name, first.interpreter),
        count => {
            format!("{count} Jupyter kernels run interpreters that do not exist, such as {}", first.name)
        }
    };
    let mut finding = Finding::new(&CHECK, Subject::file(&first.file), message);
    for kernel in broken.iter().take(NAMED) {
        finding = finding.evidence(
            format!("kernel {}", kernel.name),
            format!("{} in {}", kernel.interpreter, kernel.file),
        );
    }
    findings.push(with_remedies(finding, facts, first));
}

fn with_remedies(finding: Finding, facts: &Facts, kernel: &Kernel) -> Finding {
    let mut finding = finding;
    let starts = |environment: &&Environment| environment.is_venv() && facts.starts(environment);
    // an environment's own kernels come before the user's, so they are mended where they are
    let own_kernels =
        |environment: &&Environment| environment.is_venv() || environment.kind == EnvironmentKind::Conda;
    let around =
        facts.environments.iter().filter(own_kernels).find(|environment| environment.contains(&kernel.file));
    let place = if around.is_some() { "--sys-prefix" } else { "--user" };
    let own = around.or(facts.patient()).filter(starts);
    if let Some((environment, installer)) =
        own.and_then(|environment| Some((environment, installer(facts, environment, &[], &[])?)))
    {
        let python = Word::from(environment.program("python"));
        let words = ["-m", "ipykernel", "install", place, "--name", &kernel.name].map(Word::from);
        let register = Action::Run([python].into_iter().chain(words).collect());
        let actions = installer.actions([Word::from("ipykernel")]);
        finding = finding.remedy(Remedy::safe(
            format!("Register {} again, to run {}", kernel.name, environment.root),
            actions.into_iter().chain([register]).collect(),
        ));
    } else {
        finding = finding.remedy(Remedy::manual(
            format!("Register {} again from the environment that it is meant for", kernel.name),
            vec![Action::Advice(format!(
                "in that environment: python -m ipykernel install {place} --name {}",
                kernel.name
            ))],
        ));
    }
    finding.remedy(Remedy::review(
        format!("Remove the kernel {}", kernel.name),
        vec![Action::run(["jupyter".into(), "kernelspec".into(), "remove".into(), Word::from(&kernel.name)])],
    ))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::facts::Gathered;
    use crate::facts::example::{VENV, healthy, path};
    use crate::facts::tools::Tools;

    pub fn kernel(interpreter: &str, exists: bool) -> Kernel {
        Kernel {
            name: "proj".into(),
            file: path("/home/me/.local/share/jupyter/kernels/proj/kernel.json"),
            interpreter: path(interpreter),
            exists,
            environment: exists.then(|| path(VENV)),
        }
    }

    pub fn with(tools: Tools) -> Facts {
        let mut facts = healthy();
        facts.tools = Gathered::Known(tools);
        facts
    }

    #[test]
    fn fires_when_the_interpreter_is_gone() {
        let kernels = vec![kernel("/home/me/old/.venv/bin/python", false)];
        let found = CHECK.findings(&with(Tools { kernels, ..Tools::default() }));
        assert_eq!(
            found[0].message,
            "The Jupyter kernel proj runs /home/me/old/.venv/bin/python, which does not exist"
        );
        assert_eq!(found[0].remedies.len(), 2);
    }

    #[test]
    fn mends_an_environments_own_kernel_where_it_is() {
        let register = |file: Option<&str>| {
            let mut broken = kernel("/home/me/old/.venv/bin/python", false);
            if let Some(file) = file {
                broken.file = path(file);
            }
            let found = CHECK.findings(&with(Tools { kernels: vec![broken], ..Tools::default() }));
            format!("{:?}", found[0].remedies[0].actions.last())
        };
        assert!(register(None).contains("--user"));
        assert!(register(Some("/usr/share/jupyter/kernels/proj/kernel.json")).contains("--user"));
        let own = register(Some("/home/me/project/.venv/share/jupyter/kernels/proj/kernel.json"));
        assert!(own.contains("--sys-prefix") && own.contains("/home/me/project/.venv/bin/python"), "{own}");
    }

    #[test]
    fn quiet_when_the_interpreter_is_there() {
        let kernels = vec![kernel("/home/me/project/.venv/bin/python", true)];
        assert_eq!(CHECK.findings(&with(Tools { kernels, ..Tools::default() })), []);
    }

    #[test]
    fn quiet_when_not_asked() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }
}
