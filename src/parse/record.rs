//! `RECORD`: comma-separated path, hash and size of every installed file (PEP 376, PEP 427; read by Python's
//! `csv.reader`, so a field may be quoted, with `""` for a quote).

use std::borrow::Cow;

/// One installed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Relative to the directory of packages, with `/`; seldom absolute.
    pub path: Cow<'a, [u8]>,
    /// What stands behind the path's comma.
    rest: &'a [u8],
}

impl<'a> Entry<'a> {
    /// `sha256=...`, empty for what is not hashed.
    pub fn hash(&self) -> Cow<'a, [u8]> {
        field(self.rest).0
    }
}

/// No system opens a longer path (`PATH_MAX` of Linux is 4096).
const PATH_LIMIT: usize = 8192;

/// Without the byte order mark that a file may begin with.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The rows that name a file, in order; what no file can be called is passed over.
pub fn entries(bytes: &[u8]) -> Rows<'_> {
    rows(without_mark(bytes), true)
}

/// The same of a piece of a RECORD: of all but the `last` one the last row may go on in the next piece, and is left.
pub fn rows(piece: &[u8], last: bool) -> Rows<'_> {
    Rows { rest: piece, last }
}

#[derive(Debug)]
pub struct Rows<'a> {
    rest: &'a [u8],
    last: bool,
}

impl<'a> Rows<'a> {
    /// What is not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        while !self.rest.is_empty() {
            let (path, behind, next) = row(self.rest);
            if next.is_empty() && !self.last {
                return None;
            }
            self.rest = next;
            if is_name(&path) {
                return Some(Entry { path, rest: behind });
            }
        }
        None
    }
}

fn is_name(path: &[u8]) -> bool {
    !path.is_empty() && path.len() <= PATH_LIMIT
}

/// The path of the first row, what stands behind its comma, and the rows that follow.
#[inline]
fn row(bytes: &[u8]) -> (Cow<'_, [u8]>, &[u8], &[u8]) {
    match plain(bytes) {
        Some((path, behind, next)) => (Cow::Borrowed(path), behind, next),
        None => any_row(bytes),
    }
}

#[cold]
fn any_row(bytes: &[u8]) -> (Cow<'_, [u8]>, &[u8], &[u8]) {
    let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
    let (line, next) = bytes.split_at(end);
    let comma = memchr::memchr(b',', line);
    let behind = comma.and_then(|at| line.get(at + 1..)).unwrap_or_default();
    if !line.starts_with(b"\"") && !behind.starts_with(b"\"") {
        return match comma {
            Some(at) => (Cow::Borrowed(&line[..at]), behind, next),
            None => (field(line).0, behind, next),
        };
    }
    // a quoted field may hold line ends
    let (path, more) = field(bytes);
    let Some(behind) = more.strip_prefix(b",") else { return (path, &[], after_line(more)) };
    (path, behind, after_line(field(behind).1))
}

/// The same of a row without quotes that has a SHA-256 and a size, or neither, and a line end: told by bytes at places that
/// are known, without a loop whose end the processor would have to guess.
#[inline]
fn plain(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    /// 32 bytes in letters.
    const HASH: usize = 43;
    /// The upper half of each of eight bytes, and what it is in digits.
    const HALVES: u64 = 0xF0F0_F0F0_F0F0_F0F0;
    const DIGITS: u64 = 0x3030_3030_3030_3030;
    if bytes.first() == Some(&b'"') {
        return None;
    }
    let comma = memchr::memchr2(b',', b'\n', bytes)?;
    let (path, rest) = bytes.split_at(comma);
    let rest = rest.strip_prefix(b",")?;
    if let Some(next) = rest.strip_prefix(b",\n") {
        return Some((path, rest, next));
    }
    let (hash, size) = rest.strip_prefix(b"sha256=")?.split_first_chunk::<HASH>()?;
    // quotes, commas and line ends are below all that Base64 is made of
    let least = |part: &[u8; 32]| part.iter().fold(u8::MAX, |least, byte| least.min(*byte));
    if least(hash.first_chunk()?).min(least(hash.last_chunk()?)) < b'+' {
        return None;
    }
    let size = size.strip_prefix(b",")?;
    let others = (u64::from_le_bytes(*size.first_chunk()?) & HALVES) ^ DIGITS;
    let after = size.get(others.trailing_zeros() as usize / 8..)?;
    let next = after.strip_prefix(b"\n").or_else(|| after.strip_prefix(b"\r\n"))?;
    Some((path, rest, next))
}

