//! The predictor on made-up machines.

use super::*;
use crate::imports::tree::Tree;
use crate::path::Flavour;

fn posix(path: &str) -> HostPath {
    HostPath::posix(path)
}

fn windows(path: &str) -> HostPath {
    HostPath::new(Flavour::Windows, path).unwrap()
}

/// An installation with its library, as `make install` leaves it.
fn installation(tree: Tree, prefix: &str, name: &str) -> Tree {
    let library = format!("{prefix}/lib/{name}");
    tree.file(&posix(&format!("{prefix}/bin/{name}")), "")
        .file(&posix(&format!("{library}/os.py")), "")
        .file(&posix(&format!("{library}/types.py")), "")
        .file(&posix(&format!("{library}/encodings/__init__.py")), "")
        .directory(&posix(&format!("{library}/lib-dynload")))
        .directory(&posix(&format!("{library}/site-packages")))
}

fn venv(tree: Tree, root: &str, name: &str, config: &str) -> Tree {
    tree.link(&posix(&format!("{root}/bin/python")), &format!("/base/bin/{name}"))
        .file(&posix(&format!("{root}/pyvenv.cfg")), config)
        .directory(&posix(&format!("{root}/lib/{name}/site-packages")))
}

struct Machine {
    tree: Tree,
    variables: Variables,
    flags: Flags,
    working_directory: HostPath,
}

impl Machine {
    fn new(tree: Tree) -> Self {
        let variables = Variables { home: Some(b"/home/me".to_vec()), ..Variables::default() };
        Machine { tree, variables, flags: Flags::default(), working_directory: posix("/here") }
    }

    fn build(&self, executable: &HostPath) -> Build {
        super::super::identify(&self.tree, executable).unwrap()
    }

    fn predict(&self, executable: HostPath) -> Prediction {
        let build = self.build(&executable);
        self.predict_as(executable, &build)
    }

    fn predict_as(&self, executable: HostPath, build: &Build) -> Prediction {
        let question = Question {
            executable,
            build,
            variables: &self.variables,
            flags: self.flags,
            start: Start::Command,
            working_directory: Some(self.working_directory.clone()),
            user: &User::default(),
        };
        predict(&self.tree, &question)
    }
}

fn path(prediction: &Prediction) -> Vec<String> {
    prediction.entries.iter().map(|entry| entry.directory.to_text().into_owned()).collect()
}

fn kinds(prediction: &Prediction) -> Vec<String> {
    let kind = |entry: &ImportEntry| {
        serde_json::to_value(&entry.origin).unwrap()["kind"].as_str().unwrap().to_owned()
    };
    prediction.entries.iter().map(kind).collect()
}

const ISOLATED: &str = "home = /base/bin\ninclude-system-site-packages = false\n";
const SYSTEM: &str = "home = /base/bin\ninclude-system-site-packages = true\n";

#[test]
fn a_venv_has_the_base_library_and_its_own_site_packages() {
    let tree = venv(installation(Tree::default(), "/base", "python3.12"), "/v", "python3.12", ISOLATED)
        .file(&posix("/v/lib/python3.12/site-packages/a.pth"), "# first\n/extra\nimport unknown\n")
        .directory(&posix("/extra"));
    let prediction = Machine::new(tree).predict(posix("/v/bin/python"));
    assert!(prediction.starts());
    let expected = [
        "",
        "/base/lib/python312.zip",
        "/base/lib/python3.12",
        "/base/lib/python3.12/lib-dynload",
        "/v/lib/python3.12/site-packages",
        "/extra",
    ];
    assert_eq!(path(&prediction), expected);
    let expected = ["script-directory", "stdlib-zip", "stdlib", "lib-dynload", "site-packages", "pth"];
    assert_eq!(kinds(&prediction), expected);
    let file = posix("/v/lib/python3.12/site-packages/a.pth");
    assert_eq!(prediction.entries[5].origin, ImportOrigin::Pth { file, line: 2 });
    assert_eq!(prediction.entries[1].state, EntryState::Missing);
    assert_eq!(prediction.prefix, "/v".into());
    assert_eq!(prediction.base_prefix, "/base".into());
    assert_eq!(prediction.user_site.enabled, Some(false));
    assert!(prediction.may_have_more());
    assert_eq!(prediction.hooks.len(), 1, "both passes over the file count once");
    let json = serde_json::to_string(&prediction).unwrap();
    assert_eq!(serde_json::from_str::<Prediction>(&json).unwrap(), prediction);
}

