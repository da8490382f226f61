//! What an executable or library was built for, and what it needs to start.
//!
//! ELF is read by its program headers alone, as the loader does: section headers may be stripped, and stand
//! at the end of a file of which the caller may have only the beginning.

use std::ops::Range;

use object::elf;
use object::macho;
use object::pe;
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::read::macho::{FatArch, LoadCommandVariant, MachHeader, MachOFatFile};
use object::read::pe::{ImageNtHeaders, PeFile};
use object::{Endian, ReadRef};
use serde::{Deserialize, Serialize};

use crate::path::readable;

use super::find;

/// A hostile file may list without end.
const MANY: usize = 1024;

/// `PATH_MAX` of Linux.
const NAME_LIMIT: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BinaryFormat {
    Elf,
    MachO,
    /// Several Mach-O files in one ("universal").
    MachOFat,
    Pe,
    /// Begins with `#!`.
    Script,
    Empty,
    #[default]
    Unknown,
}

/// The C library that a Linux binary's loader belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CLibrary {
    Glibc,
    Musl,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Binary {
    pub format: BinaryFormat,
    /// As `std::env::consts::ARCH` spells them; several for a [`BinaryFormat::MachOFat`].
    pub architectures: Vec<String>,
    /// 32 or 64; the first architecture's.
    pub bits: Option<u8>,
    /// The program that loads it (`PT_INTERP`, `LC_LOAD_DYLINKER`). None for a static one and for a library.
    pub loader: Option<String>,
    /// Those without which it is not loaded: none that is weakly linked, or loaded at its first use.
    pub libraries: Vec<String>,
    /// The library's own name (`DT_SONAME`, `LC_ID_DYLIB`).
    pub soname: Option<String>,
    /// `DT_RUNPATH`, split at `:`.
    pub runpath: Vec<String>,
    /// `DT_RPATH` split at `:`, or `LC_RPATH`.
    pub rpath: Vec<String>,
    /// By the loader's name, else by the libraries'.
    pub c_library: Option<CLibrary>,
    /// `.gnu.version_r`: the symbol versions that a library must have.
    pub required_versions: Vec<RequiredVersion>,
    /// Something could not be read: the file is cut or damaged. What is there, is right.
    pub partial: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequiredVersion {
    pub library: String,
    /// Such as `GLIBC_2.34`.
    pub version: String,
}

/// Takes a whole file or its beginning. The dynamic section stands behind the code: 64 KiB are enough for a
/// `python` that is linked to libpython, a static one (7 MB) is wanted nearly whole. Reading it is cheap: only
/// the tables are looked at.
pub fn parse(bytes: &[u8]) -> Binary {
    let mut binary = Binary::default();
    let known = match bytes {
        [] => {
            binary.format = BinaryFormat::Empty;
            return binary;
        }
        [b'#', b'!', ..] => {
            binary.format = BinaryFormat::Script;
            return binary;
        }
        [0x7f, b'E', b'L', b'F', 1, ..] => {
            elf::<elf::FileHeader32<object::Endianness>, _>(bytes, &mut binary)
        }
        [0x7f, b'E', b'L', b'F', 2, ..] => {
            elf::<elf::FileHeader64<object::Endianness>, _>(bytes, &mut binary)
        }
        [0x7f, b'E', b'L', b'F', ..] => {
            binary.format = BinaryFormat::Elf;
            None
        }
        [0xfe, 0xed, 0xfa, 0xce, ..] | [0xce, 0xfa, 0xed, 0xfe, ..] => {
            mach::<macho::MachHeader32<object::Endianness>>(bytes, 0, &mut binary)
        }
        [0xfe, 0xed, 0xfa, 0xcf, ..] | [0xcf, 0xfa, 0xed, 0xfe, ..] => {
            mach::<macho::MachHeader64<object::Endianness>>(bytes, 0, &mut binary)
        }
        // a Java class begins alike; its version number is no small count
        [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 0..40, ..] => fat::<macho::FatArch32>(bytes, &mut binary),
        [0xca, 0xfe, 0xba, 0xbf, ..] => fat::<macho::FatArch64>(bytes, &mut binary),
        [b'M', b'Z', ..] => portable(bytes, &mut binary),
        _ => return binary,
    };
    binary.partial |= known.is_none();
    binary.c_library = c_library(&binary);
    binary
}

/// An ELF or PE file by the parts of it that are wanted; of any other format only what `beginning` tells.
pub(super) fn parse_from<'data>(beginning: &[u8], bytes: impl ReadRef<'data>) -> Binary {
    let mut binary = Binary::default();
    let known = match beginning {
        [0x7f, b'E', b'L', b'F', 1, ..] => {
            elf::<elf::FileHeader32<object::Endianness>, _>(bytes, &mut binary)
        }
        [0x7f, b'E', b'L', b'F', 2, ..] => {
            elf::<elf::FileHeader64<object::Endianness>, _>(bytes, &mut binary)
        }
        [b'M', b'Z', ..] => portable(bytes, &mut binary),
        _ => return parse(beginning),
    };
    binary.partial |= known.is_none();
    binary.c_library = c_library(&binary);
    binary
}

