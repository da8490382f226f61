//! The reports as they are read, in files beside this one.

use std::time::Duration;

use super::human::{self, HumanOptions, Timing};
use super::{Dialect, json, listing};
use crate::diagnosis::{
    Action, Category, Check, Diagnosis, Finding, Remedy, Severity, Subject, Unexamined, Word,
};
use crate::facts::example;
use crate::facts::platform::System;
use crate::facts::shell::{ShellKind, Wrapper};
use crate::facts::{Facts, interpreter::Probe};
use crate::parse::activate::ActivatorKind;
use crate::path::{Flavour, HostPath};

const EXPLANATION: &str = r#"
## What it means

The environment was made at one place and lies at another. Its interpreter works, because it looks for `pyvenv.cfg` beside itself; its scripts do not.

## How it happens

- `mv` or `cp -r` of the project, and a long enough sentence to make a second line necessary here
- a rename in a file manager

## How to fix it

1. Make the environment anew:

```
python3 -m venv --clear .venv
```

## When it is fine

    uv venv --relocatable

Never otherwise.
"#;

pub(super) static MOVED: Check = Check {
    id: "moved-venv",
    category: Category::Relocation,
    severity: Severity::Error,
    summary: "A venv lies where it was not made, and its scripts still name the old place",
    needs: &[],
    explains: &["broken-script", "stale-activate-script"],
    explanation: EXPLANATION,
    examine: |_, _| {},
};

static UNPINNED: Check = Check {
    id: "path-order",
    category: Category::Activation,
    severity: Severity::Warning,
    summary: "Another directory comes before the active environment's",
    explains: &[],
    ..MOVED
};

pub(super) fn options(width: usize) -> HumanOptions {
    HumanOptions { width, color: false, verbose: 0, quiet: false, unicode: true }
}

pub(super) fn human(facts: &Facts, diagnosis: &Diagnosis, options: &HumanOptions) -> String {
    let timing = Timing { gathered: Duration::from_micros(12_300), examined: Duration::from_micros(250) };
    let mut out = Vec::new();
    human::write(&mut out, facts, diagnosis, &Dialect::of(facts), options, &timing).unwrap();
    String::from_utf8(out).unwrap()
}

fn nothing() -> Diagnosis {
    Diagnosis {
        findings: Vec::new(),
        run: vec!["moved-venv", "path-order"],
        skipped: Vec::new(),
        failed: Vec::new(),
        ..Diagnosis::default()
    }
}

fn path(text: &str) -> HostPath {
    HostPath::posix(text)
}

pub(super) fn broken() -> (Facts, Diagnosis) {
    let mut facts = example::healthy();
    facts.shell.wrappers = vec![Wrapper::Tmux];
    facts.notes = vec!["/home/me/project/.venv/bin/python was not started: --no-exec".into()];
    let root = path(example::VENV);
    let files = ["pip", "pip3", "activate", "activate.fish"].map(|name| root.join("bin").join(name)).to_vec();
    let symptom = |name: &str| {
        Finding::new(
            &Check { id: "broken-script", category: Category::Relocation, ..MOVED },
            Subject::File { path: root.join("bin").join(name), line: Some(1) },
            format!("The script {name} cannot run: its interpreter does not exist"),
        )
        .evidence("first line", "#!/home/me/old project/.venv/bin/python")
    };
    let mut moved = Finding::new(
        &MOVED,
        Subject::Environment(root.clone()),
        "The environment /home/me/project/.venv was moved here from /home/me/old project/.venv, and 4 of its files still name the old place",
    )
    .evidence("pyvenv.cfg", "line 5: command = /usr/bin/python3 -m venv /home/me/old project/.venv")
    .evidence("scripts", "pip, pip3")
    .evidence("a label that is much too long", "activate, activate.fish")
    .remedy(Remedy::safe(
        "Write the new place into the 4 files that name the old one",
        vec![
            Action::Rewrite { files, from: "/home/me/old project/.venv".into(), to: Word::from(&root) },
            Action::Rehash,
        ],
    ))
    .remedy(Remedy::review(
        "Re-create the environment with venv, with what is installed in it (kept in venv-packages.txt)",
        vec![
            Action::WriteLines {
                file: path("/home/me/project/venv-packages.txt"),
                lines: vec!["six==1.16.0".into(), "requests @ file:///a b".into()],
                append: false,
            },
            Action::run(["/usr/bin/python3.11".into(), "-m".into(), "venv".into(), "--clear".into(), Word::from(&root)]),
            Action::activate_new(&root),
        ],
    ))
    .remedy(Remedy::manual(
        "Move it back",
        vec![Action::Advice("move /home/me/project back to where it was, if nothing else depends on its new place".into())],
    ));
    moved.symptoms = vec![symptom("pip"), symptom("pip3")];
    let mut stale = symptom("activate");
    stale.check = "stale-activate-script";
    moved.symptoms.push(stale);
    let order =
        Finding::new(&UNPINNED, Subject::Shell, "/usr/local/bin comes before the environment's bin on PATH")
            .evidence("PATH", "/usr/local/bin:/home/me/project/.venv/bin")
            .remedy(Remedy::safe("Put it first", vec![Action::PutFirst(root.join("bin"))]));
    let remark = Finding::new(&UNPINNED, Subject::Shell, "PIP_INDEX_URL sends pip to another index")
        .severity(Severity::Info)
        .evidence("PIP_INDEX_URL", "https://me:secret@host/simple")
        .remedy(Remedy::safe("Unset it if that is not meant", vec![Action::Unset("PIP_INDEX_URL".into())]));
    let diagnosis = Diagnosis {
        findings: vec![moved, order, remark],
        skipped: vec![Unexamined { check: "dead-interpreter", reason: "--no-exec".into() }],
        failed: Vec::new(),
        ..nothing()
    };
    (facts, diagnosis)
}

