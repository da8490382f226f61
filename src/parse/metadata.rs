//! `METADATA` and `PKG-INFO`: headers in the manner of RFC 822 (PEP 241 and its successors; the core metadata
//! specifications), of which only those before the first empty line are read. `WHEEL` has the same form.

use std::borrow::Cow;

/// What a distribution says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    pub name: Option<String>,
    pub version: Option<String>,
    /// `Requires-Dist`, as written.
    pub requires: Vec<String>,
    pub requires_python: Option<String>,
    /// Whether the empty line (or the end of the file) was reached.
    pub complete: bool,
}

/// Reads the headers; `whole` says that nothing follows these bytes.
pub fn parse(bytes: &[u8], whole: bool) -> Metadata {
    const WANTED: [&str; 4] = ["Name", "Version", "Requires-Python", "Requires-Dist"];
    let (headers, ended) = headers(bytes, &WANTED);
    let mut metadata = Metadata { complete: ended || whole, ..Metadata::default() };
    for (name, value) in headers {
        // the first of a name counts, as for email.message.Message
        match WANTED.get(name).copied() {
            Some("Name") => {
                metadata.name.get_or_insert_with(|| text(&value));
            }
            Some("Version") => {
                metadata.version.get_or_insert_with(|| text(&value));
            }
            Some("Requires-Python") => {
                metadata.requires_python.get_or_insert_with(|| text(&value));
            }
            _ => metadata.requires.push(text(&value)),
        }
    }
    metadata
}

/// The values of one header, in order.
pub fn values(bytes: &[u8], wanted: &str) -> Vec<String> {
    headers(bytes, &[wanted]).0.into_iter().map(|(_, value)| text(&value)).collect()
}

/// `requires.txt` of an `.egg-info`: plain requirements, then `[extra]`, `[:marker]` and `[extra:marker]` sections.
pub fn egg_requires(text: &str) -> Vec<String> {
    let mut marker = String::new();
    let mut found = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let (extra, condition) = section.split_once(':').unwrap_or((section, ""));
            let parts: Vec<String> = [
                (!extra.is_empty()).then(|| format!("extra == \"{extra}\"")),
                (!condition.is_empty()).then(|| format!("({condition})")),
            ]
            .into_iter()
            .flatten()
            .collect();
            marker = parts.join(" and ");
        } else if marker.is_empty() {
            found.push(line.to_owned());
        } else {
            found.push(format!("{line} ; {marker}"));
        }
    }
    found
}

/// The index of its name among those that are wanted, and its value with its continued lines joined.
type Header<'a> = (usize, Cow<'a, [u8]>);

/// The headers of these names, and whether an empty line ended them all.
fn headers<'a>(bytes: &'a [u8], wanted: &[&str]) -> (Vec<Header<'a>>, bool) {
    let mut found: Vec<Header> = Vec::new();
    // most headers are others, which the first letter tells
    let mut begins = [false; 256];
    for first in wanted.iter().filter_map(|name| name.bytes().next()) {
        for first in [first.to_ascii_lowercase(), first.to_ascii_uppercase()] {
            begins[usize::from(first)] = true;
        }
    }
    let mut rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // whether a continued line goes on what was found last
    let mut open = false;
    loop {
        let end = memchr::memchr(b'\n', rest);
        let line = end.and_then(|end| rest.get(..end)).unwrap_or(rest);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line {
            [] => return (found, true),
            [b' ' | b'\t', ..] => {
                if let Some((_, value)) = found.last_mut().filter(|_| open) {
                    value.to_mut().push(b' ');
                    value.to_mut().extend_from_slice(line.trim_ascii());
                }
            }
            [first, ..] if !begins[usize::from(*first)] => open = false,
            _ => {
                let (name, value) = line.split_at(memchr::memchr(b':', line).unwrap_or(line.len()));
                let value = value.strip_prefix(b":").map(|value| Cow::Borrowed(value.trim_ascii()));
                let index = wanted.iter().position(|other| name.eq_ignore_ascii_case(other.as_bytes()));
                let header = index.zip(value);
                open = header.is_some();
                found.extend(header);
            }
        }
        match end {
            Some(end) => rest = rest.get(end + 1..).unwrap_or_default(),
            None => return (found, false),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    // what is valid, as nearly all is, is told sooner by this than by a conversion with loss
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_first_headers_only() {
        let text = b"Metadata-Version: 2.1\nName: Demo\nversion: 1.0\nRequires-Dist: six (>=1)\nLicense: MIT\n  more: text\n\trest\nRequires-Dist: a;\n python_version < '3'\nRequires-Python: >=3.8\n\nName: other\nRequires-Dist: no\n";
        let metadata = parse(text, false);
        assert_eq!(metadata.name.as_deref(), Some("Demo"));
        assert_eq!(metadata.version.as_deref(), Some("1.0"));
        assert_eq!(metadata.requires, ["six (>=1)", "a; python_version < '3'"]);
        assert_eq!(metadata.requires_python.as_deref(), Some(">=3.8"));
        assert!(metadata.complete);
        assert!(!parse(b"Name: x\nVer", false).complete);
        assert_eq!(values(b"Wheel-Version: 1.0\nTag: py3-none-any\nTag: py2-none-any\n", "tag").len(), 2);
    }

    #[test]
    fn reads_requires_txt() {
        let text = "six>=1\n\n[:python_version < \"3.8\"]\ntyping\n\n[dev]\npytest\n\n[dev:os_name == 'nt']\ncolorama\n";
        assert_eq!(
            egg_requires(text),
            [
                "six>=1",
                "typing ; (python_version < \"3.8\")",
                "pytest ; extra == \"dev\"",
                "colorama ; extra == \"dev\" and (os_name == 'nt')",
            ]
        );
    }

    #[test]
    fn survives_anything() {
        for seed in 0..200 {
            let noise = crate::parse::noise(seed, 200);
            parse(&noise, true);
            egg_requires(&String::from_utf8_lossy(&noise));
        }
    }
}
