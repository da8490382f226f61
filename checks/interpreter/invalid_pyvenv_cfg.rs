//! `pyvenv.cfg` cannot be read, or says something that Python does not understand.

use super::{base_directory, severity, venvs, with_replacement};
use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::facts::interpreter::{HomeFault, Interpreter, Probe, WithoutHome};
use crate::host::FileError;
use crate::parse::pyvenv_cfg::{ConfigLine, ConfigOddity, HOME, INCLUDE_SYSTEM_SITE_PACKAGES, PyvenvConfig};
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "invalid-pyvenv-cfg",
    category: Category::Interpreter,
    severity: Severity::Error,
    summary: "The environment's pyvenv.cfg cannot be decoded, or lacks what it must say",
    needs: &[Need::Probe, Need::Installed],
    explains: &["interpreter-fails", "base-python-missing", "system-site-packages", "user-site-leak"],
    explanation: r#"
## What it means
`pyvenv.cfg` is read at every start, and its format is plainer than it looks: lines `key = value` in UTF-8. There are no
sections, no quotes, no `~` and no `$VARIABLE`. Python uses two keys. `home` is the directory of the base
interpreter (a directory, absolute). `include-system-site-packages` is `true` or `false`; any other word means false,
and when the key is missing it counts as true, so the packages of the base Python and of the user are mixed in.

A file that is not UTF-8 stops every start with a `UnicodeDecodeError`, even when the odd byte is in a comment; so
does a file that may not be read, and, from Python 3.11 on, one of 32 KB or more.

## How it happens
Edited with PowerShell 5 (`>` writes UTF-16) or Notepad; filled with NUL bytes by a crash or a sync client; made empty by
`touch`; written by a script that imitates an `.ini` file; a path in a legacy encoding.

## How to fix it
Write it anew as UTF-8 with the three lines that every version of `venv` writes:

    home = /usr/bin
    include-system-site-packages = false
    version = 3.11.2

`python3.11 -m venv .venv` over it, with the same minor version, writes it too and keeps the packages.

## When it is fine
Unknown keys, blank lines, comments, and a byte order mark before a line that nobody reads do no harm.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for environment in venvs(facts) {
        let Some(interpreter) = facts.interpreter_of(environment).filter(|found| found.can_start()) else {
            continue;
        };
        if interpreter.known_version().is_some_and(|version| version.major < 3) {
            continue;
        }
        let file = environment.config_path.clone().unwrap_or_else(|| environment.root.join("pyvenv.cfg"));
        let (faults, remedy) = match (&environment.config_error, environment.venv_config()) {
            (Some(error), _) => match unreadable(facts, environment, error, &file) {
                Some((fault, remedy)) => (vec![fault], remedy),
                None => continue,
            },
            (None, Some(config)) => {
                let faults = faults(facts, environment, interpreter, config);
                (faults, mend(facts, environment, interpreter, config, &file))
            }
            (None, None) => continue,
        };
        let Some(worst) = faults.iter().max_by_key(|fault| fault.severity) else { continue };
        let subject = match worst.line {
            Some(line) => Subject::line(&file, line),
            None => Subject::file(&file),
        };
        let mut finding = Finding::new(&CHECK, subject, format!("{file} {}", worst.text))
            .severity(worst.severity)
            .about(&environment.root);
        for fault in &faults {
            let place = match fault.line {
                Some(line) => format!("line {line}"),
                None => "file".to_owned(),
            };
            finding = finding.evidence(place, &fault.text);
        }
        if let Probe::Failed { ending, stderr } = &interpreter.probe {
            let last = stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
            finding = finding.evidence("when started", format!("{ending}: {}", last.trim()));
        }
        if let Some(remedy) = remedy {
            finding = finding.remedy(remedy);
        }
        findings.push(with_replacement(finding, facts, environment));
    }
}

/// Something that the file does wrong; the text continues a sentence that begins with the file.
struct Fault {
    line: Option<usize>,
    text: String,
    severity: Severity,
}

