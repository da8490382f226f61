//! A scan for people: a table to look at, what is wrong with several at once, and the sums.

use std::io::{self, Write};

use super::Fleet;
use crate::diagnosis::fleet::{Group, Member, delete};
use crate::diagnosis::{Action, Remedy, Severity};
use crate::parse::pyvenv_cfg::Creator;
use crate::path::HostPath;
use crate::report::Dialect;
use crate::report::human::HumanOptions;
use crate::report::text::{Margin, Places, Styles, count, width, without_workflow_commands};

/// So many rows are shown unless more is asked for.
const ROWS: usize = 40;
/// So many environments of a group are named unless more is asked for.
const NAMED: usize = 20;
/// Columns of the bar.
const BAR: usize = 8;
const DAY: u64 = 86_400;
/// What the times of files can tell of use, and what they cannot.
const WHAT_USED_MEANS: &str = "\"used\" is the last start or install that the disk remembers: a service that has run since before counts as unused, and where the disk is mounted with noatime only installs count.";

/// Writes the report.
pub fn write(
    out: &mut dyn Write,
    fleet: &Fleet,
    dialect: &Dialect,
    options: &HumanOptions,
    home: Option<&HostPath>,
) -> io::Result<()> {
    let styles = Styles::new(options.color);
    let page = Page { fleet, dialect, options, styles, places: Places::of_home(home) };
    let mut text = page.table();
    text.extend(fleet.groups.iter().map(|group| page.group(group)));
    if fleet.chosen {
        text.push_str(&page.deletion());
    }
    text.push_str(&page.sums());
    out.write_all(without_workflow_commands(&text).as_bytes())
}

struct Page<'a> {
    fleet: &'a Fleet,
    dialect: &'a Dialect,
    options: &'a HumanOptions,
    styles: Styles,
    places: Places,
}

