//! Shell scripts that stand in for a program: they set variables, at most, and start it with what they were given.

use super::shebang::{self, Shebang};
use super::shell_word::{Dialect, first_word};

/// What such a script starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapper {
    pub program: Vec<u8>,
    /// The program lies in the script's own directory, and [`program`](Wrapper::program) is its name there.
    pub is_beside: bool,
    /// It is told the script's name as its own (`exec -a "$0"`).
    pub keeps_name: bool,
    /// What is exported before, in order.
    pub exports: Vec<(String, Vec<u8>)>,
}

const SHELLS: [&[u8]; 5] = [b"sh", b"bash", b"dash", b"ksh", b"zsh"];
/// How scripts write the directory that they lie in, quotes undone.
const OWN_DIRECTORY: [&[u8]; 3] = [b"$(dirname $0)/", b"$(dirname -- $0)/", b"${0%/*}/"];

/// Follows a script of comments, `set -...`, `export NAME=literal` and, last, `exec [-a "$0"] PROGRAM "$@"`. None: it
/// is none, or it does anything else.
pub fn parse(script: &[u8]) -> Option<Wrapper> {
    let start = shebang::parse(script);
    let shell = match &start.shebang {
        Shebang::Plain { interpreter, .. } => interpreter,
        Shebang::Env { program, arguments, assignments, split, .. }
            if assignments.is_empty() && (*split || arguments.is_empty()) =>
        {
            program
        }
        _ => return None,
    };
    let name = shell.as_bytes().rsplit(|byte| *byte == b'/').next()?;
    // the shell takes a \r for a part of the last word
    if !SHELLS.contains(&name) || start.byte_order_mark || script.contains(&b'\r') {
        return None;
    }
    let lines = script.split(|byte| *byte == b'\n').skip(1).map(<[u8]>::trim_ascii);
    let mut exports = Vec::new();
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with(b"#")) {
        if let Some(rest) = line.strip_prefix(b"exec ") {
            return started(rest.trim_ascii_start(), exports);
        }
        match line.strip_prefix(b"export ") {
            Some(assignment) => exports.push(exported(assignment.trim_ascii_start())?),
            None if line.strip_prefix(b"set ").is_some_and(only_sets_options) => {}
            None => return None,
        }
    }
    None
}

/// `set -eu -o pipefail`: neither another command, nor other arguments (`set -- ...`).
fn only_sets_options(words: &[u8]) -> bool {
    let mut names_one = false;
    words.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).all(|word| {
        let (letters, is_name) = match word {
            _ if names_one => (word, true),
            [b'-' | b'+', letters @ ..] => (letters, false),
            _ => return false,
        };
        names_one = !is_name && letters.ends_with(b"o");
        !letters.is_empty() && letters.iter().all(u8::is_ascii_alphabetic)
    })
}

fn started(mut rest: &[u8], exports: Vec<(String, Vec<u8>)>) -> Option<Wrapper> {
    let own_name = rest.strip_prefix(b"-a ").map(|rest| rest.trim_ascii_start().strip_prefix(b"\"$0\" "));
    let keeps_name = own_name.is_some();
    if let Some(after) = own_name {
        rest = after?.trim_ascii_start();
    }
    let word = first_word(rest, Dialect::Posix)?;
    if rest.get(word.length..)?.trim_ascii() != b"\"$@\"" {
        return None;
    }
    let beside = OWN_DIRECTORY.iter().find_map(|directory| word.bytes.strip_prefix(*directory));
    let program = beside.unwrap_or(&word.bytes).to_vec();
    let is_beside = beside.is_some();
    let known = is_literal(&program) && (is_beside || program.starts_with(b"/"));
    known.then_some(Wrapper { program, is_beside, keeps_name, exports })
}

