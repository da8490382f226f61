//! `pyvenv.cfg` as getpath reads it: by C until 3.10, by getpath.py since. (`site.py` reads it once more,
//! its own way.)

use super::super::place::Place;
use super::super::predict::Fatal;
use crate::host::FileError;

/// The C scanner's line buffer: a longer line ends the scan.
const LINE_LIMIT: usize = 8191;
/// `MAXPATHLEN * 8` of `getpath_readlines`.
const FILE_LIMIT: usize = 32_768;
/// The C scanner has no limit of its own.
const SCAN_LIMIT: usize = 1 << 20;

/// `_Py_find_env_config_value` (Python/fileutils.c until 3.10) for `home`. Err: the file cannot be opened.
pub(super) fn scan_home(place: &Place, file: &[u8]) -> Result<Option<Vec<u8>>, FileError> {
    let contents = match place.read(file, SCAN_LIMIT) {
        // fopen(3) opens a directory, and reading it yields nothing.
        Err(FileError::NotAFile) => return Ok(None),
        contents => contents?,
    };
    for line in contents.bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.len() > LINE_LIMIT || !line.ends_with(b"\n") || line.contains(&0) {
            return Ok(None);
        }
        if let Some(value) = scan_line(line) {
            return Ok(Some(value.to_vec()));
        }
    }
    Ok(None)
}

/// Three calls of `wcstok`: the key, a lone `=`, and the rest of the line behind one blank.
fn scan_line(line: &[u8]) -> Option<&[u8]> {
    if line.starts_with(b"#") {
        return None;
    }
    let (key, rest) = token(line, b" \t\r\n")?;
    let (equals, rest) = token(rest, b" \t").filter(|_| key == b"home")?;
    let (value, _) = token(rest, b"\r\n").filter(|_| equals == b"=")?;
    Some(value)
}

fn token<'a>(text: &'a [u8], delimiters: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let start = text.iter().position(|byte| !delimiters.contains(byte))?;
    let text = &text[start..];
    let end = text.iter().position(|byte| delimiters.contains(byte)).unwrap_or(text.len());
    Some((&text[..end], text.get(end + 1..).unwrap_or_default()))
}

/// What getpath.py's `readlines` gives.
pub(super) enum Lines {
    Read(Vec<Vec<u8>>),
    /// Missing or not permitted: the next candidate is tried.
    Skipped,
}

/// `getpath_readlines` (Modules/getpath.c, 3.11+): UTF-8 with escapes, cut at a NUL, 32 KB at most.
pub(super) fn read_lines(place: &Place, file: &[u8]) -> Result<Lines, Fatal> {
    let contents = match place.read(file, FILE_LIMIT) {
        Ok(contents) => contents,
        Err(FileError::Missing | FileError::Denied) => return Ok(Lines::Skipped),
        Err(FileError::NotAFile) => return Ok(Lines::Read(Vec::new())),
        Err(why) => return Err(Fatal::ConfigUnreadable { file: file.into(), why: why.to_string() }),
    };
    if contents.bytes.len() >= FILE_LIMIT {
        return Err(Fatal::ConfigTooLarge { file: file.into() });
    }
    let text = contents.bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let trim = |line: &[u8]| {
        let end = line.iter().rposition(|byte| *byte != b'\r' && *byte != b'\n').map_or(0, |at| at + 1);
        line[..end].to_vec()
    };
    Ok(Lines::Read(text.split(|byte| *byte == b'\n').map(trim).collect()))
}

/// The value of the first `home` line, as getpath.py finds it.
pub(super) fn first_home(lines: &[Vec<u8>]) -> Option<Vec<u8>> {
    lines.iter().find_map(|line| {
        let at = line.iter().position(|byte| *byte == b'=')?;
        let key = strip(&line[..at]);
        key.eq_ignore_ascii_case(b"home").then(|| strip(&line[at + 1..]).to_vec())
    })
}

/// `str.strip`: Unicode's blanks where the bytes are UTF-8.
pub(super) fn strip(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Ok(text) => crate::parse::python_literal::strip(text).as_bytes(),
        Err(_) => bytes.trim_ascii(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_scanner_wants_blanks_around_the_equals_sign() {
        assert_eq!(scan_line(b"home = /x\n"), Some(&b"/x"[..]));
        assert_eq!(scan_line(b"  home\t=\t/x y \r\n"), Some(&b"/x y "[..]));
        assert_eq!(scan_line(b"home =  /x\n"), Some(&b" /x"[..]));
        for line in ["home=/x\n", "home= /x\n", "home =/x\n", "HOME = /x\n", "# home = /x\n", "home = \n"] {
            assert_eq!(scan_line(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn getpath_py_takes_the_first_home_of_any_case() {
        let lines = [b"# home = /c".to_vec(), b" HOME= /a ".to_vec(), b"home = /b".to_vec()];
        assert_eq!(first_home(&lines), Some(b"/a".to_vec()));
        assert_eq!(first_home(&[b"home".to_vec()]), None);
    }
}
