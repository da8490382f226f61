//! The environment's interpreter was built for another processor or another operating system.

use super::{CANNOT_START, examined, faulty, severity, with_replacement};
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;
use crate::facts::interpreter::{Interpreter, LinkEnd, Probe};
use crate::facts::platform::System;
use crate::parse::binary::{Binary, BinaryFormat};

pub static CHECK: Check = Check {
    id: "interpreter-wrong-architecture",
    category: Category::Interpreter,
    severity: Severity::Error,
    summary: "The interpreter was built for another processor or operating system",
    needs: &[Need::Binaries, Need::Installed],
    explains: CANNOT_START,
    explanation: r#"
## What it means
The interpreter's file is whole, but its machine code is for another processor (`x86_64`, `aarch64`) or another
system (Linux, macOS, Windows). The kernel says "Exec format error", "cannot execute binary file" or, on macOS,
"Bad CPU type in executable".

## How it happens
An environment with a copied interpreter travelled: a project directory shared between a Mac with Apple silicon
and an x86_64 container, a CI cache restored on another kind of runner, a disk image for another board.
Compiled packages in the environment are of the wrong kind as well, so replacing the interpreter alone is not
enough.

## How to fix it
Make the environment again on the machine that uses it, and keep one per machine:

    python3 -m venv --clear .venv
    .venv/bin/python -m pip install -r requirements.txt

With containers, give each side its own place: a volume over `/app/.venv`, or `UV_PROJECT_ENVIRONMENT`.

## When it is fine
When an emulator runs foreign binaries here: `binfmt_misc` with qemu on Linux, Rosetta on macOS. An interpreter
that answers when it is started is not reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in examined(facts) {
        if facts.answers(environment) {
            continue;
        }
        let built_for =
            |found: &Interpreter| found.binary.known().and_then(|binary| foreign(facts, found, binary));
        let Some(interpreter) = faulty(facts, environment, |found| built_for(found).is_some()) else {
            continue;
        };
        let Some(built_for) = built_for(interpreter) else { continue };
        let machine = format!("{} on {}", system_name(facts.platform.system), facts.platform.architecture);
        let mut finding = Finding::new(
            &CHECK,
            Subject::Environment(environment.root.clone()),
            format!("{} was built for {built_for}, and this machine is {machine}", interpreter.path),
        )
        .severity(severity(facts, environment))
        .evidence("built for", built_for)
        .evidence("this machine", machine);
        if interpreter.links.is_link() {
            finding = finding.evidence("links", interpreter.links_text());
        }
        if let Probe::Failed { ending, .. } = &interpreter.probe {
            finding = finding.evidence("when started", ending);
        }
        findings.push(with_replacement(finding, facts, environment));
    }
}

/// What the binary was built for, when this machine cannot run it.
fn foreign(facts: &Facts, interpreter: &Interpreter, binary: &Binary) -> Option<String> {
    if interpreter.links.end != LinkEnd::File {
        return None;
    }
    let architectures = binary.architectures.join(", ");
    let system = match binary.format {
        BinaryFormat::Elf => System::Linux,
        BinaryFormat::MachO | BinaryFormat::MachOFat => System::MacOs,
        // the Windows Subsystem for Linux starts Windows programs
        BinaryFormat::Pe if !facts.surroundings.wsl => System::Windows,
        _ => return None,
    };
    let here = facts.platform.system;
    if here == System::Other {
        return None;
    }
    if system != here {
        return Some(format!("{} {architectures}", system_name(system)).trim_end().to_owned());
    }
    let machine = facts.platform.architecture.as_str();
    let tried = matches!(interpreter.probe, Probe::Failed { .. });
    let runs = |architecture: &String| {
        architecture == machine
            || facts.surroundings.emulated.contains(architecture)
            // without a try, only what no machine of this family can run is certain
            || (!tried && (here != System::Linux || family(architecture) == family(machine)))
    };
    (!binary.architectures.is_empty() && !binary.architectures.iter().any(runs)).then_some(architectures)
}

/// Processors that may run each other's code, in one direction at least.
fn family(architecture: &str) -> &str {
    match architecture {
        "x86" | "x86_64" => "x86",
        "arm" | "aarch64" => "arm",
        other => other,
    }
}

fn system_name(system: System) -> &'static str {
    match system {
        System::Linux => "Linux",
        System::MacOs => "macOS",
        System::Windows => "Windows",
        System::Other => "another system",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Gathered;
    use crate::facts::example::{healthy, interpreters_of};

    fn built_for(facts: &mut Facts, format: BinaryFormat, architecture: &str) {
        for interpreter in interpreters_of(facts) {
            interpreter.binary = Gathered::Known(Binary {
                format,
                architectures: vec![architecture.to_owned()],
                ..Binary::default()
            });
        }
    }

    #[test]
    fn fires_when_the_processor_differs() {
        let mut facts = healthy();
        built_for(&mut facts, BinaryFormat::Elf, "aarch64");
        let found = CHECK.findings(&facts);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].message.ends_with("built for aarch64, and this machine is Linux on x86_64"),
            "{found:?}"
        );
    }

    #[test]
    fn fires_when_the_system_differs() {
        let mut facts = healthy();
        built_for(&mut facts, BinaryFormat::MachO, "x86_64");
        assert!(CHECK.findings(&facts)[0].message.contains("macOS x86_64"));
    }

    #[test]
    fn quiet_when_an_emulator_is_registered() {
        let mut facts = healthy();
        built_for(&mut facts, BinaryFormat::Elf, "aarch64");
        facts.surroundings.emulated = vec!["aarch64".to_owned()];
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_it_answers() {
        let mut facts = healthy();
        built_for(&mut facts, BinaryFormat::Elf, "riscv64");
        for interpreter in interpreters_of(&mut facts) {
            interpreter.probe = Probe::Answered(Box::default());
        }
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_a_processor_runs_its_smaller_kin() {
        let mut facts = healthy();
        built_for(&mut facts, BinaryFormat::Elf, "x86");
        assert_eq!(CHECK.findings(&facts), []);
    }
}