#[test]
fn the_user_site_comes_between_the_venv_and_the_system() {
    let tree = venv(installation(Tree::default(), "/base", "python3.9"), "/v", "python3.9", SYSTEM)
        .directory(&posix("/home/me/.local/lib/python3.9/site-packages"));
    let mut machine = Machine::new(tree);
    let sites = |prediction: &Prediction| path(prediction).split_off(4);
    let expected = [
        "/v/lib/python3.9/site-packages",
        "/home/me/.local/lib/python3.9/site-packages",
        "/base/lib/python3.9/site-packages",
    ];
    assert_eq!(sites(&machine.predict(posix("/v/bin/python"))), expected);
    machine.variables.pythonnousersite = Some(b"0".to_vec());
    assert_eq!(sites(&machine.predict(posix("/v/bin/python"))), expected, "0 means no since 3.7");
    machine.variables.pythonnousersite = Some(b"1".to_vec());
    assert_eq!(sites(&machine.predict(posix("/v/bin/python"))).len(), 2);
}

#[test]
fn without_site_the_prefix_is_the_venv_from_3_14_on() {
    for (name, prefix) in [("python3.13", "/base"), ("python3.14", "/v")] {
        let tree = venv(installation(Tree::default(), "/base", name), "/v", name, ISOLATED);
        let mut machine = Machine::new(tree);
        machine.flags.no_site = true;
        let prediction = machine.predict(posix("/v/bin/python"));
        assert_eq!(prediction.prefix, prefix.into(), "{name}");
        assert_eq!(prediction.base_prefix, "/base".into(), "{name}");
        assert_eq!(prediction.user_site.enabled, None);
    }
}

#[test]
fn a_wrong_home_is_fatal_for_some_versions() {
    let outcome = |name: &str, home: &str| {
        let config = format!("home = {home}\n");
        let tree = venv(installation(Tree::default(), "/base", name), "/v", name, &config);
        Machine::new(tree).predict(posix("/v/bin/python")).outcome
    };
    let is_missing = |outcome| matches!(outcome, Outcome::Fatal { reason: Fatal::NoStandardLibrary { .. } });
    assert_eq!(outcome("python3.10", "/gone"), Outcome::Starts, "links do not need home");
    assert!(is_missing(outcome("python3.12", "/gone")));
    assert!(is_missing(outcome("python3.14", "/gone")), "an unknown 3.14 counts as without the rescue");
    assert_eq!(outcome("python3.15", "/gone"), Outcome::Starts);
    let is_file = Outcome::Fatal { reason: Fatal::HomeIsFile { home: "/base/bin/python3.12".into() } };
    assert_eq!(outcome("python3.12", "/base/bin/python3.12"), is_file);
}

#[test]
fn the_compiled_in_prefix_repairs_a_wrong_home() {
    let tree = venv(installation(Tree::default(), "/base", "python3.12"), "/v", "python3.12", "home = /x\n")
        .file(
            &posix("/base/lib/python3.12/_sysconfigdata__linux_x86_64-linux-gnu.py"),
            "build_time_vars = {'MACHDEP': 'linux',\n 'PLATLIBDIR': 'lib',\n 'prefix': '/base'}",
        );
    let prediction = Machine::new(tree).predict(posix("/v/bin/python"));
    assert!(prediction.starts());
    assert_eq!(prediction.base_prefix, "/base".into());
}

#[test]
fn debian_uses_dist_packages() {
    let tree = installation(Tree::default(), "/usr", "python3.11")
        .file(&posix("/usr/lib/python3.11/site.py"), "\"dist-packages\"")
        .directory(&posix("/usr/local/lib/python3.11/dist-packages"))
        .directory(&posix("/usr/lib/python3/dist-packages"));
    let prediction = Machine::new(tree).predict(posix("/usr/bin/python3.11"));
    let expected = ["/usr/local/lib/python3.11/dist-packages", "/usr/lib/python3/dist-packages"];
    assert_eq!(path(&prediction)[4..], expected);
    assert_eq!(kinds(&prediction)[4..], ["dist-packages", "dist-packages"]);
}