fn unreadable(
    facts: &Facts,
    environment: &Environment,
    error: &FileError,
    file: &HostPath,
) -> Option<(Fault, Option<Remedy>)> {
    let fault =
        |text: &str| Fault { line: None, text: text.to_owned(), severity: severity(facts, environment) };
    match error {
        FileError::Denied => {
            let mut words: Vec<Word> = vec!["chmod".into(), "a+r".into(), file.into()];
            if environment.owner != Some(facts.user.id) {
                words.insert(0, "sudo".into());
            }
            let remedy = Remedy::safe("Make the file readable", vec![Action::Run(words)]);
            Some((
                fault("may not be read by this user, and Python does not start without reading it"),
                Some(remedy),
            ))
        }
        FileError::NotAFile => {
            Some((fault("is not a regular file, so Python does not take this for a venv"), None))
        }
        _ => None,
    }
}

fn faults(
    facts: &Facts,
    environment: &Environment,
    interpreter: &Interpreter,
    config: &PyvenvConfig,
) -> Vec<Fault> {
    // site.py reads it last; an answer of an interpreter that was started without site proves nothing
    let site_read_it = interpreter.probe.report().is_some_and(|report| !report.isolated);
    if !site_read_it && let Some(fault) = undecodable(facts, environment, config) {
        return vec![fault];
    }
    let since_311 = interpreter.known_version().is_some_and(|version| version.minor >= 11);
    if config.oddities.contains(&ConfigOddity::TooLarge) && since_311 && interpreter.probe.report().is_none()
    {
        return vec![Fault {
            line: None,
            text: "is of 32 KB or more, and Python 3.11 and later do not start with that".to_owned(),
            severity: severity(facts, environment),
        }];
    }
    if config.oddities.contains(&ConfigOddity::Utf16) {
        return Vec::new();
    }
    let mut faults = Vec::new();
    faults.extend(home_fault(facts, environment, interpreter, config));
    // nothing that this key says keeps an interpreter from starting
    if !interpreter.probe.went_wrong() {
        faults.extend(system_site_packages_fault(config));
    }
    faults
}

fn undecodable(facts: &Facts, environment: &Environment, config: &PyvenvConfig) -> Option<Fault> {
    config.oddities.iter().find_map(|oddity| {
        let (line, text) = match oddity {
            ConfigOddity::Utf16 => (None, "is encoded in UTF-16, and Python does not start with that"),
            ConfigOddity::NotUtf8 { line } => {
                (Some(*line), "is not valid UTF-8, and Python does not start with that")
            }
            _ => return None,
        };
        Some(Fault { line, text: text.to_owned(), severity: severity(facts, environment) })
    })
}

fn home_fault(
    facts: &Facts,
    environment: &Environment,
    interpreter: &Interpreter,
    config: &PyvenvConfig,
) -> Option<Fault> {
    let senseless = config.oddities.iter().find_map(|oddity| match oddity {
        ConfigOddity::EmptyHome { line } => Some((*line, HomeFault::Absent, "says nothing behind home")),
        ConfigOddity::QuotedHome { line } => Some((
            *line,
            HomeFault::Nowhere,
            "has quotes around home, which Python takes for part of the path",
        )),
        ConfigOddity::RelativeHome { line } => Some((
            *line,
            HomeFault::Nowhere,
            "has a home that is not absolute, so that it depends on the working directory",
        )),
        _ => None,
    });
    let marked = config.oddities.contains(&ConfigOddity::ByteOrderMark);
    let (line, fault, text) = match senseless {
        Some((line, fault, text)) => (Some(line), fault, text),
        None if config.home().is_some() => return None,
        None if marked => (Some(1), HomeFault::Absent, "begins with a byte order mark, which hides home"),
        None => (None, HomeFault::Absent, "does not say home, the directory of the base Python"),
    };
    // it fails for another reason: this is not it
    if interpreter.probe.went_wrong()
        && (!interpreter.probe.lacks_standard_library() || facts.shell.set("PYTHONHOME").is_some())
    {
        return None;
    }
    let severity = match interpreter.without_home(fault, environment) {
        WithoutHome::Dies => severity(facts, environment),
        WithoutHome::NotNeeded if marked => Severity::Info,
        WithoutHome::Luck | WithoutHome::NotNeeded => Severity::Warning,
    };
    Some(Fault { line, text: text.to_owned(), severity })
}

