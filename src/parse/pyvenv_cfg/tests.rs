use super::*;

const VENV: &str = "home = /root/.pyenv/versions/3.12.1/bin
include-system-site-packages = false
version = 3.12.1
executable = /root/.pyenv/versions/3.12.1/bin/python3.12
command = /root/.pyenv/versions/3.12.1/bin/python -m venv --without-pip /tmp/made/we ird'q$HOME/venv-3.12.1
";
const VIRTUALENV: &str = "home = /root/.pyenv/versions/3.13.0/bin
implementation = CPython
python-version = 3.13
version_info = 3.13.0.final.0
version = 3.13.0
executable = /root/.pyenv/versions/3.13.0/bin/python3.13
command = /opt/tools/bin/python3 -m virtualenv /tmp/made/we ird'q$HOME/ve-3.13.0
virtualenv = 21.15.7
prompt = \"demo\"
include-system-site-packages = false
base-prefix = /root/.pyenv/versions/3.13.0
";
const UV: &str = "home = /root/.pyenv/versions/3.13.0/bin
implementation = CPython
uv = 0.13.8
version_info = 3.13.0
include-system-site-packages = false
relocatable = true
prompt = it's
";

#[test]
fn reads_what_venv_writes() {
    let config = parse(VENV.as_bytes());
    assert_eq!(config.oddities, []);
    assert_eq!(config.home(), Some("/root/.pyenv/versions/3.12.1/bin"));
    assert_eq!(config.site_home(), config.home());
    assert!(!config.include_system_site_packages());
    assert_eq!(config.version(), Some((3, 12, Some(1))));
    assert_eq!(config.line_of("version"), Some(3));
    assert_eq!(config.executable(), Some("/root/.pyenv/versions/3.12.1/bin/python3.12"));
    assert_eq!(config.command_directory().as_deref(), Some("/tmp/made/we ird'q$HOME/venv-3.12.1"));
    assert_eq!(config.creator(), Creator::Venv);
    assert_eq!(config.creator().label(), "venv");
    assert!(!config.relocatable());
    assert_eq!(config.prompt(), None);
}

#[test]
fn reads_what_virtualenv_and_uv_write() {
    let config = parse(VIRTUALENV.as_bytes());
    assert_eq!(config.creator().label(), "virtualenv 21.15.7");
    assert_eq!(config.version(), Some((3, 13, Some(0))));
    assert_eq!(config.command_directory().as_deref(), Some("/tmp/made/we ird'q$HOME/ve-3.13.0"));
    assert_eq!(config.prompt().as_deref(), Some("demo"));
    let config = parse(UV.as_bytes());
    assert_eq!(config.creator(), Creator::Uv { version: "0.13.8".into() });
    assert!(config.relocatable());
    assert_eq!(config.version(), Some((3, 13, Some(0))));
    assert_eq!(config.prompt().as_deref(), Some("it's"));
    assert_eq!(config.command_directory(), None);
}

#[test]
fn the_command_ends_with_the_directory() {
    let directory = |command: &str| parse(format!("command = {command}\n").as_bytes()).command_directory();
    let expected = Some("/a b/--x".to_owned());
    assert_eq!(directory("/usr/bin/python3 -m venv /a b/--x"), expected);
    assert_eq!(directory("/p -m venv --copies --upgrade --upgrade-deps /a b/--x"), expected);
    assert_eq!(directory("/p -m venv --prompt=\"a \"b\" c\" --without-scm-ignore-files /a b/--x"), expected);
    assert_eq!(directory(r"C:\Py\python.exe -m venv --symlinks C:\My venv").as_deref(), Some(r"C:\My venv"));
    assert_eq!(directory("/p -m venv --unheard-of /a"), None);
    assert_eq!(directory("/p -m venv relative"), None);
    assert_eq!(directory("/p -m virtualenv relative"), None);
    assert_eq!(directory("/p -m venv --prompt=\"open /a"), None);
    assert_eq!(directory("/p -m something /a"), None);
    assert_eq!(directory(""), None);
}

