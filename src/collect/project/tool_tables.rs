//! Requirements as the tables of `pyproject.toml` and `Pipfile` write them.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::facts::requirement::Source;
use crate::parse::requirements::Requirement;
use crate::path::HostPath;

/// So many requirements that may be left out are kept.
const MOST: usize = 2000;

/// A value somewhere in a TOML table.
pub fn at<'t, 'i>(table: &'t DeTable<'i>, path: &[&str]) -> Option<&'t Spanned<DeValue<'i>>> {
    let (last, tables) = path.split_last()?;
    let mut table = table;
    for name in tables {
        table = table.get(*name)?.get_ref().as_table()?;
    }
    table.get(*last)
}

pub fn text_at<'t>(table: &'t DeTable<'_>, path: &[&str]) -> Option<(&'t str, usize)> {
    let value = at(table, path)?;
    Some((value.get_ref().as_str()?, value.span().start))
}

pub fn table_at<'t, 'i>(table: &'t DeTable<'i>, path: &[&str]) -> Option<&'t DeTable<'i>> {
    at(table, path)?.get_ref().as_table()
}

/// A dependency as poetry and pipenv write it, not optional and behind no marker.
pub fn always_wanted(value: &DeValue<'_>) -> bool {
    if value.is_array() {
        // several alternatives, each behind a marker
        return false;
    }
    let Some(table) = value.as_table() else { return true };
    let optional = table.get("optional").is_some_and(|optional| optional.get_ref().as_bool() == Some(true));
    let marked =
        ["markers", "platform", "python", "platform_system", "sys_platform", "platform_machine", "os_name"];
    !optional && !marked.iter().any(|key| table.contains_key(*key))
}

/// Whose way of writing a version it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `^1.2`, `~1.2`, and a bare version means `^` no more than `==`.
    Poetry,
    /// PEP 440, `*` for any.
    Pipenv,
}

/// `"^1.2"`, `{version = ">=1", extras = ["x"], markers = "..."}`, `{git = "..."}`.
pub fn tool_requirement(name: String, value: &DeValue<'_>, dialect: Dialect) -> Requirement {
    let table = value.as_table();
    let text = |key: &str| table.and_then(|table| table.get(key)).and_then(|value| value.get_ref().as_str());
    let version = value.as_str().or_else(|| text("version")).unwrap_or_default().trim();
    let extras = table
        .and_then(|table| table.get("extras"))
        .and_then(|extras| extras.get_ref().as_array())
        .into_iter()
        .flat_map(|extras| extras.iter())
        .filter_map(|extra| extra.get_ref().as_str().map(str::to_owned));
    Requirement {
        name,
        conditional: !always_wanted(value),
        extras: extras.collect(),
        specifier: specifier(version, dialect).unwrap_or_default(),
        marker: text("markers").map(str::to_owned),
        url: None,
        named_by_url: false,
    }
}

/// Where `{git = "..."}`, `{path = "..."}` and their like lead, as uv (`[tool.uv.sources]`), poetry and pipenv write
/// them; paths are meant from `root`. None: from the index that everything comes from.
pub fn source(value: &DeValue<'_>, root: &HostPath) -> Option<Source> {
    if value.is_array() {
        // alternatives, each behind a marker
        let elsewhere = value
            .as_array()
            .is_some_and(|list| list.iter().any(|item| source(item.get_ref(), root).is_some()));
        return elsewhere.then_some(Source::Tool);
    }
    let table = value.as_table()?;
    let text = |key: &str| table.get(key).and_then(|value| value.get_ref().as_str());
    let flag = |key: &str| table.get(key).and_then(|value| value.get_ref().as_bool()) == Some(true);
    let subdirectory = text("subdirectory").map(|it| format!("#subdirectory={it}")).unwrap_or_default();
    if let Some(git) = text("git") {
        let revision = ["rev", "tag", "branch", "ref"].iter().find_map(|key| text(key));
        let revision = revision.map(|it| format!("@{it}")).unwrap_or_default();
        // `git@example.org:x.git` is no URL
        return Some(match git.contains("://") {
            true => Source::Url(format!("git+{}{revision}{subdirectory}", git.trim_start_matches("git+"))),
            false => Source::Tool,
        });
    }
    if let Some(url) = text("url").or(text("file").filter(|file| file.contains("://"))) {
        return Some(Source::Url(format!("{url}{subdirectory}")));
    }
    if let Some(path) = text("path").or(text("file")) {
        let editable = flag("editable") || flag("develop");
        return Some(Source::Path { path: root.join(path).normalized(), editable });
    }
    let of_tool = ["workspace", "index", "source", "hg", "svn", "bzr"];
    of_tool.iter().any(|key| table.contains_key(*key)).then_some(Source::Tool)
}