fn system_site_packages_fault(config: &PyvenvConfig) -> Option<Fault> {
    let values: Vec<&ConfigLine> = lines_of(config, INCLUDE_SYSTEM_SITE_PACKAGES).collect();
    let Some(last) = values.last() else {
        return Some(Fault {
            line: None,
            text: format!(
                "does not say {INCLUDE_SYSTEM_SITE_PACKAGES}, so the packages of the base Python are mixed in"
            ),
            severity: Severity::Warning,
        });
    };
    let value = last.value.as_deref().unwrap_or_default();
    if is_boolean(value) {
        let differs = values.iter().any(|line| {
            line.value.as_deref().is_some_and(|other| is_boolean(other) && !other.eq_ignore_ascii_case(value))
        });
        return differs.then(|| Fault {
            line: Some(last.number),
            text: format!("says {INCLUDE_SYSTEM_SITE_PACKAGES} twice, and the last one, {value}, counts"),
            severity: Severity::Info,
        });
    }
    Some(Fault {
        line: Some(last.number),
        text: format!("says {INCLUDE_SYSTEM_SITE_PACKAGES} = {value}, which counts as false"),
        severity: if means_true(value) { Severity::Warning } else { Severity::Info },
    })
}

fn lines_of<'a>(config: &'a PyvenvConfig, key: &'a str) -> impl Iterator<Item = &'a ConfigLine> {
    config.lines.iter().filter(move |line| line.key.as_deref() == Some(key))
}

fn is_boolean(value: &str) -> bool {
    value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false")
}

/// What its author meant to be true.
fn means_true(value: &str) -> bool {
    let bare = value.trim_matches(['"', '\'']).to_ascii_lowercase();
    matches!(bare.as_str(), "true" | "1" | "yes" | "on" | "y")
}

/// The file written anew with what is right in it; the old one is kept beside it.
fn mend(
    facts: &Facts,
    environment: &Environment,
    interpreter: &Interpreter,
    config: &PyvenvConfig,
    file: &HostPath,
) -> Option<Remedy> {
    let mut lines: Vec<String> = config
        .lines
        .iter()
        .map(|line| line.text.trim_start_matches('\u{feff}').trim().to_owned())
        .zip(&config.lines)
        .filter(|(text, line)| !text.is_empty() && keeps(config, text, line.number))
        .map(|(text, _)| text)
        .collect();
    let has = |lines: &[String], key: &str| lines.iter().any(|line| key_of(line) == key);
    if !has(&lines, HOME) {
        let home = base_directory(facts, environment).filter(HostPath::is_utf8)?;
        lines.insert(0, format!("home = {home}"));
    }
    if !has(&lines, INCLUDE_SYSTEM_SITE_PACKAGES) {
        let meant = lines_of(config, INCLUDE_SYSTEM_SITE_PACKAGES).last();
        let value = meant.and_then(|line| line.value.as_deref()).is_some_and(means_true);
        lines.insert(1, format!("{INCLUDE_SYSTEM_SITE_PACKAGES} = {value}"));
    }
    if !["version", "version_info"].iter().any(|key| has(&lines, key))
        && let Some(version) = interpreter.known_version()
    {
        lines.push(format!("version = {version}"));
    }
    let mut backup = file.as_bytes().to_vec();
    backup.extend_from_slice(b".bak");
    Some(Remedy::review(
        "Write pyvenv.cfg anew, and keep the old one as pyvenv.cfg.bak",
        vec![
            Action::run(["cp".into(), file.into(), Word(backup)]),
            Action::WriteLines {
                file: file.clone(),
                lines: lines.into_iter().map(Word::from).collect(),
                append: false,
            },
        ],
    ))
}

/// Whether a line may stay as it is.
fn keeps(config: &PyvenvConfig, text: &str, number: usize) -> bool {
    const LONGEST: usize = 4096;
    let faulty = config.oddities.iter().any(|oddity| match oddity {
        ConfigOddity::NotUtf8 { line }
        | ConfigOddity::NulByte { line }
        | ConfigOddity::Section { line }
        | ConfigOddity::NotAKeyValueLine { line }
        | ConfigOddity::SenselessBoolean { line, .. }
        | ConfigOddity::QuotedHome { line }
        | ConfigOddity::EmptyHome { line }
        | ConfigOddity::RelativeHome { line } => *line == number,
        _ => false,
    });
    let too_large = config.oddities.contains(&ConfigOddity::TooLarge);
    !faulty
        && text.len() < LONGEST
        && (text.contains('=') || !too_large)
        && !(too_large && text.starts_with('#'))
}

