//! PowerShell was told not to run scripts, so `Activate.ps1` cannot be used.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::facts::shell::ShellKind;
use crate::facts::tools::{ExecutionPolicy, PolicyScope, Tools};

pub static CHECK: Check = Check {
    id: "execution-policy",
    category: Category::Platform,
    severity: Severity::Warning,
    summary: "PowerShell will not run Activate.ps1",
    needs: &[Need::Tools],
    explains: &["forgotten-activation"],
    explanation: r#"
## What it means
PowerShell asks its execution policy before it runs a script. `Restricted` runs none, `AllSigned` only signed ones,
and `Activate.ps1` of an environment is usually not signed: "Activate.ps1 cannot be loaded because running scripts is
disabled on this system".

## How it happens
`Restricted` is the default of Windows PowerShell on a desktop; companies set a policy for all machines.

## How to fix it
Allow local scripts for your user alone:

    Set-ExecutionPolicy -Scope CurrentUser RemoteSigned

A policy that comes from an administrator (MachinePolicy or UserPolicy in `Get-ExecutionPolicy -List`) stays as it is. Then
activate without that script: run `.venv\Scripts\activate.bat` in `cmd`, or do not activate at all and run
`.venv\Scripts\python.exe`. `Get-ExecutionPolicy -List` shows where the policy comes from.

## When it is fine
When you never activate environments in PowerShell.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    if facts.shell.kind != Some(ShellKind::PowerShell) || facts.active().is_some() {
        return;
    }
    let Some(policy) = facts.tools.known().and_then(|tools| in_force(facts, tools)) else { return };
    let refuses = ["Restricted", "AllSigned"].iter().any(|name| policy.policy.eq_ignore_ascii_case(name));
    let Some(environment) = facts.usable_project_environment().filter(|_| refuses) else { return };
    findings.push(
        Finding::new(
            &CHECK,
            Subject::Shell,
            format!("PowerShell's execution policy is {}, which does not run Activate.ps1", policy.policy),
        )
        .about(&environment.root)
        .evidence("execution policy", format!("{} ({})", policy.policy, policy.source))
        .remedy(remedy(environment, policy)),
    );
}

/// Of the PowerShell that asks: each edition keeps its own.
fn in_force<'a>(facts: &Facts, tools: &'a Tools) -> Option<&'a ExecutionPolicy> {
    let program = facts
        .shell
        .ancestors
        .iter()
        .map(|process| process.arguments.first().unwrap_or(&process.name))
        .find(|program| ShellKind::from_program(program) == Some(ShellKind::PowerShell));
    let core = program.is_none_or(|program| program.to_ascii_lowercase().contains("pwsh"));
    if core { tools.execution_policy.as_ref() } else { tools.windows_execution_policy.as_ref() }
}

/// What an administrator decided stays: the environment is then used without a script.
fn remedy(environment: &Environment, policy: &ExecutionPolicy) -> Remedy {
    let allow = |scope: &str| {
        ["Set-ExecutionPolicy", "-Scope", scope, "-Force", "RemoteSigned"].map(Word::from).into()
    };
    let activate = Action::activate(environment);
    match policy.scope {
        PolicyScope::Group => Remedy::safe(
            "Use the environment in this shell without a script",
            vec![
                Action::Set { name: "VIRTUAL_ENV".into(), value: Word::from(&environment.root) },
                Action::PutFirst(environment.program("")),
            ],
        ),
        PolicyScope::Process => Remedy::safe(
            "Allow local scripts in this shell, and activate",
            vec![Action::Run(allow("Process")), activate],
        ),
        PolicyScope::Kept => Remedy::review(
            "Allow local scripts for your user, and activate",
            vec![Action::Run(allow("CurrentUser")), activate],
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Gathered;
    use crate::facts::example::{healthy, not_activated};

    fn with(policy: &str) -> Facts {
        let mut facts = not_activated();
        facts.shell.kind = Some(ShellKind::PowerShell);
        let execution_policy = Some(ExecutionPolicy {
            policy: policy.into(),
            source: "a file".into(),
            scope: PolicyScope::Kept,
        });
        facts.tools = Gathered::Known(Tools { execution_policy, ..Tools::default() });
        facts
    }

    #[test]
    fn fires_when_scripts_are_refused() {
        let found = CHECK.findings(&with("Restricted"));
        assert_eq!(
            found[0].message,
            "PowerShell's execution policy is Restricted, which does not run Activate.ps1"
        );
    }

    #[test]
    fn quiet_when_local_scripts_run() {
        assert_eq!(CHECK.findings(&with("RemoteSigned")), []);
    }

    #[test]
    fn quiet_in_another_shell_or_when_active() {
        let mut facts = with("Restricted");
        facts.shell.kind = Some(ShellKind::Cmd);
        assert_eq!(CHECK.findings(&facts), []);
        assert_eq!(CHECK.findings(&healthy()), []);
    }
}
