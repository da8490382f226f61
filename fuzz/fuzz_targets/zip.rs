#![no_main]

use venv_doctor_fuzz::parsers::parser;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (parser("zip").expect("a parser of this name").run)(bytes));