fn text(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty() && bytes.len() <= NAME_LIMIT).then(|| readable(bytes).into_owned())
}

/// The string that a NUL ends, at `offset`.
fn string_at(bytes: &[u8], offset: u64) -> Option<&[u8]> {
    let rest = bytes.get(usize::try_from(offset).ok()?..)?;
    let rest = rest.get(..NAME_LIMIT + 1).unwrap_or(rest);
    rest.get(..rest.iter().position(|byte| *byte == 0)?)
}

fn elf_architecture(machine: elf::Machine, wide: bool, little: bool) -> Option<&'static str> {
    Some(match machine {
        elf::EM_X86_64 => "x86_64",
        elf::EM_AARCH64 => "aarch64",
        elf::EM_386 => "x86",
        elf::EM_ARM => "arm",
        elf::EM_RISCV if wide => "riscv64",
        elf::EM_RISCV => "riscv32",
        // Rust's name says nothing of the byte order
        elf::EM_PPC64 => "powerpc64",
        elf::EM_PPC => "powerpc",
        elf::EM_S390 => "s390x",
        elf::EM_LOONGARCH => "loongarch64",
        elf::EM_MIPS if wide => "mips64",
        elf::EM_MIPS => "mips",
        elf::EM_SPARCV9 if !little => "sparc64",
        _ => return None,
    })
}

/// Where an address lies in the file, by the loadable segments.
struct Segments(Vec<(u64, u64, u64)>);

impl Segments {
    fn of<Elf: FileHeader>(endian: Elf::Endian, headers: &[Elf::ProgramHeader]) -> Self {
        let loaded = headers.iter().filter(|header| header.p_type(endian) == elf::PT_LOAD);
        Segments(
            loaded
                .map(|header| {
                    let (offset, size) = header.file_range(endian);
                    (header.p_vaddr(endian).into(), size, offset)
                })
                .collect(),
        )
    }

    fn offset(&self, address: u64) -> Option<u64> {
        self.0.iter().find_map(|(start, size, offset)| {
            let inside = address.checked_sub(*start).filter(|inside| inside < size)?;
            offset.checked_add(inside)
        })
    }
}

/// None: something is missing. What was found is in `binary`.
fn elf<'data, Elf: FileHeader<Endian = object::Endianness>, Bytes: ReadRef<'data>>(
    bytes: Bytes,
    binary: &mut Binary,
) -> Option<()> {
    binary.format = BinaryFormat::Elf;
    let header = Elf::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let wide = header.is_class_64();
    binary.bits = Some(if wide { 64 } else { 32 });
    let architecture = elf_architecture(header.e_machine(endian), wide, endian.is_little_endian());
    binary.architectures.extend(architecture.map(str::to_owned));
    let headers = header.program_headers(endian, bytes).ok()?;
    let headers = headers.get(..MANY).unwrap_or(headers);
    let mut whole = true;
    let dynamic = headers.iter().find(|header| header.p_type(endian) == elf::PT_DYNAMIC);
    if let Some(header) = headers.iter().find(|header| header.p_type(endian) == elf::PT_INTERP) {
        let loader = header.interpreter(endian, bytes).ok().flatten();
        whole &= loader.is_some();
        binary.loader = loader.and_then(text);
    }
    if let Some(header) = dynamic {
        let segments = Segments::of::<Elf>(endian, headers);
        whole &= dynamic_section::<Elf, _>(bytes, endian, header, &segments, binary).is_some();
    }
    whole.then_some(())
}

