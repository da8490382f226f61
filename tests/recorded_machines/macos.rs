//! macOS: Homebrew's Cellar, frameworks, Xcode's stub, two processors, flags of files.

use venv_doctor::host::fake::FakeMachine;

use crate::mach_o::{ARM, INTEL, Image, fat};
use crate::{leads, quiet};

const ZSH: &str = "/bin/zsh";
const BREW: &str = "/opt/homebrew";
const VENV: &str = "/Users/me/shop/.venv";
const SYSTEM: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

fn machine() -> FakeMachine {
    FakeMachine::macos()
        .architecture("aarch64")
        .release("25.1.0")
        .variable("HOME", "/Users/me")
        .variable("SHELL", ZSH)
        .executable(ZSH, mach(ARM))
        .process(&["-zsh"], &[])
        .process(&["/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal"], &[])
        // Apple's stub, which runs the Python of the command line tools
        .executable("/usr/bin/python3", mach(ARM))
        .executable("/Library/Developer/CommandLineTools/usr/bin/python3", mach(ARM))
}

/// An image for one processor that needs nothing.
fn mach(processor: u32) -> Vec<u8> {
    Image::of(processor).bytes()
}

/// A framework build: `VERSION` is Homebrew's, with its revision.
fn homebrew(machine: FakeMachine, prefix: &str, minor: &str, version: &str, processor: u32) -> FakeMachine {
    let cellar = format!("{prefix}/Cellar/python@{minor}/{version}");
    let framework = format!("{cellar}/Frameworks/Python.framework/Versions/{minor}");
    let stdlib = format!("{framework}/lib/python{minor}");
    machine
        .executable(format!("{framework}/bin/python{minor}"), mach(processor))
        .executable(format!("{framework}/Python"), mach(processor))
        .file(format!("{stdlib}/os.py"), "")
        .file(format!("{stdlib}/site.py"), "")
        .file(format!("{stdlib}/ensurepip/__init__.py"), "")
        .file(format!("{stdlib}/EXTERNALLY-MANAGED"), "[externally-managed]\nError=use a venv\n")
        .dir(format!("{stdlib}/lib-dynload"))
        .link(
            format!("{cellar}/bin/python{minor}"),
            format!("../Frameworks/Python.framework/Versions/{minor}/bin/python{minor}"),
        )
        .link(format!("{prefix}/opt/python@{minor}"), format!("../Cellar/python@{minor}/{version}"))
        .link(
            format!("{prefix}/bin/python{minor}"),
            format!("../Cellar/python@{minor}/{version}/bin/python{minor}"),
        )
        .link(
            format!("{prefix}/bin/python3"),
            format!("../Cellar/python@{minor}/{version}/bin/python{minor}"),
        )
}

fn venv(machine: FakeMachine, base: &str, minor: &str, version: &str) -> FakeMachine {
    let site = format!("{VENV}/lib/python{minor}/site-packages");
    let info = format!("{site}/pip-24.0.dist-info");
    let config = format!(
        "home = {base}\ninclude-system-site-packages = false\nversion = {version}\nexecutable = {base}/python{minor}\ncommand = {base}/python{minor} -m venv {VENV}\n"
    );
    let activate =
        format!("VIRTUAL_ENV={VENV}\nexport VIRTUAL_ENV\nPATH=\"$VIRTUAL_ENV/bin:$PATH\"\nexport PATH\n");
    machine
        .file(format!("{VENV}/pyvenv.cfg"), config)
        .link(format!("{VENV}/bin/python{minor}"), format!("{base}/python{minor}"))
        .link(format!("{VENV}/bin/python3"), format!("python{minor}"))
        .link(format!("{VENV}/bin/python"), format!("python{minor}"))
        .executable(format!("{VENV}/bin/pip"), format!("#!{VENV}/bin/python{minor}\nfrom pip import main\n"))
        .file(format!("{VENV}/bin/activate"), activate)
        .file(format!("{site}/pip/__init__.py"), "def main(): pass\n")
        .file(format!("{info}/METADATA"), "Metadata-Version: 2.1\nName: pip\nVersion: 24.0\n")
        .file(format!("{info}/INSTALLER"), "pip\n")
        .file(format!("{info}/RECORD"), "../../../bin/pip,,\npip/__init__.py,,\npip-24.0.dist-info/METADATA,,\npip-24.0.dist-info/RECORD,,\n")
        .file(format!("{info}/entry_points.txt"), "[console_scripts]\npip = pip:main\n")
}

