//! The interpreter asks for a loader that this system does not have: musl on glibc, or the reverse.

use super::{CANNOT_START, examined, faulty, severity, with_replacement, with_same_minor};
use crate::diagnosis::{Category, Check, Finding, Findings, Need, Severity, Subject};
use crate::facts::Facts;
use crate::facts::interpreter::{Interpreter, LinkEnd};

pub static CHECK: Check = Check {
    id: "interpreter-loader-missing",
    category: Category::Interpreter,
    severity: Severity::Error,
    summary: "The loader that the interpreter asks for does not exist",
    needs: &[Need::Binaries, Need::Installed],
    explains: CANNOT_START,
    explanation: r#"
## What it means
A Linux program names, in its own file, the loader that starts it: `/lib64/ld-linux-x86-64.so.2` where the C
library is glibc (Debian, Ubuntu, Fedora), `/lib/ld-musl-x86_64.so.1` where it is musl (Alpine). This loader is
not here. The kernel then says "No such file or directory" and means the loader, although `ls` shows
the program: bash says "cannot execute: required file not found", sh "not found".

## How it happens
The environment, with a copied interpreter or a portable Python, was made on a system with the other C library:
an Alpine container and a Debian host, a Python downloaded for the wrong C library, or a program
from elsewhere on NixOS, which keeps its loaders in `/nix/store`.

## How to fix it
Make the environment again with a Python of this system; compiled packages have to be replaced too:

    python3 -m venv --clear .venv
    .venv/bin/python -m pip install -r requirements.txt

On NixOS use a Python from nixpkgs, or enable `programs.nix-ld`. What is needed can be seen with
`readelf -l .venv/bin/python | grep interpreter`.

## When it is fine
When the environment is meant for a container with the other C library, and is used only there.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in examined(facts) {
        if facts.answers(environment) {
            continue;
        }
        let lacks_loader =
            |found: &Interpreter| found.links.end == LinkEnd::File && found.loader_exists == Some(false);
        let Some(interpreter) = faulty(facts, environment, lacks_loader) else { continue };
        let loader = interpreter.binary.known().and_then(|binary| binary.loader.as_deref());
        let message = match loader {
            Some(loader) => format!("{} is started by {loader}, which does not exist here", interpreter.path),
            None => format!("The loader that {} asks for does not exist here", interpreter.path),
        };
        let mut finding = Finding::new(&CHECK, Subject::Environment(environment.root.clone()), message)
            .severity(severity(facts, environment));
        if let Some(loader) = loader {
            finding = finding.evidence("loader", format!("{loader} (missing)"));
            if loader.contains("ld-musl") {
                finding = finding.evidence("built for", "musl, as on Alpine Linux");
            } else if loader.contains("ld-linux") {
                finding = finding.evidence("built for", "glibc, as on Debian or Fedora");
            }
        }
        if let Some(distribution) = &facts.platform.distribution {
            finding = finding.evidence("this system", distribution);
        }
        if interpreter.links.is_link() {
            finding = finding.evidence("links", interpreter.links_text());
        }
        finding = with_same_minor(finding, facts, environment);
        findings.push(with_replacement(finding, facts, environment));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Gathered;
    use crate::facts::example::{healthy, interpreters_of};
    use crate::facts::interpreter::Probe;
    use crate::parse::binary::{Binary, BinaryFormat};

    fn made_for_musl() -> Facts {
        let mut facts = healthy();
        for interpreter in interpreters_of(&mut facts) {
            interpreter.loader_exists = Some(false);
            interpreter.binary = Gathered::Known(Binary {
                format: BinaryFormat::Elf,
                loader: Some("/lib/ld-musl-x86_64.so.1".to_owned()),
                ..Binary::default()
            });
        }
        facts
    }

    #[test]
    fn fires_when_a_musl_build_stands_on_glibc() {
        let found = CHECK.findings(&made_for_musl());
        assert_eq!(found.len(), 1);
        assert!(found[0].message.contains("is started by /lib/ld-musl-x86_64.so.1"), "{found:?}");
        assert!(found[0].evidence.iter().any(|line| line.value.starts_with("musl")));
    }

    #[test]
    fn quiet_when_the_loader_is_there() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }

    #[test]
    fn quiet_when_it_asks_for_none() {
        let mut facts = healthy();
        interpreters_of(&mut facts).for_each(|interpreter| interpreter.loader_exists = None);
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_it_answers_all_the_same() {
        let mut facts = made_for_musl();
        interpreters_of(&mut facts)
            .for_each(|interpreter| interpreter.probe = Probe::Answered(Box::default()));
        assert_eq!(CHECK.findings(&facts), []);
    }
}
