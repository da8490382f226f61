//! A path as Python spells it: any bytes, relative ones and the empty one included.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::path::readable;

/// An entry of `sys.path` or one of `sys`'s prefixes, byte for byte.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spelling(pub Vec<u8>);

impl Spelling {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As text; bytes that are not UTF-8 become `\xNN`.
    pub fn to_text(&self) -> Cow<'_, str> {
        readable(&self.0)
    }
}

impl From<&[u8]> for Spelling {
    fn from(bytes: &[u8]) -> Self {
        Spelling(bytes.to_vec())
    }
}

impl From<&str> for Spelling {
    fn from(text: &str) -> Self {
        Spelling(text.as_bytes().to_vec())
    }
}

impl From<Vec<u8>> for Spelling {
    fn from(bytes: Vec<u8>) -> Self {
        Spelling(bytes)
    }
}

impl fmt::Display for Spelling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_text())
    }
}

impl fmt::Debug for Spelling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.to_text())
    }
}

const HEXADECIMAL: &str = "bytes:";

/// Plain text where it is UTF-8, else the bytes in hexadecimal behind `bytes:`, as a `HostPath` does.
impl Serialize for Spelling {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) if !text.starts_with(HEXADECIMAL) => serializer.serialize_str(text),
            _ => {
                let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
                serializer.serialize_str(&format!("{HEXADECIMAL}{digits}"))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Spelling {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let Some(digits) = text.strip_prefix(HEXADECIMAL) else { return Ok(Spelling(text.into_bytes())) };
        let wrong = || serde::de::Error::custom("bad hexadecimal path");
        if !digits.is_ascii() || !digits.len().is_multiple_of(2) {
            return Err(wrong());
        }
        (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| wrong()))
            .collect::<Result<_, _>>()
            .map(Spelling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_survives_json() {
        for bytes in [&b""[..], b"/a b", b"caf\xe9", b"bytes:", "é".as_bytes()] {
            let json = serde_json::to_string(&Spelling::from(bytes)).unwrap();
            assert_eq!(serde_json::from_str::<Spelling>(&json).unwrap().as_bytes(), bytes);
        }
        assert!(serde_json::from_str::<Spelling>("\"bytes:0\"").is_err());
    }
}
