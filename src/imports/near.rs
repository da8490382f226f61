//! Which names may have been meant where a module is asked for that is not there.

/// Those of `names` that a slip of the keys leads away from, nearest first: another case, hyphens or underscores; one
/// letter too many, too few, changed or swapped with its neighbour, two in a long name. A first letter is seldom
/// missed, and nobody means a private module: `bcrypt` is no slip for `crypt` or `_bcrypt`.
pub fn near(asked: &str, names: impl Iterator<Item = String>) -> Vec<String> {
    let folded = |name: &str| name.to_lowercase().replace(['-', '_'], "");
    let wanted = folded(asked);
    let mut found: Vec<(usize, String)> = names
        .filter(|name| name != asked && name.starts_with('_') == asked.starts_with('_'))
        .filter(|name| folded(name).chars().next() == wanted.chars().next())
        .map(|name| (strsim::damerau_levenshtein(&folded(&name), &wanted), name))
        .filter(|(distance, _)| match distance {
            0 => true,
            1 => wanted.len() > 3,
            2 => wanted.len() > 7,
            _ => false,
        })
        .collect();
    found.sort();
    found.dedup();
    found.into_iter().map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(asked: &str, there: &[&str]) -> Vec<String> {
        near(asked, there.iter().map(|name| (*name).to_owned()))
    }

    #[test]
    fn slips_are_seen() {
        assert_eq!(names("reqeusts", &["requests", "resource"]), ["requests"]);
        assert_eq!(names("numpi", &["numpy", "numbers"]), ["numpy"]);
        assert_eq!(names("pil", &["PIL", "pip"]), ["PIL"]);
        assert_eq!(names("flask-cors", &["flask_cors"]), ["flask_cors"]);
        assert_eq!(names("request", &["requests"]), ["requests"]);
    }

    #[test]
    fn other_modules_are_none() {
        assert!(names("bcrypt", &["_crypt", "crypt", "_bcrypt"]).is_empty());
        assert!(names("yaml", &["_yaml", "toml"]).is_empty());
        assert!(names("six", &["sis", "sys"]).is_empty());
        assert!(names("requests", &["requests"]).is_empty());
    }
}
