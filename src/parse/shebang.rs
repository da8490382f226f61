//! The first lines of a script: which interpreter the kernel starts, and which one the author meant.
//!
//! Kernel: `fs/binfmt_script.c` of Linux (macOS is alike in what matters here). Trampolines: distlib's
//! `ScriptMaker._build_shebang`, copied by pip and virtualenv; uv's `format_shebang`.

use serde::{Deserialize, Serialize};

use super::raw::RawBytes;
use super::shell_word::{Dialect, Quoting, first_word};
use super::{find, lines};

/// More of a script than this is not looked at.
pub const READ_LIMIT: usize = 4096;

/// Linux before 5.1 cuts the line here, newline included; distlib and uv keep below it.
pub const OLD_LINE_LIMIT: usize = 127;

/// A script's beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    pub shebang: Shebang,
    /// Bytes of line 1, its end (`\n` or `\r\n`) not counted.
    pub line_length: usize,
    /// Line 1 ends with `\r\n`: the kernel takes the `\r` as part of the last word.
    pub crlf: bool,
    /// A byte order mark precedes the `#!`, which the kernel then does not see.
    pub byte_order_mark: bool,
    /// Line 1 does not end within [`READ_LIMIT`].
    pub cut: bool,
}

/// The directive itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Shebang {
    /// No `#!`, or nothing behind it.
    None,
    Plain {
        /// What the kernel starts: up to the first blank.
        interpreter: RawBytes,
        /// The rest of the line, which the interpreter gets as one argument.
        argument: Option<RawBytes>,
        /// The path with blanks that the author meant, where the first word is only its beginning.
        intended: Option<RawBytes>,
    },
    /// `#!/usr/bin/env python3`
    Env {
        env: RawBytes,
        program: RawBytes,
        /// What follows the program. Without `-S` the kernel hands it over in one piece with the program,
        /// and env finds no program of that name.
        arguments: Vec<RawBytes>,
        /// `NAME=value` before the program.
        assignments: Vec<RawBytes>,
        /// `-S` or `--split-string` is given.
        split: bool,
    },
    /// `#!/bin/sh`, then `'''exec' PATH "$0" "$@"`: for paths that the kernel cannot take.
    Trampoline { interpreter: RawBytes, quoting: Quoting },
    /// uv's: the interpreter of this name that lies beside the script.
    RelocatableTrampoline { name: RawBytes },
}

pub fn parse(bytes: &[u8]) -> Script {
    let bytes = bytes.get(..READ_LIMIT).unwrap_or(bytes);
    let byte_order_mark = bytes.starts_with(b"\xef\xbb\xbf#!");
    let bytes = if byte_order_mark { bytes.get(3..).unwrap_or_default() } else { bytes };
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let cut = end.is_none() && bytes.len() >= READ_LIMIT - 3;
    let raw = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
    let line = raw.strip_suffix(b"\r").unwrap_or(raw);
    let crlf = end.is_some() && line.len() < raw.len();
    let rest = end.and_then(|end| bytes.get(end + 1..)).unwrap_or_default();
    let shebang = match line.strip_prefix(b"#!") {
        Some(directive) => read(trim(directive), rest),
        None => Shebang::None,
    };
    Script { shebang, line_length: line.len(), crlf, byte_order_mark, cut }
}

impl Script {
    /// The path or bare name that the kernel would start, `\r` included.
    pub fn executed(&self) -> Option<Vec<u8>> {
        let (word, last) = match &self.shebang {
            Shebang::Plain { interpreter, argument, .. } => (interpreter.as_bytes(), argument.is_none()),
            Shebang::Env { env, .. } => (env.as_bytes(), false),
            Shebang::Trampoline { .. } | Shebang::RelocatableTrampoline { .. } => {
                return Some(b"/bin/sh".to_vec());
            }
            Shebang::None => return None,
        };
        let mut word = word.to_vec();
        if last && self.crlf {
            word.push(b'\r');
        }
        Some(word)
    }

