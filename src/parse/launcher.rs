//! The executables that stand for scripts on Windows (`Scripts\*.exe`): which Python they start.
//!
//! - distlib's (pip, setuptools, virtualenv): a program, a line `#!"C:\v\Scripts\python.exe"`, and a zip
//!   with `__main__.py` (distlib `PC/launcher.c`).
//! - uv's trampolines (`crates/uv-trampoline`, `crates/uv-trampoline-builder`): the path in a resource since
//!   0.8; before, at the end of the file with its length and a magic number.
//!
//! `python.exe` as venv itself makes it holds no path: it reads `pyvenv.cfg`.

use object::LittleEndian as LE;
use object::pe;
use object::read::pe::{ImageNtHeaders, PeFile, ResourceDirectory, ResourceDirectoryTable};
use serde::{Deserialize, Serialize};

use crate::path::readable;

use super::{find, find_last};

/// More than the largest launcher with its zip; a caller may read only so much of a file's end.
pub const READ_LIMIT: usize = 512 * 1024;

/// uv refuses longer paths itself.
const PATH_LIMIT: usize = 32 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LauncherKind {
    Distlib,
    /// Runs a script.
    UvScript,
    /// Stands for `python.exe` itself.
    UvPython,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launcher {
    pub kind: LauncherKind,
    /// As it stands there, without quotes. uv's may be relative to the launcher's directory.
    pub interpreter: String,
}

/// Takes a whole file or its last [`READ_LIMIT`] bytes (uv's newer trampolines need the whole). None for
/// other programs.
pub fn parse(bytes: &[u8]) -> Option<Launcher> {
    let tail = bytes.get(bytes.len().saturating_sub(READ_LIMIT)..)?;
    uv_trailer(tail).or_else(|| uv_resource(bytes)).or_else(|| distlib(tail))
}

fn launcher(kind: LauncherKind, interpreter: &[u8]) -> Option<Launcher> {
    let sane = !interpreter.is_empty() && interpreter.len() <= PATH_LIMIT && !interpreter.contains(&0);
    sane.then(|| Launcher { kind, interpreter: readable(interpreter).into_owned() })
}

/// `PATH`, its length as 32 bits (little endian), `UVSC` or `UVPY`.
fn uv_trailer(bytes: &[u8]) -> Option<Launcher> {
    let (rest, magic) = bytes.split_last_chunk::<4>()?;
    let kind = match magic {
        b"UVSC" => LauncherKind::UvScript,
        b"UVPY" => LauncherKind::UvPython,
        _ => return None,
    };
    let (rest, length) = rest.split_last_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    launcher(kind, rest.get(rest.len().checked_sub(length)?..)?)
}

fn uv_resource(bytes: &[u8]) -> Option<Launcher> {
    if !bytes.starts_with(b"MZ") {
        return None;
    }
    resources::<pe::ImageNtHeaders64>(bytes).or_else(|| resources::<pe::ImageNtHeaders32>(bytes))
}

/// RCDATA resources by name: `UV_TRAMPOLINE_KIND` (one byte) and `UV_PYTHON_PATH` (UTF-8).
fn resources<Pe: ImageNtHeaders>(bytes: &[u8]) -> Option<Launcher> {
    let file = PeFile::<Pe>::parse(bytes).ok()?;
    let sections = file.section_table();
    let directory = file.data_directories().resource_directory(bytes, &sections).ok()??;
    let root = directory.root().ok()?;
    let raw_data = root
        .entries
        .iter()
        .find(|entry| entry.name_or_id().id() == Some(RT_RCDATA))
        .and_then(|entry| entry.data(directory).ok()?.table())?;
    let read = |name: &str| {
        let entry = named(&raw_data, directory, name)?.entries.first()?.data(directory).ok()?.data()?;
        let start = sections.pe_data_at(bytes, entry.offset_to_data.get(LE))?;
        start.get(..usize::try_from(entry.size.get(LE)).ok()?)
    };
    let kind = match read("UV_TRAMPOLINE_KIND")?.first()? {
        1 => LauncherKind::UvScript,
        2 => LauncherKind::UvPython,
        _ => return None,
    };
    launcher(kind, read("UV_PYTHON_PATH")?)
}

/// <https://learn.microsoft.com/en-us/windows/win32/menurc/resource-types>
const RT_RCDATA: u16 = 10;

/// A directory holds a handful; a hostile one may claim 65,535, each with a long name.
const MANY_RESOURCES: usize = 64;

fn named<'data>(
    table: &ResourceDirectoryTable<'data>,
    directory: ResourceDirectory<'data>,
    name: &str,
) -> Option<ResourceDirectoryTable<'data>> {
    let entry = table.entries.iter().take(MANY_RESOURCES).find(|entry| {
        let units = entry.name_or_id().name().and_then(|found| found.data(directory).ok());
        units.is_some_and(|units| {
            units.len() == name.len() && units.iter().map(|unit| unit.get(LE)).eq(name.encode_utf16())
        })
    })?;
    entry.data(directory).ok()?.table()
}

