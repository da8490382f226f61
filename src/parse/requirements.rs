//! Requirements: one by one (PEP 508), and the lines of a requirements file as pip reads them.

use super::names::normalize_name;

/// A distribution that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Normalised by PEP 503.
    pub name: String,
    /// Behind a marker (`; python_version < "3.9"`), so that it may be left out.
    pub conditional: bool,
    pub extras: Vec<String>,
    /// As written, without parentheses; empty where any version will do, or one from a URL.
    pub specifier: String,
    pub marker: Option<String>,
    /// The URL behind the `@`.
    pub url: Option<String>,
    /// The name is that of the URL's `#egg=`.
    pub named_by_url: bool,
}

/// What a line of a requirements file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    Requirement(Requirement),
    /// `-r FILE`.
    Include(String),
    /// `-c FILE`.
    Constrain(String),
}

/// `name[extra] >= 1; marker`, `name @ url`. None: no requirement that has a name of its own, such as a
/// path or URL.
pub fn requirement(text: &str) -> Option<Requirement> {
    let text = text.trim();
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(text.len());
    let name = &text[..end];
    let bounded = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if !bounded(name.chars().next()) || !bounded(name.chars().next_back()) {
        return None;
    }
    let mut rest = text[end..].trim_start();
    let mut extras = Vec::new();
    if let Some(behind) = rest.strip_prefix('[') {
        let (inner, behind) = behind.split_once(']')?;
        extras.extend(inner.split(',').map(str::trim).filter(|extra| !extra.is_empty()).map(str::to_owned));
        rest = behind.trim_start();
    }
    // `dist/x.whl`, `git+https://...` and a drive letter are places, not names
    let starts_well = rest.is_empty() || rest.starts_with(['<', '>', '=', '!', '~', '(', ';', '@', ',']);
    starts_well.then(|| {
        let (version, marker) = split_marker(rest);
        let version = version.trim();
        let version = version.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(version);
        let url = version.strip_prefix('@');
        Requirement {
            name: normalize_name(name),
            conditional: marker.is_some(),
            extras,
            specifier: if url.is_some() { String::new() } else { version.trim().to_owned() },
            marker: marker.map(str::to_owned),
            url: url.map(|url| url.trim().to_owned()),
            named_by_url: false,
        }
    })
}

/// `git+https://example.org/x#egg=name[extra]&subdirectory=y`, as pip names what is not of the form `name @ url`
/// (`_egg_fragment`, `pip/_internal/models/link.py`).
fn egg(text: &str) -> Option<Requirement> {
    let (place, marker) = match text.split_once(" ;") {
        Some((place, marker)) => (place.trim(), Some(marker.trim())),
        None => (text.trim(), None),
    };
    let (url, fragment) = place.split_once('#').filter(|(url, _)| url.contains("://"))?;
    let (names, rest): (Vec<&str>, Vec<&str>) =
        fragment.split('&').partition(|part| part.starts_with("egg="));
    let name = names.first()?.strip_prefix("egg=")?;
    let url = if rest.is_empty() { url.to_owned() } else { format!("{url}#{}", rest.join("&")) };
    let marked = marker.map(|marker| format!("{name} ; {marker}"));
    let named = requirement(marked.as_deref().unwrap_or(name)).filter(|it| it.specifier.is_empty())?;
    Some(Requirement { url: Some(url), named_by_url: true, ..named })
}

/// The version or URL, and the marker behind the `;`, which a URL has a blank before.
fn split_marker(text: &str) -> (&str, Option<&str>) {
    let separator = if text.starts_with('@') { " ;" } else { ";" };
    match text.split_once(separator) {
        Some((version, marker)) if !marker.trim().is_empty() => (version, Some(marker.trim())),
        Some((version, _)) => (version, None),
        None => (text, None),
    }
}

/// The lines of a requirements file, each with its number: comments, `\` at an end and options handled
/// by pip's rules (`pip/_internal/req/req_file.py`). Other options are left out.
pub fn file(text: &str) -> Vec<(usize, Line)> {
    let mut found = Vec::new();
    let mut logical = String::new();
    let mut first = 1;
    for (line, number) in text.lines().zip(1..) {
        if logical.is_empty() {
            first = number;
        }
        // a comment starts the line or stands behind a blank
        let comment = line
            .match_indices('#')
            .find(|(at, _)| *at == 0 || line[..*at].ends_with([' ', '\t']))
            .map_or(line.len(), |(at, _)| at);
        match line[..comment].strip_suffix('\\') {
            Some(part) => logical.push_str(part),
            None => {
                logical.push_str(&line[..comment]);
                found.extend(logical_line(&logical).map(|line| (first, line)));
                logical.clear();
            }
        }
    }
    found.extend(logical_line(&logical).map(|line| (first, line)));
    found
}

