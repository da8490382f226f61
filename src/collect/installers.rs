//! What steers installers: pip's and uv's configuration files of every level and their variables.

use crate::facts::installers::{Installers, PipConfiguration, PipLevel, PipSetting, UvKey, UvSetting};
use crate::facts::platform::System;
use crate::facts::shell::{Shell, without_credentials};
use crate::host::{FileError, Host};
use crate::parse::pip_configuration;
use crate::path::{Flavour, HostPath};

mod uv;

const FILE_LIMIT: usize = 256 * 1024;

/// Reads what pip and uv would read; `prefix` is the root of the environment that pip runs in.
pub fn installers(host: &dyn Host, shell: &Shell, prefix: Option<&HostPath>) -> Installers {
    let mut pip = PipConfiguration::default();
    for (level, file) in files(host, shell, prefix) {
        let Ok(contents) = host.read(&file, FILE_LIMIT) else { continue };
        if pip.files.iter().any(|known| known.same_as(&file)) {
            continue;
        }
        pip.settings.extend(pip_configuration::parse(&contents.bytes).into_iter().map(|setting| {
            PipSetting {
                level,
                section: setting.section,
                key: setting.key,
                value: without_credentials(&setting.value),
                line: Some(setting.line),
                plain: setting.plain,
                file: Some(file.clone()),
            }
        }));
        pip.files.push(file);
    }
    for (name, value) in &shell.variables {
        if let Some(key) = name.strip_prefix("PIP_").filter(|key| *key != "CONFIG_FILE") {
            pip.settings.push(PipSetting {
                level: PipLevel::Variable,
                section: String::new(),
                key: pip_configuration::normalized(key),
                value: value.clone(),
                file: None,
                line: None,
                plain: false,
            });
        }
    }
    let uv = uv::settings(host, shell);
    let absent = absent(host, &pip, &uv);
    Installers { pip, uv, absent }
}

/// What pip and uv are told to work with, and is not there. Both take it from the working directory.
fn absent(host: &dyn Host, pip: &PipConfiguration, uv: &[UvSetting]) -> Vec<HostPath> {
    let Ok(here) = host.working_directory() else { return Vec::new() };
    let of_pip = pip.effective("", "python").map(|setting| &setting.value);
    let of_uv = uv.iter().find(|setting| setting.key == UvKey::Python).map(|setting| &setting.value);
    let paths = of_pip.into_iter().chain(of_uv).map(|value| here.join(value));
    paths.filter(|path| matches!(host.metadata(path), Err(FileError::Missing))).collect()
}

/// Every file in the order that pip reads them (`iter_config_files` and `get_configuration_files` in its
/// `_internal/configuration.py`): the user's are left out where `PIP_CONFIG_FILE` names a file that exists, and all
/// of them where it names the null device.
fn files(host: &dyn Host, shell: &Shell, prefix: Option<&HostPath>) -> Vec<(PipLevel, HostPath)> {
    let windows = host.platform().system == System::Windows;
    let name = if windows { "pip.ini" } else { "pip.conf" };
    let named = shell.set("PIP_CONFIG_FILE");
    if named.is_some_and(|value| value == "/dev/null" || value.eq_ignore_ascii_case("nul")) {
        return Vec::new();
    }
    let named = shell.path_variable("PIP_CONFIG_FILE");
    let mut found: Vec<(PipLevel, HostPath)> =
        global(host, shell).into_iter().map(|file| (PipLevel::Global, file)).collect();
    if !named.as_ref().is_some_and(|file| host.exists(file)) {
        found.extend(user(host, shell, name).into_iter().map(|file| (PipLevel::User, file)));
    }
    found.extend(prefix.map(|prefix| (PipLevel::Site, prefix.join(name))));
    found.extend(named.map(|file| (PipLevel::Named, file)));
    found
}