fn after_line(bytes: &[u8]) -> &[u8] {
    memchr::memchr(b'\n', bytes).map_or(&[], |at| &bytes[at + 1..])
}

/// A field, and what stands behind it, from the comma or line end on.
fn field(bytes: &[u8]) -> (Cow<'_, [u8]>, &[u8]) {
    let Some(mut rest) = bytes.strip_prefix(b"\"") else {
        let end = memchr::memchr3(b',', b'\n', b'\r', bytes).unwrap_or(bytes.len());
        return (Cow::Borrowed(&bytes[..end]), &bytes[end..]);
    };
    let mut value = Vec::new();
    loop {
        let end = memchr::memchr(b'"', rest).unwrap_or(rest.len());
        value.extend_from_slice(&rest[..end]);
        rest = rest.get(end + 1..).unwrap_or_default();
        match rest.strip_prefix(b"\"") {
            Some(more) => {
                value.push(b'"');
                rest = more;
            }
            None => return (Cow::Owned(value), rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        entries(text.as_bytes()).map(|entry| (shown(&entry.path), shown(&entry.hash()))).collect()
    }

    #[test]
    fn reads_plain_and_quoted_rows() {
        let pair = |path: &str, hash: &str| (path.to_owned(), hash.to_owned());
        assert_eq!(
            read("a.py,sha256=x,12\r\n\"b, \"\"c\"\".py\",sha256=y,1\n\na.dist-info/RECORD,,\nlast"),
            [
                pair("a.py", "sha256=x"),
                pair("b, \"c\".py", "sha256=y"),
                pair("a.dist-info/RECORD", ""),
                pair("last", "")
            ]
        );
        assert_eq!(read("\"open"), [pair("open", "")]);
        assert_eq!(read(&format!("{},,\nb.py,,\n", "x/".repeat(5000))), [pair("b.py", "")]);
        assert_eq!(read(""), []);
    }

    #[test]
    fn rows_are_the_same_in_pieces() {
        let hash = "A".repeat(43);
        let text = format!(
            "a.py,sha256={hash},1\r\n\"b\n.py\",sha256={hash},22\nc.py,sha256={},\nd,,\ne.py,sha256={hash}\n,sha256={hash},3\nf.py,sha256={hash},4",
            &hash[2..]
        );
        let whole = read(&text);
        assert_eq!(whole.len(), 6);
        for size in 1..text.len() {
            let (mut found, mut start) = (Vec::new(), 0);
            for end in (size..text.len()).step_by(size).chain([text.len()]) {
                let piece = &text.as_bytes()[start..end];
                let mut rows = rows(piece, end == text.len());
                found.extend(rows.by_ref().map(|entry| {
                    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                    (shown(&entry.path), shown(&entry.hash()))
                }));
                start += piece.len() - rows.rest().len();
            }
            assert_eq!(found, whole, "in pieces of {size}");
        }
    }

    #[test]
    fn a_plain_row_is_read_as_any_is() {
        let hash = "A-_b".repeat(11)[..43].to_owned();
        let short = &hash[1..];
        let mut plain_ones = 0;
        for path in ["a.py", "", "a b/c.so", "\"q\".py", "caf\u{e9}.py", "x/y/z.py"] {
            for behind in [
                format!(",sha256={hash},12345"),
                format!(",sha256={hash},"),
                format!(",sha256={hash},123456789"),
                format!(",sha256={hash}"),
                format!(",sha256={short},1"),
                format!(",sha256={short}\n,1"),
                format!(",sha256={},1\nb.py,12", &hash[..30]),
                format!(",sha256={},1", hash.replace('b', "\"")),
                ",,".to_owned(),
                ",,7".to_owned(),
                String::new(),
            ] {
                for end in ["\n", "\r\n", ""] {
                    let text = format!("{path}{behind}{end}next.py,,\nlast.py,,\n");
                    if let Some((path, behind, next)) = plain(text.as_bytes()) {
                        let (known, same_behind, same_next) = any_row(text.as_bytes());
                        assert_eq!((path, next), (known.as_ref(), same_next), "{text}");
                        assert_eq!(field(behind).0, field(same_behind).0, "{text}");
                        plain_ones += 1;
                    }
                }
            }
        }
        assert!(plain_ones >= 20, "{plain_ones}");
    }

    #[test]
    fn survives_anything() {
        for seed in 0..200 {
            let mut noise = crate::parse::noise(seed, 100);
            noise
                .iter_mut()
                .filter(|byte| **byte < 60)
                .for_each(|byte| *byte = b"\",\n\r"[*byte as usize % 4]);
            assert!(entries(&noise).count() <= 100);
        }
    }
}
