//! A library for Windows that has nothing but a table of imports (the PE format's `.idata`).

const SECTION_AT: u32 = 0x200;
const ADDRESS: u32 = 0x1000;

/// For x86_64, with these libraries needed.
pub fn library(libraries: &[&str]) -> Vec<u8> {
    let section = imports(libraries);
    let mut file = b"MZ".to_vec();
    file.resize(60, 0);
    file.extend(64u32.to_le_bytes());
    file.extend(b"PE\0\0");
    // processor, sections, time, symbols, their count, optional header's size, a library of 64 bits
    file.extend(0x8664u16.to_le_bytes());
    file.extend(1u16.to_le_bytes());
    file.extend([0; 12]);
    file.extend(240u16.to_le_bytes());
    file.extend(0x2022u16.to_le_bytes());
    let optional = file.len();
    file.extend(0x20bu16.to_le_bytes());
    file.resize(optional + 108, 0);
    file.extend(16u32.to_le_bytes());
    // directories: exports, then imports
    file.extend([0; 8]);
    for word in [ADDRESS, section.len() as u32] {
        file.extend(word.to_le_bytes());
    }
    file.resize(optional + 240, 0);
    file.extend(b".idata\0\0");
    let size = section.len() as u32;
    for word in [size, ADDRESS, size, SECTION_AT, 0, 0, 0, 0x4000_0040] {
        file.extend(word.to_le_bytes());
    }
    file.resize(SECTION_AT as usize, 0);
    file.extend(section);
    file
}

/// A descriptor of 20 bytes for each, one of zeros, and the names.
fn imports(libraries: &[&str]) -> Vec<u8> {
    let mut names = Vec::new();
    let mut section = Vec::new();
    let names_at = ADDRESS + 20 * (libraries.len() as u32 + 1);
    for library in libraries {
        let at = names_at + names.len() as u32;
        for word in [names_at, 0, 0, at, names_at] {
            section.extend(word.to_le_bytes());
        }
        names.extend(library.as_bytes());
        names.push(0);
    }
    section.resize(section.len() + 20, 0);
    section.extend(names);
    section
}