#[test]
fn until_3_10_the_prefix_is_cut_off_the_library() {
    let prefixes = |home: Option<&str>, platlibdir: Option<&str>| {
        let mut machine = Machine::new(installation(Tree::default(), "/base", "python3.9"));
        machine.variables.pythonhome = home.map(|home| home.as_bytes().to_vec());
        // site would make the entries absolute
        machine.flags.no_site = true;
        machine.variables.pythonplatlibdir = platlibdir.map(|name| name.as_bytes().to_vec());
        let prediction = machine.predict(posix("/base/bin/python3.9"));
        assert!(prediction.starts(), "{prediction:?}");
        let [_, zip, stdlib, dynload] = &path(&prediction)[..4] else { panic!("{prediction:?}") };
        assert_eq!(*dynload, format!("{stdlib}/lib-dynload"));
        let prefixes = [&prediction.prefix, &prediction.exec_prefix].map(|it| it.to_text().into_owned());
        (prefixes, zip.clone(), stdlib.clone())
    };
    let expected = |prefix: &str, zip: &str, stdlib: &str| {
        ([prefix.to_owned(), prefix.to_owned()], zip.to_owned(), stdlib.to_owned())
    };
    let usual = expected("/base", "/base/lib/python39.zip", "/base/lib/python3.9");
    assert_eq!(prefixes(Some("/base/"), None), usual);
    assert_eq!(prefixes(Some("/base:/base/"), None), usual);
    assert_eq!(prefixes(None, Some("/base/lib")), usual);
    let twice = expected("/base/", "/base/lib/python39.zip", "/base//lib/python3.9");
    assert_eq!(prefixes(Some("/base//"), None), twice);
    let up = expected("/base/bin/..", "/base/bin/../../lib/python39.zip", "/base/bin/../lib/python3.9");
    assert_eq!(prefixes(None, Some("../lib")), up);
    let dot = expected("/base/lib", "/base/lib/lib/./python39.zip", "/base/lib/./python3.9");
    assert_eq!(prefixes(None, Some("lib/.")), dot);
}

#[test]
fn from_3_11_on_an_empty_half_of_pythonhome_is_searched_for() {
    let predict = |name: &str, home: &str| {
        let tree = installation(Tree::default(), "/base", name);
        let mut machine = Machine::new(installation(tree, "/other", name));
        machine.variables.pythonhome = Some(home.as_bytes().to_vec());
        let prediction = machine.predict(posix(&format!("/base/bin/{name}")));
        (prediction.starts(), [prediction.prefix, prediction.exec_prefix].map(|it| it.to_text().into_owned()))
    };
    let starts = |prefix: &str, exec: &str| (true, [prefix.to_owned(), exec.to_owned()]);
    assert_eq!(predict("python3.12", ":/other"), starts("/base", "/other"));
    assert_eq!(predict("python3.12", "/other:"), starts("/other", "/base"));
    assert_eq!(predict("python3.12", ":"), starts("/base", "/base"));
    assert_eq!(predict("python3.12", "/other/"), starts("/other/", "/other/"), "spelt as it was");
    assert!(!predict("python3.10", ":/other").0);
    assert_eq!(predict("python3.10", "/other:"), starts("/other", "/"));
}

#[test]
fn a_lib_dynload_that_is_nowhere_has_no_version_until_3_10() {
    let tree = Tree::default()
        .file(&posix("/base/bin/python3.8"), "")
        .file(&posix("/base/lib/python3.8/os.py"), "")
        .file(&posix("/base/lib/python3.8/types.py"), "")
        .file(&posix("/base/lib/python3.8/_sysconfigdata_x.py"), "{'prefix': '/opt'}")
        .directory(&posix("/base/lib/python3.8/encodings"));
    let prediction = Machine::new(tree).predict(posix("/base/bin/python3.8"));
    assert_eq!(path(&prediction)[3], "/opt/lib/lib-dynload");
    assert_eq!((prediction.prefix, prediction.exec_prefix), ("/base".into(), "/opt".into()));
}

#[test]
fn free_threaded_builds_have_directories_of_their_own() {
    let tree = installation(Tree::default(), "/base", "python3.13t")
        .directory(&posix("/home/me/.local/lib/python3.13t/site-packages"));
    let prediction = Machine::new(tree).predict(posix("/base/bin/python3.13t"));
    let expected = [
        "",
        "/base/lib/python313t.zip",
        "/base/lib/python3.13t",
        "/base/lib/python3.13t/lib-dynload",
        "/home/me/.local/lib/python3.13t/site-packages",
        "/base/lib/python3.13t/site-packages",
    ];
    assert_eq!(path(&prediction), expected);
}