fn project(machine: FakeMachine) -> FakeMachine {
    machine
        .file("/Users/me/shop/main.py", "import json\n")
        .file("/Users/me/shop/requirements.txt", "")
        .cwd("/Users/me/shop")
}

fn active(machine: FakeMachine) -> FakeMachine {
    machine.variable("VIRTUAL_ENV", VENV).variable("PATH", format!("{VENV}/bin:{BREW}/bin:{SYSTEM}"))
}

fn brewed() -> FakeMachine {
    homebrew(project(machine()), BREW, "3.13", "3.13.1", ARM)
}

fn healthy() -> FakeMachine {
    active(venv(brewed(), &format!("{BREW}/opt/python@3.13/bin"), "3.13", "3.13.1"))
}

#[test]
fn a_healthy_environment_of_homebrews_python_is_quiet() {
    quiet(&healthy());
}

#[test]
fn a_path_into_the_cellar_is_gone_after_an_upgrade() {
    let machine = active(venv(brewed(), &format!("{BREW}/Cellar/python@3.13/3.13.0/bin"), "3.13", "3.13.0"));
    let home = r"s|home = /opt/homebrew/Cellar/python@3\.13/3\.13\.0/bin|home = /opt/homebrew/bin|g";
    let cure = [
        format!("ln -sfn {BREW}/bin/python3.13 {VENV}/bin/python"),
        format!("ln -sfn python {VENV}/bin/python3"),
        format!("ln -sfn python {VENV}/bin/python3.13"),
        format!("env LC_ALL=C sed -i '' '{home}' {VENV}/pyvenv.cfg"),
        "rehash".to_owned(),
    ];
    leads(&machine, "dangling-interpreter", &cure.each_ref().map(String::as_str));
}

#[test]
fn a_framework_python_is_quiet() {
    let versions = "/Library/Frameworks/Python.framework/Versions/3.13";
    let machine = project(machine())
        .executable(format!("{versions}/bin/python3.13"), mach(ARM))
        .file(format!("{versions}/lib/python3.13/os.py"), "")
        .file(format!("{versions}/lib/python3.13/site.py"), "")
        .dir(format!("{versions}/lib/python3.13/lib-dynload"))
        .link("/usr/local/bin/python3", format!("{versions}/bin/python3.13"));
    quiet(&active(venv(machine, &format!("{versions}/bin"), "3.13", "3.13.1")));
}

#[test]
fn apples_python_is_named_where_the_environment_was_forgotten() {
    let machine = healthy().variable("PATH", format!("{SYSTEM}:{BREW}/bin")).variable("VIRTUAL_ENV", "");
    leads(&machine, "forgotten-activation", &[&format!("source {VENV}/bin/activate")]);
}

fn extension(machine: FakeMachine, processors: Vec<u8>) -> FakeMachine {
    let site = format!("{VENV}/lib/python3.13/site-packages");
    let info = format!("{site}/fastmath-1.0.dist-info");
    machine
        .file(format!("{site}/fastmath/__init__.py"), "from . import _core\n")
        .file(format!("{site}/fastmath/_core.cpython-313-darwin.so"), processors)
        .file(format!("{info}/METADATA"), "Metadata-Version: 2.1\nName: fastmath\nVersion: 1.0\n")
        .file(format!("{info}/WHEEL"), "Wheel-Version: 1.0\nTag: cp313-cp313-macosx_10_13_x86_64\n")
        .file(format!("{info}/INSTALLER"), "pip\n")
        .file(format!("{info}/RECORD"), "fastmath/__init__.py,,\nfastmath/_core.cpython-313-darwin.so,,\nfastmath-1.0.dist-info/METADATA,,\nfastmath-1.0.dist-info/WHEEL,,\nfastmath-1.0.dist-info/RECORD,,\n")
}

