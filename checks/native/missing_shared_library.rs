//! An extension module needs a shared library that is nowhere.

use super::{CANNOT_IMPORT, patient, severity};
use crate::diagnosis::{
    Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject, Word, reinstall,
};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::facts::native::{LoadFault, UnloadableModule};
use crate::facts::platform::System;
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "missing-shared-library",
    category: Category::Native,
    severity: Severity::Error,
    summary: "A compiled module needs a shared library that is nowhere",
    needs: &[Need::Native, Need::Binaries],
    explains: CANNOT_IMPORT,
    explanation: r#"
## What it means
A compiled module names the shared libraries that it needs. When Python imports it, the system's loader looks for
each: in directories that the module itself names (RPATH, RUNPATH), in those of `LD_LIBRARY_PATH`, in what
`ldconfig` knows (`/etc/ld.so.conf`), in `/lib` and `/usr/lib`. One of them is in none of these, so the import ends
with `ImportError: libGL.so.1: cannot open shared object file: No such file or directory`.

On Windows the loader looks in the module's own directory, in those that the package adds, beside `python.exe` and in
`System32`, and only before Python 3.8 in `PATH`: `DLL load failed while importing _core: The specified module could
not be found`. Reported there are the files of Microsoft's Visual C++ redistributable, `msvcp140.dll` and its like.

On macOS a module mostly names whole paths, or `@rpath/NAME`: then the loader looks in the directories of LC_RPATH, in
`DYLD_LIBRARY_PATH`, `/usr/local/lib` and `/usr/lib`, and says `Library not loaded: ...` with all that it tried.

## How it happens
Slim container images leave out what desktops have (`libGL.so.1`, `libglib-2.0.so.0`, `libxcb`). A module that was
built here from source needs the library that it was built with (`libpq.so.5`, `libmysqlclient`, a CUDA version),
which was removed or upgraded since; on macOS `brew upgrade` does that: `libicuuc.74.dylib` is now `libicuuc.76.dylib`.

## How to fix it
Install the package of the system that has the library. On Debian and Ubuntu `apt-file search libGL.so.1` names it:

    apt-get install libgl1 libglib2.0-0

On Windows `winget install --exact --id Microsoft.VCRedist.2015+.x64`. On macOS `brew install libomp`. What was built with a library that has another version now is built again:

    .venv/bin/python -m pip install --force-reinstall --no-deps --no-cache-dir --no-binary pyicu pyicu==2.13

Or install a build that needs less: `opencv-python-headless` for `opencv-python`, `psycopg2-binary` for `psycopg2`.

## When it is fine
When the module is a plugin that you never use. Libraries that another module loads first (CUDA's, by torch) are
not missed here as long as some installed distribution brings them along.
"#,
    examine,
};

/// Well-known libraries, their package on Debian (and Ubuntu), on Fedora, and on Alpine.
const PACKAGES: [(&str, &str, &str, &str); 20] = [
    ("libGL.so.1", "libgl1", "mesa-libGL", "mesa-gl"),
    ("libEGL.so.1", "libegl1", "mesa-libEGL", "mesa-egl"),
    ("libglib-2.0.so.0", "libglib2.0-0", "glib2", "glib"),
    ("libgthread-2.0.so.0", "libglib2.0-0", "glib2", "glib"),
    ("libSM.so.6", "libsm6", "libSM", "libsm"),
    ("libICE.so.6", "libice6", "libICE", "libice"),
    ("libXext.so.6", "libxext6", "libXext", "libxext"),
    ("libXrender.so.1", "libxrender1", "libXrender", "libxrender"),
    ("libX11.so.6", "libx11-6", "libX11", "libx11"),
    ("libxcb.so.1", "libxcb1", "libxcb", "libxcb"),
    ("libgomp.so.1", "libgomp1", "libgomp", "libgomp"),
    ("libstdc++.so.6", "libstdc++6", "libstdc++", "libstdc++"),
    ("libpq.so.5", "libpq5", "libpq", "libpq"),
    ("libffi.so.8", "libffi8", "libffi", "libffi"),
    ("libssl.so.3", "libssl3", "openssl-libs", "libssl3"),
    ("libcrypto.so.3", "libssl3", "openssl-libs", "libcrypto3"),
    ("libexpat.so.1", "libexpat1", "expat", "libexpat"),
    ("libxml2.so.2", "libxml2", "libxml2", "libxml2"),
    ("libgdal.so.32", "libgdal32", "gdal-libs", "gdal"),
    ("libsndfile.so.1", "libsndfile1", "libsndfile", "libsndfile"),
];

