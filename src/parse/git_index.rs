//! `.git/index`: which files git tracks (gitformat-index(5)), versions 2, 3 and 4.

/// How many tracked paths lie below the directory `prefix` (relative to the work tree, `/` between names, with
/// or without one at the end). None when the index is damaged, cut or of an unknown version.
pub fn tracked_below(bytes: &[u8], prefix: &[u8]) -> Option<usize> {
    let prefix = prefix.strip_suffix(b"/").unwrap_or(prefix);
    fold(bytes, |below: &mut usize, path| *below += usize::from(is_below(path, prefix)))
}

/// Shows every tracked path to `step`, in the order of the index. None as in [`tracked_below`].
///
/// The hash is taken to be SHA-1, as in all but a few repositories; where that does not work out, SHA-256.
pub fn fold<T: Default>(bytes: &[u8], mut step: impl FnMut(&mut T, &[u8])) -> Option<T> {
    [20, 32].into_iter().find_map(|hash| {
        let mut folded = T::default();
        walk(bytes, hash, |path| step(&mut folded, path))?;
        Some(folded)
    })
}

/// Times, device, inode, mode, owner, group and size precede the hash.
const FIELDS: usize = 40;

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn walk(bytes: &[u8], hash: usize, mut visit: impl FnMut(&[u8])) -> Option<()> {
    let header = bytes.strip_prefix(b"DIRC")?;
    let version = number(header, 0).filter(|version| (2..=4).contains(version))?;
    let entries = number(header, 4)?;
    let mut at = 12;
    // version 4 writes what differs from the path before
    let mut path = Vec::new();
    for _ in 0..entries {
        let mode = number(bytes, at + 24)?;
        if !matches!(mode >> 12, 0o04 | 0o10 | 0o12 | 0o16) {
            return None;
        }
        let flags_at = at + FIELDS + hash;
        let flags = u16::from_be_bytes(*bytes.get(flags_at..)?.first_chunk()?);
        let extended = flags & 0x4000 != 0;
        if extended && version == 2 {
            return None;
        }
        let name_at = flags_at + if extended { 4 } else { 2 };
        if version == 4 {
            let (removed, start) = variable_width(bytes, name_at)?;
            let rest = bytes.get(start..)?;
            let added = rest.get(..rest.iter().position(|byte| *byte == 0)?)?;
            path.truncate(path.len().checked_sub(removed)?);
            // shared beginnings could add up to a path of any length
            if path.len() + added.len() > PATH_LIMIT {
                return None;
            }
            path.extend_from_slice(added);
            visit(&path);
            at = start + added.len() + 1;
        } else {
            let rest = bytes.get(name_at..)?;
            let name = rest.get(..rest.iter().position(|byte| *byte == 0)?)?;
            let stated = usize::from(flags & 0xfff);
            if stated != name.len().min(0xfff) {
                return None;
            }
            visit(name);
            // one to eight NUL bytes pad an entry to a multiple of eight
            at += (name_at + name.len() - at + 8) & !7;
        }
    }
    // the checksum at the end must still be there
    (bytes.len() >= at.checked_add(hash)?).then_some(())
}

const PATH_LIMIT: usize = 64 * 1024;

/// git's offset encoding (`varint.c`): seven bits a byte, each continuation adding one.
fn variable_width(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut byte = *bytes.get(at)?;
    let mut value = usize::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        at += 1;
        byte = *bytes.get(at)?;
        value = value.checked_add(1)?.checked_mul(128)?.checked_add(usize::from(byte & 0x7f))?;
    }
    Some((value, at + 1))
}

fn is_below(path: &[u8], prefix: &[u8]) -> bool {
    prefix.is_empty() || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    fn git(directory: &Path, arguments: &[&str]) -> bool {
        let status = Command::new("git")
            .current_dir(directory)
            .args(["-c", "core.autocrlf=false"])
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .env_remove("GIT_WORK_TREE")
            .output();
        status.is_ok_and(|output| output.status.success())
    }

    /// None where there is no git.
    fn index(version: &str, extended: bool) -> Option<Vec<u8>> {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        if !git(root, &["init", "-q"]) {
            return None;
        }
        std::fs::create_dir_all(root.join(".venv/bin")).unwrap();
        std::fs::create_dir_all(root.join(".venv2")).unwrap();
        for name in [".venv/bin/python", ".venv/pyvenv.cfg", ".venv2/x", "a", "src.py"] {
            std::fs::write(root.join(name), name).unwrap();
        }
        assert!(git(root, &["-c", &format!("index.version={version}"), "add", "-A"]));
        if extended {
            std::fs::write(root.join("later"), "").unwrap();
            assert!(git(root, &["add", "-N", "later"]));
        }
        Some(std::fs::read(root.join(".git/index")).unwrap())
    }

    #[test]
    fn counts_in_every_version() {
        for (wanted, extended, version) in [("2", false, 2), ("2", true, 3), ("4", false, 4), ("4", true, 4)]
        {
            let Some(bytes) = index(wanted, extended) else { return };
            assert_eq!(bytes[7], version);
            assert_eq!(tracked_below(&bytes, b".venv"), Some(2));
            assert_eq!(tracked_below(&bytes, b".venv/"), Some(2));
            assert_eq!(tracked_below(&bytes, b".venv2"), Some(1));
            assert_eq!(tracked_below(&bytes, b".venv/bin"), Some(1));
            assert_eq!(tracked_below(&bytes, b"venv"), Some(0));
            assert_eq!(tracked_below(&bytes, b""), Some(5 + usize::from(extended)));
            for end in 0..bytes.len() {
                tracked_below(&bytes[..end], b".venv");
            }
            for at in 0..bytes.len() {
                let mut broken = bytes.clone();
                broken[at] ^= 0xff;
                tracked_below(&broken, b".venv");
            }
        }
    }

    #[test]
    fn refuses_what_is_no_index() {
        assert_eq!(tracked_below(b"", b"a"), None);
        assert_eq!(tracked_below(b"DIRC\0\0\0\x02\xff\xff\xff\xff", b"a"), None);
        assert_eq!(tracked_below(b"DIRC\0\0\0\x09\0\0\0\0", b"a"), None);
        let empty = [&b"DIRC\0\0\0\x02\0\0\0\0"[..], &[0; 20]].concat();
        assert_eq!(tracked_below(&empty, b"a"), Some(0));
        for seed in 0..200 {
            let noise = crate::parse::noise(seed, 400);
            tracked_below(&[b"DIRC\0\0\0\x04\0\0\0\x09", noise.as_slice()].concat(), b"a");
        }
    }
}