fn dynamic_section<'data, Elf: FileHeader<Endian = object::Endianness>, Bytes: ReadRef<'data>>(
    bytes: Bytes,
    endian: Elf::Endian,
    header: &Elf::ProgramHeader,
    segments: &Segments,
    binary: &mut Binary,
) -> Option<()> {
    let entries = header.dynamic(endian, bytes).ok()??;
    let entries = || {
        let entries = entries.iter().take(MANY);
        entries
            .map(|entry| (entry.d_tag(endian), entry.d_val(endian).into()))
            .take_while(|(tag, _)| *tag != elf::DT_NULL)
    };
    let value = |wanted: elf::DynamicTag| entries().find(|(tag, _)| *tag == wanted).map(|(_, value)| value);
    let start = segments.offset(value(elf::DT_STRTAB)?)?;
    let rest = bytes.len().ok()?.checked_sub(start)?;
    let size = value(elf::DT_STRSZ).unwrap_or(rest);
    let mut whole = size <= rest;
    let strings = bytes.read_bytes_at(start, size.min(rest)).ok()?;
    for (tag, offset) in entries() {
        if ![elf::DT_NEEDED, elf::DT_SONAME, elf::DT_RUNPATH, elf::DT_RPATH].contains(&tag) {
            continue;
        }
        let Some(string) = string_at(strings, offset) else {
            whole = false;
            continue;
        };
        let directories = || string.split(|byte| *byte == b':').take(MANY).filter_map(text);
        match tag {
            elf::DT_NEEDED => binary.libraries.extend(text(string)),
            elf::DT_SONAME => binary.soname = text(string),
            elf::DT_RUNPATH => binary.runpath.extend(directories()),
            _ => binary.rpath.extend(directories()),
        }
    }
    if let Some(address) = value(elf::DT_VERNEED) {
        let at = segments.offset(address);
        whole &= at.is_some_and(|at| required_versions(bytes, endian, at, strings, binary).is_some());
    }
    whole.then_some(())
}

/// Two nested chains, each link of which is an offset from the one before.
fn required_versions<'data, Bytes: ReadRef<'data>>(
    bytes: Bytes,
    endian: object::Endianness,
    mut at: u64,
    strings: &[u8],
    binary: &mut Binary,
) -> Option<()> {
    for _ in 0..MANY {
        let need: &elf::Verneed<object::Endianness> = bytes.read_at(at).ok()?;
        let library = string_at(strings, need.vn_file.get(endian).into())?;
        let mut inner = at.checked_add(need.vn_aux.get(endian).into())?;
        for _ in 0..need.vn_cnt.get(endian) {
            if binary.required_versions.len() >= MANY {
                return None;
            }
            let auxiliary: &elf::Vernaux<object::Endianness> = bytes.read_at(inner).ok()?;
            let version = string_at(strings, auxiliary.vna_name.get(endian).into())?;
            let (library, version) = (readable(library).into_owned(), readable(version).into_owned());
            binary.required_versions.push(RequiredVersion { library, version });
            inner = inner.checked_add(auxiliary.vna_next.get(endian).into())?;
        }
        match need.vn_next.get(endian) {
            0 => return Some(()),
            next => at = at.checked_add(next.into())?,
        }
    }
    None
}

fn c_library(binary: &Binary) -> Option<CLibrary> {
    if binary.format != BinaryFormat::Elf {
        return None;
    }
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let names = binary.loader.iter().chain(&binary.libraries).map(|path| name(path));
    names.into_iter().find_map(|name| {
        if name.starts_with("ld-musl-") || name.starts_with("libc.musl-") {
            Some(CLibrary::Musl)
        } else if name == "libc.so.6"
            || name.starts_with("ld-linux")
            || ["ld64.so.1", "ld64.so.2"].contains(&name.as_str())
        {
            Some(CLibrary::Glibc)
        } else {
            None
        }
    })
}

