//! Names that the grammar of Python keeps for itself (`keyword.kwlist` of each version): no `import` statement can name
//! such a module.

use crate::facts::interpreter::Version;

const COMMON: &str = "and as assert break class continue def del elif else except finally for from global if import in is lambda \
    not or pass raise return try while with yield None";

/// Whether that version has it for a keyword. `import None` is refused by Python 2, too.
pub fn is_keyword(version: Version, name: &str) -> bool {
    let own = match (version.major, version.minor) {
        (2, _) => "exec print",
        (_, 0..=6) => "True False nonlocal",
        _ => "True False nonlocal async await",
    };
    [COMMON, own].iter().any(|names| names.split_ascii_whitespace().any(|keyword| keyword == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_those_of_the_version() {
        let is = |major, minor, name| is_keyword(Version::new(major, minor, None), name);
        for name in ["class", "import", "None", "yield"] {
            assert!(is(2, 7, name) && is(3, 6, name) && is(3, 14, name), "{name}");
        }
        assert!(is(3, 7, "async") && !is(3, 6, "async") && !is(2, 7, "await"));
        assert!(is(2, 7, "print") && !is(3, 12, "print") && is(3, 6, "True") && !is(2, 7, "True"));
        // soft ones
        assert!(!is(3, 12, "match") && !is(3, 12, "type") && !is(3, 12, "classy"));
    }
}
