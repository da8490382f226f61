//! The lines of a `.pth` file, as `addpackage` of `Lib/site.py` takes them.

/// What a line does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line<'a> {
    /// Joined to the directory of packages and put on the import path, where it exists.
    Path(&'a str),
    /// Executed at every start.
    Import(&'a str),
}

/// The lines that do something, numbered from 1. None: it is not UTF-8.
pub fn lines(bytes: &[u8]) -> Option<Vec<(usize, Line<'_>)>> {
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).ok()?;
    let mut found = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let stripped = line.trim_end();
        if line.starts_with('#') || stripped.is_empty() || stripped.contains('\0') {
            continue;
        }
        let import = line.starts_with("import ") || line.starts_with("import\t");
        found.push((number, if import { Line::Import(stripped) } else { Line::Path(stripped) }));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_paths_from_code() {
        let read = lines(b"# x\n\n/src \r\nimport a; a.install()\nimportant\n").unwrap();
        assert_eq!(
            read,
            [
                (3, Line::Path("/src")),
                (4, Line::Import("import a; a.install()")),
                (5, Line::Path("important"))
            ]
        );
        assert_eq!(lines(b"\xff\xfe"), None);
    }
}
