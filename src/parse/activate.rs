//! The environment's root that an activation script was made for.
//!
//! Templates: CPython `Lib/venv/scripts`, virtualenv `activation/`, uv `crates/uv-virtualenv/src/activator`.

use serde::{Deserialize, Serialize};

use super::python_literal::python_string;
use super::raw::RawBytes;
use super::shell_word::{Dialect, first_word};
use super::{find_last, is_absolute, lines};

/// More of a script than this is not looked at; the longest has 250 lines.
const READ_LIMIT: usize = 256 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActivatorKind {
    /// `activate`: sh, bash, zsh.
    Posix,
    Csh,
    Fish,
    PowerShell,
    /// `activate.bat`
    Cmd,
    Nushell,
    Xonsh,
    /// `activate_this.py`
    Python,
}

impl ActivatorKind {
    /// `Activate.ps1` is venv's spelling; virtualenv and uv write `activate.ps1`.
    pub fn from_file_name(name: &[u8]) -> Option<ActivatorKind> {
        Some(match name {
            b"activate" => ActivatorKind::Posix,
            b"activate.csh" => ActivatorKind::Csh,
            b"activate.fish" => ActivatorKind::Fish,
            b"Activate.ps1" | b"activate.ps1" => ActivatorKind::PowerShell,
            b"activate.bat" => ActivatorKind::Cmd,
            b"activate.nu" => ActivatorKind::Nushell,
            b"activate.xsh" => ActivatorKind::Xonsh,
            b"activate_this.py" => ActivatorKind::Python,
            _ => return None,
        })
    }
}

/// A root that is written out in the script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BakedRoot {
    pub root: RawBytes,
    /// From 1.
    pub line: usize,
}

/// The absolute path that the script activates. None when it works out its own place (`activate.ps1`,
/// `activate_this.py`, `uv venv --relocatable`) or is of no known make.
pub fn baked_root(kind: ActivatorKind, text: &[u8]) -> Option<BakedRoot> {
    let text = text.get(..READ_LIMIT).unwrap_or(text);
    let read: fn(&[u8]) -> Option<Vec<u8>> = match kind {
        ActivatorKind::Posix => posix,
        ActivatorKind::Csh => csh,
        ActivatorKind::Fish => fish,
        ActivatorKind::Cmd => cmd,
        ActivatorKind::Nushell => nushell,
        ActivatorKind::Xonsh => xonsh,
        ActivatorKind::PowerShell | ActivatorKind::Python => return None,
    };
    let search = |read: fn(&[u8]) -> Option<Vec<u8>>| {
        lines(text).find_map(|(line, text)| {
            let root = read(text.trim_ascii()).filter(|root| is_absolute(root))?;
            Some(BakedRoot { root: root.into(), line })
        })
    };
    search(read).or_else(|| if kind == ActivatorKind::Posix { search(posix_cygpath) } else { None })
}

/// `VIRTUAL_ENV=...`, with `export` before it or without.
fn posix(line: &[u8]) -> Option<Vec<u8>> {
    let line = line.strip_prefix(b"export ").unwrap_or(line);
    quoted(line.strip_prefix(b"VIRTUAL_ENV=")?, Dialect::Posix)
}

/// venv 3.12.0 and later branch on Cygwin and MSYS: `VIRTUAL_ENV=$(cygpath "V")`.
fn posix_cygpath(line: &[u8]) -> Option<Vec<u8>> {
    let line = line.strip_prefix(b"export ").unwrap_or(line);
    let inner = line.strip_prefix(b"VIRTUAL_ENV=$(cygpath ")?.strip_suffix(b")")?;
    quoted(inner, Dialect::Posix)
}

fn csh(line: &[u8]) -> Option<Vec<u8>> {
    quoted(line.strip_prefix(b"setenv VIRTUAL_ENV ")?, Dialect::Posix)
}

fn fish(line: &[u8]) -> Option<Vec<u8>> {
    quoted(line.strip_prefix(b"set -gx VIRTUAL_ENV ")?, Dialect::Fish)
}