#[test]
fn fedora_lists_lib64_before_lib() {
    let tree = Tree::default()
        .file(&posix("/usr/bin/python3.12"), "")
        .file(&posix("/usr/lib64/python3.12/os.py"), "")
        .file(&posix("/usr/lib64/python3.12/types.py"), "")
        .directory(&posix("/usr/lib64/python3.12/encodings"))
        .directory(&posix("/usr/lib64/python3.12/lib-dynload"))
        .directory(&posix("/usr/lib64/python3.12/site-packages"))
        .directory(&posix("/usr/lib/python3.12/site-packages"));
    let prediction = Machine::new(tree).predict(posix("/usr/bin/python3.12"));
    let expected = [
        "",
        "/usr/lib64/python312.zip",
        "/usr/lib64/python3.12",
        "/usr/lib64/python3.12/lib-dynload",
        "/usr/lib64/python3.12/site-packages",
        "/usr/lib/python3.12/site-packages",
    ];
    assert_eq!(path(&prediction), expected);
}

#[test]
fn a_lib64_of_python_files_alone_is_not_what_a_copy_was_built_for() {
    let tree = installation(Tree::default(), "/base", "python3.12")
        .file(&posix("/base/lib/python3.12/_sysconfigdata_x.py"), "{'PLATLIBDIR': 'lib', 'prefix': '/base'}")
        .file(&posix("/o/bin/python3.12"), "\0/base\0")
        .file(&posix("/o/lib64/python3.12/os.py"), "");
    let prediction = Machine::new(tree).predict(posix("/o/bin/python3.12"));
    assert!(prediction.starts(), "{prediction:?}");
    assert_eq!(prediction.prefix, "/base".into());
    assert_eq!(path(&prediction)[2], "/base/lib/python3.12");
}

#[test]
fn a_framework_build_has_its_user_site_in_the_library() {
    let prefix = "/Library/Frameworks/Python.framework/Versions/3.12";
    let tree = installation(Tree::default(), prefix, "python3.12").file(
        &posix(&format!("{prefix}/lib/python3.12/_sysconfigdata__darwin_darwin.py")),
        &format!(
            "build_time_vars = {{'MACHDEP': 'darwin',\n 'PYTHONFRAMEWORK': 'Python',\n 'prefix': '{prefix}'}}"
        ),
    );
    let prediction = Machine::new(tree).predict(posix(&format!("{prefix}/bin/python3.12")));
    let directory = prediction.user_site.directory.unwrap();
    assert_eq!(directory, "/home/me/Library/Python/3.12/lib/python/site-packages".into());
}

#[test]
fn pypy_has_one_library_and_no_zip() {
    let tree = Tree::default()
        .file(&posix("/pypy/bin/pypy3.11"), "")
        .file(&posix("/pypy/lib/pypy3.11/os.py"), "")
        .file(&posix("/pypy/lib/pypy3.11/types.py"), "")
        .file(&posix("/pypy/lib/pypy3.11/site.py"), "")
        .directory(&posix("/pypy/lib/pypy3.11/encodings"))
        .link(&posix("/v/bin/python"), "/pypy/bin/pypy3.11")
        .file(&posix("/v/pyvenv.cfg"), "home = /pypy/bin\ninclude-system-site-packages = false\n")
        .directory(&posix("/v/lib/pypy3.11/site-packages"));
    let prediction = Machine::new(tree).predict(posix("/v/bin/python"));
    assert_eq!(path(&prediction), ["", "/pypy/lib/pypy3.11", "/v/lib/pypy3.11/site-packages"]);
    assert_eq!(prediction.prefix, "/v".into());
}

fn windows_installation() -> Tree {
    Tree::default()
        .file(&windows("C:\\Py\\python.exe"), "")
        .file(&windows("C:\\Py\\python312.dll"), "")
        .file(&windows("C:\\Py\\Lib\\os.py"), "")
        .file(&windows("C:\\Py\\Lib\\types.py"), "")
        .directory(&windows("C:\\Py\\Lib\\encodings"))
        .directory(&windows("C:\\Py\\Lib\\site-packages"))
}

fn on_windows(tree: Tree) -> Machine {
    let mut machine = Machine::new(tree);
    machine.working_directory = windows("C:\\here");
    machine.variables.appdata = Some(b"C:\\Users\\me\\AppData\\Roaming".to_vec());
    machine
}

