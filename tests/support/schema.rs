//! The published schema, closed: a field that it does not name is an error here, while users are told that fields
//! may be added.

use serde_json::Value;

const SCHEMA: &str = include_str!("../../src/report/schema.json");

/// Panics where the value is not what the definition below `$defs` says.
pub fn validate(definition: &str, value: &Value) {
    let mut schema: Value = serde_json::from_str(SCHEMA).unwrap();
    close(&mut schema);
    schema["$ref"] = format!("#/$defs/{definition}").into();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        schema.iter_errors(value).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{value:#}");
}

fn close(schema: &mut Value) {
    if let Some(object) = schema.as_object_mut() {
        if object.get("type").is_some_and(|kind| kind == "object") {
            object.insert("additionalProperties".into(), false.into());
        }
        object.values_mut().for_each(close);
    } else if let Some(list) = schema.as_array_mut() {
        list.iter_mut().for_each(close);
    }
}