    /// The interpreter that the author meant: a path, or the bare name that `env` looks up.
    pub fn interpreter(&self) -> Option<&RawBytes> {
        match &self.shebang {
            Shebang::Plain { interpreter, intended, .. } => Some(intended.as_ref().unwrap_or(interpreter)),
            Shebang::Env { program, .. } => Some(program),
            Shebang::Trampoline { interpreter, .. } => Some(interpreter),
            Shebang::RelocatableTrampoline { name } => Some(name),
            Shebang::None => None,
        }
    }
}

fn blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trim(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !blank(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    bytes.get(start..end).unwrap_or_default()
}

/// The first word and what follows it, without the blanks between.
fn split_word(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(blank).unwrap_or(bytes.len());
    let (word, rest) = bytes.split_at(end);
    (word, trim(rest))
}

fn read(directive: &[u8], next_lines: &[u8]) -> Shebang {
    if directive.is_empty() {
        return Shebang::None;
    }
    let (word, rest) = split_word(directive);
    match base_name(word) {
        b"env" if !rest.is_empty() => return env(word, rest),
        b"sh" if rest.is_empty() => {
            if let Some(trampoline) = trampoline(next_lines) {
                return trampoline;
            }
        }
        _ => {}
    }
    Shebang::Plain {
        interpreter: word.into(),
        argument: (!rest.is_empty()).then(|| rest.into()),
        intended: intended(directive, rest).map(RawBytes::from),
    }
}

fn env(env: &[u8], rest: &[u8]) -> Shebang {
    let mut split = false;
    let mut assignments = Vec::new();
    let mut rest = rest;
    let program = loop {
        let (word, behind) = split_word(rest);
        if let Some(attached) = word.strip_prefix(b"--split-string=") {
            split = true;
            rest = rest.get(word.len() - attached.len()..).unwrap_or_default();
        } else if word == b"--split-string" || is_split_flag(word) {
            split = true;
            rest = behind;
        } else if let Some(attached) = word.strip_prefix(b"-S").filter(|attached| !attached.is_empty()) {
            split = true;
            rest = rest.get(word.len() - attached.len()..).unwrap_or_default();
        } else if matches!(word, b"-u" | b"-C" | b"--unset" | b"--chdir") {
            rest = split_word(behind).1;
        } else if word.starts_with(b"-") {
            rest = behind;
        } else if word.contains(&b'=') && !word.starts_with(b"=") {
            assignments.push(word.into());
            rest = behind;
        } else {
            rest = behind;
            break word;
        }
    };
    let arguments = rest.split(blank).filter(|word| !word.is_empty()).map(RawBytes::from).collect::<Vec<_>>();
    Shebang::Env { env: env.into(), program: program.into(), arguments, assignments, split }
}

/// `-S`, or a cluster that ends with it: `-vS`, `-iS`.
fn is_split_flag(word: &[u8]) -> bool {
    matches!(word, [b'-', flags @ .., b'S'] if flags.iter().all(|flag| matches!(flag, b'i' | b'v' | b'0')))
}

fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// Whether the last part of a path, or a bare name, is a Python's.
pub fn names_python(path: &[u8]) -> bool {
    is_python_name(path.rsplit(|byte| *byte == b'/').next().unwrap_or(path))
}

/// `python`, `python3.12`, `python3.13t`, `pypy3`, `pythonw.exe` and the like.
pub fn is_python_name(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".exe").unwrap_or(name);
    let lower = name.to_ascii_lowercase();
    let Some(rest) =
        ["python", "pypy", "graalpy"].iter().find_map(|stem| lower.strip_prefix(stem.as_bytes()))
    else {
        return false;
    };
    rest.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b't' | b'd' | b'm' | b'u' | b'w'))
}

