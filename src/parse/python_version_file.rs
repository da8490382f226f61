//! `.python-version`: the Python that pyenv and uv take for a directory. They read it differently.

use serde::{Deserialize, Serialize};

use super::lines;
use crate::path::readable;

/// pyenv looks at so much (`libexec/pyenv-version-file-read`).
const READ_LIMIT: usize = 64 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PythonVersionFile {
    pub requests: Vec<VersionRequest>,
    /// A byte order mark precedes the first request, and becomes a part of it for pyenv.
    pub byte_order_mark: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRequest {
    /// From 1.
    pub line: usize,
    /// The whole line without blanks around it and without a comment at its end: what uv asks for.
    pub text: String,
    /// The words: pyenv looks for the first alone.
    pub words: Vec<String>,
}

impl VersionRequest {
    /// Whether pyenv can understand it: one word that is a version, a prefix of one, `system`, or the name of
    /// an environment. Ranges and uv's `cpython-3.12.1` are neither.
    pub fn is_for_pyenv(&self) -> bool {
        match self.words.as_slice() {
            [word] => {
                !word.contains(['<', '>', '=', '~', '!', '*', ',', '/', '\\', '@'])
                    && !word.starts_with("cpython-")
                    && !word.starts_with("..")
            }
            _ => false,
        }
    }

    /// `3`, `3.12` or `3.12.1`, also behind `python-` or `cpython-`: major, minor, patch.
    pub fn version(&self) -> Option<(u32, Option<u32>, Option<u32>)> {
        let word = self.words.first()?;
        let stems = ["cpython-", "cpython@", "cpython", "python-", "python"];
        let bare = stems.iter().find_map(|stem| word.strip_prefix(stem)).unwrap_or(word);
        let mut numbers = bare.split('.').map(|part| part.parse::<u32>());
        let major = numbers.next()?.ok()?;
        let minor = numbers.next().transpose().ok()?;
        let patch = numbers.next().transpose().ok()?;
        numbers.next().is_none().then_some((major, minor, patch))
    }
}

/// Blank lines and comments (`#`) are none.
pub fn parse(bytes: &[u8]) -> PythonVersionFile {
    let bytes = bytes.get(..READ_LIMIT).unwrap_or(bytes);
    let byte_order_mark = bytes.starts_with(b"\xef\xbb\xbf");
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let requests = lines(bytes).filter_map(|(line, bytes)| {
        let text = readable(bytes);
        let text = text.split('#').next().unwrap_or_default().trim();
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        (!words.is_empty()).then(|| VersionRequest { line, text: text.to_owned(), words })
    });
    PythonVersionFile { requests: requests.collect(), byte_order_mark }
}

impl PythonVersionFile {
    /// The version that `python` is: both take the first, pyenv only offers the others' commands.
    pub fn first(&self) -> Option<&VersionRequest> {
        self.requests.first()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> VersionRequest {
        parse(text.as_bytes()).first().unwrap().clone()
    }

    #[test]
    fn reads_requests() {
        let file = parse(b"# ours\n\n3.12.1\r\n  3.11 # old\n");
        assert_eq!(file.requests.len(), 2);
        assert_eq!(file.first().map(|request| (request.line, request.text.as_str())), Some((3, "3.12.1")));
        assert_eq!(first("3.12.1").version(), Some((3, Some(12), Some(1))));
        assert_eq!(first("cpython-3.12").version(), Some((3, Some(12), None)));
        assert_eq!(first("3").version(), Some((3, None, None)));
        assert_eq!(first("pypy3.10").version(), None);
        assert!(parse(b"\xef\xbb\xbf3.12").byte_order_mark);
    }

    #[test]
    fn knows_what_pyenv_understands() {
        for good in ["3.12", "3.12.1", "system", "myenv", "pypy3.10-7.3.12", "3.13.0t"] {
            assert!(first(good).is_for_pyenv(), "{good}");
        }
        for bad in ["3.12 3.11", ">=3.12", "cpython-3.12.1", "3.12.*", "/usr/bin/python3"] {
            assert!(!first(bad).is_for_pyenv(), "{bad}");
        }
    }

    #[test]
    fn survives_anything() {
        assert_eq!(parse(b"").first(), None);
        for seed in 0..100 {
            for request in parse(&crate::parse::noise(seed, 200)).requests {
                let _ = (request.version(), request.is_for_pyenv());
            }
        }
    }
}