/// The machine's (`site_config_dirs` in pip's `_internal/utils/appdirs.py`).
fn global(host: &dyn Host, shell: &Shell) -> Vec<HostPath> {
    match host.platform().system {
        System::Windows => {
            let data = host
                .path_variable("ProgramData")
                .or_else(|| HostPath::new(Flavour::Windows, "C:\\ProgramData"));
            data.map(|data| data.join("pip").join("pip.ini")).into_iter().collect()
        }
        System::MacOs => vec![HostPath::posix("/Library/Application Support/pip/pip.conf")],
        _ => {
            let directories = shell.set("XDG_CONFIG_DIRS").unwrap_or("/etc/xdg");
            let mut files: Vec<HostPath> = directories
                .split(':')
                .filter_map(|directory| HostPath::new(Flavour::Posix, directory))
                .map(|directory| directory.join("pip/pip.conf"))
                .collect();
            files.push(HostPath::posix("/etc/pip.conf"));
            files
        }
    }
}

/// The user's: the legacy file, then today's (`user_config_dir`).
fn user(host: &dyn Host, shell: &Shell, name: &str) -> Vec<HostPath> {
    let Some(home) = host.home() else { return Vec::new() };
    let (legacy, directory) = match host.platform().system {
        System::Windows => {
            (home.join("pip"), shell.path_variable("APPDATA").map(|roaming| roaming.join("pip")))
        }
        System::MacOs => {
            let own = home.join("Library/Application Support/pip");
            let unix = home.join(".config/pip");
            (home.join(".pip"), Some(if host.is_directory(&own) { own } else { unix }))
        }
        _ => {
            let configuration =
                shell.path_variable("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
            (home.join(".pip"), Some(configuration.join("pip")))
        }
    };
    std::iter::once(legacy).chain(directory).map(|directory| directory.join(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::fake::FakeMachine;

    fn shell(variables: &[(&str, &str)]) -> Shell {
        let variables = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let mut shell = Shell { variables, ..Shell::default() };
        shell.variables.sort();
        shell
    }

    fn machine() -> FakeMachine {
        FakeMachine::linux()
            .variable("HOME", "/home/me")
            .file("/etc/pip.conf", "[global]\ntarget = /etc-says\n[install]\nuser = no\n")
            .file("/home/me/.config/pip/pip.conf", "[global]\ntarget = /user-says\nuser = yes\n")
            .file("/venv/pip.conf", "[global]\nindex-url = https://me:pw@host/simple\n")
            .file("/named.conf", "[global]\nprefix = /p\n")
    }

    #[test]
    fn later_levels_win_and_sections_of_a_command_beat_global() {
        let found = installers(&machine(), &shell(&[]), Some(&HostPath::posix("/venv"))).pip;
        let value = |key: &str| found.effective("install", key).map(|it| it.value.clone());
        assert_eq!(value("target").as_deref(), Some("/user-says"));
        assert_eq!(value("user").as_deref(), Some("no"));
        assert_eq!(value("index-url").as_deref(), Some("https://***@host/simple"));
        assert_eq!(found.files.len(), 3);
    }

    #[test]
    fn variables_win_and_empty_values_do_not_count() {
        let found = installers(&machine(), &shell(&[("PIP_TARGET", "/v"), ("PIP_USER", "")]), None).pip;
        let target = found.effective("install", "target").expect("a target");
        assert_eq!((target.value.as_str(), target.place().as_str()), ("/v", "PIP_TARGET"));
        assert_eq!(found.effective("install", "user").map(|it| it.section.as_str()), Some("install"));
    }

    #[test]
    fn a_named_file_takes_the_place_of_the_users_and_the_null_device_of_all() {
        let found = installers(&machine(), &shell(&[("PIP_CONFIG_FILE", "/named.conf")]), None).pip;
        assert_eq!(found.effective("install", "target").map(|it| it.value.as_str()), Some("/etc-says"));
        assert_eq!(found.effective("install", "prefix").map(|it| it.line), Some(Some(2)));
        let none = installers(&machine(), &shell(&[("PIP_CONFIG_FILE", "/dev/null")]), None).pip;
        assert!(none.files.is_empty());
    }
}
