//! Every format over the same findings: as they are read, how many, in which order, and whatever the names hold.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;

use super::tests::{MOVED, broken, human, options};
use super::{Dialect, github, json, markdown, sanitize, sarif, schema};
use crate::diagnosis::{Action, Diagnosis, Finding, Remedy, Severity, Subject, Unexamined, Word};
use crate::facts::{Facts, example};
use crate::parse::activate::ActivatorKind;
use crate::path::{HostPath, encoded};

const SARIF_SCHEMA: &str = include_str!("../../tests/formats/sarif-schema-2.1.0.json");

/// Every format's text, by its name.
struct Texts {
    human: String,
    json: String,
    sarif: String,
    github: String,
    markdown: String,
}

impl Texts {
    fn of(facts: &Facts, diagnosis: &Diagnosis) -> Texts {
        let dialect = Dialect::of(facts);
        let text = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            write(&mut out);
            String::from_utf8(out).unwrap()
        };
        let human = human(facts, diagnosis, &options(100));
        Texts {
            json: text(&|out| json::write(out, facts, diagnosis, &dialect).unwrap()),
            sarif: text(&|out| sarif::write(out, facts, diagnosis, &dialect, 1).unwrap()),
            github: text(&|out| github::write(out, facts, diagnosis, &dialect, &human).unwrap()),
            markdown: text(&|out| markdown::write(out, facts, diagnosis, &dialect).unwrap()),
            human,
        }
    }

    fn all(&self) -> [(&'static str, &str); 5] {
        [
            ("human", &self.human),
            ("json", &self.json),
            ("sarif", &self.sarif),
            ("github", &self.github),
            ("markdown", &self.markdown),
        ]
    }

    /// Well-formed by each format's own rules.
    fn check(&self) {
        let report: Value = serde_json::from_str(&self.json).unwrap();
        let errors: Vec<String> = own_schema().iter_errors(&report).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{}", self.json);
        let log: Value = serde_json::from_str(&self.sarif).unwrap();
        let errors: Vec<String> = sarif_schema().iter_errors(&log).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{}", self.sarif);
        runner(&self.github);
    }
}

/// The official schema, its formats (URIs) counted.
fn sarif_schema() -> &'static Validator {
    static SCHEMA: OnceLock<Validator> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let mut schema: Value = serde_json::from_str(SARIF_SCHEMA).unwrap();
        // a lone bracket in this pattern is no regular expression by the rules of JSON Schema; we write no language
        for object in ["run", "toolComponent"] {
            let language = &mut schema["definitions"][object]["properties"]["language"];
            language.as_object_mut().unwrap().remove("pattern").unwrap();
        }
        jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
    })
}

/// The published schema with nothing beside what it names.
fn own_schema() -> &'static Validator {
    static SCHEMA: OnceLock<Validator> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let mut schema: Value = serde_json::from_str(schema::SCHEMA).unwrap();
        close(&mut schema);
        jsonschema::validator_for(&schema).unwrap()
    })
}

fn close(schema: &mut Value) {
    if let Some(object) = schema.as_object_mut() {
        if object.get("type").is_some_and(|kind| kind == "object") {
            object.insert("additionalProperties".into(), false.into());
        }
        object.values_mut().for_each(close);
    } else if let Some(list) = schema.as_array_mut() {
        list.iter_mut().for_each(close);
    }
}

/// A command that the runner carries out: its name, its properties, its message.
#[derive(Debug, PartialEq)]
struct Command {
    name: String,
    properties: Vec<(String, String)>,
    message: String,
}

/// What GitHub's runner makes of a log (`ActionCommand.TryParseV2` and `TryParse`, `ActionCommandManager`).
fn runner(log: &str) -> Vec<Command> {
    let mut commands = Vec::new();
    let mut stopped: Option<String> = None;
    for line in log.split(['\n', '\r']) {
        let line = line.trim();
        if let Some(token) = &stopped {
            stopped = (line != format!("::{token}::")).then(|| token.clone());
            continue;
        }
        let Some((head, message)) = line.strip_prefix("::").and_then(|rest| rest.split_once("::")) else {
            assert!(!line.contains("##["), "a command of the old form, which may stand anywhere: {line}");
            continue;
        };
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        if name == "stop-commands" {
            stopped = Some(message.to_owned());
            continue;
        }
        let known = ["error", "warning", "notice", "group", "endgroup"];
        assert!(known.contains(&name), "the command {name:?} in {line}");
        let properties = properties.split(',').filter_map(|pair| pair.split_once('='));
        let decoded = |text: &str| {
            let text = text.replace("%0D", "\r").replace("%0A", "\n");
            text.replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
        };
        commands.push(Command {
            name: name.to_owned(),
            properties: properties.map(|(key, value)| (key.to_owned(), decoded(value))).collect(),
            message: decoded(message),
        });
    }
    assert_eq!(stopped, None, "commands are never taken up again");
    commands
}

