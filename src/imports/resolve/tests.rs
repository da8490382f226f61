//! The resolver on made-up machines.

use super::*;
use crate::imports::tree::Tree;
use crate::imports::{Implementation, StartupHook};

const STDLIB: &str = "/py/lib/python3.12";
const SITE: &str = "/env/lib/python3.12/site-packages";

fn path(text: &str) -> HostPath {
    HostPath::posix(text)
}

fn at(directory: &str, name: &str) -> HostPath {
    path(directory).join(name)
}

fn build() -> Build {
    Build::plain(Implementation::CPython, Version::new(3, 12), Flavour::Posix)
}

fn with(files: &[(&str, &str)]) -> Tree {
    let tree = Tree::default().directory(&path(STDLIB)).directory(&path(SITE)).directory(&path("/work"));
    files.iter().fold(tree, |tree, (directory, name)| tree.file(&at(directory, name), ""))
}

fn resolve(tree: &Tree, module: &str) -> Resolution {
    resolve_with(tree, module, &["", STDLIB, SITE], &[])
}

fn resolve_with(tree: &Tree, module: &str, entries: &[&str], hooks: &[StartupHook]) -> Resolution {
    let build = build();
    let entries: Vec<Spelling> = entries.iter().map(|entry| Spelling::from(*entry)).collect();
    Resolver::new(tree, &build, &entries, hooks, Some(&path("/work"))).resolve(module)
}

fn origin(resolution: &Resolution) -> Option<String> {
    resolution.found.as_ref()?.origin.as_ref().map(ToString::to_string)
}

#[test]
fn suffixes_are_tried_in_their_order() {
    let mut files = vec![(SITE, "m.pyc"), (SITE, "m.py")];
    assert_eq!(origin(&resolve(&with(&files), "m")), Some(format!("{SITE}/m.py")));
    files.push((SITE, "m.abi3.so"));
    assert_eq!(origin(&resolve(&with(&files), "m")), Some(format!("{SITE}/m.abi3.so")));
    files.push((SITE, "m/__init__.py"));
    let resolution = resolve(&with(&files), "m");
    assert_eq!(origin(&resolution), Some(format!("{SITE}/m/__init__.py")));
    let found = resolution.found.unwrap();
    assert_eq!((found.kind, found.entry), (ModuleKind::Package, Some(2)));
    assert_eq!(found.locations, [Spelling::from(format!("{SITE}/m").as_str())]);
}

#[test]
fn earlier_entries_shadow_and_bare_directories_do_not() {
    let files =
        [("/work", "json.py"), (STDLIB, "json/__init__.py"), ("/work/yaml", "x.txt"), (SITE, "yaml.py")];
    let tree = with(&files);
    assert_eq!(origin(&resolve(&tree, "json")).as_deref(), Some("/work/json.py"));
    let resolution = resolve(&tree, "yaml");
    assert_eq!(origin(&resolution), Some(format!("{SITE}/yaml.py")));
    let results: Vec<_> = resolution.searched.iter().map(|searched| searched.result).collect();
    assert_eq!(results, [SearchResult::Portion, SearchResult::Nothing, SearchResult::Found]);
}

#[test]
fn namespace_packages_have_every_portion() {
    let tree = with(&[("/work/space/a", "m.py"), ("/env/lib/python3.12/site-packages/space", "b.py")]);
    let found = resolve(&tree, "space").found.unwrap();
    assert_eq!((found.kind, found.origin), (ModuleKind::Namespace, None));
    assert_eq!(found.locations, [Spelling::from("/work/space"), format!("{SITE}/space").as_str().into()]);
    let below = resolve(&tree, "space.b").found.unwrap();
    assert_eq!((below.kind, below.entry), (ModuleKind::Source, Some(2)));
    assert_eq!(resolve(&tree, "space.c").failing.as_deref(), Some("space.c"));
}