#[test]
fn a_module_for_intel_under_an_arm_interpreter() {
    let install = format!("{VENV}/bin/python -m pip install --force-reinstall --no-deps fastmath==1.0");
    leads(&extension(healthy(), mach(INTEL)), "extension-for-another-platform", &[&install]);
    quiet(&extension(healthy(), mach(ARM)));
}

#[test]
fn homebrew_for_intel_beside_homebrew_for_arm() {
    let machine = homebrew(brewed(), "/usr/local", "3.13", "3.13.1", INTEL);
    quiet(&active(venv(machine, "/usr/local/opt/python@3.13/bin", "3.13", "3.13.1")));
}

/// What iCloud does to files in `.venv` below `~/Documents`.
#[test]
fn a_pth_file_with_the_hidden_flag_is_skipped_by_newer_pythons() {
    let pth = format!("{VENV}/lib/python3.13/site-packages/_shop.pth");
    let machine = healthy().dir("/Users/me/shop/src").file(&pth, "/Users/me/shop/src\n");
    quiet(&machine);
    leads(&machine.hidden(&pth), "hidden-pth", &[&format!("chflags nohidden {pth}")]);
}

#[test]
fn homebrew_for_intel_is_gone_on_the_new_machine() {
    let machine = active(venv(brewed(), "/usr/local/opt/python@3.13/bin", "3.13", "3.13.1"));
    let report = crate::report(&machine);
    let first = &crate::findings(&report)[0];
    assert_eq!(crate::text(first, "check"), "dangling-interpreter");
    assert!(crate::lines(first)[0].starts_with("ln -sfn /opt/homebrew/bin/python3.13 "), "{first:#}");
}

#[test]
fn an_environment_of_xcodes_python_is_quiet() {
    let tools = "/Library/Developer/CommandLineTools";
    let framework = format!("{tools}/Library/Frameworks/Python3.framework/Versions/3.9");
    let machine = project(machine())
        .executable(format!("{framework}/bin/python3.9"), mach(ARM))
        .file(format!("{framework}/lib/python3.9/os.py"), "")
        .file(format!("{framework}/lib/python3.9/site.py"), "")
        .dir(format!("{framework}/lib/python3.9/lib-dynload"))
        .link(
            format!("{tools}/usr/bin/python3.9"),
            "../../Library/Frameworks/Python3.framework/Versions/3.9/bin/python3.9",
        );
    quiet(&active(venv(machine, &format!("{tools}/usr/bin"), "3.9", "3.9.6")));
}

const CORE: &str = ".venv/lib/python3.13/site-packages/fastmath";

fn needing(library: &str) -> Image {
    Image::of(ARM).needs("/usr/lib/libSystem.B.dylib").needs(library)
}

#[test]
fn an_upgrade_by_homebrew_takes_the_library_that_a_module_was_built_with() {
    let old = format!("{BREW}/opt/icu4c/lib/libicuuc.74.dylib");
    let cellar = format!("{BREW}/Cellar/icu4c/76.1/lib/libicuuc.76.dylib");
    let machine = extension(healthy(), needing(&old).bytes())
        .file(&cellar, mach(ARM))
        .link(format!("{BREW}/opt/icu4c"), "../Cellar/icu4c/76.1");
    let anew = format!(
        "{VENV}/bin/python -m pip install --force-reinstall --no-deps --no-cache-dir --no-binary fastmath fastmath==1.0"
    );
    leads(&machine, "missing-shared-library", &[&anew]);
    // a directory of its own version that is gone altogether
    let machine = extension(healthy(), needing(&format!("{BREW}/opt/libomp/lib/libomp.dylib")).bytes());
    leads(&machine, "missing-shared-library", &["brew reinstall libomp"]);
    let there = machine.file(format!("{BREW}/opt/libomp/lib/libomp.dylib"), mach(ARM));
    quiet(&there);
}

