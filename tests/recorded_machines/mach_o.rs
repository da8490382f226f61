//! Mach-O files that hold nothing but load commands (`mach-o/loader.h`, `mach-o/fat.h`).

pub const ARM: u32 = 0x0100_000c;
pub const INTEL: u32 = 0x0100_0007;

const LOAD_DYLIB: u32 = 0xc;
const ID_DYLIB: u32 = 0xd;
const LOAD_WEAK_DYLIB: u32 = 0x8000_0018;
const RPATH: u32 = 0x8000_001c;

/// One image: for which processor, and what it asks for.
#[derive(Clone)]
pub struct Image {
    processor: u32,
    commands: Vec<Vec<u8>>,
}

impl Image {
    pub fn of(processor: u32) -> Image {
        Image { processor, commands: Vec::new() }
    }

    pub fn needs(self, library: &str) -> Image {
        // the name follows a header of 24 bytes: timestamp and two versions
        self.command(LOAD_DYLIB, 24, library)
    }

    pub fn uses_if_there(self, library: &str) -> Image {
        self.command(LOAD_WEAK_DYLIB, 24, library)
    }

    pub fn named(self, name: &str) -> Image {
        self.command(ID_DYLIB, 24, name)
    }

    pub fn run_path(self, path: &str) -> Image {
        self.command(RPATH, 12, path)
    }

    fn command(mut self, kind: u32, name_at: u32, text: &str) -> Image {
        let size = (name_at as usize + text.len() + 1).next_multiple_of(8);
        let mut bytes: Vec<u8> =
            [kind, size as u32, name_at].iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.resize(name_at as usize, 0);
        bytes.extend(text.as_bytes());
        bytes.resize(size, 0);
        self.commands.push(bytes);
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let commands = self.commands.concat();
        let header =
            [0xfeed_facf, self.processor, 0, 6, self.commands.len() as u32, commands.len() as u32, 0, 0];
        header.iter().flat_map(|word| word.to_le_bytes()).chain(commands).collect()
    }
}

/// Several images in one file, each at a page of its own.
pub fn fat(images: &[Image]) -> Vec<u8> {
    const PAGE: usize = 0x4000;
    let mut header: Vec<u32> = vec![0xcafe_babe, images.len() as u32];
    let mut parts = Vec::new();
    let mut at = PAGE;
    for image in images {
        let bytes = image.bytes();
        header.extend([image.processor, 0, at as u32, bytes.len() as u32, 14]);
        parts.push((at, bytes.clone()));
        at += bytes.len().next_multiple_of(PAGE);
    }
    let mut file: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
    for (at, bytes) in parts {
        file.resize(at, 0);
        file.extend(bytes);
    }
    file
}
