//! What of variables and command lines may stand in a report: nothing that may be a secret.

use crate::path::Flavour;

/// Variables whose names and values may stand in a report, beside those that [`PREFIXES`] admits. Whatever
/// is missing here may be a secret, and is not looked at.
const REPORTED: &[&str] = &[
    // what runs, and from where
    "PATH",
    "PATHEXT",
    "HOME",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "PWD",
    "SHELL",
    "ZDOTDIR",
    "SHLVL",
    "TERM",
    "TERM_PROGRAM",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "MSYSTEM",
    // Windows' own places; its names come in capitals here
    "PROGRAMFILES",
    "PROGRAMFILES(X86)",
    "SYSTEMDRIVE",
    "PSEXECUTIONPOLICYPREFERENCE",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    // active environments
    "VIRTUAL_ENV",
    "VIRTUAL_ENV_PROMPT",
    "VIRTUAL_ENV_DISABLE_PROMPT",
    "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV",
    "CONDA_SHLVL",
    "CONDA_EXE",
    "CONDA_PYTHON_EXE",
    "CONDA_PROMPT_MODIFIER",
    "MAMBA_ROOT_PREFIX",
    "PIXI_PROJECT_ROOT",
    "WORKON_HOME",
    "DIRENV_DIR",
    "DIRENV_FILE",
    "__PYVENV_LAUNCHER__",
    // version managers
    "ASDF_DATA_DIR",
    "ASDF_PYTHON_VERSION",
    "MISE_DATA_DIR",
    "MISE_SHELL",
    "MISE_PYTHON_VERSION",
    "HOMEBREW_PREFIX",
    "PIPX_HOME",
    "PIPX_BIN_DIR",
    // what steers an install
    "PIP_BREAK_SYSTEM_PACKAGES",
    "PIP_CONFIG_FILE",
    "PIP_CONSTRAINT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_NO_BINARY",
    "PIP_NO_DEPS",
    "PIP_NO_INDEX",
    "PIP_ONLY_BINARY",
    "PIP_PREFIX",
    "PIP_PYTHON",
    "PIP_REQUIREMENT",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_ROOT",
    "PIP_TARGET",
    "PIP_USER",
    "UV",
    "UV_BREAK_SYSTEM_PACKAGES",
    "UV_CACHE_DIR",
    "UV_CONFIG_FILE",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_NO_CONFIG",
    "UV_NO_INDEX",
    "UV_NO_MANAGED_PYTHON",
    "UV_PROJECT",
    "UV_PROJECT_ENVIRONMENT",
    "UV_PYTHON",
    "UV_PYTHON_INSTALL_DIR",
    "UV_PYTHON_PREFERENCE",
    "UV_RUN_RECURSION_DEPTH",
    "UV_SYSTEM_PYTHON",
    "UV_TOOL_BIN_DIR",
    "UV_TOOL_DIR",
    "SETUPTOOLS_USE_DISTUTILS",
    // wrappers
    "PRE_COMMIT",
    "TOX_ENV_NAME",
    "TOX_ENV_DIR",
    "NOX_CURRENT_SESSION",
    "POETRY_ACTIVE",
    "POETRY_CACHE_DIR",
    "POETRY_VIRTUALENVS_CREATE",
    "POETRY_VIRTUALENVS_IN_PROJECT",
    "POETRY_VIRTUALENVS_PATH",
    "PIPENV_ACTIVE",
    "PIPENV_CUSTOM_VENV_NAME",
    "PIPENV_IGNORE_VIRTUALENVS",
    "PIPENV_PIPFILE",
    "PIPENV_VENV_IN_PROJECT",
    "HATCH_DATA_DIR",
    "HATCH_ENV",
    "HATCH_ENV_ACTIVE",
    "PDM_IN_VENV",
    "PDM_PROJECT_ROOT",
    "PDM_PYTHON",
    "PDM_RUN_CWD",
    "PDM_VENV_IN_PROJECT",
    "SUDO_COMMAND",
    "SUDO_GID",
    "SUDO_UID",
    "SUDO_USER",
    "MAKELEVEL",
    "STY",
    "TMUX",
    "GIT_DIR",
    "GIT_EXEC_PATH",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "SSH_CONNECTION",
    // surroundings
    "CI",
    "CONTINUOUS_INTEGRATION",
    "APPVEYOR",
    "BITBUCKET_BUILD_NUMBER",
    "BUILDKITE",
    "CIRCLECI",
    "CODEBUILD_BUILD_ID",
    "DRONE",
    "GITEA_ACTIONS",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "JENKINS_URL",
    "TEAMCITY_VERSION",
    "TF_BUILD",
    "TRAVIS",
    "container",
    "KUBERNETES_SERVICE_HOST",
    "WSL_DISTRO_NAME",
    "IN_NIX_SHELL",
    "GUIX_ENVIRONMENT",
    "SPACK_ENV",
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_PATH",
    "JPY_PARENT_PID",
];