fn exported(assignment: &[u8]) -> Option<(String, Vec<u8>)> {
    let word = first_word(assignment, Dialect::Posix)?;
    if !assignment.get(word.length..)?.trim_ascii().is_empty() || !is_literal(&word.bytes) {
        return None;
    }
    let at = word.bytes.iter().position(|byte| *byte == b'=')?;
    let name = std::str::from_utf8(&word.bytes[..at]).ok()?;
    Some((name.to_owned(), word.bytes[at + 1..].to_vec()))
}

/// Nothing is left for the shell to expand.
fn is_literal(text: &[u8]) -> bool {
    !text.is_empty() && !text.iter().any(|byte| matches!(byte, b'$' | b'`' | b'*' | b'?' | b'['))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(script: &str) -> Option<(String, bool, bool)> {
        let wrapper = parse(script.as_bytes())?;
        Some((String::from_utf8(wrapper.program).unwrap(), wrapper.is_beside, wrapper.keeps_name))
    }

    #[test]
    fn simple_wrappers_are_followed() {
        let plain = Some(("/py/bin/python3.11".to_owned(), false, false));
        assert_eq!(program("#!/bin/sh\nexec /py/bin/python3.11 \"$@\"\n"), plain);
        assert_eq!(
            program(
                "#!/usr/bin/env bash\n# ours\n\nset -eu -o pipefail\nexec '/py/bin/python3.11'  \"$@\" \n"
            ),
            plain
        );
        let nix = "#! /nix/store/x-bash/bin/bash -e\nexport NIX_PYTHONPREFIX='/nix/store/y-env'\nexport PYTHONNOUSERSITE='true'\nexec -a \"$0\" \"/py/bin/python3.11\"  \"$@\" \n";
        assert_eq!(program(nix), Some(("/py/bin/python3.11".to_owned(), false, true)));
        let exports = parse(nix.as_bytes()).unwrap().exports;
        assert_eq!(exports[1], ("PYTHONNOUSERSITE".to_owned(), b"true".to_vec()));
        let beside = Some(("python3.11".to_owned(), true, false));
        assert_eq!(program("#!/bin/sh\nexec \"$(dirname \"$0\")/python3.11\" \"$@\"\n"), beside);
        assert_eq!(program("#!/bin/sh\nexec \"${0%/*}/python3.11\" \"$@\"\n"), beside);
    }

    #[test]
    fn what_does_more_is_not_followed() {
        for script in [
            "",
            "\x7fELF",
            "#!/usr/bin/python3\nexec /py \"$@\"\n",
            "#!/bin/sh\nexec /py/bin/python3.11 -s \"$@\"\n",
            "#!/bin/sh\nexec \"$HOME/bin/python\" \"$@\"\n",
            "#!/bin/sh\nexec python3 \"$@\"\n",
            "#!/bin/sh\nexec -a other /py/bin/python3.11 \"$@\"\n",
            "#!/bin/sh\nif test -f x; then\nexec /py/bin/python3.11 \"$@\"\nfi\n",
            "#!/bin/sh\nexport PYTHONPATH=\"$PWD\"\nexec /py/bin/python3.11 \"$@\"\n",
            "#!/bin/sh\nexport X='open\nexec /py/bin/python3.11 \"$@\"\n",
            "#!/bin/sh\nexport\nexec",
            "#!/bin/sh\nset -- -m other \"$@\"\nexec /py/bin/python3.11 \"$@\"\n",
            "#!/bin/sh\nset -e; cd /x\nexec /py/bin/python3.11 \"$@\"\n",
            "#!/bin/sh\nset -e -m x\nexec /py/bin/python3.11 \"$@\"\n",
            "#!/bin/sh\r\nexec /py/bin/python3.11 \"$@\"\r\n",
            "#!/bin/sh\nexec /py/bin/python3.11 \"$@\"\r\n",
            "#!/usr/bin/env bash -e\nexec /py/bin/python3.11 \"$@\"\n",
        ] {
            assert_eq!(program(script), None, "{script:?}");
        }
        for seed in 0..200 {
            let noise = crate::parse::noise(seed, 300);
            parse(&noise);
            parse(&[b"#!/bin/sh\nexec ".as_slice(), &noise].concat());
        }
    }
}