#[test]
fn a_library_that_a_library_needs_is_missing() {
    let openssl = format!("{BREW}/opt/openssl@1.1/lib/libssl.1.1.dylib");
    let libpq = format!("{BREW}/opt/libpq/lib/libpq.5.dylib");
    let machine = extension(healthy(), needing(&libpq).bytes()).file(&libpq, needing(&openssl).bytes());
    leads(&machine, "missing-shared-library", &["brew reinstall openssl@1.1"]);
    quiet(&machine.file(&openssl, mach(ARM)));
}

/// What `delocate` makes: libraries in `.dylibs`, found by `@loader_path`; what they need in turn by `@rpath`.
#[test]
fn a_wheel_with_its_own_libraries_is_quiet() {
    let core = needing("@loader_path/.dylibs/libgfortran.5.dylib").run_path("@loader_path/.dylibs");
    let gfortran = needing("@rpath/libquadmath.0.dylib").uses_if_there("/opt/none/libweak.dylib");
    let machine = extension(healthy(), core.bytes())
        .file(format!("/Users/me/shop/{CORE}/.dylibs/libgfortran.5.dylib"), gfortran.bytes());
    let install = format!("{VENV}/bin/python -m pip install --force-reinstall --no-deps fastmath==1.0");
    leads(&machine, "missing-shared-library", &[&install]);
    quiet(&machine.file(format!("/Users/me/shop/{CORE}/.dylibs/libquadmath.0.dylib"), mach(ARM)));
}

#[test]
fn libraries_of_the_system_are_in_the_shared_cache() {
    let core = needing("/usr/lib/libz.1.dylib")
        .needs("/System/Library/Frameworks/Accelerate.framework/Versions/A/Accelerate")
        .needs("@rpath/libc++.1.dylib")
        .needs("@rpath/libswiftCore.dylib")
        .run_path("/usr/lib/swift");
    quiet(&extension(healthy(), core.bytes()));
}

#[test]
fn the_part_for_the_interpreters_processor_is_the_one_that_counts() {
    let missing = Image::of(INTEL).needs("/usr/local/opt/libpq/lib/libpq.5.dylib");
    quiet(&extension(healthy(), fat(&[missing.clone(), Image::of(ARM)])));
    let machine =
        extension(healthy(), fat(&[Image::of(INTEL), needing("/usr/local/opt/libpq/lib/libpq.5.dylib")]));
    leads(&machine, "missing-shared-library", &["brew reinstall libpq"]);
    let install = format!("{VENV}/bin/python -m pip install --force-reinstall --no-deps fastmath==1.0");
    leads(&extension(healthy(), fat(&[missing])), "extension-for-another-platform", &[&install]);
}

#[test]
fn the_fallback_and_the_variable_find_a_library() {
    let core = needing("@rpath/libfast.dylib").bytes();
    quiet(&extension(healthy(), core.clone()).file("/usr/local/lib/libfast.dylib", mach(ARM)));
    let machine = extension(healthy(), core).file("/opt/kit/lib/libfast.dylib", mach(ARM));
    quiet(&machine.variable("DYLD_LIBRARY_PATH", "/opt/other:/opt/kit/lib"));
}

