//! Pseudo-random `.pth` files, the same for every run.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::real::bytes;

/// Knuth's linear congruential generator: good enough to vary files, and the same everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % limit as u64).unwrap()
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    fn target<'a>(&mut self, from: &'a [Vec<u8>]) -> &'a [u8] {
        &from[self.below(from.len())]
    }
}

const NAMES: [&[u8]; 12] = [
    b"a.pth",
    b"B.pth",
    b".hidden.pth",
    b"b.pth",
    b"\xc3\xa9.pth",
    b"\xff.pth",
    b"\xef\xbf\xbd.pth",
    b".pth",
    b"no.PTH",
    b"0.pth",
    b"with blank.pth",
    b"_x.pth",
];

/// Fills a site directory. Everything that lines refer to lies below `scratch`.
pub fn fill(site_packages: &Path, scratch: &Path, random: &mut Random) {
    let targets = targets(site_packages, scratch);
    for _ in 0..=random.below(5) {
        let name = OsString::from_vec(random.pick(&NAMES).to_vec());
        let contents = contents(&targets, random);
        std::fs::write(site_packages.join(&name), contents).unwrap();
        if random.below(6) == 0 {
            let start = PathBuf::from(name).with_extension("start");
            std::fs::write(site_packages.join(start), "# nothing\n").unwrap();
        }
    }
    match random.below(6) {
        0 => drop(std::fs::create_dir(site_packages.join("directory.pth"))),
        1 => drop(std::os::unix::fs::symlink("/nowhere", site_packages.join("dangling.pth"))),
        2 => drop(std::os::unix::fs::symlink(site_packages.join("a.pth"), site_packages.join("link.pth"))),
        _ => {}
    }
}

fn targets(site_packages: &Path, scratch: &Path) -> Vec<Vec<u8>> {
    for name in ["d1", "d 2", "\u{e9}t\u{e9}", "d3\u{a0}"] {
        std::fs::create_dir_all(scratch.join(name)).unwrap();
    }
    std::fs::write(scratch.join("some.zip"), "PK").unwrap();
    std::fs::create_dir_all(site_packages.join("inner")).unwrap();
    let mut targets: Vec<Vec<u8>> = [
        &b"inner"[..],
        b"./inner/",
        b"inner/..",
        b"../site-packages",
        b".",
        b"gone",
        b"~/x",
        b"$HOME",
        b"/",
        b"inner\0x",
    ]
    .map(<[u8]>::to_vec)
    .to_vec();
    for name in ["d1", "d 2", "\u{e9}t\u{e9}", "d3\u{a0}", "some.zip", "gone", "d1/../d 2", "d1//", "./d1"] {
        targets.push(bytes(&scratch.join(name)).to_vec());
    }
    targets
}

fn contents(targets: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut contents = Vec::new();
    if random.below(8) == 0 {
        contents.extend_from_slice(b"\xef\xbb\xbf");
    }
    let end: &[u8] = random.pick(&[
        &b"\n"[..],
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b"\x0b",
        b"\x0c",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
    ]);
    for _ in 0..random.below(7) {
        match random.below(12) {
            0 => contents.extend_from_slice(b"# comment"),
            1 => contents.extend_from_slice(b"   "),
            2 => {}
            3 => contents.extend_from_slice(random.pick(&[
                &b"import sys"[..],
                b"import\tsys",
                b" import sys",
                b"import sys; x = 1",
            ])),
            4 => {
                contents.extend_from_slice(random.pick(&[&b" "[..], b"\t", b"\xc2\xa0"]));
                contents.extend_from_slice(random.target(targets));
            }
            5 => {
                contents.extend_from_slice(random.target(targets));
                contents.extend_from_slice(random.pick(&[&b"  "[..], b"\t", b"\xc2\xa0", b" #", b"\x1c"]));
            }
            _ => contents.extend_from_slice(random.target(targets)),
        }
        contents.extend_from_slice(end);
    }
    if random.below(25) == 0 {
        contents.extend_from_slice(b"caf\xe9\n");
    }
    if random.below(3) == 0 {
        contents.extend_from_slice(random.target(targets));
    }
    contents
}