/// The longest beginning of the line that is a path with blanks and ends in a Python, where what follows
/// the first blank is no option and no path of its own.
fn intended<'line>(directive: &'line [u8], argument: &[u8]) -> Option<&'line [u8]> {
    if !directive.starts_with(b"/")
        || argument.starts_with(b"-")
        || argument.starts_with(b"/")
        || !argument.contains(&b'/')
    {
        return None;
    }
    let ends = directive.iter().enumerate().filter(|(_, byte)| blank(byte)).map(|(at, _)| at).skip(1);
    let candidates = ends.chain([directive.len()]).filter_map(|end| directive.get(..end));
    candidates.filter(|path| is_python_name(base_name(path))).last()
}

fn trampoline(next_lines: &[u8]) -> Option<Shebang> {
    let (_, line) = lines(next_lines).next()?;
    let words = [&b"'''exec'"[..], b"\"exec\"", b"\"\"\"exec\""];
    let rest = words.iter().find_map(|word| line.strip_prefix(*word))?;
    let rest = rest.first().filter(|byte| blank(byte)).map(|_| trim(rest))?;
    if rest.starts_with(b"\"$(") || rest.starts_with(b"$(") {
        let separator = b")\"/";
        let name = rest.get(find(rest, separator)? + separator.len()..)?;
        let name = first_word(name, Dialect::Posix)?.bytes;
        return Some(Shebang::RelocatableTrampoline { name: name.into() });
    }
    let word = first_word(rest, Dialect::Posix)?;
    let interpreter = match word.quoting {
        // distlib puts the quotes around the path as it is
        Quoting::Double => rest.get(1..word.length - 1)?.into(),
        Quoting::Single => word.bytes.into(),
        // sh would cut it at a blank; meant is all that stands before the arguments
        Quoting::Bare => rest.get(..find(rest, b" \"$0\"").unwrap_or(word.length))?.into(),
    };
    Some(Shebang::Trampoline { interpreter, quoting: word.quoting })
}

/// The module that a generated entry script imports its function from: `pkg.mod` of
/// `from pkg.mod import main`. None for setuptools' older kinds, which look it up when they run.
pub fn imported_module(text: &str) -> Option<String> {
    text.lines().take(MANY_LINES).find_map(|line| {
        let (module, names) = line.strip_prefix("from ")?.split_once(" import ")?;
        let module = module.trim();
        let dotted = module.split('.').all(|part| {
            part.chars().next().is_some_and(|first| first == '_' || first.is_alphabetic())
                && part.chars().all(|letter| letter == '_' || letter.is_alphanumeric())
        });
        let infrastructure = module == "__future__"
            || ["load_entry_point", "distribution"].contains(&names.trim())
            || module.starts_with("importlib");
        (dotted && !infrastructure).then(|| module.to_owned())
    })
}

/// Whether this is a script that an installer generated from an entry point: the templates of distlib, pip,
/// uv, installer and setuptools.
pub fn is_entry_script(text: &str) -> bool {
    let mut main = false;
    let mut exit = false;
    let mut source = text.lines().next().is_some_and(|line| line.contains("# EASY-INSTALL-"));
    for line in text.lines().take(MANY_LINES) {
        let line = line.trim();
        main |= line.starts_with("if __name__ == ");
        exit |= line.starts_with("sys.exit(") || line.starts_with("exit(") || line.contains("= sys.exit(");
        source |= line.starts_with("from ") && line.contains(" import ");
        source |= line.starts_with("# EASY-INSTALL-") || line.contains("load_entry_point(");
    }
    main && exit && source
}