fn mach_architecture(processor: macho::CpuType) -> Option<(&'static str, u8)> {
    Some(match processor {
        macho::CPU_TYPE_X86_64 => ("x86_64", 64),
        macho::CPU_TYPE_ARM64 => ("aarch64", 64),
        macho::CPU_TYPE_ARM64_32 => ("aarch64", 32),
        macho::CPU_TYPE_X86 => ("x86", 32),
        macho::CPU_TYPE_ARM => ("arm", 32),
        macho::CPU_TYPE_POWERPC => ("powerpc", 32),
        macho::CPU_TYPE_POWERPC64 => ("powerpc64", 64),
        _ => return None,
    })
}

fn mach<Mach: MachHeader<Endian = object::Endianness>>(
    bytes: &[u8],
    offset: u64,
    binary: &mut Binary,
) -> Option<()> {
    if binary.format != BinaryFormat::MachOFat {
        binary.format = BinaryFormat::MachO;
    }
    let header = Mach::parse(bytes, offset).ok()?;
    let endian = header.endian().ok()?;
    if binary.format == BinaryFormat::MachO {
        let known = mach_architecture(header.cputype(endian));
        binary.architectures.extend(known.map(|(name, _)| name.to_owned()));
        binary.bits = Some(if header.is_type_64() { 64 } else { 32 });
    }
    let mut commands = header.load_commands(endian, bytes, offset).ok()?;
    for _ in 0..MANY {
        let Some(command) = commands.next().ok()? else { return Some(()) };
        let string = |name| command.string(endian, name).ok().and_then(text);
        match command.variant().ok()? {
            LoadCommandVariant::Dylib(library)
                if [macho::LC_LOAD_DYLIB, macho::LC_REEXPORT_DYLIB, macho::LC_LOAD_UPWARD_DYLIB]
                    .contains(&command.cmd()) =>
            {
                binary.libraries.extend(string(library.dylib.name));
            }
            LoadCommandVariant::IdDylib(library) => binary.soname = string(library.dylib.name),
            LoadCommandVariant::LoadDylinker(linker) => binary.loader = string(linker.name),
            LoadCommandVariant::Rpath(path) => binary.rpath.extend(string(path.path)),
            _ => {}
        }
    }
    None
}

/// Where the part for one architecture begins in a [`BinaryFormat::MachOFat`], by the file's beginning.
pub fn slice_for(beginning: &[u8], architecture: &str) -> Option<u64> {
    fn offset<Fat: FatArch>(bytes: &[u8], architecture: &str) -> Option<u64> {
        let file = MachOFatFile::<Fat>::parse(bytes).ok()?;
        let mut parts = file.arches().iter().take(MANY);
        let is_for =
            |part: &&Fat| mach_architecture(part.cputype()).is_some_and(|(name, _)| name == architecture);
        parts.find(is_for).map(|part| part.file_range().0)
    }
    match beginning {
        [0xca, 0xfe, 0xba, 0xbe, ..] => offset::<macho::FatArch32>(beginning, architecture),
        [0xca, 0xfe, 0xba, 0xbf, ..] => offset::<macho::FatArch64>(beginning, architecture),
        _ => None,
    }
}

/// All architectures, and what the first of them needs.
fn fat<Fat: FatArch>(bytes: &[u8], binary: &mut Binary) -> Option<()> {
    binary.format = BinaryFormat::MachOFat;
    let file = MachOFatFile::<Fat>::parse(bytes).ok()?;
    let known = file.arches().iter().take(MANY).filter_map(|arch| mach_architecture(arch.cputype()));
    let known: Vec<_> = known.collect();
    binary.bits = known.first().map(|(_, bits)| *bits);
    for (name, _) in known {
        if !binary.architectures.iter().any(|seen| seen == name) {
            binary.architectures.push(name.to_owned());
        }
    }
    let (offset, _) = file.arches().first()?.file_range();
    let start = bytes.get(usize::try_from(offset).ok()?..)?;
    match start {
        [0xfe, 0xed, 0xfa, 0xce, ..] | [0xce, 0xfa, 0xed, 0xfe, ..] => {
            mach::<macho::MachHeader32<object::Endianness>>(start, 0, binary)
        }
        _ => mach::<macho::MachHeader64<object::Endianness>>(start, 0, binary),
    }
}

