//! Asking an interpreter about itself: one start, side by side with everything else.

use std::time::Duration;

use crate::facts::interpreter::{Probe, ProbeReport};
use crate::host::{Ending, Host, Invocation, Running};
use crate::path::{Flavour, HostPath, readable};

/// Hooks may print before the answer, so it stands behind this.
const SENTINEL: &str = "venv-doctor-probe:";
const OUTPUT_LIMIT: usize = 1 << 20;
/// So much of what a failed interpreter said is kept.
const SAID_LIMIT: usize = 4_000;

/// How far an interpreter may be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The shell itself would start it, or the user named it: started as it is.
    AsIs,
    /// Merely found: started with `-I -S`, so that nothing of the project is imported.
    Isolated,
}

/// An interpreter that was started, and is still to answer.
pub struct Asked<'a> {
    running: Running<'a>,
    trust: Trust,
    deadline: Duration,
}

/// Starts `interpreter` to say what it knows of itself. Entries of `PYTHONPATH` that are not absolute
/// are withheld: they would let the working directory's files run.
pub fn ask<'a>(host: &'a dyn Host, interpreter: &HostPath, trust: Trust, deadline: Duration) -> Asked<'a> {
    let program: String = include_str!("probe.py").lines().filter(|line| !line.starts_with('#')).fold(
        String::new(),
        |mut program, line| {
            program.push_str(line);
            program.push('\n');
            program
        },
    );
    let mut arguments: Vec<Vec<u8>> = Vec::new();
    if trust == Trust::Isolated {
        // -B: variables are ignored, the one that forbids compiled files among them
        arguments.extend([b"-I", b"-S", b"-B"].map(|flag| flag.to_vec()));
    }
    arguments.extend([b"-c".to_vec(), program.into_bytes(), SENTINEL.as_bytes().to_vec()]);
    let running = host.start(&Invocation {
        program: interpreter.clone(),
        arguments,
        environment: environment(host),
        // inherited: entering the working directory anew may be forbidden
        directory: None,
        deadline,
        output_limit: OUTPUT_LIMIT,
    });
    Asked { running, trust, deadline }
}

impl Asked<'_> {
    /// Waits for the answer.
    pub fn answer(self) -> Probe {
        let outcome = self.running.outcome();
        let stderr = shorten(&outcome.stderr);
        match outcome.ending {
            Ending::Exit(0) => answer(&outcome.stdout, stderr, self.trust),
            Ending::TimedOut => Probe::TimedOut { seconds: self.deadline.as_secs() },
            Ending::Exit(status) => Probe::Failed { ending: format!("exit status {status}"), stderr },
            Ending::Signal(signal) => Probe::Failed { ending: format!("signal {signal}"), stderr },
            Ending::NotStarted(why) => Probe::Failed { ending: format!("not started: {why}"), stderr },
        }
    }
}

fn answer(stdout: &[u8], stderr: String, trust: Trust) -> Probe {
    let text = String::from_utf8_lossy(stdout);
    let found = text
        .rfind(SENTINEL)
        .and_then(|at| text[at + SENTINEL.len()..].lines().next())
        .and_then(|line| serde_json::from_str::<ProbeReport>(&lone_surrogates_escaped(line)).ok());
    match found {
        Some(mut report) => {
            report.isolated = trust == Trust::Isolated;
            report.startup_messages = stderr;
            Probe::Answered(Box::new(report))
        }
        None => Probe::Garbled { stdout: shorten(stdout) },
    }
}

/// Python's spelling of a byte that is not UTF-8 (`\udcNN`, PEP 383) is no JSON for a strict reader: shown as
/// `\xNN`, as everywhere else.
fn lone_surrogates_escaped(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("\\udc") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let digits = from.get(4..6).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let pair = before.len() >= 6 && before[before.len() - 6..].starts_with("\\ud");
        match digits {
            Some(digits) if !pair => {
                out.push_str("\\\\x");
                out.push_str(digits);
                rest = &from[6..];
            }
            _ => {
                out.push_str("\\udc");
                rest = &from[4..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// What is left of a `PYTHONPATH` when the working directory must not be let in.
pub(super) fn without_relative_entries(value: &[u8], flavour: Flavour) -> Vec<u8> {
    let separator = flavour.list_separator();
    let kept: Vec<&[u8]> =
        value.split(|byte| *byte == separator).filter(|entry| flavour.is_absolute(entry)).collect();
    kept.join(&separator)
}

/// The doctor's own environment without what would change the answer, let the working directory in, or have
/// the interpreter write something.
fn environment(host: &dyn Host) -> Vec<(Vec<u8>, Vec<u8>)> {
    let flavour = host.platform().flavour();
    let mut variables = host.variables();
    for (name, value) in &mut variables {
        if name == b"PYTHONPATH" {
            *value = without_relative_entries(value, flavour);
        }
    }
    let changes_the_answer = |name: &[u8]| {
        matches!(
            name,
            b"PYTHONSTARTUP"
                | b"PYTHONINSPECT"
                | b"PYTHONVERBOSE"
                | b"PYTHONDEBUG"
                | b"PYTHONPROFILEIMPORTTIME"
                | b"PYTHONDUMPREFS"
                | b"PYTHONBREAKPOINT"
                | b"PYTHONFAULTHANDLER"
                | b"PYTHONMALLOCSTATS"
        )
    };
    let writes_or_reads_elsewhere = |name: &[u8]| {
        matches!(
            name,
            b"PYTHONPYCACHEPREFIX"
                | b"PYTHONPERFSUPPORT"
                | b"PYTHON_PERF_JIT_SUPPORT"
                | b"PYTHONDUMPREFSFILE"
                // coverage's start-up hook records what runs
                | b"COVERAGE_PROCESS_START"
                | b"COVERAGE_PROCESS_CONFIG"
        )
    };
    let empty_path = |name: &[u8], value: &[u8]| name == b"PYTHONPATH" && value.is_empty();
    variables.retain(|(name, value)| {
        !changes_the_answer(name) && !writes_or_reads_elsewhere(name) && !empty_path(name, value)
    });
    variables.push((b"PYTHONDONTWRITEBYTECODE".to_vec(), b"1".to_vec()));
    variables
}

fn shorten(bytes: &[u8]) -> String {
    let kept = bytes.get(..SAID_LIMIT).unwrap_or(bytes);
    readable(kept).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_answer_behind_what_hooks_print() {
        let said =
            format!("hello {SENTINEL}nonsense\n{SENTINEL}{{\"prefix\":\"/usr\",\"version\":[3,11,2]}}\n");
        let Probe::Answered(report) = answer(said.as_bytes(), "warned".into(), Trust::AsIs) else {
            panic!("no answer in {said}")
        };
        assert_eq!((report.prefix.as_str(), report.version.as_slice()), ("/usr", &[3, 11, 2][..]));
        assert_eq!(report.startup_messages, "warned");
    }

    #[test]
    fn garbage_is_garbled() {
        assert!(matches!(answer(b"hello", String::new(), Trust::AsIs), Probe::Garbled { .. }));
        let cut = format!("{SENTINEL}{{\"prefix\":");
        assert!(matches!(answer(cut.as_bytes(), String::new(), Trust::AsIs), Probe::Garbled { .. }));
    }

    #[test]
    fn bytes_that_are_not_utf8_stay_readable() {
        assert_eq!(lone_surrogates_escaped(r#""caf\udce9""#), r#""caf\\xe9""#);
        assert_eq!(lone_surrogates_escaped(r#""\ud83d\udc0d""#), r#""\ud83d\udc0d""#);
    }
}
