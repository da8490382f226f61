//! The published schema of everything that is printed as JSON: JSON Schema 2020-12, written by hand beside the
//! frozen types, so that a change of either is seen.

/// Every definition, with the report of `check` as its root.
pub const SCHEMA: &str = include_str!("schema.json");

const ROOT: &str = "\"$ref\": \"#/$defs/report\",";

/// The schema of one subcommand's JSON; `definition` is a name below `$defs`.
pub fn schema_of(definition: &str) -> String {
    SCHEMA.replacen(ROOT, &format!("\"$ref\": \"#/$defs/{definition}\","), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::ImportOrigin;
    use crate::path::HostPath;

    /// Each in turn; a new one does not compile until it has its place here.
    fn next(origin: &ImportOrigin) -> Option<ImportOrigin> {
        Some(match origin {
            ImportOrigin::ScriptDirectory => ImportOrigin::PythonPath { index: 0 },
            ImportOrigin::PythonPath { .. } => ImportOrigin::StdlibZip,
            ImportOrigin::StdlibZip => ImportOrigin::Stdlib,
            ImportOrigin::Stdlib => ImportOrigin::LibDynload,
            ImportOrigin::LibDynload => ImportOrigin::UserSite,
            ImportOrigin::UserSite => ImportOrigin::SitePackages,
            ImportOrigin::SitePackages => ImportOrigin::DistPackages,
            ImportOrigin::DistPackages => ImportOrigin::Pth { file: HostPath::posix("/x.pth"), line: 1 },
            ImportOrigin::Pth { .. } => ImportOrigin::PyPackages,
            ImportOrigin::PyPackages => ImportOrigin::Unexplained,
            ImportOrigin::Unexplained => return None,
        })
    }

    #[test]
    fn every_origin_of_an_entry_is_named() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        let origins = std::iter::successors(Some(ImportOrigin::ScriptDirectory), next);
        let kinds: Vec<_> = origins.map(|it| serde_json::to_value(it).unwrap()["kind"].clone()).collect();
        assert_eq!(
            schema["$defs"]["import_origin"]["properties"]["kind"]["enum"],
            serde_json::Value::from(kinds)
        );
    }

    #[test]
    fn each_definition_can_be_the_root() {
        for name in ["report", "path", "why", "checks", "explain", "scan", "scan_line"] {
            let schema: serde_json::Value = serde_json::from_str(&schema_of(name)).unwrap();
            assert_eq!(schema["$ref"], format!("#/$defs/{name}"));
            assert!(schema["$defs"][name].is_object(), "{name}");
            jsonschema::validator_for(&schema).unwrap();
        }
    }
}