/// The PEP 440 specifier; None for what has none (alternatives with `||`).
fn specifier(version: &str, dialect: Dialect) -> Option<String> {
    if version.contains("||") {
        return None;
    }
    let clauses = version.split(',').map(str::trim).filter(|clause| !clause.is_empty() && *clause != "*");
    let translated: Option<Vec<String>> = clauses.map(|clause| translate(clause, dialect)).collect();
    Some(translated?.join(","))
}

/// One clause (<https://python-poetry.org/docs/dependency-specification/>).
fn translate(clause: &str, dialect: Dialect) -> Option<String> {
    if let Some(version) = clause.strip_prefix('^') {
        return Some(format!(">={0},<{1}", version.trim(), caret_limit(version.trim())?));
    }
    if let Some(version) = clause.strip_prefix('~').filter(|rest| !rest.starts_with('=')) {
        let version = version.trim();
        let parts = numbers(version)?;
        let limit = match parts.as_slice() {
            [major] => format!("{}", major + 1),
            [major, minor, ..] => format!("{major}.{}", minor + 1),
            [] => return None,
        };
        return Some(format!(">={version},<{limit}"));
    }
    if clause.starts_with(|c: char| c.is_ascii_digit()) {
        // a bare version is an exact one for poetry; pipenv hands it on as it is
        return (dialect == Dialect::Poetry).then(|| format!("=={clause}"));
    }
    Some(clause.to_owned())
}

/// The first version that `^` shuts out: the leftmost part that is not zero may not grow.
fn caret_limit(version: &str) -> Option<String> {
    let parts = numbers(version)?;
    let grows = parts.iter().position(|part| *part != 0).unwrap_or(parts.len().checked_sub(1)?);
    let limit: Vec<String> = parts
        .iter()
        .take(grows + 1)
        .enumerate()
        .map(|(index, part)| if index == grows { (part + 1).to_string() } else { part.to_string() })
        .collect();
    Some(limit.join("."))
}

fn numbers(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|part| part.parse().ok().filter(|number| *number < u32::MAX)).collect()
}