#[test]
fn compiled_in_modules_cannot_be_shadowed() {
    let tree = with(&[("/work", "sys.py"), ("/work", "os.py"), (STDLIB, "os.py")]);
    assert_eq!(origin(&resolve(&tree, "sys")).as_deref(), Some("built-in"));
    assert_eq!(origin(&resolve(&tree, "os")).as_deref(), Some("frozen"));
    assert_eq!(resolve(&tree, "os.path").found.map(|found| found.kind), Some(ModuleKind::Frozen));
    let resolution = resolve(&tree, "os.nothing");
    assert!(resolution.parent_is_no_package && resolution.found.is_none());
}

#[test]
fn what_is_passed_over_is_told() {
    let tree = with(&[
        (SITE, "m.cpython-310-x86_64-linux-gnu.so"),
        (SITE, "__pycache__/gone.cpython-312.pyc"),
        (SITE, "Yaml/__init__.py"),
    ])
    .directory(&at(SITE, "d.py"))
    .link(&at(SITE, "l.py"), "/nowhere.py");
    let told = |module: &str| {
        let resolution = resolve(&tree, module);
        assert!(resolution.found.is_none(), "{module}");
        resolution.searched[2].passed_over.clone()
    };
    assert!(
        matches!(&told("m")[..], [PassedOver::ForeignExtension { suffix, .. }] if suffix == ".cpython-310-x86_64-linux-gnu.so")
    );
    assert!(matches!(&told("gone")[..], [PassedOver::OrphanBytecode { .. }]));
    assert!(matches!(&told("yaml")[..], [PassedOver::OtherCase { .. }]));
    assert!(matches!(&told("d")[..], [PassedOver::DirectoryNotFile { .. }]));
    assert!(matches!(&told("l")[..], [PassedOver::DanglingLink { .. }]));
}

#[test]
fn zip_files_are_searched() {
    // short enough that every byte is ASCII
    let archive = |names: &[&str]| String::from_utf8(crate::parse::zip::archive(names)).unwrap();
    let tree = with(&[])
        .file(&path("/lib.zip"), &archive(&["m.py", "p/__init__.py"]))
        .file(&path("/more.zip"), &archive(&["p/q.pyc", "p/q.py"]));
    let find = |module: &str| resolve_with(&tree, module, &["/lib.zip", "/more.zip/p"], &[]);
    assert_eq!(origin(&find("m")).as_deref(), Some("/lib.zip/m.py"));
    assert_eq!(origin(&find("p")).as_deref(), Some("/lib.zip/p/__init__.py"));
    assert_eq!(origin(&find("q")).as_deref(), Some("/more.zip/p/q.pyc"));
    assert_eq!(find("m").found.map(|found| found.kind), Some(ModuleKind::Zip));
    let none = resolve_with(&with(&[("/", "x.zip")]), "m", &["/x.zip", "/missing"], &[]);
    let results: Vec<_> = none.searched.iter().map(|searched| searched.result).collect();
    assert_eq!(results, [SearchResult::NotAnArchive, SearchResult::Missing]);
}

#[test]
fn editable_finders_are_asked_last() {
    let finder = "MAPPING: dict[str, str] = {'flat': '/src/flat', 'gone': '/src/gone'}\nNAMESPACES: dict[str, list[str]] = {'ns': ['/src/ns']}\nPATH_PLACEHOLDER = '__editable__.d.finder' + \".__path_hook__\"\n";
    let tree =
        with(&[("/src/flat", "__init__.py"), ("/src/flat", "leaf.py"), ("/src/ns/part", "__init__.py")])
            .file(&at(SITE, "__editable___d_finder.py"), finder);
    let hook = StartupHook {
        kind: HookKind::EditableFinder { module: "__editable___d_finder".into() },
        file: at(SITE, "__editable__.d.pth"),
        line: Some(1),
        text: String::new(),
        may_add_entries: false,
    };
    let entries = [SITE, "__editable__.d.finder.__path_hook__"];
    let find = |module: &str| resolve_with(&tree, module, &entries, std::slice::from_ref(&hook));
    assert_eq!(origin(&find("flat.leaf")).as_deref(), Some("/src/flat/leaf.py"));
    assert_eq!(find("flat").found.unwrap().finder, Some(at(SITE, "__editable___d_finder.py")));
    assert_eq!(origin(&find("ns.part")).as_deref(), Some("/src/ns/part/__init__.py"));
    let gone = find("gone");
    assert!(gone.found.is_none());
    assert_eq!(gone.searched.last().map(|searched| searched.result), Some(SearchResult::Missing));
}

