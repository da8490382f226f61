//! pip's configuration files, as Python's `configparser.RawConfigParser` reads them.

/// A setting, as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub line: usize,
    pub section: String,
    /// In lower case, with `-` for `_` and without leading dashes, as pip compares them (`_normalize_name`).
    pub key: String,
    /// Several lines are joined by a line break.
    pub value: String,
    /// It ends on its line, and its name stands there in lower case and without leading dashes.
    pub plain: bool,
}

/// Reads every `key = value` and `key: value` below a `[section]`; lines that follow indented belong to the value
/// above. What `configparser` would refuse is skipped.
pub fn parse(bytes: &[u8]) -> Vec<Setting> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut settings: Vec<Setting> = Vec::new();
    let mut section: Option<String> = None;
    let mut continues = false;
    for (index, raw) in text.lines().enumerate() {
        let line = raw.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if raw.starts_with([' ', '\t']) && continues {
            if let Some(last) = settings.last_mut() {
                if !last.value.is_empty() {
                    last.value.push('\n');
                }
                last.value.push_str(line);
                last.plain = false;
            }
            continue;
        }
        continues = false;
        if let Some(rest) = line.strip_prefix('[') {
            section = rest.split_once(']').map(|(name, _)| name.to_owned());
            continue;
        }
        let Some(section) = &section else { continue };
        let Some(at) = line.find(['=', ':']) else { continue };
        let key = line[..at].trim();
        if key.is_empty() {
            continue;
        }
        settings.push(Setting {
            line: index + 1,
            section: section.clone(),
            key: normalized(key),
            value: line[at + 1..].trim().to_owned(),
            plain: !key.starts_with('-') && key.to_lowercase() == key,
        });
        continues = true;
    }
    settings
}

/// `Break_System_Packages` as `break-system-packages`.
pub fn normalized(key: &str) -> String {
    let key = key.to_lowercase().replace('_', "-");
    key.strip_prefix("--").unwrap_or(&key).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String, String, usize)> {
        parse(text.as_bytes()).into_iter().map(|it| (it.section, it.key, it.value, it.line)).collect()
    }

    #[test]
    fn reads_sections_keys_and_both_separators() {
        let text = "# mine\n[global]\nTarget = /home/me/pylib\nindex-url: https://host/simple\n\n[install]\nno_deps=1\n";
        let expected = [
            ("global", "target", "/home/me/pylib", 3),
            ("global", "index-url", "https://host/simple", 4),
            ("install", "no-deps", "1", 7),
        ];
        let expected: Vec<_> =
            expected.iter().map(|(s, k, v, n)| ((*s).into(), (*k).into(), (*v).into(), *n)).collect();
        assert_eq!(read(text), expected);
    }

    #[test]
    fn indented_lines_belong_to_the_value_above() {
        let text = "[global]\nfind-links =\n    /a\n    /b\nuser = yes\n";
        let found = read(text);
        assert_eq!(found[0].2, "/a\n/b");
        assert_eq!((found[1].1.as_str(), found[1].3), ("user", 5));
    }

    #[test]
    fn plain_is_what_stands_on_one_line_in_lower_case() {
        let text =
            "[global]\ntarget =\n    /a\nno_deps = 1\nTarget = /b\n--user = yes\nroot = /c\n  # more\n  /d\n";
        let plain: Vec<_> = parse(text.as_bytes()).into_iter().map(|it| (it.line, it.plain)).collect();
        assert_eq!(plain, [(2, false), (4, true), (5, false), (6, false), (7, false)]);
    }

    #[test]
    fn nonsense_is_skipped() {
        assert!(read("target = /x\nno section\n[").is_empty());
        assert!(parse(b"[global]\n\xff\xfe\n= x\n\x00").is_empty());
    }
}