fn key_of(line: &str) -> String {
    line.split_once('=').map(|(key, _)| key.trim().to_lowercase()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Gathered;
    use crate::facts::example::{healthy, interpreters_of, venv_of};
    use crate::facts::interpreter::ProbeReport;
    use crate::parse::pyvenv_cfg;

    fn with_config(bytes: &[u8]) -> Facts {
        let mut facts = healthy();
        venv_of(&mut facts).config = Gathered::Known(pyvenv_cfg::parse(bytes));
        facts
    }

    fn written(finding: &Finding) -> Vec<String> {
        let Action::WriteLines { lines, .. } = &finding.remedies[0].actions[1] else { panic!("{finding:?}") };
        lines.iter().map(|line| String::from_utf8(line.as_bytes().to_vec()).unwrap()).collect()
    }

    #[test]
    fn fires_when_powershell_wrote_it() {
        let mut bytes = b"\xff\xfe".to_vec();
        for unit in
            "home = /usr/bin\r\ninclude-system-site-packages = false\r\nversion = 3.11.2\r\n".encode_utf16()
        {
            bytes.extend_from_slice(&unit.to_le_bytes());
        }
        let found = CHECK.findings(&with_config(&bytes));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].message.contains("UTF-16"));
        assert_eq!(
            written(&found[0]),
            ["home = /usr/bin", "include-system-site-packages = false", "version = 3.11.2"]
        );
    }

    #[test]
    fn fires_when_a_comment_is_not_utf8() {
        let text = b"# caf\xe9\nhome = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n";
        let found = CHECK.findings(&with_config(text));
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(found[0].subject.line_number(), Some(1));
        assert_eq!(written(&found[0]).len(), 3, "the comment goes");
    }

    #[test]
    fn fires_when_it_is_empty() {
        let found = CHECK.findings(&with_config(b""));
        assert_eq!(found.len(), 1, "one finding for both keys");
        assert_eq!(found[0].severity, Severity::Warning, "a link starts without home");
        assert_eq!(found[0].evidence.len(), 2);
        assert_eq!(
            written(&found[0]),
            ["home = /usr/bin", "include-system-site-packages = false", "version = 3.11.2"]
        );
    }

    #[test]
    fn fires_when_it_may_not_be_read() {
        let mut facts = healthy();
        venv_of(&mut facts).config_error = Some(FileError::Denied);
        let found = CHECK.findings(&facts);
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].remedies[0].summary.contains("readable"));
    }

    #[test]
    fn fires_when_a_copy_dies_of_a_quoted_home() {
        let mut facts =
            with_config(b"home = \"/usr/bin\"\ninclude-system-site-packages = false\nversion = 3.11.2\n");
        for interpreter in interpreters_of(&mut facts) {
            interpreter.links.hops.truncate(1);
            interpreter.prefix_usable = Some(false);
        }
        assert_eq!(CHECK.findings(&facts)[0].severity, Severity::Error);
    }

    #[test]
    fn fires_when_yes_was_meant_to_be_true() {
        let found = CHECK.findings(&with_config(
            b"home = /usr/bin\ninclude-system-site-packages = yes\nversion = 3.11.2\n",
        ));
        assert_eq!(found[0].severity, Severity::Warning);
        assert!(written(&found[0]).contains(&"include-system-site-packages = true".to_owned()));
    }

    #[test]
    fn quiet_about_unknown_keys_comments_and_blank_lines() {
        let text =
            b"# made by hand\n\nhome = /usr/bin\ninclude-system-site-packages = false\nflavour = vanilla\n";
        assert_eq!(CHECK.findings(&with_config(text)), []);
    }

    #[test]
    fn quiet_about_a_byte_order_mark_that_hides_nothing() {
        let text = b"\xef\xbb\xbf# comment\nhome = /usr/bin\ninclude-system-site-packages = false\n";
        assert_eq!(CHECK.findings(&with_config(text)), []);
    }

    #[test]
    fn no_warning_about_a_byte_order_mark_before_home() {
        let text = b"\xef\xbb\xbfhome = /usr/bin\ninclude-system-site-packages = false\n";
        let found = CHECK.findings(&with_config(text));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Info);
    }

    #[test]
    fn quiet_when_site_has_read_it() {
        let mut facts = with_config(
            b"# caf\xe9\nhome = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n",
        );
        interpreters_of(&mut facts).for_each(|interpreter| {
            interpreter.probe =
                Probe::Answered(Box::new(ProbeReport { isolated: false, ..Default::default() }));
        });
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_what_every_creator_writes_is_there() {
        assert_eq!(CHECK.findings(&healthy()), []);
    }
}