#[test]
fn packages_that_extend_their_path_are_followed_and_told() {
    let text = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n";
    let tree = with(&[("/env/lib/python3.12/site-packages/p", "b.py")])
        .file(&path("/work/p/__init__.py"), text)
        .file(&at(SITE, "p/__init__.py"), text);
    let resolution = resolve(&tree, "p.b");
    assert_eq!(origin(&resolution), Some(format!("{SITE}/p/b.py")));
    assert_eq!(resolution.may_alter, [Spelling::from("/work/p/__init__.py")]);
}

#[test]
fn nested_packages_that_extend_their_path_are_followed() {
    let text = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n";
    let mut tree = with(&[("/a/goog/cloud", "ma.py"), ("/b/goog/cloud", "mb.py")]);
    for directory in ["/a/goog", "/a/goog/cloud", "/b/goog", "/b/goog/cloud"] {
        tree = tree.file(&at(directory, "__init__.py"), text);
    }
    let mut build = build();
    let entries = ["/a", "/b"].map(Spelling::from);
    for version in [Version::new(3, 12), Version::new(2, 7)] {
        build.version = version;
        let resolver = Resolver::new(&tree, &build, &entries, &[], Some(&path("/work")));
        assert_eq!(origin(&resolver.resolve("goog.cloud.mb")).as_deref(), Some("/b/goog/cloud/mb.py"));
        assert_eq!(origin(&resolver.resolve("goog.cloud.ma")).as_deref(), Some("/a/goog/cloud/ma.py"));
    }
}

#[test]
fn modules_of_the_standard_library_make_what_is_known() {
    let dynload = "/py/lib/python3.12/lib-dynload";
    let tree =
        with(&[(STDLIB, "typing.py"), (dynload, "pyexpat.so"), (dynload, "_json.so"), (SITE, "own.so")])
            .file(&at(STDLIB, "typing.py"), "import sys\nsys.modules[io.__name__] = io\n")
            .file(&path("/shadow/typing.py"), "");
    let mut build = Build { stdlib: Some(path(STDLIB)), ..build() };
    let find = |build: &Build, first: &str, module: &str| {
        let entries = [first, STDLIB, dynload, SITE].map(Spelling::from);
        Resolver::new(&tree, build, &entries, &[], Some(&path("/work"))).resolve(module)
    };
    assert_eq!(origin(&find(&build, "", "typing.io")), Some(format!("{STDLIB}/typing.py")));
    assert_eq!(origin(&find(&build, "", "pyexpat.model")), Some(format!("{dynload}/pyexpat.so")));
    assert!(find(&build, "/shadow", "typing.io").found.is_none());
    let made_by = |build: &Build, module: &str| {
        let resolution = find(build, "", module);
        assert!(resolution.found.is_none() && resolution.parent_is_no_package, "{module}");
        resolution.made_by.is_some()
    };
    assert!(!made_by(&build, "time.sleep") && !made_by(&build, "_json.x") && !made_by(&build, "typing.List"));
    assert!(made_by(&build, "own.part"));
    let below = find(&build, "", "pyexpat.model.x");
    assert!(below.found.is_none() && below.parent_is_no_package);
    assert_eq!(below.failing.as_deref(), Some("pyexpat.model.x"));
    build.version = Version::new(3, 13);
    assert!(!made_by(&build, "typing.io"));
    build.version = Version::new(3, 12);
    build.implementation = Implementation::PyPy;
    assert!(made_by(&build, "sys.part"));
}