fn portable<'data, Bytes: ReadRef<'data>>(bytes: Bytes, binary: &mut Binary) -> Option<()> {
    binary.format = BinaryFormat::Pe;
    match object::read::pe::optional_header_magic(bytes).ok()? {
        pe::IMAGE_NT_OPTIONAL_HDR64_MAGIC => windows::<pe::ImageNtHeaders64, _>(bytes, binary),
        pe::IMAGE_NT_OPTIONAL_HDR32_MAGIC => windows::<pe::ImageNtHeaders32, _>(bytes, binary),
        _ => None,
    }
}

fn windows<'data, Pe: ImageNtHeaders, Bytes: ReadRef<'data>>(
    bytes: Bytes,
    binary: &mut Binary,
) -> Option<()> {
    let file = PeFile::<Pe, Bytes>::parse(bytes).ok()?;
    let architecture = match file.nt_headers().file_header().machine.get(object::LittleEndian) {
        pe::IMAGE_FILE_MACHINE_AMD64 => Some(("x86_64", 64)),
        pe::IMAGE_FILE_MACHINE_ARM64 => Some(("aarch64", 64)),
        pe::IMAGE_FILE_MACHINE_I386 => Some(("x86", 32)),
        pe::IMAGE_FILE_MACHINE_ARMNT => Some(("arm", 32)),
        _ => None,
    };
    binary.architectures.extend(architecture.map(|(name, _)| name.to_owned()));
    binary.bits = architecture.map(|(_, bits)| bits);
    let Some(imports) = file.import_table().ok()? else { return Some(()) };
    let mut descriptors = imports.descriptors().ok()?;
    for _ in 0..MANY {
        let Some(descriptor) = descriptors.next().ok()? else { return Some(()) };
        let name = imports.name(descriptor.name.get(object::LittleEndian)).ok()?;
        binary.libraries.extend(text(name));
    }
    None
}

/// The version of the CPython in this binary, without running it: `3.11.2` where the interpreter itself is
/// in these bytes (a static `python3`, `libpython3.11.so.1.0`), `3.11` where it is in a library that they
/// need (`python3`, an extension module that links it). None where nothing or more than one version is found.
///
/// The full version is the string constant `PY_VERSION` of `Include/patchlevel.h`, which `Python/sysmodule.c`
/// and `Modules/main.c` embed between NUL bytes. Right for every CPython from 2.7 to 3.15 it was tried on; a
/// guess all the same, for a library of the same form may be linked in: never more than evidence. PyPy
/// embeds its strings otherwise and yields None.
pub fn python_version_in(bytes: &[u8]) -> Option<String> {
    let binary = parse(bytes);
    let minor = binary.soname.iter().chain(&binary.libraries).find_map(|name| python_library_version(name));
    let own = binary.soname.as_deref().is_some_and(|name| python_library_version(name).is_some());
    if minor.is_some() && !own {
        return minor;
    }
    full_version(bytes, &constants(bytes, binary.format), minor.as_deref()).or(minor)
}

/// `3.11` of `libpython3.11.so.1.0`, `libpython3.7m.so`, `/.../Python.framework/Versions/3.12/Python`,
/// `python311.dll`.
fn python_library_version(path: &str) -> Option<String> {
    let name = path.rsplit(['/', '\\']).next()?;
    let dotted = |rest: &str| {
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
        let mut parts = rest.get(..end)?.split('.').filter(|part| !part.is_empty());
        Some(format!("{}.{}", parts.next()?, parts.next()?))
    };
    if let Some(rest) = name.strip_prefix("libpython") {
        return dotted(rest);
    }
    if let Some((_, rest)) = path.split_once("Python.framework/Versions/") {
        return dotted(rest);
    }
    let lower = name.to_ascii_lowercase();
    let digits = lower.strip_prefix("python")?.strip_suffix(".dll")?.trim_end_matches(['t', 'd', '_']);
    let (major, minor) = digits.split_at_checked(1)?;
    let numbers = !minor.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    numbers.then(|| format!("{major}.{minor}"))
}

