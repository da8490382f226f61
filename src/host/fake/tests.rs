use super::*;

fn posix(path: &str) -> HostPath {
    HostPath::posix(path)
}

#[test]
fn follows_links_everywhere_and_names_loops() {
    let machine = FakeMachine::linux()
        .file("/real/dir/file", "x")
        .link("/short", "real/dir")
        .link("/real/up", "../short/file")
        .link("/a", "b")
        .link("/b", "/a")
        .link("/gone", "/nowhere/x");
    assert_eq!(machine.canonical(&posix("/real/up")), Ok(posix("/real/dir/file")));
    assert_eq!(machine.canonical(&posix("/short/../up")), Ok(posix("/real/dir/file")));
    assert_eq!(machine.metadata(&posix("/a")), Err(FileError::Loop));
    assert_eq!(machine.metadata(&posix("/gone")), Err(FileError::Missing));
    assert_eq!(machine.link_metadata(&posix("/gone")).map(|link| link.kind), Ok(FileKind::Link));
    assert_eq!(machine.read_link(&posix("/real/up")), Ok(b"../short/file".to_vec()));
    assert_eq!(machine.metadata(&posix("/real/dir/file/x")), Err(FileError::NotADirectory));
    assert_eq!(machine.metadata(&posix("/real/dir/file/")), Err(FileError::NotADirectory));
}

#[test]
fn permissions_bind_the_user() {
    let machine = FakeMachine::linux()
        .file("/secret/file", "x")
        .mode("/secret", 0o700)
        .executable("/tool", "x")
        .executable("/noexec/tool", "x")
        .mounted("/noexec", Mount { noexec: true, read_only: false })
        .file("/home/me/locked", "x")
        .deny("/home/me/locked");
    assert_eq!(machine.metadata(&posix("/secret/file")), Err(FileError::Denied));
    assert!(machine.can_execute(&posix("/tool")) && !machine.can_write(&posix("/tool")));
    assert!(!machine.can_execute(&posix("/noexec/tool")));
    assert_eq!(machine.read(&posix("/home/me/locked"), 9), Err(FileError::Denied));
    let machine = machine.root();
    assert!(machine.is_file(&posix("/secret/file")));
    assert!(!machine.can_execute(&posix("/secret/file")));
    assert_eq!(machine.read(&posix("/home/me/locked"), 9), Err(FileError::Denied));
}

#[test]
fn windows_names_have_no_case() {
    let machine = FakeMachine::windows()
        .file("C:\\Work\\.venv\\pyvenv.cfg", "home = C:\\Python")
        .executable("D:/Tools/python.exe", "MZ")
        .variable("Path", "d:\\tools");
    let path = machine.path("c:/work/.VENV/PYVENV.CFG");
    assert!(machine.is_file(&path));
    assert_eq!(machine.canonical(&path), Ok(machine.path("C:\\Work\\.venv\\pyvenv.cfg")));
    assert_eq!(Host::variable(&machine, "PATH"), Some(b"d:\\tools".to_vec()));
    assert!(machine.which("PYTHON").is_some_and(|p| p.same_as(&machine.path("D:\\Tools\\python.exe"))));
    let listing = machine.list(&machine.path("C:\\work")).unwrap();
    assert_eq!(listing.entries, [Entry { name: b".venv".to_vec(), kind: FileKind::Directory }]);
}

#[test]
fn runs_what_it_was_told() {
    let machine = FakeMachine::linux().executable("/bin/python", "x").prints("/bin/python", "hello");
    let mut invocation = Invocation {
        program: posix("/bin/python"),
        arguments: Vec::new(),
        environment: Vec::new(),
        directory: None,
        deadline: Duration::from_secs(1),
        output_limit: 4,
    };
    assert_eq!(machine.start(&invocation).outcome().stdout, b"hell");
    invocation.program = posix("/bin/other");
    assert!(matches!(machine.start(&invocation).outcome().ending, Ending::NotStarted(_)));
    assert_eq!(machine.asked().len(), 2);
}

