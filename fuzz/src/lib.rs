//! The parsers under their names, shared with the properties: each fuzz target is one of them.

#[path = "../../tests/properties/parsers.rs"]
pub mod parsers;
