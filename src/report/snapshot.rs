//! The facts as a file that can be shared: without the names of the home directory, the user and the host, and
//! without credentials. Variables are those of the allow-list already.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{json_text, sanitize};
use crate::facts::Facts;
use crate::facts::platform::System;
use crate::path::{HostPath, from_hexadecimal};

/// Of the facts' shape: another one cannot be examined by this program.
const VERSION: u32 = 1;
/// What stands before a path's bytes where they are no text.
const HEXADECIMAL: &str = "bytes:";
/// Names that mean something to Python or to the doctor: as a user's name they are replaced below `/home` alone.
const MEANINGFUL: &[&str] = &[
    "admin",
    "apps",
    "base",
    "bash",
    "bin",
    "build",
    "cache",
    "conda",
    "config",
    "debian",
    "dist",
    "docker",
    "env",
    "etc",
    "fish",
    "git",
    "home",
    "include",
    "lib",
    "linux",
    "local",
    "main",
    "nobody",
    "opt",
    "packages",
    "pip",
    "pipx",
    "poetry",
    "project",
    "pyenv",
    "python",
    "root",
    "scripts",
    "shell",
    "site",
    "src",
    "system",
    "test",
    "tests",
    "tmp",
    "tools",
    "ubuntu",
    "user",
    "users",
    "usr",
    "var",
    "venv",
    "virtualenv",
    "work",
    "zsh",
];

#[derive(Serialize)]
struct Written {
    snapshot_version: u32,
    doctor: Doctor,
    facts: Value,
}

#[derive(Serialize, Deserialize)]
struct Doctor {
    version: String,
}

#[derive(Deserialize)]
struct Head {
    snapshot_version: Option<u32>,
    doctor: Option<Doctor>,
}

#[derive(Deserialize)]
struct Read {
    facts: Facts,
}

/// The file's text. `host_name` is taken out wherever it stands as a word.
///
/// # Errors
/// When the facts cannot be written as JSON, which no fact that exists brings about.
pub fn write(facts: &Facts, host_name: Option<&str>) -> std::io::Result<Vec<u8>> {
    let mut values = serde_json::to_value(facts)?;
    let names = Names::of(facts, host_name);
    names.replace(&mut values, None);
    let written = Written {
        snapshot_version: VERSION,
        doctor: Doctor { version: env!("CARGO_PKG_VERSION").to_owned() },
        facts: values,
    };
    let mut text = Vec::new();
    json_text::write(&mut text, &written)?;
    Ok(text)
}

/// The facts of a file's text.
///
/// # Errors
/// What is wrong with it, as the end of a sentence that names the file.
pub fn read(text: &[u8]) -> Result<Facts, String> {
    let head: Head = serde_json::from_slice(text)
        .map_err(|error| format!("it is no snapshot of venv-doctor ({error})"))?;
    let Some(version) = head.snapshot_version else {
        return Err("it is no snapshot of venv-doctor (snapshot_version is missing)".to_owned());
    };
    let writer = head.doctor.map_or_else(|| "?".to_owned(), |doctor| sanitize::shown(&doctor.version));
    let this = env!("CARGO_PKG_VERSION");
    if version != VERSION {
        return Err(format!(
            "it is a snapshot of version {version}, written by venv-doctor {writer}; this is venv-doctor {this}, which reads version {VERSION}"
        ));
    }
    let read: Read = serde_json::from_slice(text).map_err(|error| {
        let error = sanitize::shown(&error.to_string());
        format!(
            "its facts cannot be read ({error}); venv-doctor {writer} wrote it, this is venv-doctor {this}"
        )
    })?;
    Ok(read.facts)
}

/// What is replaced by what. A name and its stand-in have the same length wherever that can be, because some limits
/// count bytes.
struct Names {
    homes: Vec<(Vec<u8>, Vec<u8>)>,
    words: Vec<(Vec<u8>, Vec<u8>)>,
    /// Replaced only as the name of a directory in one of these.
    meaningful: Vec<(Vec<u8>, Vec<u8>)>,
}

fn is_personal(name: &str) -> bool {
    !name.is_empty() && !["root", "nobody", "user"].contains(&name)
}

/// `user` or `host`, cut or filled up to the length of the name.
fn stand_in(word: &str, length: usize) -> String {
    word.chars().chain(std::iter::repeat('x')).take(length.max(1)).collect()
}