/// The texts of extras and dependency groups, with their offsets.
pub fn optional_requirements<'t>(table: &'t DeTable<'_>) -> Vec<(&'t str, usize)> {
    let lists = [
        &["project", "optional-dependencies"][..],
        &["dependency-groups"],
        &["tool", "pdm", "dev-dependencies"],
    ];
    let mut found = Vec::new();
    for group in lists.iter().filter_map(|path| table_at(table, path)).flat_map(|groups| groups.values()) {
        for item in group.get_ref().as_array().into_iter().flat_map(|list| list.iter()) {
            found.extend(item.get_ref().as_str().map(|text| (text, item.span().start)));
        }
    }
    if let Some(list) =
        at(table, &["tool", "uv", "dev-dependencies"]).and_then(|list| list.get_ref().as_array())
    {
        found.extend(list.iter().filter_map(|item| Some((item.get_ref().as_str()?, item.span().start))));
    }
    let names =
        table_at(table, &["tool", "poetry", "dev-dependencies"]).into_iter().flat_map(|table| table.keys());
    found.extend(names.map(|name| (name.get_ref().as_ref(), name.span().start)));
    for group in table_at(table, &["tool", "poetry", "group"]).into_iter().flat_map(|groups| groups.values())
    {
        let names = group.get_ref().as_table().and_then(|group| table_at(group, &["dependencies"]));
        let names = names.into_iter().flat_map(|table| table.keys());
        found.extend(names.map(|name| (name.get_ref().as_ref(), name.span().start)));
    }
    found.truncate(MOST);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn translates_poetrys_constraints() {
        for (written, meant) in [
            ("^1.2", ">=1.2,<2"),
            ("^0.2.3", ">=0.2.3,<0.3"),
            ("^0.0.3", ">=0.0.3,<0.0.4"),
            ("^0", ">=0,<1"),
            ("^0.0", ">=0.0,<0.1"),
            ("~1.2.3", ">=1.2.3,<1.3"),
            ("~1", ">=1,<2"),
            ("~=1.2", "~=1.2"),
            ("*", ""),
            ("1.2", "==1.2"),
            (">=1,<2.5", ">=1,<2.5"),
        ] {
            assert_eq!(specifier(written, Dialect::Poetry).as_deref(), Some(meant), "{written}");
        }
        assert_eq!(specifier("^1 || ^2", Dialect::Poetry), None);
        assert_eq!(specifier("^4294967295", Dialect::Poetry), None);
    }

    #[test]
    fn sources_are_told() {
        let text = "a = {path = '../libs/a', develop = true}\nb = {git = 'https://x/b', tag = 'v1', subdirectory = 's'}\n\
                    c = {workspace = true}\nd = {index = 'own'}\ne = {version = '1'}\nf = '^1'\n\
                    g = [{git = 'https://x/g', marker = 'm'}]\nh = {git = 'git@x:h.git'}\ni = {url = 'https://x/i.whl'}\n\
                    j = [{version = '1'}]\nk = {path = '/k.whl'}\n";
        let (table, _) = DeTable::parse_recoverable(text);
        let root = HostPath::posix("/home/me/p");
        let found = |name: &str| source(at(table.get_ref(), &[name]).unwrap().get_ref(), &root);
        let path = |path: &str, editable| Some(Source::Path { path: HostPath::posix(path), editable });
        assert_eq!(found("a"), path("/home/me/libs/a", true));
        assert_eq!(found("b"), Some(Source::Url("git+https://x/b@v1#subdirectory=s".into())));
        assert_eq!(found("i"), Some(Source::Url("https://x/i.whl".into())));
        assert_eq!(found("k"), path("/k.whl", false));
        for name in ["c", "d", "g", "h"] {
            assert_eq!(found(name), Some(Source::Tool), "{name}");
        }
        for name in ["e", "f", "j"] {
            assert_eq!(found(name), None, "{name}");
        }
    }

    #[test]
    fn reads_tables_and_groups() {
        let text = "[dependency-groups]\ndev = ['pytest', {include-group = 'x'}]\n[project.optional-dependencies]\nweb = ['flask>2']\n\
                    [tool.poetry.group.docs.dependencies]\nsphinx = '^7'\n[t]\na = {version = '>=1', extras = ['x'], markers = 'm'}\n";
        let (table, _) = DeTable::parse_recoverable(text);
        let texts: Vec<&str> =
            optional_requirements(table.get_ref()).into_iter().map(|(text, _)| text).collect();
        assert_eq!(texts, ["flask>2", "pytest", "sphinx"]);
        let value = at(table.get_ref(), &["t", "a"]).unwrap();
        let requirement = tool_requirement("a".into(), value.get_ref(), Dialect::Poetry);
        assert_eq!((requirement.specifier.as_str(), requirement.marker.as_deref()), (">=1", Some("m")));
        assert_eq!(requirement.extras, ["x"]);
    }
}
