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
