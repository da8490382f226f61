//! uv's settings that decide where it installs (`FilesystemOptions` in its `uv-settings/src/lib.rs`).

use toml::Spanned;
use toml::de::DeTable;

use super::FILE_LIMIT;
use crate::collect::project::tool_tables::{at, table_at};
use crate::facts::installers::{UvKey, UvSetting};
use crate::facts::platform::System;
use crate::facts::shell::Shell;
use crate::host::Host;
use crate::parse::line_of;
use crate::path::HostPath;

const KEYS: [UvKey; 5] =
    [UvKey::System, UvKey::Python, UvKey::Target, UvKey::Prefix, UvKey::ProjectEnvironment];

/// Strongest first. Files add up, setting by setting. Of the files the nearest decides over `system`, and no variable
/// takes it back.
pub fn settings(host: &dyn Host, shell: &Shell) -> Vec<UvSetting> {
    let mut found: Vec<UvSetting> = KEYS.into_iter().filter_map(|key| variable(shell, key)).collect();
    if shell.set("UV_NO_CONFIG").is_some_and(is_on) {
        return found;
    }
    if let Some(named) = shell.set("UV_CONFIG_FILE") {
        let file = host.working_directory().ok().map(|here| here.join(named));
        found.extend(in_force(file.and_then(|file| of_file(host, &file, &["pip"])).unwrap_or_default()));
        return found;
    }
    let mut filed = of_project(host);
    filed.extend(user(host, shell).and_then(|file| of_file(host, &file, &["pip"])).unwrap_or_default());
    filed.extend(
        machine(host, shell).iter().find_map(|file| of_file(host, file, &["pip"])).unwrap_or_default(),
    );
    found.extend(in_force(filed));
    found
}

/// Without a `system` that is off, and those of the files behind it.
fn in_force(mut filed: Vec<UvSetting>) -> Vec<UvSetting> {
    let nearest = filed.iter().position(|setting| setting.key == UvKey::System);
    let mut place = 0..;
    filed.retain(|setting| {
        let here = place.next();
        setting.key != UvKey::System || here == nearest && setting.value == "true"
    });
    filed
}

fn variable(shell: &Shell, key: UvKey) -> Option<UvSetting> {
    let value = shell.set(key.variable()?)?;
    if key == UvKey::System && !is_on(value) {
        return None;
    }
    Some(UvSetting { key, value: value.to_owned(), file: None, line: None })
}

/// As uv reads a flag in a variable.
fn is_on(value: &str) -> bool {
    matches!(value.trim().to_ascii_lowercase().as_str(), "y" | "yes" | "t" | "true" | "on" | "1")
}

/// The nearest `uv.toml`, or `pyproject.toml` with a table for uv, in the working directory and above.
fn of_project(host: &dyn Host) -> Vec<UvSetting> {
    let mut directory = host.working_directory().ok();
    while let Some(here) = directory {
        let found = of_file(host, &here.join("uv.toml"), &["pip"])
            .or_else(|| of_file(host, &here.join("pyproject.toml"), &["tool", "uv", "pip"]));
        if let Some(found) = found {
            return found;
        }
        directory = here.parent();
    }
    Vec::new()
}

/// The settings of a file, or None where uv looks on: there is no such file, or nothing for uv in it.
fn of_file(host: &dyn Host, file: &HostPath, path: &[&str]) -> Option<Vec<UvSetting>> {
    let contents = host.read(file, FILE_LIMIT).ok()?;
    let text = std::str::from_utf8(&contents.bytes).ok()?;
    if path.len() > 1 && !text.contains("tool") {
        return None;
    }
    let document = DeTable::parse(text).ok().map(Spanned::into_inner)?;
    if let [tables @ .., _] = path
        && !tables.is_empty()
    {
        table_at(&document, tables)?;
    }
    let Some(table) = table_at(&document, path) else { return Some(Vec::new()) };
    let setting = |key: UvKey| {
        let value = at(table, &[key.name()?])?;
        let text = match key {
            UvKey::System => value.get_ref().as_bool()?.to_string(),
            _ => value.get_ref().as_str().filter(|text| !text.is_empty())?.to_owned(),
        };
        let line = Some(line_of(contents.bytes.as_slice(), value.span().start));
        Some(UvSetting { key, value: text, file: Some(file.clone()), line })
    };
    Some(KEYS.into_iter().filter_map(setting).collect())
}