#[test]
fn a_healthy_machine() {
    for width in [60, 100] {
        insta::assert_snapshot!(
            format!("healthy-{width}"),
            human(&example::healthy(), &nothing(), &options(width))
        );
    }
    let quiet = HumanOptions { quiet: true, ..options(60) };
    assert_eq!(human(&example::healthy(), &nothing(), &quiet), "");
}

#[test]
fn a_broken_machine() {
    let (facts, diagnosis) = broken();
    for width in [60, 100] {
        insta::assert_snapshot!(format!("broken-{width}"), human(&facts, &diagnosis, &options(width)));
    }
    let verbose = HumanOptions { verbose: 1, unicode: false, ..options(100) };
    insta::assert_snapshot!("broken-verbose", human(&facts, &diagnosis, &verbose));
    let quiet = HumanOptions { quiet: true, ..options(60) };
    insta::assert_snapshot!("broken-quiet", human(&facts, &diagnosis, &quiet));
}

#[test]
fn colour_changes_nothing_but_colour() {
    let (facts, diagnosis) = broken();
    let coloured = human(&facts, &diagnosis, &HumanOptions { color: true, ..options(60) });
    assert!(coloured.contains("\x1b["));
    let mut plain = String::new();
    for (index, part) in coloured.split("\x1b[").enumerate() {
        plain.push_str(if index == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(plain, human(&facts, &diagnosis, &options(60)));
}

#[test]
fn prose_keeps_to_the_width_and_commands_stay_whole() {
    let (facts, diagnosis) = broken();
    let commands: Vec<String> = diagnosis.findings[0]
        .remedies
        .iter()
        .flat_map(|remedy| Dialect::of(&facts).commands(remedy))
        .collect();
    let text = human(&facts, &diagnosis, &options(60));
    assert!(text.contains(&format!("\n      {}\n", commands[0])), "{text}");
    for line in text.lines().filter(|line| !line.starts_with("      ")) {
        assert!(line.chars().count() <= 60, "{line}");
    }
}

/// What a stranger's files hold must not reach the terminal as it is.
#[test]
fn a_hostile_machine() {
    let mut facts = example::healthy();
    let evil = "\x1b[2J\u{202e}evil\nerror[forged]: all is lost";
    facts.interpreters[0].probe = Probe::Failed { ending: evil.into(), stderr: String::new() };
    facts.notes = vec![evil.into()];
    let finding = Finding::new(&MOVED, Subject::Shell, format!("A name: {evil}"))
        .evidence(evil, format!("{evil} https://u:p@host/x"))
        .evidence("UV_TOKEN", "hunter2")
        .remedy(Remedy::safe(
            evil,
            vec![Action::run(["echo".into(), evil.into()]), Action::Advice(evil.into())],
        ));
    let diagnosis = Diagnosis {
        findings: vec![finding],
        failed: vec![Unexamined { check: "moved-venv", reason: evil.into() }],
        ..nothing()
    };
    let text = human(&facts, &diagnosis, &HumanOptions { verbose: 1, ..options(100) });
    assert!(!text.contains(['\x1b', '\u{202e}']), "{text}");
    assert!(!text.lines().any(|line| line.trim_start().starts_with("error[forged]")), "{text}");
    assert!(!text.contains("u:p@") && !text.contains("hunter2"));
    insta::assert_snapshot!("hostile", text);
}

#[test]
fn a_machine_without_python() {
    let mut facts = example::healthy();
    facts.patient = None;
    facts.commands.clear();
    facts.shell.kind = None;
    facts.working_directory = None;
    insta::assert_snapshot!(
        "no-python",
        human(&facts, &nothing(), &HumanOptions { verbose: 1, ..options(80) })
    );
    let mut out = Vec::new();
    json::write(&mut out, &facts, &nothing(), &Dialect::of(&facts)).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert!(value["python"].is_null() && value["patient"].is_null() && value["situation"]["shell"].is_null());
}

#[test]
fn the_report_as_json() {
    let (facts, diagnosis) = broken();
    let mut out = Vec::new();
    json::write(&mut out, &facts, &diagnosis, &Dialect::of(&facts)).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(!text.contains("secret"));
    let (before, after) = text.split_once(env!("CARGO_PKG_VERSION")).unwrap();
    insta::assert_snapshot!("json", format!("{before}VERSION{after}"));
}

#[test]
fn the_handbook() {
    for width in [60, 100] {
        let mut out = Vec::new();
        listing::explain(&mut out, &MOVED, width, false).unwrap();
        out.extend(b"\n--------\n\n");
        listing::checks(&mut out, &[&MOVED, &UNPINNED], width, false).unwrap();
        insta::assert_snapshot!(format!("handbook-{width}"), String::from_utf8(out).unwrap());
    }
    let mut out = Vec::new();
    listing::checks_json(&mut out, &[&MOVED, &UNPINNED]).unwrap();
    let list: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(list[0]["id"], "moved-venv");
    let mut out = Vec::new();
    listing::explain_json(&mut out, &MOVED).unwrap();
    let page: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert!(page["explanation"].as_str().unwrap().starts_with("## What it means"));
}

/// Every action in the words of every shell.
#[test]
fn the_words_of_each_shell() {
    let on = |system, kinds: &[ShellKind]| {
        let place = |text: &str| match system {
            System::Windows => {
                HostPath::new(Flavour::Windows, format!("C:{}", text.replace('/', "\\"))).unwrap()
            }
            _ => HostPath::posix(text),
        };
        let bin = if system == System::Windows { "/p/it's/Scripts" } else { "/p/it's/bin" };
        let script = |kind, name: &str| (kind, place(bin).join(name));
        let scripts = vec![
            script(ActivatorKind::Posix, "activate"),
            script(ActivatorKind::Fish, "activate.fish"),
            script(ActivatorKind::Csh, "activate.csh"),
            script(ActivatorKind::PowerShell, "Activate.ps1"),
            script(ActivatorKind::Cmd, "activate.bat"),
            script(ActivatorKind::Nushell, "activate.nu"),
        ];
        let root = place("/p/it's");
        let actions = [
            Action::Activate { root: root.clone(), scripts },
            Action::Deactivate { root, script_directory: place(bin) },
            Action::Unset("PYTHONPATH".into()),
            Action::Set { name: "PYTHONPATH".into(), value: "a b".into() },
            Action::Unset("X; rm -rf /".into()),
            Action::PutFirst(place("/plain/bin")),
            Action::PutFirst(place(bin)),
            Action::RemoveFromPath { raw: "/x".into() },
            Action::RemoveFromPath { raw: "".into() },
            Action::Run(vec![
                "python3".into(),
                "-m".into(),
                "pip".into(),
                "install".into(),
                "six==1.0".into(),
                "a>b".into(),
            ]),
            Action::Run(vec![Word::from(place("/a b/python")), "-V".into()]),
            Action::Rewrite {
                files: vec![place("/p/bin/a"), place("/p/bin/b"), place("/q/it's")],
                from: "/old.x|".into(),
                to: "/new&'".into(),
            },
            Action::Rewrite { files: vec![place("/p/bin/a")], from: "a\nb".into(), to: "c".into() },
            Action::WriteLines {
                file: place("/p/a b.txt"),
                lines: vec!["six==1.0".into(), "a & b".into()],
                append: false,
            },
            Action::WriteLines { file: place("/p/x.txt"), lines: vec!["six".into()], append: true },
            Action::Rehash,
            Action::Edit {
                file: place("/p/x"),
                line: Some(3),
                hint: "remove the reader's line\nrm -rf / & echo %PATH%".into(),
            },
            Action::Advice("ask a friend".into()),
        ];
        let mut text = String::new();
        for kind in kinds {
            let dialect = Dialect::new(Some(*kind), system);
            text.push_str(&format!("== {} on {system:?}\n", kind.label()));
            for line in dialect.commands(&Remedy::safe("Try", actions.to_vec())) {
                text.push_str(&format!("{line}\n"));
            }
        }
        text
    };
    use ShellKind::*;
    insta::assert_snapshot!(
        "dialects-linux",
        on(System::Linux, &[Bash, Zsh, Sh, Fish, Csh, PowerShell, Nushell, Xonsh, Elvish])
    );
    insta::assert_snapshot!("dialects-macos", on(System::MacOs, &[Zsh]));
    insta::assert_snapshot!("dialects-windows", on(System::Windows, &[PowerShell, Cmd, Nushell, Bash]));
    assert_eq!(Dialect::new(None, System::Windows).kind, PowerShell);
    assert_eq!(Dialect::new(None, System::MacOs).kind, Bash);
}