/// Beginnings of names that belong to a documented family without secrets.
const PREFIXES: &[&str] = &[
    "PYTHON",
    "CONDA_PREFIX_",
    "_OLD_VIRTUAL_",
    "_OLD_FISH_",
    "PYENV_",
    "VIRTUALENVWRAPPER_",
    "XDG_",
    "DYLD_",
];

/// Of these only that they are set may be told.
const ONLY_WHETHER_SET: &[&str] =
    &["SSH_CONNECTION", "JENKINS_URL", "KUBERNETES_SERVICE_HOST", "INVOCATION_ID", "JOURNAL_STREAM"];

/// Parts of a name that tell of a secret, whatever its family.
const SECRETS: &[&str] = &["PASSWORD", "PASSWD", "TOKEN", "SECRET", "CREDENTIAL", "AUTH", "_KEY", "COOKIE"];

/// A variable as it may stand in a report, or None: its name is on the allow-list, and credentials in its
/// value are gone. Windows does not tell names apart by case; there they come in capitals.
pub fn reported_variable(flavour: Flavour, name: &[u8], value: &[u8]) -> Option<(String, String)> {
    let name = std::str::from_utf8(name).ok()?;
    let name = match flavour {
        Flavour::Posix => name.to_owned(),
        Flavour::Windows => name.to_ascii_uppercase(),
    };
    let known = REPORTED.contains(&name.as_str());
    let of_a_family = || {
        PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            && !SECRETS.iter().any(|part| name.to_ascii_uppercase().contains(part))
    };
    if !known && !of_a_family() {
        return None;
    }
    let value = match ONLY_WHETHER_SET.contains(&name.as_str()) {
        true if value.is_empty() => String::new(),
        true => "set".to_owned(),
        false => without_credentials(&crate::path::readable(value)),
    };
    Some((name, value))
}

/// So much of one argument of a process is kept.
const ARGUMENT_LENGTH: usize = 400;

/// An argument of a process as it may stand in a report: without credentials, and cut where it is a program
/// of its own (`sh -c ...`).
pub fn reported_argument(argument: &str) -> String {
    let mut text = without_credentials(argument);
    if text.len() > ARGUMENT_LENGTH {
        let end = (0..=ARGUMENT_LENGTH).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push_str("...");
    }
    text
}

/// `https://user:password@host/` with `***` for what stands before the `@`.
pub fn without_credentials(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        let end = after.find(['/', ' ', '\t', '\n', '"', '\'', '?', '#', ',', ';']).unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(sign) => {
                clean.push_str("***");
                &after[sign..]
            }
            None => after,
        };
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(name: &str, value: &str) -> Option<String> {
        reported_variable(Flavour::Posix, name.as_bytes(), value.as_bytes()).map(|(_, value)| value)
    }

    #[test]
    fn reports_what_is_allowed_and_nothing_else() {
        assert_eq!(reported("VIRTUAL_ENV", "/x").as_deref(), Some("/x"));
        assert_eq!(reported("CONDA_PREFIX_2", "/x").as_deref(), Some("/x"));
        assert_eq!(reported("PYTHONPATH", "").as_deref(), Some(""));
        assert_eq!(reported("SSH_CONNECTION", "10.0.0.1 22").as_deref(), Some("set"));
        assert_eq!(reported("UV_PUBLISH_TOKEN", "x"), None);
        assert_eq!(reported("AWS_SECRET_ACCESS_KEY", "x"), None);
        assert_eq!(reported("PYTHON_API_TOKEN", "x"), None);
        let windows = reported_variable(Flavour::Windows, b"Path", b"C:\\x");
        assert_eq!(windows, Some(("PATH".to_owned(), "C:\\x".to_owned())));
    }

    #[test]
    fn nothing_is_asked_of_the_shell_that_is_never_kept() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut directories = vec![root.join("src"), root.join("checks")];
        let mut asked = 0;
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(&directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                for call in ["shell.set(\"", "shell.variable(\"", "shell.path_variable(\""] {
                    for name in text.split(call).skip(1).filter_map(|rest| rest.split('"').next()) {
                        assert!(reported(name, "x").is_some(), "{} asks for {name}", path.display());
                        asked += 1;
                    }
                }
            }
        }
        assert!(asked > 20, "{asked}");
    }

    #[test]
    fn credentials_never_show() {
        let value = "https://me:se/cret@host/simple https://token@b/ https://plain/ ssh://git@c";
        assert!(!reported("PIP_INDEX_URL", value).unwrap_or_default().contains("token"));
        assert_eq!(without_credentials("https://me:pw@host/x"), "https://***@host/x");
        assert_eq!(without_credentials("a https://h/p@q http://u:p@w@h"), "a https://h/p@q http://***@h");
        assert_eq!(reported_argument("--index=https://u:p@h/"), "--index=https://***@h/");
    }

    #[test]
    fn long_arguments_are_cut_between_characters() {
        assert_eq!(reported_argument(&"é".repeat(300)).chars().count(), 203);
    }
}