/// A Python of uv's: a small program, and its library beside it.
fn standalone(machine: FakeMachine, version: &str) -> FakeMachine {
    let base = "/Users/me/.local/share/uv/python/cpython-3.13-macos-aarch64-none";
    let program = Image::of(ARM).needs("@executable_path/../lib/libpython3.13.dylib").bytes();
    let machine = machine
        .executable(format!("{base}/bin/python3.13"), program)
        .file(format!("{base}/lib/libpython3.13.dylib"), libpython("3.13.5"))
        .file(format!("{base}/lib/python3.13/os.py"), "")
        .file(format!("{base}/lib/python3.13/site.py"), "")
        .file(format!("{base}/lib/python3.13/ensurepip/__init__.py"), "")
        .dir(format!("{base}/lib/python3.13/lib-dynload"))
        .file("/opt/kit/lib/libpython3.13.dylib", libpython(version));
    active(venv(project(machine), &format!("{base}/bin"), "3.13", "3.13.5"))
}

fn libpython(version: &str) -> Vec<u8> {
    let image = Image::of(ARM).named("@rpath/libpython3.13.dylib").bytes();
    [image, format!("\0{version}\0").into_bytes()].concat()
}

#[test]
fn the_variable_loads_the_library_of_another_python() {
    let other = standalone(machine(), "3.13.1");
    quiet(&other);
    let set = |machine: FakeMachine| machine.variable("DYLD_LIBRARY_PATH", "/opt/kit/lib");
    leads(&set(other), "libpython-mismatch", &["unset DYLD_LIBRARY_PATH"]);
    quiet(&set(standalone(machine(), "3.13.5")));
}

#[test]
fn the_library_of_the_interpreter_went_with_its_base() {
    let base = "/Users/me/.local/share/uv/python/cpython-3.13-macos-aarch64-none";
    let machine = standalone(machine(), "3.13.5").remove(format!("{base}/lib/libpython3.13.dylib"));
    let report = crate::report(&machine);
    assert_eq!(crate::text(&crate::findings(&report)[0], "check"), "libpython-missing", "{report:#}");
}

/// System Integrity Protection takes the variable away before the program starts.
#[test]
fn the_variable_does_not_reach_apples_python() {
    let library = "/opt/homebrew/opt/libpq/lib/libpq.5.dylib";
    let tools = "/Library/Developer/CommandLineTools";
    let framework = format!("{tools}/Library/Frameworks/Python3.framework/Versions/3.9");
    let program = Image::of(ARM).needs("@executable_path/../Python3").bytes();
    let machine = project(machine())
        .executable(format!("{framework}/bin/python3.9"), program)
        .file(format!("{framework}/Python3"), libpython("3.9.6"))
        .file(format!("{framework}/lib/python3.9/os.py"), "")
        .file(format!("{framework}/lib/python3.9/site.py"), "")
        .dir(format!("{framework}/lib/python3.9/lib-dynload"))
        .link(
            format!("{tools}/usr/bin/python3.9"),
            "../../Library/Frameworks/Python3.framework/Versions/3.9/bin/python3.9",
        )
        .file("/opt/kit/lib/Python3", libpython("3.9.1"))
        .file("/opt/kit/lib/libpq.5.dylib", mach(ARM))
        .variable("DYLD_LIBRARY_PATH", "/opt/kit/lib");
    let machine = active(venv(machine, &format!("{tools}/usr/bin"), "3.9", "3.9.6"));
    quiet(&machine);
    let site = format!("{VENV}/lib/python3.9/site-packages");
    let machine = machine.file(format!("{site}/_pq.cpython-39-darwin.so"), needing(library).bytes());
    leads(&machine, "missing-shared-library", &["brew reinstall libpq"]);
}

#[test]
fn the_python_of_the_command_line_tools_went_with_an_upgrade_of_macos() {
    let tools = "/Library/Developer/CommandLineTools/usr/bin";
    let machine = active(venv(project(machine()).remove("/Library/Developer"), tools, "3.9", "3.9.6"));
    leads(&machine, "dangling-interpreter", &["xcode-select --install"]);
}
