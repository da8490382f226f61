//! Environments of a seed: real distributions' metadata, some of them taken away, renamed or given other versions,
//! and made-up ones with every form that a requirement may have.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::Python;

/// `Name`, `Version`, `Requires-Python` and `Requires-Dist` of real distributions that fit together.
const REAL: &str = include_str!("distributions.txt");

const VERSIONS: [&str; 12] = [
    "0.1",
    "1.0",
    "2",
    "2.0.0",
    "99.5",
    "1.0rc1",
    "2.0.dev3",
    "1.0.post2",
    "1.0+local.1",
    "1!0.5",
    "2.1a1",
    "2.0+cu121",
];
const SPECIFIERS: [&str; 22] = [
    "",
    ">=1",
    ">=2.0",
    "<2",
    "<2.0",
    "<=1.0",
    ">1.0",
    "==1.0",
    "==2.*",
    "!=2.*",
    "!=1.0",
    "~=1.0",
    "~=2.0.0",
    "===1.0",
    ">=1.0,<3,!=2.1",
    "==1.0+local.1",
    "<1!0",
    ">=1!0.1",
    ">=2.0.dev1",
    ">=1.0rc1",
    "<2.0rc1",
    "==2.0+cu121",
];
const MARKERS: [&str; 16] = [
    "",
    "",
    "",
    "python_version >= '3.8'",
    "python_version < '3.8'",
    "sys_platform == 'linux'",
    "sys_platform == 'win32'",
    "platform_system != 'Windows' and os_name == 'posix'",
    "implementation_name == 'cpython'",
    "platform_python_implementation == 'PyPy'",
    "python_full_version >= '3.8.1'",
    "'linux' in sys_platform",
    "platform_machine not in 'sparc mips'",
    "extra == 'fast'",
    "extra == 'fast' or python_version > '3'",
    "(python_version > '3' and sys_platform == 'win32') or os_name == 'nt'",
];
const PYTHONS: [&str; 8] =
    [">=3.8", ">=3.99", "<3", "<3.5,>=3", "!=3.0.*,>=2.7", "~=3.8", ">=3.6, <4", ">2.7,!=3.1.*"];

/// Steele, Lea and Flood's SplitMix64.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

#[derive(Debug, Clone, Default)]
struct Distribution {
    name: String,
    version: String,
    /// The other headers.
    lines: Vec<String>,
}

fn real() -> Vec<Distribution> {
    let mut all = Vec::new();
    for paragraph in REAL.split("\n\n") {
        let mut distribution = Distribution::default();
        for line in paragraph.lines() {
            match line.split_once(": ") {
                Some(("Name", name)) => distribution.name = name.to_owned(),
                Some(("Version", version)) => distribution.version = version.to_owned(),
                _ => distribution.lines.push(line.to_owned()),
            }
        }
        all.push(distribution);
    }
    all
}

/// Another spelling of the same name (PEP 503).
fn respelled(name: &str, random: &mut Random) -> String {
    match random.below(4) {
        0 => name.to_ascii_uppercase(),
        1 => name.replace('-', "."),
        2 => name.replace(['_', '.'], "-"),
        _ => name.replace('-', "_"),
    }
}

fn requirement(names: &[String], random: &mut Random) -> String {
    let name = match random.below(6) {
        0 => format!("absent.{}", random.below(3)),
        _ => names[random.below(names.len())].clone(),
    };
    let name = respelled(&name, random);
    let extras = ["", "", "", "[fast]", "[a,b]"][random.below(5)];
    let specifier = SPECIFIERS[random.below(SPECIFIERS.len())];
    let marker = match random.one_of(&MARKERS) {
        "" => String::new(),
        marker => format!(" ; {marker}"),
    };
    match random.below(8) {
        0 => format!("{name}{extras} @ https://example.org/{}-9.9-py3-none-any.whl{marker}", random.below(9)),
        1 if !specifier.is_empty() => format!("{name}{extras} ({specifier}){marker}"),
        _ => format!("{name}{extras}{specifier}{marker}"),
    }
}

/// What this seed installs, by normalised name.
fn chosen(random: &mut Random) -> BTreeMap<String, Distribution> {
    let mut all = real();
    // a third leaves much unmet: most environments lack only one or two
    let removals = if random.below(10) == 0 { 40 } else { random.below(4) };
    for _ in 0..removals {
        all.remove(random.below(all.len()));
    }
    for _ in 0..random.below(4) {
        let at = random.below(all.len());
        all[at].version = random.one_of(&VERSIONS).to_owned();
    }
    for _ in 0..5 {
        let at = random.below(all.len());
        all[at].name = respelled(&all[at].name.clone(), random);
    }
    let made_up: Vec<String> = (0..6).map(|number| format!("made-up_{number}")).collect();
    let mut names = made_up.clone();
    names.extend(all.iter().map(|distribution| distribution.name.clone()).take(4));
    for name in made_up {
        let mut lines: Vec<String> =
            (0..random.below(4)).map(|_| format!("Requires-Dist: {}", requirement(&names, random))).collect();
        if random.below(3) == 0 {
            lines.push(format!("Requires-Python: {}", random.one_of(&PYTHONS)));
        }
        let version = random.one_of(&VERSIONS).to_owned();
        if random.below(8) > 0 {
            all.push(Distribution { name: respelled(&name, random), version, lines });
        }
    }
    let normalized = |name: &str| name.to_ascii_lowercase().replace(['_', '.'], "-");
    all.into_iter().map(|distribution| (normalized(&distribution.name), distribution)).collect()
}

/// An environment without packages, at `root`.
pub fn build(root: &Path, python: &Python) {
    fs::create_dir_all(root.join("bin")).unwrap();
    fs::create_dir_all(python.site_packages(root)).unwrap();
    let home = python.path.parent().unwrap().canonicalize().unwrap();
    let config = format!(
        "home = {}\ninclude-system-site-packages = false\nversion = {}\n",
        home.display(),
        python.minor
    );
    fs::write(root.join("pyvenv.cfg"), config).unwrap();
    for name in ["python".to_owned(), "python3".to_owned(), format!("python{}", python.minor)] {
        symlink(&python.path, root.join("bin").join(name)).unwrap();
    }
}

/// Fills a directory of packages with what this seed installs.
pub fn fill(site: &Path, seed: u64) {
    for distribution in chosen(&mut Random(seed)).into_values() {
        let file = distribution.name.replace(['-', '.'], "_");
        let metadata = site.join(format!("{file}-{}.dist-info", distribution.version));
        fs::create_dir_all(&metadata).unwrap();
        let headers = format!(
            "Metadata-Version: 2.1\nName: {}\nVersion: {}\n{}\n",
            distribution.name,
            distribution.version,
            distribution.lines.join("\n")
        );
        fs::write(metadata.join("METADATA"), headers).unwrap();
        let wheel = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
        fs::write(metadata.join("WHEEL"), wheel).unwrap();
        fs::write(metadata.join("INSTALLER"), "pip\n").unwrap();
        fs::write(metadata.join("RECORD"), "").unwrap();
    }
}
