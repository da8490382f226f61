#![no_main]

use venv_doctor_fuzz::parsers::parser;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(parser) = parser("shell_word") {
        (parser.run)(bytes);
    }
});