/// The last `#!` before the zip, whose first local header the end of its central directory tells.
fn distlib(bytes: &[u8]) -> Option<Launcher> {
    const LOCAL_HEADER: &[u8] = b"PK\x03\x04";
    // the longest path, its quotes and an argument
    const LINE_LIMIT: usize = PATH_LIMIT + 1024;
    let start = zip_start(bytes)
        .filter(|start| bytes.get(*start..).is_some_and(|zip| zip.starts_with(LOCAL_HEADER)))
        .or_else(|| find(bytes, LOCAL_HEADER))?;
    let before = bytes.get(start.saturating_sub(LINE_LIMIT)..start)?;
    let line = before.get(find_last(before, b"#!")? + 2..)?;
    let line = line.get(..find(line, b"\n").unwrap_or(line.len()))?.trim_ascii();
    let interpreter = match line.strip_prefix(b"\"") {
        Some(quoted) => quoted.get(..find(quoted, b"\"")?)?,
        None => unquoted(line),
    };
    launcher(LauncherKind::Distlib, interpreter)
}

/// Up to `.exe`, since older writers forgot the quotes around a path with blanks; else the first word.
fn unquoted(line: &[u8]) -> &[u8] {
    let lower = line.to_ascii_lowercase();
    let end = match find(&lower, b".exe") {
        Some(at) => at + 4,
        None => line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len()),
    };
    line.get(..end).unwrap_or(line)
}