fn logical_line(text: &str) -> Option<Line> {
    let text = text.trim();
    if let Some(option) = text.strip_prefix('-') {
        let valued = |long: &str, short: char| {
            let value = option.strip_prefix(long).or_else(|| option.strip_prefix(short))?;
            let value = value.trim_start_matches([' ', '\t', '=']).trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        return match (valued("-requirement", 'r'), valued("-constraint", 'c')) {
            (Some(file), _) => Some(Line::Include(file)),
            (None, Some(file)) => Some(Line::Constrain(file)),
            (None, None) => egg(&valued("-editable", 'e')?).map(Line::Requirement),
        };
    }
    // hashes and other options follow the requirement
    let text = text.split(" --").next().unwrap_or(text);
    requirement(text).or_else(|| egg(text)).map(Line::Requirement)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<String> {
        requirement(text).map(|requirement| requirement.name)
    }

    #[test]
    fn reads_names() {
        assert_eq!(name("Foo.Bar__baz[x,y]>=1").as_deref(), Some("foo-bar-baz"));
        assert_eq!(name("a @ https://example.org/a.whl").as_deref(), Some("a"));
        assert_eq!(name("six").as_deref(), Some("six"));
        assert!(!requirement("six==1").is_some_and(|found| found.conditional));
        assert!(requirement("six; sys_platform == 'win32'").is_some_and(|found| found.conditional));
    }

    #[test]
    fn reads_what_else_is_asked_for() {
        let full = requirement("a [x, y] (>=1, <2) ; python_version < '3.9'").unwrap();
        assert_eq!(
            (full.extras.as_slice(), full.specifier.as_str()),
            (&["x".to_owned(), "y".to_owned()][..], ">=1, <2")
        );
        assert_eq!(full.marker.as_deref(), Some("python_version < '3.9'"));
        let url = requirement("a @ https://example.org/a;b.whl ; os_name == 'nt'").unwrap();
        assert_eq!((url.specifier.as_str(), url.marker.as_deref()), ("", Some("os_name == 'nt'")));
        assert_eq!(requirement("six==1.16").map(|it| it.specifier).as_deref(), Some("==1.16"));
    }

    #[test]
    fn places_are_no_names() {
        for text in
            ["./dist/x.whl", "git+https://example.org/x", "https://x", "dist/x.whl", "C:\\x", "-", "é"]
        {
            assert_eq!(name(text), None, "{text}");
        }
    }

    #[test]
    fn a_url_keeps_where_it_leads_and_may_tell_the_name() {
        let url = |text: &str| match &file(text)[..] {
            [(1, Line::Requirement(it))] => (it.name.clone(), it.url.clone().unwrap_or_default()),
            _ => Default::default(),
        };
        let pair = |name: &str, url: &str| (name.to_owned(), url.to_owned());
        assert_eq!(url("core @ file:///libs/core ; x"), pair("core", "file:///libs/core"));
        assert_eq!(url("git+https://x/y@v1#egg=Core[a]"), pair("core", "git+https://x/y@v1"));
        assert_eq!(
            url("-e git+https://x/y#subdirectory=z&egg=core"),
            pair("core", "git+https://x/y#subdirectory=z")
        );
        for text in ["-e ./x#egg=core", "https://x/core.whl", "-e .", "git+https://x#egg="] {
            assert_eq!(url(text), pair("", ""), "{text}");
        }
    }

    #[test]
    fn reads_a_file_as_pip_does() {
        let text = "# six\n\nrequests==2 \\\n  --hash=sha256:00\n-r other.txt\n--requirement=more.txt\n\
                    -e .\n--index-url https://x\nurl#frag\nflask # web\n-c pins.txt\n";
        let requirement = |text: &str| Line::Requirement(super::requirement(text).unwrap());
        assert_eq!(
            file(text),
            [
                (3, requirement("requests==2")),
                (5, Line::Include("other.txt".into())),
                (6, Line::Include("more.txt".into())),
                (10, requirement("flask")),
                (11, Line::Constrain("pins.txt".into())),
            ]
        );
        assert_eq!(file("a\\"), [(1, requirement("a"))]);
    }
}
