//! Messages of pip and what it finds installed.

use super::{Meaning, meaning};
use crate::diagnosis::Category;
use crate::parse::error_output::MessageKind;

pub(super) fn meaning_of(kind: MessageKind) -> &'static Meaning {
    use MessageKind as Kind;
    static PIP: Meaning = meaning(
        Category::Isolation,
        &[
            "environment-without-pip",
            "broken-pip",
            "incomplete-venv",
            "python-version-switched",
            "half-upgraded-venv",
            "pip-elsewhere",
        ],
        "This Python has no pip, or half of one",
        &[
            "python -m ensurepip --upgrade brings it",
            "uv pip install --python ENVIRONMENT works without",
            "Debian: sudo apt-get install python3-venv, then make the environment again",
        ],
    );
    static MANAGED: Meaning = meaning(
        Category::Isolation,
        &[
            "moved-venv",
            "dangling-interpreter",
            "container-venv",
            "lost-activation",
            "stale-activation",
            "shadowing-alias",
            "environment-without-pip",
            "pip-elsewhere",
            "shadowed-environment",
            "forgotten-activation",
            "interpreter-not-executable",
            "global-install",
        ],
        "pip was about to install into the system's Python, which its distributor manages (PEP 668)",
        &[
            "install into an environment: python3 -m venv .venv && . .venv/bin/activate && pip install NAME",
            "an application: pipx install NAME, or uv tool install NAME",
            "with an environment active, this says that its pip is not the one that ran",
        ],
    );
    static USER: Meaning = meaning(
        Category::Isolation,
        &["pip-redirected"],
        "pip is told to install for the user, which makes no sense inside an environment",
        &["pip config debug shows who sets `user`; take it out, or unset PIP_USER"],
    );
    static REQUIRE: Meaning = meaning(
        Category::Isolation,
        &["pip-requires-virtualenv", "forgotten-activation", "lost-activation"],
        "pip is told to work in an environment alone, and this Python is in none",
        &[
            "activate the project's environment",
            "for once without: PIP_REQUIRE_VIRTUALENV=0 pip install NAME",
        ],
    );
    static LEFTOVER: Meaning = meaning(
        Category::Packages,
        &["leftover-distribution"],
        "An interrupted install or removal left a directory whose name begins with ~; pip only warns of it",
        &["delete the directories that begin with ~ in the named site-packages"],
    );
    static RECORD: Meaning = meaning(
        Category::Packages,
        &["broken-metadata", "global-install", "duplicate-distribution"],
        "pip does not know which files belong to that distribution, so it does not remove it",
        &[
            "pip install --force-reinstall --no-deps NAME==VERSION writes the list anew",
            "installed by the system's packages: leave it to them, and install into an environment",
        ],
    );
    static OTHER: Meaning = meaning(
        Category::Project,
        &[
            "requires-python-mismatch",
            "distribution-requires-python",
            "python-pin-mismatch",
            "pinned-python-missing",
        ],
        "The project, or a distribution, does not support this version of Python",
        &[
            "make the environment with a version that fits: uv venv --python 3.12, or python3.12 -m venv .venv",
        ],
    );
    match kind {
        Kind::NoPip => &PIP,
        Kind::ExternallyManaged => &MANAGED,
        Kind::UserInstallRefused => &USER,
        Kind::VirtualenvRequired => &REQUIRE,
        Kind::InvalidDistribution => &LEFTOVER,
        Kind::RecordMissing => &RECORD,
        _ => &OTHER,
    }
}