/// The parts of the file that hold constants: an ELF's loaded and read-only segments (debug information,
/// three quarters of a file, is not loaded); else all of it.
fn constants(bytes: &[u8], format: BinaryFormat) -> Vec<Range<usize>> {
    fn read_only<Elf: FileHeader<Endian = object::Endianness>>(bytes: &[u8]) -> Option<Vec<Range<usize>>> {
        let header = Elf::parse(bytes).ok()?;
        let endian = header.endian().ok()?;
        let headers = header.program_headers(endian, bytes).ok()?;
        let loaded = headers.iter().take(MANY).filter(|header| {
            header.p_type(endian) == elf::PT_LOAD && !header.p_flags(endian).contains(elf::PF_W)
        });
        loaded
            .map(|header| {
                let (start, size) = header.file_range(endian);
                let end = usize::try_from(start.checked_add(size)?).ok()?.min(bytes.len());
                Some(usize::try_from(start).ok()?.min(end)..end)
            })
            .collect()
    }
    let ranges = match (format, bytes.get(4)) {
        (BinaryFormat::Elf, Some(1)) => read_only::<elf::FileHeader32<object::Endianness>>(bytes),
        (BinaryFormat::Elf, Some(2)) => read_only::<elf::FileHeader64<object::Endianness>>(bytes),
        _ => None,
    };
    let mut ranges = ranges.unwrap_or_else(|| Vec::from([Range { start: 0, end: bytes.len() }]));
    // segments that overlap would be read again and again
    ranges.sort_by_key(|range| range.start);
    let mut end = 0;
    for range in &mut ranges {
        range.start = range.start.max(end);
        end = end.max(range.end);
    }
    ranges
}

fn full_version(bytes: &[u8], ranges: &[Range<usize>], minor: Option<&str>) -> Option<String> {
    // the linker may merge the version into the end of another string, such as a prefix that ends alike
    let (mut whole, mut merged): (Vec<String>, Vec<String>) = Default::default();
    for range in ranges {
        let part = bytes.get(range.clone()).unwrap_or_default();
        for start in [&b"3."[..], b"2.7."] {
            let mut from = 0;
            while let Some(at) = part.get(from..).and_then(|rest| find(rest, start)).map(|at| from + at) {
                from = at + start.len();
                let before = at.checked_sub(1).and_then(|before| part.get(before));
                if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"._-+".contains(byte)) {
                    continue;
                }
                let Some(version) = part.get(at..).and_then(version_constant) else { continue };
                let list = if before == Some(&0) { &mut whole } else { &mut merged };
                if !list.contains(&version) && list.len() < MANY {
                    list.push(version);
                }
            }
        }
    }
    [whole, merged].into_iter().find_map(|mut list| {
        list.retain(|version| {
            minor.is_none_or(|minor| version.strip_prefix(minor).is_some_and(|patch| patch.starts_with('.')))
        });
        match list.as_slice() {
            [version] => Some(version.clone()),
            _ => None,
        }
    })
}