impl Command {
    fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The check that an annotation is of.
    fn check(&self) -> Option<&str> {
        let check = self.property("title")?.strip_prefix("venv-doctor: ")?;
        (!check.ends_with(" crashed")).then_some(check)
    }
}

#[test]
fn every_format_over_the_same_findings() {
    let (facts, diagnosis) = broken();
    let texts = Texts::of(&facts, &diagnosis);
    texts.check();
    for (name, text) in texts.all() {
        assert!(!text.contains("secret"), "{name}");
        insta::assert_snapshot!(format!("format-{name}"), text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
    }
}

/// `severity check` of each finding, as each format tells it.
fn listed(texts: &Texts) -> Vec<(&'static str, Vec<String>)> {
    let report: Value = serde_json::from_str(&texts.json).unwrap();
    let log: Value = serde_json::from_str(&texts.sarif).unwrap();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let plain = |level: &str| match level {
        "note" | "notice" => "info".to_owned(),
        other => other.to_owned(),
    };
    let in_lines = |text: &str, before: &str, middle: &str, after: &str| -> Vec<String> {
        let finding = |line: &str| {
            let (severity, rest) = line.strip_prefix(before)?.split_once(middle)?;
            let known = ["error", "warning", "info"].contains(&severity);
            known.then(|| format!("{severity} {}", rest.split_once(after).unwrap().0))
        };
        text.lines().filter_map(finding).collect()
    };
    let annotations = runner(&texts.github);
    let annotated = |command: &Command| Some(format!("{} {}", plain(&command.name), command.check()?));
    let json = report["findings"].as_array().unwrap().iter();
    let sarif = log["runs"][0]["results"].as_array().unwrap().iter();
    vec![
        ("human", in_lines(&texts.human, "", "[", "]:")),
        ("json", json.map(|it| format!("{} {}", word(&it["severity"]), word(&it["check"]))).collect()),
        (
            "sarif",
            sarif.map(|it| format!("{} {}", plain(&word(&it["level"])), word(&it["ruleId"]))).collect(),
        ),
        ("github", annotations.iter().filter_map(annotated).collect()),
        ("markdown", in_lines(&texts.markdown, "### ", ": `", "`")),
    ]
}

fn agree(texts: &Texts, diagnosis: &Diagnosis) {
    let expected: Vec<String> = diagnosis
        .findings
        .iter()
        .map(|finding| format!("{} {}", finding.severity.label(), finding.check))
        .collect();
    for (name, found) in listed(texts) {
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn all_formats_agree_on_the_number_and_order_of_findings() {
    let (facts, diagnosis) = broken();
    agree(&Texts::of(&facts, &diagnosis), &diagnosis);
    let nothing = Diagnosis { findings: Vec::new(), ..diagnosis };
    agree(&Texts::of(&facts, &nothing), &nothing);
}

#[test]
fn a_file_named_like_a_command_is_annotated() {
    let facts = example::healthy();
    for name in
        ["a%0A::error::b", "a\n::error::b", "a,line=9:b", "a\r::stop-commands::x", "##[error]x", "é 漢"]
    {
        let path = HostPath::posix("/home/me/project").join(name);
        let finding = Finding::new(&MOVED, Subject::line(&path, 7), format!("{path} is odd"))
            .evidence("file", path.to_text());
        let diagnosis = Diagnosis { findings: vec![finding], ..broken().1 };
        let texts = Texts::of(&facts, &diagnosis);
        texts.check();
        agree(&texts, &diagnosis);
        let commands = runner(&texts.github);
        assert_eq!(commands.len(), 3, "{commands:#?}");
        assert_eq!(commands[0].property("file"), Some(name));
        assert_eq!(commands[0].property("line"), Some("7"));
        let log: Value = serde_json::from_str(&texts.sarif).unwrap();
        let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], encoded(name.as_bytes()));
        assert_eq!(place["region"]["startLine"], 7);
    }
}

/// The same fault in the same repository, on another machine and for another user.
#[test]
fn fingerprints_know_no_machine() {
    let fingerprints = |home: &str, outside: &str| -> Vec<Value> {
        let text = serde_json::to_string(&example::healthy()).unwrap().replace("/home/me", home);
        let facts: Facts = serde_json::from_str(&text).unwrap();
        let root = HostPath::posix(format!("{home}/project/.venv"));
        let script = |line| Subject::line(&root.join("bin/pip"), line);
        let subjects = [
            Subject::Environment(root.clone()),
            script(1),
            script(2),
            Subject::file(&HostPath::posix(format!("{home}/.config/pip/pip.conf"))),
            Subject::Distribution { environment: root.clone(), name: "six".into() },
            Subject::Shell,
        ];
        let findings = subjects.map(|subject| Finding::new(&MOVED, subject, outside)).to_vec();
        let diagnosis = Diagnosis { findings, ..broken().1 };
        let log: Value = serde_json::from_str(&Texts::of(&facts, &diagnosis).sarif).unwrap();
        assert!(!log["runs"][0]["results"].to_string().contains(home) || home == "/home/me");
        let results = log["runs"][0]["results"].as_array().unwrap().iter();
        results.map(|result| result["partialFingerprints"]["venvDoctorFinding/v1"].clone()).collect()
    };
    let mine = fingerprints("/home/me", "one");
    assert_eq!(mine, fingerprints("/Users/somebody.else", "two"));
    assert_eq!(mine.iter().map(Value::to_string).collect::<BTreeSet<_>>().len(), mine.len());
}

/// Everything that a name may hold to break out of a line, a cell, a fence, a command or a terminal.
const NASTY: &str = "x\x1b[2J\x1b]8;;http://evil\x07\r\n::error::forged\n##[error]forged\nerror[forged]: x\n### error: `forged`\n```\n````\n| a | b |\n</details><b>@somebody #1 \u{202e}\u{9b}\u{200b}`]( [x](http://evil) {0} https://u:hunter2@host/ %0A::error::forged\n- x";

fn nasty_finding(subject: Subject) -> Finding {
    let path = HostPath::posix(format!("/home/me/project/{NASTY}"));
    let word = || Word::from(NASTY);
    let scripts = vec![(ActivatorKind::Posix, path.clone())];
    let actions = vec![
        Action::Activate { root: path.clone(), scripts },
        Action::Deactivate { root: path.clone(), script_directory: path.clone() },
        Action::Unset(NASTY.into()),
        Action::Set { name: NASTY.into(), value: word() },
        Action::Set { name: "PYTHONPATH".into(), value: word() },
        Action::PutFirst(path.clone()),
        Action::RemoveFromPath { raw: word() },
        Action::Run(vec![word(), word()]),
        Action::Rewrite { files: vec![path.clone()], from: "a".into(), to: word() },
        Action::Rewrite { files: vec![path.clone()], from: word(), to: "a".into() },
        Action::WriteLines { file: path.clone(), lines: vec![word()], append: true },
        Action::Rehash,
        Action::Edit { file: path.clone(), line: Some(1), hint: NASTY.into() },
        Action::Advice(NASTY.into()),
    ];
    let advice = vec![Action::Advice(NASTY.into())];
    let mut finding = Finding::new(&MOVED, subject, NASTY)
        .evidence(NASTY, NASTY)
        .evidence("path", format!("{NASTY} (line 1 of {path})"))
        .remedy(Remedy::safe(NASTY, actions))
        .remedy(Remedy::manual(NASTY, advice));
    finding.environments = vec![path];
    finding
}

/// Every string of a diagnosis and every string of the facts, one after the other.
#[test]
fn nothing_breaks_out_of_any_format() {
    let path = HostPath::posix(format!("/home/me/project/{NASTY}"));
    let subjects = [
        Subject::Shell,
        Subject::Project(Some(path.clone())),
        Subject::Environment(path.clone()),
        Subject::Interpreter(path.clone()),
        Subject::Distribution { environment: path.clone(), name: NASTY.into() },
        Subject::line(&path, 3),
        Subject::file(&path),
    ];
    let mut findings: Vec<Finding> = subjects.into_iter().map(nasty_finding).collect();
    findings[0].symptoms = vec![nasty_finding(Subject::file(&path))];
    findings[5].severity = Severity::Warning;
    findings[6].severity = Severity::Info;
    let unexamined = |check| vec![Unexamined { check, reason: NASTY.into() }];
    let diagnosis = Diagnosis {
        findings,
        run: vec!["moved-venv"],
        skipped: unexamined("copied-venv"),
        failed: unexamined("broken-pip"),
        ..Diagnosis::default()
    };
    let mut tried = 0;
    for facts in nasty_facts() {
        inert(&Texts::of(&facts, &diagnosis), &diagnosis);
        tried += 1;
    }
    assert!(tried > 20, "{tried} facts with another string");
}

/// The example once as it is, then with each of its different strings replaced wherever it still makes facts.
fn nasty_facts() -> Vec<Facts> {
    let facts = example::healthy();
    let whole = serde_json::to_value(&facts).unwrap();
    let mut texts = BTreeSet::new();
    collect(&whole, &mut texts);
    let replaced = texts.iter().filter_map(|text| {
        let nasty =
            if text.starts_with('/') { format!("/home/me/project/{NASTY}") } else { NASTY.to_owned() };
        let mut whole = whole.clone();
        replace(&mut whole, text, &nasty);
        serde_json::from_value(whole).ok()
    });
    let mut all: Vec<Facts> = replaced.collect();
    all.push(facts);
    all
}

fn collect(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(texts.insert(text.clone())),
        Value::Array(list) => list.iter().for_each(|value| collect(value, texts)),
        Value::Object(object) => object.values().for_each(|value| collect(value, texts)),
        _ => {}
    }
}

fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text == from => to.clone_into(text),
        Value::Array(list) => list.iter_mut().for_each(|value| replace(value, from, to)),
        Value::Object(object) => object.values_mut().for_each(|value| replace(value, from, to)),
        _ => {}
    }
}

/// Each format is whole, tells the same findings, and holds nothing that acts.
fn inert(texts: &Texts, diagnosis: &Diagnosis) {
    texts.check();
    for (name, text) in texts.all() {
        let acts = text.chars().find(|letter| sanitize::is_hidden(*letter) && *letter != '\n');
        assert_eq!(acts, None, "{name}: {text}");
    }
    let report: Value = serde_json::from_str(&texts.json).unwrap();
    for finding in report["findings"].as_array().unwrap() {
        let mut finding = finding.clone();
        // the name of a file is told as it is
        finding["subject"]["path"].take();
        finding["symptoms"].take();
        assert!(!finding.to_string().contains("hunter2"), "{finding:#}");
    }
    agree_without_commands(texts, diagnosis);
    let crashed = runner(&texts.github).into_iter().filter(|command| command.check().is_none()).count();
    assert_eq!(crashed, 3, "the crashed check, and the group's two commands");
    assert_eq!(outline(&texts.markdown), diagnosis.findings.len() + 2);
}

/// Commands may have several lines, which the formats for people show as they are.
fn agree_without_commands(texts: &Texts, diagnosis: &Diagnosis) {
    let expected = diagnosis.findings.len();
    for (name, found) in listed(texts).into_iter().filter(|(name, _)| !matches!(*name, "human" | "markdown"))
    {
        assert_eq!(found.len(), expected, "{name}: {found:#?}");
        assert!(found.iter().all(|finding| finding.ends_with(" moved-venv")), "{name}: {found:#?}");
    }
}