#[test]
fn windows_lists_the_installation_itself() {
    let tree = windows_installation()
        .directory(&windows("C:\\Users\\me\\AppData\\Roaming\\Python\\Python312\\site-packages"));
    let mut machine = on_windows(tree);
    machine.variables.pythonpath = Some(b"lib;D:\\x".to_vec());
    let expected = [
        "",
        "C:\\here\\lib",
        "D:\\x",
        "C:\\Py\\python312.zip",
        "C:\\Py\\DLLs",
        "C:\\Py\\Lib",
        "C:\\Py",
        "C:\\Users\\me\\AppData\\Roaming\\Python\\Python312\\site-packages",
        "C:\\Py\\Lib\\site-packages",
    ];
    assert_eq!(path(&machine.predict(windows("C:\\Py\\python.exe"))), expected);
}

#[test]
fn a_windows_venv_runs_the_interpreter_in_home() {
    let tree = windows_installation()
        .file(&windows("C:\\v\\Scripts\\python.exe"), "")
        .file(&windows("C:\\v\\pyvenv.cfg"), "home = C:\\Py\ninclude-system-site-packages = false\n")
        .directory(&windows("C:\\v\\Lib\\site-packages"));
    let prediction = on_windows(tree).predict(windows("C:\\v\\Scripts\\python.exe"));
    let expected = [
        "",
        "C:\\Py\\python312.zip",
        "C:\\Py\\DLLs",
        "C:\\Py\\Lib",
        "C:\\Py",
        "C:\\v",
        "C:\\v\\Lib\\site-packages",
    ];
    assert_eq!(path(&prediction), expected);
    assert_eq!(prediction.prefix, "C:\\v".into());
    assert_eq!(prediction.base_prefix, "C:\\Py".into());
}

#[test]
fn the_embeddable_package_is_bound_to_its_underscore_pth() {
    let tree = Tree::default()
        .file(&windows("C:\\embed\\python.exe"), "")
        .file(&windows("C:\\embed\\python312.dll"), "")
        .file(&windows("C:\\embed\\python312.zip"), "PK")
        .file(&windows("C:\\embed\\python312._pth"), "python312.zip\r\n.\r\n\r\n# import site\r\n");
    let mut machine = on_windows(tree);
    machine.variables.pythonpath = Some(b"D:\\x".to_vec());
    let prediction = machine.predict(windows("C:\\embed\\python.exe"));
    assert!(prediction.starts());
    assert_eq!(path(&prediction), ["C:\\embed\\python312.zip", "C:\\embed"]);
    let file = windows("C:\\embed\\python312._pth");
    assert_eq!(prediction.entries[1].origin, ImportOrigin::Pth { file, line: 2 });
}

#[test]
fn an_underscore_pth_leaves_the_user_site_as_it_was_settled() {
    let tree = |lines: &str| {
        let lines = format!("/base/lib/python3.12\n{lines}");
        installation(Tree::default(), "/base", "python3.12")
            .link(&posix("/o/bin/python"), "/base/bin/python3.12")
            .file(&posix("/o/bin/python._pth"), &lines)
            .directory(&posix("/home/me/.local/lib/python3.12/site-packages"))
    };
    let mut machine = Machine::new(tree("import site\n"));
    let on = machine.predict(posix("/o/bin/python"));
    assert_eq!(on.user_site.enabled, Some(true));
    assert_eq!(
        path(&on),
        ["/base/lib/python3.12", "/home/me/.local/lib/python3.12/site-packages"],
        "no first entry: safe_path is set"
    );
    machine.variables.pythonnousersite = Some(b"1".to_vec());
    let off = machine.predict(posix("/o/bin/python"));
    assert_eq!(off.user_site.enabled, Some(false), "read before the ._pth file is");
    assert_eq!(path(&off), ["/base/lib/python3.12"]);
    machine.tree = tree("");
    let without = machine.predict(posix("/o/bin/python"));
    assert_eq!((path(&without).len(), without.user_site), (1, UserSite::default()));
}

#[test]
fn start_files_suppress_import_lines_and_add_their_own() {
    let site_packages = "/base/lib/python3.15/site-packages";
    let tree = installation(Tree::default(), "/base", "python3.15")
        .file(&posix(&format!("{site_packages}/x.pth")), "import x\n  /extra\n/gone\n")
        .file(&posix(&format!("{site_packages}/x.start")), "# why\nx:start\n")
        .directory(&posix("/extra"));
    let prediction = Machine::new(tree).predict(posix("/base/bin/python3.15"));
    assert_eq!(path(&prediction)[4..], [site_packages, "/extra"]);
    let kinds: Vec<_> = prediction.hooks.iter().map(|hook| &hook.kind).collect();
    assert_eq!(kinds, [&HookKind::Suppressed, &HookKind::EntryPoint]);
    assert_eq!(prediction.hooks[1].line, Some(2));
    assert!(prediction.notes.iter().any(|note| note.contains("/gone does not exist")));
}

