//! A binary of which only the parts that matter are read: an extension module of 50 MB needs three pages.

use std::cell::RefCell;

use object::read::elf::{FileHeader, SectionHeader};
use object::{ReadRef, elf};

use super::binary::{self, Binary};

/// The largest part that is asked for at once: a table of strings of a C++ library.
const LARGEST: u64 = 4 << 20;
const PAGE: u64 = 4096;
/// So many sections are looked at.
const MANY: usize = 256;

/// What is known of a file's bytes.
#[derive(Debug, Default)]
pub struct Pieces {
    size: u64,
    parts: Vec<(u64, Vec<u8>)>,
    /// The first range that was asked for and is not there.
    missed: RefCell<Option<(u64, u64)>>,
}

impl Pieces {
    /// The beginning of a file of this size.
    pub fn new(size: u64, beginning: Vec<u8>) -> Pieces {
        Pieces { size, parts: vec![(0, beginning)], missed: RefCell::default() }
    }

    pub fn add(&mut self, offset: u64, bytes: Vec<u8>) {
        self.parts.push((offset, bytes));
    }

    /// What can be told so far, and where to read on: offset and length. None: there is nothing more to learn.
    pub fn parse(&self) -> (Binary, Option<(u64, usize)>) {
        self.missed.replace(None);
        let binary = binary::parse_from(self.beginning(), self);
        (binary, self.wanted())
    }

    /// Whether one of the parts holds these bytes.
    pub fn contain(&self, needle: &[u8]) -> bool {
        self.parts.iter().any(|(_, bytes)| super::find(bytes, needle).is_some())
    }

    /// Of an ELF file the sections that are loaded, neither written nor executed (offset and length), and where to read
    /// on to know them. Neither: it has no such sections, or tells of none.
    pub fn constants(&self) -> (Option<Vec<(u64, usize)>>, Option<(u64, usize)>) {
        self.missed.replace(None);
        let found = match self.beginning() {
            [0x7f, b'E', b'L', b'F', 1, ..] => constants::<elf::FileHeader32<object::Endianness>>(self),
            [0x7f, b'E', b'L', b'F', 2, ..] => constants::<elf::FileHeader64<object::Endianness>>(self),
            _ => None,
        };
        (found.filter(|sections| !sections.is_empty()), self.wanted())
    }

    /// These bytes, where a part holds them all.
    pub fn known(&self, offset: u64, length: usize) -> Option<&[u8]> {
        self.parts.iter().find_map(|(start, bytes)| {
            let from = usize::try_from(offset.checked_sub(*start)?).ok()?;
            bytes.get(from..from.checked_add(length)?)
        })
    }

    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        self.parts.iter().map(|(_, bytes)| bytes.as_slice())
    }

    /// What was missed first, in whole pages.
    fn wanted(&self) -> Option<(u64, usize)> {
        let (offset, length) = self.missed.take()?;
        let end = offset.checked_add(length)?.div_ceil(PAGE).checked_mul(PAGE)?.min(self.size);
        let length = end.checked_sub(offset).filter(|length| (1..=LARGEST).contains(length))?;
        Some((offset, usize::try_from(length).ok()?))
    }

    fn beginning(&self) -> &[u8] {
        self.parts.first().map_or(&[], |(_, bytes)| bytes)
    }
}

fn constants<Elf: FileHeader<Endian = object::Endianness>>(pieces: &Pieces) -> Option<Vec<(u64, usize)>> {
    let header = Elf::parse(pieces).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.section_headers(endian, pieces).ok()?;
    let wanted = sections.iter().take(MANY).filter(|section| {
        let flags = section.sh_flags(endian);
        section.sh_type(endian) == elf::SHT_PROGBITS
            && flags.contains(elf::SHF_ALLOC)
            && !flags.contains(elf::SHF_WRITE)
            && !flags.contains(elf::SHF_EXECINSTR)
    });
    let range = |section: &Elf::SectionHeader| {
        let length = usize::try_from(section.sh_size(endian).into()).ok()?;
        Some((section.sh_offset(endian).into(), length))
    };
    wanted.map(range).collect()
}

impl<'data> ReadRef<'data> for &'data Pieces {
    fn len(self) -> Result<u64, ()> {
        Ok(self.size)
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'data [u8], ()> {
        let found = usize::try_from(size).ok().and_then(|size| self.known(offset, size));
        found.ok_or_else(|| {
            self.missed.borrow_mut().get_or_insert((offset, size));
        })
    }

    fn read_bytes_at_until(self, range: std::ops::Range<u64>, delimiter: u8) -> Result<&'data [u8], ()> {
        let size = range.end.checked_sub(range.start).ok_or(())?;
        let bytes = self.read_bytes_at(range.start, size)?;
        let end = bytes.iter().position(|byte| *byte == delimiter).ok_or(())?;
        bytes.get(..end).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads this test's own executable as the doctor reads an extension module.
    #[test]
    fn tells_the_same_as_the_whole_file() {
        let Ok(whole) = std::env::current_exe().and_then(std::fs::read) else { return };
        let mut pieces = Pieces::new(whole.len() as u64, whole[..4096].to_vec());
        let mut read = 4096;
        for _ in 0..8 {
            let (_, Some((offset, length))) = pieces.parse() else { break };
            let from = usize::try_from(offset).unwrap();
            pieces.add(offset, whole[from..from + length].to_vec());
            read += length;
        }
        assert_eq!(pieces.parse().0, binary::parse(&whole));
        assert!(read < whole.len(), "{read} of {}", whole.len());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn constants_hold_the_strings_and_not_the_code() {
        const MARK: &[u8] = b"a string that this executable holds among its constants";
        let whole = std::env::current_exe().and_then(std::fs::read).unwrap();
        let mut pieces = Pieces::new(whole.len() as u64, whole[..4096].to_vec());
        let sections = loop {
            match pieces.constants() {
                (None, Some((offset, length))) => {
                    let from = usize::try_from(offset).unwrap();
                    pieces.add(offset, whole[from..from + length].to_vec());
                }
                (sections, _) => break sections.unwrap(),
            }
        };
        let bytes: Vec<&[u8]> = sections
            .iter()
            .map(|(offset, length)| &whole[usize::try_from(*offset).unwrap()..][..*length])
            .collect();
        assert!(bytes.iter().any(|bytes| crate::parse::find(bytes, std::hint::black_box(MARK)).is_some()));
        assert!(bytes.iter().map(|bytes| bytes.len()).sum::<usize>() < whole.len() / 2);
    }

    #[test]
    fn arbitrary_bytes_end() {
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(64, 0xff);
        let pieces = Pieces::new(u64::MAX, bytes);
        let (binary, _) = pieces.parse();
        assert!(binary.partial);
        assert!(pieces.constants().0.is_none());
        assert_eq!(Pieces::new(0, Vec::new()).parse().1, None);
    }
}