#[test]
fn what_an_nspkg_file_makes_goes_before_a_package_of_the_path() {
    let tree = with(&[("/pp/goog", "__init__.py"), ("/pp/goog", "own.py")])
        .file(&at(SITE, "goog/insp.py"), "")
        .file(&at(SITE, "goog/cloud/deep.py"), "");
    let hook = |line: &str| StartupHook {
        kind: HookKind::Namespace,
        file: at(SITE, "goog_insp-1.0-nspkg.pth"),
        line: Some(1),
        text: format!(
            "import sys, types, os;p = os.path.join(sys._getframe(1).f_locals['sitedir'], *({line}))"
        ),
        may_add_entries: false,
    };
    let hooks = [hook("'goog',"), hook("'goog', 'cloud'"), hook("'gone',")];
    let find = |module: &str| resolve_with(&tree, module, &["/pp", SITE], &hooks);
    assert_eq!(origin(&find("goog.insp")), Some(format!("{SITE}/goog/insp.py")));
    assert_eq!(origin(&find("goog.cloud.deep")), Some(format!("{SITE}/goog/cloud/deep.py")));
    let found = find("goog").found.unwrap();
    assert_eq!((found.kind, found.entry), (ModuleKind::Namespace, Some(1)));
    assert!(find("goog.own").found.is_none() && find("gone").found.is_none());
    let plain = resolve_with(&tree, "goog.insp", &["/pp", SITE], &[]);
    assert!(plain.found.is_none());
}

#[test]
fn offers_tell_what_is_hidden() {
    let tree = with(&[
        ("/work", "json.py"),
        ("/work", "a.py"),
        (STDLIB, "json/__init__.py"),
        (SITE, "x-1.dist-info/METADATA"),
    ]);
    let build = build();
    let entries = ["", STDLIB, "/work", SITE].map(Spelling::from);
    let offered = Resolver::new(&tree, &build, &entries, &[], Some(&path("/work"))).offered();
    assert_eq!(offered[0].hides, ["json"]);
    assert_eq!((offered[0].modules, offered[1].modules, offered[3].distributions), (2, 1, 1));
    assert!(offered[2].hides.is_empty());
}

#[test]
fn no_name_panics() {
    for name in ["", ".", "a..b", ".a", "a.", "a/b", "a\0b", "é.ü", &"x.".repeat(600)] {
        let resolution = resolve(&with(&[]), name);
        assert!(resolution.found.is_none() && resolution.failing.is_some(), "{name:?}");
    }
}

#[test]
fn redirections_of_editables_are_followed() {
    let redirects = "from editables.redirector import RedirectingFinder as F\nF.install()\nF.map_module('shop', '/src/shop/__init__.py')\nF.map_module('one', '/src/one.py')\n";
    let tree = with(&[("/src/shop", "__init__.py"), ("/src/shop", "cart.py"), ("/src", "one.py")])
        .file(&at(SITE, "_editable_impl_shop.py"), redirects);
    let hook = StartupHook {
        kind: HookKind::ImportLine,
        file: at(SITE, "_editable_impl_shop.pth"),
        line: Some(1),
        text: "import _editable_impl_shop".to_owned(),
        may_add_entries: true,
    };
    let find = |module: &str| resolve_with(&tree, module, &[SITE], std::slice::from_ref(&hook));
    assert_eq!(origin(&find("shop")).as_deref(), Some("/src/shop/__init__.py"));
    assert_eq!(origin(&find("shop.cart")).as_deref(), Some("/src/shop/cart.py"));
    assert_eq!(origin(&find("one")).as_deref(), Some("/src/one.py"));
    assert!(find("two").found.is_none());
}

/// A hook of scikit-build-core, and what it lists of `demo` and the namespace package `space`.
fn redirector(call: &str, tree: Tree) -> (Tree, StartupHook) {
    let text = format!(
        "class ScikitBuildRedirectingFinder:\n    submodule_search_locations = {{}}\n    native.submodule_search_locations\n\n{call}\n"
    );
    let hook = StartupHook {
        kind: HookKind::ImportLine,
        file: at(SITE, "_editable_skbc_demo.pth"),
        line: Some(1),
        text: "import _editable_skbc_demo".to_owned(),
        may_add_entries: true,
    };
    (tree.file(&at(SITE, "_editable_skbc_demo.py"), &text), hook)
}