fn examine(facts: &Facts, findings: &mut Findings) {
    let Some((environment, native)) = patient(facts) else { return };
    for module in &native.unloadable {
        let LoadFault::MissingLibrary { library, needed_by: through } = &module.fault else { continue };
        let severity = severity(module);
        let verb = if severity == Severity::Error { "cannot be imported" } else { "may not be importable" };
        let finding = Finding::new(
            &CHECK,
            Subject::Environment(environment.root.clone()),
            format!("{} {verb}: it needs {library}, which is {}", name(module), nowhere(facts)),
        )
        .severity(severity)
        .evidence("needed by", needed_by(module, through.as_ref()))
        .evidence("searched in vain", searched(facts, module));
        let finding = match &module.sought.other_version {
            Some(other) => finding.evidence("another version is there", other.to_text()),
            None => finding,
        };
        let finding = match module.owner {
            Some(_) => finding.evidence(
                "modules of the same distribution",
                format!("{} of the {} that were read need it", module.alike, module.siblings),
            ),
            None => finding,
        };
        findings.push(finding.remedy(match facts.platform.system {
            System::MacOs => macos(facts, environment, module, library),
            System::Windows => windows(facts, environment),
            _ => remedy(facts, library),
        }));
    }
}

fn name(module: &UnloadableModule) -> String {
    match &module.owner {
        Some(owner) => format!("{} ({} {})", module.module, owner.name, owner.version),
        None => module.module.clone(),
    }
}

fn nowhere(facts: &Facts) -> &'static str {
    match facts.platform.system {
        System::MacOs => "nowhere",
        System::Windows => "not on this machine: it belongs to the Visual C++ redistributable",
        _ => "in no library path",
    }
}

fn needed_by(module: &UnloadableModule, through: Option<&HostPath>) -> String {
    match through {
        Some(through) => format!("{through}, which {} needs", module.path),
        None => module.path.to_string(),
    }
}

fn searched(facts: &Facts, module: &UnloadableModule) -> String {
    if facts.platform.system != System::Linux {
        let directories: Vec<_> = module.sought.directories.iter().map(HostPath::to_text).collect();
        return directories.join(", ");
    }
    "its own directories, LD_LIBRARY_PATH, /etc/ld.so.conf, /etc/ld.so.cache, /lib and /usr/lib, and what installed distributions bring along".to_owned()
}

fn windows(facts: &Facts, environment: &Environment) -> Remedy {
    let mut binaries =
        facts.interpreters_of(environment).filter_map(|interpreter| interpreter.binary.known());
    let own = binaries.find_map(|binary| binary.architectures.first());
    let processor = match own.unwrap_or(&facts.platform.architecture).as_str() {
        "x86" => "x86",
        "aarch64" => "arm64",
        _ => "x64",
    };
    let package = format!("Microsoft.VCRedist.2015+.{processor}");
    let words = ["winget", "install", "--exact", "--id", &package];
    Remedy::safe(
        "Install Microsoft's Visual C++ redistributable",
        vec![Action::Run(words.map(Word::from).to_vec())],
    )
}

/// A library that was upgraded is there under another name: what was built with it is built again. One of Homebrew's
/// that was removed is installed again.
fn macos(facts: &Facts, environment: &Environment, module: &UnloadableModule, library: &str) -> Remedy {
    if let (Some(_), Some(owner)) = (&module.sought.other_version, &module.owner) {
        let name = owner.name.as_str();
        let pip = ["--force-reinstall", "--no-deps", "--no-cache-dir", "--no-binary", name];
        let uv = ["--reinstall", "--no-deps", "--no-cache", "--no-binary-package", name];
        if let Some(installer) = reinstall::installer(facts, environment, &pip, &uv) {
            return Remedy::safe(
                format!("Build {name} again, with the version of the library that is there"),
                installer.actions([Word::from(format!("{name}=={}", owner.version))]),
            );
        }
    }
    if let Some(formula) = formula(library) {
        return Remedy::safe(
            "Install Homebrew's formula that has the library".to_owned(),
            vec![Action::Run(["brew", "reinstall", formula].map(Word::from).to_vec())],
        );
    }
    let pins = module.owner.iter().map(|owner| format!("{}=={}", owner.name, owner.version)).collect();
    if let (true, Some(owner), Some(actions)) =
        (library.starts_with('@'), &module.owner, reinstall::pinned(facts, environment, pins))
    {
        return Remedy::safe(format!("Install {} again, with its libraries", owner.name), actions);
    }
    let brought = match &module.owner {
        Some(owner) => format!("or install {} again in a build that brings its libraries along", owner.name),
        None => "or build the module again on this machine".to_owned(),
    };
    Remedy::manual(
        format!("Install what brings {library}"),
        vec![Action::Advice(format!("install the package that has {library}, {brought}"))],
    )
}