fn user(host: &dyn Host, shell: &Shell) -> Option<HostPath> {
    let directory = match host.platform().system {
        System::Windows => shell.path_variable("APPDATA")?,
        _ => shell.path_variable("XDG_CONFIG_HOME").or_else(|| Some(host.home()?.join(".config")))?,
    };
    Some(directory.join("uv").join("uv.toml"))
}

/// The machine's: the first that is there counts (`system_config_file` in uv's `uv-dirs`).
fn machine(host: &dyn Host, shell: &Shell) -> Vec<HostPath> {
    if host.platform().system == System::Windows {
        let data = host.path_variable("ProgramData");
        return data.map(|data| data.join("uv").join("uv.toml")).into_iter().collect();
    }
    let directories = shell.set("XDG_CONFIG_DIRS").unwrap_or("/etc/xdg").split(':');
    directories
        .filter_map(|directory| HostPath::new(host.platform().flavour(), directory))
        .map(|directory| directory.join("uv/uv.toml"))
        .chain([HostPath::posix("/etc/uv/uv.toml")])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::fake::FakeMachine;

    fn shell(variables: &[(&str, &str)]) -> Shell {
        let mut variables: Vec<_> = variables.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        variables.sort();
        Shell { variables, ..Shell::default() }
    }

    fn machine() -> FakeMachine {
        FakeMachine::linux()
            .variable("HOME", "/home/me")
            .file("/home/me/p/pyproject.toml", "[project]\nname = 'p'\n[tool.uv.pip]\nsystem = true\n")
            .file("/home/me/p/sub/pyproject.toml", "[project]\nname = 'sub'\n")
            .file("/home/me/.config/uv/uv.toml", "[pip]\nsystem = false\ntarget = \"/t\"\n")
            .file("/etc/uv/uv.toml", "[pip]\nprefix = '/p'\ntarget = '/u'\n")
            .file("/named.toml", "pip.python = '/usr/bin/python3'\n")
            .cwd("/home/me/p/sub")
    }

    fn found(machine: &FakeMachine, variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let settings = settings(machine, &shell(variables));
        settings.into_iter().map(|setting| (setting.place(), setting.value)).collect()
    }

    fn pair(place: &str, value: &str) -> (String, String) {
        (place.to_owned(), value.to_owned())
    }

    #[test]
    fn files_add_up_from_the_nearest_table_on() {
        let expected = [
            pair("pip.system in /home/me/p/pyproject.toml, line 4", "true"),
            pair("pip.target in /home/me/.config/uv/uv.toml, line 3", "/t"),
            pair("pip.target in /etc/uv/uv.toml, line 3", "/u"),
            pair("pip.prefix in /etc/uv/uv.toml, line 2", "/p"),
        ];
        assert_eq!(found(&machine(), &[]), expected);
    }

    #[test]
    fn uv_toml_silences_the_table_beside_and_above_it() {
        let machine = machine().file("/home/me/p/sub/uv.toml", "");
        assert!(!found(&machine, &[]).iter().any(|(_, value)| value == "true"));
    }

    #[test]
    fn the_nearest_file_takes_system_back() {
        let machine = machine()
            .file("/home/me/p/pyproject.toml", "[tool.uv.pip]\nsystem = false\n")
            .file("/home/me/.config/uv/uv.toml", "[pip]\nsystem = true\n");
        assert!(!found(&machine, &[]).iter().any(|(_, value)| value == "true"));
    }

    #[test]
    fn variables_come_first_and_switch_files_off() {
        let variables = [("UV_NO_CONFIG", "1"), ("UV_SYSTEM_PYTHON", "1"), ("UV_PYTHON", "3.12")];
        let expected = [pair("UV_SYSTEM_PYTHON", "1"), pair("UV_PYTHON", "3.12")];
        assert_eq!(found(&machine(), &variables), expected);
        let named = [("UV_CONFIG_FILE", "/named.toml"), ("UV_SYSTEM_PYTHON", "0")];
        assert_eq!(
            found(&machine(), &named),
            [pair("pip.python in /named.toml, line 1", "/usr/bin/python3")]
        );
    }

    #[test]
    fn a_file_that_is_no_toml_says_nothing() {
        let machine = machine().file("/home/me/p/sub/uv.toml", "[pip\nsystem = true");
        assert_eq!(found(&machine, &[("UV_CONFIG_FILE", "/home/me/p/sub/uv.toml")]), []);
    }
}