/// Double quotes are those of the older templates, which put them around the path as it is; anything else
/// was quoted by a function, and that is undone.
fn quoted(value: &[u8], dialect: Dialect) -> Option<Vec<u8>> {
    let value = value.trim_ascii();
    match value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) {
        Some(path) => Some(path.to_vec()),
        None => {
            let word = first_word(value, dialect)?;
            (word.length == value.len()).then_some(word.bytes)
        }
    }
}

/// `set VIRTUAL_ENV=V`, `set "VIRTUAL_ENV=V"`, `for %%i in ("V") do ...`; `%%` stands for `%`.
fn cmd(line: &[u8]) -> Option<Vec<u8>> {
    let line = line.strip_prefix(b"@").unwrap_or(line);
    let path = if let Some(rest) = line.strip_prefix(b"for %%i in (\"") {
        let end = find_last(rest, b"\") do ")?;
        let (path, action) = rest.split_at_checked(end)?;
        super::find(action, b"VIRTUAL_ENV=%%~fi")?;
        path
    } else {
        let (command, rest) = line.split_at_checked(4)?;
        if !command.eq_ignore_ascii_case(b"set ") {
            return None;
        }
        let bare = rest.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
        bare.unwrap_or(rest).strip_prefix(b"VIRTUAL_ENV=")?
    };
    let mut bytes = path.iter().copied().peekable();
    let mut root = Vec::with_capacity(path.len());
    while let Some(byte) = bytes.next() {
        root.push(byte);
        if byte == b'%' {
            bytes.next_if_eq(&b'%');
        }
    }
    Some(root)
}

/// `let virtual_env = r#'V'#` (virtualenv), `const virtual_env = 'V'` (uv, which quotes as for sh).
fn nushell(line: &[u8]) -> Option<Vec<u8>> {
    let starts = [&b"let virtual_env = "[..], b"const virtual_env = ", b"$env.VIRTUAL_ENV = "];
    let value = starts.iter().find_map(|start| line.strip_prefix(*start))?.trim_ascii();
    let Some(raw) = value.strip_prefix(b"r#") else {
        return quoted(value, Dialect::Posix);
    };
    let hashes = raw.iter().take_while(|byte| **byte == b'#').count();
    let inner = raw.get(hashes..)?.strip_prefix(b"'")?;
    let mut end = vec![b'#'; hashes + 2];
    if let Some(first) = end.first_mut() {
        *first = b'\'';
    }
    Some(inner.strip_suffix(end.as_slice())?.to_vec())
}