impl Names {
    fn of(facts: &Facts, host_name: Option<&str>) -> Names {
        let mut names = Names { homes: Vec::new(), words: Vec::new(), meaningful: Vec::new() };
        for home in [&facts.home, &facts.user.home].into_iter().flatten() {
            names.add_home(facts, &home.normalized());
        }
        let variables = ["SUDO_USER", "USER", "LOGNAME", "USERNAME"];
        let variables = variables.iter().filter_map(|name| facts.shell.set(name));
        let user = facts.user.name.as_deref().into_iter().chain(variables);
        for user in user.filter(|user| is_personal(user)) {
            names.add_word(user, &stand_in("user", user.len()));
        }
        for host in host_name.into_iter().flat_map(|host| [host, host.split('.').next().unwrap_or(host)]) {
            if host != "localhost" {
                names.add_word(host, &stand_in("host", host.len()));
            }
        }
        names.add_split_passwords(facts);
        names.homes.sort_by_key(|(home, _)| std::cmp::Reverse(home.len()));
        names
    }

    /// The passwords of URLs in `PATH`: its colons take a URL apart, so that no entry looks like one.
    fn add_split_passwords(&mut self, facts: &Facts) {
        for pair in facts.search_path.entries.windows(2) {
            let password = pair[1].raw.rsplit_once('@').map_or("", |(before, _)| before);
            if pair[0].raw.starts_with("//") && !password.is_empty() {
                self.words.push((password.as_bytes().to_vec(), b"***".to_vec()));
            }
        }
    }

    fn add_home(&mut self, facts: &Facts, home: &HostPath) {
        let depth = home.components().count();
        if depth == 0 || matches!(home.as_bytes(), b"/root" | b"/var/root") {
            return;
        }
        let usual = match facts.platform.system {
            System::Windows => "C:\\Users\\",
            System::MacOs => "/Users/",
            System::Linux | System::Other => "/home/",
        };
        let length = home.as_bytes().len().saturating_sub(usual.len());
        let name = if length > 0 { stand_in("user", length) } else { "user".to_owned() };
        self.homes.push((home.as_bytes().to_vec(), format!("{usual}{name}").into_bytes()));
        // elsewhere the last name need not be the user's: /tmp/x/home
        let name = home.name().into_owned();
        let parent = home.parent().unwrap_or_else(|| home.clone());
        if parent.as_bytes().eq_ignore_ascii_case(usual.trim_end_matches(['/', '\\']).as_bytes())
            && is_personal(&name)
        {
            self.add_word(&name, &stand_in("user", name.len()));
        }
    }

    fn add_word(&mut self, name: &str, stand_in: &str) {
        let pair = (name.as_bytes().to_vec(), stand_in.as_bytes().to_vec());
        let means_something = name.len() < 3
            || MEANINGFUL.contains(&name.to_ascii_lowercase().as_str())
            || crate::checks::find(name).is_some();
        let list = if means_something { &mut self.meaningful } else { &mut self.words };
        if !list.contains(&pair) {
            list.push(pair);
        }
    }

    /// Replaces in every string; `key` is the name that a value stands behind.
    fn replace(&self, value: &mut Value, key: Option<&str>) {
        match value {
            Value::String(text) => {
                let clean = self.text(text);
                *text = match key {
                    Some(name) => sanitize::redact_value(name, &clean).into_owned(),
                    None => sanitize::redact(&clean).into_owned(),
                };
            }
            // a variable or a setting, and its value
            Value::Array(list) => {
                let name = match list.as_slice() {
                    [Value::String(name), Value::String(_)] => Some(name.clone()),
                    _ => None,
                };
                for (index, value) in list.iter_mut().enumerate() {
                    self.replace(value, name.as_deref().filter(|_| index == 1));
                }
            }
            Value::Object(object) => {
                let named = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
                let name = named("name").or_else(|| named("key"));
                for (key, value) in object.iter_mut() {
                    self.replace(value, name.as_deref().filter(|_| key == "value"));
                }
            }
            _ => {}
        }
    }

