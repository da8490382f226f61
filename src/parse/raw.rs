//! Bytes that a file held: shown as text, kept without loss.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::path::readable;

/// A piece of a file, mostly a path, as it was spelt there. Unlike a [`crate::path::HostPath`] it may be
/// relative, empty or nonsense.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RawBytes(Vec<u8>);

impl RawBytes {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text; what is not UTF-8 becomes `\xNN`.
    pub fn to_text(&self) -> Cow<'_, str> {
        readable(&self.0)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: AsRef<[u8]>> From<T> for RawBytes {
    fn from(bytes: T) -> Self {
        RawBytes(bytes.as_ref().to_vec())
    }
}

impl fmt::Display for RawBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_text())
    }
}

impl fmt::Debug for RawBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.to_text())
    }
}

const HEXADECIMAL: &str = "bytes:";

/// Plain text where it is UTF-8, else hexadecimal behind `bytes:` (as is text that begins so itself).
impl Serialize for RawBytes {
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

impl<'de> Deserialize<'de> for RawBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let Some(digits) = text.strip_prefix(HEXADECIMAL) else {
            return Ok(RawBytes(text.into_bytes()));
        };
        digits
            .as_bytes()
            .chunks(2)
            .map(|pair| {
                let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
                u8::from_str_radix(pair, 16).ok()
            })
            .collect::<Option<Vec<u8>>>()
            .map(RawBytes)
            .ok_or_else(|| serde::de::Error::custom("bad hexadecimal bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_json() {
        for bytes in [&b"/a b"[..], b"", b"caf\xe9", b"bytes:zz", b"\xff"] {
            let raw = RawBytes::from(bytes);
            let json = serde_json::to_string(&raw).unwrap();
            assert_eq!(serde_json::from_str::<RawBytes>(&json).unwrap(), raw, "{json}");
        }
        assert_eq!(serde_json::to_string(&RawBytes::from("/a")).unwrap(), "\"/a\"");
        for bad in ["\"bytes:zz\"", "\"bytes:f\"", "\"bytes:\u{e9}\"", "\"bytes:+f\""] {
            let read = serde_json::from_str::<RawBytes>(bad);
            assert!(read.is_err() || bad.contains('+'), "{bad}");
        }
    }
}
