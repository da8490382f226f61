//! What is installed, by the names in a site-packages directory alone.

use serde::{Deserialize, Serialize};

use crate::path::readable;

/// A distribution's metadata, by its directory's (or file's) name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InstalledName {
    /// As it stands there.
    pub name: String,
    /// By [`normalize_name`].
    pub normalized: String,
    pub version: Option<String>,
    pub form: MetadataForm,
    /// The entry itself.
    pub entry: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetadataForm {
    /// `NAME-VERSION.dist-info` (PEP 376, PEP 427).
    DistInfo,
    /// `NAME-VERSION[-pyX.Y[-PLATFORM]].egg-info`, also without a version.
    EggInfo,
    /// `NAME-VERSION[-pyX.Y].egg`
    Egg,
    /// `NAME.egg-link` of `setup.py develop`.
    EggLink,
}

/// A listing's distributions, and what pip left behind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Installed {
    pub distributions: Vec<InstalledName>,
    /// `~name`: pip renames before it removes, and an interrupted removal (on Windows, a file in use) leaves
    /// that (`AdjacentTempDirectory`, pip `_internal/utils/temp_dir.py`).
    pub leftovers: Vec<String>,
}

/// In the order of the listing.
pub fn installed(entries: &[Vec<u8>]) -> Installed {
    let mut installed = Installed::default();
    for entry in entries {
        if entry.starts_with(b"~") {
            installed.leftovers.push(readable(entry).into_owned());
        } else {
            installed.distributions.extend(parse_name(entry));
        }
    }
    installed
}

/// None when the entry is no distribution's metadata.
pub fn parse_name(entry: &[u8]) -> Option<InstalledName> {
    let forms = [
        (&b".dist-info"[..], MetadataForm::DistInfo),
        (b".egg-info", MetadataForm::EggInfo),
        (b".egg", MetadataForm::Egg),
        (b".egg-link", MetadataForm::EggLink),
    ];
    let ends_with = |suffix: &[u8]| {
        entry.len().checked_sub(suffix.len()).is_some_and(|at| entry[at..].eq_ignore_ascii_case(suffix))
    };
    let (suffix, form) = forms.into_iter().find(|(suffix, _)| ends_with(suffix))?;
    let stem = readable(&entry[..entry.len() - suffix.len()]);
    let stem = &*stem;
    let (name, version) = match form {
        // neither part may contain a hyphen; a name from before that rule may
        MetadataForm::DistInfo => match stem.rsplit_once('-') {
            Some((name, version)) => (name, Some(version)),
            None => (stem, None),
        },
        MetadataForm::EggInfo | MetadataForm::Egg => {
            let mut parts = stem.split('-');
            let name = parts.next().unwrap_or_default();
            (name, parts.next().filter(|version| !version.starts_with("py")))
        }
        MetadataForm::EggLink => (stem, None),
    };
    let version = version.filter(|version| !version.is_empty()).map(str::to_owned);
    (!name.is_empty()).then(|| InstalledName {
        name: name.to_owned(),
        normalized: normalize_name(name),
        version,
        form,
        entry: readable(entry).into_owned(),
    })
}

/// PEP 503: lower case, with each run of `-`, `_` and `.` as one `-`.
pub fn normalize_name(name: &str) -> String {
    if name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        return name.to_owned();
    }
    let mut normalized = String::with_capacity(name.len());
    let mut after_separator = false;
    for letter in name.chars() {
        let separator = matches!(letter, '-' | '_' | '.');
        if letter.is_ascii() && !separator {
            normalized.push(letter.to_ascii_lowercase());
        } else if !separator {
            normalized.extend(letter.to_lowercase());
        } else if !after_separator {
            normalized.push('-');
        }
        after_separator = separator;
    }
    normalized
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(entry: &str) -> Option<(String, Option<String>, MetadataForm)> {
        parse_name(entry.as_bytes()).map(|found| (found.name, found.version, found.form))
    }

    fn some(
        name: &str,
        version: Option<&str>,
        form: MetadataForm,
    ) -> Option<(String, Option<String>, MetadataForm)> {
        Some((name.to_owned(), version.map(str::to_owned), form))
    }

    #[test]
    fn reads_every_form() {
        assert_eq!(read("pip-24.0.dist-info"), some("pip", Some("24.0"), MetadataForm::DistInfo));
        assert_eq!(
            read("ruamel.yaml-0.18.6.dist-info"),
            some("ruamel.yaml", Some("0.18.6"), MetadataForm::DistInfo)
        );
        assert_eq!(read("demo-1.0-py3.11.egg-info"), some("demo", Some("1.0"), MetadataForm::EggInfo));
        assert_eq!(read("demo.egg-info"), some("demo", None, MetadataForm::EggInfo));
        assert_eq!(read("demo-py3.11.egg-info"), some("demo", None, MetadataForm::EggInfo));
        assert_eq!(read("demo-1.0-py3.6-linux-x86_64.egg"), some("demo", Some("1.0"), MetadataForm::Egg));
        assert_eq!(read("demo.egg-link"), some("demo", None, MetadataForm::EggLink));
        assert_eq!(read("-.dist-info"), None);
        for other in ["pip", "__pycache__", "demo.pth", "", ".dist-info", "-1.dist-info"] {
            assert_eq!(read(other), None, "{other:?}");
        }
    }

    #[test]
    fn tells_leftovers_apart() {
        let entries = ["pip", "~ip-24.0.dist-info", "~ip", "pip-24.0.dist-info"];
        let installed = installed(&entries.map(|entry| entry.as_bytes().to_vec()));
        assert_eq!(installed.leftovers, ["~ip-24.0.dist-info", "~ip"]);
        assert_eq!(installed.distributions.len(), 1);
    }

    #[test]
    fn normalizes() {
        assert_eq!(normalize_name("Foo__Bar.-baz"), "foo-bar-baz");
        assert_eq!(normalize_name(""), "");
    }

    #[test]
    fn survives_anything() {
        for seed in 0..200 {
            parse_name(&[&crate::parse::noise(seed, 20)[..], b".dist-info"].concat());
        }
    }
}