/// `$VIRTUAL_ENV = r"V"` (virtualenv 20), `self.embedded_virtual_env = 'V'` (21): Python literals.
fn xonsh(line: &[u8]) -> Option<Vec<u8>> {
    let starts = [&b"$VIRTUAL_ENV = "[..], b"self.embedded_virtual_env = "];
    let value = starts.iter().find_map(|start| line.strip_prefix(*start))?;
    python_string(std::str::from_utf8(value).ok()?.trim()).map(String::into_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blank, single quote and dollar, as in the scripts that the excerpts come from.
    const WEIRD: &str = "/tmp/actv/we ird'q$HOME/v";

    fn root(kind: ActivatorKind, text: &str) -> Option<(String, usize)> {
        baked_root(kind, text.as_bytes()).map(|baked| (baked.root.to_text().into_owned(), baked.line))
    }

    fn weird(line: usize) -> Option<(String, usize)> {
        Some((WEIRD.to_owned(), line))
    }

    #[test]
    fn reads_every_generation_of_posix_scripts() {
        let posix = |text: &str| root(ActivatorKind::Posix, text);
        // venv 3.6 to 3.11.7
        assert_eq!(
            posix(
                "deactivate nondestructive\n\nVIRTUAL_ENV=\"/tmp/actv/we ird'q$HOME/v\"\nexport VIRTUAL_ENV\n"
            ),
            weird(3)
        );
        // venv 3.12.0
        assert_eq!(
            posix(
                "if [ x ] ; then\n    export VIRTUAL_ENV=$(cygpath \"/tmp/actv/we ird'q$HOME/v\")\nelse\n    # use the path as-is\n    export VIRTUAL_ENV=\"/tmp/actv/we ird'q$HOME/v\"\nfi\n"
            ),
            weird(5)
        );
        // venv 3.13.0
        assert_eq!(
            posix(
                "    CYGWIN*|MSYS*)\n        VIRTUAL_ENV=$(cygpath \"/tmp/actv/we ird'q$HOME/v\")\n        export VIRTUAL_ENV\n        ;;\n    *)\n        export VIRTUAL_ENV=\"/tmp/actv/we ird'q$HOME/v\"\n"
            ),
            weird(6)
        );
        // shlex.quote: Debian's 3.11.2, uv, virtualenv 21, and venv since CVE-2024-9287
        assert_eq!(posix("VIRTUAL_ENV='/tmp/actv/we ird'\"'\"'q$HOME/v'\n"), weird(1));
        assert_eq!(posix("        VIRTUAL_ENV=/tmp/actv/plain/v\r\n"), Some(("/tmp/actv/plain/v".into(), 1)));
        assert_eq!(posix("VIRTUAL_ENV=$(cygpath '/a b')\n"), Some(("/a b".into(), 1)));
        assert_eq!(posix("VIRTUAL_ENV=\"C:\\Users\\me\\v\"\n"), Some(("C:\\Users\\me\\v".into(), 1)));
    }

    #[test]
    fn a_script_that_finds_itself_has_no_root() {
        let posix = |text: &str| root(ActivatorKind::Posix, text);
        assert_eq!(
            posix(
                "VIRTUAL_ENV=''\"$(dirname -- \"$(dirname -- \"$(realpath -- \"$SCRIPT_PATH\")\")\")\"''\n    VIRTUAL_ENV=$(cygpath -u \"$VIRTUAL_ENV\")\nexport VIRTUAL_ENV\n"
            ),
            None
        );
        assert_eq!(posix("        VIRTUAL_ENV=\"$CURRENT_ENV\"\n"), None);
        assert_eq!(
            root(
                ActivatorKind::Fish,
                "set -gx VIRTUAL_ENV ''(dirname -- (dirname -- (realpath -- (status -f))))''\n    set -gx VIRTUAL_ENV (cygpath -u \"$VIRTUAL_ENV\")\n"
            ),
            None
        );
        assert_eq!(
            root(ActivatorKind::Cmd, "@for %%i in (\"%~dp0..\") do @set \"VIRTUAL_ENV=%%~fi\"\r\n"),
            None
        );
        assert_eq!(
            root(ActivatorKind::Nushell, "const virtual_env = (path self | path dirname | path dirname)\n"),
            None
        );
        assert_eq!(root(ActivatorKind::PowerShell, "$env:VIRTUAL_ENV = \"/a\"\n"), None);
        assert_eq!(root(ActivatorKind::Python, "VIRTUAL_ENV=/a\n"), None);
    }

    #[test]
    fn reads_csh_and_fish() {
        assert_eq!(root(ActivatorKind::Csh, "setenv VIRTUAL_ENV \"/tmp/actv/we ird'q$HOME/v\"\n"), weird(1));
        assert_eq!(
            root(ActivatorKind::Csh, "setenv VIRTUAL_ENV '/tmp/actv/we ird'\"'\"'q$HOME/v'\n"),
            weird(1)
        );
        assert_eq!(
            root(ActivatorKind::Fish, "set -gx VIRTUAL_ENV \"/tmp/actv/we ird'q$HOME/v\"\n"),
            weird(1)
        );
        assert_eq!(
            root(ActivatorKind::Fish, "set -gx VIRTUAL_ENV '/tmp/actv/we ird'\"'\"'q$HOME/v'\n"),
            weird(1)
        );
        assert_eq!(
            root(ActivatorKind::Fish, "set -gx VIRTUAL_ENV '/tmp/actv/we ird'\\''q$HOME/v'\n"),
            weird(1)
        );
    }

    #[test]
    fn reads_cmd() {
        let cmd = |text: &str| root(ActivatorKind::Cmd, text);
        let expected = Some((r"C:\My 100%\v".to_owned(), 1));
        assert_eq!(cmd("set VIRTUAL_ENV=C:\\My 100%%\\v\r\n"), expected);
        assert_eq!(cmd("@set \"VIRTUAL_ENV=C:\\My 100%%\\v\"\r\n"), expected);
        assert_eq!(cmd("@for %%i in (\"C:\\My 100%%\\v\") do @set \"VIRTUAL_ENV=%%~fi\"\r\n"), expected);
        assert_eq!(
            cmd("@for %%i in (\"/tmp/actv/we ird'q$HOME/v\") do @set \"VIRTUAL_ENV=%%~fi\"\n"),
            weird(1)
        );
        assert_eq!(cmd("@for %%d in (\"%VIRTUAL_ENV%\") do @set \"VIRTUAL_ENV_PROMPT=%%~nxd\"\n"), None);
        assert_eq!(cmd("@set \"VIRTUAL_ENV_PROMPT=/a\"\nset\n"), None);
    }

    #[test]
    fn reads_nushell_and_xonsh() {
        let nushell = |text: &str| root(ActivatorKind::Nushell, text);
        assert_eq!(nushell("    let virtual_env = r#'/tmp/actv/we ird'q$HOME/v'#\n"), weird(1));
        assert_eq!(nushell("    let virtual_env = r##'/tmp/actv/we ird'q$HOME/v'##\n"), weird(1));
        assert_eq!(nushell("    const virtual_env = '/tmp/actv/we ird'\"'\"'q$HOME/v'\n"), weird(1));
        assert_eq!(nushell("    let virtual_env = r#'/open\n"), None);
        let xonsh = |text: &str| root(ActivatorKind::Xonsh, text);
        assert_eq!(
            xonsh("            self.embedded_virtual_env = \"/tmp/actv/we ird'q$HOME/v\"\n"),
            weird(1)
        );
        assert_eq!(xonsh("$VIRTUAL_ENV = r\"C:\\a b\"\n"), Some(("C:\\a b".into(), 1)));
        assert_eq!(xonsh("        $VIRTUAL_ENV = self.embedded_virtual_env\n"), None);
    }

    #[test]
    fn keeps_bytes_that_are_not_utf8() {
        let baked = baked_root(ActivatorKind::Posix, b"VIRTUAL_ENV='/caf\xe9'\n").unwrap();
        assert_eq!(baked.root.as_bytes(), b"/caf\xe9");
    }

    #[test]
    fn knows_the_file_names() {
        assert_eq!(ActivatorKind::from_file_name(b"Activate.ps1"), Some(ActivatorKind::PowerShell));
        assert_eq!(ActivatorKind::from_file_name(b"activate"), Some(ActivatorKind::Posix));
        assert_eq!(ActivatorKind::from_file_name(b"activate-global-python-argcomplete"), None);
    }

    #[test]
    fn survives_anything() {
        let starts = [
            (ActivatorKind::Posix, &b"VIRTUAL_ENV="[..]),
            (ActivatorKind::Posix, b"VIRTUAL_ENV=$(cygpath "),
            (ActivatorKind::Csh, b"setenv VIRTUAL_ENV "),
            (ActivatorKind::Fish, b"set -gx VIRTUAL_ENV '"),
            (ActivatorKind::Cmd, b"@for %%i in (\""),
            (ActivatorKind::Cmd, b"set \""),
            (ActivatorKind::Nushell, b"let virtual_env = r#"),
            (ActivatorKind::Xonsh, b"$VIRTUAL_ENV = "),
        ];
        for (kind, start) in starts {
            assert_eq!(baked_root(kind, start), None);
            for seed in 0..100 {
                let bytes = [start, &crate::parse::noise(seed, 100)].concat();
                baked_root(kind, &bytes);
            }
        }
    }
}