impl Page<'_> {
    fn table(&self) -> String {
        let members = &self.fleet.members;
        if members.is_empty() || self.options.quiet {
            return String::new();
        }
        let all = self.options.verbose > 0 || members.len() <= ROWS || self.fleet.chosen;
        let shown: Vec<&Member> = members.iter().take(if all { members.len() } else { ROWS }).collect();
        let sizes = members.iter().any(|member| member.cost.space.is_some());
        let largest = members.iter().filter_map(|member| member.cost.space).map(|space| space.total).max();
        let mut rows: Vec<Vec<String>> = Vec::with_capacity(shown.len());
        for member in &shown {
            rows.push(self.row(member, sizes, largest.unwrap_or(0)));
        }
        let mut titles = vec!["health", "python", "made by", "used"];
        if sizes {
            titles.extend(["size", ""]);
        }
        titles.push("environment");
        let columns: Vec<usize> = (0..titles.len())
            .map(|column| {
                let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell));
                cells.chain([width(titles[column])]).max().unwrap_or(0)
            })
            .collect();
        let line = |cells: &[String], paint: &dyn Fn(usize, String) -> String| {
            let last = cells.len().saturating_sub(1);
            let cells = cells.iter().zip(&columns).enumerate().map(|(index, (cell, columns))| {
                let fill = if index == last { 0 } else { columns.saturating_sub(width(cell)) };
                paint(index, format!("{cell}{}", " ".repeat(fill)))
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
        };
        let titles: Vec<String> = titles.into_iter().map(str::to_owned).collect();
        let mut text = line(&titles, &|_, cell| self.styles.faint(cell));
        for (member, row) in shown.iter().zip(&rows) {
            text += &line(row, &|index, cell| match (index, member.worst()) {
                (0, Some(severity)) => self.styles.severity(severity, cell),
                (0, None) => self.styles.good(cell),
                _ => cell,
            });
        }
        if shown.len() < members.len() {
            let more = format!("... and {} more (-v shows them)\n", members.len() - shown.len());
            text += &self.styles.faint(more);
        }
        text + "\n"
    }

    fn row(&self, member: &Member, sizes: bool, largest: u64) -> Vec<String> {
        let made_by = made_by(member);
        let used = member.cost.used.map_or_else(|| "?".to_owned(), |used| age(self.fleet.now, used));
        let version = member.version.clone().unwrap_or_else(|| "?".to_owned());
        let mut row = vec![health(member).to_owned(), version, self.places.value(&made_by), used];
        if sizes {
            let total = member.cost.space.map(|space| space.total);
            row.push(total.map_or_else(|| "?".to_owned(), bytes));
            row.push(bar(total.unwrap_or(0), largest, self.options.unicode));
        }
        row.push(self.places.value(&member.root.to_text()));
        row
    }

    fn group(&self, group: &Group) -> String {
        let label = self.styles.severity(group.severity, group.severity.label());
        let message = self.places.value(&group.message);
        let check = format!(" [{}]", group.check);
        let first = group.severity.label().len() + 2;
        let mut text = Margin::new(format!("{label}: "), first, 2)
            .paragraph(&format!("{message}{check}"), self.options.width);
        if self.options.quiet {
            return text;
        }
        let members: Vec<&Member> =
            group.members.iter().filter_map(|index| self.fleet.members.get(*index)).collect();
        let named = match (self.options.verbose, group.severity) {
            (1.., _) => members.len(),
            (0, Severity::Info) => NAMED / 5,
            (0, _) => NAMED,
        };
        for member in members.iter().take(named) {
            text += &format!("  {}\n", self.places.value(&member.root.to_text()));
        }
        if members.len() > named {
            text += &self.styles.faint(format!("  ... and {} more (-v names them)\n", members.len() - named));
        }
        for remedy in &group.remedies {
            text += &self.remedy("Fix", remedy);
        }
        if group.severity > Severity::Info {
            text += &self.cures(group, &members);
        }
        text +=
            &format!("  More: {}\n\n", self.styles.command(format!("venv-doctor explain {}", group.check)));
        text
    }

    /// The remedy of one environment for each tool that made some of them.
    fn cures(&self, group: &Group, members: &[&Member]) -> String {
        let mut text = String::new();
        let mut told: Vec<String> = Vec::new();
        for member in members {
            let finding = member.findings.iter().find(|finding| finding.check == group.check);
            let Some(remedy) = finding.and_then(|finding| finding.remedies.first()) else { continue };
            let tool = made_by(member);
            if told.contains(&tool) {
                continue;
            }
            let or = if group.remedies.is_empty() { "Fix" } else { "Or" };
            let title = match members.len() {
                1 => or.to_owned(),
                _ => format!("{or} for each of {}, such as this", self.places.value(&tool)),
            };
            text += &self.remedy(&title, remedy);
            told.push(tool);
        }
        text
    }

    fn remedy(&self, title: &str, remedy: &Remedy) -> String {
        let summary = self.places.value(&remedy.summary);
        let mut text = Margin::spaces(2).paragraph(&format!("{title}: {summary}"), self.options.width);
        for command in self.dialect.commands(remedy) {
            text += &format!("      {}\n", self.styles.command(command));
        }
        text
    }

    /// What would delete those that were chosen.
    fn deletion(&self) -> String {
        if self.fleet.members.is_empty() || self.options.quiet {
            return String::new();
        }
        let members = &self.fleet.members;
        let mut text = self.deleting(members.iter().filter_map(delete).collect());
        for member in members {
            if let Some(spared) = member.spared() {
                let root = self.places.value(&member.root.to_text());
                text += &format!("  {root}: not offered: {}\n", spared.reason());
            }
        }
        text + "\n"
    }

    /// The commands, below what has to be known before one of them is pasted.
    fn deleting(&self, actions: Vec<Action>) -> String {
        let what = match actions.len() {
            0 => return String::new(),
            1 => "this environment".to_owned(),
            number => format!("these {number} environments"),
        };
        let mut text = format!("To delete {what}, once you have read the list (nothing was deleted):\n");
        text += &Margin::spaces(2).paragraph(WHAT_USED_MEANS, self.options.width);
        for command in self.dialect.commands(&Remedy::review("", actions)) {
            text += &format!("      {}\n", self.styles.command(command));
        }
        text
    }

    fn sums(&self) -> String {
        let fleet = self.fleet;
        let mut parts = vec![match fleet.members.len() == fleet.found {
            true => count(fleet.found, "environment"),
            false => format!("{} of {}", fleet.members.len(), count(fleet.found, "environment")),
        }];
        let severities = [
            (Some(Severity::Error), "with errors"),
            (Some(Severity::Warning), "with warnings"),
            (Some(Severity::Info), "worth a look"),
            (None, "healthy"),
        ];
        for (severity, label) in severities {
            let number = fleet.count(severity);
            if number > 0 {
                parts.push(format!("{number} {label}"));
            }
        }
        parts.extend(fleet.space.map(|space| format!("{} on the disk", bytes(space))));
        let mut text = self.styles.strong(parts.join(", ")) + "\n";
        if let Some(waste) = fleet.waste {
            let least = if waste.complete { "" } else { "at least " };
            text += &format!(
                "{least}{} of that in {} with the same contents as another (clones that share their blocks count, too)\n",
                bytes(waste.bytes),
                count(usize::try_from(waste.files).unwrap_or(usize::MAX), "file")
            );
        }
        if fleet.unreadable > 0 {
            let number = fleet.unreadable;
            let noun = if number == 1 { "directory" } else { "directories" };
            text += &format!("{number} {noun} could not be read");
            text += &fleet.unread.first().map_or_else(String::new, |(path, error)| {
                format!(
                    ": {}: {error}{}",
                    self.places.value(&path.to_text()),
                    if number > 1 { "..." } else { "" }
                )
            });
            text.push('\n');
        }
        if !fleet.complete {
            text += "Interrupted: this is what was known by then\n";
        }
        let seen = format!(
            "{} looked at below {}\n",
            match fleet.directories {
                1 => "1 directory".to_owned(),
                number => format!("{number} directories"),
            },
            match fleet.roots.as_slice() {
                [one] => self.places.value(&one.to_text()),
                several => count(several.len(), "place"),
            }
        );
        text + &self.styles.faint(seen)
    }
}

