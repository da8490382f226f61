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