#[test]
fn prompts_lose_pythons_quotes() {
    let prompt = |value: &str| parse(format!("prompt = {value}\n").as_bytes()).prompt();
    assert_eq!(prompt("'demo'").as_deref(), Some("demo"));
    assert_eq!(prompt(r#""it's""#).as_deref(), Some("it's"));
    assert_eq!(prompt(r"'a\'\x41\u00e9'").as_deref(), Some("a'A\u{e9}"));
    assert_eq!(prompt("demo").as_deref(), Some("demo"));
    assert_eq!(prompt("'open").as_deref(), Some("'open"));
    assert_eq!(prompt(r"'\xzz'").as_deref(), Some(r"'\xzz'"));
}

#[test]
fn getpath_takes_the_first_and_site_the_last() {
    let config = parse(
        b"HOME=/a\nhome = /b\ninclude-system-site-packages = true\r\ninclude-system-site-packages=False",
    );
    assert_eq!(config.home(), Some("/a"));
    assert_eq!(config.site_home(), Some("/b"));
    assert!(!config.include_system_site_packages());
    assert_eq!(
        config.oddities,
        [
            ConfigOddity::DuplicateKey { key: HOME.into(), line: 2 },
            ConfigOddity::DuplicateKey { key: INCLUDE_SYSTEM_SITE_PACKAGES.into(), line: 4 },
        ]
    );
}

#[test]
fn a_missing_key_means_system_packages() {
    assert!(parse(b"").include_system_site_packages());
    assert!(parse(b"include_system_site_packages = false\n").include_system_site_packages());
    for senseless in ["\"true\"", "1", "yes", ""] {
        let config = parse(format!("include-system-site-packages = {senseless}\n").as_bytes());
        assert!(!config.include_system_site_packages());
        let value = senseless.to_owned();
        assert_eq!(config.oddities, [ConfigOddity::SenselessBoolean { line: 1, value }]);
    }
    assert_eq!(parse(b"include-system-site-packages = TRUE\n").oddities, []);
}

#[test]
fn names_what_is_odd() {
    let oddities = |bytes: &[u8]| parse(bytes).oddities;
    assert_eq!(oddities(b"\xef\xbb\xbfhome = /a\n"), [ConfigOddity::ByteOrderMark]);
    assert_eq!(parse(b"\xef\xbb\xbfhome = /a\n").home(), None);
    assert_eq!(oddities(b"# caf\xe9\nhome = /a\n"), [ConfigOddity::NotUtf8 { line: 1 }]);
    assert_eq!(oddities(b"# note\n\n[venv]\n"), [ConfigOddity::Section { line: 3 }]);
    assert_eq!(oddities(b"a b\n"), [ConfigOddity::NotAKeyValueLine { line: 1 }]);
    assert_eq!(oddities(b"home = '/a'\n"), [ConfigOddity::QuotedHome { line: 1 }]);
    assert_eq!(oddities(b"home = ~/a\n"), [ConfigOddity::RelativeHome { line: 1 }]);
    assert_eq!(oddities(b"home =\n"), [ConfigOddity::EmptyHome { line: 1 }]);
    assert_eq!(oddities(b"home = C:\\Python312\n"), []);
    assert_eq!(oddities(b"# home = x\n# home = y\n"), []);
    let mut large = b"home = /a\n".to_vec();
    large.resize(SIZE_LIMIT, b'\n');
    assert_eq!(oddities(&large), [ConfigOddity::TooLarge]);
}

#[test]
fn utf16_has_no_keys() {
    let bytes: Vec<u8> = "\u{feff}home = /a\r\n".encode_utf16().flat_map(|unit| unit.to_le_bytes()).collect();
    let config = parse(&bytes);
    assert_eq!(config.oddities, [ConfigOddity::Utf16]);
    assert_eq!(config.lines.first().map(|line| line.text.as_str()), Some("home = /a"));
    assert_eq!(config.home(), None);
    assert_eq!(parse(b"\xfe\xff\0").oddities, [ConfigOddity::Utf16]);
}

#[test]
fn getpath_stops_at_a_nul() {
    assert_eq!(parse(b"a = \0\nhome = /a\n").home(), None);
    assert_eq!(parse(b"a = \0\nhome = /a\n").site_home(), Some("/a"));
    assert_eq!(parse(b"home = /a\0b\n").home(), Some("/a"));
    assert_eq!(parse(b"home = /a\nb = \0\n").home(), Some("/a"));
    assert_eq!(parse(b"ho\0me = /a\n").home(), None);
}

#[test]
fn the_c_reader_is_strict() {
    let home = |bytes: &[u8]| c_getpath_home(bytes).map(|home| String::from_utf8(home).unwrap());
    assert_eq!(home(b"home = /a b\r\n").as_deref(), Some("/a b"));
    assert_eq!(home(b" \thome\t=\t/a\n").as_deref(), Some("/a"));
    assert_eq!(home(b"home =  /a \n").as_deref(), Some(" /a "));
    for ignored in ["home=/a\n", "home= /a\n", "home =/a\n", "HOME = /a\n", "home = /a", "# home = /a\n"] {
        assert_eq!(home(ignored.as_bytes()), None, "{ignored:?}");
    }
    assert_eq!(home(b"home = \nhome = /b\nhome = /c\n").as_deref(), Some("/b"));
    assert_eq!(home(b"a\0b\nhome = /a\n"), None);
    assert_eq!(home(format!("{}\nhome = /a\n", "x".repeat(9000)).as_bytes()), None);
    assert_eq!(home(b"\n\nhome = /a\n").as_deref(), Some("/a"));
}

#[test]
fn survives_anything() {
    for seed in 0..300 {
        let bytes = crate::parse::noise(seed, (seed as usize * 7) % 2000);
        let config = parse(&bytes);
        let _ = (config.home(), config.version(), config.prompt(), config.command_directory());
        c_getpath_home(&bytes);
    }
    let config = parse(VENV.as_bytes());
    let json = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<PyvenvConfig>(&json).unwrap(), config);
}