/// The tool that keeps it, else the one that made it, else what it is.
fn made_by(member: &Member) -> String {
    match (member.keeper, &member.creator) {
        (Some(keeper), _) => keeper.label().to_owned(),
        (None, Some(Creator::Venv)) => "venv".to_owned(),
        (None, Some(Creator::Virtualenv { .. })) => "virtualenv".to_owned(),
        (None, Some(Creator::Uv { .. })) => "uv".to_owned(),
        (None, Some(Creator::Unknown) | None) => kind(member).to_owned(),
    }
}

fn kind(member: &Member) -> &'static str {
    use crate::facts::environment::EnvironmentKind;
    match member.kind {
        EnvironmentKind::Venv => "venv",
        EnvironmentKind::Remains => "remains",
        EnvironmentKind::LegacyVirtualenv => "virtualenv",
        EnvironmentKind::Conda => "conda",
        EnvironmentKind::Installation => "installation",
        EnvironmentKind::Missing | EnvironmentKind::Other => "?",
    }
}

fn health(member: &Member) -> &'static str {
    member.worst().map_or("healthy", Severity::label)
}

/// `812 B`, `1.2 MB`, `34 GB`: powers of 1000, as disks are sold and `du --si` counts.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if number < 1000 {
        return format!("{number} B");
    }
    let mut amount = number as f64 / 1000.0;
    let mut unit = 0;
    while amount >= 999.5 && unit + 1 < UNITS.len() {
        amount /= 1000.0;
        unit += 1;
    }
    if amount < 9.95 {
        format!("{amount:.1} {}", UNITS[unit])
    } else {
        format!("{amount:.0} {}", UNITS[unit])
    }
}

