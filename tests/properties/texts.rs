//! Any bytes, for every parser; and what is written by one side is read by the other.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use venv_doctor::parse::record;
use venv_doctor::parse::shell_word::{self, first_word};
use venv_doctor::report::Dialect;

use super::parsers::{PARSERS, Parser};
use super::reliability::attempt;
use super::{cases, runner, usual};

/// Pieces of what the parsers look for: bytes alone seldom lead far into one.
const PIECES: [&[u8]; 62] = [
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xe9",
    b"\"",
    b"'",
    b"`",
    b"\\",
    b"\\\n",
    b"=",
    b" = ",
    b":",
    b",",
    b"#",
    b"[",
    b"]",
    b"{",
    b"}",
    b"(",
    b")",
    b"$(",
    b"<<EOF\n",
    b"&&",
    b"|",
    b"home = /usr/bin\n",
    b"home",
    b"#!/usr/bin/env -S python3 -E\n",
    b"#!",
    b"/bin/sh\n'''exec' \"/x/python\" \"$0\" \"$@\"\n",
    b"Name: x\nVersion: 1\n",
    b"Requires-Dist: a[b]>=1; extra == 'c'\n",
    b"sha256=",
    b"import ",
    b"from . import (x)\n",
    b"setup(install_requires=[\"a\"], python_requires='>3')\n",
    b"RUN pip install x\n",
    b"\tsudo pip install -r y\n",
    b"source .venv/bin/activate\n",
    b"VIRTUAL_ENV=\"/x\"\n",
    b"script:\n  - ",
    b"```sh\n",
    b"pip install a -e .\n",
    b"[tool.venv-doctor]\nselect = [\"activation\"]\n",
    b"ignore = {}\n",
    b"timeout = 1e400\n",
    b"DIRC\0\0\0\x02\0\0\0\x01",
    b"DIRC\0\0\0\x04\0\0\0\x02",
    b"\x7fELF\x02\x01\x01\0",
    b"MZ",
    b"\xcf\xfa\xed\xfe",
    b"PK\x05\x06",
    b"PK\x01\x02",
    b"UVUV",
    b"Traceback (most recent call last):\n  File \"/x/y.py\", line 1, in <module>\n",
    b"ModuleNotFoundError: No module named 'x.y'\n",
    b"{\"prefix\":\"/usr\",\"version\":[3,11,2]}",
    b"// c\n",
    b"/* ",
    b"\xf0\x9f\x90\x8d",
];

fn texts() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => proptest::sample::select(PIECES.to_vec()).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..12),
        1 => "[a-z./_ =-]{0,12}".prop_map(String::into_bytes),
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Those that read facts or build machines take longer.
fn is_slow(parser: &Parser) -> bool {
    ["machine", "python", "snapshot"].contains(&parser.name)
}

#[test]
fn any_bytes_are_read_by_every_parser() {
    let mut tried = 0;
    for parser in PARSERS {
        let number = cases(if is_slow(parser) { 30 } else { 250 });
        let result = runner(number).run(&texts(), |bytes| {
            (parser.run)(&bytes);
            Ok(())
        });
        if let Err(error) = result {
            panic!("{}: {error}", parser.name);
        }
        tried += number;
    }
    if usual() {
        attempt("Properties", "any bytes for every parser").of(tried as usize);
    }
}

#[test]
fn each_parser_is_a_target_of_the_fuzzer() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    let mut targets: Vec<String> = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(fs::read_to_string(path).unwrap().contains(&format!("parser({name:?})")), "{name}");
        targets.push(name);
    }
    targets.sort();
    assert_eq!(targets, PARSERS.iter().map(|parser| parser.name).collect::<Vec<_>>());
}

/// Python's `csv.writer`, as installers call it (QUOTE_MINIMAL).
fn csv_field(bytes: &[u8]) -> Vec<u8> {
    if !bytes.iter().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n')) {
        return bytes.to_vec();
    }
    let mut quoted = vec![b'"'];
    for byte in bytes {
        quoted.extend(if *byte == b'"' { &b"\"\""[..] } else { std::slice::from_ref(byte) });
    }
    quoted.push(b'"');
    quoted
}

#[test]
fn a_record_of_any_names_is_read_as_it_was_written() {
    let names = vec(vec(any::<u8>(), 1..40), 0..20);
    let number = cases(300);
    runner(number)
        .run(&names, |names| {
            prop_assume!(names.first().is_none_or(|name| !name.starts_with(b"\xef\xbb\xbf")));
            let mut text = Vec::new();
            for name in &names {
                text.extend(csv_field(name));
                text.extend_from_slice(b",sha256=x,1\r\n");
            }
            let read: Vec<Vec<u8>> = record::entries(&text).map(|entry| entry.path.into_owned()).collect();
            prop_assert_eq!(read, names);
            Ok(())
        })
        .unwrap();
    if usual() {
        attempt("Properties", "RECORD of any names, written and read back").of(number as usize);
    }
}

#[test]
fn a_word_quoted_for_a_shell_is_read_back() {
    use venv_doctor::facts::platform::System;
    use venv_doctor::facts::shell::ShellKind;
    // other characters may be written by their numbers, for the shell alone to read (`tests/quoting.rs`)
    let word = "[ -~\u{c0}-\u{17f}\u{4e00}-\u{4eff}]{0,30}";
    let number = cases(500);
    runner(number)
        .run(&word, |word| {
            let shells =
                [(ShellKind::Bash, shell_word::Dialect::Posix), (ShellKind::Fish, shell_word::Dialect::Fish)];
            for (kind, reader) in shells {
                let quoted = Dialect::new(Some(kind), System::Linux).quote(word.as_bytes());
                let read = first_word(quoted.as_bytes(), reader).map(|read| read.bytes);
                prop_assert_eq!(read.as_deref(), Some(word.as_bytes()), "{:?} writes {}", kind, quoted);
            }
            Ok(())
        })
        .unwrap();
    if usual() {
        attempt("Properties", "words quoted for a shell, read back").of(number as usize);
    }
}