#[test]
fn an_import_line_that_fails_ends_its_file() {
    let added = |name: &str, files: &[(&str, &str)]| {
        let mut tree = installation(Tree::default(), "/base", name)
            .directory(&posix("/extra"))
            .directory(&posix("/other"))
            .file(&posix("/later/foo.py"), "");
        for (file, text) in files {
            tree = tree.file(&posix(&format!("/base/lib/{name}/site-packages/{file}")), text);
        }
        let prediction = Machine::new(tree).predict(posix(&format!("/base/bin/{name}")));
        let notes = prediction.notes.iter().filter(|note| note.contains("leaves the rest")).count();
        (path(&prediction).split_off(5), prediction.hooks.len(), notes)
    };
    let gone = ("a.pth", "/other\nimport sys; import gone\n/extra\nimport also_gone\n");
    let left =
        |paths: &[&str], hooks, notes| (paths.iter().map(|it| (*it).to_owned()).collect(), hooks, notes);
    assert_eq!(added("python3.12", &[gone]), left(&["/other"], 1, 1));
    assert_eq!(added("python3.15", &[gone]), left(&["/other", "/extra"], 2, 0), "it runs them at the end");
    let second = ("b.pth", "import foo\n/extra\n");
    assert_eq!(
        added("python3.12", &[gone, second, ("c.pth", "/later\n")]),
        left(&["/other", "/later"], 2, 2)
    );
    let there = [("a.pth", "/later\n"), second];
    assert_eq!(added("python3.12", &there), left(&["/later", "/extra"], 1, 0), "foo is there by then");
    let unknown = [("0.pth", "import foo2\n"), ("foo2.py", ""), second];
    assert_eq!(added("python3.12", &unknown), left(&["/extra"], 2, 0), "foo2 may do anything");
    assert_eq!(
        added("python3.12", &[("a.pth", "import foo2, gone\n/extra\n"), ("foo2.py", "")]).0,
        ["/extra"]
    );
}

#[test]
fn a_second_pass_over_a_venv_may_find_what_the_first_did_not() {
    let tree = venv(installation(Tree::default(), "/base", "python3.12"), "/v", "python3.12", ISOLATED)
        .file(&posix("/v/lib/python3.12/site-packages/0.pth"), "import gone\n/here\n")
        .file(&posix("/v/lib/python3.12/site-packages/a.pth"), "import foo\n/extra\n")
        .directory(&posix("/here"))
        .file(&posix("/v/lib/python3.12/site-packages/b.pth"), "/later\n")
        .file(&posix("/later/foo.py"), "")
        .directory(&posix("/extra"));
    let prediction = Machine::new(tree).predict(posix("/v/bin/python"));
    assert_eq!(path(&prediction)[5..], ["/later", "/extra"], "and none of what 0.pth would add");
}

#[test]
fn sitecustomize_is_found_before_the_first_entry_is_there() {
    let tree = installation(Tree::default(), "/base", "python3.11")
        .file(&posix("/here/sitecustomize.py"), "")
        .file(&posix("/base/lib/python3.11/site-packages/sitecustomize.py"), "");
    let prediction = Machine::new(tree).predict(posix("/base/bin/python3.11"));
    let expected = posix("/base/lib/python3.11/site-packages/sitecustomize.py");
    assert_eq!(prediction.hooks.iter().map(|hook| &hook.file).collect::<Vec<_>>(), [&expected]);
}

