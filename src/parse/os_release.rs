//! `/etc/os-release`: which Linux this is (os-release(5)).

use serde::{Deserialize, Serialize};

use super::lines;
use super::shell_word::{Dialect, first_word};
use crate::path::readable;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OsRelease {
    /// `debian`; `linux` where the file does not say.
    pub id: String,
    /// What it derives from, nearest first.
    pub id_like: Vec<String>,
    pub version_id: Option<String>,
}

impl OsRelease {
    /// Whether it is, or derives from, `id`.
    pub fn is_like(&self, id: &str) -> bool {
        self.id == id || self.id_like.iter().any(|like| like == id)
    }
}

pub fn parse(bytes: &[u8]) -> OsRelease {
    const READ_LIMIT: usize = 64 * 1024;
    let bytes = bytes.get(..READ_LIMIT).unwrap_or(bytes);
    let mut release = OsRelease { id: "linux".to_owned(), ..OsRelease::default() };
    for (_, line) in lines(bytes) {
        let line = line.trim_ascii();
        let Some(at) = line.iter().position(|byte| *byte == b'=') else { continue };
        let (key, value) = line.split_at(at);
        let word = value.get(1..).and_then(|value| first_word(value, Dialect::Posix));
        let Some(value) = word.map(|word| readable(&word.bytes).into_owned()) else { continue };
        match key {
            b"ID" => release.id = value,
            b"ID_LIKE" => release.id_like = value.split_ascii_whitespace().map(str::to_owned).collect(),
            b"VERSION_ID" => release.version_id = Some(value),
            _ => {}
        }
    }
    release
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_quoted_and_bare_values() {
        let release =
            parse(b"NAME=\"Ubuntu\"\n# ID=no\nID=ubuntu\nID_LIKE=\"debian x\"\nVERSION_ID='24.04'\n");
        assert_eq!(release.id, "ubuntu");
        assert_eq!(release.version_id.as_deref(), Some("24.04"));
        assert!(release.is_like("debian") && release.is_like("ubuntu") && !release.is_like("fedora"));
    }

    #[test]
    fn survives_anything() {
        assert_eq!(parse(b"").id, "linux");
        assert_eq!(parse(b"ID=\nID='open\n=\n").id, "linux");
        for seed in 0..100 {
            parse(&crate::parse::noise(seed, 300));
        }
    }
}
