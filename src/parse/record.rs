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
pub fn entries(bytes: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    let mut rest = without_mark(bytes);
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let (path, behind, next) = row(rest);
            rest = next;
            if is_name(&path) {
                return Some(Entry { path, rest: behind });
            }
        }
        None
    })
}

/// Tells the rows that name a file of a piece of a RECORD, in order, and returns how many bytes were read: of all but the
/// `last` piece the last row may go on in the next one.
pub fn rows<'a>(piece: &'a [u8], last: bool, tell: &mut impl FnMut(Entry<'a>)) -> usize {
    let mut rest = piece;
    while !rest.is_empty() {
        let (path, behind, next) = row(rest);
        if next.is_empty() && !last {
            break;
        }
        rest = next;
        if is_name(&path) {
            tell(Entry { path, rest: behind });
        }
    }
    piece.len() - rest.len()
}

fn is_name(path: &[u8]) -> bool {
    !path.is_empty() && path.len() <= PATH_LIMIT
}

/// The path of the first row, what stands behind its comma, and the rows that follow.
fn row(bytes: &[u8]) -> (Cow<'_, [u8]>, &[u8], &[u8]) {
    // nearly all rows: nothing is quoted
    if !bytes.starts_with(b"\"") {
        let stop = memchr::memchr2(b',', b'\n', bytes).unwrap_or(bytes.len());
        let (path, more) = bytes.split_at(stop);
        let Some(more) = more.strip_prefix(b",") else { return (field(path).0, &[], after_line(more)) };
        if let Some(end) = plain_end(more) {
            let (behind, next) = more.split_at(end);
            return (Cow::Borrowed(path), behind, next);
        }
        if !more.starts_with(b"\"") {
            let end = memchr::memchr(b'\n', more).map_or(more.len(), |at| at + 1);
            let (behind, next) = more.split_at(end);
            return (Cow::Borrowed(path), behind, next);
        }
    }
    // a quoted field may hold line ends
    let (path, more) = field(bytes);
    let Some(behind) = more.strip_prefix(b",") else { return (path, &[], after_line(more)) };
    (path, behind, after_line(field(behind).1))
}

/// Where the line ends of which this is what stands behind the path, where it is as nearly all are: a SHA-256 and a size.
/// It is told by a few comparisons, while a search for the line's end takes as long as that for the path's.
fn plain_end(behind: &[u8]) -> Option<usize> {
    /// `sha256=`, and 32 bytes in 43 letters.
    const HASH: usize = 50;
    let (hash, size) = behind.split_at_checked(HASH)?;
    let breaks = hash.iter().fold(false, |breaks, byte| breaks | (*byte == b'\n'));
    if breaks || !hash.starts_with(b"sha256=") || size.first() != Some(&b',') {
        return None;
    }
    size.iter().take(24).position(|byte| *byte == b'\n').map(|at| HASH + at + 1)
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
                start += rows(piece, end == text.len(), &mut |entry| {
                    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                    found.push((shown(&entry.path), shown(&entry.hash())));
                });
            }
            assert_eq!(found, whole, "in pieces of {size}");
        }
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
