//! Messages of imports that fail, and of code that runs at every start.

use super::{Meaning, meaning};
use crate::diagnosis::Category;
use crate::parse::error_output::MessageKind;

pub(super) fn meaning_of(kind: MessageKind) -> &'static Meaning {
    use MessageKind as Kind;
    static SHADOWED: Meaning = meaning(
        Category::Isolation,
        &[
            "shadowed-stdlib",
            "shadowed-package",
            "leftover-shadows-editable",
            "overlapping-distributions",
            "leftover-distribution",
        ],
        "The module that was imported is not the one that was meant: often a file of the project with the same name is in front of it",
        &[
            "python -c 'import NAME; print(NAME.__file__)' shows what is imported",
            "give a file of the project with that name another one",
        ],
    );
    static NAME: Meaning = meaning(
        Category::Isolation,
        &[
            "shadowed-stdlib",
            "shadowed-package",
            "requirement-mismatch",
            "dependency-conflict",
            "duplicate-distribution",
            "leftover-distribution",
            "overlapping-distributions",
            "user-site-leak",
            "pythonpath-leak",
        ],
        "The module is there, and it has no such name: it is another release than the code was written for, or another module",
        &[
            "the path in parentheses is the file that was imported: is it the one that was meant?",
            "compare its version with what the caller requires: python -m pip check",
        ],
    );
    static MAGIC: Meaning = meaning(
        Category::Isolation,
        &["orphan-bytecode"],
        "A bytecode file of another Python version is imported, because its source is not there",
        &["delete the .pyc file, and put its source back or install its distribution again"],
    );
    static PTH: Meaning = meaning(
        Category::Isolation,
        &["failing-startup-hook", "unreadable-pth", "broken-editable", "hidden-pth"],
        "A line of a .pth file fails at every start of this Python; the rest of that file is left out",
        &["install again, or uninstall, the distribution that the .pth file belongs to"],
    );
    static CUSTOMIZE: Meaning = meaning(
        Category::Isolation,
        &["failing-startup-hook", "pythonpath-leak"],
        "sitecustomize or usercustomize fails at every start of this Python",
        &["python -c 'import sitecustomize; print(sitecustomize.__file__)' shows the file; mind PYTHONPATH"],
    );
    static MISSING: Meaning = meaning(
        Category::Project,
        &[
            "forgotten-activation",
            "missing-requirement",
            "wrong-environment-active",
            "python-version-switched",
            "pip-elsewhere",
            "unresolvable-import",
            "broken-editable",
            "missing-distribution-files",
        ],
        "Nothing on the import path of the Python that ran has that module",
        &["venv-doctor why MODULE looks for it on this machine"],
    );
    static SETUPTOOLS: Meaning = meaning(
        Category::Project,
        &["unresolvable-import", "missing-requirement", "forgotten-activation"],
        "distutils left the standard library in Python 3.12, and environments have no setuptools (with pkg_resources) of themselves any more",
        &[
            "install it: python -m pip install setuptools (pkg_resources: 'setuptools<81')",
            "better: a release of the importing distribution that does without",
        ],
    );
    match kind {
        Kind::PartlyInitialised | Kind::MissingAttribute => &SHADOWED,
        Kind::CannotImportName => &NAME,
        Kind::BadMagicNumber => &MAGIC,
        Kind::PthLineFails => &PTH,
        Kind::CustomizeFails => &CUSTOMIZE,
        Kind::SetuptoolsGone => &SETUPTOOLS,
        _ => &MISSING,
    }
}
