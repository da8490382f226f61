//! What an executable or library was built for, and what it needs to start.
//!
//! ELF is read by its program headers alone, as the loader does: section headers may be stripped, and stand
//! at the end of a file of which the caller may have only the beginning.

use object::elf;
use object::macho;
use object::pe;
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::read::macho::{FatArch, LoadCommandVariant, MachHeader, MachOFatFile};
use object::read::pe::{ImageNtHeaders, PeFile};
use object::{Endian, ReadRef};
use serde::{Deserialize, Serialize};

use crate::path::readable;

mod embedded;

pub use embedded::python_version_in;

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

#[cfg(test)]
mod tests;
