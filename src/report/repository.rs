//! Where a finding stands in the repository: what annotations and code scanning can point at.

use crate::diagnosis::{Finding, Subject};
use crate::facts::Facts;
use crate::facts::environment::EnvironmentKind;
use crate::path::{Flavour, HostPath};

/// A file of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Below the repository's top, with `/` between the names; any other bytes.
    pub relative: Vec<u8>,
    /// Counted from 1.
    pub line: Option<usize>,
}

/// The top of the work tree, else the project, else the directory that was examined.
pub fn top(facts: &Facts) -> Option<&HostPath> {
    let git = facts.project.git.as_ref().map(|git| &git.top);
    git.or(facts.project.root.as_ref()).or(facts.directory.as_ref()).or(facts.working_directory.as_ref())
}

/// The file that shows a finding best: its own, an environment's `pyvenv.cfg`, the file that makes a directory a
/// project. None where that lies outside the repository.
pub fn place(facts: &Facts, finding: &Finding) -> Option<Place> {
    let environment = |root: &HostPath| {
        let known = facts.environment(root)?;
        (known.kind == EnvironmentKind::Venv).then(|| known.root.join("pyvenv.cfg"))
    };
    let file = match &finding.subject {
        Subject::File { path, .. } | Subject::Interpreter(path) => path.clone(),
        Subject::Environment(root) | Subject::Distribution { environment: root, .. } => environment(root)?,
        Subject::Project(_) => facts.project.markers.first()?.clone(),
        Subject::Shell => return None,
    };
    let relative = below(facts, &file).filter(|relative| !relative.is_empty())?;
    Some(Place { relative, line: finding.subject.line_number() })
}

fn below(facts: &Facts, path: &HostPath) -> Option<Vec<u8>> {
    Some(slashes(path.flavour(), path.relative_to(top(facts)?)?))
}

fn slashes(flavour: Flavour, mut bytes: Vec<u8>) -> Vec<u8> {
    if flavour == Flavour::Windows {
        bytes.iter_mut().filter(|byte| **byte == b'\\').for_each(|byte| *byte = b'/');
    }
    bytes
}

/// A path in words that are the same on every machine with this repository: `./.venv`, `~/.local/bin`, else as it is.
pub fn portable(facts: &Facts, path: &HostPath) -> String {
    let after = |sign: &str, rest: Vec<u8>| {
        let rest = slashes(path.flavour(), rest);
        format!("{sign}/{}", crate::path::readable(&rest))
    };
    if let Some(rest) = below(facts, path) {
        return after(".", rest);
    }
    match facts.home.as_ref().and_then(|home| path.relative_to(home)) {
        Some(rest) => after("~", rest),
        None => path.to_text().into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example;

    #[test]
    fn what_lies_in_the_repository_is_told_from_its_top() {
        let facts = example::healthy();
        assert_eq!(portable(&facts, &HostPath::posix("/home/me/project/.venv")), "./.venv");
        assert_eq!(portable(&facts, &HostPath::posix("/home/me/.local/bin")), "~/.local/bin");
        assert_eq!(portable(&facts, &HostPath::posix("/usr/bin")), "/usr/bin");
    }
}