#[test]
fn what_scikit_build_core_lists_goes_before_the_path() {
    let tree = with(&[
        ("/work/demo", "__init__.py"),
        ("/src/demo", "__init__.py"),
        ("/src/demo", "util.py"),
        ("/src/demo", "new.py"),
        (SITE, "demo/_bisect.abi3.so"),
        ("/src/space/p", "__init__.py"),
        ("/work/space", "other.py"),
    ]);
    let sources = "{'demo': '/src/demo/__init__.py', 'demo.util': '/src/demo/util.py', 'demo.gone': '/src/demo/gone.py', 'space.p': '/src/space/p/__init__.py'}";
    let installed = "{'demo._bisect': 'demo/_bisect.abi3.so', 'demo.built': 'demo/built.abi3.so'}";
    let directories = "{'demo': ['/src/demo', 'demo'], 'space': ['/src/space'], 'space.p': ['/src/space/p']}";
    let calls = [
        format!("install({sources}, {installed}, {directories}, ['demo', 'space.p'], None, False)"),
        format!("install({sources}, {installed}, None, False, False, [], [], '')"),
    ];
    for call in &calls {
        let (tree, hook) = redirector(call, tree.clone());
        let find = |module: &str| resolve_with(&tree, module, &["", SITE], std::slice::from_ref(&hook));
        assert_eq!(origin(&find("demo")).as_deref(), Some("/src/demo/__init__.py"));
        assert_eq!(find("demo").found.unwrap().finder, Some(at(SITE, "_editable_skbc_demo.py")));
        assert_eq!(origin(&find("demo.util")).as_deref(), Some("/src/demo/util.py"));
        assert_eq!(origin(&find("demo.new")).as_deref(), Some("/src/demo/new.py"));
        assert_eq!(origin(&find("demo._bisect")), Some(format!("{SITE}/demo/_bisect.abi3.so")));
        assert_eq!(origin(&find("space.other")).as_deref(), Some("/work/space/other.py"));
        for missing in ["demo.gone", "demo.built", "demo.never"] {
            assert_eq!(find(missing).failing.as_deref(), Some(missing));
        }
    }
    let (tree, hook) = redirector(&calls[0], tree.clone());
    let find = |module: &str| resolve_with(&tree, module, &["", SITE], std::slice::from_ref(&hook));
    assert_eq!(origin(&find("space.p")).as_deref(), Some("/src/space/p/__init__.py"));
    let call = calls[1].replace("None, False", "'/build', True");
    let (tree, hook) = redirector(&call, tree);
    let built = resolve_with(&tree, "demo.built", &["", SITE], &[hook]);
    assert_eq!(origin(&built), Some(format!("{SITE}/demo/built.abi3.so")));
}

#[test]
fn what_runs_may_make_parts_that_no_file_holds() {
    let tree = with(&[(SITE, "plain/__init__.py"), (SITE, "fast.abi3.so"), ("/work/space", "x.txt")])
        .file(&at(SITE, "six.py"), "import sys\nsys.meta_path.append(importer)\n")
        .file(&at(SITE, "known/__init__.py"), "import sys\nsys.modules['known.made'] = object()\n");
    let tell = |module: &str| {
        let resolution = resolve(&tree, module);
        assert!(resolution.found.is_none(), "{module}");
        (resolution.failing.unwrap(), resolution.made_by.map(|maker| maker.to_string()))
    };
    let six = Some(format!("{SITE}/six.py"));
    assert_eq!(tell("six.moves.urllib"), ("six.moves".to_owned(), six));
    assert_eq!(tell("known.made").1, Some(format!("{SITE}/known/__init__.py")));
    assert_eq!(tell("fast.part").1, Some(format!("{SITE}/fast.abi3.so")));
    for module in ["sys.part", "plain.part", "known.other", "space.part", "absent", "absent.part"] {
        assert_eq!(tell(module).1, None, "{module}");
    }
    assert_eq!(resolve(&tree, "__main__").found.map(|found| found.kind), Some(ModuleKind::BuiltIn));
}