/// How many headings a reader of the Markdown sees; no other markup of it may come from a name.
fn outline(page: &str) -> usize {
    let mut fence: Option<usize> = None;
    let mut headings = 0;
    let mut details = 0;
    for line in page.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(open) if ticks >= open && line.len() == ticks => fence = None,
            Some(_) => {}
            None if ticks >= 3 => fence = Some(ticks),
            None => {
                headings += usize::from(line.starts_with('#'));
                details += usize::from(line == "<details>");
                details -= usize::from(line == "</details>");
                let cells = line.starts_with('|').then(|| line.matches('|').count());
                assert!(cells.is_none_or(|cells| cells == 3), "{line}");
                let plain = without_code(line);
                for markup in ["<b>", "@", "#1", "](", "http", "*x", "</details><"] {
                    assert!(!plain.contains(markup), "{markup} in {plain:?} of {line}");
                }
            }
        }
    }
    assert_eq!((fence, details), (None, 0), "something is never closed");
    headings
}

/// A line without what stands in `<code>`, which holds nothing but letters and entities.
fn without_elements(line: &str) -> String {
    let mut parts = line.split("<code>");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_once("</code>").unwrap();
        let fit = |letter: char| letter.is_alphanumeric() || " /.-&#;".contains(letter);
        assert!(code.chars().all(fit), "{code}");
        plain.push_str(rest);
    }
    plain
}

/// A line without its code spans, as CommonMark finds them: a run of backticks up to the next one of its length.
fn without_code(line: &str) -> String {
    let line = without_elements(line);
    let mut plain = String::new();
    let mut rest = line.as_str();
    while let Some(start) = rest.find('`') {
        plain.push_str(&rest[..start]);
        let after = rest[start..].trim_start_matches('`');
        let ticks = rest.len() - start - after.len();
        let mut at = 0;
        let mut end = None;
        while let Some(found) = after[at..].find('`') {
            let run = after[at + found..].len() - after[at + found..].trim_start_matches('`').len();
            if run == ticks {
                end = Some(at + found + run);
                break;
            }
            at += found + run;
        }
        rest = &after[end.unwrap_or_else(|| panic!("a code span without end: {line}"))..];
    }
    plain + rest
}