    fn text(&self, text: &str) -> String {
        let bytes = text.strip_prefix(HEXADECIMAL).and_then(from_hexadecimal);
        match bytes {
            Some(bytes) => {
                let digits: String = self.bytes(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{HEXADECIMAL}{digits}")
            }
            None => String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned(),
        }
    }

    fn bytes(&self, text: &[u8]) -> Vec<u8> {
        let mut text = text.to_vec();
        let is_name = |byte: Option<&u8>| byte.is_some_and(|byte| is_letter(*byte) || b"_-".contains(byte));
        for (home, stand_in) in &self.homes {
            text = replaced(&text, home, stand_in, |before, after| {
                !is_name(before.last()) && !is_name(after.first())
            });
        }
        for (word, stand_in) in &self.words {
            text = replaced(&text, word, stand_in, |before, after| {
                !before.last().is_some_and(|byte| is_letter(*byte))
                    && !after.first().is_some_and(|byte| is_letter(*byte))
            });
        }
        for (word, stand_in) in &self.meaningful {
            text = replaced(&text, word, stand_in, |before, after| {
                let homes: [&[u8]; 4] = [b"/home/", b"/Users/", b"\\Users\\", b"/export/home/"];
                homes.iter().any(|home| before.ends_with(home)) && !is_name(after.first())
            });
        }
        text
    }
}

/// Bytes beyond ASCII belong to letters.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

fn replaced(text: &[u8], from: &[u8], to: &[u8], fits: impl Fn(&[u8], &[u8]) -> bool) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with(from) && fits(&text[..at], &text[at + from.len()..]) {
            result.extend_from_slice(to);
            at += from.len();
        } else {
            result.push(text[at]);
            at += 1;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example;

    fn facts(home: &str, user: &str) -> Facts {
        let text = serde_json::to_string(&example::healthy()).unwrap().replace("/home/me", home);
        let mut facts: Facts = serde_json::from_str(&text).unwrap();
        facts.user.name = Some(user.to_owned());
        facts
    }

    #[test]
    fn a_snapshot_is_read_back_without_personal_names() {
        let mut facts = facts("/home/alice", "alice");
        let odd = HostPath::posix(b"/home/alice/caf\xe9");
        facts.notes = vec![
            "/home/alice.old, /home/alicent and alice's box.local; /mnt/home/alice".into(),
            "https://alice:pw@host/simple".into(),
        ];
        facts.shell.variables.push(("ZZ_TOKEN".into(), "hunter2".into()));
        facts.search_path.entries[0].directory = Some(odd);
        let text = write(&facts, Some("box.local")).unwrap();
        let text = String::from_utf8(text).unwrap();
        for name in ["alice\"", "alice/", "alice.", "alice'", "box.local", "pw@", "hunter2", "2f616c696365"] {
            assert!(!text.contains(name), "{name} in {text}");
        }
        let read = read(text.as_bytes()).unwrap();
        assert_eq!(read.home, Some(HostPath::posix("/home/userx")));
        assert_eq!(read.notes[0], "/home/userx.old, /home/alicent and userx's hostxxxxx; /mnt/home/userx");
        assert_eq!(read.search_path.entries[0].directory, Some(HostPath::posix(b"/home/userx/caf\xe9")));
        assert_eq!(read.environments.len(), facts.environments.len());
    }

    #[test]
    fn a_user_named_like_a_program_breaks_nothing() {
        let facts = facts("/home/python", "python");
        let read = read(&write(&facts, None).unwrap()).unwrap();
        assert_eq!(read.home, Some(HostPath::posix("/home/userxx")));
        assert_eq!(read.commands[0].name, "python");
    }

    #[test]
    fn root_is_nobody_in_particular() {
        let facts = facts("/root", "root");
        assert_eq!(read(&write(&facts, None).unwrap()).unwrap(), facts);
    }

    #[test]
    fn what_is_no_snapshot_is_told() {
        let refused = |text: &str| read(text.as_bytes()).unwrap_err();
        assert!(refused("").contains("no snapshot"));
        assert!(refused("\u{0}\u{ff}").contains("no snapshot"));
        assert!(refused("{\"facts\": {}}").contains("snapshot_version is missing"));
        assert!(
            refused("{\"snapshot_version\": 7, \"doctor\": {\"version\": \"9\x1b[2J\"}}")
                .contains("no snapshot")
        );
        let other = refused("{\"snapshot_version\": 7, \"doctor\": {\"version\": \"9\\u001b[2J\"}}");
        assert!(other.contains("version 7, written by venv-doctor 9\\x1b[2J"), "{other}");
        let lacking = refused("{\"snapshot_version\": 1, \"facts\": {}}");
        assert!(lacking.contains("facts cannot be read") && lacking.contains("missing field"), "{lacking}");
    }
}
