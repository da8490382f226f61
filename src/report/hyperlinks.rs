//! Paths that can be clicked, in terminals that have hyperlinks (OSC 8: an address in a pair of escape sequences).

use std::collections::BTreeMap;

use super::sanitize;
use super::text::Places;
use crate::diagnosis::{Diagnosis, Finding};
use crate::facts::Facts;
use crate::path::{Flavour, HostPath, encoded};

/// Whether the terminal shows hyperlinks, by the variables that terminals set. `FORCE_HYPERLINK` decides where it is
/// set; inside tmux and screen nobody knows what stands behind them.
pub fn shows(variable: &dyn Fn(&str) -> Option<String>) -> bool {
    if let Some(forced) = variable("FORCE_HYPERLINK") {
        return forced != "0";
    }
    let term = variable("TERM").unwrap_or_default();
    let multiplexed = variable("TMUX").is_some() || variable("STY").is_some();
    if multiplexed
        || term == "dumb"
        || term == "linux"
        || ["screen", "tmux"].iter().any(|name| term.starts_with(name))
    {
        return false;
    }
    let program = variable("TERM_PROGRAM").unwrap_or_default();
    let programs = ["iTerm.app", "WezTerm", "vscode", "Hyper", "ghostty", "rio", "Tabby", "zed"];
    let terms = ["xterm-kitty", "foot", "alacritty", "xterm-ghostty", "wezterm", "contour"];
    // libvte has them since 0.50
    let vte = variable("VTE_VERSION").and_then(|version| version.parse::<u32>().ok());
    programs.contains(&program.as_str())
        || terms.iter().any(|name| term.starts_with(name))
        || vte.is_some_and(|version| version >= 5000)
        || ["WT_SESSION", "KONSOLE_VERSION", "KITTY_WINDOW_ID", "ALACRITTY_WINDOW_ID", "DOMTERM"]
            .iter()
            .any(|name| variable(name).is_some())
}

/// The report with every known path as a link; lines to be pasted stay as they are.
pub fn linked(report: &str, facts: &Facts, diagnosis: &Diagnosis) -> String {
    let known = known(facts, diagnosis);
    report
        .split_inclusive('\n')
        .map(|line| if line.starts_with("      ") { line.to_owned() } else { link(line, &known) })
        .collect()
}

/// How a path is shown, and where it leads.
fn known(facts: &Facts, diagnosis: &Diagnosis) -> BTreeMap<String, String> {
    let mut paths: Vec<HostPath> = Vec::new();
    paths.extend(facts.environments.iter().map(|environment| environment.root.clone()));
    for interpreter in &facts.interpreters {
        paths.push(interpreter.path.clone());
        paths.extend(interpreter.links.hops.iter().cloned());
    }
    paths.extend(facts.commands.iter().filter_map(|command| Some(command.chosen()?.path.clone())));
    let mut waiting: Vec<&Finding> = diagnosis.findings.iter().collect();
    while let Some(finding) = waiting.pop() {
        paths.extend(finding.subject.path().cloned());
        paths.extend(finding.evidence.iter().filter_map(|evidence| place(&evidence.value)));
        waiting.extend(&finding.symptoms);
    }
    let places = Places::of(facts);
    let mut known = BTreeMap::new();
    for path in paths.iter().filter(|path| path.flavour() == Flavour::Posix && path.parent().is_some()) {
        let address = format!("file://{}", encoded(path.as_bytes()));
        let text = path.to_text();
        for shown in [sanitize::shown(&text), places.value(&text), places.prose(&text)] {
            // a bare name can be a word of the sentence
            if shown.contains(['/', '.']) {
                known.insert(shown, address.clone());
            }
        }
    }
    known
}

/// The file of `value (line 3 of /a/b)`.
fn place(value: &str) -> Option<HostPath> {
    let (_, place) = value.strip_suffix(')')?.rsplit_once(" of ")?;
    HostPath::new(Flavour::Posix, place)
}

fn link(line: &str, known: &BTreeMap<String, String>) -> String {
    let mut result = String::with_capacity(line.len());
    let mut rest = line;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let starts = before.is_whitespace() || "('\"".contains(before);
        let found = starts.then(|| longest(rest, known)).flatten();
        let length = match found {
            Some((shown, address)) => {
                result.push_str(&format!("\x1b]8;;{address}\x1b\\{shown}\x1b]8;;\x1b\\"));
                shown.len()
            }
            None => {
                result.push(first);
                first.len_utf8()
            }
        };
        before = rest[..length].chars().next_back().unwrap_or(first);
        rest = &rest[length..];
    }
    result
}

/// The longest known path that the text starts with, and that ends there.
fn longest<'a>(text: &str, known: &'a BTreeMap<String, String>) -> Option<(&'a String, &'a String)> {
    let ends = |shown: &str| {
        text[shown.len()..]
            .chars()
            .next()
            .is_none_or(|next| next.is_whitespace() || ",;:)'\"\x1b".contains(next))
    };
    known
        .iter()
        .filter(|(shown, _)| text.starts_with(shown.as_str()) && ends(shown))
        .max_by_key(|(shown, _)| shown.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{broken, human, options};

    fn with(variables: &[(&str, &str)]) -> bool {
        shows(&|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn terminals_are_known_by_their_variables() {
        assert!(with(&[("TERM", "xterm-256color"), ("VTE_VERSION", "7200")]));
        assert!(with(&[("TERM_PROGRAM", "WezTerm")]) && with(&[("TERM", "xterm-kitty")]));
        assert!(with(&[("TERM", "dumb"), ("FORCE_HYPERLINK", "1")]));
        assert!(!with(&[("TERM", "xterm-256color")]) && !with(&[]));
        assert!(!with(&[("VTE_VERSION", "4600")]) && !with(&[("TERM", "dumb"), ("VTE_VERSION", "7200")]));
        assert!(!with(&[("TMUX", "x"), ("VTE_VERSION", "7200")]));
        assert!(!with(&[("TERM_PROGRAM", "vscode"), ("FORCE_HYPERLINK", "0")]));
    }

    #[test]
    fn links_change_nothing_that_is_seen() {
        let (facts, diagnosis) = broken();
        let plain = human(&facts, &diagnosis, &options(100));
        let linked = linked(&plain, &facts, &diagnosis);
        let mut seen = String::new();
        for (index, part) in linked.split("\x1b]8;;").enumerate() {
            seen.push_str(if index == 0 { part } else { part.split_once("\x1b\\").unwrap().1 });
        }
        assert_eq!(seen, plain);
        assert!(
            linked.contains(
                "environment  \x1b]8;;file:///home/me/project/.venv\x1b\\~/project/.venv\x1b]8;;\x1b\\ ("
            ),
            "{linked}"
        );
        let pasted = |text: &str| {
            text.lines().filter(|line| line.starts_with("      ")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(pasted(&linked), pasted(&plain));
    }
}