/// By the end-of-central-directory record (`APPNOTE.TXT` 4.3.16): offsets in it count from the zip's start.
fn zip_start(bytes: &[u8]) -> Option<usize> {
    // the record and the longest comment
    const RECORD_LIMIT: usize = 22 + 65_535;
    let from = bytes.len().saturating_sub(RECORD_LIMIT);
    let end = from + find_last(bytes.get(from..)?, b"PK\x05\x06")?;
    let number = |at: usize| {
        let field = bytes.get(end + at..)?.first_chunk::<4>()?;
        usize::try_from(u32::from_le_bytes(*field)).ok()
    };
    end.checked_sub(number(12)?)?.checked_sub(number(16)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stored zip with one empty `__main__.py`.
    fn zip() -> Vec<u8> {
        let name = b"__main__.py";
        let mut zip = b"PK\x03\x04".to_vec();
        zip.extend([0; 22]);
        zip.extend([11, 0, 0, 0]);
        zip.extend(name);
        let offset = zip.len() as u32;
        zip.extend(b"PK\x01\x02");
        zip.extend([0; 24]);
        zip.extend([11, 0]);
        zip.extend([0; 16]);
        zip.extend(name);
        let size = zip.len() as u32 - offset;
        zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        zip.extend(size.to_le_bytes());
        zip.extend(offset.to_le_bytes());
        zip.extend([0, 0]);
        zip
    }

    fn found(kind: LauncherKind, interpreter: &str) -> Option<Launcher> {
        Some(Launcher { kind, interpreter: interpreter.to_owned() })
    }

    #[test]
    fn reads_distlibs() {
        let file = |line: &[u8]| [b"MZ\x90 code #! PK\x03 more", line, &zip()].concat();
        let expected = found(LauncherKind::Distlib, r"C:\My venv\Scripts\python.exe");
        assert_eq!(parse(&file(b"#!\"C:\\My venv\\Scripts\\python.exe\"\r\n")), expected);
        assert_eq!(parse(&file(b"#!C:\\My venv\\Scripts\\python.exe\n")), expected);
        assert_eq!(parse(&file(b"#!\"C:\\My venv\\Scripts\\python.exe\" -E\r\n")), expected);
        assert_eq!(parse(&file(b"#!python3 -E\r\n")), found(LauncherKind::Distlib, "python3"));
        assert_eq!(parse(&file(b"#!\"C:\\open\r\n")), None);
        // the tail alone suffices, and so does a zip whose end was lost
        let whole = file(b"#!\"C:\\My venv\\Scripts\\python.exe\"\r\n");
        assert_eq!(parse(&whole[10..]), expected);
        assert_eq!(parse(&whole[..whole.len() - 10]), expected);
    }

    #[test]
    fn reads_uvs_trailer() {
        let path = br"C:\v\Scripts\python.exe";
        let file = |magic: &[u8], length: u32| {
            [&b"MZ code"[..], &zip(), path, &length.to_le_bytes(), magic].concat()
        };
        let length = path.len() as u32;
        let expected = std::str::from_utf8(path).unwrap();
        assert_eq!(parse(&file(b"UVSC", length)), found(LauncherKind::UvScript, expected));
        assert_eq!(parse(&file(b"UVPY", length)), found(LauncherKind::UvPython, expected));
        assert_eq!(parse(&file(b"UVPY", u32::MAX)), None);
        assert_eq!(parse(&file(b"UVPY", 0)), None);
    }

    /// A PE of 64 bits with nothing but the section `.rsrc`.
    fn trampoline(kind: u8, path: &[u8]) -> Vec<u8> {
        const ADDRESS: u32 = 0x1000;
        const DIRECTORY: u32 = 1 << 31;
        let mut resources = Vec::new();
        let table = |resources: &mut Vec<u8>, named: u16, entries: &[(u32, u32)]| {
            resources.extend([0; 12]);
            resources.extend(named.to_le_bytes());
            resources.extend((entries.len() as u16 - named).to_le_bytes());
            for (name, offset) in entries {
                resources.extend(name.to_le_bytes());
                resources.extend(offset.to_le_bytes());
            }
        };
        // root 0..24, RCDATA 24..56, languages 56..80 and 80..104, entries 104..120 and 120..136, names
        table(&mut resources, 0, &[(10, DIRECTORY | 24)]);
        table(&mut resources, 2, &[(DIRECTORY | 136, DIRECTORY | 56), (DIRECTORY | 166, DIRECTORY | 80)]);
        table(&mut resources, 0, &[(0, 104)]);
        table(&mut resources, 0, &[(0, 120)]);
        for (offset, size) in [(205, path.len() as u32), (204, 1)] {
            resources.extend((ADDRESS + offset).to_le_bytes());
            resources.extend(size.to_le_bytes());
            resources.extend([0; 8]);
        }
        for name in ["UV_PYTHON_PATH", "UV_TRAMPOLINE_KIND"] {
            resources.extend((name.len() as u16).to_le_bytes());
            resources.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
        }
        assert_eq!(resources.len(), 204);
        let mut file = vec![0; 0x200];
        let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"MZ");
        put(0x3c, &0x40u32.to_le_bytes());
        put(0x40, b"PE\0\0");
        put(0x44, &0x8664u16.to_le_bytes());
        put(0x46, &1u16.to_le_bytes());
        put(0x54, &240u16.to_le_bytes());
        put(0x58, &0x20bu16.to_le_bytes());
        put(0x58 + 108, &16u32.to_le_bytes());
        put(0x58 + 128, &ADDRESS.to_le_bytes());
        put(0x58 + 132, &1024u32.to_le_bytes());
        put(0x148, b".rsrc\0\0\0");
        put(0x150, &1024u32.to_le_bytes());
        put(0x154, &ADDRESS.to_le_bytes());
        put(0x158, &1024u32.to_le_bytes());
        put(0x15c, &0x200u32.to_le_bytes());
        resources.push(kind);
        resources.extend(path);
        resources.resize(1024, 0);
        file.extend(resources);
        file
    }

    #[test]
    fn reads_uvs_resources() {
        let file = trampoline(1, b"..\\python.exe");
        assert_eq!(parse(&file), found(LauncherKind::UvScript, "..\\python.exe"));
        assert_eq!(parse(&trampoline(2, b"C:\\p.exe")), found(LauncherKind::UvPython, "C:\\p.exe"));
        assert_eq!(parse(&trampoline(3, b"C:\\p.exe")), None);
        for end in 0..file.len() {
            parse(&file[..end]);
        }
        for at in 0..file.len() {
            let mut broken = file.clone();
            broken[at] ^= 0xff;
            parse(&broken);
        }
    }

    #[test]
    fn survives_anything() {
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"MZ"), None);
        assert_eq!(parse(b"UVSC"), None);
        for seed in 0..200 {
            let noise = crate::parse::noise(seed, 400);
            parse(&noise);
            parse(&[b"MZ", noise.as_slice(), b"PK\x05\x06", &noise[..20]].concat());
        }
    }
}