#[test]
fn pdms_hook_puts_pypackages_before_site_packages() {
    let hook = "packages_name = f\"__pypackages__/{version}/lib\"\ndef get_pypackages_path():\n";
    let library = "/here/__pypackages__/3.11/lib";
    let tree = installation(Tree::default(), "/base", "python3.11")
        .file(&posix("/pdm/pep582/sitecustomize.py"), hook)
        .file(&posix("/base/lib/python3.11/site-packages/b.pth"), "/extra\nimport unknown\n")
        .file(&posix(&format!("{library}/a.pth")), "/linked\n")
        .directory(&posix("/extra"))
        .directory(&posix("/linked"))
        .directory(&posix("/here/below"));
    let mut machine = Machine::new(tree);
    machine.variables.pythonpath = Some(b"/pdm/pep582".to_vec());
    machine.working_directory = posix("/here/below");
    let prediction = machine.predict(posix("/base/bin/python3.11"));
    let expected = [
        "",
        "/base/lib/python311.zip",
        "/base/lib/python3.11",
        "/base/lib/python3.11/lib-dynload",
        library,
        "/linked",
        "/base/lib/python3.11/site-packages",
        "/extra",
    ];
    assert_eq!(path(&prediction), expected);
    assert_eq!(prediction.entries[4].origin, ImportOrigin::PyPackages);
    let unknown: Vec<_> = prediction.hooks.iter().filter(|hook| hook.may_add_entries).collect();
    assert_eq!(unknown.len(), 1, "the line of b.pth, once: {unknown:?}");

    machine.working_directory = posix("/");
    let elsewhere = machine.predict(posix("/base/bin/python3.11"));
    assert_eq!(path(&elsewhere)[4..], ["/base/lib/python3.11/site-packages", "/extra"]);
    machine.variables.pep582_packages = Some(b"/here/__pypackages__/3.11".to_vec());
    machine.variables.no_site_packages = Some(b"1".to_vec());
    let named = machine.predict(posix("/base/bin/python3.11"));
    assert_eq!(path(&named)[4..], [library, "/linked"]);
}

#[test]
fn unknown_options_stop_python() {
    let mut machine = Machine::new(installation(Tree::default(), "/base", "python3.10"));
    machine.flags.safe_path = true;
    let prediction = machine.predict(posix("/base/bin/python3.10"));
    assert_eq!(prediction.outcome, Outcome::Fatal { reason: Fatal::UnknownOption { option: 'P' } });
}

#[test]
fn a_dangling_interpreter_is_told_by_what_is_left() {
    let tree = Tree::default().link(&posix("/v/bin/python"), "/gone/python3.9");
    let build = super::super::identify(&tree, &posix("/v/bin/python")).unwrap();
    assert_eq!(build.version, Version::new(3, 9));
    assert!(build.notes[0].contains("/gone/python3.9"), "{:?}", build.notes);
    let tree = Tree::default().link(&posix("/v/bin/python"), "/gone/python");
    let why = super::super::identify(&tree, &posix("/v/bin/python")).unwrap_err().why;
    assert!(why.contains("/gone/python"), "{why}");
}

#[test]
fn a_copied_static_interpreter_is_told_by_what_it_embeds() {
    // what a static interpreter looks like to who reads only its beginning
    let beginning = "x".repeat(1 << 20);
    let copied = |strings: &str| {
        let text = format!("{beginning}\0{strings}\0/base\0");
        let tree = installation(Tree::default(), "/base", "python3.13");
        let mut tree = installation(tree, "/base", "python3.13t").file(&posix("/o/bin/python"), &text);
        for name in ["python3.13", "python3.13t"] {
            tree = tree.file(&posix(&format!("/base/lib/{name}/_sysconfigdata_x.py")), "{'prefix': '/base'}");
        }
        let prediction = Machine::new(tree).predict(posix("/o/bin/python"));
        assert!(prediction.starts(), "{prediction:?}");
        prediction.entries[2].directory.to_text().into_owned()
    };
    assert_eq!(copied("3.13.5"), "/base/lib/python3.13");
    assert_eq!(
        copied("3.13.5\0%.80s experimental free-threading build (%.80s) %.80s"),
        "/base/lib/python3.13t"
    );
}

#[test]
fn uv_s_interpreters_were_compiled_for_another_prefix() {
    let prefix = "/home/me/.local/share/uv/python/cpython-3.12.1-linux-x86_64-gnu";
    let tree = installation(Tree::default(), prefix, "python3.12").file(
        &posix(&format!("{prefix}/lib/python3.12/_sysconfigdata__linux_x86_64-linux-gnu.py")),
        &format!("build_time_vars = {{'prefix': '{prefix}'}}"),
    );
    let build = Machine::new(tree).build(&posix(&format!("{prefix}/bin/python3.12")));
    assert_eq!(build.prefix, Some(posix("/install")));
}