/// The same questions of a real directory and of one that was made up alike.
#[cfg(unix)]
#[test]
fn answers_as_the_real_machine_does() {
    use crate::host::real::{RealMachine, from_std};
    use std::os::unix::fs::{PermissionsExt, symlink};

    let scratch = tempfile::tempdir().unwrap();
    let base = from_std(&scratch.path().canonicalize().unwrap()).unwrap();
    let at = |name: &str| scratch.path().canonicalize().unwrap().join(name);
    std::fs::create_dir_all(at("bin/sub")).unwrap();
    for (name, mode) in [("bin/run", 0o755), ("bin/data", 0o644), ("bin/shut", 0o000)] {
        std::fs::write(at(name), b"#!/bin/sh\n").unwrap();
        std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let links =
        [("l1", "bin/run"), ("l2", "l1"), ("o1", "o2"), ("o2", "o1"), ("gone", "nowhere"), ("d", "bin")];
    for (name, target) in links {
        symlink(target, at(name)).unwrap();
    }

    let within = |name: &str| base.join(name).as_bytes().to_vec();
    let mut fake = FakeMachine::linux().user(RealMachine::new().user().clone());
    fake = fake.dir(within("bin/sub")).executable(within("bin/run"), "#!/bin/sh\n");
    fake = fake.file(within("bin/data"), "#!/bin/sh\n").file(within("bin/shut"), "#!/bin/sh\n");
    fake = fake.mode(within("bin/shut"), 0);
    for (name, target) in links {
        fake = fake.link(within(name), target);
    }
    for name in ["bin", "bin/sub", "bin/run", "bin/data", "bin/shut"] {
        let user = fake.user.clone();
        fake = fake.owner(within(name), user.effective_id, user.effective_group);
    }

    let real = RealMachine::new();
    let names = [
        "",
        "bin",
        "bin/",
        "bin/sub",
        "bin/run",
        "bin/run/",
        "bin/run/x",
        "bin/data",
        "bin/shut",
        "l1",
        "l2",
        "o1",
        "o1/x",
        "gone",
        "gone/x",
        "d",
        "d/",
        "d/run",
        "d/../bin/run",
        "bin/missing",
        "./bin//run",
    ];
    let (real, fake): (&dyn Host, &dyn Host) = (&real, &fake);
    for name in names {
        let path = base.join(name);
        let ask = |host: &dyn Host| {
            let short = |metadata: Metadata| {
                (metadata.kind, metadata.mode & 0o777, metadata.kind == FileKind::File && metadata.size == 10)
            };
            (
                host.metadata(&path).map(short),
                host.link_metadata(&path).map(short),
                host.read_link(&path),
                host.read(&path, 5).map(|contents| (contents.bytes, contents.size, contents.mode)),
                host.canonical(&path),
                (host.can_execute(&path), host.can_read(&path)),
                host.list(&path),
            )
        };
        let (mut expected, mut answer) = (ask(real), ask(fake));
        if name.is_empty() {
            // the scratch directory is private, the made-up one is not
            (expected.0, expected.1) = (answer.0.clone(), answer.1.clone());
            (expected.5, answer.5) = ((true, true), (true, true));
        }
        assert_eq!(expected, answer, "{name:?}");
        if !name.is_empty() {
            let open = real.open_directory(&base);
            let below = real.read_below(open.below(name.as_bytes(), 5), b"something else".to_vec());
            assert_eq!(below, real.read(&path, 5), "{name:?} below its directory");
            let kind = |found: Result<Metadata, FileError>| found.map(|found| found.kind);
            let below = real.metadata_below(&open, &[name.as_bytes()]).pop().map(kind);
            assert_eq!(below, Some(kind(real.metadata(&path))), "{name:?} below its directory");
        }
    }
}
