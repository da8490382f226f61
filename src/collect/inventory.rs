//! What is installed, in the words that an installer needs to install it again. Read from metadata,
//! without the interpreter.

use serde::Deserialize;

use crate::facts::environment::Environment;
use crate::host::Files;
use crate::path::{Flavour, HostPath};

const URL_LIMIT: usize = 64 * 1024;

/// `direct_url.json` (PEP 610).
#[derive(Deserialize)]
struct DirectUrl {
    url: String,
    #[serde(default)]
    dir_info: Option<DirectoryInfo>,
    #[serde(default)]
    vcs_info: Option<VcsInfo>,
}

#[derive(Deserialize)]
struct DirectoryInfo {
    #[serde(default)]
    editable: bool,
}

#[derive(Deserialize)]
struct VcsInfo {
    vcs: String,
    commit_id: String,
}

/// Where a distribution came from, by its `direct_url.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The source directory of an editable install.
    pub editable: Option<String>,
    /// As a requirement names it, where it is no editable install.
    pub url: Option<String>,
}

/// Reads a `direct_url.json`.
pub fn origin(bytes: &[u8]) -> Option<Origin> {
    let direct: DirectUrl = serde_json::from_slice(bytes).ok()?;
    let local = direct.url.strip_prefix("file://").map(decoded);
    Some(match (local, direct.dir_info.as_ref().is_some_and(|info| info.editable)) {
        (Some(path), true) => Origin { editable: Some(path), url: None },
        _ => Origin { editable: None, url: Some(requirement_url(&direct)) },
    })
}

/// Adds where each distribution came from and whether it was asked for.
pub fn complete(files: &dyn Files, environment: &mut Environment) {
    for installed in &mut environment.installed {
        installed.requested = files.exists(&installed.metadata.join("REQUESTED"));
        let origin = installed.metadata.join("direct_url.json");
        let Some(direct) = files
            .read(&origin, URL_LIMIT)
            .ok()
            .and_then(|contents| serde_json::from_slice::<DirectUrl>(&contents.bytes).ok())
        else {
            continue;
        };
        let local = direct.url.strip_prefix("file://").map(decoded);
        match (&local, direct.dir_info.as_ref().is_some_and(|info| info.editable)) {
            (Some(path), true) => installed.editable = Some(path.clone()),
            _ => installed.direct_url = Some(requirement_url(&direct)),
        }
        if let (Some(path), Some(true)) = (local, direct.dir_info.map(|info| info.editable))
            && let Some(source) = HostPath::new(Flavour::Posix, path)
            && !files.exists(&source)
        {
            environment.missing_sources.push((source, origin));
        }
    }
}

/// `git+https://host/x@commit`, or the URL itself; credentials are left out.
fn requirement_url(direct: &DirectUrl) -> String {
    let url = without_credentials(&direct.url);
    match &direct.vcs_info {
        Some(info) => format!("{}+{url}@{}", info.vcs, info.commit_id),
        None => url,
    }
}

fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority_end = rest.find('/').unwrap_or(rest.len());
    match rest[..authority_end].rfind('@') {
        // `git@host` is a user's name that everybody shares, not a secret
        Some(at) if &rest[..at] != "git" => format!("{scheme}://{}", &rest[at + 1..]),
        _ => url.to_owned(),
    }
}

/// `%20` and its like, as `file:` URLs write them.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hexadecimal = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match hexadecimal.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_their_credentials_only() {
        assert_eq!(without_credentials("https://me:secret@host/x?a=b"), "https://host/x?a=b");
        assert_eq!(without_credentials("ssh://git@host/x"), "ssh://git@host/x");
        assert_eq!(without_credentials("https://host/a@b"), "https://host/a@b");
        assert_eq!(without_credentials("nonsense"), "nonsense");
    }

    #[test]
    fn percent_signs_are_decoded() {
        assert_eq!(decoded("/My%20Project/100%"), "/My Project/100%");
        assert_eq!(decoded("/caf%C3%A9"), "/café");
    }
}