/// `3.11.2` or `3.15.0b1+` up to a NUL. CPython has had `X.Y.0` only since 3.3, and 3.2.0 is a version of
/// the Unicode database that every CPython contains.
fn version_constant(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.get(..16).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes.get(..bytes.iter().position(|byte| *byte == 0)?)?).ok()?;
    let mut parts = text.split('.');
    let (major, minor, patch) = (parts.next()?, parts.next()?, parts.next()?);
    let minor: u8 = minor.parse().ok()?;
    let known = (major == "3" && (3..100).contains(&minor)) || (major == "2" && minor == 7);
    let digits = patch.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(patch.len());
    let (number, suffix) = patch.split_at(digits);
    let suffix = suffix.trim_end_matches('+');
    let released = ["a", "b", "rc"].iter().any(|stage| {
        let serial = suffix.strip_prefix(stage).unwrap_or_default();
        !serial.is_empty() && serial.bytes().all(|byte| byte.is_ascii_digit())
    });
    let right = parts.next().is_none() && !number.is_empty() && number.len() <= 2;
    (known && right && (suffix.is_empty() || released)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ELF of 64 bits without section headers: one segment, loaded at 0x10000, that holds the whole file.
    fn shared_library() -> Vec<u8> {
        const BASE: u64 = 0x10000;
        let strings = b"\0libc.so.6\0libpython3.11.so.1.0\0/a:/b\0GLIBC_2.34\0".to_vec();
        let (interpreter, dynamic, table, needs) = (232u64, 264u64, 400u64, 464u64);
        let mut file = Vec::new();
        file.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
        file.extend(3u16.to_le_bytes());
        file.extend(183u16.to_le_bytes());
        file.extend(1u32.to_le_bytes());
        for word in [0u64, 64, 0] {
            file.extend(word.to_le_bytes());
        }
        file.extend([0; 4]);
        for half in [64u16, 56, 3, 64, 0, 0] {
            file.extend(half.to_le_bytes());
        }
        let mut header = |kind: u32, offset: u64, size: u64| {
            file.extend(kind.to_le_bytes());
            file.extend(4u32.to_le_bytes());
            for word in [offset, BASE + offset, BASE + offset, size, size, 8] {
                file.extend(word.to_le_bytes());
            }
        };
        header(1, 0, 600);
        header(3, interpreter, 27);
        header(2, dynamic, 128);
        assert_eq!(file.len() as u64, interpreter);
        file.extend(b"/lib/ld-musl-aarch64.so.1\0\0");
        file.resize(dynamic as usize, 0);
        let entries = [
            (5, BASE + table),
            (10, strings.len() as u64),
            (1, 1),
            (14, 11),
            (29, 32),
            (0x6fff_fffe, BASE + needs),
            (15, 32),
            (0, 0),
        ];
        for (tag, value) in entries {
            file.extend((tag as u64).to_le_bytes());
            file.extend(value.to_le_bytes());
        }
        file.resize(table as usize, 0);
        file.extend(&strings);
        file.resize(needs as usize, 0);
        for half in [1u16, 1] {
            file.extend(half.to_le_bytes());
        }
        for word in [1u32, 16, 0, 0] {
            file.extend(word.to_le_bytes());
        }
        file.extend([0; 4]);
        for word in [38u32, 0] {
            file.extend(word.to_le_bytes());
        }
        file.extend(b"\0x\x003.2.0\0/opt/3.11.1\x003.11.2\0strict\0");
        file.resize(600, 0);
        file
    }

    #[test]
    fn reads_elf_without_section_headers() {
        let binary = parse(&shared_library());
        assert_eq!(binary.format, BinaryFormat::Elf);
        assert_eq!(binary.architectures, ["aarch64"]);
        assert_eq!(binary.bits, Some(64));
        assert_eq!(binary.loader.as_deref(), Some("/lib/ld-musl-aarch64.so.1"));
        assert_eq!(binary.libraries, ["libc.so.6"]);
        assert_eq!(binary.soname.as_deref(), Some("libpython3.11.so.1.0"));
        assert_eq!((binary.runpath.len(), binary.rpath.len()), (2, 2));
        assert_eq!(binary.runpath, ["/a", "/b"]);
        assert_eq!(binary.c_library, Some(CLibrary::Musl));
        let (library, version) = ("libc.so.6".to_owned(), "GLIBC_2.34".to_owned());
        assert_eq!(binary.required_versions, [RequiredVersion { library, version }]);
        assert!(!binary.partial);
        let json = serde_json::to_string(&binary).unwrap();
        assert_eq!(serde_json::from_str::<Binary>(&json).unwrap(), binary);
    }

    #[test]
    fn finds_the_embedded_version() {
        assert_eq!(python_version_in(&shared_library()).as_deref(), Some("3.11.2"));
        let version = |bytes: &[u8]| python_version_in(bytes);
        assert_eq!(version(b"\0debug\x003.13.0rc1+\0strict\0").as_deref(), Some("3.13.0rc1+"));
        assert_eq!(version(b"\x003.11.2\0\x003.12.1\0"), None);
        assert_eq!(version(b"GCC 13.11.2\0\x003.2.0\0GLIBC_3.4.1\0"), None);
        assert_eq!(version(b"3.11.2"), None);
        assert_eq!(version(b""), None);
    }

    #[test]
    fn libraries_tell_the_minor_version() {
        for (name, expected) in [
            ("libpython3.11.so.1.0", Some("3.11")),
            ("/opt/lib/libpython3.7m.so.1.0", Some("3.7")),
            ("libpython3.13t.so.1.0", Some("3.13")),
            ("/Library/Frameworks/Python.framework/Versions/3.12/Python", Some("3.12")),
            ("python311.dll", Some("3.11")),
            ("PYTHON313t.DLL", Some("3.13")),
            ("libpython3.so", None),
            ("python3.dll", None),
            ("libc.so.6", None),
            ("", None),
        ] {
            assert_eq!(python_library_version(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn says_less_of_a_cut_file() {
        let file = shared_library();
        for end in 0..file.len() {
            let binary = parse(&file[..end]);
            if (5..496).contains(&end) {
                assert!(binary.partial, "{end}");
                assert_eq!(binary.format, BinaryFormat::Elf);
            }
            python_version_in(&file[..end]);
        }
    }

    #[test]
    fn reads_mach_o() {
        let mut file = Vec::new();
        let path = b"/usr/lib/libSystem.B.dylib\0\0\0\0\0\0";
        for word in [0xfeed_facfu32, 0x0100_000c, 0, 2, 1, 24 + path.len() as u32, 0, 0] {
            file.extend(word.to_le_bytes());
        }
        for word in [0xcu32, 24 + path.len() as u32, 24, 0, 0, 0] {
            file.extend(word.to_le_bytes());
        }
        file.extend(path);
        let binary = parse(&file);
        assert_eq!((binary.format, binary.bits, binary.partial), (BinaryFormat::MachO, Some(64), false));
        assert_eq!(binary.architectures, ["aarch64"]);
        assert_eq!(binary.libraries, ["/usr/lib/libSystem.B.dylib"]);
        let mut universal = Vec::new();
        for word in [0xcafe_babeu32, 2, 0x0100_0007, 3, 64, 96, 3, 0x0100_000c, 0, 64, 96, 3] {
            universal.extend(word.to_be_bytes());
        }
        universal.resize(64, 0);
        universal.extend(&file);
        let binary = parse(&universal);
        assert_eq!(binary.format, BinaryFormat::MachOFat);
        assert_eq!(binary.architectures, ["x86_64", "aarch64"]);
        assert_eq!(binary.libraries, ["/usr/lib/libSystem.B.dylib"]);
        assert!(parse(&universal[..70]).partial);
    }

    #[test]
    fn knows_what_is_no_binary() {
        assert_eq!(parse(b"").format, BinaryFormat::Empty);
        assert_eq!(parse(b"#!/bin/sh\n").format, BinaryFormat::Script);
        assert_eq!(parse(b"hello").format, BinaryFormat::Unknown);
        assert_eq!(parse(b"\xca\xfe\xba\xbe\0\0\0\x41").format, BinaryFormat::Unknown);
        let cut = parse(b"MZ");
        assert_eq!((cut.format, cut.partial), (BinaryFormat::Pe, true));
    }

    #[test]
    fn survives_anything() {
        let file = shared_library();
        for at in 0..file.len() {
            for mask in [0xff, 0x01, 0x80] {
                let mut broken = file.clone();
                broken[at] ^= mask;
                parse(&broken);
                python_version_in(&broken);
            }
        }
        let starts: [&[u8]; 6] = [
            b"\x7fELF\x02\x01\x01",
            b"\x7fELF\x01\x02\x01",
            b"\xcf\xfa\xed\xfe",
            b"\xca\xfe\xba\xbe\0\0\0\x02",
            b"\xca\xfe\xba\xbf\0\0\0\x02",
            b"MZ",
        ];
        for start in starts {
            for seed in 0..100 {
                parse(&[start, &crate::parse::noise(seed, 700)].concat());
            }
        }
    }
}