/// A generated script has a dozen lines; setuptools' longest some forty.
const MANY_LINES: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(interpreter: &str, argument: Option<&str>, intended: Option<&str>) -> Shebang {
        Shebang::Plain {
            interpreter: interpreter.into(),
            argument: argument.map(RawBytes::from),
            intended: intended.map(RawBytes::from),
        }
    }

    fn shebang(text: &str) -> Shebang {
        parse(text.as_bytes()).shebang
    }

    #[test]
    fn reads_the_kernels_way() {
        let script = parse(b"#!/v/bin/python\nimport x\n");
        assert_eq!(script.shebang, plain("/v/bin/python", None, None));
        assert_eq!((script.line_length, script.crlf, script.cut), (15, false, false));
        assert_eq!(script.executed().as_deref(), Some(&b"/v/bin/python"[..]));
        assert_eq!(shebang("#! \t/v/bin/python -E -s \n"), plain("/v/bin/python", Some("-E -s"), None));
        assert_eq!(shebang("#!python3\n"), plain("python3", None, None));
        for none in ["", "#", "#!", "#!  \n", "import x\n", " #!/x\n"] {
            assert_eq!(shebang(none), Shebang::None, "{none:?}");
            assert_eq!(parse(none.as_bytes()).interpreter(), None);
        }
    }

    #[test]
    fn a_carriage_return_belongs_to_the_last_word() {
        let script = parse(b"#!/v/bin/python\r\n");
        assert!(script.crlf);
        assert_eq!(script.line_length, 15);
        assert_eq!(script.executed().as_deref(), Some(&b"/v/bin/python\r"[..]));
        assert_eq!(script.interpreter(), Some(&"/v/bin/python".into()));
        assert_eq!(parse(b"#!/v/bin/python -E\r\n").executed().as_deref(), Some(&b"/v/bin/python"[..]));
    }

    #[test]
    fn sees_the_path_with_blanks_that_was_meant() {
        let path = "/home/My Project/.venv/bin/python";
        let meant = Some(path);
        assert_eq!(
            shebang(&format!("#!{path}\n")),
            plain("/home/My", Some("Project/.venv/bin/python"), meant)
        );
        assert_eq!(
            shebang(&format!("#!{path} -E\n")),
            plain("/home/My", Some("Project/.venv/bin/python -E"), meant)
        );
        let script = parse(b"#!/a python/b c/bin/python3.12\n");
        assert_eq!(script.interpreter(), Some(&"/a python/b c/bin/python3.12".into()));
        assert_eq!(script.executed().as_deref(), Some(&b"/a"[..]));
        for healthy in
            ["#!/v/bin/python -c /x/python\n", "#!/bin/sh -e\n", "#!/bin/sh /x/python\n", "#!/x y\n"]
        {
            let Shebang::Plain { intended, .. } = shebang(healthy) else { panic!("{healthy}") };
            assert_eq!(intended, None, "{healthy}");
        }
    }

    #[test]
    fn reads_env() {
        let env = |program: &str, arguments: &[&str], assignments: &[&str], split| Shebang::Env {
            env: "/usr/bin/env".into(),
            program: program.into(),
            arguments: arguments.iter().map(RawBytes::from).collect(),
            assignments: assignments.iter().map(RawBytes::from).collect(),
            split,
        };
        assert_eq!(shebang("#!/usr/bin/env python3\n"), env("python3", &[], &[], false));
        assert_eq!(shebang("#!/usr/bin/env python3 -u\n"), env("python3", &["-u"], &[], false));
        assert_eq!(shebang("#!/usr/bin/env -S python3 -u\n"), env("python3", &["-u"], &[], true));
        assert_eq!(shebang("#!/usr/bin/env -Spython3\n"), env("python3", &[], &[], true));
        assert_eq!(shebang("#!/usr/bin/env -vS A=1 python3\n"), env("python3", &[], &["A=1"], true));
        assert_eq!(
            shebang("#!/usr/bin/env --split-string=uv run --script\n"),
            env("uv", &["run", "--script"], &[], true)
        );
        assert_eq!(shebang("#!/usr/bin/env -S -u HOME python\n"), env("python", &[], &[], true));
        assert_eq!(shebang("#!/usr/bin/env -S\n"), env("", &[], &[], true));
        assert_eq!(shebang("#!/usr/bin/env\n"), plain("/usr/bin/env", None, None));
    }

    #[test]
    fn reads_trampolines() {
        let trampoline =
            |interpreter: &str, quoting| Shebang::Trampoline { interpreter: interpreter.into(), quoting };
        assert_eq!(
            shebang(
                "#!/bin/sh\n'''exec' \"/tmp/we ird'q$HOME/bin/python\" \"$0\" \"$@\"\n' '''\nimport re\n"
            ),
            trampoline("/tmp/we ird'q$HOME/bin/python", Quoting::Double)
        );
        assert_eq!(
            shebang("#!/bin/sh\n'''exec' '/tmp/we ird'\"'\"'q/bin/python' \"$0\" \"$@\"\n' '''\n"),
            trampoline("/tmp/we ird'q/bin/python", Quoting::Single)
        );
        assert_eq!(
            shebang("#!/bin/sh\n'''exec' /long/bin/python3 \"$0\" \"$@\"\n' '''\n"),
            trampoline("/long/bin/python3", Quoting::Bare)
        );
        assert_eq!(
            shebang(
                "#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python' \"$0\" \"$@\"\n' '''\n"
            ),
            Shebang::RelocatableTrampoline { name: "python".into() }
        );
        assert_eq!(
            shebang("#!/bin/sh\n'''exec' /tmp/we ird/bin/python \"$0\" \"$@\"\n' '''\n"),
            trampoline("/tmp/we ird/bin/python", Quoting::Bare)
        );
        assert_eq!(shebang("#!/bin/sh\nexec python\n"), plain("/bin/sh", None, None));
        assert_eq!(shebang("#!/bin/sh\n'''exec' \"/open\n"), plain("/bin/sh", None, None));
        assert_eq!(shebang("#!/bin/sh\n'''exec'\n"), plain("/bin/sh", None, None));
    }

    #[test]
    fn notices_a_mark_and_an_endless_line() {
        let script = parse(b"\xef\xbb\xbf#!/v/bin/python\n");
        assert!(script.byte_order_mark);
        assert_eq!(script.interpreter(), Some(&"/v/bin/python".into()));
        assert!(parse(format!("#!/{}", "a".repeat(10_000)).as_bytes()).cut);
        assert!(!parse(b"#!/a").cut);
    }

    #[test]
    fn knows_generated_scripts() {
        let distlib = "#!/v/bin/python\n# -*- coding: utf-8 -*-\nimport re\nimport sys\nfrom demoapp.cli import main\nif __name__ == '__main__':\n    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])\n    sys.exit(main())\n";
        assert_eq!(imported_module(distlib).as_deref(), Some("demoapp.cli"));
        assert!(is_entry_script(distlib));
        let setuptools = "#!/v/bin/python\n# EASY-INSTALL-ENTRY-SCRIPT: 'demo','console_scripts','demo'\n__requires__ = 'demo'\nimport re\nimport sys\nfrom pkg_resources import load_entry_point\n\nif __name__ == '__main__':\n    sys.exit(\n        load_entry_point('demo', 'console_scripts', 'demo')()\n    )\n";
        assert_eq!(imported_module(setuptools), None);
        assert!(is_entry_script(setuptools));
        let own = "#!/usr/bin/env python\nimport os\nprint(os.name)\n";
        assert_eq!(imported_module(own), None);
        assert!(!is_entry_script(own));
        assert_eq!(imported_module("from . import a\nfrom __future__ import annotations\n"), None);
    }

    #[test]
    fn knows_pythons_names() {
        for name in ["python", "python3", "python3.13t", "pypy3.10", "pythonw.exe", "Python", "python3.7m"] {
            assert!(is_python_name(name.as_bytes()), "{name}");
        }
        for name in ["", "sh", "python-config", "ipython", "pythonista"] {
            assert!(!is_python_name(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn survives_anything() {
        for seed in 0..300 {
            let mut bytes = b"#!/bin/sh\n'''exec' ".to_vec();
            bytes.truncate(seed as usize % 20);
            bytes.extend(crate::parse::noise(seed, 200));
            let script = parse(&bytes);
            let _ = (script.executed(), script.interpreter());
        }
        let bytes = b"#!/usr/bin/env -S -u\n";
        assert!(matches!(parse(bytes).shebang, Shebang::Env { program, .. } if program.is_empty()));
    }
}