/// `libpq` of `/opt/homebrew/opt/libpq/lib/libpq.5.dylib`.
fn formula(library: &str) -> Option<&str> {
    let below = ["/opt/homebrew/", "/usr/local/"].iter().find_map(|prefix| library.strip_prefix(prefix))?;
    let rest = below.strip_prefix("opt/").or_else(|| below.strip_prefix("Cellar/"))?;
    rest.split_once('/').map(|(formula, _)| formula)
}

fn remedy(facts: &Facts, library: &str) -> Remedy {
    let known = PACKAGES.iter().find(|(name, ..)| *name == library);
    let distribution = facts.platform.distribution.as_deref().unwrap_or_default();
    let command = |words: &[&str], package: &str| {
        let sudo = (facts.user.effective_id != 0).then_some("sudo");
        let words = sudo.into_iter().chain(words.iter().copied()).chain([package]);
        Remedy::safe(
            format!("Install the package that has {library}"),
            vec![Action::Run(words.map(Word::from).collect())],
        )
    };
    match (known, distribution) {
        (Some((_, debian, ..)), "debian" | "ubuntu" | "linuxmint" | "pop" | "raspbian") => {
            command(&["apt-get", "install", "-y"], debian)
        }
        (Some((_, _, fedora, _)), "fedora" | "rhel" | "centos" | "rocky" | "almalinux" | "amzn") => {
            command(&["dnf", "install", "-y"], fedora)
        }
        (Some((.., alpine)), "alpine") => command(&["apk", "add"], alpine),
        _ => {
            let finder = match (facts.platform.system, distribution) {
                (System::Linux, "debian" | "ubuntu") => format!("`apt-file search {library}` names it"),
                (System::Linux, "fedora" | "rhel") => format!("`dnf provides '*/{library}'` names it"),
                _ => "or set LD_LIBRARY_PATH to the directory that has it".to_owned(),
            };
            Remedy::manual(
                format!("Install what brings {library}"),
                vec![Action::Advice(format!("install the system's package that has {library}; {finder}"))],
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::extension_for_another_python::tests::{native, owner};
    use super::*;
    use crate::facts::example::{healthy, path};
    use crate::facts::native::{Native, Sought};

    fn with(alike: usize, siblings: usize, library: &str) -> Facts {
        let mut facts = healthy();
        let unloadable = vec![UnloadableModule {
            module: "cv2.cv2".into(),
            path: path("/v/cv2/cv2.abi3.so"),
            owner: Some(owner("opencv-python", "4.9")),
            siblings,
            alike,
            sought: Sought::default(),
            fault: LoadFault::MissingLibrary { library: library.into(), needed_by: None },
        }];
        facts.native = vec![Native { unloadable, ..native() }];
        facts
    }

    #[test]
    fn fires_when_all_modules_need_it() {
        let found = CHECK.findings(&with(1, 1, "libGL.so.1"));
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(
            found[0].message,
            "cv2.cv2 (opencv-python 4.9) cannot be imported: it needs libGL.so.1, which is in no library path"
        );
        assert!(format!("{:?}", found[0].remedies).contains("libgl1"), "{found:?}");
    }

    #[test]
    fn quiet_but_for_a_note_when_other_modules_of_it_load() {
        let found = CHECK.findings(&with(1, 6, "libmpi.so.40"));
        assert_eq!(found[0].severity, Severity::Info);
        assert!(found[0].message.contains("may not be"), "{found:?}");
    }

    #[test]
    fn quiet_when_healthy() {
        let mut facts = healthy();
        facts.native = vec![native()];
        assert_eq!(CHECK.findings(&facts), []);
    }

    #[test]
    fn quiet_when_the_library_is_only_too_old() {
        let mut facts = with(1, 1, "x");
        facts.native[0].unloadable[0].fault = LoadFault::MissingVersion {
            library: "libc.so.6".into(),
            found: path("/lib/libc.so.6"),
            version: "GLIBC_2.99".into(),
            newest: None,
        };
        assert_eq!(CHECK.findings(&facts), []);
    }
}
