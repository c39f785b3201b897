//! A hash that the program holds as a text of 32 hexadecimal digits, and that is stored as the 16
//! bytes of these digits. In JSON it stays a text, and so does a text that is no such hash.
//!
//! For fields of records: `#[serde(with = "hash_text")]`. Not here: what is hashed.

use std::fmt;

use serde::{Deserializer, Serializer, de};
use uuid::Uuid;

/// The bytes of a text of 32 digits, if the same text can be made of them again.
pub fn bytes(text: &str) -> Option<[u8; 16]> {
    let is_hash = text.len() == 32 && !text.bytes().any(|byte| byte.is_ascii_uppercase());
    let parsed = is_hash.then(|| Uuid::try_parse(text).ok())?;
    parsed.map(Uuid::into_bytes)
}

/// The text of such bytes.
pub fn text(bytes: [u8; 16]) -> String {
    Uuid::from_bytes(bytes).simple().to_string()
}

/// Writes the bytes where the format has bytes.
///
/// # Errors
/// Those of the format.
pub fn serialize<S: Serializer>(hash: &str, to: S) -> Result<S::Ok, S::Error> {
    match bytes(hash).filter(|_| !to.is_human_readable()) {
        Some(bytes) => to.serialize_bytes(&bytes),
        None => to.serialize_str(hash),
    }
}

/// Reads what [`serialize`] has written.
///
/// # Errors
/// Those of the format, and bytes of another length.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    struct Hash;

    impl de::Visitor<'_> for Hash {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a hash: a text, or 16 bytes")
        }

        fn visit_str<E: de::Error>(self, found: &str) -> Result<String, E> {
            Ok(found.to_owned())
        }

        fn visit_bytes<E: de::Error>(self, found: &[u8]) -> Result<String, E> {
            let bytes = found.try_into().map_err(|_| {
                let found = de::Unexpected::Bytes(found);
                de::Error::invalid_value(found, &self)
            })?;
            Ok(text(bytes))
        }
    }
    from.deserialize_any(Hash)
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Field(#[serde(with = "super")] String);

    #[test]
    fn hashes_are_stored_as_bytes_and_all_texts_are_read_as_they_were() {
        let hash = "00ff5af0c3b14e2a9d7b1c2d3e4f5061";
        let upper = hash.to_uppercase();
        let hyphened = "00ff5af0-c3b1-4e2a-9d7b-1c2d3e4f5061";
        for text in [hash, &upper, hyphened, "", "r", &hash[1..]] {
            let field = Field(text.to_owned());
            let stored = rmp_serde::to_vec(&field).unwrap();
            assert_eq!(rmp_serde::from_slice::<Field>(&stored).unwrap(), field);
            assert_eq!(stored.len() == 18, text == hash, "{text}");
            let json = serde_json::to_value(&field).unwrap();
            assert_eq!(json, text);
            assert_eq!(serde_json::from_value::<Field>(json).unwrap(), field);
        }
        assert!(rmp_serde::from_slice::<Field>(&[0xc4, 2, 1, 2]).is_err());
    }
}