#[test]
fn comparison_names_what_no_rule_explains() {
    use super::super::{Reported, compare};
    let tree = installation(Tree::default(), "/base", "python3.11")
        .file(&posix("/base/lib/python3.11/site-packages/x.pth"), "import x\n")
        .directory(&posix("/extra"));
    let prediction = Machine::new(tree).predict(posix("/base/bin/python3.11"));
    let mut reported = Reported {
        prefix: "/base".into(),
        base_prefix: Some("/base".into()),
        exec_prefix: "/base".into(),
        user_site_enabled: Some(Some(true)),
        path: prediction.entries.iter().map(|entry| entry.directory.clone()).collect(),
        ..Reported::default()
    };
    assert!(compare(&prediction, &reported).agrees);
    reported.path.insert(2, "/extra".into());
    reported.path.pop();
    let comparison = compare(&prediction, &reported);
    assert!(!comparison.agrees);
    assert_eq!(comparison.entries[2].origin, ImportOrigin::Unexplained);
    assert_eq!(comparison.entries[3].origin, ImportOrigin::Stdlib);
    assert_eq!(comparison.absent[0].directory, "/base/lib/python3.11/site-packages".into());
    assert_eq!(comparison.suspects.len(), 1);
    reported.prefix = "/other".into();
    assert_eq!(compare(&prediction, &reported).differences[0].what, "sys.prefix");
}

/// An environment as virtualenv made it until its version 20: links to a part of the library, and a `site.py` of
/// its own.
fn old_virtualenv(tree: Tree, name: &str, includes_system: bool) -> Tree {
    let library = format!("/v/lib/{name}");
    let below = |file: &str| posix(&format!("{library}/{file}"));
    let tree = ["os.py", "types.py", "encodings", "lib-dynload"]
        .iter()
        .fold(tree, |tree, file| tree.link(&below(file), &format!("/base/lib/{name}/{file}")))
        .file(&posix("/v/bin/python"), "")
        .file(&below("site.py"), "def virtual_install_main_packages():")
        .file(&below("orig-prefix.txt"), "/base\n")
        .directory(&below("site-packages"));
    if includes_system { tree } else { tree.file(&below("no-global-site-packages.txt"), "") }
}

#[test]
fn an_old_virtualenv_appends_the_original_library() {
    let machine = |includes_system| {
        let tree = installation(Tree::default(), "/base", "python3.8")
            .directory(&posix("/home/me/.local/lib/python3.8/site-packages"));
        Machine::new(old_virtualenv(tree, "python3.8", includes_system))
    };
    let alone = [
        "",
        "/v/lib/python38.zip",
        "/v/lib/python3.8",
        "/v/lib/python3.8/lib-dynload",
        "/base/lib/python3.8",
        "/v/lib/python3.8/site-packages",
    ];
    let prediction = machine(false).predict(posix("/v/bin/python"));
    assert_eq!(path(&prediction), alone);
    assert_eq!(prediction.user_site.enabled, Some(false));
    assert_eq!((&prediction.prefix, &prediction.base_prefix), (&"/v".into(), &"/v".into()));
    let prediction = machine(true).predict(posix("/v/bin/python"));
    assert_eq!(path(&prediction)[..6], alone);
    let shared = ["/home/me/.local/lib/python3.8/site-packages", "/base/lib/python3.8/site-packages"];
    assert_eq!(path(&prediction)[6..], shared);
    assert_eq!(prediction.user_site.enabled, Some(true));
    let mut machine = machine(true);
    machine.flags.no_site = true;
    assert_eq!(path(&machine.predict(posix("/v/bin/python"))), alone[..4]);
    machine.flags.no_site = false;
    machine.tree = machine.tree.file(&posix("/v/lib/python3.8/site-packages/a.pth"), "\n");
    assert_eq!(
        path(&machine.predict(posix("/v/bin/python")))[5..7],
        [alone[5]; 2],
        "a blank line repeats it"
    );
}

#[test]
fn an_old_virtualenv_of_2_7_has_the_platforms_directories_twice() {
    let tree = installation(Tree::default(), "/base", "python2.7")
        .directory(&posix("/base/lib/python2.7/plat-linux2"))
        .directory(&posix("/base/lib/python2.7/lib-tk"));
    let tree = old_virtualenv(tree, "python2.7", false);
    let library = "/v/lib/python2.7";
    let own = ["", "/plat-linux2", "/lib-tk", "/lib-old", "/lib-dynload"].map(|it| format!("{library}{it}"));
    let original = ["", "/plat-linux2", "/lib-tk"].map(|it| format!("/base/lib/python2.7{it}"));
    let prediction = Machine::new(tree).predict(posix("/v/bin/python"));
    let expected: Vec<String> = ["", "/v/lib/python27.zip"]
        .map(str::to_owned)
        .into_iter()
        .chain(own)
        .chain(original)
        .chain([format!("{library}/site-packages")])
        .collect();
    assert_eq!(path(&prediction), expected);
}