/// How long ago: `today`, `3 d`, `5 mo`, `2 y`.
fn age(now: u64, then: u64) -> String {
    match now.saturating_sub(then) / DAY {
        0 => "today".to_owned(),
        days @ 1..60 => format!("{days} d"),
        days @ 60..730 => format!("{} mo", days / 30),
        days => format!("{} y", days / 365),
    }
}

/// A bar as long as the part of the largest.
fn bar(part: u64, largest: u64, unicode: bool) -> String {
    let eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let steps = if unicode { BAR * 8 } else { BAR };
    let filled = (part as f64 / largest.max(1) as f64 * steps as f64).round() as usize;
    let filled = filled.min(steps).max(usize::from(part > 0));
    match unicode {
        true => "█".repeat(filled / 8) + eighths[filled % 8],
        false => "#".repeat(filled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::diagnosis::fleet::example;
    use crate::facts::environment::EnvironmentKind;
    use crate::facts::platform::System;

    fn member(root: &str, kind: EnvironmentKind) -> Member {
        example::member(root, kind, None)
    }

    fn told(members: Vec<Member>, chosen: bool) -> String {
        let fleet = Fleet {
            roots: vec![HostPath::posix("/")],
            found: members.len(),
            members,
            groups: Vec::new(),
            directories: 1,
            entries: 1,
            unreadable: 0,
            unread: Vec::new(),
            complete: true,
            now: 0,
            space: None,
            waste: None,
            chosen,
        };
        let options = HumanOptions { width: 80, color: false, verbose: 0, quiet: false, unicode: true };
        let mut out = Vec::new();
        write(&mut out, &fleet, &Dialect::new(None, System::Linux), &options, None).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_not_offered_is_told_with_its_reason() {
        let all = || {
            let (venv, usr) = (EnvironmentKind::Venv, EnvironmentKind::Installation);
            vec![member("/w/.venv", venv), member("/usr", usr), member("/opt/python", usr)]
        };
        let said = told(all(), true);
        assert!(
            said.contains("To delete this environment,") && said.contains("rm -rf -- /w/.venv\n"),
            "{said}"
        );
        assert_eq!(said.matches("rm -rf").count(), 1, "{said}");
        assert!(said.contains("  /usr: not offered: it holds more than a Python\n"), "{said}");
        assert!(said.contains("  /opt/python: not offered: an installed Python\n"), "{said}");
        assert!(said.find("noatime") < said.find("rm -rf"), "{said}");
        let none = told(all().split_off(1), true);
        assert!(!none.contains("To delete") && !none.contains("noatime"), "{none}");
        assert!(none.contains("/usr: not offered"), "{none}");
        let unchosen = told(all(), false);
        assert!(!unchosen.contains("rm -rf") && !unchosen.contains("not offered"), "{unchosen}");
    }

    #[test]
    fn bytes_have_two_digits() {
        let shown: Vec<String> =
            [0, 999, 1000, 9_949, 9_960, 999_400, 999_600, 1_500_000_000].map(bytes).to_vec();
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "9.9 kB", "10 kB", "999 kB", "1.0 MB", "1.5 GB"]);
    }

    #[test]
    fn bars_are_in_proportion() {
        assert_eq!(bar(100, 100, true), "████████");
        assert_eq!(bar(1, 1000, true), "▏");
        assert_eq!(bar(0, 1000, true), "");
        assert_eq!(bar(50, 100, false), "####");
        assert_eq!(bar(5, 0, false), "########");
    }

    #[test]
    fn ages_are_told_in_the_largest_unit() {
        let told: Vec<String> =
            [0, 1, 59, 60, 729, 730].map(|days| age(1000 * DAY, (1000 - days) * DAY)).to_vec();
        assert_eq!(told, ["today", "1 d", "59 d", "2 mo", "24 mo", "2 y"]);
    }
}
